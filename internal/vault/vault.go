// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

// Package vault keeps the keys of people's sealed data: one key per person, in files of
// their own outside the database, its write-ahead log, replicas and backups, so that
// destroying a key destroys the data wherever copies of the ciphertext lie.
//
// A file system that never writes a block twice, or a disk that moves blocks about, may
// keep an overwritten key until it uses the block again: the directory belongs on storage
// that does neither, or that is encrypted itself.
package vault

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"maps"
	"os"
	"slices"
	"sync"

	"darwaza.dev/internal/problem"
)

// maxAhead is how many keys are made ahead of need at most.
const maxAhead = 512

// Vault is an open key store. It implements service.Sealer and may be used by many at
// once. Several processes may open one directory: each writes to a file of its own.
type Vault struct {
	dir string

	mu     sync.Mutex
	files  map[string]*file
	own    *file // where this process appends; the maker goroutine's to write
	index  map[keyID]place
	closed bool

	// Keys on stable storage that nobody has yet, and those who wait for one. How many are
	// made ahead follows the demand: a clerk's booking costs one flush, and a rush shares
	// one among hundreds.
	ready   []entry
	waiting []chan keyOrError
	ahead   int
	wiped   []chan error // who wait for what was overwritten to be on stable storage
	// unsure are the keys that are overwritten in a file of ours, but perhaps not yet on
	// stable storage: they are overwritten again with the next flush until one succeeds.
	unsure map[keyID]place

	opens func(path string, create bool) (*file, error) // openFile; a test has disks that fail

	kick chan struct{}
	done sync.WaitGroup
}

type keyOrError struct {
	entry
	err error
}

// Open opens the key store in a directory, which is made where it is missing, for its
// owner's eyes only. It drops destroyed keys from the files that nobody else uses.
func Open(dir string) (*Vault, error) {
	return openVault(dir, openFile)
}

func openVault(dir string, opens func(string, bool) (*file, error)) (*Vault, error) {
	v := &Vault{dir: dir, files: map[string]*file{}, index: map[keyID]place{}, unsure: map[keyID]place{}, opens: opens, kick: make(chan struct{}, 1)}
	if err := v.load(); err != nil {
		v.closeFiles()
		return nil, problem.Wrap(problem.Internal, "vault.open", err)
	}
	v.done.Add(1)
	go v.make()
	return v, nil
}

// Seal encrypts data under a new key of its own; see service.Sealer.
func (v *Vault) Seal(ctx context.Context, data []byte) (id string, ciphertext []byte, err error) {
	e, err := v.take(ctx)
	if err != nil {
		return "", nil, err
	}
	aead, err := cipherOf(e.key)
	if err != nil {
		return "", nil, problem.Wrap(problem.Internal, "vault.seal", err)
	}
	b := make([]byte, aead.NonceSize(), aead.NonceSize()+len(data)+aead.Overhead())
	rand.Read(b)
	return e.id.String(), aead.Seal(b, b, data, e.id[:]), nil
}

// SealUnder encrypts data under the key of something sealed before, in whose place the
// ciphertext goes; a problem of kind not found where the key was destroyed.
func (v *Vault) SealUnder(ctx context.Context, id string, data []byte) ([]byte, error) {
	k, ok := parseID(id)
	if !ok {
		return nil, problem.New(problem.NotFound, "vault.key")
	}
	key, ok, err := v.find(k)
	if err != nil {
		return nil, problem.Wrap(problem.Internal, "vault.read", err)
	}
	if !ok {
		return nil, problem.New(problem.NotFound, "vault.key")
	}
	aead, err := cipherOf(key)
	if err != nil {
		return nil, problem.Wrap(problem.Internal, "vault.seal", err)
	}
	b := make([]byte, aead.NonceSize(), aead.NonceSize()+len(data)+aead.Overhead())
	rand.Read(b)
	return aead.Seal(b, b, data, k[:]), nil
}

// Open decrypts what Seal made; a problem of kind not found where the key was destroyed.
func (v *Vault) Open(ctx context.Context, id string, ciphertext []byte) ([]byte, error) {
	k, ok := parseID(id)
	if !ok {
		return nil, problem.New(problem.NotFound, "vault.key")
	}
	key, ok, err := v.find(k)
	if err != nil {
		return nil, problem.Wrap(problem.Internal, "vault.read", err)
	}
	if !ok {
		return nil, problem.New(problem.NotFound, "vault.key")
	}
	aead, err := cipherOf(key)
	if err != nil {
		return nil, problem.Wrap(problem.Internal, "vault.open", err)
	}
	n := aead.NonceSize()
	if len(ciphertext) < n {
		return nil, problem.New(problem.Untrusted, "vault.ciphertext")
	}
	data, err := aead.Open(nil, ciphertext[:n], ciphertext[n:], k[:])
	return data, problem.Wrap(problem.Untrusted, "vault.ciphertext", err)
}

// Destroy forgets a key for good. Destroying it again is no fault.
func (v *Vault) Destroy(ctx context.Context, id string) error {
	return v.DestroyAll(ctx, []string{id})
}

// DestroyAll forgets keys for good, with one flush for all of them. Ids that name no key
// are passed over. After a problem some may be gone and some not: ask again.
func (v *Vault) DestroyAll(ctx context.Context, ids []string) error {
	v.mu.Lock()
	if v.closed {
		v.mu.Unlock()
		return problem.Wrap(problem.Internal, "vault.closed", os.ErrClosed)
	}
	var theirs []*file // files of other processes in which something was overwritten
	ours, fresh := false, false
	for _, id := range ids {
		k, ok := parseID(id)
		if !ok {
			continue
		}
		if _, ok := v.unsure[k]; ok {
			ours = true // a flush has failed since it was overwritten
			continue
		}
		p, ok := v.index[k]
		if !ok && !fresh {
			if err := v.refresh(); err != nil {
				v.mu.Unlock()
				return problem.Wrap(problem.Internal, "vault.read", err)
			}
			fresh = true
			p, ok = v.index[k]
		}
		if !ok {
			continue
		}
		if err := p.file.wipe(p.at, k); err != nil {
			v.mu.Unlock()
			return problem.Wrap(problem.Internal, "vault.destroy", err)
		}
		if p.file.ours {
			v.unsure[k], ours = p, true
			delete(v.index, k)
		} else if !slices.Contains(theirs, p.file) {
			theirs = append(theirs, p.file)
		}
	}
	// A key in the file of another process stays in the index until it is surely gone, so
	// that asking again overwrites it again; find sees that it is no more.
	var err error
	for _, x := range theirs {
		err = errors.Join(err, x.f.Sync())
	}
	if err != nil || !ours {
		v.mu.Unlock()
		return problem.Wrap(problem.Internal, "vault.destroy", err)
	}
	c := make(chan error, 1)
	v.wiped = append(v.wiped, c)
	v.mu.Unlock()
	v.poke()
	select {
	case err := <-c:
		return problem.Wrap(problem.Internal, "vault.destroy", err)
	case <-ctx.Done():
		return problem.Wrap(problem.Offline, "vault.destroy", ctx.Err())
	}
}

// Close ends the use of the key store. Keys that were made ahead and that nobody has are
// wiped; where the process is killed instead they stay, and open nothing.
func (v *Vault) Close() error {
	v.mu.Lock()
	if v.closed {
		v.mu.Unlock()
		return nil
	}
	v.closed = true
	v.mu.Unlock()
	v.poke()
	v.done.Wait()
	v.mu.Lock()
	defer v.mu.Unlock()
	var err error
	for _, e := range v.ready {
		if p, ok := v.index[e.id]; ok {
			err = errors.Join(err, p.file.wipe(p.at, e.id))
		}
	}
	v.ready = nil
	for k, p := range v.unsure {
		err = errors.Join(err, p.file.wipe(p.at, k))
	}
	for _, x := range v.files {
		if x.ours {
			err = errors.Join(err, x.f.Sync())
		}
	}
	return errors.Join(err, v.closeFiles())
}

// take returns a key that nobody has had.
func (v *Vault) take(ctx context.Context) (entry, error) {
	v.mu.Lock()
	if v.closed {
		v.mu.Unlock()
		return entry{}, problem.Wrap(problem.Internal, "vault.closed", os.ErrClosed)
	}
	if n := len(v.ready); n > 0 {
		e := v.ready[n-1]
		v.ready[n-1] = entry{}
		v.ready = v.ready[:n-1]
		low := n-1 < v.ahead/2
		v.mu.Unlock()
		if low {
			v.poke()
		}
		return e, nil
	}
	c := make(chan keyOrError, 1)
	v.waiting = append(v.waiting, c)
	v.mu.Unlock()
	v.poke()
	select {
	case k := <-c:
		return k.entry, problem.Wrap(problem.Internal, "vault.write", k.err)
	case <-ctx.Done():
		return entry{}, problem.Wrap(problem.Offline, "vault.write", ctx.Err())
	}
}

func (v *Vault) poke() {
	select {
	case v.kick <- struct{}{}:
	default:
	}
}

// make writes keys for those who wait, and some ahead, and flushes them and what was
// overwritten, all of it once. Where that fails, those who wait are told, and the next who
// comes has it tried anew.
func (v *Vault) make() {
	defer v.done.Done()
	for range v.kick {
		v.mu.Lock()
		waiting, wiped, closed := v.waiting, v.wiped, v.closed
		v.waiting, v.wiped = nil, nil
		if len(waiting) > 1 {
			v.ahead = min(maxAhead, 2*v.ahead+len(waiting))
		}
		n := len(waiting)
		if len(v.ready) <= v.ahead/2 {
			n += v.ahead - len(v.ready)
		}
		unsure := maps.Clone(v.unsure)
		v.mu.Unlock()
		if closed {
			n = 0
		}
		made, at, err := v.flush(n, unsure)
		v.mu.Lock()
		if err == nil {
			for k := range unsure {
				delete(v.unsure, k)
			}
		}
		for i, e := range made {
			v.index[e.id] = place{v.own, at + int64(i)*entrySize}
		}
		if len(made) > len(waiting) {
			v.ready = append(v.ready, made[len(waiting):]...)
		}
		v.mu.Unlock()
		for _, c := range wiped {
			c <- err
		}
		if closed && err == nil {
			err = os.ErrClosed
		}
		for i, c := range waiting {
			if err != nil {
				c <- keyOrError{err: err}
			} else {
				c <- keyOrError{entry: made[i]}
			}
		}
		if closed {
			return
		}
	}
}

// flush writes n new keys and brings them, and what was overwritten, to stable storage.
//
// After a failed flush nobody knows which of a file's pages the disk holds, and flushing
// once more may report a success that is none. So what was overwritten is written again,
// and keys go to a new file: what the old one held before the fault was flushed then.
func (v *Vault) flush(n int, unsure map[keyID]place) (made []entry, at int64, err error) {
	if v.own.suspect {
		x, err := v.spare()
		if err != nil {
			return nil, 0, err
		}
		v.mu.Lock()
		if seen := v.files[x.name]; seen != nil {
			seen.f.Close() // refresh came upon it, empty, as upon another process's
		}
		v.files[x.name] = x
		v.own = x
		v.mu.Unlock()
	}
	sync := map[*file]bool{}
	for k, p := range unsure {
		if p.file.suspect {
			if err := p.file.wipe(p.at, k); err != nil {
				return nil, 0, err
			}
		}
		sync[p.file] = p.file != v.own
	}
	for x, other := range sync {
		if !other {
			continue
		}
		if err := x.f.Sync(); err != nil {
			x.suspect = true
			return nil, 0, err
		}
	}
	if n == 0 && len(unsure) == 0 {
		return nil, 0, nil
	}
	if made, at, err = v.own.add(n); err != nil {
		v.own.suspect = true
	}
	return made, at, err
}

// find reads a key. Where it is not at its place, another process may have put its file
// together with others, so the directory is read once more.
func (v *Vault) find(k keyID) (key [32]byte, ok bool, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.closed {
		return key, false, os.ErrClosed
	}
	for range 2 {
		if p, ok := v.index[k]; ok {
			e, live, err := p.file.read(p.at)
			if err != nil {
				return key, false, err
			}
			if live && e.id == k {
				return e.key, true, nil
			}
			delete(v.index, k)
		}
		if err := v.refresh(); err != nil {
			return key, false, err
		}
	}
	return key, false, nil
}

func cipherOf(key [32]byte) (cipher.AEAD, error) {
	b, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(b)
}

// keyID names a key: 16 random bytes.
type keyID [16]byte

// String returns the id as callers keep it.
func (k keyID) String() string { return base64.RawURLEncoding.EncodeToString(k[:]) }

func parseID(s string) (k keyID, ok bool) {
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil || len(b) != len(k) {
		return k, false
	}
	return keyID(b), true
}
