// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package calendar

import (
	"cmp"
	"fmt"
)

// Tri is an answer that can be open.
type Tri uint8

// The three answers.
const (
	No Tri = iota
	Yes
	Open // the texts do not say
)

// Moment is when something begins or ends, by the clock of a site or of the edition.
// The zero value is no moment: something without a beginning has always been, and
// something without an end goes on.
type Moment struct {
	// First and Last are the same where the day is known, and the first and last days that
	// it can be where a text gives no more than a month or a year, or where it is known only
	// to lie between two days.
	First, Last Date
	Minute      Minute // of First, from 0; 0 where the day is not known
	// Unknown says that the text gives no date at all.
	Unknown bool
}

// Day is the start of a day.
func Day(d Date) Moment { return Moment{First: d, Last: d} }

// IsZero reports whether there is no moment.
func (m Moment) IsZero() bool { return m == Moment{} }

// Exact reports whether the moment is known to the minute.
func (m Moment) Exact() bool { return !m.Unknown && !m.IsZero() && m.First == m.Last }

// Come reports whether the moment has come on a day and minute of the same clock. A
// moment comes with its own minute. The zero Moment has always come.
func (m Moment) Come(on Date, minute Minute) Tri {
	switch {
	case m.IsZero():
		return Yes
	case m.Unknown:
		return Open
	case on.Before(m.First):
		return No
	case m.First == m.Last:
		if on == m.First && minute < m.Minute {
			return No
		}
		return Yes
	case on.Before(m.Last):
		return Open
	}
	return Yes // on the last day that it can be, it has begun
}

// Compare orders moments by the first instant that they can be; unknown ones come last.
func (m Moment) Compare(n Moment) int {
	if m.Unknown != n.Unknown {
		if m.Unknown {
			return 1
		}
		return -1
	}
	return cmp.Or(m.First.Compare(n.First), cmp.Compare(m.Minute, n.Minute), m.Last.Compare(n.Last))
}

// String writes a moment as packages do: "2025-07-01", "2020-04-05T00:01", "2010-05",
// "2012-05-15/2016-10-13", "unknown".
func (m Moment) String() string {
	switch {
	case m.IsZero():
		return ""
	case m.Unknown:
		return "unknown"
	case m.First == m.Last && m.Minute == 0:
		return m.First.String()
	case m.First == m.Last:
		return fmt.Sprintf("%sT%02d:%02d", m.First, m.Minute/60, m.Minute%60)
	case m == month(m.First):
		return fmt.Sprintf("%04d-%02d", m.First.Year, m.First.Month)
	case m == year(m.First):
		return fmt.Sprintf("%04d", m.First.Year)
	}
	return m.First.String() + "/" + m.Last.String()
}

// month and year are those of a day, without a day that is known.
func month(d Date) Moment {
	return Moment{First: Date{Year: d.Year, Month: d.Month, Day: 1}, Last: Date{Year: d.Year, Month: d.Month, Day: DaysIn(d.Year, d.Month)}}
}

func year(d Date) Moment {
	return Moment{First: Date{Year: d.Year, Month: 1, Day: 1}, Last: Date{Year: d.Year, Month: 12, Day: 31}}
}

// ParseMoment reads "2025-07-01", "2020-04-05T00:00", a month "2010-05", a year "2010",
// a day that lies between two others, "2012-05-15/2016-10-13", or "unknown".
func ParseMoment(s string) (Moment, error) {
	wrong := fmt.Errorf("%q is not a date", s)
	switch {
	case s == "unknown":
		return Moment{Unknown: true}, nil
	case len(s) == 4:
		s += "-01-01"
		first, err := ParseDate(s)
		if err != nil {
			return Moment{}, wrong
		}
		return year(first), nil
	case len(s) == 7:
		first, err := ParseDate(s + "-01")
		if err != nil {
			return Moment{}, wrong
		}
		return month(first), nil
	case len(s) == 21 && s[10] == '/':
		first, err1 := ParseDate(s[:10])
		last, err2 := ParseDate(s[11:])
		if err1 != nil || err2 != nil || !first.Before(last) {
			return Moment{}, wrong
		}
		return Moment{First: first, Last: last}, nil
	case len(s) == 10:
		d, err := ParseDate(s)
		if err != nil {
			return Moment{}, wrong
		}
		return Day(d), nil
	case len(s) == 16 && s[10] == 'T':
		d, err := ParseDate(s[:10])
		if err != nil {
			return Moment{}, wrong
		}
		m, err := ParseMinute(s[11:])
		if err != nil || m >= EndOfDay {
			return Moment{}, wrong
		}
		return Moment{First: d, Last: d, Minute: m}, nil
	}
	return Moment{}, wrong
}
