// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package service

import (
	"testing"

	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/reason"
	"darwaza.dev/internal/rules"
)

// held is how many places of a slot the bookings of a side hold.
func (w *world) held(s booking.SlotID) (n uint32) {
	for _, b := range RosterOf(w.mem.plain, s.Site(), s.Day()) {
		if b.Slot == s && b.Status == booking.Booked {
			n += b.Places()
		}
	}
	return n
}

// halfUsed is a party of three whose first member has come in at the other side's gate
// before the party was cancelled; all other places of the slot are sold to others.
func halfUsed(t *testing.T) (a, b *world, party booking.Booking, in ScanAnswer) {
	a, b = open(t)
	party = a.book(slotAt(9), 1, 2, 3).Booking
	in = b.enters(a, party, 0)
	b.verdict(in.Verdict, reason.Allow, "")
	a.verdict(do[BookingAnswer](a, Cancel{Ref: party.Ref}).Verdict, reason.Allow, "")
	b.reads(a)
	b.reads(a)
	if got := a.slot(slotAt(9)); got.Taken != 1 || got.Withheld != 0 || a.stands(party.Ref).Status != booking.Used {
		t.Fatalf("slot %+v, booking %+v", got, a.stands(party.Ref))
	}
	for p := range uint64(5) {
		a.verdict(a.book(slotAt(9), 10+p).Verdict, reason.Allow, "")
	}
	a.verdict(a.book(slotAt(9), 19).Verdict, reason.Refuse, booking.CodeFull)
	return a, b, party, in
}

// undoes takes a scan back at the side's own gate.
func (w *world) undoes(b booking.Booking, member int, in ScanAnswer) {
	w.t.Helper()
	do[ScanAnswer](w, UndoScan{Pass: b.Members[member].Pass, Serial: in.Scan.Serial, Officer: "gate"})
}

// A party that was cancelled after one of it had come in, and whose entry was a mistake
// after all, is cancelled again, not booked: the places of the others are sold by then.
func TestUndoneAfterCancelledAndUsed(t *testing.T) {
	a, b, party, in := halfUsed(t)
	b.undoes(party, 0, in)
	a.watches(b)
	if got := a.slot(slotAt(9)); a.stands(party.Ref).Status != booking.Cancelled || got.Taken != 5 || got.Withheld != 1 {
		t.Errorf("slot %+v, booking %v", got, a.stands(party.Ref).Status)
	}
	a.verdict(do[BookingAnswer](a, Cancel{Ref: party.Ref}).Verdict, reason.Refuse, booking.CodeEnded)
	// The one place that was kept comes back once the other side has heard, and no other.
	b.reads(a)
	b.reads(a)
	if got := a.slot(slotAt(9)); got.Taken != 5 || got.Withheld != 0 {
		t.Errorf("slot %+v", got)
	}
	a.verdict(a.book(slotAt(9), 1).Verdict, reason.Allow, "") // the person whose claim it was
	a.verdict(a.book(slotAt(9), 30).Verdict, reason.Refuse, booking.CodeFull)
	if n := a.held(slotAt(9)); n != 6 {
		t.Errorf("%d places of 6 are held", n)
	}
	// And the other side hears that the claim is over, where no new one was made.
	a.rebuilt()
	b.rebuilt()
}

// Who has booked anew by the time that the entry is taken back keeps the claim.
func TestUndoneLeavesAnotherClaim(t *testing.T) {
	a, b := open(t)
	x := a.book(slotAt(9), 1).Booking
	in := b.enters(a, x, 0)
	do[BookingAnswer](a, Cancel{Ref: x.Ref})
	y := a.book(slotAt(10), 1).Booking
	b.reads(a)
	b.reads(a)
	b.undoes(x, 0, in)
	a.watches(b)
	if a.stands(x.Ref).Status != booking.Cancelled || a.stands(y.Ref).Status != booking.Booked {
		t.Errorf("%v and %v", a.stands(x.Ref).Status, a.stands(y.Ref).Status)
	}
	a.verdict(a.book(slotAt(11), 1).Verdict, reason.Refuse, booking.CodeSecond)
	// A day that is settled by then counts no no-show of a booking that was given back.
	c := a.book(slotAt(11), 7).Booking
	a.now, b.now = at("11:10"), at("11:10")
	in = b.enters(a, c, 0)
	do[BookingAnswer](a, Cancel{Ref: c.Ref})
	b.reads(a)
	b.reads(a)
	b.undoes(c, 0, in)
	a.now = at("20:00")
	do[SettleAnswer](a, Settle{Site: mand, Day: marketDay, Officer: "supervisor"})
	a.watches(b)
	if n := DayFigures(a.mem.plain, mand, marketDay).Stats.NoShow; n != 0 || a.stands(c.Ref).Status != booking.Cancelled {
		t.Errorf("%d no-shows, %v", n, a.stands(c.Ref).Status)
	}
	a.rebuilt()
}

// A member whose place was given back gets no new pass because another has come in.
func TestNoReissueOfPlaceGivenBack(t *testing.T) {
	a, _, party, _ := halfUsed(t)
	for m := range uint8(3) {
		a.verdict(do[BookingAnswer](a, Reissue{Ref: party.Ref, Member: m}).Verdict, reason.Refuse, booking.CodeEnded)
	}
	if v := a.enters(a, a.stands(party.Ref), 1).Verdict; v.Outcome == reason.Allow {
		t.Error("let in on a place that was sold")
	}
	// What a record holds from before says no more either.
	booking.Apply(a.mem.plain.Booking, a.now, &booking.Reissued{Ref: party.Ref, Slot: party.Slot, Member: 1, Serial: 99, Until: at("23:00")})
	if h, _ := a.mem.plain.Booking.Holders.Get(party.Members[1].Pass); !h.Gone {
		t.Error("the pass is good again")
	}
}

// A pass that came in after its booking was moved has used the new slot, not the old one.
func TestMovedAndThenUsedElsewhere(t *testing.T) {
	a, b := open(t)
	x := a.book(slotAt(11), 1).Booking
	do[BookingAnswer](a, Move{Ref: x.Ref, To: slotAt(9)})
	x = a.stands(x.Ref)
	b.verdict(b.enters(a, x, 0).Verdict, reason.Allow, "")
	b.reads(a)
	b.reads(a)
	a.watches(b)
	if got, old := a.slot(slotAt(9)), a.slot(slotAt(11)); got.Taken != 1 || old.Taken != 0 || old.Withheld != 0 {
		t.Errorf("the new slot %+v, the old one %+v", got, old)
	}
	if st := a.stands(x.Ref).Status; st != booking.Used {
		t.Errorf("status %v", st)
	}
	// A re-issued pass stands for the place of the one before.
	y := a.book(slotAt(9), 2).Booking
	b.verdict(b.enters(a, y, 0).Verdict, reason.Allow, "")
	do[BookingAnswer](a, Reissue{Ref: y.Ref})
	do[BookingAnswer](a, Cancel{Ref: y.Ref})
	b.reads(a)
	b.reads(a)
	if got := a.slot(slotAt(9)); got.Taken != 2 || got.Withheld != 0 {
		t.Errorf("somebody's who came with the pass before is sold: %+v", got)
	}
	a.rebuilt()
	b.rebuilt()
}

// A booking that was moved away after its pass had been used keeps the old place as well,
// until the entry is taken back.
func TestUndoneAfterMovedAndUsed(t *testing.T) {
	a, b := open(t)
	x := a.book(slotAt(9), 1).Booking
	in := b.enters(a, x, 0)
	do[BookingAnswer](a, Move{Ref: x.Ref, To: slotAt(11)})
	b.reads(a)
	b.reads(a)
	if a.slot(slotAt(9)).Taken != 1 || a.slot(slotAt(11)).Taken != 1 {
		t.Fatalf("%+v and %+v", a.slot(slotAt(9)), a.slot(slotAt(11)))
	}
	b.undoes(x, 0, in)
	a.watches(b)
	b.reads(a)
	b.reads(a)
	if old := a.slot(slotAt(9)); old.Taken != 0 || old.Withheld != 0 || a.slot(slotAt(11)).Taken != 1 || a.stands(x.Ref).Status != booking.Booked {
		t.Errorf("%+v and %+v, %v", old, a.slot(slotAt(11)), a.stands(x.Ref).Status)
	}
	a.rebuilt()
}

// An entry that is taken back before its use was told is told of no more: the booking
// stays cancelled and its place comes back.
func TestUndoneBeforeUseIsTold(t *testing.T) {
	a, b := open(t)
	x := a.book(slotAt(9), 1).Booking
	in := b.enters(a, x, 0)
	do[BookingAnswer](a, Cancel{Ref: x.Ref})
	b.reads(a) // written down as used
	b.undoes(x, 0, in)
	a.watches(b)
	b.reads(a)
	b.reads(a)
	if got := a.slot(slotAt(9)); got.Taken != 0 || got.Withheld != 0 || a.stands(x.Ref).Status != booking.Cancelled {
		t.Errorf("slot %+v, booking %v", got, a.stands(x.Ref).Status)
	}
	a.verdict(a.book(slotAt(10), 1).Verdict, reason.Allow, "")
	b.rebuilt()
}

// Where two of a cancelled party have come in, each entry that is taken back gives its own
// place and claim back, and the booking is used until the last.
func TestUndoneOneByOne(t *testing.T) {
	a, b := open(t)
	party := a.book(slotAt(9), 1, 2, 3).Booking
	in := []ScanAnswer{b.enters(a, party, 0), b.enters(a, party, 1)}
	do[BookingAnswer](a, Cancel{Ref: party.Ref})
	b.reads(a)
	b.reads(a)
	for i, want := range []booking.Status{booking.Used, booking.Cancelled} {
		b.undoes(party, i, in[i])
		a.watches(b)
		b.reads(a)
		b.reads(a)
		if got := a.slot(slotAt(9)); got.Taken != uint32(1-i) || got.Withheld != 0 || a.stands(party.Ref).Status != want {
			t.Errorf("after %d: slot %+v, %v", i+1, got, a.stands(party.Ref).Status)
		}
		a.verdict(a.book(slotAt(10), uint64(i+1)).Verdict, reason.Allow, "")
	}
	a.rebuilt()
}

// After the end of the record was lost, nothing is sold of what it could have sold, to
// nobody and in no way, until a supervisor opens the site; passes still let in.
func TestSalesHeld(t *testing.T) {
	w := newWorld(t, lawWith(t, small...))
	stands := w.book(slotAt(9), 1).Booking
	back := w.fill(slotAt(11))[0]
	offered := w.wait(false, slotAt(11), 7).Booking
	do[BookingAnswer](w, Cancel{Ref: back})
	do[AcknowledgeAnswer](w, Acknowledge{Serial: 1})
	if got := w.stands(offered.Ref).Status; got != booking.Offered {
		t.Fatalf("%v", got)
	}
	waits := w.wait(true, slotAt(11), 9).Booking
	do[BeginListAnswer](w, BeginList{List: 9, Hold: true})
	do[BeginListAnswer](w, BeginList{List: 9, Hold: true})
	w.verdict(w.book(slotAt(10), 2).Verdict, reason.Closed, booking.CodeHeld)
	w.verdict(w.wait(true, slotAt(10), 3).Verdict, reason.Closed, booking.CodeHeld)
	w.verdict(do[BookingAnswer](w, Move{Ref: stands.Ref, To: slotAt(10)}).Verdict, reason.Closed, booking.CodeHeld)
	w.verdict(do[BookingAnswer](w, Accept{Ref: offered.Ref}).Verdict, reason.Closed, booking.CodeHeld)
	if n := shown(w, slotAt(10)); n != 0 {
		t.Errorf("%d places are shown as free", n)
	}
	// The last day that could have been sold is held, and a day that opens later is not.
	today, _, _ := DayAt(w.law, mand, w.now)
	ahead, _ := w.law.Param("booking.ahead", "mand-pishin", w.mem.side, w.now)
	if upto, ok := w.mem.plain.Booking.HeldUpto(mand); !ok || upto != today+uint16(ahead) {
		t.Errorf("held up to %d, %v", upto, ok)
	}
	// Places that come back are kept, and who has a pass comes in.
	do[BookingAnswer](w, Decline{Ref: offered.Ref})
	late := w.stands(w.wait(true, slotAt(11), 8).Booking.Ref)
	if late.Ref != "" {
		t.Errorf("joined the queue: %+v", late)
	}
	do[SweepAnswer](w, Sweep{Slots: []booking.SlotID{slotAt(11)}})
	if got := w.stands(waits.Ref).Status; got != booking.Waiting {
		t.Errorf("a place that came back was given: %v", got)
	}
	w.fails(OpenSales{Site: mand, Officer: "clerk"}, problem.Forbidden, "officer.role")
	if !do[OpenSalesAnswer](w, OpenSales{Site: mand, Officer: "supervisor"}).Opened || do[OpenSalesAnswer](w, OpenSales{Site: mand, Officer: "supervisor"}).Opened {
		t.Error("it is opened once")
	}
	if _, ok := w.mem.plain.Booking.HeldUpto(mand + 1); !ok {
		t.Error("another site was opened with it")
	}
	w.verdict(w.book(slotAt(10), 2).Verdict, reason.Allow, "")
	do[SweepAnswer](w, Sweep{Slots: []booking.SlotID{slotAt(11)}})
	if got := w.stands(waits.Ref).Status; got != booking.Booked {
		t.Errorf("not given afterwards: %v", got)
	}
	do[BeginListAnswer](w, BeginList{List: 10, Hold: true})
	w.now = at("09:10")
	do[WithdrawnAnswer](w, Withdrawn{Side: "B"})
	w.verdict(w.enters(w, stands, 0).Verdict, reason.Allow, "")
	w.rebuilt()
}

// A server that knows no edition when it finds its end lost holds every site, and each is
// opened by itself.
func TestSalesHeldEverywhere(t *testing.T) {
	w := newWorld(t, lawWith(t, small...))
	law := w.mem.law
	none, err := rules.Compile()
	if err != nil {
		t.Fatal(err)
	}
	w.mem.law = func() *Law { return none }
	do[BeginListAnswer](w, BeginList{List: 9, Hold: true})
	w.mem.law = law
	w.verdict(w.book(slotAt(10), 2).Verdict, reason.Closed, booking.CodeHeld)
	do[OpenSalesAnswer](w, OpenSales{Site: mand, Officer: "supervisor"})
	w.verdict(w.book(slotAt(10), 2).Verdict, reason.Allow, "")
	if _, ok := w.mem.plain.Booking.HeldUpto(mand + 1); !ok {
		t.Error("another site was opened with it")
	}
	if _, ok := w.mem.plain.Booking.HeldUpto(mand); ok {
		t.Error("it is shown as held")
	}
	do[BeginListAnswer](w, BeginList{List: 10, Hold: true})
	w.verdict(w.book(slotAt(10), 3).Verdict, reason.Closed, booking.CodeHeld)
	w.rebuilt()
}

// shown is what pages show as free.
func shown(w *world, id booking.SlotID) uint32 {
	v, _ := SlotOf(w.mem.plain, w.law, w.mem.side, id, w.now)
	return v.Free
}
