// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/calendar"
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
	site   *site
	q      *Query
	on     calendar.Date // of the site's calendar
	minute calendar.Minute
	now    time.Time
}

// answer is what a condition came to in the question at hand.
type answer struct {
	asked bool
	t     tri
	lacks []int64
}

func newActivation(c *compiled) *activation {
	return &activation{vals: make([]ref.Val, len(c.names)), used: make([]bool, len(c.names)), memo: make([]answer, c.conditions)}
}

// start takes the facts of a question. Facts that the edition does not declare, or
// that are of another type than declared, count as not given.
func (a *activation) start(c *compiled, q *Query, s *site) {
	a.c, a.q, a.site, a.now = c, q, s, q.At.UTC()
	zone := c.zone
	if s != nil {
		zone = s.zone
	}
	a.on = calendar.On(a.now, zone)
	local := a.now.In(zone)
	a.minute = calendar.Minute(local.Hour()*60 + local.Minute())
	for name, v := range q.Facts {
		if i, ok := c.names[name]; ok && i < len(c.attrs) {
			if x, ok := value(c.attrs[i].typ, v); ok {
				a.vals[i] = x
			}
		}
	}
	for i := range c.attrs {
		if a.vals[i] == nil {
			a.vals[i] = c.attrs[i].unknown
		}
	}
}

// done lets go of everything that belongs to the question.
func (a *activation) done() {
	clear(a.vals)
	clear(a.used)
	clear(a.memo)
	clear(a.state)
	a.c, a.q, a.site = nil, nil, nil
}

// ResolveName finds a name for CEL.
func (a *activation) ResolveName(name string) (any, bool) {
	i, ok := a.c.names[name]
	if !ok {
		return nil, false
	}
	if a.vals[i] == nil {
		a.vals[i] = a.resolve(i)
	}
	return a.vals[i], true
}

// Parent is nil: there is no scope around a question.
func (a *activation) Parent() cel.Activation { return nil }

// resolve finds the value of what is no attribute.
func (a *activation) resolve(i int) ref.Val {
	n := i - len(a.c.attrs)
	if n < len(a.c.params) {
		p := a.c.params[n]
		v, ok := p.At(a.q.Site, agreement.Side(a.q.Side), a.on)
		if !ok || !v.Known {
			return p.unknown
		}
		return types.Int(v.Int)
	}
	switch n - len(a.c.params) {
	case 0:
		return types.Timestamp{Time: a.now}
	case 1:
		return types.String(a.q.Site)
	}
	return types.String(a.q.Side)
}

// param returns a parameter's value here and now.
func (a *activation) param(id string) (int64, bool) {
	p := a.c.e.Parameters[id]
	if p == nil {
		return 0, false
	}
	v, ok := p.At(a.q.Site, agreement.Side(a.q.Side), a.on)
	return v.Int, ok && v.Known
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
	if types.IsUnknown(a.vals[i]) {
		return nil
	}
	return a.vals[i]
}

func (a *activation) text(name string) string {
	if s, ok := a.given(name).(types.String); ok {
		return string(s)
	}
	return ""
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
// that are not there, by index.
func (a *activation) eval(c *condition) (t tri, lacks []int64) {
	if c == nil {
		return yes, nil
	}
	if c.id == 0 {
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
	out, _, err := c.program.Eval(a)
	switch v := out.(type) {
	case types.Bool:
		if v {
			return yes, nil
		}
		return no, nil
	case *types.Unknown:
		return open, v.IDs()
	}
	if err != nil || out == nil {
		return failed, nil
	}
	return failed, nil
}

// nameOf returns what an unknown stands for: an attribute, or a parameter.
func (c *compiled) nameOf(id int64) (name string, param bool) {
	i := int(id) - 1
	if i < 0 || i >= len(c.attrs)+len(c.params) {
		return "", false
	}
	if i < len(c.attrs) {
		return c.attrs[i].id, false
	}
	return c.params[i-len(c.attrs)].ID, true
}

func decimal(n int64, places int) string { return money.Decimal(n, places) }

// amountText writes minor units of a currency: "50.00".
func amountText(n int64, currency string) string {
	places, ok := money.Digits(currency)
	if !ok {
		places = 2
	}
	return money.Decimal(n, places)
}
