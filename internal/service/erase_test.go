// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package service

import (
	"fmt"
	"testing"

	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/people"
	"darwaza.dev/internal/problem"
)

// sealedBook is a booking of the n-th person with sealed data.
func (w *world) sealedBook(n uint64) Book {
	c := w.booking(slotAt(9), n)
	c.SealedID, c.Sealed = fmt.Sprint("s-", n), []byte("ciphertext")
	return c
}

func (w *world) sealed(id string) bool {
	_, ok := w.mem.plain.Sealed.Get(id)
	return ok
}

// eraseAll does what the clock does, and returns the ids that it was given.
func (w *world) eraseAll(keep uint16) (all []string) {
	w.t.Helper()
	for range 100 {
		ids, c, ok := EraseNext(w.mem.plain, w.law, w.mem.side, keep, w.now)
		if !ok {
			return all
		}
		all = append(all, ids...)
		if a := do[EraseDayAnswer](w, c); int(a.Erased) != len(ids) {
			w.t.Fatalf("%d went of %v", a.Erased, ids)
		}
	}
	w.t.Fatalf("the clock never ends")
	return nil
}

// TestEraseDay sees what goes when a day's time has come: bookings of the day, those that
// were cancelled or only waited, and receipts with data of their own; and what stays.
func TestEraseDay(t *testing.T) {
	w := newWorld(t, lawWith(t, small...))
	do[BookingAnswer](w, w.sealedBook(1))
	cancelled := w.sealedBook(2)
	do[BookingAnswer](w, cancelled)
	do[BookingAnswer](w, Cancel{Ref: cancelled.Ref})
	moved := w.sealedBook(3)
	do[BookingAnswer](w, moved)
	var later booking.SlotID
	for _, p := range w.law.Slots(mand, marketDay+4, visitor) {
		later = booking.MakeSlotID(mand, visitor, p.Day, p.Minute)
	}
	if a := do[BookingAnswer](w, Move{Ref: moved.Ref, To: later, Tags: [][16]byte{id('u', 3)}}); a.Booking.Slot != later {
		t.Fatalf("not moved: %+v", a)
	}
	w.now = at("10:00")
	w.display(tomato, 100)
	buy := w.buys(9, tomato, 1000)
	buy.SealedID, buy.Sealed = "s-receipt", []byte("ciphertext")
	if a := do[BuyAnswer](w, buy); a.Purchase.Sealed != "s-receipt" {
		t.Fatalf("%+v", a)
	}
	w.now = at("23:59", 29)
	if got := w.eraseAll(30); len(got) != 0 {
		t.Errorf("before its time: %v", got)
	}
	w.fails(EraseDay{Site: mand, Day: marketDay, After: 30, Refs: nil, Whole: true}, problem.Conflict, "erasure.early")
	w.fails(EraseDay{Site: mand, Day: marketDay, Whole: true}, problem.Conflict, "erasure.early")
	w.now = at("00:00", 30)
	if got := w.eraseAll(30); !equal(got, []string{"s-1", "s-2", "s-receipt"}) {
		t.Errorf("went %v", got)
	}
	if w.sealed("s-1") || w.sealed("s-2") || w.sealed("s-receipt") || !w.sealed("s-3") {
		t.Error("the ciphertexts are not what they should be")
	}
	w.now = at("00:00", 34)
	if got := w.eraseAll(30); !equal(got, []string{"s-3"}) {
		t.Errorf("the moved booking: %v", got)
	}
	if n := w.stands(moved.Ref); n.Ref == "" {
		t.Error("the booking itself is gone")
	}
	w.rebuilt()
}

// TestEraseAfterOfTheAgreement sees that a parameter of the edition counts and not the
// configuration.
func TestEraseAfterOfTheAgreement(t *testing.T) {
	w := newWorld(t, lawWith(t, "  - id: booking.ahead", `  - id: erase.after
    text: {en: "Days", fa: "روز", ur: "دن"}
    unit: days
    values:
      - {from: 2023-05-18, value: 3, source: example}
  - id: booking.ahead`))
	do[BookingAnswer](w, w.sealedBook(1))
	w.now = at("23:59", 2)
	if got := w.eraseAll(1); len(got) != 0 {
		t.Errorf("before its time: %v", got)
	}
	w.now = at("00:00", 3)
	if got := w.eraseAll(90); !equal(got, []string{"s-1"}) {
		t.Errorf("went %v", got)
	}
	w.rebuilt()
}

// TestEraseManyDays takes a day that is more than one command may take.
func TestEraseManyDays(t *testing.T) {
	w := newWorld(t, lawWith(t, "site: mand-pishin, value: 400", "site: mand-pishin, value: 4000"))
	n := MaxErase + 7
	for i := range n {
		do[BookingAnswer](w, w.sealedBook(uint64(i)))
	}
	w.now = at("00:00", 30)
	ids, c, _ := EraseNext(w.mem.plain, w.law, "A", 30, w.now)
	if len(ids) != MaxErase || c.Whole {
		t.Errorf("%d in one, whole %v", len(ids), c.Whole)
	}
	if got := w.eraseAll(30); len(got) != n {
		t.Errorf("%d of %d", len(got), n)
	}
	c.Refs = append(c.Refs, "ABCDEFGHJKMN")
	w.fails(c, problem.Limit, "erasure.many")
	w.rebuilt()
}

// TestErase has officers ask for an erasure: only those who may, at their site, and once.
func TestErase(t *testing.T) {
	w := newWorld(t, lawWith(t, small...))
	b := w.sealedBook(1)
	do[BookingAnswer](w, b)
	plain := w.booking(slotAt(9), 2)
	do[BookingAnswer](w, plain)
	o := officer("gabd", "gabd-reemdan", true, people.Supervisor)
	do[AppointAnswer](w, Appoint{Officer: o, By: "admin"})
	for _, r := range people.Roles {
		if r != people.Supervisor && r != people.Admin {
			w.fails(Erase{Ref: b.Ref, Officer: people.OfficerID(r)}, problem.Forbidden, "officer.role")
		}
	}
	w.fails(Erase{Ref: b.Ref}, problem.Forbidden, "officer.role")
	w.fails(Erase{Ref: b.Ref, Officer: "gabd"}, problem.Forbidden, "officer.site")
	w.fails(Erase{Ref: "ABCDEFGHJKMN", Officer: "admin"}, problem.NotFound, "erasure.unknown")
	w.fails(EraseDone{Upto: 1}, problem.Conflict, "erasure.unasked")
	if a := do[EraseAnswer](w, Erase{Ref: plain.Ref, Officer: "admin"}); a.Sealed != "" || a.Already {
		t.Errorf("a booking with nothing sealed: %+v", a)
	}
	before := len(w.mem.Facts())
	for i := range 2 {
		if a := do[EraseAnswer](w, Erase{Ref: b.Ref, Officer: "supervisor"}); a.Sealed != "s-1" || a.Already != (i == 1) {
			t.Errorf("%+v", a)
		}
	}
	if w.sealed("s-1") || len(w.mem.Facts()) != before+1 {
		t.Errorf("%d facts", len(w.mem.Facts())-before)
	}
	ids, c, ok := EraseWaiting(w.mem.plain)
	if !ok || !equal(ids, []string{"s-1"}) {
		t.Fatalf("%v %v", ids, ok)
	}
	do[EraseDayAnswer](w, c)
	do[EraseDayAnswer](w, c)
	if _, _, ok := EraseWaiting(w.mem.plain); ok || len(w.mem.Facts()) != before+2 {
		t.Error("still waiting")
	}
	w.rebuilt()
}

// TestEraseRequests erases what came with requests that were left to an officer, whether
// they were decided or not.
func TestEraseRequests(t *testing.T) {
	w := held(t)
	ask := func(n uint64) Book {
		c := w.sealedBook(n)
		for _, p := range w.law.Slots(mand, marketDay, vendor) {
			c.Slot = booking.MakeSlotID(mand, vendor, p.Day, p.Minute)
		}
		if a := do[BookingAnswer](w, c); !a.Refusal.Open() {
			t.Fatalf("%+v", a)
		}
		return c
	}
	ask(1)
	in, away := ask(2), ask(3)
	do[BookingAnswer](w, DecideBooking{Ref: in.Ref, Admit: true, Why: "paper", Officer: "manager"})
	do[BookingAnswer](w, DecideBooking{Ref: away.Ref, Why: "no_paper", Officer: "manager"})
	asked := ask(4)
	do[EraseAnswer](w, Erase{Ref: asked.Ref, Officer: "admin"})
	if w.sealed("s-4") {
		t.Error("an officer's request left it")
	}
	w.now = at("00:00", 30)
	if got := w.eraseAll(30); !equal(got, []string{"s-1", "s-2", "s-3"}) {
		t.Errorf("went %v", got)
	}
	w.rebuilt()
}
