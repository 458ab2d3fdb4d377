// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package booking

import (
	"time"

	"darwaza.dev/internal/fact"
	"darwaza.dev/internal/pass"
	"darwaza.dev/internal/reason"
	"darwaza.dev/internal/rules"
)

// Opened says how many places of a slot this side may sell, by the edition in force. It
// comes before the first sale, and again where an edition changes the number.
type Opened struct {
	Slot      SlotID `cbor:"1,keyasint"`
	Allotment uint32 `cbor:"2,keyasint"`
}

// Made says that a party took places.
type Made struct {
	Ref     Ref      `cbor:"1,keyasint"`
	Slot    SlotID   `cbor:"2,keyasint"`
	Members []Member `cbor:"3,keyasint"`
	By      string   `cbor:"4,keyasint,omitempty"`
	Sealed  string   `cbor:"5,keyasint,omitempty"`
	// Decided is the officer who let the party in where the law left it to one, empty where
	// nobody had to.
	Decided string `cbor:"6,keyasint,omitempty"`
	// Asked are the questions to the law, one for persons of whom it would see the same.
	Asked []rules.Asked `cbor:"7,keyasint,omitempty"`
	// Test is what it has at the health desk, nil where it has nothing there.
	Test *Test `cbor:"8,keyasint,omitempty"`
}

// Refused says that a party asked for places and got none, under the reference that it is
// found by. Members and Sealed are said only where an officer may let the party in.
type Refused struct {
	Ref     Ref             `cbor:"1,keyasint"`
	Slot    SlotID          `cbor:"2,keyasint"`
	Places  uint32          `cbor:"3,keyasint"`
	Outcome reason.Outcome  `cbor:"4,keyasint"`
	Reasons []reason.Reason `cbor:"5,keyasint,omitempty"`
	Edition string          `cbor:"6,keyasint,omitempty"`
	By      string          `cbor:"7,keyasint,omitempty"`
	Members []Member        `cbor:"8,keyasint,omitempty"`
	Sealed  string          `cbor:"9,keyasint,omitempty"`
	Asked   []rules.Asked   `cbor:"10,keyasint,omitempty"` // as in Made
}

// Ruled says what an officer decided on a request that was left to one, by which reasons
// with their clauses. Where the party is let in, a Made follows.
type Ruled struct {
	Ref     Ref             `cbor:"1,keyasint"`
	Slot    SlotID          `cbor:"2,keyasint"`
	Admit   bool            `cbor:"3,keyasint,omitempty"`
	Why     string          `cbor:"4,keyasint"` // one of Grounds
	Officer string          `cbor:"5,keyasint"`
	Reasons []reason.Reason `cbor:"6,keyasint,omitempty"`
}

// Queued says that a party joined the queue of a slot. Its members have no places yet.
type Queued struct {
	Ref      Ref      `cbor:"1,keyasint"`
	Slot     SlotID   `cbor:"2,keyasint"`
	Members  []Member `cbor:"3,keyasint"`
	Position uint64   `cbor:"4,keyasint"`
	Standing bool     `cbor:"5,keyasint,omitempty"`
	By       string   `cbor:"6,keyasint,omitempty"`
	Sealed   string   `cbor:"7,keyasint,omitempty"`
	// Asked are the questions to the law, as in Made.
	Asked []rules.Asked `cbor:"8,keyasint,omitempty"`
}

// OfferMade says that returned places are kept for a party until an instant.
type OfferMade struct {
	Ref    Ref       `cbor:"1,keyasint"`
	Slot   SlotID    `cbor:"2,keyasint"`
	Places uint32    `cbor:"3,keyasint"`
	Until  time.Time `cbor:"4,keyasint"`
}

// Granted says that a party that waited has places now: by accepting an offer, or
// without being asked where it stands so.
type Granted struct {
	Ref     Ref      `cbor:"1,keyasint"`
	Slot    SlotID   `cbor:"2,keyasint"`
	Places  uint32   `cbor:"3,keyasint"`
	Numbers []uint32 `cbor:"4,keyasint"` // of the place of each member
	By      string   `cbor:"5,keyasint,omitempty"`
}

// GivenBack says that a booking was cancelled. Passes that were issued are withdrawn
// under the serials from First on, in the order of the members; First is 0 where the
// booking had no places.
type GivenBack struct {
	Ref    Ref       `cbor:"1,keyasint"`
	Slot   SlotID    `cbor:"2,keyasint"`
	Places uint32    `cbor:"3,keyasint"`
	First  uint64    `cbor:"4,keyasint,omitempty"`
	Until  time.Time `cbor:"5,keyasint"` // end of the withdrawn passes
	By     string    `cbor:"6,keyasint,omitempty"`
}

// Moved says that a booking went to another slot. First and Until are as in GivenBack.
type Moved struct {
	Ref     Ref        `cbor:"1,keyasint"`
	From    SlotID     `cbor:"2,keyasint"`
	To      SlotID     `cbor:"3,keyasint"`
	Places  uint32     `cbor:"4,keyasint"`
	Numbers []uint32   `cbor:"5,keyasint"`
	Tags    [][16]byte `cbor:"6,keyasint,omitempty"` // of the members for the new day, where it differs
	First   uint64     `cbor:"7,keyasint,omitempty"`
	Until   time.Time  `cbor:"8,keyasint"`
	By      string     `cbor:"9,keyasint,omitempty"`
	// Test is what the booking has at the health desk after it, nil where it has nothing.
	Test *Test `cbor:"10,keyasint,omitempty"`
}

// Reissued says that one member has a new generation of the pass and that the old one
// is withdrawn under a serial. No place comes back by it.
type Reissued struct {
	Ref    Ref       `cbor:"1,keyasint"`
	Slot   SlotID    `cbor:"2,keyasint"`
	Member uint8     `cbor:"3,keyasint"`
	Serial uint64    `cbor:"4,keyasint"`
	Until  time.Time `cbor:"5,keyasint"`
	By     string    `cbor:"6,keyasint,omitempty"`
}

// RanOut says that a party's wait is over without a place: its offer was not taken in
// time, or the slot has ended.
type RanOut struct {
	Ref    Ref    `cbor:"1,keyasint"`
	Slot   SlotID `cbor:"2,keyasint"`
	Places uint32 `cbor:"3,keyasint"`
}

// Acknowledged says up to which serial every gate of the other side has heard.
type Acknowledged struct {
	Serial uint64 `cbor:"1,keyasint"`
}

// Freed says that the places withheld under the serials From ≤ n ≤ To may be sold again.
type Freed struct {
	From uint64 `cbor:"1,keyasint"`
	To   uint64 `cbor:"2,keyasint"`
}

// PassesEnded says that every pass of a slot has ended by itself, so that nothing of it
// is withheld any more.
type PassesEnded struct {
	Slot SlotID `cbor:"1,keyasint"`
}

// Entered says that a holder of the booking has entered for the first time.
type Entered struct {
	Ref Ref `cbor:"1,keyasint"`
	// Missed are the booking's places where it had been settled as one that nobody used,
	// before the other side's gate could be heard; Slot is theirs.
	Missed uint32 `cbor:"2,keyasint,omitempty"`
	Slot   SlotID `cbor:"3,keyasint,omitempty"`
}

// EntryUndone says that the only entry of the booking was a mistake. Places that were kept
// for it beside its own are withheld again under the serials from First on, in the order
// in which they were kept; First is 0 where there are none. Where Pass is not zero, others of
// the booking have come in: it stays used, and only what was kept for that pass goes back.
type EntryUndone struct {
	Ref   Ref     `cbor:"1,keyasint"`
	First uint64  `cbor:"2,keyasint,omitempty"`
	Pass  pass.ID `cbor:"3,keyasint"`
}

// Missed says of bookings of a site's day that nobody came.
type Missed struct {
	Site   uint16 `cbor:"1,keyasint"`
	Day    uint16 `cbor:"2,keyasint"`
	Refs   []Ref  `cbor:"3,keyasint"`
	Places uint32 `cbor:"4,keyasint"`
}

// FactKind names the fact.
func (Opened) FactKind() string       { return "booking.opened" }
func (Made) FactKind() string         { return "booking.booked" }
func (Refused) FactKind() string      { return "booking.refused" }
func (Ruled) FactKind() string        { return "booking.ruled" }
func (Queued) FactKind() string       { return "booking.queued" }
func (OfferMade) FactKind() string    { return "booking.offered" }
func (Granted) FactKind() string      { return "booking.granted" }
func (GivenBack) FactKind() string    { return "booking.cancelled" }
func (Moved) FactKind() string        { return "booking.moved" }
func (Reissued) FactKind() string     { return "booking.reissued" }
func (RanOut) FactKind() string       { return "booking.lapsed" }
func (Acknowledged) FactKind() string { return "booking.acknowledged" }
func (Freed) FactKind() string        { return "booking.freed" }
func (PassesEnded) FactKind() string  { return "booking.passes_ended" }
func (Entered) FactKind() string      { return "booking.entered" }
func (EntryUndone) FactKind() string  { return "booking.entry_undone" }
func (Missed) FactKind() string       { return "booking.missed" }

// Facts returns constructors of every fact of this desk.
func Facts() []func() fact.Fact {
	return append(append(sideFacts(), transferFacts()...),
		func() fact.Fact { return new(Opened) },
		func() fact.Fact { return new(Made) },
		func() fact.Fact { return new(Refused) },
		func() fact.Fact { return new(Ruled) },
		func() fact.Fact { return new(Queued) },
		func() fact.Fact { return new(OfferMade) },
		func() fact.Fact { return new(Granted) },
		func() fact.Fact { return new(GivenBack) },
		func() fact.Fact { return new(Moved) },
		func() fact.Fact { return new(Reissued) },
		func() fact.Fact { return new(RanOut) },
		func() fact.Fact { return new(Acknowledged) },
		func() fact.Fact { return new(Freed) },
		func() fact.Fact { return new(PassesEnded) },
		func() fact.Fact { return new(Entered) },
		func() fact.Fact { return new(EntryUndone) },
		func() fact.Fact { return new(Missed) },
		func() fact.Fact { return new(TestBooked) },
	)
}
