// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package service

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/intake"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/reason"
	"darwaza.dev/internal/stats"
)

func committed(r intake.Resource, places uint32) intake.Line {
	return intake.Line{Resource: r, Class: visitor, To: 1440, Places: places}
}

// told is what a side says to the other now.
func (w *world) told() HearPlaces {
	sites, slots := PlacesFor(w.mem.plain, w.law, w.mem.side, w.now)
	return HearPlaces{Sites: sites, Slots: slots}
}

// learns takes in what the other side said, as far as it is news.
func (w *world) learns(c HearPlaces) HearPlacesAnswer {
	w.t.Helper()
	c, err := NewsOf(w.mem.plain, w.law, w.mem.side, w.now, c.Sites, c.Slots)
	if err != nil {
		w.t.Fatalf("%v", err)
	}
	if len(c.Sites)+len(c.Slots) == 0 {
		return HearPlacesAnswer{}
	}
	return do[HearPlacesAnswer](w, c)
}

// TestCommitIntake: what a side takes in is what it sells of, once the other side has heard;
// who may not say so does not.
func TestCommitIntake(t *testing.T) {
	w := newWorld(t, lawWith(t, small...))
	commit := func(ls ...intake.Line) IntakeAnswer {
		t.Helper()
		return do[IntakeAnswer](w, CommitIntake{Site: mand, Set: ls, Officer: "supervisor"})
	}
	w.fails(CommitIntake{Site: mand, Officer: "manager"}, problem.Forbidden, "officer.role")
	w.fails(CommitIntake{Site: 99, Officer: "supervisor"}, problem.NotFound, "site.unknown")
	w.fails(CommitIntake{Site: mand, Set: []intake.Line{{Resource: intake.Gate, Class: 99, To: 60}}, Officer: "supervisor"}, problem.Invalid, "intake.class")
	w.fails(CommitIntake{Site: mand, Set: []intake.Line{{Resource: intake.Yard, Class: visitor, To: 60, Percent: 100}}, Officer: "supervisor"}, problem.Invalid, "intake.percent")
	w.fails(HearPlaces{Sites: []intake.Told{{Site: mand, Serial: 1, Lines: []intake.Line{{}}}}}, problem.Invalid, "intake.heard")
	w.fails(HearPlaces{Slots: []booking.TransferTold{{Slot: slotAt(9), Given: 1 << 31}}}, problem.Invalid, "booking.slot")

	w.verdict(w.book(slotAt(9), 1).Verdict, reason.Allow, "")
	if a := commit(committed(intake.Health, 8)); a.Serial != 1 || a.Excess != 0 || w.slot(slotAt(9)).Allotment != 2 {
		t.Errorf("six of eight may be sold by the other side: %+v %+v", a, w.slot(slotAt(9)))
	}
	w.verdict(w.book(slotAt(9), 2).Verdict, reason.Allow, "")
	w.verdict(w.book(slotAt(9), 3).Verdict, reason.Refuse, booking.CodeFull)
	do[HearPlacesAnswer](w, HearPlaces{Sites: []intake.Told{{Site: mand, Heard: 1}}})
	if n := w.slot(slotAt(9)).Allotment; n != 4 {
		t.Errorf("heard: %d", n)
	}
	do[HearPlacesAnswer](w, HearPlaces{Sites: []intake.Told{{Site: mand, Serial: 1, Lines: []intake.Line{committed(intake.Staff, 4)}, Heard: 1}}})
	w.verdict(w.book(slotAt(9), 4).Verdict, reason.Refuse, booking.CodeFull)
	v, _ := SlotOf(w.mem.plain, w.law, "A", slotAt(9), w.now)
	if v.Bound.Capacity != 4 || v.Bound.Side != "B" || v.Bound.Resource != intake.Staff || v.Free != 0 {
		t.Errorf("%+v", v)
	}
	// What was sold above it shows, and is gone when it may be sold again.
	if a := commit(committed(intake.Gate, 0)); a.Excess != 2 || w.slot(slotAt(9)).Excess != 2 {
		t.Errorf("%+v", a)
	}
	if a := do[IntakeAnswer](w, CommitIntake{Site: mand, Drop: []intake.Line{committed(intake.Gate, 7), committed(intake.Health, 7)}, Officer: "supervisor"}); a.Excess != 0 || len(a.Lines) != 0 {
		t.Errorf("%+v", a)
	}
	w.rebuilt()
}

// TestMeasuredIntake: a rule commits what the gate has shown that it takes.
func TestMeasuredIntake(t *testing.T) {
	w := newWorld(t, lawWith(t, small...))
	rule := intake.Line{Resource: intake.Gate, Class: visitor, To: 1440, Percent: 50}
	if a := do[IntakeAnswer](w, CommitIntake{Site: mand, Set: []intake.Line{rule}, Officer: "supervisor"}); a.Lines[0].PerHour != 0 {
		t.Errorf("nothing was measured: %+v", a)
	}
	if got := Measurable(w.mem.plain, w.law, "A", w.now); len(got) != 0 {
		t.Errorf("%v", got)
	}
	// On the market day before, the gate let 2 in every quarter of an hour while many waited.
	day := marketDay - 3
	row := stats.Day{Site: mand, Day: day, Arrivals: make([]uint32, stats.Buckets)}
	for i := 8 * 4; i < 16*4; i++ {
		row.Arrivals[i] = 2
	}
	w.mem.plain.Stats.Days.Put(stats.Key{Site: mand, Day: day}, row)
	for h := 8; h < 16; h++ {
		id := booking.MakeSlotID(mand, visitor, day, uint16(h*60))
		taken := uint32(1)
		if h == 8 {
			taken = 400
		}
		w.mem.plain.Booking.Slots.Put(id, booking.Slot{ID: id, Allotment: taken, Taken: taken})
	}
	if got := Measurable(w.mem.plain, w.law, "A", w.now); !slices.Equal(got, []uint16{mand}) {
		t.Fatalf("%v", got)
	}
	if a := do[IntakeAnswer](w, MeasureIntake{Site: mand}); len(a.Lines) != 1 || a.Lines[0].PerHour != 4 {
		t.Errorf("half of eight an hour: %+v", a)
	}
	if got := Measurable(w.mem.plain, w.law, "A", w.now); len(got) != 0 {
		t.Errorf("%v", got)
	}
}

// TestTransfer: who waits on one side gets what is free on the other, within the limits of
// the edition, and a message that is repeated gives nothing twice.
func TestTransfer(t *testing.T) {
	law := lawWith(t, small...)
	a, b := newWorld(t, law), newWorldOf(t, law, agreement.B)
	for n := range uint64(6) {
		a.book(slotAt(9), n+1)
	}
	a.verdict(a.book(slotAt(9), 7).Verdict, reason.Refuse, booking.CodeFull)
	for n := range uint64(5) {
		a.wait(true, slotAt(9), 10+n)
	}
	ask := a.told()
	if len(ask.Slots) != 1 || ask.Slots[0].Want != 3 {
		t.Fatalf("half of six may move: %+v", ask)
	}
	b.book(slotAt(9), 50)
	b.book(slotAt(9), 51)
	if got := b.learns(ask); got.Given != 2 {
		t.Errorf("two of four free are kept: %+v", got)
	}
	for range 2 {
		b.learns(ask)
		a.learns(b.told())
	}
	if s, o := a.slot(slotAt(9)), b.slot(slotAt(9)); s.Allotment != 8 || s.Taken != 8 || o.Allotment != 4 {
		t.Errorf("%+v %+v", s, o)
	}
	// Where somebody waits on the other side, nothing is given.
	b.book(slotAt(9), 52)
	b.book(slotAt(9), 53)
	b.wait(true, slotAt(9), 54)
	b.learns(a.told())
	if o := b.slot(slotAt(9)); o.Allotment != 4 {
		t.Errorf("%+v", o)
	}
	// What nobody waits for any more is not asked for.
	for pos := range uint64(5) {
		if r, ok := a.mem.plain.Booking.Standby.Get(booking.StandbyKey{Slot: slotAt(9), Pos: pos}); ok {
			do[BookingAnswer](a, Cancel{Ref: r})
		}
	}
	do[SweepAnswer](a, Sweep{Slots: []booking.SlotID{slotAt(9)}})
	if x := a.told().Slots[0]; x.Want != x.Got {
		t.Errorf("%+v", x)
	}
	// A side that was restored gives again what the other has heard.
	b.mem.plain.Booking.Transfers.Delete(slotAt(9))
	b.learns(a.told())
	if o := b.slot(slotAt(9)); o.Allotment != 4 {
		t.Errorf("%+v", o)
	}
	a.rebuilt()
	// An edition that says nothing of it lets none move.
	law = lawWith(t, append(slices.Clip(small), "id: transfer.most", "id: transfer.other")...)
	a, b = newWorld(t, law), newWorldOf(t, law, agreement.B)
	for n := range uint64(7) {
		a.wait(true, slotAt(9), n+1)
	}
	if x := a.told(); len(x.Slots) != 0 {
		t.Errorf("%+v", x)
	}
	if got := b.learns(ask); got.Given != 0 {
		t.Errorf("%+v", got)
	}
}

// TestTwoSidesNeverOversell plays both sides with a line that loses, repeats and delays what
// they say: neither sells above its allotment, the allotments add up to no more than the
// capacity, an excess falls where nothing is taken away, and all places are there in the end.
func TestTwoSidesNeverOversell(t *testing.T) {
	law := lawWith(t, append(slices.Clip(small), "- {from: 2023-05-18, value: 2, source: example}\n  - id: heard.age", "- {from: 2023-05-18, value: 0, source: example}\n  - id: heard.age")...)
	rapid.Check(t, func(t *rapid.T) {
		worlds := [2]*world{newWorld(t, law), newWorldOf(t, law, agreement.B)}
		worlds[1].n = 1 << 30
		var wire [2][]HearPlaces
		var refs [2][]booking.Ref
		person := uint64(0)
		id := slotAt(9)
		hear := func(i int, m HearPlaces) { worlds[i].learns(m) }
		lowers := rapid.Bool().Draw(t, "lowers") // what is taken in changes, too
		for range rapid.IntRange(5, 60).Draw(t, "steps") {
			i := rapid.IntRange(0, 1).Draw(t, "side")
			w := worlds[i]
			before := w.slot(id)
			switch rapid.IntRange(0, 8).Draw(t, "what") {
			case 0, 1, 2:
				if i == 1 && rapid.IntRange(0, 3).Draw(t, "quiet") > 0 {
					hear(0, w.told()) // few book on this side, so that it has places to give
					break
				}
				persons := []uint64{person + 1, person + 2, person + 3}[:rapid.IntRange(1, 3).Draw(t, "party")]
				person += 3
				c := w.booking(id, persons...)
				c.Waits = rapid.IntRange(0, 3).Draw(t, "waits") > 0
				c.Standing = c.Waits
				if a := do[BookingAnswer](w, c); a.Booking.Ref != "" {
					refs[i] = append(refs[i], c.Ref)
				}
			case 3:
				if n := len(refs[i]); n > 0 {
					do[BookingAnswer](w, Cancel{Ref: refs[i][rapid.IntRange(0, n-1).Draw(t, "ref")]})
				}
			case 4:
				if !lowers {
					hear(1-i, w.told())
					break
				}
				do[IntakeAnswer](w, CommitIntake{Site: mand, Set: []intake.Line{committed(intake.Gate, rapid.Uint32Range(0, 14).Draw(t, "places"))}, Officer: "supervisor"})
			case 5:
				wire[1-i] = append(wire[1-i], w.told())
			case 6:
				do[SweepAnswer](w, Sweep{Slots: []booking.SlotID{id}})
			default:
				if n := len(wire[i]); n > 0 {
					hear(i, wire[i][rapid.IntRange(0, n-1).Draw(t, "message")])
				}
			}
			after := w.slot(id)
			if after.Allotment >= before.Allotment && after.Excess > before.Excess {
				t.Fatalf("the excess rose: %+v %+v", before, after)
			}
			if used := after.Taken + after.Withheld + after.Offered; used > after.Allotment+after.Excess {
				t.Fatalf("oversold: %+v", after)
			}
			if after.Taken > before.Taken && after.Taken+after.Withheld+after.Offered > after.Allotment {
				t.Fatalf("sold above the allotment: %+v %+v", before, after)
			}
			x, _ := SlotOf(worlds[0].mem.plain, law, "A", id, w.now)
			y, _ := SlotOf(worlds[1].mem.plain, law, "B", id, w.now)
			capacity := min(x.Bound.Capacity, y.Bound.Capacity)
			lowered := x.Bound.Unheard && x.Bound.Allotment == 0 || y.Bound.Unheard && y.Bound.Allotment == 0
			if x.Bound.Allotment+y.Bound.Allotment > capacity && !lowered && x.Bound.Capacity == y.Bound.Capacity {
				t.Fatalf("%+v %+v", x.Bound, y.Bound)
			}
			if x.Bound.Allotment+y.Bound.Allotment > 12 {
				t.Fatalf("above the edition: %+v %+v", x.Bound, y.Bound)
			}
		}
		for range 6 {
			for i := range worlds {
				hear(i, worlds[1-i].told())
			}
		}
		x, _ := SlotOf(worlds[0].mem.plain, law, "A", id, worlds[0].now)
		y, _ := SlotOf(worlds[1].mem.plain, law, "B", id, worlds[0].now)
		if x.Bound.Capacity != y.Bound.Capacity || x.Bound.Allotment+y.Bound.Allotment != x.Bound.Own+x.Bound.Theirs {
			t.Fatalf("places are lost: %+v %+v", x.Bound, y.Bound)
		}
		worlds[0].rebuilt()
	})
}
