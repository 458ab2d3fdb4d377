// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"encoding/hex"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/market"
	"darwaza.dev/internal/people"
	"darwaza.dev/internal/rules"
	"darwaza.dev/internal/service"
)

const (
	tomato  = "07020000" // category I, 5 %
	kiwi    = "08105000" // category III, 20 %
	ginger  = "09101100" // category III
	ground  = "09101200" // ginger, ground: category II
	bicycle = "87120000" // category III, by the piece
)

// display shows values for today: cents a unit.
func (p *post) display(officer people.OfficerID, values map[string]int64) {
	p.t.Helper()
	c := service.Display{Site: mand, Day: rules.DayNumber(calendar.MustDate("2025-09-02")), Officer: officer}
	for code, minor := range values {
		_, line, ok := p.law.Good(code, p.clock())
		if !ok {
			p.t.Fatalf("no good %s", code)
		}
		c.Values = append(c.Values, service.DisplayValue{Code: code, Minor: minor, Currency: "USD", Unit: line.Unit})
	}
	p.do(c)
}

// shop opens a desk at which a buyer who is inside stands.
func shop(t *testing.T) (p *post, desk *browser, tr traveller) {
	t.Helper()
	p = openPost(t)
	officer := p.appoint("customs", people.Customs)
	p.display(officer, map[string]int64{tomato: 50, kiwi: 200, ginger: 300, bicycle: 6000, ground: 200})
	gate := p.signedIn("mand", people.GateOfficer)
	tr = p.book(10, cnicA, "Bibi Gul", 0)
	gate.enter(tr)
	desk = p.browser()
	desk.signIn("customs", p.words["customs"])
	desk.get("/en/desk")
	desk.submit("/en/desk", "text", tr.text)
	desk.wants("Bibi Gul", "CNIC", "All goods of the day")
	return p, desk, tr
}

var receiptNo = regexp.MustCompile(`R-[0-9A-Z]{12}`)

var buyerAt = regexp.MustCompile(`^(/en/desk/buyer/[^?]+)\?`)

// want asks the desk for a quantity of a good.
func (b *browser) want(code, quantity string) *browser {
	b.p.t.Helper()
	m := buyerAt.FindStringSubmatch(b.path)
	if m == nil {
		b.p.t.Fatalf("at %s", b.path)
	}
	return b.get(m[1] + "?site=1&code=" + code + "&quantity=" + quantity)
}

func TestDeskBuys(t *testing.T) {
	_, b, _ := shop(t)
	b.want(tomato, "60").wants("Allowed", "USD 30.00", "USD 1.50", "Tomatoes")
	b.submit("/en/desk/buy")
	b.wants("Recorded:", "Show and print the receipt", "R-")
	b.want(kiwi, "20").wants("Allowed", "USD 40.00", "Duty USD 8.00")
	form := b.fields("/en/desk/buy")
	b.postForm("/en/desk/buy", form)
	// PM01 of the agreement's own scenarios: 70 bought, 30 left of the day.
	b.wants("All goods of the day P8(i)-b USD 70.00 USD 100.00")
	// The same form again: done once.
	b.postForm("/en/desk/buy", form)
	if n := strings.Count(b.body, `<li class="card`); n != 2 {
		t.Errorf("%d purchases", n)
	}
}

func TestDeskDiverts(t *testing.T) {
	_, b, _ := shop(t)
	// PM11: one piece above the limit of its category. Nothing less of it fits.
	b.want(bicycle, "1").wants("Commercial quantity", "the amount is not known here", "P8(iv)")
	b.lacks("Change to")
	here := b.path
	form := b.fields("/en/desk/buy")
	b.postForm("/en/desk/buy", form)
	b.lacks("Recorded:")
	b.wants("Commercial quantity")
	form = b.get(here).fields("/en/desk/buy")
	form.Set("accept", "yes")
	b.postForm("/en/desk/buy", form)
	b.wants("Recorded:", "At statutory rates")
}

// TestDeskOverTheDay is PM05: a third purchase that goes over the day in a category of its own.
func TestDeskOverTheDay(t *testing.T) {
	_, b, _ := shop(t)
	for _, buy := range [][2]string{{tomato, "100"}, {kiwi, "24"}} {
		b.want(buy[0], buy[1]).submit("/en/desk/buy")
		b.wants("Recorded:")
	}
	b.want(ground, "5").wants("Not allowed", "P8(i)-b", "Change to 1: that much still fits")
	if strings.Contains(b.body, `action="/en/desk/buy"`) {
		t.Error("a refusal can be recorded")
	}
	m := regexp.MustCompile(`<a class="button second" href="([^"]+)"`).FindStringSubmatch(b.body)
	if m == nil {
		t.Fatal("nothing that fits is offered")
	}
	b.get(strings.ReplaceAll(m[1], "&amp;", "&")).wants("Allowed")
	b.submit("/en/desk/buy")
	b.wants("Recorded:", "USD 100.00 USD 100.00")
}

func TestDeskWithoutValue(t *testing.T) {
	_, b, _ := shop(t)
	b.want("07031000", "10").wants("No value is displayed today", "You decide")
	form := b.fields("/en/desk/buy")
	if b.postForm("/en/desk/buy", form); b.code != 422 {
		t.Errorf("no ground: %d", b.code)
	}
	b.wants("Choose the ground")
	form = b.fields("/en/desk/buy")
	form.Set("decided", "value")
	form.Set("value", "lots")
	if b.postForm("/en/desk/buy", form); b.code != 422 {
		t.Errorf("no value: %d", b.code)
	}
	form = b.fields("/en/desk/buy")
	form.Set("decided", "value")
	form.Set("value", "4.00")
	b.postForm("/en/desk/buy", form)
	b.wants("Recorded:", "By an officer's decision", "USD 4.00")
}

func TestDeskVoidsAndCorrects(t *testing.T) {
	_, b, _ := shop(t)
	b.want(tomato, "60").submit("/en/desk/buy")
	receipt := receiptNo.FindString(b.text())
	m := buyerAt.FindStringSubmatch(b.path)
	b.get(m[1] + "?site=1&code=" + tomato + "&quantity=20&replaces=" + receipt)
	b.wants("Correcting "+receipt, "USD 10.00")
	b.submit("/en/desk/buy")
	b.wants("Recorded:", "Corrects "+receipt, "Void")
	if !strings.Contains(b.body, `<li class="card void">`) {
		t.Error("the corrected purchase is not struck out")
	}
	form := b.fields("/en/desk/void")
	form.Set("why", "returned")
	b.postForm("/en/desk/void", form)
	b.wants("The purchase was voided.")
	if n := strings.Count(b.body, `<li class="card void">`); n != 2 {
		t.Errorf("%d void purchases", n)
	}
	b.get("/en/desk/receipt/"+receipt).wants("Void since", receipt)
}

func TestDeskReceipt(t *testing.T) {
	p, b, tr := shop(t)
	b.want(tomato, "60").submit("/en/desk/buy")
	receipt := receiptNo.FindString(b.text())
	b.get("/en/desk/receipt/" + receipt)
	b.wants(receipt, "Bibi Gul", tr.doc.Number, "Tomatoes", "0702.0000", "60 kg", "USD 30.00", "Duty payable USD 1.50", "2 September 2025")
	if !strings.Contains(b.body, `class="qr"`) {
		t.Error("no code")
	}
	b.lacks("lacks what the clause")
	// Anyone can check it.
	p.browser().get("/en/receipt").submit("/en/receipt", "receipt", receipt).wants("USD 1.50")
	// The other side's buyer, who has no CNIC: the receipt cannot bear one.
	gate := p.browser()
	gate.signIn("mand", p.words["mand"])
	other := p.theirs(10, "passport", "IRN", "A12345678")
	gate.enter(other)
	b.get("/en/desk").submit("/en/desk", "text", other.text)
	b.wants("The other side sold this pass")
	b.submit("/en/desk", "document", "B99999999", "name", "Fatemeh Ahmadi")
	b.wants("not the document that the pass was made out for")
	b.submit("/en/desk", "document", "A12345678", "name", "Fatemeh Ahmadi")
	b.wants("Fatemeh Ahmadi", "Passport")
	b.want(tomato, "2").wants("You decide")
	form := b.fields("/en/desk/buy")
	form.Set("decided", "document")
	b.postForm("/en/desk/buy", form)
	b.wants("Recorded:")
	receipt = receiptNo.FindString(b.text())
	b.get("/en/desk/receipt/"+receipt).wants("Fatemeh Ahmadi", "A12345678")
	for _, secret := range []string{"Fatemeh", "A12345678", tr.doc.Number, "Bibi"} {
		if strings.Contains(p.log.String(), secret) {
			t.Errorf("the log tells %q", secret)
		}
	}
}

func TestDeskFindsGoods(t *testing.T) {
	_, b, _ := shop(t)
	m := buyerAt.FindStringSubmatch(b.path)
	for _, q := range []string{"tomato", "0702.0000", "07020000", "گوجه", "ٹماٹر"} {
		b.get(m[1] + "?site=1&q=" + q)
		if !strings.Contains(b.body, "code="+tomato) {
			t.Errorf("%q does not find tomatoes:\n%s", q, b.text())
		}
	}
	b.get(m[1] + "?site=1&q=zzzz").wants("Nothing on the lists goes by that")
	b.get(m[1] + "?site=1&code=99999999").wants("on no list in force")
	if b.get("/en/desk/buyer/AAAA?site=1"); b.code != 404 {
		t.Errorf("a made-up buyer: %d", b.code)
	}
}

func TestDeskTurnsAway(t *testing.T) {
	p := openPost(t)
	b := p.signedIn("customs", people.Customs)
	b.get("/en/desk")
	if b.submit("/en/desk", "text", ""); b.code != 422 {
		t.Errorf("nothing: %d", b.code)
	}
	b.submit("/en/desk", "text", "hello")
	b.wants("neither a pass nor a document")
	tr := p.book(10, cnicA, "Bibi Gul", 0)
	b.submit("/en/desk", "text", tr.text[:80])
	b.wants("Not allowed")
	b.get("/en/desk").submit("/en/desk", "text", p.theirsAt(3, 10, "passport", "IRN", "A12345678").text)
	b.wants("Not allowed", "another market")
	b.get("/en/desk").submit("/en/desk", "text", cnicA)
	b.wants("Bibi Gul")
}

func TestValues(t *testing.T) {
	p := openPost(t)
	b := p.signedIn("customs", people.Customs)
	b.get("/en/desk/values?site=1").lacks("Copy what is missing")
	b.submit("/en/desk/values", "v."+tomato, "x")
	if b.code != 422 {
		t.Errorf("no value: %d", b.code)
	}
	b.wants("Tomatoes: enter a value")
	b.submit("/en/desk/values", "v."+tomato, "0.50", "v."+kiwi, "۲٫۲۵")
	b.wants("The values are displayed.", "2 of 122")
	b.get("/en/desk/values?site=1&q=tomato").wants("Tomatoes").lacks("Kiwi")
	p.browser().get("/fa/values?site=1").wants("گوجه\u200cفرنگی", "۰٫۵۰")
	// The next market day.
	p.mu.Lock()
	p.now = p.now.AddDate(0, 0, 4)
	p.mu.Unlock()
	b.signIn("customs", p.words["customs"])
	b.get("/en/desk/values?site=1").wants("0 of 122", "Copy what is missing from 2 September 2025")
	b.submit("/en/desk/values", "v."+tomato, "0.60")
	b.wants("1 of 122")
	b.submit("/en/desk/values/copy")
	b.wants("2 of 122")
	p.browser().get("/en/values?site=1").wants("Tomatoes", "USD 0.60", "USD 2.25")
	// What was displayed stays as it was.
	form := b.fields("/en/desk/values")
	form.Set("day", "2025-09-02")
	form.Set("v."+tomato, "0.10")
	form.Set("idem", strings.Repeat("k", 20))
	if b.postForm("/en/desk/values", form); b.code != 409 {
		t.Errorf("a day that is over: %d", b.code)
	}
	p.browser().get("/en/values?site=1&day=2025-09-02").wants("USD 0.50")
}

// TestVendorsList wants every card in the manager's list, at the manager's own sites, and
// no mark of a person in any address.
func TestVendorsList(t *testing.T) {
	p := newTestPost(t)
	manager, _, _, err := p.server.officerByLogin(t.Context(), "manager")
	p.must(err)
	var tags [][16]byte
	for n, card := range []market.Vendor{
		{Card: "V-20", Site: 1, From: 1, Until: 60000}, {Card: "V-10", Site: 1, From: 1, Until: 60000, Suspended: true}, {Card: "V-30", Site: 2, From: 1, Until: 9000},
	} {
		doc, err := documentIn{"cnic", "PAK", cnic(n)}.parse("")
		p.must(err)
		tags = append(tags, p.server.deps.Secrets.Register(doc.Key()))
		_, err = p.mem.Do(t.Context(), service.Idem{}, service.Enrol{Register: tags[n], Vendor: card, Officer: manager.ID})
		p.must(err)
	}
	page := p.get("/en/vendors", "manager")
	said := text(page.body)
	at := strings.Index(said, "V-10 Mand–Pishin Suspended 9 April 2164 manager V-20 Mand–Pishin Good today 9 April 2164 manager V-30 Gabd–Reemdan Not good today 21 August 2024 manager")
	if at < 0 {
		t.Errorf("the list: %s", said)
	}
	links := regexp.MustCompile(`href="/en(/vendors/card/[^"]+)"`).FindAllStringSubmatch(page.body, -1)
	if len(links) != 3 {
		t.Fatalf("links %v", links)
	}
	found := p.post("/en/vendors", "manager", url.Values{"site": {"1"}, "kind": {"cnic"}, "country": {"PAK"}, "document": {cnic(1)}}).Header.Get("Location")
	for _, tag := range tags {
		for _, where := range []string{page.body, found} {
			if strings.Contains(strings.ToLower(where), hex.EncodeToString(tag[:])) {
				t.Error("an address bears the tag of a person")
			}
		}
	}
	for _, path := range []string{"/en" + strings.ReplaceAll(links[0][1], "&amp;", "&"), found} {
		if r := p.get(path, "manager"); r.StatusCode != 200 || !strings.Contains(text(r.body), "V-10") {
			t.Errorf("%s: %d %s", path, r.StatusCode, text(r.body))
		}
	}
	// A booking's link opens no card, and one that has run out leads back to the list.
	p.book("", hour(10), 1)
	r := p.post("/en/booking", "", url.Values{"reference": {string(p.bookings()[0].Ref)}})
	if r := p.get("/en/vendors/card/"+strings.TrimPrefix(r.Header.Get("Location"), "/en/booking/"), "manager"); r.StatusCode != 404 {
		t.Errorf("a booking's link: %d", r.StatusCode)
	}
	p.now = p.now.Add(linkLength)
	if r := p.get(found, "manager"); r.StatusCode != 404 || !strings.Contains(text(r.body), "V-20") {
		t.Errorf("after its end: %d %s", r.StatusCode, text(r.body))
	}
	p.elsewhere("manager")
	if said := text(p.get("/en/vendors", "manager").body); strings.Contains(said, "V-10") || !strings.Contains(said, "V-30") {
		t.Errorf("the list at another site: %s", said)
	}
}

// TestReceiptAtItsSite opens a receipt, with the names on it, to its own site's officers
// alone; the links to another paper keep the site that the officer works at.
func TestReceiptAtItsSite(t *testing.T) {
	p := newTestPost(t)
	doc := documentIn{"cnic", "PAK", cnic(1)}
	p.call("POST", "/api/v1/values", "customs", "display-00000001", displayIn{Site: "mand-pishin", Values: []displayValueIn{{"07020000", 100, "USD", "kg"}}})
	b := into[bookingAnswerOut](t, p.call("POST", "/api/v1/bookings", "clerk", "book-00000000001", bookIn{Slot: slotIDText(hour(9)), People: []personIn{{Document: doc}}}))
	buy := into[buyOut](t, p.call("POST", "/api/v1/desk/purchases", "customs", "buy-000000000001", buyIn{Site: "mand-pishin", PassID: &b.Booking.Members[0].PassID, Buyer: &buyerIn{"Gul Bano", doc}, Good: "07020000", Quantity: 10_000}))
	path := "/en/desk/receipt/" + buy.Purchase.Number
	for _, paper := range []string{"a5", "80"} {
		r := p.get(path+"?site=1&paper="+paper, "customs")
		if r.StatusCode != 200 || !strings.Contains(r.body, "Gul Bano") || !strings.Contains(r.body, `href="?paper=`+map[string]string{"a5": "80", "80": "a5"}[paper]+`&amp;site=1"`) {
			t.Errorf("on %s: %d %s", paper, r.StatusCode, text(r.body))
		}
	}
	p.elsewhere("customs")
	if r := p.get(path, "customs"); r.StatusCode != http.StatusForbidden || strings.Contains(r.body, "Gul Bano") {
		t.Errorf("from another site: %d %s", r.StatusCode, text(r.body))
	}
}
