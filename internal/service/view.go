// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package service

import (
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/gate"
	"darwaza.dev/internal/goods"
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
	ID   booking.SlotID
	Plan rules.SlotPlan
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
	There      stats.Foreign
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
	There      stats.Foreign
	ThereKnown bool
}

// BoardOf returns the public board of a site, as side's server sees it.
func BoardOf(st State, law *Law, side agreement.Side, site uint16, now time.Time) Board {
	return Board{Side: side, Now: now}
}

// DayOf returns the slots of a day for a class, in order of time.
func DayOf(st State, law *Law, side agreement.Side, site uint16, class uint8, day uint16, now time.Time) []SlotView {
	return nil
}

// SlotOf returns one slot; false where the edition plans none of that id.
func SlotOf(st State, law *Law, side agreement.Side, id booking.SlotID, now time.Time) (SlotView, bool) {
	return SlotView{}, false
}

// BookingOf returns the booking of a reference.
func BookingOf(st State, ref booking.Ref) (booking.Booking, bool) {
	return st.Booking.Bookings.Get(ref)
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
// which they were made.
func RosterOf(st State, site, day uint16) []booking.Booking { return nil }

// PresenceOf returns what this side's gates have seen of a pass.
func PresenceOf(st State, id pass.ID) (gate.Presence, bool) { return st.Gate.Presences.Get(id) }

// PresencesOf returns the passes that this side's gates have seen at a site on a day, in
// the order in which they were first seen.
func PresencesOf(st State, site, day uint16) []gate.Presence { return nil }

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
func ValuesOf(st State, law *Law, site, day uint16) []ValueView { return nil }

// VendorOf returns the card of a vendor by the register tag of their document.
func VendorOf(st State, register [16]byte) (market.Vendor, bool) {
	return st.Market.Vendors.Get(register)
}

// OfficerOf returns the officer of an id.
func OfficerOf(st State, id people.OfficerID) (people.Officer, bool) {
	return st.People.Officers.Get(id)
}

// OfficerByLogin returns the officer who signs in by a name.
func OfficerByLogin(st State, login string) (people.Officer, bool) {
	id, ok := st.People.Logins.Get(login)
	if !ok {
		return people.Officer{}, false
	}
	return st.People.Officers.Get(id)
}

// OfficersOf returns all officers ever appointed, in order of their appointment.
func OfficersOf(st State) []people.Officer { return nil }

// WordOf returns the verifier of an officer's sign-in word.
func WordOf(st State, id people.OfficerID) (string, bool) {
	b, ok := st.Sealed.Get(wordKey(id))
	return string(b), ok
}

// wordKey is where the verifier of a sign-in word is kept, beside the sealed data and in no fact.
func wordKey(id people.OfficerID) string { return "word:" + string(id) }

// DayFigures returns the supervisor's day of a site.
func DayFigures(st State, site, day uint16) DayView {
	v := DayView{Site: site, Day: day}
	v.Gate, _ = st.Gate.Days.Get(gate.SiteDayKey{Site: site, Day: day})
	v.Stats, _ = st.Stats.Days.Get(stats.Key{Site: site, Day: day})
	v.There, v.ThereKnown = st.Stats.Foreign.Get(stats.Key{Site: site, Day: day})
	return v
}

// FiguresFor returns what this side tells the other of a site's day: AsOf is now.
func FiguresFor(st State, law *Law, side agreement.Side, site, day uint16, now time.Time) stats.Foreign {
	return stats.Foreign{AsOf: now}
}

// WithdrawalsAfter returns this side's withdrawn passes with serials above after, at
// most limit, and the newest serial that there is.
func WithdrawalsAfter(st State, after uint64, limit int) (list []WithdrawnPass, last uint64) {
	return nil, 0
}

// HeardOf says how far this side has read the other side's withdrawals.
func HeardOf(st State, side agreement.Side) gate.Heard {
	h, _ := st.Gate.Heard.Get(string(side.Other()))
	return h
}

// SweepSlots returns the slots of the days from now on that a Sweep should look at: the
// command for the server's own clockwork is Sweep{Slots: SweepSlots(…)}.
func SweepSlots(st State, law *Law, side agreement.Side, now time.Time) []booking.SlotID { return nil }

// DayAt returns the civil day at a site, as day numbers count, and the minute of the day.
func DayAt(law *Law, site uint16, now time.Time) (day, minute uint16, ok bool) { return 0, 0, false }

// PassClaims returns what one member's pass says. It is false where the booking has no
// pass, as on standby, or the edition does not know its slot.
func PassClaims(law *Law, side agreement.Side, b booking.Booking, member int) (pass.Claims, bool) {
	return pass.Claims{}, false
}

// ClassName returns the names of a class in the edition in force at an instant.
func ClassName(law *Law, class uint8, at time.Time) (lang.Text, bool) { return nil, false }
