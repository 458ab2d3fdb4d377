// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package booking

import (
	"math"
	"slices"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/fact"
	"darwaza.dev/internal/intake"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/rules"
)

// Transfer is how many places of a slot moved between the sides. Each side counts what it
// has given away, and that number only rises; the other takes the greatest it has heard. So
// a message that is lost, late or repeated makes no place, and none twice: an escrow counter
// (P. O'Neil, "The escrow transactional method", 1986; V. Balegas et al., "Extending
// eventually consistent cloud databases for enforcing numeric invariants", 2015, §4).
type Transfer struct {
	Given uint32 `cbor:"1,keyasint,omitempty"` // by this side, in all
	Got   uint32 `cbor:"2,keyasint,omitempty"` // by the other side, in all, as far as it was heard
	// Want is what Got is asked to become, and Asked what the other side asks Given to become.
	Want  uint32 `cbor:"3,keyasint,omitempty"`
	Asked uint32 `cbor:"4,keyasint,omitempty"`
}

// net is how many more places were given away than were got.
func (t Transfer) net() int64 { return int64(t.Given) - int64(t.Got) }

// Moving lists the slots of a site with places that moved or are asked for.
type Moving struct {
	Slots []SlotID `cbor:"1,keyasint,omitempty"`
}

// movingDays is how long a slot is listed after the newest one that moved.
const movingDays = 40

// MaxMoving is how many slots of a site are listed at most; where there are more, no other
// slot's places move.
const MaxMoving = 2000

// PlacesAsked says how many places of a slot this side asks the other to have given, in all.
type PlacesAsked struct {
	Slot SlotID `cbor:"1,keyasint"`
	Want uint32 `cbor:"2,keyasint"`
}

// PlacesGiven says that this side gives places of a slot to the other, Total in all.
type PlacesGiven struct {
	Slot   SlotID `cbor:"1,keyasint"`
	Places uint32 `cbor:"2,keyasint"`
	Total  uint32 `cbor:"3,keyasint"`
}

// PlacesHeard says what the other side has given of a slot, and asks for, in all.
type PlacesHeard struct {
	Slot  SlotID `cbor:"1,keyasint"`
	Got   uint32 `cbor:"2,keyasint,omitempty"`
	Asked uint32 `cbor:"3,keyasint,omitempty"`
}

// FactKind names the fact.
func (PlacesAsked) FactKind() string { return "booking.places_asked" }
func (PlacesGiven) FactKind() string { return "booking.places_given" }
func (PlacesHeard) FactKind() string { return "booking.places_heard" }

func (st State) transfer(id SlotID, f func(*Transfer)) {
	t, ok := st.Transfers.Get(id)
	f(&t)
	st.Transfers.Put(id, t)
	if ok {
		return
	}
	m, _ := st.Moving.Get(id.Site())
	list := slices.DeleteFunc(slices.Clone(m.Slots), func(s SlotID) bool { return uint32(s.Day())+movingDays < uint32(id.Day()) })
	st.Moving.Put(id.Site(), Moving{append(list, id)})
}

// Shares says what of a slot is left to each side, and why. It is false where the edition
// plans no such slot.
func (d Desk) Shares(id SlotID) (intake.Bound, bool) {
	p, err := d.place(id)
	return p.bound, err == nil && p.planned
}

// SharesOf is Shares for a slot as an edition plans it.
func (d Desk) SharesOf(p rules.SlotPlan) intake.Bound {
	x := place{id: MakeSlotID(p.Site, p.Class, p.Day, p.Minute), plan: p, planned: true, at: p.From}
	x.health, x.guarded = d.Law.Health(p.Site, p.From)
	return d.leveled(x).bound
}

// DecideOpen says how many places of a slot this side may sell by now, where it has sold
// of it before and the number is another one.
func (d Desk) DecideOpen(id SlotID) []fact.Fact {
	p, err := d.place(id)
	if _, ok := d.Slots.Get(id); err != nil || !p.planned || !ok {
		return nil
	}
	_, facts := d.open(p, id)
	return facts
}

// The parameters of an edition that let places move: a percentage of a side's own places of
// a slot that it may have given away, and the places that it keeps free for its own.
const (
	paramMost = "transfer.most"
	paramKeep = "transfer.keep"
)

// most is how many of a side's own places of a slot may be given away; 0 where the edition
// lets none move.
func (d Desk) most(p place, side agreement.Side, own uint32) int64 {
	percent, ok := d.Law.Param(paramMost, p.site, side, p.at)
	if !ok {
		return 0
	}
	return int64(own) * min(max(percent, 0), 100_00) / 100_00
}

// moves reports whether places of a slot may move now.
func (d Desk) moves(p place, err error) bool {
	return err == nil && p.planned && d.Now.Before(p.plan.Until) && !d.held(p.id)
}

// DecideAsk asks the other side for places of a slot: for as many as wait in the queue and
// have no place here, or for refused where somebody could not wait. What is no longer wanted
// is no longer asked for.
func (d Desk) DecideAsk(id SlotID, refused uint32) []fact.Fact {
	p, err := d.place(id)
	t, had := d.Transfers.Get(id)
	need := int64(0)
	if d.moves(p, err) {
		s, _ := d.open(p, id)
		for b, ok := d.waiting(s, 0); ok; b, ok = d.waiting(s, b.Position+1) {
			need += int64(b.Places())
		}
		if need = max(need, int64(refused)); need > 0 {
			// Places that were given away and are not there any more come first.
			need += max(0, t.net()-int64(p.bound.Own)) - int64(s.Free())
		}
		need = max(0, min(need, d.most(p, d.Side.Other(), p.bound.Theirs)+t.net()))
	}
	if m, _ := d.Moving.Get(id.Site()); !had && (need == 0 || len(m.Slots) >= MaxMoving) {
		return nil
	}
	if want := total(int64(t.Got) + need); want != max(t.Want, t.Got) && (refused == 0 || want > t.Want) {
		return []fact.Fact{&PlacesAsked{Slot: id, Want: want}}
	}
	return nil
}

func total(n int64) uint32 { return uint32(min(max(n, 0), math.MaxUint32)) }

// DecideGive gives the other side what it asks for of a slot, as far as nobody waits for it
// here and the edition allows it. A DecideOpen should follow.
func (d Desk) DecideGive(id SlotID) []fact.Fact {
	t, _ := d.Transfers.Get(id)
	if t.Asked <= t.Given {
		return nil
	}
	p, err := d.place(id)
	if !d.moves(p, err) {
		return nil
	}
	s, _ := d.open(p, id)
	if _, queue := d.waiting(s, 0); queue {
		return nil
	}
	keep, _ := d.Law.Param(paramKeep, p.site, d.Side, p.at)
	n := min(int64(t.Asked)-int64(t.Given), int64(s.Free())-max(keep, 0), d.most(p, d.Side, p.bound.Own)-t.net())
	if n <= 0 {
		return nil
	}
	// What was got beyond all places of the slot is not there to be given.
	from := max(int64(t.Given), int64(t.Got)-int64(p.bound.Theirs))
	return []fact.Fact{&PlacesGiven{Slot: id, Places: uint32(n), Total: total(from + n)}}
}

// TransferTold is what a side says to the other of a slot: what it has given and asks for,
// and what it has heard that the other has given.
type TransferTold struct {
	Slot  SlotID `cbor:"1,keyasint"`
	Given uint32 `cbor:"2,keyasint,omitempty"`
	Want  uint32 `cbor:"3,keyasint,omitempty"`
	Got   uint32 `cbor:"4,keyasint,omitempty"`
}

// Tell returns what this side says of the slots of a site from a day on.
func (st State) Tell(site, day uint16) (out []TransferTold) {
	m, _ := st.Moving.Get(site)
	for _, id := range m.Slots {
		if id.Day() >= day {
			t, _ := st.Transfers.Get(id)
			out = append(out, TransferTold{Slot: id, Given: t.Given, Want: t.Want, Got: t.Got})
		}
	}
	return out
}

// mostTold is the most places that a message can speak of: far more than a slot has.
const mostTold = 1 << 30

// DecideTold takes over what the other side says of a slot. Where it has heard of more
// places than this side remembers to have given, these are given: a copy was restored.
func (d Desk) DecideTold(x TransferTold) ([]fact.Fact, error) {
	p, err := d.place(x.Slot)
	if err != nil || x.Given > mostTold || x.Want > mostTold || x.Got > mostTold {
		return nil, problem.Field("slot", "booking.slot")
	}
	t, had := d.Transfers.Get(x.Slot)
	if m, _ := d.Moving.Get(x.Slot.Site()); !had && (!p.planned || len(m.Slots) >= MaxMoving) {
		return nil, nil
	}
	var facts []fact.Fact
	if x.Got > t.Given {
		facts = append(facts, &PlacesGiven{Slot: x.Slot, Places: x.Got - t.Given, Total: x.Got})
	}
	if got := max(t.Got, x.Given); got != t.Got || x.Want != t.Asked {
		facts = append(facts, &PlacesHeard{Slot: x.Slot, Got: got, Asked: x.Want})
	}
	return facts, nil
}

func (st State) applyTransfer(f fact.Fact) {
	switch f := f.(type) {
	case *PlacesAsked:
		st.transfer(f.Slot, func(t *Transfer) { t.Want = f.Want })
	case *PlacesGiven:
		st.transfer(f.Slot, func(t *Transfer) { t.Given = max(t.Given, f.Total) })
	case *PlacesHeard:
		st.transfer(f.Slot, func(t *Transfer) { t.Got, t.Asked = max(t.Got, f.Got), f.Asked })
	}
}

func transferFacts() []func() fact.Fact {
	return []func() fact.Fact{
		func() fact.Fact { return new(PlacesAsked) },
		func() fact.Fact { return new(PlacesGiven) },
		func() fact.Fact { return new(PlacesHeard) },
	}
}
