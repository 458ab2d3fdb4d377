// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"bytes"
	"context"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/rand"
	"html"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"darwaza.dev/agreements"
	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/gate"
	"darwaza.dev/internal/identity"
	"darwaza.dev/internal/lang"
	"darwaza.dev/internal/pass"
	"darwaza.dev/internal/people"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/rules"
	"darwaza.dev/internal/service"
)

// post is one side's server over memory, with the real agreement, for tests of pages.
type post struct {
	t     *testing.T
	s     *server
	mem   *service.Mem
	law   *rules.Law
	url   string
	mu    sync.Mutex
	now   time.Time
	keys  map[pass.Side]*pass.Key // sign passes
	lost  int                     // answers that are still to be lost
	log   bytes.Buffer
	words map[string]string // login → word
}

// sealer keeps what is sealed as it is: the vault has tests of its own.
type sealer struct {
	mu   sync.Mutex
	gone map[string]bool
}

func (s *sealer) Seal(_ context.Context, data []byte) (string, []byte, error) {
	return "k-" + rand.Text()[:16], append([]byte("sealed:"), data...), nil
}

func (s *sealer) SealUnder(_ context.Context, id string, data []byte) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gone[id] {
		return nil, problem.New(problem.NotFound, "key")
	}
	return append([]byte("sealed:"), data...), nil
}

func (s *sealer) Open(_ context.Context, id string, ciphertext []byte) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gone[id] {
		return nil, problem.New(problem.NotFound, "key")
	}
	return bytes.TrimPrefix(ciphertext, []byte("sealed:")), nil
}

func (s *sealer) Destroy(_ context.Context, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gone[id] = true
	return nil
}

// Do loses answers when told to: the command is done and the caller does not hear.
func (p *post) Do(ctx context.Context, id service.Idem, c service.Command) (service.Done, error) {
	d, err := p.mem.Do(ctx, id, c)
	p.mu.Lock()
	defer p.mu.Unlock()
	if err == nil && p.lost > 0 {
		p.lost--
		return service.Done{}, problem.New(problem.Offline, "lost")
	}
	return d, err
}

func (p *post) clock() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.now
}

func (p *post) at(clock string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	m, err := calendar.ParseMinute(clock)
	if err != nil {
		p.t.Fatal(err)
	}
	p.now = calendar.MustDate("2025-09-02").At(m, calendar.MustZone("Asia/Karachi"))
}

func openPost(t *testing.T) *post {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	sub, err := fs.Sub(agreements.FS, "pk-ir-border-markets")
	must(err)
	e, err := agreement.Load(sub)
	must(err)
	law, err := rules.Compile(e)
	must(err)
	texts, err := lang.Load()
	must(err)
	p := &post{t: t, law: law, keys: map[pass.Side]*pass.Key{}, words: map[string]string{}}
	p.at("10:10")
	roots := map[pass.Side]*ecdsa.PublicKey{}
	root := map[pass.Side]*pass.Key{}
	for _, side := range []pass.Side{pass.SideA, pass.SideB} {
		root[side], err = pass.GenerateKey(side, rand.Reader)
		must(err)
		roots[side] = root[side].Public()
	}
	trust, err := pass.NewTrust(roots)
	must(err)
	from, until := p.now.AddDate(0, -1, 0), p.now.AddDate(0, 6, 0)
	for side, r := range root {
		p.keys[side], err = pass.GenerateKey(side, rand.Reader)
		must(err)
		cert, err := pass.Certify(r, p.keys[side].Public(), pass.UsePass, from, until)
		must(err)
		must(trust.Add(cert))
	}
	receipts, err := pass.GenerateKey(pass.SideA, rand.Reader)
	must(err)
	cert, err := pass.Certify(root[pass.SideA], receipts.Public(), pass.UseReceipt, from, until)
	must(err)
	must(trust.Add(cert))
	a, err := ecdh.X25519().GenerateKey(rand.Reader)
	must(err)
	b, err := ecdh.X25519().GenerateKey(rand.Reader)
	must(err)
	secrets, err := pass.DeriveSecrets(a, b.PublicKey().Bytes(), e.ID)
	must(err)
	p.mem = service.Memory(agreement.A, func() *rules.Law { return p.law }, p.clock)
	p.s, err = newServer(Deps{
		Side: agreement.A, Law: func() *rules.Law { return p.law }, Reader: p.mem, Writer: p, Sealer: &sealer{gone: map[string]bool{}},
		PassKey: func() *pass.Key { return p.keys[pass.SideA] }, ReceiptKey: func() *pass.Key { return receipts },
		Trust: func() *pass.Trust { return trust }, Secrets: secrets, Clock: p.clock, Rand: rand.Reader,
		Log: slog.New(slog.NewTextHandler(&p.log, nil)), Texts: texts, SessionKey: bytes.Repeat([]byte{7}, 32),
	})
	must(err)
	ts := httptest.NewServer(p.s)
	t.Cleanup(ts.Close)
	p.url = ts.URL
	// What the gate needs to hear before it believes a pass of the other side.
	p.do(service.Withdrawn{Side: "B", Upto: 0})
	return p
}

// do runs a command as the server itself would.
func (p *post) do(c service.Command) service.Done {
	p.t.Helper()
	d, err := p.mem.Do(context.Background(), service.Idem{}, c)
	if err != nil {
		p.t.Fatalf("%s: %v", c.CommandKind(), err)
	}
	return d
}

// appoint makes an officer who works at Mand, or at all sites who appoints others, and
// returns their id.
func (p *post) appoint(login string, roles ...people.Role) people.OfficerID {
	site := "mand-pishin"
	if slices.Contains(roles, people.Admin) {
		site = ""
	}
	return p.appointAt(site, login, roles...)
}

func (p *post) appointAt(site, login string, roles ...people.Role) people.OfficerID {
	p.t.Helper()
	word := "word of " + login
	verifier, err := HashWord(rand.Reader, word)
	if err != nil {
		p.t.Fatal(err)
	}
	id := service.NewOfficerID(rand.Reader)
	p.words[login] = word
	p.do(service.Appoint{Officer: people.Officer{ID: id, Login: login, Roles: roles, Site: site, Gate: 1, Language: "en", Active: true}, Word: verifier})
	return id
}

// browser is somebody's browser: it keeps cookies and runs no script.
type browser struct {
	p    *post
	c    *http.Client
	path string // where it is
	body string
	code int
	head http.Header
}

func (p *post) browser() *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		p.t.Fatal(err)
	}
	return &browser{p: p, c: &http.Client{Jar: jar}}
}

// signedIn returns a browser in which a new officer with the roles has signed in.
func (p *post) signedIn(login string, roles ...people.Role) *browser {
	p.t.Helper()
	p.appoint(login, roles...)
	b := p.browser()
	b.signIn(login, p.words[login])
	if b.code != http.StatusOK || strings.Contains(b.path, "sign-in") {
		p.t.Fatalf("sign in as %s: %d at %s\n%s", login, b.code, b.path, b.text())
	}
	return b
}

func (b *browser) signIn(login, word string) {
	b.get("/en/sign-in")
	b.submit("/en/sign-in", "login", login, "word", word)
}

func (b *browser) take(resp *http.Response, err error) {
	b.p.t.Helper()
	if err != nil {
		b.p.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		b.p.t.Fatal(err)
	}
	b.path, b.body, b.code, b.head = resp.Request.URL.RequestURI(), string(body), resp.StatusCode, resp.Header
	if b.code >= 500 && b.code != http.StatusServiceUnavailable {
		b.p.t.Errorf("%s: %d\n%s", b.path, b.code, b.p.log.String())
	}
}

func (b *browser) get(path string) *browser {
	b.p.t.Helper()
	b.take(b.c.Get(b.p.url + path))
	return b
}

func (b *browser) postForm(path string, v url.Values) *browser {
	b.p.t.Helper()
	b.take(b.c.PostForm(b.p.url+path, v))
	return b
}

var (
	formTag  = regexp.MustCompile(`(?s)<form [^>]*>.*?</form>`)
	inputTag = regexp.MustCompile(`<input [^>]*>`)
)

func attr(tag, name string) string {
	m := regexp.MustCompile(` ` + name + `="([^"]*)"`).FindStringSubmatch(tag)
	if m == nil {
		return ""
	}
	return html.UnescapeString(m[1])
}

// fields returns the fields of the first form of the page with the action, in which
// all of has stand, as a browser would send them untouched.
func (b *browser) fields(action string, has ...string) url.Values {
	b.p.t.Helper()
forms:
	for _, f := range formTag.FindAllString(b.body, -1) {
		open, _, _ := strings.Cut(f, ">")
		if attr(open+">", "action") != action || attr(open+">", "method") != "post" {
			continue
		}
		for _, h := range has {
			if !strings.Contains(f, h) {
				continue forms
			}
		}
		v := url.Values{}
		for _, in := range inputTag.FindAllString(f, -1) {
			kind := attr(in, "type")
			if attr(in, "name") == "" || (kind == "radio" || kind == "checkbox") && !strings.Contains(in, " checked") {
				continue
			}
			v.Add(attr(in, "name"), attr(in, "value"))
		}
		return v
	}
	b.p.t.Fatalf("%s has no form for %s with %q:\n%s", b.path, action, has, b.text())
	return nil
}

// submit sends a form of the page with some of its fields filled in.
func (b *browser) submit(action string, pairs ...string) *browser {
	b.p.t.Helper()
	v := b.fields(action)
	for i := 0; i < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return b.postForm(action, v)
}

var (
	anyTag = regexp.MustCompile(`(?s)<svg.*?</svg>|<template.*?</template>|<[^>]*>`)
	spaces = regexp.MustCompile(`\s+`)
)

// text is what a reader sees of the main part.
func (b *browser) text() string {
	s := b.body
	if _, rest, ok := strings.Cut(s, "<main"); ok {
		s, _, _ = strings.Cut("<main"+rest, "</main>")
	}
	return strings.TrimSpace(spaces.ReplaceAllString(html.UnescapeString(anyTag.ReplaceAllString(s, " ")), " "))
}

// wants fails where the page does not say all of it.
func (b *browser) wants(says ...string) *browser {
	b.p.t.Helper()
	for _, s := range says {
		if !strings.Contains(b.text(), s) {
			b.p.t.Errorf("%s (%d) does not say %q:\n%s", b.path, b.code, s, b.text())
		}
	}
	return b
}

// lacks fails where the page says it.
func (b *browser) lacks(s string) *browser {
	b.p.t.Helper()
	if strings.Contains(b.text(), s) {
		b.p.t.Errorf("%s says %q:\n%s", b.path, s, b.text())
	}
	return b
}

// outcome is the outcome of the big answer.
func (b *browser) outcome() string {
	m := regexp.MustCompile(`data-outcome="([A-Z]*)"`).FindStringSubmatch(b.body)
	if m == nil {
		return ""
	}
	return m[1]
}

const (
	visitor = 1 // number of the class in the agreement
	vendor  = 2
	mand    = 1 // number of the site
)

// traveller is somebody with a pass.
type traveller struct {
	doc  identity.Document
	name string
	b    booking.Booking
	text string // of the pass
}

// book sells a visitor a place at Mand today in the hour, by this side.
func (p *post) book(hour int, cnic, name string, children int) traveller {
	p.t.Helper()
	d, err := identity.ParseDocument("cnic", "PAK", cnic)
	if err != nil {
		p.t.Fatal(err)
	}
	day := rules.DayNumber(calendar.MustDate("2025-09-02"))
	slot := booking.MakeSlotID(mand, visitor, day, uint16(hour*60))
	req := httptest.NewRequest("POST", "/en/book", nil)
	req.PostForm = url.Values{"idem": {rand.Text()}}
	r := &request{Request: req, Now: p.clock(), Lang: lang.EN}
	a, _, err := p.s.book(r, order{Slot: slot, People: []person{{Name: name, Document: d, Age: 30, Children: uint8(children)}}})
	if err != nil || a.Booking.Ref == "" {
		p.t.Fatalf("book: %v, %+v", err, a.Verdict)
	}
	text, _, err := p.s.passText(a.Booking, 0)
	if err != nil || text == "" {
		p.t.Fatalf("pass: %v", err)
	}
	return traveller{doc: d, name: name, b: a.Booking, text: text}
}

// theirs is somebody to whom the other side sold a place.
func (p *post) theirs(hour int, kind, country, number string) traveller {
	p.t.Helper()
	return p.theirsAt(mand, hour, kind, country, number)
}

func (p *post) theirsAt(site uint16, hour int, kind, country, number string) traveller {
	p.t.Helper()
	d, err := identity.ParseDocument(kind, country, number)
	if err != nil {
		p.t.Fatal(err)
	}
	e, _ := p.law.Edition(p.clock())
	day := rules.DayNumber(calendar.MustDate("2025-09-02"))
	plan, ok := p.law.Slot(site, visitor, day, uint16(hour*60))
	if !ok { // that site is closed today: the other side's clock may be wrong
		plan.From, plan.Until = p.clock().Add(-time.Hour), p.clock()
	}
	id := service.NewPassID(rand.Reader)
	text, err := pass.Sign(p.keys[pass.SideB], pass.Claims{ID: id, Side: pass.SideB, Edition: e.Hash.Prefix(), Binding: p.s.deps.Secrets.Bind(id, d.Key()),
		Site: site, Slot: uint64(booking.MakeSlotID(site, visitor, day, uint16(hour*60))), Class: visitor, Place: 3, Generation: 1,
		NotBefore: plan.From.Add(-time.Hour), Expires: plan.Until.Add(2 * time.Hour), IssuedAt: plan.From.AddDate(0, 0, -1)})
	if err != nil {
		p.t.Fatal(err)
	}
	return traveller{doc: d, text: text, b: booking.Booking{Members: []booking.Member{{Pass: id}}}}
}

// presence is what the gate has seen of a traveller.
func (p *post) presence(tr traveller) (pr gate.Presence) {
	p.t.Helper()
	if err := p.mem.View(context.Background(), func(st service.State) error {
		pr, _ = service.PresenceOf(st, tr.b.Members[0].Pass)
		return nil
	}); err != nil {
		p.t.Fatal(err)
	}
	return pr
}
