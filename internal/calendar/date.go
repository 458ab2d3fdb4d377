// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

// Package calendar holds civil dates (Gregorian and Jalali), time zones from
// embedded data, and the opening hours of a site.
//
// It never reads a clock and never the zone files of the host: two machines that
// hold the same build give the same answer, whatever is installed on them. Words
// for dates are in package lang.
package calendar

import (
	"errors"
	"fmt"
	"time"

	jalaali "github.com/jalaali/go-jalaali"
)

// Date is a civil date of the Gregorian calendar, of no zone. The zero value is
// no date. Years run from 1 to 9999.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// ErrDate is the error of a text or of numbers that are not a date.
var ErrDate = errors.New("calendar: not a date")

// NewDate returns the date of the given year, month and day, or ErrDate where
// there is no such day: 30 February is not silently the first of March.
func NewDate(year int, month time.Month, day int) (Date, error) {
	if year < 1 || year > 9999 || month < 1 || month > 12 || day < 1 || day > DaysIn(year, month) {
		return Date{}, ErrDate
	}
	return Date{year, month, day}, nil
}

// ParseDate reads the ten characters of "2025-09-02" (ISO 8601 extended calendar
// date, RFC 3339 full-date). Nothing shorter, longer or padded is taken.
func ParseDate(s string) (Date, error) {
	if len(s) != 10 || s[4] != '-' || s[7] != '-' {
		return Date{}, fmt.Errorf("%w: want yyyy-mm-dd", ErrDate)
	}
	y, ok1 := digits(s[:4])
	m, ok2 := digits(s[5:7])
	d, ok3 := digits(s[8:])
	if !ok1 || !ok2 || !ok3 {
		return Date{}, fmt.Errorf("%w: want yyyy-mm-dd", ErrDate)
	}
	return NewDate(y, time.Month(m), d)
}

// MustDate is ParseDate for dates written in the program and in tests; it panics
// where s is not a date.
func MustDate(s string) Date {
	d, err := ParseDate(s)
	if err != nil {
		panic(fmt.Sprintf("%v: %q", err, s))
	}
	return d
}

func digits(s string) (n int, ok bool) {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = n*10 + int(s[i]-'0')
	}
	return n, len(s) > 0
}

// DaysIn returns the number of days of a month, 28 to 31, and 0 for a month that
// is not one.
func DaysIn(year int, month time.Month) int {
	switch month {
	case time.February:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	case time.April, time.June, time.September, time.November:
		return 30
	}
	if month < 1 || month > 12 {
		return 0
	}
	return 31
}

// On returns the civil date that calendars in loc show at the instant t.
func On(t time.Time, loc *time.Location) Date {
	y, m, d := t.In(loc).Date()
	return Date{y, m, d}
}

// FromDays returns the date n days after 1970-01-01 (before it where n is
// negative): the inverse of Days.
func FromDays(n int) Date {
	y, m, d := time.Unix(int64(n)*86400, 0).UTC().Date()
	return Date{y, m, d}
}

// Days returns the number of days from 1970-01-01 to d.
func (d Date) Days() int { return int(d.unix() / 86400) }

// unix is the instant at which a clock in UTC shows the first second of d.
func (d Date) unix() int64 {
	return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC).Unix()
}

// String returns "2025-09-02", and the empty text for the zero value.
func (d Date) String() string {
	if d.IsZero() {
		return ""
	}
	return string(d.append(make([]byte, 0, 10)))
}

func (d Date) append(b []byte) []byte {
	return append(b,
		byte('0'+d.Year/1000%10), byte('0'+d.Year/100%10), byte('0'+d.Year/10%10), byte('0'+d.Year%10), '-',
		byte('0'+int(d.Month)/10), byte('0'+int(d.Month)%10), '-',
		byte('0'+d.Day/10), byte('0'+d.Day%10))
}

// IsZero reports whether d is no date.
func (d Date) IsZero() bool { return d == Date{} }

// Valid reports whether d is a day that exists, in the years 1 to 9999.
func (d Date) Valid() bool {
	_, err := NewDate(d.Year, d.Month, d.Day)
	return err == nil
}

// Weekday returns the day of the week of d.
func (d Date) Weekday() time.Weekday {
	// 1970-01-01 was a Thursday. The double remainder keeps days before it positive.
	return time.Weekday(((d.Days()+int(time.Thursday))%7 + 7) % 7)
}

// AddDays returns the date n days after d (before it where n is negative).
func (d Date) AddDays(n int) Date { return FromDays(d.Days() + n) }

// DaysSince returns the number of days from o to d, negative where d is before o.
func (d Date) DaysSince(o Date) int { return d.Days() - o.Days() }

// Compare returns -1, 0 or 1 as d is before, on or after o. No date is before
// every date.
func (d Date) Compare(o Date) int {
	a := d.Year<<9 | int(d.Month)<<5 | d.Day
	b := o.Year<<9 | int(o.Month)<<5 | o.Day
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// Before reports whether d is before o.
func (d Date) Before(o Date) bool { return d.Compare(o) < 0 }

// After reports whether d is after o.
func (d Date) After(o Date) bool { return d.Compare(o) > 0 }

// Age returns the whole years from birth d to the date on: the birthday of
// somebody born on 29 February is 1 March in common years.
func (d Date) Age(on Date) int {
	n := on.Year - d.Year
	if on.Month < d.Month || on.Month == d.Month && on.Day < d.Day {
		n--
	}
	return n
}

// MarshalText writes "2025-09-02", and the empty text for the zero value.
func (d Date) MarshalText() ([]byte, error) {
	if d.IsZero() {
		return []byte{}, nil
	}
	if !d.Valid() {
		return nil, ErrDate
	}
	return d.append(make([]byte, 0, 10)), nil
}

// UnmarshalText reads what MarshalText writes.
func (d *Date) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*d = Date{}
		return nil
	}
	if len(b) != 10 {
		return ErrDate
	}
	v, err := ParseDate(string(b))
	if err != nil {
		return err
	}
	*d = v
	return nil
}

// cborText10 is the head of a CBOR text string of ten bytes (RFC 8949, 3.1, major
// type 3); cborText0 that of the empty one.
const cborText10, cborText0 = 0x6a, 0x60

// MarshalCBOR writes the date as the CBOR text string of MarshalText. The two
// heads are written by hand so that layer 0 needs no CBOR library.
func (d Date) MarshalCBOR() ([]byte, error) {
	if d.IsZero() {
		return []byte{cborText0}, nil
	}
	if !d.Valid() {
		return nil, ErrDate
	}
	return d.append(append(make([]byte, 0, 11), cborText10)), nil
}

// UnmarshalCBOR reads what MarshalCBOR writes, and no other encoding of it.
func (d *Date) UnmarshalCBOR(b []byte) error {
	switch {
	case len(b) == 1 && b[0] == cborText0:
		*d = Date{}
		return nil
	case len(b) == 11 && b[0] == cborText10:
		return d.UnmarshalText(b[1:])
	}
	return ErrDate
}

// Jalali returns d in the solar Hijri calendar of Iran (Jalali): year, month 1 to
// 12 (Farvardin first), day. ok is false before 1 Farvardin of the year 1.
func (d Date) Jalali() (year, month, day int, ok bool) {
	jy, jm, jd, err := jalaali.ToJalaali(d.Year, d.Month, d.Day)
	if err != nil || jy < 1 || !d.Valid() {
		return 0, 0, 0, false
	}
	return jy, int(jm), jd, true
}

// DateFromJalali returns the Gregorian date of a Jalali one, or ErrDate where the
// Jalali calendar has no such day.
func DateFromJalali(year, month, day int) (Date, error) {
	if year < 1 || year > 3000 || month < 1 || month > 12 || day < 1 || !jalaali.IsValidDate(year, month, day) {
		return Date{}, ErrDate
	}
	y, m, d, err := jalaali.ToGregorian(year, jalaali.Month(month), day)
	if err != nil {
		return Date{}, fmt.Errorf("%w: %w", ErrDate, err)
	}
	return NewDate(y, m, d)
}

// Start returns the first instant at which calendars in loc show d. Where clocks
// are put forward at midnight that is not 00:00; where the day was left out whole
// (Samoa, 30 December 2011) it is the first instant of the day after.
func (d Date) Start(loc *time.Location) time.Time { return d.At(0, loc) }

// At returns the first instant at which a clock in loc shows the minute m of d or
// anything later.
//
// So a minute that is jumped over in spring is the instant of the jump, and a
// minute that comes twice in autumn is the first of the two. At never runs
// backwards as m grows, hence spans of a day that do not overlap by the clock do
// not overlap in time either.
func (d Date) At(m Minute, loc *time.Location) time.Time {
	wall := d.unix() + int64(m)*60
	// No zone is further than 15 hours from UTC, so at the start of this walk the
	// clock in loc still shows less than wall.
	t := time.Unix(wall-26*3600, 0).In(loc)
	for {
		_, offset := t.Zone()
		end := until(t)
		at := max(t.Unix(), wall-int64(offset))
		if end.IsZero() || at < end.Unix() {
			return time.Unix(at, 0).In(loc)
		}
		t = end
	}
}

// until returns an instant after t up to which the clock of t's zone does not change, and
// the zero time where it never does.
//
// Package time counts 365 days to every year where a zone goes by a rule, so that on the
// last day of a leap year the bound that it gives is not after t. No zone changes its
// clock on that day, and an hour at a time leads into the next year.
func until(t time.Time) time.Time {
	_, end := t.ZoneBounds()
	if !end.IsZero() && !end.After(t) {
		return t.Add(time.Hour)
	}
	return end
}
