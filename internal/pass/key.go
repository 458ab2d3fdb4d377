// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package pass

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"

	"darwaza.dev/internal/cose"
	"darwaza.dev/internal/problem"
)

// KeyID names a signing key: the first 8 bytes of the SHA-256 of its uncompressed
// public point (SEC 1 section 2.3.3).
type KeyID [8]byte

// String returns the id as 16 hexadecimal digits.
func (id KeyID) String() string { return hex.EncodeToString(id[:]) }

// MarshalText writes the 16 digits.
func (id KeyID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// IDOf returns the id of a public key, which must be on P-256.
func IDOf(pub *ecdsa.PublicKey) (KeyID, error) {
	b, err := PublicBytes(pub)
	if err != nil {
		return KeyID{}, err
	}
	d := sha256.Sum256(b)
	return KeyID(d[:8]), nil
}

// PublicBytes returns the uncompressed point of a key on P-256: the 65 bytes that an
// edition holds for a side's root.
func PublicBytes(pub *ecdsa.PublicKey) ([]byte, error) {
	if pub == nil || pub.Curve != elliptic.P256() {
		return nil, problem.New(problem.Invalid, "key.curve")
	}
	b, err := pub.Bytes()
	return b, problem.Wrap(problem.Invalid, "key.point", err)
}

// ParsePublicKey reads a point of P-256, compressed (33 bytes) or not (65 bytes).
func ParsePublicKey(b []byte) (*ecdsa.PublicKey, error) {
	if len(b) == 33 {
		x, y := elliptic.UnmarshalCompressed(elliptic.P256(), b)
		if x == nil {
			return nil, problem.New(problem.Invalid, "key.point")
		}
		b = make([]byte, 65)
		b[0] = 4
		x.FillBytes(b[1:33])
		y.FillBytes(b[33:])
	}
	pub, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), b)
	if err != nil {
		return nil, problem.Wrap(problem.Invalid, "key.point", err)
	}
	return pub, nil
}

// Key is a signing key of one side: its root, or one that its root certifies. It
// prints as its id and never as its secret.
type Key struct {
	side Side
	id   KeyID
	priv *ecdsa.PrivateKey
}

// NewKey makes a Key of a private key on P-256.
func NewKey(side Side, priv *ecdsa.PrivateKey) (*Key, error) {
	if !side.Valid() {
		return nil, errSide
	}
	if priv == nil {
		return nil, problem.New(problem.Invalid, "key.missing")
	}
	id, err := IDOf(&priv.PublicKey)
	if err != nil {
		return nil, err
	}
	return &Key{side: side, id: id, priv: priv}, nil
}

// GenerateKey makes a new key from rand, by trying 32 bytes at a time until they are
// a number below the order of the group (FIPS 186-5 appendix A.2.2). The same bytes
// give the same key.
func GenerateKey(side Side, rand io.Reader) (*Key, error) {
	var b [32]byte
	// Each try fails with a chance of 2⁻³², unless rand is no source of chance at all.
	for range 8 {
		if _, err := io.ReadFull(rand, b[:]); err != nil {
			return nil, problem.Wrap(problem.Internal, "key.generate", err)
		}
		if priv, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), b[:]); err == nil {
			return NewKey(side, priv)
		}
	}
	return nil, problem.New(problem.Internal, "key.generate")
}

// Side returns whose key it is.
func (k *Key) Side() Side { return k.side }

// ID returns the key's id.
func (k *Key) ID() KeyID { return k.id }

// Public returns the public key.
func (k *Key) Public() *ecdsa.PublicKey { return &k.priv.PublicKey }

// String returns the side and the id.
func (k *Key) String() string { return "key " + k.side.String() + " " + k.id.String() }

// Format writes String for every verb, so that no way of printing shows the secret.
func (k *Key) Format(f fmt.State, _ rune) { io.WriteString(f, k.String()) }

// sign returns a COSE_Sign1 by the key, whose id stands under the signature.
func (k *Key) sign(payload, external []byte) ([]byte, error) {
	id := k.id
	msg, err := cose.Sign1(k.priv, cose.Header{Alg: cose.ES256, KeyID: id[:]}, payload, external)
	return msg, problem.Wrap(problem.Internal, "key.sign", err)
}

// SignMessage signs a message between the servers, at most some 60 kB, as a
// COSE_Sign1. external says what the message is for and is not sent (RFC 9052
// section 4.3): a message that is read for another purpose does not verify.
func SignMessage(key *Key, payload, external []byte) ([]byte, error) {
	if len(payload) > cose.MaxSize-512 {
		return nil, problem.New(problem.Limit, "message.size")
	}
	return key.sign(payload, external)
}
