// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/reason"
)

// goodOf returns a code of the table for a category.
func goodOf(category string) string {
	return map[string]string{"I": "0703.1000", "II": "0910.1200", "III": "0910.1100"}[category]
}

func lots() *rapid.Generator[[]Lot] {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Lot {
		return Lot{rapid.SampledFrom([]string{"I", "II", "III"}).Draw(t, "category"), rapid.Int64Range(0, 6000).Draw(t, "value"),
			rapid.SampledFrom([]string{regimeConcession, regimeConcession, regimeStatutory}).Draw(t, "regime"), "mand-pishin"}
	}), 0, 5)
}

// TestCapsAgainstModel holds the limits on sums to a few plain lines: 50 dollars of a
// category, 100 of a day, and a question open of lots that went to another regime.
func TestCapsAgainstModel(t *testing.T) {
	_, l := market(t)
	rate := map[string]int64{"I": 5, "II": 10, "III": 20}
	rapid.Check(t, func(t *rapid.T) {
		earlier := lots().Draw(t, "lots")
		of := rapid.SampledFrom([]string{"I", "II", "III"}).Draw(t, "category")
		value := rapid.Int64Range(1, 12000).Draw(t, "value")
		var category, sure, perhaps int64
		for _, x := range earlier {
			if x.Category == of {
				category += x.Value
			}
			if perhaps += x.Value; x.Regime == regimeConcession {
				sure += x.Value
			}
		}
		diverted := category+value > 5000
		want, fits := reason.Allow, min(max(0, 5000-category), max(0, 10000-perhaps), value)
		if diverted {
			want = reason.Divert
		}
		sureWith := sure
		if !diverted {
			sureWith += value
		}
		refused := sureWith > 10000
		switch {
		case refused:
			want = reason.Refuse
		case perhaps+value > 10000:
			want = reason.Refer
		}
		v := l.Check(goodsQuery(goodOf(of), value, earlier...))
		if v.Outcome != want {
			t.Fatalf("got %s (%s), want %s", v.Outcome, why(v), want)
		}
		if a, ok := v.Amount("fits", ""); ok != (want != reason.Allow) || ok && a.Minor != fits {
			t.Fatalf("fits: got %v %t, want %d", a, ok, fits)
		}
		duty, ok := v.Amount("duty", "")
		switch {
		case refused && ok, !refused && !ok:
			t.Fatalf("duty: got %v %t on %s", duty, ok, want)
		case ok && diverted && duty.Known:
			t.Fatalf("duty: a commercial quantity at %d", duty.Minor)
		case ok && !diverted && (!duty.Known || duty.Minor != (value*rate[of]+50)/100):
			t.Fatalf("duty: got %d of %d at %d %%", duty.Minor, value, rate[of])
		}
	})
}

// TestEarlierLotsNeverHelp adds a purchase to those before: the answer is no milder
// than it was and leaves no more. A purchase at the concession is meant: one that was
// diverted may turn REFUSE of the next into a question, because the next is diverted then.
func TestEarlierLotsNeverHelp(t *testing.T) {
	_, l := market(t)
	rapid.Check(t, func(t *rapid.T) {
		earlier := lots().Draw(t, "lots")
		of := rapid.SampledFrom([]string{"I", "II", "III"}).Draw(t, "category")
		q := goodsQuery(goodOf(of), rapid.Int64Range(1, 6000).Draw(t, "value"), earlier...)
		one := Lot{rapid.SampledFrom([]string{"I", "II", "III"}).Draw(t, "more of"), rapid.Int64Range(1, 6000).Draw(t, "more"), regimeConcession, "gabd-reemdan"}
		before := l.Check(q)
		q.Lots = append(append([]Lot{}, earlier...), one)
		after := l.Check(q)
		if after.Outcome < before.Outcome && before.Outcome != reason.Refuse {
			t.Fatalf("%s before, %s after %v", before.Outcome, after.Outcome, one)
		}
		if after.Outcome.Admits() && !before.Outcome.Admits() {
			t.Fatalf("let through after %v more", one)
		}
		for _, name := range []string{"", of} {
			// What a refused lot leaves is what stood before it, so like is compared with like.
			a, _ := before.Amount("allowance.left", name)
			b, _ := after.Amount("allowance.left", name)
			if (before.Outcome == reason.Refuse) == (after.Outcome == reason.Refuse) && b.Minor > a.Minor {
				t.Fatalf("%s %q: %d left before, %d after", "allowance", name, a.Minor, b.Minor)
			}
		}
		a, before1 := before.Amount("fits", "")
		if b, ok := after.Amount("fits", ""); before1 && (!ok || b.Minor > a.Minor) {
			t.Fatalf("fits %d before, %d after", a.Minor, b.Minor)
		}
	})
}

// TestTable pins code, category and rate of each line, as they were read from the
// statute: no scenario can speak of all 122.
func TestTable(t *testing.T) {
	e, l := market(t)
	sum, rows := sha256.New(), 0
	for _, x := range e.Lists["part8"].Lines() {
		fmt.Fprintf(sum, "%s,%s,%d\n", strings.ReplaceAll(x.Code, ".", ""), x.Category, x.Rate)
		rows++
		v := l.Check(goodsQuery(x.Code, 1000))
		if a, ok := v.Amount("duty", ""); !ok || !a.Known || a.Minor != x.Rate/10 || v.Outcome != reason.Allow {
			t.Errorf("%s: %s, duty %v", x.Code, v.Outcome, a)
		}
	}
	const want = "59b5fd82b4b6dcb0d5d0453658992cf9f3619c226d3d3ee348168f1169c815f9"
	if got := hex.EncodeToString(sum.Sum(nil)); got != want || rows != 122 {
		t.Errorf("%d lines with digest %s, want 122 with %s", rows, got, want)
	}
}

// TestFiguresOnlyWhereCertain charges nothing by a clause of which nobody knows
// whether it applies, and lets nothing through without the figure.
func TestFiguresOnlyWhereCertain(t *testing.T) {
	rate := tinyLaw(t, `instrument: i
clauses:
  - {id: base, kind: rule, TEXT, require: p, else: REFUSE}
  - {id: rated, kind: rate, TEXT, when: q, rate: five, amount: duty, missing: REFER}
`)
	tax := tinyLaw(t, `instrument: i
clauses:
  - {id: base, kind: rule, TEXT, require: p, else: REFUSE}
  - {id: rated, kind: tax, TEXT, when: q, of: [good.value], rate: five, amount: duty, missing: REFER}
`)
	spared := tinyLaw(t, `instrument: i
clauses:
  - {id: base, kind: rate, TEXT, rate: five, amount: duty}
  - {id: except, kind: rule, TEXT, when: q, overrides: [base]}
`)
	for name, l := range map[string]*Law{"rate": rate, "tax": tax, "exception": spared} {
		v := ask(l, Facts{"p": true, "good.value": int64(1000)})
		if _, ok := v.Amount("duty", ""); ok || v.Outcome != reason.Refer || len(v.Missing) != 1 || v.Missing[0] != "q" {
			t.Errorf("%s: got %s (%s), amounts %v, missing %v", name, v.Outcome, why(v), v.Amounts, v.Missing)
		}
		for _, q := range []bool{true, false} {
			v := ask(l, Facts{"p": true, "q": q, "good.value": int64(1000)})
			charged := q != (name == "exception")
			if a, ok := v.Amount("duty", ""); ok != charged || ok && a.Minor != 50 || v.Outcome != reason.Allow {
				t.Errorf("%s, %t: got %s (%s), duty %v", name, q, v.Outcome, why(v), a)
			}
		}
	}
}

// TestGuaranteeIsWorkedOut takes a guarantee on trust only where its amount is known.
func TestGuaranteeIsWorkedOut(t *testing.T) {
	for rate, want := range map[string]reason.Outcome{"five": reason.Allow, "none": reason.Refer} {
		e, faults := tiny(t, `instrument: i
clauses:
  - {id: c, kind: guarantee, TEXT, of: [good.value], rate: five, amount: guarantee, require: p, else: HOLD, missing: HOLD}
`)
		if len(faults.Errors()) > 0 {
			t.Fatal(faults)
		}
		if rate == "none" {
			e.Parameters["five"].Values[0].Known = false
		}
		l := mustCompile(t, e)
		if v := ask(l, Facts{"p": true, "good.value": int64(1000)}); v.Outcome != want {
			t.Errorf("%s: got %s (%s), want %s", rate, v.Outcome, why(v), want)
		}
		if v := ask(l, Facts{"p": false, "good.value": int64(1000)}); v.Outcome != reason.Hold {
			t.Errorf("%s, not given: got %s (%s)", rate, v.Outcome, why(v))
		}
		if v := ask(l, Facts{"p": true}); v.Outcome != reason.Hold || v.Missing[0] != "good.value" {
			t.Errorf("%s, no value: got %s (%s)", rate, v.Outcome, why(v))
		}
	}
}

// TestBoundThatBeginsLater is held from its first day, though no parameter changes then.
func TestBoundThatBeginsLater(t *testing.T) {
	e, faults := tiny(t, "instrument: i\nclauses:\n  - {id: c, kind: bound, text: {en: x, fa: x, ur: x}, from: 2025-03-01, require: param.six < param.five}\n")
	if len(faults.Errors()) > 0 {
		t.Fatal(faults)
	}
	if _, err := Compile(e); err == nil || !strings.Contains(err.Error(), "2025-03-01") {
		t.Errorf("got %v", err)
	}
	e.Clauses[0].Require = ""
	if faults := Check(e); len(faults) == 0 {
		t.Error("a bound without a condition is taken")
	}
}

// TestAndIsCanonical joins two verdicts in either order.
func TestAndIsCanonical(t *testing.T) {
	_, l := market(t)
	rapid.Check(t, func(t *rapid.T) {
		v, w := l.Check(queries().Draw(t, "one")), l.Check(queries().Draw(t, "two"))
		one, two := v.And(w), w.And(v)
		if one.Outcome != two.Outcome || one.Outcome != reason.Strictest(v.Outcome, w.Outcome) {
			t.Fatalf("%s and %s give %s or %s", v.Outcome, w.Outcome, one.Outcome, two.Outcome)
		}
		for _, x := range []Verdict{one, two} {
			got := x.Bytes()
			x.sort()
			if !bytes.Equal(got, x.Bytes()) {
				t.Fatalf("not in order: %s", got)
			}
		}
		stricter := v
		if w.Outcome > v.Outcome {
			stricter = w
		}
		if v.Outcome != w.Outcome && (!slices.Equal(one.Steps, stricter.Steps) || !slices.Equal(two.Steps, stricter.Steps)) {
			t.Fatalf("the steps are not those of the stricter, %s", stricter.Outcome)
		}
	})
}

// TestSlotsNeverOversell holds each slot of a few years to its capacity, its hours and
// its own key.
func TestSlotsNeverOversell(t *testing.T) {
	e, _ := market(t)
	first, last := DayNumber(calendar.MustDate("2023-05-01")), DayNumber(calendar.MustDate("2026-07-31"))
	rapid.Check(t, func(t *rapid.T) {
		changed := *e
		changed.Slots = map[string][]agreement.SlotRule{}
		a := rapid.IntRange(0, 100).Draw(t, "share of A")
		b := rapid.IntRange(0, 100-a).Draw(t, "share of B")
		for id, rules := range e.Slots {
			for _, r := range rules {
				r.Shares = map[agreement.Side]int{agreement.A: a, agreement.B: b}
				changed.Slots[id] = append(changed.Slots[id], r)
			}
		}
		l, err := Compile(&changed)
		if err != nil {
			t.Fatal(err)
		}
		site := rapid.Uint16Range(1, 3).Draw(t, "site")
		class := rapid.Uint8Range(1, 2).Draw(t, "class")
		day := rapid.Uint16Range(first, last).Draw(t, "day")
		seen := map[uint16]bool{}
		for _, p := range l.Slots(site, day, class) {
			if seen[p.Minute] || uint64(p.Allotment[agreement.A])+uint64(p.Allotment[agreement.B]) > uint64(p.Capacity) || !p.From.Before(p.Until) || p.Latest.Before(p.Until) {
				t.Fatalf("%+v", p)
			}
			seen[p.Minute] = true
			for side, share := range map[agreement.Side]int{agreement.A: a, agreement.B: b} {
				if got := int(p.Allotment[side]) * 100; got > int(p.Capacity)*share || got <= int(p.Capacity)*share-100 {
					t.Fatalf("side %s has %d of %d places at %d %%", side, p.Allotment[side], p.Capacity, share)
				}
			}
			if _, ok := l.Edition(p.From); !ok {
				t.Fatalf("a slot at %s, where no edition is in force", p.From)
			}
		}
	})
}

// FuzzCheck asks with the facts of strangers: wrong types, names that nobody declares,
// figures that no sum holds. Nothing panics, and what is not sound is not let through.
func FuzzCheck(f *testing.F) {
	_, l := market(f)
	f.Add("goods", "mand-pishin", "A", int64(1756789200), "good.value", "0702.0000", int64(5000), int64(9223372036854775807), true)
	f.Add("gate", "mand-pishin", "B", int64(1756789200), "screening.temperature", "in", int64(-1), int64(-9223372036854775808), false)
	f.Add("exit", "", "", int64(-62135596801), "gd.value", "\xff", int64(1), int64(0), false)
	f.Add("receipt", "x", "C", int64(1<<62), "receipt.duty", "", int64(0), int64(1), true)
	f.Fuzz(func(t *testing.T, point, site, side string, sec int64, name, text string, n, m int64, b bool) {
		for _, x := range []any{n, text, b, int(m), int32(n), uint64(m), nil, []string{text}, map[string]any{text: n}, 1.5, time.Unix(sec, 0), time.Time{}} {
			q := Query{Point: Point(point), At: time.Unix(sec, m&0xfffffff), Site: site, Side: side, Facts: Facts{
				"good.code": text, "good.value": n, "person.document": "cnic", "class": text, "direction": text,
				"party.adults": m, "party.size": n, "occupancy.inside": m, "gd.value": n, "fair.value": m, name: x,
			}, Lots: []Lot{{text, m, text, site}, {"I", n, regimeConcession, site}}}
			v := l.Check(q)
			if !bytes.Equal(v.Bytes(), l.Check(q).Bytes()) {
				t.Error("two answers")
			}
			if v.Outcome != reason.Allow && len(v.Reasons) == 0 {
				t.Errorf("%s without a reason", v.Outcome)
			}
			if v.Outcome.Admits() && q.Point == Goods && (n <= 0 || m < 0) && name != "good.value" {
				t.Errorf("a value of %d after %d is let through", n, m)
			}
		}
	})
}

// TestClauseInForce holds a clause to its days, half open and by the site's own clock.
func TestClauseInForce(t *testing.T) {
	e, faults := tiny(t, `instrument: i
clauses:
  - {id: all, kind: rule, TEXT}
  - {id: c, kind: rule, TEXT, from: 2025-06-02, until: 2025-06-04, require: p, else: REFUSE}
`)
	if len(faults.Errors()) > 0 {
		t.Fatal(faults)
	}
	e.Sites = slices.Clone(e.Sites)
	e.Sites[0].Zone = "Asia/Tehran"
	l := mustCompile(t, e)
	for when, want := range map[string]reason.Outcome{
		"2025-06-01T20:29:59Z": reason.Allow,  // the last second of 1 June there
		"2025-06-01T20:30:00Z": reason.Refuse, // 2 June there, and 1 June by the edition's clock
		"2025-06-03T20:29:59Z": reason.Refuse,
		"2025-06-03T20:30:00Z": reason.Allow,
	} {
		if v := l.Check(Query{Point: Gate, At: at(when), Site: "s", Side: "A", Facts: Facts{"p": false}}); v.Outcome != want {
			t.Errorf("%s: got %s (%s), want %s", when, v.Outcome, why(v), want)
		}
	}
}

// TestNoSlotBeforeOpening plans nothing for a site that opens later than its edition.
func TestNoSlotBeforeOpening(t *testing.T) {
	e, _ := market(t)
	changed := *e
	changed.Sites = slices.Clone(e.Sites)
	changed.Sites[0].From = agreement.Day(calendar.MustDate("2025-09-06"))
	l := mustCompile(t, &changed)
	if got := l.Slots(1, DayNumber(calendar.MustDate("2025-09-02")), 1); len(got) != 0 {
		t.Errorf("%d slots before it opens", len(got))
	}
	if got := l.Slots(1, DayNumber(calendar.MustDate("2025-09-06")), 1); len(got) != 8 {
		t.Errorf("%d slots on the day that it opens", len(got))
	}
}

// TestUnsoundInputs refers what no sum holds, and does not read texts of any length.
func TestUnsoundInputs(t *testing.T) {
	_, l := market(t)
	for _, q := range []Query{goodsQuery("0702.0000", -1), goodsQuery("0702.0000", 100, Lot{"I", -1, regimeConcession, "mand-pishin"})} {
		v := l.Check(q)
		if v.Outcome != reason.Refer || !slices.ContainsFunc(v.Reasons, func(r reason.Reason) bool { return r.Code == CodeFailed && r.Clause == "P8(i)-b" }) {
			t.Errorf("%v: got %s (%s)", q.Lots, v.Outcome, why(v))
		}
	}
	words := tinyLaw(t, "instrument: i\nclauses:\n  - {id: c, kind: rule, TEXT, require: w != 'x', else: REFUSE}\n")
	for n, want := range map[int]reason.Outcome{maxText: reason.Allow, maxText + 1: reason.Refer} {
		if v := ask(words, Facts{"w": strings.Repeat("a", n)}); v.Outcome != want {
			t.Errorf("%d bytes: got %s, want %s", n, v.Outcome, want)
		}
	}
	e, faults := tiny(t, "instrument: i\nclauses:\n  - {id: c, kind: rate, TEXT, rate: five, amount: duty}\n")
	if len(faults.Errors()) > 0 {
		t.Fatal(faults)
	}
	e.Parameters["five"].Values[0].Int = 20000 // twice the value
	v := ask(mustCompile(t, e), Facts{"good.value": int64(math.MaxInt64)})
	if a, _ := v.Amount("duty", ""); a.Known || v.Outcome != reason.Refer || v.Reasons[0].Code != CodeFailed {
		t.Errorf("a duty that no number holds: got %s (%s), %v", v.Outcome, why(v), a)
	}
}
