// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"strconv"
	"strings"

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
	e, ok := s.deps.Law().Edition(v.At)
	if ok {
		out.Edition, out.Law = e.Number, s.lawPath(e, r.Now)
	}
	if len(v.Edition) >= 16 {
		out.Hash = v.Edition[:16]
	}
	for _, re := range v.Reasons {
		x := s.reason(e, re)
		x.Law = out.Law
		out.Reasons = append(out.Reasons, x)
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

// reason prepares one reason. e may be nil.
func (s *server) reason(e *agreement.Edition, re reason.Reason) reasonView {
	v := reasonView{Outcome: re.Outcome, Code: re.Code, Args: reasonArgs(re.Params), Against: decidesAgainst(re.Code), Plain: strings.HasPrefix(string(re.Code), "law.clause."), Law: "/law"}
	if key := "reason." + string(re.Code); s.deps.Texts.Has(key) {
		v.Key = key
	}
	if key := "next." + string(re.Code); s.deps.Texts.Has(key) {
		v.Next = key
	}
	if e == nil {
		return v
	}
	nameArgs(e, re.Params, v.Args)
	if c := e.Clause(re.Clause); c != nil {
		v.Clause = c
		if rules.Unsettled(re.Code) && v.Key != "" {
			// What the clause says of those who do not meet it is not said where nobody knows.
			neutral := *c
			neutral.Say, neutral.Next = nil, nil
			v.Clause = &neutral
		}
		v.Instrument = e.Instruments[c.Instrument]
		for _, id := range c.Questions {
			if q, ok := e.Questions[id]; ok && !q.SettledNow() {
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
