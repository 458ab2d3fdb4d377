// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package lang

import (
	"math"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/money"
)

func load(t *testing.T, text string) (*Catalogue, error) {
	t.Helper()
	return LoadFS(fstest.MapFS{"a.yaml": {Data: []byte(text)}})
}

func mustLoad(t *testing.T, text string) *Catalogue {
	t.Helper()
	c, err := load(t, text)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// strange are letters that look right in a language and are another's: search, voices and
// fonts trip over them.
var strange = map[Tag]string{
	EN: "ابتیسمن",
	FA: "يىكہھےںٹڈڑة",
	UR: "يىكه",
}

// TestTexts holds every text of the build: in each language, with the same placeholders
// (which Load checks) and plural forms for each category of the language. Persian may
// leave out the one for one: its nouns do not change after a number.
func TestTexts(t *testing.T) {
	c, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range c.Keys() {
		if m := c.Missing(key); m != nil {
			t.Errorf("%s (%s): no text in %v", key, c.entries[key].where, m)
			continue
		}
		for i, x := range c.entries[key].texts {
			for word, form := range categories {
				if x.picks != "" && Tags[i] != FA && hasCategory(i, form) && x.forms[form] == nil {
					t.Errorf("%s (%s): no plural form %q in %s", key, c.entries[key].where, word, Tags[i])
				}
			}
			for _, form := range x.forms {
				for _, p := range form {
					if strings.ContainsAny(p.plain, strange[Tags[i]]) {
						t.Errorf("%s (%s): %q has letters that are not of %s", key, c.entries[key].where, p.plain, Tags[i])
					}
				}
			}
		}
	}
	if len(c.Keys()) < 40 {
		t.Errorf("only %d texts", len(c.Keys()))
	}
}

func TestSay(t *testing.T) {
	c := mustLoad(t, `
plain: {en: Hello, fa: سلام, ur: سلام}
people.count:
  en: {one: "{n} person", other: "{n} people"}
  fa: {one: "{n} نفر", other: "{n} نفر"}
  ur: {one: "{n} شخص", other: "{n} افراد"}
any.name:
  en: {one: "one more by {who}, {n}", other: "{n} more by {who}"}
sole: {en: {one: "one place", other: "{free} places"}}
pass.of: {en: "Pass {ref} of {name}", fa: "برگهٔ {ref} از {name}", ur: "{name} کا پاس {ref}"}
at: {en: "{d}, {t}, {m}, {a}, {x}"}
folded:
  en: >-
    two
    lines
  fa: "دو"
`)
	amount := money.Amount{Minor: 125050, Currency: "PKR"}
	tehran := calendar.MustZone("Asia/Tehran")
	tests := []struct {
		tag  Tag
		key  string
		args Args
		want string
	}{
		{EN, "plain", nil, "Hello"},
		{UR, "plain", nil, "سلام"},
		{Tag("de"), "plain", nil, "Hello"},
		{EN, "people.count", Args{"n": 1}, "1 person"},
		{EN, "people.count", Args{"n": 0}, "0 people"},
		{EN, "people.count", Args{"n": int64(1234)}, "1,234 people"},
		{EN, "people.count", Args{"n": -1}, "-1 person"},
		{EN, "people.count", Args{"n": int64(math.MinInt64)}, "-9,223,372,036,854,775,808 people"},
		{EN, "people.count", Args{"n": uint16(2)}, "2 people"},
		{EN, "people.count", Args{"n": "1"}, "1 people"},
		{FA, "people.count", Args{"n": 1234}, "۱٬۲۳۴ نفر"},
		{UR, "people.count", Args{"n": 1}, "1 شخص"},
		{UR, "people.count", Args{"n": 0}, "0 افراد"},
		{EN, "any.name", Args{"n": 1, "who": "A"}, "one more by A, 1"},
		{FA, "any.name", Args{"n": 2, "who": "A"}, "2 more by A"},
		{EN, "sole", Args{"free": 1}, "one place"},
		{EN, "sole", Args{"free": 2}, "2 places"},
		{EN, "no.such", Args{"n": 1}, "no.such"},
		{EN, "pass.of", Args{"ref": "K7"}, "Pass K7 of {name}"},
		{EN, "pass.of", Args{"ref": "K7", "name": "زهرا"}, "Pass K7 of \u2068زهرا\u2069"},
		{FA, "pass.of", Args{"ref": "K7-9", "name": "زهرا"}, "برگهٔ \u2068K7-9\u2069 از زهرا"},
		{UR, "pass.of", Args{"ref": "35202-1234567-1", "name": Text{EN: "Zahra", UR: "زہرا"}}, "زہرا کا پاس \u206835202-1234567-1\u2069"},
		{UR, "pass.of", Args{"ref": "1,234.50", "name": "2 ستمبر"}, "2 ستمبر کا پاس 1,234.50"},
		{EN, "at", Args{"d": calendar.MustDate("2025-09-02"), "t": time.Date(2025, 9, 2, 5, 0, 0, 0, time.UTC).In(tehran), "m": calendar.EndOfDay, "a": amount, "x": true},
			"2 September 2025, 08:30, 24:00, PKR 1,250.50, true"},
		{EN, "folded", nil, "two lines"},
		{UR, "folded", nil, "two lines"},
	}
	for _, x := range tests {
		if got := c.Say(x.tag, x.key, x.args); got != x.want {
			t.Errorf("Say(%s, %s, %v) = %q, want %q", x.tag, x.key, x.args, got, x.want)
		}
	}
	if !c.Has("plain") || c.Has("no.such") {
		t.Error("Has is wrong")
	}
	if got := c.Missing("folded"); !slices.Equal(got, []Tag{UR}) {
		t.Errorf("Missing = %v", got)
	}
	if got := c.Placeholders("pass.of"); !slices.Equal(got, []string{"name", "ref"}) {
		t.Errorf("Placeholders = %v", got)
	}
	if c.Placeholders("no.such") != nil || len(c.Missing("no.such")) != len(Tags) {
		t.Error("a key that there is not has texts")
	}
}

// TestLoadRefuses sees each fault named with its file and line.
func TestLoadRefuses(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"syntax", "a: {en: x}\nb: {en: \"x\n", "a.yaml:2"},
		{"key twice", "a: {en: x}\nb: {en: x}\na: {en: y}", "a.yaml:3"},
		{"language twice", "a:\n  en: x\n  en: y", "a.yaml:3"},
		{"not a mapping", "- a\n- b", "a.yaml:1"},
		{"not a text", "a: {en: x}\nb: {en: [x]}", "a.yaml:2"},
		{"a number", "a: {en: 5}", "a.yaml:1"},
		{"no texts", "a: x", "a.yaml:1: a: want a text per language"},
		{"language", "a: {en: x, de: y}", `a.yaml:1: a: no language "de"`},
		{"key form", "a: {en: x}\nA b: {en: x}", `a.yaml:2: "A b" is not a key`},
		{"empty", "a: {en: ' '}", "a.yaml:1: a: en: empty text"},
		{"brace", "a:\n  en: x {n y", "a.yaml:2: a: en: a brace"},
		{"brace alone", "a:\n  en: x} y", "a.yaml:2: a: en: a brace"},
		{"no other", "a: {en: {one: '{n} x'}}", "a.yaml:1: a: en: no category other"},
		{"other lacks", "a: {en: {one: '{n} {x}', other: '{n}'}}", "category other lacks {x}"},
		{"no picker", "a: {en: {one: '{a} {b}', other: '{a} {b}'}}", "no placeholder n"},
		{"category", "a: {en: {few: '{n}', other: '{n}'}}", `no category "few"`},
		{"unknown category", "a: {en: {some: '{n}', other: '{n}'}}", `no category "some"`},
		{"category twice", "a: {en: {other: '{n}', other: '{n}'}}", "a.yaml:1"},
		{"category of no text", "a: {en: {other: [x]}}", "category other is not a text"},
		{"placeholders", "a: {en: x}\nb:\n  en: '{n}'\n  fa: '{m}'", "a.yaml:2: b has placeholders [n] in en and [m] in fa"},
		{"two documents", "a: {en: x}\n---\nb: {en: x}", "more than one document"},
		{"alias", "a: &x {en: x}\nb: *x", "a.yaml:1"},
	}
	for _, x := range tests {
		t.Run(x.name, func(t *testing.T) {
			_, err := load(t, x.text)
			if err == nil || !strings.Contains(err.Error(), x.want) {
				t.Errorf("got %v, want %q", err, x.want)
			}
		})
	}
	_, err := LoadFS(fstest.MapFS{"a.yaml": {Data: []byte("a: {en: x}")}, "b.yaml": {Data: []byte("\nb: {en: x}\na: {en: x}")}})
	if want := "b.yaml:3: a stands at a.yaml:1 already"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %q", err, want)
	}
	if _, err := load(t, "# nothing yet\n"); err != nil {
		t.Errorf("a file of comments: %v", err)
	}
}

func FuzzLoad(f *testing.F) {
	for _, s := range []string{"a: {en: x}", "a:\n  en: {one: '{n} x', other: '{n} y'}\n  fa: \"{n}\"", "a: &x {en: |\n x}\nb: *x", "? a\n: b", "<<: {a: {en: x}}"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := LoadFS(fstest.MapFS{"a.yaml": {Data: b}})
		if err != nil {
			return
		}
		for _, key := range c.Keys() {
			for _, tag := range Tags {
				c.Say(tag, key, Args{"n": 1})
			}
		}
	})
}

func TestFormat(t *testing.T) {
	d := calendar.MustDate("2025-09-02")
	tests := []struct{ got, want string }{
		{FormatDate(EN, d), "2 September 2025"},
		{FormatDate(FA, d), "۱۱ شهریور ۱۴۰۴"},
		{FormatDate(UR, d), "2 ستمبر 2025"},
		{FormatDate(FA, calendar.MustDate("2025-03-21")), "۱ فروردین ۱۴۰۴"},
		{FormatDate(FA, calendar.MustDate("2025-03-20")), "۳۰ اسفند ۱۴۰۳"},
		{FormatDate(UR, calendar.MustDate("2026-01-31")), "31 جنوری 2026"},
		{FormatDate(FA, calendar.MustDate("0500-01-01")), "۱ ژانویه ۵۰۰"},
		{FormatDate(EN, calendar.Date{}), ""},
		{FormatDate(FA, calendar.Date{}), ""},
		{FormatDay(EN, d), "Tuesday 2 September 2025"},
		{FormatDay(FA, d), "سه\u200cشنبه ۱۱ شهریور ۱۴۰۴"},
		{FormatDay(UR, d), "منگل، 2 ستمبر 2025"},
		{FormatDay(UR, calendar.Date{}), ""},
		{FormatDateBoth(EN, d), "2 September 2025 (11 Shahrivar 1404)"},
		{FormatDateBoth(FA, d), "۱۱ شهریور ۱۴۰۴ (۲ سپتامبر ۲۰۲۵)"},
		{FormatDateBoth(UR, d), "2 ستمبر 2025 (11 شہریور 1404)"},
		{FormatDateBoth(EN, calendar.MustDate("0500-01-01")), "1 January 500"},
		{FormatTime(FA, time.Date(2025, 9, 2, 8, 30, 59, 0, time.UTC)), "۰۸:۳۰"},
		{FormatTime(UR, time.Date(2025, 9, 2, 18, 5, 0, 0, time.UTC)), "18:05"},
		{FormatMinute(FA, 510), "۰۸:۳۰"},
		{FormatInt(EN, 0), "0"},
		{FormatInt(EN, 999), "999"},
		{FormatInt(EN, -1000), "-1,000"},
		{FormatInt(FA, 1234567), "۱٬۲۳۴٬۵۶۷"},
		{FormatInt(FA, -5), "\u200e−۵"},
		{FormatInt(UR, -5), "\u200e-5"},
		{FormatMoney(EN, 125050, "PKR"), "PKR 1,250.50"},
		{FormatMoney(EN, 1250000, "PKR"), "PKR 12,500.00"},
		{FormatMoney(EN, 5, "PKR"), "PKR 0.05"},
		{FormatMoney(FA, 125050, "PKR"), "۱٬۲۵۰٫۵۰ روپیهٔ پاکستان"},
		{FormatMoney(FA, 100000000, "IRR"), "۱٬۰۰۰٬۰۰۰٫۰۰ ریال ایران"},
		{FormatMoney(EN, 3000, "USD"), "USD 30.00"},
		{FormatMoney(UR, 125050, "PKR"), "1,250.50 پاکستانی روپے"},
		{FormatMoney(EN, 1234567, "OMR"), "OMR 1,234.567"},
		{FormatMoney(FA, 1234567, "OMR"), "۱٬۲۳۴٫۵۶۷ \u2068OMR\u2069"},
		{FormatMoney(EN, 500, "JPY"), "JPY 500"},
		{FormatPercent(EN, 500), "5%"},
		{FormatPercent(FA, 1250), "۱۲٫۵٪"},
		{FormatPercent(EN, 0), "0%"},
		{FormatPercent(EN, 10000), "100%"},
		{FormatDecimal(EN, 1500, 3), "1.5"},
		{FormatDecimal(FA, 12000000, 3), "۱۲٬۰۰۰"},
		{FormatDecimal(EN, 100, 0), "100"},
		{Digits(FA, "a1-9"), "a۱-۹"},
		{Digits(UR, "19"), "19"},
		{FormatWeekday(FA, time.Friday), "جمعه"},
		{PlainDigits("۱۲٣٤x5"), "1234x5"},
	}
	for _, x := range tests {
		if x.got != x.want {
			t.Errorf("got %q, want %q", x.got, x.want)
		}
	}
}

func TestTag(t *testing.T) {
	for _, s := range []string{"en", "fa", "ur"} {
		if tag, ok := ParseTag(s); !ok || string(tag) != s {
			t.Errorf("ParseTag(%q) = %q, %v", s, tag, ok)
		}
	}
	if _, ok := ParseTag("EN"); ok {
		t.Error("EN is taken")
	}
	if EN.Dir() != "ltr" || FA.Dir() != "rtl" || UR.Dir() != "rtl" {
		t.Error("Dir is wrong")
	}
	if got := (Text{UR: "ا"}).In(FA); got != "ا" {
		t.Errorf("In = %q", got)
	}
	if got := (Text{EN: "a", UR: "ا"}).In(FA); got != "a" {
		t.Errorf("In = %q", got)
	}
	if got := (Text{}).In(FA); got != "" {
		t.Errorf("In = %q", got)
	}
}
