// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package post_test

import (
	"context"
	"encoding/binary"
	"sync"
	"testing"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/gate"
	"darwaza.dev/internal/rules"
	"darwaza.dev/internal/service"
	"darwaza.dev/internal/sim"
)

// TestPastDaysAreSettled sees that the clockwork settles a day that nobody settled, by the
// site's own clock and once, at whatever day the server comes to it.
func TestPastDaysAreSettled(t *testing.T) {
	ctx := context.Background()
	d, err := sim.Start(ctx, sim.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	p := d.Of(agreement.A).Post
	day := rules.DayNumber(calendar.MustDate(sim.DemoDay))
	var site uint16
	var plan rules.SlotPlan
	for site = 1; site < 9 && plan.From.IsZero(); site++ {
		for _, s := range p.Law().Slots(site, day, 1) {
			plan = s
		}
	}
	site--
	c := service.Book{Ref: "ABCDEFGHJKMN", Slot: booking.MakeSlotID(site, 1, day, plan.Minute)}
	m := service.NewMember{Tag: [16]byte{1}, Binding: [16]byte{2}, Document: "cnic", Age: 30}
	binary.BigEndian.PutUint64(m.Pass[:], 7)
	c.Members = []service.NewMember{m}
	if _, err := p.Writer().Do(ctx, service.Idem{}, c); err != nil {
		t.Fatal(err)
	}
	stands := func() (row gate.SiteDay, b booking.Booking) {
		t.Helper()
		if err := p.Reader().View(ctx, func(st service.State) error {
			row = service.DayFigures(st, site, day).Gate
			b, _ = service.BookingOf(st, c.Ref)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		return row, b
	}
	if _, b := stands(); b.Status != booking.Booked {
		t.Fatalf("%+v", b)
	}
	midnight := calendar.MustDate(sim.DemoDay).AddDays(1).Start(p.Law().Zone(siteID(t, p.Law(), d.Clock.Now(), site)))
	for _, at := range []struct {
		when    time.Time
		settled bool
	}{{midnight.Add(-time.Minute), false}, {midnight.Add(4 * time.Minute), false}, {midnight.Add(5*time.Minute + time.Second), true}} {
		d.Clock.Set(at.when)
		if err := p.Tick(ctx); err != nil {
			t.Fatal(err)
		}
		if row, b := stands(); row.Closed != at.settled || (b.Status == booking.NoShow) != at.settled {
			t.Fatalf("at %v: %+v, booking %v", at.when, row, b.Status)
		}
	}
	row, _ := stands()
	if row.ClosedBy != "" || row.ClosedAt.IsZero() {
		t.Errorf("%+v", row)
	}
	// Several servers do the same at once, and one of them is late: nothing happens twice.
	size := func() uint64 {
		done, err := p.Writer().Do(ctx, service.Idem{}, service.Sweep{})
		if err != nil {
			t.Fatal(err)
		}
		return done.First + done.Count
	}
	before := size()
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if done, err := p.Writer().Do(ctx, service.Idem{}, service.Settle{Site: site, Day: day, Bookings: []booking.Ref{c.Ref}}); err != nil || done.Count != 0 {
				t.Errorf("settled again: %d facts, %v", done.Count, err)
			}
		})
	}
	all.Wait()
	d.Clock.Set(midnight.Add(30 * time.Hour))
	if err := p.Tick(ctx); err != nil {
		t.Fatal(err)
	}
	if after := size(); after != before {
		t.Errorf("%d facts more", after-before)
	}
}

func siteID(t *testing.T, law *rules.Law, now time.Time, number uint16) string {
	t.Helper()
	e, _ := law.Edition(now)
	s, ok := e.SiteNumbered(number)
	if !ok {
		t.Fatal("no site")
	}
	return s.ID
}
