// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package agreement

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/goods"
	"darwaza.dev/internal/reason"
)

// wide is a package that has every kind of clause, list, unit and field.
func wide(t testing.TB) fstest.MapFS {
	t.Helper()
	out := fstest.MapFS{}
	root := filepath.Join("testdata", "wide")
	err := filepath.WalkDir(root, func(p string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, p)
		out[filepath.ToSlash(rel)] = &fstest.MapFile{Data: b}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestHoursAsked warns of a site without hours only where a clause asks for them.
func TestHoursAsked(t *testing.T) {
	m := wide(t)
	delete(m, "schedule/south.yaml")
	if _, faults := Check(m); !slices.ContainsFunc(faults, func(f Fault) bool { return f.Warning && f.Clause == "south" && f.What == "no schedule for the site" }) {
		t.Errorf("got %v", faults)
	}
	m["clauses/treaty.yaml"] = &fstest.MapFile{Data: []byte(strings.Replace(string(m["clauses/treaty.yaml"].Data), "kind: schedule, at: [gate]", "kind: schedule, at: [gate], sites: [north]", 1))}
	if _, faults := Check(m); slices.ContainsFunc(faults, func(f Fault) bool { return f.What == "no schedule for the site" }) {
		t.Errorf("got %v", faults)
	}
}

func TestWidePackage(t *testing.T) {
	e, faults := Check(wide(t))
	if errs := faults.Errors(); len(errs) > 0 {
		t.Fatal(errs)
	}
	for _, f := range faults {
		if !strings.HasPrefix(f.What, "no text is in ") {
			t.Errorf("warning: %v", f)
		}
	}
	day := calendar.MustDate
	same := func(name string, got, want any) {
		t.Helper()
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %#v, want %#v", name, got, want)
		}
	}
	kinds := map[Kind]bool{}
	for _, c := range e.Clauses {
		kinds[c.Kind] = true
	}
	for _, k := range Kinds() {
		if !kinds[k] {
			t.Errorf("no clause of kind %s in the wide package", k)
		}
	}
	set := e.RuleSets["entry"]
	same("rule set", []any{set.Arrival, set.Region, len(set.Rules.Rules()), set.Values["names"], set.Source}, []any{"XA", "north", 3, []string{"EU/1", "EU/2"}, "made up"})
	same("certificate", []any{e.Clause("T-38").Certificate, e.Clause("T-38").Rules, e.Clause("T-38").Over}, []any{"certificate", "entry", []string{"entry.at", "exit.at"}})
	same("sharing", []any{e.Shares["passes"].Facts, e.Shares["passes"].Fields, e.Shares["passes"].With, e.Shares["all-values"].Source},
		[]any{[]string{"booking.cancelled", "gate.*"}, []string{"Slot", "Members[].Pass"}, []string{"other", "auditor"}, "made up"})
	same("sharing covers", []bool{e.Shares["passes"].Covers("gate.scanned"), e.Shares["passes"].Covers("booking.cancelled"), e.Shares["passes"].Covers("booking.booked"), e.Shares["passes"].Covers("gates.x")},
		[]bool{true, true, false, false})
	same("notice", e.Notice, 48*time.Hour)
	same("amends", e.Amends[31], byte(31))
	same("from", e.From, time.Date(2025, 1, 1, 6, 0, 0, 0, time.UTC))
	same("published", e.Instruments["treaty"].Published, day("2024-12-01"))
	same("event", e.Events["import"].Fields, []string{"good.value", "good.code"})
	same("values", e.Attributes["papers"].Values, []string{"invoice", "origin"})
	same("derived", e.Attributes["base"].Derived, true)
	for id, want := range map[string]int64{
		"rate.tax": 1750, "home.most": 5250, "rate.kg": 25, "fx": 912345, "cutoff": int64(day("2025-06-01").Days()), "dose.atleast": 4,
	} {
		same(id, e.Parameters[id].Values[0].Int, want)
	}
	same("text", e.Parameters["office"].Values[0].Text, "the customs house")
	get := func(state string) func(string) (string, bool) {
		return func(id string) (string, bool) { return state, id == "importer" && state != "" }
	}
	v, lacks, ok := e.Parameters["limit"].In(Ask{Site: "north", Side: A, On: day("2025-02-01"), Get: get("AAA")})
	same("limit", []any{v.Int, lacks, ok}, []any{int64(100000), "", true})
	v, _, _ = e.Parameters["limit"].In(Ask{Site: "south", Side: B, On: day("2025-02-01"), Get: get("CCC")})
	same("unlimited", v.Unlimited, true)
	v, lacks, ok = e.Parameters["limit"].In(Ask{Site: "south", Side: B, On: day("2025-02-01"), Get: get("")})
	same("limit that turns on a state", []any{v.Known, lacks, ok}, []any{false, "importer", true})
	for known, want := range map[string]int64{"2025-06-14": 100000, "2025-06-15": 200000} { // neither the new value nor the end of the old
		v, _, _ = e.Parameters["limit"].In(Ask{Site: "north", Side: A, On: day("2025-07-01"), Get: get("AAA"), Known: day(known)})
		same("limit as known on "+known, []any{v.Known, v.Int}, []any{true, want})
	}

	q := e.Questions["q"]
	same("settled", []bool{q.Settled(day("2025-03-31"), calendar.Date{}), q.Settled(day("2025-04-01"), calendar.Date{}), q.Settled(day("2025-04-01"), day("2025-03-19"))}, []bool{false, true, false})
	c := e.Clause("T-4")
	same("holds", c.Holds, []Period{
		{From: Day(day("2025-08-07")), Sites: []string{"north"}},
		{From: Day(day("2025-08-21")), Until: Moment{First: day("2025-12-01"), Last: day("2025-12-31")}, Sites: []string{"south"}, Sides: []Side{A, B}},
	})
	c = e.Clause("T-1")
	same("turns", []any{c.Turns, c.Matter}, []any{[]string{"q"}, "papers"})
	same("then", e.Clause("T-2").Then, reason.Refer)
	same("suspend", []any{e.Clause("S-1").Then, e.Clause("T-13").Voids, e.Clause("T-13").Issued, e.Clause("T-13").Direction}, []any{reason.Closed, true, "pass.issued", "in"})
	c = e.Clause("T-17")
	same("cap", []any{*c.Select, *c.Span, c.Sum, c.Adds, c.Groups}, []any{Select{Events: "import", Where: "event.good.code == good.code"}, Span{Rolling: "back"}, "good.value", "good.value", []string{"good.code"}})
	c = e.Clause("T-19")
	same("window", []any{c.Select.Field, c.AtLeast, c.AtMost, c.Before, c.Strict}, []any{"at", "dose.atleast", "dose.atmost", "travel.on", []string{"atmost"}})
	c = e.Clause("T-36")
	same("proof", []any{c.Disease, c.Before, c.Accepts}, []any{"polio", "crossing.at", []Accept{
		{Kind: "vaccination", Products: "purposes", Countries: "purposes", Doses: "trips", AtLeast: "dose.atleast", AtMost: "dose.atmost"}, {Kind: "test", Tests: []string{"naat"}, AtMost: "back"},
	}})
	same("weekdays", e.Clause("T-37").Weekdays, []string{"friday"})
	c = e.Clause("T-20")
	same("window after", []any{c.Event, c.After, c.Select}, []any{"travel.on", true, (*Select)(nil)})
	c = e.Clause("T-21")
	same("stay", []string{c.Start, c.End, c.Days, c.Nights, c.Counting}, []string{"entry.at", "exit.at", "stay.days", "stay.nights", "calendar"})
	c = e.Clause("T-22")
	same("validity", []any{c.Issued, c.For, c.Including, c.Over}, []any{"pass.issued", "pass.years", true, []string{"entry.at", "exit.at"}})
	same("expires", e.Clause("T-23").Expires, "pass.until")
	c = e.Clause("T-25")
	same("ratio", []any{*c.First, *c.Second, c.Times, c.Of}, []any{Select{Events: "import"}, Select{Events: "export", Where: "event.good.value > 0"}, "even", []string(nil)})
	c = e.Clause("T-26")
	same("ledger", []any{*c.First, *c.Second, c.Within, c.Running, c.Tolerance, c.Adds, c.AmountOf, c.Then}, []any{Select{Events: "import"}, Select{Events: "export"}, "back", "follows", "rate.freight", "then", "good.value", reason.None})
	same("guarantee", []any{e.Clause("T-28").Release, e.Clause("T-28").Of}, []any{"'origin' in papers", []string{"good.value"}})
	c = e.Clause("T-30")
	same("turn", []any{c.Order, c.Step, c.Done}, []any{[]Turn{{A, "exit-a"}, {B, "entry-b"}}, "step", "steps.done"})
	c = e.Clause("T-31")
	same("duty", []any{c.By, c.Start, c.Within, c.End}, []any{A, "queue.at", "minutes.inspect", "seen.at"})
	c = e.Clause("T-33")
	same("share", []any{c.To, c.Events, c.Fields, c.Never}, []any{[]string{"ministry"}, []string{"positive"}, []string{"result"}, []string{"name"}})
	c = e.Clause("T-8")
	same("amount", []any{c.Of, c.Amount, c.Regime}, []any{[]string{"duty"}, "duty.weight", "weight"})
	same("reads", e.ReadBy(e.Clause("T-34")), []string{"class", "good.weight", "paper.stamped"})

	l := e.Lists["goods"]
	at := func(code, on, direction string) goods.Found {
		return l.Match(goods.Ask{Code: code, On: day(on), Get: func(id string) (string, bool) {
			s := map[string]string{"direction": direction, "site": "north", "side": "A", "importer": "AAA"}[id]
			return s, s != ""
		}})
	}
	for _, x := range []struct {
		code, on, direction string
		is                  calendar.Tri
		rate                int64
		lacks               string
	}{
		{"07099999", "2025-02-01", "", calendar.Yes, 500, ""},
		{"07020010", "2025-02-01", "", calendar.No, 0, ""},
		{"07031000", "2025-06-30", "in", calendar.Yes, 500, ""},
		{"07031000", "2025-07-01", "in", calendar.Yes, 750, ""},
		{"07031000", "2025-07-01", "", calendar.Open, 0, "direction"},
		{"07031000", "2025-07-01", "out", calendar.Yes, 500, ""},
		{"08081000", "2025-07-01", "", calendar.Open, 0, "exporter"},
		{"08081000", "2024-12-31", "", calendar.No, 0, ""},
		{"070310", "2025-07-01", "in", calendar.Open, 0, goods.LacksCode},
		{"99", "2025-07-01", "in", calendar.No, 0, ""},
	} {
		got := at(x.code, x.on, x.direction)
		if got.Is != x.is || got.Line.Rate != x.rate || got.Lacks != x.lacks {
			t.Errorf("%s on %s %s: got %v %d %q, want %v %d %q", x.code, x.on, x.direction, got.Is, got.Line.Rate, got.Lacks, x.is, x.rate, x.lacks)
		}
	}
	same("open", e.ListInfo["goods"].Open.In("en"), "and other local produce")
	same("places", []Tri{e.Places["places"].Within("village", "region"), e.Places["places"].Within("region", "village"), e.Places["places"].Within("moon", "region")}, []Tri{Yes, No, Open})
	same("purposes", len(e.Values["purposes"]), 2)
	tab := e.Tables["risk"]
	same("cells", tab.Rows[3].Cells, []Cell{{Texts: []string{"driver"}}, {Any: true}, {Min: 0, Max: 50499, HasMin: true, HasMax: true}})
	same("output", tab.Rows[1].Out, map[string]string{"outcome": "HOLD", "risk": "high"})
	same("say", tab.Rows[1].Say.In("en"), "Weigh it")

	s := e.Tests[0]
	same("facts", s.Facts, map[string]any{
		"good.code": "0703.1000", "good.value": int64(1250), "good.weight": int64(1500), "paper.stamped": true, "home.since": day("2020-01-31"),
		"papers": []string{"invoice", "origin"}, "entry.at": time.Date(2025, 1, 1, 3, 0, 0, 0, time.UTC), "fever": int64(-3),
	})
	same("events", s.Events, map[string][]ScenarioEvent{
		"trip": {},
		"import": {
			{At: time.Date(2024, 12, 31, 0, 0, 0, 0, time.UTC), Facts: map[string]any{"good.value": int64(700)}},
			{At: time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC), Site: "south", Facts: map[string]any{"good.code": "0808"}},
		},
	})
	same("known", []time.Time{s.Known, s.Asks[1].Known}, []time.Time{s.At, s.At})
	same("conditions", s.Asks[0].Expect.Conditions, []string{"T-4"})
	if got := len(e.Schedules["north"].Spans("trader", "in", day("2025-05-28"))); got != 0 {
		t.Errorf("a Wednesday in May has %d spans", got)
	}
	if got := len(e.Schedules["north"].Spans("trader", "in", day("2025-06-04"))); got != 1 {
		t.Errorf("a Wednesday in June has %d spans", got)
	}
	same("slots", e.Slots["north"][1].Begins, day("2025-06-01"))
	var says []string
	for _, f := range e.Untested() {
		says = append(says, f.Clause+": "+f.What)
	}
	for _, want := range []string{
		"limit: no scenario on 2025-06-30, the day before its value changes", "goods: no scenario on 2025-07-01, the day on which a line of it begins",
		"storm: no scenario on 2025-03-15, the day on which it ends", "question q: no scenario on 2025-04-01, the day on which it is settled",
		"north: no scenario on 2025-06-01, the day on which its hours change at north", "T-4: no scenario on 2025-08-06, the day before it begins at north",
		"T-4: no scenario on 2025-12-01, the day on which it ends at south", "T-13: no scenario on 2025-05-08, the day on which it ends",
	} {
		if !slices.Contains(says, want) {
			t.Errorf("%q is not among what is untested: %q", want, says)
		}
	}
}

// TestWideFaults breaks the wide package in one way at a time, and wants the fault at its
// file and line, with what is wrong and the mend.
func TestWideFaults(t *testing.T) {
	const (
		main, law, treaty, storm, csv = "agreement.yaml", "parameters/law.yaml", "clauses/treaty.yaml", "clauses/storm.yaml", "lists/goods.csv"
		risk, north, tests, sharing   = "tables/risk.csv", "schedule/north.yaml", "tests/t.yaml", "sharing/record.yaml"
	)
	// old is replaced by new in file; the fault stands in file at the line of here, which
	// is new where it is left out. at is another file, where the fault is not in the same.
	for _, x := range []struct{ name, file, old, new, at, here, says string }{
		{"notice", main, "notice: 48 hours", "notice: soon", "", "", `notice "soon"`},
		{"notice without end", main, "notice: 48 hours", "notice: 0 days", "", "", `notice "0 days"`},
		{"amends", main, "amends: 00", "amends: 0x", "", "", "not the hash of an edition"},
		{"amends too short", main, "amends: 0001", "amends: 01", "", "", "not the hash of an edition"},
		{"sharing twice", sharing, "id: all-values\n    text: {en: What is told of v", "id: passes\n    text: {en: What is told of v", "", "", "sharing passes stands twice"},
		{"sharing with nobody", sharing, "with: [auditor]", "with: []", "", "id: all-values", "with: 0 of them"},
		{"sharing with others", sharing, "with: [auditor]", "with: [everybody]", "", "id: all-values", `with "everybody"`},
		{"sharing of nothing", sharing, "facts: [market.displayed]", "facts: [market]", "", "id: all-values", `facts "market"`},
		{"sharing of no field", sharing, "fields: [Slot, ", "fields: [Slot., ", "", "id: passes", `fields "Slot."`},
		{"sharing of no source", sharing, "with: [auditor]\n    source: made up", "with: [auditor]", "", "id: all-values", "source is missing"},
		{"status", main, "status: framework", "status: treaty", "", "", `status "treaty"`},
		{"published", main, "published: 2024-12-01", "published: lately", "", "", `"lately" is not a date`},
		{"date that is none", main, "from: 2025-02-01}", "from: soon}", "", "", `"soon" is not a date`},
		{"attribute for a date", treaty, "start: entry.at, end", "from: entry.at, end", "", "", `"entry.at" is not a date`},
		{"type", main, "type: date, name: {en: lives", "type: day, name: {en: lives", "", "", `type "day"`},
		{"unit", main, "unit: kg", "unit: stone", "", "", `unit "stone" of a int`},
		{"unit of a date", main, "type: date, name: {en: lives", "type: date, unit: days, name: {en: lives", "", "", `unit "days" of a date`},
		{"values of a number", main, "unit: kg, name", "unit: kg, values: [a], name", "", "", "values of a int"},
		{"value twice", main, "values: [in, out]", "values: [in, in]", "", "", `value "in" is empty or stands twice`},
		{"look-alike value", main, "values: [in, out]", "values: [in, оut]", "", "", "not plain Latin, U+043E"},
		{"name of the engine", main, "{id: home, ", "{id: today, ", "", "", "kept for the engine"},
		{"name under one of the engine", main, "{id: home, ", "{id: prior.home, ", "", "", "kept for the engine"},
		{"event twice", main, "{id: dose, name", "{id: trip, name", "", "{id: trip, name: {en: dose}", "event trip stands twice"},
		{"event lot", main, "{id: trip, name", "{id: lot, name", "", "", "the kind lot"},
		{"event field", main, "fields: [direction]", "fields: [directions]", "", "", `attribute "directions" is not declared`},
		{"event field twice", main, "fields: [direction]", "fields: [direction, direction]", "", "", `field "direction" stands twice`},
		{"event field that all have", main, "fields: [direction]", "fields: [on]", "", "", `field "on" is one that every event has`},
		{"event field derived", main, "fields: [direction]", "fields: [risk]", "", "", `field "risk" is derived`},
		{"never in force", main, "from: 2025-02-01}", "from: 2026-02-01}", "", "", "in force on no day of the edition"},
		{"emergency without end", main, ", from: 2025-03-01, until: 2025-03-15}", ", from: 2025-03-01}", "", "id: storm", "without a side or without an end"},
		{"emergency of both", main, "side: A, status: emergency", "status: emergency", "", "id: storm", "without a side or without an end"},
		{"derived and never made", main, "{id: shown, type: bool, name: {en: value displayed}}", "{id: shown, type: bool, derived: true, name: {en: value displayed}}", "", "", "nothing makes it"},
		{"forbidden value", main, "values: [low, high]", "values: [low, sunni]", "", "", `about "sunni"`},

		{"value that ends first", law, "until: 2025-07-01, ended", "until: 2025-01-01, ended", "", "", "ends before it begins"},
		{"value with a gap", law, "until: 2025-07-01, ended", "until: 2025-06-01, ended", "", "id: limit", "no value on 2025-06-01 at north"},
		{"value twice for one state", law, "for: {importer: CCC}", "for: {importer: CCC}, value: 1, source: x}\n      - {from: 2025-01-01, for: {importer: CCC}", "", "value: unlimited", "two values from 2025-01-01"},
		{"value for nobody", law, "for: {importer: CCC}", "for: {importer: DDD}", "", "", `"DDD" is not a value of importer`},
		{"value for an unknown attribute", law, "for: {importer: CCC}", "for: {state: CCC}", "", "", `attribute "state" is not declared`},
		{"value for a number", law, "for: {importer: CCC}", "for: {good.value: 1}", "", "", "good.value is a int"},
		{"value for a look-alike", law, "for: {importer: CCC}", "for: {importer: ССС}", "", "", "not plain Latin"},
		{"gap for a state", law, "until: 2025-07-01, ended", "until: 2025-07-01, for: {importer: AAA}, ended", "", "id: limit", "no value on 2025-01-01 at north for importer BBB"},
		{"too many decimals of kg", law, "value: 5.250", "value: 5.2501", "", "id: home.most", "not a plain number of the unit"},
		{"too many decimals of a rate", law, "value: 0.912345", "value: 0.9123456", "", "id: fx", "not a plain number of the unit"},
		{"rate of one currency", law, "unit: EUR/USD", "unit: EUR/EUR", "", "", `unit "EUR/EUR" is not known`},
		{"rate by the unknown", law, "unit: USD/kg", "unit: USD/stone", "", "", `unit "USD/stone" is not known`},
		{"date that is none", law, "value: 2025-06-01", "value: 2025-06-31", "", "id: cutoff", "not a plain number of the unit"},
		{"unlimited date", law, "value: 2025-06-01", "value: unlimited", "", "id: cutoff", "not a plain number of the unit"},

		{"kind of list", "lists/places.yaml", "kind: places", "kind: people", "", "id: places", `kind "people"`},
		{"categories of places", "lists/places.yaml", "lines:", "categories: {I: {name: {en: x}}}\nlines:", "", "id: places", "names or categories in a list of places"},
		{"place in a ring", "lists/places.csv", "region,,Region", "region,village,Region", "", "", "place region lies in itself"},
		{"place in nowhere", "lists/places.csv", "district,region", "district,moon", "", "", `parent "moon" is not on the list`},
		{"place twice", "lists/places.csv", "village,district", "district,region", "", "district,region,Village", "place district stands twice"},
		{"value of a list twice", "lists/purposes.csv", "visit,Visit", "trade,Visit", "", "", `value "trade" stands twice for one day`},
		{"forbidden list", "lists/purposes.csv", "visit,Visit", "religious,Visit", "", "id,en", `lists "religious"`},
		{"unknown column", csv, "code,category", "kode,category", "", "", `columns are not known: "kode"`},
		{"column twice", csv, "site,side,en", "site,site,en", "", "", `column "site" stands twice`},
		{"letters in a code", csv, "0702.00,", "O702.00,", "", "", `code "O702.00" is not of two to eight digits`},
		{"other digits in a code", csv, "0702.00,", "０702.00,", "", "", "U+FF10, which is no plain digit"},
		{"code too long", csv, "0702.00,", "0702.00000,", "", "", "not of two to eight digits"},
		{"odd code", csv, "0702.00,", "0702.0,", "", "", "odd number of digits"},
		{"line for both", csv, "0703.1000,I,5,,2025-07-01", "0703.1000,I,5,,2025-07-02", "", "0703.1000,I,7.5", "0703.1000 stands twice for one case"},
		{"line of two columns", csv, "0703.1000,I,7.5,2025-07-01,,,in,,,,,", "0703.1000,I,7.5,,,,,,,north,,", "", "", "0703.1000 stands twice for one case"},
		{"line that ends first", csv, "0808,I,0,2025-01-01,,", "0808,I,0,2025-01-01,2024-01-01,", "", "", "ends before it begins"},
		{"line of no site", csv, "AAA,BBB,north", "AAA,BBB,west", "", "", `site "west" is not known`},
		{"line of no side", csv, "north,A,Apples", "north,C,Apples", "", "", `side "C"`},
		{"line of no state", csv, "AAA,BBB,north", "AAA,XXX,north", "", "", `"XXX" is not a value of exporter`},
		{"exclude perhaps", csv, ",true,", ",perhaps,", "", "", `exclude "perhaps"`},
		{"no category", csv, "0808,I,0", "0808,,0", "", "", "no category"},
		{"no rate", csv, "0808,I,0", "0808,I,", "", "", "no rate"},
		{"no name", csv, "Apples,kg", ",kg", "lists/goods.yaml", "id: goods", "1 lines without a name"},

		{"rows that meet", risk, "trader,true,>=100", "trader,true,>=99.999", "", "", "can hold together with the row on line 2"},
		{"rows that meet by any", risk, "trader,false,-,", "trader,-,-,", "", "", "can hold together with the row on line 2"},
		{"row left out", risk, "driver,-,>1000,REFUSE,high,Too heavy\n", "", "", "class,paper", "no row for class driver, paper.stamped true, load 1000.001"},
		{"cell", risk, "0..<50.5", "50.5..0", "", "", "cannot be read as a cell of a int"},
		{"cell of a bool", risk, "trader,false", "trader,no", "", "", "cannot be read as a cell of a bool"},
		{"empty cell", risk, "trader,false", ",false", "", "", "cannot be read as a cell of a string"},
		{"cell that never is", risk, "trader,false", "traders,false", "", "", `"traders" is not a value of class`},
		{"output that never is", risk, "REFER,high", "REFER,middle", "", "", `"middle" is not one of low, high`},
		{"outcome of a row", risk, "REFER,high", "ASK,high", "", "", `outcome "ASK"`},
		{"no outcome of a row", risk, "REFER,high", ",high", "", "1000,,high", "no outcome"},
		{"input unknown", "tables/risk.yaml", "[class,", "[klass,", "", "", `attribute "klass" is not declared`},
		{"input twice", "tables/risk.yaml", "[class,", "[class, class,", "", "", "input class stands twice"},
		{"input that is a time", "tables/risk.yaml", "[class,", "[entry.at,", "", "", "input entry.at is a time"},
		{"output given", "tables/risk.yaml", "outputs: [outcome, risk]", "outputs: [outcome, home]", "", "id: risk", `output "home" is not a derived attribute`},
		{"table without rows", "tables/risk.yaml", "outputs:", "rows: none.csv\noutputs:", "", "id: risk", `no file "none.csv" beside`},
		{"words for a row", risk, ",Too heavy", ",", treaty, "id: T-34", "line 7 of the table decides against people"},
		{"no such table", treaty, "table: risk", "table: risks", "", "", `table "risks" is not known`},

		{"hours with a gap", north, "until: 2025-06-01}", "until: 2025-05-01}", "", "", "no hours from 2025-05-01 on"},
		{"hours too late", north, `open: ["08:00-16:00"], until`, `open: ["08:00-16:00"], from: 2025-02-01, until`, "", "", "no hours on 2025-01-01"},
		{"hours that end first", north, "until: 2025-06-01}", "until: 2025-06-01, from: 2025-06-01}", "", "site: north", "do not begin before"},
		{"slots that end first", north, "ends: 2025-06-01", "ends: 2025-01-01", "", "", "ends before it begins"},
		{"slots that overlap", north, "ends: 2025-06-01", "ends: 2025-06-02", "", "begins: 2025-06-01", "overlap others of the site"},

		{"settled out of order", treaty, "      - {from: 2025-04-01", "      - {from: 2025-05-01, by: A, reading: {en: x}, source: x}\n      - {from: 2025-04-01", "", "from: 2025-04-01", "settled out of order"},
		{"settled without a date", treaty, "{from: 2025-04-01, published", "{published", "", "", "settled without a date"},
		{"settled without a source", treaty, ", source: minutes 5,", ",", "", "from: 2025-04-01", "settled without a source"},
		{"settled by nobody known", treaty, "by: both", "by: all", "", "", `by "all"`},
		{"settled by no instrument", treaty, "instrument: letter", "instrument: mail", "", "", `instrument "mail" is not known`},

		{"settled, and nothing said of a clause", treaty, ", holds: [T-1]}", "}", "", "from: 2025-04-01", "nothing says what becomes of clause T-1, whose effect turns on it"},
		{"settled for no clause", treaty, "holds: [T-1]}", "holds: [T-1], ends: [T-99]}", "", "", `names clause "T-99", which is not there`},
		{"settled twice over", treaty, "holds: [T-1]}", "holds: [T-1], ends: [T-1]}", "", "", "names clause T-1 twice"},
		{"settled for another clause", treaty, "holds: [T-1]}", "holds: [T-1, T-2]}", "", "", "clause T-2 does not name the question"},
		{"said by one side alone", treaty, "by: both", "by: A", "", "", "does not settle the question"},
		{"matter of one instrument", "clauses/storm.yaml", "matter: papers", "matter: pappers", "", "", `matter "pappers" is of clauses of one instrument alone`},

		{"end that was published, of a value", law, "until: 2025-07-01, ended: 2025-06-15", "until: 2025-07-01", "", "id: limit", "ends on 2025-07-01, and nothing says when that became known, while the value 2000, which begins then, was published on 2025-06-15"},
		{"ended and goes on", law, "until: 2025-07-01, ended: 2025-06-15", "ended: 2025-06-15", "", "", "ended, and no until"},
		{"end that was published, of a clause", treaty, "when: class == 'trader'}", "until: 2025-07-01, when: class == 'trader'}\n  - {id: T-3a, kind: rule, at: [booking], text: {en: x}, say: {en: x}, from: 2025-07-01, published: 2025-07-04, when: class == 'trader', then: REFUSE}", "", "until: 2025-07-01", "while clause T-3a, which begins then, was published on 2025-07-04"},
		{"end that was published, of one of several periods", treaty, "when: class == 'trader'}", "holds: [{until: 2025-07-01, sites: [north]}], when: class == 'trader'}\n  - {id: T-3a, kind: rule, at: [booking], text: {en: x}, say: {en: x}, holds: [{from: 2025-07-01, published: 2025-07-04}], when: class == 'trader', then: REFUSE}", "", "until: 2025-07-01", "was published on 2025-07-04"},
		{"end that was published, of hours", north, "from: 2025-06-01}", "from: 2025-06-01, published: 2025-05-20}", "", "until: 2025-06-01", "was published on 2025-05-20"},
		{"end that was published, of a line", csv, "rate,from,until,exclude,direction,importer,exporter,site,side,en,unit\n07,I,5,,,,,,,,,Vegetables,kg\n0702.00,,,,,true,,,,,,Tomatoes,kg\n0703.1000,I,5,,2025-07-01,,in,,,,,Onions,kg\n0703.1000,I,7.5,2025-07-01,,,in,,,,,Onions,kg\n0808,I,0,2025-01-01,,,,AAA,BBB,north,A,Apples,kg", "rate,from,until,published,direction,en,unit\n0703.1000,I,5,,2025-07-01,,in,Onions,kg\n0703.1000,I,7.5,2025-07-01,,2025-06-20,in,Onions,kg", "", "I,5,,2025-07-01", "was published on 2025-06-20"},
		{"end that was published, of a text", "lists/purposes.csv", "id,en\ntrade,Trade\nvisit,Visit", "id,en,from,until,published\ntrade,Trade,,2025-07-01,\nvisit,Visit,2025-07-01,,2025-06-20", "", "trade,Trade", "was published on 2025-06-20"},

		{"question that is not there", treaty, "turns: [q]", "turns: [z]", "", "", `question "z" is not known`},
		{"field of another kind", treaty, "kind: opened,", "kind: opened, take: most,", "", "", "a opened does nothing with take"},
		{"holds and from", treaty, "    when: known(entry.at)\n", "    when: known(entry.at)\n    from: 2025-02-01\n", "", "id: T-4", "holds, and also from"},
		{"holds nowhere", treaty, "sites: [south], sides", "sites: [west], sides", "", "id: T-4", `site "west" is not known`},
		{"never in force here", treaty, "from: 2025-05-01, until: 2025-05-08", "from: 2026-05-01, until: 2026-05-08", "", "", "in force on no day of the edition and of its instrument"},
		{"never applies", treaty, "when: fever > 380", "when: (false)", "", "", "its when is false"},
		{"always set aside", treaty, "kind: opened, at: [gate]", "kind: opened, at: [gate], overrides: [T-11]", "", "id: T-11", "is set aside always, by T-12"},
		{"override that never meets", treaty, "kind: opened, at: [gate]", "kind: opened, at: [gate], overrides: [T-29]", "", "id: T-12", "never asked in one question"},
		{"rule with both", treaty, "then: REFER,", "then: REFER, require: shown, else: REFUSE,", "", "id: T-2", "either then, or require and else"},
		{"else ALLOW", treaty, "else: HOLD, decides: officer, matter", "else: ALLOW, matter", "", "", "else is ALLOW"},
		{"nobody decides", treaty, "else: HOLD, decides: officer, matter", "else: HOLD, matter", "", "", "names nobody who decides"},
		{"no words", treaty, "say: {en: x}, when: fever", "when: fever", "", "", "has no words"},
		{"condition without words", treaty, "    say: {en: Stop if the test is positive}\n", "", "", "id: T-4", "has no words"},
		{"no at", treaty, "kind: opened, at: [gate],", "kind: opened,", "", "", "needs at"},
		{"define what is given", treaty, "attribute: base,", "attribute: home,", "", "", "home is not derived"},
		{"define in two ways", treaty, "measure: count}", "measure: count, value: \"1\"}", "", "", "either value, or events and measure"},
		{"measure", treaty, "measure: count", "measure: average", "", "", `measure "average"`},
		{"measure without a field", treaty, "measure: count", "measure: sum", "", "", "a field in its measure"},
		{"measure of another field", treaty, "measure: count", "measure: sum:good.value", "", "", `event trip has no field "good.value"`},
		{"measure of another type", treaty, "measure: latest", "measure: count", "", "id: T-7", "dose.last is a date, and count gives a int"},
		{"window per", treaty, "per: month, here", "per: fortnight, here", "", "", `per "fortnight"`},
		{"window both", treaty, "per: month, here", "per: month, rolling: back, here", "", "", "either per or rolling"},
		{"rolling money", treaty, "rolling: back", "rolling: limit", "", "", "limit is in USD, and minutes or hours or"},
		{"no window", treaty, "window: {per: month}, limit: trips", "limit: trips", "", "", "needs window"},
		{"ring", treaty, `value: "known(freight) ?`, `value: "base > 0 ?`, "", "", "base is made of base"},
		{"defined twice", treaty, "  - {id: T-6,", "  - {id: T-5b, kind: define, attribute: base, text: {en: x}, value: good.value}\n  - {id: T-6,", "", "", "same kind of thing as T-5"},
		{"amount twice", treaty, "amount: duty.value, text", "amount: duty.weight, of: duty, text", "", "", "same kind of thing as T-8"},
		{"choice of one", treaty, "amounts: [duty.weight, duty.value]", "amounts: [duty.weight]", "", "", "two amounts or more"},
		{"choice of nothing", treaty, "amounts: [duty.weight, duty.value]", "amounts: [duty.weight, duty.volume]", "", "", `no clause makes the amount "duty.volume"`},
		{"take", treaty, "take: most", "take: all", "", "", `take "all"`},
		{"suspend that allows", treaty, "classes: [driver],", "classes: [driver], then: ALLOW,", "", "", "an outcome that closes in then"},
		{"suspend nobody", treaty, "classes: [driver]", "classes: [pilot]", "", "", `class "pilot" is not known`},
		{"suspend around", treaty, "direction: in, from", "direction: round, from", "", "", `direction "round"`},
		{"voids without issue", treaty, "voids: true, issued: pass.issued", "voids: true", "", "", "voids: true and issued together"},
		{"listed places", treaty, "list: goods, code", "list: places, code", "", "", "places is a list of places"},
		{"code of a number", treaty, "code: good.code, beside", "code: good.value, beside", "", "", "good.value is a int, and a string is needed"},
		{"beside nothing", treaty, "beside: [absent]", "beside: [nothing]", "", "", `list "nothing" is not known`},
		{"cap of another currency", law, "unit: USD\n", "unit: EUR\n", treaty, "id: T-16", "limit is in EUR, and USD is needed here"},
		{"cap per window", treaty, "per: day, limit", "limit", "", "id: T-16", "per: day or category"},
		{"cap per day of events", treaty, "events: import, where: \"event.good", "per: day, events: import, where: \"event.good", "", "", "no per, diverted or earlier"},
		{"cap of unknown events", treaty, "events: import, where", "events: imports, where", "", "", `event "imports" is not declared`},
		{"where without events", treaty, "events: trip, window", "where: \"true\", window", "", "", "events: the kind of events"},
		{"cap of another sum", treaty, "sum: good.value, adds: good.value, by", "sum: good.weight, adds: good.value, by", "", "", `event import has no field "good.weight"`},
		{"cap of a text", treaty, "sum: good.value, adds: good.value, by", "sum: good.code, adds: good.value, by", "", "", "good.code is a string, and a int is needed"},
		{"cap that adds weight", treaty, "adds: good.value, by", "adds: good.weight, by", "", "", `good.weight is in "kg", and what it is added to in "USD"`},
		{"cap by another", treaty, "by: [good.code]", "by: [home]", "", "", `event import has no field "home"`},
		{"frequency of money", treaty, "limit: trips, adds: 1", "limit: limit, adds: 1", "", "", "limit is in USD, and count is needed"},
		{"frequency that adds two", treaty, "adds: 1,", "adds: 2,", "", "", `adds "2"`},
		{"window open", treaty, "open: [atmost]", "open: [most]", "", "", `open "most"`},
		{"window of both", treaty, "event: travel.on, atmost", "event: travel.on, events: dose, atmost", "", "", "either event or events"},
		{"window of a number", treaty, "event: travel.on, atmost", "event: good.value, atmost", "", "", "good.value is a int, and a time or date is needed"},
		{"window of no field", treaty, "field: at,", "field: when,", "", "", `event dose has no field "when"`},
		{"window without ends", treaty, "event: travel.on, atmost: back,", "event: travel.on,", "", "", "atleast or atmost"},
		{"stay of nothing", treaty, "days: stay.days, nights: stay.nights,", "", "", "id: T-21", "days or nights"},
		{"stay counted", treaty, "counting: calendar", "counting: roughly", "", "", `counting "roughly"`},
		{"validity of both", treaty, "issued: pass.issued, for: pass.years,", "issued: pass.issued, expires: pass.until, for: pass.years,", "", "", "either expires or issued"},
		{"validity for nothing", treaty, "for: pass.years, ", "", "", "id: T-22", "issued and for together"},
		{"anniversary", treaty, "anniversary: in", "anniversary: maybe", "", "", `anniversary "maybe"`},
		{"validity over three", treaty, "over: [entry.at, exit.at]", "over: [entry.at, exit.at, travel.on]", "", "", "one or two attributes in over"},
		{"residence of nothing", treaty, "place: home, list: places, region: region, since: home.since, atleast: home.least, distance: home.km, atmost: home.most,", "", "", "id: T-24", "place, since or distance"},
		{"region", treaty, "region: region", "region: moon", "", "", `region "moon" is not on places`},
		{"since without atleast", treaty, "atleast: home.least, ", "", "", "id: T-24", "since and atleast together"},
		{"distance in hours", treaty, "atmost: home.most", "atmost: minutes.inspect", "", "", "minutes.inspect is in minutes, and km is needed"},
		{"ratio to nothing", treaty, "to: {events: export,", "to: {events: exports,", "", "", `event "exports" is not declared`},
		{"ratio unknown field", treaty, "to: {events: export,", "to: {event: export,", "", "", `unknown field "event"`},
		{"ratio times money", treaty, "times: even", "times: limit", "", "", "limit is in USD, and percent is needed"},
		{"ledger without then", treaty, "then: {events: export}, ", "", "", "id: T-26", "then: the kind of events"},
		{"ledger running", treaty, "running: follows", "running: away", "", "", `running "away"`},
		{"ledger without amount", treaty, "adds: then, amount_of: good.value", "adds: then", "", "", "amount_of where the question adds a leg"},
		{"ledger of kilos", treaty, "amount_of: good.value", "amount_of: good.weight", "", "", `good.weight is in "kg"`},
		{"tax on kilos", treaty, "of: [good.value, freight]", "of: [good.value, good.weight]", "", "", "good.weight is not an amount in USD"},
		{"turn of one", treaty, "order: [{side: A, step: exit-a}, {side: B, step: entry-b}]", "order: [{side: A, step: exit-a}]", "", "", "an order of two steps or more"},
		{"turn of another side", treaty, "{side: B, step: entry-b}", "{side: C, step: entry-b}", "", "", `step "entry-b" of side "C"`},
		{"turn of no step", treaty, "{side: B, step: entry-b}", "{side: B, step: entry-c}", "", "", `"entry-c" is not a value of step`},
		{"duty of nobody", treaty, "by: A, text", "by: C, text", "", "", "by: A, B or both"},
		{"duty of both kinds", treaty, "require: shown, else: BREACH", "require: shown, start: queue.at, else: BREACH", "", "", "either require, or a clock"},
		{"clock that never ends", treaty, ", done: seen.at", "", "", "id: T-31", "start, within and done"},
		{"share to nobody", treaty, "to: [ministry]", "to: [press]", "", "", `to: "press" is not a value of data.recipient`},
		{"share never and always", treaty, "never: [name]", "never: [result]", "", "", `"result" goes and never goes`},
		{"share without its attribute", main, "{id: data.event,", "{id: data.occasion,", treaty, "id: T-33", `attribute "data.event" is not known`},
		{"bound with at", "clauses/frame.yaml", "kind: bound,", "kind: bound, at: [gate],", "", "", "require, and no at"},
		{"nights in money", treaty, "nights: stay.nights", "nights: limit", "", "", "limit is in USD, and days or count"},
		{"days in money", treaty, "days: stay.days", "days: limit", "", "", "limit is in USD, and days or count"},
		{"start of a number", treaty, "start: entry.at, end", "start: good.value, end", "", "", "good.value is a int, and a time or date"},
		{"end of a number", treaty, "end: exit.at, days", "end: good.value, days", "", "", "good.value is a int, and a time or date"},
		{"expires of a text", treaty, "expires: pass.until", "expires: home", "", "", "home is a string, and a time or date"},
		{"issued of a text", treaty, "issued: pass.issued, for", "issued: home, for", "", "", "home is a string, and a time or date"},
		{"for money", treaty, "for: pass.years", "for: limit", "", "", "limit is in USD, and days or weeks"},
		{"over a text", treaty, "over: [entry.at, exit.at]", "over: [home]", "", "", "home is a string, and a time or date"},
		{"place of a number", treaty, "place: home, list", "place: home.km, list", "", "", "home.km is a int, and a string"},
		{"place without a list", treaty, "place: home, list: places, region: region,", "place: home,", "", "", "place and list together"},
		{"place on goods", treaty, "list: places, region", "list: goods, region", "", "", "goods is a list of goods"},
		{"region of values", treaty, "list: places, region", "list: purposes, region", "", "", "a list of places for its region"},
		{"since a text", treaty, "since: home.since", "since: home", "", "", "home is a string, and a time or date"},
		{"atleast in km", treaty, "atleast: home.least", "atleast: home.most", "", "", "home.most is in km, and minutes or"},
		{"distance of a text", treaty, "distance: home.km", "distance: home", "", "", "home is a string, and a int"},
		{"distance without atmost", treaty, ", atmost: home.most", "", "", "id: T-24", "distance and atmost together"},
		{"before a number", treaty, "before: travel.on, open", "before: good.value, open", "", "", "good.value is a int, and a time or date"},
		{"atleast of money", treaty, "atleast: dose.atleast", "atleast: limit", "", "", "limit is in USD, and minutes or"},
		{"atmost of money", treaty, "atmost: dose.atmost", "atmost: limit", "", "", "limit is in USD, and minutes or"},
		{"tolerance in days", treaty, "tolerance: rate.freight", "tolerance: back", "", "", "back is in days, and percent"},
		{"within money", treaty, "within: back, running", "within: limit, running", "", "", "limit is in USD, and days or"},
		{"ledger without a term", treaty, "within: back, running", "running", "", "id: T-26", "within and else"},
		{"ledger adds", treaty, "adds: then, amount_of", "adds: both, amount_of", "", "", `adds "both"`},
		{"ledger of unknown events", treaty, "first: {events: import}", "first: {events: imports}", "", "", `event "imports" is not declared`},
		{"ledger of a text", treaty, "first: {events: import}, then: {events: export}, sum: good.value", "first: {events: import}, then: {events: export}, sum: good.code", "", "", "good.code is a string, and a int"},
		{"tax without a base", treaty, "of: [good.value, freight], ", "", "", "id: T-27", "amount, of and rate"},
		{"tax rate in days", treaty, "rate: rate.tax, currency", "rate: back, currency", "", "", "back is in days, and percent"},
		{"tax currency", treaty, "rate: rate.tax, currency: USD", "rate: rate.tax, currency: XXX", "", "", `currency "XXX" is not known`},
		{"tax on what is not there", treaty, "of: [good.value, freight]", "of: [good.price]", "", "", `attribute "good.price" is not known`},
		{"guarantee without else", treaty, "require: paper.stamped, else: HOLD, decides: officer, release", "require: paper.stamped, release", "", "", "require and else together"},
		{"fields of nothing", treaty, "fields: [good.code, good.value], ", "", "", "id: T-29", "fields and else"},
		{"field unknown", treaty, "fields: [good.code, good.value]", "fields: [good.name]", "", "", `attribute "good.name" is not known`},
		{"step of a bool", treaty, "step: step, done", "step: shown, done", "", "", "shown is a bool, and a string"},
		{"done of a text", treaty, "done: steps.done, else", "done: home, else", "", "", "home is a string, and a strings"},
		{"clock from a day", treaty, "start: queue.at", "start: travel.on", "", "", "travel.on is a date, and a time"},
		{"clock to a day", treaty, "done: seen.at", "done: travel.on", "", "", "travel.on is a date, and a time"},
		{"clock of kilometres", treaty, "within: minutes.inspect", "within: home.most", "", "", "home.most is in km, and minutes or"},
		{"duty of neither kind", treaty, "require: shown, else: BREACH", "else: BREACH", "", "id: T-32", "either require, or a clock"},
		{"duty without else", treaty, "require: shown, else: BREACH", "require: shown", "", "id: T-32", "else, and by"},
		{"share of nothing", treaty, "to: [ministry], ", "", "", "id: T-33", "to, else, and fields or never"},
		{"share of another field", treaty, "fields: [result]", "fields: [address]", "", "", `fields: "address" is not a value of data.fields`},
		{"share on another event", treaty, "event: [positive]", "event: [negative]", "", "", `event: "negative" is not a value of data.event`},
		{"share never of another", treaty, "never: [name]", "never: [address]", "", "", `never: "address" is not a value`},
		{"listed without a list", treaty, "list: goods, code: good.code", "code: good.code", "", "", "list and else"},
		{"rate by both", treaty, "list: goods, amount", "list: goods, rate: rate.tax, amount", "", "", "either list or rate"},
		{"rate by what is absent", treaty, "list: goods, amount", "list: absent, amount", "", "", "a list that is at hand"},
		{"rate by places", treaty, "list: goods, amount", "list: places, amount", "", "", "places is a list of places"},
		{"rate without a name", treaty, ", amount: duty.list", "", "", "id: T-15", "needs amount"},
		{"cap without a limit", treaty, "limit: limit, else: DIVERT", "else: DIVERT", "", "", "needs limit"},
		{"cap without else", treaty, "limit: limit, else: DIVERT, regime: statutory, diverted", "limit: limit, diverted", "", "", "needs else"},
		{"cap that diverts nowhere", treaty, "regime: statutory, diverted", "diverted", "", "id: T-16", "regime, where the excess"},
		{"cap diverted", treaty, "diverted: ignore", "diverted: forget", "", "", "diverted to be count"},
		{"cap over lots with a window", treaty, "per: day, limit", "per: day, window: {per: day}, limit", "", "", "events, where it has window"},
		{"frequency without else", treaty, ", adds: 1, else: REFUSE", ", adds: 1", "", "", "limit and else"},
		{"schedule per week", treaty, "kind: schedule, at: [gate]", "kind: schedule, at: [gate], per: week", "", "", `per "week" of a schedule`},
		{"schedule of money", treaty, "kind: schedule, at: [gate]", "kind: schedule, at: [gate], limit: limit", "", "", "limit is in USD, and count"},
		{"schedule without else", treaty, "kind: schedule, at: [gate], text: {en: x}, say: {en: x}, else: CLOSED", "kind: schedule, at: [gate], text: {en: x}", "", "", "needs else"},
		{"opened without else", treaty, "kind: opened, at: [gate], text: {en: x}, say: {en: x}, else: CLOSED", "kind: opened, at: [gate], text: {en: x}", "", "", "needs else"},
		{"amount without a value", treaty, ", value: \"percent(base, param.rate.tax)\"", "", "", "id: T-9", "amount and value"},
		{"amount of two", treaty, "of: duty, currency", "of: [duty, tax], currency", "", "", "one text in of"},
		{"amount in nothing", treaty, "of: duty, currency: USD", "of: duty, currency: XXX", "", "", `currency "XXX" is not known`},
		{"note that is asked", treaty, "kind: note, text", "kind: note, at: [gate], text", "", "", "no at: nothing is asked"},
		{"bound without require", "clauses/frame.yaml", "require: param.trips <= 10, ", "", "", "id: F-1", "require, and no at"},
		{"bound on what is not there", "clauses/frame.yaml", "limit: trips}", "limit: trip}", "", "", `parameter "trip" is not known`},
		{"void by a number", treaty, "issued: pass.issued}", "issued: good.value}", "", "", "good.value is a int, and a time or date"},
		{"define what is not there", treaty, "attribute: base,", "attribute: bases,", "", "", `attribute "bases" is not known`},
		{"define without attribute", treaty, "attribute: base, ", "", "", "id: T-5", "needs attribute"},
		{"define by nothing", treaty, ", events: dose, measure: latest", "", "", "id: T-7", "either value, or events and measure"},
		{"latest of a text", treaty, "measure: latest", "measure: latest:dose.kind", "", "", "dose.kind is a string, and a time or date"},
		{"count of a field", treaty, "measure: count", "measure: count:direction", "", "", "a measure of count alone"},
		{"sum of another unit", treaty, "events: trip, where: event.direction == direction, window: {per: month, here: true}, measure: count", "events: import, measure: sum:good.value", "", "", `trips.month is in "count", and good.value in "USD"`},
		{"ratio without a window", treaty, "times: even, window: {per: month},", "times: even,", "", "", "needs window"},
		{"ratio that adds weight", treaty, "adds: good.value, else", "adds: good.weight, else", "", "", `good.weight is in "kg"`},
		{"ratio without times", treaty, "times: even, ", "", "", "id: T-25", "times and else"},
		{"window without words", treaty, "open: [atmost], else: HOLD", "open: [atmost]", "", "", "else, and atleast or atmost"},
		{"row that diverts nowhere", risk, "REFER,high", "DIVERT,high", treaty, "id: T-34", "regime, where a row diverts"},
		{"site of a parameter", law, "site: south, side: B", "site: west, side: B", "", "id: limit", `site "west" is not known`},
		{"share of a side", north, "shares: {A: 50, B: 50}", "shares: {A: 50, C: 50}", "", "", `share of side "C"`},
		{"capacity of what is not there", north, "capacity: places, shares", "capacity: seats, shares", "", "", `capacity "seats" is not a parameter`},
		{"capacity of money", north, "capacity: places, shares", "capacity: limit, shares", "", "", `capacity "limit" counts USD`},
		{"exception without a source", north, ", source: gazette 9", "", "", "on: 2025-03-03", "exception without a source"},
		{"look-alike in a condition", treaty, "when: class == 'trader'", "when: class == 'trаder'", "", "", "not plain Latin"},
		{"forbidden in where", treaty, "where: event.dose.kind == 'x'", "where: event.dose.kind == 'muslim'", "", "", `reads "muslim"`},
		{"forbidden in a definition", treaty, `value: "known(freight)`, `value: "known(religion)`, "", "", `reads "religion"`},

		{"emergency that permits", storm, "kind: suspend,", "kind: rule,", "", "", "an emergency act that permits"},
		{"emergency that defines", storm, "kind: suspend, at: [gate]", "kind: condition, at: [gate]", "", "", "an emergency act with a condition"},
		{"emergency that diverts", storm, "kind: suspend, at: [gate]", "kind: rule, at: [gate], then: DIVERT, regime: x", "", "", "an emergency act that ends in DIVERT"},
		{"emergency that sets aside", storm, "kind: suspend, at: [gate]", "kind: rule, at: [gate], when: shown, then: HOLD, decides: x, overrides: [T-1]", "", "", "sets T-1 aside, which may be stricter"},

		{"fact of a closed set", tests, "papers: [origin, invoice, origin]", "papers: [origin, licence]", "", "facts: {good.code", `"licence" is not one of invoice, origin`},
		{"fact in a list", tests, "good.weight: 1.5", "good.weight: [1.5]", "", "", "a list for a int"},
		{"fact that is derived", tests, "good.weight: 1.5", "base: 1.5", "", "", "base is derived"},
		{"fact of another day", tests, "home.since: 2020-01-31", "home.since: 2020-02-31", "", "", "want a day, such as 2025-09-02"},
		{"event not declared", tests, "      trip: []", "      trips: [{on: 2025-01-01}]", "", "", `event "trips" is not declared`},
		{"event of no field", tests, "good.value: 7}", "good.weight: 7}", "", "", `event import has no field "good.weight"`},
		{"event without a time", tests, "{on: 2024-12-31, good.value: 7}", "{good.value: 7}", "", "", "event without a time"},
		{"event of no site", tests, "site: south, good.code: 0808", "site: west, good.code: 0808", "", "", `site "west" is not known`},
		{"expected condition", tests, "conditions: [T-4]", "conditions: [T-44]", "", "", `expects clause "T-44"`},
		{"known when", tests, "known: 2025-01-02T10:00:00Z\n", "known: today\n", "", "", `"today" is not an instant`},
	} {
		m := wide(t)
		text := string(m[x.file].Data)
		if strings.Count(text, x.old) == 0 {
			t.Errorf("%s: %s has no %q", x.name, x.file, x.old)
			continue
		}
		m[x.file] = &fstest.MapFile{Data: []byte(strings.Replace(text, x.old, x.new, 1))}
		_, faults := Check(m)
		at, here := x.at, x.here
		if at == "" {
			at = x.file
		}
		if here == "" {
			here = x.new
		}
		i := strings.Index(string(m[at].Data), here)
		if i < 0 {
			t.Errorf("%s: %s has no %q", x.name, at, here)
			continue
		}
		line := 1 + strings.Count(string(m[at].Data[:i]), "\n")
		if !slices.ContainsFunc(faults, func(f Fault) bool {
			return f.File == at && f.Line == line && strings.Contains(f.What, x.says) && f.Mend != ""
		}) {
			var said Faults
			for _, f := range faults {
				if !strings.HasPrefix(f.What, "no text is in ") {
					said = append(said, f)
				}
			}
			t.Errorf("%s: no fault at %s:%d that says %q; got %v", x.name, at, line, x.says, said)
		}
	}
}
