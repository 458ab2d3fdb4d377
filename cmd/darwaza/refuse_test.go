// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"darwaza.dev/internal/problem"
)

// TestServeRefuses holds what a server may not run on, with the words that name the mend.
func TestServeRefuses(t *testing.T) {
	dir := t.TempDir()
	pkg := filepath.Join(dir, "agreement")
	alwaysOpen(t, pkg)
	a, b, c := filepath.Join(dir, "A"), filepath.Join(dir, "B"), filepath.Join(dir, "C")
	for _, x := range []struct{ dir, side string }{{a, "A"}, {b, "B"}, {c, "A"}} {
		must(t, "init", "--dir", x.dir, "--side", x.side, "--agreement", pkg, "--listen", "127.0.0.1:0", "--name", "127.0.0.1", "--officer", "head:admin,supervisor:Head Of Post")
	}
	config := filepath.Join(a, "config.yaml")
	refused := func(name string, kind problem.Kind, want ...string) {
		t.Helper()
		_, errs, status := darwaza(t, "serve", "--config", config)
		if status != kind.ExitStatus() {
			t.Errorf("%s: exit status %d, want %d: %s", name, status, kind.ExitStatus(), errs)
		}
		for _, w := range want {
			if !strings.Contains(errs, w) {
				t.Errorf("%s: does not say %q: %s", name, w, errs)
			}
		}
	}
	refused("an unsigned edition", problem.Untrusted, "does not bind anybody yet", "darwaza agreement sign")
	adopt(t, pkg, c, b)
	refused("another post's keys", problem.Untrusted, "keys of another post")
	adopt(t, pkg, a, b)

	edit := func(file string, change func(string) string) (undo func()) {
		t.Helper()
		had, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(change(string(had))), 0o600); err != nil {
			t.Fatal(err)
		}
		return func() {
			if err := os.WriteFile(file, had, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	undo := edit(filepath.Join(pkg, "parameters", "law.yaml"), func(s string) string { return s + "\n# One more line.\n" })
	refused("an edition that was changed after it was signed", problem.Untrusted, "does not bind anybody yet")
	undo()
	undo = edit(config, func(s string) string {
		return strings.Replace(s, `listen: "127.0.0.1:0"`, `listen: "0.0.0.0:0"`, 1) + "http: true\n"
	})
	refused("a field that stands twice", problem.Invalid, "config.yaml")
	undo()
	undo = edit(config, func(s string) string {
		return strings.Replace(strings.Replace(s, `listen: "127.0.0.1:0"`, `listen: "0.0.0.0:0"`, 1), "http: false", "http: true", 1)
	})
	refused("plain HTTP for everybody", problem.Invalid, "loopback")
	undo()
	root := filepath.Join(a, "keys", "root.pem")
	if err := os.Chmod(root, 0o644); err != nil {
		t.Fatal(err)
	}
	refused("a key that others may read", problem.Untrusted, "chmod 600")
	if err := os.Rename(filepath.Join(a, "keys", "pass.pem"), filepath.Join(a, "elsewhere")); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(root, 0o600); err != nil {
		t.Fatal(err)
	}
	refused("a key that is missing", problem.NotFound, "pass.pem")

	for _, args := range [][]string{
		{"init", "--dir", a, "--side", "A", "--agreement", pkg},
		{"init", "--dir", filepath.Join(dir, "D"), "--side", "C", "--agreement", pkg},
		{"init", "--dir", filepath.Join(dir, "D"), "--side", "A", "--agreement", filepath.Join(dir, "none")},
		{"init", "--dir", filepath.Join(dir, "D"), "--side", "A", "--agreement", pkg, "--officer", "x:king:Some Body"},
		{"init", "--dir", filepath.Join(dir, "D"), "--side", "A", "--agreement", pkg, "--officer", "x:clerk:Some Body"},
		{"init", "--dir", filepath.Join(dir, "D"), "--side", "A", "--agreement", pkg},
		{"init", "--dir", filepath.Join(dir, "D"), "--side", "A", "--agreement", pkg, "--officer", "head:admin"},
		{"init", "--dir", filepath.Join(dir, "D"), "--side", "A", "--agreement", pkg, "--officer", "head:admin:Head Of Post", "--site", "atlantis"},
		{"init", "--dir", filepath.Join(dir, "D"), "--side", "A", "--agreement", pkg, "--officer", "head:admin:Head Of Post", "--name", "not a name"},
		{"init", "--dir", filepath.Join(dir, "D"), "--side", "A", "--agreement", pkg, "--officer", "head:admin:Head Of Post", "--database", filepath.Join(b, "post.db")},
		{"people", "word", "--config", filepath.Join(b, "config.yaml"), "nobody"},
		{"people", "add", "--config", filepath.Join(b, "config.yaml"), "--name", "Some Body", "head", "clerk"},
		{"serve", "--config", filepath.Join(dir, "none.yaml")},
		{"nothing"},
		{"serve", "extra"},
	} {
		if out, errs, status := darwaza(t, args...); status < 2 || strings.Count(strings.TrimSpace(errs), "\n") > 1 || out != "" {
			t.Errorf("darwaza %q: exit status %d\n%s%s", args, status, out, errs)
		}
		if left, err := os.ReadDir(filepath.Join(dir, "D")); err == nil && len(left) > 0 {
			t.Errorf("darwaza %q left %v behind", args, left)
		}
	}
}

// TestHelp holds that each command says what it is for, and that nobody can give serve
// another clock than the machine's.
func TestHelp(t *testing.T) {
	if out := must(t, "help"); !strings.Contains(out, "darwaza serve") {
		t.Errorf("help says %q", out)
	}
	if out := must(t); !strings.Contains(out, "darwaza serve") {
		t.Errorf("no command says %q", out)
	}
	for _, cmd := range commands() {
		if out := must(t, "help", cmd.name); !strings.Contains(out, "darwaza "+cmd.name) {
			t.Errorf("help %s says %q", cmd.name, out)
		}
	}
	if out := must(t, "help", "serve"); regexp.MustCompile(`(?i)clock|speed|date|-now|demo`).MatchString(out) {
		t.Errorf("serve has a flag for the time:\n%s", out)
	}
	for _, flag := range []string{"--clock=2025-09-02", "--speed=2", "--now=2025-09-02", "--demo"} {
		if _, _, status := darwaza(t, "serve", flag); status != problem.Invalid.ExitStatus() {
			t.Errorf("serve %s: exit status %d", flag, status)
		}
	}
}

// TestPeople goes through what the command does.
func TestPeople(t *testing.T) {
	dir := t.TempDir()
	pkg := filepath.Join(dir, "agreement")
	alwaysOpen(t, pkg)
	a := filepath.Join(dir, "A")
	out := must(t, "init", "--dir", a, "--side", "A", "--agreement", pkg, "--name", "127.0.0.1", "--officer", "head:admin:Head Of Post")
	config := filepath.Join(a, "config.yaml")
	word, head := givenWord, []string{"--config", config, "--by", "head"}
	by := func(verb string, args ...string) string {
		t.Helper()
		return mustWith(t, headWord+"\n", append(append([]string{"people", verb}, head...), args...)...)
	}
	if !word.MatchString(out) {
		t.Errorf("init shows no sign-in word:\n%s", out)
	}
	ownWord(t, config, "head", word.FindString(out))
	if out := by("add", "--name", "Some Body", "--site", "mand-pishin", "--gate", "1", "gate1", "gate,health"); !word.MatchString(out) {
		t.Errorf("add says %q", out)
	}
	by("role", "gate1", "clerk")
	first := word.FindString(by("word", "gate1"))
	if second := word.FindString(by("word", "gate1")); first == "" || first == second {
		t.Errorf("words %q and %q", first, second)
	}
	for _, tt := range []struct {
		in   string
		args []string
		want string
	}{
		{headWord, []string{"off", "--config", config, "gate1"}, "--by names the officer"},
		{headWord, []string{"word", "--config", config, "gate1"}, "is no admin"},
		{"wrong", []string{"on", "--config", config, "--by", "head", "gate1"}, "is not right"},
		{first, []string{"role", "--config", config, "--by", "gate1", "gate1", "admin"}, "is not right"},
		{headWord, []string{"add", "--config", config, "--by", "head", "gate2", "gate"}, "gate2 has no name"},
		{headWord + "\nshort", []string{"word", "--config", config, "--by", "head", "head"}, "at least"},
		{headWord + "\n" + headWord, []string{"word", "--config", config, "--by", "head", "head"}, "another word"},
		{headWord, []string{"off", "--config", config, "--by", "head", "head"}, "the last who can appoint"},
	} {
		if _, errs, status := darwazaWith(t, tt.in+"\n", append([]string{"people"}, tt.args...)...); status == 0 || !strings.Contains(errs, tt.want) {
			t.Errorf("people %q: exit status %d, %s", tt.args, status, errs)
		}
	}
	by("off", "gate1")
	list := must(t, "people", "list", "--config", config)
	if want := regexp.MustCompile(`gate1 +clerk +mand-pishin +1 +no +O-[0-9A-Z]{8} +Some Body`); !want.MatchString(list) {
		t.Errorf("list:\n%s", list)
	}
	by("on", "gate1")
	must(t, "record", "check", "--config", config)
	if b, err := os.ReadFile(filepath.Join(a, "post.db")); err != nil || strings.Contains(string(b), "Some Body") {
		t.Errorf("the database holds a name in clear, or %v", err)
	}
	if out := must(t, "init", "--authority-only", "--dir", a); !strings.Contains(out, "install the file on each tablet") {
		t.Errorf("init --authority-only says %q", out)
	}
}
