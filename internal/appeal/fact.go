// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package appeal

import (
	"time"

	"darwaza.dev/internal/fact"
	"darwaza.dev/internal/pass"
	"darwaza.dev/internal/reason"
)

// Opened says that an answer is contested, what that answer was, and until which day an
// answer is promised. The person's words are in no fact: Digest is SHA-256(salt ‖ words),
// and salt and words lie under the key that Sealed names.
type Opened struct {
	Case      ID              `cbor:"1,keyasint"`
	Subject   Subject         `cbor:"2,keyasint"`
	Kind      Kind            `cbor:"3,keyasint"`
	Site      uint16          `cbor:"4,keyasint"`
	Day       uint16          `cbor:"5,keyasint"`
	Pass      pass.ID         `cbor:"6,keyasint"`
	DecidedAt time.Time       `cbor:"7,keyasint"`
	Outcome   reason.Outcome  `cbor:"8,keyasint,omitempty"`
	Reasons   []reason.Reason `cbor:"9,keyasint,omitempty"` // without parameters
	Edition   string          `cbor:"10,keyasint,omitempty"`
	Officers  []string        `cbor:"11,keyasint,omitempty"` // whose decision it was
	Due       uint16          `cbor:"12,keyasint"`
	By        string          `cbor:"13,keyasint,omitempty"`
	Sealed    string          `cbor:"14,keyasint"`
	Digest    [32]byte        `cbor:"15,keyasint"`
}

// Answered says what a supervisor found: that the answer stands, or that it was wrong, on
// which ground and by which clause, and what to do next. The words of it are sealed as
// those of Opened are.
type Answered struct {
	Case    ID       `cbor:"1,keyasint"`
	Site    uint16   `cbor:"2,keyasint"`
	Day     uint16   `cbor:"3,keyasint"` // civil day at the site
	Changed bool     `cbor:"4,keyasint,omitempty"`
	Ground  string   `cbor:"5,keyasint"`
	Clause  string   `cbor:"6,keyasint,omitempty"`
	Next    string   `cbor:"7,keyasint"`
	Officer string   `cbor:"8,keyasint"`
	Sealed  string   `cbor:"9,keyasint"`
	Digest  [32]byte `cbor:"10,keyasint"`
	// Agreement is the one of which Clause is, empty where the law is of one agreement.
	Agreement string `cbor:"11,keyasint,omitempty"`
}

// FactKind names the fact.
func (Opened) FactKind() string   { return "case.opened" }
func (Answered) FactKind() string { return "case.answered" }

// Facts returns constructors of every fact of this desk.
func Facts() []func() fact.Fact {
	return []func() fact.Fact{
		func() fact.Fact { return new(Opened) },
		func() fact.Fact { return new(Answered) },
	}
}

// Apply makes what a fact says of the state. It never refuses, consults no edition and
// passes over facts of other desks.
func Apply(st State, at time.Time, f fact.Fact) {
	switch f := f.(type) {
	case *Opened:
		st.opened(at, f)
	case *Answered:
		st.answered(at, f)
	}
}

func (st State) opened(at time.Time, f *Opened) {
	if _, known := st.Cases.Get(f.Case); known || f.Case == "" {
		return
	}
	n, _ := st.Subjects.Get(f.Subject)
	st.Cases.Put(f.Case, Case{ID: f.Case, Subject: f.Subject, Kind: f.Kind, Site: f.Site, Day: f.Day, Pass: f.Pass, DecidedAt: f.DecidedAt,
		Outcome: f.Outcome, Reasons: f.Reasons, Edition: f.Edition, Officers: f.Officers, OpenedAt: at, Due: f.Due, By: f.By, Sealed: f.Sealed, Digest: f.Digest, Earlier: n.Last})
	n.Last = f.Case
	if n.Count < 255 {
		n.Count++
	}
	st.Subjects.Put(f.Subject, n)
	s, _ := st.Sites.Get(f.Site)
	st.Roster.Put(RosterKey{Site: f.Site, Pos: s.End}, f.Case)
	s.End++
	s.Open++
	st.Sites.Put(f.Site, s)
	d, _ := st.Days.Get(DayKey{Site: f.Site, Day: f.Day})
	d.Opened++
	st.Days.Put(DayKey{Site: f.Site, Day: f.Day}, d)
}

func (st State) answered(at time.Time, f *Answered) {
	c, ok := st.Cases.Get(f.Case)
	if !ok || !c.Open() || f.Officer == "" {
		return
	}
	c.Officer, c.Changed, c.Ground, c.Clause, c.Agreement, c.Next, c.AnsweredAt, c.Reply, c.ReplyDigest = f.Officer, f.Changed, f.Ground, f.Clause, f.Agreement, f.Next, at, f.Sealed, f.Digest
	st.Cases.Put(f.Case, c)
	s, _ := st.Sites.Get(c.Site)
	d, _ := st.Days.Get(DayKey{Site: c.Site, Day: f.Day})
	s.Open--
	s.Answered++
	d.Answered++
	if f.Changed {
		s.Changed++
		d.Changed++
	}
	for s.First < s.End {
		id, _ := st.Roster.Get(RosterKey{Site: c.Site, Pos: s.First})
		if first, ok := st.Cases.Get(id); ok && first.Open() {
			break
		}
		s.First++
	}
	st.Sites.Put(c.Site, s)
	st.Days.Put(DayKey{Site: c.Site, Day: f.Day}, d)
}
