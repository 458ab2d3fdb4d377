// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package service

import (
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/intake"
	"darwaza.dev/internal/people"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/rules"
)

// CommitIntake says what this side takes in at a site: by the week, for a day, or by a rule.
type CommitIntake struct {
	Site uint16 `cbor:"1,keyasint"`
	// Set are lines to add, or to put in the place of those for the same slots; Drop are
	// lines to take out.
	Set     []intake.Line    `cbor:"2,keyasint,omitempty"`
	Drop    []intake.Line    `cbor:"3,keyasint,omitempty"`
	Officer people.OfficerID `cbor:"4,keyasint"`
}

// MeasureIntake reckons the rules of a site anew, by what the gate was measured to take.
type MeasureIntake struct {
	Site uint16 `cbor:"1,keyasint"`
}

// IntakeAnswer is the answer to CommitIntake and MeasureIntake: what stands now, and by how
// many places slots are sold above what is left of them.
type IntakeAnswer struct {
	Serial uint64        `cbor:"1,keyasint,omitempty"`
	Lines  []intake.Line `cbor:"2,keyasint,omitempty"`
	Excess uint32        `cbor:"3,keyasint,omitempty"`
}

// HearPlaces takes over what the other side commits at sites, and what it gives and asks for
// of slots.
type HearPlaces struct {
	Sites []intake.Told          `cbor:"1,keyasint,omitempty"`
	Slots []booking.TransferTold `cbor:"2,keyasint,omitempty"`
}

// HearPlacesAnswer is the answer to HearPlaces: places that were given to the other side.
type HearPlacesAnswer struct {
	Given uint32 `cbor:"1,keyasint,omitempty"`
}

// CommandKind names the command in logs and in forwarding.
func (CommitIntake) CommandKind() string  { return "intake.commit" }
func (MeasureIntake) CommandKind() string { return "intake.measure" }
func (HearPlaces) CommandKind() string    { return "intake.hear" }

// Keys names what both sides have committed.
func (c CommitIntake) Keys(k *Keys) { k.levels(c.Site) }

// Keys names what both sides have committed.
func (c MeasureIntake) Keys(k *Keys) { k.levels(c.Site) }

// Keys names the sites and the slots.
func (c HearPlaces) Keys(k *Keys) {
	for _, s := range c.Sites {
		k.levels(s.Site)
	}
	for _, s := range c.Slots {
		k.Slots = append(k.Slots, s.Slot)
	}
}

func (tx *Tx) intake() intake.Desk {
	return intake.Desk{State: tx.Intake, Law: tx.Law, Side: tx.Side, Now: tx.Now}
}

// Run commits, and says what slots were sold above that.
func (c CommitIntake) Run(tx *Tx) (any, error) {
	if err := tx.whole(); err != nil {
		return nil, err
	}
	if _, err := tx.acting(c.Officer, c.Site, mayCommit); err != nil {
		return nil, err
	}
	e, ok := tx.Law.EditionFor(c.Site, tx.Now)
	if ok {
		_, ok = e.SiteNumbered(c.Site)
	}
	if !ok {
		return nil, problem.New(problem.NotFound, "site.unknown")
	}
	w := intake.Wish{Site: c.Site, Drop: c.Drop, Officer: string(c.Officer), Today: tx.today(c.Site)}
	for _, l := range c.Set {
		if _, ok := e.ClassNumbered(l.Class); !ok {
			return nil, problem.Field("class", "intake.class")
		}
		if l.Percent > 0 {
			if l.Resource != intake.Gate {
				return nil, problem.Field("percent", "intake.percent") // nothing else is measured
			}
			l.PerHour = 0
			if n := MeasuredPerHour(tx.State, tx.Law, tx.Side, c.Site, tx.Now); n > 0 {
				l.PerHour = intake.Rate(n, l.Percent)
			}
		}
		w.Set = append(w.Set, l)
	}
	facts, err := tx.intake().DecideCommit(w)
	if err != nil {
		return nil, err
	}
	tx.record(facts)
	return tx.committed(c.Site), nil
}

// Run reckons the rules anew.
func (c MeasureIntake) Run(tx *Tx) (any, error) {
	if err := tx.whole(); err != nil {
		return nil, err
	}
	facts, err := tx.intake().DecideMeasured(c.Site, MeasuredPerHour(tx.State, tx.Law, tx.Side, c.Site, tx.Now))
	if err != nil {
		return nil, err
	}
	tx.record(facts)
	return tx.committed(c.Site), nil
}

// committed opens the slots of a site with what is left of them now, and answers.
func (tx *Tx) committed(site uint16) IntakeAnswer {
	s, _ := tx.Intake.Standings.Get(intake.Key{Site: site, Side: tx.Side})
	return IntakeAnswer{Serial: s.Serial, Lines: s.Lines, Excess: tx.reopened(site)}
}

// reopened opens the slots of a site that were sold of with what is left of them now, and
// gives what is more to those who wait. It returns by how many places they are sold above it.
func (tx *Tx) reopened(site uint16) (excess uint32) {
	e, ok := tx.Law.EditionFor(site, tx.Now)
	if !ok {
		return 0
	}
	x, ok := e.SiteNumbered(site)
	if !ok {
		return 0
	}
	today := tx.today(site)
	for day := today; day <= today+ahead(tx.Law, tx.Side, x.ID, tx.Now); day++ {
		for _, c := range e.Classes {
			for _, p := range tx.Law.Slots(site, day, c.Number) {
				id := booking.MakeSlotID(p.Site, p.Class, p.Day, p.Minute)
				if _, ok := tx.Booking.Slots.Get(id); !ok || !tx.Now.Before(p.Until) {
					continue
				}
				tx.record(tx.booking().DecideOpen(id))
				tx.returned(id)
				row, _ := tx.Booking.Slots.Get(id)
				excess += row.Excess
			}
		}
	}
	return excess
}

func (tx *Tx) today(site uint16) uint16 {
	zone := time.UTC
	if id, ok := tx.siteID(site); ok {
		zone = tx.Law.Zone(id)
	}
	return rules.DayNumber(calendar.On(tx.Now, zone))
}

// MeasuredPerHour is how many people an hour this side's gate at a site was measured to
// take, 0 where that is not known.
func MeasuredPerHour(st State, law *Law, side agreement.Side, site uint16, now time.Time) uint32 {
	g, ok := GateServiceOf(st, law, side, site, now)
	if !ok || !g.Measured || g.Millis <= 0 {
		return 0
	}
	return uint32(min(int64(g.Servers)*time.Hour.Milliseconds()/g.Millis, intake.MaxPlaces))
}

// Measurable returns the sites whose rules come to something else by now.
func Measurable(st State, law *Law, side agreement.Side, now time.Time) (sites []uint16) {
	d := intake.Desk{State: st.Intake, Law: law, Side: side, Now: now}
	for _, s := range law.Sites(now) {
		if x, ok := st.Intake.Standings.Get(intake.Key{Site: s.Number, Side: side}); ok && x.Ruled() {
			if facts, err := d.DecideMeasured(s.Number, MeasuredPerHour(st, law, side, s.Number, now)); err == nil && len(facts) > 0 {
				sites = append(sites, s.Number)
			}
		}
	}
	return sites
}

// mostPlaces is how many slots one message tells of.
const mostPlaces = 20_000

// Run takes over what is new, and gives what is asked for.
func (c HearPlaces) Run(tx *Tx) (any, error) {
	if err := tx.whole(); err != nil {
		return nil, err
	}
	if len(c.Sites) > mostSites || len(c.Slots) > mostPlaces {
		return nil, problem.New(problem.Limit, "intake.sites")
	}
	for _, t := range c.Sites {
		facts, err := tx.intake().DecideHeard(t)
		if err != nil {
			return nil, err
		}
		tx.record(facts)
		if len(facts) > 0 {
			tx.reopened(t.Site)
		}
	}
	var a HearPlacesAnswer
	for _, t := range c.Slots {
		facts, err := tx.booking().DecideTold(t)
		if err != nil {
			return nil, err
		}
		tx.record(facts)
		a.Given += tx.transferred(t.Slot)
	}
	return a, nil
}

// transferred opens a slot with what came, gives it to those who wait, and gives away what
// the other side asks for and is free.
func (tx *Tx) transferred(id booking.SlotID) (given uint32) {
	tx.record(tx.booking().DecideOpen(id))
	tx.returned(id)
	for _, f := range tx.booking().DecideGive(id) {
		given += f.(*booking.PlacesGiven).Places
		tx.Record(f)
		tx.record(tx.booking().DecideOpen(id))
	}
	tx.record(tx.booking().DecideAsk(id, 0))
	return given
}

// PlacesFor returns what a side says to the other of commitments and places that move.
func PlacesFor(st State, law *Law, side agreement.Side, now time.Time) (sites []intake.Told, slots []booking.TransferTold) {
	d := intake.Desk{State: st.Intake, Law: law, Side: side, Now: now}
	for _, s := range law.Sites(now) {
		if t := d.Tell(s.Number); t.Serial > 0 || t.Heard > 0 {
			sites = append(sites, t)
		}
		day := rules.DayNumber(calendar.On(now, law.Zone(s.ID)))
		slots = append(slots, st.Booking.Tell(s.Number, day-min(day, 1))...)
	}
	return sites, slots
}

// NewsOf is what is new of what the other side says; an error where it cannot be meant.
func NewsOf(st State, law *Law, side agreement.Side, now time.Time, sites []intake.Told, slots []booking.TransferTold) (c HearPlaces, err error) {
	known := map[uint16]bool{}
	for _, s := range law.Sites(now) {
		known[s.Number] = true
	}
	d := intake.Desk{State: st.Intake, Law: law, Side: side, Now: now}
	for _, t := range sites {
		if !known[t.Site] {
			continue // of an edition that is not in force here yet
		}
		facts, err := d.DecideHeard(t)
		if err != nil {
			return c, err
		}
		if len(facts) > 0 {
			c.Sites = append(c.Sites, t)
		}
	}
	b := booking.Desk{State: st.Booking, Levels: st.Levels, Intake: st.Intake, Closures: st.Closures, Law: law, Side: side, Now: now}
	for _, t := range slots {
		if !known[t.Slot.Site()] {
			continue
		}
		facts, err := b.DecideTold(t)
		if err != nil {
			return c, err
		}
		if len(facts) > 0 {
			c.Slots = append(c.Slots, t)
		}
	}
	return c, nil
}

// SharesOf says what of a slot is left to a side, and why.
func SharesOf(st State, law *Law, side agreement.Side, p rules.SlotPlan, now time.Time) intake.Bound {
	return booking.Desk{State: st.Booking, Levels: st.Levels, Intake: st.Intake, Closures: st.Closures, Law: law, Side: side, Now: now}.SharesOf(p)
}

// CommittedOf returns what a side has committed at a site, as far as it was heard.
func CommittedOf(st State, site uint16, side agreement.Side) intake.Standing {
	s, _ := st.Intake.Standings.Get(intake.Key{Site: site, Side: side})
	return s
}
