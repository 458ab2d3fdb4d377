// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

// Package exchange is what the two sides' servers tell each other: the certificates
// of their keys, the numbered lists of withdrawn passes and of passes that went in or
// out, whose persons have a booking (by joint tags), and the day's figures for the
// boards. It is symmetric: each side serves its own and pulls the other's. Nothing is
// pushed, so a side that is cut off misses nothing and holds nobody up.
//
// An ask is an HTTP POST to /exchange/v1/<topic>. Its body and that of the answer are
// a CBOR array of two byte strings, the sender's certificate and a COSE_Sign1 by its
// exchange key. TLS keeps strangers from listening; whose word it is rests on the
// signature alone, as the roots in the edition are all that the sides share.
//
//	ask     external: "darwaza.dev/exchange/1 ask <path> <agreement> <side>"
//	answer  external: "darwaza.dev/exchange/1 answer <path> <agreement> <side> " ‖ SHA-256(ask)
//
// So an ask is good for one path, agreement and sender, and an answer for one ask. An
// ask is taken within ten minutes of the receiver's clock and once only. An ask that
// is not the other side's gets the same bare refusal whatever is wrong with it. One
// that is gets a signed answer, and is told there what is wrong, the clocks for
// example.
//
// To pull the withdrawals after n is to say that every gate of one's own knows those
// up to n: n is read from what was committed, never from what was only received. The
// ask names which of those passes had been let in here before they were known as
// withdrawn: their places are not sold again.
//
// A serial counts in a list, which has an id. A server that was restored from an older
// copy has given serials that it does not remember, so it begins another list: the
// other side reads that from its beginning and keeps what it knows of the one before,
// and what it says of the one before acknowledges nothing.
package exchange

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/fact"
	"darwaza.dev/internal/pass"
	"darwaza.dev/internal/rules"
	"darwaza.dev/internal/service"
)

// Prefix is the path under which Handler is mounted.
const Prefix = "/exchange/v1/"

// Limits of the exchange.
const (
	// Window is how far apart the clocks of the two servers may be.
	Window = 10 * time.Minute
	// MaxBody is the greatest length in bytes of an answer.
	MaxBody = 1 << 20
	// MaxAsk is the greatest length in bytes of an ask.
	MaxAsk = 128 << 10
	// PageSize is the greatest number of withdrawals in one answer.
	PageSize = 1000
	// maxDays is the greatest number of sites' days that one ask may name.
	maxDays = 64
	// maxRosters is the greatest number of sites' days whose claims one ask may name.
	maxRosters = 512
	// maxPayload is where an answer stops taking figures or certificates on, in bytes.
	maxPayload = 48 << 10
	// maxNonces bounds the memory for asks that were seen within the window: some 16 a second.
	maxNonces = 1 << 15
	// maxServing is how many asks of the other side are answered together.
	maxServing = 8
	// maxPages bounds what one round of pulling reads of the list.
	maxPages = 100
	// daysAhead is for how many days from today figures are asked.
	daysAhead = 7
	// daysBehind is for how many days before today they are, where the other side has not
	// given them since the day ended.
	daysBehind = 7
	// serveTime is how long an ask may take to arrive, pullTime how long an answer may.
	serveTime = 10 * time.Second
	pullTime  = 20 * time.Second
)

// Deps is what an exchange is made of. All fields must be set, but for Peer and TLS.
type Deps struct {
	Side      agreement.Side
	Agreement string // its id
	Law       func() *rules.Law
	Reader    service.Reader
	Writer    service.Writer
	// Key is this side's exchange key, and Certificates returns what its root has
	// certified and revoked: that key, and those of its passes and receipts.
	Key          func() *pass.Key
	Certificates func() [][]byte
	Trust        func() *pass.Trust
	// Learn takes in certificates and revocations of the other side that Trust does not
	// hold: it makes a larger Trust, shares it, and keeps it on disk, so that a gate whose
	// line is down still knows them after a restart. They have been verified.
	Learn func(certs [][]byte) error
	Clock func() time.Time
	Rand  io.Reader
	Log   *slog.Logger
	// Peer is the address of the other side's server, such as "https://b.example:8443".
	// Empty for a server that only answers.
	Peer string
	// TLS is how to reach it: with the other side's authority as the only root.
	TLS *tls.Config
	// Every is how long to wait between two rounds of pulling.
	Every time.Duration
	// Record mirrors the two sides' logs; nil leaves them out.
	Record *Record
	// Step is called before each thing that mirroring writes, for tests that stop there.
	Step func(what string) error
	// Refresh is how long an unchanged figure, or an unchanged list of withdrawals, is
	// left before its time is recorded anew. It bounds what an idle night writes.
	Refresh time.Duration
}

// Exchange is one side's end. It may be used by many at once.
type Exchange struct {
	deps   Deps
	side   pass.Side
	peer   *url.URL // nil where there is none
	client *http.Client
	codec  *fact.Codec
	cut    atomic.Bool
	slots  chan struct{} // one for each ask of the other side that is being answered
	// serveTime is how long the body of an ask may take to arrive.
	serveTime time.Duration
	seen      nonces

	pulling sync.Mutex // held by the one round that is under way

	mu     sync.Mutex // guards what follows
	status Status
	logged Refusal // the last one that went into the log
	// theirSize is how long the other side's log is as last heard; given is the cosigned head
	// that it was told of; accused is set where it has shown that this side's log has forked.
	theirSize uint64
	given     []byte
	accused   bool
}

// New returns an exchange, which does nothing before its Handler is mounted and Run is called.
func New(d Deps) (*Exchange, error) {
	side, err := pass.ParseSide(string(d.Side))
	if err != nil {
		return nil, err
	}
	switch {
	case d.Agreement == "", d.Law == nil, d.Reader == nil, d.Writer == nil, d.Key == nil, d.Certificates == nil,
		d.Trust == nil, d.Learn == nil, d.Clock == nil, d.Rand == nil, d.Log == nil, d.Every <= 0, d.Refresh <= 0:
		return nil, errors.New("exchange: a dependency is missing")
	}
	x := &Exchange{deps: d, side: side, codec: fact.NewCodec(), slots: make(chan struct{}, maxServing), serveTime: serveTime}
	if d.Peer != "" {
		u, err := url.Parse(strings.TrimSuffix(d.Peer, "/"))
		if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
			return nil, errors.New("exchange: the peer is not an address such as https://b.example:8443")
		}
		x.peer = u
		x.client = &http.Client{
			Timeout: pullTime,
			Transport: &http.Transport{
				TLSClientConfig:       d.TLS,
				TLSHandshakeTimeout:   pullTime / 2,
				ResponseHeaderTimeout: pullTime,
				MaxIdleConnsPerHost:   1,
				IdleConnTimeout:       time.Minute,
				ForceAttemptHTTP2:     true,
				DisableCompression:    true,
			},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
	}
	x.status = Status{Peer: d.Peer, Topics: []Topic{{Name: topicCertificates}, {Name: topicWithdrawals}, {Name: topicFigures}, {Name: topicMovements}, {Name: topicClaims}, {Name: topicLevels}, {Name: topicPlaces}, {Name: topicClosures}, {Name: topicRecord}}}
	return x, nil
}

// Status is how the line to the other side is, for pages and operators.
type Status struct {
	Peer string
	Cut  bool // on purpose, as a demonstration can
	// Asked is when a round was last begun, Heard when one last went well throughout; both
	// by this side's clock, zero for never.
	Asked, Heard time.Time
	// Up is true where the last round went well throughout.
	Up bool
	// Skew is how far the other side's clock is ahead of ours, as its last answer showed it.
	Skew      time.Duration
	SkewKnown bool
	// Served is when an ask of the other side was last answered.
	Served time.Time
	// Lag is how many withdrawals of the other side are known to exist and not read yet.
	Lag    uint64
	Topics []Topic
	// Refused are the last things that were refused, newest first, at most 20.
	Refused []Refusal
}

// Topic is how the last pull of one topic went.
type Topic struct {
	Name  string
	Heard time.Time // when it last went well, zero for never
	Fault string    // why the last pull did not go well, a word for operators; empty where it did
}

// Refusal is something that was not believed.
type Refusal struct {
	At    time.Time
	Topic string
	// Theirs is true for an ask that was refused here, false for an answer.
	Theirs bool
	Why    string
}

// Status returns how the line is.
func (x *Exchange) Status() Status {
	x.mu.Lock()
	defer x.mu.Unlock()
	s := x.status
	s.Cut = x.cut.Load()
	s.Topics = append([]Topic(nil), s.Topics...)
	s.Refused = append([]Refusal(nil), s.Refused...)
	return s
}

// Cut cuts the line on purpose, or joins it again: nothing is asked and nothing answered.
func (x *Exchange) Cut(cut bool) { x.cut.Store(cut) }

// refuse keeps what was refused for Status and says so in the log: the same again
// once a minute, as anybody may knock at the door as often as they like.
func (x *Exchange) refuse(topic string, theirs bool, why string) {
	const keep = 20
	r := Refusal{x.deps.Clock(), topic, theirs, why}
	x.mu.Lock()
	old := x.status.Refused
	x.status.Refused = append([]Refusal{r}, old[:min(len(old), keep-1)]...)
	last := x.logged
	again := last.Topic == r.Topic && last.Theirs == r.Theirs && last.Why == r.Why && r.At.Sub(last.At) < time.Minute
	if !again {
		x.logged = r
	}
	x.mu.Unlock()
	if !again {
		x.deps.Log.Warn("exchange: refused", "topic", topic, "theirs", theirs, "why", why)
	}
}

// Run pulls until ctx ends: at once, then Every so often. It returns ctx's error.
func (x *Exchange) Run(ctx context.Context) error {
	if x.peer == nil {
		<-ctx.Done()
		return ctx.Err()
	}
	t := time.NewTimer(0)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-t.C:
		}
		x.Pull(ctx) // what went wrong is in Status, and the next round tries again
		t.Reset(x.deps.Every)
	}
}

// nonces remembers the asks of the window, so that none is taken twice.
type nonces struct {
	mu    sync.Mutex
	known map[[16]byte]struct{}
	order []seenNonce // by time of arrival
}

type seenNonce struct {
	nonce [16]byte
	until time.Time
}

// take reports whether the nonce is new, and remembers it. Where there is no room left
// it is taken for an old one: only the other side itself can fill the memory.
func (n *nonces) take(nonce [16]byte, now time.Time) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	gone := 0
	for gone < len(n.order) && n.order[gone].until.Before(now) {
		delete(n.known, n.order[gone].nonce)
		gone++
	}
	n.order = n.order[gone:]
	if _, ok := n.known[nonce]; ok || len(n.order) >= maxNonces {
		return false
	}
	if n.known == nil {
		n.known = map[[16]byte]struct{}{}
	}
	n.known[nonce] = struct{}{}
	// An ask is at most Window ahead of our clock, and is good until Window behind it.
	n.order = append(n.order, seenNonce{nonce, now.Add(2*Window + time.Second)})
	return true
}
