// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"encoding/hex"
	"slices"
	"strings"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/reason"
	"darwaza.dev/internal/rules"
	"darwaza.dev/internal/screening"
)

// atDesk returns the newest case of the holder at the health desk.
func (q *inquiry) atDesk() (screening.Case, bool) {
	register := q.a.Register
	if q.member != nil {
		register = q.member.Register
	}
	return q.Screening.Of(q.c.ID, register)
}

// desk says what the health desk has come to: an open order keeps out, and an open case
// holds up.
func (q *inquiry) desk() {
	c, ok := q.atDesk()
	switch {
	case !ok:
	case c.Isolated():
		q.say(reason.Reason{Code: screening.CodeIsolated, Outcome: reason.Refuse, Clause: c.Order.Clause, Agreement: c.Order.Agreement,
			Params: map[string]string{"until": rules.DayDate(c.Order.Until).String()}})
	case c.Open() && c.Site == q.a.Site:
		q.say(because(screening.CodeAtDesk, reason.Hold))
	default:
		if c, ok := q.finding(); ok && !c.Outcome.Admits() {
			why := reason.Reason{Code: screening.CodeUnfit, Outcome: reason.Refuse}
			if i := slices.IndexFunc(c.Reasons, func(r reason.Reason) bool { return r.Clause != "" }); i >= 0 {
				why.Clause, why.Agreement = c.Reasons[i].Clause, c.Reasons[i].Agreement
			}
			q.say(why)
		}
	}
}

// finding returns the case whose finding stands in place of the questions at the gate: it
// is finished, of this site, in its time, and of the law and the level that hold now. What
// is asked and measured at the gate comes before what the desk saw earlier.
func (q *inquiry) finding() (screening.Case, bool) {
	c, ok := q.atDesk()
	if !ok || c.Open() || c.Order.Clause != "" || c.Site != q.a.Site || !q.Now.Before(c.Until) || q.a.Screening.Done || q.at.edition == nil {
		return c, false
	}
	if c.Edition != hex.EncodeToString(q.at.edition.Hash[:]) {
		return c, false
	}
	level := ""
	if h, ok := q.Law.Health(q.a.Site, q.Now); ok {
		l := q.Levels.At(h, q.a.Site, q.Now)
		level = l.Key()
	}
	return c, c.Level == level
}

// cleared reports whether the desk's finding answers what a reason asks.
func cleared(c screening.Case, r reason.Reason, of string) bool {
	return r.Clause != "" && slices.ContainsFunc(c.Cleared, func(g screening.Ground) bool {
		return g.Clause == r.Clause && (g.Agreement == "" || g.Agreement == r.Agreement || r.Agreement == "" && g.Agreement == of)
	})
}

// take puts the desk's finding in the place of what the gate would have to ask.
func (q *inquiry) take(v rules.Verdict) rules.Verdict {
	c, ok := q.finding()
	if !ok || !c.Outcome.Admits() {
		return v
	}
	v, taken := v.Without(func(r reason.Reason, of string) bool { return r.Outcome.NeedsOfficer() && cleared(c, r, of) })
	if !taken {
		return v
	}
	v.Missing = slices.DeleteFunc(slices.Clone(v.Missing), func(m string) bool {
		asked := m == agreement.EventProof || strings.HasPrefix(m, "screening.") || len(Questions(q.at.edition, []string{m})) > 0
		return asked && !slices.ContainsFunc(v.Reasons, func(r reason.Reason) bool {
			return r.Outcome.NeedsOfficer() && slices.Contains(q.Law.Reads(r, q.Now), m)
		})
	})
	return v.With(because(screening.CodeTaken, reason.Allow))
}
