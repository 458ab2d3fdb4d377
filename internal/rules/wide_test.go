// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/reason"
)

const say = "{en: x, fa: x, ur: x}"

// attrs are the attributes of the packages that tests are made of: type and unit.
func attrs() map[string]string {
	return map[string]string{
		"p": "bool", "q": "bool", "n": "int", "w": "string", "t": "time", "on.day": "date", "class": "string", "direction": "string: [in, out]",
		"person.nationality": "string", "person.age": "int, unit: years", "visit.purpose": "string: [trade, visit, work]", "home.place": "string", "home.since": "date", "home.distance": "int, unit: km",
		"good.code": "string", "good.value": "int, unit: USD", "good.weight": "int, unit: kg", "good.freight": "int, unit: USD", "good.rupees": "int, unit: PKR", "state.from": "string", "origin.place": "string",
		"pass.issued": "date", "pass.expires": "date", "entry.at": "time", "entry.on": "date", "exit.on": "date", "dose.at": "time", "vaccine": "string: [OPV, IPV]",
		"certificate.arrived": "bool", "guarantee.given": "bool", "step": "string: [exit-a, entry-b, health-b]", "steps.done": "strings", "inspect.asked": "time", "inspect.done": "time",
		"data.event": "string: [result.positive, visit.ended]", "data.recipient": "string", "data.fields": "strings", "value.displayed": "bool", "papers": "strings", "qty": "int, unit: kg",
		"d.level": "string, derived: true", "d.count": "int, unit: count, derived: true", "d.base": "int, unit: USD, derived: true", "d.day": "date, derived: true", "d.flag": "bool, derived: true", "d.other": "bool, derived: true",
		"screening.fever": "bool, sensitive: true", "cert": "certificate, sensitive: true", "t.one": "time", "t.two": "time", "d.fit": "bool, derived: true",
		"proof.kind": "string, sensitive: true", "proof.disease": "string, sensitive: true", "proof.product": "string, sensitive: true", "proof.dose": "int, sensitive: true", "proof.doses": "int, sensitive: true",
		"proof.test": "string, sensitive: true", "proof.result": "string, sensitive: true", "proof.country": "string, sensitive: true", "proof.earliest": "time, sensitive: true", "proof.latest": "time, sensitive: true",
		"proof.from": "time, sensitive: true", "proof.until": "time, sensitive: true", "crossing.at": "time", "crossing.latest": "time", "health.tests": "strings",
	}
}

const wideParams = `
  zero: {unit: count, 2025-01-01: 0}
  one: {unit: count, 2025-01-01: 1}
  four: {unit: count, 2025-01-01: 4}
  open: {unit: count, 2025-01-01: unknown}
  boundless: {unit: count, 2025-01-01: unlimited}
  month: {unit: days, 2025-01-01: 30}
  weeks4: {unit: weeks, 2025-01-01: 4}
  year: {unit: years, 2025-01-01: 1}
  months12: {unit: months, 2025-01-01: 12}
  hours24: {unit: hours, 2025-01-01: 24}
  quarter: {unit: minutes, 2025-01-01: 15}
  three: {unit: days, 2025-01-01: 3}
  two: {unit: days, 2025-01-01: 2}
  deadline: {unit: days, 2025-01-01: 90, 2025-05-01: 60}
  evenly: {unit: percent, 2025-01-01: 100}
  five: {unit: percent, 2025-01-01: 5}
  twenty: {unit: percent, 2025-01-01: 20}
  freight: {unit: percent, 2025-01-01: 6}
  slack: {unit: percent, 2025-01-01: 2}
  perkilo: {unit: USD/kg, 2025-01-01: 0.50}
  exchange: {unit: PKR/USD, 2025-01-01: 280.5, 2025-06-01: 281.25}
  allowance: {unit: USD, 2025-01-01: 300, 2025-04-01: 500, 2025-07-01: 800}
  hundred: {unit: USD, 2025-01-01: 100}
  fifty: {unit: USD, 2025-01-01: 50}
  heavy: {unit: kg, 2025-01-01: 20}
  near: {unit: km, 2025-01-01: 5}
`

// wide builds a package of clauses and whatever parts are given beside: files by path,
// or "instruments" and "parameters" in place of the usual ones.
func wide(t testing.TB, clauses string, parts ...string) (*agreement.Edition, agreement.Faults) {
	t.Helper()
	given := map[string]string{}
	for i := 0; i+1 < len(parts); i += 2 {
		given[parts[i]] = parts[i+1]
	}
	pull := func(k, otherwise string) string {
		v, ok := given[k]
		delete(given, k)
		if !ok {
			return otherwise
		}
		return v
	}
	var b strings.Builder
	b.WriteString(`id: wide
edition: 1
title: ` + say + `
zone: UTC
zonedata: ` + calendar.ZoneVersion + `
currency: USD
rounding: half-up
from: 2025-01-01
parties:
  A: {name: ` + say + `, country: PAK, zone: UTC, language: en, currency: PKR}
  B: {name: ` + say + `, country: IRN, zone: UTC, language: en, currency: IRR}
sites:
  - {id: s, number: 1, name: ` + say + `, zone: UTC, source: x, gates: [{number: 1, side: A, name: ` + say + `}, {number: 2, side: B, name: ` + say + `}]}
  - {id: r, number: 2, name: ` + say + `, zone: Asia/Karachi, source: x, gates: [{number: 1, side: A, name: ` + say + `}, {number: 2, side: B, name: ` + say + `}]}
classes:
  - {id: visitor, number: 1, name: ` + say + `}
  - {id: driver, number: 2, name: ` + say + `}
instruments:
` + pull("instruments", `  - {id: i, title: `+say+`, status: law, source: x}
  - {id: j, title: `+say+`, status: law, source: x}
`) + `events:
  - {id: trip, name: ` + say + `, fields: [direction]}
  - {id: dose, name: ` + say + `, fields: [vaccine, dose.at]}
  - {id: import, name: ` + say + `, fields: [good.value, qty]}
  - {id: export, name: ` + say + `, fields: [good.value, qty]}
  - {id: proof, name: ` + say + `, fields: [proof.kind, proof.disease, proof.product, proof.dose, proof.doses, proof.test, proof.result, proof.country, proof.earliest, proof.latest, proof.from, proof.until]}
attributes:
`)
	all := attrs()
	for _, id := range slices.Sorted(maps.Keys(all)) {
		typ, values, _ := strings.Cut(all[id], ": [")
		if values != "" {
			typ += ", values: [" + values
		}
		b.WriteString("  - {id: " + id + ", name: " + say + ", type: " + typ + "}\n")
	}
	b.WriteString(pull("attributes", ""))
	m := fstest.MapFS{"agreement.yaml": {Data: []byte(b.String())}}
	var ps strings.Builder
	ps.WriteString("parameters:\n")
	for line := range strings.SplitSeq(strings.TrimSpace(wideParams), "\n") {
		id, rest, _ := strings.Cut(strings.TrimSpace(line), ": {unit: ")
		unit, values, _ := strings.Cut(strings.TrimSuffix(rest, "}"), ", ")
		ps.WriteString("  - {id: " + id + ", text: " + say + ", unit: " + unit + ", values: [")
		for n, v := range strings.Split(values, ", ") {
			from, value, _ := strings.Cut(v, ": ")
			if n > 0 {
				ps.WriteString(", ")
			}
			ps.WriteString("{from: " + from + ", value: " + value + ", source: x}")
		}
		ps.WriteString("]}\n")
	}
	m["parameters/p.yaml"] = &fstest.MapFile{Data: []byte(ps.String() + pull("parameters", ""))}
	for n, part := range strings.Split(clauses, "---\n") {
		if !strings.HasPrefix(part, "instrument:") {
			part = "instrument: i\nclauses:\n" + part
		}
		part = strings.ReplaceAll(part, "TEXT", "text: "+say+", say: "+say+", at: [gate]")
		part = strings.ReplaceAll(part, "SILENT", "text: "+say+", at: [gate]")
		m["clauses/c"+string(rune('0'+n))+".yaml"] = &fstest.MapFile{Data: []byte(part)}
	}
	for _, p := range slices.Sorted(maps.Keys(given)) {
		m[p] = &fstest.MapFile{Data: []byte(given[p])}
	}
	return agreement.Check(m)
}

func wideLaw(t testing.TB, clauses string, parts ...string) *Law {
	t.Helper()
	e, faults := wide(t, clauses, parts...)
	if len(faults.Errors()) > 0 {
		t.Fatal(faults.Errors())
	}
	return mustCompile(t, e)
}

// noon is a day in the year of the wide packages, at twelve.
func noon(day string) Query {
	return Query{Point: Gate, At: at(day + "T12:00:00Z"), Site: "s", Side: "A", Facts: Facts{}}
}

// on is a question of a day with facts, given as name, value, name, value.
func (q Query) with(pairs ...any) Query {
	q.Facts = maps.Clone(q.Facts)
	for i := 0; i+1 < len(pairs); i += 2 {
		q.Facts[pairs[i].(string)] = pairs[i+1]
	}
	return q
}

func (q Query) of(kind string, events ...Event) Query {
	q.Events = maps.Clone(q.Events)
	if q.Events == nil {
		q.Events = map[string][]Event{}
	}
	q.Events[kind] = events
	return q
}

func happenedOn(day string, pairs ...any) Event {
	return Event{At: at(day + "T10:00:00Z"), Site: "s", Facts: noon(day).with(pairs...).Facts}
}

func day(s string) calendar.Date { return calendar.MustDate(s) }

// expect asks and holds the answer to an outcome, and to a code where one is given.
func expect(t testing.TB, l *Law, what string, q Query, want reason.Outcome, codes ...reason.Code) Verdict {
	t.Helper()
	v := l.Check(q)
	if v.Outcome != want {
		t.Errorf("%s: got %s (%s), want %s", what, v.Outcome, why(v), want)
	}
	for _, c := range codes {
		if !slices.ContainsFunc(v.Reasons, func(r reason.Reason) bool { return r.Code == c }) {
			t.Errorf("%s: no %s among %s", what, c, why(v))
		}
	}
	return v
}

func did(v Verdict, clause string) (string, string) {
	for _, s := range v.Steps {
		if s.Clause == clause {
			return s.Did, s.Note
		}
	}
	return "", ""
}
