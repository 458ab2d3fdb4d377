// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"fmt"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/calendar"
)

// The units that the engine treats by themselves.
const (
	unitDate  = "date"
	unitWords = "text"
	unitDays  = "days"
	unitCount = "count"
	unitRate  = "percent"
)

// units finds what is counted in each part of an expression.
type units struct {
	e      *agreement.Edition
	kind   string
	refs   map[int64]*ast.ReferenceInfo
	types  map[int64]*types.Type
	units  map[int64]string
	scales map[int64][2]int64 // of calls that the units of their arguments scale: numerator, denominator; see scale
	long   bool               // it works on texts or sets
	asof   []string           // parameters of which a value of another day is read
	what   string
	mend   string
}

// measure holds an expression to its units: what is compared, added or given to a
// function is counted alike. A number without a unit goes with all.
func measure(a *ast.AST, e *agreement.Edition, kind string) *units {
	u := &units{e: e, kind: kind, refs: a.ReferenceMap(), types: a.TypeMap(), units: map[int64]string{}, scales: map[int64][2]int64{}}
	ast.PostOrderVisit(a.Expr(), ast.NewExprVisitor(u.visit))
	return u
}

func (u *units) fault(mend, format string, args ...any) {
	if u.what == "" {
		u.what, u.mend = fmt.Sprintf(format, args...), mend
	}
}

// name is what a part is called in a fault.
func (u *units) name(x ast.Expr) string {
	if r := u.refs[x.ID()]; r != nil && r.Name != "" && len(r.OverloadIDs) == 0 {
		return r.Name
	}
	return show(x)
}

func (u *units) visit(x ast.Expr) {
	if r := u.refs[x.ID()]; r != nil && r.Name != "" && len(r.OverloadIDs) == 0 {
		if s := u.of(r.Name); s != "" {
			u.units[x.ID()] = s
		}
		return
	}
	if x.Kind() == ast.CallKind {
		u.call(x.ID(), x.AsCall())
	}
}

// of is the unit of a name.
func (u *units) of(name string) string {
	for _, prefix := range [...]string{paramPrefix, priorPrefix} {
		if len(name) > len(prefix) && name[:len(prefix)] == prefix {
			if p := u.e.Parameters[name[len(prefix):]]; p != nil {
				return p.Unit
			}
		}
	}
	switch name {
	case nameToday, fieldOn:
		return unitDate
	}
	if u.kind != "" && len(name) > len(fieldPrefix) && name[:len(fieldPrefix)] == fieldPrefix {
		of, _ := fields(u.e, u.kind)
		for _, a := range of {
			if a.ID == name[len(fieldPrefix):] {
				return attributeUnit(a)
			}
		}
	}
	return attributeUnit(u.e.Attributes[name])
}

func attributeUnit(a agreement.Attribute) string {
	if a.Type == "date" {
		return unitDate
	}
	return a.Unit
}

// alike faults two parts that count different things and returns what they count.
func (u *units) alike(x, y ast.Expr) string {
	a, b := u.units[x.ID()], u.units[y.ID()]
	switch {
	case a == "" || a == b:
		return b
	case b == "":
		return a
	}
	u.fault("compare what is counted in the same unit", "%s counts %s and %s counts %s", u.name(x), a, u.name(y), b)
	return a
}

// need faults an argument that counts something else than a function wants.
func (u *units) need(fn string, x ast.Expr, unit string) {
	if a := u.units[x.ID()]; a != "" && a != unit {
		u.fault("give it what it works on", "%s of %s, which counts %s and not %s", fn, u.name(x), a, unit)
	}
}

func (u *units) number(x ast.Expr) bool {
	t := u.types[x.ID()]
	return t != nil && t.Kind() == types.IntKind
}

func (u *units) call(id int64, c ast.CallExpr) {
	args, fn := c.Args(), c.FunctionName()
	unit := ""
	switch {
	case fn == operators.Add && len(args) == 2 && !u.number(args[0]):
		u.long = true
	case (fn == operators.Subtract || fn == operators.Divide) && u.bareDate(fn, args[0], args[1]):
	case fn == operators.Add || fn == operators.Subtract:
		unit = u.sum(fn, args[0], args[1])
	case fn == operators.Equals, fn == operators.NotEquals, fn == operators.Less, fn == operators.LessEquals, fn == operators.Greater, fn == operators.GreaterEquals, fn == "max", fn == "min":
		for _, x := range args[1:] {
			unit = u.alike(args[0], x)
			u.bareDay(args[0], x)
			u.bareDay(x, args[0])
			u.lookalike(args[0], x)
			u.lookalike(x, args[0])
		}
		if fn != "max" && fn != "min" {
			unit = ""
		}
	case fn == operators.Negate:
		unit = u.units[args[0].ID()]
	case fn == operators.Conditional:
		unit = u.alike(args[1], args[2])
	case fn == operators.Multiply:
		a, b := u.units[args[0].ID()], u.units[args[1].ID()]
		if a == unitDate || b == unitDate {
			u.fault("take the days between two dates", "a date is multiplied")
		}
		switch {
		case a == "" || a == unitCount:
			unit = b
		case b == "" || b == unitCount:
			unit = a
		default:
			u.fault("write percent, each or convert, which know the units", "%s counts %s and is multiplied with %s, which counts %s", u.name(args[0]), a, u.name(args[1]), b)
		}
	case fn == operators.Divide, fn == operators.Modulo:
		a, b := u.units[args[0].ID()], u.units[args[1].ID()]
		if a == unitDate || b == unitDate {
			u.fault("take the days between two dates", "a date is divided")
		}
		if b == "" || b == unitCount || fn == operators.Modulo {
			unit = a
		} else if a != "" && a != b {
			u.fault("divide by a plain number", "%s counts %s and is divided by %s, which counts %s", u.name(args[0]), a, u.name(args[1]), b)
		}
	case fn == operators.In:
		// A list that is written out is no longer than the expression, and a set that a text
		// of the expression is looked for in has no more than 64 of its own.
		_, plain := literal(args[0])
		u.long = u.long || args[1].Kind() != ast.ListKind && !plain
		if args[1].Kind() == ast.ListKind {
			for _, x := range args[1].AsList().Elements() {
				u.alike(args[0], x)
				u.lookalike(args[0], x)
			}
		} else {
			u.lookalike(args[1], args[0])
		}
	case fn == "startsWith", fn == "endsWith", fn == "contains":
		u.long = true
	case fn == "date":
		unit = unitDate
		if s, ok := literal(args[0]); !ok {
			u.fault("write date('2020-08-07')", "a date that is not written out")
		} else if _, err := calendar.ParseDate(s); err != nil {
			u.fault("write date('2020-08-07')", "%q is not a date", s)
		}
	case fn == "on":
		unit = unitDate
	case fn == "asof":
		u.need(fn, args[1], unitDate)
		id, ok := literal(args[0])
		p := u.e.Parameters[id]
		switch {
		case !ok:
			u.fault("write asof('id', day)", "a parameter that is not written out")
		case p == nil:
			u.fault("declare it in parameters/", "parameter %q is not known", id)
		case p.Unit == unitWords:
			u.fault("write asof of a number", "%s is a text", id)
		default:
			unit = p.Unit
			u.asof = append(u.asof, paramPrefix+id)
		}
	case fn == "addmonths", fn == "addyears":
		unit = unitDate
		u.need(fn, args[0], unitDate)
		u.need(fn, args[1], fn[3:])
	case fn == "years", fn == "months", fn == "nights", fn == "days":
		u.need(fn, args[0], unitDate)
		u.need(fn, args[1], unitDate)
		unit = fn
		if fn == "nights" {
			unit = unitDays
		}
	case fn == "hours", fn == "minutes":
		u.need(fn, args[0], fn)
	case fn == "percent":
		u.need(fn, args[1], unitRate)
		unit = u.units[args[0].ID()]
	case fn == "each":
		unit = u.each(id, args[0], args[1])
	case fn == "convert", fn == "unconvert":
		unit = u.convert(id, fn, args[0], args[1])
	case fn == "listed":
		u.list(args[1], agreement.ListGoods)
	case fn == "member":
		u.list(args[1], agreement.ListGoods, agreement.ListPlaces, agreement.ListValues)
	case fn == "within":
		u.list(args[1], agreement.ListPlaces)
		if s, ok := literal(args[1]); ok {
			p := u.e.Places[s]
			if up, ok := literal(args[2]); ok && p != nil {
				if _, ok := p.Up[up]; !ok {
					u.fault("name a place of the list", "%s is not on %s", up, s)
				}
			}
		}
	case fn == "all":
		u.long = true
		for _, x := range args {
			if x.Kind() == ast.ListKind {
				for _, s := range x.AsList().Elements() {
					for _, y := range args {
						u.lookalike(y, s)
					}
				}
			}
		}
	}
	if unit != "" {
		u.units[id] = unit
	}
}

// written is a number that is written out.
func written(x ast.Expr) (int64, bool) {
	if x.Kind() != ast.LiteralKind {
		return 0, false
	}
	n, ok := x.AsLiteral().(types.Int)
	return int64(n), ok
}

// bareDate faults numbers that are taken from one another, or divided, and look like a
// date: 2025-10-17 is 1998.
func (u *units) bareDate(fn string, x, y ast.Expr) bool {
	last, ok := written(y)
	if !ok {
		return false
	}
	year, of := written(x)
	month, day := last, int64(0)
	if !of && x.Kind() == ast.CallKind && x.AsCall().FunctionName() == fn {
		in := x.AsCall().Args()
		year, of = written(in[0])
		m, ok := written(in[1])
		month, day, of = m, last, of && ok
	}
	if !of || year < 1000 || year > 9999 || month < 1 || month > 12 || day > 31 {
		return false
	}
	sign := "-"
	if fn == operators.Divide {
		sign = "/"
	}
	said, n := fmt.Sprintf("%04d%s%02d", year, sign, month), year-month
	if fn == operators.Divide {
		n = year / month
	}
	if day != 0 {
		said += fmt.Sprintf("%s%02d", sign, day)
		if n -= day; fn == operators.Divide {
			n = year / month / day
		}
	}
	if d, m := day, fmt.Sprintf("write date('%04d-%02d-%02d')", year, month, max(day, 1)); d != 0 || u.what == "" {
		u.what, u.mend = fmt.Sprintf("%s is no date here, but the number %d", said, n), m // the whole date in place of its first part
	}
	return true
}

// bareDay faults a date that is compared with a number that is written out.
func (u *units) bareDay(x, y ast.Expr) {
	if n, ok := written(y); ok && u.units[x.ID()] == unitDate {
		u.fault("write a day as date('2025-10-17')", "%s is a date and is compared with the number %d", u.name(x), n)
	}
}

func (u *units) sum(fn string, x, y ast.Expr) string {
	a, b := u.units[x.ID()], u.units[y.ID()]
	switch {
	case a == unitDate && b == unitDate:
		if fn == operators.Subtract {
			return unitDays
		}
		u.fault("add days to a date", "two dates are added")
		return unitDate
	case a == unitDate && (b == "" || b == unitDays):
		return unitDate
	case b == unitDate && fn == operators.Add && (a == "" || a == unitDays):
		return unitDate
	case a == unitDate || b == unitDate:
		u.fault("add days; addmonths and addyears are for the rest", "%s and %s: a date, and what counts %s", u.name(x), u.name(y), orPlain(a+b[:0]))
		return unitDate
	}
	return u.alike(x, y)
}

// lookalike faults a text that a closed attribute can never be, which also finds what
// only looks like it.
func (u *units) lookalike(x, y ast.Expr) {
	s, ok := literal(y)
	r := u.refs[x.ID()]
	if !ok || r == nil || len(r.OverloadIDs) > 0 {
		return
	}
	a, found := u.e.Attributes[r.Name]
	if !found && u.kind != "" {
		of, _ := fields(u.e, u.kind)
		for _, f := range of {
			if fieldPrefix+f.ID == r.Name {
				a, found = f, true
			}
		}
	}
	if !found || len(a.Values) == 0 {
		return
	}
	for _, v := range a.Values {
		if v == s {
			return
		}
	}
	u.fault("write one of its values", "%q is never a value of %s", s, r.Name)
}

// literal is a text that is written out.
func literal(x ast.Expr) (string, bool) {
	if x.Kind() != ast.LiteralKind {
		return "", false
	}
	s, ok := x.AsLiteral().(types.String)
	return string(s), ok
}

// list faults a list that is not there or of another kind.
func (u *units) list(x ast.Expr, kinds ...string) {
	s, ok := literal(x)
	if !ok {
		u.fault("write the id of a list", "a list that is not written out")
		return
	}
	info, ok := u.e.ListInfo[s]
	if !ok {
		u.fault("declare it in lists/", "list %q is not known", s)
		return
	}
	for _, k := range kinds {
		if info.Kind == k || info.Kind == "" && k == agreement.ListGoods {
			return
		}
	}
	u.fault("name a list of another kind", "%s is a list of %s", s, info.Kind)
}

// each multiplies a rate per kg, km, litre or piece with a quantity.
func (u *units) each(id int64, rate, quantity ast.Expr) string {
	currency, per, ok := agreement.Rate(u.units[rate.ID()])
	if _, digits := known(per); !ok || digits {
		u.fault("use a parameter of a unit such as PKR/kg", "each of %s, which is no rate by weight, length, volume or piece", u.name(rate))
		return ""
	}
	u.need("each", quantity, per)
	u.scales[id] = [2]int64{1, pow(agreement.Digits(per))}
	return currency
}

// convert turns an amount into another currency by a rate X/Y: convert from Y to X,
// unconvert from X to Y.
func (u *units) convert(id int64, fn string, amount, rate ast.Expr) string {
	x, y, ok := agreement.Rate(u.units[rate.ID()])
	if _, money := known(y); !ok || !money {
		u.fault("use a parameter of a unit such as PKR/USD", "%s by %s, which is no rate of exchange", fn, u.name(rate))
		return ""
	}
	num, den := int64(1), pow(6) // of the rate itself
	if d := agreement.Digits(x) - agreement.Digits(y); d > 0 {
		num *= pow(d)
	} else {
		den *= pow(-d)
	}
	if fn == "convert" {
		u.need(fn, amount, y)
		u.scales[id] = [2]int64{num, den}
		return x
	}
	u.need(fn, amount, x)
	u.scales[id] = [2]int64{-den, num} // below zero: the rate divides
	return y
}

func pow(n int) int64 {
	p := int64(1)
	for range n {
		p *= 10
	}
	return p
}
