// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package gate

import "darwaza.dev/internal/reason"

// Codes of this desk's reasons. What is wrong with a pass itself is said by package pass.
const (
	CodeSite       reason.Code = "gate.pass.site"
	CodeDay        reason.Code = "gate.pass.day"
	CodeGate       reason.Code = "gate.pass.gate"
	CodeWithdrawn  reason.Code = "gate.pass.withdrawn"
	CodeOlder      reason.Code = "gate.pass.older"
	CodeUnknown    reason.Code = "gate.pass.unknown"
	CodeEdition    reason.Code = "gate.edition.unknown"
	CodeSlot       reason.Code = "gate.slot.unknown"
	CodeEarly      reason.Code = "gate.slot.early"
	CodeLate       reason.Code = "gate.slot.late"
	CodeHolder     reason.Code = "gate.holder.differs"
	CodeHeard      reason.Code = "gate.heard.age"
	CodeNeverHeard reason.Code = "gate.heard.never"
	CodeClock      reason.Code = "gate.clock.behind"
	CodeTwiceIn    reason.Code = "gate.entry.double"
	CodeTwiceOut   reason.Code = "gate.exit.double"
	CodeUnmatched  reason.Code = "gate.exit.unmatched"
	CodeExitLaw    reason.Code = "gate.exit.law"
	CodePast       reason.Code = "gate.decision.past"
	CodeElsewhere  reason.Code = "gate.entry.elsewhere"
	CodePerson     reason.Code = "gate.entry.person"
	CodeGoodsPast  reason.Code = "gate.goods.past"

	CodeHolderBefore reason.Code = "gate.holder.before"
	CodeHealthBefore reason.Code = "gate.health.before"
	CodeUnread       reason.Code = "gate.holder.unread"
)

// Declared returns this desk's reasons with their outcomes.
func Declared() []reason.Decl {
	return append([]reason.Decl{
		{Code: CodeSite, Outcome: reason.Refuse, When: "the pass is for another site"},
		{Code: CodeDay, Outcome: reason.Refuse, When: "the pass is for another day"},
		{Code: CodeGate, Outcome: reason.Refer, When: "the pass names another gate of the site"},
		{Code: CodeWithdrawn, Outcome: reason.Refuse, When: "the booking was cancelled or moved, and the pass is withdrawn"},
		{Code: CodeOlder, Outcome: reason.Refuse, When: "a newer pass was issued for the same place, and this one is withdrawn"},
		{Code: CodeUnknown, Outcome: reason.Refer, When: "this side signed the pass and has no booking for it: its records were restored from an older copy"},
		{Code: CodeEdition, Outcome: reason.Refer, When: "the pass was sold under an edition that this gate does not have"},
		{Code: CodeSlot, Outcome: reason.Refer, When: "the edition plans no slot as the pass names it"},
		{Code: CodeEarly, Outcome: reason.Hold, When: "the slot has not begun, grace included"},
		{Code: CodeLate, Outcome: reason.Refer, When: "the slot is over, grace included"},
		{Code: CodeHolder, Outcome: reason.Refuse, When: "the document that was read is not the one that the pass is bound to"},
		{Code: CodeHolderBefore, Outcome: reason.Refer, When: "the pass was refused today because its holder showed another document, and no document that fits was read since: a supervisor decides"},
		{Code: CodeHealthBefore, Outcome: reason.Refer, When: "the pass was refused today for what was measured or told at the health desk: the clause says who decides"},
		{Code: CodeUnread, Outcome: reason.Refer, When: "the other side sold the pass and no document was read with it, so that nothing says whose it is: a supervisor decides"},
		{Code: CodeHeard, Outcome: reason.Refer, When: "the other side's list of withdrawn passes was last read longer ago than the edition allows"},
		{Code: CodeNeverHeard, Outcome: reason.Refer, When: "the other side's list of withdrawn passes was never read"},
		{Code: CodeClock, Outcome: reason.Refer, When: "the clock shows a time that has been: before a scan of this pass, before the other side was heard, or before the trusted list was issued"},
		{Code: CodeTwiceIn, Outcome: reason.Refer, When: "the pass has entered here and was not scanned out: both scans are shown"},
		{Code: CodeTwiceOut, Outcome: reason.Refer, When: "the pass has left here already: both scans are shown"},
		{Code: CodeUnmatched, Outcome: reason.Allow, When: "somebody leaves who was not seen to enter here: counted, and marked"},
		{Code: CodeExitLaw, Outcome: reason.Refer, When: "a clause is against leaving now; nobody is kept in by a machine, so an officer decides"},
		{Code: CodeElsewhere, Outcome: reason.Refer, When: "the pass has entered by the other side's gate, as it was last heard, and has not left"},
		{Code: CodePerson, Outcome: reason.Refer, When: "the same person has entered on this day with a pass of another booking, as far as it is known here"},
		{Code: CodePast, Outcome: reason.Refuse, When: "a decision comes after the day of its scan: the scan ended undecided"},
		{Code: CodeGoodsPast, Outcome: reason.Refuse, When: "a decision on goods comes after the day on which they came to the way out"},
	}, proofsDeclared()...)
}

// Grounds are what an officer may decide on, as words: the texts are under
// "ground.gate.<word>". There is no free text in a decision: it would be in the record.
var Grounds = [...]string{
	"seen",      // the officer saw the person and the document
	"screened",  // the health desk has seen the person
	"excused",   // early or late for a good reason
	"mistake",   // an earlier scan was a mistake, or one is missing
	"asked",     // the other side was asked by telephone
	"party",     // belongs to a party that was let in
	"order",     // a supervisor said so
	"need",      // illness, danger, a child alone
	"doubt",     // turned back: the doubt stays
	"incapable", // turned back: what was asked for could not be shown
	"left",      // turned back: the person went away
}
