// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package service

import (
	"testing"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/gate"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/reason"
)

// sides are the servers of both sides at half past nine of the market day, each with six
// places in a slot, which have told each other nothing yet but that nothing is withdrawn.
func sides(t tester, law *Law) (a, b *world) {
	a, b = newWorldOf(t, law, agreement.A), newWorldOf(t, law, agreement.B)
	b.n = 1 << 32 // passes and references are random: no two sides give the same
	for _, w := range []*world{a, b} {
		w.reads(map[*world]*world{a: b, b: a}[w])
	}
	return a, b
}

func (w *world) name() string { return string(w.mem.side) }

// reads does what one pull of the other side's list of withdrawals does: what was heard
// is acknowledged, and what is new is written down.
func (w *world) reads(o *world) {
	w.t.Helper()
	h := HeardOf(w.mem.plain, w.mem.side)
	acks, _ := o.mem.plain.Booking.Acks.Get(0)
	c := Withdrawn{Side: o.name(), List: acks.List, Upto: h.Serial}
	ack := Acknowledge{Serial: h.Serial, List: h.List}
	for _, u := range h.Used {
		ack.Used = append(ack.Used, booking.UsedPass{Serial: u.Serial, Pass: u.Pass})
	}
	if h.List != acks.List {
		c.Upto = 0
	} else {
		c.Acked = do[AcknowledgeAnswer](o, ack).Heard
	}
	c.Entries, _ = WithdrawalsAfter(o.mem.plain, c.Upto, 1000)
	c.Upto += uint64(len(c.Entries))
	do[WithdrawnAnswer](w, c)
}

// gateOf is the number of a gate of the side at Mand–Pishin.
func (w *world) gateOf() uint16 {
	e, _ := w.law.Edition(w.now)
	s, _ := e.SiteNumbered(mand)
	for _, g := range s.Gates {
		if g.Side == w.mem.side {
			return g.Number
		}
	}
	return 0
}

// enters lets somebody in at the side's own gate with a pass of either side.
func (w *world) enters(o *world, b booking.Booking, member int) ScanAnswer {
	w.t.Helper()
	s := w.scan(o.claims(b, member))
	s.Gate = w.gateOf()
	return do[ScanAnswer](w, s)
}

// leaves lets somebody out.
func (w *world) leaves(o *world, b booking.Booking, member int) ScanAnswer {
	w.t.Helper()
	s := w.out(o.claims(b, member))
	s.Gate = w.gateOf()
	return do[ScanAnswer](w, s)
}

// A pass that was let in at the other side's gate before that side heard that it was
// withdrawn keeps its place, and its booking is used.
func TestEnteredElsewhereThenCancelled(t *testing.T) {
	a, b := sides(t, lawWith(t, small...))
	refs := a.fill(slotAt(9))
	party := a.book(slotAt(10), 1, 2).Booking
	a.now, b.now = at("09:30"), at("09:30")
	b.reads(a)
	b.verdict(b.enters(a, a.stands(refs[0]), 0).Verdict, reason.Allow, "")
	do[BookingAnswer](a, Cancel{Ref: refs[0]}) // on the telephone, from inside
	do[BookingAnswer](a, Cancel{Ref: refs[1]}) // somebody who never came
	b.reads(a)
	b.reads(a)
	if got := a.slot(slotAt(9)); got.Taken != 5 || got.Withheld != 0 || got.Free() != 1 {
		t.Errorf("slot %+v: the place of somebody who is inside is for sale", got)
	}
	if st, never := a.stands(refs[0]).Status, a.stands(refs[1]).Status; st != booking.Used || never != booking.Cancelled {
		t.Errorf("status %v and %v", st, never)
	}
	a.verdict(a.book(slotAt(9), 100).Verdict, reason.Refuse, booking.CodeSecond) // who is inside has had a booking today
	a.verdict(a.book(slotAt(9), 50).Verdict, reason.Allow, "")
	a.verdict(a.book(slotAt(9), 51).Verdict, reason.Refuse, booking.CodeFull)
	a.verdict(do[BookingAnswer](a, Cancel{Ref: refs[0]}).Verdict, reason.Refuse, booking.CodeUsed)

	// Of a party only the places of those who came stay taken.
	a.now, b.now = at("10:10"), at("10:10")
	b.verdict(b.enters(a, party, 1).Verdict, reason.Allow, "")
	do[BookingAnswer](a, Cancel{Ref: party.Ref})
	b.reads(a)
	b.reads(a)
	b.reads(a) // told again: once is enough
	if got := a.slot(slotAt(10)); got.Taken != 1 || got.Withheld != 0 || a.stands(party.Ref).Status != booking.Used {
		t.Errorf("slot %+v, booking %+v", got, a.stands(party.Ref))
	}
	// A booking that was moved away is used too.
	moved := a.book(slotAt(11), 7).Booking
	a.now, b.now = at("11:10"), at("11:10")
	b.verdict(b.enters(a, moved, 0).Verdict, reason.Allow, "")
	do[BookingAnswer](a, Move{Ref: moved.Ref, To: slotAt(13)})
	b.reads(a)
	b.reads(a)
	if a.slot(slotAt(11)).Taken != 1 || a.slot(slotAt(13)).Taken != 1 || a.stands(moved.Ref).Status != booking.Used {
		t.Errorf("moved: slots %+v %+v, booking %+v", a.slot(slotAt(11)), a.slot(slotAt(13)), a.stands(moved.Ref))
	}
	// What both know is not said for ever.
	do[BookingAnswer](a, Cancel{Ref: a.book(slotAt(12), 8).Booking.Ref})
	b.reads(a)
	b.reads(a)
	if h := HeardOf(b.mem.plain, "B"); len(h.Used) != 0 || h.Serial != 6 {
		t.Errorf("still said: %+v", h)
	}
	a.rebuilt()
	b.rebuilt()
}

// A used pass is named by its serial and its id, and of this list: nothing else counts.
func TestUsedElsewhereIsExact(t *testing.T) {
	w := newWorld(t, lawWith(t, small...))
	refs := w.fill(slotAt(9))
	do[BookingAnswer](w, Cancel{Ref: refs[0]})
	do[BookingAnswer](w, Cancel{Ref: refs[1]})
	p := w.stands(refs[0]).Members[0].Pass
	for _, c := range []Acknowledge{
		{Used: []booking.UsedPass{{Serial: 2, Pass: p}}},          // another's
		{Used: []booking.UsedPass{{Serial: 9, Pass: p}}},          // none
		{List: 7, Used: []booking.UsedPass{{Serial: 1, Pass: p}}}, // another list
	} {
		do[AcknowledgeAnswer](w, c)
	}
	if got := w.slot(slotAt(9)); got.Taken != 4 || got.Withheld != 2 {
		t.Errorf("%+v", got)
	}
	do[AcknowledgeAnswer](w, Acknowledge{Serial: 2})
	do[AcknowledgeAnswer](w, Acknowledge{Used: []booking.UsedPass{{Serial: 1, Pass: p}, {Serial: 1, Pass: p}}}) // too late to keep the place
	if got := w.slot(slotAt(9)); got.Taken != 4 || got.Free() != 2 || w.stands(refs[0]).Status != booking.Used {
		t.Errorf("%+v, %+v", got, w.stands(refs[0]))
	}
	w.rebuilt()
}

// A server that was restored from an older copy gives serials that the other side has
// heard already to other passes. It begins another list, the other side reads that from
// its beginning, and what was said of the list before counts for nothing.
func TestListBegunAnew(t *testing.T) {
	a, b := sides(t, lawWith(t, small...))
	refs := a.fill(slotAt(9))
	past := len(a.mem.Facts()) // the copy
	lost := a.claims(a.stands(refs[5]), 0)
	for _, r := range refs[3:] {
		do[BookingAnswer](a, Cancel{Ref: r})
	}
	b.reads(a)
	b.reads(a)

	again := newWorldOf(t, a.law, agreement.A)
	again.n = a.n
	for _, h := range a.mem.Facts()[:past] {
		Apply(again.mem.plain, h.At, h.Fact)
	}
	again.mem.facts = a.mem.Facts()[:past]
	if l := do[BeginListAnswer](again, BeginList{List: 77}).List; l != 77 || do[BeginListAnswer](again, BeginList{List: 77}).List != 77 {
		t.Fatalf("list %d", l)
	}
	// Another pass gets the first serial.
	do[BookingAnswer](again, Cancel{Ref: refs[0]})
	do[AcknowledgeAnswer](again, Acknowledge{Serial: 3}) // of the list before
	if got := again.slot(slotAt(9)); got.Withheld != 1 {
		t.Errorf("an acknowledgement of another list was taken: %+v", got)
	}
	again.now, b.now = at("09:30"), at("09:30")
	b.reads(again)
	if got := again.slot(slotAt(9)); got.Withheld != 1 {
		t.Errorf("sold before it was heard: %+v", got)
	}
	b.reads(again)
	if got := again.slot(slotAt(9)); got.Withheld != 0 || got.Free() != 1 {
		t.Errorf("heard, and still withheld: %+v", got)
	}
	// The other side refuses what it has heard of either list.
	b.verdict(b.enters(again, again.stands(refs[1]), 0).Verdict, reason.Allow, "")
	s := b.scan(lost)
	s.Gate = b.gateOf()
	b.verdict(do[ScanAnswer](b, s).Verdict, reason.Refuse, gate.CodeWithdrawn)
	first := b.scan(lost)
	first.Gate, first.Claims.ID = b.gateOf(), a.stands(refs[0]).Members[0].Pass
	b.verdict(do[ScanAnswer](b, first).Verdict, reason.Refuse, gate.CodeWithdrawn)
	// A page of another list that does not begin at its beginning is not taken.
	b.fails(Withdrawn{Side: "A", List: 5, Upto: 9, Entries: []WithdrawnPass{{Serial: 9}}}, problem.Conflict, "gate.list.other")
	again.rebuilt()
	b.rebuilt()
}
