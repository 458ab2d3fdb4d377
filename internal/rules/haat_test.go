// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/reason"
)

// What an agreement on border haats needs: limits in one currency on prices in another,
// and answers that accuse nobody of what nobody knows.

// haat is a package whose good.value is worked out from a price.
func haat(unit, clauses, tests string) fstest.MapFS {
	return fstest.MapFS{
		"agreement.yaml": {Data: []byte(`id: haat
edition: 1
title: ` + say + `
zone: UTC
zonedata: ` + calendar.ZoneVersion + `
currency: USD
rounding: half-up
from: 2025-01-01
parties:
  A: {name: ` + say + `, country: PAK, zone: UTC, language: en, currency: PKR}
  B: {name: ` + say + `, country: IRN, zone: UTC, language: en, currency: IRR}
sites:
  - {id: s, number: 1, name: ` + say + `, zone: UTC, source: x, gates: [{number: 1, side: A, name: ` + say + `}, {number: 2, side: B, name: ` + say + `}]}
classes:
  - {id: buyer, number: 1, name: ` + say + `}
instruments:
  - {id: i, title: ` + say + `, status: law, source: x}
attributes:
  - {id: price, type: int, unit: PKR, name: ` + say + `}
  - {id: fever, type: int, unit: PKR, sensitive: true, name: ` + say + `}
  - {id: good.value, type: int, unit: ` + unit + `, derived: true, name: ` + say + `}
`)},
		"parameters/p.yaml": {Data: []byte(`parameters:
  - {id: day, text: ` + say + `, unit: USD, values: [{from: 2025-01-01, value: 50, source: x}]}
  - {id: exchange, text: ` + say + `, unit: PKR/USD, values: [{from: 2025-01-01, value: 280, source: x}]}
  - {id: rate, text: ` + say + `, unit: percent, values: [{from: 2025-01-01, value: 5, source: x}]}
`)},
		"clauses/c.yaml": {Data: []byte("instrument: i\nclauses:\n" + strings.ReplaceAll(clauses, "TEXT", "at: [goods], text: "+say+", say: "+say))},
		"tests/t.yaml":   {Data: []byte("scenarios:\n" + tests)},
	}
}

const haatClauses = `  - {id: cap, kind: cap, TEXT, limit: day, per: day, else: REFUSE, missing: HOLD, decides: customs}
  - {id: duty, kind: amount, at: [goods], text: ` + say + `, amount: duty, currency: USD, value: "percent(good.value, param.rate)"}
  - {id: worth, kind: define, text: ` + say + `, attribute: good.value, value: "unconvert(price, param.exchange)"}
`

// TestCountsWhatWasWorkedOut: a limit in dollars on prices in rupees remembers what was
// bought in the asks before.
func TestCountsWhatWasWorkedOut(t *testing.T) {
	m := haat("USD", haatClauses, `  - id: money
    title: x
    point: goods
    at: 2025-06-02T10:00:00Z
    site: s
    side: A
    asks:
      - {facts: {price: "14000.00"}, expect: {outcome: ALLOW, amounts: [{name: lot.value, value: "50.00"}]}}
      - {facts: {price: "10.00"}, expect: {outcome: REFUSE, clauses: [cap]}}
      - {at: 2025-06-03T10:00:00Z, facts: {price: "10.00"}, expect: {outcome: ALLOW}}
`)
	e, err := agreement.Load(m)
	if err != nil {
		t.Fatal(err)
	}
	l := mustCompile(t, e)
	for _, r := range l.Test(e) {
		if !r.Passed() {
			t.Errorf("%v", r.Wrong)
		}
		if lots := r.Queries[1].Lots; len(lots) != 1 || lots[0].Value != 5000 || lots[0].Site != "s" {
			t.Errorf("the lot that joins: %+v", lots)
		}
	}
	q := Query{Point: Goods, At: at("2025-06-02T10:00:00Z"), Site: "s", Side: "A", Facts: Facts{"price": int64(1400000), "good.value": int64(1)}}
	v := l.Check(q)
	if n, ok := v.Counted(); !ok || n != 5000 {
		t.Errorf("counted %d, %t", n, ok)
	}
	// The figures show the working of the value that they are made of.
	for name, want := range map[string][]string{
		"lot.value": {"good.value: unconvert(14000.00 PKR, 280.000000 PKR/USD) = 50.00 USD"},
		"duty":      {"good.value: unconvert(14000.00 PKR, 280.000000 PKR/USD) = 50.00 USD", "percent(50.00 USD, 5 %) = 2.50 USD"},
	} {
		if a, ok := v.Amount(name, ""); !ok || !slices.Equal(lines(a), want) {
			t.Errorf("%s: got %q, want %q", name, a.Steps, want)
		}
	}
	// Where it is not known nothing is counted, whatever value is stated, and the reason
	// names who decides.
	q.Facts = Facts{"good.value": int64(1)}
	v = l.Check(q)
	if n, ok := v.Counted(); ok {
		t.Errorf("counted %d", n)
	}
	if x, ok := l.bought(q, Verdict{Outcome: reason.Allow}); ok {
		t.Errorf("bought %+v", x)
	}
	if v.Outcome != reason.Refer && v.Outcome != reason.Hold {
		t.Errorf("got %s", v.Outcome)
	}
}

// TestLotsInOneCurrency: what is counted in a day is in the edition's currency, and
// nothing that nobody may see is kept with a purchase.
func TestLotsInOneCurrency(t *testing.T) {
	for _, x := range []struct{ unit, clauses, want string }{
		{"PKR", strings.NewReplacer(`"unconvert(price, param.exchange)"`, "price", `"percent(good.value, param.rate)"`, `"1"`).Replace(haatClauses), "good.value counts PKR"},
		{"USD", strings.Replace(haatClauses, "unconvert(price,", "unconvert(fever,", 1), "made of something sensitive"},
		{"USD", haatClauses, ""},
	} {
		e, faults := agreement.Check(haat(x.unit, x.clauses, "  []\n"))
		if e == nil {
			t.Fatal(faults)
		}
		got := ""
		for _, f := range Check(e) {
			got += f.String() + "\n"
		}
		if x.want == "" && got != "" || !strings.Contains(got, x.want) {
			t.Errorf("%s: got %q, want %q", x.unit, got, x.want)
		}
	}
}

// TestOpenNamesWhoDecides: where something is not known the reason itself says who
// decides, and the words of the clause are not for it.
func TestOpenNamesWhoDecides(t *testing.T) {
	one := func(s string) string { return "  - {id: c, TEXT, decides: committee, " + s + "}\n" }
	hours := []string{"schedule/s.yaml", "site: s\nsource: x\nhours: [{days: [monday], open: [\"09:00-17:00\"]}]\n"}
	open := []string{"clauses/q.yaml", "instrument: j\nquestions:\n  - {id: when, asks: " + say + ", reading: " + say + ", by: nobody, words: x, clauses: [c]}\nclauses: []\n"}
	for _, x := range []struct {
		name string
		l    *Law
		q    Query
		code reason.Code
		o    reason.Outcome
	}{
		{"no hours", wideLaw(t, one("kind: schedule, else: CLOSED")), noon("2025-06-02"), CodeNoHours, reason.Refer},
		{"not opened", wideLaw(t, one("kind: opened, else: CLOSED")), noon("2025-06-02"), CodeNoDate, reason.Refer},
		{"parameter", wideLaw(t, one("kind: rule, require: n < param.open, else: REFUSE")), noon("2025-06-02").with("n", int64(1)), CodeParameter, reason.Refer},
		{"wanted", wideLaw(t, one("kind: rule, require: p, else: REFUSE, missing: HOLD")), noon("2025-06-02"), CodeWanted, reason.Hold},
		{"unknown", wideLaw(t, one("kind: rule, require: p, else: REFUSE")), noon("2025-06-02"), CodeUnknown, reason.Refer},
		{"date", wideLaw(t, one("kind: rule, from: 2025-06, then: REFUSE")), noon("2025-06-02"), CodeDate, reason.Refer},
		{"failed", wideLaw(t, one("kind: rule, require: 1 / n > 0, else: REFUSE")), noon("2025-06-02").with("n", int64(0)), CodeFailed, reason.Refer},
		{"place", wideLaw(t, one("kind: residence, place: home.place, list: area, region: border, else: REFUSE"), places()...), noon("2025-06-02").with("home.place", "nowhere"), CodeGoodOpen, reason.Refer},
		{"question", wideLaw(t, one("kind: rule, turns: [when], then: REFUSE"), open...), noon("2025-06-02"), CodeQuestion, reason.Refer},
		{"definition", wideLaw(t, "  - {id: d, kind: define, SILENT, attribute: d.count, value: 1 / n}\n"+one("kind: rule, require: d.count > 0, else: REFUSE")), noon("2025-06-02").with("n", int64(0)), CodeFailed, reason.Refer},
	} {
		v := expect(t, x.l, x.name, x.q, x.o, x.code)
		for _, r := range v.Reasons {
			if r.Code == x.code && r.Params["decides"] != "committee" {
				t.Errorf("%s: nobody decides: %v", x.name, r)
			}
			if !Unsettled(r.Code) {
				t.Errorf("%s: %s is told with the words of the clause", x.name, r.Code)
			}
		}
	}
	// A clause that does decide says so in its own words, and its reason names nobody.
	for _, x := range []struct {
		l    *Law
		q    Query
		code reason.Code
	}{
		{wideLaw(t, one("kind: schedule, else: CLOSED"), hours...), noon("2025-06-03"), CodeHours},
		{wideLaw(t, one("kind: rule, then: REFER")), noon("2025-06-03"), CodeRefer},
		{wideLaw(t, one("kind: rule, then: REFUSE")), noon("2025-06-03"), CodeRefuse},
	} {
		v := x.l.Check(x.q)
		if len(v.Reasons) != 1 || v.Reasons[0].Code != x.code || Unsettled(x.code) || v.Reasons[0].Params["decides"] != "" {
			t.Errorf("got %v", v.Reasons)
		}
	}
}

// TestFigureByUnit: a sum of weights is no money.
func TestFigureByUnit(t *testing.T) {
	l := wideLaw(t, "  - {id: c, kind: ledger, TEXT, first: {events: import}, then: {events: export}, sum: qty, within: deadline, adds: none, else: REFUSE}\n")
	v := l.Check(noon("2025-06-02").of("import", happenedOn("2025-05-30", "qty", int64(12500))).of("export"))
	a, ok := v.Amount("ledger.open", "c")
	if !ok || a.Unit != "kg" || a.Currency != "" || a.Minor != 12500 || a.Figure() != "12.500 kg" {
		t.Errorf("got %+v", a)
	}
	l = wideLaw(t, "  - {id: c, kind: ledger, TEXT, first: {events: import}, then: {events: export}, sum: good.value, within: deadline, adds: none, else: REFUSE}\n")
	v = l.Check(noon("2025-06-02").of("import", happenedOn("2025-05-30", "good.value", int64(12500))).of("export"))
	if a, ok := v.Amount("ledger.open", "c"); !ok || a.Unit != "" || a.Currency != "USD" || a.Figure() != "125.00 USD" || strings.Contains(string(v.Bytes()), `"unit"`) {
		t.Errorf("got %+v, %s", a, v.Bytes())
	}
}

// TestOrigins: a figure shows the working of what it is made of, of the definition that
// was taken and no other, and not more lines than its limit.
func TestOrigins(t *testing.T) {
	l := wideLaw(t, `  - {id: base, kind: define, SILENT, attribute: d.base, value: "known(good.freight) ? good.value + good.freight : good.value + percent(good.value, param.freight)"}
  - {id: level, kind: define, SILENT, attribute: d.level, value: "good.value > param.fifty ? 'high' : 'low'"}
  - {id: due, kind: amount, SILENT, amount: due, value: "d.level == 'high' ? percent(d.base, param.five) : 0"}
`)
	v := l.Check(noon("2025-06-02").with("good.value", int64(95000)))
	want := []string{"d.base: percent(950.00 USD, 6 %) = 57.00 USD", "d.base: 950.00 USD + 57.00 USD = 1007.00 USD", "d.level: high, clause level", "percent(1007.00 USD, 5 %) = 50.35 USD"}
	if a, _ := v.Amount("due", ""); !slices.Equal(lines(a), want) {
		t.Errorf("got %q", a.Steps)
	}
	v = l.Check(noon("2025-06-02").with("good.value", int64(95000), "good.freight", int64(1000)))
	if a, _ := v.Amount("due", ""); a.Steps[0].String() != "d.base: 950.00 USD + 10.00 USD = 960.00 USD" {
		t.Errorf("got %q", a.Steps)
	}
	long := "good.value" + strings.Repeat(" + good.value", 15)
	l = wideLaw(t, `  - {id: base, kind: define, SILENT, attribute: d.base, value: "`+long+`"}
  - {id: due, kind: amount, SILENT, amount: due, value: "d.base`+strings.Repeat(" + d.base", 10)+`"}
`)
	a, _ := l.Check(noon("2025-06-02").with("good.value", int64(100))).Amount("due", "")
	if len(a.Steps) != maxSteps || !strings.HasSuffix(a.Steps[maxSteps-1].Text, "= 176.00 USD") {
		t.Errorf("%d steps, the last %q", len(a.Steps), a.Steps[len(a.Steps)-1])
	}
}

// lines are how an amount is worked out, in English.
func lines(a Amount) (out []string) {
	for _, w := range a.Steps {
		out = append(out, w.String())
	}
	return out
}

// TestLooked: what a clause looked at beside its conditions.
func TestLooked(t *testing.T) {
	looked := func(l *Law, q Query) []string {
		x := l.Explain(q)
		i := slices.IndexFunc(x.Clauses, func(e Explained) bool { return e.Clause == "c" })
		for _, s := range x.Clauses[i].Looked {
			if !strings.Contains(x.Text(false), "    "+s+"\n") {
				t.Errorf("%q is not in the text", s)
			}
		}
		return x.Clauses[i].Looked
	}
	one := func(s string, parts ...string) *Law { return wideLaw(t, "  - {id: c, TEXT, "+s+"}\n", parts...) }
	hours := func(site, lines string) []string {
		return []string{"schedule/" + site + ".yaml", "site: " + site + "\nsource: x\nhours: " + lines + "\n"}
	}
	karachi := noon("2025-06-02").with("class", "visitor", "direction", "in")
	karachi.Site = "r"
	for _, x := range []struct {
		name string
		l    *Law
		q    Query
		want []string
	}{
		{"hours", one("kind: schedule, else: CLOSED", hours("r", `[{days: [monday], open: ["09:00-12:00", "13:00-16:00"]}]`)...), karachi,
			[]string{"Monday 2025-06-02 for visitor, in: open 09:00-12:00, 13:00-16:00; asked at 17:00 by the clock of Asia/Karachi"}},
		{"closed", one("kind: schedule, else: CLOSED", hours("s", `[{days: [sunday], open: ["09:00-12:00"]}]`)...), noon("2025-06-02"),
			[]string{"Monday 2025-06-02: closed all day; asked at 12:00 by the clock of UTC"}},
		{"nobody knows", one("kind: schedule, else: CLOSED, decides: x", hours("s", `[{days: [monday], open: unknown}]`)...), noon("2025-06-02"),
			[]string{"Monday 2025-06-02: nobody knows the hours; asked at 12:00 by the clock of UTC"}},
		{"nobody knows the day", one("kind: schedule, else: CLOSED, decides: x", hours("s", `[{days: unknown, open: ["09:00-10:00"]}]`)...), noon("2025-06-02"),
			[]string{"Monday 2025-06-02: nobody knows the hours; asked at 12:00 by the clock of UTC"}},
		{"window", one("kind: window, event: dose.at, atleast: weeks4, atmost: months12, before: entry.on, else: HOLD, decides: x"),
			noon("2025-06-02").with("dose.at", at("2025-05-20T08:30:00Z"), "entry.on", day("2025-06-01")),
			[]string{"event 2025-05-20 08:30 (dose.at)", "before 2025-06-01 (entry.on)", "param.weeks4 4 weeks", "param.months12 12 months"}},
		{"stay", one("kind: stay, start: entry.at, days: month, else: REFUSE"), noon("2025-06-02").with("entry.at", at("2025-05-20T08:30:00Z")),
			[]string{"from 2025-05-20 08:30 (entry.at)", "to 2025-06-02 12:00 (now)", "param.month 30 days"}},
		{"validity", one("kind: validity, expires: pass.expires, over: [entry.on, exit.on], else: REFUSE"), noon("2025-06-02").with("pass.expires", day("2025-06-10"), "entry.on", day("2025-06-02")),
			[]string{"good until 2025-06-10 (pass.expires)", "over 2025-06-02 (entry.on)", "over not known (exit.on)"}},
		{"residence", one("kind: residence, distance: home.distance, atmost: near, else: REFUSE"), noon("2025-06-02").with("home.distance", int64(5001)),
			[]string{"distance 5.001 km (home.distance)", "param.near 5.000 km"}},
		{"duty", one("kind: duty, by: A, start: inspect.asked, within: hours24, done: inspect.done, else: BREACH"), noon("2025-06-02").with("inspect.asked", at("2025-06-01T10:00:00Z")),
			[]string{"start 2025-06-01 10:00 (inspect.asked)", "done not known (inspect.done)", "asked 2025-06-02 12:00 (now)", "param.hours24 24 hours"}},
		{"events", one("kind: window, events: trip, atleast: two, else: REFUSE"), noon("2025-06-02").of("trip", happenedOn("2025-05-30")),
			[]string{"before 2025-06-02 12:00 (now)", "param.two 2 days", "trip 2025-05-30 10:00"}},
		{"sensitive", one("kind: stay, when: screening.fever, start: entry.at, days: month, else: REFUSE"), noon("2025-06-02").with("entry.at", at("2025-05-20T08:30:00Z"), "screening.fever", true), nil},
	} {
		if got := looked(x.l, x.q); !slices.Equal(got, x.want) {
			t.Errorf("%s: got %q, want %q", x.name, got, x.want)
		}
	}
}

// TestLotInWords: money by its currency, and nothing that is not there.
func TestLotInWords(t *testing.T) {
	for _, x := range []struct {
		lot            Lot
		currency, want string
	}{
		{Lot{Value: 3000, Regime: regimeConcession, Site: "s"}, "USD", "30.00 USD, at s"},
		{Lot{Category: "I", Value: 3000, Regime: regimeStatutory}, "JPY", "3000 JPY, category I, sent to another regime"},
	} {
		if got := x.lot.Text(x.currency); got != x.want {
			t.Errorf("got %q, want %q", got, x.want)
		}
	}
}

// TestAbsentAmount: a scenario can say that a figure must not be there.
func TestAbsentAmount(t *testing.T) {
	v := Verdict{Outcome: reason.Allow, Amounts: []Amount{{Name: "duty", Of: "I", Minor: 5, Currency: "USD", Known: true}}}
	for _, x := range []struct {
		name, of string
		wrong    int
	}{{"duty", "I", 1}, {"duty", "", 1}, {"duty", "II", 0}, {"tax", "", 0}} {
		n := 0
		compare(v, agreement.Expect{Outcome: reason.Allow, Amounts: []agreement.ExpectAmount{{Name: x.name, Of: x.of, Absent: true}}}, nil, func(string, ...any) { n++ })
		if n != x.wrong {
			t.Errorf("%s %s: %d wrong, want %d", x.name, x.of, n, x.wrong)
		}
	}
}
