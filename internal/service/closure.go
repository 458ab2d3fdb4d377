// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package service

import (
	"slices"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/closure"
	"darwaza.dev/internal/people"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/rules"
)

// Suspend closes a site, for this side, by an act that names the clause that allows it.
type Suspend struct {
	Site      uint16           `cbor:"1,keyasint"`
	Classes   []string         `cbor:"2,keyasint,omitempty"` // every class where there is none
	Direction string           `cbor:"3,keyasint,omitempty"` // "in" or "out"; both where empty
	From      time.Time        `cbor:"4,keyasint"`           // zero is as soon as the clause allows
	Until     time.Time        `cbor:"5,keyasint"`           // zero is as long as the clause allows
	Clause    string           `cbor:"6,keyasint"`
	Cause     string           `cbor:"7,keyasint"` // one of closure.Causes
	Officer   people.OfficerID `cbor:"8,keyasint"`
}

// SuspendAnswer is the answer to Suspend. Where the verdict is against it, Act is empty and
// nothing was recorded.
type SuspendAnswer struct {
	Verdict rules.Verdict `cbor:"1,keyasint"`
	Act     closure.Act   `cbor:"2,keyasint"`
}

// Lift ends an act of this side.
type Lift struct {
	Site    uint16           `cbor:"1,keyasint"`
	Number  uint32           `cbor:"2,keyasint"`
	Officer people.OfficerID `cbor:"3,keyasint"`
}

// LiftAnswer is the answer to Lift.
type LiftAnswer struct {
	Verdict rules.Verdict `cbor:"1,keyasint"`
}

// ProposePlan signs a plan by which a site opens again, for the other side to accept.
type ProposePlan struct {
	Site      uint16           `cbor:"1,keyasint"`
	Classes   []string         `cbor:"2,keyasint,omitempty"`
	Direction string           `cbor:"3,keyasint,omitempty"`
	Stages    []closure.Stage  `cbor:"4,keyasint"`
	Waiting   uint32           `cbor:"5,keyasint"` // on both sides, on the morning of the first day
	Officer   people.OfficerID `cbor:"6,keyasint"`
}

// PlanAnswer is the answer to ProposePlan: the plan as it stands, empty where the verdict
// is against it.
type PlanAnswer struct {
	Verdict rules.Verdict               `cbor:"1,keyasint"`
	Plan    closure.Named[closure.Plan] `cbor:"2,keyasint"`
}

// AcceptPlan signs a plan of the other side, whose words have that digest.
type AcceptPlan struct {
	Site    uint16           `cbor:"1,keyasint"`
	Number  uint32           `cbor:"2,keyasint"`
	Digest  [32]byte         `cbor:"3,keyasint"`
	Officer people.OfficerID `cbor:"4,keyasint"`
}

// AcceptPlanAnswer is the answer to AcceptPlan: Signed is false where the verdict is
// against it.
type AcceptPlanAnswer struct {
	Verdict rules.Verdict `cbor:"1,keyasint"`
	Signed  bool          `cbor:"2,keyasint,omitempty"`
}

// HearClosures takes over what the other side has closed and signed, by site.
type HearClosures struct {
	Sites []SiteClosures `cbor:"1,keyasint"`
}

// SiteClosures is what a side has closed and signed at a site.
type SiteClosures struct {
	Site     uint16           `cbor:"1,keyasint"`
	Standing closure.Standing `cbor:"2,keyasint"`
}

// HearClosuresAnswer is the answer to HearClosures: Kept is false where nothing was new.
type HearClosuresAnswer struct {
	Kept bool `cbor:"1,keyasint,omitempty"`
}

// CommandKind names the command in logs and in forwarding.
func (Suspend) CommandKind() string      { return "closure.suspend" }
func (Lift) CommandKind() string         { return "closure.lift" }
func (ProposePlan) CommandKind() string  { return "closure.propose" }
func (AcceptPlan) CommandKind() string   { return "closure.accept" }
func (HearClosures) CommandKind() string { return "closure.hear" }

// Keys names what both sides have closed at the site.
func (c Suspend) Keys(k *Keys) { k.levels(c.Site) }

// Keys names what both sides have closed at the site.
func (c Lift) Keys(k *Keys) { k.levels(c.Site) }

// Keys names what both sides have closed at the site.
func (c ProposePlan) Keys(k *Keys) { k.levels(c.Site) }

// Keys names what both sides have closed at the site.
func (c AcceptPlan) Keys(k *Keys) { k.levels(c.Site) }

// Keys names what both sides have closed at the sites.
func (c HearClosures) Keys(k *Keys) {
	for _, s := range c.Sites {
		k.levels(s.Site)
	}
}

func (tx *Tx) closure() closure.Desk {
	return closure.Desk{State: tx.Closures, Law: tx.Law, Side: tx.Side, Now: tx.Now}
}

func roleNames(roles []people.Role) (names []string) {
	for _, r := range roles {
		names = append(names, string(r))
	}
	return names
}

// Run closes the site, where the clause lets this side and the officer.
func (c Suspend) Run(tx *Tx) (any, error) {
	if err := tx.whole(); err != nil {
		return nil, err
	}
	o, err := tx.acting(c.Officer, c.Site, people.Roles[:])
	if err != nil {
		return nil, err
	}
	facts, v, act, err := tx.closure().DecideSuspend(c.wish(o.Roles))
	if err != nil {
		return nil, err
	}
	tx.record(facts)
	return SuspendAnswer{Verdict: v, Act: act}, nil
}

func (c Suspend) wish(roles []people.Role) closure.Wish {
	return closure.Wish{Site: c.Site, Classes: c.Classes, Direction: c.Direction, From: c.From, Until: c.Until, Clause: c.Clause, Cause: c.Cause,
		Officer: string(c.Officer), Roles: roleNames(roles)}
}

// Run ends the act.
func (c Lift) Run(tx *Tx) (any, error) {
	if err := tx.whole(); err != nil {
		return nil, err
	}
	o, err := tx.acting(c.Officer, c.Site, people.Roles[:])
	if err != nil {
		return nil, err
	}
	facts, v, err := tx.closure().DecideLift(c.Site, c.Number, string(c.Officer), roleNames(o.Roles))
	if err != nil {
		return nil, err
	}
	tx.record(facts)
	return LiftAnswer{Verdict: v}, nil
}

// mayPlan are the roles that sign plans of reopening.
var mayPlan = []people.Role{people.Supervisor}

// Run signs the plan.
func (c ProposePlan) Run(tx *Tx) (any, error) {
	if err := tx.whole(); err != nil {
		return nil, err
	}
	if _, err := tx.acting(c.Officer, c.Site, mayPlan); err != nil {
		return nil, err
	}
	facts, v, plan, err := tx.closure().DecidePropose(closure.Draft{Site: c.Site, Classes: c.Classes, Direction: c.Direction, Stages: c.Stages, Waiting: c.Waiting, Officer: string(c.Officer)})
	if err != nil {
		return nil, err
	}
	tx.record(facts)
	return PlanAnswer{Verdict: v, Plan: plan}, nil
}

// Run signs the other side's plan.
func (c AcceptPlan) Run(tx *Tx) (any, error) {
	if err := tx.whole(); err != nil {
		return nil, err
	}
	if _, err := tx.acting(c.Officer, c.Site, mayPlan); err != nil {
		return nil, err
	}
	facts, v, err := tx.closure().DecideAccept(c.Site, c.Number, c.Digest, string(c.Officer))
	if err != nil {
		return nil, err
	}
	tx.record(facts)
	return AcceptPlanAnswer{Verdict: v, Signed: len(facts) > 0}, nil
}

// Run takes over what is new.
func (c HearClosures) Run(tx *Tx) (any, error) {
	if err := tx.whole(); err != nil {
		return nil, err
	}
	if len(c.Sites) > mostSites {
		return nil, problem.New(problem.Limit, "closure.sites")
	}
	kept := false
	for _, s := range c.Sites {
		facts, err := tx.closure().DecideHeard(s.Site, s.Standing)
		if err != nil {
			return nil, err
		}
		tx.record(facts)
		kept = kept || len(facts) > 0
	}
	return HearClosuresAnswer{Kept: kept}, nil
}

// ClosuresFor returns what a side has closed and signed at the sites of the editions in
// force, for the other side.
func ClosuresFor(st State, law *Law, side agreement.Side, now time.Time) (out []SiteClosures) {
	d := closure.Desk{State: st.Closures, Law: law, Side: side, Now: now}
	for _, s := range law.Sites(now) {
		out = append(out, SiteClosures{Site: s.Number, Standing: d.Own(s.Number)})
	}
	return out
}

// deskOf is the booking desk of a state, for views.
func deskOf(st State, law *Law, side agreement.Side, now time.Time) booking.Desk {
	return booking.Desk{State: st.Booking, Levels: st.Levels, Intake: st.Intake, Closures: st.Closures, Law: law, Side: side, Now: now}
}

// A ClosureView is how a site stands by acts and plans.
type ClosureView struct {
	Acts  []ActView // that are not over, by beginning
	Plans []PlanView
	// Waiting is how many places are held at this side by bookings that a closure has
	// touched and that have no other day yet.
	Waiting uint32
	// Ends is the day by which all who wait have crossed, by the plan that both sides have
	// signed; zero where there is none, or it is over.
	Ends calendar.Date
}

// ActView is an act that is not over.
type ActView struct {
	Name  closure.Name
	Act   closure.Act
	Holds bool // now
	Mine  bool
}

// PlanView is a plan that is not over.
type PlanView struct {
	Name   closure.Name
	Plan   closure.Plan
	Digest [32]byte
	Agreed bool
	Mine   bool
	Ends   calendar.Date // the day on which the last who waits crosses
}

// ClosureOf returns how a site stands by acts and plans.
func ClosureOf(st State, law *Law, side agreement.Side, site uint16, now time.Time) ClosureView {
	var v ClosureView
	e, ok := law.EditionFor(site, now)
	if !ok {
		return v
	}
	s, ok := e.SiteNumbered(site)
	if !ok {
		return v
	}
	today := calendar.On(now, law.Zone(s.ID))
	var ended []closure.Name
	plans, agreed := st.Closures.Plans(site)
	for i, p := range plans {
		end, err := p.Is.End()
		last := p.Is.Stages[len(p.Is.Stages)-1].From
		if err != nil || !agreed[i] && last.Before(today) {
			continue
		}
		_, began := p.Is.On(today)
		if agreed[i] && began {
			ended = append(ended, p.Is.Ends...)
		}
		if agreed[i] && end.On.Before(today) && last.Before(today) {
			continue
		}
		v.Plans = append(v.Plans, PlanView{p.Name, p.Is, p.Is.Digest(p.Name.Side), agreed[i], p.Name.Side == side, end.On})
		if agreed[i] && !end.On.Before(today) && p.Is.Waiting > 0 {
			v.Ends = end.On
		}
	}
	for _, a := range st.Closures.Acts(site) {
		if !a.Is.Over(now) && !slices.Contains(ended, a.Name) {
			v.Acts = append(v.Acts, ActView{a.Name, a.Is, a.Is.Holds(now), a.Name.Side == side})
		}
	}
	for _, c := range e.Classes {
		for _, b := range deskOf(st, law, side, now).Backlog(site, c.Number) {
			v.Waiting += b.Places()
		}
	}
	return v
}

// TurnsOf returns who waits at a site since a closure, of all classes in the order of the
// edition, with the day of each.
func TurnsOf(st State, law *Law, side agreement.Side, site uint16, now time.Time) (out []booking.Turn) {
	if e, ok := law.EditionFor(site, now); ok {
		for _, c := range e.Classes {
			out = append(out, deskOf(st, law, side, now).Turns(site, c.Number)...)
		}
	}
	return out
}

// JudgeClosed judges every booking that a closure has touched anew.
func JudgeClosed(st State, law *Law, side agreement.Side, site uint16, now time.Time) (out []booking.Judged) {
	e, ok := law.EditionFor(site, now)
	if !ok {
		return nil
	}
	vendors := func(b booking.Booking, to booking.SlotID) []bool {
		is := make([]bool, len(b.Members))
		for i, m := range b.Members {
			is[i] = st.Market.Enrolled(m.Register, to.Site(), to.Day())
		}
		return is
	}
	for _, c := range e.Classes {
		out = append(out, deskOf(st, law, side, now).Judge(site, c.Number, vendors)...)
	}
	return out
}

// The parameters of an edition by which the place of somebody whose slot is closed is found
// elsewhere: how far along the border a site lies, in km from any point, and, by class,
// whether its goods perish, so that the nearest open site is offered first.
const (
	paramBorder = "border.km"
	paramPerish = "perishable." // with the id of the class: 1 where they do
)

// Perishes reports whether what a class carries perishes.
func Perishes(law *Law, side agreement.Side, site, class string, now time.Time) bool {
	n, ok := law.Param(paramPerish+class, site, side, now)
	return ok && n > 0
}

// OffersFor returns slots that a booking whose slot is closed can be moved to now, the best
// first, at most most: what perishes is offered the nearest open site first, whatever else
// is booked its own site, and its own day order. ok is false where the booking does not
// stand.
func OffersFor(st State, law *Law, side agreement.Side, b booking.Booking, now time.Time, most int) (out []SlotView, ok bool) {
	d := deskOf(st, law, side, now)
	e, known := law.EditionFor(b.Slot.Site(), now)
	if !known || !d.Stands(b) {
		return nil, false
	}
	own, _ := e.SiteNumbered(b.Slot.Site())
	class, _ := e.ClassNumbered(b.Slot.Class())
	type at struct {
		site agreement.Site
		far  int64
		own  bool
	}
	var sites []at
	perishes := Perishes(law, side, own.ID, class.ID, now)
	mark, marked := law.Param(paramBorder, own.ID, side, now)
	for _, s := range e.Sites {
		x := at{site: s, own: s.ID == own.ID, far: 1 << 40}
		if m, ok := law.Param(paramBorder, s.ID, side, now); ok && marked {
			x.far = max(m-mark, mark-m)
		}
		// What perishes is not made to wait for its own site while another one is open.
		_, shut := st.Closures.Closed(s.Number, class.ID, "in", now, law.Zone(s.ID))
		switch {
		case x.own && !(shut && perishes):
			x.far = 0
		case shut:
			x.far = 1 << 41
		}
		sites = append(sites, x)
	}
	slices.SortStableFunc(sites, func(a, b at) int { return int(min(max(a.far-b.far, -1), 1)) })
	turn := uint16(0)
	for _, t := range d.Turns(b.Slot.Site(), b.Slot.Class()) {
		if t.Booking.Ref == b.Ref {
			turn = t.Day
		}
	}
	for _, s := range sites {
		if !s.own && !perishes {
			continue
		}
		today, _, known := DayAt(law, s.site.Number, now)
		if !known {
			continue
		}
		from := today
		if s.own {
			from = max(from, turn)
		}
		for day := from; day <= from+ahead(law, side, s.site.ID, now) && len(out) < most; day++ {
			for _, v := range DayOf(st, law, side, s.site.Number, class.Number, day, now) {
				row, _ := st.Booking.Slots.Get(v.ID)
				row.Allotment = d.Allotment(v.ID)
				kept := s.own && v.Shut != nil && v.Shut.Code == closure.CodeOrder
				if v.Past || v.Shut != nil && !kept || row.Free() < b.Places() || len(out) >= most || booking.Queueing(st.Booking, row) {
					continue
				}
				v.Free, v.Shut = row.Free(), nil
				out = append(out, v)
			}
		}
	}
	return out, true
}
