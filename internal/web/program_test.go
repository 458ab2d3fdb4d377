// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"darwaza.dev/internal/booking"
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
	p.server.actors.known = nil // what was read of the officer is old by now
	if r := p.call("POST", "/api/v1/bookings", "clerk", "program-book-0001", order(6)); r.StatusCode != http.StatusForbidden {
		t.Errorf("a clerk of another site books: %d %s", r.StatusCode, r.body)
	}
	if r := p.call("GET", "/api/v1/bookings/"+ref, "clerk", "", nil); r.StatusCode != http.StatusForbidden || strings.Contains(r.body, "DW1:") {
		t.Errorf("a clerk of another site reads it: %d %s", r.StatusCode, r.body)
	}
	for _, act := range []string{"cancel", "accept", "decline"} {
		if r := p.call("POST", "/api/v1/bookings/"+ref+"/"+act, "clerk", "program-"+act+"-00", map[string]any{}); r.StatusCode != http.StatusForbidden {
			t.Errorf("a clerk of another site may %s: %d %s", act, r.StatusCode, r.body)
		}
	}
}

// TestProgramNamedInOffers has a program take one offered place and let another go, and
// wants the officer it acts as named in both facts.
func TestProgramNamedInOffers(t *testing.T) {
	p := newTestPost(t)
	clerk, _, _, err := p.server.officerByLogin(context.Background(), "clerk")
	p.must(err)
	first := p.book("", hour(11), 1)
	second := p.book("", hour(11), 2)
	p.fill(hour(11), 2)
	var refs []string
	for n := 3; n < 5; n++ {
		a := into[bookingAnswerOut](t, p.call("POST", "/api/v1/bookings", "clerk", fmt.Sprintf("program-waits-%03d", n),
			bookIn{Slot: slotIDText(hour(11)), Waits: true, People: []personIn{{Document: documentIn{"cnic", "PAK", cnic(n)}}}}))
		refs = append(refs, a.Booking.Reference)
	}
	for _, mine := range []string{first, second} {
		p.post(mine+"/cancel", "", hidden(p.get(mine+"/cancel", "").body, ""))
	}
	_, err = p.mem.Do(context.Background(), service.Idem{}, service.Acknowledge{Serial: 2})
	p.must(err)
	for i, act := range []string{"accept", "decline"} {
		if r := p.call("POST", "/api/v1/bookings/"+refs[i]+"/"+act, "clerk", "program-offers-"+act, map[string]any{}); r.StatusCode != 200 || !strings.Contains(r.body, `"outcome":"ALLOW"`) {
			t.Fatalf("%s: %d %s", act, r.StatusCode, r.body)
		}
	}
	named := map[string]bool{}
	for _, h := range p.mem.Facts() {
		switch f := h.Fact.(type) {
		case *booking.Granted:
			named["accept"] = f.By == string(clerk.ID)
		case *booking.GivenBack:
			if string(f.Ref) == refs[1] {
				named["decline"] = f.By == string(clerk.ID)
			}
		}
	}
	if !named["accept"] || !named["decline"] {
		t.Errorf("named %v", named)
	}
}
