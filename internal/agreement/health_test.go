// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package agreement

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// hHealth is a file of health/ for the package of haat, with the parameters and attributes
// that it names.
const hHealth = `source: the annex
profiles:
  - id: covid
    disease: covid19
    name: {en: COVID-19}
    asks: [screening.temperature, screening.cough]
    tests:
      - {id: antigen, name: {en: rapid test}, minutes: antigen.minutes, good: antigen.good}
    isolate: covid.days
    order: O-days
    release: [antigen]
    holds: antigen.good
levels:
  - {id: normal, name: {en: Normal}}
  - {id: raised, name: {en: Raised}, profiles: [covid], capacity: raised.share, raise: 24 hours, lower: 48 hours, by: [supervisor]}
  - {id: high, name: {en: High}, say: {en: Stay home.}, profiles: [covid], capacity: high.share, raise: 2 days, lower: 3 days, emergency: 7 days, by: [supervisor, health]}
`

const hHealthAttributes = `  - {id: health.level, type: string, values: [normal, raised, high], name: {en: level}}
  - {id: health.profiles, type: strings, name: {en: profiles}}
  - {id: screening.temperature, type: int, unit: tenths-celsius, sensitive: true, name: {en: temperature}}
  - {id: screening.cough, type: bool, sensitive: true, name: {en: cough}}
  - {id: proof.kind, type: string, sensitive: true, name: {en: kind}}
  - {id: proof.dose, type: int, sensitive: true, name: {en: dose}}
events:
  - {id: proof, name: {en: proof}, fields: [proof.kind, proof.dose]}
`

const hHealthParameters = `  - {id: antigen.minutes, text: {en: x}, unit: minutes, values: [{from: 2017-04-08, value: 20, source: x}]}
  - {id: antigen.good, text: {en: x}, unit: hours, values: [{from: 2017-04-08, value: 24, source: x}]}
  - {id: covid.days, text: {en: x}, unit: days, values: [{from: 2017-04-08, value: 14, source: x}]}
  - {id: covid.more, text: {en: x}, unit: days, values: [{from: 2017-04-08, value: 21, source: x}]}
  - id: raised.share
    text: {en: x}
    unit: percent
    values: [{from: 2017-04-08, value: 50, source: x}, {from: 2020-01-01, value: 40, source: x}]
  - id: high.share
    text: {en: x}
    unit: percent
    values: [{from: 2017-04-08, value: 25, source: x}]
`

func healthy(t testing.TB, pairs ...string) (*Edition, Faults) {
	return haat(t, append([]string{
		"agreement.yaml", "", hHealthAttributes, "parameters/p.yaml", "", hHealthParameters, "health/h.yaml", "", hHealth,
	}, pairs...)...)
}

// TestHealth reads profiles and levels, and holds what a reader gets.
func TestHealth(t *testing.T) {
	e, faults := healthy(t)
	if e == nil || len(faults.Errors()) > 0 {
		t.Fatal(faults)
	}
	l, n, ok := e.Level("high")
	if !ok || n != 2 || l.Raise != 48*time.Hour || l.Lower != 72*time.Hour || l.Emergency != 7*24*time.Hour || l.Capacity != "high.share" || !slices.Equal(l.By, []string{"supervisor", "health"}) {
		t.Errorf("%+v %d %v", l, n, ok)
	}
	if _, _, ok := e.Level("severe"); ok {
		t.Error("knows a level that is not there")
	}
	p := e.Profiles["covid"]
	if p.Disease != "covid19" || p.Isolate != "covid.days" || !slices.Equal(p.Asks, []string{"screening.temperature", "screening.cough"}) || len(p.Tests) != 1 || p.Tests[0].Good != "antigen.good" || p.Order != "O-days" || !slices.Equal(p.Release, []string{"antigen"}) || p.Holds != "antigen.good" || p.Source != "the annex" {
		t.Errorf("%+v", p)
	}
}

// TestHealthFaults gives each fault of a file of health/, and of what it must fit.
func TestHealthFaults(t *testing.T) {
	const h, a = "health/h.yaml", "agreement.yaml"
	for _, c := range []struct{ file, old, new, want string }{
		{h, "source: the annex\n", "", "no source"},
		{h, "disease: covid19", "disease: ''", "no disease"},
		{h, "asks: [screening.temperature, screening.cough]", "asks: [screening.cough, screening.cough]", `asks "screening.cough" twice`},
		{h, "asks: [screening.temperature, screening.cough]", "asks: [screening.smell]", `attribute "screening.smell" is not declared`},
		{h, "asks: [screening.temperature, screening.cough]", "asks: [direction]", "direction is not sensitive, or derived"},
		{h, "minutes: antigen.minutes", "minutes: antigen.good", `minutes "antigen.good" counts hours`},
		{h, "good: antigen.good", "good: antigen.hours", `good "antigen.hours" is not a parameter`},
		{h, "isolate: covid.days", "isolate: antigen.good", `isolate "antigen.good" counts hours`},
		{h, "holds: antigen.good", "holds: covid.days", `holds "covid.days" counts days`},
		{h, "order: O-days", "order: O-none", `order "O-none" is not a clause`},
		{h, "    isolate: covid.days\n", "", "has an order and no days"},
		{h, "release: [antigen]", "release: [pcr]", `release "pcr" is none of its tests`},
		{h, "release: [antigen]", "release: [antigen, antigen]", `is released by test "antigen" twice`},
		{h, "    isolate: covid.days\n", "      - {id: antigen, name: {en: again}, minutes: antigen.minutes, good: antigen.good}\n", `test "antigen" stands twice`},
		{h, "{id: normal, name: {en: Normal}}", "{id: normal, name: {en: Normal}, raise: 1 hours}", "the mildest level has a notice"},
		{h, "raise: 24 hours, lower: 48 hours, by: [supervisor]", "raise: 24 hours", "nobody may bring it in"},
		{h, "raise: 24 hours, ", "", "no notice"},
		{h, "raise: 24 hours", "raise: soon", `raise "soon"; mend: write the notice before the level comes in, such as`},
		{h, "raise: 24 hours", "raise: 0 hours", `raise "0 hours"`},
		{h, "lower: 48 hours", "lower: 0 days", `lower "0 days"`},
		{h, "emergency: 7 days", "emergency: 0 days", `emergency "0 days"`},
		{"parameters/p.yaml", "value: 50, source: x}, {from: 2020-01-01, value: 40, source: x}", "value: unknown, source: x}", "gives more of the places than raised on"},
		{h, "capacity: raised.share", "capacity: covid.days", `capacity "covid.days" counts days`},
		{h, "profiles: [covid], capacity: raised.share", "profiles: [covid, covid], capacity: raised.share", `profile "covid" stands twice`},
		{h, "profiles: [covid], capacity: raised.share", "profiles: [flu], capacity: raised.share", `profile "flu" is not known`},
		{h, "profiles: [covid], capacity: high.share", "capacity: high.share", "switches profile covid off, which raised has"},
		{h, "{id: raised,", "{id: normal,", "level normal stands twice"},
		{"parameters/p.yaml", "value: 25,", "value: 45,", "gives more of the places than raised on 2020-01-01 at river"},
		{h, "capacity: high.share, ", "", "gives more of the places than raised"},
		{a, "id: health.level, type: string, values: [normal, raised, high]", "id: health.level, type: int", "health.level is a int, or derived"},
		{a, "values: [normal, raised, high]", "values: [normal, raised]", "the values of health.level are not the levels of health/"},
		{a, "fields: [proof.kind, proof.dose]", "fields: [proof.kind, direction]", `field "direction" is none that a proof has`},
		{a, "{id: proof.dose, type: int,", "{id: proof.dose, type: string,", "proof.dose is a string"},
		{h, "levels:\n", "levels: []\nlevels:\n", "levels"},
		{h, "source: the annex", "source: the annex\ncolour: red", "colour"},
		{"health/more.yaml", "", "source: x\nlevels:\n  - {id: other, name: {en: Other}}\n", "levels stand in health/h.yaml too"},
	} {
		_, faults := healthy(t, c.file, c.old, c.new)
		if !strings.Contains(faults.Errors().Error(), c.want) {
			t.Errorf("%s with %q: got %v, want %q", c.file, c.new, faults.Errors(), c.want)
		}
	}
	if _, faults := haat(t, "agreement.yaml", "", "  - {id: health.level, type: string, name: {en: level}}\n"); !strings.Contains(faults.Errors().Error(), "health.level without any levels") {
		t.Error(faults)
	}
	if _, faults := healthy(t, "clauses/c.yaml", "", "  - {id: S, kind: suspend, at: [gate], weekdays: [tuesday, noday], text: {en: x}, say: {en: x}}\n"); !strings.Contains(faults.Errors().Error(), `day "noday"`) {
		t.Error(faults)
	}
}

// TestHealthUnknownShare: where the text leaves the share of a stricter level empty, no
// place is given, which is no more than at a milder one.
func TestHealthUnknownShare(t *testing.T) {
	if _, faults := healthy(t, "parameters/p.yaml", "value: 25,", "value: unknown,"); len(faults.Errors()) > 0 {
		t.Error(faults.Errors())
	}
	if _, faults := healthy(t, "health/h.yaml", "capacity: raised.share, ", "", "parameters/p.yaml", "value: 25,", "value: unknown,"); len(faults.Errors()) > 0 {
		t.Error(faults.Errors())
	}
	if _, faults := healthy(t, "parameters/p.yaml", "value: 50,", "value: unknown,"); !strings.Contains(faults.Errors().Error(), "level high: gives more of the places than raised") {
		t.Error(faults.Errors())
	}
}

// TestProofDates warns where an event proof has no room for the validity that an issuer
// gave, or for what a half-known date can mean, and a clause asks for a certificate.
func TestProofDates(t *testing.T) {
	const clause = "  - {id: P, kind: proof, at: [gate], text: {en: x}, say: {en: x}, disease: polio, accepts: [{kind: recovery}], before: crossing.at, else: HOLD, decides: officer}\n"
	const old = "fields: [proof.kind, proof.dose]"
	warned := func(fields string, clauses ...string) (out []string) {
		_, faults := healthy(t, append([]string{"agreement.yaml", old, "fields: [" + fields + "]"}, clauses...)...)
		for _, f := range faults {
			if f.Warning && strings.Contains(f.What, "is not looked at") {
				out = append(out, f.Clause+" "+f.What[:strings.Index(f.What, ":")])
			}
		}
		return out
	}
	asks := []string{"clauses/c.yaml", "", clause}
	for fields, want := range map[string][]string{
		"proof.kind": {"proof has no field proof.earliest and no field proof.latest", "proof has no field proof.from and no field proof.until"},
		"proof.kind, proof.from, proof.until, proof.latest":                 {"proof has no field proof.earliest"},
		"proof.kind, proof.from, proof.earliest, proof.latest":              {"proof has no field proof.until"},
		"proof.kind, proof.from, proof.until, proof.earliest, proof.latest": nil,
	} {
		if got := warned(fields, asks...); !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", fields, got, want)
		}
	}
	if got := warned("proof.kind"); len(got) > 0 {
		t.Errorf("no clause asks for one, and yet: %q", got)
	}
}

// TestHealthDiff wants each change of a level and a profile told.
func TestHealthDiff(t *testing.T) {
	before, _ := healthy(t)
	for _, c := range []struct{ old, new, want string }{
		{"raise: 24 hours", "raise: 12 hours", "level raised: raise changes from 24h0m0s to 12h0m0s"},
		{"emergency: 7 days", "emergency: 8 days", "level high: emergency changes from 168h0m0s to 192h0m0s"},
		{"by: [supervisor, health]", "by: [supervisor]", "level high: by changes from supervisor; health to supervisor"},
		{"minutes: antigen.minutes, good: antigen.good}", "minutes: antigen.minutes, good: antigen.good}\n      - {id: pcr, name: {en: PCR}, minutes: antigen.minutes, good: antigen.good}", "profile covid: tests changes from antigen of antigen.minutes, good for antigen.good to"},
		{"isolate: covid.days", "isolate: covid.more", "profile covid: isolate changes from covid.days to covid.more"},
		{"    order: O-days\n    release: [antigen]\n", "", "profile covid: order is taken out; it was O-days"},
		{"release: [antigen]", "", "profile covid: release is taken out; it was antigen"},
		{"holds: antigen.good", "", "profile covid: holds is taken out; it was antigen.good"},
		{"Stay home.", "Stay in.", "level high: the say in en changes"},
		{"  - {id: raised,", "  - {id: higher,", "level higher is new"},
	} {
		after, faults := healthy(t, "health/h.yaml", c.old, c.new)
		if after == nil {
			t.Fatal(faults)
		}
		var all []string
		for _, x := range Diff(before, after) {
			all = append(all, x.Text)
		}
		if !strings.Contains(strings.Join(all, "\n"), c.want) {
			t.Errorf("%q: %s", c.new, strings.Join(all, "\n"))
		}
	}
}
