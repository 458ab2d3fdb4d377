// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"bytes"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/fstest"

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

// lawOfTwoClasses is the law of the market with the polio recommendations beside it, which
// plan slots of their own there for a class that the market does not know.
func lawOfTwoClasses(t *testing.T) *rules.Law {
	t.Helper()
	market, err := fs.Sub(agreements.FS, "pk-ir-border-markets")
	if err != nil {
		t.Fatal(err)
	}
	sub, err := fs.Sub(agreements.FS, "who-polio")
	if err != nil {
		t.Fatal(err)
	}
	over := fstest.MapFS{
		"schedule/mand-pishin.yaml": {Data: []byte("site: mand-pishin\nsource: example\nhours:\n  - {class: pilgrim, days: [tuesday], open: [\"05:00-07:00\"]}\nslots:\n  - {class: pilgrim, minutes: 60, from: \"05:00\", to: \"07:00\", capacity: slot.capacity.pilgrim, shares: {A: 50, B: 50}}\n")},
		"parameters/pilgrims.yaml":  {Data: []byte("parameters:\n  - {id: slot.capacity.pilgrim, text: {en: x, fa: x, ur: x}, unit: count, values: [{from: 2014-05-05, value: 20, source: example}]}\n")},
	}
	if err := fs.WalkDir(sub, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := fs.ReadFile(sub, path)
		if path == "agreement.yaml" {
			b = bytes.Replace(b, []byte("\nattributes:\n"), []byte("\n  - {id: pilgrim, number: 9, name: {en: pilgrim, fa: زائر, ur: زائر}}\n\nattributes:\n"), 1)
		}
		over[path] = &fstest.MapFile{Data: b}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	var all []*agreement.Edition
	for _, dir := range []fs.FS{market, over} {
		e, err := agreement.Load(dir)
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

// TestClassesOfBoth offers the classes of both agreements of a site where each plans slots,
// says whose each is, and books one of either.
func TestClassesOfBoth(t *testing.T) {
	p := newTestPost(t)
	if body := p.get("/en/book?site=mand-pishin", "").body; strings.Contains(text(body), marketTitle) {
		t.Error("of one agreement it is said whose its classes are")
	}
	p.law = lawOfTwoClasses(t)
	body := text(p.get("/en/book?site=mand-pishin", "").body)
	visitor, vendor, pilgrim := strings.Index(body, "visitor "+marketTitle), strings.Index(body, "vendor "+marketTitle), strings.Index(body, "pilgrim "+polioTitle)
	if visitor < 0 || vendor < visitor || pilgrim < vendor || strings.Contains(body, "traveller "+polioTitle) {
		t.Errorf("%s", body)
	}
	id := p.nextMarketDay(booking.MakeSlotID(1, 9, hour(7).Day(), 5*60))
	for path, want := range map[string]string{
		"/en/book?site=mand-pishin&class=pilgrim":                                        "9 September",
		"/en/book?site=mand-pishin&class=pilgrim&day=" + dayDate(id.Day()).String():      "05:00",
		fmt.Sprintf("/en/book/people?slot=%d", id):                                       "pilgrim",
		"/api/v1/slots?site=mand-pishin&class=pilgrim&day=" + dayDate(id.Day()).String(): `"class":"pilgrim"`,
		"/en/": "pilgrim",
	} {
		if r := p.get(path, ""); r.StatusCode != http.StatusOK || !strings.Contains(r.body, want) {
			t.Errorf("%s: %d, no %q\n%s", path, r.StatusCode, want, text(r.body))
		}
	}
	if r := p.get("/api/v1/slots?site=mand-pishin&class=traveller&day="+dayDate(id.Day()).String(), ""); r.StatusCode == http.StatusOK {
		t.Error("a class under whose number another agreement plans slots")
	}
	r, _ := p.asks(id, 1)
	if got := text(r.body); !strings.Contains(got, marketTitle) || !strings.Contains(got, polioTitle) {
		t.Errorf("the booking is not answered by both: %s", got)
	}
}

// TestAskUnderTwo: the page of what would happen if takes the classes of both agreements, and
// shows the answer of each under its own title.
func TestAskUnderTwo(t *testing.T) {
	p := newTestPost(t)
	p.law = lawOfTwoClasses(t)
	const where = "site=mand-pishin&point=gate&side=A&day=2025-09-02&time=10:30"
	body := p.get("/en/ask?"+where, "").body
	for _, id := range []string{"visitor", "vendor", "traveller", "pilgrim"} {
		if !strings.Contains(body, `<option value="`+id+`"`) {
			t.Errorf("the class %s cannot be chosen: %s", id, text(body))
		}
	}
	v, err := url.ParseQuery(where + "&f.class=pilgrim&f.direction=in")
	if err != nil {
		t.Fatal(err)
	}
	r := p.post("/en/ask", "", v)
	got := text(r.body)
	a, b := strings.Index(got, marketTitle), strings.Index(got, polioTitle)
	if a < 0 || b < 0 || !strings.Contains(r.body, "#who-polio.") || !strings.Contains(r.body, "#pk-ir-border-markets.") {
		t.Errorf("%d %d: %s", a, b, got)
	}
}
