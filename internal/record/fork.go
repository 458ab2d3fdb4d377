// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"bytes"
	"encoding/base64"
	"errors"
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"darwaza.dev/internal/problem"
)

// RootAt returns the root that the log of a size and root had when it had n entries. Tiles
// that do not belong to that root are a problem of kind Untrusted.
func RootAt(n, size uint64, root Hash, r TileReader) (Hash, error) {
	if size >= maxIndex || n > size {
		return Hash{}, problem.New(problem.NotFound, "record.tile")
	}
	if n == size {
		return root, nil
	}
	if n == 0 {
		return new(Tree).Root(), nil
	}
	h, err := tlog.TreeHash(int64(n), hashReader(size, root, r))
	var known *problem.Error
	if err != nil && !errors.As(err, &known) {
		err = problem.Wrap(problem.Untrusted, "record.tile", err)
	}
	return h, err
}

// Fork shows that a log has signed two heads of which neither is the beginning of the
// other: that it has told two stories. Anybody who has the log's key can check it.
//
//	darwaza.dev/fork@v1
//	<root that the longer log had at the shorter one's size, in base64>
//	<hash in base64>               of the consistency proof of that root, none where both are of one size
//	…
//
//	<signed checkpoint of the shorter log>
//
//	<signed checkpoint of the longer log>
type Fork struct {
	Root           Hash
	Hashes         []Hash
	Shorter, Other []byte
}

const forkHeader = "darwaza.dev/fork@v1"

// ProveFork makes the evidence that a shorter head is not the beginning of the log of a
// longer one, from that log's tiles.
func ProveFork(shorter, longer Head, r TileReader) (Fork, error) {
	f := Fork{Shorter: shorter.Note, Other: longer.Note}
	var err error
	if f.Root, err = RootAt(shorter.Size, longer.Size, longer.Root, r); err != nil {
		return Fork{}, err
	}
	if 0 < shorter.Size && shorter.Size < longer.Size {
		f.Hashes, err = ProveConsistency(shorter.Size, longer.Size, longer.Root, r)
	}
	return f, err
}

// Text returns the evidence as a file.
func (f Fork) Text() []byte {
	var b bytes.Buffer
	b.WriteString(forkHeader + "\n" + base64.StdEncoding.EncodeToString(f.Root[:]) + "\n")
	for _, h := range f.Hashes {
		b.WriteString(base64.StdEncoding.EncodeToString(h[:]) + "\n")
	}
	b.WriteString("\n")
	b.Write(f.Shorter)
	b.WriteString("\n")
	b.Write(f.Other)
	return b.Bytes()
}

// ParseFork reads evidence and believes nothing in it. The problem is of kind Invalid.
func ParseFork(text []byte) (Fork, error) {
	bad := problem.New(problem.Invalid, "record.fork")
	// A signed note has one empty line between its text and its signatures.
	parts := bytes.SplitN(text, []byte("\n\n"), 5)
	if len(text) > 3*MaxCheckpoint || len(parts) != 5 {
		return Fork{}, bad
	}
	lines := strings.Split(string(parts[0]), "\n")
	if len(lines) < 2 || len(lines) > 2+64 || lines[0] != forkHeader {
		return Fork{}, bad
	}
	var f Fork
	for i, l := range lines[1:] {
		h, err := base64.StdEncoding.DecodeString(l)
		if err != nil || len(h) != HashSize {
			return Fork{}, bad
		}
		if i == 0 {
			f.Root = Hash(h)
		} else {
			f.Hashes = append(f.Hashes, Hash(h))
		}
	}
	f.Shorter = slices.Concat(parts[1], []byte("\n\n"), parts[2], []byte("\n"))
	f.Other = slices.Concat(parts[3], []byte("\n\n"), parts[4])
	if !bytes.Equal(f.Text(), text) {
		return Fork{}, bad
	}
	return f, nil
}

// OpenFork reads evidence and checks it with the log's key: it returns the two heads, and a
// problem of kind Untrusted where they do not contradict each other.
func OpenFork(text []byte, log *Verifier) (shorter, longer Head, err error) {
	f, err := ParseFork(text)
	if err != nil {
		return Head{}, Head{}, err
	}
	if shorter, err = OpenHead(f.Shorter, log); err != nil {
		return Head{}, Head{}, err
	}
	if longer, err = OpenHead(f.Other, log); err != nil {
		return Head{}, Head{}, err
	}
	ok := shorter.Size > 0 && f.Root != shorter.Root
	switch {
	case shorter.Size == longer.Size:
		ok = ok && f.Root == longer.Root && len(f.Hashes) == 0
	default:
		ok = ok && VerifyConsistency(f.Hashes, shorter.Size, f.Root, longer.Size, longer.Root) == nil
	}
	if !ok {
		return Head{}, Head{}, problem.New(problem.Untrusted, "record.fork")
	}
	return shorter, longer, nil
}
