// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/record"
	"darwaza.dev/internal/service"
	"darwaza.dev/internal/store/engine"
)

// Mirror is the mirror of another's log: its entries as far as they were fetched and
// verified, what was disclosed of them, its tiles, and the state that its facts make. It is
// for one goroutine. Where another process has moved the same mirror a write fails with a
// problem of kind conflict, and the mirror is to be opened anew.
type Mirror struct {
	s     *Store
	at    engine.Mirror
	tree  *record.Tree
	state *Working // nil before anything is applied
}

// OpenMirror opens the mirror of the log of an origin, which is empty where there is none
// yet.
func (s *Store) OpenMirror(ctx context.Context, origin string) (*Mirror, error) {
	list, err := s.eng.Mirrors(ctx)
	if err != nil {
		return nil, problem.Wrap(problem.Offline, "store.read", err)
	}
	m := &Mirror{s: s, at: engine.Mirror{Origin: origin}, tree: &record.Tree{}}
	root := m.tree.Root()
	m.at.Root = root[:]
	number := int64(1)
	for _, x := range list {
		if x.Origin == origin {
			m.at = x
		}
		number = max(number, x.Log+1)
	}
	if m.at.Log == 0 {
		next := m.at
		next.Log = number
		return m, m.commit(ctx, &engine.MirrorBatch{Old: m.at, Next: next})
	}
	if m.tree, err = record.OpenTree(m.at.Size, m.tiles(ctx)); err != nil {
		return nil, err
	}
	if root := m.tree.Root(); !bytes.Equal(root[:], m.at.Root) {
		return nil, problem.Newf(problem.Untrusted, "record.root", "the tiles of the mirror of %s do not make its root", origin)
	}
	return m, nil
}

// At returns where the mirror stands.
func (m *Mirror) At() engine.Mirror { return m.at }

// Root returns the root of what is stored, or of its beginning.
func (m *Mirror) Root(ctx context.Context, size uint64) (record.Hash, error) {
	if size > m.at.Size {
		return record.Hash{}, problem.New(problem.NotFound, "record.tile")
	}
	if size == m.at.Size {
		return m.tree.Root(), nil
	}
	t, err := record.OpenTree(size, m.tiles(ctx))
	if err != nil {
		return record.Hash{}, err
	}
	return t.Root(), nil
}

// Edge returns the entries that are stored of the bundle that is not full yet.
func (m *Mirror) Edge(ctx context.Context) ([]engine.Entry, error) {
	from := m.at.Size &^ (record.TileWidth - 1)
	return m.Entries(ctx, from, int(m.at.Size-from))
}

// Entries returns up to n entries from a position.
func (m *Mirror) Entries(ctx context.Context, from uint64, n int) ([]engine.Entry, error) {
	list, err := m.s.eng.MirrorEntries(ctx, m.at.Log, from, n)
	return list, problem.Wrap(problem.Offline, "store.read", err)
}

func (m *Mirror) tiles(ctx context.Context) tiles {
	return tiles{ctx, mirrored{m.s.eng, m.at.Log}}
}

// Tiles shows the mirror's tiles, and bundles of its entries.
func (m *Mirror) Tiles(ctx context.Context) record.TileReader { return m.tiles(ctx) }

// mirrored reads a mirror as if it were the log.
type mirrored struct {
	eng engine.Mirrors
	log int64
}

func (r mirrored) Entries(ctx context.Context, from uint64, n int) ([]engine.Entry, error) {
	return r.eng.MirrorEntries(ctx, r.log, from, n)
}

func (r mirrored) Tile(ctx context.Context, level int, index int64) ([]byte, error) {
	return r.eng.MirrorTile(ctx, r.log, level, index)
}

// A Pending is entries that were added to a mirror's tree and are not stored yet.
type Pending struct {
	mark    record.Mark
	entries []engine.Entry
	tiles   []record.Tile
	size    uint64
	root    record.Hash
}

// Root returns the root that the log has with the entries.
func (p *Pending) Root() record.Hash { return p.root }

// Size returns how long the log is with the entries.
func (p *Pending) Size() uint64 { return p.size }

// Add adds entries behind those that are stored. Store or Drop comes next: between them
// the root is to be held against a signed one.
func (m *Mirror) Add(entries []engine.Entry) (*Pending, error) {
	p := &Pending{mark: m.tree.Mark(), entries: entries}
	envelopes := make([][]byte, len(entries))
	for i, e := range entries {
		envelopes[i] = e.Envelope
	}
	var err error
	if p.tiles, err = m.tree.Append(envelopes); err != nil {
		return nil, err
	}
	p.size, p.root = m.tree.Size(), m.tree.Root()
	return p, nil
}

// Drop takes entries out again that were not stored.
func (m *Mirror) Drop(p *Pending) { m.tree.Rewind(p.mark) }

// Store stores entries that were added, all or none, on stable storage. checkpoint is the
// signed head that covers all that is stored then. Where pending is given it is the signed
// head that covers more, of which these are a part.
func (m *Mirror) Store(ctx context.Context, p *Pending, checkpoint, pending []byte) error {
	next := m.at
	next.Size, next.Root = p.size, p.root[:]
	if next.Pending = pending; pending == nil {
		next.Checkpoint = checkpoint
	}
	b := &engine.MirrorBatch{Old: m.at, Next: next, Entries: p.entries}
	for _, t := range p.tiles {
		if t.Level != record.Entries {
			b.Tiles = append(b.Tiles, engine.Tile{Level: t.Level, Index: int64(t.Index), Hashes: t.Bytes})
		}
	}
	if err := m.commit(ctx, b); err != nil {
		m.Drop(p)
		return err
	}
	return nil
}

// Head keeps a signed head that covers what is stored and no more.
func (m *Mirror) Head(ctx context.Context, checkpoint []byte) error {
	next := m.at
	next.Checkpoint = checkpoint
	return m.commit(ctx, &engine.MirrorBatch{Old: m.at, Next: next})
}

// Halt stops the mirror, or with an empty reason lets it go on.
func (m *Mirror) Halt(ctx context.Context, why string) error {
	next := m.at
	next.Halted = why
	return m.commit(ctx, &engine.MirrorBatch{Old: m.at, Next: next})
}

func (m *Mirror) commit(ctx context.Context, b *engine.MirrorBatch) error {
	err := m.s.eng.CommitMirror(ctx, b)
	switch {
	case errors.Is(err, engine.ErrFenced):
		return problem.Wrap(problem.Conflict, "mirror.moved", err)
	case err != nil:
		return problem.Wrap(problem.Offline, "store.write", err)
	}
	m.at = b.Next
	return nil
}

// applyBatch is how many facts are applied in one commit.
const applyBatch = 2048

// Apply applies the facts that are stored and not applied yet to the mirrored state, in
// order, each once, and returns how many. A kind that this build does not know is passed
// over. A fact that cannot be applied is a problem of kind untrusted, and nothing after it
// is applied.
func (m *Mirror) Apply(ctx context.Context) (n uint64, err error) {
	if m.state == nil {
		w := newMirrored(m.s, m.at.Log)
		if err := m.s.eng.Prepare(ctx, w.names()); err != nil {
			return 0, problem.Wrap(problem.Offline, "store.prepare", err)
		}
		m.state = w
	}
	for m.at.Applied < m.at.Size {
		list, err := m.Entries(ctx, m.at.Applied, int(min(m.at.Size-m.at.Applied, applyBatch)))
		if err != nil {
			return n, err
		}
		done, fault := m.applyAll(list)
		rows, batch, err := m.state.Collect()
		if err == nil {
			next := m.at
			next.Applied += uint64(done)
			err = m.commit(ctx, &engine.MirrorBatch{Old: m.at, Next: next, Rows: rows})
		}
		if err != nil {
			m.state = nil // what it holds is not what is stored
			return n, err
		}
		m.state.Settle(batch)
		n += uint64(done)
		if fault != nil || len(list) == 0 {
			return n, fault
		}
	}
	return n, nil
}

// applyAll applies entries up to the first that cannot be.
func (m *Mirror) applyAll(list []engine.Entry) (done int, err error) {
	for _, e := range list {
		if err := m.applyOne(e); err != nil {
			m.state.Undo()
			return done, problem.Newf(problem.Untrusted, "mirror.apply", "entry %d: %w", m.at.Applied+uint64(done), err)
		}
		done++
	}
	return done, nil
}

func (m *Mirror) applyOne(e engine.Entry) (err error) {
	defer func() {
		// What another has written must stop nobody but itself.
		if p := recover(); p != nil {
			err = fmt.Errorf("it cannot be applied: %v", p)
		}
	}()
	env, err := record.ParseEntry(e.Envelope)
	if err != nil {
		return err
	}
	body, _, err := env.Open(e.Disclosure)
	if err != nil {
		return err
	}
	if _, known := m.s.codec.Zero(env.Kind); !known || len(e.Disclosure) == 0 {
		return nil
	}
	f, err := m.s.codec.Decode(env.Kind, body)
	if err != nil {
		return err
	}
	m.state.Begin()
	service.Apply(m.state.State, env.At, f)
	return m.state.Fault()
}

// newMirrored returns the state that a mirrored log's facts make, in tables of its own.
func newMirrored(s *Store, log int64) *Working {
	w := &Working{codec: s.codec, src: s.eng, ctx: context.Background(), write: true, batch: 1, limit: keepRows, prefix: fmt.Sprintf("m%d_", log)}
	w.build()
	return w
}

// names are the names of the tables.
func (w *Working) names() []string {
	var names []string
	for _, t := range w.tables {
		names = append(names, t.tableName())
	}
	return names
}

// ViewMirror calls f with the state that the facts of another's log make, as far as they
// were disclosed, at one moment. It is not found where nothing was applied yet.
func (s *Store) ViewMirror(ctx context.Context, origin string, f func(service.State) error) error {
	list, err := s.eng.Mirrors(ctx)
	if err != nil {
		return problem.Wrap(problem.Offline, "store.read", err)
	}
	for _, x := range list {
		if x.Origin != origin || x.Applied == 0 {
			continue
		}
		snap, err := s.eng.Snapshot(ctx)
		if err != nil {
			return problem.Wrap(problem.Offline, "store.read", err)
		}
		defer snap.Close()
		w := &Working{codec: s.codec, src: snap, ctx: ctx, batch: 1, limit: keepRows, prefix: fmt.Sprintf("m%d_", x.Log)}
		w.build()
		err = f(w.State)
		if fault := w.Fault(); fault != nil {
			return fault
		}
		w.end()
		return err
	}
	return problem.New(problem.NotFound, "mirror.none")
}

// Mirrors returns where the mirrors of others' logs stand.
func (s *Store) Mirrors(ctx context.Context) ([]engine.Mirror, error) {
	list, err := s.eng.Mirrors(ctx)
	return list, problem.Wrap(problem.Offline, "store.read", err)
}

// Cosigned returns the newest head of this side's log that others have cosigned.
func (s *Store) Cosigned(ctx context.Context) ([]engine.Cosigned, error) {
	list, err := s.eng.Cosigned(ctx)
	return list, problem.Wrap(problem.Offline, "store.read", err)
}

// Cosign keeps a cosigned head of this side's log, which has been verified.
func (s *Store) Cosign(ctx context.Context, c engine.Cosigned) error {
	return problem.Wrap(problem.Offline, "store.write", s.eng.Cosign(ctx, c))
}

// Disclosures returns what a reader may have of the entries of a bundle, each with its
// length in 32 bits before it, as they stand beside the tiles.
func (s *Store) Disclosures(ctx context.Context, id record.TileID, to record.Reader) ([]byte, error) {
	list, err := s.eng.Entries(ctx, id.Index*record.TileWidth, id.Width)
	if err != nil {
		return nil, problem.Wrap(problem.Offline, "store.read", err)
	}
	if len(list) < id.Width {
		return nil, problem.New(problem.NotFound, "record.tile")
	}
	var b []byte
	for _, e := range list {
		if b, err = record.AppendDisclosed(b, e.Disclosure, to); err != nil {
			return nil, err
		}
	}
	return b, nil
}
