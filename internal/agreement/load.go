// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package agreement

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/lang"
	"darwaza.dev/internal/money"
	"darwaza.dev/internal/reason"
)

// Load reads a package folder and checks it. The error is Faults where the package
// itself is at fault. A package without keys or signatures loads, for its authors;
// Adoptable says what it lacks. Conditions are looked at by package rules, which
// compiles them.
func Load(fsys fs.FS) (*Edition, error) {
	e, faults := Check(fsys)
	if errs := faults.Errors(); len(errs) > 0 {
		return nil, errs
	}
	return e, nil
}

// Check reads a package folder and returns all that is wrong with it, warnings
// included. The edition is nil where too little could be read to say more.
func Check(fsys fs.FS) (*Edition, Faults) {
	f, faults := readFolder(fsys)
	if len(faults) > 0 {
		// Bytes that could not be read, or that do not belong, cannot be signed.
		faults.Sort()
		return nil, faults
	}
	r := reader{folder: f, e: &Edition{
		Parties: map[Side]Party{}, Instruments: map[string]Instrument{}, Attributes: map[string]Attribute{},
		Parameters: map[string]*Parameter{}, Questions: map[string]Question{}, ListInfo: map[string]ListInfo{},
		Schedules: map[string]*calendar.Schedule{}, Profiles: map[string]Profile{}, Slots: map[string][]SlotRule{}, Signatures: map[Side][]byte{},
		Shares: map[string]Share{}, Events: map[string]EventKind{}, RuleSets: map[string]*RuleSet{}, Tables: map[string]*Table{}, Places: map[string]*Places{}, Values: map[string]map[string]lang.Text{},
		ValueLines: map[string][]ValueLine{}, turning: map[string][]calendar.Date{}, lineFile: map[string]string{}, where: map[string]place{},
	}, tableFile: map[string]string{}, lost: map[string]bool{}, spoken: map[lang.Tag]bool{}}
	r.all()
	if r.e.ID != "" {
		r.e.Files = f.signed()
		r.e.Hash = sha256.Sum256(r.e.Bytes())
		r.check()
	}
	r.untranslated()
	r.faults.Sort()
	if r.e.ID == "" {
		return nil, r.faults
	}
	return r.e, r.faults
}

// reader turns the files of a package into an edition and keeps what is wrong.
type reader struct {
	folder
	e      *Edition
	faults Faults
	file   string // being read
	// tableFile is the CSV file of each table.
	tableFile map[string]string
	spoken    map[lang.Tag]bool // languages that have any text
	lack      []lack
	lost      map[string]bool      // folders of which a file could not be read
	published map[string]bool      // JSON files of health/ that a rule set names
	work      int                  // see spend
	lines     int                  // of CSV files
	setters   map[string][]*Clause // those that override a clause
	errors    int                  // faults so far, see add
	warnings  int
	owner     string // id of what is being read, for faults
}

func (r *reader) fault(line int, what, mend string) {
	r.add(Fault{File: r.file, Line: line, Clause: r.owner, What: what, Mend: mend})
}

// add keeps a fault or a warning, and of each no more than anybody could read. A fault
// beyond that is one of a package that is refused already.
func (r *reader) add(f Fault) {
	n, what := &r.errors, "faults"
	if f.Warning {
		n, what = &r.warnings, "warnings"
	}
	if *n++; *n <= maxFaults {
		r.faults = append(r.faults, f)
	} else if *n == maxFaults+1 {
		r.faults = append(r.faults, Fault{File: f.File, Line: f.Line, What: fmt.Sprintf("more than %d %s: the rest is not shown", maxFaults, what), Mend: "mend these first", Warning: f.Warning})
	}
}

// spend counts work that grows faster than the package, and reports whether there may be
// more of it.
func (r *reader) spend(n int) bool {
	if r.work >= maxWork {
		return false
	}
	if r.work += n; r.work >= maxWork {
		r.fault(1, "takes too long to check: too many dates, places and cases together", "split the agreement")
		return false
	}
	return true
}

const (
	maxFaults  = 1000
	maxWork    = 2_000_000
	maxClauses = 2000
	maxMembers = 1000 // of each kind of declaration
	// maxExpression is the length of a condition in bytes, as package rules has it.
	maxExpression = 2000
)

// most returns the first of many declarations, and faults what is more.
func most[T any](r *reader, what string, list []at[T]) []at[T] {
	if len(list) <= maxMembers {
		return list
	}
	r.fault(list[maxMembers].line, fmt.Sprintf("more than %d %s", maxMembers, what), "split the agreement")
	return list[:maxMembers]
}

func (r *reader) warn(line int, what, mend string) {
	r.add(Fault{File: r.file, Line: line, Clause: r.owner, What: what, Mend: mend, Warning: true})
}

// decode reads one file and makes it the one that faults name.
func (r *reader) decode(p string, v any) bool {
	r.file, r.owner = p, ""
	if r.errors > maxFaults {
		return false
	}
	fs, whole := decodeYAML(p, r.files[p], v)
	r.faults = append(r.faults, fs...)
	if !whole {
		r.lost[path.Dir(p)] = true
		r.e.unread = append(r.e.unread, p)
	}
	return whole
}

// declare notes where something stands and faults what stands twice.
func (r *reader) declare(kind, id string, line int) {
	k := kind + " " + id
	if p, twice := r.e.where[k]; twice {
		r.fault(line, fmt.Sprintf("%s stands twice, first at %s:%d", k, p.file, p.line), "give one of them another id")
		return
	}
	r.e.where[k] = place{r.file, line}
}

func (r *reader) all() {
	if _, ok := r.files["agreement.yaml"]; !ok {
		r.faults = append(r.faults, Fault{File: "agreement.yaml", What: "missing", Mend: "write the file that names the agreement, its parties and sites"})
		return
	}
	var a rawAgreement
	if !r.decode("agreement.yaml", &a) {
		return
	}
	r.agreement(a)
	for _, p := range r.in("parameters", ".yaml") {
		var raw rawParameters
		if r.decode(p, &raw) {
			for _, x := range raw.Parameters {
				r.parameter(x.line, x.v)
			}
		}
	}
	for _, p := range r.in("lists", ".yaml") {
		var raw rawList
		if r.decode(p, &raw) {
			r.list(raw)
		}
	}
	for _, p := range r.in("tables", ".yaml") {
		var raw rawTable
		if r.decode(p, &raw) {
			r.table(raw)
		}
	}
	for _, p := range r.in("clauses", ".yaml") {
		if len(r.e.Clauses) == maxClauses {
			break
		}
		var raw rawClauses
		if r.decode(p, &raw) {
			r.clauses(raw)
		}
	}
	slices.SortFunc(r.e.Clauses, func(a, b *Clause) int { return strings.Compare(a.ID, b.ID) })
	for _, p := range r.in("schedule", ".yaml") {
		var raw rawSchedule
		if r.decode(p, &raw) {
			r.schedule(raw)
		}
	}
	for _, p := range r.in("tests", ".yaml") {
		var raw rawTests
		if r.decode(p, &raw) {
			for _, x := range raw.Scenarios {
				x.v.Facts = shared(raw.Given, x.v.Facts)
				r.scenario(x.line, x.v)
			}
		}
	}
	for _, p := range r.in("health", ".yaml") {
		var raw rawHealth
		if r.decode(p, &raw) {
			r.health(raw)
		}
	}
	for _, p := range r.in("sharing", ".yaml") {
		var raw rawSharing
		if r.decode(p, &raw) {
			for _, x := range most(r, "clauses of sharing", raw.Sharing) {
				r.share(x.line, x.v)
			}
		}
	}
	r.unnamed()
	r.keys()
}

// shared returns the facts of a scenario with those that its file gives to all. One that
// a scenario has itself stands, and one that it leaves empty is not known there.
func shared(given, own map[string]texts) map[string]texts {
	out := map[string]texts{}
	maps.Copy(out, given)
	for k, x := range own {
		if _, there := given[k]; there && !x.many && x.text == "" {
			delete(out, k)
			continue
		}
		out[k] = x
	}
	return out
}

func (r *reader) agreement(a rawAgreement) {
	e := r.e
	e.ID, e.Number, e.Title, e.Note = a.ID, a.Edition, trim(a.Title), trim(a.Note)
	e.Zone, e.ZoneData, e.Currency = a.Zone.text, a.ZoneData.text, a.Currency.text
	r.id(1, "agreement", a.ID)
	if a.ID == "" {
		e.ID = "?"
	}
	if a.Edition < 1 {
		r.fault(1, "edition is not a number from 1", "number the editions 1, 2, 3")
	}
	r.text(1, "title", e.Title)
	loc := r.zone(a.Zone.line, e.Zone)
	e.From = r.instant(a.From, loc, true)
	e.Until = r.instant(a.Until, loc, false)
	if !e.Until.IsZero() && !e.From.Before(e.Until) {
		r.fault(a.Until.line, "ends before it begins", "put until after from")
	}
	e.Notice, e.Members = r.notice(a.Notice, "notice", "the time between the last signature and from"), a.Members
	if a.Amends.text != "" {
		b, err := hex.DecodeString(a.Amends.text)
		if err != nil || len(b) != len(e.Amends) {
			r.fault(a.Amends.line, "amends is not the hash of an edition", "write the 64 hexadecimal digits that darwaza agreement hash gives of the edition before")
		} else {
			e.Amends = Hash(b)
		}
	}
	if !isCurrency(e.Currency) {
		r.fault(a.Currency.line, fmt.Sprintf("currency %q is not known", e.Currency), "write three letters of ISO 4217, such as USD")
	}
	switch a.Rounding.text {
	case "half-up":
		e.Rounding = money.HalfUp
	case "half-even":
		e.Rounding = money.HalfEven
	default:
		r.fault(max(a.Rounding.line, 1), fmt.Sprintf("rounding %q", a.Rounding.text), "write half-up or half-even: what becomes of half a minor unit")
	}
	for _, s := range [...]Side{A, B} {
		p, ok := a.Parties[s]
		if !ok {
			r.fault(1, fmt.Sprintf("no party %s", s), "name both parties, A and B")
			continue
		}
		r.owner = "party " + string(s)
		r.text(p.line, "name", trim(p.v.Name))
		r.zone(p.line, p.v.Zone)
		if len(p.v.Country) != 3 || strings.ToUpper(p.v.Country) != p.v.Country {
			r.fault(p.line, "country is not three capital letters", "write the code of ISO 3166, such as PAK")
		}
		if !isCurrency(p.v.Currency) {
			r.fault(p.line, fmt.Sprintf("currency %q is not known", p.v.Currency), "write three letters of ISO 4217")
		}
		e.Parties[s] = Party{Name: trim(p.v.Name), Country: p.v.Country, Zone: p.v.Zone, Language: lang.Tag(p.v.Language), Currency: p.v.Currency}
	}
	r.owner = ""
	for s, p := range a.Parties {
		if !s.Valid() {
			r.fault(p.line, fmt.Sprintf("party %q is neither A nor B", s), "an agreement has the sides A and B")
		}
	}
	for _, x := range most(r, "instruments", a.Instruments) {
		r.instrument(x.line, x.v)
	}
	for _, x := range most(r, "sites", a.Sites) {
		r.site(x.line, x.v)
	}
	if len(e.Sites) == 0 {
		r.fault(1, "no sites", "name at least one site")
	}
	numbers := map[int]bool{}
	for _, x := range a.Classes {
		r.owner = x.v.ID
		r.id(x.line, "class", x.v.ID)
		r.declare("class", x.v.ID, x.line)
		r.text(x.line, "name", trim(x.v.Name))
		if x.v.Number < 1 || x.v.Number > 255 || numbers[x.v.Number] {
			r.fault(x.line, "number of the class is not free, or not 1 to 255", "give each class a number of its own")
		}
		numbers[x.v.Number] = true
		e.Classes = append(e.Classes, Class{x.v.ID, uint8(x.v.Number), trim(x.v.Name)})
	}
	for _, x := range most(r, "attributes", a.Attributes) {
		r.attribute(x.line, x.v)
	}
	for _, x := range most(r, "events", a.Events) {
		r.event(x.line, x.v)
	}
	r.owner = ""
}

// notice reads "48 hours" or "14 days".
// notice reads a length of time; mend says what it is from and to.
func (r *reader) notice(s scalar, what, mend string) time.Duration {
	if s.text == "" {
		return 0
	}
	number, unit, _ := strings.Cut(s.text, " ")
	n, err := strconv.Atoi(number)
	step := map[string]time.Duration{"hours": time.Hour, "days": 24 * time.Hour}[unit]
	if err != nil || n < 1 || n > 10000 || step == 0 {
		r.fault(s.line, fmt.Sprintf("%s %q", what, s.text), fmt.Sprintf("write %s, such as 48 hours or 14 days", mend))
		return 0
	}
	return time.Duration(n) * step
}

// The fields that every event has; a kind cannot declare them anew.
func eventFields() []string { return []string{"at", "on", "site"} }

func (r *reader) event(line int, x rawEvent) {
	r.owner = x.ID
	r.id(line, "event", x.ID)
	r.declare("event", x.ID, line)
	r.text(line, "name", trim(x.Name))
	if x.ID == "lot" {
		r.fault(line, "the kind lot is made of the lots of a question", "call it something else")
	}
	for i, f := range x.Fields {
		switch a, ok := r.e.Attributes[f]; {
		case slices.Contains(x.Fields[:i], f):
			r.fault(line, fmt.Sprintf("field %q stands twice", f), "keep one of them")
		case slices.Contains(eventFields(), f):
			r.fault(line, fmt.Sprintf("field %q is one that every event has", f), "take it out")
		case !ok:
			r.fault(line, fmt.Sprintf("attribute %q is not declared", f), "declare it under attributes")
		case a.Derived:
			r.fault(line, fmt.Sprintf("field %q is derived", f), "use an attribute that is given")
		case a.Type == TypeCertificate:
			r.fault(line, fmt.Sprintf("field %q is a certificate", f), "use what is told of it, such as a day")
		}
	}
	r.e.Events[x.ID] = EventKind{ID: x.ID, Name: trim(x.Name), Fields: x.Fields, Line: line, File: r.file}
}

func (r *reader) instrument(line int, x rawInstrument) {
	r.owner = x.ID
	r.id(line, "instrument", x.ID)
	r.declare("instrument", x.ID, line)
	r.text(line, "title", trim(x.Title))
	if !slices.Contains(statuses(), x.Status) {
		r.fault(line, fmt.Sprintf("status %q", x.Status), "write "+strings.Join(statuses(), ", ")+`; "example" is for what no text says`)
	}
	if x.Source == "" {
		r.fault(line, "instrument without a source", "say where the text can be read")
	}
	if x.Side != "" && !x.Side.Valid() {
		r.fault(line, fmt.Sprintf("side %q", x.Side), "write A, B, or leave it out for a joint text")
	}
	for n, s := range x.Sides {
		if !s.Valid() || slices.Contains(x.Sides[:n], s) {
			r.fault(line, fmt.Sprintf("sides %q", s), "write [A], [B] or [A, B]: where its clauses hold")
		}
	}
	i := Instrument{ID: x.ID, Title: trim(x.Title), Side: x.Side, Sides: x.Sides, Status: x.Status, Source: x.Source, From: r.when(x.From), Until: r.when(x.Until), Published: r.date(x.Published), Ended: r.ended(x.Ended, x.Until), Absent: x.Absent}
	if !i.Until.IsZero() && i.From.Compare(i.Until) >= 0 {
		r.fault(x.Until.line, "ends before it begins", "put until after from")
	}
	r.e.Instruments[x.ID] = i
}

func (r *reader) site(line int, x rawSite) {
	r.owner = x.ID
	r.id(line, "site", x.ID)
	r.declare("site", x.ID, line)
	r.text(line, "name", trim(x.Name))
	r.zone(line, x.Zone)
	if x.Source == "" {
		r.fault(line, "site without a source", "say which text names it")
	}
	s := Site{ID: x.ID, Number: uint16(x.Number), Name: trim(x.Name), Zone: x.Zone, From: r.when(x.From), Source: x.Source, Sides: x.Sides}
	if _, taken := r.e.SiteNumbered(s.Number); taken || x.Number < 1 || x.Number > 65535 {
		r.fault(line, "number of the site is not free, or not 1 to 65535", "give each site a number of its own")
	}
	sides := map[Side]bool{}
	for _, g := range x.Gates {
		if _, taken := s.Gate(uint16(g.v.Number)); taken || g.v.Number < 1 || g.v.Number > 65535 {
			r.fault(g.line, "number of the gate is not free, or not 1 to 65535", "give each gate of the site a number of its own")
		}
		if !g.v.Side.Valid() {
			r.fault(g.line, fmt.Sprintf("gate of side %q", g.v.Side), "write A or B")
		}
		sides[g.v.Side] = true
		r.text(g.line, "name", trim(g.v.Name))
		s.Gates = append(s.Gates, Gate{uint16(g.v.Number), g.v.Side, trim(g.v.Name)})
	}
	if len(x.Sides) > 1 || len(x.Sides) == 1 && (!x.Sides[0].Valid() || sides[x.Sides[0].Other()]) {
		r.fault(line, fmt.Sprintf("sides %q of a site", x.Sides), "write [A] or [B] where that side alone has gates there, or leave it out")
	}
	if (!sides[A] || !sides[B]) && len(x.Sides) == 0 {
		r.warn(line, "a side has no gate at the site", "name a gate of each side, or write sides: [A] or [B] where the other side has none there")
	}
	r.e.Sites = append(r.e.Sites, s)
}

func (r *reader) attribute(line int, x rawAttribute) {
	r.owner = x.ID
	r.id(line, "attribute", x.ID)
	r.declare("attribute", x.ID, line)
	r.text(line, "name", trim(x.Name))
	if !slices.Contains(types(), x.Type) {
		r.fault(line, fmt.Sprintf("type %q", x.Type), "write "+strings.Join(types(), ", "))
	}
	if len(x.Values) > 0 && x.Type != "string" && x.Type != "strings" {
		r.fault(line, fmt.Sprintf("values of a %s", x.Type), "only a string or strings has a closed set of values")
	}
	for i, v := range x.Values {
		if l, odd := strange(v); odd {
			r.fault(line, fmt.Sprintf("value %q has a letter that is not plain Latin, %U", v, l), "write it anew with plain letters: conditions compare it byte by byte")
		}
		if v == "" || slices.Contains(x.Values[:i], v) {
			r.fault(line, fmt.Sprintf("value %q is empty or stands twice", v), "write each value once")
		}
	}
	if x.Unit != "" && (x.Type != "int" || !isUnit(x.Unit) || x.Unit == "date" || x.Unit == "text") {
		r.fault(line, fmt.Sprintf("unit %q of a %s", x.Unit, x.Type), "give a known unit to an int, or none")
	}
	if x.Type == TypeCertificate && (!x.Sensitive || x.Derived) {
		r.fault(line, "a certificate that is not sensitive, or that is derived", "write sensitive: true, so that nothing of it is kept or shown; nobody derives one")
	}
	for _, reserved := range reservedNames() {
		if x.ID == reserved || strings.HasPrefix(x.ID, reserved+".") {
			r.fault(line, "the name is kept for the engine", "call it something else")
		}
	}
	r.e.Attributes[x.ID] = Attribute{ID: x.ID, Type: x.Type, Name: trim(x.Name), Sensitive: x.Sensitive, Unit: x.Unit, Values: x.Values, Derived: x.Derived, Line: line, File: r.file}
}

// reservedNames are those that the engine gives to conditions.
func reservedNames() []string {
	return []string{"now", "today", "site", "side", "param", "event", "prior", "signed"}
}

func (r *reader) parameter(line int, x rawParameter) {
	r.owner = x.ID
	r.id(line, "parameter", x.ID)
	r.declare("parameter", x.ID, line)
	r.text(line, "text", trim(x.Text))
	if !isUnit(x.Unit) {
		r.fault(line, fmt.Sprintf("unit %q is not known", x.Unit), "write "+strings.Join(plainUnits(), ", ")+" or a currency")
	}
	p := &Parameter{ID: x.ID, Text: trim(x.Text), Unit: x.Unit, Line: line, File: r.file}
	if len(x.Values) == 0 {
		r.fault(line, "no values", `write the value, or "unknown" where the text leaves it empty`)
	}
	for _, y := range most(r, "values", x.Values) {
		v := ParameterValue{From: r.when(y.v.From), Until: r.when(y.v.Until), Published: r.date(y.v.Published), Ended: r.ended(y.v.Ended, y.v.Until), Site: y.v.Site, Side: y.v.Side,
			Text: y.v.Value.text, Source: strings.TrimSpace(y.v.Source), For: r.pins(y.v.For)}
		if v.From.IsZero() && y.v.From.text == "" {
			r.fault(y.line, "value without a date", "write from: the first day on which it holds")
		}
		if v.Source == "" {
			r.fault(y.line, "value without a source", "say which text gives it")
		}
		if v.Side != "" && !v.Side.Valid() {
			r.fault(y.line, fmt.Sprintf("side %q", v.Side), "write A or B, or leave it out")
		}
		if !v.Until.IsZero() && v.From.Compare(v.Until) >= 0 {
			r.fault(y.line, "ends before it begins", "put until after from")
		}
		switch {
		case v.Text == "unknown":
		case v.Text == "unlimited" && x.Unit != "date" && x.Unit != "text":
			v.Int, v.Known, v.Unlimited = math.MaxInt64, true, true
		default:
			n, err := quantity(v.Text, x.Unit)
			if err != nil {
				r.fault(y.line, err.Error(), `write a plain number of the unit, "unlimited" or "unknown"`)
			}
			v.Int, v.Known = n, err == nil
		}
		for _, o := range p.Values {
			if !r.spend(1) {
				break
			}
			if o.From == v.From && o.Site == v.Site && o.Side == v.Side && maps.Equal(o.For, v.For) {
				r.fault(y.line, fmt.Sprintf("two values from %s for the same site and side", v.From), "keep one of them")
			}
		}
		p.Values = append(p.Values, v)
	}
	r.e.Parameters[x.ID] = p
}

// pins reads the attributes and values for which something holds.
func (r *reader) pins(raw map[string]scalar) map[string]string {
	if len(raw) == 0 {
		return nil
	}
	out := map[string]string{}
	for _, k := range slices.Sorted(maps.Keys(raw)) {
		r.pin(raw[k].line, k, raw[k].text)
		out[k] = raw[k].text
	}
	return out
}

// pin faults a value that an attribute can never have.
func (r *reader) pin(line int, id, text string) {
	if l, odd := strange(text); odd {
		r.fault(line, fmt.Sprintf("value %q has a letter that is not plain Latin, %U", text, l), "write it anew with plain letters")
	}
	a, ok := r.e.Attributes[id]
	switch {
	case !ok:
		r.fault(line, fmt.Sprintf("attribute %q is not declared", id), "declare it in agreement.yaml")
	case a.Type != "string":
		r.fault(line, fmt.Sprintf("%s is a %s", id, a.Type), "tell cases apart by an attribute of type string")
	case len(a.Values) > 0 && !slices.Contains(a.Values, text):
		r.fault(line, fmt.Sprintf("%q is not a value of %s", text, id), "write one of "+strings.Join(a.Values, ", "))
	}
}

func (r *reader) clauses(raw rawClauses) {
	if raw.Instrument == "" {
		r.fault(1, "no instrument", "say whose clauses these are")
	} else if _, ok := r.e.Instruments[raw.Instrument]; !ok {
		r.fault(1, fmt.Sprintf("instrument %q is not known", raw.Instrument), "declare it in agreement.yaml")
	}
	for _, x := range raw.Questions {
		q := x.v
		r.owner = "question " + q.ID
		r.id(x.line, "question", q.ID)
		r.declare("question", q.ID, x.line)
		r.text(x.line, "asks", trim(q.Asks))
		r.text(x.line, "reading", trim(q.Reading))
		switch q.By {
		case "A", "B", "both", "nobody":
		default:
			r.fault(x.line, fmt.Sprintf("by %q", q.By), "write A, B, both or nobody")
		}
		if q.Words == "" {
			r.fault(x.line, "nothing says what leaves it open", "write words: the clause and what it leaves open")
		}
		r.e.Questions[q.ID] = Question{ID: q.ID, Asks: trim(q.Asks), Reading: trim(q.Reading), By: q.By, Words: strings.TrimSpace(q.Words), Clauses: q.Clauses, Side: r.e.Instruments[raw.Instrument].Side, Later: r.settled(q.Settled)}
	}
	for _, x := range raw.Clauses {
		if len(r.e.Clauses) == maxClauses {
			r.owner = ""
			r.fault(x.line, fmt.Sprintf("more than %d clauses", maxClauses), "split the agreement")
			return
		}
		r.clause(x.line, raw.Instrument, x.v)
	}
}

func (r *reader) clause(line int, instrument string, x rawClause) {
	r.owner = x.ID
	r.declare("clause", x.ID, line)
	r.strayFields(line, &x)
	c := &Clause{
		ID: x.ID, Anchor: anchor(x.ID), Instrument: instrument, Kind: x.Kind, At: x.At,
		Text: trim(x.Text), Say: trim(x.Say), Next: trim(x.Next), Published: r.date(x.Published),
		When: strings.TrimSpace(x.When), Require: strings.TrimSpace(x.Require), Then: r.outcome(line, x.Then.text, reason.Refuse),
		Else: r.outcome(line, x.Else, reason.Refuse), Missing: r.outcome(line, x.Missing, reason.Refer), Overrides: x.Overrides,
		Questions: x.Questions, Turns: x.Turns, Matter: x.Matter, Decides: x.Decides,
		Per: x.Per, Limit: x.Limit, Diverted: x.Diverted, Earlier: x.Earlier, Regime: x.Regime, List: x.List, Beside: x.Beside,
		Amount: x.Amount, Of: x.Of.strings(), Currency: x.Currency, Rate: x.Rate, Fields: x.Fields,
		Attribute: x.Attribute, Value: strings.TrimSpace(x.Value.text), Code: x.Code, Amounts: x.Amounts, Take: x.Take, Measure: x.Measure,
		Sum: x.Sum, Adds: x.Adds.text, AmountOf: x.AmountOf, Before: x.Before, After: x.After, AtLeast: x.AtLeast, AtMost: x.AtMost, Strict: x.Open,
		Start: x.Start, End: x.End, Days: x.Days, Nights: x.Nights, Counting: x.Counting,
		Expires: x.Expires, Issued: x.Issued, For: x.For, Including: x.Anniversary == "in", Over: x.Over,
		Place: x.Place, Region: x.Region, Since: x.Since, Distance: x.Distance, Times: x.Times, Within: x.Within, Running: x.Running, Tolerance: x.Tolerance, Either: x.Either,
		Release: strings.TrimSpace(x.Release), Step: x.Step, Classes: x.Classes, Direction: x.Direction, Voids: x.Voids, Weekdays: x.Weekdays, Profile: x.Profile, Disease: x.Disease,
		To: x.To.strings(), Never: x.Never, Table: x.Table, Certificate: x.Certificate, Rules: x.Rules,
		Line: line, File: r.file,
	}
	pick := func(s *rawSelect) *Select {
		if s == nil {
			return nil
		}
		return &Select{Events: s.Events, Where: strings.TrimSpace(s.Where)}
	}
	if x.Events != "" || x.Where != "" || x.Field != "" {
		c.Select = &Select{Events: x.Events, Where: strings.TrimSpace(x.Where), Field: x.Field}
	}
	if x.Window != nil {
		c.Span = &Span{Per: x.Window.Per, Rolling: x.Window.Rolling, Here: x.Window.Here}
	}
	for _, y := range x.Accepts {
		c.Accepts = append(c.Accepts, Accept(y))
	}
	for _, t := range x.Order {
		c.Order = append(c.Order, Turn(t))
	}
	for _, x := range [...]*string{&c.When, &c.Require, &c.Value, &c.Release} {
		if len(*x) > maxExpression {
			r.fault(line, fmt.Sprintf("an expression of more than %d bytes", maxExpression), "split the clause")
			*x = ""
		}
	}
	for _, s := range [...]*Select{c.Select, pick(x.First), pick(x.Then.pick), pick(x.Of.pick), pick(x.To.pick)} {
		if s != nil && len(s.Where) > maxExpression {
			r.fault(line, fmt.Sprintf("an expression of more than %d bytes", maxExpression), "split the clause")
		}
	}
	// Words that mean other things in other kinds.
	switch x.Kind {
	case KindPower:
		c.By = Side(x.By.text)
	case KindDuty:
		c.By, c.End = Side(x.By.text), x.Done
	case KindCap:
		c.Groups = x.By.strings()
	case KindTurn:
		c.Done = x.Done
	case KindWindow:
		c.Event = x.Event.text
	case KindShare:
		c.Events = x.Event.strings()
	case KindLedger:
		c.First, c.Second = pick(x.First), pick(x.Then.pick)
	case KindRatio:
		c.First, c.Second = pick(x.Of.pick), pick(x.To.pick)
	case KindSuspend:
		if c.Then == reason.None {
			c.Then = reason.Closed
		}
	}
	if x.Anniversary != "" && x.Anniversary != "in" && x.Anniversary != "out" {
		r.fault(line, fmt.Sprintf("anniversary %q", x.Anniversary), "write in where the anniversary is the last day, or out where the day before is")
	}
	r.days(line, x.Weekdays)
	if c.Anchor == "" || len(x.ID) > 40 || !ascii(x.ID) {
		r.fault(line, "clause id has no letter or digit, is too long, or is not of Latin letters", "write an id such as P8(iv)")
	}
	r.declare("anchor", c.Anchor, line)
	r.text(line, "text", c.Text)
	if p := (Period{From: r.when(x.From), Until: r.when(x.Until), Sites: x.Sites, Sides: x.Sides, Ended: r.ended(x.Ended, x.Until)}); !p.From.IsZero() || !p.Until.IsZero() || len(p.Sites)+len(p.Sides) > 0 {
		c.Holds = append(c.Holds, p)
		if len(x.Holds) > 0 {
			r.fault(line, "holds, and also from, until, sites or sides", "write all of them under holds")
		}
	}
	for _, h := range x.Holds {
		c.Holds = append(c.Holds, Period{From: r.when(h.v.From), Until: r.when(h.v.Until), Sites: h.v.Sites, Sides: h.v.Sides, Published: r.date(h.v.Published), Ended: r.ended(h.v.Ended, h.v.Until)})
	}
	if sides := r.e.Instruments[instrument].Sides; len(sides) == 1 {
		if len(c.Holds) == 0 {
			c.Holds = []Period{{}}
		}
		for i := range c.Holds {
			if len(c.Holds[i].Sides) == 0 {
				c.Holds[i].Sides = sides
			}
		}
	}
	for _, p := range c.Holds {
		if !p.Until.IsZero() && p.From.Compare(p.Until) >= 0 {
			r.fault(line, "ends before it begins", "put until after from")
		}
	}
	r.e.Clauses = append(r.e.Clauses, c)
}

// ended reads the day on which an end was published.
func (r *reader) ended(s, until scalar) calendar.Date {
	if s.text != "" && until.text == "" {
		r.fault(s.line, "ended, and no until", "write until, the first moment at which it no longer holds; ended is the day on which that end was published")
	}
	return r.date(s)
}

// settled reads the later readings of a question.
func (r *reader) settled(raw []at[rawSettlement]) []Settlement {
	var out []Settlement
	for _, x := range raw {
		s := Settlement{From: r.date(x.v.From), Published: r.date(x.v.Published), By: x.v.By, Reading: trim(x.v.Reading), Instrument: x.v.Instrument, Source: strings.TrimSpace(x.v.Source),
			Holds: x.v.Holds, Ends: x.v.Ends, Line: x.line}
		r.text(x.line, "reading", s.Reading)
		switch s.By {
		case "A", "B", "both", "nobody":
		default:
			r.fault(x.line, fmt.Sprintf("by %q", s.By), "write A, B, both or nobody")
		}
		if s.From.IsZero() {
			r.fault(x.line, "settled without a date", "write from: the day from which the reading holds")
		}
		if s.Source == "" {
			r.fault(x.line, "settled without a source", "say which text gives the reading")
		}
		if _, ok := r.e.Instruments[s.Instrument]; s.Instrument != "" && !ok {
			r.fault(x.line, fmt.Sprintf("instrument %q is not known", s.Instrument), "declare it in agreement.yaml")
		}
		if n := len(out); n > 0 && !out[n-1].From.Before(s.From) {
			r.fault(x.line, "settled out of order", "write the oldest first, each from a day of its own")
		}
		out = append(out, s)
	}
	return out
}

// anchor makes an id fit for a link: "P8(i)-b" becomes "p8-i-b".
func anchor(id string) string {
	var b strings.Builder
	for _, c := range strings.ToLower(id) {
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' {
			b.WriteRune(c)
		} else if b.Len() > 0 && !strings.HasSuffix(b.String(), "-") {
			b.WriteByte('-')
		}
	}
	return strings.TrimSuffix(b.String(), "-")
}

func ascii(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// id faults an id that two readers could take for different ones.
func (r *reader) id(line int, kind, s string) {
	ok := s != "" && len(s) <= 60
	for _, part := range strings.FieldsFunc(s, func(c rune) bool { return c == '.' || c == '-' }) {
		for i := 0; i < len(part); i++ {
			c := part[i]
			ok = ok && (c >= 'a' && c <= 'z' || c >= '0' && c <= '9')
		}
	}
	// A condition would read a dash as a minus.
	ok = ok && !((kind == "attribute" || kind == "parameter") && strings.Contains(s, "-"))
	if !ok || strings.Contains(s, "..") || strings.Trim(s, ".-") != s {
		r.fault(line, fmt.Sprintf("%s id %q", kind, s), "use small Latin letters and digits, with dots between, or dashes where no condition reads it")
	}
}

// text reports a text that readers need and that a language lacks.
func (r *reader) text(line int, field string, t lang.Text) {
	for tag, s := range t {
		if !slices.Contains(lang.Tags[:], tag) {
			r.fault(line, fmt.Sprintf("%s in language %q", field, tag), "write en, fa or ur; within braces a text with a comma stands in quotes")
		}
		if len(s) > 4000 {
			r.fault(line, field+" is longer than 4,000 bytes", "shorten it")
		}
	}
	if len(t) == 0 {
		r.fault(line, "no "+field, "write it in each language")
		return
	}
	for _, tag := range lang.Tags {
		if t[tag] != "" {
			r.spoken[tag] = true
		} else if r.lack = append(r.lack, lack{tag, Fault{File: r.file, Line: line, Clause: r.owner, What: fmt.Sprintf("%s is missing in %s", field, tag), Mend: "have it translated", Warning: true}}); len(r.lack) > 3*maxFaults {
			r.lack = r.lack[:3*maxFaults] // more than is shown
		}
	}
}

// lack is a text that a language does not have.
type lack struct {
	tag   lang.Tag
	fault Fault
}

// untranslated warns of texts that a language lacks, once of a language that has none.
func (r *reader) untranslated() {
	for _, tag := range lang.Tags {
		if !r.spoken[tag] {
			r.file, r.owner = "agreement.yaml", ""
			r.warn(1, fmt.Sprintf("no text is in %s", tag), "have the package translated")
		}
	}
	for _, l := range r.lack {
		if r.spoken[l.tag] {
			r.add(l.fault)
		}
	}
}

// outcome reads one. Where it is none of them it is taken for otherwise, so that one slip
// is one fault.
func (r *reader) outcome(line int, s string, otherwise reason.Outcome) reason.Outcome {
	if s == "" {
		return reason.None
	}
	o, ok := reason.ParseOutcome(s)
	if ok {
		return o
	}
	if o, ok = reason.ParseOutcome(strings.ToUpper(s)); ok {
		r.fault(line, fmt.Sprintf("outcome %q", s), "write "+o.String())
		return o
	}
	r.fault(line, fmt.Sprintf("outcome %q", s), "write ALLOW, DIVERT, HOLD, REFER, REFUSE, CLOSED, CONFLICT or BREACH")
	return otherwise
}

// when reads a moment, zero where none is written.
func (r *reader) when(s scalar) Moment {
	if s.text == "" {
		return Moment{}
	}
	m, err := ParseMoment(s.text)
	if _, is := r.e.Attributes[s.text]; err != nil && is {
		r.fault(s.line, err.Error(), "from and until say when something holds; write the attribute under start or end of a stay, expires of a validity")
	} else if err != nil {
		r.fault(s.line, err.Error(), "write yyyy-mm-dd, yyyy-mm-ddThh:mm, a month yyyy-mm or a year where no day is known, yyyy-mm-dd/yyyy-mm-dd where it lies between two days, or unknown")
	}
	return m
}

// date reads a date, zero where none is written.
func (r *reader) date(s scalar) calendar.Date {
	if s.text == "" {
		return calendar.Date{}
	}
	d, err := calendar.ParseDate(s.text)
	if err != nil {
		r.fault(s.line, fmt.Sprintf("%q is not a date", s.text), "write yyyy-mm-dd")
	}
	return d
}

// instant reads a date, or a date and a minute "2023-05-18T08:00", by the clock of loc.
func (r *reader) instant(s scalar, loc *time.Location, must bool) time.Time {
	if s.text == "" {
		if must {
			r.fault(1, "no date from which it is in force", "write from: yyyy-mm-dd")
		}
		return time.Time{}
	}
	on, clock, timed := strings.Cut(s.text, "T")
	d, err := calendar.ParseDate(on)
	var m calendar.Minute
	if err == nil && timed {
		m, err = calendar.ParseMinute(clock)
	}
	if err != nil {
		r.fault(s.line, fmt.Sprintf("%q is not a date", s.text), "write yyyy-mm-dd, or yyyy-mm-ddThh:mm")
		return time.Time{}
	}
	if loc == nil {
		return time.Time{}
	}
	return d.At(m, loc).UTC()
}

func (r *reader) zone(line int, name string) *time.Location {
	loc, err := calendar.Zone(name)
	if err != nil {
		r.fault(line, fmt.Sprintf("time zone %q is not known", name), "write an IANA name such as Asia/Karachi; a new zone needs a new release")
		return nil
	}
	return loc
}

// trim takes the line ends off that YAML leaves on folded texts.
func trim(t lang.Text) lang.Text {
	for k, s := range t {
		t[k] = strings.TrimSpace(s)
	}
	return t
}
