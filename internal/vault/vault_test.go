// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package vault

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"darwaza.dev/internal/problem"
)

func open(t testing.TB, dir string) *Vault {
	t.Helper()
	v, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { v.Close() })
	return v
}

func seal(t testing.TB, v *Vault, text string) (string, []byte) {
	t.Helper()
	id, c, err := v.Seal(t.Context(), []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return id, c
}

func want(t testing.TB, v *Vault, id string, c []byte, text string) {
	t.Helper()
	got, err := v.Open(t.Context(), id, c)
	if err != nil || string(got) != text {
		t.Fatalf("got %q, %v; want %q", got, err, text)
	}
}

func gone(t testing.TB, v *Vault, id string, c []byte) {
	t.Helper()
	if got, err := v.Open(t.Context(), id, c); problem.KindOf(err) != problem.NotFound || err == nil {
		t.Fatalf("got %q, %v; want a problem of kind not-found", got, err)
	}
}

// contents returns all bytes of all files of a directory.
func contents(t testing.TB, dir string) []byte {
	t.Helper()
	var all []byte
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		all = append(all, b...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestSealOpenDestroy(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	v := open(t, dir)
	a, ca := seal(t, v, "Gul Bibi")
	b, cb := seal(t, v, "")
	want(t, v, a, ca, "Gul Bibi")
	want(t, v, b, cb, "")
	if _, err := v.Open(t.Context(), b, ca); problem.KindOf(err) != problem.Untrusted {
		t.Errorf("another key: %v", err)
	}
	for _, c := range [][]byte{nil, ca[:5], append(bytes.Clone(ca), 0)} {
		if _, err := v.Open(t.Context(), a, c); problem.KindOf(err) != problem.Untrusted {
			t.Errorf("ciphertext of %d bytes: %v", len(c), err)
		}
	}
	for _, id := range []string{"", "x", strings.Repeat("A", 22), "word:o-123"} {
		gone(t, v, id, ca)
		if err := v.Destroy(t.Context(), id); err != nil {
			t.Errorf("destroy %q: %v", id, err)
		}
	}
	id, _ := parseID(a)
	key, ok, err := v.find(id)
	if !ok || err != nil {
		t.Fatal(ok, err)
	}
	if !bytes.Contains(contents(t, dir), key[:]) {
		t.Fatal("the key is nowhere: the test looks in the wrong place")
	}
	for range 2 {
		if err := v.Destroy(t.Context(), a); err != nil {
			t.Fatal(err)
		}
	}
	gone(t, v, a, ca)
	if bytes.Contains(contents(t, dir), key[:]) {
		t.Error("a destroyed key is still in a file")
	}
	want(t, v, b, cb, "")
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	if _, _, err := v.Seal(t.Context(), nil); err == nil {
		t.Error("a closed vault seals")
	}
	v = open(t, dir)
	gone(t, v, a, ca)
	want(t, v, b, cb, "")
	// Putting files together has dropped the destroyed entry itself.
	if bytes.Contains(contents(t, dir), id[:]) {
		t.Error("the entry of a destroyed key is still in a file")
	}
	if files, _ := filepath.Glob(filepath.Join(dir, "*")); len(files) != 1 {
		t.Errorf("files %v, want one", files)
	}
	if st, err := os.Stat(dir); err != nil || st.Mode().Perm() != 0o700 {
		t.Errorf("directory: %v %v", st.Mode(), err)
	}
}

func TestTornTail(t *testing.T) {
	for cut := 1; cut < entrySize; cut += 7 {
		dir := t.TempDir()
		v := open(t, dir)
		a, ca := seal(t, v, "first")
		seal(t, v, "second")
		v.closeFiles() // as a crash would: nothing is wiped
		files, _ := filepath.Glob(filepath.Join(dir, "*"+suffix))
		st, _ := os.Stat(files[0])
		if err := os.Truncate(files[0], st.Size()-int64(cut)); err != nil {
			t.Fatal(err)
		}
		w := open(t, dir)
		want(t, w, a, ca, "first")
		b, cb := seal(t, w, "third")
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		w = open(t, dir)
		want(t, w, a, ca, "first")
		want(t, w, b, cb, "third")
	}
}

// TestCrashWhileMerging leaves what a crash leaves at each step of putting files together.
func TestCrashWhileMerging(t *testing.T) {
	dir := t.TempDir()
	v := open(t, dir)
	a, ca := seal(t, v, "kept")
	d, cd := seal(t, v, "destroyed")
	v.Destroy(t.Context(), d)
	v.closeFiles()
	files, _ := filepath.Glob(filepath.Join(dir, "*"+suffix))
	old, _ := os.ReadFile(files[0])
	for name, content := range map[string][]byte{
		prefix + "00" + suffix + fresh: old[:entrySize+10], // not yet renamed
		prefix + "01" + suffix:         old[:entrySize],    // renamed, the old one not yet erased
	} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	v = open(t, dir)
	want(t, v, a, ca, "kept")
	gone(t, v, d, cd)
	if files, _ = filepath.Glob(filepath.Join(dir, "*")); len(files) != 1 {
		t.Errorf("files %v, want one", files)
	}
	if err := v.Destroy(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	v.Close()
	v = open(t, dir)
	gone(t, v, a, ca)
}

// TestTwoProcesses has two vaults on one directory, as two servers have.
func TestTwoProcesses(t *testing.T) {
	dir := t.TempDir()
	v := open(t, dir)
	a, ca := seal(t, v, "by v")
	w := open(t, dir)
	b, cb := seal(t, w, "by w")
	c, cc := seal(t, v, "later by v")
	want(t, w, a, ca, "by v")
	want(t, v, b, cb, "by w")
	want(t, w, c, cc, "later by v")
	if err := w.Destroy(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	gone(t, v, a, ca)
	v.Close()
	x := open(t, dir) // puts v's file together anew, under w's feet
	want(t, x, c, cc, "later by v")
	want(t, w, c, cc, "later by v")
	want(t, x, b, cb, "by w")
	gone(t, x, a, ca)
}

// TestRush seals from many at once and holds the number of flushes against that of keys.
func TestRush(t *testing.T) {
	dir := t.TempDir()
	v := open(t, dir)
	const workers, each = 64, 50
	ids := make([]map[string][]byte, workers)
	var wg sync.WaitGroup
	for i := range workers {
		ids[i] = map[string][]byte{}
		wg.Add(1)
		go func() {
			defer wg.Done()
			for j := range each {
				id, c, err := v.Seal(context.Background(), fmt.Appendf(nil, "%d.%d", i, j))
				if err != nil {
					t.Error(err)
					return
				}
				ids[i][id] = c
			}
		}()
	}
	wg.Wait()
	seen := map[string]bool{}
	for i := range workers {
		for id, c := range ids[i] {
			if seen[id] {
				t.Fatal("a key was given twice")
			}
			seen[id] = true
			if b, err := v.Open(t.Context(), id, c); err != nil || !strings.HasPrefix(string(b), fmt.Sprint(i, ".")[:len(fmt.Sprint(i))]) {
				t.Fatal(string(b), err)
			}
		}
	}
	for i := range workers { // and destroy half of them at once
		if i%2 == 0 {
			continue
		}
		wg.Add(1)
		go func() {
			defer wg.Done()
			for id := range ids[i] {
				if err := v.Destroy(context.Background(), id); err != nil {
					t.Error(err)
				}
			}
		}()
	}
	wg.Wait()
	for i := range workers {
		for id, c := range ids[i] {
			if _, err := v.Open(t.Context(), id, c); (i%2 == 0) != (err == nil) {
				t.Fatalf("key of worker %d: %v", i, err)
			}
		}
	}
	if len(seen) != workers*each {
		t.Errorf("%d keys, want %d", len(seen), workers*each)
	}
	st, _ := v.own.f.Stat()
	if spare := int(st.Size())/entrySize - len(seen); spare > maxAhead {
		t.Errorf("%d keys were made ahead", spare)
	}
}

// TestModel runs random acts, with crashes and restarts, against a map.
func TestModel(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		dir, err := os.MkdirTemp("", "vault")
		if err != nil {
			r.Fatal(err)
		}
		defer os.RemoveAll(dir)
		v, err := Open(dir)
		if err != nil {
			r.Fatal(err)
		}
		defer func() { v.Close() }()
		type sealed struct {
			text string
			c    []byte
		}
		model := map[string]sealed{}
		var ids []string
		for range rapid.IntRange(1, 40).Draw(r, "acts") {
			switch act := rapid.SampledFrom([]string{"seal", "seal", "seal", "destroy", "reopen", "crash"}).Draw(r, "act"); {
			case act == "seal":
				text := rapid.StringN(0, 20, 40).Draw(r, "text")
				id, c, err := v.Seal(context.Background(), []byte(text))
				if err != nil {
					r.Fatal(err)
				}
				model[id] = sealed{text, c}
				ids = append(ids, id)
			case act == "destroy" && len(ids) > 0:
				id := rapid.SampledFrom(ids).Draw(r, "id")
				if err := v.Destroy(context.Background(), id); err != nil {
					r.Fatal(err)
				}
				delete(model, id)
			case act == "reopen" || act == "crash":
				if act == "reopen" {
					v.Close()
				} else {
					v.closeFiles()
				}
				if v, err = Open(dir); err != nil {
					r.Fatal(err)
				}
			}
			for _, id := range ids {
				m, live := model[id]
				got, err := v.Open(context.Background(), id, m.c)
				if live && (err != nil || string(got) != m.text) {
					r.Fatalf("%s: got %q, %v; want %q", id, got, err, m.text)
				}
				if !live && problem.KindOf(err) != problem.NotFound {
					r.Fatalf("%s was destroyed: got %q, %v", id, got, err)
				}
			}
		}
	})
}

func FuzzEntry(f *testing.F) {
	f.Add(entry{id: keyID{1}, key: [32]byte{2}}.append(nil))
	f.Add(entry{id: keyID{1}}.append(nil))
	f.Add(make([]byte, entrySize))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) < entrySize {
			return
		}
		e, live, ok := parseEntry(b)
		if live && !ok {
			t.Error("alive with a wrong check")
		}
		if again, _, _ := parseEntry(e.append(nil)); ok && again != e {
			t.Error("another entry")
		}
	})
}
