// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package exchange

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/cose"
	"darwaza.dev/internal/pass"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/service"
	"darwaza.dev/internal/stats"
)

// TestBareRefusal wants whatever is not the other side's to get one and the same answer.
func TestBareRefusal(t *testing.T) {
	a, b := newPosts(t)
	path := Prefix + topicWithdrawals
	good, msg := a.sealed(a.newAsk(), path, testAgreement)
	stranger := must(pass.GenerateKey(pass.SideA, rand.Reader))
	by := func(key *pass.Key, cert []byte, external []byte) []byte {
		m := must(pass.SignMessage(key, must(a.codec.Marshal(a.newAsk())), external))
		return cose.AppendBytes(cose.AppendBytes(cose.AppendArray(nil, 2), cert), m)
	}
	external := externalAsk(path, testAgreement, pass.SideA)
	strange := must(pass.Certify(stranger, must(pass.GenerateKey(pass.SideA, rand.Reader)).Public(), pass.UseExchange, yesterday, nextYear))
	otherPath, _ := a.sealed(a.newAsk(), Prefix+topicFigures, testAgreement)
	otherAgreement, _ := a.sealed(a.newAsk(), path, "another-agreement")
	own, _ := b.sealed(b.newAsk(), path, testAgreement)
	asAnswer, _, err := a.seal(a.newAsk(), externalAnswer(path, testAgreement, pass.SideA, msg))
	must(0, err)
	bodies := map[string][]byte{
		"nothing": nil, "noise": []byte("hello"), "message alone": msg, "a byte more": append(bytes.Clone(good), 0),
		"half":             good[:len(good)/2],
		"stranger":         by(stranger, nil, external),
		"stranger's cert":  by(stranger, strange, external),
		"another's cert":   by(stranger, a.certs[0], external),
		"pass key":         by(a.passKey, a.certs[1], external),
		"the root":         by(a.root, nil, external),
		"another path":     otherPath,
		"another law":      otherAgreement,
		"own":              own,
		"an answer":        asAnswer,
		"not a map inside": cose.AppendBytes(cose.AppendBytes(cose.AppendArray(nil, 2), a.certs[0]), must(pass.SignMessage(a.key, []byte{0x80}, external))),
	}
	var first string
	for name, body := range bodies {
		status, got := b.postBody(t, topicWithdrawals, bytes.NewReader(body))
		if first == "" {
			first = string(got)
		}
		if status != http.StatusForbidden || string(got) != first {
			t.Errorf("%s: %d %q", name, status, got)
		}
	}
	for i := 0; i < len(good); i += 3 {
		bad := bytes.Clone(good)
		bad[i] ^= 1
		if status, got := b.postBody(t, topicWithdrawals, bytes.NewReader(bad)); status != http.StatusForbidden || string(got) != first {
			// The certificate is not needed where the key is known, and here it is not.
			t.Errorf("byte %d altered: %d %q", i, status, got)
		}
	}
	if len(b.mem.Facts()) != 0 {
		t.Errorf("%d facts", len(b.mem.Facts()))
	}
	if n := len(b.Status().Refused); n != 20 {
		t.Errorf("%d refusals kept", n)
	}
	lines := b.log.lines()
	for range 10 {
		b.postBody(t, topicWithdrawals, nil)
	}
	if n := b.log.lines() - lines; n != 1 {
		t.Errorf("%d lines in the log for one thing", n)
	}
	if status, _ := b.postBody(t, topicWithdrawals, bytes.NewReader(good)); status != http.StatusOK {
		t.Errorf("the good one: %d", status)
	}
	if status, _ := b.postBody(t, "secrets", bytes.NewReader(good)); status != http.StatusNotFound {
		t.Errorf("no such topic: %d", status)
	}
	resp := must(b.server.Client().Get(b.server.URL + path))
	resp.Body.Close()
	if resp.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("GET: %d", resp.StatusCode)
	}
}

// TestEndlessBody wants a body that never ends to be refused after the limit.
func TestEndlessBody(t *testing.T) {
	_, b := newPosts(t)
	e := &endless{}
	status, _ := b.postBody(t, topicFigures, e)
	if status != http.StatusForbidden && status != 0 || e.read > 8<<20 {
		t.Errorf("status %d after %d bytes", status, e.read)
	}
	if !b.Status().refused("size") {
		t.Errorf("status %+v", b.Status())
	}
}

// TestReplay sends an ask twice, and an answer to the wrong ask.
func TestReplay(t *testing.T) {
	a, b := newPosts(t)
	path := Prefix + topicWithdrawals
	body, msg := a.sealed(a.newAsk(), path, testAgreement)
	_, first := b.postBody(t, topicWithdrawals, bytes.NewReader(body))
	if got := a.opened(t, topicWithdrawals, msg, first); got.Refused != "" {
		t.Fatalf("got %+v", got)
	}
	_, second := b.postBody(t, topicWithdrawals, bytes.NewReader(body))
	if got := a.opened(t, topicWithdrawals, msg, second); got.Refused != refusedReplay {
		t.Errorf("sent again: got %+v", got)
	}
	if !b.Status().refused(refusedReplay) {
		t.Errorf("status %+v", b.Status())
	}
	// A server between the two that gives an old answer to a new ask.
	old := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Write(first) }))
	defer old.Close()
	if err := a.pullFrom(t, old.URL); problem.CodeOf(err) != "exchange.untrusted" {
		t.Errorf("an old answer: got %v", err)
	}
	if a.heard().Serial != 0 || !a.Status().refused("message.signature") {
		t.Errorf("heard %+v, status %+v", a.heard(), a.Status())
	}
}

// pullFrom pulls the withdrawals from another address.
func (p *post) pullFrom(t *testing.T, address string) error {
	t.Helper()
	d := p.deps
	d.Peer, d.TLS = address, nil
	x := must(New(d))
	err := x.pullWithdrawals(context.Background())
	p.Exchange.mu.Lock()
	p.Exchange.status = x.Status()
	p.Exchange.mu.Unlock()
	return err
}

// TestVersions reads one version newer, with something in it that this build does not
// know, and refuses two.
func TestVersions(t *testing.T) {
	type newer struct {
		ask
		More string `cbor:"99,keyasint"`
	}
	a, b := newPosts(t)
	b.withdraw(1)
	path := Prefix + topicWithdrawals
	for version, want := range map[uint8]string{0: refusedVersion, 1: "", 2: "", 3: "", 4: refusedVersion, 255: refusedVersion} {
		q := newer{a.newAsk(), "something new"}
		q.Version = version
		body, msg := a.sealed(q, path, testAgreement)
		_, got := b.postBody(t, topicWithdrawals, bytes.NewReader(body))
		if an := a.opened(t, topicWithdrawals, msg, got); an.Refused != want || want == "" && len(an.Withdrawals) != 1 {
			t.Errorf("asked in version %d: got %+v", version, an)
		}
	}
	for version, want := range map[uint8]string{0: "exchange.version", 1: "", 2: "", 3: "", 4: "exchange.version"} {
		liar := b.liar(t, func(q ask, an *answer) { an.Version = version })
		got := ""
		if err := a.pullFrom(t, liar); err != nil {
			got = problem.CodeOf(err)
		}
		if got != want {
			t.Errorf("answered in version %d: got %q", version, got)
		}
	}
}

// liar is a server with the side's true keys that says what the test wants.
func (p *post) liar(t *testing.T, say func(q ask, a *answer)) (address string) {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body bytes.Buffer
		body.ReadFrom(r.Body)
		var q ask
		msg, err := p.open(body.Bytes(), func([]byte) []byte { return externalAsk(r.URL.Path, testAgreement, p.side.Other()) }, &q)
		if err != nil {
			http.Error(w, err.Error(), http.StatusForbidden)
			return
		}
		a := answer{Version: Version, At: micro(p.clock.Now())}
		say(q, &a)
		out, _, err := p.seal(a, externalAnswer(r.URL.Path, testAgreement, p.side, msg))
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Write(out)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// TestLists wants a list with a hole, out of order, or at odds with itself not to be
// believed: a pass that is never heard of is a pass that admits.
func TestLists(t *testing.T) {
	entry := func(n uint64) withdrawal { return withdrawal{Serial: n, Gen: 1, Until: noon.Unix()} }
	for name, say := range map[string]func(q ask, a *answer){
		"a hole":              func(q ask, a *answer) { a.Last, a.Withdrawals = 3, []withdrawal{entry(1), entry(3)} },
		"begins late":         func(q ask, a *answer) { a.Last, a.Withdrawals = 2, []withdrawal{entry(2)} },
		"twice":               func(q ask, a *answer) { a.Last, a.Withdrawals = 2, []withdrawal{entry(1), entry(1)} },
		"more than there are": func(q ask, a *answer) { a.Last, a.Withdrawals = 1, []withdrawal{entry(1), entry(2)} },
		"kept back":           func(q ask, a *answer) { a.Last = 7 },
		"wraps":               func(q ask, a *answer) { a.Last, a.Withdrawals = 1<<64-1, []withdrawal{entry(1 << 63)} },
	} {
		a, b := newPosts(t)
		if err := a.pullFrom(t, b.liar(t, say)); problem.KindOf(err) != problem.Untrusted {
			t.Errorf("%s: got %v", name, err)
		}
		if a.heard().Serial != 0 || len(a.mem.Facts()) != 0 || len(a.Status().Refused) == 0 {
			t.Errorf("%s: heard %+v, %d facts", name, a.heard(), len(a.mem.Facts()))
		}
	}
	// The list of a side that has lost facts ends before what was read of it.
	a, b := newPosts(t)
	b.withdraw(3)
	must(0, a.Pull(context.Background()))
	if err := a.pullFrom(t, b.liar(t, func(q ask, a *answer) { a.Last = 2 })); problem.CodeOf(err) != "exchange.list" {
		t.Errorf("shorter than before: got %v", err)
	}
	// A list that grows faster than it is read does not hold the round for ever.
	n := 0
	address := b.liar(t, func(q ask, a *answer) {
		n++
		a.Last, a.Withdrawals = q.After+100, []withdrawal{entry(q.After + 1)}
	})
	if err := a.pullFrom(t, address); err != nil || n != maxPages || a.Status().Lag != 99 {
		t.Errorf("endless list: %v after %d pages, lag %d", err, n, a.Status().Lag)
	}
}

func TestFiguresRefused(t *testing.T) {
	day, _, _ := service.DayAt(testLaw(), 1, noon)
	slot := func(site, day uint16) uint64 { return uint64(booking.MakeSlotID(site, 1, day, 600)) }
	many := map[uint64]uint32{}
	for i := range uint16(maxFree + 1) {
		many[uint64(booking.MakeSlotID(1, 1, day, i))] = 1
	}
	at := micro(noon)
	for name, figures := range map[string][]figure{
		"another site's slot": {{Site: 1, Day: day, AsOf: at, Free: map[uint64]uint32{slot(2, day): 1}}},
		"another day's slot":  {{Site: 1, Day: day, AsOf: at, Free: map[uint64]uint32{slot(1, day+1): 1}}},
		"not asked for":       {{Site: 9, Day: day, AsOf: at}},
		"too many slots":      {{Site: 1, Day: day, AsOf: at, Free: many}},
		"of times to come":    {{Site: 1, Day: day, AsOf: at + 1}},
		"more than asked":     make([]figure, 100),
		"half a day":          {{Site: 1, Day: day, AsOf: at, Whole: &stats.Day{Arrivals: make([]uint32, 5)}}},
		"a sentence":          {{Site: 1, Day: day, AsOf: at, Whole: &stats.Day{Reasons: []stats.ReasonCount{{ReasonKey: stats.ReasonKey{Code: "a.b.c", Clause: "Ali was here"}}}}}},
		"no code":             {{Site: 1, Day: day, AsOf: at, Whole: &stats.Day{Reasons: []stats.ReasonCount{{ReasonKey: stats.ReasonKey{Code: "Ali"}}}}}},
		"a named category":    {{Site: 1, Day: day, AsOf: at, Whole: &stats.Day{Categories: map[string]stats.Category{"of Ali": {}}}}},
		"a quarter too far":   {{Site: 1, Day: day, AsOf: at, Whole: &stats.Day{Quarter: stats.Buckets}}},
		"a day of its own":    {{Site: 1, Day: day, AsOf: at, Whole: &stats.Day{Site: 2}}},
	} {
		a, b := newPosts(t)
		a.peer = nil
		d := a.deps
		d.Peer, d.TLS = b.liar(t, func(q ask, a *answer) { a.Figures = figures }), nil
		x := must(New(d))
		if err := x.pullFigures(context.Background()); problem.CodeOf(err) != "exchange.figures" {
			t.Errorf("%s: got %v", name, err)
		}
		if len(a.mem.Facts()) != 0 || !x.Status().refused("figures") {
			t.Errorf("%s: %d facts", name, len(a.mem.Facts()))
		}
	}
	// An answer that holds only part is asked on, and one that never fits is let be.
	a, b := newPosts(t)
	asks := 0
	d := a.deps
	d.Peer, d.TLS = b.liar(t, func(q ask, a *answer) {
		asks++
		for _, d := range q.Days[:len(q.Days)/2] {
			a.Figures = append(a.Figures, figure{Site: d.Site, Day: d.Day, AsOf: at, Inside: 1})
		}
		a.More = true
	}), nil
	if err := must(New(d)).pullFigures(context.Background()); err != nil || asks != 5 || a.writer.count("stats.other") != 13 {
		t.Errorf("in parts: %v after %d asks, %d kept", err, asks, a.writer.count("stats.other"))
	}
}

// TestFiguresAsked wants an ask to be bounded, and a site that this side does not know left out.
func TestFiguresAsked(t *testing.T) {
	a, b := newPosts(t)
	path := Prefix + topicFigures
	send := func(days []siteDay) answer {
		q := a.newAsk()
		q.Days = days
		body, msg := a.sealed(q, path, testAgreement)
		_, got := b.postBody(t, topicFigures, bytes.NewReader(body))
		return a.opened(t, topicFigures, msg, got)
	}
	if got := send(make([]siteDay, maxDays+1)); got.Refused != refusedForm {
		t.Errorf("too many days: got %+v", got)
	}
	if got := send([]siteDay{{Site: 9, Day: 1}, {Site: 1, Day: 1}}); got.Refused != "" || len(got.Figures) != 1 || got.Figures[0].Site != 1 {
		t.Errorf("a site that there is not: got %+v", got)
	}
}

// TestCertificatesRefused wants certificates of the own side, of nobody's root, and
// noise to be passed over while the good ones among them are learnt.
func TestCertificatesRefused(t *testing.T) {
	a, b := newPosts(t)
	stranger := must(pass.GenerateKey(pass.SideB, rand.Reader))
	good := b.certs
	strange := must(pass.Certify(stranger, b.passKey.Public(), pass.UsePass, yesterday, nextYear))
	mine := must(pass.Certify(a.root, stranger.Public(), pass.UsePass, yesterday, nextYear))
	b.certs = [][]byte{b.certs[0], strange, mine, []byte("noise"), nil, b.certs[1]}
	must(0, a.Pull(context.Background()))
	if a.learnt != 2 || len(a.Status().Refused) != 4 {
		t.Errorf("%d learnt, status %+v", a.learnt, a.Status())
	}
	// A revocation reaches the other side like a certificate, and is not undone by one.
	b.certs = append(good[:1:1], must(pass.Revoke(b.root, b.passKey.ID(), noon)))
	must(0, a.Pull(context.Background()))
	b.certs = good
	must(0, a.Pull(context.Background()))
	text := must(pass.Sign(b.passKey, pass.Claims{Side: pass.SideB, NotBefore: noon, Expires: noon.Add(time.Hour), IssuedAt: noon}))
	if _, fault := a.getTrust().Verify(text, noon); fault != pass.KeyRevoked || a.learnt != 3 {
		t.Errorf("fault %q, %d learnt", fault, a.learnt)
	}
}

// TestOddAnswers wants redirects, faults and floods to be told apart from answers.
func TestOddAnswers(t *testing.T) {
	a, b := newPosts(t)
	for name, tt := range map[string]struct {
		h    http.HandlerFunc
		want string
	}{
		"elsewhere": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, b.server.URL+r.URL.Path, http.StatusTemporaryRedirect)
		}, "exchange.offline"},
		"fault":     {func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(500) }, "exchange.offline"},
		"forbidden": {func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(403) }, "exchange.forbidden"},
		"nothing":   {func(w http.ResponseWriter, r *http.Request) {}, "exchange.untrusted"},
		"a page":    {func(w http.ResponseWriter, r *http.Request) { w.Write([]byte("<html>sign in to the network</html>")) }, "exchange.untrusted"},
		"a flood": {func(w http.ResponseWriter, r *http.Request) {
			for range 3 {
				w.Write(make([]byte, MaxBody))
			}
		}, "exchange.size"},
	} {
		s := httptest.NewServer(tt.h)
		if err := a.pullFrom(t, s.URL); problem.CodeOf(err) != tt.want {
			t.Errorf("%s: got %v", name, err)
		}
		s.Close()
		if err := a.pullFrom(t, s.URL); problem.CodeOf(err) != "exchange.offline" {
			t.Errorf("%s, closed: got %v", name, err)
		}
	}
	if err := a.pullFrom(t, b.liar(t, func(q ask, a *answer) { a.Refused = "x\nlevel=ERROR forged" })); problem.CodeOf(err) != "exchange.refused.other" {
		t.Errorf("a word of its own: got %v", err)
	}
	if len(a.mem.Facts()) != 0 {
		t.Errorf("%d facts", len(a.mem.Facts()))
	}
}

// TestBusy wants a server that is asked too much at once to say so and not to queue.
func TestBusy(t *testing.T) {
	a, b := newPosts(t)
	for range maxServing {
		b.slots <- struct{}{}
	}
	body, _ := a.sealed(a.newAsk(), Prefix+topicFigures, testAgreement)
	if status, _ := b.postBody(t, topicFigures, bytes.NewReader(body)); status != http.StatusServiceUnavailable {
		t.Errorf("got %d", status)
	}
}

// TestUntrustedServer wants a server with another authority's certificate not to be asked.
func TestUntrustedServer(t *testing.T) {
	a, b := newPosts(t)
	d := a.deps
	d.TLS = nil
	x := must(New(d))
	b.withdraw(1)
	if err := x.Pull(context.Background()); problem.CodeOf(err) != "exchange.offline" || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("got %v", err)
	}
}

func FuzzOpen(f *testing.F) {
	a, b := newPosts(f)
	good, msg := a.sealed(ask{Version: Version, At: micro(noon), After: 7, Days: []siteDay{{Site: 1, Day: 2}}}, Prefix+topicFigures, testAgreement)
	f.Add(good)
	f.Add(msg)
	f.Add([]byte{0x82, 0x40, 0x40})
	f.Fuzz(func(t *testing.T, body []byte) {
		var q ask
		_, err := b.open(body, func([]byte) []byte { return externalAsk(Prefix+topicFigures, testAgreement, pass.SideA) }, &q)
		if err == nil && q.After != 7 {
			t.Fatalf("an ask that nobody signed: %+v", q)
		}
		// What a holder of the key could sign must be read without harm as well.
		var an answer
		if b.codec.Unmarshal(body, &an) == nil {
			for _, fig := range an.Figures {
				fig.other()
			}
		}
	})
}

// TestSilent wants strangers who begin to ask and then say nothing to hold nobody else
// up, and to be let go.
func TestSilent(t *testing.T) {
	a, b := newPosts(t)
	b.Exchange.serveTime = time.Second
	config := b.server.Client().Transport.(*http.Transport).TLSClientConfig
	var silent []*tls.Conn
	for range 4 * maxServing {
		c := must(tls.Dial("tcp", b.server.Listener.Addr().String(), &tls.Config{RootCAs: config.RootCAs, ServerName: "example.com"}))
		defer c.Close()
		must(fmt.Fprintf(c, "POST %s%s HTTP/1.1\r\nHost: b\r\nContent-Length: 1000\r\n\r\nhalf", Prefix, topicWithdrawals))
		silent = append(silent, c)
	}
	b.withdraw(1)
	if err := a.Pull(context.Background()); err != nil {
		t.Errorf("held up: %v", err)
	}
	if len(b.slots) != 0 {
		t.Errorf("%d slots taken by strangers", len(b.slots))
	}
	for _, c := range silent {
		c.SetReadDeadline(time.Now().Add(20 * time.Second))
		line := make([]byte, 12)
		if _, err := io.ReadFull(c, line); err != nil || string(line) != "HTTP/1.1 403" {
			t.Fatalf("not let go: %q, %v", line, err)
		}
	}
}
