// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package service

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/reason"
	"darwaza.dev/internal/rules"
)

// testAt is a slot of the health desk at Mand–Pishin on the market day.
func testAt(hhmm string) booking.SlotID {
	return booking.MakeTestSlotID(mand, marketDay, uint16(at(hhmm).Sub(at("00:00")).Minutes()))
}

// fewTests lets the health desk test two people in a slot.
var fewTests = append([]string{"site: mand-pishin, value: 40, source", "site: mand-pishin, value: 2, source"}, small...)

// guarded is a world in which tests are asked for on the market day.
func guarded(t testing.TB, changes ...string) *world {
	t.Helper()
	w := newWorld(t, lawWith(t, changes...))
	w.verdict(do[LevelAnswer](w, SetLevel{Site: mand, Level: "guarded", Officer: "supervisor"}).Verdict, reason.Allow, "")
	return w
}

// tests are the times of the health desk that fit a crossing, by the clock of Mand–Pishin.
func (w *world) tests(id booking.SlotID, shown ...rules.Shown) (out []string) {
	w.t.Helper()
	offers, err := TestsOf(w.mem.plain, w.law, w.mem.side, id, nil, shown, w.now)
	if err != nil {
		w.t.Fatalf("%v", err)
	}
	for _, o := range offers {
		out = append(out, o.From.In(w.law.Zone("mand-pishin")).Format("15:04"))
	}
	return out
}

func (w *world) bookTested(slot, test booking.SlotID, persons ...uint64) BookingAnswer {
	w.t.Helper()
	c := w.booking(slot, persons...)
	c.Test = test
	return do[BookingAnswer](w, c)
}

// testedAt is a genuine certificate of a rapid test, as clauses read it.
func testedAt(swab time.Time) rules.Shown {
	return rules.Shown{Proofs: []rules.Proof{{Kind: "test", Disease: "covid19", Test: "antigen", Result: "negative", Earliest: swab.Unix(), Latest: swab.Unix()}}}
}

// TestTestsOffered looks at which slots of the health desk fit a crossing.
func TestTestsOffered(t *testing.T) {
	w := newWorld(t, lawWith(t, small...))
	if got := w.tests(slotAt(9)); got != nil {
		t.Errorf("nobody asks for a test, and %v are offered", got)
	}
	w = guarded(t, small...)
	// Two hours before at the earliest; the result takes 20 minutes after a slot of 20.
	if got, want := w.tests(slotAt(9)), []string{"07:00", "07:20", "07:40", "08:00", "08:20"}; !slices.Equal(got, want) {
		t.Errorf("offered %v, want %v", got, want)
	}
	offers, _ := TestsOf(w.mem.plain, w.law, "A", slotAt(9), nil, nil, w.now)
	if o := offers[4]; !o.Result.Equal(at("09:00")) || o.Free != 40 || o.Need != 1 || !slices.Equal(o.Names, []string{"covid19/antigen"}) {
		t.Errorf("%+v", o)
	}
	// Whoever shows a certificate that lasts until the latest crossing needs none.
	crossing, err := CrossingOf(w.mem.plain, w.law, "A", slotAt(9), w.now)
	if err != nil {
		t.Fatal(err)
	}
	if got := w.tests(slotAt(9), testedAt(crossing.Latest.Add(-24*time.Hour))); got != nil {
		t.Errorf("a certificate that lasts: %v", got)
	}
	if got := w.tests(slotAt(9), testedAt(crossing.Latest.Add(-24*time.Hour-time.Second))); len(got) != 5 {
		t.Errorf("a certificate that lapses in the queue: %v", got)
	}
	w.now = at("07:25")
	if got := w.tests(slotAt(9)); len(got) != 4 || got[0] != "07:20" {
		t.Errorf("what is over is offered: %v", got)
	}
	for _, id := range []string{"testing.places", "testing.slot"} {
		if got := guarded(t, "id: "+id, "id: testing.other").tests(slotAt(9)); got != nil {
			t.Errorf("without %s: %v", id, got)
		}
	}
	// A test that would not last until the crossing is none.
	if got := guarded(t, "value: 24, source: example}\n  - id: test.naat", "value: 1, source: example}\n  - id: test.naat").tests(slotAt(9)); got != nil {
		t.Errorf("a test that holds for an hour: %v", got)
	}
}

// TestBookTested books a crossing and a test as one.
func TestBookTested(t *testing.T) {
	w := guarded(t, fewTests...)
	a := w.bookTested(slotAt(9), testAt("08:00"), 1)
	w.verdict(a.Verdict, reason.Allow, rules.CodeTest)
	if b := a.Booking.Test; b == nil || b.Slot != testAt("08:00") || b.Places != 1 || !slices.Equal(b.Kinds, []string{"covid19/antigen"}) {
		t.Fatalf("%+v", a.Booking.Test)
	}
	if s := w.slot(testAt("08:00")); s.Taken != 1 || s.Allotment != 2 {
		t.Errorf("%+v", s)
	}
	var made *booking.Made
	for _, h := range w.mem.facts {
		if f, ok := h.Fact.(*booking.Made); ok {
			made = f
		}
	}
	if made.Test == nil || !strings.Contains(made.Asked[0].Query, `"health.tests":["covid19/antigen"]`) {
		t.Errorf("%+v", made)
	}
	// Two more do not fit, and then there is no crossing either.
	a = w.bookTested(slotAt(9), testAt("08:00"), 2, 3)
	w.verdict(a.Verdict, reason.Refuse, booking.CodeTestFull)
	if a.Booking.Ref != "" || w.slot(slotAt(9)).Taken != 1 || w.slot(testAt("08:00")).Taken != 1 {
		t.Error("half of what is one thing was booked")
	}
	// Nor is there a test where there is no crossing.
	a = w.bookTested(slotAt(9), testAt("08:20"), 2, 3)
	w.verdict(a.Verdict, reason.Allow, rules.CodeTest)
	a = w.bookTested(slotAt(9), testAt("07:00"), 4, 5)
	w.verdict(a.Verdict, reason.Refuse, booking.CodeFull)
	if s := w.slot(testAt("07:00")); s.Taken != 0 {
		t.Errorf("a test for nobody: %+v", s)
	}
	w.verdict(w.bookTested(slotAt(10), testAt("07:40"), 6).Verdict, reason.Refuse, booking.CodeTestTime)
	w.verdict(w.bookTested(slotAt(10), testAt("09:40"), 6).Verdict, reason.Refuse, booking.CodeTestTime)
	w.verdict(w.bookTested(slotAt(10), testAt("08:05"), 6).Verdict, reason.Refuse, booking.CodeTestTime)
	c := w.booking(slotAt(10), 6)
	c.Test = slotAt(9)
	w.fails(c, problem.Invalid, "booking.test.slot")
	// Who waits has no test yet.
	c = w.booking(slotAt(9), 7, 8)
	c.Waits, c.Test = true, testAt("07:00")
	a = do[BookingAnswer](w, c)
	w.verdict(a.Verdict, reason.Hold, booking.CodeTestLater)
	if a.Booking.Status != booking.Waiting || a.Booking.Test != nil || w.slot(testAt("07:00")).Taken != 0 {
		t.Errorf("%+v", a.Booking)
	}
	w.verdict(do[BookingAnswer](w, BookTest{Ref: c.Ref, Slot: testAt("07:00")}).Verdict, reason.Hold, booking.CodeTestLater)
	w.rebuilt()
	// Where nobody asks for one none is booked.
	w = newWorld(t, lawWith(t, fewTests...))
	a = w.bookTested(slotAt(9), testAt("08:00"), 1)
	w.verdict(a.Verdict, reason.Allow, booking.CodeTestNone)
	if a.Booking.Ref == "" || a.Booking.Test != nil {
		t.Errorf("%+v", a.Booking)
	}
}

// TestTestMovesWithBooking moves, changes and gives back.
func TestTestMovesWithBooking(t *testing.T) {
	w := guarded(t, fewTests...)
	taken := func(hhmm string) uint32 { return w.slot(testAt(hhmm)).Taken }
	ref := w.bookTested(slotAt(9), testAt("08:20"), 1).Booking.Ref
	// It fits the next hour too, and stays.
	a := do[BookingAnswer](w, Move{Ref: ref, To: slotAt(10)})
	w.verdict(a.Verdict, reason.Allow, rules.CodeTest)
	if a.Booking.Test == nil || a.Booking.Test.Slot != testAt("08:20") || taken("08:20") != 1 {
		t.Errorf("%+v", a.Booking.Test)
	}
	// It does not fit the hour after, and the latest that does and has room is taken.
	for _, p := range []uint64{2, 3} {
		w.verdict(w.bookTested(slotAt(11), testAt("10:20"), p).Verdict, reason.Allow, "")
	}
	a = do[BookingAnswer](w, Move{Ref: ref, To: slotAt(11)})
	if a.Booking.Test == nil || a.Booking.Test.Slot != testAt("10:00") || taken("08:20") != 0 || taken("10:00") != 1 {
		t.Errorf("%+v", a.Booking.Test)
	}
	// Back, with a time of one's own.
	a = do[BookingAnswer](w, Move{Ref: ref, To: slotAt(10), Test: testAt("09:00")})
	if a.Booking.Test == nil || a.Booking.Test.Slot != testAt("09:00") || taken("10:00") != 0 {
		t.Errorf("%+v", a.Booking.Test)
	}
	w.fails(Move{Ref: ref, To: slotAt(11), Test: slotAt(9)}, problem.Invalid, "booking.test.slot")
	w.verdict(do[BookingAnswer](w, Move{Ref: ref, To: slotAt(11), Test: testAt("10:20")}).Verdict, reason.Refuse, booking.CodeTestFull)
	w.verdict(do[BookingAnswer](w, BookTest{Ref: ref, Slot: testAt("08:00"), Officer: "clerk"}).Verdict, reason.Allow, rules.CodeTest)
	if taken("09:00") != 0 || taken("08:00") != 1 {
		t.Error("a changed test is in both places or in none")
	}
	w.fails(BookTest{Ref: ref, Slot: testAt("08:00"), Officer: "gate"}, problem.Forbidden, "officer.role")
	w.fails(BookTest{Ref: ref, Slot: slotAt(9)}, problem.Invalid, "booking.test.slot")
	w.fails(BookTest{Ref: "000000000000"}, problem.NotFound, "booking.unknown")
	if f := len(w.mem.facts); do[BookingAnswer](w, BookTest{Ref: ref, Slot: testAt("08:00")}).Verdict.Outcome != reason.Allow || len(w.mem.facts) != f {
		t.Error("the same test again is a fact of its own")
	}
	// Given back alone, booked again, and given back with the crossing.
	a = do[BookingAnswer](w, BookTest{Ref: ref})
	if a.Booking.Test != nil || a.Booking.Status != booking.Booked || taken("08:00") != 0 {
		t.Errorf("%+v", a.Booking)
	}
	do[BookingAnswer](w, BookTest{Ref: ref, Slot: testAt("09:00")})
	a = do[BookingAnswer](w, Cancel{Ref: ref})
	if a.Booking.Test != nil || taken("09:00") != 0 {
		t.Errorf("cancelled, and still expected at the health desk: %+v, %d", a.Booking.Test, taken("09:00"))
	}
	w.verdict(do[BookingAnswer](w, BookTest{Ref: ref, Slot: testAt("09:00")}).Verdict, reason.Refuse, booking.CodeEnded)
	w.rebuilt()
}

// TestMoveWithoutTest: a booking that has a test goes nowhere where the health desk has no
// room before the other crossing.
func TestMoveWithoutTest(t *testing.T) {
	w := guarded(t, append([]string{"value: 120, source: example}\n  - id: trust.stale", "value: 60, source: example}\n  - id: trust.stale"}, fewTests...)...)
	if got := w.tests(slotAt(12)); !slices.Equal(got, []string{"11:00", "11:20"}) {
		t.Fatalf("offered %v", got)
	}
	ref := w.bookTested(slotAt(9), testAt("08:20"), 1).Booking.Ref
	for i, hhmm := range []string{"11:00", "11:00", "11:20"} {
		w.verdict(w.bookTested(slotAt(12), testAt(hhmm), uint64(10+i)).Verdict, reason.Allow, "")
	}
	last := w.bookTested(slotAt(12), testAt("11:20"), 20).Booking.Ref
	do[BookingAnswer](w, BookTest{Ref: last, Slot: testAt("11:20")})
	a := do[BookingAnswer](w, Move{Ref: ref, To: slotAt(12)})
	w.verdict(a.Verdict, reason.Refuse, booking.CodeTestFull)
	if a.Booking.Slot != slotAt(9) || w.slot(testAt("08:20")).Taken != 1 {
		t.Errorf("%+v", a.Booking)
	}
	w.rebuilt()
}

// TestShownAtBooking judges a certificate that comes with the request, and keeps nothing of it.
func TestShownAtBooking(t *testing.T) {
	w := guarded(t, small...)
	crossing, err := CrossingOf(w.mem.plain, w.law, "A", slotAt(9), w.now)
	if err != nil {
		t.Fatal(err)
	}
	shows := func(person uint64, swab time.Time) BookingAnswer {
		c := w.booking(slotAt(9), person)
		c.Members[0].Shown = testedAt(swab)
		c.Members[0].Shown.Proofs[0].Product = "canary-product"
		return do[BookingAnswer](w, c)
	}
	a := shows(1, crossing.Latest.Add(-24*time.Hour))
	w.verdict(a.Verdict, reason.Allow, "")
	for _, r := range a.Verdict.Reasons {
		if r.Code == rules.CodeProof {
			t.Errorf("a certificate that lasts is asked for again: %v", r)
		}
	}
	a = shows(2, crossing.Latest.Add(-24*time.Hour-time.Second))
	w.verdict(a.Verdict, reason.Hold, "law.clause.hold")
	for _, r := range a.Verdict.Reasons {
		if r.Params["lapses"] != "" {
			t.Errorf("the day of a certificate is in the answer that is kept: %v", r)
		}
	}
	// What was answered to one who showed something is no answer to another.
	w.verdict(w.book(slotAt(9), 3).Verdict, reason.Allow, rules.CodeProof)
	// With the test it goes on.
	c := w.booking(slotAt(9), 4)
	c.Members[0].Shown, c.Test = testedAt(crossing.Latest.Add(-48*time.Hour)), testAt("08:00")
	w.verdict(do[BookingAnswer](w, c).Verdict, reason.Allow, rules.CodeTest)
	// Who has a good one is not tested beside those who have none.
	c = w.booking(slotAt(10), 5, 6)
	c.Members[1].Shown, c.Test = testedAt(crossing.Latest.Add(-23*time.Hour)), testAt("09:00")
	a = do[BookingAnswer](w, c)
	w.verdict(a.Verdict, reason.Allow, rules.CodeTest)
	if a.Booking.Test == nil || a.Booking.Test.Places != 1 {
		t.Errorf("%+v", a.Booking.Test)
	}
	c = w.booking(slotAt(10), 7)
	c.Members[0].Shown.Proofs = make([]rules.Proof, rules.MaxProofs+1)
	w.fails(c, problem.Invalid, "booking.shown")
	for _, h := range w.mem.facts {
		b, err := w.mem.codec.Encode(h.Fact)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(b), "canary-product") || strings.Contains(string(b), "antigen\",") || strings.Contains(string(b), "negative") {
			t.Errorf("%s holds what a certificate says: %q", h.Fact.FactKind(), b)
		}
	}
	w.rebuilt()
}

// TestTestsNeverOversold runs bookings, moves and cancellations at random against the places
// of the health desk.
func TestTestsNeverOversold(t *testing.T) {
	law := lawWith(t, "site: mand-pishin, value: 40, source", "site: mand-pishin, value: 2, source")
	rapid.Check(t, func(r *rapid.T) {
		w := newWorld(r, law)
		do[LevelAnswer](w, SetLevel{Site: mand, Level: "guarded", Officer: "supervisor"})
		var refs []booking.Ref
		times := []string{"", "07:00", "08:00", "08:20", "08:40", "09:00", "09:20", "10:00", "10:20", "03:00"}
		test := func() booking.SlotID {
			if hhmm := rapid.SampledFrom(times).Draw(r, "test"); hhmm != "" {
				return testAt(hhmm)
			}
			return 0
		}
		for range rapid.IntRange(1, 40).Draw(r, "acts") {
			slot := slotAt(rapid.IntRange(9, 11).Draw(r, "hour"))
			pick := func() booking.Ref {
				if len(refs) == 0 {
					return ""
				}
				return rapid.SampledFrom(refs).Draw(r, "who")
			}
			switch rapid.IntRange(0, 3).Draw(r, "act") {
			case 0:
				w.n++
				c := w.booking(slot, 1000+w.n)
				if rapid.Bool().Draw(r, "two") {
					c.Members = append(c.Members, w.adult(5000+w.n, 1))
				}
				c.Test = test()
				if do[BookingAnswer](w, c).Booking.Ref != "" {
					refs = append(refs, c.Ref)
				}
			case 1:
				if ref := pick(); ref != "" {
					do[BookingAnswer](w, Move{Ref: ref, To: slot, Test: test()})
				}
			case 2:
				if ref := pick(); ref != "" {
					do[BookingAnswer](w, BookTest{Ref: ref, Slot: test()})
				}
			default:
				if ref := pick(); ref != "" {
					do[BookingAnswer](w, Cancel{Ref: ref})
				}
			}
			want := map[booking.SlotID]uint32{}
			for _, ref := range refs {
				b := w.stands(ref)
				if b.Test == nil {
					continue
				}
				if b.Status != booking.Booked || b.Slot.Day() != b.Test.Slot.Day() || b.Test.Slot.Minute()+40 > b.Slot.Minute() {
					r.Fatalf("%+v has %+v", b, b.Test)
				}
				want[b.Test.Slot] += b.Test.Places
			}
			for _, hhmm := range times[1:] {
				s := w.slot(testAt(hhmm))
				if s.Taken != want[testAt(hhmm)] || s.Taken > 2 || s.Excess != 0 || s.Withheld != 0 {
					r.Fatalf("%s: %+v, booked %d", hhmm, s, want[testAt(hhmm)])
				}
			}
		}
		w.rebuilt()
	})
}
