// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package cose

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func unhex(s string) []byte { return must(hex.DecodeString(strings.ReplaceAll(s, " ", ""))) }

func testKey(scalar string) *ecdsa.PrivateKey {
	return must(ecdsa.ParseRawPrivateKey(elliptic.P256(), unhex(scalar)))
}

// key11 is the key "11" of RFC 9052 appendix C.7.2.
func key11() *ecdsa.PrivateKey {
	return testKey("57c92077664146e876760c9520d054aa93c3afb04e306705db6090308507b4d3")
}

// example is RFC 9052 appendix C.2.1: "Single ECDSA Signature".
const example = "d2 84 43 a10126 a1 04 42 3131 54 546869732069732074686520636f6e74656e742e" +
	"58 40 8eb33e4ca31d1c465ab05aac34cc6b23d58fef5c083106c4d25a91aef0b0117e2af9a291aa32e14ab834dc56ed2a223444547e01f11d3b0916e5a4c345cacb36"

func TestExample(t *testing.T) {
	m, err := Parse(unhex(example))
	if err != nil {
		t.Fatal(err)
	}
	if m.Alg != ES256 || !m.AlgProtected || string(m.KeyID) != "11" || m.KeyIDProtected || string(m.Payload) != "This is the content." {
		t.Errorf("got %+v", m)
	}
	pub := &key11().PublicKey
	if want := unhex("04 bac5b11cad8f99f9c72b05cf4b9e26d244dc189f745228255a219a86d6a09eff 20138bf82dc1b6d562be0fa54ab7804a3a64b6d72ccfed6b6fb6ed28bbfc117e"); !bytes.Equal(must(pub.Bytes()), want) {
		t.Fatal("not the key of the example")
	}
	if err := m.Verify(pub); err != nil {
		t.Error(err)
	}
	if err := m.VerifyExternal(pub, []byte{1}); err != ErrSignature {
		t.Errorf("with external data: %v", err)
	}
	if err := m.Verify(&testKey(strings.Repeat("01", 32)).PublicKey); err != ErrSignature {
		t.Errorf("another key: %v", err)
	}
	// Without its tag, and as a CBOR Web Token (RFC 8392 section 6).
	for _, form := range [][]byte{unhex(example)[1:], append([]byte{0xd8, 61}, unhex(example)...)} {
		if m, err := Parse(form); err != nil || m.Verify(pub) != nil {
			t.Errorf("%x: %v", form[:3], err)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	long := append([]byte{0x84, 0x40, 0xa0, 0x5a, 0, 1, 0, 0}, make([]byte, 1<<16)...)
	for name, tt := range map[string]struct {
		b    []byte
		want error
	}{
		"nothing":              {nil, ErrForm},
		"too large":            {long, ErrSize},
		"trailing byte":        {append(unhex(example), 0), ErrForm},
		"three items":          {unhex("83 40 a0 40"), ErrForm},
		"five items":           {unhex("85 40 a0 40 40 40"), ErrForm},
		"indefinite array":     {unhex("9f 40 a0 40 40 ff"), ErrForm},
		"indefinite payload":   {unhex("84 40 a0 5f 41 00 ff 40"), ErrForm},
		"detached payload":     {unhex("84 40 a0 f6 40"), ErrForm},
		"protected not a bstr": {unhex("84 a0 a0 40 40"), ErrForm},
		"protected not a map":  {unhex("84 41 01 a0 40 40"), ErrForm},
		"protected has more":   {unhex("84 42 a000 a0 40 40"), ErrForm},
		"headers not a map":    {unhex("84 40 80 40 40"), ErrForm},
		"label twice":          {unhex("84 45 a201260126 a0 40 40"), ErrHeader},
		"unprotected twice":    {unhex("84 40 a2 0441610441 62 40 40"), ErrHeader},
		"critical":             {unhex("84 44 a1028101 a0 40 40"), ErrHeader},
		"critical, elsewhere":  {unhex("84 40 a1028101 40 40"), ErrHeader},
		"key id not a bstr":    {unhex("84 40 a10401 40 40"), ErrForm},
		"another tag":          {unhex("d1 84 40 a0 40 40"), ErrForm},
		"another outer tag":    {unhex("d8 62 84 40 a0 40 40"), ErrForm},
		"many labels":          {unhex("84 40 b1 0a00 0b00 0c00 0d00 0e00 0f00 1000 1100 1200 1300 1400 1500 1600 1700 181800 181900 181a00 40 40"), ErrHeader},
	} {
		if _, err := Parse(tt.b); !errors.Is(err, tt.want) {
			t.Errorf("%s: got %v, want %v", name, err, tt.want)
		}
	}
}

// TestProtectedWins wants a header under the signature to hold against one beside it,
// also where it says something that this package does not know.
func TestProtectedWins(t *testing.T) {
	m, err := Parse(unhex("84 47 a2 0126 04 42 3131 a2 013824 04 42 3232 40 40"))
	if err != nil || m.Alg != ES256 || string(m.KeyID) != "11" || !m.AlgProtected || !m.KeyIDProtected {
		t.Errorf("got %+v, %v", m, err)
	}
	m, err = Parse(unhex("84 44 a1 01 61 78 a1 0126 40 40"))
	if err != nil || m.Alg != 0 || !m.AlgProtected {
		t.Errorf("an algorithm by name: got %+v, %v", m, err)
	}
	if m.Verify(&key11().PublicKey) != ErrAlgorithm {
		t.Error("an algorithm that is not protected is believed")
	}
}

func TestSign1RoundTrip(t *testing.T) {
	key := key11()
	rapid.Check(t, func(t *rapid.T) {
		bytesOf := func(name string, n int) []byte { return rapid.SliceOfN(rapid.Byte(), 0, n).Draw(t, name) }
		payload, external := bytesOf("payload", 700), bytesOf("external", 100)
		h := Header{Alg: ES256}
		if rapid.Bool().Draw(t, "key id") {
			h.KeyID = bytesOf("id", 255)
		}
		b, err := Sign1(key, h, payload, external)
		if err != nil {
			t.Fatal(err)
		}
		if again := must(Sign1(key, h, payload, external)); !bytes.Equal(again, b) {
			t.Fatal("signed twice, two signatures")
		}
		m, err := Parse(b)
		if err != nil || !bytes.Equal(m.Payload, payload) || !bytes.Equal(m.KeyID, h.KeyID) || !m.AlgProtected || m.KeyIDProtected != (h.KeyID != nil) {
			t.Fatalf("got %+v, %v", m, err)
		}
		if err := m.VerifyExternal(&key.PublicKey, external); err != nil {
			t.Fatal(err)
		}
		i := rapid.IntRange(0, len(b)-1).Draw(t, "byte")
		bad := bytes.Clone(b)
		bad[i] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		if m, err := Parse(bad); err == nil && m.VerifyExternal(&key.PublicKey, external) == nil && !bytes.Equal(m.Payload, payload) {
			t.Fatal("another payload verifies")
		}
		if m.VerifyExternal(&key.PublicKey, append(external, 0)) == nil {
			t.Fatal("other external data verifies")
		}
	})
}

// TestDeterministic is RFC 6979 appendix A.2.5, P-256 with SHA-256, message "sample":
// signing without a source of chance is the standard's deterministic signing.
func TestDeterministic(t *testing.T) {
	key := testKey("C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721")
	d := sha256.Sum256([]byte("sample"))
	got, err := appendRaw(nil, must(key.Sign(nil, d[:], crypto.SHA256)))
	want := unhex("EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716 F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8")
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("got %x, %v, want %x", got, err, want)
	}
	if back, err := appendRaw(nil, der(nil, want)); err != nil || !bytes.Equal(back, want) {
		t.Errorf("through ASN.1: %x, %v", back, err)
	}
}

// TestASN1 takes numbers of every length through ASN.1 and back.
func TestASN1(t *testing.T) {
	for zeros := range 33 {
		for _, lead := range []byte{0x01, 0x7f, 0x80, 0xff} {
			raw := make([]byte, 64)
			for i := zeros; i < 32; i++ {
				raw[i], raw[32+i] = lead, lead
			}
			if back, err := appendRaw(nil, der(nil, raw)); err != nil || !bytes.Equal(back, raw) {
				t.Fatalf("%x: got %x, %v", raw, back, err)
			}
		}
	}
	for _, bad := range []string{"", "30", "3000000000000000", "3006020101020101ff", "3007020101020101", "3106020101020101",
		"3026 0221 01" + strings.Repeat("00", 32) + "020101", "300602010102ff01"} {
		if got, err := appendRaw(nil, unhex(bad)); err == nil {
			t.Errorf("%s: got %x", bad, got)
		}
	}
}

func TestSign1Refuses(t *testing.T) {
	key := key11()
	p384 := must(ecdsa.ParseRawPrivateKey(elliptic.P384(), append(make([]byte, 47), 5)))
	for name, tt := range map[string]struct {
		key     *ecdsa.PrivateKey
		h       Header
		payload []byte
		want    error
	}{
		"no key":       {nil, Header{Alg: ES256}, nil, ErrAlgorithm},
		"other curve":  {p384, Header{Alg: ES256}, nil, ErrAlgorithm},
		"no algorithm": {key, Header{}, nil, ErrAlgorithm},
		"other":        {key, Header{Alg: PS256}, nil, ErrAlgorithm},
		"long key id":  {key, Header{Alg: ES256, KeyID: make([]byte, 256)}, nil, ErrHeader},
		"long payload": {key, Header{Alg: ES256}, make([]byte, MaxSize), ErrSize},
	} {
		if _, err := Sign1(tt.key, tt.h, tt.payload, nil); !errors.Is(err, tt.want) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	m := must(Parse(must(Sign1(key, Header{Alg: ES256}, nil, nil))))
	if err := m.Verify(nil); err != ErrAlgorithm {
		t.Errorf("no key verifies: %v", err)
	}
	if err := m.Verify(&p384.PublicKey); err != ErrAlgorithm {
		t.Errorf("another curve verifies: %v", err)
	}
	m.Signature = m.Signature[:63]
	if err := m.Verify(&key.PublicKey); err != ErrSignature {
		t.Errorf("a short signature: %v", err)
	}
}

// TestDigest wants what is hashed in one piece and in parts to be the same.
func TestDigest(t *testing.T) {
	for n := range 600 {
		payload := bytes.Repeat([]byte{7}, n)
		b := AppendText(AppendArray(nil, 4), "Signature1")
		b = AppendBytes(AppendBytes(AppendBytes(b, []byte{0xa1, 1, 0x26}), []byte("external")), payload)
		if got := digest([]byte{0xa1, 1, 0x26}, []byte("external"), payload); got != sha256.Sum256(b) {
			t.Fatalf("%d bytes: got %x", n, got)
		}
	}
	if digest([]byte{0xa0}, nil, nil) != digest(nil, nil, nil) {
		t.Error("an empty map of headers counts as none")
	}
}

func FuzzParse(f *testing.F) {
	f.Add(unhex(example))
	f.Add(must(Sign1(key11(), Header{Alg: ES256, KeyID: []byte("kid")}, []byte("x"), nil)))
	f.Add(unhex("d83d d2 84 40 a0 40 40"))
	pub := &key11().PublicKey
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := Parse(b)
		if err != nil {
			return
		}
		m.Digest()
		if m.Verify(pub) == nil && string(m.Payload) != "This is the content." && string(m.Payload) != "x" {
			t.Fatalf("a message that nobody signed: %x", b)
		}
	})
}
