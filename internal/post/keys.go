// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package post

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/pass"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/record"
)

// Files of the keys' folder. Certificates are public and lie in a folder of their own,
// one file each: certificates/A-pass-0123456789abcdef.cert.
const (
	rootFile         = "root.pem"    // certifies the keys below and signs editions; may be kept elsewhere
	secretFile       = "secret.pem"  // X25519, for the secrets that both sides share
	logFile          = "log.key"     // signs the record's heads
	sessionFile      = "session.key" // sessions and links
	certificatesPath = "certificates"
	maxKeyFile       = 64 << 10
)

// keyLife is how long a key of daily use is certified for; a key is replaced when half
// of it is over, so that passes sold for weeks ahead are signed by a key that outlives them.
const keyLife = 400 * 24 * time.Hour

// uses are the keys of daily use, each in the file of its name with .pem.
func uses() []pass.Use { return []pass.Use{pass.UsePass, pass.UseReceipt, pass.UseExchange} }

// Keys are one side's private keys. Root is nil where it is kept elsewhere.
type Keys struct {
	Side     agreement.Side
	Root     *ecdsa.PrivateKey
	Pass     *pass.Key
	Receipt  *pass.Key
	Exchange *pass.Key
	Secret   *ecdh.PrivateKey
	Log      *record.Signer
	Cosigner *record.Signer // cosigns the other side's log; derived from the key of this one
	Session  []byte
	// Certificates are what roots have said, of both sides as far as they are here.
	Certificates [][]byte

	dir string
}

// passSide turns the agreement's name of a side into that of passes.
func passSide(s agreement.Side) pass.Side {
	if s == agreement.B {
		return pass.SideB
	}
	return pass.SideA
}

// MakeKeys makes a side's keys in a new folder. origin names the side's log, such as
// "darwaza.dev/pk-ir-border-markets/A".
func MakeKeys(dir string, side agreement.Side, origin string, now time.Time) (*Keys, error) {
	if err := os.Mkdir(dir, 0o700); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return nil, problem.Newf(problem.Conflict, "keys.exist", "%s exists already; keys are never written over", dir)
		}
		return nil, problem.Wrap(problem.Internal, "keys.make", err)
	}
	if err := os.Mkdir(filepath.Join(dir, certificatesPath), 0o755); err != nil {
		return nil, problem.Wrap(problem.Internal, "keys.make", err)
	}
	root, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, problem.Wrap(problem.Internal, "keys.make", err)
	}
	secret, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		return nil, problem.Wrap(problem.Internal, "keys.make", err)
	}
	for name, key := range map[string]any{rootFile: root, secretFile: secret} {
		if err := writePKCS8(filepath.Join(dir, name), key); err != nil {
			return nil, err
		}
	}
	log, err := record.GenerateSigner(origin, rand.Reader)
	if err != nil {
		return nil, err
	}
	if err := writePrivate(filepath.Join(dir, logFile), []byte(log.Secret()+"\n")); err != nil {
		return nil, err
	}
	session := make([]byte, 32)
	if _, err := rand.Read(session); err != nil {
		return nil, problem.Wrap(problem.Internal, "keys.make", err)
	}
	if err := writePrivate(filepath.Join(dir, sessionFile), []byte(hex.EncodeToString(session)+"\n")); err != nil {
		return nil, err
	}
	for _, use := range uses() {
		if err := newDailyKey(dir, side, root, use, now); err != nil {
			return nil, err
		}
	}
	return OpenKeys(dir, side)
}

// newDailyKey makes a key of daily use in the place of an older one, and its certificate
// beside the older one's, which passes still need.
func newDailyKey(dir string, side agreement.Side, root *ecdsa.PrivateKey, use pass.Use, now time.Time) error {
	rootKey, err := pass.NewKey(passSide(side), root)
	if err != nil {
		return err
	}
	key, err := pass.GenerateKey(passSide(side), rand.Reader)
	if err != nil {
		return err
	}
	from := now.Add(-time.Hour).Truncate(time.Second)
	cert, err := pass.Certify(rootKey, key.Public(), use, from, from.Add(keyLife))
	if err != nil {
		return err
	}
	// The certificate first: a key whose certificate is missing would sign passes that
	// nobody believes.
	if err := saveCertificate(dir, cert); err != nil {
		return err
	}
	text, err := key.PEM()
	if err != nil {
		return err
	}
	return writePrivate(filepath.Join(dir, use.String()+".pem"), text)
}

// saveCertificate keeps a certificate or a revocation under a name of its own.
func saveCertificate(dir string, cert []byte) error {
	name, err := certificateName(cert)
	if err != nil {
		return err
	}
	name = filepath.Join(dir, certificatesPath, name)
	if had, err := os.ReadFile(name); err == nil && bytes.Equal(had, cert) {
		return nil
	}
	return writePublic(name, cert)
}

func certificateName(cert []byte) (string, error) {
	c, err := pass.ParseCertificate(cert)
	if err != nil {
		return "", err
	}
	kind := c.Use.String()
	if !c.Revoked.IsZero() {
		kind = "revoked"
	}
	return fmt.Sprintf("%s-%s-%s.cert", c.Side, kind, c.Key), nil
}

// OpenKeys reads a side's keys. A file that others may read is a problem: a key that
// was readable once is a key that somebody may have.
func OpenKeys(dir string, side agreement.Side) (*Keys, error) {
	k := &Keys{Side: side, dir: dir}
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return nil, problem.Newf(problem.NotFound, "keys.folder", "there is no folder of keys %s; darwaza init makes one", dir)
	}
	text, err := readPrivate(dir, rootFile)
	switch {
	case err == nil:
		if k.Root, err = parsePKCS8[*ecdsa.PrivateKey](text, rootFile); err != nil {
			return nil, err
		}
	case problem.KindOf(err) != problem.NotFound:
		return nil, err
	}
	for _, use := range uses() {
		text, err := readPrivate(dir, use.String()+".pem")
		if err != nil {
			return nil, err
		}
		key, err := pass.ParseKey(passSide(side), text)
		if err != nil {
			return nil, problem.Newf(problem.Invalid, "keys.file", "%s cannot be read: %w", filepath.Join(dir, use.String()+".pem"), err)
		}
		switch use {
		case pass.UsePass:
			k.Pass = key
		case pass.UseReceipt:
			k.Receipt = key
		case pass.UseExchange:
			k.Exchange = key
		}
	}
	if text, err = readPrivate(dir, secretFile); err != nil {
		return nil, err
	}
	if k.Secret, err = parsePKCS8[*ecdh.PrivateKey](text, secretFile); err != nil {
		return nil, err
	}
	if text, err = readPrivate(dir, logFile); err != nil {
		return nil, err
	}
	if k.Log, err = record.NewSigner(string(text)); err != nil {
		return nil, problem.Newf(problem.Invalid, "keys.file", "%s holds no signing key of a log", filepath.Join(dir, logFile))
	}
	if k.Cosigner, err = cosigner(k.Log); err != nil {
		return nil, err
	}
	if text, err = readPrivate(dir, sessionFile); err != nil {
		return nil, err
	}
	if k.Session, err = hex.DecodeString(strings.TrimSpace(string(text))); err != nil || len(k.Session) != 32 {
		return nil, problem.Newf(problem.Invalid, "keys.file", "%s does not hold 32 bytes in hex", filepath.Join(dir, sessionFile))
	}
	return k, k.readCertificates()
}

// cosigner derives the key that cosigns from the one that signs the log: a key of its own,
// as tlog-cosignature asks, that nobody has to keep beside the other.
func cosigner(log *record.Signer) (*record.Signer, error) {
	seed, err := hkdf.Key(sha256.New, []byte(log.Secret()), nil, "darwaza.dev/cosigner/1", 32)
	if err != nil {
		return nil, problem.Wrap(problem.Internal, "keys.cosigner", err)
	}
	return record.GenerateCosigner(log.Name()+"/mirror", bytes.NewReader(seed))
}

func (k *Keys) readCertificates() error {
	names, err := filepath.Glob(filepath.Join(k.dir, certificatesPath, "*.cert"))
	if err != nil {
		return problem.Wrap(problem.Internal, "keys.certificates", err)
	}
	k.Certificates = nil
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			return problem.Wrap(problem.Internal, "keys.certificates", err)
		}
		if _, err := pass.ParseCertificate(b); err != nil {
			return problem.Newf(problem.Invalid, "keys.certificates", "%s is no certificate; take it away", name)
		}
		k.Certificates = append(k.Certificates, b)
	}
	return nil
}

// Public returns what goes into an edition.
func (k *Keys) Public() (agreement.Keys, error) {
	if k.Root == nil {
		return agreement.Keys{}, problem.Newf(problem.NotFound, "keys.root", "%s is not in %s", rootFile, k.dir)
	}
	root, err := pass.PublicBytes(&k.Root.PublicKey)
	if err != nil {
		return agreement.Keys{}, err
	}
	return agreement.Keys{Root: root, Exchange: k.Secret.PublicKey().Bytes(), Log: k.Log.Verifier(), Cosigner: k.Cosigner.Verifier()}, nil
}

// Handover returns the files, by their paths in a package, by which an edition knows
// this side: its public keys, and the certificates of its keys of daily use. With those
// in the edition the other side's gates believe its passes from the first day, also
// where the line between the sides was never up.
func (k *Keys) Handover() (map[string][]byte, error) {
	public, err := k.Public()
	if err != nil {
		return nil, err
	}
	name, data := agreement.KeysFile(k.Side, public)
	files := map[string][]byte{name: data}
	for _, cert := range k.Certificates {
		c, err := certificateName(cert)
		if err != nil {
			return nil, err
		}
		files[path.Dir(name)+"/"+c] = cert
	}
	return files, nil
}

// Renew replaces the keys of daily use that are past half of their time, as far as the
// root is at hand, and says which.
func (k *Keys) Renew(now time.Time) (renewed []pass.Use, err error) {
	if k.Root == nil {
		return nil, nil
	}
	for i, key := range []*pass.Key{k.Pass, k.Receipt, k.Exchange} {
		if k.ends(key.ID()).Sub(now) > keyLife/2 {
			continue
		}
		if err := newDailyKey(k.dir, k.Side, k.Root, uses()[i], now); err != nil {
			return renewed, err
		}
		renewed = append(renewed, uses()[i])
	}
	if len(renewed) == 0 {
		return nil, nil
	}
	fresh, err := OpenKeys(k.dir, k.Side)
	if err != nil {
		return renewed, err
	}
	k.Pass, k.Receipt, k.Exchange, k.Certificates = fresh.Pass, fresh.Receipt, fresh.Exchange, fresh.Certificates
	return renewed, nil
}

// left returns how long the first of the keys of daily use is still certified.
func (k *Keys) left(now time.Time) time.Duration {
	left := keyLife
	for _, key := range []*pass.Key{k.Pass, k.Receipt, k.Exchange} {
		left = min(left, k.ends(key.ID()).Sub(now))
	}
	return left
}

// ends returns when the certificate of a key ends, zero where there is none.
func (k *Keys) ends(id pass.KeyID) time.Time {
	var at time.Time
	for _, b := range k.Certificates {
		if c, err := pass.ParseCertificate(b); err == nil && c.Key == id && c.Until.After(at) {
			at = c.Until
		}
	}
	return at
}

func writePKCS8(name string, key any) error {
	b, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return problem.Wrap(problem.Internal, "keys.make", err)
	}
	return writePrivate(name, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: b}))
}

// parsePKCS8 reads a private key; no error quotes any of it.
func parsePKCS8[K any](text []byte, name string) (k K, err error) {
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "PRIVATE KEY" {
		return k, problem.Newf(problem.Invalid, "keys.file", "%s is no private key in PEM", name)
	}
	v, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return k, problem.Newf(problem.Invalid, "keys.file", "%s is no private key in PKCS #8", name)
	}
	k, ok := v.(K)
	if !ok {
		return k, problem.Newf(problem.Invalid, "keys.file", "%s holds another kind of key", name)
	}
	return k, nil
}

// readPrivate reads a file of the keys' folder that nobody else may read.
func readPrivate(dir, name string) ([]byte, error) {
	full := filepath.Join(dir, name)
	info, err := os.Stat(full)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, problem.Newf(problem.NotFound, "keys.file", "%s is missing; put it back from where keys are kept", full)
	case err != nil:
		return nil, problem.Wrap(problem.Internal, "keys.file", err)
	case info.Mode().Perm()&0o077 != 0:
		return nil, problem.Newf(problem.Untrusted, "keys.mode", "others may read %s (mode %04o): chmod 600 it, and make new keys if anybody may have read it", full, info.Mode().Perm())
	case info.Size() > maxKeyFile:
		return nil, problem.Newf(problem.Limit, "keys.file", "%s is too large for a key", full)
	}
	b, err := os.ReadFile(full)
	return b, problem.Wrap(problem.Internal, "keys.file", err)
}
