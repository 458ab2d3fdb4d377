// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package agreement

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"darwaza.dev/internal/certlogic"
)

// ruleSet reads a set of rules for health certificates: whose rules they are, and the JSON
// files beside as they were published.
func (r *reader) ruleSet(line int, source string, x rawRuleSet) {
	r.owner = x.ID
	defer func() {
		if r.e.RuleSets[x.ID] == nil {
			r.lost["health"] = true
		}
	}()
	r.id(line, "rule set", x.ID)
	r.declare("rule set", x.ID, line)
	r.text(line, "title", trim(x.Title))
	s := &RuleSet{ID: x.ID, Title: trim(x.Title), Source: strings.TrimSpace(source), Arrival: x.Arrival, Region: x.Region, Values: map[string][]string{}, Line: line, File: r.file}
	var rules []*certlogic.Rule
	for _, p := range x.Rules {
		b, ok := r.beside(line, p)
		if !ok {
			return
		}
		more, err := certlogic.ParseRules(b)
		if err != nil {
			r.fault(line, fmt.Sprintf("%s: %s", p, err), "take the rules as they were published, in CertLogic")
			return
		}
		rules = append(rules, more...)
	}
	values := map[string]certlogic.Value{}
	for _, p := range x.Values {
		b, ok := r.beside(line, p)
		if !ok {
			return
		}
		sets, err := certlogic.ParseValueSets(b)
		if err != nil {
			r.fault(line, fmt.Sprintf("%s: %s", p, err), "take the value sets as they were published")
			return
		}
		for _, id := range slices.Sorted(maps.Keys(sets)) {
			if _, twice := values[id]; twice {
				r.fault(line, fmt.Sprintf("the value set %q stands in two files", id), "keep one of them")
				return
			}
			values[id] = sets[id]
			for i := range sets[id].Len() {
				code, _ := sets[id].Item(i).Str()
				s.Values[id] = append(s.Values[id], code)
			}
		}
	}
	set, err := certlogic.NewSet(rules, x.Arrival, x.Region, certlogic.MakeObject(values))
	if err != nil {
		r.fault(line, err.Error(), "mend the set: name its files under rules and values, and write arrival as two capital letters")
		return
	}
	s.Rules = set
	r.e.RuleSets[x.ID] = s
	r.ruleDates(s)
}

// beside returns the bytes of a JSON file in health/.
func (r *reader) beside(line int, name string) ([]byte, bool) {
	if r.published == nil {
		r.published = map[string]bool{}
	}
	r.published["health/"+name] = true
	b, ok := r.files["health/"+name]
	if !ok || !strings.HasSuffix(name, ".json") {
		r.fault(line, fmt.Sprintf("file %q is not there", name), "put the JSON file into health/, and write its name")
		return nil, false
	}
	return b, true
}

// ruleDates faults a set of which no rule holds within the edition, or is ever asked.
func (r *reader) ruleDates(s *RuleSet) {
	e := r.e
	if e.From.IsZero() {
		return
	}
	asked, held := false, false
	for _, x := range s.Rules.Rules() {
		mine := x.Type == certlogic.Invalidation || (s.Arrival == "" || x.Country == s.Arrival) && (x.Region == "" || x.Region == s.Region)
		asked = asked || mine
		held = held || mine && !x.ValidTo.Before(e.From) && (e.Until.IsZero() || x.ValidFrom.Before(e.Until))
	}
	switch {
	case !asked:
		r.fault(s.Line, "no rule of it is of the country of arrival and region", "mend arrival and region, or take the rules of that country")
	case !held:
		r.fault(s.Line, "no rule of it holds within the edition", "compare the dates of the rules with those of the edition")
	}
}

// unasked warns of a set that no clause asks.
func (r *reader) unasked() {
	for _, id := range slices.Sorted(maps.Keys(r.e.RuleSets)) {
		s := r.e.RuleSets[id]
		if !slices.ContainsFunc(r.e.Clauses, func(c *Clause) bool { return c.Rules == id }) {
			r.file, r.owner = s.File, id
			r.warn(s.Line, "no clause asks it", "write a clause of kind certificate, or take it out")
		}
	}
}

// unnamed faults a JSON file that no set names: signed, and without a meaning.
func (r *reader) unnamed() {
	if r.lost["health"] {
		return
	}
	for _, p := range r.in("health", ".json") {
		if !r.published[p] {
			r.file, r.owner = p, ""
			r.fault(1, "no rule set names it", "name it under rules or values of a file in health/, or take it out")
		}
	}
}
