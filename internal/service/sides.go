// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package service

import (
	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/gate"
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

// CommandKind names the command in logs and in forwarding.
func (BeginList) CommandKind() string { return "booking.begin_list" }
func (Movements) CommandKind() string { return "gate.movements" }

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
	tx.record(tx.booking().DecideList(c.List))
	a, _ := tx.Booking.Acks.Get(0)
	return BeginListAnswer{List: a.List}, nil
}
