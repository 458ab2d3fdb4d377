// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package screening

import (
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/proof"
	"darwaza.dev/internal/protocol"
	"darwaza.dev/internal/reason"
	"darwaza.dev/internal/rules"
)

// Desk is what a decision looks at.
type Desk struct {
	State
	Levels protocol.State
	Law    *rules.Law
	Side   agreement.Side
	Now    time.Time
}

// Person is what the desk knows of somebody beside their health: what clauses may read.
type Person struct {
	Class    uint8
	Document string // kind of document, empty where not known
	Country  string // issuing country of the document, empty where not known
	Age      int16  // in years, negative where not known
}

// place is a site at a moment.
type place struct {
	edition *agreement.Edition
	site    agreement.Site
	level   protocol.Level
	health  rules.Health
	levels  bool // the edition has levels
	today   uint16
}

func (d Desk) place(site uint16) (place, bool) {
	e, ok := d.Law.EditionFor(site, d.Now)
	if !ok {
		return place{}, false
	}
	s, ok := e.SiteNumbered(site)
	if !ok {
		return place{}, false
	}
	p := place{edition: e, site: s}
	zone := d.Law.Zone(s.ID)
	p.today = rules.DayNumber(calendar.On(d.Now, zone))
	if p.health, p.levels = d.Law.Health(site, d.Now); p.levels {
		p.level = d.Levels.At(p.health, site, d.Now)
	}
	return p, true
}

// profiles are the disease profiles that hold.
func (p place) profiles() []agreement.Profile {
	if !p.levels {
		return nil
	}
	return p.health.Profiles(p.level.Rank, p.level.Profiles)
}

// number is a parameter of the edition.
func (d Desk) number(p place, id string) (int64, bool) {
	if id == "" {
		return 0, false
	}
	return d.Law.Param(id, p.site.ID, d.Side, d.Now)
}

// facts are what the law is told of somebody at the desk.
func (d Desk) facts(p place, who Person, site uint16) rules.Facts {
	f := rules.Facts{"direction": "in"}
	if c, _, ok := d.Law.ClassNumbered(p.site.Number, who.Class, d.Now); ok {
		f["class"] = c.ID
	}
	if who.Document != "" {
		f["person.document"] = who.Document
	}
	if who.Country != "" {
		f["person.country"] = who.Country
	}
	if who.Age >= 0 {
		f["person.age"] = int64(who.Age)
	}
	d.Levels.Facts(d.Law, site, d.Now, f)
	return f
}

// Questions returns what is to be asked and measured of somebody, in order: what the
// profiles that hold ask, and what else clauses at the gate read of it. Each is a bool or
// a temperature.
func (d Desk) Questions(site uint16, who Person) []agreement.Attribute {
	p, ok := d.place(site)
	if !ok {
		return nil
	}
	var out []agreement.Attribute
	add := func(id string) {
		a, ok := p.edition.Attributes[id]
		if ok && !slices.ContainsFunc(out, func(o agreement.Attribute) bool { return o.ID == id }) {
			out = append(out, a)
		}
	}
	for _, x := range p.profiles() {
		for _, id := range x.Asks {
			add(id)
		}
	}
	v := d.Law.Check(rules.Query{Point: rules.Gate, At: d.Now, Site: p.site.ID, Side: string(d.Side), Facts: d.facts(p, who, site)})
	for _, id := range [...]string{AttrTemperature, AttrSymptoms} {
		if slices.Contains(v.Missing, id) {
			add(id)
		}
	}
	for _, a := range Questions(p.edition, v.Missing) {
		add(a.ID)
	}
	return out
}

// An Offer is a test that the desk can do now.
type Offer struct {
	Profile agreement.Profile
	Test    agreement.TestKind
	Minutes int64 // from the sample to the result, 0 where the edition does not say
}

// Offers returns the tests that the profiles that hold name, in order.
func (d Desk) Offers(site uint16) (out []Offer) {
	p, ok := d.place(site)
	if !ok {
		return nil
	}
	for _, x := range p.profiles() {
		for _, t := range x.Tests {
			n, _ := d.number(p, t.Minutes)
			out = append(out, Offer{x, t, n})
		}
	}
	return out
}

// Finding is what the law comes to on what the desk saw.
type Finding struct {
	Verdict rules.Verdict
	Cleared []Ground
	May     []Ground
	Until   time.Time // zero where the edition does not say how long it holds
	Waits   time.Time // when the last result is to be there, zero where none is waited for
}

// onHealth reports whether a clause is one that the desk answers: it reads what is asked
// and measured, or asks for a certificate.
func (d Desk) onHealth(e *agreement.Edition, k *agreement.Clause) bool {
	if asksProof(k) {
		return true
	}
	return slices.ContainsFunc(d.Law.Reads(reason.Reason{Clause: k.ID, Agreement: e.ID}, d.Now), func(id string) bool {
		return strings.HasPrefix(id, "screening.") || len(Questions(e, []string{id})) > 0
	})
}

func asksProof(k *agreement.Clause) bool {
	return k.Kind == agreement.KindProof || k.Kind == agreement.KindCertificate
}

// Check asks the law about somebody with what was seen at the desk. Clauses at the gate
// that are about something else, such as hours, are not the desk's; a clause that asks for
// a certificate is only where a test was done here.
func (d Desk) Check(site uint16, who Person, seen Answers, tests []Test) (Finding, bool) {
	p, ok := d.place(site)
	if !ok {
		return Finding{}, false
	}
	f := d.facts(p, who, site)
	for _, e := range d.Law.EditionsAt(p.site.ID, d.Now) {
		seen.Fill(e, f)
	}
	q := rules.Query{Point: rules.Gate, At: d.Now, Site: p.site.ID, Side: string(d.Side), Facts: f}
	profiles := p.profiles()
	shown, why := d.tested(p, profiles, tests)
	shown.Into(d.Law, &q)
	v := d.Law.Check(q)
	var out Finding
	var against []reason.Reason
	for _, r := range d.Law.Named(v) {
		e, k := d.Law.Clause(r, v.Agreement, d.Now)
		if k == nil || r.Outcome == reason.Allow || !d.onHealth(e, k) || asksProof(k) && !shown.Any() {
			continue
		}
		against = append(against, r)
	}
	for _, e := range d.Law.EditionsAt(p.site.ID, d.Now) {
		for _, k := range e.Clauses {
			if !slices.Contains(k.At, string(rules.Gate)) || !d.onHealth(e, k) || asksProof(k) && !shown.Any() {
				continue
			}
			g := Ground{Clause: k.ID}
			if d.Law.Agreements() > 1 {
				g.Agreement = e.ID
			}
			if !slices.ContainsFunc(against, func(r reason.Reason) bool { return r.Clause == g.Clause && (r.Agreement == g.Agreement) }) {
				out.Cleared = append(out.Cleared, g)
			}
		}
	}
	slices.SortFunc(out.Cleared, func(a, b Ground) int {
		return strings.Compare(a.Agreement+"/"+a.Clause, b.Agreement+"/"+b.Clause)
	})
	out.Cleared = slices.Compact(out.Cleared)
	out.Verdict = d.plain(p).With(append(against, why...)...)
	out.Until, out.Waits = d.window(p, profiles, tests), waits(p, d, profiles, tests)
	out.May = may(p, d.Law.Agreements() > 1, profiles, seen, tests)
	return out, true
}

func (d Desk) plain(p place) rules.Verdict {
	v := rules.Verdict{Point: rules.Gate, Outcome: reason.Allow, At: d.Now}
	if p.edition != nil {
		v.Agreement, v.Edition = p.edition.ID, hex.EncodeToString(p.edition.Hash[:])
	}
	return v
}

// tested is what the tests are to the law, and what the desk says of them itself. Of a
// profile the newest test counts.
func (d Desk) tested(p place, profiles []agreement.Profile, tests []Test) (s rules.Shown, why []reason.Reason) {
	for _, x := range profiles {
		t, ok := newest(tests, x.ID)
		if !ok {
			continue
		}
		switch t.Result {
		case proof.Positive:
			r := reason.Reason{Code: CodePositive, Outcome: reason.Refuse, Clause: x.Order}
			if d.Law.Agreements() > 1 && x.Order != "" {
				r.Agreement = p.edition.ID
			}
			why = append(why, r)
		case proof.Inconclusive:
			why = append(why, reason.Reason{Code: CodeInconclusive, Outcome: reason.Hold})
		case "":
			why = append(why, reason.Reason{Code: CodeWaits, Outcome: reason.Hold})
		}
		if t.Result != "" {
			at := t.Taken.Unix()
			s.Proofs = append(s.Proofs, rules.Proof{Kind: string(proof.Test), Disease: x.Disease, Product: t.Product, Test: t.Kind, Result: string(t.Result),
				Format: string(proof.Paper), Assurance: string(proof.Attested), Earliest: at, Latest: at})
		}
	}
	return s, why
}

// newest returns the newest test of a profile: of two that were taken at once the later in
// the list.
func newest(tests []Test, profile string) (out Test, ok bool) {
	for _, t := range tests {
		if t.Profile == profile && (!ok || !t.Taken.Before(out.Taken)) {
			out, ok = t, true
		}
	}
	return out, ok
}

// window is how long a screening holds: the shortest time that a profile says, and no
// longer than a negative test does.
func (d Desk) window(p place, profiles []agreement.Profile, tests []Test) time.Time {
	var until time.Time
	sooner := func(t time.Time) {
		if until.IsZero() || t.Before(until) {
			until = t
		}
	}
	for _, x := range profiles {
		if n, ok := d.number(p, x.Holds); ok && n > 0 {
			sooner(d.Now.Add(time.Duration(n) * time.Hour))
		}
	}
	if until.IsZero() {
		n, ok := d.number(p, HoldsParameter)
		if !ok || n <= 0 {
			return until
		}
		sooner(d.Now.Add(time.Duration(n) * time.Hour))
	}
	for _, x := range profiles {
		t, ok := newest(tests, x.ID)
		k, has := testOf(x, t.Kind)
		if n, known := d.number(p, k.Good); ok && has && known && t.Result == proof.Negative {
			sooner(t.Taken.Add(time.Duration(n) * time.Hour))
		}
	}
	return until
}

// waits is when the last result that is waited for is to be there.
func waits(p place, d Desk, profiles []agreement.Profile, tests []Test) (at time.Time) {
	for _, x := range profiles {
		t, ok := newest(tests, x.ID)
		if !ok || t.Result != "" {
			continue
		}
		k, _ := testOf(x, t.Kind)
		n, _ := d.number(p, k.Minutes)
		if due := t.Taken.Add(time.Duration(n) * time.Minute); due.After(at) {
			at = due
		}
	}
	return at
}

// may are the clauses by which isolation may be ordered: of the profiles of which a test is
// positive, or, where a profile has no test, of which the person has told or shown
// something that it asks.
func may(p place, several bool, profiles []agreement.Profile, seen Answers, tests []Test) (out []Ground) {
	for _, x := range profiles {
		t, tested := newest(tests, x.ID)
		told := len(x.Tests) == 0 && slices.ContainsFunc(x.Asks, func(id string) bool {
			return id == AttrSymptoms && seen.Symptoms || slices.ContainsFunc(seen.Answers, func(a Answered) bool { return a.Attribute == id && a.Yes })
		})
		if x.Order == "" || !told && (!tested || t.Result != proof.Positive) {
			continue
		}
		g := Ground{Clause: x.Order}
		if several {
			g.Agreement = p.edition.ID
		}
		if !slices.Contains(out, g) {
			out = append(out, g)
		}
	}
	return out
}
