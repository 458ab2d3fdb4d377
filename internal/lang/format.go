// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package lang

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"

	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/money"
)

// words holds the texts of dates, numbers and amounts alone, so that the functions of
// this file need no catalogue and a fault in somebody's page cannot reach them. The
// file is part of the build and a test reads it: a fault in it is one of the program.
var words = sync.OnceValue(func() *Catalogue {
	b, err := texts.ReadFile("texts/calendar.yaml")
	if err != nil {
		panic(err)
	}
	c := &Catalogue{entries: map[string]*entry{}}
	if err := c.read("calendar.yaml", b); err != nil {
		panic(err)
	}
	return c
})

// FormatDate writes a date in the calendar that readers of the language use: Jalali
// in Persian, Gregorian in English and Urdu. No date is the empty text.
func FormatDate(tag Tag, d calendar.Date) string {
	if tag == FA {
		if s, ok := jalali(tag, d); ok {
			return s
		}
	}
	return gregorian(tag, d)
}

// FormatDay is FormatDate with the day of the week before it.
func FormatDay(tag Tag, d calendar.Date) string {
	if !d.Valid() {
		return ""
	}
	return words().Say(tag, "date.week", Args{"weekday": FormatWeekday(tag, d.Weekday()), "date": FormatDate(tag, d)})
}

// FormatWeekday names the day of the week.
func FormatWeekday(tag Tag, d time.Weekday) string {
	return words().Say(tag, "weekday."+strconv.Itoa(int(d)), nil)
}

// FormatDateBoth writes a date in both calendars, the reader's own first:
// "2 September 2025 (11 Shahrivar 1404)".
func FormatDateBoth(tag Tag, d calendar.Date) string {
	own, other := gregorian(tag, d), ""
	j, ok := jalali(tag, d)
	if !ok {
		return own
	}
	if other = j; tag == FA {
		own, other = j, own
	}
	return words().Say(tag, "date.both", Args{"own": own, "other": other})
}

func gregorian(tag Tag, d calendar.Date) string {
	if !d.Valid() {
		return ""
	}
	return date(tag, "gregorian", d.Year, int(d.Month), d.Day)
}

func jalali(tag Tag, d calendar.Date) (string, bool) {
	y, m, day, ok := d.Jalali()
	if !ok {
		return "", false
	}
	return date(tag, "jalali", y, m, day), true
}

func date(tag Tag, kind string, y, m, d int) string {
	return words().Say(tag, "date.plain", Args{
		"day":   Digits(tag, strconv.Itoa(d)),
		"month": words().Say(tag, "month."+kind+"."+strconv.Itoa(m), nil),
		"year":  Digits(tag, strconv.Itoa(y)),
	})
}

// FormatTime writes the clock time of t in the zone that t carries: "08:30".
func FormatTime(tag Tag, t time.Time) string { return Digits(tag, t.Format("15:04")) }

// FormatMinute writes a minute of the day by the clock: "08:30", and "24:00" for the
// end of the day.
func FormatMinute(tag Tag, m calendar.Minute) string { return Digits(tag, m.String()) }

// Digits returns s with its digits 0 to 9 as the language writes them: ۰ to ۹ in
// Persian; as they are in English, and in Urdu, as print and telephones in Pakistan
// have them.
func Digits(tag Tag, s string) string {
	if tag != FA {
		return s
	}
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r - '0' + '۰'
		}
		return r
	}, s)
}

// FormatInt writes a number with its digits in groups of three: "1,234", "۱٬۲۳۴".
func FormatInt(tag Tag, n int64) string { return number(tag, strconv.FormatInt(n, 10)) }

// number writes a decimal number, such as "-1234.50", as the language does.
func number(tag Tag, s string) string {
	s, negative := strings.CutPrefix(s, "-")
	whole, fraction, point := strings.Cut(s, ".")
	group, dot, minus := ",", ".", "-"
	if tag == FA {
		group, dot, minus = "٬", "٫", "−"
	}
	if tag.RTL() {
		// Without the mark a sign at the start goes to the wrong end of the number.
		minus = "\u200e" + minus
	}
	var b strings.Builder
	if negative {
		b.WriteString(minus)
	}
	for i := range len(whole) {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteString(group)
		}
		b.WriteString(Digits(tag, whole[i:i+1]))
	}
	if point {
		b.WriteString(dot)
		b.WriteString(Digits(tag, fraction))
	}
	return b.String()
}

// FormatMoney writes minor units of a currency with its name or code, always with all
// digits that the currency has after the point: "PKR 1,250.50", "USD 30.00", "JPY 500".
func FormatMoney(tag Tag, minor int64, currency string) string {
	s := money.Amount{Minor: minor, Currency: currency}.Decimal()
	key := "currency." + currency
	if !words().Has(key) {
		key = "currency.other"
	}
	return words().Say(tag, key, Args{"n": number(tag, s), "code": currency})
}

// FormatPercent writes hundredths of a percent: 500 is "5%", 1250 is "12.5%".
func FormatPercent(tag Tag, hundredths int64) string {
	s := money.Decimal(hundredths, 2)
	s = strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
	return words().Say(tag, "percent", Args{"n": number(tag, s)})
}

// FormatDecimal writes so many units of the last of places digits after the point,
// without zeros at the end: 1500 at three places is "1.5".
func FormatDecimal(tag Tag, n int64, places int) string {
	s := money.Decimal(n, places)
	if places > 0 {
		s = strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
	}
	return number(tag, s)
}

// integer returns the number in v where it is one.
func integer(v any) (int64, bool) {
	switch v := v.(type) {
	case int:
		return int64(v), true
	case int64:
		return v, true
	case int32:
		return int64(v), true
	case int16:
		return int64(v), true
	case int8:
		return int64(v), true
	case uint8:
		return int64(v), true
	case uint16:
		return int64(v), true
	case uint32:
		return int64(v), true
	case uint:
		return int64(v), v < 1<<63
	case uint64:
		return int64(v), v < 1<<63
	}
	return 0, false
}

// value writes the value of a placeholder.
func value(tag Tag, v any) string {
	switch v := v.(type) {
	case string:
		return isolate(tag, v)
	case Text:
		return isolate(tag, v.In(tag))
	case calendar.Date:
		return FormatDate(tag, v)
	case calendar.Minute:
		return FormatMinute(tag, v)
	case time.Time:
		return FormatTime(tag, v)
	case money.Amount:
		return FormatMoney(tag, v.Minor, v.Currency)
	}
	if n, ok := integer(v); ok {
		return FormatInt(tag, n)
	}
	return isolate(tag, fmt.Sprint(v))
}

// First strong isolate and pop directional isolate (UAX 9).
const fsi, pdi = "\u2068", "\u2069"

// isolate puts a value that is read the other way between isolates, so that it can
// neither be torn apart by the sentence around it nor tear the sentence apart: in a
// right-to-left sentence, Latin letters, and numbers with spaces, dashes or other marks
// inside ("2025-09-02" would come out as 02-09-2025); in a left-to-right one, letters
// that run from right to left. Plain words and numbers stay as they are: a character
// that nobody sees is a burden to search and copying.
func isolate(tag Tag, s string) string {
	var latin, digit, mark, rtl bool
	for _, r := range s {
		switch {
		case unicode.IsDigit(r):
			digit = true
		case unicode.In(r, unicode.Arabic, unicode.Hebrew, unicode.Syriac, unicode.Thaana, unicode.Nko):
			rtl = true
		case unicode.IsLetter(r):
			latin = true
		case r != ',' && r != '.' && r != ':' && r != '٬' && r != '٫':
			mark = true
		}
	}
	if tag.RTL() && (latin || digit && mark && !rtl) || !tag.RTL() && rtl {
		return fsi + s + pdi
	}
	return s
}
