// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package service

import (
	"testing"

	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/market"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/reason"
)

func TestBook(t *testing.T) {
	w := newWorld(t, lawWith(t, small...))
	s := slotAt(9)
	c := w.booking(s, 1, 2)
	c.Members[1].Children = 2
	c.SealedID, c.Sealed = "s1", []byte("x")
	a := do[BookingAnswer](w, c)
	w.verdict(a.Verdict, reason.Allow, "")
	if a.Booking.Status != booking.Booked || a.Booking.Members[0].Place != 0 || a.Booking.Members[1].Place != 1 || a.Booking.Places() != 4 {
		t.Errorf("booking %+v", a.Booking)
	}
	if got := w.slot(s); got.Allotment != 6 || got.Taken != 4 || got.NextPlace != 4 || got.Free() != 2 {
		t.Errorf("slot %+v", got)
	}
	if sealed, ok := w.mem.plain.Sealed.Get("s1"); !ok || string(sealed) != "x" {
		t.Error("sealed data is not kept")
	}
	if a.Verdict.Edition == "" || a.Verdict.Point != "booking" {
		t.Errorf("verdict does not say under what it was given: %+v", a.Verdict)
	}
	b, ok := FindByTag(w.mem.plain, id('t', 2), mand, marketDay)
	if !ok || b.Ref != c.Ref {
		t.Error("not found by tag")
	}
	// All or nothing: two places are left, three are asked for.
	c = w.booking(s, 3, 4, 5)
	c.SealedID, c.Sealed = "s2", []byte("y")
	a = do[BookingAnswer](w, c)
	w.verdict(a.Verdict, reason.Refuse, booking.CodeFull)
	if _, kept := w.mem.plain.Sealed.Get("s2"); kept {
		t.Error("personal data is kept of somebody who has no booking")
	}
	if a.Booking.Ref != "" || w.slot(s).Taken != 4 {
		t.Error("a party was split")
	}
	w.rebuilt()
}

func TestBookRefused(t *testing.T) {
	w := newWorld(t, lawWith(t, small...))
	w.book(slotAt(9), 1)
	for _, test := range []struct {
		name string
		c    Book
		o    reason.Outcome
		code reason.Code
	}{
		{"second at the same hour", w.booking(slotAt(9), 1), reason.Refuse, booking.CodeSecond},
		{"second at another hour", w.booking(slotAt(10), 2, 1), reason.Refuse, booking.CodeSecond},
		{"same person twice", w.booking(slotAt(9), 3, 3), reason.Refuse, booking.CodeTwice},
		{"no such hour", w.booking(booking.MakeSlotID(mand, visitor, marketDay, 19*60), 4), reason.Closed, booking.CodeUnknown},
		{"not a market day", w.booking(booking.MakeSlotID(mand, visitor, marketDay+1, 9*60), 4), reason.Closed, booking.CodeUnknown},
		{"too far ahead", w.booking(booking.MakeSlotID(mand, visitor, marketDay+28, 9*60), 4), reason.Closed, booking.CodeAhead},
		{"past", w.booking(booking.MakeSlotID(mand, visitor, marketDay-3, 9*60), 4), reason.Closed, booking.CodePast},
		{"too large for the side", w.booking(slotAt(11), 4, 5, 6, 7, 8, 9, 10), reason.Refuse, booking.CodeLarge},
		{"after the text ends", w.booking(booking.MakeSlotID(mand, visitor, marketDay+308, 9*60), 4), reason.Refer, "law.edition.none"},
		{"a vendor with no card", w.booking(booking.MakeSlotID(mand, vendor, marketDay, 7*60), 4), reason.Refuse, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			w.t = t
			a := do[BookingAnswer](w, test.c)
			w.verdict(a.Verdict, test.o, test.code)
			if a.Booking.Ref != "" {
				t.Errorf("booked: %+v", a.Booking)
			}
		})
	}
	w.t = t
	w.rebuilt()
}

// The desk holds to the greatest party where no clause does.
func TestBookParty(t *testing.T) {
	w := newWorld(t, lawWith(t, "require: party.size >= 1 && party.size <= param.party.max", "require: party.size >= 1"))
	c := w.booking(slotAt(9), 1)
	c.Members[0].Children = 9
	w.verdict(do[BookingAnswer](w, c).Verdict, reason.Refuse, booking.CodeParty)
	c.Members[0].Children = 8
	w.verdict(do[BookingAnswer](w, c).Verdict, reason.Allow, "")
}

// A party that is too large for bookings of another day is not moved there.
func TestMoveParty(t *testing.T) {
	w := newWorld(t, lawWith(t, "require: party.size >= 1 && party.size <= param.party.max", "require: party.size >= 1",
		"{from: 2023-05-18, value: 9, source: example}", "{from: 2023-05-18, value: 9, source: example}\n      - {from: 2025-09-04, value: 2, source: example}"))
	c := w.booking(slotAt(9), 1)
	c.Members[0].Children = 2
	do[BookingAnswer](w, c)
	to := booking.MakeSlotID(mand, visitor, marketDay+4, 9*60)
	w.verdict(do[BookingAnswer](w, Move{Ref: c.Ref, To: to, Tags: [][16]byte{id('u', 1)}}).Verdict, reason.Refuse, booking.CodeParty)
	w.verdict(do[BookingAnswer](w, Move{Ref: c.Ref, To: slotAt(10)}).Verdict, reason.Allow, "")
	c = w.booking(slotAt(9), 2)
	c.Members[0].Children = 1
	do[BookingAnswer](w, c)
	w.verdict(do[BookingAnswer](w, Move{Ref: c.Ref, To: to, Tags: [][16]byte{id('u', 2)}}).Verdict, reason.Allow, "")
	w.rebuilt()
}

func TestBookProblems(t *testing.T) {
	w := newWorld(t, lawWith(t, small...))
	first := w.booking(slotAt(9), 1)
	do[BookingAnswer](w, first)
	change := func(f func(*Book)) Book {
		c := w.booking(slotAt(10), 5)
		f(&c)
		return c
	}
	w.fails(change(func(c *Book) { c.Ref = first.Ref }), problem.Conflict, "booking.ref")
	w.fails(change(func(c *Book) { c.Members[0].Pass = first.Members[0].Pass }), problem.Conflict, "booking.pass")
	w.fails(change(func(c *Book) { c.Ref = "short" }), problem.Invalid, "booking.ref")
	w.fails(change(func(c *Book) { c.Members = nil }), problem.Invalid, "booking.members")
	w.fails(change(func(c *Book) { c.Members = make([]NewMember, 65) }), problem.Invalid, "booking.members")
	w.fails(change(func(c *Book) { c.Members[0].Tag = [16]byte{} }), problem.Invalid, "booking.member")
	w.fails(change(func(c *Book) { c.Members[0].Children = 21 }), problem.Invalid, "booking.children")
	w.fails(change(func(c *Book) { c.Slot = booking.MakeSlotID(77, visitor, marketDay, 540) }), problem.NotFound, "booking.slot")
	w.fails(change(func(c *Book) { c.Officer = "gate" }), problem.Forbidden, "officer.role")
	w.fails(change(func(c *Book) { c.Officer = "nobody" }), problem.Forbidden, "officer.role")
	w.fails(Cancel{Ref: ref(9999)}, problem.NotFound, "booking.unknown")
	w.fails(Move{Ref: first.Ref, To: booking.MakeSlotID(mand, visitor, marketDay+4, 540)}, problem.Invalid, "booking.tags")
}

// fill takes the six places of side A in a slot, each for one person.
func (w *world) fill(s booking.SlotID) []booking.Ref {
	w.t.Helper()
	var refs []booking.Ref
	for i := range uint64(6) {
		a := w.book(s, 100+i)
		w.verdict(a.Verdict, reason.Allow, "")
		refs = append(refs, a.Booking.Ref)
	}
	return refs
}

func TestWithheld(t *testing.T) {
	w := newWorld(t, lawWith(t, small...))
	s := slotAt(9)
	refs := w.fill(s)
	a := do[BookingAnswer](w, Cancel{Ref: refs[2]})
	w.verdict(a.Verdict, reason.Allow, "")
	if a.Booking.Status != booking.Cancelled {
		t.Errorf("booking %+v", a.Booking)
	}
	if got := w.slot(s); got.Taken != 5 || got.Withheld != 1 || got.Free() != 0 {
		t.Errorf("a place came back before the other side's gates had heard: %+v", got)
	}
	w.verdict(w.book(s, 1).Verdict, reason.Refuse, booking.CodeFull)
	list, last := WithdrawalsAfter(w.mem.plain, 0, 10)
	if len(list) != 1 || last != 1 || list[0].Serial != 1 || list[0].Until != at("00:00", 1).Unix() {
		t.Errorf("list %+v, last %d", list, last)
	}
	// An acknowledgement of more than there is frees what there is.
	ack := do[AcknowledgeAnswer](w, Acknowledge{Serial: 1 << 60})
	if ack.Heard != 1 || ack.FreedTo != 1 || w.slot(s).Free() != 1 {
		t.Errorf("%+v, %+v", ack, w.slot(s))
	}
	w.verdict(w.book(s, 1).Verdict, reason.Allow, "")
	if b, _, _ := BookingOfPass(w.mem.plain, list[0].Pass); b.Status != booking.Cancelled {
		t.Errorf("the withdrawn pass leads to %+v", b)
	}
	// The person is free to book again.
	w.verdict(w.book(slotAt(10), 102).Verdict, reason.Allow, "")
	w.verdict(do[BookingAnswer](w, Cancel{Ref: refs[2]}).Verdict, reason.Refuse, booking.CodeEnded)
	w.rebuilt()
}

func TestWithheldUntilPassesEnd(t *testing.T) {
	w := newWorld(t, lawWith(t, small...))
	s := slotAt(9)
	refs := w.fill(s)
	do[BookingAnswer](w, Cancel{Ref: refs[0]})
	w.now = at("23:00")
	do[SweepAnswer](w, Sweep{Slots: []booking.SlotID{s}})
	if w.slot(s).Withheld != 1 {
		t.Error("freed while the pass was still good")
	}
	w.now = at("00:00", 1)
	if got := SweepSlots(w.mem.plain, w.law, "A", w.now); len(got) != 1 || got[0] != s {
		t.Fatalf("slots to sweep: %v", got)
	}
	if a := do[SweepAnswer](w, Sweep{Slots: []booking.SlotID{s}}); a.Freed != 1 || w.slot(s).Withheld != 0 {
		t.Errorf("%+v, %+v", a, w.slot(s))
	}
	w.rebuilt()
}

func TestStandby(t *testing.T) {
	w := newWorld(t, lawWith(t, small...))
	s := slotAt(9)
	refs := w.fill(s)
	one := w.wait(false, s, 1)
	w.verdict(one.Verdict, reason.Hold, booking.CodeStandby)
	if one.Booking.Status != booking.Waiting {
		t.Fatalf("%+v", one.Booking)
	}
	two := w.wait(true, s, 2).Booking.Ref // takes what comes
	three := w.wait(false, s, 3).Booking.Ref
	if _, ok := PassClaims(w.law, "A", one.Booking, 0); ok {
		t.Error("a pass for somebody who waits")
	}
	// Whoever waits has the one booking of the day.
	w.verdict(w.wait(false, slotAt(10), 1).Verdict, reason.Refuse, booking.CodeSecond)

	do[BookingAnswer](w, Cancel{Ref: refs[0]})
	do[BookingAnswer](w, Cancel{Ref: refs[1]})
	if b := w.stands(one.Booking.Ref); b.Status != booking.Waiting {
		t.Fatalf("offered before the gates had heard: %+v", b)
	}
	do[AcknowledgeAnswer](w, Acknowledge{Serial: 2})
	if b := w.stands(one.Booking.Ref); b.Status != booking.Offered || !b.OfferUntil.Equal(w.now.Add(30*60e9)) {
		t.Errorf("first: %+v", b)
	}
	if b := w.stands(two); b.Status != booking.Booked || b.Members[0].Place != 6 {
		t.Errorf("second: %+v", b)
	}
	if b := w.stands(three); b.Status != booking.Waiting {
		t.Errorf("third: %+v", b)
	}
	w.verdict(w.book(s, 4).Verdict, reason.Refuse, booking.CodeFull)
	w.verdict(do[BookingAnswer](w, Accept{Ref: three}).Verdict, reason.Refuse, booking.CodeNoOffer)

	// The offer runs out and goes on to the third.
	w.now = w.now.Add(30 * 60e9)
	w.verdict(do[BookingAnswer](w, Accept{Ref: one.Booking.Ref}).Verdict, reason.Refuse, booking.CodeNoOffer)
	if a := do[SweepAnswer](w, Sweep{Slots: []booking.SlotID{s}}); a.Lapsed != 1 || a.Offered != 1 || a.More {
		t.Errorf("%+v", a)
	}
	if b := w.stands(one.Booking.Ref); b.Status != booking.Lapsed {
		t.Errorf("%+v", b)
	}
	a := do[BookingAnswer](w, Accept{Ref: three})
	w.verdict(a.Verdict, reason.Allow, "")
	if a.Booking.Status != booking.Booked || a.Booking.Members[0].Place != 7 {
		t.Errorf("%+v", a.Booking)
	}
	if got := w.slot(s); got.Taken != 6 || got.Offered != 0 || got.StandbyHead != got.StandbyTail {
		t.Errorf("%+v", got)
	}
	// The pass of somebody who waited works.
	w.claims(a.Booking, 0)
	w.rebuilt()
}

func TestStandbyDecline(t *testing.T) {
	w := newWorld(t, lawWith(t, small...))
	s := slotAt(9)
	refs := w.fill(s)
	one := w.wait(false, s, 1).Booking.Ref
	two := w.wait(false, s, 2).Booking.Ref
	w.verdict(do[BookingAnswer](w, Decline{Ref: one}).Verdict, reason.Refuse, booking.CodeNoOffer)
	do[BookingAnswer](w, Cancel{Ref: refs[0]})
	do[AcknowledgeAnswer](w, Acknowledge{Serial: 1})
	w.verdict(do[BookingAnswer](w, Decline{Ref: one}).Verdict, reason.Allow, "")
	if b := w.stands(one); b.Status != booking.Cancelled {
		t.Errorf("%+v", b)
	}
	if b := w.stands(two); b.Status != booking.Offered {
		t.Errorf("%+v", b)
	}
	// Cancelling what waits or is offered withholds nothing.
	do[BookingAnswer](w, Cancel{Ref: two})
	if got := w.slot(s); got.Withheld != 0 || got.Offered != 0 || got.Free() != 1 {
		t.Errorf("%+v", got)
	}
	if _, last := WithdrawalsAfter(w.mem.plain, 0, 10); last != 1 {
		t.Errorf("last serial %d", last)
	}
	w.rebuilt()
}

// An offer ends with its slot.
func TestOfferEndsWithSlot(t *testing.T) {
	w := newWorld(t, lawWith(t, small...))
	refs := w.fill(slotAt(9))
	one := w.wait(false, slotAt(9), 1).Booking.Ref
	w.now = at("09:50")
	do[BookingAnswer](w, Cancel{Ref: refs[0]})
	do[AcknowledgeAnswer](w, Acknowledge{Serial: 1})
	if b := w.stands(one); b.Status != booking.Offered || !b.OfferUntil.Equal(at("10:00")) {
		t.Errorf("%+v", b)
	}
}

// A family in front is not passed over by those who come alone.
func TestStandbyStrict(t *testing.T) {
	w := newWorld(t, lawWith(t, small...))
	s := slotAt(9)
	refs := w.fill(s)
	family := w.wait(true, s, 1, 2).Booking.Ref
	single := w.wait(true, s, 3).Booking.Ref
	do[BookingAnswer](w, Cancel{Ref: refs[0]})
	do[AcknowledgeAnswer](w, Acknowledge{Serial: 1})
	if w.stands(family).Status != booking.Waiting || w.stands(single).Status != booking.Waiting {
		t.Fatal("somebody was passed over")
	}
	if v, _ := SlotOf(w.mem.plain, w.law, "A", s, w.now); v.Free != 0 || v.Queue != 2 || v.Slot.Free() != 1 {
		t.Errorf("a place that is spoken for shows as free: %+v", v)
	}
	w.verdict(w.book(s, 4).Verdict, reason.Refuse, booking.CodeFull)
	do[BookingAnswer](w, Cancel{Ref: refs[1]})
	do[AcknowledgeAnswer](w, Acknowledge{Serial: 2})
	if w.stands(family).Status != booking.Booked || w.stands(single).Status != booking.Waiting {
		t.Fatalf("family %v, single %v", w.stands(family).Status, w.stands(single).Status)
	}
	// The slot ends: the rest of the queue lapses.
	w.now = at("10:00")
	do[SweepAnswer](w, Sweep{Slots: []booking.SlotID{s}})
	if w.stands(single).Status != booking.Lapsed {
		t.Errorf("%v", w.stands(single).Status)
	}
	if _, claimed := FindByTag(w.mem.plain, id('t', 3), mand, marketDay); claimed {
		t.Error("who waited in vain still has a booking")
	}
	w.rebuilt()
}

func TestMove(t *testing.T) {
	w := newWorld(t, lawWith(t, small...))
	a := w.book(slotAt(9), 1, 2)
	w.fill(slotAt(11))
	// No room: the old place is kept.
	m := do[BookingAnswer](w, Move{Ref: a.Booking.Ref, To: slotAt(11)})
	w.verdict(m.Verdict, reason.Refuse, booking.CodeFull)
	if m.Booking.Slot != slotAt(9) || w.slot(slotAt(9)).Taken != 2 {
		t.Fatalf("lost its place: %+v", m.Booking)
	}
	m = do[BookingAnswer](w, Move{Ref: a.Booking.Ref, To: slotAt(10)})
	w.verdict(m.Verdict, reason.Allow, "")
	b := m.Booking
	if b.Slot != slotAt(10) || b.Moves != 1 || b.Members[0].Gen != 1 || b.Members[1].Gen != 1 || b.Members[0].Pass != a.Booking.Members[0].Pass {
		t.Errorf("%+v", b)
	}
	if got := w.slot(slotAt(9)); got.Taken != 0 || got.Withheld != 2 {
		t.Errorf("%+v", got)
	}
	list, _ := WithdrawalsAfter(w.mem.plain, 0, 10)
	if len(list) != 2 || list[0].Gen != 0 || list[1].Gen != 0 {
		t.Errorf("%+v", list)
	}
	// To another day, with the tags of that day.
	to := booking.MakeSlotID(mand, visitor, marketDay+4, 9*60)
	other := w.booking(to, 7)
	other.Members[0].Tag = id('u', 7)
	do[BookingAnswer](w, other)
	m = do[BookingAnswer](w, Move{Ref: b.Ref, To: to, Tags: [][16]byte{id('u', 1), id('u', 7)}})
	w.verdict(m.Verdict, reason.Refuse, booking.CodeSecond)
	do[BookingAnswer](w, Cancel{Ref: other.Ref})
	m = do[BookingAnswer](w, Move{Ref: b.Ref, To: to, Tags: [][16]byte{id('u', 1), id('u', 2)}})
	w.verdict(m.Verdict, reason.Allow, "")
	if _, ok := FindByTag(w.mem.plain, id('t', 1), mand, marketDay); ok {
		t.Error("still booked on the old day")
	}
	if _, ok := FindByTag(w.mem.plain, id('u', 2), mand, marketDay+4); !ok {
		t.Error("not booked on the new day")
	}
	if n := len(RosterOf(w.mem.plain, mand, marketDay)); n != 6 {
		t.Errorf("%d on the old day's list", n)
	}
	if got := RosterOf(w.mem.plain, mand, marketDay+4); len(got) != 2 || got[1].Ref != b.Ref {
		t.Errorf("new day's list %+v", got)
	}
	w.rebuilt()
}

func TestMoveFromQueue(t *testing.T) {
	w := newWorld(t, lawWith(t, small...))
	refs := w.fill(slotAt(9))
	q := w.wait(false, slotAt(9), 1).Booking
	do[BookingAnswer](w, Cancel{Ref: refs[0]})
	do[AcknowledgeAnswer](w, Acknowledge{Serial: 1})
	if w.stands(q.Ref).Status != booking.Offered {
		t.Fatal("no offer")
	}
	m := do[BookingAnswer](w, Move{Ref: q.Ref, To: slotAt(10)})
	w.verdict(m.Verdict, reason.Allow, "")
	if m.Booking.Status != booking.Booked || m.Booking.Members[0].Gen != 0 {
		t.Errorf("%+v", m.Booking)
	}
	if got := w.slot(slotAt(9)); got.Offered != 0 || got.Withheld != 0 || got.Free() != 1 {
		t.Errorf("%+v", got)
	}
	w.rebuilt()
}

func TestReissue(t *testing.T) {
	w := newWorld(t, lawWith(t, small...))
	b := w.book(slotAt(9), 1, 2).Booking
	a := do[BookingAnswer](w, Reissue{Ref: b.Ref, Member: 1, Officer: "clerk"})
	w.verdict(a.Verdict, reason.Allow, "")
	if a.Booking.Members[0].Gen != 0 || a.Booking.Members[1].Gen != 1 || a.Booking.Members[1].Place != b.Members[1].Place {
		t.Errorf("%+v", a.Booking.Members)
	}
	if got := w.slot(slotAt(9)); got.Taken != 2 || got.Withheld != 0 {
		t.Errorf("a reissue gave a place back: %+v", got)
	}
	if list, _ := WithdrawalsAfter(w.mem.plain, 0, 10); len(list) != 1 || list[0].Pass != b.Members[1].Pass || list[0].Gen != 0 {
		t.Errorf("%+v", list)
	}
	w.fails(Reissue{Ref: b.Ref, Member: 2}, problem.Invalid, "booking.member")
	w.fill(slotAt(10))
	q := w.wait(false, slotAt(10), 3).Booking
	w.verdict(do[BookingAnswer](w, Reissue{Ref: q.Ref}).Verdict, reason.Refuse, booking.CodeNoPass)
	for range 254 {
		do[BookingAnswer](w, Reissue{Ref: b.Ref, Member: 1})
	}
	w.fails(Reissue{Ref: b.Ref, Member: 1}, problem.Limit, "booking.generations")
	w.fails(Move{Ref: b.Ref, To: slotAt(11)}, problem.Limit, "booking.generations")
	w.rebuilt()
}

// An edition that takes places away leaves an excess, which can only fall; one that
// gives places lets those who wait in.
func TestAllotmentFollowsEdition(t *testing.T) {
	w := newWorld(t, lawWith(t, small...))
	s := slotAt(9)
	refs := w.fill(s)
	q := w.wait(true, s, 1).Booking.Ref
	w.law = lawWith(t, "site: mand-pishin, value: 400", "site: mand-pishin, value: 8")
	do[SweepAnswer](w, Sweep{Slots: []booking.SlotID{s}})
	if got := w.slot(s); got.Allotment != 4 || got.Taken != 6 || got.Excess != 2 || got.Free() != 0 {
		t.Fatalf("%+v", got)
	}
	do[BookingAnswer](w, Cancel{Ref: refs[0]})
	do[AcknowledgeAnswer](w, Acknowledge{Serial: 1})
	if got := w.slot(s); got.Excess != 1 || got.Taken != 5 || w.stands(q).Status != booking.Waiting {
		t.Fatalf("%+v", got)
	}
	w.law = lawWith(t, "site: mand-pishin, value: 400", "site: mand-pishin, value: 20")
	do[SweepAnswer](w, Sweep{Slots: []booking.SlotID{s}})
	if got := w.slot(s); got.Excess != 0 || got.Allotment != 10 || w.stands(q).Status != booking.Booked {
		t.Fatalf("%+v, %+v", got, w.stands(q))
	}
	w.rebuilt()
}

// The two allotments of every slot add up to no more than its capacity.
func TestAllotments(t *testing.T) {
	law := lawWith(t)
	n := 0
	for day := marketDay; day < marketDay+7; day++ {
		for site := uint16(1); site <= 3; site++ {
			for _, class := range []uint8{visitor, vendor} {
				for _, p := range law.Slots(site, day, class) {
					n++
					if p.Allotment["A"]+p.Allotment["B"] > p.Capacity || p.Capacity == 0 {
						t.Errorf("%+v", p)
					}
				}
			}
		}
	}
	if n == 0 {
		t.Fatal("no slots in a week")
	}
}

// vendorSlot is the first slot of vendors on the market day, with one place for each side.
func vendorSlot(t testing.TB) (*Law, booking.SlotID) {
	law := lawWith(t, "from: 2023-05-18, value: 120, source: example", "from: 2023-05-18, value: 2, source: example")
	for m := range uint16(24 * 60) {
		if p, ok := law.Slot(mand, vendor, marketDay, m); ok && p.Allotment["A"] == 1 {
			return law, booking.MakeSlotID(mand, vendor, marketDay, m)
		}
	}
	t.Fatal("no slot of vendors with one place")
	return nil, 0
}

// A standing acceptance is granted only as far as the law lets it when the place is
// there. Who is passed over keeps the position, and keeps nobody waiting.
func TestStandingAsksTheLaw(t *testing.T) {
	law, s := vendorSlot(t)
	w := newWorld(t, law)
	card := func(n uint64, suspended bool) {
		do[EnrolAnswer](w, Enrol{Register: id('r', n), Vendor: market.Vendor{Card: "V-1", Site: mand, From: 1, Until: 60000, Suspended: suspended}, Officer: "manager"})
	}
	book := func(n uint64, waits bool) booking.Booking {
		c := w.booking(s, n)
		c.Members[0].Register = id('r', n)
		c.Waits, c.Standing = waits, waits
		return do[BookingAnswer](w, c).Booking
	}
	back := func(r booking.Ref) {
		do[BookingAnswer](w, Cancel{Ref: r})
		_, last := WithdrawalsAfter(w.mem.plain, 0, 1)
		do[AcknowledgeAnswer](w, Acknowledge{Serial: last})
	}
	for n := range uint64(5) {
		card(n+1, false)
	}
	first, second, third := book(1, false), book(2, true), book(3, true)
	if first.Status != booking.Booked || second.Status != booking.Waiting || third.Status != booking.Waiting {
		t.Fatalf("%v, %v, %v", first.Status, second.Status, third.Status)
	}
	card(2, true)
	back(first.Ref)
	if b := w.stands(second.Ref); b.Status != booking.Waiting || b.Passed != reason.Refuse || len(b.PassedWhy) == 0 || b.PassedWhy[0].Clause == "" {
		t.Errorf("the law was not asked: %+v", b)
	}
	if b := w.stands(third.Ref); b.Status != booking.Booked {
		t.Errorf("the next in order was not asked: %+v", b)
	}
	// It keeps nobody waiting, and is not said over and over.
	back(third.Ref)
	n := len(w.mem.Facts())
	for range 3 {
		do[SweepAnswer](w, Sweep{Slots: []booking.SlotID{s}})
	}
	if got := len(w.mem.Facts()); got != n {
		t.Errorf("%d facts of nothing new", got-n)
	}
	fourth := book(4, false)
	if fourth.Status != booking.Booked {
		t.Errorf("kept waiting by a party that may not come: %+v", fourth)
	}
	// What is mended in time counts, at the old position.
	fifth := book(5, true)
	card(2, false)
	back(fourth.Ref)
	if b := w.stands(second.Ref); b.Status != booking.Booked || b.Passed != reason.None || b.PassedWhy != nil || w.stands(fifth.Ref).Status != booking.Waiting {
		t.Errorf("%+v, %+v", b, w.stands(fifth.Ref))
	}
	w.rebuilt()
}

// An offer that nobody took ends wherever it stands in the queue: here behind a family
// that was too large for the places when it was made.
func TestOfferEndsBehindOthers(t *testing.T) {
	w := newWorld(t, lawWith(t, small...))
	s := slotAt(9)
	refs := w.fill(s)
	family := w.wait(false, s, 1, 2, 3, 4, 5).Booking.Ref
	single := w.wait(false, s, 6).Booking.Ref
	w.law = lawWith(t, "site: mand-pishin, value: 400", "site: mand-pishin, value: 8")
	do[SweepAnswer](w, Sweep{Slots: []booking.SlotID{s}})
	for _, r := range refs[:3] {
		do[BookingAnswer](w, Cancel{Ref: r})
	}
	do[AcknowledgeAnswer](w, Acknowledge{Serial: 3})
	if w.stands(single).Status != booking.Offered {
		t.Fatalf("%+v", w.stands(single))
	}
	w.law = lawWith(t, small...)
	w.now = w.now.Add(30 * 60e9)
	do[SweepAnswer](w, Sweep{Slots: []booking.SlotID{s}})
	if w.stands(single).Status != booking.Lapsed || w.stands(family).Status != booking.Waiting || w.slot(s).Offered != 0 {
		t.Errorf("single %v, family %v, %+v", w.stands(single).Status, w.stands(family).Status, w.slot(s))
	}
	w.rebuilt()
}
