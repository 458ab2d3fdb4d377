// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"darwaza.dev/internal/store/engine"
)

// waiting is how many clients wait for an answer at any moment.
const waiting = 512

// inParallel calls f for 0 up to n from so many goroutines, each taking the next number
// when it is done with one, and returns how long it all took.
func inParallel(workers, n int, f func(i int) error) (time.Duration, error) {
	var wg sync.WaitGroup
	var mu sync.Mutex
	var fault error
	next := 0
	begun := time.Now()
	for range workers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for {
				mu.Lock()
				i := next
				next++
				stop := i >= n || fault != nil
				mu.Unlock()
				if stop {
					return
				}
				if err := f(i); err != nil {
					mu.Lock()
					fault = err
					mu.Unlock()
					return
				}
			}
		}()
	}
	wg.Wait()
	return time.Since(begun), fault
}

// A capture is an engine that remembers every batch that went through it.
type capture struct {
	engine.Engine
	batches []*engine.Batch
}

// Commit remembers a batch that was committed.
func (c *capture) Commit(ctx context.Context, b *engine.Batch) error {
	err := c.Engine.Commit(ctx, b)
	if err == nil && len(b.Entries) > 0 {
		c.batches = append(c.batches, b)
	}
	return err
}

// A unit is what one booking wrote, to the byte.
type unit struct {
	rows    []engine.Rows // one row each
	entries []engine.Entry
}

// A tape is what a run wrote: units, and the rows that each batch wrote once however many
// bookings it held.
type tape struct {
	units []unit
	hot   []engine.Rows
}

// tapeOf takes captured batches apart. A table of which there is one row for each booking
// belongs to the units; any other is hot.
func tapeOf(batches []*engine.Batch, bookings int) (tape, error) {
	var t tape
	t.units = make([]unit, bookings)
	rows := map[string]*engine.Rows{}
	var order []string
	entries := 0
	for _, b := range batches {
		for _, r := range b.Rows {
			all := rows[r.Table]
			if all == nil {
				all = &engine.Rows{Table: r.Table}
				rows[r.Table] = all
				order = append(order, r.Table)
			}
			all.Keys, all.Values = append(all.Keys, r.Keys...), append(all.Values, r.Values...)
			all.Fresh += r.Fresh
		}
		for _, e := range b.Entries {
			at := min(entries, bookings-1) // the few more than bookings go with the last
			t.units[at].entries = append(t.units[at].entries, e)
			entries++
		}
	}
	for _, name := range order {
		r := rows[name]
		if len(r.Keys) < bookings {
			last := len(r.Keys) - 1
			t.hot = append(t.hot, engine.Rows{Table: name, Keys: r.Keys[last:], Values: r.Values[last:]})
			continue
		}
		for i := range bookings {
			one := engine.Rows{Table: name, Keys: r.Keys[i : i+1], Values: r.Values[i : i+1], Fresh: r.Fresh / len(r.Keys)}
			t.units[i].rows = append(t.units[i].rows, one)
		}
	}
	if entries < bookings {
		return t, fmt.Errorf("%d entries of %d bookings", entries, bookings)
	}
	return t, nil
}

// replay writes a tape by a bare group-commit loop: clients wait, one goroutine takes all
// that wait, and commits what they bring in one transaction. It decides, hashes and signs
// nothing.
func replay(ctx context.Context, eng engine.Engine, t tape) (time.Duration, error) {
	lease, err := eng.Acquire(ctx, "bench", "", time.Minute.Milliseconds())
	if err != nil {
		return 0, err
	}
	type waiter struct {
		u    unit
		done chan error
	}
	queue := make(chan waiter, 4096)
	go func() {
		size := uint64(0)
		for w := range queue {
			batch := []waiter{w}
			for len(batch) < 1024 {
				select {
				case w, ok := <-queue:
					if ok {
						batch = append(batch, w)
						continue
					}
				default:
				}
				break
			}
			b := &engine.Batch{Epoch: lease.Epoch, OldSize: size, Rows: append([]engine.Rows{}, t.hot...)}
			per := map[string]int{}
			for _, w := range batch {
				for _, r := range w.u.rows {
					at, ok := per[r.Table]
					if !ok {
						at = len(b.Rows)
						per[r.Table] = at
						b.Rows = append(b.Rows, engine.Rows{Table: r.Table})
					}
					to := &b.Rows[at]
					to.Keys, to.Values = append(to.Keys, r.Keys...), append(to.Values, r.Values...)
					to.Fresh += r.Fresh
				}
				b.Entries = append(b.Entries, w.u.entries...)
			}
			b.Tiles = tilesLike(size, size+uint64(len(b.Entries)))
			size += uint64(len(b.Entries))
			b.Head = engine.Head{Size: size, Root: make([]byte, 32), Checkpoint: make([]byte, 200)}
			err := eng.Commit(ctx, b)
			for _, w := range batch {
				w.done <- err
			}
		}
	}()
	took, err := inParallel(waiting, len(t.units), func(i int) error {
		w := waiter{t.units[i], make(chan error, 1)}
		queue <- w
		return <-w.done
	})
	close(queue)
	return took, err
}

// tilesLike returns tiles of the sizes that a log has which grows so far.
func tilesLike(from, to uint64) []engine.Tile {
	var list []engine.Tile
	for level := 0; to > 0 && from != to; level++ {
		for i := from / 256; i <= to/256; i++ {
			if width := min(256, to-i*256); width > 0 {
				list = append(list, engine.Tile{Level: level, Index: int64(i), Hashes: make([]byte, 32*width)})
			}
		}
		from, to = from/256, to/256
	}
	return list
}
