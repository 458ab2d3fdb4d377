// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package rules

import "darwaza.dev/internal/reason"

// The codes that the law itself gives. Whatever one of them says, the clause is
// named beside it and has words of its own.
const (
	CodeEdition   reason.Code = "law.edition.none"
	CodeSite      reason.Code = "law.site.unknown"
	CodeSilent    reason.Code = "law.point.silent"
	CodeCondition reason.Code = "law.clause.condition"
	CodeProof     reason.Code = "law.proof.later"
	CodeTest      reason.Code = "law.proof.test"
	CodeBreach    reason.Code = "law.clause.breach"
	CodeDivert    reason.Code = "law.clause.divert"
	CodeHold      reason.Code = "law.clause.hold"
	CodeRefer     reason.Code = "law.clause.refer"
	CodeConflict  reason.Code = "law.clause.conflict"
	CodeRefuse    reason.Code = "law.clause.refuse"
	CodeClosed    reason.Code = "law.clause.closed"
	CodeWanted    reason.Code = "law.input.wanted"
	CodeUnknown   reason.Code = "law.input.unknown"
	CodeParameter reason.Code = "law.parameter.silent"
	CodeFailed    reason.Code = "law.condition.failed"
	CodeException reason.Code = "law.exception.open"
	CodeHours     reason.Code = "law.schedule.closed"
	CodeNoHours   reason.Code = "law.schedule.silent"
	CodeEarly     reason.Code = "law.site.early"
	CodeNoDate    reason.Code = "law.site.silent"
	CodeCapDivert reason.Code = "law.cap.divert"
	CodeCapRefuse reason.Code = "law.cap.refuse"
	CodeCapOpen   reason.Code = "law.cap.open"
	CodeUnlisted  reason.Code = "law.good.unlisted"
	CodeAbsent    reason.Code = "law.list.absent"
	CodeTax       reason.Code = "law.tax.due"
	CodeFields    reason.Code = "law.paper.incomplete"
	CodeDispute   reason.Code = "law.amount.conflict"
	CodeDate      reason.Code = "law.date.open"
	CodeQuestion  reason.Code = "law.question.open"
	CodeGoodOpen  reason.Code = "law.good.open"
	CodeOwed      reason.Code = "law.amount.apart"
	CodeMatter    reason.Code = "law.matter.conflict"
	CodeTable     reason.Code = "law.table.gap"
	CodeUnshared  reason.Code = "law.share.silent"
	CodeRule      reason.Code = "law.rule.unmet"
	CodeRuleOpen  reason.Code = "law.rule.open"
	CodeNoRule    reason.Code = "law.rule.silent"

	CodeDefineTwice    reason.Code = "law.define.twice"
	CodeDefineConflict reason.Code = "law.define.conflict"
)

// Reasons declares the codes of this package.
func Reasons() []reason.Decl {
	return []reason.Decl{
		{Code: CodeEdition, Outcome: reason.Refer, When: "no edition of the agreement is known to be in force at that time"},
		{Code: CodeSite, Outcome: reason.Refer, When: "the edition in force does not know the site"},
		{Code: CodeSilent, Outcome: reason.Refer, When: "no clause in force says anything at this point"},
		{Code: CodeCondition, Outcome: reason.Allow, When: "a clause lets it go on under a condition"},
		{Code: CodeProof, Outcome: reason.Allow, When: "a health certificate has to be shown at the gate"},
		{Code: CodeTest, Outcome: reason.Allow, When: "a test is booked at the health desk before the crossing: go on, and stop if it is positive"},
		{Code: CodeBreach, Outcome: reason.Breach, When: "an authority has not done what a clause asks of it"},
		{Code: CodeDivert, Outcome: reason.Divert, When: "a clause sends it to another regime"},
		{Code: CodeHold, Outcome: reason.Hold, When: "a clause asks for something that is not there yet"},
		{Code: CodeRefer, Outcome: reason.Refer, When: "a clause leaves it to a person"},
		{Code: CodeConflict, Outcome: reason.Conflict, When: "a clause says that two texts disagree"},
		{Code: CodeRefuse, Outcome: reason.Refuse, When: "a clause does not allow it"},
		{Code: CodeClosed, Outcome: reason.Closed, When: "a clause says that it is closed"},
		{Code: CodeWanted, Outcome: reason.Hold, When: "something that a clause reads was not given yet"},
		{Code: CodeUnknown, Outcome: reason.Refer, When: "something that a clause reads is not known"},
		{Code: CodeParameter, Outcome: reason.Refer, When: "a number that a clause needs is left empty by the text"},
		{Code: CodeFailed, Outcome: reason.Refer, When: "the condition of a clause cannot be worked out on these inputs"},
		{Code: CodeException, Outcome: reason.Refer, When: "whether an exception holds that would set a clause aside is not known"},
		{Code: CodeHours, Outcome: reason.Closed, When: "the site is not open to the class and direction at that time"},
		{Code: CodeNoHours, Outcome: reason.Refer, When: "the edition has no opening hours for the site, or nobody knows them"},
		{Code: CodeEarly, Outcome: reason.Closed, When: "the site has not been opened yet"},
		{Code: CodeNoDate, Outcome: reason.Refer, When: "the text does not say when the site was opened"},
		{Code: CodeCapDivert, Outcome: reason.Divert, When: "a limit is passed above which another regime holds"},
		{Code: CodeCapRefuse, Outcome: reason.Refuse, When: "a limit is passed above which nothing is allowed"},
		{Code: CodeCapOpen, Outcome: reason.Refer, When: "whether a limit is passed turns on a question that is not settled"},
		{Code: CodeUnlisted, Outcome: reason.Refer, When: "the good is not on the list that a clause names"},
		{Code: CodeAbsent, Outcome: reason.Refer, When: "the list that a clause names is not at hand"},
		{Code: CodeTax, Outcome: reason.Divert, When: "a tax is due under another regime"},
		{Code: CodeFields, Outcome: reason.Refuse, When: "a paper lacks something that it has to show"},
		{Code: CodeDispute, Outcome: reason.Conflict, When: "two clauses in force give different figures for the same amount"},
		{Code: CodeOwed, Outcome: reason.Conflict, When: "two agreements in force give different figures for the same amount, and neither sets the other aside"},
		{Code: CodeDate, Outcome: reason.Refer, When: "the text gives no day on which a clause or a number begins or ends, and it turns on that"},
		{Code: CodeQuestion, Outcome: reason.Refer, When: "what a clause does turns on a question that is not settled"},
		{Code: CodeGoodOpen, Outcome: reason.Refer, When: "a list ends in open words or was read in part, the code is too short, or a place is not on it, so that nobody can tell"},
		{Code: CodeMatter, Outcome: reason.Conflict, When: "two texts in force say different things of one matter"},
		{Code: CodeTable, Outcome: reason.Refer, When: "no row of a table covers the case"},
		{Code: CodeUnshared, Outcome: reason.Refer, When: "no clause in force says what may go to that recipient"},
		{Code: CodeRule, Outcome: reason.Refuse, When: "a certificate does not meet a published rule that a clause asks"},
		{Code: CodeRuleOpen, Outcome: reason.Refer, When: "a published rule cannot tell whether a certificate meets it"},
		{Code: CodeNoRule, Outcome: reason.Refer, When: "none of the published rules that a clause asks speaks of such a certificate at that time"},
		{Code: CodeDefineTwice, Outcome: reason.Refer, When: "two clauses of one text give something different values"},
		{Code: CodeDefineConflict, Outcome: reason.Conflict, When: "clauses of two texts give something different values"},
	}
}

// Unsettled reports whether a code means that a clause could not be asked to its end:
// something is not known, or open. What the clause says of those who do not meet it is
// then not said of anybody; the code has words of its own.
func Unsettled(c reason.Code) bool {
	switch c {
	case CodeWanted, CodeUnknown, CodeParameter, CodeFailed, CodeException, CodeNoHours, CodeNoDate, CodeCapOpen, CodeAbsent, CodeDate, CodeQuestion, CodeGoodOpen, CodeTable, CodeRuleOpen, CodeNoRule:
		return true
	}
	return false
}

// unmet is the code for a clause that decides against a query with an outcome.
func unmet(o reason.Outcome) reason.Code {
	switch o {
	case reason.Allow:
		return CodeCondition
	case reason.Breach:
		return CodeBreach
	case reason.Divert:
		return CodeDivert
	case reason.Hold:
		return CodeHold
	case reason.Conflict:
		return CodeConflict
	case reason.Refuse:
		return CodeRefuse
	case reason.Closed:
		return CodeClosed
	}
	return CodeRefer
}
