// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

// Package paper turns what an officer reads off a paper into claims: the International
// Certificate of Vaccination or Prophylaxis ("yellow card", International Health
// Regulations (2005), annex 6 and, for yellow fever, annex 7) and the slip of a laboratory.
//
// No key stands behind a paper. What stands behind the claims is a named officer who saw
// it, so they are attested and never signed, and the agreement says what that is worth.
//
// What was keyed wrongly is a problem, by field, for the officer to mend; what is wrong
// with the paper itself is a fault of the result, for everybody to see.
package paper

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"darwaza.dev/internal/identity"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/proof"
)

// Kind is the kind of paper.
type Kind string

// The kinds of papers.
const (
	Booklet Kind = "booklet" // International Certificate of Vaccination or Prophylaxis
	Slip    Kind = "slip"    // a laboratory's slip with the result of a test
)

// Bounds of what is keyed, in letters.
const (
	maxName   = 100
	maxPlace  = 120
	maxBatch  = 40
	maxNumber = 60
	// MaxEntries is how many lines of a booklet are keyed at once; a booklet has some
	// twenty.
	MaxEntries = 24
)

// An Entry is one line of a booklet or the one result of a slip, as keyed. Dates are in
// the forms of proof.ParseDate, as exact as the paper: "2021-05" where it gives a month.
type Entry struct {
	Kind    proof.Kind // Vaccination or Prophylaxis of a booklet, Test of a slip
	Disease proof.Disease
	On      string // the day of the dose, or when the sample was taken

	// Of a booklet.
	Product      string // vaccine or prophylaxis, as written
	Manufacturer string // may be empty: many papers write it with the batch
	Batch        string
	Dose, Of     int    // 0 where the paper does not say
	Until        string // the end of validity as written, empty for life or where there is none
	From         string // its beginning, empty where the paper gives none

	// Of a slip.
	TestKind   proof.TestKind
	Result     proof.TestResult
	ReportedOn string // may be empty

	Centre  string // who gave the dose or made the test
	Country string // where, empty where the paper does not say
	// Signed and Stamped say that the officer saw the signature of the clinician and the
	// stamp of the centre; Altered that there is an erasure or an amendment. IHR annex 6:
	// without the first two, and with the last, the paper may be invalid.
	Signed, Stamped, Altered bool
}

// A Form is what an officer keyed of one paper.
type Form struct {
	Kind    Kind
	Family  string
	Given   string
	Birth   identity.PartialDate
	Sex     string // "M", "F", "X" or empty
	Number  string // of the document of travel that the paper names, may be empty
	ID      string // the paper's own number, may be empty
	Entries []Entry
}

// An Attestation is a paper with the word of the officer who saw it.
type Attestation struct {
	Officer string // login
	At      time.Time
	Result  proof.Result
}

// String returns "[redacted]": it holds somebody's health.
func (Attestation) String() string { return "[redacted]" }

// GoString is String, for the verb that would print the fields.
func (Attestation) GoString() string { return "[redacted]" }

// Attest checks what an officer keyed, at a time and by the clocks of a zone, and returns
// the claims with the officer's word on them. A problem names the field ("entry.2.batch")
// and never what was keyed.
//
// The result has the fault proof.Content where a line lacks its signature or stamp or was
// altered: such a paper is shown and is no proof. Otherwise it is genuine, its claims
// being attested.
func (f Form) Attest(officer string, at time.Time, zone *time.Location) (Attestation, error) {
	a := Attestation{Officer: strings.TrimSpace(officer), At: at.UTC()}
	if a.Officer == "" {
		return Attestation{}, problem.Field("officer", "paper.officer")
	}
	if f.Kind != Booklet && f.Kind != Slip {
		return Attestation{}, problem.Field("kind", "paper.kind")
	}
	c := &proof.Claims{Format: proof.Paper, Assurance: proof.Attested}
	if err := f.holder(c, at, zone); err != nil {
		return Attestation{}, err
	}
	var ok bool
	if c.ID, ok = text(f.ID, maxNumber); !ok {
		return Attestation{}, problem.Field("id", "paper.text")
	}
	switch {
	case len(f.Entries) == 0:
		return Attestation{}, problem.Field("entries", "paper.entry")
	case len(f.Entries) > MaxEntries, f.Kind == Slip && len(f.Entries) > 1:
		return Attestation{}, problem.Field("entries", "paper.entries")
	}
	a.Result = proof.Result{Format: proof.Paper, Checked: true, Claims: c}
	for i := range f.Entries {
		e, err := f.event(&f.Entries[i], i+1, at, zone, c)
		if err != nil {
			return Attestation{}, err
		}
		c.Events = append(c.Events, e)
		if x := &f.Entries[i]; !x.Signed || !x.Stamped || x.Altered {
			a.Result.Fault(proof.Content)
		}
	}
	if len(a.Result.Faults) > 0 {
		c.Assurance = proof.Claimed
	}
	return a, nil
}

func (f *Form) holder(c *proof.Claims, at time.Time, zone *time.Location) error {
	h := &c.Holder
	var ok1, ok2, ok3 bool
	h.Family, ok1 = text(f.Family, maxName)
	h.Given, ok2 = text(f.Given, maxName)
	switch {
	case !ok1:
		return problem.Field("family", "paper.text")
	case !ok2:
		return problem.Field("given", "paper.text")
	case h.Family == "" && h.Given == "":
		return problem.Field("family", "paper.name")
	}
	if h.Document, ok3 = text(f.Number, maxNumber); !ok3 {
		return problem.Field("number", "paper.text")
	}
	b := f.Birth
	d := proof.Date{Precision: proof.None}
	switch {
	case b == identity.PartialDate{}:
	case b.Month == 0 && b.Day == 0:
		d, ok1 = parse(fmt.Sprintf("%04d", b.Year))
	case b.Day == 0:
		d, ok1 = parse(fmt.Sprintf("%04d-%02d", b.Year, b.Month))
	default:
		d, ok1 = parse(fmt.Sprintf("%04d-%02d-%02d", b.Year, b.Month, b.Day))
	}
	if !ok1 {
		return problem.Field("birth", "paper.date")
	}
	if later(d, at, zone) {
		return problem.Field("birth", "paper.future")
	}
	h.Birth = b
	switch f.Sex {
	case "", "M", "F", "X":
		h.Sex = f.Sex
	default:
		return problem.Field("sex", "paper.sex")
	}
	return nil
}

// event checks one entry. n is its number on the page, from 1.
func (f *Form) event(x *Entry, n int, at time.Time, zone *time.Location, c *proof.Claims) (proof.Event, error) {
	bad := func(field, code string) (proof.Event, error) {
		return proof.Event{}, problem.Field(fmt.Sprintf("entry.%d.%s", n, field), "paper."+code)
	}
	e := proof.Event{Kind: x.Kind, Disease: x.Disease, ID: c.ID}
	if f.Kind == Slip && x.Kind != proof.Test || f.Kind == Booklet && x.Kind != proof.Vaccination && x.Kind != proof.Prophylaxis {
		return bad("kind", "kind")
	}
	known := false
	for _, d := range proof.Diseases() {
		known = known || d == x.Disease
	}
	if !known {
		return bad("disease", "disease")
	}
	var ok bool
	if e.On, ok = parse(x.On); !ok || e.On.IsZero() || f.Kind == Booklet && e.On.Precision > proof.Day {
		return bad("on", "date")
	}
	if later(e.On, at, zone) {
		return bad("on", "future")
	}
	if before(e.On, c.Holder.Birth) {
		return bad("on", "birth")
	}
	if e.Place, ok = text(x.Centre, maxPlace); !ok {
		return bad("centre", "text")
	}
	if e.Place == "" {
		return bad("centre", "centre")
	}
	e.Issuer = e.Place
	if x.Country != "" {
		if e.Country, ok = identity.ParseCountry(x.Country); !ok {
			return bad("country", "country")
		}
	}
	if f.Kind == Slip {
		return f.result(x, e, at, zone, bad)
	}
	return f.dose(x, e, zone, bad)
}

// dose checks a line of a booklet.
func (f *Form) dose(x *Entry, e proof.Event, zone *time.Location, bad func(field, code string) (proof.Event, error)) (proof.Event, error) {
	product, ok := text(x.Product, maxPlace)
	if !ok {
		return bad("product", "text")
	}
	if product == "" {
		return bad("product", "product")
	}
	e.Product = proof.Code{System: proof.Text, Text: product}
	manufacturer, ok := text(x.Manufacturer, maxPlace)
	if !ok {
		return bad("manufacturer", "text")
	}
	if manufacturer != "" {
		e.Manufacturer = proof.Code{System: proof.Text, Text: manufacturer}
	}
	if e.Lot, ok = text(x.Batch, maxBatch); !ok || strings.ContainsFunc(e.Lot, notInBatch) {
		return bad("batch", "text")
	}
	if e.Lot == "" && x.Kind == proof.Vaccination {
		return bad("batch", "batch")
	}
	if x.Dose < 0 || x.Dose > 99 || x.Of < 0 || x.Of > 99 || x.Dose == 0 && x.Of > 0 {
		return bad("dose", "dose")
	}
	e.Dose, e.Of = x.Dose, x.Of
	if e.From, ok = parse(x.From); !ok || e.From.Precision > proof.Day {
		return bad("from", "date")
	}
	if e.Until, ok = parse(x.Until); !ok || e.Until.Precision > proof.Day {
		return bad("until", "date")
	}
	if surelyBefore(e.From, e.On, zone) {
		return bad("from", "order")
	}
	if surelyBefore(e.Until, e.On, zone) || surelyBefore(e.Until, e.From, zone) {
		return bad("until", "order")
	}
	// A certificate against yellow fever is valid from the tenth day after the dose and
	// for life, whatever end is written in it (IHR annex 7, as amended in 2014). Where the
	// day of the dose is not known, neither is the tenth after it.
	if e.Disease == proof.YellowFever && e.Kind == proof.Vaccination {
		e.Until = proof.Date{}
		if day, ok := e.On.Date(); ok && e.From.IsZero() {
			e.From = proof.On(day.AddDays(10))
		}
	}
	return e, nil
}

// result checks a laboratory's slip.
func (f *Form) result(x *Entry, e proof.Event, at time.Time, zone *time.Location, bad func(field, code string) (proof.Event, error)) (proof.Event, error) {
	switch x.TestKind {
	case proof.NAAT, proof.Antigen, proof.Antibody, proof.OtherTest:
		e.TestKind = x.TestKind
	default:
		return bad("test", "test")
	}
	switch x.Result {
	case proof.Positive, proof.Negative, proof.Inconclusive, proof.OtherResult:
		e.Result = x.Result
	default:
		return bad("result", "result")
	}
	// A window for a test is of hours or days: a month says nothing.
	if e.On.Precision < proof.Day {
		return bad("on", "day")
	}
	var ok bool
	if e.ReportedOn, ok = parse(x.ReportedOn); !ok {
		return bad("reported", "date")
	}
	if later(e.ReportedOn, at, zone) {
		return bad("reported", "future")
	}
	if surelyBefore(e.ReportedOn, e.On, zone) {
		return bad("reported", "order")
	}
	return e, nil
}

// text returns s without the space around it, false where it is too long or holds what
// nobody writes on paper.
func text(s string, most int) (string, bool) {
	s = strings.TrimSpace(s)
	if len([]rune(s)) > most {
		return "", false
	}
	for _, r := range s {
		if unicode.IsControl(r) || r == unicode.ReplacementChar {
			return "", false
		}
	}
	return s, true
}

// notInBatch reports letters that no number of a batch has.
func notInBatch(r rune) bool {
	return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune(" -./_#()+", r)
}

// parse reads a date that may be absent.
func parse(s string) (proof.Date, bool) {
	if s = strings.TrimSpace(s); s == "" {
		return proof.Date{}, true
	}
	d, err := proof.ParseDate(s)
	return d, err == nil
}

// later reports whether a date is after an instant, however it is meant.
func later(d proof.Date, at time.Time, zone *time.Location) bool {
	first, ok := d.First(zone)
	return ok && first.After(at)
}

// surelyBefore reports whether one date is before another, however both are meant.
func surelyBefore(a, b proof.Date, zone *time.Location) bool {
	last, ok1 := a.Last(zone)
	first, ok2 := b.First(zone)
	return ok1 && ok2 && last.Before(first)
}

// before reports whether a date is before a birth, as far as both are known.
func before(d proof.Date, birth identity.PartialDate) bool {
	switch {
	case birth.Year == 0 || d.Year != birth.Year:
		return d.Year < birth.Year
	case birth.Month == 0 || d.Month == 0 || int(d.Month) != birth.Month:
		return d.Month != 0 && int(d.Month) < birth.Month
	}
	return d.Day != 0 && d.Day < birth.Day
}
