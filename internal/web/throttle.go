// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"hash/maphash"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"darwaza.dev/internal/problem"
)

// throttle slows down guessing without punishing neighbours. A whole border town can
// come from one address (a carrier's NAT, the market's own wireless), so an address is no
// person: what went well costs nothing, however often it is done from one address, and
// only what was wrong counts, against the address and against the network that it is in.
//
//   - Wrong references and receipt numbers. A try is counted before it is looked up, and
//     given back where there is such a thing: somebody who has a real reference is held up
//     only where their own address or network has spent all of its wrong ones. No count is
//     kept of all networks together, which one guesser could use up for everybody.
//   - Contests, right or wrong: each is read by a supervisor. One number has one open case.
//   - Bookings that gave none. What makes hoarding places pointless is not this but that a
//     pass holds only with its document, and a document has one booking a day.
//   - Questions to the law, by what each weighs: it is some work, and nothing is kept of it.
//
// A reference has 60 random bits. At 10 wrong ones a second from a network, a hundred
// networks together find one of a million bookings after some 18 years on average.
type throttle struct {
	guesses, bookings, contests, asks wrongs
}

// The paces of what goes wrong, times a second and times at once, from one address and
// from the network that it is in. At the opening of an hour a market town of 2,400 behind
// one address may be told twice each that the hour is full, and one in ten mistypes.
const (
	guessOneRate, guessOneBurst         = 1, 300
	guessNetworkRate, guessNetworkBurst = 10, 3000
	bookOneRate, bookOneBurst           = 20, 5000
	bookNetworkRate, bookNetworkBurst   = 100, 25000
	// Of contests, each of which is work for somebody: one in five seconds, after a hundred.
	contestOneRate, contestOneBurst         = 0.2, 100
	contestNetworkRate, contestNetworkBurst = 2, 1000
	// Of questions to the law, by weight.
	askOneRate, askOneBurst         = 20, 1000
	askNetworkRate, askNetworkBurst = 100, 5000
)

func newThrottle() *throttle {
	t := &throttle{}
	t.guesses.begin(pace{guessOneRate, guessOneBurst}, pace{guessNetworkRate, guessNetworkBurst})
	t.bookings.begin(pace{bookOneRate, bookOneBurst}, pace{bookNetworkRate, bookNetworkBurst})
	t.contests.begin(pace{contestOneRate, contestOneBurst}, pace{contestNetworkRate, contestNetworkBurst})
	t.asks.begin(pace{askOneRate, askOneBurst}, pace{askNetworkRate, askNetworkBurst})
	return t
}

// pace is how often something may go wrong: times a second, and times at once.
type pace struct {
	rate  rate.Limit
	burst int
}

// bucket returns the bucket of a table that a hash falls in. It is made when it is first
// wanted, and is full then, whatever clock the server goes by: most of a table is never used.
func (p pace) bucket(table []*rate.Limiter, hash uint64) *rate.Limiter {
	b := &table[hash%uint64(len(table))]
	if *b == nil {
		*b = rate.NewLimiter(p.rate, p.burst)
	}
	return *b
}

// wrongs counts what went wrong by address and by network, in tables of a fixed size under
// a keyed hash: memory is bounded, and nobody can aim at a neighbour's bucket.
type wrongs struct {
	seed         maphash.Seed
	one, network pace

	mu       sync.Mutex // guards what follows
	ones     [4096]*rate.Limiter
	networks [4096]*rate.Limiter
}

func (w *wrongs) begin(one, network pace) {
	w.seed, w.one, w.network = maphash.MakeSeed(), one, network
}

// take counts a try as if it were wrong, so that many at once are counted too, and reports
// whether it may be made.
func (w *wrongs) take(now time.Time, f from) bool { return w.takeN(now, f, 1) }

// takeN is take for a try that weighs more than one.
func (w *wrongs) takeN(now time.Time, f from, n int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	one, network := w.of(f)
	if !one.AllowN(now, n) {
		return false
	}
	if !network.AllowN(now, n) {
		one.AllowN(now, -n)
		return false
	}
	return true
}

// back gives a try back that was not wrong.
func (w *wrongs) back(now time.Time, f from) {
	w.mu.Lock()
	defer w.mu.Unlock()
	one, network := w.of(f)
	// A negative count puts a token back; the limiter keeps within its burst.
	one.AllowN(now, -1)
	network.AllowN(now, -1)
}

func (w *wrongs) of(f from) (one, network *rate.Limiter) {
	return w.one.bucket(w.ones[:], maphash.Comparable(w.seed, f.one)), w.network.bucket(w.networks[:], maphash.Comparable(w.seed, f.network))
}

var (
	errSlow = problem.New(problem.Limit, "slow")
	errBusy = problem.New(problem.Limit, "busy")
	errAsks = problem.New(problem.Limit, "asks")
)

// guess counts a try at a reference or receipt number before it is looked up. Where there
// is such a thing, right gives the try back.
func (s *server) guess(r *request) (right func(), err error) {
	f := s.from(r.Request)
	if !s.throttle.guesses.take(r.Now, f) {
		return nil, errSlow
	}
	return func() { s.throttle.guesses.back(r.Now, f) }, nil
}

// booking counts a booking that a traveller asks for. Where it gives one, or where this
// server is at fault, right gives it back.
func (s *server) booking(r *request) (right func(), err error) {
	f := s.from(r.Request)
	if !s.throttle.bookings.take(r.Now, f) {
		return nil, errBusy
	}
	return func() { s.throttle.bookings.back(r.Now, f) }, nil
}

// contested counts a contest that a person sends.
func (s *server) contested(r *request) error {
	if !s.throttle.contests.take(r.Now, s.from(r.Request)) {
		return errBusy
	}
	return nil
}

// asks counts a question to the law that weighs so much.
func (s *server) asks(r *request, weight int) error {
	if !s.throttle.asks.takeN(r.Now, s.from(r.Request), weight) {
		return errAsks
	}
	return nil
}

// from is where a request comes from: one subscriber, and the network that a guesser with
// many addresses would have them in.
type from struct {
	one     netip.Prefix // an IPv4 address, or the /64 that one subscriber has
	network netip.Prefix // a /24 of IPv4, a /48 of IPv6
}

// from finds out where a request comes from. What a header says of it is believed from a
// proxy that the configuration names, and from nobody else.
func (s *server) from(r *http.Request) from {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return from{}
	}
	a := at.Addr().Unmap().WithZone("")
	if s.proxied(a) {
		// Each proxy appends whom it heard: what stands before the last address that is no
		// proxy of ours may be written by anybody.
		heard := strings.Split(strings.Join(r.Header.Values(s.deps.ProxyHeader), ","), ",")
		for _, text := range slices.Backward(heard) {
			next, err := parseAddress(text)
			if err != nil {
				break
			}
			if a = next; !s.proxied(a) {
				break
			}
		}
	}
	if a.Is4() {
		return from{netip.PrefixFrom(a, 32), netip.PrefixFrom(a, 24).Masked()}
	}
	return from{netip.PrefixFrom(a, 64).Masked(), netip.PrefixFrom(a, 48).Masked()}
}

// parseAddress reads an address as proxies write it, with or without a port.
func parseAddress(text string) (netip.Addr, error) {
	text = strings.TrimSpace(text)
	if at, err := netip.ParseAddrPort(text); err == nil {
		return at.Addr().Unmap().WithZone(""), nil
	}
	a, err := netip.ParseAddr(strings.Trim(text, "[]"))
	return a.Unmap().WithZone(""), err
}

// proxied reports whether an address is that of a proxy of ours.
func (s *server) proxied(a netip.Addr) bool {
	return slices.ContainsFunc(s.deps.Proxies, func(p netip.Prefix) bool { return p.Contains(a) })
}
