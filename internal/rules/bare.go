// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package rules

import "maps"

// Bare returns a function that evaluates the conditions which the answer to a question
// reaches, and nothing else: it binds what they read in a map, as CEL's own interface has
// it, and lets CEL evaluate each once. n is how many they are. It is what Check is
// measured against, and decides nothing. It may not be used by many at once.
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

func (c *compiled) bare(q Query) (n int, run func()) {
	var reached []*condition
	seen := map[int]bool{}
	c.check(&q, func(j *judge) {
		for _, k := range j.clauses {
			for _, x := range append([]*condition{k.when, k.require, k.value, k.release, k.where[0], k.where[1]}, k.inputs...) {
				if x != nil && x.id > 0 && x.id <= len(j.a.memo) && j.a.memo[x.id-1].asked && !seen[x.id] {
					seen[x.id] = true
					reached = append(reached, x)
				}
			}
		}
	})
	if len(reached) == 0 {
		return 0, func() {}
	}
	a := newActivation(c)
	a.start(c, &q, c.sites[q.Site])
	names := map[string]any{}
	for _, x := range reached {
		for _, name := range x.names {
			if v, ok := a.ResolveName(name); ok {
				names[name] = v
			}
		}
	}
	return len(reached), func() {
		vars := make(map[string]any, len(names))
		maps.Copy(vars, names)
		for _, x := range reached {
			x.program.Eval(vars)
		}
	}
}
