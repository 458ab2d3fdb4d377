// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package agreement

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/goods"
	"darwaza.dev/internal/reason"
)

// points are the points at which clauses can be asked; package rules has them as
// constants, and a test there holds the two together.
func points() []string {
	return []string{"booking", "gate", "goods", "receipt", "exit", "custody", "data", "duty", "permit", "signing"}
}

func reasonCode(s string) reason.Code { return reason.Code(s) }

// check looks at the edition as a whole, once every file is read.
func (r *reader) check() {
	e := r.e
	if e.ZoneData != calendar.ZoneVersion {
		r.file, r.owner = "agreement.yaml", ""
		r.warn(1, fmt.Sprintf("written with time zone data %q, this program has %s", e.ZoneData, calendar.ZoneVersion), "look at the opening hours again and name the version")
	}
	for _, id := range slices.Sorted(maps.Keys(e.Parameters)) {
		r.gaps(e.Parameters[id])
	}
	for _, id := range slices.Sorted(maps.Keys(e.ListInfo)) {
		r.rates(e.ListInfo[id])
	}
	for _, c := range e.Clauses {
		r.file, r.owner = c.File, c.ID
		r.references(c)
		r.form(c)
	}
	for _, id := range slices.Sorted(maps.Keys(e.Questions)) {
		p := e.where["question "+id]
		r.file, r.owner = p.file, "question "+id
		for _, c := range e.Questions[id].Clauses {
			if e.Clause(c) == nil && !r.lost["clauses"] {
				r.fault(p.line, fmt.Sprintf("names clause %q, which is not there", c), "name a clause of clauses/")
			}
		}
	}
	r.outcomes()
	r.whole()
	r.overlaps()
	r.weekdays()
	r.levels()
	r.unpublished()
	r.doubts()
	r.forbidden()
}

// outcomes faults a settlement that does not say what becomes of the clauses whose effect
// turns on the question, and what it says of others.
func (r *reader) outcomes() {
	e := r.e
	turning := map[string][]*Clause{}
	for _, c := range e.Clauses {
		for _, id := range c.Turns {
			turning[id] = append(turning[id], c)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(e.Questions)) {
		q := e.Questions[id]
		r.file, r.owner = e.where["question "+id].file, "question "+id
		for _, s := range q.Later {
			said := slices.Concat(s.Holds, s.Ends)
			if !q.Binds(s.By) {
				if len(said) > 0 {
					r.fault(s.Line, "says what holds and what ends, and does not settle the question", "write by: both, or the side whose own text it is; what is not settled stays open")
				}
				continue
			}
			for n, c := range said {
				k := e.Clause(c)
				switch {
				case k == nil && r.lost["clauses"]:
				case k == nil:
					r.fault(s.Line, fmt.Sprintf("names clause %q, which is not there", c), "name a clause of clauses/")
				case slices.Contains(said[:n], c):
					r.fault(s.Line, fmt.Sprintf("names clause %s twice", c), "write it under holds or under ends, once")
				case !slices.Contains(k.Turns, id) && !slices.Contains(k.Questions, id):
					r.fault(s.Line, fmt.Sprintf("clause %s does not name the question", c), "write the question under turns of the clause, or under questions, or take the clause out")
				case !q.BindsText(s.By, e.SideOf(k)):
					r.fault(s.Line, fmt.Sprintf("clause %s is of %s, which is not a text of side %s alone, and side %s alone says what becomes of it", c, k.Instrument, s.By, s.By),
						"take the clause out: it stays open until both sides settle the question, with by: both")
				}
			}
			for _, c := range turning[id] {
				if !r.spend(1) {
					return
				}
				if q.BindsText(s.By, e.SideOf(c)) && !slices.Contains(said, c.ID) {
					r.fault(s.Line, fmt.Sprintf("is settled from %s on, and nothing says what becomes of clause %s, whose effect turns on it", s.From, c.ID),
						fmt.Sprintf("write holds: [%q] where the clause holds under that reading, or ends: [%q] where it does not", c.ID, c.ID))
				}
			}
		}
	}
}

// gaps faults a parameter that has no value on some day of the edition, at a site
// and for a side.
func (r *reader) gaps(p *Parameter) {
	e := r.e
	r.file, r.owner = p.File, p.ID
	for _, v := range p.Values {
		if _, ok := e.Site(v.Site); v.Site != "" && !ok {
			r.fault(p.Line, fmt.Sprintf("site %q is not known", v.Site), "name a site of agreement.yaml")
		}
	}
	if len(p.Values) == 0 || e.From.IsZero() {
		return
	}
	_, until := e.term()
	cases := r.cases(p)
	for _, s := range e.Sites {
		loc, err := calendar.Zone(s.Zone)
		if err != nil {
			continue
		}
		first := calendar.On(e.From, loc)
		if s.From.First.After(first) {
			first = s.From.First
		}
		// A value can be missing from the first day, and from each day on which one ends.
		days := []Moment{Day(first)}
		for _, v := range p.Values {
			if v.Until.Exact() && before(days[0], v.Until) && (until.IsZero() || before(v.Until, until)) {
				days = append(days, v.Until)
			}
		}
		for _, d := range days {
			for _, side := range [...]Side{A, B} {
				if !r.spend(len(p.Values)) {
					return
				}
				if _, _, ok := p.In(Ask{Site: s.ID, Side: side, On: d.First, Minute: d.Minute}); !ok {
					r.fault(p.Line, fmt.Sprintf("no value on %s at %s for side %s", d, s.ID, side), `give a value from that day, or "unknown" with the reason as its source`)
					return
				}
			}
		}
		// Each case that has a value until a day needs one from that day on.
		for _, d := range days[1:] {
			eve, minute := d.First, d.Minute-1
			if minute < 0 {
				eve, minute = eve.AddDays(-1), calendar.EndOfDay-1
			}
			for _, side := range [...]Side{A, B} {
				for _, c := range cases {
					if !r.spend(2 * len(p.Values)) {
						return
					}
					_, _, had := p.In(Ask{Site: s.ID, Side: side, On: eve, Minute: minute, Get: c.get})
					if _, _, has := p.In(Ask{Site: s.ID, Side: side, On: d.First, Minute: d.Minute, Get: c.get}); had && !has {
						r.fault(p.Line, strings.TrimSpace(fmt.Sprintf("no value on %s at %s for side %s %s", d, s.ID, side, c.name)), `give a value from that day, or "unknown" with the reason as its source`)
						return
					}
				}
			}
		}
		if what, ok := r.pinGap(p, s.ID, first); ok {
			r.warn(p.Line, fmt.Sprintf("no value on %s at %s for %s", first, s.ID, what), "give a value without for that holds for the rest, or one for it")
			return
		}
	}
}

// pinCase is one case that the values of a parameter tell apart.
type pinCase struct {
	name string
	get  func(string) (string, bool)
}

// cases returns those that a parameter tells apart by a single attribute each, and that of
// all the others.
func (r *reader) cases(p *Parameter) []pinCase {
	seen := map[[2]string]bool{}
	for _, v := range p.Values {
		for k, text := range v.For {
			seen[[2]string{k, text}] = true
			for _, other := range r.e.Attributes[k].Values {
				seen[[2]string{k, other}] = true
			}
		}
	}
	out := []pinCase{{"", func(string) (string, bool) { return "", true }}}
	for _, x := range slices.SortedFunc(maps.Keys(seen), func(a, b [2]string) int { return slices.Compare(a[:], b[:]) }) {
		out = append(out, pinCase{"for " + x[0] + " " + x[1], func(id string) (string, bool) {
			if id == x[0] {
				return x[1], true
			}
			return "", true
		}})
	}
	return out
}

// pinGap returns the first value of a closed attribute for which a parameter has no value.
func (r *reader) pinGap(p *Parameter, site string, on calendar.Date) (string, bool) {
	names := map[string]bool{}
	for _, v := range p.Values {
		for k := range v.For {
			names[k] = true
		}
	}
	for _, k := range slices.Sorted(maps.Keys(names)) {
		for _, text := range r.e.Attributes[k].Values {
			if !r.spend(len(p.Values)) {
				return "", false
			}
			get := func(id string) (string, bool) { return text, id == k }
			if _, _, ok := p.In(Ask{Site: site, Side: A, On: on, Get: get}); !ok {
				return k + " " + text, true
			}
		}
	}
	return "", false
}

// rates faults lines whose rate is not that of their category.
func (r *reader) rates(info ListInfo) {
	r.file, r.owner = info.File, info.ID
	l := r.e.Lists[info.ID]
	if l == nil {
		return
	}
	for _, k := range slices.Sorted(maps.Keys(info.Rates)) {
		id := info.Rates[k]
		if id == "" {
			continue
		}
		p := r.e.Parameters[id]
		if p == nil || p.Unit != "percent" {
			r.fault(info.Line, fmt.Sprintf("rate %q of category %s is not a parameter in percent", id, k), "declare it in parameters/")
			continue
		}
		for _, x := range l.Lines() {
			known := slices.ContainsFunc(p.Values, func(v ParameterValue) bool { return !v.Known || v.Int == x.Rate })
			if x.Category == k && !known {
				r.fault(info.Line, fmt.Sprintf("%s has a rate that %s never had", goods.FormatCode(x.Code), id), "compare the line with the text")
			}
		}
	}
}

// references faults what a clause names and the package does not have.
func (r *reader) references(c *Clause) {
	e := r.e
	unknown := func(kind, id, where string) {
		if r.lost[strings.TrimSuffix(where, "/")] {
			return // it may stand in the file that could not be read
		}
		r.fault(c.Line, fmt.Sprintf("%s %q is not known", kind, id), "declare it in "+where)
	}
	for _, p := range c.At {
		if !slices.Contains(points(), p) {
			r.fault(c.Line, fmt.Sprintf("point %q is not known", p), "write "+strings.Join(points(), ", "))
		}
	}
	for _, h := range c.Holds {
		for _, s := range h.Sites {
			if _, ok := e.Site(s); !ok {
				unknown("site", s, "agreement.yaml")
			}
		}
		for _, s := range h.Sides {
			if !s.Valid() {
				r.fault(c.Line, fmt.Sprintf("side %q", s), "write A or B")
			}
		}
	}
	for _, id := range c.Beside {
		if _, ok := e.ListInfo[id]; !ok {
			unknown("list", id, "lists/")
		}
	}
	questions := slices.Clone(c.Questions)
	if q, ok := strings.CutPrefix(c.Diverted, "question:"); ok {
		questions = append(questions, q)
		if e.Questions[q].SettledFor(e.SideOf(c), calendar.On(e.From, time.UTC), calendar.Date{}) {
			r.fault(c.Line, fmt.Sprintf("question %s is settled", q), "write count or ignore, as the reading has it, and name the question under questions")
		}
	}
	if c.Earlier != "" {
		questions = append(questions, c.Earlier)
	}
	for _, id := range append(questions, c.Turns...) {
		if _, ok := e.Questions[id]; !ok {
			unknown("question", id, "clauses/")
		}
	}
	for _, id := range c.Overrides {
		if e.Abroad(id) {
			of, clause, _ := strings.Cut(id, "/")
			switch {
			case of == "" || clause == "":
				r.fault(c.Line, fmt.Sprintf("overrides %q, which names no clause", id), "write the id of the other agreement, a slash and the id of its clause")
			case of == e.ID:
				r.fault(c.Line, fmt.Sprintf("overrides %q, which is of this agreement", id), "write the id of the clause alone")
			case c.Amount == "":
				r.fault(c.Line, fmt.Sprintf("overrides %q and gives no figure", id), "only a figure of another agreement can be set aside; of the rest the strictest answer holds")
			case e.Instruments[c.Instrument].Status == StatusEmergency:
				r.fault(c.Line, fmt.Sprintf("an emergency act that sets aside %q", id), "leave it to a text that both sides sign")
			}
			continue
		}
		if o := e.Clause(id); o == nil && r.lost["clauses"] {
			continue
		} else if o == nil {
			r.fault(c.Line, fmt.Sprintf("overrides %q, which is not there", id), "name a clause of the package")
		} else if o == c {
			r.fault(c.Line, "overrides itself", "name another clause")
		}
	}
}

// overlaps faults two clauses of one instrument that give the same limit or figure
// for the same case, neither setting the other aside. Where they are of two
// instruments it is for the engine to show the conflict.
func (r *reader) overlaps() {
	// Conditions that differ may keep two clauses apart; that cannot be decided here.
	groups := map[[3]string][]*Clause{}
	var order [][3]string
	for _, c := range r.e.Clauses {
		if f := sameFigure(c); f != "" {
			k := [3]string{c.Instrument, c.When, f}
			if groups[k] == nil {
				order = append(order, k)
			}
			groups[k] = append(groups[k], c)
		}
	}
	for _, k := range order {
		for i, a := range groups[k] {
			for _, b := range groups[k][i+1:] {
				if !slices.Contains(a.Overrides, b.ID) && !slices.Contains(b.Overrides, a.ID) && r.meet(a, b) {
					r.file, r.owner = b.File, b.ID
					r.fault(b.Line, fmt.Sprintf("says the same kind of thing as %s for the same case", a.ID), "let one of them override the other, or bound them by dates or sites")
				}
				if !r.spend(1) {
					return
				}
			}
		}
	}
}

// meet reports whether two clauses can be asked in one question.
func (r *reader) meet(a, b *Clause) bool {
	if !common(a.At, b.At) && len(a.At) > 0 && len(b.At) > 0 {
		return false
	}
	for _, x := range periods(a) {
		for _, y := range periods(b) {
			if !r.spend(1 + len(x.Sites)*len(y.Sites)) {
				return false
			}
			if periodsMeet(x, y) {
				return true
			}
		}
	}
	return false
}

// periods are those of a clause, one that is always and everywhere where it names none.
func periods(c *Clause) []Period {
	if len(c.Holds) == 0 {
		return []Period{{}}
	}
	return c.Holds
}

func periodsMeet(x, y Period) bool {
	before := func(x, y Period) bool {
		return !x.Until.IsZero() && !x.Until.Unknown && !y.From.IsZero() && !y.From.Unknown && !x.Until.Last.After(y.From.First)
	}
	return (len(x.Sites) == 0 || len(y.Sites) == 0 || common(x.Sites, y.Sites)) &&
		(len(x.Sides) == 0 || len(y.Sides) == 0 || common(x.Sides, y.Sides)) && !before(x, y) && !before(y, x)
}

func common[T comparable](x, y []T) bool {
	return slices.ContainsFunc(x, func(s T) bool { return slices.Contains(y, s) })
}
