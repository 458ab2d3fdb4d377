// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package cose

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"pgregory.net/rapid"
)

// TestExamples are of RFC 8949 appendix A, as far as this package reads and writes them.
func TestExamples(t *testing.T) {
	for v, want := range map[int64]string{
		0: "00", 1: "01", 10: "0a", 23: "17", 24: "1818", 25: "1819", 100: "1864", 1000: "1903e8", 1000000: "1a000f4240",
		1000000000000: "1b000000e8d4a51000", -1: "20", -10: "29", -100: "3863", -1000: "3903e7",
	} {
		if got := hex.EncodeToString(AppendInt(nil, v)); got != want {
			t.Errorf("%d: got %s, want %s", v, got, want)
		}
		r := NewStrictReader(unhex(want))
		if got := r.Int(); got != v || !r.Done() {
			t.Errorf("%s: got %d", want, got)
		}
	}
	r := NewStrictReader(unhex("1bffffffffffffffff"))
	if got := r.Uint(); got != 18446744073709551615 || !r.Done() {
		t.Errorf("the greatest: got %d", got)
	}
	for _, big := range []string{"1bffffffffffffffff", "3bffffffffffffffff"} { // as signed
		r := NewReader(unhex(big))
		if got := r.Int(); r.Ok() {
			t.Errorf("%s: got %d", big, got)
		}
	}
	for s, want := range map[string]string{"": "60", "a": "6161", "IETF": "6449455446", "\"\\": "62225c", "\u00fc": "62c3bc", "\u6c34": "63e6b0b4", "\U00010151": "64f0908591"} {
		if got := hex.EncodeToString(AppendText(nil, s)); got != want {
			t.Errorf("%q: got %s, want %s", s, got, want)
		}
		r := NewStrictReader(unhex(want))
		if got := r.Text(); got != s || !r.Done() {
			t.Errorf("%s: got %q", want, got)
		}
	}
	r = NewStrictReader(AppendBytes(nil, unhex("01020304")))
	if got := r.Bytes(); !bytes.Equal(got, unhex("01020304")) || !r.Done() {
		t.Errorf("got %x", got)
	}
	// Whole items of every kind are walked over.
	for _, item := range []string{
		"f90000", "fb3ff199999999999a", "fa47c35000", "f4", "f5", "f6", "f7", "f0", "f8ff", "c074323031332d30332d32315432303a30343a30305a", "c11a514b67b0", "d74401020304",
		"80", "83010203", "8301820203820405", "98190102030405060708090a0b0c0d0e0f101112131415161718181819", "a0", "a201020304", "a26161016162820203", "826161a161626163",
		"c249010000000000000000", "3bffffffffffffffff",
	} {
		r := NewStrictReader(unhex(item + "01"))
		if got := r.Raw(); hex.EncodeToString(got) != item || r.Uint() != 1 || !r.Done() {
			t.Errorf("%s: got %x", item, got)
		}
	}
}

// TestReaderRefuses are texts that are no data item, or not in the form wanted.
func TestReaderRefuses(t *testing.T) {
	for name, b := range map[string]string{
		"nothing": "", "head cut": "19 01", "reserved": "1c", "reserved 30": "1e", "simple in two bytes": "f8 1f", "indefinite": "5f 41 00 ff", "indefinite array": "9f ff",
		"indefinite map": "bf ff", "break alone": "ff", "bytes cut": "42 00", "text cut": "61", "not UTF-8": "61 ff", "array cut": "82 00", "map cut": "a1 00",
		"tag cut": "c0", "length beyond": "5b ffffffffffffffff", "array beyond": "9b ffffffffffffffff", "map beyond": "bb ffffffffffffffff",
		"deep": strings.Repeat("81", 40) + "00", "deep tags": strings.Repeat("c1", 40) + "00",
	} {
		for _, r := range []Reader{NewReader(unhex(b)), NewStrictReader(unhex(b))} {
			if r.Skip(); r.Ok() {
				t.Errorf("%s: walked over", name)
			}
			if r.Raw() != nil || r.Done() || r.Major() != 7 {
				t.Errorf("%s: the fault did not stick", name)
			}
		}
	}
	for _, long := range []string{"1817", "1900ff", "1a0000ffff", "1b00000000ffffffff", "5801 00", "7800", "9800", "b800", "d812 00"} {
		if r := NewReader(unhex(long)); func() bool { r.Skip(); return !r.Done() }() {
			t.Errorf("%s: not read", long)
		}
		if r := NewStrictReader(unhex(long)); func() bool { r.Skip(); return r.Ok() }() {
			t.Errorf("%s: not the shortest, and read as such", long)
		}
	}
	// Each kind is taken for itself alone.
	for want, b := range map[string]string{"uint": "00", "bytes": "40", "text": "60", "array": "80", "map": "a0", "tag": "c0"} {
		takes := map[string]func(*Reader){
			"uint": func(r *Reader) { r.Uint() }, "bytes": func(r *Reader) { r.Bytes() }, "text": func(r *Reader) { r.Text() },
			"array": func(r *Reader) { r.Array() }, "map": func(r *Reader) { r.Map() }, "tag": func(r *Reader) { r.Tag() },
		}
		for name, take := range takes {
			r := NewReader(unhex(b))
			if take(&r); r.Ok() != (name == want) {
				t.Errorf("%s taken as %s: ok is %v", b, name, r.Ok())
			}
		}
	}
	r := NewReader([]byte{5})
	if got := r.UintMax(4); got != 0 || r.Ok() {
		t.Errorf("above its limit: %d", got)
	}
	r = NewReader([]byte{0x41, 1})
	var two [2]byte
	if r.BytesN(two[:]); r.Ok() {
		t.Error("one byte for two")
	}
}

// TestAppendAgainstModule holds the writer against another encoder.
// TestShort holds that the short way takes what TextBytes takes, and nothing else.
func TestShort(t *testing.T) {
	long := strings.Repeat("x", 24)
	for _, tt := range []struct {
		b    string
		want string
		ok   bool
	}{
		{"\x60\xf6", "", true}, {"\x62fn\x00", "fn", true}, {"\x62fn", "fn", true}, {"\x63fn", "", false},
		{"\x62\xc3\xb6\x00", "", false}, {"\x78\x18" + long, "", false}, {"\x77" + long[:23], long[:23], true},
		{"\x7f\x62fn\xff", "", false}, {"\x42fn", "", false}, {"\x82\x01\x02", "", false}, {"\x17", "", false}, {"", "", false},
	} {
		r := NewReader([]byte(tt.b))
		got, ok := r.Short()
		if string(got) != tt.want || ok != tt.ok {
			t.Errorf("%q: %q, %v", tt.b, got, ok)
		}
		if !ok {
			continue
		}
		other := NewReader([]byte(tt.b))
		if s := other.Text(); s != string(got) || other.Left() != r.Left() || !r.Ok() {
			t.Errorf("%q: %q, and TextBytes %q; %d and %d left", tt.b, got, s, r.Left(), other.Left())
		}
	}
}

func TestAppendAgainstModule(t *testing.T) {
	enc := must(cbor.CoreDetEncOptions().EncMode())
	rapid.Check(t, func(t *rapid.T) {
		n, b, s := rapid.Int64().Draw(t, "n"), rapid.SliceOf(rapid.Byte()).Draw(t, "b"), rapid.String().Draw(t, "s")
		u := rapid.Uint64().Draw(t, "u")
		if b == nil {
			b = []byte{}
		}
		got := AppendArray(nil, 4)
		got = AppendUint(AppendText(AppendBytes(AppendInt(got, n), b), s), u)
		if want := must(enc.Marshal([]any{n, b, s, u})); !bytes.Equal(got, want) {
			t.Fatalf("got %x, want %x", got, want)
		}
		r := NewStrictReader(got)
		if r.Array() != 4 || r.Int() != n || !bytes.Equal(r.Bytes(), b) || r.Text() != s || r.Uint() != u || !r.Done() {
			t.Fatalf("%x does not come back", got)
		}
	})
}

// FuzzReader drives the reader by the input's own bytes: it never panics, never gives
// back more than there was, and what it walks over another decoder finds well formed.
func FuzzReader(f *testing.F) {
	f.Add(unhex("8301820203820405"), []byte{4, 0, 0})
	f.Add(unhex("a26161016162820203"), []byte{8, 8})
	f.Add(unhex("9bffffffffffffffff"), []byte{4})
	f.Add(unhex("5b7fffffffffffffff"), []byte{1})
	wellFormed := must(cbor.DecOptions{MaxNestedLevels: 32}.DecMode())
	f.Fuzz(func(t *testing.T, b, steps []byte) {
		for _, r := range []Reader{NewReader(b), NewStrictReader(b)} {
			left := len(b) + 1
			for _, s := range append(steps, 9, 9, 9) {
				var got int
				switch s % 10 {
				case 0:
					r.Uint()
				case 1:
					got = len(r.Bytes())
				case 2:
					got = len(r.Text())
				case 3:
					r.Int()
				case 4:
					got = r.Array()
				case 5:
					got = 2 * r.Map()
				case 6:
					r.Tag()
				case 7:
					r.BytesN(make([]byte, s))
				case 8:
					got = len(r.Raw())
				case 9:
					r.Skip()
				}
				if got > len(b) || len(r.b) >= left && r.Ok() {
					t.Fatalf("%x: %d of %d bytes after step %d", b, got, len(b), s)
				}
				left = len(r.b) + 1
			}
		}
		r := NewReader(b)
		if item := r.Raw(); item != nil && wellFormed.Wellformed(item) != nil {
			t.Fatalf("%x is not well formed", item)
		}
	})
}

func TestBase45(t *testing.T) {
	// RFC 9285 sections 4.3 and 4.4.
	for text, want := range map[string]string{"AB": "BB8", "Hello!!": "%69 VD92EX0", "base-45": "UJCLQE7W581", "ietf!": "QED8WEX0", "": ""} {
		if got := EncodeBase45([]byte(text)); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
		if got, err := DecodeBase45(want); err != nil || string(got) != text {
			t.Errorf("%q: got %q, %v", want, got, err)
		}
	}
	if got, err := DecodeBase45("FGW"); err != nil || !bytes.Equal(got, []byte{0xff, 0xff}) {
		t.Errorf("FGW: got %x, %v", got, err)
	}
	for _, bad := range []string{"GGW", ":::", "A", "BB8A", "U6", "::", "bb8", "BB\n", "BB8BB_", "_B", "B_", "B\xff8", "B:"} {
		if got, err := DecodeBase45(bad); err != ErrBase45 {
			t.Errorf("%q: got %x, %v", bad, got, err)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		b := rapid.SliceOf(rapid.Byte()).Draw(t, "b")
		text := EncodeBase45(b)
		if got, err := DecodeBase45(text); err != nil || !bytes.Equal(got, b) {
			t.Fatalf("%x as %q: got %x, %v", b, text, got, err)
		}
		if strings.HasSuffix(text, " ") {
			t.Fatalf("%q ends in a space, which readers trim", text)
		}
	})
}

func FuzzBase45(f *testing.F) {
	f.Add("BB8")
	f.Add("GGW")
	f.Add("%69 VD92EX0")
	f.Fuzz(func(t *testing.T, s string) {
		if b, err := DecodeBase45(s); err == nil && EncodeBase45(b) != s {
			t.Fatalf("%q and %q are the same bytes", s, EncodeBase45(b))
		}
	})
}
