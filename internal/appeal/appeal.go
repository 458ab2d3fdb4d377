// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

// Package appeal is the desk at which answers are contested: somebody says that an answer
// is wrong, and a supervisor who did not give it answers on a stated ground. It changes
// nothing that another desk has decided: it says whether that was right, and what to do next.
package appeal

import (
	"strconv"
	"strings"
	"time"

	"darwaza.dev/internal/pass"
	"darwaza.dev/internal/reason"
	"darwaza.dev/internal/table"
)

// Parameter is the parameter of an edition that says within how many days a contested
// answer is answered. Where an edition has none, the configuration says it.
const Parameter = "contest.within"

// DefaultDays is the number of days where neither says it.
const DefaultDays = 7

// MaxDays is the longest time that may be promised, in days.
const MaxDays = 366

// MaxPerNumber is how often one answer may be contested, each time once the last case is
// answered.
const MaxPerNumber = 3

// maxReasons is the most reasons that a case keeps.
const maxReasons = 16

// crockford are the letters of a random number.
const crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// ID is the number of a case: "C-" and 12 characters of Crockford's base 32, 60 random bits.
type ID string

// Valid reports the form of a case's number.
func (id ID) Valid() bool { return strings.HasPrefix(string(id), "C-") && random(string(id[2:])) }

func random(s string) bool { return len(s) == 12 && strings.Trim(s, crockford) == "" }

// Subject is the number of what is contested, as a page quotes it: that of a request or a
// booking, that of a lot ("R-" and 12 characters), or that of a scan, which is told from
// others by site and day ("G-site-day-serial").
type Subject string

// ScanSubject is the subject that a scan is.
func ScanSubject(site, day uint16, serial uint64) Subject {
	return Subject("G-" + strconv.FormatUint(uint64(site), 10) + "-" + strconv.FormatUint(uint64(day), 10) + "-" + strconv.FormatUint(serial, 10))
}

// Scan takes the subject of a scan apart; ok is false of every other.
func (s Subject) Scan() (site, day uint16, serial uint64, ok bool) {
	parts := strings.Split(string(s), "-")
	if len(parts) != 4 || parts[0] != "G" {
		return 0, 0, 0, false
	}
	a, err1 := strconv.ParseUint(parts[1], 10, 16)
	b, err2 := strconv.ParseUint(parts[2], 10, 16)
	serial, err3 := strconv.ParseUint(parts[3], 10, 64)
	site, day = uint16(a), uint16(b)
	// One spelling for one scan.
	ok = err1 == nil && err2 == nil && err3 == nil && ScanSubject(site, day, serial) == s
	return site, day, serial, ok
}

// Lot reports whether the subject is a lot at the goods desk.
func (s Subject) Lot() bool { return strings.HasPrefix(string(s), "R-") && random(string(s[2:])) }

// Request reports whether the subject has the form of a request's or a booking's number.
func (s Subject) Request() bool { return random(string(s)) }

// Valid reports a subject of one of the forms.
func (s Subject) Valid() bool {
	_, _, _, scan := s.Scan()
	return scan || s.Lot() || s.Request()
}

// Kind is what sort of answer is contested.
type Kind string

// The kinds.
const (
	OfRequest Kind = "request" // for places
	OfBooking Kind = "booking" // an act on it, or its wait
	OfScan    Kind = "scan"    // at the gate, the way out with goods included
	OfLot     Kind = "lot"     // at the goods desk
)

// Kinds lists every kind.
var Kinds = [...]Kind{OfRequest, OfBooking, OfScan, OfLot}

// Matter is what is contested, as it stands under its number.
type Matter struct {
	Subject Subject
	Kind    Kind
	Site    uint16
	Pass    pass.ID // of a scan that belongs to one
	At      time.Time
	Outcome reason.Outcome  // None where only the person's words say what was answered
	Reasons []reason.Reason // without parameters
	Edition string          // hash, hex, of the edition that decided, where it is known
	// Officers are those whose decisions it is: none of them answers.
	Officers []string
	// Corrected is true where its own desk has put it right.
	Corrected bool
}

// Case is one contested answer.
type Case struct {
	ID        ID              `cbor:"1,keyasint,omitempty"`
	Subject   Subject         `cbor:"2,keyasint,omitempty"`
	Kind      Kind            `cbor:"3,keyasint,omitempty"`
	Site      uint16          `cbor:"4,keyasint,omitempty"`
	Day       uint16          `cbor:"5,keyasint,omitempty"` // civil day at the site on which it was opened
	Pass      pass.ID         `cbor:"6,keyasint"`
	DecidedAt time.Time       `cbor:"7,keyasint,omitempty"` // when the answer was given
	Outcome   reason.Outcome  `cbor:"8,keyasint,omitempty"`
	Reasons   []reason.Reason `cbor:"9,keyasint,omitempty"`
	Edition   string          `cbor:"10,keyasint,omitempty"`
	Officers  []string        `cbor:"11,keyasint,omitempty"`
	OpenedAt  time.Time       `cbor:"12,keyasint,omitempty"`
	Due       uint16          `cbor:"13,keyasint,omitempty"` // the last day on which it is promised to be answered
	By        string          `cbor:"14,keyasint,omitempty"` // officer who opened it for the person, empty where they did
	// Sealed is the id of the person's sealed words, Digest what binds the record to them.
	Sealed  string   `cbor:"15,keyasint,omitempty"`
	Digest  [32]byte `cbor:"16,keyasint"`
	Earlier ID       `cbor:"17,keyasint,omitempty"` // the case about the same number before this one
	// What follows is the answer's; Officer is empty where there is none yet.
	Officer     string    `cbor:"18,keyasint,omitempty"`
	Changed     bool      `cbor:"19,keyasint,omitempty"` // the contested answer was wrong
	Ground      string    `cbor:"20,keyasint,omitempty"`
	Clause      string    `cbor:"21,keyasint,omitempty"`
	Next        string    `cbor:"22,keyasint,omitempty"`
	AnsweredAt  time.Time `cbor:"23,keyasint,omitempty"`
	Reply       string    `cbor:"24,keyasint,omitempty"` // id of the sealed words of the answer
	ReplyDigest [32]byte  `cbor:"25,keyasint"`
	Agreement   string    `cbor:"26,keyasint,omitempty"` // of which Clause is, empty where the law is of one
}

// Open reports whether the case waits for its answer.
func (c Case) Open() bool { return c.ID != "" && c.Officer == "" }

// Late reports whether the promised time is over on a day, and nobody has answered.
func (c Case) Late(today uint16) bool { return c.Open() && today > c.Due }

// Numbered are the cases about one number.
type Numbered struct {
	Last  ID    `cbor:"1,keyasint,omitempty"`
	Count uint8 `cbor:"2,keyasint,omitempty"`
}

// RosterKey is a position in the list of a site's cases, from 0, in order of age.
type RosterKey struct {
	Site uint16
	Pos  uint32
}

// SiteCases are a site's cases in figures. No case before First is open.
type SiteCases struct {
	First    uint32 `cbor:"1,keyasint,omitempty"`
	End      uint32 `cbor:"2,keyasint,omitempty"` // the next position of the list
	Open     uint32 `cbor:"3,keyasint,omitempty"`
	Answered uint32 `cbor:"4,keyasint,omitempty"`
	Changed  uint32 `cbor:"5,keyasint,omitempty"` // of those answered
}

// DayKey names a site's day.
type DayKey struct {
	Site, Day uint16
}

// DayCases are what happened to cases on a day.
type DayCases struct {
	Opened   uint32 `cbor:"1,keyasint,omitempty"`
	Answered uint32 `cbor:"2,keyasint,omitempty"`
	Changed  uint32 `cbor:"3,keyasint,omitempty"`
}

// State is what the desk knows.
type State struct {
	Cases    table.Table[ID, Case]
	Subjects table.Table[Subject, Numbered]
	Roster   table.Table[RosterKey, ID]
	Sites    table.Table[uint16, SiteCases]
	Days     table.Table[DayKey, DayCases]
}

// Of returns the newest case about a number.
func (st State) Of(s Subject) (Case, bool) {
	n, ok := st.Subjects.Get(s)
	if !ok {
		return Case{}, false
	}
	return st.Cases.Get(n.Last)
}

// About returns all cases about a number, the newest first.
func (st State) About(s Subject) (list []Case) {
	for c, ok := st.Of(s); ok && len(list) < MaxPerNumber; c, ok = st.Cases.Get(c.Earlier) {
		list = append(list, c)
	}
	return list
}

// Waiting returns a site's open cases, the oldest first, at most so many.
func (st State) Waiting(site uint16, most int) (list []Case) {
	n, _ := st.Sites.Get(site)
	for pos := n.First; pos < n.End && len(list) < most; pos++ {
		id, _ := st.Roster.Get(RosterKey{Site: site, Pos: pos})
		if c, ok := st.Cases.Get(id); ok && c.Open() {
			list = append(list, c)
		}
	}
	return list
}
