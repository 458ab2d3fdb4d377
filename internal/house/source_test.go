// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package house

import (
	"bytes"
	"fmt"
	"go/ast"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"unicode"
)

const header = "// Copyright The Darwaza Authors.\n// SPDX-License-Identifier: Apache-2.0\n\n"

// checkHeaders reports Go files that do not begin with the licence lines.
func checkHeaders(t *tree) []string {
	var found []string
	for _, dir := range t.dirs() {
		for _, s := range t.pkgs[dir] {
			if !bytes.HasPrefix(s.text, []byte(header)) {
				found = append(found, s.name+": no licence lines")
			}
		}
	}
	return found
}

// Methods that say no more than their interface does.
var plainMethods = []string{"CommandKind", "Error", "FactKind", "Unwrap"}

// checkDocs reports packages and exported names with no comment, or with one
// that does not begin with the name. In a group of constants or variables, a
// line's own comment or the group's will do.
func checkDocs(t *tree) []string {
	var found []string
	for _, dir := range t.dirs() {
		pkgDoc, product := "", ""
		exported := map[string]bool{}
		for _, s := range t.pkgs[dir] {
			if s.isTest() {
				continue
			}
			product = s.file.Name.Name
			if s.file.Doc != nil && pkgDoc == "" {
				pkgDoc = s.file.Doc.Text()
			}
			for _, d := range s.file.Decls {
				if g, ok := d.(*ast.GenDecl); ok {
					for _, spec := range g.Specs {
						if ts, ok := spec.(*ast.TypeSpec); ok && ts.Name.IsExported() {
							exported[ts.Name.Name] = true
						}
					}
				}
			}
		}
		want := "Package " + product + " "
		if product == "main" {
			want = "Command " + filepath.Base(dir) + " "
		}
		if product != "" && !strings.HasPrefix(pkgDoc, want) {
			found = append(found, dir+": no package comment that begins with "+strings.TrimSpace(want))
		}
		for _, s := range t.pkgs[dir] {
			if s.isTest() || ast.IsGenerated(s.file) || product == "main" {
				continue
			}
			for _, d := range s.file.Decls {
				found = append(found, t.declDocs(s, d, exported)...)
			}
		}
	}
	return found
}

func (t *tree) declDocs(s source, d ast.Decl, exported map[string]bool) []string {
	var found []string
	need := func(n ast.Node, name string, doc *ast.CommentGroup) {
		if !beginsWith(doc, name) {
			found = append(found, t.line(s, n)+": no comment that begins with "+name)
		}
	}
	switch d := d.(type) {
	case *ast.FuncDecl:
		if !d.Name.IsExported() {
			break
		}
		if d.Recv != nil && (!exported[receiver(d)] || slices.Contains(plainMethods, d.Name.Name)) {
			break
		}
		need(d, d.Name.Name, d.Doc)
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				if spec.Name.IsExported() {
					doc := spec.Doc
					if doc == nil && !d.Lparen.IsValid() {
						doc = d.Doc
					}
					need(spec, spec.Name.Name, doc)
				}
			case *ast.ValueSpec:
				for _, name := range spec.Names {
					if !name.IsExported() {
						continue
					}
					if d.Lparen.IsValid() {
						if spec.Doc == nil && spec.Comment == nil && d.Doc == nil {
							found = append(found, t.line(s, name)+": no comment for "+name.Name)
						}
					} else {
						need(name, name.Name, d.Doc)
					}
				}
			}
		}
	}
	return found
}

func receiver(d *ast.FuncDecl) string {
	e := d.Recv.List[0].Type
	for {
		switch x := e.(type) {
		case *ast.StarExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.IndexListExpr:
			e = x.X
		case *ast.Ident:
			return x.Name
		default:
			return ""
		}
	}
}

// beginsWith reports whether a comment begins with the name, after an article if any.
func beginsWith(doc *ast.CommentGroup, name string) bool {
	text := doc.Text()
	for _, article := range []string{"A ", "An ", "The "} {
		text = strings.TrimPrefix(text, article)
	}
	word := strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_' })
	return strings.HasPrefix(text, name) && word[0] == name
}

func TestHeaders(t *testing.T) {
	for _, f := range checkHeaders(ours(t)) {
		t.Error(f)
	}
}

func TestDocs(t *testing.T) {
	for _, f := range checkDocs(ours(t)) {
		t.Error(f)
	}
}

// TestDocsBroken sees each rule on headers and comments fail.
func TestDocsBroken(t *testing.T) {
	fsys := fstest.MapFS{
		"go.mod": {Data: []byte("module example.test\n")},
		"internal/pass/pass.go": {Data: []byte(`package pass

// It is a pass.
type Pass struct{}

// A Seal is good.
type Seal struct{}

// Sealed is another word.
func Seals() {}

func (Pass) Read() {}

func (Pass) Error() string { return "" }

type hidden struct{}

func (hidden) Read() {}

const (
	A = 1 // A is one.
	B = 2
)

// Limits of size.
const (
	C = 1
)

var D = 1
`)},
		"cmd/tool/main.go":           {Data: []byte(header + "// Command tool does.\npackage main\n")},
		"internal/gate/gate_test.go": {Data: []byte(header + "package gate\n")},
	}
	tr, err := readTree(fsys, []string{"internal/pass/pass.go", "cmd/tool/main.go", "internal/gate/gate_test.go"})
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Join(append(checkHeaders(tr), checkDocs(tr)...), "\n")
	want := strings.Join([]string{
		"internal/pass/pass.go: no licence lines",
		"internal/pass: no package comment that begins with Package pass",
		"internal/pass/pass.go:4: no comment that begins with Pass",
		"internal/pass/pass.go:10: no comment that begins with Seals",
		"internal/pass/pass.go:12: no comment that begins with Read",
		"internal/pass/pass.go:22: no comment for B",
		"internal/pass/pass.go:30: no comment that begins with D",
	}, "\n")
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// Words by which a file would speak of the place where it was written, or of
// who wrote it, rather than of the product. They are split so that this file
// passes its own test.
var strangers = regexp.MustCompile(`(?i)/(wo` + `rk|fa` + `rm)/|(?:^|[^\w)])\.lib` + `rary|sub` + `agent|before-` + `stop|\bcla` + `ude\b|anthro` + `pic|chat` + `gpt|copi` + `lot|co-author` + `ed-by`)

func TestWords(t *testing.T) {
	for _, w := range []string{"see /Wo" + "rk/x", "a Sub" + "agent", ".lib" + "rary/y"} {
		if !strangers.MatchString(w) {
			t.Errorf("%q passes", w)
		}
	}
	for _, name := range files(t) {
		b, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.IndexByte(b, 0) >= 0 {
			continue
		}
		for i, line := range bytes.Split(b, []byte("\n")) {
			if m := strangers.Find(line); m != nil {
				t.Errorf("%s:%d: speaks of %q", name, i+1, m)
			}
		}
		if m := strangers.FindString(name); m != "" {
			t.Errorf("%s: its name speaks of %q", name, m)
		}
	}
}

// TestChangelog wants a section for what is not released yet, with a note in it.
func TestChangelog(t *testing.T) {
	_, rest, ok := strings.Cut(read(t, "CHANGELOG.md"), "\n## Unreleased\n")
	section, _, _ := strings.Cut(rest, "\n## ")
	if !ok || !strings.Contains(section, "\n- ") {
		t.Error("CHANGELOG.md has no section Unreleased with a note in it")
	}
}

// TestDecisions holds each decision to the form, and the index to the folder.
func TestDecisions(t *testing.T) {
	index := read(t, "docs/decisions/README.md")
	decisions, err := filepath.Glob(filepath.Join(root, "docs", "decisions", "[0-9][0-9][0-9][0-9]-*.md"))
	if err != nil || len(decisions) == 0 {
		t.Fatalf("%d decisions, %v", len(decisions), err)
	}
	for i, file := range decisions {
		name := filepath.Base(file)
		number, _, _ := strings.Cut(name, "-")
		if want := fmt.Sprintf("%04d", i+1); number != want {
			t.Errorf("%s: want number %s", name, want)
		}
		text := read(t, filepath.Join("docs", "decisions", name))
		form := regexp.MustCompile(`^# ` + number + ` .+\n\nDate: \d{4}-\d{2}-\d{2}\n\n## Context\n(?s:.+)\n## Decision\n(?s:.+)\n## Consequences\n`)
		if !form.MatchString(text) {
			t.Errorf("%s: not in the form that the index gives", name)
		}
		if !strings.Contains(index, "("+name+")") {
			t.Errorf("%s: not in the index", name)
		}
	}
}
