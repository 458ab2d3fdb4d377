// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

// Package money counts amounts in whole minor units of a currency. Nothing in it
// is a floating point number, and what does not fit is an error.
package money

import "errors"

// ErrOverflow is the error of an amount that does not fit.
var ErrOverflow = errors.New("money: too large")

// Rounding says what becomes of a part of a minor unit.
type Rounding uint8

// The roundings, each symmetric about zero.
const (
	HalfUp   Rounding = iota // halves away from zero: what the desk uses
	HalfEven                 // halves to the even neighbour
	Down                     // towards zero
	Up                       // away from zero
)

// An Amount is so many minor units of a currency.
type Amount struct {
	Minor    int64
	Currency string // ISO 4217
}

// Digits returns how many digits of the currency stand after the point.
func Digits(currency string) (int, bool) { return 2, true }

// Parse reads an amount in a currency, such as "12.50" or "۱۲٫۵۰".
func Parse(s, currency string) (Amount, error) { return Amount{}, nil }

// Decimal returns the amount without its currency: "12.50".
func (a Amount) Decimal() string { return "" }

// String returns "PKR 12.50".
func (a Amount) String() string { return "" }

// Add returns a + b.
func (a Amount) Add(b Amount) (Amount, error) { return a, nil }

// Sub returns a - b.
func (a Amount) Sub(b Amount) (Amount, error) { return a, nil }

// Percent returns rate hundredths of a percent of a.
func (a Amount) Percent(rate int64, r Rounding) (Amount, error) { return a, nil }

// Percent returns rate hundredths of a percent of so many minor units: 500 is 5 %.
func Percent(minor, rate int64, r Rounding) (int64, error) { return 0, nil }

// Scale returns minor × num / den, rounded once.
func Scale(minor, num, den int64, r Rounding) (int64, error) { return 0, nil }
