// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package house

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/modfile"
)

// root is the repository, seen from this package.
var root = filepath.Join("..", "..")

// A source is one parsed Go file. Its name is relative to the module, with slashes.
type source struct {
	name string
	file *ast.File
	text []byte
}

// isTest reports whether the file is built for tests only.
func (s source) isTest() bool { return strings.HasSuffix(s.name, "_test.go") }

// isExternalTest reports whether the file belongs to a package x_test, which
// may import what itself imports x.
func (s source) isExternalTest() bool {
	return s.isTest() && strings.HasSuffix(s.file.Name.Name, "_test")
}

// line says where in the tree a node stands.
func (t *tree) line(s source, n ast.Node) string {
	return fmt.Sprintf("%s:%d", s.name, t.fset.Position(n.Pos()).Line)
}

// A tree is every Go file of a module, by package directory. Build constraints
// are not looked at, so that a file for the browser is held to the same rules.
type tree struct {
	module string
	fset   *token.FileSet
	pkgs   map[string][]source
}

// dirs returns the package directories, sorted.
func (t *tree) dirs() []string {
	var out []string
	for d := range t.pkgs {
		out = append(out, d)
	}
	slices.Sort(out)
	return out
}

// readTree parses the Go files among names; others, and those that the go
// command itself passes over, are left out.
func readTree(fsys fs.FS, names []string) (*tree, error) {
	mod, err := fs.ReadFile(fsys, "go.mod")
	if err != nil {
		return nil, err
	}
	t := &tree{module: modfile.ModulePath(mod), fset: token.NewFileSet(), pkgs: map[string][]source{}}
	if t.module == "" {
		return nil, errors.New("go.mod names no module")
	}
	for _, name := range names {
		if path.Ext(name) != ".go" || passedOver(name) {
			continue
		}
		text, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, err
		}
		f, err := parser.ParseFile(t.fset, name, text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		t.pkgs[path.Dir(name)] = append(t.pkgs[path.Dir(name)], source{name, f, text})
	}
	return t, nil
}

func passedOver(name string) bool {
	for _, part := range strings.Split(name, "/") {
		if part == "testdata" || part == "vendor" || strings.HasPrefix(part, "_") || strings.HasPrefix(part, ".") {
			return true
		}
	}
	return false
}

// files lists what git holds or would hold: tracked files, and new ones that
// .gitignore does not name.
func files(t *testing.T) []string {
	t.Helper()
	cmd := exec.Command("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	cmd.Dir = root
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("git ls-files: %v: %s", err, stderr.Bytes())
	}
	var names []string
	for _, name := range strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		if info, err := os.Lstat(filepath.Join(root, name)); err == nil && info.Mode().IsRegular() {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		t.Fatal("git ls-files lists nothing")
	}
	return names
}

// read returns a file of the repository.
func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// ours parses the repository.
func ours(t *testing.T) *tree {
	t.Helper()
	tr, err := readTree(os.DirFS(root), files(t))
	if err != nil {
		t.Fatal(err)
	}
	return tr
}
