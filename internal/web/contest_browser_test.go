// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"darwaza.dev/internal/lang"
)

// TestContestLook opens the pages on which answers are contested and cases answered, in
// each language, on a telephone and at a desk.
func TestContestLook(t *testing.T) {
	p := newTestPost(t)
	numbers := map[string]string{}
	for i, name := range []string{"form", "open", "late", "upheld", "changed"} {
		numbers[name] = p.refusedNumber(100 + 10*i)
	}
	at := map[string]map[string]string{}
	for _, tag := range lang.Tags {
		at[string(tag)] = map[string]string{"form": p.post("/"+string(tag)+"/contest", "", url.Values{"number": {numbers["form"]}}).Header.Get("Location")}
	}
	for _, name := range []string{"open", "late", "upheld", "changed"} {
		path := strings.TrimPrefix(p.caseFor("en", numbers[name]), "/en")
		for _, tag := range lang.Tags {
			at[string(tag)][name] = "/" + string(tag) + path
		}
	}
	p.answered(numbers["upheld"], "upheld", "clause", "nothing")
	p.answered(numbers["changed"], "changed", "input", "book")
	officers := map[string]string{}
	for _, name := range []string{"form", "open", "changed"} {
		officers[name] = strings.TrimPrefix(p.post("/en/cases", "supervisor", url.Values{"site": {"1"}, "number": {numbers[name]}}).Header.Get("Location"), "/en")
	}
	shown := map[string]func(l string) reply{
		"find":        func(l string) reply { return p.get("/"+l+"/contest", "") },
		"unknown":     func(l string) reply { return p.post("/"+l+"/contest", "", url.Values{"number": {"AAAA"}}) },
		"list":        func(l string) reply { return p.get("/"+l+"/cases?site=1", "supervisor") },
		"clerk":       func(l string) reply { return p.get("/"+l+"/cases?site=1", "clerk") },
		"for-someone": func(l string) reply { return p.get("/"+l+officers["form"], "clerk") },
		"to-answer":   func(l string) reply { return p.get("/"+l+officers["open"], "supervisor") },
		"answer-wrong": func(l string) reply {
			return p.post("/"+l+officers["open"]+"/answer", "supervisor", url.Values{"idem": {"0123456789abcdef"}})
		},
		"answered": func(l string) reply { return p.get("/"+l+officers["changed"], "supervisor") },
		"day":      func(l string) reply { return p.get("/"+l+"/day?site=1", "supervisor") },
		"board":    func(l string) reply { return p.get("/"+l+"/", "") },
	}
	for _, name := range []string{"form", "open", "upheld", "changed"} {
		shown[name] = func(l string) reply { return p.get(at[l][name], "") }
	}
	shown["late"] = func(l string) reply {
		was := p.now
		p.now = p.now.AddDate(0, 0, 9)
		defer func() { p.now = was }()
		return p.at(p.post("/"+l+"/contest", "", url.Values{"number": {numbers["late"]}}), "")
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if rest, ok := strings.CutPrefix(r.URL.Path, "/show/"); ok {
			tag, name, _ := strings.Cut(rest, "/")
			got := shown[name](tag)
			for k, v := range got.Header {
				w.Header()[k] = v
			}
			w.WriteHeader(got.StatusCode)
			fmt.Fprint(w, got.body)
			return
		}
		p.server.ServeHTTP(w, r)
	}))
	t.Cleanup(srv.Close)
	c := openChrome(t, &post{t: t, url: srv.URL})
	for _, width := range []int64{360, 1280} {
		c.size(width, 800)
		for _, tag := range lang.Tags {
			for _, name := range sortedKeys(shown) {
				c.open("/show/" + string(tag) + "/" + name)
				if shown := js[string](c, `document.querySelector("h1")?.innerText??""`); shown == "" {
					t.Fatalf("%s in %s has no heading", name, tag)
				}
				if left := js[string](c, `document.querySelector("main").innerText.match(/\b[a-z]+(\.[a-z_]+)+\b/g)?.join(" ")??""`); left != "" {
					t.Errorf("%s in %s shows keys: %s", name, tag, left)
				}
				c.fits()
				c.axe()
				c.shot(fmt.Sprintf("contest-%s-%s-%d", name, tag, width))
			}
		}
	}
}

// TestContestByKeyboard contests an answer with the keyboard and no script.
func TestContestByKeyboard(t *testing.T) {
	p := newTestPost(t)
	number := p.refusedNumber(1)
	srv := httptest.NewServer(p.server)
	t.Cleanup(srv.Close)
	c := openChrome(t, &post{t: t, url: srv.URL})
	c.size(360, 800)
	c.open("/ur/contest")
	js[bool](c, fmt.Sprintf(`(document.getElementById("number").value=%q, document.getElementById("number").focus(), true)`, number))
	c.keys("\r")
	c.until(`document.querySelector("#words-form") != null && document.documentElement.lang == "ur"`)
	js[bool](c, `(document.getElementById("words").value="پہلی بکنگ منسوخ تھی", true)`)
	// In Persian, by the button of the form: the words stay.
	js[bool](c, `(document.querySelector(".languages button[lang=fa]").click(), true)`)
	c.until(`document.documentElement.lang == "fa" && document.getElementById("words")?.value == "پہلی بکنگ منسوخ تھی"`)
	js[bool](c, `(document.querySelector("#words-form .button").click(), true)`)
	c.until(`document.querySelector(".said") != null`)
	if open, _ := p.casesKept(); len(open) != 1 {
		t.Errorf("%d cases", len(open))
	}
	if said := js[string](c, `document.querySelector("main").innerText`); !strings.Contains(said, "در انتظار پاسخ") {
		t.Errorf("%s", said)
	}
}
