// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"cel.dev/cel-go/common/types"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/goods"
)

// Law is the editions of an agreement, compiled. It is immutable and may be used by
// many at once.
type Law struct {
	editions []*agreement.Edition
	compiled []*compiled // beside editions
}

// compiled is one edition, ready to answer.
type compiled struct {
	e      *agreement.Edition
	hash   string         // hex
	names  map[string]int // what a condition may read: attributes, then parameters, then the engine's own
	attrs  []attribute    // by index in names
	params []parameter    // by index in names, less len(attrs)
	zone   *time.Location // of the edition's own dates
	sites  map[string]*site
	points map[Point][]*clause // sorted by id
	lists  []string            // ids of the lists at hand, sorted
	// conditions is how many different ones the clauses have.
	conditions int
	// pool holds activations, which are large, between questions.
	pool *sync.Pool
}

type attribute struct {
	id, typ   string
	unit      string
	sensitive bool
	unknown   *types.Unknown
}

type parameter struct {
	*agreement.Parameter
	unknown *types.Unknown
}

type site struct {
	agreement.Site
	zone     *time.Location
	schedule *calendar.Schedule
	slots    []agreement.SlotRule
	since    string // what is noted where it is open
}

// clause is one clause as it is asked at one point.
type clause struct {
	*agreement.Clause
	when, require *condition
	reads         []int // attributes that it reads, by index, sorted
	order         int   // 0 for those that nobody overrides, then as exceptions nest
	over          []int // positions, in the point's list, of the clauses that it sets aside
	holds         []agreement.Period
	text          agreement.Period // of its instrument
	list          *goods.List
	of            []int // attributes in Of and Fields
}

// Compile makes editions ready to answer. The error is agreement.Faults where a
// clause cannot be compiled, or where two editions have one number.
func Compile(editions ...*agreement.Edition) (*Law, error) {
	l := &Law{editions: slices.Clone(editions)}
	slices.SortStableFunc(l.editions, func(a, b *agreement.Edition) int {
		return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.Number, b.Number))
	})
	for i, e := range l.editions {
		if i > 0 && l.editions[i-1].ID == e.ID && l.editions[i-1].Number == e.Number {
			return nil, agreement.Faults{{File: "agreement.yaml", Line: 1, What: fmt.Sprintf("edition %d stands twice", e.Number), Mend: "let the number of each edition rise"}}
		}
		c, faults := compileEdition(e)
		if len(faults) > 0 {
			return nil, faults
		}
		l.compiled = append(l.compiled, c)
	}
	return l, nil
}

// Check compiles an edition's conditions and returns what is wrong with them, for
// authors, beside what package agreement finds.
func Check(e *agreement.Edition) agreement.Faults {
	_, faults := compileEdition(e)
	faults.Sort()
	return faults
}

func compileEdition(e *agreement.Edition) (*compiled, agreement.Faults) {
	c := &compiled{e: e, hash: hex.EncodeToString(e.Hash[:]), names: map[string]int{}, sites: map[string]*site{}, points: map[Point][]*clause{}}
	en, err := environment(e)
	if err != nil {
		return nil, agreement.Faults{{File: "agreement.yaml", What: "attributes cannot be declared: " + err.Error(), Mend: "rename them"}}
	}
	for _, id := range sortedKeys(e.Attributes) {
		a := e.Attributes[id]
		c.names[id] = len(c.names)
		c.attrs = append(c.attrs, attribute{id, a.Type, a.Unit, a.Sensitive, unknown(len(c.attrs), id)})
	}
	for _, id := range sortedKeys(e.Parameters) {
		n := len(c.names)
		c.names["param."+id] = n
		c.params = append(c.params, parameter{e.Parameters[id], unknown(n, "param."+id)})
	}
	for _, id := range [...]string{nameNow, nameSite, nameSide} {
		c.names[id] = len(c.names)
	}
	if c.zone, err = calendar.Zone(e.Zone); err != nil {
		c.zone = time.UTC
	}
	for _, s := range e.Sites {
		z, err := calendar.Zone(s.Zone)
		if err != nil {
			return nil, agreement.Faults{{File: "agreement.yaml", What: err.Error()}}
		}
		c.sites[s.ID] = &site{Site: s, zone: z, schedule: e.Schedules[s.ID], slots: e.Slots[s.ID], since: "open since " + s.From.String()}
	}
	c.lists = sortedKeys(e.Lists)
	c.pool = &sync.Pool{New: func() any { return newActivation(c) }}
	known := map[string]*condition{}
	faults := c.clauses(func(text string) (*condition, string, string) {
		if k := known[text]; k != nil {
			return k, "", ""
		}
		k, what, mend := compile(en, e, text)
		if k != nil {
			c.conditions++
			k.id = c.conditions
			known[text] = k
		}
		return k, what, mend
	})
	if len(faults) == 0 {
		faults = c.bounds(func(text string) *condition { p, _, _ := compile(en, e, text); return p })
	}
	return c, faults
}

// bounds faults an edition that breaks a limit which a clause sets to its parameters.
func (c *compiled) bounds(compile func(string) *condition) agreement.Faults {
	var faults agreement.Faults
	dates := []calendar.Date{calendar.On(c.e.From, c.zone)}
	for _, x := range c.e.Clauses {
		if x.Kind == agreement.KindBound {
			for _, h := range x.Holds { // a bound may begin later than any value
				if !h.From.First.IsZero() {
					dates = append(dates, h.From.First)
				}
			}
		}
	}
	for _, p := range c.params {
		for _, v := range p.Values {
			if !v.From.First.IsZero() {
				dates = append(dates, v.From.First)
			}
		}
	}
	slices.SortFunc(dates, calendar.Date.Compare)
	dates = slices.Compact(dates)
	for _, x := range c.e.Clauses {
		if x.Kind != agreement.KindBound {
			continue
		}
		if what, mend := c.bound(x, compile(x.Require), dates); what != "" {
			faults = append(faults, agreement.Fault{File: x.File, Line: x.Line, Clause: x.ID, What: what, Mend: mend})
		}
	}
	return faults
}

func (c *compiled) bound(x *agreement.Clause, require *condition, dates []calendar.Date) (what, mend string) {
	if require == nil {
		return "a bound without a condition", "write require"
	}
	for _, n := range require.names {
		if !strings.HasPrefix(n, "param.") {
			return "a bound reads " + n, "let it read parameters alone"
		}
	}
	for _, d := range dates {
		for _, s := range c.e.Sites {
			for _, side := range [...]agreement.Side{agreement.A, agreement.B} {
				if k := (&clause{Clause: x, holds: x.Holds}); k.inForce(s.ID, side, d, 0) == agreement.No {
					continue
				}
				a := newActivation(c)
				a.start(c, &Query{At: d.Start(c.zone), Site: s.ID, Side: string(side)}, nil)
				a.on = d
				// A value that the text leaves empty breaks nothing yet.
				if t, _ := a.eval(require); t == no || t == failed {
					return fmt.Sprintf("does not hold on %s at %s for side %s", d, s.ID, side), "change the parameters, or the bound with the signatures that it needs"
				}
			}
		}
	}
	return "", ""
}

// unknown is what stands for a name that has no value, told apart by its number.
// Numbers begin at 1, because CEL takes 0 for none.
func unknown(n int, name string) *types.Unknown {
	return types.NewUnknown(int64(n+1), types.NewAttributeTrail(name))
}

func (c *compiled) clauses(compile func(string) (*condition, string, string)) agreement.Faults {
	var faults agreement.Faults
	order, cycle := depths(c.e.Clauses)
	for _, id := range cycle {
		x := c.e.Clause(id)
		faults = append(faults, agreement.Fault{File: x.File, Line: x.Line, Clause: id, What: "clauses override each other in a ring", Mend: "let one of them stand"})
	}
	for _, x := range c.e.Clauses {
		k := &clause{Clause: x, order: order[x.ID], holds: x.Holds, list: c.e.Lists[x.List]}
		if i, ok := c.e.Instruments[x.Instrument]; ok {
			k.text = agreement.Period{From: i.From, Until: i.Until}
		}
		read := map[string]int{}
		cond := func(text string) *condition {
			if text == "" {
				return nil
			}
			p, what, mend := compile(text)
			if p == nil {
				faults = append(faults, agreement.Fault{File: x.File, Line: x.Line, Clause: x.ID, What: what, Mend: mend})
				return nil
			}
			for _, n := range p.names {
				if i := c.names[n]; i < len(c.attrs) {
					read[n] = i
				}
			}
			return p
		}
		k.when, k.require = cond(x.When), cond(x.Require)
		for _, n := range slices.Concat(x.Of, x.Fields) {
			if i, ok := c.names[n]; ok && i < len(c.attrs) {
				k.of, read[n] = append(k.of, i), i
			}
		}
		switch x.Kind {
		case agreement.KindCap, agreement.KindRate, agreement.KindListed:
			for _, n := range [...]string{attrCode, attrValue} {
				if i, ok := c.names[n]; ok {
					read[n] = i
				}
			}
		case agreement.KindSchedule:
			for _, n := range [...]string{attrClass, attrDirection} {
				if i, ok := c.names[n]; ok {
					read[n] = i
				}
			}
		}
		for _, n := range sortedKeys(read) {
			k.reads = append(k.reads, read[n])
		}
		for _, p := range x.At {
			one := *k
			c.points[Point(p)] = append(c.points[Point(p)], &one)
		}
	}
	for _, ks := range c.points {
		slices.SortFunc(ks, func(a, b *clause) int { return strings.Compare(a.ID, b.ID) })
		for _, k := range ks {
			for i, t := range ks {
				if slices.Contains(k.Overrides, t.ID) {
					k.over = append(k.over, i)
				}
			}
		}
	}
	return faults
}

// inForce reports whether a clause holds at a site, for a side, on a day and minute.
func (k *clause) inForce(site string, side agreement.Side, on calendar.Date, minute calendar.Minute) agreement.Tri {
	whole := k.text.Holds(on, minute)
	if whole == agreement.No || len(k.holds) == 0 {
		return whole
	}
	best := agreement.No
	for i := range k.holds {
		p := &k.holds[i]
		if len(p.Sites) > 0 && !slices.Contains(p.Sites, site) || len(p.Sides) > 0 && !slices.Contains(p.Sides, side) {
			continue
		}
		switch p.Holds(on, minute) {
		case agreement.Yes:
			return whole
		case agreement.Open:
			best = agreement.Open
		}
	}
	return best
}

// The attributes that kinds of clauses read by themselves, where an edition declares
// them.
const (
	attrCode      = "good.code"
	attrValue     = "good.value"
	attrClass     = "class"
	attrDirection = "direction"
)

// depths says how deep the exceptions above each clause nest: one that nobody sets
// aside is 0. It is the order in which they are asked. cycle names clauses that stand
// in a ring, which have no such order.
func depths(cs []*agreement.Clause) (order map[string]int, cycle []string) {
	over := map[string][]string{} // clause → those that set it aside
	for _, c := range cs {
		for _, t := range c.Overrides {
			over[t] = append(over[t], c.ID)
		}
	}
	order = map[string]int{}
	open := map[string]bool{}
	var walk func(id string) int
	walk = func(id string) int {
		if d, ok := order[id]; ok {
			return d
		}
		if open[id] {
			cycle = append(cycle, id)
			return 0
		}
		open[id] = true
		d := 0
		for _, o := range over[id] {
			d = max(d, walk(o)+1)
		}
		open[id] = false
		order[id] = d
		return d
	}
	for _, c := range cs {
		walk(c.ID)
	}
	slices.Sort(cycle)
	return order, slices.Compact(cycle)
}

// at returns the edition in force at an instant: the newest of those whose time it is.
func (l *Law) at(t time.Time) *compiled {
	for i := len(l.compiled) - 1; i >= 0; i-- {
		e := l.editions[i]
		if !t.Before(e.From) && (e.Until.IsZero() || t.Before(e.Until)) {
			return l.compiled[i]
		}
	}
	return nil
}

// Edition returns the edition in force at an instant.
func (l *Law) Edition(at time.Time) (*agreement.Edition, bool) {
	if c := l.at(at); c != nil {
		return c.e, true
	}
	return nil, false
}

// Editions returns the editions in the order of their numbers. The caller must not change them.
func (l *Law) Editions() []*agreement.Edition { return l.editions }

// ByPrefix returns the edition whose hash begins with p, as a pass carries it.
func (l *Law) ByPrefix(p [8]byte) (*agreement.Edition, bool) {
	for _, e := range l.editions {
		if e.Hash.Prefix() == p {
			return e, true
		}
	}
	return nil, false
}

// Param returns the value of a parameter in force at an instant, at a site and for a
// side; both may be empty. ok is false where no edition is in force, there is no such
// parameter, or the text leaves it empty.
func (l *Law) Param(id string, site string, side agreement.Side, at time.Time) (int64, bool) {
	c := l.at(at)
	if c == nil {
		return 0, false
	}
	p := c.e.Parameters[id]
	if p == nil {
		return 0, false
	}
	zone := c.zone
	if s := c.sites[site]; s != nil {
		zone = s.zone
	}
	v, ok := p.At(site, side, calendar.On(at, zone))
	return v.Int, ok && v.Known
}

// Good returns the line of a good and the id of the list that it stands on. Where
// several lists have it, the one that gives it a category is taken.
func (l *Law) Good(code string, at time.Time) (list string, line goods.Line, ok bool) {
	c := l.at(at)
	if c == nil {
		return "", goods.Line{}, false
	}
	return c.good(code)
}

func (c *compiled) good(code string) (list string, line goods.Line, ok bool) {
	for _, id := range c.lists {
		x, found := c.e.Lists[id].Find(code)
		if found && (!ok || line.Category == "" && x.Category != "") {
			list, line, ok = id, x, true
		}
	}
	return list, line, ok
}

// Zone returns the time zone of a site, and UTC where no edition knows the site.
func (l *Law) Zone(site string) *time.Location {
	for i := len(l.compiled) - 1; i >= 0; i-- {
		if s := l.compiled[i].sites[site]; s != nil {
			return s.zone
		}
	}
	return time.UTC
}

// unitText writes a number of a unit: "50.00 USD", "5 %", "240 minutes".
func unitText(n int64, unit string) string {
	switch unit {
	case "percent":
		s := decimal(n, 2)
		s = strings.TrimRight(s, "0")
		return strings.TrimSuffix(s, ".") + " %"
	case "", "count":
		return strconv.FormatInt(n, 10)
	case "minutes", "days", "years":
		return strconv.FormatInt(n, 10) + " " + unit
	case "tenths-celsius":
		return decimal(n, 1) + " °C"
	}
	return amountText(n, unit) + " " + unit
}
