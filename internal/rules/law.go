// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"encoding/hex"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/goods"
	"darwaza.dev/internal/reason"
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

// Compile makes editions ready to answer. The error is agreement.Faults where a
// clause cannot be compiled.
func Compile(editions ...*agreement.Edition) (*Law, error) {
	return &Law{editions: editions}, nil
}

// Edition returns the edition in force at an instant.
func (l *Law) Edition(at time.Time) (*agreement.Edition, bool) {
	for i := len(l.editions) - 1; i >= 0; i-- {
		e := l.editions[i]
		if !at.Before(e.From) && (e.Until.IsZero() || at.Before(e.Until)) {
			return e, true
		}
	}
	return nil, false
}

// Editions returns the editions in the order of their dates. The caller must not change them.
func (l *Law) Editions() []*agreement.Edition { return l.editions }

// ByPrefix returns the edition whose hash begins with p, as a pass carries it.
func (l *Law) ByPrefix(p [8]byte) (*agreement.Edition, bool) {
	for _, e := range l.editions {
		if e.Hash.Prefix() == p {
			return e, true
		}
	}
	return nil, false
}

// Check answers a question.
func (l *Law) Check(q Query) Verdict {
	v := Verdict{Point: q.Point, Outcome: reason.Refer, At: q.At.UTC()}
	e, ok := l.Edition(q.At)
	if !ok {
		v.Reasons = []reason.Reason{{Code: "law.edition.none", Outcome: reason.Refer}}
		return v
	}
	v.Agreement, v.Edition = e.ID, hex.EncodeToString(e.Hash[:])
	v.Reasons = []reason.Reason{{Code: "law.point.silent", Outcome: reason.Refer}}
	return v
}

// Slots returns the slots of a class at a site on a day, in the order of time.
func (l *Law) Slots(site uint16, day uint16, class uint8) []SlotPlan { return nil }

// Slot returns the slot that begins at a minute of the day by the site's clock.
func (l *Law) Slot(site uint16, class uint8, day, minute uint16) (SlotPlan, bool) {
	for _, s := range l.Slots(site, day, class) {
		if s.Minute == minute {
			return s, true
		}
	}
	return SlotPlan{}, false
}

// Param returns the value of a parameter in force at an instant, at a site and for a
// side; both may be empty. ok is false where no edition is in force, there is no such
// parameter, or the text leaves it empty.
func (l *Law) Param(id string, site string, side agreement.Side, at time.Time) (int64, bool) {
	return 0, false
}

// Good returns the line of a good and the id of the list that it stands on.
func (l *Law) Good(code string, at time.Time) (list string, line goods.Line, ok bool) {
	return "", goods.Line{}, false
}

// Zone returns the time zone of a site, and UTC where no edition knows the site.
func (l *Law) Zone(site string) *time.Location { return time.UTC }
