// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package agreement

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestBundle(t *testing.T) {
	folder := files(t)
	b, err := Bundle(folder)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Bundle(files(t))
	if err != nil || !bytes.Equal(b, again) {
		t.Errorf("a second bundle has other bytes: %v", err)
	}
	fsys, err := OpenBundle(b)
	if err != nil {
		t.Fatal(err)
	}
	e, err := Load(fsys)
	if err != nil {
		t.Fatal(err)
	}
	want, err := Load(folder)
	if err != nil || e.Hash != want.Hash {
		t.Errorf("the bundle has hash %x, the folder %x (%v)", e.Hash, want.Hash, err)
	}
	if again, err := Bundle(fsys); err != nil || !bytes.Equal(b, again) {
		t.Errorf("a bundle of a bundle has other bytes: %v", err)
	}
	if !IsBundle(b) || IsBundle([]byte("id: x\n")) {
		t.Error("a bundle is not told from a text")
	}
	// Other tools read it.
	r, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	if len(r.File) != len(folder) {
		t.Errorf("another reader finds %d files of %d", len(r.File), len(folder))
	}
	for _, f := range r.File {
		if got, err := fs.ReadFile(r, f.Name); err != nil || !bytes.Equal(got, folder[f.Name].Data) {
			t.Errorf("%s differs: %v", f.Name, err)
		}
	}
	folder["notes.txt"] = folder["agreement.yaml"]
	if _, err := Bundle(folder); err == nil {
		t.Error("a folder with a file that does not belong is bundled")
	}
}

// ordinary writes an archive as a common tool does: packed, with folders and descriptors.
func ordinary(t testing.TB, edit func(*zip.FileHeader), names ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, n := range names {
		h := &zip.FileHeader{Name: n, Method: zip.Deflate}
		if strings.HasSuffix(n, "/") {
			h.Method = zip.Store
			h.SetMode(fs.ModeDir | 0o755)
		}
		if edit != nil {
			edit(h)
		}
		w, err := z.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(n, "/") {
			fmt.Fprint(w, strings.Repeat("id: x\n", 100))
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestBundleOfOthers(t *testing.T) {
	b := ordinary(t, func(h *zip.FileHeader) { h.Modified = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) }, "agreement.yaml", "clauses/", "clauses/x.yaml")
	fsys, err := OpenBundle(b)
	if err != nil {
		t.Fatal(err)
	}
	got, err := fs.ReadFile(fsys, "clauses/x.yaml")
	if err != nil || len(got) != 600 {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

func TestBundleHostile(t *testing.T) {
	one := zipped(map[string][]byte{"agreement.yaml": []byte("id: x\n"), "b.md": []byte("b\n")})
	at := func(b []byte, sig uint32, n int) int {
		var s [4]byte
		binary.LittleEndian.PutUint32(s[:], sig)
		i := bytes.Index(b, s[:])
		for range n {
			i += 1 + bytes.Index(b[i+1:], s[:])
		}
		return i
	}
	set := func(sig uint32, n, off int, v ...byte) []byte {
		b := bytes.Clone(one)
		copy(b[at(b, sig, n)+off:], v)
		return b
	}
	both := func(off int, v byte) []byte { // a field that stands in both headers
		b := set(zipLocal, 0, off, v)
		b[at(b, zipCentral, 0)+off+2] = v
		return b
	}
	named := func(names ...string) []byte { return ordinary(t, nil, names...) }
	many := make([]string, maxEntries+1)
	for i := range many {
		many[i] = fmt.Sprintf("tests/t%d.yaml", i)
	}
	bomb := func(n int, size int64) []byte {
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		for i := range n {
			w, err := z.Create(fmt.Sprintf("lists/l%d.csv", i))
			if err != nil {
				t.Fatal(err)
			}
			zero := make([]byte, 1<<16)
			for left := size; left > 0; left -= int64(len(zero)) {
				if _, err := w.Write(zero[:min(left, int64(len(zero)))]); err != nil {
					t.Fatal(err)
				}
			}
		}
		z.Close()
		return b.Bytes()
	}
	liar := func() []byte { // says that it is small and is not
		b := bomb(1, 64<<20)
		c := at(b, zipCentral, 0)
		binary.LittleEndian.PutUint32(b[c+24:], 100)
		return b
	}
	overlap := func() []byte { // two names for one entry's bytes
		b := set(zipCentral, 1, 42, 0, 0, 0, 0)
		return b
	}
	gap := func() []byte { // four bytes between two entries that neither owns
		second := at(one, zipLocal, 1)
		b := slices.Concat(one[:second], []byte("gap!"), one[second:])
		for _, x := range []int{at(b, zipCentral, 1) + 42, at(b, zipEnd, 0) + 16} {
			binary.LittleEndian.PutUint32(b[x:], binary.LittleEndian.Uint32(b[x:])+4)
		}
		return b
	}
	link := ordinary(t, func(h *zip.FileHeader) { h.SetMode(fs.ModeSymlink | 0o777) }, "agreement.yaml")
	cases := map[string][]byte{
		"empty":             {},
		"a text":            []byte("id: x\n" + strings.Repeat("edition: 1\n", 20)),
		"cut off":           one[:len(one)-1],
		"begun elsewhere":   append([]byte("#!/bin/sh\n"), one...),
		"something after":   append(bytes.Clone(one), 0),
		"a comment":         append(set(zipEnd, 0, 20, 3, 0), "abc"...),
		"in parts":          set(zipEnd, 0, 4, 1),
		"half its count":    set(zipEnd, 0, 8, 1, 0, 1, 0),
		"ten thousand":      set(zipEnd, 0, 8, 0x10, 0x27, 0x10, 0x27),
		"zip64":             set(zipEnd, 0, 8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff),
		"encrypted":         both(6, 1),
		"unknown flag":      both(7, 0x20),
		"bzip2":             both(8, 12),
		"two names":         set(zipLocal, 0, 30, 'b'),
		"two sizes":         set(zipLocal, 0, 18, 1),
		"another sum":       both(14, 99),
		"overlap":           overlap(),
		"a gap":             gap(),
		"outside":           named("../agreement.yaml"),
		"inside, outside":   named("clauses/../../agreement.yaml"),
		"absolute":          named("/etc/agreement.yaml"),
		"windows":           named(`clauses\law.yaml`),
		"drive":             named("c:agreement.yaml"),
		"dot":               named("./agreement.yaml"),
		"nul":               named("agreement.yaml\x00.md"),
		"not ASCII":         named("аgreement.yaml"),
		"doubled":           named("agreement.yaml", "agreement.yaml"),
		"doubled by case":   named("agreement.yaml", "Agreement.yaml"),
		"file and folder":   named("clauses", "clauses/x.yaml"),
		"a link":            link,
		"too many":          named(many...),
		"bomb":              bomb(1, 300<<20),
		"many small bombs":  bomb(16, 1<<20-1),
		"liar":              liar(),
		"a long name":       named(strings.Repeat("a", maxName+1)),
		"directory outside": set(zipEnd, 0, 16, 0xff, 0xff, 0xff, 0x7f),
		"entry outside":     set(zipCentral, 1, 42, 0xff, 0xff, 0xff, 0x7f),
		"too large":         make([]byte, MaxBundle+1),
	}
	if _, err := OpenBundle(one); err != nil {
		t.Fatalf("the sound one: %v", err)
	}
	for _, name := range slices.Sorted(maps.Keys(cases)) {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		begun := time.Now()
		_, err := OpenBundle(cases[name])
		took := time.Since(begun)
		runtime.ReadMemStats(&after)
		if !errors.Is(err, ErrBundle) {
			t.Errorf("%s: %v", name, err)
		}
		if n := (after.TotalAlloc - before.TotalAlloc) >> 20; took > time.Second || n > 32 {
			t.Errorf("%s: %v and %d MB", name, took, n)
		}
	}
}

func FuzzBundle(f *testing.F) {
	pkg, err := Bundle(small())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(pkg)
	f.Add(zipped(map[string][]byte{"agreement.yaml": []byte("id: x\n")}))
	f.Add(ordinary(f, nil, "agreement.yaml", "clauses/", "clauses/x.yaml"))
	f.Fuzz(func(t *testing.T, b []byte) {
		files, err := unzipped(b)
		if err != nil {
			if !errors.Is(err, ErrBundle) {
				t.Fatal(err)
			}
			return
		}
		total := 0
		for p, data := range files {
			if !fs.ValidPath(p) || p == "." {
				t.Fatalf("%q is no path", p)
			}
			total += len(data)
		}
		if total > maxTotal || len(files) > maxEntries {
			t.Fatalf("%d files of %d bytes", len(files), total)
		}
		// What was read is what the one spelling says again.
		again, err := unzipped(zipped(files))
		if err != nil || !maps.EqualFunc(files, again, bytes.Equal) {
			t.Fatalf("not the same again: %v", err)
		}
		// Whatever the files are, the loader answers.
		if len(b) < 1<<14 {
			Check(memory(files))
		}
	})
}
