// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package house

import (
	"go/ast"
	"go/token"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// Both sides run the same code, so no code says home or foreign: what is this side's is
// own, what is not is the other's. These names mean something else, for the reason that
// stands beside them. A name is written with the folder that declares it.
var otherwise = map[string]string{
	"internal/pass Foreign":                   "a text in a format that is not ours; its code is given and never renamed",
	"internal/pass ReceiptForeign":            "a text in a format that is not ours; its code is given and never renamed",
	"internal/pass textForeign":               "a text in a format that is not ours",
	`internal/pass "pass.form.foreign"`:       "a reason's code, which is never renamed",
	`internal/pass "receipt.form.foreign"`:    "a reason's code, which is never renamed",
	"internal/web home":                       "the first page of an officer's work",
	`internal/store/sqlite "foreign_keys(1)"`: "a word of SQL",
	`internal/store/sqlite "foreign_keys"`:    "a word of SQL",
}

// oneSided are the words of somebody who stands on one side.
var oneSided = regexp.MustCompile(`(?i)^(home|homes|foreign|foreigner|foreigners)$`)

// namesSide reports whether a name or a text has such a word in it.
func namesSide(s string) bool {
	var word strings.Builder
	end := func() bool {
		w := word.String()
		word.Reset()
		return oneSided.MatchString(w)
	}
	for _, r := range s {
		letter, upper := r|0x20 >= 'a' && r|0x20 <= 'z', r >= 'A' && r <= 'Z'
		if (!letter || upper) && end() {
			return true
		}
		if letter {
			word.WriteRune(r)
		}
	}
	return end()
}

// checkSides reports names that are declared, and texts of the product, that say home or
// foreign. used are those that allowed lists.
func checkSides(t *tree, allowed map[string]string) (found []string, used map[string]bool) {
	used = map[string]bool{}
	for _, dir := range t.dirs() {
		for _, s := range t.pkgs[dir] {
			say := func(n ast.Node, name string) {
				if !namesSide(name) {
					return
				}
				if k := dir + " " + name; allowed[k] != "" {
					used[k] = true
				} else {
					found = append(found, t.line(s, n)+": "+name+" says home or foreign")
				}
			}
			declared := func(es ...ast.Expr) {
				for _, e := range es {
					if id, ok := e.(*ast.Ident); ok {
						say(id, id.Name)
					}
				}
			}
			ast.Inspect(s.file, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.FuncDecl:
					say(n, n.Name.Name)
				case *ast.TypeSpec:
					say(n, n.Name.Name)
				case *ast.ValueSpec:
					for _, id := range n.Names {
						say(id, id.Name)
					}
				case *ast.Field:
					for _, id := range n.Names {
						say(id, id.Name)
					}
				case *ast.AssignStmt:
					if n.Tok == token.DEFINE {
						declared(n.Lhs...)
					}
				case *ast.RangeStmt:
					if n.Tok == token.DEFINE {
						declared(n.Key, n.Value)
					}
				case *ast.BasicLit:
					if n.Kind == token.STRING && !s.isTest() {
						say(n, n.Value)
					}
				}
				return true
			})
		}
	}
	return found, used
}

// TestSides holds the code to invariant 6: it is the same on both sides.
func TestSides(t *testing.T) {
	found, used := checkSides(ours(t), otherwise)
	for _, f := range found {
		t.Error(f)
	}
	for _, k := range slices.Sorted(maps.Keys(otherwise)) {
		if !used[k] {
			t.Errorf("nothing is called %s any more", k)
		}
	}
}

// TestSidesBroken sees the rule fail.
func TestSidesBroken(t *testing.T) {
	fsys := fstest.MapFS{
		"go.mod": {Data: []byte("module example.test\n")},
		"internal/gate/gate.go": {Data: []byte(`package gate

type Foreign struct{ homeDay, Homer int }

func (f Foreign) homes(foreign_pass int) string {
	for home := range 3 {
		_ = home
	}
	isForeign := true
	_ = isForeign
	return "go.home"
}

const allowedHome = "homeless"
`)},
		"internal/gate/gate_test.go": {Data: []byte("package gate\n\nvar text = \"at home\"\n\nfunc foreigner() {}\n")},
	}
	tr, err := readTree(fsys, []string{"internal/gate/gate.go", "internal/gate/gate_test.go"})
	if err != nil {
		t.Fatal(err)
	}
	found, used := checkSides(tr, map[string]string{"internal/gate allowedHome": "a test"})
	want := []string{
		"internal/gate/gate.go:3: Foreign says home or foreign",
		"internal/gate/gate.go:3: homeDay says home or foreign",
		"internal/gate/gate.go:5: homes says home or foreign",
		"internal/gate/gate.go:5: foreign_pass says home or foreign",
		"internal/gate/gate.go:6: home says home or foreign",
		"internal/gate/gate.go:9: isForeign says home or foreign",
		`internal/gate/gate.go:11: "go.home" says home or foreign`,
		"internal/gate/gate_test.go:5: foreigner says home or foreign",
	}
	if !slices.Equal(found, want) || !used["internal/gate allowedHome"] {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(found, "\n"), strings.Join(want, "\n"))
	}
}
