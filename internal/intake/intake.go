// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

// Package intake keeps what each side has committed to take in at a site, and works out
// what is left of a slot for each side. Both sides commit for their own gate, health desk,
// yard and staff; a slot has as many places as the least of all these and of the edition.
//
// A side that has lowered what it takes gives up its own places first, until the other
// side says that it has heard: so the two allotments add up to no more than the capacity,
// as far as the places of the side that lowers suffice (docs/decisions/0026).
package intake

import (
	"cmp"
	"slices"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/fact"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/rules"
	"darwaza.dev/internal/table"
)

// Resource is what a side takes people in with.
type Resource uint8

// The resources of a side.
const (
	Gate Resource = iota + 1
	Health
	Yard
	Staff
)

// Resources are all resources, with their words: texts are under "intake.resource.<word>".
var Resources = [...]string{Gate - 1: "gate", Health - 1: "health", Yard - 1: "yard", Staff - 1: "staff"}

// String returns the word of a resource.
func (r Resource) String() string {
	if r < Gate || r > Staff {
		return ""
	}
	return Resources[r-1]
}

// ParseResource returns the resource of a word.
func ParseResource(word string) (Resource, bool) {
	n := slices.Index(Resources[:], word)
	return Resource(n + 1), n >= 0
}

// A Line is what one resource takes of the slots of a class that begin in a span of the day.
// It is one of three things: a weekly plan, with Places; a change by hand for one day, with
// Day and Places; or a rule on measured intake, with Percent.
type Line struct {
	Resource Resource `cbor:"1,keyasint"`
	Class    uint8    `cbor:"2,keyasint"`
	// Weekday is 1 for Monday to 7 for Sunday, 0 for every day; Day is days since 2000-01-01
	// where the line is for that day alone.
	Weekday uint8  `cbor:"3,keyasint,omitempty"`
	Day     uint16 `cbor:"4,keyasint,omitempty"`
	// From and To are minutes of the day: slots that begin at From or later and before To.
	From uint16 `cbor:"5,keyasint,omitempty"`
	To   uint16 `cbor:"6,keyasint"`
	// Places are those of one slot, both sides together, as the edition's capacity counts.
	Places uint32 `cbor:"7,keyasint,omitempty"`
	// Percent of what the gate was measured to take is committed, 1 to 400; PerHour is
	// what that comes to, in people an hour, 0 where nothing was measured yet.
	Percent uint16 `cbor:"8,keyasint,omitempty"`
	PerHour uint32 `cbor:"9,keyasint,omitempty"`
}

// same reports whether two lines speak of the same slots.
func (l Line) same(o Line) bool {
	return l.Resource == o.Resource && l.Class == o.Class && l.Weekday == o.Weekday && l.Day == o.Day && l.From == o.From && l.To == o.To && (l.Percent > 0) == (o.Percent > 0)
}

func (l Line) matches(s Slot) bool {
	return l.Class == s.Class && l.From <= s.Minute && s.Minute < l.To && (l.Day == s.Day || l.Day == 0 && (l.Weekday == 0 || l.Weekday == s.Weekday))
}

// places is what the line leaves of a slot; false where nothing was measured yet.
func (l Line) places(s Slot) (uint32, bool) {
	if l.Percent == 0 {
		return l.Places, true
	}
	return uint32(uint64(l.PerHour) * uint64(s.Minutes) / 60), l.PerHour > 0
}

// The bounds of a line and of what stands.
const (
	MaxPlaces  = 100_000
	MaxPercent = 400
	MaxLines   = 200
	// maxBefore is how many earlier standings are kept; where more wait to be heard, the
	// other side may believe any of them.
	maxBefore = 8
)

func (l Line) check() error {
	switch {
	case l.Resource < Gate || l.Resource > Staff:
		return problem.Field("resource", "intake.resource")
	case l.Class == 0:
		return problem.Field("class", "intake.class")
	case l.Weekday > 7 || l.Weekday > 0 && l.Day > 0:
		return problem.Field("weekday", "intake.weekday")
	case l.From >= l.To || l.To > 24*60:
		return problem.Field("from", "intake.span")
	case l.Places > MaxPlaces || l.PerHour > MaxPlaces:
		return problem.Field("places", "intake.places")
	case l.Percent > MaxPercent || l.Percent > 0 && (l.Places > 0 || l.Day > 0) || l.Percent == 0 && l.PerHour > 0:
		return problem.Field("percent", "intake.percent")
	}
	return nil
}

// Key names what one side has committed at a site.
type Key struct {
	Site uint16
	Side agreement.Side
}

// Past is what stood before and the other side may still go by.
type Past struct {
	Serial uint64 `cbor:"1,keyasint"`
	Lines  []Line `cbor:"2,keyasint,omitempty"`
}

// Standing is what a side has committed at a site. Acked, Before and Wide are kept of this
// side's own alone.
type Standing struct {
	Serial uint64 `cbor:"1,keyasint,omitempty"` // counts the changes; 0 before the first one
	Lines  []Line `cbor:"2,keyasint,omitempty"`
	// Acked is the serial of the last change that the other side is known to go by.
	Acked uint64 `cbor:"3,keyasint,omitempty"`
	// Before are standings from Acked on that were replaced, oldest first.
	Before []Past `cbor:"4,keyasint,omitempty"`
	// Wide says that more may have been said than is kept: the other side may go by as much
	// as the edition allows, until it has heard of Serial.
	Wide bool      `cbor:"5,keyasint,omitempty"`
	At   time.Time `cbor:"6,keyasint"` // of the change, by the clock of the server that keeps the row
	By   string    `cbor:"7,keyasint,omitempty"`
}

// Ruled reports whether a line is a rule on measured intake.
func (s Standing) Ruled() bool {
	return slices.ContainsFunc(s.Lines, func(l Line) bool { return l.Percent > 0 })
}

// Slot is what is asked about.
type Slot struct {
	Site, Day       uint16
	Class, Weekday  uint8
	Minute, Minutes uint16 // beginning, and length
	Capacity        uint32 // of the edition, both sides together
	Shares          map[agreement.Side]uint32
}

// SlotOf is a slot as an edition plans it.
func SlotOf(p rules.SlotPlan) Slot {
	day := uint8(rules.DayDate(p.Day).Weekday())
	if day == 0 {
		day = 7
	}
	return Slot{Site: p.Site, Day: p.Day, Class: p.Class, Weekday: day, Minute: p.Minute, Minutes: uint16(p.Until.Sub(p.From) / time.Minute), Capacity: p.Capacity, Shares: p.Allotment}
}

// share is what is a side's of a capacity of c, rounded down.
func (s Slot) share(side agreement.Side, c uint32) uint32 {
	if s.Capacity == 0 {
		return 0
	}
	return uint32(uint64(s.Shares[side]) * uint64(min(c, s.Capacity)) / uint64(s.Capacity))
}

// least is the least that lines leave of a slot, and the resource that it is; none is 0.
func least(lines []Line, s Slot) (uint32, Resource) {
	n, by := s.Capacity, Resource(0)
	for r := Gate; r <= Staff; r++ {
		hand, plan := uint32(0), uint32(0)
		byHand, planned := false, false
		for _, l := range lines {
			if l.Resource != r || !l.matches(s) {
				continue
			}
			x, ok := l.places(s)
			switch {
			case !ok:
			case l.Day > 0 && (!byHand || x < hand):
				hand, byHand = x, true
			case l.Day == 0 && (!planned || x < plan):
				plan, planned = x, true
			}
		}
		if byHand { // what was said for the day stands for what is planned
			plan, planned = hand, true
		}
		if planned && plan < n {
			n, by = plan, r
		}
	}
	return n, by
}

// State is what is known of commitments.
type State struct {
	Standings table.Table[Key, Standing]
}

// Bound is what is left of a slot.
type Bound struct {
	Edition  uint32 // capacity by the edition
	Capacity uint32 // the least of that and of both sides' commitments, as far as they were heard
	// Side and Resource say whose commitment is the least; empty where it is the edition.
	Side     agreement.Side
	Resource Resource
	// Own are this side's places of Capacity by the edition's split, Theirs the other's.
	Own, Theirs uint32
	// Allotment is what this side may sell: Own, with what was given and got, and without
	// what the other side may sell until it has heard of a change.
	Allotment uint32
	// Unheard says that the other side is not known to have heard of this side's last change.
	Unheard bool
}

// Bound works out what this side may sell of a slot. scale takes away from a side's places,
// as a level of protection does; net is how many places this side has given away more than
// it has got.
func (st State) Bound(side agreement.Side, s Slot, scale func(agreement.Side, uint32) uint32, net int64) Bound {
	own, _ := st.Standings.Get(Key{s.Site, side})
	their, _ := st.Standings.Get(Key{s.Site, side.Other()})
	b := Bound{Edition: s.Capacity}
	mine, byMine := least(own.Lines, s)
	theirs, byTheirs := least(their.Lines, s)
	switch b.Capacity = min(mine, theirs); {
	case byMine > 0 && mine <= theirs:
		b.Side, b.Resource = side, byMine
	case byTheirs > 0 && theirs == b.Capacity:
		b.Side, b.Resource = side.Other(), byTheirs
	}
	b.Own, b.Theirs = s.share(side, b.Capacity), s.share(side.Other(), b.Capacity)
	if scale != nil {
		b.Own, b.Theirs = scale(side, b.Own), scale(side.Other(), b.Theirs)
	}
	whole := int64(b.Own) + int64(b.Theirs)
	n := min(max(int64(b.Own)-net, 0), whole)
	if b.Unheard = own.Acked < own.Serial; b.Unheard {
		most := mine // that the other side may believe
		if own.Wide {
			most = s.Capacity
		}
		for _, p := range own.Before {
			x, _ := least(p.Lines, s)
			most = max(most, x)
		}
		held := min(max(int64(s.share(side.Other(), most))+net, 0), int64(most))
		n = min(n, int64(mine)-held)
	}
	b.Allotment = uint32(max(n, 0))
	return b
}

// Desk is what a decision looks at.
type Desk struct {
	State
	Law  *rules.Law
	Side agreement.Side
	Now  time.Time
}

// Wish is an officer's wish to commit at a site: lines to add or change, and lines to take
// out, of which places and rates are not looked at.
type Wish struct {
	Site    uint16
	Set     []Line
	Drop    []Line
	Officer string
	Today   uint16 // lines of earlier days are dropped
}

// DecideCommit records what a side commits at a site.
func (d Desk) DecideCommit(w Wish) ([]fact.Fact, error) {
	if w.Officer == "" {
		return nil, problem.Field("officer", "intake.officer")
	}
	old, _ := d.Standings.Get(Key{w.Site, d.Side})
	lines := slices.Clone(old.Lines)
	for _, l := range w.Drop {
		lines = slices.DeleteFunc(lines, l.same)
	}
	for _, l := range w.Set {
		if err := l.check(); err != nil {
			return nil, err
		}
		lines = append(slices.DeleteFunc(lines, l.same), l)
	}
	lines = slices.DeleteFunc(lines, func(l Line) bool { return l.Day > 0 && l.Day < w.Today })
	return d.set(w.Site, old, lines, w.Officer)
}

// DecideMeasured sets what rules come to by what the gate was measured to take, in people an
// hour; 0 is not known, and changes nothing.
func (d Desk) DecideMeasured(site uint16, perHour uint32) ([]fact.Fact, error) {
	old, _ := d.Standings.Get(Key{site, d.Side})
	lines := slices.Clone(old.Lines)
	for i, l := range lines {
		if l.Percent > 0 && perHour > 0 {
			lines[i].PerHour = Rate(perHour, l.Percent)
		}
	}
	return d.set(site, old, lines, old.By)
}

// Rate is a percentage of people an hour, at least 1.
func Rate(perHour uint32, percent uint16) uint32 {
	return uint32(min(max(uint64(perHour)*uint64(percent)/100, 1), MaxPlaces))
}

func (d Desk) set(site uint16, old Standing, lines []Line, by string) ([]fact.Fact, error) {
	sortLines(lines)
	if len(lines) > MaxLines {
		return nil, problem.New(problem.Conflict, "intake.many")
	}
	if slices.Equal(lines, old.Lines) {
		return nil, nil
	}
	if len(lines) == 0 {
		lines = nil
	}
	return []fact.Fact{&Committed{Site: site, Side: string(d.Side), Serial: old.Serial + 1, Lines: lines, Officer: by}}, nil
}

func sortLines(lines []Line) {
	slices.SortFunc(lines, func(a, b Line) int {
		return cmp.Or(cmp.Compare(a.Day, b.Day), cmp.Compare(a.Weekday, b.Weekday), cmp.Compare(a.Class, b.Class), cmp.Compare(a.From, b.From),
			cmp.Compare(a.To, b.To), cmp.Compare(a.Resource, b.Resource), cmp.Compare(a.Percent, b.Percent), cmp.Compare(a.Places, b.Places), cmp.Compare(a.PerHour, b.PerHour))
	})
}

// Told is what a side says of itself to the other: its commitments, and up to which change
// of the other's it goes by.
type Told struct {
	Site   uint16 `cbor:"1,keyasint"`
	Serial uint64 `cbor:"2,keyasint,omitempty"`
	Lines  []Line `cbor:"3,keyasint,omitempty"`
	Heard  uint64 `cbor:"4,keyasint,omitempty"`
}

// Tell returns what this side says to the other of a site.
func (d Desk) Tell(site uint16) Told {
	own, _ := d.Standings.Get(Key{site, d.Side})
	their, _ := d.Standings.Get(Key{site, d.Side.Other()})
	return Told{Site: site, Serial: own.Serial, Lines: own.Lines, Heard: their.Serial}
}

// DecideHeard takes over what the other side says of a site. What it said earlier than what
// is known, as a message that was late, changes nothing.
func (d Desk) DecideHeard(t Told) ([]fact.Fact, error) {
	if len(t.Lines) > MaxLines {
		return nil, problem.New(problem.Limit, "intake.many")
	}
	for _, l := range t.Lines {
		if l.check() != nil {
			return nil, problem.Field("lines", "intake.heard")
		}
	}
	own, _ := d.Standings.Get(Key{t.Site, d.Side})
	their, _ := d.Standings.Get(Key{t.Site, d.Side.Other()})
	lines := slices.Clone(t.Lines)
	sortLines(lines)
	var facts []fact.Fact
	if t.Heard > own.Serial {
		// This side has said more than it remembers: a copy was restored. What it says next
		// must be newer than anything that the other side has heard.
		facts = append(facts, &Committed{Site: t.Site, Side: string(d.Side), Serial: t.Heard + 1, Lines: own.Lines, Officer: own.By})
	}
	if t.Serial > their.Serial || t.Heard > own.Acked && t.Heard <= own.Serial {
		f := &CommitmentHeard{Site: t.Site, Side: string(d.Side.Other()), Serial: their.Serial, Lines: their.Lines}
		if t.Serial > their.Serial {
			f.Serial, f.Lines = t.Serial, lines
		}
		if t.Heard <= own.Serial {
			f.Acked = max(t.Heard, own.Acked)
		}
		facts = append(facts, f)
	}
	return facts, nil
}
