// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"net/http"
	"testing"

	"darwaza.dev/internal/service"
)

// TestProgramActsAsItsOfficer holds a program to the site of the officer it acts as, and
// wants that officer named in what it books.
func TestProgramActsAsItsOfficer(t *testing.T) {
	p := newTestPost(t)
	clerk, _, _, err := p.server.officerByLogin(context.Background(), "clerk")
	p.must(err)
	order := func(n int) bookIn {
		return bookIn{Slot: slotIDText(hour(10)), People: []personIn{{Document: documentIn{"cnic", "PAK", cnic(n)}}}}
	}
	p.call("POST", "/api/v1/bookings", "clerk", "program-book-0000", order(5))
	if b := p.bookings(); len(b) != 1 || b[0].By != string(clerk.ID) {
		t.Fatalf("booked %+v, want one by %s", b, clerk.ID)
	}
	ref := string(p.bookings()[0].Ref)
	clerk.Site = "gabd-reemdan"
	_, err = p.mem.Do(context.Background(), service.Idem{}, service.Appoint{Officer: clerk})
	p.must(err)
	if r := p.call("POST", "/api/v1/bookings", "clerk", "program-book-0001", order(6)); r.StatusCode != http.StatusForbidden {
		t.Errorf("a clerk of another site books: %d %s", r.StatusCode, r.body)
	}
	for _, act := range []string{"cancel", "accept", "decline"} {
		if r := p.call("POST", "/api/v1/bookings/"+ref+"/"+act, "clerk", "program-"+act+"-00", map[string]any{}); r.StatusCode != http.StatusForbidden {
			t.Errorf("a clerk of another site may %s: %d %s", act, r.StatusCode, r.body)
		}
	}
}
