// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package vault

import (
	"errors"
	"io"
	"path/filepath"
	"sync"
	"testing"
)

var errDisk = errors.New("the disk fails")

// faults makes the files of a vault fail as disks do.
type faults struct {
	mu           sync.Mutex
	sync, create bool
	cached       []*cached
}

func (f *faults) set(sync, create bool) {
	f.mu.Lock()
	f.sync, f.create = sync, create
	f.mu.Unlock()
}

func (f *faults) open(path string, create bool) (*file, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if create && f.create {
		return nil, errDisk
	}
	x, err := openFile(path, create)
	if err != nil {
		return nil, err
	}
	c := &cached{disk: x.f, faults: f}
	if c.now, err = io.ReadAll(io.NewSectionReader(x.f, 0, 1<<62)); err != nil {
		return nil, err
	}
	f.cached = append(f.cached, c)
	x.f = c
	return x, nil
}

// A cached file keeps what is written to itself until it is flushed. A flush that fails
// forgets what was to be written, and the next one reports success: so do file systems.
type cached struct {
	disk
	faults *faults
	now    []byte // as a reader sees it
	dirty  []write
}

type write struct {
	at int64
	b  []byte
}

func (c *cached) WriteAt(b []byte, at int64) (int, error) {
	c.faults.mu.Lock()
	defer c.faults.mu.Unlock()
	if need := int(at) + len(b) - len(c.now); need > 0 {
		c.now = append(c.now, make([]byte, need)...)
	}
	copy(c.now[at:], b)
	c.dirty = append(c.dirty, write{at, append([]byte{}, b...)})
	return len(b), nil
}

func (c *cached) ReadAt(b []byte, at int64) (int, error) {
	c.faults.mu.Lock()
	defer c.faults.mu.Unlock()
	if at >= int64(len(c.now)) {
		return 0, io.EOF
	}
	n := copy(b, c.now[at:])
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

func (c *cached) Sync() error {
	c.faults.mu.Lock()
	defer c.faults.mu.Unlock()
	todo := c.dirty
	c.dirty = nil
	if c.faults.sync {
		return errDisk
	}
	for _, w := range todo {
		if _, err := c.disk.WriteAt(w.b, w.at); err != nil {
			return err
		}
	}
	return c.disk.Sync()
}

func (f *faults) vault(t *testing.T, dir string) *Vault {
	t.Helper()
	v, err := openVault(dir, f.open)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// crash ends a vault as a power cut does: what was not flushed is lost.
func (f *faults) crash(v *Vault) {
	v.mu.Lock()
	v.closed = true
	v.ready = nil
	v.mu.Unlock()
	f.set(true, true)
	v.poke()
	v.done.Wait()
	v.closeFiles()
}

// TestFlushFails has a flush fail and the disk come back: nobody is given a key that is not
// on stable storage, the vault seals again without a restart, and whatever was given is
// there after a power cut.
func TestFlushFails(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	f := &faults{}
	v := f.vault(t, dir)
	a, ca := seal(t, v, "before")
	f.set(true, false)
	for range 3 {
		if _, _, err := v.Seal(t.Context(), []byte("lost")); !errors.Is(err, errDisk) {
			t.Fatalf("sealed on a disk that fails: %v", err)
		}
	}
	want(t, v, a, ca, "before")
	f.set(false, true)
	if _, _, err := v.Seal(t.Context(), []byte("lost")); !errors.Is(err, errDisk) {
		t.Fatalf("sealed in the file whose flush has failed: %v", err)
	}
	f.set(false, false)
	b, cb := seal(t, v, "after")
	d, cd := seal(t, v, "and again")
	want(t, v, a, ca, "before")
	want(t, v, b, cb, "after")
	f.crash(v)

	w := open(t, dir)
	want(t, w, a, ca, "before")
	want(t, w, b, cb, "after")
	want(t, w, d, cd, "and again")
	if files, _ := filepath.Glob(filepath.Join(dir, "*")); len(files) != 1 {
		t.Errorf("files %v, want one", files)
	}
}

// TestDestroyFails has the flush of a destruction fail. It is a problem until a flush has
// succeeded, and then the key is gone from the disk, not only from memory.
func TestDestroyFails(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	f := &faults{}
	v := f.vault(t, dir)
	a, ca := seal(t, v, "to go")
	b, cb := seal(t, v, "to stay")
	f.set(true, false)
	for range 2 {
		if err := v.Destroy(t.Context(), a); !errors.Is(err, errDisk) {
			t.Fatalf("destroyed on a disk that fails: %v", err)
		}
	}
	gone(t, v, a, ca)
	f.set(false, false)
	if err := v.Destroy(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	f.crash(v)

	w := open(t, dir)
	gone(t, w, a, ca)
	want(t, w, b, cb, "to stay")
}

// TestDestroyAll destroys many with one flush, among them ids that name nothing.
func TestDestroyAll(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	f := &faults{}
	v := f.vault(t, dir)
	var ids []string
	var cs [][]byte
	for range 100 {
		id, c := seal(t, v, "x")
		ids, cs = append(ids, id), append(cs, c)
	}
	kept, ck := seal(t, v, "kept")
	if err := v.DestroyAll(t.Context(), append([]string{"", "word:x"}, ids...)); err != nil {
		t.Fatal(err)
	}
	for i, id := range ids {
		gone(t, v, id, cs[i])
	}
	f.crash(v)
	w := open(t, dir)
	for i, id := range ids {
		gone(t, w, id, cs[i])
	}
	want(t, w, kept, ck, "kept")
}
