// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"maps"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types/ref"
)

// Bare returns a function that evaluates the conditions which the answer to a question
// reaches, and nothing else: it binds what they read in a map, as CEL's own interface has
// it, and lets CEL evaluate each once, as CEL plans it and without a limit. Of expressions
// that give values, which stand in the same language, the same is done; one that speaks of
// events is evaluated for each that it was asked of. n is how many evaluations these are.
// It is what Check is measured against, and decides nothing. It may not be used by many at
// once.
func (l *Law) Bare(q Query) (n int, run func()) {
	var runs []func()
	for _, c := range l.asked(&q) {
		more, run := c.bare(q)
		n += more
		runs = append(runs, run)
	}
	return n, func() {
		for _, run := range runs {
			run()
		}
	}
}

// reached is one evaluation in an answer.
type reached struct {
	of      *condition
	program cel.Program
	// fields are what the names of an event are in this evaluation alone.
	fields map[string]ref.Val
	came   ref.Val // what it came to, nil where it could not be worked out
}

func (c *compiled) bare(q Query) (n int, run func()) {
	all, bind := c.reached(q)
	if len(all) == 0 {
		return 0, func() {}
	}
	return len(all), func() {
		vars, bound := bind()
		for i := range all {
			all[i].eval(vars, bound)
		}
	}
}

func (r *reached) eval(vars map[string]any, bound any) (ref.Val, error) {
	for name, v := range r.fields {
		vars[name] = v
	}
	v, _, err := r.program.Eval(bound)
	return v, err
}

// reached answers a question and returns the evaluations in it, each once, and a function
// that binds their names: in a map, and that map with the functions which look at the
// question, where any is called.
func (c *compiled) reached(q Query) (all []reached, bind func() (vars map[string]any, bound any)) {
	a := newActivation(c)
	a.start(c, &q, c.sites[q.Site])
	names := map[string]any{}
	a.reached = func(x *condition, came ref.Val) {
		r := reached{of: x, came: came}
		for _, name := range x.names {
			i := c.names[name]
			switch v := a.vals[i]; {
			case v == nil: // it was not looked at
			case c.labels[i].kind == isField:
				if r.fields == nil {
					r.fields = map[string]ref.Val{}
				}
				r.fields[name] = v
			default:
				names[name] = v
			}
		}
		if slices.ContainsFunc(all, func(o reached) bool { return o.of == x && maps.Equal(o.fields, r.fields) }) {
			return
		}
		var err error
		if r.program, err = x.env.Program(x.ast, cel.EvalOptions(cel.OptOptimize)); err == nil {
			all = append(all, r)
		}
	}
	c.judge(a, &Verdict{}).ask()
	a.reached, a.judge = nil, nil
	functions := map[string]cel.LateBoundFunction{}
	for _, r := range all {
		for _, called := range r.of.ast.NativeRep().ReferenceMap() {
			for _, overload := range called.OverloadIDs {
				name, _, _ := strings.Cut(overload, "_")
				if f, ok := a.ResolveFunction(name); ok {
					functions[name] = f
				}
			}
		}
	}
	return all, func() (map[string]any, any) {
		vars := make(map[string]any, len(names))
		maps.Copy(vars, names)
		if len(functions) == 0 {
			return vars, vars
		}
		bound, err := cel.FunctionVars(vars, functions)
		if err != nil {
			panic("rules: names in a map are always bound: " + err.Error())
		}
		return vars, bound
	}
}
