// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package post

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"io/fs"
	"os"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/pass"
	"darwaza.dev/internal/problem"
)

// SignerLife is for how long the key of a person who signs editions is certified where
// nobody says otherwise.
const SignerLife = 90 * 24 * time.Hour

// MakeSigner makes the key of a person in a new file that nobody else may read, and its
// public half in a file beside it, of the same name with ".pub".
func MakeSigner(file string) (*ecdsa.PublicKey, error) {
	for _, name := range []string{file, file + ".pub"} {
		if _, err := os.Lstat(name); err == nil {
			return nil, problem.Newf(problem.Conflict, "signer.exists", "%s exists already; keys are never written over", name)
		}
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, problem.Wrap(problem.Internal, "signer.make", err)
	}
	if err := writePKCS8(file, key); err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return nil, problem.Wrap(problem.Internal, "signer.make", err)
	}
	return &key.PublicKey, writePublic(file+".pub", pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

// ReadPublic reads the public half of a person's key.
func ReadPublic(file string) (*ecdsa.PublicKey, error) {
	b, err := readSmall(file)
	if err != nil {
		return nil, err
	}
	bad := problem.Newf(problem.Invalid, "signer.public", "%s is no public key on P-256 in PEM, as darwaza agreement signer makes it", file)
	block, _ := pem.Decode(b)
	if block == nil || block.Type != "PUBLIC KEY" {
		return nil, bad
	}
	k, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, bad
	}
	public, ok := k.(*ecdsa.PublicKey)
	if !ok || public.Curve != elliptic.P256() {
		return nil, bad
	}
	return public, nil
}

// ReadSigning reads a private key that signs editions: a root key or a person's.
func ReadSigning(file string) (*ecdsa.PrivateKey, error) {
	b, err := readSmall(file)
	if err != nil {
		return nil, err
	}
	k, err := parsePKCS8[*ecdsa.PrivateKey](b, file)
	if err == nil && k.Curve != elliptic.P256() {
		err = problem.Newf(problem.Invalid, "agreement.key", "%s is not a P-256 key", file)
	}
	return k, err
}

// readSmall reads a file of a key.
func readSmall(file string) ([]byte, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, problem.Newf(problem.NotFound, "signer.file", "%w", err)
	}
	if !info.Mode().IsRegular() || info.Size() > maxKeyFile {
		return nil, problem.Newf(problem.Invalid, "signer.file", "%s is no file of a key", file)
	}
	b, err := os.ReadFile(file)
	return b, problem.Wrap(problem.Internal, "signer.file", err)
}

// CertifySigner returns a root's certificate for the key of a person who signs editions,
// and the path under which it lies in a package. Times are to the second.
func CertifySigner(root *ecdsa.PrivateKey, side agreement.Side, public *ecdsa.PublicKey, person string, from, until time.Time) (path string, cert []byte, err error) {
	key, err := pass.NewKey(passSide(side), root)
	if err != nil {
		return "", nil, err
	}
	if !pass.ValidPerson(person) {
		return "", nil, problem.Newf(problem.Invalid, "signer.person", "%q cannot stand for a person: use small Latin letters, digits and dashes, at most 40, and not \"root\"", person)
	}
	cert, err = pass.CertifySigner(key, public, person, from.UTC().Truncate(time.Second), until.UTC().Truncate(time.Second))
	return "keys/" + string(side) + "-signer-" + person + ".cert", cert, err
}

// TwoPeople signs an edition for a side as two people would, with keys made on the spot
// and forgotten: for demonstrations and measurements, where nobody is there to sign. The
// first call, with no edition, returns the certificates that the package needs; sign then
// returns the signatures on the edition that holds them.
func TwoPeople(root *ecdsa.PrivateKey, side agreement.Side, now time.Time) (certs map[string][]byte, sign func(e *agreement.Edition) (map[string][]byte, error), err error) {
	certs = map[string][]byte{}
	var keys []*ecdsa.PrivateKey
	for _, person := range []string{"first", "second"} {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return nil, nil, problem.Wrap(problem.Internal, "signer.make", err)
		}
		path, cert, err := CertifySigner(root, side, &key.PublicKey, person, now.Add(-time.Hour), now.Add(SignerLife))
		if err != nil {
			return nil, nil, err
		}
		certs[path] = cert
		keys = append(keys, key)
	}
	return certs, func(e *agreement.Edition) (map[string][]byte, error) {
		signed := map[string][]byte{}
		e2 := *e
		e2.Signers = map[string][]byte{}
		for n, key := range keys {
			path, sig, err := agreement.SignAs(&e2, side, key, now)
			if err != nil {
				return nil, problem.Wrap(problem.Internal, "signer.sign", err)
			}
			signed[path] = sig
			e2.Signers[string(side)+"-"+string(rune('1'+n))] = sig
		}
		return signed, nil
	}, nil
}

// OpenPackage opens an agreement package for reading: a folder, or a bundle, which is
// one file. What is in it is untrusted. There being none is a problem of kind not found.
func OpenPackage(path string) (fs.FS, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, problem.Newf(problem.NotFound, "agreement.folder", "there is no folder or bundle %s", path)
	case info.IsDir():
		return os.DirFS(path), nil
	case !info.Mode().IsRegular():
		return nil, problem.Newf(problem.Invalid, "agreement.bundle", "%s is neither a folder nor a file", path)
	case info.Size() > agreement.MaxBundle:
		return nil, problem.Newf(problem.Limit, "agreement.bundle", "%s is larger than %d bytes, the most that a bundle can be", path, agreement.MaxBundle)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, problem.Wrap(problem.Internal, "agreement.bundle", err)
	}
	fsys, err := agreement.OpenBundle(b)
	if err != nil {
		return nil, problem.Newf(problem.Invalid, "agreement.bundle", "%s: %w", path, err)
	}
	return fsys, nil
}
