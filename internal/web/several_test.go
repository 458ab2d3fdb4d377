// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"io/fs"
	"net/http"
	"strings"
	"testing"

	"darwaza.dev/agreements"
	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/people"
	"darwaza.dev/internal/rules"
)

// lawWithPolio is the law of the market with the polio recommendations beside it, which
// know one of its sites and ask at booking and gate alone.
func lawWithPolio(t *testing.T) *rules.Law {
	t.Helper()
	var all []*agreement.Edition
	for _, id := range []string{"pk-ir-border-markets", "who-polio"} {
		sub, err := fs.Sub(agreements.FS, id)
		if err != nil {
			t.Fatal(err)
		}
		e, err := agreement.Load(sub)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
	}
	law, err := rules.Compile(all...)
	if err != nil {
		t.Fatal(err)
	}
	return law
}

const (
	marketTitle = "Joint border sustenance markets of Pakistan and Iran"
	polioTitle  = "Polio vaccination of travellers under the International Health Regulations"
)

// TestBookingUnderTwo has a traveller ask for a place under two agreements: the answer has
// each under its own title, now and when the request is looked up.
func TestBookingUnderTwo(t *testing.T) {
	p := newTestPost(t)
	p.law = lawWithPolio(t)
	r, number := p.asks(hour(12), 1)
	for name, r := range map[string]reply{
		"answer":    r,
		"traveller": p.at(p.post("/en/booking", "", map[string][]string{"reference": {number}}), ""),
	} {
		for _, want := range []string{polioTitle + "</h2>", "who-polio.po-5-lapse"} {
			if !strings.Contains(strings.ToLower(r.body), strings.ToLower(want)) {
				t.Errorf("%s: no %s\n%s", name, want, text(r.body))
			}
		}
	}
	if !strings.Contains(r.body, marketTitle+"</h2>") || strings.Count(r.body, `class="part"`) != 2 {
		t.Errorf("the market's own answer is not shown: %s", text(r.body))
	}
	// A vendor without a card: the market's law refuses, with its clause under its title.
	r, _ = p.asks(p.nextMarketDay(booking.MakeSlotID(1, 2, hour(7).Day(), hour(7).Minute())), 1)
	_, after, ok := strings.Cut(r.body, marketTitle+"</h2>")
	if polio := strings.Index(after, polioTitle+"</h2>"); !ok || polio < 0 || !strings.Contains(after[:polio], "#pk-ir-border-markets.") || !strings.Contains(text(after[:polio]), "card") {
		t.Errorf("refused: %s", text(r.body))
	}
	for _, path := range []string{"/en/law", "/en/before", "/en/", "/en/goods", "/en/book", "/fa/law", "/ur/before"} {
		if got := p.get(path, ""); got.StatusCode != http.StatusOK {
			t.Errorf("%s: %d", path, got.StatusCode)
		}
	}
	if law := p.get("/en/law", "").body; strings.Count(law, "<h1>") != 1 || !strings.Contains(law, `<a href="#who-polio">`) || !strings.Contains(law, `id="pk-ir-border-markets"`) {
		t.Error("the page of the law does not list both")
	}
}

// TestGateUnderTwo lets a booked person come to the gate when a second agreement has been
// loaded: the gate's page has each answer under its title. The desk, of which the second
// says nothing, has none.
func TestGateUnderTwo(t *testing.T) {
	p := openPost(t)
	b := p.signedIn("mand", people.GateOfficer)
	tr := p.book(10, cnicA, "Bibi Gul", 0)
	b.get("/en/gate")
	p.law = lawWithPolio(t)
	b.scan(tr.text, "in")
	if strings.Count(b.body, `class="why-law"`) != 2 {
		t.Errorf("%s", b.text())
	}
	b.wants(marketTitle, polioTitle)
	b.complete(tr)
	if b.outcome() != "REFER" {
		t.Errorf("%s: %s", b.outcome(), b.text())
	}
	b.wants(marketTitle, "The recommendations known to us have lapsed.")
	if law := strings.Index(b.body, polioTitle); law < 0 || !strings.Contains(b.body[law:], "#who-polio.") {
		t.Errorf("the clause is not found under its agreement: %s", b.body)
	}
}

// TestLawOfSeveralEditions asks for editions by number with and without the agreement.
func TestLawOfSeveralEditions(t *testing.T) {
	p := newTestPost(t)
	p.law = lawWithPolio(t)
	for path, want := range map[string][2]bool{
		"/en/law?edition=1":                                {true, true},
		"/en/law?edition=1&agreement=who-polio":            {false, true},
		"/en/law?agreement=pk-ir-border-markets":           {true, false},
		"/en/law?agreement=pk-ir-border-markets&edition=1": {true, false},
	} {
		body := p.get(path, "").body
		if got := [2]bool{strings.Contains(body, `id="pk-ir-border-markets"`) || strings.Contains(body, ">"+marketTitle+"<"), strings.Contains(body, ">"+polioTitle+"<")}; got != want {
			t.Errorf("%s shows %v, want %v", path, got, want)
		}
	}
	for _, path := range []string{"/en/law?edition=77", "/en/law?agreement=", "/en/law?agreement=nobody", "/en/law?agreement=who-polio&edition=77"} {
		if r := p.get(path, ""); r.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d", path, r.StatusCode)
		}
	}
}

// TestAgreementChosen asks the API for one agreement of two, and asks a question of one.
func TestAgreementChosen(t *testing.T) {
	p := newTestPost(t)
	p.law = lawWithPolio(t)
	for query, want := range map[string]string{
		"": "pk-ir-border-markets", "?agreement=who-polio": "who-polio", "?agreement=who-polio&edition=1": "who-polio", "?edition=1": "pk-ir-border-markets",
	} {
		out := into[agreementOut](t, p.call("GET", "/api/v1/agreement"+query, "clerk", "", nil))
		e, _ := p.law.EditionOf(want, p.now)
		if out.ID != want || out.Hash != hexHash(e.Hash) || out.Edition != e.Number || !out.InForce || len(out.Agreements) != 2 {
			t.Errorf("%q: %s edition %d, in force %v, of %d", query, out.ID, out.Edition, out.InForce, len(out.Agreements))
		}
	}
	for _, query := range []string{"?agreement=nobody", "?agreement=who-polio&edition=9"} {
		if r := p.call("GET", "/api/v1/agreement"+query, "clerk", "", nil); r.StatusCode != http.StatusNotFound {
			t.Errorf("%q: %d", query, r.StatusCode)
		}
	}
	// The question is put to both, or to the one that it names.
	ask := func(of string) rules.Verdict {
		q := map[string]any{"point": "gate", "at": p.now.Format("2006-01-02T15:04:05Z07:00"), "site": "mand-pishin", "side": "A",
			"facts": map[string]any{"class": "visitor", "direction": "in", "control": "departure", "departure.state": "PAK", "dose.declined": true}}
		if of != "" { // whose attributes alone it may give then
			q["agreement"], q["facts"] = of, map[string]any{}
		}
		return into[rules.Verdict](t, p.call("POST", "/api/v1/verdict", "clerk", "", q))
	}
	if v := ask(""); len(v.Parts) != 2 || v.Agreement != "" {
		t.Errorf("of both: %d parts, %q", len(v.Parts), v.Agreement)
	}
	for _, of := range []string{"who-polio", "pk-ir-border-markets"} {
		if v := ask(of); len(v.Parts) != 0 || v.Agreement != of {
			t.Errorf("of %s: %d parts, %q", of, len(v.Parts), v.Agreement)
		}
	}
}

// TestContestUnderTwo contests an answer of two agreements: the case keeps whose each clause
// is, and the supervisor's answer rests on a clause of one of them.
func TestContestUnderTwo(t *testing.T) {
	p := newTestPost(t)
	p.law = lawWithPolio(t)
	_, number := p.asks(p.nextMarketDay(booking.MakeSlotID(1, 2, hour(7).Day(), hour(7).Minute())), 1)
	p.caseFor("en", number)
	opened, _ := p.casesKept()
	if len(opened) != 1 {
		t.Fatalf("%d cases", len(opened))
	}
	of := map[string]string{}
	for _, r := range opened[0].Reasons {
		if r.Clause != "" {
			of[r.Agreement] = r.Clause
		}
	}
	if len(of) != 2 || of["who-polio"] == "" || of["pk-ir-border-markets"] == "" {
		t.Fatalf("reasons %+v", opened[0].Reasons)
	}
	path := p.post("/en/cases", "supervisor", map[string][]string{"site": {"1"}, "number": {number}}).Header.Get("Location")
	page := p.get(path, "supervisor").body
	chosen := "who-polio." + of["who-polio"]
	for _, id := range []string{chosen, "pk-ir-border-markets." + of["pk-ir-border-markets"]} {
		if strings.Count(page, `<option value="`+id+`"`) != 1 {
			t.Errorf("%s is not to be chosen once", id)
		}
	}
	f := hidden(page, "words-form")
	for k, v := range map[string]string{"result": "upheld", "ground": "clause", "next": "nothing", "words": "It holds.", "clause": "pk-ir-border-markets." + of["who-polio"]} {
		f.Set(k, v)
	}
	if r := p.post(path+"/answer", "supervisor", f); r.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("a clause of the other agreement: %d", r.StatusCode)
	}
	f.Set("clause", chosen)
	if r := p.post(path+"/answer", "supervisor", f); r.StatusCode != http.StatusSeeOther {
		t.Fatalf("%d %s", r.StatusCode, text(r.body))
	}
	_, answers := p.casesKept()
	if len(answers) != 1 || answers[0].Clause != of["who-polio"] || answers[0].Agreement != "who-polio" {
		t.Errorf("%+v", answers)
	}
	e, _ := p.law.EditionOf("who-polio", p.now)
	_, said, _ := strings.Cut(p.get(path, "supervisor").body, `aria-labelledby="reply"`)
	said, _, _ = strings.Cut(said, "</section>")
	if c := e.Clause(of["who-polio"]); !strings.Contains(said, `href="/en/law#who-polio.`+c.Anchor+`"`) {
		t.Error("the answer does not link to its clause")
	}
	k := into[caseOut](t, p.call("GET", "/api/v1/cases/"+string(opened[0].Case), "supervisor", "", nil))
	if k.Agreement != "who-polio" || k.Clause != of["who-polio"] {
		t.Errorf("%+v", k)
	}
}
