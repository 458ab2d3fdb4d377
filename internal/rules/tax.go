// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"cmp"
	"math"

	"cel.dev/cel-go/common/types"

	"darwaza.dev/internal/reason"
)

// base makes the amount that is a rate of the highest of some attributes. ok is
// false where one of them is not known.
func (j *judge) base(i int, k *clause, name string) (minor int64, ok bool) {
	currency := cmp.Or(k.Currency, j.a.c.e.Currency)
	minor = math.MinInt64
	var steps []Working
	for n, at := range k.of {
		x, given := j.a.at(at).(types.Int)
		if !given {
			j.lack(i, k, k.Of[n])
			return 0, false
		}
		minor = max(minor, int64(x))
		steps = append(steps, Working{Code: workFigure, Name: k.Of[n], Text: amountText(int64(x), currency) + " " + currency})
	}
	if len(k.of) == 0 {
		return 0, false
	}
	if len(steps) > 1 {
		steps = append(steps, Working{Code: workHighest, Text: amountText(minor, currency) + " " + currency})
	}
	j.amount(Amount{Name: name + ".base", Minor: minor, Currency: currency, Known: true, Clause: k.ID, Steps: steps})
	j.part(k, name, "", minor, k.Rate, currency)
	return minor, true
}

// part makes the amount that is a parameter's percentage of minor.
func (j *judge) part(k *clause, name, of string, minor int64, rate, currency string) {
	x := Amount{Name: name, Of: of, Currency: currency, Clause: k.ID}
	if r, _, ok := j.a.param(rate); ok {
		j.percent(&x, minor, r)
	} else {
		x.Steps = []Working{{Code: workSilent, Name: rate}}
	}
	j.amount(x)
}

// guarantee asks for a security that equals an amount: where the amount is not known,
// nobody but a person can say that what was given is enough. It is free once its
// release holds.
func (j *judge) guarantee(i int, k *clause) {
	freed := no
	if k.release != nil {
		freed, _ = j.a.eval(k.release)
	}
	if freed == yes && j.certain(i) {
		j.met(i, k, "released")
		if minor, ok := j.base(i, k, k.Amount); ok {
			j.part(k, k.Amount+".release", "", minor, k.Rate, cmp.Or(k.Currency, j.a.c.e.Currency))
		}
		return
	}
	j.require(i, k)
	if !j.certain(i) {
		return
	}
	if _, ok := j.base(i, k, k.Amount); !ok {
		return
	}
	_, _, known := j.a.param(k.Rate)
	if given, _ := j.a.eval(k.require); !known && given == yes {
		j.step(i, didOpen, "")
		j.reason(k, CodeParameter, reason.Refer, map[string]string{"parameter": k.Rate})
	}
}

func (j *judge) tax(i int, k *clause) {
	if !j.certain(i) {
		j.against(i, k, CodeException, reason.Refer, nil)
		return
	}
	minor, ok := j.base(i, k, k.Amount)
	if !ok {
		return
	}
	if k.Else == reason.None {
		j.step(i, didApply, "")
		return
	}
	c := CodeTax
	if k.Else != reason.Divert {
		c = unmet(k.Else)
	}
	currency := cmp.Or(k.Currency, j.a.c.e.Currency)
	params := map[string]string{"base": amountText(minor, currency) + " " + currency}
	if k.Regime != "" {
		params["regime"] = k.Regime
	}
	j.against(i, k, c, k.Else, params)
}
