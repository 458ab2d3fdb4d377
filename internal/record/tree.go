// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"bytes"
	"crypto/sha256"
	"math/bits"
	"slices"

	"darwaza.dev/internal/problem"
)

// levels is how many levels of tiles a tree of maxIndex entries has.
const levels = 56 / TileHeight

// Tree is the right edge of a log: all that is needed to append to it and to know
// its root. It holds at most one partial tile for each level and one partial bundle.
// The zero value is the empty tree. It is not for use by several at once.
type Tree struct {
	size uint64
	// stack[l] is the root of the perfect subtree of 2^l leaves at the edge; it means
	// something where bit l of size is set.
	stack [56]Hash
	// edge[l] is the partial tile at level l, and bundle the partial bundle. Only what
	// lies behind their lengths is ever written, so that tiles which were handed out
	// stay as they are although they share this memory.
	edge   [levels][]byte
	bundle []byte

	leaf []byte // room to hash long entries in
}

// Size returns the number of entries.
func (t *Tree) Size() uint64 { return t.size }

// Root returns the Merkle tree hash. That of the empty tree is the SHA-256 of nothing.
func (t *Tree) Root() Hash {
	if t.size == 0 {
		return sha256.Sum256(nil)
	}
	l := bits.TrailingZeros64(t.size)
	h := t.stack[l]
	for rest := t.size &^ (1 << l); rest > 0; {
		l = bits.TrailingZeros64(rest)
		h = nodeHash(&t.stack[l], &h)
		rest &^= 1 << l
	}
	return h
}

// leafHash is SHA-256(00 ‖ entry), RFC 6962 section 2.1.
func (t *Tree) leafHash(entry []byte) Hash {
	t.leaf = append(append(t.leaf[:0], 0), entry...)
	return sha256.Sum256(t.leaf)
}

// nodeHash is SHA-256(01 ‖ left ‖ right).
func nodeHash(left, right *Hash) Hash {
	var b [1 + 2*HashSize]byte
	b[0] = 1
	copy(b[1:], left[:])
	copy(b[1+HashSize:], right[:])
	return sha256.Sum256(b[:])
}

// Append appends entries, each of 1 to MaxEntry bytes, and returns every tile and
// bundle that is new or wider than before, each once, in its widest form: bundles
// first, then tiles from the lowest level up. Where one of the entries does not fit
// nothing is appended.
//
// To undo, keep a Mark from before.
func (t *Tree) Append(entries [][]byte) ([]Tile, error) {
	for _, e := range entries {
		if len(e) == 0 || len(e) > MaxEntry {
			return nil, problem.New(problem.Limit, "record.entry.size")
		}
	}
	if uint64(len(entries)) > maxIndex-1-t.size {
		return nil, problem.New(problem.Limit, "record.full")
	}
	if len(entries) == 0 {
		return nil, nil
	}
	var bundles, tiles []Tile
	first := t.size
	for _, e := range entries {
		t.bundle = AppendBundle(t.bundle, e)
		t.push(t.leafHash(e), &tiles)
		if t.size%TileWidth == 0 {
			bundles = append(bundles, Tile{TileID{Entries, t.size/TileWidth - 1, TileWidth}, t.bundle})
			t.bundle = make([]byte, 0, len(t.bundle)+len(t.bundle)/8) // the next is much like it
		}
	}
	if w := int(t.size % TileWidth); w > 0 {
		bundles = append(bundles, Tile{TileID{Entries, t.size / TileWidth, w}, slices.Clip(t.bundle)})
	}
	for _, id := range TilesFor(t.size) {
		if first>>(TileHeight*id.Level) != t.size>>(TileHeight*id.Level) {
			tiles = append(tiles, Tile{id, slices.Clip(t.edge[id.Level])})
		}
	}
	slices.SortFunc(tiles, func(a, b Tile) int {
		if a.Level != b.Level {
			return a.Level - b.Level
		}
		return int(a.Index) - int(b.Index)
	})
	return append(bundles, tiles...), nil
}

// push adds a leaf hash and hands out the tiles that it fills.
func (t *Tree) push(h Hash, full *[]Tile) {
	for l := 0; ; l++ {
		if l%TileHeight == 0 {
			level := l / TileHeight
			if t.edge[level] == nil {
				t.edge[level] = make([]byte, 0, TileWidth*HashSize)
			}
			t.edge[level] = append(t.edge[level], h[:]...)
			if len(t.edge[level]) == TileWidth*HashSize {
				*full = append(*full, Tile{TileID{level, t.size >> (l + TileHeight), TileWidth}, t.edge[level]})
				t.edge[level] = nil
			}
		}
		if t.size>>l&1 == 0 {
			t.stack[l] = h
			t.size++
			return
		}
		h = nodeHash(&t.stack[l], &h)
	}
}

// Mark is a state of a tree to go back to.
type Mark struct{ tree Tree }

// Mark returns the present state.
func (t *Tree) Mark() Mark { return Mark{*t} }

// Rewind goes back to a mark of the same tree, as if what was appended since had
// never been. The tiles that were handed out since the mark must no longer be used:
// what is appended next may be written over them.
func (t *Tree) Rewind(m Mark) { *t = m.tree }

// OpenTree restores the tree of a size from the stored tiles of its edge. It checks
// that the partial bundle belongs to the partial tile; compare Root with a signed
// checkpoint to know that it is the right tree.
func OpenTree(size uint64, r TileReader) (*Tree, error) {
	if size >= maxIndex {
		return nil, problem.New(problem.Limit, "record.full")
	}
	t := &Tree{size: size}
	for _, id := range TilesFor(size) {
		b, err := readTile(r, id)
		if err != nil {
			return nil, err
		}
		t.edge[id.Level] = append(make([]byte, 0, TileWidth*HashSize), b...)
		// The perfect subtrees within the tile, from the left: one for each bit of its width.
		at := 0
		for bit := TileHeight - 1; bit >= 0; bit-- {
			if id.Width>>bit&1 == 1 {
				n := HashSize << bit
				t.stack[id.Level*TileHeight+bit] = subtree(b[at : at+n])
				at += n
			}
		}
	}
	if w := int(size % TileWidth); w > 0 {
		b, err := readTile(r, TileID{Entries, size / TileWidth, w})
		if err != nil {
			return nil, err
		}
		entries, err := ParseBundle(b, w)
		if err != nil {
			return nil, err
		}
		for i, e := range entries {
			if h := t.leafHash(e); !bytes.Equal(h[:], t.edge[0][i*HashSize:(i+1)*HashSize]) {
				return nil, problem.Newf(problem.Internal, "record.bundle", "entry %d is not the one that was hashed", size-uint64(w)+uint64(i))
			}
		}
		t.bundle = bytes.Clone(b)
	}
	return t, nil
}

// subtree hashes 2^n hashes that stand side by side into one.
func subtree(b []byte) Hash {
	if len(b) == HashSize {
		return Hash(b)
	}
	l, r := subtree(b[:len(b)/2]), subtree(b[len(b)/2:])
	return nodeHash(&l, &r)
}
