// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"cmp"
	"math"
	"strings"

	"cel.dev/cel-go/common/types"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/money"
	"darwaza.dev/internal/reason"
)

// How caps count, and the regimes of earlier lots.
const (
	perDay      = "day"
	perCategory = "category"

	countDiverted  = "count"
	ignoreDiverted = "ignore"
	questionPrefix = "question:"

	regimeConcession = "concession"
	regimeStatutory  = "statutory"
)

// lot is what is found out about the lot at hand.
type lot struct {
	value    int64
	category string
	listed   bool
	diverted *clause // the cap that sends it to another regime
	refused  bool
	room     int64 // how much of the lot every cap leaves room for
	roomBy   *clause
	passed   bool // some cap is passed, or may be
	left     []left
}

// left is what a cap leaves, before and after the lot.
type left struct {
	clause        *clause
	of            string
	before, after int64
	working       Working
}

// judgeLot asks the caps, first those that send a lot elsewhere, because the others
// may count it differently then, and last the rates, which a cap can set aside.
func (j *judge) judgeLot() {
	v, ok := j.a.given(attrValue).(types.Int)
	if !ok {
		for _, i := range j.late {
			j.lack(i, j.clauses[i], attrValue)
		}
		return
	}
	if v < 0 || j.brokenLots() {
		for _, i := range j.late {
			j.step(i, didOpen, "")
			j.reason(j.clauses[i], CodeFailed, reason.Refer, nil)
		}
		return
	}
	j.lot.value, j.lot.room = int64(v), math.MaxInt64
	line, found := j.a.good(j.a.text(attrCode))
	j.lot.category, j.lot.listed = line.Category, found
	for _, diverts := range [...]bool{true, false} {
		for _, i := range j.late {
			if k := j.clauses[i]; k.Kind == agreement.KindCap && (k.Else == reason.Divert) == diverts {
				j.cap(i, k)
			}
		}
	}
	for _, i := range j.late {
		if k := j.clauses[i]; k.Kind == agreement.KindRate {
			j.rate(i, k)
		}
	}
	j.room()
}

// onList reports whether the good is on the list of a cap; where it is not, or that is
// not known, it says so.
func (j *judge) onList(i int, k *clause) bool {
	f := j.a.match(k.List, j.a.text(cmp.Or(k.Code, attrCode)))
	switch f.is {
	case agreement.No:
		j.step(i, didPass, "the good is not on the list")
	case agreement.Open:
		j.unsure(i, k, f.lacks.IDs())
	}
	return f.is == agreement.Yes
}

func (j *judge) brokenLots() bool {
	for _, x := range j.a.q.Lots {
		if x.Value < 0 {
			return true
		}
	}
	return false
}

// cap asks one limit on a sum. The sum is known as a span, from the least to the most
// that it can be under the readings of a question that is not settled.
func (j *judge) cap(i int, k *clause) {
	e := j.a.c.e
	limit, lacks, ok := j.a.limitOf(k)
	if !ok {
		j.unsure(i, k, lacks)
		return
	}
	if limit == math.MaxInt64 {
		j.met(i, k, "unlimited")
		return
	}
	if k.list != nil && !j.onList(i, k) {
		return
	}
	of := ""
	if k.Per == perCategory {
		if of = j.lot.category; of == "" {
			if j.a.text(attrCode) == "" {
				j.lack(i, k, attrCode)
			} else {
				j.step(i, didPass, "the good is in no category")
			}
			return
		}
	}
	question, unsettled := strings.CutPrefix(k.Diverted, questionPrefix)
	var least, most int64 // of earlier lots
	concession := false
	for _, x := range j.a.q.Lots {
		if k.Per == perCategory && x.Category != of {
			continue
		}
		diverted := x.Regime == regimeStatutory
		concession = concession || !diverted
		if !diverted || k.Diverted == countDiverted || k.Diverted == "" {
			least = add(least, x.Value)
		}
		if !diverted || k.Diverted != ignoreDiverted {
			most = add(most, x.Value)
		}
	}
	before := most
	// The lot at hand is itself a diverted one where another cap has sent it away.
	elsewhere := j.lot.diverted != nil && k.Else != reason.Divert
	if !elsewhere || k.Diverted == countDiverted || k.Diverted == "" {
		least = add(least, j.lot.value)
	}
	if !elsewhere || k.Diverted != ignoreDiverted {
		most = add(most, j.lot.value)
	}
	var space [96]byte
	text := appendAmount(space[:0], before, e.Currency)
	text = appendAmount(append(text, " + "...), j.lot.value, e.Currency)
	text = appendAmount(append(text, " = "...), add(before, j.lot.value), e.Currency)
	n := len(text)
	text = appendAmount(append(text, amid...), limit, e.Currency)
	sum := string(append(append(text, ' '), e.Currency...))
	j.lot.left = append(j.lot.left, left{k, of, max(0, limit-before), max(0, limit-most), heldAgainst(sum, n)})
	if r := max(0, limit-before); r < j.lot.room {
		j.lot.room, j.lot.roomBy = r, k
	}
	if most <= limit {
		j.step(i, didPass, sum)
		return
	}
	j.lot.passed = true
	params := map[string]string{
		"limit": amountText(limit, e.Currency) + " " + e.Currency,
		"total": amountText(most, e.Currency) + " " + e.Currency,
		"fits":  amountText(max(0, limit-before), e.Currency) + " " + e.Currency,
	}
	if of != "" {
		params["category"] = of
	}
	if least <= limit {
		// The sum is within the limit under one reading and above it under the other.
		params["question"] = question
		j.against(i, k, CodeCapOpen, reason.Refer, params)
		j.v.Steps[i].Note = sum
		if unsettled {
			j.rests(k, question)
		}
		return
	}
	code := CodeCapRefuse
	switch k.Else {
	case reason.Divert:
		code = CodeCapDivert
		params["regime"] = k.Regime
		if j.certain(i) {
			j.lot.diverted = k
		}
	case reason.Refuse:
		j.lot.refused = j.lot.refused || j.certain(i)
	default:
		code = unmet(k.Else)
	}
	j.against(i, k, code, k.Else, params)
	j.v.Steps[i].Note = sum
	if concession && k.Earlier != "" {
		j.rests(k, k.Earlier)
	}
}

// rate charges a percentage on the lot.
func (j *judge) rate(i int, k *clause) {
	e := j.a.c.e
	if k.list != nil {
		f := j.a.match(k.List, j.a.text(cmp.Or(k.Code, attrCode)))
		switch {
		case f.is == agreement.Open:
			j.unsure(i, k, f.lacks.IDs())
		case f.is == agreement.No:
			j.step(i, didPass, "the good is not on the list")
		default:
			j.charge(i, k, f.line.Category, f.line.Rate, e.ListInfo[k.List].Rates[f.line.Category])
		}
		return
	}
	j.charge(i, k, "", 0, k.Rate)
}

func (j *judge) charge(i int, k *clause, category string, rate int64, param string) {
	if !j.certain(i) {
		j.against(i, k, CodeException, reason.Refer, nil)
		return
	}
	j.step(i, didApply, "")
	if j.lot.refused {
		return // nothing is charged on what is not let through
	}
	x := Amount{Name: k.Amount, Currency: j.a.c.e.Currency, Clause: k.ID}
	if d := j.lot.diverted; d != nil {
		x.Clause = d.ID
		x.Steps = []Working{{Code: workElsewhere, Name: d.Regime}}
		j.amount(x)
		return
	}
	if param != "" {
		r, lacks, ok := j.a.param(param)
		if !ok && len(lacks) == 1 && j.a.c.nameOf(lacks[0]).kind != isParam {
			x.Steps = []Working{{Code: workTurns}}
			j.amount(x)
			j.open(i, k, lacks)
			return
		}
		if !ok {
			x.Steps = []Working{{Code: workSilent, Name: param}}
			j.amount(x)
			j.reason(k, CodeParameter, reason.Refer, map[string]string{"parameter": param})
			return
		}
		rate = r
	}
	if category != "" {
		x.Steps = []Working{{Code: workCategory, Name: category}}
	}
	j.percent(&x, j.lot.value, rate)
	j.amount(x)
	if !x.Known {
		j.reason(k, CodeFailed, reason.Refer, nil)
	}
}

// percent works a percentage out and writes how.
func (j *judge) percent(x *Amount, minor, rate int64) {
	n, err := money.Percent(minor, rate, j.a.c.e.Rounding)
	if err != nil {
		x.Steps = append(x.Steps, Working{Code: workLarge})
		return
	}
	x.Minor, x.Known = n, true
	var space [96]byte
	text := append(appendAmount(space[:0], minor, x.Currency), " × "...)
	text = append(append(text, unitText(rate, "percent")...), " = "...)
	text = append(appendAmount(text, n, x.Currency), ' ')
	x.Steps = append(x.Steps, Working{Code: workSum, Text: string(append(text, x.Currency...))})
}

// room says what is left of each limit, and how much of the lot would still fit.
func (j *judge) room() {
	currency := j.a.c.e.Currency
	for _, l := range j.lot.left {
		n := l.after
		if j.lot.refused {
			n = l.before
		}
		j.amount(Amount{Name: amountLeft, Of: l.of, Minor: n, Currency: currency, Known: true, Clause: l.clause.ID, Steps: []Working{l.working}})
	}
	if j.lot.passed && j.lot.roomBy != nil {
		j.amount(Amount{Name: amountFits, Minor: min(j.lot.room, j.lot.value), Currency: currency, Known: true, Clause: cmp.Or(j.lot.roomBy.ID, ""),
			Steps: []Working{{Code: workRoom, Text: unitText(j.lot.room, currency)}}})
	}
}

// add adds two figures that are not negative and stays at the greatest where they overflow.
func add(a, b int64) int64 {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}
