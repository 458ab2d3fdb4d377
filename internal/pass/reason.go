// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package pass

import "darwaza.dev/internal/reason"

// Fault is why a pass or a receipt is not accepted; empty where it is good.
type Fault = reason.Code

// The faults of a pass. Early and Expired alone are said of a pass that is genuine:
// the signature is good, and the claims may be believed.
const (
	Foreign    Fault = "pass.form.foreign"
	Unreadable Fault = "pass.form.unreadable"
	Newer      Fault = "pass.form.newer"
	KeyUnknown Fault = "pass.key.unknown"
	KeyRevoked Fault = "pass.key.revoked"
	KeyEarly   Fault = "pass.key.early"
	KeyExpired Fault = "pass.key.expired"
	Forged     Fault = "pass.signature.untrusted"
	Early      Fault = "pass.time.early"
	Expired    Fault = "pass.time.expired"
)

// The faults of a receipt.
const (
	ReceiptForeign    Fault = "receipt.form.foreign"
	ReceiptUnreadable Fault = "receipt.form.unreadable"
	ReceiptNewer      Fault = "receipt.form.newer"
	ReceiptKeyUnknown Fault = "receipt.key.unknown"
	ReceiptKeyRevoked Fault = "receipt.key.revoked"
	ReceiptUntrusted  Fault = "receipt.signature.untrusted"
)

// Declared returns the faults with their outcomes. All of them refuse: a pass that
// cannot be believed is no ground for an officer's discretion, and whoever lost or
// spoilt theirs is found by document, which is another scan.
func Declared() []reason.Decl {
	return []reason.Decl{
		{Code: Foreign, Outcome: reason.Refuse, When: "what was scanned is not a pass: a health certificate, an address, a travel document, something else"},
		{Code: Unreadable, Outcome: reason.Refuse, When: "it begins like a pass and the rest is damaged"},
		{Code: Newer, Outcome: reason.Refuse, When: "it is a pass of a newer format, which this gate cannot read"},
		{Code: KeyUnknown, Outcome: reason.Refuse, When: "it is signed by a key that neither side's root has certified to this gate"},
		{Code: KeyRevoked, Outcome: reason.Refuse, When: "it is signed by a key that its side has revoked"},
		{Code: KeyEarly, Outcome: reason.Refuse, When: "its key is certified from a later time on: the clock here may be behind"},
		{Code: KeyExpired, Outcome: reason.Refuse, When: "the certificate of its key has run out"},
		{Code: Forged, Outcome: reason.Refuse, When: "the signature does not hold: altered, made up, or by a key that may not sign passes of this side"},
		{Code: Early, Outcome: reason.Refuse, When: "the pass is genuine and not good yet"},
		{Code: Expired, Outcome: reason.Refuse, When: "the pass is genuine and no longer good"},

		{Code: ReceiptForeign, Outcome: reason.Refuse, When: "what was scanned is not a receipt"},
		{Code: ReceiptUnreadable, Outcome: reason.Refuse, When: "it begins like a receipt and the rest is damaged"},
		{Code: ReceiptNewer, Outcome: reason.Refuse, When: "it is a receipt of a newer format"},
		{Code: ReceiptKeyUnknown, Outcome: reason.Refuse, When: "it is signed by a key that neither side's root has certified"},
		{Code: ReceiptKeyRevoked, Outcome: reason.Refuse, When: "it is signed by a key that its side has revoked"},
		{Code: ReceiptUntrusted, Outcome: reason.Refuse, When: "the signature does not hold, or the key might not sign receipts when it was issued"},
	}
}

// Genuine reports whether a fault is said of a pass whose signature is good.
func Genuine(f Fault) bool { return f == "" || f == Early || f == Expired }
