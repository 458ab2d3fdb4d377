// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package service

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/gate"
	"darwaza.dev/internal/pass"
	"darwaza.dev/internal/reason"
	"darwaza.dev/internal/stats"
)

// plainSlot is a slot as anybody would write it down: who has places, whose places are
// not to be sold yet, and who waits, in order.
type plainSlot struct {
	allotment int
	has       map[booking.Ref]int
	withheld  map[uint64]int // by serial of the withdrawal
	offered   map[booking.Ref]offer
	queue     []waiter
}

type offer struct {
	n     int
	until time.Time
}

type waiter struct {
	ref      booking.Ref
	n        int
	standing bool
}

func (p *plainSlot) used() (n int) {
	for _, k := range p.has {
		n += k
	}
	for _, k := range p.withheld {
		n += k
	}
	for _, o := range p.offered {
		n += o.n
	}
	return n
}

// serve gives what is free to the queue, strictly in order.
func (p *plainSlot) serve(now, end time.Time) {
	for len(p.queue) > 0 && p.queue[0].n <= p.allotment-p.used() && now.Before(end) {
		w := p.queue[0]
		p.queue = p.queue[1:]
		if w.standing {
			p.has[w.ref] = w.n
		} else {
			until := now.Add(30 * time.Minute)
			if until.After(end) {
				until = end
			}
			p.offered[w.ref] = offer{w.n, until}
		}
	}
}

// TestSlotsAgainstModel plays bookings, queues, cancellations, moves, acknowledgements
// and the passing of time against plain slots.
func TestSlotsAgainstModel(t *testing.T) {
	law := lawWith(t, small...)
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t, law)
		slots := []booking.SlotID{slotAt(9), slotAt(10)}
		model := map[booking.SlotID]*plainSlot{}
		for _, s := range slots {
			model[s] = &plainSlot{allotment: 6, has: map[booking.Ref]int{}, withheld: map[uint64]int{}, offered: map[booking.Ref]offer{}}
		}
		where := map[booking.Ref]booking.SlotID{}
		persons := map[uint64]booking.Ref{} // who has an active booking
		of := map[booking.Ref][]uint64{}
		serial := uint64(0)
		var refs []booking.Ref

		end := func(s booking.SlotID) time.Time { return at(fmt.Sprintf("%02d:00", int(s.Minute())/60+1)) }
		free := func(r booking.Ref) {
			for _, p := range of[r] {
				delete(persons, p)
			}
		}
		// gone takes a booking out of its slot in the model, and reports whether it was there.
		gone := func(r booking.Ref) bool {
			m := model[where[r]]
			if n, ok := m.has[r]; ok {
				delete(m.has, r)
				for range of[r] {
					serial++
					m.withheld[serial] = n / len(of[r])
				}
				return true
			}
			if _, ok := m.offered[r]; ok {
				delete(m.offered, r)
				return true
			}
			if i := slices.IndexFunc(m.queue, func(x waiter) bool { return x.ref == r }); i >= 0 {
				m.queue = slices.Delete(m.queue, i, i+1)
				return true
			}
			return false
		}
		pick := func(t *rapid.T) booking.Ref {
			if len(refs) == 0 {
				t.Skip("no booking yet")
			}
			return rapid.SampledFrom(refs).Draw(t, "ref")
		}

		rt.Repeat(map[string]func(*rapid.T){
			"book": func(t *rapid.T) {
				s := rapid.SampledFrom(slots).Draw(t, "slot")
				n := rapid.IntRange(1, 4).Draw(t, "persons")
				waits, standing := rapid.Bool().Draw(t, "waits"), rapid.Bool().Draw(t, "standing")
				var ps []uint64
				taken := false
				for range n {
					p := rapid.Uint64Range(1, 40).Draw(t, "person")
					if slices.Contains(ps, p) {
						t.Skip("twice")
					}
					ps = append(ps, p)
					_, has := persons[p]
					taken = taken || has
				}
				c := w.booking(s, ps...)
				c.Waits, c.Standing = waits, standing
				a := do[BookingAnswer](w, c)
				m := model[s]
				want := booking.Status(0)
				switch {
				case taken, !w.now.Before(end(s)):
				case len(m.queue) == 0 && n <= m.allotment-m.used():
					m.has[c.Ref] = n
					want = booking.Booked
				case waits:
					m.queue = append(m.queue, waiter{c.Ref, n, standing})
					m.serve(w.now, end(s))
					want = booking.Waiting
				}
				if want != 0 {
					where[c.Ref], of[c.Ref] = s, ps
					refs = append(refs, c.Ref)
					for _, p := range ps {
						persons[p] = c.Ref
					}
				}
				if (a.Booking.Ref != "") != (want != 0) {
					t.Fatalf("booked %+v, want status %v; %v", a.Booking, want, a.Verdict.Reasons)
				}
			},
			"cancel": func(t *rapid.T) {
				r := pick(t)
				s := where[r]
				a := do[BookingAnswer](w, Cancel{Ref: r})
				if w.now.Before(end(s)) && gone(r) {
					free(r)
					model[s].serve(w.now, end(s))
					if a.Verdict.Outcome != reason.Allow {
						t.Fatalf("%v", a.Verdict.Reasons)
					}
				}
			},
			"move": func(t *rapid.T) {
				r := pick(t)
				from := where[r]
				to := slots[0]
				if from == to {
					to = slots[1]
				}
				n := len(of[r])
				do[BookingAnswer](w, Move{Ref: r, To: to})
				m := model[to]
				if w.now.Before(end(from)) && w.now.Before(end(to)) && len(m.queue) == 0 && n <= m.allotment-m.used() && gone(r) {
					m.has[r] = n
					where[r] = to
					model[from].serve(w.now, end(from))
				}
			},
			"acknowledge": func(t *rapid.T) {
				n := rapid.Uint64Range(0, serial+2).Draw(t, "serial")
				do[AcknowledgeAnswer](w, Acknowledge{Serial: n})
				for _, s := range slots {
					for k := range model[s].withheld {
						if k <= n {
							delete(model[s].withheld, k)
						}
					}
					model[s].serve(w.now, end(s))
				}
			},
			"accept": func(t *rapid.T) {
				r := pick(t)
				s := where[r]
				do[BookingAnswer](w, Accept{Ref: r})
				m := model[s]
				if o, ok := m.offered[r]; ok && w.now.Before(o.until) {
					delete(m.offered, r)
					m.has[r] = o.n
				}
			},
			"decline": func(t *rapid.T) {
				r := pick(t)
				do[BookingAnswer](w, Decline{Ref: r})
				s := where[r]
				if _, ok := model[s].offered[r]; ok {
					gone(r)
					free(r)
					model[s].serve(w.now, end(s))
				}
			},
			"time": func(t *rapid.T) {
				w.now = w.now.Add(time.Duration(rapid.IntRange(1, 300).Draw(t, "minutes")) * time.Minute)
				do[SweepAnswer](w, Sweep{Slots: slots})
				for _, s := range slots {
					m := model[s]
					over := !w.now.Before(end(s))
					for r, o := range m.offered {
						if over || !w.now.Before(o.until) {
							delete(m.offered, r)
							free(r)
						}
					}
					if over {
						for _, q := range m.queue {
							free(q.ref)
						}
						m.queue = nil
					}
					if !w.now.Before(at("00:00", 1)) {
						clear(m.withheld)
					}
					m.serve(w.now, end(s))
				}
			},
			"": func(t *rapid.T) {
				for _, s := range slots {
					m, row := model[s], w.slot(s)
					var has, withheld, offered int
					for _, n := range m.has {
						has += n
					}
					for _, n := range m.withheld {
						withheld += n
					}
					for _, o := range m.offered {
						offered += o.n
					}
					if int(row.Taken) != has || int(row.Withheld) != withheld || int(row.Offered) != offered || row.Excess != 0 {
						t.Fatalf("slot %+v, want taken %d, withheld %d, offered %d", row, has, withheld, offered)
					}
					if row.Taken+row.Withheld+row.Offered > 6 {
						t.Fatalf("oversold: %+v", row)
					}
					for _, q := range m.queue {
						if st := w.stands(q.ref).Status; st != booking.Waiting {
							t.Fatalf("%s waits in the model and is %v", q.ref, st)
						}
					}
					for r := range m.has {
						if st := w.stands(r).Status; st != booking.Booked {
							t.Fatalf("%s has places in the model and is %v", r, st)
						}
					}
				}
				for p := uint64(1); p <= 40; p++ {
					got, ok := w.mem.plain.Booking.Claims.Get(booking.ClaimKey{Tag: id('t', p), Site: mand, Day: marketDay})
					if want, has := persons[p]; ok != has || got != want {
						t.Fatalf("person %d: claim %q, want %q", p, got, want)
					}
				}
				// No place number is with two holders.
				seen := map[string]bool{}
				for _, r := range refs {
					b := w.stands(r)
					if b.Status != booking.Booked {
						continue
					}
					for _, m := range b.Members {
						k := fmt.Sprint(b.Slot, m.Place)
						if seen[k] {
							t.Fatalf("place %d of %v is given twice", m.Place, b.Slot)
						}
						seen[k] = true
					}
				}
			},
		})
		w.t = rt
		w.rebuilt()
	})
}

// TestGateAgainstModel plays entries, exits, decisions, mistakes and the day's end
// against a plain list of who is inside.
func TestGateAgainstModel(t *testing.T) {
	law := lawWith(t)
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t, law)
		var passes []pass.Claims
		people := map[pass.ID]int{}
		for i := range uint64(6) {
			c := w.booking(slotAt(9), i+1)
			c.Members[0].Children = uint8(i % 3)
			b := do[BookingAnswer](w, c).Booking
			passes = append(passes, w.claims(b, 0))
		}
		for i := range uint64(4) {
			passes = append(passes, w.theirs(i+1, slotAt(9)))
		}
		for _, c := range passes {
			people[c.ID] = 1 + int(c.Children)
		}
		w.now = at("09:00")
		do[WithdrawnAnswer](w, Withdrawn{Side: "B"})
		inside := map[pass.ID]bool{}
		var contact uint64
		total := func() (n int) {
			for p, in := range inside {
				if in {
					n += people[p]
				}
			}
			return n
		}
		pick := func(t *rapid.T) pass.Claims { return rapid.SampledFrom(passes).Draw(t, "pass") }
		rt.Repeat(map[string]func(*rapid.T){
			"in": func(t *rapid.T) {
				c := pick(t)
				a := do[ScanAnswer](w, w.scan(c))
				if inside[c.ID] {
					w.verdict(a.Verdict, reason.Refer, gate.CodeTwiceIn)
				} else if a.Verdict.Outcome == reason.Allow {
					inside[c.ID] = true
				}
			},
			"out": func(t *rapid.T) {
				c := pick(t)
				a := do[ScanAnswer](w, w.out(c))
				if inside[c.ID] && a.Verdict.Outcome != reason.Allow {
					t.Fatalf("kept in: %v", a.Verdict.Reasons)
				}
				inside[c.ID] = false
			},
			"decide": func(t *rapid.T) {
				c := pick(t)
				p, ok := PresenceOf(w.mem.plain, c.ID)
				if !ok || p.Pending == 0 {
					t.Skip("nothing waits")
				}
				admit := rapid.Bool().Draw(t, "admit")
				r := do[ScanAnswer](w, DecideScan{Pass: c.ID, Serial: p.Pending, Admit: admit, Why: "seen", Officer: "supervisor", Gate: 1})
				if r.Scan.Counted != (admit && !r.Scan.Lapsed) {
					t.Fatalf("%+v", r.Scan)
				}
				if r.Scan.Counted {
					inside[c.ID] = r.Scan.Direction == gate.In
				}
			},
			"undo": func(t *rapid.T) {
				c := pick(t)
				p, _ := PresenceOf(w.mem.plain, c.ID)
				i := len(p.Scans) - 1
				for ; i >= 0 && (!p.Scans[i].Counted || p.Scans[i].Void || p.Scans[i].Settled); i-- {
				}
				if i < 0 {
					t.Skip("no scan")
				}
				s := p.Scans[i]
				if w.day().Closed {
					t.Skip("settled since")
				}
				do[ScanAnswer](w, UndoScan{Pass: c.ID, Serial: s.Serial, Officer: "gate"})
				switch {
				case s.Assumed, s.Unmatched:
				case s.Direction == gate.In:
					inside[c.ID] = false
				default:
					inside[c.ID] = true
				}
			},
			"time": func(t *rapid.T) {
				d := time.Duration(rapid.IntRange(1, 900_000).Draw(t, "milliseconds")) * time.Millisecond
				next := w.now.Add(d)
				n := uint64(total())
				if n > 0 {
					contact += n * (n - 1) * uint64(next.Unix()-w.now.Unix())
				}
				w.now = next
			},
			"settle": func(t *rapid.T) {
				if w.now.Before(at("20:00")) {
					t.Skip("the day is running")
				}
				do[SettleAnswer](w, Settle{Site: mand, Day: marketDay, Officer: "supervisor"})
				clear(inside)
			},
			"": func(t *rapid.T) {
				d := w.day()
				if w.now.Before(at("23:00")) {
					if int(d.Inside) != total() {
						t.Fatalf("inside %d, want %d", d.Inside, total())
					}
					if d.Inside+d.Exits != d.Entries+d.Unmatched {
						t.Fatalf("people lost or made: %+v", d)
					}
					if d.Inside > d.Peak {
						t.Fatalf("peak %d under %d", d.Peak, d.Inside)
					}
					run := d.ContactUntil(w.now)
					if run != contact {
						t.Fatalf("contact %d, want %d", run, contact)
					}
				}
			},
		})
		w.t = rt
		w.rebuilt()
	})
}

// TestFigures holds the day's figures to the rows they count.
func TestFigures(t *testing.T) {
	w, b := arrived(t)
	do[ScanAnswer](w, w.scan(w.claims(b, 0)))
	w.now = at("10:20")
	do[ScanAnswer](w, w.scan(w.claims(b, 1)))
	w.now = at("11:50")
	do[ScanAnswer](w, w.out(w.claims(b, 1)))
	st := DayFigures(w.mem.plain, mand, marketDay).Stats
	if st.Booked != 4 || st.Arrivals[38] != 1 || st.Arrivals[41] != 3 || st.Departures[47] != 3 || st.Lateness != [5]uint32{0, 0, 0, 1, 3} {
		t.Errorf("%+v", st)
	}
	for b, want := range map[int]uint32{37: 0, 38: 1, 40: 1, 41: 4, 46: 4, 47: 1, 48: 0} {
		if st.Inside[b] != want {
			t.Errorf("inside at quarter %d: %d, want %d", b, st.Inside[b], want)
		}
	}
	f := FiguresFor(w.mem.plain, w.law, "A", mand, marketDay, w.now)
	if f.Inside != 1 || f.Entries != 4 || f.Exits != 3 || f.Peak != 4 || f.Free[uint64(slotAt(13))] != 6 {
		t.Errorf("%+v", f)
	}
	if _, past := f.Free[uint64(slotAt(9))]; past {
		t.Error("free places in a slot that is over")
	}

	c := OtherFigures{Site: mand, Day: marketDay, Figures: stats.Other{Inside: 5, Free: map[uint64]uint32{uint64(slotAt(13)): 2}, AsOf: w.now}}
	if !do[OtherFiguresAnswer](w, c).Kept || do[OtherFiguresAnswer](w, c).Kept {
		t.Error("figures are kept once, and not when they are no newer")
	}
	board := BoardOf(w.mem.plain, w.law, "A", mand, w.now)
	if !board.Known || !board.Open || board.Cap != 8 || board.Here.Inside != 1 || !board.ThereKnown || board.There.Inside != 5 || !board.There.HeardAt.Equal(w.now) || len(board.Next) != 8 {
		t.Errorf("%+v", board)
	}
	v, _ := SlotOf(w.mem.plain, w.law, "A", slotAt(13), w.now)
	if !v.OtherKnown || v.Other != 2 || v.Free != 6 || v.Past {
		t.Errorf("%+v", v)
	}
	w.now = at("17:30")
	board = BoardOf(w.mem.plain, w.law, "A", mand, w.now)
	if board.Open || len(board.Classes) != 2 || len(board.Classes[0].Closed) == 0 || !board.Classes[0].Next.Equal(at("08:00", 4)) {
		t.Errorf("%+v", board.Classes)
	}
	w.now = at("10:00", 400) // no edition is known for then
	if board = BoardOf(w.mem.plain, w.law, "A", mand, w.now); board.Known {
		t.Error("a board with no edition")
	}
}

// TestAllowanceAgainstModel plays purchases, corrections and voids of three persons at
// two markets against plain sums: nothing goes at the concessional rate above fifty
// dollars of a category or a hundred of a day.
func TestAllowanceAgainstModel(t *testing.T) {
	law := lawWith(t)
	rates := map[string]int64{tomato: 500, onion: 500, ginger: 1000, kiwi: 2000}
	category := map[string]string{}
	for code := range rates {
		_, line, ok := law.Good(code, at("10:00"))
		if !ok || line.Rate != rates[code] {
			t.Fatalf("%s: %+v", code, line)
		}
		category[code] = line.Category
	}
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t, law)
		w.t = rt
		w.now = at("10:00")
		for _, site := range []uint16{mand, gabd} {
			d := Display{Site: site, Day: marketDay, Officer: "customs"}
			for code := range rates {
				d.Values = append(d.Values, DisplayValue{Code: code, Minor: 100, Currency: "USD"})
			}
			slices.SortFunc(d.Values, func(a, b DisplayValue) int { return strings.Compare(a.Code, b.Code) })
			do[DisplayAnswer](w, d)
		}
		type lot struct {
			id, code  string
			value     int64
			statutory bool
		}
		bought := map[uint64][]lot{}
		totals := func(person uint64, code, without string) (day, cat int64, statutory bool) {
			for _, l := range bought[person] {
				if l.id == without {
					continue
				}
				day += l.value
				if category[l.code] == category[code] {
					cat += l.value
				}
				statutory = statutory || l.statutory
			}
			return day, cat, statutory
		}
		rt.Repeat(map[string]func(*rapid.T){
			"buy": func(t *rapid.T) {
				person := rapid.Uint64Range(1, 3).Draw(t, "person")
				code := rapid.SampledFrom([]string{tomato, onion, ginger, kiwi}).Draw(t, "code")
				c := w.buys(person, code, rapid.Int64Range(1, 60_000).Draw(t, "quantity"))
				c.Site = rapid.SampledFrom([]uint16{mand, gabd}).Draw(t, "site")
				c.Accept = rapid.Bool().Draw(t, "accept")
				if ls := bought[person]; len(ls) > 0 && rapid.Bool().Draw(t, "correct") {
					l := rapid.SampledFrom(ls).Draw(t, "which")
					p, _, _ := ReceiptOf(w.mem.plain, l.id)
					c.Replaces, c.Site = l.id, p.Site
				}
				a := do[BuyAnswer](w, c)
				value := (c.Quantity*100 + 500) / 1000
				day, cat, statutory := totals(person, code, c.Replaces)
				out := a.Verdict.Outcome
				switch {
				case value == 0: // nothing of any value: the law refers it
				case cat+value > 5000:
					if out < reason.Divert {
						t.Fatalf("%d of category, and %v", cat+value, out)
					}
				case !statutory && day+value > 10_000:
					if out != reason.Refuse {
						t.Fatalf("%d in a day, and %v", day+value, out)
					}
					if fits := amount(t, a.Verdict, "fits", ""); fits != 10_000-day {
						t.Fatalf("fits %d, want %d", fits, 10_000-day)
					}
				case !statutory:
					if out != reason.Allow {
						t.Fatalf("%d in a day, %d of category: %v for %v", day+value, cat+value, out, a.Verdict.Reasons)
					}
					if want := (value*rates[code] + 5000) / 10_000; a.Purchase.Duty != want {
						t.Fatalf("duty %d, want %d", a.Purchase.Duty, want)
					}
				}
				if want := out == reason.Allow || out == reason.Divert && c.Accept; want != (a.Purchase.ID != "") {
					t.Fatalf("%v, accepted %v, and bought %q", out, c.Accept, a.Purchase.ID)
				}
				if a.Purchase.ID != "" {
					bought[person] = slices.DeleteFunc(bought[person], func(l lot) bool { return l.id == c.Replaces })
					bought[person] = append(bought[person], lot{c.ID, code, value, out == reason.Divert})
				}
			},
			"void": func(t *rapid.T) {
				person := rapid.Uint64Range(1, 3).Draw(t, "person")
				if len(bought[person]) == 0 {
					t.Skip("nothing bought")
				}
				l := rapid.SampledFrom(bought[person]).Draw(t, "which")
				do[BuyAnswer](w, Void{ID: l.id, Why: "returned", Officer: "customs"})
				bought[person] = slices.DeleteFunc(bought[person], func(o lot) bool { return o.id == l.id })
			},
			"": func(t *rapid.T) {
				for person, ls := range bought {
					kept := 0
					for _, p := range LedgerOf(w.mem.plain, id('t', person), marketDay).Purchases {
						if !p.Void {
							kept++
						}
					}
					if kept != len(ls) {
						t.Fatalf("%d lots, want %d", kept, len(ls))
					}
				}
			},
		})
		w.rebuilt()
	})
}
