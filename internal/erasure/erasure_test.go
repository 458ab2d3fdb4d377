// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package erasure

import (
	"slices"
	"testing"
	"time"

	"darwaza.dev/internal/fact"
	"darwaza.dev/internal/market"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/table"
)

func empty() State {
	return State{Receipts: table.Map[Key, string]{}, Counts: table.Map[Key, uint32]{}, Next: table.Map[uint16, uint16]{},
		Requests: table.Map[uint32, string]{}, Marks: table.Map[string, uint32]{},
		Texts: table.Map[Key, string]{}, Said: table.Map[Key, uint32]{}}
}

// TestApply holds the state to what facts say, in whatever order they come.
func TestApply(t *testing.T) {
	st := empty()
	apply := func(facts ...fact.Fact) {
		for _, f := range facts {
			Apply(st, time.Unix(0, 0), f)
		}
	}
	apply(&market.Bought{Key: market.LedgerKey{Day: 7}, Purchase: market.Purchase{ID: "R-1", Site: 1}},
		&market.Bought{Key: market.LedgerKey{Day: 7}, Purchase: market.Purchase{ID: "R-2", Site: 1, Sealed: "k"}},
		&market.Bought{Key: market.LedgerKey{Day: 8}, Purchase: market.Purchase{ID: "R-3", Site: 1, Sealed: "k"}})
	if got := st.List(1, 7); !slices.Equal(got, []string{"R-2"}) {
		t.Errorf("receipts %v", got)
	}
	apply(&Done{Upto: 5}) // nobody asked
	if ids, upto := st.Waiting(); len(ids) != 0 || upto != 0 {
		t.Errorf("waiting %v, %d", ids, upto)
	}
	apply(&Asked{Sealed: "a"}, &Asked{Sealed: "b"}, &Done{Upto: 1}, &Done{Upto: 0})
	if ids, upto := st.Waiting(); !slices.Equal(ids, []string{"b"}) || upto != 2 {
		t.Errorf("waiting %v, %d", ids, upto)
	}
	apply(&DayErased{Site: 1, Day: 7, Bookings: 3}, &DayErased{Site: 1, Day: 7, Whole: true}, &DayErased{Site: 1, Day: 3, Whole: true})
	if next, _ := st.Next.Get(1); next != 8 {
		t.Errorf("the next day is %d", next)
	}
}

// TestDecideDay keeps the clock from being early.
func TestDecideDay(t *testing.T) {
	st := empty()
	for _, c := range []struct {
		f     DayErased
		today uint16
		facts int
		code  string
	}{
		{DayErased{Day: 100, After: 30, Bookings: 1}, 129, 0, "erasure.early"},
		{DayErased{Day: 100, After: 30, Bookings: 1}, 130, 1, ""},
		{DayErased{Day: 100, Bookings: 1}, 130, 0, "erasure.early"},
		{DayErased{Day: 65000, After: 60000, Bookings: 1}, 65535, 0, "erasure.early"},
		{DayErased{Day: 100, After: 30, Whole: true}, 130, 0, ""},
	} {
		facts, err := st.DecideDay(c.f, c.today)
		if len(facts) != c.facts || err != nil && problem.CodeOf(err) != c.code || err == nil && c.code != "" {
			t.Errorf("%+v on day %d: %d facts, %v", c.f, c.today, len(facts), err)
		}
	}
}
