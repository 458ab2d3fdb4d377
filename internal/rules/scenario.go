// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/reason"
)

// Result is what became of one scenario of a package.
type Result struct {
	Scenario agreement.Scenario
	// Queries are the questions that its asks came to, with what was bought before.
	Queries []Query
	// Verdicts are the answers, one for each ask.
	Verdicts []Verdict
	// Wrong says what is not as expected, empty where all is.
	Wrong []string
}

// Passed reports whether every answer was as expected.
func (r Result) Passed() bool { return len(r.Wrong) == 0 }

// Test runs the scenarios that lie beside an edition's text. What a scenario buys
// joins the lots of its next asks of the same day.
func (l *Law) Test(e *agreement.Edition) []Result {
	out := make([]Result, 0, len(e.Tests))
	for _, s := range e.Tests {
		out = append(out, l.run(s, e.ID))
	}
	return out
}

func (l *Law) run(s agreement.Scenario, id string) Result {
	r := Result{Scenario: s}
	var lots []Lot
	for _, x := range s.Lots {
		lots = append(lots, Lot{x.Category, x.Value, x.Regime, x.Site})
	}
	given, today := len(lots), calendar.Date{}
	total := map[[2]string]int64{}
	for n, ask := range s.Asks {
		q := Query{Point: Point(s.Point), At: pick(ask.At, s.At), Known: pick(ask.Known, s.Known), Site: pick(ask.Site, s.Site), Side: string(s.Side), Facts: Facts{}}
		for _, from := range [...]map[string][]agreement.ScenarioEvent{s.Events, ask.Events} {
			for kind, events := range from {
				if q.Events == nil {
					q.Events = map[string][]Event{}
				}
				q.Events[kind] = make([]Event, 0, len(events))
				for _, x := range events {
					q.Events[kind] = append(q.Events[kind], Event{x.At, x.Site, x.Facts})
				}
			}
		}
		if l.several {
			q.Agreement = id // a package is tested by itself
		}
		if on := calendar.On(q.At, l.Zone(q.Site)); on != today {
			lots, today = lots[:given], on
		}
		q.Lots = lots
		maps.Copy(q.Facts, s.Facts)
		maps.Copy(q.Facts, ask.Facts)
		v := l.Check(q)
		r.Queries, r.Verdicts = append(r.Queries, q), append(r.Verdicts, v)
		for _, a := range v.Amounts {
			total[[2]string{a.Name, a.Of}] += a.Minor
		}
		wrong := func(format string, args ...any) {
			r.Wrong = append(r.Wrong, fmt.Sprintf("ask %d: ", n+1)+fmt.Sprintf(format, args...))
		}
		compare(v, ask.Expect, total, wrong)
		if x, ok := l.bought(q, v); ok {
			lots = append(slices.Clip(lots), x)
		}
	}
	return r
}

// bought is what a lot that was let go counts as in the questions after it: with the
// value that the verdict worked out, where the edition does that, else with the one that
// was given.
func (l *Law) bought(q Query, v Verdict) (Lot, bool) {
	if q.Point != Goods || v.Outcome != reason.Allow && v.Outcome != reason.Breach && v.Outcome != reason.Divert {
		return Lot{}, false
	}
	value, ok := v.Counted()
	if e, there := l.Edition(q.At); !ok && there && !e.Attributes[attrValue].Derived {
		value, ok = q.Facts[attrValue].(int64)
	}
	if !ok {
		return Lot{}, false
	}
	code, _ := q.Facts[attrCode].(string)
	_, line, _ := l.Good(code, q.At)
	x := Lot{line.Category, value, regimeConcession, q.Site}
	if v.Outcome == reason.Divert {
		x.Regime = regimeStatutory
	}
	return x, true
}

func pick[T comparable](a, b T) T {
	var zero T
	if a != zero {
		return a
	}
	return b
}

func compare(v Verdict, x agreement.Expect, total map[[2]string]int64, wrong func(string, ...any)) {
	if v.Outcome != x.Outcome {
		wrong("got %s (%s), want %s", v.Outcome, why(v), x.Outcome)
	}
	for _, c := range x.Codes {
		if !slices.ContainsFunc(v.Reasons, func(r reason.Reason) bool { return r.Code == c }) {
			wrong("no reason %s", c)
		}
	}
	for _, id := range x.Clauses {
		if !names(v, id) {
			wrong("clause %s is not named", id)
		}
	}
	for _, id := range x.Not {
		if slices.ContainsFunc(v.Reasons, func(r reason.Reason) bool { return r.Clause == id }) {
			wrong("clause %s is among the reasons", id)
		}
	}
	for _, a := range x.Amounts {
		got, ok := v.Amount(a.Name, a.Of)
		switch {
		case a.Absent:
			for _, x := range v.Amounts {
				if x.Name == a.Name && (a.Of == "" || x.Of == a.Of) {
					wrong("there is an amount %s: %s", strings.TrimSpace(x.Name+" "+x.Of), x.Figure())
				}
			}
		case !ok:
			wrong("no amount %s %s", a.Name, a.Of)
		case got.Known == a.Unknown || got.Minor != a.Minor:
			wrong("%s %s is %s (known: %t), want %s", a.Name, a.Of, got.Figure(), got.Known, Amount{Minor: a.Minor, Currency: got.Currency, Unit: got.Unit}.Figure())
		}
	}
	for _, a := range x.Total {
		if got := total[[2]string{a.Name, a.Of}]; got != a.Minor {
			wrong("%s %s adds up to %d minor units, want %d", a.Name, a.Of, got, a.Minor)
		}
	}
	for _, id := range x.Questions {
		if !slices.ContainsFunc(v.Questions, func(q Question) bool { return q.ID == id }) {
			wrong("question %s is not named", id)
		}
	}
	for _, id := range x.Conditions {
		if !slices.ContainsFunc(v.Reasons, func(r reason.Reason) bool {
			return r.Clause == id && (r.Code == CodeCondition || r.Code == CodeProof || r.Code == CodeTest)
		}) {
			wrong("no condition of %s", id)
		}
	}
	for _, m := range x.Missing {
		if !slices.Contains(v.Missing, m) {
			wrong("%s is not among the missing", m)
		}
	}
}

// names reports whether a verdict names a clause: as a reason, behind an amount, or
// as applied, its demand met or not.
func names(v Verdict, id string) bool {
	for _, r := range v.Reasons {
		if r.Clause == id {
			return true
		}
	}
	for _, a := range v.Amounts {
		if a.Clause == id {
			return true
		}
	}
	return slices.ContainsFunc(v.Steps, func(s Step) bool {
		return s.Clause == id && (s.Did == didApply || s.Did == didPass && s.Note != noteNot)
	})
}

func why(v Verdict) string {
	s := ""
	for i, r := range v.Reasons {
		if i > 0 {
			s += ", "
		}
		s += string(r.Code)
		if r.Clause != "" {
			s += " " + r.Clause
		}
		for _, k := range slices.Sorted(maps.Keys(r.Params)) {
			s += " " + k + "=" + r.Params[k]
		}
	}
	if s == "" {
		return "no reason"
	}
	return s
}
