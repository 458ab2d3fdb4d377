// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"hash/maphash"
	"net"
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"darwaza.dev/internal/problem"
)

// throttle slows down guessing without punishing neighbours. A whole border town can
// come from one address (a carrier's NAT, the market's own wireless), so an address is
// no person: it is only held to what a busy town would never reach. What is held
// tightly is the thing that is guessed at:
//
//   - one reference, whoever asks: a person mistypes a few times, a guesser who already
//     has part of a reference would need millions. Buckets lie in a fixed array under a
//     keyed hash, so that memory is bounded and nobody can aim at a neighbour's bucket;
//   - wrong references altogether: right ones cost nothing, so that a guesser who uses
//     up the common bucket slows other guessers, and people with a real reference not at all.
//   - bookings from one address, at a rate that a market day's whole crowd behind one
//     address would just reach: what makes hoarding places pointless is not this but that a
//     pass holds only with its document, and a document has one booking a day;
//   - questions to the law from one address, as each is some work and nothing is kept of it.
//
// 60 random bits and 50 wrong answers a second make a right guess among a million
// bookings take some 700 years on average.
type throttle struct {
	seed  maphash.Seed
	wrong *rate.Limiter // wrong references and receipt numbers, together

	mu    sync.Mutex // guards what follows
	refs  [4096]rate.Limiter
	addrs [4096]rate.Limiter
	books [4096]rate.Limiter
	asks  [4096]rate.Limiter
}

const (
	wrongRate, wrongBurst = 50, 500
	refRate, refBurst     = 1.0 / 6, 10 // ten at once, then one in six seconds
	addrRate, addrBurst   = 200, 2000
	bookRate, bookBurst   = 5, 500
	askRate, askBurst     = 20, 1000
)

func newThrottle() *throttle {
	t := &throttle{seed: maphash.MakeSeed(), wrong: rate.NewLimiter(wrongRate, wrongBurst)}
	// Limits are set as of long ago, so that a bucket is full at the first try whatever
	// clock the server goes by.
	for i := range t.refs {
		t.refs[i].SetLimitAt(time.Time{}, refRate)
		t.refs[i].SetBurstAt(time.Time{}, refBurst)
		t.addrs[i].SetLimitAt(time.Time{}, addrRate)
		t.addrs[i].SetBurstAt(time.Time{}, addrBurst)
		t.books[i].SetLimitAt(time.Time{}, bookRate)
		t.books[i].SetBurstAt(time.Time{}, bookBurst)
		t.asks[i].SetLimitAt(time.Time{}, askRate)
		t.asks[i].SetBurstAt(time.Time{}, askBurst)
	}
	return t
}

var (
	errSlow = problem.New(problem.Limit, "slow")
	errBusy = problem.New(problem.Limit, "busy")
	errAsks = problem.New(problem.Limit, "asks")
)

// guess counts one try at a reference or receipt number, before it is looked up.
func (t *throttle) guess(now time.Time, r *http.Request, what string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.addrs[maphash.String(t.seed, address(r))%uint64(len(t.addrs))].AllowN(now, 1) ||
		!t.refs[maphash.String(t.seed, what)%uint64(len(t.refs))].AllowN(now, 1) {
		return errSlow
	}
	return nil
}

// booking counts one booking that a traveller asks for.
func (t *throttle) booking(now time.Time, r *http.Request) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.books[maphash.String(t.seed, address(r))%uint64(len(t.books))].AllowN(now, 1) {
		return errBusy
	}
	return nil
}

// ask counts a question to the law that weighs so much.
func (t *throttle) ask(now time.Time, r *http.Request, cost int) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.asks[maphash.String(t.seed, address(r))%uint64(len(t.asks))].AllowN(now, cost) {
		return errAsks
	}
	return nil
}

// missed counts a try that was wrong. It says whether wrong tries still get their
// ordinary answer or are told to wait.
func (t *throttle) missed(now time.Time) error {
	if !t.wrong.AllowN(now, 1) {
		return errSlow
	}
	return nil
}

// address is the caller's network: an IPv6 subscriber has a whole /64.
func address(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	ip := net.ParseIP(host)
	if ip != nil && ip.To4() == nil {
		return ip.Mask(net.CIDRMask(64, 128)).String()
	}
	return host
}
