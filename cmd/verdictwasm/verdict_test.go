// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"darwaza.dev/agreements"
	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/rules"
)

// harness runs the build in node: it reads cases, one JSON array a line (a bundle's file
// and a question), and writes what each came to.
const harness = `
"use strict";
const fs = require("fs"), readline = require("readline");
globalThis.fs = fs;
require(process.argv[2]);
const go = new Go();
(async () => {
	const { instance } = await WebAssembly.instantiate(fs.readFileSync(process.argv[3]), go.importObject);
	go.run(instance);
	const bundles = {};
	for await (const line of readline.createInterface({ input: fs.createReadStream(process.argv[4]) })) {
		const [file, query] = JSON.parse(line);
		bundles[file] ??= new Uint8Array(fs.readFileSync(file));
		process.stdout.write(JSON.stringify(globalThis.darwazaCheck(bundles[file], query)) + "\n");
	}
	process.exit(0);
})().catch(e => { console.error(e); process.exit(1); });
`

// build makes the browser build once for a test.
func build(t *testing.T, dir string) string {
	t.Helper()
	if testing.Short() {
		t.Skip("builds for the browser")
	}
	out := filepath.Join(dir, "verdict.wasm")
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-gcflags=all=-l", "-ldflags", "-s -w -buildid=", "-o", out, ".")
	cmd.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm", "GOWASM=satconv,signext", "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return out
}

// glue is the file with which Go's builds for the browser are started.
func glue(t *testing.T) string {
	t.Helper()
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(strings.TrimSpace(string(root)), "lib", "wasm", "wasm_exec.js")
}

// question is a question about a package, with the server's answer.
type question struct {
	scenario, file string
	query, want    []byte
}

// questions are all scenarios of all packages that come with the program, beside the
// bundle of each.
func questions(t *testing.T, dir string) []question {
	t.Helper()
	entries, err := fs.ReadDir(agreements.FS, ".")
	if err != nil {
		t.Fatal(err)
	}
	var all []question
	for _, x := range entries {
		if !x.IsDir() {
			continue
		}
		pkg, err := fs.Sub(agreements.FS, x.Name())
		if err != nil {
			t.Fatal(err)
		}
		b, err := agreement.Bundle(pkg)
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(dir, x.Name()+".zip")
		if err := os.WriteFile(file, b, 0o600); err != nil {
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
		n := 0
		for _, r := range law.Test(e) {
			for i, q := range r.Queries {
				all = append(all, question{r.Scenario.ID, file, rules.AppendQuery(nil, q), r.Verdicts[i].Bytes()})
				n++
			}
		}
		if n == 0 {
			t.Fatalf("%s has no scenarios", x.Name())
		}
	}
	return all
}

// TestSameBytesInNode asks every scenario of every package of the browser build and wants
// the very bytes that the server answers.
func TestSameBytesInNode(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Fatal("there is no node here: it comes with npm, which building needs")
	}
	dir := t.TempDir()
	wasm, all := build(t, dir), questions(t, dir)
	var cases bytes.Buffer
	for _, q := range all {
		line, err := json.Marshal([]string{q.file, string(q.query)})
		if err != nil {
			t.Fatal(err)
		}
		cases.Write(append(line, '\n'))
	}
	bad := all[0].file
	for _, c := range [][2]string{{bad, `{"point":"moon"}`}, {bad, `nonsense`}, {filepath.Join(dir, "harness.js"), `{}`}} {
		line, _ := json.Marshal(c)
		cases.Write(append(line, '\n'))
	}
	write := func(name string, b []byte) string {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return p
	}
	cmd := exec.Command(node, "--max-old-space-size=1024", write("harness.js", []byte(harness)), glue(t), wasm, write("cases.jsonl", cases.Bytes()))
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr.Bytes())
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if len(lines) != len(all)+3 {
		t.Fatalf("%d answers to %d questions\n%s", len(lines), len(all)+3, stderr.Bytes())
	}
	for i, q := range all {
		compare(t, q, lines[i])
	}
	for _, l := range lines[len(all):] {
		var got struct{ Verdict, Error string }
		if err := json.Unmarshal([]byte(l), &got); err != nil || got.Verdict != "" || got.Error == "" {
			t.Errorf("bad input is answered %s", l)
		}
	}
	t.Logf("%d questions, %s", len(all), runtime.Version())
}

func compare(t *testing.T, q question, answer string) {
	t.Helper()
	var got struct{ Verdict, Error string }
	if err := json.Unmarshal([]byte(answer), &got); err != nil || got.Error != "" {
		t.Errorf("%s %s: %v %s", filepath.Base(q.file), q.scenario, err, got.Error)
		return
	}
	if got.Verdict != string(q.want) {
		t.Errorf("%s %s: the browser says otherwise\ngot  %s\nwant %s", filepath.Base(q.file), q.scenario, got.Verdict, q.want)
	}
}
