// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"math"
	"slices"
	"strings"
	"time"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/reason"
)

// instant is a point in time, of which sometimes only the day is known: then it is the
// start of the day by the clock of the question.
type instant struct {
	day   int64
	at    time.Time
	whole bool // the day alone is known
}

// instant returns the value of an attribute that is a time or a date; now where the
// name is empty.
func (j *judge) instant(name string) (instant, bool) {
	if name == "" {
		return instant{day: int64(j.a.on.Days()), at: j.a.now}, true
	}
	return j.a.instantOf(j.a.given(name))
}

func (a *activation) instantOf(v ref.Val) (instant, bool) {
	switch x := v.(type) {
	case types.Timestamp:
		return instant{day: a.day(x.Time), at: x.Time}, true
	case types.Int:
		d, err := dateOf(int64(x))
		if err != nil {
			return instant{}, false
		}
		return instant{day: int64(x), at: d.Start(a.zone), whole: true}, true
	}
	return instant{}, false
}

// happened is an event that a clause speaks of, or may speak of.
type happened struct {
	instant
	is    tri // never no
	lacks []int64
	n     int64 // what is summed, 1 where events are counted
	dated bool  // it is known when it was
	val   ref.Val
}

// picks returns the events that a selection means, with the field that is summed, oldest
// first. ok is false where what happened is not known, or a figure of an event is not
// sound; lacks say what is missing then.
func (j *judge) picks(s *agreement.Select, where *condition, span *agreement.Span, field string, groups ...string) (out []happened, lacks []int64, ok bool) {
	a := j.a
	c := a.c
	var lots []Event
	events, present := a.q.Events[s.Events]
	if s.Events == kindLot {
		lots, present = make([]Event, 0, len(a.q.Lots)), true
		for _, l := range a.q.Lots {
			lots = append(lots, Event{At: a.now, Site: l.Site, Facts: Facts{"category": l.Category, "value": l.Value, "regime": l.Regime}})
		}
		events = lots
	}
	if !present || len(events) > maxEvents {
		return nil, c.unknownOf(kindPrefix + s.Events).IDs(), false
	}
	if where != nil { // what is derived is derived before events are looked at: that may itself look at events
		for _, n := range where.names {
			if i, ok := c.names[n]; ok && c.labels[i].kind != isField {
				a.val(i)
			}
		}
	}
	of, _ := fields(c.e, s.Events)
	for e := range events {
		x := &events[e]
		p := happened{is: yes, n: 1, dated: !x.At.IsZero()}
		if p.dated {
			p.instant = instant{day: a.day(x.At), at: x.At}
		}
		in := yes
		if span != nil {
			if in, lacks, ok = j.within(span, &p, x.Site); !ok {
				return nil, lacks, false
			}
		}
		if in == no {
			continue
		}
		if in == open {
			p.is, p.lacks = open, c.unknownOf(kindPrefix+s.Events).IDs()
		}
		a.enter(of, x, &p)
		for _, g := range groups {
			mine, theirs := a.given(g), a.vals[c.names[fieldPrefix+g]]
			if mine == nil {
				a.leave(of)
				return nil, c.unknownOf(g).IDs(), false
			}
			if types.IsUnknown(theirs) {
				p.is, p.lacks = max(p.is, open), append(p.lacks, c.unknownOf(fieldPrefix+g).IDs()...)
			} else if mine.Equal(theirs) != types.True {
				p.is = no
			}
		}
		if p.is != no {
			switch t, lack := a.run2(where); t {
			case no:
				p.is = no
			case open:
				p.is, p.lacks = open, append(p.lacks, lack...)
			case failed:
				a.leave(of)
				return nil, nil, false
			}
		}
		if p.is != no && field != "" {
			p.val = a.fieldVal(field, &p)
			if n, isInt := p.val.(types.Int); isInt {
				p.n = int64(n)
			} else if types.IsUnknown(p.val) {
				a.leave(of)
				return nil, c.unknownOf(fieldPrefix + field).IDs(), false
			}
		}
		a.leave(of)
		if p.is != no {
			out = append(out, p)
		}
	}
	slices.SortStableFunc(out, func(x, y happened) int { return x.at.Compare(y.at) })
	return out, nil, true
}

// run2 evaluates a condition on an event; none is true.
func (a *activation) run2(c *condition) (tri, []int64) {
	if c == nil {
		return yes, nil
	}
	return a.run(c)
}

// enter gives expressions the fields of an event.
func (a *activation) enter(of []agreement.Attribute, x *Event, p *happened) {
	c := a.c
	if p.dated {
		a.vals[c.names[fieldAt]] = types.Timestamp{Time: x.At.UTC()}
		a.vals[c.names[fieldOn]] = types.Int(p.day)
	} else {
		a.vals[c.names[fieldAt]], a.vals[c.names[fieldOn]] = c.unknownOf(fieldAt), c.unknownOf(fieldOn)
	}
	a.vals[c.names[fieldSite]] = types.String(x.Site)
	for _, f := range of {
		i := c.names[fieldPrefix+f.ID]
		a.vals[i] = c.unknowns[i]
		if raw, ok := x.Facts[f.ID]; ok {
			if v, ok := value(f.Type, f.Values, raw); ok {
				a.vals[i] = v
			}
		}
	}
}

func (a *activation) leave(of []agreement.Attribute) {
	c := a.c
	a.vals[c.names[fieldAt]], a.vals[c.names[fieldOn]], a.vals[c.names[fieldSite]] = nil, nil, nil
	for _, f := range of {
		a.vals[c.names[fieldPrefix+f.ID]] = nil
	}
}

// fieldVal is a field of the event that was entered.
func (a *activation) fieldVal(field string, p *happened) ref.Val {
	switch field {
	case "at", "on":
		return a.vals[a.c.names[fieldPrefix+field]]
	}
	if i, ok := a.c.names[fieldPrefix+field]; ok && a.vals[i] != nil {
		return a.vals[i]
	}
	return a.c.unknownOf(fieldPrefix + field)
}

// within reports whether an event lies in the time that is counted over: the day, week
// from Monday, month or year of the question, or so long back from now. Longer than
// hours is counted in days: of the 30 days that end today, today is the last.
func (j *judge) within(s *agreement.Span, p *happened, site string) (is tri, lacks []int64, ok bool) {
	a := j.a
	if s.Here && site != a.q.Site {
		return no, nil, true
	}
	if s.Per == "ever" || s.Per == "" && s.Rolling == "" {
		return yes, nil, true
	}
	if !p.dated {
		return open, nil, true
	}
	today := int64(a.on.Days())
	from, to := today, today
	switch s.Per {
	case "day":
	case "week":
		from -= int64(a.on.Weekday()+6) % 7
		to = from + 6
	case "month":
		from = int64(calendar.Date{Year: a.on.Year, Month: a.on.Month, Day: 1}.Days())
		to = int64(calendar.Date{Year: a.on.Year, Month: a.on.Month, Day: calendar.DaysIn(a.on.Year, a.on.Month)}.Days())
	case "quarter":
		first := (a.on.Month-1)/3*3 + 1
		from = int64(calendar.Date{Year: a.on.Year, Month: first, Day: 1}.Days())
		to = int64(calendar.Date{Year: a.on.Year, Month: first + 2, Day: calendar.DaysIn(a.on.Year, first+2)}.Days())
	case "year":
		from = int64(calendar.Date{Year: a.on.Year, Month: time.January, Day: 1}.Days())
		to = int64(calendar.Date{Year: a.on.Year, Month: time.December, Day: 31}.Days())
	default:
		n, lacks, ok := a.param(s.Rolling)
		if !ok {
			return open, lacks, false
		}
		if n == math.MaxInt64 {
			return yes, nil, true
		}
		unit := a.unit(s.Rolling)
		if d, ok := short(unit); ok {
			if n > 100_000_000 {
				return yes, nil, true
			}
			return truth(p.at.After(a.now.Add(-time.Duration(n)*d)) && !p.at.After(a.now)), nil, true
		}
		back, err := shift(today, -n, unit)
		if err != nil {
			return yes, nil, true
		}
		from = back + 1
	}
	return truth(from <= p.day && p.day <= to), nil, true
}

func truth(b bool) tri {
	if b {
		return yes
	}
	return no
}

// totals adds up what is picked: the least and the most that it can be, and what the
// difference turns on.
func totals(ps []happened) (least, most int64, lacks []int64, ok bool) {
	for _, p := range ps {
		if p.n < 0 {
			return 0, 0, nil, false
		}
		most = add(most, p.n)
		if p.is == yes {
			least = add(least, p.n)
		} else {
			lacks = append(lacks, p.lacks...)
		}
	}
	return least, most, lacks, true
}

// sumUnit is what a sum over events counts.
func (j *judge) sumUnit(s *agreement.Select, field string) string {
	if field == "" {
		return unitCount
	}
	of, _ := fields(j.a.c.e, s.Events)
	for _, f := range of {
		if f.ID == field {
			return f.Unit
		}
	}
	return ""
}

// adds is what the question adds to a sum.
func (j *judge) adds(k *clause, unit string) (n int64, name string, ok bool) {
	switch k.Adds {
	case "0":
		return 0, "", true
	case "1":
		return 1, "", true
	case "":
		if k.Select == nil || k.Select.Events != kindLot || k.Sum == "" {
			if k.Kind == agreement.KindRatio || k.Sum != "" {
				return 0, "", true
			}
			return 1, "", true
		}
		name = attrValue
	default:
		name = k.Adds
	}
	v, ok := j.a.given(name).(types.Int)
	return int64(v), name, ok
}

// limitOf is the limit of a cap: a parameter, or an attribute such as what a permit is for.
func (a *activation) limitOf(k *clause) (n int64, lacks []int64, ok bool) {
	if n, lacks, ok = a.param(k.Limit); ok || lacks != nil {
		return n, lacks, ok
	}
	if at, found := a.c.names[k.Limit]; found && at < len(a.c.attrs) {
		return number(a.val(at))
	}
	return 0, nil, false
}

// limit asks a cap on a sum of events, or on how often something happens.
func (j *judge) limit(i int, k *clause) {
	limit, lacks, ok := j.a.limitOf(k)
	if !ok {
		j.unsure(i, k, lacks)
		return
	}
	unit := j.sumUnit(k.Select, k.Sum)
	n, name, ok := j.adds(k, unit)
	if !ok {
		j.lack(i, k, name)
		return
	}
	if limit == math.MaxInt64 {
		j.met(i, k, "unlimited")
		return
	}
	if k.list != nil && k.Select.Events == kindLot && !j.onList(i, k) {
		return
	}
	ps, lacks, ok := j.picks(k.Select, k.where[0], k.Span, k.Sum, k.Groups...)
	if !ok {
		j.cannot(i, k, lacks)
		return
	}
	least, most, lacks, ok := totals(ps)
	if !ok || n < 0 {
		j.demand(i, k, failed, nil, "", nil)
		return
	}
	before := most
	least, most = add(least, n), add(most, n)
	sensitive := j.hidden(k)
	note, held := "", Working{}
	if !sensitive {
		sum := figure(before, unit) + " + " + figure(n, unit) + " = " + unitText(most, unit)
		note = sum + amid + unitText(limit, unit)
		held = heldAgainst(note, len(sum))
	}
	if _, money := known(unit); money && !sensitive && j.certain(i) {
		j.amount(Amount{Name: amountLeft, Of: k.ID, Minor: max(0, limit-most), Currency: unit, Known: true, Clause: k.ID, Steps: []Working{held}})
	}
	switch {
	case most <= limit:
		j.met(i, k, note)
	case least <= limit:
		j.unsure(i, k, lacks)
	default:
		code := unmet(k.Else)
		switch k.Else.String() {
		case "DIVERT":
			code = CodeCapDivert
		case "REFUSE":
			code = CodeCapRefuse
		}
		params := map[string]string{"limit": unitText(limit, unit)}
		if !sensitive {
			params["total"], params["fits"] = unitText(most, unit), unitText(max(0, limit-before), unit)
		}
		j.against(i, k, code, k.Else, j.with(k, params))
		j.v.Steps[i].Note = note
	}
}

// hidden reports whether a clause reads what a verdict never shows.
func (j *judge) hidden(k *clause) bool {
	for _, r := range k.reads {
		if j.a.c.attrs[r].sensitive {
			return true
		}
	}
	for _, s := range [...]*agreement.Select{k.Select, k.First, k.Second} {
		if s == nil {
			continue
		}
		of, _ := fields(j.a.c.e, s.Events)
		for _, f := range of {
			if f.Sensitive {
				return true
			}
		}
	}
	return false
}

// figure is a number without its unit.
func figure(n int64, unit string) string {
	s, _, _ := strings.Cut(unitText(n, unit), " ")
	return s
}

// cannot says that what happened is not known, or is not sound.
func (j *judge) cannot(i int, k *clause, lacks []int64) {
	if len(lacks) == 0 {
		j.against(i, k, CodeFailed, reason.Refer, nil)
		return
	}
	j.unsure(i, k, lacks)
}

// ratio limits one sum by a share of another.
func (j *judge) ratio(i int, k *clause) {
	times, unset, timed := j.a.param(k.Times)
	unit := j.sumUnit(k.First, k.Sum)
	n, name, ok := j.adds(k, unit)
	if !ok {
		j.lack(i, k, name)
		return
	}
	first, lacks, ok := j.picks(k.First, k.where[0], k.Span, k.Sum)
	if !ok {
		j.cannot(i, k, lacks)
		return
	}
	second, lacks, ok := j.picks(k.Second, k.where[1], k.Span, k.Sum)
	if !ok {
		j.cannot(i, k, lacks)
		return
	}
	least, most, lacks, ok := totals(first)
	low, high, lacks2, ok2 := totals(second)
	if !ok || !ok2 || n < 0 {
		j.demand(i, k, failed, nil, "", nil)
		return
	}
	share := func(n int64) int64 { // rounded down: a part of one does not make room for one
		if times == math.MaxInt64 || n > 0 && times > math.MaxInt64/n {
			return math.MaxInt64
		}
		return n * times / 10_000
	}
	least, most = add(least, n), add(most, n)
	if !timed { // nothing is never too much, however much may be
		if most == 0 {
			j.met(i, k, "")
		} else {
			j.unsure(i, k, unset)
		}
		return
	}
	note := ""
	params := map[string]string{}
	if !j.hidden(k) {
		note = unitText(most, unit) + " against " + unitText(share(low), unit)
		params["total"], params["limit"] = unitText(most, unit), unitText(share(low), unit)
	}
	switch {
	case most <= share(low):
		j.demand(i, k, yes, nil, note, nil)
	case least <= share(high):
		j.unsure(i, k, append(lacks, lacks2...))
	default:
		j.demand(i, k, no, nil, note, params)
	}
}

// window asks for an event between two distances before an instant, or after it. Any
// one event inside will do.
func (j *judge) window(i int, k *clause) {
	a := j.a
	before, ok := j.instant(k.Before)
	event, there := j.instant(k.Event)
	if k.Select != nil {
		there = true
	}
	if !ok || !there {
		var lacks []int64
		for n, name := range [...]string{k.Before, k.Event} {
			if [...]bool{ok, there}[n] {
				continue
			}
			if at, isAttr := a.c.names[name]; isAttr {
				if u, isUnknown := a.val(at).(*types.Unknown); isUnknown {
					lacks = append(lacks, u.IDs()...)
				}
			}
		}
		j.unsure(i, k, lacks)
		return
	}
	var ends [2]edge
	for n, id := range [...]string{k.AtLeast, k.AtMost} {
		if id == "" {
			continue
		}
		m, lacks, ok := a.param(id)
		if !ok {
			j.unsure(i, k, lacks)
			return
		}
		word := [...]string{"atleast", "atmost"}[n]
		ends[n] = edge{set: true, n: m, unit: a.unit(id), strict: slices.Contains(k.Strict, word)}
	}
	var ps []happened
	if k.Select == nil {
		ps = []happened{{instant: event, is: yes, dated: true}}
	} else {
		var lacks []int64
		if ps, lacks, ok = j.picks(k.Select, k.where[0], nil, k.Select.Field); !ok {
			j.cannot(i, k, lacks)
			return
		}
	}
	best := no
	var lacks []int64
	for _, p := range ps {
		e := p.instant
		if k.Select != nil && k.Select.Field != "" {
			if e, ok = a.instantOf(p.val); !ok {
				j.demand(i, k, failed, nil, "", nil)
				return
			}
		} else if !p.dated {
			best, lacks = max(best, open), append(lacks, a.c.unknownOf(kindPrefix+k.Select.Events).IDs()...)
			continue
		}
		x, y := e, before
		if k.After {
			x, y = before, e
		}
		in, ok := inside(x, y, ends)
		if !ok {
			j.demand(i, k, failed, nil, "", nil)
			return
		}
		switch {
		case in && p.is == yes:
			j.demand(i, k, yes, nil, "", nil)
			return
		case in:
			best, lacks = open, append(lacks, p.lacks...)
		}
	}
	params := map[string]string{}
	if !j.hidden(k) {
		params["before"] = before.at.In(a.zone).Format("2006-01-02")
	}
	for n, word := range [...]string{"atleast", "atmost"} {
		if ends[n].set {
			params[word] = unitText(ends[n].n, ends[n].unit)
		}
	}
	j.demand(i, k, best, lacks, "", params)
}

// edge is one end of a window.
type edge struct {
	set, strict bool
	n           int64
	unit        string
}

// inside reports whether y lies between the two distances after x. Distances of days
// and longer are counted in days.
func inside(x, y instant, ends [2]edge) (in, ok bool) {
	if ends[0].n == math.MaxInt64 {
		return false, true // at least so long as never comes
	}
	if !ends[0].set && y.at.Before(x.at) && !(x.day == y.day && (x.whole || y.whole)) {
		return false, true // on the other side of the instant
	}
	for n, e := range ends {
		if !e.set || e.n == math.MaxInt64 {
			continue
		}
		var order int // of y and x + distance
		if d, isShort := short(e.unit); isShort {
			if e.n > 100_000_000 {
				return false, false
			}
			order = y.at.Compare(x.at.Add(time.Duration(e.n) * d))
		} else {
			day, err := shift(x.day, e.n, e.unit)
			if err != nil {
				return false, false
			}
			order = int(max(-1, min(1, y.day-day)))
		}
		if n == 1 {
			order = -order
		}
		if order < 0 || order == 0 && e.strict {
			return false, true
		}
	}
	return true, true
}
