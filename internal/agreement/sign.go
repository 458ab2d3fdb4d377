// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package agreement

import (
	"crypto/ecdsa"
	"errors"
	"io/fs"
)

// The faults of a package's signatures.
var (
	ErrUnsigned  = errors.New("agreement: a side has not signed")
	ErrNoKey     = errors.New("agreement: a side has no root key in the package")
	ErrWrongKey  = errors.New("agreement: not the root key that the package names for the side")
	ErrSignature = errors.New("agreement: a signature does not verify")
)

// Bytes returns what both sides sign: the sorted list of path, length and SHA-256
// of each file as stored, signatures left out.
func (e *Edition) Bytes() []byte { return nil }

// Sign signs the edition with a side's root key. It returns the path of the file
// that carries the signature, "signatures/A.sig" or "signatures/B.sig", and its bytes.
func Sign(e *Edition, side Side, root *ecdsa.PrivateKey) (path string, sig []byte, err error) {
	return "", nil, ErrNoKey
}

// Verify checks the signatures of both sides against the root keys in the package.
func Verify(e *Edition) error { return ErrUnsigned }

// VerifySide checks the signature of one side.
func VerifySide(e *Edition, side Side) error { return ErrUnsigned }

// Adoptable returns what the edition still lacks before the two sides can adopt it:
// keys, signatures, texts. It is empty for an edition that is ready.
func (e *Edition) Adoptable() Faults { return Faults{{File: "signatures", What: "not signed"}} }

// KeysFile returns the file that carries a side's public keys in a package,
// "keys/A.yaml" or "keys/B.yaml", and its bytes.
func KeysFile(side Side, k Keys) (path string, data []byte) { return "", nil }

// Overlay returns the folder with the files laid over it: where a path is in both,
// the bytes of files stand. It is how keys and signatures join a package that lies
// in the binary.
func Overlay(fsys fs.FS, files map[string][]byte) fs.FS { return fsys }
