// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package agreement

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/reason"
)

// haat is a small package of a market held on some days of the week, to be changed by
// old and new text, file by file.
func haat(t testing.TB, pairs ...string) (*Edition, Faults) {
	t.Helper()
	m := map[string]string{
		"agreement.yaml": `id: haat
edition: 1
title: {en: Haat}
zone: Asia/Kolkata
zonedata: 2025c
currency: USD
rounding: half-up
from: 2017-04-08
until: 2027-04-08
parties:
  A: {name: {en: A}, country: AAA, zone: Asia/Kolkata, language: en, currency: INR}
  B: {name: {en: B}, country: BBB, zone: Asia/Dhaka, language: en, currency: BDT}
sites:
  - {id: river, number: 1, name: {en: River}, zone: Asia/Kolkata, from: 2017-04-01, source: x, gates: [{number: 1, side: A, name: {en: A}}, {number: 2, side: B, name: {en: B}}]}
classes:
  - {id: vendor, number: 1, name: {en: vendor}}
instruments:
  - {id: mode, title: {en: Mode}, status: law, source: x}
attributes:
  - {id: direction, type: string, values: [in, out], name: {en: direction}}
  - {id: good.name, type: string, name: {en: good}}
  - {id: good.value, type: int, unit: USD, name: {en: value}}
`,
		"parameters/p.yaml": `parameters:
  - id: market.days
    text: {en: Days}
    unit: count
    values:
      - {from: 2010-10-23, value: 1, source: x}
      - {from: 2017-04-08, value: 2, source: x}
`,
		"clauses/c.yaml": `instrument: mode
clauses:
  - {id: O-days, kind: schedule, at: [gate], when: direction == 'in', limit: market.days, per: day, text: {en: x}, say: {en: x}, else: CLOSED}
`,
		"schedule/river.yaml": `site: river
source: x
hours:
  - {days: [tuesday, friday], open: ["09:00-15:00"]}
`,
	}
	for i := 0; i+2 < len(pairs); i += 3 {
		if _, ok := m[pairs[i]]; ok && pairs[i+1] != "" && !strings.Contains(m[pairs[i]], pairs[i+1]) {
			t.Fatalf("%s has no %q", pairs[i], pairs[i+1])
		}
		if pairs[i+1] == "" {
			m[pairs[i]] += pairs[i+2]
			continue
		}
		m[pairs[i]] = strings.Replace(m[pairs[i]], pairs[i+1], pairs[i+2], 1)
	}
	fsys := fstest.MapFS{}
	for p, s := range m {
		fsys[p] = &fstest.MapFile{Data: []byte(s)}
	}
	return Check(fsys)
}

// says returns the faults and warnings, without those about languages.
func says(fs Faults) (out []string) {
	for _, f := range fs {
		if !strings.HasPrefix(f.What, "no text is in") {
			out = append(out, f.String())
		}
	}
	return out
}

// one wants a single fault or warning with a text in it; none where it is empty.
func one(t testing.TB, name string, fs Faults, want string) {
	t.Helper()
	got := says(fs)
	switch {
	case want == "" && len(got) > 0:
		t.Errorf("%s: got %q", name, got)
	case want != "" && (len(got) != 1 || !strings.Contains(got[0], want)):
		t.Errorf("%s: got %q, want %q alone", name, got, want)
	}
}

const (
	hAgreement = "agreement.yaml"
	hValues    = "parameters/p.yaml"
	hClauses   = "clauses/c.yaml"
	hRiver     = "schedule/river.yaml"
	hTests     = "tests/t.yaml"
	hTuesday   = `days: [tuesday, friday], open: ["09:00-15:00"]`
)

// TestWeekdaysByDay holds the hours of each day against the limit of that day.
func TestWeekdaysByDay(t *testing.T) {
	const late = "{from: 2017-04-08, value: 2, source: x}"
	for _, x := range []struct {
		name, want string
		pairs      []string
	}{
		{"a value of before the edition", "", nil},
		{"lowered", "on 2019-10-07 river is open on 2 days of the week, and market.days of clause O-days allows 1 from that day on", []string{hValues, late, late + "\n      - {from: 2019-10-07, value: 1, source: x}"}},
		{"lowered with the hours", "", []string{hValues, late, late + "\n      - {from: 2019-10-07, value: 1, source: x}",
			hRiver, hTuesday, hTuesday + ", until: 2019-10-07}\n  - {days: [sunday], open: [\"09:00-15:00\"], from: 2019-10-07"}},
		{"hours before the limit", "on 2019-10-01 river is open on 3", []string{hValues, late, late + "\n      - {from: 2019-10-07, value: 3, source: x}",
			hRiver, hTuesday, hTuesday + ", until: 2019-10-01}\n  - {days: [sunday, monday, tuesday], open: [\"09:00-15:00\"], from: 2019-10-01"}},
		{"another site", "", []string{hValues, late, late + "\n      - {from: 2019-10-07, value: 1, site: hill, source: x}",
			hAgreement, "classes:", "  - {id: hill, number: 2, name: {en: Hill}, zone: Asia/Kolkata, source: x, gates: [{number: 1, side: A, name: {en: A}}, {number: 2, side: B, name: {en: B}}]}\nclasses:",
			hClauses, "limit:", "sites: [river], limit:"}},
		{"before the clause", "", []string{hValues, late, "{from: 2017-04-08, value: 1, source: x}\n      - {from: 2019-10-07, value: 2, source: x}", hClauses, "limit:", "from: 2019-10-07, limit:"}},
		{"with the season", "on 2017-10-01 river is open on 3", []string{hRiver, hTuesday, hTuesday + ", season: \"01-01/09-30\"}\n  - {days: [sunday, monday, tuesday], open: [\"09:00-15:00\"], season: \"10-01/12-31\""}},
		{"no more than one ever", "on 2017-04-08 river is open on 2", []string{hValues, late, "{from: 2017-04-08, value: 1, source: x}"}},
	} {
		_, fs := haat(t, x.pairs...)
		one(t, x.name, fs, x.want)
	}
}

// TestScheduleWords reads seasons, and days and hours that nobody knows.
func TestScheduleWords(t *testing.T) {
	for _, x := range []struct{ name, hours, want string }{
		{"the hours are not known", "days: [tuesday], open: unknown", ""},
		{"the day is not known", "days: unknown, open: unknown", "can end in REFER, because the hours of river are not known"},
		{"half a year", `days: [tuesday], open: ["09:00-15:00"], season: "03-01/09-30"`, "no hours from 2017-10-01 on"},
		{"one day a leap year", hTuesday + `, season: "03-01/02-28"`, "no hours from 2020-02-29 on"},
		{"no season", hTuesday + `, season: "march"`, `season "march"`},
		{"no list", `days: tuesday, open: unknown`, `days "tuesday" is not a list`},
		{"no hours", `days: [tuesday], open: "09:00-15:00"`, `open "09:00-15:00" is not a list`},
		{"midnight", `days: [tuesday], open: ["00:00-24:00"]`, ""},
	} {
		e, fs := haat(t, hRiver, hTuesday, x.hours)
		one(t, x.name, fs, x.want)
		if x.name == "the hours are not known" && (e.Schedules["river"].Held("vendor", "in", calendar.MustDate("2017-04-11")) != Yes || e.Schedules["river"].Held("vendor", "in", calendar.MustDate("2017-04-12")) != No) {
			t.Error("the day is not known")
		}
	}
	// Without per: day the hours matter.
	_, fs := haat(t, hRiver, hTuesday, "days: [tuesday], open: unknown", hClauses, "per: day, ", "")
	one(t, "hours of the clause", fs, "can end in REFER, because the hours of river are not known")
}

// ask is a scenario that looks at a day, at noon of the site.
func ask(days ...string) string {
	s := "scenarios:\n  - id: s\n    title: s\n    point: gate\n    site: river\n    asks:\n"
	for _, d := range days {
		s += "      - {at: " + d + "T12:00:00+05:30, expect: {outcome: ALLOW}}\n"
	}
	return s
}

// TestChangesWanted names the days on which scenarios are wanted: on open days, once for
// each turn of a season, where a site opens, and where a half-known day has surely come.
func TestChangesWanted(t *testing.T) {
	ends := []string{"2017-04-07", "2017-04-08", "2027-04-07", "2027-04-08"}
	season := []string{hRiver, hTuesday, hTuesday + `, season: "03-01/09-30"}` + "\n  - {days: [tuesday, friday], open: [\"09:00-14:00\"], season: \"10-01/02-29\""}
	for _, x := range []struct {
		name  string
		pairs []string
		asked []string
		want  []string
	}{
		{"nothing more", nil, nil, nil},
		{"each turn of a season", season, nil, []string{
			"no scenario on 2017-09-29, the last open day before its hours change with the season at river",
			"no scenario on 2017-10-03, the first open day after its hours change with the season at river",
			"no scenario on 2018-02-27, the last open day before its hours change with the season at river",
			"no scenario on 2018-03-02, the first open day after its hours change with the season at river",
		}},
		{"in any year, on an open day", season, []string{"2019-09-27", "2020-10-02", "2021-02-26", "2022-03-01"}, nil},
		{"on a day of the week before", season, []string{"2017-09-26", "2017-10-03", "2018-02-27", "2018-03-02"}, []string{"no scenario on 2017-09-29, the last open day before its hours change with the season at river"}},
		{"a site opens", []string{hAgreement, "from: 2017-04-01", "from: 2017-06-01"}, nil, []string{
			"no scenario on 2017-05-30, the last open day before it opens at river", "no scenario on 2017-06-02, the first open day after it opens at river"}},
		{"a site opens, looked at", []string{hAgreement, "from: 2017-04-01", "from: 2017-06-01"}, []string{"2017-05-31", "2017-06-02"}, nil},
		{"between two days", []string{hValues, "{from: 2017-04-08,", "{from: 2017-04-01/2018-10-13,"}, nil, []string{
			"no scenario on 2018-10-12, the day before its value changes at the latest", "no scenario on 2018-10-13, the day on which its value changes at the latest"}},
		{"half-known", []string{hValues, "{from: 2017-04-08, value: 2, source: x}", "{from: 2017-04-08, value: 2, source: x}\n      - {from: 2018-05, value: 3, source: x}"}, []string{"2018-04-30", "2018-05-01"}, []string{
			"no scenario on 2018-05-30, the day before its value changes at the latest", "no scenario on 2018-05-31, the day on which its value changes at the latest"}},
	} {
		e, fs := haat(t, append(x.pairs, hTests, "", ask(append(ends, x.asked...)...))...)
		if len(fs.Errors()) > 0 {
			t.Fatal(x.name, fs.Errors())
		}
		var got []string
		for _, f := range e.Untested() {
			got = append(got, f.What)
		}
		slices.Sort(got)
		if !slices.Equal(got, x.want) {
			t.Errorf("%s:\n got %q\nwant %q", x.name, got, x.want)
		}
	}
}

// TestDoubts warns of what may be meant otherwise than it is written.
func TestDoubts(t *testing.T) {
	rule := func(more string) []string {
		return []string{hClauses, "", "  - {id: R, kind: rule, at: [goods], text: {en: x}, say: {en: x}, " + more + "}\n"}
	}
	side := func(more string) []string {
		return []string{hAgreement, "attributes:", "  - {id: notice, title: {en: N}, side: A, status: law, source: x" + more + "}\nattributes:",
			"clauses/n.yaml", "", "instrument: notice\nclauses:\n  - {id: N-1, kind: rule, at: [goods], text: {en: x}, say: {en: x}, require: good.value > 1, else: REFUSE}\n"}
	}
	for _, x := range []struct {
		name, want string
		pairs      []string
	}{
		{"whom it holds", "O-days: holds people who are leaving too", []string{hClauses, "when: direction == 'in', ", ""}},
		{"hours of a direction", "", []string{hClauses, "when: direction == 'in', ", "", hRiver, "days:", "direction: in, days:"}},
		{"booked alone", "", []string{hClauses, "at: [gate], when: direction == 'in', ", "at: [booking], "}},
		{"one side", "notice: is of side A, and without sides its clauses hold at the gates of both: N-1", side("")},
		{"one side, both meant", "", side(", sides: [A, B]")},
		{"one side, said of all", "", side(", sides: [A]")},
		{"sides twice", `sides "A"`, side(", sides: [A, A]")},
		{"one side, said of each", "", append(side(""), "clauses/n.yaml", "at: [goods]", "at: [goods], sides: [A]")},
		{"no schedule", "", nil},
		{"unknown value", "R: can end in REFER, because market.most is unknown", append(rule("require: good.value < param.market.most, else: REFUSE"), hValues, "", "  - id: market.most\n    text: {en: x}\n    unit: USD\n    values:\n      - {from: 2017-04-08, value: unknown, source: x}\n")},
		{"unknown value, decided", "", append(rule("require: good.value < param.market.most, else: REFUSE, decides: officer"), hValues, "", "  - id: market.most\n    text: {en: x}\n    unit: USD\n    values:\n      - {from: 2017-04-08, value: unknown, source: x}\n")},
		{"unknown value of another time", "", append(rule("require: good.value < param.market.most, else: REFUSE"), hValues, "", "  - id: market.most\n    text: {en: x}\n    unit: USD\n    values:\n      - {from: 2010-04-08, until: 2017-04-08, value: unknown, source: x}\n      - {from: 2017-04-08, value: 5, source: x}\n")},
		{"open date", "R: can end in REFER, because its own day is not known", rule("require: good.value < 5, else: REFUSE, from: 2018-05")},
		{"open date of before", "", rule("require: good.value < 5, else: REFUSE, from: 2016-05")},
		{"site that opens some day", "R: can end in REFER, because the day on which river opened is not known", []string{hClauses, "", "  - {id: R, kind: opened, at: [gate], text: {en: x}, say: {en: x}, else: CLOSED}\n", hAgreement, "from: 2017-04-01,", "from: unknown,"}},
		{"open words", "R: can end in REFER, because list crops ends in open words", []string{hClauses, "", "  - {id: R, kind: listed, at: [goods], list: crops, code: good.name, text: {en: x}, say: {en: x}, else: REFUSE}\n",
			"lists/crops.yaml", "", "id: crops\nkind: values\ntitle: {en: x}\nsource: x\nopen: {en: and others}\nlines: crops.csv\n", "lists/crops.csv", "", "id,en\nmelon,x\n"}},
	} {
		_, fs := haat(t, x.pairs...)
		one(t, x.name, fs, x.want)
	}
	e, fs := haat(t, side(", sides: [A]")...)
	if len(fs.Errors()) > 0 || len(e.Clause("N-1").Holds) != 1 || !slices.Equal(e.Clause("N-1").Holds[0].Sides, []Side{A}) {
		t.Errorf("sides of the instrument do not reach its clause: %v", fs.Errors())
	}
}

// TestUnread: a text that is known to exist and that nobody has read refers, and says
// nothing else.
func TestUnread(t *testing.T) {
	notice := func(clause string) []string {
		return []string{hAgreement, "attributes:", "  - {id: notice, title: {en: N}, status: law, absent: true, source: x}\nattributes:", "clauses/n.yaml", "", "instrument: notice\nclauses:\n  - " + clause + "\n"}
	}
	for _, x := range []struct{ name, clause, want string }{
		{"refers", "{id: N, kind: rule, at: [goods], text: {en: x}, say: {en: x}, then: REFER, decides: officer}", ""},
		{"refuses", "{id: N, kind: rule, at: [goods], text: {en: x}, say: {en: x}, then: REFUSE}", "N: is a clause of notice, which nobody has read"},
		{"demands", "{id: N, kind: opened, at: [goods], text: {en: x}, say: {en: x}, else: CLOSED}", "N: is a clause of notice, which nobody has read"},
		{"notes", "{id: N, kind: note, text: {en: x}}", ""},
	} {
		_, fs := haat(t, notice(x.clause)...)
		one(t, x.name, fs, x.want)
		if (len(fs.Errors()) > 0) != (x.want != "") {
			t.Errorf("%s: faults %v", x.name, fs.Errors())
		}
	}
	e, fs := haat(t, hAgreement, "attributes:", "  - {id: notice, title: {en: N}, status: law, absent: true, source: x}\nattributes:")
	one(t, "no clause", fs, "nobody has read it, and no clause says where it may matter")
	if !e.Instruments["notice"].Absent {
		t.Error("it is not absent")
	}
}

// TestSlips: one slip is one fault, and says how to mend it.
func TestSlips(t *testing.T) {
	cap := "  - {id: C, kind: cap, at: [goods], text: {en: x}, say: {en: x}, limit: day.limit, PER, else: REFUSE}\n"
	value := "  - id: day.limit\n    text: {en: x}\n    unit: USD\n    values:\n      - {from: 2017-04-08, value: 50, source: x}\n"
	scenario := func(facts, more string) []string {
		return []string{hTests, "", "scenarios:\n  - id: s\n    title: s\n    point: goods\n    at: 2017-04-08T12:00:00+05:30\n    site: river\n    facts: {" + facts + "}\n" + more + "    asks: [{expect: {outcome: ALLOW, clauses: [O-days]}}]\n"}
	}
	for _, x := range []struct {
		name, want string
		pairs      []string
	}{
		{"money with its unit", `good.value: "50.01 USD" is not a value of the attribute: want a plain number with at most 2 decimals, without USD; mend: write a plain number`, scenario("good.value: 50.01 USD", "")},
		{"too many decimals", "want a plain number with at most 2 decimals", scenario("good.value: 50.001", "")},
		{"value of a parameter", `"50 USD" is not a plain number of the unit, with at most 2 decimals`, []string{hValues, "", strings.Replace(value, "value: 50", "value: 50 USD", 1)}},
		{"cap per week", `per "week" of a cap of lots; mend: write day or category; for another time write events: lot, sum: value and window: {per: day, week, month, quarter, year, ever}`, []string{hValues, "", value, hClauses, "", strings.Replace(cap, "PER", "per: week", 1)}},
		{"lots of a week", "", []string{hValues, "", value, hClauses, "", strings.Replace(cap, "PER", "events: lot, sum: value, adds: good.value, window: {per: week}", 1)}},
		{"cap without per", "a cap needs per: day or category", []string{hValues, "", value, hClauses, "", strings.Replace(cap, "PER, ", "", 1)}},
		{"schedule per week", `per "week" of a schedule; mend: write day`, []string{hClauses, "per: day", "per: week"}},
		{"outcome in small letters", `outcome "closed"; mend: write CLOSED`, []string{hClauses, "else: CLOSED", "else: closed"}},
		{"no outcome", `outcome "shut"; mend: write ALLOW`, []string{hClauses, "else: CLOSED", "else: shut"}},
		{"one for a list", "at is not a list; mend: write at: [gate]", append(scenario("good.value: 50", ""), hClauses, "at: [gate]", "at: gate")},
		{"unknown field", `unknown field "limits"`, append(scenario("good.value: 50", ""), hClauses, "limit: ", "limits: ")},
		{"open words of a list", "open is not a text in languages; mend: write {en: …}", []string{hClauses, "", "  - {id: R, kind: listed, at: [goods], list: crops, code: good.name, text: {en: x}, say: {en: x}, else: REFUSE}\n",
			"lists/crops.yaml", "", "id: crops\nkind: values\ntitle: {en: x}\nsource: x\nopen: and others\nlines: crops.csv\n", "lists/crops.csv", "", "id,en\nmelon,x\n"}},
		{"a day as known", "", scenario("good.value: 50", "    known: 2017-04-08\n")},
		{"known is neither", `"lately" is not an instant`, scenario("good.value: 50", "    known: lately\n")},
		{"date between two days", `"2018-05-01/2018" is not a date; mend: write yyyy-mm-dd, yyyy-mm-ddThh:mm, a month yyyy-mm or a year where no day is known, yyyy-mm-dd/yyyy-mm-dd`, []string{hClauses, "limit:", "from: 2018-05-01/2018, limit:"}},
		{"duty of both", "", []string{hClauses, "", "  - {id: D, kind: duty, at: [duty], by: both, text: {en: x}, say: {en: x}, require: good.value > 0, else: BREACH}\n"}},
		{"figure that must not be there", "", []string{hTests, "", strings.Replace(scenario("good.value: 50", "")[2], "outcome: ALLOW", "outcome: ALLOW, amounts: [{name: duty, absent: true}]", 1)}},
		{"figure that is and is not there", "duty: absent, and yet with a value", []string{hTests, "", strings.Replace(scenario("good.value: 50", "")[2], "outcome: ALLOW", "outcome: ALLOW, amounts: [{name: duty, absent: true, value: 5}]", 1)}},
		{"value twice for one day", `value "melon" stands twice for one day, first on line 3`, []string{"lists/crops.yaml", "", "id: crops\nkind: values\ntitle: {en: x}\nsource: x\nlines: crops.csv\n", "lists/crops.csv", "", "id,en,from,until\nmelon,x,,2018-01-01\nmelon,x,2018-01-01,\nmelon,x,2019-01-01,\n"}},
	} {
		e, fs := haat(t, x.pairs...)
		got := says(fs)
		if x.want == "" && len(got) > 0 || x.want != "" && (len(got) != 1 || !strings.Contains(got[0], x.want)) {
			t.Errorf("%s: got %q, want %q alone", x.name, got, x.want)
		}
		if x.name == "a day as known" {
			if known := e.Tests[0].Known; calendar.On(known, calendar.MustZone("Asia/Kolkata")) != calendar.MustDate("2017-04-08") {
				t.Errorf("known on %s", known)
			}
		}
		if x.name == "duty of both" && e.Clause("D").By != Both {
			t.Errorf("the duty is of %s", e.Clause("D").By)
		}
		if x.name == "outcome in small letters" && e.Clause("O-days").Else != reason.Closed {
			t.Error("the outcome is not what is meant")
		}
	}
}

// TestNoticeInWords: an edition that began before it was signed is not so many hours after.
func TestNoticeInWords(t *testing.T) {
	e, fs := haat(t)
	if len(fs.Errors()) > 0 {
		t.Fatal(fs)
	}
	for at, want := range map[string]string{
		"2026-11-24T12:00:00Z": "began 3517 days before the last signature",
		"2017-04-08T01:00:00Z": "began 6 hours before the last signature",
	} {
		now, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		got := e.CheckAgainst(nil, now)
		if len(got) != 1 || !strings.HasPrefix(got[0].What, want) || strings.Contains(got[0].What, "notice") {
			t.Errorf("%s: got %v, want %q", at, got, want)
		}
	}
	if s := fmt.Sprintf("%s, %s, %s, %s", span(25*time.Hour), span(48*time.Hour), span(time.Hour), span(time.Minute)); s != "25 hours, 2 days, 1 hour, less than an hour" {
		t.Error(s)
	}
}
