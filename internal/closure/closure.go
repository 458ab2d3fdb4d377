// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

// Package closure keeps what closes a site beside the law, and how it opens again. Each
// side closes by acts of its own, which name the clause of the edition that allows them,
// and lifts its own alone. An act closes and does nothing else: what was booked stays
// booked, in its order. A site opens again by the lifting of what closed it, or by a plan
// that one side proposes and the other accepts, with so many places on so many days.
package closure

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strconv"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/planning"
	"darwaza.dev/internal/reason"
	"darwaza.dev/internal/table"
)

// Key names what one side has done at a site.
type Key struct {
	Site uint16
	Side agreement.Side
}

// Causes are what an act is for, as words: the texts are under "closure.cause.<word>".
// There is no free text in an act: it would be in the record.
var Causes = [...]string{"health", "security", "weather", "works", "holiday", "other"}

// An Act closes a site for classes and a direction from a time on.
type Act struct {
	Number    uint32    `cbor:"1,keyasint"`           // of the side at the site, from 1
	Classes   []string  `cbor:"2,keyasint,omitempty"` // sorted; every class where there is none
	Direction string    `cbor:"3,keyasint,omitempty"` // "in" or "out"; both where empty
	From      time.Time `cbor:"4,keyasint"`
	Until     time.Time `cbor:"5,keyasint"` // when it ends by itself, zero where it does not
	Clause    string    `cbor:"6,keyasint"` // that allows it
	Agreement string    `cbor:"7,keyasint"` // of the clause
	Cause     string    `cbor:"8,keyasint"` // one of Causes
	Said      time.Time `cbor:"9,keyasint"`
	// Officer is the id of who closed at this side's server, empty for the other side's.
	Officer string    `cbor:"10,keyasint,omitempty"`
	Lifted  time.Time `cbor:"11,keyasint"` // zero while nobody has lifted it
	// Most is how long an act by the clause lasts at most, zero where it does not lapse.
	Most time.Duration `cbor:"12,keyasint,omitempty"`
}

// Emergency reports whether the act lapses by itself because its clause says so.
func (a Act) Emergency() bool { return a.Most > 0 }

// End is when the act has ended or will end, zero where nobody knows.
func (a Act) End() time.Time {
	if !a.Lifted.IsZero() && (a.Until.IsZero() || a.Lifted.Before(a.Until)) {
		return a.Lifted
	}
	return a.Until
}

// Over reports whether the act has ended by a time.
func (a Act) Over(t time.Time) bool { end := a.End(); return !end.IsZero() && !t.Before(end) }

// Holds reports whether the act closes at a time.
func (a Act) Holds(t time.Time) bool { return !t.Before(a.From) && !a.Over(t) }

// Covers reports whether the act is about a class and a direction.
func (a Act) Covers(class, direction string) bool {
	return covers(a.Classes, a.Direction, class, direction)
}

func covers(classes []string, dir, class, direction string) bool {
	return (len(classes) == 0 || slices.Contains(classes, class)) && (dir == "" || direction == "" || dir == direction)
}

// A Name names an act or a plan: whose, and its number there.
type Name struct {
	Side   agreement.Side `cbor:"1,keyasint"`
	Number uint32         `cbor:"2,keyasint"`
}

// String is the name as it is told: the side and the number, such as "A3".
func (n Name) String() string { return string(n.Side) + strconv.FormatUint(uint64(n.Number), 10) }

// A Stage is a part of a reopening, from a day until the next stage.
type Stage struct {
	From calendar.Date `cbor:"1,keyasint"`
	// Days are the weekdays that are open, 0 for Sunday; every day where there is none.
	Days []uint8 `cbor:"2,keyasint,omitempty"`
	// Places are how many may cross on an open day, both sides together; Joining how many
	// are reckoned to join those who wait on any day.
	Places  uint32 `cbor:"3,keyasint"`
	Joining uint32 `cbor:"4,keyasint,omitempty"`
}

// Open reports whether the stage is open on a day.
func (s Stage) Open(d calendar.Date) bool {
	return len(s.Days) == 0 || slices.Contains(s.Days, uint8(d.Weekday()))
}

// A Plan says how a site opens again after acts of either side.
type Plan struct {
	Number    uint32    `cbor:"1,keyasint"`           // of the side that proposes it at the site, from 1
	Classes   []string  `cbor:"2,keyasint,omitempty"` // as in an Act
	Direction string    `cbor:"3,keyasint,omitempty"`
	Ends      []Name    `cbor:"4,keyasint,omitempty"` // the acts that no longer close from the first stage on
	Stages    []Stage   `cbor:"5,keyasint"`           // by day
	Waiting   uint32    `cbor:"6,keyasint"`           // how many wait on the morning of the first stage
	Said      time.Time `cbor:"7,keyasint"`
	Officer   string    `cbor:"8,keyasint,omitempty"`
}

// Covers reports whether the plan is about a class and a direction.
func (p Plan) Covers(class, direction string) bool {
	return covers(p.Classes, p.Direction, class, direction)
}

// On returns the stage of a day; false before the first one.
func (p Plan) On(d calendar.Date) (s Stage, ok bool) {
	for _, x := range p.Stages {
		if !d.Before(x.From) {
			s, ok = x, true
		}
	}
	return s, ok
}

// End works out when all who wait have crossed: planning.Reopen.
func (p Plan) End() (planning.End, error) {
	stages := make([]planning.Stage, len(p.Stages))
	for i, s := range p.Stages {
		stages[i] = planning.Stage{From: s.From, Capacity: int64(s.Places), Demand: int64(s.Joining)}
		for _, d := range s.Days {
			stages[i].Days = append(stages[i].Days, time.Weekday(d))
		}
	}
	return planning.Reopen(int64(p.Waiting), stages)
}

// Digest is SHA-256 over all that both sides sign: everything but who proposed it and when.
func (p Plan) Digest(side agreement.Side) [32]byte {
	b := []byte("darwaza.dev/closure/plan 1\n")
	number := func(ns ...int) {
		for _, n := range ns {
			b = binary.BigEndian.AppendUint64(b, uint64(n))
		}
	}
	text := func(s string) { number(len(s)); b = append(b, s...) }
	text(string(side))
	number(int(p.Number), len(p.Classes), len(p.Ends), len(p.Stages), int(p.Waiting))
	for _, c := range p.Classes {
		text(c)
	}
	text(p.Direction)
	for _, e := range p.Ends {
		text(e.String())
	}
	for _, s := range p.Stages {
		text(s.From.String())
		number(int(s.Places), int(s.Joining), len(s.Days))
		for _, d := range s.Days {
			number(int(d))
		}
	}
	return sha256.Sum256(b)
}

// A Consent is a side's acceptance of a plan of the other one.
type Consent struct {
	Number  uint32    `cbor:"1,keyasint"`
	Digest  [32]byte  `cbor:"2,keyasint"`
	Said    time.Time `cbor:"3,keyasint"`
	Officer string    `cbor:"4,keyasint,omitempty"`
}

// Standing is what one side has done at a site: the other side is told of it as it is, but
// for its officers.
type Standing struct {
	Acts     []Act     `cbor:"1,keyasint,omitempty"`
	Plans    []Plan    `cbor:"2,keyasint,omitempty"`
	Consents []Consent `cbor:"3,keyasint,omitempty"` // to plans of the other side
}

// State is what the desk knows.
type State struct {
	Standings table.Table[Key, Standing]
}

// sides are both sides, in order.
var sides = [...]agreement.Side{agreement.A, agreement.B}

// of returns what a side has done at a site.
func (st State) of(site uint16, side agreement.Side) Standing {
	if st.Standings == nil {
		return Standing{}
	}
	s, _ := st.Standings.Get(Key{Site: site, Side: side})
	return s
}

// Named is an act or a plan with its name.
type Named[T any] struct {
	Name Name `cbor:"1,keyasint"`
	Is   T    `cbor:"2,keyasint"`
}

// Acts returns all acts at a site that are known, by beginning.
func (st State) Acts(site uint16) (out []Named[Act]) {
	for _, side := range sides {
		for _, a := range st.of(site, side).Acts {
			out = append(out, Named[Act]{Name{side, a.Number}, a})
		}
	}
	slices.SortStableFunc(out, func(a, b Named[Act]) int { return a.Is.From.Compare(b.Is.From) })
	return out
}

// Plans returns all plans at a site that are known, with whether both sides have signed
// each, by their first day.
func (st State) Plans(site uint16) (out []Named[Plan], agreed []bool) {
	for _, side := range sides {
		for _, p := range st.of(site, side).Plans {
			out = append(out, Named[Plan]{Name{side, p.Number}, p})
		}
	}
	slices.SortStableFunc(out, func(a, b Named[Plan]) int { return a.Is.Stages[0].From.Compare(b.Is.Stages[0].From) })
	for _, p := range out {
		agreed = append(agreed, st.agreed(site, p))
	}
	return out, agreed
}

func (st State) agreed(site uint16, p Named[Plan]) bool {
	d := p.Is.Digest(p.Name.Side)
	return slices.ContainsFunc(st.of(site, p.Name.Side.Other()).Consents, func(c Consent) bool {
		return c.Number == p.Name.Number && c.Digest == d
	})
}

// PlanOn returns the plan that both sides have signed and that holds on a day for a class
// and a direction: of several the one that began last.
func (st State) PlanOn(site uint16, class, direction string, d calendar.Date) (out Named[Plan], ok bool) {
	all, agreed := st.Plans(site)
	for i, p := range all {
		if _, began := p.Is.On(d); began && agreed[i] && p.Is.Covers(class, direction) {
			out, ok = p, true
		}
	}
	return out, ok
}

// A Shut is why a site is closed at a time.
type Shut struct {
	Act  *Named[Act]  // nil where it is the plan
	Plan *Named[Plan] // whose stage does not open on the day
	Next calendar.Date
}

// Closed returns what closes a site for a class and a direction at a time, in the zone of
// the site: an act of either side that no plan has ended, or a plan that is not open on the
// day. Of several acts the one that lasts longest is named.
func (st State) Closed(site uint16, class, direction string, t time.Time, zone *time.Location) (Shut, bool) {
	day := calendar.On(t, zone)
	plan, planned := st.PlanOn(site, class, direction, day)
	var act *Named[Act]
	for _, a := range st.Acts(site) {
		if !a.Is.Covers(class, direction) || !a.Is.Holds(t) || planned && slices.Contains(plan.Is.Ends, a.Name) {
			continue
		}
		if act == nil || !act.Is.End().IsZero() && (a.Is.End().IsZero() || a.Is.End().After(act.Is.End())) {
			act = &a
		}
	}
	if act != nil {
		return Shut{Act: act}, true
	}
	if planned {
		if s, _ := plan.Is.On(day); !s.Open(day) {
			next := day
			for range 366 {
				next = next.AddDays(1)
				if s, _ := plan.Is.On(next); s.Open(next) {
					break
				}
			}
			return Shut{Plan: &plan, Next: next}, true
		}
	}
	return Shut{}, false
}

// Reason is a closure as a verdict has it.
func (s Shut) Reason() reason.Reason {
	switch {
	case s.Act == nil:
		return reason.Reason{Code: CodeDay, Outcome: reason.Closed, Params: map[string]string{"plan": s.Plan.Name.String(), "next": s.Next.String()}}
	case s.Act.Is.End().IsZero():
		return reason.Reason{Code: CodeAct, Outcome: reason.Closed, Clause: s.Act.Is.Clause, Agreement: s.Act.Is.Agreement, Params: map[string]string{"act": s.Act.Name.String()}}
	}
	return reason.Reason{Code: CodeUntil, Outcome: reason.Closed, Clause: s.Act.Is.Clause, Agreement: s.Act.Is.Agreement,
		Params: map[string]string{"act": s.Act.Name.String(), "until": s.Act.Is.End().Format(time.RFC3339)}}
}

// Kept returns the last day on which the places of a plan are for those who wait alone: the
// day on which the last of them crosses. ok is false where no plan holds on the day, or all
// who wait have crossed by then.
func (st State) Kept(site uint16, class, direction string, d calendar.Date) (until calendar.Date, p Named[Plan], ok bool) {
	p, ok = st.PlanOn(site, class, direction, d)
	if !ok {
		return until, p, false
	}
	end, err := p.Is.End()
	if err != nil {
		return until, p, false
	}
	return end.On, p, p.Is.Waiting > 0 && !d.After(end.On)
}
