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

// The features of ../../../shared/reference/format-needs.md, each with an example of the
// kind that the real texts have.

// TestF01DatedValues: an exemption raised by dated notifications, and a start that is
// known to the month only.
func TestF01DatedValues(t *testing.T) {
	l := wideLaw(t, "  - {id: c, kind: rule, TEXT, require: good.value <= param.allowance, else: DIVERT, regime: tariff}\n")
	for d, most := range map[string]int64{"2025-01-01": 30000, "2025-03-31": 30000, "2025-04-01": 50000, "2025-06-30": 50000, "2025-07-01": 80000} {
		expect(t, l, d, noon(d).with("good.value", most), reason.Allow)
		expect(t, l, d, noon(d).with("good.value", most+1), reason.Divert, CodeDivert)
	}
	l = wideLaw(t, "  - {id: c, kind: rule, TEXT, require: good.value <= param.exempt, else: DIVERT, regime: tariff}\n",
		"parameters", "  - {id: exempt, text: "+say+", unit: USD, values: [{from: 2025-01-01, value: 100, source: x}, {from: 2025-05, value: 200, source: x}]}\n")
	q := noon("2025-04-30").with("good.value", int64(15000))
	expect(t, l, "before the month", q, reason.Divert)
	q.At = at("2025-05-10T12:00:00Z")
	expect(t, l, "within the month", q, reason.Refer, CodeDate)
	expect(t, l, "within the month, below both", q.with("good.value", int64(10000)), reason.Refer, CodeDate)
	q.At = at("2025-05-31T12:00:00Z")
	expect(t, l, "its last day", q, reason.Allow)
}

// TestF02BySide: each state's own allowance for the same market.
func TestF02BySide(t *testing.T) {
	l := wideLaw(t, "  - {id: c, kind: rule, TEXT, require: good.value <= param.own, else: REFUSE}\n", "parameters",
		"  - {id: own, text: "+say+", unit: USD, values: [{from: 2025-01-01, side: A, value: 100, source: x}, {from: 2025-01-01, side: B, value: 200, source: x}]}\n")
	q := noon("2025-06-02").with("good.value", int64(15000))
	expect(t, l, "A", q, reason.Refuse)
	q.Side = "B"
	expect(t, l, "B", q, reason.Allow)
}

// TestF03BySite: a certificate that is asked for from other days at other sites, and a
// value that the more particular line decides.
func TestF03BySite(t *testing.T) {
	l := wideLaw(t, "  - {id: all, kind: rule, SILENT}\n  - {id: c, kind: rule, TEXT, holds: [{from: 2025-08-07, sites: [s]}, {from: 2025-08-21, sites: [r]}], require: p, else: REFUSE}\n")
	for _, x := range []struct {
		site, when string
		want       reason.Outcome
	}{
		{"s", "2025-08-06T23:59:00Z", reason.Allow}, {"s", "2025-08-07T00:00:00Z", reason.Refuse},
		{"r", "2025-08-07T12:00:00Z", reason.Allow}, {"r", "2025-08-20T18:59:00Z", reason.Allow}, {"r", "2025-08-20T19:00:00Z", reason.Refuse}, // by its own clock
	} {
		expect(t, l, x.site+" "+x.when, Query{Point: Gate, At: at(x.when), Site: x.site, Side: "A", Facts: Facts{"p": false}}, x.want)
	}
	q := noon("2025-06-02")
	v := l.Check(q)
	if d, note := did(v, "c"); d != didDormant || note != "not yet in force" {
		t.Errorf("got %s, %s", d, note)
	}
	l = wideLaw(t, "  - {id: c, kind: rule, TEXT, require: n <= param.places, else: REFUSE}\n", "parameters",
		"  - {id: places, text: "+say+", unit: count, values: [{from: 2025-01-01, value: 1, source: x}, {from: 2025-05-01, value: 2, source: x}, {from: 2025-01-01, site: r, value: 3, source: x}, {from: 2025-01-01, for: {person.nationality: PAK}, value: 4, source: x}]}\n")
	q = noon("2025-06-02").with("n", int64(2), "person.nationality", "IRN")
	expect(t, l, "newest", q, reason.Allow)
	expect(t, l, "above it", q.with("n", int64(3)), reason.Refuse)
	expect(t, l, "of the nationality", q.with("n", int64(4), "person.nationality", "PAK"), reason.Allow)
	unknown := q.with("n", int64(3))
	delete(unknown.Facts, "person.nationality")
	if v := expect(t, l, "nationality not known", unknown, reason.Refer); !slices.Contains(v.Missing, "person.nationality") {
		t.Errorf("missing %v", v.Missing)
	}
	q.Site = "r"
	expect(t, l, "of the site", q.with("n", int64(3)), reason.Allow)
}

// TestF04Sums: so much in all of a day, at any site, and of what is bought at each.
func TestF04Sums(t *testing.T) {
	l := wideLaw(t, `  - {id: all, kind: cap, TEXT, events: import, sum: good.value, adds: good.value, window: {per: day}, limit: hundred, else: DIVERT, regime: tariff}
  - {id: here, kind: cap, TEXT, events: import, sum: good.value, adds: good.value, window: {per: day, here: true}, limit: fifty, else: REFUSE}
`)
	elsewhere := happenedOn("2025-06-02", "good.value", int64(6000))
	elsewhere.Site = "r"
	q := noon("2025-06-02").of("import", happenedOn("2025-06-01", "good.value", int64(9000)), elsewhere)
	v := expect(t, l, "the rest of both", q.with("good.value", int64(4000)), reason.Allow)
	if a, ok := v.Amount("allowance.left", "here"); !ok || a.Minor != 1000 {
		t.Errorf("left %v", a)
	}
	expect(t, l, "above the day", q.with("good.value", int64(4001)), reason.Divert, CodeCapDivert)
	expect(t, l, "above the site", q.with("good.value", int64(5001)), reason.Refuse, CodeCapRefuse)
	expect(t, l, "not told what was bought", noon("2025-06-02").with("good.value", int64(1)), reason.Refer, CodeUnknown)
	expect(t, l, "a value below zero", q.of("import", happenedOn("2025-06-02", "good.value", int64(-1))).with("good.value", int64(1)), reason.Refer, CodeFailed)
}

// TestF05Frequency: four trips of a calendar month, and once in thirty days.
func TestF05Frequency(t *testing.T) {
	monthly := wideLaw(t, "  - {id: c, kind: frequency, TEXT, events: trip, window: {per: month}, limit: four, adds: 1, else: REFUSE}\n")
	trips := []Event{happenedOn("2025-05-31"), happenedOn("2025-06-01"), happenedOn("2025-06-03"), happenedOn("2025-06-04")}
	expect(t, monthly, "the fourth", noon("2025-06-30").of("trip", trips...), reason.Allow)
	expect(t, monthly, "the fifth", noon("2025-06-30").of("trip", append(trips, happenedOn("2025-06-05"))...), reason.Refuse, CodeCapRefuse)
	expect(t, monthly, "a new month", noon("2025-07-01").of("trip", append(trips, happenedOn("2025-06-05"))...), reason.Allow)
	rolling := wideLaw(t, "  - {id: c, kind: frequency, TEXT, events: trip, where: \"event.direction == 'in'\", window: {rolling: month}, limit: one, adds: 1, else: REFUSE}\n")
	in := happenedOn("2025-06-01", "direction", "in")
	expect(t, rolling, "on the thirtieth day", noon("2025-06-30").of("trip", in), reason.Refuse)
	expect(t, rolling, "thirty days later", noon("2025-07-01").of("trip", in), reason.Allow)
	expect(t, rolling, "way back", noon("2025-06-30").of("trip", happenedOn("2025-06-01", "direction", "out")), reason.Allow)
	expect(t, rolling, "which way is not known", noon("2025-06-30").of("trip", happenedOn("2025-06-01")), reason.Refer)
	expect(t, rolling, "no trips", noon("2025-06-30").of("trip"), reason.Allow)
}

// TestF06Excess: a limit by weight as well, and the dearer of a percentage and an amount
// per kg on what is above.
func TestF06Excess(t *testing.T) {
	l := wideLaw(t, `  - {id: c, kind: rule, TEXT, require: good.weight <= param.heavy, else: DIVERT, regime: tariff}
  - {id: over, kind: define, SILENT, attribute: d.base, value: "max(good.value - param.hundred, 0)"}
  - {id: duty, kind: amount, SILENT, when: d.base > 0, amount: duty, value: "max(percent(d.base, param.twenty), each(param.perkilo, good.weight))"}
`)
	v := expect(t, l, "by weight", noon("2025-06-02").with("good.value", int64(12000), "good.weight", int64(12500)), reason.Allow)
	if a, ok := v.Amount("duty", ""); !ok || a.Minor != 625 || a.Currency != "USD" {
		t.Errorf("12.5 kg at 0.50: got %v", a)
	} else if want := "max(4.00 USD, 6.25 USD) = 6.25 USD"; !slices.Contains(a.Steps, Working{Code: workSum, Text: want}) {
		t.Errorf("steps %q, want %q among them", a.Steps, want)
	}
	v = expect(t, l, "by value", noon("2025-06-02").with("good.value", int64(20000), "good.weight", int64(12500)), reason.Allow)
	if a, _ := v.Amount("duty", ""); a.Minor != 2000 {
		t.Errorf("20 %% of 100: got %v", a)
	}
	expect(t, l, "too heavy", noon("2025-06-02").with("good.value", int64(100), "good.weight", int64(20001)), reason.Divert)
	if _, ok := l.Check(noon("2025-06-02").with("good.value", int64(10000), "good.weight", int64(1))).Amount("duty", ""); ok {
		t.Error("charged below the limit")
	}
}

// TestF07Regimes: two regimes for one lot, of which the cheaper is taken.
func TestF07Regimes(t *testing.T) {
	l := wideLaw(t, `  - {id: simple, kind: amount, SILENT, amount: duty.simple, value: "percent(good.value, param.twenty)", regime: simplified}
  - {id: tariff, kind: amount, SILENT, amount: duty.tariff, value: "each(param.perkilo, good.weight)", regime: tariff}
  - {id: best, kind: choice, SILENT, amounts: [duty.simple, duty.tariff], take: least, amount: duty}
`)
	v := expect(t, l, "tariff", noon("2025-06-02").with("good.value", int64(10000), "good.weight", int64(10000)), reason.Allow)
	if a, _ := v.Amount("duty", ""); !a.Known || a.Minor != 500 || a.Clause != "best" || !slices.Contains(a.Steps, Working{Code: workRegime, Name: "tariff"}) {
		t.Errorf("got %+v", a)
	}
	v = l.Check(noon("2025-06-02").with("good.value", int64(1000), "good.weight", int64(10000)))
	if a, _ := v.Amount("duty", ""); a.Minor != 200 || !slices.Contains(a.Steps, Working{Code: workRegime, Name: "simplified"}) {
		t.Errorf("got %+v", a)
	}
	v = expect(t, l, "one not known", noon("2025-06-02").with("good.value", int64(1000)), reason.Refer)
	if a, _ := v.Amount("duty", ""); a.Known {
		t.Errorf("got %+v", a)
	}
}

// TestF08Base: goods and 6 % where the freight is not known.
func TestF08Base(t *testing.T) {
	l := wideLaw(t, `  - {id: cif, kind: define, SILENT, when: known(good.freight), attribute: d.base, value: good.value + good.freight}
  - {id: guess, kind: define, SILENT, when: "!known(good.freight)", attribute: d.base, value: "good.value + percent(good.value, param.freight)"}
  - {id: base, kind: amount, SILENT, amount: base, value: d.base}
`)
	for _, x := range []struct {
		q    Query
		want int64
	}{
		{noon("2025-06-02").with("good.value", int64(10000), "good.freight", int64(900)), 10900},
		{noon("2025-06-02").with("good.value", int64(10000)), 10600},
	} {
		if a, _ := l.Check(x.q).Amount("base", ""); a.Minor != x.want {
			t.Errorf("got %v, want %d", a, x.want)
		}
	}
}

// TestF09Rates: a limit in one currency, prices in another, by a dated rate.
func TestF09Rates(t *testing.T) {
	l := wideLaw(t, `  - {id: c, kind: rule, TEXT, require: "unconvert(good.rupees, param.exchange) <= param.hundred", else: DIVERT, regime: tariff}
  - {id: a, kind: amount, SILENT, amount: rupees, currency: PKR, value: "convert(param.hundred, param.exchange)"}
`)
	v := expect(t, l, "at the limit", noon("2025-05-31").with("good.rupees", int64(2805000)), reason.Allow)
	if a, _ := v.Amount("rupees", ""); a.Minor != 2805000 || a.Currency != "PKR" {
		t.Errorf("100 dollars: got %v", a)
	}
	expect(t, l, "a cent above it", noon("2025-05-31").with("good.rupees", int64(2805200)), reason.Divert)
	expect(t, l, "by the new rate", noon("2025-06-01").with("good.rupees", int64(2805200)), reason.Allow)
	e, _ := wide(t, "  - {id: c, kind: rule, TEXT, require: good.rupees <= param.hundred, else: DIVERT, regime: tariff}\n")
	if faults := Check(e); len(faults) == 0 || !strings.Contains(faults[0].What, "counts PKR") {
		t.Errorf("rupees against dollars: %v", faults)
	}
}

func produce(open bool) []string {
	yaml := "id: produce\ntitle: " + say + "\nsource: x\nlines: produce.csv\n"
	if open {
		yaml += "open: " + say + "\n"
	}
	return []string{"lists/produce.yaml", yaml,
		"lists/produce.csv", "code,direction,state.from,exclude,en,fa,ur\n07,,,,x,x,x\n0703,in,,,x,x,x\n0703,,,true,x,x,x\n0702.0000,,PAK,,x,x,x\n0702.0000,,,true,x,x,x\n"}
}

// TestF10Lists: codes of any length, by direction and pair of states, and open words.
func TestF10Lists(t *testing.T) {
	clause := "  - {id: c, kind: listed, TEXT, list: produce, else: DIVERT, regime: tariff, missing: HOLD}\n"
	l, words := wideLaw(t, clause, produce(false)...), wideLaw(t, clause, produce(true)...)
	q := noon("2025-06-02")
	expect(t, l, "by its chapter", q.with("good.code", "0705.1100"), reason.Allow)
	expect(t, l, "in", q.with("good.code", "0703.1000", "direction", "in"), reason.Allow)
	expect(t, l, "out", q.with("good.code", "0703.1000", "direction", "out"), reason.Divert)
	if v := expect(t, l, "which way is not known", q.with("good.code", "0703.1000"), reason.Hold, CodeWanted); !slices.Contains(v.Missing, "direction") {
		t.Errorf("missing %v", v.Missing)
	}
	expect(t, l, "of the state", q.with("good.code", "0702.0000", "state.from", "PAK"), reason.Allow)
	expect(t, l, "of another", q.with("good.code", "0702.0000", "state.from", "IRN"), reason.Divert)
	expect(t, l, "not on it", q.with("good.code", "0805.1000"), reason.Divert)
	expect(t, words, "and other produce", q.with("good.code", "0805.1000"), reason.Refer, CodeGoodOpen)
	called := wideLaw(t, "  - {id: c, kind: rule, TEXT, require: \"listed(good.code, 'produce')\", else: DIVERT, regime: tariff}\n", produce(true)...)
	expect(t, called, "in an expression", q.with("good.code", "0705.1100"), reason.Allow)
	expect(t, called, "open in an expression", q.with("good.code", "0805.1000"), reason.Refer, CodeGoodOpen)
}

func places() []string {
	return []string{"lists/area.yaml", "id: area\nkind: places\ntitle: " + say + "\nsource: x\nlines: area.csv\n",
		"lists/area.csv", "id,parent,en,fa,ur\nborder,,x,x,x\nkech,border,x,x,x\nmand,kech,x,x,x\ninland,,x,x,x\nquetta,inland,x,x,x\n"}
}

// TestF11Origin: produced within the border districts.
func TestF11Origin(t *testing.T) {
	l := wideLaw(t, "  - {id: c, kind: rule, TEXT, require: \"within(origin.place, 'area', 'border')\", else: DIVERT, regime: tariff}\n", places()...)
	for place, want := range map[string]reason.Outcome{"mand": reason.Allow, "kech": reason.Allow, "border": reason.Allow, "quetta": reason.Divert, "nowhere": reason.Refer} {
		expect(t, l, place, noon("2025-06-02").with("origin.place", place), want)
	}
	absent := wideLaw(t, "  - {id: c, kind: rule, TEXT, require: \"within(origin.place, 'area', 'border')\", else: DIVERT, regime: tariff}\n",
		"lists/area.yaml", "id: area\nkind: places\ntitle: "+say+"\nsource: x\nabsent: true\n")
	expect(t, absent, "no list", noon("2025-06-02").with("origin.place", "mand"), reason.Refer, CodeAbsent)
}

// TestF12Distance: lives within 5 km, or in a place of the list.
func TestF12Distance(t *testing.T) {
	l := wideLaw(t, "  - {id: c, kind: residence, TEXT, distance: home.distance, atmost: near, else: REFUSE}\n  - {id: d, kind: residence, TEXT, place: home.place, list: area, region: border, else: REFUSE}\n", places()...)
	q := noon("2025-06-02").with("home.place", "mand")
	expect(t, l, "5 km", q.with("home.distance", int64(5000)), reason.Allow)
	expect(t, l, "a metre more", q.with("home.distance", int64(5001)), reason.Refuse)
	expect(t, l, "inland", q.with("home.distance", int64(5000), "home.place", "quetta"), reason.Refuse)
	expect(t, l, "not known", q, reason.Refer)
}

// TestF13Residence: at least a year.
func TestF13Residence(t *testing.T) {
	l := wideLaw(t, "  - {id: c, kind: residence, TEXT, since: home.since, atleast: year, else: REFUSE, missing: HOLD}\n")
	expect(t, l, "a year", noon("2025-06-02").with("home.since", day("2024-06-02")), reason.Allow)
	expect(t, l, "a day less", noon("2025-06-02").with("home.since", day("2024-06-03")), reason.Refuse)
	expect(t, l, "not said", noon("2025-06-02"), reason.Hold)
}

// TestF14Validity: a pass that runs out on the second of three days, and one of a year.
func TestF14Validity(t *testing.T) {
	l := wideLaw(t, "  - {id: c, kind: validity, TEXT, expires: pass.expires, over: [entry.on, exit.on], else: REFUSE}\n")
	q := noon("2025-06-02").with("entry.on", day("2025-06-03"), "exit.on", day("2025-06-05"))
	expect(t, l, "to the last day", q.with("pass.expires", day("2025-06-05")), reason.Allow)
	expect(t, l, "to the second", q.with("pass.expires", day("2025-06-04")), reason.Refuse)
	for anniversary, last := range map[string]string{"out": "2025-05-01", "in": "2025-05-02"} {
		l := wideLaw(t, "  - {id: c, kind: validity, TEXT, issued: pass.issued, for: year, anniversary: "+anniversary+", else: REFUSE}\n")
		issued := day("2024-05-02")
		expect(t, l, anniversary, noon(last).with("pass.issued", issued), reason.Allow)
		expect(t, l, anniversary+", a day later", noon(day(last).AddDays(1).String()).with("pass.issued", issued), reason.Refuse)
		expect(t, l, "before its issue", noon("2025-05-01").with("pass.issued", day("2025-05-02")), reason.Refuse)
	}
}

// TestF15Windows: a dose four weeks to twelve months before travel, and ends that are
// open.
func TestF15Windows(t *testing.T) {
	l := wideLaw(t, "  - {id: c, kind: window, TEXT, events: dose, where: \"event.vaccine == 'OPV'\", atleast: weeks4, atmost: months12, before: exit.on, else: HOLD, missing: HOLD}\n")
	q := noon("2025-06-02").with("exit.on", day("2025-11-01"))
	for d, want := range map[string]reason.Outcome{"2025-10-04": reason.Allow, "2025-10-05": reason.Hold, "2024-11-01": reason.Allow, "2024-10-31": reason.Hold} {
		expect(t, l, d, q.of("dose", happenedOn(d, "vaccine", "OPV")), want)
	}
	expect(t, l, "any one", q.of("dose", happenedOn("2025-10-20", "vaccine", "OPV"), happenedOn("2025-01-20", "vaccine", "OPV")), reason.Allow)
	expect(t, l, "another vaccine", q.of("dose", happenedOn("2025-10-01", "vaccine", "IPV")), reason.Hold)
	expect(t, l, "not known", q, reason.Hold, CodeWanted)
	strict := wideLaw(t, "  - {id: c, kind: window, TEXT, event: dose.at, atmost: hours24, open: [atmost], else: REFUSE}\n")
	expect(t, strict, "a minute less than a day", noon("2025-06-02").with("dose.at", at("2025-06-01T12:01:00Z")), reason.Allow)
	expect(t, strict, "a whole day", noon("2025-06-02").with("dose.at", at("2025-06-01T12:00:00Z")), reason.Refuse)
	expect(t, strict, "later", noon("2025-06-02").with("dose.at", at("2025-06-02T12:01:00Z")), reason.Refuse)
	closed := wideLaw(t, "  - {id: c, kind: window, TEXT, event: dose.at, atmost: hours24, else: REFUSE}\n")
	expect(t, closed, "a whole day, the end included", noon("2025-06-02").with("dose.at", at("2025-06-01T12:00:00Z")), reason.Allow)
	after := wideLaw(t, "  - {id: c, kind: window, TEXT, event: exit.on, before: entry.on, atmost: three, after: true, else: REFUSE}\n")
	expect(t, after, "after", noon("2025-06-02").with("entry.on", day("2025-06-01"), "exit.on", day("2025-06-04")), reason.Allow)
	expect(t, after, "too long after", noon("2025-06-02").with("entry.on", day("2025-06-01"), "exit.on", day("2025-06-05")), reason.Refuse)
}

// TestF16Stay: three days and two nights.
func TestF16Stay(t *testing.T) {
	l := wideLaw(t, "  - {id: c, kind: stay, TEXT, start: entry.on, days: three, nights: two, counting: calendar, else: REFUSE}\n")
	expect(t, l, "1st to 3rd", noon("2025-06-03").with("entry.on", day("2025-06-01")), reason.Allow)
	expect(t, l, "1st to 4th", noon("2025-06-04").with("entry.on", day("2025-06-01")), reason.Refuse)
	elapsed := wideLaw(t, "  - {id: c, kind: stay, TEXT, start: entry.at, days: three, counting: elapsed, else: REFUSE}\n")
	q := noon("2025-06-04")
	expect(t, elapsed, "72 hours", q.with("entry.at", at("2025-06-01T12:00:00Z")), reason.Allow)
	expect(t, elapsed, "a minute more", q.with("entry.at", at("2025-06-01T11:59:00Z")), reason.Refuse)
}

// TestF17Orders: from 00:00 on the 5th to 23:59 on the 20th, by the clock of the site.
func TestF17Orders(t *testing.T) {
	l := wideLaw(t, "  - {id: all, kind: rule, SILENT}\n  - {id: c, kind: rule, TEXT, from: 2025-04-05T00:00, until: 2025-04-21, then: CLOSED}\n  - {id: d, kind: rule, TEXT, from: 2025-05-05T06:30, until: 2025-05-06T06:30, then: CLOSED}\n")
	for when, want := range map[string]reason.Outcome{
		"2025-04-04T23:59:59+05:00": reason.Allow, "2025-04-05T00:00:00+05:00": reason.Closed, "2025-04-20T23:59:59+05:00": reason.Closed, "2025-04-21T00:00:00+05:00": reason.Allow,
		"2025-05-05T06:29:59+05:00": reason.Allow, "2025-05-05T06:30:00+05:00": reason.Closed, "2025-05-06T06:29:59+05:00": reason.Closed, "2025-05-06T06:30:00+05:00": reason.Allow,
	} {
		expect(t, l, when, Query{Point: Gate, At: at(when), Site: "r", Side: "A"}, want)
	}
}

// TestF18Schedules: trade from Sunday to Friday, people on foot on Saturday, and a limit
// that is unlimited.
func TestF18Schedules(t *testing.T) {
	l := wideLaw(t, "  - {id: c, kind: schedule, TEXT, else: CLOSED}\n  - {id: n, kind: rule, TEXT, require: n <= param.boundless, else: REFUSE}\n", "schedule/s.yaml", `site: s
source: x
hours:
  - {class: driver, days: [sunday, monday, tuesday, wednesday, thursday, friday], open: ["08:00-16:00"]}
  - {class: visitor, days: [saturday], open: ["08:00-16:00"]}
`)
	q := noon("2025-06-07").with("n", int64(1)<<60) // a Saturday
	expect(t, l, "on foot", q.with("class", "visitor"), reason.Allow)
	expect(t, l, "trucks", q.with("class", "driver"), reason.Closed, CodeHours)
	q.At = at("2025-06-08T12:00:00Z")
	expect(t, l, "on Sunday", q.with("class", "driver"), reason.Allow)
	if got := unitText(1<<63-1, "count"); got != "unlimited" {
		t.Errorf("got %q", got)
	}
}

// TestF19Capacity: so many vendors of each side, as slots share them.
func TestF19Capacity(t *testing.T) {
	l := wideLaw(t, "  - {id: c, kind: rule, SILENT}\n", "schedule/s.yaml", `site: s
source: x
hours:
  - {open: ["08:00-16:00"]}
slots:
  - {class: visitor, minutes: 120, from: "08:00", to: "16:00", capacity: four, shares: {A: 50, B: 25}}
`)
	p, ok := l.Slot(1, 1, DayNumber(day("2025-06-02")), 480)
	if !ok || p.Capacity != 4 || p.Allotment[agreement.A] != 2 || p.Allotment[agreement.B] != 1 {
		t.Errorf("got %+v", p)
	}
}

// TestF20ByPerson: outcomes by role, nationality, purpose and age.
func TestF20ByPerson(t *testing.T) {
	l := wideLaw(t, "  - {id: c, kind: table, TEXT, table: who, regime: visa}\n", "tables/who.yaml", "id: who\ntitle: "+say+"\nsource: x\ninputs: [person.nationality, visit.purpose, person.age]\noutputs: [outcome]\n",
		"tables/who.csv", "person.nationality,visit.purpose,person.age,outcome\nPAK|IRN,trade,>=18,ALLOW\nPAK|IRN,trade,<18,HOLD\nPAK|IRN,!trade,-,REFUSE\n!PAK|IRN,-,-,DIVERT\n")
	q := noon("2025-06-02").with("person.nationality", "PAK", "visit.purpose", "trade", "person.age", int64(18))
	expect(t, l, "a trader", q, reason.Allow)
	expect(t, l, "a young one", q.with("person.age", int64(17)), reason.Hold)
	expect(t, l, "a visitor of any age", noon("2025-06-02").with("person.nationality", "PAK", "visit.purpose", "visit"), reason.Refuse)
	expect(t, l, "another", q.with("person.nationality", "AFG"), reason.Divert)
	delete(q.Facts, "person.age")
	if v := expect(t, l, "of no known age", q, reason.Refer); !slices.Equal(v.Missing, []string{"person.age"}) {
		t.Errorf("missing %v", v.Missing)
	}
	// What lies outside the closed set counts as not given.
	expect(t, l, "a purpose that there is not", noon("2025-06-02").with("person.nationality", "PAK", "visit.purpose", "trаde"), reason.Refer)
	e, _ := wide(t, "  - {id: c, kind: rule, TEXT, require: \"visit.purpose == 'trаde'\", else: REFUSE}\n")
	if faults := Check(e); len(faults) == 0 || !strings.Contains(faults[0].What, "never a value") {
		t.Errorf("a look-alike: %v", faults)
	}
}

// TestF21Exceptions: an exception names what it overrides; of a site it beats the rule.
func TestF21Exceptions(t *testing.T) {
	l := wideLaw(t, "  - {id: base, kind: rule, TEXT, require: p, else: REFUSE}\n  - {id: site, kind: rule, SILENT, sites: [r], overrides: [base]}\n")
	expect(t, l, "the rule", noon("2025-06-02").with("p", false), reason.Refuse)
	q := noon("2025-06-02").with("p", false)
	q.Site = "r"
	v := expect(t, l, "the exception", q, reason.Allow)
	if d, by := did(v, "base"); d != didOverride || by != "site" {
		t.Errorf("got %s by %s", d, by)
	}
	// An exception to a definition.
	l = wideLaw(t, `  - {id: a, kind: define, SILENT, attribute: d.level, value: "'high'"}
  - {id: b, kind: define, SILENT, when: p, attribute: d.level, value: "'low'", overrides: [a]}
  - {id: c, kind: rule, TEXT, require: d.level == 'low', else: REFUSE}
`)
	expect(t, l, "low", noon("2025-06-02").with("p", true), reason.Allow)
	expect(t, l, "high", noon("2025-06-02").with("p", false), reason.Refuse)
	if v := expect(t, l, "not known which", noon("2025-06-02"), reason.Refer); !slices.Contains(v.Missing, "p") {
		t.Errorf("missing %v", v.Missing)
	}
}

// TestF22Sunset: an override of one side with an end and a condition.
func TestF22Sunset(t *testing.T) {
	l := wideLaw(t, "  - {id: base, kind: rule, TEXT, then: HOLD}\n  - {id: ease, kind: rule, SILENT, from: 2025-03-01, until: 2025-09-01, sides: [B], when: p, overrides: [base]}\n")
	q := noon("2025-06-02").with("p", true)
	expect(t, l, "not of side A", q, reason.Hold)
	q.Side = "B"
	expect(t, l, "of side B", q, reason.Allow)
	expect(t, l, "its condition not met", q.with("p", false), reason.Hold)
	q.At = at("2025-09-01T00:00:00Z")
	if v := expect(t, l, "over", q, reason.Hold); v.Steps[1].Note != "no longer in force" {
		t.Errorf("got %q", v.Steps[1].Note)
	}
}

// TestF23Conflict: a treaty permits what a customs notification is against. Both are
// shown, and neither wins.
func TestF23Conflict(t *testing.T) {
	text := "  - {id: treaty, kind: rule, SILENT, matter: cargo, when: p}\n---\ninstrument: j\nclauses:\n  - {id: notice, kind: rule, TEXT, matter: cargo, then: REFUSE%s}\n"
	l := wideLaw(t, strings.Replace(text, "%s", "", 1))
	v := expect(t, l, "both", noon("2025-06-02").with("p", true), reason.Conflict, CodeMatter)
	var cited []string
	for _, r := range v.Reasons {
		if r.Code == CodeMatter {
			cited = append(cited, r.Clause)
		}
	}
	if !slices.Equal(cited, []string{"notice", "treaty"}) || v.Reasons[len(v.Reasons)-1].Code != CodeRefuse {
		t.Errorf("got %s", why(v))
	}
	expect(t, l, "the treaty does not apply", noon("2025-06-02").with("p", false), reason.Refuse)
	over := wideLaw(t, strings.Replace(text, "%s", ", when: q, overrides: [treaty]", 1))
	expect(t, over, "one sets the other aside", noon("2025-06-02").with("p", true, "q", true), reason.Refuse)
	same := wideLaw(t, strings.Replace(strings.Replace(text, "%s", "", 1), "instrument: j", "instrument: i", 1))
	expect(t, same, "one text", noon("2025-06-02").with("p", true), reason.Refuse)
	differ := wideLaw(t, "  - {id: a, kind: rule, TEXT, matter: m, then: HOLD}\n---\ninstrument: j\nclauses:\n  - {id: b, kind: rule, TEXT, matter: m, then: DIVERT, regime: x}\n")
	expect(t, differ, "against it in two ways", noon("2025-06-02"), reason.Conflict, CodeMatter)
}

// TestF24Duties: what the authority owes, with a clock.
func TestF24Duties(t *testing.T) {
	l := wideLaw(t, "  - {id: c, kind: duty, TEXT, by: A, start: inspect.asked, within: quarter, done: inspect.done, else: BREACH}\n  - {id: d, kind: duty, TEXT, by: A, require: value.displayed, else: BREACH}\n")
	q := noon("2025-06-02").with("value.displayed", true)
	v := expect(t, l, "still time", q.with("inspect.asked", at("2025-06-02T11:45:00Z")), reason.Allow)
	if _, note := did(v, "c"); note != "due by 2025-06-02 12:00" {
		t.Errorf("got %q", note)
	}
	expect(t, l, "late", q.with("inspect.asked", at("2025-06-02T11:44:59Z")), reason.Breach, CodeBreach)
	expect(t, l, "done late", q.with("inspect.asked", at("2025-06-02T09:00:00Z"), "inspect.done", at("2025-06-02T09:16:00Z")), reason.Breach)
	expect(t, l, "done in time", q.with("inspect.asked", at("2025-06-02T09:00:00Z"), "inspect.done", at("2025-06-02T09:15:00Z")), reason.Allow)
	expect(t, l, "not displayed", q.with("inspect.asked", at("2025-06-02T11:50:00Z"), "value.displayed", false), reason.Breach)
}

// TestF25Clarification: what turns on a question that a committee settles from a day on,
// as far as that was known.
func TestF25Clarification(t *testing.T) {
	l := wideLaw(t, `instrument: i
questions:
  - {id: k, asks: `+say+`, reading: `+say+`, by: nobody, words: x, settled: [{from: 2025-06-01, published: 2025-05-20, by: both, reading: `+say+`, instrument: clear, source: x, holds: [c]}]}
clauses:
  - {id: c, kind: rule, TEXT, require: p, else: REFUSE, turns: [k]}
`, "instruments", "  - {id: i, title: "+say+", status: law, source: x}\n  - {id: clear, title: "+say+", status: clarification, source: x}\n")
	q := noon("2025-05-31").with("p", false)
	if v := expect(t, l, "before", q, reason.Refer, CodeQuestion); len(v.Questions) != 1 || v.Questions[0].Settled {
		t.Errorf("got %v", v.Questions)
	}
	expect(t, l, "before, and met", q.with("p", true), reason.Allow)
	q.At = at("2025-06-01T00:00:00Z")
	expect(t, l, "settled", q, reason.Refuse)
	q.Known = at("2025-05-19T12:00:00Z")
	expect(t, l, "as known before it was published", q, reason.Refer, CodeQuestion)
	q.Known = at("2025-05-20T12:00:00Z")
	expect(t, l, "as known when it was", q, reason.Refuse)
}

// TestF26Suspension: closed for some, and what was issued before is void.
func TestF26Suspension(t *testing.T) {
	l := wideLaw(t, "  - {id: all, kind: rule, SILENT}\n  - {id: c, kind: suspend, TEXT, from: 2025-02-23, until: 2025-03-07, classes: [visitor], direction: in, voids: true, issued: pass.issued}\n")
	q := noon("2025-02-25").with("class", "visitor", "direction", "in", "pass.issued", day("2025-02-01"))
	v := expect(t, l, "closed", q, reason.Closed, CodeClosed)
	if v.Reasons[0].Params["resumes"] != "2025-03-07" {
		t.Errorf("got %v", v.Reasons[0].Params)
	}
	expect(t, l, "on the way out", q.with("direction", "out"), reason.Allow)
	expect(t, l, "another class", q.with("class", "driver"), reason.Allow)
	q.At = at("2025-03-08T12:00:00Z")
	expect(t, l, "opened again, issued before", q, reason.Refuse, CodeRefuse)
	expect(t, l, "issued since", q.with("pass.issued", day("2025-03-07")), reason.Allow)
	q.At = at("2025-02-22T12:00:00Z")
	expect(t, l, "not yet", q, reason.Allow)
}

// TestF27Ledger: import first, export within so many days, and what becomes of a running
// clock when the number changes.
func TestF27Ledger(t *testing.T) {
	clause := "  - {id: c, kind: ledger, TEXT, first: {events: import}, then: {events: export}, sum: good.value, within: deadline, running: %s, tolerance: slack, adds: %s, amount_of: good.value, else: HOLD}\n"
	build := func(running, adds string) *Law {
		s := strings.Replace(strings.Replace(clause, "%s", running, 1), "%s", adds, 1)
		if adds == "none" {
			s = strings.Replace(s, "amount_of: good.value, ", "", 1)
		}
		return wideLaw(t, s)
	}
	imported := happenedOn("2025-03-01", "good.value", int64(10000))
	fixed, follows, export := build("fixed", "none"), build("follows", "none"), build("fixed", "then")
	q := noon("2025-05-30").of("import", imported).of("export") // the 90th day
	v := expect(t, fixed, "last day", q, reason.Allow)
	if a, ok := v.Amount("ledger.open", "c"); !ok || a.Minor != 10000 {
		t.Errorf("open: %v", a)
	}
	expect(t, follows, "by the new number", q, reason.Hold)
	q.At = at("2025-05-31T12:00:00Z")
	if v := expect(t, fixed, "overdue", q, reason.Hold); v.Reasons[0].Params["due"] != "2025-05-30" {
		t.Errorf("got %v", v.Reasons[0].Params)
	}
	expect(t, fixed, "netted", q.of("export", happenedOn("2025-05-01", "good.value", int64(10000))), reason.Allow)
	expect(t, fixed, "netted but for 2 %", q.of("export", happenedOn("2025-05-01", "good.value", int64(9800))), reason.Allow)
	expect(t, fixed, "netted but for more", q.of("export", happenedOn("2025-05-01", "good.value", int64(9799))), reason.Hold)
	second := happenedOn("2025-04-01", "good.value", int64(5000))
	if v := expect(t, fixed, "oldest first", q.of("import", second, imported).of("export", happenedOn("2025-05-01", "good.value", int64(10000))), reason.Allow); v.Amounts[0].Minor != 5000 {
		t.Errorf("open: %v", v.Amounts)
	}
	q.At = at("2025-03-10T12:00:00Z")
	expect(t, export, "exported first", q.of("import").with("good.value", int64(100)), reason.Hold)
	expect(t, export, "as much as was imported", q.with("good.value", int64(10000)), reason.Allow)
	expect(t, export, "more than that", q.with("good.value", int64(10001)), reason.Hold)
}

// TestF28Ratio: one in, one out over a month.
func TestF28Ratio(t *testing.T) {
	l := wideLaw(t, "  - {id: c, kind: ratio, TEXT, of: {events: trip, where: \"event.direction == 'in'\"}, to: {events: trip, where: \"event.direction == 'out'\"}, times: evenly, window: {per: month}, adds: 1, else: HOLD}\n")
	in, out := happenedOn("2025-06-01", "direction", "in"), happenedOn("2025-06-01", "direction", "out")
	expect(t, l, "one out", noon("2025-06-02").of("trip", out), reason.Allow)
	expect(t, l, "one in already", noon("2025-06-02").of("trip", in, out), reason.Hold)
	expect(t, l, "last month's do not count", noon("2025-07-02").of("trip", out), reason.Hold)
	expect(t, l, "which way is not known", noon("2025-06-02").of("trip", out, happenedOn("2025-06-01")), reason.Refer)
}

// TestF29Release: a guarantee that is free once the certificate arrives.
func TestF29Release(t *testing.T) {
	l := wideLaw(t, "  - {id: c, kind: guarantee, TEXT, amount: guarantee, of: [good.value], rate: twenty, require: guarantee.given, release: certificate.arrived, else: HOLD, missing: HOLD}\n")
	q := noon("2025-06-02").with("good.value", int64(10000))
	expect(t, l, "not given", q.with("guarantee.given", false), reason.Hold)
	if v := expect(t, l, "given", q.with("guarantee.given", true), reason.Allow); len(v.Amounts) != 2 || v.Amounts[0].Minor != 2000 {
		t.Errorf("got %v", v.Amounts)
	}
	v := expect(t, l, "released", q.with("guarantee.given", true, "certificate.arrived", true), reason.Allow)
	if a, ok := v.Amount("guarantee.release", ""); !ok || a.Minor != 2000 {
		t.Errorf("got %v", v.Amounts)
	}
}

// TestF30Turns: exit control of A, then entry control of B.
func TestF30Turns(t *testing.T) {
	l := wideLaw(t, "  - {id: c, kind: turn, TEXT, order: [{side: A, step: exit-a}, {side: B, step: health-b}, {side: B, step: entry-b}], step: step, done: steps.done, else: HOLD}\n")
	q := noon("2025-06-02")
	q.Side = "B"
	if v := expect(t, l, "too early", q.with("step", "entry-b", "steps.done", []string{"exit-a"}), reason.Hold); v.Reasons[0].Params["after"] != "health-b" {
		t.Errorf("got %v", v.Reasons[0].Params)
	}
	expect(t, l, "in order", q.with("step", "entry-b", "steps.done", []string{"health-b", "exit-a"}), reason.Allow)
	q.Side = "A"
	expect(t, l, "the wrong side", q.with("step", "entry-b", "steps.done", []string{"health-b", "exit-a"}), reason.Hold)
	expect(t, l, "the first", q.with("step", "exit-a", "steps.done", []string{}), reason.Allow)
}

// TestF31Frames: bounds, a standstill that only both can lift, and a proposal.
func TestF31Frames(t *testing.T) {
	clauses := "  - {id: c, kind: bound, text: " + say + ", require: \"param.allowance >= prior.param.allowance || signed.both\"}\n"
	base, _ := wide(t, clauses)
	less, _ := wide(t, clauses)
	for i := range less.Parameters["allowance"].Values {
		less.Parameters["allowance"].Values[i].Int /= 2
	}
	if faults := CheckBounds(less, base, false); len(faults) != 1 || faults[0].Clause != "c" {
		t.Errorf("by one side: %v", faults)
	}
	if faults := CheckBounds(less, base, true); len(faults) != 0 {
		t.Errorf("by both: %v", faults)
	}
	if faults := CheckBounds(base, base, false); len(faults) != 0 {
		t.Errorf("unchanged: %v", faults)
	}
	l := wideLaw(t, "  - {id: all, kind: rule, SILENT}\n---\ninstrument: draft\nclauses:\n  - {id: c, kind: rule, TEXT, then: REFUSE}\n", "instruments",
		"  - {id: i, title: "+say+", status: law, source: x}\n  - {id: draft, title: "+say+", status: proposal, source: x}\n")
	v := expect(t, l, "a proposal", noon("2025-06-02"), reason.Allow)
	if d, note := did(v, "c"); d != didDormant || note != "a proposal is not law" {
		t.Errorf("got %s, %s", d, note)
	}
}

// TestF32Sharing: a positive result, to the home state's ministry, and no name.
func TestF32Sharing(t *testing.T) {
	l := wideLaw(t, "  - {id: c, kind: share, TEXT, to: [ministry], event: [result.positive], fields: [result, place], never: [name], else: REFUSE}\n")
	q := noon("2025-06-02").with("data.event", "result.positive", "data.recipient", "ministry", "data.fields", []string{"result"})
	q.Point = Gate
	expect(t, l, "what may go", q, reason.Allow)
	if v := expect(t, l, "a name", q.with("data.fields", []string{"result", "name"}), reason.Refuse); v.Reasons[0].Params["fields"] != "name" {
		t.Errorf("got %v", v.Reasons[0].Params)
	}
	expect(t, l, "a field of which nothing is said", q.with("data.fields", []string{"phone"}), reason.Refuse)
	expect(t, l, "a recipient of whom nothing is said", q.with("data.recipient", "press"), reason.Refer, CodeUnshared)
	expect(t, l, "another event", q.with("data.event", "visit.ended"), reason.Refer, CodeUnshared)
}

// TestF33Unknown: no version in force, and what is not known, give REFER.
func TestF33Unknown(t *testing.T) {
	e, _ := wide(t, "  - {id: c, kind: rule, TEXT, require: n <= param.open, else: REFUSE}\n")
	l, err := CompileAdopted(Adopted{e, at("2025-03-01T00:00:00Z")})
	if err != nil {
		t.Fatal(err)
	}
	expect(t, l, "before its time", noon("2024-12-31"), reason.Refer, CodeEdition)
	q := noon("2025-06-02").with("n", int64(1))
	expect(t, l, "a number that nobody gave", q, reason.Refer, CodeParameter)
	q.Known = at("2025-02-28T23:59:59Z")
	expect(t, l, "before it was adopted", q, reason.Refer, CodeEdition)
	q.Known = q.Known.Add(time.Second)
	expect(t, l, "when it was", q, reason.Refer, CodeParameter)
	published := wideLaw(t, "  - {id: all, kind: rule, SILENT}\n  - {id: c, kind: rule, TEXT, published: 2025-05-01, then: REFUSE}\n")
	q = noon("2025-06-02")
	expect(t, published, "known today", q, reason.Refuse)
	q.Known = at("2025-04-30T12:00:00Z")
	if v := expect(t, published, "known before", q, reason.Allow); v.Steps[1].Note != "not published yet" {
		t.Errorf("got %v", v.Steps)
	}
}
