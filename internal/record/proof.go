// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"bytes"
	"encoding/base64"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"darwaza.dev/internal/problem"
)

// tileHashes lets x/mod read tiles of ours, and cuts wider ones to the width it asks for.
type tileHashes struct{ r TileReader }

func (tileHashes) Height() int { return TileHeight }

func (h tileHashes) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	data := make([][]byte, len(tiles))
	for i, t := range tiles {
		b, err := readTile(h.r, TileID{t.L, uint64(t.N), t.W})
		if err != nil {
			return nil, err
		}
		data[i] = b
	}
	return data, nil
}

func (tileHashes) SaveTiles([]tlog.Tile, [][]byte) {}

func hashReader(size uint64, root Hash, r TileReader) tlog.HashReader {
	return tlog.TileHashReader(tlog.Tree{N: int64(size), Hash: root}, tileHashes{r})
}

// Prove returns the inclusion proof of the entry at an index in the tree of a size
// and root. Tiles that do not make the root are a problem: a proof that was given is right.
func Prove(index, size uint64, root Hash, r TileReader) ([]Hash, error) {
	if size >= maxIndex || index >= size {
		return nil, problem.New(problem.NotFound, "record.index")
	}
	p, err := tlog.ProveRecord(int64(size), int64(index), hashReader(size, root, r))
	return p, problem.Wrap(problem.Internal, "record.proof", err)
}

// ProveConsistency returns the proof that the tree of an earlier size is the
// beginning of the tree of a later size and root.
func ProveConsistency(old, size uint64, root Hash, r TileReader) ([]Hash, error) {
	if size >= maxIndex || old < 1 || old > size {
		return nil, problem.New(problem.NotFound, "record.index")
	}
	p, err := tlog.ProveTree(int64(size), int64(old), hashReader(size, root, r))
	return p, problem.Wrap(problem.Internal, "record.proof", err)
}

// VerifyInclusion checks that an entry stands at an index of a tree.
func VerifyInclusion(proof []Hash, index, size uint64, root Hash, entry []byte) error {
	if size >= maxIndex || index >= size {
		return problem.New(problem.Untrusted, "record.proof")
	}
	err := tlog.CheckRecord(proof, int64(size), root, int64(index), tlog.RecordHash(entry))
	return problem.Wrap(problem.Untrusted, "record.proof", err)
}

// VerifyConsistency checks that one tree is the beginning of another.
func VerifyConsistency(proof []Hash, old uint64, oldRoot Hash, size uint64, root Hash) error {
	if size >= maxIndex || old < 1 || old > size {
		return problem.New(problem.Untrusted, "record.proof")
	}
	err := tlog.CheckTree(proof, int64(size), root, int64(old), oldRoot)
	return problem.Wrap(problem.Untrusted, "record.proof", err)
}

// proofHeader is the first line of a proof.
const proofHeader = "c2sp.org/tlog-proof@v1"

// MaxProof is the greatest length in bytes of a proof that is read.
const MaxProof = MaxCheckpoint + 1<<17

// maxExtra bounds what goes beside a proof: an entry, a disclosure.
const maxExtra = 1 << 16

// Proof shows offline that an entry is in a log (tlog-proof):
//
//	c2sp.org/tlog-proof@v1
//	extra <base64>                 where there is any; nobody vouches for it
//	index <decimal>
//	<hash in base64>               from the leaf's sibling up
//	…
//
//	<signed checkpoint>
type Proof struct {
	Extra  []byte
	Index  uint64
	Hashes []Hash
	Head   []byte // the signed checkpoint
}

// Text returns the proof as a file, by convention with the ending ".tlog-proof".
func (p Proof) Text() []byte {
	var b bytes.Buffer
	b.WriteString(proofHeader + "\n")
	if len(p.Extra) > 0 {
		b.WriteString("extra " + base64.StdEncoding.EncodeToString(p.Extra) + "\n")
	}
	b.WriteString("index " + strconv.FormatUint(p.Index, 10) + "\n")
	for _, h := range p.Hashes {
		b.WriteString(base64.StdEncoding.EncodeToString(h[:]) + "\n")
	}
	b.WriteString("\n")
	b.Write(p.Head)
	return b.Bytes()
}

// ParseProof reads a proof in the one form that Text writes and believes nothing in
// it. The problem is of kind Invalid.
func ParseProof(text []byte) (Proof, error) {
	bad := problem.New(problem.Invalid, "record.proof")
	if len(text) > MaxProof {
		return Proof{}, bad
	}
	top, head, ok := bytes.Cut(text, []byte("\n\n"))
	lines := strings.Split(string(top), "\n")
	if !ok || lines[0] != proofHeader {
		return Proof{}, bad
	}
	lines = lines[1:]
	p := Proof{Head: bytes.Clone(head)}
	if len(lines) > 0 {
		if extra, ok := strings.CutPrefix(lines[0], "extra "); ok {
			b, err := base64.StdEncoding.DecodeString(extra)
			if err != nil || len(b) > maxExtra {
				return Proof{}, bad
			}
			p.Extra, lines = b, lines[1:]
		}
	}
	// A proof in a tree of 2^56 entries has 56 hashes at most.
	if len(lines) == 0 || len(lines) > 1+56 {
		return Proof{}, bad
	}
	index, ok := strings.CutPrefix(lines[0], "index ")
	n, err := strconv.ParseUint(index, 10, 63)
	if !ok || err != nil || n >= maxIndex {
		return Proof{}, bad
	}
	p.Index = n
	for _, l := range lines[1:] {
		h, err := base64.StdEncoding.DecodeString(l)
		if err != nil || len(h) != HashSize {
			return Proof{}, bad
		}
		p.Hashes = append(p.Hashes, Hash(h))
	}
	if !bytes.Equal(p.Text(), text) {
		return Proof{}, bad
	}
	return p, nil
}

// Verify checks that the log has signed the head and that the entry is under it.
func (p Proof) Verify(entry []byte, log *Verifier, cosigners ...*Verifier) (Head, error) {
	h, err := OpenHead(p.Head, log, cosigners...)
	if err != nil {
		return Head{}, err
	}
	return h, VerifyInclusion(p.Hashes, p.Index, h.Size, h.Root, entry)
}

// VerifyProof reads a proof and checks it for an entry.
func VerifyProof(text, entry []byte, log *Verifier, cosigners ...*Verifier) (Proof, Head, error) {
	p, err := ParseProof(text)
	if err != nil {
		return Proof{}, Head{}, err
	}
	h, err := p.Verify(entry, log, cosigners...)
	return p, h, err
}
