// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package agreement

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

// A patch is an amendment in one file: what makes the next edition of the one before.
// It is an archive as a bundle is, with the files of the next edition that are new or
// changed, and its signatures, under "new/", and a text that says what it is:
//
//	darwaza-patch/1
//	agreement pk-ir-border-markets
//	edition 1 2
//	base 9f86d081884c7d65…        hash of the edition that it amends
//	new 60303ae22b998861…         hash of the edition that it makes
//	changed parameters/law.yaml   then "added" and "removed", sorted by path
//
// It needs no signature of its own: what it makes has one hash, and the signatures on the
// new edition are over that hash.

// The faults of a patch.
var (
	ErrPatch = errors.New("agreement: not an acceptable patch")
	ErrBase  = errors.New("agreement: the patch amends another edition than this one")
)

const (
	patchText   = "patch.txt"
	patchPrefix = "new/"
	patchForm   = "darwaza-patch/1"
)

// Patch is what a patch says of itself.
type Patch struct {
	Agreement               string
	From, To                int // numbers of the two editions
	Base, New               Hash
	Changed, Added, Removed []string // paths, sorted
}

// MakePatch returns the patch that makes the next edition of the base. Both must be
// packages that can be read; what else is wrong with them is not looked at.
func MakePatch(base, next fs.FS) ([]byte, error) {
	a, faults := readFolder(base)
	b, more := readFolder(next)
	if faults = append(faults, more...); len(faults) > 0 {
		return nil, faults
	}
	x, _ := Check(base)
	y, _ := Check(next)
	if x == nil || y == nil {
		return nil, fmt.Errorf("%w: one of the two is no package", ErrPatch)
	}
	if x.ID != y.ID {
		return nil, fmt.Errorf("%w: %s and %s are two agreements", ErrPatch, x.ID, y.ID)
	}
	if x.Hash == y.Hash {
		return nil, fmt.Errorf("%w: nothing differs", ErrPatch)
	}
	p := Patch{Agreement: x.ID, From: x.Number, To: y.Number, Base: x.Hash, New: y.Hash}
	files := map[string][]byte{}
	for _, name := range b.paths {
		old, had := a.files[name]
		signature := path.Dir(name) == "signatures"
		switch {
		case signature:
		case !had:
			p.Added = append(p.Added, name)
		case !bytes.Equal(old, b.files[name]):
			p.Changed = append(p.Changed, name)
		default:
			continue
		}
		files[patchPrefix+name] = b.files[name]
	}
	for _, name := range a.paths {
		if _, has := b.files[name]; !has && path.Dir(name) != "signatures" {
			p.Removed = append(p.Removed, name)
		}
	}
	files[patchText] = p.text()
	return zipped(files), nil
}

func (p Patch) text() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s\nagreement %s\nedition %d %d\nbase %x\nnew %x\n", patchForm, p.Agreement, p.From, p.To, p.Base[:], p.New[:])
	for _, l := range []struct {
		word  string
		paths []string
	}{{"changed", p.Changed}, {"added", p.Added}, {"removed", p.Removed}} {
		for _, name := range l.paths {
			fmt.Fprintf(&b, "%s %s\n", l.word, name)
		}
	}
	return b.Bytes()
}

// parsePatch reads exactly the form that text writes.
func parsePatch(b []byte) (Patch, bool) {
	var p Patch
	lines := strings.Split(string(b), "\n")
	if len(lines) < 6 || lines[0] != patchForm {
		return p, false
	}
	var from, to, base, next string
	ok := true
	cut := func(line, word string) string {
		rest, found := strings.CutPrefix(line, word+" ")
		ok = ok && found
		return rest
	}
	p.Agreement = cut(lines[1], "agreement")
	from, to, _ = strings.Cut(cut(lines[2], "edition"), " ")
	base, next = cut(lines[3], "base"), cut(lines[4], "new")
	var err1, err2 error
	p.From, err1 = strconv.Atoi(from)
	p.To, err2 = strconv.Atoi(to)
	ok = ok && err1 == nil && err2 == nil && hash(&p.Base, base) && hash(&p.New, next)
	for _, l := range lines[5:] {
		word, name, _ := strings.Cut(l, " ")
		switch word {
		case "changed":
			p.Changed = append(p.Changed, name)
		case "added":
			p.Added = append(p.Added, name)
		case "removed":
			p.Removed = append(p.Removed, name)
		}
	}
	return p, ok && bytes.Equal(p.text(), b)
}

func hash(h *Hash, s string) bool {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != len(h) {
		return false
	}
	copy(h[:], b)
	return true
}

// ReadPatch reads what a patch says of itself. A file that is none wraps ErrPatch.
func ReadPatch(patch []byte) (Patch, error) {
	p, _, err := openPatch(patch)
	return p, err
}

func openPatch(patch []byte) (Patch, map[string][]byte, error) {
	files, err := unzipped(patch)
	if err != nil {
		return Patch{}, nil, fmt.Errorf("%w: %w", ErrPatch, err)
	}
	text, found := files[patchText]
	p, ok := parsePatch(text)
	if !found || !ok {
		return Patch{}, nil, fmt.Errorf("%w: it does not say what it amends", ErrPatch)
	}
	delete(files, patchText)
	if len(p.Changed)+len(p.Added)+len(p.Removed) == 0 {
		return Patch{}, nil, fmt.Errorf("%w: it changes nothing", ErrPatch)
	}
	return p, files, nil
}

// ApplyPatch returns the edition that a patch makes of the base, with the signatures
// that came with it and without those of the base. It wraps ErrBase where the base is
// another edition than the one that the patch amends, and ErrPatch where what comes out
// is not what the patch says.
func ApplyPatch(base fs.FS, patch []byte) (fs.FS, Patch, error) {
	p, files, err := openPatch(patch)
	if err != nil {
		return nil, p, err
	}
	a, faults := readFolder(base)
	if len(faults) > 0 {
		return nil, p, faults
	}
	if h := a.hash(); h != p.Base {
		return nil, p, fmt.Errorf("%w: it amends %x, and this is %x", ErrBase, p.Base[:8], h[:8])
	}
	bad := func(format string, args ...any) (fs.FS, Patch, error) {
		return nil, p, fmt.Errorf("%w: %s", ErrPatch, fmt.Sprintf(format, args...))
	}
	out := memory{}
	for name, b := range a.files {
		if path.Dir(name) != "signatures" {
			out[name] = b
		}
	}
	for _, name := range p.Removed {
		if _, had := out[name]; !had {
			return bad("it removes %s, which is not there", name)
		}
		delete(out, name)
	}
	for name, b := range files {
		to, ok := strings.CutPrefix(name, patchPrefix)
		_, had := a.files[to]
		switch {
		case !ok:
			return bad("%s has no place in it", name)
		case path.Dir(to) == "signatures":
		case had && !slices.Contains(p.Changed, to), !had && !slices.Contains(p.Added, to):
			return bad("it does not speak of %s", to)
		}
		out[to] = b
	}
	b, faults := readFolder(out)
	if len(faults) > 0 {
		return nil, p, faults
	}
	if h := b.hash(); h != p.New {
		return bad("it makes %x and says %x", h[:8], p.New[:8])
	}
	return out, p, nil
}

// hash is the hash of the edition that lies in a folder.
func (f folder) hash() Hash { return sha256.Sum256((&Edition{Files: f.signed()}).Bytes()) }
