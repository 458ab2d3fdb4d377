// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

// Package gate decides who enters and leaves, and keeps the count of people inside.
// It is pure, so that the same decision can be taken on a server and, with no
// network, on a tablet.
package gate

import (
	"time"

	"darwaza.dev/internal/pass"
	"darwaza.dev/internal/reason"
	"darwaza.dev/internal/table"
)

// Direction is in or out of the site.
type Direction string

// The directions.
const (
	In  Direction = "in"
	Out Direction = "out"
)

// Scan is one reading of a pass at a gate of this side, as it was answered.
type Scan struct {
	Serial    uint64 // unique within the server
	Direction Direction
	Gate      uint16
	At        time.Time
	Officer   string // officer id
	Outcome   reason.Outcome
	Counted   bool   // the scan moved people: an entry or an exit
	Decided   string // officer id whose decision ended a REFER or HOLD
	Void      bool   // taken back as a mistake
	Settled   bool   // an exit assumed at day's end, never scanned
}

// Presence is what this side's control has seen of one pass.
type Presence struct {
	Pass    pass.ID
	Gen     uint8
	Site    uint16
	Day     uint16 // days since 2000-01-01 in the site's zone
	Class   uint8
	Issuer  string // side that sold the pass
	Tag     [16]byte
	People  uint32 // adult and children
	Inside  bool
	Since   time.Time // of the entry, where Inside
	Scans   []Scan
	Dwell   time.Duration // over all finished visits
	Visits  uint32
	Pending uint64 // serial of a scan that waits for an officer's decision, 0 where none
}

// SiteDayKey names a site's day.
type SiteDayKey struct {
	Site uint16
	Day  uint16
}

// SiteDay is the count of one site and civil day at this side's gates.
type SiteDay struct {
	Site, Day  uint16
	Inside     uint32 // people
	Peak       uint32
	PeakAt     time.Time
	Entries    uint32 // people who entered
	Exits      uint32 // people who left, settled ones included
	Settled    uint32 // people whose exit was assumed at day's end
	Refused    uint32 // scans refused
	Referred   uint32 // scans that an officer decided
	Doubles    uint32 // passes used twice in one direction
	DwellTotal time.Duration
	DwellCount uint32
	// Contact is the integral of N(N-1) over time in person-hours × 3,600 (person-seconds), N being people inside.
	Contact   uint64
	ChangedAt time.Time // when Inside last changed
	Closed    bool      // settled
	Roster    uint32    // the next position of the day's roster
}

// RosterKey is a position in the list of the passes that were seen at a site on a
// day, from 0. It lets a day be walked through without a search.
type RosterKey struct {
	Site, Day uint16
	Pos       uint32
}

// Withdrawn is a pass of the other side that it has taken back, as this side's gates
// have heard it. A pass of a generation up to Gen is no longer good.
type Withdrawn struct {
	Gen    uint8
	Serial uint64 // in the other side's numbered list
	Until  time.Time
}

// Heard says how far this side has read the other side's list of withdrawals.
type Heard struct {
	Serial uint64
	At     time.Time // when the list was last read, whether or not it held something new
}

// State is what the gate knows.
type State struct {
	Presences table.Table[pass.ID, Presence]
	Days      table.Table[SiteDayKey, SiteDay]
	Roster    table.Table[RosterKey, pass.ID]
	Serials   table.Table[string, uint64] // "scan" → last serial given
	Withdrawn table.Table[pass.ID, Withdrawn]
	Heard     table.Table[string, Heard] // by side, "A" or "B"
}
