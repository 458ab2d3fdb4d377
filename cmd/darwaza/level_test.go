// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"testing"

	"darwaza.dev/internal/problem"
)

// TestLevel shows levels and brings them in at the command line, as a named officer.
func TestLevel(t *testing.T) {
	a, _ := twoPosts(t)
	lines := strings.Split(strings.TrimSpace(must(t, "people", "word", "--config", a.config, "head")), "\n")
	ownWord(t, a.config, "head", strings.TrimSpace(lines[len(lines)-1]))
	for _, x := range []struct{ login, role string }{{"boss", "supervisor"}, {"till", "customs"}} {
		added := mustWith(t, headWord+"\n", "people", "add", "--config", a.config, "--by", "head", "--name", "A Person", x.login, x.role)
		ownWord(t, a.config, x.login, givenWord.FindString(added))
	}
	const site = "mand-pishin"
	if out := must(t, "level", "show", "--config", a.config, site); out != site+": normal\n" {
		t.Errorf("%q", out)
	}
	set := func(by string, args ...string) []string {
		return append([]string{"level", "set", "--config", a.config, "--by", by}, args...)
	}
	for _, tt := range []struct {
		in   string
		args []string
		kind problem.Kind
		want string
	}{
		{"", []string{"level", "shut"}, problem.Invalid, "want level show"},
		{"", []string{"level", "set", "--config", a.config, site, "high"}, problem.Invalid, "--by"},
		{"not the word", set("boss", site, "high"), problem.Forbidden, "sign-in word is not right"},
		{headWord, set("till", site, "high"), problem.Forbidden, "till may not"},
		{headWord, set("boss", site, "purple"), problem.Invalid, "no level"},
		{headWord, set("boss", "nowhere", "high"), problem.NotFound, "no site"},
		{headWord, set("boss", "--from", "tomorrow", site, "high"), problem.Invalid, "--from"},
	} {
		stdout, stderr, status := darwazaWith(t, tt.in+"\n", tt.args...)
		if status != tt.kind.ExitStatus() || !strings.Contains(stderr, tt.want) {
			t.Errorf("%v: status %d, want %d and %q\n%s%s", tt.args, status, tt.kind.ExitStatus(), tt.want, stdout, stderr)
		}
	}
	if out := mustWith(t, headWord+"\n", set("boss", "--emergency", site, "normal")...); !strings.Contains(out, "level.emergency.none") {
		t.Errorf("%s", out)
	}
	if out := mustWith(t, headWord+"\n", set("boss", "--emergency", "--profiles", "cholera", site, "guarded")...); !strings.Contains(out, "an emergency, with cholera; the record says that boss") {
		t.Errorf("%s", out)
	}
	out := must(t, "level", "show", "--config", a.config, site)
	if !strings.Contains(out, site+": guarded cholera\nnext: normal from ") || !strings.Contains(out, "side A: guarded from ") {
		t.Errorf("%s", out)
	}
}
