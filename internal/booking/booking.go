// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

// Package booking decides who has a place in a slot. It is pure: a decision is a
// function of state, request and time that gives facts and a verdict, and state
// is what Apply makes of facts.
//
// One side's server holds only its own allotment of a slot. The two allotments add
// up to the slot's capacity, so each side may sell while the link is down.
package booking

import (
	"time"

	"darwaza.dev/internal/pass"
	"darwaza.dev/internal/reason"
	"darwaza.dev/internal/table"
)

// SlotID names a slot. Both sides work it out from the edition's schedule, so slots
// need no exchange: site number (16 bits), class number (8), days since 2000-01-01
// in the site's zone (16), minute of the day at which the slot begins (16), most
// significant first; the top 8 bits are zero, and 1 in a slot of the health desk.
type SlotID uint64

// MakeSlotID packs a slot's parts.
func MakeSlotID(site uint16, class uint8, day uint16, minute uint16) SlotID {
	return SlotID(uint64(site)<<40 | uint64(class)<<32 | uint64(day)<<16 | uint64(minute))
}

// Site returns the site number.
func (s SlotID) Site() uint16 { return uint16(s >> 40) }

// Class returns the class number.
func (s SlotID) Class() uint8 { return uint8(s >> 32) }

// Day returns the days since 2000-01-01, a civil date in the site's zone.
func (s SlotID) Day() uint16 { return uint16(s >> 16) }

// Minute returns the minute of the day at which the slot begins.
func (s SlotID) Minute() uint16 { return uint16(s) }

// Slot is this side's part of a slot.
type Slot struct {
	ID        SlotID `cbor:"1,keyasint,omitempty"`
	Allotment uint32 `cbor:"2,keyasint,omitempty"` // places this side may sell
	Taken     uint32 `cbor:"3,keyasint,omitempty"` // places held by bookings
	Withheld  uint32 `cbor:"4,keyasint,omitempty"` // returned places whose passes a gate might still admit
	Excess    uint32 `cbor:"5,keyasint,omitempty"` // what was sold above an allotment that has shrunk since; it can only fall
	NextPlace uint32 `cbor:"6,keyasint,omitempty"` // the next place number to give; numbers are never given twice
	Offered   uint32 `cbor:"7,keyasint,omitempty"` // places kept for standby offers not yet answered
	// StandbyHead and StandbyTail bound the queue: positions head ≤ p < tail.
	StandbyHead uint64 `cbor:"8,keyasint,omitempty"`
	StandbyTail uint64 `cbor:"9,keyasint,omitempty"`
}

// Free returns the places that may be sold now.
func (s Slot) Free() uint32 {
	used := s.Taken + s.Withheld + s.Offered
	if used >= s.Allotment {
		return 0
	}
	return s.Allotment - used
}

// Ref is a booking's reference: 12 characters of Crockford base32, 60 random bits.
type Ref string

// Status is the state of a booking.
type Status uint8

// The states of a booking.
const (
	Waiting   Status = iota + 1 // on standby
	Offered                     // a returned place is kept for it until OfferUntil
	Booked                      // has places and passes
	Cancelled                   // given back
	Lapsed                      // standby that ended with its slot
	Used                        // at least one holder has entered
	NoShow                      // nobody came; settled at day's end
)

// Active reports whether the booking has places or waits for them: a person has one
// active booking at a site on a day.
func (s Status) Active() bool { return s == Waiting || s == Offered || s == Booked }

// Member is one adult of a booking, with the children who travel on the same pass.
type Member struct {
	Pass     pass.ID  `cbor:"1,keyasint,omitempty"` // of the present generation
	Gen      uint8    `cbor:"2,keyasint,omitempty"` // raised by every move and re-issue
	Place    uint32   `cbor:"3,keyasint,omitempty"` // of the adult; children take the numbers after it
	Children uint8    `cbor:"4,keyasint,omitempty"` // on this pass
	Tag      [16]byte `cbor:"5,keyasint,omitempty"` // joint tag of the document for the slot's day
	Binding  [16]byte `cbor:"6,keyasint,omitempty"` // of the present pass
	Document string   `cbor:"7,keyasint,omitempty"` // kind of document, such as "cnic", "passport": what rules may read
	Country  string   `cbor:"8,keyasint,omitempty"` // issuing country, ISO 3166 alpha-3, as the document says
	Age      int16    `cbor:"9,keyasint,omitempty"` // years on the day, -1 where not known
	// Register is the tag of the document for the vendors' register.
	Register [16]byte `cbor:"10,keyasint,omitempty"`
}

// Places returns the places that the member takes.
func (m Member) Places() uint32 { return 1 + uint32(m.Children) }

// Booking is one booking: a person, a family or a group.
type Booking struct {
	Ref        Ref       `cbor:"1,keyasint,omitempty"`
	Slot       SlotID    `cbor:"2,keyasint,omitempty"`
	Status     Status    `cbor:"3,keyasint,omitempty"`
	Members    []Member  `cbor:"4,keyasint,omitempty"`
	Position   uint64    `cbor:"5,keyasint,omitempty"`  // place in the standby queue, where Waiting or Offered
	Standing   bool      `cbor:"6,keyasint,omitempty"`  // take a returned place without asking: for people who have no phone
	OfferUntil time.Time `cbor:"7,keyasint,omitempty"`  // where Offered
	By         string    `cbor:"8,keyasint,omitempty"`  // id of the clerk who booked, empty where the traveller did
	At         time.Time `cbor:"9,keyasint,omitempty"`  // when booked
	Moves      uint8     `cbor:"10,keyasint,omitempty"` // how often moved
	Sealed     string    `cbor:"11,keyasint,omitempty"` // id of the sealed personal data; its key is in the vault
	// Passed is what the law last answered when a place came back and could not be given,
	// None where nothing is against it; PassedWhy are the reasons, without parameters.
	Passed    reason.Outcome  `cbor:"12,keyasint,omitempty"`
	PassedWhy []reason.Reason `cbor:"13,keyasint,omitempty"`
	// Kept are the serials of withdrawals of its passes that had been used at the other
	// side's gate before it heard: places that stay taken beside those that it holds.
	Kept []uint64 `cbor:"14,keyasint,omitempty"`
	// GivenBack is true of a booking that was cancelled and is Used all the same, because
	// somebody had come in at the other side's gate: the places of the others are gone.
	GivenBack bool `cbor:"15,keyasint,omitempty"`
	// Test is its place at the health desk, nil where it has none.
	Test *Test `cbor:"16,keyasint,omitempty"`
}

// Places returns the places of all members.
func (b Booking) Places() uint32 {
	var n uint32
	for _, m := range b.Members {
		n += m.Places()
	}
	return n
}

// Refusal is a request for places that gave none: refused, or left to an officer. It is
// found by the reference that the request was made under; where an officer lets it in,
// the booking bears the same one.
type Refusal struct {
	Ref     Ref             `cbor:"1,keyasint,omitempty"`
	Slot    SlotID          `cbor:"2,keyasint,omitempty"`
	Places  uint32          `cbor:"3,keyasint,omitempty"`
	Outcome reason.Outcome  `cbor:"4,keyasint,omitempty"`
	Reasons []reason.Reason `cbor:"5,keyasint,omitempty"` // without parameters
	Edition string          `cbor:"6,keyasint,omitempty"` // hash, hex; empty where none was in force
	At      time.Time       `cbor:"7,keyasint,omitempty"`
	By      string          `cbor:"8,keyasint,omitempty"` // id of the clerk who asked, empty where the traveller did
	// Members and Sealed are there only where an officer may still let the party in. Once
	// an officer has decided, they are with the booking; where it is turned away, Sealed
	// stays until it is erased.
	Members []Member `cbor:"9,keyasint,omitempty"`
	Sealed  string   `cbor:"10,keyasint,omitempty"`
	// Decided is the officer who decided, empty where nobody has; Why is one of Grounds.
	Decided   string    `cbor:"11,keyasint,omitempty"`
	Admitted  bool      `cbor:"12,keyasint,omitempty"`
	Why       string    `cbor:"13,keyasint,omitempty"`
	DecidedAt time.Time `cbor:"14,keyasint,omitempty"`
}

// Open reports whether an officer may still decide.
func (r Refusal) Open() bool { return len(r.Members) > 0 && r.Decided == "" }

// ClaimKey is the right to one active booking per person, site and day.
type ClaimKey struct {
	Tag  [16]byte
	Site uint16
	Day  uint16
}

// StandbyKey is a position in a slot's standby queue.
type StandbyKey struct {
	Slot SlotID
	Pos  uint64
}

// Withdrawal is one withdrawn pass in this side's numbered list.
type Withdrawal struct {
	Serial uint64    `cbor:"1,keyasint,omitempty"`
	Pass   pass.ID   `cbor:"2,keyasint,omitempty"`
	Gen    uint8     `cbor:"3,keyasint,omitempty"`
	Slot   SlotID    `cbor:"4,keyasint,omitempty"`
	Places uint32    `cbor:"5,keyasint,omitempty"` // places withheld until every gate that could admit has heard
	Until  time.Time `cbor:"6,keyasint,omitempty"` // the pass ends by itself; after that nobody need hear
	Freed  bool      `cbor:"7,keyasint,omitempty"`
	Used   bool      `cbor:"8,keyasint,omitempty"` // the other side's gate had let the pass in before it heard
}

// PassKey finds a booking by a pass.
type PassKey = pass.ID

// Holder says whose pass an id is.
type Holder struct {
	Ref    Ref   `cbor:"1,keyasint,omitempty"`
	Member uint8 `cbor:"2,keyasint,omitempty"`
	Gen    uint8 `cbor:"3,keyasint,omitempty"`
	Gone   bool  `cbor:"4,keyasint,omitempty"` // withdrawn
}

// Acks says how far the other side's gates have heard of withdrawals.
type Acks struct {
	// Heard is the serial up to which every gate of the other side has acknowledged.
	Heard uint64 `cbor:"1,keyasint,omitempty"`
	// Last is the newest serial that this side has given.
	Last uint64 `cbor:"2,keyasint,omitempty"`
	// FreedTo is the serial up to which withheld places have been given back.
	FreedTo uint64 `cbor:"3,keyasint,omitempty"`
	// List tells this server's numbered lists from those that it gave before it was
	// restored from a copy: a serial has a meaning only with it. 0 for the first lists.
	List uint64 `cbor:"4,keyasint,omitempty"`
	// Changes is the newest serial of this side's changes of claims, ClaimsUpto the one up
	// to which the other side's list ClaimsList was read.
	Changes    uint64 `cbor:"5,keyasint,omitempty"`
	ClaimsUpto uint64 `cbor:"6,keyasint,omitempty"`
	ClaimsList uint64 `cbor:"7,keyasint,omitempty"`
	// ClaimsWhole is the other side's list that was last read to its end.
	ClaimsWhole uint64 `cbor:"8,keyasint,omitempty"`
	// Held are the sites at which nothing is sold, since the end of the record was lost.
	Held []Held `cbor:"9,keyasint,omitempty"`
}

// RosterKey is a position in the list of bookings of a site and day, and of requests that
// wait for an officer, from 0. It lets a
// day be walked through without a search.
type RosterKey struct {
	Site, Day uint16
	Pos       uint32
}

// State is what booking knows. Acks has one row, under 0.
type State struct {
	Slots       table.Table[SlotID, Slot]
	Bookings    table.Table[Ref, Booking]
	Claims      table.Table[ClaimKey, Ref]
	Standby     table.Table[StandbyKey, Ref]
	Holders     table.Table[pass.ID, Holder]
	Withdrawals table.Table[uint64, Withdrawal]
	Acks        table.Table[uint16, Acks]
	Refusals    table.Table[Ref, Refusal]
	Roster      table.Table[RosterKey, Ref]
	// Rosters is the next position of a roster, by its key with Pos 0.
	Rosters table.Table[RosterKey, uint32]
	// Changes is this side's own list, for the other side; TheirClaims is what was heard
	// of its own, and Cursors how far its rosters were read, by their keys with Pos 0.
	Changes     table.Table[uint64, ClaimChange]
	TheirClaims table.Table[ClaimKey, TheirClaim]
	Cursors     table.Table[RosterKey, ClaimCursor]
	// Transfers are places that moved between the sides, and Moving lists their slots by site.
	Transfers table.Table[SlotID, Transfer]
	Moving    table.Table[uint16, Moving]
}
