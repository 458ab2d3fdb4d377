// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"fmt"
	"math"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"darwaza.dev/internal/people"
	"darwaza.dev/internal/service"
	"darwaza.dev/internal/stats"
)

// TestOfficersPages looks at every page of the officers in three languages and at the
// widths of a telephone, a tablet and a desk: nothing serious for axe-core, and nothing
// wider than the screen.
func TestOfficersPages(t *testing.T) {
	p, desk, tr := shop(t)
	c := openChrome(t, p)
	p.appoint("all", people.Roles[:]...)
	// A day under way.
	gate := p.browser()
	gate.signIn("mand", p.words["mand"])
	for i := range 24 {
		p.at(fmt.Sprintf("%02d:%02d", 10+i/8, max((i*7)%60, 11)))
		gate.enter(p.book(10+i/8, fmt.Sprintf("35202-%07d-1", 2000000+i), "Nobody", i%4))
	}
	p.at("13:00")
	for _, buy := range [][2]string{{tomato, "60"}, {kiwi, "20"}, {ground, "4"}} {
		desk.want(buy[0], buy[1]).submit("/en/desk/buy")
	}
	m := buyerAt.FindStringSubmatch(desk.path)
	form := desk.fields("/en/desk/void")
	form.Set("why", "returned")
	desk.postForm("/en/desk/void", form)
	receipt := receiptNo.FindString(desk.text())
	gate.get("/en/gate").scan(tr.text, "in")
	gate.complete(tr)
	decide := "/gate/scan/" + gate.fields("/en/gate/decide").Get("pass") + "/" + gate.fields("/en/gate/decide").Get("serial") + "?site=1&gate=1"
	p.do(service.OtherFigures{Site: mand, Day: 9376, Figures: stats.Other{Inside: 141, Peak: 150, Entries: 160, Exits: 19, AsOf: p.clock().Add(-3 * time.Minute)}})
	buyer := strings.TrimPrefix(m[1], "/en")
	manager := p.signedIn("manager", people.Manager)
	manager.get("/en/vendors").submit("/en/vendors", "document", cnicA, "kind", "cnic")
	card := strings.TrimPrefix(strings.SplitN(manager.path, "?", 2)[0], "/en")
	manager.submit("/en" + card)
	officer := p.appoint("somebody", people.GateOfficer)

	c.open("/en/sign-in").axe()
	c.shot("en-768-sign-in")
	c.signIn("all")
	pages := []struct{ name, path string }{
		{"gate", "/gate"},
		{"decide", decide},
		{"find", "/gate/find"},
		{"scans", "/gate/scans?site=1&gate=1&all=1"},
		{"goods-out", "/gate/goods"},
		{"desk", "/desk"},
		{"buyer", buyer + "?site=1"},
		{"search", buyer + "?site=1&q=" + "چای"},
		{"allow", buyer + "?site=1&code=" + tomato + "&quantity=4"},
		{"divert", buyer + "?site=1&code=" + bicycle + "&quantity=1"},
		{"refuse", buyer + "?site=1&code=" + ground + "&quantity=20"},
		{"refer", buyer + "?site=1&code=07031000&quantity=3"},
		{"receipt", "/desk/receipt/" + receipt},
		{"roll", "/desk/receipt/" + receipt + "?paper=80"},
		{"values-edit", "/desk/values"},
		{"values", "/values"},
		{"day", "/day"},
		{"levels", "/levels?site=1"},
		{"intake", "/intake?site=1"},
		{"level", "/levels/set?site=1&level=guarded"},
		{"vendors", "/vendors"},
		{"vendor", card + "?site=1"},
		{"officers", "/officers"},
		{"officer", "/officers/" + string(officer)},
		{"word", "/word"},
	}
	for _, tag := range []string{"en", "fa", "ur"} {
		for _, width := range []int64{360, 768, 1280} {
			// Each direction of script is looked at narrow and wide; all of it when there is
			// somebody to look at the pictures.
			if os.Getenv("DARWAZA_SHOTS") == "" && (tag == "fa" && width != 1280 || tag == "ur" && width != 360) {
				continue
			}
			c.size(width, map[int64]int64{360: 780, 768: 1024, 1280: 800}[width])
			for _, pg := range pages {
				// Between narrow and wide only the pages with a layout of their own for it.
				if os.Getenv("DARWAZA_SHOTS") == "" && width == 768 && !slices.Contains([]string{"gate", "decide", "buyer", "day"}, pg.name) {
					continue
				}
				c.open("/" + tag + pg.path)
				if left := js[string](c, `document.body.innerText.match(/\b[a-z]+(\.[a-z_]+)+\b/g)?.filter(k=>!k.includes("darwaza")).join(" ")??""`); left != "" {
					t.Errorf("%s in %s shows keys: %s", pg.name, tag, left)
				}
				c.fits()
				if width != 768 {
					c.axe()
				}
				c.shot(fmt.Sprintf("%s-%d-%s", tag, width, pg.name))
			}
		}
	}
}

// TestGateAnswersLook opens each of the gate's answers as the officer sees it.
func TestGateAnswersLook(t *testing.T) {
	p := openPost(t)
	p.appoint("mand", people.GateOfficer)
	b := p.browser()
	b.signIn("mand", p.words["mand"])
	c := openChrome(t, p)
	c.signIn("mand")
	in, twice := p.book(10, cnicA, "Bibi Gul", 2), p.book(10, cnicB, "Gul Khan", 0)
	b.enter(twice)
	customs := p.appoint("customs", people.Customs)
	p.display(customs, map[string]int64{tomato: 50})
	p.do(service.Buy{ID: "R-000000000000", Site: mand, Pass: twice.b.Members[0].Pass, Tag: twice.b.Members[0].Tag, Code: tomato, Quantity: 10_000, Officer: customs, Document: "cnic", Named: true})
	changed := p.book(10, "35202-1234599-1", "Nobody", 0)
	b.get("/en/gate").scan(changed.text, "in")
	decide := b.fields("/en/gate/decide")
	p.do(service.Cancel{Ref: changed.b.Ref})
	p.do(service.DecideScan{Pass: changed.b.Members[0].Pass, Serial: p.presence(changed).Pending, Admit: true, Why: "seen", Officer: p.appoint("boss", people.Supervisor), Gate: 1})
	notDone := fmt.Sprintf("/gate/scan/%s/%s?site=1&gate=1&did=admit", decide.Get("pass"), decide.Get("serial"))
	typed, before := p.book(10, "35202-1234577-1", "Zarmina", 0), p.book(10, "35202-1234588-1", "Gul Bano", 0)
	b.get("/en/gate").scan(before.text, "in")
	keyed := b.fields("/en/gate", `class="ask"`)
	keyed.Set("document", cnicB)
	keyed.Set("temperature", "39.6")
	keyed.Set("symptoms", "yes")
	b.postForm("/en/gate", keyed)
	for _, tag := range []string{"en", "fa", "ur"} {
		for _, width := range []int64{360, 768, 1280} {
			if os.Getenv("DARWAZA_SHOTS") == "" && (tag == "en") != (width == 768) && width != 360 {
				continue
			}
			c.size(width, map[int64]int64{360: 780, 768: 1024, 1280: 800}[width])
			for _, x := range []struct{ name, outcome, text string }{
				{"HOLD", "HOLD", in.text}, {"REFUSE", "REFUSE", "https://example.org/menu"}, {"REFER", "REFER", twice.text}, {"before", "REFER", before.text},
			} {
				c.open("/" + tag + "/gate")
				c.keys(x.text + "\r")
				c.until(shows(x.outcome))
				c.axe()
				c.fits()
				c.shot(fmt.Sprintf("%s-%d-gate-%s", tag, width, x.name))
			}
			// A document that is another's: it is keyed again where it was refused.
			c.open("/" + tag + "/gate")
			c.keys(typed.text + "\r").until(`document.getElementById("document")!==null`)
			js[bool](c, `(document.getElementById("document").value="`+cnicB+`",document.getElementById("temperature").value="36.6",document.getElementById("symptoms-no").checked=true,document.querySelector("form.ask").requestSubmit(),true)`)
			c.until(shows("REFUSE"))
			c.axe()
			c.fits()
			c.shot(fmt.Sprintf("%s-%d-gate-mistyped", tag, width))
			// What was keyed is no document and no temperature.
			c.open("/" + tag + "/gate")
			c.keys(in.text + "\r").until(shows("HOLD"))
			js[bool](c, `(document.getElementById("document").value="?!",document.getElementById("temperature").value="12",document.querySelector("form.ask").requestSubmit(),true)`)
			c.until(`document.querySelector(".summary")!==null`)
			c.axe()
			c.fits()
			c.shot(fmt.Sprintf("%s-%d-gate-mend", tag, width))
			c.open("/" + tag + notDone)
			c.axe()
			c.fits()
			c.shot(fmt.Sprintf("%s-%d-gate-changed", tag, width))
		}
	}
	js[bool](c, `(location.href="/en/gate",true)`)
	c.size(768, 1024).until(`document.readyState=="complete"`)
	for _, tag := range []string{"en", "fa", "ur"} {
		c.open("/" + tag + "/gate?direction=out")
		c.keys(twice.text + "\r").until(`document.getElementById("answer").dataset.outcome=="ALLOW" || document.getElementById("answer").dataset.outcome=="REFER"`)
		c.axe()
		c.fits()
		c.shot(tag + "-768-gate-out")
	}
}

// TestReceiptOnPaper prints a receipt: one sheet of the size that was asked for, in the
// language with the tallest letters.
func TestReceiptOnPaper(t *testing.T) {
	p, desk, _ := shop(t)
	desk.want(tomato, "60").submit("/en/desk/buy")
	receipt := receiptNo.FindString(desk.text())
	c := openChrome(t, p)
	c.signIn("customs")
	for query, mm := range map[string][2]float64{"": {148, 210}, "?paper=80": {80, 240}} {
		c.open("/ur/desk/receipt/" + receipt + query)
		pdf, err := chromedp.Run(c.ctx, chromedp.PrintToPDF(chromedp.PDFPreferCSSPageSize()))
		if err != nil {
			t.Fatal(err)
		}
		boxes := regexp.MustCompile(`/MediaBox ?\[0 0 ([0-9.]+) ([0-9.]+)\]`).FindAllSubmatch(pdf, -1)
		if len(boxes) != 1 {
			t.Errorf("%q: %d sheets %q", query, len(boxes), boxes)
			continue
		}
		for i, want := range mm {
			pt, err := strconv.ParseFloat(string(boxes[0][i+1]), 64)
			if err != nil || math.Abs(pt*25.4/72-want) > 1 {
				t.Errorf("%q: side %d is %.0f mm, want %.0f", query, i, pt*25.4/72, want)
			}
		}
	}
}
