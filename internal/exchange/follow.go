// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package exchange

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"time"

	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/record"
	"darwaza.dev/internal/store"
	"darwaza.dev/internal/store/engine"
)

// A Source shows a log as C2SP tlog-tiles lays it out, by paths such as "checkpoint" and
// "tile/entries/x001/234", with the disclosures for whoever asks beside the bundles, under
// "disclosures/x001/234". The line to the other side is one, and a file from a stick is
// another: the bytes are the same. What it shows is believed by its hashes alone.
type Source interface {
	// Get returns what lies under a path, no more than limit bytes of it. What is not there
	// is a problem of kind not found.
	Get(ctx context.Context, path string, limit int64) ([]byte, error)
}

// Limits of what one path may hold, in bytes. A bundle has 256 entries of 65,535 bytes at
// most; of what is disclosed beside one nobody needs as much as could be.
const (
	maxTile      = record.TileWidth * record.HashSize
	maxBundle    = record.TileWidth * (2 + record.MaxEntry)
	maxDisclosed = 32 << 20
)

// disclosuresPath is where the disclosures of a bundle lie.
func disclosuresPath(bundle record.TileID) string {
	return "disclosures/" + strings.TrimPrefix(bundle.Path(), "tile/entries/")
}

// Bounds of following. followBatch is how many bundles are committed together, and
// followMost how many entries one round takes.
const (
	followBatch = 16
	followMost  = 1 << 20
)

// Why a mirror is halted: words for Status and pages.
const haltFork = "fork"

// A Follower keeps the mirror of one log.
type Follower struct {
	Mirror *store.Mirror
	Log    *record.Verifier
	// Cosigner cosigns what is stored; nil where this side's cosignature is not in the edition.
	Cosigner *record.Signer
	Clock    func() time.Time
	// Live is true where the source shows the log as it is now: a head that is shorter than
	// what was mirrored is then a fault of that log. A file may simply be old.
	Live bool
	// Keep keeps evidence that the log has forked, before the mirror is halted.
	Keep func(f record.Fork) error
	// Step is called before each thing that is written, for tests that stop there.
	Step func(what string) error
}

func (f *Follower) step(what string) error {
	if f.Step == nil {
		return nil
	}
	return f.Step(what)
}

// Follow takes what a source shows of the log and the mirror has not: it verifies the
// signed head, that the mirror is the beginning of it, and every entry under it, stores
// them, and then cosigns. It may be called again with the same, with less or with more:
// nothing is stored twice and nothing out of order. It returns how many entries were stored.
//
// Problems are of kind untrusted where the source shows what is not the log's, of kind
// conflict where the log contradicts itself or stands behind its mirror, not found where a
// file lacks what comes next, and forbidden where the mirror is halted.
func (f *Follower) Follow(ctx context.Context, src Source) (stored uint64, err error) {
	if why := f.Mirror.At().Halted; why != "" {
		return 0, problem.New(problem.Forbidden, "exchange.halted."+why)
	}
	signed, err := src.Get(ctx, "checkpoint", record.MaxCheckpoint)
	if err != nil {
		return 0, err
	}
	head, err := record.OpenHead(signed, f.Log)
	if err != nil {
		return 0, problem.Wrap(problem.Untrusted, "exchange.head", err)
	}
	tiles := &sourceTiles{ctx: ctx, src: src, seen: map[record.TileID][]byte{}}
	if err := f.same(ctx, head, tiles); err != nil {
		return 0, err
	}
	at := f.Mirror.At()
	if head.Size < at.Size {
		return 0, nil // an older file: it is the beginning of what is here
	}
	for at.Size < head.Size && stored < followMost {
		n, err := f.take(ctx, src, head, tiles)
		stored += n
		if err != nil {
			return stored, err
		}
		at = f.Mirror.At()
	}
	if at.Size == head.Size && (stored == 0 && len(at.Checkpoint) == 0 || stored == 0 && f.uncosigned(at)) {
		if err := f.step("cosign"); err != nil {
			return stored, err
		}
		note, err := f.cosign(head)
		if err != nil {
			return stored, err
		}
		return stored, f.Mirror.Head(ctx, note)
	}
	return stored, nil
}

// uncosigned reports whether the newest head that is kept lacks this side's cosignature,
// although there is a key for it now.
func (f *Follower) uncosigned(at engine.Mirror) bool {
	return f.Cosigner != nil && len(at.Checkpoint) > 0 && !bytes.Contains(at.Checkpoint, []byte("\n— "+f.Cosigner.Name()+" "))
}

// same makes sure that the mirror and a signed head are of one log.
func (f *Follower) same(ctx context.Context, head record.Head, tiles record.TileReader) error {
	at := f.Mirror.At()
	if head.Size < at.Size {
		root, err := f.Mirror.Root(ctx, head.Size)
		if err != nil {
			return err
		}
		if root != head.Root {
			return f.forked(ctx, head, nil)
		}
		if f.Live {
			// It has signed more than it remembers: an older copy was put in its place.
			return problem.New(problem.Conflict, "exchange.behind")
		}
		return nil
	}
	root, err := record.RootAt(at.Size, head.Size, head.Root, tiles)
	if err != nil {
		return err
	}
	if !bytes.Equal(root[:], at.Root) {
		return f.forked(ctx, head, tiles)
	}
	return nil
}

// forked keeps the evidence and halts the mirror.
func (f *Follower) forked(ctx context.Context, head record.Head, tiles record.TileReader) error {
	at := f.Mirror.At()
	// What is mirrored was signed: in the head that it was fetched under, or in the last.
	for _, known := range [][]byte{at.Pending, at.Checkpoint} {
		if len(known) == 0 {
			continue
		}
		mine, err := record.OpenHead(known, f.Log)
		if err != nil {
			return problem.Wrap(problem.Internal, "exchange.mirror", err)
		}
		shorter, longer, from := mine, head, tiles
		if mine.Size > head.Size {
			shorter, longer, from = head, mine, f.Mirror.Tiles(ctx)
			if mine.Size > at.Size {
				continue // not all of it is here
			}
		}
		ev, err := record.ProveFork(shorter, longer, from)
		if err != nil {
			return err
		}
		if _, _, err := record.OpenFork(ev.Text(), f.Log); err != nil {
			continue // this one is the beginning of it
		}
		if f.Keep != nil {
			if err := f.Keep(ev); err != nil {
				return err
			}
		}
		if err := f.step("halt"); err != nil {
			return err
		}
		if err := f.Mirror.Halt(ctx, haltFork); err != nil {
			return err
		}
		return problem.New(problem.Conflict, "exchange.fork")
	}
	return problem.New(problem.Conflict, "exchange.history")
}

// take fetches, verifies and stores some bundles.
func (f *Follower) take(ctx context.Context, src Source, head record.Head, tiles record.TileReader) (uint64, error) {
	at := f.Mirror.At()
	first := at.Size / record.TileWidth
	have := int(at.Size % record.TileWidth)
	var entries []engine.Entry
	end := at.Size
	for i := range uint64(followBatch) {
		if (first+i)*record.TileWidth >= head.Size {
			break
		}
		id := record.TileID{Level: record.Entries, Index: first + i, Width: int(min(record.TileWidth, head.Size-(first+i)*record.TileWidth))}
		got, err := fetch(ctx, src, id)
		if err != nil {
			return 0, err
		}
		entries = append(entries, got[have:]...)
		end = id.Index*record.TileWidth + uint64(id.Width)
		have = 0
	}
	p, err := f.Mirror.Add(entries)
	if err != nil {
		return 0, err
	}
	root, err := record.RootAt(end, head.Size, head.Root, tiles)
	if err == nil && root != p.Root() {
		err = problem.New(problem.Untrusted, "exchange.entries")
	}
	var checkpoint, pending []byte
	if err == nil {
		if end < head.Size {
			pending = head.Note
		} else {
			checkpoint, err = f.cosign(head)
		}
	}
	if err == nil {
		err = f.step("store")
	}
	if err != nil {
		f.Mirror.Drop(p)
		return 0, err
	}
	if err := f.Mirror.Store(ctx, p, checkpoint, pending); err != nil {
		return 0, err
	}
	return uint64(len(entries)), f.step("stored")
}

// fetch returns the entries of a bundle with what is disclosed of them. Whether they are
// the log's is not known yet; that the disclosures are those of the entries is.
func fetch(ctx context.Context, src Source, id record.TileID) ([]engine.Entry, error) {
	b, err := src.Get(ctx, id.Path(), maxBundle)
	if err != nil {
		return nil, err
	}
	envelopes, err := record.ParseBundle(b, id.Width)
	if err != nil {
		return nil, problem.Wrap(problem.Untrusted, "exchange.entries", err)
	}
	if b, err = src.Get(ctx, disclosuresPath(id), maxDisclosed); err != nil {
		return nil, err
	}
	told, err := record.ParseDisclosed(b, id.Width)
	if err != nil {
		return nil, problem.Wrap(problem.Untrusted, "exchange.disclosures", err)
	}
	entries := make([]engine.Entry, id.Width)
	for i, e := range envelopes {
		env, err := record.ParseEntry(e)
		if err == nil {
			err = env.Told(told[i], record.OtherSide)
		}
		if err != nil {
			return nil, problem.Wrap(problem.Untrusted, "exchange.disclosures", err)
		}
		entries[i] = engine.Entry{Envelope: e, Disclosure: told[i]}
	}
	return entries, nil
}

// cosign returns a signed head with this side's cosignature, which is given out only once
// the head is stored.
func (f *Follower) cosign(head record.Head) ([]byte, error) {
	note := bytes.Clone(head.Note)
	if f.Cosigner == nil {
		return note, nil
	}
	line, err := f.Cosigner.Cosign(head.Text(), f.Clock())
	if err != nil {
		return nil, err
	}
	if len(note)+len(line) > record.MaxCheckpoint {
		return nil, problem.New(problem.Limit, "record.checkpoint")
	}
	return append(note, line...), nil
}

// sourceTiles reads tiles of a source, each once.
type sourceTiles struct {
	ctx  context.Context
	src  Source
	seen map[record.TileID][]byte
}

// ReadTile returns a tile just as wide as it was asked for.
func (t *sourceTiles) ReadTile(id record.TileID) ([]byte, error) {
	if b, ok := t.seen[id]; ok {
		return b, nil
	}
	b, err := t.src.Get(t.ctx, id.Path(), maxTile)
	if err != nil {
		return nil, err
	}
	if len(b) != id.Width*record.HashSize {
		return nil, problem.New(problem.Untrusted, "record.tile")
	}
	t.seen[id] = b
	return b, nil
}

// offline reports whether a problem lies with the line and not with what came over it.
func offline(err error) bool {
	return problem.KindOf(err) == problem.Offline || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}
