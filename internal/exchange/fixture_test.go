// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package exchange

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/gate"
	"darwaza.dev/internal/pass"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/rules"
	"darwaza.dev/internal/service"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

var (
	noon      = time.Date(2025, 9, 2, 7, 0, 0, 0, time.UTC)
	yesterday = noon.AddDate(0, 0, -1)
	nextYear  = noon.AddDate(1, 0, 0)
)

// clock stands still until it is set.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// flaky is a writer that can fail: before it has written, or after, as an answer that is lost.
type flaky struct {
	service.Writer
	mu            sync.Mutex
	before, after int // how many commands to fail
	done          []service.Command
}

func (f *flaky) Do(ctx context.Context, id service.Idem, c service.Command) (service.Done, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.before > 0 {
		f.before--
		return service.Done{}, problem.New(problem.Offline, "test.before")
	}
	d, err := f.Writer.Do(ctx, id, c)
	if err == nil {
		f.done = append(f.done, c)
	}
	if f.after > 0 {
		f.after--
		return service.Done{}, problem.New(problem.Offline, "test.after")
	}
	return d, err
}

// count returns how many commands of a kind were done since the last count.
func (f *flaky) count(kind string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, c := range f.done {
		if c.CommandKind() == kind {
			n++
		}
	}
	return n
}

// post is one side's server with its own keys, state and clock.
type post struct {
	*Exchange
	mem    *service.Mem
	writer *flaky
	clock  *clock
	server *httptest.Server
	log    *logbook

	root, key, passKey *pass.Key
	mu                 sync.Mutex
	trust              *pass.Trust
	certs              [][]byte
	learnt             int
}

func (p *post) state(f func(service.State)) {
	must(0, p.mem.View(context.Background(), func(st service.State) error { f(st); return nil }))
}

// withdraw puts withdrawals into the list, as the desk would.
func (p *post) withdraw(n int) {
	p.state(func(st service.State) {
		a, _ := st.Booking.Acks.Get(0)
		for range n {
			a.Last++
			st.Booking.Withdrawals.Put(a.Last, booking.Withdrawal{Serial: a.Last, Pass: passID(p.deps.Side, a.Last), Gen: 1, Until: noon.Add(2 * time.Hour)})
		}
		st.Booking.Acks.Put(0, a)
	})
}

func passID(side agreement.Side, n uint64) pass.ID {
	return pass.ID{side[0], byte(n >> 16), byte(n >> 8), byte(n)}
}

func (p *post) acks() (a booking.Acks) {
	p.state(func(st service.State) { a, _ = st.Booking.Acks.Get(0) })
	return a
}

func (p *post) heard() (h gate.Heard) {
	p.state(func(st service.State) { h = service.HeardOf(st, p.deps.Side) })
	return h
}

func (p *post) setTrust(t *pass.Trust) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.trust = t
}

func (p *post) getTrust() *pass.Trust {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.trust
}

const testAgreement = "pk-ir-border-markets"

func testLaw() *rules.Law {
	return must(rules.Compile(&agreement.Edition{
		ID: testAgreement, Number: 1, From: noon.AddDate(-1, 0, 0), ZoneData: "",
		Sites:       []agreement.Site{{ID: "one", Number: 1, Zone: "Asia/Karachi"}, {ID: "two", Number: 2, Zone: "Asia/Tehran"}},
		Classes:     []agreement.Class{{ID: "visitor", Number: 1}},
		Attributes:  map[string]agreement.Attribute{},
		Parameters:  map[string]*agreement.Parameter{},
		Instruments: map[string]agreement.Instrument{},
		Levels:      []agreement.Level{{ID: "normal"}, {ID: "high"}},
	}))
}

// newPosts returns two servers that know each other's address and root, and no more.
func newPosts(t testing.TB) (a, b *post) {
	t.Helper()
	law := testLaw()
	var ps [2]*post
	roots := map[pass.Side]*ecdsa.PublicKey{}
	for i, side := range [...]pass.Side{pass.SideA, pass.SideB} {
		p := &post{clock: &clock{now: noon}, log: &logbook{}}
		p.root, p.key, p.passKey = must(pass.GenerateKey(side, rand.Reader)), must(pass.GenerateKey(side, rand.Reader)), must(pass.GenerateKey(side, rand.Reader))
		p.certs = [][]byte{
			must(pass.Certify(p.root, p.key.Public(), pass.UseExchange, yesterday, nextYear)),
			must(pass.Certify(p.root, p.passKey.Public(), pass.UsePass, yesterday, nextYear)),
		}
		roots[side] = p.root.Public()
		p.server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { p.Handler().ServeHTTP(w, r) }))
		p.server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
		p.server.StartTLS()
		t.Cleanup(p.server.Close)
		ps[i] = p
	}
	for i, p := range ps {
		side, other := agreement.Side(p.root.Side().String()), ps[1-i]
		p.mem = service.Memory(side, func() *rules.Law { return law }, p.clock.Now)
		p.writer = &flaky{Writer: p.mem}
		p.trust = must(must(pass.NewTrust(roots)).With(p.certs...))
		p.Exchange = must(New(Deps{
			Side: side, Agreement: testAgreement, Law: func() *rules.Law { return law }, Reader: p.mem, Writer: p.writer,
			Key: func() *pass.Key { return p.key }, Certificates: func() [][]byte { return p.certs },
			Trust: p.getTrust,
			Learn: func(certs [][]byte) error {
				p.learnt += len(certs)
				p.setTrust(must(p.getTrust().With(certs...)))
				return nil
			},
			Clock: p.clock.Now, Rand: rand.Reader, Log: slog.New(slog.NewTextHandler(p.log, nil)),
			Peer: other.server.URL, TLS: other.server.Client().Transport.(*http.Transport).TLSClientConfig,
			Every: time.Hour, Refresh: time.Minute,
		}))
	}
	return ps[0], ps[1]
}

// logbook is a log that can be read while it is written.
type logbook struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logbook) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

// lines returns how many lines there are.
func (l *logbook) lines() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return bytes.Count(l.b.Bytes(), []byte("\n"))
}

// post sends a body to a topic as the other side's server would.
func (p *post) postBody(t testing.TB, topic string, body io.Reader) (status int, answer []byte) {
	t.Helper()
	resp, err := p.server.Client().Post(p.server.URL+Prefix+topic, "application/cbor", body)
	if err != nil {
		return 0, nil
	}
	defer resp.Body.Close()
	return resp.StatusCode, must(io.ReadAll(resp.Body))
}

// sealed is an ask by p in a state of the test's choosing.
func (p *post) sealed(v any, path, agreement string) (body, msg []byte) {
	body, msg, err := p.seal(v, externalAsk(path, agreement, p.side))
	must(0, err)
	return body, msg
}

func (p *post) newAsk() ask {
	q := ask{Version: Version, At: micro(p.clock.Now())}
	rand.Read(q.Nonce[:])
	return q
}

// opened is the answer of other to a message of p.
func (p *post) opened(t testing.TB, topic string, msg, body []byte) answer {
	t.Helper()
	var a answer
	_, err := p.open(body, func([]byte) []byte {
		return externalAnswer(Prefix+topic, testAgreement, p.side.Other(), msg)
	}, &a)
	if err != nil {
		t.Fatalf("the answer does not open: %v", err)
	}
	return a
}

func (s Status) topic(name string) Topic {
	for _, t := range s.Topics {
		if t.Name == name {
			return t
		}
	}
	return Topic{}
}

func (s Status) refused(why string) bool {
	for _, r := range s.Refused {
		if strings.Contains(r.Why, why) {
			return true
		}
	}
	return false
}
