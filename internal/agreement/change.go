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
)

// What changes in an edition, and the days on which it does.

// onSite reports whether a clause speaks of a site.
func onSite(c *Clause, site string) bool {
	return slices.ContainsFunc(periods(c), func(p Period) bool { return len(p.Sites) == 0 || slices.Contains(p.Sites, site) })
}

// weekdays faults a schedule that opens a site on more days of the week than the law
// that a schedule clause names, on any day of the edition.
func (r *reader) weekdays() {
	e := r.e
	for _, c := range e.Clauses {
		p := e.Parameters[c.Limit]
		if c.Kind != KindSchedule || p == nil {
			continue
		}
		for _, s := range e.Sites {
			if onSite(c, s.ID) && e.Schedules[s.ID] != nil {
				r.opensOften(c, p, s)
			}
		}
	}
	for _, s := range e.Sites {
		asked := slices.ContainsFunc(e.Clauses, func(c *Clause) bool { return c.Kind == KindSchedule && onSite(c, s.ID) })
		if asked && e.Schedules[s.ID] == nil {
			r.file, r.owner = "agreement.yaml", s.ID
			r.warn(e.where["site "+s.ID].line, "no schedule for the site", "write schedule/"+s.ID+".yaml, with days: unknown and open: unknown where no text that was read has them")
		}
	}
}

// opensOften holds the hours of a site against the greatest number of weekdays, each by
// what holds on the day.
func (r *reader) opensOften(c *Clause, p *Parameter, s Site) {
	e := r.e
	schedule := e.Schedules[s.ID]
	from, until := e.term()
	if from.IsZero() {
		return
	}
	days := []calendar.Date{from.First, s.From.First, s.From.Last}
	for _, v := range p.Values {
		days = append(days, v.From.First, v.From.Last, v.Until.First, v.Until.Last)
	}
	for _, x := range e.spans(c) {
		days = append(days, x.From.First, x.From.Last)
	}
	days = append(days, e.turning[s.ID]...)
	for _, w := range schedule.Hours().Weekly {
		if w.Season.IsZero() {
			continue
		}
		for _, y := range w.Season.Turns() {
			for n := range 2 {
				days = append(days, y.In(max(from.First.Year, w.From.Year)+n))
			}
		}
	}
	slices.SortFunc(days, calendar.Date.Compare)
	classes := append([]Class{{}}, e.Classes...)
	cases := r.cases(p)
	for _, d := range slices.Compact(days) {
		on := slices.ContainsFunc(e.spans(c), func(x Period) bool {
			return (len(x.Sites) == 0 || slices.Contains(x.Sites, s.ID)) && x.Holds(d, calendar.EndOfDay-1) != No
		})
		if d.Before(from.First) || !until.IsZero() && !d.Before(until.First) || !on {
			continue
		}
		if !s.From.IsZero() && s.From.Come(d, calendar.EndOfDay-1) == No {
			continue
		}
		if !r.spend(len(classes) + len(cases)*len(p.Values)) {
			return
		}
		most := 0
		for _, k := range classes {
			most = max(most, schedule.Weekdays(k.ID, d))
		}
		for _, side := range [...]Side{A, B} {
			for _, k := range cases {
				v, _, ok := p.In(Ask{Site: s.ID, Side: side, On: d, Minute: calendar.EndOfDay - 1, Get: k.get})
				if ok && v.Known && int64(most) > v.Int {
					at := e.where["schedule of "+s.ID]
					r.file, r.owner = at.file, c.ID
					r.fault(at.line, fmt.Sprintf("on %s %s is open on %d days of the week, and %s of clause %s allows %d from that day on", d, s.ID, most, p.ID, c.ID, v.Int), "take days out, or give the parameter the value of that day")
					return
				}
			}
		}
	}
}

// shift is something that scenarios must look at on both sides of its day.
type shift struct {
	file, owner string
	line        int
	what        string
	on          []calendar.Date // one of them; several where it comes again each year
	sites       []string
}

// Untested returns the changes of an edition that no scenario looks at on both sides
// of the date: the day before and the day of. An edition with any is not to be signed.
// Where the day is known to lie between two others, both the first and the last that it
// can be count. What changes each year needs to be looked at in one year. Where a site
// is shut on the day, the nearest day on which it is open within a week will do.
func (e *Edition) Untested() Faults {
	var fs Faults
	loc, err := calendar.Zone(e.Zone)
	if err != nil {
		loc = time.UTC
	}
	asked := e.askedOn(loc)
	all := e.changes(loc, asked)
	edges := map[string][]calendar.Date{}
	for _, c := range all {
		edges[c.file+" "+c.owner] = append(edges[c.file+" "+c.owner], c.on...)
	}
	seen := map[string]bool{}
	for _, c := range all {
		on := func(d calendar.Date) bool {
			if len(c.sites) == 0 {
				return asked[askedDay{d, ""}]
			}
			return slices.ContainsFunc(c.sites, func(s string) bool { return asked[askedDay{d, s}] })
		}
		for _, x := range [...]struct {
			name, shut string
			step       int
		}{{"the day before", "the last open day before", -1}, {"the day on which", "the first open day after", 1}} {
			var f Fault
			done := false
			for i, d := range c.on {
				first := d.AddDays(min(x.step, 0))
				if done = on(first); done || len(fs) == maxFaults {
					break
				}
				name, open := x.name, e.nearest(c.sites, first, x.step, edges[c.file+" "+c.owner])
				if done = on(open); done {
					break
				}
				if i == 0 {
					mend := "add one to tests/"
					switch {
					case open == first:
					case len(c.sites) > 0:
						first, name = open, x.shut
					default:
						mend = fmt.Sprintf("add one to tests/, on that day or on %s, %s it", open, x.shut)
					}
					f = Fault{File: c.file, Line: c.line, Clause: c.owner, What: fmt.Sprintf("no scenario on %s, %s %s", first, name, c.what), Mend: mend}
					if len(c.on) > 1 {
						f.Mend += ", of that year or another"
					}
					if len(c.sites) > 0 {
						f.What += " at " + strings.Join(c.sites, " or ")
					}
				}
			}
			if !done && f.What != "" && !seen[f.String()] && len(fs) < maxFaults {
				seen[f.String()] = true
				fs = append(fs, f)
			}
		}
	}
	fs.Sort()
	return fs
}

const (
	maxNear  = 7  // days that are looked at for one on which a site is open
	maxShut  = 20 // sites that are looked at for it
	maxYears = 60 // in which something that comes each year may be looked at
)

// nearest returns the day, from one on in a direction, on which one of the sites is open
// (any site where none is named), before the next change; that day itself where there is none.
func (e *Edition) nearest(sites []string, from calendar.Date, step int, edges []calendar.Date) calendar.Date {
	if len(sites) == 0 {
		for _, s := range e.Sites {
			sites = append(sites, s.ID)
		}
	}
	if len(sites) > maxShut {
		return from
	}
	for n := range maxNear {
		d := from.AddDays(step * n)
		// A change between the two: the day is of another time.
		if n > 0 && step > 0 && slices.Contains(edges, d) || n > 0 && step < 0 && slices.Contains(edges, d.AddDays(1)) {
			return from
		}
		if slices.ContainsFunc(sites, func(s string) bool { return e.Schedules[s] == nil || e.Schedules[s].Any(d) }) {
			return d
		}
	}
	return from
}

// changes are all of an edition.
func (e *Edition) changes(loc *time.Location, asked map[askedDay]bool) []shift {
	var out []shift
	from, until := e.term()
	inside := func(d calendar.Date) bool {
		return !d.IsZero() && d.After(from.First) && (until.IsZero() || d.Before(until.First))
	}
	day := func(file, owner string, line int, what string, m Moment, sites ...string) {
		if m.Unknown {
			return
		}
		if inside(m.First) {
			out = append(out, shift{file, owner, line, what, []calendar.Date{m.First}, sites})
		}
		if m.Last != m.First && inside(m.Last) {
			out = append(out, shift{file, owner, line, what + " at the latest", []calendar.Date{m.Last}, sites})
		}
	}
	edge := func(what string, t time.Time) {
		if !t.IsZero() {
			out = append(out, shift{"agreement.yaml", "", 1, what, []calendar.Date{calendar.On(t, loc)}, nil})
		}
	}
	edge("the edition begins", e.From)
	edge("the edition ends", e.Until)
	for _, id := range slices.Sorted(maps.Keys(e.Instruments)) {
		i := e.Instruments[id]
		at := e.where["instrument "+id]
		if i.Status != StatusProposal {
			day(at.file, id, at.line, "it begins", i.From)
			day(at.file, id, at.line, "it ends", i.Until)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(e.Parameters)) {
		p := e.Parameters[id]
		for n, v := range p.Values {
			if !p.stays(n) {
				day(p.File, p.ID, p.Line, "its value changes", v.From)
			}
			follows := func(w ParameterValue) bool {
				return w.From == v.Until && w.Site == v.Site && w.Side == v.Side && maps.Equal(w.For, v.For)
			}
			if !slices.ContainsFunc(p.Values, follows) { // told as a change
				day(p.File, p.ID, p.Line, "its value ends", v.Until)
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(e.ListInfo)) {
		info := e.ListInfo[id]
		if l := e.Lists[id]; l != nil {
			for _, x := range l.Lines() {
				day(info.File, id, info.Line, "a line of it begins", x.From)
				day(info.File, id, info.Line, "a line of it ends", x.Until)
			}
		}
		for _, x := range e.ValueLines[id] {
			day(info.File, id, info.Line, "a line of it begins", x.From)
			day(info.File, id, info.Line, "a line of it ends", x.Until)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(e.RuleSets)) {
		s := e.RuleSets[id]
		for _, x := range s.Rules.Rules() {
			day(s.File, id, s.Line, "rule "+x.ID+" "+x.Version+" begins", Day(calendar.On(x.ValidFrom, loc)))
			day(s.File, id, s.Line, "rule "+x.ID+" "+x.Version+" ends", Day(calendar.On(x.ValidTo.Add(time.Millisecond), loc)))
		}
	}
	for _, id := range slices.Sorted(maps.Keys(e.Questions)) {
		at := e.where["question "+id]
		for _, s := range e.Questions[id].Later {
			day(at.file, "question "+id, at.line, "it is settled", Day(s.From))
		}
	}
	last := from.First.Year
	for a := range asked {
		last = max(last, a.on.Year)
	}
	last = min(last+1, from.First.Year+maxYears)
	for _, s := range e.Sites {
		at := e.where["site "+s.ID]
		day(at.file, s.ID, at.line, "it opens", s.From, s.ID)
		at = e.where["schedule of "+s.ID]
		for _, d := range e.turning[s.ID] {
			if !d.IsZero() {
				day(at.file, s.ID, at.line, "its hours change", Day(d), s.ID)
			}
		}
		if e.Schedules[s.ID] == nil {
			continue
		}
		for _, w := range e.Schedules[s.ID].Hours().Weekly {
			if w.Season.IsZero() {
				continue
			}
			for _, y := range w.Season.Turns() {
				c := shift{at.file, s.ID, at.line, "its hours change with the season", nil, []string{s.ID}}
				for year := from.First.Year; year <= last; year++ {
					if d := y.In(year); inside(d) && d.After(w.From) && (w.Until.IsZero() || d.Before(w.Until)) {
						c.on = append(c.on, d)
					}
				}
				if len(c.on) > 0 {
					out = append(out, c)
				}
			}
		}
	}
	for _, c := range e.Clauses {
		if c.Kind == KindNote || c.Kind == KindPower || e.Instruments[c.Instrument].Status == StatusProposal {
			continue
		}
		for _, h := range c.Holds {
			day(c.File, c.ID, c.Line, "it begins", h.From, h.Sites...)
			day(c.File, c.ID, c.Line, "it ends", h.Until, h.Sites...)
		}
	}
	return out
}

// stays reports whether a value says no more than the one before it for the same case:
// that nobody knows it.
func (p *Parameter) stays(n int) bool {
	v, before := p.Values[n], -1
	if v.Known || p.Unit == "text" {
		return false
	}
	for i, w := range p.Values {
		if w.Site == v.Site && w.Side == v.Side && maps.Equal(w.For, v.For) && w.From.Compare(v.From) < 0 && (before < 0 || w.From.Compare(p.Values[before].From) > 0) {
			before = i
		}
	}
	return before >= 0 && !p.Values[before].Known && (p.Values[before].Until.IsZero() || p.Values[before].Until == v.From)
}

// askedOn returns the days on which scenarios ask, by the clock of the edition and of
// the site, and again with the site.
func (e *Edition) askedOn(loc *time.Location) map[askedDay]bool {
	out := map[askedDay]bool{}
	clocks := map[string]*time.Location{}
	for _, s := range e.Sites {
		if l, err := calendar.Zone(s.Zone); err == nil {
			clocks[s.ID] = l
		}
	}
	for _, s := range e.Tests {
		for _, a := range s.Asks {
			at, site := a.At, a.Site
			if at.IsZero() {
				at = s.At
			}
			if site == "" {
				site = s.Site
			}
			days := []calendar.Date{calendar.On(at, loc)}
			if clock := clocks[site]; clock != nil {
				days = append(days, calendar.On(at, clock))
			}
			for _, d := range days {
				out[askedDay{d, ""}], out[askedDay{d, site}] = true, true
			}
		}
	}
	return out
}

type askedDay struct {
	on   calendar.Date
	site string
}
