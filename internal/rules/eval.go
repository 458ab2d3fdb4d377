// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	"cel.dev/cel-go/interpreter"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/goods"
	"darwaza.dev/internal/money"
)

// activation is what one question lets conditions read. It is used again for the
// next question; nothing of it leaves Check.
type activation struct {
	c    *compiled
	vals []ref.Val // by index of compiled.names; nil where not looked up yet
	used []bool    // attributes that were given and that a clause reads
	memo []answer  // by condition.id less 1: clauses that say the same are asked once
	// state is of the clauses that are asked; kept here to be used again.
	state  []state
	judge  *judge // nil where no clauses are asked, else own
	own    judge
	site   *site
	q      *Query
	zone   *time.Location
	on     calendar.Date // of the site's calendar
	minute calendar.Minute
	clock  int64 // on and minute in one
	now    time.Time
	known  calendar.Date // last day whose publications are seen, zero where all are
	get    func(attribute string) (text string, known bool)
	// frame is what CEL runs a plan on. It is made once, and says nothing of a question.
	frame *interpreter.ExecutionFrame
	// reached is told of each expression that was evaluated; nil but where that is counted.
	reached func(*condition, ref.Val)
}

// answer is what a condition came to in the question at hand.
type answer struct {
	asked bool
	t     tri
	lacks []int64
}

func newActivation(c *compiled) *activation {
	a := &activation{vals: make([]ref.Val, len(c.labels)), used: make([]bool, len(c.attrs)), memo: make([]answer, c.language.c.conditions)}
	copy(a.vals, c.blank)
	a.get = a.attributeText
	a.frame, _ = interpreter.NewExecutionFrame(a) // it fails for what is no activation
	return a
}

// start takes the facts of a question. Facts that the edition does not declare, or
// that are of another type than declared, count as not given; nobody gives a derived
// attribute.
func (a *activation) start(c *compiled, q *Query, s *site) {
	a.c, a.q, a.site, a.now, a.zone = c, q, s, q.At.UTC(), c.zone
	if s != nil {
		a.zone = s.zone
	}
	a.on, a.minute = clock(a.now, a.zone)
	a.clock = minutes(a.on, a.minute)
	a.known = calendar.Date{}
	if !q.Known.IsZero() {
		a.known = calendar.On(q.Known, a.zone)
	}
	for name, v := range q.Facts {
		if i, ok := c.names[name]; ok && i < len(c.attrs) && !c.attrs[i].derived {
			if x, ok := value(c.attrs[i].typ, c.attrs[i].values, v); ok {
				a.vals[i] = x
			}
		}
	}
}

// clock is the day and minute of an instant in a zone.
func clock(t time.Time, zone *time.Location) (calendar.Date, calendar.Minute) {
	local := t.In(zone)
	y, m, d := local.Date()
	return calendar.Date{Year: y, Month: m, Day: d}, calendar.Minute(local.Hour()*60 + local.Minute())
}

// hours are those of the site of the question, as far as they were known; nil where there
// are none.
func (a *activation) hours() *calendar.Schedule {
	if a.site == nil || a.site.schedule == nil {
		return nil
	}
	return a.site.schedule.Seen(a.known)
}

// day returns the day number of an instant by the clock of the question.
func (a *activation) day(t time.Time) int64 {
	d, _ := clock(t, a.zone)
	return int64(d.Days())
}

// done lets go of everything that belongs to the question.
func (a *activation) done() {
	copy(a.vals, a.c.blank)
	clear(a.used)
	clear(a.memo)
	clear(a.state)
	a.c, a.q, a.site, a.judge = nil, nil, nil, nil
	a.own = judge{}
}

// ResolveName finds a name for CEL.
func (a *activation) ResolveName(name string) (any, bool) {
	i, ok := a.c.names[name]
	if !ok {
		return nil, false
	}
	return a.val(i), true
}

// Parent is nil: there is no scope around a question.
func (a *activation) Parent() cel.Activation { return nil }

func (a *activation) val(i int) ref.Val {
	if a.vals[i] == nil {
		a.vals[i] = a.resolve(i)
	}
	return a.vals[i]
}

// resolve finds the value of what is not given.
func (a *activation) resolve(i int) ref.Val {
	l := a.c.labels[i]
	switch l.kind {
	case isAttr:
		if a.judge != nil {
			return a.judge.derive(i)
		}
	case isParam:
		return a.parameter(&a.c.params[i-len(a.c.attrs)], a.on, a.minute)
	case isEngine:
		switch l.name {
		case nameNow:
			return types.Timestamp{Time: a.now}
		case nameToday:
			return types.Int(a.on.Days())
		case nameSite:
			return types.String(a.q.Site)
		case nameSide:
			return types.String(a.q.Side)
		}
	}
	return a.c.unknowns[i]
}

// given returns an attribute's value by name, nil where it is not known.
func (a *activation) given(name string) ref.Val {
	if i, ok := a.c.names[name]; ok && i < len(a.c.attrs) {
		return a.at(i)
	}
	return nil
}

// at returns an attribute's value by index, nil where it is not known.
func (a *activation) at(i int) ref.Val {
	if v := a.val(i); !types.IsUnknownOrError(v) {
		return v
	}
	return nil
}

func (a *activation) text(name string) string {
	if s, ok := a.given(name).(types.String); ok {
		return string(s)
	}
	return ""
}

// set returns the texts of a set.
func set(v ref.Val) (out []string) {
	if l, ok := v.(traits.Lister); ok {
		n, _ := l.Size().(types.Int)
		for k := types.Int(0); k < n; k++ {
			if s, ok := l.Get(k).(types.String); ok {
				out = append(out, string(s))
			}
		}
	}
	return out
}

// attributeText is what lists and parameters look at to tell cases apart.
func (a *activation) attributeText(name string) (string, bool) {
	switch name {
	case nameSite:
		return a.q.Site, a.q.Site != ""
	case nameSide:
		return a.q.Side, a.q.Side != ""
	}
	s, ok := a.given(name).(types.String)
	return string(s), ok
}

// found is what a list says of a good.
type found struct {
	is    agreement.Tri
	line  goods.Line
	open  bool           // the list ends in open words, and the good is not on it
	lacks *types.Unknown // what it turns on, where is is Open or open is set
}

// match looks a good up.
func (a *activation) match(list, code string) found {
	l := a.c.e.Lists[list]
	if l == nil {
		return found{is: agreement.Open, lacks: a.c.unknownOf(listPrefix + list)}
	}
	f := l.Match(goods.Ask{Code: code, On: a.on, Minute: a.minute, Known: a.known, Get: a.get})
	out := found{is: f.Is, line: f.Line}
	switch {
	case f.Is == agreement.No && a.c.e.ListInfo[list].Ends():
		out.open, out.lacks = true, a.c.unknownOf(listPrefix+list)
	case f.Is == agreement.Open && f.Lacks == "":
		out.lacks = a.c.dates
	case f.Is == agreement.Open && f.Lacks == goods.LacksCode:
		out.lacks = a.c.unknownOf(attrCode)
	case f.Is == agreement.Open:
		out.lacks = a.c.unknownOf(f.Lacks)
	}
	return out
}

// good finds a good on the lists at hand. Where several have it, the line that gives it
// a category is taken.
func (a *activation) good(code string) (line goods.Line, ok bool) {
	for _, id := range a.c.lists {
		f := a.match(id, code)
		if f.is == agreement.Yes && (!ok || line.Category == "" && f.line.Category != "") {
			line, ok = f.line, true
		}
	}
	return line, ok
}

// tri is what is known of a condition.
type tri uint8

const (
	no tri = iota
	yes
	open   // not known: something that it reads is not there
	failed // cannot be worked out: overflow, division by zero, a bad timestamp
)

// eval evaluates a condition; none is true. Where it is open, lacks are the names
// that are not there, by number.
func (a *activation) eval(c *condition) (t tri, lacks []int64) {
	if c == nil {
		return yes, nil
	}
	if c.id == 0 || c.id > len(a.memo) {
		return a.run(c)
	}
	m := &a.memo[c.id-1]
	if !m.asked {
		m.t, m.lacks = a.run(c)
		m.asked = true
	}
	return m.t, m.lacks
}

func (a *activation) run(c *condition) (t tri, lacks []int64) {
	switch v := a.work(c).(type) {
	case types.Bool:
		if v {
			return yes, nil
		}
		return no, nil
	case *types.Unknown:
		return open, v.IDs()
	}
	return failed, nil
}

// work evaluates an expression: a value, an unknown, or nil where it cannot be worked out.
func (a *activation) work(c *condition) ref.Val {
	out := a.evaluate(c)
	if a.reached != nil {
		a.reached(c, out)
	}
	return out
}

func (a *activation) evaluate(c *condition) ref.Val {
	if c.root != nil {
		out := a.exec(c.root)
		if types.IsError(out) {
			return nil
		}
		return out
	}
	out, _, err := c.program.Eval(a)
	if u, ok := out.(*types.Unknown); ok {
		return u
	}
	if err != nil || out == nil || types.IsError(out) {
		return nil
	}
	return out
}

// exec runs a plan on the frame of the question; nil where it breaks down, as CEL has it.
func (a *activation) exec(root exec) (out ref.Val) {
	defer func() {
		if recover() != nil {
			out = nil
		}
	}()
	return root.Exec(a.frame)
}

func decimal(n int64, places int) string { return money.Decimal(n, places) }

// amountText writes the smallest parts of a currency or another unit: "50.00".
func amountText(n int64, unit string) string {
	var space [32]byte
	return string(appendAmount(space[:0], n, unit))
}

func appendAmount(b []byte, n int64, unit string) []byte {
	places := 2
	if unit != "" {
		var ok bool
		if places, ok = money.Digits(unit); !ok {
			places = agreement.Digits(unit)
		}
	}
	return money.AppendDecimal(b, n, places)
}
