// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package screening

import (
	"encoding/hex"
	"math"
	"slices"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/fact"
	"darwaza.dev/internal/pass"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/proof"
	"darwaza.dev/internal/reason"
	"darwaza.dev/internal/rules"
)

// Coming is somebody who comes to the health desk.
type Coming struct {
	ID       ID
	Site     uint16
	Pass     pass.ID  // zero where they have none
	Register [16]byte // zero where no document was read
	Scan     uint64   // of the gate, that sent them
	Class    uint8
	Officer  string
	Sealed   string // id of the case file
}

// DecideOpen opens a case, or returns the one of the person that is open already, and
// records nothing then. Where the edition does not say how long a case file is kept the
// verdict says so.
func (d Desk) DecideOpen(c Coming) ([]fact.Fact, rules.Verdict, ID, error) {
	p, ok := d.place(c.Site)
	switch {
	case !ok:
		return nil, rules.Verdict{}, "", problem.New(problem.NotFound, "screening.site")
	case !c.ID.Valid():
		return nil, rules.Verdict{}, "", problem.Field("id", "screening.id")
	case c.Pass == (pass.ID{}) && c.Register == ([16]byte{}):
		return nil, rules.Verdict{}, "", problem.Field("document", "screening.person")
	case c.Officer == "":
		return nil, rules.Verdict{}, "", problem.Field("officer", "screening.officer")
	case c.Sealed == "":
		return nil, rules.Verdict{}, "", problem.Field("file", "screening.file")
	}
	v := d.plain(p)
	if _, said := d.fileDays(p); !said {
		v = v.With(reason.Reason{Code: CodeKept, Outcome: reason.Refer})
	}
	if old, ok := d.Of(c.Pass, c.Register); ok && old.Open() {
		return nil, v, old.ID, nil
	}
	if _, taken := d.Cases.Get(c.ID); taken {
		return nil, v, "", problem.New(problem.Conflict, "screening.id")
	}
	f := &Opened{Case: c.ID, Site: c.Site, Day: p.today, Pass: c.Pass, Register: c.Register, Scan: c.Scan, Class: c.Class, Officer: c.Officer, Sealed: c.Sealed}
	return []fact.Fact{f}, v, c.ID, nil
}

// fileDays is how long a case file is kept after closing, in days, and whether the edition
// says so.
func (d Desk) fileDays(p place) (uint16, bool) {
	n, ok := d.number(p, FileParameter)
	if !ok || n < 0 {
		return 1, false
	}
	return uint16(min(max(n, 1), MaxFileDays)), true
}

// open returns an open case, its place, and a problem where there is none.
func (d Desk) open(id ID, officer string) (Case, place, error) {
	c, ok := d.Cases.Get(id)
	if !ok {
		return c, place{}, problem.New(problem.NotFound, "screening.unknown")
	}
	if !c.Open() {
		return c, place{}, problem.New(problem.Conflict, "screening.closed")
	}
	if officer == "" {
		return c, place{}, problem.Field("officer", "screening.officer")
	}
	p, ok := d.place(c.Site)
	if !ok {
		return c, place{}, problem.New(problem.Conflict, "screening.edition")
	}
	return c, p, nil
}

// Sight is what the desk saw of a person so far: all of it, not what is new alone.
type Sight struct {
	Case    ID
	Act     Act // what was done last
	Person  Person
	Answers Answers
	Tests   []Test
	Officer string
}

// check reports a sight that cannot be.
func (s Sight) check(ps []agreement.Profile, now time.Time) error {
	switch {
	case !s.Answers.Possible():
		return problem.Field("temperature", "gate.temperature")
	case len(s.Tests) > MaxTests:
		return problem.New(problem.Limit, "screening.tests")
	case s.Act != Asked && s.Act != Sampled && s.Act != Tested, s.Act != Asked && len(s.Tests) == 0:
		return problem.Field("act", "screening.act")
	}
	for _, t := range s.Tests {
		if _, on := profileOf(ps, t.Profile); on && !t.known(ps) {
			return problem.Field("test", "screening.test")
		}
		if t.Taken.After(now.Add(time.Minute)) || t.Result != "" && t.Read.Before(t.Taken) {
			return problem.Field("taken", "screening.taken")
		}
	}
	return nil
}

// DecideSeen records what the law comes to on what the desk saw.
func (d Desk) DecideSeen(s Sight) ([]fact.Fact, Finding, error) {
	c, p, err := d.open(s.Case, s.Officer)
	if err != nil {
		return nil, Finding{}, err
	}
	if err := s.check(p.profiles(), d.Now); err != nil {
		return nil, Finding{}, err
	}
	s.Person.Class = c.Class
	x, _ := d.Check(c.Site, s.Person, s.Answers, s.Tests)
	f := &Seen{Case: c.ID, Act: s.Act, Outcome: x.Verdict.Outcome, Reasons: bare(x.Verdict.Reasons), Cleared: x.Cleared, May: x.May, Until: x.Until, Waits: x.Waits,
		Edition: hex.EncodeToString(p.edition.Hash[:]), Level: p.level.Key(), Officer: s.Officer}
	return []fact.Fact{f}, x, nil
}

// bare returns reasons without their parameters, as they are kept. No reasons are nil.
func bare(rs []reason.Reason) (out []reason.Reason) {
	for _, r := range rs {
		out = append(out, reason.Reason{Code: r.Code, Outcome: r.Outcome, Clause: r.Clause, Agreement: r.Agreement})
	}
	return out
}

// profileBy returns the profile whose orders are by a clause.
func profileBy(e *agreement.Edition, clause string) (agreement.Profile, bool) {
	var ids []string
	for id, p := range e.Profiles {
		if p.Order == clause && clause != "" {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return agreement.Profile{}, false
	}
	return e.Profiles[slices.Min(ids)], true
}

// DecideIsolate orders isolation by a clause that what the desk found calls for, from
// today for as many days as the profile says.
func (d Desk) DecideIsolate(id ID, clause, officer string) ([]fact.Fact, rules.Verdict, error) {
	c, p, err := d.open(id, officer)
	if err != nil {
		return nil, rules.Verdict{}, err
	}
	if c.Isolated() {
		return nil, rules.Verdict{}, problem.New(problem.Conflict, "screening.isolated")
	}
	v := d.plain(p)
	x, ok := profileBy(p.edition, clause)
	i := slices.IndexFunc(c.May, func(g Ground) bool { return g.Clause == clause })
	if !ok || i < 0 {
		return nil, v.With(reason.Reason{Code: CodeUnfounded, Outcome: reason.Refuse, Clause: clause}), nil
	}
	n, known := d.number(p, x.Isolate)
	if !known || n <= 0 {
		return nil, v.With(reason.Reason{Code: CodeSilent, Outcome: reason.Refer, Clause: clause, Agreement: c.May[i].Agreement}), nil
	}
	n = min(n, MaxIsolation)
	if int64(p.today)+n > math.MaxUint16 {
		return nil, v, problem.New(problem.Limit, "screening.days")
	}
	return []fact.Fact{&Isolated{Case: c.ID, Clause: clause, Agreement: c.May[i].Agreement, From: p.today, Until: p.today + uint16(n), Officer: officer}}, v, nil
}

// DecideHand records who goes on with the goods of somebody who stays: the holder of
// another pass, or somebody without one who is named in the case file. Goods themselves
// are decided by their own desk, as if nothing were.
func (d Desk) DecideHand(h Handed) ([]fact.Fact, error) {
	c, _, err := d.open(h.Case, h.Officer)
	switch {
	case err != nil:
		return nil, err
	case !c.Isolated() && c.Outcome.Admits() || c.At.IsZero():
		return nil, problem.New(problem.Conflict, "screening.crew.free") // the person goes on with them
	case h.Pass == (pass.ID{}) == !h.Paper, h.Pass == c.Pass && h.Pass != (pass.ID{}):
		return nil, problem.Field("crew", "screening.crew")
	}
	if o, ok := d.Of(h.Pass, [16]byte{}); ok && o.Open() {
		return nil, problem.Field("crew", "screening.crew.desk") // is at the health desk too
	}
	return []fact.Fact{&h}, nil
}

// DecideIssued records that a certificate was issued for what the case file says.
func (d Desk) DecideIssued(f Issued) ([]fact.Fact, error) {
	c, _, err := d.open(f.Case, f.Officer)
	switch {
	case err != nil:
		return nil, err
	case f.Number == "" || len(f.Number) > 80 || len(f.Key) != 8:
		return nil, problem.Field("number", "screening.number")
	case len(c.Issued) >= MaxTests:
		return nil, problem.New(problem.Limit, "screening.tests")
	}
	return []fact.Fact{&f}, nil
}

// Ending is how an officer closes a case.
type Ending struct {
	Case ID
	// Fit and Why are the officer's decision where the law leaves it to a person.
	Fit     bool
	Why     string // one of Fit or Unfit, empty where nothing is left to them
	Officer string
}

// Leaves returns the reasons of a case that the law leaves to a person.
func (c Case) Leaves() (out []reason.Reason) {
	if !c.Outcome.NeedsOfficer() {
		return nil
	}
	for _, r := range c.Reasons {
		if r.Outcome.NeedsOfficer() {
			out = append(out, r)
		}
	}
	return out
}

// DecideClose closes a case. What the law refuses stays refused; where it leaves the
// matter to a person the officer decides, on a ground. A person in isolation is released.
func (d Desk) DecideClose(e Ending) ([]fact.Fact, rules.Verdict, error) {
	c, p, err := d.open(e.Case, e.Officer)
	if err != nil {
		return nil, rules.Verdict{}, err
	}
	v := d.plain(p)
	if c.Isolated() {
		return nil, v, problem.New(problem.Conflict, "screening.isolated")
	}
	if c.At.IsZero() && (e.Fit || e.Why == "") {
		return nil, v.With(reason.Reason{Code: CodeUnseen, Outcome: reason.Hold}), nil
	}
	days, _ := d.fileDays(p)
	f := &Closed{Case: c.ID, Outcome: c.Outcome, Reasons: c.Reasons, Cleared: c.Cleared, Officer: e.Officer, FileEnds: after(p.today, days)}
	switch {
	case c.At.IsZero() || c.Outcome.NeedsOfficer() && !e.Fit:
		if !slices.Contains(Unfit[:], e.Why) {
			return nil, v, problem.Field("why", "screening.ground")
		}
		f.Outcome, f.Why = reason.Refuse, e.Why
	case c.Outcome.NeedsOfficer():
		if !slices.Contains(Fit[:], e.Why) {
			return nil, v, problem.Field("why", "screening.ground")
		}
		if slices.ContainsFunc(c.Reasons, func(r reason.Reason) bool { return r.Code == CodeWaits || r.Code == CodeInconclusive }) {
			return nil, v.With(c.Reasons...), nil // a test decides, and it has not
		}
		f.Outcome, f.Why = reason.Allow, e.Why
		for _, r := range c.Leaves() {
			if g := (Ground{r.Clause, r.Agreement}); r.Clause != "" && !slices.Contains(f.Cleared, g) {
				f.Cleared = append(slices.Clip(f.Cleared), g)
			}
		}
	case e.Why != "":
		return nil, v, problem.Field("why", "screening.ground") // nothing is left to anybody
	}
	v.Outcome = f.Outcome
	v.Reasons = slices.Clone(f.Reasons)
	return []fact.Fact{f}, v, nil
}

func after(day, days uint16) uint16 { return uint16(min(int(day)+int(days), math.MaxUint16)) }

// Relief is the end of an isolation.
type Relief struct {
	Case    ID
	How     How
	Why     string // one of Reliefs, with ByOfficer
	Tests   []Test // those of the case file, with ByTest
	Officer string
}

// DecideRelease ends an isolation, and with it the case. Whoever is released is asked at
// the gate like everybody.
func (d Desk) DecideRelease(r Relief) ([]fact.Fact, rules.Verdict, error) {
	c, p, err := d.open(r.Case, r.Officer)
	if err != nil {
		return nil, rules.Verdict{}, err
	}
	if !c.Isolated() {
		return nil, rules.Verdict{}, problem.New(problem.Conflict, "screening.free")
	}
	v := d.plain(p)
	against := func(code reason.Code) ([]fact.Fact, rules.Verdict, error) {
		return nil, v.With(reason.Reason{Code: code, Outcome: reason.Refuse, Clause: c.Order.Clause, Agreement: c.Order.Agreement,
			Params: map[string]string{"until": rules.DayDate(c.Order.Until).String()}}), nil
	}
	switch r.How {
	case ByDate:
		if p.today < c.Order.Until {
			return against(CodeEarly)
		}
	case ByTest:
		if !d.freed(p, c.Order, r.Tests) {
			return against(CodeNoTest)
		}
	case ByOfficer:
		if !slices.Contains(Reliefs[:], r.Why) {
			return nil, v, problem.Field("why", "screening.relief")
		}
	default:
		return nil, v, problem.Field("how", "screening.how")
	}
	if r.How != ByOfficer && r.Why != "" {
		return nil, v, problem.Field("why", "screening.relief")
	}
	days, _ := d.fileDays(p)
	return []fact.Fact{&Released{Case: c.ID, How: r.How, Why: r.Why, Officer: r.Officer, FileEnds: after(p.today, days)}}, v, nil
}

// freed reports whether the newest test of a profile that orders by the clause is one that
// it names, was taken after the order, and is negative.
func (d Desk) freed(p place, o Order, tests []Test) bool {
	freed := false
	for _, x := range p.edition.Profiles {
		if x.Order != o.Clause {
			continue
		}
		t, ok := newest(tests, x.ID)
		if !ok || !t.Taken.After(o.At) {
			continue
		}
		if t.Result != proof.Negative || !slices.Contains(x.Release, t.Kind) {
			return false
		}
		freed = true
	}
	return freed
}

// DecideErase lets case files go: those whose time has come, or, where an officer asks,
// one before its time, once its case is closed.
func (d Desk) DecideErase(cases []ID, officer string) (facts []fact.Fact, err error) {
	for _, id := range cases {
		c, ok := d.Cases.Get(id)
		if !ok {
			return nil, problem.New(problem.NotFound, "screening.unknown")
		}
		if c.Sealed == "" {
			continue
		}
		p, known := d.place(c.Site)
		switch {
		case officer != "" && c.Open():
			return nil, problem.New(problem.Conflict, "screening.file.open")
		case officer == "" && !known:
			continue // no calendar says which day it is
		case officer == "" && p.today < c.Ends():
			return nil, problem.New(problem.Conflict, "screening.file.early")
		}
		facts = append(facts, &FileErased{Case: c.ID, Sealed: c.Sealed, Officer: officer})
	}
	return facts, nil
}
