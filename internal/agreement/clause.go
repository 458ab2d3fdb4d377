// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package agreement

import (
	"maps"
	"slices"
	"strings"
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
	// KindPower lets a side close by an act of its own: By says which, Decides the role that
	// may, AtLeast the notice, Within how long it lasts at most before it lapses by itself.
	KindPower Kind = "power"
	// KindNote says something that no query can test: a consequence, an institution.
	KindNote Kind = "note"
	// KindCondition lets it go on under a condition where When holds.
	KindCondition Kind = "condition"
	// KindDefine gives a derived attribute its value.
	KindDefine Kind = "define"
	// KindAmount makes a figure by a formula.
	KindAmount Kind = "amount"
	// KindChoice takes the least or the most of several figures, such as of two regimes.
	KindChoice Kind = "choice"
	// KindFrequency limits how often something happens in a period.
	KindFrequency Kind = "frequency"
	// KindWindow demands an event between two distances before or after an instant.
	KindWindow Kind = "window"
	// KindStay limits the days and nights of a stay.
	KindStay Kind = "stay"
	// KindValidity demands that a document is good over the whole of a stay.
	KindValidity Kind = "validity"
	// KindResidence demands that a place lies in a list, near enough, and for long enough.
	KindResidence Kind = "residence"
	// KindRatio limits one sum by another over a period.
	KindRatio Kind = "ratio"
	// KindLedger demands that legs of one kind are netted by legs of another in time.
	KindLedger Kind = "ledger"
	// KindTurn says whose turn it is at a shared post.
	KindTurn Kind = "turn"
	// KindProof demands a health certificate that will still be good at the crossing.
	KindProof Kind = "proof"
	// KindSuspend closes for classes and a direction.
	KindSuspend Kind = "suspend"
	// KindShare says which fields go to whom.
	KindShare Kind = "share"
	// KindCertificate demands that a health certificate meets the rules of a set.
	KindCertificate Kind = "certificate"
	// KindTable decides by a table.
	KindTable Kind = "table"
)

// Kinds returns every kind, in the order in which the specification tells of them.
func Kinds() []Kind {
	return []Kind{
		KindRule, KindCondition, KindDefine, KindAmount, KindChoice, KindSchedule, KindOpened, KindSuspend, KindListed, KindRate, KindCap, KindFrequency,
		KindWindow, KindProof, KindStay, KindValidity, KindResidence, KindRatio, KindLedger, KindTax, KindGuarantee, KindFields, KindTurn, KindDuty, KindShare,
		KindCertificate, KindTable, KindPower, KindBound, KindNote,
	}
}

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
	// Holds are the periods and places of the clause within the edition; none means
	// throughout and everywhere. Moments are by the clock of the site.
	Holds     []Period
	Published calendar.Date // day on which it became known, zero where always
	When      string        // CEL; empty means always
	Require   string        // CEL
	Else      reason.Outcome
	// Then is the outcome of a rule or a suspension wherever When holds.
	Then reason.Outcome
	// Missing is the outcome where an attribute that the clause reads is not known. None
	// leaves the matter to the clauses that name the same attribute, and to REFER where
	// there is no such clause.
	Missing   reason.Outcome
	Overrides []string // ids of clauses; "agreement/clause" is one of another agreement (see Edition.Abroad)
	Questions []string
	// Turns are questions on which the effect turns: REFER while one is not settled.
	Turns []string
	// Matter is what the clause is about. Clauses of two instruments with one matter are
	// in conflict where one permits what the other is against.
	Matter string
	// Decides is the role that may end a REFER or HOLD of this clause.
	Decides string

	// The fields of particular kinds.
	Per      string   // cap: "day" or "category"; schedule: "day" where any hour of the day will do
	Limit    string   // cap, bound: a parameter, of a cap also an attribute; schedule: of the weekdays that a site opens on
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
	By       Side     // duty, power: whose it is, Both where of each side

	Attribute string   // define: the derived attribute
	Value     string   // define, amount: CEL
	Code      string   // cap, rate, listed: attribute that holds the code, "good.code" where empty
	Amounts   []string // choice: names of the figures
	Take      string   // choice: "least" or "most"
	Select    *Select  // define, cap, frequency, window: of past events
	Measure   string   // define: "count", "sum:FIELD", "max:FIELD", "min:FIELD", "latest", "earliest"
	Span      *Span    // define, cap, frequency, ratio: over which time
	Sum       string   // cap, ratio, ledger: field that is added up; empty counts
	Adds      string   // cap, frequency, ratio: attribute or number that the question adds; ledger: "first", "then", "none"
	AmountOf  string   // ledger: attribute that the question adds
	Groups    []string // cap: fields that must be equal to the question's attributes of the same name
	Event     string   // window: an attribute
	Before    string   // window: an attribute, now where empty
	After     bool     // window: the event lies after instead
	AtLeast   string   // window, residence, power: a parameter
	AtMost    string   // window, residence: a parameter
	Strict    []string // window: "atleast", "atmost": the end is not included
	Start     string   // stay: attribute of entry; duty, ledger: attribute of the clock's start
	End       string   // stay: attribute of exit, now where empty; duty: attribute of the act
	Days      string   // stay: a parameter
	Nights    string   // stay: a parameter
	Counting  string   // stay: "calendar" or "elapsed"
	Expires   string   // validity: attribute, last day of the document
	Issued    string   // validity, suspend: attribute, day of issue
	For       string   // validity: a parameter, how long from issue
	Including bool     // validity: the anniversary itself is a day of validity
	Over      []string // validity: attributes between which it must be valid; certificate: at which it is judged; now where empty
	Place     string   // residence: attribute
	Region    string   // residence: ancestor in the list, any place of it where empty
	Since     string   // residence: attribute
	Distance  string   // residence: attribute
	First     *Select  // ledger, ratio: the events that come first, or that are limited
	Second    *Select  // ledger, ratio: the events that net them, or that they are held against
	Times     string   // ratio: a parameter in percent
	Within    string   // ledger, duty, power: a parameter
	Running   string   // ledger: "fixed" or "follows"
	Tolerance string   // ledger: a parameter in percent
	Either    bool     // ledger: either kind of legs may come first
	Release   string   // guarantee: CEL
	Order     []Turn   // turn
	Step      string   // turn: attribute
	Done      string   // turn: attribute of type strings
	Classes   []string // suspend, power
	Direction string   // suspend, power
	Voids     bool     // suspend: what was issued before is void
	To        []string // share: recipients
	Events    []string // share: events
	Never     []string // share: fields that never go
	Profile   string   // proof: silent while the level does not switch it on
	Disease   string   // proof: of its profile where empty
	Accepts   []Accept // proof: any one of them will do
	Weekdays  []string // suspend: on these alone, all where empty
	Table     string   // table

	Certificate string // certificate: attribute of that type
	Rules       string // certificate: a set of rules

	Line int
	File string
}

// Select picks past events of a question.
type Select struct {
	Events string // the kind of events; "lot" are earlier purchases
	Where  string // CEL on event.FIELD and the attributes of the question; all where empty
	Field  string // window: the field that holds the instant, the event's own where empty
}

// Accept is one kind of health certificate that will do.
type Accept struct {
	Kind      string   // "vaccination", "test", "recovery" or "prophylaxis"
	Tests     []string // of a test: kinds of it, any where empty; its result must be negative
	Products  string   // a list of values: what was given
	Countries string   // a list of values: where
	Doses     string   // "complete", or a parameter: the least number of the dose
	AtLeast   string   // a parameter: how long before the crossing, at least
	AtMost    string   // a parameter: and at most
}

// Span is the time over which events are counted.
type Span struct {
	// Per is "day", "week" (from Monday), "month", "quarter", "year" or "ever", by the calendar of the site.
	Per string
	// Rolling is a parameter in minutes to years, back from now, instead of Per.
	Rolling string
	// Here says that only events at the site of the question count.
	Here bool
}

// Turn is one step of a shared post.
type Turn struct {
	Side Side
	Step string
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
	From, Until Moment
	Published   calendar.Date // day on which it became known, zero where always
	Ended       calendar.Date // day on which Until became known, zero where always
	Site        string
	Side        Side
	For         map[string]string // attributes and the values for which it holds
	Unlimited   bool              // Int is then the greatest number
	Known       bool
	Int         int64  // minor units of a currency, or the count
	Text        string // as written
	Source      string
}

// Ask is what the value of a parameter is asked for.
type Ask struct {
	Site   string
	Side   Side
	On     calendar.Date
	Minute calendar.Minute
	// Known is the last day whose publications are seen; zero sees all.
	Known calendar.Date
	// Get returns an attribute's text; known is false where it is not known. It may be nil.
	Get func(attribute string) (text string, known bool)
}

// In returns the value in force for what is asked. The more particular value wins:
// each attribute that it names counts four, a site two, a side one; then the newest.
// ok is false where nothing is in force. Where it turns on something that is not
// known, the value is not Known and lacks names the attribute, empty where it is a date.
func (p *Parameter) In(q Ask) (v ParameterValue, lacks string, ok bool) {
	best, rank, maybe, lack := -1, -1, -1, ""
	for i := range p.Values {
		x := &p.Values[i]
		if x.Site != "" && x.Site != q.Site || x.Side != "" && x.Side != q.Side {
			continue
		}
		period, seen := Period{From: x.From, Until: x.Until, Published: x.Published, Ended: x.Ended}.Seen(q.Known)
		if !seen {
			continue
		}
		holds := period.Holds(q.On, q.Minute)
		want := ""
		if q.Get == nil { // nothing is known: the first of the names is wanted
			for k := range x.For {
				if want == "" || k < want {
					want = k
				}
			}
		}
		for _, k := range names(x.For, q.Get) {
			text, known := q.Get(k)
			if !known {
				if want == "" {
					want = k
				}
			} else if text != x.For[k] {
				holds = No
			}
		}
		r := 4 * len(x.For)
		if x.Site != "" {
			r += 2
		}
		if x.Side != "" {
			r++
		}
		switch {
		case holds == No:
		case holds == Open || want != "":
			if r > maybe || maybe == r && lack == "" {
				maybe, lack = r, want
			}
		case r > rank || r == rank && x.From.Compare(p.Values[best].From) >= 0:
			best, rank = i, r
		}
	}
	if maybe >= rank && maybe >= 0 {
		return ParameterValue{}, lack, true
	}
	if best < 0 {
		return ParameterValue{}, "", false
	}
	return p.Values[best], "", true
}

// names are the attributes that a value names, in order, where there is something to ask
// them of.
func names(of map[string]string, get func(string) (string, bool)) []string {
	if get == nil || len(of) == 0 {
		return nil
	}
	return slices.Sorted(maps.Keys(of))
}

// At returns the value in force at a site, for a side, from the start of a date on,
// where it does not turn on anything else.
func (p *Parameter) At(site string, side Side, on calendar.Date) (ParameterValue, bool) {
	v, _, ok := p.In(Ask{Site: site, Side: side, On: on})
	return v, ok
}

// Attribute is something that a clause may read. An edition declares each.
type Attribute struct {
	ID        string
	Type      string // "string", "int", "bool", "time", "date", "strings", "certificate"
	Name      lang.Text
	Sensitive bool     // health: verdicts name it and never show its value
	Unit      string   // of an int, as parameters have it; empty where it does not matter
	Values    []string // all that a string can be; any where empty
	Derived   bool     // set by clauses, never by whoever asks
	Line      int
	File      string
}

// SlotRule is how a site's openings are cut into slots for a class.
type SlotRule struct {
	Class        string
	Days         []time.Weekday // none: every day on which the class is open
	Minutes      int
	Capacity     string          // a parameter: places per slot, both sides together
	Shares       map[Side]int    // percent of the capacity, adding up to at most 100
	Begins, Ends calendar.Date   // days between which it holds, the last not included; zero where always
	From, To     calendar.Minute // first slot begins, last slot ends
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
	// Events are what happened before, by kind. A kind that is not there is not known.
	Events map[string][]ScenarioEvent
	Known  time.Time // zero where all that is known now is seen
	Asks   []ScenarioAsk
	File   string
	Line   int
}

// ScenarioLot is an earlier purchase of a scenario.
type ScenarioLot struct {
	Category string
	Value    int64
	Regime   string
	Site     string
}

// ScenarioEvent is something that happened before.
type ScenarioEvent struct {
	At    time.Time
	Site  string
	Facts map[string]any
}

// ScenarioAsk is one question of a scenario; what is bought joins the lots of the next.
type ScenarioAsk struct {
	Site   string
	At     time.Time
	Known  time.Time
	Facts  map[string]any
	Events map[string][]ScenarioEvent // in place of the scenario's, by kind
	Expect Expect
}

// Expect is what an answer must be. Empty parts are not looked at.
type Expect struct {
	Outcome    reason.Outcome
	Codes      []reason.Code // that must be among the reasons
	Clauses    []string      // ids that must be among the reasons, amounts or applied steps
	Not        []string      // ids that must not be among the reasons
	Amounts    []ExpectAmount
	Questions  []string
	Missing    []string
	Conditions []string       // ids of clauses under whose condition it goes on
	Total      []ExpectAmount // sums over the scenario's asks so far
}

// ExpectAmount is an expected figure; Unknown means owed and not known. Absent means that
// no figure of that name may be there, of that narrowing where Of is not empty.
type ExpectAmount struct {
	Name, Of string
	Minor    int64
	Unknown  bool
	Absent   bool
}

// Abroad reports whether an entry of a clause's overrides names a clause of another
// agreement, "agreement/clause": only a figure is set aside in that way. What is the id of
// a clause of the edition is that clause, whatever its form.
func (e *Edition) Abroad(id string) bool { return strings.Contains(id, "/") && e.Clause(id) == nil }
