// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"bytes"
	"io/fs"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"pgregory.net/rapid"

	"darwaza.dev/agreements"
	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/reason"
)

func at(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(err)
	}
	return t
}

// tuesday is a time on a market day.
func tuesday() time.Time { return at("2025-09-02T10:00:00+05:00") }

func gateFacts() Facts {
	return Facts{
		"class": "visitor", "direction": "in", "party.adults": int64(1), "party.children": int64(0), "party.size": int64(1),
		"person.identified": true, "screening.temperature": int64(366), "screening.symptoms": false, "occupancy.inside": int64(120),
		"health.level": "normal", "health.profiles": []string{},
	}
}

func goodsQuery(code string, value int64, lots ...Lot) Query {
	return Query{Point: Goods, At: tuesday(), Site: "mand-pishin", Side: "A", Lots: lots,
		Facts: Facts{"good.code": code, "good.value": value, "person.document": "cnic"}}
}

func TestNoEdition(t *testing.T) {
	_, l := market(t)
	for _, none := range []*Law{l, mustCompile(t)} {
		v := none.Check(Query{Point: Gate, At: at("2026-07-01T00:00:00+05:00"), Site: "mand-pishin", Side: "A", Facts: gateFacts()})
		if v.Outcome != reason.Refer || len(v.Reasons) != 1 || v.Reasons[0].Code != CodeEdition || v.Edition != "" {
			t.Errorf("got %s %v", v.Outcome, v.Reasons)
		}
	}
}

func mustCompile(t testing.TB, es ...*agreement.Edition) *Law {
	t.Helper()
	l, err := Compile(es...)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestUnknownSiteAndSilentPoint(t *testing.T) {
	_, l := market(t)
	if v := l.Check(Query{Point: Gate, At: tuesday(), Site: "elsewhere", Side: "A"}); v.Outcome != reason.Refer || v.Reasons[0].Code != CodeSite {
		t.Errorf("site: got %s %v", v.Outcome, v.Reasons)
	}
	if v := l.Check(Query{Point: Signing, At: tuesday(), Site: "mand-pishin", Side: "A"}); v.Outcome != reason.Refer || v.Reasons[0].Code != CodeSilent {
		t.Errorf("point: got %s %v", v.Outcome, v.Reasons)
	}
	if v := l.Check(Query{Point: Gate, At: tuesday(), Site: "mand-pishin", Side: "A"}); v.Outcome.Admits() {
		t.Error("a question with no facts at all is let through")
	}
}

func TestSensitiveInputsHaveNoValue(t *testing.T) {
	_, l := market(t)
	f := gateFacts()
	f["screening.temperature"] = int64(391)
	v := l.Check(Query{Point: Gate, At: tuesday(), Site: "mand-pishin", Side: "A", Facts: f})
	i := slices.IndexFunc(v.Inputs, func(i Input) bool { return i.Name == "screening.temperature" })
	if i < 0 || v.Inputs[i].Value != "" {
		t.Errorf("inputs: %v", v.Inputs)
	}
	v.Edition = "" // digits of a hash are no temperature
	if bytes.Contains(v.Bytes(), []byte("391")) || bytes.Contains(v.Bytes(), []byte("39.1")) {
		t.Errorf("the temperature is in the verdict: %s", v.Bytes())
	}
}

func TestWrongTypesCountAsNotGiven(t *testing.T) {
	_, l := market(t)
	f := gateFacts()
	f["person.identified"] = "yes"
	f["undeclared"] = true
	v := l.Check(Query{Point: Gate, At: tuesday(), Site: "mand-pishin", Side: "A", Facts: f})
	if v.Outcome != reason.Hold || !slices.Contains(v.Missing, "person.identified") {
		t.Errorf("got %s, missing %v", v.Outcome, v.Missing)
	}
}

// TestOverflow adds up lots that no number holds: nothing is let through by it.
func TestOverflow(t *testing.T) {
	_, l := market(t)
	const huge = int64(1<<63 - 1)
	for _, q := range []Query{
		goodsQuery("07020000", huge, Lot{"I", huge, regimeConcession, "mand-pishin"}),
		goodsQuery("07020000", 100, Lot{"I", huge, regimeConcession, "mand-pishin"}, Lot{"II", huge, regimeConcession, "mand-pishin"}),
		goodsQuery("07020000", 100, Lot{"I", -huge, regimeConcession, "mand-pishin"}),
		goodsQuery("07020000", 6000, Lot{"I", -5000, regimeConcession, "mand-pishin"}),
		goodsQuery("07020000", -100),
	} {
		if v := l.Check(q); v.Outcome.Admits() {
			t.Errorf("%v %v: let through", q.Facts, q.Lots)
		}
	}
	f := gateFacts()
	f["occupancy.inside"], f["party.size"] = huge, huge
	if v := l.Check(Query{Point: Gate, At: tuesday(), Site: "mand-pishin", Side: "A", Facts: f}); v.Outcome != reason.Refer || v.Reasons[0].Code != CodeFailed {
		t.Errorf("got %s %v", v.Outcome, v.Reasons)
	}
}

// TestScope holds clauses to their sites and sides, and charges nothing on what is
// refused.
func TestScope(t *testing.T) {
	_, l := market(t)
	did := func(v Verdict, id string) string {
		i := slices.IndexFunc(v.Steps, func(s Step) bool { return s.Clause == id })
		return v.Steps[i].Did
	}
	v := l.Check(Query{Point: Gate, At: tuesday(), Site: "mand-pishin", Side: "A", Facts: gateFacts()})
	if did(v, "X-OPEN") != didDormant || did(v, "SITE") != didPass {
		t.Errorf("at Mand–Pishin: X-OPEN %s, SITE %s", did(v, "X-OPEN"), did(v, "SITE"))
	}
	v = l.Check(Query{Point: Gate, At: tuesday(), Site: "gabd-reemdan", Side: "A", Facts: gateFacts()})
	if did(v, "X-OPEN") != didApply || did(v, "SITE") != didOverride {
		t.Errorf("at Gabd–Reemdan: X-OPEN %s, SITE %s", did(v, "X-OPEN"), did(v, "SITE"))
	}
	v = l.Check(goodsQuery("04032000", 1000, Lot{"I", 5000, regimeConcession, "mand-pishin"}, Lot{"II", 5000, regimeConcession, "mand-pishin"}))
	if a, ok := v.Amount("duty", ""); ok || v.Outcome != reason.Refuse {
		t.Errorf("refused, and charged %v", a)
	}
	sides := tinyLaw(t, `instrument: i
clauses:
  - {id: all, kind: rule, TEXT}
  - {id: b, kind: rule, TEXT, sides: [B], require: p, else: REFUSE}
`)
	for side, want := range map[string]reason.Outcome{"A": reason.Allow, "B": reason.Refuse} {
		q := Query{Point: Gate, At: at("2025-06-01T10:00:00Z"), Site: "s", Side: side, Facts: Facts{"p": false}}
		if v := sides.Check(q); v.Outcome != want {
			t.Errorf("side %s: got %s, want %s", side, v.Outcome, want)
		}
	}
}

// queries draws questions of every kind.
func queries() *rapid.Generator[Query] {
	return rapid.Custom(func(t *rapid.T) Query {
		q := Query{
			Point: rapid.SampledFrom([]Point{Booking, Gate, Goods, Receipt, Exit, Custody, Duty}).Draw(t, "point"),
			At:    tuesday().Add(time.Duration(rapid.Int64Range(-10*24*60, 400*24*60).Draw(t, "minutes")) * time.Minute),
			Site:  rapid.SampledFrom([]string{"mand-pishin", "gabd-reemdan", "chedgi-kouhak", "", "x"}).Draw(t, "site"),
			Side:  rapid.SampledFrom([]string{"A", "B"}).Draw(t, "side"),
			Facts: Facts{},
		}
		if rapid.Bool().Draw(t, "on a market day") {
			q.At, q.Site = tuesday(), "mand-pishin"
		}
		text := map[string][]string{
			"class": {"visitor", "vendor", "driver"}, "direction": {"in", "out"}, "person.document": {"cnic", "passport", ""},
			"good.code": {"07020000", "0702.0000", "87120000", "04012000", "99999999"}, "receipt.number": {"cnic", "passport"},
		}
		number := map[string]int64{
			"party.adults": 3, "party.children": 3, "party.size": 12, "person.age": 90, "screening.temperature": 420, "occupancy.inside": 700,
			"good.value": 12000, "good.quantity": 5000, "receipt.duty": 1000, "gd.value": 1 << 40, "fair.value": 1 << 40,
		}
		for _, k := range slices.Sorted(maps.Keys(text)) {
			if rapid.Bool().Draw(t, "has "+k) {
				q.Facts[k] = rapid.SampledFrom(text[k]).Draw(t, k)
			}
		}
		for _, k := range slices.Sorted(maps.Keys(number)) {
			if rapid.Bool().Draw(t, "has "+k) {
				q.Facts[k] = rapid.Int64Range(0, number[k]).Draw(t, k)
			}
		}
		for _, k := range []string{"person.identified", "vendor.card", "screening.symptoms", "receipt.named", "tax.asked", "trader.premises", "guarantee.given", "values.displayed", "purchases.entered"} {
			if rapid.Bool().Draw(t, "has "+k) {
				q.Facts[k] = rapid.Bool().Draw(t, k)
			}
		}
		q.Lots = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Lot {
			return Lot{rapid.SampledFrom([]string{"I", "II", "III"}).Draw(t, "category"), rapid.Int64Range(0, 6000).Draw(t, "value"),
				rapid.SampledFrom([]string{regimeConcession, regimeStatutory}).Draw(t, "regime"), "mand-pishin"}
		}), 0, 4).Draw(t, "lots")
		return q
	})
}

// TestOrderNeverMatters shuffles clauses, lots and facts.
func TestOrderNeverMatters(t *testing.T) {
	e, l := market(t)
	shuffled := *e
	shuffled.Clauses = slices.Clone(e.Clauses)
	rapid.Check(t, func(t *rapid.T) {
		q := queries().Draw(t, "question")
		want := l.Check(q).Bytes()
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		other := mustCompileShuffled(&shuffled, r)
		r.Shuffle(len(q.Lots), func(i, j int) { q.Lots[i], q.Lots[j] = q.Lots[j], q.Lots[i] })
		if got := other.Check(q).Bytes(); !bytes.Equal(got, want) {
			t.Fatalf("order matters:\n%s\n%s", got, want)
		}
	})
}

// mustCompileShuffled compiles the edition with its clauses in another order.
func mustCompileShuffled(e *agreement.Edition, r *rand.Rand) *Law {
	r.Shuffle(len(e.Clauses), func(i, j int) { e.Clauses[i], e.Clauses[j] = e.Clauses[j], e.Clauses[i] })
	l, err := Compile(e)
	if err != nil {
		panic(err)
	}
	return l
}

// TestBytesAreTheSame asks one question many times, at once and from one law to
// another.
func TestBytesAreTheSame(t *testing.T) {
	_, l := market(t)
	_, m := market(t)
	rapid.Check(t, func(t *rapid.T) {
		q := queries().Draw(t, "question")
		want := l.Check(q).Bytes()
		if got := m.Check(q).Bytes(); !bytes.Equal(got, want) {
			t.Fatalf("two laws of one edition differ:\n%s\n%s", got, want)
		}
		q.At = q.At.In(time.FixedZone("", 3600))
		if got := l.Check(q).Bytes(); !bytes.Equal(got, want) {
			t.Fatalf("the zone of the question shows:\n%s\n%s", got, want)
		}
	})
	var wg sync.WaitGroup
	want := l.Check(goodsQuery("07020000", 3000)).Bytes()
	for range 4 {
		wg.Go(func() {
			for range 200 {
				if !bytes.Equal(l.Check(goodsQuery("07020000", 3000)).Bytes(), want) {
					t.Error("differs between threads")
				}
				l.Check(Query{Point: Gate, At: tuesday(), Site: "mand-pishin", Side: "A", Facts: gateFacts()})
			}
		})
	}
	wg.Wait()
}

// TestMissingNeverAdmits takes facts away: what was not ALLOW with all facts, and is
// decided by what stays, does not become ALLOW; and a verdict of ALLOW on fewer facts
// stays ALLOW whatever the missing facts turn out to be, unless they are new matter.
func TestMissingNeverAdmits(t *testing.T) {
	_, l := market(t)
	needed := []string{"class", "party.adults", "person.identified", "screening.temperature", "screening.symptoms", "occupancy.inside", "party.size"}
	rapid.Check(t, func(t *rapid.T) {
		f := gateFacts()
		gone := rapid.SampledFrom(needed).Draw(t, "gone")
		delete(f, gone)
		v := l.Check(Query{Point: Gate, At: tuesday(), Site: "mand-pishin", Side: "A", Facts: f})
		if v.Outcome.Admits() || !slices.Contains(v.Missing, gone) {
			t.Fatalf("without %s: %s, missing %v", gone, v.Outcome, v.Missing)
		}
	})
}

// TestMoreClausesAreNeverMilder takes clauses that set nothing aside out of the
// edition: the verdict of the rest is no stricter than that of all.
func TestMoreClausesAreNeverMilder(t *testing.T) {
	e, l := market(t)
	rapid.Check(t, func(t *rapid.T) {
		q := queries().Draw(t, "question")
		less := *e
		less.Clauses = nil
		for _, c := range e.Clauses {
			if len(c.Overrides) > 0 || rapid.Bool().Draw(t, c.ID) {
				less.Clauses = append(less.Clauses, c)
			}
		}
		few, err := Compile(&less)
		if err != nil {
			t.Fatal(err)
		}
		a, b := l.Check(q), few.Check(q)
		// A cap that sends a lot away changes how others count it, which is a question
		// of its own; and nothing said is REFER by itself.
		silent := len(b.Reasons) == 1 && b.Reasons[0].Code == CodeSilent
		spared := slices.ContainsFunc(b.Reasons, func(r reason.Reason) bool { return r.Code == CodeCapRefuse || r.Code == CodeUnknown }) && q.Point == Goods
		if !silent && !spared && a.Outcome < b.Outcome {
			t.Fatalf("%s with all clauses, %s with fewer: %s / %s", a.Outcome, b.Outcome, why(a), why(b))
		}
	})
}

// TestEveryOutcomeHasGrounds wants a reason behind everything that is not ALLOW, and
// known codes only.
func TestEveryOutcomeHasGrounds(t *testing.T) {
	e, l := market(t)
	declared := map[reason.Code]reason.Outcome{}
	for _, d := range Reasons() {
		declared[d.Code] = d.Outcome
	}
	rapid.Check(t, func(t *rapid.T) {
		v := l.Check(queries().Draw(t, "question"))
		if v.Outcome != reason.Allow && len(v.Reasons) == 0 {
			t.Fatalf("%s without a reason", v.Outcome)
		}
		for _, r := range v.Reasons {
			o, ok := declared[r.Code]
			if !ok || o != r.Outcome {
				t.Fatalf("%s with outcome %s is not declared so", r.Code, r.Outcome)
			}
			if r.Clause != "" && e.Clause(r.Clause) == nil {
				t.Fatalf("no clause %s", r.Clause)
			}
		}
		if !slices.IsSorted(v.Missing) {
			t.Fatalf("missing %v", v.Missing)
		}
	})
}

// tiny returns an edition made of a few clauses on top of a small package.
func tiny(t testing.TB, clauses string) (*agreement.Edition, agreement.Faults) {
	t.Helper()
	m := fstest.MapFS{
		"agreement.yaml": {Data: []byte(`id: tiny
edition: 1
title: {en: T, fa: T, ur: T}
zone: UTC
zonedata: 2025c
currency: USD
rounding: half-up
from: 2025-01-01
parties:
  A: {name: {en: A, fa: A, ur: A}, country: PAK, zone: UTC, language: en, currency: PKR}
  B: {name: {en: B, fa: B, ur: B}, country: IRN, zone: UTC, language: en, currency: IRR}
sites:
  - {id: s, number: 1, name: {en: S, fa: S, ur: S}, zone: UTC, source: x, gates: [{number: 1, side: A, name: {en: G, fa: G, ur: G}}, {number: 2, side: B, name: {en: G, fa: G, ur: G}}]}
classes:
  - {id: visitor, number: 1, name: {en: v, fa: v, ur: v}}
instruments:
  - {id: i, title: {en: I, fa: I, ur: I}, status: law, source: x}
  - {id: j, title: {en: J, fa: J, ur: J}, status: law, source: x}
attributes:
  - {id: p, type: bool, name: {en: p, fa: p, ur: p}}
  - {id: q, type: bool, name: {en: q, fa: q, ur: q}}
  - {id: n, type: int, name: {en: n, fa: n, ur: n}}
  - {id: people, type: int, unit: count, name: {en: n, fa: n, ur: n}}
  - {id: t, type: time, name: {en: t, fa: t, ur: t}}
  - {id: w, type: string, name: {en: w, fa: w, ur: w}}
  - {id: good.value, type: int, unit: USD, name: {en: v, fa: v, ur: v}}
`)},
		"parameters/p.yaml": {Data: []byte(`parameters:
  - {id: open, text: {en: x, fa: x, ur: x}, unit: count, values: [{from: 2025-01-01, value: unknown, source: x}]}
  - {id: minutes, text: {en: x, fa: x, ur: x}, unit: minutes, values: [{from: 2025-01-01, value: 5, source: x}]}
  - {id: five, text: {en: x, fa: x, ur: x}, unit: percent, values: [{from: 2025-01-01, value: 5, source: x}]}
  - {id: six, text: {en: x, fa: x, ur: x}, unit: percent, values: [{from: 2025-01-01, value: 6, source: x}]}
`)},
	}
	for n, part := range strings.Split(clauses, "---\n") {
		m["clauses/c"+string(rune('0'+n))+".yaml"] = &fstest.MapFile{Data: []byte(strings.ReplaceAll(part, "TEXT", "text: {en: x, fa: x, ur: x}, say: {en: x, fa: x, ur: x}, at: [gate]"))}
	}
	return agreement.Check(m)
}

func tinyLaw(t testing.TB, clauses string) *Law {
	t.Helper()
	e, faults := tiny(t, clauses)
	if len(faults.Errors()) > 0 {
		t.Fatal(faults)
	}
	return mustCompile(t, e)
}

func ask(l *Law, f Facts) Verdict {
	return l.Check(Query{Point: Gate, At: at("2025-06-01T10:00:00Z"), Site: "s", Side: "A", Facts: f})
}

// TestExceptions holds the rules about clauses that set others aside.
func TestExceptions(t *testing.T) {
	l := tinyLaw(t, `instrument: i
clauses:
  - {id: base, kind: rule, TEXT, require: p, else: REFUSE, missing: HOLD, decides: x}
  - {id: except, kind: rule, TEXT, when: q, overrides: [base]}
`)
	for _, x := range []struct {
		facts Facts
		want  reason.Outcome
		code  reason.Code
	}{
		{Facts{"p": true, "q": false}, reason.Allow, ""},
		{Facts{"p": false, "q": false}, reason.Refuse, CodeRefuse},
		{Facts{"p": false, "q": true}, reason.Allow, ""},
		{Facts{"p": false}, reason.Refer, CodeException}, // the exception may hold
		{Facts{"p": true}, reason.Allow, ""},             // whether it holds does not matter
		{Facts{"q": true}, reason.Allow, ""},             // what it sets aside is not asked
		{Facts{"q": false}, reason.Hold, CodeWanted},
	} {
		v := ask(l, x.facts)
		if v.Outcome != x.want || x.code != "" && v.Reasons[0].Code != x.code {
			t.Errorf("%v: got %s (%s), want %s %s", x.facts, v.Outcome, why(v), x.want, x.code)
		}
	}
	if v := ask(l, Facts{"p": false}); !slices.Contains(v.Missing, "q") {
		t.Errorf("q would change the answer and is not among %v", v.Missing)
	}

	// An exception that is itself set aside sets nothing aside.
	l = tinyLaw(t, `instrument: i
clauses:
  - {id: a-base, kind: rule, TEXT, require: p, else: REFUSE}
  - {id: b-except, kind: rule, TEXT, overrides: [a-base]}
  - {id: c-except, kind: rule, TEXT, when: q, overrides: [b-except]}
`)
	if v := ask(l, Facts{"p": false, "q": true}); v.Outcome != reason.Refuse {
		t.Errorf("got %s", v.Outcome)
	}
	if v := ask(l, Facts{"p": false, "q": false}); v.Outcome != reason.Allow {
		t.Errorf("got %s", v.Outcome)
	}
	if v := ask(l, Facts{"p": false}); v.Outcome != reason.Refer {
		t.Errorf("got %s", v.Outcome)
	}
}

// TestKleene holds that only what could change the answer is missing.
func TestKleene(t *testing.T) {
	l := tinyLaw(t, `instrument: i
clauses:
  - {id: c, kind: rule, TEXT, require: "p || q", else: REFUSE, missing: REFER, decides: x}
`)
	if v := ask(l, Facts{"p": true}); v.Outcome != reason.Allow || len(v.Missing) != 0 {
		t.Errorf("got %s, missing %v", v.Outcome, v.Missing)
	}
	if v := ask(l, Facts{"p": false}); v.Outcome != reason.Refer || !slices.Equal(v.Missing, []string{"q"}) {
		t.Errorf("got %s, missing %v", v.Outcome, v.Missing)
	}
	if v := ask(l, nil); v.Outcome != reason.Refer || !slices.Equal(v.Missing, []string{"p", "q"}) {
		t.Errorf("got %s, missing %v", v.Outcome, v.Missing)
	}
}

// TestOutcomes gives each outcome that a clause can name.
func TestOutcomes(t *testing.T) {
	for _, d := range []struct {
		o    reason.Outcome
		code reason.Code
	}{
		{reason.Breach, CodeBreach}, {reason.Divert, CodeDivert}, {reason.Hold, CodeHold},
		{reason.Refer, CodeRefer}, {reason.Conflict, CodeConflict}, {reason.Refuse, CodeRefuse}, {reason.Closed, CodeClosed},
	} {
		l := tinyLaw(t, `instrument: i
clauses:
  - {id: c, kind: rule, TEXT, require: p, else: `+d.o.String()+`, missing: REFER, decides: x}
`)
		if v := ask(l, Facts{"p": false}); v.Outcome != d.o || v.Reasons[0].Code != d.code || v.Reasons[0].Clause != "c" {
			t.Errorf("%s: got %s %v", d.o, v.Outcome, v.Reasons)
		}
	}
	l := tinyLaw(t, `instrument: i
clauses:
  - {id: c, kind: rule, TEXT, require: n < param.open, else: REFUSE, missing: HOLD, decides: x}
`)
	if v := ask(l, Facts{"n": int64(1)}); v.Outcome != reason.Refer || v.Reasons[0].Code != CodeParameter || len(v.Missing) != 0 {
		t.Errorf("an empty parameter: got %s (%s), missing %v", v.Outcome, why(v), v.Missing)
	}
}

// TestConflict has two instruments disagree on an amount.
func TestConflict(t *testing.T) {
	l := tinyLaw(t, `instrument: i
clauses:
  - {id: one, kind: rate, TEXT, rate: five, amount: duty}
---
instrument: j
clauses:
  - {id: two, kind: rate, TEXT, rate: six, amount: duty}
`)
	v := ask(l, Facts{"good.value": int64(1000)})
	if v.Outcome != reason.Conflict || len(v.Reasons) != 2 || v.Reasons[0].Clause != "one" || v.Reasons[1].Clause != "two" {
		t.Errorf("got %s (%s)", v.Outcome, why(v))
	}
}

// TestConditionsRefused compiles what a condition may not be.
func TestConditionsRefused(t *testing.T) {
	for name, x := range map[string]struct{ text, says string }{
		"undeclared":           {"religion", `"religion", which is not declared`},
		"undeclared parameter": {"n > param.nothing", `"param.nothing", which is not declared`},
		"not a condition":      {"n + 1", "not true or false"},
		"double":               {"n > 1.5", "condition"},
		"double by itself":     {"1.5 > 1.0", "condition"},
		"conversion":           {"double(n) > 1.0", "condition"},
		"iteration":            {"[1, 2].all(x, x > n)", "condition"},
		"map":                  {"{'a': 1}['a'] == n", "condition"},
		"regular expression":   {"w.matches('(a+)+b')", "condition"},
		"clock by zone":        {"t.getHours('Asia/Tehran') > 3", "condition"},
		"clock":                {"t.getFullYear() > 3", "condition"},
		"units":                {"people < param.minutes", "people counts count and param.minutes counts minutes"},
		"nesting":              {strings.Repeat("!(", 200) + "p" + strings.Repeat(")", 200), "condition"},
		"syntax":               {"p &&", "condition"},
		"type":                 {"w > n", "condition"},
	} {
		e, faults := tiny(t, "instrument: i\nclauses:\n  - {id: c, kind: rule, TEXT, require: "+quoted(x.text)+", else: REFUSE}\n")
		if e == nil {
			t.Fatalf("%s: %v", name, faults)
		}
		_, err := Compile(e)
		if err == nil || !strings.Contains(err.Error(), x.says) || !strings.Contains(err.Error(), "clauses/c0.yaml:3: c: ") {
			t.Errorf("%s: got %v, want %q", name, err, x.says)
		}
	}
	e, _ := tiny(t, `instrument: i
clauses:
  - {id: a, kind: rule, TEXT, overrides: [b]}
  - {id: b, kind: rule, TEXT, overrides: [a]}
`)
	if _, err := Compile(e); err == nil || !strings.Contains(err.Error(), "in a ring") {
		t.Errorf("a ring: got %v", err)
	}
}

// TestLength holds an expression to its length, which bounds its cost.
func TestLength(t *testing.T) {
	e, _ := tiny(t, "instrument: i\nclauses: []\n")
	c, _ := compileEdition(e)
	if _, what, _ := c.language.condition(strings.Repeat("p || ", 600) + "p"); !strings.Contains(what, "longer than") {
		t.Errorf("got %q", what)
	}
}

func quoted(s string) string { return `"` + strings.ReplaceAll(s, `"`, `\"`) + `"` }

// TestBounds holds an edition to what a clause says of its parameters.
func TestBounds(t *testing.T) {
	for require, says := range map[string]string{
		"param.five < param.six":                     "",
		"param.five < param.six && param.open >= 10": "", // not broken while it is empty
		"param.six < param.five":                     "does not hold on 2025-01-01 at s for side A",
		"param.five < n":                             "a bound reads n",
		"1000 / (param.five - 500) > 0":              "does not hold",
	} {
		e, faults := tiny(t, "instrument: i\nclauses:\n  - {id: c, kind: bound, text: {en: x, fa: x, ur: x}, require: "+quoted(require)+"}\n")
		if len(faults.Errors()) > 0 {
			t.Fatal(faults)
		}
		_, err := Compile(e)
		if says == "" && err != nil || says != "" && (err == nil || !strings.Contains(err.Error(), says)) {
			t.Errorf("%s: got %v, want %q", require, err, says)
		}
	}
}

// FuzzCondition compiles and evaluates conditions of strangers.
func FuzzCondition(f *testing.F) {
	e, faults := tiny(f, "instrument: i\nclauses: []\n")
	if len(faults.Errors()) > 0 {
		f.Fatal(faults)
	}
	for _, s := range []string{"p", "n > 1 && (q || w == 'x')", "t < now + duration('1h')", "known(n) ? n / 0 > 1 : p", "w.contains(w)", "n in [1, 2]", "param.minutes > n", "-n == n", "((((", "'\\u00e9' < w", "timestamp(w) > now", "duration(w) > duration('1s')", "[p, q][0]", "{}", "p ? q : p"} {
		f.Add(s)
	}
	c, _ := compileEdition(e)
	f.Fuzz(func(t *testing.T, s string) {
		p, what, mend := c.language.condition(s)
		if p == nil {
			if what == "" || mend == "" {
				t.Error("refused without a word")
			}
			return
		}
		for _, facts := range []Facts{nil, {"p": true, "q": false, "n": int64(3), "w": "x", "t": tuesday()}} {
			a := newActivation(c)
			a.start(c, &Query{At: tuesday(), Site: "s", Side: "A", Facts: facts}, c.sites["s"])
			one, _ := a.eval(p)
			two, _ := a.eval(p)
			if one != two {
				t.Error("two answers")
			}
		}
	})
}

// TestPoints holds the points that package agreement reads to the ones here.
func TestPoints(t *testing.T) {
	for _, p := range []Point{Booking, Gate, Goods, Receipt, Exit, Custody, Data, Duty, Permit, Signing} {
		_, faults := tiny(t, "instrument: i\nclauses:\n  - {id: c, kind: rule, text: {en: x, fa: x, ur: x}, at: ["+string(p)+"]}\n")
		if len(faults.Errors()) > 0 {
			t.Errorf("%s: %v", p, faults)
		}
	}
}

// TestMutations changes each number of the law, one at a time, and wants the package's
// own scenarios to notice.
func TestMutations(t *testing.T) {
	dir, err := fs.Sub(agreements.FS, "pk-ir-border-markets")
	if err != nil {
		t.Fatal(err)
	}
	whole, _ := market(t)
	changed, unnoticed := 0, 0
	for _, id := range sortedKeys(whole.Parameters) {
		p := whole.Parameters[id]
		if strings.HasSuffix(p.File, "example.yaml") {
			continue
		}
		for i, v := range p.Values {
			for _, by := range []int64{-1, 1, 100} {
				if !v.Known || v.Int+by < 0 || id == "market.days" {
					continue // the days are a bound on the schedule, which package agreement holds
				}
				e, err := agreement.Load(dir)
				if err != nil {
					t.Fatal(err)
				}
				e.Parameters[id].Values[i].Int += by
				changed++
				if !slices.ContainsFunc(mustCompile(t, e).Test(e), func(r Result) bool { return !r.Passed() }) {
					unnoticed++
					t.Errorf("%s %+d: no scenario notices", id, by)
				}
			}
		}
		for i, v := range p.Values {
			if v.Known {
				continue
			}
			e, err := agreement.Load(dir)
			if err != nil {
				t.Fatal(err)
			}
			e.Parameters[id].Values[i].Known, e.Parameters[id].Values[i].Int = true, 1800
			changed++
			if !slices.ContainsFunc(mustCompile(t, e).Test(e), func(r Result) bool { return !r.Passed() }) {
				unnoticed++
				t.Errorf("%s filled in: no scenario notices", id)
			}
		}
	}
	// Each clause, taken out.
	for i, c := range whole.Clauses {
		if c.Kind == agreement.KindNote || c.Kind == agreement.KindPower {
			continue
		}
		e := *whole
		e.Clauses = slices.Delete(slices.Clone(whole.Clauses), i, i+1)
		changed++
		if !slices.ContainsFunc(mustCompile(t, &e).Test(&e), func(r Result) bool { return !r.Passed() }) {
			unnoticed++
			t.Errorf("clause %s taken out: no scenario notices", c.ID)
		}
	}
	t.Logf("%d changes, %d unnoticed", changed, unnoticed)
	if changed < 30 {
		t.Errorf("only %d changes", changed)
	}
}
