// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"strings"
	"testing"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/reason"
)

// TestEndPublishedLater asks of the day after an end that was published three days later,
// as it was known before: the old rule still holds, wherever the end stands. Each package
// would let through what both the old and the new rule refuse.
func TestEndPublishedLater(t *testing.T) {
	const after = "  - {id: new, kind: rule, TEXT, from: 2025-06-01, published: 2025-06-04, require: q, else: REFUSE}\n"
	const all = "  - {id: all, kind: rule, SILENT}\n"
	for name, l := range map[string]*Law{
		"clause":     wideLaw(t, all+after+"  - {id: old, kind: rule, TEXT, until: 2025-06-01, ended: 2025-06-04, require: p, else: REFUSE}\n"),
		"period":     wideLaw(t, all+after+"  - {id: old, kind: rule, TEXT, holds: [{sites: [s], until: 2025-06-01, ended: 2025-06-04}], require: p, else: REFUSE}\n"),
		"suspension": wideLaw(t, all+after+"  - {id: old, kind: suspend, TEXT, until: 2025-06-01, ended: 2025-06-04, then: REFUSE}\n"),
		"instrument": wideLaw(t, "instrument: i\nclauses:\n"+all+after+"---\ninstrument: j\nclauses:\n  - {id: old, kind: rule, TEXT, require: p, else: REFUSE}\n",
			"instruments", "  - {id: i, title: "+say+", status: law, source: x}\n  - {id: j, title: "+say+", status: law, source: x, until: 2025-06-01, ended: 2025-06-04}\n"),
	} {
		q := noon("2025-06-02").with("p", false, "q", true)
		expect(t, l, name+", as all is known", q, reason.Allow)
		q.Known = at("2025-06-03T23:59:59Z")
		if v := expect(t, l, name+", as known before", q, reason.Refuse); v.Reasons[0].Clause != "old" {
			t.Errorf("%s: got %v", name, v.Reasons)
		}
		q.Known = at("2025-06-04T00:00:00Z")
		expect(t, l, name+", as known when it was published", q, reason.Allow)
		q = q.with("q", false)
		expect(t, l, name+", the new one", q, reason.Refuse)
	}
}

// TestValuesPublishedLater does the same for numbers, lists and hours.
func TestValuesPublishedLater(t *testing.T) {
	number := "  - {id: most, text: " + say + ", unit: count, values: [{from: 2025-01-01, until: 2025-06-01, ended: 2025-06-04, value: 1, source: x}, {from: 2025-06-01, published: 2025-06-04, value: 2, source: x}]}\n"
	goods := []string{"lists/g.yaml", "id: g\ntitle: " + say + "\nsource: x\nlines: g.csv\n",
		"lists/g.csv", "code,from,until,published,ended,en,fa,ur,unit\n0702,,2025-06-01,,2025-06-04,x,x,x,kg\n0703,2025-06-01,,2025-06-04,,x,x,x,kg\n"}
	words := []string{"lists/w.yaml", "id: w\nkind: values\ntitle: " + say + "\nsource: x\nlines: w.csv\n",
		"lists/w.csv", "id,from,until,published,ended,en,fa,ur\n0702,,2025-06-01,,2025-06-04,x,x,x\n0703,2025-06-01,,2025-06-04,,x,x,x\n"}
	open := []string{"schedule/s.yaml", "site: s\nsource: x\nhours:\n  - {open: [\"11:00-13:00\"], until: 2025-06-01, ended: 2025-06-04}\n  - {open: [\"15:00-17:00\"], from: 2025-06-01, published: 2025-06-04}\nexceptions:\n  - {on: 2025-06-03, closed: true, source: x, published: 2025-06-05}\n"}
	type ask struct {
		facts []any
		hour  string
	}
	for name, x := range map[string]struct {
		l        *Law
		old, new ask
	}{
		"number": {wideLaw(t, "  - {id: c, kind: rule, TEXT, require: n == param.most, else: REFUSE}\n", "parameters", number), ask{[]any{"n", int64(1)}, "12"}, ask{[]any{"n", int64(2)}, "12"}},
		"listed": {wideLaw(t, "  - {id: c, kind: listed, TEXT, list: g, else: REFUSE}\n", goods...), ask{[]any{"good.code", "07020000"}, "12"}, ask{[]any{"good.code", "07030000"}, "12"}},
		"texts":  {wideLaw(t, "  - {id: c, kind: listed, TEXT, list: w, code: w, else: REFUSE}\n", words...), ask{[]any{"w", "0702"}, "12"}, ask{[]any{"w", "0703"}, "12"}},
		"member": {wideLaw(t, "  - {id: c, kind: rule, TEXT, require: \"member(w, 'w')\", else: REFUSE}\n", words...), ask{[]any{"w", "0702"}, "12"}, ask{[]any{"w", "0703"}, "12"}},
		"lives":  {wideLaw(t, "  - {id: c, kind: residence, TEXT, place: home.place, list: w, else: REFUSE}\n", words...), ask{[]any{"home.place", "0702"}, "12"}, ask{[]any{"home.place", "0703"}, "12"}},
		"hours":  {wideLaw(t, "  - {id: all, kind: rule, SILENT}\n  - {id: c, kind: schedule, TEXT, else: REFUSE}\n", open...), ask{nil, "12"}, ask{nil, "16"}},
	} {
		q := func(a ask, day, known string) Query {
			q := noon(day).with(a.facts...)
			q.At = at(day + "T" + a.hour + ":00:00Z")
			if known != "" {
				q.Known = at(known)
			}
			return q
		}
		for _, z := range []struct {
			known    string
			old, new reason.Outcome
		}{{"", reason.Refuse, reason.Allow}, {"2025-06-03T23:59:59Z", reason.Allow, reason.Refuse}, {"2025-06-04T00:00:00Z", reason.Refuse, reason.Allow}} {
			expect(t, x.l, name+" "+z.known, q(x.old, "2025-06-02", z.known), z.old)
			expect(t, x.l, name+", the new, "+z.known, q(x.new, "2025-06-02", z.known), z.new)
		}
	}
	l := wideLaw(t, "  - {id: all, kind: rule, SILENT}\n  - {id: c, kind: schedule, TEXT, else: REFUSE}\n", open...)
	q := noon("2025-06-03")
	q.At = at("2025-06-03T16:00:00Z")
	expect(t, l, "closed that day", q, reason.Refuse)
	q.Known = at("2025-06-04T12:00:00Z")
	expect(t, l, "and not known to be", q, reason.Allow)
}

// TestSettledEitherWay settles a question for the clause and against it, by both sides
// and, in a text of one side, by that side.
func TestSettledEitherWay(t *testing.T) {
	law := func(side, by, what string) *Law {
		return wideLaw(t, "instrument: i\nquestions:\n  - {id: k, asks: "+say+", reading: "+say+", by: nobody, words: x, settled: [{from: 2025-06-01, published: 2025-06-03, by: "+by+", reading: "+say+", source: x"+what+"}]}\nclauses:\n"+
			"  - {id: all, kind: rule, SILENT}\n  - {id: c, kind: rule, TEXT, then: REFUSE, turns: [k]}\n  - {id: d, kind: rule, TEXT, when: p, then: HOLD, missing: HOLD, questions: [k]}\n",
			"instruments", "  - {id: i, title: "+say+", status: law, source: x"+side+"}\n")
	}
	const one = ", side: A, sides: [A]"
	for _, x := range []struct {
		name, side, by, what string
		want                 reason.Outcome
	}{
		{"for it", "", "both", ", holds: [c]", reason.Refuse},
		{"against it", "", "both", ", ends: [c]", reason.Allow},
		{"by one of two", "", "A", "", reason.Refer},
		{"for it, by its own side", one, "A", ", holds: [c]", reason.Refuse},
		{"against it, by its own side", one, "A", ", ends: [c]", reason.Allow},
		{"by the other side", one, "B", "", reason.Refer},
		{"by nobody again", one, "nobody", "", reason.Refer},
	} {
		l := law(x.side, x.by, x.what)
		q := noon("2025-05-31").with("p", false)
		expect(t, l, x.name+", before", q, reason.Refer, CodeQuestion)
		q.At = at("2025-06-01T00:00:00Z")
		v := expect(t, l, x.name, q, x.want)
		if x.want == reason.Allow {
			if d, note := did(v, "c"); d != didDormant || note != "question k is settled otherwise" {
				t.Errorf("%s: c was %s, %s", x.name, d, note)
			}
		}
		q.Known = at("2025-06-02T12:00:00Z")
		expect(t, l, x.name+", as known before it was published", q, reason.Refer, CodeQuestion)
	}
	// A clause whose reading alone rests on the question ends too, where the settlement says so.
	l := law("", "both", ", ends: [c, d]")
	q := noon("2025-06-01").with("p", true)
	expect(t, l, "what rests on it", q, reason.Allow)
	expect(t, law("", "both", ", ends: [c]"), "what rests on it and is not named", q, reason.Hold)
}

// TestSettledForAnother lets one side settle a question of its own text, on which a clause
// of the joint text and one of the other side turn too: for these two it stays open.
func TestSettledForAnother(t *testing.T) {
	law := func(instrument, by, what string) (*agreement.Edition, agreement.Faults) {
		return wide(t, "instrument: i\nquestions:\n  - {id: k, asks: "+say+", reading: "+say+", by: nobody, words: x, settled: [{from: 2025-06-01, by: "+by+", reading: "+say+", source: x, "+what+"}]}\nclauses:\n"+
			"  - {id: all, kind: rule, SILENT}\n  - {id: c, kind: rule, TEXT, then: REFUSE, turns: [k]}\n---\ninstrument: "+instrument+"\nclauses:\n  - {id: d, kind: rule, TEXT, then: REFUSE, turns: [k], decides: officer, questions: [k]}\n",
			"instruments", "  - {id: i, title: "+say+", status: law, source: x, side: A, sides: [A, B]}\n  - {id: j, title: "+say+", status: law, source: x}\n  - {id: o, title: "+say+", status: law, source: x, side: B, sides: [A, B]}\n")
	}
	for _, instrument := range []string{"j", "o"} {
		for what, want := range map[string]string{
			"ends: [c, d]": "clause d is of " + instrument + ", which is not a text of side A alone", "ends: [c], holds: [d]": "clause d is of " + instrument + ", which is not a text of side A alone", "ends: [c]": "",
		} {
			e, faults := law(instrument, "A", what)
			errs := append(faults.Errors(), Check(e)...)
			if want == "" && len(errs) > 0 || want != "" && (len(errs) != 1 || !strings.HasPrefix(errs[0].What, want) || !strings.Contains(errs[0].Mend, "by: both")) {
				t.Errorf("%s: %s: got %v, want %q", instrument, what, errs, want)
			}
			// Even where check was not asked.
			l, err := Compile(e)
			if err != nil {
				t.Fatal(err)
			}
			for _, side := range []string{"A", "B"} {
				q := noon("2025-06-02")
				q.Side = side
				v := expect(t, l, instrument+" "+what, q, reason.Refer, CodeQuestion)
				if d, _ := did(v, "c"); d != didDormant || len(v.Reasons) != 1 || v.Reasons[0].Clause != "d" || len(v.Questions) != 1 || v.Questions[0].Settled {
					t.Errorf("%s: %s: c was %s, %v, %v", instrument, what, d, v.Reasons, v.Questions)
				}
			}
		}
		e, faults := law(instrument, "both", "ends: [c, d]")
		if errs := append(faults.Errors(), Check(e)...); len(errs) > 0 {
			t.Fatal(errs)
		}
		l, err := Compile(e)
		if err != nil {
			t.Fatal(err)
		}
		expect(t, l, instrument+", settled by both", noon("2025-06-02"), reason.Allow)
		if _, faults := law(instrument, "both", "ends: [c]"); !strings.Contains(faults.Errors().Error(), "nothing says what becomes of clause d") {
			t.Errorf("%s: d is not asked for: %v", instrument, faults)
		}
	}
}

// TestDateIsNoNumber faults dates that an expression reads as a difference of numbers.
func TestDateIsNoNumber(t *testing.T) {
	for text, want := range map[string]string{
		"on.day < 2025-10-17":                  "2025-10-17 is no date here, but the number 1998; mend: write date('2025-10-17')",
		"on.day < 2025-01-05":                  "2025-01-05 is no date here, but the number 2019; mend: write date('2025-01-05')",
		"n > 2025-10":                          "2025-10 is no date here, but the number 2015; mend: write date('2025-10-01')",
		"today == 2025/10/17":                  "2025/10/17 is no date here, but the number 11; mend: write date('2025-10-17')",
		"on.day < 20251017":                    "on.day is a date and is compared with the number 20251017; mend: write a day as date('2025-10-17')",
		"20251017 <= today":                    "today is a date and is compared with the number 20251017",
		"on.day < date('2025-10-17')":          "",
		"n > 2025 - 300":                       "",
		"n - 10 - 17 > 2025":                   "",
		"on.day - today > 10":                  "",
		"on.day + 28 < date('2025-10-17') - 3": "",
	} {
		_, faults := wide(t, "  - {id: c, kind: rule, TEXT, require: \""+text+"\", else: REFUSE}\n")
		got := ""
		e, _ := wide(t, "  - {id: c, kind: rule, TEXT, require: \""+text+"\", else: REFUSE}\n")
		if fs := append(faults.Errors(), Check(e)...); len(fs) > 0 {
			got = fs[0].What + "; mend: " + fs[0].Mend
		}
		if want == "" && got != "" || !strings.HasPrefix(got, want) {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
}
