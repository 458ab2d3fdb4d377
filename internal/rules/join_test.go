// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/reason"
)

// several compiles packages into one law, and each into one of its own.
func several(t testing.TB, ids ...string) (all *Law, own []*Law, editions []*agreement.Edition) {
	t.Helper()
	for _, id := range ids {
		e, l := load(t, id)
		own, editions = append(own, l), append(editions, e)
	}
	all, err := Compile(editions...)
	if err != nil {
		t.Fatal(err)
	}
	return all, own, editions
}

// TestLawOfSeveral asks mixed-up questions of two packages that share a site, and of all
// packages, and holds the answer to the answers that each law gives by itself, whatever
// the order in which the editions were given.
func TestLawOfSeveral(t *testing.T) {
	for _, ids := range [][]string{
		{"pk-ir-border-markets", "who-polio"}, {"eac-str", "eac-truck-drivers"},
		{"comesa-str", "eac-str", "eac-truck-drivers", "pk-ir-border-markets", "thailand-laos-passes", "who-polio"},
	} {
		all, own, editions := several(t, ids...)
		slices.Reverse(editions)
		back, err := Compile(editions...)
		if err != nil {
			t.Fatal(err)
		}
		var asked []Query
		for i, l := range own {
			for _, r := range l.Test(l.editions[0]) {
				asked = append(asked, r.Queries...)
			}
			if len(asked) == 0 {
				t.Fatalf("%s has no scenarios", ids[i])
			}
		}
		joins := 0
		rapid.Check(t, func(t *rapid.T) {
			q := asked[rapid.IntRange(0, len(asked)-1).Draw(t, "asked")]
			o := asked[rapid.IntRange(0, len(asked)-1).Draw(t, "other")]
			q.Facts, q.Events = maps.Clone(q.Facts), maps.Clone(q.Events)
			if rapid.Bool().Draw(t, "mix facts") {
				maps.Copy(q.Facts, o.Facts)
			}
			if rapid.Bool().Draw(t, "mix events") && q.Events != nil {
				maps.Copy(q.Events, o.Events)
			}
			switch rapid.IntRange(0, 3).Draw(t, "move") {
			case 0:
				q.At = o.At
			case 1:
				q.Site = rapid.SampledFrom([]string{"", "mand-pishin", "malaba", "nowhere"}).Draw(t, "site")
			}
			got := all.Check(q)
			var answers []Verdict
			for _, l := range own {
				answers = append(answers, l.Check(q))
			}
			want := Join(answers...)
			if !bytes.Equal(got.Bytes(), want.Bytes()) {
				t.Fatalf("a law of all says\n%s\nand the laws joined\n%s", got.Bytes(), want.Bytes())
			}
			if other := back.Check(q); !bytes.Equal(got.Bytes(), other.Bytes()) {
				t.Fatalf("in another order of agreements it is\n%s\nand not\n%s", other.Bytes(), got.Bytes())
			}
			if len(got.Parts) > 1 {
				joins++
				worst := reason.None
				for _, p := range got.Parts {
					worst = reason.Strictest(worst, p.Outcome)
					alone := q
					alone.Agreement = p.Agreement
					if one := all.Check(alone); !bytes.Equal(one.Bytes(), p.Bytes()) {
						t.Fatalf("asked alone, %s says\n%s\nand not\n%s", p.Agreement, one.Bytes(), p.Bytes())
					}
					for _, r := range p.Reasons {
						if !slices.ContainsFunc(got.Reasons, func(x reason.Reason) bool {
							return x.Code == r.Code && x.Clause == r.Clause && x.Agreement == p.Agreement
						}) {
							t.Fatalf("%s %s of %s is lost", r.Code, r.Clause, p.Agreement)
						}
					}
				}
				if slices.ContainsFunc(got.Reasons, func(r reason.Reason) bool { return r.Code == CodeOwed }) {
					worst = reason.Strictest(worst, reason.Conflict)
				}
				if got.Outcome != worst {
					t.Fatalf("%s of parts up to %s", got.Outcome, worst)
				}
			}
		})
		if joins == 0 {
			t.Errorf("%v: no question had two answers", ids)
		}
	}
}

// TestLawOfOneAmongSeveral asks the scenarios of each package of a law of all: what only
// one agreement speaks of is answered byte for byte as by that one alone.
func TestLawOfOneAmongSeveral(t *testing.T) {
	all, own, _ := several(t, "comesa-str", "eac-str", "eac-truck-drivers", "pk-ir-border-markets", "thailand-laos-passes", "who-polio")
	same := 0
	for _, l := range own {
		for _, r := range l.Test(l.editions[0]) {
			for i, q := range r.Queries {
				if v := all.Check(q); len(v.Parts) == 0 && r.Verdicts[i].says() == saysAnswer {
					same++
					if !bytes.Equal(v.Bytes(), r.Verdicts[i].Bytes()) {
						t.Fatalf("%s: %s", r.Scenario.ID, v.Bytes())
					}
				}
			}
		}
		for _, r := range all.Test(l.editions[0]) {
			if !r.Passed() {
				t.Errorf("%s of %s beside others: %v", r.Scenario.ID, l.editions[0].ID, r.Wrong)
			}
		}
	}
	if same < 100 {
		t.Errorf("%d answers were of one agreement alone", same)
	}
}

// leaving is a resident of a state for which a polio recommendation holds, at a market.
func leaving() Facts {
	f := gateFacts()
	maps.Copy(f, Facts{"control": "departure", "departure.state": "PAK", "person.resident": true, "age.months": int64(400), "travel.urgent": false,
		"travel.mode": "road", "dose.declined": false, "certificate.annex": true})
	return f
}

// TestUnderBoth asks for a traveller who is under the polio recommendation and the law of
// the market: both answer, and who is refused by one is refused with that one's clause.
func TestUnderBoth(t *testing.T) {
	l, _, _ := several(t, "pk-ir-border-markets", "who-polio")
	q := Query{Point: Gate, At: at("2023-09-05T10:00:00+05:00"), Site: "mand-pishin", Side: "A", Facts: leaving(),
		Events: map[string][]Event{"dose": {{At: at("2023-06-01T10:00:00+05:00"), Facts: Facts{"vaccine": "OPV"}}}}}
	v := l.Check(q)
	if len(v.Parts) != 2 || v.Parts[0].Agreement != "pk-ir-border-markets" || v.Parts[1].Agreement != "who-polio" || v.Agreement != "" {
		t.Fatalf("%d parts: %s", len(v.Parts), v.Bytes())
	}
	if v.Outcome != reason.Allow {
		t.Errorf("vaccinated and healthy: %s (%s)", v.Outcome, why(v))
	}
	// Refused by the recommendation.
	q.Facts = leaving()
	q.Facts["dose.declined"], q.Events = true, map[string][]Event{"dose": {}}
	v = l.Check(q)
	if v.Outcome != reason.Refuse || v.Reasons[0].Agreement != "who-polio" || !strings.HasPrefix(v.Reasons[0].Clause, "PO-4") || v.Parts[0].Outcome != reason.Allow {
		t.Errorf("who declined the dose: %s (%s)", v.Outcome, why(v))
	}
	if e, c := l.Clause(v.Reasons[0], v.Agreement, q.At); c == nil || e.ID != "who-polio" {
		t.Errorf("the clause is not found: %v", e)
	}
	// Closed by the law of the market, on a day without one.
	q.Facts, q.At = leaving(), at("2023-09-06T10:00:00+05:00")
	q.Events = map[string][]Event{"dose": {{At: at("2023-06-01T10:00:00+05:00"), Facts: Facts{"vaccine": "OPV"}}}}
	if v = l.Check(q); v.Outcome != reason.Closed || v.Reasons[0].Agreement != "pk-ir-border-markets" || v.Parts[1].Outcome != reason.Allow {
		t.Errorf("on a Wednesday: %s (%s)", v.Outcome, why(v))
	}
	// At the goods desk the recommendation has nothing to say.
	g := goodsQuery("07020000", 300)
	if v := l.Check(g); len(v.Parts) != 0 || v.Agreement != "pk-ir-border-markets" || v.Outcome != reason.Allow {
		t.Errorf("at the desk: %s", v.Bytes())
	}
	if _, ok := l.EditionFor(1, g.At); !ok {
		t.Error("no edition runs the site")
	}
	if e, _ := l.EditionFor(1, g.At); e.ID != "pk-ir-border-markets" {
		t.Errorf("%s sells the slots", e.ID)
	}
	if got := l.EditionsAt("mand-pishin", g.At); len(got) != 2 {
		t.Errorf("%d editions know the site", len(got))
	}
	if got := l.Sites(g.At); len(got) != 3 {
		t.Errorf("%d sites, want each once", len(got))
	}
}

// TestUnderBothExplained explains both answers, and asks a kept question again under one
// of the agreements.
func TestUnderBothExplained(t *testing.T) {
	l, own, _ := several(t, "pk-ir-border-markets", "who-polio")
	q := Query{Point: Gate, At: at("2023-09-05T10:00:00+05:00"), Site: "mand-pishin", Side: "A", Facts: leaving(),
		Events: map[string][]Event{"dose": {}}}
	q.Facts["dose.declined"] = true
	x := l.Explain(q)
	if !bytes.Equal(x.Verdict.Bytes(), l.Check(q).Bytes()) || len(x.Parts) != 2 {
		t.Fatalf("%d parts are explained", len(x.Parts))
	}
	if x.Parts[1].Verdict.Agreement != "who-polio" || len(x.Parts[1].Clauses) == 0 || len(x.Parts[0].Clauses) == 0 {
		t.Errorf("the clauses are not explained")
	}
	if !slices.ContainsFunc(x.Needs, func(n Need) bool { return n.Input == "dose.declined" }) {
		t.Errorf("what would change it: %v", x.Needs)
	}
	if text := x.Text(false); !strings.Contains(text, "by who-polio") || !strings.Contains(text, "by pk-ir-border-markets") {
		t.Errorf("the text names not both:\n%s", text)
	}
	v := l.Check(q)
	a := l.Keep(q, v)
	if len(a.By) != 2 || !slices.Contains(a.Withheld, "dose.declined") || strings.Contains(a.Query, "dose.declined") || strings.Contains(a.Query, "screening.temperature\"") {
		t.Errorf("kept: %+v", a)
	}
	back, err := l.ParseQuery([]byte(a.Query))
	if err != nil || back.Facts["control"] != "departure" {
		t.Errorf("read back: %v %v", back, err)
	}
	r, err := NewReplay(own[0], q.At)
	if err != nil {
		t.Fatal(err)
	}
	got, err := r.Ask(Recorded{Query: []byte(a.Query), Withheld: a.Withheld, Missing: a.Missing, Outcome: a.Outcome, Reasons: l.Grounds(v), By: a.By})
	if err != nil || got.New != reason.Refuse || got.Flips() {
		t.Errorf("asked again of the market's law alone: %+v %v", got, err)
	}
	one := q
	one.Agreement = "who-polio"
	if b := AppendQuery(nil, one); !strings.Contains(string(b), `"agreement":"who-polio"`) {
		t.Errorf("%s", b)
	} else if p, err := l.ParseQuery(b); err != nil || p.Agreement != "who-polio" || l.Check(p).Agreement != "who-polio" {
		t.Errorf("%v %v", p, err)
	}
}

// TestMalaba asks for a truck at Malaba that is under the regime of small trade and under
// the health protocol.
func TestMalaba(t *testing.T) {
	l, own, _ := several(t, "eac-str", "eac-truck-drivers")
	both, differ := 0, 0
	for i, o := range own {
		for _, r := range o.Test(o.editions[0]) {
			for n, q := range r.Queries {
				if q.Site != "malaba" {
					continue
				}
				v := l.Check(q)
				if v.Outcome < r.Verdicts[n].Outcome && r.Verdicts[n].says() == saysAnswer {
					t.Errorf("%s: %s beside the other agreement, %s alone", r.Scenario.ID, v.Outcome, r.Verdicts[n].Outcome)
				}
				if len(v.Parts) == 2 {
					if both++; v.Parts[0].Outcome != v.Parts[1].Outcome {
						differ++
					}
					if got := v.Parts[i]; got.Outcome != r.Verdicts[n].Outcome || got.Agreement != o.editions[0].ID {
						t.Errorf("%s: the part is %s of %s", r.Scenario.ID, got.Outcome, got.Agreement)
					}
				}
			}
		}
	}
	if both < 10 || differ < 5 {
		t.Errorf("%d questions had two answers, %d of them two different ones", both, differ)
	}
}

// beside returns the market's edition under another id, changed.
func beside(t *testing.T, change func(*agreement.Edition)) *agreement.Edition {
	t.Helper()
	e, _ := load(t, "pk-ir-border-markets")
	e.ID = "another"
	change(e)
	return e
}

// TestLeastOfTwo plans one slot by two agreements: the least of both counts, for places,
// allotments and parameters.
func TestLeastOfTwo(t *testing.T) {
	e, alone := market(t)
	less := beside(t, func(o *agreement.Edition) {
		p := *o.Parameters["slot.capacity.visitor"]
		p.Values = slices.Clone(p.Values)
		for i := range p.Values {
			p.Values[i].Int = 100
		}
		o.Parameters["slot.capacity.visitor"] = &p
	})
	day := DayNumber(calendar.MustDate("2025-09-02"))
	was := alone.Slots(1, day, 1)
	for _, id := range []string{"another", "z-another"} { // before and after the market's own
		less.ID = id
		order := []*agreement.Edition{e, less}
		l, err := Compile(order...)
		if err != nil {
			t.Fatal(err)
		}
		got := l.Slots(1, day, 1)
		if len(got) != len(was) {
			t.Fatalf("%d slots, want %d, each once", len(got), len(was))
		}
		for i, p := range got {
			one, ok := l.Slot(1, 1, p.Day, p.Minute)
			if p.Capacity != 100 || p.Allotment["A"] >= was[i].Allotment["A"] || p.Allotment["A"]+p.Allotment["B"] > 100 || !ok || one.Capacity != 100 || one.Allotment["B"] != p.Allotment["B"] {
				t.Errorf("slot %d: %+v", i, p)
			}
		}
		if n, ok := l.Param("slot.capacity.visitor", "mand-pishin", "A", tuesday()); !ok || n != 100 {
			t.Errorf("the least is %d", n)
		}
		// Where it does not know the site, it has no say there.
		away := *less
		away.Sites = slices.Clone(less.Sites)[1:]
		if l, err = Compile(e, &away); err != nil {
			t.Fatal(err)
		}
		if n, _ := l.Param("slot.capacity.visitor", "mand-pishin", "A", tuesday()); n <= 100 {
			t.Errorf("of the market's own law it is %d", n)
		}
	}
}

// TestApart refuses agreements that do not mean the same by one name.
func TestApart(t *testing.T) {
	e, _ := market(t)
	sites := func(o *agreement.Edition, change func(*agreement.Site)) {
		o.Sites = slices.Clone(o.Sites)
		change(&o.Sites[0])
	}
	for want, change := range map[string]func(*agreement.Edition){
		"the number 1 is the site": func(o *agreement.Edition) { sites(o, func(s *agreement.Site) { s.ID = "elsewhere" }) },
		"and 77 in another":        func(o *agreement.Edition) { sites(o, func(s *agreement.Site) { s.Number = 77 }) },
		"keeps the clock of":       func(o *agreement.Edition) { sites(o, func(s *agreement.Site) { s.Zone = "Asia/Tehran" }) },
		"the attribute receipt.duty is": func(o *agreement.Edition) {
			a := o.Attributes["receipt.duty"]
			a.Unit = "PKR"
			o.Attributes["receipt.duty"] = a
		},
		"slots at mand-pishin are for": func(o *agreement.Edition) {
			o.Classes = slices.Clone(o.Classes)
			o.Classes[0].Number, o.Classes[1].Number = 2, 1
		},
	} {
		_, err := Compile(e, beside(t, change))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want that %s", err, want)
		}
	}
	if _, err := Compile(e, beside(t, func(*agreement.Edition) {})); err != nil {
		t.Errorf("two that mean the same: %v", err)
	}
}

// owes is a tiny edition of an agreement whose clause "due" asks a duty of so many percent.
func owes(t *testing.T, id, rate, more string) *agreement.Edition {
	t.Helper()
	e, faults := tiny(t, "instrument: i\nclauses:\n  - {id: due, kind: rate, TEXT, rate: "+rate+", amount: duty"+more+"}\n")
	if len(faults.Errors()) > 0 {
		t.Fatal(faults)
	}
	e.ID = id
	return e
}

// TestOwedUnderTwo asks what is owed for one lot under two agreements: where they differ it
// is a conflict that names both clauses, unless one sets the other's figure aside.
func TestOwedUnderTwo(t *testing.T) {
	const over = ", overrides: [%/due]"
	overrides := func(id string) string { return strings.ReplaceAll(over, "%", id) }
	for _, x := range []struct {
		name, one, two, first, second string
		outcome                       reason.Outcome
		amounts                       int
		minor                         int64
		known                         bool
	}{
		{"different", "five", "six", "", "", reason.Conflict, 2, 0, false},
		{"the same", "five", "five", "", "", reason.Allow, 2, 50, true},
		{"the second gives way", "five", "six", overrides("b"), "", reason.Allow, 1, 50, true},
		{"the first gives way", "five", "six", "", overrides("a"), reason.Allow, 1, 60, true},
		{"each sets the other aside", "five", "six", overrides("b"), overrides("a"), reason.Conflict, 2, 0, false},
		{"an agreement that is not there", "five", "six", overrides("c"), "", reason.Conflict, 2, 0, false},
	} {
		a, b := owes(t, "a", x.one, x.first), owes(t, "b", x.two, x.second)
		l, err := Compile(b, a)
		if err != nil {
			t.Fatal(x.name, err)
		}
		q := Query{Point: Gate, At: at("2025-06-01T10:00:00Z"), Site: "s", Side: "A", Facts: Facts{"good.value": int64(1000)}}
		v := l.Check(q)
		duty, _ := v.Amount("duty", "")
		if v.Outcome != x.outcome || len(v.Amounts) != x.amounts || duty.Minor != x.minor || duty.Known != x.known || len(v.Parts) != 2 {
			t.Errorf("%s: %s, duty %+v of %d: %s", x.name, v.Outcome, duty, len(v.Amounts), v.Bytes())
		}
		if x.outcome == reason.Conflict {
			var named []string
			for _, r := range v.Reasons {
				if r.Code == CodeOwed && r.Outcome == reason.Conflict && r.Params["amount"] == "duty" {
					named = append(named, r.Agreement+" "+r.Clause+" with "+r.Params["with"])
				}
			}
			if !slices.Equal(named, []string{"a due with b/due", "b due with a/due"}) {
				t.Errorf("%s: named are %q", x.name, named)
			}
		}
		if got := l.Explain(q).Verdict.Bytes(); !bytes.Equal(got, v.Bytes()) {
			t.Errorf("%s: explained is %s", x.name, got)
		}
		// Asked twice and joined, it stays what it is; one agreement alone knows nothing of it.
		if got := v.And(l.Check(q)); got.Outcome != v.Outcome || len(got.Amounts) != len(v.Amounts) || len(got.Reasons) != len(v.Reasons) {
			t.Errorf("%s: with itself it is %s", x.name, got.Bytes())
		}
		if q.Agreement = "b"; l.Check(q).Outcome != reason.Allow {
			t.Errorf("%s: alone it is %s", x.name, l.Check(q).Bytes())
		}
	}
	// Two lots that differ are no dispute.
	same, err := Compile(owes(t, "a", "five", ""), owes(t, "b", "five", ""))
	if err != nil {
		t.Fatal(err)
	}
	lot := func(value int64) Verdict {
		return same.Check(Query{Point: Gate, At: at("2025-06-01T10:00:00Z"), Site: "s", Side: "A", Facts: Facts{"good.value": value}})
	}
	v := lot(1000)
	v.Parts = slices.Clone(v.Parts)
	v.Parts[1].Outcome = reason.Hold // the stricter answer comes first, with its figures
	w := lot(3000)
	w.Parts = slices.Clone(w.Parts)
	w.Parts[0].Outcome = reason.Hold
	if got := v.And(w); slices.ContainsFunc(got.Reasons, func(r reason.Reason) bool { return r.Code == CodeOwed }) {
		t.Errorf("two lots: %s", got.Bytes())
	}
}

// TestOverrideOfAnother holds what can be set aside of another agreement.
func TestOverrideOfAnother(t *testing.T) {
	_, err := Compile(owes(t, "a", "five", ", overrides: [b/gone]"), owes(t, "b", "six", ""))
	if err == nil || !strings.Contains(err.Error(), `overrides "b/gone", which is not there`) {
		t.Errorf("a clause that is not there: %v", err)
	}
	for want, clause := range map[string]string{
		"gives no figure":       "  - {id: c, kind: rule, TEXT, require: p, else: REFUSE, overrides: [b/due]}",
		"which names no clause": "  - {id: c, kind: rate, TEXT, rate: five, amount: duty, overrides: [/due]}",
		"is of this agreement":  "  - {id: c, kind: rate, TEXT, rate: five, amount: duty, overrides: [tiny/due]}",
		"which is not there":    "  - {id: c, kind: rate, TEXT, rate: five, amount: duty, overrides: [due]}",
	} {
		_, faults := tiny(t, "instrument: i\nclauses:\n"+clause+"\n")
		if got := faults.Error(); !strings.Contains(got, want) {
			t.Errorf("%s: got %s", want, got)
		}
	}
}

// TestLeastLeft takes what is left of a limit from whichever agreement leaves the least.
func TestLeastLeft(t *testing.T) {
	left := func(of string, minor int64) Verdict {
		return Verdict{Point: Goods, Outcome: reason.Allow, Agreement: of, Steps: []Step{{}}, Reasons: []reason.Reason{{Code: CodeCondition, Outcome: reason.Allow, Clause: "c"}},
			Amounts: []Amount{{Name: amountLeft, Minor: minor, Currency: "USD", Known: true, Clause: "c"}}}
	}
	for _, x := range [][2]int64{{100, 300}, {300, 100}} {
		v := Join(left("a", x[0]), left("b", x[1]))
		if got, ok := v.Amount(amountLeft, ""); v.Outcome != reason.Allow || !ok || got.Minor != 100 || !got.Known {
			t.Errorf("%v: %s, %+v", x, v.Outcome, got)
		}
	}
}

// TestReplayOfDispute: whether another agreement's figure is still apart is not recorded.
func TestReplayOfDispute(t *testing.T) {
	a, b := owes(t, "a", "five", ""), owes(t, "b", "six", "")
	l, err := Compile(a, b)
	if err != nil {
		t.Fatal(err)
	}
	q := Query{Point: Gate, At: at("2025-06-01T10:00:00Z"), Site: "s", Side: "A", Facts: Facts{"good.value": int64(1000)}}
	v := l.Check(q)
	kept := l.Keep(q, v)
	r, err := NewReplay(mustCompile(t, a), q.At)
	if err != nil {
		t.Fatal(err)
	}
	got, err := r.Ask(Recorded{Query: []byte(kept.Query), Withheld: kept.Withheld, Missing: kept.Missing, Outcome: kept.Outcome, Reasons: l.Grounds(v), By: kept.By})
	if err != nil || got.Flips() || !slices.Contains(got.Lacks, "amounts") {
		t.Errorf("%+v %v", got, err)
	}
}
