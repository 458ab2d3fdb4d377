// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/closure"
	"darwaza.dev/internal/fact"
	"darwaza.dev/internal/pass"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/protocol"
	"darwaza.dev/internal/reason"
	"darwaza.dev/internal/rules"
	"darwaza.dev/internal/screening"
)

// Match is what comparing the holder's document with the pass has shown.
type Match uint8

// The results of a comparison.
const (
	NotCompared Match = iota
	Fits              // the document that was read is the one the pass is bound to
	Differs           // it is another one
	Seen              // the officer looked and says that it fits; it says nothing of who the person is
)

// Screening is what was asked and measured at the gate. It is read once and kept nowhere.
type Screening = screening.Answers

// Answered is the answer to a question of a disease profile, or what was measured for it.
type Answered = screening.Answered

// A body temperature outside these is a slip: see package screening.
const (
	LeastTemp = screening.LeastTemp
	MostTemp  = screening.MostTemp
)

// Questions returns the attributes that a disease profile of an edition asks and of which
// a verdict says that they are missing.
func Questions(e *agreement.Edition, missing []string) []agreement.Attribute {
	return screening.Questions(e, missing)
}

// Desk is what a decision looks at: what this side's gates have seen, what this side
// has sold, the law, and the time.
type Desk struct {
	State
	Booking booking.State
	Levels  protocol.State
	// Screening is what the health desk has come to.
	Screening screening.State
	Closures  closure.State
	Law       *rules.Law
	Side      agreement.Side
	Now       time.Time
}

// Arrival is somebody at a gate with a pass.
type Arrival struct {
	Site      uint16
	Gate      uint16
	Direction Direction
	Officer   string
	Claims    pass.Claims // verified; where Fault says otherwise, as far as they could be read
	Fault     pass.Fault
	Looks     pass.Kind // what a foreign text looks like
	Match     Match
	Found     bool // the pass was lost, and its booking found by document
	Screening Screening
	Evidence  Evidence // of health certificates; of somebody who comes in
	Behind    bool     // the clock by which all this was verified shows a time that has been
	Again     uint64   // the scan that this one completes or corrects, 0 for a new arrival
	Tag       [16]byte
	// Register is the tag, without a period, of the document that was read: an isolation
	// order is found by it. Zero where none was read.
	Register [16]byte
	// Vendor is whether the holder has a vendor's card that is good today; VendorKnown is
	// false where this side cannot tell.
	Vendor, VendorKnown bool
	// Lots are what the holder has bought today, as far as this side's desks know: it is
	// asked about at the way out.
	Lots []Lot
}

// Lot is a purchase that leaves the market.
type Lot struct {
	Code     string
	Value    int64 // minor units of the agreement's currency
	Quantity int64 // thousandths of the unit
}

// Answer is what the gate says to a scan.
type Answer struct {
	Verdict rules.Verdict
	Serial  uint64
	Day     uint16
	Earlier *Scan // the scan that this one contradicts
	Ref     booking.Ref
	Class   uint8
	People  uint32
	Asks    []string
	// Goods is what the law says of the goods that leave, which is decided apart from the
	// person; its point is empty where nothing leaves or the agreement asks nothing of it.
	Goods rules.Verdict
}

// spot is a gate and a moment by the site's clock.
type spot struct {
	edition *agreement.Edition
	site    agreement.Site
	day     uint16
	minute  uint16
}

// spot finds the gate and checks that it is one of this side's.
func (d Desk) spot(site, gate uint16) (spot, error) {
	e, ok := d.Law.EditionFor(site, d.Now)
	if !ok {
		return spot{}, nil // the law says so itself when it is asked
	}
	s, ok := e.SiteNumbered(site)
	if !ok {
		return spot{}, problem.New(problem.NotFound, "gate.site")
	}
	if g, ok := s.Gate(gate); gate != 0 && len(s.Gates) > 0 && (!ok || g.Side != d.Side) {
		return spot{}, problem.Field("gate", "gate.gate")
	}
	day, minute := clock(d.Now, d.Law.Zone(s.ID))
	return spot{e, s, day, minute}, nil
}

// clock returns the day number and the minute of the day in a zone.
func clock(t time.Time, zone *time.Location) (day, minute uint16) {
	t = t.In(zone)
	return rules.DayNumber(calendar.On(t, zone)), uint16(t.Hour()*60 + t.Minute())
}

func because(c reason.Code, o reason.Outcome, params ...string) reason.Reason {
	r := reason.Reason{Code: c, Outcome: o}
	for i := 0; i+1 < len(params); i += 2 {
		if r.Params == nil {
			r.Params = map[string]string{}
		}
		r.Params[params[i]] = params[i+1]
	}
	return r
}

func (d Desk) plain(at spot) rules.Verdict {
	v := rules.Verdict{Point: rules.Gate, Outcome: reason.Allow, At: d.Now}
	if at.edition != nil {
		v.Agreement, v.Edition = at.edition.ID, hex.EncodeToString(at.edition.Hash[:])
	}
	return v
}

// DecideScan answers a scan. The fact is recorded whatever the answer is.
func (d Desk) DecideScan(a Arrival) ([]fact.Fact, Answer, error) {
	if a.Direction != In && a.Direction != Out {
		return nil, Answer{}, problem.Field("direction", "gate.direction")
	}
	if !a.Screening.Possible() {
		return nil, Answer{}, problem.Field("temperature", "gate.temperature")
	}
	if !a.Evidence.Possible() {
		return nil, Answer{}, problem.Field("proof", "gate.proof")
	}
	at, err := d.spot(a.Site, a.Gate)
	if err != nil {
		return nil, Answer{}, err
	}
	if at.edition == nil {
		at.day, at.minute = clock(d.Now, time.UTC)
	}
	last, _ := d.Serials.Get(serialKey)
	f := &Scanned{Serial: last + 1, Site: a.Site, Day: at.day, Minute: at.minute, Gate: a.Gate, Direction: a.Direction,
		Officer: a.Officer, Found: a.Found, Again: a.Again}
	ans := Answer{Serial: f.Serial, Day: at.day}
	if !pass.Genuine(a.Fault) {
		// What the text claims to be is not written to that pass: anybody can claim.
		why := because(a.Fault, reason.Refuse)
		if a.Fault == pass.Foreign {
			why = because(a.Fault, reason.Refuse, "looks", a.Looks.String())
		}
		ans.Verdict = d.plain(at).With(why)
		f.Outcome, f.Reasons = ans.Verdict.Outcome, d.Law.Grounds(ans.Verdict)
		return []fact.Fact{f}, ans, nil
	}
	c := a.Claims
	if c.ID == (pass.ID{}) {
		return nil, Answer{}, problem.Field("claims", "gate.claims")
	}
	p, known := d.Presences.Get(c.ID)
	if a.Again != 0 && (!known || p.Pending != a.Again) && !d.mends(a, p, at.day) {
		return nil, Answer{}, problem.New(problem.Conflict, "gate.scan.done")
	}
	if a.Tag == ([16]byte{}) && a.Match != Differs && known && p.Gen == c.Generation {
		a.Tag = p.Tag // the document was read before
	}
	f.Pass, f.Gen, f.Issuer, f.Slot, f.Class, f.Tag = c.ID, c.Generation, c.Side.String(), c.Slot, c.Class, a.Tag
	f.Theirs = f.Issuer != string(d.Side)
	f.People = 1 + uint32(c.Children)
	if known && p.Inside {
		f.People = p.People // who came in goes out
	}
	q := inquiry{Desk: d, a: a, c: c, at: at, p: p, known: known}
	q.own()
	if q.member != nil {
		f.Tag = q.member.Tag
		ans.Ref = q.ref
	}
	if a.Direction == In {
		q.enter()
		f.Document, f.Corrects = q.onlyDocument(), q.corrects()
	} else {
		q.leave()
		ans.Goods = q.goods()
		f.Goods, f.GoodsWhy = ans.Goods.Outcome, named(d.Law.Named(ans.Goods))
	}
	ans.Verdict, ans.Earlier, ans.Class, ans.People = q.v, q.earlier, c.Class, f.People
	ans.Asks = asks(q.v, q.at.edition)
	if len(ans.Asks) > 0 && a.Direction == In {
		if asksHolder(q.v) {
			ans.Asks = append([]string{"holder"}, ans.Asks...)
		}
		if d.Law.Wants(q.v, at.site.ID) {
			ans.Asks = append([]string{"proof"}, ans.Asks...)
		}
	}
	if f.Document {
		ans.Asks = []string{"document"}
	}
	f.Outcome, f.Reasons, f.Asked = q.v.Outcome, d.Law.Grounds(q.v), q.asked
	facts := []fact.Fact{f}
	if f.Counted() && a.Direction == In && q.ref != "" {
		facts = append(facts, d.Booking.DecideEntered(q.ref)...)
	}
	return facts, ans, nil
}

// mistyped is how long after a refusal for its document a pass that the same officer
// scans again at the same gate, with the document that fits, is taken for the same
// arrival: a number was keyed wrongly.
const mistyped = 10 * time.Minute

// mends reports whether a scan corrects the last one of its pass, which was refused for
// nothing but the document: with a document that is read, and on its day.
func (d Desk) mends(a Arrival, p Presence, day uint16) bool {
	if len(p.Scans) == 0 || a.Direction != In || a.Match != Fits && a.Match != Differs {
		return false
	}
	s := p.Scans[len(p.Scans)-1]
	return s.Serial == a.Again && s.Document && s.Corrected == 0 && !s.Void && p.Site == a.Site && p.Day == day
}

// onlyDocument reports whether an arrival that was refused would not have been with the
// document that fits.
func (q *inquiry) onlyDocument() bool {
	if q.a.Match != Differs || q.v.Outcome != reason.Refuse {
		return false
	}
	o := *q
	o.a.Match, o.why, o.earlier = Fits, nil, nil
	o.enter()
	return o.v.Outcome != reason.Refuse && o.v.Outcome != reason.Closed
}

// corrects returns the refusals that this scan puts right.
func (q *inquiry) corrects() (list []Correction) {
	if q.p.Site != q.a.Site || q.p.Day != q.at.day {
		return nil
	}
	for _, s := range q.p.Scans {
		again := s.Serial == q.a.Again
		soon := q.a.Match == Fits && s.Gate == q.a.Gate && s.Officer == q.a.Officer && q.Now.Sub(s.At) <= mistyped
		if s.Document && s.Corrected == 0 && !s.Void && (again || soon) {
			list = append(list, Correction{Serial: s.Serial, Reasons: s.Reasons})
		}
	}
	return list
}

// leftTo are the clauses, in order, by which reasons leave something to a person.
func leftTo(rs []reason.Reason) (clauses []string) {
	for _, r := range rs {
		if r.Outcome.NeedsOfficer() && r.Clause != "" && !slices.Contains(clauses, r.Clause) {
			clauses = append(clauses, r.Clause)
		}
	}
	slices.Sort(clauses)
	return clauses
}

// bare returns reasons without their parameters, as they are kept. No reasons are nil:
// a row that was stored and read again is the same row.
func bare(rs []reason.Reason) (out []reason.Reason) {
	for _, r := range rs {
		out = append(out, reason.Reason{Code: r.Code, Outcome: r.Outcome, Clause: r.Clause, Agreement: r.Agreement})
	}
	return out
}

// asks says what an officer can supply to get further.
func asks(v rules.Verdict, e *agreement.Edition) []string {
	if !v.Outcome.NeedsOfficer() {
		return nil
	}
	var out []string
	for _, m := range v.Missing {
		ask := ""
		switch {
		case strings.HasPrefix(m, "screening.") || len(Questions(e, []string{m})) > 0:
			ask = "screening"
		case strings.HasPrefix(m, "person."):
			ask = "document"
		}
		if ask != "" && !slices.Contains(out, ask) {
			out = append(out, ask)
		}
	}
	for _, r := range v.Reasons {
		if (r.Code == CodeHolderBefore || r.Code == CodeUnread) && !slices.Contains(out, "document") {
			out = append(out, "document")
		}
	}
	slices.Sort(out)
	return append(out, "decision")
}

// inquiry is one scan while it is being answered.
type inquiry struct {
	Desk
	a     Arrival
	c     pass.Claims
	at    spot
	p     Presence
	known bool

	ref     booking.Ref
	member  *booking.Member
	held    []reason.Reason // what this side's own list says
	v       rules.Verdict
	asked   []rules.Asked
	why     []reason.Reason
	earlier *Scan
}

func (q *inquiry) say(r reason.Reason) { q.why = append(q.why, r) }

// own looks a pass up that this side sold.
func (q *inquiry) own() {
	if q.c.Side.String() != string(q.Side) {
		return
	}
	h, ok := q.Booking.Holders.Get(q.c.ID)
	if !ok {
		q.held = append(q.held, because(CodeUnknown, reason.Refer))
		return
	}
	b, ok := q.Booking.Bookings.Get(h.Ref)
	if !ok || int(h.Member) >= len(b.Members) {
		q.held = append(q.held, because(CodeUnknown, reason.Refer))
		return
	}
	q.ref, q.member = h.Ref, &b.Members[h.Member]
	switch {
	case h.Gone || b.Status == booking.Cancelled:
		q.held = append(q.held, because(CodeWithdrawn, reason.Refuse))
	case h.Gen > q.c.Generation:
		q.held = append(q.held, because(CodeOlder, reason.Refuse))
	case h.Gen < q.c.Generation || uint64(b.Slot) != q.c.Slot:
		// Signed by this side and newer than all it knows of.
		q.held = append(q.held, because(CodeUnknown, reason.Refer))
	}
}

// withdrawn says where the pass is no longer good, by the list of the side that sold it,
// and reports whether that is all that there is to say of that list.
func (q *inquiry) withdrawn() bool {
	if q.c.Side.String() == string(q.Side) {
		q.why = append(q.why, q.held...)
		return true
	}
	if w, ok := q.Withdrawn.Get(q.c.ID); ok && w.Gen >= q.c.Generation {
		q.say(because(CodeWithdrawn, reason.Refuse))
		return true
	}
	return false
}

// heard looks a pass up in the lists of withdrawals, the other side's with its age.
func (q *inquiry) heard() {
	if q.withdrawn() {
		return
	}
	most, limited := q.Law.Param("heard.age", q.at.site.ID, q.Side, q.Now)
	if !limited {
		return
	}
	h, ok := q.Heard.Get(q.c.Side.String())
	if !ok {
		q.say(because(CodeNeverHeard, reason.Refer))
		return
	}
	if age := int64(q.Now.Sub(h.At) / time.Minute); age > most {
		q.say(because(CodeHeard, reason.Refer, "minutes", strconv.FormatInt(age, 10), "max", strconv.FormatInt(most, 10)))
	}
}

// last returns the newest scan of today that moved people.
func (q *inquiry) last() *Scan {
	if q.p.Site != q.a.Site || q.p.Day != q.at.day {
		return nil
	}
	for i := len(q.p.Scans) - 1; i >= 0; i-- {
		if s := q.p.Scans[i]; s.Counted && !s.Void {
			return &s
		}
	}
	return nil
}

// clockSlack is how far back a clock may be set without being doubted.
const clockSlack = 2 * time.Minute

// clockBehind says where time runs backwards: before a scan of this pass, or before the
// other side was last heard. What is verified by such a clock may have ended long ago.
func (q *inquiry) clockBehind() {
	behind := q.a.Behind
	for _, s := range q.p.Scans {
		behind = behind || q.Now.Before(s.At)
	}
	for _, side := range []agreement.Side{agreement.A, agreement.B} {
		h, ok := q.Heard.Get(string(side))
		behind = behind || ok && q.Now.Before(h.At.Add(-clockSlack))
	}
	if behind {
		q.say(because(CodeClock, reason.Refer))
	}
}

// plan returns the slot that the pass names, by the edition.
func (q *inquiry) plan() (rules.SlotPlan, bool) {
	id := booking.SlotID(q.c.Slot)
	if id.Site() != q.c.Site || id.Class() != q.c.Class {
		return rules.SlotPlan{}, false
	}
	return q.Law.Slot(id.Site(), id.Class(), id.Day(), id.Minute())
}

// grace is a parameter in minutes; where the text leaves it empty there is no grace.
func (q *inquiry) grace(id string) time.Duration {
	n, _ := q.Law.Param(id, q.at.site.ID, q.Side, q.Now)
	return time.Duration(n) * time.Minute
}

// enter answers somebody who wants to come in.
func (q *inquiry) enter() {
	if q.a.Fault != "" {
		q.say(because(q.a.Fault, reason.Refuse))
	}
	q.clockBehind()
	day := booking.SlotID(q.c.Slot).Day()
	if q.c.Site != q.a.Site {
		q.say(because(CodeSite, reason.Refuse, "site", q.siteID(q.c.Site)))
	}
	if day != q.at.day {
		q.say(because(CodeDay, reason.Refuse, "day", rules.DayDate(day).String()))
	}
	if q.c.Gate != 0 && q.c.Gate != q.a.Gate {
		q.say(because(CodeGate, reason.Refer, "gate", strconv.Itoa(int(q.c.Gate))))
	}
	if _, ok := q.Law.ByPrefix(q.c.Edition); !ok {
		q.say(because(CodeEdition, reason.Refer))
	}
	q.heard()
	if q.a.Match == Differs {
		q.say(because(CodeHolder, reason.Refuse))
	}
	if q.a.Match == Seen && q.c.Side.String() != string(q.Side) && q.a.Tag == ([16]byte{}) {
		q.say(because(CodeUnread, reason.Refer))
	}
	plan, ok := q.plan()
	switch {
	case !ok:
		q.say(because(CodeSlot, reason.Refer))
	case day != q.at.day:
	case q.Now.Before(plan.From.Add(-q.grace("grace.early"))):
		q.say(because(CodeEarly, reason.Hold, "from", q.hour(plan.From)))
	case !q.Now.Before(plan.Until.Add(q.grace("grace.late"))):
		q.say(because(CodeLate, reason.Refer, "until", q.hour(plan.Until)))
	}
	if q.known && q.p.Inside {
		q.say(because(CodeTwiceIn, reason.Refer))
		q.earlier = q.last()
	}
	q.elsewhere()
	if s, ok := q.shut(In); ok {
		q.say(s.Reason())
	}
	q.refusedBefore()
	q.proofs(plan)
	q.desk()
	q.v = q.take(q.ask(plan).With(q.why...))
}

// shut returns what the sides have closed for the class of the pass now.
func (q *inquiry) shut(dir Direction) (closure.Shut, bool) {
	if q.Closures.Standings == nil || q.at.edition == nil {
		return closure.Shut{}, false
	}
	c, _ := q.at.edition.ClassNumbered(q.c.Class)
	return q.Closures.Closed(q.a.Site, c.ID, string(dir), q.Now, q.Law.Zone(q.at.site.ID))
}

// refusedBefore says where the pass was refused today for its holder or for what the
// health desk saw, which another scan does not undo: a person decides. A document that
// fits puts right what was said of the holder. What was settled by a later entry is.
func (q *inquiry) refusedBefore() {
	for i := len(q.p.Scans) - 1; i >= 0; i-- {
		s := q.p.Scans[i]
		if s.Counted && !s.Void && s.Direction == In {
			return
		}
		if s.Outcome != reason.Refuse || s.Corrected != 0 || s.Direction != In || q.dayOf(q.at, s) != q.at.day {
			continue
		}
		found := false
		for _, r := range s.Reasons {
			switch {
			case r.Outcome != reason.Refuse:
				continue
			case r.Code == CodeHolder || q.reads(r, "person.identified"):
				if q.a.Match == Fits || q.a.Match == Differs {
					continue
				}
				q.sayOnce(reason.Reason{Code: CodeHolderBefore, Outcome: reason.Refer})
			case q.reads(r, "screening."):
				if c, ok := q.finding(); ok && c.Outcome.Admits() && c.At.After(s.At) && cleared(c, r, "") {
					continue // the desk has seen the person since
				}
				q.sayOnce(reason.Reason{Code: CodeHealthBefore, Outcome: reason.Refer, Clause: r.Clause, Agreement: r.Agreement})
			default:
				continue
			}
			found = true
		}
		if found && q.earlier == nil && q.p.Site == q.a.Site {
			q.earlier = &s
		}
	}
}

// sayOnce says what was not said yet.
func (q *inquiry) sayOnce(r reason.Reason) {
	if !slices.ContainsFunc(q.why, func(o reason.Reason) bool {
		return o.Code == r.Code && o.Clause == r.Clause && o.Agreement == r.Agreement
	}) {
		q.say(r)
	}
}

// reads reports whether the clause of a reason reads an attribute, or one of those with a
// prefix that ends in a dot.
func (q *inquiry) reads(r reason.Reason, attribute string) bool {
	return slices.ContainsFunc(q.Law.Reads(r, q.Now), func(id string) bool {
		return id == attribute || strings.HasSuffix(attribute, ".") && strings.HasPrefix(id, attribute)
	})
}

// ask asks the law, and keeps the question for the record.
func (q *inquiry) ask(plan rules.SlotPlan) rules.Verdict {
	query := rules.Query{Point: rules.Gate, At: q.Now, Site: q.at.site.ID, Side: string(q.Side), Facts: q.facts(plan)}
	if q.a.Direction == In {
		q.a.Evidence.Shown.Into(q.Law, &query)
	}
	v := q.Law.Check(query)
	q.asked = append(q.asked, q.Law.Keep(query, v))
	return v
}

// leave answers somebody who wants to go out. Nobody is kept in by a machine: what is
// wrong with the pass, other than a false one, does not matter to whoever is inside.
func (q *inquiry) leave() {
	q.clockBehind()
	switch last := q.last(); {
	case q.known && q.p.Inside:
	case q.inElsewhere():
	case last != nil && last.Direction == Out:
		q.say(because(CodeTwiceOut, reason.Refer))
		q.earlier = last
	case q.c.Site != q.a.Site:
		q.say(because(CodeSite, reason.Refuse, "site", q.siteID(q.c.Site)))
	case booking.SlotID(q.c.Slot).Day() != q.at.day:
		q.say(because(CodeDay, reason.Refuse, "day", rules.DayDate(booking.SlotID(q.c.Slot).Day()).String()))
	default:
		q.say(because(CodeUnmatched, reason.Allow))
	}
	plan, _ := q.plan()
	v := q.ask(plan)
	for _, p := range v.By() {
		if p.Outcome == reason.Allow || p.Outcome == reason.Breach || len(p.Reasons) == 0 {
			continue
		}
		why := reason.Reason{Code: CodeExitLaw, Outcome: reason.Refer, Clause: p.Reasons[0].Clause}
		if len(v.Parts) > 0 {
			why.Agreement = p.Agreement
		}
		q.say(why)
	}
	if s, ok := q.shut(Out); ok && s.Act != nil && s.Act.Is.Direction == string(Out) {
		q.say(reason.Reason{Code: CodeExitLaw, Outcome: reason.Refer, Clause: s.Act.Is.Clause, Agreement: s.Act.Is.Agreement})
	}
	// What the agreements say against it is noted above, and is no answer to the holder.
	v.Outcome, v.Reasons, v.Parts = reason.Allow, nil, nil
	q.v = v.With(q.why...)
}

// goods asks the law about what leaves with the holder, lot by lot; the strictest answer
// holds, with the reasons of all. Who may not go this way, or has gone already, takes
// nothing along.
func (q *inquiry) goods() (v rules.Verdict) {
	if q.earlier != nil || q.v.Outcome == reason.Refuse {
		return v
	}
	plan, _ := q.plan()
	for _, l := range q.a.Lots {
		f := q.facts(plan)
		f["good.code"], f["good.value"], f["good.quantity"] = l.Code, l.Value, l.Quantity
		w := q.Law.Check(rules.Query{Point: rules.Exit, At: q.Now, Site: q.at.site.ID, Side: string(q.Side), Facts: f})
		switch {
		case !w.Asked() && q.at.edition != nil: // no clause is about goods that leave
		case v.Point == "":
			v = w
		default:
			v = v.And(w)
		}
	}
	return v
}

// siteID names a site in the edition, and by its number where the edition does not know it.
func (q *inquiry) siteID(n uint16) string {
	if q.at.edition != nil {
		if s, ok := q.at.edition.SiteNumbered(n); ok {
			return s.ID
		}
	}
	return strconv.Itoa(int(n))
}

// hour is a time of day by the site's clock.
func (q *inquiry) hour(t time.Time) string { return t.In(q.Law.Zone(q.at.site.ID)).Format("15:04") }

// facts are the attributes that this gate knows.
func (q *inquiry) facts(plan rules.SlotPlan) rules.Facts {
	day, _ := q.Days.Get(SiteDayKey{Site: q.a.Site, Day: q.at.day})
	f := make(rules.Facts, 16)
	f["direction"] = string(q.a.Direction)
	f["party.adults"] = int64(1)
	f["party.children"] = int64(q.c.Children)
	f["party.size"] = 1 + int64(q.c.Children)
	f["occupancy.inside"] = int64(day.Inside)
	if q.at.edition != nil {
		if c, _, ok := q.Law.ClassNumbered(q.a.Site, q.c.Class, q.Now); ok {
			f["class"] = c.ID
		}
	}
	q.Levels.Facts(q.Law, q.a.Site, q.Now, f)
	if !plan.From.IsZero() {
		f["slot.from"] = plan.From
	}
	if m := q.member; m != nil {
		f["person.document"] = m.Document
		if m.Country != "" {
			f["person.country"] = m.Country
		}
		if m.Age >= 0 {
			f["person.age"] = int64(m.Age)
		}
	}
	switch q.a.Match {
	case Fits, Seen:
		f["person.identified"] = true
	case Differs:
		f["person.identified"] = false
	}
	if q.a.VendorKnown {
		f["vendor.card"] = q.a.Vendor
	}
	q.a.Screening.Fill(q.at.edition, f)
	return f
}

// Ruling is an officer's decision on a scan that waits for one.
type Ruling struct {
	Pass    pass.ID
	Serial  uint64
	Admit   bool
	Why     string
	Officer string
	Gate    uint16
	// Vendor and VendorKnown are as in an Arrival.
	Vendor, VendorKnown bool
}

// PendingScan returns the scan that waits for a decision. A scan that was refused waits
// for none: that is a problem of kind forbidden.
func (st State) PendingScan(id pass.ID, serial uint64) (Presence, Scan, error) {
	p, ok := st.Presences.Get(id)
	if !ok {
		return p, Scan{}, problem.New(problem.NotFound, "gate.pass")
	}
	i := slices.IndexFunc(p.Scans, func(s Scan) bool { return s.Serial == serial })
	switch {
	case i < 0:
		return p, Scan{}, problem.New(problem.NotFound, "gate.scan")
	case !p.Scans[i].Outcome.NeedsOfficer() && p.Scans[i].Outcome != reason.Allow:
		return p, p.Scans[i], problem.New(problem.Forbidden, "gate.refuse.final")
	case p.Scans[i].Lapsed: // the desk says so
	case p.Pending != serial || p.Scans[i].Void:
		return p, p.Scans[i], problem.New(problem.Conflict, "gate.scan.done")
	}
	return p, p.Scans[i], nil
}

// ToDecide is what an officer decides on who would admit the holder of a pass: the
// reasons of its scan, and that the other side's pass was shown without a document, where
// nothing says whose it is.
func (p Presence) ToDecide(s Scan) []reason.Reason {
	rs := s.Reasons
	unread := func(r reason.Reason) bool { return r.Code == CodeUnread }
	if p.Theirs && p.Tag == ([16]byte{}) && s.Direction == In && s.Outcome.NeedsOfficer() && !slices.ContainsFunc(rs, unread) {
		rs = append(slices.Clip(rs), because(CodeUnread, reason.Refer))
	}
	return rs
}

// Supervised reports whether a reason of this desk is for a supervisor to decide on,
// whatever a clause says of who decides.
func Supervised(c reason.Code) bool { return c == CodeHolderBefore || c == CodeUnread }

// DecideRuling records an officer's decision. Before somebody is admitted everything is
// looked at again that may have changed while they waited; where something stands against
// it now that did not when the scan was answered, nobody moves and the reasons are
// returned. A decision that comes after the day of its scan is not taken.
func (d Desk) DecideRuling(r Ruling) ([]fact.Fact, []reason.Reason, error) {
	if !slices.Contains(Grounds[:], r.Why) {
		return nil, nil, problem.Field("why", "gate.ground")
	}
	p, s, err := d.PendingScan(r.Pass, r.Serial)
	if err != nil {
		return nil, nil, err
	}
	at, err := d.spot(p.Site, r.Gate)
	if err != nil {
		return nil, nil, err
	}
	if at.edition == nil {
		at.day, at.minute = clock(d.Now, time.UTC)
	}
	if day := d.dayOf(at, s); s.Lapsed || day < at.day {
		past := []reason.Reason{because(CodePast, reason.Refuse, "day", rules.DayDate(day).String())}
		if s.Lapsed {
			return nil, past, nil
		}
		return []fact.Fact{&Lapsed{Site: p.Site, Day: day, Passes: []pass.ID{p.Pass}, Serials: []uint64{s.Serial}}}, past, nil
	}
	if r.Admit && s.Direction == In {
		if against := d.sinceThen(at, p, s, r); len(against) > 0 {
			return []fact.Fact{&Changed{Pass: r.Pass, Serial: r.Serial, Officer: r.Officer, Site: p.Site, Day: at.day, Minute: at.minute,
				Gate: r.Gate, Direction: s.Direction, Outcome: reason.Strictest(s.Outcome, against[0].Outcome), Reasons: bare(against)}}, against, nil
		}
	}
	facts := []fact.Fact{&Decided{Pass: r.Pass, Serial: r.Serial, Admit: r.Admit, Why: r.Why, Officer: r.Officer, Gate: r.Gate,
		Site: p.Site, Day: at.day, Minute: at.minute, Direction: s.Direction, Slot: p.Slot, People: p.People, Clauses: leftTo(s.Reasons)}}
	if h, ok := d.Booking.Holders.Get(r.Pass); ok && r.Admit && s.Direction == In && p.Issuer == string(d.Side) {
		facts = append(facts, d.Booking.DecideEntered(h.Ref)...)
	}
	return facts, nil, nil
}

// dayOf is the civil day on which a scan was made.
func (d Desk) dayOf(at spot, s Scan) uint16 {
	zone := time.UTC
	if at.edition != nil {
		zone = d.Law.Zone(at.site.ID)
	}
	day, _ := clock(s.At, zone)
	return day
}

// sinceThen returns what stands against an entry now and did not when its scan was
// answered, strictest first. What the gate was shown and kept nowhere is not asked for
// again, and what a clause cannot tell without it does not count; nor does the slot's
// hour: who came in time and had to wait did come in time.
func (d Desk) sinceThen(at spot, p Presence, s Scan, r Ruling) []reason.Reason {
	side, _ := pass.ParseSide(p.Issuer)
	slot := booking.SlotID(p.Slot)
	q := inquiry{Desk: d, at: at, p: p, known: true,
		a: Arrival{Site: p.Site, Gate: r.Gate, Direction: In, Tag: p.Tag, Vendor: r.Vendor, VendorKnown: r.VendorKnown},
		c: pass.Claims{ID: p.Pass, Side: side, Site: slot.Site(), Slot: p.Slot, Class: p.Class, Generation: p.Gen, Children: uint8(max(p.People, 1) - 1)}}
	q.own()
	q.withdrawn()
	if slot.Day() != at.day {
		q.say(because(CodeDay, reason.Refuse, "day", rules.DayDate(slot.Day()).String()))
	}
	if p.Inside {
		q.say(because(CodeTwiceIn, reason.Refer))
	}
	q.elsewhere()
	q.desk()
	plan, _ := q.plan()
	for _, l := range d.Law.Named(q.ask(plan)) {
		switch l.Code {
		case rules.CodeWanted, rules.CodeUnknown, rules.CodeException, rules.CodeBreach:
		default:
			q.say(l)
		}
	}
	var out []reason.Reason
	for _, n := range q.why {
		old := func(o reason.Reason) bool {
			return o.Code == n.Code && o.Clause == n.Clause && (o.Agreement == n.Agreement || o.Agreement == "")
		}
		if n.Outcome != reason.Allow && !slices.ContainsFunc(s.Reasons, old) {
			out = append(out, n)
		}
	}
	reason.Sort(out)
	return out
}

// DecideUndo takes a mistaken scan back: one that still waits, or the last one that
// moved people.
func (d Desk) DecideUndo(id pass.ID, serial uint64, officer string) ([]fact.Fact, error) {
	p, ok := d.Presences.Get(id)
	if !ok {
		return nil, problem.New(problem.NotFound, "gate.pass")
	}
	i := slices.IndexFunc(p.Scans, func(s Scan) bool { return s.Serial == serial })
	if i < 0 {
		return nil, problem.New(problem.NotFound, "gate.scan")
	}
	s := p.Scans[i]
	if s.Void {
		return nil, problem.New(problem.Conflict, "gate.scan.done")
	}
	for _, o := range p.Scans[i+1:] {
		if s.Counted && o.Counted && !o.Void {
			return nil, problem.New(problem.Conflict, "gate.scan.later")
		}
	}
	at, err := d.spot(p.Site, 0)
	if err != nil {
		return nil, err
	}
	// What a day that was settled, or one that the pass has left behind, has counted is
	// not counted anew.
	if s.Counted && (d.day(p.Site, p.Day).Closed || d.dayOf(at, s) < p.Day) {
		return nil, problem.New(problem.Conflict, "gate.scan.past")
	}
	facts := []fact.Fact{&Undone{Pass: id, Serial: serial, Officer: officer, Site: p.Site, Day: p.Day, Counted: s.Counted,
		Direction: s.Direction, Minute: s.Minute, Slot: p.Slot, People: p.People, Now: at.minute}}
	if h, ok := d.Booking.Holders.Get(id); ok && s.Counted && s.Direction == In && p.Issuer == string(d.Side) && !d.enteredOtherwise(h.Ref, id, serial) {
		facts = append(facts, d.Booking.DecideUndone(h.Ref)...)
	}
	return facts, nil
}

// enteredOtherwise reports whether a holder of a booking has entered by another scan
// than one of a pass.
func (d Desk) enteredOtherwise(ref booking.Ref, id pass.ID, serial uint64) bool {
	b, _ := d.Booking.Bookings.Get(ref)
	for _, m := range b.Members {
		p, _ := d.Presences.Get(m.Pass)
		for _, s := range p.Scans {
			if s.Counted && !s.Void && s.Direction == In && (m.Pass != id || s.Serial != serial) {
				return true
			}
		}
		if e, _ := d.Elsewhere.Get(m.Pass); e.Used {
			return true
		}
	}
	return false
}

// DecideSettle ends a site's day, once its last slot is over: whoever was never scanned
// out is counted as having left, and a scan, or goods at the way out, that nobody decided
// on have ended undecided. With no officer it is the server's clock that does so. A day
// that was settled, and has nothing left to settle, is let be. People is how many were
// counted as having left.
func (d Desk) DecideSettle(site, day uint16, officer string) (facts []fact.Fact, people uint32, err error) {
	at, err := d.spot(site, 0)
	if err != nil {
		return nil, 0, err
	}
	if at.edition == nil {
		at.day, at.minute = clock(d.Now, time.UTC)
	}
	if day > at.day || d.running(at, site, day) {
		return nil, 0, problem.New(problem.Conflict, "gate.day.running")
	}
	const most = 2000 // passes in a fact, which has a greatest size
	row := d.day(site, day)
	last, _ := d.Serials.Get(serialKey)
	var lapsed, settled []fact.Fact
	l := &Lapsed{Site: site, Day: day}
	f := &Settled{Site: site, Day: day, First: last + 1, Officer: officer, Minute: at.minute, Clock: officer == ""}
	seen := map[pass.ID]bool{}
	for pos := range row.Roster {
		id, ok := d.Roster.Get(RosterKey{Site: site, Day: day, Pos: pos})
		if !ok || seen[id] {
			continue
		}
		seen[id] = true
		p, ok := d.Presences.Get(id)
		if !ok || p.Site != site || p.Day != day {
			continue
		}
		if i := slices.IndexFunc(p.Scans, func(s Scan) bool { return s.Serial == p.Pending }); p.Pending != 0 && i >= 0 && d.dayOf(at, p.Scans[i]) <= day {
			if len(l.Passes) == most {
				lapsed = append(lapsed, l)
				l = &Lapsed{Site: site, Day: day}
			}
			l.Passes, l.Serials = append(l.Passes, id), append(l.Serials, p.Pending)
		}
		if !p.Inside {
			continue
		}
		if len(f.Passes) == most {
			settled = append(settled, f)
			f = &Settled{Site: site, Day: day, First: f.First + most, Officer: officer, Minute: at.minute, Clock: officer == ""}
		}
		f.Passes = append(f.Passes, id)
		people += p.People
	}
	if len(l.Passes) > 0 {
		lapsed = append(lapsed, l)
	}
	if len(f.Passes) > 0 {
		settled = append(settled, f)
	}
	facts = slices.Concat(d.goodsLapse(site, day, most), lapsed, settled)
	if !row.Closed || len(facts) > 0 {
		facts = append(facts, &DayClosed{Site: site, Day: day, Officer: officer, Clock: officer == ""})
	}
	return facts, people, nil
}

// running reports whether a slot of a day is not over.
func (d Desk) running(at spot, site, day uint16) bool {
	if at.edition == nil {
		return false
	}
	for _, c := range at.edition.Classes {
		for _, s := range d.Law.Slots(site, day, c.Number) {
			if d.Now.Before(s.Until) || d.Now.Before(s.Latest) {
				return true
			}
		}
	}
	return false
}
