// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"testing"

	"darwaza.dev/internal/reason"
)

// TestEdges are the corners of the kinds that no example of a text shows.
func TestEdges(t *testing.T) {
	by := wideLaw(t, "  - {id: c, kind: cap, TEXT, events: trip, count: true, by: [direction], window: {per: month}, limit: one, else: REFUSE}\n")
	in := happenedOn("2025-06-01", "direction", "in")
	expect(t, by, "another way", noon("2025-06-02").of("trip", in).with("direction", "out"), reason.Allow)
	expect(t, by, "the same way", noon("2025-06-02").of("trip", in).with("direction", "in"), reason.Refuse)
	expect(t, by, "which way is not known", noon("2025-06-02").of("trip", in), reason.Refer)

	weekly := wideLaw(t, "  - {id: c, kind: frequency, TEXT, events: trip, window: {per: week}, limit: one, else: REFUSE}\n")
	expect(t, weekly, "Monday and Sunday", noon("2025-06-08").of("trip", happenedOn("2025-06-02")), reason.Refuse)
	expect(t, weekly, "Sunday and Monday", noon("2025-06-09").of("trip", happenedOn("2025-06-08")), reason.Allow)
	yearly := wideLaw(t, "  - {id: c, kind: frequency, TEXT, events: trip, window: {per: year}, limit: one, else: REFUSE}\n")
	expect(t, yearly, "one year", noon("2025-12-31").of("trip", happenedOn("2025-01-01")), reason.Refuse)
	expect(t, yearly, "the year before", noon("2025-01-01").of("trip", happenedOn("2024-12-31")), reason.Allow)

	fifth := wideLaw(t, "  - {id: c, kind: ratio, TEXT, of: {events: export}, to: {events: import}, sum: good.value, times: twenty, adds: good.value, window: {per: year}, else: HOLD}\n")
	q := noon("2025-06-02").of("import", happenedOn("2025-01-02", "good.value", int64(10000))).of("export")
	expect(t, fifth, "a fifth", q.with("good.value", int64(2000)), reason.Allow)
	expect(t, fifth, "a cent more", q.with("good.value", int64(2001)), reason.Hold)

	never := wideLaw(t, "  - {id: c, kind: share, TEXT, to: [ministry], never: [name], else: REFUSE}\n")
	q = noon("2025-06-02").with("data.event", "visit.ended", "data.recipient", "ministry")
	expect(t, never, "a name", q.with("data.fields", []string{"name"}), reason.Refuse)
	expect(t, never, "anything else", q.with("data.fields", []string{"place"}), reason.Allow)

	days := wideLaw(t, "  - {id: c, kind: duty, TEXT, by: B, start: inspect.asked, within: three, done: inspect.done, else: BREACH}\n")
	expect(t, days, "three days", noon("2025-06-05").with("inspect.asked", at("2025-06-02T12:00:00Z")), reason.Allow)
	expect(t, days, "a minute more", noon("2025-06-05").with("inspect.asked", at("2025-06-02T11:59:00Z")), reason.Breach)

	measured := func(measure, unit string) *Law {
		return wideLaw(t, "  - {id: a, kind: define, SILENT, attribute: "+unit+", events: import, measure: \""+measure+"\"}\n  - {id: c, kind: amount, SILENT, amount: base, value: "+unit+"}\n")
	}
	two := noon("2025-06-02").of("import", happenedOn("2025-05-01", "good.value", int64(300)), happenedOn("2025-05-02", "good.value", int64(500)))
	for measure, want := range map[string]int64{"sum:good.value": 800, "max:good.value": 500, "min:good.value": 300} {
		if a, _ := measured(measure, "d.base").Check(two).Amount("base", ""); !a.Known || a.Minor != want {
			t.Errorf("%s: got %v, want %d", measure, a, want)
		}
	}
	expect(t, measured("max:good.value", "d.base"), "of nothing", noon("2025-06-02").of("import"), reason.Refer)
	for measure, want := range map[string]reason.Outcome{"latest": reason.Allow, "earliest": reason.Refuse} {
		l := wideLaw(t, "  - {id: a, kind: define, SILENT, attribute: d.day, events: import, measure: "+measure+"}\n  - {id: c, kind: rule, TEXT, require: \"d.day == date('2025-05-02')\", else: REFUSE}\n")
		expect(t, l, measure, two, want)
	}

	most := wideLaw(t, `  - {id: a, kind: amount, SILENT, amount: one, value: "percent(good.value, param.twenty)"}
  - {id: b, kind: amount, SILENT, amount: two, value: "percent(good.value, param.five)"}
  - {id: c, kind: choice, SILENT, amounts: [one, two], take: most, amount: duty}
`)
	if a, _ := most.Check(noon("2025-06-02").with("good.value", int64(10000))).Amount("duty", ""); a.Minor != 2000 {
		t.Errorf("the most: got %v", a)
	}
}
