// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package booking

import (
	"slices"
	"time"

	"darwaza.dev/internal/fact"
	"darwaza.dev/internal/pass"
	"darwaza.dev/internal/reason"
)

// Apply makes what a fact says of the state. It never refuses, consults no edition and
// passes over facts of other desks.
func Apply(st State, at time.Time, f fact.Fact) {
	switch f := f.(type) {
	case *Opened:
		st.opened(f)
	case *Made:
		st.made(at, f)
	case *Refused:
		st.refused(at, f)
	case *Ruled:
		st.ruled(at, f)
	case *Queued:
		st.queued(at, f)
	case *OfferMade:
		st.offered(f)
	case *Granted:
		st.granted(f)
	case *GivenBack:
		st.givenBack(f)
	case *Moved:
		st.moved(f)
	case *Reissued:
		st.reissued(f)
	case *RanOut:
		st.ranOut(f)
	case *Acknowledged:
		a, _ := st.Acks.Get(0)
		a.Heard = max(a.Heard, f.Serial)
		st.Acks.Put(0, a)
	case *Freed:
		st.freed(f)
	case *PassesEnded:
		s := st.slot(f.Slot)
		s.Withheld = 0
		st.put(s)
	case *Entered:
		st.turn(f.Ref, Used, Booked, NoShow)
	case *EntryUndone:
		st.entryUndone(f)
	case *Missed:
		for _, ref := range f.Refs {
			st.turn(ref, NoShow, Booked)
		}
	case *TestBooked:
		st.testBooked(f)
	case *PassedOver:
		st.passedOver(f)
	case *PlacesAsked, *PlacesGiven, *PlacesHeard:
		st.applyTransfer(f)
	default:
		st.applySides(f)
	}
}

// slot returns the row of a slot, empty where there is none.
func (st State) slot(id SlotID) Slot {
	s, _ := st.Slots.Get(id)
	s.ID = id
	return s
}

// put stores a slot. What is sold above the allotment can only fall here; it rises
// where an edition takes places away, in opened, and nowhere else: a sale that went
// over the allotment would leave the excess too low, and a store refuses such a row.
func (st State) put(s Slot) {
	s.Excess = min(s.Excess, s.over())
	st.Slots.Put(s.ID, s)
}

// over returns by how much what is taken, withheld and offered is above the allotment.
func (s Slot) over() uint32 {
	if used := s.Taken + s.Withheld + s.Offered; used > s.Allotment {
		return used - s.Allotment
	}
	return 0
}

func less(n *uint32, by uint32) { *n -= min(*n, by) }

func (st State) opened(f *Opened) {
	s := st.slot(f.Slot)
	s.Allotment = f.Allotment
	s.Excess = s.over()
	st.Slots.Put(s.ID, s)
}

// give lets the members of a booking have places of the slot, and their passes with them.
func (st State) give(s *Slot, b *Booking) {
	for i, m := range b.Members {
		s.Taken += m.Places()
		s.NextPlace = max(s.NextPlace, m.Place+m.Places())
		st.Holders.Put(m.Pass, Holder{Ref: b.Ref, Member: uint8(i), Gen: m.Gen})
	}
}

// enter lists a new booking, or one that was moved here, and takes its persons' claims.
func (st State) enter(b *Booking) {
	for _, m := range b.Members {
		st.Claims.Put(ClaimKey{Tag: m.Tag, Site: b.Slot.Site(), Day: b.Slot.Day()}, b.Ref)
	}
	st.enlist(b.Ref, b.Slot)
}

// enlist puts a reference into the list of its day.
func (st State) enlist(ref Ref, slot SlotID) {
	k := RosterKey{Site: slot.Site(), Day: slot.Day()}
	n, _ := st.Rosters.Get(k)
	st.Rosters.Put(k, n+1)
	k.Pos = n
	st.Roster.Put(k, ref)
}

// release gives the persons' claims back, as far as they are the booking's.
func (st State) release(b *Booking) {
	for _, m := range b.Members {
		st.releaseOne(b, m)
	}
}

func (st State) releaseOne(b *Booking, m Member) {
	if ref, ok := st.Claims.Get(b.claim(m)); ok && ref == b.Ref {
		st.Claims.Delete(b.claim(m))
		st.change(b.claim(m), ClaimReleased)
	}
}

// leave takes a booking out of the queue, and with it the places that were kept for it.
func (st State) leave(s *Slot, b *Booking) {
	if b.Status == Offered {
		less(&s.Offered, b.Places())
	}
	st.Standby.Delete(StandbyKey{Slot: s.ID, Pos: b.Position})
	for s.StandbyHead < s.StandbyTail {
		if _, ok := st.Standby.Get(StandbyKey{Slot: s.ID, Pos: s.StandbyHead}); ok {
			break
		}
		s.StandbyHead++
	}
	b.Position, b.OfferUntil, b.Passed, b.PassedWhy = 0, time.Time{}, reason.None, nil
}

// withdraw takes back the passes of a booking that has places, under serials from first
// on. The places stay withheld until every gate that could admit has heard. A pass that is
// withdrawn already has no place to give back.
func (st State) withdraw(s *Slot, b *Booking, first uint64, until time.Time) {
	for i, m := range b.Members {
		w := Withdrawal{Serial: first + uint64(i), Pass: m.Pass, Gen: m.Gen, Slot: s.ID, Places: m.Places(), Until: until}
		if h, _ := st.Holders.Get(m.Pass); h.Gone {
			w.Places = 0
		}
		st.list(w)
		less(&s.Taken, w.Places)
		s.Withheld += w.Places
		st.Holders.Put(m.Pass, Holder{Ref: b.Ref, Member: uint8(i), Gen: m.Gen, Gone: true})
	}
}

func (st State) list(w Withdrawal) {
	st.Withdrawals.Put(w.Serial, w)
	a, _ := st.Acks.Get(0)
	a.Last = max(a.Last, w.Serial)
	st.Acks.Put(0, a)
}

func (st State) made(at time.Time, f *Made) {
	b := Booking{Ref: f.Ref, Slot: f.Slot, Status: Booked, Members: f.Members, By: f.By, At: at, Sealed: f.Sealed}
	s := st.slot(f.Slot)
	st.give(&s, &b)
	st.put(s)
	st.tested(&b, f.Test)
	st.enter(&b)
	st.Bookings.Put(b.Ref, b)
}

func (st State) refused(at time.Time, f *Refused) {
	st.Refusals.Put(f.Ref, Refusal{Ref: f.Ref, Slot: f.Slot, Places: f.Places, Outcome: f.Outcome, Reasons: f.Reasons,
		Edition: f.Edition, At: at, By: f.By, Members: f.Members, Sealed: f.Sealed})
	if len(f.Members) > 0 {
		st.enlist(f.Ref, f.Slot)
	}
}

func (st State) ruled(at time.Time, f *Ruled) {
	r, ok := st.Refusals.Get(f.Ref)
	if !ok || !r.Open() {
		return
	}
	r.Decided, r.Admitted, r.Why, r.DecidedAt = f.Officer, f.Admit, f.Why, at
	r.Members = nil
	if f.Admit {
		r.Sealed = "" // it is the booking's from now on
	}
	st.Refusals.Put(f.Ref, r)
}

func (st State) queued(at time.Time, f *Queued) {
	b := Booking{Ref: f.Ref, Slot: f.Slot, Status: Waiting, Members: f.Members, Position: f.Position,
		Standing: f.Standing, By: f.By, At: at, Sealed: f.Sealed}
	s := st.slot(f.Slot)
	if s.StandbyHead == s.StandbyTail {
		s.StandbyHead = f.Position
	}
	s.StandbyTail = max(s.StandbyTail, f.Position+1)
	st.put(s)
	st.Standby.Put(StandbyKey{Slot: f.Slot, Pos: f.Position}, f.Ref)
	st.enter(&b)
	st.Bookings.Put(b.Ref, b)
}

func (st State) offered(f *OfferMade) {
	b, ok := st.Bookings.Get(f.Ref)
	if !ok || b.Status != Waiting {
		return
	}
	s := st.slot(b.Slot)
	s.Offered += b.Places()
	st.put(s)
	b.Status, b.OfferUntil = Offered, f.Until
	st.Bookings.Put(b.Ref, b)
}

func (st State) granted(f *Granted) {
	b, ok := st.Bookings.Get(f.Ref)
	if !ok || b.Status != Waiting && b.Status != Offered {
		return
	}
	s := st.slot(b.Slot)
	st.leave(&s, &b)
	b.Status, b.Members = Booked, numbered(b.Members, f.Numbers)
	st.give(&s, &b)
	st.put(s)
	st.Bookings.Put(b.Ref, b)
}

// numbered returns a copy of the members with their new places.
func numbered(ms []Member, places []uint32) []Member {
	ms = slices.Clone(ms)
	for i := range ms {
		if i < len(places) {
			ms[i].Place = places[i]
		}
	}
	return ms
}

// end ends a booking in whatever state it is, as far as its old slot is concerned.
func (st State) end(b *Booking, first uint64, until time.Time) {
	s := st.slot(b.Slot)
	switch b.Status {
	case Waiting, Offered:
		st.leave(&s, b)
	case Booked:
		st.withdraw(&s, b, first, until)
	}
	st.put(s)
	st.untested(b)
	st.release(b)
}

func (st State) givenBack(f *GivenBack) {
	b, ok := st.Bookings.Get(f.Ref)
	if !ok || !b.Status.Active() {
		return
	}
	st.end(&b, f.First, f.Until)
	b.Status = Cancelled
	st.Bookings.Put(b.Ref, b)
}

func (st State) moved(f *Moved) {
	b, ok := st.Bookings.Get(f.Ref)
	if !ok || !b.Status.Active() {
		return
	}
	had := b.Status == Booked
	st.end(&b, f.First, f.Until)
	b.Members = numbered(b.Members, f.Numbers)
	for i := range b.Members {
		if had {
			b.Members[i].Gen++
		}
		if i < len(f.Tags) {
			b.Members[i].Tag = f.Tags[i]
		}
	}
	b.Slot, b.Status, b.Standing = f.To, Booked, false
	b.Moves++
	s := st.slot(f.To)
	st.give(&s, &b)
	st.put(s)
	st.tested(&b, f.Test)
	st.enter(&b)
	st.Bookings.Put(b.Ref, b)
}

func (st State) reissued(f *Reissued) {
	b, ok := st.Bookings.Get(f.Ref)
	if !ok || int(f.Member) >= len(b.Members) {
		return
	}
	b.Members = slices.Clone(b.Members)
	m := &b.Members[f.Member]
	st.list(Withdrawal{Serial: f.Serial, Pass: m.Pass, Gen: m.Gen, Slot: b.Slot, Until: f.Until})
	m.Gen++
	h, _ := st.Holders.Get(m.Pass)
	st.Holders.Put(m.Pass, Holder{Ref: b.Ref, Member: f.Member, Gen: m.Gen, Gone: h.Gone})
	st.Bookings.Put(b.Ref, b)
}

func (st State) ranOut(f *RanOut) {
	b, ok := st.Bookings.Get(f.Ref)
	if !ok || b.Status != Waiting && b.Status != Offered {
		return
	}
	st.end(&b, 0, time.Time{})
	b.Status = Lapsed
	st.Bookings.Put(b.Ref, b)
}

// maxFreed is how many serials one fact can free: far more than a desk decides at once,
// and little enough that a fact with faults holds nobody up.
const maxFreed = 4096

func (st State) freed(f *Freed) {
	a, _ := st.Acks.Get(0)
	to := min(f.To, a.Last)
	if to > f.From && to-f.From >= maxFreed {
		to = f.From + maxFreed - 1
	}
	for n := f.From; n <= to; n++ {
		w, ok := st.Withdrawals.Get(n)
		if !ok || w.Freed {
			continue
		}
		w.Freed = true
		st.Withdrawals.Put(n, w)
		if w.Places > 0 {
			s := st.slot(w.Slot)
			less(&s.Withheld, w.Places)
			st.put(s)
		}
	}
	a.FreedTo = max(a.FreedTo, to)
	st.Acks.Put(0, a)
}

// turn changes the state of a booking that is in one of some states.
func (st State) turn(ref Ref, to Status, from ...Status) {
	b, ok := st.Bookings.Get(ref)
	if !ok || !slices.Contains(from, b.Status) {
		return
	}
	b.Status = to
	st.Bookings.Put(ref, b)
	if to == Used {
		st.used(&b, ClaimUsed)
	}
}

// entryUndone makes a used booking what it was before: booked, or cancelled where it was
// given back. What was kept for the entry is withheld once more, until the other side has
// heard again and says that nobody came in.
func (st State) entryUndone(f *EntryUndone) {
	b, ok := st.Bookings.Get(f.Ref)
	if !ok || b.Status != Used {
		return
	}
	a, _ := st.Acks.Get(0)
	next := max(f.First, a.Last+1)
	one := f.Pass != (pass.ID{})
	var left []uint64
	for _, n := range b.Kept {
		w, ok := st.Withdrawals.Get(n)
		if !ok {
			continue
		}
		if one && w.Pass != f.Pass {
			left = append(left, n)
			continue
		}
		s := st.slot(w.Slot)
		w.Serial, w.Used, w.Freed, w.Places = next, false, false, min(w.Places, s.Taken)
		s.Taken -= w.Places
		s.Withheld += w.Places
		st.put(s)
		st.list(w)
		next++
	}
	b.Kept = left
	switch {
	case one:
		for _, m := range b.Members {
			if b.GivenBack && m.Pass == f.Pass {
				st.releaseOne(&b, m)
			}
		}
	case b.GivenBack:
		b.Status, b.GivenBack = Cancelled, false
		st.used(&b, ClaimUnused)
		st.release(&b)
	default:
		b.Status = Booked
		st.used(&b, ClaimUnused)
	}
	st.Bookings.Put(b.Ref, b)
}
