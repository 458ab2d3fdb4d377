// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package agreement

import (
	"slices"
	"strings"
	"testing"
)

// TestUnknownStaysUnknown asks for no scenario where a number that nobody knew is still
// not known, and for one pair where one value ends and the next begins.
func TestUnknownStaysUnknown(t *testing.T) {
	asks := func(values string) (out []string) {
		m := wide(t)
		change(t, m, "parameters/law.yaml", "parameters:\n", "parameters:\n  - {id: late, text: {en: x}, unit: days, values: ["+values+"]}\n")
		e, faults := Check(m)
		if len(faults.Errors()) > 0 {
			t.Fatal(faults.Errors())
		}
		for _, f := range e.Untested() {
			if f.Clause == "late" {
				out = append(out, f.What)
			}
		}
		return out
	}
	if got := asks("{from: 2024, value: unknown, source: x}, {from: 2025-05-13, value: unknown, source: y}"); len(got) != 0 {
		t.Errorf("got %q", got)
	}
	if got := asks("{from: 2024, until: 2025-05-13, value: unknown, source: x}, {from: 2025-05-13, value: unknown, source: y}"); len(got) != 0 {
		t.Errorf("with an end: got %q", got)
	}
	want := []string{"no scenario on 2025-05-12, the day before its value changes", "no scenario on 2025-05-13, the day on which its value changes"}
	if got := asks("{from: 2024, until: 2025-05-13, value: unknown, source: x}, {from: 2025-05-13, value: 3, source: y}"); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := asks("{from: 2024, value: 3, source: x}, {from: 2025-05-13, value: unknown, source: y}"); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestOrderOfTheText gives instruments and clauses as the files have them.
func TestOrderOfTheText(t *testing.T) {
	e, _ := Check(wide(t))
	if got := e.InOrder(); got[0] != "treaty" {
		t.Errorf("instruments: %v", got)
	}
	all := e.ClausesOf("treaty")
	at := func(id string) int { return slices.IndexFunc(all, func(c *Clause) bool { return c.ID == id }) }
	if at("T-1") != 0 || at("T-2") != 1 || at("T-10") != 9 || at("T-9") != 8 {
		t.Errorf("T-1 is %d, T-2 %d, T-9 %d, T-10 %d", at("T-1"), at("T-2"), at("T-9"), at("T-10"))
	}
	if slices.ContainsFunc(all, func(c *Clause) bool { return c.Instrument != "treaty" }) {
		t.Error("clauses of another instrument")
	}
}

// TestGivenToAll shares the facts at the head of a file among its scenarios.
func TestGivenToAll(t *testing.T) {
	m := wide(t)
	change(t, m, "tests/t.yaml", "^scenarios:\n", "given: {class: trader, direction: in}\nscenarios:\n  - {id: own, title: x, point: gate, at: 2025-02-03T10:00:00Z, site: north, side: A, facts: {class: driver, direction: \"\"}, asks: [{expect: {outcome: REFER}}]}\n  - {id: all, title: x, point: gate, at: 2025-02-03T10:00:00Z, site: north, side: A, asks: [{expect: {outcome: REFER}}]}\n")
	e, faults := Check(m)
	for _, f := range faults.Errors() {
		t.Error(f)
	}
	facts := map[string]map[string]any{}
	for _, s := range e.Tests {
		facts[s.ID] = s.Facts
	}
	if f := facts["all"]; f["class"] != "trader" || f["direction"] != "in" {
		t.Errorf("all: %v", f)
	}
	if f := facts["own"]; f["class"] != "driver" || len(f) != 1 {
		t.Errorf("own: %v", f)
	}
}

// TestSiteOfOneSide takes a site at its word where one side alone has gates.
func TestSiteOfOneSide(t *testing.T) {
	const gates = "gates: [{number: 1, side: A, name: {en: g}}]"
	site := func(more string) string {
		m := wide(t)
		change(t, m, "agreement.yaml", "sites:\n", "sites:\n  - {id: lone, number: 77, name: {en: x}, zone: UTC, source: x, from: 2025-11-01, "+more+"}\n")
		_, faults := Check(m)
		var out []string
		for _, f := range faults {
			if f.Clause == "lone" && strings.Contains(f.What, "side") {
				out = append(out, f.What)
			}
		}
		return strings.Join(out, "; ")
	}
	if got := site(gates); got != "a side has no gate at the site" {
		t.Errorf("got %q", got)
	}
	if got := site("sides: [A], " + gates); got != "" {
		t.Errorf("got %q", got)
	}
	if got := site("sides: [B], " + gates); !strings.Contains(got, "of a site") {
		t.Errorf("got %q", got)
	}
}

// TestUnknownFieldIsASlip reads the rest of a file, and names the field that was meant.
func TestUnknownFieldIsASlip(t *testing.T) {
	for word, want := range map[string]string{"otherwise": "write else, if that is meant", "esle": "write else, if that is meant"} {
		m := wide(t)
		change(t, m, "clauses/treaty.yaml", "require: paper.stamped, else: HOLD", "require: paper.stamped, "+word+": HOLD")
		e, faults := Check(m)
		if e.Clause("T-2") == nil || len(e.Unread()) != 0 {
			t.Errorf("%s: the file was not read", word)
		}
		if !slices.ContainsFunc(faults, func(f Fault) bool {
			return f.What == `unknown field "`+word+`"` && f.Clause == "T-1" && strings.HasPrefix(f.Mend, want)
		}) {
			t.Errorf("%s: got %v", word, faults)
		}
	}
	m := wide(t)
	change(t, m, "clauses/treaty.yaml", "^instrument: treaty\n", "instrument: treaty\n\tquestions: x\n")
	if e, _ := Check(m); !slices.Equal(e.Unread(), []string{"clauses/treaty.yaml"}) {
		t.Errorf("not read are %v", e.Unread())
	}
}
