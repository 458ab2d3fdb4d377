// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

// Package sequencer owns a side's log: it takes commands, runs them one after another,
// and commits what a whole batch of them made, state, facts, tiles and the signed
// checkpoint, in one transaction. Where several servers share one database, one of them
// owns the log under a lease and the others hand their commands to it.
//
// Nothing that must be true rests on the lease. Every batch names the epoch of the lease
// and the size of the log that it was made on, and the database refuses it where either
// has moved: a server that was believed dead, and wakes up, cannot write.
package sequencer

import (
	"context"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/fact"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/record"
	"darwaza.dev/internal/service"
	"darwaza.dev/internal/store"
	"darwaza.dev/internal/store/engine"
)

// Config is what a sequencer needs.
type Config struct {
	Store *store.Store
	// Side is whose server this is.
	Side agreement.Side
	// Law returns the editions that decide now.
	Law func() *service.Law
	// Clock is the time at which commands are decided. The lease does not go by it.
	Clock func() time.Time
	// Sharing says which part of a fact is disclosed to whom; nil for nothing to anybody.
	Sharing service.SharingAt
	// Signer signs checkpoints; its name is the origin of the log.
	Signer *record.Signer
	// HeadFile is a small file outside the database and its backups that remembers the last
	// signed head, so that a restored older copy of the database is not signed over. Empty
	// is for tests.
	HeadFile string
	// Listener takes commands that other servers forward; nil where the database has one
	// server. Address is how they reach it, the listener's own address where empty.
	Listener net.Listener
	Address  string
	// Queue is how many commands may wait; 4,096 where it is zero. TTL is how long a lease
	// holds without being renewed; 3 seconds where it is zero.
	Queue int
	TTL   time.Duration
	Log   *slog.Logger
}

// Bounds. keepAnswers is how long a retry is answered; patience is how long a command
// waits for an owner to be found.
const (
	maxBatch    = 1024
	maxKey      = 64
	minKey      = 16
	maxActor    = 64
	keepAnswers = 48 * time.Hour
	patience    = 20 * time.Second
)

// Sequencer implements service.Writer. It may be used by many at once.
type Sequencer struct {
	c      Config
	eng    engine.Engine
	codec  *fact.Codec
	name   string    // of this start of this server, in the lease
	salt   []byte    // from which entries' salts are derived
	secret []byte    // shared by the servers of this database
	digest []byte    // of commands, for their idempotency; shared by whoever signs for this log, and in no database
	macs   sync.Pool // of hash.Hash, under digest

	queue  chan *item
	client *http.Client
	server *http.Server

	lease   atomic.Pointer[engine.Lease] // as last seen
	owning  atomic.Bool                  // this server takes commands for the log
	refusal atomic.Pointer[problem.Error]

	stop  context.CancelFunc
	done  sync.WaitGroup
	ended chan struct{} // closed when nobody takes from the queue any more
}

// An item is one command on its way through the queue.
type item struct {
	command service.Command
	key     string // actor and key, empty where the act is the server's own
	digest  [32]byte
	answer  chan answer // has room for the one answer
}

type answer struct {
	done service.Done
	err  error
}

// What an item may be told besides an answer. errNotRun: it was not done and will not be;
// errUnknown: nobody can tell yet.
var (
	errNotRun  = errors.New("sequencer: not run here")
	errUnknown = errors.New("sequencer: the answer was lost")
)

// New starts a sequencer. It returns when it owns the log, or knows who does.
func New(ctx context.Context, c Config) (*Sequencer, error) {
	if c.Queue == 0 {
		c.Queue = 4096
	}
	if c.TTL == 0 {
		c.TTL = 3 * time.Second
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	s := &Sequencer{c: c, eng: c.Store.Engine(), codec: c.Store.Codec(), name: random(16), queue: make(chan *item, c.Queue), ended: make(chan struct{})}
	for _, secret := range []struct {
		name string
		to   *[]byte
	}{{"log salt", &s.salt}, {"servers", &s.secret}} {
		var fresh [32]byte
		rand.Read(fresh[:])
		b, err := s.eng.Secret(ctx, secret.name, fresh[:])
		if err != nil {
			return nil, problem.Wrap(problem.Offline, "sequencer.secret", err)
		}
		*secret.to = b
	}
	var err error
	if s.digest, err = hkdf.Key(sha256.New, []byte(c.Signer.Secret()), nil, "darwaza.dev/idempotency/1", sha256.Size); err != nil {
		return nil, problem.Wrap(problem.Internal, "sequencer.secret", err)
	}
	s.macs.New = func() any { return hmac.New(sha256.New, s.digest) }
	s.client = newClient()
	if c.Listener != nil {
		if s.c.Address == "" {
			s.c.Address = c.Listener.Addr().String()
		}
		s.server = &http.Server{Handler: s.handler(), ReadHeaderTimeout: 10 * time.Second, ErrorLog: slog.NewLogLogger(c.Log.Handler(), slog.LevelDebug)}
		s.done.Add(1)
		go func() {
			defer s.done.Done()
			s.server.Serve(c.Listener)
		}()
	}
	run, stop := context.WithCancel(context.Background())
	s.stop = stop
	known := make(chan error, 1)
	s.done.Add(1)
	go func() {
		defer s.done.Done()
		defer close(s.ended)
		s.run(run, known)
	}()
	select {
	case err := <-known:
		if err != nil {
			s.Close()
			return nil, err
		}
		return s, nil
	case <-ctx.Done():
		s.Close()
		return nil, problem.Wrap(problem.Offline, "sequencer.start", ctx.Err())
	}
}

func random(n int) string {
	b := make([]byte, n)
	rand.Read(b)
	return hex.EncodeToString(b)
}

// Owner reports whether this server owns the log at the moment.
func (s *Sequencer) Owner() bool { return s.owning.Load() }

// Beside reports whether another server was alive and owned the log when this one last
// looked.
func (s *Sequencer) Beside() bool {
	lease := s.lease.Load()
	return lease != nil && lease.Live && lease.Owner != s.name
}

// Close finishes what was begun, lets the lease go, and stops.
func (s *Sequencer) Close() error {
	s.stop()
	if s.server != nil {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		s.server.Shutdown(ctx)
	}
	s.done.Wait()
	s.client.CloseIdleConnections()
	return nil
}

// Do runs a command durably; see service.Writer. It finds the log's owner, and where the
// owner is lost on the way it asks again as long as that cannot do the act twice.
func (s *Sequencer) Do(ctx context.Context, id service.Idem, c service.Command) (service.Done, error) {
	if n := len(id.Key); n > 0 && (n < minKey || n > maxKey) || len(id.Actor) > maxActor {
		return service.Done{}, problem.Field("idempotency-key", "idempotency.form")
	}
	deadline := time.Now().Add(patience)
	for pause := 5 * time.Millisecond; ; pause = min(2*pause, 250*time.Millisecond) {
		var d service.Done
		var err error
		if s.owning.Load() {
			d, err = s.enqueue(ctx, id, c)
		} else {
			d, err = s.forward(ctx, id, c)
		}
		again := errors.Is(err, errNotRun) || errors.Is(err, errUnknown) && id.Key != ""
		if !again || time.Now().After(deadline) {
			return d, s.public(err)
		}
		select {
		case <-time.After(pause):
		case <-s.ended:
			return service.Done{}, s.public(err)
		case <-ctx.Done():
			return service.Done{}, s.public(err)
		}
	}
}

// public makes a problem of whatever a command may be told.
func (s *Sequencer) public(err error) error {
	switch {
	case errors.Is(err, errNotRun):
		if r := s.refusal.Load(); r != nil {
			return r
		}
		return problem.Wrap(problem.Offline, "sequencer.owner", err)
	case errors.Is(err, errUnknown):
		return problem.Wrap(problem.Offline, "sequencer.lost", err)
	}
	return err
}

// digestOf names what a command asks for.
func (s *Sequencer) digestOf(c service.Command) ([32]byte, error) {
	mac := s.macs.Get().(hash.Hash)
	defer s.macs.Put(mac)
	return service.Digest(s.codec, mac, c)
}

// enqueue waits for the owner's loop, in this process, to run a command.
func (s *Sequencer) enqueue(ctx context.Context, id service.Idem, c service.Command) (service.Done, error) {
	it := &item{command: c, answer: make(chan answer, 1)}
	if id.Key != "" {
		it.key = id.Actor + "\x00" + id.Key
		var err error
		if it.digest, err = s.digestOf(c); err != nil {
			return service.Done{}, err
		}
	}
	select {
	case s.queue <- it:
	default:
		return service.Done{}, problem.New(problem.Limit, "sequencer.busy")
	}
	select {
	case a := <-it.answer:
		return a.done, a.err
	case <-s.ended:
		select {
		case a := <-it.answer:
			return a.done, a.err
		default:
			return service.Done{}, errNotRun
		}
	case <-ctx.Done():
		return service.Done{}, problem.Wrap(problem.Offline, "sequencer.lost", ctx.Err())
	}
}
