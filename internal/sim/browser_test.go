// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image/png"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/makiuchi-d/gozxing"
	reader "github.com/makiuchi-d/gozxing/qrcode"

	"darwaza.dev/internal/lang"
)

// chrome is a window of a real browser with cookies of its own.
type chrome struct {
	t   *testing.T
	ctx context.Context
}

// openChrome starts a browser; a test without one is skipped where there is none.
func openChrome(t *testing.T, flags ...chromedp.ExecAllocatorOption) *chrome {
	t.Helper()
	if testing.Short() {
		t.Skip("needs a browser")
	}
	found := false
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if _, err := exec.LookPath(name); err == nil {
			found = true
		}
	}
	if !found {
		t.Skip("there is no Chromium here: make prerequisites installs it")
	}
	alloc, cancel := chromedp.NewExecAllocator(context.Background(), append(append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox), flags...)...)
	t.Cleanup(cancel)
	ctx, cancel := chromedp.NewContext(alloc)
	t.Cleanup(cancel)
	return start(t, ctx)
}

// start opens the window itself: it lives as long as the context of its first action.
func start(t *testing.T, ctx context.Context) *chrome {
	t.Helper()
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank"), chromedp.EmulateViewport(412, 915)); err != nil {
		t.Fatal(err)
	}
	return &chrome{t, ctx}
}

// window opens another window with cookies of its own.
func (c *chrome) window(t *testing.T) *chrome {
	t.Helper()
	ctx, cancel := chromedp.NewContext(c.ctx, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	return start(t, ctx)
}

func (c *chrome) do(steps ...chromedp.Action[chromedp.Void]) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.ctx, time.Minute)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		c.t.Fatal(err)
	}
}

func (c *chrome) open(url string) *chrome {
	c.t.Helper()
	c.do(chromedp.Navigate(url))
	return c
}

// js evaluates an expression in the page.
func js[T any](c *chrome, expression string) T {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.ctx, time.Minute)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		c.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// until waits for an expression to be true; a page that is just being left has none.
func (c *chrome) until(expression string) *chrome {
	c.t.Helper()
	for range 400 {
		if ok, err := chromedp.Run(c.ctx, chromedp.Evaluate[bool](expression)); err == nil && ok {
			return c
		}
		time.Sleep(25 * time.Millisecond)
	}
	c.t.Fatalf("never true: %s\n%s\n%s", expression, js[string](c, `location.href`), js[string](c, `document.body.innerText`))
	return c
}

// fill sets the value of a field, as somebody who types does.
func (c *chrome) fill(selector, value string) *chrome {
	c.t.Helper()
	if !js[bool](c, fmt.Sprintf(`(e=>{if(!e)return false;e.value=%q;e.dispatchEvent(new Event("input",{bubbles:true}));e.dispatchEvent(new Event("change",{bubbles:true}));return true})(document.querySelector(%q))`, value, selector)) {
		c.t.Fatalf("no %s at %s:\n%s", selector, js[string](c, `location.href`), js[string](c, `document.body.innerText`))
	}
	return c
}

// follow clicks on something that leads to another page, and waits for it.
func (c *chrome) follow(selector string) *chrome {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.ctx, 30*time.Second)
	defer cancel()
	if !js[bool](c, fmt.Sprintf(`document.querySelector(%q)!==null`, selector)) {
		c.t.Fatalf("no %s at %s:\n%s", selector, js[string](c, `location.href`), js[string](c, `document.body.innerText`))
	}
	res, err := chromedp.RunResponse(ctx, chromedp.Click(selector))
	if err != nil {
		c.t.Fatalf("%s at %s: %v", selector, js[string](c, `location.href`), err)
	}
	if res.Status >= 500 {
		c.t.Fatalf("%s leads to %d:\n%s", selector, res.Status, js[string](c, `document.body.innerText`))
	}
	return c
}

func (c *chrome) signIn(s *Side, tag lang.Tag, login string) *chrome {
	c.t.Helper()
	c.open(s.Address + "/" + string(tag) + "/sign-in")
	for _, l := range s.People {
		if l.Login == login {
			c.fill("#login", l.Login).fill("#word", l.Word)
		}
	}
	return c.follow("main form button.button")
}

// axe fails on what axe-core finds serious or critical, on keys of texts that were left
// unsaid, and on a page that is wider than the screen.
func (c *chrome) axe() *chrome {
	c.t.Helper()
	src, err := os.ReadFile(filepath.Join("..", "..", "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		c.t.Skipf("axe-core is not fetched (make build fetches it): %v", err)
	}
	if _, err := chromedp.Run(c.ctx, chromedp.Evaluate[bool](string(src)+";true")); err != nil {
		c.t.Fatal(err)
	}
	out := js[string](c, `axe.run(document,{resultTypes:["violations"]}).then(r=>JSON.stringify(r.violations.filter(v=>v.impact=="serious"||v.impact=="critical").map(v=>v.id+": "+v.help+"\n  "+v.nodes.map(n=>n.html.slice(0,200)).join("\n  "))))`)
	var found []string
	if err := json.Unmarshal([]byte(out), &found); err != nil {
		c.t.Fatal(err)
	}
	for _, f := range found {
		c.t.Errorf("%s: %s", js[string](c, `location.href`), f)
	}
	if over := js[int](c, `document.documentElement.scrollWidth-document.documentElement.clientWidth`); over > 0 {
		c.t.Errorf("%s is %d pixels wider than the screen", js[string](c, `location.href`), over)
	}
	if keys := js[string](c, `document.body.innerText.match(/\b[a-z]+(\.[a-z_]+)+\b/g)?.filter(k=>!k.includes("darwaza")&&!/\.(com|org|net|int|gov|pk)$/.test(k)).join(" ")??""`); keys != "" {
		c.t.Errorf("%s shows keys of texts: %s", js[string](c, `location.href`), keys)
	}
	return c
}

// scanQR reads the first QR code of the page from a picture of the screen, as a scanner
// does.
func (c *chrome) scanQR() string {
	c.t.Helper()
	shot, err := chromedp.Run(c.ctx, chromedp.ScreenshotScale(".qr", 2))
	if err != nil {
		c.t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(shot))
	if err != nil {
		c.t.Fatal(err)
	}
	b, err := gozxing.NewBinaryBitmapFromImage(img)
	if err != nil {
		c.t.Fatal(err)
	}
	r, err := reader.NewQRCodeReader().Decode(b, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_TRY_HARDER: true})
	if err != nil {
		c.t.Fatalf("no QR code can be read from the screen: %v", err)
	}
	return r.GetText()
}

// scanner types as a hand scanner does: fast, wherever the focus is, and Enter at the end.
func (c *chrome) scanner(text string) *chrome {
	c.t.Helper()
	c.do(chromedp.KeyEvent(text + "\r"))
	return c
}

func (c *chrome) answers(outcome string) *chrome {
	c.t.Helper()
	return c.until(fmt.Sprintf(`document.querySelector("#answer")?.dataset.outcome==%q`, outcome))
}

// openDemo runs a demonstration with the morning under way.
func openDemo(t *testing.T) *Demo {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	d, err := Start(ctx, Config{Dir: t.TempDir(), Seed: 5})
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := d.Open(ctx, 1, nil); err != nil {
		t.Fatal(err)
	}
	return d
}

// iranian numbers and CNICs of travellers whom the test invents.
func testNumber(n int) string { return fmt.Sprintf("5530%d-%07d-%d", n%9, 4000000+n, 1+n%9) }

// bookPlace books a place as a traveller does, from the public board to the pass, and
// returns what a scanner reads from the screen.
func bookPlace(c *chrome, s *Side, tag lang.Tag, n int, look bool) (pass string) {
	c.t.Helper()
	see := func() {
		if look {
			c.axe()
		}
	}
	c.open(s.Address + "/" + string(tag) + "/")
	see()
	c.open(s.Address + "/" + string(tag) + "/book")
	for range 6 {
		see()
		if js[bool](c, `document.querySelector("form#party")!==null`) {
			break
		}
		// The first choice each time, of those that have room: this market, a visitor, today, this hour.
		if !js[bool](c, `(a=>{if(!a)return false;a.id="pick";return true})([...document.querySelectorAll("ul.slots a")].find(a=>!a.querySelector(".full")))`) {
			c.t.Fatalf("nothing to choose at %s:\n%s", js[string](c, `location.href`), js[string](c, `document.body.innerText`))
		}
		c.follow("#pick")
	}
	c.fill("#kind-1", "cnic").fill("#number-1", testNumber(n)).fill("#country-1", "PAK").fill("#name-1", "Gul Invented").fill("#children-1", "1")
	see()
	c.follow("form#party .actions button.button:not(.second)")
	see()
	c.follow("form#check .actions button.button:not(.second)")
	see()
	if !js[bool](c, `document.querySelector(".qr")!==null`) {
		c.t.Fatalf("no pass:\n%s", js[string](c, `document.body.innerText`))
	}
	text := c.scanQR()
	if !strings.HasPrefix(text, "DW1:") {
		c.t.Fatalf("the code on the screen says %q", text)
	}
	c.follow(`main a.button[href$="/pass"]`)
	see()
	if again := c.scanQR(); again != text {
		c.t.Errorf("the paper bears another code than the screen: %q", again)
	}
	return text
}

// TestBrowser drives the real demonstration with a real browser.
func TestBrowser(t *testing.T) {
	first := openChrome(t)
	plain := openChrome(t, chromedp.Flag("blink-settings", "scriptEnabled=false"))
	d := openDemo(t)
	t.Run("market day", func(t *testing.T) { marketDay(t, first, d) })
	t.Run("every page", func(t *testing.T) { everyPage(t, first, d) })
	t.Run("no script", func(t *testing.T) { noScript(t, plain, d) })
}

// marketDay is the day of one trader in each language: books at side A, is let in at side
// B's gate with the line cut, buys more than the category allows at A's desk, gets a
// receipt, and leaves.
func marketDay(t *testing.T, first *chrome, d *Demo) {
	for n, tag := range lang.Tags {
		t.Run(string(tag), func(t *testing.T) {
			trader, gate, desk := first.window(t), first.window(t), first.window(t)
			root := d.A.Address + "/" + string(tag)
			trader.open(root + "/demo").axe()
			pass := bookPlace(trader, d.A, tag, n, true)

			trader.open(root + "/demo").follow(`button[value="cut"]`).axe()
			t.Cleanup(func() { d.Cut(false) })
			if !d.A.Post.Exchange().Status().Cut || !d.B.Post.Exchange().Status().Cut {
				t.Fatal("the line is not cut")
			}

			gate.signIn(d.B, tag, "gate").open(d.B.Address + "/" + string(tag) + "/gate").axe()
			certificate, err := d.health.certificate("Gul Invented", Dosed, d.Clock.Now())
			if err != nil {
				t.Fatal(err)
			}
			gate.scanner(certificate).answers("PROOF").axe()
			gate.scanner(pass).answers("REFER").axe() // whose certificate it is nobody here knows
			gate.fill("#temperature", "36.6")
			js[bool](gate, `(document.querySelector("#symptoms-no").click(), document.querySelector("[id$='contact-no']").click(), document.querySelector("#document").value="", true)`)
			gate.fill("#document", testNumber(n))
			js[bool](gate, `(document.querySelector("form.ask .actions button[name='owner']").click(), true)`)
			gate.answers("ALLOW").axe()
			if text := js[string](gate, `document.querySelector("#answer").innerText`); strings.Contains(text, testNumber(n)) {
				t.Errorf("the answer shows the number of the document: %s", text)
			}

			desk.signIn(d.A, tag, "customs").open(root + "/desk").axe()
			desk.fill("#text", pass).follow("main form button.button")
			if js[bool](desk, `document.querySelector("#document")!==null`) {
				desk.axe().fill("#document", testNumber(n)).fill("#name", "Gul Invented").follow("main form button.button")
			}
			desk.axe()
			buyer := js[string](desk, `location.href.split("?")[0]`)
			ask := func(category string, cents int64) *chrome {
				code, unit := displayed(t, d, category)
				q := (cents*100 + unit - 1) / unit // hundredths of a kilogram
				return desk.open(fmt.Sprintf("%s?site=1&code=%s&quantity=%d.%02d", buyer, code, q/100, q%100)).axe()
			}
			verdict := func(want string) {
				t.Helper()
				if !js[bool](desk, fmt.Sprintf(`document.querySelector("#check .verdict.%s")!==null`, want)) {
					t.Fatalf("want %s:\n%s", want, js[string](desk, `document.querySelector("#check").innerText`))
				}
			}
			// Little, for which there is a concession.
			ask("I", 2000)
			verdict("ALLOW")
			desk.follow("#check form button[data-act]").axe()
			ask("II", 4500)
			verdict("ALLOW")
			desk.follow("#check form button[data-act]").axe()
			// More than the day allows, and what still fits.
			ask("III", 4500)
			verdict("REFUSE")
			// More than the category allows: lawful at the statutory rate, with the clause named.
			ask("I", 3100)
			verdict("DIVERT")
			if text := js[string](desk, `document.querySelector("#check").innerText`); !strings.Contains(text, "P8(iv)") {
				t.Errorf("the clause is not named:\n%s", text)
			}
			js[bool](desk, `(document.querySelector('#check input[name="accept"]').click(), true)`)
			desk.follow("#check form button[data-act]").axe()
			// The receipt, on paper, which can be verified.
			desk.follow(`#done a[href*="/desk/receipt/"]`).axe()
			receipt := desk.scanQR()
			trader.open(root + "/receipt").axe()
			trader.fill("#receipt", receipt).follow("main form button.button").axe()
			if !js[bool](trader, `document.querySelector("main .note.good, main .verdict.ALLOW")!==null`) {
				t.Errorf("the receipt is not good:\n%s", js[string](trader, `document.querySelector("main").innerText`))
			}

			gate.open(d.B.Address + "/" + string(tag) + "/gate?direction=out").scanner(pass).answers("ALLOW").axe()
			// The same pass out a second time is shown with both scans.
			gate.open(d.B.Address + "/" + string(tag) + "/gate?direction=out").scanner(pass).answers("REFER").axe()
			if !js[bool](gate, `document.querySelector("#answer .double")!==null`) {
				t.Errorf("the two scans are not shown:\n%s", js[string](gate, `document.querySelector("#answer").innerText`))
			}
			d.Cut(false)
		})
	}
}

// displayed returns a good of a category that is sold by weight, and the value of a unit
// in minor units, as A's list of the day has it.
func displayed(t *testing.T, d *Demo, category string) (code string, minor int64) {
	t.Helper()
	var values struct {
		Values []struct {
			Good     string `json:"good"`
			Category string `json:"category"`
			Unit     string `json:"unit"`
			Minor    *int64 `json:"minor"`
		} `json:"values"`
	}
	c := caller{base: d.A.peer, token: d.A.tokens["customs"], client: newClient()}
	if err := c.call(context.Background(), http.MethodGet, "/api/v1/values?site="+playSite, "", nil, &values); err != nil {
		t.Fatal(err)
	}
	for _, v := range values.Values {
		if v.Category == category && v.Unit == "kg" && v.Minor != nil {
			return v.Good, *v.Minor
		}
	}
	t.Fatalf("no good of category %s with a value", category)
	return "", 0
}

// everyPage opens every page with the day under way and lets axe-core look at it:
// everybody's pages in each language, officers' at A in one and at B in another (package
// web looks at each in all of them).
func everyPage(t *testing.T, first *chrome, d *Demo) {
	pages := map[string][]string{
		"":           {"/", "/before", "/law", "/goods", "/values", "/receipt", "/book", "/booking", "/sign-in", "/demo", "/nowhere"},
		"clerk":      {"/clerk", "/clerk/book", "/word"},
		"gate":       {"/gate", "/gate?direction=out", "/gate/find", "/gate/scans"},
		"customs":    {"/desk", "/desk/values"},
		"supervisor": {"/day", "/gate/scans?all=1"},
		"manager":    {"/vendors", "/day"},
		"admin":      {"/officers", "/officers/new"},
	}
	for i, side := range []*Side{d.A, d.B} {
		for login, paths := range pages {
			w := first.window(t)
			if login != "" {
				w.signIn(side, lang.EN, login)
			}
			for _, tag := range lang.Tags {
				if i == 1 && tag != lang.FA || login != "" && i == 0 && tag != lang.EN {
					continue
				}
				for _, p := range paths {
					w.open(side.Address + "/" + string(tag) + p).axe()
					if p != "/demo" && !js[bool](w, `document.querySelector(".banner")!==null`) {
						t.Errorf("%s%s does not say that this is a demonstration", side.Address, p)
					}
				}
			}
		}
	}
}

// noScript books, looks up and cancels with script switched off.
func noScript(t *testing.T, c *chrome, d *Demo) {
	c = &chrome{t, c.ctx}
	bookPlace(c, d.B, lang.UR, 77, false)
	c.follow(`main a[href*="/booking/"]`)
	c.follow(`main a.button[href$="/cancel"]`)
	c.follow(`main form button.button`)
	if js[bool](c, `document.querySelector(".qr")!==null`) {
		t.Errorf("the pass of a cancelled booking is still shown:\n%s", js[string](c, `document.body.innerText`))
	}
}
