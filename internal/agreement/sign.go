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
	"maps"
	"slices"
	"strings"
	"time"

	"darwaza.dev/internal/cose"
	"darwaza.dev/internal/pass"
)

// The faults of a package's signatures.
var (
	ErrUnsigned  = errors.New("agreement: a side has not signed")
	ErrNoKey     = errors.New("agreement: a side has no root key in the package")
	ErrWrongKey  = errors.New("agreement: not a key that the package names for the side")
	ErrSignature = errors.New("agreement: a signature does not verify")
	ErrOnePerson = errors.New("agreement: one person of a side has signed, and two are needed")
)

// PersonsNeeded is how many different people of each side sign an edition.
const PersonsNeeded = 2

// maxSignatures is how many people of one side can sign.
const maxSignatures = 9

// RootPerson is who is said to have signed with the root key itself.
const RootPerson = "root"

// purpose keeps a signature on an edition apart from all else that the root key signs.
func purpose() []byte { return []byte("darwaza agreement edition 1") }

// signerPurpose is the same for the key of a person.
func signerPurpose() []byte { return []byte("darwaza agreement edition signer 1") }

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
// bytes: a COSE_Sign1 over the hash. It counts as the signature of one person.
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

// SignAs signs the edition for a side by the key of a person whom the side's root has
// certified in the package. It returns the path of the file that carries the signature,
// "signatures/A-1.sig" and up, and its bytes: a COSE_Sign1 with the external data
// "darwaza agreement edition signer 1" over
//
//	[
//	    hash : bstr .size 32     of the edition
//	    at   : uint              seconds since 1970: when, as the signer's machine says
//	]
//
// Whoever signs again takes the place of what they signed before.
func SignAs(e *Edition, side Side, key *ecdsa.PrivateKey, at time.Time) (path string, sig []byte, err error) {
	t, err := e.trust(side)
	if err != nil {
		return "", nil, err
	}
	if key == nil {
		return "", nil, fmt.Errorf("%w: %s", ErrWrongKey, side)
	}
	id, err := pass.IDOf(&key.PublicKey)
	if err != nil {
		return "", nil, err
	}
	c, ok := t.signer(side, id)
	if !ok {
		return "", nil, fmt.Errorf("%w: key %s has no certificate of a signer for side %s", ErrWrongKey, id, side)
	}
	if err := inTime(c, at); err != nil {
		return "", nil, err
	}
	b := cose.AppendBytes(cose.AppendArray(nil, 2), e.Hash[:])
	if at.Unix() < 0 {
		return "", nil, fmt.Errorf("%w: signed before 1970", ErrSignature)
	}
	b = cose.AppendUint(b, uint64(at.Unix()))
	sig, err = cose.Sign1(key, cose.Header{Alg: cose.ES256, KeyID: id[:]}, b, signerPurpose())
	if err != nil {
		return "", nil, err
	}
	free := ""
	held := map[string]Signatory{}
	for _, s := range e.Signatories(side) {
		held[s.File] = s
	}
	for n := 1; n <= maxSignatures; n++ {
		file := fmt.Sprintf("signatures/%s-%d.sig", side, n)
		s, taken := held[file]
		if taken && s.Person == c.Person {
			return file, sig, nil
		}
		if (!taken || s.Fault != nil) && free == "" {
			free = file
		}
	}
	if free == "" {
		return "", nil, fmt.Errorf("%w: %d people of side %s have signed already", ErrSignature, maxSignatures, side)
	}
	return free, sig, nil
}

// Signatory is one signature of a side, and who stands behind it.
type Signatory struct {
	File   string // path in the package
	Person string // RootPerson for the root key; empty where no certificate names the key
	Key    pass.KeyID
	// At is when it was signed, as the signer's machine says; zero for the root key.
	At time.Time
	// From and Until are between what the person's certificate holds, zero for the root key.
	From, Until time.Time
	// Fault is why it does not hold, nil where it does; it wraps ErrSignature.
	Fault error
}

// Signatories returns the signatures of a side that lie in the package, each with
// whether it holds: the root's first, then in the order of their files.
func (e *Edition) Signatories(side Side) []Signatory {
	var out []Signatory
	t, err := e.trust(side)
	if sig, ok := e.Signatures[side]; ok {
		s := Signatory{File: "signatures/" + string(side) + ".sig", Person: RootPerson, Fault: err}
		if err == nil {
			s.Key = pass.KeyID(keyID(e.Parties[side].Keys.Root))
			s.Fault = e.verifyRoot(side, sig)
		}
		out = append(out, s)
	}
	for _, name := range slices.Sorted(maps.Keys(e.Signers)) {
		if !strings.HasPrefix(name, string(side)+"-") {
			continue
		}
		s := Signatory{File: "signatures/" + name + ".sig", Fault: err}
		if err == nil {
			e.verifySigner(t, side, e.Signers[name], &s)
		}
		out = append(out, s)
	}
	return out
}

func (e *Edition) verifyRoot(side Side, sig []byte) error {
	m, err := cose.Parse(sig)
	if err != nil {
		return fmt.Errorf("%w: %s: %w", ErrSignature, side, err)
	}
	if !bytes.Equal(m.Payload, e.Hash[:]) {
		return fmt.Errorf("%w: %s signed other bytes than these", ErrSignature, side)
	}
	if err := m.VerifyExternal(e.RootKey(side), purpose()); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrSignature, side, err)
	}
	return nil
}

// verifySigner fills in what a person's signature says and whether it holds.
func (e *Edition) verifySigner(t trust, side Side, sig []byte, s *Signatory) {
	m, err := cose.Parse(sig)
	if err != nil || len(m.KeyID) != len(s.Key) {
		s.Fault = fmt.Errorf("%w: %s cannot be read", ErrSignature, s.File)
		return
	}
	s.Key = pass.KeyID(m.KeyID)
	c, ok := t.signer(side, s.Key)
	if !ok {
		s.Fault = fmt.Errorf("%w: %s is by key %s, which has no certificate of a signer for side %s", ErrSignature, s.File, s.Key, side)
		return
	}
	s.Person, s.From, s.Until = c.Person, c.From, c.Until
	var hash Hash
	r := cose.NewStrictReader(m.Payload)
	n := r.Array()
	r.BytesN(hash[:])
	at := r.UintMax(1<<32 - 1)
	if n != 2 || !r.Done() {
		s.Fault = fmt.Errorf("%w: %s cannot be read", ErrSignature, s.File)
		return
	}
	s.At = time.Unix(int64(at), 0).UTC()
	if hash != e.Hash {
		s.Fault = fmt.Errorf("%w: %s of side %s signed other bytes than these", ErrSignature, s.Person, side)
		return
	}
	if err := m.VerifyExternal(c.Public, signerPurpose()); err != nil {
		s.Fault = fmt.Errorf("%w: %s of side %s: %w", ErrSignature, s.Person, side, err)
		return
	}
	s.Fault = inTime(c, s.At)
}

// inTime faults a signature at a time at which the person's certificate did not hold.
func inTime(c pass.Certificate, at time.Time) error {
	switch {
	case !c.Revoked.IsZero():
		return fmt.Errorf("%w: the key of %s was taken back", ErrSignature, c.Person)
	case at.Before(c.From) || !at.Before(c.Until):
		return fmt.Errorf("%w: the certificate of %s holds from %s until before %s, not on %s", ErrSignature, c.Person,
			c.From.Format(time.DateOnly), c.Until.Format(time.DateOnly), at.UTC().Format(time.DateOnly))
	}
	return nil
}

// trust is what one side's root says of the keys in the package.
type trust struct{ certs []pass.Certificate }

// trust returns what a side's root says of keys in the package. A certificate that its
// root did not sign says nothing.
func (e *Edition) trust(side Side) (trust, error) {
	root := e.RootKey(side)
	if root == nil {
		return trust{}, fmt.Errorf("%w: %s", ErrNoKey, side)
	}
	t, err := pass.NewTrust(map[pass.Side]*ecdsa.PublicKey{wire(side): root})
	if err != nil {
		return trust{}, fmt.Errorf("%w: %s: %w", ErrNoKey, side, err)
	}
	t, _ = t.With(e.Certificates...)
	return trust{t.Certificates()}, nil
}

// signer returns the certificate of a person's key.
func (t trust) signer(side Side, id pass.KeyID) (pass.Certificate, bool) {
	for _, c := range t.certs {
		if c.Key == id && c.Use == pass.UseSigner && c.Side == wire(side) {
			return c, true
		}
	}
	return pass.Certificate{}, false
}

func wire(s Side) pass.Side {
	if s == B {
		return pass.SideB
	}
	return pass.SideA
}

// Persons returns the different people of a side whose signatures hold, each with a
// key of their own, sorted.
func (e *Edition) Persons(side Side) []string {
	var out []string
	keys := map[pass.KeyID]bool{}
	for _, s := range e.Signatories(side) {
		if s.Fault == nil && !keys[s.Key] && !slices.Contains(out, s.Person) {
			out = append(out, s.Person)
			keys[s.Key] = true
		}
	}
	slices.Sort(out)
	return out
}

// Verify checks the signatures of both sides against the root keys in the package.
// That these are the right keys is for whoever adopts the edition to know: the keys
// come with the package.
func Verify(e *Edition) error {
	return errors.Join(VerifySide(e, A), VerifySide(e, B))
}

// VerifySide checks the signatures of one side: none that lies in the package fails,
// and two different people have signed.
func VerifySide(e *Edition, side Side) error {
	if e.RootKey(side) == nil {
		return fmt.Errorf("%w: %s", ErrNoKey, side)
	}
	var faults []error
	all := e.Signatories(side)
	for _, s := range all {
		faults = append(faults, s.Fault)
	}
	switch err := errors.Join(faults...); {
	case err != nil:
		return err
	case len(all) == 0:
		return fmt.Errorf("%w: %s", ErrUnsigned, side)
	case len(e.Persons(side)) < PersonsNeeded:
		return fmt.Errorf("%w: %s", ErrOnePerson, side)
	}
	return nil
}

// Adoptable returns what the edition still lacks before the two sides can adopt it:
// keys, and signatures of two people of each side that verify. It is empty for an
// edition that is ready.
func (e *Edition) Adoptable() Faults {
	var fs Faults
	for _, s := range [...]Side{A, B} {
		k := e.Parties[s].Keys
		if k.Root == nil || k.Exchange == nil || k.Log == "" {
			fs = append(fs, Fault{File: "keys/" + string(s) + ".yaml", What: "a public key of side " + string(s) + " is missing", Mend: "let side " + string(s) + " write its keys with darwaza agreement keys"})
		}
		if err := VerifySide(e, s); err != nil {
			mend := "let two people of side " + string(s) + " sign with darwaza agreement sign"
			if errors.Is(err, ErrOnePerson) {
				mend = "let a second person of side " + string(s) + " sign with darwaza agreement sign"
			}
			fs = append(fs, Fault{File: "signatures/" + string(s) + ".sig", What: err.Error(), Mend: mend})
		}
	}
	return fs
}

// KeysFile returns the file that carries a side's public keys in a package,
// "keys/A.yaml" or "keys/B.yaml", and its bytes.
func KeysFile(side Side, k Keys) (path string, data []byte) {
	b64 := base64.StdEncoding.EncodeToString
	return "keys/" + string(side) + ".yaml",
		fmt.Appendf(nil, "root: %q\nexchange: %q\nlog: %q\ncosigner: %q\n", b64(k.Root), b64(k.Exchange), k.Log, k.Cosigner)
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
