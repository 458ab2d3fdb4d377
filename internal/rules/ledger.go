// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"math"

	"cel.dev/cel-go/common/types"

	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/money"
)

// leg is what was opened and is not netted yet.
type leg struct {
	day, whole, left int64
	second           bool // of the second kind, where either may come first
}

// ledger asks whether legs of one kind are netted by legs of another in time. A later
// leg nets the oldest that are open. The last day of the time still counts. Where the
// question itself is a netting leg there has to be enough that it can net, unless either
// kind may come first: then what nets nothing is open itself. The time runs from the day
// of the leg, or from that of an attribute. A tolerance that is not known leaves open only
// what it could save.
func (j *judge) ledger(i int, k *clause) {
	a := j.a
	first, lacks, ok := j.picks(k.First, k.where[0], nil, k.Sum)
	if !ok {
		j.cannot(i, k, lacks)
		return
	}
	second, lacks, ok := j.picks(k.Second, k.where[1], nil, k.Sum)
	if !ok {
		j.cannot(i, k, lacks)
		return
	}
	tolerance := int64(0)
	var slackless []int64 // what the tolerance turns on, where it is not known: it is nought then
	if k.Tolerance != "" {
		if tolerance, slackless, ok = a.param(k.Tolerance); ok {
			slackless = nil
		}
	}
	adds := int64(1)
	if k.AmountOf != "" {
		v, ok := a.given(k.AmountOf).(types.Int)
		if !ok {
			j.lack(i, k, k.AmountOf)
			return
		}
		adds = int64(v)
	}
	for _, ps := range [...][]happened{first, second} {
		for _, p := range ps {
			if p.is != yes || !p.dated {
				j.unsure(i, k, append(p.lacks, a.c.unknownOf(kindPrefix+k.First.Events).IDs()...))
				return
			}
			if p.n < 0 || adds < 0 {
				j.demand(i, k, failed, nil, "", nil)
				return
			}
		}
	}
	var legs []leg
	net := func(n int64, second bool) (rest int64) { // legs of one kind
		for x := range legs {
			if legs[x].second != second {
				continue
			}
			take := min(n, legs[x].left)
			legs[x].left, n = legs[x].left-take, n-take
		}
		return n
	}
	f := 0
	opens := func(p happened, rest int64, second bool) {
		if rest > 0 || !k.Either {
			legs = append(legs, leg{p.day, p.n, rest, second})
		}
	}
	begins := func(p happened) {
		rest := p.n
		if k.Either {
			rest = net(p.n, true)
		}
		opens(p, rest, false)
	}
	for _, s := range second { // each nets what was opened by then
		for f < len(first) && !first[f].at.After(s.at) {
			begins(first[f])
			f++
		}
		if rest := net(s.n, false); k.Either {
			opens(s, rest, true)
		}
	}
	for _, p := range first[f:] {
		begins(p)
	}
	slack := func(l leg) bool {
		n, err := money.Percent(l.whole, tolerance, money.Rounding(0))
		return l.left == 0 || err == nil && l.left <= n
	}
	unit := j.sumUnit(k.First, k.Sum)
	hidden := j.hidden(k)
	is, params := yes, map[string]string{}
	today, still, late := int64(a.on.Days()), int64(0), false
	switch {
	case k.Adds == "then":
		switch rest := net(adds, false); {
		case k.Either:
			still = rest
		case rest > 0:
			is = no
			params["unmatched"] = unitText(rest, unit)
		}
	case k.Adds == "first" && k.Either:
		still = net(adds, true)
	}
	next := int64(math.MaxInt64)
	for _, l := range legs {
		if slack(l) {
			continue
		}
		still = add(still, l.left)
		from := l.day
		if k.Start != "" {
			start, ok := j.instant(k.Start)
			if !ok {
				j.lack(i, k, k.Start)
				return
			}
			from = start.day
		}
		on := a.on
		if k.Running != "follows" {
			on = calendar.FromDays(int(from))
		}
		n, lacks, ok := a.paramOn(k.Within, on)
		if !ok {
			j.unsure(i, k, lacks)
			return
		}
		if n == math.MaxInt64 {
			continue
		}
		due, err := j.dueDay(from, n, a.unit(k.Within))
		if err != nil {
			j.demand(i, k, failed, nil, "", nil)
			return
		}
		next = min(next, due)
		late = late || due < today
	}
	if late && is == yes && slackless != nil {
		j.unsure(i, k, slackless) // a tolerance may be all that is left
		return
	}
	if late {
		is = no
	}
	if k.Adds == "first" && !k.Either && is == yes {
		still = add(still, adds)
	}
	note := ""
	if !hidden {
		steps := []Working{{Code: workStill, Text: unitText(still, unit)}}
		params["open"] = unitText(still, unit)
		note = "open " + unitText(still, unit)
		if next != math.MaxInt64 {
			params["due"] = unitText(next, unitDate)
			note += ", due " + params["due"]
			steps = append(steps, Working{Code: workDue, Text: params["due"]})
		}
		if j.certain(i) && (slackless == nil || still == 0) {
			j.amount(Amount{Name: amountOpen, Of: k.ID, Minor: still, Known: true, Clause: k.ID, Steps: steps}.counting(unit))
		}
	}
	j.demand(i, k, is, nil, note, params)
}

func (j *judge) dueDay(day, n int64, unit string) (int64, error) {
	if d, ok := short(unit); ok {
		return shift(day, (n*int64(d.Minutes())+1439)/1440, unitDays)
	}
	return shift(day, n, unit)
}
