// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package service

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"darwaza.dev/internal/appeal"
	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/closure"
	"darwaza.dev/internal/gate"
	"darwaza.dev/internal/lang"
	"darwaza.dev/internal/market"
	"darwaza.dev/internal/pass"
	"darwaza.dev/internal/proof"
	"darwaza.dev/internal/protocol"
	"darwaza.dev/internal/reason"
	"darwaza.dev/internal/rules"
	"darwaza.dev/internal/screening"
)

var update = flag.Bool("update", false, "write docs/reasons.md")

// declared is every reason of the program, by the package that gives it.
var declared = []struct {
	title, dir string
	decls      []reason.Decl
}{
	{"Passes and receipts", "pass", pass.Declared()},
	{"The law", "rules", rules.Reasons()},
	{"Health certificates", "proof", proof.Declared()},
	{"Booking", "booking", booking.Declared()},
	{"Gate", "gate", gate.Declared()},
	{"Levels of protection", "protocol", protocol.Declared()},
	{"Health desk", "screening", screening.Declared()},
	{"Closures", "closure", closure.Declared()},
	{"Goods desk", "market", market.Declared()},
}

// given are the reasons that the tests of this package have seen in an answer.
var given struct {
	sync.Mutex
	codes map[reason.Code]reason.Outcome
}

func seen(rs []reason.Reason) {
	given.Lock()
	defer given.Unlock()
	if given.codes == nil {
		given.codes = map[reason.Code]reason.Outcome{}
	}
	for _, r := range rs {
		given.codes[r.Code] = r.Outcome
	}
}

// TestMain holds the desks to their declarations: after a whole run, each of their
// reasons was in some answer, with the outcome that it is declared with.
func TestMain(m *testing.M) {
	status := m.Run()
	if status == 0 && flag.Lookup("test.run").Value.String() == "" && flag.Lookup("test.fuzz").Value.String() == "" {
		for _, p := range declared {
			if p.dir == "pass" || p.dir == "rules" || p.dir == "proof" { // they have tests of their own
				continue
			}
			for _, d := range p.decls {
				if o, ok := given.codes[d.Code]; !ok {
					fmt.Printf("FAIL: no test of package service produces %s\n", d.Code)
					status = 1
				} else if o != d.Outcome {
					fmt.Printf("FAIL: %s came as %v and is declared as %v\n", d.Code, o, d.Outcome)
					status = 1
				}
			}
		}
	}
	os.Exit(status)
}

// TestReasonsOfOthers looks for each code of the packages below in their own tests. Those
// of health certificates are in the tests of the packages of their formats.
func TestReasonsOfOthers(t *testing.T) {
	for _, p := range declared[:3] {
		dirs := []string{filepath.Join("..", p.dir)}
		if p.dir == "proof" {
			for _, of := range []string{"hcert", "paper", "shc", "trust", "vdsnc", "verify"} {
				dirs = append(dirs, filepath.Join("..", p.dir, of))
			}
		}
		source, tests := "", ""
		for i, dir := range dirs {
			for name, text := range texts(t, dir, ".go") {
				switch test := strings.HasSuffix(name, "_test.go"); {
				case test && (p.dir != "proof" || i > 0):
					tests += text
				case !test:
					source += text
				}
			}
		}
		for _, d := range p.decls {
			m := regexp.MustCompile(`(\w+)\s+(?:Fault|reason\.Code)\s+= "` + regexp.QuoteMeta(string(d.Code)) + `"`).FindStringSubmatch(source)
			if m == nil {
				t.Errorf("%s: no constant in package %s", d.Code, p.dir)
				continue
			}
			if !strings.Contains(tests, string(d.Code)) && !regexp.MustCompile(`\b`+m[1]+`\b`).MatchString(tests) {
				t.Errorf("%s: no test of package %s speaks of it", d.Code, p.dir)
			}
		}
	}
}

func texts(t *testing.T, dir, ext string) map[string]string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*"+ext))
	if err != nil || len(names) == 0 {
		t.Fatalf("%s: %d files, %v", dir, len(names), err)
	}
	out := map[string]string{}
	for _, n := range names {
		b, err := os.ReadFile(n)
		if err != nil {
			t.Fatal(err)
		}
		out[n] = string(b)
	}
	return out
}

// TestReasons holds every declared reason to its form, to being declared once, and to
// its texts in every language.
func TestReasons(t *testing.T) {
	cat, err := lang.Load()
	if err != nil {
		t.Fatal(err)
	}
	owner := map[reason.Code]string{}
	for _, p := range declared {
		for _, d := range p.decls {
			if !d.Code.Valid() {
				t.Errorf("%s: not of three parts", d.Code)
			}
			if owner[d.Code] != "" {
				t.Errorf("%s: declared in %s and %s", d.Code, owner[d.Code], p.dir)
			}
			owner[d.Code] = p.dir
			if d.Outcome == reason.None || d.When == "" || strings.HasSuffix(d.When, ".") {
				t.Errorf("%s: %v, %q", d.Code, d.Outcome, d.When)
			}
			for _, key := range []string{"reason." + string(d.Code), "next." + string(d.Code)} {
				if missing := cat.Missing(key); len(missing) > 0 {
					t.Errorf("no text %s in %v", key, missing)
				}
			}
			if s := cat.Say(lang.EN, "reason."+string(d.Code), nil); p.dir != "rules" && strings.Contains(s, "{") {
				t.Errorf("reason.%s has a placeholder: it is shown where no figures are kept: %s", d.Code, s)
			}
		}
	}
	for _, g := range gate.Grounds {
		if missing := cat.Missing("ground.gate." + g); len(missing) > 0 {
			t.Errorf("no text ground.gate.%s in %v", g, missing)
		}
	}
	for _, g := range gate.GoodsGrounds {
		if missing := cat.Missing("ground.goods." + g); len(missing) > 0 {
			t.Errorf("no text ground.goods.%s in %v", g, missing)
		}
	}
	for _, g := range booking.Grounds {
		if missing := cat.Missing("ground.booking." + g); len(missing) > 0 {
			t.Errorf("no text ground.booking.%s in %v", g, missing)
		}
	}
	for _, g := range market.Grounds {
		if missing := cat.Missing("ground.market." + g); len(missing) > 0 {
			t.Errorf("no text ground.market.%s in %v", g, missing)
		}
	}
	for _, g := range slices.Concat(appeal.Upheld[:], appeal.Changed[:]) {
		if missing := cat.Missing("ground.case." + g); len(missing) > 0 {
			t.Errorf("no text ground.case.%s in %v", g, missing)
		}
	}
	for _, g := range slices.Concat(screening.Fit[:], screening.Unfit[:]) {
		if missing := cat.Missing("ground.screening." + g); len(missing) > 0 {
			t.Errorf("no text ground.screening.%s in %v", g, missing)
		}
	}
	for _, g := range screening.Reliefs {
		if missing := cat.Missing("relief.screening." + g); len(missing) > 0 {
			t.Errorf("no text relief.screening.%s in %v", g, missing)
		}
	}
	for _, n := range appeal.Nexts {
		if missing := cat.Missing("case.next." + n); len(missing) > 0 {
			t.Errorf("no text case.next.%s in %v", n, missing)
		}
	}
	for k := pass.Unknown; k <= pass.MRZ; k++ {
		if missing := cat.Missing("looks." + k.String()); len(missing) > 0 {
			t.Errorf("no text looks.%s in %v", k, missing)
		}
	}
	// A text that no package gives is a mistake in a code, or left over.
	for _, key := range cat.Keys() {
		for _, prefix := range []string{"reason.", "next."} {
			if c, ok := strings.CutPrefix(key, prefix); ok && reason.Code(c).Valid() && owner[reason.Code(c)] == "" {
				t.Errorf("text %s is of no declared reason", key)
			}
		}
	}
}

// TestReasonsDocument holds docs/reasons.md to the declarations.
func TestReasonsDocument(t *testing.T) {
	cat, err := lang.Load()
	if err != nil {
		t.Fatal(err)
	}
	var s strings.Builder
	s.WriteString(`# Reasons

Every reason that the program itself can give, with its outcome, when it is given, and what a reader is told. A clause's own reasons have their texts
in the agreement package. This file is written by ` + "`go test ./internal/service -run TestReasonsDocument -update`" + `; a test holds it to the code.

A code is never renamed and never used again for something else.
`)
	for _, p := range declared {
		fmt.Fprintf(&s, "\n## %s\n\nGiven by package `%s`.\n\n| code | outcome | when | said |\n| --- | --- | --- | --- |\n", p.title, p.dir)
		decls := map[reason.Code]reason.Decl{}
		for _, d := range p.decls {
			decls[d.Code] = d
		}
		for _, c := range slices.Sorted(maps.Keys(decls)) {
			d := decls[c]
			fmt.Fprintf(&s, "| `%s` | %s | %s | %s |\n", c, d.Outcome, d.When, cat.Say(lang.EN, "reason."+string(c), nil))
		}
	}
	file := filepath.Join("..", "..", "docs", "reasons.md")
	if *update {
		if err := os.WriteFile(file, []byte(s.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(file)
	if err != nil || string(b) != s.String() {
		t.Errorf("docs/reasons.md is not what the code declares; run with -update (%v)", err)
	}
}
