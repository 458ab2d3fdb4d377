// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package paper

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"darwaza.dev/internal/identity"
	"darwaza.dev/internal/lang"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/proof"
)

// The clocks are five hours ahead, and it is an hour past midnight by them.
var (
	zone = time.FixedZone("", 5*3600)
	at   = time.Date(2026, 11, 24, 20, 0, 0, 0, time.UTC)
)

func booklet() Form {
	return Form{Kind: Booklet, Family: "Doe", Given: "Jo", Birth: identity.PartialDate{Year: 1980, Month: 2}, Sex: "F", Number: "N1", ID: "B7", Entries: []Entry{{
		Kind: proof.Vaccination, Disease: proof.Polio, On: "2026-10-01", Product: "IPV", Manufacturer: "Maker", Batch: "AB-12/3", Dose: 1, Of: 2,
		From: "2026-10-01", Until: "2027-10-01", Centre: "Post 1", Country: "pk", Signed: true, Stamped: true}}}
}

func slip() Form {
	return Form{Kind: Slip, Family: "Doe", Entries: []Entry{{Kind: proof.Test, Disease: proof.Cholera, On: "2026-11-24T10:00+05:00", TestKind: proof.Antigen, Result: proof.Negative,
		ReportedOn: "2026-11-24", Centre: "Lab 7", Signed: true, Stamped: true}}}
}

func TestBooklet(t *testing.T) {
	a, err := booklet().Attest("  khan ", at, zone)
	if err != nil {
		t.Fatal(err)
	}
	r := a.Result
	if a.Officer != "khan" || !a.At.Equal(at) || !r.Genuine() || r.Claims.Assurance != proof.Attested || r.Claims.Format != proof.Paper || r.Key != nil {
		t.Errorf("officer %q, faults %v", a.Officer, r.Faults)
	}
	c := r.Claims
	e := c.Events[0]
	if c.Holder.Name() != "Doe, Jo" || c.Holder.Birth.Year != 1980 || c.Holder.Document != "N1" || c.ID != "B7" || e.Kind != proof.Vaccination || e.Disease != proof.Polio ||
		e.On.String() != "2026-10-01" || e.Product.Text != "IPV" || e.Manufacturer.Text != "Maker" || e.Lot != "AB-12/3" || e.Dose != 1 || e.Of != 2 || e.From.String() != "2026-10-01" ||
		e.Until.String() != "2027-10-01" || e.Place != "Post 1" || e.Country != "PAK" {
		t.Error("claims are others")
	}
	// As exact as the paper, and no more.
	f := booklet()
	f.Entries[0].On, f.Entries[0].From, f.Entries[0].Until = "2026-10", "", ""
	if a, err := f.Attest("khan", at, zone); err != nil || a.Result.Claims.Events[0].On.Precision != proof.Month || !a.Result.Claims.Events[0].From.IsZero() {
		t.Errorf("a month: %v", err)
	}
	// Without signature or stamp, or altered: shown, and no proof.
	for name, change := range map[string]func(*Entry){
		"not signed":  func(e *Entry) { e.Signed = false },
		"not stamped": func(e *Entry) { e.Stamped = false },
		"altered":     func(e *Entry) { e.Altered = true },
	} {
		f := booklet()
		change(&f.Entries[0])
		a, err := f.Attest("khan", at, zone)
		if err != nil || a.Result.Genuine() || !slices.Equal(a.Result.Faults, []proof.Fault{proof.Content}) || a.Result.Claims.Assurance == proof.Attested {
			t.Errorf("%s: %v, faults %v", name, err, a.Result.Faults)
		}
	}
}

func TestYellowFever(t *testing.T) {
	for _, c := range []struct{ on, from, until, wantFrom string }{
		{"2026-10-01", "", "2036-10-10", "2026-10-11"},
		{"2026-02-25", "", "", "2026-03-07"},
		{"2026-10", "", "", ""},
		{"2026-10-01", "2026-10-12", "", "2026-10-12"},
	} {
		f := booklet()
		e := &f.Entries[0]
		e.Disease, e.On, e.From, e.Until = proof.YellowFever, c.on, c.from, c.until
		a, err := f.Attest("khan", at, zone)
		if err != nil {
			t.Errorf("%s: %v", c.on, err)
			continue
		}
		if got := a.Result.Claims.Events[0]; got.From.String() != c.wantFrom || !got.Until.IsZero() {
			t.Errorf("%s: from %v until %v, want from %s for life", c.on, got.From, got.Until, c.wantFrom)
		}
	}
}

func TestSlip(t *testing.T) {
	a, err := slip().Attest("khan", at, zone)
	if err != nil {
		t.Fatal(err)
	}
	if e := a.Result.Claims.Events[0]; !a.Result.Genuine() || e.Kind != proof.Test || e.TestKind != proof.Antigen || e.Result != proof.Negative || e.Place != "Lab 7" ||
		e.On.String() != "2026-11-24T10:00:00+05:00" || e.ReportedOn.String() != "2026-11-24" {
		t.Error("claims are others")
	}
}

func TestProblems(t *testing.T) {
	b := func(change func(*Form, *Entry)) Form { f := booklet(); change(&f, &f.Entries[0]); return f }
	s := func(change func(*Form, *Entry)) Form { f := slip(); change(&f, &f.Entries[0]); return f }
	for want, f := range map[string]Form{
		"kind paper.kind":                 b(func(f *Form, _ *Entry) { f.Kind = "photo" }),
		"family paper.name":               b(func(f *Form, _ *Entry) { f.Family, f.Given = " ", "" }),
		"family paper.text":               b(func(f *Form, _ *Entry) { f.Family = strings.Repeat("x", 101) }),
		"given paper.text":                b(func(f *Form, _ *Entry) { f.Given = "J\x00o" }),
		"number paper.text":               b(func(f *Form, _ *Entry) { f.Number = strings.Repeat("1", 61) }),
		"id paper.text":                   b(func(f *Form, _ *Entry) { f.ID = "\ufffd" }),
		"birth paper.date":                b(func(f *Form, _ *Entry) { f.Birth = identity.PartialDate{Year: 1980, Month: 13} }),
		"birth paper.future":              b(func(f *Form, _ *Entry) { f.Birth = identity.PartialDate{Year: 2027} }),
		"sex paper.sex":                   b(func(f *Form, _ *Entry) { f.Sex = "f" }),
		"entries paper.entry":             b(func(f *Form, _ *Entry) { f.Entries = nil }),
		"entries paper.entries":           b(func(f *Form, e *Entry) { f.Entries = slices.Repeat([]Entry{*e}, MaxEntries+1) }),
		"entry.1.kind paper.kind":         b(func(_ *Form, e *Entry) { e.Kind = proof.Test }),
		"entry.1.disease paper.disease":   b(func(_ *Form, e *Entry) { e.Disease = "cough" }),
		"entry.1.on paper.date":           b(func(_ *Form, e *Entry) { e.On = "2026-02-30" }),
		"entry.1.on paper.future":         b(func(_ *Form, e *Entry) { e.On, e.From = "2026-11-26", "" }),
		"entry.1.on paper.birth":          b(func(_ *Form, e *Entry) { e.On, e.From = "1980-01-31", "" }),
		"entry.1.centre paper.centre":     b(func(_ *Form, e *Entry) { e.Centre = "  " }),
		"entry.1.centre paper.text":       b(func(_ *Form, e *Entry) { e.Centre = "a\nb" }),
		"entry.1.country paper.country":   b(func(_ *Form, e *Entry) { e.Country = "Atlantis" }),
		"entry.1.product paper.product":   b(func(_ *Form, e *Entry) { e.Product = "" }),
		"entry.1.product paper.text":      b(func(_ *Form, e *Entry) { e.Product = strings.Repeat("x", 121) }),
		"entry.1.manufacturer paper.text": b(func(_ *Form, e *Entry) { e.Manufacturer = "\t\x01" }),
		"entry.1.batch paper.batch":       b(func(_ *Form, e *Entry) { e.Batch = "" }),
		"entry.1.batch paper.text":        b(func(_ *Form, e *Entry) { e.Batch = "<b>" }),
		"entry.1.dose paper.dose":         b(func(_ *Form, e *Entry) { e.Dose = 0 }),
		"entry.1.from paper.date":         b(func(_ *Form, e *Entry) { e.From = "soon" }),
		"entry.1.from paper.order":        b(func(_ *Form, e *Entry) { e.From = "2026-09-30" }),
		"entry.1.until paper.date":        b(func(_ *Form, e *Entry) { e.Until = "2027-10-01T10:00Z" }),
		"entry.1.until paper.order":       b(func(_ *Form, e *Entry) { e.From, e.Until = "2027-01-01", "2026-12-31" }),
		"entry.2.batch paper.batch":       b(func(f *Form, e *Entry) { f.Entries = append(f.Entries, *e); f.Entries[1].Batch = "" }),
		"entry.1.kind paper.kind ":        s(func(_ *Form, e *Entry) { e.Kind = proof.Vaccination }),
		"entry.1.test paper.test":         s(func(_ *Form, e *Entry) { e.TestKind = "smell" }),
		"entry.1.result paper.result":     s(func(_ *Form, e *Entry) { e.Result = "" }),
		"entry.1.on paper.day":            s(func(_ *Form, e *Entry) { e.On = "2026-11" }),
		"entry.1.on paper.date ":          s(func(_ *Form, e *Entry) { e.On = "" }),
		"entry.1.on paper.future ":        s(func(_ *Form, e *Entry) { e.On = "2026-11-25T01:00:01+05:00" }),
		"entry.1.reported paper.date":     s(func(_ *Form, e *Entry) { e.ReportedOn = "today" }),
		"entry.1.reported paper.future":   s(func(_ *Form, e *Entry) { e.ReportedOn = "2026-11-26" }),
		"entry.1.reported paper.order":    s(func(_ *Form, e *Entry) { e.ReportedOn = "2026-11-23" }),
		"entries paper.entries ":          s(func(f *Form, e *Entry) { f.Entries = []Entry{*e, *e} }),
	} {
		a, err := f.Attest("khan", at, zone)
		var p *problem.Error
		if !errors.As(err, &p) || p.Kind != problem.Invalid || p.Field+" "+p.Code != strings.TrimSpace(want) {
			t.Errorf("got %v, want %s", err, want)
		}
		if a.Result.Claims != nil {
			t.Errorf("%s: claims with a problem", want)
		}
	}
	if _, err := booklet().Attest(" ", at, zone); err == nil || !strings.Contains(err.Error(), "paper.officer") {
		t.Errorf("nobody's word: %v", err)
	}
	// Today by the clocks of the site is not to come, though UTC is still at yesterday.
	f := booklet()
	f.Entries[0].On, f.Entries[0].From = "2026-11-25", ""
	if _, err := f.Attest("khan", at, zone); err != nil {
		t.Errorf("today: %v", err)
	}
	if _, err := f.Attest("khan", at, time.UTC); err == nil {
		t.Error("tomorrow in UTC is taken")
	}
}

func TestNothingShown(t *testing.T) {
	a, err := booklet().Attest("khan", at, zone)
	if err != nil {
		t.Fatal(err)
	}
	if s := fmt.Sprintf("%v %+v %#v", a, a, a); strings.Contains(s, "Doe") || strings.Contains(s, "AB-12") {
		t.Error("a paper is shown in clear")
	}
}

// TestCodesHaveTexts finds the codes that this package gives in its source, and each of
// them among the texts.
func TestCodesHaveTexts(t *testing.T) {
	texts, err := lang.Load()
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile("paper.go")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, m := range regexp.MustCompile(`problem\.Field\("[a-z]+", "paper\.([a-z]+)"\)|bad\("[a-z]+", "([a-z]+)"\)`).FindAllSubmatch(b, -1) {
		code := string(m[1]) + string(m[2])
		seen[code] = true
		if !texts.Has("problem.paper." + code) {
			t.Errorf("no text for paper.%s", code)
		}
	}
	if len(seen) != 20 {
		t.Errorf("%d codes found, want 20", len(seen))
	}
}

func FuzzAttest(f *testing.F) {
	f.Add("Doe", "2026-10-01", "AB-1", "2027", "IPV", 1, true)
	f.Add("د", "2026-11-24T10:00Z", "", "", "x", 0, false)
	f.Fuzz(func(t *testing.T, name, on, batch, until, product string, dose int, slips bool) {
		form := booklet()
		if slips {
			form = slip()
		}
		form.Family = name
		e := &form.Entries[0]
		e.On, e.Batch, e.Until, e.Product, e.Dose, e.From = on, batch, until, product, dose, ""
		a, err := form.Attest("khan", at, zone)
		if err != nil {
			return
		}
		if !a.Result.Genuine() || len(a.Result.Claims.Events) != 1 || later(a.Result.Claims.Events[0].On, at, zone) {
			t.Fatal("accepted a paper that cannot be")
		}
	})
}
