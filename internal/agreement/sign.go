// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package agreement

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"

	"darwaza.dev/internal/cose"
)

// The faults of a package's signatures.
var (
	ErrUnsigned  = errors.New("agreement: a side has not signed")
	ErrNoKey     = errors.New("agreement: a side has no root key in the package")
	ErrWrongKey  = errors.New("agreement: not the root key that the package names for the side")
	ErrSignature = errors.New("agreement: a signature does not verify")
)

// purpose keeps a signature on an edition apart from all else that the root key signs.
func purpose() []byte { return []byte("darwaza agreement edition 1") }

// Bytes returns what both sides sign: a line that names the form, then one line for
// each file as stored, sorted by path, signatures left out.
//
//	darwaza-agreement/1
//	agreement.yaml 5120 9f86d081884c7d65…   path, length in bytes, SHA-256 in hex
func (e *Edition) Bytes() []byte {
	var b bytes.Buffer
	b.WriteString("darwaza-agreement/1\n")
	for _, f := range e.Files {
		fmt.Fprintf(&b, "%s %d %x\n", f.Path, f.Size, f.SHA256)
	}
	return b.Bytes()
}

// Sign signs the edition with a side's root key. It returns the path of the file
// that carries the signature, "signatures/A.sig" or "signatures/B.sig", and its
// bytes: a COSE_Sign1 over the hash.
func Sign(e *Edition, side Side, root *ecdsa.PrivateKey) (path string, sig []byte, err error) {
	key := parseRoot(e.Parties[side].Keys.Root)
	if key == nil {
		return "", nil, fmt.Errorf("%w: %s", ErrNoKey, side)
	}
	if root == nil || !root.PublicKey.Equal(key) {
		return "", nil, fmt.Errorf("%w: %s", ErrWrongKey, side)
	}
	sig, err = cose.Sign1(root, cose.Header{Alg: cose.ES256, KeyID: keyID(e.Parties[side].Keys.Root)}, e.Hash[:], purpose())
	return "signatures/" + string(side) + ".sig", sig, err
}

// Verify checks the signatures of both sides against the root keys in the package.
// That these are the right keys is for whoever adopts the edition to know: the keys
// come with the package.
func Verify(e *Edition) error {
	return errors.Join(VerifySide(e, A), VerifySide(e, B))
}

// VerifySide checks the signature of one side.
func VerifySide(e *Edition, side Side) error {
	key := parseRoot(e.Parties[side].Keys.Root)
	if key == nil {
		return fmt.Errorf("%w: %s", ErrNoKey, side)
	}
	sig, ok := e.Signatures[side]
	if !ok {
		return fmt.Errorf("%w: %s", ErrUnsigned, side)
	}
	m, err := cose.Parse(sig)
	if err != nil {
		return fmt.Errorf("%w: %s: %w", ErrSignature, side, err)
	}
	if !bytes.Equal(m.Payload, e.Hash[:]) {
		return fmt.Errorf("%w: %s signed other bytes than these", ErrSignature, side)
	}
	if err := m.VerifyExternal(key, purpose()); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrSignature, side, err)
	}
	return nil
}

// Adoptable returns what the edition still lacks before the two sides can adopt it:
// keys and signatures that verify. It is empty for an edition that is ready.
func (e *Edition) Adoptable() Faults {
	var fs Faults
	for _, s := range [...]Side{A, B} {
		k := e.Parties[s].Keys
		if k.Root == nil || k.Exchange == nil || k.Log == "" {
			fs = append(fs, Fault{File: "keys/" + string(s) + ".yaml", What: "a public key of side " + string(s) + " is missing", Mend: "let side " + string(s) + " write its keys with darwaza agreement keys"})
		}
		if err := VerifySide(e, s); err != nil {
			fs = append(fs, Fault{File: "signatures/" + string(s) + ".sig", What: err.Error(), Mend: "let side " + string(s) + " sign with darwaza agreement sign"})
		}
	}
	return fs
}

// KeysFile returns the file that carries a side's public keys in a package,
// "keys/A.yaml" or "keys/B.yaml", and its bytes.
func KeysFile(side Side, k Keys) (path string, data []byte) {
	b64 := base64.StdEncoding.EncodeToString
	return "keys/" + string(side) + ".yaml",
		fmt.Appendf(nil, "root: %q\nexchange: %q\nlog: %q\n", b64(k.Root), b64(k.Exchange), k.Log)
}

// RootKey returns the side's root key, and nil where the package has none.
func (e *Edition) RootKey(side Side) *ecdsa.PublicKey { return parseRoot(e.Parties[side].Keys.Root) }

func parseRoot(point []byte) *ecdsa.PublicKey {
	if len(point) != 65 {
		return nil
	}
	k, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
	if err != nil {
		return nil
	}
	return k
}

// keyID names a root key as package pass names keys: 8 bytes of the point's SHA-256.
func keyID(point []byte) []byte {
	h := sha256.Sum256(point)
	return h[:8]
}
