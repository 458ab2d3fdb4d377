// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"slices"
	"strings"
	"testing"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/reason"
)

// certificate is a proof on a day, at ten.
func certificate(on string, pairs ...any) Event {
	e := happenedOn(on, append([]any{"proof.disease", "covid19"}, pairs...)...)
	return e
}

func pcr(on string, pairs ...any) Event {
	return certificate(on, append([]any{"proof.kind", "test", "proof.test", "naat", "proof.result", "negative"}, pairs...)...)
}

func dose(on string, n, of int64, pairs ...any) Event {
	return certificate(on, append([]any{"proof.kind", "vaccination", "proof.dose", n, "proof.doses", of}, pairs...)...)
}

const proofClause = "  - {id: c, kind: proof, TEXT, disease: covid19, else: HOLD, missing: HOLD, decides: health, accepts: [" +
	"{kind: test, tests: [naat], atmost: hours72}, {kind: vaccination, doses: complete, atleast: days14, atmost: year}, {kind: recovery, atleast: days11, atmost: months6}]}\n"

const proofParams = `  - {id: hours72, text: {en: x}, unit: hours, values: [{from: 2025-01-01, value: 72, source: x}]}
  - {id: days14, text: {en: x}, unit: days, values: [{from: 2025-01-01, value: 14, source: x}]}
  - {id: days11, text: {en: x}, unit: days, values: [{from: 2025-01-01, value: 11, source: x}]}
  - {id: months6, text: {en: x}, unit: months, values: [{from: 2025-01-01, value: 6, source: x}]}
`

// TestProof holds what a clause of kind proof takes and does not.
func TestProof(t *testing.T) {
	l := wideLaw(t, proofClause, "parameters", proofParams)
	q := noon("2025-06-10") // at twelve
	for _, c := range []struct {
		what string
		e    []Event
		want reason.Outcome
	}{
		{"a test of three days, two hours short", []Event{pcr("2025-06-07", "proof.earliest", at("2025-06-07T14:00:00Z"), "proof.latest", at("2025-06-07T14:00:00Z"))}, reason.Allow},
		{"to the minute", []Event{{At: at("2025-06-07T12:00:00Z"), Facts: pcr("2025-06-07").Facts}}, reason.Allow},
		{"a minute more", []Event{{At: at("2025-06-07T11:59:00Z"), Facts: pcr("2025-06-07").Facts}}, reason.Hold},
		{"of tomorrow", []Event{pcr("2025-06-11")}, reason.Hold},
		{"of another disease", []Event{pcr("2025-06-10", "proof.disease", "ebola")}, reason.Hold},
		{"of another kind", []Event{pcr("2025-06-10", "proof.test", "antigen")}, reason.Hold},
		{"positive", []Event{pcr("2025-06-10", "proof.result", "positive")}, reason.Hold},
		{"inconclusive", []Event{pcr("2025-06-10", "proof.result", "inconclusive")}, reason.Hold},
		{"a dose of fourteen days", []Event{dose("2025-05-27", 2, 2)}, reason.Allow},
		{"a dose of thirteen", []Event{dose("2025-05-28", 2, 2)}, reason.Hold},
		{"the first of two", []Event{dose("2025-05-01", 1, 2)}, reason.Hold},
		{"a booster", []Event{dose("2025-05-01", 3, 2)}, reason.Allow},
		{"a year to the day", []Event{dose("2024-06-10", 2, 2)}, reason.Allow},
		{"a day more", []Event{dose("2024-06-09", 2, 2)}, reason.Hold},
		{"any one will do", []Event{dose("2024-01-01", 2, 2), pcr("2025-06-10", "proof.result", "positive"), dose("2025-01-01", 2, 2)}, reason.Allow},
		{"a recovery", []Event{certificate("2025-03-01", "proof.kind", "recovery")}, reason.Allow},
		{"none", []Event{}, reason.Hold},
		{"the issuer's validity has ended", []Event{dose("2025-05-01", 2, 2, "proof.until", at("2025-06-10T11:00:00Z"))}, reason.Hold},
		{"ends later", []Event{dose("2025-05-01", 2, 2, "proof.until", at("2025-06-10T12:00:00Z"))}, reason.Allow},
		{"has not begun", []Event{dose("2025-05-01", 2, 2, "proof.from", at("2025-06-10T12:00:01Z"))}, reason.Hold},
	} {
		expect(t, l, c.what, q.of("proof", c.e...), c.want)
	}
	v := expect(t, l, "not shown", q, reason.Hold, CodeWanted)
	if len(v.Missing) != 1 || v.Missing[0] != "proof" {
		t.Errorf("missing %v", v.Missing)
	}
	expect(t, l, "how many doses is not known", q.of("proof", certificate("2025-05-01", "proof.kind", "vaccination", "proof.dose", int64(1))), reason.Hold)
}

// TestProofOfAMonth holds dates that a certificate gives half: they are rounded neither
// for nor against the holder.
func TestProofOfAMonth(t *testing.T) {
	l := wideLaw(t, proofClause, "parameters", proofParams)
	month := func(from, to string) Event {
		e := dose("2025-05-01", 2, 2, "proof.earliest", at(from+"T00:00:00Z"), "proof.latest", at(to+"T23:59:59Z"))
		e.At = time.Time{}
		return e
	}
	for _, c := range []struct {
		what, on string
		want     reason.Outcome
	}{
		{"every day of May is too new", "2025-05-14", reason.Hold},
		{"the first of May would do, the last would not", "2025-05-15", reason.Refer},
		{"still", "2025-06-13", reason.Refer},
		{"every day of May will do", "2025-06-14", reason.Allow},
		{"and until the first of May is too old", "2026-05-01", reason.Allow},
		{"from then it turns on the day", "2026-05-02", reason.Refer},
		{"no day of May will do", "2026-06-01", reason.Hold},
	} {
		v := expect(t, l, c.what, noon(c.on).of("proof", month("2025-05-01", "2025-05-31")), c.want)
		if c.want == reason.Refer && v.Reasons[0].Code != CodeDate {
			t.Errorf("%s: %s", c.what, v.Reasons[0].Code)
		}
	}
	none := dose("2025-05-01", 2, 2)
	none.At = time.Time{}
	expect(t, l, "no date at all", noon("2025-06-20").of("proof", none), reason.Hold)
}

// TestProofAtBooking judges a certificate as it will stand at the crossing.
func TestProofAtBooking(t *testing.T) {
	l := wideLaw(t, strings.Replace(proofClause, "TEXT", "text: {en: x}, say: {en: x}, at: [booking, gate]", 1), "parameters", proofParams)
	q := noon("2025-06-10").with("crossing.at", at("2025-06-10T12:00:00Z"), "crossing.latest", at("2025-06-10T15:30:00Z"))
	q.Point = Booking
	v := expect(t, l, "it lapses in the queue", q.of("proof", Event{At: at("2025-06-07T13:00:00Z"), Facts: pcr("2025-06-07").Facts}), reason.Hold)
	if got := v.Reasons[0].Params["lapses"]; got != "2025-06-10 13:00" {
		t.Errorf("lapses %q", got)
	}
	expect(t, l, "it lasts", q.of("proof", Event{At: at("2025-06-07T15:30:00Z"), Facts: pcr("2025-06-07").Facts}), reason.Allow)
	v = expect(t, l, "not good yet", q.of("proof", dose("2025-06-01", 2, 2)), reason.Hold)
	if got := v.Reasons[0].Params["good"]; got != "2025-06-15 00:00" {
		t.Errorf("good %q", got)
	}
	v = expect(t, l, "lapses with the day", q.with("crossing.latest", at("2025-06-11T02:00:00Z")).of("proof", dose("2024-06-10", 2, 2)), reason.Hold)
	if got := v.Reasons[0].Params["lapses"]; got != "2025-06-11 00:00" {
		t.Errorf("lapses %q", got)
	}
	expect(t, l, "none shown", q, reason.Allow, CodeProof)
	expect(t, l, "one of another disease is shown", q.of("proof", Event{At: at("2025-06-09T00:00:00Z"), Facts: pcr("2025-06-09", "proof.disease", "ebola").Facts}), reason.Allow, CodeProof)
	expect(t, l, "there is none", q.of("proof"), reason.Hold)
	expect(t, l, "none, and a test is booked", q.with("health.tests", []string{"covid19/naat"}).of("proof"), reason.Allow, CodeTest)
	expect(t, l, "not asked, and a test is booked", q.with("health.tests", []string{"covid19/naat"}), reason.Allow, CodeTest)
	expect(t, l, "a test of another disease is booked", q.with("health.tests", []string{"ebola/naat"}).of("proof"), reason.Hold)
	expect(t, l, "a positive one is shown", q.with("health.tests", []string{"covid19/naat"}).of("proof", pcr("2025-06-09", "proof.result", "positive")), reason.Hold)
	expect(t, l, "none, and a test that will not do", q.with("health.tests", []string{"covid19/antigen"}).of("proof"), reason.Hold)
	q.Point = Gate
	v = expect(t, l, "the gate says nothing of the day", q.of("proof", Event{At: at("2025-06-07T13:00:00Z"), Facts: pcr("2025-06-07").Facts}), reason.Hold)
	if len(v.Reasons[0].Params) > 0 && (v.Reasons[0].Params["lapses"] != "" || v.Reasons[0].Params["good"] != "") {
		t.Errorf("%v", v.Reasons[0].Params)
	}
	expect(t, l, "the gate asks again", q.with("health.tests", []string{"covid19/naat"}), reason.Hold, CodeWanted)
}

const wideHealth = `source: x
profiles:
  - {id: covid, disease: covid19, name: {en: x}}
levels:
  - {id: normal, name: {en: x}}
  - {id: raised, name: {en: x}, profiles: [covid], capacity: share, raise: 24 hours, by: [supervisor]}
  - {id: high, name: {en: x}, profiles: [covid], capacity: share, emergency: 7 days, by: [supervisor]}
`

const wideHealthAttributes = "  - {id: health.level, name: {en: x}, type: string}\n  - {id: health.profiles, name: {en: x}, type: strings}\n"

// TestProofUnderAProfile: a clause is silent while its profile is off, and what the level
// is not known of is open.
func TestProofUnderAProfile(t *testing.T) {
	l := wideLaw(t, "  - {id: all, kind: rule, SILENT}\n"+strings.Replace(proofClause, "disease: covid19", "profile: covid", 1)+
		"  - {id: s, kind: suspend, TEXT, when: health.level == 'high', weekdays: [sunday, monday]}\n",
		"parameters", proofParams+"  - {id: share, text: {en: x}, unit: percent, values: [{from: 2025-01-01, value: 30, source: x}, {from: 2025-07-01, value: unknown, source: x}]}\n",
		"attributes", wideHealthAttributes, "health/h.yaml", wideHealth)
	h, ok := l.Health(1, at("2025-06-10T12:00:00Z"))
	if !ok || len(h.Levels()) != 3 || h.Rank("") != 0 || h.Rank("raised") != 1 || h.Rank("unheard of") != 2 {
		t.Fatalf("%v %v", h, ok)
	}
	facts := func(level string) Facts { f := Facts{}; h.Facts(h.Rank(level), nil, f); return f }
	q := noon("2025-06-10") // a Tuesday
	q.Facts = facts("")
	expect(t, l, "off", q, reason.Allow)
	q.Facts = facts("raised")
	expect(t, l, "on", q, reason.Hold, CodeWanted)
	expect(t, l, "on, and shown", q.of("proof", pcr("2025-06-10")), reason.Allow)
	q.Facts = Facts{}
	expect(t, l, "not known", q.of("proof"), reason.Hold, CodeWanted)
	q.Facts = facts("high")
	expect(t, l, "a Tuesday", q.of("proof", pcr("2025-06-10")), reason.Allow)
	monday := noon("2025-06-09")
	monday.Facts = facts("high")
	expect(t, l, "a Monday", monday.of("proof", pcr("2025-06-09")), reason.Closed)
	for n, want := range map[uint32]uint32{0: 0, 1: 0, 10: 3, 99: 29, 1000: 300} {
		if got := h.Places(1, agreement.A, n); got != want {
			t.Errorf("%d places: %d", n, got)
		}
		if got := h.Places(0, agreement.A, n); got != n {
			t.Errorf("%d places at the mildest level: %d", n, got)
		}
	}
	if h, _ := l.Health(1, at("2025-07-10T12:00:00Z")); h.Places(1, agreement.A, 100) != 0 {
		t.Error("sells places of which the text does not say how many are left")
	}
	if ps := h.Profiles(1, []string{"covid"}); len(ps) != 1 || ps[0].ID != "covid" || len(h.Profiles(0, nil)) != 0 || len(h.Profiles(0, []string{"covid", "flu"})) != 1 {
		t.Errorf("%v", ps)
	}
}

// proofOf is a booking to which no certificate was shown.
func proofOf(t testing.TB) Verdict { return bookingOf(t, noon("2025-06-10")) }

func testedOf(t testing.TB) Verdict {
	return bookingOf(t, noon("2025-06-10").with("health.tests", []string{"covid19/naat"}))
}

func bookingOf(t testing.TB, q Query) Verdict {
	q.Point = Booking
	return wideLaw(t, strings.Replace(proofClause, "TEXT", "text: {en: x}, say: {en: x}, at: [booking, gate]", 1), "parameters", proofParams).Check(q)
}

// TestProofWithoutAge: where a clause gives no distance, the date still has to be one that
// has come.
func TestProofWithoutAge(t *testing.T) {
	l := wideLaw(t, "  - {id: c, kind: proof, TEXT, disease: covid19, else: HOLD, missing: HOLD, decides: health, accepts: [{kind: vaccination, doses: complete}]}\n", "parameters", proofParams)
	q := noon("2025-06-10")
	expect(t, l, "years ago", q.of("proof", dose("2021-01-01", 2, 2)), reason.Allow)
	expect(t, l, "of tomorrow", q.of("proof", dose("2025-06-11", 2, 2)), reason.Hold)
	undated := dose("2025-05-01", 2, 2)
	undated.At = time.Time{}
	if v := l.Check(q.of("proof", undated)); v.Outcome.Admits() {
		t.Errorf("without a date: %s", v.Outcome)
	}
	month := undated
	month.Facts = dose("2025-05-01", 2, 2, "proof.earliest", at("2025-06-01T00:00:00Z"), "proof.latest", at("2025-06-30T23:59:59Z")).Facts
	expect(t, l, "of this month", q.of("proof", month), reason.Refer, CodeDate)
}

// TestProofAnyOrder: an accept whose number the text leaves empty does not keep another one
// from doing, in whatever order they stand.
func TestProofAnyOrder(t *testing.T) {
	accepts := []string{"{kind: test, atmost: gap}", "{kind: vaccination, doses: complete}"}
	for _, order := range [][2]int{{0, 1}, {1, 0}} {
		l := wideLaw(t, "  - {id: c, kind: proof, TEXT, disease: covid19, else: HOLD, missing: HOLD, decides: health, accepts: ["+accepts[order[0]]+", "+accepts[order[1]]+"]}\n",
			"parameters", "  - {id: gap, text: {en: x}, unit: hours, values: [{from: 2025-01-01, value: unknown, source: x}]}\n")
		q := noon("2025-06-10")
		expect(t, l, "a dose", q.of("proof", pcr("2025-06-10"), dose("2025-01-01", 2, 2)), reason.Allow)
		expect(t, l, "a dose first", q.of("proof", dose("2025-01-01", 2, 2), pcr("2025-06-10")), reason.Allow)
		expect(t, l, "a test alone", q.of("proof", pcr("2025-06-10")), reason.Refer, CodeParameter)
	}
}

// TestHealthOfSeveral: where the law of a market says nothing of protection and a second
// agreement does, that one is asked; two that do are not taken together.
func TestHealthOfSeveral(t *testing.T) {
	share := proofParams + "  - {id: share, text: {en: x}, unit: percent, values: [{from: 2025-01-01, value: 30, source: x}]}\n"
	one, _ := wide(t, "  - {id: all, kind: rule, SILENT}\n", "schedule/s.yaml", "site: s\nsource: x\nhours: [{open: [\"00:00-24:00\"]}]\n")
	two, _ := wide(t, "  - {id: all, kind: rule, SILENT}\n"+strings.Replace(proofClause, "disease: covid19", "profile: covid", 1), "parameters", share, "attributes", wideHealthAttributes, "health/h.yaml", wideHealth)
	two.ID = "health"
	for _, order := range [][]*agreement.Edition{{one, two}, {two, one}} {
		l, err := Compile(order...)
		if err != nil {
			t.Fatal(err)
		}
		h, ok := l.Health(1, at("2025-06-10T12:00:00Z"))
		if !ok || len(h.Levels()) != 3 {
			t.Fatalf("%v", ok)
		}
		q := noon("2025-06-10")
		h.Facts(h.Rank("raised"), nil, q.Facts)
		expect(t, l, "raised", q.of("proof"), reason.Hold)
		q = noon("2025-06-10")
		h.Facts(0, nil, q.Facts)
		expect(t, l, "normal", q.of("proof"), reason.Allow)
	}
	three := *two
	three.ID = "other"
	if _, err := Compile(two, &three); err != nil {
		t.Errorf("two with the same levels: %v", err)
	}
	three.Levels = slices.Clone(two.Levels)
	three.Levels[1].Profiles = nil
	if _, err := Compile(two, &three); err == nil || !strings.Contains(err.Error(), "levels of protection") {
		t.Errorf("two with levels: %v", err)
	}
}

// TestProofOfAnotherKind: a number that the text leaves empty keeps nothing open for a
// certificate that is of another kind.
func TestProofOfAnotherKind(t *testing.T) {
	l := wideLaw(t, "  - {id: c, kind: proof, TEXT, disease: covid19, else: HOLD, missing: HOLD, decides: health, accepts: [{kind: vaccination, doses: gap}]}\n",
		"parameters", "  - {id: gap, text: {en: x}, unit: count, values: [{from: 2025-01-01, value: unknown, source: x}]}\n")
	q := noon("2025-06-10")
	expect(t, l, "a test", q.of("proof", pcr("2025-06-10")), reason.Hold)
	expect(t, l, "a dose", q.of("proof", dose("2025-01-01", 2, 2)), reason.Refer, CodeParameter)
}
