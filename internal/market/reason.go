// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package market

import "darwaza.dev/internal/reason"

// Codes of this desk's reasons.
const (
	CodeStated  reason.Code = "market.value.stated"
	CodeReceipt reason.Code = "market.receipt.incomplete"
	CodeAbsent  reason.Code = "market.buyer.absent"
	CodeAway    reason.Code = "market.buyer.away"
)

// Declared returns this desk's reasons with their outcomes.
func Declared() []reason.Decl {
	return []reason.Decl{
		{Code: CodeStated, Outcome: reason.Refer, When: "no value is displayed for the good, and an officer has stated one"},
		{Code: CodeReceipt, Outcome: reason.Refer, When: "the receipt would lack something that a clause asks for, such as name, number or a known duty"},
		{Code: CodeAbsent, Outcome: reason.Refer, When: "the pass is seen by this side's gates today and its holder has left"},
		{Code: CodeAway, Outcome: reason.Refer, When: "the pass is seen by this side's gates today, at another site"},
	}
}

// Grounds are what an officer may let a referred lot go on, or take one back for, as
// words: the texts are under "ground.market.<word>".
var Grounds = [...]string{
	"document", // name and number were taken from another document
	"value",    // the value was worked out from an invoice or from like goods
	"present",  // the buyer stands at the desk
	"order",    // a supervisor said so
	"keyed",    // keyed wrongly
	"returned", // the buyer gave the goods back
	"double",   // entered twice
}
