// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package booking

import (
	"slices"
	"time"

	"darwaza.dev/internal/fact"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/reason"
	"darwaza.dev/internal/rules"
)

// The queue is strict (docs/decisions/0006 and 0011). A place that comes back is for the first party that waits; a
// party that needs more places than there are keeps those behind it waiting until it
// has them, so that families are not passed over for ever by persons who come alone.

// atOnce bounds what one decision does, so that a command never holds the others up.
const atOnce = 256

// Queueing reports whether no free place of a slot is to be had by somebody new, because a
// party waits for one without an offer yet, or because nothing is sold of it.
func Queueing(st State, s Slot) bool {
	_, ok := Desk{State: st}.waiting(s, 0)
	return ok || st.held(s.ID)
}

// DecideReturn gives the free places of a slot to those who wait, in order: to a party
// with a standing acceptance at once, to another as an offer with an end. vendors says
// of the members of a booking whether they hold a vendor's card that is good on its day.
// more is true where there is more to give than one decision does.
//
// A standing acceptance was given under what held then, so the law is asked again when
// the place is there, as it is when an offer is taken. A party to whom it may not be given
// is passed over, with a fact that says why: it keeps its position, and is asked about again
// with each place that comes back, but keeps nobody waiting.
func (d Desk) DecideReturn(id SlotID, vendors func(Booking) []bool) (facts []fact.Fact, more bool) {
	p, err := d.place(id)
	if err != nil || !p.planned || !d.Now.Before(p.plan.Until) || d.held(id) {
		return nil, false
	}
	if _, shut := d.shutAt(p); shut {
		return nil, false
	}
	s, facts := d.open(p, id)
	until := p.plan.Until
	if offer, ok := d.Law.Param("standby.offer", p.site, d.Side, d.Now); ok {
		if t := d.Now.Add(time.Duration(offer) * time.Minute); t.Before(until) {
			until = t
		}
	}
	for from := s.StandbyHead; ; {
		b, ok := d.next(s, from)
		if !ok || s.Free() == 0 || b.Places() > s.Free() && b.Passed == reason.None {
			return facts, false
		}
		if len(facts) >= atOnce {
			return facts, true
		}
		n := b.Places()
		if b.Standing {
			f := &PassedOver{Ref: b.Ref, Slot: id}
			if v, _ := d.ask(p, b.Members, vendors(b), nil, nil); !lawful(v) {
				f.Outcome = v.Outcome
				if len(v.Reasons) > 0 {
					f.Reasons = d.Law.Grounds(v)
				}
			}
			if f.Outcome != b.Passed || !slices.EqualFunc(f.Reasons, b.PassedWhy, sameReason) {
				facts = append(facts, f)
			}
			if f.Outcome != reason.None {
				from = b.Position + 1
				continue
			}
			if n > s.Free() {
				return facts, false // it is its turn again
			}
		}
		if b.Standing {
			facts = append(facts, &Granted{Ref: b.Ref, Slot: id, Places: n, Numbers: numbers(&s, b.Members)})
			s.Taken += n
		} else {
			facts = append(facts, &OfferMade{Ref: b.Ref, Slot: id, Places: n, Until: until})
			s.Offered += n
		}
		from = b.Position + 1
	}
}

func sameReason(a, b reason.Reason) bool {
	return a.Code == b.Code && a.Outcome == b.Outcome && a.Clause == b.Clause
}

// PassedOver says that a place came back and a party that waits with a standing acceptance
// did not get it, because the law no longer lets it book; with no outcome, that nothing is
// against it any more.
type PassedOver struct {
	Ref     Ref             `cbor:"1,keyasint"`
	Slot    SlotID          `cbor:"2,keyasint"`
	Outcome reason.Outcome  `cbor:"3,keyasint,omitempty"`
	Reasons []reason.Reason `cbor:"4,keyasint,omitempty"` // with their clauses, without parameters
}

// FactKind names the fact.
func (PassedOver) FactKind() string { return "booking.passed_over" }

func (st State) passedOver(f *PassedOver) {
	b, ok := st.Bookings.Get(f.Ref)
	if !ok || b.Status != Waiting {
		return
	}
	b.Passed, b.PassedWhy = f.Outcome, f.Reasons
	st.Bookings.Put(f.Ref, b)
}

// DecideAccept takes the place that is offered. by is the officer who says so for the
// party, empty where it says so itself.
func (d Desk) DecideAccept(ref Ref, vendors []bool, by string) ([]fact.Fact, rules.Verdict, error) {
	b, no, err := d.find(ref)
	if err != nil {
		return nil, rules.Verdict{}, err
	}
	if no != nil {
		return nil, d.plain(b.Slot).With(*no), nil
	}
	if b.Status != Offered || !d.Now.Before(b.OfferUntil) {
		return nil, d.plain(b.Slot).With(because(CodeNoOffer, reason.Refuse)), nil
	}
	p, err := d.place(b.Slot)
	if err != nil {
		return nil, rules.Verdict{}, err
	}
	v, _ := d.ask(p, b.Members, vendors, nil, nil)
	if !p.planned || !d.Now.Before(p.plan.Until) {
		return nil, v.With(because(CodePast, reason.Closed)), nil
	}
	if d.held(b.Slot) {
		return nil, v.With(because(CodeHeld, reason.Closed)), nil
	}
	if s, shut := d.shutAt(p); shut {
		return nil, v.With(s.Reason()), nil
	}
	if !lawful(v) {
		return nil, v, nil
	}
	s, _ := d.Slots.Get(b.Slot)
	return []fact.Fact{&Granted{Ref: ref, Slot: b.Slot, Places: b.Places(), Numbers: numbers(&s, b.Members), By: by}}, v, nil
}

// DecideDecline lets the offered place go; the booking is cancelled.
func (d Desk) DecideDecline(ref Ref, by string) ([]fact.Fact, rules.Verdict, error) {
	b, no, err := d.find(ref)
	v := d.plain(b.Slot)
	if err != nil {
		return nil, v, err
	}
	if no != nil {
		return nil, v.With(*no), nil
	}
	if b.Status != Offered {
		return nil, v.With(because(CodeNoOffer, reason.Refuse)), nil
	}
	return []fact.Fact{&GivenBack{Ref: ref, Slot: b.Slot, Places: b.Places(), Until: d.Now, By: by}}, v, nil
}

// DecideSweep says what time alone brings to a slot: offers that nobody took and waits
// for a slot that is over run out; places whose withdrawn passes have ended are free.
// A DecideReturn should follow it. more is true where there is more to do.
func (d Desk) DecideSweep(id SlotID) (facts []fact.Fact, more bool) {
	s, ok := d.Slots.Get(id)
	if !ok {
		return nil, false
	}
	p, err := d.place(id)
	if err != nil {
		p = place{}
	}
	end := d.end(p, id)
	over := (!d.Now.Before(end) || p.planned && !d.Now.Before(p.plan.Until)) && !d.standing(p)
	// An offer may stand behind a party that waits: it was made past one that was too large
	// then, or that the law was against. None is left behind once all places offered are
	// met with.
	offered := s.Offered
	for pos := s.StandbyHead; pos < s.StandbyTail && (over || offered > 0); pos++ {
		ref, ok := d.Standby.Get(StandbyKey{Slot: id, Pos: pos})
		if !ok {
			continue
		}
		b, ok := d.Bookings.Get(ref)
		if !ok {
			continue
		}
		lapsed := b.Status == Offered && !d.Now.Before(b.OfferUntil)
		if b.Status == Offered {
			less(&offered, b.Places())
		}
		if !over && !lapsed {
			continue
		}
		if len(facts) >= atOnce {
			return facts, true
		}
		facts = append(facts, &RanOut{Ref: ref, Slot: id, Places: b.Places()})
	}
	if s.Withheld > 0 && !d.Now.Before(end) {
		facts = append(facts, &PassesEnded{Slot: id})
	}
	return facts, false
}

// DecideHeard takes note of how far every gate of the other side has heard of this
// side's withdrawals, and frees the places of those passes, but for the ones that were
// used. It returns the slots that have places again; a DecideReturn for each should
// follow. more is true where there are more to free.
func (d Desk) DecideHeard(ack Ack) (facts []fact.Fact, slots []SlotID, more bool) {
	a, _ := d.Acks.Get(0)
	serial := min(ack.Serial, a.Last)
	if ack.List != a.List {
		serial, ack.Used = 0, nil
	}
	f, used := d.usedOf(ack)
	if f != nil {
		facts = append(facts, f)
	}
	if serial > a.Heard {
		facts = append(facts, &Acknowledged{Serial: serial})
		a.Heard = serial
	}
	if a.FreedTo >= a.Heard {
		return facts, nil, false
	}
	from, to := a.FreedTo+1, min(a.Heard, a.FreedTo+atOnce)
	seen := map[SlotID]bool{}
	for n := from; n <= to; n++ {
		if w, ok := d.Withdrawals.Get(n); ok && w.Places > 0 && !w.Freed && !used[n] && !seen[w.Slot] {
			seen[w.Slot] = true
			slots = append(slots, w.Slot)
		}
	}
	return append(facts, &Freed{From: from, To: to}), slots, to < a.Heard
}

// DecideEntered says that a holder has entered, where nobody of the booking had before.
func (st State) DecideEntered(ref Ref) []fact.Fact {
	if b, ok := st.Bookings.Get(ref); ok && (b.Status == Booked || b.Status == NoShow) {
		f := &Entered{Ref: ref}
		if b.Status == NoShow {
			f.Missed, f.Slot = b.Places(), b.Slot
		}
		return []fact.Fact{f}
	}
	return nil
}

// DecideMissed settles bookings of a site's day that nobody used.
// A booking that stands, because its slot was closed, is let be.
func (d Desk) DecideMissed(site, day uint16, refs []Ref) ([]fact.Fact, error) {
	var facts []fact.Fact
	seen := map[Ref]bool{}
	f := &Missed{Site: site, Day: day}
	for _, ref := range refs {
		b, ok := d.Bookings.Get(ref)
		if !ok {
			return nil, problem.New(problem.NotFound, "booking.unknown")
		}
		if seen[ref] || b.Status != Booked || b.Slot.Site() != site || b.Slot.Day() != day || d.Stands(b) {
			continue
		}
		seen[ref] = true
		f.Refs, f.Places = append(f.Refs, ref), f.Places+b.Places()
		if len(f.Refs) == 2000 { // a fact has a greatest size
			facts = append(facts, f)
			f = &Missed{Site: site, Day: day}
		}
	}
	if len(f.Refs) > 0 {
		facts = append(facts, f)
	}
	return facts, nil
}
