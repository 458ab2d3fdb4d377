// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package agreement

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"darwaza.dev/internal/money"
)

// plainUnits are the units of parameters and attributes that are not currencies.
func plainUnits() []string {
	return []string{"percent", "count", "minutes", "days", "years", "tenths-celsius"}
}

func isCurrency(s string) bool {
	_, ok := money.Digits(s)
	return ok && len(s) == 3
}

func isUnit(s string) bool {
	for _, u := range plainUnits() {
		if s == u {
			return true
		}
	}
	return isCurrency(s)
}

var errQuantity = errors.New("not a plain number of the unit")

// quantity reads a number as a unit counts it: minor units of a currency, hundredths
// of a percent, whole numbers of the rest. "100", "50.01"; no sign, no grouping.
func quantity(s, unit string) (int64, error) {
	digits := 0
	if unit == "percent" {
		digits = 2
	} else if isCurrency(unit) {
		digits, _ = money.Digits(unit)
	}
	whole, part, dot := strings.Cut(s, ".")
	if whole == "" || dot && (part == "" || len(part) > digits) {
		return 0, fmt.Errorf("%q is %w", s, errQuantity)
	}
	var n int64
	for _, c := range whole + part + strings.Repeat("0", digits-len(part)) {
		if c < '0' || c > '9' || n > math.MaxInt64/100 {
			return 0, fmt.Errorf("%q is %w", s, errQuantity)
		}
		n = n*10 + int64(c-'0')
	}
	return n, nil
}
