// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
	"time"

	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/problem"
)

func TestQueryRoundTrip(t *testing.T) {
	e, l := market(t)
	for _, s := range e.Tests {
		for _, a := range s.Asks {
			q := Query{Point: Point(s.Point), At: pick(a.At, s.At).UTC(), Site: pick(a.Site, s.Site), Side: string(s.Side), Facts: Facts{}}
			for k, v := range s.Facts {
				q.Facts[k] = v
			}
			for k, v := range a.Facts {
				q.Facts[k] = v
			}
			for _, x := range s.Lots {
				q.Lots = append(q.Lots, Lot(x))
			}
			b := AppendQuery(nil, q)
			got, err := l.ParseQuery(b)
			if err != nil {
				t.Fatalf("%s: %v\n%s", s.ID, err, b)
			}
			if again := AppendQuery(nil, got); !bytes.Equal(again, b) {
				t.Errorf("%s: other bytes\n%s\n%s", s.ID, b, again)
			}
			if x, y := l.Check(q).Bytes(), l.Check(got).Bytes(); !bytes.Equal(x, y) {
				t.Errorf("%s: another verdict\n%s\n%s", s.ID, x, y)
			}
		}
	}
	full := Query{Point: Exit, At: time.Date(2025, 9, 2, 5, 0, 0, 7e6, time.UTC), Known: time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC),
		Facts:  Facts{"a": "ü\"", "b": int64(-5), "c": true, "d": []string{"x", "y"}},
		Events: map[string][]Event{"trip": {{At: time.Date(2025, 8, 1, 0, 0, 0, 0, time.UTC), Site: "s", Facts: Facts{"n": int64(1)}}}, "dose": {}},
		Lots:   []Lot{{"I", 5, "concession", "s"}}}
	got, err := l.ParseQuery(AppendQuery(nil, full))
	if err != nil || !reflect.DeepEqual(got, full) {
		t.Errorf("%v\ngot  %+v\nwant %+v", err, got, full)
	}
	// What has no type of an attribute is left out and leaves no comma behind.
	odd := AppendQuery(nil, Query{Point: Exit, At: full.At, Facts: Facts{"a": 1.5, "b": int64(1), "c": struct{}{}, "d": calendar.Date{Year: 2023, Month: 9, Day: 1}}})
	if want := `"facts":{"b":1,"d":"2023-09-01"}`; !strings.Contains(string(odd), want) {
		t.Errorf("%s", odd)
	}
}

func TestQueryRefused(t *testing.T) {
	_, l := market(t)
	good := `{"point":"goods","at":"2025-09-02T05:00:00Z","side":"A","facts":{"good.value":1}}`
	if _, err := l.ParseQuery([]byte(good)); err != nil {
		t.Fatal(err)
	}
	for text, field := range map[string]string{
		"": "", `[]`: "", `{}`: "point", good + "{}": "", good[:40]: "",
		strings.Replace(good, "goods", "moon", 1):                              "point",
		strings.Replace(good, "05:00:00Z", "5", 1):                             "at",
		strings.Replace(good, `"A"`, `"C"`, 1):                                 "side",
		strings.Replace(good, `:1}`, `:1.5}`, 1):                               "facts.good.value",
		strings.Replace(good, `:1}`, `:"1"}`, 1):                               "facts.good.value",
		strings.Replace(good, `:1}`, `:null}`, 1):                              "facts.good.value",
		strings.Replace(good, `:1}`, `:99999999999999999999}`, 1):              "facts.good.value",
		strings.Replace(good, `good.value":1`, `slot.from":"noon"`, 1):         "facts.slot.from",
		strings.Replace(good, `good.value":1`, `vendor.card":1`, 1):            "facts.vendor.card",
		strings.Replace(good, `good.value":1`, `unheard.of":{}`, 1):            "facts.unheard.of",
		strings.Replace(good, `"side"`, `"known":"x","side"`, 1):               "known",
		strings.Replace(good, `"side"`, `"sides"`, 1):                          "",
		strings.Replace(good, `"side"`, `"events":{"trip":[{}]},"side"`, 1):    "events.trip.1.at",
		strings.Replace(good, `"side"`, `"lots":[{"value":"much"}],"side"`, 1): "",
	} {
		if _, err := l.ParseQuery([]byte(text)); problem.KindOf(err) != problem.Invalid || problem.FieldOf(err) != field {
			t.Errorf("%s: %v", text, err)
		}
	}
	if _, err := l.ParseQuery(make([]byte, MaxQuery+1)); problem.KindOf(err) != problem.Limit {
		t.Error(err)
	}
}

func FuzzParseQuery(f *testing.F) {
	_, l := market(f)
	f.Add([]byte(`{"point":"goods","at":"2025-09-02T05:00:00Z","site":"mand-pishin","side":"A","facts":{"good.value":1,"good.code":"07020000"},"lots":[{"category":"I","value":5}]}`))
	f.Add([]byte(`{"point":"gate","at":"2025-09-02T05:00:00+05:00","known":"2025-09-02T05:00:00Z","events":{"trip":[{"at":"2025-09-02T05:00:00Z"}]}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		q, err := l.ParseQuery(b)
		if err != nil {
			return
		}
		one := AppendQuery(nil, q)
		again, err := l.ParseQuery(one)
		if err != nil {
			t.Fatalf("%v: %s", err, one)
		}
		if two := AppendQuery(nil, again); !bytes.Equal(one, two) {
			t.Fatalf("%s\n%s", one, two)
		}
		if !bytes.Equal(l.Check(q).Bytes(), l.Check(again).Bytes()) {
			t.Fatal("another verdict")
		}
	})
}

// TestKnownDay: what was known may be asked by the day, as scenario files ask it: up to its
// last second by the clock of the site.
func TestKnownDay(t *testing.T) {
	_, l := market(t)
	for known, want := range map[string]string{
		`"2025-09-01"`:                "2025-09-01T18:59:59Z", // Pakistan's clock
		`"2025-09-01T10:00:00+05:00"`: "2025-09-01T05:00:00Z",
	} {
		q, err := l.ParseQuery([]byte(`{"point":"goods","at":"2025-09-02T05:00:00Z","site":"mand-pishin","known":` + known + `}`))
		if err != nil || q.Known.Format(time.RFC3339) != want {
			t.Errorf("%s: %s, want %s (%v)", known, q.Known.Format(time.RFC3339), want, err)
		}
		if back, err := l.ParseQuery(AppendQuery(nil, q)); err != nil || !back.Known.Equal(q.Known) {
			t.Errorf("%s comes back as %s: %v", known, back.Known, err)
		}
	}
	for _, bad := range []string{`"2025-09"`, `"2025-02-30"`, `"yesterday"`} {
		if _, err := l.ParseQuery([]byte(`{"point":"goods","at":"2025-09-02T05:00:00Z","known":` + bad + `}`)); problem.FieldOf(err) != "known" {
			t.Errorf("%s: %v", bad, err)
		}
	}
}
