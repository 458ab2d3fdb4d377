// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package service

import (
	"testing"

	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/market"
	"darwaza.dev/internal/people"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/reason"
)

// held is the law with vendors who have no card held until the manager has seen one.
func held(t testing.TB) *world {
	return newWorld(t, lawWith(t, append([]string{"require: vendor.card\n    else: REFUSE", "require: vendor.card\n    else: HOLD"}, small...)...))
}

// TestRefused wants every request that gives no booking in the record, under the number
// that it is found by, and the queue's in none.
func TestRefused(t *testing.T) {
	w := newWorld(t, lawWith(t, small...))
	for _, c := range []struct {
		name  string
		book  Book
		code  reason.Code
		after func()
	}{
		{"over", w.booking(slotAt(9), 50), booking.CodePast, func() { w.now = at("08:00", -1) }},
		{"the same person again", w.booking(slotAt(10), 1), booking.CodeSecond, nil},
		{"full", w.booking(slotAt(9), 60), booking.CodeFull, nil},
		{"no card", w.booking(slotAt(7)+1<<32, 70), "", nil},
	} {
		switch c.name {
		case "over":
			w.now = at("18:00")
		case "the same person again":
			w.book(slotAt(9), 1, 2, 3, 4, 5, 6)
		}
		c.book.SealedID, c.book.Sealed, c.book.Officer = "s", []byte{1}, "clerk"
		before := DayFigures(w.mem.plain, mand, marketDay).Stats
		a := do[BookingAnswer](w, c.book)
		w.verdict(a.Verdict, a.Verdict.Outcome, c.code)
		r, ok := RefusalOf(w.mem.plain, c.book.Ref)
		if !ok || r.Ref != c.book.Ref || a.Refusal.Ref != r.Ref || r.Outcome < reason.Refuse || len(r.Reasons) == 0 || r.Edition == "" || r.By != "clerk" || !r.At.Equal(w.now) || r.Slot != c.book.Slot || r.Places != 1 {
			t.Errorf("%s: %+v", c.name, r)
		}
		if _, kept := w.mem.plain.Sealed.Get("s"); kept || r.Open() || r.Members != nil || r.Sealed != "" {
			t.Errorf("%s: keeps what names a person: %+v", c.name, r)
		}
		if d := DayFigures(w.mem.plain, mand, marketDay).Stats; d.NotBooked != before.NotBooked+1 {
			t.Errorf("%s: %d requests counted", c.name, d.NotBooked)
		}
		w.fails(DecideBooking{Ref: c.book.Ref, Admit: true, Why: "order", Officer: "supervisor"}, problem.Conflict, "booking.request.decided")
		w.fails(c.book, problem.Conflict, "booking.ref")
		if c.after != nil {
			c.after()
		}
	}
	q := w.wait(false, slotAt(9), 80)
	if _, ok := RefusalOf(w.mem.plain, q.Booking.Ref); ok || q.Refusal.Ref != "" {
		t.Error("a party in the queue stands as refused")
	}
	found := false
	for _, r := range DayFigures(w.mem.plain, mand, marketDay).Stats.Reasons {
		found = found || r.Code == booking.CodeFull && r.Count == 1
	}
	if !found {
		t.Error("the day's figures lack the reason")
	}
	w.rebuilt()
}

// TestDecideBooking has the law leave requests to the manager, who lets one in and not another.
func TestDecideBooking(t *testing.T) {
	w := held(t)
	ask := func(person uint64) booking.Refusal {
		t.Helper()
		c := w.booking(slotAt(7)+1<<32, person)
		c.Members[0].Register = id('r', person)
		c.SealedID, c.Sealed = "s"+string(c.Ref), []byte{1}
		a := do[BookingAnswer](w, c)
		w.verdict(a.Verdict, reason.Hold, "")
		if a.Booking.Ref != "" || !a.Refusal.Open() || a.Refusal.Sealed != c.SealedID {
			t.Fatalf("%+v", a)
		}
		if _, kept := w.mem.plain.Sealed.Get(c.SealedID); !kept {
			t.Error("who asks is forgotten before anybody decided")
		}
		return a.Refusal
	}
	first, second := ask(1), ask(2)
	if open := OpenRequests(w.mem.plain, mand, marketDay); len(open) != 2 || open[0].Ref != first.Ref {
		t.Errorf("open %+v", open)
	}
	in := DecideBooking{Ref: first.Ref, Admit: true, Why: "paper", Officer: "manager"}
	for who, code := range map[string]string{"clerk": "officer.decides", "auditor": "officer.role"} {
		c := in
		c.Officer = people.OfficerID(who)
		w.fails(c, problem.Forbidden, code)
		c.Admit = false
		w.fails(c, problem.Forbidden, code)
	}
	bad := in
	bad.Why = "hunch"
	w.fails(bad, problem.Invalid, "booking.ground")
	bad = in
	bad.Ref = ref(9999)
	w.fails(bad, problem.NotFound, "booking.request")

	a := do[BookingAnswer](w, in)
	w.verdict(a.Verdict, reason.Hold, "")
	if b := w.stands(first.Ref); a.Booking.Ref != first.Ref || b.Status != booking.Booked || b.Sealed != first.Sealed || len(b.Members) != 1 || w.slot(b.Slot).Taken != 1 {
		t.Errorf("%+v", b)
	}
	if r := a.Refusal; r.Open() || r.Decided != "manager" || !r.Admitted || r.Why != "paper" || !r.DecidedAt.Equal(w.now) || r.Members != nil || r.Sealed != "" {
		t.Errorf("%+v", r)
	}
	var ruled *booking.Ruled
	var made *booking.Made
	for _, h := range w.mem.Facts() {
		switch f := h.Fact.(type) {
		case *booking.Ruled:
			ruled = f
		case *booking.Made:
			made = f
		}
	}
	if ruled == nil || ruled.Officer != "manager" || len(ruled.Reasons) != 1 || ruled.Reasons[0].Clause != "X-VENDOR" || made == nil || made.Decided != "manager" {
		t.Errorf("in the record: %+v, %+v", ruled, made)
	}
	w.fails(in, problem.Conflict, "booking.request.decided")
	w.claims(a.Booking, 0) // there is a pass

	a = do[BookingAnswer](w, DecideBooking{Ref: second.Ref, Why: "no_paper", Officer: "manager"})
	if r := a.Refusal; r.Decided != "manager" || r.Admitted || a.Booking.Ref != "" || w.stands(second.Ref).Ref != "" {
		t.Errorf("%+v", r)
	}
	if open := OpenRequests(w.mem.plain, mand, marketDay); len(open) != 0 {
		t.Errorf("open %+v", open)
	}
	w.rebuilt()
}

// TestDecideBookingAgain holds an officer's decision to the law and the places as they
// are when it is made.
func TestDecideBookingAgain(t *testing.T) {
	w := held(t)
	slot := slotAt(7) + 1<<32
	open := w.book(slot, 1)
	in := DecideBooking{Ref: open.Refusal.Ref, Admit: true, Why: "paper", Officer: "manager"}
	stays := func(o reason.Outcome, code reason.Code) {
		t.Helper()
		a := do[BookingAnswer](w, in)
		w.verdict(a.Verdict, o, code)
		if a.Booking.Ref != "" || !a.Refusal.Open() {
			t.Fatalf("%+v", a)
		}
	}
	// The law refuses by now.
	heldLaw := w.law
	w.law = lawWith(t, small...)
	stays(reason.Refuse, "")
	w.law = heldLaw
	// The person has a booking by now.
	do[EnrolAnswer](w, Enrol{Register: id('r', 1), Vendor: market.Vendor{Card: "V-1", Site: mand, From: 1, Until: 60000}, Officer: "manager"})
	c := w.booking(slot, 1)
	c.Members[0].Register = id('r', 1)
	other := do[BookingAnswer](w, c)
	w.verdict(other.Verdict, reason.Allow, "")
	stays(reason.Refuse, booking.CodeSecond)
	do[BookingAnswer](w, Cancel{Ref: other.Booking.Ref})
	// The slot is over.
	w.now = at("18:00")
	stays(reason.Closed, booking.CodePast)
	w.rebuilt()
}
