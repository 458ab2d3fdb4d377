// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/proof"
	"darwaza.dev/internal/reason"
)

func genuine(events ...proof.Event) *proof.Result {
	return &proof.Result{Checked: true, Claims: &proof.Claims{Format: proof.DCC, Country: "DEU", Assurance: proof.Signed, Events: events}}
}

func must1[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// TestShown holds that of a genuine certificate exactly what the edition declares becomes
// an event, with its date as exact as it is, and of any other nothing.
func TestShown(t *testing.T) {
	zone := must1(calendar.Zone("Asia/Karachi"))
	test := proof.Event{Kind: proof.Test, Disease: proof.COVID19, TestKind: proof.NAAT, Result: proof.Negative, On: must1(proof.ParseDate("2025-06-09T10:00:00+02:00"))}
	ps := Proofs(genuine(test), zone)
	if len(ps) != 1 || ps[0].Country != "DEU" || ps[0].Earliest != at("2025-06-09T08:00:00Z").Unix() || ps[0].Latest != ps[0].Earliest {
		t.Fatalf("%#v", ps)
	}
	e := &agreement.Edition{Events: map[string]agreement.EventKind{"proof": {Fields: []string{"proof.kind", "proof.disease", "proof.earliest", "proof.latest"}}}}
	got := ps[0].Event(e)
	if fields := slices.Sorted(maps.Keys(got.Facts)); !slices.Equal(fields, []string{"proof.disease", "proof.earliest", "proof.kind", "proof.latest"}) {
		t.Errorf("fields that nobody declared: %v", fields)
	}
	if !got.At.Equal(at("2025-06-09T08:00:00Z")) {
		t.Errorf("an exact date became %v", got.At)
	}
	test.On = must1(proof.ParseDate("2025-06"))
	month := Proofs(genuine(test), zone)[0]
	got = month.Event(e)
	if !got.At.IsZero() || got.Facts["proof.earliest"] != at("2025-05-31T19:00:00Z") || got.Facts["proof.latest"] != at("2025-06-30T18:59:59Z") {
		t.Errorf("a month became %v", got)
	}
	unasked := &agreement.Edition{Events: map[string]agreement.EventKind{"proof": {Fields: []string{"proof.kind"}}}}
	if got := month.Event(unasked); !got.At.IsZero() {
		t.Errorf("a month was rounded to %v", got.At)
	}
	test.On = proof.On(calendar.Date{Year: 2025, Month: time.June, Day: 9})
	day := Proofs(genuine(test), zone)[0]
	if got := day.Event(e); !got.At.IsZero() {
		t.Errorf("a day was rounded to %v, where the edition asks how exact it is", got.At)
	}
	if got := day.Event(unasked); !got.At.Equal(at("2025-06-08T19:00:00Z")) {
		t.Errorf("a day became %v", got.At)
	}
	if s := fmt.Sprintf("%v %#v %+v", ps, ps[0], Shown{Proofs: ps}); s != "[[redacted]] [redacted] [redacted]" {
		t.Error(s)
	}

	claimed := genuine(test)
	claimed.Claims.Assurance = proof.Claimed
	forged := genuine(test)
	forged.Fault(proof.Forged)
	for what, r := range map[string]*proof.Result{"claimed": claimed, "forged": forged, "unchecked": {Claims: forged.Claims}} {
		if ps := Proofs(r, zone); ps != nil {
			t.Errorf("%s counts: %d", what, len(ps))
		}
	}
	paper := genuine(test)
	paper.Claims.Assurance = proof.Attested
	if len(Proofs(paper, zone)) != 1 {
		t.Error("an attested paper does not count")
	}

	// The narrower of the certificate's validity and the event's.
	wide := genuine(proof.Event{Kind: proof.Recovery, Disease: proof.COVID19, From: must1(proof.ParseDate("2025-01-10")), Until: must1(proof.ParseDate("2025-07-01"))})
	wide.Claims.From, wide.Claims.Until = at("2025-01-01T00:00:00Z"), at("2025-06-01T00:00:00Z")
	if p := Proofs(wide, time.UTC)[0]; p.From != at("2025-01-10T00:00:00Z").Unix() || p.Until != at("2025-06-01T00:00:00Z").Unix() {
		t.Errorf("valid from %v until %v", time.Unix(p.From, 0).UTC(), time.Unix(p.Until, 0).UTC())
	}
}

// TestShownIsJudged puts a certificate to a clause.
func TestShownIsJudged(t *testing.T) {
	l := wideLaw(t, proofClause, "parameters", proofParams)
	q := noon("2025-06-10")
	q.Point = Gate
	none := l.Check(q)
	if none.Outcome != reason.Hold || !l.Wants(none, q.Site) {
		t.Fatalf("nothing shown: %s, wants %t", none.Outcome, l.Wants(none, q.Site))
	}
	Shown{}.Into(l, &q)
	if q.Events[agreement.EventProof] != nil {
		t.Error("nothing shown is known to be nothing")
	}
	test := proof.Event{Kind: proof.Test, Disease: proof.COVID19, TestKind: proof.NAAT, Result: proof.Negative, On: proof.At(at("2025-06-09T10:00:00Z"))}
	for _, c := range []struct {
		result proof.TestResult
		want   reason.Outcome
	}{{proof.Negative, reason.Allow}, {proof.Positive, reason.Hold}} {
		test.Result = c.result
		q := noon("2025-06-10")
		q.Point = Gate
		Shown{Proofs: Proofs(genuine(test), time.UTC)}.Into(l, &q)
		v := l.Check(q)
		if v.Outcome != c.want || l.Wants(v, q.Site) {
			t.Errorf("%s: %s, want %s", c.result, v.Outcome, c.want)
		}
	}
}

// TestCertificateJSON holds what published rules get of a certificate.
func TestCertificateJSON(t *testing.T) {
	r := genuine()
	r.KeyID, r.Claims.IssuedAt, r.Claims.Until = []byte{1, 2}, at("2025-01-01T00:00:00Z"), at("2026-01-01T00:00:00Z")
	got := string(must1(CertificateJSON(r, []byte(`{"v":[{"dn":2}]}`))))
	if want := `{"expires":"2026-01-01T00:00:00Z","issued":"2025-01-01T00:00:00Z","issuer":"DE","kid":"AQI=","payload":{"v":[{"dn":2}]}}`; got != want {
		t.Error(got)
	}
	if _, err := CertificateJSON(r, []byte(`[]`)); err == nil {
		t.Error("a payload that is no object was taken")
	}
	r.Fault(proof.Forged)
	if _, err := CertificateJSON(r, []byte(`{}`)); err == nil {
		t.Error("a forged certificate was taken")
	}
}
