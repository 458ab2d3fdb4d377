// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package booking

import (
	"cmp"
	"slices"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/closure"
	"darwaza.dev/internal/reason"
	"darwaza.dev/internal/rules"
)

// Nothing is cancelled by a closure (docs/decisions/0030). A booking whose slot was closed
// stands: it is no no-show, it is given back or moved though its slot is over, and under a
// plan of reopening it goes before everybody who books anew, in the order of the slots that
// were closed.

// stands is for how long after a closure has ended, or after the last day of the plan that
// ended it, a booking that it closed can still be moved.
const stands = 60 // days

// shutAt returns what closes a place at its beginning, or before it is over.
func (d Desk) shutAt(p place) (closure.Shut, bool) {
	if d.Closures.Standings == nil || p.site == "" {
		return closure.Shut{}, false
	}
	s, ok := d.Closures.Closed(p.id.Site(), p.class, in, p.at, d.Law.Zone(p.site))
	if !ok && p.planned {
		s, ok = d.Closures.Closed(p.id.Site(), p.class, in, p.plan.Until.Add(-time.Minute), d.Law.Zone(p.site))
	}
	return s, ok
}

// in is the direction of a booking.
const in = "in"

// Shut says why nobody can come in with a slot, by what the sides have
// closed; false where nothing closes it.
func (d Desk) Shut(id SlotID) (reason.Reason, bool) {
	p, err := d.place(id)
	if err != nil {
		return reason.Reason{}, false
	}
	s, ok := d.shutAt(p)
	if !ok {
		return reason.Reason{}, false
	}
	return s.Reason(), true
}

// Kept says why a slot is for nobody who books anew, because its places are for those who
// have waited since a closure. On its own day what they have left is for everybody.
func (d Desk) Kept(id SlotID) (reason.Reason, bool) {
	p, err := d.place(id)
	if err != nil {
		return reason.Reason{}, false
	}
	return d.kept(p)
}

func (d Desk) kept(p place) (reason.Reason, bool) {
	if d.Closures.Standings == nil || p.site == "" {
		return reason.Reason{}, false
	}
	day := rules.DayDate(p.id.Day())
	until, plan, ok := d.Closures.Kept(p.id.Site(), p.class, in, day)
	if !ok || !day.After(calendar.On(d.Now, d.Law.Zone(p.site))) {
		return reason.Reason{}, false
	}
	return reason.Reason{Code: closure.CodeOrder, Outcome: reason.Closed, Params: map[string]string{"plan": plan.Name.String(), "until": until.String()}}, true
}

// staged returns what of the allotment of a place is left under a plan of reopening: the
// places of the day are shared between the two sides, and then among the slots of each, in
// proportion to what the edition gives each, and never come to more.
func (d Desk) staged(p place, allotment uint32) uint32 {
	if d.Closures.Standings == nil || !p.planned {
		return allotment
	}
	day := rules.DayDate(p.id.Day())
	plan, ok := d.Closures.PlanOn(p.id.Site(), p.class, in, day)
	if !ok {
		return allotment
	}
	stage, _ := plan.Is.On(day)
	if !stage.Open(day) {
		return 0
	}
	e, ok := d.Law.EditionFor(p.id.Site(), p.at)
	if !ok {
		return 0
	}
	var all, before, mine uint64
	sides := map[agreement.Side]uint64{}
	for _, c := range e.Classes {
		if !plan.Is.Covers(c.ID, in) {
			continue
		}
		for _, s := range d.Law.Slots(p.id.Site(), p.id.Day(), c.Number) {
			for _, side := range [...]agreement.Side{agreement.A, agreement.B} {
				n := uint64(s.Allotment[side])
				if c.Number == p.id.Class() && s.Minute == p.id.Minute() && side == d.Side {
					before, mine = sides[side], n
				}
				sides[side] += n
				all += n
			}
		}
	}
	if all <= uint64(stage.Places) {
		return allotment
	}
	// Side A has its part rounded down, and side B what is left.
	places := uint64(stage.Places)
	part := sides[agreement.A] * places / all
	if d.Side == agreement.B {
		part = places - part
	}
	if sides[d.Side] == 0 {
		return 0
	}
	share := func(n uint64) uint64 { return n * part / sides[d.Side] }
	return min(allotment, uint32(share(before+mine)-share(before)))
}

// Stands reports whether a booking keeps its order though its slot was closed: it can be
// given back and moved after the slot is over, and nobody's absence is held against it.
func (d Desk) Stands(b Booking) bool {
	if !b.Status.Active() {
		return false
	}
	p, err := d.place(b.Slot)
	return err == nil && d.standing(p)
}

func (d Desk) standing(p place) bool {
	s, ok := d.shutAt(p)
	if !ok || s.Act == nil {
		return false
	}
	zone := d.Law.Zone(p.site)
	today := calendar.On(d.Now, zone)
	last := today // of an act that has not ended
	if end := s.Act.Is.End(); !end.IsZero() {
		last = calendar.On(end, zone)
	}
	plans, agreed := d.Closures.Plans(p.id.Site())
	for i, x := range plans {
		if end, err := x.Is.End(); agreed[i] && err == nil && slices.Contains(x.Is.Ends, s.Act.Name) && end.On.After(last) {
			last = end.On
		}
	}
	return !today.After(last.AddDays(stands))
}

// Backlog returns the bookings of a class at a site that stand because their slots were or
// are closed, in the order of the slots and then of booking: those with a place, then those
// who waited for one.
func (d Desk) Backlog(site uint16, class uint8) []Booking {
	var out []Booking
	var first, last calendar.Date
	for _, a := range d.Closures.Acts(site) {
		e, ok := d.Law.EditionFor(site, a.Is.From)
		if !ok {
			continue
		}
		c, ok1 := e.ClassNumbered(class)
		s, ok2 := e.SiteNumbered(site)
		if !ok1 || !ok2 || !a.Is.Covers(c.ID, in) {
			continue
		}
		zone := d.Law.Zone(s.ID)
		end := d.Now.Add(mostAhead)
		if e := a.Is.End(); !e.IsZero() && e.Before(end) {
			end = e
		}
		from, to := calendar.On(a.Is.From, zone), calendar.On(end, zone)
		if first.IsZero() || from.Before(first) {
			first = from
		}
		if last.IsZero() || to.After(last) {
			last = to
		}
	}
	if first.IsZero() {
		return nil
	}
	closed := map[SlotID]bool{}
	stands := func(b Booking) bool {
		is, known := closed[b.Slot]
		if !known {
			p, err := d.place(b.Slot)
			is = err == nil && d.standing(p)
			closed[b.Slot] = is
		}
		return is && b.Status.Active()
	}
	for day := first; !day.After(last); day = day.AddDays(1) {
		k := RosterKey{Site: site, Day: rules.DayNumber(day)}
		n, _ := d.Rosters.Get(k)
		seen := map[Ref]bool{}
		for k.Pos = range n {
			ref, ok := d.Roster.Get(k)
			b, found := d.Bookings.Get(ref)
			if !ok || !found || seen[ref] || b.Slot.Site() != site || b.Slot.Day() != k.Day || b.Slot.Class() != class || !stands(b) {
				continue
			}
			seen[ref] = true
			out = append(out, b)
		}
	}
	slices.SortStableFunc(out, func(a, b Booking) int {
		return cmp.Or(cmp.Compare(a.rank(), b.rank()), cmp.Compare(a.Slot, b.Slot), a.At.Compare(b.At), cmp.Compare(a.Ref, b.Ref))
	})
	return out
}

// mostAhead is how far ahead a closed slot is looked for.
const mostAhead = 62 * 24 * time.Hour

func (b Booking) rank() int {
	if b.Status == Booked {
		return 0
	}
	return 1
}

// A Turn is the day from which a booking that stands can have a place under a plan.
type Turn struct {
	Booking Booking
	Day     uint16 // 0 where no plan says
}

// mostTurns is how many days ahead turns are reckoned.
const mostTurns = 366

// Turns returns the backlog of a class with the day of each: in order, by what is left of
// this side's places on each day of the plan that holds, from the first on which it can
// still be.
func (d Desk) Turns(site uint16, class uint8) []Turn {
	list := d.Backlog(site, class)
	turns := make([]Turn, len(list))
	for i, b := range list {
		turns[i].Booking = b
	}
	if len(list) == 0 {
		return nil
	}
	e, ok := d.Law.EditionFor(site, d.Now)
	if !ok {
		return turns
	}
	c, ok1 := e.ClassNumbered(class)
	s, ok2 := e.SiteNumbered(site)
	if !ok1 || !ok2 {
		return turns
	}
	day := calendar.On(d.Now, d.Law.Zone(s.ID))
	plans, agreed := d.Closures.Plans(site)
	first := calendar.Date{}
	for i, p := range plans {
		if agreed[i] && p.Is.Covers(c.ID, in) && (first.IsZero() || p.Is.Stages[0].From.Before(first)) {
			first = p.Is.Stages[0].From
		}
	}
	if first.IsZero() {
		return turns
	}
	if day.Before(first) {
		day = first
	}
	i, left := 0, int64(0)
	for range mostTurns {
		n := rules.DayNumber(day)
		for _, x := range d.Law.Slots(site, n, class) {
			p, err := d.place(MakeSlotID(site, class, n, x.Minute))
			if _, shut := d.shutAt(p); err != nil || shut || !d.Now.Before(x.Until) {
				continue
			}
			row, _ := d.Slots.Get(p.id)
			left += int64(p.allotment) - int64(min(p.allotment, row.Taken+row.Withheld+row.Offered))
		}
		for ; i < len(turns) && left >= int64(turns[i].Booking.Places()); i++ {
			left -= int64(turns[i].Booking.Places())
			turns[i].Day = n
		}
		if i == len(turns) {
			break
		}
		left = min(left, int64(turns[i].Booking.Places())) // a party that waits for a larger day
		day = day.AddDays(1)
	}
	return turns
}

// early says why a booking that stands cannot have a slot yet: others are before it.
func (d Desk) early(b Booking, p place) (reason.Reason, bool) {
	if _, ok := d.kept(p); !ok || p.id.Site() != b.Slot.Site() || p.id.Class() != b.Slot.Class() {
		return reason.Reason{}, false
	}
	for _, t := range d.Turns(b.Slot.Site(), b.Slot.Class()) {
		if t.Booking.Ref == b.Ref && (t.Day == 0 || p.id.Day() < t.Day) {
			r, _ := d.kept(p)
			if t.Day > 0 {
				r.Params["until"] = rules.DayDate(t.Day - 1).String()
			}
			return r, true
		}
	}
	return reason.Reason{}, false
}

// Judged is how a booking stands by what the sides have closed, and what the law says of
// it today.
type Judged struct {
	Turn
	Shut    *reason.Reason // what closes its slot now, nil where nothing does
	Over    bool           // its slot is over: it needs another place
	Outcome reason.Outcome // of the law, asked anew for the day of its turn, or for its own slot
	Reasons []reason.Reason
}

// Judge looks at every booking of a class that a closure has touched, in order: which
// passes are CLOSED now, which stand again, which need another day, and what the law asks
// of each on the day that it would cross. Certificates are not kept: the law says again
// which will have to be shown, and for when.
func (d Desk) Judge(site uint16, class uint8, vendors func(Booking, SlotID) []bool) []Judged {
	turns := d.Turns(site, class)
	out := make([]Judged, 0, len(turns))
	for _, t := range turns {
		j := Judged{Turn: t}
		p, err := d.place(t.Booking.Slot)
		if err != nil {
			continue
		}
		if s, ok := d.shutAt(p); ok && !d.ended(p, s) {
			r := s.Reason()
			j.Shut = &r
		}
		j.Over = !p.planned || !d.Now.Before(p.plan.Until)
		to := t.Booking.Slot
		if t.Day > 0 {
			for _, x := range d.Law.Slots(site, t.Day, class) {
				if q, err := d.place(MakeSlotID(site, class, t.Day, x.Minute)); err == nil && q.allotment > 0 {
					p, to = q, q.id
					break
				}
			}
		}
		v, _ := d.ask(p, t.Booking.Members, vendors(t.Booking, to), nil, nil)
		j.Outcome = v.Outcome
		for _, r := range v.Reasons {
			j.Reasons = append(j.Reasons, reason.Reason{Code: r.Code, Outcome: r.Outcome, Clause: r.Clause, Agreement: r.Agreement})
		}
		out = append(out, j)
	}
	return out
}

// ended reports whether what closed a place has ended by now.
func (d Desk) ended(p place, s closure.Shut) bool {
	if s.Act == nil || s.Act.Is.Over(d.Now) {
		return true
	}
	plan, ok := d.Closures.PlanOn(p.id.Site(), p.class, in, calendar.On(d.Now, d.Law.Zone(p.site)))
	return ok && slices.Contains(plan.Is.Ends, s.Act.Name)
}

// Allotment is what this side may sell of a slot now, at the level of protection that holds
// then and under the plan by which the site opens again.
func (d Desk) Allotment(id SlotID) uint32 {
	p, err := d.place(id)
	if err != nil || !p.planned {
		return 0
	}
	return p.allotment
}
