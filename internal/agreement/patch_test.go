// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package agreement

import (
	"bytes"
	"errors"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// amended is the border markets' package with one thing of each kind changed.
func amended(t testing.TB) fstest.MapFS {
	m := files(t)
	change(t, m, "agreement.yaml", `edition: 1`, "edition: 2")
	change(t, m, "parameters/law.yaml", `- \{from: 2023-05-18, value: 100, source: "Part VIII, clause \(i\)"\}`,
		`- {from: 2023-05-18, value: 100, source: "Part VIII, clause (i)"}`+"\n"+`      - {from: 2026-07-01, value: 150, source: "an invented amendment"}`)
	change(t, m, "lists/part8.csv", `0702.0000,I,5`, "0702.0000,II,10")
	change(t, m, "schedule/mand-pishin.yaml", `days: \[tuesday, saturday\]`, "days: [tuesday, sunday]")
	m["notes.md"] = &fstest.MapFile{Data: []byte("What changes.\n")}
	delete(m, "tests/gate.yaml")
	return m
}

func TestPatch(t *testing.T) {
	next := amended(t)
	next["signatures/A.sig"] = &fstest.MapFile{Data: []byte("a signature")}
	base := files(t)
	base["signatures/B.sig"] = &fstest.MapFile{Data: []byte("an old signature")}
	patch, err := MakePatch(base, next)
	if err != nil {
		t.Fatal(err)
	}
	p, err := ReadPatch(patch)
	if err != nil {
		t.Fatal(err)
	}
	if p.From != 1 || p.To != 2 || !slices.Equal(p.Removed, []string{"tests/gate.yaml"}) || !slices.Equal(p.Added, []string{"notes.md"}) ||
		!slices.Equal(p.Changed, []string{"agreement.yaml", "lists/part8.csv", "parameters/law.yaml", "schedule/mand-pishin.yaml"}) {
		t.Errorf("%+v", p)
	}
	made, _, err := ApplyPatch(base, patch)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Bundle(made)
	if err != nil {
		t.Fatal(err)
	}
	if want, err := Bundle(next); err != nil || !bytes.Equal(got, want) {
		t.Errorf("the patched edition is another one: %v", err)
	}
	if e, _ := Check(made); e == nil || e.Hash != p.New || len(e.Signatures) != 1 {
		t.Errorf("%v", e)
	}
	if again, err := MakePatch(base, next); err != nil || !bytes.Equal(again, patch) {
		t.Errorf("a second patch has other bytes: %v", err)
	}
	if _, _, err := ApplyPatch(next, patch); !errors.Is(err, ErrBase) {
		t.Errorf("on another edition: %v", err)
	}
	if _, err := MakePatch(base, base); !errors.Is(err, ErrPatch) {
		t.Errorf("of nothing: %v", err)
	}
	other := files(t)
	change(t, other, "agreement.yaml", `id: pk-ir-border-markets`, "id: other")
	if _, err := MakePatch(base, other); !errors.Is(err, ErrPatch) {
		t.Errorf("between two agreements: %v", err)
	}
	// Whatever is changed in a patch, nothing else comes out of it.
	inside, err := unzipped(patch)
	if err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]func(m map[string][]byte){
		"another byte":      func(m map[string][]byte) { m["new/lists/part8.csv"] = append(m["new/lists/part8.csv"], '\n') },
		"a file more":       func(m map[string][]byte) { m["new/more.md"] = []byte("x\n") },
		"an unnamed change": func(m map[string][]byte) { m["new/clauses/part8.yaml"] = []byte("x: 1\n") },
		"a file less":       func(m map[string][]byte) { delete(m, "new/notes.md") },
		"a strange place":   func(m map[string][]byte) { m["old/notes.md"] = []byte("x\n") },
		"no text":           func(m map[string][]byte) { delete(m, "patch.txt") },
		"another order":     func(m map[string][]byte) { m["patch.txt"] = append(m["patch.txt"], "changed agreement.yaml\n"...) },
		"no hash": func(m map[string][]byte) {
			m["patch.txt"] = []byte(strings.Replace(string(m["patch.txt"]), "new ", "new 00", 1))
		},
		"another hash": func(m map[string][]byte) {
			m["patch.txt"] = (&Patch{p.Agreement, 1, 2, p.Base, Hash{1}, p.Changed, p.Added, p.Removed}).text()
		},
		"removes what is not there": func(m map[string][]byte) {
			m["patch.txt"] = (&Patch{p.Agreement, 1, 2, p.Base, p.New, p.Changed, p.Added, []string{"tests/none.yaml"}}).text()
		},
		"changes nothing": func(m map[string][]byte) {
			clear(m)
			m["patch.txt"] = (&Patch{p.Agreement, 1, 2, p.Base, p.New, nil, nil, nil}).text()
		},
	} {
		m := maps.Clone(inside)
		for k, v := range m {
			m[k] = bytes.Clone(v)
		}
		f(m)
		if _, _, err := ApplyPatch(base, zipped(m)); !errors.Is(err, ErrPatch) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, _, err := ApplyPatch(base, []byte("none")); !errors.Is(err, ErrPatch) || !errors.Is(err, ErrBundle) {
		t.Error(err)
	}
	if bytes.Contains(got, []byte("an old signature")) {
		t.Error("a signature on the old edition lies in the new one")
	}
	var _ fs.FS = made
}

func TestDiff(t *testing.T) {
	before, err := Load(files(t))
	if err != nil {
		t.Fatal(err)
	}
	if d := Diff(before, before); len(d) != 0 {
		t.Errorf("of one edition with itself: %+v", d)
	}
	m := amended(t)
	change(t, m, "agreement.yaml", `until: 2026-07-01`, "until: 2027-07-01")
	change(t, m, "clauses/part8.yaml", `require: good.value > 0`, "require: good.value > 100")
	after, _ := Check(m)
	if after == nil {
		t.Fatal("no edition")
	}
	var got []string
	for _, c := range Diff(before, after) {
		got = append(got, c.Text)
	}
	text := strings.Join(got, "\n")
	for _, want := range []string{
		"the agreement: the edition changes from 1 to 2",
		"the agreement: its end changes from 2026-07-01 00:00 in Asia/Karachi to 2027-07-01 00:00 in Asia/Karachi",
		"P8(i)-b: the limit day.allowance rises from 100.00 USD to 150.00 USD from 2026-07-01",
		"list part8, 0702.0000: category changes from I to II",
		"list part8, 0702.0000: rate changes from 5 % to 10 %",
		"P8(ii): require changes from good.value > 0 to good.value > 100",
		"schedule of mand-pishin: hours now: everybody, Tuesday, Sunday: 08:00-16:00",
		"schedule of mand-pishin: hours no longer: everybody, Tuesday, Saturday: 08:00-16:00",
		"scenario market-day is taken out: ",
		"file notes.md is new",
		"file tests/gate.yaml is taken out",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("nothing says %q in\n%s", want, text)
		}
	}
}

// TestDiffMissesNothing wants a change of any signed file to be told, and a change of
// each field of a clause by its words.
func TestDiffMissesNothing(t *testing.T) {
	before, err := Load(files(t))
	if err != nil {
		t.Fatal(err)
	}
	for p := range files(t) {
		m := files(t)
		m[p] = &fstest.MapFile{Data: append(bytes.Clone(m[p].Data), '\n')}
		after, _ := Check(m)
		if after == nil {
			continue
		}
		if d := Diff(before, after); len(d) == 0 || d[len(d)-1].What != "file" || d[len(d)-1].ID != p {
			t.Errorf("%s: %+v", p, d)
		}
	}
	for _, x := range []struct{ file, old, new, want string }{
		{"clauses/part8.yaml", `else: DIVERT`, "else: REFUSE", "else changes from DIVERT to REFUSE"},
		{"clauses/part8.yaml", `by: nobody`, "by: A", "by changes from nobody to A"},
		{"agreement.yaml", `number: 3\n    name: \{en: Chedgi`, "number: 4\n    name: {en: Chedgi", "site chedgi-kouhak: number changes from 3 to 4"},
		{"agreement.yaml", `side: A\n(    sides: .*\n)?    status: law`, "side: B\n    status: law", "instrument part8: side changes from A to B"},
		{"parameters/law.yaml", `value: 100, source: "Part VIII`, `value: 90, source: "Part VIII`, "P8(i)-b: the limit day.allowance is 90.00 USD in the place of 100.00 USD from 2023-05-18"},
		{"parameters/law.yaml", `value: 100, source: "Part VIII, clause \(i\)"`, `value: 100, source: "elsewhere"`, "has the source “elsewhere”"},
	} {
		m := files(t)
		change(t, m, x.file, x.old, x.new)
		after, _ := Check(m)
		if after == nil {
			t.Errorf("%s: no edition", x.new)
			continue
		}
		d := Diff(before, after)
		if !slices.ContainsFunc(d, func(c Change) bool { return strings.Contains(c.Text, x.want) }) {
			t.Errorf("nothing says %q in %+v", x.want, d)
		}
	}
}
