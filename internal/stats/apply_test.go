// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package stats

import (
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/fact"
	"darwaza.dev/internal/gate"
	"darwaza.dev/internal/market"
	"darwaza.dev/internal/pass"
	"darwaza.dev/internal/reason"
	"darwaza.dev/internal/table"
)

func empty() (State, gate.State) {
	return State{Days: table.Map[Key, Day]{}, Other: table.Map[Key, Other]{}},
		gate.State{Days: table.Map[gate.SiteDayKey, gate.SiteDay]{}}
}

func TestApply(t *testing.T) {
	slot := booking.MakeSlotID(1, 1, 5, 540)
	because := []reason.Reason{{Code: "b.b.b", Outcome: reason.Refuse, Clause: "2"}, {Code: "a.a.a", Outcome: reason.Hold, Clause: "1"}, {Code: "c.c.c", Outcome: reason.Allow}}
	lot := market.Purchase{Site: 1, Category: "I", Value: 700, Duty: 35, DutyKnown: true, Regime: market.Concession, Outcome: reason.Allow}
	for _, test := range []struct {
		name  string
		facts []fact.Fact
		want  Day
	}{
		{"booked, cancelled, moved and missed", []fact.Fact{
			&booking.Made{Slot: slot, Members: []booking.Member{{Children: 2}, {}}},
			&booking.Granted{Slot: slot, Places: 3},
			&booking.GivenBack{Slot: slot, Places: 3, First: 4},
			&booking.GivenBack{Slot: slot, Places: 9}, // had waited
			&booking.Moved{From: slot, To: slot + 60, Places: 1, First: 7},
			&booking.Missed{Site: 1, Day: 5, Places: 2},
			&booking.Queued{Slot: slot, Members: []booking.Member{{Children: 1}}},
		}, Day{Booked: 8, Cancelled: 4, NoShow: 2, Standby: 2}},
		{"reasons, sorted, without those that allow", []fact.Fact{
			&market.Turned{Site: 1, Day: 5, Category: "I", Outcome: reason.Refuse, Reasons: because},
			&market.Turned{Site: 1, Day: 5, Category: "I", Outcome: reason.Refer, Reasons: because[:1]},
		}, Day{Reasons: []ReasonCount{{ReasonKey{"a.a.a", "1"}, 1}, {ReasonKey{"b.b.b", "2"}, 2}}, Categories: map[string]Category{"I": {Refused: 1}}}},
		{"not booked", []fact.Fact{
			&booking.Refused{Slot: slot, Outcome: reason.Refuse, Reasons: because},
			&booking.Refused{Slot: slot, Outcome: reason.Hold, Reasons: because[1:]},
		}, Day{NotBooked: 2, Reasons: []ReasonCount{{ReasonKey{"a.a.a", "1"}, 2}, {ReasonKey{"b.b.b", "2"}, 1}}}},
		{"bought and taken back", []fact.Fact{
			&market.Bought{Key: market.LedgerKey{Day: 5}, Purchase: lot},
			&market.Bought{Key: market.LedgerKey{Day: 5}, Purchase: lot},
			&market.TakenBack{Key: market.LedgerKey{Day: 5}, Site: 1, Category: "I", Value: 700, Duty: 35, DutyKnown: true},
		}, Day{Purchases: 2, Voided: 1, Categories: map[string]Category{"I": {Lots: 1, Value: 700, Duty: 35}}}},
		{"decided", []fact.Fact{
			&gate.Decided{Site: 1, Day: 5, Minute: 600, Direction: gate.In, Slot: uint64(slot), People: 2, Admit: true},
			&gate.Decided{Site: 1, Day: 5, Minute: 600, Direction: gate.In, Slot: uint64(slot), People: 2},
			&gate.Undone{Site: 1, Day: 5, Minute: 600, Now: 600, Direction: gate.In, Slot: uint64(slot), People: 2, Counted: true},
		}, Day{Admitted: 1, TurnedBack: 1}},
	} {
		t.Run(test.name, func(t *testing.T) {
			st, g := empty()
			for _, f := range test.facts {
				Apply(st, g, time.Unix(1, 0), f)
			}
			got, _ := st.Days.Get(Key{1, 5})
			for _, b := range [][]uint32{got.Arrivals, got.Inside} {
				if slices.ContainsFunc(b, func(n uint32) bool { return n != 0 }) {
					t.Errorf("%v", b)
				}
			}
			got.Site, got.Day, got.UpdatedAt, got.Arrivals, got.Inside, got.Quarter = 0, 0, time.Time{}, nil, nil, 0
			if !reflect.DeepEqual(got, test.want) {
				t.Errorf("got  %+v\nwant %+v", got, test.want)
			}
		})
	}
}

// Rows that were handed out are not written into.
func TestRowsNotShared(t *testing.T) {
	st, g := empty()
	f := &gate.Scanned{Site: 1, Day: 5, Minute: 600, Pass: pass.ID{1}, Direction: gate.In, People: 1, Outcome: reason.Allow}
	refused := &gate.Scanned{Site: 1, Day: 5, Minute: 601, Direction: gate.In, Outcome: reason.Refuse, Reasons: []reason.Reason{{Code: "a.a.a", Outcome: reason.Refuse}}}
	Apply(st, g, time.Unix(1, 0), f)
	Apply(st, g, time.Unix(1, 0), refused)
	old, _ := st.Days.Get(Key{1, 5})
	outcomes, reasons, arrivals := maps.Clone(old.Outcomes), slices.Clone(old.Reasons), slices.Clone(old.Arrivals)
	Apply(st, g, time.Unix(1, 0), f)
	Apply(st, g, time.Unix(1, 0), refused)
	if !maps.Equal(old.Outcomes, outcomes) || !slices.Equal(old.Reasons, reasons) || !slices.Equal(old.Arrivals, arrivals) {
		t.Error("a row that was read before changed")
	}
}

func TestDecideHeard(t *testing.T) {
	st, g := empty()
	now := time.Unix(1000, 0)
	hear := func(f Other, after time.Duration) bool {
		facts := st.DecideHeard(1, 5, f, now.Add(after))
		for _, f := range facts {
			Apply(st, g, now, f)
		}
		return len(facts) > 0
	}
	f := Other{Inside: 3, AsOf: now, Free: map[uint64]uint32{1: 2}}
	for _, test := range []struct {
		name  string
		after time.Duration
		inner uint32
		want  bool
	}{
		{"first", 0, 3, true},
		{"changed too soon", 4 * time.Second, 4, false},
		{"changed", 5 * time.Second, 4, true},
		{"the same", 30 * time.Second, 4, false},
		{"the same a minute later", 65 * time.Second, 4, true},
	} {
		f.Inside, f.AsOf = test.inner, now.Add(test.after)
		if got := hear(f, test.after); got != test.want {
			t.Errorf("%s: %v", test.name, got)
		}
	}
	// The whole day is noted at first, a minute later where it changed, and some minutes
	// later where it is the same; in between it stays as it was told.
	told := func(after time.Duration, booked uint32) (Other, bool) {
		before, _ := st.Other.Get(Key{1, 5})
		f.AsOf, f.Inside, f.Whole = now.Add(after), f.Inside+1, &Day{Booked: booked}
		hear(f, after)
		o, _ := st.Other.Get(Key{1, 5})
		return o, o.WholeAt != before.WholeAt
	}
	for _, test := range []struct {
		after  time.Duration
		booked uint32
		want   bool
	}{
		{2 * time.Minute, 7, true}, {2*time.Minute + 10*time.Second, 8, false}, {3 * time.Minute, 8, true},
		{4 * time.Minute, 8, false}, {8 * time.Minute, 8, true},
	} {
		o, fresh := told(test.after, test.booked)
		if fresh != test.want || o.Whole == nil || fresh && (o.Whole.Booked != test.booked || !o.WholeAt.Equal(now.Add(test.after))) {
			t.Errorf("after %v: %+v, %v", test.after, o.Whole, fresh)
		}
	}
	f.AsOf, f.Inside = now, 9
	if hear(f, time.Hour) {
		t.Error("older figures replaced newer ones")
	}
}
