// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"strings"
	"testing"

	"cel.dev/cel-go/common/types"
)

// TestBare: what answers are measured against evaluates all that an answer reached, events
// and functions that look at the question included, and each comes to what it came to there.
func TestBare(t *testing.T) {
	events, functions := 0, 0
	for _, w := range worked() {
		e, l := load(t, w.id)
		for _, r := range l.Test(e) {
			for _, q := range r.Queries {
				for _, c := range l.asked(&q) {
					all, bind := c.reached(q)
					vars, bound := bind()
					for _, x := range all {
						v, err := x.eval(vars, bound)
						if err != nil {
							v = types.WrapErr(err)
						}
						if !same(x.came, v) {
							t.Errorf("%s %s: %s came to %v, and bare to %v", w.id, r.Scenario.ID, x.of.text, x.came, v)
						}
						if len(x.fields) > 0 {
							events++
						}
						if strings.Contains(x.of.text, "member(") {
							functions++
						}
					}
					n, run := l.Bare(q)
					if run(); n < len(all) {
						t.Errorf("%s %s: %d evaluations of %d", w.id, r.Scenario.ID, n, len(all))
					}
				}
			}
		}
	}
	if events == 0 || functions == 0 {
		t.Errorf("%d evaluations speak of events, %d call a function of the question", events, functions)
	}
}
