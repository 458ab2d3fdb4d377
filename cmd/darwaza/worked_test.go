// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"darwaza.dev/agreements"
	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/lang"
)

// TestWorkedByCommand takes every package that comes with the program through the
// commands that an author uses: it is sound, each of its scenarios passes, and a reader of
// any of the languages finds every clause in words of that language.
func TestWorkedByCommand(t *testing.T) {
	folders, err := fs.ReadDir(agreements.FS, ".")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range folders {
		t.Run(f.Name(), func(t *testing.T) {
			sub, err := fs.Sub(agreements.FS, f.Name())
			if err != nil {
				t.Fatal(err)
			}
			dir := filepath.Join(t.TempDir(), "pkg")
			if err := os.CopyFS(dir, sub); err != nil {
				t.Fatal(err)
			}
			e, err := agreement.Load(sub)
			if err != nil {
				t.Fatal(err)
			}

			var check struct {
				Faults []agreement.Fault
				Sound  bool
			}
			out, errs, status := darwaza(t, "agreement", "check", "--json", dir)
			if err := json.Unmarshal([]byte(out), &check); err != nil || !check.Sound || status != 0 {
				t.Errorf("check: status %d, %v, %s%s", status, err, out, errs)
			}
			for _, x := range check.Faults {
				if !strings.Contains(x.What, "no schedule for the site") && !strings.Contains(x.What, "a side has no gate at the site") {
					t.Errorf("check: %s", x)
				}
			}

			var test struct {
				Passed    bool
				Scenarios []struct {
					ID     string
					Passed bool
				}
			}
			out, errs, status = darwaza(t, "agreement", "test", "--json", dir)
			if err := json.Unmarshal([]byte(out), &test); err != nil || !test.Passed || status != 0 {
				t.Errorf("test: status %d, %v, %s%s", status, err, out, errs)
			}
			if len(test.Scenarios) != len(e.Tests) {
				t.Errorf("test: %d scenarios, the package has %d", len(test.Scenarios), len(e.Tests))
			}

			for _, tag := range lang.Tags {
				out, errs, status := darwaza(t, "agreement", "show", "--lang", string(tag), dir)
				if status != 0 {
					t.Fatalf("show: status %d, %s", status, errs)
				}
				flat := strings.Join(strings.Fields(out), " ")
				for _, c := range e.Clauses {
					if words := strings.Join(strings.Fields(c.Text[tag]), " "); words == "" || !strings.Contains(flat, words) {
						t.Errorf("show %s: clause %s has not its words", tag, c.ID)
					}
				}
			}
		})
	}
}
