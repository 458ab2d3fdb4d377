// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/certlogic"
	"darwaza.dev/internal/lang"
	"darwaza.dev/internal/reason"
)

// publishedRule is a rule of XA, as a country would publish it.
func publishedRule(id, kind, from, to, logic string) string {
	return `{"Identifier":"` + id + `","Type":"Acceptance","Country":"XA","Version":"1.0.0","SchemaVersion":"1.0.0","Engine":"CERTLOGIC","EngineVersion":"1.0.0","CertificateType":"` + kind +
		`","Description":[{"lang":"en","desc":"About ` + id + `."}],"ValidFrom":"` + from + `","ValidTo":"` + to + `","AffectedFields":["v.0"],"Logic":` + logic + `}`
}

// The rules of the set "entry": a vaccine of the list, a dose of 14 to 365 days, a field that
// must be there to tell, and from July on a test of at most 72 hours.
func healthFiles() []string {
	const from, to = "2025-01-01T00:00:00Z", "2030-01-01T00:00:00Z"
	return []string{
		"health/entry.yaml", "source: x\nrulesets:\n  - {id: entry, title: " + say + ", rules: [rules.json], values: [values.json], arrival: XA}\n",
		"health/values.json", `{"names":["EU/1","EU/2"]}`,
		"health/rules.json", "[" + strings.Join([]string{
			publishedRule("VR-XA-0001", "Vaccination", from, to, `{"in":[{"var":"payload.v.0.mp"},{"var":"external.valueSets.names"}]}`),
			publishedRule("VR-XA-0002", "Vaccination", from, to, `{"not-after":[{"plusTime":[{"var":"payload.v.0.dt"},14,"day"]},{"plusTime":[{"var":"external.validationClock"},0,"day"]},{"plusTime":[{"var":"payload.v.0.dt"},365,"day"]}]}`),
			publishedRule("VR-XA-0003", "Vaccination", from, to, `{"===":[{"+":[{"var":"payload.v.0.dn"},0]},{"var":"payload.v.0.sd"}]}`),
			publishedRule("TR-XA-0001", "Test", "2025-07-01T00:00:00Z", to, `{"before":[{"plusTime":[{"var":"external.validationClock"},0,"day"]},{"plusTime":[{"var":"payload.t.0.sc"},72,"hour"]}]}`),
		}, ",") + "]",
	}
}

func healthLaw(t testing.TB, clauses string) *Law {
	t.Helper()
	return wideLaw(t, clauses, healthFiles()...)
}

func decoded(t testing.TB, payload string) *certlogic.Certificate {
	t.Helper()
	c, err := certlogic.ParseCertificate([]byte(`{"payload":` + payload + `,"issuer":"XB"}`))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

const askCertificate = "  - {id: c, kind: certificate, TEXT, certificate: cert, rules: entry, else: REFUSE, missing: HOLD}\n"

// A clause asks published rules: each that is not met is a reason that names it, what cannot
// be told is for a person, and what nobody speaks of is never accepted.
func TestCertificateClause(t *testing.T) {
	l := healthLaw(t, askCertificate)
	good := `{"v":[{"mp":"EU/1","dt":"2025-03-01","dn":2,"sd":2}]}`
	for _, x := range []struct {
		name, day, payload string
		outcome            reason.Outcome
		rules              string // code and rule of each reason
	}{
		{"met", "2025-06-02", good, reason.Allow, ""},
		{"the 14th day", "2025-03-15", good, reason.Allow, ""},
		{"the day before", "2025-03-14", good, reason.Refuse, "law.rule.unmet VR-XA-0002"},
		{"a year later", "2026-03-01", good, reason.Refuse, "law.rule.unmet VR-XA-0002"},
		{"two rules unmet", "2025-03-02", `{"v":[{"mp":"other","dt":"2025-03-01","dn":2,"sd":2}]}`, reason.Refuse, "law.rule.unmet VR-XA-0001, law.rule.unmet VR-XA-0002"},
		{"a dose number that is a text", "2025-06-02", `{"v":[{"mp":"EU/1","dt":"2025-03-01","dn":"2","sd":2}]}`, reason.Refer, "law.rule.open VR-XA-0003"},
		{"one unmet and one open", "2025-06-02", `{"v":[{"mp":"other","dt":"2025-03-01","sd":2}]}`, reason.Refuse, "law.rule.unmet VR-XA-0001, law.rule.open VR-XA-0003"},
		{"no rule for tests yet", "2025-06-30", `{"t":[{"sc":"2025-06-30T06:00:00Z"}]}`, reason.Refer, "law.rule.silent "},
		{"a test", "2025-07-01", `{"t":[{"sc":"2025-06-30T06:00:00Z"}]}`, reason.Allow, ""},
		{"an old test", "2025-07-03", `{"t":[{"sc":"2025-06-30T06:00:00Z"}]}`, reason.Refuse, "law.rule.unmet TR-XA-0001"},
		{"neither", "2025-07-03", `{"r":[{}]}`, reason.Refer, "law.rule.silent "},
	} {
		v := l.Check(noon(x.day).with("cert", decoded(t, x.payload)))
		var got []string
		for _, r := range v.Reasons {
			got = append(got, string(r.Code)+" "+r.Params["rule"])
			if p, ok := PublishedRule(l.compiled[0].e, r); r.Params["rule"] != "" && (!ok || p.Says(lang.UR) != "About "+r.Params["rule"]+".") {
				t.Errorf("%s: the rule of the reason is not found: %v", x.name, r)
			}
		}
		if v.Outcome != x.outcome || strings.Join(got, ", ") != x.rules {
			t.Errorf("%s: got %s %q, want %s %q", x.name, v.Outcome, strings.Join(got, ", "), x.outcome, x.rules)
		}
	}
	if v := l.Check(noon("2025-06-02")); v.Outcome != reason.Hold || !slices.Equal(v.Missing, []string{"cert"}) {
		t.Errorf("no certificate: got %s, missing %v", v.Outcome, v.Missing)
	}
}

// The certificate is judged as it stands when the traveller crosses, in and out, and not
// when the question is asked.
func TestCertificateAtCrossing(t *testing.T) {
	l := healthLaw(t, "  - {id: c, kind: certificate, TEXT, certificate: cert, rules: entry, over: [t.one, t.two], else: REFUSE, missing: HOLD}\n")
	c := decoded(t, `{"v":[{"mp":"EU/1","dt":"2025-03-01","dn":2,"sd":2}]}`)
	for _, x := range []struct {
		in, out string
		want    reason.Outcome
	}{
		{"2025-03-15T00:00:00Z", "2026-03-01T00:00:00Z", reason.Allow},
		{"2025-03-15T04:59:59+05:00", "2025-03-16T00:00:00Z", reason.Refuse},
		{"2025-03-15T00:00:00Z", "2026-03-01T00:00:01Z", reason.Refuse},
		{"2025-03-15T00:00:00Z", "", reason.Hold},
	} {
		q := noon("2025-03-02").with("cert", c, "t.one", at(x.in))
		if x.out != "" {
			q = q.with("t.two", at(x.out))
		}
		if v := l.Check(q); v.Outcome != x.want {
			t.Errorf("in %s, out %s: got %s (%s), want %s", x.in, x.out, v.Outcome, why(v), x.want)
		}
	}
}

// A clause that may not apply, or that another may set aside, refuses nobody by a rule.
func TestCertificateDoubt(t *testing.T) {
	bad := decoded(t, `{"v":[{"mp":"other","dt":"2025-03-01","dn":2,"sd":2}]}`)
	l := healthLaw(t, "  - {id: c, kind: certificate, TEXT, when: p, certificate: cert, rules: entry, else: REFUSE, missing: HOLD}\n  - {id: d, kind: rule, TEXT, when: q, overrides: [c]}\n")
	for _, x := range []struct {
		facts []any
		want  reason.Outcome
	}{
		{[]any{"p", true, "q", false}, reason.Refuse},
		{[]any{"p", true}, reason.Refer},
		{[]any{"q", false}, reason.Hold},
		{[]any{"p", true, "q", true}, reason.Allow},
	} {
		if v := l.Check(noon("2025-06-02").with(append(x.facts, "cert", bad)...)); v.Outcome != x.want {
			t.Errorf("%v: got %s (%s), want %s", x.facts, v.Outcome, why(v), x.want)
		}
	}
}

// A question with a certificate is read from JSON and written as the same bytes, and of the
// certificate nothing is in the verdict, in its explanation, or in what is kept.
func TestCertificateForgotten(t *testing.T) {
	l := healthLaw(t, askCertificate)
	in := `{"point":"gate","at":"2025-06-02T12:00:00Z","site":"s","side":"A","facts":{"cert":{"issued":"2025-03-01T00:00:00Z","issuer":"canary1","kid":"canary2","payload":{"nam":{"fn":"canary3"},"v":[{"ci":"canary4","dn":2,"dt":"2025-03-01","mp":"canary5","sd":2.5}]}}}}`
	q, err := l.ParseQuery([]byte(in))
	if err != nil {
		t.Fatal(err)
	}
	if got := string(AppendQuery(nil, q)); got != in {
		t.Errorf("written as %s, want %s", got, in)
	}
	v := l.Check(q)
	if v.Outcome != reason.Refuse || !slices.ContainsFunc(v.Inputs, func(i Input) bool { return i.Name == "cert" && i.Value == "" }) {
		t.Errorf("got %s, inputs %v", v.Outcome, v.Inputs)
	}
	kept := l.Keep(q, v)
	x := l.Explain(q)
	for name, text := range map[string]string{"verdict": string(v.Bytes()), "kept": kept.Query, "explanation": x.Text(true)} {
		if strings.Contains(text, "canary") {
			t.Errorf("the %s tells of the certificate: %s", name, text)
		}
	}
	if !slices.Equal(kept.Withheld, []string{"cert"}) {
		t.Errorf("withheld %v", kept.Withheld)
	}
	if !bytes.Equal(l.Check(q).Bytes(), v.Bytes()) {
		t.Error("the same question has two answers")
	}
	for _, bad := range []string{`"EU"`, `{"v":[]}`, `{"payload":{},"name":"canary"}`, `7`} {
		if _, err := l.ParseQuery([]byte(`{"point":"gate","at":"2025-06-02T12:00:00Z","facts":{"cert":` + bad + `}}`)); err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

// A condition can ask whether there is a certificate, and nothing else of it.
func TestCertificateInConditions(t *testing.T) {
	l := healthLaw(t, askCertificate+"  - {id: d, kind: rule, TEXT, when: \"!known(cert)\", then: REFUSE}\n")
	if v := l.Check(noon("2025-06-02")); v.Outcome != reason.Refuse {
		t.Errorf("got %s", v.Outcome)
	}
	for _, text := range []string{"cert == 'x'", "cert.payload == 'x'", "string(cert) == 'x'", "cert"} {
		e, faults := wide(t, askCertificate+"  - {id: d, kind: rule, TEXT, when: \""+text+"\", then: REFUSE}\n", healthFiles()...)
		if len(faults.Errors()) > 0 {
			t.Fatal(faults)
		}
		if _, err := Compile(e); err == nil {
			t.Errorf("%s compiles", text)
		}
	}
}

// What is wrong with a set is said before anybody signs it, with the rule.
func TestRuleSetFaults(t *testing.T) {
	for _, x := range [][3]string{
		{"health/rules.json", `"in":[`, "unrecognised operator"},
		{"health/rules.json", `"Engine":"CERTLOGIC"`, "the engine is"},
		{"health/rules.json", `external.valueSets.names`, "reads the value set"},
		{"health/rules.json", `payload.v.0.mp`, `reads "religion"`},
		{"health/rules.json", `"Version":"1.0.0"`, "stands twice in version"},
		{"health/rules.json", `"Country":"XA"`, "country of arrival"},
		{"health/rules.json", `2030-01-01T00:00:00Z`, "no rule of it holds"},
		{"health/values.json", `["EU/1","EU/2"]`, "array of codes"},
		{"health/values.json", `{"names"`, `stands twice`},
		{"health/entry.yaml", `arrival: XA`, "capital letters"},
		{"health/entry.yaml", `source: x`, "no source"},
		{"health/entry.yaml", `rules.json`, "is not there"},
		{"health/entry.yaml", `, values.json`, "no rule set names it"},
		{"clauses", `rules: entry`, "not known"},
		{"clauses", `certificate: cert`, "needed here"},
		{"clauses", `else: REFUSE`, "needs"},
	} {
		to := map[string]string{
			`"in":[`: `"on":[`, `"Engine":"CERTLOGIC"`: `"Engine":"other"`, `external.valueSets.names`: `external.valueSets.other`, `payload.v.0.mp`: `payload.religion`,
			`"Country":"XA"`: `"Country":"XB"`, `2030-01-01T00:00:00Z`: `2024-12-31T00:00:00Z`, `["EU/1","EU/2"]`: `"EU/1"`, `{"names"`: `{"names":["x"],"names"`, `arrival: XA`: `arrival: xa`,
			`source: x`: ``, `rules.json`: `other.json`, `rules: entry`: `rules: other`, `certificate: cert`: `certificate: p`, `else: REFUSE`: `regime: x`,
		}
		clauses, parts := askCertificate, healthFiles()
		switch {
		case x[0] == "clauses":
			clauses = strings.Replace(clauses, x[1], to[x[1]], 1)
		case x[1] == `, values.json`:
			parts = append(parts, "health/more.json", "[]")
		case x[1] == `"Version":"1.0.0"`:
			parts[5] = strings.ReplaceAll(parts[5], "VR-XA-0002", "VR-XA-0001")
		default:
			for i := 0; i < len(parts); i += 2 {
				if parts[i] == x[0] {
					parts[i+1] = strings.ReplaceAll(parts[i+1], x[1], to[x[1]])
				}
			}
			if x[1] == `2030-01-01T00:00:00Z` {
				parts[5] = strings.ReplaceAll(strings.ReplaceAll(parts[5], "2025-01-01T", "2024-01-01T"), "2025-07-01T", "2024-01-01T")
			}
		}
		_, faults := wide(t, clauses, parts...)
		if !slices.ContainsFunc(faults.Errors(), func(f agreement.Fault) bool { return strings.Contains(f.String(), x[2]) }) {
			t.Errorf("%s %s: got %v, want %q", x[0], x[1], faults.Errors(), x[2])
		}
	}
	e, _ := wide(t, askCertificate, healthFiles()...)
	untested := e.Untested().Error()
	for _, want := range []string{"2025-06-30", "2025-07-01", "rule TR-XA-0001 1.0.0 begins"} {
		if !strings.Contains(untested, want) {
			t.Errorf("a rule that begins wants no scenario: %s", untested)
		}
	}
	_, faults := wide(t, askCertificate, append(healthFiles(), "health/idle.yaml", "source: x\nrulesets:\n  - {id: idle, title: "+say+", rules: [rules.json], values: [values.json], arrival: XA}\n")...)
	if !strings.Contains(faults.Error(), "no clause asks it") {
		t.Errorf("a set that nobody asks: %v", faults)
	}
}

// What changes in a set is told by rule and by code.
func TestRuleSetDiff(t *testing.T) {
	before, _ := wide(t, askCertificate, healthFiles()...)
	parts := healthFiles()
	parts[3] = `{"names":["EU/1","EU/3"]}`
	parts[5] = strings.NewReplacer("365", "270", "VR-XA-0003", "VR-XA-0004").Replace(parts[5])
	after, _ := wide(t, askCertificate, parts...)
	got := strings.Join(agreement.Tell(agreement.Diff(before, after), true, true), "\n")
	for _, want := range []string{"rule VR-XA-0002 1.0.0 says something else", "rule VR-XA-0003 1.0.0 is taken out", "rule VR-XA-0004 1.0.0 is new: acceptance, XA, vaccination", "value set names: EU/3 is new", "value set names: EU/2 is taken out"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}
