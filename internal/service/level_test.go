// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package service

import (
	"slices"
	"testing"
	"time"

	"darwaza.dev/internal/gate"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/protocol"
	"darwaza.dev/internal/reason"
)

// TestLevels brings levels in at a site and sees what they do to places and to the gate.
func TestLevels(t *testing.T) {
	w := newWorld(t, lawWith(t, small...))
	set := func(level string, from time.Time, emergency bool) LevelAnswer {
		t.Helper()
		return do[LevelAnswer](w, SetLevel{Site: mand, Level: level, From: from, Emergency: emergency, Officer: "supervisor"})
	}
	w.fails(SetLevel{Site: mand, Level: "guarded", Officer: "clerk"}, problem.Forbidden, "level.role")
	w.fails(SetLevel{Site: mand, Level: "guarded", Officer: "nobody"}, problem.Forbidden, "officer.role")
	w.verdict(set("guarded", w.now.Add(time.Hour), false).Verdict, reason.Refuse, protocol.CodeNotice)
	w.verdict(set("normal", time.Time{}, true).Verdict, reason.Refuse, protocol.CodeEmergency)

	// A slot that begins under the level has three quarters of its six places, rounded down.
	a := set("guarded", time.Time{}, false)
	w.verdict(a.Verdict, reason.Allow, "")
	if !a.Change.From.Equal(at("08:00")) {
		t.Fatalf("from %v", a.Change.From)
	}
	b := w.book(slotAt(9), 1, 2, 3, 4)
	w.verdict(b.Verdict, reason.Allow, "law.proof.later")
	w.verdict(w.book(slotAt(9), 5).Verdict, reason.Refuse, "booking.slot.full")
	if s := w.slot(slotAt(9)); s.Allotment != 4 {
		t.Errorf("%+v", s)
	}

	// At the gate the certificate is wanted, and the officer's answers.
	w.now = at("09:05")
	first := w.scan(w.claims(b.Booking, 0))
	ans := do[ScanAnswer](w, first)
	w.verdict(ans.Verdict, reason.Hold, "law.input.wanted")
	if !slices.Contains(ans.Verdict.Missing, "screening.contact") || !slices.Contains(ans.Asks, "screening") {
		t.Errorf("missing %v, asks %v", ans.Verdict.Missing, ans.Asks)
	}
	// What the profile asks is answered at the gate; what it does not ask cannot be said so.
	first.Again = ans.Scan.Serial
	first.Screening.Answers = []gate.Answered{{Attribute: "screening.contact"}, {Attribute: "health.level"}, {Attribute: "vendor.card", Yes: true}}
	ans = do[ScanAnswer](w, first)
	if slices.Contains(ans.Verdict.Missing, "screening.contact") || slices.Contains(ans.Asks, "screening") {
		t.Errorf("missing %v, asks %v", ans.Verdict.Missing, ans.Asks)
	}
	first.Again, first.Screening.Answers = ans.Scan.Serial, []gate.Answered{{Attribute: "screening.contact", Yes: true}}
	ans = do[ScanAnswer](w, first)
	if !slices.ContainsFunc(ans.Verdict.Reasons, func(r reason.Reason) bool { return r.Clause == "X-ASK-CONTACT" }) {
		t.Errorf("%+v", ans.Verdict)
	}
	first.Screening.Answers = []gate.Answered{{Attribute: "screening.contact", Tenths: 900}}
	w.fails(first, problem.Invalid, "gate.temperature")

	// What the other side brings in at once holds here too, and a slot that was sold shows
	// its excess.
	do[HearLevelsAnswer](w, HearLevels{Sites: []SiteLevels{{Site: mand, Changes: []protocol.Change{{Level: "high", From: w.now, Until: w.now.Add(7 * 24 * time.Hour), Said: w.now}}}}})
	if l, _, _, ok := LevelAt(w.mem.plain, w.law, mand, w.now); !ok || l.ID != "high" || l.Side != "B" {
		t.Errorf("%+v", l)
	}
	w.verdict(do[ScanAnswer](w, w.scan(w.claims(b.Booking, 1))).Verdict, reason.Closed, "law.clause.closed")
	w.verdict(w.book(slotAt(10), 9).Verdict, reason.Closed, "law.clause.closed")
	w.verdict(set("high", time.Time{}, true).Verdict, reason.Allow, "")
	w.now = w.now.Add(8 * 24 * time.Hour)
	w.verdict(set("high", time.Time{}, true).Verdict, reason.Refuse, protocol.CodeProlonged)
	w.rebuilt()
}
