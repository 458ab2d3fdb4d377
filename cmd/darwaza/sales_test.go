// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"net/http"
	"os"
	"strings"
	"testing"

	"darwaza.dev/internal/post"
	"darwaza.dev/internal/problem"
)

// TestSalesOpen takes the memory of what was signed from a post: it sells nothing until a
// supervisor opens the sales at the command line, beside the running server.
func TestSalesOpen(t *testing.T) {
	a, _ := twoPosts(t)
	a.start(t)
	if status, out, err := a.call(http.MethodPost, "/api/v1/bookings", idem("before"), order(a.slotNow(t), 1)); err != nil || at(out, "booking", "reference") == nil {
		t.Fatalf("%d %v %v", status, out, err)
	}
	a.stop(t)
	conf, err := post.ReadConfig(a.config)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(conf.Head, conf.Head+".before"); err != nil {
		t.Fatal(err)
	}
	a.start(t)
	if status, out, err := a.call(http.MethodPost, "/api/v1/bookings", idem("held"), order(a.slotNow(t), 2)); err != nil || at(out, "booking", "reference") != nil {
		t.Fatalf("sold while held: %d %v %v", status, out, err)
	}
	lines := strings.Split(strings.TrimSpace(must(t, "people", "word", "--config", a.config, "head")), "\n")
	ownWord(t, a.config, "head", strings.TrimSpace(lines[len(lines)-1]))
	for _, x := range []struct{ login, role string }{{"boss", "supervisor"}, {"till", "customs"}} {
		added := mustWith(t, headWord+"\n", "people", "add", "--config", a.config, "--by", "head", "--name", "A Person", x.login, x.role)
		ownWord(t, a.config, x.login, givenWord.FindString(added))
	}
	site := "mand-pishin"
	for _, tt := range []struct {
		in   string
		args []string
		kind problem.Kind
		want string
	}{
		{"", []string{"shut"}, problem.Invalid, "want sales open"},
		{"", []string{"open", "--config", a.config, site}, problem.Invalid, "--by"},
		{headWord, []string{"open", "--config", a.config, "--by", "boss"}, problem.Invalid, "one site"},
		{"not the word", []string{"open", "--config", a.config, "--by", "boss", site}, problem.Forbidden, "sign-in word is not right"},
		{headWord, []string{"open", "--config", a.config, "--by", "till", site}, problem.Forbidden, "takes a supervisor"},
		{headWord, []string{"open", "--config", a.config, "--by", "boss", "nowhere"}, problem.NotFound, "no site"},
	} {
		stdout, stderr, status := darwazaWith(t, tt.in+"\n", append([]string{"sales"}, tt.args...)...)
		if status != tt.kind.ExitStatus() || !strings.Contains(stderr, tt.want) {
			t.Errorf("sales %v: status %d, want %d and %q\n%s%s", tt.args, status, tt.kind.ExitStatus(), tt.want, stdout, stderr)
		}
	}
	for i, want := range []string{"places are sold again at " + site, "nothing is held there"} {
		stdout, stderr, status := darwazaWith(t, headWord+"\n", "sales", "open", "--config", a.config, "--by", "boss", site)
		if status != 0 || !strings.Contains(stdout, want) {
			t.Errorf("time %d: status %d, want %q\n%s%s", i+1, status, want, stdout, stderr)
		}
	}
	if status, out, err := a.call(http.MethodPost, "/api/v1/bookings", idem("after"), order(a.slotNow(t), 3)); err != nil || at(out, "booking", "reference") == nil {
		t.Errorf("not sold after: %d %v %v", status, out, err)
	}
}
