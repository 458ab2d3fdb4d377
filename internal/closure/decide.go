// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package closure

import (
	"encoding/hex"
	"reflect"
	"slices"
	"strings"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/fact"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/reason"
	"darwaza.dev/internal/rules"
)

// Desk is what a decision looks at.
type Desk struct {
	State
	Law  *rules.Law
	Side agreement.Side
	Now  time.Time
}

// The most of each that a side can have at a site, how far ahead an act or a stage may
// begin, and the most places of a day.
const (
	maxActs   = 64
	maxPlans  = 32
	maxStages = 8
	mostAhead = 366 * 24 * time.Hour
	maxPlaces = 1_000_000
)

// Wish is an officer's wish to close a site.
type Wish struct {
	Site      uint16
	Classes   []string
	Direction string
	From      time.Time // zero is as soon as the clause allows
	Until     time.Time // zero is as long as the clause allows
	Clause    string
	Cause     string
	Officer   string
	Roles     []string // of the officer
}

// DecideSuspend decides whether a side may close a site. What the edition does not allow
// is a verdict with a reason, and nothing is recorded.
func (d Desk) DecideSuspend(w Wish) ([]fact.Fact, rules.Verdict, Act, error) {
	none := func(field, code string) ([]fact.Fact, rules.Verdict, Act, error) {
		return nil, rules.Verdict{}, Act{}, problem.Field(field, code)
	}
	e, ok := d.Law.EditionFor(w.Site, d.Now)
	if !ok {
		return nil, rules.Verdict{}, Act{}, problem.New(problem.NotFound, "closure.site")
	}
	classes := slices.Compact(slices.Sorted(slices.Values(w.Classes)))
	switch {
	case w.Officer == "":
		return none("officer", "closure.officer")
	case !slices.Contains(Causes[:], w.Cause):
		return none("cause", "closure.cause")
	case w.Direction != "" && w.Direction != "in" && w.Direction != "out":
		return none("direction", "closure.direction")
	case slices.ContainsFunc(classes, func(id string) bool { _, ok := e.Class(id); return !ok }):
		return none("classes", "closure.classes")
	case !w.From.IsZero() && (w.From.Before(d.Now.Add(-time.Minute)) || w.From.Sub(d.Now) > mostAhead):
		return none("from", "closure.from")
	}
	v := d.plain(w.Site)
	p, ok := d.Law.Power(w.Clause, w.Site, d.Side, d.Now)
	if !ok {
		return nil, v.With(refuse(CodePower)), Act{}, nil
	}
	if !slices.Contains(w.Roles, p.Clause.Decides) {
		return nil, rules.Verdict{}, Act{}, problem.New(problem.Forbidden, "closure.role")
	}
	about := func(c reason.Code, params ...string) rules.Verdict {
		r := refuse(c, params...)
		r.Clause, r.Agreement = p.Clause.ID, p.Agreement
		return v.With(r)
	}
	if len(p.Clause.Classes) > 0 && (len(classes) == 0 || slices.ContainsFunc(classes, func(id string) bool { return !slices.Contains(p.Clause.Classes, id) })) ||
		p.Clause.Direction != "" && p.Clause.Direction != w.Direction {
		return nil, about(CodeScope), Act{}, nil
	}
	s := d.of(w.Site, d.Side)
	a := Act{Classes: classes, Direction: w.Direction, From: w.From, Until: w.Until, Clause: p.Clause.ID, Agreement: p.Agreement, Cause: w.Cause,
		Said: d.Now, Officer: w.Officer, Most: p.Most}
	if len(a.Classes) == 0 {
		a.Classes = nil
	}
	earliest := d.Now
	if p.Notice > 0 {
		earliest = ceil(d.Now.Add(p.Notice))
	}
	if a.From.IsZero() || p.Notice == 0 && a.From.Before(d.Now) {
		a.From = earliest
	}
	if a.From.Before(earliest) {
		return nil, about(CodeNotice, "earliest", earliest.Format(time.RFC3339)), Act{}, nil
	}
	if p.Most > 0 {
		latest := a.From.Add(p.Most)
		if a.Until.IsZero() {
			a.Until = latest
		}
		if a.Until.After(latest) {
			return nil, about(CodeLong, "latest", latest.Format(time.RFC3339)), Act{}, nil
		}
	}
	if !a.Until.IsZero() && !a.From.Before(a.Until) {
		return none("until", "closure.until")
	}
	for _, o := range s.Acts {
		a.Number = max(a.Number, o.Number)
		// What lapses by itself is not prolonged by saying it again.
		if p.Notice == 0 && o.Most > 0 && o.Clause == a.Clause && overlap(o, a) && a.From.Before(o.End().Add(o.Most)) {
			return nil, about(CodeProlonged, "earliest", o.End().Add(o.Most).Format(time.RFC3339)), Act{}, nil
		}
	}
	if len(s.Acts) >= maxActs {
		return nil, rules.Verdict{}, Act{}, problem.New(problem.Conflict, "closure.many")
	}
	a.Number++
	return []fact.Fact{&Suspended{Site: w.Site, Side: string(d.Side), Act: a}}, v, a, nil
}

// overlap reports whether two acts are about anything in common.
func overlap(a, b Act) bool {
	return (a.Direction == "" || b.Direction == "" || a.Direction == b.Direction) &&
		(len(a.Classes) == 0 || len(b.Classes) == 0 || slices.ContainsFunc(a.Classes, func(id string) bool { return slices.Contains(b.Classes, id) }))
}

// DecideLift ends an act of this side. It needs the role that its clause names, or a
// supervisor where the clause has gone.
func (d Desk) DecideLift(site uint16, number uint32, officer string, roles []string) ([]fact.Fact, rules.Verdict, error) {
	s := d.of(site, d.Side)
	i := slices.IndexFunc(s.Acts, func(a Act) bool { return a.Number == number })
	switch {
	case i < 0:
		return nil, rules.Verdict{}, problem.New(problem.NotFound, "closure.act")
	case s.Acts[i].Over(d.Now):
		return nil, rules.Verdict{}, problem.New(problem.Conflict, "closure.over")
	case officer == "":
		return nil, rules.Verdict{}, problem.Field("officer", "closure.officer")
	}
	role := "supervisor"
	if p, ok := d.Law.Power(s.Acts[i].Clause, site, d.Side, d.Now); ok {
		role = p.Clause.Decides
	}
	if !slices.Contains(roles, role) {
		return nil, rules.Verdict{}, problem.New(problem.Forbidden, "closure.role")
	}
	at := d.Now
	if at.Before(s.Acts[i].From) {
		at = s.Acts[i].From // it never closed
	}
	return []fact.Fact{&Lifted{Site: site, Side: string(d.Side), Number: number, At: at, Officer: officer}}, d.plain(site), nil
}

// Draft is a plan as an officer proposes it.
type Draft struct {
	Site      uint16
	Classes   []string
	Direction string
	Stages    []Stage
	Waiting   uint32
	Officer   string
}

// DecidePropose decides on a plan for a site to open again. It ends every act of either
// side that is known to close on its first day and is about nothing but what the plan is.
func (d Desk) DecidePropose(w Draft) ([]fact.Fact, rules.Verdict, Named[Plan], error) {
	var none Named[Plan]
	e, ok := d.Law.EditionFor(w.Site, d.Now)
	if !ok {
		return nil, rules.Verdict{}, none, problem.New(problem.NotFound, "closure.site")
	}
	site, _ := e.SiteNumbered(w.Site)
	p := Plan{Classes: slices.Compact(slices.Sorted(slices.Values(w.Classes))), Direction: w.Direction, Stages: w.Stages, Waiting: w.Waiting, Said: d.Now, Officer: w.Officer}
	if len(p.Classes) == 0 {
		p.Classes = nil
	}
	today := calendar.On(d.Now, d.Law.Zone(site.ID))
	switch {
	case w.Officer == "":
		return nil, rules.Verdict{}, none, problem.Field("officer", "closure.officer")
	case !sound(p) || slices.ContainsFunc(p.Classes, func(id string) bool { _, ok := e.Class(id); return !ok }):
		return nil, rules.Verdict{}, none, problem.Field("stages", "closure.stages")
	}
	v := d.plain(w.Site)
	first := p.Stages[0].From
	if first.Before(today) || first.DaysSince(today) > 366 {
		return nil, v.With(refuse(CodeLate)), none, nil
	}
	for _, a := range d.Acts(w.Site) {
		end := a.Is.End()
		ends := end.IsZero() || end.After(first.Start(d.Law.Zone(site.ID)))
		if ends && overlap(a.Is, Act{Classes: p.Classes, Direction: p.Direction}) {
			p.Ends = append(p.Ends, a.Name)
		}
	}
	if len(p.Ends) == 0 {
		return nil, rules.Verdict{}, none, problem.New(problem.Conflict, "closure.open")
	}
	if _, err := p.End(); err != nil {
		return nil, v.With(refuse(CodeEndless)), none, nil
	}
	s := d.of(w.Site, d.Side)
	if len(s.Plans) >= maxPlans {
		return nil, rules.Verdict{}, none, problem.New(problem.Conflict, "closure.many")
	}
	for _, o := range s.Plans {
		p.Number = max(p.Number, o.Number)
	}
	p.Number++
	return []fact.Fact{&Proposed{Site: w.Site, Side: string(d.Side), Plan: p}}, v, Named[Plan]{Name{d.Side, p.Number}, p}, nil
}

// DecideAccept signs a plan of the other side, as it was read: the digest says which words.
func (d Desk) DecideAccept(site uint16, number uint32, digest [32]byte, officer string) ([]fact.Fact, rules.Verdict, error) {
	other := d.Side.Other()
	theirs := d.of(site, other).Plans
	i := slices.IndexFunc(theirs, func(p Plan) bool { return p.Number == number })
	e, ok := d.Law.EditionFor(site, d.Now)
	switch {
	case i < 0 || !ok:
		return nil, rules.Verdict{}, problem.New(problem.NotFound, "closure.plan")
	case theirs[i].Digest(other) != digest:
		return nil, rules.Verdict{}, problem.New(problem.Conflict, "closure.plan.changed")
	case d.agreed(site, Named[Plan]{Name{other, number}, theirs[i]}):
		return nil, rules.Verdict{}, problem.New(problem.Conflict, "closure.plan.accepted")
	case officer == "":
		return nil, rules.Verdict{}, problem.Field("officer", "closure.officer")
	}
	v := d.plain(site)
	s, _ := e.SiteNumbered(site)
	if theirs[i].Stages[0].From.Before(calendar.On(d.Now, d.Law.Zone(s.ID))) {
		return nil, v.With(refuse(CodeLate)), nil
	}
	return []fact.Fact{&Accepted{Site: site, Side: string(d.Side), Consent: Consent{Number: number, Digest: digest, Said: d.Now, Officer: officer}}}, v, nil
}

// DecideHeard takes over what the other side has done at a site, as it says it. It is
// nothing new where that is known.
func (d Desk) DecideHeard(site uint16, s Standing) ([]fact.Fact, error) {
	s = s.anonymous()
	if len(s.Acts) > maxActs || len(s.Plans) > maxPlans || len(s.Consents) > maxPlans {
		return nil, problem.New(problem.Limit, "closure.many")
	}
	seen := map[uint32]bool{}
	for _, a := range s.Acts {
		if a.Number == 0 || seen[a.Number] || !word(a.Clause, 40) || !word(a.Agreement, 80) || !word(a.Cause, 20) || !ids(a.Classes) || a.Direction != "" && a.Direction != "in" && a.Direction != "out" ||
			!real(a.From) || !real(a.Said) || !a.Until.IsZero() && !a.From.Before(a.Until) || !a.Lifted.IsZero() && !real(a.Lifted) || a.Most < 0 {
			return nil, problem.Field("closures", "closure.heard")
		}
		seen[a.Number] = true
	}
	clear(seen)
	for _, p := range s.Plans {
		if p.Number == 0 || seen[p.Number] || !sound(p) || !real(p.Said) || len(p.Ends) == 0 || len(p.Ends) > 2*maxActs {
			return nil, problem.Field("closures", "closure.heard")
		}
		seen[p.Number] = true
	}
	for _, c := range s.Consents {
		if !real(c.Said) {
			return nil, problem.Field("closures", "closure.heard")
		}
	}
	key := Key{Site: site, Side: d.Side.Other()}
	old, _ := d.Standings.Get(key)
	if reflect.DeepEqual(old, s) {
		return nil, nil
	}
	return []fact.Fact{&Heard{Site: site, Side: string(key.Side), Standing: s}}, nil
}

// Own returns what this side has done at a site, for the other side.
func (d Desk) Own(site uint16) Standing { return d.of(site, d.Side).anonymous() }

// anonymous leaves the officers out, who are no business of the other side, and has times
// in UTC, so that what was told twice is the same.
func (s Standing) anonymous() Standing {
	out := Standing{Acts: slices.Clone(s.Acts), Plans: slices.Clone(s.Plans), Consents: slices.Clone(s.Consents)}
	for i := range out.Acts {
		a := &out.Acts[i]
		a.Officer = ""
		a.From, a.Until, a.Said, a.Lifted = a.From.UTC(), a.Until.UTC(), a.Said.UTC(), a.Lifted.UTC()
	}
	for i := range out.Plans {
		out.Plans[i].Officer, out.Plans[i].Said = "", out.Plans[i].Said.UTC()
	}
	for i := range out.Consents {
		out.Consents[i].Officer, out.Consents[i].Said = "", out.Consents[i].Said.UTC()
	}
	return out.lean()
}

// sound reports whether a plan has the form of one.
func sound(p Plan) bool {
	if len(p.Stages) == 0 || len(p.Stages) > maxStages || !ids(p.Classes) || p.Direction != "" && p.Direction != "in" && p.Direction != "out" || p.Waiting > maxPlaces {
		return false
	}
	for i, s := range p.Stages {
		if !s.From.Valid() || i > 0 && !p.Stages[i-1].From.Before(s.From) || s.Places == 0 || s.Places > maxPlaces || s.Joining > maxPlaces || len(s.Days) > 7 ||
			slices.ContainsFunc(s.Days, func(d uint8) bool { return d > 6 }) {
			return false
		}
	}
	return true
}

func ids(list []string) bool {
	return len(list) <= 64 && !slices.ContainsFunc(list, func(id string) bool { return !word(id, 60) })
}

// word reports whether a text can be an id: there is no room in one for a sentence.
func word(s string, most int) bool {
	return s != "" && len(s) <= most && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789().,/_-") == ""
}

// real reports whether a time can be one of an act.
func real(t time.Time) bool { return t.Year() >= 2000 && t.Year() < 9000 }

// ceil is the first whole minute that is not before t.
func ceil(t time.Time) time.Time {
	if m := t.Truncate(time.Minute); m.Before(t) {
		return m.Add(time.Minute)
	}
	return t
}

func refuse(c reason.Code, params ...string) reason.Reason {
	r := reason.Reason{Code: c, Outcome: reason.Refuse}
	for i := 0; i+1 < len(params); i += 2 {
		if r.Params == nil {
			r.Params = map[string]string{}
		}
		r.Params[params[i]] = params[i+1]
	}
	return r
}

// plain is a verdict on what no clause is asked about.
func (d Desk) plain(site uint16) rules.Verdict {
	v := rules.Verdict{Point: rules.Duty, Outcome: reason.Allow, At: d.Now}
	if e, ok := d.Law.EditionFor(site, d.Now); ok {
		v.Agreement, v.Edition = e.ID, hex.EncodeToString(e.Hash[:])
	}
	return v
}
