// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package jcs

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"
)

var wide = Limits{Size: 1 << 16, Values: 1 << 12, Depth: 32, Members: 64}

func parse(t *testing.T, s string) Value {
	t.Helper()
	d, err := Parse([]byte(s), wide)
	if err != nil {
		t.Fatalf("Parse(%q): %v", s, err)
	}
	return d.Root()
}

func TestParseRefuses(t *testing.T) {
	for _, c := range []struct {
		text string
		want error
	}{
		{"", ErrSyntax},
		{" ", ErrSyntax},
		{"{", ErrSyntax},
		{"[1,]", ErrSyntax},
		{"[1 2]", ErrSyntax},
		{`{"a":1,}`, ErrSyntax},
		{`{"a" 1}`, ErrSyntax},
		{`{a:1}`, ErrSyntax},
		{`{"a":1}{`, ErrSyntax},
		{`{"a":1} x`, ErrSyntax},
		{"\ufeff{}", ErrSyntax},
		{"01", ErrSyntax},
		{"+1", ErrSyntax},
		{"1.", ErrSyntax},
		{".5", ErrSyntax},
		{"1e", ErrSyntax},
		{"-", ErrSyntax},
		{"NaN", ErrSyntax},
		{"tru", ErrSyntax},
		{"nul", ErrSyntax},
		{`"a`, ErrSyntax},
		{"\"a\nb\"", ErrSyntax},
		{`"\x"`, ErrSyntax},
		{`"\u12g4"`, ErrSyntax},
		{`"\u12`, ErrSyntax},
		{`"\ud800"`, ErrText},
		{`"\ud800\u0041"`, ErrText},
		{`"\udc00"`, ErrText},
		{`"\ud800\ud800"`, ErrText},
		{"\"\xff\"", ErrText},
		{"\"\xed\xa0\x80\"", ErrText}, // a surrogate in UTF-8
		{"\"\xc0\x80\"", ErrText},
		{`{"a":1,"a":2}`, ErrDuplicate},
		{`{"a":1,"b":2,"\u0061":3}`, ErrDuplicate},
		{`{"a":1,"b":{"c":1,"c":2}}`, ErrDuplicate},
		{strings.Repeat("[", 33) + strings.Repeat("]", 33), ErrLimit},
		{strings.Repeat("[", 60000), ErrLimit},
		{"[" + strings.Repeat("0,", 5000) + "0]", ErrLimit},
		{strings.Repeat("1", MaxNumber+1), ErrLimit},
		{`"` + strings.Repeat("a", 1<<16) + `"`, ErrLimit},
		{manyMembers(65), ErrLimit},
	} {
		if _, err := Parse([]byte(c.text), wide); !errors.Is(err, c.want) {
			t.Errorf("Parse(%.40q): got %v, want %v", c.text, err, c.want)
		}
	}
	for _, ok := range []string{"0", " [ ] ", "{}", manyMembers(64), strings.Repeat("[", 32) + strings.Repeat("]", 32), `"\ud83d\ude00"`, "-0.0e-0"} {
		if _, err := Parse([]byte(ok), wide); err != nil {
			t.Errorf("Parse(%.40q): %v", ok, err)
		}
	}
}

func manyMembers(n int) string {
	var b strings.Builder
	b.WriteByte('{')
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `"m%d":0`, i)
	}
	b.WriteByte('}')
	return b.String()
}

func TestPaths(t *testing.T) {
	v := parse(t, `{"a":{"b":[1,"x\ty",null,{"c":true}]},"\u0064":2,"empty":{}}`)
	if got := v.At("a", "b").Len(); got != 4 {
		t.Errorf("Len = %d", got)
	}
	if got, ok := v.Get("d").Int(); got != 2 || !ok {
		t.Errorf("a name with an escape: %d, %v", got, ok)
	}
	var kinds []Kind
	for e := range v.At("a", "b").All() {
		kinds = append(kinds, e.Kind())
	}
	if want := []Kind{Number, String, Null, Object}; !reflect.DeepEqual(kinds, want) {
		t.Errorf("kinds %v, want %v", kinds, want)
	}
	for e := range v.At("a", "b").All() {
		if s, ok := e.Text(); ok && s != "x\ty" {
			t.Errorf("text %q", s)
		}
	}
	var names []string
	for m := range v.All() {
		names = append(names, m.Name())
	}
	if want := []string{"a", "d", "empty"}; !reflect.DeepEqual(names, want) {
		t.Errorf("names %v", names)
	}
	for range v.Get("empty").All() {
		t.Error("an empty object has a member")
	}
	if k := v.At("a", "nothing", "b").Kind(); k != None {
		t.Errorf("a path that is not there: %v", k)
	}
	if k := (Value{}).Get("x").Kind(); k != None {
		t.Errorf("the zero value: %v", k)
	}
	if v.At("a", "b").Get("x").Kind() != None || v.Get("d").Get("x").Kind() != None {
		t.Error("a member of what is no object")
	}
}

// The two examples of RFC 8785 sections 3.2.2 and 3.2.3.
func TestCanonicalRFC(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"{\n\"string\": \"\\u20ac$\\u000F\\u000aA'\\u0042\\u0022\\u005c\\\\\\\"\\/\",\n\"literals\": [null, true, false]\n}",
			`{"literals":[null,true,false],"string":"€$\u000f\nA'B\"\\\\\"/"}`},
		{`{"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One","\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis"}`,
			"{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\u0080\":\"Control\",\"ö\":\"Latin Small Letter O With Diaeresis\",\"€\":\"Euro Sign\",\"😀\":\"Emoji: Grinning Face\",\"\ufb33\":\"Hebrew Letter Dalet With Dagesh\"}"},
		{`{"numbers":[1E3, 4.50, 6, 2e-3, 0.000001, 1e-7, -0, 1e21, 1e20, 9007199254740991, -12.5e1]}`,
			`{"numbers":[1000,4.5,6,0.002,0.000001,1e-7,0,1e+21,100000000000000000000,9007199254740991,-125]}`},
	} {
		got, err := parse(t, c.text).AppendCanonical(nil)
		if err != nil || string(got) != c.want {
			t.Errorf("got  %s\nwant %s\n%v", got, c.want, err)
		}
	}
	for _, text := range []string{"9007199254740993", "333333333.33333329", "1e400", "1e-400", "0.1234567890123456", "1e99999999999999999999"} {
		if _, err := parse(t, text).AppendCanonical(nil); !errors.Is(err, ErrNumber) {
			t.Errorf("%s: %v, want ErrNumber", text, err)
		}
	}
}

// Every number that can be written is written as a double's shortest text.
func TestNumbersAsECMA(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		digits := rapid.Int64Range(-999999999999999, 999999999999999).Draw(t, "digits")
		exp := rapid.IntRange(-40, 40).Draw(t, "exp")
		text := fmt.Sprintf("%de%d", digits, exp)
		d, err := Parse([]byte(text), wide)
		if err != nil {
			t.Fatal(err)
		}
		got, err := d.Root().AppendCanonical(nil)
		if err != nil {
			t.Fatal(err)
		}
		f, err := strconv.ParseFloat(text, 64)
		if err != nil {
			t.Fatal(err)
		}
		if want := ecma(f); string(got) != want {
			t.Fatalf("%s: got %s, want %s", text, got, want)
		}
	})
}

// ecma is how ECMAScript writes a double.
func ecma(f float64) string {
	if f == 0 {
		return "0"
	}
	format := byte('f')
	if a := math.Abs(f); a < 1e-6 || a >= 1e21 {
		format = 'e'
	}
	s := strconv.FormatFloat(f, format, -1, 64)
	s = strings.Replace(s, "e-0", "e-", 1)
	return strings.Replace(s, "e+0", "e+", 1)
}

func TestSeconds(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"1687450764.656", "2023-06-22T16:19:24.656Z"},
		{"1622578753.17", "2021-06-01T20:19:13.17Z"},
		{"1.68745076e9", "2023-06-22T16:19:20Z"},
		{"1618554442496", "9999-12-31T23:59:59Z"}, // milliseconds where seconds belong
		{"1e30", "9999-12-31T23:59:59Z"},
		{"-1e30", "0001-01-01T00:00:00Z"},
		{"-1.5", "1969-12-31T23:59:58.5Z"},
		{"0", "1970-01-01T00:00:00Z"},
		{"0.0000000019", "1970-01-01T00:00:00.000000001Z"},
	} {
		got, ok := parse(t, c.text).Seconds()
		if s := got.Format(time.RFC3339Nano); !ok || s != c.want {
			t.Errorf("%s: got %s, %v, want %s", c.text, s, ok, c.want)
		}
	}
	for _, text := range []string{`"1687450764"`, "null", "[1]", "1e1000"} {
		if got, ok := parse(t, text).Seconds(); ok {
			t.Errorf("%s: got %v", text, got)
		}
	}
}

func TestInt(t *testing.T) {
	for _, c := range []struct {
		text string
		want int64
		ok   bool
	}{
		{"1", 1, true}, {"1.0", 1, true}, {"10e-1", 1, true}, {"-0", 0, true}, {"-12e2", -1200, true},
		{"1.5", 0, false}, {"9007199254740991", 9007199254740991, true}, {"9007199254740992", 0, false},
		{"1e17", 0, false}, {`"1"`, 0, false},
	} {
		if got, ok := parse(t, c.text).Int(); got != c.want || ok != c.ok {
			t.Errorf("%s: got %d, %v", c.text, got, ok)
		}
	}
}

// A text costs one list of nodes, whatever it holds.
func TestAllocations(t *testing.T) {
	text := []byte("[" + strings.Repeat(`{"a":"b"},`, 1000) + "0]")
	n := testing.AllocsPerRun(20, func() {
		if _, err := Parse(text, wide); err != nil {
			t.Fatal(err)
		}
	})
	if n > 3 {
		t.Errorf("%v allocations, want at most 3", n)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{`{"a":[1,2.5e3,"\ud83d\ude00",null,true]}`, `{"b":1,"a":{"\u0061":"\n"}}`, `[[[[]]]]`, `"\ud800"`, "1e21", "\xef\xbb\xbf{}", `{"a":1,"a":1}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := Parse(b, wide)
		if err != nil {
			return
		}
		if !json.Valid(b) || !utf8.Valid(b) {
			t.Fatalf("accepted what is not JSON: %q", b)
		}
		c, err := d.Root().AppendCanonical(nil)
		if err != nil {
			return
		}
		again, err := Parse(c, wide)
		if err != nil {
			t.Fatalf("its own canonical text is refused: %q: %v", c, err)
		}
		twice, err := again.Root().AppendCanonical(nil)
		if err != nil || !bytes.Equal(c, twice) {
			t.Fatalf("canonical text of canonical text: %q, %q, %v", c, twice, err)
		}
		var x, y any
		if err := json.Unmarshal(b, &x); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(c, &y); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(x, y) {
			t.Fatalf("%q means something else than %q", b, c)
		}
		d.Root().Seconds()
		d.Root().Int()
	})
}
