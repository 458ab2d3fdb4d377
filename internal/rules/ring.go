// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"slices"
	"strings"

	"darwaza.dev/internal/agreement"
)

// rings faults clauses that set each other aside in a ring, and definitions that need
// each other's result: no order of asking would be right.
func (c *compiled) rings() agreement.Faults {
	over := map[string][]string{}     // clause → those that set it aside
	definers := map[string][]string{} // derived attribute → clauses
	for _, x := range c.e.Clauses {
		for _, t := range x.Overrides {
			over[t] = append(over[t], x.ID)
		}
		for _, at := range c.sets(x) {
			id := c.attrs[at].id
			definers[id] = append(definers[id], x.ID)
		}
	}
	// What a text reads is found without compiling it, because a ring is told even where
	// something else is wrong: a name that stands in it is read.
	derived := sortedKeys(definers)
	reads := func(texts ...string) (out []string) {
		for _, d := range derived {
			if slices.ContainsFunc(texts, func(t string) bool { return mentions(t, d) }) {
				out = append(out, "attribute "+d)
			}
		}
		return out
	}
	needs := func(node string) []string {
		var out []string
		if d, ok := strings.CutPrefix(node, "attribute "); ok {
			for _, id := range definers[d] {
				x := c.e.Clause(id)
				out = append(out, id)
				texts := append([]string{x.Value}, c.direct(x)...)
				for _, s := range [...]*agreement.Select{x.Select, x.First, x.Second} {
					if s != nil {
						texts = append(texts, s.Where)
					}
				}
				if t := c.e.Tables[x.Table]; t != nil {
					for _, in := range t.Inputs {
						texts = append(texts, in.Of)
					}
				}
				out = append(out, reads(texts...)...)
			}
			return out
		}
		out = append(out, over[node]...)
		if x := c.e.Clause(node); x != nil {
			out = append(out, reads(x.When)...)
		}
		return out
	}
	state := map[string]int{} // 1 being walked, 2 done
	var path []string
	in := map[string]bool{}
	defines := false
	var walk func(node string)
	walk = func(node string) {
		switch state[node] {
		case 2:
			return
		case 1:
			ring := path[slices.Index(path, node):]
			for _, n := range ring {
				d, ok := strings.CutPrefix(n, "attribute ")
				if !ok {
					in[n] = true
					continue
				}
				defines = true
				for _, id := range definers[d] {
					in[id] = true
				}
			}
			return
		}
		state[node] = 1
		path = append(path, node)
		for _, n := range needs(node) {
			walk(n)
		}
		path = path[:len(path)-1]
		state[node] = 2
	}
	for _, x := range c.e.Clauses {
		walk(x.ID)
	}
	for _, d := range derived {
		walk("attribute " + d)
	}
	var faults agreement.Faults
	what, mend := "clauses override each other in a ring", "let one of them stand"
	if defines {
		what, mend = "definitions need each other in a ring", "let one of them rest on what is given alone"
	}
	for _, id := range sortedKeys(in) {
		x := c.e.Clause(id)
		faults = append(faults, agreement.Fault{File: x.File, Line: x.Line, Clause: id, What: what, Mend: mend})
	}
	return faults
}

// mentions reports whether a name stands in a text by itself.
func mentions(text, name string) bool {
	part := func(c byte) bool {
		return c == '_' || c == '.' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
	}
	for rest, at := text, 0; ; {
		i := strings.Index(rest, name)
		if i < 0 {
			return false
		}
		at += i
		end := at + len(name)
		if (at == 0 || !part(text[at-1])) && (end == len(text) || !part(text[end])) {
			return true
		}
		at = end
		rest = text[end:]
	}
}
