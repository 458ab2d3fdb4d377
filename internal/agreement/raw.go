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
	Parties     map[Side]at[rawSide] `yaml:"parties"`
	Sites       []at[rawSite]        `yaml:"sites"`
	Classes     []at[rawClass]       `yaml:"classes"`
	Instruments []at[rawInstrument]  `yaml:"instruments"`
	Attributes  []at[rawAttribute]   `yaml:"attributes"`
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
	ID     string    `yaml:"id"`
	Title  lang.Text `yaml:"title"`
	Side   Side      `yaml:"side"`
	Status string    `yaml:"status"`
	Source string    `yaml:"source"`
	From   scalar    `yaml:"from"`
	Until  scalar    `yaml:"until"`
}

type rawAttribute struct {
	ID        string    `yaml:"id"`
	Type      string    `yaml:"type"`
	Name      lang.Text `yaml:"name"`
	Unit      string    `yaml:"unit"`
	Sensitive bool      `yaml:"sensitive"`
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
	From   scalar `yaml:"from"`
	Site   string `yaml:"site"`
	Side   Side   `yaml:"side"`
	Value  scalar `yaml:"value"`
	Source string `yaml:"source"`
}

type rawList struct {
	ID         string                 `yaml:"id"`
	Title      lang.Text              `yaml:"title"`
	Source     string                 `yaml:"source"`
	Absent     bool                   `yaml:"absent"`
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
	ID      string    `yaml:"id"`
	Asks    lang.Text `yaml:"asks"`
	Reading lang.Text `yaml:"reading"`
	By      string    `yaml:"by"`
	Words   string    `yaml:"words"`
	Clauses []string  `yaml:"clauses"`
}

type rawClause struct {
	ID        string    `yaml:"id"`
	Kind      Kind      `yaml:"kind"`
	At        []string  `yaml:"at"`
	Text      lang.Text `yaml:"text"`
	Say       lang.Text `yaml:"say"`
	Next      lang.Text `yaml:"next"`
	From      scalar    `yaml:"from"`
	Until     scalar    `yaml:"until"`
	Sites     []string  `yaml:"sites"`
	Sides     []Side    `yaml:"sides"`
	When      string    `yaml:"when"`
	Require   string    `yaml:"require"`
	Else      string    `yaml:"else"`
	Missing   string    `yaml:"missing"`
	Overrides []string  `yaml:"overrides"`
	Questions []string  `yaml:"questions"`
	Decides   string    `yaml:"decides"`

	Per      string   `yaml:"per"`
	Limit    string   `yaml:"limit"`
	Diverted string   `yaml:"diverted"`
	Earlier  string   `yaml:"earlier"`
	Regime   string   `yaml:"regime"`
	List     string   `yaml:"list"`
	Beside   []string `yaml:"beside"`
	Amount   string   `yaml:"amount"`
	Of       []string `yaml:"of"`
	Currency string   `yaml:"currency"`
	Rate     string   `yaml:"rate"`
	Fields   []string `yaml:"fields"`
	By       Side     `yaml:"by"`
}

type rawSchedule struct {
	Site       string             `yaml:"site"`
	Source     string             `yaml:"source"`
	Hours      []at[rawHours]     `yaml:"hours"`
	Exceptions []at[rawException] `yaml:"exceptions"`
	Slots      []at[rawSlots]     `yaml:"slots"`
}

type rawHours struct {
	Class     string   `yaml:"class"`
	Direction string   `yaml:"direction"`
	Days      []string `yaml:"days"`
	Open      []string `yaml:"open"` // "08:00-16:00"
}

type rawException struct {
	On        scalar   `yaml:"on"`
	Class     string   `yaml:"class"`
	Direction string   `yaml:"direction"`
	Closed    bool     `yaml:"closed"`
	Open      []string `yaml:"open"`
	Source    string   `yaml:"source"`
}

type rawSlots struct {
	Class    string       `yaml:"class"`
	Days     []string     `yaml:"days"`
	Minutes  int          `yaml:"minutes"`
	From     scalar       `yaml:"from"`
	To       scalar       `yaml:"to"`
	Capacity string       `yaml:"capacity"`
	Shares   map[Side]int `yaml:"shares"`
}

type rawTests struct {
	Scenarios []at[rawScenario] `yaml:"scenarios"`
}

type rawScenario struct {
	ID    string            `yaml:"id"`
	Title string            `yaml:"title"`
	Point string            `yaml:"point"`
	At    scalar            `yaml:"at"`
	Site  string            `yaml:"site"`
	Side  Side              `yaml:"side"`
	Facts map[string]scalar `yaml:"facts"`
	Lots  []at[rawLot]      `yaml:"lots"`
	Asks  []at[rawAsk]      `yaml:"asks"`
}

type rawLot struct {
	Category string `yaml:"category"`
	Value    scalar `yaml:"value"`
	Regime   string `yaml:"regime"`
	Site     string `yaml:"site"`
}

type rawAsk struct {
	Site   string            `yaml:"site"`
	At     scalar            `yaml:"at"`
	Facts  map[string]scalar `yaml:"facts"`
	Expect rawExpect         `yaml:"expect"`
}

type rawExpect struct {
	Outcome   string      `yaml:"outcome"`
	Codes     []string    `yaml:"codes"`
	Clauses   []string    `yaml:"clauses"`
	Not       []string    `yaml:"not"`
	Amounts   []rawAmount `yaml:"amounts"`
	Questions []string    `yaml:"questions"`
	Missing   []string    `yaml:"missing"`
	Total     []rawAmount `yaml:"total"`
}

type rawAmount struct {
	Name     string `yaml:"name"`
	Of       string `yaml:"of"`
	Currency string `yaml:"currency"`
	Value    scalar `yaml:"value"` // in units of the currency, or "unknown"
}

type rawKeys struct {
	Root     string `yaml:"root"`     // base64 of the point, uncompressed
	Exchange string `yaml:"exchange"` // base64
	Log      string `yaml:"log"`      // verifier key of a signed note
}
