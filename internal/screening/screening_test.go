// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package screening

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"darwaza.dev/agreements"
	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/fact"
	"darwaza.dev/internal/pass"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/proof"
	"darwaza.dev/internal/protocol"
	"darwaza.dev/internal/reason"
	"darwaza.dev/internal/rules"
	"darwaza.dev/internal/table"
)

const site = 1

var start = time.Date(2025, 11, 4, 5, 0, 0, 0, time.UTC) // a Tuesday, ten by the site's clock

// law is the example package, with pairs of old and new words in its files.
func law(t testing.TB, pairs ...string) *rules.Law {
	t.Helper()
	sub, err := fs.Sub(agreements.FS, "pk-ir-border-markets")
	if err != nil {
		t.Fatal(err)
	}
	files := fstest.MapFS{}
	if err := fs.WalkDir(sub, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(p, "tests/") {
			return err
		}
		b, err := fs.ReadFile(sub, p)
		for i := 0; i+1 < len(pairs); i += 2 {
			b = []byte(strings.Replace(string(b), pairs[i], pairs[i+1], 1))
		}
		files[p] = &fstest.MapFile{Data: b}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	e, faults := agreement.Check(files)
	if e == nil {
		t.Fatal(faults)
	}
	l, err := rules.Compile(e)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// world is a desk with its state, and the record of what it decided.
type world struct {
	t testing.TB
	Desk
	facts []fact.Fact
}

func begin(t testing.TB, level string, pairs ...string) *world {
	w := &world{t: t, Desk: Desk{
		State:  State{Cases: table.Map[ID, Case]{}, Roster: table.Map[RosterKey, ID]{}, Sites: table.Map[uint16, SiteCases]{}, Passes: table.Map[pass.ID, ID]{}, Registers: table.Map[[16]byte, ID]{}},
		Levels: protocol.State{Standings: table.Map[protocol.Key, protocol.Standing]{}},
		Law:    law(t, pairs...), Side: agreement.A, Now: start,
	}}
	if level != "" {
		w.Levels.Standings.Put(protocol.Key{Site: site, Side: agreement.A}, protocol.Standing{Changes: []protocol.Change{{Level: level, From: start.Add(-time.Hour), Said: start.Add(-48 * time.Hour)}}})
	}
	return w
}

func (w *world) take(facts []fact.Fact, err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
	for _, f := range facts {
		Apply(w.State, w.Now, f)
		w.facts = append(w.facts, f)
	}
}

func (w *world) open(n byte) Case {
	w.t.Helper()
	id := ID("H-00000000000" + string('A'+rune(n)))
	facts, _, got, err := w.DecideOpen(Coming{ID: id, Site: site, Pass: pass.ID{n}, Register: [16]byte{n}, Class: 2, Officer: "h-1", Sealed: "file"})
	w.take(facts, err)
	c, ok := w.Cases.Get(got)
	if !ok {
		w.t.Fatal("no case")
	}
	return c
}

// well is what a healthy person answers and shows.
func well() Answers {
	return Answers{Done: true, TempTenths: 366, Answers: []Answered{{Attribute: "screening.contact"}, {Attribute: "screening.travel"}, {Attribute: "screening.water"}}}
}

func (w *world) see(id ID, act Act, a Answers, tests ...Test) Case {
	w.t.Helper()
	facts, _, err := w.DecideSeen(Sight{Case: id, Act: act, Person: Person{Age: -1}, Answers: a, Tests: tests, Officer: "h-1"})
	w.take(facts, err)
	c, _ := w.Cases.Get(id)
	return c
}

func (w *world) test(r proof.TestResult) Test {
	return Test{Profile: "covid", Kind: "antigen", Product: "a kit", Taken: w.Now.Add(-20 * time.Minute), Result: r, Read: w.Now}
}

func codes(rs []reason.Reason) (out []string) {
	for _, r := range rs {
		out = append(out, string(r.Code)+" "+r.Outcome.String()+" "+r.Clause)
	}
	return out
}

func TestQuestions(t *testing.T) {
	ids := func(level string) (out []string) {
		for _, a := range begin(t, level).Questions(site, Person{Age: -1}) {
			out = append(out, a.ID)
		}
		return out
	}
	if got, want := ids(""), []string{"screening.temperature", "screening.symptoms"}; !slices.Equal(got, want) {
		t.Errorf("at the mildest level: got %q, want %q", got, want)
	}
	if got, want := ids("guarded"), []string{"screening.temperature", "screening.symptoms", "screening.contact"}; !slices.Equal(got, want) {
		t.Errorf("while COVID-19 is guarded against: got %q, want %q", got, want)
	}
	w := begin(t, "guarded")
	if o := w.Offers(site); len(o) != 1 || o[0].Test.ID != "antigen" || o[0].Minutes != 20 {
		t.Errorf("offers %+v", o)
	}
	if o := begin(t, "").Offers(site); o != nil {
		t.Errorf("offers a test that no profile in force names: %+v", o)
	}
}

// TestWell: what the gate asks of health is answered by the desk, with the clauses that it
// cleared, for as long as the edition says.
func TestWell(t *testing.T) {
	w := begin(t, "guarded")
	c := w.open(1)
	c = w.see(c.ID, Asked, well())
	if c.Outcome != reason.Allow || len(c.Reasons) != 0 {
		t.Fatalf("%v %q", c.Outcome, codes(c.Reasons))
	}
	has := func(id string) bool { return slices.Contains(c.Cleared, Ground{Clause: id}) }
	if !has("X-TEMPERATURE") || !has("X-SYMPTOMS") || !has("X-ASK-CONTACT") || has("X-PROOF-COVID") || has("X-OCCUPANCY") || has("X-HOURS") {
		t.Errorf("cleared %v", c.Cleared)
	}
	if want := start.Add(2 * time.Hour); !c.Until.Equal(want) {
		t.Errorf("holds until %v, want %v", c.Until, want)
	}
	// With a negative test the clause that asks for one is cleared too.
	c = w.see(c.ID, Tested, well(), w.test(proof.Negative))
	if c.Outcome != reason.Allow || !has("X-PROOF-COVID") {
		t.Errorf("%v %q, cleared %v", c.Outcome, codes(c.Reasons), c.Cleared)
	}
	facts, v, err := w.DecideClose(Ending{Case: c.ID, Officer: "h-1"})
	w.take(facts, err)
	if c, _ = w.Cases.Get(c.ID); c.Open() || v.Outcome != reason.Allow || c.FileEnds != c.Day+14 {
		t.Errorf("%+v", c)
	}
	if _, _, err := w.DecideSeen(Sight{Case: c.ID, Act: Asked, Answers: well(), Officer: "h-1"}); problem.CodeOf(err) != "screening.closed" {
		t.Errorf("a closed case: %v", err)
	}
}

// TestWindow: without a time in the edition nothing holds at the gate, and a test that is
// good for less ends it sooner.
func TestWindow(t *testing.T) {
	w := begin(t, "guarded", "    holds: covid.screened\n", "", "id: screening.holds", "id: screening.other")
	c := w.open(1)
	if c = w.see(c.ID, Asked, well()); !c.Until.IsZero() {
		t.Errorf("holds until %v, and no text says so", c.Until)
	}
	w = begin(t, "guarded", "holds: covid.screened", "holds: test.naat.good")
	c = w.open(1)
	if c = w.see(c.ID, Asked, well()); !c.Until.Equal(start.Add(72 * time.Hour)) {
		t.Errorf("holds until %v", c.Until)
	}
	x := w.test(proof.Negative)
	if c = w.see(c.ID, Tested, well(), x); !c.Until.Equal(x.Taken.Add(24 * time.Hour)) {
		t.Errorf("holds until %v, and the test no longer than a day", c.Until)
	}
}

// TestDecided: what the law leaves to a health officer ends in their decision on a ground,
// and what it refuses stays refused.
func TestDecided(t *testing.T) {
	w := begin(t, "guarded")
	ill := well()
	ill.Symptoms = true
	c := w.open(1)
	c = w.see(c.ID, Asked, ill)
	if c.Outcome != reason.Refer || len(c.Leaves()) != 1 || c.Leaves()[0].Clause != "X-SYMPTOMS" || slices.Contains(c.Cleared, Ground{Clause: "X-SYMPTOMS"}) {
		t.Fatalf("%v %q %v", c.Outcome, codes(c.Reasons), c.Cleared)
	}
	for _, e := range []Ending{{Fit: true}, {Fit: true, Why: "signs"}, {}, {Why: "cause"}} {
		e.Case, e.Officer = c.ID, "h-1"
		if _, _, err := w.DecideClose(e); problem.CodeOf(err) != "screening.ground" {
			t.Errorf("%+v: %v", e, err)
		}
	}
	facts, v, err := w.DecideClose(Ending{Case: c.ID, Fit: true, Why: "cause", Officer: "h-1"})
	w.take(facts, err)
	if c, _ = w.Cases.Get(c.ID); v.Outcome != reason.Allow || !slices.Contains(c.Cleared, Ground{Clause: "X-SYMPTOMS"}) || c.Why != "cause" || c.Officer != "h-1" {
		t.Errorf("%v %+v", v.Outcome, c)
	}
	c = w.open(2)
	w.see(c.ID, Asked, ill)
	facts, v, err = w.DecideClose(Ending{Case: c.ID, Why: "signs", Officer: "h-1"})
	if w.take(facts, err); v.Outcome != reason.Refuse {
		t.Errorf("turned back: %v", v.Outcome)
	}
	hot := well()
	hot.TempTenths = 391
	c = w.open(3)
	if c = w.see(c.ID, Asked, hot); c.Outcome != reason.Refuse || c.Leaves() != nil {
		t.Fatalf("%v %q", c.Outcome, codes(c.Reasons))
	}
	if _, _, err := w.DecideClose(Ending{Case: c.ID, Fit: true, Why: "examined", Officer: "h-1"}); problem.CodeOf(err) != "screening.ground" {
		t.Errorf("a refusal was overridden: %v", err)
	}
	c = w.open(4)
	if facts, v, err := w.DecideClose(Ending{Case: c.ID, Officer: "h-1"}); err != nil || facts != nil || codes(v.Reasons)[0] != "screening.case.unseen HOLD " {
		t.Errorf("closed unseen: %v %q %v", facts, codes(v.Reasons), err)
	}
}

// TestPositive: isolation by the clause and days of the profile, goods to another crew,
// and the three ways out.
func TestPositive(t *testing.T) {
	w := begin(t, "guarded")
	isolated := func(n byte) Case {
		t.Helper()
		c := w.open(n)
		w.see(c.ID, Sampled, well(), Test{Profile: "covid", Kind: "antigen", Taken: w.Now})
		c, _ = w.Cases.Get(c.ID)
		if c.Outcome != reason.Hold || !c.Waits.Equal(w.Now.Add(20*time.Minute)) {
			t.Fatalf("waits: %v %q %v", c.Outcome, codes(c.Reasons), c.Waits)
		}
		if facts, v, err := w.DecideIsolate(c.ID, "X-ISOLATE-COVID", "h-1"); err != nil || facts != nil || v.Reasons[0].Code != CodeUnfounded {
			t.Fatalf("isolation with no result: %v %v", v.Reasons, err)
		}
		if facts, v, err := w.DecideClose(Ending{Case: c.ID, Fit: true, Why: "examined", Officer: "h-1"}); err != nil || facts != nil || v.Outcome != reason.Hold {
			t.Fatalf("closed while a result is waited for: %v %v", v.Outcome, err)
		}
		c = w.see(c.ID, Tested, well(), w.test(proof.Positive))
		if c.Outcome != reason.Refuse || !slices.Contains(codes(c.Reasons), "screening.test.positive REFUSE X-ISOLATE-COVID") {
			t.Fatalf("positive: %v %q", c.Outcome, codes(c.Reasons))
		}
		facts, _, err := w.DecideIsolate(c.ID, "X-ISOLATE-COVID", "h-1")
		w.take(facts, err)
		c, _ = w.Cases.Get(c.ID)
		if !c.Isolated() || c.Order.Until != c.Order.From+14 || c.Order.Clause != "X-ISOLATE-COVID" || c.Order.Officer != "h-1" {
			t.Fatalf("%+v", c.Order)
		}
		return c
	}
	release := func(c Case, r Relief) rules.Verdict {
		t.Helper()
		r.Case, r.Officer = c.ID, "h-2"
		facts, v, err := w.DecideRelease(r)
		w.take(facts, err)
		return v
	}
	c := isolated(1)
	if _, _, err := w.DecideClose(Ending{Case: c.ID, Officer: "h-1"}); problem.CodeOf(err) != "screening.isolated" {
		t.Errorf("closed in isolation: %v", err)
	}
	if again, ok := w.Of(pass.ID{}, [16]byte{1}); !ok || again.ID != c.ID {
		t.Error("the document does not lead to the order")
	}
	if facts, _, got, err := w.DecideOpen(Coming{ID: "H-0000000000ZZ", Site: site, Register: [16]byte{1}, Officer: "h-1", Sealed: "x"}); err != nil || facts != nil || got != c.ID {
		t.Errorf("a second case beside an open order: %v %v %v", facts, got, err)
	}
	// Goods go on with somebody else, not with the person and not with one at the desk.
	for _, h := range []Handed{{}, {Pass: pass.ID{1}}, {Pass: pass.ID{9}, Paper: true}} {
		h.Case, h.Officer = c.ID, "h-1"
		if _, err := w.DecideHand(h); problem.CodeOf(err) != "screening.crew" {
			t.Errorf("%+v: %v", h, err)
		}
	}
	hand := Handed{Case: c.ID, Pass: pass.ID{9}, Officer: "h-1"}
	facts, err := w.DecideHand(hand)
	w.take(facts, err)
	if c, _ = w.Cases.Get(c.ID); !c.Crew.Known() || c.Crew.Pass != (pass.ID{9}) || !c.Isolated() {
		t.Errorf("%+v", c.Crew)
	}
	if v := release(c, Relief{How: ByDate}); v.Reasons[0].Code != CodeEarly || v.Reasons[0].Params["until"] != rules.DayDate(c.Order.Until).String() {
		t.Errorf("released early: %+v", v.Reasons)
	}
	w.Now = start.Add(14 * 24 * time.Hour)
	if c, _ = w.Cases.Get(c.ID); !c.Due(c.Order.Until) || c.Due(c.Order.Until-1) {
		t.Error("due on another day than the order says")
	}
	release(c, Relief{How: ByDate})
	if c, _ = w.Cases.Get(c.ID); c.Open() || c.Order.Open() || c.Order.How != ByDate || c.Order.By != "h-2" || c.FileEnds != c.Order.Until+14 {
		t.Errorf("%+v", c)
	}

	// By a test that the profile names, taken since.
	c = isolated(2)
	w.Now = w.Now.Add(time.Hour)
	before := w.test(proof.Negative)
	before.Taken = c.Order.At.Add(-time.Minute)
	positive, other := w.test(proof.Positive), w.test(proof.Negative)
	other.Kind = "naat"
	for _, tests := range [][]Test{nil, {before}, {positive}, {other}, {w.test(proof.Negative), positive}} {
		if v := release(c, Relief{How: ByTest, Tests: tests}); v.Reasons == nil || v.Reasons[0].Code != CodeNoTest {
			t.Errorf("released by %d tests", len(tests))
		}
	}
	release(c, Relief{How: ByTest, Tests: []Test{positive, w.test(proof.Negative)}})
	if c, _ = w.Cases.Get(c.ID); c.Open() {
		t.Error("a negative test since the order does not release")
	}

	// By an officer's reason, which is one of a list.
	c = isolated(3)
	if _, _, err := w.DecideRelease(Relief{Case: c.ID, How: ByOfficer, Why: "pity", Officer: "h-2"}); problem.CodeOf(err) != "screening.relief" {
		t.Errorf("%v", err)
	}
	release(c, Relief{How: ByOfficer, Why: "care"})
	if c, _ = w.Cases.Get(c.ID); c.Open() || c.Order.Why != "care" {
		t.Errorf("%+v", c)
	}
	if n, _ := w.Sites.Get(site); n.Open != 0 || n.Isolated != 0 {
		t.Errorf("figures %+v", n)
	}
}

// TestSilent: where the text leaves days empty nobody is isolated on a guess, and where it
// leaves the time of a file empty the desk says so and keeps it a day.
func TestSilent(t *testing.T) {
	w := begin(t, "guarded", "value: 14, source: example}\n  - id: ebola.isolation", "value: unknown, source: example}\n  - id: ebola.isolation", "  - id: screening.file\n", "  - id: screening.other\n")
	facts, v, id, err := w.DecideOpen(Coming{ID: "H-00000000000A", Site: site, Pass: pass.ID{1}, Officer: "h-1", Sealed: "file"})
	if w.take(facts, err); v.Outcome != reason.Refer || v.Reasons[0].Code != CodeKept {
		t.Errorf("%v %q", v.Outcome, codes(v.Reasons))
	}
	w.see(id, Tested, well(), w.test(proof.Positive))
	facts, v, err = w.DecideIsolate(id, "X-ISOLATE-COVID", "h-1")
	if w.take(facts, err); facts != nil || v.Outcome != reason.Refer || v.Reasons[0].Code != CodeSilent {
		t.Errorf("%v %q", v.Outcome, codes(v.Reasons))
	}
	facts, _, err = w.DecideClose(Ending{Case: id, Officer: "h-1"})
	w.take(facts, err)
	if c, _ := w.Cases.Get(id); c.Ends() != c.Day+1 {
		t.Errorf("kept until %d, opened on %d", c.Ends(), c.Day)
	}
}

// TestFileEnds: a file ends by its clock, at the latest so many days after it was opened,
// by an officer once the case is closed, and never sooner.
func TestFileEnds(t *testing.T) {
	w := begin(t, "guarded")
	c := w.open(1)
	if _, err := w.DecideErase([]ID{c.ID}, "h-1"); problem.CodeOf(err) != "screening.file.open" {
		t.Errorf("the file of an open case: %v", err)
	}
	w.see(c.ID, Asked, well())
	facts, _, err := w.DecideClose(Ending{Case: c.ID, Officer: "h-1"})
	w.take(facts, err)
	if _, err := w.DecideErase([]ID{c.ID}, ""); problem.CodeOf(err) != "screening.file.early" {
		t.Errorf("before its time: %v", err)
	}
	if got := w.Expired(site, c.Day+13, 10); got != nil {
		t.Errorf("expired early: %v", got)
	}
	w.Now = start.Add(14 * 24 * time.Hour)
	if got := w.Expired(site, c.Day+14, 10); len(got) != 1 {
		t.Fatalf("not expired: %v", got)
	}
	facts, err = w.DecideErase([]ID{c.ID}, "")
	w.take(facts, err)
	if f := facts[0].(*FileErased); f.Sealed != "file" || f.Officer != "" {
		t.Errorf("%+v", f)
	}
	if c, _ = w.Cases.Get(c.ID); c.Sealed != "" {
		t.Error("the case still leads to its file")
	}
	if n, _ := w.Sites.Get(site); n.First != 1 {
		t.Errorf("a case that is over is still walked over: %+v", n)
	}
	c = w.open(2)
	if c.Ends() != c.Day+MaxOpenDays {
		t.Errorf("an open case ends on %d", c.Ends()-c.Day)
	}
	w.Now = w.Now.Add(MaxOpenDays * 24 * time.Hour)
	facts, err = w.DecideErase([]ID{c.ID}, "")
	if w.take(facts, err); len(facts) != 1 {
		t.Error("an open case keeps its file for ever")
	}
}

// TestNothingKept: no fact and no row holds what was answered, measured, found or used.
func TestNothingKept(t *testing.T) {
	w := begin(t, "guarded")
	c := w.open(1)
	a := well()
	a.TempTenths = 397
	x := w.test(proof.Positive)
	x.Product = "CANARY-KIT"
	c = w.see(c.ID, Tested, a, x)
	codec := fact.NewCodec(Facts()...)
	var all []byte
	for _, f := range w.facts {
		b, err := codec.Encode(f)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, b...)
	}
	row, err := codec.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	all = append(all, row...)
	temp, _ := codec.Marshal(int16(397))
	for _, no := range []string{"CANARY", "antigen", "positive\x00", "covid19", string(temp)} {
		if strings.Contains(string(all), no) {
			t.Errorf("%q is kept", no)
		}
	}
	for _, s := range []any{a, x, File{Note: "CANARY"}, Holder{Family: "CANARY"}} {
		if got := sprint(s); strings.Contains(got, "CANARY") || strings.Contains(got, "397") {
			t.Errorf("prints %s", got)
		}
	}
}

func sprint(v any) string { return fmt.Sprintf("%v %+v %#v", v, v, v) }
