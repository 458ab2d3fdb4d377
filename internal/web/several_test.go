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
