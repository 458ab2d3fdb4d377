// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"strings"
	"testing"
)

// TestMisread says in plain words what keeps a condition from being read.
func TestMisread(t *testing.T) {
	for text, want := range map[string]string{
		"today <= pass.issued + 90 days": "condition cannot be read from column 27 on, at \"days\"; mend: days are whole numbers",
		"not p":                          "mend: write ! for not",
		"p and q":                        "mend: write && for and",
		"n = 3":                          "mend: write == for",
		"n > ":                           "condition cannot be read: it breaks off at its end",
		"on.day < now":                   "condition: < does not work on a number or a day and an instant; mend: compare days with days",
		"on.day < '2025-10-17'":          "condition: < does not work on a number or a day and a text; mend: write a day as date('2025-10-17')",
		"!n":                             "condition: ! does not work on a number or a day",
		"papers == 'a'":                  "a set of texts and a text; mend: write 'a' in set",
		"nothing.here":                   "condition reads \"nothing\", which is not declared",
	} {
		e, _ := wide(t, "  - {id: c, kind: rule, TEXT, require: \""+text+"\", else: REFUSE}\n")
		fs := Check(e)
		if len(fs) == 0 {
			t.Errorf("%s: no fault", text)
			continue
		}
		if got := fs[0].What + "; mend: " + fs[0].Mend; !strings.Contains(got, want) {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
}
