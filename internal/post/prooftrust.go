// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package post

import (
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"darwaza.dev/internal/problem"
	prooftrust "darwaza.dev/internal/proof/trust"
	"darwaza.dev/internal/proof/verify"
)

// SidesFile is the file in the folder of lists that holds the keys of the two sides' lists.
const SidesFile = "sides.pem"

// readyFor is how long lists that were made ready serve: of cards' keys the age is counted
// when they are.
const readyFor = time.Minute

// proofTrust keeps the lists of a folder, read again when a file of it has changed. Nothing
// of it is fetched: whoever keeps the post puts files there.
type proofTrust struct {
	dir string
	log *slog.Logger

	mu    sync.Mutex // guards what follows
	state string     // names, sizes and times of the files that were read
	all   *verify.Lists
	ready map[prooftrust.Limits]readyLists
}

type readyLists struct {
	lists *verify.Lists
	at    time.Time
}

// lists returns the lists under limits of age, ready for a time. A folder that cannot be
// read has none: no certificate is then believed.
func (p *proofTrust) lists(limits prooftrust.Limits, now time.Time) *verify.Lists {
	p.mu.Lock()
	defer p.mu.Unlock()
	files, state := p.look()
	if p.all == nil || state != p.state {
		p.all, p.state, p.ready = p.read(files), state, map[prooftrust.Limits]readyLists{}
	}
	r, ok := p.ready[limits]
	if d := now.Sub(r.at); !ok || d < 0 || d >= readyFor {
		r = readyLists{p.all.Limited(limits, now), now}
		p.ready[limits] = r
	}
	return r.lists
}

// file is one of the folder's.
type file struct {
	path string
	at   time.Time
}

// look walks the folder.
func (p *proofTrust) look() (files []file, state string) {
	if p.dir == "" {
		return nil, ""
	}
	var b strings.Builder
	err := filepath.WalkDir(p.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if path != p.dir && strings.HasPrefix(d.Name(), ".") { // a copy that is not finished
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if d.IsDir() {
			return nil
		}
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		if !info.Mode().IsRegular() {
			return nil
		}
		files = append(files, file{path, info.ModTime()})
		fmt.Fprintf(&b, "%s %d %d\n", path, info.Size(), info.ModTime().UnixNano())
		return nil
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		fmt.Fprintf(&b, "not read: %v", err)
	}
	return files, b.String()
}

// read reads the files. One that cannot be read loses itself alone, and is said.
func (p *proofTrust) read(files []file) *verify.Lists {
	all := verify.NewLists(prooftrust.Limits{})
	var sides prooftrust.Opener
	for _, f := range files {
		if filepath.Base(f.path) == SidesFile {
			b, err := readSome(f.path)
			if err == nil {
				sides, err = ReadSides(b)
			}
			if err != nil {
				p.log.Warn("the keys of lists that both sides sign cannot be read", "file", f.path, "err", err.Error())
			}
		}
	}
	for _, f := range files {
		if filepath.Base(f.path) == SidesFile {
			continue
		}
		b, err := readSome(f.path)
		if err == nil {
			err = all.AddFile(f.path, b, f.at, sides)
		}
		if err != nil {
			p.log.Warn("a list of health certificates' keys cannot be read and is left out", "file", f.path, "err", err.Error())
		}
	}
	p.log.Info("lists of health certificates' keys are read", "files", len(files), "keys", all.Len())
	return all
}

func readSome(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, prooftrust.MaxList+1))
	if err == nil && len(b) > prooftrust.MaxList {
		err = prooftrust.ErrForm
	}
	return b, err
}

// ReadSides reads the public keys of A and of B (PEM, P-256, in this order) with which the
// two sides sign a list.
func ReadSides(b []byte) (prooftrust.Opener, error) {
	var keys []*ecdsa.PublicKey
	for {
		var block *pem.Block
		if block, b = pem.Decode(b); block == nil {
			break
		}
		pub, err := x509.ParsePKIXPublicKey(block.Bytes)
		if key, ok := pub.(*ecdsa.PublicKey); err == nil && ok {
			keys = append(keys, key)
		}
	}
	if len(keys) != 2 {
		return nil, problem.Newf(problem.Invalid, "trust.sides", "wants the public keys of A and of B, PEM, and has %d", len(keys))
	}
	return prooftrust.BySides(keys[0], keys[1]), nil
}
