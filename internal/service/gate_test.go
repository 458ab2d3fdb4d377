// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package service

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/gate"
	"darwaza.dev/internal/market"
	"darwaza.dev/internal/pass"
	"darwaza.dev/internal/people"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/reason"
	"darwaza.dev/internal/rules"
)

// arrived is a world at half past nine with one booking of two adults, one of them with
// two children, at nine, and the other side's list just read.
func arrived(t testing.TB) (*world, booking.Booking) {
	w := newWorld(t, lawWith(t, small...))
	c := w.booking(slotAt(9), 1, 2)
	c.Members[1].Children = 2
	b := do[BookingAnswer](w, c).Booking
	w.now = at("09:30")
	do[WithdrawnAnswer](w, Withdrawn{Side: "B"})
	return w, b
}

func TestEnterAndLeave(t *testing.T) {
	w, b := arrived(t)
	a := do[ScanAnswer](w, w.scan(w.claims(b, 1)))
	w.verdict(a.Verdict, reason.Allow, "")
	if a.People != 3 || a.Inside != 3 || a.Cap != 8 || a.Ref != b.Ref || !a.Presence.Inside || !a.Scan.Counted || a.Class != visitor || len(a.Asks) != 0 {
		t.Errorf("%+v", a)
	}
	if a.Presence.Tag != id('t', 2) {
		t.Error("presence has not the booking's tag")
	}
	if got := w.stands(b.Ref).Status; got != booking.Used {
		t.Errorf("booking is %v", got)
	}
	w.verdict(do[BookingAnswer](w, Cancel{Ref: b.Ref}).Verdict, reason.Refuse, booking.CodeUsed)
	w.now = at("10:00")
	do[ScanAnswer](w, w.scan(w.claims(b, 0)))
	w.now = at("11:30")
	a = do[ScanAnswer](w, w.out(w.claims(b, 1)))
	w.verdict(a.Verdict, reason.Allow, "")
	if a.Inside != 1 || a.Presence.Inside || a.Presence.Dwell != 2*time.Hour || a.Presence.Visits != 1 {
		t.Errorf("%+v", a)
	}
	d := w.day()
	// Three people for half an hour, four for an hour and a half.
	if want := uint64(3*2*1800 + 4*3*5400); d.Contact != want {
		t.Errorf("contact %d, want %d", d.Contact, want)
	}
	if d.Peak != 4 || !d.PeakAt.Equal(at("10:00")) || d.Entries != 4 || d.Exits != 3 || d.DwellTotal != 2*time.Hour || d.DwellCount != 1 {
		t.Errorf("%+v", d)
	}
	w.rebuilt()
}

func TestGateAsks(t *testing.T) {
	w, b := arrived(t)
	s := w.scan(w.claims(b, 0))
	s.Match, s.Screening = NotCompared, Screening{}
	a := do[ScanAnswer](w, s)
	w.verdict(a.Verdict, reason.Hold, "")
	if want := []string{"document", "screening", "decision"}; !slices.Equal(a.Asks, want) {
		t.Errorf("asks %v, want %v", a.Asks, want)
	}
	if a.Presence.Pending != a.Scan.Serial || a.Inside != 0 {
		t.Errorf("%+v", a)
	}
	s.Match, s.Again = Seen, a.Scan.Serial
	a = do[ScanAnswer](w, s)
	if want := []string{"screening", "decision"}; !slices.Equal(a.Asks, want) {
		t.Errorf("asks %v, want %v", a.Asks, want)
	}
	w.fails(s, problem.Conflict, "gate.scan.done") // completes a scan that was completed
	s.Again, s.Screening = a.Scan.Serial, Screening{Done: true, TempTenths: 365}
	a = do[ScanAnswer](w, s)
	w.verdict(a.Verdict, reason.Allow, "")
	if a.Presence.Pending != 0 || a.Inside != 1 || len(a.Presence.Scans) != 3 {
		t.Errorf("%+v", a.Presence)
	}
	w.rebuilt()
}

// What the health desk saw is in no fact and no row.
func TestHealthIsForgotten(t *testing.T) {
	w, b := arrived(t)
	s := w.scan(w.claims(b, 0))
	s.Screening = Screening{Done: true, TempTenths: 391, Symptoms: true}
	a := do[ScanAnswer](w, s)
	w.verdict(a.Verdict, reason.Refuse, "")
	for _, r := range a.Scan.Reasons {
		if len(r.Params) > 0 {
			t.Errorf("kept reason has parameters: %v", r)
		}
	}
	for _, i := range a.Verdict.Inputs {
		if (i.Name == "screening.temperature" || i.Name == "screening.symptoms") && i.Value != "" {
			t.Errorf("verdict shows %v", i)
		}
	}
	facts := w.mem.Facts()
	body, err := w.mem.codec.Encode(facts[len(facts)-1].Fact)
	if err != nil {
		t.Fatal(err)
	}
	// 391 is 0x0187, in CBOR 19 01 87.
	for i := 0; i+2 < len(body); i++ {
		if body[i] == 0x19 && body[i+1] == 0x01 && body[i+2] == 0x87 {
			t.Errorf("the temperature is in the fact: % x", body)
		}
	}
}

func TestGateRefuses(t *testing.T) {
	other := booking.MakeSlotID(gabd, visitor, marketDay, 9*60)
	for _, test := range []struct {
		name string
		now  string
		days int
		scan func(w *world, b booking.Booking) Scan
		o    reason.Outcome
		code reason.Code
	}{
		{"unreadable", "09:30", 0, func(w *world, b booking.Booking) Scan {
			return Scan{Site: mand, Gate: 1, Direction: gate.In, Officer: "gate", Fault: pass.Unreadable}
		}, reason.Refuse, pass.Unreadable},
		{"foreign", "09:30", 0, func(w *world, b booking.Booking) Scan {
			return Scan{Site: mand, Gate: 1, Direction: gate.In, Officer: "gate", Fault: pass.Foreign, Looks: pass.URL}
		}, reason.Refuse, pass.Foreign},
		{"forged", "09:30", 0, func(w *world, b booking.Booking) Scan {
			s := w.scan(w.claims(b, 0))
			s.Fault = pass.Forged
			return s
		}, reason.Refuse, pass.Forged},
		{"expired by itself", "09:30", 0, func(w *world, b booking.Booking) Scan {
			s := w.scan(w.claims(b, 0))
			s.Fault = pass.Expired
			return s
		}, reason.Refuse, pass.Expired},
		{"other site", "09:30", 0, func(w *world, b booking.Booking) Scan {
			c := w.book(other, 7).Booking
			return w.scan(w.claims(c, 0))
		}, reason.Refuse, gate.CodeSite},
		{"other day", "09:30", 4, func(w *world, b booking.Booking) Scan { return w.scan(w.claims(b, 0)) }, reason.Refuse, gate.CodeDay},
		{"early", "08:44", 0, func(w *world, b booking.Booking) Scan { return w.scan(w.claims(b, 0)) }, reason.Hold, gate.CodeEarly},
		{"within the early grace", "08:45", 0, func(w *world, b booking.Booking) Scan { return w.scan(w.claims(b, 0)) }, reason.Allow, ""},
		{"within the late grace", "10:59", 0, func(w *world, b booking.Booking) Scan { return w.scan(w.claims(b, 0)) }, reason.Allow, ""},
		{"late", "11:00", 0, func(w *world, b booking.Booking) Scan { return w.scan(w.claims(b, 0)) }, reason.Refer, gate.CodeLate},
		{"closed", "16:30", 0, func(w *world, b booking.Booking) Scan { return w.scan(w.claims(b, 0)) }, reason.Closed, ""},
		{"another gate", "09:30", 0, func(w *world, b booking.Booking) Scan {
			c := w.claims(b, 0)
			c.Gate = 2
			return w.scan(c)
		}, reason.Refer, gate.CodeGate},
		{"unknown edition", "09:30", 0, func(w *world, b booking.Booking) Scan {
			c := w.claims(b, 0)
			c.Edition[0]++
			return w.scan(c)
		}, reason.Refer, gate.CodeEdition},
		{"no such slot", "09:30", 0, func(w *world, b booking.Booking) Scan {
			c := w.theirs(9, slotAt(9))
			c.Slot += 7
			return w.scan(c)
		}, reason.Refer, gate.CodeSlot},
		{"signed here and not known", "09:30", 0, func(w *world, b booking.Booking) Scan {
			c := w.theirs(9, slotAt(9))
			c.Side = pass.SideA
			return w.scan(c)
		}, reason.Refer, gate.CodeUnknown},
		{"of a later generation than is known", "09:30", 0, func(w *world, b booking.Booking) Scan {
			c := w.claims(b, 0)
			c.Generation++
			return w.scan(c)
		}, reason.Refer, gate.CodeUnknown},
		{"cancelled", "09:30", 0, func(w *world, b booking.Booking) Scan {
			c := w.claims(b, 0)
			do[BookingAnswer](w, Cancel{Ref: b.Ref})
			return w.scan(c)
		}, reason.Refuse, gate.CodeWithdrawn},
		{"reissued", "09:30", 0, func(w *world, b booking.Booking) Scan {
			c := w.claims(b, 0)
			do[BookingAnswer](w, Reissue{Ref: b.Ref})
			return w.scan(c)
		}, reason.Refuse, gate.CodeOlder},
		{"reissued, the new one", "09:30", 0, func(w *world, b booking.Booking) Scan {
			return w.scan(w.claims(do[BookingAnswer](w, Reissue{Ref: b.Ref}).Booking, 0))
		}, reason.Allow, ""},
		{"withdrawn by the other side", "09:30", 0, func(w *world, b booking.Booking) Scan {
			c := w.theirs(9, slotAt(9))
			do[WithdrawnAnswer](w, Withdrawn{Side: "B", Upto: 3, Entries: []WithdrawnPass{{Serial: 3, Pass: c.ID, Until: c.Expires.Unix()}}})
			return w.scan(c)
		}, reason.Refuse, gate.CodeWithdrawn},
		{"other side's new generation", "09:30", 0, func(w *world, b booking.Booking) Scan {
			c := w.theirs(9, slotAt(9))
			do[WithdrawnAnswer](w, Withdrawn{Side: "B", Upto: 3, Entries: []WithdrawnPass{{Serial: 3, Pass: c.ID, Until: c.Expires.Unix()}}})
			c.Generation = 1
			return w.scan(c)
		}, reason.Allow, ""},
		{"other side's list is old", "09:30", 0, func(w *world, b booking.Booking) Scan {
			w.mem.plain.Gate.Heard.Put("B", gate.Heard{At: w.now.Add(-721 * time.Minute)})
			return w.scan(w.theirs(9, slotAt(9)))
		}, reason.Refer, gate.CodeHeard},
		{"other side's list was never read", "09:30", 0, func(w *world, b booking.Booking) Scan {
			w.mem.plain.Gate.Heard.Delete("B")
			return w.scan(w.theirs(9, slotAt(9)))
		}, reason.Refer, gate.CodeNeverHeard},
		{"an old list does not matter to own passes", "09:30", 0, func(w *world, b booking.Booking) Scan {
			w.mem.plain.Gate.Heard.Delete("B")
			return w.scan(w.claims(b, 0))
		}, reason.Allow, ""},
		{"another's document", "09:30", 0, func(w *world, b booking.Booking) Scan {
			s := w.scan(w.claims(b, 0))
			s.Match = Differs
			return s
		}, reason.Refuse, gate.CodeHolder},
		{"clock runs backwards", "09:20", 0, func(w *world, b booking.Booking) Scan {
			w.now = at("09:31")
			c := w.claims(b, 0)
			do[ScanAnswer](w, w.scan(c))
			do[ScanAnswer](w, w.out(c))
			w.now = at("09:20")
			return w.scan(c)
		}, reason.Refer, gate.CodeClock},
		{"clock before the other side was heard", "09:20", 0, func(w *world, b booking.Booking) Scan {
			w.mem.plain.Gate.Heard.Put("B", gate.Heard{At: w.now.Add(121 * time.Second)})
			return w.scan(w.claims(b, 0))
		}, reason.Refer, gate.CodeClock},
		{"clock set right by two minutes", "09:20", 0, func(w *world, b booking.Booking) Scan {
			w.mem.plain.Gate.Heard.Put("B", gate.Heard{At: w.now.Add(2 * time.Minute)})
			return w.scan(w.claims(b, 0))
		}, reason.Allow, ""},
		{"clock that the server doubts", "09:30", 0, func(w *world, b booking.Booking) Scan {
			c := w.scan(w.claims(b, 0))
			c.Behind = true
			return c
		}, reason.Refer, gate.CodeClock},
		{"clock that the server doubts, at the way out", "09:30", 0, func(w *world, b booking.Booking) Scan {
			c := w.claims(b, 0)
			do[ScanAnswer](w, w.scan(c))
			o := w.out(c)
			o.Behind = true
			return o
		}, reason.Refer, gate.CodeClock},
		{"cannot leave twice", "09:30", 0, func(w *world, b booking.Booking) Scan {
			c := w.claims(b, 0)
			do[ScanAnswer](w, w.scan(c))
			do[ScanAnswer](w, w.out(c))
			return w.out(c)
		}, reason.Refer, gate.CodeTwiceOut},
		{"leaves with a pass of another site", "09:30", 0, func(w *world, b booking.Booking) Scan {
			return w.out(w.theirs(9, other))
		}, reason.Refuse, gate.CodeSite},
	} {
		t.Run(test.name, func(t *testing.T) {
			w, b := arrived(t)
			w.now = at(test.now, test.days)
			if h, _ := w.mem.plain.Gate.Heard.Get("B"); h.At.After(w.now) {
				h.At = w.now
				w.mem.plain.Gate.Heard.Put("B", h)
			}
			s := test.scan(w, b)
			inside := w.day().Inside
			a := do[ScanAnswer](w, s)
			w.verdict(a.Verdict, test.o, test.code)
			if test.o != reason.Allow && w.day().Inside != inside {
				t.Error("people moved")
			}
			if test.o.NeedsOfficer() != (a.Presence.Pending != 0) {
				t.Errorf("pending %d", a.Presence.Pending)
			}
			w.rebuiltGate()
		})
	}
}

// rebuiltGate is rebuilt for worlds whose test wrote into the list by hand.
func (w *world) rebuiltGate() {
	w.t.Helper()
	w.mem.plain.Gate.Heard.Delete("B")
	again := Rebuild(w.mem.Facts())
	again.Gate.Heard.Delete("B")
	live, built := snapshot(w.mem.plain), snapshot(again)
	for name := range live {
		if !equal(live[name], built[name]) {
			w.t.Errorf("%s: rebuilt state differs\nlive    %v\nrebuilt %v", name, live[name], built[name])
		}
	}
}

// A forged text that names somebody's pass leaves that person alone.
func TestForgedLeavesNoTrace(t *testing.T) {
	w, b := arrived(t)
	c := w.claims(b, 0)
	do[ScanAnswer](w, w.scan(c))
	before, _ := PresenceOf(w.mem.plain, c.ID)
	s := w.scan(c)
	s.Fault = pass.Forged
	a := do[ScanAnswer](w, s)
	if after, _ := PresenceOf(w.mem.plain, c.ID); !equal(before, after) {
		t.Errorf("%+v", after)
	}
	if a.Presence.Pass != (pass.ID{}) || w.day().Refused != 1 {
		t.Errorf("%+v", a)
	}
}

// A refusal of what is no pass has a number, and the number leads to the scan: what kind of
// failure it was, where, when and who was at the gate, and nothing of what was shown.
func TestStrayScans(t *testing.T) {
	w, b := arrived(t)
	faults := []pass.Fault{pass.Unreadable, pass.Forged, pass.Foreign}
	var serials []uint64
	for i := range 7 {
		s := w.scan(w.claims(b, i%2))
		s.Fault, s.Tag = faults[i%3], id('t', 1)
		a := do[ScanAnswer](w, s)
		w.verdict(a.Verdict, reason.Refuse, faults[i%3])
		serials = append(serials, a.Scan.Serial)
		do[ScanAnswer](w, w.out(w.theirs(uint64(i), slotAt(9)))) // numbers are shared with those of passes
		w.now = w.now.Add(time.Minute)
	}
	for i, n := range serials {
		p, s, ok := ScanOf(w.mem.plain, mand, marketDay, n)
		want := gate.Scan{Serial: n, Direction: gate.In, Gate: 1, At: at("09:30").Add(time.Duration(i) * time.Minute), Officer: "gate", Outcome: reason.Refuse,
			Reasons: []reason.Reason{{Code: faults[i%3], Outcome: reason.Refuse}}, Minute: uint16(9*60 + 30 + i)}
		if !ok || p.Pass != (pass.ID{}) || !equal(s, want) {
			t.Errorf("%d: %+v, want %+v", n, s, want)
		}
		if p, s, ok := ScanOf(w.mem.plain, mand, marketDay, n+1); !ok || p.Pass == (pass.ID{}) || s.Serial != n+1 {
			t.Errorf("%d: %+v", n+1, s)
		}
	}
	for _, n := range []uint64{0, 999} {
		if _, s, ok := ScanOf(w.mem.plain, mand, marketDay, n); ok {
			t.Errorf("%d: %+v", n, s)
		}
	}
	if _, _, ok := ScanOf(w.mem.plain, mand, marketDay+1, serials[0]); ok {
		t.Error("found on another day")
	}
	if l := StraysOf(w.mem.plain, mand, marketDay, 3); len(l) != 3 || l[0].Serial != serials[6] {
		t.Errorf("%+v", l)
	}
	// The same press twice is one scan.
	s := w.scan(w.claims(b, 0))
	s.Fault = pass.Unreadable
	for range 3 {
		if _, err := w.mem.Do(context.Background(), Idem{Key: "0123456789abcdef", Actor: "gate"}, s); err != nil {
			t.Fatal(err)
		}
	}
	if d := w.day(); d.Strays != 8 || d.Refused != 8 {
		t.Errorf("%+v", d)
	}
	w.rebuilt()
}

func TestDoubleEntry(t *testing.T) {
	w, b := arrived(t)
	c := w.claims(b, 1)
	first := do[ScanAnswer](w, w.scan(c))
	w.now = at("09:40")
	s := w.scan(c)
	s.Gate = 1
	a := do[ScanAnswer](w, s)
	w.verdict(a.Verdict, reason.Refer, gate.CodeTwiceIn)
	if a.Earlier == nil || a.Earlier.Serial != first.Scan.Serial || a.Inside != 3 || w.day().Doubles != 1 {
		t.Fatalf("%+v", a)
	}
	// The officer finds that the way out was not scanned: counted once, and marked.
	r := do[ScanAnswer](w, DecideScan{Pass: c.ID, Serial: a.Scan.Serial, Admit: true, Why: "mistake", Officer: "supervisor", Gate: 1})
	if r.Inside != 3 || !r.Scan.Assumed || r.Scan.Decided != "supervisor" || r.Presence.Pending != 0 || r.Presence.Visits != 2 {
		t.Errorf("%+v", r)
	}
	if d := w.day(); d.Entries != 6 || d.Exits != 3 || d.Inside != 3 || d.Settled != 3 {
		t.Errorf("%+v", d)
	}
	w.fails(DecideScan{Pass: c.ID, Serial: a.Scan.Serial, Admit: true, Why: "mistake", Officer: "supervisor"}, problem.Conflict, "gate.scan.done")
	w.rebuilt()
}

func TestDecide(t *testing.T) {
	w, b := arrived(t)
	w.now = at("11:30")
	a := do[ScanAnswer](w, w.scan(w.claims(b, 1)))
	w.verdict(a.Verdict, reason.Refer, gate.CodeLate)
	c := DecideScan{Pass: a.Presence.Pass, Serial: a.Scan.Serial, Admit: true, Why: "excused", Officer: "gate", Gate: 1}
	bad := c
	bad.Officer = "health" // no clause says who: it is for the gate
	w.fails(bad, problem.Forbidden, "officer.decides")
	bad = c
	bad.Why = "because I like them"
	w.fails(bad, problem.Invalid, "gate.ground")
	bad = c
	bad.Officer = "clerk"
	w.fails(bad, problem.Forbidden, "officer.role")
	bad = c
	bad.Serial = 99
	w.fails(bad, problem.NotFound, "gate.scan")
	bad = c
	bad.Gate = 2 // the other side's
	w.fails(bad, problem.Invalid, "gate.gate")
	w.now = at("11:35")
	r := do[ScanAnswer](w, c)
	if r.Inside != 3 || !r.Presence.Since.Equal(at("11:35")) || w.stands(b.Ref).Status != booking.Used || r.Ref != b.Ref {
		t.Errorf("%+v", r)
	}
	// Turning back needs no role of a clause.
	s := w.scan(w.claims(b, 0))
	s.Screening = Screening{}
	h := do[ScanAnswer](w, s)
	admit := DecideScan{Pass: h.Presence.Pass, Serial: h.Scan.Serial, Admit: true, Why: "screened", Officer: "gate", Gate: 1}
	w.fails(admit, problem.Forbidden, "officer.decides") // the clause says who: the health desk
	admit.Admit, admit.Why = false, "incapable"
	if r = do[ScanAnswer](w, admit); r.Inside != 3 || r.Scan.Admitted {
		t.Errorf("%+v", r)
	}
	// Nobody at the desk can overrule a refusal.
	s = w.scan(w.claims(b, 0))
	s.Match = Differs
	x := do[ScanAnswer](w, s)
	w.fails(DecideScan{Pass: x.Presence.Pass, Serial: x.Scan.Serial, Admit: true, Why: "order", Officer: "supervisor"}, problem.Forbidden, "gate.refuse.final")
	st := DayFigures(w.mem.plain, mand, marketDay).Stats
	if st.Admitted != 1 || st.TurnedBack != 1 || st.Outcomes[reason.Refer] != 2 || st.Outcomes[reason.Refuse] != 1 {
		t.Errorf("%+v", st)
	}
	w.rebuilt()
}

// waits is somebody who came in time and waits for an officer's decision.
func waits(w *world, b booking.Booking, member int) (DecideScan, ScanAnswer) {
	w.t.Helper()
	s := w.scan(w.claims(b, member))
	s.Match, s.Screening = NotCompared, Screening{}
	a := do[ScanAnswer](w, s)
	w.verdict(a.Verdict, reason.Hold, "")
	return DecideScan{Pass: b.Members[member].Pass, Serial: a.Scan.Serial, Admit: true, Why: "seen", Officer: "supervisor", Gate: 1}, a
}

// Who waits is looked at again when an officer would let them in: what has changed since
// the scan is a refusal with its reason, and nobody moves.
func TestDecisionLooksAgain(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(w *world, b booking.Booking)
		o      reason.Outcome
		code   reason.Code
	}{
		{"cancelled", func(w *world, b booking.Booking) {
			do[BookingAnswer](w, Cancel{Ref: b.Ref})
			do[AcknowledgeAnswer](w, Acknowledge{Serial: 99})
		}, reason.Refuse, gate.CodeWithdrawn},
		{"moved", func(w *world, b booking.Booking) { do[BookingAnswer](w, Move{Ref: b.Ref, To: slotAt(12)}) }, reason.Refuse, gate.CodeOlder},
		{"issued anew", func(w *world, b booking.Booking) { do[BookingAnswer](w, Reissue{Ref: b.Ref}) }, reason.Refuse, gate.CodeOlder},
		{"the market has closed", func(w *world, b booking.Booking) { w.now = at("16:30") }, reason.Closed, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			w, b := arrived(t)
			c, _ := waits(w, b, 0)
			test.change(w, b)
			taken := w.slot(slotAt(9)).Taken
			a := do[ScanAnswer](w, c)
			w.verdict(a.Verdict, test.o, test.code)
			if a.Scan.Counted || a.Scan.Decided != "" || a.Scan.Outcome != test.o || a.Presence.Pending != 0 || a.Presence.Inside || a.Inside != 0 {
				t.Errorf("%+v", a)
			}
			if w.slot(slotAt(9)).Taken != taken || w.stands(b.Ref).Status == booking.Used || w.day().Refused != 1 || w.day().Entries != 0 {
				t.Errorf("%+v %v", w.day(), w.stands(b.Ref).Status)
			}
			w.fails(c, problem.Forbidden, "gate.refuse.final")
			if st := DayFigures(w.mem.plain, mand, marketDay).Stats; st.Outcomes[test.o] != 1 || st.Admitted != 0 || sum(st.Arrivals) != 0 {
				t.Errorf("%+v", st)
			}
			w.rebuilt()
		})
	}
	t.Run("withdrawn by the other side", func(t *testing.T) {
		w, _ := arrived(t)
		f := w.theirs(9, slotAt(9))
		s := w.scan(f)
		s.Screening = Screening{}
		a := do[ScanAnswer](w, s)
		do[WithdrawnAnswer](w, Withdrawn{Side: "B", Upto: 3, Entries: []WithdrawnPass{{Serial: 3, Pass: f.ID, Until: f.Expires.Unix()}}})
		a = do[ScanAnswer](w, DecideScan{Pass: f.ID, Serial: a.Scan.Serial, Admit: true, Why: "seen", Officer: "supervisor", Gate: 1})
		w.verdict(a.Verdict, reason.Refuse, gate.CodeWithdrawn)
		if a.Inside != 0 {
			t.Errorf("%+v", a)
		}
		w.rebuilt()
	})
	t.Run("late by waiting", func(t *testing.T) {
		w, b := arrived(t)
		c, _ := waits(w, b, 0)
		w.now = at("11:05") // past slot and grace
		if a := do[ScanAnswer](w, c); !a.Scan.Counted || a.Inside != 1 {
			t.Errorf("%+v", a)
		}
		w.rebuilt()
	})
	t.Run("turning back asks nothing", func(t *testing.T) {
		w, b := arrived(t)
		c, _ := waits(w, b, 0)
		do[BookingAnswer](w, Reissue{Ref: b.Ref})
		c.Admit, c.Why = false, "left"
		if a := do[ScanAnswer](w, c); a.Scan.Decided != "supervisor" || a.Scan.Outcome != reason.Hold {
			t.Errorf("%+v", a)
		}
	})
}

// A market that has filled up meanwhile is a reason that was not there: it is added to the
// scan, and the role that the clause names may still decide.
func TestDecisionOverCap(t *testing.T) {
	w := newWorld(t, lawWith(t, small...))
	waiting := w.book(slotAt(9), 1).Booking
	c := w.booking(slotAt(9), 2)
	c.Members[0].Children = 4
	d := w.booking(slotAt(10), 3)
	d.Members[0].Children = 2
	five, three := do[BookingAnswer](w, c).Booking, do[BookingAnswer](w, d).Booking
	w.now = at("09:50")
	s := w.scan(w.claims(waiting, 0))
	s.Match = NotCompared
	a := do[ScanAnswer](w, s)
	w.verdict(a.Verdict, reason.Hold, "")
	for _, b := range []booking.Booking{five, three} {
		w.verdict(do[ScanAnswer](w, w.scan(w.claims(b, 0))).Verdict, reason.Allow, "")
	}
	r := DecideScan{Pass: waiting.Members[0].Pass, Serial: a.Scan.Serial, Admit: true, Why: "seen", Officer: "gate", Gate: 1}
	a = do[ScanAnswer](w, r)
	w.verdict(a.Verdict, reason.Hold, "law.clause.hold")
	if a.Verdict.Reasons[0].Clause != "X-OCCUPANCY" || len(a.Verdict.Reasons) != 1 || a.Scan.Counted || a.Inside != 8 || a.Presence.Pending != r.Serial {
		t.Fatalf("%+v", a)
	}
	w.fails(r, problem.Forbidden, "officer.decides") // now the clause says who
	r.Officer, r.Why = "supervisor", "need"
	if a = do[ScanAnswer](w, r); !a.Scan.Counted || a.Inside != 9 || a.Scan.Decided != "supervisor" {
		t.Errorf("%+v", a)
	}
	w.rebuilt()
}

// A scan that nobody decided ends with its day: a decision that comes later is answered
// and moves nobody.
func TestDecisionAfterItsDay(t *testing.T) {
	for _, settled := range []bool{false, true} {
		w, b := arrived(t)
		c, _ := waits(w, b, 0)
		w.now = at("09:30", 1)
		if settled {
			do[SettleAnswer](w, Settle{Site: mand, Day: marketDay})
			if p, _ := PresenceOf(w.mem.plain, c.Pass); p.Pending != 0 || !p.Scans[0].Lapsed || w.day().Lapsed != 1 {
				t.Errorf("%+v", p)
			}
		}
		n := len(w.mem.Facts())
		a := do[ScanAnswer](w, c)
		w.verdict(a.Verdict, reason.Refuse, gate.CodePast)
		if a.Scan.Counted || !a.Scan.Lapsed || a.Scan.Decided != "" || a.Presence.Day != marketDay || a.Presence.Pending != 0 || w.day().Lapsed != 1 || w.day().Entries != 0 {
			t.Errorf("%+v", a)
		}
		if _, ok := w.mem.plain.Gate.Days.Get(gate.SiteDayKey{Site: mand, Day: marketDay + 1}); ok {
			t.Error("the next day counts something")
		}
		if settled && len(w.mem.Facts()) != n {
			t.Error("what is settled is recorded again")
		}
		do[ScanAnswer](w, c) // and again
		if w.stands(b.Ref).Status == booking.Used {
			t.Error("used")
		}
		w.rebuilt()
	}
}

// Who is inside since yesterday is counted where they came in; a scan of today that waits
// is not ended by settling yesterday, and moves them on today's count.
func TestPendingOverMidnight(t *testing.T) {
	w, b := arrived(t)
	c := w.claims(b, 1)
	do[ScanAnswer](w, w.scan(c))
	w.now = at("00:01", 1)
	w.law = lawless(t)
	a := do[ScanAnswer](w, w.out(c))
	w.verdict(a.Verdict, reason.Refer, gate.CodeExitLaw)
	x := do[SettleAnswer](w, Settle{Site: mand, Day: marketDay})
	if x.People != 3 || x.Day.Inside != 0 || x.Day.Lapsed != 0 {
		t.Errorf("%+v", x)
	}
	r := do[ScanAnswer](w, DecideScan{Pass: c.ID, Serial: a.Scan.Serial, Admit: true, Why: "seen", Officer: "gate", Gate: 1})
	d, _ := w.mem.plain.Gate.Days.Get(gate.SiteDayKey{Site: mand, Day: marketDay + 1})
	if !r.Scan.Counted || !r.Scan.Unmatched || r.Presence.Day != marketDay+1 || d.Exits != 3 || d.Unmatched != 3 || w.day().Exits != 3 {
		t.Errorf("%+v %+v", r, d)
	}
	w.rebuilt()
}

// A mistake is mended while its day lasts.
func TestUndoAfterItsDay(t *testing.T) {
	for _, test := range []struct {
		name  string
		later func(w *world, c pass.Claims)
	}{
		{"the day is settled", func(w *world, c pass.Claims) { do[SettleAnswer](w, Settle{Site: mand, Day: marketDay}) }},
		{"the pass was seen on another day", func(w *world, c pass.Claims) {
			if a := do[ScanAnswer](w, w.scan(c)); a.Verdict.Outcome != reason.Closed || a.Presence.Day != marketDay+1 {
				t.Errorf("%+v", a)
			}
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			w, b := arrived(t)
			c := w.claims(b, 1)
			do[ScanAnswer](w, w.scan(c))
			if test.name != "the day is settled" {
				do[ScanAnswer](w, w.out(c))
			}
			w.now = at("09:30", 1)
			test.later(w, c)
			p, _ := PresenceOf(w.mem.plain, c.ID)
			w.fails(UndoScan{Pass: c.ID, Serial: p.Scans[1].Serial, Officer: "supervisor"}, problem.Conflict, "gate.scan.past")
		})
	}
}

func TestOccupancy(t *testing.T) {
	w := newWorld(t, lawWith(t, small...))
	c := w.booking(slotAt(9), 1)
	c.Members[0].Children = 5
	b := do[BookingAnswer](w, c).Booking
	d := w.book(slotAt(10), 2, 3, 4).Booking
	w.now = at("09:50")
	do[ScanAnswer](w, w.scan(w.claims(b, 0)))
	do[ScanAnswer](w, w.scan(w.claims(d, 0)))
	a := do[ScanAnswer](w, w.scan(w.claims(d, 1)))
	w.verdict(a.Verdict, reason.Allow, "")
	if a.Inside != 8 || a.Cap != 8 {
		t.Fatalf("%+v", a)
	}
	a = do[ScanAnswer](w, w.scan(w.claims(d, 2)))
	w.verdict(a.Verdict, reason.Hold, "")
	do[ScanAnswer](w, w.out(w.claims(d, 0)))
	again := w.scan(w.claims(d, 2))
	again.Again = a.Scan.Serial
	a = do[ScanAnswer](w, again)
	w.verdict(a.Verdict, reason.Allow, "")
	w.rebuilt()
}

func TestExit(t *testing.T) {
	w, b := arrived(t)
	// Came in by the other side's gate.
	f := w.theirs(9, slotAt(9))
	a := do[ScanAnswer](w, w.out(f))
	w.verdict(a.Verdict, reason.Allow, gate.CodeUnmatched)
	if d := w.day(); d.Inside != 0 || d.Exits != 1 || d.Unmatched != 1 {
		t.Errorf("%+v", d)
	}
	// Whoever is inside gets out, whatever has become of the pass and the hour, and is
	// counted where they came in.
	c := w.claims(b, 1)
	do[ScanAnswer](w, w.scan(c))
	away := w.scan(c)
	away.Site = gabd
	w.verdict(do[ScanAnswer](w, away).Verdict, reason.Refuse, gate.CodeSite)
	if p, _ := PresenceOf(w.mem.plain, c.ID); p.Site != mand || !p.Inside {
		t.Errorf("%+v", p)
	}
	c.Children = 0
	do[BookingAnswer](w, Reissue{Ref: b.Ref, Member: 1})
	w.now = at("23:30")
	s := w.out(c)
	s.Fault, s.Match = pass.Expired, Differs
	a = do[ScanAnswer](w, s)
	w.verdict(a.Verdict, reason.Allow, "")
	if d := w.day(); d.Inside != 0 || a.People != 3 || d.Exits != 4 {
		t.Errorf("%+v", d)
	}
	w.rebuilt()
}

// Whoever leaves with goods goes; what the agreement says of the goods is asked for at the
// way out, and stands beside the answer, in the record and in the day's figures.
func TestGoodsLeave(t *testing.T) {
	w, b := arrived(t)
	w.display(tomato, 100)
	w.display(kiwi, 100)
	in := func(c pass.Claims, tag [16]byte) {
		s := w.scan(c)
		s.Tag = tag
		w.verdict(do[ScanAnswer](w, s).Verdict, reason.Allow, "")
	}
	buy := func(c pass.Claims, person uint64, code string) BuyAnswer {
		x := w.buys(person, code, 10_000)
		x.Pass = c.ID
		a := do[BuyAnswer](w, x)
		w.verdict(a.Verdict, reason.Allow, "")
		return a
	}
	one, two, theirs := w.claims(b, 0), w.claims(b, 1), w.theirs(9, slotAt(9))
	in(one, [16]byte{})
	in(two, [16]byte{})
	in(theirs, id('t', 99))
	buy(one, 1, tomato)
	buy(one, 1, kiwi)
	taken := buy(two, 2, tomato)
	do[BuyAnswer](w, Void{ID: taken.Purchase.ID, Why: market.Grounds[0], Officer: "customs"})
	buy(theirs, 99, tomato)
	for _, c := range []struct {
		claims pass.Claims
		leaves bool
	}{{one, true}, {two, false}, {theirs, true}} {
		a := do[ScanAnswer](w, w.out(c.claims))
		w.verdict(a.Verdict, reason.Allow, "")
		if !a.Scan.Counted || (a.Goods.Point == rules.Exit) != c.leaves || (a.Scan.Goods != reason.None) != c.leaves {
			t.Fatalf("%+v", a)
		}
		if c.leaves && (a.Goods.Outcome != reason.Refer || a.Goods.Reasons[0].Clause != "ST4(ii)" || a.Scan.Goods != reason.Refer || a.Scan.GoodsWhy[0].Clause != "ST4(ii)" ||
			!maps.Equal(a.Scan.GoodsWhy[0].Params, map[string]string{"attribute": "gd.value"})) { // what is not known, and no value
			t.Errorf("%+v", a.Goods)
		}
	}
	if a := do[ScanAnswer](w, w.out(one)); a.Verdict.Outcome != reason.Refer || a.Goods.Point != "" || a.Scan.Goods != reason.None {
		t.Errorf("goods of somebody who has left already: %+v", a.Goods)
	}
	var n uint32
	for _, r := range DayFigures(w.mem.plain, mand, marketDay).Stats.Reasons {
		if r.Clause == "ST4(ii)" {
			n += r.Count
		}
	}
	if n != 2 {
		t.Errorf("counted %d times", n)
	}
	w.rebuilt()
	// An agreement that says nothing of goods that leave is not asked.
	w.law = lawWith(t, append([]string{"at: [exit]", "at: [custody]"}, small...)...)
	w.now, one = w.now.Add(time.Minute), w.claims(b, 0)
	in(one, [16]byte{})
	if a := do[ScanAnswer](w, w.out(one)); a.Goods.Point != "" || !a.Scan.Counted {
		t.Errorf("%+v", a.Goods)
	}
}

// A clause against leaving is shown to an officer, and keeps nobody in by itself.
func TestExitAgainstLaw(t *testing.T) {
	w, b := arrived(t)
	c := w.claims(b, 0)
	do[ScanAnswer](w, w.scan(c))
	law := w.law
	w.law = lawless(t)
	a := do[ScanAnswer](w, w.out(c))
	w.verdict(a.Verdict, reason.Refer, gate.CodeExitLaw)
	w.law = law
	r := do[ScanAnswer](w, DecideScan{Pass: c.ID, Serial: a.Scan.Serial, Admit: true, Why: "seen", Officer: "gate", Gate: 1})
	if r.Inside != 0 || r.Presence.Inside {
		t.Errorf("%+v", r)
	}
	w.rebuilt()
}

func TestUndo(t *testing.T) {
	w, b := arrived(t)
	c := w.claims(b, 1)
	in := do[ScanAnswer](w, w.scan(c))
	w.now = at("10:00")
	out := do[ScanAnswer](w, w.out(c))
	w.fails(UndoScan{Pass: c.ID, Serial: in.Scan.Serial, Officer: "gate"}, problem.Conflict, "gate.scan.later")
	r := do[ScanAnswer](w, UndoScan{Pass: c.ID, Serial: out.Scan.Serial, Officer: "gate"})
	if r.Inside != 3 || !r.Presence.Inside || !r.Presence.Since.Equal(at("09:30")) || r.Presence.Dwell != 0 || w.day().Exits != 0 || w.day().DwellCount != 0 {
		t.Errorf("%+v %+v", r, w.day())
	}
	w.fails(UndoScan{Pass: c.ID, Serial: out.Scan.Serial, Officer: "gate"}, problem.Conflict, "gate.scan.done")
	w.fails(UndoScan{Pass: c.ID, Serial: in.Scan.Serial, Officer: "customs"}, problem.Forbidden, "officer.role")
	r = do[ScanAnswer](w, UndoScan{Pass: c.ID, Serial: in.Scan.Serial, Officer: "gate"})
	if r.Inside != 0 || r.Presence.Inside || r.Presence.Visits != 0 || w.day().Entries != 0 {
		t.Errorf("%+v", r)
	}
	if w.stands(b.Ref).Status != booking.Booked {
		t.Error("the only entry is undone and the booking is still used")
	}
	st := DayFigures(w.mem.plain, mand, marketDay).Stats
	if sum(st.Arrivals) != 0 || sum(st.Departures) != 0 || sum(st.Lateness[:]) != 0 {
		t.Errorf("%+v", st)
	}
	// With another holder inside, the booking stays used.
	do[ScanAnswer](w, w.scan(w.claims(b, 0)))
	in = do[ScanAnswer](w, w.scan(c))
	do[ScanAnswer](w, UndoScan{Pass: c.ID, Serial: in.Scan.Serial, Officer: "gate"})
	if w.stands(b.Ref).Status != booking.Used {
		t.Error("the booking is no longer used while a holder is inside")
	}
	w.rebuilt()
}

func sum(ns []uint32) (total uint32) {
	for _, n := range ns {
		total += n
	}
	return total
}

func TestSettle(t *testing.T) {
	w, b := arrived(t)
	missed := w.book(slotAt(10), 7).Booking
	do[ScanAnswer](w, w.scan(w.claims(b, 1)))
	refs := []booking.Ref{b.Ref, missed.Ref, missed.Ref}
	c := Settle{Site: mand, Day: marketDay, Officer: "supervisor", Bookings: refs}
	w.fails(c, problem.Conflict, "gate.day.running")
	w.now = at("16:59") // nobody comes in any more, and people may still be inside
	w.fails(c, problem.Conflict, "gate.day.running")
	w.now = at("23:00")
	bad := c
	bad.Officer = "gate"
	w.fails(bad, problem.Forbidden, "officer.role")
	bad.Officer = "" // the server by itself, before the day is over
	w.fails(bad, problem.Forbidden, "officer.role")
	a := do[SettleAnswer](w, c)
	if a.People != 3 || a.NoShows != 1 || a.Day.Inside != 0 || a.Day.Settled != 3 || !a.Day.Closed || a.Day.DwellCount != 0 {
		t.Errorf("%+v", a)
	}
	if w.stands(missed.Ref).Status != booking.NoShow || w.stands(b.Ref).Status != booking.Used {
		t.Error("bookings are not settled")
	}
	p, _ := PresenceOf(w.mem.plain, b.Members[1].Pass)
	if s := p.Scans[len(p.Scans)-1]; !s.Settled || s.Direction != gate.Out || p.Inside {
		t.Errorf("%+v", p)
	}
	w.now = at("01:00", 1)
	n := len(w.mem.Facts())
	if a = do[SettleAnswer](w, bad); a.People != 0 || a.NoShows != 0 || len(w.mem.Facts()) != n {
		t.Errorf("settled twice: %+v", a)
	}
	if d := w.day(); d.ClosedBy != "supervisor" || !d.ClosedAt.Equal(at("23:00")) {
		t.Errorf("%+v", d)
	}
	w.rebuilt()
}

// What the clock settles is nobody's act, and its facts say so.
func TestSettleByTheClock(t *testing.T) {
	w, b := arrived(t)
	do[ScanAnswer](w, w.scan(w.claims(b, 1)))
	w.now = at("00:05", 1)
	n := len(w.mem.Facts())
	a := do[SettleAnswer](w, Settle{Site: mand, Day: marketDay, Bookings: []booking.Ref{b.Ref}})
	if a.People != 3 || !a.Day.Closed || a.Day.ClosedBy != "" || !a.Day.ClosedAt.Equal(w.now) {
		t.Errorf("%+v", a)
	}
	closed := false
	for _, h := range w.mem.Facts()[n:] {
		switch f := h.Fact.(type) {
		case *gate.Settled:
			if !f.Clock || f.Officer != "" {
				t.Errorf("%+v", f)
			}
		case *gate.DayClosed:
			closed = f.Clock && f.Officer == ""
		}
	}
	if !closed {
		t.Error("no fact says that the clock settled the day")
	}
	w.rebuilt()
}

func TestScanRights(t *testing.T) {
	w, b := arrived(t)
	s := w.scan(w.claims(b, 0))
	s.Officer = "customs"
	w.fails(s, problem.Forbidden, "officer.role")
	s.Officer = "gate"
	s.Gate = 2
	w.fails(s, problem.Invalid, "gate.gate")
	s.Gate, s.Site = 1, 9
	w.fails(s, problem.NotFound, "gate.site")
	s.Site, s.Direction = mand, "sideways"
	w.fails(s, problem.Invalid, "gate.direction")
	o := do[AppointAnswer](w, Appoint{Officer: officer("gate", "gabd-reemdan", true, "gate"), By: "admin"}).Officer
	if o.Site != "gabd-reemdan" {
		t.Fatal(o)
	}
	s.Direction = gate.In
	w.fails(s, problem.Forbidden, "officer.site")
	do[AppointAnswer](w, Appoint{Officer: officer("gate", "mand-pishin", false, "gate"), By: "admin"})
	w.fails(s, problem.Forbidden, "officer.role")
}

func TestList(t *testing.T) {
	w, _ := arrived(t)
	w.fails(Withdrawn{Side: "A", Upto: 1}, problem.Invalid, "gate.list.side")
	w.fails(Withdrawn{Side: "B", Upto: 1, Entries: []WithdrawnPass{{Serial: 2}}}, problem.Invalid, "gate.list.order")
	w.fails(Withdrawn{Side: "B", Upto: 3, Entries: []WithdrawnPass{{Serial: 2}, {Serial: 2}}}, problem.Invalid, "gate.list.order")
	n := len(w.mem.Facts())
	do[WithdrawnAnswer](w, Withdrawn{Side: "B"})
	if len(w.mem.Facts()) != n {
		t.Error("a list with nothing new is recorded every time it is read")
	}
	w.now = w.now.Add(time.Minute)
	do[WithdrawnAnswer](w, Withdrawn{Side: "B"})
	if h := HeardOf(w.mem.plain, "A"); !h.At.Equal(w.now) {
		t.Errorf("%+v", h)
	}
	// An older entry does not put a newer one back.
	do[WithdrawnAnswer](w, Withdrawn{Side: "B", Upto: 2, Entries: []WithdrawnPass{{Serial: 2, Pass: pass.ID{1}, Gen: 4}}})
	do[WithdrawnAnswer](w, Withdrawn{Side: "B", Upto: 3, Entries: []WithdrawnPass{{Serial: 3, Pass: pass.ID{1}, Gen: 2}}})
	if x, _ := w.mem.plain.Gate.Withdrawn.Get(pass.ID{1}); x.Gen != 4 {
		t.Errorf("%+v", x)
	}
	w.rebuilt()
}

// Where no edition is in force, nothing is decided by a machine.
func TestNoEdition(t *testing.T) {
	w, b := arrived(t)
	c := w.claims(b, 0)
	do[ScanAnswer](w, w.scan(c))
	w.now = at("09:00", 400)
	w.verdict(do[ScanAnswer](w, w.out(c)).Verdict, reason.Refer, gate.CodeExitLaw)
	w.verdict(do[ScanAnswer](w, w.scan(w.claims(b, 1))).Verdict, reason.Refuse, "law.edition.none")
	w.verdict(do[BuyAnswer](w, w.buys(1, tomato, 1000)).Verdict, reason.Refer, "law.edition.none")
	w.fails(Display{Site: mand, Day: marketDay + 400, Officer: "customs"}, problem.Conflict, "market.edition")
}

// leavesWith is a world in which somebody leaves with goods that the agreement leaves to
// customs.
func leavesWith(t *testing.T) (*world, booking.Booking, ScanAnswer) {
	w, b := arrived(t)
	w.display(tomato, 100)
	do[ScanAnswer](w, w.scan(w.claims(b, 0)))
	do[BuyAnswer](w, w.buys(1, tomato, 10_000))
	w.now = at("10:00")
	a := do[ScanAnswer](w, w.out(w.claims(b, 0)))
	w.verdict(a.Goods, reason.Refer, "")
	return w, b, a
}

// Goods that the agreement leaves to a person end in the decision of the officer whom the
// clause names, by name, with a ground and the clause.
func TestDecideGoods(t *testing.T) {
	w, b, a := leavesWith(t)
	c := DecideGoods{Pass: a.Presence.Pass, Serial: a.Scan.Serial, Why: "unpaid", Officer: "customs"}
	for _, bad := range []struct {
		change func(*DecideGoods)
		kind   problem.Kind
		code   string
	}{
		{func(c *DecideGoods) { c.Officer = "gate" }, problem.Forbidden, "officer.decides"}, // the clause names customs
		{func(c *DecideGoods) { c.Officer = "clerk" }, problem.Forbidden, "officer.role"},
		{func(c *DecideGoods) { c.Officer = "" }, problem.Forbidden, "officer.role"},
		{func(c *DecideGoods) { c.Why = "whim" }, problem.Invalid, "gate.ground"},
		{func(c *DecideGoods) { c.Serial = 99 }, problem.NotFound, "gate.scan"},
		{func(c *DecideGoods) { c.Serial = 1 }, problem.NotFound, "gate.scan"}, // the way in, with no goods
		{func(c *DecideGoods) { c.Pass[0]++ }, problem.NotFound, "gate.pass"},
	} {
		x := c
		bad.change(&x)
		w.fails(x, bad.kind, bad.code)
	}
	away := do[AppointAnswer](w, Appoint{Officer: officer("away", "gabd-reemdan", true, "customs"), By: "admin"}).Officer
	x := c
	x.Officer = away.ID
	w.fails(x, problem.Forbidden, "officer.site")
	if open, ended := GoodsOut(w.mem.plain, mand, marketDay); len(open) != 1 || len(ended) != 0 || open[0].Scan.Serial != a.Scan.Serial {
		t.Fatalf("%+v %+v", open, ended)
	}
	// Kept, which is final but for letting them go once the tax is paid.
	r := do[ScanAnswer](w, c)
	if r.Scan.GoodsBy != "customs" || r.Scan.GoodsGo || r.Scan.GoodsGround != "unpaid" || !r.Scan.Counted || r.Goods.Outcome != reason.Refer || w.day().GoodsKept != 1 {
		t.Errorf("%+v", r.Scan)
	}
	facts := w.mem.Facts()
	f, ok := facts[len(facts)-1].Fact.(*gate.GoodsDecided)
	if !ok || f.Officer != "customs" || f.Why != "unpaid" || f.Go || f.Kept || !slices.Equal(f.Clauses, []string{"ST4(ii)"}) || f.Day != marketDay || f.Minute != 600 {
		t.Errorf("%+v", f)
	}
	w.fails(c, problem.Conflict, "gate.scan.done")
	c.Go, c.Why = true, "paid"
	r = do[ScanAnswer](w, c)
	facts = w.mem.Facts()
	if f := facts[len(facts)-1].Fact.(*gate.GoodsDecided); !f.Go || !f.Kept || !r.Scan.GoodsGo || r.Scan.GoodsGround != "paid" {
		t.Errorf("%+v", f)
	}
	w.fails(c, problem.Conflict, "gate.scan.done")
	c.Go, c.Why = false, "unpaid"
	w.fails(c, problem.Conflict, "gate.scan.done") // they have left
	if open, ended := GoodsOut(w.mem.plain, mand, marketDay); len(open) != 0 || len(ended) != 1 || w.day().GoodsLet != 1 || w.day().GoodsKept != 0 {
		t.Errorf("%+v %+v %+v", open, ended, w.day())
	}
	// Who comes again leaves with what was bought since, and is not asked about the rest.
	w.now = at("10:10")
	do[ScanAnswer](w, w.scan(w.claims(b, 0)))
	w.now = at("10:20")
	again := do[ScanAnswer](w, w.out(w.claims(b, 0)))
	if again.Goods.Point != "" {
		t.Errorf("asked again: %+v", again.Goods)
	}
	w.rebuilt()
}

// What the law refuses is no officer's to let go; a scan that was a mistake takes its goods
// with it.
func TestGoodsNotToDecide(t *testing.T) {
	w, _, a := leavesWith(t)
	c := DecideGoods{Pass: a.Presence.Pass, Serial: a.Scan.Serial, Go: true, Why: "order", Officer: "supervisor"}
	p, _ := PresenceOf(w.mem.plain, c.Pass)
	for o, code := range map[reason.Outcome]string{reason.Refuse: "gate.refuse.final", reason.Closed: "gate.refuse.final", reason.Divert: "gate.scan.done", reason.Allow: "gate.scan.done"} {
		q := p
		q.Scans = slices.Clone(p.Scans)
		q.Scans[1].Goods = o
		w.mem.plain.Gate.Presences.Put(c.Pass, q)
		kind := problem.Conflict
		if code == "gate.refuse.final" {
			kind = problem.Forbidden
		}
		w.fails(c, kind, code)
		if open, ended := GoodsOut(w.mem.plain, mand, marketDay); len(open)+len(ended) != 0 {
			t.Errorf("%v is listed", o)
		}
	}
	w.mem.plain.Gate.Presences.Put(c.Pass, p)
	do[ScanAnswer](w, UndoScan{Pass: c.Pass, Serial: c.Serial, Officer: "gate"})
	w.fails(c, problem.Conflict, "gate.scan.done")
	if open, _ := GoodsOut(w.mem.plain, mand, marketDay); len(open) != 0 {
		t.Errorf("%+v", open)
	}
	w.rebuilt()
}

// Goods that nobody decided on end undecided with their day, whether or not the pass was
// seen on another day meanwhile, and a decision that comes later is answered and moves
// nothing.
func TestGoodsLapse(t *testing.T) {
	for _, test := range []struct {
		name string
		then func(w *world, c pass.Claims)
	}{
		{"settled by the clock", func(w *world, c pass.Claims) {
			w.now = at("00:06", 1)
			do[SettleAnswer](w, Settle{Site: mand, Day: marketDay})
		}},
		{"seen on the next day before that", func(w *world, c pass.Claims) {
			w.now = at("00:02", 1)
			do[ScanAnswer](w, w.scan(c))
			do[SettleAnswer](w, Settle{Site: mand, Day: marketDay})
		}},
		{"settled by the supervisor", func(w *world, c pass.Claims) {
			w.now = at("20:00")
			do[SettleAnswer](w, Settle{Site: mand, Day: marketDay, Officer: "supervisor"})
		}},
		{"not settled yet", func(w *world, c pass.Claims) { w.now = at("00:02", 1) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			w, b, a := leavesWith(t)
			test.then(w, w.claims(b, 0))
			n, lapsed := len(w.mem.Facts()), w.day().GoodsLapsed
			if want := uint32(1); test.name != "not settled yet" && lapsed != want {
				t.Errorf("%d lapsed", lapsed)
			}
			c := DecideGoods{Pass: a.Presence.Pass, Serial: a.Scan.Serial, Go: true, Why: "paid", Officer: "customs"}
			r := do[ScanAnswer](w, c)
			w.verdict(r.Goods, reason.Refuse, gate.CodeGoodsPast)
			if r.Scan.GoodsBy != "" || !r.Scan.GoodsLapsed || w.day().GoodsLapsed != 1 || w.day().GoodsLet != 0 || len(w.mem.Facts()) != n+1-int(lapsed) {
				t.Errorf("%+v %+v", r.Scan, w.day())
			}
			do[ScanAnswer](w, c)
			if w.day().GoodsLapsed != 1 {
				t.Error("lapsed twice")
			}
			w.rebuilt()
		})
	}
}

// A number that was keyed wrongly, and could be another document's, is corrected at once:
// the refusal names the scan that put it right, and counts no more.
func TestMistypedDocument(t *testing.T) {
	stray := func(w *world, b booking.Booking) (ScanAnswer, Scan) {
		s := w.scan(w.claims(b, 0))
		s.Match = Differs
		a := do[ScanAnswer](w, s)
		w.verdict(a.Verdict, reason.Refuse, gate.CodeHolder)
		s.Match = Fits
		return a, s
	}
	clean := func(t *testing.T, w *world) {
		t.Helper()
		st := DayFigures(w.mem.plain, mand, marketDay).Stats
		for _, r := range st.Reasons {
			if r.Code == gate.CodeHolder {
				t.Errorf("counted: %+v", r)
			}
		}
		if w.day().Refused != 0 || st.Outcomes[reason.Refuse] != 0 || st.Outcomes[reason.Allow] != 1 || w.day().Entries != 1 {
			t.Errorf("%+v %+v", w.day(), st)
		}
		w.rebuilt()
	}
	t.Run("keyed again", func(t *testing.T) {
		w, b := arrived(t)
		first, s := stray(w, b)
		if !slices.Equal(first.Asks, []string{"document"}) {
			t.Fatalf("asks %v", first.Asks)
		}
		s.Again, s.Match = first.Scan.Serial, Differs // and wrong once more
		second := do[ScanAnswer](w, s)
		w.verdict(second.Verdict, reason.Refuse, gate.CodeHolder)
		if w.day().Refused != 1 {
			t.Errorf("one arrival is refused %d times", w.day().Refused)
		}
		w.fails(s, problem.Conflict, "gate.scan.done") // it was corrected already
		s.Again, s.Match = second.Scan.Serial, Fits
		a := do[ScanAnswer](w, s)
		w.verdict(a.Verdict, reason.Allow, "")
		if p := a.Presence; p.Scans[0].Corrected != second.Scan.Serial || p.Scans[1].Corrected != a.Scan.Serial || p.Visits != 1 {
			t.Errorf("%+v", p.Scans)
		}
		clean(t, w)
	})
	t.Run("the pass scanned again", func(t *testing.T) {
		w, b := arrived(t)
		first, s := stray(w, b)
		w.now = w.now.Add(10 * time.Minute)
		a := do[ScanAnswer](w, s)
		w.verdict(a.Verdict, reason.Allow, "")
		if a.Presence.Scans[0].Corrected != a.Scan.Serial || first.Scan.Serial == a.Scan.Serial {
			t.Errorf("%+v", a.Presence.Scans)
		}
		clean(t, w)
	})
	for _, test := range []struct {
		name   string
		change func(w *world, s *Scan)
	}{
		{"much later", func(w *world, s *Scan) { w.now = w.now.Add(10*time.Minute + time.Second) }},
		{"another officer", func(w *world, s *Scan) { s.Officer = "supervisor" }},
		{"no document was read", func(w *world, s *Scan) { s.Match = Seen }},
	} {
		t.Run("stands: "+test.name, func(t *testing.T) {
			w, b := arrived(t)
			first, s := stray(w, b)
			test.change(w, &s)
			if s.Match == Seen { // nor is a refusal overridden by a look
				x := s
				x.Again = first.Scan.Serial
				w.fails(x, problem.Conflict, "gate.scan.done")
			}
			a := do[ScanAnswer](w, s)
			if a.Presence.Scans[0].Corrected != 0 || w.day().Refused != 1 {
				t.Errorf("%+v %+v", a.Presence.Scans, w.day())
			}
			w.rebuilt()
		})
	}
	t.Run("stands: ill besides", func(t *testing.T) {
		w, b := arrived(t)
		s := w.scan(w.claims(b, 0))
		s.Match, s.Screening = Differs, Screening{Done: true, TempTenths: 391, Symptoms: true}
		a := do[ScanAnswer](w, s)
		w.verdict(a.Verdict, reason.Refuse, gate.CodeHolder)
		if len(a.Asks) != 0 {
			t.Errorf("asks %v", a.Asks)
		}
		s.Match, s.Screening, s.Again = Fits, Screening{Done: true, TempTenths: 366}, a.Scan.Serial
		w.fails(s, problem.Conflict, "gate.scan.done")
		s.Again = 0
		if a = do[ScanAnswer](w, s); a.Presence.Scans[0].Corrected != 0 || w.day().Refused != 1 {
			t.Errorf("%+v", a.Presence.Scans)
		}
	})
}

// What is heard after a day was settled corrects it, as often as it changes: a booking that
// was used by the other side's gate is no no-show, and one whose only entry there was a
// mistake is one after all.
func TestNoShowAndBack(t *testing.T) {
	a, b := open(t)
	x := a.book(slotAt(9), 1, 2).Booking
	e := b.enters(a, x, 1)
	b.verdict(e.Verdict, reason.Allow, "")
	a.now, b.now = at("20:00"), at("20:00")
	do[SettleAnswer](a, Settle{Site: mand, Day: marketDay, Officer: "supervisor", Bookings: []booking.Ref{x.Ref}})
	check := func(status booking.Status, missed uint32) {
		t.Helper()
		if got, n := a.stands(x.Ref).Status, DayFigures(a.mem.plain, mand, marketDay).Stats.NoShow; got != status || n != missed {
			t.Errorf("%v and %d no-shows, want %v and %d", got, n, status, missed)
		}
	}
	check(booking.NoShow, 2)
	a.watches(b)
	check(booking.Used, 0)
	a.tick(b)
	do[ScanAnswer](b, UndoScan{Pass: x.Members[1].Pass, Serial: e.Scan.Serial, Officer: "gate"})
	a.watches(b)
	check(booking.NoShow, 2)
	a.rebuilt()
	b.rebuilt()
}

// What was refused for its holder or for the health desk is not undone by another scan:
// neither a look nor a second measurement lets anybody in, and who decides is the
// supervisor or the role that the clause names.
func TestRefusedBefore(t *testing.T) {
	admit := func(w *world, a ScanAnswer, officer string) DecideScan {
		return DecideScan{Pass: a.Presence.Pass, Serial: a.Scan.Serial, Admit: true, Why: "order", Officer: people.OfficerID(officer), Gate: 1}
	}
	refused := func(w *world, b booking.Booking, m Match, sc Screening) (Scan, ScanAnswer) {
		s := w.scan(w.claims(b, 0))
		good := s
		s.Match, s.Screening = m, sc
		a := do[ScanAnswer](w, s)
		if a.Verdict.Outcome != reason.Refuse {
			t.Fatalf("%+v", a.Verdict)
		}
		return good, a
	}
	well, ill := Screening{Done: true, TempTenths: 366}, Screening{Done: true, TempTenths: 396, Symptoms: true}
	t.Run("another's document, then a look", func(t *testing.T) {
		w, b := arrived(t)
		s, first := refused(w, b, Differs, well)
		w.now = w.now.Add(time.Minute)
		s.Match = Seen
		a := do[ScanAnswer](w, s)
		w.verdict(a.Verdict, reason.Refer, gate.CodeHolderBefore)
		if !slices.Equal(a.Asks, []string{"document", "decision"}) || a.Earlier == nil || a.Earlier.Serial != first.Scan.Serial || a.Inside != 0 {
			t.Errorf("%+v", a)
		}
		w.fails(admit(w, a, "gate"), problem.Forbidden, "officer.decides")
		// Not looked at either, and not to be decided by the gate.
		s.Match, s.Again = NotCompared, a.Scan.Serial
		a = do[ScanAnswer](w, s)
		w.verdict(a.Verdict, reason.Refer, gate.CodeHolderBefore)
		w.fails(admit(w, a, "gate"), problem.Forbidden, "officer.decides")
		if r := do[ScanAnswer](w, admit(w, a, "supervisor")); r.Inside != 1 {
			t.Errorf("%+v", r)
		}
		facts := w.mem.Facts()
		decided := 0
		for _, f := range facts {
			if d, ok := f.Fact.(*gate.Decided); ok {
				decided++
				if !slices.Equal(d.Clauses, []string{"X-IDENTIFIED"}) {
					t.Errorf("decided under %v", d.Clauses)
				}
			}
		}
		if decided != 1 {
			t.Errorf("%d decisions", decided)
		}
		// It was settled with that: who comes back is not asked again.
		w.now = at("10:00")
		do[ScanAnswer](w, w.out(w.claims(b, 0)))
		s.Match, s.Again = Seen, 0
		w.verdict(do[ScanAnswer](w, s).Verdict, reason.Allow, "")
		w.rebuilt()
	})
	t.Run("another's document, then the one that fits", func(t *testing.T) {
		w, b := arrived(t)
		s, _ := refused(w, b, Differs, well)
		s.Match = Seen
		a := do[ScanAnswer](w, s)
		s.Match, s.Again = Fits, a.Scan.Serial
		a = do[ScanAnswer](w, s)
		w.verdict(a.Verdict, reason.Allow, "")
		if a.Presence.Scans[0].Corrected != a.Scan.Serial {
			t.Errorf("%+v", a.Presence.Scans)
		}
		w.rebuilt()
	})
	t.Run("much later, by another officer", func(t *testing.T) {
		w, b := arrived(t)
		s, _ := refused(w, b, Differs, well)
		w.now = w.now.Add(20 * time.Minute)
		s.Match, s.Officer = Seen, "supervisor"
		w.verdict(do[ScanAnswer](w, s).Verdict, reason.Refer, gate.CodeHolderBefore)
	})
	t.Run("ill, then measured again", func(t *testing.T) {
		w, b := arrived(t)
		s, first := refused(w, b, Fits, ill)
		a := do[ScanAnswer](w, s)
		w.verdict(a.Verdict, reason.Refer, gate.CodeHealthBefore)
		if a.Earlier == nil || a.Earlier.Serial != first.Scan.Serial || !slices.Equal(a.Asks, []string{"decision"}) {
			t.Errorf("%+v", a)
		}
		w.fails(admit(w, a, "gate"), problem.Forbidden, "officer.decides")
		r := do[ScanAnswer](w, admit(w, a, "health"))
		if r.Inside != 1 {
			t.Errorf("%+v", r)
		}
		for _, x := range a.Verdict.Reasons {
			if x.Code == gate.CodeHealthBefore && x.Clause != "X-TEMPERATURE" {
				t.Errorf("%+v", x)
			}
		}
		w.rebuilt()
	})
	t.Run("taken back is not undone", func(t *testing.T) {
		w, b := arrived(t)
		s, first := refused(w, b, Fits, ill)
		do[ScanAnswer](w, UndoScan{Pass: first.Presence.Pass, Serial: first.Scan.Serial, Officer: "gate"})
		w.verdict(do[ScanAnswer](w, s).Verdict, reason.Refer, gate.CodeHealthBefore)
	})
	t.Run("ill, and scanned until it is forgotten", func(t *testing.T) {
		w, b := arrived(t)
		s, _ := refused(w, b, Fits, ill)
		for range 120 {
			s.Screening = Screening{}
			do[ScanAnswer](w, s)
		}
		s.Screening = well
		w.verdict(do[ScanAnswer](w, s).Verdict, reason.Refer, gate.CodeHealthBefore)
	})
	t.Run("ill with another's document", func(t *testing.T) {
		w, b := arrived(t)
		s, _ := refused(w, b, Differs, ill)
		w.verdict(do[ScanAnswer](w, s).Verdict, reason.Refer, gate.CodeHealthBefore)
	})
	t.Run("another holder", func(t *testing.T) {
		w, b := arrived(t)
		refused(w, b, Fits, ill)
		w.verdict(do[ScanAnswer](w, w.scan(w.claims(b, 1))).Verdict, reason.Allow, "")
	})
}

// A pass of the other side that an officer has only looked at says nothing of who came: the
// document is asked for, so that the same person does not come in by two bookings.
func TestTheirPassUnread(t *testing.T) {
	start := func(t *testing.T) (b *world, s Scan, own booking.Booking) {
		a, b := open(t)
		x, y := a.book(slotAt(9), 1).Booking, b.book(slotAt(9), 1).Booking
		s = b.scan(a.claims(x, 0))
		s.Gate, s.Match = b.gateOf(), Seen
		return b, s, y
	}
	t.Run("the document is read", func(t *testing.T) {
		b, s, own := start(t)
		r := do[ScanAnswer](b, s)
		b.verdict(r.Verdict, reason.Refer, gate.CodeUnread)
		if !slices.Equal(r.Asks, []string{"document", "decision"}) || r.Inside != 0 {
			t.Errorf("%+v", r)
		}
		s.Match, s.Tag, s.Again = Fits, own.Members[0].Tag, r.Scan.Serial
		b.verdict(do[ScanAnswer](b, s).Verdict, reason.Allow, "")
		b.verdict(b.enters(b, own, 0).Verdict, reason.Refer, gate.CodePerson)
		// And a look is enough once the document was read.
		b.now = b.now.Add(time.Hour)
		o := s
		o.Direction, o.Again = gate.Out, 0
		do[ScanAnswer](b, o)
		s.Match, s.Tag, s.Again = Seen, [16]byte{}, 0
		if a := do[ScanAnswer](b, s); slices.ContainsFunc(a.Verdict.Reasons, func(r reason.Reason) bool { return r.Code == gate.CodeUnread }) {
			t.Errorf("%+v", a.Verdict)
		}
	})
	for _, m := range []Match{Seen, NotCompared} {
		t.Run(fmt.Sprint("nobody but a supervisor admits without, match ", m), func(t *testing.T) {
			b, s, _ := start(t)
			s.Match = m
			r := do[ScanAnswer](b, s)
			c := DecideScan{Pass: r.Presence.Pass, Serial: r.Scan.Serial, Admit: true, Why: "seen", Officer: "gate", Gate: b.gateOf()}
			b.fails(c, problem.Forbidden, "officer.decides")
			c.Officer = "supervisor"
			if r = do[ScanAnswer](b, c); !r.Presence.Inside {
				t.Errorf("%+v", r)
			}
			b.rebuilt()
		})
	}
	t.Run("the side's own pass needs no more", func(t *testing.T) {
		b, _, own := start(t)
		s := b.scan(b.claims(own, 0))
		s.Gate, s.Match = b.gateOf(), Seen
		b.verdict(do[ScanAnswer](b, s).Verdict, reason.Allow, "")
	})
}
