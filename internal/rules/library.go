// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"errors"
	"math"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/money"
)

// known returns the minor digits of a currency; ok is false where it is none.
func known(currency string) (digits int, ok bool) {
	digits, ok = money.Digits(currency)
	return digits, ok && len(currency) == 3
}

// declarations says what an expression can call beside CEL's own functions. Dates are
// whole days since 1970-01-01.
func (l *language) declarations() []cel.EnvOption {
	i, s, b, t := cel.IntType, cel.StringType, cel.BoolType, cel.TimestampType
	set := cel.ListType(cel.StringType)
	two := func(name string, f func(a, b int64) ref.Val) cel.EnvOption {
		return cel.Function(name, cel.Overload(name+"_int_int", []*cel.Type{i, i}, i, cel.BinaryBinding(func(x, y ref.Val) ref.Val {
			a, ok := x.(types.Int)
			c, ok2 := y.(types.Int)
			if !ok || !ok2 {
				return types.NewErr("no number")
			}
			return f(int64(a), int64(c))
		})))
	}
	span := func(name string, f func(n int64) (time.Duration, bool)) cel.EnvOption {
		return cel.Function(name, cel.Overload(name+"_int", []*cel.Type{i}, cel.DurationType, cel.UnaryBinding(func(x ref.Val) ref.Val {
			n, _ := x.(types.Int)
			d, ok := f(int64(n))
			if !ok {
				return types.NewErr("too long a time")
			}
			return types.Duration{Duration: d}
		})))
	}
	scale := func(a, n, d int64) ref.Val {
		out, err := money.Scale(a, n, d, l.e.Rounding)
		if err != nil {
			return types.NewErr("too large to work out")
		}
		return types.Int(out)
	}
	c := l.c
	return []cel.EnvOption{
		// known(x) is whether the attribute was given. It is the one function that may look
		// at what is not there. What turns on a day that no text gives stays open.
		cel.Function("known", cel.Overload("known_any", []*cel.Type{cel.DynType}, b, cel.OverloadIsNonStrict(), cel.UnaryBinding(func(v ref.Val) ref.Val {
			if types.IsError(v) {
				return v
			}
			if u, ok := v.(*types.Unknown); ok {
				if u.Contains(c.dates) {
					return v
				}
				return types.False
			}
			return types.True
		}))),
		cel.Function("date", cel.Overload("date_string", []*cel.Type{s}, i, cel.UnaryBinding(func(x ref.Val) ref.Val {
			text, _ := x.(types.String)
			d, err := calendar.ParseDate(string(text))
			if err != nil {
				return types.NewErr("not a date")
			}
			return types.Int(d.Days())
		}))),
		// asof('id', day) is the value of a parameter on another day.
		cel.Function("asof", cel.Overload("asof_string_int", []*cel.Type{s, i}, i, cel.LateFunctionBinding())),
		cel.Function("on", cel.Overload("on_timestamp", []*cel.Type{t}, i, cel.LateFunctionBinding())),
		cel.Function("listed", cel.Overload("listed_string_string", []*cel.Type{s, s}, b, cel.LateFunctionBinding())),
		cel.Function("member", cel.Overload("member_string_string", []*cel.Type{s, s}, b, cel.LateFunctionBinding())),
		cel.Function("within", cel.Overload("within_string_string_string", []*cel.Type{s, s, s}, b, cel.LateFunctionBinding())),
		two("addmonths", func(d, n int64) ref.Val { return dayVal(addMonths(d, n)) }),
		two("addyears", func(d, n int64) ref.Val {
			if n > 10000 || n < -10000 {
				return types.NewErr("no date")
			}
			return dayVal(addMonths(d, 12*n))
		}),
		two("months", func(a, z int64) ref.Val { return numVal(monthsBetween(a, z)) }),
		two("years", func(a, z int64) ref.Val {
			n, err := monthsBetween(a, z)
			return numVal(n/12, err)
		}),
		two("nights", func(a, z int64) ref.Val { return numVal(minus(z, a)) }),
		two("days", func(a, z int64) ref.Val {
			n, err := minus(z, a)
			return numVal(n+1, err)
		}),
		span("hours", func(n int64) (time.Duration, bool) {
			return time.Duration(n) * time.Hour, n < 1_000_000 && n > -1_000_000
		}),
		span("minutes", func(n int64) (time.Duration, bool) {
			return time.Duration(n) * time.Minute, n < 60_000_000 && n > -60_000_000
		}),
		two("max", func(a, z int64) ref.Val { return types.Int(max(a, z)) }),
		two("min", func(a, z int64) ref.Val { return types.Int(min(a, z)) }),
		two("percent", func(a, r int64) ref.Val { return scale(a, r, 10_000) }),
		// These three are called by the units of their arguments; see rescale.
		two("each", func(_, _ int64) ref.Val { return types.NewErr("no unit") }),
		two("convert", func(_, _ int64) ref.Val { return types.NewErr("no unit") }),
		two("unconvert", func(_, _ int64) ref.Val { return types.NewErr("no unit") }),
		cel.Function("@scale", cel.Overload("scale_ints", []*cel.Type{i, i, i, i}, i, cel.FunctionBinding(func(args ...ref.Val) ref.Val {
			var n [4]int64
			for k := range n {
				x, ok := args[k].(types.Int)
				if !ok {
					return types.NewErr("no number")
				}
				n[k] = int64(x)
			}
			a, r, num, den := n[0], n[1], n[2], n[3]
			if num < 0 { // a × -num ÷ (r × den)
				if r <= 0 || den > 1 && r > math.MaxInt64/den {
					return types.NewErr("no rate")
				}
				return scale(a, -num, r*den)
			}
			if num > 1 && (r > math.MaxInt64/num || r < math.MinInt64/num) {
				return types.NewErr("too large to work out")
			}
			return scale(a, r*num, den)
		}))),
		cel.Function("all", cel.Overload("all_list_list", []*cel.Type{set, set}, b, cel.BinaryBinding(func(x, y ref.Val) ref.Val {
			want, ok := x.(traits.Lister)
			have, ok2 := y.(traits.Container)
			if !ok || !ok2 {
				return types.NewErr("no sets")
			}
			n, _ := want.Size().(types.Int)
			for k := types.Int(0); k < n; k++ {
				if have.Contains(want.Get(k)) != types.True {
					return types.False
				}
			}
			return types.True
		}))),
	}
}

var errDate = errors.New("no date")

// The days of the calendar's first and last years.
const (
	firstDay = -719162
	lastDay  = 2932896
)

func dayVal(n int64, err error) ref.Val { return numVal(n, err) }

func numVal(n int64, err error) ref.Val {
	if err != nil {
		return types.NewErr("%v", err)
	}
	return types.Int(n)
}

// dateOf returns the date of a day number.
func dateOf(n int64) (calendar.Date, error) {
	if n < firstDay || n > lastDay {
		return calendar.Date{}, errDate
	}
	return calendar.FromDays(int(n)), nil
}

func minus(a, b int64) (int64, error) {
	if a < firstDay || a > lastDay || b < firstDay || b > lastDay {
		return 0, errDate
	}
	return a - b, nil
}

// addMonths adds months to a day; where the month is too short its last day is meant.
func addMonths(n, months int64) (int64, error) {
	d, err := dateOf(n)
	if err != nil || months > 12*10000 || months < -12*10000 {
		return 0, errDate
	}
	m := int64(d.Year)*12 + int64(d.Month) - 1 + months
	year, month := int(m/12), time.Month(m%12+1)
	if year < 1 || year > 9999 || m < 12 {
		return 0, errDate
	}
	x, err := calendar.NewDate(year, month, min(d.Day, calendar.DaysIn(year, month)))
	if err != nil {
		return 0, err
	}
	return int64(x.Days()), nil
}

// monthsBetween returns the whole months from one day to another, below zero backwards.
func monthsBetween(a, z int64) (int64, error) {
	from, err := dateOf(a)
	to, err2 := dateOf(z)
	if err != nil || err2 != nil {
		return 0, errDate
	}
	if z < a {
		n, err := monthsBetween(z, a)
		return -n, err
	}
	n := int64(to.Year-from.Year)*12 + int64(to.Month) - int64(from.Month)
	if to.Day < from.Day {
		n--
	}
	return n, nil
}

// shift adds a number of a unit of days to years to a day.
func shift(day, n int64, unit string) (int64, error) {
	if n > 4_000_000 || n < -4_000_000 {
		return 0, errDate
	}
	switch unit {
	case "weeks":
		n *= 7
	case "months":
		return addMonths(day, n)
	case "years":
		return addMonths(day, 12*n)
	}
	if _, err := dateOf(day + n); err != nil {
		return 0, err
	}
	return day + n, nil
}

// short reports whether a unit is of minutes or hours, and its length.
func short(unit string) (time.Duration, bool) {
	switch unit {
	case "minutes":
		return time.Minute, true
	case "hours":
		return time.Hour, true
	}
	return 0, false
}

var _ cel.FunctionActivation = (*activation)(nil)

// ResolveFunction finds the functions that look at the question.
func (a *activation) ResolveFunction(name string) (cel.LateBoundFunction, bool) {
	switch name {
	case "on":
		return a.callOn, true
	case "asof":
		return a.callAsOf, true
	case "listed":
		return a.callListed, true
	case "member":
		return a.callMember, true
	case "within":
		return a.callWithin, true
	}
	return nil, false
}

func (a *activation) callOn(_ string, args ...ref.Val) ref.Val {
	t, ok := args[0].(types.Timestamp)
	if !ok {
		return types.NewErr("no time")
	}
	return types.Int(a.day(t.Time))
}

func (a *activation) callAsOf(_ string, args ...ref.Val) ref.Val {
	id, _ := args[0].(types.String)
	n, ok := args[1].(types.Int)
	i, found := a.c.paramAt[string(id)]
	if !ok || !found {
		return types.NewErr("no parameter")
	}
	d, err := dateOf(int64(n))
	if err != nil {
		return types.NewErr("no date")
	}
	return a.parameter(&a.c.params[i], d, calendar.EndOfDay-1)
}

func (a *activation) callListed(_ string, args ...ref.Val) ref.Val {
	code, _ := args[0].(types.String)
	id, _ := args[1].(types.String)
	f := a.match(string(id), string(code))
	switch f.is {
	case agreement.Yes:
		return types.True
	case agreement.No:
		if f.open {
			return f.lacks
		}
		return types.False
	}
	return f.lacks
}

func (a *activation) callMember(kind string, args ...ref.Val) ref.Val {
	x, _ := args[0].(types.String)
	id, _ := args[1].(types.String)
	e := a.c.e
	if _, ok := e.Values[string(id)]; ok {
		switch e.Member(string(id), string(x), a.on, a.minute, a.known) {
		case agreement.Yes:
			return types.True
		case agreement.No:
			return types.False
		}
		return a.c.unknownOf(listPrefix + string(id))
	}
	if p, ok := e.Places[string(id)]; ok {
		_, in := p.Up[string(x)]
		return types.Bool(in)
	}
	return a.callListed(kind, args...)
}

func (a *activation) callWithin(_ string, args ...ref.Val) ref.Val {
	x, _ := args[0].(types.String)
	id, _ := args[1].(types.String)
	up, _ := args[2].(types.String)
	p, ok := a.c.e.Places[string(id)]
	if ok {
		switch p.Within(string(x), string(up)) {
		case agreement.Yes:
			return types.True
		case agreement.No:
			return types.False
		}
	}
	return a.c.unknownOf(listPrefix + string(id))
}
