// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package service

import (
	"crypto/sha256"
	"fmt"
	"testing"

	"darwaza.dev/internal/appeal"
	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/pass"
	"darwaza.dev/internal/people"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/reason"
)

// contest is a case that somebody opens.
func (w *world) contest(s appeal.Subject, id pass.ID, officer people.OfficerID) Contest {
	w.n++
	return Contest{ID: appeal.ID("C-" + string(ref(w.n))), Subject: s, Pass: id, Officer: officer, Days: 5,
		SealedID: fmt.Sprint("sealed-", ref(w.n)), Sealed: []byte("ciphertext"), Digest: sha256.Sum256(fmt.Append(nil, w.n))}
}

// answering is a supervisor's answer to a case, by the first clause that it rests on.
func (w *world) answering(k appeal.Case, changed bool, ground, next string) AnswerCase {
	w.n++
	c := AnswerCase{Case: k.ID, Changed: changed, Ground: ground, Next: next, Officer: "supervisor",
		SealedID: fmt.Sprint("sealed-", ref(w.n)), Sealed: []byte("ciphertext"), Digest: sha256.Sum256(fmt.Append(nil, w.n))}
	for _, r := range k.Reasons {
		if r.Clause != "" {
			c.Clause = r.Clause
			break
		}
	}
	return c
}

// TestContestEveryAnswer contests one answer of every desk, and wants the case to hold what
// was decided, and nothing of any other desk to change by it.
func TestContestEveryAnswer(t *testing.T) {
	w := held(t)
	w.book(slotAt(9), 1)
	refused := w.book(slotAt(10), 1)
	open := w.book(slotAt(7)+1<<32, 70)
	b := w.book(slotAt(9), 2).Booking
	w.now = at("09:30")
	stray := do[ScanAnswer](w, Scan{Site: mand, Gate: 1, Direction: "in", Officer: "gate", Fault: pass.Foreign})
	ill := w.scan(w.claims(b, 0))
	ill.Screening = Screening{Done: true, TempTenths: 391, Symptoms: true}
	gate := do[ScanAnswer](w, ill)
	w.display(tomato, 100)
	turned := do[BuyAnswer](w, w.buys(1, tomato, 50_010))
	buy := w.buys(1, tomato, 1000)
	do[BuyAnswer](w, buy)
	for _, c := range []struct {
		name    string
		subject appeal.Subject
		pass    pass.ID
		kind    appeal.Kind
		outcome reason.Outcome
	}{
		{"refused", appeal.Subject(refused.Refusal.Ref), pass.ID{}, appeal.OfRequest, reason.Refuse},
		{"left to an officer", appeal.Subject(open.Refusal.Ref), pass.ID{}, appeal.OfRequest, reason.Hold},
		{"a booking", appeal.Subject(b.Ref), pass.ID{}, appeal.OfBooking, reason.None},
		{"no pass", appeal.ScanSubject(mand, marketDay, stray.Scan.Serial), pass.ID{}, appeal.OfScan, reason.Refuse},
		{"ill", appeal.ScanSubject(mand, marketDay, gate.Scan.Serial), b.Members[0].Pass, appeal.OfScan, gate.Verdict.Outcome},
		{"turned away at the desk", appeal.Subject(turned.Turned), pass.ID{}, appeal.OfLot, turned.Verdict.Outcome},
		{"bought", appeal.Subject(buy.ID), pass.ID{}, appeal.OfLot, reason.Allow},
	} {
		before := snapshot(w.mem.plain)
		open := w.contest(c.subject, c.pass, "")
		k := do[CaseAnswer](w, open).Case
		if k.ID != open.ID || k.Kind != c.kind || k.Outcome != c.outcome || k.Site != mand || k.Due != marketDay+5 || !k.Open() || k.Sealed != open.SealedID || k.By != "" {
			t.Errorf("%s: %+v", c.name, k)
		}
		if !w.sealed(open.SealedID) {
			t.Errorf("%s: the words are not kept", c.name)
		}
		// Again, by whoever: the same case, and nothing is recorded.
		n := len(w.mem.Facts())
		if again := do[CaseAnswer](w, w.contest(c.subject, c.pass, "clerk")).Case; again.ID != k.ID || len(w.mem.Facts()) != n {
			t.Errorf("%s: a second case %s about the same number", c.name, again.ID)
		}
		next := "book"
		if c.kind == appeal.OfScan || c.kind == appeal.OfLot {
			next = "come"
		}
		k = do[CaseAnswer](w, w.answering(k, true, "input", next)).Case
		if k.Open() || !k.Changed || k.Officer != "supervisor" || k.Next != next || !k.AnsweredAt.Equal(w.now) || k.Reply == "" {
			t.Errorf("%s: answered %+v", c.name, k)
		}
		after := snapshot(w.mem.plain)
		for name, rows := range before {
			if own := name[:len("darwaza.dev/internal/appeal")] == "darwaza.dev/internal/appeal" || name == "darwaza.dev/internal/erasure.Texts" || name == "darwaza.dev/internal/erasure.Said"; !own && !equal(rows, after[name]) {
				t.Errorf("%s: the case changed %s", c.name, name)
			}
		}
	}
	// The record still refuses what the law refuses.
	if r, _ := RefusalOf(w.mem.plain, refused.Refusal.Ref); r.Outcome != reason.Refuse {
		t.Errorf("%+v", r)
	}
	w.fails(DecideBooking{Ref: refused.Refusal.Ref, Admit: true, Why: "order", Officer: "supervisor"}, problem.Conflict, "booking.request.decided")
	if all, on := CaseFigures(w.mem.plain, mand, marketDay); all.Open != 0 || all.Answered != 7 || all.Changed != 7 || on.Opened != 7 || on.Answered != 7 {
		t.Errorf("%+v %+v", all, on)
	}
	w.rebuilt()
}

// TestContestProblems wants nothing opened about what there is not, what was let through,
// by whom it is not for, or without words.
func TestContestProblems(t *testing.T) {
	w := newWorld(t, lawWith(t, small...))
	b := w.book(slotAt(9), 1).Booking
	w.now = at("09:30")
	in := do[ScanAnswer](w, w.scan(w.claims(b, 0)))
	good := w.contest(appeal.Subject(b.Ref), pass.ID{}, "")
	with := func(change func(*Contest)) Contest { c := good; change(&c); return c }
	for _, c := range []struct {
		c    Contest
		k    problem.Kind
		code string
	}{
		{with(func(c *Contest) { c.Subject = appeal.Subject(ref(4711)) }), problem.NotFound, "case.subject"},
		{with(func(c *Contest) { c.Subject = appeal.Subject(receipt(4711)) }), problem.NotFound, "case.subject"},
		{with(func(c *Contest) { c.Subject = "nonsense" }), problem.NotFound, "case.subject"},
		{with(func(c *Contest) { c.Subject = appeal.ScanSubject(mand, marketDay, 4711) }), problem.NotFound, "case.subject"},
		{with(func(c *Contest) {
			c.Subject, c.Pass = appeal.ScanSubject(mand, marketDay, in.Scan.Serial), b.Members[0].Pass
		}), problem.NotFound, "case.subject"},
		{with(func(c *Contest) { c.Officer = "gate" }), problem.Forbidden, "officer.role"},
		{with(func(c *Contest) { c.Officer = "nobody" }), problem.Forbidden, "officer.role"},
		{with(func(c *Contest) { c.ID = "C-1" }), problem.Invalid, "case.id"},
		{with(func(c *Contest) { c.SealedID = "" }), problem.Invalid, "case.words"},
		{with(func(c *Contest) { c.Digest = [32]byte{} }), problem.Invalid, "case.words"},
		{with(func(c *Contest) { c.Days = 400 }), problem.Invalid, "case.days"},
		{with(func(c *Contest) { c.Act = []reason.Reason{{Code: "nonsense", Outcome: reason.Refuse}} }), problem.Invalid, "case.act"},
	} {
		w.fails(c.c, c.k, c.code)
	}
	o := officer("gabd", "gabd-reemdan", true, people.Clerk, people.Supervisor)
	do[AppointAnswer](w, Appoint{Officer: o, By: "admin"})
	w.fails(with(func(c *Contest) { c.Officer = "gabd" }), problem.Forbidden, "officer.site")
	// A refused act on a booking stands nowhere but in the case.
	k := do[CaseAnswer](w, with(func(c *Contest) {
		c.Act = []reason.Reason{{Code: booking.CodeUsed, Outcome: reason.Refuse, Params: map[string]string{"x": "y"}}}
		c.Officer = "clerk"
	})).Case
	if k.Outcome != reason.Refuse || len(k.Reasons) != 1 || k.Reasons[0].Params != nil || k.Edition == "" || k.By != "clerk" {
		t.Errorf("%+v", k)
	}

	ok := w.answering(k, false, "facts", "nothing")
	answer := func(change func(*AnswerCase)) AnswerCase { c := ok; change(&c); return c }
	for _, c := range []struct {
		c    AnswerCase
		k    problem.Kind
		code string
	}{
		{answer(func(c *AnswerCase) { c.Case = "C-000000000009" }), problem.NotFound, "case.unknown"},
		{answer(func(c *AnswerCase) { c.Officer = "clerk" }), problem.Forbidden, "officer.role"},
		{answer(func(c *AnswerCase) { c.Officer = "" }), problem.Forbidden, "officer.role"},
		{answer(func(c *AnswerCase) { c.Officer = "gabd" }), problem.Forbidden, "officer.site"},
		{answer(func(c *AnswerCase) { c.Ground = "input" }), problem.Invalid, "case.ground"},
		{answer(func(c *AnswerCase) { c.Next = "book" }), problem.Invalid, "case.next"},
		{answer(func(c *AnswerCase) { c.Changed, c.Ground, c.Next = true, "input", "corrected" }), problem.Invalid, "case.next"},
		{answer(func(c *AnswerCase) { c.Clause = "NONE" }), problem.Invalid, "case.clause"},
		{answer(func(c *AnswerCase) { c.SealedID = "" }), problem.Invalid, "case.words"},
	} {
		w.fails(c.c, c.k, c.code)
	}
	do[CaseAnswer](w, ok)
	w.fails(answer(func(c *AnswerCase) { c.Changed, c.Ground = true, "input" }), problem.Conflict, "case.answered")
	// Once it is answered it may be contested again, and not for ever.
	for n := range appeal.MaxPerNumber - 1 {
		c := w.contest(appeal.Subject(b.Ref), pass.ID{}, "")
		k2 := do[CaseAnswer](w, c).Case
		if k2.ID != c.ID || k2.Earlier != k.ID {
			t.Errorf("the %d. time: %+v", n+2, k2)
		}
		do[CaseAnswer](w, w.answering(k2, false, "facts", "nothing"))
		k = k2
	}
	w.fails(w.contest(appeal.Subject(b.Ref), pass.ID{}, ""), problem.Conflict, "case.often")
	w.rebuilt()
}

// TestNobodyAnswersTheirOwn has a supervisor turn somebody back and then answer for it.
func TestNobodyAnswersTheirOwn(t *testing.T) {
	w := newWorld(t, lawWith(t, small...))
	do[AppointAnswer](w, Appoint{Officer: officer("second", "", true, people.Supervisor), By: "admin"})
	b := w.book(slotAt(9), 1).Booking
	w.now = at("09:30")
	hurt := w.scan(w.claims(b, 0))
	hurt.Match, hurt.Screening = NotCompared, Screening{}
	h := do[ScanAnswer](w, hurt)
	do[ScanAnswer](w, DecideScan{Pass: h.Presence.Pass, Serial: h.Scan.Serial, Why: "seen", Officer: "supervisor", Gate: 1})
	k := do[CaseAnswer](w, w.contest(appeal.ScanSubject(mand, marketDay, h.Scan.Serial), h.Presence.Pass, "")).Case
	if !equal(k.Officers, []string{"supervisor"}) {
		t.Errorf("%+v", k)
	}
	c := w.answering(k, true, "officer", "come")
	w.fails(c, problem.Forbidden, "case.own")
	c.Officer = "second"
	// What is said to be put right must be.
	c.Next = "corrected"
	w.fails(c, problem.Conflict, "case.not_corrected")
	c.Next = "come"
	do[CaseAnswer](w, c)
	if p, _ := PresenceOf(w.mem.plain, h.Presence.Pass); p.Inside {
		t.Error("an answer let somebody in")
	}
	w.rebuilt()
}

// TestCaseCorrected has the goods desk take a purchase back before the case is answered.
func TestCaseCorrected(t *testing.T) {
	w := newWorld(t, lawWith(t, small...))
	w.now = at("10:00")
	w.display(tomato, 100)
	buy := w.buys(1, tomato, 1000)
	do[BuyAnswer](w, buy)
	k := do[CaseAnswer](w, w.contest(appeal.Subject(buy.ID), pass.ID{}, "")).Case
	c := w.answering(k, true, "input", "corrected")
	w.fails(c, problem.Conflict, "case.not_corrected")
	do[BuyAnswer](w, Void{ID: buy.ID, Why: "keyed", Officer: "customs"})
	if k := do[CaseAnswer](w, c).Case; k.Next != "corrected" {
		t.Errorf("%+v", k)
	}
	w.rebuilt()
}

// TestCasesWaiting lists open cases by age, by the edition's time where it has one.
func TestCasesWaiting(t *testing.T) {
	w := newWorld(t, lawWith(t, "  - id: booking.ahead", `  - id: contest.within
    text: {en: "Days", fa: "روز", ur: "دن"}
    unit: days
    values:
      - {from: 2023-05-18, value: 3, source: example}
  - id: booking.ahead`))
	var ids []appeal.ID
	for n := range uint64(4) {
		b := w.book(slotAt(9), 10+n).Booking
		k := do[CaseAnswer](w, w.contest(appeal.Subject(b.Ref), pass.ID{}, "")).Case
		if k.Due != marketDay-1+3 {
			t.Errorf("due %d", k.Due)
		}
		ids = append(ids, k.ID)
		w.now = w.now.Add(1)
	}
	got := func(most int) (list []appeal.ID) {
		for _, k := range CasesWaiting(w.mem.plain, mand, most) {
			list = append(list, k.ID)
		}
		return list
	}
	answer := func(n int) {
		k, _ := CaseOf(w.mem.plain, ids[n])
		do[CaseAnswer](w, w.answering(k, false, "facts", "nothing"))
	}
	if !equal(got(9), ids) || !equal(got(2), ids[:2]) || len(CasesWaiting(w.mem.plain, gabd, 9)) != 0 {
		t.Errorf("%v", got(9))
	}
	answer(1)
	if !equal(got(9), []appeal.ID{ids[0], ids[2], ids[3]}) {
		t.Errorf("%v", got(9))
	}
	answer(0)
	if n, _ := w.mem.plain.Appeal.Sites.Get(mand); n.First != 2 || !equal(got(9), ids[2:]) {
		t.Errorf("%v, %+v", got(9), n)
	}
	if k, _ := CaseOf(w.mem.plain, ids[2]); k.Late(k.Due) || !k.Late(k.Due+1) {
		t.Errorf("%+v", k)
	}
	w.rebuilt()
}

// TestEraseCases destroys what was said in a contest and in its answer: by the clock, each
// by its own day, and at an officer's request with the booking that it is about.
func TestEraseCases(t *testing.T) {
	w := newWorld(t, lawWith(t, small...))
	one, two := w.sealedBook(1), w.sealedBook(2)
	do[BookingAnswer](w, one)
	do[BookingAnswer](w, two)
	first, second := w.contest(appeal.Subject(one.Ref), pass.ID{}, ""), w.contest(appeal.Subject(two.Ref), pass.ID{}, "")
	k := do[CaseAnswer](w, first).Case
	do[CaseAnswer](w, second)
	w.now = at("08:00", 2)
	reply := w.answering(k, false, "facts", "nothing")
	do[CaseAnswer](w, reply)
	// A booking's request takes with it what was said about it.
	if a := do[EraseAnswer](w, Erase{Ref: two.Ref, Officer: "admin"}); a.Sealed != two.SealedID || a.Already || w.sealed(second.SealedID) || w.sealed(two.SealedID) {
		t.Errorf("%+v", a)
	}
	if ids, _, _ := EraseWaiting(w.mem.plain); !equal(ids, []string{two.SealedID, second.SealedID}) {
		t.Errorf("to destroy: %v", ids)
	}
	if a := do[EraseAnswer](w, Erase{Ref: two.Ref, Officer: "admin"}); !a.Already {
		t.Errorf("again: %+v", a)
	}
	w.fails(Erase{Case: "C-000000000009", Officer: "admin"}, problem.NotFound, "erasure.unknown")
	w.now = at("00:00", 29) // thirty days after the day on which they were opened
	if got := w.eraseAll(30); !equal(got, []string{first.SealedID}) {
		t.Errorf("went %v", got)
	}
	w.fails(EraseDay{Site: mand, Day: marketDay + 2, After: 30, Texts: []string{reply.SealedID}}, problem.Conflict, "erasure.early")
	if a := do[EraseAnswer](w, Erase{Case: k.ID, Officer: "supervisor"}); a.Sealed != first.SealedID || a.Already || w.sealed(reply.SealedID) {
		t.Errorf("%+v", a)
	}
	w.now = at("00:00", 33)
	if got := w.eraseAll(30); !equal(got, []string{one.SealedID}) {
		t.Errorf("went %v", got)
	}
	if k, _ := CaseOf(w.mem.plain, k.ID); k.Digest == ([32]byte{}) || k.Officer != "supervisor" {
		t.Errorf("the case itself went: %+v", k)
	}
	// Nothing goes that is not the day's.
	if a := do[EraseDayAnswer](w, EraseDay{Site: mand, Day: marketDay, After: 30, Texts: []string{"login:admin"}}); a.Erased != 0 || !w.sealed("login:admin") {
		t.Errorf("%+v", a)
	}
	w.rebuilt()
}
