// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"darwaza.dev/internal/appeal"
	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/identity"
	"darwaza.dev/internal/pass"
	"darwaza.dev/internal/reason"
	"darwaza.dev/internal/rules"
	"darwaza.dev/internal/service"
)

const contestWords = "I had cancelled the other booking, and the screen still said no."

// refusedNumber is the number of a request of somebody who has a booking on that day.
func (p *testPost) refusedNumber(n int) string {
	p.Helper()
	slot := p.nextMarketDay(hour(10))
	p.book("", slot, n)
	_, number := p.asks(slot+60, n)
	return number
}

// caseFor opens a case by its traveller's page and returns the page's address.
func (p *testPost) caseFor(l, number string) string {
	p.Helper()
	path := p.post("/"+l+"/contest", "", url.Values{"number": {number}}).Header.Get("Location")
	f := hidden(p.get(path, "").body, "words-form")
	f.Set("words", map[string]string{"en": contestWords, "fa": "نوبت دیگر را پیش\u200cتر لغو کرده بودم، اما پاسخ همچنان نه بود.", "ur": "میں نے دوسری بکنگ پہلے ہی منسوخ کر دی تھی، پھر بھی جواب نہیں بدلا۔"}[l])
	r := p.post(path, "", f)
	if r.StatusCode != http.StatusSeeOther {
		p.Fatalf("contest: %d %s", r.StatusCode, text(r.body))
	}
	return r.Header.Get("Location")
}

// answered has the supervisor answer the case about a number.
func (p *testPost) answered(number, result, ground, next string, l ...string) reply {
	p.Helper()
	path := p.post("/en/cases", "supervisor", url.Values{"site": {"1"}, "number": {number}}).Header.Get("Location")
	f := hidden(p.get(path, "supervisor").body, "words-form")
	for k, v := range map[string]string{"result": result, "ground": ground, "next": next, "words": "The other booking was cancelled only later that day."} {
		f.Set(k, v)
	}
	switch strings.Join(l, "") {
	case "fa":
		f.Set("words", "حق با شماست. نوبت دیگر پیش از درخواست شما لغو شده بود.")
	case "ur":
		f.Set("words", "آپ درست ہیں۔ دوسری بکنگ آپ کی درخواست سے پہلے منسوخ ہو چکی تھی۔")
	}
	return p.post(path+"/answer", "supervisor", f)
}

func (p *testPost) casesKept() (list []*appeal.Opened, answers []*appeal.Answered) {
	for _, h := range p.mem.Facts() {
		switch f := h.Fact.(type) {
		case *appeal.Opened:
			list = append(list, f)
		case *appeal.Answered:
			answers = append(answers, f)
		}
	}
	return list, answers
}

// TestContest goes from a refusal to its answer, as a traveller without a script does.
func TestContest(t *testing.T) {
	p := newTestPost(t, func(d *Deps) { d.AnswerWithin = 4 })
	slot := p.nextMarketDay(hour(10))
	p.book("", slot, 1)
	refused, number := p.asks(slot+60, 1)
	at := strings.Index(refused.body, `href="/en/contest/`)
	if at < 0 {
		t.Fatalf("no way to contest: %s", text(refused.body))
	}
	path, _, _ := strings.Cut(refused.body[at+len(`href="`):], `"`)
	form := p.get(path, "")
	said := text(form.body)
	for _, want := range []string{"Not allowed", "already has a booking for this market on this day", "Edition 1", number, "within 4 days", "What do you think is wrong?"} {
		if !strings.Contains(said, want) {
			t.Errorf("the form does not say %q: %s", want, said)
		}
	}
	f := hidden(form.body, "words-form")
	if r := p.post(path, "", f); r.StatusCode != 422 || !strings.Contains(text(r.body), "Say what you think is wrong") {
		t.Errorf("no words: %d", r.StatusCode)
	}
	f.Set("words", strings.Repeat("ا", maxWords+1))
	if r := p.post(path, "", f); r.StatusCode != 422 || !strings.Contains(text(r.body), "at most 600") {
		t.Errorf("too many words: %d %s", r.StatusCode, text(r.body))
	}
	f.Set("words", contestWords)
	f.Set("switch", "1")
	if r := p.post("/fa"+strings.TrimPrefix(path, "/en"), "", f); r.StatusCode != 200 || !strings.Contains(r.body, contestWords) || !strings.Contains(r.body, `lang="fa"`) {
		t.Errorf("another language: %d", r.StatusCode)
	}
	f.Del("switch")
	if open, _ := p.casesKept(); len(open) != 0 {
		t.Fatalf("a form that was not sent opened %d cases", len(open))
	}
	// Sent twice, and by another tab: one case.
	keys := len(p.sealer.m)
	sent := p.post(path, "", f)
	again := p.post(path, "", f)
	other := f
	other.Set("idem", "another-tab-00000000")
	tab := p.post(path, "", other)
	open, _ := p.casesKept()
	if sent.StatusCode != 303 || again.StatusCode != 303 || tab.StatusCode != 303 || len(open) != 1 || len(p.sealer.m) != keys+1 {
		t.Fatalf("%d %d %d, %d cases, %d keys more", sent.StatusCode, again.StatusCode, tab.StatusCode, len(open), len(p.sealer.m)-keys)
	}
	page := p.get(sent.Header.Get("Location"), "")
	said = text(page.body)
	for _, want := range []string{string(open[0].Case), "Waits for an answer", "6 September 2025", contestWords, "Your contest is in the record"} {
		if !strings.Contains(said, want) {
			t.Errorf("the case does not say %q: %s", want, said)
		}
	}
	if strings.Contains(page.body, "<script") || strings.Contains(said, "Send the contest") {
		t.Error("a script, or a second contest of an open case")
	}
	// What is in the record binds it to the words, and does not hold them.
	var kept sealedWords
	plain, err := p.sealer.Open(context.Background(), open[0].Sealed, nil)
	p.must(err)
	p.must(jsonInto(plain, &kept))
	if kept.Words != contestWords || sha256.Sum256(append(kept.Salt, contestWords...)) != open[0].Digest || len(kept.Salt) != 16 {
		t.Errorf("sealed %+v", kept)
	}
	p.nothingSaid(t)

	// The supervisor sees it, oldest first, and the day counts it.
	list := p.get("/en/cases?site=1", "supervisor")
	if said := text(list.body); !strings.Contains(said, string(open[0].Case)) || !strings.Contains(said, "1 case is open") || !strings.Contains(said, "until 6 September 2025") {
		t.Errorf("the list: %s", said)
	}
	if said := text(p.get("/en/day?site=1", "supervisor").body); !strings.Contains(said, "1 case is open") || !strings.Contains(said, "on this day 1 opened, 0 answered") {
		t.Errorf("the day: %s", said)
	}
	if r := p.answered(number, "upheld", "input", "nothing"); r.StatusCode != 422 || !strings.Contains(text(r.body), "goes with what you found") {
		t.Errorf("a ground of the other kind: %d %s", r.StatusCode, text(r.body))
	}
	if r := p.answered(number, "", "", ""); r.StatusCode != 422 || !strings.Contains(text(r.body), "Choose what you found") {
		t.Errorf("no result: %d", r.StatusCode)
	}
	if r := p.answered(number, "changed", "input", "book"); r.StatusCode != 303 {
		t.Fatalf("answer: %d %s", r.StatusCode, text(r.body))
	}
	if _, answers := p.casesKept(); len(answers) != 1 || !answers[0].Changed || answers[0].Officer == "" {
		t.Errorf("%+v", answers)
	}
	p.nothingSaid(t)
	// The person reads it under either number, in their language, and by no officer's name.
	for _, by := range []string{number, string(open[0].Case), strings.ToLower(string(open[0].Case))} {
		r := p.post("/en/contest", "", url.Values{"number": {by}})
		said := text(p.get(r.Header.Get("Location"), "").body)
		for _, want := range []string{"The answer was wrong", "keyed or read wrongly", "Ask for a place again", "The other booking was cancelled only later", "Answered by the supervisor"} {
			if !strings.Contains(said, want) {
				t.Errorf("by %s the answer does not say %q: %s", by, want, said)
			}
		}
		if strings.Contains(said, "o-0000000005") {
			t.Errorf("the traveller is told the officer: %s", said)
		}
	}
	// What the law refuses stays refused.
	if _, again := p.asks(slot+60, 1); again == "" || p.refusals() != 2 {
		t.Errorf("%d refusals", p.refusals())
	}
	p.now = p.now.Add(2 * keepFor)
	if said := text(p.get("/en/", "").body); !strings.Contains(said, "Contested answers: 0 open, 1 answered") {
		t.Errorf("the board: %s", said)
	}
}

// nothingSaid looks for the words of people in facts and log.
func (p *testPost) nothingSaid(t *testing.T) {
	t.Helper()
	var all bytes.Buffer
	for _, h := range p.mem.Facts() {
		b, err := p.server.codec.Marshal(h.Fact)
		p.must(err)
		all.Write(b)
	}
	for _, secret := range []string{"cancelled the other", "cancelled only later", "Gul Bano"} {
		if strings.Contains(all.String(), secret) || strings.Contains(p.log.String(), secret) {
			t.Errorf("%q stands in facts or log", secret)
		}
	}
}

// TestContestAtTheGate proves that an answer at the gate is one's own: strangers, wrong
// numbers and numbers that there are not are answered alike.
func TestContestAtTheGate(t *testing.T) {
	p := newTestPost(t)
	p.book("", hour(10), 1)
	p.book("", hour(10), 2)
	b, other := p.bookings()[0], p.bookings()[1]
	if b.Members[0].Tag != p.server.deps.Secrets.Tag(hour(10).Day(), document(cnic(1)).Key()) {
		b, other = other, b
	}
	p.now = marketDay.Add(40 * 60e9)
	ill := into[scanOut](t, p.call("POST", "/api/v1/gate/scans", "gate", "gate-scan-0000000001", scanIn{Site: "mand-pishin", Gate: 1, Direction: "in", Pass: first(p.server.passText(b, 0)),
		Document: &documentIn{"cnic", "PAK", cnic(2)}}))
	stray := into[scanOut](t, p.call("POST", "/api/v1/gate/scans", "gate", "gate-scan-0000000002", scanIn{Site: "mand-pishin", Gate: 1, Direction: "in", Pass: "DW1:BROKEN"}))
	day := dayDate(hour(10).Day()).String()
	ask := func(number any, proof, day string) reply {
		return p.post("/en/contest", "", url.Values{"number": {fmt.Sprint(number)}, "site": {"1"}, "day": {day}, "proof": {proof}})
	}
	for name, proof := range map[string]string{"reference": string(b.Ref), "document": cnic(1)} {
		r := ask(ill.Scan.Serial, proof, day)
		if r.StatusCode != 303 {
			t.Errorf("by %s: %d %s", name, r.StatusCode, text(r.body))
			continue
		}
		if said := text(p.get(r.Header.Get("Location"), "").body); !strings.Contains(said, "Number "+strconv.FormatUint(ill.Scan.Serial, 10)) || !strings.Contains(said, "Not allowed") {
			t.Errorf("by %s: %s", name, said)
		}
	}
	var bodies []string
	for name, r := range map[string]reply{
		"a stranger's reference": ask(ill.Scan.Serial, string(other.Ref), day), "a stranger's document": ask(ill.Scan.Serial, cnic(2), day), "nothing": ask(ill.Scan.Serial, "", day),
		"no such scan": ask(ill.Scan.Serial+100, string(b.Ref), day), "another day": ask(ill.Scan.Serial, string(b.Ref), "2025-09-01"),
		"nobody's": ask(stray.Scan.Serial, string(b.Ref), day),
	} {
		if r.StatusCode != 422 || strings.Contains(text(r.body), "Not allowed") {
			t.Errorf("%s: %d", name, r.StatusCode)
		}
		_, said, _ := strings.Cut(text(r.body), "There is a problem")
		said, _, _ = strings.Cut(said, "Number of the answer")
		bodies = append(bodies, said)
	}
	for _, b := range bodies {
		if b != bodies[0] || b == "" {
			t.Errorf("wrong and unknown differ: %q, %q", b, bodies[0])
		}
	}
	// A pass that nobody could read: the clerk opens the case, by name.
	r := p.post("/en/cases", "clerk", url.Values{"site": {"1"}, "day": {day}, "number": {fmt.Sprint(stray.Scan.Serial)}})
	f := hidden(p.at(r, "clerk").body, "words-form")
	f.Set("words", contestWords)
	if got := p.post(r.Header.Get("Location"), "clerk", f); got.StatusCode != 303 {
		t.Fatalf("%d %s", got.StatusCode, text(got.body))
	}
	open, _ := p.casesKept()
	if len(open) != 1 || open[0].By != "o-0000000000" || open[0].Kind != appeal.OfScan || open[0].Pass != (pass.ID{}) {
		t.Errorf("%+v", open)
	}
	if said := text(p.get(r.Header.Get("Location"), "clerk").body); strings.Contains(said, contestWords) || strings.Contains(said, "Answer this case") {
		t.Error("a clerk reads what was said, or answers")
	}
	// At another market nobody sees it.
	p.elsewhere("clerk")
	if r := p.get(r.Header.Get("Location"), "clerk"); r.StatusCode != http.StatusForbidden {
		t.Errorf("from another market: %d", r.StatusCode)
	}
	p.nothingSaid(t)
}

func first[A, B any](a string, _ A, _ B) string { return a }

// TestContestSlowed holds contests from one address to their pace, and not a clerk's.
func TestContestSlowed(t *testing.T) {
	p := newTestPost(t)
	number := p.refusedNumber(1)
	path := p.post("/en/contest", "", url.Values{"number": {number}}).Header.Get("Location")
	f := hidden(p.get(path, "").body, "words-form")
	f.Set("words", contestWords)
	for i := range contestOneBurst {
		if r := p.post(path, "", f); r.StatusCode != http.StatusSeeOther {
			t.Fatalf("%d: %d", i, r.StatusCode)
		}
	}
	if r := p.post(path, "", f); r.StatusCode != http.StatusTooManyRequests {
		t.Errorf("%d", r.StatusCode)
	}
	if r := p.call("POST", "/api/v1/cases", "clerk", "case-open-0000000001", contestIn{Answer: number, Site: "mand-pishin", Words: "x"}); r.StatusCode != 200 {
		t.Errorf("a clerk: %d", r.StatusCode)
	}
	if open, _ := p.casesKept(); len(open) != 1 {
		t.Errorf("%d cases", len(open))
	}
}

// TestContestOwnDecision keeps a supervisor from answering for what they decided.
func TestContestOwnDecision(t *testing.T) {
	p := newTestPost(t)
	p.book("", hour(10), 1)
	b := p.bookings()[0]
	p.now = marketDay.Add(40 * 60e9)
	s := into[scanOut](t, p.call("POST", "/api/v1/gate/scans", "gate", "gate-scan-0000000001", scanIn{Site: "mand-pishin", Gate: 1, Direction: "in", Pass: first(p.server.passText(b, 0))}))
	p.call("POST", "/api/v1/gate/decisions", "supervisor", "gate-back-0000000001", map[string]any{"site": "mand-pishin", "gate": 1, "pass_id": s.PassID, "serial": s.Scan.Serial, "admit": false, "why": "seen"})
	number := fmt.Sprint(s.Scan.Serial)
	day := dayDate(hour(10).Day()).String()
	r := p.post("/en/contest", "", url.Values{"number": {number}, "site": {"1"}, "day": {day}, "proof": {string(b.Ref)}})
	f := hidden(p.at(r, "").body, "words-form")
	f.Set("words", contestWords)
	p.post(r.Header.Get("Location"), "", f)
	open, _ := p.casesKept()
	if len(open) != 1 || len(open[0].Officers) != 1 {
		t.Fatalf("%+v", open)
	}
	path := p.post("/en/cases", "supervisor", url.Values{"site": {"1"}, "number": {string(open[0].Case)}})
	if said := text(p.at(path, "supervisor").body); !strings.Contains(said, "Another supervisor answers") || strings.Contains(said, "Record the answer") {
		t.Errorf("%s", said)
	}
	a := p.call("POST", "/api/v1/cases/"+string(open[0].Case)+"/answer", "supervisor", "case-answer-00000001", caseReply{Ground: "facts", Next: "nothing", Words: "No."})
	if d := into[problemDocument](t, a); a.StatusCode != 403 || d.Code != "case.own" {
		t.Errorf("%d %+v", a.StatusCode, d)
	}
}

// TestContestByProgram opens and answers a case by the API.
func TestContestByProgram(t *testing.T) {
	p := newTestPost(t)
	number := p.refusedNumber(1)
	in := contestIn{Answer: number, Site: "mand-pishin", Words: contestWords}
	k := into[caseOut](t, p.call("POST", "/api/v1/cases", "clerk", "case-open-0000000001", in))
	again := into[caseOut](t, p.call("POST", "/api/v1/cases", "clerk", "case-open-0000000001", in))
	another := into[caseOut](t, p.call("POST", "/api/v1/cases", "supervisor", "case-open-0000000002", in))
	if k.Case == "" || k.Status != "open" || k.Outcome != "REFUSE" || len(k.Reasons) != 1 || k.OpenedBy != "o-0000000000" || k.Words != "" || k.Due != "2025-09-09" || k.Record == nil || k.Record.Count != 1 {
		t.Errorf("%+v", k)
	}
	if again.Case != k.Case || !again.Record.Again || another.Case != k.Case || another.Record.Count != 0 || another.Words != contestWords {
		t.Errorf("again %+v, another %+v", again, another)
	}
	list := into[casesOut](t, p.call("GET", "/api/v1/cases?site=mand-pishin", "supervisor", "", nil))
	if list.Open != 1 || len(list.Cases) != 1 || list.Cases[0].Words != contestWords {
		t.Errorf("%+v", list)
	}
	p.now = p.now.AddDate(0, 0, 8)
	if k := into[caseOut](t, p.call("GET", "/api/v1/cases/"+string(k.Case), "clerk", "", nil)); k.Status != "late" || k.Words != "" {
		t.Errorf("%+v", k)
	}
	for _, c := range []struct {
		in     any
		status int
		code   string
	}{
		{caseReply{Ground: "facts", Next: "nothing"}, 400, "case.words"},
		{caseReply{Ground: "input", Next: "nothing", Words: "x"}, 400, "case.ground"},
		{caseReply{Changed: true, Ground: "input", Next: "come", Words: "x"}, 400, "case.next"},
		{caseReply{Changed: true, Ground: "input", Next: "book", Clause: "NONE", Words: "x"}, 400, "case.clause"},
	} {
		r := p.call("POST", "/api/v1/cases/"+string(k.Case)+"/answer", "supervisor", "case-wrong-000000001", c.in)
		if d := into[problemDocument](t, r); r.StatusCode != c.status || d.Code != c.code {
			t.Errorf("%+v: %d %+v", c.in, r.StatusCode, d)
		}
	}
	done := into[caseOut](t, p.call("POST", "/api/v1/cases/"+string(k.Case)+"/answer", "supervisor", "case-answer-00000001", caseReply{Ground: "facts", Next: "nothing", Words: "The booking stood."}))
	if done.Status != "upheld" || done.AnsweredBy != "o-0000000005" || done.Reply != "The booking stood." || done.AnsweredAt == nil {
		t.Errorf("%+v", done)
	}
	if d := into[dayOut](t, p.call("GET", "/api/v1/days/mand-pishin/2025-09-10", "supervisor", "", nil)); d.Cases != (dayCasesOut{Answered: 1, AnsweredToday: 1}) {
		t.Errorf("%+v", d.Cases)
	}
	if r := p.call("POST", "/api/v1/cases", "clerk", "case-none-0000000001", contestIn{Answer: "0000-0000-0000", Site: "mand-pishin", Words: "x"}); r.StatusCode != 404 {
		t.Errorf("nobody's number: %d", r.StatusCode)
	}
	// The words go when their time comes, and the case stays.
	for id := range p.sealer.m {
		delete(p.sealer.m, id)
	}
	if k := into[caseOut](t, p.call("GET", "/api/v1/cases/"+string(k.Case), "supervisor", "", nil)); k.Words != "" || k.Reply != "" || k.Ground != "facts" || k.Digest != done.Digest {
		t.Errorf("%+v", k)
	}
	p.nothingSaid(t)
}

// TestContestOthers contests a refused act on a booking, and a lot at the goods desk.
func TestContestOthers(t *testing.T) {
	p := newTestPost(t)
	path := p.book("", hour(10), 1)
	act := p.post(path+"/accept", "", url.Values{"idem": {"0123456789abcdef"}})
	at := strings.Index(act.body, `href="/en/contest/`)
	if at < 0 {
		t.Fatal("no way to contest a refused act")
	}
	link, _, _ := strings.Cut(act.body[at+len(`href="`):], `"`)
	page := p.get(link, "")
	if said := text(page.body); !strings.Contains(said, "No place is kept for this booking") {
		t.Errorf("%s", said)
	}
	f := hidden(page.body, "words-form")
	f.Set("words", contestWords)
	p.post(link, "", f)
	open, _ := p.casesKept()
	if len(open) != 1 || open[0].Kind != appeal.OfBooking || open[0].Outcome != reason.Refuse || len(open[0].Reasons) != 1 || open[0].Reasons[0].Code != booking.CodeNoOffer {
		t.Errorf("%+v", open)
	}

	// At the desk the answer is recorded so that the buyer has a number.
	day := dayDate(hour(10).Day()).String()
	p.now = marketDay.Add(40 * 60e9)
	p.call("POST", "/api/v1/values", "customs", "values-000000000001", displayIn{Site: "mand-pishin", Day: day, Values: []displayValueIn{{Good: "07020000", Minor: 100, Currency: "USD"}}})
	buyer := p.post("/en/desk", "customs", url.Values{"site": {"1"}, "text": {first(p.server.passText(p.bookings()[0], 0))}}).Header.Get("Location")
	token, _, _ := strings.Cut(strings.TrimPrefix(buyer, "/en/desk/buyer/"), "?")
	if said := text(p.get("/en/desk/buyer/"+token+"?site=1&code=07020000&quantity=500", "customs").body); !strings.Contains(said, "give the buyer its number") {
		t.Errorf("%s", said)
	}
	turn := url.Values{"site": {"1"}, "buyer": {token}, "code": {"07020000"}, "quantity": {"500"}, "idem": {"turned-0000000000001"}, "accept": {"yes"}, "decided": {"order"}}
	said := text(p.post("/en/desk/turn", "customs", turn).body)
	_, number, _ := strings.Cut(said, "Number of this answer: ")
	number, _, _ = strings.Cut(number, " ")
	if !appeal.Subject(number).Lot() {
		t.Fatalf("%s", said)
	}
	if said := text(p.post("/en/desk/turn", "customs", turn).body); !strings.Contains(said, number) {
		t.Errorf("a retry: %s", said)
	}
	turn.Set("quantity", "1")
	turn.Set("idem", "turned-0000000000002")
	if r := p.post("/en/desk/turn", "customs", turn); r.StatusCode != http.StatusConflict {
		t.Errorf("what may go was recorded as turned away: %d %s", r.StatusCode, text(r.body))
	}
	r := p.post("/en/contest", "", url.Values{"number": {strings.ToLower(number)}})
	if said := text(p.at(r, "").body); !strings.Contains(said, number) || !strings.Contains(said, "Goods desk") {
		t.Errorf("%s", said)
	}
	p.must(p.mem.View(context.Background(), func(st service.State) error {
		if l := service.LedgerOf(st, p.bookings()[0].Members[0].Tag, hour(10).Day()); len(l.Purchases) != 0 {
			t.Errorf("bought %+v", l)
		}
		return nil
	}))
}

// FuzzContested reads any text as what a link to a case stands for.
func FuzzContested(f *testing.F) {
	f.Add("0123456789AB")
	f.Add(string(contested{Subject: "G-1-9376-17", Pass: pass.ID{1}}.ref()))
	f.Add(string(refusedAct("0123456789AB", verdictOf(reason.Reason{Code: booking.CodeUsed, Outcome: reason.Refuse, Clause: "X"})).ref()))
	f.Add("|||")
	f.Fuzz(func(t *testing.T, s string) {
		c, ok := parseContested(booking.Ref(s))
		if !ok {
			return
		}
		if again, ok := parseContested(c.ref()); !ok || again.Subject != c.Subject || again.Pass != c.Pass || len(again.Act) != len(c.Act) {
			t.Fatalf("%q, then %+v", s, again)
		}
	})
}

func verdictOf(rs ...reason.Reason) rules.Verdict { return rules.Verdict{Reasons: rs} }

func jsonInto(b []byte, v any) error { return json.Unmarshal(b, v) }

func document(number string) identity.Document {
	d, err := identity.ParseDocument("cnic", "PAK", number)
	if err != nil {
		panic(err)
	}
	return d
}
