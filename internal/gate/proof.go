// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"slices"

	"darwaza.dev/internal/identity"
	"darwaza.dev/internal/proof"
	"darwaza.dev/internal/reason"
	"darwaza.dev/internal/rules"
)

// Codes of what is to be said of a health certificate. None of them says what it is about.
const (
	CodeProofForged     reason.Code = "gate.proof.forged"
	CodeProofRevoked    reason.Code = "gate.proof.revoked"
	CodeProofIssuer     reason.Code = "gate.proof.issuer"
	CodeProofUnchecked  reason.Code = "gate.proof.unchecked"
	CodeProofDoubt      reason.Code = "gate.proof.unconfirmed"
	CodeProofExpired    reason.Code = "gate.proof.expired"
	CodeProofEarly      reason.Code = "gate.proof.early"
	CodeProofUnreadable reason.Code = "gate.proof.unreadable"
	CodeProofStale      reason.Code = "gate.proof.stale"
	CodeProofClose      reason.Code = "gate.proof.close"
	CodeProofOther      reason.Code = "gate.proof.other"
	CodeProofUnnamed    reason.Code = "gate.proof.unnamed"
	CodeProofCompared   reason.Code = "gate.proof.compared"
)

func proofsDeclared() []reason.Decl {
	return []reason.Decl{
		{Code: CodeProofForged, Outcome: reason.Refer, When: "the signature of a health certificate is none of its issuer's, or its key may not sign it"},
		{Code: CodeProofRevoked, Outcome: reason.Refer, When: "the issuer has revoked a health certificate"},
		{Code: CodeProofIssuer, Outcome: reason.Refer, When: "a health certificate is asked for, and no trusted list names the key of the one that was shown"},
		{Code: CodeProofUnchecked, Outcome: reason.Refer, When: "a health certificate is asked for, and the trusted list for the one that was shown is missing or older than the agreement allows"},
		{Code: CodeProofDoubt, Outcome: reason.Refer, When: "a health certificate is asked for, and a list of revocations has the one that was shown without anybody being able to confirm it"},
		{Code: CodeProofExpired, Outcome: reason.Allow, When: "the validity of a health certificate, or of its issuer's key, is over: it does not count"},
		{Code: CodeProofEarly, Outcome: reason.Allow, When: "the validity of a health certificate, or of its issuer's key, has not begun: it does not count"},
		{Code: CodeProofUnreadable, Outcome: reason.Allow, When: "a health certificate is damaged or of a kind that cannot be read: it does not count"},
		{Code: CodeProofStale, Outcome: reason.Allow, When: "the trusted list by which a health certificate was believed is old, and still within what the agreement allows"},
		{Code: CodeProofClose, Outcome: reason.Refer, When: "the name on a health certificate is spelt otherwise than the holder's: an officer compares"},
		{Code: CodeProofOther, Outcome: reason.Refer, When: "a genuine health certificate bears another name, birth or document than the holder's: an officer compares"},
		{Code: CodeProofUnnamed, Outcome: reason.Refer, When: "nothing at hand says whether a genuine health certificate is the holder's: an officer compares"},
		{Code: CodeProofCompared, Outcome: reason.Allow, When: "an officer compared a health certificate with its holder and says that it is theirs"},
	}
}

// An Evidence is what the gate was shown of health certificates. It is read once and kept
// nowhere.
type Evidence struct {
	Shown rules.Shown `cbor:"1,keyasint,omitempty"`
	// Why are this desk's codes of certificates that do not count, or are to be spoken of.
	Why []reason.Code `cbor:"2,keyasint,omitempty"`
	// Holder is how far the names on the genuine ones agree with the holder's.
	Holder identity.Grade `cbor:"3,keyasint,omitempty"`
	// Compared says that the officer has looked and finds that they are the holder's.
	Compared bool `cbor:"4,keyasint,omitempty"`
}

// maxWhy is how many codes an evidence has at most.
const maxWhy = 16

// Possible reports whether the evidence is one that a gate can have.
func (e Evidence) Possible() bool {
	known := func(c reason.Code) bool {
		return slices.ContainsFunc(proofsDeclared(), func(d reason.Decl) bool { return d.Code == c })
	}
	return e.Shown.Possible() && len(e.Why) <= maxWhy &&
		e.Holder <= identity.Different && !slices.ContainsFunc(e.Why, func(c reason.Code) bool { return !known(c) })
}

// ProofCode returns what is to be said first of a health certificate that was looked at,
// empty of one that is genuine without a word.
func ProofCode(r *proof.Result) reason.Code {
	has := func(fs ...proof.Fault) bool {
		return slices.ContainsFunc(fs, func(f proof.Fault) bool { return slices.Contains(r.Faults, f) })
	}
	switch {
	case has(proof.Forged, proof.Algorithm, proof.KeyCountry, proof.KeyUsage, proof.KeyRevoked):
		return CodeProofForged
	case has(proof.Revoked):
		return CodeProofRevoked
	case has(proof.NotProof, proof.Unreadable, proof.TooLarge, proof.Incomplete, proof.Unsupported, proof.Content):
		return CodeProofUnreadable
	case has(proof.Expired, proof.KeyExpired):
		return CodeProofExpired
	case has(proof.Early, proof.KeyEarly):
		return CodeProofEarly
	case has(proof.ListMissing, proof.ListTooOld):
		return CodeProofUnchecked
	case has(proof.KeyUnknown):
		return CodeProofIssuer
	case !r.Genuine():
		return CodeProofUnreadable
	case slices.Contains(r.Notes, proof.RevocationMaybe):
		return CodeProofDoubt
	case slices.Contains(r.Notes, proof.ListStale):
		return CodeProofStale
	}
	return ""
}

// proofs says what is to be said of the certificates that were shown, beside what the law
// makes of them. A forged and a revoked one are always spoken of, others only where one is
// asked for: nobody is held up over a paper that nobody wants.
func (q *inquiry) proofs(plan rules.SlotPlan) {
	e := q.a.Evidence
	if !e.Shown.Any() && len(e.Why) == 0 {
		return
	}
	query := rules.Query{Point: rules.Gate, At: q.Now, Site: q.at.site.ID, Side: string(q.Side), Facts: q.facts(plan)}
	wanted := q.Law.Wants(q.Law.Check(query), q.at.site.ID)
	for _, d := range proofsDeclared() { // in one order, whatever was scanned first
		if !slices.Contains(e.Why, d.Code) {
			continue
		}
		if wanted || d.Code == CodeProofForged || d.Code == CodeProofRevoked {
			q.sayOnce(because(d.Code, d.Outcome))
		}
	}
	if !e.Shown.Any() || !wanted {
		return
	}
	switch {
	case e.Holder == identity.Same:
	case e.Compared:
		q.say(because(CodeProofCompared, reason.Allow))
	case e.Holder == identity.Close:
		q.say(because(CodeProofClose, reason.Refer))
	case e.Holder == identity.Different:
		q.say(because(CodeProofOther, reason.Refer))
	default:
		q.say(because(CodeProofUnnamed, reason.Refer))
	}
}

// asksHolder reports whether an answer waits for an officer who compares a certificate
// with its holder.
func asksHolder(v rules.Verdict) bool {
	return slices.ContainsFunc(v.Reasons, func(r reason.Reason) bool {
		return r.Code == CodeProofClose || r.Code == CodeProofOther || r.Code == CodeProofUnnamed
	})
}
