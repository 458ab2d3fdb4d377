// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/lang"
	"darwaza.dev/internal/rules"
	"darwaza.dev/internal/service"
)

// span is a stretch of time as a reader sees it, by the clocks of both sides: the two
// towns at a border set their watches apart, and a pass is read in both.
type span struct {
	From, Until time.Time // in the site's zone
	Date        calendar.Date
	Sides       []sideSpan
}

type sideSpan struct {
	Name        lang.Text
	From, Until time.Time
}

func newSpan(e *agreement.Edition, site agreement.Site, from, until time.Time) span {
	sp := span{From: from.UTC(), Until: until.UTC()}
	if loc, err := calendar.Zone(site.Zone); err == nil {
		sp.From, sp.Until = from.In(loc), until.In(loc)
	}
	sp.Date = calendar.On(sp.From, sp.From.Location())
	for _, side := range []agreement.Side{agreement.A, agreement.B} {
		p := e.Parties[side]
		if loc, err := calendar.Zone(p.Zone); err == nil {
			sp.Sides = append(sp.Sides, sideSpan{Name: p.Name, From: from.In(loc), Until: until.In(loc)})
		}
	}
	return sp
}

// slotLine is a slot as travellers' pages show it.
type slotLine struct {
	ID    booking.SlotID
	Site  agreement.Site
	Class agreement.Class
	Span  span
	Free  uint32
	Queue uint64
	Past  bool
	// Other is what the other side had free when it was last heard, OtherSide its name; 0
	// where there was none or it has not said. A pass of either side is good at both gates.
	Other     uint32
	OtherSide lang.Text
	// Wait is the mean wait at the gate in minutes, by who has booked so far; Waits is false
	// where nobody knows.
	Wait  int64
	Waits bool
}

// slotLine names what a slot's id stands for. It is false where the law does not plan it.
func (s *server) slotLine(e *agreement.Edition, id booking.SlotID) (slotLine, bool) {
	l := slotLine{ID: id}
	var ok1, ok2 bool
	l.Site, ok1 = e.SiteNumbered(id.Site())
	plan, ok3 := s.deps.Law().Slot(id.Site(), id.Class(), id.Day(), id.Minute())
	l.Class, _, ok2 = s.deps.Law().ClassNumbered(id.Site(), id.Class(), plan.From)
	if !ok1 || !ok2 || !ok3 {
		return l, false
	}
	l.Span = newSpan(e, l.Site, plan.From, plan.Until)
	return l, true
}

func (s *server) slotLineOf(e *agreement.Edition, v service.SlotView) slotLine {
	l := slotLine{ID: v.ID, Free: v.Free, Queue: v.Queue, Past: v.Past}
	if v.OtherKnown {
		l.Other, l.OtherSide = v.Other, e.Parties[s.deps.Side.Other()].Name
	}
	l.Site, _ = e.SiteNumbered(v.ID.Site())
	l.Class, _, _ = s.deps.Law().ClassNumbered(v.ID.Site(), v.ID.Class(), v.Plan.From)
	l.Span = newSpan(e, l.Site, v.Plan.From, v.Plan.Until)
	return l
}

// minutesSince is the age of a figure in whole minutes, never negative: the other
// side's clock may be ahead.
func minutesSince(now, t time.Time) int { return max(0, int(now.Sub(t)/time.Minute)) }

func dayDate(n uint16) calendar.Date { return rules.DayDate(n) }

func dayNumber(d calendar.Date) uint16 { return rules.DayNumber(d) }
