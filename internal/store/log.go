// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"errors"
	"iter"
	"time"

	"darwaza.dev/internal/fact"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/record"
	"darwaza.dev/internal/store/engine"
)

// Size returns how many entries the log has.
func (s *Store) Size(ctx context.Context) (uint64, error) {
	h, err := s.eng.Head(ctx)
	return h.Size, problem.Wrap(problem.Offline, "store.read", err)
}

// Checkpoint returns the newest signed checkpoint, a C2SP tlog-checkpoint; a problem of
// kind not found where the log is empty.
func (s *Store) Checkpoint(ctx context.Context) ([]byte, error) {
	h, err := s.eng.Head(ctx)
	if err != nil {
		return nil, problem.Wrap(problem.Offline, "store.read", err)
	}
	if h.Size == 0 {
		return nil, problem.New(problem.NotFound, "record.empty")
	}
	return h.Checkpoint, nil
}

// Tile returns what C2SP tlog-tiles serves under a path, such as "tile/0/000.p/17" or
// "tile/entries/x001/234"; a problem of kind not found where there is none.
func (s *Store) Tile(ctx context.Context, path string) ([]byte, error) {
	id, err := record.ParseTilePath(path)
	if err != nil {
		return nil, err
	}
	b, err := tiles{ctx, s.eng}.ReadTile(id)
	if err != nil {
		return nil, err
	}
	if id.Level != record.Entries {
		if len(b) < id.Width*record.HashSize {
			return nil, problem.New(problem.NotFound, "record.tile")
		}
		b = b[:id.Width*record.HashSize]
	}
	return b, nil
}

// Proof returns the C2SP tlog-proof of an entry under the newest checkpoint.
func (s *Store) Proof(ctx context.Context, index uint64) ([]byte, error) {
	var text []byte
	err := s.snapshot(ctx, func(snap engine.Snapshot) error {
		h, err := snap.Head(ctx)
		if err != nil {
			return problem.Wrap(problem.Offline, "store.read", err)
		}
		hashes, err := record.Prove(index, h.Size, record.Hash(h.Root), tiles{ctx, snap})
		if err != nil {
			return err
		}
		text = record.Proof{Index: index, Hashes: hashes, Head: h.Checkpoint}.Text()
		return nil
	})
	return text, err
}

// Entry returns an entry's envelope, as it stands in the log, and its disclosures; a
// problem of kind not found where the log is shorter.
func (s *Store) Entry(ctx context.Context, index uint64) (envelope, disclosure []byte, err error) {
	list, err := s.eng.Entries(ctx, index, 1)
	if err != nil {
		return nil, nil, problem.Wrap(problem.Offline, "store.read", err)
	}
	if len(list) == 0 {
		return nil, nil, problem.New(problem.NotFound, "record.index")
	}
	return list[0].Envelope, list[0].Disclosure, nil
}

func (s *Store) snapshot(ctx context.Context, f func(engine.Snapshot) error) error {
	snap, err := s.eng.Snapshot(ctx)
	if err != nil {
		return problem.Wrap(problem.Offline, "store.read", err)
	}
	defer snap.Close()
	return f(snap)
}

// Recorded is one fact of the log with its place and time.
type Recorded struct {
	Index uint64
	At    time.Time
	Fact  fact.Fact
	Entry engine.Entry
}

// chunk is how many entries are read at once.
const chunk = 1024

// Facts walks over the facts at positions from up to, but not including, to; to is cut
// to the size of the log. Each disclosure is held against its envelope.
func (s *Store) Facts(ctx context.Context, from, to uint64) iter.Seq2[Recorded, error] {
	return s.facts(ctx, s.eng, from, to)
}

func (s *Store) facts(ctx context.Context, r engine.Reads, from, to uint64) iter.Seq2[Recorded, error] {
	return func(yield func(Recorded, error) bool) {
		for from < to {
			list, err := r.Entries(ctx, from, int(min(to-from, chunk)))
			if err != nil {
				yield(Recorded{}, problem.Wrap(problem.Offline, "store.read", err))
				return
			}
			for i, e := range list {
				rec, err := s.open(from+uint64(i), e)
				if !yield(rec, err) || err != nil {
					return
				}
			}
			if len(list) == 0 {
				return
			}
			from += uint64(len(list))
		}
	}
}

// open returns the fact of an entry.
func (s *Store) open(index uint64, e engine.Entry) (Recorded, error) {
	rec := Recorded{Index: index, Entry: e}
	env, err := record.ParseEntry(e.Envelope)
	if err != nil {
		return rec, problem.Newf(problem.Untrusted, "record.entry", "entry %d: %w", index, err)
	}
	body, whole, err := env.Open(e.Disclosure)
	if err != nil || !whole {
		return rec, problem.Newf(problem.Untrusted, "record.disclosure", "entry %d: its disclosure is not what was logged", index)
	}
	rec.At = env.At
	if rec.Fact, err = s.codec.Decode(env.Kind, body); err != nil {
		return rec, problem.Newf(problem.Internal, "record.fact", "entry %d: %w", index, err)
	}
	return rec, nil
}

// tiles shows stored tiles to package record. Bundles are put together from the
// entries, which are stored once.
type tiles struct {
	ctx context.Context
	r   logReads
}

// logReads are the reads of a log.
type logReads interface {
	Entries(ctx context.Context, from uint64, n int) ([]engine.Entry, error)
	Tile(ctx context.Context, level int, index int64) ([]byte, error)
}

// ReadTile returns a tile as wide as it is stored, and a bundle at just the width.
func (t tiles) ReadTile(id record.TileID) ([]byte, error) {
	if id.Level == record.Entries {
		list, err := t.r.Entries(t.ctx, id.Index*record.TileWidth, id.Width)
		if err != nil {
			return nil, problem.Wrap(problem.Offline, "store.read", err)
		}
		if len(list) < id.Width {
			return nil, problem.New(problem.NotFound, "record.tile")
		}
		var b []byte
		for _, e := range list {
			b = record.AppendBundle(b, e.Envelope)
		}
		return b, nil
	}
	b, err := t.r.Tile(t.ctx, id.Level, int64(id.Index))
	if errors.Is(err, engine.ErrNotFound) {
		return nil, problem.New(problem.NotFound, "record.tile")
	}
	return b, problem.Wrap(problem.Offline, "store.read", err)
}

// Tiles shows the log's tiles, and bundles of its entries, as far as they are committed.
func (s *Store) Tiles(ctx context.Context) record.TileReader { return tiles{ctx, s.eng} }

// OpenTree returns the right edge of the log at its head.
func (s *Store) OpenTree(ctx context.Context) (*record.Tree, engine.Head, error) {
	var tree *record.Tree
	var head engine.Head
	err := s.snapshot(ctx, func(snap engine.Snapshot) (err error) {
		if head, err = snap.Head(ctx); err != nil {
			return problem.Wrap(problem.Offline, "store.read", err)
		}
		tree, err = record.OpenTree(head.Size, tiles{ctx, snap})
		return err
	})
	if err != nil {
		return nil, head, err
	}
	if root := tree.Root(); string(root[:]) != string(head.Root) {
		return nil, head, problem.Newf(problem.Untrusted, "record.root", "the tiles of %d entries do not make the root that is stored", head.Size)
	}
	return tree, head, nil
}

// Root returns the root of the log as it was at an earlier size, and false where it has
// never been so long.
func (s *Store) Root(ctx context.Context, size uint64) (record.Hash, bool, error) {
	h, err := s.eng.Head(ctx)
	if err != nil {
		return record.Hash{}, false, problem.Wrap(problem.Offline, "store.read", err)
	}
	if size > h.Size {
		return record.Hash{}, false, nil
	}
	tree, err := record.OpenTree(size, tiles{ctx, s.eng})
	if err != nil {
		return record.Hash{}, false, err
	}
	return tree.Root(), true, nil
}
