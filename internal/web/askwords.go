// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"regexp"
	"slices"
	"strings"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/identity"
)

// What conditions compare an attribute with: a == 'x', a in ['x', 'y'], and the lists that
// they look it up in.
var (
	comparedWith = regexp.MustCompile(`([a-z][a-z0-9_.]*)\s*[=!]=\s*'([^']*)'`)
	among        = regexp.MustCompile(`([a-z][a-z0-9_.]*)\s+in\s+\[([^\]]*)\]`)
	lookedUp     = regexp.MustCompile(`(?:within|member)\(\s*([a-z][a-z0-9_.]*)\s*,\s*'([^']*)'`)
	inQuotes     = regexp.MustCompile(`'([^']*)'`)
)

// wordsKnown collects, for attributes that can be any text, the texts that the edition
// itself speaks of: what its conditions compare them with, what its tables, lists and
// numbers hold for, and the ids of the classes, steps and fields that its clauses name.
// A page offers them for choice.
func wordsKnown(e *agreement.Edition) map[string][]string {
	known := map[string][]string{}
	add := func(id string, words ...string) {
		a, ok := e.Attributes[id]
		if !ok || a.Derived || len(a.Values) > 0 || a.Type != "string" && a.Type != "strings" {
			return
		}
		for _, w := range words {
			if w != "" && !slices.Contains(known[id], w) {
				known[id] = append(known[id], w)
			}
		}
	}
	list := func(id, name string) {
		if p := e.Places[name]; p != nil {
			add(id, sortedKeys(p.Up)...)
		}
		add(id, sortedKeys(e.Values[name])...)
	}
	expression := func(x string) {
		for _, m := range comparedWith.FindAllStringSubmatch(x, -1) {
			add(strings.TrimPrefix(m[1], "event."), m[2])
		}
		for _, m := range among.FindAllStringSubmatch(x, -1) {
			for _, q := range inQuotes.FindAllStringSubmatch(m[2], -1) {
				add(strings.TrimPrefix(m[1], "event."), q[1])
			}
		}
		for _, m := range lookedUp.FindAllStringSubmatch(x, -1) {
			list(strings.TrimPrefix(m[1], "event."), m[2])
		}
	}
	// What our own servers give at booking and gate.
	for _, l := range e.Levels {
		add(agreement.AttrLevel, l.ID)
	}
	for _, id := range sortedKeys(e.Profiles) {
		add(agreement.AttrProfiles, id)
		for _, t := range e.Profiles[id].Tests {
			add(agreement.AttrTest, e.Profiles[id].Disease+"/"+t.ID)
			add("proof.test", t.ID)
		}
	}
	for _, k := range identity.Kinds {
		add("person.document", string(k))
	}
	add("person.country", e.Parties[agreement.A].Country, e.Parties[agreement.B].Country)
	for _, c := range e.Clauses {
		for _, x := range []string{c.When, c.Require, c.Value, c.Release} {
			expression(x)
		}
		for _, s := range []*agreement.Select{c.Select, c.First, c.Second} {
			if s != nil {
				expression(s.Where)
			}
		}
		for _, x := range c.Accepts {
			add("proof.kind", x.Kind)
			add("proof.test", x.Tests...)
			if x.Kind == "test" {
				add("proof.result", "negative", "positive")
			}
			list("proof.product", x.Products)
			list("proof.country", x.Countries)
		}
		if c.Kind == agreement.KindProof {
			if p, ok := e.Profiles[c.Profile]; ok {
				add("proof.disease", p.Disease)
			}
			add("proof.disease", c.Disease)
		}
		switch c.Kind {
		case agreement.KindResidence:
			list(c.Place, c.List)
		case agreement.KindTurn:
			for _, o := range c.Order {
				add(c.Step, o.Step)
				add(c.Done, o.Step)
			}
		case agreement.KindShare:
			add("data.event", c.Events...)
			add("data.recipient", c.To...)
			add("data.fields", c.Fields...)
			add("data.fields", c.Never...)
		case agreement.KindSchedule, agreement.KindSuspend:
			for _, x := range e.Classes {
				add("class", x.ID)
			}
			add("direction", "in", "out")
		}
	}
	for _, id := range sortedKeys(e.Parameters) {
		for _, v := range e.Parameters[id].Values {
			for _, k := range sortedKeys(v.For) {
				add(k, v.For[k])
			}
		}
	}
	for _, id := range sortedKeys(e.Tables) {
		t := e.Tables[id]
		for n, in := range t.Inputs {
			expression(in.Of)
			for _, row := range t.Rows {
				if n < len(row.Cells) && in.Of == "" {
					add(in.Name, row.Cells[n].Texts...)
				}
			}
		}
	}
	for _, id := range sortedKeys(e.Lists) {
		for _, line := range e.Lists[id].Lines() {
			for _, k := range sortedKeys(line.For) {
				add(k, line.For[k])
			}
		}
	}
	return known
}
