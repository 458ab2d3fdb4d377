// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"sort"
	"strings"
	"testing"
	"time"

	"darwaza.dev/internal/people"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/service"
)

var update = flag.Bool("update", false, "write testdata anew")

// fillPath puts something in the place of each wildcard of a pattern.
func fillPath(pattern string) (method, path string) {
	method, path, _ = strings.Cut(pattern, " ")
	path = strings.ReplaceAll(path, "{$}", "")
	path = regexp.MustCompile(`\{site\}`).ReplaceAllString(path, "mand-pishin")
	path = regexp.MustCompile(`\{day\}`).ReplaceAllString(path, "2025-09-02")
	path = regexp.MustCompile(`\{index\}|\{serial\}|\{n\}`).ReplaceAllString(path, "1")
	path = regexp.MustCompile(`\{path\.\.\.\}`).ReplaceAllString(path, "0/000")
	path = regexp.MustCompile(`\{[a-z]+\}`).ReplaceAllString(path, "0000000000000")
	return method, path
}

// TestRoutes holds the rights of every route to a list that is kept beside it: a right
// is given in two places or not at all.
func TestRoutes(t *testing.T) {
	p := newTestPost(t)
	var b strings.Builder
	seen := map[string]bool{}
	for _, rt := range p.server.table {
		if seen[rt.pattern] {
			t.Errorf("%s twice", rt.pattern)
		}
		seen[rt.pattern] = true
		who := "everybody"
		switch {
		case rt.access.signed:
			who = "any officer"
		case !rt.access.open:
			var names []string
			for _, r := range rt.access.roles {
				names = append(names, string(r))
			}
			sort.Strings(names)
			who = strings.Join(names, " ")
		}
		if rt.access.api {
			who = "program: " + who
		}
		fmt.Fprintf(&b, "%s: %s\n", rt.pattern, who)
	}
	const file = "testdata/routes.txt"
	if *update {
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != string(want) {
		t.Errorf("routes.go and %s differ; got\n%s", file, b.String())
	}
}

// TestRights asks every route as every role, by session and by token, and as nobody.
// Whoever may not gets nothing done and is told so; whoever may gets past the door; and
// nothing breaks.
func TestRights(t *testing.T) {
	p := newTestPost(t)
	for _, rt := range p.server.table {
		method, path := fillPath(rt.pattern)
		if path == "/asset/" {
			continue
		}
		for _, role := range append([]people.Role{""}, people.Roles[:]...) {
			var r reply
			if rt.access.api {
				r = p.call(method, path, string(role), "0123456789abcdef", map[bool]any{true: "{}", false: nil}[method == "POST"])
			} else if method == "POST" {
				r = p.post("/en"+path, string(role), url.Values{"idem": {"0123456789abcdef"}})
			} else {
				r = p.get("/en"+path, string(role))
			}
			may := rt.access.open || role != "" && (rt.access.signed || rt.access.allows([]people.Role{role}))
			shut := r.StatusCode == 401 || r.StatusCode == 403 ||
				r.StatusCode == 303 && strings.Contains(r.Header.Get("Location"), "/sign-in?next=")
			if may && shut && !strings.Contains(r.body, "officer") && path != "/sign-in" {
				t.Errorf("%s as %q: shut: %d %s", rt.pattern, role, r.StatusCode, text(r.body))
			}
			if !may && !shut {
				t.Errorf("%s as %q: open: %d", rt.pattern, role, r.StatusCode)
			}
			if r.StatusCode >= 500 {
				t.Errorf("%s as %q: %d\n%s", rt.pattern, role, r.StatusCode, p.log.String())
				return
			}
			checkHeaders(t, rt.pattern, r)
		}
	}
}

func checkHeaders(t *testing.T, where string, r reply) {
	t.Helper()
	policy := r.Header.Get("Content-Security-Policy")
	if !strings.HasPrefix(policy, "default-src 'none';") || strings.Contains(policy, "unsafe-inline") || strings.Contains(policy, "http") ||
		!strings.Contains(policy, "frame-ancestors 'none'") || !strings.Contains(policy, "base-uri 'none'") || !strings.Contains(policy, "form-action 'self'") {
		t.Errorf("%s: policy %q", where, policy)
	}
	for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cross-Origin-Opener-Policy": "same-origin"} {
		if got := r.Header.Get(name); got != want {
			t.Errorf("%s: %s %q", where, name, got)
		}
	}
	if c := r.Header.Get("Cache-Control"); c == "" || r.Header.Get("Content-Type") == "text/html; charset=utf-8" && c != "no-store" {
		t.Errorf("%s: Cache-Control %q", where, c)
	}
	for _, c := range r.Cookies() {
		if !c.HttpOnly || c.SameSite == http.SameSiteNoneMode || c.Path != "/" {
			t.Errorf("%s: cookie %v", where, c)
		}
	}
}

// TestSecure marks cookies and asks for HTTPS where pages are served over it.
func TestSecure(t *testing.T) {
	p := newTestPost(t, func(d *Deps) { d.Secure = true })
	r := p.get("/fa/", "")
	if r.Header.Get("Strict-Transport-Security") == "" || len(r.Cookies()) != 1 || !r.Cookies()[0].Secure {
		t.Errorf("%v", r.Header)
	}
}

// TestCrossOrigin refuses forms that another site sends, and nothing is done.
func TestCrossOrigin(t *testing.T) {
	p := newTestPost(t)
	h := hidden(p.post("/en/book/people", "", partyForm(hour(10), 1)).body, "check")
	for name, value := range map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://elsewhere.example"} {
		r := httptest.NewRequest("POST", "/en/book/confirm", strings.NewReader(h.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set(name, value)
		if got := p.send(r); got.StatusCode != 403 {
			t.Errorf("%s: %d", name, got.StatusCode)
		}
	}
	if n := len(p.bookings()); n != 0 {
		t.Errorf("%d bookings", n)
	}
}

// TestMethods answers a wrong method with those that there are, and a wrong address plainly.
func TestMethods(t *testing.T) {
	p := newTestPost(t)
	for _, c := range []struct {
		method, path string
		status       int
		allow        string
	}{
		{"POST", "/en/law", 405, "GET"},
		{"DELETE", "/en/booking", 405, "GET, POST"},
		{"GET", "/en/book/confirm", 405, "POST"},
		{"PUT", "/api/v1/bookings", 405, "POST"},
		{"GET", "/en/nothing", 404, ""},
		{"GET", "/api/v1/nothing", 404, ""},
		{"GET", "/en/../law", 404, ""},
		{"GET", "//evil.example/law", 404, ""},
		{"GET", "/en//law", 404, ""},
		{"HEAD", "/en/law", 200, ""},
	} {
		r := httptest.NewRequest(c.method, "/", nil)
		r.URL.Path = c.path
		got := p.send(r)
		if got.StatusCode != c.status || got.Header.Get("Allow") != c.allow {
			t.Errorf("%s %s: %d, Allow %q", c.method, c.path, got.StatusCode, got.Header.Get("Allow"))
		}
		if strings.HasPrefix(c.path, "/api/") != (got.Header.Get("Content-Type") == "application/problem+json") {
			t.Errorf("%s %s: %s", c.method, c.path, got.Header.Get("Content-Type"))
		}
		if c.method == "HEAD" && got.body != "" {
			t.Error("HEAD has a body")
		}
		checkHeaders(t, c.path, got)
	}
}

// TestSizes refuses what is too large or has too much in it, in forms and calls.
func TestSizes(t *testing.T) {
	p := newTestPost(t)
	many := url.Values{}
	for i := range maxFields + 1 {
		many.Set(fmt.Sprint("f", i), "x")
	}
	for name, f := range map[string]url.Values{
		"body":        {"a": {strings.Repeat("x", maxBody)}},
		"fields":      many,
		"field":       {"reference": {strings.Repeat("x", maxField+1)}},
		"many values": {"reference": strings.Split(strings.Repeat("x ", maxFields+1), " ")},
	} {
		if r := p.post("/en/booking", "", f); r.StatusCode != 413 {
			t.Errorf("%s: %d", name, r.StatusCode)
		}
	}
	for name, value := range map[string]string{"not text": "\xff\xfe", "control": "a\x00b"} {
		if r := p.post("/en/booking", "", url.Values{"reference": {value}}); r.StatusCode != 400 {
			t.Errorf("%s: %d", name, r.StatusCode)
		}
	}
	good := `{"slot":"` + slotIDText(hour(10)) + `","people":[{"document":{"kind":"cnic","country":"PAK","number":"` + cnic(1) + `"}}]}`
	big := `{"slot":"` + strings.Repeat("1", maxBody) + `"}`
	for body, status := range map[string]int{
		big:                                 413,
		"{}" + strings.Repeat(" ", maxBody): 413,
		good + "{}":                         400,
		strings.Replace(good, "{", `{"extra":1,`, 1): 400,
		`[]`:                        400,
		good:                        200,
		`nonsense`:                  400,
		``:                          400,
		strings.Repeat(`[`, 60_000): 400,
	} {
		if r := p.call("POST", "/api/v1/bookings", "clerk", "0123456789abcdef", body); r.StatusCode != status {
			t.Errorf("%.40q: %d %s", body, r.StatusCode, r.body)
		}
	}
	r := httptest.NewRequest("POST", "/api/v1/bookings", strings.NewReader("{}"))
	r.Header.Set("Authorization", "Bearer token-clerk")
	r.Header.Set("Content-Type", "text/plain")
	if got := p.send(r); got.StatusCode != 415 {
		t.Errorf("text/plain: %d", got.StatusCode)
	}
}

// TestIdempotencyKey wants a key of the right form on every act.
func TestIdempotencyKey(t *testing.T) {
	p := newTestPost(t)
	h := hidden(p.post("/en/book/people", "", partyForm(hour(10), 1)).body, "check")
	for _, key := range []string{"", "short", strings.Repeat("k", 65), "0123456789 abcdef", "0123456789abcdéf"} {
		h.Set("idem", key)
		if r := p.post("/en/book/confirm", "", h); r.StatusCode != 400 {
			t.Errorf("%q: %d", key, r.StatusCode)
		}
		if r := p.call("POST", "/api/v1/bookings", "clerk", key, bookIn{Slot: slotIDText(hour(10)), People: []personIn{{Document: documentIn{"cnic", "PAK", cnic(1)}}}}); r.StatusCode != 400 {
			t.Errorf("call %q: %d %s", key, r.StatusCode, r.body)
		}
	}
	if n := len(p.bookings()); n != 0 {
		t.Errorf("%d bookings", n)
	}
	if n := len(p.sealer.m); n != 0 {
		t.Errorf("%d sealed", n)
	}
}

// TestProblem says nothing about a fault of ours and never repeats what was sent.
func TestProblem(t *testing.T) {
	p := newTestPost(t)
	p.server.table[0].handle = nil // never called: find another
	for i := range p.server.table {
		if p.server.table[i].pattern == "GET /law" {
			p.server.table[i].handle = func(http.ResponseWriter, *request) error { panic("secret of the panic") }
		}
		if p.server.table[i].pattern == "GET /before" {
			p.server.table[i].handle = func(http.ResponseWriter, *request) error { return errors.New("secret of the error") }
		}
	}
	for _, path := range []string{"/en/law", "/en/before"} {
		r := p.get(path, "")
		if r.StatusCode != 500 || strings.Contains(r.body, "secret") {
			t.Errorf("%s: %d %s", path, r.StatusCode, text(r.body))
		}
		id := regexp.MustCompile(`<bdi class="code">([0-9a-f]{12})</bdi>`).FindStringSubmatch(r.body)
		if id == nil || !bytes.Contains(p.log.Bytes(), []byte("id="+id[1])) {
			t.Errorf("%s: the page's number is not in the log", path)
		}
	}
	if !strings.Contains(p.log.String(), "secret of the panic") || !strings.Contains(p.log.String(), "secret of the error") {
		t.Error("the log does not say why")
	}
	for i := range p.server.table {
		if p.server.table[i].pattern == "GET /goods" {
			p.server.table[i].handle = func(http.ResponseWriter, *request) error { return problem.New(problem.Internal, "slow") }
		}
	}
	if r := p.get("/en/goods", ""); strings.Contains(r.body, "too many wrong tries") {
		t.Error("a fault of ours says more than that it is one")
	}
	for _, body := range []string{`{"hush-hush":1}`, `{"slot":"hush-hush"}`, `{"slot":{"hush-hush":1}}`, `hush-hush`, `{"phone":"hush-hush`} {
		if r := p.call("POST", "/api/v1/bookings", "clerk", "0123456789abcdef", body); r.StatusCode != 400 || strings.Contains(r.body, "hush") || strings.Contains(p.log.String(), "hush") {
			t.Errorf("%s: %d %s", body, r.StatusCode, r.body)
		}
	}
	r := p.call("POST", "/api/v1/bookings", "clerk", "0123456789abcdef", bookIn{Slot: slotIDText(hour(10)), Phone: "hush-hush\x00", People: []personIn{{Name: "hush-hush", Document: documentIn{"cnic", "PAK", "hush-hush"}}}})
	if r.StatusCode != 400 || strings.Contains(r.body, "hush") || strings.Contains(p.log.String(), "hush") {
		t.Errorf("%d %s", r.StatusCode, r.body)
	}
	if d := into[problemDocument](t, r); d.Field != "phone" || d.Status != 400 || d.Type != "urn:darwaza:problem:invalid" || d.Title == "" || d.Code == "" {
		t.Errorf("%+v", d)
	}
}

// TestThrottle slows down guessing at references, and holds up no officer and no page.
func TestThrottle(t *testing.T) {
	p := newTestPost(t)
	mine := p.book("", hour(10), 1)
	try := func(ref string) int {
		return p.post("/en/booking", "", url.Values{"reference": {ref}}).StatusCode
	}
	slow := 0
	for i := range guessOneBurst + 50 {
		if try(fmt.Sprintf("2222%08d", i)) == http.StatusTooManyRequests {
			slow++
		}
	}
	if slow != 50 {
		t.Errorf("slowed %d times", slow)
	}
	if got := p.post("/en/receipt", "", url.Values{"receipt": {"R-2222-2222-2222"}}).StatusCode; got != http.StatusTooManyRequests {
		t.Errorf("a receipt's number: %d", got)
	}
	if got := p.get(mine, "").StatusCode; got != 200 {
		t.Errorf("a page: %d", got)
	}
	p.now = p.now.Add(time.Minute)
	if got := try("111111111111"); got != 422 {
		t.Errorf("a minute later: %d", got)
	}
}

// TestAsset serves files under their content's hash for ever, and by name never from a cache.
func TestAsset(t *testing.T) {
	p := newTestPost(t)
	hashed, err := p.server.assets.url("base.css")
	p.must(err)
	r := p.get(hashed, "")
	if r.StatusCode != 200 || !strings.Contains(r.Header.Get("Cache-Control"), "immutable") || r.Header.Get("Content-Type") != "text/css; charset=utf-8" {
		t.Errorf("%d %v", r.StatusCode, r.Header)
	}
	q := httptest.NewRequest("GET", hashed, nil)
	q.Header.Set("If-None-Match", r.Header.Get("ETag"))
	if got := p.send(q); got.StatusCode != 304 || got.body != "" {
		t.Errorf("again: %d", got.StatusCode)
	}
	for _, wrong := range []string{"/asset/", "/asset/base.000000000000.css", "/asset/../server.go", "/asset/none.css"} {
		if got := p.get(wrong, ""); got.StatusCode != 404 {
			t.Errorf("%s: %d", wrong, got.StatusCode)
		}
	}
}

// FuzzForm reads any body as a form.
func FuzzForm(f *testing.F) {
	f.Add("reference=abc&idem=0123456789abcdef")
	f.Add(partyForm(hour(10), 1, 2).Encode())
	f.Add("n=99999999999&slot=18446744073709551615")
	f.Add("n=-1&number-0=x&%zz=1;a")
	f.Fuzz(func(t *testing.T, body string) {
		hr := httptest.NewRequest("POST", "/", strings.NewReader(body))
		hr.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r := &request{Request: hr}
		v, err := r.form()
		if err != nil {
			return
		}
		for name, values := range v {
			for _, s := range values {
				if len(s) > maxField || strings.ContainsAny(s, "\r\n\t\x00") {
					t.Fatalf("%q: %q", name, s)
				}
			}
		}
		if n := len(peopleIn(v)); n < 1 || n > maxParty {
			t.Fatalf("%d people", n)
		}
	})
}

// FuzzRef reads any text as a reference and a receipt number.
func FuzzRef(f *testing.F) {
	for _, s := range []string{"", "0123-4567-89AB", "o1l0 o1l0 o1l0", "۰۱۲۳۴۵۶۷۸۹AB", "R-0123456789AB", "\u200f-"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		ref := parseRef(s)
		if len(ref) != 12 {
			t.Fatalf("%q", ref)
		}
		if again := parseRef(formatRef(ref)); ref != "------------" && again != ref {
			t.Fatalf("%q, then %q", ref, again)
		}
		if n := receiptNumber(s); len(n) != 14 {
			t.Fatalf("%q", n)
		}
	})
}

// FuzzLink opens any text as a link: only what was sealed here opens.
func FuzzLink(f *testing.F) {
	k, err := newLinks(bytes.Repeat([]byte{1}, 32))
	if err != nil {
		f.Fatal(err)
	}
	now := marketDay
	good, err := k.seal(bytes.NewReader(bytes.Repeat([]byte{2}, 12)), link{Ref: "0123456789AB", Entry: 7, Known: true}, now.Add(time.Hour))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add("")
	f.Add(good + "A")
	f.Fuzz(func(t *testing.T, s string) {
		l, ok := k.open(s, now)
		if ok != (s == good) {
			t.Fatalf("%q: %v", s, ok)
		}
		if ok && (l != link{Ref: "0123456789AB", Entry: 7, Known: true}) {
			t.Fatalf("%+v", l)
		}
	})
}

// TestKept makes the board once for all who ask within a second, and anew after it; an
// officer's is made for the officer.
func TestKept(t *testing.T) {
	p := newTestPost(t)
	reads := 0
	p.server.deps.Reader = countedReader{p.server.deps.Reader, &reads}
	first := p.get("/en/", "")
	for range 50 {
		if r := p.get("/en/", ""); r.body != first.body {
			t.Fatal("another page")
		}
	}
	if reads != 1 {
		t.Errorf("read %d times", reads)
	}
	p.book("", hour(10), 1)
	p.now = p.now.Add(keepFor)
	if r := p.get("/en/", ""); r.body == first.body || !strings.Contains(text(r.body), "199 places free") {
		t.Error("an old page after a second")
	}
	if r := p.get("/en/", "clerk"); !strings.Contains(r.body, `class="who"`) {
		t.Error("an officer gets everybody's page")
	}
	if r := p.get("/en/", ""); strings.Contains(r.body, `class="who"`) {
		t.Error("everybody gets an officer's page")
	}
}

type countedReader struct {
	service.Reader
	n *int
}

func (c countedReader) View(ctx context.Context, f func(service.State) error) error {
	*c.n++
	return c.Reader.View(ctx, f)
}
