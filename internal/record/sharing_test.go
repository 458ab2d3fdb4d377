// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"bytes"
	"testing"
	"time"

	"pgregory.net/rapid"

	"darwaza.dev/internal/cose"
	"darwaza.dev/internal/problem"
)

// drawItem draws a data item of a fact, and drawShare who may read what of one.
func drawItem(t *rapid.T, depth int) []byte {
	kind := rapid.IntRange(0, 5).Draw(t, "kind")
	if depth > 3 {
		kind %= 4
	}
	switch kind {
	case 0:
		return cose.AppendUint(nil, rapid.Uint64Range(0, 70000).Draw(t, "uint"))
	case 1:
		return cose.AppendBytes(nil, rapid.SliceOfN(rapid.Byte(), 0, 20).Draw(t, "bytes"))
	case 2:
		return []byte{0xf5}
	case 3:
		return []byte{0xf6}
	case 4:
		n := rapid.IntRange(0, 3).Draw(t, "array")
		b := cose.AppendArray(nil, n)
		for range n {
			b = append(b, drawItem(t, depth+1)...)
		}
		return b
	}
	return drawMap(t, depth)
}

func drawMap(t *rapid.T, depth int) []byte {
	keys := rapid.SliceOfNDistinct(rapid.IntRange(0, 30), 0, 5, rapid.ID).Draw(t, "keys")
	b := cose.AppendMap(nil, len(keys))
	for k := range 31 {
		for _, key := range keys {
			if key == k {
				b = append(cose.AppendUint(b, uint64(k)), drawItem(t, depth+1)...)
			}
		}
	}
	return b
}

func drawShare(t *rapid.T, depth int) *Share {
	s := &Share{To: Reader(rapid.IntRange(0, 3).Draw(t, "to"))}
	if depth < 4 && rapid.Bool().Draw(t, "fields") {
		s.Fields = map[string]*Share{}
		for range rapid.IntRange(0, 4).Draw(t, "named") {
			s.Fields[string(cose.AppendUint(nil, rapid.Uint64Range(0, 30).Draw(t, "field")))] = drawShare(t, depth+1)
		}
	}
	return s
}

// TestSplitJoins splits facts in every way and puts them together again.
func TestSplitJoins(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		body := drawMap(t, 0)
		parts := Split(body, drawShare(t, 0))
		var bodies [][]byte
		for i, p := range parts {
			if i > 0 && p.Group <= parts[i-1].Group {
				t.Fatalf("groups %q and %q", parts[i-1].Group, p.Group)
			}
			bodies = append(bodies, p.Body)
		}
		got, err := Join(bodies...)
		if err != nil || !bytes.Equal(got, body) {
			t.Fatalf("%x is put together as %x: %v", body, got, err)
		}
	})
}

// TestSplitKeepsApart holds each part to the fields that its readers may have.
func TestSplitKeepsApart(t *testing.T) {
	key := func(n uint64) string { return string(cose.AppendUint(nil, n)) }
	// {1: "ref", 2: [{3: h'aa', 4: 5}, {3: h'bb', 4: 6}], 7: 9}
	body := []byte{0xa3, 1, 0x63, 'r', 'e', 'f', 2, 0x82, 0xa2, 3, 0x41, 0xaa, 4, 5, 0xa2, 3, 0x41, 0xbb, 4, 6, 7, 9}
	s := &Share{Fields: map[string]*Share{
		key(1): {To: OtherSide | Auditors},
		key(2): {To: Auditors, Fields: map[string]*Share{key(3): {To: OtherSide}}},
	}}
	want := map[string][]byte{
		"all":     {0xa1, 1, 0x63, 'r', 'e', 'f'},
		"auditor": {0xa1, 2, 0x82, 0xa1, 4, 5, 0xa1, 4, 6},
		"other":   {0xa1, 2, 0x82, 0xa1, 3, 0x41, 0xaa, 0xa1, 3, 0x41, 0xbb},
		"own":     {0xa1, 7, 9},
	}
	parts := Split(body, s)
	if len(parts) != len(want) {
		t.Fatalf("%d parts", len(parts))
	}
	for _, p := range parts {
		if !bytes.Equal(p.Body, want[p.Group]) {
			t.Errorf("%s may read %x, want %x", p.Group, p.Body, want[p.Group])
		}
	}
	for group, readers := range map[string][2]bool{"all": {true, true}, "auditor": {false, true}, "other": {true, false}, "own": {}, "full": {}, "later": {}} {
		if Allowed(group, OtherSide) != readers[0] || Allowed(group, Auditors) != readers[1] || Allowed(group, 0) {
			t.Errorf("group %s: other side %v, auditors %v", group, Allowed(group, OtherSide), Allowed(group, Auditors))
		}
	}
}

// TestOpenDisclosures opens facts as each reader gets them, and none that was changed.
func TestOpenDisclosures(t *testing.T) {
	body := []byte{0xa2, 1, 5, 2, 6}
	parts := Split(body, &Share{Fields: map[string]*Share{"\x01": {To: OtherSide}}})
	var ds []Disclosure
	var stored []byte
	for i, p := range parts {
		ds = append(ds, Disclosure{Group: p.Group, Salt: [16]byte{byte(i)}, Body: p.Body})
		stored = append(stored, ds[i].Bytes()...)
	}
	e, err := NewEntry("test.fact", time.Unix(1, 0), ds...)
	if err != nil {
		t.Fatal(err)
	}
	if got, whole, err := e.Open(stored); err != nil || !whole || !bytes.Equal(got, body) {
		t.Errorf("whole: %x, %v, %v", got, whole, err)
	}
	sent, err := Filter(stored, OtherSide)
	if err != nil {
		t.Fatal(err)
	}
	if got, whole, err := e.Open(sent); err != nil || whole || !bytes.Equal(got, []byte{0xa1, 1, 5}) {
		t.Errorf("for the other side: %x, %v, %v", got, whole, err)
	}
	if sent, err := Filter(stored, Auditors); err != nil || len(sent) != 0 {
		t.Errorf("for auditors: %x, %v", sent, err)
	}
	if got, whole, err := e.Open(nil); err != nil || whole || !bytes.Equal(got, []byte{0xa0}) {
		t.Errorf("for nobody: %x, %v, %v", got, whole, err)
	}
	stored[len(stored)-1] ^= 1
	if _, _, err := e.Open(stored); problem.KindOf(err) != problem.Untrusted {
		t.Errorf("a changed disclosure: %v", err)
	}
	if _, err := ParseDisclosures(append(ds[1].Bytes(), ds[0].Bytes()...)); err == nil {
		t.Error("disclosures in the wrong order are read")
	}
}

// FuzzJoin joins what others send.
func FuzzJoin(f *testing.F) {
	f.Add([]byte{0xa1, 1, 5}, []byte{0xa1, 2, 0x81, 0xf7})
	f.Fuzz(func(t *testing.T, a, b []byte) {
		if got, err := Join(a, b); err == nil {
			r := cose.NewReader(got)
			if r.Raw(); !r.Done() {
				t.Errorf("%x and %x make %x", a, b, got)
			}
		}
	})
}
