// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"os"
	"regexp"
	"testing"
	"testing/fstest"

	"darwaza.dev/internal/agreement"
)

// TestGuideRuns asks every scenario of the package in the guide.
func TestGuideRuns(t *testing.T) {
	b, err := os.ReadFile("../../docs/agreements.md")
	if err != nil {
		t.Fatal(err)
	}
	m := fstest.MapFS{}
	for _, x := range regexp.MustCompile("(?ms)^```yaml (\\S+)\n(.*?)^```$").FindAllSubmatch(b, -1) {
		if m[string(x[1])] == nil {
			m[string(x[1])] = &fstest.MapFile{}
		}
		m[string(x[1])].Data = append(m[string(x[1])].Data, x[2]...)
	}
	e, err := agreement.Load(m)
	if err != nil {
		t.Fatal(err)
	}
	law, err := Compile(e)
	if err != nil {
		t.Fatal(err)
	}
	results := law.Test(e)
	if len(results) != 5 {
		t.Errorf("%d scenarios", len(results))
	}
	for _, r := range results {
		for _, w := range r.Wrong {
			t.Errorf("%s: %s", r.Scenario.ID, w)
		}
	}
}
