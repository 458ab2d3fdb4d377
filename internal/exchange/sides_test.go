// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package exchange

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/gate"
	"darwaza.dev/internal/intake"
	"darwaza.dev/internal/pass"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/protocol"
	"darwaza.dev/internal/rules"
	"darwaza.dev/internal/service"
)

// begin begins the lists of a post anew, as after a restore; of the withdrawals only the
// first are left.
func (p *post) begin(list, left uint64) {
	p.state(func(st service.State) {
		a, _ := st.Booking.Acks.Get(0)
		for n := left + 1; n <= a.Last; n++ {
			st.Booking.Withdrawals.Delete(n)
		}
		a.Last = left
		st.Booking.Acks.Put(0, a)
	})
	must(p.mem.Do(context.Background(), service.Idem{}, service.BeginList{List: list}))
}

// TestUsed wants the ask that acknowledges a withdrawal to say that the pass had been let
// in before, again until the other side has written it down.
func TestUsed(t *testing.T) {
	a, b := newPosts(t)
	ctx := context.Background()
	b.withdraw(3)
	used := passID("B", 2)
	a.state(func(st service.State) {
		st.Gate.Presences.Put(used, gate.Presence{Pass: used, Issuer: "B", Visits: 1})
		st.Gate.Presences.Put(passID("B", 3), gate.Presence{Pass: passID("B", 3), Issuer: "B"}) // refused at the gate
	})
	b.writer.before = 1
	if err := a.Pull(ctx); problem.CodeOf(err) != "exchange.refused.fault" {
		t.Fatalf("got %v", err)
	}
	if h := a.heard(); len(h.Used) != 1 || h.Serial != 3 {
		t.Fatalf("heard %+v", h)
	}
	must(0, a.Pull(ctx))
	b.state(func(st service.State) {
		for n := uint64(1); n <= 3; n++ {
			if w, _ := st.Booking.Withdrawals.Get(n); w.Used != (n == 2) || !w.Freed {
				t.Errorf("withdrawal %+v", w)
			}
		}
	})
	must(0, a.Pull(ctx))
	if n := b.writer.count("booking.acknowledge"); n != 1 {
		t.Errorf("acknowledged %d times", n)
	}
	b.withdraw(1)
	must(0, a.Pull(ctx))
	if h := a.heard(); len(h.Used) != 0 || h.Serial != 4 {
		t.Errorf("still said: %+v", h)
	}
	// Said late, as after an upgrade, it is still written down.
	late := a.newAsk()
	late.After, late.Used = 4, []booking.UsedPass{{Serial: 1, Pass: passID("B", 1)}}
	body, _ := a.sealed(late, Prefix+topicWithdrawals, testAgreement)
	b.postBody(t, topicWithdrawals, bytes.NewReader(body))
	b.state(func(st service.State) {
		if w, _ := st.Booking.Withdrawals.Get(1); !w.Used {
			t.Errorf("withdrawal %+v", w)
		}
	})
	q := a.newAsk()
	q.Used = make([]booking.UsedPass, booking.MaxUsed+1)
	body, msg := a.sealed(q, Prefix+topicWithdrawals, testAgreement)
	_, got := b.postBody(t, topicWithdrawals, bytes.NewReader(body))
	if an := a.opened(t, topicWithdrawals, msg, got); an.Refused != refusedForm {
		t.Errorf("too many: got %+v", an)
	}
}

// TestListAnew restores a side from an older copy: it begins another list, which the
// other reads from its beginning, and what was heard of the one before is neither
// forgotten nor taken for an acknowledgement.
func TestListAnew(t *testing.T) {
	a, b := newPosts(t)
	ctx := context.Background()
	b.withdraw(5)
	must(0, a.Pull(ctx))
	b.begin(42, 2)
	b.state(func(st service.State) { // serials 3 and 4 are given again, to other passes
		acks, _ := st.Booking.Acks.Get(0)
		for range 2 {
			acks.Last++
			st.Booking.Withdrawals.Put(acks.Last, booking.Withdrawal{Serial: acks.Last, Pass: passID("B", 100+acks.Last), Gen: 1, Until: noon})
		}
		st.Booking.Acks.Put(0, acks)
	})
	if got := b.acks(); got.Heard != 0 || got.List != 42 {
		t.Fatalf("acks %+v", got)
	}
	must(0, a.Pull(ctx))
	if h := a.heard(); h.List != 42 || h.Serial != 4 {
		t.Errorf("heard %+v", h)
	}
	if got := b.acks(); got.Heard != 4 {
		t.Errorf("acks %+v", got)
	}
	a.state(func(st service.State) {
		for _, n := range []uint64{1, 2, 3, 4, 5, 103, 104} {
			if _, ok := st.Gate.Withdrawn.Get(passID("B", n)); !ok {
				t.Errorf("pass %d is not known as withdrawn", n)
			}
		}
	})

	// A server that is one version older names no list. What it heard is of the first one.
	old := a.newAsk()
	old.Version, old.After = 1, 4
	send := func() answer {
		q := old
		q.Nonce = a.newAsk().Nonce
		body, msg := a.sealed(q, Prefix+topicWithdrawals, testAgreement)
		_, got := b.postBody(t, topicWithdrawals, bytes.NewReader(body))
		return a.opened(t, topicWithdrawals, msg, got)
	}
	b.withdraw(1)
	if an := send(); an.Refused != refusedAhead || b.acks().Heard != 4 {
		t.Errorf("an older server: got %+v, acks %+v", an, b.acks())
	}
	if old.After = 0; send().Refused != "" || len(send().Withdrawals) != 5 {
		t.Errorf("an older server that has heard nothing: got %+v", send())
	}
	// And an answer of one is of the first list.
	b.begin(0x7f, 0)
	address := b.liar(t, func(q ask, an *answer) { an.Version, an.Last = 1, 0 })
	if err := a.pullFrom(t, address); err != nil || a.heard().List != 0 || a.heard().Serial != 0 {
		t.Errorf("%v, heard %+v", err, a.heard())
	}
}

// moved writes movements into the list, as the gate would.
func (p *post) moved(of pass.Side, n uint64, kind gate.MoveKind) {
	p.state(func(st service.State) {
		last, _ := st.Gate.Serials.Get("move")
		st.Gate.Serials.Put("move", last+1)
		st.Gate.Moves.Put(last+1, gate.Move{Serial: last + 1, Pass: passID(agreement.Side(of.String()), n), Kind: kind, At: noon, Inside: kind == gate.CameIn, Used: true})
	})
}

// TestMovements wants the movements of this side's passes at the other's gates to be
// heard, in pages, once, and again from the beginning of another list.
func TestMovements(t *testing.T) {
	a, b := newPosts(t)
	ctx := context.Background()
	for n := range uint64(gate.MaxMoves + 5) {
		b.moved(pass.SideA, n, gate.CameIn)
	}
	must(0, a.Pull(ctx))
	inside := func() (n int) {
		a.state(func(st service.State) {
			for i := range uint64(gate.MaxMoves + 10) {
				if e, _ := st.Gate.Elsewhere.Get(passID("A", i)); e.Inside {
					n++
				}
			}
		})
		return n
	}
	if n := inside(); n != gate.MaxMoves+5 || a.writer.count("gate.movements") != 2 {
		t.Errorf("%d inside after %d pages", n, a.writer.count("gate.movements"))
	}
	must(0, a.Pull(ctx))
	if n := a.writer.count("gate.movements"); n != 2 || len(b.mem.Facts()) != 0 {
		t.Errorf("read %d times, and the other side wrote %d facts", n, len(b.mem.Facts()))
	}
	b.begin(7, 0)
	b.state(func(st service.State) { st.Gate.Serials.Put("move", 3) })
	a.clock.add(time.Minute)
	b.clock.add(time.Minute)
	b.state(func(st service.State) {
		st.Gate.Serials.Put("move", 4)
		st.Gate.Moves.Put(4, gate.Move{Serial: 4, Pass: passID("A", 900), Kind: gate.WentOut, At: b.clock.Now()})
	})
	must(0, a.Pull(ctx))
	if n := inside(); n != gate.MaxMoves+4 {
		t.Errorf("%d inside", n)
	}
	a.state(func(st service.State) {
		if h := st.Gate.MovesRead("B"); h.List != 7 || h.Serial != 4 {
			t.Errorf("heard %+v", h)
		}
	})
}

// TestMovementsRefused wants a list of movements with a hole, at odds with itself or from
// times to come not to be believed.
func TestMovementsRefused(t *testing.T) {
	entry := func(n uint64) movement { return movement{Serial: n, Kind: 1, At: micro(noon)} }
	for name, say := range map[string]func(q ask, a *answer){
		"a hole":              func(q ask, a *answer) { a.Last, a.Movements = 3, []movement{entry(1), entry(3)} },
		"begins late":         func(q ask, a *answer) { a.Last, a.Movements = 2, []movement{entry(2)} },
		"more than there are": func(q ask, a *answer) { a.Last, a.Movements = 1, []movement{entry(1), entry(2)} },
		"kept back":           func(q ask, a *answer) { a.Last = 7 },
		"of times to come": func(q ask, a *answer) {
			a.Last, a.Movements = 1, []movement{{Serial: 1, Kind: 1, At: micro(noon.Add(time.Hour))}}
		},
	} {
		a, b := newPosts(t)
		d := a.deps
		d.Peer, d.TLS = b.liar(t, say), nil
		if err := must(New(d)).pullMovements(context.Background()); problem.KindOf(err) != problem.Untrusted || len(a.mem.Facts()) != 0 {
			t.Errorf("%s: got %v, %d facts", name, err, len(a.mem.Facts()))
		}
	}
	a, b := newPosts(t)
	q := a.newAsk()
	q.After = 1
	body, msg := a.sealed(q, Prefix+topicMovements, testAgreement)
	_, got := b.postBody(t, topicMovements, bytes.NewReader(body))
	if an := a.opened(t, topicMovements, msg, got); an.Refused != refusedAhead {
		t.Errorf("got %+v", an)
	}
}

// TestOlderServer wants a server that does not know a topic yet to be no fault of the line.
func TestOlderServer(t *testing.T) {
	a, b := newPosts(t)
	b.withdraw(1)
	old := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if later(strings.TrimPrefix(r.URL.Path, Prefix)) {
			http.NotFound(w, r)
			return
		}
		b.Handler().ServeHTTP(w, r)
	}))
	defer old.Close()
	d := a.deps
	d.Peer, d.TLS = old.URL, old.Client().Transport.(*http.Transport).TLSClientConfig
	x := must(New(d))
	if err := x.Pull(context.Background()); err != nil {
		t.Errorf("got %v", err)
	}
	if s := x.Status(); !s.Up || s.topic(topicMovements).Fault != codeOlder || a.heard().Serial != 1 {
		t.Errorf("status %+v", s)
	}
}

// TestClockGoesOn lets the answering server's clock go on while it answers, as clocks do.
func TestClockGoesOn(t *testing.T) {
	a, b := newPosts(t)
	b.Exchange.deps.Clock = func() time.Time { b.clock.add(time.Millisecond); return b.clock.Now() }
	if err := a.Pull(context.Background()); err != nil {
		t.Errorf("got %v", err)
	}
}

// booked makes bookings of one person each for today at the first site.
func (p *post) booked(from, to uint64) {
	p.state(func(st service.State) {
		day, _, _ := service.DayAt(p.deps.Law(), 1, noon)
		for n := from; n < to; n++ {
			ref := booking.Ref(fmt.Sprintf("%012d", n))
			booking.Apply(st.Booking, noon, &booking.Made{Ref: ref, Slot: booking.MakeSlotID(1, 1, day, 600),
				Members: []booking.Member{{Pass: passID(p.deps.Side, n), Tag: [16]byte{byte(n >> 8), byte(n)}}}})
		}
	})
}

// theirs counts the claims of the other side that a post has heard of.
func (p *post) theirs(to uint64) (n int) {
	p.state(func(st service.State) {
		day, _, _ := service.DayAt(p.deps.Law(), 1, noon)
		for i := range to {
			if _, ok := st.Booking.TheirClaims.Get(booking.ClaimKey{Tag: [16]byte{byte(i >> 8), byte(i)}, Site: 1, Day: day}); ok {
				n++
			}
		}
	})
	return n
}

// TestClaims wants the persons of the other side's bookings to be heard in pages, once,
// and what ended of them; and again from the beginning of another list.
func TestClaims(t *testing.T) {
	a, b := newPosts(t)
	ctx := context.Background()
	b.booked(0, 2300)
	must(0, a.Pull(ctx))
	if n := a.theirs(2400); n != 2300 || a.writer.count("booking.claims") != 3 {
		t.Errorf("%d heard in %d pages", n, a.writer.count("booking.claims"))
	}
	must(0, a.Pull(ctx))
	if n := a.writer.count("booking.claims"); n != 3 || len(b.mem.Facts()) != 0 {
		t.Errorf("heard %d times, and the other side wrote %d facts", n, len(b.mem.Facts()))
	}
	b.state(func(st service.State) {
		for n := range uint64(1100) {
			booking.Apply(st.Booking, noon, &booking.GivenBack{Ref: booking.Ref(fmt.Sprintf("%012d", n)), First: n + 1, Until: noon.Add(time.Hour)})
		}
	})
	b.booked(2300, 2301)
	must(0, a.Pull(ctx))
	if n := a.theirs(2400); n != 1201 {
		t.Errorf("%d heard", n)
	}
	b.begin(3, 0)
	must(0, a.Pull(ctx))
	if n := a.theirs(2400); n != 1201 {
		t.Errorf("%d heard of another list", n)
	}
	a.state(func(st service.State) {
		day, _, _ := service.DayAt(a.deps.Law(), 1, noon)
		if list, pos, changes := st.Booking.ClaimsRead(1, day); list != 3 || changes != 1100 || pos != 2301 {
			t.Errorf("list %d, position %d, changes %d", list, pos, changes)
		}
		if acks, _ := st.Booking.Acks.Get(0); acks.ClaimsWhole != 3 {
			t.Errorf("the list %d was read to its end, and 3 is", acks.ClaimsWhole)
		}
	})
	// A list that is there and empty is read to its end as well, so that what it lost is let go.
	c, d := newPosts(t)
	d.begin(5, 0)
	must(0, c.Pull(ctx))
	c.state(func(st service.State) {
		if acks, _ := st.Booking.Acks.Get(0); acks.ClaimsWhole != 5 {
			t.Errorf("whole of list %d", acks.ClaimsWhole)
		}
	})
}

// TestClaimsRefused wants claims that were not asked for, or that are at odds with
// themselves, not to be believed, and an ask to be bounded.
func TestClaimsRefused(t *testing.T) {
	day, _, _ := service.DayAt(testLaw(), 1, noon)
	for name, say := range map[string]func(q ask, a *answer){
		"not asked for":       func(q ask, a *answer) { a.Rosters = []booking.DayClaims{{Site: 9, Day: day, Upto: 1}} },
		"more than there are": func(q ask, a *answer) { a.Changes = []booking.ClaimChange{{Serial: 1}} },
		"kept back":           func(q ask, a *answer) { a.More = true },
	} {
		a, b := newPosts(t)
		d := a.deps
		d.Peer, d.TLS = b.liar(t, say), nil
		if err := must(New(d)).pullClaims(context.Background()); problem.KindOf(err) != problem.Untrusted || len(a.mem.Facts()) != 0 {
			t.Errorf("%s: got %v, %d facts", name, err, len(a.mem.Facts()))
		}
	}
	a, b := newPosts(t)
	q := a.newAsk()
	for after, want := range map[uint64]string{1: refusedAhead, 0: refusedForm} {
		q.After, q.Nonce = after, a.newAsk().Nonce
		if want == refusedForm {
			q.Rosters = make([]rosterAsk, maxRosters+1)
		}
		body, msg := a.sealed(q, Prefix+topicClaims, testAgreement)
		_, got := b.postBody(t, topicClaims, bytes.NewReader(body))
		if an := a.opened(t, topicClaims, msg, got); an.Refused != want {
			t.Errorf("got %+v, want %s", an, want)
		}
		q.Rosters = nil
	}
}

// TestLevels hears once what the other side has brought in, and believes no form but that
// of a level.
func TestLevels(t *testing.T) {
	a, b := newPosts(t)
	ctx := context.Background()
	b.state(func(st service.State) {
		st.Levels.Standings.Put(protocol.Key{Site: 2, Side: "B"}, protocol.Standing{Changes: []protocol.Change{{Level: "high", From: noon, Said: noon, Officer: "somebody"}}})
	})
	for range 2 {
		must(0, a.Pull(ctx))
	}
	if n := a.writer.count("level.hear"); n != 1 {
		t.Errorf("noted %d times", n)
	}
	a.state(func(st service.State) {
		s, _ := st.Levels.Standings.Get(protocol.Key{Site: 2, Side: "B"})
		if len(s.Changes) != 1 || s.Changes[0].Level != "high" || s.Changes[0].Officer != "" || !s.Changes[0].From.Equal(noon) {
			t.Errorf("%+v", s)
		}
		if l, _, _, ok := service.LevelAt(st, a.deps.Law(), 2, noon); !ok || l.ID != "high" || l.Side != "B" {
			t.Errorf("%+v", l)
		}
	})
	for name, level := range map[string]protocol.Change{"a sentence": {Level: "Ali Khan is ill", From: noon, Said: noon}, "no time": {Level: "high", Said: noon}} {
		a, b := newPosts(t)
		d := a.deps
		d.Peer, d.TLS = b.liar(t, func(_ ask, an *answer) {
			an.Levels = []service.SiteLevels{{Site: 1, Changes: []protocol.Change{level}}}
		}), nil
		if err := must(New(d)).pullLevels(ctx); problem.KindOf(err) != problem.Untrusted || len(a.mem.Facts()) != 0 {
			t.Errorf("%s: got %v, %d facts", name, err, len(a.mem.Facts()))
		}
	}
}

func today() uint16 { return rules.DayNumber(calendar.On(noon, time.UTC)) }

// TestPlaces hears once what the other side takes in, lets it know so, and believes no line
// that is none.
func TestPlaces(t *testing.T) {
	a, b := newPosts(t)
	ctx := context.Background()
	own := intake.Standing{Serial: 1, Lines: []intake.Line{{Resource: intake.Gate, Class: 1, To: 1440, Places: 5}}}
	b.state(func(st service.State) { st.Intake.Standings.Put(intake.Key{Site: 2, Side: "B"}, own) })
	for range 2 {
		must(0, a.Pull(ctx))
		must(0, b.Pull(ctx))
	}
	if n, m := a.writer.count("intake.hear"), b.writer.count("intake.hear"); n != 1 || m != 1 {
		t.Errorf("noted %d and %d times", n, m)
	}
	a.state(func(st service.State) {
		if s := service.CommittedOf(st, 2, "B"); s.Serial != 1 || len(s.Lines) != 1 || s.Lines[0].Places != 5 {
			t.Errorf("%+v", s)
		}
	})
	b.state(func(st service.State) {
		if s := service.CommittedOf(st, 2, "B"); s.Acked != 1 {
			t.Errorf("%+v", s)
		}
	})
	for name, lie := range map[string]answer{
		"no line":   {Intake: []intake.Told{{Site: 1, Serial: 1, Lines: []intake.Line{{}}}}},
		"no slot":   {Transfers: []booking.TransferTold{{Slot: booking.MakeSlotID(1, 9, today(), 540), Given: 1}}},
		"no number": {Transfers: []booking.TransferTold{{Slot: booking.MakeSlotID(1, 1, today(), 540), Given: 1 << 31}}},
	} {
		a, b := newPosts(t)
		d := a.deps
		d.Peer, d.TLS = b.liar(t, func(_ ask, an *answer) { an.Intake, an.Transfers = lie.Intake, lie.Transfers }), nil
		if err := must(New(d)).pullPlaces(ctx); problem.KindOf(err) != problem.Untrusted || len(a.mem.Facts()) != 0 {
			t.Errorf("%s: got %v, %d facts", name, err, len(a.mem.Facts()))
		}
	}
}
