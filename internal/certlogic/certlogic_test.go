// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package certlogic

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"darwaza.dev/internal/lang"
)

func mustParse(t testing.TB, s string) Value {
	t.Helper()
	v, err := Parse([]byte(s))
	if err != nil {
		t.Fatalf("%s: %v", s, err)
	}
	return v
}

func mustCompile(t testing.TB, s string) *Expr {
	t.Helper()
	x, err := Compile(mustParse(t, s))
	if err != nil {
		t.Fatalf("%s: %v", s, err)
	}
	return x
}

// Dates of every form, at the edges of each, and what only looks like one.
func TestTimes(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"2021", "2021-12-31T00:00:00.000Z"},
		{"2020-02", "2020-02-29T00:00:00.000Z"},
		{"2100-02", "2100-02-28T00:00:00.000Z"},
		{"2021-05-04", "2021-05-04T00:00:00.000Z"},
		{"0000-01-01", "0000-01-01T00:00:00.000Z"},
		{"9999-12-31", "9999-12-31T00:00:00.000Z"},
		{"2021-05-04T13:37:42", "2021-05-04T13:37:42.000Z"},
		{"2021-05-04T13:37:42Z", "2021-05-04T13:37:42.000Z"},
		{"2021-05-04T13:37:42+00:00", "2021-05-04T13:37:42.000Z"},
		{"2021-05-04T13:37:42-0000", "2021-05-04T13:37:42.000Z"},
		{"2021-08-20T12:03:12+2", "2021-08-20T10:03:12.000Z"},
		{"2021-08-20T12:03:12+02", "2021-08-20T10:03:12.000Z"},
		{"2021-08-20T12:03:12+200", "2021-08-20T10:03:12.000Z"},
		{"2021-08-20T12:03:12+0330", "2021-08-20T08:33:12.000Z"},
		{"2021-08-20T12:03:12-3:30", "2021-08-20T15:33:12.000Z"},
		{"2021-08-01T00:00:00+1:00", "2021-07-31T23:00:00.000Z"},
		{"2021-08-01T00:00:00.1Z", "2021-08-01T00:00:00.100Z"},
		{"2021-08-01T00:00:00.0019999+00:00", "2021-08-01T00:00:00.001Z"},
		{"2021-08-01T00:00:00.999999999999999999999999", "2021-08-01T00:00:00.999Z"},
		{"", ""}, {"21", ""}, {"2021-", ""}, {"2021-1", ""}, {"2021-13", ""}, {"2021-00", ""}, {"2021-02-29", ""}, {"2021-04-31", ""}, {"2021-05-04T", ""},
		{"2021-05-04 13:37:42", ""}, {"2021-05-04T13:37", ""}, {"2021-05-04T24:00:00", ""}, {"2021-05-04T23:60:00", ""}, {"2021-05-04T23:59:60Z", ""},
		{"2021-05-04T13:37:42.Z", ""}, {"2021-05-04T13:37:42z", ""}, {"2021-05-04T13:37:42+", ""}, {"2021-05-04T13:37:42+24:00", ""},
		{"2021-05-04T13:37:42+01:60", ""}, {"2021-05-04T13:37:42+01:0", ""}, {"2021-05-04T13:37:42+00000", ""}, {"２０２１", ""}, {"-021-05-04", ""},
	} {
		ms, err := parseTime(c.in)
		got := ""
		if err == nil {
			got = Stamp(time.UnixMilli(ms).UTC())
		}
		if got != c.want {
			t.Errorf("%q: got %q (%v), want %q", c.in, got, err, c.want)
		}
	}
}

// The calendar agrees with the standard library on every day of ten thousand years.
func TestDayNumber(t *testing.T) {
	day := time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC)
	for n := day.Unix() / 86400; ; n++ {
		y, m, d := day.Date()
		if y == 10000 {
			break
		}
		if got := dayNumber(y, int(m), d); got != n {
			t.Fatalf("%v: got %d, want %d", day, got, n)
		}
		if day = day.AddDate(0, 0, 1); (day.Month() != m) != (d == daysIn(y, int(m))) {
			t.Fatalf("%d-%d has not %d days", y, m, daysIn(y, int(m)))
		}
	}
}

func TestPlusTime(t *testing.T) {
	for _, c := range []struct {
		from   string
		amount int64
		unit   string
		want   string
	}{
		{"2020-02-29", 1, "day", "2020-03-01T00:00:00.000Z"},
		{"2020-02-29", 1, "month", "2020-03-29T00:00:00.000Z"},
		{"2020-02-29", 1, "year", "2021-03-01T00:00:00.000Z"},
		{"2020-02-29", -4, "year", "2016-02-29T00:00:00.000Z"},
		{"2021-01-31", 1, "month", "2021-03-03T00:00:00.000Z"},
		{"2021-12-01", 1, "month", "2022-01-01T00:00:00.000Z"},
		{"2021-12-01", -12, "month", "2020-12-01T00:00:00.000Z"},
		{"2021-06-23", -180, "day", "2020-12-25T00:00:00.000Z"},
		{"2021-06-23T00:00:00+02:00", 72, "hour", "2021-06-25T22:00:00.000Z"},
		{"2004", 18, "year", "2022-12-31T00:00:00.000Z"},
		{"2021-06-23", 1 << 62, "hour", ""},
		{"2021-06-23", -1 << 63, "day", ""},
		{"2021-06-23", 1 << 40, "year", ""},
		{"2021-06-23", 300_000, "year", ""},
		{"2021-06-23", 100_000_000, "day", ""},
	} {
		ms, err := parseTime(c.from)
		if err != nil {
			t.Fatal(err)
		}
		ms, err = plusTime(ms, c.amount, c.unit)
		got := ""
		if err == nil {
			got = Stamp(time.UnixMilli(ms).UTC())
		}
		if got != c.want {
			t.Errorf("%s %+d %s: got %q (%v), want %q", c.from, c.amount, c.unit, got, err, c.want)
		}
	}
}

// What is an error in CertLogic has no value here, and what is not asked cannot fail.
func TestErrors(t *testing.T) {
	data := mustParse(t, `{"a":[],"s":"x","f":1.5,"o":{"k":1},"n":1}`)
	for _, c := range []struct {
		logic string
		err   error
	}{
		{`{"in":["a",{"var":"s"}]}`, errIn},
		{`{"in":["a",{"var":"none"}]}`, errIn},
		{`{"+":[1,"2"]}`, errInt},
		{`{"+":[9223372036854775807,1]}`, errSum},
		{`{"+":[-9223372036854775808,-1]}`, errSum},
		{`{"<":[1,{"var":"f"}]}`, errInt},
		{`{"<":[2,1,"x"]}`, errInt},
		{`{"before":["2021-01-01","2021-01-02"]}`, errTime},
		{`{"after":[{"plusTime":["2021-01-01",0,"day"]},1]}`, errTime},
		{`{"plusTime":[{"var":"n"},0,"day"]}`, errString},
		{`{"plusTime":[{"plusTime":["2021-01-01",0,"day"]},0,"day"]}`, errString},
		{`{"plusTime":["2021-02-30",0,"day"]}`, errDate},
		{`{"dccDateOfBirth":["2021-02-30"]}`, errDate},
		{`{"dccDateOfBirth":["2021-02-03T00:00:00Z"]}`, errDate},
		{`{"dccDateOfBirth":[7]}`, errString},
		{`{"!":[{"plusTime":["2021-01-01",0,"day"]}]}`, errTruth},
		{`{"if":[{"var":"f"},1,2]}`, errTruth},
		{`{"and":[{"plusTime":["2021-01-01",0,"day"]},1]}`, errTruth},
		{`{"reduce":[{"var":"s"},{"var":"current"},0]}`, errReduce},
		{`{"extractFromUVCI":[{"var":"n"},0]}`, errString},
		{`{"and":[0,{"+":["a",1]}]}`, nil},
		{`{"and":[1,{"plusTime":["2021-01-01",0,"day"]}]}`, nil},
		{`{"if":[true,1,{"+":["a",1]}]}`, nil},
		{`{"<":[2,1,3]}`, nil},
		{`{"reduce":[{"var":"none"},{"+":["a",1]},7]}`, nil},
	} {
		if v, err := mustCompile(t, c.logic).Eval(data); !errors.Is(err, c.err) {
			t.Errorf("%s: got %v, %v, want %v", c.logic, v, err, c.err)
		}
	}
}

func TestValues(t *testing.T) {
	data := mustParse(t, `{"a":[10,[11]],"o":{"1":"one","k":"v"},"long":["a","b","c","d","e","f","g","h","i"],"mixed":[1,null,"a",2.5],"x":[1,2,3],"big":1e30,"text":"foo"}`)
	for _, c := range []struct{ logic, want string }{
		{`{"var":"a.1.0"}`, `11`}, {`{"var":"a.-1"}`, `null`}, {`{"var":"a.2"}`, `null`}, {`{"var":"a.length"}`, `null`}, {`{"var":"o.1"}`, `"one"`},
		{`{"var":"o.01"}`, `"one"`}, {`{"var":"text.0"}`, `null`}, {`{"var":"text.length"}`, `null`}, {`{"var":"o.k.z"}`, `null`},
		{`{"in":["i",{"var":"long"}]}`, `true`}, {`{"in":["j",{"var":"long"}]}`, `false`}, {`{"in":[1,{"var":"long"}]}`, `false`},
		{`{"in":[{"var":"none"},{"var":"mixed"}]}`, `true`}, {`{"in":[2,{"var":"mixed"}]}`, `false`}, {`{"in":[{"var":"mixed.3"},{"var":"mixed"}]}`, `true`},
		{`{"===":[{"var":"o"},{"var":"o"}]}`, `true`}, {`{"===":[{"var":"a"},[10,[11]]]}`, `false`}, {`{"===":[{"plusTime":["2021",0,"day"]},{"plusTime":["2021",0,"day"]}]}`, `false`},
		{`{"===":[{"var":"none"},{"var":"o.none"}]}`, `true`}, {`{"===":[1,true]}`, `false`},
		{`{"+":[9223372036854775807,0]}`, `9223372036854775807`}, {`{"+":[-5,3]}`, `-2`},
		{`{"reduce":[{"var":"x"},{"+":[{"var":"accumulator"},{"reduce":[[1,2],{"+":[{"var":"accumulator"},{"var":"current"}]},{"var":"current"}]}]},0]}`, `15`},
		{`{"reduce":[{"var":"x"},{"var":"x"},0]}`, `null`}, {`{"reduce":[[5],{"var":""},0]}`, `{"accumulator":0,"current":5}`},
		{`{"plusTime":["2021-01-01",1,"hour"]}`, `"2021-01-01T01:00:00.000Z"`},
		{`[1,{"var":"text"},[true]]`, `[1,"foo",[true]]`}, {`2.0`, `2`}, {`1e2`, `100`}, {`-0`, `0`}, {`{"var":"mixed.3"}`, `2.5`}, {`{"var":"big"}`, `1e30`},
	} {
		got, err := mustCompile(t, c.logic).Eval(data)
		if err != nil || got.String() != c.want {
			t.Errorf("%s: got %s (%v), want %s", c.logic, got, err, c.want)
		}
	}
}

// What a decoder of CBOR gives becomes what the JSON of it would be.
func TestFrom(t *testing.T) {
	got, err := From(map[any]any{"v": []any{map[string]any{"dn": uint64(2), "sd": float64(2), "f": 2.5, "s": float32(0.1), "x": nil, "b": true, "i": int64(-3), "big": uint64(1 << 63)}}})
	want := mustParse(t, `{"v":[{"dn":2,"sd":2,"f":2.5,"s":0.1,"x":null,"b":true,"i":-3,"big":9223372036854775808}]}`)
	if err != nil || !Equal(got, want) {
		t.Errorf("got %s (%v), want %s", got, err, want)
	}
	deep := any("x")
	for range maxDepth + 2 {
		deep = []any{deep}
	}
	nan := 0.0
	for _, bad := range []any{struct{}{}, map[any]any{1: 2}, deep, nan / nan, []byte("x")} {
		if v, err := From(bad); err == nil {
			t.Errorf("%T: got %s, want an error", bad, v)
		}
	}
}

func TestHostileJSON(t *testing.T) {
	for name, c := range map[string]struct{ in, want string }{
		"twice":   {`{"a":1,"b":2,"a":3}`, `the key "a" stands twice`},
		"deep":    {strings.Repeat("[", 100) + strings.Repeat("]", 100), "deeper than"},
		"large":   {`"` + strings.Repeat("x", maxBytes) + `"`, "larger than"},
		"many":    {"[" + strings.Repeat("1,", maxItems) + "1]", "more than"},
		"after":   {`1 2`, "something after"},
		"early":   {`[1,`, "ends too early"},
		"empty":   {``, "ends too early"},
		"utf8":    {"\"\xff\"", "not UTF-8"},
		"nan":     {`NaN`, "not JSON"},
		"numbers": {`1e99999999999999999999`, "out of bounds"},
		"large e": {`1e10001`, "out of bounds"},
	} {
		if v, err := Parse([]byte(c.in)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %s, %v, want %q", name, short(v.String()), err, c.want)
		}
	}
}

// A small expression cannot ask for more work than is allowed, whatever it is nested of.
func TestBoundedWork(t *testing.T) {
	list := "[" + strings.TrimSuffix(strings.Repeat("1,", 300), ",") + "]"
	nested := `{"var":"accumulator"}`
	for range 6 {
		nested = fmt.Sprintf(`{"reduce":[%s,%s,0]}`, list, nested)
	}
	if _, err := mustCompile(t, nested).Eval(Value{}); !errors.Is(err, ErrSteps) {
		t.Errorf("nested reduce: got %v, want ErrSteps", err)
	}
	scan := fmt.Sprintf(`{"reduce":[%s,{"in":[2,{"var":"accumulator"}]},{"var":"x"}]}`, list)
	scan = strings.Replace(scan, `{"in":[2,{"var":"accumulator"}]}`, `{"if":[{"in":[2,{"var":"accumulator"}]},0,{"var":"accumulator"}]}`, 1)
	data := mustParse(t, `{"x":[`+strings.TrimSuffix(strings.Repeat("1,", 5000), ",")+`]}`)
	if _, err := mustCompile(t, scan).Eval(data); !errors.Is(err, ErrSteps) {
		t.Errorf("long searches: got %v, want ErrSteps", err)
	}
	doubling := mustCompile(t, `{"reduce":[`+list+`,[{"var":"accumulator"},{"var":"accumulator"}],[1]]}`)
	a, err := doubling.Eval(Value{})
	b, err2 := doubling.Eval(Value{})
	if err != nil || err2 != nil || Equal(a, b) || len(a.String()) > maxWritten+8 {
		t.Errorf("a value that doubles is compared or written whole: %v, %v", err, err2)
	}
	if _, err := Compile(mustParse(t, `{"and":[`+strings.Repeat("1,", maxNodes)+`1]}`)); err == nil {
		t.Error("an expression with too many parts compiles")
	}
}

const plainRule = `{"Identifier":"VR-XA-0001","Type":"Acceptance","Country":"XA","Version":"1.0.0","SchemaVersion":"1.0.0","Engine":"CERTLOGIC","EngineVersion":"0.7.5",` +
	`"CertificateType":"Vaccination","Description":[{"lang":"cs","desc":"Jen tato vakcína."}],"ValidFrom":"2021-06-01T00:00:00Z","ValidTo":"2021-07-01T00:00:00+02:00","AffectedFields":["v.0.mp"],` +
	`"Logic":{"in":[{"var":"payload.v.0.mp"},{"var":"external.valueSets.names"}]}}`

func rule(t testing.TB, change ...string) *Rule {
	t.Helper()
	rs, err := ParseRules([]byte(strings.NewReplacer(change...).Replace(plainRule)))
	if err != nil {
		t.Fatal(err)
	}
	return rs[0]
}

// Each slip of a rule is refused with words that name the rule.
func TestRuleForm(t *testing.T) {
	r := rule(t)
	if r.Says(lang.UR) != "Jen tato vakcína." || r.ValidTo != time.Date(2021, 6, 30, 22, 0, 0, 0, time.UTC) || len(r.ValueSets()) != 1 || r.Logic.Paths()[1] != "payload.v.0.mp" {
		t.Errorf("read as %+v", r)
	}
	for _, c := range [][3]string{
		{`"Engine":"CERTLOGIC"`, `"Engine":"JSONLOGIC"`, "engine"},
		{`"EngineVersion":"0.7.5"`, `"EngineVersion":"2.0.0"`, "version of the engine"},
		{`"Version":"1.0.0","S`, `"Version":"1.0","S`, "Version"},
		{`"Type":"Acceptance"`, `"Type":"Other"`, "type"},
		{`"Country":"XA"`, `"Country":"xa"`, "country"},
		{`"CertificateType":"Vaccination"`, `"CertificateType":"Visa"`, "type of certificate"},
		{`"ValidTo":"2021-07-01T00:00:00+02:00"`, `"ValidTo":"2021-05-01T00:00:00Z"`, "before it begins"},
		{`"ValidFrom":"2021-06-01T00:00:00Z"`, `"ValidFrom":"2021-06-01"`, "ValidFrom"},
		{`"Description":[{"lang":"cs","desc":"Jen tato vakcína."}]`, `"Description":[]`, "Description"},
		{`"AffectedFields":["v.0.mp"]`, `"AffectedFields":["v..mp"]`, "AffectedFields"},
		{`"AffectedFields":["v.0.mp"]`, `"AffectedFields":["v.0.mp"],"Extra":1`, "Extra"},
		{`"Logic":{"in":`, `"Logic":{"notin":`, "unrecognised operator"},
		{`"var":"payload.v.0.mp"`, `"var":"hcert.v.0.mp"`, "hcert.v.0.mp"},
		{`"var":"external.valueSets.names"`, `"var":"external.weather"`, "external.weather"},
	} {
		_, err := ParseRules([]byte(strings.Replace(plainRule, c[0], c[1], 1)))
		if err == nil || !strings.Contains(err.Error(), c[2]) || !strings.Contains(err.Error(), "VR-XA-0001") {
			t.Errorf("%s: got %v, want %q", c[1], err, c[2])
		}
	}
}

func names(t testing.TB) Value { return mustParse(t, `{"names":["a","b"]}`) }

// Which rules are asked: by country, issuer, region, kind of certificate, dates and versions.
func TestSelect(t *testing.T) {
	rules := []*Rule{
		rule(t),
		rule(t, `"Version":"1.0.0","S`, `"Version":"1.10.0","S`, `"ValidFrom":"2021-06-01`, `"ValidFrom":"2021-06-20`),
		rule(t, `"Version":"1.0.0","S`, `"Version":"1.9.0","S`, `"ValidFrom":"2021-06-01`, `"ValidFrom":"2021-06-10`),
		rule(t, `VR-XA-0001`, `VR-XB-0001`, `"Country":"XA"`, `"Country":"XB"`),
		rule(t, `VR-XA-0001`, `IR-XB-0001`, `"Country":"XA"`, `"Country":"XB"`, `Acceptance`, `Invalidation`, `"CertificateType":"Vaccination"`, `"CertificateType":"General"`),
		rule(t, `VR-XA-0001`, `TR-XA-0001`, `"CertificateType":"Vaccination"`, `"CertificateType":"Test"`),
		rule(t, `VR-XA-0001`, `RR-XA-0001`, `"CertificateType":"Vaccination"`, `"CertificateType":"Recovery"`),
		rule(t, `VR-XA-0001`, `VR-XA-0002`, `"Country":"XA"`, `"Country":"XA","Region":"north"`),
	}
	for _, c := range []struct {
		arrival, region, issuer, payload, at, want string
	}{
		{"XA", "", "XC", `{"v":[{}]}`, "2021-06-05T00:00:00Z", "VR-XA-0001@1.0.0"},
		{"XA", "", "XC", `{"v":[{}]}`, "2021-06-10T00:00:00Z", "VR-XA-0001@1.9.0"},
		{"XA", "", "XC", `{"v":[{}]}`, "2021-06-20T00:00:00Z", "VR-XA-0001@1.10.0"},
		{"XA", "north", "XC", `{"v":[{}]}`, "2021-06-05T00:00:00Z", "VR-XA-0001@1.0.0 VR-XA-0002@1.0.0"},
		{"XA", "", "XB", `{"t":[{}]}`, "2021-06-05T00:00:00Z", "IR-XB-0001@1.0.0 TR-XA-0001@1.0.0"},
		{"XA", "", "XC", `{"r":[{}],"v":[]}`, "2021-06-05T00:00:00Z", "RR-XA-0001@1.0.0"},
		{"", "", "XC", `{"v":[{}]}`, "2021-06-05T00:00:00Z", "VR-XA-0001@1.0.0 VR-XB-0001@1.0.0"},
		{"XD", "", "XC", `{"v":[{}]}`, "2021-06-05T00:00:00Z", ""},
		{"XA", "", "XC", `{"v":[{}]}`, "2021-05-31T23:59:59Z", ""},
		{"XA", "", "XC", `{"v":[{}]}`, "2021-06-30T22:00:00Z", "VR-XA-0001@1.10.0"},
		{"XA", "", "XC", `{"v":[{}]}`, "2021-06-30T22:00:01Z", ""},
	} {
		s, err := NewSet(rules, c.arrival, c.region, names(t))
		if err != nil {
			t.Fatal(err)
		}
		at, err := time.Parse(time.RFC3339, c.at)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range s.Select(&Certificate{Payload: mustParse(t, c.payload), Issuer: c.issuer}, at) {
			got = append(got, r.ID+"@"+r.Version)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("arrival %s %s, issuer %s, %s at %s: got %v, want %s", c.arrival, c.region, c.issuer, c.payload, c.at, got, c.want)
		}
	}
	if _, err := NewSet(append(rules, rule(t)), "XA", "", names(t)); err == nil || !strings.Contains(err.Error(), "twice") {
		t.Errorf("one version twice: %v", err)
	}
	if _, err := NewSet(rules, "XA", "", mustParse(t, `{}`)); err == nil || !strings.Contains(err.Error(), `"names"`) {
		t.Errorf("no value set: %v", err)
	}
}

// A rule can read everything that stands around a certificate, and is judged at the
// instant asked for.
func TestJudge(t *testing.T) {
	logic := func(s string) *Rule {
		return rule(t, `{"in":[{"var":"payload.v.0.mp"},{"var":"external.valueSets.names"}]}`, s)
	}
	at := time.Date(2021, 6, 15, 3, 30, 0, 0, time.FixedZone("", 3*3600))
	c := &Certificate{Payload: mustParse(t, `{"v":[{"mp":"a"}]}`), Issuer: "XB", KeyID: "kid=", Issued: at.Add(-time.Hour), Expires: at.Add(time.Hour)}
	for _, x := range []struct {
		logic string
		want  Outcome
	}{
		{`{"===":[{"var":"external.validationClock"},"2021-06-15T00:30:00.000Z"]}`, Passed},
		{`{"===":[[{"var":"external.countryCode"}],1]}`, Failed},
		{`{"and":[{"===":[{"var":"external.countryCode"},"XA"]},{"===":[{"var":"external.issuerCountryCode"},"XB"]},{"===":[{"var":"external.kid"},"kid="]},{"!":[{"var":"external.region"}]},{"before":[{"plusTime":[{"var":"external.iat"},0,"day"]},{"plusTime":[{"var":"external.validationClock"},0,"day"]},{"plusTime":[{"var":"external.exp"},0,"day"]}]}]}`, Passed},
		{`{"in":["a",{"var":"payload.v"}]}`, Failed},
		{`{"var":"payload.v.0.mp"}`, Open},
		{`{"in":["a",{"var":"payload.v.0.mp"}]}`, Open},
		{`{"var":"payload.none"}`, Open},
	} {
		s, err := NewSet([]*Rule{logic(x.logic)}, "XA", "", names(t))
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Judge(c, at); len(got) != 1 || got[0].Outcome != x.want {
			t.Errorf("%s: got %v, want %v", x.logic, got, x.want)
		}
	}
}

// What a certificate says is in no log, however it is written.
func TestRedacted(t *testing.T) {
	c := Certificate{Payload: mustParse(t, `{"nam":"canary"}`), Issuer: "canary", KeyID: "canary"}
	j, err := json.Marshal(struct {
		C Certificate
		P *Certificate
	}{c, &c})
	if s := fmt.Sprintf("%v %+v %#v %s %v %s", c, c, c, c, &c, j); err != nil || strings.Contains(s, "canary") {
		t.Errorf("%s (%v)", s, err)
	}
}

func TestCertificate(t *testing.T) {
	const in = `{"expires":"2022-06-01T00:00:00Z","issued":"2021-06-01T00:00:00.5Z","issuer":"XB","kid":"a=","payload":{"dob":"1964","v":[{"dn":2.5}]}}`
	c, err := ParseCertificate([]byte(in))
	if err != nil || string(c.AppendJSON(nil)) != in {
		t.Fatalf("got %s (%v), want %s", c.AppendJSON(nil), err, in)
	}
	for _, bad := range []string{`[]`, `{}`, `{"payload":[]}`, `{"payload":{},"name":"x"}`, `{"payload":{},"issued":"2021-06-01"}`, `{"payload":{},"issuer":7}`, `{"payload":{},"kid":""}`} {
		if c, err := ParseCertificate([]byte(bad)); err == nil {
			t.Errorf("%s: got %#v, want an error", bad, c)
		}
	}
}

func TestValueSets(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{`{"a":["1","2"],"b":["x"]}`, ""},
		{`{"valueSetId":"a","valueSetDate":"2021-06-01","valueSetValues":{"1":{"display":"one","active":true},"2":{"display":"two","active":false}}}`, ""},
		{`[{"valueSetId":"a","valueSetValues":{"1":{},"2":{}}},{"valueSetId":"b","valueSetValues":{"x":{}}}]`, ""},
		{`{"a":"1"}`, "array of codes"}, {`{"a":[1]}`, "array of codes"}, {`{"a":[]}`, "array of codes"}, {`[{"a":1}]`, "valueSetId"}, {`7`, "valueSetId"},
		{`[{"valueSetId":"a","valueSetValues":{"1":{}}},{"valueSetId":"a","valueSetValues":{"1":{}}}]`, "twice"},
	} {
		sets, err := ParseValueSets([]byte(c.in))
		if c.want == "" && (err != nil || sets["a"].String() != `["1","2"]`) || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: got %v, %v, want %q", c.in, sets, err, c.want)
		}
	}
}

// FuzzRules reads whatever comes, and asks what it made of it: there is no panic, no
// endless work, and the same question has the same answer.
func FuzzRules(f *testing.F) {
	f.Add(plainRule, `{"v":[{"mp":"a"}]}`)
	f.Add(`[`+plainRule+`]`, `{}`)
	f.Add(strings.Replace(plainRule, `{"in":[{"var":"payload.v.0.mp"},{"var":"external.valueSets.names"}]}`, `{"reduce":[{"var":"payload.x"},{"+":[{"var":"accumulator"},{"var":"current.0"}]},0]}`, 1), `{"v":[1],"x":[[1],[2]]}`)
	f.Add(`{"and":[{"after":[{"dccDateOfBirth":[{"var":"payload.dob"}]},{"plusTime":["2004-02-29T23:59:59.999+0330",-18,"year"]}]},{"extractFromUVCI":[{"var":"payload.v.0.ci"},2]}]}`, `{"dob":"2004-02"}`)
	f.Fuzz(func(t *testing.T, file, payload string) {
		data, err := Parse([]byte(payload))
		if err != nil {
			return
		}
		if v, err := Parse([]byte(file)); err == nil {
			if again, err := Parse([]byte(v.String())); len(v.String()) <= maxWritten && (err != nil || !Equal(again, v)) {
				t.Fatalf("%s reads back as %s (%v)", v, again, err)
			}
			x, err := Compile(v)
			if (err == nil) != (len(Validate(v)) == 0) {
				if x != nil || !strings.Contains(err.Error(), "parts") {
					t.Fatalf("%s: %v, and %v", v, err, Validate(v))
				}
			}
			if x != nil {
				a, err := x.Eval(data)
				b, err2 := x.Eval(data)
				if !errors.Is(err2, err) || err == nil && a.String() != b.String() {
					t.Fatalf("%s: %s and %s (%v, %v)", v, a, b, err, err2)
				}
			}
		}
		rules, err := ParseRules([]byte(file))
		if err != nil {
			return
		}
		s, err := NewSet(rules, "XA", "", names(t))
		if err != nil {
			return
		}
		c := &Certificate{Payload: data, Issuer: "XA"}
		for _, at := range []time.Time{rules[0].ValidFrom, rules[0].ValidTo} {
			a, b := s.Judge(c, at), s.Judge(c, at)
			if fmt.Sprint(a) != fmt.Sprint(b) {
				t.Fatalf("%v and %v", a, b)
			}
		}
	})
}
