// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package agreement

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"darwaza.dev/internal/calendar"
)

// Where something ends and what takes its place was published later, the end was
// published with it. Without that day a question of what was known before then finds
// neither of the two, and lets through what either of them forbids.

// How many days may lie between an end and a beginning that is taken to be in its place:
// of anything of the same kind, and of what is of the same matter. Where the two meet to
// the minute, none does.
const (
	besideDays  = 1
	relatedDays = 31
)

// start is something that begins.
type start struct {
	name   string
	from   Moment
	on     calendar.Date // of publication, zero where it has always been known
	within int           // days between it and the end, -1 where the two must meet
}

// finish is something that ends, with the day on which its beginning became known.
type finish struct {
	Period
	line int
	// one says that of two that hold the newer alone is read, as of numbers: then the end may
	// not become known later than what takes its place either.
	one bool
}

// near reports whether a beginning stands where something ends.
func (s start) near(x finish) bool {
	if s.from.IsZero() || s.from.Unknown {
		return false
	}
	if s.from == x.Until {
		return true
	}
	if !s.from.Exact() || !x.Until.Exact() || !x.From.IsZero() && s.from.Compare(x.From) <= 0 || !s.on.IsZero() && !s.on.After(x.Published) {
		return false
	}
	n := s.from.First.DaysSince(x.Until.First)
	return max(n, -n) <= s.within
}

// told faults days of publication that cannot be so.
func (r *reader) told(line int, p Period) {
	if !p.Published.IsZero() && !p.Until.IsZero() && !p.Until.Unknown && p.Published.After(p.Until.Last) {
		r.fault(line, fmt.Sprintf("published on %s, and it had ended by %s: nobody is ever asked by it", p.Published, p.Until), "compare published and until with the text")
	}
	switch {
	case p.Ended.IsZero() || p.Until.IsZero():
	case p.Until.Unknown:
		r.fault(line, fmt.Sprintf("its end was published on %s, and until is unknown", p.Ended), "write until as that text gives it, or take ended out")
	case p.Ended.Before(p.Published):
		r.fault(line, fmt.Sprintf("its end was published on %s, before it was published itself, on %s", p.Ended, p.Published), "compare the two with the texts; take ended out where the end was published with it")
	case p.Published.IsZero() && !p.From.IsZero() && !p.From.Unknown && p.Ended.Before(p.From.First):
		r.fault(line, fmt.Sprintf("its end was published on %s, before it begins, on %s", p.Ended, p.From), "compare ended with the text; write published too where it was ended before it began, or take ended out where the end was published with it")
	}
}

// unpublished faults ends of which nothing says when they became known, where it is said
// of what begins in their place, and days of publication that do not fit each other.
func (r *reader) unpublished() {
	e := r.e
	for _, id := range slices.Sorted(maps.Keys(e.Parameters)) {
		p := e.Parameters[id]
		r.file, r.owner = p.File, p.ID
		for n, v := range p.Values {
			x := finish{Period{From: v.From, Until: v.Until, Published: v.Published, Ended: v.Ended}, p.Line, true}
			r.told(p.Line, x.Period)
			if v.Until.IsZero() {
				continue
			}
			if !r.spend(1 + len(p.Values)) {
				return
			}
			var starts []start
			for m, o := range p.Values {
				if m != n && (o.Site == "" || v.Site == "" || o.Site == v.Site) && (o.Side == "" || v.Side == "" || o.Side == v.Side) && !apart(o.For, v.For) {
					starts = append(starts, start{"the value " + o.Text, o.From, o.Published, relatedDays})
				}
			}
			r.unsaid(x, starts)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(e.ListInfo)) {
		r.file, r.owner = e.lineFile[id], id
		var lines []entry
		if l := e.Lists[id]; l != nil {
			for _, x := range l.Lines() {
				lines = append(lines, entry{x.Code, finish{Period{From: x.From, Until: x.Until, Published: x.Published, Ended: x.Ended}, x.Row, false}})
			}
		}
		for _, x := range e.ValueLines[id] {
			lines = append(lines, entry{x.ID, finish{Period{From: x.From, Until: x.Until, Published: x.Published, Ended: x.Ended}, x.Line, false}})
		}
		r.unsaidLines("a line of the list", lines)
	}
	r.unpublishedClauses()
}

// apart reports whether two values name different words of one attribute.
func apart(a, b map[string]string) bool {
	for k, s := range a {
		if t, ok := b[k]; ok && s != t {
			return true
		}
	}
	return false
}

// entry is a line of a list, or an entry of a schedule, with what it is of.
type entry struct {
	of string
	finish
}

// unsaidLines looks at the ends of lines: another line begins in the place of one, and
// within a month one of the same code.
func (r *reader) unsaidLines(name string, lines []entry) {
	type day struct {
		from Moment
		on   calendar.Date
	}
	seen := map[day]bool{}
	var any []start // one for each day
	same := map[string][]start{}
	for _, x := range lines {
		s := start{name, x.From, x.Published, besideDays}
		if k := (day{x.From, x.Published}); !seen[k] && !x.From.IsZero() {
			seen[k], any = true, append(any, s)
		}
		if s.within = relatedDays; !x.From.IsZero() {
			same[x.of] = append(same[x.of], s)
		}
	}
	for _, x := range lines {
		r.told(x.line, x.Period)
		if x.Until.IsZero() {
			continue
		}
		if !r.spend(1 + len(any) + len(same[x.of])) {
			return
		}
		r.unsaid(x.finish, slices.Concat(any, same[x.of]))
	}
}

// unsaid faults an end without the day of its publication, or with one that does not fit,
// where something stands in its place that has one.
func (r *reader) unsaid(x finish, starts []start) {
	if x.Until.IsZero() || x.Until.Unknown {
		return
	}
	var by start
	found, fits := false, false
	for _, s := range starts {
		if !s.near(x) {
			continue
		}
		fits = fits || s.on == x.Ended || !x.one && s.on.Before(x.Ended)
		if !s.on.IsZero() && (!found || by.from != x.Until && s.from == x.Until) || x.one && !found && s.from == x.Until {
			by, found = s, true
		}
	}
	begins := "then"
	if by.from != x.Until {
		begins = "on " + by.from.String()
	}
	switch {
	case !found:
	case x.Ended.IsZero() && !by.on.IsZero():
		r.fault(x.line, fmt.Sprintf("ends on %s, and nothing says when that became known, while %s, which begins %s, was published on %s: of what was known before, neither would hold", x.Until, by.name, begins, by.on),
			fmt.Sprintf("write ended: %s, the day on which the end was published, beside until", by.on))
	case x.Ended.IsZero() || fits:
	case by.on.After(x.Ended):
		r.fault(x.line, fmt.Sprintf("its end on %s was published on %s, and %s, which begins %s, on %s alone: of what was known between, neither would hold", x.Until, x.Ended, by.name, begins, by.on),
			fmt.Sprintf("write ended: %s, or the day of the end as published of what begins", by.on))
	case by.on.IsZero():
		r.fault(x.line, fmt.Sprintf("its end on %s was published on %s, and %s, which begins %s, has always been known: of what was known before, both would hold", x.Until, x.Ended, by.name, begins),
			fmt.Sprintf("write published: %s beside the new one, or take ended out", x.Ended))
	default:
		r.fault(x.line, fmt.Sprintf("its end on %s was published on %s, after %s, which begins %s, on %s: of what was known between, both would hold", x.Until, x.Ended, by.name, begins, by.on),
			fmt.Sprintf("write ended: %s, or the day of the end as published of what begins", by.on))
	}
}

// related reports whether two clauses are of one matter, so that one can stand in the
// place of the other: they give one attribute, figure or matter, or one sets the other aside.
func related(a, b *Clause) bool {
	return a.Attribute != "" && a.Attribute == b.Attribute || a.Amount != "" && a.Amount == b.Amount || a.Matter != "" && a.Matter == b.Matter ||
		slices.Contains(a.Overrides, b.ID) || slices.Contains(b.Overrides, a.ID)
}

// unpublishedClauses looks at the ends of clauses and of instruments.
func (r *reader) unpublishedClauses() {
	e := r.e
	type begun struct {
		c *Clause
		Period
		start
	}
	var starts []begun
	live := func(c *Clause) bool {
		return c.Kind != KindNote && c.Kind != KindBound && c.Kind != KindPower && e.Instruments[c.Instrument].Status != StatusProposal
	}
	later := func(a, b calendar.Date) calendar.Date {
		if a.After(b) {
			return a
		}
		return b
	}
	any := false // was published
	for _, c := range e.Clauses {
		i := e.Instruments[c.Instrument]
		for _, p := range c.Holds {
			r.file, r.owner = c.File, c.ID
			p.Published = later(later(c.Published, i.Published), p.Published)
			r.told(c.Line, p)
		}
		if !live(c) {
			continue
		}
		for _, p := range periods(c) {
			p.Published = later(later(c.Published, i.Published), p.Published)
			if p.From.IsZero() || before(p.From, i.From) {
				p.From = i.From
			}
			if !p.From.IsZero() && !p.From.Unknown {
				starts = append(starts, begun{c, p, start{"clause " + c.ID, p.From, p.Published, besideDays}})
				any = any || !p.Published.IsZero()
			}
		}
	}
	for _, id := range e.InOrder() {
		i, at := e.Instruments[id], e.where["instrument "+id]
		r.file, r.owner = at.file, id
		r.told(at.line, Period{From: i.From, Until: i.Until, Published: i.Published, Ended: i.Ended})
	}
	if !any {
		return
	}
	// By day, so that each end looks at its neighbours alone; those of half-known days, which
	// only meet, by their first one.
	slices.SortStableFunc(starts, func(a, b begun) int { return a.Period.From.First.Compare(b.Period.From.First) })
	of := func(c *Clause, p Period) []start {
		n, _ := slices.BinarySearchFunc(starts, p.Until.First.AddDays(-relatedDays), func(s begun, d calendar.Date) int { return s.Period.From.First.Compare(d) })
		last := p.Until.First.AddDays(relatedDays)
		var out []start
		for ; n < len(starts) && !starts[n].Period.From.First.After(last) && r.spend(1); n++ {
			s := starts[n]
			meets := (len(p.Sites) == 0 || len(s.Sites) == 0 || common(p.Sites, s.Sites)) && (len(p.Sides) == 0 || len(s.Sides) == 0 || common(p.Sides, s.Sides))
			switch {
			case s.c != c && len(s.c.At) > 0 && len(c.At) > 0 && !common(s.c.At, c.At):
				continue
			case s.c == c && (!meets || !s.Published.After(p.Published)):
				continue // itself, or known no later
			case !meets:
				s.within = -1
			case s.c == c || related(s.c, c):
				s.within = relatedDays
			}
			out = append(out, s.start)
		}
		return out
	}
	said := map[string]bool{} // instruments, each once
	for _, c := range e.Clauses {
		if !live(c) {
			continue
		}
		r.file, r.owner = c.File, c.ID
		i := e.Instruments[c.Instrument]
		for _, p := range c.Holds {
			if p.Until.IsZero() || p.Until.Unknown {
				continue
			}
			p.Published = later(later(c.Published, i.Published), p.Published)
			r.unsaid(finish{p, c.Line, false}, of(c, p))
		}
		if at := e.where["instrument "+i.ID]; !said[i.ID] && !i.Until.IsZero() && !i.Until.Unknown {
			x := finish{Period{From: i.From, Until: i.Until, Sides: i.Sides, Published: i.Published, Ended: i.Ended}, at.line, false}
			n := len(r.faults)
			r.file, r.owner = at.file, i.ID
			r.unsaid(x, slices.DeleteFunc(of(c, x.Period), func(s start) bool { return strings.TrimPrefix(s.name, "clause ") == c.ID }))
			said[i.ID] = len(r.faults) > n
		}
	}
}
