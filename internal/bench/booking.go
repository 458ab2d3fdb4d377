// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/record"
	"darwaza.dev/internal/sequencer"
	"darwaza.dev/internal/service"
	"darwaza.dev/internal/store"
	"darwaza.dev/internal/store/engine"
	"darwaza.dev/internal/store/postgres"
	"darwaza.dev/internal/store/sqlite"
	"darwaza.dev/internal/store/storetest"
)

// rounds is how often each of two things is measured, in turns.
const rounds = 7

func bookingSQLite(ctx context.Context, say func(string, ...any)) (float64, error) {
	dir, err := os.MkdirTemp("", "darwaza-bench-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	n := 0
	return bookings(ctx, say, 12_000, func() (engine.Engine, error) {
		n++
		return sqlite.Open(ctx, filepath.Join(dir, fmt.Sprintf("%d.db", n)))
	})
}

func bookingPostgres(ctx context.Context, say func(string, ...any)) (float64, error) {
	srv, err := storetest.StartServer(true)
	if err != nil {
		return 0, err
	}
	defer srv.Stop()
	return bookings(ctx, say, 8_000, func() (engine.Engine, error) {
		url, err := srv.Database(ctx)
		if err != nil {
			return nil, err
		}
		return postgres.Open(ctx, url)
	})
}

// bookings measures durable bookings through the sequencer as a share of a bare
// group-commit loop that writes the same rows and bytes.
func bookings(ctx context.Context, say func(string, ...any), n int, open func() (engine.Engine, error)) (float64, error) {
	var ours, bare []float64
	for round := range rounds {
		a, _, err := book(ctx, n, open, false)
		if err != nil {
			return 0, err
		}
		// What a run writes is caught in a run of its own, as keeping it costs time.
		_, t, err := book(ctx, n, open, true)
		if err != nil {
			return 0, err
		}
		b, err := replayOn(ctx, t, open)
		if err != nil {
			return 0, err
		}
		ours, bare = append(ours, float64(n)/a.Seconds()), append(bare, float64(n)/b.Seconds())
		say("round %d: %.0f bookings a second, a bare loop %.0f", round+1, ours[round], bare[round])
	}
	say("median: %.0f bookings a second, a bare loop %.0f", median(ours), median(bare))
	return median(ours) / median(bare), nil
}

func replayOn(ctx context.Context, t tape, open func() (engine.Engine, error)) (time.Duration, error) {
	eng, err := open()
	if err != nil {
		return 0, err
	}
	defer eng.Close()
	if _, err := store.New(ctx, eng); err != nil {
		return 0, err
	}
	runtime.GC()
	return replay(ctx, eng, t)
}

// book makes n bookings of one slot; where they are to be caught it returns what they wrote.
func book(ctx context.Context, n int, open func() (engine.Engine, error), catch bool) (time.Duration, tape, error) {
	eng, err := open()
	if err != nil {
		return 0, tape{}, err
	}
	defer eng.Close()
	var caught *capture
	if catch {
		caught = &capture{Engine: eng}
		eng = caught
	}
	seq, err := startSequencer(ctx, eng)
	if err != nil {
		return 0, tape{}, err
	}
	defer seq.Close()
	commands := make([]service.Book, n)
	for i := range commands {
		commands[i] = storetest.NewBook(storetest.Slot(10))
	}
	runtime.GC()
	took, err := inParallel(waiting, n, func(i int) error {
		d, err := seq.Do(ctx, service.Idem{Key: fmt.Sprintf("bench-%016d", i), Actor: "public"}, commands[i])
		if err == nil && d.Count == 0 {
			err = fmt.Errorf("booking %d was refused", i)
		}
		return err
	})
	if err != nil || caught == nil {
		return took, tape{}, err
	}
	t, err := tapeOf(caught.batches, n)
	return took, t, err
}

func startSequencer(ctx context.Context, eng engine.Engine) (*sequencer.Sequencer, error) {
	st, err := store.New(ctx, eng)
	if err != nil {
		return nil, err
	}
	signer, err := record.GenerateSigner("bench.example/log", rand.Reader)
	if err != nil {
		return nil, err
	}
	law, err := storetest.Law(1 << 20)
	if err != nil {
		return nil, err
	}
	return sequencer.New(ctx, sequencer.Config{
		Store: st, Side: agreement.A, Law: func() *service.Law { return law }, Clock: storetest.Now, Signer: signer,
	})
}
