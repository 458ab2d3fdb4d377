// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package service

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"darwaza.dev/internal/gate"
	"darwaza.dev/internal/identity"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/proof"
	"darwaza.dev/internal/reason"
	"darwaza.dev/internal/rules"
)

// unasked leaves out the question of the health desk about who was near somebody ill.
var unasked = []string{`require: "!screening.contact"`, `require: "true"`}

// negative is what a gate reads of a negative test of an hour ago.
func negative(w *world) rules.Shown {
	at := w.now.Add(-time.Hour).Unix()
	return rules.Shown{Proofs: []rules.Proof{{Kind: "test", Disease: "covid19", Test: "antigen", Result: "negative", Country: "CANARYLAND", Issuer: "CANARYLAB", Earliest: at, Latest: at}}}
}

// TestProofAtTheGate shows certificates of every kind while the level asks for one, and
// while none does, and holds that no fact has anything of them but the reason.
func TestProofAtTheGate(t *testing.T) {
	const none = reason.Code("")
	for _, c := range []struct {
		what   string
		level  bool
		e      func(w *world) gate.Evidence
		want   reason.Outcome
		code   reason.Code
		asks   []string
		absent reason.Code
	}{
		{"nothing shown, nothing asked", false, func(*world) gate.Evidence { return gate.Evidence{} }, reason.Allow, none, nil, none},
		{"nothing shown", true, func(*world) gate.Evidence { return gate.Evidence{} }, reason.Hold, none, []string{"proof", "decision"}, none},
		{"theirs", true, func(w *world) gate.Evidence { return gate.Evidence{Shown: negative(w), Holder: identity.Same} }, reason.Allow, none, nil, none},
		{"of a stale list", true, func(w *world) gate.Evidence {
			return gate.Evidence{Shown: negative(w), Holder: identity.Same, Why: []reason.Code{gate.CodeProofStale}}
		}, reason.Allow, gate.CodeProofStale, nil, none},
		{"spelt otherwise", true, func(w *world) gate.Evidence { return gate.Evidence{Shown: negative(w), Holder: identity.Close} }, reason.Refer, gate.CodeProofClose, []string{"holder", "decision"}, none},
		{"somebody else's", true, func(w *world) gate.Evidence { return gate.Evidence{Shown: negative(w), Holder: identity.Different} }, reason.Refer, gate.CodeProofOther, []string{"holder", "decision"}, none},
		{"nobody knows whose", true, func(w *world) gate.Evidence { return gate.Evidence{Shown: negative(w)} }, reason.Refer, gate.CodeProofUnnamed, []string{"holder", "decision"}, none},
		{"compared", true, func(w *world) gate.Evidence {
			return gate.Evidence{Shown: negative(w), Holder: identity.Different, Compared: true}
		}, reason.Allow, gate.CodeProofCompared, nil, none},
		{"somebody else's, and nobody asks", false, func(w *world) gate.Evidence { return gate.Evidence{Shown: negative(w), Holder: identity.Different} }, reason.Allow, none, nil, gate.CodeProofOther},
		{"forged", true, func(*world) gate.Evidence { return gate.Evidence{Why: []reason.Code{gate.CodeProofForged}} }, reason.Refer, gate.CodeProofForged, []string{"proof", "decision"}, none},
		{"forged, and nobody asks", false, func(*world) gate.Evidence { return gate.Evidence{Why: []reason.Code{gate.CodeProofForged}} }, reason.Refer, gate.CodeProofForged, []string{"decision"}, none},
		{"revoked", true, func(*world) gate.Evidence { return gate.Evidence{Why: []reason.Code{gate.CodeProofRevoked}} }, reason.Refer, gate.CodeProofRevoked, nil, none},
		{"of nobody known", true, func(*world) gate.Evidence { return gate.Evidence{Why: []reason.Code{gate.CodeProofIssuer}} }, reason.Refer, gate.CodeProofIssuer, nil, none},
		{"of nobody known, and nobody asks", false, func(*world) gate.Evidence { return gate.Evidence{Why: []reason.Code{gate.CodeProofIssuer}} }, reason.Allow, none, nil, gate.CodeProofIssuer},
		{"without a list", true, func(*world) gate.Evidence { return gate.Evidence{Why: []reason.Code{gate.CodeProofUnchecked}} }, reason.Refer, gate.CodeProofUnchecked, nil, none},
		{"perhaps revoked", true, func(w *world) gate.Evidence {
			return gate.Evidence{Shown: negative(w), Holder: identity.Same, Why: []reason.Code{gate.CodeProofDoubt}}
		}, reason.Refer, gate.CodeProofDoubt, nil, none},
		{"expired", true, func(*world) gate.Evidence { return gate.Evidence{Why: []reason.Code{gate.CodeProofExpired}} }, reason.Hold, gate.CodeProofExpired, []string{"proof", "decision"}, none},
		{"early", true, func(*world) gate.Evidence { return gate.Evidence{Why: []reason.Code{gate.CodeProofEarly}} }, reason.Hold, gate.CodeProofEarly, nil, none},
		{"unreadable", true, func(*world) gate.Evidence { return gate.Evidence{Why: []reason.Code{gate.CodeProofUnreadable}} }, reason.Hold, gate.CodeProofUnreadable, nil, none},
	} {
		t.Run(c.what, func(t *testing.T) {
			w := newWorld(t, lawWith(t, unasked...))
			b := w.book(slotAt(9), 1).Booking
			w.now = at("09:30")
			if c.level {
				do[LevelAnswer](w, SetLevel{Site: mand, Level: "guarded", Emergency: true, Officer: "supervisor"})
			}
			s := w.scan(w.claims(b, 0))
			s.Evidence = c.e(w)
			a := do[ScanAnswer](w, s)
			has := func(code reason.Code) bool {
				return slices.ContainsFunc(a.Verdict.Reasons, func(r reason.Reason) bool { return r.Code == code })
			}
			seen(a.Verdict.Reasons)
			if a.Verdict.Outcome != c.want || c.code != none && !has(c.code) || c.absent != none && has(c.absent) {
				t.Errorf("%s %v, want %s %s", a.Verdict.Outcome, a.Verdict.Reasons, c.want, c.code)
			}
			if c.asks != nil && !slices.Equal(a.Asks, c.asks) {
				t.Errorf("asks %v, want %v", a.Asks, c.asks)
			}
			if a.Verdict.Outcome.NeedsOfficer() {
				r := do[ScanAnswer](w, DecideScan{Pass: a.Presence.Pass, Serial: a.Scan.Serial, Admit: true, Why: "seen", Officer: "supervisor", Gate: 1})
				if !r.Presence.Inside {
					t.Errorf("an officer decided, and nobody moved: %v", r.Verdict.Reasons)
				}
			}
			for _, f := range w.mem.Facts() {
				body, err := w.mem.codec.Encode(f.Fact)
				if err != nil {
					t.Fatal(err)
				}
				for _, x := range []string{"CANARY", "antigen", "negative"} {
					if bytes.Contains(body, []byte(x)) {
						t.Errorf("%s is in a fact: %q", x, body)
					}
				}
			}
			w.rebuilt()
		})
	}
}

// TestProofCompletes shows the pass first and the certificate after it: one arrival, one
// answer.
func TestProofCompletes(t *testing.T) {
	w := newWorld(t, lawWith(t, unasked...))
	b := w.book(slotAt(9), 1).Booking
	w.now = at("09:30")
	do[LevelAnswer](w, SetLevel{Site: mand, Level: "guarded", Emergency: true, Officer: "supervisor"})
	s := w.scan(w.claims(b, 0))
	first := do[ScanAnswer](w, s)
	s.Again, s.Evidence = first.Scan.Serial, gate.Evidence{Shown: negative(w), Holder: identity.Same}
	if a := do[ScanAnswer](w, s); a.Verdict.Outcome != reason.Allow || !a.Presence.Inside {
		t.Errorf("%s %v", a.Verdict.Outcome, a.Verdict.Reasons)
	}
	for what, e := range map[string]gate.Evidence{"a code of another's": {Why: []reason.Code{gate.CodeSite}}, "a grade that is none": {Holder: 9},
		"too many": {Shown: rules.Shown{Proofs: make([]rules.Proof, rules.MaxProofs+1)}}} {
		s := w.scan(w.claims(b, 0))
		s.Evidence = e
		t.Log(what)
		w.fails(s, problem.Invalid, "gate.proof")
	}
}

// TestProofCode holds what is said first of a certificate that does not count.
func TestProofCode(t *testing.T) {
	for want, faults := range map[reason.Code][]proof.Fault{
		gate.CodeProofForged: {proof.Forged, proof.Expired}, gate.CodeProofRevoked: {proof.Revoked}, gate.CodeProofUnreadable: {proof.Unreadable},
		gate.CodeProofExpired: {proof.KeyUnknown, proof.Expired}, gate.CodeProofEarly: {proof.Early}, gate.CodeProofUnchecked: {proof.ListTooOld}, gate.CodeProofIssuer: {proof.KeyUnknown},
	} {
		if got := gate.ProofCode(&proof.Result{Faults: faults}); got != want {
			t.Errorf("%v: %s, want %s", faults, got, want)
		}
	}
	for want, notes := range map[reason.Code][]proof.Fault{"": nil, gate.CodeProofStale: {proof.ListStale}, gate.CodeProofDoubt: {proof.ListStale, proof.RevocationMaybe}} {
		if got := gate.ProofCode(&proof.Result{Checked: true, Claims: &proof.Claims{}, Notes: notes}); got != want {
			t.Errorf("%v: %s, want %s", notes, got, want)
		}
	}
	for _, f := range proof.Faults() {
		if gate.ProofCode(&proof.Result{Faults: []proof.Fault{f}}) == "" {
			t.Errorf("%s has no answer", f)
		}
	}
}
