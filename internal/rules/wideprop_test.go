// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"bytes"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/reason"
)

// everything is a package with a clause of every kind, exceptions, definitions that
// rest on each other, dates that are not known, and two instruments that disagree.
const everything = `instrument: i
questions:
  - {id: k, asks: {en: x, fa: x, ur: x}, reading: {en: x, fa: x, ur: x}, by: nobody, words: x, settled: [{from: 2025-06-10, by: both, reading: {en: x, fa: x, ur: x}, instrument: i, source: x, holds: [b4]}]}
clauses:
  - {id: a1, kind: define, SILENT, attribute: d.level, value: "'high'"}
  - {id: a2, kind: define, SILENT, when: p, attribute: d.level, value: "'low'", overrides: [a1]}
  - {id: a3, kind: define, SILENT, when: d.level == 'low', attribute: d.flag, value: q}
  - {id: a4, kind: define, SILENT, attribute: d.count, events: trip, where: "event.direction == 'in'", measure: count, window: {per: month}}
  - {id: a5, kind: define, SILENT, attribute: d.base, value: "max(good.value - param.hundred, 0)"}
  - {id: a6, kind: define, SILENT, attribute: d.day, events: dose, measure: latest, window: {per: ever}}
  - {id: a7, kind: table, SILENT, table: t}
  - {id: b1, kind: rule, TEXT, require: d.flag, else: HOLD, missing: HOLD, matter: m}
  - {id: b2, kind: rule, SILENT, when: "d.level == 'low' && n > 3", overrides: [b1, c2]}
  - {id: b3, kind: condition, TEXT, when: d.count > 1}
  - {id: b4, kind: rule, TEXT, when: d.other, then: REFUSE, turns: [k]}
  - {id: b5, kind: rule, TEXT, from: 2025-06, require: q, else: REFUSE}
  - {id: c1, kind: frequency, TEXT, events: trip, window: {rolling: month}, limit: four, adds: 1, else: REFUSE}
  - {id: c2, kind: cap, TEXT, events: import, sum: good.value, adds: good.value, window: {per: day}, limit: allowance, else: DIVERT, regime: x}
  - {id: c3, kind: window, TEXT, events: dose, where: "event.vaccine == 'OPV'", atleast: weeks4, atmost: months12, else: HOLD, missing: HOLD}
  - {id: c4, kind: stay, TEXT, start: entry.on, end: exit.on, days: three, else: REFUSE, missing: HOLD}
  - {id: c5, kind: validity, TEXT, issued: pass.issued, for: year, over: [entry.on, exit.on], else: REFUSE, missing: REFER}
  - {id: c6, kind: ratio, TEXT, of: {events: import}, to: {events: export}, times: evenly, window: {per: year}, else: HOLD}
  - {id: c7, kind: ledger, TEXT, first: {events: import}, then: {events: export}, sum: good.value, within: deadline, running: fixed, adds: none, else: HOLD}
  - {id: c8, kind: suspend, TEXT, from: 2025-06-20, until: 2025-06-25, classes: [visitor], voids: true, issued: pass.issued}
  - {id: c9, kind: turn, TEXT, order: [{side: A, step: exit-a}, {side: B, step: entry-b}], step: step, done: steps.done, else: HOLD}
  - {id: d1, kind: amount, SILENT, amount: one, value: "percent(d.base, param.twenty)"}
  - {id: d2, kind: amount, SILENT, amount: two, value: "each(param.perkilo, good.weight)"}
  - {id: d3, kind: choice, SILENT, amounts: [one, two], take: most, amount: duty}
  - {id: d4, kind: duty, TEXT, by: A, start: inspect.asked, within: quarter, done: inspect.done, else: BREACH, missing: HOLD}
---
instrument: j
clauses:
  - {id: j1, kind: rule, SILENT, matter: m, when: q}
  - {id: j2, kind: define, SILENT, when: n > 5, attribute: d.level, value: "'other'"}
`

func everythingParts() []string {
	return []string{"tables/t.yaml", "id: t\ntitle: " + say + "\nsource: x\ninputs: [d.level, n]\noutputs: [d.other]\n", "tables/t.csv", "d.level,n,d.other\nlow,<5,true\nlow,>=5,false\nhigh,-,false\n"}
}

// wideQueries draws questions to it, with facts and events that are there or not.
func wideQueries() *rapid.Generator[Query] {
	return rapid.Custom(func(t *rapid.T) Query {
		q := noon("2025-06-02")
		q.At = q.At.AddDate(0, 0, rapid.IntRange(0, 40).Draw(t, "days"))
		q.Side = rapid.SampledFrom([]string{"A", "B"}).Draw(t, "side")
		draw := func(name string, vs ...any) {
			if rapid.IntRange(0, 3).Draw(t, "has "+name) > 0 {
				q.Facts[name] = rapid.SampledFrom(vs).Draw(t, name)
			}
		}
		draw("p", true, false)
		draw("q", true, false)
		draw("n", int64(0), int64(4), int64(6))
		draw("class", "visitor", "driver")
		draw("good.value", int64(0), int64(12000), int64(60000), int64(1)<<62)
		draw("good.weight", int64(0), int64(12500), int64(1)<<62)
		draw("entry.on", day("2025-06-01"), day("2025-06-10"))
		draw("exit.on", day("2025-06-03"), day("2025-06-12"))
		draw("pass.issued", day("2024-06-10"), day("2025-06-01"))
		draw("step", "exit-a", "entry-b")
		draw("steps.done", []string{}, []string{"exit-a"})
		draw("inspect.asked", q.At.Add(-time.Hour), q.At)
		for _, kind := range []string{"dose", "export", "import", "trip"} {
			if rapid.IntRange(0, 4).Draw(t, "has "+kind) == 0 {
				continue
			}
			n := rapid.IntRange(0, 6).Draw(t, kind)
			events := make([]Event, 0, n)
			for range n {
				e := Event{At: q.At.Add(-time.Duration(rapid.IntRange(0, 60*24).Draw(t, "hours")) * time.Hour), Site: "s", Facts: Facts{}}
				switch kind {
				case "trip":
					e.Facts["direction"] = rapid.SampledFrom([]string{"in", "out", ""}).Draw(t, "direction")
				case "dose":
					e.Facts["vaccine"] = rapid.SampledFrom([]string{"OPV", "IPV", ""}).Draw(t, "vaccine")
				default:
					e.Facts["good.value"] = rapid.Int64Range(0, 40000).Draw(t, "value")
				}
				events = append(events, e)
			}
			q = q.of(kind, events...)
		}
		return q
	})
}

// TestWideOrderNeverMatters shuffles the clauses and the events.
func TestWideOrderNeverMatters(t *testing.T) {
	e, faults := wide(t, everything, everythingParts()...)
	if len(faults.Errors()) > 0 {
		t.Fatal(faults.Errors())
	}
	l := mustCompile(t, e)
	shuffled := *e
	shuffled.Clauses = slices.Clone(e.Clauses)
	seen := map[reason.Outcome]int{}
	rapid.Check(t, func(t *rapid.T) {
		q := wideQueries().Draw(t, "question")
		v := l.Check(q)
		want := v.Bytes()
		seen[v.Outcome]++
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		other := mustCompileShuffled(&shuffled, r)
		q.Events = maps.Clone(q.Events)
		for kind := range q.Events {
			q.Events[kind] = slices.Clone(q.Events[kind])
			r.Shuffle(len(q.Events[kind]), func(i, j int) { q.Events[kind][i], q.Events[kind][j] = q.Events[kind][j], q.Events[kind][i] })
		}
		for range 2 {
			if got := other.Check(q).Bytes(); !bytes.Equal(got, want) {
				t.Fatalf("order matters:\n%s\n%s", got, want)
			}
		}
		if !bytes.Equal(l.Explain(q).Verdict.Bytes(), want) {
			t.Fatal("the explanation is of another answer")
		}
	})
	if len(seen) < 3 {
		t.Errorf("only %v", seen)
	}
}

// TestWideGrounds wants a declared reason behind every answer that is not ALLOW, and
// nothing let through of which something that was read is not known.
func TestWideGrounds(t *testing.T) {
	l := wideLaw(t, everything, everythingParts()...)
	declared := map[reason.Code]bool{}
	for _, d := range Reasons() {
		declared[d.Code] = true
	}
	rapid.Check(t, func(t *rapid.T) {
		v := l.Check(wideQueries().Draw(t, "question"))
		if v.Outcome != reason.Allow && len(v.Reasons) == 0 {
			t.Fatalf("%s without a reason", v.Outcome)
		}
		for _, r := range v.Reasons {
			if !declared[r.Code] {
				t.Fatalf("%s is not declared", r.Code)
			}
		}
		for _, s := range v.Steps {
			if s.Did == didOpen && v.Outcome == reason.Allow && s.Clause != "b2" && s.Clause != "j1" && s.Clause[0] != 'a' && s.Clause != "j2" {
				t.Fatalf("let through with %s open: %s", s.Clause, why(v))
			}
		}
	})
}

// TestRings refuses definitions that need each other.
func TestRings(t *testing.T) {
	for name, clauses := range map[string]string{
		"two":           "  - {id: a, kind: define, SILENT, attribute: d.flag, value: d.other}\n  - {id: b, kind: define, SILENT, attribute: d.other, value: d.flag}\n",
		"itself":        "  - {id: a, kind: define, SILENT, attribute: d.flag, value: \"!d.flag\"}\n",
		"its condition": "  - {id: a, kind: define, SILENT, when: known(d.flag), attribute: d.flag, value: p}\n",
		"an exception":  "  - {id: a, kind: define, SILENT, attribute: d.flag, value: p}\n  - {id: b, kind: rule, SILENT, when: d.flag, overrides: [a]}\n",
	} {
		e, faults := wide(t, clauses)
		if e == nil {
			t.Fatal(faults)
		}
		found := false
		for _, f := range Check(e) {
			found = found || f.What == "definitions need each other in a ring"
		}
		if !found {
			t.Errorf("%s: %v", name, Check(e))
		}
	}
}

// TestUnits refuses what counts different things.
func TestUnits(t *testing.T) {
	e, faults := wide(t, "  - {id: a, kind: rule, SILENT}\n", produce(false)...)
	if e == nil {
		t.Fatal(faults)
	}
	c, _ := compileEdition(e)
	for text, want := range map[string]string{
		"exit.on - entry.on <= param.three":                 "",
		"exit.on - entry.on <= param.weeks4":                "counts days",
		"exit.on + 3 >= today":                              "",
		"exit.on + param.month >= today":                    "",
		"exit.on + param.year >= today":                     "a date",
		"addyears(exit.on, param.year) >= today":            "",
		"addmonths(exit.on, param.year) >= today":           "addmonths of",
		"good.value > good.weight":                          "counts",
		"good.value > 5":                                    "",
		"percent(good.value, param.five) > param.hundred":   "",
		"percent(good.value, param.hundred) > 1":            "percent of",
		"each(param.perkilo, good.weight) > good.value":     "",
		"each(param.perkilo, good.value) > 1":               "each of",
		"each(param.five, good.weight) > 1":                 "each of",
		"convert(good.value, param.exchange) > good.rupees": "",
		"convert(good.rupees, param.exchange) > 1":          "convert of",
		"unconvert(good.rupees, param.exchange) > 1":        "",
		"good.value * good.weight > 1":                      "multiplied",
		"nights(entry.on, exit.on) <= param.two":            "",
		"years(home.since, today) >= param.year":            "",
		"months(home.since, today) >= param.year":           "counts months",
		"days(good.value, today) > 1":                       "days of",
		"listed(good.code, 'nothing')":                      "not known",
		"within(home.place, 'produce', 'x')":                "is a list of goods",
		"date('2025-02-30') > today":                        "is not a date",
		"date(w) > today":                                   "not written out",
		"visit.purpose in ['trade', 'trаde']":               "never a value",
		"direction == 'sideways'":                           "never a value",
		"today - now > 1":                                   "",
		"on(t) <= today":                                    "",
		"t + hours(2) < now && t - minutes(3) < now":        "",
		"all(['visa'], papers)":                             "",
		"prior.param.five > 1":                              "",
	} {
		p, what, _ := c.language.condition(text)
		switch {
		case text == "today - now > 1": // refused by the types
			if p != nil {
				t.Errorf("%s is taken", text)
			}
		case want == "" && p == nil:
			t.Errorf("%s: %s", text, what)
		case want != "" && !bytes.Contains([]byte(what), []byte(want)):
			t.Errorf("%s: got %q, want %q", text, what, want)
		}
	}
}

// TestFunctions holds the functions to what they are to give.
func TestFunctions(t *testing.T) {
	l := wideLaw(t, "  - {id: a, kind: rule, SILENT}\n", append(produce(false), places()...)...)
	c := l.compiled[0]
	for text, want := range map[string]bool{
		"addmonths(date('2025-01-31'), 1) == date('2025-02-28')":  true,
		"addmonths(date('2025-03-31'), -1) == date('2025-02-28')": true,
		"addyears(date('2024-02-29'), 1) == date('2025-02-28')":   true,
		"years(date('2000-06-02'), date('2025-06-02')) == 25":     true,
		"years(date('2000-06-03'), date('2025-06-02')) == 24":     true,
		"months(date('2025-01-31'), date('2025-02-28')) == 0":     true,
		"months(date('2025-02-28'), date('2025-01-31')) == 0":     true,
		"days(date('2025-06-01'), date('2025-06-03')) == 3":       true,
		"nights(date('2025-06-01'), date('2025-06-03')) == 2":     true,
		"today == date('2025-06-02')":                             true,
		"on(t) == date('2025-06-01')":                             true,
		"t + hours(14) == now":                                    true,
		"t + minutes(840) == now":                                 true,
		"max(1, 2) == 2 && min(1, 2) == 1":                        true,
		"percent(good.value, param.five) == 50":                   true, // 10.01 at 5 %, half up
		"each(param.perkilo, good.weight) == 625":                 true,
		"convert(good.value, param.exchange) == 281531":           true, // 10.01 × 281.25 = 2815.3125
		"unconvert(281531, param.exchange) == 1001":               true,
		"all(['visa'], papers)":                                   true,
		"all(['visa', 'card'], papers)":                           false,
		"'visa' in papers":                                        true,
		"member(home.place, 'area')":                              true,
		"within(home.place, 'area', 'border')":                    true,
		"within(home.place, 'area', 'inland')":                    false,
		"listed('0705.1100', 'produce')":                          true,
		"known(p)":                                                false,
		"known(papers)":                                           true,
		"param.boundless > 9000000000":                            true,
	} {
		p, what, _ := c.language.condition(text)
		if p == nil {
			t.Errorf("%s: %s", text, what)
			continue
		}
		a := newActivation(c)
		q := noon("2025-06-02").with("good.value", int64(1001), "good.weight", int64(12500), "papers", []string{"visa"}, "home.place", "mand", "t", at("2025-06-01T22:00:00Z"))
		a.start(c, &q, c.sites["s"])
		if got, _ := a.eval(p); got != truth(want) {
			t.Errorf("%s: got %d, want %t", text, got, want)
		}
	}
	// What no number holds cannot be worked out.
	for _, text := range []string{"convert(n, param.exchange) > 1", "addyears(date('9999-01-01'), 1) > today", "percent(n, param.five) + n > 1", "hours(n) > hours(1)"} {
		p, what, _ := c.language.condition(text)
		if p == nil {
			t.Errorf("%s: %s", text, what)
			continue
		}
		a := newActivation(c)
		q := noon("2025-06-02").with("n", int64(1<<63-1))
		a.start(c, &q, c.sites["s"])
		if got, _ := a.eval(p); got != failed {
			t.Errorf("%s: got %d", text, got)
		}
	}
}

// FuzzWide asks a package with every kind of clause with the facts and events of
// strangers. Nothing panics, and one question has one answer.
func FuzzWide(f *testing.F) {
	l := wideLaw(f, everything, everythingParts()...)
	f.Add(int64(1748865600), "good.value", "in", int64(5000), int64(9223372036854775807), true)
	f.Add(int64(1750000000), "entry.on", "x", int64(-1), int64(-9223372036854775808), false)
	f.Add(int64(-62135596801), "d.base", "\xff", int64(1), int64(0), false)
	f.Fuzz(func(t *testing.T, sec int64, name, words string, n, m int64, b bool) {
		when := time.Unix(sec, 0)
		for _, x := range []any{n, words, b, int(m), when, time.Time{}, calendar.Date{}, calendar.Date{Year: int(int16(n)), Month: 2, Day: 30}, []string{words, words}, nil, 1.5} {
			q := noon("2025-06-02").with("p", b, "q", !b, "n", n, "good.value", m, "good.weight", n, "class", words, "steps.done", []string{words}, "entry.on", x, "exit.on", x, "pass.issued", x, name, x)
			if m%2 == 0 {
				q.At = when
			}
			for _, kind := range []string{"trip", "dose", "import", "export"} {
				q = q.of(kind, Event{At: when, Site: words, Facts: Facts{"direction": words, "vaccine": words, "good.value": n, "qty": m, name: x}}, Event{Facts: Facts{"good.value": m}})
			}
			v := l.Check(q)
			if !bytes.Equal(v.Bytes(), l.Check(q).Bytes()) {
				t.Error("two answers")
			}
			if v.Outcome != reason.Allow && len(v.Reasons) == 0 {
				t.Errorf("%s without a reason", v.Outcome)
			}
		}
		q := noon("2025-06-02").with(name, words, "n", n, "good.value", m)
		if !bytes.Equal(l.Explain(q).Verdict.Bytes(), l.Check(q).Bytes()) {
			t.Error("the explanation is of another answer")
		}
	})
}
