// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"encoding/json"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"darwaza.dev/agreements"
	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/reason"
)

// draft is the border markets' law with texts replaced in its files.
func draft(t testing.TB, edits ...[3]string) *Law {
	t.Helper()
	dir, err := fs.Sub(agreements.FS, "pk-ir-border-markets")
	if err != nil {
		t.Fatal(err)
	}
	m := map[string][]byte{}
	for _, e := range edits {
		b, had := m[e[0]]
		if !had {
			if b, err = fs.ReadFile(dir, e[0]); err != nil {
				t.Fatal(err)
			}
		}
		if !strings.Contains(string(b), e[1]) {
			t.Fatalf("%s has no %q", e[0], e[1])
		}
		m[e[0]] = []byte(strings.Replace(string(b), e[1], e[2], 1))
	}
	over, err := agreement.Overlay(dir, m)
	if err != nil {
		t.Fatal(err)
	}
	e, err := agreement.Load(over)
	if err != nil {
		t.Fatal(err)
	}
	l, err := Compile(e)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func keep(t testing.TB, l *Law, q Query) Recorded {
	t.Helper()
	v := l.Check(q)
	a := l.Keep(q, v)
	r := Recorded{Query: json.RawMessage(a.Query), Withheld: a.Withheld, Missing: a.Missing, Outcome: a.Outcome, Reasons: v.Reasons}
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	if r, err = ParseRecorded(b); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestReplay(t *testing.T) {
	_, l := market(t)
	at := time.Date(2025, 9, 2, 5, 0, 0, 0, time.UTC)
	lots := []Lot{{"I", 4500, regimeConcession, "mand-pishin"}, {"II", 4500, regimeConcession, "mand-pishin"}}
	buy := Query{Point: Goods, At: at, Site: "mand-pishin", Side: "A", Lots: lots,
		Facts: Facts{"good.code": "08105000", "good.value": int64(900), "person.document": "cnic", "class": "visitor", "nobody.asks": "x"}}
	kept := keep(t, l, buy)
	if kept.Outcome != reason.Allow || strings.Contains(string(kept.Query), "nobody.asks") {
		t.Errorf("%+v", kept)
	}
	lower := draft(t, [3]string{"parameters/law.yaml", `value: 100, source: "Part VIII, clause (i)"`, `value: 95, source: "a draft"`})
	for name, x := range map[string]struct {
		law  *Law
		want reason.Outcome
		by   []string
	}{
		"the same law":      {l, reason.Allow, nil},
		"a lower allowance": {lower, reason.Refuse, []string{"P8(i)-b"}},
	} {
		r, err := NewReplay(x.law, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		got, err := r.Ask(kept)
		if err != nil || got.New != x.want || got.Flips() != (x.want != reason.Allow) || !slices.Equal(got.Clauses, x.by) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	// And back: what was refused would pass, by the clause that refused it.
	r, _ := NewReplay(l, time.Time{})
	got, err := r.Ask(keep(t, lower, buy))
	if err != nil || !got.Flips() || got.New != reason.Allow || !slices.Equal(got.Clauses, []string{"P8(i)-b"}) {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestReplayWithheld wants what is sensitive to be neither kept nor guessed.
func TestReplayWithheld(t *testing.T) {
	e, l := market(t)
	var all []Query
	for _, s := range e.Tests {
		for _, a := range s.Asks {
			q := Query{Point: Point(s.Point), At: pick(a.At, s.At), Site: pick(a.Site, s.Site), Side: string(s.Side), Facts: Facts{}}
			for k, v := range s.Facts {
				q.Facts[k] = v
			}
			for k, v := range a.Facts {
				q.Facts[k] = v
			}
			for _, x := range s.Lots {
				q.Lots = append(q.Lots, Lot(x))
			}
			all = append(all, q)
		}
	}
	r, err := NewReplay(l, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	withheld, lacking, plain := 0, 0, 0
	for _, q := range all {
		d := keep(t, l, q)
		for name, a := range e.Attributes {
			if a.Sensitive && strings.Contains(string(d.Query), `"`+name+`"`) {
				t.Errorf("%s is kept: %s", name, d.Query)
			}
		}
		got, err := r.Ask(d)
		if err != nil {
			t.Fatal(err)
		}
		if got.Flips() {
			t.Errorf("flips under its own law: %+v %s", got, d.Query)
		}
		if len(d.Withheld) > 0 {
			withheld++
		}
		switch {
		case len(got.Lacks) > 0:
			lacking++
			if _, ok := l.Edition(q.At); ok && len(d.Withheld) == 0 {
				t.Errorf("lacks %v and nothing was withheld: %s", got.Lacks, d.Query)
			}
		case !got.Silent:
			plain++
		}
	}
	if withheld == 0 || lacking == 0 || plain < 20 {
		t.Errorf("%d withheld, %d lacking, %d plain", withheld, lacking, plain)
	}
	// A draft that asks for something new cannot be answered from the record.
	more := draft(t,
		[3]string{"agreement.yaml", "  - id: vendor.card\n", "  - id: visitor.permit\n    type: bool\n    name: {en: permit, fa: پروانه, ur: اجازت نامہ}\n  - id: vendor.card\n"},
		[3]string{"clauses/part8.yaml", "require: good.value > 0", "require: good.value > 0 && visitor.permit"})
	if r, err = NewReplay(more, time.Time{}); err != nil {
		t.Fatal(err)
	}
	q := goodsQuery("07020000", 300)
	q.Facts["person.document"] = "cnic"
	got, err := r.Ask(keep(t, l, q))
	if err != nil || got.Flips() || !slices.Equal(got.Lacks, []string{"visitor.permit"}) {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestReplayKnown(t *testing.T) {
	_, l := market(t)
	kept := keep(t, l, goodsQuery("07020000", 300))
	kept.Withheld = []string{"screening.temperature"}
	asks := draft(t, [3]string{"clauses/part8.yaml", "require: good.value > 0", "require: good.value > 0 && !known(screening.temperature)"})
	r, err := NewReplay(asks, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := r.Ask(kept); err != nil || !slices.Equal(got.Lacks, []string{"screening.temperature"}) {
		t.Errorf("%+v, %v", got, err)
	}
	if m := looked(&agreement.Edition{
		Attributes: map[string]agreement.Attribute{"a": {}, "b": {}, "c": {}, "d": {}},
		Clauses:    []*agreement.Clause{{When: "known( b )"}, {Attribute: "b", Value: "a ? 1 : 2"}, {Attribute: "c", Value: "d"}},
	}); !m["a"] || !m["b"] || m["c"] || m["d"] {
		t.Errorf("%v", m)
	}
}

func TestReplayMoves(t *testing.T) {
	_, l := market(t)
	karachi := l.Zone("mand-pishin")
	for _, x := range []struct{ at, from, want string }{
		{"2020-03-03T10:00", "2023-05-18T00:00", "2023-05-23T10:00"}, // both Tuesdays, before the term
		{"2025-09-02T10:00", "", "2025-09-02T10:00"},
		{"2025-09-02T10:00", "2026-01-06T00:00", "2026-01-06T10:00"},
		{"2025-09-02T10:00", "2026-01-06T11:00", "2026-01-13T10:00"},
		{"2026-05-05T10:00", "2026-01-06T00:00", "2026-01-06T10:00"}, // back
	} {
		var from time.Time
		if x.from != "" {
			from, _ = time.ParseInLocation("2006-01-02T15:04", x.from, karachi)
		}
		r, err := NewReplay(l, from)
		if x.at < "2023" {
			r, err = NewReplay(l, time.Time{})
		}
		if err != nil {
			t.Fatal(err)
		}
		at, _ := time.ParseInLocation("2006-01-02T15:04", x.at, karachi)
		q := r.move(Query{Point: Gate, At: at, Site: "mand-pishin", Facts: Facts{"slot.from": at.Add(time.Hour), "n": int64(1)},
			Events: map[string][]Event{"trip": {{At: at.Add(-48 * time.Hour)}}, "dose": {}}})
		if got := q.At.In(karachi).Format("2006-01-02T15:04"); got != x.want {
			t.Errorf("%s from %q: %s, want %s", x.at, x.from, got, x.want)
		}
		if d := q.Facts["slot.from"].(time.Time).Sub(q.At); d != time.Hour || q.Facts["n"] != int64(1) {
			t.Errorf("facts %v", q.Facts)
		}
		if d := q.At.Sub(q.Events["trip"][0].At); d != 48*time.Hour || q.Events["dose"] == nil {
			t.Errorf("events %v", q.Events)
		}
	}
	r, _ := NewReplay(l, time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC))
	if got, err := r.Ask(keep(t, l, goodsQuery("07020000", 300))); err != nil || !got.Silent || got.Flips() {
		t.Errorf("after the term: %+v, %v", got, err)
	}
}

func BenchmarkReplay(b *testing.B) {
	_, l := market(b)
	r, err := NewReplay(l, time.Time{})
	if err != nil {
		b.Fatal(err)
	}
	q := goodsQuery("07020000", 300)
	for range 10 {
		q.Lots = append(q.Lots, Lot{"II", 300, regimeConcession, "mand-pishin"})
	}
	line, err := json.Marshal(keep(b, l, q))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		d, err := ParseRecorded(line)
		if err != nil {
			b.Fatal(err)
		}
		if got, err := r.Ask(d); err != nil || got.Flips() {
			b.Fatal(got, err)
		}
	}
}

// TestKeepBytes holds a kept question to the one form of a question: it is what
// AppendQuery writes of the same question with what is not kept taken out.
func TestKeepBytes(t *testing.T) {
	withheld, events := 0, 0
	for _, w := range worked() {
		e, l := load(t, w.id)
		for _, r := range l.Test(e) {
			for i, q := range r.Queries {
				v := l.Check(q)
				a := l.Keep(q, v)
				want := q
				want.Facts, want.Events = Facts{}, nil
				for _, in := range v.Inputs {
					if x, ok := q.Facts[in.Name]; ok && !slices.Contains(a.Withheld, in.Name) {
						want.Facts[in.Name] = x
					}
				}
				_, ruled := l.Edition(q.At) // where nothing is in force nothing is read
				for kind, list := range q.Events {
					if ruled && !slices.Contains(a.Withheld, "events."+kind) {
						if want.Events == nil {
							want.Events = map[string][]Event{}
						}
						want.Events[kind] = list
						events++
					}
				}
				if slices.Contains(a.Withheld, withheldLots) {
					want.Lots = nil
				}
				if b := string(AppendQuery(nil, want)); b != a.Query {
					t.Fatalf("%s %s.%d:\ngot  %s\nwant %s", w.id, r.Scenario.ID, i, a.Query, b)
				}
				for _, name := range a.Withheld {
					if withheld++; name != withheldLots && !strings.HasPrefix(name, "events.") && !e.Attributes[name].Sensitive {
						t.Errorf("%s: %s is withheld", w.id, name)
					}
				}
				for name, at := range e.Attributes {
					if at.Sensitive && strings.Contains(a.Query, `"`+name+`"`) {
						t.Errorf("%s %s: %s is kept: %s", w.id, r.Scenario.ID, name, a.Query)
					}
				}
			}
		}
	}
	if withheld == 0 || events == 0 {
		t.Errorf("%d withheld and %d kinds of events kept", withheld, events)
	}
}

// TestAppendText: a text is written as package json writes it, whatever is in it.
func TestAppendText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.OneOf(rapid.String(), rapid.StringOf(rapid.RuneFrom([]rune("ab\"\\<>&\n\x7f é"))), rapid.Custom(func(t *rapid.T) string { return string(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes")) })).Draw(t, "text")
		want, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		if got := appendText(nil, s); string(got) != string(want) {
			t.Fatalf("got %s, want %s", got, want)
		}
	})
}
