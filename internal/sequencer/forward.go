// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package sequencer

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"net/http"
	"time"

	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/service"
)

// Between the servers of one database a command travels as CBOR over HTTP, and so does
// its answer. Both carry a MAC under a secret that lies in the database: whoever can read
// that could write to the log anyway.
const (
	forwardPath = "/log/do"
	macHeader   = "Darwaza-Mac"
	// window is how old a forwarded command may be.
	window = time.Minute
)

type forwarded struct {
	Kind  string `cbor:"1,keyasint"`
	Body  []byte `cbor:"2,keyasint"`
	Key   string `cbor:"3,keyasint"`
	Actor string `cbor:"4,keyasint"`
	At    int64  `cbor:"5,keyasint"` // seconds since 1970
}

type forwardedAnswer struct {
	Answer       []byte `cbor:"1,keyasint"`
	First, Count uint64
	Again        bool
	// NotRun and Unknown are errNotRun and errUnknown.
	NotRun, Unknown bool
	Problem         *forwardedProblem
}

type forwardedProblem struct {
	Kind   uint8
	Code   string
	Field  string
	Detail string
}

func newClient() *http.Client {
	return &http.Client{
		// The owner is named by the database, never by an answer.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext:         (&net.Dialer{Timeout: 2 * time.Second}).DialContext,
			MaxIdleConnsPerHost: 512, MaxConnsPerHost: 512, IdleConnTimeout: time.Minute, DisableCompression: true,
		},
	}
}

func (s *Sequencer) mac(parts ...[]byte) string {
	m := hmac.New(sha256.New, s.secret)
	for _, p := range parts {
		m.Write(p)
	}
	return hex.EncodeToString(m.Sum(nil))
}

// forward hands a command to the server that owns the log.
func (s *Sequencer) forward(ctx context.Context, id service.Idem, c service.Command) (service.Done, error) {
	lease := s.lease.Load()
	if lease == nil || !lease.Live || lease.Owner == s.name || lease.Address == "" {
		return service.Done{}, errNotRun
	}
	body, err := s.codec.Marshal(c)
	if err != nil {
		return service.Done{}, problem.Wrap(problem.Internal, "command.form", err)
	}
	if len(body) > service.MaxCommand {
		return service.Done{}, problem.New(problem.Limit, "command.size")
	}
	msg, err := s.codec.Marshal(forwarded{Kind: c.CommandKind(), Body: body, Key: id.Key, Actor: id.Actor, At: time.Now().Unix()})
	if err != nil {
		return service.Done{}, problem.Wrap(problem.Internal, "command.form", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+lease.Address+forwardPath, bytes.NewReader(msg))
	if err != nil {
		return service.Done{}, problem.Wrap(problem.Internal, "sequencer.address", err)
	}
	mac := s.mac([]byte("command\n"), msg)
	req.Header.Set(macHeader, mac)
	req.Header.Set("Content-Type", "application/cbor")
	resp, err := s.client.Do(req)
	if err != nil {
		var op *net.OpError
		if errors.As(err, &op) && op.Op == "dial" {
			return service.Done{}, errNotRun // it never got there
		}
		return service.Done{}, errUnknown
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, 2*service.MaxCommand))
	if err != nil || resp.StatusCode != http.StatusOK || !hmac.Equal([]byte(resp.Header.Get(macHeader)), []byte(s.mac([]byte("answer\n"), []byte(mac), b))) {
		return service.Done{}, errUnknown
	}
	var a forwardedAnswer
	if err := s.codec.Unmarshal(b, &a); err != nil {
		return service.Done{}, errUnknown
	}
	switch {
	case a.NotRun:
		return service.Done{}, errNotRun
	case a.Unknown:
		return service.Done{}, errUnknown
	case a.Problem != nil:
		p := &problem.Error{Kind: problem.Kind(a.Problem.Kind), Code: a.Problem.Code, Field: a.Problem.Field}
		if a.Problem.Detail != "" {
			p.Err = errors.New(a.Problem.Detail)
		}
		return service.Done{}, p
	}
	return service.Done{Answer: a.Answer, First: a.First, Count: a.Count, Again: a.Again}, nil
}

// handler takes what other servers forward.
func (s *Sequencer) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+forwardPath, func(w http.ResponseWriter, r *http.Request) {
		msg, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 2*service.MaxCommand))
		mac := r.Header.Get(macHeader)
		if err != nil || !hmac.Equal([]byte(mac), []byte(s.mac([]byte("command\n"), msg))) {
			http.Error(w, "forbidden", http.StatusForbidden)
			return
		}
		b, err := s.codec.Marshal(s.answer(r.Context(), msg))
		if err != nil {
			http.Error(w, "internal", http.StatusInternalServerError)
			return
		}
		w.Header().Set(macHeader, s.mac([]byte("answer\n"), []byte(mac), b))
		w.Header().Set("Content-Type", "application/cbor")
		w.Write(b)
	})
	return mux
}

// answer runs a forwarded command, here and nowhere else: it is not sent on.
func (s *Sequencer) answer(ctx context.Context, msg []byte) forwardedAnswer {
	fail := func(err error) forwardedAnswer {
		p := &forwardedProblem{Kind: uint8(problem.KindOf(err)), Code: problem.CodeOf(err), Field: problem.FieldOf(err), Detail: err.Error()}
		return forwardedAnswer{Problem: p}
	}
	var f forwarded
	if err := s.codec.Unmarshal(msg, &f); err != nil {
		return fail(problem.Wrap(problem.Invalid, "command.form", err))
	}
	if age := time.Since(time.Unix(f.At, 0)); age > window || age < -window {
		return fail(problem.New(problem.Invalid, "command.age"))
	}
	c, err := service.Decode(s.codec, f.Kind, f.Body)
	if err != nil {
		return fail(err)
	}
	if !s.owning.Load() {
		return forwardedAnswer{NotRun: true}
	}
	// The caller may be gone before the answer is there: the command is in the queue all the same.
	d, err := s.enqueue(ctx, service.Idem{Key: f.Key, Actor: f.Actor}, c)
	switch {
	case errors.Is(err, errNotRun):
		return forwardedAnswer{NotRun: true}
	case errors.Is(err, errUnknown):
		return forwardedAnswer{Unknown: true}
	case err != nil:
		return fail(err)
	}
	return forwardedAnswer{Answer: d.Answer, First: d.First, Count: d.Count, Again: d.Again}
}
