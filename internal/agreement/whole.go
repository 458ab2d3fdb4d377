// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package agreement

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/reason"
)

// The checks that look at an edition as a whole: whether anything is silent, never
// asked, set aside for good, defined in a ring, or goes further than it may.

const (
	maxCases = 1 << 20 // rows that are looked at to find what a table leaves out
)

// term returns the moments at which the edition begins and ends, by its own clock;
// the end is zero where it has none.
func (e *Edition) term() (from, until Moment) {
	loc, err := calendar.Zone(e.Zone)
	if err != nil || e.From.IsZero() {
		return Moment{}, Moment{}
	}
	t := e.From.In(loc)
	from = Day(calendar.On(e.From, loc))
	from.Minute = calendar.Minute(t.Hour()*60 + t.Minute())
	if !e.Until.IsZero() {
		t = e.Until.In(loc)
		until = Day(calendar.On(e.Until, loc))
		until.Minute = calendar.Minute(t.Hour()*60 + t.Minute())
	}
	return from, until
}

// before reports whether m surely comes before n. Neither is zero.
func before(m, n Moment) bool {
	if m.Unknown || n.Unknown {
		return false
	}
	return m.Last.Before(n.First) || m.Exact() && n.Exact() && m.First == n.First && m.Minute < n.Minute
}

// over reports whether until has surely come by from: nothing is left between them.
func over(from, until Moment) bool {
	if from.IsZero() || until.IsZero() || from.Unknown || until.Unknown {
		return false
	}
	return before(until, from) || from.Exact() && until.Exact() && from == until
}

// narrow returns the part of a period that lies in another, by their dates.
func narrow(p Period, from, until Moment) Period {
	if p.From.IsZero() || !from.IsZero() && before(p.From, from) {
		p.From = from
	}
	if p.Until.IsZero() || !until.IsZero() && before(until, p.Until) {
		p.Until = until
	}
	return p
}

// spans returns the periods of a clause within its instrument and the edition, without
// those of which nothing is left.
func (e *Edition) spans(c *Clause) []Period {
	from, until := e.term()
	i := e.Instruments[c.Instrument]
	var out []Period
	for _, p := range periods(c) {
		p = narrow(narrow(p, i.From, i.Until), from, until)
		if !over(p.From, p.Until) {
			out = append(out, p)
		}
	}
	return out
}

// whole runs every check of this file.
func (r *reader) whole() {
	e := r.e
	r.instruments()
	r.setters = map[string][]*Clause{}
	for _, c := range e.Clauses {
		for _, id := range c.Overrides {
			r.setters[id] = append(r.setters[id], c)
		}
	}
	for _, c := range e.Clauses {
		r.file, r.owner = c.File, c.ID
		r.plainWords(c)
		r.reachable(c)
		if e.Instruments[c.Instrument].Status == StatusEmergency {
			r.emergency(c)
		}
	}
	r.rings()
	for _, id := range slices.Sorted(maps.Keys(e.Tables)) {
		r.rows(e.Tables[id])
	}
}

// instruments faults an instrument that is never in force, days on which none is, and
// an emergency act without a side or an end.
func (r *reader) instruments() {
	e := r.e
	from, until := e.term()
	ids := slices.Sorted(maps.Keys(e.Instruments))
	for _, id := range ids {
		i := e.Instruments[id]
		at := e.where["instrument "+id]
		r.file, r.owner = at.file, id
		if p := narrow(Period{From: i.From, Until: i.Until}, from, until); over(p.From, p.Until) {
			r.fault(at.line, "is in force on no day of the edition", "mend its dates or those of the edition, or take it out")
		}
		if i.Status == StatusEmergency && (!i.Side.Valid() || i.Until.IsZero() || i.Until.Unknown) {
			r.fault(at.line, "an emergency act without a side or without an end", "write the side whose act it is, and until: it lapses by itself")
		}
		if i.Status == StatusProposal || i.Until.IsZero() || i.Until.Unknown {
			continue
		}
		// Does any other go on where this one ends?
		if end := i.Until; (until.IsZero() || before(end, until)) && (from.IsZero() || before(from, end)) {
			on := slices.ContainsFunc(ids, func(o string) bool {
				x := e.Instruments[o]
				return x.Status != StatusProposal && x.Status != StatusClarification && x.Status != StatusEmergency && (x.From.IsZero() || !before(end, x.From)) && (x.Until.IsZero() || !over(end, x.Until))
			})
			if !on {
				r.fault(at.line, fmt.Sprintf("no instrument is in force from %s on, and the edition goes on", end), "end the edition there, or add the instrument that follows")
			}
		}
	}
}

// plainWords faults letters in expressions and ids that look like others.
func (r *reader) plainWords(c *Clause) {
	texts := []string{c.When, c.Require, c.Value, c.Release, c.Matter, c.Step, c.Amount, c.Regime, c.Region, c.Adds, c.Measure, c.Sum}
	for _, s := range [...]*Select{c.Select, c.First, c.Second} {
		if s != nil {
			texts = append(texts, s.Where)
		}
	}
	texts = append(texts, slices.Concat(c.Of, c.Amounts, c.To, c.Events, c.Never, c.Fields)...)
	for _, s := range texts {
		if l, ok := strange(s); ok {
			r.fault(c.Line, fmt.Sprintf("a letter that is not plain Latin, %q (%U), in %q", l, l, clip(s)), "write it anew with plain letters: others that look like them are not the same")
			return
		}
	}
}

// strange returns the first letter of a text that is not printable ASCII.
func strange(s string) (rune, bool) {
	for _, c := range s {
		if c != '\n' && c != '\t' && (c < ' ' || c > '~') {
			return c, true
		}
	}
	return 0, false
}

func clip(s string) string {
	if len(s) <= 60 {
		return s
	}
	for i := 60; ; i-- {
		if utf8.RuneStart(s[i]) {
			return s[:i] + "…"
		}
	}
}

// NeverInForce is how a fault of a clause begins that no question meets: it keeps nothing
// from being asked.
const NeverInForce = "is in force on no day"

// reachable faults a clause that no question can ever meet.
func (r *reader) reachable(c *Clause) {
	e := r.e
	if c.Kind == KindNote {
		return
	}
	spans := e.spans(c)
	if len(spans) == 0 {
		r.fault(c.Line, NeverInForce+" of the edition and of its instrument", "mend its dates, or take it out")
		return
	}
	if strings.Trim(c.When, " ()") == "false" {
		r.fault(c.Line, "never applies: its when is false", "take it out, or say when it applies")
		return
	}
	for _, o := range r.setters[c.ID] {
		if o == c || !r.spend(1) {
			continue
		}
		if !r.meet(o, c) {
			r.file, r.owner = o.File, o.ID
			r.warn(o.Line, fmt.Sprintf("overrides %s, and the two are never asked in one question", c.ID), "compare their points, dates, sites and sides")
			r.file, r.owner = c.File, c.ID
			continue
		}
		if r.always(o, c, spans) {
			r.fault(c.Line, fmt.Sprintf("is set aside always, by %s", o.ID), "say when "+o.ID+" applies, or take one of them out")
			return
		}
	}
}

// always reports whether o sets c aside in every question that meets c.
func (r *reader) always(o, c *Clause, spans []Period) bool {
	e := r.e
	io, ic := e.Instruments[o.Instrument], e.Instruments[c.Instrument]
	if o.When != "" || len(o.Turns) > 0 || io.Status == StatusProposal || o.Published.After(c.Published) || io.Published.After(ic.Published) {
		return false
	}
	if slices.ContainsFunc(o.Questions, func(id string) bool {
		return slices.ContainsFunc(e.Questions[id].Later, func(s Settlement) bool { return slices.Contains(s.Ends, o.ID) })
	}) {
		return false
	}
	if slices.ContainsFunc(o.Holds, func(p Period) bool { return !p.Published.IsZero() || !p.Ended.IsZero() }) {
		return false
	}
	if len(r.setters[o.ID]) > 0 {
		return false
	}
	for _, p := range c.At {
		if len(o.At) > 0 && !slices.Contains(o.At, p) {
			return false
		}
	}
	within := func(y, x Period) bool {
		return (len(x.Sites) == 0 || len(y.Sites) > 0 && !slices.ContainsFunc(y.Sites, func(s string) bool { return !slices.Contains(x.Sites, s) })) &&
			(len(x.Sides) == 0 || len(y.Sides) > 0 && !slices.ContainsFunc(y.Sides, func(s Side) bool { return !slices.Contains(x.Sides, s) })) &&
			(x.From.IsZero() || x.From == y.From && x.From.Exact() || !y.From.IsZero() && before(x.From, y.From)) &&
			(x.Until.IsZero() || x.Until == y.Until && x.Until.Exact() || !y.Until.IsZero() && before(y.Until, x.Until))
	}
	wide := e.spans(o)
	if !r.spend(len(wide) * len(spans)) {
		return false
	}
	for _, y := range spans {
		if !slices.ContainsFunc(wide, func(x Period) bool { return within(y, x) }) {
			return false
		}
	}
	return true
}

// emergency faults a clause of an emergency act that does more than to narrow.
func (r *reader) emergency(c *Clause) {
	e := r.e
	const mend = "leave it to an edition that both sides sign: an act of one side may only hold, refer, refuse or close"
	strict := func(o reason.Outcome) bool {
		return o == reason.Hold || o == reason.Refer || o == reason.Refuse || o == reason.Closed
	}
	switch c.Kind {
	case KindDefine, KindAmount, KindChoice, KindCondition, KindRate, KindTax, KindGuarantee, KindShare, KindBound, KindTable, KindPower:
		r.fault(c.Line, fmt.Sprintf("an emergency act with a %s", c.Kind), mend)
		return
	case KindNote:
	default:
		effect := max(c.Else, c.Then)
		if effect == reason.None {
			r.fault(c.Line, "an emergency act that permits", mend)
			return
		}
		for _, o := range [...]reason.Outcome{c.Else, c.Then} {
			if o != reason.None && !strict(o) {
				r.fault(c.Line, fmt.Sprintf("an emergency act that ends in %s", o), mend)
			}
		}
	}
	for _, id := range c.Overrides {
		o := e.Clause(id)
		if o == nil {
			continue
		}
		mine, other := minOutcome(c.Else, c.Then), reason.Strictest(o.Else, o.Then)
		if o.Kind == KindSuspend || o.Missing > other {
			other = reason.Strictest(other, o.Missing)
		}
		if c.When != "" || c.Require != "" || mine < other {
			// Where the act does not bite, the clause that it sets aside would have.
			if other != reason.None || o.Kind == KindTable {
				r.fault(c.Line, fmt.Sprintf("an emergency act that sets %s aside, which may be stricter", id), "take the override out: both are asked, and the strictest wins")
			}
		}
	}
}

func minOutcome(a, b reason.Outcome) reason.Outcome {
	if a == reason.None || b != reason.None && b < a {
		return b
	}
	return a
}

// reads returns the attributes that an expression names, in order.
func (e *Edition) reads(expr string) []string {
	var out []string
	for _, w := range namesIn(expr) {
		for w != "" {
			if _, ok := e.Attributes[w]; ok {
				if !slices.Contains(out, w) {
					out = append(out, w)
				}
				break
			}
			i := strings.LastIndexByte(w, '.')
			w = w[:max(i, 0)]
		}
	}
	return out
}

// namesIn returns the dotted names of an expression, outside of quotes.
func namesIn(expr string) []string {
	var out []string
	quote := byte(0)
	start := -1
	for i := 0; i <= len(expr); i++ {
		c := byte(' ')
		if i < len(expr) {
			c = expr[i]
		}
		name := quote == 0 && (c == '.' && start >= 0 || c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' && start >= 0)
		switch {
		case name && start < 0:
			start = i
		case !name && start >= 0:
			out, start = append(out, strings.TrimRight(expr[start:i], ".")), -1
		}
		switch {
		case quote != 0 && c == '\\':
			i++
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && (c == '\'' || c == '"'):
			quote = c
		}
	}
	return out
}

// expressions are those of a clause.
func (c *Clause) expressions() []string {
	out := []string{c.When, c.Require, c.Value, c.Release}
	for _, s := range [...]*Select{c.Select, c.First, c.Second} {
		if s != nil {
			out = append(out, s.Where)
		}
	}
	return out
}

// ReadBy returns the attributes that a clause reads, in its conditions and in its
// other fields, sorted.
func (e *Edition) ReadBy(c *Clause) []string {
	seen := map[string]bool{}
	add := func(ids ...string) {
		for _, id := range ids {
			if _, ok := e.Attributes[id]; ok {
				seen[id] = true
			}
		}
	}
	for _, x := range c.expressions() {
		add(e.reads(x)...)
	}
	add(c.Certificate, c.Code, c.Adds, c.AmountOf, c.Event, c.Before, c.Start, c.End, c.Expires, c.Issued, c.Place, c.Since, c.Distance, c.Step, c.Done, c.Sum)
	add(slices.Concat(c.Of, c.Over, c.Groups)...)
	if c.Kind == KindFields {
		add(c.Fields...)
	}
	if t := e.Tables[c.Table]; t != nil {
		for _, in := range t.Inputs {
			add(in.Name)
			add(e.reads(in.Of)...)
		}
	}
	for _, s := range [...]*Select{c.Select, c.First, c.Second} {
		if s != nil {
			add(s.Field)
		}
	}
	if c.Kind == KindShare {
		add("data.event", "data.recipient", "data.fields")
	}
	return slices.Sorted(maps.Keys(seen))
}

// sets returns the derived attributes that a clause gives a value.
func (e *Edition) sets(c *Clause) []string {
	if c.Kind == KindDefine {
		return []string{c.Attribute}
	}
	if t := e.Tables[c.Table]; t != nil && c.Kind == KindTable {
		return slices.DeleteFunc(slices.Clone(t.Outputs), func(o string) bool { return o == "outcome" })
	}
	return nil
}

// rings faults derived attributes that are made of themselves, and warns of those that
// nothing makes.
func (r *reader) rings() {
	e := r.e
	type edge struct {
		to     string
		clause *Clause
	}
	made := map[string][]edge{}
	for _, c := range e.Clauses {
		for _, id := range e.sets(c) {
			if made[id] == nil {
				made[id] = []edge{}
			}
			for _, from := range e.ReadBy(c) {
				if e.Attributes[from].Derived {
					made[id] = append(made[id], edge{from, c})
				}
			}
		}
	}
	state := map[string]int{} // 1 on the way, 2 done
	var visit func(id string)
	visit = func(id string) {
		state[id] = 1
		for _, x := range made[id] {
			switch state[x.to] {
			case 0:
				visit(x.to)
			case 1:
				r.file, r.owner = x.clause.File, x.clause.ID
				r.fault(x.clause.Line, fmt.Sprintf("%s is made of %s, which is made of it", id, x.to), "break the ring: define one of them by what is given")
			}
		}
		state[id] = 2
	}
	for _, id := range slices.Sorted(maps.Keys(e.Attributes)) {
		a := e.Attributes[id]
		if !a.Derived {
			continue
		}
		if state[id] == 0 {
			visit(id)
		}
		if _, ok := made[id]; !ok {
			r.file, r.owner = a.File, id
			r.warn(a.Line, "derived, and nothing makes it: it is never known", "add a clause of kind define, or a table")
		}
	}
}

// rows faults two rows of a table that can both hold, and warns of a case that none
// covers.
func (r *reader) rows(t *Table) {
	file := strings.TrimSuffix(t.File, ".yaml") + ".csv"
	if f, ok := r.tableFile[t.ID]; ok {
		file = f
	}
	r.file, r.owner = file, t.ID
	for i, a := range t.Rows {
		for _, b := range t.Rows[:i] {
			if !r.spend(1) {
				return
			}
			if len(a.Cells) == len(b.Cells) && r.rowsMeet(t, a, b) {
				r.fault(a.Line, fmt.Sprintf("can hold together with the row on line %d", b.Line), "make one of them narrower: a table never chooses between rows")
				break
			}
		}
	}
	if gap := r.uncovered(t); gap != "" {
		r.warn(1, "no row for "+gap, "add one, or leave it to a person")
	}
}

func (r *reader) rowsMeet(t *Table, a, b TableRow) bool {
	for n, in := range t.Inputs {
		if !cellsMeet(a.Cells[n], b.Cells[n], in.Type, r.e.Attributes[in.Name].Values) {
			return false
		}
	}
	return true
}

// cellsMeet reports whether some value of the type, or none, fits both cells.
func cellsMeet(a, b Cell, typ string, values []string) bool {
	switch {
	case a.Any || b.Any:
		return true
	case a.Unknown || b.Unknown:
		return a.Unknown && b.Unknown
	case typ == "int" || typ == "date":
		low := func(c Cell) int64 {
			if c.HasMin {
				return c.Min
			}
			return math.MinInt64
		}
		high := func(c Cell) int64 {
			if c.HasMax {
				return c.Max
			}
			return math.MaxInt64
		}
		return max(low(a), low(b)) <= min(high(a), high(b))
	case typ == "strings":
		if a.Not == b.Not {
			return true // a set may have texts of both, or of neither
		}
		if a.Not {
			a, b = b, a
		}
		return slices.ContainsFunc(a.Texts, func(s string) bool { return !slices.Contains(b.Texts, s) })
	case !a.Not && !b.Not:
		return common(a.Texts, b.Texts)
	case a.Not && b.Not:
		return len(values) == 0 || slices.ContainsFunc(values, func(s string) bool { return !slices.Contains(a.Texts, s) && !slices.Contains(b.Texts, s) })
	}
	if a.Not {
		a, b = b, a
	}
	return slices.ContainsFunc(a.Texts, func(s string) bool { return !slices.Contains(b.Texts, s) })
}

// uncovered returns a case of closed inputs that no row covers, in words, and "" where
// there is none or the inputs are not closed.
func (r *reader) uncovered(t *Table) string {
	var points [][]Cell
	cases := 1
	for n, in := range t.Inputs {
		var p []Cell
		values := r.e.Attributes[in.Name].Values
		switch {
		case in.Type == "bool":
			p = []Cell{{Texts: []string{"true"}}, {Texts: []string{"false"}}}
		case in.Type == "string" && len(values) > 0:
			for _, v := range values {
				p = append(p, Cell{Texts: []string{v}})
			}
		case in.Type == "int" || in.Type == "date":
			at := []int64{0}
			for _, row := range t.Rows {
				if c := row.Cells[n]; c.HasMin {
					at = append(at, c.Min)
				}
				if c := row.Cells[n]; c.HasMax && c.Max < math.MaxInt64 {
					at = append(at, c.Max+1)
				}
			}
			slices.Sort(at)
			for _, v := range slices.Compact(at) {
				p = append(p, Cell{Min: v, Max: v, HasMin: true, HasMax: true})
			}
		default:
			return ""
		}
		points = append(points, p)
		if cases *= len(p); cases*max(len(t.Rows), 1) > maxCases {
			return ""
		}
	}
	at := make([]int, len(points))
	row := TableRow{Cells: make([]Cell, len(points))}
	for range cases {
		if !r.spend(len(t.Rows)) {
			return ""
		}
		for n := range points {
			row.Cells[n] = points[n][at[n]]
		}
		if !slices.ContainsFunc(t.Rows, func(x TableRow) bool { return len(x.Cells) == len(points) && r.rowsMeet(t, x, row) }) {
			var say []string
			for n, in := range t.Inputs {
				c := row.Cells[n]
				text := ""
				switch {
				case len(c.Texts) > 0:
					text = c.Texts[0]
				case in.Type == "date":
					text = calendar.FromDays(int(c.Min)).String()
				default:
					text = decimal(c.Min, in.Unit)
				}
				say = append(say, in.Name+" "+text)
			}
			return strings.Join(say, ", ")
		}
		for n := range at {
			if at[n]++; at[n] < len(points[n]) {
				break
			}
			at[n] = 0
		}
	}
	return ""
}

// decimal writes a number of a unit as packages do.
func decimal(n int64, unit string) string {
	digits := Digits(unit)
	s := fmt.Sprintf("%0*d", digits+1, n)
	if digits == 0 {
		return s
	}
	return strings.TrimRight(strings.TrimRight(s[:len(s)-digits]+"."+s[len(s)-digits:], "0"), ".")
}

// dated faults days of the edition on which the dated hours of a site say nothing.
func (r *reader) dated(site Site, hours []at[rawHours], weekly []calendar.Weekly) {
	from, until := r.e.term()
	if from.IsZero() || len(hours) == 0 {
		return
	}
	first := from.First
	if site.From.First.After(first) {
		first = site.From.First
	}
	const mend = "give hours from that day: closed ones where it is closed, open: []; and days: unknown or open: unknown where no text that was read has them"
	silent := func(d calendar.Date) bool {
		return !d.Before(first) && (until.IsZero() || d.Before(until.First)) && !slices.ContainsFunc(weekly, func(w calendar.Weekly) bool { return w.Holds(d) })
	}
	if silent(first) {
		r.fault(hours[0].line, fmt.Sprintf("no hours on %s, on which the edition is in force", first), mend)
		return
	}
	for i, w := range weekly {
		ends := []calendar.Date{w.Until}
		if !w.Season.IsZero() {
			// Each end within the first years, a leap year among them.
			for n := range 5 {
				if d := w.Season.Turns()[1].In(max(first.Year, w.From.Year) + n); w.Until.IsZero() || d.Before(w.Until) {
					ends = append(ends, d)
				}
			}
		}
		for _, d := range ends {
			if !r.spend(len(weekly)) {
				return
			}
			if !d.IsZero() && silent(d) {
				r.fault(hours[i].line, fmt.Sprintf("no hours from %s on", d), mend)
				return
			}
		}
	}
}

// sameFigure returns what two clauses of one instrument may not both say for one case:
// the attribute that they define, the figure that they make, the sum that they cap.
func sameFigure(c *Clause) string {
	pick := func(s *Select) string {
		if s == nil {
			return ""
		}
		return s.Events + "|" + s.Where + "|" + s.Field
	}
	span := ""
	if c.Span != nil {
		span = fmt.Sprint(*c.Span)
	}
	switch c.Kind {
	case KindDefine:
		return "define " + c.Attribute
	case KindAmount, KindChoice, KindRate, KindTax, KindGuarantee:
		of := ""
		if c.Kind == KindAmount {
			of = strings.Join(c.Of, "|")
		}
		return strings.Join([]string{"amount", c.Amount, of, c.List}, " ")
	case KindCap:
		return strings.Join([]string{"cap", c.Per, c.List, pick(c.Select), span, c.Sum, strings.Join(c.Groups, "|")}, " ")
	case KindFrequency:
		return strings.Join([]string{"frequency", pick(c.Select), span}, " ")
	case KindStay:
		return strings.Join([]string{"stay", c.Start, c.End, cmp.Or(c.Days, "-"), cmp.Or(c.Nights, "-")}, " ")
	case KindRatio, KindLedger:
		return strings.Join([]string{string(c.Kind), pick(c.First), pick(c.Second), span, c.Sum}, " ")
	case KindTable:
		return "table " + c.Table
	case KindOpened:
		return "opened"
	case KindTurn:
		return "turn " + c.Step
	}
	return ""
}
