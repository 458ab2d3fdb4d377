// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package post

import (
	"bytes"
	"cmp"
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
	"slices"
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
	dir  string
	log  *slog.Logger
	seen *seen

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
	var both []bothList
	for _, f := range files {
		if filepath.Base(f.path) == SidesFile {
			continue
		}
		b, err := readSome(f.path)
		if err == nil && sides != nil && prooftrust.IsSigned(b) {
			var l *prooftrust.List
			if l, err = prooftrust.Open(f.path, b, sides); err == nil {
				both = append(both, bothList{f.path, l, b})
			}
		} else if err == nil {
			err = all.AddFile(f.path, b, f.at, sides)
		}
		if err != nil {
			p.log.Warn("a list of health certificates' keys cannot be read and is left out", "file", f.path, "err", err.Error())
		}
	}
	if l := p.latest(both); l != nil {
		all = all.With(l)
	}
	all.Ready(time.Time{}) // what takes long is done once, and not for each limits and minute
	p.log.Info("lists of health certificates' keys are read", "files", len(files), "keys", all.Len())
	return all
}

// bothList is a list that both sides have signed, with the file that it came in.
type bothList struct {
	path string
	list *prooftrust.List
	file []byte
}

// latest returns the list of two sides that counts: the one with the highest number, where
// none with a higher one was seen here before, even before a restart. An earlier list of
// theirs trusts what they may since have taken out.
func (p *proofTrust) latest(both []bothList) *prooftrust.List {
	slices.SortStableFunc(both, func(a, b bothList) int { return cmp.Compare(b.list.Number, a.list.Number) })
	var use *prooftrust.List
	var used []byte
	for _, l := range both {
		body, _, err := prooftrust.Unbind(l.file)
		switch {
		case err == nil && use == nil:
			if err = p.seen.accept(l.list, body); err == nil {
				use, used = l.list, body
			}
		case err == nil && l.list.Number < use.Number:
			p.log.Info("an earlier list of both sides is passed over", "file", l.path, "number", l.list.Number)
		case err == nil && !bytes.Equal(body, used):
			err = errOlder
		}
		if err != nil {
			p.log.Warn("a list that both sides have signed is not used", "file", l.path, "number", l.list.Number, "err", err.Error())
		}
	}
	return use
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
