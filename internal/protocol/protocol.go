// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

// Package protocol keeps which level of protection holds at a site, and decides who may
// change it, when. The levels, and what each of them does, are the edition's.
//
// Each side brings levels in for itself; at a site the stricter of what the two sides
// have brought in holds, as far as each has heard of the other. So one side can narrow,
// and only both can widen.
package protocol

import (
	"cmp"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/fact"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/reason"
	"darwaza.dev/internal/rules"
	"darwaza.dev/internal/table"
)

// Key names what one side has brought in at a site.
type Key struct {
	Site uint16
	Side agreement.Side
}

// A Change is a level that a side brings in.
type Change struct {
	Level string    `cbor:"1,keyasint"`
	From  time.Time `cbor:"2,keyasint"`
	Until time.Time `cbor:"3,keyasint"` // when it lapses by itself, zero where it does not
	Said  time.Time `cbor:"4,keyasint"`
	// Officer is the id of who brought it in at this side's server, empty for the other side's.
	Officer string `cbor:"5,keyasint,omitempty"`
	// Profiles are disease profiles that are switched on beside those of the level, sorted.
	Profiles []string `cbor:"6,keyasint,omitempty"`
}

// Emergency reports whether the change was brought in at once and lapses by itself.
func (c Change) Emergency() bool { return !c.Until.IsZero() }

// over reports whether nothing of the change is left at a time.
func (c Change) over(t time.Time) bool { return c.Emergency() && !t.Before(c.Until) }

// Standing is what a side has brought in: changes that still count, by From and Said. Of
// those that do not lapse the last one that has begun holds; each that lapses holds beside
// it as long as it lasts.
type Standing struct {
	Changes []Change `cbor:"1,keyasint,omitempty"`
}

// holding yields the levels that hold at a time.
func (s Standing) holding(t time.Time, yield func(Change)) {
	base, any := Change{}, false
	for _, c := range s.Changes {
		switch {
		case t.Before(c.From) || c.over(t):
		case c.Emergency():
			yield(c)
		default:
			base, any = c, true
		}
	}
	if any {
		yield(base)
	}
}

// rank is the strictest level that holds at a time, as its place from the mildest.
func (s Standing) rank(h rules.Health, t time.Time) (rank int, by Change) {
	s.holding(t, func(c Change) {
		if n := h.Rank(c.Level); n > rank {
			rank, by = n, c
		}
	})
	return rank, by
}

// base is what holds at a time apart from what lapses; its level is empty where that is
// the mildest.
func (s Standing) base(t time.Time) (base Change) {
	for _, c := range s.Changes {
		if !c.Emergency() && !t.Before(c.From) {
			base = c
		}
	}
	return base
}

// State is what the desk knows.
type State struct {
	Standings table.Table[Key, Standing]
}

// Level is what holds at a site at a time.
type Level struct {
	Rank  int
	ID    string
	Side  agreement.Side // whose change it is, empty where nobody has brought anything in
	Since time.Time
	Until time.Time // when it lapses, zero where it does not
	// Profiles are those that either side has switched on beside those of levels, sorted.
	Profiles []string
}

// Key is the level with what is switched on beside it: equal where the law is told the
// same of them.
func (l Level) Key() string {
	if len(l.Profiles) == 0 {
		return l.ID
	}
	return l.ID + " " + strings.Join(l.Profiles, " ")
}

// At returns the level in force at a site at a time, as far as is known now.
func (st State) At(h rules.Health, site uint16, t time.Time) Level {
	out := Level{ID: h.Levels()[0].ID}
	for _, side := range [...]agreement.Side{agreement.A, agreement.B} {
		s, ok := st.Standings.Get(Key{Site: site, Side: side})
		if !ok {
			continue
		}
		if n, c := s.rank(h, t); n > out.Rank {
			out.Rank, out.ID, out.Side, out.Since, out.Until = n, h.Levels()[n].ID, side, c.From, c.Until
		}
		s.holding(t, func(c Change) { out.Profiles = append(out.Profiles, c.Profiles...) })
	}
	slices.Sort(out.Profiles)
	out.Profiles = slices.Compact(out.Profiles)
	return out
}

// Coming returns the next instant after a time at which the level at a site may be
// another one, as far as is known now; zero where none is.
func (st State) Coming(site uint16, after time.Time) time.Time {
	var next time.Time
	for _, side := range [...]agreement.Side{agreement.A, agreement.B} {
		s, _ := st.Standings.Get(Key{Site: site, Side: side})
		for _, c := range s.Changes {
			for _, t := range [...]time.Time{c.From, c.Until} {
				if t.After(after) && (next.IsZero() || t.Before(next)) {
					next = t
				}
			}
		}
	}
	return next
}

// Facts adds what the law is told of the level at a site at a time, where the edition
// that runs it has levels.
func (st State) Facts(l *rules.Law, site uint16, t time.Time, facts rules.Facts) {
	if h, ok := l.Health(site, t); ok {
		x := st.At(h, site, t)
		h.Facts(x.Rank, x.Profiles, facts)
	}
}

// Desk is what a decision looks at.
type Desk struct {
	State
	Law  *rules.Law
	Side agreement.Side
	Now  time.Time
}

// Wish is an officer's wish to bring a level in at a site.
type Wish struct {
	Site  uint16
	Level string
	// From is when it begins; zero is as soon as the notice allows.
	From time.Time
	// Emergency brings it in at once, for as long as the edition lets it last.
	Emergency bool
	// Profiles are disease profiles to switch on beside those of the level.
	Profiles []string
	Officer  string
	Roles    []string // of the officer
}

// mostAhead is how far ahead a change can be planned.
const mostAhead = 366 * 24 * time.Hour

// maxChanges is how many changes of a side can stand at a site at once.
const maxChanges = 16

// DecideLevel decides whether a side may bring a level in. What the edition does not
// allow is a verdict with a reason, and nothing is recorded.
func (d Desk) DecideLevel(w Wish) ([]fact.Fact, rules.Verdict, Change, error) {
	h, ok := d.Law.Health(w.Site, d.Now)
	if !ok {
		return nil, rules.Verdict{}, Change{}, problem.New(problem.NotFound, "level.none")
	}
	n := slices.IndexFunc(h.Levels(), func(l agreement.Level) bool { return l.ID == w.Level })
	if n < 0 {
		return nil, rules.Verdict{}, Change{}, problem.Field("level", "level.unknown")
	}
	profiles := slices.Compact(slices.Sorted(slices.Values(w.Profiles)))
	profiles = slices.DeleteFunc(profiles, func(id string) bool { return slices.Contains(h.Levels()[n].Profiles, id) })
	if slices.ContainsFunc(profiles, func(id string) bool { return !h.Known(id) }) || n == 0 && len(profiles) > 0 {
		return nil, rules.Verdict{}, Change{}, problem.Field("profiles", "level.profiles")
	}
	if w.Officer == "" {
		return nil, rules.Verdict{}, Change{}, problem.Field("officer", "level.officer")
	}
	v := d.plain(w.Site)
	s, _ := d.Standings.Get(Key{Site: w.Site, Side: d.Side})
	c := Change{Level: w.Level, From: w.From, Said: d.Now, Officer: w.Officer, Profiles: profiles}
	if !w.From.IsZero() && (w.From.Before(d.Now) || w.From.Sub(d.Now) > mostAhead) {
		return nil, rules.Verdict{}, Change{}, problem.Field("from", "level.from")
	}
	if w.Emergency {
		return d.emergency(h, s, w, c, n, v)
	}
	// What stands at the beginning of the change may be a plan itself, and where it begins
	// as soon as may be, that turns on the notice: it is looked for until it stays.
	first := c.From
	if first.IsZero() {
		first = d.Now
	}
	var earliest time.Time
	for range len(s.Changes) + 2 {
		notice, gates, err := d.notice(h, s.base(first), n, profiles)
		if err != nil {
			return nil, rules.Verdict{}, Change{}, err
		}
		if notice < 0 {
			return nil, v.With(refuse(CodeEmergency, "level", w.Level)), Change{}, nil
		}
		if slices.ContainsFunc(gates, func(l agreement.Level) bool { return !may(l, w.Roles) }) {
			return nil, rules.Verdict{}, Change{}, problem.New(problem.Forbidden, "level.role")
		}
		earliest = ceil(d.Now.Add(notice))
		if !c.From.IsZero() || !first.Before(earliest) {
			break
		}
		first = earliest
	}
	switch {
	case c.From.IsZero():
		c.From = first
	case c.From.Before(earliest):
		return nil, v.With(refuse(CodeNotice, "level", w.Level, "earliest", earliest.Format(time.RFC3339))), Change{}, nil
	}
	return d.set(w.Site, h, s, c, v)
}

// notice is how long before a change of what stands has to be said, and the levels whose
// roles are needed to say it: that which is left, and that which comes in. It is negative
// where the level comes in at once or not at all.
func (d Desk) notice(h rules.Health, base Change, n int, profiles []string) (time.Duration, []agreement.Level, error) {
	was, level := h.Rank(base.Level), h.Levels()[n]
	old := h.Levels()[was]
	// Whatever is no longer asked for widens, and whatever is asked for anew narrows.
	wider := n < was || slices.ContainsFunc(base.Profiles, func(id string) bool { return !slices.Contains(profiles, id) && !slices.Contains(level.Profiles, id) })
	narrower := n > was || slices.ContainsFunc(profiles, func(id string) bool { return !slices.Contains(base.Profiles, id) && !slices.Contains(old.Profiles, id) })
	switch {
	case narrower && level.Raise == 0:
		return -1, []agreement.Level{level}, nil
	case wider && narrower:
		return max(old.Lower, level.Raise), []agreement.Level{old, level}, nil
	case wider:
		return old.Lower, []agreement.Level{old}, nil
	case !narrower:
		return 0, nil, problem.New(problem.Conflict, "level.same")
	}
	return level.Raise, []agreement.Level{level}, nil
}

// emergency decides on a level that is brought in at once and lapses by itself.
func (d Desk) emergency(h rules.Health, s Standing, w Wish, c Change, n int, v rules.Verdict) ([]fact.Fact, rules.Verdict, Change, error) {
	level := h.Levels()[n]
	if n > 0 && !may(level, w.Roles) {
		return nil, rules.Verdict{}, Change{}, problem.New(problem.Forbidden, "level.role")
	}
	rank, _ := s.rank(h, d.Now)
	asked := s.profiles(h, d.Now)
	fresh := slices.ContainsFunc(c.Profiles, func(id string) bool { return !slices.Contains(asked, id) })
	switch {
	case level.Emergency == 0 || n < rank || n == rank && !fresh:
		return nil, v.With(refuse(CodeEmergency, "level", w.Level)), Change{}, nil
	case !w.From.IsZero() && w.From.After(d.Now.Add(time.Minute)):
		return nil, rules.Verdict{}, Change{}, problem.Field("from", "level.emergency.from")
	}
	for _, x := range s.Changes {
		// What lapses by itself is not prolonged by saying it again.
		asks := func(id string) bool {
			return slices.Contains(x.Profiles, id) || slices.Contains(h.Levels()[h.Rank(x.Level)].Profiles, id)
		}
		again := !slices.ContainsFunc(c.Profiles, func(id string) bool { return !asks(id) })
		if m := h.Rank(x.Level); x.Emergency() && again && m >= n && d.Now.Before(x.Until.Add(h.Levels()[m].Emergency)) {
			return nil, v.With(refuse(CodeProlonged, "level", w.Level, "earliest", x.Until.Add(h.Levels()[m].Emergency).Format(time.RFC3339))), Change{}, nil
		}
	}
	c.From, c.Until = d.Now, d.Now.Add(level.Emergency)
	return d.set(w.Site, h, s, c, v)
}

func may(l agreement.Level, roles []string) bool {
	return slices.ContainsFunc(l.By, func(r string) bool { return slices.Contains(roles, r) })
}

// ceil is the first whole minute that is not before t.
func ceil(t time.Time) time.Time {
	if m := t.Truncate(time.Minute); m.Before(t) {
		return m.Add(time.Minute)
	}
	return t
}

func refuse(c reason.Code, params ...string) reason.Reason {
	r := reason.Reason{Code: c, Outcome: reason.Refuse, Params: map[string]string{}}
	for i := 0; i+1 < len(params); i += 2 {
		r.Params[params[i]] = params[i+1]
	}
	return r
}

// plain is a verdict on what no clause is asked about.
func (d Desk) plain(site uint16) rules.Verdict {
	v := rules.Verdict{Point: rules.Duty, Outcome: reason.Allow, At: d.Now}
	if e, ok := d.Law.EditionFor(site, d.Now); ok {
		v.Agreement, v.Edition = e.ID, hex.EncodeToString(e.Hash[:])
	}
	return v
}

// set records a change with what stands beside it.
func (d Desk) set(site uint16, h rules.Health, s Standing, c Change, v rules.Verdict) ([]fact.Fact, rules.Verdict, Change, error) {
	list := s.with(h, c, d.Now)
	if len(list) > maxChanges {
		return nil, rules.Verdict{}, Change{}, problem.New(problem.Conflict, "level.many")
	}
	return []fact.Fact{&Set{Site: site, Side: string(d.Side), Change: c, Standing: list}}, v, c, nil
}

// with adds a change. It takes the place of plans that begin with it or later and are no
// stricter; those that stay keep what it has switched on, which nobody has given notice of
// switching off. What another has replaced is left out, and so is what has lapsed and may
// be said again.
func (s Standing) with(h rules.Health, c Change, now time.Time) []Change {
	var out []Change
	last := -1 // the change without an end that holds
	for _, x := range s.Changes {
		switch {
		case x.Emergency() && !now.Before(x.Until.Add(h.Levels()[h.Rank(x.Level)].Emergency)):
		case x.Emergency():
			out = append(out, x)
		case x.From.After(now):
			replaced := !c.Emergency() && !x.From.Before(c.From) && h.Rank(x.Level) <= h.Rank(c.Level) &&
				!slices.ContainsFunc(x.Profiles, func(id string) bool { return !slices.Contains(c.Profiles, id) })
			if !replaced {
				if !c.Emergency() && !x.From.Before(c.From) {
					x.Profiles = beside(h, x, c.Profiles)
				}
				out = append(out, x)
			}
		case last >= 0:
			out[last] = x
		default:
			last = len(out)
			out = append(out, x)
		}
	}
	out = append(out, c)
	slices.SortStableFunc(out, func(a, b Change) int { return a.From.Compare(b.From) })
	return out
}

// beside are the profiles of a change with more switched on, but for those of its level.
func beside(h rules.Health, x Change, more []string) []string {
	out := slices.Concat(x.Profiles, more)
	out = slices.DeleteFunc(out, func(id string) bool { return slices.Contains(h.Levels()[h.Rank(x.Level)].Profiles, id) })
	slices.Sort(out)
	return slices.Compact(out)
}

// profiles are all that a side asks for at a time, of its levels and beside them.
func (s Standing) profiles(h rules.Health, t time.Time) (out []string) {
	s.holding(t, func(c Change) { out = append(append(out, c.Profiles...), h.Levels()[h.Rank(c.Level)].Profiles...) })
	return out
}

// DecideHeard takes over what the other side has brought in at a site, as it says it. It
// is nothing new where that is known.
func (d Desk) DecideHeard(site uint16, changes []Change) ([]fact.Fact, error) {
	if len(changes) > maxChanges {
		return nil, problem.New(problem.Limit, "level.many")
	}
	key := Key{Site: site, Side: d.Side.Other()}
	old, _ := d.Standings.Get(key)
	var list []Change
	for _, c := range changes {
		c.Officer = "" // a person of the other side is no business of this one
		if !plain(c.Level) || len(c.Profiles) > maxChanges || slices.ContainsFunc(c.Profiles, func(id string) bool { return !plain(id) }) || !sound(c.From) || !sound(c.Said) || c.Emergency() && (!sound(c.Until) || !c.From.Before(c.Until)) {
			return nil, problem.Field("levels", "level.heard")
		}
		if !c.over(d.Now) {
			list = append(list, c)
		}
	}
	slices.SortStableFunc(list, func(a, b Change) int { return cmp.Or(a.From.Compare(b.From), a.Said.Compare(b.Said)) })
	if slices.EqualFunc(list, old.Changes, same) {
		return nil, nil
	}
	return []fact.Fact{&Heard{Site: site, Side: string(key.Side), Changes: list}}, nil
}

// sound reports whether a time can be one of a change.
func sound(t time.Time) bool { return t.Year() >= 2000 && t.Year() < 9000 }

// plain reports whether a text can be the id of a level: there is no room in one for a
// sentence of the other side's.
func plain(id string) bool {
	return id != "" && len(id) <= 60 && strings.Trim(id, "abcdefghijklmnopqrstuvwxyz0123456789.-") == ""
}

func same(a, b Change) bool {
	return a.Level == b.Level && slices.Equal(a.Profiles, b.Profiles) && a.From.Equal(b.From) && a.Until.Equal(b.Until) && a.Said.Equal(b.Said)
}

// Own returns what this side has brought in at a site and is not over, for the other side.
func (d Desk) Own(site uint16) []Change {
	s, _ := d.Standings.Get(Key{Site: site, Side: d.Side})
	var out []Change
	for _, c := range s.Changes {
		if !c.over(d.Now) {
			c.Officer = ""
			out = append(out, c)
		}
	}
	return out
}

// Standing returns what a side has brought in at a site and still counts at a time: what
// holds, what is planned and what has not lapsed, by the beginning.
func (st State) Standing(site uint16, side agreement.Side, t time.Time) []Change {
	s, _ := st.Standings.Get(Key{Site: site, Side: side})
	var out []Change
	last := -1 // the change without an end that has begun last
	for _, c := range s.Changes {
		switch {
		case c.over(t):
			continue
		case c.Emergency() || c.From.After(t):
		case last >= 0:
			out[last] = c
			continue
		default:
			last = len(out)
		}
		out = append(out, c)
	}
	return out
}
