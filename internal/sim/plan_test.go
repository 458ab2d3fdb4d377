// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/identity"
)

func testWorld() World {
	w := World{Goods: []Good{{"07020000", "I", "kg", 45, "USD", false}, {"87120000", "III", "piece", 6000, "USD", false}, {"08105000", "III", "kg", 0, "USD", true}}}
	for i := range 8 {
		o := Opening{ID: booking.SlotID(100 + i), Minute: 480 + 60*i, Until: 1020, Places: map[agreement.Side]int{agreement.A: 200, agreement.B: 200}}
		w.Slots = append(w.Slots, o)
		w.Later = append(w.Later, o)
	}
	w.Vendors = []Opening{{ID: 99, Minute: 420, Until: 1020, Places: map[agreement.Side]int{agreement.A: 60, agreement.B: 60}}}
	return w
}

// TestPlan holds what a plan promises, whatever the seed.
func TestPlan(t *testing.T) {
	w := testWorld()
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64().Draw(t, "seed")
		visitors, vendors := rapid.IntRange(1, 400).Draw(t, "visitors"), rapid.IntRange(0, 60).Draw(t, "vendors")
		p := MakePlan(seed, w, visitors, vendors)
		if !reflect.DeepEqual(p, MakePlan(seed, w, visitors, vendors)) {
			t.Fatal("the same seed made another plan")
		}
		people, cards := 0, 0
		seen := map[string]bool{}
		for _, party := range p.Parties {
			if party.Vendor > 0 {
				cards++
			} else {
				people += party.People()
			}
			if len(party.Members) == 0 || party.People() > 16 {
				t.Fatalf("a party of %d", party.People())
			}
			if party.CancelAt != 0 && party.CancelAt <= party.BookAt || party.MoveAt != 0 && party.MoveAt <= party.BookAt {
				t.Fatalf("changes a booking before it is made: %+v", party)
			}
			if party.Slot < 0 || party.Slot >= len(w.Slots) || party.MoveTo < 0 || party.MoveTo >= len(w.Slots) {
				t.Fatalf("no such slot: %+v", party)
			}
			for _, v := range party.Members {
				if _, err := identity.ParseDocument(v.Kind, v.Country, v.Number); err != nil {
					t.Fatalf("%s %s %s: %v", v.Kind, v.Country, v.Number, err)
				}
				if seen[v.Kind+v.Number] {
					t.Fatalf("two people with %s %s", v.Kind, v.Number)
				}
				seen[v.Kind+v.Number] = true
				for _, l := range v.Lots {
					if l.Quantity <= 0 || l.After < 0 {
						t.Fatalf("a lot of %d after %d minutes", l.Quantity, l.After)
					}
				}
			}
		}
		if people != visitors || cards != vendors {
			t.Fatalf("%d visitors and %d vendors, want %d and %d", people, cards, visitors, vendors)
		}
		if !slices.IsSortedFunc(p.Parties, func(a, b Party) int { return a.BookAt - b.BookAt }) {
			t.Fatal("people do not ask in the order of time")
		}
	})
}

// TestPlanHasTroubles sees each trouble happen on a day of full size.
func TestPlanHasTroubles(t *testing.T) {
	seen := map[Trouble]int{}
	other, second, moved, waits := 0, 0, 0, 0
	for _, party := range MakePlan(1, testWorld(), PlayVisitors, PlayVendors).Parties {
		for _, v := range party.Members {
			seen[v.Trouble]++
			if v.Gate != party.Side {
				other++
			}
		}
		if party.Second {
			second++
		}
		if party.MoveAt != 0 {
			moved++
		}
		if party.Waits {
			waits++
		}
	}
	for tr := NoTrouble; tr <= NeverOut; tr++ {
		if seen[tr] == 0 {
			t.Errorf("trouble %d never happens", tr)
		}
	}
	if other == 0 || second == 0 || moved == 0 || waits == 0 {
		t.Errorf("at the other gate %d, second bookings %d, moves %d, waiting %d", other, second, moved, waits)
	}
}

// TestAgenda holds the order of what is done: phases one after another, lanes side by
// side, and within a lane the order of the keys, whichever was added first.
func TestAgenda(t *testing.T) {
	a := newAgenda()
	var mu sync.Mutex
	did := map[string][]int{}
	for _, key := range []int{3, 1, 2} {
		for lane := range 40 {
			name := fmt.Sprint(lane)
			a.add(7, phaseBook, act{name, key, func(context.Context) error {
				mu.Lock()
				defer mu.Unlock()
				did[name] = append(did[name], key)
				return nil
			}})
		}
	}
	if a.left() != 120 || a.last() != 7 {
		t.Errorf("%d acts left, the last at %d", a.left(), a.last())
	}
	n := 0
	if err := run(context.Background(), a.take(7, phaseBook), func() { mu.Lock(); n++; mu.Unlock() }); err != nil {
		t.Fatal(err)
	}
	if n != 120 || a.left() != 0 || len(did) != 40 {
		t.Errorf("%d done in %d lanes, %d left", n, len(did), a.left())
	}
	for lane, keys := range did {
		if !slices.Equal(keys, []int{1, 2, 3}) {
			t.Errorf("lane %s in the order %v", lane, keys)
		}
	}
	bad := []act{{"a", 1, func(context.Context) error { return fmt.Errorf("no") }}, {"a", 2, func(context.Context) error { t.Error("went on"); return nil }}, {"b", 1, func(context.Context) error { return nil }}}
	if err := run(context.Background(), bad, func() {}); err == nil {
		t.Error("a problem is passed over")
	}
}

func TestClock(t *testing.T) {
	at := time.Date(2025, 9, 2, 8, 0, 0, 0, time.UTC)
	c := NewClock(at)
	c.Set(at.Add(-time.Hour))
	if !c.Now().Equal(at) {
		t.Errorf("the clock went back to %v", c.Now())
	}
	c.Set(at.Add(time.Hour))
	if !c.Now().Equal(at.Add(time.Hour)) {
		t.Errorf("set to %v", c.Now())
	}
	c.Run(60)
	first := c.Now()
	c.Set(at.Add(24 * time.Hour))
	if now := c.Now(); now.Before(first) || now.After(at.Add(3*time.Hour)) {
		t.Errorf("a running clock was set, to %v", now)
	}
}

// TestAlter sees that an altered pass is another text that still looks like one.
func TestAlter(t *testing.T) {
	text := "DW1:" + strings.Repeat("AB", 60)
	if got := alter(text); got == text || len(got) != len(text) || !strings.HasPrefix(got, "DW1:") {
		t.Errorf("altered to %q", got)
	}
}
