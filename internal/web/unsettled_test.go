// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"testing"

	"darwaza.dev/internal/lang"
	"darwaza.dev/internal/reason"
	"darwaza.dev/internal/rules"
)

// TestUnsettledReasons holds pages to the neutral words of a code where nobody knows: what
// a clause says of those who do not meet it would be untrue.
func TestUnsettledReasons(t *testing.T) {
	p := newTestPost(t)
	e, err := p.server.edition(p.now)
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, c := range e.Clauses {
		say := c.Say.In(lang.EN)
		if say == "" {
			continue
		}
		seen++
		for _, d := range rules.Reasons() {
			re := reason.Reason{Code: d.Code, Outcome: d.Outcome, Clause: c.ID, Params: map[string]string{"attribute": "class", "parameter": "x", "decides": "clerk"}}
			v := p.server.reason(re, e.ID, p.now)
			if v.Clause == nil || v.Clause.ID != c.ID || len(v.Clause.Text) == 0 || v.Key == "" {
				t.Fatalf("%s of %s: %+v", d.Code, c.ID, v)
			}
			if told := v.Clause.Say.In(lang.EN) != "" || v.Clause.Next.In(lang.EN) != ""; told == rules.Unsettled(d.Code) {
				t.Errorf("%s: a page tells %q: %t", d.Code, say, told)
			}
			if l := p.server.reasonLines(lang.EN, rules.Verdict{At: p.now, Reasons: []reason.Reason{re}}); rules.Unsettled(d.Code) && l[0].Text == say {
				t.Errorf("%s: a line tells %q", d.Code, say)
			}
		}
		if c.Say.In(lang.EN) != say {
			t.Fatalf("the clause itself lost its words")
		}
	}
	if seen == 0 {
		t.Error("no clause says anything")
	}
}
