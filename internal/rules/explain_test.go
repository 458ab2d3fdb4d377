// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"darwaza.dev/internal/reason"
)

// part finds a part of an explanation by its text.
func part(ps []Part, text string) (Part, bool) {
	for _, p := range ps {
		if p.Text == text {
			return p, true
		}
		if q, ok := part(p.Parts, text); ok {
			return q, true
		}
	}
	return Part{}, false
}

func TestExplain(t *testing.T) {
	l := wideLaw(t, `  - {id: a, kind: define, SILENT, attribute: d.base, value: "max(good.value - param.hundred, 0)"}
  - {id: c, kind: rule, TEXT, when: "p || q", require: "d.base <= param.fifty && good.weight <= param.heavy", else: REFUSE, missing: HOLD}
  - {id: f, kind: rule, TEXT, require: "!screening.fever", else: REFUSE}
  - {id: z, kind: rule, TEXT, sides: [B], then: CLOSED}
`)
	q := noon("2025-06-02").with("p", true, "good.value", int64(16000), "good.weight", int64(12500), "screening.fever", false)
	x := l.Explain(q)
	if x.Verdict.Outcome != reason.Refuse || !bytes.Equal(x.Verdict.Bytes(), l.Check(q).Bytes()) {
		t.Fatalf("got %s", x.Verdict.Outcome)
	}
	c := x.Clauses[slices.IndexFunc(x.Clauses, func(e Explained) bool { return e.Clause == "c" })]
	for text, want := range map[string]string{
		"p || q": "true", "p": "true", "d.base <= param.fifty && good.weight <= param.heavy": "false", "d.base <= param.fifty": "false",
		"d.base": "60.00 USD", "param.fifty": "50.00 USD", "good.weight": "12.500 kg", "good.weight <= param.heavy": "true",
	} {
		if p, ok := part(c.Conditions, text); !ok || p.Value != want {
			t.Errorf("%s: got %+v, want %s", text, p, want)
		}
	}
	if p, ok := part(c.Conditions, "q"); !ok || !p.Unknown || p.Value != "" {
		t.Errorf("q: got %+v", p)
	}
	if len(x.Definitions) != 1 || x.Definitions[0].Value != "60.00 USD" || !slices.Equal(x.Definitions[0].Clauses, []string{"a"}) {
		t.Errorf("definitions %+v", x.Definitions)
	}
	// What would change it: the value at which it turns, nearest first.
	n := slices.IndexFunc(x.Needs, func(n Need) bool { return n.Input == "good.value" })
	if n < 0 || x.Needs[n] != (Need{Input: "good.value", Value: "150.00 USD", Outcome: reason.Allow}) {
		t.Errorf("needs %+v", x.Needs)
	}
	text := x.Text(false)
	for _, want := range []string{"REFUSE at gate", "clause c", "d.base: 60.00 USD  by a", "require d.base <= param.fifty && good.weight <= param.heavy = false", "what would change it"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if strings.Contains(text, "  z  ") || !strings.Contains(x.Text(true), "z  dormant: the other side") {
		t.Errorf("of what is not in force: %s", x.Text(true))
	}
}

// TestExplainHides shows no value of what is sensitive, nor of what is made of it.
func TestExplainHides(t *testing.T) {
	l := wideLaw(t, `  - {id: a, kind: define, SILENT, attribute: d.fit, value: "!screening.fever"}
  - {id: c, kind: rule, TEXT, require: d.fit, else: REFUSE}
`)
	x := l.Explain(noon("2025-06-02").with("screening.fever", true))
	if x.Definitions[0].Value != "" || !x.Definitions[0].Known {
		t.Errorf("got %+v", x.Definitions)
	}
	for _, e := range x.Clauses {
		for _, p := range e.Conditions {
			if p.Value != "" || !p.Hidden {
				t.Errorf("%s: %+v", e.Clause, p)
			}
		}
	}
	for _, i := range x.Verdict.Inputs {
		if i.Value != "" {
			t.Errorf("%+v", i)
		}
	}
	if len(x.Needs) != 1 || x.Needs[0].Input != "screening.fever" || x.Needs[0].Value != "" {
		t.Errorf("needs %+v", x.Needs)
	}
	if text := x.Text(true); !strings.Contains(text, "not shown") || !strings.Contains(text, "screening.fever with another value") {
		t.Error(text)
	}
}

// TestNeedsHold asks again with what is said to be needed, and gets what was said.
func TestNeedsHold(t *testing.T) {
	_, l := market(t)
	found := 0
	rapid.Check(t, func(t *rapid.T) {
		q := queries().Draw(t, "question")
		x := l.Explain(q)
		if !bytes.Equal(x.Verdict.Bytes(), l.Check(q).Bytes()) {
			t.Fatal("the explanation is of another answer")
		}
		for _, n := range x.Needs {
			if n.Outcome >= x.Verdict.Outcome {
				t.Fatalf("%+v is not milder than %s", n, x.Verdict.Outcome)
			}
			if n.Value != "true" && n.Value != "false" {
				continue
			}
			q := q.with(n.Input, n.Value == "true")
			if got := l.Check(q).Outcome; got != n.Outcome {
				t.Fatalf("%+v: got %s", n, got)
			}
			found++
		}
	})
	if found == 0 {
		t.Error("nothing would change any answer")
	}
}

func TestNeedsOfDates(t *testing.T) {
	l := wideLaw(t, "  - {id: c, kind: stay, TEXT, start: entry.on, end: exit.on, days: three, else: REFUSE}\n")
	x := l.Explain(noon("2025-06-01").with("entry.on", day("2025-06-01"), "exit.on", day("2025-06-05")))
	if !slices.Contains(x.Needs, Need{Input: "exit.on", Value: "2025-06-03", Outcome: reason.Allow}) {
		t.Errorf("needs %+v", x.Needs)
	}
	trips := wideLaw(t, "  - {id: c, kind: frequency, TEXT, events: trip, window: {per: month}, limit: one, adds: 1, else: REFUSE}\n").Explain(noon("2025-06-01"))
	if !slices.Contains(trips.Needs, Need{Input: "trip", Value: "none", Outcome: reason.Allow}) {
		t.Errorf("needs %+v", trips.Needs)
	}
}

// TestVerdicts asks under two agreements, each with its own answer.
func TestVerdicts(t *testing.T) {
	one := wideLaw(t, "  - {id: c, kind: rule, TEXT, then: REFUSE}\n")
	two := wideLaw(t, "  - {id: c, kind: rule, SILENT}\n")
	vs := Verdicts([]*Law{one, two, mustCompile(t)}, noon("2025-06-02"))
	if len(vs) != 3 || vs[0].Outcome != reason.Refuse || vs[1].Outcome != reason.Allow || vs[2].Reasons[0].Code != CodeEdition {
		t.Errorf("got %v", vs)
	}
}
