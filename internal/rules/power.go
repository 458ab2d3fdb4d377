// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"slices"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/calendar"
)

// A Power is a clause that lets a side close a site by an act.
type Power struct {
	Clause    *agreement.Clause
	Agreement string
	// Notice is how long before its beginning an act has to be said; zero for one that may
	// begin at once. Most is how long it lasts at most, zero where it does not lapse.
	Notice, Most time.Duration
}

// Powers returns the clauses that let a side close a site at a time, by agreement and then
// in the order of the text. A clause whose figures are not known gives no power.
func (l *Law) Powers(site uint16, side agreement.Side, at time.Time) []Power {
	var out []Power
	for _, c := range l.seen(at, time.Time{}, "") {
		s, ok := c.siteNumbered(site)
		if !ok {
			continue
		}
		zone := c.zone
		if x := c.sites[s.ID]; x != nil {
			zone = x.zone
		}
		for _, k := range c.e.Clauses {
			if k.Kind != agreement.KindPower || k.By != side && k.By != agreement.Both || !inForce(k, s.ID, side, at, zone) {
				continue
			}
			p := Power{Clause: k, Agreement: c.e.ID}
			notice, ok1 := c.spanOf(k.AtLeast, s.ID, side, at, zone)
			most, ok2 := c.spanOf(k.Within, s.ID, side, at, zone)
			if p.Notice, p.Most = notice, most; ok1 && ok2 {
				out = append(out, p)
			}
		}
	}
	return out
}

// Power returns the power that a clause gives a side.
func (l *Law) Power(clause string, site uint16, side agreement.Side, at time.Time) (Power, bool) {
	ps := l.Powers(site, side, at)
	if i := slices.IndexFunc(ps, func(p Power) bool { return p.Clause.ID == clause }); i >= 0 {
		return ps[i], true
	}
	return Power{}, false
}

func inForce(k *agreement.Clause, site string, side agreement.Side, at time.Time, zone *time.Location) bool {
	if len(k.Holds) == 0 {
		return true
	}
	on, minute := calendar.On(at, zone), calendar.Minute(at.In(zone).Hour()*60+at.In(zone).Minute())
	return slices.ContainsFunc(k.Holds, func(p agreement.Period) bool {
		return (len(p.Sites) == 0 || slices.Contains(p.Sites, site)) && (len(p.Sides) == 0 || slices.Contains(p.Sides, side)) && p.Holds(on, minute) == agreement.Yes
	})
}

// span is a parameter of time. Months and years are by the calendar of the site.
func (c *compiled) spanOf(id, site string, side agreement.Side, at time.Time, zone *time.Location) (time.Duration, bool) {
	p := c.e.Parameters[id]
	if id == "" || p == nil {
		return 0, id == ""
	}
	v, ok := p.At(site, side, calendar.On(at, zone))
	if !ok || !v.Known || v.Int <= 0 || v.Int > 1<<20 {
		return 0, false
	}
	if d, ok := short(p.Unit); ok {
		return time.Duration(v.Int) * d, true
	}
	day := int64(calendar.On(at, zone).Days())
	end, err := shift(day, v.Int, p.Unit)
	if err != nil {
		return 0, false
	}
	return time.Duration(end-day) * 24 * time.Hour, true
}
