// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"bytes"
	"compress/gzip"
	"embed"
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/goods"
	"darwaza.dev/internal/lang"
	"darwaza.dev/internal/market"
	"darwaza.dev/internal/money"
	"darwaza.dev/internal/people"
)

//go:embed page
var pageFiles embed.FS

// page is one answer to a reader: the template of that name in the folder page, and
// the struct it shows. A template file defines "title" and "main"; both see View.
type page struct {
	Name   string
	View   any
	Status int // 200 where zero
	// Styles are further sheets of an officers' page.
	Styles []string
	// Scripts are assets that the page loads as modules. A traveller's page has none.
	Scripts []string
	// Camera allows the page to ask for the camera.
	Camera bool
	// Form is the id of a form whose fields a change of language must keep. The layout
	// then offers the languages as buttons of that form with the name "switch"; the
	// handler shows the page again and does nothing else when switched(r) says so.
	Form string
	// Wide lets the page use the whole width of the screen: desks and tables.
	Wide bool
	// Paper is a page to be printed: no header, no footer.
	Paper bool
}

// frame is what the layout sees: the page and what stands around it.
type frame struct {
	page
	// Title and Main are the page's own parts, made.
	Title, Main template.HTML

	Lang    lang.Tag
	Path    string // without the language, for links to the other languages
	Query   string // of a page that was asked for by GET, with its question mark
	Banner  string
	Clocks  []clock
	Officer *officerSlot
	Nav     []navItem
	Note    string // key of a text about what was just done
}

// clock is the time of day at one side.
type clock struct {
	Side agreement.Side
	Name string // of the side's authority, in the reader's language
	At   time.Time
}

// officerSlot is who is signed in.
type officerSlot struct{ Name string }

type navItem struct {
	Path, Key string
	Here      bool
}

// templates holds one set of templates for each language. In a set stand the layout and
// the parts once, and of each page its title and its main part under the names that
// titleOf and mainOf give.
type templates map[lang.Tag]*template.Template

func titleOf(page string) string { return page + "/title" }
func mainOf(page string) string  { return page + "/main" }

// loadTemplates parses every page once for each language. The functions of a set are
// bound to its language here and never again.
func loadTemplates(s *server, fsys fs.FS) (templates, error) {
	all := templates{}
	for _, tag := range lang.Tags {
		set, err := loadSet(s.funcs(tag), fsys)
		if err != nil {
			return nil, fmt.Errorf("web: %w", err)
		}
		all[tag] = set
	}
	return all, nil
}

// loadSet parses every page and makes its escapes ready. The pages share one set, and so
// the parts: a copy of them for each page would take more memory than the rest of the server.
func loadSet(funcs template.FuncMap, fsys fs.FS) (*template.Template, error) {
	set, err := template.New("").Option("missingkey=error").Funcs(funcs).
		ParseFS(fsys, "page/layout.html", "page/part.html")
	if err != nil {
		return nil, err
	}
	names, err := fs.Glob(fsys, "page/*.html")
	if err != nil {
		return nil, err
	}
	var every strings.Builder // a template that calls all others
	for _, name := range names {
		short := strings.TrimSuffix(path.Base(name), ".html")
		if short == "layout" || short == "part" {
			continue
		}
		// The page's own set keeps its "title" and "main" from those of other pages.
		own, err := template.New(path.Base(name)).Funcs(funcs).ParseFS(fsys, name)
		if err != nil {
			return nil, err
		}
		for _, part := range []string{"title", "main"} {
			if own.Lookup(part) == nil {
				return nil, fmt.Errorf("page %s defines no %q", short, part)
			}
		}
		for _, t := range own.Templates() {
			as := t.Name()
			switch {
			case as == own.Name():
				continue // what stands outside the definitions
			case as == "title":
				as = titleOf(short)
			case as == "main":
				as = mainOf(short)
			case set.Lookup(as) != nil:
				return nil, fmt.Errorf("page %s defines %q, which is defined elsewhere", short, as)
			}
			if _, err := set.AddParseTree(as, t.Tree); err != nil {
				return nil, err
			}
			if as == mainOf(short) || as == titleOf(short) {
				fmt.Fprintf(&every, "{{template %q}}", as)
			}
		}
	}
	// The package escapes a template when it is first asked for, together with what that one
	// calls. All are asked for here, and nothing is shown: a page that cannot be escaped stops
	// the start and not a reader; and a part that pages call in different places, as text and
	// within a tag, is copied for each place while it is as it was written.
	if _, err := set.New("every").Parse(`{{if .}}{{template "layout"}}` + every.String() + `{{end}}`); err != nil {
		return nil, err
	}
	return set, set.ExecuteTemplate(io.Discard, "every", false)
}

// funcs are the functions of the templates in one language.
func (s *server) funcs(tag lang.Tag) template.FuncMap {
	args := func(pairs []any) (lang.Args, error) {
		if len(pairs)%2 != 0 {
			return nil, errors.New("web: arguments come in pairs")
		}
		a := make(lang.Args, len(pairs)/2)
		for i := 0; i < len(pairs); i += 2 {
			name, ok := pairs[i].(string)
			if !ok {
				return nil, fmt.Errorf("web: %v is no argument's name", pairs[i])
			}
			a[name] = pairs[i+1]
		}
		return a, nil
	}
	return template.FuncMap{
		// t is a text of the catalogue: {{t "board.inside" "n" .Inside}}.
		"t": func(key string, pairs ...any) (string, error) {
			a, err := args(pairs)
			return s.deps.Texts.Say(tag, key, a), err
		},
		// th is t with markup in its arguments: {{th "done.ref" "ref" (bdi .Ref)}}.
		// Arguments that are not markup already are escaped.
		"th": func(key string, pairs ...any) (template.HTML, error) {
			a, err := args(pairs)
			if err != nil {
				return "", err
			}
			for k, v := range a {
				switch v := v.(type) {
				case template.HTML:
					a[k] = string(v)
				case string:
					a[k] = template.HTMLEscapeString(v)
				}
			}
			return template.HTML(s.deps.Texts.Say(tag, key, a)), nil
		},
		// mend is what is said about a field: {{mend .}} with a fieldError as dot.
		"mend": func(e any) (string, error) {
			switch e := e.(type) {
			case fieldError:
				a, err := args(e.Args)
				return s.deps.Texts.Say(tag, e.Key, a), err
			case *fieldError:
				a, err := args(e.Args)
				return s.deps.Texts.Say(tag, e.Key, a), err
			}
			return "", fmt.Errorf("web: %T says nothing about a field", e)
		},
		// sayArgs is t with its arguments made already.
		"sayArgs":     func(key string, a lang.Args) string { return s.deps.Texts.Say(tag, key, a) },
		"outcomeIcon": outcomeIcon,
		"cell":        cellText,
		"has":         func(key string) bool { return s.deps.Texts.Has(key) },
		// say is a text that comes with the agreement, in the reader's language.
		"say": func(t lang.Text) string { return t.In(tag) },
		// saidIn is the language that say found, for the lang attribute where it is not the reader's.
		"saidIn": func(t lang.Text) string {
			if t[tag] == "" && t[lang.EN] != "" {
				return string(lang.EN)
			}
			return string(tag)
		},
		"lang": func() string { return string(tag) },
		"dir":  func() string { return direction(tag) },
		// href is the address of one of our pages in the reader's language.
		"href":  func(p string) string { return "/" + string(tag) + p },
		"asset": s.assets.url,
		// bar draws a figure as a share of the greatest; unit, qty, percent and code write
		// the parts of a purchase; voids are the grounds on which one is taken back.
		"bar":       func(v, most any) template.HTML { return bar(whole(v), whole(most), tag.RTL()) },
		"unit":      func(u string) string { return s.unit(tag, u) },
		"qty":       func(n int64) string { return lang.Digits(tag, formatThousandths(n)) },
		"percent":   func(hundredths int64) string { return lang.FormatPercent(tag, hundredths) },
		"code":      goods.FormatCode,
		"goodsIcon": s.goodsIcon,
		"decimal": func(minor int64, currency string) string {
			return money.Amount{Minor: minor, Currency: currency}.Decimal()
		},
		"voids": func() []string { return market.Grounds[:] },
		// optional is asset for a file that is fetched when the program is built: empty
		// where it was not, and the page does without.
		"optional": s.assets.optional,
		"icon":     s.icon,
		// bdi keeps a reference, a code or a number from being turned round by the script beside it.
		"bdi": func(v any) template.HTML {
			return template.HTML(`<bdi class="code">` + template.HTMLEscapeString(fmt.Sprint(v)) + `</bdi>`)
		},
		// idem is the hidden field that makes a form's act be done once: one for each form that writes.
		"idem": func() template.HTML {
			return template.HTML(`<input type="hidden" name="idem" value="` + s.newIdem() + `">`)
		},
		"date":     func(d calendar.Date) string { return lang.FormatDate(tag, d) },
		"dateBoth": func(d calendar.Date) string { return lang.FormatDateBoth(tag, d) },
		"day":      func(d calendar.Date) string { return lang.FormatDay(tag, d) },
		"weekday":  func(d calendar.Date) string { return lang.FormatWeekday(tag, d.Weekday()) },
		"dateOn":   func(t time.Time) calendar.Date { return calendar.On(t, t.Location()) },
		// at and span write times by both sides' clocks, with markup: arguments for th.
		"at":      func(sp span) template.HTML { return s.clockText(tag, sp, false) },
		"span":    func(sp span) template.HTML { return s.clockText(tag, sp, true) },
		"time":    func(t time.Time) string { return lang.FormatTime(tag, t) },
		"rfc3339": func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"digits":  func(v any) string { return lang.Digits(tag, fmt.Sprint(v)) },
		"num":     func(v any) (string, error) { return formatAny(tag, v) },
		"count":   strconv.Atoi,
		// int makes a count of any whole number, for t.
		"int": func(v any) (int, error) {
			switch v := v.(type) {
			case int:
				return v, nil
			case uint8:
				return int(v), nil
			case uint16:
				return int(v), nil
			case uint32:
				return int(v), nil
			case uint64:
				return int(v), nil
			case int64:
				return int(v), nil
			}
			return 0, fmt.Errorf("web: %T is no whole number", v)
		},
		"money": func(minor int64, currency string) string { return lang.FormatMoney(tag, minor, currency) },
		"languages": func() []lang.Tag {
			return lang.Tags[:]
		},
		"own": func(t lang.Tag) string { return nameOfLanguage(t) },
		"dirOf": func(t lang.Tag) string {
			return direction(t)
		},
	}
}

// clockText is a span by both sides' clocks, or its beginning alone.
func (s *server) clockText(tag lang.Tag, sp span, both bool) template.HTML {
	var b strings.Builder
	for i, side := range sp.Sides {
		if i > 0 {
			b.WriteByte(' ')
		}
		text := lang.FormatTime(tag, side.From)
		if both {
			text = s.deps.Texts.Say(tag, "time.span", lang.Args{"from": text, "until": lang.FormatTime(tag, side.Until)})
		}
		b.WriteString(`<span class="side"><time datetime="` + side.From.UTC().Format(time.RFC3339) + `">`)
		b.WriteString(template.HTMLEscapeString(text) + `</time> <small>` + template.HTMLEscapeString(side.Name.In(tag)) + `</small></span>`)
	}
	return template.HTML(b.String())
}

func formatAny(tag lang.Tag, v any) (string, error) {
	switch v := v.(type) {
	case int:
		return lang.FormatInt(tag, int64(v)), nil
	case int64:
		return lang.FormatInt(tag, v), nil
	case uint8:
		return lang.FormatInt(tag, int64(v)), nil
	case uint16:
		return lang.FormatInt(tag, int64(v)), nil
	case uint32:
		return lang.FormatInt(tag, int64(v)), nil
	case uint64:
		return lang.FormatInt(tag, int64(v)), nil
	}
	return "", fmt.Errorf("web: %T is no whole number", v)
}

func direction(tag lang.Tag) string {
	if tag.RTL() {
		return "rtl"
	}
	return "ltr"
}

// nameOfLanguage is a language's name in that language, as a reader looks for it.
func nameOfLanguage(tag lang.Tag) string {
	switch tag {
	case lang.FA:
		return "فارسی"
	case lang.UR:
		return "اردو"
	}
	return "English"
}

// newIdem returns a fresh idempotency key.
func (s *server) newIdem() string {
	var b [18]byte
	if _, err := io.ReadFull(s.deps.Rand, b[:]); err != nil {
		panic(fmt.Errorf("web: no random bytes: %w", err))
	}
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// write writes a page in the reader's language.
func (s *server) write(b *bytes.Buffer, r *request, p page) error {
	set := s.templates[r.Lang]
	title, err := part(set, titleOf(p.Name), p.View)
	if err != nil {
		return err
	}
	main, err := part(set, mainOf(p.Name), p.View)
	if err != nil {
		return err
	}
	f := frame{page: p, Title: title, Main: main, Lang: r.Lang, Path: r.Path, Banner: s.deps.Banner, Clocks: s.clocks(r)}
	if r.Officer.ID != "" {
		f.Officer = &officerSlot{Name: r.OfficerName}
		f.Nav = s.nav(r)
	}
	if r.Method == http.MethodGet && r.URL.RawQuery != "" {
		f.Query = "?" + r.URL.RawQuery
	}
	if n := r.URL.Query().Get("note"); n != "" && s.deps.Texts.Has("note."+n) {
		f.Note = "note." + n
	}
	return set.ExecuteTemplate(b, "layout", f)
}

// part makes a page's own part, for the layout.
func part(set *template.Template, name string, view any) (template.HTML, error) {
	var b strings.Builder
	err := set.ExecuteTemplate(&b, name, view)
	return template.HTML(b.String()), err
}

// render answers with a page in the reader's language.
func (s *server) render(w http.ResponseWriter, r *request, p page) error {
	var b bytes.Buffer
	if err := s.write(&b, r, p); err != nil {
		return err
	}
	h := w.Header()
	if len(p.Scripts) > 0 {
		h.Set("Content-Security-Policy", cspScripts)
	}
	if p.Camera {
		h.Set("Content-Security-Policy", cspCamera)
		h.Set("Permissions-Policy", "camera=(self)")
	}
	if p.Status == 0 {
		p.Status = http.StatusOK
	}
	made := madePage{plain: b.Bytes()}
	if b.Len() > 1024 && acceptsGzip(r.Request) {
		made.gzipped = s.gzip(b.Bytes())
	}
	made.send(w, r, p.Status)
	return nil
}

// madePage is a page ready to be sent.
type madePage struct{ plain, gzipped []byte }

func (m madePage) send(w http.ResponseWriter, r *request, status int) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", string(r.Lang))
	h.Add("Vary", "Accept-Encoding")
	body := m.plain
	if m.gzipped != nil && acceptsGzip(r.Request) {
		h.Set("Content-Encoding", "gzip")
		body = m.gzipped
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // a reader who hung up is no fault of ours
	}
}

// gzip compresses a page. Compression tells lengths, and a page may hold a booking's
// reference beside what a form sent. What is secret here changes with each page
// (idempotency keys, links) or is shown on a page that another origin can neither ask for
// with cookies nor fill.
func (s *server) gzip(body []byte) []byte {
	var z bytes.Buffer
	g := s.gzips.Get().(*gzip.Writer)
	g.Reset(&z)
	_, _ = g.Write(body) // a bytes.Buffer takes everything
	_ = g.Close()
	s.gzips.Put(g)
	return z.Bytes()
}

// keepFor is how long a page that is the same for everybody is kept: the board of a rush
// is asked for thousands of times a second, and made once.
const keepFor = time.Second

// keptPages are such pages by language and path. Its lock is held while one is made, so
// that it is made once.
type keptPages struct {
	mu    sync.Mutex
	pages map[string]keptPage
}

type keptPage struct {
	madePage
	at time.Time
}

func (k *keptPages) get(key string, now time.Time, build func() (madePage, error)) (madePage, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	had, ok := k.pages[key]
	if age := now.Sub(had.at); ok && age >= 0 && age < keepFor {
		return had.madePage, nil
	}
	made, err := build()
	if err == nil {
		k.pages[key] = keptPage{made, now}
	}
	return made, err
}

// keep answers with a page that is the same for everybody, and makes it when the last
// one is too old. It is not for officers, whose pages bear their names.
func (s *server) keep(w http.ResponseWriter, r *request, build func() (page, error)) error {
	if r.Officer.ID != "" || r.URL.RawQuery != "" {
		p, err := build()
		if err != nil {
			return err
		}
		return s.render(w, r, p)
	}
	k, err := s.kept.get(string(r.Lang)+r.Path, r.Now, func() (madePage, error) {
		p, err := build()
		if err != nil {
			return madePage{}, err
		}
		var b bytes.Buffer
		if err := s.write(&b, r, p); err != nil {
			return madePage{}, err
		}
		return madePage{b.Bytes(), s.gzip(b.Bytes())}, nil
	})
	if err != nil {
		return err
	}
	k.send(w, r, http.StatusOK)
	return nil
}

// redirect sends the reader on after a form has done its work. p is one of our paths
// without the language.
func (s *server) redirect(w http.ResponseWriter, r *request, p string) error {
	w.Header().Set("Location", "/"+string(r.Lang)+p)
	w.WriteHeader(http.StatusSeeOther)
	return nil
}

// clocks returns the time at both sides.
func (s *server) clocks(r *request) []clock {
	e, ok := s.deps.Law().Edition(r.Now)
	if !ok {
		return nil
	}
	var cs []clock
	for _, side := range []agreement.Side{agreement.A, agreement.B} {
		p := e.Parties[side]
		if loc, err := calendar.Zone(p.Zone); err == nil {
			cs = append(cs, clock{Side: side, Name: p.Name.In(r.Lang), At: r.Now.In(loc)})
		}
	}
	return cs
}

// nav lists the pages that stand in the navigation of the officer who is signed in.
func (s *server) nav(r *request) []navItem {
	var items []navItem
	for _, rt := range s.table {
		if rt.nav != "" && rt.access.allows(r.Officer.Roles) {
			_, p, _ := strings.Cut(rt.pattern, " ")
			items = append(items, navItem{Path: p, Key: rt.nav, Here: r.Path == p || strings.HasPrefix(r.Path, p+"/") && r.Path != "/gate/goods"}) // which is a page of its own
		}
	}
	return items
}

// allows reports whether one of the roles may ask a route.
func (a access) allows(roles []people.Role) bool {
	if a.open {
		return true
	}
	for _, want := range a.roles {
		for _, have := range roles {
			if want == have {
				return true
			}
		}
	}
	return false
}
