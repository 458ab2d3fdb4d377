// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package post_test

import (
	"context"
	"encoding/binary"
	"net"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/gate"
	"darwaza.dev/internal/post"
	"darwaza.dev/internal/rules"
	"darwaza.dev/internal/service"
	"darwaza.dev/internal/sim"
	"darwaza.dev/internal/store/storetest"
)

var (
	firstDay = calendar.MustDate(sim.DemoDay)
	midnight = firstDay.AddDays(1).Start(calendar.MustZone(sim.DemoZone)) // after it, by the markets' clock
)

// played is one side of a demonstration at the beginning of its day.
func played(t *testing.T) (*sim.Demo, *post.Post) {
	t.Helper()
	d, err := sim.Start(context.Background(), sim.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d, d.Of(agreement.A).Post
}

// booked takes a place that nobody will use.
func booked(t *testing.T, p *post.Post) service.Book {
	t.Helper()
	day := rules.DayNumber(firstDay)
	for site := uint16(1); site < 9; site++ {
		if slots := p.Law().Slots(site, day, 1); len(slots) > 0 {
			c := service.Book{Ref: "ABCDEFGHJKMN", Slot: booking.MakeSlotID(site, 1, day, slots[0].Minute)}
			m := service.NewMember{Tag: [16]byte{1}, Binding: [16]byte{2}, Document: "cnic", Age: 30}
			binary.BigEndian.PutUint64(m.Pass[:], 7)
			c.Members = []service.NewMember{m}
			if _, err := p.Writer().Do(context.Background(), service.Idem{}, c); err != nil {
				t.Fatal(err)
			}
			return c
		}
	}
	t.Fatal("no slot")
	return service.Book{}
}

func dayAndBooking(t *testing.T, p *post.Post, c service.Book) (row gate.SiteDay, b booking.Booking) {
	t.Helper()
	if err := p.Reader().View(context.Background(), func(st service.State) error {
		row = service.DayFigures(st, c.Slot.Site(), c.Slot.Day()).Gate
		b, _ = service.BookingOf(st, c.Ref)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return row, b
}

// size is how many facts the record holds.
func size(t *testing.T, p *post.Post) uint64 {
	t.Helper()
	done, err := p.Writer().Do(context.Background(), service.Idem{}, service.Sweep{})
	if err != nil {
		t.Fatal(err)
	}
	return done.First + done.Count
}

// TestPastDaysAreSettled sees that the clockwork settles a day that nobody settled, by the
// site's own clock and once.
func TestPastDaysAreSettled(t *testing.T) {
	ctx := context.Background()
	d, p := played(t)
	c := booked(t, p)
	if _, b := dayAndBooking(t, p, c); b.Status != booking.Booked {
		t.Fatalf("%+v", b)
	}
	for _, at := range []struct {
		when    time.Time
		settled bool
	}{{midnight.Add(-time.Minute), false}, {midnight.Add(4 * time.Minute), false}, {midnight.Add(5*time.Minute + time.Second), true}} {
		d.Clock.Set(at.when)
		if err := p.Tick(ctx); err != nil {
			t.Fatal(err)
		}
		if row, b := dayAndBooking(t, p, c); row.Closed != at.settled || (b.Status == booking.NoShow) != at.settled {
			t.Fatalf("at %v: %+v, booking %v", at.when, row, b.Status)
		}
	}
	if row, _ := dayAndBooking(t, p, c); row.ClosedBy != "" || row.ClosedAt.IsZero() {
		t.Errorf("%+v", row)
	}
	before := size(t, p)
	d.Clock.Set(midnight.Add(30 * time.Hour))
	if err := p.Tick(ctx); err != nil {
		t.Fatal(err)
	}
	if after := size(t, p); after != before {
		t.Errorf("%d facts more", after-before)
	}
}

// TestMissedDaysAreSettled sees a server settle, when it starts, the days that it missed
// while it did not run, and no later one by and by.
func TestMissedDaysAreSettled(t *testing.T) {
	d, p := played(t)
	c := booked(t, p)
	d.Clock.Set(midnight.AddDate(0, 4, 0))
	if err := p.Tick(context.Background()); err != nil {
		t.Fatal(err)
	}
	if row, b := dayAndBooking(t, p, c); !row.Closed || b.Status != booking.NoShow {
		t.Errorf("%+v, booking %v", row, b.Status)
	}
}

// TestSeveralServersSettleOnce sees two servers on one PostgreSQL come to the same past day
// at the same time.
func TestSeveralServersSettleOnce(t *testing.T) {
	ctx := context.Background()
	url := storetest.Postgres(t)
	d, p := played(t)
	var both []*post.Post
	for i := range 2 {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		ln.Close()
		conf := *p.Config
		conf.Database = url
		conf.Owner.Listen, conf.Owner.Address = ln.Addr().String(), ln.Addr().String()
		conf.Vault = filepath.Join(t.TempDir(), "vault")
		conf.Head = filepath.Join(t.TempDir(), "head")
		o, err := post.Open(ctx, &conf, post.Options{Clock: d.Clock.Now, Keys: p.Keys, Editions: p.Editions, Manual: true})
		if err != nil {
			t.Fatalf("server %d: %v", i, err)
		}
		defer o.Close()
		both = append(both, o)
	}
	c := booked(t, both[0])
	before := size(t, both[1])
	d.Clock.Set(midnight.Add(6 * time.Minute))
	var all sync.WaitGroup
	for _, o := range both {
		all.Go(func() {
			if err := o.Tick(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if row, b := dayAndBooking(t, both[1], c); !row.Closed || b.Status != booking.NoShow {
		t.Errorf("%+v, booking %v", row, b.Status)
	}
	if after := size(t, both[0]); after != before+2 { // who did not come, and that the day is settled
		t.Errorf("%d facts, want 2", after-before)
	}
}
