// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package booking

import (
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/planning"
	"darwaza.dev/internal/rules"
)

// Gates says what this side's gate at a site can do; false where nobody knows.
type Gates interface {
	GateService(site uint16) (planning.Service, bool)
}

// crossKey is what a crossing is remembered by, under one law.
type crossKey struct {
	slot SlotID
	side agreement.Side
}

// crossing is a crossing with the day, in UTC, on which it was worked out: what gates can do
// is measured once a day.
type crossing struct {
	planning.Crossing
	day int64
}

// crossed adds when somebody with the slot will cross, where the law asks for it. It is
// worked out once for each slot and day.
func (d Desk) crossed(p place) place {
	if !p.crosses {
		return p
	}
	today := d.Now.Unix() / 86400
	k := crossKey{p.id, d.Side}
	remembers := d.Answers.of(d.Law)
	if c, ok := d.Answers.crossing(k); remembers && ok && c.day == today {
		p.crossing = c.Crossing
		return p
	}
	p.crossing = planning.Crossing{Earliest: p.at, Expected: p.at, Latest: p.at}
	if p.planned {
		p.crossing.Latest = p.plan.Until
	}
	if d.Gates != nil && p.planned {
		if s, ok := d.Gates.GateService(p.id.Site()); ok {
			full := Arrivals(d.Law, d.Side, p.plan.Site, p.plan.Day, nil)
			if c, ok := Crossing(p.plan, nil, full, s); ok {
				p.crossing = c
			}
		}
	}
	if remembers {
		d.Answers.crossings[k] = crossing{p.crossing, today}
	}
	return p
}

// Crosses returns when somebody with a slot will cross, as a booking of it is judged by.
func (d Desk) Crosses(id SlotID) (planning.Crossing, error) {
	p, err := d.locate(id)
	if err != nil {
		return planning.Crossing{}, err
	}
	p.crosses = true
	return d.crossed(p).crossing, nil
}

// Crossing predicts when somebody who has a slot crosses at a gate that can do s: the latest
// by full, as if all the side's places of the day were sold, the expected by booked.
func Crossing(p rules.SlotPlan, booked, full []planning.Arrivals, s planning.Service) (planning.Crossing, bool) {
	all, err := planning.LoadOf(p.From, p.Until, full, s)
	if err != nil {
		return planning.Crossing{}, false
	}
	some, err := planning.LoadOf(p.From, p.Until, booked, s)
	if err != nil {
		return planning.Crossing{}, false
	}
	c, err := planning.Cross(p.From, p.Until, some, all, s, planning.Q95)
	return c, err == nil
}

// Arrivals are the people of a side who have slots at a site on a day, of all classes, in the
// order of classes and time: as many as it can sell, or as slots have taken.
func Arrivals(law *rules.Law, side agreement.Side, site, day uint16, slots func(SlotID) Slot) []planning.Arrivals {
	var out []planning.Arrivals
	for _, c := range law.Classes(site, rules.DayDate(day).At(12*60, time.UTC)) {
		for _, p := range law.Slots(site, day, c.Number) {
			n := p.Allotment[side]
			if slots != nil {
				n = slots(MakeSlotID(p.Site, p.Class, p.Day, p.Minute)).Taken
			}
			if n > 0 {
				out = append(out, planning.Arrivals{From: p.From, Until: p.Until, People: int64(n)})
			}
		}
	}
	return out
}
