// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package agreement

import "darwaza.dev/internal/calendar"

// Tri is an answer that can be open.
type Tri = calendar.Tri

// The three answers.
const (
	No   = calendar.No
	Yes  = calendar.Yes
	Open = calendar.Open // the texts do not say
)

// Moment is when something begins or ends, by the clock of a site or of the edition.
type Moment = calendar.Moment

// Day is the start of a day.
func Day(d calendar.Date) Moment { return calendar.Day(d) }

// ParseMoment reads "2025-07-01", "2020-04-05T00:00", a month "2010-05", a year "2010"
// or "unknown".
func ParseMoment(s string) (Moment, error) { return calendar.ParseMoment(s) }

// Period is when and where something holds: from From until Until, the end not
// included, everywhere where no sites or sides are named.
type Period struct {
	From, Until Moment
	Sites       []string
	Sides       []Side
	// Published and Ended are the days on which its beginning and its end became known,
	// zero where always.
	Published, Ended calendar.Date
}

// Seen returns the period as it was known at the end of a day, and whether it was known
// at all: an end that was published later is not seen. A zero day sees everything.
func (p Period) Seen(known calendar.Date) (Period, bool) {
	if known.IsZero() {
		return p, true
	}
	if p.Ended.After(known) {
		p.Until = Moment{}
	}
	return p, !p.Published.After(known)
}

// Holds reports whether the period covers a day and minute, of the clock that its
// moments are told by.
func (p Period) Holds(on calendar.Date, minute calendar.Minute) Tri {
	begun, ended := p.From.Come(on, minute), No
	if !p.Until.IsZero() {
		ended = p.Until.Come(on, minute)
	}
	switch {
	case begun == No || ended == Yes:
		return No
	case begun == Open || ended == Open:
		return Open
	}
	return Yes
}
