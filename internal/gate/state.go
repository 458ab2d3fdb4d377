// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

// Package gate decides who enters and leaves, and keeps the count of people inside.
// It is pure, so that the same decision can be taken on a server and, with no
// network, on a tablet.
package gate

import (
	"time"

	"darwaza.dev/internal/booking"
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
	Serial    uint64         `cbor:"1,keyasint,omitempty"` // unique within the server
	Direction Direction      `cbor:"2,keyasint,omitempty"`
	Gate      uint16         `cbor:"3,keyasint,omitempty"`
	At        time.Time      `cbor:"4,keyasint,omitempty"`
	Officer   string         `cbor:"5,keyasint,omitempty"` // officer id
	Outcome   reason.Outcome `cbor:"6,keyasint,omitempty"`
	Counted   bool           `cbor:"7,keyasint,omitempty"`  // the scan moved people: an entry or an exit
	Decided   string         `cbor:"8,keyasint,omitempty"`  // officer id whose decision ended a REFER or HOLD
	Void      bool           `cbor:"9,keyasint,omitempty"`  // taken back as a mistake
	Settled   bool           `cbor:"10,keyasint,omitempty"` // an exit assumed at day's end, never scanned
	// Reasons are those of the answer, without their parameters: what a health desk saw
	// is in no parameter that is kept.
	Reasons   []reason.Reason `cbor:"11,keyasint,omitempty"`
	Unmatched bool            `cbor:"12,keyasint,omitempty"` // an exit of somebody who was not seen to enter
	Assumed   bool            `cbor:"13,keyasint,omitempty"` // an entry while inside: an exit that nobody scanned is assumed before it
	Admitted  bool            `cbor:"14,keyasint,omitempty"` // what Decided decided
	Why       string          `cbor:"15,keyasint,omitempty"` // the ground of the decision, one of Grounds
	Minute    uint16          `cbor:"16,keyasint,omitempty"` // of the day, by the site's clock
	Found     bool            `cbor:"17,keyasint,omitempty"` // the pass was lost and found by document
	Lapsed    bool            `cbor:"18,keyasint,omitempty"` // waited for a decision until its day was over, and ended undecided
	Goods     reason.Outcome  `cbor:"19,keyasint,omitempty"` // of the goods that leave, none where none do
	GoodsWhy  []reason.Reason `cbor:"20,keyasint,omitempty"` // without parameters
	// What became of goods that were left to a person: at which site and day, the officer
	// whose decision ended it, empty where none has, and the ground, one of GoodsGrounds.
	GoodsSite   uint16 `cbor:"21,keyasint,omitempty"`
	GoodsDay    uint16 `cbor:"22,keyasint,omitempty"`
	GoodsBy     string `cbor:"23,keyasint,omitempty"`
	GoodsGo     bool   `cbor:"24,keyasint,omitempty"` // they may go; else GoodsBy keeps them
	GoodsGround string `cbor:"25,keyasint,omitempty"`
	GoodsLapsed bool   `cbor:"26,keyasint,omitempty"` // nobody decided before their day was over
	// Document is true of a refusal that has no other reason than the document that was
	// read or keyed; Corrected is the scan with which that was put right, 0 where none has.
	Document  bool   `cbor:"27,keyasint,omitempty"`
	Corrected uint64 `cbor:"28,keyasint,omitempty"`
	Gen       uint8  `cbor:"29,keyasint,omitempty"` // the generation of the pass that was shown
}

// Presence is what this side's control has seen of one pass.
type Presence struct {
	Pass    pass.ID       `cbor:"1,keyasint,omitempty"`
	Gen     uint8         `cbor:"2,keyasint,omitempty"`
	Site    uint16        `cbor:"3,keyasint,omitempty"`
	Day     uint16        `cbor:"4,keyasint,omitempty"` // days since 2000-01-01 in the site's zone
	Class   uint8         `cbor:"5,keyasint,omitempty"`
	Issuer  string        `cbor:"6,keyasint,omitempty"` // side that sold the pass
	Tag     [16]byte      `cbor:"7,keyasint,omitempty"`
	People  uint32        `cbor:"8,keyasint,omitempty"` // adult and children
	Inside  bool          `cbor:"9,keyasint,omitempty"`
	Since   time.Time     `cbor:"10,keyasint,omitempty"` // of the entry, where Inside
	Scans   []Scan        `cbor:"11,keyasint,omitempty"`
	Dwell   time.Duration `cbor:"12,keyasint,omitempty"` // over all finished visits
	Visits  uint32        `cbor:"13,keyasint,omitempty"`
	Pending uint64        `cbor:"14,keyasint,omitempty"` // serial of a scan that waits for an officer's decision, 0 where none
	Slot    uint64        `cbor:"15,keyasint,omitempty"` // the slot that the pass was sold for
	Theirs  bool          `cbor:"16,keyasint,omitempty"` // the other side sold the pass
	Over    time.Time     `cbor:"17,keyasint,omitempty"` // when it left by the other side's gate, where that ended the last entry here
	Twice   bool          `cbor:"18,keyasint,omitempty"` // entered by the other side's gate while it was inside here, or its person with a booking of that side
}

// SiteDayKey names a site's day.
type SiteDayKey struct {
	Site uint16
	Day  uint16
}

// SiteDay is the count of one site and civil day at this side's gates.
type SiteDay struct {
	Site       uint16        `cbor:"1,keyasint,omitempty"`
	Day        uint16        `cbor:"2,keyasint,omitempty"`
	Inside     uint32        `cbor:"3,keyasint,omitempty"` // people
	Peak       uint32        `cbor:"4,keyasint,omitempty"`
	PeakAt     time.Time     `cbor:"5,keyasint,omitempty"`
	Entries    uint32        `cbor:"6,keyasint,omitempty"`  // people who entered
	Exits      uint32        `cbor:"7,keyasint,omitempty"`  // people who left, settled ones included
	Settled    uint32        `cbor:"8,keyasint,omitempty"`  // people whose exit was assumed at day's end
	Refused    uint32        `cbor:"9,keyasint,omitempty"`  // scans refused
	Referred   uint32        `cbor:"10,keyasint,omitempty"` // scans that an officer decided
	Doubles    uint32        `cbor:"11,keyasint,omitempty"` // passes used twice in one direction
	DwellTotal time.Duration `cbor:"12,keyasint,omitempty"`
	DwellCount uint32        `cbor:"13,keyasint,omitempty"`
	// Contact is the integral of N(N-1) over time in person-hours × 3,600 (person-seconds), N being people inside.
	Contact   uint64    `cbor:"14,keyasint,omitempty"`
	ChangedAt time.Time `cbor:"15,keyasint,omitempty"` // when Inside last changed
	Closed    bool      `cbor:"16,keyasint,omitempty"` // settled
	Roster    uint32    `cbor:"17,keyasint,omitempty"` // the next position of the day's roster
	Unmatched uint32    `cbor:"18,keyasint,omitempty"` // people who left and had not been seen to enter: no part of Inside
	Lapsed    uint32    `cbor:"19,keyasint,omitempty"` // scans that nobody decided before the day was over
	ClosedBy  string    `cbor:"20,keyasint,omitempty"` // officer id, empty where the server's clock settled it
	ClosedAt  time.Time `cbor:"21,keyasint,omitempty"`
	Strays    uint32    `cbor:"22,keyasint,omitempty"` // scans of what could not be believed to be a pass
	Over      uint32    `cbor:"23,keyasint,omitempty"` // people who entered here and left by the other side's gate: no part of Exits
	// Decisions on goods at the way out, and those that nobody took before the day was over.
	GoodsLet    uint32 `cbor:"24,keyasint,omitempty"`
	GoodsKept   uint32 `cbor:"25,keyasint,omitempty"`
	GoodsLapsed uint32 `cbor:"26,keyasint,omitempty"`
}

// RosterKey is a position in a list of a site's day, such as that of the passes that
// were seen, from 0. It lets a day be walked through without a search.
type RosterKey struct {
	Site, Day uint16
	Pos       uint32
}

// Withdrawn is a pass of the other side that it has taken back, as this side's gates
// have heard it. A pass of a generation up to Gen is no longer good.
type Withdrawn struct {
	Gen    uint8     `cbor:"1,keyasint,omitempty"`
	Serial uint64    `cbor:"2,keyasint,omitempty"` // in the other side's numbered list
	Until  time.Time `cbor:"3,keyasint,omitempty"`
}

// Heard says how far this side has read the other side's list of withdrawals.
type Heard struct {
	Serial uint64    `cbor:"1,keyasint,omitempty"`
	At     time.Time `cbor:"2,keyasint,omitempty"` // when the list was last read, whether or not it held something new
	List   uint64    `cbor:"3,keyasint,omitempty"` // the id of the list that Serial counts in
	// Used are passes of the list that this side's gates had let in before they heard, as
	// long as the other side may not know it.
	Used []UsedPass `cbor:"4,keyasint,omitempty"`
}

// State is what the gate knows.
type State struct {
	Presences table.Table[pass.ID, Presence]
	Days      table.Table[SiteDayKey, SiteDay]
	Roster    table.Table[RosterKey, pass.ID]
	// Strays are the scans of a day that belong to no pass: what was shown could not be
	// read, or not be believed. They are kept so that a refusal has a number that leads
	// somewhere; of what was shown they say no more than why it was refused.
	Strays    table.Table[RosterKey, Scan]
	Serials   table.Table[string, uint64] // "scan" → last serial given
	Withdrawn table.Table[pass.ID, Withdrawn]
	Heard     table.Table[string, Heard] // by side, "A" or "B"; of its movements, by "moves/A" or "moves/B"
	Moves     table.Table[uint64, Move]  // this side's own list, for the other side
	Elsewhere table.Table[pass.ID, Elsewhere]
	// Guests are the passes of the other side with which persons have entered here, where
	// the document was read.
	Guests table.Table[booking.ClaimKey, pass.ID]
}
