// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package sequencer

import (
	"context"
	"time"

	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/record"
	"darwaza.dev/internal/store/engine"
)

// commitLoop commits batches in the order in which they come, and gives the answers of
// those that are on stable storage. It ends at the first that is not.
func (o *owner) commitLoop(todo <-chan *batch, done chan<- error) {
	for b := range todo {
		err := o.commit(b)
		if err == nil {
			// Hundreds wait for their answer; the next batch need not.
			o.answering.Go(func() { b.answerAll(nil) })
		}
		done <- err
		if err != nil {
			return
		}
	}
}

// commitTimeout bounds one commit. It is long: a disk that stalls is better waited for
// than given up.
const commitTimeout = 30 * time.Second

func (o *owner) commit(b *batch) error {
	if len(b.rows) == 0 && len(b.entries) == 0 {
		return nil // answers of acts that were done before
	}
	envelopes := make([][]byte, len(b.entries))
	for i, e := range b.entries {
		envelopes[i] = e.Envelope
	}
	made, err := o.tree.Append(envelopes)
	if err != nil {
		return err
	}
	c := record.Checkpoint{Origin: o.s.c.Signer.Name(), Size: o.tree.Size(), Root: o.tree.Root()}
	signed, err := o.s.c.Signer.Sign(c)
	if err != nil {
		return err
	}
	b.root, b.prepared = c.Root, true
	eb := &engine.Batch{
		Epoch: o.epoch, OldSize: b.old, Rows: b.rows, Entries: b.entries,
		Head: engine.Head{Size: c.Size, Root: c.Root[:], Checkpoint: signed, Epoch: o.epoch, LastAt: b.lastAt},
	}
	for _, t := range made {
		if t.Level != record.Entries { // bundles are put together from the entries
			eb.Tiles = append(eb.Tiles, engine.Tile{Level: t.Level, Index: int64(t.Index), Hashes: t.Bytes})
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), commitTimeout)
	defer cancel()
	if err := o.s.eng.Commit(ctx, eb); err != nil {
		return err
	}
	if err := o.head.write(c); err != nil {
		// What is committed stays committed; the file only guards against restoring an older copy.
		o.s.c.Log.Error("the file of the last signed head cannot be written", "error", err)
	}
	return nil
}

// resolve finds out what became of a batch whose commit was not answered, once a newer
// lease has fenced it off, and answers it. It returns the batch where that cannot be found out yet.
func (s *Sequencer) resolve(ctx context.Context, b *batch) *batch {
	if !b.prepared {
		b.answerAll(problem.New(problem.Internal, "sequencer.batch"))
		return nil
	}
	root, ok, err := s.c.Store.Root(ctx, b.old+uint64(len(b.entries)))
	switch {
	case err != nil:
		s.c.Log.Warn("the log cannot be read", "error", err)
		return b
	case ok && root == b.root && len(b.entries) > 0:
		b.answerAll(nil)
	case len(b.entries) > 0:
		b.answerAll(errNotRun)
	default:
		b.answerAll(errUnknown) // no fact tells whether its rows are there
	}
	return nil
}
