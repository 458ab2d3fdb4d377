// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package agreement

import (
	"fmt"
	"maps"
	"slices"

	"darwaza.dev/internal/calendar"
)

// Where something ends and what takes its place was published later, the end was
// published with it. Without that day a question of what was known before then finds
// neither of the two, and lets through what either of them forbids.

// start is something that begins and of which a text says when it was published.
type start struct {
	name string
	on   calendar.Date // of publication
	at   []string      // points of a clause
}

// unpublished faults ends of which nothing says when they became known, where it is said
// of what begins in their place.
func (r *reader) unpublished() {
	e := r.e
	for _, id := range slices.Sorted(maps.Keys(e.Parameters)) {
		p := e.Parameters[id]
		r.file, r.owner = p.File, p.ID
		starts := map[Moment]start{}
		for _, v := range p.Values {
			if !v.Published.IsZero() {
				starts[v.From] = start{name: "the value " + v.Text, on: v.Published}
			}
		}
		for _, v := range p.Values {
			r.unsaid(p.Line, v.Until, v.Ended, starts)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(e.ListInfo)) {
		r.file, r.owner = e.lineFile[id], id
		starts := map[Moment]start{}
		if l := e.Lists[id]; l != nil {
			for _, x := range l.Lines() {
				if !x.Published.IsZero() {
					starts[x.From] = start{name: "a line of the list", on: x.Published}
				}
			}
			for _, x := range l.Lines() {
				r.unsaid(x.Row, x.Until, x.Ended, starts)
			}
		}
		for _, x := range e.ValueLines[id] {
			if !x.Published.IsZero() {
				starts[x.From] = start{name: "a line of the list", on: x.Published}
			}
		}
		for _, x := range e.ValueLines[id] {
			r.unsaid(x.Line, x.Until, x.Ended, starts)
		}
	}
	r.unpublishedClauses()
}

// unsaid faults an end without the day of its publication, where something begins then
// that has one.
func (r *reader) unsaid(line int, until Moment, ended calendar.Date, starts map[Moment]start) {
	if until.IsZero() || until.Unknown || !ended.IsZero() {
		return
	}
	if s, ok := starts[until]; ok {
		r.fault(line, fmt.Sprintf("ends on %s, and nothing says when that became known, while %s, which begins then, was published on %s: of what was known before, neither would hold", until, s.name, s.on),
			fmt.Sprintf("write ended: %s, the day on which the end was published, beside until", s.on))
	}
}

// unpublishedClauses looks at the ends of clauses and of instruments.
func (r *reader) unpublishedClauses() {
	e := r.e
	starts := map[Moment][]start{}
	live := func(c *Clause) bool {
		return c.Kind != KindNote && c.Kind != KindBound && e.Instruments[c.Instrument].Status != StatusProposal
	}
	later := func(a, b calendar.Date) calendar.Date {
		if a.After(b) {
			return a
		}
		return b
	}
	for _, c := range e.Clauses {
		if !live(c) {
			continue
		}
		i := e.Instruments[c.Instrument]
		for _, p := range periods(c) {
			on := later(later(c.Published, i.Published), p.Published)
			if p.From.IsZero() || before(p.From, i.From) {
				p.From = i.From
			}
			if !on.IsZero() && !p.From.IsZero() && !p.From.Unknown {
				starts[p.From] = append(starts[p.From], start{"clause " + c.ID, on, c.At})
			}
		}
	}
	if len(starts) == 0 {
		return
	}
	said := map[string]bool{} // instruments, each once
	for _, c := range e.Clauses {
		if !live(c) {
			continue
		}
		meets := func(until Moment) map[Moment]start {
			for _, s := range starts[until] {
				if s.name != "clause "+c.ID && (len(s.at) == 0 || len(c.At) == 0 || common(s.at, c.At)) {
					return map[Moment]start{until: s}
				}
			}
			return nil
		}
		r.file, r.owner = c.File, c.ID
		for _, p := range c.Holds {
			if !r.spend(1 + len(starts[p.Until])) {
				return
			}
			r.unsaid(c.Line, p.Until, p.Ended, meets(p.Until))
		}
		i := e.Instruments[c.Instrument]
		if at := e.where["instrument "+i.ID]; !said[i.ID] && i.Ended.IsZero() && !i.Until.IsZero() {
			if by := meets(i.Until); by != nil {
				said[i.ID] = true
				r.file, r.owner = at.file, i.ID
				r.unsaid(at.line, i.Until, i.Ended, by)
			}
		}
	}
}
