// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/calendar"
)

// Law is the editions of an agreement, compiled. It is immutable and may be used by
// many at once.
type Law struct {
	editions []*agreement.Edition
}

// SlotPlan is a slot as the edition plans it.
type SlotPlan struct {
	Site        uint16
	Class       uint8
	Day         uint16 // days since 2000-01-01 in the site's zone
	Minute      uint16
	From, Until time.Time
	Capacity    uint32
	Allotment   map[agreement.Side]uint32 // adds up to Capacity at most
	// Latest is when the slot's holders must have left.
	Latest time.Time
}

// DayNumber returns the days from 2000-01-01 to d.
func DayNumber(d calendar.Date) uint16 {
	return uint16(d.DaysSince(calendar.Date{Year: 2000, Month: time.January, Day: 1}))
}

// DayDate returns the date of a day number.
func DayDate(n uint16) calendar.Date {
	return calendar.Date{Year: 2000, Month: time.January, Day: 1}.AddDays(int(n))
}
