// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"crypto/rand"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"darwaza.dev/internal/people"
	"darwaza.dev/internal/service"
)

func TestSignIn(t *testing.T) {
	p := openPost(t)
	p.appoint("gul", people.GateOfficer)
	b := p.browser()
	// A page that needs it leads to it and back.
	b.get("/en/gate/scans")
	if !strings.HasPrefix(b.path, "/en/sign-in?next=") {
		t.Fatalf("at %s", b.path)
	}
	b.submit("/en/sign-in", "login", "gul", "word", "wrong")
	wrong, code := b.text(), b.code
	b.wants("do not go together")
	b.get("/en/sign-in")
	b.submit("/en/sign-in", "login", "nobody", "word", "wrong")
	if strings.Replace(b.text(), "nobody", "gul", 1) != wrong || b.code != code {
		t.Errorf("an unknown login is told apart:\n%s\n%s", wrong, b.text())
	}
	b.get("/en/gate/scans")
	b.submit("/en/sign-in", "login", " GUL ", "word", "word of gul")
	if b.path != "/en/gate/scans" {
		t.Errorf("sent on to %s", b.path)
	}
	b.wants("All scans today")
	for _, c := range b.c.Jar.Cookies(mustURL(t, p.url)) {
		if c.Name == "session" && strings.Contains(c.Value, "gul") {
			t.Error("the cookie tells the login")
		}
	}
	b.submit("/en/sign-out")
	b.wants("You are signed out.")
	if b.get("/en/gate"); !strings.Contains(b.path, "sign-in") {
		t.Errorf("signed out and at %s", b.path)
	}
	// An open redirect would lend our name to another site.
	for _, next := range []string{"//evil.example/", "https://evil.example/", `/\evil.example`, "/a\r\nX: y"} {
		if got := ownPath(next); got != "" {
			t.Errorf("ownPath(%q) = %q", next, got)
		}
	}
}

func mustURL(t *testing.T, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestSessionCookie(t *testing.T) {
	p := openPost(t)
	p.appoint("gul", people.GateOfficer)
	b := p.browser()
	b.c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	b.postForm("/en/sign-in", url.Values{"login": {"gul"}, "word": {"word of gul"}})
	resp, err := b.c.PostForm(p.url+"/en/sign-in", url.Values{"login": {"gul"}, "word": {"word of gul"}})
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	var session *http.Cookie
	for _, c := range resp.Cookies() {
		if c.Name == "session" {
			session = c
		}
	}
	if session == nil || !session.HttpOnly || session.SameSite != http.SameSiteStrictMode || session.MaxAge != 12*3600 || session.Path != "/" {
		t.Fatalf("session cookie %+v", session)
	}
	status := func(value string) int {
		req, err := http.NewRequest("GET", p.url+"/en/gate", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.AddCookie(&http.Cookie{Name: "session", Value: value})
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	if got := status(session.Value); got != 200 {
		t.Fatalf("the cookie itself: %d", got)
	}
	for i := 0; i < len(session.Value); i += 7 {
		c := byte('A')
		if session.Value[i] == c {
			c = 'B'
		}
		if got := status(session.Value[:i] + string(c) + session.Value[i+1:]); got != 303 {
			t.Errorf("altered at %d: %d", i, got)
		}
	}
	// Another server of this side reads it; one with another key does not.
	again, err := newSessions(p.s.deps.SessionKey, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	other, err := newSessions([]byte(strings.Repeat("x", 32)), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	was := p.s.sessions
	if p.s.sessions = again; status(session.Value) != 200 {
		t.Error("another server of this side does not know the session")
	}
	if p.s.sessions = other; status(session.Value) != 303 {
		t.Error("a server with another key believes it")
	}
	p.s.sessions = was
	// Twelve hours and no more.
	p.mu.Lock()
	p.now = p.now.Add(12 * time.Hour)
	p.mu.Unlock()
	if got := status(session.Value); got != 303 {
		t.Errorf("after twelve hours: %d", got)
	}
}

func TestSessionEnds(t *testing.T) {
	p := openPost(t)
	admin := p.signedIn("admin", people.Admin)
	id := p.appoint("gul", people.GateOfficer)
	in := func(word string) *browser {
		b := p.browser()
		b.signIn("gul", word)
		if b.get("/en/gate"); strings.HasPrefix(b.path, "/en/word") {
			return b // the word was made by somebody else
		}
		if b.code != 200 || strings.Contains(b.path, "sign-in") {
			t.Fatalf("signed in: %d at %s", b.code, b.path)
		}
		return b
	}
	out := func(b *browser, why string) {
		t.Helper()
		if b.get("/en/gate"); !strings.Contains(b.path, "sign-in") {
			t.Errorf("%s: still in, at %s", why, b.path)
		}
	}
	// A new word from the administrator.
	gul := in("word of gul")
	admin.get("/en/officers/" + string(id))
	form := admin.fields("/en/officers/" + string(id) + "/word")
	admin.postForm("/en/officers/"+string(id)+"/word", form)
	admin.wants("It is not shown again")
	word := admin.text()[strings.Index(admin.text(), "Sign-in word ")+len("Sign-in word "):][:14]
	// Sent twice, the page shows the word that is kept.
	if admin.postForm("/en/officers/"+string(id)+"/word", form); !strings.Contains(admin.text(), word) {
		t.Errorf("the second answer shows another word than %q:\n%s", word, admin.text())
	}
	out(gul, "word changed")
	// A word of one's own: the other devices are out, this one is not.
	gul, other := in(word), in(word)
	gul.get("/en/word")
	gul.submit("/en/word", "now", "wrong", "new", "four goats on a hill")
	gul.wants("This is not your word now")
	gul.submit("/en/word", "now", word, "new", "short")
	gul.wants("at least 10")
	gul.submit("/en/word", "now", word, "new", "four goats on a hill")
	if gul.get("/en/gate"); strings.Contains(gul.path, "sign-in") {
		t.Error("out after changing one's own word")
	}
	out(other, "word changed on another device")
	// The appointment ends.
	admin.get("/en/officers/" + string(id))
	admin.submit("/en/officers/" + string(id) + "/end")
	out(gul, "appointment ended")
	gul.signIn("gul", "four goats on a hill")
	gul.wants("do not go together")
}

// TestGivenWord: whoever has a word that somebody else made chooses their own before
// anything else, and a word of one's own is not asked for again.
func TestGivenWord(t *testing.T) {
	p := openPost(t)
	admin := p.signedIn("admin", people.Admin)
	admin.get("/en/officers/new")
	form := admin.fields("/en/officers/new")
	form.Set("name", "Gul Bano")
	form.Set("login", "gul")
	form.Set("site", "mand-pishin")
	form.Set("role.gate", "yes")
	admin.postForm("/en/officers/new", form)
	at := strings.Index(admin.text(), "Sign-in word ")
	if at < 0 {
		t.Fatal(admin.text())
	}
	word := admin.text()[at+len("Sign-in word "):][:14]
	gul := p.browser()
	gul.signIn("gul", word)
	gul.wants("Choose your own sign-in word", "Somebody else knows the word")
	for _, path := range []string{"/en/gate", "/en/gate/scans", "/en/gate/find", "/en/"} {
		gul.get(path)
		if own := strings.HasPrefix(gul.path, "/en/word"); own != (path != "/en/") {
			t.Errorf("%s led to %s", path, gul.path)
		}
	}
	gul.postForm("/en/gate", url.Values{"text": {"DW1:X"}, "way": {"in"}, "site": {"1"}, "gate": {"1"}})
	if !strings.HasPrefix(gul.path, "/en/word") || len(p.mem.Facts()) != 3 {
		t.Errorf("a scan under a given word led to %s, %d facts", gul.path, len(p.mem.Facts()))
	}
	gul.submit("/en/word", "now", word, "new", "four goats on a hill")
	if gul.get("/en/gate"); !strings.HasPrefix(gul.path, "/en/gate") {
		t.Errorf("with a word of their own at %s", gul.path)
	}
	again := p.browser()
	if again.signIn("gul", "four goats on a hill"); strings.HasPrefix(again.path, "/en/word") {
		t.Errorf("asked for another word: %s", again.path)
	}
}

func TestOwnWordChangesNothingElse(t *testing.T) {
	p := openPost(t)
	id := p.appoint("gul", people.GateOfficer)
	// Roles in a command that changes one's own word are not taken.
	_, err := p.mem.Do(t.Context(), service.Idem{}, service.Appoint{By: id, Word: "x",
		Officer: people.Officer{ID: id, Login: "gul", Roles: []people.Role{people.Admin}, Language: "en", Active: true}})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.mem.View(t.Context(), func(st service.State) error {
		if o, _ := service.OfficerOf(st, id); o.Has(people.Admin) || !o.Has(people.GateOfficer) {
			t.Errorf("roles %v", o.Roles)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// TestSecondWord sends a second word under the key of a form that set another: it is not
// set, which is said, with a fresh form that sets it. The session goes on.
func TestSecondWord(t *testing.T) {
	p := newTestPost(t)
	const first, second = "a wholly new word 1", "another one entirely 2"
	holds := func(word string) bool {
		_, verifier, _, err := p.server.officerByLogin(t.Context(), "clerk")
		p.must(err)
		ok, err := VerifyWord(verifier, word)
		p.must(err)
		return ok
	}
	f := hidden(p.get("/en/word", "clerk").body, "")
	f.Set("now", testWord)
	f.Set("new", first)
	if r := p.post("/en/word", "clerk", f); r.StatusCode != http.StatusSeeOther || !holds(first) {
		t.Fatalf("%d %s", r.StatusCode, text(r.body))
	}
	f.Set("now", first)
	f.Set("new", second)
	r := p.post("/en/word", "clerk", f)
	if r.StatusCode != http.StatusConflict || !strings.Contains(text(r.body), "this word was not set") || !holds(first) || strings.Contains(strings.Join(r.Header["Set-Cookie"], " "), "session=") {
		t.Errorf("under a used key: %d %s", r.StatusCode, text(r.body))
	}
	fresh := hidden(r.body, "")
	if fresh.Get("idem") == f.Get("idem") {
		t.Fatal("the form is the used one")
	}
	fresh.Set("now", first)
	fresh.Set("new", second)
	if r := p.post("/en/word", "clerk", fresh); r.StatusCode != http.StatusSeeOther || !holds(second) {
		t.Errorf("by the fresh form: %d %s", r.StatusCode, text(r.body))
	}
}

func TestRoles(t *testing.T) {
	p := openPost(t)
	who := map[people.Role]*browser{}
	for _, role := range people.Roles {
		who[role] = p.signedIn(string(role), role)
	}
	for path, may := range map[string][]people.Role{
		"/gate":         {people.GateOfficer, people.Health, people.Supervisor},
		"/gate/scans":   {people.GateOfficer, people.Health, people.Supervisor},
		"/gate/find":    {people.GateOfficer, people.Health, people.Supervisor},
		"/desk":         {people.Customs},
		"/desk/values":  {people.Customs, people.Supervisor},
		"/vendors":      {people.Manager},
		"/day":          {people.Supervisor, people.Manager},
		"/officers":     {people.Admin},
		"/officers/new": {people.Admin},
	} {
		for role, b := range who {
			want := 403
			for _, m := range may {
				if m == role {
					want = 200
				}
			}
			if b.get("/en" + path); b.code != want {
				t.Errorf("%s for %s: %d, want %d", path, role, b.code, want)
			}
			if want == 403 && !strings.Contains(b.text(), "Your roles do not allow this") {
				t.Errorf("%s for %s says\n%s", path, role, b.text())
			}
		}
	}
	who[people.Customs].get("/fa/gate").wants("از سرپرست خود بپرسید")
}

// TestPolicies: a page may run what it needs and nothing else.
func TestPolicies(t *testing.T) {
	p := openPost(t)
	b := p.signedIn("all", people.Roles[:]...)
	for path, want := range map[string][3]bool{ // scripts, WebAssembly, camera
		"/gate":        {true, true, true},
		"/desk":        {true, true, true},
		"/vendors":     {true},
		"/day":         {},
		"/officers":    {},
		"/desk/values": {},
		"/values":      {},
	} {
		b.get("/en" + path)
		policy, may := b.head.Get("Content-Security-Policy"), b.head.Get("Permissions-Policy")
		got := [3]bool{strings.Contains(policy, "script-src 'self'"), strings.Contains(policy, "'wasm-unsafe-eval'"), strings.Contains(may, "camera=(self)")}
		if got != want || strings.Contains(policy, "'unsafe-inline'") || strings.Contains(policy, "'unsafe-eval'") {
			t.Errorf("%s: %v, want %v: %s; %s", path, got, want, policy, may)
		}
		if strings.Contains(b.body, " style=") || strings.Contains(b.body, " onclick=") || strings.Contains(b.body, "<script>") {
			t.Errorf("%s has something inline", path)
		}
	}
}

func TestSignInThrottle(t *testing.T) {
	p := openPost(t)
	p.appoint("gul", people.GateOfficer)
	p.appoint("wali", people.GateOfficer)
	mine := p.browser()
	mine.signIn("gul", "word of gul")
	stranger := p.browser()
	held := false
	for range loginBurst + 2 {
		stranger.signIn("gul", "guess")
		held = held || stranger.code == 429
	}
	if !held {
		t.Fatal("guessing was never slowed down")
	}
	// The right word of a stranger's device waits too; the officer's own device does not,
	// and neither does anybody else.
	if stranger.signIn("gul", "word of gul"); stranger.code != 429 {
		t.Errorf("the stranger's next try: %d", stranger.code)
	}
	if mine.submit("/en/sign-out"); true {
		mine.signIn("gul", "word of gul")
	}
	if mine.code != 200 || strings.Contains(mine.path, "sign-in") {
		t.Errorf("the officer's own device: %d at %s\n%s", mine.code, mine.path, mine.text())
	}
	other := p.browser()
	if other.signIn("wali", "word of wali"); strings.Contains(other.path, "sign-in") {
		t.Errorf("somebody else: %d at %s", other.code, other.path)
	}
	// Nobody is locked out for good.
	p.mu.Lock()
	p.now = p.now.Add(time.Minute)
	p.mu.Unlock()
	if stranger.signIn("gul", "word of gul"); stranger.code != 200 || strings.Contains(stranger.path, "sign-in") {
		t.Errorf("a minute later: %d at %s", stranger.code, stranger.path)
	}
}
