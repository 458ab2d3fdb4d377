// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"io/fs"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"darwaza.dev/agreements"
	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/lang"
)

// hour is the id of a slot of visitors at Mand–Pishin that begins at an hour of the market day.
func hour(h int) booking.SlotID { return booking.MakeSlotID(1, 1, 9376, uint16(h*60)) }

// partyForm is the form of people who hold made-up cards.
func partyForm(slot booking.SlotID, cards ...int) url.Values {
	f := url.Values{"slot": {slotIDText(slot)}, "n": {fmt.Sprint(len(cards))}}
	for i, n := range cards {
		k := fmt.Sprint("-", i+1)
		f.Set("kind"+k, "cnic")
		f.Set("number"+k, cnic(n))
		f.Set("country"+k, "PAK")
		f.Set("name"+k, "Gul Bano")
		f.Set("children"+k, "0")
	}
	return f
}

// book takes the steps of a traveller, or of an officer, and returns the address of the booking.
func (p *testPost) book(as string, slot booking.SlotID, cards ...int) string {
	p.Helper()
	base := "/en/book"
	if as != "" {
		base = "/en/clerk/book"
	}
	check := p.post(base+"/people", as, partyForm(slot, cards...))
	done := p.post(base+"/confirm", as, hidden(check.body, "check"))
	if done.StatusCode != 303 {
		p.Fatalf("book: %d %s", done.StatusCode, text(done.body))
	}
	path, _, _ := strings.Cut(done.Header.Get("Location"), "?")
	return path
}

var tags = regexp.MustCompile(`<[^>]*>`)

// text is what a page says in its main part, without the markup.
func text(body string) string {
	if i := strings.Index(body, "<main"); i >= 0 {
		body = body[i:]
	}
	return strings.Join(strings.Fields(tags.ReplaceAllString(body, " ")), " ")
}

// travellersPages are the pages that anybody sees, as they come about on a market day.
func travellersPages(p *testPost) map[string]func(l string) reply {
	get := func(path string) func(string) reply {
		return func(l string) reply { return p.get("/"+l+path, "") }
	}
	n := 1000
	held := p.hold()
	// asked is the number of a request that was left to the manager.
	asked := func() string {
		n += 10
		_, number := p.asks(held, n)
		return number
	}
	byNumber := func(l, number string) reply {
		r := p.post("/"+l+"/booking", "", url.Values{"reference": {number}})
		return p.get(r.Header.Get("Location"), "")
	}
	booked := func(rest string) func(string) reply {
		return func(l string) reply {
			n += 10
			path := p.book("", hour(11), n, n+1, n+2, n+3)
			return p.get("/"+l+strings.TrimPrefix(path, "/en")+rest, "")
		}
	}
	return map[string]func(l string) reply{
		"board":    get("/"),
		"law":      get("/law"),
		"old law":  get("/law?edition=7"),
		"ask":      get("/ask"),
		"ask what": get("/ask?point=gate&day=2025-09-02&time=10:00"),
		"ask odd":  get("/ask?point=gate&day=soon&time=late&site=nowhere"),
		"supposed": func(l string) reply {
			f := hidden(p.get("/"+l+"/ask?point=goods&day=2025-09-02&time=10:00", "").body, "ask")
			f.Set("f.good.code", "07020000")
			f.Set("f.good.value", "700")
			f.Set("lot.1", "20")
			return p.post("/"+l+"/ask", "", f)
		},
		"before":   get("/before"),
		"goods":    get("/goods"),
		"search":   get("/goods?q=0702"),
		"site":     get("/book"),
		"class":    get("/book?site=mand-pishin"),
		"day":      get("/book?site=mand-pishin&class=visitor"),
		"slot":     get("/book?site=mand-pishin&class=visitor&day=2025-09-02"),
		"no slot":  get("/book?site=mand-pishin&class=visitor&day=2025-09-03"),
		"people":   get("/book/people?slot=" + slotIDText(hour(11))),
		"find":     get("/booking"),
		"expired":  get("/booking/abc"),
		"receipt":  get("/receipt"),
		"sign in":  get("/sign-in"),
		"missing":  get("/nowhere"),
		"booking":  booked(""),
		"paper":    booked("/pass"),
		"cancel":   booked("/cancel"),
		"move":     booked("/move"),
		"move day": booked("/move?day=2025-09-02"),
		"errors": func(l string) reply {
			f := partyForm(hour(11), 1, 1)
			f.Set("kind-1", "")
			f.Set("phone", "no")
			return p.post("/"+l+"/book/people", "", f)
		},
		"check": func(l string) reply { return p.post("/"+l+"/book/people", "", partyForm(hour(11), 1, 2, 3)) },
		"refused": func(l string) reply {
			n += 10
			p.book("", hour(11), n)
			c := p.post("/"+l+"/book/people", "", partyForm(hour(11), n))
			return p.post("/"+l+"/book/confirm", "", hidden(c.body, "check"))
		},
		"held": func(l string) reply {
			n += 10
			c := p.post("/"+l+"/book/people", "", partyForm(held, n))
			return p.post("/"+l+"/book/confirm", "", hidden(c.body, "check"))
		},
		"asked": func(l string) reply { return byNumber(l, asked()) },
		"turned": func(l string) reply {
			number := asked()
			p.call("POST", "/api/v1/requests/"+number+"/decision", "manager", fmt.Sprintf("turned-%010d", n), rulingIn{false, "no_paper"})
			return byNumber(l, number)
		},
		"contest":       get("/contest"),
		"contest gone":  get("/contest/abc"),
		"contest wrong": func(l string) reply { return p.post("/"+l+"/contest", "", url.Values{"number": {"AAAA"}}) },
		"contest form": func(l string) reply {
			n += 10
			return p.at(p.post("/"+l+"/contest", "", url.Values{"number": {p.refusedNumber(n)}}), "")
		},
		"contest empty": func(l string) reply {
			n += 10
			path := p.post("/"+l+"/contest", "", url.Values{"number": {p.refusedNumber(n)}}).Header.Get("Location")
			return p.post(path, "", url.Values{"idem": {"0123456789abcdef"}})
		},
		"case": func(l string) reply {
			n += 10
			return p.get(p.caseFor(l, p.refusedNumber(n)), "")
		},
		"case answered": func(l string) reply {
			n += 10
			number := p.refusedNumber(n)
			path := p.caseFor(l, number)
			p.answered(number, "changed", "input", "book", l)
			return p.get(path, "")
		},
		"move same day": func(l string) reply {
			n += 10
			path := p.book("", hour(11), n)
			for _, b := range p.bookings() {
				p.must(p.sealer.Destroy(context.Background(), b.Sealed))
			}
			return p.get("/"+l+strings.TrimPrefix(path, "/en")+"/move", "")
		},
		"unknown":    func(l string) reply { return p.post("/"+l+"/booking", "", url.Values{"reference": {"AAAA"}}) },
		"no receipt": func(l string) reply { return p.post("/"+l+"/receipt", "", url.Values{"receipt": {"R-000000000000"}}) },
		"bad receipt": func(l string) reply {
			return p.post("/"+l+"/receipt", "", url.Values{"receipt": {"DR1:" + strings.Repeat("A", 60)}})
		},
		"lost": func(l string) reply {
			n += 10
			c := p.post("/"+l+"/book/people", "", partyForm(hour(11), n))
			p.lost = true
			return p.post("/"+l+"/book/confirm", "", hidden(c.body, "check"))
		},
	}
}

var (
	keyShown = regexp.MustCompile(`(?:^|[\s>])((?:ask|needs|site|form|board|book|mine|pass|before|law|goods|receipt|contest|case|cases|day|ground|note|people|document|outcome|problem|booking|slot|nav|clerk|time|age|reason|next)\.[a-z_.-]+)`)
	hole     = regexp.MustCompile(`\{[a-z_]+\}`)
	inline   = regexp.MustCompile(`(?i)<script(?:>|[^>]*[^>c]>)[^<]|<style|\sstyle=|\son[a-z]+=|javascript:`)
	h1       = regexp.MustCompile(`<h1[ >]`)
	// What the program reads in a clause, and where a text is found, is said in one language.
	programShown = regexp.MustCompile(`<code class="code"[^>]*>.*?</code>|<bdi lang="en">.*?</bdi>`)
)

// TestPages holds every page of a traveller, in each language, to what a page must be.
func TestPages(t *testing.T) {
	p := newTestPost(t)
	for name, ask := range travellersPages(p) {
		for _, tag := range lang.Tags {
			r := ask(string(tag))
			where := name + " in " + string(tag)
			if r.StatusCode >= 500 && name != "lost" {
				t.Errorf("%s: %d\n%s", where, r.StatusCode, p.log.String())
				continue
			}
			checkPage(t, where, tag, r)
			// A page is what the law says it is on the same day, whoever asks.
			if strings.Contains(r.body, "<script") {
				t.Errorf("%s: a traveller's page has a script", where)
			}
		}
	}
}

// checkPage holds a page to the form that all have.
func checkPage(t *testing.T, where string, tag lang.Tag, r reply) {
	t.Helper()
	if !strings.Contains(r.body, `<html lang="`+string(tag)+`" dir="`+tag.Dir()+`">`) {
		t.Errorf("%s: not in its language and direction", where)
	}
	if got := r.Header.Get("Content-Language"); got != string(tag) {
		t.Errorf("%s: Content-Language %q", where, got)
	}
	if n := len(h1.FindAllString(r.body, -1)); n != 1 && !strings.Contains(where, "paper") {
		t.Errorf("%s: %d first headings", where, n)
	}
	said := text(programShown.ReplaceAllString(r.body, ""))
	if m := keyShown.FindStringSubmatch(said); m != nil {
		t.Errorf("%s: the key %q stands for a text", where, m[1])
	}
	if m := hole.FindString(said); m != "" {
		t.Errorf("%s: nothing was put for %s", where, m)
	}
	if m := inline.FindString(r.body); m != "" {
		t.Errorf("%s: script or style within the page: %q", where, m)
	}
	if strings.Contains(r.body, "ZgotmplZ") || strings.Contains(r.body, "<no value>") || strings.Contains(said, "%!") {
		t.Errorf("%s: something could not be written", where)
	}
	if strings.Contains(r.body, "<title> ") || strings.Contains(r.body, "<title>–") {
		t.Errorf("%s: no title", where)
	}
	for _, id := range regexp.MustCompile(`(?:for|aria-describedby)="([^"]+)"`).FindAllStringSubmatch(r.body, -1) {
		for _, one := range strings.Fields(id[1]) {
			if !strings.Contains(r.body, `id="`+one+`"`) {
				t.Errorf("%s: nothing has the id %q", where, one)
			}
		}
	}
	if tag != lang.EN {
		if m := regexp.MustCompile(`[a-z]{4,}(?: [a-z]{3,}){2,}`).FindString(latin(said)); m != "" {
			t.Errorf("%s: English: %q", where, m)
		}
	}
}

// latin drops what may stand in Latin letters in any language: codes and names of languages.
func latin(s string) string { return strings.ReplaceAll(s, "English", "") }

// TestWeight measures what a traveller's phone must fetch for each page: the page and
// the style sheet as they are sent to a browser that takes gzip. The icon is drawn from
// a file that a phone asks for once.
func TestWeight(t *testing.T) {
	p := newTestPost(t)
	const most = 30_000
	styles := 0
	for _, name := range []string{"base.css", "mark.svg"} {
		f := p.server.assets.byName[name]
		if z := f.gzipped(); z != nil {
			styles += len(z)
		} else {
			styles += len(f.body)
		}
	}
	heaviest, at := 0, ""
	for name, ask := range travellersPages(p) {
		for _, tag := range lang.Tags {
			var z bytes.Buffer
			g := gzip.NewWriter(&z)
			_, _ = g.Write([]byte(ask(string(tag)).body))
			_ = g.Close()
			if n := z.Len() + styles; n > heaviest {
				heaviest, at = n, name+" in "+string(tag)
			}
		}
	}
	if heaviest > most {
		t.Errorf("%s: %d bytes with its style sheet, more than %d", at, heaviest, most)
	}
	t.Logf("heaviest: %s, %d bytes, of which %d style sheet and icon", at, heaviest, styles)
}

// TestCompressed sees a page sent in gzip to a browser that takes it, with the same words.
func TestCompressed(t *testing.T) {
	p := newTestPost(t)
	r := httptest.NewRequest("GET", "/en/before", nil)
	r.Header.Set("Accept-Encoding", "br, gzip")
	got := p.send(r)
	if got.Header.Get("Content-Encoding") != "gzip" {
		t.Fatalf("Content-Encoding %q", got.Header.Get("Content-Encoding"))
	}
	g, err := gzip.NewReader(strings.NewReader(got.body))
	p.must(err)
	b, err := io.ReadAll(g)
	p.must(err)
	if plain := p.get("/en/before", ""); string(b) != plain.body {
		t.Error("the words differ")
	}
	r.Header.Set("Accept-Encoding", "gzip;q=0")
	if got := p.send(r); got.Header.Get("Content-Encoding") != "" {
		t.Error("gzip for a browser that refuses it")
	}
}

// TestStyle reads the style sheets: logical properties only, and no font or image from elsewhere.
func TestStyle(t *testing.T) {
	names, err := fs.Glob(assetFiles, "asset/*.css")
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	physical := regexp.MustCompile(`(?:^|[\s;{])((?:margin|padding|border)-(?:left|right|top|bottom)|(?:left|right|top|bottom|width|height|max-width|min-width|max-height|min-height))\s*:|(?:text-align|float|clear)\s*:\s*(?:left|right)|@font-face|@import|url\(`)
	for _, name := range names {
		b, err := fs.ReadFile(assetFiles, name)
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(b), "\n") {
			if m := physical.FindString(strings.ReplaceAll(line, "@media (max-width", "@media (")); m != "" {
				t.Errorf("%s:%d: %q", name, i+1, strings.TrimSpace(m))
			}
		}
	}
}

// TestLanguage chooses the language: the address first, then what was chosen before, then the browser.
func TestLanguage(t *testing.T) {
	p := newTestPost(t)
	for _, c := range []struct{ path, cookie, accept, want string }{
		{"/", "", "", "en"},
		{"/", "", "fa-IR,fa;q=0.9,en;q=0.8", "fa"},
		{"/", "", "de, ur;q=0.5", "ur"},
		{"/", "ur", "fa", "ur"},
		{"/", "xx", "fa", "fa"},
		{"/fa", "ur", "en", "fa"},
		{"/fa/", "ur", "en", "fa"},
		{"/ur/booking", "", "", "ur"},
		{"/far", "", "", "en"},
	} {
		r := httptest.NewRequest("GET", c.path, nil)
		if c.cookie != "" {
			r.Header.Set("Cookie", "lang="+c.cookie)
		}
		r.Header.Set("Accept-Language", c.accept)
		got := p.send(r)
		if l := got.Header.Get("Content-Language"); l != c.want {
			t.Errorf("%+v: %q", c, l)
		}
		if set := got.Header.Get("Set-Cookie"); (set != "") != (strings.HasPrefix(c.path, "/"+c.want) && c.cookie != c.want) {
			t.Errorf("%+v: cookie %q", c, set)
		}
	}
}

// TestTextsUsed sees that each text of a traveller's page is on some page: a text that
// nobody shows is not kept up.
func TestTextsUsed(t *testing.T) {
	var all strings.Builder
	for _, dir := range []string{"page"} {
		_ = fs.WalkDir(pageFiles, dir, func(name string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				b, _ := fs.ReadFile(pageFiles, name)
				all.Write(b)
			}
			return nil
		})
	}
	texts, err := lang.Load()
	if err != nil {
		t.Fatal(err)
	}
	// Keys that are put together, or given by Go code.
	made := regexp.MustCompile(`^(outcome|problem|document|booking\.status|book\.error|note|before|book\.(site|class|day|slot|people)|mine\.(error|move)|clerk\.error|receipt\.error|case\.(error|status|kind|next)|cases\.(error|unknown)|time\.span|nav|pass\.qr|law\.(by|is|program|before|from|unknown|unlimited)|ask\.(point|did|working|error|unit|value|amount|none|owed|yes|no|event|lot)|needs)\b`)
	for _, key := range texts.Keys() {
		if p, _, _ := strings.Cut(key, "."); !strings.Contains(" ask needs site form board book mine pass before law goods receipt contest case cases people slot clerk time age ", " "+p+" ") {
			continue
		}
		if !strings.Contains(all.String(), `"`+key+`"`) && !made.MatchString(key) {
			t.Errorf("no page shows %s", key)
		}
	}
}

// TestDoneAndNotShown has a page fail after its command was done: it is not said that
// nothing was changed.
func TestDoneAndNotShown(t *testing.T) {
	p := newTestPost(t)
	p.book("", hour(10), 1)
	f := hidden(p.post("/en/book/people", "", partyForm(hour(12), 1)).body, "check")
	whole := p.server.templates
	broken := func(page string) {
		var err error
		p.server.templates, err = loadTemplates(p.server, pagesWith(t, page, `{{define "title"}}A title{{end}}{{define "main"}}{{.NoSuchField}}{{end}}`))
		p.must(err)
	}
	broken("refused")
	r := p.post("/en/book/confirm", "", f)
	if said := text(r.body); r.StatusCode != 500 || p.refusals() != 1 || strings.Contains(said, "Nothing was changed") || !strings.Contains(said, "It was done") {
		t.Errorf("%d %s", r.StatusCode, said)
	}
	// Where nothing was done, that is what is said.
	broken("people")
	r = p.get("/en/book/people?slot="+slotIDText(hour(12)), "")
	if said := text(r.body); r.StatusCode != 500 || !strings.Contains(said, "Nothing was changed") {
		t.Errorf("%d %s", r.StatusCode, said)
	}
	p.server.templates = whole
	if r = p.get("/en/book/people?slot="+slotIDText(hour(12)), ""); r.StatusCode != 200 {
		t.Errorf("%d %s", r.StatusCode, text(r.body))
	}
}

// pagesWith is the pages with another text of one.
func pagesWith(t *testing.T, page, text string) fs.FS {
	t.Helper()
	files := fstest.MapFS{}
	err := fs.WalkDir(pageFiles, "page", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			var b []byte
			b, err = fs.ReadFile(pageFiles, name)
			files[name] = &fstest.MapFile{Data: b}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	files["page/"+page+".html"] = &fstest.MapFile{Data: []byte(text)}
	return files
}

// TestBrokenPages sees that a page that cannot be shown stops the start, and not a reader.
func TestBrokenPages(t *testing.T) {
	p := newTestPost(t)
	const title = `{{define "title"}}A title{{end}}`
	for text, want := range map[string]string{
		title + `{{define "main"}}<p>{{.Text}}</p>{{end}}`: "",
		title: `defines no "main"`,
		title + `{{define "main"}}{{nowhere .}}{{end}}`:                  `"nowhere" not defined`,
		title + `{{define "main"}}{{template "nowhere" .}}{{end}}`:       `no such template "nowhere"`,
		title + `{{define "main"}}{{if .A}}<a href="{{end}}">{{end}}`:    "end in different contexts",
		title + `{{define "main"}}{{end}}{{define "status"}}{{end}}`:     `"status", which is defined elsewhere`,
		title + `{{define "main"}}{{end}}{{define "gate-carry"}}{{end}}`: `"gate-carry", which is defined elsewhere`,
	} {
		_, err := loadTemplates(p.server, pagesWith(t, "act", text))
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// TestOneWord holds the words for people, ours and the agreement's, to one word for one
// thing and one set of digits for one language.
func TestOneWord(t *testing.T) {
	p := newTestPost(t)
	// What the left word was used for beside the right one.
	never := map[lang.Tag]map[string]string{
		lang.UR: {"افسر": "اہلکار", "اشاعت": "ایڈیشن", "کلید": "کنجی", "اخراج": "باہر", "کسٹم قیمت": "کسٹم مالیت", "دوسری طرف": "دوسرا فریق", "دونوں طرف": "دونوں فریق"},
		lang.FA: {"رزرو": "نوبت", "بازارها": "بازارچه\u200cها", "مدیر بازار ": "مدیر بازارچه"},
	}
	check := func(where string, tag lang.Tag, text string) {
		for wrong, right := range never[tag] {
			if strings.Contains(text, wrong) {
				t.Errorf("%s, %s: %s is said, elsewhere %s: %s", where, tag, wrong, right, text)
			}
		}
		digits := map[lang.Tag]string{lang.UR: "۰۱۲۳۴۵۶۷۸۹٠١٢٣٤٥٦٧٨٩", lang.FA: "٠١٢٣٤٥٦٧٨٩"}[tag]
		if strings.ContainsAny(text, digits) {
			t.Errorf("%s, %s: digits of another language: %s", where, tag, text)
		}
		if tag == lang.FA && strings.Contains(text, "مانند ") && regexp.MustCompile(`[0-9]`).MatchString(text) {
			t.Errorf("%s: Latin digits in Persian: %s", where, text)
		}
	}
	texts := p.server.deps.Texts
	for _, key := range texts.Keys() {
		for tag := range never {
			check(key, tag, texts.Say(tag, key, lang.Args{"n": 1}))
		}
	}
	line := regexp.MustCompile(`(fa|ur): *("[^"]*"|[^,}\n]*)`)
	p.must(fs.WalkDir(agreements.FS, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".yaml") {
			return err
		}
		b, err := fs.ReadFile(agreements.FS, path)
		for _, m := range line.FindAllStringSubmatch(string(b), -1) {
			check(path, lang.Tag(m[1]), m[2])
		}
		return err
	}))
}
