// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"strconv"

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
	// Quote is what to quote when the answer is contested.
	Quote string
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
	out := verdictView{Outcome: v.Outcome, Quote: quote}
	e, ok := s.deps.Law().Edition(v.At)
	if ok {
		out.Edition = e.Number
	}
	if len(v.Edition) >= 16 {
		out.Hash = v.Edition[:16]
	}
	for _, re := range v.Reasons {
		out.Reasons = append(out.Reasons, s.reason(e, re))
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
	v := reasonView{Outcome: re.Outcome, Code: re.Code, Args: reasonArgs(re.Params)}
	if key := "reason." + string(re.Code); s.deps.Texts.Has(key) {
		v.Key = key
	}
	if key := "next." + string(re.Code); s.deps.Texts.Has(key) {
		v.Next = key
	}
	if e == nil || re.Clause == "" {
		return v
	}
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
