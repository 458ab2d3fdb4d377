// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package calendar

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"
	"pgregory.net/rapid"
)

func TestParseDate(t *testing.T) {
	for s, want := range map[string]Date{
		"2025-09-02": {2025, 9, 2}, "2024-02-29": {2024, 2, 29}, "2000-02-29": {2000, 2, 29}, "0001-01-01": {1, 1, 1}, "9999-12-31": {9999, 12, 31},
	} {
		got, err := ParseDate(s)
		if err != nil || got != want || got.String() != s {
			t.Errorf("ParseDate(%q) = %v, %v", s, got, err)
		}
	}
	for _, s := range []string{"", "2025-9-2", "2025-02-29", "1900-02-29", "2025-04-31", "2025-13-01", "2025-00-10", "2025-10-00", "0000-01-01",
		"2025/09/02", "2025-09-02 ", " 2025-09-02", "2025-09-02T00:00:00Z", "+025-09-02", "-025-09-02", "20a5-09-02", "۲۰۲۵-۰۹-۰۲", "2025-09-٠٢"} {
		if d, err := ParseDate(s); !errors.Is(err, ErrDate) {
			t.Errorf("ParseDate(%q) = %v, %v", s, d, err)
		}
	}
	if (Date{}).String() != "" || !(Date{}).IsZero() || (Date{}).Valid() {
		t.Error("the zero value is a date")
	}
	defer func() {
		if recover() == nil {
			t.Error("MustDate takes anything")
		}
	}()
	MustDate("2025-02-30")
}

var dates = rapid.Custom(func(t *rapid.T) Date {
	return FromDays(rapid.IntRange(MustDate("0001-01-01").Days(), MustDate("9999-12-31").Days()).Draw(t, "days"))
})

// TestDateArithmetic compares with package time, which counts in its own way.
func TestDateArithmetic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d, e := dates.Draw(t, "d"), dates.Draw(t, "e")
		n := rapid.IntRange(-5000, 5000).Draw(t, "n")
		at := time.Date(d.Year, d.Month, d.Day, 12, 0, 0, 0, time.UTC)
		if !d.Valid() || FromDays(d.Days()) != d || d.Weekday() != at.Weekday() || On(at, time.UTC) != d {
			t.Fatalf("%v: %d days, a %v", d, d.Days(), d.Weekday())
		}
		if got, want := d.AddDays(n), On(at.AddDate(0, 0, n), time.UTC); got != want {
			t.Fatalf("%v and %d days: %v, want %v", d, n, got, want)
		}
		if got := e.AddDays(d.DaysSince(e)); got != d {
			t.Fatalf("%v: from %v it is %d days", d, e, d.DaysSince(e))
		}
		sign := 0
		switch n := d.Days() - e.Days(); {
		case n < 0:
			sign = -1
		case n > 0:
			sign = 1
		}
		if d.Compare(e) != sign || d.Before(e) != (sign < 0) || d.After(e) != (sign > 0) || d.Compare(Date{}) != 1 {
			t.Fatalf("%v against %v: %d", d, e, d.Compare(e))
		}
		if last := (Date{d.Year, d.Month, DaysIn(d.Year, d.Month)}).AddDays(1); last.Day != 1 {
			t.Fatalf("the month of %v does not end with day %d", d, DaysIn(d.Year, d.Month))
		}
	})
	if DaysIn(2025, 0) != 0 || DaysIn(2025, 13) != 0 || DaysIn(2024, 2) != 29 || DaysIn(2100, 2) != 28 {
		t.Error("DaysIn is wrong")
	}
}

func TestAge(t *testing.T) {
	tests := []struct {
		born, on string
		want     int
	}{
		{"2007-09-02", "2025-09-01", 17}, {"2007-09-02", "2025-09-02", 18}, {"2004-02-29", "2025-02-28", 20},
		{"2004-02-29", "2025-03-01", 21}, {"2004-02-29", "2024-02-29", 20}, {"2025-09-02", "2025-09-02", 0},
	}
	for _, x := range tests {
		if got := MustDate(x.born).Age(MustDate(x.on)); got != x.want {
			t.Errorf("born %s, on %s: %d, want %d", x.born, x.on, got, x.want)
		}
	}
}

// TestDateForms: text and CBOR read what they wrote, and CBOR is what a library reads.
func TestDateForms(t *testing.T) {
	type row struct {
		D Date `cbor:"1,keyasint"`
	}
	rapid.Check(t, func(t *rapid.T) {
		want := row{dates.Draw(t, "d")}
		if rapid.IntRange(0, 9).Draw(t, "zero") == 0 {
			want.D = Date{}
		}
		b, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var got row
		if err := json.Unmarshal(b, &got); err != nil || got != want {
			t.Fatalf("%s: %v, %v", b, got, err)
		}
		if b, err = cbor.Marshal(want); err != nil {
			t.Fatal(err)
		}
		if err := cbor.Unmarshal(b, &got); err != nil || got != want {
			t.Fatalf("%x: %v, %v", b, got, err)
		}
		var text map[int]string
		if err := cbor.Unmarshal(b, &text); err != nil || text[1] != want.D.String() {
			t.Fatalf("%x: a library reads %v, %v", b, text, err)
		}
	})
	if b, err := (Date{2025, 2, 30}).MarshalText(); err == nil {
		t.Errorf("no date is written %s", b)
	}
	if b, err := (Date{2025, 2, 30}).MarshalCBOR(); err == nil {
		t.Errorf("no date is written %x", b)
	}
	var d Date
	for _, b := range [][]byte{nil, {}, {0xf6}, {0x61, '2'}, append([]byte{0x78, 10}, "2025-09-02"...), append([]byte{0x6a}, "2025-09-31"...), append([]byte{0x4a}, "2025-09-02"...), append([]byte{0x6a}, "2025-09-02x"...)} {
		if err := d.UnmarshalCBOR(b); !errors.Is(err, ErrDate) {
			t.Errorf("%x is %v, %v", b, d, err)
		}
	}
	for _, s := range []string{"x", "2025-09-31", "2025-09-02 "} {
		if err := d.UnmarshalText([]byte(s)); !errors.Is(err, ErrDate) {
			t.Errorf("%q is %v, %v", s, d, err)
		}
	}
}

// TestNowruz: the first day of Farvardin, as it was kept in Iran.
func TestNowruz(t *testing.T) {
	for year, want := range map[int]string{
		1358: "1979-03-21", 1375: "1996-03-20", 1376: "1997-03-21", 1379: "2000-03-20", 1387: "2008-03-20", 1388: "2009-03-21",
		1395: "2016-03-20", 1396: "2017-03-21", 1397: "2018-03-21", 1398: "2019-03-21", 1399: "2020-03-20", 1400: "2021-03-21",
		1401: "2022-03-21", 1402: "2023-03-21", 1403: "2024-03-20", 1404: "2025-03-21", 1405: "2026-03-21", 1408: "2029-03-20", 1409: "2030-03-21",
	} {
		if got, err := DateFromJalali(year, 1, 1); err != nil || got.String() != want {
			t.Errorf("Nowruz %d: %v, %v, want %s", year, got, err, want)
		}
	}
	leap := map[int]bool{}
	for _, y := range []int{1342, 1346, 1350, 1354, 1358, 1362, 1366, 1370, 1375, 1379, 1383, 1387, 1391, 1395, 1399, 1403, 1408} {
		leap[y] = true
	}
	for y := 1340; y <= 1410; y++ {
		if _, err := DateFromJalali(y, 12, 30); (err == nil) != leap[y] {
			t.Errorf("30 Esfand %d: %v", y, err)
		}
	}
	for d, want := range map[string][3]int{"2020-02-23": {1398, 12, 4}, "2025-09-02": {1404, 6, 11}, "2026-11-24": {1405, 9, 3}, "2022-09-22": {1401, 6, 31}} {
		y, m, day, ok := MustDate(d).Jalali()
		if got := [3]int{y, m, day}; !ok || got != want {
			t.Errorf("%s is %v, want %v", d, got, want)
		}
	}
}

// TestJalaliDays walks every day of two centuries: each is the one after the day before,
// in months of 31, 30 and 29 days, and comes back as the same Gregorian date.
func TestJalaliDays(t *testing.T) {
	d := MustDate("1900-01-01")
	y, m, day, ok := d.AddDays(-1).Jalali()
	for end := MustDate("2101-01-01"); d.Before(end) && ok; d = d.AddDays(1) {
		var y2, m2, day2 int
		y2, m2, day2, ok = d.Jalali()
		next := y2 == y && m2 == m && day2 == day+1
		turn := day2 == 1 && (y2 == y && m2 == m+1 && (m <= 6 && day == 31 || m > 6 && day == 30) ||
			y2 == y+1 && m2 == 1 && m == 12 && (day == 29 || day == 30))
		back, err := DateFromJalali(y2, m2, day2)
		if !next && !turn || err != nil || back != d {
			t.Fatalf("%v is %d-%d-%d after %d-%d-%d, and back %v, %v", d, y2, m2, day2, y, m, day, back, err)
		}
		y, m, day = y2, m2, day2
	}
	if !ok {
		t.Errorf("%v has no Jalali date", d)
	}
}

func TestJalaliRefused(t *testing.T) {
	for _, x := range [][3]int{{1404, 0, 1}, {1404, 13, 1}, {1404, 1, 0}, {1404, 1, 32}, {1404, 7, 31}, {1404, 12, 30}, {0, 1, 1}, {-5, 1, 1}, {3001, 1, 1}, {1 << 40, 1, 1}} {
		if d, err := DateFromJalali(x[0], x[1], x[2]); !errors.Is(err, ErrDate) {
			t.Errorf("%v is %v, %v", x, d, err)
		}
	}
	for _, d := range []Date{{}, {2025, 2, 30}, MustDate("0622-03-21"), MustDate("0001-01-01")} {
		if y, m, day, ok := d.Jalali(); ok {
			t.Errorf("%v is %d-%d-%d", d, y, m, day)
		}
	}
	if y, m, day, ok := MustDate("0622-03-22").Jalali(); !ok || y != 1 || m != 1 || day != 1 {
		t.Errorf("the first day is %d-%d-%d, %v", y, m, day, ok)
	}
}

// firstShowing finds what At promises by walking: the first instant, of whole minutes,
// at which a clock shows the minute of the date or anything later.
func firstShowing(d Date, m Minute, loc *time.Location) time.Time {
	at := time.Unix(d.unix(), 0).Add(time.Duration(m)*time.Minute - 16*time.Hour).UTC()
	for {
		local := at.In(loc)
		on := On(at, loc)
		if on.After(d) || on == d && Minute(local.Hour()*60+local.Minute()) >= m {
			return at
		}
		at = at.Add(time.Minute)
	}
}

// Zones and days on which their clocks were changed, each in its own way.
var changes = []struct{ zone, on string }{
	{"Asia/Tehran", "2022-03-22"},         // forward at midnight
	{"Asia/Tehran", "2022-09-21"},         // back at midnight: an hour of the day comes twice
	{"Asia/Karachi", "2009-11-01"},        // back at midnight
	{"Europe/Berlin", "2025-03-30"},       // forward at two
	{"Europe/Berlin", "2025-10-26"},       // back at three
	{"America/St_Johns", "2006-10-29"},    // back at one minute past midnight
	{"Pacific/Apia", "2011-12-30"},        // a day left out
	{"Australia/Lord_Howe", "2025-10-05"}, // by half an hour
	{"Asia/Pyongyang", "2018-05-05"},      // forward for good, by half an hour
	{"America/Caracas", "2007-12-09"},     // back for good, by half an hour
	{"Europe/Berlin", "2028-12-31"},       // no change, but see until
	{"Africa/Cairo", "2024-12-31"},
}

func TestAt(t *testing.T) {
	zones := rapid.SampledFrom([]string{"Asia/Karachi", "Asia/Tehran", "UTC", "Asia/Kathmandu", "America/New_York", "Pacific/Kiritimati", "Pacific/Pago_Pago"})
	rapid.Check(t, func(t *rapid.T) {
		var loc *time.Location
		var d Date
		if rapid.Bool().Draw(t, "at a change") {
			x := rapid.SampledFrom(changes).Draw(t, "change")
			loc, d = MustZone(x.zone), MustDate(x.on).AddDays(rapid.IntRange(-1, 1).Draw(t, "beside"))
		} else {
			loc = MustZone(zones.Draw(t, "zone"))
			d = FromDays(rapid.IntRange(MustDate("2000-01-03").Days(), MustDate("2040-01-01").Days()).Draw(t, "day"))
		}
		m := Minute(rapid.IntRange(0, int(EndOfDay)).Draw(t, "minute"))
		got := d.At(m, loc)
		if want := firstShowing(d, m, loc); !got.Equal(want) {
			t.Fatalf("%s %s in %s: %s, want %s", d, m, loc, got.UTC(), want)
		}
		if later := d.At(min(m+1, EndOfDay), loc); later.Before(got) {
			t.Fatalf("%s in %s runs backwards at %s", d, loc, m)
		}
		if end, next := d.At(EndOfDay, loc), d.AddDays(1).Start(loc); !end.Equal(next) {
			t.Fatalf("%s in %s ends at %s, the next day begins at %s", d, loc, end, next)
		}
	})
}

func FuzzParseDate(f *testing.F) {
	for _, s := range []string{"2025-09-02", "2024-02-29", "0000-00-00", "2025-9-2x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := ParseDate(s)
		if err == nil && (d.String() != s || !d.Valid()) {
			t.Errorf("%q is %v", s, d)
		}
		var e Date
		if err := e.UnmarshalCBOR([]byte(s)); err == nil {
			if b, err := e.MarshalCBOR(); err != nil || string(b) != s {
				t.Errorf("%q is %v, written %q, %v", s, e, b, err)
			}
		}
	})
}
