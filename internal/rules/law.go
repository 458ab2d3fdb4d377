// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/goods"
)

// Law is the editions of one agreement or of several, compiled. It is immutable and may be
// used by many at once.
type Law struct {
	editions []*agreement.Edition // by id of the agreement, then by number
	compiled []*compiled          // beside editions
	adopted  []time.Time          // beside editions: zero where it has always been known
	several  bool                 // editions are of more than one agreement
}

// Adopted is an edition and the instant from which it is known, zero where always.
type Adopted struct {
	Edition *agreement.Edition
	At      time.Time
}

// compiled is one edition, ready to answer.
type compiled struct {
	e        *agreement.Edition
	hash     string         // hex
	names    map[string]int // what is read or can be lacking: attributes, then parameters, then the rest
	labels   []label        // by index in names
	unknowns []*types.Unknown
	blank    []ref.Val   // by index in names: what is known where nothing is given
	attrs    []attribute // by index in names
	params   []parameter // by index in names, less len(attrs)
	paramAt  map[string]int
	dates    *types.Unknown // what turns on a day that no text gives
	zone     *time.Location // of the edition's own dates
	sites    map[string]*site
	levels   [][]string // beside the edition's: profiles of each, sorted
	points   map[Point]*point
	clauses  map[string]*clause
	lists    []string // ids of the lists at hand, sorted
	// sensitive are the attributes that the edition declares as sensitive, sorted.
	sensitive []string
	language  *language
	// abroad holds by clause what it overrides of other agreements; nil where none does.
	abroad map[string][]string
	// conditions is how many different ones the clauses have.
	conditions int
	// pool holds activations, which are large, between questions.
	pool *sync.Pool
}

// point is what is asked at one point.
type point struct {
	clauses  []*clause // sorted by id
	definers [][]int   // by index of the attribute: positions of the clauses that set it
}

// label is what a name stands for.
type label struct {
	kind labelKind
	name string
}

type labelKind uint8

const (
	isAttr labelKind = iota
	isParam
	isEngine
	isField
	isList
	isEvents
	isDates
)

type attribute struct {
	id, typ   string
	unit      string
	values    []string
	sensitive bool // or made of what is
	derived   bool
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
	value         *condition // define, amount
	release       *condition // guarantee
	where         [2]*condition
	inputs        []*condition // table: beside the table's inputs, nil where they are attributes
	outs          []map[string]ref.Val
	table         *agreement.Table
	reads         []int // attributes that it reads, by index, sorted
	over          []int // positions, in the point's list, of the clauses that it sets aside
	by            []int // positions of the clauses that set it aside
	holds         []agreement.Period
	text          agreement.Period // of its instrument
	published     calendar.Date    // the later one of its own and its instrument's
	whole         span             // of text
	within        []span           // of holds
	plain         bool             // in force throughout and everywhere
	proposal      bool
	voids         bool
	weekdays      []time.Weekday
	profile       int                  // 1 + the attribute of profiles, 0 where it is silent under none
	settled       []agreement.Question // that say when they end the clause
	side          agreement.Side       // whose text it is of, empty where joint
	list          *goods.List
	of            []int // attributes in Of and Fields
}

// Compile makes editions of one agreement or of several ready to answer, each known from
// the beginning of time. The error is agreement.Faults where a clause cannot be compiled,
// where two editions of an agreement have one number, where two agreements do not mean
// the same by one site, attribute or class of slots, or where a clause overrides one that
// another agreement of the law does not have.
func Compile(editions ...*agreement.Edition) (*Law, error) {
	all := make([]Adopted, 0, len(editions))
	for _, e := range editions {
		all = append(all, Adopted{Edition: e})
	}
	return CompileAdopted(all...)
}

// CompileAdopted is Compile for editions that became known at an instant: a question
// that asks what was known before then does not see them.
func CompileAdopted(editions ...Adopted) (*Law, error) {
	all := slices.Clone(editions)
	slices.SortStableFunc(all, func(a, b Adopted) int {
		return cmp.Or(cmp.Compare(a.Edition.ID, b.Edition.ID), cmp.Compare(a.Edition.Number, b.Edition.Number))
	})
	l := &Law{}
	for i, x := range all {
		e := x.Edition
		if i > 0 && l.editions[i-1].ID == e.ID && l.editions[i-1].Number == e.Number {
			return nil, agreement.Faults{{File: "agreement.yaml", Line: 1, What: fmt.Sprintf("edition %d stands twice", e.Number), Mend: "let the number of each edition rise"}}
		}
		for _, o := range l.editions {
			if faults := apart(o, e); len(faults) > 0 {
				return nil, faults
			}
			l.several = l.several || o.ID != e.ID
		}
		c, faults := compileEdition(e)
		if len(faults) > 0 {
			return nil, faults
		}
		l.editions, l.compiled, l.adopted = append(l.editions, e), append(l.compiled, c), append(l.adopted, x.At)
	}
	if faults := l.lost(); l.several && len(faults) > 0 {
		return nil, faults
	}
	return l, nil
}

// lost faults overrides of clauses that no edition of the agreement has which they name.
// An agreement that is not of this law may have them.
func (l *Law) lost() (faults agreement.Faults) {
	for _, c := range l.compiled {
		for _, id := range sortedKeys(c.abroad) {
			for _, over := range c.abroad[id] {
				of, clause, _ := strings.Cut(over, "/")
				there, found := false, false
				for _, e := range l.editions {
					there = there || e.ID == of
					found = found || e.ID == of && e.Clause(clause) != nil
				}
				if there && !found {
					k := c.clauses[id]
					faults = append(faults, agreement.Fault{File: k.File, Line: k.Line, Clause: id, What: fmt.Sprintf("overrides %q, which is not there", over), Mend: "name a clause of that agreement"})
				}
			}
		}
	}
	return faults
}

// apart faults two editions that do not mean the same by one name. Passes carry the
// numbers of sites and classes, and one question is put to all agreements of a site.
func apart(a, b *agreement.Edition) (faults agreement.Faults) {
	fault := func(what, mend string) {
		faults = append(faults, agreement.Fault{File: "agreement.yaml", Line: 1, What: what, Mend: mend})
	}
	for _, s := range b.Sites {
		if o, ok := a.SiteNumbered(s.Number); ok && o.ID != s.ID {
			fault(fmt.Sprintf("the number %d is the site %s in %s and %s in %s", s.Number, s.ID, b.ID, o.ID, a.ID), "give each site a number of its own")
		}
		o, ok := a.Site(s.ID)
		if !ok {
			continue
		}
		if o.Number != s.Number {
			fault(fmt.Sprintf("the site %s has the number %d in %s and %d in %s", s.ID, s.Number, b.ID, o.Number, a.ID), "give a site one number everywhere")
		}
		if a.ID == b.ID {
			continue
		}
		if o.Zone != s.Zone {
			fault(fmt.Sprintf("the site %s keeps the clock of %s in %s and of %s in %s", s.ID, s.Zone, b.ID, o.Zone, a.ID), "give a site one zone everywhere")
		}
		if len(a.Levels) > 0 && len(b.Levels) > 0 && !sameLevels(a, b) {
			fault(fmt.Sprintf("both %s and %s have levels of protection, not the same ones, and both are about the site %s", a.ID, b.ID, s.ID), "let one agreement say the levels of a site")
		}
		for _, x := range b.Slots[s.ID] {
			for _, y := range a.Slots[s.ID] {
				k, _ := classOf(b, x.Class)
				h, _ := classOf(a, y.Class)
				if (k.ID == h.ID) != (k.Number == h.Number) {
					fault(fmt.Sprintf("slots at %s are for the class %s, number %d, in %s, and for %s, number %d, in %s", s.ID, k.ID, k.Number, b.ID, h.ID, h.Number, a.ID), "give a class one id and number where both plan slots")
				}
			}
		}
	}
	if a.ID == b.ID {
		return faults
	}
	for _, id := range sortedKeys(b.Attributes) {
		x, y := b.Attributes[id], a.Attributes[id]
		if y.Type != "" && (x.Type != y.Type || x.Unit != y.Unit) {
			fault(fmt.Sprintf("the attribute %s is of type %s and unit %q in %s, and of type %s and unit %q in %s", id, x.Type, x.Unit, b.ID, y.Type, y.Unit, a.ID), "name what is another thing otherwise")
		}
	}
	return faults
}

func classOf(e *agreement.Edition, id string) (agreement.Class, bool) {
	for _, c := range e.Classes {
		if c.ID == id {
			return c, true
		}
	}
	return agreement.Class{}, false
}

// Check compiles an edition's conditions and returns what is wrong with them, for
// authors, beside what package agreement finds.
func Check(e *agreement.Edition) agreement.Faults {
	_, faults := compileEdition(e)
	faults.Sort()
	return faults
}

// name gives a name its place.
func (c *compiled) name(kind labelKind, name string) {
	if _, ok := c.names[name]; ok {
		return
	}
	n := len(c.labels)
	c.names[name] = n
	c.labels = append(c.labels, label{kind, name})
	// Numbers begin at 1, because CEL takes 0 for none.
	c.unknowns = append(c.unknowns, types.NewUnknown(int64(n+1), types.NewAttributeTrail("x")))
}

// unknownOf returns what stands for a name that has no value; for one that nobody
// declared, what stands for dates.
func (c *compiled) unknownOf(name string) *types.Unknown {
	if i, ok := c.names[name]; ok {
		return c.unknowns[i]
	}
	return c.dates
}

// nameOf returns what an unknown stands for.
func (c *compiled) nameOf(id int64) label {
	if i := int(id) - 1; i >= 0 && i < len(c.labels) {
		return c.labels[i]
	}
	return label{isDates, nameDates}
}

func compileEdition(e *agreement.Edition) (*compiled, agreement.Faults) {
	c := &compiled{e: e, hash: hex.EncodeToString(e.Hash[:]), names: map[string]int{}, paramAt: map[string]int{}, sites: map[string]*site{}, points: map[Point]*point{}, clauses: map[string]*clause{}, levels: profilesOf(e)}
	for _, id := range sortedKeys(e.Attributes) {
		a := e.Attributes[id]
		c.name(isAttr, id)
		c.attrs = append(c.attrs, attribute{id, a.Type, attributeUnit(a), a.Values, a.Sensitive, a.Derived})
		if a.Sensitive {
			c.sensitive = append(c.sensitive, id)
		}
	}
	for _, id := range sortedKeys(e.Parameters) {
		c.paramAt[id] = len(c.labels) - len(c.attrs)
		c.name(isParam, paramPrefix+id)
	}
	for _, id := range sortedKeys(e.Parameters) {
		c.params = append(c.params, c.parameter(e.Parameters[id], c.names[paramPrefix+id]))
	}
	for _, id := range [...]string{nameNow, nameToday, nameSite, nameSide, nameBoth} {
		c.name(isEngine, id)
	}
	for _, id := range sortedKeys(e.Parameters) {
		c.name(isEngine, priorPrefix+id)
	}
	c.name(isDates, nameDates)
	c.dates = c.unknowns[len(c.unknowns)-1]
	for _, id := range [...]string{fieldAt, fieldOn, fieldSite} {
		c.name(isField, id)
	}
	for _, kind := range append(sortedKeys(e.Events), kindLot) {
		c.name(isEvents, kindPrefix+kind)
		of, _ := fields(e, kind)
		for _, f := range of {
			c.name(isField, fieldPrefix+f.ID)
		}
	}
	for _, id := range sortedKeys(e.ListInfo) {
		c.name(isList, listPrefix+id)
	}
	var err error
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
	c.blank = make([]ref.Val, len(c.labels))
	for i := range c.attrs {
		if !c.attrs[i].derived {
			c.blank[i] = c.unknowns[i]
		}
	}
	c.pool = &sync.Pool{New: func() any { return newActivation(c) }}
	c.language = &language{c: c, e: e, envs: map[string]*cel.Env{}, known: map[string]*condition{}}
	if _, err := c.language.environment(""); err != nil {
		return nil, agreement.Faults{{File: "agreement.yaml", What: "attributes cannot be declared: " + err.Error(), Mend: "rename them"}}
	}
	faults := c.build()
	if len(faults) == 0 {
		faults = c.bounds(nil, nil)
	}
	return c, faults
}

// build compiles the clauses.
func (c *compiled) build() agreement.Faults {
	e := c.e
	faults := c.rings()
	everywhere := map[Point]bool{}
	for _, x := range e.Clauses {
		for _, p := range x.At {
			everywhere[Point(p)] = true
		}
	}
	for _, x := range e.Clauses {
		if over := slices.DeleteFunc(slices.Clone(x.Overrides), func(id string) bool { return !e.Abroad(id) }); len(over) > 0 {
			if c.abroad == nil {
				c.abroad = map[string][]string{}
			}
			slices.Sort(over)
			c.abroad[x.ID] = over
		}
		k, fs := c.clause(x)
		faults = append(faults, fs...)
		c.clauses[x.ID] = k
		at := make([]Point, 0, len(x.At))
		for _, p := range x.At {
			at = append(at, Point(p))
		}
		if len(at) == 0 && x.Kind == agreement.KindDefine {
			at = sortedPoints(everywhere)
		}
		for _, p := range at {
			one := *k
			if c.points[p] == nil {
				c.points[p] = &point{definers: make([][]int, len(c.attrs))}
			}
			c.points[p].clauses = append(c.points[p].clauses, &one)
		}
	}
	for _, p := range c.points {
		slices.SortFunc(p.clauses, func(a, b *clause) int { return strings.Compare(a.ID, b.ID) })
		for i, k := range p.clauses {
			for t, o := range p.clauses {
				if slices.Contains(k.Overrides, o.ID) {
					k.over, o.by = append(k.over, t), append(o.by, i)
				}
			}
			for _, at := range c.sets(k.Clause) {
				p.definers[at] = append(p.definers[at], i)
			}
		}
	}
	c.taint()
	return append(faults, c.lots()...)
}

// lots faults a value of goods that the limits of a day cannot count.
func (c *compiled) lots() agreement.Faults {
	i, ok := c.names[attrValue]
	if !ok || i >= len(c.attrs) {
		return nil
	}
	var faults agreement.Faults
	for _, x := range c.e.Clauses {
		if x.Kind != agreement.KindCap || x.Select != nil && x.Select.Events != kindLot {
			continue
		}
		switch a := &c.attrs[i]; {
		case a.unit != "" && a.unit != c.e.Currency:
			faults = append(faults, agreement.Fault{File: x.File, Line: x.Line, Clause: x.ID, What: attrValue + " counts " + a.unit + ", and what is bought in a day is counted in " + c.e.Currency,
				Mend: "declare it in " + c.e.Currency + ", and derive it from the price with a clause of kind define"})
		case a.derived && a.sensitive:
			faults = append(faults, agreement.Fault{File: x.File, Line: x.Line, Clause: x.ID, What: attrValue + " is made of something sensitive, and what is bought is kept with its value",
				Mend: "derive it from what is not sensitive"})
		}
	}
	return faults
}

func sortedPoints(m map[Point]bool) []Point {
	out := make([]Point, 0, len(m))
	for p := range m {
		out = append(out, p)
	}
	slices.Sort(out)
	return out
}

// sets are the derived attributes that a clause gives a value.
func (c *compiled) sets(x *agreement.Clause) (out []int) {
	ids := []string{x.Attribute}
	if x.Kind == agreement.KindTable && c.e.Tables[x.Table] != nil {
		ids = c.e.Tables[x.Table].Outputs
	} else if x.Kind != agreement.KindDefine {
		return nil
	}
	for _, id := range ids {
		if i, ok := c.names[id]; ok && i < len(c.attrs) && c.attrs[i].derived {
			out = append(out, i)
		}
	}
	return out
}

// taint marks what is made of sensitive attributes as sensitive.
func (c *compiled) taint() {
	for changed := true; changed; {
		changed = false
		for _, id := range sortedKeys(c.clauses) {
			k := c.clauses[id]
			sensitive := slices.ContainsFunc(k.reads, func(i int) bool { return c.attrs[i].sensitive })
			for _, s := range [...]*agreement.Select{k.Select, k.First, k.Second} {
				if s != nil {
					of, _ := fields(c.e, s.Events)
					sensitive = sensitive || slices.ContainsFunc(of, func(a agreement.Attribute) bool { return a.Sensitive })
				}
			}
			for _, at := range c.sets(k.Clause) {
				if sensitive && !c.attrs[at].sensitive {
					c.attrs[at].sensitive, changed = true, true
				}
			}
		}
	}
}

// direct are the attributes that a clause names in fields of its kind, outside of
// expressions.
func (c *compiled) direct(x *agreement.Clause) []string {
	names := slices.Concat(x.Of, x.Fields, x.Over, x.Groups, []string{x.Event, x.Before, x.Start, x.End, x.Expires, x.Issued, x.Place, x.Since, x.Distance, x.AmountOf, x.Adds, x.Step, x.Done, x.Certificate})
	switch x.Kind {
	case agreement.KindCap, agreement.KindRate, agreement.KindListed:
		names = append(names, cmp.Or(x.Code, attrCode), x.Limit)
		if x.Kind != agreement.KindListed && (x.Select == nil || x.Select.Events == kindLot) {
			names = append(names, attrValue)
		}
	case agreement.KindSchedule, agreement.KindSuspend:
		names = append(names, attrClass, attrDirection)
	case agreement.KindProof:
		names = append(names, agreement.AttrCrossing, agreement.AttrCrossingLatest, agreement.AttrTest)
		if x.Profile != "" {
			names = append(names, agreement.AttrProfiles)
		}
	case agreement.KindShare:
		return []string{attrEvent, attrRecipient, attrFields}
	case agreement.KindAmount:
		names = nil
	case agreement.KindTable:
		if t := c.e.Tables[x.Table]; t != nil {
			for _, in := range t.Inputs {
				if in.Of == "" {
					names = append(names, in.Name)
				}
			}
		}
	}
	return names
}

// clause compiles what a clause says.
func (c *compiled) clause(x *agreement.Clause) (*clause, agreement.Faults) {
	var faults agreement.Faults
	e := c.e
	k := &clause{Clause: x, holds: x.Holds, list: e.Lists[x.List], published: x.Published}
	if i, ok := e.Instruments[x.Instrument]; ok {
		k.text = agreement.Period{From: i.From, Until: i.Until, Ended: i.Ended}
		k.proposal = i.Status == agreement.StatusProposal
		k.side = i.Side
		if i.Published.After(k.published) {
			k.published = i.Published
		}
	}
	for _, id := range slices.Concat(x.Turns, x.Questions) {
		if q := e.Questions[id]; slices.ContainsFunc(q.Later, func(s agreement.Settlement) bool { return slices.Contains(s.Ends, x.ID) }) {
			k.settled = append(k.settled, q)
		}
	}
	k.whole = spanOf(k.text)
	for _, p := range k.holds {
		k.within = append(k.within, spanOf(p))
	}
	k.voids = x.Kind == agreement.KindSuspend && x.Voids
	if i, ok := c.names[agreement.AttrProfiles]; ok && x.Profile != "" && i < len(c.attrs) {
		k.profile = 1 + i
	}
	for _, name := range x.Weekdays {
		if d, ok := calendar.ParseWeekday(name); ok {
			k.weekdays = append(k.weekdays, d)
		}
	}
	k.plain = len(x.Holds) == 0 && k.text.From.IsZero() && k.text.Until.IsZero() && k.published.IsZero() && !k.proposal
	read := map[int]bool{}
	reads := func(names []string) {
		for _, n := range names {
			if i, ok := c.names[n]; ok && i < len(c.attrs) {
				read[i] = true
			}
			if id, ok := strings.CutPrefix(n, paramPrefix); ok {
				if i, ok := c.paramAt[id]; ok {
					for _, v := range c.params[i].values {
						for _, p := range v.pins {
							read[p.attr] = true
						}
					}
				}
			}
		}
	}
	fault := func(what, mend string) {
		faults = append(faults, agreement.Fault{File: x.File, Line: x.Line, Clause: x.ID, What: what, Mend: mend})
	}
	compile := func(text, kind string, want agreement.Attribute) *condition {
		if text == "" {
			return nil
		}
		p, what, mend := c.language.compile(text, kind, want)
		if p == nil {
			fault(what, mend)
			return nil
		}
		if x.Kind != agreement.KindBound && slices.ContainsFunc(p.names, func(n string) bool { return n == nameBoth || strings.HasPrefix(n, priorPrefix) }) {
			fault("reads what only a bound can read", "write it into a clause of kind bound")
		}
		reads(p.names)
		return p
	}
	truth := agreement.Attribute{Type: "bool"}
	k.when, k.require, k.release = compile(x.When, "", truth), compile(x.Require, "", truth), compile(x.Release, "", truth)
	switch x.Kind {
	case agreement.KindDefine:
		if k.value = compile(x.Value, "", e.Attributes[x.Attribute]); k.value != nil && (e.Attributes[x.Attribute].Type == "int" || e.Attributes[x.Attribute].Type == "date") {
			k.value.tracer = k.value.traced() // figures that read it show how it came about
		}
	case agreement.KindAmount:
		if k.value = compile(x.Value, "", agreement.Attribute{Type: "int", Unit: cmp.Or(x.Currency, e.Currency)}); k.value != nil {
			k.value.tracer = k.value.traced() // each figure shows how it was worked out
		}
	case agreement.KindTable:
		if k.table = e.Tables[x.Table]; k.table != nil {
			for _, in := range k.table.Inputs {
				var p *condition
				if in.Of != "" {
					p = compile(in.Of, "", agreement.Attribute{Type: in.Type, Unit: in.Unit})
				}
				k.inputs = append(k.inputs, p)
			}
			for _, row := range k.table.Rows {
				out := map[string]ref.Val{}
				for _, o := range k.table.Outputs {
					a, ok := e.Attributes[o]
					if !ok {
						continue
					}
					texts := []string{row.Out[o]}
					if a.Type == "strings" {
						texts = strings.Split(row.Out[o], "|")
					}
					if v, err := agreement.ParseFact(a, texts); err == nil {
						out[o], _ = value(a.Type, nil, v)
					}
				}
				k.outs = append(k.outs, out)
			}
		}
	}
	for n, s := range [...]*agreement.Select{cmp.Or(x.Select, x.First), x.Second} {
		if s == nil {
			continue
		}
		if _, ok := fields(e, s.Events); !ok {
			fault(fmt.Sprintf("event %q is not declared", s.Events), "declare it under events in agreement.yaml")
			continue
		}
		k.where[n] = compile(s.Where, s.Events, truth)
	}
	for _, n := range slices.Concat(x.Of, x.Fields) {
		if i, ok := c.names[n]; ok && i < len(c.attrs) && x.Kind != agreement.KindAmount && x.Kind != agreement.KindShare {
			k.of = append(k.of, i)
		}
	}
	reads(c.direct(x))
	for _, p := range [...]string{x.Limit, x.Rate, x.AtLeast, x.AtMost, x.Days, x.Nights, x.For, x.Times, x.Within, x.Tolerance} {
		reads([]string{paramPrefix + p})
	}
	for _, a := range x.Accepts {
		reads([]string{paramPrefix + a.Doses, paramPrefix + a.AtLeast, paramPrefix + a.AtMost})
	}
	for i := range c.attrs {
		if read[i] {
			k.reads = append(k.reads, i)
		}
	}
	return k, faults
}

// inForce reports whether a clause holds at a site, for a side, at a minute of the clock
// (see minutes), as far as was published by the day known; and where it does not, why.
func (k *clause) inForce(site string, side agreement.Side, clock int64, known calendar.Date) (agreement.Tri, string) {
	switch {
	case k.plain:
		return agreement.Yes, ""
	case k.proposal:
		return agreement.No, "a proposal is not law"
	case !known.IsZero() && k.published.After(known):
		return agreement.No, "not published yet"
	}
	text := k.whole
	if !known.IsZero() && k.text.Ended.After(known) {
		seen, _ := k.text.Seen(known)
		text = spanOf(seen)
	}
	whole := text.holds(clock)
	if whole == agreement.No {
		return whole, text.when(clock)
	}
	if len(k.holds) == 0 {
		return whole, ""
	}
	best, why := agreement.No, ""
	for i := range k.holds {
		p := &k.holds[i]
		switch {
		case len(p.Sites) > 0 && !slices.Contains(p.Sites, site):
			why = cmp.Or(why, "another site")
			continue
		case len(p.Sides) > 0 && !slices.Contains(p.Sides, side):
			why = cmp.Or(why, "the other side")
			continue
		}
		s := k.within[i]
		if !known.IsZero() {
			seen, ok := p.Seen(known)
			if !ok {
				why = cmp.Or(why, "not published yet")
				continue
			}
			s = spanOf(seen)
		}
		switch s.holds(clock) {
		case agreement.Yes:
			return whole, ""
		case agreement.Open:
			best = agreement.Open
		default:
			if k.voids && s.from.come(clock) == agreement.Yes {
				return whole, "" // over, and what was issued before it stays void
			}
			why = s.when(clock)
		}
	}
	return best, why
}

// moment is one as minutes since 1970 by the clock that it is told by: it has not come
// before first, and has surely come from last on.
type moment struct{ first, last int64 }

func momentOf(m agreement.Moment) moment {
	switch {
	case m.IsZero():
		return moment{math.MinInt64, math.MinInt64}
	case m.Unknown:
		return moment{math.MinInt64, math.MaxInt64}
	case m.First == m.Last:
		at := minutes(m.First, m.Minute)
		return moment{at, at}
	}
	return moment{minutes(m.First, 0), minutes(m.Last, 0)}
}

// minutes counts the minutes from the first of 1970, by the same clock.
func minutes(on calendar.Date, minute calendar.Minute) int64 {
	return int64(on.Days())*24*60 + int64(minute)
}

// come is calendar.Moment.Come.
func (e moment) come(clock int64) agreement.Tri {
	switch {
	case clock < e.first:
		return agreement.No
	case clock < e.last:
		return agreement.Open
	}
	return agreement.Yes
}

// span is when a period holds, wherever that is.
type span struct{ from, until moment }

func spanOf(p agreement.Period) span {
	s := span{momentOf(p.From), momentOf(p.Until)}
	if p.Until.IsZero() {
		s.until = moment{math.MaxInt64, math.MaxInt64}
	}
	return s
}

// holds is agreement.Period.Holds.
func (s span) holds(clock int64) agreement.Tri {
	begun, ended := s.from.come(clock), s.until.come(clock)
	switch {
	case begun == agreement.No || ended == agreement.Yes:
		return agreement.No
	case begun == agreement.Open || ended == agreement.Open:
		return agreement.Open
	}
	return agreement.Yes
}

// when says why a period does not hold.
func (s span) when(clock int64) string {
	if s.from.come(clock) == agreement.No {
		return "not yet in force"
	}
	return "no longer in force"
}

// The attributes that kinds of clauses read by themselves, where an edition declares
// them.
const (
	attrCode      = "good.code"
	attrValue     = "good.value"
	attrClass     = "class"
	attrDirection = "direction"
	attrEvent     = "data.event"
	attrRecipient = "data.recipient"
	attrFields    = "data.fields"
)

// seen returns the editions in force at an instant, the newest of each agreement, in the
// order of the agreements' ids, as far as editions were adopted by then; zero sees all. An
// id asks for one agreement alone.
func (l *Law) seen(t, then time.Time, id string) []*compiled {
	var out []*compiled
	for i := len(l.compiled) - 1; i >= 0; i-- {
		e := l.editions[i]
		if id != "" && e.ID != id || len(out) > 0 && out[len(out)-1].e.ID == e.ID || !then.IsZero() && l.adopted[i].After(then) {
			continue
		}
		if !t.Before(e.From) && (e.Until.IsZero() || t.Before(e.Until)) {
			if !l.several {
				return l.compiled[i : i+1]
			}
			out = append(out, l.compiled[i])
		}
	}
	slices.Reverse(out)
	return out
}

// asked returns the editions that answer a question: those in force that know its site,
// and all in force where none does.
func (l *Law) asked(q *Query) []*compiled { return knowing(l.seen(q.At, q.Known, q.Agreement), q.Site) }

// knowing keeps those that know a site, and all where none does.
func knowing(all []*compiled, site string) []*compiled {
	if len(all) < 2 || site == "" {
		return all
	}
	var out []*compiled
	for _, c := range all {
		if c.sites[site] != nil {
			out = append(out, c)
		}
	}
	if len(out) == 0 {
		return all
	}
	return out
}

// Edition returns the edition in force at an instant; where several agreements are in
// force, that of the first by id. What is asked about a site asks EditionFor.
func (l *Law) Edition(at time.Time) (*agreement.Edition, bool) {
	if all := l.seen(at, time.Time{}, ""); len(all) > 0 {
		return all[0].e, true
	}
	return nil, false
}

// EditionsAt returns the editions in force at an instant that know a site, one of each
// agreement, in the order of the agreements' ids. An empty site is any.
func (l *Law) EditionsAt(site string, at time.Time) []*agreement.Edition {
	var out []*agreement.Edition
	for _, c := range l.seen(at, time.Time{}, "") {
		if site == "" || c.sites[site] != nil {
			out = append(out, c.e)
		}
	}
	return out
}

// EditionFor returns the edition under which a site, by its number, is run at an instant:
// of those in force that know it the first that plans slots there, else the first with
// hours there, else the first. Where none knows it, it is Edition.
func (l *Law) EditionFor(site uint16, at time.Time) (*agreement.Edition, bool) {
	var best *compiled
	most := 0
	all := l.seen(at, time.Time{}, "")
	for _, c := range all {
		s, ok := c.siteNumbered(site)
		if !ok {
			continue
		}
		n := 1
		if s.schedule != nil {
			n++
			if len(s.slots) > 0 {
				n++
			}
		}
		if n > most {
			best, most = c, n
		}
	}
	switch {
	case best != nil:
		return best.e, true
	case len(all) > 0:
		return all[0].e, true
	}
	return nil, false
}

// Classes returns the classes of a site at an instant, each number and id once: those of the
// edition under which the site is run in its order, then those of other agreements that know
// the site. Where two mean different ones by a number or an id, it is the one for which slots
// are planned there.
func (l *Law) Classes(site uint16, at time.Time) []agreement.Class {
	var out []agreement.Class
	l.classes(site, at, func(k agreement.Class, _ *agreement.Edition) bool {
		out = append(out, k)
		return true
	})
	return out
}

// ClassNumbered returns the class of a site with a number and the edition whose it is; ok is
// false where no agreement that knows the site has it.
func (l *Law) ClassNumbered(site uint16, number uint8, at time.Time) (k agreement.Class, e *agreement.Edition, ok bool) {
	l.classes(site, at, func(x agreement.Class, of *agreement.Edition) bool {
		if x.Number == number {
			k, e, ok = x, of, true
		}
		return !ok
	})
	return k, e, ok
}

// classes walks the classes of a site until it is told that it is enough.
func (l *Law) classes(site uint16, at time.Time, yield func(agreement.Class, *agreement.Edition) bool) {
	run, ok := l.EditionFor(site, at)
	if !ok {
		return
	}
	all := []*agreement.Edition{run}
	for _, c := range l.seen(at, time.Time{}, "") {
		if _, knows := c.siteNumbered(site); knows && c.e != run {
			all = append(all, c.e)
		}
	}
	alike := func(a, b agreement.Class) bool { return a.Number == b.Number || a.ID == b.ID }
	plans := func(e *agreement.Edition, k agreement.Class) bool {
		s, _ := e.SiteNumbered(site)
		return slices.ContainsFunc(e.Slots[s.ID], func(r agreement.SlotRule) bool { return r.Class == k.ID })
	}
	var seen []agreement.Class
	for _, e := range all {
		for _, k := range e.Classes {
			if slices.ContainsFunc(seen, func(o agreement.Class) bool { return alike(k, o) }) {
				continue
			}
			if len(all) > 1 && !plans(e, k) && slices.ContainsFunc(all, func(o *agreement.Edition) bool {
				return slices.ContainsFunc(o.Classes, func(x agreement.Class) bool { return alike(k, x) && plans(o, x) })
			}) {
				continue // it comes with the edition that plans for it
			}
			if len(all) > 1 {
				seen = append(seen, k)
			}
			if !yield(k, e) {
				return
			}
		}
	}
}

// Sites returns the sites of all editions in force at an instant, each once, as the
// edition has it under which it is run. One edition's are in its own order, those of
// several agreements in the order of the agreements' ids.
func (l *Law) Sites(at time.Time) []agreement.Site {
	all := l.seen(at, time.Time{}, "")
	if len(all) == 1 {
		return all[0].e.Sites
	}
	var out []agreement.Site
	for _, c := range all {
		for _, s := range c.e.Sites {
			if slices.ContainsFunc(out, func(o agreement.Site) bool { return o.Number == s.Number }) {
				continue
			}
			if e, ok := l.EditionFor(s.Number, at); ok {
				if run, ok := e.SiteNumbered(s.Number); ok {
					s = run
				}
			}
			out = append(out, s)
		}
	}
	return out
}

// EditionOf returns the edition of an agreement in force at an instant. An empty id is the
// first agreement's.
func (l *Law) EditionOf(id string, at time.Time) (*agreement.Edition, bool) {
	if all := l.seen(at, time.Time{}, id); len(all) > 0 {
		return all[0].e, true
	}
	return nil, false
}

// Editions returns the editions by the ids of their agreements, then by number. The caller
// must not change them.
func (l *Law) Editions() []*agreement.Edition { return l.editions }

// Newest returns the edition of the highest number of each agreement, in the order of the
// agreements' ids, whether in force or not.
func (l *Law) Newest() []*agreement.Edition {
	var out []*agreement.Edition
	for i, e := range l.editions {
		if i+1 == len(l.editions) || l.editions[i+1].ID != e.ID {
			out = append(out, e)
		}
	}
	return out
}

// Agreements returns how many agreements the law is of.
func (l *Law) Agreements() int { return len(l.Newest()) }

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
// parameter, or the text leaves it empty. Of several agreements that know the site and give
// it a value, the least counts.
func (l *Law) Param(id string, site string, side agreement.Side, at time.Time) (n int64, known bool) {
	for _, c := range knowing(l.seen(at, time.Time{}, ""), site) {
		p := c.e.Parameters[id]
		if p == nil {
			continue
		}
		zone := c.zone
		if s := c.sites[site]; s != nil {
			zone = s.zone
		}
		if v, ok := p.At(site, side, calendar.On(at, zone)); ok && v.Known && (!known || v.Int < n) {
			n, known = v.Int, true
		}
	}
	return n, known
}

// Good returns the line of a good and the id of the list that it stands on. Where
// several lists have it, the first that gives it a category is taken, by the ids of
// agreements and then of lists.
func (l *Law) Good(code string, at time.Time) (list string, line goods.Line, ok bool) {
	for _, c := range l.seen(at, time.Time{}, "") {
		if id, x, found := c.good(code); found && (!ok || line.Category == "" && x.Category != "") {
			list, line, ok = id, x, true
		}
	}
	return list, line, ok
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
	if n == math.MaxInt64 {
		return "unlimited"
	}
	switch unit {
	case "percent":
		s := decimal(n, 2)
		s = strings.TrimRight(s, "0")
		return strings.TrimSuffix(s, ".") + " %"
	case "", unitCount:
		return strconv.FormatInt(n, 10)
	case "minutes", "hours", "days", "weeks", "months", "years":
		return strconv.FormatInt(n, 10) + " " + unit
	case unitDate:
		if d, err := dateOf(n); err == nil {
			return d.String()
		}
		return strconv.FormatInt(n, 10)
	case "tenths-celsius":
		return decimal(n, 1) + " °C"
	}
	return amountText(n, unit) + " " + unit
}
