// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"fmt"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"darwaza.dev/internal/people"
	"darwaza.dev/internal/protocol"
	"darwaza.dev/internal/service"
)

// TestLevelPages brings levels in on the page, and sees that everybody is told.
func TestLevelPages(t *testing.T) {
	p := openPost(t)
	boss, all := p.signedIn("boss", people.Supervisor), p.browser()
	all.get("/en/").lacks("Level of protection")
	boss.get("/en/levels?site=1").wants("In force: Normal", "This side has brought in nothing.", "75% of the places of each slot are open.", "It comes in with 24 hours' notice.",
		"it then ends by itself after 7 days", "COVID-19 : body temperature", "Test: rapid test. Result after 20 minutes; a negative one holds for 24 hours.", "kept apart for 14 days", "X-HIGH", "X-PROOF-COVID", "Bring in: Guarded")

	// The form offers the earliest time; one before it is answered with its reason, and nothing is recorded.
	boss.get("/en/levels/set?site=1&level=guarded").wants("As soon as the notice allows: 3 September 2025 at 10:10", "Now, as an emergency. It ends by itself on 9 September 2025 at 10:10")
	n := p.facts()
	boss.submit("/en/levels/set", "when", "at", "from", "2025-09-03T10:09").wants("notice", "Bring in: Guarded")
	if p.facts() != n {
		t.Errorf("recorded")
	}
	if boss.submit("/en/levels/set", "when", "at", "from", "2025-09-01T10:09"); boss.code != 422 {
		t.Errorf("in the past: %d", boss.code)
	}
	boss.wants("Enter a day and time that are still to come")
	boss.submit("/en/levels/set", "when", "notice", "profile.cholera", "yes").wants("The level is brought in.", "Guarded planned", "From 3 September 2025 at 10:10", "Switched on beside it: Cholera", "Brought in by boss", "In force: Normal")
	if p.facts() != n+1 {
		t.Errorf("%d facts", p.facts()-n)
	}

	// Travellers are told what comes, and from when, in their language.
	p.at("10:11") // the board is made anew
	for _, path := range []string{"/", "/book?site=mand-pishin"} {
		for l, says := range map[string][]string{
			"en": {"From 3 September 2025 at 10:10", "Guarded", "A health certificate or a test is asked for at the gate."},
			"fa": {"هشیار", "در دروازه گواهی سلامت یا آزمایش خواسته می"},
			"ur": {"محتاط", "گیٹ پر صحت کا سرٹیفکیٹ یا ٹیسٹ مانگا جاتا ہے۔"},
		} {
			all.get("/" + l + path).wants(says...)
		}
		all.get("/en" + path).lacks("Level of protection:")
	}

	// The other side's emergency holds here, until it lapses, and each sees whose it is.
	p.do(service.HearLevels{Sites: []service.SiteLevels{{Site: mand, Changes: []protocol.Change{{Level: "high", From: p.clock(), Until: p.clock().Add(7 * 24 * time.Hour), Said: p.clock()}}}}})
	p.at("10:12") // the board is made anew
	all.get("/en/").wants("Level of protection: High", "It ends by itself on 9 September 2025 at 10:11", "Half of the places are open")
	boss.get("/en/levels?site=1").wants("Iran High in force emergency", "Guarded planned")
	gate := p.signedIn("gate", people.GateOfficer)
	gate.get("/en/gate").wants("Level of protection: High")
	gate.get("/en/levels?site=1").wants("Level of protection: High").lacks("Bring in:")
	if gate.get("/en/levels/set?site=1&level=high"); gate.code != 403 {
		t.Errorf("the gate may bring a level in: %d", gate.code)
	}
	if gate.postForm("/en/levels/set", url.Values{"site": {"1"}, "level": {"high"}, "when": {"now"}, "idem": {strings.Repeat("k", 20)}}); gate.code != 403 {
		t.Errorf("the gate brings a level in: %d", gate.code)
	}
	for _, l := range []string{"fa", "ur"} {
		for _, path := range []string{"/levels?site=1", "/levels/set?site=1&level=high"} {
			if boss.get("/" + l + path); boss.code != 200 {
				t.Errorf("%s%s: %d", l, path, boss.code)
			}
		}
	}
}

// TestLevelAPI tells programs of levels, and lets a supervisor's bring one in.
func TestLevelAPI(t *testing.T) {
	p := newTestPost(t)
	r := p.call("POST", "/api/v1/levels", "supervisor", "level-key-00000001", levelIn{Site: "mand-pishin", Level: "guarded", From: p.now.Add(time.Hour)})
	out := into[levelSetOut](t, r)
	if out.Change != nil || out.Record.Count != 0 || out.Verdict.Reasons[0].Code != protocol.CodeNotice {
		t.Errorf("%s", r.body)
	}
	r = p.call("POST", "/api/v1/levels", "supervisor", "level-key-00000002", levelIn{Site: "mand-pishin", Level: "guarded", Emergency: true})
	if out = into[levelSetOut](t, r); out.Change == nil || out.Change.Until == nil || out.Record.Count != 1 {
		t.Errorf("%s", r.body)
	}
	if r = p.call("POST", "/api/v1/levels", "health", "level-key-00000003", levelIn{Site: "mand-pishin", Level: "high", Emergency: true}); r.StatusCode != 403 {
		t.Errorf("health: %d", r.StatusCode)
	}
	l := into[levelsOut](t, p.call("GET", "/api/v1/levels/mand-pishin", "clerk", "", nil))
	if l.Level.ID != "guarded" || l.Level.Side != "A" || l.Level.Say["ur"] == "" || len(l.Level.Profiles) != 1 || l.Next == nil || l.Next.ID != "normal" || !l.Next.From.Equal(*l.Level.Until) ||
		len(l.Sides) != 2 || len(l.Sides[0].Changes) != 1 || len(l.Sides[1].Changes) != 0 || len(l.Of) != 3 || l.Of[1].Raise != 24 {
		t.Errorf("%+v", l)
	}
	if r = p.call("GET", "/api/v1/levels/nowhere", "clerk", "", nil); r.StatusCode != 404 {
		t.Errorf("%d", r.StatusCode)
	}
}

// TestGateAsksTheProfile asks at the gate what the disease profile in force asks, all of it
// at once, and keeps no answer.
func TestGateAsksTheProfile(t *testing.T) {
	p := openPost(t)
	boss, b := p.signedIn("boss", people.Supervisor), p.signedIn("gate", people.GateOfficer)
	tr := p.book(10, cnicA, "Bibi Gul", 0)
	b.get("/en/gate").scan(tr.text, "in").lacks("contact with somebody who is ill")
	boss.get("/en/levels/set?site=1&level=guarded").submit("/en/levels/set", "when", "now").wants("Guarded in force emergency")
	b.get("/en/gate").scan(tr.text, "in").wants("contact with somebody who is ill No Yes")
	form := b.fields("/en/gate", `class="ask"`)
	form.Set("temperature", "36.6")
	form.Set("symptoms", "no")
	form.Set("seen", "yes")
	n := p.facts()
	if b.postForm("/en/gate", form); b.code != 422 || p.facts() != n {
		t.Errorf("left open: %d, %d facts", b.code, p.facts()-n)
	}
	b.wants("contact with somebody who is ill Error: Answer every question No Yes")
	form = b.fields("/en/gate", `class="ask"`)
	form.Set("temperature", "36.6")
	form.Set("symptoms", "no")
	form.Set("seen", "yes")
	form.Set("q.screening.contact", "yes")
	b.postForm("/en/gate", form).wants("X-ASK-CONTACT").lacks("contact with somebody who is ill No Yes")
	if p.facts() == n {
		t.Error("nothing was recorded")
	}
	for _, h := range p.mem.Facts()[n:] {
		kept := fmt.Sprintf("%+v", reflect.Indirect(reflect.ValueOf(h.Fact)))
		if strings.Contains(kept, `"screening.contact":`) || strings.Contains(kept, "Attribute:screening") {
			t.Errorf("a fact holds an answer: %s", kept)
		}
	}
	if strings.Contains(p.log.String(), "screening.contact") {
		t.Error("the log holds an answer")
	}
}

// TestSettleDay: a day is named as the document says or left out, and an empty one is neither.
func TestSettleDay(t *testing.T) {
	p := newTestPost(t)
	for n, c := range []struct {
		in   map[string]string
		want int
	}{
		{map[string]string{"site": "mand-pishin", "day": ""}, 400},
		{map[string]string{"site": "mand-pishin", "day": "yesterday"}, 400},
		{map[string]string{"site": "mand-pishin", "day": "2025-08-30"}, 200},
		{map[string]string{"site": "mand-pishin"}, 409}, // today, which is not over
	} {
		if r := p.call("POST", "/api/v1/gate/settle", "supervisor", "settle-key-000000"+itoa(n), c.in); r.StatusCode != c.want {
			t.Errorf("%v: %d %s", c.in, r.StatusCode, r.body)
		}
	}
}
