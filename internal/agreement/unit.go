// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package agreement

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/money"
)

// plainUnits are the units of parameters and attributes that are not currencies or
// rates of one. A percent is counted in hundredths, kg, km and litre in thousandths, the
// rest in whole ones. A date is counted in days since 1970-01-01; date and text are of
// parameters alone.
func plainUnits() []string {
	return []string{
		"percent", "count", "minutes", "hours", "days", "weeks", "months", "years", "tenths-celsius", "kg", "km", "litre", "date", "text",
	}
}

// types are those of attributes.
func types() []string {
	return []string{"string", "int", "bool", "time", "date", "strings", TypeCertificate}
}

// TypeCertificate is the type of an attribute that holds a decoded health certificate, which
// clauses of KindCertificate judge by rules that others published.
const TypeCertificate = "certificate"

// statuses are those of instruments.
func statuses() []string {
	return []string{StatusLaw, StatusExample, StatusFramework, StatusEmergency, StatusClarification, StatusProposal}
}

func isCurrency(s string) bool {
	_, ok := money.Digits(s)
	return ok && len(s) == 3
}

func isUnit(s string) bool {
	if _, _, ok := Rate(s); ok {
		return true
	}
	return slices.Contains(plainUnits(), s) || isCurrency(s)
}

// Rate parts a unit such as "PKR/USD" (rupees for one dollar) or "PKR/kg" into the
// currency and what one of it is paid for: a currency, kg, km, litre or count.
func Rate(unit string) (currency, per string, ok bool) {
	currency, per, ok = strings.Cut(unit, "/")
	ok = ok && isCurrency(currency) && currency != per && (isCurrency(per) || per == "kg" || per == "km" || per == "litre" || per == "count")
	return currency, per, ok
}

// Digits returns how many decimal digits of a unit are counted: 2 for a percent, 3 for
// kg, km and litre, 6 for an exchange rate, and those of the currency for amounts and
// for rates by weight, length, volume or piece.
func Digits(unit string) int {
	switch unit {
	case "percent":
		return 2
	case "kg", "km", "litre":
		return 3
	}
	if currency, per, ok := Rate(unit); ok {
		if isCurrency(per) {
			return 6
		}
		unit = currency
	}
	n, _ := money.Digits(unit)
	return n
}

var errQuantity = errors.New("not a plain number of the unit")

// quantity reads a number as a unit counts it: minor units of a currency, hundredths
// of a percent and so on (see Digits), days since 1970-01-01 for a date, nothing for a
// text. "100", "50.01"; no sign, no grouping.
func quantity(s, unit string) (int64, error) {
	switch unit {
	case "date":
		d, err := calendar.ParseDate(s)
		if err != nil {
			return 0, fmt.Errorf("%q is %w", s, errQuantity)
		}
		return int64(d.Days()), nil
	case "text":
		if s == "" || len(s) > 200 {
			return 0, fmt.Errorf("%q is %w", s, errQuantity)
		}
		return 0, nil
	}
	digits := Digits(unit)
	whole, part, dot := strings.Cut(s, ".")
	bad := fmt.Errorf("%q is %w, with at most %d decimals", s, errQuantity, digits)
	if digits == 0 {
		bad = fmt.Errorf("%q is %w, without decimals", s, errQuantity)
	}
	if whole == "" || dot && (part == "" || len(part) > digits) {
		return 0, bad
	}
	var n int64
	for _, c := range whole + part + strings.Repeat("0", digits-len(part)) {
		if c < '0' || c > '9' || n > math.MaxInt64/100 {
			return 0, bad
		}
		n = n*10 + int64(c-'0')
	}
	return n, nil
}
