// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package service

import (
	"slices"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/gate"
	"darwaza.dev/internal/people"
	"darwaza.dev/internal/problem"
)

// Acknowledge records that every gate of the other side has heard this side's list of
// withdrawals up to a serial. Places of those passes may be sold again, but for those
// that had been used there.
type Acknowledge struct {
	Serial uint64             `cbor:"1,keyasint"`
	List   uint64             `cbor:"2,keyasint,omitempty"` // of which list
	Used   []booking.UsedPass `cbor:"3,keyasint,omitempty"`
}

// BeginList begins this server's numbered lists anew under an id: serials that the other
// side has heard are lost, as after a restore from an older copy. The id must be random.
type BeginList struct {
	List uint64 `cbor:"1,keyasint"`
	// Hold holds sales as well, because sales of places may be lost with the serials.
	Hold bool `cbor:"2,keyasint,omitempty"`
}

// OpenSales lets a site sell places again that were held because the record had lost its
// end: a supervisor's act.
type OpenSales struct {
	Site    uint16           `cbor:"1,keyasint"`
	Officer people.OfficerID `cbor:"2,keyasint"`
}

// OpenSalesAnswer is the answer to OpenSales: Opened is false where the site sold already.
type OpenSalesAnswer struct {
	Opened bool `cbor:"1,keyasint,omitempty"`
}

// BeginListAnswer is the answer to BeginList: the id of the lists as they stand.
type BeginListAnswer struct {
	List uint64 `cbor:"1,keyasint,omitempty"`
}

// Movements records what this side has read of the other side's list of movements: who
// with a pass of this side, or seen here, has gone in or out there.
type Movements struct {
	Heard gate.MovesHeard `cbor:"1,keyasint"`
}

// MovementsAnswer is the answer to Movements: how far the list was read.
type MovementsAnswer struct {
	Serial uint64 `cbor:"1,keyasint,omitempty"`
}

// Claims records what this side has read of the other side's claims: whose persons have a
// booking there, by their joint tags.
type Claims struct {
	Heard booking.ClaimsHeard `cbor:"1,keyasint"`
}

// ClaimsAnswer is the answer to Claims: Kept is false where nothing was new.
type ClaimsAnswer struct {
	Kept bool `cbor:"1,keyasint,omitempty"`
}

// CommandKind names the command in logs and in forwarding.
func (BeginList) CommandKind() string { return "booking.begin_list" }
func (OpenSales) CommandKind() string { return "booking.open_sales" }
func (Movements) CommandKind() string { return "gate.movements" }
func (Claims) CommandKind() string    { return "booking.claims" }

// Keys names the passes.
func (c Movements) Keys(k *Keys) {
	for _, m := range c.Heard.Moves {
		k.Holders = append(k.Holders, m.Pass)
		k.Presences = append(k.Presences, m.Pass)
	}
}

// Run records the movements, and the bookings that were used by them.
func (c Movements) Run(tx *Tx) (any, error) {
	if err := tx.whole(); err != nil {
		return nil, err
	}
	facts, err := tx.gate().DecideMoves(c.Heard)
	if err != nil {
		return nil, err
	}
	tx.record(facts)
	if len(facts) > 0 {
		for _, m := range c.Heard.Moves {
			tx.record(tx.gate().DecideUsed(m))
		}
	}
	return MovementsAnswer{Serial: tx.Gate.MovesRead(tx.Side.Other()).Serial}, nil
}

// Keys names the row that holds the list's id.
func (c BeginList) Keys(k *Keys) { k.Acks = append(k.Acks, 0) }

// Run begins the lists anew.
func (c BeginList) Run(tx *Tx) (any, error) {
	if err := tx.whole(); err != nil {
		return nil, err
	}
	if c.List == 0 {
		return nil, problem.Field("list", "booking.list")
	}
	facts := tx.booking().DecideList(c.List)
	tx.record(facts)
	if c.Hold && len(facts) > 0 {
		tx.record(tx.booking().DecideHold())
	}
	a, _ := tx.Booking.Acks.Get(0)
	return BeginListAnswer{List: a.List}, nil
}

// Keys names the row that says what is held.
func (c OpenSales) Keys(k *Keys) { k.Acks = append(k.Acks, 0) }

// Run opens a site's slots again.
func (c OpenSales) Run(tx *Tx) (any, error) {
	if err := tx.whole(); err != nil {
		return nil, err
	}
	if _, err := tx.acting(c.Officer, c.Site, mayOpen); err != nil {
		return nil, err
	}
	facts := tx.booking().DecideOpenSales(c.Site, string(c.Officer))
	tx.record(facts)
	return OpenSalesAnswer{Opened: len(facts) > 0}, nil
}

// Keys names the claims.
func (c Claims) Keys(k *Keys) {
	k.Acks = append(k.Acks, 0)
	for _, d := range c.Heard.Days {
		for _, h := range d.Claims {
			k.Claims = append(k.Claims, booking.ClaimKey{Tag: h.Tag, Site: d.Site, Day: d.Day})
		}
	}
}

// Run records the claims. A person who has used a booking of either side is shown.
func (c Claims) Run(tx *Tx) (any, error) {
	if err := tx.whole(); err != nil {
		return nil, err
	}
	facts, err := tx.booking().DecideClaims(c.Heard)
	if err != nil {
		return nil, err
	}
	if len(facts) == 0 {
		return ClaimsAnswer{}, nil
	}
	var fresh []booking.ClaimKey
	for _, h := range c.Heard.Changes {
		k := booking.ClaimKey{Tag: h.Tag, Site: h.Site, Day: h.Day}
		if t, _ := tx.Booking.TheirClaims.Get(k); h.Kind == booking.ClaimUsed && !t.Used && !slices.Contains(fresh, k) {
			fresh = append(fresh, k)
		}
	}
	tx.record(facts)
	for _, k := range fresh {
		tx.record(tx.gate().DecidePersonTwice(k))
	}
	return ClaimsAnswer{Kept: true}, nil
}

// ClaimDays returns the days from today on for which a side may have sold places, of each
// site of the editions in force.
func ClaimDays(law *Law, now time.Time) (days []booking.RosterKey) {
	for _, s := range law.Sites(now) {
		today, _ := dayIn(law.Zone(s.ID), now)
		most := max(ahead(law, agreement.A, s.ID, now), ahead(law, agreement.B, s.ID, now))
		for day := today; day <= today+most; day++ {
			days = append(days, booking.RosterKey{Site: s.Number, Day: day})
		}
	}
	return days
}
