// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package service

import (
	"cmp"
	"encoding/hex"
	"math"
	"slices"
	"sort"
	"strings"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/appeal"
	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/gate"
	"darwaza.dev/internal/goods"
	"darwaza.dev/internal/intake"
	"darwaza.dev/internal/lang"
	"darwaza.dev/internal/market"
	"darwaza.dev/internal/pass"
	"darwaza.dev/internal/people"
	"darwaza.dev/internal/reason"
	"darwaza.dev/internal/rules"
	"darwaza.dev/internal/stats"
)

// SlotView is a slot as a page shows it.
type SlotView struct {
	Bound intake.Bound // what is left of it for each side, and why
	ID    booking.SlotID
	Plan  rules.SlotPlan
	// Slot is this side's part; where nobody has booked yet it is what the plan makes it.
	Slot booking.Slot
	// Free is how many places can be booked now: 0 where the slot is over, and where
	// somebody waits, as a place that comes back is theirs.
	Free uint32
	// Queue is how many parties wait.
	Queue uint64
	// Other is the other side's free places, as it last said; OtherKnown is false where it
	// has not said.
	Other      uint32
	OtherKnown bool
	Past       bool // its end has come
	// Shut is why nobody who books anew can have a place, by what the sides have closed.
	Shut *reason.Reason
}

// ClassView is whether a class may come in now.
type ClassView struct {
	Class agreement.Class
	Open  bool
	Until time.Time // when it closes, where Open
	Next  time.Time // when it opens next, where not Open; zero where no opening is known
	Today []calendar.Interval
	// Closed are the reasons for which the law keeps it shut, with their clauses.
	Closed []reason.Reason
}

// Board is the public board of a site.
type Board struct {
	Site    agreement.Site
	Side    agreement.Side
	Now     time.Time
	Day     uint16
	Zone    *time.Location
	Known   bool // an edition is in force; where it is not, nothing else is filled in but Now
	Edition *agreement.Edition
	Classes []ClassView
	Open    bool // some class may come in
	// Next are the next slots with free places, of any class, at most eight.
	Next []SlotView
	// Here are this side's figures, Cap its share of the people who may be inside (0 where
	// there is no cap).
	Here gate.SiteDay
	Cap  uint32
	// There are the other side's figures as it last gave them; ThereKnown is false where
	// it has given none for the day.
	There      stats.Other
	ThereKnown bool
}

// ValueView is one line of the goods list with the value displayed for it.
type ValueView struct {
	List  string
	Line  goods.Line
	Value market.Value
	Shown bool // a value is displayed
}

// DayView is a supervisor's day.
type DayView struct {
	Site       uint16
	Day        uint16
	Gate       gate.SiteDay
	Stats      stats.Day
	There      stats.Other
	ThereKnown bool
	// GoodsOpen is how many scans have goods that wait for an officer at the way out.
	GoodsOpen uint32
	Cases     appeal.SiteCases // of the site, on all days
	CasesOn   appeal.DayCases
}

// DutyView is whether an authority has done on a day what a clause asks of it.
type DutyView struct {
	Clause    *agreement.Clause
	Agreement string         // whose clause it is
	Outcome   reason.Outcome // ALLOW where it has, BREACH where it has not
	Reasons   []reason.Reason
}

// DutiesOf returns how this side's duties at a site stand on a day, in order of clauses. It
// is empty where no market is held on the day, and before its first slot has begun.
//
// Values count as displayed where one is: a market displays what it sells. Purchases count
// as entered where one was; of a day with none nobody can say.
func DutiesOf(st State, law *Law, side agreement.Side, site, day uint16, now time.Time) []DutyView {
	e, ok := law.EditionFor(site, rules.DayDate(day).Start(time.UTC).Add(12*time.Hour))
	if !ok {
		return nil
	}
	s, ok := e.SiteNumbered(site)
	if !ok {
		return nil
	}
	var begins time.Time
	for _, c := range law.Classes(site, rules.DayDate(day).Start(time.UTC).Add(12*time.Hour)) {
		for _, p := range law.Slots(site, day, c.Number) {
			if begins.IsZero() || p.From.Before(begins) {
				begins = p.From
			}
		}
	}
	if begins.IsZero() || now.Before(begins) {
		return nil
	}
	f := rules.Facts{"values.displayed": slices.ContainsFunc(ValuesOf(st, law, site, day), func(v ValueView) bool { return v.Shown })}
	if d, _ := st.Stats.Days.Get(stats.Key{Site: site, Day: day}); d.Purchases > 0 {
		f["purchases.entered"] = true
	}
	v := law.Check(rules.Query{Point: rules.Duty, At: begins, Site: s.ID, Side: string(side), Facts: f})
	var list []DutyView
	for _, part := range v.By() {
		for _, step := range part.Steps {
			_, c := law.Clause(reason.Reason{Clause: step.Clause}, part.Agreement, begins)
			if c == nil || c.By != "" && c.By != side || step.Did == "dormant" || step.Did == "overridden" {
				continue
			}
			d := DutyView{Clause: c, Agreement: part.Agreement, Outcome: reason.Allow}
			for _, r := range part.Reasons {
				if r.Clause == c.ID {
					d.Reasons = append(d.Reasons, r)
				}
			}
			d.Outcome = reason.Worst(d.Reasons)
			list = append(list, d)
		}
	}
	return list
}

// BoardOf returns the public board of a site, as side's server sees it.
func BoardOf(st State, law *Law, side agreement.Side, site uint16, now time.Time) Board {
	b := Board{Side: side, Now: now}
	e, ok := law.EditionFor(site, now)
	if !ok {
		return b
	}
	b.Site, ok = e.SiteNumbered(site)
	if !ok {
		return b
	}
	b.Known, b.Edition, b.Zone = true, e, law.Zone(b.Site.ID)
	b.Day, _ = dayIn(b.Zone, now)
	date := rules.DayDate(b.Day)
	for _, c := range law.Classes(site, now) {
		v := ClassView{Class: c}
		// A class has the hours of the agreement whose it is, where that has hours.
		s := e.Schedules[b.Site.ID]
		if _, of, _ := law.ClassNumbered(site, c.Number, now); of.Schedules[b.Site.ID] != nil {
			s = of.Schedules[b.Site.ID]
		}
		if s != nil {
			v.Today = s.Intervals(c.ID, string(gate.In), date)
			if v.Open = s.OpenAt(c.ID, string(gate.In), now); v.Open {
				v.Until, _ = s.Until(c.ID, string(gate.In), now)
			} else {
				v.Next, _ = s.Next(c.ID, string(gate.In), now)
			}
		}
		answer := law.Check(rules.Query{Point: rules.Gate, At: now, Site: b.Site.ID, Side: string(side),
			Facts: rules.Facts{"class": c.ID, "direction": string(gate.In)}})
		for _, r := range answer.Reasons {
			if r.Outcome == reason.Closed {
				v.Closed, v.Open = append(v.Closed, r), false
			}
		}
		if s, ok := st.Closures.Closed(site, c.ID, string(gate.In), now, b.Zone); ok {
			v.Closed, v.Open, v.Next = append([]reason.Reason{s.Reason()}, v.Closed...), false, time.Time{}
		}
		b.Open = b.Open || v.Open
		b.Classes = append(b.Classes, v)
	}
	b.Next = nextFree(st, law, side, b.Site, b.Day, now)
	b.Here, _ = st.Gate.Days.Get(gate.SiteDayKey{Site: site, Day: b.Day})
	b.Here.Site, b.Here.Day = site, b.Day
	b.Cap = capOf(law, side, b.Site.ID, now)
	b.There, b.ThereKnown = st.Stats.Other.Get(stats.Key{Site: site, Day: b.Day})
	return b
}

// nextFree returns the next slots with free places, by time, at most eight.
func nextFree(st State, law *Law, side agreement.Side, site agreement.Site, today uint16, now time.Time) []SlotView {
	const most = 8
	var next []SlotView
	for day := today; day <= today+ahead(law, side, site.ID, now) && len(next) < most; day++ {
		for _, c := range law.Classes(site.Number, now) {
			for _, v := range DayOf(st, law, side, site.Number, c.Number, day, now) {
				if v.Free > 0 {
					next = append(next, v)
				}
			}
		}
	}
	slices.SortStableFunc(next, func(a, b SlotView) int { return a.Plan.From.Compare(b.Plan.From) })
	return next[:min(len(next), most)]
}

// ahead is for how many days from now places can be booked; where the edition does not
// say, pages look this far.
func ahead(law *Law, side agreement.Side, site string, now time.Time) uint16 {
	const most = 31
	n, ok := law.Param("booking.ahead", site, side, now)
	if !ok || n > most || n < 0 {
		return most
	}
	return uint16(n)
}

func capOf(law *Law, side agreement.Side, site string, now time.Time) uint32 {
	n, ok := law.Param("occupancy.cap", site, side, now)
	if !ok || n < 0 || n > math.MaxInt32 {
		return 0
	}
	return uint32(n)
}

// DayOf returns the slots of a day for a class, in order of time.
func DayOf(st State, law *Law, side agreement.Side, site uint16, class uint8, day uint16, now time.Time) []SlotView {
	plans := law.Slots(site, day, class)
	views := make([]SlotView, len(plans))
	there, _ := st.Stats.Other.Get(stats.Key{Site: site, Day: day})
	for i, p := range plans {
		views[i] = slotView(st, law, side, p, there, now)
	}
	return views
}

func slotView(st State, law *Law, side agreement.Side, p rules.SlotPlan, there stats.Other, now time.Time) SlotView {
	id := booking.MakeSlotID(p.Site, p.Class, p.Day, p.Minute)
	v := SlotView{ID: id, Plan: p}
	v.Slot, _ = st.Booking.Slots.Get(id)
	v.Bound = SharesOf(st, law, side, p, now)
	v.Slot.ID, v.Slot.Allotment = id, v.Bound.Allotment
	desk := deskOf(st, law, side, now)
	v.Slot.Allotment = desk.Allotment(id)
	v.Queue = v.Slot.StandbyTail - v.Slot.StandbyHead
	v.Other, v.OtherKnown = there.Free[uint64(id)]
	v.Past = !now.Before(p.Until)
	if !v.Past && !booking.Queueing(st.Booking, v.Slot) {
		v.Free = v.Slot.Free()
	}
	why, shut := desk.Shut(id)
	if !shut {
		why, shut = desk.Kept(id)
	}
	if shut {
		v.Free, v.Shut = 0, &why
	}
	return v
}

// SlotOf returns one slot; false where the edition plans none of that id.
func SlotOf(st State, law *Law, side agreement.Side, id booking.SlotID, now time.Time) (SlotView, bool) {
	p, ok := law.Slot(id.Site(), id.Class(), id.Day(), id.Minute())
	if !ok {
		return SlotView{}, false
	}
	there, _ := st.Stats.Other.Get(stats.Key{Site: id.Site(), Day: id.Day()})
	return slotView(st, law, side, p, there, now), true
}

// BookingOf returns the booking of a reference.
func BookingOf(st State, ref booking.Ref) (booking.Booking, bool) {
	return st.Booking.Bookings.Get(ref)
}

// RefusalOf returns the request of a reference that gave no booking, or that an officer
// had to decide on.
func RefusalOf(st State, ref booking.Ref) (booking.Refusal, bool) {
	return st.Booking.Refusals.Get(ref)
}

// OpenRequests returns the requests for a site and day that wait for an officer, in the
// order in which they were made.
func OpenRequests(st State, site, day uint16) []booking.Refusal {
	k := booking.RosterKey{Site: site, Day: day}
	n, _ := st.Booking.Rosters.Get(k)
	var list []booking.Refusal
	for k.Pos = range n {
		ref, _ := st.Booking.Roster.Get(k)
		if r, ok := st.Booking.Refusals.Get(ref); ok && r.Open() {
			list = append(list, r)
		}
	}
	return list
}

// BookingOfPass returns the booking of a pass that this side sold, and whose pass it is.
func BookingOfPass(st State, id pass.ID) (b booking.Booking, member int, ok bool) {
	h, ok := st.Booking.Holders.Get(id)
	if !ok {
		return booking.Booking{}, 0, false
	}
	b, ok = st.Booking.Bookings.Get(h.Ref)
	return b, int(h.Member), ok && int(h.Member) < len(b.Members)
}

// PassGone returns why a pass of a generation is no longer good, by this side's own
// bookings or by what it has heard of the other side's list of withdrawals; it is empty
// where neither says so.
func PassGone(st State, id pass.ID, gen uint8) reason.Code {
	if h, ok := st.Booking.Holders.Get(id); ok {
		b, _ := st.Booking.Bookings.Get(h.Ref)
		switch {
		case h.Gone || b.Status == booking.Cancelled:
			return gate.CodeWithdrawn
		case h.Gen > gen:
			return gate.CodeOlder
		}
		return ""
	}
	if w, ok := st.Gate.Withdrawn.Get(id); ok && w.Gen >= gen {
		return gate.CodeWithdrawn
	}
	return ""
}

// FindByTag returns the active booking of a person for a site and day: for those whose
// pass is lost.
func FindByTag(st State, tag [16]byte, site, day uint16) (booking.Booking, bool) {
	ref, ok := st.Booking.Claims.Get(booking.ClaimKey{Tag: tag, Site: site, Day: day})
	if !ok {
		return booking.Booking{}, false
	}
	return st.Booking.Bookings.Get(ref)
}

// RosterOf returns the bookings that this side sold for a site and day, in the order in
// which they were made, those that have ended included.
func RosterOf(st State, site, day uint16) []booking.Booking {
	k := booking.RosterKey{Site: site, Day: day}
	n, _ := st.Booking.Rosters.Get(k)
	var list []booking.Booking
	seen := map[booking.Ref]bool{} // a booking that was moved away and back stands twice
	for k.Pos = range n {
		ref, ok := st.Booking.Roster.Get(k)
		if !ok || seen[ref] {
			continue
		}
		if b, ok := st.Booking.Bookings.Get(ref); ok && b.Slot.Site() == site && b.Slot.Day() == day {
			seen[ref] = true
			list = append(list, b)
		}
	}
	return list
}

// PresenceOf returns what this side's gates have seen of a pass.
func PresenceOf(st State, id pass.ID) (gate.Presence, bool) { return st.Gate.Presences.Get(id) }

// PresencesOf returns the passes that this side's gates have seen at a site on a day, in
// the order in which they were first seen.
func PresencesOf(st State, site, day uint16) []gate.Presence {
	d, _ := st.Gate.Days.Get(gate.SiteDayKey{Site: site, Day: day})
	var list []gate.Presence
	seen := map[pass.ID]bool{}
	for pos := range d.Roster {
		id, ok := st.Gate.Roster.Get(gate.RosterKey{Site: site, Day: day, Pos: pos})
		if !ok || seen[id] {
			continue
		}
		if p, ok := st.Gate.Presences.Get(id); ok && p.Site == site && p.Day == day {
			seen[id] = true
			list = append(list, p)
		}
	}
	return list
}

// StraysOf returns the scans of a site and day that belong to no pass, newest first, at
// most so many.
func StraysOf(st State, site, day uint16, most int) []gate.Scan {
	d, _ := st.Gate.Days.Get(gate.SiteDayKey{Site: site, Day: day})
	var list []gate.Scan
	for pos := d.Strays; pos > 0 && len(list) < most; pos-- {
		if s, ok := st.Gate.Strays.Get(gate.RosterKey{Site: site, Day: day, Pos: pos - 1}); ok {
			list = append(list, s)
		}
	}
	return list
}

// ScanOf returns the scan of a site and day that has a number, with what the gates have
// seen of its pass, which is nothing where the scan belongs to none.
func ScanOf(st State, site, day uint16, number uint64) (gate.Presence, gate.Scan, bool) {
	for _, p := range PresencesOf(st, site, day) {
		for _, s := range p.Scans {
			if s.Serial == number {
				return p, s, true
			}
		}
	}
	s, ok := strayOf(st, site, day, number)
	return gate.Presence{}, s, ok
}

// strayOf returns the scan of a number that belongs to no pass.
func strayOf(st State, site, day uint16, number uint64) (gate.Scan, bool) {
	d, _ := st.Gate.Days.Get(gate.SiteDayKey{Site: site, Day: day})
	// Numbers rise with positions.
	at := sort.Search(int(d.Strays), func(i int) bool {
		s, ok := st.Gate.Strays.Get(gate.RosterKey{Site: site, Day: day, Pos: uint32(i)})
		return !ok || s.Serial >= number
	})
	s, ok := st.Gate.Strays.Get(gate.RosterKey{Site: site, Day: day, Pos: uint32(at)})
	return s, ok && s.Serial == number
}

// FindPresence returns what this side's gates have seen of a person on a day: for those
// whose pass the other side sold and who have lost it inside.
func FindPresence(st State, tag [16]byte, site, day uint16) (gate.Presence, bool) {
	if tag == ([16]byte{}) {
		return gate.Presence{}, false
	}
	for _, p := range PresencesOf(st, site, day) {
		if p.Tag == tag {
			return p, true
		}
	}
	return gate.Presence{}, false
}

// LedgerOf returns a person's purchases of a day, over all markets of this side.
func LedgerOf(st State, tag [16]byte, day uint16) market.Ledger {
	k := market.LedgerKey{Tag: tag, Day: day}
	l, _ := st.Market.Ledgers.Get(k)
	l.Key = k
	return l
}

// ReceiptOf returns the purchase of a receipt number, with the ledger it stands in.
func ReceiptOf(st State, id string) (market.Purchase, market.Ledger, bool) {
	k, ok := st.Market.Receipts.Get(id)
	if !ok {
		return market.Purchase{}, market.Ledger{}, false
	}
	l, _ := st.Market.Ledgers.Get(k)
	for _, p := range l.Purchases {
		if p.ID == id {
			return p, l, true
		}
	}
	return market.Purchase{}, l, false
}

// ValueOf returns the customs value displayed for a good at a site on a day.
func ValueOf(st State, site uint16, code string, day uint16) (market.Value, bool) {
	return st.Market.Values.Get(market.ValueKey{Site: site, Code: code, Day: day})
}

// ValuesOf returns every line of the goods lists in force with the value displayed for
// it at a site on a day, in order of codes.
func ValuesOf(st State, law *Law, site, day uint16) []ValueView {
	e, ok := law.EditionFor(site, rules.DayDate(day).Start(time.UTC).Add(12*time.Hour))
	if !ok {
		return nil
	}
	var views []ValueView
	for id, list := range e.Lists {
		for _, line := range list.Lines() {
			v := ValueView{List: id, Line: line}
			v.Value, v.Shown = ValueOf(st, site, line.Code, day)
			views = append(views, v)
		}
	}
	slices.SortFunc(views, func(a, b ValueView) int {
		return cmp.Or(cmp.Compare(a.Line.Code, b.Line.Code), cmp.Compare(a.List, b.List))
	})
	return views
}

// VendorOf returns the card of a vendor by the register tag of their document.
func VendorOf(st State, register [16]byte) (market.Vendor, bool) {
	v, ok := st.Market.Vendors.Get(register)
	card, _ := st.Sealed.Get(cardKey(register))
	v.Card = string(card)
	return v, ok
}

// Card is a vendor's card with the register tag that it is kept under.
type Card struct {
	Register [16]byte
	Vendor   market.Vendor
}

// CardsOf returns all vendors' cards, in the order in which the vendors first had one.
func CardsOf(st State) []Card {
	n, _ := st.Market.Counts.Get("vendors")
	var list []Card
	for i := range n {
		if tag, ok := st.Market.Listed.Get(i); ok {
			if v, ok := VendorOf(st, tag); ok {
				list = append(list, Card{tag, v})
			}
		}
	}
	return list
}

// OfficerOf returns the officer of an id.
func OfficerOf(st State, id people.OfficerID) (people.Officer, bool) {
	o, ok := st.People.Officers.Get(id)
	return OfficerFilled(st, o), ok
}

// OfficerFilled returns an officer with the login, which no row of officers holds.
func OfficerFilled(st State, o people.Officer) people.Officer {
	login, _ := st.Sealed.Get(loginOfKey(o.ID))
	o.Login = string(login)
	return o
}

// OfficerByLogin returns the officer who signs in by a name.
func OfficerByLogin(st State, login string) (people.Officer, bool) {
	id, ok := st.Sealed.Get(loginKey(login))
	if !ok {
		return people.Officer{}, false
	}
	return OfficerOf(st, people.OfficerID(id))
}

// OfficersOf returns all officers ever appointed, in order of their appointment.
func OfficersOf(st State) []people.Officer {
	all := st.People.All()
	for i, o := range all {
		all[i] = OfficerFilled(st, o)
	}
	return all
}

// WordOf returns the verifier of an officer's sign-in word.
func WordOf(st State, id people.OfficerID) (string, bool) {
	b, ok := st.Sealed.Get(wordKey(id))
	return strings.TrimPrefix(string(b), givenWord), ok
}

// WordGiven reports whether somebody else made an officer's sign-in word, so that they
// choose their own before they do anything else.
func WordGiven(st State, id people.OfficerID) bool {
	b, _ := st.Sealed.Get(wordKey(id))
	return strings.HasPrefix(string(b), givenWord)
}

// givenWord stands before the verifier of a word that its officer has not chosen.
const givenWord = "given:"

// wordKey is where the verifier of a sign-in word is kept, beside the sealed data and in no fact.
func wordKey(id people.OfficerID) string { return "word:" + string(id) }

// loginKey is where the officer of a login is kept, and loginOfKey the login of an officer.
func loginKey(login string) string { return "login:" + login }

func loginOfKey(id people.OfficerID) string { return "login-of:" + string(id) }

// cardKey is where the number of a vendor's card is kept, in no fact.
func cardKey(register [16]byte) string { return "card:" + hex.EncodeToString(register[:]) }

// DayFigures returns the supervisor's day of a site.
func DayFigures(st State, site, day uint16) DayView {
	v := DayView{Site: site, Day: day}
	v.Gate, _ = st.Gate.Days.Get(gate.SiteDayKey{Site: site, Day: day})
	v.Stats, _ = st.Stats.Days.Get(stats.Key{Site: site, Day: day})
	v.There, v.ThereKnown = st.Stats.Other.Get(stats.Key{Site: site, Day: day})
	open, _ := GoodsOut(st, site, day)
	v.GoodsOpen = uint32(len(open))
	v.Cases, v.CasesOn = CaseFigures(st, site, day)
	return v
}

// FiguresFor returns what this side tells the other of a site's day: AsOf is now.
func FiguresFor(st State, law *Law, side agreement.Side, site, day uint16, now time.Time) stats.Other {
	d, _ := st.Gate.Days.Get(gate.SiteDayKey{Site: site, Day: day})
	f := stats.Other{Inside: d.Inside, Peak: d.Peak, Entries: d.Entries, Exits: d.Exits, AsOf: now}
	if whole, ok := st.Stats.Days.Get(stats.Key{Site: site, Day: day}); ok {
		f.Whole = whole.Told()
	}
	for _, c := range law.Classes(site, now) {
		for _, v := range DayOf(st, law, side, site, c.Number, day, now) {
			if !v.Past {
				if f.Free == nil {
					f.Free = map[uint64]uint32{}
				}
				f.Free[uint64(v.ID)] = v.Free
			}
		}
	}
	return f
}

// WithdrawalsAfter returns this side's withdrawn passes with serials above after, at
// most limit, and the newest serial that there is.
func WithdrawalsAfter(st State, after uint64, limit int) (list []WithdrawnPass, last uint64) {
	a, _ := st.Booking.Acks.Get(0)
	for n := after + 1; n > after && n <= a.Last && len(list) < limit; n++ {
		if w, ok := st.Booking.Withdrawals.Get(n); ok {
			list = append(list, WithdrawnPass{Serial: n, Pass: w.Pass, Gen: w.Gen, Until: w.Until.Unix()})
		}
	}
	return list, a.Last
}

// HeardOf says how far this side has read the other side's withdrawals.
func HeardOf(st State, side agreement.Side) gate.Heard {
	h, _ := st.Gate.Heard.Get(string(side.Other()))
	return h
}

// SweepSlots returns the slots of the days from now on that a Sweep should look at: the
// command for the server's own clockwork is Sweep{Slots: SweepSlots(…)}.
func SweepSlots(st State, law *Law, side agreement.Side, now time.Time) []booking.SlotID {
	var ids []booking.SlotID
	for _, site := range law.Sites(now) {
		classes := law.Classes(site.Number, now)
		today, _ := dayIn(law.Zone(site.ID), now)
		// Yesterday's passes have ended, and what they withheld is to be let go.
		for day := today - 1; day <= today+ahead(law, side, site.ID, now); day++ {
			for _, c := range classes {
				for _, p := range law.Slots(site.Number, day, c.Number) {
					id := booking.MakeSlotID(p.Site, p.Class, p.Day, p.Minute)
					s, ok := st.Booking.Slots.Get(id)
					t, _ := st.Booking.Transfers.Get(id)
					if ok && (s.StandbyHead < s.StandbyTail || s.Withheld > 0 || s.Offered > 0) || t.Asked > t.Given || t.Want > t.Got {
						ids = append(ids, id)
					}
				}
			}
		}
	}
	return ids
}

// SettleOf returns the command that settles a site's day. With no officer it is the act
// of the server's clock, and the day must be past.
func SettleOf(st State, site, day uint16, officer people.OfficerID) Settle {
	c := Settle{Site: site, Day: day, Officer: officer}
	for _, b := range RosterOf(st, site, day) {
		if b.Status == booking.Booked {
			c.Bookings = append(c.Bookings, b.Ref)
		}
	}
	return c
}

// settleAfter is how long after midnight, in minutes by the site's clock, a day is left
// to its people.
const settleAfter = 5

// PastDays returns the commands by which the server's clock settles, of the last so many
// days by each site's own clock, those on which something happened and that nobody has
// settled. A day is left for five minutes after its end.
func PastDays(st State, law *Law, days uint16, now time.Time) []Settle {
	var cs []Settle
	for _, site := range SitesOf(law, now) {
		today, minute := dayIn(law.Zone(site.ID), now)
		last := today - 1
		if minute < settleAfter {
			last--
		}
		for day := last - min(days, last) + 1; day <= last; day++ {
			d, _ := st.Gate.Days.Get(gate.SiteDayKey{Site: site.Number, Day: day})
			sold, _ := st.Booking.Rosters.Get(booking.RosterKey{Site: site.Number, Day: day})
			if d.Closed || d.Roster == 0 && sold == 0 {
				continue
			}
			cs = append(cs, SettleOf(st, site.Number, day, ""))
		}
	}
	return cs
}

// SitesOf returns the sites of all agreements in force at an instant; where none is in
// force, those of the newest editions.
func SitesOf(law *Law, now time.Time) []agreement.Site {
	if _, ok := law.Edition(now); ok {
		return law.Sites(now)
	}
	var sites []agreement.Site
	for _, e := range law.Newest() {
		for _, s := range e.Sites {
			if !slices.ContainsFunc(sites, func(o agreement.Site) bool { return o.Number == s.Number }) {
				sites = append(sites, s)
			}
		}
	}
	return sites
}

// DayAt returns the civil day at a site, as day numbers count, and the minute of the day.
func DayAt(law *Law, site uint16, now time.Time) (day, minute uint16, ok bool) {
	e, ok := law.EditionFor(site, now)
	if !ok {
		return 0, 0, false
	}
	s, ok := e.SiteNumbered(site)
	if !ok {
		return 0, 0, false
	}
	day, minute = dayIn(law.Zone(s.ID), now)
	return day, minute, true
}

func dayIn(zone *time.Location, now time.Time) (day, minute uint16) {
	now = now.In(zone)
	return rules.DayNumber(calendar.On(now, zone)), uint16(now.Hour()*60 + now.Minute())
}

// PassClaims returns what one member's pass says. It is false where the booking has no
// pass, as on standby, or the edition does not know its slot.
func PassClaims(law *Law, side agreement.Side, b booking.Booking, member int) (pass.Claims, bool) {
	if b.Status != booking.Booked && b.Status != booking.Used || member < 0 || member >= len(b.Members) {
		return pass.Claims{}, false
	}
	p, ok := law.Slot(b.Slot.Site(), b.Slot.Class(), b.Slot.Day(), b.Slot.Minute())
	if !ok {
		return pass.Claims{}, false
	}
	e, ok := law.EditionFor(p.Site, p.From)
	if !ok {
		return pass.Claims{}, false
	}
	site, ok := e.SiteNumbered(p.Site)
	if !ok {
		return pass.Claims{}, false
	}
	m := b.Members[member]
	from, until := booking.PassSpan(law, site.ID, p)
	return pass.Claims{
		ID: m.Pass, Side: pass.Side(side[0]), Edition: e.Hash.Prefix(), Binding: m.Binding,
		Site: p.Site, Slot: uint64(b.Slot), Class: p.Class, Place: m.Place, Generation: m.Gen, Children: m.Children,
		NotBefore: from, Expires: until,
		// When it was booked, not when it is printed: the same claims give the same text.
		IssuedAt: b.At.Truncate(time.Second),
	}, true
}

// ClassName returns the names of a class at a site in the edition in force at an instant.
func ClassName(law *Law, site uint16, class uint8, at time.Time) (lang.Text, bool) {
	c, _, ok := law.ClassNumbered(site, class, at)
	return c.Name, ok
}
