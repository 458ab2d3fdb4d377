// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"bytes"
	"encoding/hex"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"darwaza.dev/internal/cose"
	"darwaza.dev/internal/problem"
)

var noon = time.Date(2025, 9, 2, 7, 0, 0, 123_456_000, time.UTC)

func TestEntryPinned(t *testing.T) {
	d := Disclosure{"both", [16]byte{1, 2, 3}, []byte("body")}
	e := must(NewEntry("booking.booked", noon, d))
	const want = "84" + "01" + "6e626f6f6b696e672e626f6f6b6564" + "1b00063dcc095f3e40" + "81" +
		"82" + "64626f7468" + "5820eca3496f5d0cc50bbba70a70564aab3efb8ca55b1c7cf8f8e6da1ee4de01271e"
	if got := hex.EncodeToString(e.Bytes()); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if back, err := ParseEntry(e.Bytes()); err != nil || !reflect.DeepEqual(back, e) {
		t.Errorf("got %+v, %v, want %+v", back, err, e)
	}
}

func TestEntryRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		word := func(label string, limit int) string {
			return rapid.StringN(1, -1, limit).Filter(func(s string) bool { return s != "" }).Draw(t, label)
		}
		names := rapid.SliceOfNDistinct(rapid.StringN(1, -1, MaxGroup), 1, MaxGroups, rapid.ID[string]).Draw(t, "groups")
		slices.Sort(names)
		var ds []Disclosure
		for _, n := range names {
			d := Disclosure{Group: n, Body: rapid.SliceOfN(rapid.Byte(), 0, 700).Draw(t, "body")}
			copy(d.Salt[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "salt"))
			ds = append(ds, d)
		}
		at := time.UnixMicro(rapid.Int64Range(0, 1<<60).Draw(t, "time"))
		e, err := NewEntry(word("kind", MaxKind), at, ds...)
		if err != nil {
			t.Fatal(err)
		}
		back, err := ParseEntry(e.Bytes())
		if err != nil || !reflect.DeepEqual(back, e) || !bytes.Equal(back.Bytes(), e.Bytes()) {
			t.Fatalf("got %+v, %v, want %+v", back, err, e)
		}
		for _, d := range ds {
			same, err := ParseDisclosure(d.Bytes())
			if err != nil || !back.Verify(same) {
				t.Fatalf("%q does not fit: %v", d.Group, err)
			}
			d.Salt[15] ^= 1
			if back.Verify(d) {
				t.Fatal("another salt fits")
			}
			d.Salt[15] ^= 1
			d.Body = append(d.Body, 0)
			if back.Verify(d) {
				t.Fatal("another body fits")
			}
		}
		if back.Verify(Disclosure{Group: names[0] + "x"}) {
			t.Fatal("a group that is not there fits")
		}
	})
}

func TestNewEntryRefuses(t *testing.T) {
	d := Disclosure{Group: "both"}
	for name, f := range map[string]func() (Entry, error){
		"no kind":      func() (Entry, error) { return NewEntry("", noon, d) },
		"long kind":    func() (Entry, error) { return NewEntry(strings.Repeat("x", MaxKind+1), noon, d) },
		"no group":     func() (Entry, error) { return NewEntry("k", noon) },
		"group twice":  func() (Entry, error) { return NewEntry("k", noon, d, d) },
		"out of order": func() (Entry, error) { return NewEntry("k", noon, Disclosure{Group: "b"}, Disclosure{Group: "a"}) },
		"no name":      func() (Entry, error) { return NewEntry("k", noon, Disclosure{}) },
		"before 1970":  func() (Entry, error) { return NewEntry("k", time.Unix(-1, 0), d) },
		"huge": func() (Entry, error) {
			return NewEntry("k", noon, Disclosure{Group: "both", Body: make([]byte, MaxBody+1)})
		},
		"many groups": func() (Entry, error) {
			var ds []Disclosure
			for i := range MaxGroups + 1 {
				ds = append(ds, Disclosure{Group: string(rune('a' + i))})
			}
			return NewEntry("k", noon, ds...)
		},
	} {
		if e, err := f(); err == nil {
			t.Errorf("%s: %+v", name, e)
		}
	}
}

// TestNewerEntry reads what a peer one version on may write, and refuses two on.
func TestNewerEntry(t *testing.T) {
	e := must(NewEntry("k", noon, Disclosure{Group: "both"}))
	newer := e.Bytes()
	newer[0], newer[1] = 0x85, Version+1
	newer = cose.AppendText(newer, "something that we do not know")
	got, err := ParseEntry(newer)
	if err != nil || got.Version != Version+1 || got.Kind != "k" || len(got.Groups) != 1 {
		t.Errorf("got %+v, %v", got, err)
	}
	newer[1]++
	if got, err := ParseEntry(newer); err == nil {
		t.Errorf("two versions newer: %+v", got)
	}
	today := e.Bytes()
	today[0] = 0x85
	if got, err := ParseEntry(append(today, 0)); err == nil {
		t.Errorf("more than this version has: %+v", got)
	}
}

func FuzzParseEntry(f *testing.F) {
	e := must(NewEntry("booking.booked", noon, Disclosure{Group: "A", Body: []byte("x")}, Disclosure{Group: "both"}))
	f.Add(e.Bytes())
	f.Add([]byte{0x84, 1, 0x61, 'k', 0, 0x80})
	f.Add([]byte{0x85, 2, 0x61, 'k', 0, 0x80, 0xf6})
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := ParseEntry(b)
		if err != nil {
			if problem.KindOf(err) != problem.Invalid {
				t.Fatal(err)
			}
			return
		}
		if e.Version == Version && !bytes.Equal(e.Bytes(), b) {
			t.Fatalf("%x has a second spelling, %x", e.Bytes(), b)
		}
	})
}

func FuzzParseDisclosure(f *testing.F) {
	f.Add(Disclosure{"both", [16]byte{1}, []byte("body")}.Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		if d, err := ParseDisclosure(b); err == nil && !bytes.Equal(d.Bytes(), b) {
			t.Fatalf("%x comes back as %x", b, d.Bytes())
		}
	})
}
