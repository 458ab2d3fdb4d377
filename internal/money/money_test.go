// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package money

import (
	"encoding/csv"
	"errors"
	"math"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"darwaza.dev/internal/calendar"
)

func TestParse(t *testing.T) {
	tests := []struct {
		in, currency string
		want         int64
	}{
		{"12.50", "PKR", 1250},
		{"12.5", "PKR", 1250},
		{"12", "PKR", 1200},
		{"0", "PKR", 0},
		{"0.05", "PKR", 5},
		{"007", "PKR", 700},
		{"-3.10", "PKR", -310},
		{"−3.10", "PKR", -310},
		{"1,250.50", "PKR", 125050},
		{"1 250", "PKR", 125000},
		{"1\u00a0250", "PKR", 125000},
		{"12,34,567", "PKR", 123456700}, // groups as in Pakistan: lakh
		{"۱۲٫۵۰", "PKR", 1250},
		{"۱۲.۵۰", "PKR", 1250},
		{"۱٬۲۵۰٫۵۰", "IRR", 125050},
		{"۱،۲۵۰", "IRR", 125000},
		{"١٢٫٥", "AFN", 1250},
		{"  12 ", "PKR", 1200},
		{"1.234", "OMR", 1234},
		{"500", "JPY", 500},
		{"92233720368547758.07", "PKR", math.MaxInt64},
		{"-92233720368547758.07", "PKR", -math.MaxInt64},
	}
	for _, x := range tests {
		got, err := Parse(x.in, x.currency)
		if err != nil || got != (Amount{x.want, x.currency}) {
			t.Errorf("Parse(%q, %s) = %v, %v, want %d", x.in, x.currency, got, err, x.want)
		}
	}
	refused := []struct {
		in, currency string
		want         error
	}{
		{"", "PKR", ErrAmount}, {"-", "PKR", ErrAmount}, {".", "PKR", ErrAmount}, {".5", "PKR", ErrAmount},
		{"5.", "PKR", ErrAmount}, {"1.2.3", "PKR", ErrAmount}, {"1,", "PKR", ErrAmount}, {",1", "PKR", ErrAmount},
		{"1,,2", "PKR", ErrAmount}, {"1,.2", "PKR", ErrAmount}, {"1.2,3", "PKR", ErrAmount}, {"--1", "PKR", ErrAmount}, {"-−1", "PKR", ErrAmount},
		{"1e3", "PKR", ErrAmount}, {"+1", "PKR", ErrAmount}, {"Rs 5", "PKR", ErrAmount}, {"1_000", "PKR", ErrAmount},
		{"0x10", "PKR", ErrAmount}, {"NaN", "PKR", ErrAmount}, {"१२", "PKR", ErrAmount},
		{"12.505", "PKR", ErrPlaces}, {"12.500", "PKR", ErrPlaces}, {"5.0", "JPY", ErrPlaces}, {"۱٫۲۳۴", "IRR", ErrPlaces},
		{"92233720368547758.08", "PKR", ErrOverflow}, {"92233720368547759", "PKR", ErrOverflow},
		{"18446744073709551616", "JPY", ErrOverflow}, {strings.Repeat("9", 40), "PKR", ErrOverflow},
		{"5", "", ErrCurrency}, {"5", "pkr", ErrCurrency}, {"5", "XAU", ErrCurrency}, {"5", "PK", ErrCurrency}, {"5", "KR ", ErrCurrency},
	}
	for _, x := range refused {
		got, err := Parse(x.in, x.currency)
		if !errors.Is(err, x.want) {
			t.Errorf("Parse(%q, %q) = %v, %v, want %v", x.in, x.currency, got, err, x.want)
		}
	}
}

func TestDecimal(t *testing.T) {
	tests := []struct {
		n      int64
		places int
		want   string
	}{
		{0, 2, "0.00"}, {5, 2, "0.05"}, {-5, 2, "-0.05"}, {1250, 2, "12.50"}, {-125050, 2, "-1250.50"},
		{5, 0, "5"}, {1234, 3, "1.234"}, {math.MinInt64, 2, "-92233720368547758.08"}, {math.MaxInt64, 0, "9223372036854775807"},
	}
	for _, x := range tests {
		if got := Decimal(x.n, x.places); got != x.want {
			t.Errorf("Decimal(%d, %d) = %q, want %q", x.n, x.places, got, x.want)
		}
	}
	if got := (Amount{1250, "PKR"}).String(); got != "PKR 12.50" {
		t.Errorf("String = %q", got)
	}
	if got := (Amount{1250, "???"}).Decimal(); got != "12.50" {
		t.Errorf("Decimal = %q", got)
	}
}

// TestRoundTrip: what Decimal writes, Parse reads, for every currency.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := Amount{rapid.Int64Min(-math.MaxInt64).Draw(t, "minor"), rapid.SampledFrom(Currencies()).Draw(t, "currency")}
		if got, err := Parse(a.Decimal(), a.Currency); err != nil || got != a {
			t.Fatalf("%v is read as %v, %v", a, got, err)
		}
	})
}

func TestAdd(t *testing.T) {
	a, b := Amount{150, "PKR"}, Amount{200, "PKR"}
	if got, err := a.Add(b); err != nil || got != (Amount{350, "PKR"}) {
		t.Errorf("Add = %v, %v", got, err)
	}
	if got, err := a.Sub(b); err != nil || got != (Amount{-50, "PKR"}) {
		t.Errorf("Sub = %v, %v", got, err)
	}
	if _, err := a.Add(Amount{1, "IRR"}); !errors.Is(err, ErrMixed) {
		t.Errorf("two currencies: %v", err)
	}
	if _, err := a.Sub(Amount{1, "IRR"}); !errors.Is(err, ErrMixed) {
		t.Errorf("two currencies: %v", err)
	}
	if _, err := (Amount{math.MaxInt64, "PKR"}).Add(Amount{1, "PKR"}); !errors.Is(err, ErrOverflow) {
		t.Errorf("too large: %v", err)
	}
	if got, err := (Amount{100, "PKR"}).Percent(500, HalfUp); err != nil || got != (Amount{5, "PKR"}) {
		t.Errorf("Percent = %v, %v", got, err)
	}
}

func TestPercent(t *testing.T) {
	tests := []struct {
		minor, rate int64
		by          Rounding
		want        int64
	}{
		{1000, 500, HalfUp, 50},
		{10, 500, HalfUp, 1},     // 0.5
		{10, 500, HalfEven, 0},   // 0.5
		{30, 500, HalfEven, 2},   // 1.5
		{50, 500, HalfUp, 3},     // 2.5
		{50, 500, HalfEven, 2},   // 2.5
		{-10, 500, HalfUp, -1},   // -0.5
		{-50, 500, HalfUp, -3},   // -2.5
		{-50, 500, HalfEven, -2}, // -2.5
		{9, 500, HalfUp, 0},      // 0.45
		{19, 500, Down, 0},       // 0.95
		{-19, 500, Down, 0},      // -0.95
		{1, 500, Up, 1},          // 0.05
		{-1, 500, Up, -1},        // -0.05
		{0, 500, Up, 0},          //
		{333, 1850, HalfUp, 62},  // 61.605
		{math.MaxInt64, 10_000, HalfUp, math.MaxInt64},
		{-math.MaxInt64, 10_000, Up, -math.MaxInt64},
	}
	for _, x := range tests {
		if got, err := Percent(x.minor, x.rate, x.by); err != nil || got != x.want {
			t.Errorf("Percent(%d, %d, %v) = %d, %v, want %d", x.minor, x.rate, x.by, got, err, x.want)
		}
	}
	if _, err := Percent(math.MaxInt64, 10_001, Down); !errors.Is(err, ErrOverflow) {
		t.Errorf("too large: %v", err)
	}
	// The quotient is 2^64 at the least, where the division of the processor would stop.
	if _, err := Scale(math.MaxInt64, math.MaxInt64, 1<<62-1, Down); !errors.Is(err, ErrOverflow) {
		t.Errorf("too large: %v", err)
	}
	if _, err := Scale(1, 1, 0, Down); !errors.Is(err, ErrAmount) {
		t.Errorf("by nothing: %v", err)
	}
	for _, r := range []Rounding{HalfUp, HalfEven, Down, Up, 9} {
		if r.String() == "" {
			t.Errorf("rounding %d has no name", r)
		}
	}
}

// wholeOf rounds a fraction as the names of the roundings say, by another way than the
// package does: through the two whole numbers beside it.
func wholeOf(x *big.Rat, by Rounding) *big.Int {
	n := new(big.Int).Quo(x.Num(), x.Denom()) // towards zero
	rest := new(big.Rat).Sub(x, new(big.Rat).SetInt(n))
	if rest.Sign() == 0 {
		return n
	}
	away := new(big.Int).Add(n, big.NewInt(int64(rest.Sign())))
	half := rest.Abs(rest).Cmp(big.NewRat(1, 2))
	switch {
	case by == Up, by != Down && half > 0, by == HalfUp && half == 0, by == HalfEven && half == 0 && n.Bit(0) == 1:
		return away
	}
	return n
}

var roundings = rapid.SampledFrom([]Rounding{HalfUp, HalfEven, Down, Up})

// TestScaleExact compares with fractions of any size.
func TestScaleExact(t *testing.T) {
	some := rapid.OneOf(rapid.Int64(), rapid.Int64Range(-20000, 20000), rapid.SampledFrom([]int64{math.MinInt64, math.MaxInt64, 0, 1, -1}))
	rapid.Check(t, func(t *rapid.T) {
		minor, num, den, by := some.Draw(t, "minor"), some.Draw(t, "num"), some.Draw(t, "den"), roundings.Draw(t, "by")
		if den == 0 {
			t.Skip("by nothing")
		}
		x := new(big.Rat).SetFrac(new(big.Int).Mul(big.NewInt(minor), big.NewInt(num)), big.NewInt(den))
		want := wholeOf(x, by)
		fits := want.IsInt64() && want.Int64() != math.MinInt64
		got, err := Scale(minor, num, den, by)
		if fits != (err == nil) || fits && got != want.Int64() {
			t.Fatalf("%d × %d ÷ %d %v = %d, %v, want %v", minor, num, den, by, got, err, want)
		}
		if !fits && !errors.Is(err, ErrOverflow) {
			t.Fatalf("%v, want too large", err)
		}
	})
}

func TestSumExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := rapid.SliceOf(rapid.OneOf(rapid.Int64(), rapid.Int64Range(-5, 5))).Draw(t, "list")
		// Each step has to fit, as a total of the day does.
		sum, fits := new(big.Int), true
		for _, n := range list {
			sum.Add(sum, big.NewInt(n))
			if !sum.IsInt64() {
				fits = false
				break
			}
		}
		got, err := Sum(list...)
		if fits != (err == nil) || fits && got != sum.Int64() {
			t.Fatalf("%v: %d, %v, want %v", list, got, err, sum)
		}
	})
}

// TestCurrencies holds the table against the list of ISO 4217 beside the repository.
func TestCurrencies(t *testing.T) {
	for code, want := range map[string]int{"PKR": 2, "IRR": 2, "AFN": 2, "USD": 2, "JPY": 0, "OMR": 3, "CLF": 4} {
		if got, ok := Digits(code); !ok || got != want {
			t.Errorf("Digits(%s) = %d, %v, want %d", code, got, ok, want)
		}
	}
	for _, code := range []string{"", "PK", "PKRS", "KR ", "D A", "XXX", "XAU", "pkr"} {
		if n, ok := Digits(code); ok {
			t.Errorf("Digits(%q) = %d", code, n)
		}
	}
	f, err := os.Open(filepath.Join("..", "..", "..", "shared", "data", "codes", "currency-codes.csv"))
	if err != nil {
		t.Skip("the list of currencies is not at hand: ", err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	const code, unit, withdrawn = 2, 4, 5
	active := map[string]string{}
	for _, row := range rows[1:] {
		if row[code] != "" && row[withdrawn] == "" && row[unit] != "-" {
			active[row[code]] = row[unit]
		}
	}
	for c, u := range active {
		if n, ok := Digits(c); !ok || strconv.Itoa(n) != u {
			t.Errorf("%s: %d, %v, want %s", c, n, ok, u)
		}
	}
	for _, c := range Currencies() {
		if active[c] == "" {
			t.Errorf("%s is not in use", c)
		}
	}
	if len(active) < 150 {
		t.Errorf("only %d currencies in the list", len(active))
	}
}

func TestRates(t *testing.T) {
	rate := func(from, to, value, on string) Rate {
		v, err := ParseRate(value)
		if err != nil {
			t.Fatal(err)
		}
		return Rate{from, to, v, calendar.MustDate(on), "State Bank of Pakistan"}
	}
	rates, err := NewRates([]Rate{
		rate("USD", "PKR", "281.9055", "2025-09-02"),
		rate("USD", "PKR", "280", "2025-08-01"),
		rate("OMR", "JPY", "381.25", "2025-08-01"),
		rate("IRR", "PKR", "0.0067", "2025-08-01"),
	})
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		amount Amount
		to, on string
		by     Rounding
		want   int64
	}{
		{Amount{100, "USD"}, "PKR", "2025-09-02", HalfUp, 28191},
		{Amount{100, "USD"}, "PKR", "2025-12-31", HalfUp, 28191},
		{Amount{100, "USD"}, "PKR", "2025-09-01", HalfUp, 28000},
		{Amount{100, "USD"}, "PKR", "2025-09-02", Down, 28190},
		{Amount{-100, "USD"}, "PKR", "2025-09-02", HalfUp, -28191},
		{Amount{1000, "OMR"}, "JPY", "2025-09-02", HalfUp, 381},
		{Amount{1, "OMR"}, "JPY", "2025-09-02", Up, 1},
		{Amount{100_000_000, "IRR"}, "PKR", "2025-09-02", HalfUp, 670_000},
		{Amount{5, "IRR"}, "IRR", "2000-01-01", HalfUp, 5},
	}
	for _, x := range tests {
		got, used, err := rates.Convert(x.amount, x.to, calendar.MustDate(x.on), x.by)
		if err != nil || got != (Amount{x.want, x.to}) {
			t.Errorf("%v on %s: %v, %v, want %d", x.amount, x.on, got, err, x.want)
		}
		if x.amount.Currency != x.to && (used.Source == "" || used.On.After(calendar.MustDate(x.on))) {
			t.Errorf("%v on %s: rate of %v from %q", x.amount, x.on, used.On, used.Source)
		}
	}
	for _, x := range []struct{ from, to, on string }{{"USD", "PKR", "2025-07-31"}, {"PKR", "USD", "2025-09-02"}, {"EUR", "PKR", "2025-09-02"}} {
		if _, _, err := rates.Convert(Amount{1, x.from}, x.to, calendar.MustDate(x.on), HalfUp); !errors.Is(err, ErrRate) {
			t.Errorf("%v: %v", x, err)
		}
	}
	if _, _, err := rates.Convert(Amount{math.MaxInt64, "USD"}, "PKR", calendar.MustDate("2025-09-02"), Down); !errors.Is(err, ErrOverflow) {
		t.Errorf("too large: %v", err)
	}
	if _, err := rate("USD", "PKR", "1", "2025-01-01").Convert(Amount{1, "EUR"}, Down); !errors.Is(err, ErrMixed) {
		t.Errorf("another currency: %v", err)
	}
}

func TestRatesRefused(t *testing.T) {
	for _, s := range []string{"", "0", "0.0", "-1", "+1", "1e3", "1e-3", "NaN", "Infinity", ".", "1.2.3", "۱", " 1", strings.Repeat("1", 31), "0." + strings.Repeat("0", 30) + "1"} {
		if d, err := ParseRate(s); !errors.Is(err, ErrRate) {
			t.Errorf("ParseRate(%q) = %v, %v", s, d.String(), err)
		}
	}
	one, err := ParseRate("1.5")
	if err != nil {
		t.Fatal(err)
	}
	good := Rate{"USD", "PKR", one, calendar.MustDate("2025-09-02"), "bank"}
	edit := func(f func(*Rate)) []Rate {
		r := good
		f(&r)
		return []Rate{r}
	}
	for i, rates := range [][]Rate{
		edit(func(r *Rate) { r.From = "XXX" }),
		edit(func(r *Rate) { r.To = "" }),
		edit(func(r *Rate) { r.To = "USD" }),
		edit(func(r *Rate) { r.On = calendar.Date{} }),
		edit(func(r *Rate) { r.Source = "" }),
		edit(func(r *Rate) { r.Value.Negative = true }),
		edit(func(r *Rate) { r.Value.Exponent = 99 }),
		{good, good},
	} {
		if _, err := NewRates(rates); !errors.Is(err, ErrRate) {
			t.Errorf("%d: %v", i, err)
		}
	}
}

// TestConvertExact compares with fractions of any size.
func TestConvertExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringMatching(`(0|[1-9][0-9]{0,11})(\.[0-9]{1,15})?`).Draw(t, "rate")
		value, err := ParseRate(s)
		if err != nil {
			t.Skip("no rate")
		}
		pair := rapid.SliceOfNDistinct(rapid.SampledFrom(Currencies()), 2, 2, rapid.ID[string]).Draw(t, "pair")
		r := Rate{pair[0], pair[1], value, calendar.MustDate("2025-09-02"), "bank"}
		minor := rapid.OneOf(rapid.Int64(), rapid.Int64Range(-100000, 100000)).Draw(t, "minor")
		by := roundings.Draw(t, "by")

		x, _ := new(big.Rat).SetString(s)
		x.Mul(x, new(big.Rat).SetInt64(minor))
		from, _ := Digits(pair[0])
		to, _ := Digits(pair[1])
		x.Mul(x, new(big.Rat).SetFrac(power(to), power(from)))
		want := wholeOf(x, by)

		got, err := r.Convert(Amount{minor, pair[0]}, by)
		fits := want.IsInt64() && want.Int64() != math.MinInt64
		if fits != (err == nil) || err == nil && got != (Amount{want.Int64(), pair[1]}) {
			t.Fatalf("%d %s at %s = %v, %v, want %v", minor, pair[0], s, got, err, want)
		}
	})
}

func power(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }

func FuzzParse(f *testing.F) {
	for _, s := range []string{"12.50", "۱۲٫۵۰", "-1,250", "", "1 2 3", "\xff"} {
		f.Add(s, "PKR")
	}
	f.Fuzz(func(t *testing.T, s, currency string) {
		a, err := Parse(s, currency)
		if err != nil {
			return
		}
		if !slices.Contains(Currencies(), currency) {
			t.Errorf("%q is a currency", currency)
		}
		if b, err := Parse(a.Decimal(), currency); err != nil || a != b {
			t.Errorf("%q is %v, then %v, %v", s, a, b, err)
		}
	})
}

func FuzzParseRate(f *testing.F) {
	for _, s := range []string{"1", "281.9055", "0.0067", "1.", ".1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := ParseRate(s)
		if err != nil {
			return
		}
		want, ok := new(big.Rat).SetString(s)
		got, ok2 := new(big.Rat).SetString(d.Text('f'))
		if !ok || !ok2 || got.Cmp(want) != 0 {
			t.Errorf("%q is %v", s, got)
		}
	})
}
