// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package proof

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"darwaza.dev/internal/identity"
	"pgregory.net/rapid"
)

func TestParseDate(t *testing.T) {
	for text, want := range map[string]struct {
		precision   Precision
		first, last string // in UTC, of a zone one hour east
		again       string // where it is not the text
	}{
		"2021":                          {Year, "2020-12-31T23:00:00Z", "2021-12-31T22:59:59Z", ""},
		"2024-02":                       {Month, "2024-01-31T23:00:00Z", "2024-02-29T22:59:59Z", ""},
		"2021-05-29":                    {Day, "2021-05-28T23:00:00Z", "2021-05-29T22:59:59Z", ""},
		"2021-05-29T10:12:05Z":          {Second, "2021-05-29T10:12:05Z", "2021-05-29T10:12:05Z", ""},
		"2021-05-29t10:12:05z":          {Second, "2021-05-29T10:12:05Z", "2021-05-29T10:12:05Z", "2021-05-29T10:12:05Z"},
		"2021-05-29 10:12":              {Second, "2021-05-29T09:12:00Z", "2021-05-29T09:12:00Z", "2021-05-29T10:12:00"},
		"2021-05-29T10:12:05":           {Second, "2021-05-29T09:12:05Z", "2021-05-29T09:12:05Z", ""},
		"2021-05-29T10:12:05.999+02:00": {Second, "2021-05-29T08:12:05Z", "2021-05-29T08:12:05Z", "2021-05-29T10:12:05+02:00"},
		"2021-05-29T00:12:05+0330":      {Second, "2021-05-28T20:42:05Z", "2021-05-28T20:42:05Z", "2021-05-29T00:12:05+03:30"},
		"2021-12-31T23:12:05,5-02":      {Second, "2022-01-01T01:12:05Z", "2022-01-01T01:12:05Z", "2021-12-31T23:12:05-02:00"},
	} {
		d, err := ParseDate(text)
		if err != nil || d.Precision != want.precision {
			t.Errorf("%s: %v, %v", text, d.Precision, err)
			continue
		}
		loc := time.FixedZone("", 3600)
		first, ok1 := d.First(loc)
		last, ok2 := d.Last(loc)
		if !ok1 || !ok2 || first.Format(time.RFC3339) != want.first || last.Format(time.RFC3339) != want.last {
			t.Errorf("%s: from %v to %v, want %s to %s", text, first, last, want.first, want.last)
		}
		again := want.again
		if again == "" {
			again = text
		}
		if d.String() != again {
			t.Errorf("%s: written as %s, want %s", text, d, again)
		}
	}
	for _, bad := range []string{"", "21", "0000", "2021-", "2021-13", "2021-00", "2021-02-29", "2021-5-2", "2021/05/02", "2021-05-29T", "2021-05-29T10", "2021-05-29T24:00", "2021-05-29T10:60",
		"2021-05-29T10:12:60Z", "2021-05-29T10:12:05.Z", "2021-05-29T10:12:05+2", "2021-05-29T10:12:05+02:0", "2021-05-29T10:12:05+24:00", "2021-05-29T10:12:05Zx", "2021-05-29Z", "٢٠٢١",
		" 2021", "2021 ", "2021-05-29T10:12:05+02:00:00", "2021-05-29T10:12:05." + strings.Repeat("9", 40)} {
		if d, err := ParseDate(bad); !errors.Is(err, ErrDate) || !d.IsZero() {
			t.Errorf("%q: got %v, %v", bad, d, err)
		}
	}
	var none Date
	if _, ok := none.First(time.UTC); ok || none.String() != "" || !none.IsZero() {
		t.Error("no date is a date")
	}
	if _, ok := none.Last(time.UTC); ok {
		t.Error("no date has a last second")
	}
	if _, ok := must(ParseDate("2021-05")).Date(); ok {
		t.Error("a month is a day")
	}
	if d, ok := must(ParseDate("2021-05-29T23:30:00-05:00")).Date(); !ok || d.String() != "2021-05-29" {
		t.Errorf("the civil date is not the one written: %v", d)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// TestDateNeverRounded: what a date may mean begins no later than it ends, and a less
// exact date covers every more exact one that it could be.
func TestDateNeverRounded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sec := rapid.Int64Range(-2_000_000_000, 8_000_000_000).Draw(t, "at")
		loc := time.FixedZone("", rapid.IntRange(-14*60, 14*60).Draw(t, "zone")*60)
		at := time.Unix(sec, 0).In(loc)
		exact := must(ParseDate(at.Format("2006-01-02T15:04:05")))
		for _, form := range []string{"2006", "2006-01", "2006-01-02"} {
			d := must(ParseDate(at.Format(form)))
			first, _ := d.First(loc)
			last, _ := d.Last(loc)
			on, _ := exact.First(loc)
			if on.Before(first) || on.After(last) || !on.Equal(at) {
				t.Fatalf("%s of %v: %v to %v", form, at, first, last)
			}
			if again := last.Add(time.Second).In(loc).Format(form); again == at.Format(form) {
				t.Fatalf("%s of %v ends at %v", form, at, last)
			}
		}
		if d := At(at); d.String() != at.UTC().Format("2006-01-02T15:04:05Z") {
			t.Fatalf("%v: %s", at, d)
		}
	})
}

func FuzzParseDate(f *testing.F) {
	f.Add("2021-05-29T10:12:05.25+02:00")
	f.Add("2021-05")
	f.Fuzz(func(t *testing.T, s string) {
		d, err := ParseDate(s)
		if err != nil {
			return
		}
		if again := must(ParseDate(d.String())); again != d {
			t.Fatalf("%q is %v and then %v", s, d, again)
		}
	})
}

func TestDiseaseOf(t *testing.T) {
	for code, want := range map[string]Disease{
		"snomed 840539006": COVID19, "icd10 U07.1": COVID19, "icd11 RA01": COVID19, "icd11 RA01.0": COVID19, "icd11 RA01.0/CA40.1": COVID19,
		"icd11 1C81&XN9S3": Polio, "icd10 A80": Polio, "icd10 A80.3": Polio, "icd11 1F03.Z": Measles, "icd11 1D47": YellowFever, "icd10 A98.4": Ebola,
		"icd10 A98.3": UnknownCode, "icd10 A01.1": UnknownCode, "icd10 A805": UnknownCode, "icd11 RA011": UnknownCode, "icd11 RA0": UnknownCode, "icd11 ": UnknownCode,
		"icd11 &": UnknownCode, "snomed 840539006x": UnknownCode, "snomed U07.1": UnknownCode, "cvx 207": UnknownCode, "text measles": UnknownCode,
	} {
		system, c, _ := strings.Cut(code, " ")
		if got, ok := DiseaseOf(System(system), c); got != want || ok != (want != UnknownCode) {
			t.Errorf("%s: got %q, %v", code, got, ok)
		}
	}
	seen := map[string]Disease{}
	for _, row := range diseases {
		for system, list := range map[System]string{SNOMED: row.snomed, ICD10: row.icd10s, ICD11: row.icd11} {
			for _, c := range strings.Fields(list) {
				key := string(system) + " " + strings.TrimSuffix(c, "*")
				if other, twice := seen[key]; twice {
					t.Errorf("%s is %s and %s", key, other, row.disease)
				}
				seen[key] = row.disease
				if got, _ := DiseaseOf(system, strings.TrimSuffix(c, "*")); got != row.disease {
					t.Errorf("%s is %q, not %s", key, got, row.disease)
				}
			}
		}
	}
	if len(Diseases()) != len(diseases) {
		t.Errorf("%d diseases", len(Diseases()))
	}
}

// TestFaults: each code has the form of a reason, and none stands on both lists.
func TestFaults(t *testing.T) {
	seen := map[Fault]bool{}
	for _, f := range append(Faults(), Notes()...) {
		if !f.Valid() || seen[f] || !strings.HasPrefix(string(f), "proof.") {
			t.Errorf("%q is malformed or stands twice", f)
		}
		seen[f] = true
	}
}

// TestGenuine: a result is genuine by having been checked and by nothing else.
func TestGenuine(t *testing.T) {
	if (&Result{}).Genuine() || (&Result{Claims: &Claims{}}).Genuine() || (&Result{Checked: true}).Genuine() {
		t.Error("what nobody checked is genuine")
	}
	r := Result{Checked: true, Claims: &Claims{}}
	r.Note(ListStale)
	r.Note(ListStale)
	Unconfirmed.Judge(&r)
	if !r.Genuine() || !slices.Equal(r.Notes, []Fault{ListStale, RevocationMaybe}) {
		t.Errorf("notes: %v, genuine %v", r.Notes, r.Genuine())
	}
	IsRevoked.Judge(&r)
	IsRevoked.Judge(&r)
	if r.Genuine() || !slices.Equal(r.Faults, []Fault{Revoked}) {
		t.Errorf("revoked, and genuine: %v", r.Faults)
	}
}

func TestUsage(t *testing.T) {
	for _, k := range Kinds() {
		if !Usage(0).Allows(k) {
			t.Errorf("a key of no usage may not sign a %s", k)
		}
		for u, own := range map[Usage]Kind{UsageTest: Test, UsageVaccination: Vaccination, UsageRecovery: Recovery} {
			if want := k == own || k == Prophylaxis && own == Vaccination; u.Allows(k) != want {
				t.Errorf("%d on %s: %v", u, k, !want)
			}
		}
	}
}

func TestValidity(t *testing.T) {
	from, to := time.Unix(1000, 0), time.Unix(2000, 0)
	k := Key{NotBefore: from, NotAfter: to}
	for at, want := range map[int64]Fault{999: KeyEarly, 1000: "", 2000: "", 2001: KeyExpired} {
		if got := k.Validity(time.Unix(at, 0)); got != want {
			t.Errorf("at %d: %q", at, got)
		}
	}
	if got := (&Key{NotBefore: from, NotAfter: to, Withdrawn: true}).Validity(from); got != KeyRevoked {
		t.Errorf("withdrawn: %q", got)
	}
	if got := (&Key{}).Validity(from); got != "" {
		t.Errorf("unbounded: %q", got)
	}
}

// TestRedacted: nothing of a person is printed or marshalled without being asked for.
func TestRedacted(t *testing.T) {
	c := Claims{Holder: Holder{Family: "CANARY", Given: "CANARY", Document: "CANARY", Birth: identity.PartialDate{Year: 1990}},
		ID: "CANARY", Events: []Event{{Kind: Test, ID: "CANARY", Lot: "CANARY", Result: "CANARY"}}}
	r := Result{Claims: &c}
	for _, v := range []any{c, &c, c.Holder, &c.Holder, c.Events, c.Events[0], r.Claims} {
		for _, form := range []string{"%v", "%+v", "%#v", "%s"} {
			if s := fmt.Sprintf(form, v); strings.Contains(s, "CANARY") || strings.Contains(s, "1990") {
				t.Errorf("%s of %T: %s", form, v, s)
			}
		}
		if b := must(json.Marshal(v)); strings.Contains(string(b), "CANARY") {
			t.Errorf("%T: %s", v, b)
		}
	}
	if got := (Holder{Family: "Åberg", FamilyICAO: "AABERG", GivenICAO: "EVA"}).Name(); got != "Åberg, EVA" {
		t.Errorf("got %q", got)
	}
	if got := (Holder{Family: "Åberg", Given: "Eva", FamilyICAO: "AABERG"}).NameICAO(); got != "AABERG, Eva" {
		t.Errorf("got %q", got)
	}
	if a, b := (Holder{Family: "X"}).Name(), (Holder{GivenICAO: "Y"}).Name(); a != "X" || b != "Y" {
		t.Errorf("got %q and %q", a, b)
	}
}

// TestAlpha2: the letters are those that Country reads as the code.
func TestAlpha2(t *testing.T) {
	for code, want := range map[string]string{"FRA": "FR", "GRC": "GR", "RKS": "XK", "EUE": "EU", "XT": "XT", "XCL": "", "UTO": "", "": ""} {
		got, ok := Alpha2(code)
		if back, _ := Country(got); got != want || ok != (want != "") || ok && back != code {
			t.Errorf("%q: got %q, %v, which is %q", code, got, ok, back)
		}
	}
}

func TestCountry(t *testing.T) {
	for s, want := range map[string]string{"DE": "DEU", "deu": "DEU", "D": "DEU", " AT ": "AUT", "EL": "GRC", "GR": "GRC", "UK": "GBR", "GB": "GBR", "XK": "RKS", "XCL": "XCL", "XXA": "XXA", "XT": "XT", "EU": "EUE",
		"ZZ": "ZZ", "UTO": "UTO", "QMA": "QMA", "": "", "CH BAG": "", "CNAM": "", "DX": "", "WW": "", "QLA": "", "X": "", "X1": "", "XÄ": "", "https://example.test": ""} {
		if got, ok := Country(s); got != want || ok != (want != "") {
			t.Errorf("%q: got %q, %v", s, got, ok)
		}
	}
}
