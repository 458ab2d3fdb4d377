// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"darwaza.dev/agreements"
	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/rules"
)

// page loads the build and asks every case of it: a bundle's file and a question. Its
// script stands in a file of its own, as a page of ours would have it.
const page = `<!doctype html><meta charset="utf-8"><title>law</title><script src="/glue.js"></script><script src="/drive.js"></script>`

const drive = `
"use strict";
const all = async () => {
	const go = new Go();
	const { instance } = await WebAssembly.instantiateStreaming(fetch("/verdict.wasm"), go.importObject);
	go.run(instance);
	const bundles = {}, out = [];
	for (const [file, query] of await (await fetch("/cases.json")).json()) {
		bundles[file] ??= new Uint8Array(await (await fetch("/bundle/" + file)).arrayBuffer());
		out.push({ ...darwazaCheck(bundles[file], query), ...darwazaExplain(bundles[file], query) });
	}
	await fetch("/answers.json", { method: "POST", body: JSON.stringify(out) });
	return out.length;
};
`

// build makes the browser build as "make verdict" does.
func build(t *testing.T) []byte {
	t.Helper()
	out := filepath.Join(t.TempDir(), "verdict.wasm")
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-gcflags=all=-l", "-ldflags", "-s -w -buildid=", "-o", out, ".")
	cmd.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm", "GOWASM=satconv,signext", "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return read(t, out)
}

// glue is the file with which Go's builds for the browser are started.
func glue(t *testing.T) []byte {
	t.Helper()
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	return read(t, filepath.Join(strings.TrimSpace(string(root)), "lib", "wasm", "wasm_exec.js"))
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// question is a question about a package, with what the server answers.
type question struct {
	scenario, file string
	query          []byte
	verdict        []byte
	explanation    []byte
}

// questions are all scenarios of all packages that come with the program, and the bundle
// of each.
func questions(t *testing.T) (all []question, bundles map[string][]byte) {
	t.Helper()
	entries, err := fs.ReadDir(agreements.FS, ".")
	if err != nil {
		t.Fatal(err)
	}
	bundles = map[string][]byte{}
	for _, x := range entries {
		if !x.IsDir() {
			continue
		}
		pkg, err := fs.Sub(agreements.FS, x.Name())
		if err != nil {
			t.Fatal(err)
		}
		if bundles[x.Name()], err = agreement.Bundle(pkg); err != nil {
			t.Fatal(err)
		}
		e, err := agreement.Load(pkg)
		if err != nil {
			t.Fatal(err)
		}
		law, err := rules.Compile(e)
		if err != nil {
			t.Fatal(err)
		}
		n := len(all)
		for _, r := range law.Test(e) {
			for i, q := range r.Queries {
				why, err := json.Marshal(law.Explain(q))
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, question{r.Scenario.ID, x.Name(), rules.AppendQuery(nil, q), r.Verdicts[i].Bytes(), why})
			}
		}
		if len(all) == n {
			t.Fatalf("%s has no scenarios", x.Name())
		}
	}
	return all, bundles
}

// browse opens the page in a real browser, and returns what it found for the cases.
func browse(t *testing.T, wasm []byte, bundles map[string][]byte, cases [][2]string) (answers []answer) {
	t.Helper()
	asked, err := json.Marshal(cases)
	if err != nil {
		t.Fatal(err)
	}
	start := glue(t)
	mux := http.NewServeMux()
	serve := func(path, kind string, body []byte) {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			// No more than a page needs that has this build and nothing written into it.
			w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'")
			_, _ = w.Write(body)
		})
	}
	serve("/{$}", "text/html; charset=utf-8", []byte(page))
	serve("/glue.js", "text/javascript", start)
	serve("/drive.js", "text/javascript", []byte(drive))
	serve("/verdict.wasm", "application/wasm", wasm)
	serve("/cases.json", "application/json", asked)
	for id, b := range bundles {
		serve("/bundle/"+id, "application/zip", b)
	}
	got := make(chan error, 1)
	mux.HandleFunc("POST /answers.json", func(_ http.ResponseWriter, r *http.Request) {
		got <- json.NewDecoder(r.Body).Decode(&answers)
	})
	srv := httptest.NewServer(mux)
	defer srv.Close()

	alloc, cancel := chromedp.NewExecAllocator(context.Background(), append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox)...)
	defer cancel()
	alloc, cancel = context.WithTimeout(alloc, 5*time.Minute)
	defer cancel()
	ctx, cancel := chromedp.NewContext(alloc)
	defer cancel()
	if err := chromedp.Do(ctx, chromedp.Navigate(srv.URL+"/")); err != nil {
		t.Fatal(err)
	}
	n, err := chromedp.Run(ctx, chromedp.Evaluate[int](`all()`, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatal(err)
	}
	if err := <-got; err != nil {
		t.Fatal(err)
	}
	if n != len(cases) || len(answers) != n {
		t.Fatalf("%d answers to %d questions", len(answers), len(cases))
	}
	return answers
}

// answer is what the build says to one case.
type answer struct{ Verdict, Explanation, Error string }

// TestSameBytesInTheBrowser asks every scenario of every package of the browser build, in
// a real browser, and wants the very bytes of the verdict and of its explanation that the
// server answers.
func TestSameBytesInTheBrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("builds for the browser, and needs one")
	}
	if !haveBrowser() {
		t.Fatal("there is no Chromium here: make prerequisites installs it")
	}
	all, bundles := questions(t)
	var cases [][2]string
	for _, q := range all {
		cases = append(cases, [2]string{q.file, string(q.query)})
	}
	bundles["broken"] = []byte("no bundle")
	bad := [][2]string{{all[0].file, `{"point":"moon"}`}, {all[0].file, `nonsense`}, {"broken", `{}`}}
	answers := browse(t, build(t), bundles, append(cases, bad...))
	for i, q := range all {
		got := answers[i]
		if got.Error != "" {
			t.Errorf("%s %s: %s", q.file, q.scenario, got.Error)
			continue
		}
		for _, x := range []struct {
			what, got string
			want      []byte
		}{{"verdict", got.Verdict, q.verdict}, {"explanation", got.Explanation, q.explanation}} {
			if !bytes.Equal([]byte(x.got), x.want) {
				t.Errorf("%s %s: the browser has another %s\ngot  %s\nwant %s", q.file, q.scenario, x.what, x.got, x.want)
			}
		}
	}
	for i, got := range answers[len(all):] {
		if got.Verdict != "" || got.Explanation != "" || got.Error == "" {
			t.Errorf("%s is answered %+v", bad[i], got)
		}
	}
	t.Logf("%d questions", len(all))
}

// haveBrowser reports whether one of the names is there that package chromedp starts.
func haveBrowser() bool {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if _, err := exec.LookPath(name); err == nil {
			return true
		}
	}
	return false
}
