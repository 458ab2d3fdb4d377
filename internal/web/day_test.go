// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/people"
	"darwaza.dev/internal/reason"
	"darwaza.dev/internal/service"
	"darwaza.dev/internal/stats"
)

func TestSupervisorsDay(t *testing.T) {
	p, desk, tr := shop(t)
	desk.want(tomato, "60").submit("/en/desk/buy")
	b := p.signedIn("boss", people.Supervisor)
	p.do(service.OtherFigures{Site: mand, Day: 9376, Figures: stats.Other{Inside: 41, Peak: 50, Entries: 60, Exits: 19, AsOf: p.clock().Add(-3 * time.Minute)}})
	b.get("/en/day").wants("Inside now 1 / 600", "Iran 41 50 60 19 10:07 · 3 minutes ago", "From the start of the slot to the entry", "Category I 1 0 0 USD 30.00 USD 1.50", "People inside", "Arrivals")
	if n := strings.Count(b.body, `<svg class="chart"`); n != 2 {
		t.Errorf("%d charts", n)
	}
	// The hour that has begun shows what is known of it, and no more is drawn.
	if n := strings.Count(b.text(), "10:00–11:00 1"); n != 2 {
		t.Errorf("the hour stands in %d tables\n%s", n, b.text())
	}
	if n := strings.Count(b.body, "<details>"); n < 2 {
		t.Errorf("%d tables under them", n)
	}
	// What was planned stands by hour, what was measured when the day is over.
	b.wants("Waits at the gate: planned and measured", "08:00–09:00 · visitor 0 0 minutes 4 minutes not yet", "4 officers at the gate · 60 seconds for each person, as the agreement says")
	// Somebody comes back with a number that the gate gave.
	gate := p.browser()
	gate.signIn("mand", p.words["mand"])
	gate.get("/en/gate").scan(tr.text, "in")
	gate.complete(tr)
	gate.wants("You decide")
	number := gate.text()[strings.Index(gate.text(), "No. ")+4:][:1]
	b.get("/en/day").wants("Waiting for a decision 10:10", "No. "+number)
	b.get("/en/day?site=1&day=2025-09-02&number=" + number).wants("Answer A person decides")
	b.get("/en/day?site=1&day=2025-09-02&number=99999").wants("No scan of this day, no booking and no request")
	// So does somebody whose pass could not be read, which belongs to no booking.
	gate.get("/en/gate").scan("DW1:NOTAPASS", "in").wants("Stop")
	number = gate.text()[strings.Index(gate.text(), "No. ")+4:][:1]
	gate.get("/en/gate/scans?site=1&gate=1").wants("10:10 " + number + " Not allowed no pass")
	b.get("/en/day?site=1&day=2025-09-02&number="+number).wants("Number "+number, "Answer ", "Why ", "People no pass", "Officer")
	// Settling.
	b.get("/en/day?site=1")
	form := b.fields("/en/day/settle")
	p.at("17:30")
	b.postForm("/en/day/settle", form)
	b.wants("The day is settled.", "Settled by ", " at 17:30 on 2 September 2025", "Inside now 0", "1 scan ended undecided with the day.", "7 hours ago")
	b.wants("10:00–11:00 · visitor 1 0 minutes 4 minutes 0 minutes")
	if p.presence(tr).Inside {
		t.Error("still inside")
	}
	b.postForm("/en/day/settle", form)
	b.wants("The day is settled.")
}

// TestBothSides: the arrivals, waits, answers with their reasons and purchases of the other
// side stand beside this side's, with their age; where it has not told them, that is said.
func TestBothSides(t *testing.T) {
	p, desk, _ := shop(t)
	desk.want(tomato, "60").submit("/en/desk/buy")
	b := p.signedIn("boss", people.Supervisor)
	b.get("/en/day").wants("The other side has not told its arrivals")
	whole := &stats.Day{
		Booked: 70, Admitted: 3, TurnedBack: 2, NotBooked: 4, Lateness: [5]uint32{1, 22, 33},
		Arrivals: make([]uint32, stats.Buckets), Inside: make([]uint32, stats.Buckets), Quarter: 40,
		Outcomes:  map[reason.Outcome]uint32{reason.Allow: 55, reason.Refuse: 7},
		Reasons:   []stats.ReasonCount{{ReasonKey: stats.ReasonKey{Code: booking.CodeFull}, Count: 6}, {ReasonKey: stats.ReasonKey{Code: "newer.than.ours", Clause: "X9"}, Count: 5}},
		Purchases: 9, Categories: map[string]stats.Category{"I": {Lots: 8, Diverted: 2, Value: 40000, Duty: 2000}},
	}
	whole.Arrivals[36], whole.Inside[36] = 44, 43
	p.do(service.OtherFigures{Site: mand, Day: 9376, Figures: stats.Other{Inside: 41, Entries: 60, AsOf: p.clock().Add(-3 * time.Minute), Whole: whole}})
	b.get("/en/day").lacks("The other side has not told")
	b.wants("Iran As of 10:07 · 3 minutes ago", "09:00–10:00 44", "Allowed 55", "Not allowed 7", "newer.than.ours X9 5", "Category I 8 2 0 USD 400.00 USD 20.00", "Category I 1 0 0 USD 30.00 USD 1.50")
	if n := strings.Count(b.body, `<svg class="chart"`); n != 4 {
		t.Errorf("%d charts", n)
	}
	// An older server's figures, which say nothing of the whole day, leave what was told before.
	p.at("10:30")
	p.do(service.OtherFigures{Site: mand, Day: 9376, Figures: stats.Other{Inside: 45, Entries: 64, AsOf: p.clock()}})
	b.get("/en/day").wants("Iran 45", "Iran As of 10:07 · 23 minutes ago", "Allowed 55")
	for _, l := range []string{"fa", "ur"} {
		if b.get("/" + l + "/day"); b.code != 200 {
			t.Errorf("%s: %d", l, b.code)
		}
	}
}

// TestDutiesOfTheDay: the supervisor sees whether the authority has done what it owes, with
// the clause, from the first slot on.
func TestDutiesOfTheDay(t *testing.T) {
	p := openPost(t)
	b := p.signedIn("boss", people.Supervisor)
	b.get("/en/day?site=1&day=2025-09-02").wants("P8(ii)-d", "The authority is in default The customs values are not displayed.", "P8(v)", "A person decides")
	for _, c := range []struct{ lang, says string }{{"fa", "ارزش\u200cهای گمرکی اعلام نشده است."}, {"ur", "کسٹم مالیتیں آویزاں نہیں ہیں۔"}} {
		b.get("/" + c.lang + "/day?site=1&day=2025-09-02").wants(c.says)
	}
	p.display(p.appoint("customs", people.Customs), map[string]int64{tomato: 50})
	b.get("/en/day?site=1&day=2025-09-02").wants("every market day. Done", "P8(v)").lacks("The authority is in default")
	b.get("/en/day?site=1&day=2025-09-03").wants("No market is held on this day, or it has not begun.")
	b.get("/en/day?site=1&day=2025-09-06").wants("No market is held on this day, or it has not begun.")
}

// TestGoodsAtTheWayOut: who leaves with goods is let out, and the page says what the
// agreement says of the goods; it says so again where the scan is looked at later.
func TestGoodsAtTheWayOut(t *testing.T) {
	p, desk, tr := shop(t)
	gate := p.browser()
	gate.signIn("mand", p.words["mand"])
	gate.get("/en/gate").scan(tr.text, "out").lacks("Goods that leave")
	p.at("10:20")
	form := gate.fields("/en/gate/undo")
	gate.postForm("/en/gate/undo", form)
	desk.want(tomato, "60").submit("/en/desk/buy")
	p.at("10:30")
	gate.get("/en/gate").scan(tr.text, "out")
	if gate.outcome() != "ALLOW" || p.presence(tr).Inside {
		t.Fatalf("%s\n%s", gate.outcome(), gate.text())
	}
	gate.wants("Goods that leave: A person decides", "ST4(ii)", "decided apart from the person", "This is for the Customs officer to decide")
	sc := p.presence(tr).Scans
	gate.get(fmt.Sprintf("/en/gate/scan/%s/%d?site=1&gate=1", tr.b.Members[0].Pass, sc[len(sc)-1].Serial)).wants("Goods that leave: A person decides", "ST4(ii)")
}

// TestGoodsDecided: the officer whom the clause names ends what the agreement leaves open
// about goods at the way out; nobody else can, and the supervisor sees what waits.
func TestGoodsDecided(t *testing.T) {
	p, desk, tr := shop(t)
	desk.want(tomato, "60").submit("/en/desk/buy")
	receipt := receiptNo.FindString(desk.text())
	gate, boss := p.browser(), p.signedIn("boss", people.Supervisor)
	gate.signIn("mand", p.words["mand"])
	boss.get("/en/gate/goods?site=1").wants("No goods wait.")
	gate.get("/en/gate").scan(tr.text, "out")
	if strings.Contains(gate.body, `action="/en/gate/goods"`) {
		t.Error("the gate may decide on what the clause leaves to customs")
	}
	boss.get("/en/day").wants("Goods of 1 exit wait for a decision.", "Goods at the way out")
	// A form that the gate was not given.
	sc := p.presence(tr).Scans
	form := gate.fields("/en/gate", `id="text"`)
	form.Set("pass", tr.b.Members[0].Pass.String())
	form.Set("serial", fmt.Sprint(sc[len(sc)-1].Serial))
	form.Set("act", "go")
	form.Set("why", "paid")
	if gate.postForm("/en/gate/goods", form); gate.code != 403 {
		t.Errorf("the gate decides: %d", gate.code)
	}
	desk.get("/en/gate/goods").wants("Goods at the way out", receipt, "ST4(ii)")
	form = desk.fields("/en/gate/goods")
	form.Set("act", "keep")
	if desk.postForm("/en/gate/goods", form); desk.code != 422 && desk.code != 400 {
		t.Errorf("no ground: %d", desk.code)
	}
	desk.get("/en/gate/goods")
	form = desk.fields("/en/gate/goods")
	form.Set("why", "unpaid")
	form.Set("act", "keep")
	n := p.facts()
	p.lost = 1
	desk.postForm("/en/gate/goods", form) // and the answer is lost
	desk.postForm("/en/gate/goods", form).wants("the goods are kept", "Kept by customs : What is owed was not paid")
	if p.facts() != n+1 || strings.Contains(desk.body, `value="keep"`) {
		t.Errorf("%d facts, or it can be kept twice", p.facts()-n)
	}
	boss.get("/en/day").wants("Goods at the way out: 0 let go · 1 kept · 0 ended undecided").lacks("wait for a decision.")
	form = desk.fields("/en/gate/goods")
	form.Set("why", "paid")
	form.Set("act", "go")
	desk.postForm("/en/gate/goods", form).wants("the goods may go", "No goods wait.", "Let go by customs : What is owed was paid")
	gate.get(fmt.Sprintf("/en/gate/scan/%s/%d?site=1&gate=1", tr.b.Members[0].Pass, sc[len(sc)-1].Serial)).wants("Let go by customs : What is owed was paid")
}

// TestGoodsDecidedAtTheGate: an officer of both roles decides where the scan is answered;
// and a decision after the day is answered as not done.
func TestGoodsDecidedAtTheGate(t *testing.T) {
	p, desk, tr := shop(t)
	desk.want(tomato, "60").submit("/en/desk/buy")
	b := p.signedIn("both", people.GateOfficer, people.Customs)
	b.get("/en/gate").scan(tr.text, "out").wants("Goods that leave: A person decides")
	form := b.fields("/en/gate/goods")
	form.Set("why", "free")
	form.Set("act", "go")
	late := url.Values{}
	for k, x := range form {
		late[k] = x
	}
	late.Set("idem", strings.Repeat("k", 20))
	b.postForm("/en/gate/goods", form).wants("the goods may go", "Let go by both : I looked")
	if b.postForm("/en/gate/goods", late); b.code != 409 {
		t.Errorf("decided twice: %d", b.code)
	}
	// Another day's.
	p2, desk2, tr2 := shop(t)
	desk2.want(tomato, "60").submit("/en/desk/buy")
	b = p2.signedIn("both", people.GateOfficer, people.Customs)
	b.get("/en/gate").scan(tr2.text, "out")
	form = b.fields("/en/gate/goods")
	form.Set("why", "free")
	form.Set("act", "go")
	p2.mu.Lock()
	p2.now = p2.now.AddDate(0, 0, 1)
	p2.mu.Unlock()
	b.signIn("both", p2.words["both"])
	b.postForm("/en/gate/goods", form).wants("This was not done. The day of the scan is over.", "Ended undecided")
}

func TestVendors(t *testing.T) {
	p := openPost(t)
	b := p.signedIn("manager", people.Manager)
	b.get("/en/vendors").submit("/en/vendors", "document", "12", "kind", "cnic")
	b.wants("not the number of a document")
	b.submit("/en/vendors", "document", cnicA, "kind", "cnic")
	b.wants("This document has no card.")
	if strings.Contains(b.path, "35202") {
		t.Error("the address tells the number")
	}
	action := strings.SplitN(b.path, "?", 2)[0]
	b.submit(action, "until", "2020-01-01")
	b.wants("The last day comes before the first")
	b.submit(action, "card", "v-77", "from", "2025-09-01", "until", "2026-03-31")
	b.wants("The card is saved.", "V-77", "Good today", "31 March 2026")
	form := b.fields(action, "suspend")
	form.Set("act", "suspend")
	b.postForm(action, form)
	b.wants("Suspended")
	form = b.fields(action, "lift")
	form.Set("act", "lift")
	b.postForm(action, form)
	b.wants("Good today")
	if b.get("/en/vendors/card/zz?site=1"); b.code != 404 {
		t.Errorf("no card of that tag: %d", b.code)
	}
}

func TestOfficers(t *testing.T) {
	p := openPost(t)
	b := p.signedIn("admin", people.Admin)
	b.get("/en/officers/new").submit("/en/officers/new", "name", "", "login", "Shah")
	b.wants("Enter the name", "Choose at least one role")
	form := b.fields("/en/officers/new")
	form.Set("name", "Shah Bibi")
	form.Set("login", "Shah")
	form.Set("role.gate", "yes")
	form.Set("site", "mand-pishin")
	form.Set("gate", "1")
	form.Set("language", "ur")
	b.postForm("/en/officers/new", form)
	b.wants("It is not shown again", "shah")
	word := b.text()[strings.Index(b.text(), "Sign-in word ")+len("Sign-in word "):][:14]
	shah := p.browser()
	shah.signIn("shah", word)
	if !strings.HasPrefix(shah.path, "/ur/word") {
		t.Errorf("somebody with a given word is at %s", shah.path)
	}
	shah.submit("/ur/word", "now", word, "new", "four goats on a hill")
	if !strings.HasPrefix(shah.path, "/ur/gate") {
		t.Errorf("an Urdu reader is at %s", shah.path)
	}
	b.get("/en/officers").wants("Shah Bibi", "Gate officer")
	if n := strings.Count(b.text(), "Shah Bibi"); n != 1 {
		t.Errorf("%d of them", n)
	}
	b.get("/en/officers/new")
	form = b.fields("/en/officers/new")
	form.Set("name", "Another")
	form.Set("login", "SHAH")
	form.Set("role.gate", "yes")
	b.postForm("/en/officers/new", form)
	b.wants("Somebody has this sign-in name already")
	// The last administrator stays.
	b.get("/en/officers")
	id := ""
	for _, part := range strings.Split(b.body, `href="/en/officers/`)[1:] {
		if i := strings.IndexByte(part, '"'); strings.Contains(part, "<bdi>admin</bdi>") {
			id = part[:i]
			break
		}
	}
	b.get("/en/officers/" + id)
	form = b.fields("/en/officers/" + id)
	form.Del("role.admin")
	form.Set("role.gate", "yes")
	form.Set("name", "A. Dmin")
	b.postForm("/en/officers/"+id, form)
	b.wants("The last administrator must stay one")
	if b.get("/en/officers/o-0000000000"); b.code != 404 {
		t.Errorf("nobody: %d", b.code)
	}
}

// TestOfficersOfOneSite has somebody who appoints at one site alone look for, and try, more.
func TestOfficersOfOneSite(t *testing.T) {
	p := openPost(t)
	p.appointAt("", "head", people.Admin)
	p.appointAt("mand-pishin", "mand", people.Admin)
	clerk := p.appointAt("mand-pishin", "mand.clerk", people.Clerk)
	others := []people.OfficerID{p.appointAt("gabd-reemdan", "gabd.clerk", people.Clerk), p.appointAt("", "all.clerk", people.Clerk)}
	b := p.browser()
	b.signIn("mand", "word of mand")
	b.get("/en/officers").wants("mand.clerk")
	for _, login := range []string{"gabd.clerk", "all.clerk", "head"} {
		if strings.Contains(b.text(), login) {
			t.Errorf("shows %s", login)
		}
	}
	if b.get("/en/officers/" + string(clerk)); b.code != 200 {
		t.Errorf("their own clerk: %d", b.code)
	}
	for _, id := range others {
		if b.get("/en/officers/" + string(id)); b.code != 403 {
			t.Errorf("opens %s: %d", id, b.code)
		}
		for _, act := range []string{"", "/word", "/end"} {
			b.get("/en/officers/new")
			form := b.fields("/en/officers/new")
			form.Set("name", "Another")
			form.Set("login", "another")
			form.Set("role.clerk", "yes")
			form.Set("site", "mand-pishin")
			if b.postForm("/en/officers/"+string(id)+act, form); b.code != 403 {
				t.Errorf("POST %s of %s: %d", act, id, b.code)
			}
		}
	}
	for _, site := range []string{"", "gabd-reemdan"} {
		b.get("/en/officers/new")
		form := b.fields("/en/officers/new")
		form.Set("name", "Another")
		form.Set("login", "another")
		form.Set("role.clerk", "yes")
		form.Set("site", site)
		b.postForm("/en/officers/new", form)
		b.wants("Choose a market of the agreement")
	}
}
