// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package screening

import (
	"time"

	"darwaza.dev/internal/fact"
	"darwaza.dev/internal/pass"
	"darwaza.dev/internal/reason"
)

// Codes of this desk's reasons.
const (
	CodePositive     reason.Code = "screening.test.positive"
	CodeInconclusive reason.Code = "screening.test.inconclusive"
	CodeWaits        reason.Code = "screening.test.waits"
	CodeUnseen       reason.Code = "screening.case.unseen"
	CodeSilent       reason.Code = "screening.isolation.silent"
	CodeUnfounded    reason.Code = "screening.isolation.unfounded"
	CodeEarly        reason.Code = "screening.release.early"
	CodeNoTest       reason.Code = "screening.release.test"
	CodeKept         reason.Code = "screening.file.silent"
	// What the gate says of a case.
	CodeTaken    reason.Code = "screening.finding.taken"
	CodeUnfit    reason.Code = "screening.finding.against"
	CodeAtDesk   reason.Code = "screening.case.open"
	CodeIsolated reason.Code = "screening.isolation.open"
)

// Declared returns this desk's reasons with their outcomes.
func Declared() []reason.Decl {
	return []reason.Decl{
		{Code: CodePositive, Outcome: reason.Refuse, When: "a test at the health desk is positive: the person does not come in; goods are decided apart"},
		{Code: CodeInconclusive, Outcome: reason.Hold, When: "a test at the health desk has neither found nor excluded the disease"},
		{Code: CodeWaits, Outcome: reason.Hold, When: "the result of a test at the health desk is waited for"},
		{Code: CodeUnseen, Outcome: reason.Hold, When: "a case at the health desk is to be closed and nothing was asked or measured yet"},
		{Code: CodeSilent, Outcome: reason.Refer, When: "the edition names a clause for isolation and leaves its days empty: nobody orders it on a guess"},
		{Code: CodeUnfounded, Outcome: reason.Refuse, When: "isolation is ordered and nothing that the desk found calls for it by that clause"},
		{Code: CodeEarly, Outcome: reason.Refuse, When: "isolation is to end by date before its days are over"},
		{Code: CodeNoTest, Outcome: reason.Refuse, When: "isolation is to end by a negative test, and no test that the profile names has been negative since the order"},
		{Code: CodeKept, Outcome: reason.Refer, When: "the edition does not say how long a case file of the health desk is kept: it goes on the day after the case is closed"},
		{Code: CodeTaken, Outcome: reason.Allow, When: "the health desk has seen the person, and its finding stands in place of the questions at the gate"},
		{Code: CodeUnfit, Outcome: reason.Refuse, When: "the health desk has seen the person, and its finding is against coming in"},
		{Code: CodeAtDesk, Outcome: reason.Hold, When: "the health desk has begun to look at the person and has not finished"},
		{Code: CodeIsolated, Outcome: reason.Refuse, When: "an isolation order is open: it keeps the person out until a health officer releases them"},
	}
}

// Grounds are what a health officer may decide on where the law leaves it to them, as
// words: the texts are under "ground.screening.<word>". Fit lets the person go on, Unfit
// does not.
var (
	Fit = [...]string{
		"examined", // looked at, and nothing infectious found
		"cause",    // what was told or measured has another cause
		"paper",    // a doctor's paper was seen
	}
	Unfit = [...]string{
		"signs",    // the signs are there
		"declined", // the person would not be asked, measured or tested
		"left",     // the person went away
	}
)

// Reliefs are why a health officer ends isolation before its days are over and without a
// test, as words: the texts are under "relief.screening.<word>".
var Reliefs = [...]string{
	"mistake",  // the order was for another person, or rests on a mistake
	"care",     // a hospital or a health authority has taken the person over
	"returned", // the person went back to where they came from
	"directed", // the health authority has directed it
}

// Opened says that a case was opened.
type Opened struct {
	Case     ID       `cbor:"1,keyasint"`
	Site     uint16   `cbor:"2,keyasint"`
	Day      uint16   `cbor:"3,keyasint"`
	Pass     pass.ID  `cbor:"4,keyasint"`
	Register [16]byte `cbor:"5,keyasint"`
	Scan     uint64   `cbor:"6,keyasint,omitempty"`
	Class    uint8    `cbor:"7,keyasint,omitempty"`
	Officer  string   `cbor:"8,keyasint"`
	Sealed   string   `cbor:"9,keyasint"` // id of the case file
}

// Seen says what the desk has come to after an act, not what it saw.
type Seen struct {
	Case    ID              `cbor:"1,keyasint"`
	Act     Act             `cbor:"2,keyasint"`
	Outcome reason.Outcome  `cbor:"3,keyasint"`
	Reasons []reason.Reason `cbor:"4,keyasint,omitempty"` // without parameters
	Cleared []Ground        `cbor:"5,keyasint,omitempty"`
	May     []Ground        `cbor:"6,keyasint,omitempty"`
	Until   time.Time       `cbor:"7,keyasint"`
	Waits   time.Time       `cbor:"8,keyasint"`
	Edition string          `cbor:"9,keyasint,omitempty"`
	Level   string          `cbor:"10,keyasint,omitempty"`
	Officer string          `cbor:"11,keyasint"`
}

// Isolated says that a person is to be kept apart.
type Isolated struct {
	Case      ID     `cbor:"1,keyasint"`
	Clause    string `cbor:"2,keyasint"`
	Agreement string `cbor:"3,keyasint,omitempty"`
	From      uint16 `cbor:"4,keyasint"`
	Until     uint16 `cbor:"5,keyasint"`
	Officer   string `cbor:"6,keyasint"`
}

// Handed says who goes on with the goods of a person who stays.
type Handed struct {
	Case    ID      `cbor:"1,keyasint"`
	Pass    pass.ID `cbor:"2,keyasint"`
	Party   bool    `cbor:"3,keyasint,omitempty"`
	Paper   bool    `cbor:"4,keyasint,omitempty"`
	Officer string  `cbor:"5,keyasint"`
}

// Issued says that a certificate was issued.
type Issued struct {
	Case    ID     `cbor:"1,keyasint"`
	Number  string `cbor:"2,keyasint"`
	Key     []byte `cbor:"3,keyasint"`
	Officer string `cbor:"4,keyasint"`
}

// Closed says what a case came to.
type Closed struct {
	Case     ID              `cbor:"1,keyasint"`
	Outcome  reason.Outcome  `cbor:"2,keyasint"`
	Reasons  []reason.Reason `cbor:"3,keyasint,omitempty"`
	Cleared  []Ground        `cbor:"4,keyasint,omitempty"`
	Why      string          `cbor:"5,keyasint,omitempty"`
	Officer  string          `cbor:"6,keyasint"`
	FileEnds uint16          `cbor:"7,keyasint"`
}

// Released says that isolation has ended, and with it the case.
type Released struct {
	Case     ID     `cbor:"1,keyasint"`
	How      How    `cbor:"2,keyasint"`
	Why      string `cbor:"3,keyasint,omitempty"`
	Officer  string `cbor:"4,keyasint"`
	FileEnds uint16 `cbor:"5,keyasint"`
}

// FileErased says that the key of a case file is to be destroyed, because its time has
// come or because an officer asked. From then on nobody reads the file here.
type FileErased struct {
	Case    ID     `cbor:"1,keyasint"`
	Sealed  string `cbor:"2,keyasint"`
	Officer string `cbor:"3,keyasint,omitempty"` // empty where it was the clock
}

// FactKind names the fact.
func (Opened) FactKind() string     { return "screening.opened" }
func (Seen) FactKind() string       { return "screening.seen" }
func (Isolated) FactKind() string   { return "screening.isolated" }
func (Handed) FactKind() string     { return "screening.handed" }
func (Issued) FactKind() string     { return "screening.issued" }
func (Closed) FactKind() string     { return "screening.closed" }
func (Released) FactKind() string   { return "screening.released" }
func (FileErased) FactKind() string { return "screening.file_erased" }

// Facts returns constructors of every fact of this desk.
func Facts() []func() fact.Fact {
	return []func() fact.Fact{
		func() fact.Fact { return new(Opened) },
		func() fact.Fact { return new(Seen) },
		func() fact.Fact { return new(Isolated) },
		func() fact.Fact { return new(Handed) },
		func() fact.Fact { return new(Issued) },
		func() fact.Fact { return new(Closed) },
		func() fact.Fact { return new(Released) },
		func() fact.Fact { return new(FileErased) },
	}
}

// Apply makes what a fact says of the state. It never refuses, consults no edition and
// passes over facts of other desks.
func Apply(st State, at time.Time, f fact.Fact) {
	switch f := f.(type) {
	case *Opened:
		st.opened(at, f)
	case *Seen:
		st.change(f.Case, func(c *Case, _ *SiteCases) {
			c.At, c.Outcome, c.Reasons, c.Cleared, c.May = at, f.Outcome, f.Reasons, f.Cleared, f.May
			c.Until, c.Waits, c.Edition, c.Level = f.Until, f.Waits, f.Edition, f.Level
		})
	case *Isolated:
		st.change(f.Case, func(c *Case, s *SiteCases) {
			if !c.Order.Open() {
				s.Isolated++
			}
			c.Order = Order{Clause: f.Clause, Agreement: f.Agreement, From: f.From, Until: f.Until, Officer: f.Officer, At: at}
		})
	case *Handed:
		st.change(f.Case, func(c *Case, _ *SiteCases) {
			c.Crew = Crew{Pass: f.Pass, Party: f.Party, Paper: f.Paper, Officer: f.Officer, At: at}
		})
	case *Issued:
		st.change(f.Case, func(c *Case, _ *SiteCases) {
			c.Issued = append(append([]Certificate(nil), c.Issued...), Certificate{f.Number, f.Key})
		})
	case *Closed:
		st.change(f.Case, func(c *Case, s *SiteCases) {
			c.Outcome, c.Reasons, c.Cleared, c.Why, c.Officer, c.ClosedAt, c.FileEnds = f.Outcome, f.Reasons, f.Cleared, f.Why, f.Officer, at, f.FileEnds
			s.Open--
		})
	case *Released:
		st.change(f.Case, func(c *Case, s *SiteCases) {
			if c.Order.Open() {
				s.Isolated--
			}
			c.Order.Released, c.Order.How, c.Order.Why, c.Order.By = at, f.How, f.Why, f.Officer
			c.Officer, c.ClosedAt, c.FileEnds = f.Officer, at, f.FileEnds
			s.Open--
		})
	case *FileErased:
		c, ok := st.Cases.Get(f.Case)
		if !ok || c.Sealed != f.Sealed {
			return
		}
		c.Sealed = ""
		st.Cases.Put(c.ID, c)
		s, _ := st.Sites.Get(c.Site)
		st.putSite(c.Site, s)
	}
}

func (st State) opened(at time.Time, f *Opened) {
	if _, known := st.Cases.Get(f.Case); known || f.Case == "" {
		return
	}
	st.Cases.Put(f.Case, Case{ID: f.Case, Site: f.Site, Day: f.Day, Pass: f.Pass, Register: f.Register, Scan: f.Scan, Class: f.Class, By: f.Officer, OpenedAt: at, Sealed: f.Sealed})
	if f.Pass != (pass.ID{}) {
		st.Passes.Put(f.Pass, f.Case)
	}
	if f.Register != ([16]byte{}) {
		st.Registers.Put(f.Register, f.Case)
	}
	s, _ := st.Sites.Get(f.Site)
	st.Roster.Put(RosterKey{Site: f.Site, Pos: s.End}, f.Case)
	s.End++
	s.Open++
	st.Sites.Put(f.Site, s)
}

// change changes an open case, and its site's figures.
func (st State) change(id ID, f func(*Case, *SiteCases)) {
	c, ok := st.Cases.Get(id)
	if !ok || !c.Open() {
		return
	}
	s, _ := st.Sites.Get(c.Site)
	f(&c, &s)
	st.Cases.Put(id, c)
	st.putSite(c.Site, s)
}

// putSite moves First over cases that are over, file and all.
func (st State) putSite(site uint16, s SiteCases) {
	for s.First < s.End {
		id, _ := st.Roster.Get(RosterKey{Site: site, Pos: s.First})
		if c, ok := st.Cases.Get(id); ok && (c.Open() || c.Sealed != "") {
			break
		}
		s.First++
	}
	st.Sites.Put(site, s)
}
