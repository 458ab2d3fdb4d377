// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"strings"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/lang"
	"darwaza.dev/internal/reason"
	"darwaza.dev/internal/rules"
)

// reasonLine is one reason of a verdict as an officer reads it.
type reasonLine struct {
	Outcome reason.Outcome
	Text    string
	Next    string // what to do, empty where nothing is said
	Clause  string // its id, empty where no clause says so
	Anchor  string // of the clause, for the link to its text
	Example bool   // the clause is a demonstration's, and no law
}

// reasonLines returns the reasons of a verdict in words: the clause's own where it has
// them for the reader, else those of the code.
func (s *server) reasonLines(tag lang.Tag, v rules.Verdict) []reasonLine {
	e, _ := s.edition(v.At)
	lines := make([]reasonLine, 0, len(v.Reasons))
	for _, r := range v.Reasons {
		l := reasonLine{Outcome: r.Outcome, Clause: r.Clause}
		args := reasonArgs(r.Params)
		var c *agreement.Clause
		if e != nil && r.Clause != "" {
			c = e.Clause(r.Clause)
		}
		if c != nil {
			l.Anchor = c.Anchor
			l.Example = e.Instruments[c.Instrument].Status == "example"
			l.Next = c.Next.In(tag)
		}
		text, next := "reason."+string(r.Code), "next."+string(r.Code)
		switch {
		case c != nil && strings.HasPrefix(string(r.Code), "law.") && c.Say.In(tag) != "":
			l.Text = c.Say.In(tag)
		case s.deps.Texts.Has(text):
			l.Text = s.deps.Texts.Say(tag, text, args)
		default:
			// A code of a newer peer: its outcome still says what to do.
			l.Text = s.deps.Texts.Say(tag, "outcome."+r.Outcome.String(), nil)
		}
		if l.Next == "" && s.deps.Texts.Has(next) {
			l.Next = s.deps.Texts.Say(tag, next, args)
		}
		lines = append(lines, l)
	}
	return lines
}
