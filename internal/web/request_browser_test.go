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

// TestRequestsLook opens the pages on which requests are decided: in each language, on a
// telephone and at a desk.
func TestRequestsLook(t *testing.T) {
	p := newTestPost(t)
	slot := p.hold()
	find := func(number string) string {
		r := p.post("/en/requests", "manager", url.Values{"reference": {number}, "site": {"1"}})
		return strings.TrimPrefix(r.Header.Get("Location"), "/en")
	}
	_, open := p.asks(slot, 1, 2)
	_, decided := p.asks(slot, 3)
	p.asks(slot, 4)
	p.call("POST", "/api/v1/requests/"+decided+"/decision", "manager", "decided-00000000", rulingIn{true, "paper"})
	p.book("", hour(10), 5)
	_, refused := p.asks(hour(12), 5)
	p.call("POST", "/api/v1/vendors", "manager", "enrol-0000000000", enrolIn{Document: documentIn{"cnic", "PAK", cnic(7)}, Card: "V-1", Site: "mand-pishin", From: "2025-01-01", Until: "2026-01-01"})
	pages := map[string][2]string{
		"list": {"/requests?site=1", "manager"}, "open": {find(open), "manager"}, "theirs": {find(open), "clerk"},
		"decided": {find(decided), "manager"}, "refused": {find(refused), "clerk"}, "cards": {"/vendors", "manager"},
		"traveller": {strings.TrimPrefix(p.post("/en/booking", "", url.Values{"reference": {open}}).Header.Get("Location"), "/en"), ""},
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if rest, ok := strings.CutPrefix(r.URL.Path, "/show/"); ok {
			tag, name, _ := strings.Cut(rest, "/")
			got := p.get("/"+tag+pages[name][0], pages[name][1])
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
			for _, name := range sortedKeys(pages) {
				c.open("/show/" + string(tag) + "/" + name)
				if shown := js[string](c, `document.querySelector("h1")?.innerText??""`); shown == "" {
					t.Fatalf("%s in %s has no heading", name, tag)
				}
				c.fits()
				c.axe()
				c.shot(fmt.Sprintf("requests-%s-%s-%d", name, tag, width))
			}
		}
	}
}
