// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"darwaza.dev/internal/people"
	"darwaza.dev/internal/reason"
	"darwaza.dev/internal/service"
)

const (
	cnicA = "35202-1234567-1"
	cnicB = "54400-7654321-3"
)

// enter brings a traveller in at the gate, with everything that the gate asks for.
func (b *browser) enter(tr traveller) {
	b.p.t.Helper()
	b.get("/en/gate")
	b.scan(tr.text, "in")
	b.complete(tr)
	if b.outcome() != "ALLOW" {
		b.p.t.Fatalf("not let in: %s\n%s", b.outcome(), b.text())
	}
}

func (b *browser) scan(text, way string) *browser {
	b.p.t.Helper()
	v := b.fields("/en/gate", `id="text"`)
	v.Set("text", text)
	v.Set("direction", way)
	return b.postForm("/en/gate", v)
}

// complete answers what the gate asks for, until it asks no more.
func (b *browser) complete(tr traveller) {
	b.p.t.Helper()
	for range 3 {
		if !strings.Contains(b.body, `class="ask" method="post" action="/en/gate"`) {
			return
		}
		v := b.fields("/en/gate", `class="ask"`)
		if v.Has("temperature") {
			v.Set("temperature", "36.6")
			v.Set("symptoms", "no")
		}
		if strings.Contains(b.body, `id="document"`) {
			v.Set("document", tr.doc.Number)
		}
		b.postForm("/en/gate", v)
	}
}

func TestGateLetsIn(t *testing.T) {
	p := openPost(t)
	b := p.signedIn("mand", people.GateOfficer)
	tr := p.book(10, cnicA, "Bibi Gul", 2)
	b.get("/en/gate").wants("Mand gate", "Ready")
	b.scan(tr.text, "in")
	if o := b.outcome(); o != "HOLD" {
		t.Fatalf("before the document and the temperature: %s\n%s", o, b.text())
	}
	b.wants("Bibi Gul", "Temperature")
	b.complete(tr)
	if b.outcome() != "ALLOW" {
		t.Fatalf("%s\n%s", b.outcome(), b.text())
	}
	b.wants("Let in", "3 people", "1 adult + 2 children")
	if pr := p.presence(tr); !pr.Inside || pr.People != 3 {
		t.Errorf("presence %+v", pr)
	}
	b.get("/en/gate").wants("3 / 600")
	b.scan(tr.text, "out")
	if b.outcome() != "ALLOW" {
		t.Fatalf("out: %s\n%s", b.outcome(), b.text())
	}
	b.wants("Let out")
}

func TestGateSentTwice(t *testing.T) {
	p := openPost(t)
	b := p.signedIn("mand", people.GateOfficer)
	tr := p.book(10, cnicA, "Bibi Gul", 0)
	b.get("/en/gate")
	b.scan(tr.text, "in")
	v := b.fields("/en/gate", `class="ask"`)
	v.Set("temperature", "36.6")
	v.Set("symptoms", "no")
	v.Set("document", tr.doc.Number)
	// The first answer is lost after it was done; the same form is sent again.
	p.lost = 1
	b.postForm("/en/gate", v)
	if b.code != 503 {
		t.Fatalf("lost answer: %d", b.code)
	}
	b.submit("/en/gate")
	if b.outcome() != "ALLOW" {
		t.Fatalf("%s\n%s", b.outcome(), b.text())
	}
	counted := 0
	for _, sc := range p.presence(tr).Scans {
		if sc.Counted {
			counted++
		}
	}
	if counted != 1 {
		t.Errorf("counted %d times", counted)
	}
	b.get("/en/gate").wants("1 / 600")
}

// TestGateTwoTabs: a scan that was decided in one tab is not completed in another.
func TestGateTwoTabs(t *testing.T) {
	p := openPost(t)
	b := p.signedIn("mand", people.GateOfficer, people.Supervisor)
	tr := p.book(10, cnicA, "Bibi Gul", 0)
	b.get("/en/gate").scan(tr.text, "in")
	complete, decide := b.fields("/en/gate", `class="ask"`), b.fields("/en/gate/decide")
	decide.Set("why", "incapable")
	decide.Set("act", "back")
	b.postForm("/en/gate/decide", decide).wants("turned back")
	complete.Set("temperature", "36.6")
	complete.Set("symptoms", "no")
	complete.Set("document", tr.doc.Number)
	if b.postForm("/en/gate", complete); b.code != 409 {
		t.Errorf("completed after it was decided: %d", b.code)
	}
	b.wants("completed or decided already")
	if p.presence(tr).Inside {
		t.Error("inside")
	}
}

func TestGateDoubleUse(t *testing.T) {
	p := openPost(t)
	b := p.signedIn("mand", people.GateOfficer, people.Supervisor)
	tr := p.book(10, cnicA, "Bibi Gul", 0)
	b.enter(tr)
	p.at("10:25")
	b.get("/en/gate")
	b.scan(tr.text, "in")
	b.complete(tr)
	if b.outcome() != "REFER" {
		t.Fatalf("second entry: %s\n%s", b.outcome(), b.text())
	}
	b.wants("Both scans, side by side", "Earlier scan", "10:10", "10:25", "You decide")
	v := b.fields("/en/gate/decide")
	v.Set("why", "doubt")
	v.Set("act", "back")
	b.postForm("/en/gate/decide", v)
	b.wants("turned back", "Stop")
	if strings.Contains(b.body, `action="/en/gate/decide"`) {
		t.Error("a decided scan can be decided again")
	}
}

// TestGateDecidesOnWhatHasChanged: a pass that was taken back while its holder waited lets
// nobody in, and the page says that it was not done, and why.
func TestGateDecidesOnWhatHasChanged(t *testing.T) {
	p := openPost(t)
	b := p.signedIn("mand", people.GateOfficer, people.Supervisor)
	tr := p.book(10, cnicA, "Bibi Gul", 0)
	b.get("/en/gate").scan(tr.text, "in")
	v := b.fields("/en/gate/decide")
	p.do(service.Cancel{Ref: tr.b.Ref})
	v.Set("why", "seen")
	v.Set("act", "admit")
	b.postForm("/en/gate/decide", v).wants("This was not done. Something has changed since the scan.", "Stop", "cancelled").lacks("let through").lacks("Supply it")
	if p.presence(tr).Inside || strings.Contains(b.body, `action="/en/gate/decide"`) {
		t.Error("let in, or still to be decided")
	}
	// Nobody decides on yesterday's scan.
	tr = p.book(10, cnicB, "Gul Khan", 0)
	b.get("/en/gate").scan(tr.text, "in")
	v = b.fields("/en/gate/decide")
	p.mu.Lock()
	p.now = p.now.AddDate(0, 0, 1)
	p.mu.Unlock()
	v.Set("why", "seen")
	v.Set("act", "admit")
	b.signIn("mand", p.words["mand"])
	b.postForm("/en/gate/decide", v).wants("This was not done. The day of the scan is over.", "Ended undecided", "scan the pass again")
	if p.presence(tr).Inside {
		t.Error("let in")
	}
}

func TestGateUndo(t *testing.T) {
	p := openPost(t)
	b := p.signedIn("mand", people.GateOfficer)
	tr := p.book(10, cnicA, "Bibi Gul", 1)
	b.enter(tr)
	v := b.fields("/en/gate/undo")
	b.postForm("/en/gate/undo", v)
	b.wants("Taken back", "0 / 600")
	if p.presence(tr).Inside {
		t.Error("still inside")
	}
	b.get("/en/gate/scans?site=1&gate=1").wants("Taken back")
}

func TestGateLostPass(t *testing.T) {
	p := openPost(t)
	b := p.signedIn("mand", people.GateOfficer)
	tr := p.book(10, cnicA, "Bibi Gul", 0)
	b.get("/en/gate/find")
	b.submit("/en/gate/find", "document", "12345", "direction", "in")
	b.get("/en/gate/find")
	b.submit("/en/gate/find", "document", cnicB, "direction", "in")
	b.wants("Nothing found")
	b.get("/en/gate/find")
	b.submit("/en/gate/find", "document", cnicA, "direction", "in")
	b.wants("Booking found", "visitor")
	b.postForm("/en/gate", b.fields("/en/gate", `name="found"`))
	b.complete(tr)
	if b.outcome() != "ALLOW" {
		t.Fatalf("%s\n%s", b.outcome(), b.text())
	}
	if !p.presence(tr).Inside {
		t.Error("not inside")
	}
	// A found party cannot be used with another document.
	b.get("/en/gate/find")
	b.submit("/en/gate/find", "document", cnicA, "direction", "out")
	v := b.fields("/en/gate", `name="found"`)
	v.Set("document", cnicB)
	if b.postForm("/en/gate", v); b.code != 404 {
		t.Errorf("another document: %d", b.code)
	}
	// The document scanned into the one field does the same.
	b.get("/en/gate")
	b.scan(cnicA, "out").wants("Booking found")
}

func TestGateTheirPass(t *testing.T) {
	p := openPost(t)
	b := p.signedIn("mand", people.GateOfficer)
	tr := p.theirs(10, "passport", "IRN", "A12345678")
	b.enter(tr)
	if pr := p.presence(tr); pr.Tag == [16]byte{} || pr.Issuer != "B" {
		t.Errorf("presence %+v", pr)
	}
	// Out without the paper: the document finds who is inside.
	b.get("/en/gate/find")
	b.submit("/en/gate/find", "document", "A12345678", "direction", "out")
	b.wants("is inside")
	b.postForm("/en/gate", b.fields("/en/gate", `name="found"`))
	if b.outcome() != "ALLOW" || p.presence(tr).Inside {
		t.Errorf("%s\n%s", b.outcome(), b.text())
	}
	// Another one's document.
	tr = p.theirs(10, "passport", "IRN", "B12345678")
	b.get("/en/gate")
	b.scan(tr.text, "in")
	v := b.fields("/en/gate", `class="ask"`)
	v.Set("temperature", "36.6")
	v.Set("symptoms", "no")
	v.Set("document", "C12345678")
	b.postForm("/en/gate", v)
	if b.outcome() != "REFUSE" {
		t.Errorf("another document: %s\n%s", b.outcome(), b.text())
	}
}

func TestGateRefuses(t *testing.T) {
	p := openPost(t)
	b := p.signedIn("mand", people.GateOfficer)
	tr := p.book(10, cnicA, "Bibi Gul", 0)
	forged := tr.text[:40] + map[bool]string{true: "B", false: "A"}[tr.text[40] == 'A'] + tr.text[41:]
	for _, c := range []struct{ name, text, outcome string }{
		{"foreign", "tel:+921234567", "REFUSE"},
		{"a health certificate without its pass", "HC1:6BFOXN*TS0BI$ZD", "PROOF"},
		{"an address", "https://example.org/", "REFUSE"},
		{"altered", forged, "REFUSE"},
		{"cut off", tr.text[:60], "REFUSE"},
		{"long", "DW1:" + strings.Repeat("A", 1900), "REFUSE"},
		{"early", p.book(14, cnicB, "Gul Khan", 0).text, "REFUSE|HOLD"},
	} {
		b.get("/en/gate")
		b.scan(c.text, "in")
		if ok, _ := regexp.MatchString("^("+c.outcome+")$", b.outcome()); !ok {
			t.Errorf("%s: %s\n%s", c.name, b.outcome(), b.text())
		}
		if b.outcome() == "REFUSE" && strings.Contains(b.body, `action="/en/gate/decide"`) {
			t.Errorf("%s: a refusal can be decided away", c.name)
		}
	}
	b.get("/en/gate")
	if b.scan("", "in"); b.code != 422 {
		t.Errorf("nothing scanned: %d", b.code)
	}
	b.wants("Nothing was scanned")
	// Fever: the health clause decides.
	b.get("/en/gate")
	b.scan(tr.text, "in")
	v := b.fields("/en/gate", `class="ask"`)
	v.Set("temperature", "hot")
	v.Set("symptoms", "no")
	v.Set("document", tr.doc.Number)
	if b.postForm("/en/gate", v); b.code != 422 {
		t.Errorf("no figure: %d", b.code)
	}
	v.Set("temperature", "۳۹٫۱")
	v.Set("idem", strings.Repeat("k", 20))
	b.postForm("/en/gate", v)
	if b.outcome() == "ALLOW" || b.outcome() == "HOLD" {
		t.Errorf("39.1 degrees: %s\n%s", b.outcome(), b.text())
	}
	if strings.Contains(b.body, "39.1") || strings.Contains(b.body, "391") {
		t.Error("the temperature is shown again")
	}
}

// facts counts what has been recorded.
func (p *post) facts() int { return len(p.mem.Facts()) }

// TestGateMendsWhatWasKeyed: a text that is no document's, and a figure that is no body
// temperature, are for the officer to mend. Nothing is recorded, and the traveller is not
// refused for a slip of the key.
func TestGateMendsWhatWasKeyed(t *testing.T) {
	p := openPost(t)
	b := p.signedIn("mand", people.GateOfficer)
	tr := p.book(10, cnicA, "Bibi Gul", 0)
	b.get("/en/gate").scan(tr.text, "in")
	first := b.fields("/en/gate", `class="ask"`)
	n, scans := p.facts(), len(p.presence(tr).Scans)
	for _, c := range []struct{ document, temperature, symptoms, field, says string }{
		{"I<PAKgarbled<<<<zone", "36.6", "no", "document", "This is not the number of a document that we know"},
		{"?!", "36.6", "no", "document", "This is not the number of a document that we know"},
		{tr.doc.Number, "29.9", "no", "temperature", "Enter the temperature"},
		{tr.doc.Number, "45.1", "no", "temperature", "Enter the temperature"},
		{tr.doc.Number, "0", "no", "temperature", "Enter the temperature"},
		{tr.doc.Number, "99999", "no", "temperature", "Enter the temperature"},
		{tr.doc.Number, "36.6", "", "symptoms", "Say whether there are symptoms"},
	} {
		v := url.Values{}
		for k, x := range first {
			v[k] = x
		}
		v.Set("document", c.document)
		v.Set("temperature", c.temperature)
		v.Set("symptoms", c.symptoms)
		if b.postForm("/en/gate", v); b.code != 422 {
			t.Errorf("%v: %d", c, b.code)
		}
		summary, _, _ := strings.Cut(b.body[max(strings.Index(b.body, `class="summary"`), 0):], "</div>")
		if !strings.Contains(summary, `href="#`+c.field+`"`) || !strings.Contains(summary, c.says) || !strings.Contains(b.body, `id="`+c.field+`-error"`) {
			t.Errorf("%v: the summary says %q", c, summary)
		}
		if p.facts() != n || len(p.presence(tr).Scans) != scans {
			t.Errorf("%v: a scan was recorded", c)
		}
		if strings.Contains(b.body, "garbled") {
			t.Error("what was read of a document is shown again")
		}
	}
	// The form is mended, and both ends of what can be a temperature are taken.
	b.complete(tr)
	if b.outcome() != "ALLOW" {
		t.Errorf("%s\n%s", b.outcome(), b.text())
	}
	for i, temperature := range []string{"30.0", "45.0"} {
		tr := p.book(10, cnic(i+20), "Gul Khan", 0)
		b.get("/en/gate").scan(tr.text, "in")
		v := b.fields("/en/gate", `class="ask"`)
		v.Set("document", tr.doc.Number)
		v.Set("temperature", temperature)
		v.Set("symptoms", "no")
		if b.postForm("/en/gate", v); b.code != 200 {
			t.Errorf("%s: %d", temperature, b.code)
		}
	}
}

// TestGateCorrectsOneDigit: a number that could be somebody's, and is not the holder's, is
// keyed again on the refusal itself: no other field is, and nothing is left against anybody.
func TestGateCorrectsOneDigit(t *testing.T) {
	p := openPost(t)
	b := p.signedIn("mand", people.GateOfficer)
	tr := p.book(10, cnicA, "Bibi Gul", 0)
	b.get("/en/gate").scan(tr.text, "in")
	v := b.fields("/en/gate", `class="ask"`)
	v.Set("temperature", "36.6")
	v.Set("symptoms", "no")
	v.Set("document", cnicB)
	b.postForm("/en/gate", v).wants("Stop", "If the number was keyed wrongly, key it again.")
	if b.outcome() != "REFUSE" {
		t.Fatalf("%s\n%s", b.outcome(), b.text())
	}
	for _, no := range []string{`name="temperature"`, `name="seen"`, "366", "36.6", `action="/en/gate/decide"`} {
		if strings.Contains(b.body, no) {
			t.Errorf("the page has %s", no)
		}
	}
	first := b.fields("/en/gate", `class="ask"`)
	// No document's number at all: to be mended, with nothing recorded, as ever.
	v = url.Values{}
	for k, x := range first {
		v[k] = x
	}
	v.Set("document", "?!")
	n := p.facts()
	if b.postForm("/en/gate", v); b.code != 422 || p.facts() != n {
		t.Errorf("%d, %d facts", b.code, p.facts()-n)
	}
	v = b.fields("/en/gate", `class="ask"`)
	v.Set("document", cnicA)
	if b.postForm("/en/gate", v); b.outcome() != "ALLOW" {
		t.Fatalf("%s\n%s", b.outcome(), b.text())
	}
	scans := p.presence(tr).Scans
	refused := scans[len(scans)-2]
	if last := scans[len(scans)-1]; refused.Corrected != last.Serial || !last.Counted {
		t.Errorf("%+v", scans)
	}
	b.get("/en/gate").lacks("Not allowed")
	b.get("/en/gate/scans?site=1&gate=1&all=1").wants(fmt.Sprintf("Keyed wrongly, corrected by No. %d", scans[len(scans)-1].Serial))
	p.signedIn("boss", people.Supervisor).get("/en/day").lacks("another document").wants("Refused 0")
	// What was measured of one person is no other's, and ends.
	other := p.book(10, cnicB, "Gul Khan", 0)
	b.get("/en/gate").scan(other.text, "in")
	v = b.fields("/en/gate", `class="ask"`)
	v.Set("document", cnicB)
	v.Set("screened", first.Get("screened"))
	if b.postForm("/en/gate", v); b.outcome() != "HOLD" {
		t.Errorf("measured of another: %s", b.outcome())
	}
	if _, ok := p.s.tokens.openScreening(first.Get("screened"), tr.b.Members[0].Pass, p.clock()); !ok {
		t.Error("not to be opened")
	}
	if _, ok := p.s.tokens.openScreening(first.Get("screened"), tr.b.Members[0].Pass, p.clock().Add(screenedFor)); ok {
		t.Error("does not end")
	}
}

// The same from a program: what is wrong is named, and not repeated.
func TestProgramMendsWhatWasKeyed(t *testing.T) {
	p := newTestPost(t)
	p.now = marketDay.Add(40 * time.Minute)
	p.book("", hour(10), 1)
	text, _, err := p.server.passText(p.bookings()[0], 0)
	p.must(err)
	n := len(p.mem.Facts())
	call := func(kind, number string, temp int) reply {
		n++
		return p.call("POST", "/api/v1/gate/scans", "gate", fmt.Sprintf("0123456789abcdef%d", n), map[string]any{"site": "mand-pishin", "gate": 1, "direction": "in", "pass": text,
			"document": map[string]string{"kind": kind, "country": "PAK", "number": number}, "screening": map[string]any{"temp_tenths": temp, "symptoms": false}})
	}
	before := len(p.mem.Facts())
	for _, c := range []struct {
		kind, number string
		temp         int
		field        string
	}{
		{"cnic", "I<PAKgarbled<<<<zone", 366, "document.number"}, {"cnic", "12", 366, "document.number"}, {"goat", "12345", 366, "document.document"},
		{"cnic", cnic(1), 299, "screening.temp_tenths"}, {"cnic", cnic(1), 451, "screening.temp_tenths"}, {"cnic", cnic(1), -1, "screening.temp_tenths"},
	} {
		r := call(c.kind, c.number, c.temp)
		d := into[problemDocument](t, r)
		if r.StatusCode != 422 || r.Header.Get("Content-Type") != "application/problem+json" || d.Field != c.field || d.Status != 422 {
			t.Errorf("%v: %d %s", c, r.StatusCode, r.body)
		}
		for _, secret := range []string{"garbled", "299", "451", cnic(1)} {
			if strings.Contains(r.body, secret) {
				t.Errorf("%v: %q is repeated", c, secret)
			}
		}
	}
	if len(p.mem.Facts()) != before {
		t.Error("a scan was recorded")
	}
	for _, temp := range []int{300, 450, 0} {
		if r := call("cnic", cnic(1), temp); r.StatusCode != 200 {
			t.Errorf("%d: %d %s", temp, r.StatusCode, r.body)
		}
	}
}

func TestGatePlaces(t *testing.T) {
	p := openPost(t)
	b := p.signedIn("mand", people.GateOfficer)
	if b.get("/en/gate?site=2&gate=1"); b.code != 403 {
		t.Errorf("another site: %d", b.code)
	}
	tr := p.book(10, cnicA, "Bibi Gul", 0)
	b.get("/en/gate")
	v := b.fields("/en/gate", `id="text"`)
	v.Set("site", "2")
	v.Set("text", tr.text)
	if b.postForm("/en/gate", v); b.code != 403 {
		t.Errorf("a scan at another site: %d", b.code)
	}
	if b.postForm("/en/gate", url.Values{"text": {tr.text}, "site": {"1"}, "direction": {"in"}}); b.code != 400 {
		t.Errorf("no key: %d", b.code)
	}
}

func TestGateSpeaksThreeLanguages(t *testing.T) {
	p := openPost(t)
	b := p.signedIn("mand", people.GateOfficer)
	for path, says := range map[string]string{"/fa/gate": "آماده", "/ur/gate": "تیار", "/en/gate": "Ready"} {
		b.get(path).wants(says)
		if rtl := strings.Contains(b.body, "\" dir=\"rtl\">\n<head>"); rtl != (path != "/en/gate") {
			t.Errorf("%s: right to left %v", path, rtl)
		}
	}
}

// TestGateLeavesToHealth: what a clause leaves to the health desk is not for the gate.
func TestGateLeavesToHealth(t *testing.T) {
	p := openPost(t)
	b := p.signedIn("mand", people.GateOfficer)
	tr := p.book(10, cnicA, "Bibi Gul", 0)
	b.get("/en/gate").scan(tr.text, "in")
	v := b.fields("/en/gate", `class="ask"`)
	v.Set("temperature", "36.6")
	v.Set("symptoms", "yes")
	v.Set("document", tr.doc.Number)
	b.postForm("/en/gate", v)
	if b.outcome() != "REFER" {
		t.Fatalf("symptoms: %s\n%s", b.outcome(), b.text())
	}
	b.wants("This is for the Health officer to decide", "Turn back")
	if strings.Contains(b.body, `value="admit"`) {
		t.Error("the gate may admit")
	}
	decide := b.fields("/en/gate/decide")
	decide.Set("why", "seen")
	decide.Set("act", "admit")
	if b.postForm("/en/gate/decide", decide); b.code != 403 {
		t.Errorf("admitted by hand: %d", b.code)
	}
	b.wants("The clause leaves this to another role")
	health := p.signedIn("health", people.Health)
	health.get("/en/gate/scans?site=1&gate=1")
	link := regexp.MustCompile(`href="([^"]+)">Decide`).FindStringSubmatch(health.body)
	if link == nil {
		t.Fatalf("nothing to decide:\n%s", health.text())
	}
	health.get(strings.ReplaceAll(link[1], "&amp;", "&")).wants("You decide")
	decide = health.fields("/en/gate/decide")
	decide.Set("why", "screened")
	decide.Set("act", "admit")
	health.postForm("/en/gate/decide", decide).wants("let through")
	if !p.presence(tr).Inside {
		t.Error("not inside")
	}
}

// TestNoEdition: the agreement has run out, and every desk still opens and says so.
func TestNoEdition(t *testing.T) {
	p := openPost(t)
	p.appoint("all", people.Roles[:]...)
	tr := p.theirs(10, "passport", "IRN", "A12345678")
	p.mu.Lock()
	p.now = p.now.AddDate(1, 0, 0)
	p.mu.Unlock()
	b := p.browser()
	b.signIn("all", p.words["all"])
	for _, path := range []string{"/gate", "/gate/scans", "/desk", "/desk/values", "/values", "/day", "/vendors", "/officers"} {
		if b.get("/en" + path); b.code != 200 {
			t.Errorf("%s: %d\n%s", path, b.code, b.text())
		}
	}
	b.get("/en/gate").scan(tr.text, "in")
	if o := b.outcome(); o != "REFUSE" {
		t.Errorf("a pass of last year: %s\n%s", o, b.text())
	}
}

// TestProgramDecidesGoods: a customs program lists the goods that wait at the way out and
// ends them once; a program of the gate does not, and a retry is answered as the first time.
func TestProgramDecidesGoods(t *testing.T) {
	p := newTestPost(t)
	p.now = marketDay.Add(40 * time.Minute)
	p.book("", hour(10), 1)
	text, _, err := p.server.passText(p.bookings()[0], 0)
	p.must(err)
	doc := documentIn{"cnic", "PAK", cnic(1)}
	display := map[string]any{"site": "mand-pishin", "day": "2025-09-02", "values": []map[string]any{{"good": "07020000", "minor": 100, "currency": "USD", "unit": "kg"}}}
	if r := p.call("POST", "/api/v1/values", "customs", "display-00000001", display); r.StatusCode != 200 {
		t.Fatalf("%d %s", r.StatusCode, r.body)
	}
	scan := scanIn{Site: "mand-pishin", Gate: 1, Direction: "in", Pass: text, Document: &doc, Screening: &screeningIn{TempTenths: 366}}
	wrong := scan
	wrong.Document = &documentIn{"cnic", "PAK", cnic(2)}
	no := into[scanOut](t, p.call("POST", "/api/v1/gate/scans", "gate", "scan-00000000000", wrong))
	if no.Verdict.Outcome != reason.Refuse || !slices.Equal(no.Asks, []string{"document"}) {
		t.Fatalf("%+v", no)
	}
	scan.Again = no.Scan.Serial
	if in := into[scanOut](t, p.call("POST", "/api/v1/gate/scans", "gate", "scan-00000000001", scan)); !in.Scan.Counted {
		t.Fatalf("%+v", in)
	}
	buy := buyIn{Site: "mand-pishin", Pass: text, Buyer: &buyerIn{Name: "Gul Bano", Document: doc}, Good: "0702.0000", Quantity: 30_000}
	p.call("POST", "/api/v1/desk/purchases", "customs", "buy-000000000001", buy)
	scan.Direction, scan.Document, scan.Screening, scan.Again = "out", nil, nil, 0
	out := into[scanOut](t, p.call("POST", "/api/v1/gate/scans", "gate", "scan-00000000002", scan))
	if !out.Scan.Counted || out.Goods == nil || out.Goods.Outcome != reason.Refer {
		t.Fatalf("%+v", out)
	}
	list := func() goodsListOut {
		return into[goodsListOut](t, p.call("GET", "/api/v1/gate/goods/mand-pishin", "customs", "", nil))
	}
	if l := list(); len(l.Goods) != 1 || l.Goods[0].State != "waiting" || l.Goods[0].Scan.Serial != out.Scan.Serial || l.Goods[0].Goods.Reasons[0].Clause != "ST4(ii)" ||
		!strings.Contains(strings.Join(l.Goods[0].Says, " "), "import value in the goods declaration") { // what is not known, by name
		t.Errorf("%+v", l)
	}
	c := goodsIn{Site: "mand-pishin", PassID: out.PassID, Serial: out.Scan.Serial, Go: true, Why: "paid"}
	if r := p.call("POST", "/api/v1/gate/goods", "gate", "goods-0000000001", c); r.StatusCode != 403 {
		t.Errorf("the gate decides: %d", r.StatusCode)
	}
	p.lost = true
	p.call("POST", "/api/v1/gate/goods", "customs", "goods-0000000002", c)
	if a := into[scanOut](t, p.call("POST", "/api/v1/gate/goods", "customs", "goods-0000000002", c)); !a.Record.Again || a.Goods == nil {
		t.Errorf("%+v", a)
	}
	if r := p.call("POST", "/api/v1/gate/goods", "customs", "goods-0000000003", c); r.StatusCode != 409 {
		t.Errorf("twice: %d", r.StatusCode)
	}
	if l := list(); len(l.Goods) != 1 || l.Goods[0].State != "let_go" || l.Goods[0].Why != "paid" || l.Goods[0].By == "" {
		t.Errorf("%+v", l)
	}
	day := into[dayOut](t, p.call("GET", "/api/v1/days/mand-pishin/2025-09-02", "supervisor", "", nil))
	if day.Here.GoodsWaiting != 0 || day.Here.GoodsLetGo != 1 || day.Here.Refused != 0 {
		t.Errorf("%+v", day.Here)
	}
}

// TestGateRefusedBefore: a pass that was refused today is not let in by a look or by a
// second measurement. The page says so, shows the earlier scan, and asks for the document.
func TestGateRefusedBefore(t *testing.T) {
	p := openPost(t)
	b := p.signedIn("mand", people.GateOfficer)
	answer := func(tr traveller, set ...string) {
		b.get("/en/gate").scan(tr.text, "in")
		v := b.fields("/en/gate", `class="ask"`)
		for i := 0; i < len(set); i += 2 {
			v.Set(set[i], set[i+1])
		}
		b.postForm("/en/gate", v)
	}
	tr := p.book(10, cnicA, "Bibi Gul", 0)
	answer(tr, "temperature", "36.6", "symptoms", "no", "document", cnicB)
	answer(tr, "temperature", "36.6", "symptoms", "no", "seen", "yes")
	if b.outcome() != "REFER" {
		t.Fatalf("seen after another document: %s", b.outcome())
	}
	b.wants("another document was shown with it", "Both scans, side by side", "This is for the Supervisor to decide", "Bibi Gul")
	for _, no := range []string{"I looked: the document fits", `value="admit"`, `name="temperature"`, "36.6"} {
		if strings.Contains(b.body, no) {
			t.Errorf("the page has %s", no)
		}
	}
	// The document that fits ends it, and nothing is measured again.
	v := b.fields("/en/gate", `class="ask"`)
	v.Set("document", cnicA)
	if b.postForm("/en/gate", v); b.outcome() != "ALLOW" {
		t.Errorf("%s\n%s", b.outcome(), b.text())
	}
	ill := p.book(10, cnicB, "Gul Khan", 0)
	answer(ill, "temperature", "39.6", "symptoms", "yes", "document", cnicB)
	if b.outcome() != "REFUSE" {
		t.Fatalf("fever: %s", b.outcome())
	}
	answer(ill, "temperature", "36.6", "symptoms", "no", "document", cnicB)
	if b.outcome() != "REFER" || p.presence(ill).Inside {
		t.Fatalf("measured again: %s", b.outcome())
	}
	b.wants("refused today at the health check", "This is for the Health officer to decide", "X-TEMPERATURE")
	// The other side's pass is not let in by a look, and a look is not offered.
	theirs := p.theirs(10, "passport", "IRN", "A12345678")
	b.get("/en/gate").scan(theirs.text, "in")
	b.lacks("I looked: the document fits")
	answer(theirs, "temperature", "36.6", "symptoms", "no", "seen", "yes")
	if b.outcome() != "REFER" || p.presence(theirs).Inside {
		t.Errorf("their pass, seen: %s", b.outcome())
	}
	v = b.fields("/en/gate", `class="ask"`)
	v.Set("document", "A12345678")
	if b.postForm("/en/gate", v); b.outcome() != "ALLOW" || p.presence(theirs).Tag == [16]byte{} {
		t.Errorf("%s\n%s", b.outcome(), b.text())
	}
}
