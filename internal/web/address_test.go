// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"net/http/httptest"
	"strings"
	"testing"

	"darwaza.dev/internal/booking"
)

// TestReferencesInNoLog: a program puts a reference, or the number of a request, into an
// address; the log has the route's pattern, and neither them nor a query.
func TestReferencesInNoLog(t *testing.T) {
	p := newTestPost(t)
	p.book("", hour(10), 1)
	ref := string(p.bookings()[0].Ref)
	p.log.Reset()
	for _, c := range [][2]string{
		{"GET", "/api/v1/bookings/" + ref}, {"GET", "/api/v1/bookings/" + ref + "?q=" + ref}, {"POST", "/api/v1/bookings/" + ref + "/accept"},
		{"GET", "/api/v1/requests/" + ref}, {"GET", "/api/v1/bookings/" + ref + "/none"}, {"PUT", "/api/v1/bookings/" + ref},
	} {
		r := p.call(c[0], c[1], "clerk", "address-000000001", nil)
		if r.Header.Get("Cache-Control") != "no-store" || r.Header.Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("%s %s may be kept: %v", c[0], c[1], r.Header)
		}
	}
	log := p.log.String()
	if strings.Contains(log, ref) || strings.Contains(strings.ToUpper(log), ref[:8]) {
		t.Errorf("the log holds a reference:\n%s", log)
	}
	if !strings.Contains(log, "/api/v1/bookings/{ref}") {
		t.Errorf("nothing was logged:\n%s", log)
	}
}

// TestReferenceInHeader: a program names a booking, or a request, in a header, and its
// address says nothing of it.
func TestReferenceInHeader(t *testing.T) {
	p := newTestPost(t)
	p.book("", hour(10), 1)
	ref := string(p.bookings()[0].Ref)
	call := func(method, path, header string) reply {
		r := httptest.NewRequest(method, path, strings.NewReader("{}"))
		r.Header.Set("Authorization", "Bearer token-clerk")
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Idempotency-Key", "header-000000001")
		if header != "" {
			r.Header.Set(referenceHeader, header)
		}
		return p.send(r)
	}
	if r := call("GET", "/api/v1/bookings/-", ref); r.StatusCode != 200 || !strings.Contains(r.body, ref) {
		t.Errorf("by the header: %d %s", r.StatusCode, r.body)
	}
	for name, r := range map[string]reply{
		"nothing": call("GET", "/api/v1/bookings/-", ""), "another's": call("GET", "/api/v1/bookings/-", "222222222222"),
		"the path goes first": call("GET", "/api/v1/bookings/222222222222", ref),
	} {
		if r.StatusCode != 404 {
			t.Errorf("%s: %d", name, r.StatusCode)
		}
	}
	if r := call("POST", "/api/v1/bookings/-/cancel", ref); r.StatusCode != 200 || p.bookings()[0].Status != booking.Cancelled {
		t.Errorf("cancel: %d %s", r.StatusCode, r.body)
	}
	p.book("", hour(11), 2)
	f := partyForm(hour(12), 2)
	f.Set("idem", "refused-000000001")
	p.post("/en/book/confirm", "", f)
	var asked string
	for _, h := range p.mem.Facts() {
		if f, ok := h.Fact.(*booking.Refused); ok {
			asked = string(f.Ref)
		}
	}
	if r := call("GET", "/api/v1/requests/-", asked); asked == "" || r.StatusCode != 200 {
		t.Errorf("a request %q: %d %s", asked, r.StatusCode, r.body)
	}
}
