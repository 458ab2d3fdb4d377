// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/lang"
	"darwaza.dev/internal/pass"
	"darwaza.dev/internal/people"
	"darwaza.dev/internal/record"
	"darwaza.dev/internal/rules"
	"darwaza.dev/internal/sequencer"
	"darwaza.dev/internal/service"
	"darwaza.dev/internal/store"
	"darwaza.dev/internal/store/storetest"
	"darwaza.dev/internal/vault"
	"darwaza.dev/internal/web"
)

// The rush over HTTP: so many requests for so many places, on so many connections.
const (
	httpRequests = 20_000
	httpPlaces   = 18_000
	httpClients  = 256
)

// bookingHTTP measures answers a second, and makes sure that nothing was oversold.
func bookingHTTP(ctx context.Context, say func(string, ...any)) (float64, error) {
	var rates []float64
	for round := range 3 {
		rate, p99, err := httpRound(ctx)
		if err != nil {
			return 0, err
		}
		rates = append(rates, rate)
		say("round %d: %.0f answers a second, p99 %v; %d of %d places sold, none twice", round+1, rate, p99.Round(time.Millisecond), httpPlaces, httpPlaces)
	}
	return median(rates), nil
}

func httpRound(ctx context.Context) (rate float64, p99 time.Duration, err error) {
	dir, err := os.MkdirTemp("", "darwaza-bench-")
	if err != nil {
		return 0, 0, err
	}
	defer os.RemoveAll(dir)
	st, err := store.Open(ctx, filepath.Join(dir, "post.db"))
	if err != nil {
		return 0, 0, err
	}
	defer st.Close()
	token := rand.Text()
	addr, stop, err := serve(ctx, dir, st, token)
	if err != nil {
		return 0, 0, err
	}
	defer stop()

	self, err := os.Executable()
	if err != nil {
		return 0, 0, err
	}
	load := exec.CommandContext(ctx, self, "-load", addr, "-token", token)
	load.Stderr = os.Stderr
	out, err := load.Output()
	if err != nil {
		return 0, 0, fmt.Errorf("the load generator: %w", err)
	}
	var r loadReport
	if err := json.Unmarshal(out, &r); err != nil {
		return 0, 0, err
	}
	if r.Answers != httpRequests || r.Passes != httpPlaces {
		return 0, 0, fmt.Errorf("%d answers and %d passes, want %d and %d; the first fault: %s", r.Answers, r.Passes, httpRequests, httpPlaces, r.Fault)
	}
	err = st.View(ctx, func(state service.State) error {
		slot, _ := state.Booking.Slots.Get(storetest.Slot(10))
		if slot.Allotment != httpPlaces || slot.Taken != httpPlaces || slot.Excess != 0 {
			return fmt.Errorf("oversold: %d of %d places taken", slot.Taken, slot.Allotment)
		}
		return nil
	})
	return float64(r.Answers) / r.Took.Seconds(), r.P99, err
}

// serve runs one side's server as a post does, on a port of this machine.
func serve(ctx context.Context, dir string, st *store.Store, token string) (addr string, stop func(), err error) {
	law, err := storetest.Law(httpPlaces)
	if err != nil {
		return "", nil, err
	}
	signer, err := record.GenerateSigner("bench.example/log", rand.Reader)
	if err != nil {
		return "", nil, err
	}
	seq, err := sequencer.New(ctx, sequencer.Config{
		Store: st, Side: agreement.A, Law: func() *rules.Law { return law }, Clock: storetest.Now, Signer: signer, HeadFile: filepath.Join(dir, "head"),
	})
	if err != nil {
		return "", nil, err
	}
	clerk := people.Officer{ID: service.NewOfficerID(rand.Reader), Login: "bench", Roles: []people.Role{people.Clerk}, Language: "en", Active: true}
	if _, err := seq.Do(ctx, service.Idem{}, service.Appoint{Officer: clerk}); err != nil {
		return "", nil, err
	}
	keys, err := vault.Open(filepath.Join(dir, "vault"))
	if err != nil {
		return "", nil, err
	}
	trust, key, err := newTrust()
	if err != nil {
		return "", nil, err
	}
	mine, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		return "", nil, err
	}
	theirs, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		return "", nil, err
	}
	secrets, err := pass.DeriveSecrets(mine, theirs.PublicKey().Bytes(), "bench")
	if err != nil {
		return "", nil, err
	}
	texts, err := lang.Load()
	if err != nil {
		return "", nil, err
	}
	h, err := web.New(web.Deps{
		Side: agreement.A, Law: func() *rules.Law { return law }, Reader: st, Writer: seq, Sealer: keys,
		PassKey: func() *pass.Key { return key }, ReceiptKey: func() *pass.Key { return key }, Trust: func() *pass.Trust { return trust },
		Secrets: secrets, Clock: storetest.Now, Rand: rand.Reader, Log: slog.New(slog.DiscardHandler), Texts: texts,
		SessionKey: make([]byte, 32), Record: st,
		Clients: []web.Client{{Name: "bench", Token: sha256.Sum256([]byte(token)), Roles: clerk.Roles, Officer: clerk.ID}},
	})
	if err != nil {
		return "", nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	srv := &http.Server{Handler: h}
	go srv.Serve(l)
	return l.Addr().String(), func() {
		srv.Close()
		seq.Close()
		keys.Close()
	}, nil
}

// newTrust makes a root, a key that signs passes, and what a gate believes.
func newTrust() (*pass.Trust, *pass.Key, error) {
	root, err := pass.GenerateKey(pass.SideA, rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	key, err := pass.GenerateKey(pass.SideA, rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	cert, err := pass.Certify(root, key.Public(), pass.UsePass, storetest.Now().AddDate(0, 0, -1), storetest.Now().AddDate(0, 1, 0))
	if err != nil {
		return nil, nil, err
	}
	trust, err := pass.NewTrust(map[pass.Side]*ecdsa.PublicKey{pass.SideA: root.Public()})
	if err != nil {
		return nil, nil, err
	}
	return trust, key, trust.Add(cert)
}

// A loadReport is what the load generator found.
type loadReport struct {
	Answers, Passes int
	Took, P99       time.Duration
	Fault           string
}

// load is the load generator, a process of its own. It writes requests that it has made
// beforehand and reads no more of an answer than it must, so that it takes little from
// the server that shares its processors.
func load(addr, token string) error {
	requests := make([][]byte, httpRequests)
	slot := strconv.FormatUint(uint64(storetest.Slot(10)), 10)
	for i := range requests {
		body := fmt.Sprintf(`{"slot":%q,"people":[{"name":"Person %d","document":{"kind":"cnic","country":"PAK","number":"35202%07d1"},"age":%d,"children":0}],"phone":"03001234567","waits":false,"standing":false}`,
			slot, i, i, 18+i%60)
		requests[i] = fmt.Appendf(nil, "POST /api/v1/bookings HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nIdempotency-Key: bench-%016d\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
			addr, token, i, len(body), body)
	}
	var mu sync.Mutex
	var r loadReport
	var times []time.Duration
	conns := make(chan *client, httpClients)
	for range httpClients {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			return err
		}
		defer c.Close()
		conns <- &client{c, bufio.NewReaderSize(c, 8<<10)}
	}
	took, err := inParallel(httpClients, len(requests), func(i int) error {
		c := <-conns
		defer func() { conns <- c }()
		begun := time.Now()
		status, body, err := c.ask(requests[i])
		if err != nil {
			return err
		}
		d := time.Since(begun)
		mu.Lock()
		defer mu.Unlock()
		times = append(times, d)
		switch {
		case status != http.StatusOK:
			r.Fault = fmt.Sprintf("%d %s", status, body)
		case bytes.Contains(body, []byte(`"pass":"DW1:`)):
			r.Passes++
			r.Answers++
		default:
			r.Answers++
		}
		return nil
	})
	if err != nil {
		return err
	}
	slices.Sort(times)
	r.Took, r.P99 = took, times[len(times)*99/100]
	return json.NewEncoder(os.Stdout).Encode(r)
}

// A client is one connection.
type client struct {
	c net.Conn
	r *bufio.Reader
}

// ask sends a request and reads the answer, of which it wants the status and the body.
func (c *client) ask(request []byte) (status int, body []byte, err error) {
	if _, err := c.c.Write(request); err != nil {
		return 0, nil, err
	}
	length := -1
	for first := true; ; first = false {
		line, err := c.r.ReadSlice('\n')
		if err != nil {
			return 0, nil, err
		}
		line = bytes.TrimRight(line, "\r\n")
		if first {
			if len(line) < 12 {
				return 0, nil, errors.New("no status")
			}
			status, err = strconv.Atoi(string(line[9:12]))
			if err != nil {
				return 0, nil, err
			}
			continue
		}
		if len(line) == 0 {
			break
		}
		if name, value, ok := bytes.Cut(line, []byte(": ")); ok && bytes.EqualFold(name, []byte("Content-Length")) {
			length, err = strconv.Atoi(string(value))
			if err != nil {
				return 0, nil, err
			}
		}
	}
	if length < 0 {
		return 0, nil, errors.New("an answer of no stated length")
	}
	body = make([]byte, length)
	_, err = io.ReadFull(c.r, body)
	return status, body, err
}
