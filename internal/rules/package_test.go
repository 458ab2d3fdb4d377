// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"io/fs"
	"testing"

	"darwaza.dev/agreements"
	"darwaza.dev/internal/agreement"
)

// market returns the package of the border markets and its law.
func market(t testing.TB) (*agreement.Edition, *Law) {
	t.Helper()
	dir, err := fs.Sub(agreements.FS, "pk-ir-border-markets")
	if err != nil {
		t.Fatal(err)
	}
	e, err := agreement.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	l, err := Compile(e)
	if err != nil {
		t.Fatal(err)
	}
	return e, l
}

// TestPackage runs the scenarios that lie beside the text.
func TestPackage(t *testing.T) {
	e, l := market(t)
	for _, r := range l.Test(e) {
		for _, w := range r.Wrong {
			t.Errorf("%s:%d: %s: %s", r.Scenario.File, r.Scenario.Line, r.Scenario.ID, w)
		}
	}
}
