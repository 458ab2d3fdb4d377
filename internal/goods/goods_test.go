// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package goods

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/lang"
)

func text(en, fa, ur string) lang.Text { return lang.Text{lang.EN: en, lang.FA: fa, lang.UR: ur} }

func market(t interface{ Fatal(...any) }) *List {
	l, err := NewList("market", text("Market goods", "کالاها", "سامان"), []Line{
		{Code: "0703.1000", Category: "I", Rate: 500, Name: text("Onions and shallots", "پیاز و موسیر", "پیاز"), Words: []string{"pyaz"}, Icon: "onion"},
		{Code: "07011000", Category: "I", Rate: 500, Name: text("Seed potatoes", "سیب\u200cزمینی بذری", "بیج کے آلو"), Icon: "potato"},
		{Code: "0702.0000", Category: "I", Rate: 500, Name: text("Tomatoes, fresh", "گوجه\u200cفرنگی تازه", "تازہ ٹماٹر"), Words: []string{"tamatar"}, Icon: "tomato"},
		{Code: "2002.9000", Category: "II", Rate: 1000, Name: text("Paste of tomatoes", "رب گوجه فرنگی", "ٹماٹر کا پیسٹ")},
		{Code: "0808.1000", Category: "I", Rate: 500, Name: text("Apples", "سیب", "سیب")},
		{Code: "4015.1900", Category: "III", Rate: 500, Name: text("Gloves", "دستکش", "دستانے")},
	})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func codes(lines []Line) string {
	var out []string
	for _, x := range lines {
		out = append(out, x.Code)
	}
	return strings.Join(out, " ")
}

func TestList(t *testing.T) {
	l := market(t)
	if got, want := codes(l.Lines()), "07011000 07020000 07031000 08081000 20029000 40151900"; got != want {
		t.Errorf("Lines: %s, want %s", got, want)
	}
	if got, want := codes(l.Pictures()), "07011000 07020000 07031000"; got != want {
		t.Errorf("Pictures: %s, want %s", got, want)
	}
	for _, code := range []string{"07020000", "0702.0000", " 0702 0000 ", "0702.00.00", "۰۷۰۲.۰۰۰۰"} {
		if x, ok := l.Find(code); !ok || x.Code != "07020000" {
			t.Errorf("Find(%q) = %v, %v", code, x.Code, ok)
		}
	}
	for _, code := range []string{"", "0702", "07020001", "070200000", "0702-0000", "abcdefgh"} {
		if x, ok := l.Find(code); ok {
			t.Errorf("Find(%q) = %v", code, x.Code)
		}
	}
	if got := FormatCode("07020000"); got != "0702.0000" {
		t.Errorf("FormatCode = %q", got)
	}
	if got := FormatCode("none"); got != "none" {
		t.Errorf("FormatCode = %q", got)
	}
}

func TestNewListRefuses(t *testing.T) {
	good := Line{Code: "07020000", Category: "I", Name: text("a", "", "")}
	edit := func(f func(*Line)) []Line {
		x := good
		f(&x)
		return []Line{x}
	}
	tests := []struct {
		lines []Line
		want  string
	}{
		{edit(func(x *Line) { x.Code = "7" }), "is not a code"},
		{edit(func(x *Line) { x.Code = "070200001" }), "is not a code"},
		{edit(func(x *Line) { x.Name = nil }), "has no name"},
		{edit(func(x *Line) { x.Rate = -1 }), "below zero"},
		{[]Line{{Code: "0702", Name: text("a", "", ""), For: map[string]string{"side": "A"}}, {Code: "0702", Name: text("a", "", ""), For: map[string]string{"site": "x"}}}, "stands twice"},
		{[]Line{good, {Code: "0702.0000", Category: "II", Name: text("b", "", "")}}, "stands twice"},
	}
	for _, x := range tests {
		if _, err := NewList("l", nil, x.lines); err == nil || !strings.Contains(err.Error(), x.want) {
			t.Errorf("got %v, want %q", err, x.want)
		}
	}
	lines := []Line{good}
	l, err := NewList("l", nil, lines)
	if err != nil {
		t.Fatal(err)
	}
	lines[0].Code = "99999999"
	if _, ok := l.Find("07020000"); !ok {
		t.Error("the list changes with the caller's lines")
	}
}

// TestMatch finds the longest code, and of its lines the one that names most.
func TestMatch(t *testing.T) {
	day := func(s string) calendar.Moment {
		m, err := calendar.ParseMoment(s)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	l, err := NewList("l", nil, []Line{
		{Code: "07", Rate: 1, Name: text("a", "", "")},
		{Code: "0702", Exclude: true, Name: text("a", "", "")},
		{Code: "0702.00", Rate: 2, Name: text("a", "", ""), From: day("2020-01-01"), Until: day("2021-01-01")},
		{Code: "0702.00", Rate: 3, Name: text("a", "", ""), From: day("2021-01-01"), Until: day("2022-05")},
		{Code: "0702.00", Rate: 4, Name: text("a", "", ""), For: map[string]string{"side": "A"}},
		{Code: "0702.00", Rate: 5, Name: text("a", "", ""), For: map[string]string{"side": "B", "site": "x"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		code, on, side, site string
		is                   calendar.Tri
		rate                 int64
		lacks                string
	}{
		{"07010000", "2020-06-01", "", "", calendar.Yes, 1, ""},
		{"0701.90", "2020-06-01", "", "", calendar.Yes, 1, ""},
		{"07029999", "2020-06-01", "", "", calendar.No, 0, ""},
		{"07020000", "2020-06-01", "", "", calendar.Open, 0, "side"},
		{"07020000", "2019-06-01", "C", "", calendar.No, 0, ""},
		{"07020000", "2020-06-01", "C", "", calendar.Yes, 2, ""},
		{"07020000", "2020-12-31", "C", "", calendar.Yes, 2, ""},
		{"07020000", "2021-01-01", "C", "", calendar.Yes, 3, ""},
		{"07020000", "2022-05-01", "C", "", calendar.Open, 0, ""},
		{"07020000", "2022-05-31", "C", "", calendar.No, 0, ""},
		{"07020000", "2020-06-01", "A", "", calendar.Yes, 4, ""},
		{"07020000", "2020-06-01", "B", "", calendar.Open, 0, "site"},
		{"07020000", "2020-06-01", "B", "x", calendar.Yes, 5, ""},
		{"07020000", "2020-06-01", "B", "y", calendar.Yes, 2, ""},
		{"0702", "2020-06-01", "A", "x", calendar.Open, 0, LacksCode},
		{"08", "2020-06-01", "A", "x", calendar.No, 0, ""},
		{"x", "2020-06-01", "A", "x", calendar.No, 0, ""},
	} {
		got := l.Match(Ask{Code: x.code, On: calendar.MustDate(x.on), Get: func(id string) (string, bool) {
			s := map[string]string{"side": x.side, "site": x.site}[id]
			return s, s != ""
		}})
		if got.Is != x.is || got.Line.Rate != x.rate || got.Lacks != x.lacks {
			t.Errorf("%s on %s %s %s: got %v %d %q, want %v %d %q", x.code, x.on, x.side, x.site, got.Is, got.Line.Rate, got.Lacks, x.is, x.rate, x.lacks)
		}
	}
	if x, ok := l.Find("07010000"); !ok || x.Rate != 1 {
		t.Errorf("Find: got %v, %t", x, ok)
	}
	if x, ok := l.Find("07021111"); ok {
		t.Errorf("an excluded code is found: %v", x)
	}
	if got := codes(l.Search("07", 10)); got != "07 070200" {
		t.Errorf("Search shows %s", got)
	}
	if got := FormatCode("070200") + FormatCode("07") + FormatCode("0702"); got != "0702.00070702" {
		t.Errorf("FormatCode: %s", got)
	}
}

func TestSearch(t *testing.T) {
	l := market(t)
	tests := []struct{ words, want string }{
		{"tomatoes", "07020000 20029000"},
		{"TOMATO", "07020000 20029000"},
		{"tomatoe paste", "20029000"},
		{"paste tom", "20029000"},
		{"tamatar", "07020000"},
		{"pya", "07031000"},
		{"onion", "07031000"},
		{"onions shallots", "07031000"},
		{"گوجه", "07020000 20029000"},
		{"گوجه فرنگی", "07020000 20029000"},
		{"گوجهفرنگي", "07020000 20029000"},
		{"فرنگی تازه", "07020000"},
		{"نگیت", ""}, // the end of a word and the beginning of the next
		{"stepa", ""},
		{"matoe", "07020000 20029000"},
		{"seedpot", "07011000"},
		{"گوجہ", "07020000 20029000"},
		{"ٹماٹر", "20029000 07020000"},
		{"سیب", "08081000 07011000"},
		{"سيب زميني", "07011000"},
		{"سیب\u200cزمینی", "07011000"},
		{"زمینی", "07011000"},
		{"آلو", "07011000"},
		{"الو", "07011000"},
		{"پیاز", "07031000"},
		{"glove", "40151900"},
		{"gloves leather", ""},
		{"0702", "07020000"},
		{"07", "07011000 07020000 07031000"},
		{"۰۷۰۲.۰۰", "07020000"},
		{"0702.0000", "07020000"},
		{"999", ""},
		{"", ""},
		{" ,. ", ""},
		{"l", ""},
		{"xyz", ""},
	}
	for _, x := range tests {
		if got := codes(l.Search(x.words, 10)); got != x.want {
			t.Errorf("Search(%q) = %q, want %q", x.words, got, x.want)
		}
	}
	if got := codes(l.Search("07", 2)); got != "07011000 07020000" {
		t.Errorf("limit: %q", got)
	}
	if got := codes(l.Search("tomatoes", 1)); got != "07020000" {
		t.Errorf("limit: %q", got)
	}
	if l.Search("07", 0) != nil || l.Search("tomatoes", -1) != nil {
		t.Error("no limit finds something")
	}
}

// TestSearchFinds: each line is found by each of its names and by the beginning of any
// word in it, and the same again gives the same.
func TestSearchFinds(t *testing.T) {
	l := market(t)
	rapid.Check(t, func(t *rapid.T) {
		x := rapid.SampledFrom(l.Lines()).Draw(t, "line")
		tag := rapid.SampledFrom(lang.Tags[:]).Draw(t, "tag")
		words := split(x.Name[tag])
		w := []rune(rapid.SampledFrom(words).Draw(t, "word"))
		query := string(w[:rapid.IntRange(1, len(w)).Draw(t, "n")])
		if rapid.Bool().Draw(t, "whole") {
			query = x.Name[tag]
		}
		got := l.Search(query, len(l.Lines()))
		if !slices.ContainsFunc(got, func(y Line) bool { return y.Code == x.Code }) {
			t.Fatalf("%q does not find %s", query, x.Code)
		}
		if again := l.Search(query, len(l.Lines())); codes(again) != codes(got) {
			t.Fatalf("%q finds %s, then %s", query, codes(got), codes(again))
		}
	})
}

func FuzzSearch(f *testing.F) {
	for _, s := range []string{"tomato", "۰۷۰۲", "سیب زمینی", "a b c d e f g h i j", "\xff\xfe"} {
		f.Add(s)
	}
	l := market(f)
	f.Fuzz(func(t *testing.T, s string) {
		if got := l.Search(s, 3); len(got) > 3 {
			t.Errorf("%d lines", len(got))
		}
		l.Find(s)
	})
}
