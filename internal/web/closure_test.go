// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"crypto/rand"
	"testing"
	"time"

	"darwaza.dev/internal/closure"
	"darwaza.dev/internal/people"
	"darwaza.dev/internal/rules"
	"darwaza.dev/internal/service"
)

// TestClosurePages closes a market on the page, tells everybody by whose act and clause,
// and opens it again by a plan that the other side has proposed.
func TestClosurePages(t *testing.T) {
	p := openPost(t)
	boss, all := p.signedIn("boss", people.Supervisor), p.browser()
	all.get("/en/").lacks("Closed by an act")
	boss.get("/en/closures?site=1").wants("Nothing is closed by an act.", "X-CLOSE", "X-CLOSE-NOTICE").lacks("Propose a plan")
	n := p.facts()
	if boss.submit("/en/closures/close", "cause", "health"); boss.code != 422 || p.facts() != n {
		t.Errorf("no clause: %d", boss.code)
	}
	boss.wants("Choose the clause")
	boss.get("/en/closures?site=1").submit("/en/closures/close", "clause", "X-CLOSE-NOTICE", "cause", "health", "from", "2025-09-02T12:00").wants("The notice that the clause asks for is longer.")
	if p.facts() != n {
		t.Error("recorded")
	}
	boss.get("/en/closures?site=1").submit("/en/closures/close", "clause", "X-CLOSE", "cause", "health", "direction", "in").
		wants("The site is closed.", "Act A1 in force", "By boss", "Until 16 September 2025", "For everybody.")
	p.at("10:11") // the board is made anew
	for l, says := range map[string]string{"en": "Closed by an act Health. By Pakistan.", "fa": "هیچ نوبتی لغو نمی", "ur": "کچھ منسوخ نہیں ہوتا۔"} {
		all.get("/" + l + "/").wants(says)
	}
	all.get("/en/").wants("Nothing is cancelled. Bookings keep their order.", "X-CLOSE")

	// A plan of the other side is signed as it was read.
	day := rules.DayDate(hour(10).Day()).AddDays(7)
	plan := closure.Plan{Number: 1, Direction: "in", Ends: []closure.Name{{Side: "A", Number: 1}}, Waiting: 100, Said: p.clock(),
		Stages: []closure.Stage{{From: day, Days: []uint8{2}, Places: 20}, {From: day.AddDays(30), Places: 50}}}
	p.do(service.HearClosures{Sites: []service.SiteClosures{{Site: mand, Standing: closure.Standing{Plans: []closure.Plan{plan}}}}})
	boss.get("/en/closures?site=1").wants("Plan B1 proposed", "20 places a day", "100 wait.").submit("/en/closures/accept").
		wants("The plan is signed by both sides.", "Plan B1 signed by both sides")
	p.at("10:12")
	all.get("/en/").wants("It opens again in stages", "every day, 50 places a day", "All who wait have crossed by")
	boss.get("/en/closures?site=1").submit("/en/closures/plan", "first", "2025-09-10", "places", "0", "waiting", "5").wants("Enter a number")
	boss.get("/en/closures?site=1").submit("/en/closures/plan", "first", "2025-09-10", "places", "20", "day.2", "yes", "waiting", "5").wants("The plan is proposed to the other side.", "Plan A1 proposed")
	boss.get("/en/closures?site=1").submit("/en/closures/lift").wants("The act has ended.").lacks("Act A1 in force")
	for _, l := range []string{"fa", "ur"} {
		if boss.get("/" + l + "/closures?site=1"); boss.code != 200 {
			t.Errorf("%s: %d", l, boss.code)
		}
	}
	if gate := p.signedIn("gate", people.GateOfficer).get("/en/closures?site=1"); gate.code != 403 {
		t.Errorf("the gate closes: %d", gate.code)
	}
}

// TestClosedBooking tells whoever has booked that nothing is cancelled, and offers another
// place, which is taken with one button.
func TestClosedBooking(t *testing.T) {
	p := openPost(t)
	tr := p.book(11, cnicA, "Bibi Gul", 0)
	boss := p.signedIn("boss", people.Supervisor)
	boss.get("/en/closures?site=1").submit("/en/closures/close", "clause", "X-CLOSE", "cause", "works", "until", "2025-09-03T12:00")
	b := p.browser()
	l, err := p.s.links.seal(rand.Reader, link{Ref: tr.b.Ref}, p.clock().Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	path := "/en/booking/" + l
	b.get(path).wants("The site is closed by an act of an authority until a time that is known.", "Nothing is cancelled. Bookings keep their order.", "Mand–Pishin 6 September 2025")
	b.submit(path + "/move")
	b.get(path).wants("6 September 2025").lacks("The site is closed by an act")
}

// TestClosureAPI closes, lifts and plans by programs.
func TestClosureAPI(t *testing.T) {
	p := newTestPost(t)
	call := func(path, who, key string, in any) closedOut {
		t.Helper()
		return into[closedOut](t, p.call("POST", "/api/v1/closures"+path, who, key, in))
	}
	if out := call("", "supervisor", "close-key-00000001", closeIn{Site: "mand-pishin", Clause: "X-NONE", Cause: "health"}); out.Act != nil || out.Verdict.Reasons[0].Code != closure.CodePower {
		t.Errorf("%+v", out)
	}
	if r := p.call("POST", "/api/v1/closures", "health", "close-key-00000002", closeIn{Site: "mand-pishin", Clause: "X-CLOSE", Cause: "health"}); r.StatusCode != 403 {
		t.Errorf("health: %d", r.StatusCode)
	}
	if out := call("", "supervisor", "close-key-00000003", closeIn{Site: "mand-pishin", Clause: "X-CLOSE", Cause: "health", Classes: []string{"visitor"}}); out.Act == nil || out.Act.Name != "A1" || !out.Act.Emergency || out.Record.Count != 1 {
		t.Errorf("%+v", out)
	}
	plan := call("/plans", "supervisor", "close-key-00000004", planIn{Site: "mand-pishin", Stages: []stageIn{{From: "2025-09-06", Weekday: []int{6}, Places: 10}}, Waiting: 30})
	if plan.Plan == nil || plan.Plan.Agreed || plan.Plan.Ends != "2025-09-20" || len(plan.Plan.Acts) != 1 {
		t.Errorf("%+v", plan.Plan)
	}
	c := into[closuresOut](t, p.call("GET", "/api/v1/closures/mand-pishin", "clerk", "", nil))
	if len(c.Acts) != 1 || c.Acts[0].Clause != "X-CLOSE" || c.Acts[0].Until == nil || len(c.Plans) != 1 || c.Plans[0].Digest != plan.Plan.Digest {
		t.Errorf("%+v", c)
	}
	if r := p.call("POST", "/api/v1/closures/plans/accept", "supervisor", "close-key-00000005", acceptPlanIn{Site: "mand-pishin", Number: 1, Digest: plan.Plan.Digest}); r.StatusCode != 404 {
		t.Errorf("one's own plan: %d", r.StatusCode)
	}
	call("/lift", "supervisor", "close-key-00000006", liftIn{Site: "mand-pishin", Number: 1})
	if c = into[closuresOut](t, p.call("GET", "/api/v1/closures/mand-pishin", "clerk", "", nil)); len(c.Acts) != 0 {
		t.Errorf("%+v", c.Acts)
	}
}
