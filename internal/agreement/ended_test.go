// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package agreement

import (
	"slices"
	"strings"
	"testing"

	"darwaza.dev/internal/calendar"
)

// TestEndOfInstrument wants the day on which the end of an instrument was published,
// where a clause that was published itself begins then at one of its points.
func TestEndOfInstrument(t *testing.T) {
	const end, begun = "from: 2025-03-01, until: 2025-03-15", "{id: S-2, kind: rule, at: [gate], text: {en: x}, say: {en: x}, when: class == 'driver', then: REFUSE, from: 2025-03-15, published: 2025-03-17}"
	says := func(ended, clause string) bool {
		m := wide(t)
		change(t, m, "agreement.yaml", end, end+ended)
		change(t, m, "clauses/treaty.yaml", "  - {id: T-2,", "  - "+clause+"\n  - {id: T-2,")
		_, faults := Check(m)
		return slices.ContainsFunc(faults, func(f Fault) bool {
			return f.File == "agreement.yaml" && f.Clause == "storm" && strings.Contains(f.What, "while clause S-2") && f.Mend == "write ended: 2025-03-17, the day on which the end was published, beside until"
		})
	}
	if !says("", begun) {
		t.Error("nothing asks when its end became known")
	}
	for _, x := range [][2]string{{", ended: 2025-03-17", begun}, {"", strings.Replace(begun, "gate", "signing", 1)}, {"", strings.Replace(begun, ", published: 2025-03-17", "", 1)}, {"", strings.Replace(begun, "from: 2025-03-15", "from: 2025-03-17", 1)}} {
		if says(x[0], x[1]) {
			t.Errorf("%v: and yet it is asked", x)
		}
	}
}

// TestEndNearABeginning looks at ends and beginnings that do not meet to the minute, and
// at days of publication that do not fit each other.
func TestEndNearABeginning(t *testing.T) {
	const rule = "kind: rule, at: [gate], text: {en: x}, say: {en: x}, when: class == 'driver', then: REFUSE"
	const silent, between, both = "nothing says when that became known", "of what was known between, neither would hold", "both would hold"
	clauses := func(old, new string) [3]string {
		return [3]string{"clauses/treaty.yaml", "  - {id: T-2,", "  - {id: N-1, " + rule + ", " + old + "}\n  - {id: N-2, " + rule + ", " + new + "}\n  - {id: T-2,"}
	}
	const values = "      - {from: 2025-01-01, until: 2025-07-01, ended: 2025-06-15, value: 1000, source: gazette 1}\n      - {from: 2025-07-01, published: 2025-06-15, value: 2000, source: gazette 7}"
	number := func(old, new string) [3]string {
		return [3]string{"parameters/law.yaml", values, "      - {from: 2025-01-01, " + old + ", value: 1000, source: gazette 1}\n      - {" + new + ", value: 2000, source: gazette 7}"}
	}
	list := func(old, new string) [3]string {
		return [3]string{"lists/purposes.csv", "id,en\ntrade,Trade\nvisit,Visit", "id,en,from,until,published,ended\ntrade,Trade,,2025-07-01,," + old + "\ntrade,Trade," + new + "\nvisit,Visit,,,,"}
	}
	hours := func(old, new string) [3]string {
		return [3]string{"schedule/north.yaml", "hours:\n", "hours:\n  - {open: [\"01:00-02:00\"], " + old + "}\n  - {open: [\"01:00-02:00\"], " + new + "}\n"}
	}
	for name, x := range map[string]struct {
		edit [3]string
		want string // "" where there is no fault
	}{
		"a minute later":             {clauses("until: 2025-06-01", "from: 2025-06-01T00:01, published: 2025-06-10"), silent},
		"a day earlier":              {clauses("until: 2025-06-01", "from: 2025-05-31, published: 2025-06-10"), silent},
		"a day later":                {clauses("until: 2025-06-01", "from: 2025-06-02, published: 2025-06-10"), silent},
		"two days later, of nothing": {clauses("until: 2025-06-01", "from: 2025-06-03, published: 2025-06-10"), ""},
		"of one matter":              {clauses("matter: papers, until: 2025-06-01", "matter: papers, from: 2025-07-02, published: 2025-06-10"), silent},
		"of one matter, long after":  {clauses("matter: papers, until: 2025-06-01", "matter: papers, from: 2025-07-03, published: 2025-06-10"), ""},
		"set aside":                  {clauses("until: 2025-06-01", "overrides: [N-1], from: 2025-05-10, published: 2025-06-10"), silent},
		"at other sites":             {clauses("until: 2025-06-01, sites: [north]", "from: 2025-06-02, published: 2025-06-10, sites: [south]"), ""},
		"known all along":            {clauses("until: 2025-06-01, published: 2025-05-10", "from: 2025-06-02, published: 2025-05-10"), ""},
		"its own next period":        {clauses("holds: [{until: 2025-06-01}, {from: 2025-06-01, published: 2025-06-10}]", "published: 2025-06-10"), silent},
		"said":                       {clauses("until: 2025-06-01, ended: 2025-06-10", "from: 2025-06-02, published: 2025-06-10"), ""},
		"said later":                 {clauses("until: 2025-06-01, ended: 2025-06-11", "from: 2025-06-01, published: 2025-06-10"), ""},
		"said too early":             {clauses("until: 2025-06-01, ended: 2025-06-05", "from: 2025-06-01, published: 2025-06-10"), between},
		"before it begins":           {clauses("from: 2025-03-01, until: 2025-06-01, ended: 2025-02-10", "published: 2025-06-10"), ""}, // the treaty was published before
		"until unknown":              {clauses("until: unknown, ended: 2025-06-05", "published: 2025-06-10"), "until is unknown"},
		"published after it ended":   {clauses("until: 2025-06-01, published: 2025-06-02", "published: 2025-06-10"), "had ended by 2025-06-01"},
		"ended before published":     {clauses("until: 2025-06-01, ended: 2025-02-10, published: 2025-02-11", "published: 2025-06-10"), "before it was published itself"},

		"number":                       {number("until: 2025-07-01, ended: 2025-06-15", "from: 2025-07-01, published: 2025-06-15"), ""},
		"number, a day before":         {number("until: 2025-07-01", "from: 2025-06-30, published: 2025-06-15"), silent},
		"number, too early":            {number("until: 2025-07-01, ended: 2025-06-14", "from: 2025-07-01, published: 2025-06-15"), between},
		"number, too late":             {number("until: 2025-07-01, ended: 2025-06-16", "from: 2025-07-01, published: 2025-06-15"), both},
		"number, always known":         {number("until: 2025-07-01, ended: 2025-06-16", "from: 2025-07-01"), both},
		"number, before it begins":     {number("until: 2025-07-01, ended: 2024-12-31", "from: 2025-07-01, published: 2024-12-31"), "before it begins"},
		"number, ended before known":   {number("published: 2025-01-05, until: 2025-07-01, ended: 2025-01-04", "from: 2025-07-01, published: 2025-01-04"), "before it was published itself"},
		"number, repealed in time":     {number("published: 2024-12-01, until: 2025-07-01, ended: 2024-12-31", "from: 2025-07-01, published: 2024-12-31"), ""},
		"line of a list":               {list("2025-06-10", "2025-07-01,,2025-06-10,"), ""},
		"line of a list, a month":      {list("", "2025-08-01,,2025-06-10,"), silent},
		"line of a list, two months":   {list("", "2025-09-01,,2025-06-10,"), ""},
		"line of a list, too early":    {list("2025-06-09", "2025-07-01,,2025-06-10,"), between},
		"hours":                        {hours("until: 2025-10-01, ended: 2025-09-10", "from: 2025-10-01, published: 2025-09-10"), ""},
		"hours, a week":                {hours("until: 2025-10-01", "from: 2025-10-08, published: 2025-09-10"), silent},
		"hours, published after their": {hours("until: 2025-10-01, published: 2025-10-02", "from: 2025-10-08"), "had ended by 2025-10-01"},
	} {
		m := wide(t)
		change(t, m, x.edit[0], x.edit[1], x.edit[2])
		_, faults := Check(m)
		var got []string
		for _, f := range faults.Errors() {
			for _, s := range []string{silent, between, both, "until is unknown", "had ended by", "before it was published itself", "before it begins"} {
				if f.File == x.edit[0] && strings.Contains(f.What, s) {
					got = append(got, f.What)
				}
			}
		}
		if x.want == "" && len(got) > 0 || x.want != "" && (len(got) == 0 || !strings.Contains(got[0], x.want)) {
			t.Errorf("%s: got %q, want %q in %v", name, got, x.want, faults.Errors())
		}
	}
}

// TestSeen leaves out what was published later.
func TestSeen(t *testing.T) {
	day := calendar.MustDate
	p := Period{From: Day(day("2025-01-01")), Until: Day(day("2025-03-01")), Published: day("2025-01-10"), Ended: day("2025-02-10")}
	for known, want := range map[string]string{"2025-01-09": "not", "2025-01-10": "goes on", "2025-02-09": "goes on", "2025-02-10": "ends"} {
		got := "not"
		if x, seen := p.Seen(day(known)); seen {
			if got = "goes on"; !x.Until.IsZero() {
				got = "ends"
			}
		}
		if got != want {
			t.Errorf("%s: %s, want %s", known, got, want)
		}
	}
	if x, seen := p.Seen(calendar.Date{}); !seen || x.Until != p.Until {
		t.Error("not everything is seen")
	}
}

// TestBinds: a question of one side's own text is settled by that side, and one of a
// joint text by both alone.
func TestBinds(t *testing.T) {
	for _, x := range []struct {
		side Side
		by   string
		want bool
	}{{"", "both", true}, {"", "A", false}, {A, "A", true}, {A, "B", false}, {A, "both", true}, {A, "nobody", false}, {"", "", false}} {
		if q := (Question{Side: x.side, By: x.by}); q.Binds(x.by) != x.want || q.SettledNow() != x.want || q.Settled(calendar.MustDate("2025-01-01"), calendar.Date{}) != x.want {
			t.Errorf("%q by %q: want %v", x.side, x.by, x.want)
		}
	}
	m := wide(t)
	change(t, m, "clauses/storm.yaml", "clauses:", "questions:\n  - {id: long, asks: {en: x}, reading: {en: x}, by: A, words: x, clauses: [S-1]}\nclauses:")
	e, _ := Check(m)
	if q := e.Questions["long"]; q.Side != A || !q.SettledNow() {
		t.Errorf("got %+v", q)
	}
}

// TestSimilar finds slips of the pen, and nothing where a word is another.
func TestSimilar(t *testing.T) {
	words := []string{"settlement", "until", "else", "published", "when"}
	for s, want := range map[string]string{"settlment": "settlement", "untill": "until", "unitl": "until", "esle": "else", "otherwise": "", "publishd": "published", "then": "when", "": ""} {
		if got := similar(s, words); got != want {
			t.Errorf("%s: %q, want %q", s, got, want)
		}
	}
}

// TestEndedByQuestion takes the last reading that is known: one that does not settle the
// question makes it open again, and with it the clause.
func TestEndedByQuestion(t *testing.T) {
	day := calendar.MustDate
	q := Question{By: "nobody", Later: []Settlement{
		{From: day("2025-02-01"), By: "both", Ends: []string{"c"}}, {From: day("2025-03-01"), By: "both", Ends: []string{"d"}}, {From: day("2025-04-01"), By: "nobody"},
		{From: day("2025-05-01"), Published: day("2025-05-20"), By: "both", Ends: []string{"c"}}, {From: day("2025-06-01"), By: "both", Holds: []string{"c"}},
	}}
	for on, want := range map[string]bool{"2025-01-31": false, "2025-02-01": true, "2025-03-01": true, "2025-04-01": false, "2025-05-01": true, "2025-06-01": false} {
		if q.Ended("c", "", day(on), calendar.Date{}) != want {
			t.Errorf("on %s: want %v", on, want)
		}
	}
	if q.Ended("c", "", day("2025-05-02"), day("2025-05-19")) || !q.Ended("c", "", day("2025-05-02"), day("2025-05-20")) {
		t.Error("what was published later is seen, or what was published is not")
	}
}

// TestEndsAreTold wants the day on which an end was published wherever an edition is read
// out or compared.
func TestEndsAreTold(t *testing.T) {
	m := wide(t)
	change(t, m, "clauses/treaty.yaml", "{from: 2025-08-21, until: 2025-12,", "{from: 2025-08-21, until: 2025-12, published: 2025-07-07, ended: 2025-07-08,")
	change(t, m, "clauses/treaty.yaml", `, holds: \[T-1\]}`, ", ends: [T-1]}")
	change(t, m, "parameters/law.yaml", "ended: 2025-06-15", "ended: 2025-06-14")
	change(t, m, "parameters/law.yaml", "published: 2025-06-15", "published: 2025-06-14")
	change(t, m, "lists/purposes.csv", "id,en\ntrade,Trade\nvisit,Visit", "id,en,until,published,ended\ntrade,Trade,2025-07-01,2025-01-09,2025-06-08\nvisit,Visit,,,")
	change(t, m, "schedule/north.yaml", "until: 2025-06-01}", "until: 2025-06-01, published: 2025-01-03, ended: 2025-05-06}")
	change(t, m, "schedule/north.yaml", "source: gazette 9", "published: 2025-02-28, source: gazette 9")
	before, _ := Check(wide(t))
	after, faults := Check(m)
	if errs := faults.Errors(); len(errs) > 0 {
		t.Fatal(errs)
	}
	text := strings.Join(Tell(Diff(before, after), true, true), "\n")
	for _, want := range []string{
		"until before 2025-12, an end that was published on 2025-07-08", "published on 2025-07-07",
		"has an end that is said to be published on 2025-06-14, and before on 2025-06-15",
		"until before 2025-07-01, an end that was published on 2025-06-08, published on 2025-01-09",
		"until before 2025-06-01, an end that was published on 2025-05-06, published on 2025-01-03", "closed, published on 2025-02-28",
		"question q: settled is now from 2025-04-01, published 2025-03-20, by both", "it was from 2025-08-07 at north",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("nothing says %q in\n%s", want, text)
		}
	}
	for _, r := range after.Reading(after.Clause("T-1")) {
		if r.Field == "Turns" && !strings.Contains(r.Means, "settled from 2025-04-01, and the clause is not asked from then on") {
			t.Errorf("got %q", r.Means)
		}
	}
	if got := ValueText(after.Parameters["limit"].Values[0], "USD"); !strings.HasSuffix(got, "until before 2025-07-01, an end that was published on 2025-06-14") {
		t.Errorf("got %q", got)
	}
}
