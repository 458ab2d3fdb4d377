// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package certlogic

import (
	"errors"
	"strings"
	"time"
)

// CertLogic knows no zones. A date is its midnight in UTC, a date-time without an offset
// is in UTC, and a date that lacks its day or month is the last day that it can be
// (specification, plusTime and dccDateOfBirth):
//
//	YYYY                                the last day of the year
//	YYYY-MM                             the last day of the month
//	YYYY-MM-DD                          midnight
//	YYYY-MM-DDThh:mm:ss[.S…][offset]    offset: Z, ±h, ±hh, ±hmm, ±hhmm, ±h:mm, ±hh:mm
//
// What is finer than a millisecond is cut off.

// lastMoment is how far from 1970 an instant can lie, in milliseconds, as ECMA-262 has it.
const lastMoment = 8_640_000_000_000_000

var (
	errDate  = errors.New("not a date or date-time that CertLogic allows")
	errRange = errors.New("a date beyond all calendars")
)

// parseTime reads a date or date-time, in milliseconds since 1970.
func parseTime(s string) (int64, error) {
	if len(s) <= 10 {
		return parseDate(s)
	}
	if len(s) < 19 || s[10] != 'T' || s[13] != ':' || s[16] != ':' {
		return 0, errDate
	}
	ms, err := parseDate(s[:10])
	h, ok1 := digits(s[11:13])
	m, ok2 := digits(s[14:16])
	sec, ok3 := digits(s[17:19])
	if err != nil || !ok1 || !ok2 || !ok3 || h > 23 || m > 59 || sec > 59 {
		return 0, errDate
	}
	ms += ((int64(h)*60+int64(m))*60 + int64(sec)) * 1000
	rest := s[19:]
	if strings.HasPrefix(rest, ".") {
		n := 1
		for scale := int64(100); n < len(rest) && rest[n] >= '0' && rest[n] <= '9'; n++ {
			ms += int64(rest[n]-'0') * scale
			scale /= 10
		}
		if n == 1 {
			return 0, errDate
		}
		rest = rest[n:]
	}
	off, ok := offset(rest)
	if !ok {
		return 0, errDate
	}
	return ms - off, nil
}

// offset reads an offset from UTC, in milliseconds.
func offset(s string) (int64, bool) {
	if s == "" || s == "Z" {
		return 0, true
	}
	sign := int64(1)
	switch s[0] {
	case '-':
		sign = -1
	case '+':
	default:
		return 0, false
	}
	hours, minutes := s[1:], ""
	if i := strings.IndexByte(hours, ':'); i >= 0 {
		hours, minutes = hours[:i], hours[i+1:]
	} else if len(hours) > 2 {
		hours, minutes = hours[:len(hours)-2], hours[len(hours)-2:]
	}
	h, ok := digits(hours)
	if !ok || len(hours) > 2 || h > 23 {
		return 0, false
	}
	m := 0
	if minutes != "" || strings.HasSuffix(s, ":") {
		if m, ok = digits(minutes); minutes != "" && (!ok || len(minutes) != 2 || m > 59) {
			return 0, false
		}
	}
	return sign * (int64(h)*60 + int64(m)) * 60_000, true
}

// parseDate reads YYYY[-MM[-DD]].
func parseDate(s string) (int64, error) {
	if len(s) != 4 && len(s) != 7 && len(s) != 10 {
		return 0, errDate
	}
	y, ok := digits(s[:4])
	if !ok {
		return 0, errDate
	}
	m, d := 12, 31
	if len(s) >= 7 {
		if m, ok = digits(s[5:7]); !ok || s[4] != '-' || m < 1 || m > 12 {
			return 0, errDate
		}
		d = daysIn(y, m)
	}
	if len(s) == 10 {
		if d, ok = digits(s[8:10]); !ok || s[7] != '-' || d < 1 || d > daysIn(y, m) {
			return 0, errDate
		}
	}
	return dayNumber(y, m, d) * millisOfDay, nil
}

const (
	millisOfHour = 3_600_000
	millisOfDay  = 24 * millisOfHour
)

// digits reads a number of a few digits.
func digits(s string) (int, bool) {
	n := 0
	for i := range len(s) {
		c := s[i]
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, s != ""
}

func leap(y int) bool { return y%4 == 0 && (y%100 != 0 || y%400 == 0) }

func daysIn(y, m int) int {
	switch m {
	case 2:
		if leap(y) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

// dayNumber returns the days from 1970-01-01 to a date of the years 0 to 9999, counted
// from 1 March so that the day of leap years comes last.
func dayNumber(y, m, d int) int64 {
	if m <= 2 {
		y, m = y-1, m+12
	}
	// 400 years have 146,097 days. A year before 0 is moved up by as much.
	era := y + 400
	return int64(365*era + era/4 - era/100 + era/400 + (153*(m-3)+2)/5 + d - 1 - 719468 - 146097)
}

// The units of plusTime.
const (
	unitYear  = "year"
	unitMonth = "month"
	unitDay   = "day"
	unitHour  = "hour"
)

// plusTime adds an amount of a unit to an instant. A date that the calendar does not have,
// such as 29 February a year later, is as many days into the next month (specification
// 1.3.1, after the Date of ECMA-262).
func plusTime(ms, amount int64, unit string) (int64, error) {
	if amount == 0 {
		return ms, nil
	}
	if amount > lastMoment/millisOfHour || amount < -lastMoment/millisOfHour {
		return 0, errRange
	}
	switch unit {
	case unitHour:
		ms += amount * millisOfHour
	case unitDay:
		if amount > lastMoment/millisOfDay*2 || amount < -lastMoment/millisOfDay*2 {
			return 0, errRange
		}
		ms += amount * millisOfDay
	default:
		if amount > 10_000_000 || amount < -10_000_000 {
			return 0, errRange
		}
		t := time.UnixMilli(ms).UTC()
		if unit == unitYear {
			t = t.AddDate(int(amount), 0, 0)
		} else {
			t = t.AddDate(0, int(amount), 0)
		}
		ms = t.UnixMilli()
	}
	if ms > lastMoment || ms < -lastMoment {
		return 0, errRange
	}
	return ms, nil
}

// birthDate is the operation dccDateOfBirth.
func birthDate(s string) (int64, error) {
	if len(s) > 10 {
		return 0, errDate
	}
	return parseDate(s)
}
