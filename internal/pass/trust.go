// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package pass

import (
	"bytes"
	"crypto/ecdsa"
	"maps"
	"slices"
	"time"

	"darwaza.dev/internal/cose"
	"darwaza.dev/internal/problem"
)

// Use is what a key is certified for. A key has one use, so that a signature made
// for one purpose is worth nothing for another.
type Use uint8

// The uses of a key.
const (
	UsePass     Use = iota + 1 // signs passes
	UseReceipt                 // signs receipts of the goods desk
	UseExchange                // signs messages between the servers
	UseOfficer                 // signs acts of one officer's device
	UseSigner                  // signs editions, for a named person of the side
)

var uses = [...]string{"", "pass", "receipt", "exchange", "officer", "signer"}

// Valid reports whether u is one of the uses.
func (u Use) Valid() bool { return u > 0 && int(u) < len(uses) }

// String returns the use's word, and "?" for anything else.
func (u Use) String() string {
	if !u.Valid() {
		return "?"
	}
	return uses[u]
}

// Certificate is what a side's root says of one of its keys: a CBOR Web Token in a
// COSE_Sign1 by the root, in core deterministic encoding, with the external data
// "darwaza.dev/certificate/1".
//
//	{
//	    4      : uint            exp, seconds since 1970
//	    5      : uint            nbf
//	    -65538 : [
//	        side  : uint              1 = A, 2 = B
//	        use   : uint              1 pass, 2 receipt, 3 exchange, 4 officer, 5 signer
//	        key   : bstr .size 8      id
//	        point : bstr .size 33     compressed point on P-256 (SEC 1 section 2.3.3)
//	      ? person : tstr             of a signer, and of nothing else
//	    ]
//	}
//
// A revocation is the same with nbf alone, the instant it was made, and the key of
// the claim -65539 over [side, key]. It holds for ever, whatever certificates say.
type Certificate struct {
	Side   Side
	Use    Use
	Key    KeyID
	Public *ecdsa.PublicKey
	Person string // whose key it is, where the use is UseSigner
	From   time.Time
	Until  time.Time // first second at which the key is no longer good
	Root   KeyID     // who certified
	// Revoked is when the side took the key back, zero where it did not.
	Revoked time.Time
}

const (
	claimCertificate = -65538
	claimRevocation  = -65539
)

// The longest certificate is some 170 bytes.
const maxCertificate = 512

func externalCertificate() []byte { return []byte("darwaza.dev/certificate/1") }

// Certify returns a certificate by a side's root for one of its keys, good from one
// second until, and without, another.
func Certify(root *Key, subject *ecdsa.PublicKey, use Use, from, until time.Time) ([]byte, error) {
	if use == UseSigner {
		return nil, problem.Field("use", "certificate.use") // a person has a name: see CertifySigner
	}
	return certify(root, subject, use, "", from, until)
}

// CertifySigner returns a certificate by a side's root for the key with which a person
// signs editions for the side. The name of the person is as ValidPerson has it.
func CertifySigner(root *Key, subject *ecdsa.PublicKey, person string, from, until time.Time) ([]byte, error) {
	if !ValidPerson(person) {
		return nil, problem.Field("person", "certificate.person")
	}
	return certify(root, subject, UseSigner, person, from, until)
}

// ValidPerson reports whether a name can stand for a person in a certificate: 1 to 40
// small Latin letters, digits and single dashes between them, as in a login. "root" is
// kept for the root key itself.
func ValidPerson(s string) bool {
	if s == "" || s == "root" || len(s) > 40 || s[0] == '-' || s[len(s)-1] == '-' {
		return false
	}
	for i := 0; i < len(s); i++ {
		if c := s[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && (c != '-' || s[i-1] == '-') {
			return false
		}
	}
	return true
}

func certify(root *Key, subject *ecdsa.PublicKey, use Use, person string, from, until time.Time) ([]byte, error) {
	id, err := IDOf(subject)
	if err != nil {
		return nil, err
	}
	if id == root.id {
		return nil, problem.Field("key", "certificate.self")
	}
	if !use.Valid() {
		return nil, problem.Field("use", "certificate.use")
	}
	nbf, ok1 := seconds(from)
	exp, ok2 := seconds(until)
	if !ok1 || !ok2 || nbf >= exp {
		return nil, problem.Field("times", "certificate.times")
	}
	point, err := compress(subject)
	if err != nil {
		return nil, err
	}
	b := cose.AppendMap(nil, 3)
	b = cose.AppendUint(append(b, 4), exp)
	b = cose.AppendUint(append(b, 5), nbf)
	fields := 4
	if use == UseSigner {
		fields = 5
	}
	b = cose.AppendArray(cose.AppendInt(b, claimCertificate), fields)
	b = cose.AppendUint(b, root.side.wire())
	b = cose.AppendUint(b, uint64(use))
	b = cose.AppendBytes(b, id[:])
	b = cose.AppendBytes(b, point)
	if use == UseSigner {
		b = cose.AppendText(b, person)
	}
	return root.sign(b, externalCertificate())
}

// Revoke returns a revocation by a side's root of one of its keys. It travels where
// certificates do.
func Revoke(root *Key, id KeyID, at time.Time) ([]byte, error) {
	nbf, ok := seconds(at)
	if !ok {
		return nil, problem.Field("times", "certificate.times")
	}
	if id == root.id {
		return nil, problem.Field("key", "certificate.self")
	}
	b := cose.AppendMap(nil, 2)
	b = cose.AppendUint(append(b, 5), nbf)
	b = cose.AppendArray(cose.AppendInt(b, claimRevocation), 2)
	b = cose.AppendUint(b, root.side.wire())
	b = cose.AppendBytes(b, id[:])
	return root.sign(b, externalCertificate())
}

func compress(pub *ecdsa.PublicKey) ([]byte, error) {
	b, err := PublicBytes(pub)
	if err != nil {
		return nil, err
	}
	return append([]byte{2 | b[64]&1}, b[1:33]...), nil
}

// decode reads exactly the form that Certify and Revoke write.
func (c *Certificate) decode(b []byte) bool {
	r := cose.NewStrictReader(b)
	n := r.Map()
	if n == 3 {
		if r.Uint() != 4 {
			return false
		}
		c.Until = time.Unix(int64(r.UintMax(1<<32-1)), 0).UTC()
	}
	if n != 2 && n != 3 || r.Uint() != 5 {
		return false
	}
	c.From = time.Unix(int64(r.UintMax(1<<32-1)), 0).UTC()
	if n == 2 {
		if r.Int() != claimRevocation || r.Array() != 2 {
			return false
		}
		c.Side = readSide(&r)
		r.BytesN(c.Key[:])
		c.Revoked = c.From
		return r.Done()
	}
	if r.Int() != claimCertificate {
		return false
	}
	fields := r.Array()
	c.Side = readSide(&r)
	c.Use = Use(r.UintMax(uint64(len(uses) - 1)))
	r.BytesN(c.Key[:])
	var point [33]byte
	r.BytesN(point[:])
	if c.Use == UseSigner {
		if c.Person = r.Text(); fields != 5 || !ValidPerson(c.Person) {
			return false
		}
	} else if fields != 4 {
		return false
	}
	if !r.Done() || !c.Use.Valid() || !c.From.Before(c.Until) {
		return false
	}
	pub, err := ParsePublicKey(point[:])
	if err != nil {
		return false
	}
	c.Public = pub
	id, err := IDOf(pub)
	return err == nil && id == c.Key
}

func readSide(r *cose.Reader) Side {
	switch r.Uint() {
	case 1:
		return SideA
	case 2:
		return SideB
	}
	r.Fail()
	return 0
}

// ParseCertificate reads a certificate or a revocation and believes nothing in it;
// Trust.Add verifies. The problem is of kind Invalid.
func ParseCertificate(b []byte) (Certificate, error) {
	c, _, err := parseCertificate(b)
	return c, err
}

func parseCertificate(b []byte) (Certificate, cose.Message, error) {
	bad := func(err error) (Certificate, cose.Message, error) {
		return Certificate{}, cose.Message{}, problem.Wrap(problem.Invalid, "certificate.unreadable", err)
	}
	if len(b) > maxCertificate {
		return bad(cose.ErrSize)
	}
	m, err := cose.Parse(b)
	if err != nil {
		return bad(err)
	}
	if !signedHere(m) {
		return bad(cose.ErrHeader)
	}
	var c Certificate
	if !c.decode(m.Payload) {
		return bad(cose.ErrForm)
	}
	c.Root = KeyID(m.KeyID)
	return c, m, nil
}

// signedHere reports whether a message has the headers that this package writes.
func signedHere(m cose.Message) bool {
	return m.AlgProtected && m.Alg == cose.ES256 && m.KeyIDProtected && len(m.KeyID) == len(KeyID{}) && len(m.Signature) == 64
}

// Trust is the keys that a server or gate believes: the roots of both sides, as the
// edition holds them, and what these have certified. Once it is shared it is not
// changed any more: With makes a larger one to take its place. Add is for whoever
// is still building it.
type Trust struct {
	roots map[KeyID]root
	keys  map[name]*Certificate
	raw   map[name][]byte // as received; the revocation where there is one
	// revoked holds whatever was revoked, also where no certificate is known (yet).
	revoked map[name]time.Time
}

// name is a key as one side speaks of it. Each side speaks only of its own: a side
// that certifies or revokes a key of the other does nothing to it.
type name struct {
	side Side
	id   KeyID
}

type root struct {
	side Side
	pub  *ecdsa.PublicKey
}

// NewTrust returns a Trust in the roots of the sides, all of them on P-256.
func NewTrust(roots map[Side]*ecdsa.PublicKey) (*Trust, error) {
	t := &Trust{roots: map[KeyID]root{}, keys: map[name]*Certificate{}, raw: map[name][]byte{}, revoked: map[name]time.Time{}}
	for _, side := range [...]Side{SideA, SideB} {
		if pub := roots[side]; pub != nil {
			if err := t.AddRoot(side, pub); err != nil {
				return nil, err
			}
		}
	}
	if len(t.roots) != len(roots) {
		return nil, problem.New(problem.Invalid, "trust.roots")
	}
	return t, nil
}

// AddRoot adds a further root of a side, for an edition that changes it.
func (t *Trust) AddRoot(side Side, pub *ecdsa.PublicKey) error {
	id, err := IDOf(pub)
	if err != nil {
		return err
	}
	if !side.Valid() {
		return errSide
	}
	if had, ok := t.roots[id]; ok && had.side != side {
		return problem.New(problem.Untrusted, "trust.roots") // the two sides cannot be one
	}
	t.roots[id] = root{side, pub}
	return nil
}

// Add verifies a certificate or a revocation by the root that it names, which must
// be a root of the same side, and takes it in. The same one again changes nothing;
// a later certificate of the same key replaces the earlier one. A problem is of kind
// Invalid where the form is at fault and Untrusted where the signature is.
func (t *Trust) Add(cert []byte) error {
	c, m, err := parseCertificate(cert)
	if err != nil {
		return err
	}
	r, ok := t.roots[c.Root]
	if !ok || r.side != c.Side {
		return problem.New(problem.Untrusted, "certificate.root")
	}
	if err := m.VerifyExternal(r.pub, externalCertificate()); err != nil {
		return problem.Wrap(problem.Untrusted, "certificate.signature", err)
	}
	key := name{c.Side, c.Key}
	had := t.keys[key]
	if !c.Revoked.IsZero() {
		if at, ok := t.revoked[key]; ok && !c.Revoked.Before(at) {
			return nil
		}
		t.revoked[key] = c.Revoked
		t.raw[key] = bytes.Clone(cert)
		if had != nil {
			gone := *had
			gone.Revoked = c.Revoked
			t.keys[key] = &gone
		}
		return nil
	}
	if had != nil && had.Use != c.Use {
		return problem.New(problem.Untrusted, "certificate.use")
	}
	if had != nil && !had.Until.Before(c.Until) {
		return nil
	}
	if at, ok := t.revoked[key]; ok {
		c.Revoked = at
	} else {
		t.raw[key] = bytes.Clone(cert)
	}
	t.keys[key] = &c
	return nil
}

// With returns a Trust that has taken in the certificates and revocations as well.
// t stays as it was. A certificate that cannot be believed is left out, and the
// first such problem is returned beside a Trust that is good all the same.
func (t *Trust) With(certs ...[]byte) (*Trust, error) {
	n := &Trust{roots: maps.Clone(t.roots), keys: maps.Clone(t.keys), raw: maps.Clone(t.raw), revoked: maps.Clone(t.revoked)}
	var first error
	for _, c := range certs {
		if err := n.Add(c); err != nil && first == nil {
			first = err
		}
	}
	return n, first
}

// Certificates returns what is known of each key, by side, then use, then id.
func (t *Trust) Certificates() []Certificate {
	var all []Certificate
	for _, c := range t.keys {
		all = append(all, *c)
	}
	slices.SortFunc(all, func(a, b Certificate) int {
		if a.Side != b.Side {
			return int(a.Side) - int(b.Side)
		}
		if a.Use != b.Use {
			return int(a.Use) - int(b.Use)
		}
		return bytes.Compare(a.Key[:], b.Key[:])
	})
	return all
}

// Raw returns one side's certificates and revocations as they were signed, in the
// order of the keys' ids, for handing on. A revoked key is there by its revocation alone.
func (t *Trust) Raw(side Side) [][]byte {
	keys := slices.SortedFunc(maps.Keys(t.raw), func(a, b name) int { return bytes.Compare(a.id[:], b.id[:]) })
	var out [][]byte
	for _, k := range keys {
		if k.side == side {
			out = append(out, t.raw[k])
		}
	}
	return out
}

// find returns the certificate of the key that signed for a side, or the fault.
func (t *Trust) find(side Side, id KeyID, use Use) (*Certificate, Fault) {
	c := t.keys[name{side, id}]
	switch {
	case c == nil:
		if _, ok := t.revoked[name{side, id}]; ok {
			return nil, KeyRevoked
		}
		if t.keys[name{side.Other(), id}] != nil {
			return nil, Forged // a key of the one side that signs for the other
		}
		return nil, KeyUnknown
	case c.Use != use:
		return nil, Forged
	case !c.Revoked.IsZero():
		return nil, KeyRevoked
	}
	return c, ""
}

// Verify reads a pass and says whether it is good now. Claims are filled in as far
// as the text could be read; unless Genuine(fault) they are only what somebody wrote.
// What is cheap to see comes before the signature; the times come after it, so that
// "too early" and "expired" are said only of genuine passes.
//
// Site, slot and withdrawal are for the gate to look at.
func (t *Trust) Verify(text string, now time.Time) (Claims, Fault) {
	u, fault := read(text)
	if fault != "" {
		return Claims{}, fault
	}
	c, fault := t.find(u.claims.Side, KeyID(u.msg.KeyID), UsePass)
	switch {
	case fault != "":
		return u.claims, fault
	case now.Before(c.From):
		return u.claims, KeyEarly
	case !now.Before(c.Until):
		return u.claims, KeyExpired
	}
	if u.msg.Verify(c.Public) != nil {
		return u.claims, Forged
	}
	switch {
	case now.Before(u.claims.NotBefore):
		return u.claims, Early
	case !now.Before(u.claims.Expires):
		return u.claims, Expired
	}
	return u.claims, ""
}

// OpenMessage verifies a message that SignMessage made for the same external data by
// a key that the side has certified for use, and returns its payload. The problem is
// of kind Invalid or Untrusted; its code is for operators and never for the sender.
func (t *Trust) OpenMessage(side Side, use Use, msg, external []byte, now time.Time) ([]byte, error) {
	m, err := cose.Parse(msg)
	if err != nil || !signedHere(m) {
		return nil, problem.New(problem.Invalid, "message.unreadable")
	}
	c, fault := t.find(side, KeyID(m.KeyID), use)
	if fault != "" {
		return nil, problem.New(problem.Untrusted, string(fault))
	}
	if now.Before(c.From) || !now.Before(c.Until) {
		return nil, problem.New(problem.Untrusted, "message.key")
	}
	if m.VerifyExternal(c.Public, external) != nil {
		return nil, problem.New(problem.Untrusted, "message.signature")
	}
	return m.Payload, nil
}

// Holds reports whether a certificate or revocation is among what was taken in, in
// these very bytes.
func (t *Trust) Holds(cert []byte) bool {
	c, err := ParseCertificate(cert)
	return err == nil && bytes.Equal(t.raw[name{c.Side, c.Key}], cert)
}
