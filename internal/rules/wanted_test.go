// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/reason"
)

// wants are the needs of one input, as "value outcome".
func wants(x Explanation, input string) (out []string) {
	for _, n := range x.Needs {
		if n.Input == input {
			out = append(out, strings.TrimSpace(n.Value+" "+n.Outcome.String()))
		}
	}
	return out
}

// TestExplainProof says what a clause of kind proof takes, what it looked at in each
// certificate, and what would change its answer; of what a certificate says nothing.
func TestExplainProof(t *testing.T) {
	l := wideLaw(t, proofClause, "parameters", proofParams)
	q := noon("2025-06-10").of("proof", dose("2025-05-01", 1, 2), pcr("2025-06-10", "proof.result", "positive"), certificate("2025-06-01", "proof.kind", "vaccination", "proof.dose", int64(1)))
	x := l.Explain(q)
	if x.Verdict.Outcome.Admits() || !bytes.Equal(x.Verdict.Bytes(), l.Check(q).Bytes()) {
		t.Fatalf("got %s", x.Verdict.Outcome)
	}
	for input, want := range map[string][]string{
		"proof": {"test (naat) of covid19, negative, not before 2025-06-07 12:00, not after 2025-06-10 12:00 ALLOW",
			"vaccination of covid19, every dose, not before 2024-06-10, not after 2025-05-27 ALLOW", "recovery of covid19, not before 2024-12-10, not after 2025-05-30 ALLOW"},
		"proof.dose": {"ALLOW"}, "proof.result": {"ALLOW"}, "proof.kind": nil, "proof.test": nil, "proof.doses": nil, "proof.earliest": nil,
	} {
		if got := wants(x, input); !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", input, got, want)
		}
	}
	looked := strings.Join(x.Clauses[0].Looked, "\n") + "\n"
	for _, want := range []string{"crossing 2025-06-10 12:00 (now)", "takes test (naat) of covid19, negative", "param.hours72 72 hours", "takes vaccination of covid19", "param.days14 14 days",
		"proof 1: looked at proof.kind, proof.disease, proof.doses, proof.dose, proof.earliest, proof.from, proof.until\n",
		"proof 2: looked at proof.kind, proof.disease, proof.result, proof.test, proof.earliest, proof.from, proof.until\n", "proof 3: looked at proof.kind, proof.disease, proof.doses, proof.earliest, proof.from, proof.until; not known proof.doses"} {
		if !strings.Contains(looked, want) {
			t.Errorf("no %q in\n%s", want, looked)
		}
	}
	for _, day := range []string{"2025-05-01", "2025-06-01", "positive"} {
		if text := x.Text(true); strings.Contains(text, day) {
			t.Errorf("tells of a certificate: %s in %s", day, text)
		}
	}
	// One that is too old by days: its date, and at booking an earlier crossing.
	l = wideLaw(t, strings.Replace(proofClause, "TEXT", "text: {en: x}, say: {en: x}, at: [booking, gate]", 1), "parameters", proofParams)
	q = noon("2025-06-05").with("crossing.at", at("2025-06-10T12:00:00Z"), "crossing.latest", at("2025-06-10T15:30:00Z")).of("proof", Event{At: at("2025-06-07T13:00:00Z"), Facts: pcr("2025-06-07").Facts})
	q.Point = Booking
	x = l.Explain(q)
	if got := wants(x, "crossing.at"); !slices.Equal(got, []string{"2025-06-10T09:30:00Z ALLOW"}) {
		t.Errorf("an earlier crossing: %q", got)
	}
	if got := wants(x, "health.tests"); !slices.Equal(got, []string{"covid19/naat ALLOW"}) {
		t.Errorf("a test before the crossing: %q", got)
	}
	if got := wants(x, "crossing.latest"); got != nil {
		t.Errorf("the latest time goes with the earliest: %q", got)
	}
	later := q.of("proof", dose("2025-06-01", 2, 2))
	if got := wants(l.Explain(later), "crossing.at"); !slices.Equal(got, []string{"2025-06-15T00:00:00Z ALLOW"}) {
		t.Errorf("a later crossing: %q", got)
	}
	lapsed := q.with("crossing.at", at("2025-06-10T12:00:00Z"), "crossing.latest", at("2025-06-11T02:00:00Z")).of("proof", dose("2024-06-10", 2, 2))
	if got := wants(l.Explain(lapsed), "crossing.at"); !slices.Equal(got, []string{"2025-06-10T09:59:00Z ALLOW"}) {
		t.Errorf("before the end of a day: %q", got)
	}
	q.Point = Gate
	if got := wants(l.Explain(q), "crossing.at"); !slices.Equal(got, []string{"ALLOW"}) {
		t.Errorf("at the gate the time is not said, since it is the certificate's: %q", got)
	}
	// Not shown, and none at all.
	for _, q := range []Query{noon("2025-06-10"), noon("2025-06-10").of("proof")} {
		if got := wants(l.Explain(q), "proof"); len(got) != 3 {
			t.Errorf("%q", got)
		}
	}
	if x := l.Explain(noon("2025-06-10")); !strings.Contains(x.Text(true), "proof not known") {
		t.Error(x.Text(true))
	}
	if b, err := json.Marshal(x.Needs[0].Wanted); err != nil || x.Needs[0].Wanted == nil || !strings.Contains(string(b), `"kind":"test"`) {
		t.Errorf("%s", b)
	}
}

// TestWantedHolds shows a certificate of the first and the last day that are said, and it
// will do; a day beyond either will not.
func TestWantedHolds(t *testing.T) {
	accepts := map[string]string{"months": "atleast: days14, atmost: months6", "hours": "atmost: hours72", "least": "atleast: months6", "year": "atmost: year", "both": "atleast: hours72, atmost: days11", "none": ""}
	laws := map[string]*Law{}
	for name, text := range accepts {
		x := "{kind: recovery}"
		if text != "" {
			x = "{kind: recovery, " + text + "}"
		}
		laws[name] = wideLaw(t, "  - {id: c, kind: proof, TEXT, disease: covid19, else: HOLD, missing: HOLD, decides: health, accepts: ["+x+"]}\n", "parameters", proofParams)
	}
	seen := 0
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom([]string{"months", "hours", "least", "year", "both", "none"}).Draw(t, "accept")
		l := laws[name]
		day := rapid.OneOf(rapid.IntRange(0, 360), rapid.SampledFrom([]int{58, 89, 242})).Draw(t, "day") // 28 February, 31 March, 31 August
		start := at("2025-01-01T00:00:00Z").Add(time.Duration(day*24*60+rapid.IntRange(0, 24*60-1).Draw(t, "minute")) * time.Minute)
		q := noon("2025-06-10").with("crossing.at", start, "crossing.latest", start.Add(time.Duration(rapid.IntRange(0, 600).Draw(t, "wait"))*time.Minute)).of("proof")
		var w *Wanted
		for _, n := range l.Explain(q).Needs {
			if n.Wanted != nil {
				w = n.Wanted
			}
		}
		if w == nil {
			t.Fatalf("nothing is wanted")
		}
		seen++
		try := func(s string, beyond int, want bool) {
			if s == "" {
				return
			}
			x, err := time.Parse(time.RFC3339, s)
			if err == nil {
				x = x.Add(time.Duration(beyond) * time.Second)
			} else {
				d, err := calendar.ParseDate(s)
				if err != nil {
					t.Fatal(err)
				}
				x = calendar.FromDays(d.Days() + beyond).Start(time.UTC)
			}
			e := certificate("2025-01-01", "proof.kind", "recovery")
			e.At = x
			if got := l.Check(q.of("proof", e)).Outcome; (got == reason.Allow) != want {
				t.Fatalf("%s: crossing %v, wanted %+v: of %v got %s", name, q.Facts, *w, x, got)
			}
		}
		try(w.From, 0, true)
		try(w.From, -1, false)
		try(w.Until, 0, true)
		try(w.Until, 1, false)
	})
	if seen == 0 {
		t.Error("nothing was wanted")
	}
}

// TestProofNeedsHold: a field that is said to change the answer is one that does, and where
// two fields are wrong neither is named.
func TestProofNeedsHold(t *testing.T) {
	l := wideLaw(t, proofClause, "parameters", proofParams)
	for _, c := range []struct {
		what  string
		e     Event
		field string
	}{
		{"the disease", pcr("2025-06-10", "proof.disease", "ebola"), ""},
		{"the kind of test", pcr("2025-06-10", "proof.test", "antigen"), "proof.test"},
		{"too old", pcr("2025-06-01"), "proof.earliest"},
		{"too new", dose("2025-06-08", 2, 2), "proof.earliest"},
		{"out of its validity", dose("2025-05-01", 2, 2, "proof.until", at("2025-06-10T11:00:00Z")), "proof.until"},
		{"not in it yet", dose("2025-05-01", 2, 2, "proof.from", at("2025-06-10T13:00:00Z")), "proof.from"},
		{"no number of doses", certificate("2025-05-01", "proof.kind", "vaccination", "proof.dose", int64(1)), "proof.doses"},
		{"too old and of another test", pcr("2025-06-01", "proof.test", "antigen"), ""},
	} {
		x := l.Explain(noon("2025-06-10").of("proof", c.e))
		var got []string
		for _, n := range x.Needs {
			if strings.HasPrefix(n.Input, "proof.") {
				if n.Value != "" || n.Wanted != nil {
					t.Errorf("%s: %+v", c.what, n)
				}
				got = append(got, n.Input)
			}
		}
		if strings.Join(got, " ") != c.field {
			t.Errorf("%s: got %q, want %q", c.what, got, c.field)
		}
	}
}

// TestExplainCertificate: the same of a clause that asks published rules.
func TestExplainCertificate(t *testing.T) {
	l := healthLaw(t, "  - {id: c, kind: certificate, text: {en: x}, say: {en: x}, at: [booking, gate], certificate: cert, rules: entry, over: [t.one, t.two], else: REFUSE, missing: HOLD}\n")
	young := decoded(t, `{"v":[{"mp":"EU/1","dt":"2025-03-01","dn":2,"sd":2}]}`)
	q := noon("2025-03-02").with("cert", young, "t.one", at("2025-03-10T00:00:00Z"), "t.two", at("2025-03-12T00:00:00Z"))
	q.Point = Booking
	x := l.Explain(q)
	if got := wants(x, "t.one"); !slices.Equal(got, []string{"2025-03-15T00:00:00Z ALLOW"}) {
		t.Errorf("a later crossing: %q", got)
	}
	n := slices.IndexFunc(x.Needs, func(n Need) bool { return n.Input == "cert" })
	if n < 0 || !x.Needs[n].Fits || x.Needs[n].Value != "" || x.Needs[n].Outcome != reason.Allow {
		t.Errorf("%+v", x.Needs)
	}
	text := x.Text(true)
	for _, want := range []string{"over 2025-03-10 00:00 (t.one): 3 rules of entry speak of it", "over 2025-03-12 00:00 (t.two)", "cert: one that meets the published rules → ALLOW"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	q.Point = Gate
	if got := wants(l.Explain(q), "t.one"); !slices.Equal(got, []string{"ALLOW"}) {
		t.Errorf("at the gate the time is not said: %q", got)
	}
	// None shown: only one that is good is said, and no other value of what nobody asked.
	none := noon("2025-03-02").with("t.one", at("2025-03-10T00:00:00Z"), "t.two", at("2025-03-12T00:00:00Z"))
	x = l.Explain(none)
	if got := wants(x, "cert"); !slices.Equal(got, []string{"ALLOW"}) || wants(x, "t.one") != nil || !strings.Contains(x.Text(true), "certificate not known (cert), rules of entry") {
		t.Errorf("%q\n%s", got, x.Text(true))
	}
}
