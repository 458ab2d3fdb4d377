// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
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
