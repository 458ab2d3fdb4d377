// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"strings"
	"testing"

	"darwaza.dev/internal/reason"
)

// TestLedgerEither nets whichever leg came first, and a leg of the question that nets
// nothing is open itself.
func TestLedgerEither(t *testing.T) {
	law := func(more string) *Law {
		return wideLaw(t, "  - {id: c, kind: ledger, TEXT, first: {events: import}, then: {events: export}, sum: good.value, within: month, "+more+", else: REFUSE}\n")
	}
	leg := func(day string, n int64) Event { return happenedOn(day, "good.value", n) }
	either, ordered := law("either: true, adds: none"), law("adds: none")
	for _, x := range []struct {
		name            string
		in, out         []Event
		day             string
		either, ordered reason.Outcome
	}{
		{"out first, in later", []Event{leg("2025-03-10", 500)}, []Event{leg("2025-03-01", 500)}, "2025-05-01", reason.Allow, reason.Refuse},
		{"out and never in", nil, []Event{leg("2025-03-01", 500)}, "2025-03-31", reason.Allow, reason.Allow},
		{"out and not in by its day", nil, []Event{leg("2025-03-01", 500)}, "2025-04-01", reason.Refuse, reason.Allow},
		{"in and not out by its day", []Event{leg("2025-03-01", 500)}, nil, "2025-04-01", reason.Refuse, reason.Refuse},
		{"in, out twice, in again", []Event{leg("2025-03-01", 500), leg("2025-03-20", 100)}, []Event{leg("2025-03-05", 200), leg("2025-03-10", 400)}, "2025-05-01", reason.Allow, reason.Refuse},
		{"in, out for more", []Event{leg("2025-03-01", 500)}, []Event{leg("2025-03-05", 600)}, "2025-05-01", reason.Refuse, reason.Allow},
	} {
		q := noon(x.day).of("import", x.in...).of("export", x.out...)
		expect(t, either, x.name+", either", q, x.either)
		expect(t, ordered, x.name+", in order", q, x.ordered)
	}
	q := noon("2025-03-05").of("import").of("export").with("good.value", int64(700))
	expect(t, law("adds: then, amount_of: good.value"), "out before in", q, reason.Refuse)
	v := expect(t, law("either: true, adds: then, amount_of: good.value"), "out before in, either", q, reason.Allow)
	if a, _ := v.Amount("ledger.open", "c"); a.Minor != 700 {
		t.Errorf("open are %v", v.Amounts)
	}
	v = expect(t, law("either: true, adds: first, amount_of: good.value"), "in after out", q.of("export", leg("2025-03-01", 200)), reason.Allow)
	if a, _ := v.Amount("ledger.open", "c"); a.Minor != 500 {
		t.Errorf("open are %v", v.Amounts)
	}
}

// TestLedgerStart counts the time from a day of the permit, by the value of that day.
func TestLedgerStart(t *testing.T) {
	l := wideLaw(t, "  - {id: c, kind: ledger, TEXT, first: {events: import}, then: {events: export}, sum: good.value, within: deadline, start: pass.issued, adds: none, else: REFUSE, missing: HOLD}\n")
	q := noon("2025-07-29").of("import", happenedOn("2025-07-01", "good.value", int64(500))).of("export")
	expect(t, l, "90 days of an issue in April", q.with("pass.issued", day("2025-04-30")), reason.Allow)
	q.At = at("2025-07-30T00:00:00Z")
	expect(t, l, "and the day after", q.with("pass.issued", day("2025-04-30")), reason.Refuse)
	q.At = at("2025-06-30T12:00:00Z")
	expect(t, l, "60 days of an issue in May", q.with("pass.issued", day("2025-05-01")).of("import", happenedOn("2025-06-01", "good.value", int64(500))), reason.Allow)
	q.At = at("2025-07-01T12:00:00Z")
	expect(t, l, "and the day after", q.with("pass.issued", day("2025-05-01")), reason.Refuse)
	v := expect(t, l, "no day of issue", q, reason.Hold)
	if len(v.Missing) != 1 || v.Missing[0] != "pass.issued" {
		t.Errorf("missing: %v", v.Missing)
	}
	expect(t, l, "no day of issue, and nothing open", q.of("import"), reason.Allow)
}

// TestUnknownThatChangesNothing: a tolerance or a ratio that nobody knows makes open only
// what it could change.
func TestUnknownThatChangesNothing(t *testing.T) {
	const open = "  - {id: tol, text: " + say + ", unit: percent, values: [{from: 2025-01-01, value: unknown, source: x}]}\n"
	leg := func(day string, n int64) Event { return happenedOn(day, "good.value", n) }
	l := wideLaw(t, "  - {id: c, kind: ledger, TEXT, first: {events: import}, then: {events: export}, sum: good.value, within: month, tolerance: tol, adds: then, amount_of: good.value, else: REFUSE}\n", "parameters", open)
	q := noon("2025-03-05").of("import", leg("2025-03-01", 40000000)).of("export").with("good.value", int64(100))
	v := expect(t, l, "in time", q, reason.Allow)
	if a, there := v.Amount("ledger.open", "c"); there {
		t.Errorf("a figure that turns on the tolerance: %v", a)
	}
	v = expect(t, l, "all netted", q.with("good.value", int64(40000000)), reason.Allow)
	if a, there := v.Amount("ledger.open", "c"); !there || a.Minor != 0 {
		t.Errorf("nothing is open: %v", v.Amounts)
	}
	expect(t, l, "more out than in", q.with("good.value", int64(40000001)), reason.Refuse)
	late := q
	late.At = at("2025-05-01T12:00:00Z")
	expect(t, l, "late, but for the tolerance", late, reason.Refer, CodeParameter)
	expect(t, l, "late, and all netted", late.with("good.value", int64(40000000)), reason.Allow)
	l = wideLaw(t, "  - {id: c, kind: ratio, TEXT, of: {events: export}, to: {events: import}, count: true, times: tol, window: {per: month}, adds: 0, else: REFUSE}\n", "parameters", open)
	q = noon("2025-03-05").of("import").of("export")
	expect(t, l, "none at all", q, reason.Allow)
	expect(t, l, "one, whatever there may be", q.of("export", leg("2025-03-01", 1)), reason.Refer, CodeParameter)
}

// TestCapOfPermit holds a sum against what a permit is for.
func TestCapOfPermit(t *testing.T) {
	const clause = "  - {id: c, kind: cap, TEXT, limit: good.freight, events: import, sum: good.value, adds: good.value, window: {per: ever}, else: REFUSE, missing: HOLD}\n"
	l := wideLaw(t, clause)
	q := noon("2025-03-05").with("good.value", int64(400)).of("import", happenedOn("2025-03-01", "good.value", int64(600)))
	v := expect(t, l, "up to it", q.with("good.freight", int64(1000)), reason.Allow)
	if a, _ := v.Amount("allowance.left", "c"); !a.Known || a.Minor != 0 {
		t.Errorf("left: %v", v.Amounts)
	}
	expect(t, l, "above it", q.with("good.freight", int64(999)), reason.Refuse, CodeCapRefuse)
	if v := expect(t, l, "not known", q, reason.Hold); len(v.Missing) != 1 || v.Missing[0] != "good.freight" {
		t.Errorf("missing: %v", v.Missing)
	}
	lots := wideLaw(t, "  - {id: c, kind: cap, TEXT, limit: good.freight, per: day, else: REFUSE}\n")
	q = noon("2025-03-05").with("good.value", int64(400), "good.freight", int64(500))
	expect(t, lots, "a lot", q, reason.Allow)
	expect(t, lots, "a lot above it", q.with("good.value", int64(501)), reason.Refuse)
	for from, says := range map[string]string{"good.weight": `good.weight is in "kg", and what is held against it in "USD"`, "screening.fever": "is sensitive", "nothing.here": `parameter "nothing.here" is not known`} {
		_, faults := wide(t, strings.Replace(clause, "limit: good.freight", "limit: "+from, 1))
		if len(faults.Errors()) == 0 || !strings.Contains(faults.Errors().Error(), says) {
			t.Errorf("%s: got %v", from, faults.Errors())
		}
	}
}

// TestAsOf reads the value of a parameter of another day.
func TestAsOf(t *testing.T) {
	l := wideLaw(t, "  - {id: c, kind: rule, TEXT, require: \"today <= pass.issued + asof('deadline', pass.issued)\", else: REFUSE, missing: HOLD}\n")
	q := noon("2025-07-29")
	expect(t, l, "90 days", q.with("pass.issued", day("2025-04-30")), reason.Allow)
	expect(t, l, "60 days", q.with("pass.issued", day("2025-05-30")), reason.Allow)
	expect(t, l, "61 days", q.with("pass.issued", day("2025-05-29")), reason.Refuse)
	expect(t, l, "no day", q, reason.Hold)
	expect(t, l, "a day without a value", q.with("pass.issued", day("2024-12-31")), reason.Refer, CodeParameter)
	for text, says := range map[string]string{
		"n < asof('nothing', today)": `parameter "nothing" is not known`, "n < asof('deadline', n)": "", "n < asof(w, today)": "a parameter that is not written out",
		"n < asof('deadline', good.weight)": "asof of good.weight, which counts kg and not date", "good.weight < asof('deadline', today)": "counts",
	} {
		e, faults := wide(t, "  - {id: c, kind: rule, TEXT, require: \""+text+"\", else: REFUSE}\n")
		faults = append(faults.Errors(), Check(e)...)
		if (says == "") != (len(faults) == 0) || says != "" && !strings.Contains(faults.Error(), says) {
			t.Errorf("%s: got %v", text, faults)
		}
	}
}

// TestQuarter counts what happened in the quarter of the calendar.
func TestQuarter(t *testing.T) {
	l := wideLaw(t, "  - {id: c, kind: frequency, TEXT, events: trip, window: {per: quarter}, limit: one, else: REFUSE}\n")
	for day, want := range map[string]reason.Outcome{"2025-04-01": reason.Refuse, "2025-06-30": reason.Refuse, "2025-07-01": reason.Allow, "2025-03-31": reason.Allow} {
		expect(t, l, day, noon(day).of("trip", happenedOn("2025-05-10", "direction", "in")), want)
	}
	expect(t, l, "the last", noon("2025-12-31").of("trip", happenedOn("2025-10-01", "direction", "in")), reason.Refuse)
}

// TestListReadInPart leaves to a person what may stand on the rest of a list.
func TestListReadInPart(t *testing.T) {
	parts := produce(false)
	parts[1] += "partial: true\nitems: 90\n"
	l := wideLaw(t, "  - {id: c, kind: listed, TEXT, list: produce, else: DIVERT, regime: tariff}\n", parts...)
	q := noon("2025-06-02")
	expect(t, l, "on it", q.with("good.code", "0705.1100"), reason.Allow)
	expect(t, l, "perhaps on the rest", q.with("good.code", "0805.1000"), reason.Refer, CodeGoodOpen)
	expect(t, l, "not of that state, and perhaps on the rest", q.with("good.code", "0702.0000", "state.from", "IRN"), reason.Refer, CodeGoodOpen)
	words := wideLaw(t, "  - {id: c, kind: rule, TEXT, require: \"member(w, 'w')\", else: REFUSE}\n",
		"lists/w.yaml", "id: w\nkind: values\ntitle: "+say+"\nsource: x\nlines: w.csv\npartial: true\n", "lists/w.csv", "id,en,fa,ur,exclude\nrice,x,x,x,\nsalt,x,x,x,true\n")
	expect(t, words, "a text on it", q.with("w", "rice"), reason.Allow)
	expect(t, words, "a text that is taken out", q.with("w", "salt"), reason.Refuse)
	expect(t, words, "a text that may be on the rest", q.with("w", "tea"), reason.Refer, CodeGoodOpen)
	parts[1] += "absent: true\n"
	if _, faults := wide(t, "  - {id: c, kind: rule, SILENT}\n", parts...); !strings.Contains(faults.Errors().Error(), "absent, and yet read in part") {
		t.Errorf("got %v", faults)
	}
}
