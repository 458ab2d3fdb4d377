// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// chrome is a real browser at a post's pages. With the environment variable
// DARWAZA_SHOTS set to a folder, shot leaves pictures there to look at.
type chrome struct {
	t   *testing.T
	p   *post
	ctx context.Context
}

func openChrome(t *testing.T, p *post, flags ...chromedp.ExecAllocatorOption) *chrome {
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
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.Flag("font-render-hinting", "none"))
	opts = append(opts, flags...)
	alloc, cancel := chromedp.NewExecAllocator(context.Background(), opts...)
	t.Cleanup(cancel)
	ctx, cancel := chromedp.NewContext(alloc)
	t.Cleanup(cancel)
	c := &chrome{t: t, p: p, ctx: ctx}
	c.do(chromedp.Navigate("about:blank"))
	return c
}

func (c *chrome) do(steps ...chromedp.Action[chromedp.Void]) {
	c.t.Helper()
	if err := chromedp.Do(c.ctx, steps...); err != nil {
		c.t.Fatal(err)
	}
}

func (c *chrome) size(width, height int64) *chrome {
	c.t.Helper()
	c.do(chromedp.EmulateViewport(width, height))
	return c
}

func (c *chrome) open(path string) *chrome {
	c.t.Helper()
	c.do(chromedp.Navigate(c.p.url + path))
	return c
}

// js evaluates an expression in the page.
func js[T any](c *chrome, expression string) T {
	c.t.Helper()
	v, err := chromedp.Run(c.ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		c.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// until waits for an expression to be true; a page that is just being left has none.
func (c *chrome) until(expression string) *chrome {
	c.t.Helper()
	for range 200 {
		if ok, err := chromedp.Run(c.ctx, chromedp.Evaluate[bool](expression)); err == nil && ok {
			return c
		}
		c.do(chromedp.Sleep(50 * time.Millisecond))
	}
	c.t.Fatalf("never true: %s\n%s", expression, js[string](c, `document.body.innerText`))
	return c
}

func (c *chrome) keys(s string) *chrome {
	c.t.Helper()
	c.do(chromedp.KeyEvent(s))
	return c
}

func (c *chrome) signIn(login string) {
	c.t.Helper()
	c.open("/en/sign-in")
	js[bool](c, fmt.Sprintf(`(login.value=%q, word.value=%q, login.form.requestSubmit(), true)`, login, c.p.words[login]))
	c.until(`document.readyState=="complete" && !location.pathname.includes("sign-in")`)
}

// axe reports what axe-core finds serious or critical on the page.
func (c *chrome) axe() {
	c.t.Helper()
	const file = "../../node_modules/axe-core/axe.min.js"
	src, err := os.ReadFile(file)
	if err != nil {
		c.t.Skipf("axe-core is not fetched: %v", err)
	}
	if _, err := chromedp.Run(c.ctx, chromedp.Evaluate[bool](string(src)+";true")); err != nil {
		c.t.Fatal(err)
	}
	out := js[string](c, `axe.run(document,{resultTypes:["violations"]}).then(r=>JSON.stringify(r.violations.filter(v=>v.impact=="serious"||v.impact=="critical").map(v=>({id:v.id,help:v.help,nodes:v.nodes.map(n=>n.html.slice(0,200)+" | "+(n.any[0]?.message??""))}))))`)
	var found []struct {
		ID, Help string
		Nodes    []string
	}
	if err := json.Unmarshal([]byte(out), &found); err != nil {
		c.t.Fatal(err)
	}
	for _, f := range found {
		c.t.Errorf("%s: %s: %s\n  %s", js[string](c, "location.pathname"), f.ID, f.Help, strings.Join(f.Nodes, "\n  "))
	}
}

// fits fails where the page is wider than the screen.
func (c *chrome) fits() {
	c.t.Helper()
	if over := js[int](c, `document.documentElement.scrollWidth-document.documentElement.clientWidth`); over > 0 {
		wide := js[string](c, `[...document.querySelectorAll("main *")].filter(e=>{const r=e.getBoundingClientRect();return (r.right>innerWidth+1||r.left<-1)&&!e.closest(".scroll,.hidden")}).slice(0,5).map(e=>e.outerHTML.slice(0,120)).join("\n")`)
		c.t.Errorf("%s is %d pixels wider than the screen of %d:\n%s", js[string](c, "location.pathname"), over, js[int](c, "innerWidth"), wide)
	}
}

func (c *chrome) shot(name string) {
	c.t.Helper()
	dir := os.Getenv("DARWAZA_SHOTS")
	if dir == "" {
		return
	}
	png, err := chromedp.Run(c.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		c.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644); err != nil {
		c.t.Fatal(err)
	}
}
