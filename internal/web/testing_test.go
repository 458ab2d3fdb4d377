// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/people"
)

// testAtHour is a slot of the health desk at Mand on the day of the tests.
func testAtHour(minute uint16) booking.SlotID {
	return booking.MakeTestSlotID(mand, slotOfPost(9).Day(), minute)
}

// testedForm is the form of people with a test.
func testedForm(slot, test booking.SlotID, n int) url.Values {
	f := partyForm(slot, n)
	f.Set("test", slotIDText(test))
	return f
}

// TestTestOnPages books a crossing with a test on the traveller's pages, sees both times,
// changes the test, moves and gives both back.
func TestTestOnPages(t *testing.T) {
	p, a := guardedPost(t)
	slot := slotOfPost(14)
	b := p.browser()
	b.get(fmt.Sprintf("/en/book/people?slot=%d", slot)).wants("Test at the health desk before the gate", "12:00 to 12:20 (40 places free)", "13:20 to 13:40")
	b.lacks("11:40 to 12:00")
	b.lacks("13:40 to 14:00")
	// A certificate that lapses leads on with the test and with what was read of it.
	begins := p.clock().Truncate(time.Hour).Add(4 * time.Hour)
	lapses := a.test("KHANZADA", "CANARY", begins.Add(-23*time.Hour-30*time.Minute), begins.Add(1000*time.Hour))
	b.upload(fmt.Sprintf("/en/book/certificate?slot=%d", slot), lapses, nil).wants("lapses before you have crossed", "13:20 to 13:40 (40 places free)", "Go on with this test and this hour")
	carried := regexp.MustCompile(`name="shown" value="([^"]+)"`).FindStringSubmatch(b.body)
	if carried == nil {
		t.Fatalf("nothing is carried:\n%s", b.body)
	}
	f := url.Values{"slot": {slotIDText(slot)}, "n": {"1"}, "change": {"1"}, "shown": {carried[1]}, "test": {slotIDText(testAtHour(13 * 60))}}
	b.postForm("/en/book/people", f).wants("Your certificate was read")
	if !strings.Contains(b.body, fmt.Sprintf(`value="%d" selected`, testAtHour(13*60))) || !strings.Contains(b.body, carried[1]) {
		t.Errorf("the test or the certificate is lost:\n%s", b.body)
	}
	// Without a test the certificate alone is not enough.
	f = partyForm(slot, 1)
	f.Set("shown", carried[1])
	b.postForm("/en/book/people", f)
	h := hidden(b.body, "check")
	if h.Get("shown") != carried[1] {
		t.Fatalf("the check does not carry it: %v", h)
	}
	b.postForm("/en/book/confirm", h).wants("X-PROOF-COVID")
	b.wants("Wait No place was booked")
	p.noCanary()
	// With it both are booked.
	f = testedForm(slot, testAtHour(13*60), 1)
	f.Set("shown", carried[1])
	b.postForm("/en/book/people", f).wants("Test at the health desk", "13:00 to 13:20")
	b.postForm("/en/book/confirm", hidden(b.body, "check")).wants("Test at the health desk", "13:00 to 13:20", "Be at the health desk at 13:00", "rapid test")
	if len(b.body) > 30<<10 {
		t.Errorf("%d bytes", len(b.body))
	}
	path, _, _ := strings.Cut(b.path, "?")
	b.get(path + "/pass").wants("Test at the health desk: 13:00 to 13:20")
	b.get(path + "/cancel").wants("The test at the health desk is given back with it")
	b.get(path + "/move").wants("moves with the booking")
	b.get(path).submit(path+"/test", "test", slotIDText(testAtHour(12*60))).wants("The test at the health desk was changed", "12:00 to 12:20")
	b.get(path).submit(path+"/test", "test", "0").lacks("Be at the health desk")
	if b.get(path).submit(path+"/test", "test", slotIDText(slot)); b.code != 400 && b.code != 422 {
		t.Errorf("a slot of the gate as a test: %d", b.code)
	}
	b.get(path).submit(path+"/test", "test", slotIDText(testAtHour(11*60))).wants("does not fit the crossing")
	for _, canary := range []string{"CANARY", "KHANZADA"} {
		if strings.Contains(b.body, canary) {
			t.Errorf("the page says %s", canary)
		}
	}
	// The clerk does the same.
	clerk := p.signedIn("window", people.Clerk)
	clerk.get(fmt.Sprintf("/en/clerk/book/people?slot=%d", slot)).wants("Test at the health desk before the gate")
	// What is carried is good for its slot alone.
	if got := p.s.tokens.openShown(carried[1], slotOfPost(13), p.clock()); got.Any() {
		t.Error("carried to another slot")
	}
	if got := p.s.tokens.openShown(carried[1], slot, p.clock()); !got.Any() {
		t.Error("not carried to its own")
	}
	if got := p.s.tokens.openShown(carried[1], slot, p.clock().Add(shownFor)); got.Any() {
		t.Error("carried for ever")
	}
}

// TestPapers keys a laboratory's slip at the gate, before its pass and after it, and a yellow
// card at the clerk's window: attested, judged, and kept nowhere.
func TestPapers(t *testing.T) {
	p, _ := guardedPost(t)
	b := p.signedIn("mand", people.GateOfficer, people.Health)
	slip := func(altered bool) url.Values {
		f := url.Values{"site": {"1"}, "gate": {"1"}, "direction": {"in"}, "kind": {"slip"}, "keyed": {"1"}, "family": {"Gul"}, "given": {"Bibi"}, "disease": {"covid19"},
			"on": {p.clock().Add(-2 * time.Hour).In(p.law.Zone("mand-pishin")).Format("2006-01-02T15:04:05-07:00")}, "test": {"antigen"}, "result": {"negative"}, "centre": {"CANARYLAB"}, "signed": {"1"}, "stamped": {"1"}}
		if altered {
			f.Set("altered", "1")
		}
		return f
	}
	fresh := func(f url.Values) url.Values {
		b.get("/en/gate")
		f.Set("idem", b.fields("/en/gate").Get("idem"))
		return f
	}
	// Before the pass.
	tr := p.book(10, cnicA, "Bibi Gul", 0)
	b.postForm("/en/gate/paper", fresh(slip(false))).wants("Certificate read", "Now scan the pass")
	b.scanWith(tr.text)
	b.complete(tr)
	if b.outcome() != "ALLOW" || !p.presence(tr).Inside {
		t.Errorf("a slip before its pass: %s\n%s", b.outcome(), b.text())
	}
	// After it.
	tr = p.book(10, cnicB, "Bibi Gul", 0)
	b.get("/en/gate").scanWith(tr.text)
	b.complete(tr)
	b.wants("Enter a yellow card", "Enter a laboratory's slip")
	carry := b.carry()
	b.postForm("/en/gate/paper", url.Values{"site": {"1"}, "gate": {"1"}, "kind": {"slip"}, "carry": {carry}}).wants("Date of the dose or of the sample", "Result")
	f := b.fields("/en/gate/paper")
	if f.Get("carry") != carry {
		t.Fatal("the form of a paper does not take along what waits")
	}
	for name, v := range slip(false) {
		f[name] = v
	}
	wrong := url.Values{}
	for name, v := range f {
		wrong[name] = v
	}
	wrong.Set("disease", "")
	wrong.Set("result", "")
	if b.postForm("/en/gate/paper", wrong).wants("Choose the disease"); b.code != 422 || !strings.Contains(b.body, "CANARYLAB") {
		t.Errorf("%d: what was keyed is lost, or not to mend", b.code)
	}
	if b.postForm("/en/gate/paper", f); b.outcome() != "ALLOW" || !p.presence(tr).Inside {
		t.Errorf("a slip after its pass: %s\n%s", b.outcome(), b.text())
	}
	// What was altered counts for nothing.
	b.postForm("/en/gate/paper", fresh(slip(true))).lacks("Certificate read")
	// The clerk's yellow card, for the crossing that is thought of.
	clerk := p.signedIn("window", people.Clerk)
	slot := slotOfPost(14)
	clerk.get(fmt.Sprintf("/en/clerk/book/certificate?slot=%d", slot)).wants("Enter a yellow card")
	card := url.Values{"slot": {slotIDText(slot)}, "kind": {"booklet"}, "keyed": {"1"}, "family": {"Gul"}, "given": {"Bibi"}, "disease": {"covid19"}, "on": {"2025-08-01"},
		"product": {"CANARYVAX"}, "batch": {"CANARY1"}, "dose": {"2"}, "of": {"2"}, "centre": {"CANARYLAB"}, "signed": {"1"}, "stamped": {"1"}}
	clerk.postForm("/en/clerk/book/paper", card).wants("will do at your crossing")
	card.Set("on", "2025-08-25")
	clerk.postForm("/en/clerk/book/paper", card).wants("too new for this hour")
	card.Set("on", "2025-09-25")
	if clerk.postForm("/en/clerk/book/paper", card); clerk.code != 422 {
		t.Errorf("a dose of tomorrow: %d\n%s", clerk.code, clerk.text())
	}
	p.noCanary()
}
