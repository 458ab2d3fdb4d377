// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"bytes"
	"context"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"darwaza.dev/agreements"
	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/lang"
	"darwaza.dev/internal/pass"
	"darwaza.dev/internal/people"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/record"
	"darwaza.dev/internal/rules"
	"darwaza.dev/internal/service"
)

// marketDay is 9:30 in the morning of a market day at Mand–Pishin, by the market's clock.
var marketDay = time.Date(2025, 9, 2, 4, 30, 0, 0, time.UTC)

// testPost is a server of side A on maps, with officers and programs of every role.
type testPost struct {
	testing.TB
	server *server
	mem    *service.Mem
	law    *rules.Law
	now    time.Time
	sealer *mapSealer
	log    *bytes.Buffer
	lost   bool                    // the next command is done and its answer lost
	dead   bool                    // no command is done
	doing  sync.Mutex              // guards asked
	asked  map[service.Idem]string // what was asked for under a key, as the sequencer has it
	// The other side's keys, for passes and for receipts.
	keyB, receiptB *pass.Key
}

const testWord = "open sesame, please"

// newTestPost makes a post. Its officers sign in as "clerk", "gate", … by their role.
func newTestPost(t testing.TB, change ...func(*Deps)) *testPost {
	t.Helper()
	p := &testPost{TB: t, now: marketDay, sealer: &mapSealer{m: map[string][]byte{}}, log: &bytes.Buffer{}, asked: map[service.Idem]string{}}
	sub, err := fs.Sub(agreements.FS, "pk-ir-border-markets")
	p.must(err)
	e, err := agreement.Load(sub)
	p.must(err)
	p.law, err = rules.Compile(e)
	p.must(err)
	texts, err := lang.Load()
	p.must(err)
	random := rand.NewChaCha8([32]byte{1})
	p.mem = service.Memory(agreement.A, func() *rules.Law { return p.law }, func() time.Time { return p.now })

	roots := map[pass.Side]*ecdsa.PublicKey{}
	keys := map[pass.Side][2]*pass.Key{}
	var certs [][]byte
	for _, side := range []pass.Side{pass.SideA, pass.SideB} {
		root, err := pass.GenerateKey(side, random)
		p.must(err)
		roots[side] = root.Public()
		var pair [2]*pass.Key
		for i, use := range []pass.Use{pass.UsePass, pass.UseReceipt} {
			pair[i], err = pass.GenerateKey(side, random)
			p.must(err)
			c, err := pass.Certify(root, pair[i].Public(), use, marketDay.Add(-240*time.Hour), marketDay.Add(2400*time.Hour))
			p.must(err)
			certs = append(certs, c)
		}
		keys[side] = pair
	}
	p.keyB, p.receiptB = keys[pass.SideB][0], keys[pass.SideB][1]
	trust, err := pass.NewTrust(roots)
	p.must(err)
	trust, err = trust.With(certs...)
	p.must(err)
	a, err := ecdh.X25519().NewPrivateKey(bytes.Repeat([]byte{7}, 32))
	p.must(err)
	b, err := ecdh.X25519().NewPrivateKey(bytes.Repeat([]byte{9}, 32))
	p.must(err)
	secrets, err := pass.DeriveSecrets(a, b.PublicKey().Bytes(), e.ID)
	p.must(err)

	d := Deps{
		Side: agreement.A, Law: func() *rules.Law { return p.law }, Reader: p.mem, Writer: p, Sealer: p.sealer,
		PassKey: func() *pass.Key { return keys[pass.SideA][0] }, ReceiptKey: func() *pass.Key { return keys[pass.SideA][1] },
		Trust: func() *pass.Trust { return trust }, Secrets: secrets, Clock: func() time.Time { return p.now }, Rand: &lockedRand{r: random},
		Log: slog.New(slog.NewTextHandler(&lockedWriter{w: p.log}, nil)), Texts: texts, SessionKey: bytes.Repeat([]byte{3}, 32),
		Record: fakeRecord{p},
		Heard:  func() Heard { return Heard{At: p.now.Add(-3 * time.Minute), Up: true} },
	}
	word, err := HashWord(random, testWord)
	p.must(err)
	for i, role := range people.Roles {
		o := people.Officer{ID: people.OfficerID(fmt.Sprintf("o-%010d", i)), Login: string(role), Roles: []people.Role{role}, Language: "en", Active: true, Since: p.now}
		_, err := p.mem.Do(context.Background(), service.Idem{}, service.Appoint{Officer: o, Word: word})
		p.must(err)
		d.Clients = append(d.Clients, Client{Name: "program of " + string(role), Token: sha256.Sum256([]byte("token-" + string(role))), Roles: o.Roles, Officer: o.ID})
	}
	for _, f := range change {
		f(&d)
	}
	p.server, err = newServer(d)
	p.must(err)
	return p
}

func (p *testPost) must(err error) {
	p.Helper()
	if err != nil {
		p.Fatal(err)
	}
}

// Do runs a command on the maps, or fails as a store can: not done, or done and the answer lost.
func (p *testPost) Do(ctx context.Context, id service.Idem, c service.Command) (service.Done, error) {
	p.doing.Lock()
	defer p.doing.Unlock()
	if p.dead {
		return service.Done{}, problem.New(problem.Offline, "store")
	}
	var what any = c
	if e, ok := c.(service.Essential); ok {
		what = e.Essence()
	}
	b, err := p.server.codec.Marshal(what)
	if err != nil {
		return service.Done{}, err
	}
	if old, ok := p.asked[id]; ok && old != string(b) {
		return service.Done{}, problem.New(problem.Conflict, "idempotency.reused")
	}
	d, err := p.mem.Do(ctx, id, c)
	if err == nil && id.Key != "" {
		p.asked[id] = string(b)
	}
	if p.lost && err == nil {
		p.lost = false
		return service.Done{}, problem.New(problem.Offline, "answer.lost")
	}
	return d, err
}

// reply is an answer with its body read.
type reply struct {
	*http.Response
	body string
}

func (p *testPost) send(r *http.Request) reply {
	p.Helper()
	w := httptest.NewRecorder()
	p.server.ServeHTTP(w, r)
	res := w.Result()
	b, err := io.ReadAll(res.Body)
	p.must(err)
	return reply{res, string(b)}
}

// get asks for a page; as is the login of who asks, empty for a traveller.
func (p *testPost) get(path, as string) reply {
	p.Helper()
	r := httptest.NewRequest("GET", path, nil)
	p.sign(r, as)
	return p.send(r)
}

// post sends a form.
func (p *testPost) post(path, as string, f url.Values) reply {
	p.Helper()
	r := httptest.NewRequest("POST", path, strings.NewReader(f.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	p.sign(r, as)
	return p.send(r)
}

// sign gives a request the session of an officer.
func (p *testPost) sign(r *http.Request, as string) {
	p.Helper()
	if as == "" {
		return
	}
	o, verifier, ok, err := p.server.officerByLogin(r.Context(), as)
	p.must(err)
	if !ok {
		p.Fatalf("no officer %q", as)
	}
	r.AddCookie(&http.Cookie{Name: p.server.cookieName("session"), Value: p.server.sessions.issue(o.ID, verifier, p.now.Add(time.Hour))})
}

// call sends a program's call. role picks the program; empty for none.
func (p *testPost) call(method, path, role, idem string, body any) reply {
	p.Helper()
	var in io.Reader
	if body != nil {
		if s, ok := body.(string); ok {
			in = strings.NewReader(s)
		} else {
			b, err := json.Marshal(body)
			p.must(err)
			in = bytes.NewReader(b)
		}
	}
	r := httptest.NewRequest(method, path, in)
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if role != "" {
		r.Header.Set("Authorization", "Bearer token-"+role)
	}
	if idem != "" {
		r.Header.Set("Idempotency-Key", idem)
	}
	return p.send(r)
}

// into decodes a program's answer.
func into[T any](t *testing.T, r reply) (v T) {
	t.Helper()
	if err := json.Unmarshal([]byte(r.body), &v); err != nil {
		t.Fatalf("%d %s: %v", r.StatusCode, r.body, err)
	}
	return v
}

// cnic is the number of a made-up card.
func cnic(n int) string { return fmt.Sprintf("35202-%07d-%d", 1234567+n, 1+n%9) }

var hiddenInput = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)">`)

// hidden returns the hidden fields of the form with the id on a page, or of the first form.
func hidden(body, id string) url.Values {
	at := strings.Index(body, `<form id="`+id+`"`)
	if id == "" || at < 0 {
		at = strings.Index(body[strings.Index(body, "<main"):], "<form") + strings.Index(body, "<main")
	}
	form := body[at:]
	if end := strings.Index(form, "</form>"); end >= 0 {
		form = form[:end]
	}
	v := url.Values{}
	for _, m := range hiddenInput.FindAllStringSubmatch(form, -1) {
		v.Add(m[1], strings.NewReplacer("&#43;", "+", "&amp;", "&", "&#34;", `"`, "&#39;", "'", "&lt;", "<", "&gt;", ">").Replace(m[2]))
	}
	return v
}

// mapSealer keeps sealed data under keys that are counters: it is for tests of what is
// sealed and what is destroyed, not of cryptography.
type mapSealer struct {
	mu sync.Mutex
	n  uint64
	m  map[string][]byte
}

func (s *mapSealer) Seal(_ context.Context, data []byte) (string, []byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.n++
	id := fmt.Sprintf("s-%d", s.n)
	s.m[id] = bytes.Clone(data)
	return id, binary.BigEndian.AppendUint64(nil, s.n), nil
}

func (s *mapSealer) SealUnder(_ context.Context, id string, data []byte) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.m[id]; !ok {
		return nil, problem.New(problem.NotFound, "seal")
	}
	s.m[id] = bytes.Clone(data)
	return []byte(id), nil
}

func (s *mapSealer) Open(_ context.Context, id string, _ []byte) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, ok := s.m[id]
	if !ok {
		return nil, problem.New(problem.NotFound, "seal")
	}
	return b, nil
}

func (s *mapSealer) Destroy(_ context.Context, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.m, id)
	return nil
}

// fakeRecord has the facts on the maps as its entries.
type fakeRecord struct{ p *testPost }

func (fakeRecord) Checkpoint(context.Context) ([]byte, error) { return []byte("log\n1\nhash\n"), nil }

func (fakeRecord) Tile(_ context.Context, path string) ([]byte, error) {
	if path != "tile/0/000" {
		return nil, problem.New(problem.NotFound, "tile")
	}
	return []byte("tile"), nil
}

func (fakeRecord) Proof(_ context.Context, n uint64) ([]byte, error) {
	return record.Proof{Index: n, Hashes: []record.Hash{{1}}, Head: []byte("log\n2\nhash\n\n— log signature\n")}.Text(), nil
}

func (f fakeRecord) Entry(_ context.Context, n uint64) (envelope, disclosure []byte, err error) {
	all := f.p.mem.Facts()
	if n >= uint64(len(all)) {
		return nil, nil, problem.New(problem.NotFound, "record.index")
	}
	b, err := f.p.server.codec.Marshal(all[n].Fact)
	return fmt.Appendf(nil, "envelope %d", n), b, err
}

type lockedRand struct {
	mu sync.Mutex
	r  io.Reader
}

func (l *lockedRand) Read(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.r.Read(b)
}

type lockedWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lockedWriter) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(b)
}
