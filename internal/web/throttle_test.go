// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"
)

// postFrom sends a form from an address, which is what a request brings beside what headers say.
func (p *testPost) postFrom(addr, path string, f url.Values, header ...string) reply {
	p.Helper()
	r := httptest.NewRequest("POST", path, strings.NewReader(f.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.RemoteAddr = addr
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	return p.send(r)
}

// TestSignInUnderAttack: forty wrong sign-ins a second from two networks with many
// addresses, at every login and at theirs, do not keep an officer in another network from
// signing in on a new device.
func TestSignInUnderAttack(t *testing.T) {
	p := newTestPost(t)
	// A login that nobody has takes a hash as any other does; here its cost is not the point.
	p.server.sessions.unknown = formatWord(8, 1, 1, make([]byte, wordSalt), make([]byte, wordKey))
	slow := 0
	for sec := range 40 {
		for i := range 40 {
			p.now = p.now.Add(25 * time.Millisecond)
			addr, login := fmt.Sprintf("[2001:db8:0:%x::%x]:999", i, sec), fmt.Sprintf("nobody%d-%d", sec, i)
			if i%2 == 0 {
				addr = fmt.Sprintf("198.51.100.%d:999", sec*2+i)
			}
			p.postFrom(addr, "/en/sign-in", url.Values{"login": {login}, "word": {"wrong"}})
		}
		if sec%10 == 9 {
			if r := p.postFrom("203.0.113.7:999", "/en/sign-in", url.Values{"login": {"gate"}, "word": {testWord}}); r.StatusCode != http.StatusSeeOther {
				slow++
			}
		}
	}
	if slow > 0 {
		t.Errorf("an officer whose word is right was kept out %d of 4 times", slow)
	}
	// What a network guesses is bounded, however many addresses and logins it uses.
	p.now = p.now.Add(time.Hour)
	wrong := 0
	for i := range 2 * signInNetworkBurst {
		if p.postFrom(fmt.Sprintf("[2001:db8:0:%x::1]:999", i), "/en/sign-in", url.Values{"login": {fmt.Sprint("nobody", i)}, "word": {"wrong"}}).StatusCode == 422 {
			wrong++
		}
	}
	if wrong != signInNetworkBurst {
		t.Errorf("%d wrong words were looked at from one network at once, want %d", wrong, signInNetworkBurst)
	}
}

// TestSignInQueue: whoever signs in on a device that is known does not wait behind strangers.
func TestSignInQueue(t *testing.T) {
	p := newTestPost(t)
	m := p.server.sessions
	for range cap(m.hashing) {
		m.hashing <- struct{}{}
	}
	device := m.device("gate", make([]byte, 16))
	r := p.postFrom("203.0.113.7:999", "/en/sign-in", url.Values{"login": {"gate"}, "word": {testWord}}, "Cookie", p.server.cookieName("device")+"="+device)
	if r.StatusCode != http.StatusSeeOther {
		t.Errorf("%d %s", r.StatusCode, text(r.body))
	}
}

// TestGuesserAlone: a guesser with a whole /48 at two thousand references a second is told
// to wait, and nobody else is; in the guesser's own network that passes again.
func TestGuesserAlone(t *testing.T) {
	p := newTestPost(t)
	p.book("", hour(10), 1)
	ref := string(p.bookings()[0].Ref)
	find := func(addr, ref string) int {
		return p.postFrom(addr, "/en/booking", url.Values{"reference": {ref}}).StatusCode
	}
	slow, n := 0, 0
	for range 4 {
		for range 2000 {
			n++
			p.now = p.now.Add(time.Millisecond / 2)
			if find(fmt.Sprintf("[2001:db8:0:%x::1]:5000", n%16), fmt.Sprintf("2222%08d", n)) == http.StatusTooManyRequests {
				slow++
			}
		}
		for i := range 20 {
			if got := find(fmt.Sprintf("203.0.113.%d:5000", i), ref); got != 303 {
				t.Fatalf("after %d guesses somebody else's reference: %d", n, got)
			}
			if got := find(fmt.Sprintf("192.0.2.%d:5000", i), fmt.Sprintf("3333%08d", i+n)); got != 422 {
				t.Fatalf("after %d guesses somebody else mistypes: %d", n, got)
			}
		}
	}
	if slow < n-guessNetworkBurst-100 {
		t.Errorf("the guesser was slowed %d of %d times", slow, n)
	}
	// A right reference costs nothing, also from one address with a crowd behind it.
	for range 2 * guessOneBurst {
		if got := find("203.0.113.1:5000", ref); got != 303 {
			t.Fatalf("a right one: %d", got)
		}
	}
	p.now = p.now.Add(time.Minute)
	if got := find("[2001:db8:0:1::1]:5000", ref); got != 303 {
		t.Errorf("a minute later, in the guesser's network: %d", got)
	}
}

// TestMarketTownBehindOneAddress: 2,400 travellers behind one address book within a minute,
// and each is answered, with a place or with why there is none.
func TestMarketTownBehindOneAddress(t *testing.T) {
	p := newTestPost(t)
	booked, told := 0, 0
	for i := range 2400 {
		p.now = marketDay.Add(time.Duration(i) * 25 * time.Millisecond)
		f := partyForm(hour(10+i%6), i+1)
		f.Set("idem", fmt.Sprintf("town-%012d", i))
		switch r := p.postFrom("203.0.113.7:5000", "/en/book/confirm", f); r.StatusCode {
		case http.StatusSeeOther:
			booked++
		case http.StatusOK:
			told++
		default:
			t.Fatalf("traveller %d: %d %s", i, r.StatusCode, text(r.body))
		}
	}
	if booked < 500 || booked+told != 2400 {
		t.Errorf("%d have a place, %d were told why not", booked, told)
	}
}

// TestRefusedBookingsBounded: whoever is refused again and again is told to wait in the
// end, alone, and a booking that gives a place does not count.
func TestRefusedBookingsBounded(t *testing.T) {
	p := newTestPost(t)
	p.book("", hour(10), 1)
	f := partyForm(hour(11), 1) // who has a place on that day already
	busy := 0
	for i := range bookOneBurst + 20 {
		f.Set("idem", fmt.Sprintf("again-%012d", i))
		if p.postFrom("203.0.113.7:5000", "/en/book/confirm", f).StatusCode == http.StatusTooManyRequests {
			busy++
		}
	}
	if busy != 20 {
		t.Errorf("told to wait %d times, want 20", busy)
	}
	f = partyForm(hour(10), 2)
	f.Set("idem", "somebody-000000001")
	if got := p.postFrom("203.0.113.8:5000", "/en/book/confirm", f).StatusCode; got != 303 {
		t.Errorf("the neighbour's booking: %d", got)
	}
}

// TestProxyBelieved: where travellers come from is what the configured proxy says, and
// what nobody else does.
func TestProxyBelieved(t *testing.T) {
	p := newTestPost(t, func(d *Deps) {
		d.Proxies, d.ProxyHeader = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("10.0.0.0/8")}, "X-Forwarded-For"
	})
	for _, c := range []struct {
		name, remote, header, want string
	}{
		{"no header", "127.0.0.1:1", "", "127.0.0.1/32"},
		{"one", "127.0.0.1:1", "203.0.113.7", "203.0.113.7/32"},
		{"written by the traveller before it", "127.0.0.1:1", "192.0.2.1, 203.0.113.7", "203.0.113.7/32"},
		{"two proxies", "127.0.0.1:1", "203.0.113.7, 10.1.2.3", "203.0.113.7/32"},
		{"a port", "127.0.0.1:1", "203.0.113.7:4711", "203.0.113.7/32"},
		{"IPv6", "127.0.0.1:1", "[2001:db8:1:2:3::4]:99", "2001:db8:1:2::/64"},
		{"IPv4 in IPv6", "[::ffff:127.0.0.1]:1", "::ffff:203.0.113.7", "203.0.113.7/32"},
		{"no address", "127.0.0.1:1", "203.0.113.7, unknown", "127.0.0.1/32"},
		{"not from a proxy", "198.51.100.1:1", "203.0.113.7", "198.51.100.1/32"},
		{"a zone", "[fe80::1%eth0]:1", "203.0.113.7", "fe80::/64"},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		if r.RemoteAddr = c.remote; c.header != "" {
			r.Header.Set("X-Forwarded-For", c.header)
		}
		if got := p.server.from(r).one.String(); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	// One who guesses behind the proxy holds up nobody else behind it.
	p.book("", hour(10), 1)
	ref := string(p.bookings()[0].Ref)
	for i := range guessOneBurst + 1 {
		p.postFrom("127.0.0.1:1", "/en/booking", url.Values{"reference": {fmt.Sprintf("2222%08d", i)}}, "X-Forwarded-For", "192.0.2.1")
	}
	for addr, want := range map[string]int{"192.0.2.1": 429, "203.0.113.7": 303} {
		if got := p.postFrom("127.0.0.1:1", "/en/booking", url.Values{"reference": {ref}}, "X-Forwarded-For", addr).StatusCode; got != want {
			t.Errorf("%s: %d, want %d", addr, got, want)
		}
	}
}
