// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"time"

	"darwaza.dev/internal/fact"
	"darwaza.dev/internal/pass"
	"darwaza.dev/internal/reason"
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
	// Goods is what the law says of the goods that leave, with its reasons; none where
	// none leave. Of parameters they keep the attribute that was not known, by its name.
	Goods    reason.Outcome  `cbor:"19,keyasint,omitempty"`
	GoodsWhy []reason.Reason `cbor:"20,keyasint,omitempty"`
	Theirs   bool            `cbor:"21,keyasint,omitempty"` // the other side sold the pass
	// Document is true of a refusal that has no other reason than the document that was
	// read or keyed.
	Document bool `cbor:"22,keyasint,omitempty"`
	// Corrects are such refusals of the same pass that this scan puts right: a number was
	// keyed wrongly. They count no more.
	Corrects []Correction `cbor:"23,keyasint,omitempty"`
}

// Correction names a scan that was answered wrongly, with the reasons that it was
// answered with.
type Correction struct {
	Serial  uint64          `cbor:"1,keyasint"`
	Reasons []reason.Reason `cbor:"2,keyasint,omitempty"`
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
	// Clauses are those that leave the scan to a person, in order; none where it is this
	// desk alone that does.
	Clauses []string `cbor:"13,keyasint,omitempty"`
}

// Changed says that a scan that waited was looked at again, because an officer would
// admit it, and that something stands against it that did not when it was answered:
// nobody moved. Where Outcome still needs an officer, the scan goes on waiting.
type Changed struct {
	Pass      pass.ID        `cbor:"1,keyasint"`
	Serial    uint64         `cbor:"2,keyasint"`
	Officer   string         `cbor:"3,keyasint"`
	Site      uint16         `cbor:"4,keyasint"`
	Day       uint16         `cbor:"5,keyasint"`
	Minute    uint16         `cbor:"6,keyasint"`
	Gate      uint16         `cbor:"7,keyasint,omitempty"`
	Direction Direction      `cbor:"8,keyasint"`
	Outcome   reason.Outcome `cbor:"9,keyasint"` // of the scan, from now on
	// Reasons are what has come to those of the scan, without parameters.
	Reasons []reason.Reason `cbor:"10,keyasint"`
}

// Lapsed says of scans that waited for a person's decision that their day is over: they
// ended undecided. Scan i of Serials is of pass i of Passes.
type Lapsed struct {
	Site    uint16    `cbor:"1,keyasint"`
	Day     uint16    `cbor:"2,keyasint"` // of the scans
	Passes  []pass.ID `cbor:"3,keyasint"`
	Serials []uint64  `cbor:"4,keyasint"`
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
	Officer string    `cbor:"5,keyasint,omitempty"` // empty where Clock
	Minute  uint16    `cbor:"6,keyasint"`
	Clock   bool      `cbor:"7,keyasint,omitempty"` // no person did it: the server's clock, after the day's end
}

// DayClosed says that a site's day was settled.
type DayClosed struct {
	Site    uint16 `cbor:"1,keyasint"`
	Day     uint16 `cbor:"2,keyasint"`
	Officer string `cbor:"3,keyasint,omitempty"` // empty where Clock
	Clock   bool   `cbor:"4,keyasint,omitempty"` // no person did it: the server's clock, after the day's end
}

// ListHeard says what this side has read of the other side's list of withdrawals.
type ListHeard struct {
	Side    string      `cbor:"1,keyasint"`
	Upto    uint64      `cbor:"2,keyasint"`
	Entries []ListEntry `cbor:"3,keyasint,omitempty"`
	List    uint64      `cbor:"4,keyasint,omitempty"` // the list's id
	Acked   uint64      `cbor:"5,keyasint,omitempty"` // what the other side has recorded as heard here
	// Used are passes among the entries that this side's gates had let in before.
	Used []UsedPass `cbor:"6,keyasint,omitempty"`
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
func (Changed) FactKind() string   { return "gate.changed" }
func (Lapsed) FactKind() string    { return "gate.lapsed" }
func (Undone) FactKind() string    { return "gate.undone" }
func (Settled) FactKind() string   { return "gate.settled" }
func (DayClosed) FactKind() string { return "gate.day_closed" }
func (ListHeard) FactKind() string { return "gate.list_heard" }

// Facts returns constructors of every fact of this desk.
func Facts() []func() fact.Fact {
	return []func() fact.Fact{
		func() fact.Fact { return new(Scanned) },
		func() fact.Fact { return new(Decided) },
		func() fact.Fact { return new(Changed) },
		func() fact.Fact { return new(Lapsed) },
		func() fact.Fact { return new(GoodsDecided) },
		func() fact.Fact { return new(GoodsLapsed) },
		func() fact.Fact { return new(Undone) },
		func() fact.Fact { return new(Settled) },
		func() fact.Fact { return new(DayClosed) },
		func() fact.Fact { return new(ListHeard) },
		func() fact.Fact { return new(MovesHeard) },
		func() fact.Fact { return new(PersonTwice) },
	}
}
