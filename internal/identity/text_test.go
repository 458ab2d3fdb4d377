// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package identity

import (
	"os"
	"regexp"
	"testing"

	"darwaza.dev/internal/lang"
)

// TestCodesHaveTexts finds the codes that this package gives in its source, and each of
// them among the texts.
func TestCodesHaveTexts(t *testing.T) {
	texts, err := lang.Load()
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, name := range []string{"document.go", "mrz.go"} {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(problem\.Field\("[a-z]+", "|mrzProblem\(")([a-z.]+)"\)`).FindAllSubmatch(b, -1) {
			code := string(m[2])
			if string(m[1]) == `mrzProblem("` {
				code = "mrz." + code
			}
			if n++; !texts.Has("problem." + code) {
				t.Errorf("no text for %s", code)
			}
		}
	}
	for _, field := range []string{"number", "birth", "expiry", "optional", "composite"} {
		if n++; !texts.Has("problem.mrz.check." + field) {
			t.Errorf("no text for the check digit of %s", field)
		}
	}
	if n < 25 {
		t.Errorf("only %d codes found", n)
	}
}
