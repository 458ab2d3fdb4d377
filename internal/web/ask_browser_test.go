// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"fmt"
	"net/http/httptest"
	"testing"

	"darwaza.dev/internal/lang"
)

// TestAskInABrowser supposes things with the keyboard, in each language, on a small phone
// and on a wide screen, under an agreement with past doses, one with earlier purchases and
// one with neither slots nor hours: the answer comes without script, nothing sticks out,
// and axe-core finds nothing serious. The whole text of each agreement is looked at too.
func TestAskInABrowser(t *testing.T) {
	for _, x := range []struct{ law, where, field, value, then, row string }{
		{"who-polio", "point=gate&day=2015-03-01&time=10:00", "f.visit.from", "2015-02-01", `document.getElementById("e.dose.1").value="2015-02-20"; document.getElementById("f.departure.state").value="PAK"; document.getElementById("f.control").value="departure"`, "e.dose"},
		{"pk-ir-border-markets", "point=goods&day=2025-09-02&time=10:00&site=mand-pishin", "f.good.code", "07020000", `document.getElementById("f.good.value").value="900"; document.getElementById("lot.1").value="80"`, "lot"},
		{"comesa-str", "point=goods&day=2019-05-02&time=10:00", "f.good.cost", "999.50", `document.getElementById("f.state.from").value="ZM"`, ""},
		{"eac-truck-drivers", "point=gate&day=2020-06-02&time=10:00", "f.crew.size", "2", `true`, ""},
	} {
		p := newTestPost(t)
		_, p.law = lawOf(t, x.law)
		srv := httptest.NewServer(p.server)
		c := openChrome(t, &post{t: t, url: srv.URL})
		for _, width := range []int64{360, 1280} {
			if width > 360 && x.row == "" {
				continue // the same fields again
			}
			c.size(width, 900)
			for _, tag := range lang.Tags {
				look := func(name string) {
					t.Helper()
					c.fits()
					c.axe()
					c.shot(fmt.Sprintf("ask-%s-%s-%s-%d", x.law, name, tag, width))
				}
				c.open("/" + string(tag) + "/ask")
				look("where")
				c.open("/" + string(tag) + "/ask?" + x.where)
				look("what")
				js[bool](c, fmt.Sprintf(`(%s, document.getElementById(%q).value=%q, document.getElementById(%q).focus(), true)`, commas(x.then), x.field, x.value, x.field))
				if x.row != "" {
					js[bool](c, fmt.Sprintf(`(document.querySelector("button[name=more][value='%s']").click(), true)`, x.row))
					c.until(fmt.Sprintf(`document.getElementById("%s.2") != null && document.getElementById(%q).value==%q`, x.row, x.field, x.value))
					js[bool](c, fmt.Sprintf(`(document.getElementById(%q).focus(), true)`, x.field))
				}
				c.keys("\r")
				c.until(`document.querySelector(".answer") != null && document.readyState=="complete"`)
				if got := js[string](c, `location.pathname+location.search`); got != "/"+string(tag)+"/ask" {
					t.Errorf("%s: at %s", x.law, got)
				}
				js[bool](c, `(document.querySelectorAll("details").forEach(d=>d.open=true), true)`)
				look("answer")
				// Another language keeps what was filled in, and the answer.
				other := lang.Tags[(width/300+1)%3]
				if other != tag {
					js[bool](c, fmt.Sprintf(`(document.querySelector(".languages button[lang=%s]").click(), true)`, other))
					c.until(fmt.Sprintf(`document.documentElement.lang==%q && document.querySelector(".answer") != null && document.getElementById(%q).value==%q`, other, x.field, x.value))
				}
				// The clause behind the answer is one press away.
				js[bool](c, `(document.querySelector(".reasons a, table a").click(), true)`)
				c.until(`location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1))) != null`)
				c.open("/" + string(tag) + "/law")
				js[bool](c, `(document.querySelectorAll("details").forEach(d=>d.open=true), true)`)
				look("law")
			}
		}
		srv.Close()
	}
}

// commas makes statements one expression.
func commas(s string) string {
	out := []byte(s)
	quote := false
	for i, c := range out {
		switch {
		case c == '"':
			quote = !quote
		case c == ';' && !quote:
			out[i] = ','
		}
	}
	return string(out)
}
