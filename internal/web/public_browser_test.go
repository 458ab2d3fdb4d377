// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"darwaza.dev/internal/lang"
)

// TestPublicPagesInABrowser opens every page of a traveller in each language on a small
// phone, and in Urdu on a wide screen: nothing sticks out, and axe-core finds nothing serious.
func TestPublicPagesInABrowser(t *testing.T) {
	p := newTestPost(t)
	pages := travellersPages(p)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// A page that answers a form is asked for here by name, and shown as it was answered.
		if rest, ok := strings.CutPrefix(r.URL.Path, "/show/"); ok {
			tag, name, _ := strings.Cut(rest, "/")
			got := pages[name](tag)
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
	names := sortedKeys(pages)
	if !slices.Contains(names, "board") {
		t.Fatal(names)
	}
	for _, width := range []int64{320, 1280} {
		c.size(width, 900)
		for _, tag := range lang.Tags {
			if width > 320 && tag != lang.UR {
				continue // the widest letters and the tallest lines
			}
			for _, name := range names {
				c.open("/show/" + string(tag) + "/" + strings.ReplaceAll(name, " ", "%20"))
				c.fits()
				if width == 320 && tag != lang.FA { // what axe looks at is the same in Persian and Urdu
					c.axe()
				}
				c.shot(fmt.Sprintf("public-%s-%s-%d", strings.ReplaceAll(name, " ", "-"), tag, width))
			}
		}
	}
}

// TestBookInABrowser books with the keyboard and no script: Enter in a field sends the
// form, and does not change the language.
func TestBookInABrowser(t *testing.T) {
	p := newTestPost(t)
	srv := httptest.NewServer(p.server)
	t.Cleanup(srv.Close)
	c := openChrome(t, &post{t: t, url: srv.URL})
	c.size(360, 800)
	c.open("/ur/book?site=mand-pishin&class=visitor&day=2025-09-02")
	js[bool](c, `(document.querySelectorAll(".slots a")[2].click(), true)`)
	c.until(`document.querySelector("#party") != null`)
	js[bool](c, fmt.Sprintf(`(document.getElementById("kind-1").value="cnic", document.getElementById("number-1").value=%q, document.getElementById("number-1").focus(), true)`, cnic(1)))
	c.keys("\r")
	c.until(`document.querySelector("#check") != null && document.documentElement.lang == "ur"`)
	// In Persian, by the button of the form: the answers stay.
	js[bool](c, `(document.querySelector(".languages button[lang=fa]").click(), true)`)
	c.until(`document.querySelector("#check") != null && document.documentElement.lang == "fa"`)
	js[bool](c, `(document.querySelector("#check .button").click(), true)`)
	c.until(`document.querySelector(".qr") != null`)
	if b := p.bookings(); len(b) != 1 {
		t.Errorf("%d bookings", len(b))
	}
	if path := js[string](c, `location.pathname`); !strings.HasPrefix(path, "/fa/booking/") {
		t.Errorf("at %s", path)
	}
}
