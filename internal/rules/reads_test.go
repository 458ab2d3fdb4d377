// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"slices"
	"testing"

	"darwaza.dev/internal/reason"
)

// TestReads says what a clause reads: what stands in a text does not count, what is worked
// out counts with what it is made of, and so does what a field of its kind names.
func TestReads(t *testing.T) {
	l := wideLaw(t, `  - {id: made, kind: define, SILENT, attribute: d.flag, value: screening.fever}
  - {id: text, kind: rule, TEXT, require: "w != 'screening.fever'", else: REFUSE}
  - {id: far, kind: rule, TEXT, require: "!d.flag", else: REFUSE}
  - {id: near, kind: rule, TEXT, require: "!screening.fever", else: REFUSE}
  - {id: paper, kind: fields, TEXT, fields: [certificate.arrived], else: REFUSE}
`)
	q := noon("2025-06-02")
	for clause, want := range map[string][]string{
		"text": {"w"}, "far": {"d.flag", "screening.fever"}, "near": {"screening.fever"}, "paper": {"certificate.arrived"}, "made": {"screening.fever"}, "gone": nil, "": nil,
	} {
		if got := l.Reads(reason.Reason{Clause: clause}, q.At); !slices.Equal(got, want) {
			t.Errorf("%s reads %q, want %q", clause, got, want)
		}
	}
	if got := l.Reads(reason.Reason{Clause: "near", Agreement: "another"}, q.At); got != nil {
		t.Errorf("of another agreement: %q", got)
	}
}

// TestDecider names who ends what a reason leaves open.
func TestDecider(t *testing.T) {
	l := wideLaw(t, `  - {id: c, kind: rule, TEXT, require: p, else: REFUSE, missing: REFER, decides: supervisor}
  - {id: d, kind: rule, TEXT, require: q, else: HOLD, missing: HOLD}
`)
	q := noon("2025-06-02")
	for _, x := range []struct {
		r    reason.Reason
		want string
	}{
		{reason.Reason{Outcome: reason.Refer, Clause: "c"}, "supervisor"},
		{reason.Reason{Outcome: reason.Refuse, Clause: "c"}, ""},
		{reason.Reason{Outcome: reason.Hold, Clause: "d"}, ""},
		{reason.Reason{Outcome: reason.Hold, Clause: "d", Params: map[string]string{"decides": "clerk"}}, "clerk"},
		{reason.Reason{Outcome: reason.Refer, Clause: "c", Params: map[string]string{"decides": "clerk"}}, "clerk"},
		{reason.Reason{Outcome: reason.Refer}, ""},
	} {
		if got := l.Decider(x.r, q.At); got != x.want {
			t.Errorf("%+v: %q, want %q", x.r, got, x.want)
		}
	}
	v := l.Check(q)
	for _, r := range v.Reasons {
		if r.Clause == "c" && (r.Params["decides"] != "supervisor" || l.Decider(r, q.At) != "supervisor") {
			t.Errorf("%+v", r)
		}
	}
}

// TestAttributeNamedDates has an edition declare an attribute of the name by which an open
// day was once known: the day that no text gives is still told as that.
func TestAttributeNamedDates(t *testing.T) {
	l := wideLaw(t, "  - {id: c, kind: rule, TEXT, require: param.vague > 3, else: REFUSE}\n", "attributes", "  - {id: dates, name: "+say+", type: bool}\n",
		"parameters", "  - {id: vague, text: "+say+", unit: count, values: [{from: 2025-01-01, value: 1, source: x}, {from: 2025-06, value: 5, source: x}]}\n")
	v := l.Check(noon("2025-06-02").with("dates", true))
	if len(v.Reasons) != 1 || v.Reasons[0].Code != CodeDate {
		t.Errorf("%s", why(v))
	}
	l = wideLaw(t, "  - {id: c, kind: rule, TEXT, require: dates, else: REFUSE}\n", "attributes", "  - {id: dates, name: "+say+", type: bool}\n")
	if v := l.Check(noon("2025-06-02")); len(v.Reasons) != 1 || v.Reasons[0].Code != CodeUnknown || !slices.Equal(v.Missing, []string{"dates"}) {
		t.Errorf("%s", why(v))
	}
}
