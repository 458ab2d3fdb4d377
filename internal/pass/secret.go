// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package pass

import (
	"bytes"
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"

	"darwaza.dev/internal/problem"
)

// Secrets are the keys that both sides derive from their exchange keys and share
// with nobody: what they make of a document can be made again by either side, and by
// nobody else. The documents of a country can be counted through, so either side can
// tell whose a binding or a tag is; whoever photographs a pass cannot.
//
//	prk      = HKDF-Extract(salt: SHA-256(lesser ‖ greater public key), X25519 secret)
//	key      = HKDF-Expand(prk, "darwaza.dev/" label "/1" 00 agreement id, 32)
//	binding  = HMAC-SHA256(key "binding", pass id ‖ document)              first 16 bytes
//	tag      = HMAC-SHA256(HMAC-SHA256(key "day-tag", day), document)      first 16 bytes
//	register = HMAC-SHA256(key "register", document)                       first 16 bytes
//
// The zero value holds no keys, and using it panics.
type Secrets struct {
	ok                     bool
	binding, day, register [32]byte
}

// DeriveSecrets derives the keys of an agreement from one side's private X25519 key
// and the other's public one, 32 bytes. Both sides get the same.
func DeriveSecrets(priv *ecdh.PrivateKey, other []byte, agreementID string) (Secrets, error) {
	if priv == nil || priv.Curve() != ecdh.X25519() {
		return Secrets{}, problem.New(problem.Invalid, "key.exchange")
	}
	if agreementID == "" {
		return Secrets{}, problem.New(problem.Invalid, "agreement.id")
	}
	pub, err := ecdh.X25519().NewPublicKey(other)
	if err != nil {
		return Secrets{}, problem.New(problem.Invalid, "key.exchange")
	}
	shared, err := priv.ECDH(pub) // refuses points of small order
	if err != nil {
		return Secrets{}, problem.New(problem.Untrusted, "key.exchange")
	}
	a, b := priv.PublicKey().Bytes(), pub.Bytes()
	switch bytes.Compare(a, b) {
	case 0:
		return Secrets{}, problem.New(problem.Untrusted, "key.exchange") // one's own key sent back
	case 1:
		a, b = b, a
	}
	salt := sha256.Sum256(append(append(make([]byte, 0, 64), a...), b...))
	s := Secrets{ok: true}
	for _, k := range []struct {
		to    *[32]byte
		label string
	}{{&s.binding, "binding"}, {&s.day, "day-tag"}, {&s.register, "register"}} {
		key, err := hkdf.Key(sha256.New, shared, salt[:], "darwaza.dev/"+k.label+"/1\x00"+agreementID, len(k.to))
		if err != nil {
			return Secrets{}, problem.Wrap(problem.Internal, "key.derive", err)
		}
		copy(k.to[:], key)
	}
	return s, nil
}

// Bind returns what a pass carries of its holder's document: a gate that reads the
// document can tell whether the two belong together, with no network.
func (s Secrets) Bind(id ID, documentKey string) [16]byte {
	return s.mac(s.binding, append(id[:], documentKey...))
}

// Tag returns the joint tag of a document for a day, numbered from 2000-01-01: the
// same at either side, and another one on any other day.
func (s Secrets) Tag(day uint16, documentKey string) [16]byte {
	h := hmac.New(sha256.New, s.day[:])
	h.Write(binary.BigEndian.AppendUint16(nil, day))
	return s.mac([32]byte(h.Sum(nil)), []byte(documentKey))
}

// Register returns the joint tag of a document for the vendors' register, which
// outlives a day.
func (s Secrets) Register(documentKey string) [16]byte {
	return s.mac(s.register, []byte(documentKey))
}

func (s Secrets) mac(key [32]byte, msg []byte) [16]byte {
	if !s.ok {
		panic("pass: Secrets that were never derived")
	}
	h := hmac.New(sha256.New, key[:])
	h.Write(msg)
	return [16]byte(h.Sum(nil)[:16])
}

// String returns "[redacted]".
func (s Secrets) String() string { return "[redacted]" }

// Format writes "[redacted]" for every verb.
func (s Secrets) Format(f fmt.State, _ rune) { io.WriteString(f, "[redacted]") }
