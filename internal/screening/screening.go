// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

// Package screening is the health desk: a case that a named health officer opens for
// somebody who crosses, what was asked, measured and tested there, the verdict that the
// law comes to on it, isolation with its dates, and release. People and goods are decided
// apart: an order keeps a person, and goods go on with whoever takes them over.
//
// What was answered, measured and found is in no fact and in no row: it is read once, and
// kept in the case file alone, which is sealed and has a clock (see FileParameter). What
// stays are verdicts, clauses, kinds of acts and days.
package screening

import (
	"strings"
	"time"

	"darwaza.dev/internal/pass"
	"darwaza.dev/internal/reason"
	"darwaza.dev/internal/table"
)

// FileParameter is the parameter of an edition, in days, that says how long after a case
// is closed its file is kept. HoldsParameter is the one, in hours, that says how long a
// finished screening holds at the gate where no profile says it.
const (
	FileParameter  = "screening.file"
	HoldsParameter = "screening.holds"
)

// The ends of a case file whatever an edition says: days after the case was closed, and
// days after it was opened, closed or not. Where the edition leaves the time empty, the
// file goes with the day after the one on which the case is closed.
const (
	MaxFileDays = 90
	MaxOpenDays = 180
)

// MaxIsolation is the longest isolation that an order can have, in days.
const MaxIsolation = 90

// MaxTests is how many tests a case has at most.
const MaxTests = 16

// crockford are the letters of a random number.
const crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// ID is the number of a case: "H-" and 12 characters of Crockford's base 32, 60 random bits.
type ID string

// Valid reports the form of a case's number.
func (id ID) Valid() bool {
	return strings.HasPrefix(string(id), "H-") && len(id) == 14 && strings.Trim(string(id[2:]), crockford) == ""
}

// Act is what was done at the desk, as a word: "asked", "sampled", "tested".
type Act string

// The acts.
const (
	Asked   Act = "asked"   // questions answered and things measured
	Sampled Act = "sampled" // a sample was taken, and its result is waited for
	Tested  Act = "tested"  // a test has its result
)

// A Ground of law: a clause, with its agreement where the law is of several.
type Ground struct {
	Clause    string `cbor:"1,keyasint"`
	Agreement string `cbor:"2,keyasint,omitempty"`
}

// How an isolation ends.
type How string

// The ways.
const (
	ByDate    How = "date"    // its days are over
	ByTest    How = "test"    // a negative test, where the profile allows it
	ByOfficer How = "officer" // a named officer's reason
)

// Order is an isolation order.
type Order struct {
	Clause    string    `cbor:"1,keyasint,omitempty"`
	Agreement string    `cbor:"2,keyasint,omitempty"`
	From      uint16    `cbor:"3,keyasint,omitempty"` // first day, by the site's calendar
	Until     uint16    `cbor:"4,keyasint,omitempty"` // the first day on which it may end by date
	Officer   string    `cbor:"5,keyasint,omitempty"`
	At        time.Time `cbor:"6,keyasint,omitempty"`
	// What follows is the release's; Released is zero while the order is open.
	Released time.Time `cbor:"7,keyasint,omitempty"`
	How      How       `cbor:"8,keyasint,omitempty"`
	Why      string    `cbor:"9,keyasint,omitempty"` // one of Reliefs, with ByOfficer
	By       string    `cbor:"10,keyasint,omitempty"`
}

// Open reports whether the order keeps the person apart.
func (o Order) Open() bool { return o.Clause != "" && o.Released.IsZero() }

// Crew is who goes on with the goods of somebody who stays.
type Crew struct {
	Pass    pass.ID   `cbor:"1,keyasint"`           // of who takes over, zero where they have none of this side or the other
	Party   bool      `cbor:"2,keyasint,omitempty"` // one of the same booking
	Officer string    `cbor:"3,keyasint,omitempty"`
	At      time.Time `cbor:"4,keyasint,omitempty"`
	// Paper is true where the person has no pass and is named in the case file.
	Paper bool `cbor:"5,keyasint,omitempty"`
}

// Known reports whether somebody has taken over.
func (c Crew) Known() bool { return !c.At.IsZero() }

// Certificate is what is kept of a certificate that the desk issued.
type Certificate struct {
	Number string `cbor:"1,keyasint"`
	Key    []byte `cbor:"2,keyasint"` // id of the key that signed it
}

// Case is one person at the health desk.
type Case struct {
	ID       ID        `cbor:"1,keyasint,omitempty"`
	Site     uint16    `cbor:"2,keyasint,omitempty"`
	Day      uint16    `cbor:"3,keyasint,omitempty"` // civil day at the site on which it was opened
	Pass     pass.ID   `cbor:"4,keyasint"`           // zero where the person had none
	Register [16]byte  `cbor:"5,keyasint"`           // tag of the document without a period, zero where none was read
	Scan     uint64    `cbor:"6,keyasint,omitempty"` // of the gate, that sent the person
	Class    uint8     `cbor:"7,keyasint,omitempty"`
	By       string    `cbor:"8,keyasint,omitempty"` // officer who opened it
	OpenedAt time.Time `cbor:"9,keyasint,omitempty"`
	Sealed   string    `cbor:"10,keyasint,omitempty"` // id of the sealed case file, empty once it is erased
	// What the desk has come to, as it was last asked; At is zero where it was not yet.
	At      time.Time       `cbor:"11,keyasint,omitempty"`
	Outcome reason.Outcome  `cbor:"12,keyasint,omitempty"`
	Reasons []reason.Reason `cbor:"13,keyasint,omitempty"` // without parameters
	Cleared []Ground        `cbor:"14,keyasint,omitempty"` // clauses on health that were asked with all they need, and had nothing against
	Until   time.Time       `cbor:"15,keyasint,omitempty"` // how long it holds at the gate, zero where the edition does not say
	Edition string          `cbor:"16,keyasint,omitempty"` // hash, hex
	Level   string          `cbor:"17,keyasint,omitempty"` // protocol.Level.Key
	Waits   time.Time       `cbor:"18,keyasint,omitempty"` // when a result is to be there, zero where none is waited for
	// Orders may name these clauses: the disease that was found, or is waited out, is theirs.
	May      []Ground      `cbor:"19,keyasint,omitempty"`
	Order    Order         `cbor:"20,keyasint"`
	Crew     Crew          `cbor:"21,keyasint"`
	Issued   []Certificate `cbor:"22,keyasint,omitempty"`
	Officer  string        `cbor:"23,keyasint,omitempty"` // who closed it
	Why      string        `cbor:"24,keyasint,omitempty"` // the ground, one of Grounds, where the law left it to them
	ClosedAt time.Time     `cbor:"25,keyasint,omitempty"`
	FileEnds uint16        `cbor:"26,keyasint,omitempty"` // the day on which the case file goes
}

// Open reports whether the person is still at the desk or apart.
func (c Case) Open() bool { return c.ID != "" && c.ClosedAt.IsZero() }

// Isolated reports whether an order keeps the person apart.
func (c Case) Isolated() bool { return c.Open() && c.Order.Open() }

// Due reports whether an isolation may end by date on a day.
func (c Case) Due(today uint16) bool { return c.Isolated() && today >= c.Order.Until }

// Ends returns the last day on which the case file can be there, and the first on which it
// is not.
func (c Case) Ends() uint16 {
	last := c.Day + MaxOpenDays
	if c.FileEnds != 0 && c.FileEnds < last {
		return c.FileEnds
	}
	return last
}

// RosterKey is a position in the list of a site's cases, from 0, in order of age.
type RosterKey struct {
	Site uint16
	Pos  uint32
}

// SiteCases are a site's cases in figures. No case before First is open or has a file.
type SiteCases struct {
	First    uint32 `cbor:"1,keyasint,omitempty"`
	End      uint32 `cbor:"2,keyasint,omitempty"` // the next position of the list
	Open     uint32 `cbor:"3,keyasint,omitempty"`
	Isolated uint32 `cbor:"4,keyasint,omitempty"` // of those open
}

// State is what the desk knows.
type State struct {
	Cases  table.Table[ID, Case]
	Roster table.Table[RosterKey, ID]
	Sites  table.Table[uint16, SiteCases]
	// Passes and Registers lead to the newest case of a pass, and of a document.
	Passes    table.Table[pass.ID, ID]
	Registers table.Table[[16]byte, ID]
}

// Of returns the newest case of a person, by pass and by document; an open order counts
// before all others.
func (st State) Of(id pass.ID, register [16]byte) (Case, bool) {
	var a, b Case
	if n, ok := st.Passes.Get(id); ok && id != (pass.ID{}) {
		a, _ = st.Cases.Get(n)
	}
	if n, ok := st.Registers.Get(register); ok && register != ([16]byte{}) {
		b, _ = st.Cases.Get(n)
	}
	switch {
	case a.ID == "":
		return b, b.ID != ""
	case b.ID == "" || a.ID == b.ID:
		return a, true
	case b.Isolated() && !a.Isolated(), b.Isolated() == a.Isolated() && b.OpenedAt.After(a.OpenedAt):
		return b, true
	}
	return a, true
}

// All yields a site's cases that are open or have a file, the oldest first.
func (st State) All(site uint16, yield func(Case) bool) {
	n, _ := st.Sites.Get(site)
	for pos := n.First; pos < n.End; pos++ {
		id, _ := st.Roster.Get(RosterKey{Site: site, Pos: pos})
		if c, ok := st.Cases.Get(id); ok && (c.Open() || c.Sealed != "") && !yield(c) {
			return
		}
	}
}

// Waiting returns a site's open cases, the oldest first, at most so many.
func (st State) Waiting(site uint16, most int) (list []Case) {
	st.All(site, func(c Case) bool {
		if c.Open() {
			list = append(list, c)
		}
		return len(list) < most
	})
	return list
}

// Expired returns a site's cases whose file is to go on a day, at most so many.
func (st State) Expired(site, today uint16, most int) (list []Case) {
	st.All(site, func(c Case) bool {
		if c.Sealed != "" && today >= c.Ends() {
			list = append(list, c)
		}
		return len(list) < most
	})
	return list
}
