// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"testing"

	"darwaza.dev/agreements"
	"darwaza.dev/internal/agreement"
)

// worked are the texts that come with the program, and what each of them has: the
// clauses, and the checks that were written beside it. A clause of the text may be
// several in the package, each with the text's id at its beginning.
func worked() []struct{ id, clauses, checks string } {
	return []struct{ id, clauses, checks string }{
		{"comesa-str", "CS-1 CS-2 CS-3 CS-4 CS-5 CS-6 CS-7 CS-8 CS-9 CS-10", "CS01 CS03 CS05 CS07 CS09 CS11 CS13"},
		{"eac-str", "EA-1 EA-2 EA-3 EA-4 EA-5", "EE01 EE03 EE05 EE07"},
		{"eac-truck-drivers", "TD-1 TD-2 TD-3 TD-4 TD-5 TD-6 TD-7 TD-8 TD-9 TD-10 TD-11", "TD01 TD03 TD05 TD07 TD09 TD11 TD13 TD15"},
		{"pk-ir-border-markets", "P8(i)-a P8(i)-b P8(ii) P8(iii) P8(iv) P8(v) P8(vi) P8-T ST4(i) ST4(ii) ST4(iv) ST4(v) ST4(vi) IT148 SITE",
			"PM01 PM03 PM05 PM07 PM09 PM11 PM13 PM15 PM17 PM19"},
		{"thailand-laos-passes", "TL-1 TL-2 TL-3 TL-4 TL-5", "TP01 TP03 TP05"},
		{"who-polio", "PO-1 PO-2 PO-3 PO-4 PO-5 PO-6 PO-7 GC-1", "PO01 PO03 PO05 PO07 PO09 PO11 PO13"},
	}
}

// TestWorkedWhole holds the list above against the folders: each package is there, has
// every clause of its text and a scenario for every check, and no package is left out.
func TestWorkedWhole(t *testing.T) {
	dirs, err := fs.ReadDir(agreements.FS, ".")
	if err != nil {
		t.Fatal(err)
	}
	var folders, listed []string
	for _, d := range dirs {
		folders = append(folders, d.Name())
	}
	for _, w := range worked() {
		listed = append(listed, w.id)
	}
	if !slices.Equal(folders, listed) {
		t.Errorf("the folders are %v, and %v are looked at", folders, listed)
	}
	numbers := map[string][2]int{"comesa-str": {10, 7}, "eac-str": {5, 4}, "eac-truck-drivers": {11, 8}, "pk-ir-border-markets": {15, 10}, "thailand-laos-passes": {5, 3}, "who-polio": {8, 7}}
	even := regexp.MustCompile(`^[A-Z]{2}[0-9]*[02468]$`)
	for _, w := range worked() {
		e, _ := load(t, w.id)
		clauses, checks := strings.Fields(w.clauses), strings.Fields(w.checks)
		if got := [2]int{len(clauses), len(checks)}; got != numbers[w.id] {
			t.Errorf("%s: %v clauses and checks are listed, the text has %v", w.id, got, numbers[w.id])
		}
		for _, id := range clauses {
			if !slices.ContainsFunc(e.Clauses, func(c *agreement.Clause) bool { return c.ID == id || strings.HasPrefix(c.ID, id+"-") }) {
				t.Errorf("%s: no clause of %s", w.id, id)
			}
		}
		for _, id := range checks {
			if !slices.ContainsFunc(e.Tests, func(s agreement.Scenario) bool { return s.ID == id }) {
				t.Errorf("%s: no scenario %s", w.id, id)
			}
		}
		own := 0
		for _, s := range e.Tests {
			if even.MatchString(s.ID) {
				own++
			}
		}
		if own < len(checks)-1 {
			t.Errorf("%s: %d scenarios of our own between the %d checks", w.id, own, len(checks))
		}
	}
}

// TestWorkedTogether holds the packages to one another: a server may load any of them at
// once, so a site's number, zone and gates are the same wherever its id stands, no number
// is of two sites, and an attribute of one id is counted alike.
func TestWorkedTogether(t *testing.T) {
	sites, numbers, attributes := map[string]agreement.Site{}, map[uint16]string{}, map[string]agreement.Attribute{}
	shared := 0
	for _, w := range worked() {
		e, _ := load(t, w.id)
		for _, s := range e.Sites {
			if o, ok := sites[s.ID]; ok {
				shared++
				if o.Number != s.Number || o.Zone != s.Zone || len(o.Gates) != len(s.Gates) {
					t.Errorf("%s: site %s is another one elsewhere", w.id, s.ID)
				}
			}
			if id, ok := numbers[s.Number]; ok && id != s.ID {
				t.Errorf("%s: %d is the number of %s and of %s", w.id, s.Number, id, s.ID)
			}
			sites[s.ID], numbers[s.Number] = s, s.ID
		}
		for _, id := range sortedKeys(e.Attributes) {
			a := e.Attributes[id]
			if o, ok := attributes[id]; ok && (o.Type != a.Type || o.Unit != a.Unit || o.Derived != a.Derived) {
				t.Errorf("%s: attribute %s is a %s of %q, and elsewhere a %s of %q", w.id, id, a.Type, a.Unit, o.Type, o.Unit)
			}
			attributes[id] = a
		}
	}
	if shared < 2 {
		t.Errorf("%d sites are in two packages; a traveller under both needs one", shared)
	}
}

// TestWorked checks each package and runs its scenarios.
func TestWorked(t *testing.T) {
	for _, w := range worked() {
		t.Run(w.id, func(t *testing.T) {
			e, l := load(t, w.id)
			for _, f := range e.Untested() {
				t.Error(f)
			}
			for _, r := range l.Test(e) {
				for _, s := range r.Wrong {
					t.Errorf("%s:%d: %s: %s", r.Scenario.File, r.Scenario.Line, r.Scenario.ID, s)
				}
			}
		})
	}
}

// load reads, checks and compiles one of the packages.
func load(t testing.TB, id string) (*agreement.Edition, *Law) {
	t.Helper()
	dir, err := fs.Sub(agreements.FS, id)
	if err != nil {
		t.Fatal(err)
	}
	e, faults := agreement.Check(dir)
	for _, f := range faults {
		if !f.Warning {
			t.Error(id, f)
		}
	}
	if t.Failed() {
		t.FailNow()
	}
	l, err := Compile(e)
	if err != nil {
		t.Fatal(id, err)
	}
	return e, l
}
