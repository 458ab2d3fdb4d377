// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package service

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/gate"
	"darwaza.dev/internal/pass"
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
	if w != o {
		s.Tag = b.Members[member].Tag // the document was read, and fits
	}
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

// watches does what one pull of the other side's movements does.
func (w *world) watches(o *world) {
	w.t.Helper()
	acks, _ := o.mem.plain.Booking.Acks.Get(0)
	h := w.mem.plain.Gate.MovesRead(o.mem.side)
	c := gate.MovesHeard{Side: o.name(), List: acks.List, Upto: h.Serial}
	if h.List != acks.List {
		c.Upto = 0
	}
	c.Moves, _ = o.mem.plain.Gate.MovesAfter(c.Upto, gate.MaxMoves)
	c.Upto += uint64(len(c.Moves))
	do[MovementsAnswer](w, Movements{Heard: c})
}

// both is how many people are inside, by each side's own count.
func (w *world) both(o *world, here, there uint32) {
	w.t.Helper()
	if w.day().Inside != here || o.day().Inside != there {
		w.t.Errorf("inside %d at %s and %d at %s, want %d and %d", w.day().Inside, w.name(), o.day().Inside, o.name(), here, there)
	}
}

// open are two sides in the morning of the market day that have heard of each other.
func open(t testing.TB) (a, b *world) {
	a, b = sides(t, lawWith(t, small...))
	a.now, b.now = at("09:10"), at("09:10")
	a.reads(b)
	b.reads(a)
	return a, b
}

func (w *world) tick(o *world) { w.now, o.now = w.now.Add(5*60e9), o.now.Add(5*60e9) }

// Who came by one gate and left by the other is inside nowhere, and each person is
// counted at one side only; a booking that was used at the other side's gate is used.
func TestMovementsAreTold(t *testing.T) {
	a, b := open(t)
	c := a.booking(slotAt(9), 1)
	c.Members[0].Children = 2
	own := do[BookingAnswer](a, c).Booking // by its own gate, out by the other
	over := a.book(slotAt(9), 2).Booking   // by the other gate, out by its own
	there := a.book(slotAt(9), 3).Booking  // in and out by the other gate
	none := a.book(slotAt(9), 4).Booking   // does not come
	theirs := b.book(slotAt(9), 5).Booking // of the other side, by its own gate, out here
	a.verdict(a.enters(a, own, 0).Verdict, reason.Allow, "")
	b.verdict(b.enters(a, over, 0).Verdict, reason.Allow, "")
	b.verdict(b.enters(a, there, 0).Verdict, reason.Allow, "")
	b.verdict(b.enters(b, theirs, 0).Verdict, reason.Allow, "")
	a.both(b, 3, 3)
	a.tick(b)
	a.watches(b)
	b.watches(a)
	if a.stands(over.Ref).Status != booking.Used || a.stands(there.Ref).Status != booking.Used {
		t.Error("a booking that was used at the other side's gate is not used")
	}
	a.verdict(do[BookingAnswer](a, Cancel{Ref: over.Ref}).Verdict, reason.Refuse, booking.CodeUsed)
	a.tick(b)
	b.leaves(a, own, 0)
	b.leaves(a, there, 0)
	out := a.leaves(a, over, 0)
	a.verdict(out.Verdict, reason.Allow, "")
	if len(out.Verdict.Reasons) != 0 {
		t.Errorf("an exit of somebody who was heard to enter: %v", out.Verdict.Reasons)
	}
	a.leaves(b, theirs, 0)
	a.tick(b)
	a.watches(b)
	b.watches(a)
	if n := len(a.mem.Facts()); do[MovementsAnswer](a, Movements{Heard: gate.MovesHeard{Side: "B", Upto: 1, Moves: []gate.Move{{Serial: 1}}}}).Serial != 4 || len(a.mem.Facts()) != n {
		t.Error("what was heard is heard again")
	}
	a.both(b, 0, 0)
	if d := a.day(); d.Over != 3 || d.DwellCount != 1 || d.DwellTotal != 10*60e9 || d.Inside+d.Exits+d.Over != d.Entries+d.Unmatched {
		t.Errorf("%+v", d)
	}
	if d := b.day(); d.Over != 2 || d.Inside+d.Exits+d.Over != d.Entries+d.Unmatched {
		t.Errorf("%+v", d)
	}
	a.now, b.now = at("20:00"), at("20:00")
	s := do[SettleAnswer](a, Settle{Site: mand, Day: marketDay, Officer: "supervisor", Bookings: []booking.Ref{own.Ref, over.Ref, there.Ref, none.Ref}})
	if s.NoShows != 1 || s.People != 0 || a.stands(none.Ref).Status != booking.NoShow {
		t.Errorf("settled %+v", s)
	}
	a.rebuilt()
	b.rebuilt()
}

// While the line is down each side settles what it knows. What is heard afterwards
// corrects it: no no-show is left, and nobody stays inside.
func TestMovementsAfterSettling(t *testing.T) {
	a, b := open(t)
	used, out := a.book(slotAt(9), 1).Booking, a.book(slotAt(9), 2).Booking
	b.enters(a, used, 0) // and never scanned out
	back := a.book(slotAt(9), 3).Booking
	b.enters(a, back, 0)
	a.tick(b)
	a.leaves(a, back, 0) // no entry was seen or heard
	b.watches(a)
	a.both(b, 0, 1)
	a.enters(a, out, 0)
	a.tick(b)
	b.leaves(a, out, 0)
	a.now, b.now = at("20:00"), at("20:00")
	s := do[SettleAnswer](a, Settle{Site: mand, Day: marketDay, Officer: "supervisor", Bookings: []booking.Ref{used.Ref, out.Ref}})
	if s.NoShows != 1 || s.People != 1 {
		t.Fatalf("settled %+v", s)
	}
	do[SettleAnswer](b, Settle{Site: mand, Day: marketDay, Officer: "supervisor"})
	a.watches(b)
	if st := a.stands(used.Ref).Status; st != booking.Used {
		t.Errorf("status %v", st)
	}
	if n := DayFigures(a.mem.plain, mand, marketDay).Stats.NoShow; n != 0 {
		t.Errorf("%d no-shows", n)
	}
	a.both(b, 0, 0)
	if e, _ := a.mem.plain.Gate.Elsewhere.Get(used.Members[0].Pass); e.Inside || !e.Used {
		t.Errorf("%+v", e)
	}
	a.rebuilt()
	b.rebuilt()
}

// A pass that is inside by one gate is not let in by the other without a person who
// looks; where neither gate could know, both entries stand and are shown.
func TestTwoGates(t *testing.T) {
	a, b := open(t)
	x, y := a.book(slotAt(9), 1).Booking, a.book(slotAt(9), 2).Booking
	b.verdict(b.enters(a, x, 0).Verdict, reason.Allow, "")
	a.enters(a, y, 0)
	a.tick(b)
	b.verdict(b.enters(a, y, 0).Verdict, reason.Allow, "") // a copy, and the line is down
	a.watches(b)
	b.watches(a)
	if d := a.day(); d.Doubles != 1 || d.Inside != 1 {
		t.Errorf("%+v", d)
	}
	if p, _ := PresenceOf(a.mem.plain, y.Members[0].Pass); !p.Twice || !p.Inside {
		t.Errorf("not shown: %+v", p)
	}
	a.both(b, 1, 2)
	// The line is up: the second entry waits for an officer, who finds that the way out
	// was not scanned, and each person is counted once again.
	s := a.enters(a, x, 0)
	a.verdict(s.Verdict, reason.Refer, gate.CodeElsewhere)
	a.both(b, 1, 2)
	do[ScanAnswer](a, DecideScan{Pass: x.Members[0].Pass, Serial: s.Scan.Serial, Admit: true, Why: "mistake", Officer: "supervisor", Gate: a.gateOf()})
	b.watches(a)
	a.both(b, 2, 1)
	a.tick(b)
	a.leaves(a, x, 0)
	a.leaves(a, y, 0)
	b.leaves(a, y, 0)
	a.watches(b)
	b.watches(a)
	a.both(b, 0, 0)
	// Who has left by the one gate may come in again by it, though they came by the other.
	z := a.book(slotAt(9), 3).Booking
	b.enters(a, z, 0)
	a.tick(b)
	a.watches(b)
	a.leaves(a, z, 0)
	a.tick(b)
	a.verdict(a.enters(a, z, 0).Verdict, reason.Allow, "")
	b.watches(a)
	a.both(b, 1, 0)
	a.rebuilt()
	b.rebuilt()
}

// A mistake at the other side's gate is taken back here too.
func TestMovementsUndone(t *testing.T) {
	a, b := open(t)
	in, out := a.book(slotAt(9), 1).Booking, a.book(slotAt(9), 2).Booking
	e := b.enters(a, in, 0)
	a.enters(a, out, 0)
	a.tick(b)
	o := b.leaves(a, out, 0)
	a.watches(b)
	a.both(b, 0, 1)
	a.tick(b)
	do[ScanAnswer](b, UndoScan{Pass: in.Members[0].Pass, Serial: e.Scan.Serial, Officer: "gate"})
	do[ScanAnswer](b, UndoScan{Pass: out.Members[0].Pass, Serial: o.Scan.Serial, Officer: "gate"})
	a.watches(b)
	a.both(b, 1, 0)
	if a.stands(in.Ref).Status != booking.Booked || a.stands(out.Ref).Status != booking.Used {
		t.Errorf("status %v and %v", a.stands(in.Ref).Status, a.stands(out.Ref).Status)
	}
	if d := a.day(); d.Over != 0 || d.DwellCount != 0 || d.DwellTotal != 0 {
		t.Errorf("%+v", d)
	}
	a.rebuilt()
}

// A server that was restored tells what it knows from the beginning: what was heard
// before is not undone by it, and what is new is heard.
func TestMovementsOfAnotherList(t *testing.T) {
	a, b := open(t)
	x, y := a.book(slotAt(9), 1).Booking, a.book(slotAt(9), 2).Booking
	b.enters(a, x, 0)
	a.tick(b)
	past := b.mem.Facts()
	b.leaves(a, x, 0)
	a.watches(b)
	again := newWorldOf(t, b.law, agreement.B)
	again.now = b.now
	for _, h := range past {
		Apply(again.mem.plain, h.At, h.Fact)
	}
	again.mem.facts = past
	do[BeginListAnswer](again, BeginList{List: 9})
	a.tick(again)
	again.enters(a, y, 0) // under a serial that was heard already
	a.watches(again)
	if e, _ := a.mem.plain.Gate.Elsewhere.Get(x.Members[0].Pass); e.Inside || !e.Used {
		t.Errorf("the way out was forgotten: %+v", e)
	}
	if a.stands(y.Ref).Status != booking.Used {
		t.Errorf("not heard: %v", a.stands(y.Ref).Status)
	}
	// And one that has lost even the entry says nothing against it.
	lost := newWorldOf(t, b.law, agreement.B)
	do[BeginListAnswer](lost, BeginList{List: 11})
	again.tick(a)
	lost.now = a.now
	do[WithdrawnAnswer](lost, Withdrawn{Side: "A"})
	lost.leaves(a, x, 0)
	a.watches(lost)
	if e, _ := a.mem.plain.Gate.Elsewhere.Get(x.Members[0].Pass); !e.Used || e.List != 11 {
		t.Errorf("the entry was forgotten: %+v", e)
	}
	a.watches(again)
	for _, bad := range []gate.MovesHeard{
		{Side: "B", List: 9, Upto: 9, Moves: []gate.Move{{Serial: 9}}}, {Side: "B", List: 8, Upto: 3, Moves: []gate.Move{{Serial: 3}}},
	} {
		a.fails(Movements{Heard: bad}, problem.Conflict, "gate.list.other")
	}
	a.fails(Movements{Heard: gate.MovesHeard{Side: "B", List: 9, Upto: 3, Moves: []gate.Move{{Serial: 1}, {Serial: 3}}}}, problem.Invalid, "gate.list.order")
	a.fails(Movements{Heard: gate.MovesHeard{Side: "A"}}, problem.Invalid, "gate.list.side")
	a.fails(Movements{Heard: gate.MovesHeard{Side: "B", Moves: make([]gate.Move, gate.MaxMoves+1)}}, problem.Limit, "gate.list.size")
	a.rebuilt()
	again.rebuilt()
}

// hears does what one pull of the other side's claims does.
func (w *world) hears(o *world) {
	w.t.Helper()
	acks, _ := o.mem.plain.Booking.Acks.Get(0)
	list, _, upto := w.mem.plain.Booking.ClaimsRead(0, 0)
	c := booking.ClaimsHeard{List: acks.List, Whole: true}
	if list != acks.List {
		upto = 0
	}
	c.Changes, c.Upto = o.mem.plain.Booking.ChangesAfter(upto, booking.MaxClaims)
	for _, k := range []booking.RosterKey{{Site: mand, Day: marketDay}, {Site: mand, Day: marketDay + 4}} {
		_, pos, _ := w.mem.plain.Booking.ClaimsRead(k.Site, k.Day)
		if list != acks.List {
			pos = 0
		}
		if d := o.mem.plain.Booking.ClaimsAfter(k.Site, k.Day, pos, booking.MaxClaims); d.Upto > pos {
			c.Days = append(c.Days, d)
		}
	}
	do[ClaimsAnswer](w, Claims{Heard: c})
}

// A person has one active booking at a site on a day, on whichever side it was made.
func TestClaimsAreTold(t *testing.T) {
	a, b := sides(t, lawWith(t, small...))
	first := a.book(slotAt(9), 1, 2).Booking
	b.hears(a)
	b.verdict(b.book(slotAt(10), 3, 1).Verdict, reason.Refuse, booking.CodeTheirs)
	b.verdict(b.book(slotAt(10), 3).Verdict, reason.Allow, "")
	// Nor by a way round over another day.
	c := b.booking(booking.MakeSlotID(mand, visitor, marketDay+4, 9*60), 2)
	c.Members[0].Tag = id('u', 2)
	b.verdict(do[BookingAnswer](b, c).Verdict, reason.Allow, "")
	b.verdict(do[BookingAnswer](b, Move{Ref: c.Ref, To: slotAt(10), Tags: [][16]byte{id('t', 2)}}).Verdict, reason.Refuse, booking.CodeTheirs)
	// Who gives it back is free to book with the other side, once that is heard.
	do[BookingAnswer](a, Cancel{Ref: first.Ref})
	b.verdict(b.book(slotAt(10), 1).Verdict, reason.Refuse, booking.CodeTheirs)
	b.hears(a)
	b.verdict(b.book(slotAt(10), 1).Verdict, reason.Allow, "")
	a.hears(b)
	a.verdict(a.book(slotAt(9), 1).Verdict, reason.Refuse, booking.CodeTheirs)
	a.verdict(a.book(slotAt(9), 2).Verdict, reason.Allow, "")
	// What was heard once is not heard again, and a booking made anew after a change counts.
	n := len(b.mem.Facts())
	b.hears(a)
	b.hears(a)
	if got := len(b.mem.Facts()); got != n+1 {
		t.Errorf("%d facts", got-n)
	}
	b.verdict(b.book(slotAt(11), 2).Verdict, reason.Refuse, booking.CodeTheirs)
	// The queue counts as a booking, here as there; its end too.
	a.fill(slotAt(12))
	w := a.wait(false, slotAt(12), 9).Booking
	b.hears(a)
	b.verdict(b.book(slotAt(11), 9).Verdict, reason.Refuse, booking.CodeTheirs)
	a.now, b.now = at("13:00"), at("10:30")
	do[SweepAnswer](a, Sweep{Slots: []booking.SlotID{slotAt(12)}})
	if a.stands(w.Ref).Status != booking.Lapsed {
		t.Fatalf("%+v", a.stands(w.Ref))
	}
	b.hears(a)
	b.verdict(b.book(slotAt(11), 9).Verdict, reason.Allow, "")
	a.rebuilt()
	b.rebuilt()
}

// Both sides sell while the line is down, to the same people among others: neither sells
// more than its own places, both bookings of a person stand, and the second of them to be
// used waits for an officer, or is shown where neither gate could know.
func TestPartitionBothSell(t *testing.T) {
	a, b := open(t)
	s := slotAt(9)
	refsA, refsB := a.fill(s), b.fill(s)
	a.verdict(a.book(s, 50).Verdict, reason.Refuse, booking.CodeFull)
	b.verdict(b.book(s, 50).Verdict, reason.Refuse, booking.CodeFull)
	plan, _ := a.law.Slot(s.Site(), s.Class(), s.Day(), s.Minute())
	if n := a.slot(s).Taken + b.slot(s).Taken; n != plan.Capacity {
		t.Fatalf("%d sold of %d", n, plan.Capacity)
	}
	A := func(i int) booking.Booking { return a.stands(refsA[i]) }
	B := func(i int) booking.Booking { return b.stands(refsB[i]) }
	// Persons 100 to 105 have two bookings each. At one gate the second use is seen at once.
	a.verdict(a.enters(a, A(0), 0).Verdict, reason.Allow, "")
	a.verdict(a.enters(b, B(0), 0).Verdict, reason.Refer, gate.CodePerson)
	a.verdict(a.enters(b, B(1), 0).Verdict, reason.Allow, "")
	a.verdict(a.enters(a, A(1), 0).Verdict, reason.Refer, gate.CodePerson)
	// At two gates it is not: both come in, and it is shown when the line is up.
	a.verdict(a.enters(a, A(2), 0).Verdict, reason.Allow, "")
	b.verdict(b.enters(b, B(2), 0).Verdict, reason.Allow, "")
	a.tick(b)
	a.hears(b)
	b.hears(a)
	a.hears(b)
	if a.day().Doubles != 1 || b.day().Doubles != 1 {
		t.Errorf("shown %d times at A and %d times at B", a.day().Doubles, b.day().Doubles)
	}
	for _, w := range []struct {
		w *world
		b booking.Booking
	}{{a, A(2)}, {b, B(2)}} {
		if p, _ := PresenceOf(w.w.mem.plain, w.b.Members[0].Pass); !p.Twice {
			t.Errorf("not shown at %s: %+v", w.w.name(), p)
		}
	}
	if A(3).Status != booking.Booked || B(3).Status != booking.Booked {
		t.Error("a booking that was sold does not stand")
	}
	// The line is up: what was used with the one side waits for an officer at the other.
	a.verdict(a.enters(a, A(3), 0).Verdict, reason.Allow, "")
	b.hears(a)
	e := b.enters(b, B(3), 0)
	b.verdict(e.Verdict, reason.Refer, gate.CodePerson)
	b.verdict(a.enters(a, A(3), 0).Verdict, reason.Refer, gate.CodeTwiceIn)
	// An entry that was a mistake is no use of a booking.
	p, _ := PresenceOf(a.mem.plain, A(3).Members[0].Pass)
	do[ScanAnswer](a, UndoScan{Pass: p.Pass, Serial: p.Scans[0].Serial, Officer: "gate"})
	b.hears(a)
	b.verdict(b.enters(b, B(3), 0).Verdict, reason.Allow, "")
	p, _ = PresenceOf(a.mem.plain, B(1).Members[0].Pass)
	do[ScanAnswer](a, UndoScan{Pass: p.Pass, Serial: p.Scans[0].Serial, Officer: "gate"})
	a.verdict(a.enters(a, A(1), 0).Verdict, reason.Allow, "")
	a.reads(b)
	b.reads(a)
	for _, w := range []*world{a, b} {
		if got := w.slot(s); got.Taken+got.Withheld+got.Offered > got.Allotment+got.Excess || got.Excess != 0 {
			t.Errorf("oversold: %+v", got)
		}
		w.rebuilt()
	}
}

// A booking that is used at the other side's gate and cancelled before that is heard is
// no way to a second one there.
func TestClaimOfUsedElsewhere(t *testing.T) {
	a, b := open(t)
	x := a.book(slotAt(9), 1).Booking
	b.enters(a, x, 0)
	do[BookingAnswer](a, Cancel{Ref: x.Ref})
	b.hears(a)
	b.reads(a)
	b.reads(a)
	b.hears(a)
	b.verdict(b.book(slotAt(10), 1).Verdict, reason.Refuse, booking.CodeTheirs)
}

// Claims are read again from the beginning of another list. Those that it confirms are
// kept; one that it does not know any more holds nobody back once it is read to its end,
// unless its person has come in with it.
func TestClaimsOfAnotherList(t *testing.T) {
	a, b := sides(t, lawWith(t, small...))
	a.book(slotAt(9), 1)
	past := a.mem.Facts()
	a.book(slotAt(9), 2)
	a.book(slotAt(9), 4)
	b.hears(a)
	used := booking.ClaimChange{Serial: 1, Kind: booking.ClaimUsed, Tag: id('t', 4), Site: mand, Day: marketDay}
	do[ClaimsAnswer](b, Claims{Heard: booking.ClaimsHeard{Upto: 1, Changes: []booking.ClaimChange{used}}})
	again := newWorldOf(t, a.law, agreement.A)
	again.n = a.n
	for _, h := range past {
		Apply(again.mem.plain, h.At, h.Fact)
	}
	do[BeginListAnswer](again, BeginList{List: 5})
	again.book(slotAt(9), 3) // at a position that was read already
	// Until the other list is read to its end, nothing is known to be lost.
	acks, _ := again.mem.plain.Booking.Acks.Get(0)
	do[ClaimsAnswer](b, Claims{Heard: booking.ClaimsHeard{List: acks.List}})
	b.verdict(b.book(slotAt(10), 2).Verdict, reason.Refuse, booking.CodeTheirs)
	b.hears(again)
	for _, person := range []uint64{1, 3, 4} {
		b.verdict(b.book(slotAt(10), person).Verdict, reason.Refuse, booking.CodeTheirs)
	}
	b.verdict(b.book(slotAt(10), 2).Verdict, reason.Allow, "")
	day := func(pos, upto uint32) []booking.DayClaims {
		return []booking.DayClaims{{Site: mand, Day: marketDay, Upto: upto, Claims: []booking.HeardClaim{{Pos: pos, Tag: id('t', 8)}}}}
	}
	for _, bad := range []booking.ClaimsHeard{{List: 5, Days: day(1, 3)}, {List: 5, Days: day(3, 3)}, {List: 5, Days: day(0, 1)}, {List: 5, Upto: 2, Changes: []booking.ClaimChange{{Serial: 1}, {Serial: 3}}}} {
		b.fails(Claims{Heard: bad}, problem.Invalid, "booking.claims.order")
	}
	// A release says nothing of what was booked after it, though it is heard later.
	do[ClaimsAnswer](b, Claims{Heard: booking.ClaimsHeard{List: 5, Days: day(5, 6)}})
	do[ClaimsAnswer](b, Claims{Heard: booking.ClaimsHeard{List: 5, Upto: 1, Changes: []booking.ClaimChange{{Serial: 1, Kind: booking.ClaimReleased, Tag: id('t', 8), Site: mand, Day: marketDay, Pos: 5}}}})
	b.verdict(b.book(slotAt(10), 8).Verdict, reason.Refuse, booking.CodeTheirs)
	b.fails(Claims{Heard: booking.ClaimsHeard{List: 5, Upto: 7, Changes: []booking.ClaimChange{{Serial: 7}}}}, problem.Conflict, "booking.claims.other")
	b.fails(Claims{Heard: booking.ClaimsHeard{List: 5, Changes: make([]booking.ClaimChange, 2*booking.MaxClaims+1)}}, problem.Limit, "booking.claims.size")
	b.rebuilt()
}

// TestSidesAgainstModel plays two sides that sell to persons and parties, cancel, move,
// issue passes again, let people in and out by either gate, take entries back, and hear of
// each other now and then, against what really happened: whoever has come in holds a place
// of a slot that nobody else gets, no side sells above its allotment, nobody who is inside
// is left out of the count once both have heard everything, and nobody is inside once the
// day is settled.
func TestSidesAgainstModel(t *testing.T) {
	law := lawWith(t, "site: mand-pishin, value: 400", "site: mand-pishin, value: 8")
	slots := []booking.SlotID{slotAt(9), slotAt(10)}
	rapid.Check(t, func(rt *rapid.T) {
		a, b := sides(rt, law)
		a.now, b.now = at("09:40"), at("09:40")
		a.reads(b)
		b.reads(a)
		ws := []*world{a, b}
		type ticket struct {
			seller *world
			ref    booking.Ref
		}
		type place struct {
			slot booking.SlotID
			id   pass.ID
		}
		type entry struct {
			seller, gate *world
			place        place
			serial       uint64
		}
		var sold []ticket
		came := map[*world]map[place]int{a: {}, b: {}} // how often each has come in, on a pass of which seller
		inside := map[pass.ID]bool{}
		var ins []entry                 // of those inside, the last at the end
		given := map[booking.Ref]bool{} // has been cancelled
		person := uint64(0)
		side := func(t *rapid.T, name string) (w, o *world) {
			if rapid.Bool().Draw(t, name) {
				return a, b
			}
			return b, a
		}
		pick := func(t *rapid.T) ticket {
			if len(sold) == 0 {
				t.Skip("nothing sold")
			}
			return rapid.SampledFrom(sold).Draw(t, "ticket")
		}
		member := func(t *rapid.T, x ticket) (booking.Booking, int) {
			bk := x.seller.stands(x.ref)
			return bk, rapid.IntRange(0, len(bk.Members)-1).Draw(t, "member")
		}
		later := func() { a.now, b.now = a.now.Add(time.Second), b.now.Add(time.Second) }
		sync := func(w, o *world) { w.reads(o); w.watches(o); w.hears(o) }
		rt.Repeat(map[string]func(*rapid.T){
			"book": func(t *rapid.T) {
				w, _ := side(t, "seller")
				var ps []uint64
				for range rapid.IntRange(1, 3).Draw(t, "persons") {
					person++
					ps = append(ps, person)
				}
				if r := w.book(rapid.SampledFrom(slots).Draw(t, "slot"), ps...).Booking; r.Status == booking.Booked {
					sold = append(sold, ticket{w, r.Ref})
				}
			},
			"cancel": func(t *rapid.T) {
				x := pick(t)
				if do[BookingAnswer](x.seller, Cancel{Ref: x.ref}).Verdict.Outcome == reason.Allow {
					given[x.ref] = true
				}
			},
			"move": func(t *rapid.T) {
				x := pick(t)
				do[BookingAnswer](x.seller, Move{Ref: x.ref, To: rapid.SampledFrom(slots).Draw(t, "slot")})
			},
			"reissue": func(t *rapid.T) {
				x := pick(t)
				_, m := member(t, x)
				if v := do[BookingAnswer](x.seller, Reissue{Ref: x.ref, Member: uint8(m)}).Verdict; v.Outcome == reason.Allow && given[x.ref] {
					t.Fatalf("%s was given back, and has a new pass", x.ref)
				}
			},
			"in": func(t *rapid.T) {
				x := pick(t)
				w, _ := side(t, "gate")
				bk, m := member(t, x)
				id := bk.Members[m].Pass
				if inside[id] {
					t.Skip("a copy of a pass is another test")
				}
				later()
				bk.Status = booking.Booked // the paper is in the hand whatever became of the booking
				if r := w.enters(x.seller, bk, m); r.Verdict.Outcome == reason.Allow {
					p := place{bk.Slot, id}
					came[x.seller][p]++
					inside[id] = true
					ins = append(ins, entry{x.seller, w, p, r.Scan.Serial})
				}
			},
			"undo": func(t *rapid.T) {
				if len(ins) == 0 {
					t.Skip("nobody inside")
				}
				e := ins[len(ins)-1]
				ins = ins[:len(ins)-1]
				later()
				do[ScanAnswer](e.gate, UndoScan{Pass: e.place.id, Serial: e.serial, Officer: "gate"})
				delete(inside, e.place.id)
				if came[e.seller][e.place]--; came[e.seller][e.place] == 0 {
					delete(came[e.seller], e.place)
				}
			},
			"out": func(t *rapid.T) {
				x := pick(t)
				w, _ := side(t, "gate")
				bk, m := member(t, x)
				id := bk.Members[m].Pass
				if !inside[id] {
					t.Skip("not inside")
				}
				later()
				bk.Status = booking.Booked
				if v := w.leaves(x.seller, bk, m).Verdict; v.Outcome == reason.Allow {
					delete(inside, id)
					ins = slices.DeleteFunc(ins, func(e entry) bool { return e.place.id == id })
				}
			},
			"hear": func(t *rapid.T) {
				later()
				w, o := side(t, "reader")
				switch rapid.IntRange(0, 3).Draw(t, "what") {
				case 0:
					w.reads(o)
				case 1:
					w.watches(o)
				case 2:
					w.hears(o)
				default:
					sync(w, o)
				}
			},
			"": func(t *rapid.T) {
				for _, x := range sold {
					if st := x.seller.stands(x.ref).Status; given[x.ref] && st != booking.Cancelled && st != booking.Used {
						t.Fatalf("%s was given back, and is %v", x.ref, st)
					}
				}
				for _, w := range ws {
					for _, s := range slots {
						row := w.slot(s)
						if row.Taken+row.Withheld+row.Offered > row.Allotment || row.Excess != 0 {
							t.Fatalf("%s sold above its allotment: %+v", w.name(), row)
						}
						held := map[pass.ID]bool{}
						for _, x := range sold {
							bk := x.seller.stands(x.ref)
							if x.seller != w || bk.Slot != s || bk.Status != booking.Booked && bk.Status != booking.Used {
								continue
							}
							for _, m := range bk.Members {
								if h, _ := w.mem.plain.Booking.Holders.Get(m.Pass); !h.Gone {
									held[m.Pass] = true
								}
							}
						}
						for p := range came[w] {
							if p.slot == s {
								held[p.id] = true
							}
						}
						if len(held) > int(row.Allotment) {
							t.Fatalf("%s has given %d places of %d: somebody's who has come in was sold again: %+v", w.name(), len(held), row.Allotment, row)
						}
					}
				}
			},
		})
		a.t, b.t = rt, rt
		for range 3 {
			later()
			sync(a, b)
			sync(b, a)
		}
		if n := a.day().Inside + b.day().Inside; int(n) < len(inside) {
			rt.Errorf("%d are counted inside, and %d are", n, len(inside))
		}
		for _, x := range sold {
			bk, used := x.seller.stands(x.ref), false
			for _, m := range bk.Members {
				for p := range came[x.seller] {
					used = used || p.id == m.Pass
				}
			}
			if used != (bk.Status == booking.Used) {
				rt.Errorf("%s: somebody has come in: %v, and the booking is %v", x.ref, used, bk.Status)
			}
		}
		// Once both have heard everything, no place is kept for nobody: but for those of a
		// booking that was moved and then moved again or cancelled, as the other side cannot
		// know for which slot each of its passes was.
		for _, w := range ws {
			for _, s := range slots {
				want, more := 0, 0
				acks, _ := w.mem.plain.Booking.Acks.Get(0)
				for n := range acks.Last {
					wd, _ := w.mem.plain.Booking.Withdrawals.Get(n + 1)
					h, _ := w.mem.plain.Booking.Holders.Get(wd.Pass)
					if wd.Used && wd.Slot == s && w.stands(h.Ref).Moves > 0 {
						more++
					}
				}
				for _, x := range sold {
					bk := x.seller.stands(x.ref)
					for _, m := range bk.Members {
						h, _ := w.mem.plain.Booking.Holders.Get(m.Pass)
						holds := x.seller == w && bk.Slot == s && !h.Gone && (bk.Status == booking.Booked || bk.Status == booking.Used)
						if holds || came[w][place{s, m.Pass}] > 0 {
							want++
						}
					}
				}
				if row := w.slot(s); int(row.Taken) < want || int(row.Taken) > want+more || row.Withheld != 0 {
					rt.Errorf("%s keeps %d and %d places for %d: %+v", w.name(), row.Taken, row.Withheld, want, row)
				}
			}
		}
		a.now, b.now = at("20:00"), at("20:00")
		for _, w := range ws {
			do[SettleAnswer](w, Settle{Site: mand, Day: marketDay, Officer: "supervisor"})
		}
		sync(a, b)
		sync(b, a)
		a.both(b, 0, 0)
		a.rebuilt()
		b.rebuilt()
	})
}
