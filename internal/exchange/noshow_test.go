// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package exchange

import (
	"context"
	"testing"
	"time"

	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/gate"
	"darwaza.dev/internal/pass"
	"darwaza.dev/internal/people"
	"darwaza.dev/internal/service"
	"darwaza.dev/internal/stats"
)

// TestNoShowCorrected cuts the line; a traveller with a pass of A goes in and out by B's
// gate, both sides' clocks settle the day, and A takes them for absent. When the line is
// mended A corrects it by a new fact, and each side's figures of the day are the other's.
func TestNoShowCorrected(t *testing.T) {
	a, b := newPosts(t)
	ctx := context.Background()
	day, _, _ := service.DayAt(testLaw(), 1, noon)
	a.booked(1, 3) // one comes, one does not
	for _, p := range []*post{a, b} {
		must(p.mem.Do(ctx, service.Idem{}, service.Appoint{Officer: people.Officer{ID: "boss", Login: "boss", Roles: []people.Role{people.Supervisor}, Active: true, Language: "en"}}))
	}
	must(0, a.Pull(ctx))
	must(0, b.Pull(ctx))
	a.Cut(true)
	b.Cut(true)
	clocks := func(d time.Duration) { a.clock.add(d); b.clock.add(d) }
	at := func(way gate.Direction) {
		t.Helper()
		c := service.Scan{Site: 1, Direction: way, Officer: "boss", Match: service.Seen,
			Claims: pass.Claims{ID: passID("A", 1), Side: pass.SideA, Site: 1, Slot: uint64(booking.MakeSlotID(1, 1, day, 600)), Class: 1}}
		must(b.mem.Do(ctx, service.Idem{}, c))
		var pending uint64
		b.state(func(st service.State) {
			p, _ := st.Gate.Presences.Get(passID("A", 1))
			pending = p.Pending
		})
		if pending != 0 { // the agreement of these tests leaves everything to a person
			must(b.mem.Do(ctx, service.Idem{}, service.DecideScan{Pass: passID("A", 1), Serial: pending, Admit: true, Why: "seen", Officer: "boss"}))
		}
	}
	at(gate.In)
	clocks(time.Hour)
	at(gate.Out)
	clocks(12 * time.Hour) // past midnight
	for _, p := range []*post{a, b} {
		var cs []service.Settle
		p.state(func(st service.State) { cs = service.PastDays(st, testLaw(), 3, p.clock.Now()) })
		if len(cs) != 1 {
			t.Fatalf("%d days to settle", len(cs))
		}
		must(p.mem.Do(ctx, service.Idem{}, cs[0]))
	}
	if a.Pull(ctx) == nil {
		t.Fatal("the line is not down")
	}
	came, missed := booking.Ref("000000000001"), booking.Ref("000000000002")
	stands := func(noShows uint32, status booking.Status) {
		t.Helper()
		a.state(func(st service.State) {
			c, _ := st.Booking.Bookings.Get(came)
			m, _ := st.Booking.Bookings.Get(missed)
			d, _ := st.Stats.Days.Get(stats.Key{Site: 1, Day: day})
			if c.Status != status || m.Status != booking.NoShow || d.NoShow != noShows {
				t.Errorf("%v, %v and %d no-shows; want %v and %d", c.Status, m.Status, d.NoShow, status, noShows)
			}
		})
	}
	stands(2, booking.NoShow)
	a.Cut(false)
	b.Cut(false)
	clocks(time.Hour)
	n := len(a.mem.Facts())
	must(0, a.Pull(ctx))
	must(0, b.Pull(ctx))
	stands(1, booking.Used)
	var named bool
	for _, h := range a.mem.Facts()[n:] {
		if f, ok := h.Fact.(*booking.Entered); ok {
			named = f.Ref == came && f.Missed == 1 && f.Slot.Day() == day && f.Slot.Site() == 1
		}
	}
	if !named {
		t.Error("no fact names what it corrects")
	}
	for _, x := range [][2]*post{{a, b}, {b, a}} {
		var told stats.Other
		var own gate.SiteDay
		x[0].state(func(st service.State) { told, _ = st.Stats.Other.Get(stats.Key{Site: 1, Day: day}) })
		x[1].state(func(st service.State) { own, _ = st.Gate.Days.Get(gate.SiteDayKey{Site: 1, Day: day}) })
		if told.Entries != own.Entries || told.Exits != own.Exits || told.Inside != own.Inside || told.Peak != own.Peak {
			t.Errorf("told %+v, it is %+v", told, own)
		}
	}
	b.state(func(st service.State) {
		if d, _ := st.Gate.Days.Get(gate.SiteDayKey{Site: 1, Day: day}); d.Entries != 1 || d.Exits != 1 || d.Inside != 0 {
			t.Errorf("%+v", d)
		}
	})
	// What was heard once is not heard again, nor is the day asked about any more.
	n = len(a.mem.Facts())
	must(0, a.Pull(ctx))
	if got := len(a.mem.Facts()); got != n {
		t.Errorf("%d facts more", got-n)
	}
}
