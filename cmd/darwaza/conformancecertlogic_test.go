// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"darwaza.dev/internal/problem"
)

func TestConformanceCertLogic(t *testing.T) {
	dir := published(t, "certlogic")
	got, _ := conform(t, 0, "certlogic", dir)
	for check, want := range map[string]int{"spec": 218, "validation": 23, "rule": 107, "test": 710} {
		if c := got[check]; c.Right != want || c.Total != want {
			t.Errorf("%s: %d of %d, want %d", check, c.Right, c.Total, want)
		}
	}
}

// A result that is not the expected one is named, makes the exit status, and shows no text.
func TestConformanceCertLogicMiss(t *testing.T) {
	dir := t.TempDir()
	file := `{"name":"x","cases":[{"name":"one","certLogicExpression":{"var":"a"},"assertions":[{"data":{"a":"canary"},"expected":true},{"data":{"a":true},"expected":true},{"directive":"skip","data":{},"expected":7}]}]}`
	if err := os.WriteFile(filepath.Join(dir, "a.json"), []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	got, out := conform(t, problem.Conflict.ExitStatus(), "certlogic", dir)
	if c := got["spec"]; c.Right != 1 || c.Total != 2 || len(c.Missed) != 1 || !strings.Contains(c.Missed[0].File, "a.json, one, assertion 1") || strings.Contains(out, "canary") {
		t.Errorf("got %s", out)
	}
	if _, out := conform(t, problem.Invalid.ExitStatus(), "certlogic", t.TempDir()); out != "" {
		t.Errorf("an empty folder: %s", out)
	}
}
