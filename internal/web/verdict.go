// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"cmp"
	"strings"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/lang"
	"darwaza.dev/internal/reason"
	"darwaza.dev/internal/rules"
)

// reasonLine is one reason of a verdict as an officer reads it.
type reasonLine struct {
	Outcome reason.Outcome
	Code    reason.Code
	Text    string
	Next    string    // what to do, empty where nothing is said
	Clause  string    // its id, empty where no clause says so
	Anchor  string    // of the clause, for the link to its text
	Law     string    // page on which the anchor is
	Words   lang.Text // of the clause itself
	Example bool      // the clause is a demonstration's, and no law
	// Heading is the title of an agreement, where several answered: the line has no other
	// text then than the outcome, and the agreement's own reasons follow it.
	Heading string
}

// reasonLines returns the reasons of a verdict in words: the clause's own where it has
// them for the reader, else those of the code.
//
// Where several agreements answered, each has its heading with its own outcome, and what
// no agreement says comes first.
func (s *server) reasonLines(tag lang.Tag, v rules.Verdict) []reasonLine {
	parts := s.partsOf(v)
	if parts == nil {
		return s.linesOf(tag, v)
	}
	var lines []reasonLine
	for _, p := range parts {
		if p.Agreement == "" {
			lines = append(s.linesOf(tag, p), lines...)
			continue
		}
		lines = append(lines, reasonLine{Outcome: p.Outcome, Heading: s.titleOf(p.Agreement, v.At).In(tag),
			Text: s.deps.Texts.Say(tag, "outcome."+p.Outcome.String(), nil)})
		lines = append(lines, s.linesOf(tag, p)...)
	}
	return lines
}

// linesOf are the lines of what one agreement says.
func (s *server) linesOf(tag lang.Tag, v rules.Verdict) []reasonLine {
	e, ok := s.editionOf(v)
	if !ok {
		e, _ = s.edition(v.At)
	}
	lines := make([]reasonLine, 0, len(v.Reasons))
	for _, r := range v.Reasons {
		l := reasonLine{Outcome: r.Outcome, Code: r.Code, Clause: r.Clause}
		args := reasonArgs(r.Params)
		of, c := s.deps.Law().Clause(r, v.Agreement, v.At)
		if of != nil {
			e = of
		}
		if c != nil {
			l.Anchor, l.Law, l.Words = s.anchor(e, c), s.lawPath(e, s.deps.Clock()), c.Text
			l.Example = e.Instruments[c.Instrument].Status == "example"
		}
		if e != nil {
			nameArgs(e, r.Params, args) // what a clause wants to know has a name in the agreement
		}
		if c != nil && decidesAgainst(r.Code) {
			l.Text, l.Next = c.Say.In(tag), c.Next.In(tag)
		}
		if l.Text != "" && e != nil && r.Code == rules.CodeRule {
			if p, ok := rules.PublishedRule(e, r); ok {
				l.Text = cmp.Or(s.sayWhole(tag, "named."+string(r.Code), lang.Args{"say": l.Text, "rule": p.ID, "says": p.Says(tag)}), l.Text)
			}
		}
		if l.Text == "" {
			l.Text = s.unknown(tag, e, r)
		}
		if l.Text == "" {
			l.Text = s.sayWhole(tag, "reason."+string(r.Code), args)
		}
		if l.Text == "" {
			// A code of a newer peer, or a reason that was kept without its figures: its
			// outcome still says what to do.
			l.Text = s.deps.Texts.Say(tag, "outcome."+r.Outcome.String(), nil)
		}
		if l.Next == "" {
			l.Next = s.sayWhole(tag, "next."+string(r.Code), args)
		}
		lines = append(lines, l)
	}
	return lines
}

// decidesAgainst reports whether a code means that a clause was asked and decides against
// the query: then the clause's own words fit. Where a clause could not be asked, for
// want of an input or of hours that the text gives, they would accuse somebody of what nobody knows.
func decidesAgainst(c reason.Code) bool {
	if rules.Unsettled(c) {
		return false
	}
	for _, p := range [...]string{"law.clause.", "law.cap.", "law.schedule.", "law.site.", "law.good.", "law.paper.", "law.tax.", "law.rule."} {
		if strings.HasPrefix(string(c), p) {
			return true
		}
	}
	return false
}

// unknown names what a clause asks for and nobody here knew, where the agreement has a name
// for it; it is empty of every other reason.
func (s *server) unknown(tag lang.Tag, e *agreement.Edition, r reason.Reason) string {
	if e == nil || r.Code != rules.CodeUnknown {
		return ""
	}
	a, ok := e.Attributes[r.Params["attribute"]]
	if !ok {
		return ""
	}
	return s.sayWhole(tag, "named."+string(r.Code), lang.Args{"attribute": a.Name.In(tag)})
}

// sayWhole is a text all of whose placeholders are filled, else empty.
func (s *server) sayWhole(tag lang.Tag, key string, args lang.Args) string {
	if !s.deps.Texts.Has(key) {
		return ""
	}
	if text := s.deps.Texts.Say(tag, key, args); !strings.Contains(text, "{") {
		return text
	}
	return ""
}
