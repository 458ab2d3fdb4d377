// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"testing"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/post"
)

// adopt puts both sides' public keys into the package and lets both sign it.
func adopt(t *testing.T, pkg, a, b string) {
	t.Helper()
	write := func(path string, data []byte) {
		full := filepath.Join(pkg, filepath.FromSlash(path))
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	all := map[agreement.Side]*post.Keys{}
	for side, dir := range map[agreement.Side]string{agreement.A: a, agreement.B: b} {
		keys, err := post.OpenKeys(filepath.Join(dir, "keys"), side)
		if err != nil {
			t.Fatal(err)
		}
		all[side] = keys
		public, err := keys.Public()
		if err != nil {
			t.Fatal(err)
		}
		write(agreement.KeysFile(side, public))
	}
	e, err := agreement.Load(os.DirFS(pkg))
	if err != nil {
		t.Fatal(err)
	}
	for side, keys := range all {
		path, sig, err := agreement.Sign(e, side, keys.Root)
		if err != nil {
			t.Fatal(err)
		}
		write(path, sig)
	}
}
