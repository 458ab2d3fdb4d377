// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"encoding/binary"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"darwaza.dev/internal/problem"
)

// Hash is a node of the Merkle tree (RFC 6962 section 2.1).
type Hash = tlog.Hash

// The shape of tiles (tlog-tiles, "Merkle Tree"): eight levels of the tree in one
// tile, 256 hashes wide.
const (
	TileHeight = 8
	TileWidth  = 1 << TileHeight
	HashSize   = tlog.HashSize
)

// Entries is the level that stands for bundles of entries in a TileID.
const Entries = -1

// maxIndex bounds positions, so that no arithmetic on them overflows.
const maxIndex = 1 << 56

// TileID names a tile, or a bundle of entries.
type TileID struct {
	Level int // 0 for leaf hashes and up; Entries for a bundle
	Index uint64
	Width int // 1 to 256; less than 256 is a partial tile
}

// Tile is a tile with its bytes. Whoever holds it does not change them.
type Tile struct {
	TileID
	Bytes []byte
}

// Path returns the tile's path after the log's prefix (tlog-tiles, "Merkle Tree" and
// "Log entries"): "tile/0/x001/234/067.p/5", "tile/entries/007".
func (t TileID) Path() string {
	s := pad3(t.Index % 1000)
	for n := t.Index / 1000; n > 0; n /= 1000 {
		s = "x" + pad3(n%1000) + "/" + s
	}
	level := "entries"
	if t.Level != Entries {
		level = strconv.Itoa(t.Level)
	}
	if t.Width != TileWidth {
		s += ".p/" + strconv.Itoa(t.Width)
	}
	return "tile/" + level + "/" + s
}

func pad3(n uint64) string {
	return string([]byte{byte('0' + n/100%10), byte('0' + n/10%10), byte('0' + n%10)})
}

// ParseTilePath reads a path in the one form that Path writes. The problem is of
// kind NotFound, as an address that names nothing.
func ParseTilePath(path string) (TileID, error) {
	bad := problem.New(problem.NotFound, "record.tile")
	rest, ok := strings.CutPrefix(path, "tile/")
	level, rest, ok2 := strings.Cut(rest, "/")
	if !ok || !ok2 || len(path) > 80 {
		return TileID{}, bad
	}
	t := TileID{Level: Entries, Width: TileWidth}
	if level != "entries" {
		n, err := strconv.Atoi(level)
		if err != nil || n < 0 || n > 63/TileHeight {
			return TileID{}, bad
		}
		t.Level = n
	}
	if digits, width, ok := strings.Cut(rest, ".p/"); ok {
		n, err := strconv.Atoi(width)
		if err != nil || n < 1 || n >= TileWidth {
			return TileID{}, bad
		}
		rest, t.Width = digits, n
	}
	for part := range strings.SplitSeq(rest, "/") {
		n, err := strconv.ParseUint(strings.TrimPrefix(part, "x"), 10, 10)
		if err != nil || n > 999 || t.Index > maxIndex/1000 {
			return TileID{}, bad
		}
		t.Index = t.Index*1000 + n
	}
	if t.Path() != path { // leading zeros, signs, a missing x
		return TileID{}, bad
	}
	return t, nil
}

// TilesFor returns the partial and full tiles at the right edge of a tree: what must
// be there, in its widest form, to append to the tree or to prove its root.
func TilesFor(size uint64) []TileID {
	var ts []TileID
	for level := 0; size>>(TileHeight*level) > 0; level++ {
		if w := int(size >> (TileHeight * level) % TileWidth); w > 0 {
			ts = append(ts, TileID{level, size >> (TileHeight * (level + 1)), w})
		}
	}
	return ts
}

// AppendBundle appends an entry to a bundle: its length in 16 bits, big-endian, and
// the entry (tlog-tiles, "Log entries").
func AppendBundle(dst, entry []byte) []byte {
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(entry)))
	return append(dst, entry...)
}

// ParseBundle cuts a bundle of exactly width entries into them; they point into b.
func ParseBundle(b []byte, width int) ([][]byte, error) {
	bad := problem.New(problem.Invalid, "record.bundle")
	if width < 1 || width > TileWidth {
		return nil, bad
	}
	out := make([][]byte, 0, width)
	for range width {
		if len(b) < 2 {
			return nil, bad
		}
		n := int(binary.BigEndian.Uint16(b))
		if len(b) < 2+n {
			return nil, bad
		}
		out = append(out, b[2:2+n:2+n])
		b = b[2+n:]
	}
	if len(b) > 0 {
		return nil, bad
	}
	return out, nil
}

// cutBundle returns the first width entries of a bundle that may hold more.
func cutBundle(b []byte, width int) ([]byte, bool) {
	end := 0
	for range width {
		if len(b) < end+2 {
			return nil, false
		}
		end += 2 + int(binary.BigEndian.Uint16(b[end:]))
		if len(b) < end {
			return nil, false
		}
	}
	return b[:end:end], true
}

// TileReader shows stored tiles. The bytes may be those of a wider version of the
// tile that was asked for: its beginning is the same. A tile that is not there is a
// problem; what is there is checked by whoever asks.
type TileReader interface {
	ReadTile(t TileID) ([]byte, error)
}

// readTile reads a tile at just the width asked for.
func readTile(r TileReader, t TileID) ([]byte, error) {
	b, err := r.ReadTile(t)
	if err != nil {
		return nil, err
	}
	bad := problem.Newf(problem.Internal, "record.tile", "tile %s is too short", t.Path())
	if t.Level == Entries {
		cut, ok := cutBundle(b, t.Width)
		if !ok {
			return nil, bad
		}
		return cut, nil
	}
	if len(b) < t.Width*HashSize {
		return nil, bad
	}
	return b[: t.Width*HashSize : t.Width*HashSize], nil
}
