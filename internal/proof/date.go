// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package proof

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"darwaza.dev/internal/calendar"
)

// Precision is how exactly a date is known.
type Precision uint8

// The precisions. The zero value is that of a date that is not there.
const (
	None   Precision = iota
	Year             // the year alone
	Month            // year and month
	Day              // a civil date, of no zone
	Second           // a date and a time of day
)

// String returns "none", "year", "month", "day" or "second".
func (p Precision) String() string {
	return [...]string{"none", "year", "month", "day", "second"}[min(int(p), 4)]
}

// A Date is a point in time as a certificate states it, no more exact than it does. The
// zero value is no date. It is never rounded: who needs an instant asks First and Last,
// which differ where the date does not say.
type Date struct {
	Precision Precision
	// Year, Month and Day are as written, in the offset that is written; those that the
	// precision leaves out are 0.
	Year  int
	Month time.Month
	Day   int
	// Seconds since midnight as written, 0 to 86399; of Second alone. Fractions of a
	// second are dropped.
	Seconds int
	// Offset is that of the clock as written, in seconds east of UTC, where HasOffset
	// says that one was; of Second alone.
	Offset    int
	HasOffset bool
}

// ErrDate is the error of a text that is no date.
var ErrDate = errors.New("proof: not a date")

// maxDateText is the length of the longest text that ParseDate looks at: a time with
// nine digits of a second and an offset has 35 characters.
const maxDateText = 40

// ParseDate reads the forms of ISO 8601 that certificates use, and no others: "2021",
// "2021-05", "2021-05-29", and the last with "T" (or "t", or one space) and a time of day
// "10:12", "10:12:05" or "10:12:05.25", and then nothing, "Z", "+02", "+0200" or
// "+02:00". The empty text is no date, and an error like everything else: a caller to
// whom an absent date is right looks before.
//
// A second of 60 is not taken, nor an hour of 24.
func ParseDate(s string) (Date, error) {
	var d Date
	bad := func() (Date, error) { return Date{}, fmt.Errorf("%w", ErrDate) }
	if len(s) < 4 || len(s) > maxDateText {
		return bad()
	}
	var ok bool
	if d.Year, s, ok = number(s, 4); !ok || d.Year < 1 {
		return bad()
	}
	d.Precision = Year
	if s == "" {
		return d, nil
	}
	month, s, ok := number(s[1:], 2, s[0] == '-')
	if d.Month = time.Month(month); !ok || month < 1 || month > 12 {
		return bad()
	}
	d.Precision = Month
	if s == "" {
		return d, nil
	}
	if d.Day, s, ok = number(s[1:], 2, s[0] == '-'); !ok || d.Day < 1 || d.Day > calendar.DaysIn(d.Year, d.Month) {
		return bad()
	}
	d.Precision = Day
	if s == "" {
		return d, nil
	}
	hour, s, ok := number(s[1:], 2, s[0] == 'T' || s[0] == 't' || s[0] == ' ')
	if !ok || hour > 23 || s == "" {
		return bad()
	}
	minute, s, ok := number(s[1:], 2, s[0] == ':')
	if !ok || minute > 59 {
		return bad()
	}
	second := 0
	if s != "" && s[0] == ':' {
		if second, s, ok = number(s[1:], 2); !ok || second > 59 {
			return bad()
		}
		if s != "" && (s[0] == '.' || s[0] == ',') {
			n := len(s)
			s = strings.TrimLeft(s[1:], "0123456789")
			if n-len(s) < 2 {
				return bad()
			}
		}
	}
	d.Precision, d.Seconds = Second, hour*3600+minute*60+second
	switch {
	case s == "":
		return d, nil
	case s == "Z" || s == "z":
		d.HasOffset = true
		return d, nil
	case s[0] != '+' && s[0] != '-':
		return bad()
	}
	sign := 1
	if s[0] == '-' {
		sign = -1
	}
	oh, s, ok := number(s[1:], 2)
	if !ok || oh > 23 {
		return bad()
	}
	om := 0
	if s != "" {
		if om, s, ok = number(strings.TrimPrefix(s, ":"), 2); !ok || om > 59 || s != "" {
			return bad()
		}
	}
	d.HasOffset, d.Offset = true, sign*(oh*3600+om*60)
	return d, nil
}

// number takes n digits off the front of s, if what stood before them was right.
func number(s string, n int, before ...bool) (v int, rest string, ok bool) {
	for _, b := range before {
		if !b {
			return 0, s, false
		}
	}
	if len(s) < n {
		return 0, s, false
	}
	for i := range n {
		c := s[i]
		if c < '0' || c > '9' {
			return 0, s, false
		}
		v = v*10 + int(c-'0')
	}
	return v, s[n:], true
}

// At returns the date of an instant, in UTC, to the second.
func At(t time.Time) Date {
	t = t.UTC()
	return Date{Precision: Second, Year: t.Year(), Month: t.Month(), Day: t.Day(),
		Seconds: t.Hour()*3600 + t.Minute()*60 + t.Second(), HasOffset: true}
}

// On returns a civil date.
func On(d calendar.Date) Date {
	if d.IsZero() {
		return Date{}
	}
	return Date{Precision: Day, Year: d.Year, Month: d.Month, Day: d.Day}
}

// IsZero reports whether there is no date.
func (d Date) IsZero() bool { return d.Precision == None }

// First returns the first second that the date may mean, and false where there is no
// date. loc is the zone of a date that names none; it is not asked about one that does.
func (d Date) First(loc *time.Location) (time.Time, bool) {
	switch d.Precision {
	case Year:
		return calendar.Date{Year: d.Year, Month: 1, Day: 1}.Start(loc).UTC(), true
	case Month:
		return calendar.Date{Year: d.Year, Month: d.Month, Day: 1}.Start(loc).UTC(), true
	case Day:
		return calendar.Date{Year: d.Year, Month: d.Month, Day: d.Day}.Start(loc).UTC(), true
	case Second:
		return d.instant(loc), true
	}
	return time.Time{}, false
}

// Last returns the last second that the date may mean, as First the first: of a day the
// one before the next day begins. It is First for a date that is exact.
func (d Date) Last(loc *time.Location) (time.Time, bool) {
	var next calendar.Date
	switch d.Precision {
	case Year:
		next = calendar.Date{Year: d.Year, Month: 12, Day: 31}.AddDays(1)
	case Month:
		next = calendar.Date{Year: d.Year, Month: d.Month, Day: calendar.DaysIn(d.Year, d.Month)}.AddDays(1)
	case Day:
		next = calendar.Date{Year: d.Year, Month: d.Month, Day: d.Day}.AddDays(1)
	case Second:
		return d.instant(loc), true
	default:
		return time.Time{}, false
	}
	return next.Start(loc).UTC().Add(-time.Second), true
}

func (d Date) instant(loc *time.Location) time.Time {
	if d.HasOffset {
		return time.Date(d.Year, d.Month, d.Day, 0, 0, d.Seconds-d.Offset, 0, time.UTC)
	}
	return time.Date(d.Year, d.Month, d.Day, 0, 0, d.Seconds, 0, loc).UTC()
}

// Date returns the civil date as written, and false where the day is not known.
func (d Date) Date() (calendar.Date, bool) {
	if d.Precision < Day {
		return calendar.Date{}, false
	}
	return calendar.Date{Year: d.Year, Month: d.Month, Day: d.Day}, true
}

// String returns the date as ParseDate reads it, in the offset that was written, and ""
// where there is none.
func (d Date) String() string {
	switch d.Precision {
	case Year:
		return fmt.Sprintf("%04d", d.Year)
	case Month:
		return fmt.Sprintf("%04d-%02d", d.Year, d.Month)
	case Day:
		return fmt.Sprintf("%04d-%02d-%02d", d.Year, d.Month, d.Day)
	case Second:
		s := fmt.Sprintf("%04d-%02d-%02dT%02d:%02d:%02d", d.Year, d.Month, d.Day, d.Seconds/3600, d.Seconds/60%60, d.Seconds%60)
		switch {
		case !d.HasOffset:
			return s
		case d.Offset == 0:
			return s + "Z"
		case d.Offset < 0:
			return s + fmt.Sprintf("-%02d:%02d", -d.Offset/3600, -d.Offset/60%60)
		}
		return s + fmt.Sprintf("+%02d:%02d", d.Offset/3600, d.Offset/60%60)
	}
	return ""
}
