// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"slices"
	"strings"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/calendar"
)

// whole is all of something, in hundredths of a percent.
const whole = 100_00

// Health is what an edition says of protection at a site.
type Health struct {
	c    *compiled
	site string
	at   time.Time
}

// Health returns what is said of protection at a site at a time by the one edition, of
// those in force that know the site, that has levels. ok is false where none has.
func (l *Law) Health(site uint16, at time.Time) (Health, bool) {
	for _, c := range l.seen(at, time.Time{}, "") {
		if s, ok := c.siteNumbered(site); ok && len(c.e.Levels) > 0 {
			return Health{c, s.ID, at}, true
		}
	}
	return Health{}, false
}

// Levels returns the levels, from mild to strict; there is at least one.
func (h Health) Levels() []agreement.Level { return h.c.e.Levels }

// Rank returns the place of a level from the mildest, 0. A level that the edition does
// not know is the strictest: nothing is widened by a word that nobody understands.
func (h Health) Rank(level string) int {
	if _, n, ok := h.c.e.Level(level); ok || level == "" {
		return n
	}
	return len(h.c.e.Levels) - 1
}

// Profiles returns the disease profiles that a level switches on, and those of more, that
// were switched on beside it, sorted by id.
func (h Health) Profiles(rank int, more []string) []agreement.Profile {
	var out []agreement.Profile
	for _, id := range h.on(rank, more) {
		if p, ok := h.c.e.Profiles[id]; ok {
			out = append(out, p)
		}
	}
	return out
}

// on are the ids of profiles, sorted and each once.
func (h Health) on(rank int, more []string) []string {
	if len(more) == 0 {
		return h.c.levels[rank] // shared, and changed by nobody
	}
	out := slices.Concat(h.c.e.Levels[rank].Profiles, more)
	out = slices.DeleteFunc(out, func(id string) bool { return !h.Known(id) })
	slices.Sort(out)
	return slices.Compact(out)
}

// sameLevels reports whether two editions mean the same by each level.
func sameLevels(a, b *agreement.Edition) bool {
	return slices.EqualFunc(a.Levels, b.Levels, func(x, y agreement.Level) bool {
		return x.ID == y.ID && slices.EqualFunc(x.Profiles, y.Profiles, func(p, q string) bool { return p == q && a.Profiles[p].Disease == b.Profiles[q].Disease })
	})
}

// profilesOf are the profiles of each level, sorted.
func profilesOf(e *agreement.Edition) [][]string {
	out := make([][]string, len(e.Levels))
	for i, l := range e.Levels {
		out[i] = slices.Sorted(slices.Values(l.Profiles))
		if out[i] == nil {
			out[i] = []string{}
		}
	}
	return out
}

// Known reports whether the edition has a profile.
func (h Health) Known(profile string) bool {
	_, ok := h.c.e.Profiles[profile]
	return ok
}

// Places returns how many of n places of a side are left at a level, rounded down.
func (h Health) Places(rank int, side agreement.Side, n uint32) uint32 {
	share, known := h.number(h.c.e.Levels[rank].Capacity, side)
	switch {
	case h.c.e.Levels[rank].Capacity == "":
		return n
	case !known: // the text leaves it empty: nothing is sold on a guess
		return 0
	}
	return uint32(int64(n) * min(max(share, 0), whole) / whole)
}

// Number returns a parameter that a profile or a level names, in its unit. known is false
// where the text leaves it empty.
func (h Health) Number(parameter string, side agreement.Side) (n int64, known bool) {
	return h.number(parameter, side)
}

func (h Health) number(id string, side agreement.Side) (int64, bool) {
	p := h.c.e.Parameters[id]
	if p == nil {
		return 0, false
	}
	on := calendar.On(h.at, h.c.sites[h.site].zone)
	v, ok := p.At(h.site, side, on)
	return v.Int, ok && v.Known
}

// Facts adds what the program gives of the level in force: its name and what it switches
// on, where the edition declares these.
func (h Health) Facts(rank int, more []string, facts Facts) {
	if _, ok := h.c.e.Attributes[agreement.AttrLevel]; ok {
		facts[agreement.AttrLevel] = h.c.e.Levels[rank].ID
	}
	if _, ok := h.c.e.Attributes[agreement.AttrProfiles]; ok {
		facts[agreement.AttrProfiles] = h.on(rank, more)
	}
}

// Clauses returns the clauses that read the level in force or what it switches on,
// sorted by id.
func (h Health) Clauses() []*agreement.Clause {
	var out []*agreement.Clause
	for _, p := range h.c.points {
		for _, k := range p.clauses {
			reads := slices.ContainsFunc(k.reads, func(i int) bool {
				return h.c.attrs[i].id == agreement.AttrLevel || h.c.attrs[i].id == agreement.AttrProfiles
			})
			if reads && !slices.Contains(out, k.Clause) {
				out = append(out, k.Clause)
			}
		}
	}
	slices.SortFunc(out, func(a, b *agreement.Clause) int { return strings.Compare(a.ID, b.ID) })
	return out
}
