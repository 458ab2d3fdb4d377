// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package booking

import (
	"slices"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/fact"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/reason"
	"darwaza.dev/internal/rules"
)

// A test at a side's health desk is booked with the crossing as one thing: in one fact, moved
// and given back with it. The desk's places are in rows of the same table as slots, under
// ids that no slot of the gate has, so that nothing is sold above what the desk can do by the
// same checks (decision 0028).

// The parameters of an edition that say what a side's health desk at a site can do. Without
// the first two no test can be booked.
const (
	// paramTests is how many people the desk tests in one of its slots.
	paramTests = "testing.places"
	// paramTestSlot is how long such a slot is: 5 minutes to 4 hours. They begin at midnight
	// by the site's clock.
	paramTestSlot = "testing.slot"
	// paramTestBefore is how long before the beginning of a slot at the gate people are
	// tested for it, on the same day; 120 minutes where the edition does not say.
	paramTestBefore = "testing.before"
)

const (
	minTestSlot   = 5
	maxTestSlot   = 4 * 60
	testBefore    = 120
	maxTestBefore = 24 * 60
)

// testDesk is the top byte of the ids of a health desk's slots.
const testDesk SlotID = 1 << 56

// MakeTestSlotID names a slot of this side's health desk at a site, which begins at a minute
// of the day by the site's clock.
func MakeTestSlotID(site, day, minute uint16) SlotID {
	return testDesk | MakeSlotID(site, 0, day, minute)
}

// Testing reports whether s is a slot of a health desk and not of a gate.
func (s SlotID) Testing() bool { return s>>56 == testDesk>>56 }

// A Test is what a booking has at the health desk: a place in one of its slots for each
// adult who needs one.
type Test struct {
	Slot   SlotID   `cbor:"1,keyasint"`
	Kinds  []string `cbor:"2,keyasint"` // disease and kind of test, such as "covid19/antigen", sorted
	Places uint32   `cbor:"3,keyasint"`
}

// TestBooked says that a booking has another test than before, or with Test nil none.
type TestBooked struct {
	Ref  Ref    `cbor:"1,keyasint"`
	Slot SlotID `cbor:"2,keyasint"` // at the gate
	Test *Test  `cbor:"3,keyasint,omitempty"`
	By   string `cbor:"4,keyasint,omitempty"`
}

// FactKind names the fact.
func (TestBooked) FactKind() string { return "booking.test" }

// tested gives a booking a test, and takes its places.
func (st State) tested(b *Booking, t *Test) {
	if b.Test = t; t == nil {
		return
	}
	s := st.slot(t.Slot)
	s.Taken += t.Places
	st.put(s)
}

// untested gives back what a booking has at the health desk.
func (st State) untested(b *Booking) {
	if b.Test == nil {
		return
	}
	s := st.slot(b.Test.Slot)
	less(&s.Taken, b.Test.Places)
	st.put(s)
	b.Test = nil
}

func (st State) testBooked(f *TestBooked) {
	b, ok := st.Bookings.Get(f.Ref)
	if !ok || b.Status != Booked {
		return
	}
	st.untested(&b)
	st.tested(&b, f.Test)
	st.Bookings.Put(b.Ref, b)
}

// A TestOffer is a slot of the health desk at which somebody can be tested who crosses in a
// slot of the gate: the result is there before the slot begins, and a negative one holds
// until the latest crossing.
type TestOffer struct {
	ID          SlotID
	From, Until time.Time
	Result      time.Time // when the last result is there
	Free        uint32    // places
	// Kinds are the tests that are done, Need how many adults need one.
	Kinds []agreement.TestKind
	Names []string // as Test has them
	Need  uint32
}

// needed is what a party has to be tested for.
type needed struct {
	kinds  []agreement.TestKind
	names  []string // disease and kind, sorted
	who    []bool   // by member
	places uint32
	// minutes is the longest time from a swab to its result, good the shortest for which a
	// negative one holds; 0 where nothing says.
	minutes, good time.Duration
}

// needs returns the tests that would do for what the law asks of a party at a place: of each
// profile that is switched on the first that a clause accepts which speaks of a certificate.
func (d Desk) needs(p place, ms []Member, vendors []bool, shown []rules.Shown) needed {
	n := needed{who: make([]bool, len(ms))}
	if !p.guarded {
		return n
	}
	profiles := p.health.Profiles(p.level.Rank, p.level.Profiles)
	if !slices.ContainsFunc(profiles, func(x agreement.Profile) bool { return len(x.Tests) > 0 }) {
		return n
	}
	for i := range ms {
		v := d.askOne(p, ms, i, vendors, shown)
		for _, x := range profiles {
			k, ok := d.Law.TestFor(v, x)
			if !ok {
				continue
			}
			if !n.who[i] {
				n.who[i] = true
				n.places++
			}
			name := x.Disease + "/" + k.ID
			if slices.Contains(n.names, name) {
				continue
			}
			n.kinds, n.names = append(n.kinds, k), append(n.names, name)
			if m, ok := p.health.Number(k.Minutes, d.Side); ok {
				n.minutes = max(n.minutes, time.Duration(m)*time.Minute)
			}
			if h, ok := p.health.Number(k.Good, d.Side); ok {
				if g := time.Duration(h) * time.Hour; n.good == 0 || g < n.good {
					n.good = g
				}
			}
		}
	}
	slices.Sort(n.names)
	return n
}

// testSlots are the slots of the health desk that fit the crossing of a place for a party
// that needs something, in the order of time.
func (d Desk) testSlots(p place, n needed) []TestOffer {
	if !p.planned || n.places == 0 {
		return nil
	}
	most, ok1 := d.Law.Param(paramTests, p.site, d.Side, p.at)
	step, ok2 := d.Law.Param(paramTestSlot, p.site, d.Side, p.at)
	if !ok1 || !ok2 || most < 1 || most > 1<<20 || step < minTestSlot || step > maxTestSlot {
		return nil
	}
	before, ok := d.Law.Param(paramTestBefore, p.site, d.Side, p.at)
	if !ok {
		before = testBefore
	}
	first := p.at.Add(-time.Duration(min(max(before, 0), maxTestBefore)) * time.Minute)
	p.crosses = true
	crossing := d.crossed(p).crossing
	zone, date := d.Law.Zone(p.site), rules.DayDate(p.id.Day())
	var out []TestOffer
	for m := int64(0); m+step <= 24*60; m += step {
		from := date.At(calendar.Minute(m), zone).UTC()
		until := date.At(calendar.Minute(m+step), zone).UTC()
		o := TestOffer{ID: MakeTestSlotID(p.id.Site(), p.id.Day(), uint16(m)), From: from, Until: until, Result: until.Add(n.minutes), Kinds: n.kinds, Names: n.names, Need: n.places}
		switch {
		case from.Before(first) || !until.After(from) || o.Result.After(p.at):
		case n.good > 0 && from.Add(n.good).Before(crossing.Latest):
		default:
			s, _ := d.testRow(o.ID, most)
			o.Free = s.Free()
			out = append(out, o)
		}
	}
	return out
}

// TestSpan returns when a slot of a side's health desk begins and ends, by the edition that
// holds on its day.
func TestSpan(law *rules.Law, side agreement.Side, id SlotID) (from, until time.Time, ok bool) {
	date := rules.DayDate(id.Day())
	e, ok := law.EditionFor(id.Site(), date.At(12*60, time.UTC))
	if !ok || !id.Testing() {
		return from, until, false
	}
	site, ok := e.SiteNumbered(id.Site())
	if !ok {
		return from, until, false
	}
	from = date.At(calendar.Minute(id.Minute()), law.Zone(site.ID)).UTC()
	step, ok := law.Param(paramTestSlot, site.ID, side, from)
	return from, from.Add(time.Duration(step) * time.Minute), ok && step >= minTestSlot && step <= maxTestSlot
}

// testRow is a slot of the health desk as the edition has it now, with the fact that says so
// where the row says otherwise.
func (d Desk) testRow(id SlotID, most int64) (Slot, []fact.Fact) {
	s, ok := d.Slots.Get(id)
	if n := uint32(most); !ok || s.Allotment != n {
		s.ID, s.Allotment = id, n
		s.Excess = s.over()
		return s, []fact.Fact{&Opened{Slot: id, Allotment: n}}
	}
	return s, nil
}

// TestsFor returns the slots of the health desk that somebody can be tested in who crosses in
// a slot, as long as they have not ended: those of a party of which the law sees what is in
// ms and to whom shown says what it was shown of certificates; nil of none. It is empty where
// nobody needs a test, or the health desk does none.
func (d Desk) TestsFor(id SlotID, ms []Member, vendors []bool, shown []rules.Shown) ([]TestOffer, error) {
	p, err := d.place(id)
	if err != nil || p.site == "" {
		return nil, err
	}
	all := d.testSlots(p, d.needs(p, ms, vendors, shown))
	return slices.DeleteFunc(all, func(o TestOffer) bool { return !d.Now.Before(o.Until) }), nil
}

// test finds the place at the health desk that a party asks for; mine is what it has there
// already. With auto the latest slot with room is taken where want is 0. The test is nil
// where nobody needs one, and why then says so; where there is no such place, got is false.
func (d Desk) test(p place, n needed, want SlotID, mine *Test, auto bool) (t *Test, facts []fact.Fact, why reason.Reason, got bool) {
	if n.places == 0 {
		return nil, nil, because(CodeTestNone, reason.Allow), true
	}
	offers := d.testSlots(p, n)
	room := func(o TestOffer) bool {
		free := o.Free
		if mine != nil && mine.Slot == o.ID {
			free += mine.Places
		}
		return d.Now.Before(o.Until) && free >= n.places
	}
	at := -1
	switch {
	case want != 0:
		at = slices.IndexFunc(offers, func(o TestOffer) bool { return o.ID == want && d.Now.Before(o.Until) })
		if at < 0 {
			return nil, nil, because(CodeTestTime, reason.Refuse), false
		}
	case auto:
		if mine != nil {
			// A test that was taken, or still can be, and fits the other crossing stays.
			at = slices.IndexFunc(offers, func(o TestOffer) bool { return o.ID == mine.Slot })
		}
		for i := len(offers) - 1; at < 0 && i >= 0; i-- {
			if room(offers[i]) {
				at = i
			}
		}
	}
	if at < 0 || !(room(offers[at]) || mine != nil && mine.Slot == offers[at].ID && offers[at].Free+mine.Places >= n.places) {
		return nil, nil, because(CodeTestFull, reason.Refuse), false
	}
	most, _ := d.Law.Param(paramTests, p.site, d.Side, p.at)
	_, facts = d.testRow(offers[at].ID, most)
	return &Test{Slot: offers[at].ID, Kinds: n.names, Places: n.places}, facts, reason.Reason{}, true
}

// TestRequest asks for a test for a booking that stands, or with Slot 0 gives its test back.
type TestRequest struct {
	Ref     Ref
	Slot    SlotID // of the health desk
	Vendors []bool // as in Request
	By      string
}

// DecideTest decides about a test for a booking that has its place already.
func (d Desk) DecideTest(r TestRequest) ([]fact.Fact, rules.Verdict, error) {
	b, no, err := d.find(r.Ref)
	if err != nil {
		return nil, rules.Verdict{}, err
	}
	plain := d.plain(b.Slot)
	if no != nil {
		return nil, plain.With(*no), nil
	}
	if b.Status != Booked {
		return nil, plain.With(because(CodeTestLater, reason.Hold)), nil
	}
	f := &TestBooked{Ref: r.Ref, Slot: b.Slot, By: r.By}
	if r.Slot == 0 {
		if b.Test == nil {
			return nil, plain, nil
		}
		return []fact.Fact{f}, plain, nil
	}
	if !r.Slot.Testing() {
		return nil, rules.Verdict{}, problem.Field("slot", "booking.test.slot")
	}
	p, err := d.place(b.Slot)
	if err != nil {
		return nil, rules.Verdict{}, err
	}
	if p.planned && !d.Now.Before(p.plan.Until) {
		return nil, plain.With(because(CodePast, reason.Closed)), nil
	}
	if d.held(b.Slot) {
		return nil, plain.With(because(CodeHeld, reason.Closed)), nil
	}
	n := d.needs(p, b.Members, r.Vendors, nil)
	t, facts, why, got := d.test(p, n, r.Slot, b.Test, false)
	if !got || t == nil {
		return nil, plain.With(why), nil
	}
	if b.Test != nil && b.Test.Slot == t.Slot && b.Test.Places == t.Places && slices.Equal(b.Test.Kinds, t.Kinds) {
		return nil, plain, nil
	}
	v, _ := d.ask(p, b.Members, r.Vendors, nil, &n)
	f.Test = t
	return append(facts, f), v, nil
}
