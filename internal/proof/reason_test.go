// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package proof

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"testing"

	"darwaza.dev/internal/reason"
)

// TestDeclared holds the constants of result.go to the lists of faults and notes and to
// what is declared of them. Their texts are held to the declaration in package service.
func TestDeclared(t *testing.T) {
	f, err := parser.ParseFile(token.NewFileSet(), "result.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var constants []Fault
	ast.Inspect(f, func(n ast.Node) bool {
		v, ok := n.(*ast.ValueSpec)
		if ok && len(v.Values) == 1 {
			if lit, ok := v.Values[0].(*ast.BasicLit); ok && lit.Kind == token.STRING {
				code, _ := strconv.Unquote(lit.Value)
				constants = append(constants, Fault(code))
			}
		}
		return true
	})
	var declared []Fault
	for _, d := range Declared() {
		declared = append(declared, d.Code)
		want := reason.Hold
		switch {
		case d.Code == RevocationMaybe:
			want = reason.Refer
		case slices.Contains(Notes(), d.Code):
			want = reason.Allow
		}
		if d.Outcome != want {
			t.Errorf("%s is declared as %v, want %v", d.Code, d.Outcome, want)
		}
	}
	listed := slices.Concat(Faults(), Notes())
	for _, s := range [][]Fault{constants, listed, declared} {
		slices.Sort(s)
	}
	if len(constants) < 20 || !slices.Equal(constants, listed) || !slices.Equal(constants, declared) {
		t.Errorf("constants %v\nlisted    %v\ndeclared  %v", constants, listed, declared)
	}
}
