// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"slices"
	"time"

	"darwaza.dev/internal/fact"
	"darwaza.dev/internal/pass"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/reason"
	"darwaza.dev/internal/rules"
)

// GoodsGrounds are what an officer may decide on about goods at the way out, as words:
// the texts are under "ground.goods.<word>".
var GoodsGrounds = [...]string{
	"paid",    // what is owed on the goods was paid
	"paper",   // a paper shows that they may go
	"free",    // the officer looked: nothing is owed on these goods
	"order",   // a supervisor said so
	"unpaid",  // kept: what is owed was not paid
	"unshown", // kept: what was asked for could not be shown
	"given",   // kept: the holder gave the goods up
}

// GoodsDecided says that an officer ended what the law had left to a person about goods
// at the way out.
type GoodsDecided struct {
	Pass    pass.ID  `cbor:"1,keyasint"`
	Serial  uint64   `cbor:"2,keyasint"`           // of the scan with which they leave
	Go      bool     `cbor:"3,keyasint,omitempty"` // they may go; else they are kept
	Why     string   `cbor:"4,keyasint"`           // one of GoodsGrounds
	Clauses []string `cbor:"5,keyasint,omitempty"` // that leave it to a person, in order
	Officer string   `cbor:"6,keyasint"`
	Site    uint16   `cbor:"7,keyasint"`
	Day     uint16   `cbor:"8,keyasint"`
	Minute  uint16   `cbor:"9,keyasint"`
	// Kept is true where the goods had been kept by an earlier decision on the same scan,
	// which this one ends.
	Kept bool `cbor:"10,keyasint,omitempty"`
}

// GoodsLapsed says of goods that waited for an officer's decision that their day is over:
// nobody decided. Scan i of Serials is of pass i of Passes.
type GoodsLapsed struct {
	Site    uint16    `cbor:"1,keyasint"`
	Day     uint16    `cbor:"2,keyasint"`
	Passes  []pass.ID `cbor:"3,keyasint"`
	Serials []uint64  `cbor:"4,keyasint"`
}

// FactKind names the fact.
func (GoodsDecided) FactKind() string { return "gate.goods_decided" }
func (GoodsLapsed) FactKind() string  { return "gate.goods_lapsed" }

// named returns reasons about goods as they are kept: without their parameters, but for
// the name that the agreement gives to what a clause reads and nobody here knew.
func named(rs []reason.Reason) []reason.Reason {
	out := bare(rs)
	for i, r := range rs {
		if a := r.Params["attribute"]; a != "" && r.Code == rules.CodeUnknown {
			out[i].Params = map[string]string{"attribute": a}
		}
	}
	return out
}

// GoodsScan is a scan with which goods leave.
type GoodsScan struct {
	Presence Presence
	Scan     Scan
}

// moot reports whether the goods of a scan went nowhere: it was a mistake, or was
// completed by another scan, or whoever carries them was not let out.
func (p *Presence) moot(s Scan) bool { return s.Void || !s.Counted && p.Pending != s.Serial }

// GoodsOpen reports whether the goods of a scan of the pass wait for an officer.
func (p *Presence) GoodsOpen(s Scan) bool {
	return s.Goods.NeedsOfficer() && s.GoodsBy == "" && !s.GoodsLapsed && !p.moot(s)
}

// GoodsOf returns the scans of a site and day with goods that were left to an officer,
// decided or not, in the order in which their passes were first seen.
func (st State) GoodsOf(site, day uint16) (list []GoodsScan) {
	d := st.day(site, day)
	seen := map[pass.ID]bool{}
	for pos := range d.Roster {
		id, ok := st.Roster.Get(RosterKey{Site: site, Day: day, Pos: pos})
		if !ok || seen[id] {
			continue
		}
		seen[id] = true
		p, _ := st.Presences.Get(id)
		for _, s := range p.Scans {
			if s.Goods.NeedsOfficer() && s.GoodsSite == site && s.GoodsDay == day && !p.moot(s) {
				list = append(list, GoodsScan{p, s})
			}
		}
	}
	return list
}

// GoodsRuling is an officer's decision on goods at the way out.
type GoodsRuling struct {
	Pass    pass.ID
	Serial  uint64
	Go      bool
	Why     string
	Officer string
}

// GoodsOfScan returns the scan whose goods an officer would decide on. Goods that the law
// refuses are no officer's to let go: that is a problem of kind forbidden. Goods that
// were kept may still be let go, once; those that were let go have left.
func (st State) GoodsOfScan(id pass.ID, serial uint64, let bool) (Presence, Scan, error) {
	p, ok := st.Presences.Get(id)
	if !ok {
		return p, Scan{}, problem.New(problem.NotFound, "gate.pass")
	}
	i := slices.IndexFunc(p.Scans, func(s Scan) bool { return s.Serial == serial })
	if i < 0 || p.Scans[i].Goods == reason.None {
		return p, Scan{}, problem.New(problem.NotFound, "gate.scan")
	}
	switch s := p.Scans[i]; {
	case s.Goods == reason.Refuse || s.Goods == reason.Closed:
		return p, s, problem.New(problem.Forbidden, "gate.refuse.final")
	case s.GoodsLapsed: // the desk says so
		return p, s, nil
	case !s.Goods.NeedsOfficer(), p.moot(s), s.GoodsBy != "" && (s.GoodsGo || !let):
		return p, s, problem.New(problem.Conflict, "gate.scan.done")
	default:
		return p, s, nil
	}
}

// DecideGoods records an officer's decision on goods at the way out. One that comes after
// the day of the scan is not taken: the reason is returned.
func (d Desk) DecideGoods(r GoodsRuling) ([]fact.Fact, []reason.Reason, error) {
	if !slices.Contains(GoodsGrounds[:], r.Why) {
		return nil, nil, problem.Field("why", "gate.ground")
	}
	p, s, err := d.GoodsOfScan(r.Pass, r.Serial, r.Go)
	if err != nil {
		return nil, nil, err
	}
	at, err := d.spot(s.GoodsSite, 0)
	if err != nil {
		return nil, nil, err
	}
	if at.edition == nil {
		at.day, at.minute = clock(d.Now, time.UTC)
	}
	if s.GoodsLapsed || s.GoodsDay < at.day {
		past := []reason.Reason{because(CodeGoodsPast, reason.Refuse, "day", rules.DayDate(s.GoodsDay).String())}
		if !p.GoodsOpen(s) {
			return nil, past, nil
		}
		return []fact.Fact{&GoodsLapsed{Site: s.GoodsSite, Day: s.GoodsDay, Passes: []pass.ID{p.Pass}, Serials: []uint64{s.Serial}}}, past, nil
	}
	f := &GoodsDecided{Pass: r.Pass, Serial: r.Serial, Go: r.Go, Why: r.Why, Officer: r.Officer, Site: s.GoodsSite, Day: s.GoodsDay, Minute: at.minute,
		Kept: s.GoodsBy != "", Clauses: leftTo(s.GoodsWhy)}
	return []fact.Fact{f}, nil, nil
}

// goodsLapse are the facts that end what nobody decided about goods of a day.
func (d Desk) goodsLapse(site, day uint16, most int) (facts []fact.Fact) {
	var f *GoodsLapsed
	for _, g := range d.GoodsOf(site, day) {
		if !g.Presence.GoodsOpen(g.Scan) {
			continue
		}
		if f == nil || len(f.Passes) == most {
			f = &GoodsLapsed{Site: site, Day: day}
			facts = append(facts, f)
		}
		f.Passes, f.Serials = append(f.Passes, g.Presence.Pass), append(f.Serials, g.Scan.Serial)
	}
	return facts
}

func (st State) goodsDecided(f *GoodsDecided) {
	p, ok := st.Presences.Get(f.Pass)
	if !ok {
		return
	}
	s := p.find(f.Serial)
	if s == nil || s.GoodsGo {
		return
	}
	d := st.day(f.Site, f.Day)
	if f.Kept {
		less(&d.GoodsKept, 1)
	}
	if f.Go {
		d.GoodsLet++
	} else {
		d.GoodsKept++
	}
	s.GoodsBy, s.GoodsGo, s.GoodsGround = f.Officer, f.Go, f.Why
	st.Presences.Put(f.Pass, p)
	st.putDay(d)
}

func (st State) goodsLapsed(f *GoodsLapsed) {
	d := st.day(f.Site, f.Day)
	for i, id := range f.Passes {
		p, ok := st.Presences.Get(id)
		if !ok || i >= len(f.Serials) {
			continue
		}
		if s := p.find(f.Serials[i]); s != nil && s.GoodsBy == "" && !s.GoodsLapsed {
			s.GoodsLapsed = true
			d.GoodsLapsed++
			st.Presences.Put(id, p)
		}
	}
	st.putDay(d)
}
