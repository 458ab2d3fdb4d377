// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package agreement

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode"

	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/certlogic"
	"darwaza.dev/internal/goods"
	"darwaza.dev/internal/lang"
	"darwaza.dev/internal/money"
	"darwaza.dev/internal/pass"
)

// Change is one thing in which two editions differ.
type Change struct {
	// What is the kind of thing: "agreement", "party", "instrument", "site", "class",
	// "attribute", "event", "parameter", "list", "places", "values", "table", "question",
	// "clause", "schedule", "slots", "level", "profile", "sharing", "scenario", "key", "signer" or "file".
	What string `json:"what"`
	ID   string `json:"id,omitempty"`
	// Field is the part of it that differs, in words; empty where it is new or gone.
	Field string `json:"field,omitempty"`
	Old   string `json:"old,omitempty"`
	New   string `json:"new,omitempty"`
	// From is the moment from which it holds, where it has one.
	From string `json:"from,omitempty"`
	// Part is "effect" where an answer can turn on it, "scenario", "text" for names, texts
	// and sources, and "file" for bytes.
	Part string `json:"part"`
	// Text says it in one English sentence, without a full stop.
	Text string `json:"text"`

	group string // what it is one of many of, such as "list goods"; empty where it stands alone
}

// Diff says in plain words what the new edition changes: first what answers turn on
// (numbers, clauses, hours, lists and the rest), then scenarios, then names and texts,
// then files. It is empty only where both have the same signed bytes: what it has no
// words for, such as a comment, is a change of a file. Signatures are left out.
func Diff(before, after *Edition) []Change {
	d := differ{a: before, b: after}
	d.agreement()
	d.parameters()
	d.clauses()
	d.schedules()
	d.lists()
	d.tables()
	each(&d, "question", before.Questions, after.Questions, func(_ teller, x Question) string { return quoted(x.Asks) + ", reading by " + x.By })
	each(&d, "instrument", before.Instruments, after.Instruments, func(t teller, x Instrument) string { return quoted(x.Title) + ", " + t.rest(x) })
	each(&d, "site", byID(before.Sites, siteName), byID(after.Sites, siteName), func(_ teller, x Site) string { return quoted(x.Name) })
	each(&d, "class", byID(before.Classes, className), byID(after.Classes, className), func(_ teller, x Class) string { return quoted(x.Name) })
	each(&d, "attribute", before.Attributes, after.Attributes, func(t teller, x Attribute) string { return quoted(x.Name) + ", " + t.rest(x) })
	each(&d, "event", before.Events, after.Events, func(_ teller, x EventKind) string { return quoted(x.Name) })
	each(&d, "level", byID(before.Levels, levelName), byID(after.Levels, levelName), func(t teller, x Level) string { return quoted(x.Name) + ", " + t.rest(x) })
	if x, y := mapped(before.Levels, levelName), mapped(after.Levels, levelName); !slices.Equal(x, y) && slices.Equal(slices.Sorted(slices.Values(x)), slices.Sorted(slices.Values(y))) {
		d.changed(Change{What: "agreement", Field: "levels, from mild to strict,", Old: strings.Join(x, ", "), New: strings.Join(y, ", ")}, "agreement")
	}
	each(&d, "profile", before.Profiles, after.Profiles, func(t teller, x Profile) string { return quoted(x.Name) + ", " + t.rest(x) })
	d.ruleSets()
	each(&d, "sharing", before.Shares, after.Shares, func(_ teller, x Share) string {
		return quoted(x.Text) + ", of " + strings.Join(x.Facts, ", ") + " with " + strings.Join(x.With, ", ")
	})
	d.parties()
	each(&d, "scenario", byID(before.Tests, scenarioName), byID(after.Tests, scenarioName), func(_ teller, x Scenario) string { return fmt.Sprintf("%q", x.Title) })
	d.files()
	slices.SortStableFunc(d.out, func(x, y Change) int {
		return cmp.Compare(slices.Index(parts[:], x.Part), slices.Index(parts[:], y.Part))
	})
	return d.out
}

// The parts of a change, in their order.
const (
	partEffect   = "effect"
	partScenario = "scenario"
	partText     = "text"
	partFile     = "file"
)

var parts = [...]string{partEffect, partScenario, partText, partFile}

// maxTold is how many changes of one list are told one by one.
const maxTold = 10

// Tell writes changes in lines. Names, texts and sources are counted in one line unless
// texts is set, and of one list or schedule, of the scenarios and of the files no more than ten are
// told one by one unless all is.
func Tell(changes []Change, texts, all bool) []string {
	var out []string
	hidden := 0
	size, told := map[string]int{}, map[string]int{}
	for _, c := range changes {
		size[c.Part+" "+c.group]++
	}
	for _, c := range changes {
		if c.Part == partText && !texts {
			hidden++
			continue
		}
		k := c.Part + " " + c.group
		if c.group == "" || all || told[k] < maxTold {
			out = append(out, c.Text)
		}
		if told[k]++; c.group != "" && !all && told[k] == size[k] && size[k] > maxTold {
			out = append(out, fmt.Sprintf("%s: and %d more of %d changes (--all shows them)", c.group, size[k]-maxTold, size[k]))
		}
	}
	switch {
	case hidden == 1:
		out = append(out, "1 change of a name, a text or a source (--texts shows it)")
	case hidden > 1:
		out = append(out, fmt.Sprintf("%d changes of names, texts and sources (--texts shows them)", hidden))
	}
	return out
}

func siteName(s Site) string         { return s.ID }
func className(c Class) string       { return c.ID }
func scenarioName(s Scenario) string { return s.ID }
func levelName(l Level) string       { return l.ID }

func byID[T any](list []T, id func(T) string) map[string]T {
	out := make(map[string]T, len(list))
	for _, x := range list {
		out[id(x)] = x
	}
	return out
}

func deref[T any](m map[string]*T) map[string]T {
	out := make(map[string]T, len(m))
	for k, x := range m {
		out[k] = *x
	}
	return out
}

func clauses(e *Edition) map[string]Clause {
	out := make(map[string]Clause, len(e.Clauses))
	for _, c := range e.Clauses {
		out[c.ID] = *c
	}
	return out
}

type differ struct {
	a, b *Edition
	out  []Change
}

func (d *differ) say(c Change, format string, args ...any) {
	c.Text = fmt.Sprintf(format, args...)
	switch c.What {
	case "scenario":
		c.group = "scenarios"
	case "file":
		c.group = "files"
	case "list", "places", "values", "rule set":
		if c.Field != "" {
			c.group = c.What + " " + c.ID
		}
	case "schedule", "slots":
		c.group = "schedule of " + c.ID
	case "table":
		if c.Field == "row" {
			c.group = "table " + c.ID
		}
	}
	if c.Part == "" {
		c.Part = partEffect
		switch c.What {
		case "scenario", "file":
			c.Part = c.What
		}
		if c.Field == "source" || c.Field == "words" {
			c.Part = partText
		}
	}
	d.out = append(d.out, c)
}

// both returns the keys of two maps, sorted.
func both[V, W any](a map[string]V, b map[string]W) []string {
	keys := slices.Collect(maps.Keys(a))
	for k := range b {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// each compares things of one kind by id: which are new, which are gone, and which
// fields of the others differ.
func each[T any](d *differ, what string, a, b map[string]T, about func(teller, T) string) {
	for _, id := range both(a, b) {
		x, had := a[id]
		y, has := b[id]
		name := what + " " + id
		switch {
		case !had:
			d.say(Change{What: what, ID: id, New: about(teller{d.b}, y)}, "%s is new: %s", name, about(teller{d.b}, y))
		case !has:
			d.say(Change{What: what, ID: id, Old: about(teller{d.a}, x)}, "%s is taken out: %s", name, about(teller{d.a}, x))
		default:
			d.fields(what, id, name, reflect.ValueOf(x), reflect.ValueOf(y))
		}
	}
}

// places in which a thing stands, and what is told elsewhere.
func untold(field string) bool {
	switch field {
	case "ID", "Line", "File", "Anchor", "Rows":
		return true
	}
	return false
}

// fields compares the exported fields of two structs of one type.
func (d *differ) fields(what, id, name string, x, y reflect.Value) {
	for i := range x.NumField() {
		f := x.Type().Field(i)
		if !f.IsExported() || untold(f.Name) || reflect.DeepEqual(x.Field(i).Interface(), y.Field(i).Interface()) {
			continue
		}
		switch old := x.Field(i).Interface().(type) {
		case lang.Text:
			if new := y.Field(i).Interface().(lang.Text); f.Name == "Open" && (len(old) == 0) != (len(new) == 0) {
				from, to := "", "yes: what it does not name may be on it too"
				if len(new) == 0 {
					from, to = to, from
				}
				d.changed(Change{What: what, ID: id, Field: "open", Old: from, New: to}, name)
			}
			d.text(what, id, name, words(f.Name), old, y.Field(i).Interface().(lang.Text))
			continue
		case map[string]lang.Text:
			d.texts(what, id, name, words(f.Name), old, y.Field(i).Interface().(map[string]lang.Text))
			continue
		}
		from, to := teller{d.a}.told(x.Field(i)), teller{d.b}.told(y.Field(i))
		if line, ok := x.Interface().(goods.Line); ok && f.Name == "Rate" {
			from, to = percentText(line.Rate), percentText(y.Interface().(goods.Line).Rate)
		}
		if from == to {
			continue // the same to a reader, such as none and an empty list
		}
		d.changed(Change{What: what, ID: id, Field: words(f.Name), Old: from, New: to}, name)
	}
}

func (d *differ) changed(c Change, name string) {
	switch {
	case c.Old == "":
		d.say(c, "%s: %s is now %s, and was not there", name, c.Field, c.New)
	case c.New == "":
		d.say(c, "%s: %s is taken out; it was %s", name, c.Field, c.Old)
	case strings.HasPrefix(c.Old, "from ") || strings.HasPrefix(c.New, "from "):
		d.say(c, "%s: %s is now %s; it was %s", name, c.Field, c.New, c.Old)
	default:
		d.say(c, "%s: %s changes from %s to %s", name, c.Field, c.Old, c.New)
	}
}

func (d *differ) text(what, id, name, field string, old, new lang.Text) {
	for _, tag := range lang.Tags {
		if old[tag] == new[tag] {
			continue
		}
		quote := func(s string) string {
			if s == "" {
				return ""
			}
			return "“" + s + "”"
		}
		d.changed(Change{What: what, ID: id, Field: fmt.Sprintf("the %s in %s", field, tag), Old: quote(old[tag]), New: quote(new[tag]), Part: partText}, name)
	}
}

func (d *differ) texts(what, id, name, field string, old, new map[string]lang.Text) {
	for _, k := range both(old, new) {
		if len(old[k]) > 0 && len(new[k]) > 0 { // what is new or gone is told with its name
			d.text(what, id, name, field+" of "+k, old[k], new[k])
		}
	}
}

// clauses compares clauses by all that an answer can turn on, and by their texts.
func (d *differ) clauses() {
	old, new := clauses(d.a), clauses(d.b)
	does := func(e *Edition, c Clause) string {
		return strings.Join(mapped(e.Reading(&c), func(r Read) string { return r.Word + ": " + r.Value }), "; ")
	}
	for _, id := range both(old, new) {
		x, had := old[id]
		y, has := new[id]
		switch {
		case !had:
			s := does(d.b, y)
			d.say(Change{What: "clause", ID: id, New: s}, "%s is new: %s; text: %s", id, s, quoted(y.Text))
		case !has:
			s := does(d.a, x)
			d.say(Change{What: "clause", ID: id, Old: s}, "%s is taken out: %s; text: %s", id, s, quoted(x.Text))
		default:
			if x.Instrument != y.Instrument {
				d.changed(Change{What: "clause", ID: id, Field: "instrument", Old: x.Instrument, New: y.Instrument}, id)
			}
			was, is := map[string]Read{}, map[string]Read{}
			var fields []string
			for _, r := range d.a.Reading(&x) {
				was[r.Field], fields = r, append(fields, r.Field)
			}
			for _, r := range d.b.Reading(&y) {
				if is[r.Field] = r; was[r.Field].Field == "" {
					fields = append(fields, r.Field)
				}
			}
			for _, f := range fields {
				if was[f].Value != is[f].Value {
					d.changed(Change{What: "clause", ID: id, Field: cmp.Or(is[f].Word, was[f].Word), Old: was[f].Value, New: is[f].Value}, id)
				}
			}
			d.text("clause", id, id, "text", x.Text, y.Text)
			d.text("clause", id, id, "say", x.Say, y.Say)
			d.text("clause", id, id, "next", x.Next, y.Next)
		}
	}
}

// tables compares tables, and their lines by what they say, not by where they stand.
func (d *differ) tables() {
	each(d, "table", deref(d.a.Tables), deref(d.b.Tables), func(_ teller, x Table) string { return quoted(x.Title) })
	lines := func(t *Table) []string {
		if t == nil {
			return nil
		}
		return mapped(t.Rows, t.RowText)
	}
	for _, id := range both(d.a.Tables, d.b.Tables) {
		old, new := lines(d.a.Tables[id]), lines(d.b.Tables[id])
		for _, s := range new {
			if !slices.Contains(old, s) {
				d.say(Change{What: "table", ID: id, Field: "row", New: s}, "table %s: a row is new: %s", id, s)
			}
		}
		for _, s := range old {
			if !slices.Contains(new, s) {
				d.say(Change{What: "table", ID: id, Field: "row", Old: s}, "table %s: a row is taken out: %s", id, s)
			}
		}
	}
}

// ruleSets compares sets of rules by each rule and version, and each code of their value sets.
func (d *differ) ruleSets() {
	each(d, "rule set", ruleSetInfo(d.a), ruleSetInfo(d.b), func(_ teller, x ruleSetAbout) string { return quoted(x.Title) + ", " + x.size })
	rules := func(e *Edition, id string) map[string]*certlogic.Rule {
		out := map[string]*certlogic.Rule{}
		if s := e.RuleSets[id]; s != nil {
			for _, r := range s.Rules.Rules() {
				out[r.ID+" "+r.Version] = r
			}
		}
		return out
	}
	for _, id := range both(d.a.RuleSets, d.b.RuleSets) {
		was, is := rules(d.a, id), rules(d.b, id)
		for _, k := range both(was, is) {
			x, y := was[k], is[k]
			switch {
			case x == nil:
				d.say(Change{What: "rule set", ID: id, Field: k, New: y.About()}, "rule set %s: rule %s is new: %s", id, k, y.About())
			case y == nil:
				d.say(Change{What: "rule set", ID: id, Field: k, Old: x.About()}, "rule set %s: rule %s is taken out: %s", id, k, x.About())
			case !x.Same(y):
				d.say(Change{What: "rule set", ID: id, Field: k, Old: x.About(), New: y.About()}, "rule set %s: rule %s says something else under the same version: %s", id, k, y.About())
			}
		}
		x, y := &RuleSet{}, &RuleSet{}
		if s := d.a.RuleSets[id]; s != nil {
			x = s
		}
		if s := d.b.RuleSets[id]; s != nil {
			y = s
		}
		for _, k := range both(x.Values, y.Values) {
			for _, code := range y.Values[k] {
				if !slices.Contains(x.Values[k], code) {
					d.say(Change{What: "rule set", ID: id, Field: k, New: code}, "rule set %s: value set %s: %s is new", id, k, code)
				}
			}
			for _, code := range x.Values[k] {
				if !slices.Contains(y.Values[k], code) {
					d.say(Change{What: "rule set", ID: id, Field: k, Old: code}, "rule set %s: value set %s: %s is taken out", id, k, code)
				}
			}
		}
	}
}

// ruleSetAbout is what is said of a set as a whole.
type ruleSetAbout struct {
	ID      string
	Title   lang.Text
	Source  string
	Arrival string
	Region  string
	size    string
}

func ruleSetInfo(e *Edition) map[string]ruleSetAbout {
	out := map[string]ruleSetAbout{}
	for id, s := range e.RuleSets {
		out[id] = ruleSetAbout{s.ID, s.Title, s.Source, s.Arrival, s.Region, fmt.Sprintf("%d rules", len(s.Rules.Rules()))}
	}
	return out
}

// agreement compares what is said of the agreement as a whole.
func (d *differ) agreement() {
	a, b := d.a, d.b
	field := func(name, old, new string) {
		if old != new {
			d.changed(Change{What: "agreement", Field: name, Old: old, New: new}, "the agreement")
		}
	}
	field("its id", a.ID, b.ID)
	if a.Number != b.Number {
		field("the edition", fmt.Sprint(a.Number), fmt.Sprint(b.Number))
	}
	d.text("agreement", "", "the agreement", "title", a.Title, b.Title)
	d.text("agreement", "", "the agreement", "note", a.Note, b.Note)
	term := func(t time.Time, e *Edition) string {
		if t.IsZero() {
			return ""
		}
		return t.In(teller{e}.clock()).Format("2006-01-02 15:04") + " in " + e.Zone
	}
	field("its beginning", term(a.From, a), term(b.From, b))
	field("its end", term(a.Until, a), term(b.Until, b))
	field("its clock", a.Zone, b.Zone)
	field("the time zone data", a.ZoneData, b.ZoneData)
	field("the currency of limits", a.Currency, b.Currency)
	field("rounding", rounding(a.Rounding), rounding(b.Rounding))
	field("the notice", notice(a.Notice), notice(b.Notice))
	hash := func(h Hash) string {
		if h == (Hash{}) {
			return ""
		}
		return fmt.Sprintf("%x", h[:])
	}
	field("the edition that it amends", hash(a.Amends), hash(b.Amends))
	field("the members", strings.Join(a.Members, ", "), strings.Join(b.Members, ", "))
}

// parties compares the two sides and their keys.
func (d *differ) parties() {
	a, b := d.a, d.b
	for _, s := range [...]Side{A, B} {
		x, y := a.Parties[s], b.Parties[s]
		if !bytes.Equal(x.Keys.Root, y.Keys.Root) {
			d.changed(Change{What: "key", ID: string(s), Field: "the root key", Old: fingerprint(x.Keys.Root), New: fingerprint(y.Keys.Root)}, "side "+string(s))
		}
		if !bytes.Equal(x.Keys.Exchange, y.Keys.Exchange) {
			d.changed(Change{What: "key", ID: string(s), Field: "the exchange key", Old: fingerprint(x.Keys.Exchange), New: fingerprint(y.Keys.Exchange)}, "side "+string(s))
		}
		if x.Keys.Log != y.Keys.Log {
			d.changed(Change{What: "key", ID: string(s), Field: "the log key", Old: x.Keys.Log, New: y.Keys.Log}, "side "+string(s))
		}
		if x.Keys.Cosigner != y.Keys.Cosigner {
			d.changed(Change{What: "key", ID: string(s), Field: "the key of cosignatures", Old: x.Keys.Cosigner, New: y.Keys.Cosigner}, "side "+string(s))
		}
		x.Keys, y.Keys = Keys{}, Keys{}
		d.fields("party", string(s), "side "+string(s), reflect.ValueOf(x), reflect.ValueOf(y))
	}
	old, new := certificates(a), certificates(b)
	for _, k := range both(old, new) {
		switch {
		case old[k] == "":
			d.say(Change{What: "signer", ID: k, New: new[k]}, "%s, %s: certified", k, new[k])
		case new[k] == "":
			d.say(Change{What: "signer", ID: k, Old: old[k]}, "%s, %s: no longer certified in the package", k, old[k])
		}
	}
}

// certificates are the keys that the roots certify, each with when.
func certificates(e *Edition) map[string]string {
	out := map[string]string{}
	for _, b := range e.Certificates {
		c, err := pass.ParseCertificate(b)
		if err != nil {
			continue
		}
		who := fmt.Sprintf("side %s, %s key %s", c.Side, c.Use, c.Key)
		if c.Person != "" {
			who = fmt.Sprintf("side %s, %s, key %s", c.Side, c.Person, c.Key)
		}
		if !c.Revoked.IsZero() {
			out[fmt.Sprintf("side %s, key %s", c.Side, c.Key)] = "taken back on " + c.Revoked.Format(time.DateOnly)
			continue
		}
		out[who] = c.From.Format(time.DateOnly) + " until before " + c.Until.Format(time.DateOnly)
	}
	return out
}

func fingerprint(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	h := sha256.Sum256(b)
	return fmt.Sprintf("%x", h[:8])
}

func rounding(r money.Rounding) string {
	if r == money.HalfEven {
		return "half-even"
	}
	return "half-up"
}

func notice(n time.Duration) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("%d hours", n/time.Hour)
}

// uses are the clauses that name a parameter in a field of their own, with what it is
// to them: "the limit".
func uses(e *Edition, id string) (by []string, as map[string]string) {
	as = map[string]string{}
	for _, c := range e.Clauses {
		for _, u := range [...]struct{ name, id string }{
			{"the limit", c.Limit}, {"the rate", c.Rate}, {"the least distance", c.AtLeast}, {"the greatest distance", c.AtMost},
			{"the number of days", c.Days}, {"the number of nights", c.Nights}, {"the time for which it is valid", c.For},
			{"the ratio", c.Times}, {"the time within which", c.Within}, {"the tolerance", c.Tolerance},
		} {
			if u.id == id && as[c.ID] == "" {
				by, as[c.ID] = append(by, c.ID), u.name
			}
		}
		if c.Span != nil && c.Span.Rolling == id && as[c.ID] == "" {
			by, as[c.ID] = append(by, c.ID), "the period"
		}
	}
	return by, as
}

// reading are the clauses whose conditions and formulas name a parameter.
func reading(e *Edition, id string) []string {
	var out []string
	for _, c := range e.Clauses {
		for _, text := range [...]string{c.When, c.Require, c.Value, c.Release} {
			if speaksOf(text, id) {
				out = append(out, c.ID)
				break
			}
		}
	}
	return out
}

// named reports whether an expression has a name, and not one that only begins like it.
func named(text, name string) bool {
	part := func(c byte) bool {
		return c == '.' || c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
	}
	for at := 0; ; {
		i := strings.Index(text[at:], name)
		if i < 0 {
			return false
		}
		i += at
		end := i + len(name)
		if (i == 0 || !part(text[i-1])) && (end == len(text) || !part(text[end])) {
			return true
		}
		at = i + 1
	}
}

func (d *differ) parameters() {
	for _, id := range both(d.a.Parameters, d.b.Parameters) {
		x, y := d.a.Parameters[id], d.b.Parameters[id]
		switch {
		case x == nil:
			var all []string
			for _, v := range y.Values {
				all = append(all, ValueText(v, y.Unit))
			}
			d.say(Change{What: "parameter", ID: id, New: strings.Join(all, "; ")}, "parameter %s is new: %s", id, strings.Join(all, "; "))
			continue
		case y == nil:
			var all []string
			for _, v := range x.Values {
				all = append(all, ValueText(v, x.Unit))
			}
			d.say(Change{What: "parameter", ID: id, Old: strings.Join(all, "; ")}, "parameter %s is taken out: %s", id, strings.Join(all, "; "))
			continue
		}
		d.text("parameter", id, "parameter "+id, "text", x.Text, y.Text)
		if x.Unit != y.Unit {
			d.changed(Change{What: "parameter", ID: id, Field: "the unit", Old: x.Unit, New: y.Unit}, "parameter "+id)
		}
		d.values(x, y)
	}
}

// values compares the dated values of a parameter, and says each change once for each
// clause to which it is a limit, a rate or the like.
func (d *differ) values(x, y *Parameter) {
	by, as := uses(d.b, y.ID)
	say := func(v ParameterValue, old, new, what string) {
		c := Change{What: "parameter", ID: y.ID, Field: "value" + scope(v), Old: old, New: new, From: v.From.String()}
		if strings.HasPrefix(what, "of ") && strings.Contains(what, " has the source ") {
			c.Part = partText
		}
		said := false
		for _, id := range by {
			if d.b.Clause(id).covers(v.Site, v.Side) {
				d.say(c, "%s: %s %s%s %s", id, as[id], y.ID, scope(v), what)
				said = true
			}
		}
		if said {
			return
		}
		read := ""
		if r := reading(d.b, y.ID); len(r) > 0 {
			read = " (read by " + strings.Join(r, ", ") + ")"
		}
		d.say(c, "parameter %s%s%s %s", y.ID, scope(v), read, what)
	}
	same := func(v, w ParameterValue) bool { return v.From == w.From && scope(v) == scope(w) }
	for _, v := range y.Values {
		new := valueText(v, y.Unit)
		i := slices.IndexFunc(x.Values, func(w ParameterValue) bool { return same(v, w) })
		if i < 0 {
			// What stood before it: the newest older value for the same case.
			had, old := ParameterValue{}, ""
			for _, w := range y.Values {
				if scope(w) == scope(v) && w.From.Compare(v.From) < 0 && (old == "" || w.From.Compare(had.From) > 0) {
					had, old = w, valueText(w, y.Unit)
				}
			}
			switch {
			case old == "":
				say(v, "", new, "is "+new+since(v.From))
			case old == new:
				say(v, old, new, "stays "+new+since(v.From))
			default:
				say(v, old, new, motion(had, v)+" from "+old+" to "+new+since(v.From))
			}
			continue
		}
		w := x.Values[i]
		if old := valueText(w, x.Unit); old != new {
			say(v, old, new, "is "+new+" in the place of "+old+since(v.From))
		}
		if w.Until != v.Until {
			say(v, w.Until.String(), v.Until.String(), "of "+new+since(v.From)+" "+ending(w.Until, v.Until))
		}
		if w.Published != v.Published {
			say(v, w.Published.String(), v.Published.String(), fmt.Sprintf("of %s%s is said to be published on %s, and before on %s", new, since(v.From), day(v.Published), day(w.Published)))
		}
		if w.Ended != v.Ended {
			say(v, w.Ended.String(), v.Ended.String(), fmt.Sprintf("of %s%s has an end that is said to be published on %s, and before on %s", new, since(v.From), day(v.Ended), day(w.Ended)))
		}
		if w.Source != v.Source {
			say(v, w.Source, v.Source, fmt.Sprintf("of %s%s has the source “%s”, and before “%s”", new, since(v.From), v.Source, w.Source))
		}
	}
	for _, w := range x.Values {
		if !slices.ContainsFunc(y.Values, func(v ParameterValue) bool { return same(v, w) }) {
			old := valueText(w, x.Unit)
			say(w, old, "", "loses its value of "+old+since(w.From))
		}
	}
}

func day(d calendar.Date) string {
	if d.IsZero() {
		return "no day"
	}
	return d.String()
}

func ending(old, new Moment) string {
	switch {
	case new.IsZero():
		return "no longer ends on " + old.String()
	case old.IsZero():
		return "ends on " + new.String()
	}
	return "ends on " + new.String() + " instead of " + old.String()
}

func since(m Moment) string {
	if m.IsZero() {
		return ""
	}
	if m.Unknown {
		return " from a day that is not known"
	}
	return " from " + m.String()
}

// scope says for which case a value holds.
func scope(v ParameterValue) string {
	var at []string
	if v.Site != "" {
		at = append(at, "at "+v.Site)
	}
	if v.Side != "" {
		at = append(at, "for side "+string(v.Side))
	}
	for _, k := range slices.Sorted(maps.Keys(v.For)) {
		at = append(at, "where "+k+" is "+v.For[k])
	}
	if len(at) == 0 {
		return ""
	}
	return " " + strings.Join(at, " ")
}

// motion says which way a number goes.
func motion(old, new ParameterValue) string {
	if !old.Known || !new.Known || old.Int == new.Int {
		return "changes"
	}
	if new.Int > old.Int {
		return "rises"
	}
	return "falls"
}

// valueText writes a value as a reader expects it: "100.00 USD", "5 %", "unknown".
func valueText(v ParameterValue, unit string) string {
	switch {
	case v.Unlimited:
		return "unlimited"
	case !v.Known:
		return "unknown"
	case unit == "text" || unit == "date":
		return v.Text
	}
	n := money.Decimal(v.Int, Digits(unit))
	if unit == "percent" || unit == "kg" || unit == "km" || unit == "litre" || strings.Contains(unit, "/") {
		if strings.Contains(n, ".") {
			n = strings.TrimSuffix(strings.TrimRight(n, "0"), ".")
		}
	}
	switch unit {
	case "percent":
		return n + " %"
	case "count":
		return n
	case "tenths-celsius":
		return money.Decimal(v.Int, 1) + " °C"
	}
	return n + " " + unit
}

func (d *differ) lists() {
	each(d, "list", d.a.ListInfo, d.b.ListInfo, func(t teller, x ListInfo) string { return quoted(x.Title) + ", " + t.e.listed(x.ID) })
	for _, id := range both(d.a.Lists, d.b.Lists) {
		x, y := lines(d.a.Lists[id]), lines(d.b.Lists[id])
		name := "list " + id
		for _, k := range both(x, y) {
			old, had := x[k]
			new, has := y[k]
			code := goods.FormatCode(new.Code)
			if !has {
				code = goods.FormatCode(old.Code)
			}
			switch {
			case !had:
				d.say(Change{What: "list", ID: id, Field: code, New: lineText(new), From: new.From.String()}, "%s: %s is new: %s", name, code, lineText(new))
			case !has:
				d.say(Change{What: "list", ID: id, Field: code, Old: lineText(old)}, "%s: %s is taken out: %s", name, code, lineText(old))
			default:
				d.fields("list", id, name+", "+code, reflect.ValueOf(old), reflect.ValueOf(new))
			}
		}
	}
	for _, id := range both(d.a.Places, d.b.Places) {
		x, y := Places{}, Places{}
		if p := d.a.Places[id]; p != nil {
			x = *p
		}
		if p := d.b.Places[id]; p != nil {
			y = *p
		}
		name := func(t lang.Text) string {
			if s := t.In(lang.EN); s != "" {
				return " “" + s + "”"
			}
			return ""
		}
		d.texts("places", id, "places "+id, "name", x.Name, y.Name)
		for _, k := range both(x.Up, y.Up) {
			old, had := x.Up[k]
			new, has := y.Up[k]
			switch {
			case !had:
				d.say(Change{What: "places", ID: id, Field: k, New: new}, "places %s: %s%s is new, in %s", id, k, name(y.Name[k]), cmp.Or(new, "no other"))
			case !has:
				d.say(Change{What: "places", ID: id, Field: k, Old: old}, "places %s: %s%s is taken out", id, k, name(x.Name[k]))
			case old != new:
				d.say(Change{What: "places", ID: id, Field: k, Old: old, New: new}, "places %s: %s lies in %s and no longer in %s", id, k, cmp.Or(new, "no other"), cmp.Or(old, "no other"))
			}
		}
	}
	for _, id := range both(d.a.Values, d.b.Values) {
		d.texts("values", id, "values "+id, "name", d.a.Values[id], d.b.Values[id])
		for _, k := range both(d.a.Values[id], d.b.Values[id]) {
			_, had := d.a.Values[id][k]
			_, has := d.b.Values[id][k]
			if old, new := valueDays(d.a, id, k), valueDays(d.b, id, k); had && has && old != new {
				d.say(Change{What: "values", ID: id, Field: k, Old: old, New: new}, "values %s: %s is on it %s, and was %s", id, k, new, old)
			}
			if !had {
				d.say(Change{What: "values", ID: id, Field: k, New: k}, "values %s: %s is new: %s, %s", id, k, quoted(d.b.Values[id][k]), cmp.Or(valueDays(d.b, id, k), "always"))
			} else if !has {
				d.say(Change{What: "values", ID: id, Field: k, Old: k}, "values %s: %s is taken out: %s", id, k, quoted(d.a.Values[id][k]))
			}
		}
	}
}

// valueDays says when a text is on a list.
func valueDays(e *Edition, list, id string) string {
	var out []string
	for _, l := range e.ValueLines[list] {
		if l.ID != id {
			continue
		}
		s := "always"
		switch {
		case !l.From.IsZero() && !l.Until.IsZero():
			s = "from " + l.From.String() + " until before " + l.Until.String()
		case !l.From.IsZero():
			s = "from " + l.From.String()
		case !l.Until.IsZero():
			s = "until before " + l.Until.String()
		}
		if l.Exclude {
			s += ", taken out"
		}
		s += told(l.Published, l.Ended)
		out = append(out, s)
	}
	return strings.Join(out, "; ")
}

func percentText(n int64) string { return valueText(ParameterValue{Known: true, Int: n}, "percent") }

// lines are the lines of a list by code and the case for which each holds.
func lines(l *goods.List) map[string]goods.Line {
	out := map[string]goods.Line{}
	if l == nil {
		return out
	}
	for _, x := range l.Lines() {
		k := x.Code + " " + x.From.String()
		for _, a := range slices.Sorted(maps.Keys(x.For)) {
			k += " " + a + "=" + x.For[a]
		}
		out[k] = x
	}
	return out
}

func lineText(x goods.Line) string {
	s := x.Name.In(lang.EN)
	if about := lineAbout(x); about != "" {
		s += ", " + about
	}
	return s
}

// lineAbout writes what a line of a list of goods says beside the name of the good.
func lineAbout(x goods.Line) string {
	var all []string
	if x.Exclude {
		all = append(all, "taken out of the list")
	}
	if x.Category != "" {
		all = append(all, "category "+x.Category)
	}
	if x.Rate != 0 || x.Category != "" {
		all = append(all, percentText(x.Rate))
	}
	for _, a := range slices.Sorted(maps.Keys(x.For)) {
		all = append(all, "where "+a+" is "+x.For[a])
	}
	if !x.From.IsZero() {
		all = append(all, strings.TrimSpace(since(x.From)))
	}
	if !x.Until.IsZero() {
		all = append(all, "until before "+x.Until.String())
	}
	if s := strings.TrimPrefix(told(x.Published, x.Ended), ", "); s != "" {
		all = append(all, s)
	}
	return strings.Join(all, ", ")
}

func (d *differ) schedules() {
	hours := func(e *Edition) map[string]calendar.Hours {
		out := map[string]calendar.Hours{}
		for id, s := range e.Schedules {
			out[id] = s.Hours()
		}
		return out
	}
	x, y := hours(d.a), hours(d.b)
	for _, id := range both(x, y) {
		set := func(field string, old, new []string) {
			for _, s := range new {
				if !slices.Contains(old, s) {
					d.say(Change{What: "schedule", ID: id, Field: field, New: s}, "schedule of %s: %s now: %s", id, field, s)
				}
			}
			for _, s := range old {
				if !slices.Contains(new, s) {
					d.say(Change{What: "schedule", ID: id, Field: field, Old: s}, "schedule of %s: %s no longer: %s", id, field, s)
				}
			}
		}
		if x[id].Zone != y[id].Zone {
			d.changed(Change{What: "schedule", ID: id, Field: "the clock", Old: x[id].Zone, New: y[id].Zone}, "schedule of "+id)
		}
		set("hours", mapped(x[id].Weekly, weeklyText), mapped(y[id].Weekly, weeklyText))
		set("exception", mapped(x[id].Exceptions, exceptionText), mapped(y[id].Exceptions, exceptionText))
	}
	for _, id := range both(d.a.Slots, d.b.Slots) {
		old, new := mapped(d.a.Slots[id], slotText), mapped(d.b.Slots[id], slotText)
		for _, s := range new {
			if !slices.Contains(old, s) {
				d.say(Change{What: "slots", ID: id, New: s}, "slots at %s now: %s", id, s)
			}
		}
		for _, s := range old {
			if !slices.Contains(new, s) {
				d.say(Change{What: "slots", ID: id, Old: s}, "slots at %s no longer: %s", id, s)
			}
		}
	}
}

func mapped[T any](list []T, f func(T) string) []string {
	out := make([]string, len(list))
	for i, x := range list {
		out[i] = f(x)
	}
	return out
}

func whom(class, direction string) string {
	s := cmp.Or(class, "everybody")
	if direction != "" {
		s += " going " + direction
	}
	return s
}

func spansText(spans []calendar.Span) string {
	if len(spans) == 0 {
		return "closed"
	}
	return strings.Join(mapped(spans, calendar.Span.String), " and ")
}

func daysText(days []time.Weekday) string {
	if len(days) == 0 {
		return "every day"
	}
	return strings.Join(mapped(days, time.Weekday.String), ", ")
}

func between(from, until calendar.Date) string {
	s := ""
	if !from.IsZero() {
		s += " from " + from.String()
	}
	if !until.IsZero() {
		s += " until before " + until.String()
	}
	return s
}

func weeklyText(w calendar.Weekly) string {
	days, hours, season := daysText(w.Days), spansText(w.Spans), ""
	if w.DaysUnknown {
		days = "on days that no text that was read has"
	}
	if w.HoursUnknown {
		hours = "hours that no text that was read has"
	}
	if !w.Season.IsZero() {
		season = fmt.Sprintf(", each year from %02d-%02d to %02d-%02d", w.Season.First.Month, w.Season.First.Day, w.Season.Last.Month, w.Season.Last.Day)
	}
	return fmt.Sprintf("%s, %s: %s%s%s", whom(w.Class, w.Direction), days, hours, season, between(w.From, w.Until)+told(w.Published, w.Ended))
}

func exceptionText(x calendar.Exception) string {
	open := "open " + spansText(x.Spans)
	if x.Closed {
		open = "closed"
		if len(x.Spans) > 0 {
			open += " " + spansText(x.Spans)
		}
	}
	return fmt.Sprintf("%s, %s: %s%s", x.On, whom(x.Class, x.Direction), open, told(x.Published, calendar.Date{}))
}

func slotText(s SlotRule) string {
	return fmt.Sprintf("%s, %s: every %d minutes from %s to %s, %s places, A %d %% and B %d %%%s", s.Class, daysText(s.Days), s.Minutes, s.From, s.To, s.Capacity,
		s.Shares[A], s.Shares[B], between(s.Begins, s.Ends))
}

// files names every signed file whose bytes differ, so that nothing goes untold.
func (d *differ) files() {
	had := map[string]File{}
	for _, f := range d.a.Files {
		had[f.Path] = f
	}
	has := map[string]File{}
	for _, f := range d.b.Files {
		has[f.Path] = f
	}
	for _, p := range both(had, has) {
		x, old := had[p]
		y, new := has[p]
		c := Change{What: "file", ID: p}
		if old {
			c.Old = fmt.Sprintf("%x", x.SHA256[:8])
		}
		if new {
			c.New = fmt.Sprintf("%x", y.SHA256[:8])
		}
		switch {
		case !old:
			d.say(c, "file %s is new", p)
		case !new:
			d.say(c, "file %s is taken out", p)
		case x != y:
			d.say(c, "file %s has other bytes", p)
		}
	}
}

// told says when something and its end became known.
func told(published, ended calendar.Date) string {
	s := ""
	if !ended.IsZero() {
		s += ", an end that was published on " + ended.String()
	}
	if !published.IsZero() {
		s += ", published on " + published.String()
	}
	return s
}

func quoted(t lang.Text) string { return "“" + t.In(lang.EN) + "”" }

// words turns the name of a field into words: "AtLeast" becomes "at least".
func words(field string) string {
	if field == "Later" {
		return "settled"
	}
	var b strings.Builder
	for i, c := range field {
		if unicode.IsUpper(c) && i > 0 {
			b.WriteByte(' ')
		}
		b.WriteRune(unicode.ToLower(c))
	}
	return b.String()
}

// teller writes values of a package as an edition counts them: numbers in their units,
// instants by its clock.
type teller struct{ e *Edition }

func (t teller) clock() *time.Location {
	if loc, err := calendar.Zone(t.e.Zone); err == nil {
		return loc
	}
	return time.UTC
}

func (t teller) instant(x time.Time) string {
	if x.IsZero() {
		return ""
	}
	return x.In(t.clock()).Format("2006-01-02 15:04 -07:00")
}

// rest writes what a struct says beside its names and texts.
func (t teller) rest(x any) string {
	v := reflect.ValueOf(x)
	var parts []string
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if _, text := v.Field(i).Interface().(lang.Text); text || untold(f.Name) {
			continue
		}
		if s := t.told(v.Field(i)); s != "" {
			parts = append(parts, words(f.Name)+" "+s)
		}
	}
	return strings.Join(parts, ", ")
}

// fact writes the value of an attribute.
func (t teller) fact(id string, x any) string {
	switch x := x.(type) {
	case int64:
		return valueText(ParameterValue{Known: true, Int: x}, t.e.Attributes[id].Unit)
	case time.Time:
		return t.instant(x)
	case bool:
		return fmt.Sprint(x)
	case []string:
		return cmp.Or(strings.Join(x, " and "), "none of them")
	}
	return fmt.Sprint(x)
}

func (t teller) facts(m map[string]any) string {
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		parts = append(parts, k+": "+t.fact(k, m[k]))
	}
	return strings.Join(parts, ", ")
}

// amount writes an expected figure in the currency of the clause that makes it.
func (t teller) amount(a ExpectAmount) string {
	s := strings.TrimSpace(a.Name + " " + a.Of)
	if a.Unknown {
		return s + " owed, not known"
	}
	for _, c := range t.e.Clauses {
		if c.Amount == a.Name {
			return s + " " + valueText(ParameterValue{Known: true, Int: a.Minor}, cmp.Or(c.Currency, t.e.Currency))
		}
	}
	return s + " " + fmt.Sprint(a.Minor)
}

// told writes a value of a package for a reader; nothing for what is not there.
func (t teller) told(v reflect.Value) string {
	switch x := v.Interface().(type) {
	case time.Time:
		return t.instant(x)
	case map[string]any:
		return t.facts(x)
	case ExpectAmount:
		return t.amount(x)
	case TestKind:
		return fmt.Sprintf("%s of %s, good for %s", x.ID, x.Minutes, x.Good)
	case ScenarioLot:
		return strings.TrimSpace(fmt.Sprintf("%s %s %s %s", x.Category, valueText(ParameterValue{Known: true, Int: x.Value}, t.e.Currency), x.Regime, x.Site))
	case Moment:
		return x.String()
	case calendar.Date:
		if x.IsZero() {
			return ""
		}
		return x.String()
	case Period:
		s := strings.TrimSpace(since(x.From))
		if !x.Until.IsZero() {
			s += " until before " + x.Until.String()
		}
		s += told(calendar.Date{}, x.Ended)
		if len(x.Sites) > 0 {
			s += " at " + strings.Join(x.Sites, ", ")
		}
		if len(x.Sides) > 0 {
			s += " for side " + strings.Join(mapped(x.Sides, func(s Side) string { return string(s) }), ", ")
		}
		return cmp.Or(strings.TrimSpace(s), "always and everywhere") + told(x.Published, calendar.Date{})
	}
	// An outcome, a minute and the like say themselves what they are.
	if s, ok := v.Interface().(fmt.Stringer); ok && v.Kind() != reflect.Pointer && v.Kind() != reflect.Struct {
		if v.IsZero() {
			return ""
		}
		return s.String()
	}
	switch v.Kind() {
	case reflect.String:
		return v.String()
	case reflect.Bool:
		if v.Bool() {
			return "yes"
		}
		return ""
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		if v.Int() == 0 {
			return ""
		}
		return fmt.Sprint(v.Int())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		if v.Uint() == 0 {
			return ""
		}
		return fmt.Sprint(v.Uint())
	case reflect.Slice, reflect.Array:
		var parts []string
		for i := range v.Len() {
			parts = append(parts, cmp.Or(t.told(v.Index(i)), "none"))
		}
		return strings.Join(parts, "; ")
	case reflect.Map:
		var parts []string
		keys := v.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return cmp.Compare(t.told(a), t.told(b)) })
		for _, k := range keys {
			parts = append(parts, t.told(k)+": "+t.told(v.MapIndex(k)))
		}
		return strings.Join(parts, ", ")
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return ""
		}
		return t.told(v.Elem())
	case reflect.Struct:
		var parts []string
		for i := range v.NumField() {
			f := v.Type().Field(i)
			if !f.IsExported() || f.Name == "Line" || f.Name == "File" {
				continue
			}
			if s := t.told(v.Field(i)); s != "" {
				parts = append(parts, words(f.Name)+" "+s)
			}
		}
		return strings.Join(parts, ", ")
	}
	return ""
}
