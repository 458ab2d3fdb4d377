// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"fmt"
	"slices"
	"strings"

	"cel.dev/cel-go/common/types"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/calendar"
)

// CheckBounds holds an edition to the limits that its clauses set to it, with the
// edition before it and with who signs it: a standstill asks both. base may be nil;
// what reads the edition before is then not known, and breaks nothing.
func CheckBounds(e, base *agreement.Edition, both bool) agreement.Faults {
	c, faults := compileEdition(e)
	if len(faults) > 0 {
		return faults
	}
	return c.bounds(base, &both)
}

// bounds faults an edition that breaks a limit which a clause sets to its parameters.
func (c *compiled) bounds(base *agreement.Edition, both *bool) agreement.Faults {
	var faults agreement.Faults
	dates := []calendar.Date{calendar.On(c.e.From, c.zone)}
	add := func(m agreement.Moment) {
		if !m.First.IsZero() {
			dates = append(dates, m.First)
		}
	}
	for _, x := range c.e.Clauses {
		if x.Kind == agreement.KindBound {
			for _, h := range x.Holds { // a bound may begin later than any value
				add(h.From)
			}
		}
	}
	for _, p := range c.params {
		for _, v := range p.Values {
			add(v.From)
			add(v.Until)
		}
	}
	slices.SortFunc(dates, calendar.Date.Compare)
	dates = slices.Compact(dates)
	for _, x := range c.e.Clauses {
		if x.Kind != agreement.KindBound {
			continue
		}
		if what, mend := c.bound(x, c.clauses[x.ID], base, both, dates); what != "" {
			faults = append(faults, agreement.Fault{File: x.File, Line: x.Line, Clause: x.ID, What: what, Mend: mend})
		}
	}
	return faults
}

func (c *compiled) bound(x *agreement.Clause, k *clause, base *agreement.Edition, both *bool, dates []calendar.Date) (what, mend string) {
	if k.require == nil {
		return "a bound without a condition", "write require"
	}
	prior := map[string]*agreement.Parameter{}
	for _, part := range [...]*condition{k.require, k.when} {
		if part == nil {
			continue
		}
		for _, n := range part.names {
			if id, ok := strings.CutPrefix(n, priorPrefix); ok && base != nil && base.Parameters[id] != nil {
				prior[n] = base.Parameters[id]
			}
			if !strings.HasPrefix(n, paramPrefix) && !strings.HasPrefix(n, priorPrefix) && n != nameBoth && n != nameSite && n != nameSide && n != nameToday {
				return "a bound reads " + n, "let it read parameters alone"
			}
		}
	}
	for _, d := range dates {
		for _, s := range c.e.Sites {
			for _, side := range [...]agreement.Side{agreement.A, agreement.B} {
				if in, _ := k.inForce(s.ID, side, minutes(d, 0), calendar.Date{}); in == agreement.No {
					continue
				}
				a := newActivation(c)
				a.start(c, &Query{At: d.Start(c.zone), Site: s.ID, Side: string(side)}, nil)
				a.on = d
				if both != nil {
					a.vals[c.names[nameBoth]] = types.Bool(*both)
				}
				for _, n := range sortedKeys(prior) {
					if v, ok := prior[n].At(s.ID, side, d); ok && v.Known && prior[n].Unit != unitWords {
						a.vals[c.names[n]] = types.Int(v.Int)
					}
				}
				if t, _ := a.eval(k.when); t == no {
					continue
				}
				// A value that the text leaves empty breaks nothing yet.
				if t, _ := a.eval(k.require); t == no || t == failed {
					return fmt.Sprintf("does not hold on %s at %s for side %s", d, s.ID, side), "change the parameters, or the bound with the signatures that it needs"
				}
			}
		}
	}
	return "", ""
}
