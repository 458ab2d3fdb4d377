// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package money

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/cockroachdb/apd/v3"

	"darwaza.dev/internal/calendar"
)

// ErrRate is the error of exchange rates that are not in order, or lack one.
var ErrRate = errors.New("money: exchange rate")

// A Rate says what one whole unit of From is worth in whole units of To, from a date
// until the next one of the same pair. A receipt names its source and date.
type Rate struct {
	From, To string // ISO 4217
	Value    apd.Decimal
	On       calendar.Date
	Source   string
}

// Rates are dated exchange rates. They are immutable and may be used by many at once.
type Rates struct {
	pairs map[pair][]Rate // in the order of their dates
}

type pair struct{ from, to string }

// maxRateDigits is far more than any bank publishes, and keeps products small.
const maxRateDigits = 30

// ParseRate reads the value of a rate, such as "3.5814", exactly. It is positive, with
// at most 30 digits in all and 30 after the point; exponents are not taken.
func ParseRate(s string) (apd.Decimal, error) {
	for i := range len(s) {
		if (s[i] < '0' || s[i] > '9') && s[i] != '.' {
			return apd.Decimal{}, fmt.Errorf("%w: not a decimal number", ErrRate)
		}
	}
	d, _, err := apd.NewFromString(s)
	if err != nil {
		return apd.Decimal{}, fmt.Errorf("%w: not a decimal number", ErrRate)
	}
	return *d, checkRate(d)
}

func checkRate(d *apd.Decimal) error {
	if d.Form != apd.Finite || d.Sign() <= 0 || d.NumDigits() > maxRateDigits || d.Exponent < -maxRateDigits || d.Exponent > maxRateDigits {
		return fmt.Errorf("%w: want a positive number of at most %d digits", ErrRate, maxRateDigits)
	}
	return nil
}

// NewRates checks rates and makes them ready. It refuses a rate without a source or a
// date, of an unknown currency or of a currency to itself, and two of a pair on one
// date.
func NewRates(rates []Rate) (*Rates, error) {
	r := &Rates{pairs: map[pair][]Rate{}}
	for _, x := range rates {
		_, ok1 := Digits(x.From)
		_, ok2 := Digits(x.To)
		switch {
		case !ok1 || !ok2 || x.From == x.To:
			return nil, fmt.Errorf("%w: no rate from %q to %q", ErrRate, x.From, x.To)
		case !x.On.Valid():
			return nil, fmt.Errorf("%w: %s to %s without a date", ErrRate, x.From, x.To)
		case x.Source == "":
			return nil, fmt.Errorf("%w: %s to %s on %s without a source", ErrRate, x.From, x.To, x.On)
		}
		if err := checkRate(&x.Value); err != nil {
			return nil, fmt.Errorf("%s to %s on %s: %w", x.From, x.To, x.On, err)
		}
		k := pair{x.From, x.To}
		r.pairs[k] = append(r.pairs[k], x)
	}
	for k, list := range r.pairs {
		slices.SortFunc(list, func(a, b Rate) int { return a.On.Compare(b.On) })
		for i := 1; i < len(list); i++ {
			if list[i].On == list[i-1].On {
				return nil, fmt.Errorf("%w: two from %s to %s on %s", ErrRate, k.from, k.to, list[i].On)
			}
		}
	}
	return r, nil
}

// At returns the rate of a pair that holds on a date: the last one on or before it. A
// rate is of one direction: the other way round is a rate of its own, as it is at a
// bank, and is never worked out.
func (r *Rates) At(from, to string, on calendar.Date) (Rate, bool) {
	list := r.pairs[pair{from, to}]
	i, found := slices.BinarySearchFunc(list, on, func(x Rate, d calendar.Date) int { return cmp.Compare(x.On.Compare(d), 0) })
	if !found {
		i--
	}
	if i < 0 {
		return Rate{}, false
	}
	return list[i], true
}

// Convert returns the amount in another currency at the rate that holds on the date,
// rounded once to its minor unit, and the rate that was used. Without one it is ErrRate.
func (r *Rates) Convert(a Amount, to string, on calendar.Date, by Rounding) (Amount, Rate, error) {
	if a.Currency == to {
		return a, Rate{}, nil
	}
	rate, ok := r.At(a.Currency, to, on)
	if !ok {
		return Amount{}, Rate{}, fmt.Errorf("%w: none from %s to %s on %s", ErrRate, a.Currency, to, on)
	}
	b, err := rate.Convert(a, by)
	return b, rate, err
}

// Convert returns the amount of From in To, rounded once to its minor unit.
func (r Rate) Convert(a Amount, by Rounding) (Amount, error) {
	if a.Currency != r.From {
		return Amount{}, ErrMixed
	}
	from, ok1 := Digits(r.From)
	to, ok2 := Digits(r.To)
	if !ok1 || !ok2 {
		return Amount{}, ErrCurrency
	}
	// The product is exact, and rounded once. (Quantize of the library makes nothing of
	// 0.01 whatever the rounding, as no digit of it is left.)
	n := new(apd.BigInt).Mul(apd.NewBigInt(a.Minor), &r.Value.Coeff)
	negative := n.Sign() < 0
	n.Abs(n)
	if e := int64(r.Value.Exponent) + int64(to-from); e >= 0 {
		n.Mul(n, tenTo(e))
	} else {
		n = roundedQuotient(n, tenTo(-e), by)
	}
	if !n.IsUint64() {
		return Amount{}, ErrOverflow
	}
	minor, err := signed(n.Uint64(), negative)
	return Amount{minor, r.To}, err
}

func tenTo(e int64) *apd.BigInt {
	return new(apd.BigInt).Exp(apd.NewBigInt(10), apd.NewBigInt(e), nil)
}

// roundedQuotient returns n ÷ d for numbers that are not negative.
func roundedQuotient(n, d *apd.BigInt, by Rounding) *apd.BigInt {
	q, rest := new(apd.BigInt).QuoRem(n, d, new(apd.BigInt))
	odd := new(apd.BigInt).And(q, apd.NewBigInt(1)).Sign() > 0
	if rest.Sign() > 0 && up(odd, rest.Lsh(rest, 1).Cmp(d), by) {
		q.Add(q, apd.NewBigInt(1))
	}
	return q
}
