// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package agreement

import (
	"time"

	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/lang"
	"darwaza.dev/internal/reason"
)

// Kind is the kind of a clause: what its fields mean and how it is judged.
type Kind string

// The kinds of clauses.
const (
	// KindRule demands that Require holds where When holds; Else is the outcome where it does not.
	KindRule Kind = "rule"
	// KindSchedule demands that the site is open to the class and direction.
	KindSchedule Kind = "schedule"
	// KindOpened demands that the site's opening date has come.
	KindOpened Kind = "opened"
	// KindCap limits a sum per person and day, or per person, day and category.
	KindCap Kind = "cap"
	// KindRate charges the percentage that a list gives for the good.
	KindRate Kind = "rate"
	// KindListed demands that the good is on a list.
	KindListed Kind = "listed"
	// KindTax names the base of a tax as the highest of some attributes, and the tax where its rate is known.
	KindTax Kind = "tax"
	// KindGuarantee demands security equal to an amount.
	KindGuarantee Kind = "guarantee"
	// KindFields demands that a paper bears certain fields.
	KindFields Kind = "fields"
	// KindDuty is a duty of an authority: BREACH where When holds and Require does not.
	KindDuty Kind = "duty"
	// KindBound limits what the package itself may say: Require reads parameters alone,
	// and must hold at each site, for each side, whenever a value changes.
	KindBound Kind = "bound"
	// KindNote says something that no query can test: a consequence, an institution.
	KindNote Kind = "note"
)

// Clause is one clause of an instrument, with its text and what it does.
type Clause struct {
	ID         string
	Anchor     string // for links: letters, digits and dashes
	Instrument string
	Kind       Kind
	At         []string // points at which it is asked; names of package rules
	Text       lang.Text
	// Say is what a reader is told when the clause decides against them; Next what to do.
	Say  lang.Text
	Next lang.Text
	// From and Until bound the clause within the edition, zero where it holds throughout.
	From, Until calendar.Date
	Sites       []string // sites at which it holds, all where empty
	Sides       []Side   // whose control asks it, both where empty
	When        string   // CEL; empty means always
	Require     string   // CEL
	Else        reason.Outcome
	// Missing is the outcome where an attribute that the clause reads is not known. None
	// leaves the matter to the clauses that name the same attribute, and to REFER where
	// there is no such clause.
	Missing   reason.Outcome
	Overrides []string
	Questions []string
	// Decides is the role that may end a REFER or HOLD of this clause.
	Decides string

	// The fields of particular kinds.
	Per      string   // cap: "day" or "category"; schedule: "day" where any hour of the day will do
	Limit    string   // cap, bound: a parameter; schedule: of the weekdays that a site opens on
	Earlier  string   // cap: a question that lots let through earlier raise once it is passed
	Diverted string   // cap: "count", "ignore", or "question:ID" where the text is silent
	Regime   string   // cap: the regime that an excess goes to, where Else is DIVERT
	List     string   // rate, listed
	Beside   []string // listed: other lists that a reader must not take for this one
	Amount   string   // rate, tax, guarantee: name of the amount made
	Of       []string // tax: attributes of which the highest is the base; guarantee: the same
	Currency string   // tax, guarantee: of the attributes in Of, the edition's where empty
	Rate     string   // tax: a parameter
	Fields   []string // fields: attributes that must be there
	By       Side     // duty: whose duty
	Line     int
	File     string
}

// Parameter is a value by date, and by side and site where it differs.
type Parameter struct {
	ID     string
	Text   lang.Text
	Unit   string // "USD" and other currencies, "percent", "count", "minutes", "days", "tenths-celsius", "years"
	Values []ParameterValue
	Line   int
	File   string
}

// ParameterValue is one dated value. Where Known is false the text leaves it empty.
type ParameterValue struct {
	From   calendar.Date
	Site   string
	Side   Side
	Known  bool
	Int    int64  // minor units of a currency, or the count
	Text   string // as written
	Source string
}

// At returns the value in force at a site, for a side, on a date. The more specific
// value wins: site over side over neither; then the newest. ok is false where nothing
// is in force, and the value is not Known where the text is silent.
func (p *Parameter) At(site string, side Side, on calendar.Date) (ParameterValue, bool) {
	best, rank := -1, -1
	for i := range p.Values {
		v := &p.Values[i]
		if v.Site != "" && v.Site != site || v.Side != "" && v.Side != side || v.From.After(on) {
			continue
		}
		r := 0
		if v.Site != "" {
			r += 2
		}
		if v.Side != "" {
			r++
		}
		if r > rank || r == rank && !v.From.Before(p.Values[best].From) {
			best, rank = i, r
		}
	}
	if best < 0 {
		return ParameterValue{}, false
	}
	return p.Values[best], true
}

// Attribute is something that a clause may read. An edition declares each.
type Attribute struct {
	ID        string
	Type      string // "string", "int", "bool", "time"
	Name      lang.Text
	Sensitive bool   // health: verdicts name it and never show its value
	Unit      string // of an int, as parameters have it; empty where it does not matter
	Line      int
	File      string
}

// SlotRule is how a site's openings are cut into slots for a class.
type SlotRule struct {
	Class    string
	Days     []time.Weekday // none: every day on which the class is open
	Minutes  int
	Capacity string          // a parameter: places per slot, both sides together
	Shares   map[Side]int    // percent of the capacity, adding up to at most 100
	From, To calendar.Minute // first slot begins, last slot ends
}

// Scenario is a question with its expected answer, kept beside the text.
type Scenario struct {
	ID    string
	Title string
	Point string
	At    time.Time
	Site  string
	Side  Side
	Facts map[string]any
	Lots  []ScenarioLot
	Asks  []Ask
	File  string
	Line  int
}

// ScenarioLot is an earlier purchase of a scenario.
type ScenarioLot struct {
	Category string
	Value    int64
	Regime   string
	Site     string
}

// Ask is one question of a scenario; what is bought joins the lots of the next.
type Ask struct {
	Site   string
	At     time.Time
	Facts  map[string]any
	Expect Expect
}

// Expect is what an answer must be. Empty parts are not looked at.
type Expect struct {
	Outcome   reason.Outcome
	Codes     []reason.Code // that must be among the reasons
	Clauses   []string      // ids that must be among the reasons, amounts or applied steps
	Not       []string      // ids that must not be among the reasons
	Amounts   []ExpectAmount
	Questions []string
	Missing   []string
	Total     []ExpectAmount // sums over the scenario's asks so far
}

// ExpectAmount is an expected figure; Unknown means owed and not known.
type ExpectAmount struct {
	Name, Of string
	Minor    int64
	Unknown  bool
}
