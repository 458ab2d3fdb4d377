// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package booking

import (
	"math"
	"slices"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/fact"
	"darwaza.dev/internal/rules"
)

// A record that has lost its end may know nothing of places that were sold, whose passes
// still let people in. What it could have sold until then is held: nothing is sold of it
// until a supervisor says that the sales that are missing have been looked for.

// Held says that nothing is sold at a site, or with the number 0 at any, for days up to
// Upto; 0 is a site that was opened while all others stay held.
type Held struct {
	Site uint16 `cbor:"1,keyasint,omitempty"`
	Upto uint16 `cbor:"2,keyasint,omitempty"` // days since 2000-01-01, the last day that is held
}

// SalesHeld says that nothing is sold at a site, or with the number 0 at any, for days up
// to Upto, because sales of places there may be missing from the record.
type SalesHeld struct {
	Site uint16 `cbor:"1,keyasint"`
	Upto uint16 `cbor:"2,keyasint"`
}

// SalesOpened says that an officer has let a site sell again.
type SalesOpened struct {
	Site    uint16 `cbor:"1,keyasint"`
	Officer string `cbor:"2,keyasint"`
}

// FactKind names the fact.
func (SalesHeld) FactKind() string   { return "booking.sales_held" }
func (SalesOpened) FactKind() string { return "booking.sales_opened" }

// HeldUpto returns up to which day nothing is sold at a site; false where it sells.
func (st State) HeldUpto(site uint16) (day uint16, ok bool) {
	a, _ := st.Acks.Get(0)
	for _, h := range a.Held {
		if h.Site == site {
			return h.Upto, h.Upto > 0
		}
		if h.Site == 0 {
			day, ok = h.Upto, true
		}
	}
	return day, ok
}

// held reports whether nothing is sold of a slot.
func (st State) held(id SlotID) bool {
	upto, ok := st.HeldUpto(id.Site())
	return ok && id.Day() <= upto
}

func (st State) hold(site, upto uint16, held bool) {
	a, _ := st.Acks.Get(0)
	a.Held = slices.DeleteFunc(slices.Clone(a.Held), func(h Held) bool { return h.Site == site || site == 0 })
	if held || slices.ContainsFunc(a.Held, func(h Held) bool { return h.Site == 0 }) {
		a.Held = append(a.Held, Held{Site: site, Upto: upto})
	}
	if len(a.Held) == 0 {
		a.Held = nil
	}
	st.Acks.Put(0, a)
}

// DecideHold holds the sales of every site for the days that are open for booking, as when
// the end of the record is lost. A day that opens later could not have been sold before.
// Where no edition says which sites and days there are, it holds them all.
func (d Desk) DecideHold() (facts []fact.Fact) {
	var sites []agreement.Site
	known := false
	if d.Law != nil {
		_, known = d.Law.Edition(d.Now)
		sites = d.Law.Sites(d.Now)
	}
	if !known {
		return []fact.Fact{&SalesHeld{Upto: math.MaxUint16}}
	}
	for _, s := range sites {
		upto := uint16(math.MaxUint16)
		today := rules.DayNumber(calendar.On(d.Now, d.Law.Zone(s.ID)))
		if ahead, ok := d.Law.Param("booking.ahead", s.ID, d.Side, d.Now); ok && ahead >= 0 && ahead < math.MaxUint16-int64(today) {
			upto = today + uint16(ahead)
		}
		if had, ok := d.HeldUpto(s.Number); !ok || had < upto {
			facts = append(facts, &SalesHeld{Site: s.Number, Upto: upto})
		}
	}
	return facts
}

// DecideOpenSales lets a site sell again, as an officer's act. A site that sells is let be.
func (d Desk) DecideOpenSales(site uint16, officer string) []fact.Fact {
	if _, ok := d.HeldUpto(site); !ok {
		return nil
	}
	return []fact.Fact{&SalesOpened{Site: site, Officer: officer}}
}
