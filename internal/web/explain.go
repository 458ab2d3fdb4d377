// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/lang"
	"darwaza.dev/internal/reason"
	"darwaza.dev/internal/rules"
)

// verdictView is a verdict as a page tells it: the answer, why, by which clause, what
// to do next, and how to contest it. The part "verdict" shows all of it; "answer",
// "reasons" and "contest" show it by pieces.
type verdictView struct {
	Outcome   reason.Outcome
	Reasons   []reasonView
	Questions []agreement.Question
	// Parts are what each agreement says, where several answered; Reasons are then those
	// that no agreement gives. Title is the agreement's, of a part.
	Parts []verdictView
	Title lang.Text
	// Edition is the number of the edition that decided, 0 where none was in force.
	Edition int
	Hash    string // the first digits of its hash
	// Quote is what to quote when the answer is contested, Contest the address at which it is.
	Quote, Contest string
	// Law is the page of the edition that decided, on which each clause has its anchor.
	Law string
	// Needs are single inputs that would change the answer.
	Needs []needLine
}

// reasonView is one ground of a verdict.
type reasonView struct {
	Outcome reason.Outcome
	Code    reason.Code
	// Key and Args are the text of the code; Key is empty for a code that this build
	// does not know, as a newer peer may send: the outcome is shown all the same.
	Key  string
	Args lang.Args
	Next string // key of what to do next, empty where there is none
	// Clause is nil where no clause says so.
	Clause     *agreement.Clause
	Anchor     string // of the clause on the page of the law
	Instrument agreement.Instrument
	// Open are the questions of the clause that are not settled.
	Open []agreement.Question
	// Against says that the clause was asked and decides against the query, so that its own
	// words fit.
	Against bool
	// Plain says that the text of the code says no more than the outcome does.
	Plain bool
	Law   string // as in verdictView
}

// Icon is the sign that goes with an outcome: an outcome is never told by colour alone.
func outcomeIcon(o reason.Outcome) string {
	switch o {
	case reason.Allow:
		return "check"
	case reason.Divert:
		return "fork"
	case reason.Hold:
		return "pause"
	case reason.Refer:
		return "ask"
	case reason.Conflict:
		return "clash"
	case reason.Refuse:
		return "cross"
	case reason.Closed:
		return "closed"
	}
	return "warn"
}

// verdict prepares a verdict for a page. quote is the number under which the decision
// stands in the record or, where nothing was recorded, in the server's log.
func (s *server) verdict(r *request, v rules.Verdict, quote string) verdictView {
	out := verdictView{Outcome: v.Outcome, Quote: quote, Law: "/law"}
	parts := s.partsOf(v)
	if parts != nil {
		for _, p := range parts {
			if p.Agreement == "" {
				for _, re := range p.Reasons {
					out.Reasons = append(out.Reasons, s.reason(re, "", v.At))
				}
				continue
			}
			one := s.verdict(r, p, quote)
			one.Title = s.titleOf(p.Agreement, v.At)
			out.Parts = append(out.Parts, one)
		}
		return out
	}
	e, ok := s.editionOf(v)
	if ok {
		out.Edition, out.Law = e.Number, s.lawPath(e, r.Now)
	}
	if len(v.Edition) >= 16 {
		out.Hash = v.Edition[:16]
	}
	for _, re := range v.Reasons {
		out.Reasons = append(out.Reasons, s.reason(re, v.Agreement, v.At))
	}
	if ok {
		for _, q := range v.Questions {
			if full, ok := e.Questions[q.ID]; ok && !q.Settled {
				out.Questions = append(out.Questions, full)
			}
		}
	}
	return out
}

// editionOf returns the edition that gave an answer; where it does not say, the first that
// has a clause of its reasons.
func (s *server) editionOf(v rules.Verdict) (*agreement.Edition, bool) {
	law := s.deps.Law()
	if v.Agreement != "" {
		return law.EditionOf(v.Agreement, v.At)
	}
	for _, re := range v.Reasons {
		if e, _ := law.Clause(re, "", v.At); e != nil {
			return e, true
		}
	}
	return law.Edition(v.At)
}

// partsOf takes a verdict apart by agreement where several have a say in it: its parts, or
// for one that comes from the record the reasons of each agreement. Reasons that no
// agreement gives are the last part, without an agreement. It is nil where the verdict itself
// says whose it is.
func (s *server) partsOf(v rules.Verdict) []rules.Verdict {
	var out []rules.Verdict
	own := rules.Verdict{Point: v.Point, At: v.At}
	for _, p := range v.Parts {
		p.Reasons = nil
		out = append(out, p)
	}
	for _, re := range v.Reasons {
		if re.Agreement == "" {
			own.Reasons = append(own.Reasons, re)
			continue
		}
		i := slices.IndexFunc(out, func(p rules.Verdict) bool { return p.Agreement == re.Agreement })
		if i < 0 {
			i = len(out)
			out = append(out, rules.Verdict{Point: v.Point, At: v.At, Agreement: re.Agreement})
		}
		out[i].Reasons = append(out[i].Reasons, re)
		out[i].Outcome = reason.Strictest(out[i].Outcome, re.Outcome)
	}
	if len(out) == 0 || len(out) == 1 && v.Agreement != "" {
		return nil
	}
	if len(own.Reasons) > 0 {
		out = append(out, own)
	}
	return out
}

// titleOf is the title of an agreement, in every language that it has one in.
func (s *server) titleOf(id string, at time.Time) lang.Text {
	if e, ok := s.deps.Law().EditionOf(id, at); ok {
		return e.Title
	}
	for _, e := range s.deps.Law().Newest() {
		if e.ID == id {
			return e.Title
		}
	}
	return lang.Text{lang.EN: id}
}

// anchor is a clause's on the page of the law; clauses of two agreements may have one id.
func (s *server) anchor(e *agreement.Edition, c *agreement.Clause) string {
	return s.anchorPrefix(e) + c.Anchor
}

// anchorPrefix stands before each anchor of an edition where there are several agreements.
func (s *server) anchorPrefix(e *agreement.Edition) string {
	if s.deps.Law().Agreements() > 1 {
		return e.ID + "."
	}
	return ""
}

// editionBehind is the edition whose words a reason of an answer is told in, nil where none is
// in force.
func (s *server) editionBehind(re reason.Reason, v rules.Verdict) *agreement.Edition {
	if e, _ := s.deps.Law().Clause(re, v.Agreement, v.At); e != nil {
		return e
	}
	e, _ := s.editionOf(v)
	return e
}

// reason prepares one reason of an answer given under an agreement, which may be empty.
func (s *server) reason(re reason.Reason, of string, at time.Time) reasonView {
	v := reasonView{Outcome: re.Outcome, Code: re.Code, Args: reasonArgs(re.Params), Against: decidesAgainst(re.Code), Plain: strings.HasPrefix(string(re.Code), "law.clause."), Law: "/law"}
	if key := "reason." + string(re.Code); s.deps.Texts.Has(key) {
		v.Key = key
	}
	if key := "next." + string(re.Code); s.deps.Texts.Has(key) {
		v.Next = key
	}
	e := s.editionBehind(re, rules.Verdict{Agreement: of, At: at})
	if e == nil {
		return v
	}
	nameArgs(e, re.Params, v.Args)
	v.Law = s.lawPath(e, s.deps.Clock())
	if c := e.Clause(re.Clause); c != nil {
		v.Clause, v.Anchor = c, s.anchor(e, c)
		if rules.Unsettled(re.Code) && v.Key != "" {
			// What the clause says of those who do not meet it is not said where nobody knows.
			neutral := *c
			neutral.Say, neutral.Next = nil, nil
			v.Clause = &neutral
		}
		v.Instrument = e.Instruments[c.Instrument]
		for _, id := range c.Questions {
			if q, ok := e.Questions[id]; ok && !q.SettledNowFor(e.SideOf(c)) {
				v.Open = append(v.Open, q)
			}
		}
	}
	return v
}

// reasonArgs are a reason's parameters as texts take them: a whole number is a count.
// What begins with a zero or has ten digits is somebody's number and stays as it is.
func reasonArgs(params map[string]string) lang.Args {
	a := make(lang.Args, len(params))
	for k, v := range params {
		if n, err := strconv.Atoi(v); err == nil && len(v) < 8 && (v == "0" || v[0] != '0') {
			a[k] = n
		} else {
			a[k] = v
		}
	}
	return a
}

// nameArgs puts the names that the agreement gives for the ids among a reason's parameters.
func nameArgs(e *agreement.Edition, params map[string]string, args lang.Args) {
	if a, ok := e.Attributes[params["attribute"]]; ok {
		args["attribute"] = a.Name
	}
	if p := e.Parameters[params["parameter"]]; p != nil {
		args["parameter"] = p.Text
	}
}
