// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package service

import (
	"slices"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/planning"
	"darwaza.dev/internal/rules"
	"darwaza.dev/internal/stats"
)

// The parameters of an edition that say what a side's gate at a site can do: officers side
// by side, and minutes that one of them needs for one person. Without the first nothing is
// reckoned; the second gives way to what was measured.
const (
	paramServers = "gate.servers"
	paramMinutes = "gate.minutes"
)

// How far back a gate is measured: the last days on which people came, within these days.
const (
	measuredDays   = 7
	measuredWithin = 28
)

// A GateService is what a side's gate at a site can do.
type GateService struct {
	planning.Service
	Measured bool // from days that are over; by the parameters of the edition where false
}

// GateServiceOf returns what a side's gate at a site can do: by the days that are over in
// every zone where they show it, and otherwise by the parameters of the edition. It is false
// where neither says so.
func GateServiceOf(st State, law *Law, side agreement.Side, site uint16, now time.Time) (GateService, bool) {
	e, ok := law.EditionFor(site, now)
	if !ok {
		return GateService{}, false
	}
	s, ok := e.SiteNumbered(site)
	if !ok {
		return GateService{}, false
	}
	n, ok := law.Param(paramServers, s.ID, side, now)
	if !ok || n < 1 || n > planning.MaxServers {
		return GateService{}, false
	}
	day, _ := dayIn(time.UTC, now)
	var days []planning.Counted
	for d := day - 2; d > day-2-measuredWithin && d < day && len(days) < measuredDays; d-- {
		if c, ok := CountedOf(st, law, side, site, d); ok {
			days = append(days, c)
		}
	}
	if m, ok := planning.Measured(int(n), days...); ok {
		return GateService{m, true}, true
	}
	minutes, ok := law.Param(paramMinutes, s.ID, side, now)
	if !ok || minutes < 1 || minutes > 24*60 {
		return GateService{}, false
	}
	return GateService{planning.Service{Servers: int(n), Millis: minutes * time.Minute.Milliseconds(), Variation: planning.AtRandom}, false}, true
}

// Seconds is the time for one person, rounded half up.
func (g GateService) Seconds() int64 { return (g.Millis + 500) / 1000 }

// CountedOf returns how many people were due and came at a side's gate on a day. It is false
// where nobody came.
func CountedOf(st State, law *Law, side agreement.Side, site, day uint16) (planning.Counted, bool) {
	row, ok := st.Stats.Days.Get(stats.Key{Site: site, Day: day})
	if !ok || len(row.Arrivals) != stats.Buckets {
		return planning.Counted{}, false
	}
	zone, ok := zoneOf(law, site, day)
	if !ok {
		return planning.Counted{}, false
	}
	due := booking.Arrivals(law, side, site, day, st.slotOf)
	return planning.Counted{Due: planning.Due(rules.DayDate(day).Start(zone), stats.Buckets, due), Came: row.Arrivals}, true
}

func (st State) slotOf(id booking.SlotID) booking.Slot {
	s, _ := st.Booking.Slots.Get(id)
	return s
}

func zoneOf(law *Law, site, day uint16) (*time.Location, bool) {
	e, ok := law.EditionFor(site, rules.DayDate(day).At(12*60, time.UTC))
	if !ok {
		return nil, false
	}
	s, ok := e.SiteNumbered(site)
	if !ok {
		return nil, false
	}
	return law.Zone(s.ID), true
}

// gates remembers for a day, in UTC, and under one law what the gates can do.
type gates struct {
	law  *Law
	day  int64
	side agreement.Side
	can  map[uint16]gateCan
}

type gateCan struct {
	planning.Service
	known bool
}

// GateService says what this side's gate at a site can do, as it is known on the day.
func (tx *Tx) GateService(site uint16) (planning.Service, bool) {
	day := tx.Now.Unix() / 86400
	if g := &tx.gates; g.can == nil || g.law != tx.Law || g.day != day || g.side != tx.Side {
		*g = gates{tx.Law, day, tx.Side, map[uint16]gateCan{}}
	}
	c, ok := tx.gates.can[site]
	if !ok {
		s, known := GateServiceOf(tx.State, tx.Law, tx.Side, site, tx.Now)
		c = gateCan{s.Service, known}
		tx.gates.can[site] = c
	}
	return c.Service, c.known
}

// CrossingOf returns when somebody with a slot will cross, as a booking of it is judged by.
func CrossingOf(st State, law *Law, side agreement.Side, id booking.SlotID, now time.Time) (planning.Crossing, error) {
	return booking.Desk{State: st.Booking, Levels: st.Levels, Intake: st.Intake, Closures: st.Closures, Law: law, Side: side, Now: now, Gates: gatesOf{st, law, side, now}}.Crosses(id)
}

// TestsOf returns the slots of this side's health desk in which somebody can be tested who
// crosses in a slot: one person with a document of this side, or the members of a booking;
// shown is what was shown of their certificates. It is empty where nobody needs a test.
func TestsOf(st State, law *Law, side agreement.Side, id booking.SlotID, ms []booking.Member, shown []rules.Shown, now time.Time) ([]booking.TestOffer, error) {
	if len(ms) == 0 {
		ms = []booking.Member{{Age: -1}}
	}
	vendors := make([]bool, len(ms))
	for i, m := range ms {
		vendors[i] = m.Register != [16]byte{} && st.Market.Enrolled(m.Register, id.Site(), id.Day())
	}
	return booking.Desk{State: st.Booking, Levels: st.Levels, Intake: st.Intake, Law: law, Side: side, Now: now, Gates: gatesOf{st, law, side, now}}.TestsFor(id, ms, vendors, shown)
}

// TestPlan is where a test that is booked is in time.
func TestPlan(law *Law, side agreement.Side, t booking.Test) (from, until time.Time, ok bool) {
	return booking.TestSpan(law, side, t.Slot)
}

// gatesOf says what gates can do by a state alone.
type gatesOf struct {
	st   State
	law  *Law
	side agreement.Side
	now  time.Time
}

func (g gatesOf) GateService(site uint16) (planning.Service, bool) {
	s, ok := GateServiceOf(g.st, g.law, g.side, site, g.now)
	return s.Service, ok
}

// A WaitView is a slot with the wait that was planned and the one that was measured.
type WaitView struct {
	Plan     rules.SlotPlan
	Booked   uint32 // places taken
	Crossing planning.Crossing
	// Waited is in minutes, Known where the day is over and somebody came.
	Waited int64
	Known  bool
}

// WaitsOf returns the slots of a side at a site on a day, of all classes by time, with their
// waits at a gate that can do s. over says that the day has ended.
func WaitsOf(st State, law *Law, side agreement.Side, site, day uint16, s planning.Service, over bool) []WaitView {
	zone, ok := zoneOf(law, site, day)
	if !ok {
		return nil
	}
	midnight := rules.DayDate(day).Start(zone)
	var counted planning.Counted
	came := false
	if over {
		counted, came = CountedOf(st, law, side, site, day)
	}
	booked, full := booking.Arrivals(law, side, site, day, st.slotOf), booking.Arrivals(law, side, site, day, nil)
	var out []WaitView
	for _, c := range law.Classes(site, rules.DayDate(day).At(12*60, time.UTC)) {
		for _, p := range law.Slots(site, day, c.Number) {
			x, ok := booking.Crossing(p, booked, full, s)
			if !ok {
				continue
			}
			v := WaitView{Plan: p, Booked: st.slotOf(booking.MakeSlotID(p.Site, p.Class, p.Day, p.Minute)).Taken, Crossing: x}
			if came {
				v.Waited, v.Known = counted.Waited(int(p.From.Sub(midnight)/planning.Quarter), int((p.Until.Sub(midnight)+planning.Quarter-1)/planning.Quarter))
			}
			out = append(out, v)
		}
	}
	sortWaits(out)
	return out
}

func sortWaits(vs []WaitView) {
	slices.SortStableFunc(vs, func(a, b WaitView) int { return a.Plan.From.Compare(b.Plan.From) })
}
