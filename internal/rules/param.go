// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/calendar"
)

// parameter is one parameter of an edition, ready to be asked.
type parameter struct {
	*agreement.Parameter
	index  int // among the names
	values []dated
}

// dated is one value of a parameter.
type dated struct {
	*agreement.ParameterValue
	rank int
	pins []pin
	val  ref.Val // as an expression reads it, nil where the text leaves it empty
}

// pin is an attribute that a value holds for.
type pin struct {
	attr int
	text string
}

func (c *compiled) parameter(p *agreement.Parameter, index int) parameter {
	out := parameter{Parameter: p, index: index}
	for i := range p.Values {
		v := &p.Values[i]
		d := dated{ParameterValue: v, rank: 4 * len(v.For)}
		if v.Site != "" {
			d.rank += 2
		}
		if v.Side != "" {
			d.rank++
		}
		for _, k := range sortedKeys(v.For) {
			if a, ok := c.names[k]; ok && a < len(c.attrs) {
				d.pins = append(d.pins, pin{a, v.For[k]})
			}
		}
		switch {
		case !v.Known:
		case p.Unit == unitWords:
			d.val = types.String(v.Text)
		default:
			d.val = types.Int(v.Int)
		}
		out.values = append(out.values, d)
	}
	return out
}

// same reports whether two values come to the same.
func (d *dated) same(o *dated) bool {
	if d.val == nil || o.val == nil {
		return d.val == nil && o.val == nil
	}
	return d.val.Equal(o.val) == types.True
}

// parameter returns the value in force on a day and minute by the clock of the question,
// and for its site, side and attributes. The more particular value wins: each attribute
// that it names counts four, a site two, a side one; then the newest. It is an unknown
// that names what it turns on where that is not known and would change it.
func (a *activation) parameter(p *parameter, on calendar.Date, minute calendar.Minute) ref.Val {
	var best, maybe *dated
	var lack *types.Unknown
	several := false // those that may hold are not all alike
	for i := range p.values {
		x := &p.values[i]
		if x.Site != "" && x.Site != a.q.Site || x.Side != "" && x.Side != agreement.Side(a.q.Side) {
			continue
		}
		until := x.Until
		if !a.known.IsZero() { // as far as was published by then
			if x.Published.After(a.known) {
				continue
			}
			if x.Ended.After(a.known) {
				until = agreement.Moment{}
			}
		}
		holds := agreement.Period{From: x.From, Until: until}.Holds(on, minute)
		if holds == agreement.No {
			continue
		}
		var want *types.Unknown
		for _, k := range x.pins {
			s, ok := a.val(k.attr).(types.String)
			switch {
			case !ok && want == nil:
				if want, ok = a.vals[k.attr].(*types.Unknown); !ok {
					want = a.c.unknowns[k.attr]
				}
			case ok && string(s) != k.text:
				holds = agreement.No
			}
		}
		switch {
		case holds == agreement.No:
		case holds == agreement.Open || want != nil:
			if want == nil {
				want = a.c.dates
			}
			switch {
			case maybe == nil || x.rank > maybe.rank:
				several = several || maybe != nil && !maybe.same(x)
				maybe, lack = x, want
			default:
				several = several || !maybe.same(x)
			}
		case best == nil || x.rank > best.rank || x.rank == best.rank && x.From.Compare(best.From) >= 0:
			best = x
		}
	}
	switch {
	case maybe != nil && (best == nil || maybe.rank >= best.rank && (several || !maybe.same(best))):
		return lack
	case best == nil || best.val == nil:
		return a.c.unknowns[p.index]
	}
	return best.val
}

// param returns a parameter's number here and now. Where it is not known, lacks are
// what it turns on.
func (a *activation) param(id string) (n int64, lacks []int64, ok bool) {
	i, found := a.c.paramAt[id]
	if !found {
		return 0, nil, false
	}
	return number(a.val(len(a.c.attrs) + i))
}

// paramOn returns a parameter's number on another day.
func (a *activation) paramOn(id string, on calendar.Date) (n int64, lacks []int64, ok bool) {
	i, found := a.c.paramAt[id]
	if !found {
		return 0, nil, false
	}
	return number(a.parameter(&a.c.params[i], on, 0))
}

// unit is what a parameter counts.
func (a *activation) unit(id string) string {
	if i, ok := a.c.paramAt[id]; ok {
		return a.c.params[i].Unit
	}
	return ""
}

func number(v ref.Val) (n int64, lacks []int64, ok bool) {
	switch x := v.(type) {
	case types.Int:
		return int64(x), nil, true
	case *types.Unknown:
		return 0, x.IDs(), false
	}
	return 0, nil, false
}
