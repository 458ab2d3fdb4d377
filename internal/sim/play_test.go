// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"darwaza.dev/internal/agreement"
)

// play runs a small day and returns its table without the timings.
func play(t *testing.T, seed uint64, visitors, vendors int) (*Result, string) {
	t.Helper()
	ctx := context.Background()
	d, err := Start(ctx, Config{Dir: t.TempDir(), Seed: seed})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	began := time.Now()
	p, err := NewPlayer(ctx, d, visitors, vendors)
	if err != nil {
		t.Fatal(err)
	}
	for more := true; more; {
		if more, err = p.Step(ctx); err != nil {
			t.Fatal(err)
		}
	}
	r, err := p.Result(ctx)
	if err != nil {
		t.Fatal(err)
	}
	r.Took = time.Since(began)
	var b bytes.Buffer
	r.Table(&b)
	t.Log(b.String())
	table, _, _ := strings.Cut(b.String(), "\nplayed in ")
	return r, table
}

func TestPlay(t *testing.T) {
	r, first := play(t, 1, 150, 8)
	if err := r.Check(); err != nil {
		t.Error(err)
	}
	_, second := play(t, 1, 150, 8)
	if first != second {
		t.Errorf("the same seed gave another table:\n%s\n%s", first, second)
	}
}

// TestNoon sees the day under protection: tests are booked, one of them is positive, and at
// noon the other side's level shows on this side's board with what it changes.
func TestNoon(t *testing.T) {
	ctx := context.Background()
	d, err := Start(ctx, Config{Dir: t.TempDir(), Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	p, err := NewPlayer(ctx, d, 90, 4)
	if err != nil {
		t.Fatal(err)
	}
	board := func(side agreement.Side) string {
		res, err := http.Get(d.Of(side).peer + "/en/")
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	until := func(minute int) {
		for p.minute <= minute {
			if _, err := p.Step(ctx); err != nil {
				t.Fatal(err)
			}
		}
	}
	until(noonAt - 1)
	for _, side := range sides {
		if b := board(side); !strings.Contains(b, "Guarded") || strings.Contains(b, "Half of the places are open") {
			t.Errorf("side %s in the morning:\n%s", side, b)
		}
	}
	until(noonAt + 10)
	for _, side := range sides {
		if b := board(side); !strings.Contains(b, "Half of the places are open, and visitors come in on Saturdays only") {
			t.Errorf("side %s after noon:\n%s", side, b)
		}
	}
	if p.tally.offered == 0 || p.tally.tests == 0 || p.tally.tests > p.tally.offered || p.tally.tested == 0 || p.tally.positive != 1 || len(p.tally.levels) != 2 {
		t.Errorf("%d tests offered, %d booked, %d taken, %d positive, levels %q", p.tally.offered, p.tally.tests, p.tally.tested, p.tally.positive, p.tally.levels)
	}
	if p.tally.outcomes["gate"]["CLOSED"] == 0 {
		t.Error("the level changes nothing at the gate")
	}
}
