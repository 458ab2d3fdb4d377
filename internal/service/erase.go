// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package service

import (
	"math"
	"slices"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/appeal"
	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/erasure"
	"darwaza.dev/internal/people"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/rules"
)

// MaxErase is how many bookings and receipts one EraseDay takes at most.
const MaxErase = 500

// Erase asks that the sealed data of one booking, or of one receipt that has its own, go
// before their time. From then on nobody reads them here; whoever sends it destroys the
// key and says so by EraseDone.
type Erase struct {
	Ref     booking.Ref      `cbor:"1,keyasint,omitempty"`
	Receipt string           `cbor:"2,keyasint,omitempty"` // where Ref is empty
	Officer people.OfficerID `cbor:"3,keyasint,omitempty"`
	Case    appeal.ID        `cbor:"4,keyasint,omitempty"` // where both are empty
}

// EraseAnswer says whose key is to be destroyed. Sealed is empty where there is nothing
// sealed; Already is true where it was erased before.
type EraseAnswer struct {
	Sealed  string `cbor:"1,keyasint,omitempty"`
	Already bool   `cbor:"2,keyasint,omitempty"`
}

// EraseDone says that the keys of the requests before Upto are destroyed. The server
// sends it by itself.
type EraseDone struct {
	Upto uint32 `cbor:"1,keyasint"`
}

// EraseDay says that the keys of bookings and receipts of a site's day are destroyed,
// After days later. The server sends it by itself, with what EraseNext returns.
type EraseDay struct {
	Site     uint16        `cbor:"1,keyasint"`
	Day      uint16        `cbor:"2,keyasint"`
	After    uint16        `cbor:"3,keyasint"`
	Refs     []booking.Ref `cbor:"4,keyasint,omitempty"`
	Receipts []string      `cbor:"5,keyasint,omitempty"`
	Whole    bool          `cbor:"6,keyasint,omitempty"` // nothing of the day is left
	Texts    []string      `cbor:"7,keyasint,omitempty"` // ids of the sealed words of contests and answers
}

// EraseDayAnswer says how many sealed texts went.
type EraseDayAnswer struct {
	Erased uint32 `cbor:"1,keyasint,omitempty"`
}

// CommandKind names the command in logs and in forwarding.
func (Erase) CommandKind() string     { return "erasure.ask" }
func (EraseDone) CommandKind() string { return "erasure.done" }
func (EraseDay) CommandKind() string  { return "erasure.day" }

// Keys names the booking.
func (c Erase) Keys(k *Keys) {
	if c.Ref != "" {
		k.Bookings = append(k.Bookings, c.Ref)
	}
}

// Keys names nothing.
func (c EraseDone) Keys(k *Keys) {}

// Keys names the bookings.
func (c EraseDay) Keys(k *Keys) { k.Bookings = append(k.Bookings, c.Refs...) }

// Run records the request of a named officer and lets the ciphertexts go: with a booking
// or a receipt those of the words with which its answers were contested.
func (c Erase) Run(tx *Tx) (any, error) {
	if err := tx.whole(); err != nil {
		return nil, err
	}
	var site uint16
	var own erasure.Asked // what was asked for itself
	var cases []appeal.Case
	found := false
	switch {
	case c.Ref != "":
		id, slot, ok := sealedOf(tx.State, c.Ref)
		site, own, found = slot.Site(), erasure.Asked{Sealed: id, Ref: c.Ref}, ok
		cases = casesOf(tx.State, c.Ref)
	case c.Receipt != "":
		p, _, ok := ReceiptOf(tx.State, c.Receipt)
		site, own, found = p.Site, erasure.Asked{Sealed: p.Sealed, Receipt: c.Receipt}, ok
		if t, turned := tx.Market.Turned.Get(c.Receipt); turned {
			site, found = t.Site, true
		}
		cases = tx.Appeal.About(appeal.Subject(c.Receipt))
	default:
		k, ok := tx.Appeal.Cases.Get(c.Case)
		site, found = k.Site, ok
		cases = []appeal.Case{k}
	}
	if _, err := tx.acting(c.Officer, site, mayErase); err != nil {
		return nil, err
	}
	if !found {
		return nil, problem.New(problem.NotFound, "erasure.unknown")
	}
	all := []erasure.Asked{own}
	for _, k := range cases {
		all = append(all, erasure.Asked{Sealed: k.Sealed, Case: k.ID}, erasure.Asked{Sealed: k.Reply, Case: k.ID})
	}
	a := EraseAnswer{Already: true}
	for _, f := range all {
		if f.Sealed == "" {
			continue
		}
		if a.Sealed == "" {
			a.Sealed = f.Sealed
		}
		if _, there := tx.Sealed.Get(f.Sealed); !there {
			continue
		}
		a.Already = false
		f.By = string(c.Officer)
		tx.Record(&f)
		tx.Sealed.Delete(f.Sealed)
	}
	a.Already = a.Already && a.Sealed != ""
	return a, nil
}

// Run records that requests were carried out.
func (c EraseDone) Run(tx *Tx) (any, error) {
	if err := tx.whole(); err != nil {
		return nil, err
	}
	facts, err := tx.Erasure.DecideDone(c.Upto)
	if err != nil {
		return nil, err
	}
	tx.record(facts)
	return EraseDayAnswer{}, nil
}

// Run records that a day's time has come and lets the ciphertexts go. A booking that has
// moved to another day is passed over.
func (c EraseDay) Run(tx *Tx) (any, error) {
	if err := tx.whole(); err != nil {
		return nil, err
	}
	if len(c.Refs)+len(c.Receipts)+len(c.Texts) > MaxErase {
		return nil, problem.New(problem.Limit, "erasure.many")
	}
	f := erasure.DayErased{Site: c.Site, Day: c.Day, After: c.After, Whole: c.Whole}
	var gone []string
	went := func(id string, count *uint32) {
		if _, there := tx.Sealed.Get(id); there {
			gone = append(gone, id)
			*count++
		}
	}
	for _, ref := range c.Refs {
		if id, slot, ok := sealedOf(tx.State, ref); ok && slot.Site() == c.Site && slot.Day() == c.Day && id != "" {
			went(id, &f.Bookings)
		}
	}
	for _, id := range c.Receipts {
		if p, l, ok := ReceiptOf(tx.State, id); ok && p.Site == c.Site && l.Key.Day == c.Day && p.Sealed != "" {
			went(p.Sealed, &f.Receipts)
		}
	}
	said := tx.Erasure.Words(c.Site, c.Day)
	for _, id := range c.Texts {
		if slices.Contains(said, id) {
			went(id, &f.Texts)
		}
	}
	facts, err := tx.Erasure.DecideDay(f, siteToday(tx.Law, c.Site, tx.Now))
	if err != nil {
		return nil, err
	}
	tx.record(facts)
	for _, id := range gone {
		tx.Sealed.Delete(id)
	}
	return EraseDayAnswer{Erased: uint32(len(gone))}, nil
}

// EraseWaiting returns the ids of the keys that officers asked to have destroyed, and the
// command that says it was done. It is false where none is left.
func EraseWaiting(st State) (ids []string, c EraseDone, ok bool) {
	ids, upto := st.Erasure.Waiting()
	return ids, EraseDone{Upto: upto}, len(ids) > 0
}

// EraseNext returns the ids of the keys whose time has come, of the first site and day
// that has any, and the command that says they were destroyed. keep is how many days they
// are kept where the edition of the day does not say. It is false where there are none.
func EraseNext(st State, law *Law, side agreement.Side, keep uint16, now time.Time) (ids []string, c EraseDay, ok bool) {
	for _, e := range law.Editions() {
		for _, site := range e.Sites {
			next, known := st.Erasure.Next.Get(site.Number)
			if !known {
				next, _ = dayIn(law.Zone(site.ID), began(law))
			}
			today := siteToday(law, site.Number, now)
			for day := next; day < today; day++ {
				after := eraseAfter(law, site.ID, side, keep, day)
				if int(day)+int(after) > int(today) {
					continue // a later day may have a shorter time
				}
				c := EraseDay{Site: site.Number, Day: day, After: after, Whole: true}
				if ids := eraseOf(st, law, side, now, &c); len(ids) > 0 {
					return ids, c, true
				}
			}
		}
	}
	return nil, EraseDay{}, false
}

// began is when the first edition began.
func began(law *Law) (first time.Time) {
	for i, e := range law.Editions() {
		if i == 0 || e.From.Before(first) {
			first = e.From
		}
	}
	return first
}

// sealedOf returns the id of the sealed data of a booking, or of a request that gave none,
// and its slot.
func sealedOf(st State, ref booking.Ref) (id string, slot booking.SlotID, ok bool) {
	if b, ok := st.Booking.Bookings.Get(ref); ok {
		return b.Sealed, b.Slot, true
	}
	r, ok := st.Booking.Refusals.Get(ref)
	return r.Sealed, r.Slot, ok
}

// eraseOf fills in what of a site's day is still sealed.
func eraseOf(st State, law *Law, side agreement.Side, now time.Time, c *EraseDay) (ids []string) {
	full := func() bool {
		if len(ids) < MaxErase {
			return false
		}
		c.Whole = false
		return true
	}
	k := booking.RosterKey{Site: c.Site, Day: c.Day}
	n, _ := st.Booking.Rosters.Get(k)
	seen := map[booking.Ref]bool{} // a booking that was moved away and back stands twice
	for k.Pos = range n {
		ref, ok := st.Booking.Roster.Get(k)
		id, slot, found := sealedOf(st, ref)
		if !ok || !found || id == "" || seen[ref] || slot.Site() != c.Site || slot.Day() != c.Day {
			continue
		}
		if _, there := st.Sealed.Get(id); !there {
			continue
		}
		if b, ok := st.Booking.Bookings.Get(ref); ok && deskOf(st, law, side, now).Stands(b) {
			c.Whole = false // its slot was closed, and it waits for another
			continue
		}
		if full() {
			return ids
		}
		seen[ref] = true
		ids, c.Refs = append(ids, id), append(c.Refs, ref)
	}
	for _, id := range st.Erasure.List(c.Site, c.Day) {
		p, _, ok := ReceiptOf(st, id)
		if _, there := st.Sealed.Get(p.Sealed); !ok || p.Sealed == "" || !there {
			continue
		}
		if full() {
			return ids
		}
		ids, c.Receipts = append(ids, p.Sealed), append(c.Receipts, id)
	}
	for _, id := range st.Erasure.Words(c.Site, c.Day) {
		if _, there := st.Sealed.Get(id); !there {
			continue
		}
		if full() {
			return ids
		}
		ids, c.Texts = append(ids, id), append(c.Texts, id)
	}
	return ids
}

// eraseAfter is how many days after a site's day its keys are destroyed: one at least.
func eraseAfter(law *Law, site string, side agreement.Side, keep, day uint16) uint16 {
	n, ok := law.Param(erasure.Parameter, site, side, rules.DayDate(day).Start(law.Zone(site)))
	if !ok || n > math.MaxUint16 {
		n = int64(keep)
	}
	return uint16(max(n, 1))
}

// siteToday is the civil day at a site, which may be of an edition that is over; where
// there is no such site it is the day in UTC.
func siteToday(law *Law, site uint16, now time.Time) uint16 {
	zone := time.UTC
	for _, e := range law.Editions() {
		if s, ok := e.SiteNumbered(site); ok {
			zone = law.Zone(s.ID)
		}
	}
	day, _ := dayIn(zone, now)
	return day
}
