// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package identity

import (
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"darwaza.dev/internal/problem"
)

func TestParseDocument(t *testing.T) {
	tests := []struct{ kind, country, number, want string }{
		{"cnic", "PAK", "35202-1234567-1", "cnic:PAK:3520212345671"},
		{"cnic", "", "3520212345671", "cnic:PAK:3520212345671"},
		{"cnic", "pk", "۳۵۲۰۲-۱۲۳۴۵۶۷-۱", "cnic:PAK:3520212345671"},
		{"cnic", "PK", " 35202 1234567 1\u200f", "cnic:PAK:3520212345671"},
		{"cnic", "PAK", "٣٥٢٠٢١٢٣٤٥٦٧١", "cnic:PAK:3520212345671"},
		{"national-id", "IR", "0079028748", "national-id:IRN:0079028748"},
		{"national-id", "IRN", "۰۰۷-۹۰۲۸۷۴-۸", "national-id:IRN:0079028748"},
		{"national-id", "UTO", "d 2314-5890", "national-id:UTO:D23145890"},
		{"passport", "uto", "l898902c3", "passport:UTO:L898902C3"},
		{"passport", "D", "C01X00T47", "passport:DEU:C01X00T47"},
		{"passport", "IRN", "N۱۲۳۴۵۶۷۸", "passport:IRN:N12345678"},
		{"tazkira", "AF", "1400-0100-12345", "tazkira:AFG:1400010012345"},
		{"border-pass", "PK", "گوادر/12", "border-pass:PAK:گوادر12"},
		{"border-pass", "PK", "گوادر ۱۲", "border-pass:PAK:گوادر12"},
		{"other", "UNO", "a-1", "other:UNO:A1"},
	}
	for _, x := range tests {
		d, err := ParseDocument(x.kind, x.country, x.number)
		if err != nil || d.Key() != x.want {
			t.Errorf("ParseDocument(%q, %q, %q) = %q, %v, want %q", x.kind, x.country, x.number, d.Key(), err, x.want)
		}
	}
}

func TestParseDocumentRefuses(t *testing.T) {
	tests := []struct{ kind, country, number, field, code string }{
		{"card", "PAK", "1", "document", "document.kind"},
		{"", "PAK", "1", "document", "document.kind"},
		{"cnic", "IRN", "3520212345671", "country", "document.country"},
		{"passport", "", "A1", "country", "document.country"},
		{"passport", "XYZ", "A1", "country", "document.country"},
		{"passport", "AN ", "A1", "country", "document.country"},
		{"passport", "PAK", " - ", "number", "document.missing"},
		{"passport", "PAK", strings.Repeat("9", 25), "number", "document.length"},
		{"passport", "PAK", "ش12345", "number", "document.letters"},
		{"passport", "PAK", "АB123", "number", "document.letters"}, // a Cyrillic letter
		{"passport", "PAK", "A1;DROP", "number", "document.letters"},
		{"other", "PAK", "12$", "number", "document.letters"},
		{"cnic", "PAK", "35202-1234567", "number", "document.cnic.length"},
		{"cnic", "PAK", "35202-1234567-12", "number", "document.cnic.length"},
		{"cnic", "PAK", "85202-1234567-1", "number", "document.cnic.region"},
		{"cnic", "PAK", "05202-1234567-1", "number", "document.cnic.region"},
		{"cnic", "PAK", "3520X-1234567-1", "number", "document.digits"},
		{"national-id", "IRN", "007902874", "number", "document.national.length"},
		{"national-id", "IRN", "0079028749", "number", "document.national.check"},
		{"national-id", "IRN", "1111111111", "number", "document.national.check"},
		{"national-id", "IRN", "0000000000", "number", "document.national.check"},
		{"national-id", "IRN", "007902874A", "number", "document.digits"},
	}
	for _, x := range tests {
		d, err := ParseDocument(x.kind, x.country, x.number)
		if d != (Document{}) || problem.KindOf(err) != problem.Invalid || problem.CodeOf(err) != x.code || problem.FieldOf(err) != x.field {
			t.Errorf("ParseDocument(%q, %q, %q) = %v, want %s of %s", x.kind, x.country, x.number, err, x.code, x.field)
		}
	}
}

// TestNationalNumber makes numbers by the sum as it is published and finds each good,
// and none of its neighbours.
func TestNationalNumber(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		nine := fmt.Sprintf("%09d", rapid.IntRange(1, 999_999_998).Draw(t, "nine"))
		good := ""
		for d := range 10 {
			n := fmt.Sprint(nine, d)
			sum := d
			for i := range 9 {
				sum += int(n[i]-'0') * (10 - i)
			}
			// The other form of the rule: the whole is 0 modulo 11, or the rest was
			// below 2 and stands itself.
			rest := (sum - d) % 11
			if rest < 2 && d == rest || rest >= 2 && sum%11 == 0 {
				good = n
			}
		}
		if strings.Count(good, good[:1]) == 10 {
			t.Skip("nobody's number")
		}
		for d := range 10 {
			n := fmt.Sprint(nine, d)
			if _, err := ParseNationalNumber(n); (err == nil) != (n == good) {
				t.Fatalf("%s: %v, the good one is %s", n, err, good)
			}
		}
	})
}

// TestDocumentNeverEchoed: no problem and no print of a document holds what was keyed.
func TestDocumentNeverEchoed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.StringMatching("[1-9][A-Z0-9]{5,30}").Draw(t, "number")
		kind := string(rapid.SampledFrom(Kinds[:]).Draw(t, "kind"))
		d, err := ParseDocument(kind, rapid.SampledFrom([]string{"PAK", "IRN", "AFG"}).Draw(t, "country"), number)
		if err != nil && strings.Contains(err.Error(), number[:5]) {
			t.Fatalf("%v holds the number", err)
		}
		if s := fmt.Sprintf("%v %+v %#v %s", d, d, d, d); strings.Contains(s, number[:5]) {
			t.Fatalf("%s holds the number", s)
		}
	})
}

// TestDocumentKey: the key does not depend on how the number was keyed.
func TestDocumentKey(t *testing.T) {
	spellings := strings.NewReplacer("0", "۰", "1", "١", "2", "۲", "3", "٣", "4", "۴")
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.StringMatching("[1-7][0-9]{12}").Draw(t, "number")
		want, err := ParseDocument("cnic", "PAK", n)
		if err != nil {
			t.Fatal(err)
		}
		s := spellings.Replace(FormatCNIC(n))
		i := rapid.IntRange(0, len([]rune(s))).Draw(t, "at")
		r := []rune(s)
		s = string(r[:i]) + rapid.SampledFrom([]string{" ", "-", "–", "\u200e", "\u00a0", ""}).Draw(t, "mark") + string(r[i:])
		got, err := ParseDocument("cnic", "pk", s)
		if err != nil || got.Key() != want.Key() {
			t.Fatalf("%q: %v, %v", s, got.Key(), err)
		}
	})
}

func TestCNIC(t *testing.T) {
	if got := FormatCNIC("3520212345671"); got != "35202-1234567-1" {
		t.Errorf("FormatCNIC = %q", got)
	}
	if got := FormatCNIC("12"); got != "12" {
		t.Errorf("FormatCNIC = %q", got)
	}
	if CNICSex("3520212345671") != "M" || CNICSex("3520212345672") != "F" || CNICSex("12") != "" {
		t.Error("CNICSex is wrong")
	}
}

func TestParseCountry(t *testing.T) {
	for s, want := range map[string]string{"PK": "PAK", "pak": "PAK", "IR": "IRN", "AF<": "AFG", "D<<": "DEU", "DE": "DEU", "UTO": "UTO", "XXA": "XXA"} {
		if got, ok := ParseCountry(s); !ok || got != want {
			t.Errorf("ParseCountry(%q) = %q, %v", s, got, ok)
		}
	}
	for _, s := range []string{"", "P", "PKX", "WAB", "A F", "12", "ZZ", "PAKI", "AFAFG"} {
		if got, ok := ParseCountry(s); ok {
			t.Errorf("ParseCountry(%q) = %q", s, got)
		}
	}
	for s, want := range map[string]string{"PAK": "PK", "AFG": "AF", "ABW": "AW", "ZWE": "ZW", "UTO": "", "WAB": "", "pak": "", "PK": "", "": ""} {
		if got, ok := Alpha2(s); got != want || ok != (want != "") {
			t.Errorf("Alpha2(%q) = %q, %v", s, got, ok)
		}
	}
}

// TestCountries holds the codes against the list of ISO 3166-1 beside the repository.
func TestCountries(t *testing.T) {
	f, err := os.Open(filepath.Join("..", "..", "..", "shared", "data", "codes", "country-codes.csv"))
	if err != nil {
		t.Skip("the list of country codes is not at hand: ", err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	two, three := -1, -1
	for i, name := range rows[0] {
		switch name {
		case "ISO3166-1-Alpha-2":
			two = i
		case "ISO3166-1-Alpha-3":
			three = i
		}
	}
	n := 0
	for _, row := range rows[1:] {
		if row[three] == "" {
			continue
		}
		n++
		if got, ok := ParseCountry(row[two]); !ok || got != row[three] {
			t.Errorf("%s is %q, want %s", row[two], got, row[three])
		}
		if got, ok := ParseCountry(row[three]); !ok || got != row[three] {
			t.Errorf("%s is %q", row[three], got)
		}
	}
	if n != len(countries)/6 {
		t.Errorf("%d countries in the list, %d here", n, len(countries)/6)
	}
}

func FuzzParseDocument(f *testing.F) {
	f.Add("cnic", "PK", "35202-1234567-1")
	f.Add("national-id", "IRN", "۰۰۷۹۰۲۸۷۴۸")
	f.Add("other", "uto", "\xff\u200c")
	f.Fuzz(func(t *testing.T, kind, country, number string) {
		d, err := ParseDocument(kind, country, number)
		if err != nil {
			return
		}
		again, err := ParseDocument(string(d.Kind), d.Country, d.Number)
		if err != nil || again != d {
			t.Errorf("%q, then %q, %v", d.Key(), again.Key(), err)
		}
	})
}
