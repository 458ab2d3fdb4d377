// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package agreement

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"darwaza.dev/internal/reason"
)

// What may be meant otherwise than it is written. None of it keeps an edition from being
// signed.

// doubts warns of them all.
func (r *reader) doubts() {
	e := r.e
	for _, id := range slices.Sorted(maps.Keys(e.Instruments)) {
		r.unread(e.Instruments[id])
		r.reach(e.Instruments[id])
	}
	r.alone()
	r.unasked()
	for _, c := range e.Clauses {
		if e.Instruments[c.Instrument].Status == StatusProposal {
			continue
		}
		r.file, r.owner = c.File, c.ID
		r.leaving(c)
		r.undecided(c)
	}
}

// alone warns of a matter that the clauses of one instrument alone name: it is there to
// show where two disagree, and one that is misspelt hides it.
func (r *reader) alone() {
	of := map[string][]*Clause{}
	for _, c := range r.e.Clauses {
		if c.Matter != "" && r.e.Instruments[c.Instrument].Status != StatusProposal {
			of[c.Matter] = append(of[c.Matter], c)
		}
	}
	ids := slices.Sorted(maps.Keys(of))
	for _, id := range ids {
		c := of[id][0]
		if slices.ContainsFunc(of[id], func(o *Clause) bool { return o.Instrument != c.Instrument }) {
			continue
		}
		mend := "write the matter in the clause of the other instrument too, or take it out: it shows where two instruments disagree"
		if near := similar(id, slices.DeleteFunc(slices.Clone(ids), func(s string) bool { return s == id })); near != "" {
			mend = "write " + near + ", if that is meant; or " + mend
		}
		r.file, r.owner = c.File, c.ID
		r.warn(c.Line, fmt.Sprintf("matter %q is of clauses of one instrument alone", id), mend)
	}
}

// unread faults an instrument that nobody has read and whose clauses say more than that,
// and warns of one that has no clause.
func (r *reader) unread(i Instrument) {
	if !i.Absent {
		return
	}
	any := false
	for _, c := range r.e.Clauses {
		if c.Instrument != i.ID {
			continue
		}
		any = true
		if c.Kind != KindNote && (c.Kind != KindRule || c.Then != reason.Refer) {
			r.file, r.owner = c.File, c.ID
			r.fault(c.Line, fmt.Sprintf("is a clause of %s, which nobody has read", i.ID), "write a rule with then: REFER where that text may matter, or a note; take out absent once it was read")
		}
	}
	if at := r.e.where["instrument "+i.ID]; !any {
		r.file, r.owner = at.file, i.ID
		r.warn(at.line, "nobody has read it, and no clause says where it may matter", "add a rule with then: REFER, a when and decides")
	}
}

// reach warns of an act of one side whose clauses speak at both.
func (r *reader) reach(i Instrument) {
	if !i.Side.Valid() || len(i.Sides) > 0 || i.Status == StatusProposal {
		return
	}
	var ids []string
	for _, c := range r.e.Clauses {
		if c.Instrument == i.ID && c.Kind != KindNote && c.Kind != KindBound && c.Kind != KindDuty && c.Kind != KindPower && slices.ContainsFunc(periods(c), func(p Period) bool { return len(p.Sides) == 0 }) {
			ids = append(ids, c.ID)
		}
	}
	if len(ids) == 0 {
		return
	}
	at := r.e.where["instrument "+i.ID]
	r.file, r.owner = at.file, i.ID
	shown := strings.Join(ids[:min(len(ids), 10)], ", ")
	if len(ids) > 10 {
		shown += fmt.Sprintf(" and %d more", len(ids)-10)
	}
	r.warn(at.line, fmt.Sprintf("is of side %s, and without sides its clauses hold at the gates of both: %s", i.Side, shown), fmt.Sprintf("write sides: [%s] beside its side, or in each clause, or sides: [A, B] where both are meant: side only says whose text it is", i.Side))
}

// leaving warns of a schedule clause that would hold those who are leaving.
func (r *reader) leaving(c *Clause) {
	e := r.e
	if c.Kind != KindSchedule || !slices.Contains(c.At, "gate") && !slices.Contains(c.At, "exit") || slices.Contains(e.reads(c.When), "direction") {
		return
	}
	for _, s := range e.Sites {
		if !r.spend(1) {
			return
		}
		if e.Schedules[s.ID] == nil || !onSite(c, s.ID) {
			continue
		}
		for _, w := range e.Schedules[s.ID].Hours().Weekly {
			if w.Direction != "" {
				return // the hours themselves tell the two apart
			}
		}
	}
	r.warn(c.Line, "holds people who are leaving too, once it is closed", "write when: direction == 'in', or at: [booking], or give the hours a direction")
}

// undecided warns of a clause that can end in REFER because something is not known, and
// that names nobody who decides then.
func (r *reader) undecided(c *Clause) {
	switch c.Kind {
	case KindNote, KindBound, KindDefine, KindDuty, KindCondition, KindPower:
		return
	}
	if permits := c.Kind == KindRule && c.Else == reason.None && c.Then == reason.None; c.Decides != "" || permits {
		return
	}
	if slices.ContainsFunc([]reason.Outcome{c.Missing, c.Else, c.Then}, func(o reason.Outcome) bool { return o == reason.Hold || o == reason.Refer }) {
		return // warned of already
	}
	if why := r.silence(c); why != "" {
		r.warn(c.Line, "can end in REFER, because "+why+", and names nobody who decides", "write decides: the role")
	}
}

// silence says what a clause turns on that the texts leave open, and nothing where they
// leave nothing open.
func (r *reader) silence(c *Clause) string {
	e := r.e
	from, until := e.term()
	// open reports whether a moment that is not known to the day lies within the term.
	open := func(m Moment) bool {
		return !m.IsZero() && !m.Exact() && (m.Unknown || m.Last.After(from.First) && (until.IsZero() || !before(until, m)))
	}
	i := e.Instruments[c.Instrument]
	if open(i.From) || open(i.Until) {
		return "the day of " + i.ID + " is not known"
	}
	for _, p := range c.Holds {
		if open(p.From) || open(p.Until) {
			return "its own day is not known"
		}
	}
	for _, id := range c.Turns {
		if !e.Questions[id].SettledNowFor(i.Side) {
			return "question " + id + " is not settled"
		}
	}
	if l := e.ListInfo[c.List]; l.Absent {
		return "list " + l.ID + " is not at hand"
	} else if len(l.Open) > 0 {
		return "list " + l.ID + " ends in open words"
	} else if l.Partial {
		return "list " + l.ID + " was read in part"
	}
	if c.Kind == KindCertificate {
		return "a rule of " + c.Rules + " may not be able to tell"
	}
	sites := e.Sites
	if c.Kind != KindOpened && c.Kind != KindSchedule || !r.spend(len(sites)) {
		sites = nil
	}
	for _, s := range sites {
		if !onSite(c, s.ID) {
			continue
		}
		switch c.Kind {
		case KindOpened:
			if s.From.IsZero() || open(s.From) {
				return "the day on which " + s.ID + " opened is not known"
			}
		case KindSchedule:
			schedule := e.Schedules[s.ID]
			if schedule == nil {
				return s.ID + " has no schedule"
			}
			for _, w := range schedule.Hours().Weekly {
				if w.DaysUnknown || w.HoursUnknown && c.Per != "day" {
					return "the hours of " + s.ID + " are not known"
				}
			}
		}
	}
	for _, id := range e.parametersOf(c) {
		if !r.spend(len(e.Parameters[id].Values)) {
			return ""
		}
		for _, v := range e.Parameters[id].Values {
			if p := narrow(Period{From: v.From, Until: v.Until}, from, until); !v.Known && e.Parameters[id].Unit != "text" && !over(p.From, p.Until) {
				return id + " is unknown"
			}
			if open(v.From) || open(v.Until) {
				return "the day on which " + id + " changes is not known"
			}
		}
	}
	return ""
}

// asOf is how an expression reads a parameter of another day.
const asOf = "asof("

// speaksOf reports whether an expression reads a parameter, of today or of another day.
func speaksOf(text, id string) bool {
	return named(text, "param."+id) || strings.Contains(text, asOf) && (strings.Contains(text, "'"+id+"'") || strings.Contains(text, `"`+id+`"`))
}

// parametersOf returns the parameters that a clause reads, sorted.
func (e *Edition) parametersOf(c *Clause) []string {
	names := []string{c.Limit, c.Rate, c.AtLeast, c.AtMost, c.Days, c.Nights, c.For, c.Times, c.Within, c.Tolerance}
	if c.Kind == KindSchedule {
		names = names[1:] // the limit is of the package itself
	}
	if c.Span != nil {
		names = append(names, c.Span.Rolling)
	}
	for _, x := range c.expressions() {
		for _, n := range namesIn(x) {
			if id, ok := strings.CutPrefix(n, "param."); ok {
				names = append(names, id)
			}
		}
		for _, rest := range strings.Split(x, asOf)[1:] {
			rest = strings.TrimLeft(rest, " \t\n'\"")
			names = append(names, rest[:max(strings.IndexAny(rest, "'\""), 0)])
		}
	}
	slices.Sort(names)
	return slices.DeleteFunc(slices.Compact(names), func(id string) bool { return e.Parameters[id] == nil })
}
