// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"fmt"
	"strings"
	"testing"

	"darwaza.dev/internal/people"
)

// TestHealthDeskInBrowser goes through a positive case in a real browser, and looks at
// each of its pages in three languages and two widths.
func TestHealthDeskInBrowser(t *testing.T) {
	p := openPost(t)
	p.appoint("nurse", people.Health)
	boss, g := p.signedIn("boss", people.Supervisor), p.signedIn("gate", people.GateOfficer)
	boss.get("/en/levels/set?site=1&level=guarded").submit("/en/levels/set", "when", "now")
	tr, other := p.book(10, cnicA, "Bibi Gul", 0), p.book(10, cnicB, "Zar Gul", 0)
	g.get("/en/gate").scan(tr.text, "in")
	form := g.fields("/en/gate", `class="ask"`)
	for k, v := range map[string]string{"temperature": "36.6", "symptoms": "yes", "seen": "yes", "q.screening.contact": "no"} {
		form.Set(k, v)
	}
	g.postForm("/en/gate", form)

	c := openChrome(t, p).size(1280, 900)
	c.signIn("nurse")
	look := func(name string) {
		t.Helper()
		path := js[string](c, `location.pathname`)
		rest := path[len("/en"):]
		for _, l := range []string{"en", "fa", "ur"} {
			for _, width := range []int64{360, 1280} {
				c.size(width, 900)
				c.open("/" + l + rest)
				c.axe()
				c.fits()
				c.shot(fmt.Sprintf("%s-%d-health-%s", l, width, name))
			}
		}
		c.open(path)
	}
	press := func(selector string) {
		t.Helper()
		js[bool](c, fmt.Sprintf(`(window.before=true, document.querySelector(%q).click(), true)`, selector))
		c.until(`window.before!==true && document.readyState=="complete"`)
	}
	says := func(words string) {
		t.Helper()
		if got := js[string](c, `document.querySelector("main").innerText`); !strings.Contains(got, words) {
			t.Fatalf("does not say %q:\n%s", words, got)
		}
	}
	c.open("/en/health")
	look("desk")
	press(`#sent ~ form button`)
	look("ask")
	js[bool](c, `(document.getElementById("q.screening.temperature").value="38.4", document.querySelectorAll("input[type=radio][value=no]").forEach(x=>x.click()), true)`)
	press(`form:has(input[value=ask]) button`)
	look("hot")
	press(`form:has(input[value=sample]) button`)
	look("waits")
	press(`button[value=positive]`)
	look("positive")
	press(`form:has(input[value=isolate]) button`)
	says("Kept apart")
	js[bool](c, `(document.getElementById("crew").value="`+other.text+`", true)`)
	press(`form:has(input[value=hand]) button`)
	says("Goes on with the holder of pass")
	look("isolated")
	path := js[string](c, `location.pathname`)
	c.open(path + "/order")
	look("order")
	c.open(path)
	js[bool](c, `(document.querySelector("input[value='officer/care']").click(), true)`)
	press(`form:has(input[value=release]) button`)
	says("A hospital or health authority has taken over")
	look("closed")
}
