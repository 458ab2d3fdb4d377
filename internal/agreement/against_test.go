// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package agreement

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

// edit replaces the first old text in a file.
func edit(t testing.TB, m fstest.MapFS, file, old, by string) {
	t.Helper()
	s := string(m[file].Data)
	if !strings.Contains(s, old) {
		t.Fatalf("%s has no %q", file, old)
	}
	m[file] = &fstest.MapFile{Data: []byte(strings.Replace(s, old, by, 1))}
}

func load(t testing.TB, m fstest.MapFS) *Edition {
	t.Helper()
	e, err := Load(m)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestCheckAgainst(t *testing.T) {
	base := load(t, wide(t))
	// next is the edition that follows, in force from 2 January.
	next := func() fstest.MapFS {
		m := wide(t)
		edit(t, m, "agreement.yaml", "edition: 2", "edition: 3")
		edit(t, m, "agreement.yaml", "amends: 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", "amends: "+hexOf(base.Hash))
		edit(t, m, "agreement.yaml", "from: 2025-01-01T06:00", "from: 2025-01-02T06:00")
		return m
	}
	at := func(s string) time.Time {
		when, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return when
	}
	early := at("2024-12-31T06:00:00Z")
	for _, x := range []struct {
		name   string
		change func(m fstest.MapFS)
		at     time.Time
		file   string
		here   string // text of the line of the fault; empty for the first line
		says   string // empty where nothing is wrong
	}{
		{"sound", func(m fstest.MapFS) {}, early, "", "", ""},
		{"no notice is looked at", func(m fstest.MapFS) {}, time.Time{}, "", "", ""},
		{"notice, a second short", func(m fstest.MapFS) {}, early.Add(time.Second), "agreement.yaml", "", "and the notice is 2 days"},
		{"notice of before", func(m fstest.MapFS) { edit(t, m, "agreement.yaml", "notice: 48 hours", "notice: 1 hours") }, early.Add(time.Second), "agreement.yaml", "", "and the notice is 2 days"},
		{"notice of now", func(m fstest.MapFS) { edit(t, m, "agreement.yaml", "notice: 48 hours", "notice: 49 hours") }, early, "agreement.yaml", "", "and the notice is 49 hours"},
		{"same number", func(m fstest.MapFS) { edit(t, m, "agreement.yaml", "edition: 3", "edition: 2") }, early, "agreement.yaml", "", "edition 2 does not rise above 2"},
		{"another agreement", func(m fstest.MapFS) { edit(t, m, "agreement.yaml", "id: wide", "id: narrow") }, early, "agreement.yaml", "", `is an edition of "narrow"`},
		{"amends another", func(m fstest.MapFS) { edit(t, m, "agreement.yaml", "amends: "+hexOf(base.Hash)[:2], "amends: ff") }, early, "agreement.yaml", "", "amends another edition"},
		{"amends nothing", func(m fstest.MapFS) { edit(t, m, "agreement.yaml", "amends: "+hexOf(base.Hash)+"\n", "") }, early, "agreement.yaml", "", "does not name the edition that it follows"},
		{"before the one before", func(m fstest.MapFS) { edit(t, m, "agreement.yaml", "from: 2025-01-02T06:00", "from: 2025-01-01T05:59") }, time.Time{}, "agreement.yaml", "", "is in force before the edition"},
		{"prolonged", func(m fstest.MapFS) { edit(t, m, "agreement.yaml", "until: 2025-03-15}", "until: 2025-03-16}") }, early, "agreement.yaml", "id: storm", "prolonged from 2025-03-15 to 2025-03-16"},
		{"of the other side", func(m fstest.MapFS) {
			edit(t, m, "agreement.yaml", "side: A, status: emergency", "side: B, status: emergency")
		}, early, "agreement.yaml", "id: storm", "changes its side"},
		{"bound gone", func(m fstest.MapFS) { edit(t, m, "clauses/frame.yaml", "id: F-1", "id: F-2") }, early, "clauses/frame.yaml", "", "the bound F-1 of frame is gone"},
		{"bound changed", func(m fstest.MapFS) { edit(t, m, "clauses/frame.yaml", "<= 10", "<= 11") }, early, "clauses/frame.yaml", "id: F-1", "the bound of frame is changed"},
		{"bound of no framework", func(m fstest.MapFS) { edit(t, m, "agreement.yaml", "status: framework", "status: law") }, early, "clauses/frame.yaml", "id: F-1", "the bound of frame is changed"},
		{"an act at once", func(m fstest.MapFS) {
			edit(t, m, "agreement.yaml", "  - {id: letter", "  - {id: flood, title: {en: Flood}, side: B, status: emergency, source: x, until: 2025-01-20}\n  - {id: letter")
			m["clauses/flood.yaml"] = &fstest.MapFile{Data: []byte("instrument: flood\nclauses:\n  - {id: W-1, kind: suspend, at: [gate], text: {en: x}, say: {en: x}}\n")}
		}, at("2025-01-02T05:00:00Z"), "", "", ""},
		{"an act and another thing", func(m fstest.MapFS) {
			edit(t, m, "agreement.yaml", "  - {id: letter", "  - {id: flood, title: {en: Flood}, side: B, status: emergency, source: x, until: 2025-01-20}\n  - {id: letter")
			edit(t, m, "parameters/law.yaml", "value: 4, source", "value: 5, source")
		}, at("2025-01-02T05:00:00Z"), "agreement.yaml", "", "and the notice is 2 days"},
		{"an act and a list", func(m fstest.MapFS) {
			edit(t, m, "agreement.yaml", "until: 2025-03-15}", "until: 2025-03-14}")
			edit(t, m, "lists/purposes.csv", "Visit", "Visits")
		}, at("2025-01-02T05:00:00Z"), "agreement.yaml", "", "and the notice is 2 days"},
	} {
		m := next()
		x.change(m)
		e := load(t, m)
		faults := e.CheckAgainst(base, x.at)
		if x.says == "" {
			if len(faults) > 0 {
				t.Errorf("%s: got %v", x.name, faults)
			}
			continue
		}
		line := 1
		if x.here != "" {
			line += strings.Count(string(m[x.file].Data[:strings.Index(string(m[x.file].Data), x.here)]), "\n")
		}
		if !slices.ContainsFunc(faults, func(f Fault) bool {
			return f.File == x.file && f.Line == line && strings.Contains(f.What, x.says) && f.Mend != ""
		}) {
			t.Errorf("%s: no fault at %s:%d that says %q; got %v", x.name, x.file, line, x.says, faults)
		}
	}
}

// TestFirstEdition has no edition before it, and still a notice.
func TestFirstEdition(t *testing.T) {
	e := load(t, wide(t))
	if faults := e.CheckAgainst(nil, e.From.Add(-48*time.Hour)); len(faults) > 0 {
		t.Errorf("got %v", faults)
	}
	if faults := e.CheckAgainst(nil, e.From.Add(-47*time.Hour)); len(faults) != 1 || !strings.Contains(faults[0].What, "begins 47 hours after the last signature, and the notice is 2 days") {
		t.Errorf("got %v", faults)
	}
	if faults := e.CheckAgainst(nil, time.Time{}); len(faults) > 0 {
		t.Errorf("got %v", faults)
	}
}

func hexOf(h Hash) string {
	const digits = "0123456789abcdef"
	var b strings.Builder
	for _, c := range h {
		b.WriteByte(digits[c>>4])
		b.WriteByte(digits[c&15])
	}
	return b.String()
}

func TestNomenclature(t *testing.T) {
	e := load(t, wide(t))
	codes, err := ParseNomenclature([]byte("section,hscode,description\nII,07,\"Vegetables; edible\"\nII,0702,Tomatoes\nII,070200,Tomatoes\nII,0703.10,Onions\nII,080810,Apples\nTOTAL,TOTAL,all\nII,07031000,too long\n"))
	if err != nil || len(codes) != 5 {
		t.Fatalf("got %v, %v", codes, err)
	}
	if faults := e.CheckNomenclature(codes); len(faults) > 0 {
		t.Errorf("got %v", faults)
	}
	delete(codes, "080810")
	delete(codes, "070310")
	faults := e.CheckNomenclature(codes)
	if len(faults) != 3 || faults[0].File != "lists/goods.csv" || faults[0].Line != 4 || faults[1].Line != 5 || faults[2].Line != 6 || !strings.Contains(faults[2].What, "0808 is not in the nomenclature") {
		t.Errorf("got %v", faults)
	}
	plain, err := ParseNomenclature([]byte("070200\n0808\n"))
	if err != nil || len(plain) != 2 {
		t.Errorf("plain codes: got %v, %v", plain, err)
	}
	for _, s := range []string{"", "hscode\n", "a,b\nc,d\n"} {
		if _, err := ParseNomenclature([]byte(s)); !errors.Is(err, ErrNomenclature) {
			t.Errorf("%q: got %v", s, err)
		}
	}
}

// TestRing finds a ring of two definitions, and of a definition and a table.
func TestRing(t *testing.T) {
	m := wide(t)
	edit(t, m, "clauses/treaty.yaml", "where: event.direction == direction,", "where: base > 0,")
	edit(t, m, "clauses/treaty.yaml", "known(freight) ?", "trips.month > 0 ?")
	_, faults := Check(m)
	if !strings.Contains(faults.Errors().Error(), "trips.month is made of base, which is made of it") {
		t.Errorf("got %v", faults.Errors())
	}
	m = wide(t)
	edit(t, m, "tables/risk.yaml", "of: good.weight, type: int, unit: kg", "of: \"risk == 'low' ? good.weight : 0\", type: int, unit: kg")
	if _, faults := Check(m); !strings.Contains(faults.Errors().Error(), "T-34: risk is made of risk") {
		t.Errorf("got %v", faults.Errors())
	}
	// A name in a text is not read.
	m = wide(t)
	edit(t, m, "clauses/treaty.yaml", "known(freight) ?", "home == 'base' ?")
	if _, faults := Check(m); len(faults.Errors()) > 0 {
		t.Errorf("got %v", faults.Errors())
	}
}

// TestSilentDays finds days on which no instrument is in force.
func TestSilentDays(t *testing.T) {
	m := fstest.MapFS{}
	for p, f := range small() {
		m[p] = f
	}
	delete(m, "keys/A.yaml")
	edit(t, m, "agreement.yaml", "status: law, source: x}", "status: law, source: x, until: 2025-06-01}\n  - {id: j, title: {en: J}, status: law, source: x, from: 2025-06-01}")
	if _, faults := Check(m); len(faults.Errors()) > 0 {
		t.Errorf("one follows the other: got %v", faults.Errors())
	}
	edit(t, m, "agreement.yaml", "from: 2025-06-01}", "from: 2025-06-01T00:01}")
	if _, faults := Check(m); !strings.Contains(faults.Errors().Error(), "agreement.yaml:17: i: no instrument is in force from 2025-06-01 on") {
		t.Errorf("a minute between: got %v", faults.Errors())
	}
	edit(t, m, "agreement.yaml", "status: law, source: x, from: 2025-06-01T00:01}", "status: proposal, source: x}")
	if _, faults := Check(m); !strings.Contains(faults.Errors().Error(), "no instrument is in force from 2025-06-01 on") {
		t.Errorf("a proposal: got %v", faults.Errors())
	}
}
