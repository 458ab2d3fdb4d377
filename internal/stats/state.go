// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

// Package stats counts a day from its facts: arrivals, verdicts by reason, purchases
// by category. It is derived from what the other desks record and decides nothing.
package stats

import (
	"reflect"
	"time"

	"darwaza.dev/internal/reason"
	"darwaza.dev/internal/table"
)

// Key names the figures of one site and civil day.
type Key struct {
	Site, Day uint16
}

// Buckets is the number of spans of 15 minutes in a day.
const Buckets = 96

// ReasonKey is a reason with the clause it rested on.
type ReasonKey struct {
	Code   reason.Code `cbor:"1,keyasint,omitempty"`
	Clause string      `cbor:"2,keyasint,omitempty"`
}

// Category is what was bought in one category.
type Category struct {
	Lots        uint32 `cbor:"1,keyasint,omitempty"`
	Diverted    uint32 `cbor:"2,keyasint,omitempty"`
	Refused     uint32 `cbor:"3,keyasint,omitempty"`
	Value       int64  `cbor:"4,keyasint,omitempty"` // minor units of the agreement's currency
	Duty        int64  `cbor:"5,keyasint,omitempty"`
	DutyUnknown uint32 `cbor:"6,keyasint,omitempty"` // lots whose duty is owed and not known
}

// Day is the figures of one site and day at this side. Slices are replaced, never
// written into.
type Day struct {
	Site      uint16 `cbor:"1,keyasint,omitempty"`
	Day       uint16 `cbor:"2,keyasint,omitempty"`
	Booked    uint32 `cbor:"3,keyasint,omitempty"` // places sold
	Cancelled uint32 `cbor:"4,keyasint,omitempty"` // places given back
	Standby   uint32 `cbor:"5,keyasint,omitempty"` // joined the queue
	NoShow    uint32 `cbor:"6,keyasint,omitempty"`
	// Arrivals and Departures are people by 15 minutes of the day, Buckets long or nil.
	Arrivals   []uint32 `cbor:"7,keyasint,omitempty"`
	Departures []uint32 `cbor:"8,keyasint,omitempty"`
	// Inside is the number of people inside at the end of each 15 minutes, nil or Buckets long.
	Inside []uint32 `cbor:"9,keyasint,omitempty"`
	// Lateness counts arrivals by minutes after the slot began: under 0, 0–15, 15–30, 30–60, 60 and over.
	Lateness [5]uint32 `cbor:"10,keyasint,omitempty"`
	// Outcomes counts gate verdicts, by outcome.
	Outcomes map[reason.Outcome]uint32 `cbor:"11,keyasint,omitempty"`
	// Reasons counts the reasons of verdicts that were not ALLOW, at booking, gate and desk.
	Reasons []ReasonCount `cbor:"12,keyasint,omitempty"`
	// Decisions counts decisions of officers: admitted and turned back.
	Admitted   uint32              `cbor:"13,keyasint,omitempty"`
	TurnedBack uint32              `cbor:"14,keyasint,omitempty"`
	Purchases  uint32              `cbor:"15,keyasint,omitempty"`
	Voided     uint32              `cbor:"16,keyasint,omitempty"`
	Categories map[string]Category `cbor:"17,keyasint,omitempty"`
	UpdatedAt  time.Time           `cbor:"18,keyasint,omitempty"`
	Quarter    uint8               `cbor:"19,keyasint,omitempty"` // the newest of Inside that is not yet to come
	NotBooked  uint32              `cbor:"20,keyasint,omitempty"` // requests for places that got none, or not at once
}

// ReasonCount is how often a reason was given.
type ReasonCount struct {
	ReasonKey
	Count uint32 `cbor:"3,keyasint,omitempty"` // the key's fields are 1 and 2
}

// Other is the other side's figures of a site and day, as its server last gave them.
type Other struct {
	Inside  uint32            `cbor:"1,keyasint,omitempty"`
	Peak    uint32            `cbor:"2,keyasint,omitempty"`
	Entries uint32            `cbor:"3,keyasint,omitempty"`
	Exits   uint32            `cbor:"4,keyasint,omitempty"`
	Free    map[uint64]uint32 `cbor:"5,keyasint,omitempty"` // its free places by slot, as a hint for travellers
	AsOf    time.Time         `cbor:"6,keyasint,omitempty"` // the other side's clock
	HeardAt time.Time         `cbor:"7,keyasint,omitempty"` // this side's clock
	// Whole is all that it counted of the day, as of WholeAt by its clock; nil where it has not
	// said, as an older server does not. It has no site, day or time of its own.
	Whole   *Day      `cbor:"8,keyasint,omitempty"`
	WholeAt time.Time `cbor:"9,keyasint,omitempty"`
}

// WholeDue reports whether what f says of the whole day is worth noting: it says something
// else than o and is a minute younger, or the same and some minutes younger.
func (o Other) WholeDue(f Other) bool {
	switch age := f.AsOf.Sub(o.WholeAt); {
	case f.Whole == nil:
		return false
	case o.Whole == nil:
		return true
	case reflect.DeepEqual(o.Whole, f.Whole):
		return age >= wholeSame
	default:
		return age >= wholeChanged
	}
}

// Told returns the day as it is told to the other side: without what its receiver knows.
func (d Day) Told() *Day {
	d.Site, d.Day, d.UpdatedAt = 0, 0, time.Time{}
	return &d
}

// State is what stats knows.
type State struct {
	Days  table.Table[Key, Day]
	Other table.Table[Key, Other]
}
