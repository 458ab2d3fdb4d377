// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package appeal

import (
	"math"
	"slices"
	"time"

	"darwaza.dev/internal/fact"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/reason"
	"darwaza.dev/internal/rules"
)

// The grounds of an answer, as words: the texts are under "ground.case.<word>".
var (
	// Upheld are those on which an answer stands.
	Upheld = [...]string{
		"clause", // the clause says it, and was applied as it stands
		"facts",  // what it rests on was right
		"gone",   // the person no longer contests it
	}
	// Changed are those on which an answer was wrong.
	Changed = [...]string{
		"input",   // something that it rests on was keyed or read wrongly
		"misread", // the clause does not say it, or does not hold here
		"officer", // the officer's decision had no ground that the clause allows
		"fault",   // the device or the program was at fault
	}
)

// Nexts are what is to be done after an answer, as words: the texts are under
// "case.next.<word>". Where an answer stands it is "nothing".
var Nexts = [...]string{
	"nothing",
	"book",      // ask for a place again
	"come",      // come to the gate or the desk again, and quote the case
	"corrected", // the desk has put it right already, counts included
}

// Desk is what a decision looks at.
type Desk struct {
	State
	Law *rules.Law
	Now time.Time
}

// Contest is somebody's wish to contest an answer.
type Contest struct {
	ID     ID
	Matter Matter
	Today  uint16 // civil day at the site
	Days   uint16 // within which an answer is promised
	By     string // officer who opens it for the person
	Sealed string
	Digest [32]byte
}

// DecideOpen opens a case, or returns the one about the number that is open already.
func (d Desk) DecideOpen(c Contest) ([]fact.Fact, ID, error) {
	m := c.Matter
	switch {
	case !c.ID.Valid():
		return nil, "", problem.Field("id", "case.id")
	case !m.Subject.Valid() || !slices.Contains(Kinds[:], m.Kind) || len(m.Reasons) > maxReasons:
		return nil, "", problem.Field("number", "case.subject")
	case c.Sealed == "" || c.Digest == ([32]byte{}):
		return nil, "", problem.Field("words", "case.words")
	case c.Days == 0 || c.Days > MaxDays || int(c.Today)+int(c.Days) > math.MaxUint16:
		return nil, "", problem.Field("days", "case.days")
	}
	if old, ok := d.Of(m.Subject); ok && old.Open() {
		return nil, old.ID, nil
	}
	if n, _ := d.Subjects.Get(m.Subject); n.Count >= MaxPerNumber {
		return nil, "", problem.New(problem.Conflict, "case.often")
	}
	if _, taken := d.Cases.Get(c.ID); taken {
		return nil, "", problem.New(problem.Conflict, "case.id")
	}
	f := &Opened{Case: c.ID, Subject: m.Subject, Kind: m.Kind, Site: m.Site, Day: c.Today, Pass: m.Pass, DecidedAt: m.At, Outcome: m.Outcome, Edition: m.Edition,
		Due: c.Today + c.Days, By: c.By, Sealed: c.Sealed, Digest: c.Digest}
	for _, r := range m.Reasons {
		f.Reasons = append(f.Reasons, reason.Reason{Code: r.Code, Outcome: r.Outcome, Clause: r.Clause, Agreement: r.Agreement})
	}
	for _, o := range m.Officers {
		if o != "" && !slices.Contains(f.Officers, o) {
			f.Officers = append(f.Officers, o)
		}
	}
	return []fact.Fact{f}, c.ID, nil
}

// Answer is a supervisor's answer to a case.
type Answer struct {
	Case      ID
	Today     uint16
	Changed   bool
	Ground    string
	Clause    string
	Agreement string // of which Clause is; empty takes the one that the contested answer names
	Next      string
	Officer   string
	Corrected bool // the desk has put the contested answer right
	Sealed    string
	Digest    [32]byte
}

// NextsFor returns what may be to be done after an answer to a kind of case.
func NextsFor(k Kind, changed bool) []string {
	switch {
	case !changed:
		return Nexts[:1]
	case k == OfScan || k == OfLot:
		return []string{"come", "corrected", "nothing"}
	}
	return []string{"book", "nothing"}
}

// DecideAnswer answers a case. Whoever gave the contested answer does not answer, and
// nothing but the case changes: what the law refuses stays refused.
func (d Desk) DecideAnswer(a Answer) ([]fact.Fact, error) {
	c, ok := d.Cases.Get(a.Case)
	of, there := d.clause(c, a.Agreement, a.Clause)
	grounds := Upheld[:]
	if a.Changed {
		grounds = Changed[:]
	}
	switch {
	case !ok:
		return nil, problem.New(problem.NotFound, "case.unknown")
	case !c.Open():
		return nil, problem.New(problem.Conflict, "case.answered")
	case a.Officer == "" || slices.Contains(c.Officers, a.Officer):
		return nil, problem.New(problem.Forbidden, "case.own")
	case !slices.Contains(grounds, a.Ground):
		return nil, problem.Field("ground", "case.ground")
	case !slices.Contains(NextsFor(c.Kind, a.Changed), a.Next):
		return nil, problem.Field("next", "case.next")
	case a.Next == "corrected" && !a.Corrected:
		return nil, problem.New(problem.Conflict, "case.not_corrected")
	case a.Sealed == "" || a.Digest == ([32]byte{}):
		return nil, problem.Field("words", "case.words")
	case !there:
		return nil, problem.Field("clause", "case.clause")
	}
	return []fact.Fact{&Answered{Case: c.ID, Site: c.Site, Day: a.Today, Changed: a.Changed, Ground: a.Ground, Clause: a.Clause, Agreement: of, Next: a.Next,
		Officer: a.Officer, Sealed: a.Sealed, Digest: a.Digest}}, nil
}

// clause reports whether an answer may rest on a clause of an agreement: one of the edition
// that decided or of the one in force. None may be named only where the contested answer
// rests on none. Where no agreement is named it is that of the contested answer's reason
// with the clause, or else the first that has it. of is the agreement, where the law is of
// several.
func (d Desk) clause(c Case, agreement, id string) (of string, ok bool) {
	if id == "" {
		return "", agreement == "" && !slices.ContainsFunc(c.Reasons, func(r reason.Reason) bool { return r.Clause != "" })
	}
	if i := slices.IndexFunc(c.Reasons, func(r reason.Reason) bool { return r.Clause == id && r.Agreement != "" }); agreement == "" && i >= 0 {
		agreement = c.Reasons[i].Agreement
	}
	for _, at := range []time.Time{c.DecidedAt, d.Now} {
		for _, e := range d.Law.EditionsAt("", at) {
			if (agreement != "" && e.ID != agreement) || e.Clause(id) == nil {
				continue
			}
			if d.Law.Agreements() > 1 {
				of = e.ID
			}
			return of, true
		}
	}
	return "", false
}
