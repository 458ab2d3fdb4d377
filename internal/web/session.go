// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/maphash"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"darwaza.dev/internal/lang"
	"darwaza.dev/internal/people"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/service"
)

// A session is a cookie and nothing else, so that any server of this side can read it:
//
//	base64url( version 1 ‖ end, seconds since 1970, 8 bytes ‖ officer id ‖ mac, 32 bytes )
//	mac = HMAC-SHA256(session key, version ‖ end ‖ officer id ‖ 00 ‖ verifier of the word)
//
// The officer and the verifier are read anew for each request. A word that was changed
// gives another mac, and an officer who is no longer active has no session, from the
// next request on.
const (
	sessionVersion = 1
	sessionLength  = 12 * time.Hour
	deviceLength   = 180 * 24 * time.Hour
)

// sessions makes and reads the cookies of people who sign in, and slows down guessing.
type sessions struct {
	sessionKey, deviceKey []byte
	// unknown is the verifier that a login nobody has is checked against, so that the
	// answer takes as long as for one that somebody has.
	unknown string
	// hashing bounds how many verifiers are worked out at once, each of which takes 19 MiB:
	// whoever comes then waits their turn and is not refused. Devices on which the login has
	// signed in before wait in a queue of their own.
	hashing, hashingKnown chan struct{}

	seed   maphash.Seed
	wrong  wrongs     // sign-ins that were wrong on devices that are not known
	mu     sync.Mutex // guards what follows
	logins [4096]*rate.Limiter
	known  [1024]*rate.Limiter
}

// The rates of wrong sign-ins, in tries a second and tries at once: of one login from one
// network, of one address, and of its network. Whose word is right is given the try back.
// Nobody else's guessing locks an officer out: what a stranger spends is spent for the
// stranger's own network, and a device on which a login has signed in before has a bucket
// of its own. No count is kept of all networks together; only the hashing is bounded.
const (
	loginRate, loginBurst                 = 1.0 / 15, 6
	knownRate, knownBurst                 = 1.0 / 5, 10
	signInOneRate, signInOneBurst         = 1.0 / 4, 20
	signInNetworkRate, signInNetworkBurst = 1, 60
	hashingAtOnce, hashingKnownAtOnce     = 2, 1
)

func newSessions(secret []byte, random io.Reader) (*sessions, error) {
	m := &sessions{
		hashing:      make(chan struct{}, hashingAtOnce),
		hashingKnown: make(chan struct{}, hashingKnownAtOnce),
		seed:         maphash.MakeSeed(),
	}
	m.wrong.begin(pace{signInOneRate, signInOneBurst}, pace{signInNetworkRate, signInNetworkBurst})
	for _, k := range []struct {
		to    *[]byte
		label string
	}{{&m.sessionKey, "session"}, {&m.deviceKey, "device"}} {
		key, err := hkdf.Key(sha256.New, secret, nil, "darwaza.dev/"+k.label+"/1", 32)
		if err != nil {
			return nil, err
		}
		*k.to = key
	}
	// Random bytes in the place of a key: no word is known that gives them, and checking a
	// word against them costs what any other check costs.
	var b [wordSalt + wordKey]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return nil, err
	}
	m.unknown = formatWord(wordMemory, wordPasses, wordLanes, b[:wordSalt], b[wordSalt:])
	return m, nil
}

func (m *sessions) sessionMAC(head []byte, verifier string) []byte {
	h := hmac.New(sha256.New, m.sessionKey)
	h.Write(head)
	h.Write([]byte{0})
	h.Write([]byte(verifier))
	return h.Sum(nil)
}

// issue returns the value of a session's cookie.
func (m *sessions) issue(id people.OfficerID, verifier string, until time.Time) string {
	head := binary.BigEndian.AppendUint64([]byte{sessionVersion}, uint64(until.Unix()))
	head = append(head, id...)
	return base64.RawURLEncoding.EncodeToString(append(head, m.sessionMAC(head, verifier)...))
}

// parse takes a session's value apart. Nothing in it is believed until holds says so.
func (m *sessions) parse(value string) (id people.OfficerID, until time.Time, head, mac []byte, ok bool) {
	if len(value) > 256 {
		return "", time.Time{}, nil, nil, false
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(value)
	if err != nil || len(b) < 1+8+1+sha256.Size || b[0] != sessionVersion {
		return "", time.Time{}, nil, nil, false
	}
	head, mac = b[:len(b)-sha256.Size], b[len(b)-sha256.Size:]
	return people.OfficerID(head[9:]), time.Unix(int64(binary.BigEndian.Uint64(head[1:9])), 0), head, mac, true
}

// device returns the value of the cookie that marks a device on which a login has
// signed in: it opens nothing, and only gives the device a bucket of its own.
func (m *sessions) device(login string, nonce []byte) string {
	h := hmac.New(sha256.New, m.deviceKey)
	h.Write(nonce)
	h.Write([]byte(login))
	return base64.RawURLEncoding.EncodeToString(append(nonce[:16:16], h.Sum(nil)...))
}

func (m *sessions) knows(login, value string) bool {
	b, err := base64.RawURLEncoding.DecodeString(value)
	return err == nil && len(b) == 16+sha256.Size && hmac.Equal([]byte(m.device(login, b[:16])), []byte(value))
}

// attempt is a sign-in before its word is looked at.
type attempt struct {
	login, device string
	from          from
	known         bool // the login has signed in on the device before
}

func (s *server) attempt(r *request, login string) attempt {
	device := s.cookie(r.Request, "device")
	return attempt{login: login, device: device, from: s.from(r.Request), known: s.sessions.knows(login, device)}
}

// bucket is that of a device where it is known, and else that of the login in the network.
func (m *sessions) bucket(a attempt) *rate.Limiter {
	if a.known {
		return pace{knownRate, knownBurst}.bucket(m.known[:], maphash.String(m.seed, a.device))
	}
	return pace{loginRate, loginBurst}.bucket(m.logins[:], maphash.Comparable(m.seed, loginFrom{a.login, a.from.network}))
}

type loginFrom struct {
	login   string
	network netip.Prefix
}

// try counts a sign-in as if its word were wrong, before the word is looked at, so that
// many at once are counted too.
func (m *sessions) try(now time.Time, a attempt) error {
	if !a.known && !m.wrong.take(now, a.from) {
		return errSlow
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.bucket(a).AllowN(now, 1) {
		if !a.known {
			m.wrong.back(now, a.from)
		}
		return errSlow
	}
	return nil
}

// right gives a try back: someone who knows the word may sign in as often as they like.
func (m *sessions) right(now time.Time, a attempt) {
	if !a.known {
		m.wrong.back(now, a.from)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	// A negative count puts a token back; the limiter keeps within its burst.
	m.bucket(a).AllowN(now, -1)
}

// verify checks a word against a verifier, waiting for its turn.
func (m *sessions) verify(ctx context.Context, a attempt, verifier, word string) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	turn := m.hashing
	if a.known {
		turn = m.hashingKnown
	}
	select {
	case turn <- struct{}{}:
		defer func() { <-turn }()
		return VerifyWord(verifier, word)
	case <-ctx.Done():
		return false, errSlow
	}
}

func (s *server) cookieName(name string) string {
	if s.deps.Secure {
		return "__Host-" + name
	}
	return name
}

func (s *server) setCookie(w http.ResponseWriter, name, value string, age time.Duration) {
	http.SetCookie(w, &http.Cookie{
		Name: s.cookieName(name), Value: value, Path: "/", MaxAge: int(age / time.Second),
		HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: s.deps.Secure,
	})
}

func (s *server) cookie(r *http.Request, name string) string {
	c, err := r.Cookie(s.cookieName(name))
	if err != nil {
		return ""
	}
	return c.Value
}

// session finds out who is signed in, with the name that the page shows, and whether
// they still have a word that somebody else made.
func (s *server) session(r *request) {
	value := s.cookie(r.Request, "session")
	if value == "" {
		return
	}
	id, until, head, mac, ok := s.sessions.parse(value)
	if !ok || !r.Now.Before(until) {
		return
	}
	var (
		o     people.Officer
		word  string
		given bool
		name  []byte
	)
	err := s.view(r.Context(), func(st service.State) error {
		o, ok = service.OfficerOf(st, id)
		word, _ = service.WordOf(st, id)
		given = service.WordGiven(st, id)
		if o.Sealed != "" {
			name, _ = st.Sealed.Get(o.Sealed)
		}
		return nil
	})
	if err != nil || !ok || !o.Active || word == "" || !hmac.Equal(mac, s.sessions.sessionMAC(head, word)) {
		return
	}
	r.Officer, r.OfficerName, r.WordGiven = o, s.openName(r.Context(), o, name), given
}

// openName returns an officer's name, or the login where it cannot be read.
func (s *server) openName(ctx context.Context, o people.Officer, ciphertext []byte) string {
	if len(ciphertext) > 0 {
		if b, err := s.deps.Sealer.Open(ctx, o.Sealed, ciphertext); err == nil {
			return string(b)
		}
	}
	return o.Login
}

// signInView is the sign-in page.
type signInView struct {
	Login, Next string
	Errors      errorsIn
}

func (s *server) signInPage(w http.ResponseWriter, r *request) error {
	if r.Officer.ID != "" {
		return s.redirect(w, r, s.home(r))
	}
	return s.render(w, r, page{Name: "sign-in", View: signInView{Next: ownPath(r.URL.Query().Get("next"))}})
}

// ownPath returns p where it is a path of ours, else "".
func ownPath(p string) string {
	if len(p) > 200 || !strings.HasPrefix(p, "/") || strings.HasPrefix(p, "//") || strings.ContainsAny(p, "\\\r\n") {
		return ""
	}
	return p
}

// home is the first page of an officer's work.
func (s *server) home(r *request) string {
	if r.Officer.Has(people.Supervisor) {
		return "/day"
	}
	if items := s.nav(r); len(items) > 0 {
		return items[0].Path
	}
	return "/word"
}

// login brings a typed login to the form in which it is kept.
func normalLogin(s string) string {
	return strings.ToLower(lang.PlainDigits(strings.TrimSpace(s)))
}

func (s *server) signIn(w http.ResponseWriter, r *request) error {
	f, err := r.form()
	if err != nil {
		return err
	}
	v := signInView{Login: normalLogin(f.get("login")), Next: ownPath(f.get("next"))}
	// The word is taken as it was typed: form trims, and a word may begin with a space.
	word := r.PostForm.Get("word")
	if v.Login == "" {
		v.Errors.add("login", "signin.login.empty")
	}
	if word == "" {
		v.Errors.add("word", "signin.word.empty")
	}
	if len(v.Errors) > 0 {
		return s.render(w, r, page{Name: "sign-in", View: v, Status: http.StatusUnprocessableEntity})
	}
	try := s.attempt(r, v.Login)
	if err := s.sessions.try(r.Now, try); err != nil {
		v.Errors.add("login", "signin.slow")
		w.Header().Set("Retry-After", "15")
		return s.render(w, r, page{Name: "sign-in", View: v, Status: http.StatusTooManyRequests})
	}
	o, verifier, ok, err := s.officerByLogin(r.Context(), v.Login)
	if err != nil {
		return err
	}
	if !ok {
		verifier = s.sessions.unknown
	}
	good := false
	if len(word) <= MaxWord {
		if good, err = s.sessions.verify(r.Context(), try, verifier, word); err != nil {
			return err
		}
	}
	if !good || !ok || !o.Active {
		v.Errors.add("login", "signin.wrong")
		return s.render(w, r, page{Name: "sign-in", View: v, Status: http.StatusUnprocessableEntity})
	}
	s.sessions.right(r.Now, try)
	s.setCookie(w, "session", s.sessions.issue(o.ID, verifier, r.Now.Add(sessionLength)), sessionLength)
	device := try.device
	if !try.known {
		nonce := make([]byte, 16)
		if _, err := io.ReadFull(s.deps.Rand, nonce); err != nil {
			return fmt.Errorf("web: no random bytes: %w", err)
		}
		device = s.sessions.device(v.Login, nonce)
	}
	s.setCookie(w, "device", device, deviceLength)
	r.Officer = o
	if tag, ok := lang.ParseTag(o.Language); ok {
		r.Lang = tag
	}
	if v.Next != "" {
		return s.redirect(w, r, v.Next)
	}
	return s.redirect(w, r, s.home(r))
}

func (s *server) officerByLogin(ctx context.Context, login string) (o people.Officer, verifier string, ok bool, err error) {
	err = s.view(ctx, func(st service.State) error {
		if o, ok = service.OfficerByLogin(st, login); ok {
			verifier, ok = service.WordOf(st, o.ID)
		}
		return nil
	})
	return o, verifier, ok, err
}

func (s *server) signOut(w http.ResponseWriter, r *request) error {
	s.setCookie(w, "session", "", -time.Second)
	return s.redirect(w, r, "/sign-in?note=signed-out")
}

// wordView is the page on which officers change their own sign-in word.
type wordView struct {
	Given  bool // somebody else made the word: nothing else can be done before
	Errors errorsIn
	Least  int
}

func (s *server) wordPage(w http.ResponseWriter, r *request) error {
	return s.render(w, r, page{Name: "word", View: wordView{Given: r.WordGiven, Least: MinWord}})
}

func (s *server) changeWord(w http.ResponseWriter, r *request) error {
	if _, err := r.form(); err != nil {
		return err
	}
	now, next := r.PostForm.Get("now"), r.PostForm.Get("new")
	v := wordView{Given: r.WordGiven, Least: MinWord}
	switch n := len([]rune(next)); {
	case n < MinWord || len(next) > MaxWord:
		v.Errors.add("new", "word.length", "n", MinWord)
	case next == now || strings.EqualFold(next, r.Officer.Login):
		v.Errors.add("new", "word.same")
	}
	if len(v.Errors) == 0 {
		try := s.attempt(r, r.Officer.Login)
		if err := s.sessions.try(r.Now, try); err != nil {
			return err
		}
		_, verifier, ok, err := s.officerByLogin(r.Context(), r.Officer.Login)
		if err != nil {
			return err
		}
		if !ok || len(now) > MaxWord {
			verifier, now = s.sessions.unknown, ""
		}
		good, err := s.sessions.verify(r.Context(), try, verifier, now)
		if err != nil {
			return err
		}
		if good {
			s.sessions.right(r.Now, try)
		} else {
			v.Errors.add("now", "word.wrong")
		}
	}
	if len(v.Errors) > 0 {
		return s.render(w, r, page{Name: "word", View: v, Status: http.StatusUnprocessableEntity})
	}
	verifier, err := HashWord(s.deps.Rand, next)
	if err != nil {
		return err
	}
	o := r.Officer
	_, done, err := do[service.AppointAnswer](s, r, service.Appoint{Officer: o, By: o.ID, Word: verifier})
	if err != nil {
		return err
	}
	if done.Again {
		// The form was sent before, and what was set then is what holds: this word, or
		// another one that was sent under the same key, and then nothing was set now.
		if _, verifier, _, err = s.officerByLogin(r.Context(), o.Login); err != nil {
			return err
		}
		same, err := s.sessions.verify(r.Context(), s.attempt(r, o.Login), verifier, next)
		if err != nil {
			return err
		}
		if !same {
			v.Errors.add("new", "word.again")
			return s.render(w, r, page{Name: "word", View: v, Status: http.StatusConflict})
		}
	}
	s.setCookie(w, "session", s.sessions.issue(o.ID, verifier, r.Now.Add(sessionLength)), sessionLength)
	return s.redirect(w, r, s.home(r)+"?note=word")
}

// mayAct reports whether the officer may act at a site: one who works at a single site
// acts there alone.
func mayAct(o people.Officer, site string) error {
	if o.Site != "" && o.Site != site {
		return problem.New(problem.Forbidden, "site")
	}
	return nil
}
