// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"slices"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/calendar"
)

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

// epoch is the day from which days are counted on passes and in keys.
func epoch() calendar.Date { return calendar.Date{Year: 2000, Month: time.January, Day: 1} }

// DayNumber returns the days from 2000-01-01 to d.
func DayNumber(d calendar.Date) uint16 { return uint16(d.DaysSince(epoch())) }

// DayDate returns the date of a day number.
func DayDate(n uint16) calendar.Date { return epoch().AddDays(int(n)) }

// The parameter, where an edition declares it, that limits how long people stay.
const paramDwell = "dwell.limit"

// Slots returns the slots of a class at a site on a day, in the order of time. A
// slot is planned where it lies within opening hours, the site has been opened as
// far as the text says, and the number of places is known. Where two agreements plan the
// same slot, it is the smaller of both: the least capacity and allotments, the earliest end.
func (l *Law) Slots(site uint16, day uint16, class uint8) []SlotPlan {
	var out []SlotPlan
	l.planAt(site, day, class, -1, func(p SlotPlan) {
		for i := range out {
			if out[i].Minute == p.Minute {
				out[i] = out[i].least(p)
				return
			}
		}
		out = append(out, p)
	})
	slices.SortFunc(out, func(a, b SlotPlan) int { return int(a.Minute) - int(b.Minute) })
	return out
}

// Slot returns the slot that begins at a minute of the day by the site's clock.
func (l *Law) Slot(site uint16, class uint8, day, minute uint16) (SlotPlan, bool) {
	var out SlotPlan
	found := false
	l.planAt(site, day, class, int(minute), func(p SlotPlan) {
		if found {
			p = out.least(p)
		}
		out, found = p, true
	})
	return out, found
}

// least is what two agreements allow of one slot.
func (p SlotPlan) least(o SlotPlan) SlotPlan {
	p.Capacity = min(p.Capacity, o.Capacity)
	for side, n := range o.Allotment {
		p.Allotment[side] = min(p.Allotment[side], n)
	}
	if o.Until.Before(p.Until) {
		p.Until = o.Until
	}
	if o.Latest.Before(p.Latest) {
		p.Latest = o.Latest
	}
	return p
}

// planAt walks the slots of a day, all of them where minute is negative.
func (l *Law) planAt(number, day uint16, class uint8, minute int, yield func(SlotPlan)) {
	date := DayDate(day)
	for _, c := range l.compiled {
		s, ok := c.siteNumbered(number)
		if !ok || s.schedule == nil || s.From.Come(date, calendar.EndOfDay-1) == agreement.No {
			continue
		}
		k, ok := c.e.ClassNumbered(class)
		if !ok {
			continue
		}
		in := s.schedule.Spans(k.ID, "in", date)
		if len(in) == 0 {
			continue
		}
		for _, rule := range s.slots {
			if rule.Class != k.ID || len(rule.Days) > 0 && !slices.Contains(rule.Days, date.Weekday()) {
				continue
			}
			step := calendar.Minute(rule.Minutes)
			for m := rule.From; m+step <= rule.To; m += step {
				if minute >= 0 && int(m) != minute || !within(in, m, m+step) {
					continue
				}
				from := date.At(m, s.zone)
				if in := l.seen(from, time.Time{}, c.e.ID); len(in) == 0 || in[0] != c {
					continue // another edition, or none, is in force then
				}
				p, ok := c.slot(s, rule, date, m, from)
				p.Site, p.Class, p.Day = number, class, day
				if ok {
					yield(p)
				}
			}
		}
	}
}

func within(spans []calendar.Span, from, to calendar.Minute) bool {
	for _, x := range spans {
		if x.From <= from && to <= x.To {
			return true
		}
	}
	return false
}

func (c *compiled) siteNumbered(n uint16) (*site, bool) {
	s, ok := c.e.SiteNumbered(n)
	return c.sites[s.ID], ok
}

func (c *compiled) slot(s *site, rule agreement.SlotRule, date calendar.Date, m calendar.Minute, from time.Time) (SlotPlan, bool) {
	v, ok := c.e.Parameters[rule.Capacity].At(s.ID, "", date)
	if !ok || !v.Known || v.Int <= 0 || v.Int > 1<<31 {
		return SlotPlan{}, false
	}
	p := SlotPlan{Minute: uint16(m), From: from.UTC(), Until: date.At(m+calendar.Minute(rule.Minutes), s.zone).UTC(), Capacity: uint32(v.Int), Allotment: map[agreement.Side]uint32{}}
	for _, side := range [...]agreement.Side{agreement.A, agreement.B} {
		p.Allotment[side] = uint32(v.Int * int64(rule.Shares[side]) / 100)
	}
	// People leave when the way out closes, or when the time that they may stay is over.
	spans := s.schedule.Spans(rule.Class, "out", date)
	if len(spans) > 0 {
		p.Latest = date.At(spans[len(spans)-1].To, s.zone).UTC()
	}
	if p.Latest.Before(p.Until) {
		p.Latest = p.Until
	}
	if d := c.e.Parameters[paramDwell]; d != nil {
		if v, ok := d.At(s.ID, "", date); ok && v.Known {
			if t := p.Until.Add(time.Duration(v.Int) * time.Minute); t.Before(p.Latest) {
				p.Latest = t
			}
		}
	}
	return p, true
}
