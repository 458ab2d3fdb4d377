// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package agreement

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/lang"
	"darwaza.dev/internal/reason"
)

// Attributes, and the kind of event, that the program gives by itself where an edition
// declares them. Clauses read them like any other.
const (
	// AttrLevel is the level of protection in force at the site at the time of the
	// question, one of the edition's levels.
	AttrLevel = "health.level"
	// AttrProfiles are the disease profiles that this level switches on.
	AttrProfiles = "health.profiles"
	// AttrCrossing is the earliest time at which the holder is expected to cross: at booking
	// the beginning of the slot, at the gate now.
	AttrCrossing = "crossing.at"
	// AttrCrossingLatest is the latest that is to be reckoned with.
	AttrCrossingLatest = "crossing.latest"
	// AttrTest are the tests that are booked at the health desk before the crossing: disease
	// and kind, such as "covid19/antigen".
	AttrTest = "health.tests"
	// EventProof is a health certificate that was shown, as its issuer dated it.
	EventProof = "proof"
)

// ProofFields are the fields that an event of kind proof can have, with their types.
func ProofFields() map[string]string {
	return map[string]string{
		"proof.kind": "string", "proof.disease": "string", "proof.product": "string", "proof.dose": "int", "proof.doses": "int", "proof.test": "string",
		"proof.result": "string", "proof.country": "string", "proof.issuer": "string", "proof.format": "string", "proof.assurance": "string",
		"proof.earliest": "time", "proof.latest": "time", "proof.from": "time", "proof.until": "time",
	}
}

// A Level is a grade of protection that a side can bring in at a site. Levels stand from
// mild to strict; at a site the stricter of what the two sides have brought in holds.
type Level struct {
	ID   string
	Name lang.Text
	Say  lang.Text // what travellers are told while it holds
	// Profiles are the disease profiles that it switches on, with all of milder levels.
	Profiles []string
	// Capacity is a parameter in percent: so much of the places of a slot that begins while
	// the level holds. All of them where it is empty.
	Capacity string
	// Raise is the notice before it comes in, Lower the notice before it is left for a
	// milder one.
	Raise, Lower time.Duration
	// Emergency is how long it holds at most where one side brings it in at once; zero
	// where it never may.
	Emergency time.Duration
	By        []string // roles that may bring it in, and leave it
	Source    string
	Line      int
	File      string
}

// A Profile is what is done against one disease while a level switches it on.
type Profile struct {
	ID      string
	Disease string // as proofs name it: package proof has the list
	Name    lang.Text
	Source  string
	// Asks are the attributes that the health desk asks and measures, in order.
	Asks  []string
	Tests []TestKind
	// Isolate is a parameter in days: how long somebody who has it is kept apart. Empty
	// where the text says nothing.
	Isolate string
	// Order is the clause by which a health officer orders it, Release are the tests, of
	// those above, of which a negative one ends it before its days are over.
	Order   string
	Release []string
	// Holds is a parameter in hours: how long a finished screening at the health desk holds
	// at the gate.
	Holds string
	Line  int
	File  string
}

// A TestKind is a test that the health desk can do.
type TestKind struct {
	ID   string // as proofs name it, such as "antigen"
	Name lang.Text
	// Minutes from the swab to the result, and Good, how long a negative one holds: both
	// are parameters.
	Minutes, Good string
}

// Level returns a level and its place from the mildest, 0.
func (e *Edition) Level(id string) (Level, int, bool) {
	for i, l := range e.Levels {
		if l.ID == id {
			return l, i, true
		}
	}
	return Level{}, 0, false
}

// TestName is what a test is called that is named by disease and kind, such as
// "covid19/antigen"; nil where no profile has it.
func (e *Edition) TestName(of string) lang.Text {
	disease, kind, _ := strings.Cut(of, "/")
	for _, id := range slices.Sorted(maps.Keys(e.Profiles)) {
		for _, t := range e.Profiles[id].Tests {
			if e.Profiles[id].Disease == disease && t.ID == kind {
				return t.Name
			}
		}
	}
	return nil
}

// health reads one file of health/.
func (r *reader) health(x rawHealth) {
	if strings.TrimSpace(x.Source) == "" {
		r.fault(1, "no source", "say which text gives the profiles and levels")
	}
	for _, p := range most(r, "profiles", x.Profiles) {
		r.profile(p.line, x.Source, p.v)
	}
	for _, s := range most(r, "rule sets", x.RuleSets) {
		r.ruleSet(s.line, x.Source, s.v)
	}
	if len(x.Levels) > 0 && len(r.e.Levels) > 0 {
		r.fault(x.Levels[0].line, "levels stand in "+r.e.Levels[0].File+" too", "write all of them in one file, from mild to strict")
		return
	}
	for i, l := range most(r, "levels", x.Levels) {
		r.level(l.line, i, x.Source, l.v)
	}
	r.owner = ""
}

func (r *reader) profile(line int, source string, x rawProfile) {
	r.owner = "profile " + x.ID
	r.id(line, "profile", x.ID)
	r.declare("profile", x.ID, line)
	r.text(line, "name", trim(x.Name))
	p := Profile{ID: x.ID, Disease: x.Disease, Name: trim(x.Name), Source: source, Asks: x.Asks, Isolate: x.Isolate, Order: x.Order, Release: x.Release, Holds: x.Holds, Line: line, File: r.file}
	if x.Disease == "" {
		r.fault(line, "no disease", "name it as proofs do, such as covid19")
	}
	for i, id := range x.Asks {
		switch a, ok := r.e.Attributes[id]; {
		case slices.Contains(x.Asks[:i], id):
			r.fault(line, fmt.Sprintf("asks %q twice", id), "keep one of them")
		case !ok:
			r.fault(line, fmt.Sprintf("attribute %q is not declared", id), "declare it under attributes")
		case !a.Sensitive || a.Derived:
			r.fault(line, fmt.Sprintf("%s is not sensitive, or derived", id), "declare what a health desk asks with sensitive: true")
		case a.Type != "bool" && a.Unit != "tenths-celsius":
			r.fault(line, fmt.Sprintf("%s is neither yes or no nor a temperature", id), "ask for a bool, or an int of unit tenths-celsius")
		}
	}
	for _, t := range x.Tests {
		r.id(t.line, "test", t.v.ID)
		r.text(t.line, "name", trim(t.v.Name))
		r.of(t.line, "minutes", t.v.Minutes, "minutes")
		r.of(t.line, "good", t.v.Good, "hours")
		if slices.ContainsFunc(p.Tests, func(o TestKind) bool { return o.ID == t.v.ID }) {
			r.fault(t.line, fmt.Sprintf("test %q stands twice", t.v.ID), "keep one of them")
		}
		p.Tests = append(p.Tests, TestKind{ID: t.v.ID, Name: trim(t.v.Name), Minutes: t.v.Minutes, Good: t.v.Good})
	}
	if x.Isolate != "" {
		r.of(line, "isolate", x.Isolate, "days")
	}
	if x.Holds != "" {
		r.of(line, "holds", x.Holds, "hours")
	}
	for i, id := range x.Release {
		switch {
		case slices.Contains(x.Release[:i], id):
			r.fault(line, fmt.Sprintf("is released by test %q twice", id), "keep one of them")
		case !slices.ContainsFunc(p.Tests, func(t TestKind) bool { return t.ID == id }):
			r.fault(line, fmt.Sprintf("release %q is none of its tests", id), "name a test that stands under tests")
		}
	}
	if x.Order == "" && (x.Isolate != "" || len(x.Release) > 0) {
		r.warn(line, "has no order: no clause says who may keep somebody apart", "name the clause under order, or nobody can be isolated")
	}
	r.e.Profiles[x.ID] = p
}

// of faults a field that is not a parameter of a unit.
func (r *reader) of(line int, field, id, unit string) {
	switch p, ok := r.e.Parameters[id]; {
	case r.lost["parameters"] && !ok:
	case !ok:
		r.fault(line, fmt.Sprintf("%s %q is not a parameter", field, id), "declare it in parameters/")
	case p.Unit != unit:
		r.fault(line, fmt.Sprintf("%s %q counts %s", field, id, p.Unit), "use a parameter of unit "+unit)
	}
}

func (r *reader) level(line, n int, source string, x rawLevel) {
	r.owner = "level " + x.ID
	r.id(line, "level", x.ID)
	r.declare("level", x.ID, line)
	r.text(line, "name", trim(x.Name))
	l := Level{ID: x.ID, Name: trim(x.Name), Say: trim(x.Say), Profiles: x.Profiles, Capacity: x.Capacity, Raise: r.notice(x.Raise, "raise", "the notice before the level comes in"), Lower: r.notice(x.Lower, "lower", "the notice before the level is left for a milder one"),
		Emergency: r.notice(x.Emergency, "emergency", "how long a level holds that one side brings in at once"), By: x.By, Source: source, Line: line, File: r.file}
	if n == 0 && (x.Raise.text != "" || x.Lower.text != "" || x.Emergency.text != "" || x.Capacity != "") {
		r.fault(line, "the mildest level has a notice, an end or a capacity", "take them out: it is what holds where nobody has said anything")
	}
	if n > 0 && len(x.By) == 0 {
		r.fault(line, "nobody may bring it in", "name the roles under by, such as [supervisor]")
	}
	if n > 0 && x.Raise.text == "" && x.Emergency.text == "" {
		r.fault(line, "no notice", `write raise: the notice before it comes in, such as "24 hours", or emergency where it may come in at once`)
	}
	if x.Capacity != "" {
		r.of(line, "capacity", x.Capacity, "percent")
	}
	for i, id := range x.Profiles {
		if slices.Contains(x.Profiles[:i], id) {
			r.fault(line, fmt.Sprintf("profile %q stands twice", id), "keep one of them")
		}
	}
	r.e.Levels = append(r.e.Levels, l)
}

// levels looks at profiles and levels as a whole: what is stricter may not be wider.
func (r *reader) levels() {
	e := r.e
	for _, id := range slices.Sorted(maps.Keys(e.Profiles)) {
		p := e.Profiles[id]
		if p.Order == "" || r.lost["clauses"] {
			continue
		}
		r.file, r.owner = p.File, "profile "+id
		if k := e.Clause(p.Order); k == nil {
			r.fault(p.Line, fmt.Sprintf("order %q is not a clause", p.Order), "name a clause of clauses/ by its id")
		} else if p.Isolate == "" {
			r.fault(p.Line, "has an order and no days", "write isolate: a parameter in days")
		}
	}
	for i, l := range e.Levels {
		r.file, r.owner = l.File, "level "+l.ID
		for _, id := range l.Profiles {
			if _, ok := e.Profiles[id]; !ok {
				r.fault(l.Line, fmt.Sprintf("profile %q is not known", id), "declare it in health/")
			}
		}
		if i == 0 {
			continue
		}
		mild := e.Levels[i-1]
		for _, id := range mild.Profiles {
			if !slices.Contains(l.Profiles, id) {
				r.fault(l.Line, fmt.Sprintf("switches profile %s off, which %s has", id, mild.ID), "a stricter level keeps what a milder one asks for: name the profile here too, or change the order of the levels")
			}
		}
		if what, wider := r.wider(mild, l); wider {
			r.fault(l.Line, what, "a stricter level lets in no more than a milder one: mend the parameter, or change the order of the levels")
		}
	}
	if a, ok := e.Attributes[AttrLevel]; ok {
		var ids []string
		for _, l := range e.Levels {
			ids = append(ids, l.ID)
		}
		r.words(a, "string", ids, "levels")
	}
	if a, ok := e.Attributes[AttrProfiles]; ok {
		r.words(a, "strings", slices.Sorted(maps.Keys(e.Profiles)), "profiles")
	}
	for _, x := range [...][2]string{{AttrCrossing, "time"}, {AttrCrossingLatest, "time"}, {AttrTest, "strings"}} {
		if a, ok := e.Attributes[x[0]]; ok && (a.Type != x[1] || a.Derived) {
			r.file, r.owner = a.File, a.ID
			r.fault(a.Line, fmt.Sprintf("%s is a %s, or derived", a.ID, a.Type), "declare it as "+x[1]+": the program gives it")
		}
	}
	if k, ok := e.Events[EventProof]; ok {
		r.file, r.owner = k.File, EventProof
		for _, f := range k.Fields {
			want, ok := ProofFields()[f]
			if a := e.Attributes[f]; !ok {
				r.fault(k.Line, fmt.Sprintf("field %q is none that a proof has", f), "use "+strings.Join(slices.Sorted(maps.Keys(ProofFields())), ", "))
			} else if a.Type != want && a.Type != "" {
				r.fault(k.Line, fmt.Sprintf("%s is a %s", f, a.Type), "declare it as "+want)
			} else if !a.Sensitive {
				r.fault(k.Line, f+" is not sensitive", "declare what a health certificate says with sensitive: true")
			}
		}
		if slices.ContainsFunc(e.Clauses, func(c *Clause) bool { return c.Kind == KindProof }) {
			for _, x := range [...]struct{ a, b, lost string }{
				{"proof.from", "proof.until", "the validity that an issuer gave a certificate"},
				{"proof.earliest", "proof.latest", "what the date of a certificate can mean"},
			} {
				lacks := slices.DeleteFunc([]string{x.a, x.b}, func(f string) bool { return slices.Contains(k.Fields, f) })
				if len(lacks) > 0 {
					r.warn(k.Line, "has no field "+strings.Join(lacks, " and no field ")+": "+x.lost+" is not looked at", "declare the attribute, a time with sensitive: true, and name it among the fields")
				}
			}
		}
	}
}

// words faults an attribute that the program gives and whose type or closed set of values
// is another one.
func (r *reader) words(a Attribute, typ string, ids []string, what string) {
	r.file, r.owner = a.File, a.ID
	if a.Type != typ || a.Derived {
		r.fault(a.Line, fmt.Sprintf("%s is a %s, or derived", a.ID, a.Type), "declare it as "+typ+": the program gives it")
		return
	}
	if len(ids) == 0 {
		r.fault(a.Line, a.ID+" without any "+what, "declare them in health/")
	}
	values := slices.Sorted(slices.Values(a.Values))
	if len(values) > 0 && !slices.Equal(values, slices.Sorted(slices.Values(ids))) {
		r.fault(a.Line, fmt.Sprintf("the values of %s are not the %s of health/", a.ID, what), "write values: ["+strings.Join(ids, ", ")+"], or leave them out")
	}
}

// wider reports whether a level gives more of the places than a milder one on any day, at
// any site and for either side. As in package rules, none are given where the text leaves
// the share empty.
func (r *reader) wider(mild, strict Level) (string, bool) {
	a, b := r.e.Parameters[mild.Capacity], r.e.Parameters[strict.Capacity]
	days := []Moment{Day(calendar.On(r.e.From, time.UTC))}
	for _, p := range [...]*Parameter{a, b} {
		if p != nil {
			for _, v := range p.Values {
				for _, m := range [...]Moment{v.From, v.Until} {
					if m.Exact() {
						days = append(days, m)
					}
				}
			}
		}
	}
	if mild.Capacity != "" && a == nil || strict.Capacity != "" && b == nil {
		return "", false // faulted already
	}
	share := func(p *Parameter, site string, side Side, m Moment) int64 {
		const all = 100_00
		if p == nil {
			return all
		}
		v, _, ok := p.In(Ask{Site: site, Side: side, On: m.First, Minute: m.Minute})
		if !ok || !v.Known {
			return 0
		}
		return min(max(v.Int, 0), all)
	}
	for _, s := range r.e.Sites {
		for _, side := range [...]Side{A, B} {
			for _, m := range days {
				if !r.spend(1) {
					return "", false
				}
				if x, y := share(a, s.ID, side, m), share(b, s.ID, side, m); y > x {
					return fmt.Sprintf("gives more of the places than %s on %s at %s", mild.ID, m, s.ID), true
				}
			}
		}
	}
	return "", false
}

// String returns "test (pcr, antigen) of at most hours.pcr".
func (a Accept) String() string {
	s := a.Kind
	if len(a.Tests) > 0 {
		s += " (" + strings.Join(a.Tests, ", ") + ")"
	}
	for _, x := range [...][2]string{{" with ", a.Products}, {" in ", a.Countries}, {" dose ", a.Doses}, {" of at least ", a.AtLeast}, {" of at most ", a.AtMost}} {
		if x[1] != "" {
			s += x[0] + x[1]
		}
	}
	return s
}

// proof faults what a clause of that kind lacks.
func (f former) proof() {
	c, e := f.c, f.e
	f.need(c.Else != reason.None && len(c.Accepts) > 0, "accepts and else")
	f.need((c.Profile == "") != (c.Disease == ""), "either profile or disease")
	if c.Profile != "" {
		if _, ok := e.Profiles[c.Profile]; !ok && !f.lost["health"] {
			f.fault(c.Line, fmt.Sprintf("profile %q is not known", c.Profile), "declare it in health/")
		}
		f.attribute("profile", AttrProfiles, "strings")
	}
	f.attribute("before", c.Before, "time")
	wants := []string{"proof.kind", "proof.disease"}
	for _, a := range c.Accepts {
		f.word("kind", a.Kind, "vaccination", "test", "recovery", "prophylaxis")
		f.need(a.Kind == "test" || len(a.Tests) == 0, "kind: test where there is tests")
		f.need(a.Kind == "vaccination" || a.Kind == "prophylaxis" || a.Products == "" && a.Doses == "", "kind: vaccination or prophylaxis where there is products or doses")
		if a.Kind == "test" {
			wants = append(wants, "proof.test", "proof.result")
		}
		if a.Products != "" {
			f.list(a.Products, ListValues)
			wants = append(wants, "proof.product")
		}
		if a.Countries != "" {
			f.list(a.Countries, ListValues)
			wants = append(wants, "proof.country")
		}
		switch a.Doses {
		case "":
		case "complete":
			wants = append(wants, "proof.dose", "proof.doses")
		default:
			f.param("doses", a.Doses, "count")
			wants = append(wants, "proof.dose")
		}
		f.param("atleast", a.AtLeast, timeUnits()...)
		f.param("atmost", a.AtMost, timeUnits()...)
	}
	k, ok := e.Events[EventProof]
	if !ok {
		f.fault(c.Line, "event proof is not declared", "declare it under events, with the fields "+strings.Join(wants, ", "))
		return
	}
	slices.Sort(wants)
	for _, w := range slices.Compact(wants) {
		if !slices.Contains(k.Fields, w) {
			f.fault(c.Line, "event proof has no field "+w, "declare the attribute and name it among the fields")
		}
	}
}
