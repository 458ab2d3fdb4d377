// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"darwaza.dev/internal/service"
)

// TestAllowanceByOldPass has a pass of four days ago at the desk: its tag is of another
// day, so that it would open an allowance beside today's.
func TestAllowanceByOldPass(t *testing.T) {
	p := newTestPost(t)
	p.book("", hour(10), 1)
	old, _, err := p.server.passText(p.bookings()[0], 0)
	p.must(err)
	p.now = marketDay.Add(4 * 24 * time.Hour)
	day := hour(10).Day() + 4
	customs, _, _, err := p.server.officerByLogin(context.Background(), "customs")
	p.must(err)
	_, err = p.mem.Do(context.Background(), service.Idem{}, service.Display{Site: 1, Day: day, Officer: customs.ID,
		Values: []service.DisplayValue{{Code: "07020000", Minor: 100, Currency: "USD"}}})
	p.must(err)
	a := p.call("POST", "/api/v1/desk/purchases", "customs", "allowance-by-api-0", map[string]any{"site": "mand-pishin", "pass": old, "good": "07020000", "quantity": 1000})
	if strings.Contains(a.body, `"number":"R-`) {
		t.Errorf("a program bought by a pass of another day: %d %s", a.StatusCode, a.body)
	}
	r := p.post("/en/desk", "customs", url.Values{"site": {"1"}, "text": {old}})
	if r.StatusCode != http.StatusOK || !strings.Contains(r.body, "another day") {
		t.Errorf("the desk took a pass of another day: %d, to %q", r.StatusCode, r.Header.Get("Location"))
	}
}

// TestDeskAfterCancel has the pass of a booking that was cancelled today, and the paper of
// one that was issued anew since, at the desk: both are refused, the new paper is not.
func TestDeskAfterCancel(t *testing.T) {
	p := newTestPost(t)
	customs, _, _, err := p.server.officerByLogin(context.Background(), "customs")
	p.must(err)
	_, err = p.mem.Do(context.Background(), service.Idem{}, service.Display{Site: 1, Day: hour(10).Day(), Officer: customs.ID,
		Values: []service.DisplayValue{{Code: "07020000", Minor: 100, Currency: "USD"}}})
	p.must(err)
	n := 0
	buy := func(how string, named any) bool {
		n++
		a := p.call("POST", "/api/v1/desk/purchases", "customs", fmt.Sprintf("desk-by-api-%04d", n), map[string]any{"site": "mand-pishin", how: named, "good": "07020000", "quantity": 1000,
			"buyer": map[string]any{"name": "Gul Bano", "document": documentIn{"cnic", "PAK", cnic(1)}}})
		return strings.Contains(a.body, `"number":"R-`)
	}
	p.book("", hour(10), 1)
	b := p.bookings()[0]
	first, _, err := p.server.passText(b, 0)
	p.must(err)
	open := p.post("/en/desk", "customs", url.Values{"site": {"1"}, "text": {first}})
	if open.StatusCode != http.StatusSeeOther || !buy("pass", first) || !buy("pass_id", b.Members[0].Pass) {
		t.Fatalf("a good pass: %d", open.StatusCode)
	}
	page := open.Header.Get("Location")

	_, err = p.mem.Do(context.Background(), service.Idem{}, service.Reissue{Ref: b.Ref})
	p.must(err)
	second, _, err := p.server.passText(p.bookings()[0], 0)
	p.must(err)
	if r := p.post("/en/desk", "customs", url.Values{"site": {"1"}, "text": {first}}); r.StatusCode != 200 || !strings.Contains(text(r.body), "newer pass") || buy("pass", first) {
		t.Errorf("the older paper: %d %s", r.StatusCode, text(r.body))
	}
	if r := p.post("/en/desk", "customs", url.Values{"site": {"1"}, "text": {second}}); r.StatusCode != http.StatusSeeOther || !buy("pass", second) || !buy("pass_id", b.Members[0].Pass) {
		t.Errorf("the newer paper: %d %s", r.StatusCode, text(r.body))
	}

	_, err = p.mem.Do(context.Background(), service.Idem{}, service.Cancel{Ref: b.Ref})
	p.must(err)
	if r := p.post("/en/desk", "customs", url.Values{"site": {"1"}, "text": {second}}); r.StatusCode != 200 || !strings.Contains(text(r.body), "cancelled or moved") {
		t.Errorf("the pass of a cancelled booking: %d %s", r.StatusCode, text(r.body))
	}
	if buy("pass", second) || buy("pass_id", b.Members[0].Pass) {
		t.Error("a program bought by the pass of a cancelled booking")
	}
	// The buyer's page that was open already sells nothing more either.
	token, _, _ := strings.Cut(strings.TrimPrefix(page, "/en/desk/buyer/"), "?")
	r := p.post("/en/desk/buy", "customs", url.Values{"site": {"1"}, "buyer": {token}, "code": {"07020000"}, "quantity": {"1"}, "idem": {"0123456789abcdefgh"}})
	if r.StatusCode != 200 || !strings.Contains(text(r.body), "cancelled or moved") {
		t.Errorf("the open page: %d %s", r.StatusCode, text(r.body))
	}
}

// TestOnePassOneLedger has one pass shown with another person's document: its purchase
// would count towards that person's allowance, and leave the holder's as it was.
func TestOnePassOneLedger(t *testing.T) {
	p := newTestPost(t)
	customs, _, _, err := p.server.officerByLogin(context.Background(), "customs")
	p.must(err)
	_, err = p.mem.Do(context.Background(), service.Idem{}, service.Display{Site: 1, Day: hour(10).Day(), Officer: customs.ID,
		Values: []service.DisplayValue{{Code: "07020000", Minor: 100, Currency: "USD"}}})
	p.must(err)
	p.book("", hour(10), 1)
	b := p.bookings()[0]
	own, _, err := p.server.passText(b, 0)
	p.must(err)
	buy := func(n int, fields map[string]any) reply {
		in := map[string]any{"site": "mand-pishin", "good": "07020000", "quantity": 1000,
			"buyer": map[string]any{"name": "Gul Bano", "document": documentIn{"cnic", "PAK", cnic(n)}}}
		maps.Copy(in, fields)
		return p.call("POST", "/api/v1/desk/purchases", "customs", fmt.Sprintf("one-ledger-%06d-%d", n, len(fields["how"].(string))), without(in, "how"))
	}
	if a := buy(1, map[string]any{"how": "p", "pass": own}); !strings.Contains(a.body, `"number":"R-`) {
		t.Fatalf("the holder: %d %s", a.StatusCode, a.body)
	}
	for _, fields := range []map[string]any{{"how": "pa", "pass": own}, {"how": "pas", "pass_id": b.Members[0].Pass}} {
		if a := buy(2, fields); a.StatusCode != http.StatusBadRequest || strings.Contains(a.body, cnic(2)) {
			t.Errorf("another person's document: %d %s", a.StatusCode, a.body)
		}
	}
}

func without(m map[string]any, key string) map[string]any {
	delete(m, key)
	return m
}

// TestPaperLacksDuty wants a receipt without a known duty to say so.
func TestPaperLacksDuty(t *testing.T) {
	p := newTestPost(t)
	v := paperView{Name: "A", Number: "1"}
	v.Edition, _ = p.law.Edition(p.now)
	p.server.receiptFields(&v)
	if len(v.Lacks) != 1 {
		t.Errorf("lacks %v, want the duty", v.Lacks)
	}
}
