// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

// Package money counts amounts in whole minor units of a currency. No floating point
// number stands in it, a part of a minor unit is rounded by a named rule, and what
// does not fit is an error.
package money

import (
	"cmp"
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"strconv"
	"strings"
)

// The errors of this package, for errors.Is.
var (
	ErrOverflow = errors.New("money: too large")
	ErrCurrency = errors.New("money: not a currency")
	ErrMixed    = errors.New("money: two currencies")
	ErrAmount   = errors.New("money: not an amount")
	ErrPlaces   = errors.New("money: too many digits after the point")
)

// Rounding says what becomes of a part of a minor unit. Each is symmetric about zero,
// so that a correction takes back exactly what was charged.
type Rounding uint8

// The roundings. The desk uses HalfUp for duty and tax: it is the one that people
// check by hand.
const (
	HalfUp   Rounding = iota // to the nearest, halves away from zero
	HalfEven                 // to the nearest, halves to the even neighbour
	Down                     // towards zero
	Up                       // away from zero
)

// String returns the name of the rounding: "half-up", "half-even", "down", "up".
func (r Rounding) String() string {
	names := [...]string{"half-up", "half-even", "down", "up"}
	if int(r) < len(names) {
		return names[r]
	}
	return fmt.Sprintf("Rounding(%d)", uint8(r))
}

// An Amount is so many minor units of a currency. The zero value is of no currency.
type Amount struct {
	Minor    int64
	Currency string // ISO 4217
}

// Parse reads an amount in a currency: "12.50", "1,250", "۱۲٫۵۰". Commas, spaces and
// the Arabic thousands separator between digits are passed over; the point is a full
// stop or the Arabic decimal separator, and digits are those of any of the desk's
// languages. More digits after the point than the currency has are ErrPlaces, as
// rounding would be a guess about what was meant.
func Parse(s, currency string) (Amount, error) {
	places, ok := Digits(currency)
	if !ok {
		return Amount{}, fmt.Errorf("%w: %q", ErrCurrency, currency)
	}
	n, err := parse(s, places)
	return Amount{n, currency}, err
}

// parse reads a decimal number as units of its last of places digits. It names no
// digit of the input in its errors.
func parse(s string, places int) (int64, error) {
	s = strings.TrimSpace(s)
	negative := false
	for _, minus := range [...]string{"-", "−"} {
		if rest, ok := strings.CutPrefix(s, minus); ok && !negative {
			s, negative = rest, true
		}
	}
	var n uint64
	digits, after, group := 0, -1, false
	for _, r := range s {
		d, isDigit := digit(r)
		switch {
		case isDigit:
			hi, lo := bits.Mul64(n, 10)
			sum, carry := bits.Add64(lo, uint64(d), 0)
			if hi != 0 || carry != 0 {
				return 0, ErrOverflow
			}
			n, digits, group = sum, digits+1, false
			if after >= 0 {
				after++
			}
		case (r == '.' || r == '٫') && after < 0 && digits > 0 && !group:
			after = 0
		case (r == ',' || r == '٬' || r == '،' || r == ' ' || r == '\u00a0' || r == '\u202f') && after < 0 && digits > 0 && !group:
			group = true
		default:
			return 0, ErrAmount
		}
	}
	if digits == 0 || after == 0 || group {
		return 0, ErrAmount
	}
	if after > places {
		return 0, ErrPlaces
	}
	for range places - max(after, 0) {
		hi, lo := bits.Mul64(n, 10)
		if hi != 0 {
			return 0, ErrOverflow
		}
		n = lo
	}
	return signed(n, negative)
}

// digit returns the value of a digit: Latin, Arabic-Indic or extended Arabic-Indic.
func digit(r rune) (int, bool) {
	switch {
	case r >= '0' && r <= '9':
		return int(r - '0'), true
	case r >= '٠' && r <= '٩':
		return int(r - '٠'), true
	case r >= '۰' && r <= '۹':
		return int(r - '۰'), true
	}
	return 0, false
}

// signed returns ±n. The most negative number is given up, so that every amount has
// an opposite.
func signed(n uint64, negative bool) (int64, error) {
	if n > 1<<63-1 {
		return 0, ErrOverflow
	}
	if negative {
		return -int64(n), nil
	}
	return int64(n), nil
}

// Decimal writes n units of the last of places digits after the point: 1250 at two
// places is "12.50".
func Decimal(n int64, places int) string {
	var space [32]byte
	return string(AppendDecimal(space[:0], n, places))
}

// AppendDecimal appends what Decimal writes.
func AppendDecimal(b []byte, n int64, places int) []byte {
	at := len(b)
	b = strconv.AppendInt(b, n, 10)
	if places <= 0 {
		return b
	}
	if n < 0 {
		at++
	}
	for len(b)-at <= places { // a digit stands before the point
		b = slices.Insert(b, at, '0')
	}
	b = append(b, 0)
	dot := len(b) - 1 - places
	copy(b[dot+1:], b[dot:])
	b[dot] = '.'
	return b
}

// Decimal returns the amount without its currency, with all its digits: "12.50". An
// unknown currency is taken to have two.
func (a Amount) Decimal() string {
	places, ok := Digits(a.Currency)
	if !ok {
		places = 2
	}
	return Decimal(a.Minor, places)
}

// String returns "PKR 12.50". Readers are shown what package lang makes of an amount.
func (a Amount) String() string { return a.Currency + " " + a.Decimal() }

// Add returns a + b. Two currencies are ErrMixed.
func (a Amount) Add(b Amount) (Amount, error) {
	if a.Currency != b.Currency {
		return Amount{}, ErrMixed
	}
	n, err := Sum(a.Minor, b.Minor)
	return Amount{n, a.Currency}, err
}

// Sub returns a - b. Two currencies are ErrMixed.
func (a Amount) Sub(b Amount) (Amount, error) {
	b.Minor = -b.Minor
	return a.Add(b)
}

// Percent returns a rate, in hundredths of a percent, of a.
func (a Amount) Percent(rate int64, r Rounding) (Amount, error) {
	n, err := Percent(a.Minor, rate, r)
	return Amount{n, a.Currency}, err
}

// Sum adds amounts of one currency in minor units.
func Sum(minor ...int64) (int64, error) {
	var sum int64
	for _, n := range minor {
		s := sum + n
		if (n > 0) != (s > sum) && n != 0 {
			return 0, ErrOverflow
		}
		sum = s
	}
	return sum, nil
}

// Percent returns a rate, in hundredths of a percent, of minor units: a rate of 500 is
// 5 %, and 10,000 is the whole.
func Percent(minor, rate int64, r Rounding) (int64, error) { return Scale(minor, rate, 10_000, r) }

// Scale returns minor × num ÷ den, exact but for one rounding at the end. A den of 0 is
// ErrAmount.
func Scale(minor, num, den int64, r Rounding) (int64, error) {
	if den == 0 {
		return 0, ErrAmount
	}
	negative := (minor < 0) != (num < 0) != (den < 0)
	hi, lo := bits.Mul64(magnitude(minor), magnitude(num))
	d := magnitude(den)
	if hi >= d {
		return 0, ErrOverflow
	}
	q, rest := bits.Div64(hi, lo, d)
	// Twice the rest could be more than 64 bits; d less the rest cannot.
	if rest > 0 && up(q%2 == 1, cmp.Compare(rest, d-rest), r) {
		if q++; q == 0 {
			return 0, ErrOverflow
		}
	}
	return signed(q, negative)
}

// up reports whether a quotient that leaves something over is rounded away from zero:
// half is -1, 0 or 1 as what is over is less than, just or more than a half.
func up(odd bool, half int, r Rounding) bool {
	switch r {
	case Down:
		return false
	case Up:
		return true
	}
	return half > 0 || half == 0 && (r == HalfUp || odd)
}

func magnitude(n int64) uint64 {
	if n < 0 {
		return -uint64(n)
	}
	return uint64(n)
}
