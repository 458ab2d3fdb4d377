// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package market

import (
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

// TestValueFor holds the value of a lot to exact arithmetic, and the quantity that fits
// to being the greatest.
func TestValueFor(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		unit := rapid.Int64Range(0, MaxValue).Draw(t, "unit")
		q := rapid.Int64Range(0, MaxQuantity).Draw(t, "quantity")
		got, ok := ValueFor(unit, q)
		// Half up: floor((unit·q + 500) / 1000).
		x := new(big.Int).Mul(big.NewInt(unit), big.NewInt(q))
		x.Div(x.Add(x, big.NewInt(500)), big.NewInt(1000))
		if ok != (x.Cmp(big.NewInt(MaxValue)) <= 0) || ok && got != x.Int64() {
			t.Fatalf("%d × %d: got %d %v, want %v", unit, q, got, ok, x)
		}
		fits := rapid.Int64Range(0, 1_000_000).Draw(t, "fits")
		unit = rapid.Int64Range(1, 100_000).Draw(t, "small unit")
		most := QuantityFor(unit, fits)
		if v, _ := ValueFor(unit, most); most > 0 && v > fits {
			t.Fatalf("%d at %d is %d, more than %d", most, unit, v, fits)
		}
		if v, _ := ValueFor(unit, most+1); fits > 0 && v <= fits {
			t.Fatalf("%d at %d would still be %d", most+1, unit, v)
		}
	})
	for _, test := range []struct{ unit, quantity, want int64 }{
		{100, 30_000, 3000}, {1, 499, 0}, {1, 500, 1}, {33, 1500, 50}, {0, 5, 0},
	} {
		if got, ok := ValueFor(test.unit, test.quantity); !ok || got != test.want {
			t.Errorf("%d × %d: got %d, want %d", test.unit, test.quantity, got, test.want)
		}
	}
	if _, ok := ValueFor(-1, 5); ok {
		t.Error("a value below nothing")
	}
}

func TestPlainCode(t *testing.T) {
	for in, want := range map[string]string{
		"0702.0000": "07020000", "07020000": "07020000",
		"": "", "0702000": "", "070200000": "", "0702.000": "", "0702-0000": "", "0702000x": "", "070.20000": "",
	} {
		got, ok := PlainCode(in)
		if got != want || ok != (want != "") {
			t.Errorf("%q: got %q, %v", in, got, ok)
		}
	}
}
