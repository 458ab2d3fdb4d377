// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"bytes"
	"context"
	"html/template"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/lang"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/qr"
	"darwaza.dev/internal/web"
)

// Guest is somebody whose pass waits to be tried: no simulated person uses it.
type Guest struct {
	Side      agreement.Side // who sold the pass
	What      string         // key of what it is
	Reference string
	Pass      string
	Document  string // number, as it is keyed at the gate
	Kind      string
	Country   string
	// Certificate is the code of a health certificate of the same invented person.
	Certificate string
}

// bookGuests books places for people whom the reader may play. They come now.
func (p *Player) bookGuests(ctx context.Context) error {
	g := &planner{rng: rand.New(rand.NewPCG(p.demo.seed, 99)), numbers: map[string]bool{}}
	for i := range p.plan.Parties {
		for _, v := range p.plan.Parties[i].Members {
			g.numbers[v.Kind+v.Number] = true
		}
	}
	slot := p.slotAt(demoOpens)
	n := 0
	for _, side := range sides {
		for _, what := range []string{"alone", "alone", "family", "cancelled", "altered"} {
			n++
			v := g.person(side)
			if what == "family" {
				v.Children = 2
			}
			clerk := p.as(side, "clerk")
			in := map[string]any{
				"slot": strconv.FormatUint(uint64(p.world.Slots[slot].ID), 10), "waits": false, "standing": false,
				"people": []map[string]any{{"name": v.Name, "document": documentOf(&v), "age": max(v.Age, 21), "children": v.Children}},
			}
			var a bookingAnswer
			var err error
			if err := clerk.call(ctx, http.MethodPost, "/api/v1/bookings", p.key("guest", n), in, &a); err != nil {
				return err
			}
			if a.Booking == nil || len(a.Booking.Members) == 0 || a.Booking.Members[0].Pass == "" {
				return problem.Newf(problem.Internal, "demo.guest", "no place is left for the reader: %s", a.Verdict.Outcome)
			}
			guest := Guest{Side: side, What: "demo.guest." + what, Reference: a.Booking.Reference, Pass: a.Booking.Members[0].Pass, Document: v.Number, Kind: v.Kind, Country: v.Country}
			if guest.Certificate, err = p.demo.health.certificate(v.Name, Dosed, p.demo.Clock.Now()); err != nil {
				return err
			}
			switch what {
			case "cancelled":
				if err := clerk.call(ctx, http.MethodPost, "/api/v1/bookings/"+guest.Reference+"/cancel", p.key("guest-cancel", n), struct{}{}, &a); err != nil {
					return err
				}
			case "altered":
				guest.Pass = alter(guest.Pass)
			}
			p.demo.guests.add(guest)
		}
	}
	return nil
}

// slotAt returns the slot of a minute of the day, the last one that has begun.
func (p *Player) slotAt(minute int) int {
	at := 0
	for i, o := range p.world.Slots {
		if o.Minute <= minute {
			at = i
		}
	}
	return at
}

// alter changes one letter in the middle of a pass: it no longer says what was signed.
func alter(text string) string {
	if len(text) < 60 {
		return text
	}
	b := []byte(text)
	at := len(b) / 2
	if b[at] == 'A' {
		b[at] = 'B'
	} else {
		b[at] = 'A'
	}
	return string(b)
}

// guests are shared by the page and the player.
type guests struct {
	mu  sync.Mutex
	all []Guest
}

func (g *guests) add(x Guest) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.all = append(g.all, x)
}

// Guests returns the passes that wait to be tried.
func (d *Demo) Guests() []Guest {
	d.guests.mu.Lock()
	defer d.guests.mu.Unlock()
	return append([]Guest(nil), d.guests.all...)
}

// page is the demonstration's own page at one side, before the post's pages.
type page struct {
	demo  *Demo
	side  agreement.Side
	texts *lang.Catalogue
	next  http.Handler
	tmpl  *template.Template
	style string
	cross *http.CrossOriginProtection
}

// wrap puts the demonstration's page before a side's own.
func (d *Demo) wrap(side agreement.Side) (func(http.Handler) http.Handler, error) {
	texts, err := lang.Load()
	if err != nil {
		return nil, problem.Wrap(problem.Internal, "demo.texts", err)
	}
	style, err := web.AssetURL("base.css")
	if err != nil {
		return nil, problem.Wrap(problem.Internal, "demo.style", err)
	}
	tmpl, err := template.New("demo").Parse(pageHTML)
	if err != nil {
		return nil, problem.Wrap(problem.Internal, "demo.page", err)
	}
	return func(next http.Handler) http.Handler {
		return &page{demo: d, side: side, texts: texts, next: next, tmpl: tmpl, style: style, cross: http.NewCrossOriginProtection()}
	}, nil
}

// ServeHTTP answers /demo in each language, and leaves the rest to the post.
func (p *page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path, tag := r.URL.Path, lang.EN
	for _, t := range lang.Tags {
		if rest, ok := strings.CutPrefix(path, "/"+string(t)+"/"); ok {
			path, tag = "/"+rest, t
		}
	}
	switch {
	case path == "/demo" && (r.Method == http.MethodGet || r.Method == http.MethodHead):
		p.show(w, tag)
	case path == "/demo" && r.Method == http.MethodPost:
		if err := p.cross.Check(r); err != nil {
			http.Error(w, "forbidden", http.StatusForbidden)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, 1<<10)
		p.demo.Cut(r.PostFormValue("line") == "cut")
		http.Redirect(w, r, "/"+string(tag)+"/demo", http.StatusSeeOther)
	default:
		p.next.ServeHTTP(w, r)
	}
}

// Cut cuts the line between the two sides, or joins it again.
func (d *Demo) Cut(cut bool) {
	for _, side := range sides {
		d.Of(side).Post.Exchange().Cut(cut)
	}
}

type guestView struct {
	Guest
	QR template.HTML
}

type loginView struct{ Login, Word, Roles string }

func (p *page) show(w http.ResponseWriter, tag lang.Tag) {
	say := func(key string) string { return p.texts.Say(tag, key, nil) }
	now := p.demo.Clock.Now()
	v := struct {
		Lang, Dir, Style, Title, Banner string
		Tags                            []lang.Tag
		Now                             string
		Cut                             bool
		People                          []loginView
		Guests                          []guestView
		Say                             func(string) string
		Sold                            func(agreement.Side) string
		Own                             func(lang.Tag) string
	}{
		Lang: string(tag), Dir: "ltr", Style: p.style, Title: say("demo.title"), Banner: say(Banner), Tags: lang.Tags[:],
		Now: lang.FormatDateBoth(tag, calendar.On(now, now.Location())) + ", " + lang.FormatTime(tag, now), Cut: p.demo.Of(p.side).Post.Exchange().Status().Cut,
		Say:  say,
		Sold: func(s agreement.Side) string { return p.texts.Say(tag, "demo.sold", lang.Args{"side": string(s)}) },
		Own:  own,
	}
	if tag.RTL() {
		v.Dir = "rtl"
	}
	for _, l := range p.demo.Of(p.side).People {
		var roles []string
		for _, r := range l.Roles {
			roles = append(roles, string(r))
		}
		v.People = append(v.People, loginView{l.Login, l.Word, strings.Join(roles, ", ")})
	}
	for _, g := range p.demo.Guests() {
		code, err := qr.Encode(g.Pass)
		if err != nil {
			continue
		}
		v.Guests = append(v.Guests, guestView{g, template.HTML(code.SVG(say("demo.pass")))})
	}
	var b bytes.Buffer
	if err := p.tmpl.Execute(&b, v); err != nil {
		http.Error(w, "internal", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("Cache-Control", "no-store")
	_, _ = w.Write(b.Bytes()) // a reader who hung up is no fault of ours
}

// own is a language's name in itself.
func own(t lang.Tag) string {
	switch t {
	case lang.FA:
		return "فارسی"
	case lang.UR:
		return "اردو"
	}
	return "English"
}

const pageHTML = `<!DOCTYPE html>
<html lang="{{.Lang}}" dir="{{.Dir}}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{.Title}} – {{call .Say "site.name"}}</title>
<link rel="stylesheet" href="{{.Style}}">
</head>
<body>
<div class="banner" role="note"><p>{{.Banner}}</p></div>
<header class="top"><div class="bound"><a class="brand" href="/{{.Lang}}/"><span>{{call .Say "site.name"}}</span></a>
<div class="languages" role="group" aria-label="{{call .Say "site.languages"}}">{{range .Tags}}{{if eq (print .) $.Lang}} <b lang="{{.}}">{{call $.Own .}}</b>{{else}} <a href="/{{.}}/demo" hreflang="{{.}}" lang="{{.}}">{{call $.Own .}}</a>{{end}}{{end}}</div>
</div></header>
<main id="main" class="bound">
<h1>{{.Title}}</h1>
<p>{{.Now}}</p>
<form method="post" action="/{{.Lang}}/demo">
{{if .Cut}}<p>{{call .Say "demo.line.cut"}}</p><button class="button" name="line" value="join">{{call .Say "demo.line.do_join"}}</button>
{{else}}<p>{{call .Say "demo.line.up"}}</p><button class="button" name="line" value="cut">{{call .Say "demo.line.do_cut"}}</button>{{end}}
</form>
<h2>{{call .Say "demo.people"}}</h2>
<table>
<thead><tr><th scope="col">{{call .Say "demo.login"}}</th><th scope="col">{{call .Say "demo.word"}}</th><th scope="col">{{call .Say "demo.roles"}}</th></tr></thead>
<tbody>{{range .People}}<tr><td><bdi>{{.Login}}</bdi></td><td><bdi>{{.Word}}</bdi></td><td><bdi>{{.Roles}}</bdi></td></tr>{{end}}</tbody>
</table>
<h2>{{call .Say "demo.passes"}}</h2>
<p>{{call .Say "demo.passes.how"}}</p>
{{range $i, $g := .Guests}}{{with $g}}<section class="card">
<h3>{{call $.Say .What}} – {{call $.Sold .Side}}</h3>
{{.QR}}
<dl class="facts">
<dt>{{call $.Say "demo.document"}}</dt><dd><bdi>{{.Document}}</bdi> (<bdi>{{.Kind}}, {{.Country}}</bdi>)</dd>
<dt>{{call $.Say "demo.reference"}}</dt><dd><bdi>{{.Reference}}</bdi></dd>
</dl>
<label for="pass-{{$i}}">{{call $.Say "demo.pass"}}</label>
<textarea id="pass-{{$i}}" class="code" dir="ltr" rows="6" readonly spellcheck="false">{{.Pass}}</textarea>
<label for="certificate-{{$i}}">{{call $.Say "demo.certificate"}}</label>
<textarea id="certificate-{{$i}}" class="code" dir="ltr" rows="6" readonly spellcheck="false">{{.Certificate}}</textarea>
</section>
{{end}}{{end}}
<p><a href="/{{.Lang}}/">{{call .Say "demo.back"}}</a></p>
</main>
</body>
</html>
`
