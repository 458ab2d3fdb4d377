// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package cose

import (
	"bytes"
	"math"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"pgregory.net/rapid"
)

// TestLoose reads the examples of indefinite lengths of RFC 8949 appendix A, which the
// other readers refuse.
func TestLoose(t *testing.T) {
	for _, item := range []string{"5f42010243030405ff", "7f657374726561646d696e67ff", "9fff", "9f018202039f0405ffff", "83018202039f0405ff", "bf61610161629f0203ffff", "826161bf61626163ff", "bf6346756ef563416d7421ff"} {
		r := NewLooseReader(unhex(item + "01"))
		if got := r.Raw(); !bytes.Equal(got, unhex(item)) || r.Uint() != 1 || !r.Done() {
			t.Errorf("%s: got %x", item, got)
		}
		if r := NewReader(unhex(item)); func() bool { r.Skip(); return r.Ok() }() {
			t.Errorf("%s: read by a reader that is not loose", item)
		}
	}
	r := NewLooseReader(unhex("5f42010243030405ff"))
	if got := r.Bytes(); !bytes.Equal(got, unhex("0102030405")) || !r.Done() {
		t.Errorf("pieces: got %x", got)
	}
	r = NewLooseReader(unhex("9f0102ff"))
	n, sum := r.Array(), uint64(0)
	for r.More(&n) {
		sum += r.Uint()
	}
	if sum != 3 || !r.Done() || r.More(&n) {
		t.Errorf("an array: sum %d, left %d", sum, r.Left())
	}
	r = NewLooseReader(unhex("820102"))
	for n = r.Array(); r.More(&n); {
		sum -= r.Uint()
	}
	if sum != 0 || !r.Done() {
		t.Errorf("a definite array: %d", sum)
	}
	for _, bad := range []string{"9f", "9f01", "bf01ff", "5f6161ff", "5f5f4101ffff", "7f61ffff", "ff", "9f01ff ff", "1f", "df", "f8ff ff"} {
		if r := NewLooseReader(unhex(bad)); func() bool { r.Skip(); return r.Done() }() {
			t.Errorf("%s: read", bad)
		}
	}
}

// TestFloor holds it against another decoder and the host's floating point.
func TestFloor(t *testing.T) {
	modes := []cbor.EncMode{}
	for _, s := range []cbor.ShortestFloatMode{cbor.ShortestFloatNone, cbor.ShortestFloat16} {
		modes = append(modes, must(cbor.EncOptions{ShortestFloat: s}.EncMode()))
	}
	check := func(t interface{ Fatalf(string, ...any) }, f float64) {
		for _, mode := range modes {
			r := NewReader(must(mode.Marshal(f)))
			got, exact := r.Floor()
			fl := math.Floor(f)
			if math.IsNaN(f) || math.Abs(fl) >= 1<<62 {
				if r.Ok() {
					t.Fatalf("%v: got %d", f, got)
				}
				continue
			}
			if !r.Done() || got != int64(fl) || exact != (fl == f) {
				t.Fatalf("%v: got %d, exact %v", f, got, exact)
			}
		}
	}
	for _, f := range []float64{0, math.Copysign(0, -1), 1, -1, 0.5, -0.5, 1.5, -1.5, 65504, 5.960464477539063e-8, 1e-300, -1e-300, 1 << 52, 1<<53 - 1, 1 << 53, 1<<62 - 1024, 1 << 62, -(1 << 62), 1 << 63, 1e300, math.Inf(1), math.Inf(-1), math.NaN(), math.MaxFloat32, math.SmallestNonzeroFloat64, 1622649135.25} {
		check(t, f)
	}
	rapid.Check(t, func(t *rapid.T) { check(t, rapid.Float64().Draw(t, "f")) })
	rapid.Check(t, func(t *rapid.T) { check(t, float64(rapid.Float32().Draw(t, "f"))) })
	for _, s := range []string{"00", "20", "1903e8"} {
		r := NewReader(unhex(s))
		if _, exact := r.Floor(); !exact || !r.Done() {
			t.Errorf("%s is not whole", s)
		}
	}
	for _, bad := range []string{"", "f4", "f6", "f8ff", "60", "1bffffffffffffffff"} {
		r := NewReader(unhex(bad))
		if v, _ := r.Floor(); r.Ok() {
			t.Errorf("%s: got %d", bad, v)
		}
	}
}

// FuzzLoose is FuzzReader for what the loose reader reads besides.
func FuzzLoose(f *testing.F) {
	f.Add(unhex("bf61610161629f0203ffff"))
	f.Add(unhex("5f42010243030405ff"))
	wellFormed := must(cbor.DecOptions{MaxNestedLevels: 64}.DecMode())
	f.Fuzz(func(t *testing.T, b []byte) {
		r := NewLooseReader(b)
		if item := r.Raw(); item != nil && wellFormed.Wellformed(item) != nil {
			t.Fatalf("%x is not well formed", item)
		}
		if m, err := ParseLoose(b); err == nil {
			if again, err := Parse(b); err == nil && (!bytes.Equal(again.Payload, m.Payload) || !bytes.Equal(again.KeyID, m.KeyID)) {
				t.Fatalf("%x: two readings", b)
			}
		}
	})
}
