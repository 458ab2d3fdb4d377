// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"bytes"
	"context"
	"io/fs"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"darwaza.dev/agreements"
	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/people"
	"darwaza.dev/internal/rules"
	"darwaza.dev/internal/service"
)

// hold makes the law leave vendors without a card to the market manager, and returns the
// vendors' hour of the next market day.
func (p *testPost) hold() booking.SlotID {
	p.Helper()
	sub, err := fs.Sub(agreements.FS, "pk-ir-border-markets")
	p.must(err)
	const file = "clauses/example.yaml"
	b, err := fs.ReadFile(sub, file)
	p.must(err)
	refuse, hold := []byte("require: vendor.card\n    else: REFUSE"), []byte("require: vendor.card\n    else: HOLD")
	if !bytes.Contains(b, refuse) {
		p.Fatal("the package's clause on vendors is another one")
	}
	sub, err = agreement.Overlay(sub, map[string][]byte{file: bytes.Replace(b, refuse, hold, 1)})
	p.must(err)
	e, err := agreement.Load(sub)
	p.must(err)
	p.law, err = rules.Compile(e)
	p.must(err)
	return p.nextMarketDay(booking.MakeSlotID(1, 2, hour(7).Day(), hour(7).Minute()))
}

var quoted = regexp.MustCompile(`[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}`)

// asks has a traveller ask for places, and returns the answer with the number in it.
func (p *testPost) asks(slot booking.SlotID, cards ...int) (reply, string) {
	p.Helper()
	r := p.post("/en/book/confirm", "", hidden(p.post("/en/book/people", "", partyForm(slot, cards...)).body, "check"))
	if r.StatusCode != http.StatusOK {
		p.Fatalf("%d %s", r.StatusCode, text(r.body))
	}
	return r, quoted.FindString(text(r.body))
}

// at follows a redirect.
func (p *testPost) at(r reply, as string) reply {
	p.Helper()
	if r.StatusCode != http.StatusSeeOther {
		p.Fatalf("no redirect: %d %s", r.StatusCode, text(r.body))
	}
	return p.get(r.Header.Get("Location"), as)
}

// TestRefusedIsFound wants the number on a refusal to lead to it: for the supervisor, the
// clerk, the traveller and a program.
func TestRefusedIsFound(t *testing.T) {
	p := newTestPost(t)
	p.book("", hour(10), 1)
	_, number := p.asks(hour(12), 1)
	ref := strings.ReplaceAll(number, "-", "")

	for name, r := range map[string]reply{
		"supervisor": p.at(p.get("/en/day?site=1&number="+url.QueryEscape(strings.ToLower(number)), "supervisor"), "supervisor"),
		"manager":    p.at(p.get("/en/day?site=1&number="+ref, "manager"), "manager"),
		"clerk":      p.at(p.post("/en/clerk/find", "clerk", url.Values{"q": {number}, "site": {"1"}}), "clerk"),
		"list":       p.at(p.post("/en/requests", "clerk", url.Values{"reference": {number}, "site": {"1"}}), "clerk"),
		"traveller":  p.at(p.post("/en/booking", "", url.Values{"reference": {number}}), ""),
	} {
		if said := text(r.body); r.StatusCode != 200 || !strings.Contains(said, number) || !strings.Contains(said, "12:00 to 13:00") || strings.Contains(said, "Let the party in") {
			t.Errorf("%s: %d %s", name, r.StatusCode, said)
		}
		if strings.Contains(r.body, "Gul Bano") || strings.Contains(r.body, cnic(1)) {
			t.Errorf("%s: the page names a person", name)
		}
	}
	if q := into[requestOut](t, p.call("GET", "/api/v1/requests/"+ref, "clerk", "", nil)); q.Status != "refused" || len(q.Reasons) != 1 || q.Reasons[0].Code != booking.CodeSecond || q.Edition == "" {
		t.Errorf("%+v", q)
	}
	if d := into[dayOut](t, p.call("GET", "/api/v1/days/mand-pishin/2025-09-02", "supervisor", "", nil)); d.NotBooked != 1 || len(d.Reasons) != 1 || d.Reasons[0].Code != string(booking.CodeSecond) {
		t.Errorf("%+v", d)
	}
	if said := text(p.get("/en/day?site=1", "supervisor").body); !strings.Contains(said, "1 request for a place was not booked") {
		t.Error(said)
	}
	// A booking's number leads the supervisor to the booking.
	b := p.bookings()[0]
	if r := p.at(p.get("/en/day?site=1&number="+string(b.Ref), "supervisor"), "supervisor"); !strings.Contains(text(r.body), formatRef(b.Ref)) {
		t.Errorf("%d %s", r.StatusCode, text(r.body))
	}
	// So does the number on an act on it that is refused.
	f := url.Values{"idem": {"0123456789abcdef"}}
	path := p.post("/en/booking", "", url.Values{"reference": {string(b.Ref)}}).Header.Get("Location")
	if r := p.post(path+"/accept", "", f); !strings.Contains(text(r.body), "You need this number: "+formatRef(b.Ref)) {
		t.Errorf("%d %s", r.StatusCode, text(r.body))
	}
	// Not at another site, and not what there is not.
	p.elsewhere("clerk")
	if r := p.post("/en/requests", "clerk", url.Values{"reference": {number}, "site": {"2"}}); r.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("from another site: %d", r.StatusCode)
	}
	if r := p.call("GET", "/api/v1/requests/"+ref, "clerk", "", nil); r.StatusCode != http.StatusForbidden {
		t.Errorf("by a program of another site: %d", r.StatusCode)
	}
	if r := p.get("/en/day?site=1&number=0000-0000-0000", "supervisor"); r.StatusCode != 200 || !strings.Contains(text(r.body), "no booking and no request") {
		t.Errorf("nobody's number: %d", r.StatusCode)
	}
	// A retry is the same refusal.
	if n := p.refusals(); n != 1 {
		t.Errorf("%d refusals", n)
	}
}

// refusals counts the requests in the record that gave no booking.
func (p *testPost) refusals() (n int) {
	for _, h := range p.mem.Facts() {
		if _, ok := h.Fact.(*booking.Refused); ok {
			n++
		}
	}
	return n
}

// elsewhere has an officer work at another market from now on.
func (p *testPost) elsewhere(login string) {
	p.Helper()
	o, _, _, err := p.server.officerByLogin(context.Background(), login)
	p.must(err)
	o.Site = "gabd-reemdan"
	_, err = p.mem.Do(context.Background(), service.Idem{}, service.Appoint{Officer: o})
	p.must(err)
	p.server.actors.known = nil // what was read of the officer is old by now
}

// TestRequestDecided has the law leave two vendors to the manager: one is let in, one is not.
func TestRequestDecided(t *testing.T) {
	p := newTestPost(t)
	slot := p.hold()
	first, number := p.asks(slot, 1)
	for _, want := range []string{"Ask for: Market manager, at Mand", "Give this number: " + number, "No place was booked"} {
		if !strings.Contains(text(first.body), want) {
			t.Errorf("the traveller is not told %q: %s", want, text(first.body))
		}
	}
	// The clerk finds it and is told whose it is.
	clerk := p.at(p.post("/en/clerk/find", "clerk", url.Values{"q": {number}, "site": {"1"}}), "clerk")
	if said := text(clerk.body); !strings.Contains(said, "decided by: Market manager") || strings.Contains(said, "Let the party in") || !strings.Contains(said, "Gul Bano") {
		t.Error(said)
	}
	list := p.get("/en/requests?site=1", "manager")
	at := regexp.MustCompile(`href="/en(/requests/[^"]+)"`).FindStringSubmatch(list.body)
	if at == nil || !strings.Contains(list.body, number) {
		t.Fatal(text(list.body))
	}
	path := "/en" + at[1]
	form := hidden(p.get(path, "manager").body, "")
	form.Set("admit", "yes")
	if r := p.post(path, "manager", form); r.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(text(r.body), "Choose the ground") {
		t.Errorf("without a ground: %d %s", r.StatusCode, text(r.body))
	}
	form.Set("why", "paper")
	if r := p.post(path, "clerk", form); r.StatusCode != http.StatusForbidden {
		t.Errorf("a clerk decides: %d", r.StatusCode)
	}
	done := p.at(p.post(path, "manager", form), "manager")
	if said := text(done.body); !strings.Contains(said, "Let in and booked") || !strings.Contains(said, "The decision is recorded") {
		t.Error(said)
	}
	mine := p.at(p.post("/en/booking", "", url.Values{"reference": {number}}), "")
	if !strings.Contains(text(mine.body), "The place is booked") || !strings.Contains(mine.body, `class="qr"`) {
		t.Error(text(mine.body))
	}

	// The next is not let in: nothing that names them is kept, and they are told.
	_, number = p.asks(slot, 2)
	kept := len(p.sealer.m)
	ref := strings.ReplaceAll(number, "-", "")
	if r := p.call("POST", "/api/v1/requests/"+ref+"/decision", "clerk", "rule-000000000000", rulingIn{false, "no_paper"}); r.StatusCode != http.StatusForbidden {
		t.Errorf("a clerk's program decides: %d %s", r.StatusCode, r.body)
	}
	a := into[bookingAnswerOut](t, p.call("POST", "/api/v1/requests/"+ref+"/decision", "manager", "rule-000000000001", rulingIn{false, "no_paper"}))
	manager, _, _, err := p.server.officerByLogin(context.Background(), string(people.Manager))
	p.must(err)
	if a.Request == nil || a.Request.Status != "turned_away" || a.Request.DecidedBy != string(manager.ID) || a.Request.Why != "no_paper" || a.Booking != nil {
		t.Errorf("%+v", a.Request)
	}
	if len(p.sealer.m) != kept-1 {
		t.Errorf("%d keys, %d before the decision", len(p.sealer.m), kept)
	}
	told := p.at(p.post("/en/booking", "", url.Values{"reference": {number}}), "")
	if said := text(told.body); !strings.Contains(said, "You have no place") || !strings.Contains(said, "was not shown") {
		t.Error(said)
	}
	// In the other languages as well, without a gap in the words.
	for _, tag := range []string{"fa", "ur"} {
		for name, body := range map[string]string{
			"list": p.get("/"+tag+"/requests?site=1", "manager").body, "one": p.get("/"+tag+at[1], "manager").body,
		} {
			if strings.Contains(body, "{") {
				t.Errorf("%s in %s: a placeholder is not filled: %s", name, tag, text(body))
			}
		}
	}
}

// TestClerkDecidesAtOnce leads a supervisor who books for somebody on to the decision.
func TestClerkDecidesAtOnce(t *testing.T) {
	p := newTestPost(t)
	slot := p.hold()
	r := p.post("/en/clerk/book/confirm", "supervisor", hidden(p.post("/en/clerk/book/people", "supervisor", partyForm(slot, 1)).body, "check"))
	at := regexp.MustCompile(`href="/en(/requests/[^"]+)">Decide on this request`).FindStringSubmatch(r.body)
	if at == nil {
		t.Fatal(text(r.body))
	}
	form := hidden(p.get("/en"+at[1], "supervisor").body, "")
	form.Set("admit", "yes")
	form.Set("why", "order")
	if done := p.at(p.post("/en"+at[1], "supervisor", form), "supervisor"); !strings.Contains(text(done.body), "The place is booked") || !strings.Contains(done.body, `class="qr"`) {
		t.Error(text(done.body))
	}
}
