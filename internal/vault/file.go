// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package vault

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"syscall"
)

// A file of keys is a row of entries of 64 bytes, so that none lies across two sectors of
// a disk:
//
//	id    16 bytes, random
//	key   32 bytes; all zero where the key was destroyed
//	check  4 bytes, CRC-32 (Castagnoli) of id and key, most significant first
//	zero  12 bytes
//
// Entries are appended and flushed before they are used. What a crash leaves half written
// at the end has no use and is cut off.
const entrySize = 64

const (
	prefix = "keys-"
	suffix = ".keys"
	fresh  = ".new" // a file that is being put together
)

type entry struct {
	id  keyID
	key [32]byte
}

// String hides the key.
func (e entry) String() string { return e.id.String() + " [redacted]" }

func sum(id keyID, key [32]byte) uint32 {
	var b [48]byte
	copy(b[:], id[:])
	copy(b[16:], key[:])
	return crc32.Checksum(b[:], crc32.MakeTable(crc32.Castagnoli))
}

func (e entry) append(dst []byte) []byte {
	dst = append(append(dst, e.id[:]...), e.key[:]...)
	dst = binary.BigEndian.AppendUint32(dst, sum(e.id, e.key))
	return append(dst, make([]byte, 12)...)
}

// parseEntry reads an entry; live is false where its key was destroyed.
func parseEntry(b []byte) (e entry, live, ok bool) {
	copy(e.id[:], b)
	copy(e.key[:], b[16:])
	ok = binary.BigEndian.Uint32(b[48:]) == sum(e.id, e.key)
	return e, ok && e.key != [32]byte{}, ok
}

// A place is where an entry lies.
type place struct {
	file *file
	at   int64
}

// A disk is what a file of keys needs of an *os.File.
type disk interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	Sync() error
	Stat() (os.FileInfo, error)
	Truncate(size int64) error
}

// A file is one file of keys. Its owner alone appends to it.
type file struct {
	f    disk
	name string
	ours bool  // this process holds its lock
	size int64 // as far as it has been read or written
	// suspect is true where a write or a flush failed: nothing is appended any more, and
	// what was overwritten since is written again before it counts. The maker's.
	suspect bool
}

func openFile(path string, create bool) (*file, error) {
	flags := os.O_RDWR
	if create {
		flags |= os.O_CREATE | os.O_EXCL
	}
	f, err := os.OpenFile(path, flags, 0o600)
	if err != nil {
		return nil, err
	}
	x := &file{f: f, name: filepath.Base(path)}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	x.ours = err == nil
	if err != nil && !errors.Is(err, syscall.EWOULDBLOCK) {
		f.Close()
		return nil, err
	}
	return x, nil
}

// add writes n new entries, which may be none, and flushes the file.
func (x *file) add(n int) (made []entry, at int64, err error) {
	var b []byte
	for range n {
		var e entry
		rand.Read(e.id[:])
		rand.Read(e.key[:])
		made = append(made, e)
		b = e.append(b)
	}
	at = x.size
	if n > 0 {
		if _, err := x.f.WriteAt(b, at); err != nil {
			return nil, 0, err
		}
	}
	if err := x.f.Sync(); err != nil {
		return nil, 0, err
	}
	x.size += int64(len(b))
	return made, at, nil
}

// read reads the entry at a place; false where its key is no more.
func (x *file) read(at int64) (entry, bool, error) {
	var b [entrySize]byte
	if _, err := x.f.ReadAt(b[:], at); err != nil {
		return entry{}, false, err
	}
	e, live, _ := parseEntry(b[:])
	return e, live, nil
}

// wipe overwrites a key.
func (x *file) wipe(at int64, id keyID) error {
	_, err := x.f.WriteAt(entry{id: id}.append(nil), at)
	return err
}

// scan reads on from where reading has ended so far and calls f with every live key.
func (x *file) scan(f func(e entry, at int64)) (dead int, err error) {
	b, err := io.ReadAll(io.NewSectionReader(x.f, x.size, 1<<62-x.size))
	if err != nil {
		return 0, err
	}
	for len(b) >= entrySize {
		e, live, ok := parseEntry(b)
		if !ok && len(b) < 2*entrySize && !x.ours {
			break // another process may be writing it just now
		}
		if live {
			f(e, x.size)
		} else {
			dead++
		}
		b, x.size = b[entrySize:], x.size+entrySize
	}
	return dead, nil
}

// load reads every file of the directory, and puts those that nobody else uses together
// into one, without the keys that were destroyed. A crash on the way leaves a key in two
// files at most until the next load, which happens before any key can be destroyed.
func (v *Vault) load() error {
	if err := os.MkdirAll(v.dir, 0o700); err != nil {
		return err
	}
	if err := os.Chmod(v.dir, 0o700); err != nil {
		return err
	}
	if err := v.refresh(); err != nil {
		return err
	}
	var ours []*file
	dead := 0
	for _, x := range v.files {
		if x.ours {
			ours = append(ours, x)
		}
	}
	sort.Slice(ours, func(i, j int) bool { return ours[i].name < ours[j].name })
	live := map[keyID]entry{}
	for _, x := range ours {
		x.size = 0
		d, err := x.scan(func(e entry, at int64) { live[e.id] = e })
		if err != nil {
			return err
		}
		dead += d
	}
	if len(ours) == 1 && dead == 0 {
		v.own = ours[0]
		return v.own.f.Truncate(v.own.size) // cut off what is half written
	}
	merged, err := v.merge(live)
	if err != nil {
		return err
	}
	for _, x := range ours {
		if err := x.erase(v.dir); err != nil {
			return err
		}
		delete(v.files, x.name)
	}
	for id, p := range v.index {
		if p.file.ours {
			delete(v.index, id)
		}
	}
	v.own = merged
	v.files[merged.name] = merged
	merged.size = 0
	_, err = merged.scan(func(e entry, at int64) { v.index[e.id] = place{merged, at} })
	return err
}

// merge writes keys to a file of a new name, which appears whole or not at all.
func (v *Vault) merge(live map[keyID]entry) (*file, error) {
	var r [8]byte
	rand.Read(r[:])
	name := prefix + hex.EncodeToString(r[:]) + suffix
	x, err := v.opens(filepath.Join(v.dir, name+fresh), true)
	if err != nil {
		return nil, err
	}
	if !x.ours {
		x.f.Close()
		return nil, fmt.Errorf("%s: another process took it", name)
	}
	x.name = name
	var b []byte
	for _, e := range live {
		b = e.append(b)
	}
	_, err = x.f.WriteAt(b, 0)
	if err == nil {
		err = x.f.Sync()
	}
	if err == nil {
		err = os.Rename(filepath.Join(v.dir, name+fresh), filepath.Join(v.dir, name))
	}
	if err == nil {
		err = syncDir(v.dir)
	}
	if err != nil {
		x.f.Close()
		os.Remove(filepath.Join(v.dir, name+fresh))
		return nil, err
	}
	return x, nil
}

// spare returns a new, empty file to append to.
func (v *Vault) spare() (*file, error) { return v.merge(nil) }

// erase overwrites a file and removes it.
func (x *file) erase(dir string) error {
	st, err := x.f.Stat()
	if err != nil {
		return err
	}
	_, err = x.f.WriteAt(make([]byte, st.Size()), 0)
	if err == nil {
		err = x.f.Sync()
	}
	if err == nil {
		err = os.Remove(filepath.Join(dir, x.name))
	}
	if err == nil {
		err = syncDir(dir)
	}
	return errors.Join(err, x.f.Close())
}

// refresh takes in files that have appeared, and what other processes have appended. The
// caller holds the lock, or is alone.
func (v *Vault) refresh() error {
	list, err := os.ReadDir(v.dir)
	if err != nil {
		return err
	}
	for _, d := range list {
		name := d.Name()
		if strings.HasSuffix(name, fresh) && v.own == nil {
			// Left by a crash before it counted: the files that it was made from are still there.
			if x, err := v.opens(filepath.Join(v.dir, name), false); err == nil {
				if x.ours {
					x.name = name
					if err := x.erase(v.dir); err != nil {
						return err
					}
				} else {
					x.f.Close()
				}
			}
			continue
		}
		if !strings.HasPrefix(name, prefix) || !strings.HasSuffix(name, suffix) {
			continue
		}
		x := v.files[name]
		if x == nil {
			x, err = v.opens(filepath.Join(v.dir, name), false)
			if errors.Is(err, os.ErrNotExist) {
				continue
			}
			if err != nil {
				return err
			}
			v.files[name] = x
		}
		if x == v.own {
			continue
		}
		if _, err := x.scan(func(e entry, at int64) { v.index[e.id] = place{x, at} }); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func (v *Vault) closeFiles() error {
	var err error
	for _, x := range v.files {
		err = errors.Join(err, x.f.Close())
	}
	v.files = map[string]*file{}
	return err
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
