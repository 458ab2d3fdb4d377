// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package agreement

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/lang"
	"darwaza.dev/internal/reason"
)

// filled is a clause that has every field, each with a text of its own where it can.
func filled(t testing.TB, k Kind) *Clause {
	t.Helper()
	c := &Clause{}
	v := reflect.ValueOf(c).Elem()
	for i := range v.NumField() {
		f, mark := v.Field(i), "mark"+v.Type().Field(i).Name
		switch f.Interface().(type) {
		case string, Side:
			f.SetString(mark)
		case []string:
			f.Set(reflect.ValueOf([]string{mark, mark + "2"}))
		case bool:
			f.SetBool(true)
		case int:
			f.SetInt(7)
		case lang.Text:
			f.Set(reflect.ValueOf(lang.Text{lang.EN: mark}))
		case reason.Outcome:
			f.Set(reflect.ValueOf(reason.Refuse))
		case calendar.Date:
			f.Set(reflect.ValueOf(calendar.MustDate("2031-01-02")))
		case []Period:
			f.Set(reflect.ValueOf([]Period{{From: Day(calendar.MustDate("2031-03-04")), Sites: []string{mark}, Sides: []Side{B}}}))
		case *Select:
			f.Set(reflect.ValueOf(&Select{mark + "Events", mark + "Where", mark + "Field"}))
		case *Span:
			f.Set(reflect.ValueOf(&Span{mark + "Per", mark + "Rolling", true}))
		case []Accept:
			f.Set(reflect.ValueOf([]Accept{{mark + "Kind", []string{mark + "Tests"}, mark + "Products", mark + "Countries", mark + "Doses", mark + "AtLeast", mark + "AtMost"}}))
		case []Turn:
			f.Set(reflect.ValueOf([]Turn{{A, mark}, {B, mark + "2"}}))
		case Kind:
			f.SetString(string(k))
		default:
			t.Fatalf("field %s is of a type that nothing here fills", v.Type().Field(i).Name)
		}
	}
	return c
}

// TestReadingTellsEveryField fills each field of a clause of each kind and wants all of
// them read out, by the word that a package has for it.
func TestReadingTellsEveryField(t *testing.T) {
	e, _ := Check(wide(t))
	if e == nil {
		t.Fatal("no edition")
	}
	inside := []string{"count", "where", "field"} // told with what they belong to
	for _, k := range Kinds() {
		c := filled(t, k)
		reads := e.Reading(c)
		v := reflect.ValueOf(c).Elem()
		for i := range v.NumField() {
			name := v.Type().Field(i).Name
			switch name {
			case "ID", "Anchor", "Instrument", "Text", "Say", "Next", "Line", "File":
				continue
			}
			n := slices.IndexFunc(reads, func(r Read) bool { return r.Field == name })
			if n < 0 {
				t.Errorf("%s: nothing tells %s", k, name)
				continue
			}
			var want []string
			switch x := v.Field(i).Interface().(type) {
			case string:
				want = []string{x}
			case Side:
				want = []string{string(x)}
			case []string:
				want = x
			case []Accept:
				want = []string{x[0].Kind, x[0].Tests[0], x[0].Products, x[0].Countries, x[0].Doses, x[0].AtLeast, x[0].AtMost}
			case []Turn:
				want = []string{"A markOrder, then B markOrder2"}
			case *Select:
				want = []string{x.Events, x.Where, x.Field}
			case *Span:
				want = []string{x.Per, x.Rolling, "at the site"}
			case []Period:
				want = []string{"2031-03-04", "markHolds", "side B"}
			case calendar.Date:
				want = []string{"2031-01-02"}
			case reason.Outcome:
				want = []string{"REFUSE"}
			case Kind:
				want = []string{string(k)}
			case bool:
				want = []string{map[string]string{"Including": "in"}[name]}
				if name != "Including" {
					want = []string{"yes"}
				}
			}
			if len(want) == 0 {
				t.Errorf("nothing is wanted of %s", name)
			}
			for _, s := range want {
				if !strings.Contains(reads[n].Value, s) {
					t.Errorf("%s: %s tells %q, and not %q", k, name, reads[n].Value, s)
				}
			}
		}
		if k == KindRatio && (fieldWord(k, "First") != "of" || fieldWord(k, "Second") != "to") {
			t.Error("the two sums of a ratio are not of and to")
		}
		for _, w := range kindFields(k) {
			if !slices.Contains(inside, w) && !slices.ContainsFunc(reads, func(r Read) bool { return r.Word == w }) {
				t.Errorf("%s: no word %q", k, w)
			}
		}
	}
}

// TestReadingMeans says what a reader has to know beside what is written: values in their
// units where the clause holds, and questions that are open.
func TestReadingMeans(t *testing.T) {
	m := wide(t)
	change(t, m, "clauses/treaty.yaml", `by: nobody`, "by: A")
	e, _ := Check(m)
	c := *e.Clause("T-24")
	means := func(field string) string {
		for _, r := range e.Reading(&c) {
			if r.Field == field {
				return r.Means
			}
		}
		return "none"
	}
	if got := means("AtMost"); !strings.HasPrefix(got, "5.25 km") {
		t.Errorf("atmost: %q", got)
	}
	c = *e.Clause("T-1")
	if got := means("Turns"); !strings.Contains(got, "“Is the year counted in days?” not settled, read by side A alone, settled from 2025-04-01") {
		t.Errorf("turns: %q", got)
	}
	if got := means("Else"); got != "REFER instead until what it turns on is settled" {
		t.Errorf("else: %q", got)
	}
	e.Questions["q"] = Question{ID: "q", By: "nobody"}
	if got := means("Else"); got != "REFER instead while question q is not settled" {
		t.Errorf("else of an open question: %q", got)
	}
	c = *e.Clause("T-17")
	c.Holds = []Period{{Sites: []string{"south"}}}
	if got := means("Limit"); strings.Contains(got, "north") || !strings.Contains(got, "unlimited") {
		t.Errorf("a limit at a site where the clause does not hold: %q", got)
	}
	e.Parameters["limit"] = &Parameter{ID: "limit", Unit: "USD", Values: []ParameterValue{{Known: true, Int: 100, Site: "north"}, {Known: true, Int: 250, Site: "south"}}}
	if got := means("Limit"); got != "2.50 USD at south" {
		t.Errorf("a limit of two sites at one of them: %q", got)
	}
	c.When = "good.value <= param.home.most"
	if got := means("When"); !strings.HasPrefix(got, "home.most is 5.25 km") {
		t.Errorf("when: %q", got)
	}
}

// TestDiffEffects tells effects first and in their units, and what a new clause does.
func TestDiffEffects(t *testing.T) {
	before, _ := Check(wide(t))
	m := wide(t)
	change(t, m, "clauses/treaty.yaml", `kind: note, text: \{en: A committee meets\}\}`, `kind: note, text: {en: A committee meets}}
  - {id: T-99, kind: residence, at: [booking], sites: [south], from: 2025-03-01, text: {en: y}, say: {en: y}, when: "class == 'trader'", distance: home.km, atmost: home.most, else: REFUSE}`)
	change(t, m, "clauses/treaty.yaml", `id: T-17, kind: cap`, "id: T-17, kind: cap, sites: [north]")
	change(t, m, "agreement.yaml", `id: trader, number: 1, name: \{en: [^}]*\}`, "id: trader, number: 1, name: {en: Merchant}")
	change(t, m, "lists/goods.yaml", `open: .*\n`, "")
	for n := range 12 {
		m["lists/purposes.csv"] = &fstest.MapFile{Data: append(slices.Clone(m["lists/purposes.csv"].Data), fmt.Sprintf("p%02d,Purpose %d\n", n, n)...)}
	}
	m["tables/risk.csv"] = &fstest.MapFile{Data: []byte(strings.Replace(string(m["tables/risk.csv"].Data), "0..<50.5", "0..<60", 1))}
	p := m["parameters/law.yaml"]
	i := strings.Index(string(p.Data), "id: limit")
	j := i + strings.Index(string(p.Data[i:]), "values:") + len("values:")
	p.Data = append(append(slices.Clone(p.Data[:j]), "\n      - {from: 2025-09-01, value: 7.5, site: south, side: B, source: x}"...), p.Data[j:]...)
	after, _ := Check(m)
	if after == nil {
		t.Fatal("no edition")
	}
	changes := Diff(before, after)
	if !slices.IsSortedFunc(changes, func(x, y Change) int { return slices.Index(parts[:], x.Part) - slices.Index(parts[:], y.Part) }) {
		t.Errorf("not by part: %+v", changes)
	}
	text := strings.Join(Tell(changes, false, false), "\n")
	for _, want := range []string{
		"T-99 is new: kind: residence; at: booking; holds: from 2025-03-01 at south; when: class == 'trader'; else: REFUSE; atmost: home.most; distance: home.km; text: “y”",
		"T-17: holds changes from throughout, everywhere to at north",
		"T-16: the limit limit at south for side B ",
		"list goods: open is taken out; it was yes: what it does not name may be on it too",
		"values purposes: p00 is new: “Purpose 0”, always",
		"values purposes: and 2 more of 12 changes (--all shows them)",
		"load at least 0 kg and at most 59.999 kg",
		"of names, texts and sources (--texts shows them)",
	} {
		if !strings.Contains(text, want) && !(strings.HasPrefix(want, "of names") && strings.Contains(text, "1 change of a name")) {
			t.Errorf("nothing says %q in\n%s", want, text)
		}
	}
	for _, not := range []string{"T-17: the limit", "Merchant", "p11 is new"} {
		if strings.Contains(text, not) {
			t.Errorf("%q stands in\n%s", not, text)
		}
	}
	if all := strings.Join(Tell(changes, true, true), "\n"); !strings.Contains(all, "Merchant") || !strings.Contains(all, "p11 is new") || strings.Contains(all, "--all") || strings.Contains(all, "--texts") {
		t.Errorf("all of it is\n%s", all)
	}
}

// TestDiffUnits writes facts of scenarios as their attributes count them, a nought as a
// nought, and instants by the clock of the edition.
func TestDiffUnits(t *testing.T) {
	e, _ := Check(wide(t))
	e.Zone = "Asia/Karachi"
	tell := teller{e}
	at := e.From.Add(90 * 60 * 1e9)
	got := tell.told(reflect.ValueOf(map[string]any{"home.km": int64(3000), "good.value": int64(0), "paper.stamped": false, "entry.at": at}))
	want := "entry.at: " + at.In(tell.clock()).Format("2006-01-02 15:04 -07:00") + ", good.value: 0.00 USD, home.km: 3 km, paper.stamped: false"
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if _, off := at.In(tell.clock()).Zone(); off == 0 {
		t.Error("the clock of the edition is UTC, which shows nothing")
	}
	if got := tell.told(reflect.ValueOf(ScenarioLot{"I", 3000, "concession", "north"})); got != "I 30.00 USD concession north" {
		t.Errorf("a lot is %q", got)
	}
	if got := tell.told(reflect.ValueOf(ExpectAmount{Name: "duty.weight", Minor: 5})); got != "duty.weight 0.05 USD" {
		t.Errorf("a figure is %q", got)
	}
	id := slices.Sorted(maps.Keys(e.Parameters))[0]
	other, p := *e, *e.Parameters[id]
	p.Unit = "litre"
	other.Parameters = maps.Clone(e.Parameters)
	other.Parameters[id] = &p
	if !slices.ContainsFunc(Diff(e, &other), func(c Change) bool { return c.ID == id && c.Field == "the unit" && c.New == "litre" }) {
		t.Errorf("the unit of %s became another, and nothing says so", id)
	}
}
