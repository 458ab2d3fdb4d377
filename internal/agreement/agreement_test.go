// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package agreement

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"darwaza.dev/agreements"
	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/cose"
	"darwaza.dev/internal/goods"
	"darwaza.dev/internal/pass"
)

// files returns the package of the border markets as a map that a test may change.
func files(t testing.TB) fstest.MapFS {
	t.Helper()
	dir, err := fs.Sub(agreements.FS, "pk-ir-border-markets")
	if err != nil {
		t.Fatal(err)
	}
	out := fstest.MapFS{}
	err = fs.WalkDir(dir, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := fs.ReadFile(dir, p)
		out[p] = &fstest.MapFile{Data: b}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// change replaces the first match of a pattern in a file.
func change(t testing.TB, m fstest.MapFS, file, pattern, by string) {
	t.Helper()
	re := regexp.MustCompile(pattern)
	s := string(m[file].Data)
	loc := re.FindStringIndex(s)
	if loc == nil {
		t.Fatalf("%s has no %q", file, pattern)
	}
	m[file] = &fstest.MapFile{Data: []byte(s[:loc[0]] + re.ReplaceAllString(s[loc[0]:loc[1]], by) + s[loc[1]:])}
}

func TestPackageIsSound(t *testing.T) {
	e, faults := Check(files(t))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	if u := e.Untested(); len(u) > 0 {
		t.Error(u)
	}
	if got, want := len(e.Lists["part8"].Lines()), 122; got != want {
		t.Errorf("%d lines, want %d", got, want)
	}
	count := map[string]int{}
	for _, l := range e.Lists["part8"].Lines() {
		count[l.Category]++
	}
	if count["I"] != 51 || count["II"] != 36 || count["III"] != 35 {
		t.Errorf("lines by category: %v", count)
	}
	for _, id := range []string{
		"occupancy.cap", "dwell.limit", "grace.early", "grace.late", "party.max", "booking.ahead", "standby.offer", "heard.age",
	} {
		p := e.Parameters[id]
		if p == nil {
			t.Errorf("no parameter %s", id)
			continue
		}
		if v, ok := p.At("mand-pishin", A, calendar.MustDate("2025-09-02")); !ok || !v.Known {
			t.Errorf("%s has no value", id)
		}
	}
}

// TestListIsTheLaw holds the list against the statute's codes, categories and rates,
// copied once more by another hand.
func TestListIsTheLaw(t *testing.T) {
	want, err := os.ReadFile("testdata/part8.txt")
	if err != nil {
		t.Fatal(err)
	}
	e, _ := Check(files(t))
	var got strings.Builder
	for _, l := range e.Lists["part8"].Lines() {
		fmt.Fprintf(&got, "%s %s %d\n", goods.FormatCode(l.Code), l.Category, l.Rate/100)
	}
	if got.String() != string(want) {
		t.Error("part8 is not the statute's table")
	}
}

// TestFaults breaks the package in one way at a time and wants the fault named at its
// place.
func TestFaults(t *testing.T) {
	const law, part8 = "parameters/law.yaml", "clauses/part8.yaml"
	for _, x := range []struct {
		name, file, pattern, by string
		at, clause, says        string // file of the fault, its owner, part of what it says
	}{
		{"unknown field", part8, `regime: statutory`, "regimen: statutory", part8, "", `unknown field "regimen"`},
		{"doubled key", part8, `regime: statutory`, "regime: statutory\n    regime: other", part8, "", "already defined"},
		{"alias", "agreement.yaml", `zone: Asia/Karachi`, "zone: &z Asia/Karachi", "agreement.yaml", "", "anchor"},
		{"tag", "agreement.yaml", `edition: 1`, "edition: !!int 1", "agreement.yaml", "", "tag"},
		{"bad edition", "agreement.yaml", `edition: 1`, "edition: 0", "agreement.yaml", "", "edition is not a number"},
		{"unknown zone", "agreement.yaml", `zone: Asia/Tehran`, "zone: Asia/Teheran", "agreement.yaml", "party B", `"Asia/Teheran" is not known`},
		{"ends first", "agreement.yaml", `until: 2026-07-01`, "until: 2023-05-18", "agreement.yaml", "", "ends before it begins"},
		{"no such day", "agreement.yaml", `until: 2026-07-01`, "until: 2026-02-30", "agreement.yaml", "", "not a date"},
		{"unknown rounding", "agreement.yaml", `rounding: half-up`, "rounding: sometimes", "agreement.yaml", "", "rounding"},
		{"no source", law, `source: "Part VIII, clause \(i\)"`, `source: ""`, law, "market.days", "without a source"},
		{"sign of a number", law, `value: 100`, `value: -100`, law, "day.allowance", "not a plain number"},
		{"too many decimals", law, `value: 100`, `value: 100.001`, law, "day.allowance", "not a plain number"},
		{"unknown unit", law, `unit: USD`, `unit: dollars`, law, "day.allowance", `unit "dollars"`},
		{"wrong currency", law, `unit: USD`, `unit: PKR`, part8, "P8(i)-b", "PKR, and USD is needed"},
		{"gap in dates", law, `from: 2023-05-18, value: 100`, `from: 2023-06-01, value: 100`, law, "day.allowance", "no value on 2023-05-18"},
		{"gap at a site", "parameters/example.yaml", `(?m)^.*gabd-reemdan, side: B, value: 300.*\n`, "", "parameters/example.yaml", "occupancy.cap", "no value on 2023-05-18 at gabd-reemdan for side B"},
		{"unknown site", "parameters/example.yaml", `site: gabd-reemdan, value`, "site: gabd, value", "parameters/example.yaml", "slot.capacity.visitor", `site "gabd"`},
		{"two values", law, `(- \{from: 2023-05-18, value: 100.*\})`, "$1\n      $1", law, "day.allowance", "two values"},
		{"unknown kind", part8, `kind: cap`, "kind: limit", part8, "P8(i)-b", `kind "limit"`},
		{"unknown point", part8, `at: \[goods\]`, "at: [shop]", part8, "P8(i)-b", `point "shop"`},
		{"unknown parameter", part8, `limit: day.allowance`, "limit: day.allowances", part8, "P8(i)-b", `parameter "day.allowances"`},
		{"unknown list", part8, `list: part8`, "list: part9", part8, "P8(iii)", `list "part9"`},
		{"unknown question", part8, `questions: \[b, d\]`, "questions: [b, z]", part8, "P8(i)-b", `question "z"`},
		{"settled question", part8, `question:g`, "question:a", part8, "P8(i)-b", "is settled"},
		{"unknown outcome", part8, `else: DIVERT`, "else: MAYBE", part8, "P8(iv)", `outcome "MAYBE"`},
		{"no words", part8, `(?s)    say:\n      en: More than.*?(    next:)`, "$1", part8, "P8(iv)", "has no words"},
		{"no regime", part8, `    regime: statutory\n`, "", part8, "P8(iv)", "regime"},
		{"unknown attribute", part8, `fields: \[receipt.named`, "fields: [receipt.name", part8, "P8(vi)", `attribute "receipt.name"`},
		{"unknown override", "clauses/example.yaml", `overrides: \[SITE\]`, "overrides: [SITES]", "clauses/example.yaml", "X-OPEN", `overrides "SITES"`},
		{"clause twice", part8, `id: P8\(v\)`, "id: P8(iv)", part8, "P8(iv)", "stands twice"},
		{"look-alike id", part8, `id: P8\(v\)`, "id: Р8(v)", part8, "Р8(v)", "Latin letters"},
		{"two caps", part8, `per: day\n    limit: day.allowance`, "per: category\n    limit: day.allowance", part8, "P8(iv)", "same kind of thing as P8(i)-b"},
		{"code twice", "lists/part8.csv", `0703.1000,I,5`, "0702.0000,I,5", "lists/part8.csv", "part8", "stands twice"},
		{"code too short", "lists/part8.csv", `0703.1000,I,5`, "0703.100,I,5", "lists/part8-names.csv", "part8", "is not on the list"},
		{"digits of another script", "lists/part8.csv", `0703.1000,I,5`, "۰۷۰۳.1000,I,5", "lists/part8.csv", "part8", "not of two to eight digits"},
		{"rate of another category", "lists/part8.csv", `0703.1000,I,5`, "0703.1000,I,10", "lists/part8.yaml", "part8", "0703.1000"},
		{"line left out", "lists/part8.csv", `0703.1000,I,5\n`, "", "lists/part8.yaml", "part8", "121 lines where the text has 122"},
		{"name left out", "lists/part8-names.csv", `(?m)^0703.1000.*\n`, "", "lists/part8.yaml", "part8", "no name for 0703.1000"},
		{"broken CSV", "lists/part8.csv", `0703.1000,I,5`, "0703.1000,I,5,6", "lists/part8.csv", "part8", "CSV"},
		{"shares above the whole", "schedule/mand-pishin.yaml", `A: 50, B: 50`, "A: 51, B: 50", "schedule/mand-pishin.yaml", "mand-pishin", "101 %"},
		{"slots overlap", "schedule/mand-pishin.yaml", `class: vendor\n    minutes: 60\n    from: "07:00"\n    to: "08:00"`, "class: visitor\n    minutes: 60\n    from: \"07:00\"\n    to: \"09:00\"", "schedule/mand-pishin.yaml", "mand-pishin", "overlap"},
		{"hours overlap", "schedule/mand-pishin.yaml", `open: \["08:00-16:00"\]`, `open: ["08:00-16:00", "15:00-17:00"]`, "schedule/mand-pishin.yaml", "mand-pishin", "overlap"},
		{"third day", "schedule/mand-pishin.yaml", `days: \[tuesday, saturday\]`, "days: [tuesday, saturday, monday]", "schedule/mand-pishin.yaml", "P8(i)-a", "3 days of the week"},
		{"unknown class", "schedule/mand-pishin.yaml", `class: vendor`, "class: driver", "schedule/mand-pishin.yaml", "mand-pishin", `class "driver"`},
		{"fact of another type", "tests/gate.yaml", `occupancy.inside: 10`, "occupancy.inside: many", "tests/gate.yaml", "market-day", "want a whole number in digits"},
		{"undeclared fact", "tests/gate.yaml", `occupancy.inside: 10`, "occupancy.outside: 10", "tests/gate.yaml", "market-day", "not declared"},
		{"religion", "agreement.yaml", `- id: person.age`, "- id: person.religion", "agreement.yaml", "person.religion", "by which nobody may be judged"},
		{"religion in Urdu", "agreement.yaml", `ur: عمر`, "ur: مذہب", "agreement.yaml", "person.age", "by which nobody may be judged"},
		{"religion in Urdu, by its clause", "agreement.yaml", `ur: عمر`, "ur: مذہب", "clauses/example.yaml", "X-VISITOR", "reads person.age"},
		{"ethnicity in Persian", "agreement.yaml", `fa: سن,`, "fa: قومیت,", "agreement.yaml", "person.age", "by which nobody may be judged"},
		{"opinion, misspelt", "agreement.yaml", `- id: person.age`, "- id: person.politicalview", "agreement.yaml", "person.politicalview", "by which nobody may be judged"},
		{"second document", part8, `questions:\n`, "---\nquestions:\n", part8, "", "second document"},
		{"number of another site", "agreement.yaml", `number: 3`, "number: 1", "agreement.yaml", "chedgi-kouhak", "number of the site is not free"},
		{"number of another gate", "agreement.yaml", `number: 2\n        side: B`, "number: 1\n        side: B", "agreement.yaml", "mand-pishin", "number of the gate is not free"},
		{"number of another class", "agreement.yaml", `- id: vendor\n    number: 2`, "- id: vendor\n    number: 1", "agreement.yaml", "vendor", "number of the class is not free"},
		{"overrides itself", "clauses/example.yaml", `overrides: \[SITE\]`, "overrides: [X-OPEN]", "clauses/example.yaml", "X-OPEN", "overrides itself"},
		{"refused for want of a fact", "clauses/example.yaml", `missing: \w+`, "missing: REFUSE", "clauses/example.yaml", "", "missing is REFUSE"},
		{"question about no clause", part8, `clauses: \[P8\(iv\)\]`, "clauses: [P8(xx)]", part8, "question a", `names clause "P8(xx)"`},
		{"name of the engine", "agreement.yaml", `- id: person.age`, "- id: param.age", "agreement.yaml", "param.age", "kept for the engine"},
		{"one word of the engine", "agreement.yaml", `- id: person.age`, "- id: now", "agreement.yaml", "now", "kept for the engine"},
		{"tax on a number of another unit", "agreement.yaml", `(id: gd.value\n    type: int\n    unit: )\w+`, "${1}IRR", "clauses/sales-tax.yaml", "", "gd.value is not an amount in"},
		{"race in a condition", part8, `require: good.value > 0`, "require: good.code != 'race'", part8, "P8(ii)", `reads "race"`},
	} {
		m := files(t)
		change(t, m, x.file, x.pattern, x.by)
		_, faults := Check(m)
		found := slices.ContainsFunc(faults.Errors(), func(f Fault) bool {
			return f.File == x.at && (x.clause == "" || f.Clause == x.clause) && strings.Contains(f.What, x.says) && f.Mend != ""
		})
		if !found {
			t.Errorf("%s: no fault at %s %s that says %q; got %v", x.name, x.at, x.clause, x.says, faults)
		}
		if _, err := Load(m); err == nil {
			t.Errorf("%s: loads all the same", x.name)
		}
	}
}

func TestFaultsHaveLines(t *testing.T) {
	m := files(t)
	change(t, m, "clauses/part8.yaml", `limit: day.allowance`, "limit: nothing")
	_, faults := Check(m)
	want := 1 + strings.Count(string(m["clauses/part8.yaml"].Data[:strings.Index(string(m["clauses/part8.yaml"].Data), "id: P8(i)-b")]), "\n")
	if len(faults) != 1 || faults[0].Line != want {
		t.Errorf("got %v, want line %d", faults, want)
	}
}

func TestMissingTextIsAWarning(t *testing.T) {
	m := files(t)
	change(t, m, "agreement.yaml", `, ur: عمر`, "")
	e, faults := Check(m)
	if e == nil || len(faults) != 1 || !faults[0].Warning || !strings.Contains(faults[0].What, "missing in ur") {
		t.Errorf("got %v", faults)
	}
	if _, err := Load(m); err != nil {
		t.Error(err)
	}
}

func TestZoneDataIsAWarning(t *testing.T) {
	m := files(t)
	change(t, m, "agreement.yaml", `zonedata: 2025c`, "zonedata: 2022a")
	e, faults := Check(m)
	if e == nil || len(faults) != 1 || !faults[0].Warning || !strings.Contains(faults[0].What, `time zone data "2022a"`) {
		t.Errorf("got %v", faults)
	}
}

// TestFolder refuses files that do not belong into a package.
func TestFolder(t *testing.T) {
	text := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	for name, x := range map[string]struct {
		file *fstest.MapFile
		says string
	}{
		"clauses/evil.sh":        {text("x"), "not a file that belongs here"},
		"Clauses/law.yaml":       {text("x"), "not an acceptable name"},
		"clauses/LAW.yaml":       {text("x"), "not an acceptable name"},
		"clauses/a/law.yaml":     {text("x"), "not a folder that this version reads"},
		"clauses/.hidden.yaml":   {text("x"), "not an acceptable name"},
		"clauses/قانون.yaml":     {text("x"), "not an acceptable name"},
		"clauses/a..yaml":        {text("x"), "not an acceptable name"},
		"clauses/a\\b.yaml":      {text("x"), "not an acceptable name"},
		"other.yaml":             {text("x"), "not a file that belongs here"},
		"wealth/levels.yaml":     {text("x"), "not a folder that this version reads"},
		"lists/link.csv":         {&fstest.MapFile{Data: []byte("part8.csv"), Mode: fs.ModeSymlink | 0o777}, "not a plain file"},
		"parameters/large.yaml":  {text(strings.Repeat("#", maxYAML+1)), "larger than 262144 bytes"},
		"lists/large.csv":        {text(strings.Repeat("#", maxFile+1)), "larger than 1048576 bytes"},
		"parameters/binary.yaml": {text("a: \x00\n"), "a control character, U+0000"},
		"parameters/latin.yaml":  {text("a: \xe9\n"), "not UTF-8 text"},
		"parameters/empty.yaml":  {text(""), "empty"},
		"parameters/deep.yaml":   {text("a: " + strings.Repeat("[", 10000)), "nested too deeply"},
		"parameters/indent.yaml": {text(strings.Repeat(" ", 200) + "a: b"), "nested too deeply"},
		"parameters/dashes.yaml": {text(strings.Repeat("- ", 10000) + "a"), "nested too deeply"},
		"keys/C.yaml":            {text("root: x\n"), "not an acceptable name"},
		"keys/c.yaml":            {text("root: x\n"), "keys of nobody"},
		"signatures/c.sig":       {text("x"), "signature of nobody"},
	} {
		m := files(t)
		m[name] = x.file
		_, faults := Check(m)
		if !strings.Contains(faults.Errors().Error(), x.says) {
			t.Errorf("%s: got %v, want %q", name, faults, x.says)
		}
	}
	m := files(t)
	for i := range maxFiles {
		m["parameters/p"+strings.Repeat("x", i%50)+string(rune('a'+i%26))+strings.Repeat("y", i/50)+".yaml"] = &fstest.MapFile{Data: []byte("parameters: []\n")}
	}
	if _, faults := Check(m); !strings.Contains(faults.Error(), "more than 512 files") {
		t.Errorf("too many files: got %v", faults)
	}
	m = files(t)
	for i := range maxTotal / maxFile {
		m[fmt.Sprintf("lists/l%d.csv", i)] = text(strings.Repeat("#", maxFile))
	}
	if _, faults := Check(m); !strings.Contains(faults.Error(), "the package is larger than") {
		t.Errorf("too large: got %v", faults)
	}
	if _, faults := Check(fstest.MapFS{}); len(faults.Errors()) == 0 {
		t.Error("an empty folder accepted")
	}
}

// signed returns the package with the keys and signatures of both sides.
func signed(t testing.TB) (fs.FS, map[Side]*ecdsa.PrivateKey) {
	t.Helper()
	keys, add := map[Side]*ecdsa.PrivateKey{}, map[string][]byte{}
	signers := map[Side]*ecdsa.PrivateKey{}
	for _, s := range []Side{A, B} {
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		point, err := k.PublicKey.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		keys[s] = k
		p, b := KeysFile(s, Keys{Root: point, Exchange: make([]byte, 32), Log: "example/" + string(s) + "+12345678+AbCd"})
		add[p] = b
		signers[s] = signer(t, s, k, "sana", add)
	}
	dir, err := Overlay(files(t), add)
	if err != nil {
		t.Fatal(err)
	}
	e, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	for s, k := range keys {
		p, b, err := Sign(e, s, k)
		if err != nil {
			t.Fatal(err)
		}
		add[p] = b
		if p, b, err = SignAs(e, s, signers[s], signingDay()); err != nil {
			t.Fatal(err)
		}
		add[p] = b
	}
	if dir, err = Overlay(files(t), add); err != nil {
		t.Fatal(err)
	}
	return dir, keys
}

func signingDay() time.Time { return time.Date(2023, 5, 1, 12, 0, 0, 0, time.UTC) }

// signer makes a key of a person, certified by the root for the month of the signing
// day, and lays the certificate into the files.
func signer(t testing.TB, side Side, root *ecdsa.PrivateKey, person string, add map[string][]byte) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	certify(t, side, root, k, person, add)
	return k
}

func certify(t testing.TB, side Side, root, k *ecdsa.PrivateKey, person string, add map[string][]byte) {
	t.Helper()
	by, err := pass.NewKey(wire(side), root)
	if err != nil {
		t.Fatal(err)
	}
	from := signingDay().AddDate(0, 0, -1)
	cert, err := pass.CertifySigner(by, &k.PublicKey, person, from, from.AddDate(0, 1, 0))
	if err != nil {
		t.Fatal(err)
	}
	add["keys/"+string(side)+"-signer-"+person+".cert"] = cert
}

func TestSignatures(t *testing.T) {
	plain, err := Load(files(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := Verify(plain); !errors.Is(err, ErrNoKey) {
		t.Errorf("got %v, want %v", err, ErrNoKey)
	}
	if len(plain.Adoptable()) != 4 {
		t.Errorf("a plain package lacks %v", plain.Adoptable())
	}
	dir, keys := signed(t)
	e, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := Verify(e); err != nil {
		t.Error(err)
	}
	if lacks := e.Adoptable(); len(lacks) > 0 {
		t.Error(lacks)
	}
	if e.Hash == plain.Hash {
		t.Error("keys are not under the signature")
	}
	if _, _, err := Sign(e, A, keys[B]); !errors.Is(err, ErrWrongKey) {
		t.Errorf("got %v, want %v", err, ErrWrongKey)
	}

	b, err := fs.ReadFile(dir, "keys/A.yaml")
	if err != nil {
		t.Fatal(err)
	}
	same, err := Overlay(dir, map[string][]byte{"keys/B.yaml": b})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Load(same); err == nil || !strings.Contains(err.Error(), "one root key") {
		t.Errorf("one key for both sides: got %v", err)
	}
	one, err := Overlay(dir, map[string][]byte{"signatures/B.sig": e.Signatures[A]})
	if err != nil {
		t.Fatal(err)
	}
	if x, err := Load(one); err != nil || !errors.Is(Verify(x), ErrSignature) {
		t.Errorf("the signature of A passes for B's: %v %v", err, Verify(x))
	}
	// Any byte of any signed file matters, and so does a file more or less.
	for _, p := range []string{"agreement.yaml", "lists/part8-names.csv", "tests/gate.yaml"} {
		b, err := fs.ReadFile(dir, p)
		if err != nil {
			t.Fatal(err)
		}
		more, err := Overlay(dir, map[string][]byte{p: append(slices.Clone(b), '\n')})
		if err != nil {
			t.Fatal(err)
		}
		if x, _ := Check(more); x == nil || !errors.Is(Verify(x), ErrSignature) {
			t.Errorf("%s can be changed after signing", p)
		}
	}
	// A file taken out, and one that only has another name.
	for name, to := range map[string]string{"tests/gate.yaml": "", "tests/dates.yaml": "tests/days.yaml"} {
		all, err := Overlay(dir, nil)
		if err != nil {
			t.Fatal(err)
		}
		m := all.(memory)
		if to != "" {
			m[to] = m[name]
		}
		delete(m, name)
		if x, err := Load(m); err != nil || !errors.Is(Verify(x), ErrSignature) || len(x.Adoptable()) != 2 {
			t.Errorf("%s can become %q after signing: %v", name, to, err)
		}
	}
	// Both swapped, one missing, and those of the next edition under this one.
	swapped, err := Overlay(dir, map[string][]byte{"signatures/A.sig": e.Signatures[B], "signatures/B.sig": e.Signatures[A]})
	if err != nil {
		t.Fatal(err)
	}
	x, err := Load(swapped)
	if err != nil || !errors.Is(VerifySide(x, A), ErrSignature) || !errors.Is(VerifySide(x, B), ErrSignature) {
		t.Errorf("swapped signatures verify: %v", err)
	}
	all, err := Overlay(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	delete(all.(memory), "signatures/B.sig")
	if x, err = Load(all); err != nil || VerifySide(x, A) != nil || !errors.Is(Verify(x), ErrOnePerson) || len(x.Adoptable()) != 1 {
		t.Errorf("one signature: got %v, %v", err, Verify(x))
	}
	delete(all.(memory), "signatures/B-1.sig")
	if x, err = Load(all); err != nil || VerifySide(x, A) != nil || !errors.Is(Verify(x), ErrUnsigned) || len(x.Adoptable()) != 1 {
		t.Errorf("no signature: got %v, %v", err, Verify(x))
	}
	all.(memory)["agreement.yaml"] = []byte(strings.Replace(string(all.(memory)["agreement.yaml"]), "edition: 1", "edition: 2", 1))
	next, err := Load(all)
	if err != nil {
		t.Fatal(err)
	}
	_, sig, err := Sign(next, B, keys[B])
	if err != nil {
		t.Fatal(err)
	}
	other, err := Overlay(dir, map[string][]byte{"signatures/B.sig": sig})
	if err != nil {
		t.Fatal(err)
	}
	if x, err = Load(other); err != nil || !errors.Is(VerifySide(x, B), ErrSignature) {
		t.Errorf("the signature under edition 2 passes for edition 1: %v", err)
	}
	// A signature over the right hash by the key of the other side.
	forged, err := cose.Sign1(keys[A], cose.Header{Alg: cose.ES256, KeyID: keyID(e.Parties[B].Keys.Root)}, e.Hash[:], purpose())
	if err != nil {
		t.Fatal(err)
	}
	e.Signatures[B] = forged
	if !errors.Is(VerifySide(e, B), ErrSignature) {
		t.Error("the key of A signs for B")
	}
	more, err := Overlay(dir, map[string][]byte{"README.md": []byte("new")})
	if err != nil {
		t.Fatal(err)
	}
	if x, err := Load(more); err != nil || !errors.Is(Verify(x), ErrSignature) {
		t.Errorf("a file can be added after signing: %v", err)
	}
	bad := slices.Clone(e.Signatures[A])
	bad[len(bad)-1] ^= 1
	if e.Signatures[A] = bad; !errors.Is(VerifySide(e, A), ErrSignature) {
		t.Error("a broken signature verifies")
	}
}

// TestBytes holds the form of what is signed: who changes it breaks every signature.
func TestBytes(t *testing.T) {
	m := fstest.MapFS{
		"signatures/A.sig": {Data: []byte("x")},
		"lists/b.csv":      {Data: []byte("abc")},
		"agreement.yaml":   {Data: []byte("id: a\n")},
		"lists.md":         {Data: nil},
	}
	f, faults := readFolder(m)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	e := Edition{Files: f.signed()}
	want := "darwaza-agreement/1\n" +
		"agreement.yaml 6 32848b63caee2b356871054d84e60643683ed636c46ba010d11f04e367325f45\n" +
		"lists.md 0 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n" +
		"lists/b.csv 3 ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\n"
	if got := string(e.Bytes()); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

// TestPlainText refuses texts that two readers could see differently.
func TestPlainText(t *testing.T) {
	for name, s := range map[string]string{
		"carriage returns":   "code,category,rate\r\n0702.0000,I,5\r\n",
		"byte order mark":    "\ufeffcode,category,rate\n0702.0000,I,5\n",
		"UTF-8":              "code,category,rate\n0702.0000,\xff,5\n",
		"turns text around":  "code,category,rate\n0702.0000,\u202eI,5\n",
		"control character":  "code,category,rate\n0702.0000,I\x00,5\n",
		"U+0085":             "code,category,rate\n0702.0000,I\u0085,5\n",
		"columns are not":    "code,rate,colour\n0702.0000,5,I\n",
		"column \"code\" i":  "category,rate\nI,5\n",
		"column \"rate\" s":  "code,rate,rate\n0702.0000,5,5\n",
		"cannot be read as":  "code,category,rate\n\"0702.0000,I,5\n",
		"a cell of more":     "code,category,rate\n0702.0000," + strings.Repeat("I", 401) + ",5\n",
		"wrong number of":    "code,category,rate\n0702.0000,I\n",
		"bare \" in non":     "code,category,rate\n0702\".0000,I,5\n",
		"more than 20000 li": "code,category,rate\n" + strings.Repeat("x,I,5\n", maxLines+1),
	} {
		m := small()
		delete(m, "keys/A.yaml")
		m["lists/l.csv"] = &fstest.MapFile{Data: []byte(s)}
		_, faults := Check(m)
		if !slices.ContainsFunc(faults.Errors(), func(f Fault) bool {
			return f.File == "lists/l.csv" && f.Line > 0 == (name != "UTF-8") && strings.Contains(f.What, name) && f.Mend != ""
		}) {
			t.Errorf("%s: got %v", name, faults)
		}
	}
	m := small()
	m["lists/A-names.md"], m["lists/a-names.md"] = &fstest.MapFile{}, &fstest.MapFile{}
	if _, faults := Check(m); !strings.Contains(faults.Error(), "by capitals alone") {
		t.Errorf("two names that differ by capitals: got %v", faults)
	}
}

// TestForbidden looks for what nobody may be judged by, and leaves harmless words alone.
func TestForbidden(t *testing.T) {
	for _, s := range []string{
		"religion", "RELIGION", "Religions", "personReligion", "personreligion", "person.religious", "religon", "race", "personRace", "RACE",
		"ethnicity", "multiethnic", "politicalOpinion", "POLITICAL", "mazhab", "tribes", "مذہب", "مذهب", "مذهبی", "نژاد", "قومیت", "نسل", "سیاسی", "دین", "بلوچی", "شیعه",
	} {
		if _, is := newGuard().in(splitCamel(s)); !is {
			t.Errorf("%s passes", s)
		}
	}
	for _, s := range []string{
		"trace", "technical", "party.size", "person.age", "section", "dinner", "clandestine", "metropolitan", "price", "carrier", "سن", "کالا", "قیمت",
	} {
		if w, is := newGuard().in(splitCamel(s)); is {
			t.Errorf("%s is refused for %q", s, w)
		}
	}
}

func TestParameterAt(t *testing.T) {
	day := calendar.MustDate
	p := Parameter{Values: []ParameterValue{
		{From: Day(day("2020-01-01")), Int: 1, Known: true},
		{From: Day(day("2021-01-01")), Int: 2, Known: true},
		{From: Day(day("2020-06-01")), Side: B, Int: 3, Known: true},
		{From: Day(day("2020-06-01")), Site: "x", Int: 4, Known: true},
		{From: Day(day("2022-01-01")), Site: "x", Side: A},
	}}
	for _, x := range []struct {
		site string
		side Side
		on   string
		want int64
		ok   bool
	}{
		{"y", A, "2019-12-31", 0, false},
		{"y", A, "2020-01-01", 1, true},
		{"y", A, "2020-12-31", 1, true},
		{"y", A, "2021-01-01", 2, true},
		{"y", B, "2021-01-01", 3, true},
		{"x", B, "2021-01-01", 4, true},
		{"x", A, "2022-01-01", 0, true},
	} {
		if v, ok := p.At(x.site, x.side, day(x.on)); v.Int != x.want || ok != x.ok {
			t.Errorf("%s %s %s: got %d %t, want %d %t", x.site, x.side, x.on, v.Int, ok, x.want, x.ok)
		}
	}
}

// TestUntested asks for scenarios on both sides of each date.
func TestUntested(t *testing.T) {
	m := files(t)
	delete(m, "tests/dates.yaml")
	e, err := Load(m)
	if err != nil {
		t.Fatal(err)
	}
	if got := len(e.Untested()); got != 6 {
		t.Errorf("%d dates untested, want 6: %v", got, e.Untested())
	}
}

// small is a package with the least that can be read, so that fuzzing is quick.
func small() fstest.MapFS {
	return fstest.MapFS{
		"agreement.yaml": {Data: []byte(`id: small
edition: 1
title: {en: Small}
zone: UTC
zonedata: 2025c
currency: USD
rounding: half-up
from: 2025-01-01
parties:
  A: {name: {en: A}, country: PAK, zone: UTC, language: en, currency: PKR}
  B: {name: {en: B}, country: IRN, zone: UTC, language: en, currency: IRR}
sites:
  - {id: s, number: 1, name: {en: S}, zone: UTC, source: x, gates: [{number: 1, side: A, name: {en: G}}]}
classes:
  - {id: visitor, number: 1, name: {en: visitor}}
instruments:
  - {id: i, title: {en: I}, status: law, source: x}
attributes:
  - {id: a.b, type: int, unit: USD, name: {en: x}}
`)},
		"parameters/p.yaml": {Data: []byte("parameters:\n  - {id: p, text: {en: P}, unit: USD, values: [{from: 2025-01-01, value: 1.50, source: x}]}\n")},
		"clauses/c.yaml": {Data: []byte(`instrument: i
questions:
  - {id: q, asks: {en: Q}, reading: {en: R}, by: nobody, words: w}
clauses:
  - {id: C(1), kind: cap, at: [goods], text: {en: T}, say: {en: S}, per: day, limit: p, else: REFUSE, diverted: "question:q"}
`)},
		"schedule/s.yaml": {Data: []byte(`site: s
source: x
hours:
  - {days: [monday], open: ["08:00-16:00"]}
exceptions:
  - {on: 2025-03-03, closed: true, source: x}
`)},
		"lists/l.yaml":     {Data: []byte("id: l\ntitle: {en: L}\nsource: x\nlines: l.csv\nnames: n.csv\ncategories: {I: {name: {en: I}}}\n")},
		"lists/l.csv":      {Data: []byte("code,category,rate\n0702.0000,I,5\n")},
		"lists/n.csv":      {Data: []byte("code,unit,icon,en,fa,ur,words\n0702.0000,kg,,Tomato,,,a|b\n")},
		"tests/t.yaml":     {Data: []byte("scenarios:\n  - {id: t, title: t, point: goods, at: 2025-01-06T10:00:00Z, site: s, asks: [{facts: {a.b: 1.50}, expect: {outcome: ALLOW}}]}\n")},
		"keys/A.yaml":      {Data: []byte("root: AA==\nexchange: AA==\nlog: a+b+c\n")},
		"signatures/A.sig": {Data: []byte("\xd2\x84")},
	}
}

// FuzzCheck feeds bytes of strangers to every reader. It must say what is wrong, and
// must not panic.
func FuzzCheck(f *testing.F) {
	m := small()
	names := slices.Sorted(maps.Keys(m))
	for i, n := range names {
		f.Add(uint8(i), m[n].Data)
		f.Add(uint8(i), []byte("a: [[[[{{{"))
		f.Add(uint8(i), []byte("? - ? -\n"))
	}
	f.Fuzz(func(t *testing.T, which uint8, b []byte) {
		x := maps.Clone(m)
		x[names[int(which)%len(names)]] = &fstest.MapFile{Data: b}
		e, faults := Check(x)
		if e == nil && len(faults.Errors()) == 0 {
			t.Error("no edition and no fault")
		}
		if e != nil {
			e.Untested()
			e.Adoptable()
		}
	})
}

func TestSmallPackage(t *testing.T) {
	m := small()
	delete(m, "keys/A.yaml")
	if _, err := Load(m); err != nil {
		t.Fatal(err)
	}
}

// TestHostileYAML wants a quick refusal, or a quick reading, of what is costly.
func TestHostileYAML(t *testing.T) {
	var keys, flow strings.Builder
	for i := range 20000 {
		fmt.Fprintf(&keys, "k%d: 1\n", i)
	}
	for range 60000 {
		flow.WriteString("[],")
	}
	for name, s := range map[string]string{
		"many keys":     keys.String(),
		"many items":    "a: [" + flow.String() + "]",
		"many quotes":   "a: " + strings.Repeat("'", 200000),
		"one long text": "a: " + strings.Repeat("x", 250000),
		"many colons":   strings.Repeat("a: ", 80000),
		"many lines":    strings.Repeat("\n", 200000),
		"question":      strings.Repeat("? ", 100000),
		"comments":      strings.Repeat("#x\n", 60000),
	} {
		m := small()
		m["parameters/p.yaml"] = &fstest.MapFile{Data: []byte(s)}
		if _, faults := Check(m); len(faults.Errors()) == 0 {
			t.Errorf("%s: accepted", name)
		}
	}
}
