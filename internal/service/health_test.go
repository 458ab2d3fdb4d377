// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package service

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/gate"
	"darwaza.dev/internal/pass"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/proof"
	"darwaza.dev/internal/reason"
	"darwaza.dev/internal/rules"
	"darwaza.dev/internal/screening"
)

// atHealth opens a case at the health desk for the holder of a pass.
func (w *world) atHealth(id pass.ID, register [16]byte) screening.Case {
	w.t.Helper()
	w.n++
	a := do[HealthAnswer](w, OpenHealth{ID: screening.ID("H-" + string(ref(w.n))), Site: mand, Pass: id, Register: register, Officer: "health",
		SealedID: fmt.Sprint("sealed-health-", w.n), Sealed: []byte("file")})
	return a.Case
}

// registered is a booking whose persons have the tags of their documents.
func (w *world) registered(slot booking.SlotID, persons ...uint64) booking.Booking {
	w.t.Helper()
	c := w.booking(slot, persons...)
	for i, n := range persons {
		c.Members[i].Register = id('r', n)
	}
	return do[BookingAnswer](w, c).Booking
}

// sees says what the desk has seen.
func (w *world) sees(k screening.Case, a screening.Answers, tests ...screening.Test) screening.Case {
	w.t.Helper()
	act := screening.Asked
	if len(tests) > 0 {
		act = screening.Tested
	}
	return do[HealthAnswer](w, SeeHealth{Case: k.ID, Act: act, Answers: a, Tests: tests, Officer: "health", Sealed: []byte("file 2")}).Case
}

func gateCodes(v rules.Verdict) (out []reason.Code) {
	for _, r := range v.Reasons {
		out = append(out, r.Code)
	}
	return out
}

// TestHealthFinding: who is sent to the health desk and found fit there comes in with
// nothing asked again, for as long as the finding holds; who is found against does not.
func TestHealthFinding(t *testing.T) {
	w := newWorld(t, lawWith(t))
	b := w.registered(slotAt(9), 1, 2, 3)
	w.now = at("09:30")
	ill := w.scan(w.claims(b, 0))
	ill.Screening = Screening{Done: true, TempTenths: 366, Symptoms: true}
	sent := do[ScanAnswer](w, ill)
	if sent.Verdict.Outcome != reason.Refer {
		t.Fatalf("symptoms: %v %v", sent.Verdict.Outcome, gateCodes(sent.Verdict))
	}
	if list := HealthSent(w.mem.plain, w.law, mand, marketDay, 9); len(list) != 1 || list[0].Pass != b.Members[0].Pass {
		t.Errorf("sent to the desk: %v", list)
	}
	k := w.atHealth(b.Members[0].Pass, [16]byte{})
	if k.Scan != sent.Scan.Serial || k.Register != b.Members[0].Register || k.Class != b.Slot.Class() {
		t.Errorf("%+v", k)
	}
	if list := HealthSent(w.mem.plain, w.law, mand, marketDay, 9); len(list) != 0 {
		t.Errorf("waits to be sent and is there: %v", list)
	}
	bare := w.scan(w.claims(b, 0))
	bare.Screening = Screening{}
	if a := do[ScanAnswer](w, bare); !slices.Contains(gateCodes(a.Verdict), screening.CodeAtDesk) || a.Verdict.Outcome.Admits() {
		t.Errorf("in the middle of it: %v %v", a.Verdict.Outcome, gateCodes(a.Verdict))
	}
	k = w.sees(k, ill.Screening)
	if file, _ := w.mem.plain.Sealed.Get(k.Sealed); string(file) != "file 2" {
		t.Error("the file was not kept anew")
	}
	w.fails(CloseHealth{Case: k.ID, Fit: true, Why: "cause", Officer: "gate"}, problem.Forbidden, "officer.role")
	done := do[HealthAnswer](w, CloseHealth{Case: k.ID, Fit: true, Why: "cause", Officer: "health"})
	if !done.Done || done.Case.Officer != "health" {
		t.Errorf("%+v", done)
	}
	a := do[ScanAnswer](w, bare)
	if a.Verdict.Outcome != reason.Allow || !slices.Equal(gateCodes(a.Verdict), []reason.Code{screening.CodeTaken}) || len(a.Asks) != 0 || len(a.Verdict.Missing) != 0 {
		t.Errorf("found fit: %v %v, asks %v, missing %v", a.Verdict.Outcome, gateCodes(a.Verdict), a.Asks, a.Verdict.Missing)
	}
	do[ScanAnswer](w, UndoScan{Pass: a.Presence.Pass, Serial: a.Scan.Serial, Officer: "gate"})
	// The gate's own thermometer comes before what the desk saw earlier.
	hot := bare
	hot.Screening = Screening{Done: true, TempTenths: 391}
	if a := do[ScanAnswer](w, hot); a.Verdict.Outcome != reason.Refuse {
		t.Errorf("hot since: %v", a.Verdict.Outcome)
	}

	// Refused for a temperature, seen at the desk, and well there.
	hot = w.scan(w.claims(b, 1))
	hot.Screening = Screening{Done: true, TempTenths: 391}
	do[ScanAnswer](w, hot)
	w.now = w.now.Add(time.Minute)
	k = w.sees(w.atHealth(b.Members[1].Pass, [16]byte{}), Screening{Done: true, TempTenths: 366})
	do[HealthAnswer](w, CloseHealth{Case: k.ID, Officer: "health"})
	bare = w.scan(w.claims(b, 1))
	bare.Screening = Screening{}
	if a := do[ScanAnswer](w, bare); a.Verdict.Outcome != reason.Allow {
		t.Errorf("cool at the desk: %v %v", a.Verdict.Outcome, gateCodes(a.Verdict))
	}

	// Found against, and turned back at the gate where the scan waits.
	ill = w.scan(w.claims(b, 2))
	ill.Screening = Screening{Done: true, TempTenths: 366, Symptoms: true}
	sent = do[ScanAnswer](w, ill)
	k = w.sees(w.atHealth(b.Members[2].Pass, [16]byte{}), ill.Screening)
	do[HealthAnswer](w, CloseHealth{Case: k.ID, Why: "signs", Officer: "health"})
	p, _ := w.mem.plain.Gate.Presences.Get(b.Members[2].Pass)
	if i := slices.IndexFunc(p.Scans, func(s gate.Scan) bool { return s.Serial == sent.Scan.Serial }); p.Pending != 0 || p.Scans[i].Decided != "health" || p.Scans[i].Admitted {
		t.Errorf("still waits: %+v", p)
	}
	bare = w.scan(w.claims(b, 2))
	bare.Screening = Screening{}
	refused := do[ScanAnswer](w, bare)
	if refused.Verdict.Outcome != reason.Refuse || !slices.ContainsFunc(refused.Verdict.Reasons, func(r reason.Reason) bool { return r.Code == screening.CodeUnfit && r.Clause == "X-SYMPTOMS" }) {
		t.Errorf("found against: %v %v", refused.Verdict.Outcome, gateCodes(refused.Verdict))
	}
	// The finding holds for its time and no longer.
	w.now = k.Until
	if a := do[ScanAnswer](w, bare); slices.Contains(gateCodes(a.Verdict), screening.CodeUnfit) {
		t.Errorf("after its time: %v", gateCodes(a.Verdict))
	}
}

// TestHealthIsolated: an open order keeps a person out with every pass, names its clause,
// and leaves the goods to another; the file goes by its clock and by an officer's word.
func TestHealthIsolated(t *testing.T) {
	w := newWorld(t, lawWith(t))
	b := w.registered(slotAt(9), 1, 2)
	crew := w.registered(slotAt(9), 3)
	w.now = at("09:30")
	do[LevelAnswer](w, SetLevel{Site: mand, Level: "guarded", Emergency: true, Officer: "supervisor"})
	k := w.atHealth(b.Members[0].Pass, [16]byte{})
	test := screening.Test{Profile: "covid", Kind: "antigen", Taken: w.now.Add(-time.Minute), Result: proof.Positive, Read: w.now}
	k = w.sees(k, Screening{Done: true, TempTenths: 366, Answers: []screening.Answered{{Attribute: "screening.contact"}}}, test)
	if k.Outcome != reason.Refuse {
		t.Fatalf("%v", k.Outcome)
	}
	w.fails(IsolateHealth{Case: k.ID, Clause: "X-ISOLATE-COVID", Officer: "supervisor"}, problem.Forbidden, "officer.role")
	if a := do[HealthAnswer](w, IsolateHealth{Case: k.ID, Clause: "X-ISOLATE-EBOLA", Officer: "health"}); a.Done || a.Case.Isolated() {
		t.Error("isolated by a clause that nothing calls for")
	}
	do[HealthAnswer](w, IsolateHealth{Case: k.ID, Clause: "X-ISOLATE-COVID", Officer: "health"})
	w.fails(HandHealth{Case: k.ID, Pass: pass.ID{7}, Officer: "health"}, problem.Invalid, "screening.crew.unknown")
	before := snapshot(w.mem.plain)
	for _, c := range []struct {
		b     booking.Booking
		m     int
		party bool
	}{{crew, 0, false}, {b, 1, true}} {
		if a := do[HealthAnswer](w, HandHealth{Case: k.ID, Pass: c.b.Members[c.m].Pass, Officer: "health"}); a.Case.Crew.Party != c.party || !a.Case.Isolated() {
			t.Errorf("%+v", a.Case.Crew)
		}
	}
	for name, rows := range snapshot(w.mem.plain) {
		if name != "darwaza.dev/internal/screening.Cases" && !equal(rows, before[name]) {
			t.Errorf("handing the goods over changed %s", name)
		}
	}
	stays := func(s Scan, want bool) {
		t.Helper()
		a := do[ScanAnswer](w, s)
		has := slices.ContainsFunc(a.Verdict.Reasons, func(r reason.Reason) bool {
			return r.Code == screening.CodeIsolated && r.Clause == "X-ISOLATE-COVID" && r.Outcome == reason.Refuse
		})
		if has != want {
			t.Errorf("isolated %v, want %v: %v", has, want, gateCodes(a.Verdict))
		}
	}
	stays(w.scan(w.claims(b, 0)), true)
	stays(w.scan(w.claims(b, 1)), false)
	theirs := w.scan(w.theirs(1, slotAt(9)))
	stays(theirs, false)
	theirs.Register = b.Members[0].Register
	stays(theirs, true)
	if again := w.atHealth(pass.ID{}, b.Members[0].Register); again.ID != k.ID {
		t.Errorf("a second case: %v", again.ID)
	}
	w.fails(CloseHealth{Case: k.ID, Officer: "health"}, problem.Conflict, "screening.isolated")
	w.fails(EraseHealth{Cases: []screening.ID{k.ID}, Officer: "health"}, problem.Conflict, "screening.file.open")
	do[HealthAnswer](w, ReleaseHealth{Case: k.ID, How: screening.ByOfficer, Why: "mistake", Officer: "health"})
	stays(w.scan(w.claims(b, 0)), false)

	// The file: not before its time, then by the clock; another by an officer.
	w.fails(EraseHealth{Cases: []screening.ID{k.ID}}, problem.Conflict, "screening.file.early")
	if _, ok := HealthNext(w.mem.plain, w.law, w.now); ok {
		t.Error("goes before its time")
	}
	w.now = w.now.Add(14 * 24 * time.Hour)
	c, ok := HealthNext(w.mem.plain, w.law, w.now)
	if !ok || len(c.Cases) != 1 {
		t.Fatalf("%v %v", c, ok)
	}
	do[EraseHealthAnswer](w, c)
	if _, there := w.mem.plain.Sealed.Get(k.Sealed); there {
		t.Error("the ciphertext stays")
	}
	if ids, _, _ := EraseWaiting(w.mem.plain); !slices.Equal(ids, []string{k.Sealed}) {
		t.Errorf("keys to be destroyed: %q, want %q", ids, k.Sealed)
	}
	k = w.sees(w.atHealth(crew.Members[0].Pass, [16]byte{}), Screening{Done: true, TempTenths: 366, Answers: []screening.Answered{{Attribute: "screening.contact"}}})
	do[HealthAnswer](w, CloseHealth{Case: k.ID, Why: "", Officer: "health"})
	w.fails(EraseHealth{Cases: []screening.ID{k.ID}, Officer: "gate"}, problem.Forbidden, "officer.role")
	if a := do[EraseHealthAnswer](w, EraseHealth{Cases: []screening.ID{k.ID}, Officer: "health"}); a.Erased != 1 {
		t.Errorf("%+v", a)
	}
}

// TestHealthReasons goes through what the desk may answer against what was asked for.
func TestHealthReasons(t *testing.T) {
	day := `unit: days
    values:
      - {from: 2023-05-18, value: 14, source: example}
`
	file := "صحت کا ڈیسک فائل کتنے دن رکھتا ہے\n    "
	days := "مثبت ٹیسٹ کے بعد علیحدگی کے دن\n    "
	unknown := "unit: days\n    values:\n      - {from: 2023-05-18, value: unknown, source: example}\n"
	for _, c := range []struct {
		name string
		law  *rules.Law
		run  func(w *world, k screening.Case, sees func(proof.TestResult) screening.Case) HealthAnswer
		want reason.Reason
	}{
		{"closed unseen", lawWith(t), func(w *world, k screening.Case, _ func(proof.TestResult) screening.Case) HealthAnswer {
			return do[HealthAnswer](w, CloseHealth{Case: k.ID, Officer: "health"})
		}, reason.Reason{Code: screening.CodeUnseen, Outcome: reason.Hold}},
		{"waits for a result", lawWith(t), func(w *world, k screening.Case, sees func(proof.TestResult) screening.Case) HealthAnswer {
			sees("")
			return do[HealthAnswer](w, CloseHealth{Case: k.ID, Fit: true, Why: "examined", Officer: "health"})
		}, reason.Reason{Code: screening.CodeWaits, Outcome: reason.Hold}},
		{"neither", lawWith(t), func(w *world, k screening.Case, sees func(proof.TestResult) screening.Case) HealthAnswer {
			sees(proof.Inconclusive)
			return do[HealthAnswer](w, CloseHealth{Case: k.ID, Fit: true, Why: "examined", Officer: "health"})
		}, reason.Reason{Code: screening.CodeInconclusive, Outcome: reason.Hold}},
		{"released too early", lawWith(t), func(w *world, k screening.Case, sees func(proof.TestResult) screening.Case) HealthAnswer {
			sees(proof.Positive)
			do[HealthAnswer](w, IsolateHealth{Case: k.ID, Clause: "X-ISOLATE-COVID", Officer: "health"})
			return do[HealthAnswer](w, ReleaseHealth{Case: k.ID, How: screening.ByDate, Officer: "health"})
		}, reason.Reason{Code: screening.CodeEarly, Outcome: reason.Refuse, Clause: "X-ISOLATE-COVID"}},
		{"released without a test", lawWith(t), func(w *world, k screening.Case, sees func(proof.TestResult) screening.Case) HealthAnswer {
			sees(proof.Positive)
			do[HealthAnswer](w, IsolateHealth{Case: k.ID, Clause: "X-ISOLATE-COVID", Officer: "health"})
			return do[HealthAnswer](w, ReleaseHealth{Case: k.ID, How: screening.ByTest, Officer: "health"})
		}, reason.Reason{Code: screening.CodeNoTest, Outcome: reason.Refuse, Clause: "X-ISOLATE-COVID"}},
		{"isolation without days", lawWith(t, days+day, days+unknown), func(w *world, k screening.Case, sees func(proof.TestResult) screening.Case) HealthAnswer {
			sees(proof.Positive)
			return do[HealthAnswer](w, IsolateHealth{Case: k.ID, Clause: "X-ISOLATE-COVID", Officer: "health"})
		}, reason.Reason{Code: screening.CodeSilent, Outcome: reason.Refer, Clause: "X-ISOLATE-COVID"}},
		{"a file without days", lawWith(t, file+day, file+unknown), func(w *world, k screening.Case, _ func(proof.TestResult) screening.Case) HealthAnswer {
			return do[HealthAnswer](w, OpenHealth{ID: screening.ID("H-" + string(ref(777))), Site: mand, Register: id('r', 9), Officer: "health", SealedID: "sealed-other", Sealed: []byte("file")})
		}, reason.Reason{Code: screening.CodeKept, Outcome: reason.Refer}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, c.law)
			b := w.registered(slotAt(9), 1)
			w.now = at("09:30")
			do[LevelAnswer](w, SetLevel{Site: mand, Level: "guarded", Emergency: true, Officer: "supervisor"})
			k := w.atHealth(b.Members[0].Pass, [16]byte{})
			a := c.run(w, k, func(r proof.TestResult) screening.Case {
				test := screening.Test{Profile: "covid", Kind: "antigen", Taken: w.now.Add(-time.Minute), Result: r}
				if r != "" {
					test.Read = w.now
				}
				return w.sees(k, Screening{Done: true, TempTenths: 366, Answers: []screening.Answered{{Attribute: "screening.contact"}}}, test)
			})
			if !slices.ContainsFunc(a.Verdict.Reasons, func(r reason.Reason) bool {
				return r.Code == c.want.Code && r.Outcome == c.want.Outcome && r.Clause == c.want.Clause
			}) {
				t.Errorf("%v, want %v", a.Verdict.Reasons, c.want)
			}
		})
	}
}
