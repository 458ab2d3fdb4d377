// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"slices"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/calendar"
)

// Asks is what the answer to a question can turn on, beside the instant, the site and
// the side.
type Asks struct {
	// Attributes are those that somebody may give, by id, sorted: derived ones are not
	// among them, and what they are made of is.
	Attributes []string
	Events     []string // kinds of past events, by id, sorted
	Lots       bool     // earlier purchases of the day
}

// Points returns the points at which an edition that is in force at an instant has
// clauses that answer, in the order of a crossing.
func (l *Law) Points(at time.Time) []Point {
	all := l.seen(at, time.Time{}, "")
	if len(all) == 0 {
		return nil
	}
	return slices.DeleteFunc(points(), func(p Point) bool {
		return !slices.ContainsFunc(all, func(c *compiled) bool {
			return c.points[p] != nil && slices.ContainsFunc(c.points[p].clauses, (*clause).answers)
		})
	})
}

// answers reports whether a clause can be behind an answer by itself, and not only
// give another one a value.
func (k *clause) answers() bool {
	switch {
	case k.proposal || k.Kind == agreement.KindDefine:
		return false
	case k.Kind == agreement.KindTable && k.table != nil:
		return slices.Contains(k.table.Outputs, "outcome")
	}
	return true
}

// Asks returns what a question at a point, a site and an instant can turn on, by the
// clauses that are in force there then or of which that is not known, of all agreements
// that answer.
func (l *Law) Asks(p Point, site string, side agreement.Side, at time.Time) Asks {
	var out Asks
	for i, c := range knowing(l.seen(at, time.Time{}, ""), site) {
		one := c.asks(p, site, side, at)
		if i == 0 {
			out = one
			continue
		}
		out.Attributes = sortedUnion(out.Attributes, one.Attributes)
		out.Events = sortedUnion(out.Events, one.Events)
		out.Lots = out.Lots || one.Lots
	}
	return out
}

func sortedUnion(a, b []string) []string {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}

// asks is what a question to one edition can turn on.
func (c *compiled) asks(p Point, site string, side agreement.Side, at time.Time) Asks {
	var out Asks
	if c.points[p] == nil {
		return out
	}
	zone := c.zone
	if s := c.sites[site]; s != nil {
		zone = s.zone
	}
	on, minute := clock(at, zone)
	pt := c.points[p]
	read := make([]bool, len(c.attrs))
	kinds := map[string]bool{}
	seen := make([]bool, len(pt.clauses))
	var take func(n int)
	take = func(n int) {
		k := pt.clauses[n]
		if seen[n] {
			return
		}
		seen[n] = true
		if in, _ := k.inForce(site, side, minutes(on, minute), calendar.Date{}); in == agreement.No {
			return
		}
		for _, s := range [...]*agreement.Select{k.Select, k.First, k.Second} {
			if s != nil {
				kinds[s.Events] = true
			}
		}
		if k.Kind == agreement.KindProof {
			kinds[agreement.EventProof] = true
		}
		if k.Kind == agreement.KindCap && k.Select == nil {
			kinds[kindLot] = true
		}
		for _, r := range k.reads {
			if !read[r] {
				read[r] = true
				for _, d := range pt.definers[r] {
					take(d)
				}
			}
		}
	}
	for n, k := range pt.clauses {
		if k.answers() {
			take(n)
		}
	}
	for i := range c.attrs {
		if read[i] && !c.attrs[i].derived {
			out.Attributes = append(out.Attributes, c.attrs[i].id)
		}
	}
	out.Lots = kinds[kindLot]
	delete(kinds, kindLot)
	out.Events = sortedKeys(kinds)
	return out
}
