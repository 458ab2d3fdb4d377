// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

// Package hcert reads, verifies and issues electronic health certificates (HCERT, the
// EU's Electronic Health Certificate Specification 1.0.5) with the two payloads that
// travellers carry: the EU's digital COVID certificate and the WHO's digital vaccination
// certificate.
//
//	"HC1:" Base45( zlib( COSE_Sign1( CWT ) ) )
//
//	CWT = {                        RFC 8392; other claims are tolerated
//	    1: issuer,                 two letters as a rule, "CNAM" and "CH BAG" as they come
//	    4: expires,                seconds since 1970, whole or not
//	    5: not before,
//	    6: issued,
//	    -260: { 1: the EU's payload, -6: the WHO's }
//	}
//
// What reads hostile bytes here is bounded before it works: text, unfolded bytes, depth,
// items and pairs of a map each have a limit, far above what any certificate needs.
// Exactness is where it protects somebody: bytes after the message or the stream, a key
// that stands twice in a map and Base45 of no bytes are refused. What real issuers write
// is read: indefinite lengths, tagged and fractional times, nulls, key ids under no
// signature or as text. No version of a schema is looked at.
package hcert

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"slices"
	"strings"
	"sync"
	"time"

	"darwaza.dev/internal/cose"
	"darwaza.dev/internal/proof"
)

// Prefix is what every certificate begins with: context "HC", version 1.
const Prefix = "HC1:"

// MaxText is the longest certificate that is looked at, in characters. The greatest QR
// code holds 4,296.
const MaxText = 16 << 10

// maxKeys is how many keys under one id are tried. Each costs a verification, and no list
// has more than two.
const maxKeys = 16

// A Document is a certificate that was read and not yet believed.
type Document struct {
	// Message is the signed message. Its slices are the document's own.
	Message cose.Message
	// Claims are never nil.
	Claims *proof.Claims
	// Fault is what is wrong with the content, and Notes what is to be said of it. A
	// fault of form leaves no document.
	Fault proof.Fault
	Notes []proof.Fault

	room *room
}

// A room is what the result of one certificate takes, for most of them whole: it is made
// at once, since making its parts would take as long as reading them.
type room struct {
	claims proof.Claims
	events [1]proof.Event
	hashes [3]proof.Hash
	key    proof.Key
	id     [16]byte
}

// IsPrefixed reports whether a text begins as a certificate does, in whatever case, so
// that one which is not read otherwise was not taken for something else.
func IsPrefixed(text string) bool {
	return len(text) >= len(Prefix) && strings.EqualFold(text[:len(Prefix)], Prefix)
}

// scratch holds what reading one certificate needs: some 20 kB for most, and at most four
// times the largest message.
type scratch struct {
	packed []byte
	inflater
	parser
	doc Document // of Verify, which keeps none
}

// release puts the scratch back with nothing in it that a certificate said.
func (s *scratch) release() {
	clear(s.packed)
	s.inflater.wipe()
	s.parser.wipe()
	s.doc = Document{}
	pool.Put(s)
}

// A pool of scratch, so that a gate does not make an inflater for each certificate.
var pool = sync.Pool{New: func() any { return new(scratch) }}

// Parse reads a certificate: its text, with "HC1:" in front. The fault is NotProof,
// Unreadable, TooLarge or Unsupported, and empty where there is a document.
func Parse(text string) (*Document, proof.Fault) {
	s := pool.Get().(*scratch)
	defer s.release()
	b, fault := s.unpack(text)
	if fault != "" {
		return nil, fault
	}
	d := new(Document)
	if fault := d.parse(append([]byte(nil), b...), &s.parser); fault != "" {
		return nil, fault
	}
	return d, ""
}

// Unpack returns the bytes of the COSE message in a certificate.
func Unpack(text string) ([]byte, proof.Fault) {
	s := pool.Get().(*scratch)
	defer s.release()
	b, fault := s.unpack(text)
	if fault != "" {
		return nil, fault
	}
	return append([]byte(nil), b...), ""
}

// ParseMessage is Parse for the COSE message alone. The document points into b.
func ParseMessage(b []byte) (*Document, proof.Fault) {
	s := pool.Get().(*scratch)
	defer s.release()
	d := new(Document)
	if fault := d.parse(b, &s.parser); fault != "" {
		return nil, fault
	}
	return d, ""
}

func (s *scratch) unpack(text string) ([]byte, proof.Fault) {
	body, ok := strings.CutPrefix(text, Prefix)
	if !ok {
		return nil, proof.NotProof
	}
	if len(text) > MaxText {
		return nil, proof.TooLarge
	}
	var err error
	if s.packed, err = cose.AppendDecodeBase45(s.packed[:0], body); err != nil {
		return nil, proof.Unreadable
	}
	return s.inflate(s.packed)
}

func (d *Document) parse(b []byte, p *parser) proof.Fault {
	var err error
	if d.Message, err = cose.ParseLoose(b); err != nil {
		return proof.Unreadable
	}
	return d.payload(d.Message.Payload, p)
}

// Verify reads a certificate and says whether it is genuine at a time: signed by a key
// that keys name for its id, which its issuer's country vouches for, which may sign such
// an event and is valid itself; within its own validity; and not revoked. The key is
// asked for by id alone and the signature decides: an id proves nothing.
//
// revocation may be nil, which is noted in the result.
func Verify(text string, now time.Time, keys proof.Keys, revocation proof.Revocation) proof.Result {
	s := pool.Get().(*scratch)
	defer s.release()
	b, fault := s.unpack(text)
	d := &s.doc
	if fault == "" {
		fault = d.parse(b, &s.parser)
	}
	if fault != "" {
		r := proof.Result{Faults: []proof.Fault{fault}}
		if fault != proof.NotProof {
			r.Format = proof.DCC
		}
		return r
	}
	return d.Verify(now, keys, revocation)
}

// Verify says whether the document is genuine at a time, as the function of its name. The
// result holds no slice of the document's.
func (d *Document) Verify(now time.Time, keys proof.Keys, revocation proof.Revocation) proof.Result {
	m, c := &d.Message, d.Claims
	r := proof.Result{Format: c.Format, Claims: c, Notes: d.Notes}
	if m.KeyID != nil {
		r.KeyID = append(d.room.id[:0], m.KeyID...)
	}
	if d.Fault != "" {
		r.Fault(d.Fault)
	}
	key, faults := d.key(now, keys, &r)
	for _, f := range faults {
		r.Fault(f)
	}
	if key != nil {
		k := &d.room.key
		*k = *key
		r.Checked, r.Key = true, k
		if k.Country == "" {
			r.Note(proof.KeyUnbound)
		}
		if c.Country == "" && k.Country != "" {
			c.Country = k.Country
			r.Note(proof.CountryUnknown)
		}
	}
	if !c.From.IsZero() && now.Before(c.From) {
		r.Fault(proof.Early)
	}
	if !c.Until.IsZero() && now.Unix() > c.Until.Unix() {
		r.Fault(proof.Expired)
	}
	r.Hashes = d.hashes(key)
	if r.Checked {
		standing := proof.NoList
		if revocation != nil {
			standing = revocation.Standing(proof.RevocationQuery{Format: c.Format, KeyID: r.KeyID, Issuer: c.Issuer, Hashes: r.Hashes, IssuedAt: c.IssuedAt, At: now})
		}
		standing.Judge(&r)
	}
	if r.Genuine() {
		c.Assurance = proof.Signed
	}
	return r
}

// key returns the key that signed the document, and why it might not. Of several that
// made the signature it is the one that might, if any. Without a key the faults say what
// came of those that were tried.
func (d *Document) key(now time.Time, keys proof.Keys, r *proof.Result) (*proof.Key, []proof.Fault) {
	m, c := &d.Message, d.Claims
	if m.Alg != cose.ES256 && m.Alg != cose.PS256 {
		return nil, []proof.Fault{proof.Algorithm}
	}
	if len(m.KeyID) == 0 {
		return nil, []proof.Fault{proof.KeyUnknown}
	}
	list, age := keys.Keys(proof.Query{Format: c.Format, KeyID: m.KeyID, Issuer: c.Issuer, At: now})
	switch age {
	case proof.Absent:
		return nil, []proof.Fault{proof.ListMissing}
	case proof.TooOld:
		return nil, []proof.Fault{proof.ListTooOld}
	case proof.Stale:
		r.Note(proof.ListStale)
	}
	if len(list) == 0 {
		return nil, []proof.Fault{proof.KeyUnknown}
	}
	var signer *proof.Key
	var faults []proof.Fault
	digest := m.Digest()
	sent, hasSent := m.DigestAsSent()
	failed := proof.Algorithm
	for i := range list[:min(len(list), maxKeys)] {
		k := &list[i]
		f := check(m, k.Public, digest)
		if f == proof.Forged && hasSent {
			f = check(m, k.Public, sent)
		}
		if f != "" {
			if f == proof.Forged {
				failed = f
			}
			continue
		}
		fs := k.May(d.Claims, now)
		if len(fs) == 0 {
			return k, nil
		}
		if signer == nil {
			signer, faults = k, fs
		}
	}
	if signer == nil {
		return nil, []proof.Fault{failed}
	}
	return signer, faults
}

// check says whether the key made the signature over the digest.
func check(m *cose.Message, public crypto.PublicKey, digest [32]byte) proof.Fault {
	switch pub := public.(type) {
	case *ecdsa.PublicKey:
		switch m.VerifyDigest(pub, digest) {
		case nil:
			return ""
		case cose.ErrAlgorithm:
			return proof.Algorithm
		}
		return proof.Forged
	case *rsa.PublicKey:
		if m.Alg != cose.PS256 {
			return proof.Algorithm
		}
		if rsa.VerifyPSS(pub, crypto.SHA256, digest[:], m.Signature, nil) != nil {
			return proof.Forged
		}
		return ""
	}
	return proof.Algorithm
}

// hashes are those by which the certificate may be revoked (EU, 2022/483 annex, batch
// types): of the signature, of ECDSA its first half, because whoever holds a certificate
// can make another second half that verifies as well; of the number, and of the issuer's
// country and the number. Some issuers write a name, small letters or nothing for their
// country and revoke by its two letters, so that those count beside what is written: the
// country's that the issuer or the key is of, as ISO has them and as the EU does. key may
// be nil.
func (d *Document) hashes(key *proof.Key) []proof.Hash {
	var few [4]string
	countries := append(few[:0], d.Claims.Issuer)
	add := func(code string) {
		if c, ok := proof.Alpha2(code); ok && !slices.Contains(countries, c) {
			countries = append(countries, c)
		}
		if c, ok := proof.OtherAlpha2(code); ok && !slices.Contains(countries, c) {
			countries = append(countries, c)
		}
	}
	add(d.Claims.Country)
	if key != nil {
		add(key.Country)
	}
	var buf [128]byte
	sig := d.Message.Signature
	if d.Message.Alg == cose.ES256 {
		sig = sig[:len(sig)/2]
	}
	hs := append(d.room.hashes[:0], proof.NewHash(proof.HashSignature, sig))
	for i := range d.Claims.Events {
		id := d.Claims.Events[i].ID
		if id == "" {
			continue
		}
		hs = append(hs, proof.NewHash(proof.HashUVCI, append(buf[:0], id...)))
		for _, c := range countries {
			hs = append(hs, proof.NewHash(proof.HashCountryUCI, append(append(buf[:0], c...), id...)))
		}
	}
	return hs
}
