// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package agreement

import "darwaza.dev/internal/lang"

// The files of a package as they are written. Every date, number and outcome is a
// scalar here and is read with its line at hand, so that a fault can point at it.

type rawAgreement struct {
	ID          string               `yaml:"id"`
	Edition     int                  `yaml:"edition"`
	Title       lang.Text            `yaml:"title"`
	Note        lang.Text            `yaml:"note"`
	Zone        scalar               `yaml:"zone"`
	ZoneData    scalar               `yaml:"zonedata"`
	Currency    scalar               `yaml:"currency"`
	Rounding    scalar               `yaml:"rounding"`
	From        scalar               `yaml:"from"`
	Until       scalar               `yaml:"until"`
	Notice      scalar               `yaml:"notice"`
	Amends      scalar               `yaml:"amends"`
	Members     []string             `yaml:"members"`
	Parties     map[Side]at[rawSide] `yaml:"parties"`
	Sites       []at[rawSite]        `yaml:"sites"`
	Classes     []at[rawClass]       `yaml:"classes"`
	Instruments []at[rawInstrument]  `yaml:"instruments"`
	Attributes  []at[rawAttribute]   `yaml:"attributes"`
	Events      []at[rawEvent]       `yaml:"events"`
}

type rawSide struct {
	Name     lang.Text `yaml:"name"`
	Country  string    `yaml:"country"`
	Zone     string    `yaml:"zone"`
	Language string    `yaml:"language"`
	Currency string    `yaml:"currency"`
}

type rawSite struct {
	ID     string        `yaml:"id"`
	Number int           `yaml:"number"`
	Name   lang.Text     `yaml:"name"`
	Zone   string        `yaml:"zone"`
	From   scalar        `yaml:"from"`
	Source string        `yaml:"source"`
	Gates  []at[rawGate] `yaml:"gates"`
	Sides  []Side        `yaml:"sides"`
}

type rawGate struct {
	Number int       `yaml:"number"`
	Side   Side      `yaml:"side"`
	Name   lang.Text `yaml:"name"`
}

type rawClass struct {
	ID     string    `yaml:"id"`
	Number int       `yaml:"number"`
	Name   lang.Text `yaml:"name"`
}

type rawInstrument struct {
	ID        string    `yaml:"id"`
	Title     lang.Text `yaml:"title"`
	Side      Side      `yaml:"side"`
	Sides     []Side    `yaml:"sides"`
	Status    string    `yaml:"status"`
	Source    string    `yaml:"source"`
	From      scalar    `yaml:"from"`
	Until     scalar    `yaml:"until"`
	Published scalar    `yaml:"published"`
	Ended     scalar    `yaml:"ended"`
	Absent    bool      `yaml:"absent"`
}

type rawEvent struct {
	ID     string    `yaml:"id"`
	Name   lang.Text `yaml:"name"`
	Fields []string  `yaml:"fields"`
}

type rawAttribute struct {
	ID        string    `yaml:"id"`
	Type      string    `yaml:"type"`
	Name      lang.Text `yaml:"name"`
	Unit      string    `yaml:"unit"`
	Sensitive bool      `yaml:"sensitive"`
	Values    []string  `yaml:"values"`
	Derived   bool      `yaml:"derived"`
}

type rawParameters struct {
	Parameters []at[rawParameter] `yaml:"parameters"`
}

type rawParameter struct {
	ID     string         `yaml:"id"`
	Text   lang.Text      `yaml:"text"`
	Unit   string         `yaml:"unit"`
	Values []at[rawValue] `yaml:"values"`
}

type rawValue struct {
	From      scalar            `yaml:"from"`
	Until     scalar            `yaml:"until"`
	Published scalar            `yaml:"published"`
	Ended     scalar            `yaml:"ended"`
	For       map[string]scalar `yaml:"for"`
	Site      string            `yaml:"site"`
	Side      Side              `yaml:"side"`
	Value     scalar            `yaml:"value"`
	Source    string            `yaml:"source"`
}

type rawList struct {
	ID         string                 `yaml:"id"`
	Kind       string                 `yaml:"kind"`
	Title      lang.Text              `yaml:"title"`
	Source     string                 `yaml:"source"`
	Absent     bool                   `yaml:"absent"`
	Open       lang.Text              `yaml:"open"`
	Partial    bool                   `yaml:"partial"`
	Items      int                    `yaml:"items"`
	Lines      string                 `yaml:"lines"` // CSV file beside
	Names      string                 `yaml:"names"` // CSV file beside
	Categories map[string]rawCategory `yaml:"categories"`
}

type rawCategory struct {
	Name lang.Text `yaml:"name"`
	Rate string    `yaml:"rate"`
}

type rawClauses struct {
	Instrument string            `yaml:"instrument"`
	Questions  []at[rawQuestion] `yaml:"questions"`
	Clauses    []at[rawClause]   `yaml:"clauses"`
}

type rawQuestion struct {
	ID      string              `yaml:"id"`
	Asks    lang.Text           `yaml:"asks"`
	Reading lang.Text           `yaml:"reading"`
	By      string              `yaml:"by"`
	Words   string              `yaml:"words"`
	Clauses []string            `yaml:"clauses"`
	Settled []at[rawSettlement] `yaml:"settled"`
}

type rawSettlement struct {
	From       scalar    `yaml:"from"`
	Published  scalar    `yaml:"published"`
	By         string    `yaml:"by"`
	Reading    lang.Text `yaml:"reading"`
	Instrument string    `yaml:"instrument"`
	Source     string    `yaml:"source"`
	Holds      []string  `yaml:"holds"`
	Ends       []string  `yaml:"ends"`
}

type rawPeriod struct {
	From      scalar   `yaml:"from"`
	Until     scalar   `yaml:"until"`
	Sites     []string `yaml:"sites"`
	Sides     []Side   `yaml:"sides"`
	Published scalar   `yaml:"published"`
	Ended     scalar   `yaml:"ended"`
}

type rawSelect struct {
	Events string `yaml:"events"`
	Where  string `yaml:"where"`
}

type rawWindow struct {
	Per     string `yaml:"per"`
	Rolling string `yaml:"rolling"`
	Here    bool   `yaml:"here"`
}

type rawAccept struct {
	Kind      string   `yaml:"kind"`
	Tests     []string `yaml:"tests"`
	Products  string   `yaml:"products"`
	Countries string   `yaml:"countries"`
	Doses     string   `yaml:"doses"`
	AtLeast   string   `yaml:"atleast"`
	AtMost    string   `yaml:"atmost"`
}

type rawTurn struct {
	Side Side   `yaml:"side"`
	Step string `yaml:"step"`
}

type rawTable struct {
	ID      string         `yaml:"id"`
	Title   lang.Text      `yaml:"title"`
	Source  string         `yaml:"source"`
	Inputs  []at[rawInput] `yaml:"inputs"`
	Outputs []string       `yaml:"outputs"`
	Rows    string         `yaml:"rows"` // CSV file beside, the id with .csv where left out
}

type rawRuleSet struct {
	ID      string    `yaml:"id"`
	Title   lang.Text `yaml:"title"`
	Rules   []string  `yaml:"rules"`  // JSON files beside
	Values  []string  `yaml:"values"` // JSON files beside
	Arrival string    `yaml:"arrival"`
	Region  string    `yaml:"region"`
}

// rawInput is the name of an attribute, or a name with an expression.
type rawInput struct {
	Name string `yaml:"name"`
	Of   string `yaml:"of"`
	Type string `yaml:"type"`
	Unit string `yaml:"unit"`
}

// rawClause has the fields of every kind. A few words mean other things in other
// kinds, and take what those need: see texts and choice.
type rawClause struct {
	ID        string          `yaml:"id"`
	Kind      Kind            `yaml:"kind"`
	At        []string        `yaml:"at"`
	Text      lang.Text       `yaml:"text"`
	Say       lang.Text       `yaml:"say"`
	Next      lang.Text       `yaml:"next"`
	From      scalar          `yaml:"from"`
	Until     scalar          `yaml:"until"`
	Sites     []string        `yaml:"sites"`
	Sides     []Side          `yaml:"sides"`
	Holds     []at[rawPeriod] `yaml:"holds"`
	Published scalar          `yaml:"published"`
	Ended     scalar          `yaml:"ended"`
	When      string          `yaml:"when"`
	Require   string          `yaml:"require"`
	Else      string          `yaml:"else"`
	Missing   string          `yaml:"missing"`
	Overrides []string        `yaml:"overrides"`
	Questions []string        `yaml:"questions"`
	Decides   string          `yaml:"decides"`
	Turns     []string        `yaml:"turns"`
	Matter    string          `yaml:"matter"`
	Then      choice          `yaml:"then"`

	Per      string   `yaml:"per"`
	Limit    string   `yaml:"limit"`
	Diverted string   `yaml:"diverted"`
	Earlier  string   `yaml:"earlier"`
	Regime   string   `yaml:"regime"`
	List     string   `yaml:"list"`
	Beside   []string `yaml:"beside"`
	Amount   string   `yaml:"amount"`
	Of       choice   `yaml:"of"`
	Currency string   `yaml:"currency"`
	Rate     string   `yaml:"rate"`
	Fields   []string `yaml:"fields"`
	By       texts    `yaml:"by"`

	Attribute   string     `yaml:"attribute"`
	Value       scalar     `yaml:"value"`
	Code        string     `yaml:"code"`
	Amounts     []string   `yaml:"amounts"`
	Take        string     `yaml:"take"`
	Events      string     `yaml:"events"`
	Where       string     `yaml:"where"`
	Field       string     `yaml:"field"`
	Measure     string     `yaml:"measure"`
	Window      *rawWindow `yaml:"window"`
	Sum         string     `yaml:"sum"`
	Count       bool       `yaml:"count"`
	Adds        scalar     `yaml:"adds"`
	AmountOf    string     `yaml:"amount_of"`
	Event       texts      `yaml:"event"`
	Before      string     `yaml:"before"`
	After       bool       `yaml:"after"`
	AtLeast     string     `yaml:"atleast"`
	AtMost      string     `yaml:"atmost"`
	Open        []string   `yaml:"open"`
	Start       string     `yaml:"start"`
	End         string     `yaml:"end"`
	Days        string     `yaml:"days"`
	Nights      string     `yaml:"nights"`
	Counting    string     `yaml:"counting"`
	Expires     string     `yaml:"expires"`
	Issued      string     `yaml:"issued"`
	For         string     `yaml:"for"`
	Anniversary string     `yaml:"anniversary"`
	Over        []string   `yaml:"over"`
	Place       string     `yaml:"place"`
	Region      string     `yaml:"region"`
	Since       string     `yaml:"since"`
	Distance    string     `yaml:"distance"`
	First       *rawSelect `yaml:"first"`
	To          choice     `yaml:"to"`
	Times       string     `yaml:"times"`
	Within      string     `yaml:"within"`
	Running     string     `yaml:"running"`
	Tolerance   string     `yaml:"tolerance"`
	Either      bool       `yaml:"either"`
	Release     string     `yaml:"release"`
	Order       []rawTurn  `yaml:"order"`
	Step        string     `yaml:"step"`
	Done        string     `yaml:"done"`
	Classes     []string   `yaml:"classes"`
	Direction   string     `yaml:"direction"`
	Voids       bool       `yaml:"voids"`
	Weekdays    []string   `yaml:"weekdays"`
	Profile     string     `yaml:"profile"`
	Disease     string     `yaml:"disease"`
	Never       []string   `yaml:"never"`
	Table       string     `yaml:"table"`

	Accepts     []rawAccept `yaml:"accepts"`
	Certificate string      `yaml:"certificate"`
	Rules       string      `yaml:"rules"`
}

type rawSchedule struct {
	Site       string             `yaml:"site"`
	Source     string             `yaml:"source"`
	Hours      []at[rawHours]     `yaml:"hours"`
	Exceptions []at[rawException] `yaml:"exceptions"`
	Slots      []at[rawSlots]     `yaml:"slots"`
}

type rawHours struct {
	Class     string `yaml:"class"`
	Direction string `yaml:"direction"`
	Days      texts  `yaml:"days"` // or unknown
	Open      texts  `yaml:"open"` // "08:00-16:00", or unknown
	Season    scalar `yaml:"season"`
	From      scalar `yaml:"from"`
	Until     scalar `yaml:"until"`
	Published scalar `yaml:"published"`
	Ended     scalar `yaml:"ended"`
}

type rawException struct {
	On        scalar   `yaml:"on"`
	Class     string   `yaml:"class"`
	Direction string   `yaml:"direction"`
	Closed    bool     `yaml:"closed"`
	Open      []string `yaml:"open"`
	Published scalar   `yaml:"published"`
	Source    string   `yaml:"source"`
}

type rawSlots struct {
	Class    string       `yaml:"class"`
	Days     []string     `yaml:"days"`
	Minutes  int          `yaml:"minutes"`
	From     scalar       `yaml:"from"`
	To       scalar       `yaml:"to"`
	Begins   scalar       `yaml:"begins"`
	Ends     scalar       `yaml:"ends"`
	Capacity string       `yaml:"capacity"`
	Shares   map[Side]int `yaml:"shares"`
}

// rawHealth is a file of health/.
type rawHealth struct {
	Source   string           `yaml:"source"`
	Profiles []at[rawProfile] `yaml:"profiles"`
	Levels   []at[rawLevel]   `yaml:"levels"`
	RuleSets []at[rawRuleSet] `yaml:"rulesets"`
}

type rawProfile struct {
	ID      string            `yaml:"id"`
	Disease string            `yaml:"disease"`
	Name    lang.Text         `yaml:"name"`
	Asks    []string          `yaml:"asks"`
	Tests   []at[rawTestKind] `yaml:"tests"`
	Isolate string            `yaml:"isolate"`
	Order   string            `yaml:"order"`
	Release []string          `yaml:"release"`
	Holds   string            `yaml:"holds"`
}

type rawTestKind struct {
	ID      string    `yaml:"id"`
	Name    lang.Text `yaml:"name"`
	Minutes string    `yaml:"minutes"`
	Good    string    `yaml:"good"`
}

type rawLevel struct {
	ID        string    `yaml:"id"`
	Name      lang.Text `yaml:"name"`
	Say       lang.Text `yaml:"say"`
	Profiles  []string  `yaml:"profiles"`
	Capacity  string    `yaml:"capacity"`
	Raise     scalar    `yaml:"raise"`
	Lower     scalar    `yaml:"lower"`
	Emergency scalar    `yaml:"emergency"`
	By        []string  `yaml:"by"`
}

type rawTests struct {
	Given     map[string]texts  `yaml:"given"`
	Scenarios []at[rawScenario] `yaml:"scenarios"`
}

type rawScenario struct {
	ID     string                            `yaml:"id"`
	Title  string                            `yaml:"title"`
	Point  string                            `yaml:"point"`
	At     scalar                            `yaml:"at"`
	Site   string                            `yaml:"site"`
	Side   Side                              `yaml:"side"`
	Known  scalar                            `yaml:"known"`
	Facts  map[string]texts                  `yaml:"facts"`
	Events map[string][]at[map[string]texts] `yaml:"events"`
	Lots   []at[rawLot]                      `yaml:"lots"`
	Asks   []at[rawAsk]                      `yaml:"asks"`
}

type rawLot struct {
	Category string `yaml:"category"`
	Value    scalar `yaml:"value"`
	Regime   string `yaml:"regime"`
	Site     string `yaml:"site"`
}

type rawAsk struct {
	Site   string                            `yaml:"site"`
	At     scalar                            `yaml:"at"`
	Known  scalar                            `yaml:"known"`
	Facts  map[string]texts                  `yaml:"facts"`
	Events map[string][]at[map[string]texts] `yaml:"events"`
	Expect rawExpect                         `yaml:"expect"`
}

type rawExpect struct {
	Outcome    string      `yaml:"outcome"`
	Codes      []string    `yaml:"codes"`
	Clauses    []string    `yaml:"clauses"`
	Not        []string    `yaml:"not"`
	Amounts    []rawAmount `yaml:"amounts"`
	Questions  []string    `yaml:"questions"`
	Missing    []string    `yaml:"missing"`
	Conditions []string    `yaml:"conditions"`
	Total      []rawAmount `yaml:"total"`
}

type rawAmount struct {
	Name     string `yaml:"name"`
	Of       string `yaml:"of"`
	Currency string `yaml:"currency"`
	Value    scalar `yaml:"value"` // in units of the currency, or "unknown"
	Absent   bool   `yaml:"absent"`
}

type rawSharing struct {
	Sharing []at[rawShare] `yaml:"sharing"`
}

type rawShare struct {
	ID     string    `yaml:"id"`
	Text   lang.Text `yaml:"text"`
	Facts  []string  `yaml:"facts"`
	Fields []string  `yaml:"fields"`
	With   []string  `yaml:"with"`
	Source string    `yaml:"source"`
}

type rawKeys struct {
	Root     string `yaml:"root"`     // base64 of the point, uncompressed
	Exchange string `yaml:"exchange"` // base64
	Log      string `yaml:"log"`      // verifier key of a signed note
	Cosigner string `yaml:"cosigner"` // verifier key of cosignatures
}
