// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"darwaza.dev/agreements"
	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/rules"
)

// worked lists the packages that come with the program.
func worked(t *testing.T) []string {
	t.Helper()
	ds, err := fs.ReadDir(agreements.FS, ".")
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, d := range ds {
		if d.IsDir() {
			out = append(out, d.Name())
		}
	}
	if len(out) < 6 {
		t.Fatalf("only %q", out)
	}
	return out
}

// lawOf compiles a package that comes with the program.
func lawOf(t *testing.T, name string) (*agreement.Edition, *rules.Law) {
	t.Helper()
	sub, err := fs.Sub(agreements.FS, name)
	if err != nil {
		t.Fatal(err)
	}
	e, err := agreement.Load(sub)
	if err != nil {
		t.Fatal(err)
	}
	law, err := rules.Compile(e)
	if err != nil {
		t.Fatal(err)
	}
	return e, law
}

// TestScenariosThroughTheServer asks every scenario of every package of a running server
// over the network: the answer is the verdict that the rules give, byte for byte, and is
// what the scenario expects.
func TestScenariosThroughTheServer(t *testing.T) {
	asked, explained := 0, 0
	for _, name := range worked(t) {
		e, law := lawOf(t, name)
		p := newTestPost(t)
		p.law = law
		srv := httptest.NewServer(p.server)
		call := func(path string, body []byte) []byte {
			t.Helper()
			p.now = p.now.Add(time.Second)
			res, err := http.Post(srv.URL+path, "application/json", bytes.NewReader(body))
			p.must(err)
			defer func() { _ = res.Body.Close() }()
			b, err := io.ReadAll(res.Body)
			p.must(err)
			if res.StatusCode != 200 {
				t.Errorf("%s: %d %s\n%s", name, res.StatusCode, b, body)
			}
			return b
		}
		for _, r := range law.Test(e) {
			if !r.Passed() || len(r.Queries) != len(r.Scenario.Asks) || len(r.Queries) == 0 {
				t.Errorf("%s: %s: %d questions, %q", name, r.Scenario.ID, len(r.Queries), r.Wrong)
			}
			for i, q := range r.Queries {
				asked++
				body := rules.AppendQuery(nil, q)
				got := call("/api/v1/verdict", body)
				if want := r.Verdicts[i].Bytes(); !bytes.Equal(got, want) {
					t.Errorf("%s: %s, ask %d\ngot  %s\nwant %s", name, r.Scenario.ID, i+1, got, want)
				}
				var v struct{ Outcome string }
				if err := json.Unmarshal(got, &v); err != nil || v.Outcome != r.Scenario.Asks[i].Expect.Outcome.String() {
					t.Errorf("%s: %s, ask %d: %s (%v), expected %s", name, r.Scenario.ID, i+1, v.Outcome, err, r.Scenario.Asks[i].Expect.Outcome)
				}
				if i > 0 {
					continue
				}
				explained++
				named := append([]byte(`{"agreement":"`+e.ID+`",`), body[1:]...)
				var x struct {
					Verdict json.RawMessage
					Clauses []rules.Explained
				}
				p.must(json.Unmarshal(call("/api/v1/verdict?explain", named), &x))
				if !bytes.Equal(x.Verdict, got) {
					t.Errorf("%s: %s: the explanation is of another verdict: %s", name, r.Scenario.ID, x.Verdict)
				}
			}
		}
		srv.Close()
		if n := len(p.mem.Facts()); n != len(newTestPost(t).mem.Facts()) {
			t.Errorf("%s: questions left %d facts", name, n)
		}
	}
	if asked < 500 || explained < 140 {
		t.Errorf("%d questions, %d explained", asked, explained)
	}
}

// TestVerdictProblems names the field of what cannot be read, and repeats nothing of it.
func TestVerdictProblems(t *testing.T) {
	p := newTestPost(t)
	_, p.law = lawOf(t, "who-polio")
	const number = "7741774177417" // longer than what the number of a request can hold by chance
	const secret = "Zaitoon" + number
	for _, c := range []struct {
		body   string
		status int
		field  string
	}{
		{`{"point":"` + secret + `","at":"2025-09-02T05:00:00Z"}`, 400, "point"},
		{`{"point":"gate","at":"` + secret + `"}`, 400, "at"},
		{`{"point":"gate","at":"2025-09-02T05:00:00Z","known":"` + secret + `"}`, 400, "known"},
		{`{"point":"gate","at":"2025-09-02T05:00:00Z","side":"` + secret + `"}`, 400, "side"},
		{`{"point":"gate","at":"2025-09-02T05:00:00Z","facts":{"vaccine":` + number + `}}`, 400, "facts.vaccine"},
		{`{"point":"gate","at":"2025-09-02T05:00:00Z","facts":{"vaccine":"` + secret + `"}}`, 400, "facts.vaccine"},
		{`{"point":"gate","at":"2025-09-02T05:00:00Z","facts":{"age.months":"` + secret + `"}}`, 400, "facts.age.months"},
		{`{"point":"gate","at":"2025-09-02T05:00:00Z","facts":{"age.months":1.5}}`, 400, "facts.age.months"},
		{`{"point":"gate","at":"2025-09-02T05:00:00Z","facts":{"` + secret + `":1}}`, 400, "facts"},
		{`{"point":"gate","at":"2025-09-02T05:00:00Z","facts":{"` + secret + `":{}}}`, 400, "facts"},
		{`{"point":"gate","at":"2025-09-02T05:00:00Z","events":{"dose":[{"at":"` + secret + `"}]}}`, 400, "events.dose.1.at"},
		{`{"point":"gate","at":"2025-09-02T05:00:00Z","events":{"dose":[{"at":"2025-09-02T05:00:00Z","facts":{"vaccine":"` + secret + `"}}]}}`, 400, "events.dose.1.vaccine"},
		{`{"point":"gate","at":"2025-09-02T05:00:00Z","events":{"` + secret + `":[]}}`, 400, "events"},
		{`{"point":"gate","at":"2025-09-02T05:00:00Z","events":{"` + secret + `":[{"at":"x"}]}}`, 400, "events"},
		{`{"point":"gate","at":"2025-09-02T05:00:00Z","agreement":"` + secret + `"}`, 400, "agreement"},
		{`{"point":"gate","at":"2025-09-02T05:00:00Z","agreement":7}`, 400, "agreement"},
		{`{"point":"gate","at":"2025-09-02T05:00:00Z","` + secret + `":1}`, 400, ""},
		{`{"point":"gate","at":"2025-09-02T05:00:00Z"} {"a":"` + secret + `"}`, 400, ""},
		{`[]`, 400, ""}, {`null`, 400, ""}, {``, 400, ""},
		{`{"point":"gate","at":"2025-09-02T05:00:00Z","facts":{"vaccine":"` + strings.Repeat("x", maxBody) + `"}}`, 413, ""},
	} {
		for _, path := range []string{"/api/v1/verdict", "/api/v1/verdict?explain"} {
			r := p.call("POST", path, "", "", c.body)
			got := into[problemDocument](t, r)
			if r.StatusCode != c.status || got.Field != c.field || r.Header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("%.200s: %d %q %s", c.body, r.StatusCode, got.Field, r.body)
			}
			if strings.Contains(r.body, number) {
				t.Errorf("%s repeats what was sent: %s", c.body, r.body)
			}
		}
	}
	if strings.Contains(p.log.String(), secret) || !strings.Contains(p.log.String(), "POST /api/v1/verdict") {
		t.Errorf("the log: %s", lastLines(p.log.String()))
	}
	if r := p.call("POST", "/api/v1/verdict?explain=perhaps", "", "", `{"point":"gate","at":"2025-09-02T05:00:00Z"}`); r.StatusCode != 400 || into[problemDocument](t, r).Field != "explain" {
		t.Errorf("%d %s", r.StatusCode, r.body)
	}
}

// TestAsksAreSlowed lets an address ask as much as a busy town would, and then makes it wait.
func TestAsksAreSlowed(t *testing.T) {
	p := newTestPost(t)
	const body = `{"point":"gate","at":"2025-09-02T05:00:00Z","site":"mand-pishin","side":"A"}`
	for i := range askOneBurst / 5 {
		if r := p.call("POST", "/api/v1/verdict?explain=true", "", "", body); r.StatusCode != 200 {
			t.Fatalf("call %d: %d %s", i, r.StatusCode, r.body)
		}
	}
	r := p.call("POST", "/api/v1/verdict", "", "", body)
	if got := into[problemDocument](t, r); r.StatusCode != 429 || got.Code != "asks" || r.Header.Get("Retry-After") == "" {
		t.Errorf("%d %s", r.StatusCode, r.body)
	}
	// Who asks elsewhere does not wait, and who waits may ask again.
	other := httptest.NewRequest("POST", "/api/v1/verdict", strings.NewReader(body))
	other.Header.Set("Content-Type", "application/json")
	other.RemoteAddr = "198.51.100.7:1234"
	if r := p.send(other); r.StatusCode != 200 {
		t.Errorf("another address: %d %s", r.StatusCode, r.body)
	}
	p.now = p.now.Add(time.Second)
	if r := p.call("POST", "/api/v1/verdict", "", "", body); r.StatusCode != 200 {
		t.Errorf("after a second: %d %s", r.StatusCode, r.body)
	}
	// Many events weigh more.
	if few, many := askCost(rules.Query{}, false), askCost(rules.Query{Lots: make([]rules.Lot, 500)}, true); few != 1 || many != 55 {
		t.Error(fmt.Sprint(few, many))
	}
}
