// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"bytes"
	"context"
	"darwaza.dev/internal/closure"
	"encoding/hex"
	"fmt"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/market"
	"darwaza.dev/internal/people"
	"darwaza.dev/internal/service"
)

// reading are the routes of officers and programs that take a form or a document and keep
// nothing of it: they find, open or check.
var reading = map[string]string{
	"POST /api/v1/receipts/check": "checks a signature",
	"POST /api/v1/passes/check":   "checks a signature",

	"POST /api/v1/certificates/check": "judges a health certificate",
	"POST /clerk/book/certificate":    "judges a health certificate",
	"POST /gate/paper":                "carries a paper to the scan, which is the officer's",
	"POST /clerk/book/paper":          "judges a paper that the clerk attests",
	"POST /clerk/find":                "finds",
	"POST /clerk/book/people":         "checks what was typed",
	"POST /requests":                  "finds",
	"POST /gate/find":                 "finds",
	"POST /desk":                      "opens the buyer's page",
	"POST /vendors":                   "finds",
	"POST /cases":                     "finds",
}

// acts are requests to routes by officers, each held to leave a fact that names them.
type acts struct {
	*testPost
	n    int
	done map[string]bool
}

// by runs one request to a route as an officer: it must be taken, and leave a fact in which
// the officer's id stands.
func (a *acts) by(pattern, login string, send func(idem string) reply) reply {
	a.Helper()
	a.n++
	o, _, _, err := a.server.officerByLogin(context.Background(), login)
	a.must(err)
	before := len(a.mem.Facts())
	r := send(fmt.Sprintf("named-act-%012d", a.n))
	if r.StatusCode != 200 && r.StatusCode != 303 {
		a.Errorf("%s by %s: %d %s", pattern, login, r.StatusCode, text(r.body))
	}
	facts, named := a.mem.Facts()[before:], false
	for _, h := range facts {
		named = named || holdsText(reflect.ValueOf(h.Fact), string(o.ID))
	}
	if len(facts) == 0 || !named {
		a.Errorf("%s by %s (%s): %d facts, and none names the officer\n%s", pattern, login, o.ID, len(facts), text(r.body))
	}
	a.done[pattern] = true
	return r
}

// form sends a form of a page, with an idempotency key of its own where it has none.
func (a *acts) form(pattern, path, login string, f url.Values) reply {
	a.Helper()
	return a.by(pattern, login, func(idem string) reply {
		if f.Get("idem") == "" {
			f.Set("idem", idem)
		}
		return a.post(path, login, f)
	})
}

// api sends a program's call.
func (a *acts) api(pattern, path, role string, body any) reply {
	a.Helper()
	return a.by(pattern, role, func(idem string) reply { return a.call("POST", path, role, idem, body) })
}

// holdsText reports whether a value is, or holds, a text.
func holdsText(v reflect.Value, s string) bool {
	switch v.Kind() {
	case reflect.Pointer:
		return holdsText(v.Elem(), s)
	case reflect.Struct:
		for i := range v.NumField() {
			if holdsText(v.Field(i), s) {
				return true
			}
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			if holdsText(v.Index(i), s) {
				return true
			}
		}
	case reflect.String:
		return v.String() == s
	}
	return false
}

// offered has somebody wait for a place of a full hour and be offered one; its address and
// reference.
func (a *acts) offered(hr int, card int) (path string, ref booking.Ref) {
	a.Helper()
	one := a.book("clerk", hour(hr), card)
	a.fill(hour(hr), 1)
	f := partyForm(hour(hr), card+1)
	f.Set("waits", "1")
	done := a.post("/en/clerk/book/confirm", "clerk", hidden(a.post("/en/clerk/book/people", "clerk", f).body, "check"))
	path, _, _ = strings.Cut(done.Header.Get("Location"), "?")
	a.post(one+"/cancel", "clerk", hidden(a.get(one+"/cancel", "clerk").body, ""))
	var last uint64
	a.must(a.mem.View(context.Background(), func(st service.State) error {
		_, last = service.WithdrawalsAfter(st, 0, 0)
		return nil
	}))
	_, err := a.mem.Do(context.Background(), service.Idem{}, service.Acknowledge{Serial: last})
	a.must(err)
	for _, b := range a.bookings() {
		if b.Slot == hour(hr) && b.Status == booking.Offered {
			ref = b.Ref
		}
	}
	if ref == "" || path == "" {
		a.Fatalf("nobody is offered a place at %d", hr)
	}
	return path, ref
}

// passOf returns the pass of a booking's first holder.
func (a *acts) passOf(b booking.Booking) string {
	a.Helper()
	text, _, err := a.server.passText(b, 0)
	a.must(err)
	return text
}

// newest returns the booking of a slot that was made last.
func (a *acts) newest(slot booking.SlotID) (b booking.Booking) {
	for _, x := range a.bookings() {
		if x.Slot == slot && (b.Ref == "" || x.Members[0].Place >= b.Members[0].Place) && x.Status == booking.Booked {
			b = x
		}
	}
	return b
}

// TestEveryActIsNamed sends every form and document that an officer, or a program that
// acts as one, can send: each leaves a fact with the officer's id, or is listed as one that
// keeps nothing. A route that is in neither list is a fault.
func TestEveryActIsNamed(t *testing.T) {
	a := &acts{testPost: newTestPost(t), done: map[string]bool{}}
	docs := func(n int) documentIn { return documentIn{"cnic", "PAK", cnic(n)} }

	// Bookings by a program.
	order := func(slot booking.SlotID, n int) bookIn {
		return bookIn{Slot: slotIDText(slot), People: []personIn{{Name: "Zarmina Seeded", Document: docs(n)}}, Phone: "+92 300 7654321"}
	}
	bookings := "/api/v1/bookings/"
	made := func(n int) string {
		return into[bookingAnswerOut](t, a.api("POST /api/v1/bookings", "/api/v1/bookings", "clerk", order(hour(10), n))).Booking.Reference
	}
	a.api("POST /api/v1/bookings/{ref}/cancel", bookings+made(1)+"/cancel", "clerk", map[string]any{})
	a.api("POST /api/v1/bookings/{ref}/move", bookings+made(2)+"/move", "clerk", map[string]string{"to": slotIDText(hour(12))})
	a.api("POST /api/v1/bookings/{ref}/reissue", bookings+made(3)+"/reissue", "clerk", map[string]int{"member": 0})
	_, ref := a.offered(13, 10)
	a.api("POST /api/v1/bookings/{ref}/accept", bookings+string(ref)+"/accept", "clerk", map[string]any{})
	_, ref = a.offered(14, 12)
	a.api("POST /api/v1/bookings/{ref}/decline", bookings+string(ref)+"/decline", "clerk", map[string]any{})

	// Bookings at the clerk's window.
	var mine string
	a.by("POST /clerk/book/confirm", "clerk", func(string) reply {
		check := a.post("/en/clerk/book/people", "clerk", partyForm(hour(11), 20))
		r := a.post("/en/clerk/book/confirm", "clerk", hidden(check.body, "check"))
		mine, _, _ = strings.Cut(r.Header.Get("Location"), "?")
		return r
	})
	a.form("POST /clerk/booking/{link}/reissue", mine+"/reissue", "clerk", url.Values{"member": {"0"}})
	f := hidden(a.get(mine+"/move?day="+dayDate(hour(11).Day()).String(), "clerk").body, "")
	f.Set("to", slotIDText(hour(12)))
	a.form("POST /clerk/booking/{link}/move", mine+"/move", "clerk", f)
	a.form("POST /clerk/booking/{link}/cancel", mine+"/cancel", "clerk", hidden(a.get(mine+"/cancel", "clerk").body, ""))
	path, _ := a.offered(15, 30)
	a.form("POST /clerk/booking/{link}/accept", path+"/accept", "clerk", url.Values{})
	path, _ = a.offered(9, 32)
	a.form("POST /clerk/booking/{link}/decline", path+"/decline", "clerk", url.Values{})

	// Tests at the health desk of another market, where they are asked for.
	supervisor := people.OfficerID(fmt.Sprintf("o-%010d", slices.Index(people.Roles[:], people.Supervisor)))
	_, err := a.mem.Do(context.Background(), service.Idem{}, service.SetLevel{Site: 2, Level: "guarded", Emergency: true, Officer: supervisor})
	a.must(err)
	gabd := booking.MakeSlotID(2, 1, hour(15).Day(), 15*60)
	swab := func(minute uint16) string { return slotIDText(booking.MakeTestSlotID(2, gabd.Day(), minute)) }
	ill := into[bookingAnswerOut](t, a.call("POST", "/api/v1/bookings", "clerk", "tested-0000000001", order(gabd, 50))).Booking.Reference
	a.api("POST /api/v1/bookings/{ref}/test", bookings+ill+"/test", "clerk", testIn{swab(14 * 60)})
	mine = a.post("/en/clerk/find", "clerk", url.Values{"q": {ill}, "site": {"gabd-reemdan"}}).Header.Get("Location")
	a.form("POST /clerk/booking/{link}/test", mine+"/test", "clerk", url.Values{"test": {swab(13 * 60)}})

	// Requests that the law leaves to the manager.
	vendors := a.hold()
	for _, n := range []int{40, 41} {
		_, number := a.asks(vendors, n)
		ref := strings.ReplaceAll(number, "-", "")
		if n == 40 {
			a.api("POST /api/v1/requests/{request}/decision", "/api/v1/requests/"+ref+"/decision", "manager", rulingIn{false, "no_paper"})
			continue
		}
		at := regexp.MustCompile(`href="/en(/requests/[^"]+)"`).FindStringSubmatch(a.get("/en/requests?site=1", "manager").body)
		f := hidden(a.get("/en"+at[1], "manager").body, "")
		f.Set("admit", "yes")
		f.Set("why", "paper")
		a.form("POST /requests/{link}", "/en"+at[1], "manager", f)
	}

	// The gate, at ten.
	a.now = marketDay.Add(40 * time.Minute)
	a.atGate(t, docs)
	at := a.form("POST /health", "/en/health", "health", url.Values{"site": {"1"}, "who": {cnic(90)}, "kind": {"cnic"}, "country": {"PAK"}}).Header.Get("Location")
	a.form("POST /health/{link}", at, "health", url.Values{"act": {"close"}, "why": {"left"}})
	a.atDesk(t)
	a.inOffice(t)

	for _, rt := range a.server.table {
		if !strings.HasPrefix(rt.pattern, "POST ") || rt.access.open {
			continue
		}
		why, reads := reading[rt.pattern]
		if a.done[rt.pattern] == reads {
			t.Errorf("%s: done %v, and %q in the list of routes that keep nothing: let an officer do it here, or list it", rt.pattern, a.done[rt.pattern], why)
		}
	}
	for pattern := range reading {
		found := false
		for _, rt := range a.server.table {
			found = found || rt.pattern == pattern
		}
		if !found {
			t.Errorf("%s is no route", pattern)
		}
	}
	// What people brought is in no fact and in no line of the log.
	var all bytes.Buffer
	for _, h := range a.mem.Facts() {
		b, err := a.server.codec.Marshal(h.Fact)
		a.must(err)
		all.Write(b)
	}
	for _, secret := range []string{"Zarmina", "Gul Bano", "7654321", "35202", "clerk.new", "39.1", "V-SEEDED"} {
		for where, kept := range map[string]string{"facts": all.String(), "log": fmt.Sprint(a.log)} {
			if strings.Contains(kept, secret) {
				t.Errorf("the %s hold %q", where, secret)
			}
		}
	}
}

func (a *acts) atGate(t *testing.T, docs func(int) documentIn) {
	t.Helper()
	well := &screeningIn{TempTenths: 366}
	ill := &screeningIn{TempTenths: 391, Symptoms: true}
	scan := func(n int, s *screeningIn) scanOut {
		a.book("clerk", hour(10), n)
		in := scanIn{Site: "mand-pishin", Gate: 1, Direction: "in", Pass: a.passOf(a.newest(hour(10))), Screening: s}
		if s != nil {
			d := docs(n)
			in.Document = &d
		}
		return into[scanOut](t, a.api("POST /api/v1/gate/scans", "/api/v1/gate/scans", "gate", in))
	}
	one := scan(50, well)
	a.api("POST /api/v1/gate/undo", "/api/v1/gate/undo", "gate", map[string]any{"pass_id": one.PassID, "serial": one.Scan.Serial})
	two := scan(51, nil)
	a.api("POST /api/v1/gate/decisions", "/api/v1/gate/decisions", "supervisor", map[string]any{"site": "mand-pishin", "gate": 1, "pass_id": two.PassID, "serial": two.Scan.Serial, "admit": true, "why": "seen"})

	scan(53, ill)
	// The page of the gate.
	a.book("clerk", hour(10), 52)
	b := a.newest(hour(10))
	f := hidden(a.get("/en/gate?site=1&gate=1", "gate").body, "")
	f.Set("text", a.passOf(b))
	a.form("POST /gate", "/en/gate", "gate", f)
	serial := func() string {
		var n uint64
		a.must(a.mem.View(context.Background(), func(st service.State) error {
			p, _ := service.PresenceOf(st, b.Members[0].Pass)
			n = p.Scans[len(p.Scans)-1].Serial
			return nil
		}))
		return strconv.FormatUint(n, 10)
	}
	id := fmt.Sprint(b.Members[0].Pass)
	a.form("POST /gate/decide", "/en/gate/decide", "supervisor", url.Values{"site": {"1"}, "gate": {"1"}, "pass": {id}, "serial": {serial()}, "act": {"admit"}, "why": {"seen"}})
	a.form("POST /gate/undo", "/en/gate/undo", "gate", url.Values{"site": {"1"}, "gate": {"1"}, "pass": {id}, "serial": {serial()}})
}

// goodsLeave keeps what was bought at the desk at the way out, by a program, and lets it
// go on the page.
func (a *acts) goodsLeave(t *testing.T) {
	t.Helper()
	pass := a.passOf(a.newest(hour(10)))
	a.api("POST /api/v1/desk/purchases", "/api/v1/desk/purchases", "customs", buyIn{Site: "mand-pishin", Pass: pass, Buyer: &buyerIn{"Zarmina Seeded", documentIn{"cnic", "PAK", cnic(60)}}, Good: "07020000", Quantity: 1000})
	out := into[scanOut](t, a.api("POST /api/v1/gate/scans", "/api/v1/gate/scans", "gate", scanIn{Site: "mand-pishin", Gate: 1, Direction: "out", Pass: pass}))
	a.api("POST /api/v1/gate/goods", "/api/v1/gate/goods", "customs", goodsIn{Site: "mand-pishin", PassID: out.PassID, Serial: out.Scan.Serial, Why: "unpaid"})
	a.form("POST /gate/goods", "/en/gate/goods", "customs", url.Values{"site": {"1"}, "gate": {"1"}, "pass": {fmt.Sprint(out.PassID)}, "serial": {strconv.FormatUint(out.Scan.Serial, 10)},
		"act": {"go"}, "why": {"paid"}})
}

func (a *acts) atDesk(t *testing.T) {
	t.Helper()
	day := dayDate(hour(10).Day()).String()
	a.api("POST /api/v1/values", "/api/v1/values", "customs", displayIn{Site: "mand-pishin", Day: day, Values: []displayValueIn{{Good: "0702.0000", Minor: 100, Currency: "USD"}}})
	a.book("clerk", hour(10), 60)
	pass := a.passOf(a.newest(hour(10)))
	a.api("POST /api/v1/desk/purchases", "/api/v1/desk/purchases", "customs", map[string]any{"site": "mand-pishin", "pass": pass, "good": "07020000", "quantity": 1000,
		"buyer": map[string]any{"name": "Zarmina Seeded", "document": documentIn{"cnic", "PAK", cnic(60)}}})
	a.api("POST /api/v1/desk/purchases/{number}/void", "/api/v1/desk/purchases/"+a.receipt()+"/void", "customs", map[string]string{"why": "keyed"})
	open := a.post("/en/desk", "customs", url.Values{"site": {"1"}, "text": {pass}}).Header.Get("Location")
	token, _, _ := strings.Cut(strings.TrimPrefix(open, "/en/desk/buyer/"), "?")
	a.form("POST /desk/buy", "/en/desk/buy", "customs", url.Values{"site": {"1"}, "buyer": {token}, "code": {"07020000"}, "quantity": {"1"}})
	a.form("POST /desk/turn", "/en/desk/turn", "customs", url.Values{"site": {"1"}, "buyer": {token}, "code": {"07020000"}, "quantity": {"500"}})
	a.form("POST /desk/void", "/en/desk/void", "customs", url.Values{"site": {"1"}, "buyer": {token}, "id": {a.receipt()}, "why": {"keyed"}})
	f := hidden(a.get("/en/desk/values?site=1", "customs").body, "")
	f.Set("v.07020000", "2")
	a.form("POST /desk/values", "/en/desk/values", "customs", f)
	a.api("POST /api/v1/vendors", "/api/v1/vendors", "manager", map[string]any{"site": "mand-pishin", "document": documentIn{"cnic", "PAK", cnic(70)}, "card": "V-SEEDED1", "from": day, "until": "2026-01-01"})
	found := a.post("/en/vendors", "manager", url.Values{"site": {"1"}, "kind": {"cnic"}, "country": {"PAK"}, "document": {cnic(71)}}).Header.Get("Location")
	f = hidden(a.get(found, "manager").body, "")
	f.Set("site", "1")
	f.Set("card", "V-SEEDED2")
	f.Set("from", day)
	f.Set("until", "2026-01-01")
	path, _, _ := strings.Cut(found, "?")
	a.form("POST /vendors/card/{link}", path, "manager", f)
	// What was displayed yesterday is copied to today.
	a.goodsLeave(t)
	a.now = a.now.Add(24 * time.Hour)
	f = hidden(a.get("/en/desk/values?site=1", "customs").body, "copy")
	f.Set("site", "1")
	a.form("POST /desk/values/copy", "/en/desk/values/copy", "customs", f)
}

func (a *acts) inOffice(t *testing.T) {
	t.Helper()
	day := dayDate(hour(10).Day()).String()
	_, err := a.mem.Do(context.Background(), service.Idem{}, service.BeginList{List: 7, Hold: true})
	a.must(err)
	a.form("POST /day/open", "/en/day/open", "supervisor", url.Values{"site": {"1"}, "day": {day}})
	_, err = a.mem.Do(context.Background(), service.Idem{}, service.BeginList{List: 8, Hold: true})
	a.must(err)
	a.api("POST /api/v1/sales/open", "/api/v1/sales/open", "supervisor", map[string]string{"site": "mand-pishin"})
	a.form("POST /day/settle", "/en/day/settle", "supervisor", url.Values{"site": {"1"}, "day": {day}})
	a.contested(t)
	a.api("POST /api/v1/levels", "/api/v1/levels", "supervisor", levelIn{Site: "mand-pishin", Level: "guarded"})
	a.form("POST /intake/set", "/en/intake/set", "supervisor", url.Values{"site": {"1"}, "resource": {"yard"}, "class": {"visitor"}, "when": {"0"}, "places": {"395"}})
	a.form("POST /intake/drop", "/en/intake/drop", "supervisor", url.Values{"site": {"1"}, "line": {"yard.1.0.0.0.1440.false"}})
	a.form("POST /levels/set", "/en/levels/set", "supervisor", url.Values{"site": {"1"}, "level": {"high"}, "when": {"notice"}})
	a.closed()
	a.api("POST /api/v1/gate/settle", "/api/v1/gate/settle", "supervisor", map[string]string{"site": "gabd-reemdan", "day": day})
	f := url.Values{"name": {"Zarmina Seeded"}, "login": {"clerk.new"}, "role.clerk": {"yes"}, "language": {"en"}}
	a.form("POST /officers/new", "/en/officers/new", "admin", f)
	o, _, _, err := a.server.officerByLogin(context.Background(), "clerk.new")
	a.must(err)
	f = url.Values{"name": {"Zarmina Seeded"}, "login": {"clerk.new"}, "role.clerk": {"yes"}, "role.customs": {"yes"}, "language": {"en"}}
	a.form("POST /officers/{id}", "/en/officers/"+string(o.ID), "admin", f)
	a.form("POST /officers/{id}/word", "/en/officers/"+string(o.ID)+"/word", "admin", url.Values{})
	a.form("POST /officers/{id}/end", "/en/officers/"+string(o.ID)+"/end", "admin", url.Values{})
	a.form("POST /word", "/en/word", "clerk", url.Values{"now": {testWord}, "new": {"a wholly new word 1"}})
}

// receipt returns the newest receipt number.
func (a *acts) receipt() (id string) {
	for _, h := range a.mem.Facts() {
		if b, ok := h.Fact.(*market.Bought); ok {
			id = b.Purchase.ID
		}
	}
	return id
}

// contested has answers contested by officers for people, and answered.
func (a *acts) contested(t *testing.T) {
	t.Helper()
	a.now = a.now.Add(time.Hour)
	slot := a.nextMarketDay(hour(10))
	a.book("clerk", slot, 90)
	_, byForm := a.asks(slot+60, 90)
	_, byCall := a.asks(slot+120, 90)
	const words = "Zarmina was not asked"
	k := into[caseOut](t, a.api("POST /api/v1/cases", "/api/v1/cases", "clerk", contestIn{Answer: byCall, Site: "mand-pishin", Words: words}))
	a.api("POST /api/v1/cases/{case}/answer", "/api/v1/cases/"+string(k.Case)+"/answer", "supervisor", caseReply{Ground: "facts", Next: "nothing", Words: words})
	page := func(as string) string {
		return a.post("/en/cases", as, url.Values{"site": {"1"}, "number": {byForm}}).Header.Get("Location")
	}
	path := page("clerk")
	f := hidden(a.get(path, "clerk").body, "words-form")
	f.Set("words", words)
	a.form("POST /cases/{link}", path, "clerk", f)
	path = page("supervisor")
	f = hidden(a.get(path, "supervisor").body, "words-form")
	for k, v := range map[string]string{"result": "changed", "ground": "input", "next": "book", "words": words} {
		f.Set(k, v)
	}
	a.form("POST /cases/{link}/answer", path+"/answer", "supervisor", f)
}

// closed closes a site, and opens it by plans.
func (a *acts) closed() {
	form := func(route, path string, more ...string) {
		f := url.Values{"site": {"3"}}
		for i := 0; i+1 < len(more); i += 2 {
			f.Set(more[i], more[i+1])
		}
		a.form(route, path, "supervisor", f)
	}
	form("POST /closures/close", "/en/closures/close", "clause", "X-CLOSE", "cause", "works")
	form("POST /closures/plan", "/en/closures/plan", "first", dayDate(hour(10).Day()+9).String(), "places", "9", "waiting", "9")
	theirs := func(site uint16) [32]byte {
		p := closure.Plan{Number: 1, Ends: []closure.Name{{Side: "A", Number: 1}}, Waiting: 1, Said: a.now, Stages: []closure.Stage{{From: dayDate(hour(10).Day() + 9), Places: 9}}}
		_, err := a.mem.Do(context.Background(), service.Idem{}, service.HearClosures{Sites: []service.SiteClosures{{Site: site, Standing: closure.Standing{Plans: []closure.Plan{p}}}}})
		a.must(err)
		return p.Digest("B")
	}
	d := theirs(3)
	form("POST /closures/accept", "/en/closures/accept", "plan", "1", "digest", hex.EncodeToString(d[:]))
	form("POST /closures/lift", "/en/closures/lift", "act", "1")
	a.api("POST /api/v1/closures", "/api/v1/closures", "supervisor", closeIn{Site: "gabd-reemdan", Clause: "X-CLOSE", Cause: "works"})
	a.api("POST /api/v1/closures/plans", "/api/v1/closures/plans", "supervisor", planIn{Site: "gabd-reemdan", Stages: []stageIn{{From: dayDate(hour(10).Day() + 9).String(), Places: 9}}})
	d = theirs(2)
	a.api("POST /api/v1/closures/plans/accept", "/api/v1/closures/plans/accept", "supervisor", acceptPlanIn{Site: "gabd-reemdan", Number: 1, Digest: hex.EncodeToString(d[:])})
	a.api("POST /api/v1/closures/lift", "/api/v1/closures/lift", "supervisor", liftIn{Site: "gabd-reemdan", Number: 1})
}
