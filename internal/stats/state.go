// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

// Package stats counts a day from its facts: arrivals, verdicts by reason, purchases
// by category. It is derived from what the other desks record and decides nothing.
package stats

import (
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
	Code   reason.Code
	Clause string
}

// Category is what was bought in one category.
type Category struct {
	Lots, Diverted, Refused uint32
	Value                   int64 // minor units of the agreement's currency
	Duty                    int64
	DutyUnknown             uint32 // lots whose duty is owed and not known
}

// Day is the figures of one site and day at this side. Slices are replaced, never
// written into.
type Day struct {
	Site, Day uint16
	Booked    uint32 // places sold
	Cancelled uint32 // places given back
	Standby   uint32 // joined the queue
	NoShow    uint32
	// Arrivals and Departures are people by 15 minutes of the day, Buckets long or nil.
	Arrivals, Departures []uint32
	// Inside is the number of people inside at the end of each 15 minutes, nil or Buckets long.
	Inside []uint32
	// Lateness counts arrivals by minutes after the slot began: under 0, 0–15, 15–30, 30–60, 60 and over.
	Lateness [5]uint32
	// Outcomes counts gate verdicts, by outcome.
	Outcomes map[reason.Outcome]uint32
	// Reasons counts the reasons of verdicts that were not ALLOW, at gate and desk.
	Reasons []ReasonCount
	// Decisions counts decisions of officers: admitted and turned back.
	Admitted, TurnedBack uint32
	Purchases            uint32
	Voided               uint32
	Categories           map[string]Category
	UpdatedAt            time.Time
}

// ReasonCount is how often a reason was given.
type ReasonCount struct {
	ReasonKey
	Count uint32
}

// Foreign is the other side's figures of a site and day, as its server last gave them.
type Foreign struct {
	Inside, Peak, Entries, Exits uint32
	Free                         map[uint64]uint32 // its free places by slot, as a hint for travellers
	AsOf                         time.Time         // the other side's clock
	HeardAt                      time.Time         // this side's clock
}

// State is what stats knows.
type State struct {
	Days    table.Table[Key, Day]
	Foreign table.Table[Key, Foreign]
}
