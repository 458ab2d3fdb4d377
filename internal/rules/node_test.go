// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"math"
	"strings"
	"testing"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"pgregory.net/rapid"

	"darwaza.dev/internal/agreement"
)

// TestNodes holds the plan of every expression of the worked texts against CEL's own: for
// each evaluation in an answer to a scenario, CEL evaluates the same text, planned by
// itself, on the same values.
func TestNodes(t *testing.T) {
	n, planned := 0, 0
	for _, w := range worked() {
		e, l := load(t, w.id)
		plain := map[*condition]cel.Program{}
		for _, r := range l.Test(e) {
			for _, q := range r.Queries {
				for _, c := range l.asked(&q) {
					a := newActivation(c)
					a.start(c, &q, c.sites[q.Site])
					a.reached = func(x *condition, _ ref.Val) {
						p := plain[x]
						if p == nil {
							var err error
							if p, err = x.env.Program(x.ast, cel.EvalOptions(cel.OptOptimize)); err != nil {
								t.Fatal(err)
							}
							plain[x] = p
						}
						want, _, _ := p.Eval(a)
						n++
						if x.root == nil {
							return
						}
						if planned++; !same(a.exec(x.root), want) {
							t.Errorf("%s %s: %s is %v, and %v to CEL", w.id, r.Scenario.ID, x.text, a.exec(x.root), want)
						}
					}
					c.judge(a, &Verdict{}).ask()
				}
			}
		}
	}
	if n < 1000 || planned < n*9/10 {
		t.Errorf("%d evaluations, %d of them planned", n, planned)
	}
}

// TestNodesAtTheEnds does the same with sums and differences, of numbers at the ends of
// their range: what overflows to CEL cannot be worked out.
func TestNodesAtTheEnds(t *testing.T) {
	c := wideLaw(t, "  - {id: c, kind: rule, TEXT, require: p, else: REFUSE}\n").compiled[0]
	for _, expr := range []string{"n + person.age < 1", "n - person.age < 1"} {
		x, what, _ := c.language.compile(expr, "", agreement.Attribute{Type: "bool"})
		if x == nil || x.root == nil {
			t.Fatal(expr, what)
		}
		plain, err := x.env.Program(x.ast, cel.EvalOptions(cel.OptOptimize))
		if err != nil {
			t.Fatal(err)
		}
		overflows := 0
		for _, n := range ends() {
			for _, age := range ends() {
				q := noon("2025-06-02").with("n", n, "person.age", age)
				a := newActivation(c)
				a.start(c, &q, c.sites[q.Site])
				want, _, err := plain.Eval(a)
				if err != nil {
					want = types.WrapErr(err)
					overflows++
				}
				if got := a.exec(x.root); !same(got, want) {
					t.Errorf("%s of %d and %d is %v, and %v to CEL", expr, n, age, got, want)
				}
			}
		}
		if overflows == 0 {
			t.Errorf("%s never overflows", expr)
		}
	}
}

func ends() []int64 {
	return []int64{math.MinInt64, math.MinInt64 + 1, -7, -1, 0, 1, 2, 7, math.MaxInt64 - 1, math.MaxInt64}
}

// TestNodesAnywhere does the same with expressions and values made up: numbers at the ends
// of their range, texts, and names that are not known.
func TestNodesAnywhere(t *testing.T) {
	l := wideLaw(t, "  - {id: c, kind: rule, TEXT, require: p, else: REFUSE}\n")
	c := l.compiled[0]
	written := []string{"-9223372036854775808", "-1", "0", "1", "7", "9223372036854775807"}
	planned := 0
	rapid.Check(t, func(t *rapid.T) {
		pick := func(of ...string) string { return rapid.SampledFrom(of).Draw(t, "part") }
		leaf := func() string {
			return pick(append([]string{"n", "person.age", "param.one", "param.open"}, written...)...)
		}
		number := func() string {
			if s := pick("", "+", "-"); s != "" {
				return leaf() + " " + s + " " + leaf()
			}
			return leaf()
		}
		text := func() string { return pick("w", "class", "'x'", "'driver'") }
		var truth func(deep int) string
		truth = func(deep int) string {
			switch rapid.IntRange(0, 8).Draw(t, "form") {
			case 0:
				return number() + " " + pick("==", "!=", "<", "<=", ">", ">=") + " " + number()
			case 1:
				return text() + " " + pick("==", "!=") + " " + text()
			case 2:
				return "known(" + pick("n", "w", "p", "t", "papers", "param.open") + ")"
			case 3:
				return pick("w", "class", "'x'") + " in ['x', " + text() + "]"
			case 4:
				return pick("p", "q", "t < now", "w in papers")
			}
			if deep == 0 {
				return pick("p", "q")
			}
			switch pick("!", "&&", "||", "?", "==") {
			case "!":
				return "!(" + truth(deep-1) + ")"
			case "&&":
				return "(" + truth(deep-1) + ") && (" + truth(deep-1) + ")"
			case "||":
				return "(" + truth(deep-1) + ") || (" + truth(deep-1) + ")"
			case "==":
				return "(" + truth(deep-1) + ") " + pick("==", "!=") + " (" + truth(deep-1) + ")"
			}
			return "(" + truth(deep-1) + ") ? (" + truth(deep-1) + ") : (" + truth(deep-1) + ")"
		}
		q := noon("2025-06-02")
		values := map[string][]any{"p": {true, false}, "q": {true, false}, "w": {"x", "y"}, "class": {"visitor", "driver"}, "t": {at("2025-06-02T11:00:00Z"), at("2025-06-02T13:00:00Z")}, "papers": {[]string{"x"}}}
		for _, name := range sortedKeys(values) {
			if rapid.Bool().Draw(t, name+" is known") {
				q.Facts[name] = rapid.SampledFrom(values[name]).Draw(t, name)
			}
		}
		for _, name := range []string{"n", "person.age"} {
			if rapid.Bool().Draw(t, name+" is known") {
				q.Facts[name] = rapid.SampledFrom(ends()).Draw(t, name)
			}
		}
		expr := truth(3)
		x, what, _ := c.language.compile(expr, "", agreement.Attribute{Type: "bool"})
		if x == nil {
			if strings.Contains(what, "counts") {
				return // years are compared with something else
			}
			t.Fatal(expr, what)
		}
		if x.root == nil {
			return
		}
		plain, err := x.env.Program(x.ast, cel.EvalOptions(cel.OptOptimize))
		if err != nil {
			t.Fatal(err)
		}
		planned++
		a := newActivation(c)
		a.start(c, &q, c.sites[q.Site])
		want, _, err := plain.Eval(a)
		if err != nil {
			want = types.WrapErr(err)
		}
		if got := a.exec(x.root); !same(got, want) {
			t.Fatalf("%s is %v, and %v to CEL, of %v", expr, got, want, q.Facts)
		}
	})
	if planned < 20 {
		t.Errorf("%d expressions were planned", planned)
	}
}

func same(got, want ref.Val) bool {
	if got == nil || types.IsError(want) {
		return types.IsError(want) && (got == nil || types.IsError(got))
	}
	u, ok := got.(*types.Unknown)
	x, ok2 := want.(*types.Unknown)
	if ok || ok2 {
		return ok && ok2 && u.Contains(x) && x.Contains(u)
	}
	return got.Type() == want.Type() && got.Equal(want) == types.True
}

// TestNodeHolds looks for a text in a set as CEL does, and without a limit on cost.
func TestNodeHolds(t *testing.T) {
	c := wideLaw(t, "  - {id: c, kind: rule, TEXT, require: p, else: REFUSE}\n").compiled[0]
	x, what, _ := c.language.compile("'visa' in papers", "", agreement.Attribute{Type: "bool"})
	if x == nil {
		t.Fatal(what)
	}
	plain, err := x.env.Program(x.ast, cel.EvalOptions(cel.OptOptimize))
	if err != nil {
		t.Fatal(err)
	}
	for _, set := range []any{nil, []string{}, []string{"visa"}, []string{"pass", "visa"}, []string{"pass", "visas"}} {
		q := noon("2025-06-02")
		if set != nil {
			q = q.with("papers", set)
		}
		a := newActivation(c)
		a.start(c, &q, c.sites[q.Site])
		want, _, _ := plain.Eval(a)
		if got := a.evaluate(x); !same(got, want) {
			t.Errorf("%v: %v, and %v to CEL", set, got, want)
		}
	}
}
