// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

// Package agreement reads, checks and signs agreement packages, and says which
// edition holds at an instant. A package is a folder; what both sides sign is the
// sorted list of path, length and SHA-256 of each of its files as stored.
package agreement

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/certlogic"
	"darwaza.dev/internal/goods"
	"darwaza.dev/internal/lang"
	"darwaza.dev/internal/money"
)

// Side is one of the two authorities. No code says home or foreign.
type Side string

// The two sides.
const (
	A Side = "A"
	B Side = "B"
	// Both stands for each of them, where a duty is of both. It is not one of the two.
	Both Side = "both"
)

// Other returns the other side.
func (s Side) Other() Side {
	if s == A {
		return B
	}
	return A
}

// Valid reports whether s is one of the two sides.
func (s Side) Valid() bool { return s == A || s == B }

// Hash is the SHA-256 of an edition's canonical bytes.
type Hash [32]byte

// Prefix returns the first 8 bytes, as a pass carries them.
func (h Hash) Prefix() (p [8]byte) { copy(p[:], h[:]); return p }

// Edition is one numbered version of a joint agreement, read and checked. It is
// immutable after Load.
type Edition struct {
	ID       string // of the agreement, such as "pk-ir-border-markets"
	Number   int    // of the edition, from 1, rising
	Title    lang.Text
	Hash     Hash
	Files    []File
	Zone     string         // the clock of the edition's own dates
	ZoneData string         // version of the time zone data that the edition was written with
	Currency string         // ISO 4217: the currency of its limits
	Rounding money.Rounding // of amounts that are a share of another
	From     time.Time      // in force from, inclusive
	Until    time.Time      // in force until, exclusive; zero where open-ended
	Note     lang.Text      // what readers should know, such as that parts are an example
	Notice   time.Duration  // between the last signature and From
	Amends   Hash           // the edition that this one follows, zero where none
	Members  []string       // states for whose trade it holds, where the text has more than two
	Parties  map[Side]Party
	Sites    []Site
	Classes  []Class
	// Instruments are the legal texts, by id.
	Instruments map[string]Instrument
	Attributes  map[string]Attribute
	// Events are kinds of things that happen, by id.
	Events map[string]EventKind
	// Tables decide by rows, by id.
	Tables map[string]*Table
	// RuleSets are sets of rules for health certificates that others published, by id.
	RuleSets map[string]*RuleSet
	// Places are lists of places, Values lists of plain texts, by id; both stand in ListInfo too.
	Places map[string]*Places
	Values map[string]map[string]lang.Text
	// ValueLines are the lines of a list of plain texts, by its id. See Member.
	ValueLines map[string][]ValueLine
	Parameters map[string]*Parameter
	Questions  map[string]Question
	Clauses    []*Clause                     // sorted by id
	Lists      map[string]*goods.List        // those that are at hand
	ListInfo   map[string]ListInfo           // every list that a clause may name
	Schedules  map[string]*calendar.Schedule // by site id
	Slots      map[string][]SlotRule         // by site id
	// Levels of protection from mild to strict, and disease profiles by id.
	Levels   []Level
	Profiles map[string]Profile
	// Shares say what of the record goes to whom, by id.
	Shares map[string]Share
	Tests  []Scenario
	// Certificates are of pass, receipt and signers' keys, as the root keys signed them.
	Certificates [][]byte
	// Signatures are what lies in the package by the root keys, not checked. See Verify.
	Signatures map[Side][]byte
	// Signers are the signatures of people, by the name of their file such as "A-1",
	// not checked.
	Signers map[string][]byte

	turning  map[string][]calendar.Date // site: days on which its hours or slots change
	lineFile map[string]string          // list: file of its lines
	unread   []string                   // files that could not be read
	where    map[string]place           // of the declarations: "parameter x", "site y"
}

// ListInfo is what is known of a list, at hand or not.
type ListInfo struct {
	ID     string
	Title  lang.Text
	Source string
	// Absent says that the instrument names the list and that nobody has it at hand:
	// whether a good is on it is not known.
	Absent bool
	Kind   string    // "goods", "places" or "values"
	Open   lang.Text // the words with which the list ends, where it is open-ended
	// Partial says that only a part of the list was read: what it does not name may be on
	// the rest.
	Partial bool
	Items   int // lines that the list is said to have
	// Rates names the parameter that holds the rate of each category, where one does.
	Rates map[string]string
	// Categories are the names of the categories.
	Categories map[string]lang.Text
	Line       int
	File       string
}

// Ends reports whether what the list does not name may be on it all the same: it ends in
// open words, or only a part of it was read.
func (l ListInfo) Ends() bool { return len(l.Open) > 0 || l.Partial }

// ValueLine is one line of a list of plain texts.
type ValueLine struct {
	ID          string
	From, Until Moment
	// Published and Ended are the days on which the line and its end became known, zero
	// where always.
	Published, Ended calendar.Date
	Exclude          bool // the text is not on the list, though that ends in open words
	Line             int
}

// Member reports whether a text is on a list of plain texts on a day and minute of the
// site's clock, as far as was published by the day known, zero for all. Open says that the
// list does not tell: it is not at hand, the day is not known, or the list ends in open
// words and does not name the text.
func (e *Edition) Member(list, id string, on calendar.Date, minute calendar.Minute, known calendar.Date) Tri {
	lines, ok := e.ValueLines[list]
	if !ok {
		return Open
	}
	is, no := No, false
	for _, l := range lines {
		if l.ID != id {
			continue
		}
		p, seen := Period{From: l.From, Until: l.Until, Published: l.Published, Ended: l.Ended}.Seen(known)
		if !seen {
			continue
		}
		switch holds := p.Holds(on, minute); {
		case holds == Yes && !l.Exclude:
			return Yes
		case holds == Yes:
			no = true
		case holds == Open:
			is = Open
		}
	}
	if is == No && !no && e.ListInfo[list].Ends() {
		return Open
	}
	return is
}

// Party is one side of the agreement.
type Party struct {
	Name     lang.Text
	Country  string // ISO 3166 alpha-3
	Zone     string
	Language lang.Tag
	Currency string
	Keys     Keys
}

// Keys are a side's public keys as the edition holds them.
type Keys struct {
	Root     []byte // P-256, uncompressed point: certifies pass, receipt and officer keys
	Exchange []byte // X25519: both sides derive the joint secrets from the pair
	Log      string // verifier key of the side's log, in signed-note form
	// Cosigner is the verifier key with which the side cosigns the other's log; empty in
	// packages of before there was one, under which nothing is cosigned.
	Cosigner string
}

// Site is a crossing or a market.
type Site struct {
	ID     string
	Number uint16
	Name   lang.Text
	Zone   string
	From   Moment // opened on; zero where the text does not say
	Source string
	Gates  []Gate
	Sides  []Side // those that have gates there, where it is one alone; empty where both
}

// Gate is one control at a site, run by one side.
type Gate struct {
	Number uint16
	Side   Side
	Name   lang.Text
}

// Class is who or what wants to cross.
type Class struct {
	ID     string
	Number uint8
	Name   lang.Text
}

// Instrument is a legal text.
type Instrument struct {
	ID          string
	Title       lang.Text
	Side        Side   // whose text it is; empty where joint
	Sides       []Side // at which its clauses hold that name none; both where empty
	Status      string // see the constants
	Source      string
	From, Until Moment
	Published   calendar.Date // day on which it became known, zero where always
	Ended       calendar.Date // day on which Until became known, zero where always
	// Absent says that the text is known to exist and that nobody has read it. Its clauses
	// refer, and are otherwise notes.
	Absent bool
}

// What the status of an instrument can be.
const (
	StatusLaw           = "law"
	StatusExample       = "example"       // what only a demonstration says
	StatusFramework     = "framework"     // sets bounds to others
	StatusEmergency     = "emergency"     // of one side: only narrows, and lapses
	StatusClarification = "clarification" // settles questions
	StatusProposal      = "proposal"      // is not law, and decides nothing
)

// RuleSet is a set of rules for health certificates that somebody published in CertLogic.
// The files are taken in as they are.
type RuleSet struct {
	ID      string
	Title   lang.Text
	Source  string
	Arrival string // whose acceptance rules are asked, ISO 3166 alpha-2; of all in the set where empty
	Region  string // of that country, empty where it is the whole
	Rules   *certlogic.Set
	// Values are the value sets that rules may read, by id, each with its codes.
	Values map[string][]string
	Line   int
	File   string
}

// EventKind is a kind of things that happen, with the attributes that one has.
type EventKind struct {
	ID     string
	Name   lang.Text
	Fields []string
	Line   int
	File   string
}

// Places is a list of places, each within another or within none.
type Places struct {
	ID   string
	Name map[string]lang.Text // by id
	Up   map[string]string    // id → the place that it lies in, "" at the top
}

// Within reports whether a place is the other, or lies in it at any depth. Open says
// that the list does not know the place.
func (p *Places) Within(id, ancestor string) Tri {
	if _, ok := p.Up[id]; !ok {
		return Open
	}
	for n := 0; id != "" && n <= len(p.Up); n++ {
		if id == ancestor {
			return Yes
		}
		id = p.Up[id]
	}
	return No
}

// Table decides by rows: the one whose cells all hold. Rows that could both hold are
// a fault of the package.
type Table struct {
	ID      string
	Title   lang.Text
	Source  string
	Inputs  []TableInput
	Outputs []string // "outcome", or derived attributes
	Rows    []TableRow
	Line    int
	File    string
}

// TableInput is one column that is looked at.
type TableInput struct {
	Name string
	Of   string // CEL; the attribute Name where empty
	Type string // "string", "int", "bool", "date" or "strings": of the attribute or the expression
	Unit string // of an int
}

// TableRow is one line of a table.
type TableRow struct {
	Cells []Cell            // beside Inputs
	Out   map[string]string // by output, as written
	Say   lang.Text
	Line  int
}

// Cell is what one input must be.
type Cell struct {
	Any     bool
	Unknown bool     // holds where the input is not known
	Not     bool     // holds where none of Texts is the value
	Texts   []string // of a string or bool
	// Min and Max bound a number, both included where Has says that they are there.
	// A date is counted in days since 1970-01-01.
	Min, Max       int64
	HasMin, HasMax bool
}

// Question is a point on which the texts can be read in two ways, or are silent.
type Question struct {
	ID      string
	Asks    lang.Text
	Reading lang.Text
	By      string // "A", "B", "both", or "nobody" where it is not settled
	Words   string // what leaves it open: clause id and a paraphrase
	Clauses []string
	// Side is the side whose own text leaves it open, which can settle it alone; empty where
	// the text is joint.
	Side Side
	// Later are settlements of later days, oldest first.
	Later []Settlement
}

// Settlement is a reading that somebody settled on from a day on, such as the
// clarification of a joint committee.
type Settlement struct {
	From       calendar.Date
	Published  calendar.Date
	By         string
	Reading    lang.Text
	Instrument string
	Source     string
	// Holds and Ends are the clauses that hold under the reading, and those that are no
	// longer asked.
	Holds, Ends []string
	Line        int
}

// Binds reports whether a reading that somebody holds settles the question: that of both,
// or of the side whose own text it is.
func (q Question) Binds(by string) bool { return q.BindsText(by, q.Side) }

// BindsText reports whether such a reading settles the question for the clauses of a text:
// that of both does for every text, that of one side for its own texts alone. text is the
// side whose text it is, empty where it is joint.
func (q Question) BindsText(by string, text Side) bool {
	return by == "both" || text.Valid() && text == q.Side && by == string(text)
}

// Ended reports whether a clause is no longer asked on a day because the question was
// settled otherwise, as far as was published by then; known zero sees all. text is the side
// whose text the clause is of, empty where it is joint.
func (q Question) Ended(clause string, text Side, day, known calendar.Date) bool {
	ended := false
	for _, s := range q.Later {
		switch {
		case day.Before(s.From) || !known.IsZero() && s.Published.After(known):
		case !q.BindsText(s.By, text) || slices.Contains(s.Holds, clause):
			ended = false
		case slices.Contains(s.Ends, clause):
			ended = true
		}
	}
	return ended
}

// On returns who holds which reading on a day, as far as was published by then; known
// zero sees all.
func (q Question) On(day, known calendar.Date) (by string, reading lang.Text) {
	by, reading = q.By, q.Reading
	for _, s := range q.Later {
		if !day.Before(s.From) && (known.IsZero() || !s.Published.After(known)) {
			by, reading = s.By, s.Reading
		}
	}
	return by, reading
}

// Settled reports whether the reading of a day is one that settles the question: both
// sides agreed on it, or it is of one side's own text and that side holds it.
func (q Question) Settled(day, known calendar.Date) bool { return q.SettledFor(q.Side, day, known) }

// SettledFor is Settled for the clauses of a text: see BindsText.
func (q Question) SettledFor(text Side, day, known calendar.Date) bool {
	by, _ := q.On(day, known)
	return q.BindsText(by, text)
}

// Site returns the site with the id.
func (e *Edition) Site(id string) (Site, bool) {
	for _, s := range e.Sites {
		if s.ID == id {
			return s, true
		}
	}
	return Site{}, false
}

// SiteNumbered returns the site with the number.
func (e *Edition) SiteNumbered(n uint16) (Site, bool) {
	for _, s := range e.Sites {
		if s.Number == n {
			return s, true
		}
	}
	return Site{}, false
}

// Class returns the class with the id.
func (e *Edition) Class(id string) (Class, bool) {
	for _, c := range e.Classes {
		if c.ID == id {
			return c, true
		}
	}
	return Class{}, false
}

// ClassNumbered returns the class with the number.
func (e *Edition) ClassNumbered(n uint8) (Class, bool) {
	for _, c := range e.Classes {
		if c.Number == n {
			return c, true
		}
	}
	return Class{}, false
}

// Gate returns the gate of a site by number.
func (s Site) Gate(n uint16) (Gate, bool) {
	for _, g := range s.Gates {
		if g.Number == n {
			return g, true
		}
	}
	return Gate{}, false
}

// Clause returns the clause with the id, or nil.
func (e *Edition) Clause(id string) *Clause {
	for _, c := range e.Clauses {
		if c.ID == id {
			return c
		}
	}
	return nil
}

// Unread returns the files of the package that could not be read, so that nothing of what
// they say is in the edition.
func (e *Edition) Unread() []string { return e.unread }

// InOrder returns the ids of the instruments in the order of agreement.yaml.
func (e *Edition) InOrder() []string {
	return slices.SortedFunc(maps.Keys(e.Instruments), func(a, b string) int {
		return cmp.Or(cmp.Compare(e.where["instrument "+a].line, e.where["instrument "+b].line), strings.Compare(a, b))
	})
}

// ClausesOf returns the clauses of an instrument in the order of its text: as its files
// have them.
func (e *Edition) ClausesOf(instrument string) []*Clause {
	var out []*Clause
	for _, c := range e.Clauses {
		if c.Instrument == instrument {
			out = append(out, c)
		}
	}
	slices.SortStableFunc(out, func(a, b *Clause) int { return cmp.Or(strings.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line)) })
	return out
}

// place is where something is declared.
type place struct {
	file string
	line int
}

// SettledNow reports whether the newest reading settles the question.
func (q Question) SettledNow() bool { return q.SettledNowFor(q.Side) }

// SettledNowFor is SettledNow for the clauses of a text: see BindsText.
func (q Question) SettledNowFor(text Side) bool {
	if n := len(q.Later); n > 0 {
		return q.BindsText(q.Later[n-1].By, text)
	}
	return q.BindsText(q.By, text)
}

// SideOf returns the side whose text a clause is of, empty where it is joint.
func (e *Edition) SideOf(c *Clause) Side { return e.Instruments[c.Instrument].Side }
