// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package booking

import "darwaza.dev/internal/reason"

// Codes of this desk's reasons.
const (
	CodeFull    reason.Code = "booking.slot.full"
	CodePast    reason.Code = "booking.slot.past"
	CodeUnknown reason.Code = "booking.slot.unknown"
	CodeAhead   reason.Code = "booking.slot.ahead"
	CodeHeld    reason.Code = "booking.slot.held"
	CodeSecond  reason.Code = "booking.person.second"
	CodeTheirs  reason.Code = "booking.person.theirs"
	CodeTwice   reason.Code = "booking.person.twice"
	CodeParty   reason.Code = "booking.party.size"
	CodeLarge   reason.Code = "booking.party.large"
	CodeEnded   reason.Code = "booking.state.ended"
	CodeUsed    reason.Code = "booking.state.used"
	CodeNoPass  reason.Code = "booking.state.no_pass"
	CodeNoOffer reason.Code = "booking.standby.no_offer"
	CodeStandby reason.Code = "booking.standby.waiting"

	CodeTestFull  reason.Code = "booking.test.full"
	CodeTestTime  reason.Code = "booking.test.time"
	CodeTestLater reason.Code = "booking.test.later"
	CodeTestNone  reason.Code = "booking.test.none"
)

// Grounds are what an officer may decide on a request that was left to one, as words: the
// texts are under "ground.booking.<word>".
var Grounds = [...]string{
	"paper",    // the paper that was asked for was shown
	"clause",   // the officer has read the clause, and says how it applies
	"order",    // somebody above, or the joint committee, said so
	"no_paper", // the paper that was asked for was not shown
	"gone",     // the party does not want the place any more
}

// Declared returns this desk's reasons with their outcomes.
func Declared() []reason.Decl {
	return []reason.Decl{
		{Code: CodeFull, Outcome: reason.Refuse, When: "this side has no place left in the slot, or those that there are belong to people who wait"},
		{Code: CodePast, Outcome: reason.Closed, When: "the slot is over"},
		{Code: CodeUnknown, Outcome: reason.Closed, When: "the edition plans no such slot: the site is not open then, or not for this class"},
		{Code: CodeAhead, Outcome: reason.Closed, When: "the slot is further ahead than booking is open"},
		{Code: CodeHeld, Outcome: reason.Closed, When: "sales of places may be missing from the record, which has lost its end, and no supervisor has opened the site's slots again"},
		{Code: CodeSecond, Outcome: reason.Refuse, When: "a person of the party has an active booking at this site on this day"},
		{Code: CodeTheirs, Outcome: reason.Refuse, When: "a person of the party has an active booking with the other side at this site on this day, as far as it was heard"},
		{Code: CodeTwice, Outcome: reason.Refuse, When: "the same document was given for two persons of the party"},
		{Code: CodeParty, Outcome: reason.Refuse, When: "the party is larger than one booking may be"},
		{Code: CodeLarge, Outcome: reason.Refuse, When: "the party is larger than all places that this side has in the slot, so waiting would not help"},
		{Code: CodeEnded, Outcome: reason.Refuse, When: "the booking was cancelled, has lapsed, or was settled at the day's end"},
		{Code: CodeUsed, Outcome: reason.Refuse, When: "a holder has entered with the booking already"},
		{Code: CodeNoPass, Outcome: reason.Refuse, When: "a pass is asked for and the booking still waits for a place"},
		{Code: CodeNoOffer, Outcome: reason.Refuse, When: "no place is offered to the booking, or the offer has run out"},
		{Code: CodeStandby, Outcome: reason.Hold, When: "the party has joined the queue and waits for a returned place"},
		{Code: CodeTestFull, Outcome: reason.Refuse, When: "the health desk has no place left for the party before the crossing, in the slot that was asked for or, where a booking is moved, in any"},
		{Code: CodeTestTime, Outcome: reason.Refuse, When: "the slot of the health desk does not fit the crossing: its results come too late, hold too short, or it is over"},
		{Code: CodeTestLater, Outcome: reason.Hold, When: "a test is asked for and the party still waits for a place at the gate: both are booked as one"},
		{Code: CodeTestNone, Outcome: reason.Allow, When: "a test was asked for and nobody of the party needs one: none is booked"},
	}
}
