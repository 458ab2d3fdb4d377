// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"cmp"
	"slices"

	"cel.dev/cel-go/common/types"

	"darwaza.dev/internal/reason"
)

// formula makes a figure. Where something in it is not known the figure is owed and
// not known, and what is missing is said.
func (j *judge) formula(i int, k *clause) {
	if !j.certain(i) {
		j.against(i, k, CodeException, reason.Refer, nil)
		return
	}
	x := Amount{Name: k.Amount, Currency: cmp.Or(k.Currency, j.a.c.e.Currency), Clause: k.ID}
	if len(k.Of) > 0 {
		x.Of = k.Of[0]
	}
	v := j.a.work(k.value)
	switch n := v.(type) {
	case types.Int:
		j.step(i, didApply, "")
		x.Minor, x.Known = int64(n), true
		if !j.hidden(k) {
			own := j.a.working(k.value, x.Currency)
			x.Steps = append(j.origins(k.value.names, maxSteps-len(own), map[string]bool{}), own...)
		}
	case *types.Unknown:
		j.open(i, k, n.IDs())
		for _, id := range n.IDs() {
			if l := j.a.c.nameOf(id); l.kind == isParam {
				x.Steps = append(x.Steps, Working{Code: workSilent, Name: l.name[len(paramPrefix):]})
			}
		}
	default:
		j.step(i, didOpen, "")
		j.reason(k, CodeFailed, reason.Refer, nil)
		x.Steps = []Working{{Code: workLarge}}
	}
	if k.Regime != "" {
		x.Steps = append(x.Steps, Working{Code: workRegime, Name: k.Regime})
	}
	j.amount(x)
	j.rests(k, k.Questions...)
}

// origins write how what is derived came to its value: the working of the definitions
// that some names stand for, each before what reads it, at most so many lines.
func (j *judge) origins(names []string, most int, seen map[string]bool) (steps []Working) {
	c := j.a.c
	for _, name := range names {
		i, ok := c.names[name]
		if !ok || i >= len(c.attrs) || !c.attrs[i].derived || seen[name] || j.point == nil || j.a.at(i) == nil {
			continue
		}
		seen[name] = true
		for _, d := range j.point.definers[i] {
			k := j.clauses[d]
			if st := &j.state[d]; !st.asked || st.by != 0 || !j.certain(d) {
				continue
			}
			if k.value == nil || k.value.tracer == nil {
				steps = append(steps, Working{workDefined, name, text(j.a.vals[i], c.attrs[i].unit), k.ID})
				break
			}
			steps = append(steps, j.origins(k.value.names, most-len(steps), seen)...)
			for _, s := range j.a.working(k.value, c.attrs[i].unit) {
				s.Code, s.Name = workDerived, name
				steps = append(steps, s)
			}
			break
		}
	}
	return steps[:max(0, min(len(steps), most))]
}

// counted gives the value of the lot at hand as a figure, where the edition works it out.
func (j *judge) counted() {
	if j.a.q.Point != Goods || j.point == nil {
		return
	}
	i, ok := j.a.c.names[attrValue]
	if !ok || i >= len(j.a.c.attrs) || !j.a.c.attrs[i].derived {
		return
	}
	n, ok := j.a.at(i).(types.Int)
	if !ok || n < 0 {
		return
	}
	x := Amount{Name: amountLot, Minor: int64(n), Currency: j.a.c.e.Currency, Known: true, Steps: j.origins([]string{attrValue}, maxSteps, map[string]bool{})}
	for _, d := range j.point.definers[i] {
		if st := &j.state[d]; st.asked && st.by == 0 && j.certain(d) {
			x.Clause = j.clauses[d].ID
			break
		}
	}
	j.amount(x)
}

// choices take the least or the most of several figures, once those are there: a choice
// between choices comes after them.
func (j *judge) choices() {
	left := j.last
	for len(left) > 0 {
		var wait []int
		for _, i := range left {
			k := j.clauses[i]
			if slices.ContainsFunc(left, func(o int) bool { return o != i && slices.Contains(k.Amounts, j.clauses[o].Amount) }) {
				wait = append(wait, i)
				continue
			}
			j.choose(i, k)
		}
		if len(wait) == len(left) { // a ring of choices
			for _, i := range wait {
				j.against(i, j.clauses[i], CodeFailed, reason.Refer, nil)
			}
			return
		}
		left = wait
	}
}

func (j *judge) choose(i int, k *clause) {
	if !j.certain(i) {
		j.against(i, k, CodeException, reason.Refer, nil)
		return
	}
	j.step(i, didApply, "")
	x := Amount{Name: k.Amount, Currency: j.a.c.e.Currency, Clause: k.ID}
	var best *Amount
	sound := true
	for _, name := range k.Amounts {
		n := slices.IndexFunc(j.v.Amounts, func(a Amount) bool { return a.Name == name })
		if n < 0 {
			sound = false
			x.Steps = append(x.Steps, Working{Code: workAbsent, Name: name})
			continue
		}
		a := &j.v.Amounts[n]
		if !a.Known || best != nil && (a.Currency != best.Currency || a.Unit != best.Unit) {
			sound = false
			x.Steps = append(x.Steps, Working{Code: workMixed, Name: name})
			continue
		}
		x.Steps = append(x.Steps, Working{Code: workFigure, Name: name, Text: a.Figure()})
		if best == nil || k.Take == "most" && a.Minor > best.Minor || k.Take != "most" && a.Minor < best.Minor {
			best = a
		}
	}
	if sound && best != nil {
		x.Minor, x.Currency, x.Unit, x.Known, x.Of = best.Minor, best.Currency, best.Unit, true, ""
		took := workLeast
		if k.Take == "most" {
			took = workMost
		}
		x.Steps = append(x.Steps, Working{Code: took, Name: best.Name})
		if c := j.a.c.clauses[best.Clause]; c != nil && c.Regime != "" {
			x.Steps = append(x.Steps, Working{Code: workRegime, Name: c.Regime})
		}
	} else {
		j.step(i, didOpen, "")
		if len(j.v.Reasons) == 0 {
			j.reason(k, CodeFailed, reason.Refer, nil)
		}
	}
	j.amount(x)
	j.rests(k, k.Questions...)
}
