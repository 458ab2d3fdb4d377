// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package service

import (
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/closure"
	"darwaza.dev/internal/intake"
	"darwaza.dev/internal/people"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/protocol"
	"darwaza.dev/internal/rules"
)

// SetLevel brings a level of protection in at a site, for this side.
type SetLevel struct {
	Site      uint16           `cbor:"1,keyasint"`
	Level     string           `cbor:"2,keyasint"`
	From      time.Time        `cbor:"3,keyasint"` // zero is as soon as the notice allows
	Emergency bool             `cbor:"4,keyasint,omitempty"`
	Officer   people.OfficerID `cbor:"5,keyasint"`
	// Profiles are disease profiles to switch on beside those of the level.
	Profiles []string `cbor:"6,keyasint,omitempty"`
}

// LevelAnswer is the answer to SetLevel. Where the verdict is against it, Change is empty
// and nothing was recorded.
type LevelAnswer struct {
	Verdict rules.Verdict   `cbor:"1,keyasint"`
	Change  protocol.Change `cbor:"2,keyasint"`
}

// HearLevels takes over what the other side has brought in, by site.
type HearLevels struct {
	Sites []SiteLevels `cbor:"1,keyasint"`
}

// SiteLevels is what a side has brought in at a site.
type SiteLevels struct {
	Site    uint16            `cbor:"1,keyasint"`
	Changes []protocol.Change `cbor:"2,keyasint,omitempty"`
}

// HearLevelsAnswer is the answer to HearLevels: Kept is false where nothing was new.
type HearLevelsAnswer struct {
	Kept bool `cbor:"1,keyasint,omitempty"`
}

// CommandKind names the command in logs and in forwarding.
func (SetLevel) CommandKind() string   { return "level.set" }
func (HearLevels) CommandKind() string { return "level.hear" }

// Keys names what both sides have brought in.
func (c SetLevel) Keys(k *Keys) { k.levels(c.Site) }

// Keys names what both sides have brought in.
func (c HearLevels) Keys(k *Keys) {
	for _, s := range c.Sites {
		k.levels(s.Site)
	}
}

// levels names the rows that say which level holds at a site, what is committed there, and what closes it.
func (k *Keys) levels(site uint16) {
	k.Levels = append(k.Levels, protocol.Key{Site: site, Side: agreement.A}, protocol.Key{Site: site, Side: agreement.B})
	k.Intake = append(k.Intake, intake.Key{Site: site, Side: agreement.A}, intake.Key{Site: site, Side: agreement.B})
	k.Closures = append(k.Closures, closure.Key{Site: site, Side: agreement.A}, closure.Key{Site: site, Side: agreement.B})
}

func (tx *Tx) protocol() protocol.Desk {
	return protocol.Desk{State: tx.Levels, Law: tx.Law, Side: tx.Side, Now: tx.Now}
}

// Run brings the level in, where the officer has a role that the edition names and the
// notice is long enough.
func (c SetLevel) Run(tx *Tx) (any, error) {
	if err := tx.whole(); err != nil {
		return nil, err
	}
	o, err := tx.acting(c.Officer, c.Site, people.Roles[:])
	if err != nil {
		return nil, err
	}
	facts, v, change, err := tx.protocol().DecideLevel(c.wish(o.Roles))
	if err != nil {
		return nil, err
	}
	tx.record(facts)
	return LevelAnswer{Verdict: v, Change: change}, nil
}

// mostSites is how many sites one message tells of.
const mostSites = 1000

// Run takes over what is new.
func (c HearLevels) Run(tx *Tx) (any, error) {
	if err := tx.whole(); err != nil {
		return nil, err
	}
	if len(c.Sites) > mostSites {
		return nil, problem.New(problem.Limit, "level.sites")
	}
	kept := false
	for _, s := range c.Sites {
		facts, err := tx.protocol().DecideHeard(s.Site, s.Changes)
		if err != nil {
			return nil, err
		}
		tx.record(facts)
		kept = kept || len(facts) > 0
	}
	return HearLevelsAnswer{Kept: kept}, nil
}

// LevelsFor returns what a side has brought in at the sites of the editions in force, for
// the other side.
func LevelsFor(st State, law *Law, side agreement.Side, now time.Time) (out []SiteLevels) {
	d := protocol.Desk{State: st.Levels, Law: law, Side: side, Now: now}
	for _, s := range law.Sites(now) {
		if _, ok := law.Health(s.Number, now); ok {
			out = append(out, SiteLevels{Site: s.Number, Changes: d.Own(s.Number)})
		}
	}
	return out
}

// LevelAt returns the level in force at a site, what the edition says of it, and when the
// next change is known to come. ok is false where the edition has no levels.
func LevelAt(st State, law *Law, site uint16, t time.Time) (l protocol.Level, h rules.Health, next time.Time, ok bool) {
	if h, ok = law.Health(site, t); !ok {
		return l, h, next, false
	}
	return st.Levels.At(h, site, t), h, st.Levels.Coming(site, t), true
}

// LevelsOf returns what a side has brought in at a site and still counts: what holds,
// what is planned and what has not lapsed.
func LevelsOf(st State, site uint16, side agreement.Side, now time.Time) []protocol.Change {
	return st.Levels.Standing(site, side, now)
}

// PlanLevel answers SetLevel for an officer's roles as it would be answered now, and
// records nothing. Where it is allowed and c.From is zero, From of the change is the
// earliest time at which the level can begin.
func PlanLevel(st State, law *Law, side agreement.Side, c SetLevel, roles []people.Role, now time.Time) (LevelAnswer, error) {
	d := protocol.Desk{State: st.Levels, Law: law, Side: side, Now: now}
	_, v, change, err := d.DecideLevel(c.wish(roles))
	return LevelAnswer{Verdict: v, Change: change}, err
}

func (c SetLevel) wish(roles []people.Role) protocol.Wish {
	w := protocol.Wish{Site: c.Site, Level: c.Level, From: c.From, Emergency: c.Emergency, Profiles: c.Profiles, Officer: string(c.Officer)}
	for _, r := range roles {
		w.Roles = append(w.Roles, string(r))
	}
	return w
}

// NextLevel returns the next level that is another one than that of now, or has other
// profiles beside it, and from when; ok is false where none is known.
func NextLevel(st State, law *Law, site uint16, now time.Time) (l protocol.Level, from time.Time, ok bool) {
	h, ok := law.Health(site, now)
	if !ok {
		return l, from, false
	}
	was := st.Levels.At(h, site, now).Key()
	for from = st.Levels.Coming(site, now); !from.IsZero(); from = st.Levels.Coming(site, from) {
		if h, ok = law.Health(site, from); !ok {
			return l, from, false
		}
		if l = st.Levels.At(h, site, from); l.Key() != was {
			return l, from, true
		}
	}
	return l, from, false
}
