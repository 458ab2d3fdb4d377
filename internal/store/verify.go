// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"bytes"
	"context"

	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/record"
	"darwaza.dev/internal/service"
	"darwaza.dev/internal/store/engine"
)

// Report says what Verify has gone through.
type Report struct {
	Entries uint64
	Rows    uint64 // rows of state that were compared
	Root    record.Hash
}

// Verify goes through the whole log: it makes the tree anew from the entries and holds it
// against the stored tiles, the root and, where log is given, the signed checkpoint; and it
// makes the state anew from the facts and holds it against the stored rows, but for sealed
// data. The first thing that differs is a problem of kind untrusted.
func (s *Store) Verify(ctx context.Context, log *record.Verifier) (Report, error) {
	var rep Report
	err := s.snapshot(ctx, func(snap engine.Snapshot) error {
		head, err := snap.Head(ctx)
		if err != nil {
			return problem.Wrap(problem.Offline, "store.read", err)
		}
		state, err := s.replay(ctx, snap, head, &rep)
		if err != nil {
			return err
		}
		if log != nil && head.Size > 0 {
			h, err := record.OpenHead(head.Checkpoint, log)
			if err != nil {
				return err
			}
			if h.Size != head.Size || h.Root != rep.Root {
				return problem.Newf(problem.Untrusted, "record.checkpoint", "the checkpoint is of %d entries with another root", h.Size)
			}
		}
		return state.compare(ctx, snap, &rep)
	})
	return rep, err
}

// replay reads the log from its beginning, and returns the state that its facts make.
func (s *Store) replay(ctx context.Context, snap engine.Snapshot, head engine.Head, rep *Report) (*Working, error) {
	w := newWorking(s.codec, nil, true)
	var tree record.Tree
	var envelopes [][]byte
	flush := func() error {
		made, err := tree.Append(envelopes)
		if err != nil {
			return err
		}
		envelopes = envelopes[:0]
		for _, t := range made {
			if t.Level == record.Entries {
				continue
			}
			stored, err := snap.Tile(ctx, t.Level, int64(t.Index))
			if err != nil || !bytes.HasPrefix(stored, t.Bytes) {
				return problem.Newf(problem.Untrusted, "record.tile", "tile %s is not what the entries make: %v", t.Path(), err)
			}
		}
		return nil
	}
	for rec, err := range s.facts(ctx, snap, 0, head.Size) {
		if err != nil {
			return nil, err
		}
		w.Begin()
		service.Apply(w.State, rec.At, rec.Fact)
		envelopes = append(envelopes, rec.Entry.Envelope)
		if len(envelopes) == chunk {
			if err := flush(); err != nil {
				return nil, err
			}
		}
		rep.Entries++
	}
	if err := flush(); err != nil {
		return nil, err
	}
	rep.Root = tree.Root()
	if rep.Entries != head.Size || !bytes.Equal(rep.Root[:], head.Root) {
		return nil, problem.Newf(problem.Untrusted, "record.root", "%d entries of %d, or another root than the stored one", rep.Entries, head.Size)
	}
	return w, nil
}

// compare holds every row against what is stored.
func (w *Working) compare(ctx context.Context, r engine.Reads, rep *Report) error {
	for _, t := range w.tables {
		if t.tableName() == sealedTable || t.tableName() == keptTable {
			continue
		}
		want := map[string]string{}
		err := t.all(func(k, v []byte) error { want[string(k)] = string(v); return nil })
		if err != nil {
			return problem.Wrap(problem.Internal, "store.row", err)
		}
		err = r.Scan(ctx, t.tableName(), func(k, v []byte) error {
			got, ok := want[string(k)]
			if !ok || got != string(v) {
				return problem.Newf(problem.Untrusted, "record.state", "a row of %s is not what the facts make", t.tableName())
			}
			delete(want, string(k))
			rep.Rows++
			return nil
		})
		if err != nil {
			return err
		}
		if len(want) > 0 {
			return problem.Newf(problem.Untrusted, "record.state", "%s lacks %d rows that the facts make", t.tableName(), len(want))
		}
	}
	return nil
}
