// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package service

import (
	"testing"
	"time"

	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/closure"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/reason"
	"darwaza.dev/internal/rules"
)

// closes closes Mand–Pishin for people who come in, and is no clause's but X-CLOSE's.
func closes() Suspend {
	return Suspend{Site: mand, Direction: "in", Clause: "X-CLOSE", Cause: "health", Officer: "supervisor"}
}

// TestSuspend closes a site by the clause that allows it and by no other, for a named
// officer, and for no longer than the clause says.
func TestSuspend(t *testing.T) {
	w := newWorld(t, lawWith(t, small...))
	with := func(f func(*Suspend)) Suspend { c := closes(); f(&c); return c }
	w.fails(with(func(c *Suspend) { c.Officer = "gate" }), problem.Forbidden, "closure.role")
	w.fails(with(func(c *Suspend) { c.Cause = "because" }), problem.Invalid, "closure.cause")
	w.fails(with(func(c *Suspend) { c.Classes = []string{"lorry"} }), problem.Invalid, "closure.classes")
	w.fails(Lift{Site: mand, Number: 1, Officer: "supervisor"}, problem.NotFound, "closure.act")
	for clause, code := range map[string]reason.Code{"X-HOURS": closure.CodePower, "X-NONE": closure.CodePower, "X-CLOSE-NOTICE": closure.CodeNotice} {
		w.verdict(do[SuspendAnswer](w, with(func(c *Suspend) { c.Clause, c.From = clause, w.now })).Verdict, reason.Refuse, code)
	}
	w.verdict(do[SuspendAnswer](w, with(func(c *Suspend) { c.Until = w.now.Add(15 * 24 * time.Hour) })).Verdict, reason.Refuse, closure.CodeLong)
	scoped := newWorld(t, lawWith(t, "decides: supervisor\n    within: closure.emergency", "decides: supervisor\n    direction: out\n    within: closure.emergency"))
	scoped.verdict(do[SuspendAnswer](scoped, closes()).Verdict, reason.Refuse, closure.CodeScope)
	if n := len(w.mem.Facts()); n != len(newWorld(t, w.law).mem.Facts()) {
		t.Fatalf("%d facts", n)
	}

	a := do[SuspendAnswer](w, closes())
	w.verdict(a.Verdict, reason.Allow, "")
	if a.Act.Number != 1 || !a.Act.From.Equal(w.now) || !a.Act.Until.Equal(w.now.Add(14*24*time.Hour)) || a.Act.Agreement != "pk-ir-border-markets" || a.Act.Officer != "supervisor" {
		t.Errorf("%+v", a.Act)
	}
	// It is not prolonged by saying it again, not even once it is lifted.
	w.verdict(do[SuspendAnswer](w, closes()).Verdict, reason.Refuse, closure.CodeProlonged)
	do[LiftAnswer](w, Lift{Site: mand, Number: 1, Officer: "supervisor"})
	w.fails(Lift{Site: mand, Number: 1, Officer: "supervisor"}, problem.Conflict, "closure.over")
	w.verdict(do[SuspendAnswer](w, closes()).Verdict, reason.Refuse, closure.CodeProlonged)
	// With notice it may be, and has no end.
	b := do[SuspendAnswer](w, with(func(c *Suspend) { c.Clause = "X-CLOSE-NOTICE" })).Act
	if b.Number != 2 || !b.From.Equal(w.now.Add(72*time.Hour)) || !b.End().IsZero() {
		t.Errorf("%+v", b)
	}
	w.verdict(w.book(slotAt(9), 1).Verdict, reason.Allow, "")
	w.now = b.From
	later := booking.MakeSlotID(mand, visitor, marketDay+7, 9*60)
	w.verdict(w.book(later, 2).Verdict, reason.Closed, closure.CodeAct)
	do[LiftAnswer](w, Lift{Site: mand, Number: 2, Officer: "supervisor"})
	w.verdict(w.book(later, 2).Verdict, reason.Allow, "")
}

// TestClosedStands closes a market day on which people have booked: the gate says CLOSED by
// the act and its clause, nobody is a no-show, nothing is cancelled, and the place can be
// moved once the site is open.
func TestClosedStands(t *testing.T) {
	w := newWorld(t, lawWith(t, small...))
	b := w.book(slotAt(9), 1, 2).Booking
	c := w.claims(b, 0)
	w.now = at("08:59")
	until := w.now.Add(24 * time.Hour)
	do[SuspendAnswer](w, Suspend{Site: mand, Direction: "in", Clause: "X-CLOSE", Cause: "security", Until: until, Officer: "supervisor"})
	w.now = at("09:05")
	ans := do[ScanAnswer](w, w.scan(c))
	w.verdict(ans.Verdict, reason.Closed, closure.CodeUntil)
	for _, r := range ans.Verdict.Reasons {
		if r.Code == closure.CodeUntil && (r.Clause != "X-CLOSE" || r.Params["act"] != "A1" || r.Params["until"] != until.Format(time.RFC3339)) {
			t.Errorf("%+v", r)
		}
	}
	w.verdict(w.book(slotAt(11), 7).Verdict, reason.Closed, closure.CodeUntil)
	if v := BoardOf(w.mem.plain, w.law, "A", mand, w.now); v.Open || len(v.Next) == 0 || v.Next[0].Plan.Day <= marketDay {
		t.Errorf("%+v", v)
	}
	w.now = at("23:00").Add(24 * time.Hour)
	settled := do[SettleAnswer](w, Settle{Site: mand, Day: marketDay, Bookings: []booking.Ref{b.Ref}, Officer: "supervisor"})
	if got, _ := BookingOf(w.mem.plain, b.Ref); settled.NoShows != 0 || got.Status != booking.Booked {
		t.Errorf("%d no-shows, %+v", settled.NoShows, got)
	}
	offers, ok := OffersFor(w.mem.plain, w.law, "A", b, w.now, 3)
	if !ok || len(offers) != 3 || offers[0].Plan.Day <= marketDay {
		t.Fatalf("%v %+v", ok, offers)
	}
	j := JudgeClosed(w.mem.plain, w.law, "A", mand, w.now)
	if len(j) != 1 || j[0].Shut != nil || !j[0].Over || j[0].Booking.Ref != b.Ref {
		t.Errorf("%+v", j)
	}
	moved := do[BookingAnswer](w, Move{Ref: b.Ref, To: offers[0].ID, Tags: [][16]byte{id('t', 1), id('t', 2)}})
	w.verdict(moved.Verdict, reason.Allow, "")
	if moved.Booking.Slot != offers[0].ID || moved.Booking.Status != booking.Booked {
		t.Errorf("%+v", moved.Booking)
	}
	// A place whose slot was open is over when it is over.
	other := w.book(offers[0].ID, 9).Booking
	w.now = w.now.Add(30 * 24 * time.Hour)
	w.verdict(do[BookingAnswer](w, Cancel{Ref: other.Ref}).Verdict, reason.Closed, booking.CodePast)
}

// TestPlanOpensAgain lets a site open again by a plan of one side that the other has signed: the days
// of its stages alone are open, its places are never more than it says, and those who waited
// come first, in their order.
func TestPlanOpensAgain(t *testing.T) {
	w := newWorld(t, lawWith(t, "site: mand-pishin, value: 400", "site: mand-pishin, value: 12"))
	var waiting []booking.Booking
	for n := range 6 {
		waiting = append(waiting, w.book(slotAt(9), uint64(n+1)).Booking)
	}
	waiting = append(waiting, w.book(slotAt(10), 7).Booking)
	w.now = at("08:00")
	act := do[SuspendAnswer](w, closes()).Act
	w.now = w.now.Add(3 * 24 * time.Hour) // the other two of the markets' days, Saturday and Tuesday, follow
	day := rules.DayDate(marketDay).AddDays(7)
	p := ProposePlan{Site: mand, Classes: []string{"visitor"}, Direction: "in", Waiting: 7, Officer: "supervisor", Stages: []closure.Stage{{From: day, Days: []uint8{uint8(day.Weekday())}, Places: 8}}}
	w.fails(ProposePlan{Site: mand + 1, Waiting: 1, Officer: "supervisor", Stages: p.Stages}, problem.Conflict, "closure.open")
	w.fails(ProposePlan{Site: mand, Waiting: 1, Officer: "gate", Stages: p.Stages}, problem.Forbidden, "officer.role")
	q := p
	q.Stages = []closure.Stage{{From: day, Places: 1, Joining: 1}}
	w.verdict(do[PlanAnswer](w, q).Verdict, reason.Refuse, closure.CodeEndless)
	q.Stages = []closure.Stage{{From: rules.DayDate(marketDay), Places: 1}}
	w.verdict(do[PlanAnswer](w, q).Verdict, reason.Refuse, closure.CodeLate)
	a := do[PlanAnswer](w, p)
	if end, _ := a.Plan.Is.End(); a.Plan.Name.String() != "A1" || end.On != day || len(a.Plan.Is.Ends) != 1 {
		t.Errorf("%+v", a.Plan)
	}
	// One side alone opens nothing.
	to := func(hour int) booking.SlotID {
		return booking.MakeSlotID(mand, visitor, rules.DayNumber(day), uint16(hour*60))
	}
	move := func(b booking.Booking, n uint64, slot booking.SlotID) BookingAnswer {
		return do[BookingAnswer](w, Move{Ref: b.Ref, To: slot, Tags: [][16]byte{id('t', n)}})
	}
	w.verdict(move(waiting[0], 1, to(9)).Verdict, reason.Closed, closure.CodeUntil)
	consent := closure.Consent{Number: 1, Digest: a.Plan.Is.Digest("A"), Said: w.now}
	wrong := consent
	wrong.Digest[0]++
	do[HearClosuresAnswer](w, HearClosures{Sites: []SiteClosures{{Site: mand, Standing: closure.Standing{Consents: []closure.Consent{wrong}}}}})
	w.verdict(move(waiting[0], 1, to(9)).Verdict, reason.Closed, closure.CodeUntil)
	if h := do[HearClosuresAnswer](w, HearClosures{Sites: []SiteClosures{{Site: mand, Standing: closure.Standing{Consents: []closure.Consent{consent}}}}}); !h.Kept {
		t.Error("not heard")
	}
	if h := do[HearClosuresAnswer](w, HearClosures{Sites: []SiteClosures{{Site: mand, Standing: closure.Standing{Consents: []closure.Consent{consent}}}}}); h.Kept {
		t.Error("heard twice")
	}
	// The day's eight places are shared among its slots and sides, and come to eight.
	sum := uint32(0)
	for _, side := range []string{"A", "B"} {
		for _, c := range []uint8{visitor} {
			for _, s := range w.law.Slots(mand, rules.DayNumber(day), c) {
				d := deskOf(w.mem.plain, w.law, "A", w.now)
				if side == "B" {
					d.Side = "B"
				}
				sum += d.Allotment(booking.MakeSlotID(mand, c, s.Day, s.Minute))
			}
		}
	}
	if sum != 8 {
		t.Errorf("%d places", sum)
	}
	// Who books anew comes after those who wait; on another weekday it is closed.
	w.verdict(w.book(to(9), 50).Verdict, reason.Closed, closure.CodeOrder)
	w.verdict(w.book(booking.MakeSlotID(mand, visitor, rules.DayNumber(day.AddDays(4)), 9*60), 50).Verdict, reason.Closed, closure.CodeDay)
	turns := TurnsOf(w.mem.plain, w.law, "A", mand, w.now)
	if len(turns) != 7 || turns[0].Booking.Ref != waiting[0].Ref || turns[6].Booking.Ref != waiting[6].Ref || turns[0].Day != rules.DayNumber(day) || turns[6].Day <= turns[0].Day {
		t.Fatalf("%+v", turns)
	}
	// The last of them cannot take the place of the first.
	w.verdict(move(waiting[6], 7, to(9)).Verdict, reason.Closed, closure.CodeOrder)
	offers, _ := OffersFor(w.mem.plain, w.law, "A", waiting[0], w.now, 1)
	if len(offers) != 1 || offers[0].Plan.Day != rules.DayNumber(day) {
		t.Fatalf("%+v", offers)
	}
	w.verdict(move(waiting[0], 1, offers[0].ID).Verdict, reason.Allow, "")
	v := ClosureOf(w.mem.plain, w.law, "A", mand, w.now)
	if v.Waiting != 6 || v.Ends != day || len(v.Plans) != 1 || !v.Plans[0].Agreed || len(v.Acts) != 1 || v.Acts[0].Act.Number != act.Number {
		t.Errorf("%+v", v)
	}
	// On the first day of the plan the act no longer closes, and what is left is everybody's.
	w.now = day.At(calendar.Minute(8*60), w.law.Zone("mand-pishin")).UTC()
	if v := ClosureOf(w.mem.plain, w.law, "A", mand, w.now); len(v.Acts) != 0 {
		t.Errorf("%+v", v.Acts)
	}
	left := false
	for h := 9; h < 16; h++ {
		v := w.book(to(h), 50).Verdict
		left = left || v.Outcome == reason.Allow
	}
	if !left {
		t.Error("nothing is left for others on the day")
	}
}

// TestAcceptPlan signs the other side's plan as it was read, and no other words.
func TestAcceptPlan(t *testing.T) {
	w := newWorld(t, lawWith(t, small...))
	act := do[SuspendAnswer](w, closes()).Act
	plan := closure.Plan{Number: 4, Ends: []closure.Name{{Side: "A", Number: act.Number}}, Stages: []closure.Stage{{From: rules.DayDate(marketDay + 7), Places: 20}}, Waiting: 9, Said: w.now}
	hear := func(p closure.Plan) {
		do[HearClosuresAnswer](w, HearClosures{Sites: []SiteClosures{{Site: mand, Standing: closure.Standing{Plans: []closure.Plan{p}}}}})
	}
	hear(plan)
	read := plan.Digest("B")
	changed := plan
	changed.Stages = []closure.Stage{{From: rules.DayDate(marketDay + 7), Places: 2}}
	hear(changed)
	w.fails(AcceptPlan{Site: mand, Number: 4, Digest: read, Officer: "supervisor"}, problem.Conflict, "closure.plan.changed")
	hear(plan)
	w.fails(AcceptPlan{Site: mand, Number: 4, Digest: read, Officer: "gate"}, problem.Forbidden, "officer.role")
	if a := do[AcceptPlanAnswer](w, AcceptPlan{Site: mand, Number: 4, Digest: read, Officer: "supervisor"}); !a.Signed {
		t.Errorf("%+v", a)
	}
	w.fails(AcceptPlan{Site: mand, Number: 4, Digest: read, Officer: "supervisor"}, problem.Conflict, "closure.plan.accepted")
	w.fails(HearClosures{Sites: []SiteClosures{{Site: mand, Standing: closure.Standing{Acts: []closure.Act{{Number: 1, From: w.now, Said: w.now, Clause: "Ali Khan is ill", Agreement: "x", Cause: "health"}}}}}}, problem.Invalid, "closure.heard")
}
