// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package booking

import (
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/closure"
	"darwaza.dev/internal/fact"
	"darwaza.dev/internal/intake"
	"darwaza.dev/internal/pass"
	"darwaza.dev/internal/planning"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/protocol"
	"darwaza.dev/internal/reason"
	"darwaza.dev/internal/rules"
)

// MaxMembers is the most adults that one booking can hold, whatever an edition says: a
// booking is one fact, and a fact has a greatest size.
const MaxMembers = 64

// MaxChildren is the most children that can travel on one adult's pass.
const MaxChildren = 20

// RefLength is the number of characters of a reference.
const RefLength = 12

// Valid reports whether r has the form of a reference.
func (r Ref) Valid() bool {
	if len(r) != RefLength {
		return false
	}
	for i := range len(r) {
		if strings.IndexByte("0123456789ABCDEFGHJKMNPQRSTVWXYZ", r[i]) < 0 {
			return false
		}
	}
	return true
}

// Desk is what a decision looks at: the state of one side, the law, and the time.
type Desk struct {
	State
	Levels protocol.State
	Intake intake.State
	// Closures are what the sides have closed, and the plans by which it opens again.
	Closures closure.State
	Law      *rules.Law
	Side     agreement.Side
	Now      time.Time
	// Gates say when who books will cross; nil where nobody knows.
	Gates Gates
	// Answers are what the law has said before; nil where nothing is remembered.
	Answers *Answers
}

// Request asks for places. Members have no places and no generation yet; what is on
// Vendors says of each whether they hold a vendor's card that is good on the day.
type Request struct {
	Ref      Ref
	Slot     SlotID
	Members  []Member
	Vendors  []bool
	Waits    bool
	Standing bool
	By       string
	Sealed   string
	// Test is the slot of the health desk in which the party is tested before it crosses, 0
	// for none.
	Test SlotID
	// Shown says of each member what was shown of their health certificates; it may be left
	// out where nothing was. It is read here and kept nowhere.
	Shown []rules.Shown

	// booked is the test that was found for it, opened what opens its slot.
	booked *Test
	opened []fact.Fact
}

func (r Request) check() error {
	if !r.Ref.Valid() {
		return problem.Field("ref", "booking.ref")
	}
	if r.Test != 0 && !r.Test.Testing() {
		return problem.Field("test", "booking.test.slot")
	}
	if len(r.Members) == 0 || len(r.Members) > MaxMembers {
		return problem.Field("members", "booking.members")
	}
	for _, m := range r.Members {
		if m.Children > MaxChildren {
			return problem.Field("children", "booking.children")
		}
		if m.Pass == (pass.ID{}) || m.Tag == ([16]byte{}) || m.Document == "" {
			return problem.Field("members", "booking.member")
		}
	}
	return nil
}

// place is where and for whom a slot is, by the edition that holds then.
type place struct {
	id      SlotID
	plan    rules.SlotPlan
	planned bool
	site    string
	class   string
	at      time.Time // the slot's beginning, whether or not it is planned
	health  rules.Health
	guarded bool // the edition has levels
	level   protocol.Level
	// bound is what both sides take in at that level, and allotment what this side may sell.
	bound     intake.Bound
	allotment uint32
	// crosses is true where the edition asks when somebody will cross.
	crosses  bool
	crossing planning.Crossing
}

func (d Desk) place(id SlotID) (place, error) {
	if !d.Answers.of(d.Law) {
		p, err := d.locate(id)
		return d.crossed(d.leveled(p)), err
	}
	p, ok := d.Answers.places[id]
	var err error
	if !ok {
		if p, err = d.locate(id); err == nil {
			d.Answers.places[id] = p
		}
	}
	return d.crossed(d.leveled(p)), err
}

// leveled adds what turns on the level of protection at the beginning of the slot, and on
// what both sides take in, as far as it is known now: that may be another the next time.
func (d Desk) leveled(p place) place {
	var scale func(agreement.Side, uint32) uint32
	if p.guarded {
		p.level = d.Levels.At(p.health, p.id.Site(), p.at)
		scale = func(side agreement.Side, n uint32) uint32 { return p.health.Places(p.level.Rank, side, n) }
	}
	if p.planned {
		t, _ := d.Transfers.Get(p.id)
		p.bound = d.Intake.Bound(d.Side, intake.SlotOf(p.plan), scale, t.net())
		p.allotment = p.bound.Allotment
	}
	p.allotment = d.staged(p, p.allotment)
	return p
}

// locate works a place out, as far as the law alone says it.
func (d Desk) locate(id SlotID) (place, error) {
	p := place{id: id}
	p.plan, p.planned = d.Law.Slot(id.Site(), id.Class(), id.Day(), id.Minute())
	if p.planned {
		p.at = p.plan.From
	} else if id.Minute() < 24*60 {
		p.at = rules.DayDate(id.Day()).Start(time.UTC)
	} else {
		return p, problem.Field("slot", "booking.slot")
	}
	e, ok := d.Law.EditionFor(id.Site(), p.at)
	if !ok {
		return p, nil // the law says so itself when it is asked
	}
	site, ok1 := e.SiteNumbered(id.Site())
	class, _, ok2 := d.Law.ClassNumbered(id.Site(), id.Class(), p.at)
	if !ok1 || !ok2 {
		return p, problem.New(problem.NotFound, "booking.slot")
	}
	p.site, p.class = site.ID, class.ID
	p.health, p.guarded = d.Law.Health(id.Site(), p.at)
	for _, e := range d.Law.EditionsAt(site.ID, p.at) {
		_, at := e.Attributes[agreement.AttrCrossing]
		_, latest := e.Attributes[agreement.AttrCrossingLatest]
		p.crosses = p.crosses || at || latest
	}
	if !p.planned {
		p.at = rules.DayDate(id.Day()).At(calendar.Minute(id.Minute()), d.Law.Zone(site.ID))
	}
	return p, nil
}

// ask asks the law about a party. Persons of whom the law would see the same are asked
// about once. It returns each question as the record keeps it. shown says of each member
// what was shown of certificates, test what the party is tested for before it crosses;
// both may be nil.
func (d Desk) ask(p place, ms []Member, vendors []bool, shown []rules.Shown, test *needed) (rules.Verdict, []rules.Asked) {
	q := d.question(p, ms)
	tests := ""
	if test != nil {
		tests = strings.Join(test.names, " ")
	}
	var verdict rules.Verdict
	var asked map[question]bool
	var kept []rules.Asked
	for i, m := range ms {
		q.person = seen{m.Document, m.Country, m.Age, i < len(vendors) && vendors[i]}
		if q.tests = ""; test != nil && test.who[i] {
			q.tests = tests
		}
		var s said
		if i < len(shown) && shown[i].Any() {
			s = d.check(p, q, shown[i])
		} else {
			if asked[q] {
				continue
			}
			if len(ms) > 1 {
				if asked == nil {
					asked = map[question]bool{}
				}
				asked[q] = true
			}
			s = d.answer(p, q)
		}
		kept = append(kept, s.asked)
		if i == 0 {
			verdict = s.verdict
		} else {
			verdict = verdict.And(s.verdict)
		}
	}
	return verdict, kept
}

// askOne asks the law about one member of a party, as ask does.
func (d Desk) askOne(p place, ms []Member, i int, vendors []bool, shown []rules.Shown) rules.Verdict {
	q := d.question(p, ms)
	m := ms[i]
	q.person = seen{m.Document, m.Country, m.Age, i < len(vendors) && vendors[i]}
	if i < len(shown) && shown[i].Any() {
		return d.check(p, q, shown[i]).verdict
	}
	return d.answer(p, q).verdict
}

// question is what all persons of a party have in common.
func (d Desk) question(p place, ms []Member) question {
	q := question{slot: p.id, side: d.Side, adults: int64(len(ms)), level: p.level.Key()}
	if p.crosses {
		q.latest = p.crossing.Latest.Unix()
	}
	for _, m := range ms {
		q.children += int64(m.Children)
	}
	return q
}

// answer is what the law says of a person of a party. What it reads is in q, and p follows
// from q's slot: nothing else, so that the answer may be remembered.
func (d Desk) answer(p place, q question) said {
	remembers := d.Answers.of(d.Law)
	if remembers {
		if s, ok := d.Answers.said[q]; ok {
			return s
		}
	}
	s := d.check(p, q, rules.Shown{})
	if remembers {
		d.Answers.said[q] = s
	}
	return s
}

// check asks the law. What was shown of certificates is no part of q, and nothing that was
// answered about it is remembered.
func (d Desk) check(p place, q question, shown rules.Shown) said {
	facts := make(rules.Facts, 10)
	facts["class"] = p.class
	facts["direction"] = "in"
	facts["party.adults"] = q.adults
	facts["party.children"] = q.children
	facts["party.size"] = q.adults + q.children
	facts["person.document"] = q.person.document
	facts["vendor.card"] = q.person.vendor
	facts["slot.from"] = p.at
	if p.guarded {
		p.health.Facts(p.level.Rank, p.level.Profiles, facts)
	}
	if p.crosses {
		facts[agreement.AttrCrossing] = p.crossing.Earliest
		facts[agreement.AttrCrossingLatest] = p.crossing.Latest
	}
	if q.person.country != "" {
		facts["person.country"] = q.person.country
	}
	if q.person.age >= 0 {
		facts["person.age"] = int64(q.person.age)
	}
	if q.tests != "" {
		facts[agreement.AttrTest] = strings.Fields(q.tests)
	}
	query := rules.Query{Point: rules.Booking, At: p.at, Site: p.site, Side: string(q.side), Facts: facts}
	shown.Into(d.Law, &query)
	v := d.Law.Check(query)
	if shown.Any() {
		v = v.Undated()
	}
	return said{v, d.Law.Keep(query, v)}
}

// lawful reports whether a verdict lets a booking be made. BREACH says that the
// authority has failed, which is not held against a traveller.
func lawful(v rules.Verdict) bool { return v.Outcome == reason.Allow || v.Outcome == reason.Breach }

// plain is a verdict on something that no clause is asked about, such as cancelling.
func (d Desk) plain(id SlotID) rules.Verdict {
	v := rules.Verdict{Point: rules.Booking, Outcome: reason.Allow, At: d.Now}
	if e, ok := d.Law.EditionFor(id.Site(), d.Now); ok {
		v.Agreement, v.Edition = e.ID, hex.EncodeToString(e.Hash[:])
	}
	return v
}

func because(c reason.Code, o reason.Outcome) reason.Reason {
	return reason.Reason{Code: c, Outcome: o}
}

// timely says whether the slot can be booked now, as far as time goes.
func (d Desk) timely(p place, id SlotID) (reason.Reason, bool) {
	switch {
	case !p.planned:
		return because(CodeUnknown, reason.Closed), false
	case !d.Now.Before(p.plan.Until):
		return because(CodePast, reason.Closed), false
	case d.held(id):
		return because(CodeHeld, reason.Closed), false
	}
	if s, ok := d.shutAt(p); ok {
		return s.Reason(), false
	}
	if ahead, ok := d.Law.Param("booking.ahead", p.site, d.Side, d.Now); ok {
		today := rules.DayNumber(calendar.On(d.Now, d.Law.Zone(p.site)))
		if int64(id.Day())-int64(today) > ahead {
			r := because(CodeAhead, reason.Closed)
			r.Params = map[string]string{"days": strconv.FormatInt(ahead, 10)}
			return r, false
		}
	}
	return reason.Reason{}, true
}

// open returns this side's part of a slot as the edition has it now, with the fact that
// says so where the row says otherwise.
func (d Desk) open(p place, id SlotID) (Slot, []fact.Fact) {
	s, ok := d.Slots.Get(id)
	if n := p.allotment; !ok || s.Allotment != n {
		s.ID, s.Allotment = id, n
		s.Excess = s.over()
		return s, []fact.Fact{&Opened{Slot: id, Allotment: n}}
	}
	return s, nil
}

// waiting returns the first party in the queue that could ever be served and has no
// offer yet. Parties before it hold offers; one that is larger than the allotment
// cannot be served and keeps nobody waiting, nor does one that was passed over.
func (d Desk) waiting(s Slot, from uint64) (Booking, bool) {
	for b, ok := d.next(s, from); ok; b, ok = d.next(s, b.Position+1) {
		if b.Passed == reason.None {
			return b, true
		}
	}
	return Booking{}, false
}

// next is waiting with those who were passed over among them.
func (d Desk) next(s Slot, from uint64) (Booking, bool) {
	for p := max(from, s.StandbyHead); p < s.StandbyTail; p++ {
		ref, ok := d.Standby.Get(StandbyKey{Slot: s.ID, Pos: p})
		if !ok {
			continue
		}
		if b, ok := d.Bookings.Get(ref); ok && b.Status == Waiting && b.Places() <= s.Allotment {
			return b, true
		}
	}
	return Booking{}, false
}

// room reports whether n places can be sold to somebody new: a place that comes back
// is never sold past those who wait.
func (d Desk) room(s Slot, n uint32) bool {
	if s.Free() < n {
		return false
	}
	_, queue := d.waiting(s, 0)
	return !queue
}

// numbers gives places from a slot to members, in order.
func numbers(s *Slot, ms []Member) []uint32 {
	ns := make([]uint32, len(ms))
	for i, m := range ms {
		ns[i] = s.NextPlace
		s.NextPlace += m.Places()
	}
	return ns
}

func places(ms []Member) (n uint32) {
	for _, m := range ms {
		n += m.Places()
	}
	return n
}

// DecideBook decides who gets places in a slot: the whole party or nobody. Whoever gets
// none, and is not in the queue, stands in the record with the reasons.
func (d Desk) DecideBook(r Request) ([]fact.Fact, rules.Verdict, error) {
	if err := r.check(); err != nil {
		return nil, rules.Verdict{}, err
	}
	if _, taken := d.Bookings.Get(r.Ref); taken {
		return nil, rules.Verdict{}, problem.New(problem.Conflict, "booking.ref")
	}
	p, err := d.place(r.Slot)
	if err != nil {
		return nil, rules.Verdict{}, err
	}
	var test *needed
	if r.Test != 0 && p.site != "" {
		n := d.needs(p, r.Members, r.Vendors, r.Shown)
		test = &n
	}
	v, asked := d.ask(p, r.Members, r.Vendors, r.Shown, test)
	if p.site == "" { // no edition is in force then, and v says so
		return d.refuse(nil, r, v, asked, false)
	}
	if why, ok := d.timely(p, r.Slot); !ok {
		return d.refuse(nil, r, v.With(why), asked, false)
	}
	if why, ok := d.kept(p); ok {
		return d.refuse(nil, r, v.With(why), asked, false)
	}
	if test != nil {
		var why reason.Reason
		var got bool
		if r.booked, r.opened, why, got = d.test(p, *test, r.Test, nil, false); !got {
			return d.refuse(nil, r, v.With(why), asked, false)
		}
		if r.booked == nil {
			v = v.With(why)
		}
	}
	if !lawful(v) {
		return d.refuse(nil, r, v, asked, v.Outcome.NeedsOfficer())
	}
	facts, v, seated, err := d.seat(p, r, v, asked)
	if err != nil || seated {
		return facts, v, err
	}
	return d.refuse(facts, r, v, asked, false)
}

// refuse adds the fact that a party got no places. open is true where an officer may let
// it in.
func (d Desk) refuse(facts []fact.Fact, r Request, v rules.Verdict, asked []rules.Asked, open bool) ([]fact.Fact, rules.Verdict, error) {
	if _, taken := d.Refusals.Get(r.Ref); taken {
		return nil, rules.Verdict{}, problem.New(problem.Conflict, "booking.ref")
	}
	edition := v.Edition
	if edition == "" {
		edition = d.plain(r.Slot).Edition // several agreements answered: the one that runs the site
	}
	f := &Refused{Ref: r.Ref, Slot: r.Slot, Places: places(r.Members), Outcome: v.Outcome, Reasons: d.Law.Grounds(v), Edition: edition, By: r.By, Asked: asked}
	if open {
		f.Members, f.Sealed = r.Members, r.Sealed
	}
	return append(facts, f), v, nil
}

// Ruling is an officer's decision on a request that was left to one.
type Ruling struct {
	Ref     Ref
	Admit   bool
	Why     string // one of Grounds
	Officer string
	Vendors []bool // as in Request
}

// DecideRuling ends a request that was left to an officer. The law is asked again: what
// it refuses by now nobody can let in, and places are to be had as for anybody. Where the
// party gets none for that, the request stays open and the verdict says why.
func (d Desk) DecideRuling(u Ruling) ([]fact.Fact, rules.Verdict, error) {
	r, ok := d.Refusals.Get(u.Ref)
	_, taken := d.Bookings.Get(u.Ref)
	switch {
	case !ok:
		return nil, rules.Verdict{}, problem.New(problem.NotFound, "booking.request")
	case taken || !r.Open():
		return nil, rules.Verdict{}, problem.New(problem.Conflict, "booking.request.decided")
	case !slices.Contains(Grounds[:], u.Why):
		return nil, rules.Verdict{}, problem.Field("why", "booking.ground")
	}
	f := &Ruled{Ref: r.Ref, Slot: r.Slot, Admit: u.Admit, Why: u.Why, Officer: u.Officer, Reasons: r.Reasons}
	if !u.Admit {
		v := d.plain(r.Slot)
		v.Outcome, v.Reasons = r.Outcome, r.Reasons
		return []fact.Fact{f}, v, nil
	}
	p, err := d.place(r.Slot)
	if err != nil {
		return nil, rules.Verdict{}, err
	}
	v, asked := d.ask(p, r.Members, u.Vendors, nil, nil)
	if p.site == "" {
		return nil, v, nil
	}
	if why, ok := d.timely(p, r.Slot); !ok {
		return nil, v.With(why), nil
	}
	if why, ok := d.kept(p); ok {
		return nil, v.With(why), nil
	}
	if !lawful(v) && !v.Outcome.NeedsOfficer() {
		return nil, v, nil
	}
	if !lawful(v) {
		f.Reasons = d.Law.Grounds(v)
	}
	facts, v, seated, err := d.seat(p, Request{Ref: r.Ref, Slot: r.Slot, Members: r.Members, By: r.By, Sealed: r.Sealed}, v, asked)
	if err != nil || !seated {
		return facts, v, err
	}
	for _, made := range facts {
		if m, ok := made.(*Made); ok {
			m.Decided = u.Officer
		}
	}
	return append([]fact.Fact{f}, facts...), v, nil
}

// small says whether a party of n places is no larger than a booking of the slot may be.
func (d Desk) small(p place, n uint32) (reason.Reason, bool) {
	most, ok := d.Law.Param("party.max", p.site, d.Side, p.at)
	if !ok || int64(n) <= most {
		return reason.Reason{}, true
	}
	why := because(CodeParty, reason.Refuse)
	why.Params = map[string]string{"max": strconv.FormatInt(most, 10)}
	return why, false
}

// seat gives a party that may come its places, or a position in the queue where it waits;
// seated is false where it gets neither, and v then says why.
func (d Desk) seat(p place, r Request, v rules.Verdict, asked []rules.Asked) (facts []fact.Fact, _ rules.Verdict, seated bool, err error) {
	n := places(r.Members)
	if why, ok := d.small(p, n); !ok {
		return nil, v.With(why), false, nil
	}
	for i, m := range r.Members {
		for _, o := range r.Members[:i] {
			if o.Tag == m.Tag {
				return nil, v.With(because(CodeTwice, reason.Refuse)), false, nil
			}
			if o.Pass == m.Pass {
				return nil, v, false, problem.Field("members", "booking.member")
			}
		}
		if _, second := d.Claims.Get(ClaimKey{Tag: m.Tag, Site: r.Slot.Site(), Day: r.Slot.Day()}); second {
			return nil, v.With(because(CodeSecond, reason.Refuse)), false, nil
		}
		if d.theirs(ClaimKey{Tag: m.Tag, Site: r.Slot.Site(), Day: r.Slot.Day()}) {
			return nil, v.With(because(CodeTheirs, reason.Refuse)), false, nil
		}
		if _, known := d.Holders.Get(m.Pass); known {
			return nil, v, false, problem.New(problem.Conflict, "booking.pass")
		}
	}
	s, facts := d.open(p, r.Slot)
	if d.room(s, n) {
		ms := append([]Member(nil), r.Members...)
		for i := range ms {
			ms[i].Gen, ms[i].Place = 0, s.NextPlace
			s.NextPlace += ms[i].Places()
		}
		facts = append(facts, r.opened...)
		return append(facts, &Made{Ref: r.Ref, Slot: r.Slot, Members: ms, By: r.By, Sealed: r.Sealed, Asked: asked, Test: r.booked}), v, true, nil
	}
	switch {
	case n > s.Allotment && s.Allotment > 0:
		return facts, v.With(because(CodeLarge, reason.Refuse)), false, nil
	case !r.Waits || s.Allotment == 0:
		return facts, v.With(because(CodeFull, reason.Refuse)), false, nil
	}
	ms := append([]Member(nil), r.Members...)
	for i := range ms {
		ms[i].Gen, ms[i].Place = 0, 0
	}
	q := &Queued{Ref: r.Ref, Slot: r.Slot, Members: ms, Position: s.StandbyTail, Standing: r.Standing, By: r.By, Sealed: r.Sealed, Asked: asked}
	v = v.With(because(CodeStandby, reason.Hold))
	if r.booked != nil {
		v = v.With(because(CodeTestLater, reason.Hold))
	}
	return append(facts, q), v, true, nil
}

// find returns a booking that can still be changed, or the reason why it cannot.
func (d Desk) find(ref Ref) (Booking, *reason.Reason, error) {
	b, ok := d.Bookings.Get(ref)
	if !ok {
		return b, nil, problem.New(problem.NotFound, "booking.unknown")
	}
	switch {
	case b.Status == Used:
		r := because(CodeUsed, reason.Refuse)
		return b, &r, nil
	case !b.Status.Active():
		r := because(CodeEnded, reason.Refuse)
		return b, &r, nil
	}
	return b, nil, nil
}

// serials returns the first serial for the withdrawal of a booking's passes, 0 where it
// has none.
func (d Desk) serials(b Booking) uint64 {
	if b.Status != Booked {
		return 0
	}
	a, _ := d.Acks.Get(0)
	return a.Last + 1
}

// end returns when the passes of a slot have ended by themselves.
func (d Desk) end(p place, id SlotID) time.Time {
	if p.planned {
		_, until := PassSpan(d.Law, p.site, p.plan)
		return until
	}
	// The edition no longer plans the slot. Two days on, its day is over in every zone.
	return rules.DayDate(id.Day()).AddDays(2).Start(time.UTC)
}

// PassSpan returns from when until when a pass for a slot verifies: the civil day at
// the site, and longer where its holders may stay beyond midnight. Within it, being
// early or late is for the gate to judge, so that whoever is inside can always be
// scanned out.
func PassSpan(law *rules.Law, site string, p rules.SlotPlan) (from, until time.Time) {
	zone := law.Zone(site)
	day := rules.DayDate(p.Day)
	from, until = day.Start(zone).UTC(), day.AddDays(1).Start(zone).UTC()
	for _, t := range [...]time.Time{p.Until, p.Latest} {
		if t.After(until) {
			until = t.UTC()
		}
	}
	return from, until
}

// DecideCancel gives a booking or a place in the queue back.
func (d Desk) DecideCancel(ref Ref, by string) ([]fact.Fact, rules.Verdict, error) {
	b, no, err := d.find(ref)
	v := d.plain(b.Slot)
	if err != nil {
		return nil, v, err
	}
	if no != nil {
		return nil, v.With(*no), nil
	}
	p, err := d.place(b.Slot)
	if err != nil {
		p = place{}
	}
	if p.planned && !d.Now.Before(p.plan.Until) && !d.standing(p) {
		return nil, v.With(because(CodePast, reason.Closed)), nil
	}
	return []fact.Fact{&GivenBack{Ref: ref, Slot: b.Slot, Places: b.Places(), First: d.serials(b), Until: d.end(p, b.Slot), By: by}}, v, nil
}

// MoveRequest asks for another slot. Tags are the members' tags for its day; they may
// be nil where the day stays the same.
type MoveRequest struct {
	Ref     Ref
	To      SlotID
	Tags    [][16]byte
	Vendors []bool
	By      string
	// Test is the slot of the health desk for the other crossing. Where it is 0, a booking
	// that has a test keeps it if it fits that too, and else gets the latest that has room.
	Test SlotID
}

// DecideMove decides whether a booking goes to another slot; where it does not, it
// keeps its place.
func (d Desk) DecideMove(r MoveRequest) ([]fact.Fact, rules.Verdict, error) {
	b, no, err := d.find(r.Ref)
	if err != nil {
		return nil, rules.Verdict{}, err
	}
	if no != nil {
		return nil, d.plain(b.Slot).With(*no), nil
	}
	if r.To == b.Slot && b.Status == Booked {
		return nil, d.plain(b.Slot), nil
	}
	for _, m := range b.Members {
		if m.Gen == 255 {
			return nil, rules.Verdict{}, problem.New(problem.Limit, "booking.generations")
		}
	}
	tags := make([][16]byte, len(b.Members))
	for i, m := range b.Members {
		tags[i] = m.Tag
	}
	if r.To.Day() != b.Slot.Day() {
		if len(r.Tags) != len(b.Members) {
			return nil, rules.Verdict{}, problem.Field("tags", "booking.tags")
		}
		tags = r.Tags
	}
	old, err := d.place(b.Slot)
	if err != nil {
		old = place{}
	}
	stands := old.planned && d.standing(old)
	if old.planned && !d.Now.Before(old.plan.Until) && !stands {
		return nil, d.plain(b.Slot).With(because(CodePast, reason.Closed)), nil
	}
	p, err := d.place(r.To)
	if err != nil {
		return nil, rules.Verdict{}, err
	}
	if r.Test != 0 && !r.Test.Testing() {
		return nil, rules.Verdict{}, problem.Field("test", "booking.test.slot")
	}
	var test *needed
	if (r.Test != 0 || b.Test != nil) && p.site != "" {
		n := d.needs(p, b.Members, r.Vendors, nil)
		test = &n
	}
	v, _ := d.ask(p, b.Members, r.Vendors, nil, test)
	if p.site == "" {
		return nil, v, nil
	}
	if why, ok := d.timely(p, r.To); !ok {
		return nil, v.With(why), nil
	}
	why, kept := d.kept(p)
	if stands && kept && r.To.Class() == b.Slot.Class() && r.To.Site() == b.Slot.Site() {
		why, kept = d.early(b, p)
	}
	if kept {
		return nil, v.With(why), nil
	}
	if !lawful(v) {
		return nil, v, nil
	}
	var booked *Test
	var opened []fact.Fact
	if test != nil {
		var why reason.Reason
		var got bool
		if booked, opened, why, got = d.test(p, *test, r.Test, b.Test, true); !got {
			return nil, v.With(why), nil
		}
		if booked == nil {
			v = v.With(why)
		}
	}
	if why, ok := d.small(p, b.Places()); !ok {
		return nil, v.With(why), nil
	}
	for i, tag := range tags {
		for _, o := range tags[:i] {
			if o == tag {
				return nil, rules.Verdict{}, problem.Field("tags", "booking.tags")
			}
		}
		if tag == ([16]byte{}) {
			return nil, rules.Verdict{}, problem.Field("tags", "booking.tags")
		}
		ref, claimed := d.Claims.Get(ClaimKey{Tag: tag, Site: r.To.Site(), Day: r.To.Day()})
		if claimed && ref != b.Ref {
			return nil, v.With(because(CodeSecond, reason.Refuse)), nil
		}
		// Of the day that it has already, a booking that stands beside another stays.
		if !claimed && d.theirs(ClaimKey{Tag: tag, Site: r.To.Site(), Day: r.To.Day()}) {
			return nil, v.With(because(CodeTheirs, reason.Refuse)), nil
		}
	}
	s, facts := d.open(p, r.To)
	if r.To == b.Slot || !d.room(s, b.Places()) {
		return facts, v.With(because(CodeFull, reason.Refuse)), nil
	}
	f := &Moved{Ref: b.Ref, From: b.Slot, To: r.To, Places: b.Places(), Numbers: numbers(&s, b.Members),
		First: d.serials(b), Until: d.end(old, b.Slot), By: r.By, Test: booked}
	if r.To.Day() != b.Slot.Day() {
		f.Tags = tags
	}
	return append(append(facts, opened...), f), v, nil
}

// DecideReissue makes a new generation of one member's pass.
func (d Desk) DecideReissue(ref Ref, member uint8, by string) ([]fact.Fact, rules.Verdict, error) {
	b, ok := d.Bookings.Get(ref)
	v := d.plain(b.Slot)
	switch {
	case !ok:
		return nil, v, problem.New(problem.NotFound, "booking.unknown")
	case int(member) >= len(b.Members):
		return nil, v, problem.Field("member", "booking.member")
	case b.Status == Waiting || b.Status == Offered:
		return nil, v.With(because(CodeNoPass, reason.Refuse)), nil
	case b.Status != Booked && b.Status != Used:
		return nil, v.With(because(CodeEnded, reason.Refuse)), nil
	case b.Members[member].Gen == 255:
		return nil, v, problem.New(problem.Limit, "booking.generations")
	}
	if h, _ := d.Holders.Get(b.Members[member].Pass); h.Gone { // given back, and perhaps somebody else's by now
		return nil, v.With(because(CodeEnded, reason.Refuse)), nil
	}
	p, err := d.place(b.Slot)
	if err != nil {
		p = place{}
	}
	until := d.end(p, b.Slot)
	if !d.Now.Before(until) {
		return nil, v.With(because(CodePast, reason.Closed)), nil
	}
	a, _ := d.Acks.Get(0)
	return []fact.Fact{&Reissued{Ref: ref, Slot: b.Slot, Member: member, Serial: a.Last + 1, Until: until, By: by}}, v, nil
}
