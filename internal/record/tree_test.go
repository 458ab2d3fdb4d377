// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"darwaza.dev/internal/problem"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// shelf keeps tiles as a store does: the widest of each, by level and index.
type shelf map[TileID][]byte

func (s shelf) put(tiles []Tile) {
	for _, t := range tiles {
		s[TileID{t.Level, t.Index, 0}] = bytes.Clone(t.Bytes)
	}
}

func (s shelf) ReadTile(t TileID) ([]byte, error) {
	b, ok := s[TileID{t.Level, t.Index, 0}]
	if !ok {
		return nil, problem.New(problem.NotFound, "record.tile")
	}
	return b, nil
}

// model is the same log by x/mod: every hash stored, no tiles.
type model struct {
	hashes  []tlog.Hash
	entries [][]byte
}

func (m *model) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	var out []tlog.Hash
	for _, i := range indexes {
		out = append(out, m.hashes[i])
	}
	return out, nil
}

func (m *model) add(entry []byte) {
	m.hashes = append(m.hashes, must(tlog.StoredHashes(int64(len(m.entries)), entry, m))...)
	m.entries = append(m.entries, entry)
}

func (m *model) root() Hash { return must(tlog.TreeHash(int64(len(m.entries)), m)) }

// compare holds the shelf against the model: every tile that x/mod would publish for
// the tree is there and has its bytes.
func (m *model) compare(t interface{ Fatalf(string, ...any) }, s shelf, tree *Tree) {
	n := int64(len(m.entries))
	if tree.Size() != uint64(n) || tree.Root() != m.root() {
		t.Fatalf("size %d, root %v, want %d, %v", tree.Size(), tree.Root(), n, m.root())
	}
	want := tlog.NewTiles(TileHeight, 0, n)
	for _, w := range want {
		got, err := readTile(s, TileID{w.L, uint64(w.N), w.W})
		if err != nil || !bytes.Equal(got, must(tlog.ReadTileData(w, m))) {
			t.Fatalf("tile %s: %v", w.Path(), err)
		}
	}
	bundles := 0
	for at := int64(0); at < n; at += TileWidth {
		w := int(min(n-at, TileWidth))
		b, err := readTile(s, TileID{Entries, uint64(at / TileWidth), w})
		if err != nil {
			t.Fatalf("bundle at %d: %v", at, err)
		}
		got, err := ParseBundle(b, w)
		if err != nil || !slices.EqualFunc(got, m.entries[at:at+int64(w)], bytes.Equal) {
			t.Fatalf("bundle at %d: %v", at, err)
		}
		bundles++
	}
	if len(s) != len(want)+bundles {
		t.Fatalf("%d tiles, want %d", len(s), len(want)+bundles)
	}
}

// TestTree appends, fails and goes back, closes and opens again in any order, and
// wants what x/mod makes of the same entries.
func TestTree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tree, s, m := &Tree{}, shelf{}, &model{}
		batch := func(label string) [][]byte {
			n := rapid.OneOf(rapid.IntRange(0, 5), rapid.IntRange(200, 600)).Draw(t, label)
			seed := rapid.Byte().Draw(t, "seed")
			var es [][]byte
			for i := range n {
				es = append(es, bytes.Repeat([]byte{seed + byte(i)}, 1+i*7%90))
			}
			return es
		}
		for range rapid.IntRange(1, 5).Draw(t, "steps") {
			switch rapid.IntRange(0, 3).Draw(t, "step") {
			case 0, 1:
				es := batch("append")
				tiles := must(tree.Append(es))
				s.put(tiles)
				for _, e := range es {
					m.add(e)
				}
			case 2: // a transaction that fails
				mark := tree.Mark()
				must(tree.Append(batch("lost")))
				tree.Rewind(mark)
			case 3:
				tree = must(OpenTree(tree.Size(), s))
			}
			m.compare(t, s, tree)
		}
	})
}

// TestAppendHandsOutOnce wants each changed tile once, in its widest form, and those
// that were handed out before left alone.
func TestAppendHandsOutOnce(t *testing.T) {
	tree := &Tree{}
	type kept struct {
		Tile
		was []byte
	}
	var all []kept
	widest := map[TileID]int{}
	for i := range 40 {
		tiles := must(tree.Append(many(i*37%300+1, i)))
		seen := map[TileID]bool{}
		for _, x := range tiles {
			id := TileID{x.Level, x.Index, 0}
			if seen[id] {
				t.Fatalf("batch %d: %s twice", i, x.Path())
			}
			seen[id] = true
			if widest[id] >= x.Width {
				t.Fatalf("batch %d: %s is no wider than before", i, x.Path())
			}
			widest[id] = x.Width
			all = append(all, kept{x, bytes.Clone(x.Bytes)})
		}
	}
	for _, k := range all {
		if !bytes.Equal(k.Bytes, k.was) {
			t.Fatalf("%s was written over", k.Path())
		}
	}
}

func many(n, seed int) [][]byte {
	var es [][]byte
	for i := range n {
		es = append(es, fmt.Appendf(nil, "entry %d of %d", i, seed))
	}
	return es
}

func TestAppendRefuses(t *testing.T) {
	tree := &Tree{}
	must(tree.Append(many(3, 0)))
	root := tree.Root()
	for name, es := range map[string][][]byte{
		"too long": {[]byte("x"), make([]byte, MaxEntry+1)},
		"empty":    {[]byte("x"), nil},
	} {
		if tiles, err := tree.Append(es); problem.KindOf(err) != problem.Limit || tiles != nil || tree.Size() != 3 || tree.Root() != root {
			t.Errorf("%s: %d tiles, %v, size %d", name, len(tiles), err, tree.Size())
		}
	}
	if tiles, err := tree.Append([][]byte{make([]byte, MaxEntry)}); err != nil || len(tiles[0].Bytes) < MaxEntry {
		t.Errorf("the longest entry: %v", err)
	}
	full := &Tree{size: maxIndex - 2}
	if _, err := full.Append(many(2, 0)); problem.KindOf(err) != problem.Limit {
		t.Errorf("a full log: %v", err)
	}
}

func TestEmptyTree(t *testing.T) {
	var tree Tree
	if got := must(tree.Append(nil)); got != nil || tree.Root() != must(tlog.TreeHash(0, nil)) {
		t.Errorf("got %v, root %v", got, tree.Root())
	}
	if opened := must(OpenTree(0, shelf{})); opened.Root() != tree.Root() {
		t.Error("opened empty, the root differs")
	}
}

// TestOpenTreeDamaged wants a tree whose rows are missing or altered not to open, or
// to have another root.
func TestOpenTreeDamaged(t *testing.T) {
	tree, s := &Tree{}, shelf{}
	s.put(must(tree.Append(many(70_000, 1))))
	for _, id := range append(TilesFor(70_000), TileID{Entries, 273, 112}) {
		key := TileID{id.Level, id.Index, 0}
		whole := s[key]
		for name, b := range map[string][]byte{
			"missing": nil, "short": whole[:len(whole)-1], "altered": append(bytes.Clone(whole[:9]), append([]byte{whole[9] ^ 1}, whole[10:]...)...),
		} {
			if b == nil {
				delete(s, key)
			} else {
				s[key] = b
			}
			if got, err := OpenTree(70_000, s); err == nil && got.Root() == tree.Root() {
				t.Errorf("%s %s: opened", id.Path(), name)
			}
		}
		s[key] = whole
	}
	if got := must(OpenTree(70_000, s)); got.Root() != tree.Root() {
		t.Error("whole again, and another root")
	}
	if _, err := OpenTree(maxIndex, s); err == nil {
		t.Error("a size beyond the limit")
	}
}

// TestTilesFor is the example of tlog-tiles, "Partial Tiles".
func TestTilesFor(t *testing.T) {
	for size, want := range map[uint64][]TileID{
		0:      nil,
		256:    {{1, 0, 1}},
		70_000: {{0, 273, 112}, {1, 1, 17}, {2, 0, 1}},
	} {
		if got := TilesFor(size); !slices.Equal(got, want) {
			t.Errorf("%d: got %v, want %v", size, got, want)
		}
	}
}

func TestTilePath(t *testing.T) {
	for path, want := range map[string]TileID{
		"tile/0/x001/x234/067.p/5":  {0, 1234067, 5},
		"tile/0/x001/x234/067":      {0, 1234067, 256},
		"tile/entries/007":          {Entries, 7, 256},
		"tile/entries/x001/000.p/1": {Entries, 1000, 1},
		"tile/7/000":                {7, 0, 256},
	} {
		if got, err := ParseTilePath(path); err != nil || got != want || got.Path() != path {
			t.Errorf("%s: got %+v, %v", path, got, err)
		}
	}
	for _, path := range []string{
		"", "tile", "tile/", "tile/0", "tile/0/", "tile/8/000", "tile/-1/000", "tile/00/000", "tile/0/0", "tile/0/1000", "tile/0/x000/001",
		"tile/0/001/002", "tile/0/x001", "tile/0/000.p/0", "tile/0/000.p/256", "tile/0/000.p/01", "tile/0/000.p/", "tile/0/+01", "tile/0/000/",
		"/tile/0/000", "tile/data/000", "tile/0/x999/x999/x999/x999/x999/x999/x999/999", "tile/0/../000",
	} {
		if got, err := ParseTilePath(path); problem.KindOf(err) != problem.NotFound {
			t.Errorf("%q: got %+v, %v", path, got, err)
		}
	}
}

func FuzzParseTilePath(f *testing.F) {
	for _, s := range []string{"tile/0/x001/x234/067.p/5", "tile/entries/007", "tile/0/000.p/0", "tile/7/x999/999"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, path string) {
		id, err := ParseTilePath(path)
		if err != nil {
			return
		}
		if id.Path() != path || id.Width < 1 || id.Width > TileWidth || id.Level < Entries || id.Level > 7 {
			t.Fatalf("%q: %+v", path, id)
		}
		if id.Level >= 0 { // x/mod names the same tile
			want := tlog.Tile{H: TileHeight, L: id.Level, N: int64(id.Index), W: id.Width}.Path()
			if want != "tile/8/"+path[len("tile/"):] {
				t.Fatalf("%q: x/mod says %q", path, want)
			}
		}
	})
}

func TestParseBundleRefuses(t *testing.T) {
	two := AppendBundle(AppendBundle(nil, []byte("a")), []byte("bc"))
	for name, tt := range map[string]struct {
		b     []byte
		width int
	}{
		"more than said": {two, 1}, "less than said": {two, 3}, "cut": {two[:len(two)-1], 2}, "no width": {nil, 0}, "too wide": {two, 257}, "negative": {two, -1},
	} {
		if es, err := ParseBundle(tt.b, tt.width); problem.KindOf(err) != problem.Invalid || err == nil {
			t.Errorf("%s: got %q, %v", name, es, err)
		}
	}
}

func FuzzParseBundle(f *testing.F) {
	f.Add(AppendBundle(AppendBundle(nil, []byte("a")), []byte("bc")), 2)
	f.Add([]byte{0, 0}, 1)
	f.Add([]byte{0xff, 0xff, 0}, 1)
	f.Fuzz(func(t *testing.T, b []byte, width int) {
		es, err := ParseBundle(b, width)
		if err != nil {
			return
		}
		var back []byte
		for _, e := range es {
			back = AppendBundle(back, e)
		}
		if !bytes.Equal(back, b) || len(es) != width {
			t.Fatalf("%x comes back as %x", b, back)
		}
	})
}

func BenchmarkAppend512(b *testing.B) {
	tree := &Tree{}
	es := make([][]byte, 512)
	for i := range es {
		es[i] = bytes.Repeat([]byte{byte(i)}, 100)
	}
	for b.Loop() {
		if _, err := tree.Append(es); err != nil {
			b.Fatal(err)
		}
		tree.Root()
	}
	b.ReportMetric(float64(b.N)*512/b.Elapsed().Seconds(), "entries/s")
}
