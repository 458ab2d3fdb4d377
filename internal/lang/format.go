// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package lang

import (
	"time"

	"darwaza.dev/internal/calendar"
)

// FormatDate writes a date in the calendar that readers of the language use: Jalali
// in Persian, Gregorian in English and Urdu.
func FormatDate(tag Tag, d calendar.Date) string { return d.String() }

// FormatDay is FormatDate with the day of the week before it.
func FormatDay(tag Tag, d calendar.Date) string { return d.String() }

// FormatWeekday names the day of the week.
func FormatWeekday(tag Tag, d time.Weekday) string { return d.String() }

// FormatDateBoth writes a date in both calendars, the reader's own first.
func FormatDateBoth(tag Tag, d calendar.Date) string { return d.String() }

// FormatTime writes the clock time of t in the zone that t carries: "08:30".
func FormatTime(tag Tag, t time.Time) string { return t.Format("15:04") }

// FormatMinute writes a minute of the day by the clock: "08:30".
func FormatMinute(tag Tag, m calendar.Minute) string { return m.String() }

// Digits returns s with its digits 0 to 9 as the language writes them.
func Digits(tag Tag, s string) string { return s }

// FormatInt writes a number with its digits in groups of three.
func FormatInt(tag Tag, n int64) string { return "" }

// FormatMoney writes an amount of minor units of a currency.
func FormatMoney(tag Tag, minor int64, currency string) string { return currency }

// FormatPercent writes hundredths of a percent: 500 is "5%".
func FormatPercent(tag Tag, hundredths int64) string { return "" }
