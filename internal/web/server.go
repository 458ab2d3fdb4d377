// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"compress/gzip"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"darwaza.dev/internal/fact"
	"darwaza.dev/internal/lang"
	"darwaza.dev/internal/people"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/service"
)

// maxBody is the largest body that any route reads. A form with twelve people takes 3 kB.
const maxBody = 64 << 10

// The policies say that a page runs and loads nothing but our own files. Pages without
// scripts may not run any at all.
const (
	csp = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
	// cspScripts is for officers' pages with modules; cspCamera adds what the camera needs:
	// the detector's WebAssembly, which is fetched only when the camera is opened.
	cspScripts = csp + "; script-src 'self'; connect-src 'self'"
	cspCamera  = csp + "; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; media-src 'self' blob:"
)

// server answers for one side.
type server struct {
	gates     gateServices
	deps      Deps
	codec     *fact.Codec
	assets    *assets
	icons     map[string]template.HTML
	templates templates
	table     []route
	mux       *http.ServeMux
	cross     *http.CrossOriginProtection
	throttle  *throttle
	sessions  *sessions
	links     links
	tokens    *tokens
	pictures  chan struct{} // one in it for each picture that is looked at
	clients   map[[32]byte]Client
	actors    actors
	gzips     sync.Pool // of *gzip.Writer
	kept      keptPages
}

// New returns the handler of all pages and of the API.
func New(d Deps) (http.Handler, error) { return newServer(d) }

func newServer(d Deps) (*server, error) {
	switch {
	case !d.Side.Valid():
		return nil, errors.New("web: no side")
	case len(d.SessionKey) != 32:
		return nil, errors.New("web: the session key is not 32 bytes")
	case d.Law == nil || d.Reader == nil || d.Writer == nil || d.Sealer == nil || d.PassKey == nil || d.ReceiptKey == nil || d.Trust == nil,
		d.Clock == nil || d.Rand == nil || d.Log == nil || d.Texts == nil:
		return nil, errors.New("web: something that the server is made of is missing")
	}
	s := &server{deps: d, codec: service.NewCodec(), throttle: newThrottle(), clients: map[[32]byte]Client{}, kept: keptPages{pages: map[string]keptPage{}}}
	for _, c := range d.Clients {
		s.clients[c.Token] = c
	}
	s.gzips.New = func() any {
		w, err := gzip.NewWriterLevel(nil, gzip.DefaultCompression)
		if err != nil {
			panic(err)
		}
		return w
	}
	s.cross = http.NewCrossOriginProtection()
	var err error
	s.pictures = make(chan struct{}, atOnce)
	if s.tokens, err = newTokens(d.SessionKey, d.Rand); err != nil {
		return nil, err
	}
	if s.sessions, err = newSessions(d.SessionKey, d.Rand); err != nil {
		return nil, err
	}
	if s.links, err = newLinks(d.SessionKey); err != nil {
		return nil, err
	}
	if s.assets, err = loadAssets(assetFiles); err != nil {
		return nil, err
	}
	if s.icons, err = loadIcons(assetFiles); err != nil {
		return nil, err
	}
	if s.templates, err = loadTemplates(s, pageFiles); err != nil {
		return nil, err
	}
	s.table = s.routes()
	s.mux = http.NewServeMux()
	for i := range s.table {
		rt := &s.table[i]
		s.mux.Handle(rt.pattern, rt)
	}
	return s, nil
}

// request is what a handler is given: the HTTP request, and what was found out about
// it on the way. Its URL's path is without the language.
type request struct {
	*http.Request
	Lang lang.Tag
	Path string // the same path
	// Now is the server's clock, read once.
	Now time.Time
	// ID is random and stands in the log and on problem pages, so that the two can be
	// brought together.
	ID string
	// Officer is who is signed in, or whom the calling program acts as; its ID is empty
	// for nobody.
	Officer     people.Officer
	OfficerName string
	// WordGiven is true where the officer's word was made by somebody else.
	WordGiven bool
	Client    *Client // the calling program, nil for a browser
	// Done is true once a command of this request was done, whatever went wrong afterwards.
	Done bool
}

// handler answers a request. What it returns is answered as a problem, as a page or
// as a document by the route; it must then have written nothing.
type handler func(w http.ResponseWriter, r *request) error

// route is one line of routes.go.
type route struct {
	pattern string // as in http.ServeMux, with the method
	access  access
	handle  handler
	nav     string // key of its name in the officers' navigation, empty where it is not in it
}

// ServeHTTP is not called: the mux only finds the route.
func (rt *route) ServeHTTP(http.ResponseWriter, *http.Request) {}

// access is who may ask a route.
type access struct {
	open   bool // anyone
	api    bool // programs by token; problems are documents
	signed bool // anyone who is signed in, whatever their roles
	roles  []people.Role
}

// anyone lets everybody in: travellers' pages.
func anyone() access { return access{open: true} }

// officers lets in officers who are signed in and hold one of the roles; with none
// named, any officer.
func officers(roles ...people.Role) access { return access{roles: roles, signed: len(roles) == 0} }

// programs lets in API clients that hold one of the roles; with none named, everybody.
func programs(roles ...people.Role) access {
	return access{api: true, open: len(roles) == 0, roles: roles}
}

// recorder remembers the status for the log.
type recorder struct {
	http.ResponseWriter
	status int
}

func (w *recorder) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *recorder) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController find what it needs.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// ServeHTTP answers a request: it finds language, route and person, and turns what
// went wrong into a page or a document.
func (s *server) ServeHTTP(hw http.ResponseWriter, hr *http.Request) {
	began := time.Now()
	w := &recorder{ResponseWriter: hw}
	r := &request{Now: s.deps.Clock(), ID: newRequestID()}
	r.Lang, r.Path = s.language(w, hr)
	r.Request = withPath(hr, r.Path)

	h := w.Header()
	h.Set("Content-Security-Policy", csp)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
	h.Set("Cache-Control", "no-store")
	if s.deps.Secure {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}

	rt, err := s.routeOf(w, r)
	if err == nil {
		err = s.answer(w, r, rt)
	}
	if err != nil {
		s.problem(w, r, rt, err)
	}
	s.log(r, rt, w.status, time.Since(began), err)
}

// answer runs the route's handler, for whoever may ask it.
func (s *server) answer(w *recorder, r *request, rt *route) (err error) {
	defer func() {
		if p := recover(); p != nil {
			if p == http.ErrAbortHandler {
				panic(p)
			}
			err = problem.Newf(problem.Internal, "panic", "%v", p)
		}
	}()
	if err := s.cross.Check(r.Request); err != nil {
		return problem.Wrap(problem.Forbidden, "origin", err)
	}
	if r.Body != nil {
		most := int64(maxBody)
		if rt.uploads() {
			most = maxPicture + maxBody
		}
		r.Body = http.MaxBytesReader(w.ResponseWriter, r.Body, most)
	}
	if rt.access.api {
		if err := s.client(r); err != nil {
			return err
		}
	} else {
		s.session(r)
	}
	switch {
	case rt.access.open, rt.access.signed && r.Officer.ID != "":
	case rt.access.api && r.Client == nil, !rt.access.api && r.Officer.ID == "":
		return errSignIn
	case !rt.access.allows(r.Officer.Roles):
		return problem.New(problem.Forbidden, "role")
	}
	if r.WordGiven && !rt.access.open && r.Path != wordPath {
		return s.redirect(w, r, wordPath)
	}
	return rt.handle(w, r)
}

// wordPath is the page on which officers choose their own word.
const wordPath = "/word"

// routeOf returns the route of a request.
func (s *server) routeOf(w http.ResponseWriter, r *request) (*route, error) {
	hh, pattern := s.mux.Handler(r.Request)
	if rt, ok := hh.(*route); ok && pattern != "" {
		// The mux is asked to serve only so that it sets the path's values.
		s.mux.ServeHTTP(w, r.Request)
		return rt, nil
	}
	var allow []string
	for _, m := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete} {
		try := withPath(r.Request, r.Path)
		try.Method = m
		if h, _ := s.mux.Handler(try); isRoute(h) {
			allow = append(allow, m)
		}
	}
	if len(allow) > 0 {
		w.Header().Set("Allow", strings.Join(allow, ", "))
		return nil, errMethod
	}
	return nil, errNotFound
}

// isRoute tells our routes from the mux's own answers, such as to a path with ".." in it.
func isRoute(h http.Handler) bool { _, ok := h.(*route); return ok }

// language returns the reader's language and the path without it. The address decides;
// without one, the language last chosen, then what the browser asks for.
func (s *server) language(w http.ResponseWriter, r *http.Request) (lang.Tag, string) {
	for _, tag := range lang.Tags {
		rest, ok := strings.CutPrefix(r.URL.Path, "/"+string(tag))
		if !ok || rest != "" && rest[0] != '/' {
			continue
		}
		if rest == "" {
			rest = "/"
		}
		if c, err := r.Cookie(languageCookie); err != nil || c.Value != string(tag) {
			http.SetCookie(w, &http.Cookie{Name: languageCookie, Value: string(tag), Path: "/", MaxAge: 365 * 86400,
				Secure: s.deps.Secure, HttpOnly: true, SameSite: http.SameSiteLaxMode})
		}
		return tag, rest
	}
	if c, err := r.Cookie(languageCookie); err == nil {
		for _, tag := range lang.Tags {
			if c.Value == string(tag) {
				return tag, r.URL.Path
			}
		}
	}
	for want := range strings.SplitSeq(r.Header.Get("Accept-Language"), ",") {
		want = strings.ToLower(strings.TrimSpace(want))
		for _, tag := range lang.Tags {
			if rest, ok := strings.CutPrefix(want, string(tag)); ok && (rest == "" || rest[0] == '-' || rest[0] == ';') {
				return tag, r.URL.Path
			}
		}
	}
	return lang.EN, r.URL.Path
}

const languageCookie = "lang"

// withPath returns a shallow copy of a request with another path.
func withPath(r *http.Request, p string) *http.Request {
	c := *r
	u := *r.URL
	u.Path, u.RawPath = p, ""
	c.URL = &u
	return &c
}

func newRequestID() string {
	var b [6]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// log writes one line for a request: never an address's query, a name, a reference or
// a number of a document.
func (s *server) log(r *request, rt *route, status int, took time.Duration, err error) {
	level := slog.LevelInfo
	if status >= 500 {
		level = slog.LevelError
	}
	if !s.deps.Log.Enabled(r.Context(), level) {
		return
	}
	pattern := "none"
	if rt != nil {
		pattern = rt.pattern
	}
	attrs := []slog.Attr{
		slog.String("id", r.ID),
		slog.String("route", pattern),
		slog.Int("status", status),
		slog.Int64("took_us", took.Microseconds()),
	}
	if r.Officer.ID != "" {
		attrs = append(attrs, slog.String("officer", string(r.Officer.ID)))
	}
	if err != nil {
		attrs = append(attrs, slog.String("problem", problem.KindOf(err).String()), slog.String("code", problem.CodeOf(err)))
		if status >= 500 {
			attrs = append(attrs, slog.String("cause", err.Error()))
		}
	}
	s.deps.Log.LogAttrs(r.Context(), level, "request", attrs...)
}

// do runs a command once for the form or call that r is, and decodes its answer.
func do[A any](s *server, r *request, c service.Command) (answer A, done service.Done, err error) {
	key, err := r.idem()
	if err != nil {
		return answer, done, err
	}
	done, err = s.deps.Writer.Do(r.Context(), service.Idem{Key: key, Actor: r.actor()}, c)
	if err != nil {
		return answer, done, err
	}
	r.Done = true
	if err := s.codec.Unmarshal(done.Answer, &answer); err != nil {
		return answer, done, problem.Wrap(problem.Internal, "answer", err)
	}
	return answer, done, nil
}

// view shows the committed state to f.
func (s *server) view(ctx context.Context, f func(service.State) error) error {
	return s.deps.Reader.View(ctx, f)
}

// actor is whose idempotency keys the request's are.
func (r *request) actor() string {
	switch {
	case r.Client != nil:
		return "client:" + r.Client.Name
	case r.Officer.ID != "":
		return string(r.Officer.ID)
	}
	return "public"
}

// loadIcons reads the sprite of icons: <symbol id="name" viewBox="…">…</symbol>, one a line.
func loadIcons(fsys interface {
	ReadFile(string) ([]byte, error)
}) (map[string]template.HTML, error) {
	b, err := fsys.ReadFile("asset/icons.svg")
	if err != nil {
		return nil, fmt.Errorf("web: icons: %w", err)
	}
	icons := map[string]template.HTML{}
	for line := range strings.SplitSeq(string(b), "\n") {
		rest, ok := strings.CutPrefix(strings.TrimSpace(line), `<symbol id="`)
		if !ok {
			continue
		}
		name, rest, _ := strings.Cut(rest, `"`)
		body, ok := strings.CutSuffix(rest, "</symbol>")
		if !ok {
			return nil, fmt.Errorf("web: icon %s is not on one line", name)
		}
		icons[name] = template.HTML(`<svg class="icon" aria-hidden="true" focusable="false"` + body + `</svg>`)
	}
	return icons, nil
}

// icon draws an icon into the page. It says nothing to a screen reader: words stand beside it.
func (s *server) icon(name string) (template.HTML, error) {
	svg, ok := s.icons[name]
	if !ok {
		return "", fmt.Errorf("web: no icon %q", name)
	}
	return svg, nil
}
