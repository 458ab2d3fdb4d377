// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

// Package rules turns (edition, point, facts, time) into a verdict. It is pure: the
// same edition, facts and time give the same bytes on the server, at the command
// line and in a browser.
package rules

import (
	"cmp"
	"encoding/json"
	"slices"
	"time"

	"darwaza.dev/internal/reason"
)

// Point is where in the life of a crossing a question is asked.
type Point string

// The points at which clauses can be asked.
const (
	Booking Point = "booking"
	Gate    Point = "gate"
	Goods   Point = "goods"
	Receipt Point = "receipt"
	Exit    Point = "exit" // goods leave the market's area
	Custody Point = "custody"
	Data    Point = "data"
	Duty    Point = "duty"
	Permit  Point = "permit" // somebody applies for a licence, permit or authorization
	Signing Point = "signing"
)

// Amount is one figure of a verdict: duty payable, allowance left, tax base.
type Amount struct {
	// Name is what the figure is: "duty", "duty.category", "allowance.left", "tax.base" …
	Name string `json:"name"`
	// Of narrows the name, such as a category; empty for the whole.
	Of string `json:"of,omitempty"`
	// Minor is in minor units of Currency. Where Known is false the amount is owed but
	// not known from the texts at hand, and Minor is 0.
	Minor    int64  `json:"minor"`
	Currency string `json:"currency"`
	// Unit is what is counted where that is no money: Minor is in its smallest parts then
	// (kg in thousandths), and Currency is empty.
	Unit  string `json:"unit,omitempty"`
	Known bool   `json:"known"`
	// Clause is the clause that makes the amount, Steps its working, line by line.
	Clause string    `json:"clause"`
	Steps  []Working `json:"steps,omitempty"`
	// Agreement is whose clause it is, where several answered.
	Agreement string `json:"agreement,omitempty"`
	// Over are clauses of other agreements, as "agreement/clause", whose figures this one
	// sets aside.
	Over []string `json:"over,omitempty"`
}

// same reports whether two figures are the same.
func (a Amount) same(b Amount) bool {
	return a.Minor == b.Minor && a.Known == b.Known && a.Currency == b.Currency && a.Unit == b.Unit
}

// limit reports whether a figure is what is left of a limit, of which the least counts.
func (a Amount) limit() bool {
	return a.Name == amountLeft || a.Name == amountFits || a.Name == amountOpen
}

// Figure writes an amount in what it is counted in: "50.00 USD", "12.500 kg".
func (a Amount) Figure() string { return unitText(a.Minor, cmp.Or(a.Unit, a.Currency)) }

// counting sets what an amount is counted in.
func (a Amount) counting(unit string) Amount {
	if _, money := known(unit); money {
		a.Currency, a.Unit = unit, ""
	} else {
		a.Currency, a.Unit = "", unit
	}
	return a
}

// amountLot is the figure of the value of the lot at hand, where an edition works it out.
const amountLot = "lot.value"

// The figures of limits: what is left of an allowance, how much of the lot at hand fits
// into it, and what is still open in a ledger.
const (
	amountLeft = "allowance.left"
	amountFits = "fits"
	amountOpen = "ledger.open"
)

// Counted returns the value of the lot at hand as the law worked it out, in minor units
// of the edition's currency, and false where it is taken as it is given, or not known.
// Whoever keeps what was bought keeps this value: the limits of the day count it.
func (v Verdict) Counted() (minor int64, ok bool) {
	a, ok := v.Amount(amountLot, "")
	return a.Minor, ok && a.Known
}

// Input is an attribute that a clause read, with the value it had. Sensitive
// attributes (health answers, temperature) show the name and no value.
type Input struct {
	Name  string `json:"name"`
	Value string `json:"value,omitempty"`
}

// Question is an interpretation that the verdict rests on or that stays open.
type Question struct {
	ID      string `json:"id"`
	Settled bool   `json:"settled"`
	// Agreement is whose question it is, where several answered.
	Agreement string `json:"agreement,omitempty"`
}

// Step is one line of the explanation: what a clause did.
type Step struct {
	Clause string `json:"clause"`
	// Did is "applied", "passed" (asked, and nothing to say), "overridden", "dormant" (not in force, with why) or "open" (input missing).
	Did  string `json:"did"`
	Note string `json:"note,omitempty"`
}

// Verdict is an answer with all its grounds. Its JSON, by Bytes, is canonical.
type Verdict struct {
	Point   Point          `json:"point"`
	Outcome reason.Outcome `json:"outcome"`
	// Reasons are strictest first. Those of outcome ALLOW are conditions to be met.
	Reasons []reason.Reason `json:"reasons,omitempty"`
	Amounts []Amount        `json:"amounts,omitempty"`
	Inputs  []Input         `json:"inputs,omitempty"`
	// Missing are attributes that were not given and could change the answer.
	Missing   []string   `json:"missing,omitempty"`
	Questions []Question `json:"questions,omitempty"`
	Steps     []Step     `json:"steps,omitempty"`
	// Agreement and Edition name what decided; empty where no edition was in force, and
	// where several agreements did.
	Agreement string    `json:"agreement,omitempty"`
	Edition   string    `json:"edition,omitempty"` // hash, hex
	At        time.Time `json:"at"`
	// Parts are the answers of the agreements where several had something to say, each
	// whole, by the ids of the agreements. Steps stand in them alone.
	Parts []Verdict `json:"parts,omitempty"`
}

// sort puts the lists of a verdict into the order that its bytes have; reasons have
// an order of their own, and inputs come in theirs from an edition.
func (v *Verdict) sort() {
	slices.SortFunc(v.Amounts, func(a, b Amount) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Of, b.Of), cmp.Compare(a.Agreement, b.Agreement), cmp.Compare(a.Clause, b.Clause))
	})
	slices.Sort(v.Missing)
	slices.SortFunc(v.Questions, func(a, b Question) int {
		return cmp.Or(cmp.Compare(a.Agreement, b.Agreement), cmp.Compare(a.ID, b.ID))
	})
	slices.SortFunc(v.Inputs, func(a, b Input) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Value, b.Value)) })
}

// Bytes returns the canonical encoding: JSON with the fields in the order of the
// type, times in UTC to the second, no floating point anywhere.
func (v Verdict) Bytes() []byte {
	v = v.written()
	b, err := json.Marshal(v)
	if err != nil {
		panic("rules: a verdict always encodes: " + err.Error())
	}
	return b
}

// written is the verdict with its times as they are written.
func (v Verdict) written() Verdict {
	v.At = v.At.UTC().Truncate(time.Second)
	if y := v.At.Year(); y < 0 || y > 9999 {
		v.At = time.Time{} // a time that no calendar of ours writes
	}
	v.Parts = slices.Clone(v.Parts)
	for i := range v.Parts {
		v.Parts[i] = v.Parts[i].written()
	}
	return v
}

// Amount returns the figure of that name and narrowing. Of what several agreements leave of
// a limit it is the least. Where they give a figure differently, it is not known.
func (v Verdict) Amount(name, of string) (Amount, bool) {
	var out Amount
	found := false
	for i := range v.Amounts {
		switch a := &v.Amounts[i]; {
		case a.Name != name || a.Of != of:
		case !found:
			out, found = *a, true
		case a.Agreement == out.Agreement:
		case a.limit():
			if a.Known && (!out.Known || a.Minor < out.Minor) {
				out = *a
			}
		case !a.same(out):
			out.Minor, out.Known, out.Steps = 0, false, nil
		}
	}
	return out, found
}

// Facts are the attributes known at a point, by declared name. Values are string,
// int64, bool, time.Time, calendar.Date, []string or *certlogic.Certificate. An attribute that is not known is absent, never zero.
type Facts map[string]any

// Lot is an earlier purchase of the same person on the same day, as the caps count it.
type Lot struct {
	Category string
	Value    int64 // minor units of the agreement's currency
	// Regime is "concession" where the lot went at the concessional rate, "statutory" where it was diverted.
	Regime string
	Site   string
}

// Text writes a lot in words, by the currency of its agreement: "30.00 USD, category I,
// at mand-pishin". What is not there is left out, and of the regimes only the one that is
// no concession is told.
func (x Lot) Text(currency string) string {
	s := unitText(x.Value, currency)
	if x.Category != "" {
		s += ", category " + x.Category
	}
	if x.Regime == regimeStatutory {
		s += ", sent to another regime"
	}
	if x.Site != "" {
		s += ", at " + x.Site
	}
	return s
}

// Event is something that happened before, or is planned: a trip, a dose, an import.
type Event struct {
	At    time.Time
	Site  string // id, empty where there is none
	Facts Facts
}

// Query is one question.
type Query struct {
	Point Point
	// At is the instant whose law is asked for (valid time).
	At time.Time
	// Known is the instant whose knowledge is asked for: what was published later is not
	// seen. Zero sees all.
	Known time.Time
	Site  string // id of the site in the agreement, empty where there is none
	Side  string // "A" or "B": whose control asks
	Facts Facts
	// Events are what happened before, by kind. A kind that is not there is not known; one
	// that is there and empty has not happened.
	Events map[string][]Event
	// Lots are earlier purchases today, at any site of the agreement.
	Lots []Lot
	// Agreement is the id of the one agreement that is asked, empty for all that know the site.
	Agreement string
}
