// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package stats

import (
	"maps"
	"slices"
	"sort"
	"time"

	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/fact"
	"darwaza.dev/internal/gate"
	"darwaza.dev/internal/market"
	"darwaza.dev/internal/reason"
)

// FiguresHeard says what the other side's server gave as its figures of a site and day.
type FiguresHeard struct {
	Site    uint16 `cbor:"1,keyasint"`
	Day     uint16 `cbor:"2,keyasint"`
	Figures Other  `cbor:"3,keyasint"`
}

// FactKind names the fact.
func (FiguresHeard) FactKind() string { return "stats.figures_heard" }

// Facts returns constructors of every fact of this package.
func Facts() []func() fact.Fact {
	return []func() fact.Fact{func() fact.Fact { return new(FiguresHeard) }}
}

// The other side's figures are asked for every few seconds, and are a hint and no
// history: they are noted no more often than this, and less often while they are the same.
const (
	whenChanged = 5 * time.Second
	whenSame    = time.Minute
	// The whole day is some kilobytes and is looked at by people.
	wholeChanged = time.Minute
	wholeSame    = 5 * time.Minute
)

// DecideHeard takes note of the other side's figures, where they are newer than those
// that are known.
func (st State) DecideHeard(site, day uint16, f Other, now time.Time) []fact.Fact {
	old, ok := st.Other.Get(Key{Site: site, Day: day})
	whole := old.WholeDue(f)
	if ok {
		wait := whenChanged
		if f.Inside == old.Inside && f.Peak == old.Peak && f.Entries == old.Entries && f.Exits == old.Exits && maps.Equal(f.Free, old.Free) && !whole {
			wait = whenSame
		}
		if !f.AsOf.After(old.AsOf) || now.Sub(old.HeardAt) < wait {
			return nil
		}
	}
	f.HeardAt, f.WholeAt = now, time.Time{}
	if !whole {
		f.Whole = nil
	}
	return []fact.Fact{&FiguresHeard{Site: site, Day: day, Figures: f}}
}

// Apply counts a fact. It reads of the other desks only what they made of the same
// fact, so it comes after them.
func Apply(st State, g gate.State, at time.Time, f fact.Fact) {
	switch f := f.(type) {
	case *booking.Made:
		var n uint32
		for _, m := range f.Members {
			n += m.Places()
		}
		st.slot(at, f.Slot, func(d *Day) { d.Booked += n })
	case *booking.Refused:
		st.slot(at, f.Slot, func(d *Day) {
			d.NotBooked++
			d.because(f.Outcome, f.Reasons)
		})
	case *booking.Queued:
		var n uint32
		for _, m := range f.Members {
			n += m.Places()
		}
		st.slot(at, f.Slot, func(d *Day) { d.Standby += n })
	case *booking.Granted:
		st.slot(at, f.Slot, func(d *Day) { d.Booked += f.Places })
	case *booking.GivenBack:
		if f.First != 0 { // it had places
			st.slot(at, f.Slot, func(d *Day) { d.Cancelled += f.Places })
		}
	case *booking.Moved:
		if f.First != 0 {
			st.slot(at, f.From, func(d *Day) { d.Cancelled += f.Places })
		}
		st.slot(at, f.To, func(d *Day) { d.Booked += f.Places })
	case *booking.Missed:
		st.day(at, f.Site, f.Day, func(d *Day) { d.NoShow += f.Places })
	case *booking.Entered:
		if f.Missed > 0 {
			st.slot(at, f.Slot, func(d *Day) { less(&d.NoShow, f.Missed) })
		}
	case *gate.Scanned:
		st.day(at, f.Site, f.Day, func(d *Day) {
			d.answered(f.Outcome, f.Reasons)
			d.because(f.Goods, f.GoodsWhy)
			for _, c := range f.Corrects {
				d.unanswered(c.Reasons)
			}
			if f.Counted() {
				d.move(f.Direction, f.Slot, f.Minute, f.People)
			}
			d.inside(g, f.Minute)
		})
	case *gate.Decided:
		st.day(at, f.Site, f.Day, func(d *Day) {
			if f.Admit {
				d.Admitted++
				d.move(f.Direction, f.Slot, f.Minute, f.People)
			} else {
				d.TurnedBack++
			}
			d.inside(g, f.Minute)
		})
	case *gate.Changed:
		st.day(at, f.Site, f.Day, func(d *Day) { d.answered(f.Outcome, f.Reasons) })
	case *gate.Undone:
		st.day(at, f.Site, f.Day, func(d *Day) {
			if f.Counted {
				d.moveBack(f.Direction, f.Slot, f.Minute, f.People)
			}
			d.inside(g, f.Now)
		})
	case *gate.Settled:
		st.day(at, f.Site, f.Day, func(d *Day) { d.inside(g, f.Minute) })
	case *market.Bought:
		p := f.Purchase
		st.day(at, p.Site, f.Key.Day, func(d *Day) {
			d.Purchases++
			if p.Outcome != reason.Allow {
				d.because(p.Outcome, f.Reasons)
			}
			d.category(p.Category, func(c *Category) {
				c.Lots++
				c.Value += p.Value
				if p.Regime == market.Statutory {
					c.Diverted++
				}
				if p.DutyKnown {
					c.Duty += p.Duty
				} else {
					c.DutyUnknown++
				}
			})
		})
	case *market.Turned:
		st.day(at, f.Site, f.Day, func(d *Day) {
			d.because(f.Outcome, f.Reasons)
			if f.Outcome == reason.Refuse || f.Outcome == reason.Closed {
				d.category(f.Category, func(c *Category) { c.Refused++ })
			}
		})
	case *market.TakenBack:
		st.day(at, f.Site, f.Key.Day, func(d *Day) {
			d.Voided++
			d.category(f.Category, func(c *Category) {
				less(&c.Lots, 1)
				c.Value -= f.Value
				if f.Diverted {
					less(&c.Diverted, 1)
				}
				if f.DutyKnown {
					c.Duty -= f.Duty
				} else {
					less(&c.DutyUnknown, 1)
				}
			})
		})
	case *FiguresHeard:
		k, o := Key{Site: f.Site, Day: f.Day}, f.Figures
		if o.Whole != nil {
			o.WholeAt = o.AsOf
		} else { // what was told of the whole day before still stands
			old, _ := st.Other.Get(k)
			o.Whole, o.WholeAt = old.Whole, old.WholeAt
		}
		st.Other.Put(k, o)
	}
}

func (st State) slot(at time.Time, s booking.SlotID, change func(*Day)) {
	st.day(at, s.Site(), s.Day(), change)
}

func (st State) day(at time.Time, site, day uint16, change func(*Day)) {
	k := Key{Site: site, Day: day}
	d, _ := st.Days.Get(k)
	d.Site, d.Day = site, day
	change(&d)
	if at.After(d.UpdatedAt) {
		d.UpdatedAt = at
	}
	st.Days.Put(k, d)
}

func less(n *uint32, by uint32) { *n -= min(*n, by) }

func bucket(minute uint16) int { return min(int(minute)/15, Buckets-1) }

// buckets returns a copy that can be written into.
func buckets(b []uint32) []uint32 {
	if len(b) != Buckets {
		return make([]uint32, Buckets)
	}
	return slices.Clone(b)
}

// move counts people who came or went.
func (d *Day) move(dir gate.Direction, slot uint64, minute uint16, people uint32) {
	if dir == gate.Out {
		d.Departures = buckets(d.Departures)
		d.Departures[bucket(minute)] += people
		return
	}
	d.Arrivals = buckets(d.Arrivals)
	d.Arrivals[bucket(minute)] += people
	if slot != 0 {
		d.Lateness[lateness(slot, minute)] += people
	}
}

func (d *Day) moveBack(dir gate.Direction, slot uint64, minute uint16, people uint32) {
	if dir == gate.Out {
		d.Departures = buckets(d.Departures)
		less(&d.Departures[bucket(minute)], people)
		return
	}
	d.Arrivals = buckets(d.Arrivals)
	less(&d.Arrivals[bucket(minute)], people)
	if slot != 0 {
		less(&d.Lateness[lateness(slot, minute)], people)
	}
}

// lateness returns the class of minutes after a slot began.
func lateness(slot uint64, minute uint16) int {
	switch late := int(minute) - int(booking.SlotID(slot).Minute()); {
	case late < 0:
		return 0
	case late < 15:
		return 1
	case late < 30:
		return 2
	case late < 60:
		return 3
	}
	return 4
}

// inside notes how many are inside at the end of the present quarter of an hour, and
// carries the last figure over quarters in which nothing happened.
func (d *Day) inside(g gate.State, minute uint16) {
	row, _ := g.Days.Get(gate.SiteDayKey{Site: d.Site, Day: d.Day})
	fresh := len(d.Inside) != Buckets
	d.Inside = buckets(d.Inside)
	b := bucket(minute)
	if !fresh {
		for i := int(d.Quarter) + 1; i < b; i++ {
			d.Inside[i] = d.Inside[d.Quarter]
		}
	}
	d.Inside[b] = row.Inside
	if fresh || b > int(d.Quarter) {
		d.Quarter = uint8(b)
	}
}

// answered counts an answer of the gate.
func (d *Day) answered(o reason.Outcome, rs []reason.Reason) {
	d.Outcomes = maps.Clone(d.Outcomes)
	if d.Outcomes == nil {
		d.Outcomes = map[reason.Outcome]uint32{}
	}
	d.Outcomes[o]++
	d.because(o, rs)
}

// unanswered takes back a refusal at the gate that was put right.
func (d *Day) unanswered(rs []reason.Reason) {
	d.Outcomes = maps.Clone(d.Outcomes)
	if n := d.Outcomes[reason.Refuse]; n > 1 {
		d.Outcomes[reason.Refuse] = n - 1
	} else {
		delete(d.Outcomes, reason.Refuse)
	}
	d.Reasons = slices.Clone(d.Reasons)
	for _, r := range rs {
		i := slices.IndexFunc(d.Reasons, func(c ReasonCount) bool { return c.ReasonKey == ReasonKey{r.Code, r.Clause} })
		switch {
		case r.Outcome == reason.Allow || i < 0:
		case d.Reasons[i].Count > 1:
			d.Reasons[i].Count--
		default:
			d.Reasons = slices.Delete(d.Reasons, i, i+1)
		}
	}
	if len(d.Reasons) == 0 {
		d.Reasons = nil // as it is read from a store
	}
}

// because counts the reasons of a verdict that was not ALLOW, sorted by code and clause.
func (d *Day) because(o reason.Outcome, rs []reason.Reason) {
	if o == reason.Allow || len(rs) == 0 {
		return
	}
	d.Reasons = slices.Clone(d.Reasons)
	for _, r := range rs {
		if r.Outcome == reason.Allow {
			continue
		}
		k := ReasonKey{r.Code, r.Clause}
		i := sort.Search(len(d.Reasons), func(i int) bool {
			o := d.Reasons[i].ReasonKey
			return o.Code > k.Code || o.Code == k.Code && o.Clause >= k.Clause
		})
		if i == len(d.Reasons) || d.Reasons[i].ReasonKey != k {
			d.Reasons = slices.Insert(d.Reasons, i, ReasonCount{ReasonKey: k})
		}
		d.Reasons[i].Count++
	}
}

func (d *Day) category(name string, change func(*Category)) {
	d.Categories = maps.Clone(d.Categories)
	if d.Categories == nil {
		d.Categories = map[string]Category{}
	}
	c := d.Categories[name]
	change(&c)
	d.Categories[name] = c
}
