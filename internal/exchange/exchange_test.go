// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package exchange

import (
	"context"
	"io"
	"testing"
	"time"

	"darwaza.dev/internal/gate"
	"darwaza.dev/internal/pass"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/reason"
	"darwaza.dev/internal/service"
	"darwaza.dev/internal/stats"
)

// TestRound lets both sides pull once: each then holds what the other said, and has
// told the other what it holds.
func TestRound(t *testing.T) {
	a, b := newPosts(t)
	ctx := context.Background()
	b.withdraw(2500) // three pages
	b.state(func(st service.State) {
		day, _, _ := service.DayAt(b.deps.Law(), 1, noon)
		st.Gate.Days.Put(gate.SiteDayKey{Site: 1, Day: day}, gate.SiteDay{Site: 1, Day: day, Inside: 42, Peak: 50, Entries: 60, Exits: 18})
		st.Stats.Days.Put(stats.Key{Site: 1, Day: day}, stats.Day{Site: 1, Day: day, Booked: 77, UpdatedAt: noon, Arrivals: make([]uint32, stats.Buckets),
			Outcomes: map[reason.Outcome]uint32{reason.Allow: 60}, Reasons: []stats.ReasonCount{{ReasonKey: stats.ReasonKey{Code: "a.b.c", Clause: "P8(ii)-d"}, Count: 3}},
			Categories: map[string]stats.Category{"I": {Lots: 5, Value: 900}}})
	})
	if err := a.Pull(ctx); err != nil {
		t.Fatal(err)
	}
	if got := a.heard(); got.Serial != 2500 || !got.At.Equal(noon) {
		t.Errorf("heard %+v", got)
	}
	if got := b.acks(); got.Heard != 2500 {
		t.Errorf("acknowledged %+v", got)
	}
	a.state(func(st service.State) {
		for _, n := range []uint64{1, 1000, 1001, 2500} {
			if w, ok := st.Gate.Withdrawn.Get(passID("B", n)); !ok || w.Serial != n || w.Gen != 1 {
				t.Errorf("withdrawal %d: %+v, %v", n, w, ok)
			}
		}
		day, _, _ := service.DayAt(a.deps.Law(), 1, noon)
		if f, ok := st.Stats.Other.Get(stats.Key{Site: 1, Day: day}); !ok || f.Inside != 42 || f.Peak != 50 || !f.HeardAt.Equal(noon) {
			t.Errorf("figures %+v, %v", f, ok)
		} else if w := f.Whole; w == nil || w.Booked != 77 || w.Outcomes[reason.Allow] != 60 || len(w.Reasons) != 1 || w.Reasons[0].Clause != "P8(ii)-d" || w.Categories["I"].Value != 900 || !f.WholeAt.Equal(noon) {
			t.Errorf("of the whole day %+v, as of %v", w, f.WholeAt)
		}
	})
	// The other side's passes verify from now on, with no line.
	b.server.Close()
	text := must(pass.Sign(b.passKey, pass.Claims{Side: pass.SideB, NotBefore: noon, Expires: noon.Add(time.Hour), IssuedAt: noon}))
	if _, fault := a.getTrust().Verify(text, noon); fault != "" || a.learnt != 2 {
		t.Errorf("fault %q, %d certificates learnt", fault, a.learnt)
	}
	s := a.Status()
	if !s.Up || !s.Heard.Equal(noon) || s.Lag != 0 || !s.SkewKnown || s.Skew != 0 || len(s.Refused) != 0 || !b.Status().Served.Equal(noon) {
		t.Errorf("status %+v", s)
	}
	if err := b.Pull(ctx); err != nil {
		t.Fatal(err)
	}
	if b.learnt != 2 {
		t.Errorf("the other side learnt %d", b.learnt)
	}
}

// TestIdle wants a second round with nothing new to write nothing, and the ages to be
// written anew when they are due.
func TestIdle(t *testing.T) {
	a, b := newPosts(t)
	ctx := context.Background()
	b.withdraw(3)
	must(0, a.Pull(ctx))
	before, learnt, figures := len(a.mem.Facts()), a.learnt, a.writer.count("stats.other")
	for range 3 {
		a.clock.add(5 * time.Second)
		b.clock.add(5 * time.Second)
		must(0, a.Pull(ctx))
	}
	if n := len(a.mem.Facts()); n != before || a.learnt != learnt {
		t.Errorf("%d facts, were %d", n, before)
	}
	if n := a.writer.count("stats.other"); n != figures || figures == 0 || a.writer.count("gate.withdrawn") != 1 {
		t.Errorf("figures written %d times, were %d, and the list %d times", n, figures, a.writer.count("gate.withdrawn"))
	}
	if n := b.writer.count("booking.acknowledge"); n != 1 {
		t.Errorf("acknowledged %d times", n)
	}
	a.clock.add(time.Minute)
	b.clock.add(time.Minute)
	must(0, a.Pull(ctx))
	if h := a.heard(); !h.At.Equal(a.clock.Now()) {
		t.Errorf("the list was last read at %v", h.At)
	}
	if n := a.writer.count("stats.other") - figures; n != 2 {
		t.Errorf("figures of %d days written anew, want today's of two sites", n)
	}
}

// TestPartition cuts the line at either end, lets both sides go on, and heals it.
func TestPartition(t *testing.T) {
	ctx := context.Background()
	for _, tt := range []struct {
		name string
		cut  func(a, b *post, cut bool)
		want string
	}{
		{"at this end", func(a, b *post, cut bool) { a.Cut(cut) }, "exchange.cut"},
		{"at the other end", func(a, b *post, cut bool) { b.Cut(cut) }, "exchange.offline"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a, b := newPosts(t)
			b.withdraw(2)
			must(0, a.Pull(ctx))
			tt.cut(a, b, true)
			b.withdraw(2)
			a.clock.add(time.Minute)
			b.clock.add(time.Minute)
			if err := a.Pull(ctx); problem.KindOf(err) != problem.Offline || problem.CodeOf(err) != tt.want {
				t.Errorf("cut: %v", err)
			}
			s := a.Status()
			if s.Up || !s.Heard.Equal(noon) || s.topic(topicWithdrawals).Fault != tt.want || a.Status().Cut == b.Status().Cut {
				t.Errorf("cut: status %+v", s)
			}
			// What was not heard is not taken for heard.
			if a.heard().Serial != 2 || b.acks().Heard != 2 {
				t.Errorf("cut: heard %+v, acknowledged %+v", a.heard(), b.acks())
			}
			tt.cut(a, b, false)
			must(0, a.Pull(ctx))
			if s := a.Status(); !s.Up || !s.Heard.Equal(noon.Add(time.Minute)) || s.topic(topicWithdrawals).Fault != "" {
				t.Errorf("healed: status %+v", s)
			}
			if a.heard().Serial != 4 || b.acks().Heard != 4 {
				t.Errorf("healed: heard %+v, acknowledged %+v", a.heard(), b.acks())
			}
		})
	}
}

// TestWriterFails wants nothing to be acknowledged that was not committed, and a page
// whose commit was not heard of to do no harm when it comes again.
func TestWriterFails(t *testing.T) {
	a, b := newPosts(t)
	ctx := context.Background()
	b.withdraw(5)
	a.writer.before = 1
	if err := a.Pull(ctx); problem.KindOf(err) != problem.Offline {
		t.Errorf("not written: %v", err)
	}
	if a.heard().Serial != 0 || b.acks().Heard != 0 {
		t.Errorf("not written: heard %+v, acknowledged %+v", a.heard(), b.acks())
	}
	a.writer.after = 1
	if err := a.Pull(ctx); problem.KindOf(err) != problem.Offline {
		t.Errorf("answer lost: %v", err)
	}
	if a.heard().Serial != 5 || b.acks().Heard != 0 {
		t.Errorf("answer lost: heard %+v, acknowledged %+v", a.heard(), b.acks())
	}
	// The server that was asked could not record the acknowledgement: it is told again.
	b.writer.before = 1
	if err := a.Pull(ctx); problem.CodeOf(err) != "exchange.refused.fault" {
		t.Errorf("acknowledgement not written: %v", err)
	}
	must(0, a.Pull(ctx))
	if n := a.writer.count("gate.withdrawn"); n != 1 || b.acks().Heard != 5 {
		t.Errorf("%d pages written, acknowledged %+v", n, b.acks())
	}
}

// TestClocks wants clocks that differ to be reported, and too great a difference refused.
func TestClocks(t *testing.T) {
	a, b := newPosts(t)
	ctx := context.Background()
	b.clock.add(9 * time.Minute)
	must(0, a.Pull(ctx))
	if s := a.Status(); s.Skew != 9*time.Minute || !s.SkewKnown || !s.Heard.Equal(noon) {
		t.Errorf("status %+v", s)
	}
	for _, d := range []time.Duration{2 * time.Minute, -22 * time.Minute} {
		b.clock.add(d)
		if err := a.Pull(ctx); problem.CodeOf(err) != "exchange.refused.clock" {
			t.Errorf("%v: got %v", d, err)
		}
		if s := a.Status(); s.Up || s.Skew != b.clock.Now().Sub(noon) || !b.Status().refused(refusedClock) {
			t.Errorf("%v: status %+v", d, s)
		}
	}
}

// TestAhead wants a side that has lost part of its list to say so, not to believe that
// what it will write next was heard.
func TestAhead(t *testing.T) {
	a, b := newPosts(t)
	ctx := context.Background()
	b.withdraw(4)
	must(0, a.Pull(ctx))
	b.state(func(st service.State) { // an old backup
		acks, _ := st.Booking.Acks.Get(0)
		acks.Last, acks.Heard = 2, 1
		st.Booking.Acks.Put(0, acks)
	})
	if err := a.Pull(ctx); problem.CodeOf(err) != "exchange.refused.ahead" {
		t.Errorf("got %v", err)
	}
	if got := b.acks(); got.Heard != 1 {
		t.Errorf("acknowledged %+v", got)
	}
}

func TestNoEdition(t *testing.T) {
	a, b := newPosts(t)
	early := noon.AddDate(-2, 0, 0)
	for _, p := range []*post{a, b} {
		p.clock.add(early.Sub(noon))
		p.certs = [][]byte{must(pass.Certify(p.root, p.key.Public(), pass.UseExchange, early.AddDate(0, 0, -1), nextYear))}
	}
	if err := a.Pull(context.Background()); err != nil {
		t.Errorf("got %v", err)
	}
}

// TestRun wants Run to pull at once and again, and to end with its context.
func TestRun(t *testing.T) {
	a, b := newPosts(t)
	a.deps.Every = time.Millisecond
	b.withdraw(1)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- a.Run(ctx) }()
	for b.acks().Heard == 0 {
		time.Sleep(time.Millisecond)
	}
	stop()
	if err := <-ended; err != context.Canceled {
		t.Errorf("got %v", err)
	}
	a.peer = nil
	ctx, stop = context.WithCancel(context.Background())
	stop()
	if err := a.Run(ctx); err != context.Canceled {
		t.Errorf("no peer: got %v", err)
	}
	if err := a.Pull(ctx); problem.KindOf(err) != problem.Offline {
		t.Errorf("no peer: got %v", err)
	}
}

func TestNewRefuses(t *testing.T) {
	a, _ := newPosts(t)
	for name, change := range map[string]func(*Deps){
		"side": func(d *Deps) { d.Side = "C" }, "agreement": func(d *Deps) { d.Agreement = "" }, "key": func(d *Deps) { d.Key = nil },
		"peer": func(d *Deps) { d.Peer = "b.example" }, "peer's scheme": func(d *Deps) { d.Peer = "ftp://b.example" }, "every": func(d *Deps) { d.Every = 0 },
	} {
		d := a.deps
		change(&d)
		if _, err := New(d); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

func TestNonces(t *testing.T) {
	var n nonces
	one, two := [16]byte{1}, [16]byte{2}
	if !n.take(one, noon) || n.take(one, noon) || !n.take(two, noon.Add(Window)) || n.take(one, noon.Add(2*Window)) {
		t.Error("a nonce is good once in the window")
	}
	if !n.take(one, noon.Add(3*Window)) || len(n.order) != 2 {
		t.Errorf("%d remembered", len(n.order))
	}
	var full nonces
	for i := range maxNonces {
		if !full.take([16]byte{1, byte(i), byte(i >> 8), byte(i >> 16)}, noon) {
			t.Fatal(i)
		}
	}
	if full.take(two, noon) {
		t.Error("no room, and taken")
	}
	if !full.take(two, noon.Add(3*Window)) || len(full.known) != 1 {
		t.Errorf("%d remembered", len(full.known))
	}
}

// endless is a body that never ends.
type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) {
	e.read += len(p)
	if e.read > 64<<20 {
		return 0, io.EOF // the test has failed; it need not hang as well
	}
	return len(p), nil
}

// TestFigureOfOtherVersions wants figures to be read by a server that knows less of them,
// and those of a server that knows less, or more, to be read by this one.
func TestFigureOfOtherVersions(t *testing.T) {
	type older struct {
		Site   uint16 `cbor:"1,keyasint"`
		Inside uint32 `cbor:"3,keyasint"`
		AsOf   int64  `cbor:"8,keyasint"`
	}
	type newer struct {
		older
		Whole map[int]any `cbor:"9,keyasint"`
		More  []string    `cbor:"10,keyasint"`
	}
	codec := service.NewCodec()
	var o older
	var f figure
	b := must(codec.Marshal(figure{Site: 1, Inside: 5, Whole: &stats.Day{Booked: 9}}))
	if err := codec.Unmarshal(b, &o); err != nil || o.Inside != 5 {
		t.Errorf("an older server reads %+v, %v", o, err)
	}
	if err := codec.Unmarshal(must(codec.Marshal(older{Site: 1, Inside: 6})), &f); err != nil || f.Inside != 6 || f.Whole != nil {
		t.Errorf("of an older server %+v, %v", f, err)
	}
	b = must(codec.Marshal(newer{older{1, 7, 0}, map[int]any{3: 8, 99: "new"}, []string{"x"}}))
	if err := codec.Unmarshal(b, &f); err != nil || f.Inside != 7 || f.Whole == nil || f.Whole.Booked != 8 {
		t.Errorf("of a newer server %+v, %v", f, err)
	}
}
