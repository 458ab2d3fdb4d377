// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build !js

package pass

import (
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/pem"
	"errors"

	"darwaza.dev/internal/problem"
)

// Files of keys are read and written by servers and tools alone: a browser has none, and
// need not carry what reads X.509.

// pemKey is the type of PEM block that PKCS #8 goes by (RFC 7468 section 10).
const pemKey = "PRIVATE KEY"

// PEM returns the key as PKCS #8 in PEM, which other tools read as well. The side is
// not in it: whoever keeps the file knows whose it is.
func (k *Key) PEM() ([]byte, error) {
	b, err := x509.MarshalPKCS8PrivateKey(k.priv)
	if err != nil {
		return nil, problem.Wrap(problem.Internal, "key.encode", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: pemKey, Bytes: b}), nil
}

var errPEM = errors.New("pass: want one PKCS #8 private key on P-256 in PEM")

// ParseKey reads what PEM writes.
func ParseKey(side Side, text []byte) (*Key, error) {
	block, _ := pem.Decode(text)
	if block == nil || block.Type != pemKey {
		return nil, problem.Wrap(problem.Invalid, "key.pem", errPEM)
	}
	v, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, problem.Wrap(problem.Invalid, "key.pem", errPEM) // err may quote the secret
	}
	priv, ok := v.(*ecdsa.PrivateKey)
	if !ok {
		return nil, problem.Wrap(problem.Invalid, "key.pem", errPEM)
	}
	return NewKey(side, priv)
}
