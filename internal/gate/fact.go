// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"time"

	"darwaza.dev/internal/fact"
	"darwaza.dev/internal/pass"
	"darwaza.dev/internal/reason"
	"darwaza.dev/internal/rules"
)

// Scanned says that a pass was scanned, and how that was answered. Pass is zero where
// what was scanned cannot be believed to be of the pass that it names.
type Scanned struct {
	Serial    uint64          `cbor:"1,keyasint"`
	Pass      pass.ID         `cbor:"2,keyasint"`
	Gen       uint8           `cbor:"3,keyasint,omitempty"`
	Issuer    string          `cbor:"4,keyasint,omitempty"`
	Slot      uint64          `cbor:"5,keyasint,omitempty"`
	Class     uint8           `cbor:"6,keyasint,omitempty"`
	Tag       [16]byte        `cbor:"7,keyasint"`
	People    uint32          `cbor:"8,keyasint,omitempty"`
	Site      uint16          `cbor:"9,keyasint"`
	Day       uint16          `cbor:"10,keyasint"` // civil day at the site when it was scanned
	Minute    uint16          `cbor:"11,keyasint"` // of that day
	Gate      uint16          `cbor:"12,keyasint"`
	Direction Direction       `cbor:"13,keyasint"`
	Officer   string          `cbor:"14,keyasint"`
	Outcome   reason.Outcome  `cbor:"15,keyasint"`
	Reasons   []reason.Reason `cbor:"16,keyasint,omitempty"` // without parameters
	Found     bool            `cbor:"17,keyasint,omitempty"`
	Again     uint64          `cbor:"18,keyasint,omitempty"`
	// Asked is the question to the law, none where what was scanned is not genuine.
	Asked []rules.Asked `cbor:"19,keyasint,omitempty"`
}

// Counted reports whether the scan moved people.
func (f *Scanned) Counted() bool { return f.Outcome == reason.Allow }

// Decided says that an officer ended a scan that waited for a person's decision.
type Decided struct {
	Pass      pass.ID   `cbor:"1,keyasint"`
	Serial    uint64    `cbor:"2,keyasint"`
	Admit     bool      `cbor:"3,keyasint,omitempty"`
	Why       string    `cbor:"4,keyasint"`
	Officer   string    `cbor:"5,keyasint"`
	Gate      uint16    `cbor:"6,keyasint,omitempty"`
	Site      uint16    `cbor:"7,keyasint"`
	Day       uint16    `cbor:"8,keyasint"`
	Minute    uint16    `cbor:"9,keyasint"`
	Direction Direction `cbor:"10,keyasint"`
	Slot      uint64    `cbor:"11,keyasint,omitempty"`
	People    uint32    `cbor:"12,keyasint,omitempty"`
}

// Undone says that a scan was a mistake. Direction, Minute and Slot are of that scan,
// for what was counted by it to be taken back.
type Undone struct {
	Pass      pass.ID   `cbor:"1,keyasint"`
	Serial    uint64    `cbor:"2,keyasint"`
	Officer   string    `cbor:"3,keyasint"`
	Site      uint16    `cbor:"4,keyasint"`
	Day       uint16    `cbor:"5,keyasint"`
	Counted   bool      `cbor:"6,keyasint,omitempty"`
	Direction Direction `cbor:"7,keyasint"`
	Minute    uint16    `cbor:"8,keyasint"`
	Slot      uint64    `cbor:"9,keyasint,omitempty"`
	People    uint32    `cbor:"10,keyasint,omitempty"`
	Now       uint16    `cbor:"11,keyasint"` // minute of the day at which it was taken back
}

// Settled says of passes that were never scanned out that their holders are counted as
// having left. Their scans have the serials from First on.
type Settled struct {
	Site    uint16    `cbor:"1,keyasint"`
	Day     uint16    `cbor:"2,keyasint"`
	First   uint64    `cbor:"3,keyasint"`
	Passes  []pass.ID `cbor:"4,keyasint"`
	Officer string    `cbor:"5,keyasint,omitempty"` // empty where the server did it by itself
	Minute  uint16    `cbor:"6,keyasint"`
}

// DayClosed says that a site's day was settled.
type DayClosed struct {
	Site    uint16 `cbor:"1,keyasint"`
	Day     uint16 `cbor:"2,keyasint"`
	Officer string `cbor:"3,keyasint,omitempty"`
}

// ListHeard says what this side has read of the other side's list of withdrawals.
type ListHeard struct {
	Side    string      `cbor:"1,keyasint"`
	Upto    uint64      `cbor:"2,keyasint"`
	Entries []ListEntry `cbor:"3,keyasint,omitempty"`
}

// ListEntry is one entry of the other side's list.
type ListEntry struct {
	Serial uint64    `cbor:"1,keyasint"`
	Pass   pass.ID   `cbor:"2,keyasint"`
	Gen    uint8     `cbor:"3,keyasint"`
	Until  time.Time `cbor:"4,keyasint"`
}

// FactKind names the fact.
func (Scanned) FactKind() string   { return "gate.scanned" }
func (Decided) FactKind() string   { return "gate.decided" }
func (Undone) FactKind() string    { return "gate.undone" }
func (Settled) FactKind() string   { return "gate.settled" }
func (DayClosed) FactKind() string { return "gate.day_closed" }
func (ListHeard) FactKind() string { return "gate.list_heard" }

// Facts returns constructors of every fact of this desk.
func Facts() []func() fact.Fact {
	return []func() fact.Fact{
		func() fact.Fact { return new(Scanned) },
		func() fact.Fact { return new(Decided) },
		func() fact.Fact { return new(Undone) },
		func() fact.Fact { return new(Settled) },
		func() fact.Fact { return new(DayClosed) },
		func() fact.Fact { return new(ListHeard) },
	}
}
