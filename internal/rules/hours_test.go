// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"testing"

	"darwaza.dev/internal/reason"
)

// TestHoursOpen: the day is known and the hours are not, nor is the day.
func TestHoursOpen(t *testing.T) {
	const hour = "  - {id: c, kind: schedule, TEXT, else: CLOSED, decides: officer}\n"
	const whole = "  - {id: c, kind: schedule, TEXT, per: day, else: CLOSED, decides: officer}\n"
	tuesdays := []string{"schedule/s.yaml", "site: s\nsource: x\nhours:\n  - {days: [tuesday], open: unknown}\n"}
	nothing := []string{"schedule/s.yaml", "site: s\nsource: x\nhours:\n  - {days: unknown, open: unknown}\n"}
	for _, x := range []struct {
		clause string
		hours  []string
		day    string
		want   reason.Outcome
		code   reason.Code
	}{
		{hour, tuesdays, "2025-06-02", reason.Closed, CodeHours}, // a Monday
		{hour, tuesdays, "2025-06-03", reason.Refer, CodeNoHours},
		{whole, tuesdays, "2025-06-02", reason.Closed, CodeHours},
		{whole, nothing, "2025-06-02", reason.Refer, CodeNoHours},
		{hour, nothing, "2025-06-02", reason.Refer, CodeNoHours},
	} {
		expect(t, wideLaw(t, x.clause, x.hours...), x.day, noon(x.day), x.want, x.code)
	}
	expect(t, wideLaw(t, whole, tuesdays...), "any hour of the day", noon("2025-06-03"), reason.Allow)
}

// TestValuesDated: goods named in words, on a list with days of its own that ends in open
// words or does not.
func TestValuesDated(t *testing.T) {
	lines := "id,en,fa,ur,from,until,exclude\nmelon,x,x,x,,,\nspice,x,x,x,2025-05-01,,\nbasket,x,x,x,,2025-05-01,\ntool,x,x,x,2025-05,,\nvehicle,x,x,x,,,true\n"
	closed := []string{"lists/crops.yaml", "id: crops\nkind: values\ntitle: " + say + "\nsource: x\nlines: crops.csv\n", "lists/crops.csv", lines}
	open := []string{"lists/crops.yaml", "id: crops\nkind: values\ntitle: " + say + "\nsource: x\nopen: " + say + "\nlines: crops.csv\n", "lists/crops.csv", lines}
	clauses := map[string]string{
		"listed":    "  - {id: c, kind: listed, TEXT, list: crops, code: good.code, else: REFUSE}\n",
		"member":    "  - {id: c, kind: rule, TEXT, require: \"member(good.code, 'crops')\", else: REFUSE}\n",
		"residence": "  - {id: c, kind: residence, TEXT, place: good.code, list: crops, else: REFUSE}\n",
	}
	for _, name := range sortedKeys(clauses) {
		for _, x := range []struct {
			good, day string
			shut, may reason.Outcome // of a list that is closed, and of one that ends in open words
		}{
			{"melon", "2025-04-01", reason.Allow, reason.Allow},
			{"spice", "2025-04-30", reason.Refuse, reason.Refer},
			{"spice", "2025-05-01", reason.Allow, reason.Allow},
			{"basket", "2025-04-30", reason.Allow, reason.Allow},
			{"basket", "2025-05-01", reason.Refuse, reason.Refer},
			{"tool", "2025-05-15", reason.Refer, reason.Refer},
			{"vehicle", "2025-05-15", reason.Refuse, reason.Refuse},
			{"gun", "2025-05-15", reason.Refuse, reason.Refer},
		} {
			q := noon(x.day).with("good.code", x.good)
			expect(t, wideLaw(t, clauses[name], closed...), name+" closed, "+x.good+" on "+x.day, q, x.shut)
			expect(t, wideLaw(t, clauses[name], open...), name+" open, "+x.good+" on "+x.day, q, x.may)
		}
	}
}
