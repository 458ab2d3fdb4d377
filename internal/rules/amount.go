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
			x.Steps = j.a.working(k.value, x.Currency)
		}
	case *types.Unknown:
		j.open(i, k, n.IDs())
		for _, id := range n.IDs() {
			if l := j.a.c.nameOf(id); l.kind == isParam {
				x.Steps = append(x.Steps, "the text gives no "+l.name[len(paramPrefix):])
			}
		}
	default:
		j.step(i, didOpen, "")
		j.reason(k, CodeFailed, reason.Refer, nil)
		x.Steps = []string{"too large to work out"}
	}
	if k.Regime != "" {
		x.Steps = append(x.Steps, "regime "+k.Regime)
	}
	j.amount(x)
	j.rests(k.Questions...)
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
			x.Steps = append(x.Steps, name+" is not given")
			continue
		}
		a := &j.v.Amounts[n]
		if !a.Known || best != nil && a.Currency != best.Currency {
			sound = false
			x.Steps = append(x.Steps, name+" is not known in one currency")
			continue
		}
		x.Steps = append(x.Steps, name+" "+amountText(a.Minor, a.Currency)+" "+a.Currency)
		if best == nil || k.Take == "most" && a.Minor > best.Minor || k.Take != "most" && a.Minor < best.Minor {
			best = a
		}
	}
	if sound && best != nil {
		x.Minor, x.Currency, x.Known, x.Of = best.Minor, best.Currency, true, ""
		x.Steps = append(x.Steps, "the "+k.Take+" is "+best.Name)
		if c := j.a.c.clauses[best.Clause]; c != nil && c.Regime != "" {
			x.Steps = append(x.Steps, "regime "+c.Regime)
		}
	} else {
		j.step(i, didOpen, "")
		if len(j.v.Reasons) == 0 {
			j.reason(k, CodeFailed, reason.Refer, nil)
		}
	}
	j.amount(x)
	j.rests(k.Questions...)
}
