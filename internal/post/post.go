// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package post

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"darwaza.dev/internal/exchange"
	"darwaza.dev/internal/fact"
	"darwaza.dev/internal/lang"
	"darwaza.dev/internal/pass"
	"darwaza.dev/internal/people"
	"darwaza.dev/internal/problem"
	prooftrust "darwaza.dev/internal/proof/trust"
	"darwaza.dev/internal/record"
	"darwaza.dev/internal/rules"
	"darwaza.dev/internal/sequencer"
	"darwaza.dev/internal/service"
	"darwaza.dev/internal/store"
	"darwaza.dev/internal/vault"
	"darwaza.dev/internal/web"
)

// stopTime is how long requests that were begun have, once the server is told to stop.
const stopTime = 20 * time.Second

// refresh is how long an unchanged figure of the other side is left before its time is
// recorded anew.
const refresh = 5 * time.Minute

// Options are what a caller within the program may set and a configuration may not.
type Options struct {
	// Clock is the time; the machine's where it is nil. Only the demonstration has another.
	Clock func() time.Time
	Log   *slog.Logger // nothing is logged where it is nil
	// Banner is the key of a text on every page, see web.Deps.
	Banner string
	// Keys and Editions are taken in the place of those that the configuration names.
	Keys     *Keys
	Editions []Edition
	// Insecure is true where the caller serves plain HTTP on a loopback address.
	Insecure bool
	// Wrap puts pages of the caller's own before the post's.
	Wrap func(http.Handler) http.Handler
	// Unadopted opens a post without its law and pages: for its people.
	Unadopted bool
	// Manual is true where the caller turns the clockwork itself, by Tick and Pull.
	Manual bool
	// Beside opens a post beside a server that may be running: nobody else will be sent
	// here to write.
	Beside bool
}

// Post is one open post.
type Post struct {
	Config   *Config
	Keys     *Keys
	Editions []Edition

	clock    func() time.Time
	log      *slog.Logger
	manual   bool
	law      *rules.Law
	trust    atomic.Pointer[pass.Trust]
	base     string // id of the agreement under whose name the sides share secrets
	secrets  pass.Secrets
	store    *store.Store
	seq      *sequencer.Sequencer
	vault    *vault.Vault
	codec    *fact.Codec
	exchange *exchange.Exchange
	record   *exchange.Record
	handler  http.Handler
	proofs   *proofTrust
	seen     *seen // nil of a post that is not open to anybody

	learning sync.Mutex // held while trust is made larger
	settling sync.Mutex // guards settled and caughtUp
	settled  time.Time  // when days that are past were last looked at, zero before the first time
	caughtUp bool       // the days that may have been missed are settled
	close    sync.Once
	atRest   func() // is called once when the server has caught up; may be nil
}

// Open opens a post's store, vault and record, and makes its pages.
func Open(ctx context.Context, c *Config, o Options) (_ *Post, err error) {
	p := &Post{Config: c, Keys: o.Keys, Editions: o.Editions, clock: o.Clock, log: o.Log, manual: o.Manual, codec: service.NewCodec()}
	if p.clock == nil {
		p.clock = time.Now
	}
	if p.log == nil {
		p.log = slog.New(slog.DiscardHandler)
	}
	if p.Keys == nil {
		if p.Keys, err = OpenKeys(c.Keys, c.Side); err != nil {
			return nil, err
		}
	}
	if o.Unadopted {
		p.Editions = nil
	} else if p.Editions == nil {
		if p.Editions, err = ReadEditions(c.Agreements, p.Keys); err != nil {
			return nil, err
		}
	} else if err := CheckEditions(p.Editions, p.Keys); err != nil {
		return nil, err
	}
	if p.law, err = compile(p.Editions); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			p.Close()
		}
	}()
	if err := os.MkdirAll(filepath.Dir(c.Head), 0o700); err != nil {
		return nil, problem.Wrap(problem.Internal, "post.head", err)
	}
	if p.store, err = store.Open(ctx, c.Database); err != nil {
		return nil, err
	}
	if p.vault, err = vault.Open(c.Vault); err != nil {
		return nil, err
	}
	conf := sequencer.Config{
		Store: p.store, Side: c.Side, Law: func() *service.Law { return p.law }, Clock: p.clock,
		Signer: p.Keys.Log, HeadFile: c.Head, Log: p.log,
	}
	if !o.Unadopted {
		if p.base, err = base(p.Editions, p.Keys); err != nil {
			return nil, err
		}
		if conf.Sharing, err = service.SharingOf(p.law, p.base, p.codec); err != nil {
			return nil, err
		}
	}
	if c.Owner.Listen != "" && !o.Beside {
		if conf.Listener, err = net.Listen("tcp", c.Owner.Listen); err != nil {
			return nil, problem.Newf(problem.Conflict, "owner.listen", "cannot listen on %s (%w); owner.listen names the address in the configuration", c.Owner.Listen, err)
		}
		conf.Address = c.Owner.Address
	}
	forgotten, err := p.forgotten(ctx) // before the sequencer makes the file
	if err == nil {
		p.seq, err = sequencer.New(ctx, conf)
	}
	if err != nil {
		if conf.Listener != nil {
			conf.Listener.Close()
		}
		return nil, err
	}
	// Beside a server that runs nothing is lost: that one remembers what it signed.
	if forgotten && !p.seq.Beside() {
		if err := p.beginLists(ctx); err != nil {
			return nil, err
		}
	}
	if o.Unadopted {
		return p, nil
	}
	t, left, err := trust(p.Editions, p.Keys.Certificates)
	if err != nil {
		return nil, err
	}
	if left != nil {
		p.log.Warn("a certificate cannot be believed and is left out", "err", left.Error())
	}
	p.trust.Store(t)
	if p.secrets, err = secrets(p.Editions, p.law, p.Keys, p.base, p.clock()); err != nil {
		return nil, err
	}
	if err := p.openExchange(); err != nil {
		return nil, err
	}
	texts, err := lang.Load()
	if err != nil {
		return nil, problem.Wrap(problem.Internal, "post.texts", err)
	}
	proxies, err := c.Proxy.prefixes()
	if err != nil {
		return nil, problem.Wrap(problem.Invalid, "config.field", err)
	}
	if p.seen, err = openSeen(filepath.Join(filepath.Dir(c.Head), seenFile)); err != nil {
		return nil, err
	}
	p.proofs = &proofTrust{dir: c.ProofTrust, log: p.log, seen: p.seen}
	p.proofs.lists(prooftrust.Limits{}, p.clock()) // what cannot be read is said at the start
	if p.seen.behind(p.clock()) {
		p.log.Warn("the clock shows a time that has been already, or one before the trusted list in use was issued: set it right", "seen", p.seen.file)
	}
	pages, err := web.New(web.Deps{
		Side: c.Side, Law: p.Law, Reader: p.store, Writer: p.seq, Sealer: p.vault,
		PassKey: func() *pass.Key { return p.Keys.Pass }, ReceiptKey: func() *pass.Key { return p.Keys.Receipt },
		Trust: p.trust.Load, Secrets: p.secrets, Clock: p.clock, Rand: rand.Reader, Log: p.log, Texts: texts,
		SessionKey: p.Keys.Session, Secure: !c.HTTP && !o.Insecure, Banner: o.Banner, Record: p.store,
		Proofs: p.proofs.lists, Behind: p.seen.behind,
		Clients: clients(c.Clients), Heard: p.heard, Neighbour: p.neighbour, AnswerWithin: c.AnswerWithin, Proxies: proxies, ProxyHeader: c.Proxy.Header,
	})
	if err != nil {
		return nil, err
	}
	if o.Wrap != nil {
		pages = o.Wrap(pages)
	}
	mux := http.NewServeMux()
	mux.Handle("/", pages)
	mux.Handle(exchange.Prefix, p.exchange.Handler())
	p.handler = mux
	return p, nil
}

// openExchange makes this side's end of the line to the other.
func (p *Post) openExchange() error {
	c := p.Config.Exchange
	d := exchange.Deps{
		Side: p.Config.Side, Agreement: p.base, Law: p.Law, Reader: p.store, Writer: p.seq,
		Key:          func() *pass.Key { return p.Keys.Exchange },
		Certificates: func() [][]byte { return p.trust.Load().Raw(passSide(p.Config.Side)) },
		Trust:        p.trust.Load, Learn: p.learn, Clock: p.clock, Rand: rand.Reader, Log: p.log,
		Peer: c.Peer, Every: time.Duration(c.Every), Refresh: refresh,
	}
	logs, err := p.logKeys()
	if err != nil {
		return err
	}
	p.record = &exchange.Record{Store: p.store, Keys: func() exchange.LogKeys { return logs }, Evidence: p.Config.evidence(), Clock: p.clock, Log: p.log}
	d.Record = p.record
	if c.Authority != "" {
		text, err := os.ReadFile(c.Authority)
		if err != nil {
			return problem.Newf(problem.NotFound, "exchange.authority", "the certificate authority of the other side's server: %w", err)
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(text) {
			return problem.Newf(problem.Invalid, "exchange.authority", "%s holds no certificate in PEM", c.Authority)
		}
		d.TLS = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	p.exchange, err = exchange.New(d)
	return problem.Wrap(problem.Internal, "exchange.open", err)
}

// evidence is the folder of evidence that a log has forked. It lies beside the head file,
// outside of whatever a restore puts back.
func (c *Config) evidence() string { return filepath.Join(filepath.Dir(c.Head), "evidence") }

// logKeys reads the keys of the two sides' logs from the newest edition.
func (p *Post) logKeys() (exchange.LogKeys, error) {
	var k exchange.LogKeys
	for _, e := range newest(p.Editions) {
		if e.ID != p.base {
			continue
		}
		mine, theirs := e.Parties[p.Config.Side].Keys, e.Parties[p.Config.Side.Other()].Keys
		for _, x := range []struct {
			key string
			to  **record.Verifier
		}{{mine.Log, &k.Mine}, {theirs.Log, &k.Theirs}, {theirs.Cosigner, &k.TheirCosigner}} {
			if x.key == "" {
				continue
			}
			v, err := record.NewVerifier(x.key)
			if err != nil {
				return k, problem.Newf(problem.Invalid, "agreement.keys", "the edition in %s names a key of a log that cannot be read: %w", e.From, err)
			}
			*x.to = v
		}
		if mine.Cosigner == p.Keys.Cosigner.Verifier() {
			k.MyCosigner = p.Keys.Cosigner
		}
	}
	return k, nil
}

// learn takes in what the other side's root has said of its keys, and keeps it on disk.
func (p *Post) learn(certs [][]byte) error {
	p.learning.Lock()
	defer p.learning.Unlock()
	t, err := p.trust.Load().With(certs...)
	if err != nil {
		return err
	}
	for _, c := range certs {
		if err := saveCertificate(p.Config.Keys, c); err != nil {
			return err
		}
	}
	p.trust.Store(t)
	return nil
}

// heard is how the line to the other side is, for pages.
func (p *Post) heard() web.Heard {
	s := p.exchange.Status()
	return web.Heard{At: s.Heard, Up: s.Up, Cut: s.Cut}
}

// neighbour is how the records of the two sides stand, for pages.
func (p *Post) neighbour(ctx context.Context) (web.Neighbour, error) {
	r, _, err := p.exchange.RecordStatus(ctx)
	if err != nil {
		return web.Neighbour{}, err
	}
	s := p.exchange.Status()
	n := web.Neighbour{Asked: s.Asked, Heard: s.Heard, Up: s.Up, Cut: s.Cut, Theirs: r.Theirs, Mirrored: r.Mirrored,
		Ours: r.Ours, Cosigned: r.Cosigned, Halted: r.Halted != "", Accused: r.Accused, Skew: s.Skew}
	for _, x := range s.Refused {
		n.Refused = append(n.Refused, web.NeighbourRefusal{At: x.At, Topic: x.Topic, Why: x.Why, Asked: x.Theirs})
	}
	return n, nil
}

// Exchange returns this side's end of the line to the other.
func (p *Post) Exchange() *exchange.Exchange { return p.exchange }

func clients(cs []ClientConfig) []web.Client {
	var out []web.Client
	for _, c := range cs {
		b, err := hex.DecodeString(c.Token)
		if err != nil || len(b) != 32 {
			continue // ReadConfig has refused it
		}
		out = append(out, web.Client{Name: c.Name, Token: [32]byte(b), Roles: c.Roles, Officer: c.Officer})
	}
	return out
}

// Law returns the editions in force, compiled.
func (p *Post) Law() *rules.Law { return p.law }

// Writer returns the post's writer.
func (p *Post) Writer() service.Writer { return p.seq }

// Reader returns the post's reader.
func (p *Post) Reader() service.Reader { return p.store }

// Store returns the post's store, for its record.
func (p *Post) Store() *store.Store { return p.store }

// Secrets returns what both sides share.
func (p *Post) Secrets() pass.Secrets { return p.secrets }

// Trust returns the keys that the post believes.
func (p *Post) Trust() *pass.Trust { return p.trust.Load() }

// Handler returns the post's pages, its API and its end of the exchange.
func (p *Post) Handler() http.Handler { return p.handler }

func (p *Post) staff() staff {
	return staff{writer: p.seq, reader: p.store, sealer: p.vault, codec: p.codec, secret: p.Keys.Session}
}

// Appoint appoints somebody new, as the act of by, and returns the sign-in word, which can
// be shown once.
func (p *Post) Appoint(ctx context.Context, by people.OfficerID, o NewOfficer) (people.Officer, string, error) {
	if err := checkSites(p.Editions, p.Config.Side, o); err != nil {
		return people.Officer{}, "", err
	}
	return p.staff().add(ctx, by, o)
}

// Officers returns every officer ever appointed with the names, empty where a name
// cannot be opened.
func (p *Post) Officers(ctx context.Context) ([]people.Officer, []string, error) {
	return p.staff().list(ctx)
}

// ChangeOfficer changes the officer of a login, as the act of by.
func (p *Post) ChangeOfficer(ctx context.Context, by people.OfficerID, login string, change func(*people.Officer)) (people.Officer, error) {
	return p.staff().change(ctx, by, login, change)
}

// NewWord gives the officer of a login a new sign-in word, as the act of by, or of the
// keeper of the machine where it is empty: then the officer must be an admin.
func (p *Post) NewWord(ctx context.Context, by people.OfficerID, login string) (string, error) {
	return p.staff().word(ctx, by, login)
}

// OwnWord sets the word that an officer has chosen, for whoever knows their present one.
func (p *Post) OwnWord(ctx context.Context, login, now, next string) error {
	o, _, err := p.knows(ctx, login, now)
	if err != nil {
		return err
	}
	if now == next {
		return problem.Newf(problem.Invalid, "officer.word", "choose another word than the present one")
	}
	return p.staff().ownWord(ctx, o, next)
}

// Tick does once what a post does by itself every few seconds: offers lapse, places of
// ended passes are free, standby moves up, and days that are past are settled.
func (p *Post) Tick(ctx context.Context) error {
	err := errors.Join(p.sweep(ctx), p.settle(ctx))
	if p.seen != nil {
		err = errors.Join(err, p.seen.tick(p.clock()))
	}
	return err
}

// The settling of past days looks at the last days again every so often; the first time
// at all that a server may have missed while it did not run.
const (
	settleEvery = time.Minute
	settleDays  = 3
	missedDays  = 400
)

// settle settles each site's days that are past and that nobody has settled. It is the
// supervisor's own act, done by the clock: where several servers share a database, or the
// supervisor was there first, the second finds a settled day and records nothing.
func (p *Post) settle(ctx context.Context) error {
	p.settling.Lock()
	defer p.settling.Unlock()
	now, days := p.clock(), uint16(settleDays)
	if !p.settled.IsZero() && now.Sub(p.settled) < settleEvery {
		return nil
	}
	if !p.caughtUp {
		days = missedDays
	}
	p.settled = now
	var past []service.Settle
	var ruled []uint16
	err := p.store.View(ctx, func(st service.State) error {
		past = service.PastDays(st, p.law, days, now)
		ruled = service.Measurable(st, p.law, p.Config.Side, now)
		return nil
	})
	if err != nil {
		return err
	}
	var errs []error
	for _, site := range ruled { // what the gate has shown is committed, where a supervisor has said so
		if _, err := p.seq.Do(ctx, service.Idem{}, service.MeasureIntake{Site: site}); err != nil {
			errs = append(errs, err)
		}
	}
	for _, c := range past {
		// A slot that runs over midnight keeps its day open: its turn comes again.
		if _, err := p.seq.Do(ctx, service.Idem{}, c); err != nil && problem.CodeOf(err) != "gate.day.running" {
			errs = append(errs, err)
		}
	}
	p.caughtUp = p.caughtUp || len(errs) == 0
	return errors.Join(errs...)
}

// sweep does what time alone brings to slots.
func (p *Post) sweep(ctx context.Context) error {
	for range 1000 {
		var c service.Sweep
		err := p.store.View(ctx, func(st service.State) error {
			c = service.Sweep{Slots: service.SweepSlots(st, p.law, p.Config.Side, p.clock())}
			return nil
		})
		if err != nil {
			return err
		}
		if len(c.Slots) == 0 {
			return nil
		}
		done, err := p.seq.Do(ctx, service.Idem{}, c)
		if err != nil {
			return err
		}
		var a service.SweepAnswer
		if err := p.codec.Unmarshal(done.Answer, &a); err != nil {
			return problem.Wrap(problem.Internal, "post.sweep", err)
		}
		if !a.More {
			return nil
		}
	}
	return problem.New(problem.Internal, "post.sweep")
}

// every calls f again and again until ctx ends, and logs when it begins and ceases to fail.
func (p *Post) every(ctx context.Context, what string, pause time.Duration, f func(context.Context) error) {
	t := time.NewTicker(pause)
	defer t.Stop()
	failing := false
	for {
		err := f(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil && !failing:
			p.log.Warn(what+" fails", "err", err.Error())
		case err == nil && failing:
			p.log.Info(what + " works again")
		}
		failing = err != nil
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
	}
}

// Run does what a post does by itself until ctx ends.
func (p *Post) Run(ctx context.Context) {
	var loops sync.WaitGroup
	var first sync.WaitGroup // rounds, which may have much to catch up with
	first.Add(2)
	counted := func(f func(context.Context) error) func(context.Context) error {
		done := sync.OnceFunc(first.Done)
		return func(ctx context.Context) error {
			defer done()
			return f(ctx)
		}
	}
	loops.Go(func() { p.every(ctx, "the clockwork", 3*time.Second, counted(p.Tick)) })
	loops.Go(func() { p.exchange.Run(ctx) })
	loops.Go(func() { p.every(ctx, "the erasure of personal data", eraseEvery, counted(p.Erase)) })
	if p.atRest != nil {
		loops.Go(func() { first.Wait(); p.atRest() })
	}
	loops.Go(func() { p.every(ctx, "the renewal of keys", 12*time.Hour, p.renew) })
	loops.Wait()
}

// renew looks at the keys of daily use. New ones are taken up when the server starts.
func (p *Post) renew(context.Context) error {
	left := p.Keys.left(p.clock())
	if left < keyLife/2 {
		p.log.Warn("keys of daily use are past half of their time; restart the server with the root key at hand to replace them", "days_left", int(left.Hours()/24))
	}
	return nil
}

// Serve answers on a listener until ctx ends, then finishes what was begun.
func (p *Post) Serve(ctx context.Context, ln net.Listener) error {
	srv := &http.Server{
		Handler:           p.handler,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      60 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          slog.NewLogLogger(quiet{p.log.Handler()}, slog.LevelDebug),
	}
	loops, stop := context.WithCancel(ctx)
	defer stop()
	var running sync.WaitGroup
	if !p.manual {
		running.Go(func() { p.Run(loops) })
	}
	ended := make(chan error, 1)
	go func() { ended <- srv.Serve(ln) }()
	var err error
	select {
	case err = <-ended:
		err = problem.Wrap(problem.Internal, "post.serve", err)
	case <-ctx.Done():
		p.log.Info("stopping")
		limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
		defer cancel()
		if err = srv.Shutdown(limit); err != nil {
			srv.Close()
			err = problem.Newf(problem.Limit, "post.stop", "requests were still being answered after %v and were cut off", stopTime)
		}
	}
	stop()
	running.Wait()
	return err
}

// quiet drops what net/http says of single connections, such as a failed handshake:
// it names addresses.
type quiet struct{ slog.Handler }

// Enabled reports false.
func (quiet) Enabled(context.Context, slog.Level) bool { return false }

// Close finishes what the record has begun and closes the store.
func (p *Post) Close() error {
	var errs []error
	p.close.Do(func() {
		if p.seq != nil {
			errs = append(errs, p.seq.Close())
		}
		if p.vault != nil {
			errs = append(errs, p.vault.Close())
		}
		if p.store != nil {
			errs = append(errs, p.store.Close())
		}
	})
	return errors.Join(errs...)
}

// Listen opens the configuration's address: TLS but where the configuration says http.
// It returns the listener and the address to show.
func (p *Post) Listen() (net.Listener, string, error) { return Listen(p.Config, p.clock) }

// NewLogger returns a logger of JSON lines at a level by its name.
func NewLogger(w io.Writer, level string) *slog.Logger {
	var l slog.Level
	if l.UnmarshalText([]byte(level)) != nil {
		l = slog.LevelInfo
	}
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: l}))
}
