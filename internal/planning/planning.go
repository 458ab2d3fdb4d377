// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

// Package planning works out waits, backlogs, the size of slots, how close people come and
// when somebody will cross, by published formulas. It is pure: figures go in, figures come
// out, and the same figures give the same bytes on every machine. Decimals are those of
// package apd with 34 digits (IEEE 754-2008, decimal128), rounded half to even; what a
// booking is decided by (Crossing) is worked out in whole numbers alone.
//
// docs/spec/planning.md has every formula with its source.
package planning

import (
	"errors"
	"fmt"

	"github.com/cockroachdb/apd/v3"
)

// The errors of this package.
var (
	// ErrRange is the error of a figure that a formula has no meaning for.
	ErrRange = errors.New("planning: figure out of range")
	// ErrUnstable is the error of a queue that grows for ever: as many come as can be
	// served, or more.
	ErrUnstable = errors.New("planning: as many come as can be served, or more")
)

// digits is the precision of every quotient, power and exponential.
const digits = 34

// Int returns a whole number.
func Int(n int64) *apd.Decimal { return apd.New(n, 0) }

// Ratio returns n ÷ d to 34 digits; d is not 0.
func Ratio(n, d int64) (*apd.Decimal, error) {
	var c calc
	q := c.quo(Int(n), Int(d))
	return q, c.err
}

// Round returns d rounded half to even to so many places after the point.
func Round(d *apd.Decimal, places int32) *apd.Decimal {
	var c calc
	return c.do(func(z *apd.Decimal, x *apd.Context) (apd.Condition, error) { return x.Quantize(z, d, -places) })
}

// calc does arithmetic and keeps the first error.
type calc struct{ err error }

func (c *calc) do(f func(*apd.Decimal, *apd.Context) (apd.Condition, error)) *apd.Decimal {
	z := new(apd.Decimal)
	if c.err != nil {
		return z
	}
	ctx := apd.BaseContext.WithPrecision(digits)
	ctx.Rounding = apd.RoundHalfEven
	ctx.Traps |= apd.InvalidOperation | apd.Overflow
	ctx.Traps &^= apd.Underflow | apd.Subnormal
	if _, err := f(z, ctx); err != nil {
		c.err = fmt.Errorf("%w: %w", ErrRange, err)
	}
	return z
}

func (c *calc) add(x, y *apd.Decimal) *apd.Decimal {
	return c.do(func(z *apd.Decimal, ctx *apd.Context) (apd.Condition, error) { return ctx.Add(z, x, y) })
}

func (c *calc) sub(x, y *apd.Decimal) *apd.Decimal {
	return c.do(func(z *apd.Decimal, ctx *apd.Context) (apd.Condition, error) { return ctx.Sub(z, x, y) })
}

func (c *calc) mul(x, y *apd.Decimal) *apd.Decimal {
	return c.do(func(z *apd.Decimal, ctx *apd.Context) (apd.Condition, error) { return ctx.Mul(z, x, y) })
}

func (c *calc) quo(x, y *apd.Decimal) *apd.Decimal {
	return c.do(func(z *apd.Decimal, ctx *apd.Context) (apd.Condition, error) { return ctx.Quo(z, x, y) })
}

// exp returns e to the power of x. Below −5000 it is 0: no figure here has so many digits.
func (c *calc) exp(x *apd.Decimal) *apd.Decimal {
	if c.err == nil && x.Cmp(Int(-5000)) < 0 {
		return Int(0)
	}
	return c.do(func(z *apd.Decimal, ctx *apd.Context) (apd.Condition, error) { return ctx.Exp(z, x) })
}

func (c *calc) pow(x *apd.Decimal, n int64) *apd.Decimal {
	return c.do(func(z *apd.Decimal, ctx *apd.Context) (apd.Condition, error) { return ctx.Pow(z, x, Int(n)) })
}

// want keeps an error where ok is false.
func (c *calc) want(ok bool, what string) {
	if !ok && c.err == nil {
		c.err = fmt.Errorf("%w: %s", ErrRange, what)
	}
}

// finite wants numbers that are none of infinity and "not a number", and not negative.
func (c *calc) finite(what string, ds ...*apd.Decimal) {
	for _, d := range ds {
		c.want(d != nil && d.Form == apd.Finite && !d.Negative && d.NumDigits() <= digits && d.Exponent >= -2*digits && d.Exponent <= digits, what)
	}
}

func (c *calc) result(d *apd.Decimal) (*apd.Decimal, error) {
	if c.err != nil {
		return nil, c.err
	}
	return d, nil
}
