// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package pass

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/sha256"
	"testing"
	"time"
)

// seeded is a source of bytes that a word determines: keys for tests.
type seeded struct {
	state [32]byte
	rest  []byte
}

func seed(word string) *seeded { return &seeded{state: sha256.Sum256([]byte(word))} }

func (s *seeded) Read(p []byte) (int, error) {
	for i := range p {
		if len(s.rest) == 0 {
			s.state = sha256.Sum256(s.state[:])
			s.rest = bytes.Clone(s.state[:])
		}
		p[i], s.rest = s.rest[0], s.rest[1:]
	}
	return len(p), nil
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func testKey(side Side, word string) *Key { return must(GenerateKey(side, seed(word))) }

func at(s string) time.Time { return must(time.Parse(time.RFC3339, s)) }

var (
	day   = at("2025-09-02T00:00:00Z")
	noon  = at("2025-09-02T07:00:00Z")
	until = at("2025-10-01T00:00:00Z")
)

// party is one side's keys, as post makes them.
type party struct {
	root, pass, receipt, exchange *Key
	certs                         [][]byte
}

func newParty(side Side) party {
	p := party{
		root: testKey(side, "root "+side.String()), pass: testKey(side, "pass "+side.String()),
		receipt: testKey(side, "receipt "+side.String()), exchange: testKey(side, "exchange "+side.String()),
	}
	p.certs = [][]byte{
		must(Certify(p.root, p.pass.Public(), UsePass, day, until)),
		must(Certify(p.root, p.receipt.Public(), UseReceipt, day, until)),
		must(Certify(p.root, p.exchange.Public(), UseExchange, day, until)),
	}
	return p
}

func newTrust(ps ...party) *Trust {
	roots := map[Side]*ecdsa.PublicKey{}
	for _, p := range ps {
		roots[p.root.Side()] = p.root.Public()
	}
	t := must(NewTrust(roots))
	for _, p := range ps {
		t = must(t.With(p.certs...))
	}
	return t
}

func testClaims(side Side) Claims {
	return Claims{
		ID: ID{1, 2, 3, 4, 5, 6, 7, 8}, Side: side, Edition: [8]byte{0xed, 1, 2, 3, 4, 5, 6, 7},
		Binding: [16]byte{0xb1, 0xd}, Site: 2, Slot: 2<<40 | 3<<32 | 9376<<16 | 600, Class: 3, Place: 17,
		Generation: 1, Gate: 0, Children: 2,
		NotBefore: at("2025-09-02T06:30:00Z"), Expires: at("2025-09-02T09:00:00Z"), IssuedAt: at("2025-09-01T12:00:00Z"),
	}
}

// BenchmarkVerify and BenchmarkBare are what the figure gate.verdict compares: the
// difference is what a pass costs beyond the bare signature.
func BenchmarkVerify(b *testing.B) {
	a := newParty(SideA)
	t := newTrust(a, newParty(SideB))
	text := must(Sign(a.pass, testClaims(SideA)))
	b.ReportAllocs()
	for b.Loop() {
		if _, fault := t.Verify(text, noon); fault != "" {
			b.Fatal(fault)
		}
	}
}

func BenchmarkBare(b *testing.B) {
	a := newParty(SideA)
	d := sha256.Sum256([]byte("x"))
	sig := must(a.pass.priv.Sign(nil, d[:], crypto.SHA256))
	pub := a.pass.Public()
	b.ReportAllocs()
	for b.Loop() {
		if !ecdsa.VerifyASN1(pub, d[:], sig) {
			b.Fatal()
		}
	}
}
