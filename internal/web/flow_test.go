// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"darwaza.dev/agreements"
	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/pass"
	"darwaza.dev/internal/people"
	"darwaza.dev/internal/record"
	"darwaza.dev/internal/rules"
	"darwaza.dev/internal/service"
	"darwaza.dev/internal/stats"
)

// bookings counts what stands in the state for a market day.
func (p *testPost) bookings() (all []booking.Booking) {
	p.Helper()
	p.must(p.mem.View(context.Background(), func(st service.State) error {
		all = service.RosterOf(st, 1, 9376)
		return nil
	}))
	return all
}

func (p *testPost) slot(id booking.SlotID) (s booking.Slot) {
	p.Helper()
	p.must(p.mem.View(context.Background(), func(st service.State) error {
		s, _ = st.Booking.Slots.Get(id)
		return nil
	}))
	return s
}

// TestBook takes a family through the steps, with no script and no cookie.
func TestBook(t *testing.T) {
	p := newTestPost(t)
	board := p.get("/en/", "")
	if !strings.Contains(board.body, `href="/en/book"`) {
		t.Fatal("the board does not lead to booking")
	}
	slots := p.get("/en/book?site=mand-pishin&class=visitor&day=2025-09-02", "")
	link := fmt.Sprintf(`href="/en/book/people?slot=%d"`, hour(10))
	if !strings.Contains(slots.body, link) {
		t.Fatalf("no link %s in\n%s", link, text(slots.body))
	}
	// One adult, then another is added and the language changes: nothing typed is lost.
	f := partyForm(hour(10), 1)
	f.Set("add", "1")
	two := p.post("/en/book/people", "", f)
	if !strings.Contains(two.body, `name="number-2"`) || !strings.Contains(two.body, cnic(1)) {
		t.Fatal("no second adult, or the first is lost")
	}
	f = partyForm(hour(10), 1, 2)
	f.Set("children-1", "۲")
	f.Set("switch", "1")
	fa := p.post("/fa/book/people", "", f)
	if !strings.Contains(fa.body, `<html lang="fa"`) || !strings.Contains(fa.body, cnic(2)) || strings.Contains(fa.body, `class="summary"`) {
		t.Fatal("the change of language lost something, or did more")
	}
	f.Del("switch")
	check := p.post("/en/book/people", "", f)
	if !strings.Contains(text(check.body), "with 2 children") {
		t.Fatalf("check: %s", text(check.body))
	}
	h := hidden(check.body, "check")
	h.Set("switch", "1")
	if ur := hidden(p.post("/ur/book/people", "", h).body, "check"); ur.Get("idem") != h.Get("idem") || ur.Get("number-2") != h.Get("number-2") {
		t.Errorf("the answers to check are another act in another language: %v", ur)
	}
	h.Del("switch")
	done := p.post("/en/book/confirm", "", h)
	if done.StatusCode != http.StatusSeeOther {
		t.Fatalf("confirm: %d %s", done.StatusCode, text(done.body))
	}
	all := p.bookings()
	if len(all) != 1 || all[0].Places() != 4 || all[0].Status != booking.Booked || all[0].By != "" {
		t.Fatalf("bookings %+v", all)
	}
	page := p.get(done.Header.Get("Location"), "")
	if !strings.Contains(page.body, formatRef(all[0].Ref)) || strings.Count(page.body, `class="qr"`) != 2 {
		t.Fatalf("booking: %s", text(page.body))
	}
	// What names a person is in no address and on no page that the reference opens.
	for _, where := range []string{done.Header.Get("Location"), page.body} {
		for _, secret := range []string{"Gul Bano", cnic(1), strings.ReplaceAll(cnic(1), "-", "")} {
			if strings.Contains(where, secret) {
				t.Errorf("%q shows", secret)
			}
		}
	}
	if strings.Contains(done.Header.Get("Location"), string(all[0].Ref)) {
		t.Error("the reference is in the address")
	}
	// It is sealed, whole.
	plain, err := p.sealer.Open(context.Background(), all[0].Sealed, nil)
	p.must(err)
	var party sealedParty
	p.must(json.Unmarshal(plain, &party))
	if len(party.People) != 2 || party.People[0].Name != "Gul Bano" || party.People[1].Number != strings.ReplaceAll(cnic(2), "-", "") {
		t.Errorf("sealed %+v", party)
	}

	// The proof of its entry can be kept.
	base, _, _ := strings.Cut(done.Header.Get("Location"), "?")
	proof, err := record.ParseProof([]byte(p.get(base+"/proof", "").body))
	p.must(err)
	var extra [][]byte
	p.must(p.server.codec.Unmarshal(proof.Extra, &extra))
	at := fmt.Sprint(proof.Index)
	if len(extra) != 2 || string(extra[0]) != "envelope "+at || !strings.Contains(string(extra[1]), string(all[0].Ref)) || !strings.Contains(text(page.body), "A-"+at) {
		t.Errorf("proof of %s: %q", at, extra)
	}
	// Found by its reference later, it is asked for by the number of the entry; nobody
	// else's entry is shown.
	found := p.post("/en/booking", "", url.Values{"reference": {string(all[0].Ref)}}).Header.Get("Location")
	if r := p.get(found+"/proof?entry=a-"+at, ""); r.StatusCode != 200 || !strings.Contains(r.body, "index "+at+"\n") {
		t.Errorf("by number: %d %s", r.StatusCode, text(r.body))
	}
	for _, entry := range []string{"", "A-0", "B-" + at, "A-99999", at, "A--1"} {
		if r := p.get(found+"/proof?entry="+entry, ""); r.StatusCode != 404 || strings.Contains(r.body, "tlog-proof") {
			t.Errorf("entry %q: %d", entry, r.StatusCode)
		}
	}
}

// TestBookOnce sends one form many times: twice by a double press, again after a lost
// answer, and again in another language. It books once.
func TestBookOnce(t *testing.T) {
	p := newTestPost(t)
	h := hidden(p.post("/en/book/people", "", partyForm(hour(10), 1)).body, "check")

	p.lost = true
	lost := p.post("/en/book/confirm", "", h)
	if lost.StatusCode != http.StatusServiceUnavailable {
		t.Fatalf("lost: %d", lost.StatusCode)
	}
	again := hidden(lost.body, "")
	if again.Get("idem") != h.Get("idem") || again.Get("number-1") != h.Get("number-1") {
		t.Fatalf("the page of a lost answer does not carry the act: %v", again)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if r := p.post("/en/book/confirm", "", again); r.StatusCode != http.StatusSeeOther {
				t.Errorf("again: %d", r.StatusCode)
			}
		})
	}
	wg.Wait()
	if n := len(p.bookings()); n != 1 {
		t.Fatalf("%d bookings", n)
	}
	// A key that was made for nothing is destroyed: only the booking's own is left, and
	// the first one, of which nobody could know.
	if n := len(p.sealer.m); n != 1 {
		t.Errorf("%d sealed", n)
	}

	// Another act with the same card: refused, in English and then in Urdu, as one decision.
	h2 := hidden(p.post("/en/book/people", "", partyForm(hour(12), 1)).body, "check")
	en := p.post("/en/book/confirm", "", h2)
	if en.StatusCode != 200 || !strings.Contains(text(en.body), "Not allowed") {
		t.Fatalf("second: %d %s", en.StatusCode, text(en.body))
	}
	form := hidden(en.body, "again")
	ur := p.post("/ur/book/confirm", "", form)
	if ur.StatusCode != 200 || !strings.Contains(ur.body, `<html lang="ur"`) || strings.Contains(text(ur.body), "Not allowed") {
		t.Errorf("in Urdu: %d %s", ur.StatusCode, text(ur.body))
	}
	if n := len(p.bookings()); n != 1 {
		t.Errorf("%d bookings after a refusal", n)
	}
	if n := len(p.sealer.m); n != 1 {
		t.Errorf("%d sealed after a refusal", n)
	}
}

// TestBookErrors wants each mistake said at its field and in the summary.
func TestBookErrors(t *testing.T) {
	p := newTestPost(t)
	for _, c := range []struct {
		change func(url.Values)
		field  string
	}{
		{func(f url.Values) { f.Set("kind-1", "") }, "kind-1"},
		{func(f url.Values) { f.Set("kind-1", "elephant") }, "number-1"},
		{func(f url.Values) { f.Set("number-1", "") }, "number-1"},
		{func(f url.Values) { f.Set("number-1", "12") }, "number-1"},
		{func(f url.Values) { f.Set("number-2", f.Get("number-1")) }, "number-2"},
		{func(f url.Values) { f.Set("kind-1", "passport"); f.Set("country-1", "Pakistan") }, "country-1"},
		{func(f url.Values) { f.Set("children-2", "many") }, "children-2"},
		{func(f url.Values) { f.Set("children-2", "-1") }, "children-2"},
		{func(f url.Values) { f.Set("children-2", "21") }, "children-2"},
		{func(f url.Values) { f.Set("name-1", strings.Repeat("x", 81)) }, "name-1"},
		{func(f url.Values) { f.Set("phone", "call me") }, "phone"},
	} {
		f := partyForm(hour(10), 1, 2)
		c.change(f)
		r := p.post("/en/book/people", "", f)
		if r.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(r.body, `href="#`+c.field+`"`) || !strings.Contains(r.body, `id="`+c.field+`-error"`) {
			t.Errorf("%s: %d, %s", c.field, r.StatusCode, text(r.body))
		}
		// The check page cannot be stepped over.
		f.Set("idem", "0123456789abcdef")
		if r := p.post("/en/book/confirm", "", f); r.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("%s: confirm: %d", c.field, r.StatusCode)
		}
	}
	if n := len(p.bookings()); n != 0 {
		t.Errorf("%d bookings", n)
	}
}

// fill takes all places of a slot but some.
func (p *testPost) fill(slot booking.SlotID, leave int) {
	p.Helper()
	free := 200 - leave
	for n := 0; n < free; {
		o := order{Slot: slot}
		for i := 0; i < 8 && n < free; i++ {
			n++
			doc, err := documentIn{"cnic", "PAK", cnic(5000 + int(slot.Minute())*1000 + n)}.parse("")
			p.must(err)
			o.People = append(o.People, person{Document: doc, Age: -1})
		}
		r := &request{Request: httptest.NewRequest("POST", "/", nil), Now: p.now, Client: &Client{Name: "filler"}}
		r.Header.Set("Idempotency-Key", fmt.Sprintf("fill-%d-%d-000000", slot, n))
		a, _, err := p.server.book(r, o)
		p.must(err)
		if a.Booking.Ref == "" {
			p.Fatalf("fill: %+v", a.Verdict)
		}
	}
}

// TestSlotWaits: the list of hours says how long people wait at the gate, by who has booked.
func TestSlotWaits(t *testing.T) {
	p := newTestPost(t)
	const page = "/book?class=visitor&day=2025-09-02&site=mand-pishin"
	if said := text(p.get("/en"+page, "").body); !strings.Contains(said, "200 places free no wait at the gate is expected") {
		t.Error(said)
	}
	// 200 of this hour for a gate that serves 60, as an hour for one officer is.
	sub, err := fs.Sub(agreements.FS, "pk-ir-border-markets")
	p.must(err)
	example, err := fs.ReadFile(sub, "parameters/example.yaml")
	p.must(err)
	slow, err := agreement.Overlay(sub, map[string][]byte{"parameters/example.yaml": bytes.Replace(example, []byte("site: mand-pishin, value: 4, source"), []byte("site: mand-pishin, value: 1, source"), 1)})
	p.must(err)
	e, err := agreement.Load(slow)
	p.must(err)
	p.law, err = rules.Compile(e)
	p.must(err)
	p.fill(hour(11), 50)
	for lang, want := range map[string]string{"en": "about 54 minutes to wait at the gate", "fa": "حدود ۵۴ دقیقه انتظار در دروازه", "ur": "گیٹ پر تقریباً 54 منٹ انتظار"} {
		if said := text(p.get("/"+lang+page, "").body); !strings.Contains(said, want) {
			t.Errorf("%s: %s", lang, said)
		}
	}
}

// TestQueue has a full hour: a traveller joins the queue, is offered a place that comes
// back, and takes it.
func TestQueue(t *testing.T) {
	p := newTestPost(t)
	first := p.book("", hour(11), 1)
	p.fill(hour(11), 1)
	if s := p.slot(hour(11)); s.Free() != 0 {
		t.Fatalf("%+v", s)
	}
	ask := p.get("/en/book/people?slot="+slotIDText(hour(11)), "")
	if !strings.Contains(text(ask.body), "This hour is full") || strings.Contains(text(ask.body), "Iran had") {
		t.Fatal(text(ask.body))
	}
	// The other side's free places are told as soon as it has said what it has.
	_, err := p.mem.Do(context.Background(), service.Idem{}, service.OtherFigures{Site: 1, Day: 9376, Figures: stats.Other{AsOf: p.now, Free: map[uint64]uint32{uint64(hour(11)): 7}}})
	p.must(err)
	if said := text(p.get("/en/book/people?slot="+slotIDText(hour(11)), "").body); !strings.Contains(said, "Iran had 7 places free. You may book on its pages") {
		t.Error(said)
	}
	f := partyForm(hour(11), 2)
	if r := p.post("/en/book/people", "", f); r.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(r.body, `href="#waits"`) {
		t.Fatalf("without a word on the queue: %d", r.StatusCode)
	}
	f.Set("waits", "1")
	done := p.post("/en/book/confirm", "", hidden(p.post("/en/book/people", "", f).body, "check"))
	if done.StatusCode != 303 {
		t.Fatalf("%d %s", done.StatusCode, text(done.body))
	}
	mine, _, _ := strings.Cut(done.Header.Get("Location"), "?")
	if r := p.get(mine, ""); !strings.Contains(text(r.body), "You are in the queue") || strings.Contains(r.body, `class="qr"`) {
		t.Fatal(text(r.body))
	}

	// The first gives the place back. Its pass could still be admitted at the other side's
	// gate, so the place comes free when that side has heard.
	cancel := p.get(first+"/cancel", "")
	if r := p.post(first+"/cancel", "", hidden(cancel.body, "")); r.StatusCode != 303 {
		t.Fatalf("cancel: %d %s", r.StatusCode, text(r.body))
	}
	_, err = p.mem.Do(context.Background(), service.Idem{}, service.Acknowledge{Serial: 1})
	p.must(err)
	_, err = p.mem.Do(context.Background(), service.Idem{}, service.Sweep{Slots: []booking.SlotID{hour(11)}})
	p.must(err)
	offered := p.get(mine, "")
	if !strings.Contains(text(offered.body), "A place is kept for you") {
		t.Fatal(text(offered.body))
	}
	if r := p.post(mine+"/accept", "", hidden(offered.body, "")); r.StatusCode != 303 {
		t.Fatalf("accept: %d %s", r.StatusCode, text(r.body))
	}
	if r := p.get(mine, ""); !strings.Contains(text(r.body), "The place is booked") || !strings.Contains(r.body, `class="qr"`) {
		t.Error(text(r.body))
	}
	// The offer is gone: a second acceptance is a decision that says so.
	if r := p.post(mine+"/accept", "", url.Values{"idem": {"0123456789abcdef"}}); r.StatusCode != 200 || !strings.Contains(r.body, `class="answer`) {
		t.Errorf("accept again: %d %s", r.StatusCode, text(r.body))
	}
}

// TestMove moves a booking and sees the old pass withdrawn.
func TestMove(t *testing.T) {
	p := newTestPost(t)
	mine := p.book("", hour(10), 1)
	before := p.get(mine, "").body
	day := p.get(mine+"/move", "")
	if !strings.Contains(day.body, "day=2025-09-02") {
		t.Fatal(text(day.body))
	}
	slots := p.get(mine+"/move?day=2025-09-02", "")
	if strings.Contains(slots.body, slotIDText(hour(10))) || !strings.Contains(slots.body, slotIDText(hour(13))) {
		t.Fatal("its own hour is offered, or another is not")
	}
	f := hidden(slots.body, "")
	f.Set("to", slotIDText(hour(13)))
	if r := p.post(mine+"/move", "", f); r.StatusCode != 303 {
		t.Fatalf("move: %d %s", r.StatusCode, text(r.body))
	}
	after := p.get(mine, "").body
	qr := regexp.MustCompile(`<path d="(M[^"]{100,})"`)
	if qr.FindString(before) == qr.FindString(after) || !strings.Contains(text(after), "13:00 to 14:00") {
		t.Error("the pass is the old one, or the hour")
	}
	if b := p.bookings(); b[0].Moves != 1 || b[0].Members[0].Gen != 1 {
		t.Errorf("%+v", b[0])
	}
}

// nextMarketDay returns the hour of the next market day that has the same one.
func (p *testPost) nextMarketDay(id booking.SlotID) booking.SlotID {
	p.Helper()
	for d := uint16(1); d < 14; d++ {
		next := booking.MakeSlotID(id.Site(), id.Class(), id.Day()+d, id.Minute())
		if _, ok := p.law.Slot(next.Site(), next.Class(), next.Day(), next.Minute()); ok {
			return next
		}
	}
	p.Fatal("no market day follows")
	return 0
}

// TestMoveDay moves a family to another day, by the page and by the API: found there by
// their documents, and no longer on the day they left.
func TestMoveDay(t *testing.T) {
	p := newTestPost(t)
	to := p.nextMarketDay(hour(10))
	date := dayDate(to.Day()).String()
	mine := p.book("", hour(10), 1, 2)
	ref := p.bookings()[0].Ref
	if days := p.get(mine+"/move", ""); !strings.Contains(days.body, "day="+date) {
		t.Fatalf("%s is not offered: %s", date, text(days.body))
	}
	f := hidden(p.get(mine+"/move?day="+date, "").body, "")
	f.Set("to", slotIDText(to))
	for range 2 { // sent twice, it is one move
		if r := p.post(mine+"/move", "", f); r.StatusCode != 303 {
			t.Fatalf("move: %d %s", r.StatusCode, text(r.body))
		}
	}
	found := func(day uint16, n int) (b booking.Booking) {
		doc, err := documentIn{"cnic", "PAK", cnic(n)}.parse("")
		p.must(err)
		p.must(p.mem.View(context.Background(), func(st service.State) error {
			b, _ = service.FindByTag(st, p.server.deps.Secrets.Tag(day, doc.Key()), 1, day)
			return nil
		}))
		return b
	}
	for n := 1; n <= 2; n++ {
		if b := found(to.Day(), n); b.Ref != ref || b.Slot != to || b.Moves != 1 {
			t.Errorf("person %d on the new day: %+v", n, b)
		}
		if b := found(hour(10).Day(), n); b.Ref != "" {
			t.Errorf("person %d still on the old day: %+v", n, b)
		}
	}
	// A program moves it back; the answer's pass is of that day.
	r := p.call("POST", "/api/v1/bookings/"+string(ref)+"/move", "clerk", "move-back-0000000", moveIn{To: slotIDText(hour(12))})
	if r.StatusCode != 200 || found(hour(12).Day(), 2).Slot != hour(12) {
		t.Errorf("back: %d %s", r.StatusCode, r.body)
	}
	// Somebody who has a booking on the other day keeps this one.
	p.book("", to, 2)
	r = p.call("POST", "/api/v1/bookings/"+string(ref)+"/move", "clerk", "move-second-00000", moveIn{To: slotIDText(to)})
	if !strings.Contains(r.body, string(booking.CodeSecond)) || found(hour(12).Day(), 1).Slot != hour(12) {
		t.Errorf("to a day with another booking: %d %s", r.StatusCode, r.body)
	}

	// With the key of what names them gone, only the same day is offered.
	p.must(p.sealer.Destroy(context.Background(), found(hour(12).Day(), 1).Sealed))
	days := p.get(mine+"/move", "")
	if strings.Contains(days.body, "day="+date) || !strings.Contains(days.body, "day=2025-09-02") || !strings.Contains(text(days.body), "another hour of its own day") {
		t.Errorf("without names: %s", text(days.body))
	}
	if slots := p.get(mine+"/move?day="+date, ""); strings.Contains(slots.body, `name="to"`) {
		t.Error("hours of another day are offered without names")
	}
	f = url.Values{"idem": {"0123456789abcdef"}, "to": {slotIDText(to)}}
	if r := p.post(mine+"/move", "", f); r.StatusCode != http.StatusConflict || !strings.Contains(text(r.body), "another hour of its own day") {
		t.Errorf("without names: %d %s", r.StatusCode, text(r.body))
	}
	f.Set("to", slotIDText(hour(11)))
	if r := p.post(mine+"/move", "", f); r.StatusCode != 303 || found(hour(11).Day(), 1).Slot != hour(11) {
		t.Errorf("within the day without names: %d %s", r.StatusCode, text(r.body))
	}
}

// TestReference answers a reference that nobody has, a mistyped one and none at all alike.
func TestReference(t *testing.T) {
	p := newTestPost(t)
	p.book("", hour(10), 1)
	ref := p.bookings()[0].Ref
	var answers []string
	for _, wrong := range []string{"", "x", "0000-0000-0000", string(ref[:11]) + "!", string(ref) + "0", strings.Repeat("A", 300), "<script>"} {
		r := p.post("/en/booking", "", url.Values{"reference": {wrong}})
		answers = append(answers, fmt.Sprint(r.StatusCode, text(r.body)))
		if answers[0] != answers[len(answers)-1] {
			t.Errorf("%q: %s", wrong, answers[len(answers)-1])
		}
	}
	lower := strings.ToLower(formatRef(ref))
	for _, right := range []string{string(ref), formatRef(ref), lower, " " + strings.ReplaceAll(lower, "-", " ") + "\u200f"} {
		if r := p.post("/en/booking", "", url.Values{"reference": {right}}); r.StatusCode != 303 {
			t.Errorf("%q: %d", right, r.StatusCode)
		}
	}
}

// TestLink sees links end, and no link opened that this server did not make.
func TestLink(t *testing.T) {
	p := newTestPost(t)
	mine := p.book("", hour(10), 1)
	if r := p.get(mine, ""); r.StatusCode != 200 {
		t.Fatal(r.StatusCode)
	}
	bad := mine[:len(mine)-1] + "A"
	if strings.HasSuffix(mine, "A") {
		bad = mine[:len(mine)-1] + "B"
	}
	if r := p.get(bad, ""); r.StatusCode != 404 || strings.Contains(r.body, `class="qr"`) {
		t.Errorf("altered: %d", r.StatusCode)
	}
	p.now = p.now.Add(linkLength)
	for _, path := range []string{"", "/pass", "/cancel", "/move", "/proof"} {
		if r := p.get(mine+path, ""); r.StatusCode != 404 || !strings.Contains(r.body, `name="reference"`) {
			t.Errorf("%s after its end: %d", path, r.StatusCode)
		}
	}
	if r := p.post(mine+"/cancel", "", url.Values{"idem": {"0123456789abcdef"}}); r.StatusCode != 404 {
		t.Errorf("cancel after its end: %d", r.StatusCode)
	}
	if b := p.bookings(); b[0].Status != booking.Booked {
		t.Errorf("%+v", b[0])
	}
}

// TestClerk books by scan for somebody without a phone, prints, finds, issues anew, cancels.
func TestClerk(t *testing.T) {
	p := newTestPost(t)
	const zone = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10"
	f := partyForm(hour(10), 0)
	f.Set("zone-1", zone)
	f.Del("number-1")
	f.Del("kind-1")
	f.Del("name-1")
	f.Set("waits", "1")
	f.Set("standing", "1")
	check := p.post("/en/clerk/book/people", "clerk", f)
	if !strings.Contains(text(check.body), "ANNA MARIA ERIKSSON") || !strings.Contains(text(check.body), "L898902C3") {
		t.Fatalf("%d %s", check.StatusCode, text(check.body))
	}
	done := p.post("/en/clerk/book/confirm", "clerk", hidden(check.body, "check"))
	if done.StatusCode != 303 {
		t.Fatalf("%d %s", done.StatusCode, text(done.body))
	}
	b := p.bookings()[0]
	if b.By != "o-0000000000" {
		t.Errorf("booked by %q", b.By)
	}
	mine, _, _ := strings.Cut(done.Header.Get("Location"), "?")
	if paper := p.get(mine+"/pass", "clerk"); !strings.Contains(paper.body, "ANNA MARIA ERIKSSON") || !strings.Contains(paper.body, `class="sheet"`) {
		t.Error(text(paper.body))
	}
	// A traveller with the clerk's address sees nothing.
	if r := p.get(mine, ""); r.StatusCode != http.StatusSeeOther || !strings.Contains(r.Header.Get("Location"), "/sign-in") {
		t.Errorf("without a session: %d", r.StatusCode)
	}
	for _, q := range []string{string(b.Ref), strings.ToLower(formatRef(b.Ref)), zone, strings.ReplaceAll(zone, "\n", " ")} {
		if r := p.post("/en/clerk/find", "clerk", url.Values{"q": {q}, "site": {"1"}, "day": {"2025-09-02"}}); r.StatusCode != 303 {
			t.Errorf("find %q: %d %s", q, r.StatusCode, text(r.body))
		}
	}
	if r := p.post("/en/clerk/find", "clerk", url.Values{"q": {"nobody"}, "site": {"1"}}); r.StatusCode != 200 || !strings.Contains(text(r.body), "No booking of this day fits") {
		t.Errorf("find nobody: %d %s", r.StatusCode, text(r.body))
	}
	// A clerk of another market neither finds it nor opens it.
	elsewhere := people.Officer{ID: "o-elsewhere1", Login: "elsewhere", Roles: []people.Role{people.Clerk}, Site: "gabd-reemdan", Active: true}
	_, err := p.mem.Do(context.Background(), service.Idem{}, service.Appoint{Officer: elsewhere, Word: "none"})
	p.must(err)
	if r := p.post("/en/clerk/find", "elsewhere", url.Values{"q": {string(b.Ref)}, "site": {"2"}}); r.StatusCode != 200 || !strings.Contains(text(r.body), "No booking of this day fits") {
		t.Errorf("found from another market: %d %s", r.StatusCode, text(r.body))
	}
	for _, path := range []string{"", "/pass", "/cancel", "/move"} {
		if r := p.get(mine+path, "elsewhere"); r.StatusCode != 403 {
			t.Errorf("%s opened from another market: %d", path, r.StatusCode)
		}
	}
	if r := p.post(mine+"/cancel", "elsewhere", url.Values{"idem": {"fedcba9876543219"}}); r.StatusCode != 403 {
		t.Errorf("cancelled from another market: %d", r.StatusCode)
	}
	page := p.get(mine, "clerk")
	form := url.Values{"idem": {"fedcba9876543210"}, "member": {"0"}}
	if r := p.post(mine+"/reissue", "clerk", form); r.StatusCode != 303 {
		t.Fatalf("reissue: %d %s", r.StatusCode, text(r.body))
	}
	if after := p.get(mine, "clerk"); after.body == page.body || p.bookings()[0].Members[0].Gen != 1 {
		t.Error("no new pass")
	}
	if r := p.post(mine+"/cancel", "clerk", url.Values{"idem": {"fedcba9876543211"}}); r.StatusCode != 303 {
		t.Errorf("cancel: %d", r.StatusCode)
	}
	if b := p.bookings()[0]; b.Status != booking.Cancelled {
		t.Errorf("%+v", b)
	}
}

// TestNoLaw shows the pages when no edition is in force: the text known ends in 2026.
func TestNoLaw(t *testing.T) {
	p := newTestPost(t)
	p.now = time.Date(2026, 7, 2, 6, 0, 0, 0, time.UTC)
	for _, path := range []string{"/en/", "/en/book", "/en/law", "/en/goods", "/en/before"} {
		if r := p.get(path, ""); r.StatusCode != 200 || !strings.Contains(text(r.body), "No agreement is known to be in force") {
			t.Errorf("%s: %d %s", path, r.StatusCode, text(r.body))
		}
	}
}

// TestLog books, errs and fails, and then looks for what must not be in the log.
func TestLog(t *testing.T) {
	p := newTestPost(t)
	mine := p.book("", hour(10), 1)
	ref := p.bookings()[0].Ref
	p.get(mine, "")
	p.get("/en/goods?q=tomatoes-of-gul-bano", "")
	p.post("/en/booking", "", url.Values{"reference": {string(ref)}})
	p.dead = true
	p.post("/en/book/confirm", "", hidden(p.post("/en/book/people", "", partyForm(hour(11), 2)).body, "check"))
	log := p.log.String()
	for _, secret := range []string{"Gul", "gul-bano", cnic(1), strings.ReplaceAll(cnic(1), "-", ""), string(ref), formatRef(ref), strings.TrimPrefix(mine, "/en/booking/"), "q="} {
		if strings.Contains(log, secret) {
			t.Errorf("the log holds %q", secret)
		}
	}
	for _, want := range []string{`route="POST /book/confirm"`, "status=503", "problem=offline", "code=store"} {
		if !bytes.Contains(p.log.Bytes(), []byte(want)) {
			t.Errorf("the log lacks %q:\n%s", want, log)
		}
	}
}

// TestReceiptPage checks receipts by number and by code, of both sides, good and void.
func TestReceiptPage(t *testing.T) {
	p := newTestPost(t)
	doc := documentIn{"cnic", "PAK", cnic(1)}
	p.call("POST", "/api/v1/values", "customs", "display-00000001", displayIn{Site: "mand-pishin", Values: []displayValueIn{{"07020000", 100, "USD", "kg"}}})
	b := into[bookingAnswerOut](t, p.call("POST", "/api/v1/bookings", "clerk", "book-00000000001", bookIn{Slot: slotIDText(hour(9)), People: []personIn{{Document: doc}}}))
	buy := into[buyOut](t, p.call("POST", "/api/v1/desk/purchases", "customs", "buy-000000000001", buyIn{Site: "mand-pishin", PassID: &b.Booking.Members[0].PassID, Buyer: &buyerIn{"Gul Bano", doc}, Good: "07020000", Quantity: 10_000}))
	if buy.Purchase == nil || buy.Receipt == "" {
		t.Fatalf("%+v", buy)
	}
	ask := func(shown string) string {
		return text(p.post("/en/receipt", "", url.Values{"receipt": {shown}}).body)
	}
	number := buy.Purchase.Number
	for _, shown := range []string{number, strings.ToLower(number), number[2:], buy.Receipt} {
		if said := ask(shown); !strings.Contains(said, "is genuine and stands") || !strings.Contains(said, number) || strings.Contains(said, "Gul Bano") {
			t.Errorf("%.20s: %s", shown, said)
		}
	}
	altered := buy.Receipt[:80] + "0" + buy.Receipt[81:]
	if altered == buy.Receipt {
		altered = buy.Receipt[:80] + "1" + buy.Receipt[81:]
	}
	for _, shown := range []string{"R-000000000000", altered, "DR1:" + strings.Repeat("0", 100), strings.Repeat("x", 100)} {
		if said := ask(shown); !strings.Contains(said, "not a genuine receipt") {
			t.Errorf("%.20s: %s", shown, said)
		}
	}
	// The other side's receipt is genuine by its code, even under a number that this side
	// has given too, and what it says is what it was signed for.
	theirs, err := pass.SignReceipt(p.receiptB, pass.Receipt{Side: pass.SideB, Number: number, Site: 1, Day: 9376, Code: "08105000", Quantity: 1000, Unit: "kg", Value: 777, Currency: "USD",
		Regime: "concession", DutyKnown: true, Officer: "o-1", IssuedAt: p.now})
	p.must(err)
	if said := ask(theirs); !strings.Contains(said, "made out by the other side") || !strings.Contains(said, "7.77") {
		t.Errorf("the other side's: %s", said)
	}
	p.call("POST", "/api/v1/desk/purchases/"+number+"/void", "customs", "void-00000000001", voidIn{"keyed"})
	for _, shown := range []string{number, buy.Receipt} {
		if said := ask(shown); !strings.Contains(said, "taken back") || strings.Contains(said, "and stands") {
			t.Errorf("void, %.20s: %s", shown, said)
		}
	}
	if r := p.post("/en/receipt", "", url.Values{}); r.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("nothing: %d", r.StatusCode)
	}
}
