// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"pgregory.net/rapid"

	"darwaza.dev/internal/store/engine"
)

// TestKept keeps answers in batches under several owners, with a clock that may jump back
// when the owner changes, and removes old ones, against a plain map.
func TestKept(t *testing.T) {
	dir, n := t.TempDir(), 0
	rapid.Check(t, func(r *rapid.T) {
		ctx := context.Background()
		n++
		s, err := Open(ctx, filepath.Join(dir, fmt.Sprint(n, ".db")))
		if err != nil {
			r.Fatal(err)
		}
		defer s.Close()
		type answer struct {
			text string
			page time.Time
		}
		model := map[string]answer{}
		now := time.UnixMicro(1_756_789_012_345_000).UTC()
		var lease engine.Lease
		var w *Working
		again := func() {
			if lease, err = s.eng.Acquire(ctx, "me", "", 1000); err != nil {
				r.Fatal(err)
			}
			w = s.NewWorking(lease.Epoch)
			w.limit = 2
			if rapid.Bool().Draw(r, "learn") {
				if err := w.Learn(ctx, s.eng); err != nil {
					r.Fatal(err)
				}
			}
		}
		again()
		number, begun := 0, time.Time{}
		commit := func() {
			rows, batch, err := w.Collect()
			if err != nil {
				r.Fatal(err)
			}
			b := &engine.Batch{Epoch: lease.Epoch, Rows: rows, Head: engine.Head{Root: make([]byte, 32), Checkpoint: []byte{}}}
			if err := s.eng.Commit(ctx, b); err != nil {
				r.Fatal(err)
			}
			w.Settle(batch)
			begun = time.Time{}
		}
		check := func() {
			for i := range number + 1 {
				key := fmt.Sprint("k\xff", i)
				k, ok := w.Kept(key)
				want, there := model[key]
				if err := w.Fault(); err != nil || ok != there || string(k.Answer) != want.text {
					r.Fatalf("%q: %q, %v, %v; want %q, %v", key, k.Answer, ok, err, want.text, there)
				}
			}
		}
		for range rapid.IntRange(1, 40).Draw(r, "steps") {
			switch rapid.SampledFrom([]string{"keep", "keep", "keep", "commit", "owner", "prune", "check"}).Draw(r, "step") {
			case "keep":
				now = now.Add(time.Duration(rapid.IntRange(0, 3).Draw(r, "later")) * time.Second)
				if begun.IsZero() {
					begun = now
				}
				number++
				text := rapid.StringMatching(`[ab]{0,40}`).Draw(r, "answer")
				key := fmt.Sprint("k\xff", number)
				model[key] = answer{text, begun}
				w.Begin()
				w.Keep(key, now, Kept{Answer: []byte(text)})
			case "commit":
				commit()
			case "owner":
				commit()
				now = now.Add(time.Duration(rapid.IntRange(-3, 3).Draw(r, "jump")) * time.Second)
				again()
			case "prune":
				commit()
				before := now.Add(-time.Duration(rapid.IntRange(0, 9).Draw(r, "age")) * time.Second)
				for more := true; more; {
					if more, err = w.Prune(ctx, before); err != nil {
						r.Fatal(err)
					}
					commit()
				}
				for k, a := range model {
					// Pages begun within one moment are numbered on from it.
					switch d := a.page.Sub(before); {
					case d < 0:
						delete(model, k)
					case d < time.Millisecond && d != 0:
						r.Fatal("the times of this test are whole seconds")
					}
				}
			case "check":
				check()
			}
		}
		commit()
		again()
		check()
		// Nothing is left behind.
		if _, err := w.Prune(ctx, now.Add(time.Hour)); err != nil {
			r.Fatal(err)
		}
		commit()
		for _, table := range []string{keptTable, pagesTable} {
			if err := s.eng.Keys(ctx, table, func(k []byte) error { return fmt.Errorf("%s: %x is left", table, k) }); err != nil {
				r.Fatal(err)
			}
		}
	})
}

// TestPruneByAndBy removes more answers than one batch may, a few at a time.
func TestPruneByAndBy(t *testing.T) {
	ctx := t.Context()
	s, err := Open(ctx, filepath.Join(t.TempDir(), "x.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	lease, err := s.eng.Acquire(ctx, "me", "", 1000)
	if err != nil {
		t.Fatal(err)
	}
	w := s.NewWorking(lease.Epoch)
	now := time.UnixMicro(1_756_789_012_345_000)
	removed := 0 // pages
	commit := func() (gone int) {
		rows, batch, err := w.Collect()
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			if r.Table == keptTable {
				gone = len(r.Gone)
			}
			if r.Table == pagesTable {
				removed = len(r.Gone)
			}
		}
		if err := s.eng.Commit(ctx, &engine.Batch{Epoch: lease.Epoch, Rows: rows, Head: engine.Head{Root: make([]byte, 32), Checkpoint: []byte{}}}); err != nil {
			t.Fatal(err)
		}
		w.Settle(batch)
		return gone
	}
	const pages, each = 12, 500
	for p := range pages {
		for i := range each {
			w.Begin()
			w.Keep(fmt.Sprint(p, "-", i), now, Kept{Answer: []byte("yes")})
		}
		commit()
	}
	var steps []int
	for more := true; more; {
		if more, err = w.Prune(ctx, now.Add(time.Second)); err != nil {
			t.Fatal(err)
		}
		steps = append(steps, commit())
	}
	if got, want := fmt.Sprint(steps), "[2500 2500 1000]"; got != want {
		t.Errorf("removed %s, want %s", got, want)
	}
	for range 3 {
		w.Begin()
		w.Keep(fmt.Sprint("last", now), now, Kept{Answer: []byte("yes")})
		commit()
		now = now.Add(time.Second)
	}
	for range 2 { // before the batch is made
		if _, err := w.Prune(ctx, now); err != nil {
			t.Fatal(err)
		}
	}
	if commit(); removed != 3 {
		t.Errorf("%d pages are removed, want each of 3 once", removed)
	}
}
