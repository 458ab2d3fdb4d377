// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"slices"
	"time"

	"darwaza.dev/internal/fact"
	"darwaza.dev/internal/pass"
	"darwaza.dev/internal/reason"
)

// maxScans is how many scans of one pass are kept. Scans that moved nobody are let go
// first, the oldest of them before the others, and refusals after all that were none: a
// hand scanner that hangs can repeat itself for hours.
const maxScans = 100

// maxStrays is how many scans without a pass are kept of a site's day. Their facts are
// in the record in any case.
const maxStrays = 10_000

const serialKey = "scan"

// Apply makes what a fact says of the state. It never refuses, consults no edition and
// passes over facts of other desks.
func Apply(st State, at time.Time, f fact.Fact) {
	switch f := f.(type) {
	case *Scanned:
		st.scanned(at, f)
	case *Decided:
		st.decided(at, f)
	case *Changed:
		st.changed(f)
	case *Lapsed:
		st.lapsed(f)
	case *GoodsDecided:
		st.goodsDecided(f)
	case *GoodsLapsed:
		st.goodsLapsed(f)
	case *Undone:
		st.undone(at, f)
	case *Settled:
		st.settled(at, f)
	case *DayClosed:
		d := st.day(f.Site, f.Day)
		d.Closed, d.ClosedBy, d.ClosedAt = true, f.Officer, at
		st.putDay(d)
	case *ListHeard:
		st.listHeard(at, f)
	case *MovesHeard:
		st.movesHeard(at, f)
	case *PersonTwice:
		st.personTwice(f)
	}
}

func (st State) day(site, day uint16) SiteDay {
	d, _ := st.Days.Get(SiteDayKey{Site: site, Day: day})
	d.Site, d.Day = site, day
	return d
}

func (st State) putDay(d SiteDay) { st.Days.Put(SiteDayKey{Site: d.Site, Day: d.Day}, d) }

// run brings the contact integral up to an instant. Whole seconds by the clock, not
// spans that were each cut off, so that the sum is exact whatever happens in between.
func (d *SiteDay) run(at time.Time) {
	if s := at.Unix() - d.ChangedAt.Unix(); !d.ChangedAt.IsZero() && s > 0 && d.Inside > 1 {
		d.Contact += uint64(d.Inside) * uint64(d.Inside-1) * uint64(s)
	}
	if at.After(d.ChangedAt) {
		d.ChangedAt = at
	}
}

// ContactUntil returns the contact integral up to an instant: N(N-1) over time, in
// person-seconds. Divided by 3,600 it is contact-hours.
func (d SiteDay) ContactUntil(now time.Time) uint64 {
	d.run(now)
	return d.Contact
}

// arrive counts people in.
func (d *SiteDay) arrive(at time.Time, n uint32) {
	d.run(at)
	d.Inside += n
	if d.Inside > d.Peak {
		d.Peak, d.PeakAt = d.Inside, at
	}
}

// depart counts people out. There are never fewer than none.
func (d *SiteDay) depart(at time.Time, n uint32) {
	d.run(at)
	d.Inside -= min(d.Inside, n)
}

func less(n *uint32, by uint32) { *n -= min(*n, by) }

// count lets the people of a pass in or out, and marks the scan that did it.
func (p *Presence) count(d *SiteDay, s *Scan, at time.Time) {
	s.Counted = true
	switch {
	case s.Direction == In:
		if p.Inside {
			// An officer let the pass in again: it must have left unseen. Whoever is inside
			// stays counted once.
			s.Assumed = true
			d.Exits += p.People
			d.Settled += p.People
		} else {
			d.arrive(at, p.People)
		}
		d.Entries += p.People
		p.Inside, p.Since = true, at
		p.Visits++
	case p.Inside:
		d.depart(at, p.People)
		d.Exits += p.People
		stay := max(at.Sub(p.Since), 0)
		p.Dwell += stay
		d.DwellTotal += stay
		d.DwellCount++
		p.Inside, p.Since = false, time.Time{}
	default:
		s.Unmatched = true
		d.Exits += p.People
		d.Unmatched += p.People
	}
}

func (p *Presence) add(s Scan) {
	p.Scans = append(slices.Clip(p.Scans), s)
	if len(p.Scans) <= maxScans {
		return
	}
	i := slices.IndexFunc(p.Scans[:maxScans], func(s Scan) bool { return !s.Counted && s.Outcome != reason.Refuse })
	if i < 0 {
		i = slices.IndexFunc(p.Scans[:maxScans], func(s Scan) bool { return !s.Counted })
	}
	p.Scans = slices.Delete(slices.Clone(p.Scans), max(i, 0), max(i, 0)+1)
}

// find returns a copy of the presence's scans, and the one with the serial in it.
func (p *Presence) find(serial uint64) *Scan {
	p.Scans = slices.Clone(p.Scans)
	i := slices.IndexFunc(p.Scans, func(s Scan) bool { return s.Serial == serial })
	if i < 0 {
		return nil
	}
	return &p.Scans[i]
}

// counts is the row of the day that a presence is counted in: where it is inside, the
// day of its entry, even when that was yesterday, else the day at hand. A presence that
// comes to another day is put down for it.
func (st State) counts(p *Presence, known bool, site, day uint16) SiteDay {
	if known && p.Inside {
		site, day = p.Site, p.Day
	}
	d := st.day(site, day)
	if !known || p.Site != site || p.Day != day {
		p.Site, p.Day = site, day
		st.Roster.Put(RosterKey{Site: site, Day: day, Pos: d.Roster}, p.Pass)
		d.Roster++
	}
	return d
}

func (st State) scanned(at time.Time, f *Scanned) {
	last, _ := st.Serials.Get(serialKey)
	st.Serials.Put(serialKey, max(last, f.Serial))
	if f.Pass == (pass.ID{}) {
		d := st.day(f.Site, f.Day)
		d.note(f.Outcome, f.Reasons)
		if d.Strays < maxStrays {
			st.Strays.Put(RosterKey{Site: f.Site, Day: f.Day, Pos: d.Strays}, f.scan(at))
		}
		d.Strays++
		st.putDay(d)
		return
	}
	p, known := st.Presences.Get(f.Pass)
	p.Pass = f.Pass
	d := st.counts(&p, known, f.Site, f.Day)
	d.note(f.Outcome, f.Reasons)
	p.Gen, p.Issuer, p.Slot, p.Class, p.Theirs = f.Gen, f.Issuer, f.Slot, f.Class, f.Theirs
	if !p.Inside {
		p.People = f.People
	}
	if f.Tag != ([16]byte{}) {
		p.Tag = f.Tag
	}
	s := f.scan(at)
	if f.Counted() {
		p.count(&d, &s, at)
		st.counted(&p, &s, at)
	}
	p.Pending = 0
	if f.Outcome.NeedsOfficer() {
		p.Pending = f.Serial
	}
	for _, c := range f.Corrects {
		if old := p.find(c.Serial); old != nil && old.Corrected == 0 {
			old.Corrected = f.Serial
			d.unnote(c.Reasons)
		}
	}
	p.add(s)
	st.Presences.Put(f.Pass, p)
	st.putDay(d)
}

// scan is the scan as it is kept.
func (f *Scanned) scan(at time.Time) Scan {
	s := Scan{Serial: f.Serial, Direction: f.Direction, Gate: f.Gate, At: at, Officer: f.Officer, Outcome: f.Outcome,
		Reasons: f.Reasons, Minute: f.Minute, Found: f.Found, Goods: f.Goods, GoodsWhy: f.GoodsWhy, Document: f.Document, Gen: f.Gen}
	if f.Goods != reason.None {
		s.GoodsSite, s.GoodsDay = f.Site, f.Day
	}
	return s
}

// note counts an answer.
func (d *SiteDay) note(o reason.Outcome, rs []reason.Reason) {
	if o == reason.Refuse || o == reason.Closed {
		d.Refused++
	}
	for _, r := range rs {
		if r.Code == CodeTwiceIn || r.Code == CodeTwiceOut {
			d.Doubles++
		}
	}
}

// unnote takes back what a refusal has counted that was put right.
func (d *SiteDay) unnote(rs []reason.Reason) {
	less(&d.Refused, 1)
	for _, r := range rs {
		if r.Code == CodeTwiceIn {
			less(&d.Doubles, 1)
		}
	}
}

func (st State) decided(at time.Time, f *Decided) {
	p, ok := st.Presences.Get(f.Pass)
	if !ok {
		return
	}
	s := p.find(f.Serial)
	if s == nil || s.Decided != "" {
		return
	}
	d := st.counts(&p, true, f.Site, f.Day)
	d.Referred++
	s.Decided, s.Admitted, s.Why = f.Officer, f.Admit, f.Why
	if f.Admit {
		s.At, s.Minute = at, f.Minute // the people move now
		p.count(&d, s, at)
		st.counted(&p, s, at)
	}
	if p.Pending == f.Serial {
		p.Pending = 0
	}
	st.Presences.Put(f.Pass, p)
	st.putDay(d)
}

func (st State) changed(f *Changed) {
	p, ok := st.Presences.Get(f.Pass)
	if !ok {
		return
	}
	s := p.find(f.Serial)
	if s == nil || s.Decided != "" {
		return
	}
	s.Outcome = f.Outcome
	s.Reasons = append(slices.Clone(s.Reasons), f.Reasons...)
	reason.Sort(s.Reasons)
	if p.Pending == f.Serial && !f.Outcome.NeedsOfficer() {
		p.Pending = 0
	}
	d := st.counts(&p, true, f.Site, f.Day)
	d.note(f.Outcome, f.Reasons)
	st.Presences.Put(f.Pass, p)
	st.putDay(d)
}

func (st State) lapsed(f *Lapsed) {
	d := st.day(f.Site, f.Day)
	for i, id := range f.Passes {
		p, ok := st.Presences.Get(id)
		if !ok || i >= len(f.Serials) {
			continue
		}
		s := p.find(f.Serials[i])
		if s == nil || s.Decided != "" || s.Void || s.Lapsed {
			continue
		}
		s.Lapsed = true
		if p.Pending == s.Serial {
			p.Pending = 0
		}
		d.Lapsed++
		st.Presences.Put(id, p)
	}
	st.putDay(d)
}

func (st State) undone(at time.Time, f *Undone) {
	p, ok := st.Presences.Get(f.Pass)
	if !ok {
		return
	}
	s := p.find(f.Serial)
	if s == nil || s.Void {
		return
	}
	s.Void = true
	if p.Pending == f.Serial {
		p.Pending = 0
	}
	if s.Counted {
		d := st.day(p.Site, p.Day)
		p.takeBack(&d, s, at)
		st.putDay(d)
		st.undoneTold(&p, s, at)
	}
	st.Presences.Put(f.Pass, p)
}

// takeBack takes back what a scan has counted. It is the last scan that moved people,
// so what was before it holds again. The day's peak stays: who was inside at that
// moment cannot be told any more, and too high is the safe error.
func (p *Presence) takeBack(d *SiteDay, s *Scan, at time.Time) {
	s.Counted = false
	before := p.entry() // the entry before this scan, if any
	switch {
	case s.Direction == In:
		less(&d.Entries, p.People)
		less(&p.Visits, 1)
		if s.Assumed {
			less(&d.Exits, p.People)
			less(&d.Settled, p.People)
			p.Since = before
			break
		}
		d.depart(at, p.People)
		p.Inside, p.Since = false, time.Time{}
	case s.Unmatched:
		less(&d.Exits, p.People)
		less(&d.Unmatched, p.People)
	default:
		d.arrive(at, p.People)
		less(&d.Exits, p.People)
		if s.Settled {
			less(&d.Settled, p.People)
		} else {
			stay := max(s.At.Sub(before), 0)
			p.Dwell -= min(p.Dwell, stay)
			d.DwellTotal -= min(d.DwellTotal, stay)
			less(&d.DwellCount, 1)
		}
		p.Inside, p.Since = true, before
	}
}

// entry returns when the newest entry that still counts was made.
func (p *Presence) entry() time.Time {
	for i := len(p.Scans) - 1; i >= 0; i-- {
		if s := p.Scans[i]; s.Counted && s.Direction == In {
			return s.At
		}
	}
	return time.Time{}
}

func (st State) settled(at time.Time, f *Settled) {
	d := st.day(f.Site, f.Day)
	serial := f.First
	for _, id := range f.Passes {
		p, ok := st.Presences.Get(id)
		if ok && p.Inside {
			p.add(Scan{Serial: serial, Direction: Out, At: at, Officer: f.Officer, Outcome: reason.Allow, Counted: true, Settled: true, Minute: f.Minute})
			d.depart(at, p.People)
			d.Exits += p.People
			d.Settled += p.People
			p.Inside, p.Since = false, time.Time{}
			st.tell(&p, LeftOpen, at)
			st.Presences.Put(id, p)
		}
		serial++
	}
	last, _ := st.Serials.Get(serialKey)
	if len(f.Passes) > 0 {
		last = max(last, serial-1)
	}
	st.Serials.Put(serialKey, last)
	st.putDay(d)
}
