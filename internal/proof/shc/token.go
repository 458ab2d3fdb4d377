// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package shc

import (
	"bytes"
	"compress/flate"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"darwaza.dev/internal/cose"
	"darwaza.dev/internal/jcs"
	"darwaza.dev/internal/proof"
)

// Card is one token, read and not yet believed.
type Card struct {
	KeyID  string // the thumbprint of the key, as written
	Issuer string // "https://…", no slash at the end
	// NotBefore is when the card was issued and from when it holds; Expires is zero where
	// it does not run out. Both in UTC, with fractions of a second.
	NotBefore, Expires time.Time
	// RID is the number under which the issuer revokes it, empty where there is none.
	RID      string
	Types    []string
	Claims   proof.Claims
	Findings []Finding
	// Empty says that the card is well formed and holds neither a dose nor a test. Verify
	// finds proof.Unsupported, after it has looked at the signature all the same.
	Empty bool

	digest    [32]byte // SHA-256 of header "." payload, as they stand in the token
	signature [64]byte // r || s
	tooMany   bool     // events were left out
}

// scratch is memory that one reading of a token leaves to the next.
type scratch struct {
	source bytes.Reader
	reader io.ReadCloser // flate, with a Reset
	packed []byte
	plain  []byte
	doc    jcs.Doc
}

var scratches = sync.Pool{New: func() any { return new(scratch) }}

// strict refuses bits that are left over at the end, so that no two texts are one token.
var strict = base64.RawURLEncoding.Strict()

// decode is base64url without padding, and without the line ends that the package skips.
func decode(dst, text []byte) ([]byte, error) {
	if len(text) == 0 || bytes.IndexByte(text, '\n') >= 0 || bytes.IndexByte(text, '\r') >= 0 {
		return dst, ErrForm
	}
	dst, err := strict.AppendDecode(dst, text)
	if err != nil {
		return dst, ErrForm
	}
	return dst, nil
}

// split takes a token apart.
func split(token []byte) (header, payload, signature []byte, err error) {
	if len(token) > MaxToken {
		return nil, nil, nil, ErrSize
	}
	header, rest, ok1 := bytes.Cut(token, []byte("."))
	payload, signature, ok2 := bytes.Cut(rest, []byte("."))
	if !ok1 || !ok2 || bytes.IndexByte(signature, '.') >= 0 {
		return nil, nil, nil, fmt.Errorf("%w: not three parts", ErrForm)
	}
	return header, payload, signature, nil
}

// inflate unfolds a payload into s.plain. The data must end where the compressed stream
// does: anything behind it would be under the signature and seen by nobody.
func (s *scratch) inflate(packed []byte) error {
	s.source.Reset(packed)
	if s.reader == nil {
		s.reader = flate.NewReader(&s.source)
	} else if err := s.reader.(flate.Resetter).Reset(&s.source, nil); err != nil {
		return fmt.Errorf("%w: %w", ErrForm, err)
	}
	s.plain = s.plain[:0]
	if s.plain == nil {
		s.plain = make([]byte, 0, 4096)
	}
	for {
		if len(s.plain) == cap(s.plain) {
			s.plain = append(s.plain, 0)[:len(s.plain)]
		}
		n, err := s.reader.Read(s.plain[len(s.plain):cap(s.plain)])
		s.plain = s.plain[:len(s.plain)+n]
		if len(s.plain) > MaxPayload {
			return ErrSize
		}
		switch {
		case err == io.EOF && s.source.Len() > 0:
			return fmt.Errorf("%w: bytes behind the payload", ErrForm)
		case err == io.EOF:
			return nil
		case err != nil:
			return fmt.Errorf("%w: payload does not unfold", ErrForm)
		}
	}
}

// unfolds reports whether a token put together from parts has three parts that decode and
// a payload that unfolds.
func unfolds(token []byte) bool {
	_, payload, signature, err := split(token)
	if err != nil {
		return false
	}
	s := scratches.Get().(*scratch)
	defer scratches.Put(s)
	if s.packed, err = decode(s.packed[:0], signature); err != nil || len(s.packed) != 64 {
		return false
	}
	if s.packed, err = decode(s.packed[:0], payload); err != nil {
		return false
	}
	return s.inflate(s.packed) == nil
}

var headerLimits = jcs.Limits{Size: 1024, Values: 32, Depth: 4, Members: 16}

// A bundle has some seven values for each dose; the largest summaries some thousands.
var payloadLimits = jcs.Limits{Size: MaxPayload, Values: 8192, Depth: 32, Members: 64}

// Parse reads a token. Nothing that it says is to be believed before Verify. The card that
// comes with an error is as far as the reading came, nil where it did not come to what the
// card says.
func Parse(token []byte) (*Card, error) {
	header, payload, signature, err := split(token)
	if err != nil {
		return nil, err
	}
	s := scratches.Get().(*scratch)
	defer scratches.Put(s)

	c := new(Card)
	if s.packed, err = decode(s.packed[:0], header); err != nil {
		return nil, err
	}
	if err := c.header(s); err != nil {
		return nil, err
	}
	if s.packed, err = decode(s.packed[:0], signature); err != nil {
		return nil, err
	}
	if len(s.packed) != len(c.signature) {
		// A signature in ASN.1 is of another length: RFC 7518 section 3.4.
		return nil, fmt.Errorf("%w: signature is not of 64 bytes", ErrForm)
	}
	copy(c.signature[:], s.packed)
	c.digest = sha256.Sum256(token[:len(header)+1+len(payload)])

	if s.packed, err = decode(s.packed[:0], payload); err != nil {
		return nil, err
	}
	if err := s.inflate(s.packed); err != nil {
		return nil, err
	}
	return c.keep(c.payload(&s.doc, s.plain))
}

// keep returns the card with an error only where it came to say something.
func (c *Card) keep(err error) (*Card, error) {
	if err != nil && c.Issuer == "" {
		return nil, err
	}
	return c, err
}

// header reads the header in s.packed (section "Health Cards are Compact").
func (c *Card) header(s *scratch) error {
	if err := s.doc.Parse(s.packed, headerLimits); err != nil {
		return fmt.Errorf("%w: header: %w", ErrForm, err)
	}
	h := s.doc.Root()
	if !h.Is(jcs.Object) {
		return fmt.Errorf("%w: header", ErrForm)
	}
	// A critical header that is not understood voids the token, RFC 7515 section 4.1.11;
	// none is understood here.
	if h.Get("crit").Kind() != jcs.None {
		return fmt.Errorf("%w: critical header", ErrForm)
	}
	if !h.Get("alg").Equal("ES256") {
		return ErrAlgorithm
	}
	if !h.Get("zip").Equal("DEF") {
		return fmt.Errorf("%w: payload is not packed", ErrForm)
	}
	kid, ok := h.Get("kid").Text()
	if !ok || kid == "" || len(kid) > 128 {
		return fmt.Errorf("%w: no key id", ErrForm)
	}
	c.KeyID = kid
	return nil
}

// signedBy reports whether the card's signature is by a key on P-256.
func (c *Card) signedBy(pub *ecdsa.PublicKey) bool {
	var buf [72]byte
	return ecdsa.VerifyASN1(pub, c.digest[:], cose.AppendDER(buf[:0], c.signature[:]))
}

// Read opens a text and verifies each card in it. A text that cannot be opened is one
// result with its fault; so is, behind the others, a card of which a part is missing.
//
// Where parts of several cards came together in more ways than one, those that somebody
// signed are the cards, and the others are nothing.
func Read(text []byte, keys proof.Keys, revoked proof.Revocation, at time.Time) []proof.Result {
	o, err := Open(text)
	var rs []proof.Result
	signed := map[int]bool{}
	for i, token := range o.Tokens {
		r := Verify(token, keys, revoked, at)
		if len(o.Findings) > 0 {
			r.Note(proof.Irregular)
		}
		signed[o.ways[i]] = signed[o.ways[i]] || r.Checked
		rs = append(rs, r)
	}
	kept := rs[:0]
	for i := range rs {
		if way := o.ways[i]; way == 0 || rs[i].Checked || !signed[way] {
			kept = append(kept, rs[i])
		}
	}
	if err != nil {
		r := proof.Result{Format: proof.SHC}
		if proof.FaultOf(err) == proof.NotProof {
			r.Format = ""
		}
		r.Fault(proof.FaultOf(err))
		kept = append(kept, r)
	}
	return kept
}

// Verify reads a token and says whether it is genuine at a time: signed with a key that a
// trusted list names for its issuer, within its validity, and not revoked. keys and
// revoked may be nil, which is as good as empty.
func Verify(token []byte, keys proof.Keys, revoked proof.Revocation, at time.Time) proof.Result {
	c, err := Parse(token)
	if err == nil {
		return c.Verify(keys, revoked, at)
	}
	r := proof.Result{Format: proof.SHC}
	r.Fault(proof.FaultOf(err))
	if c != nil {
		r.KeyID = []byte(c.KeyID)
		c.Claims.Assurance = proof.Claimed
		r.Claims = &c.Claims
	}
	return r
}

// Verify is the function Verify, of a card that was read without an error.
func (c *Card) Verify(keys proof.Keys, revoked proof.Revocation, at time.Time) proof.Result {
	r := proof.Result{Format: proof.SHC, Claims: &c.Claims, KeyID: []byte(c.KeyID)}
	c.Claims.Assurance = proof.Claimed
	for _, f := range c.Findings {
		if f.Grade == Content {
			r.Fault(proof.Content)
		} else {
			r.Note(proof.Irregular)
		}
	}
	for i := range c.Claims.Events {
		if c.Claims.Events[i].Disease == proof.UnknownCode {
			r.Note(proof.UnknownDisease)
		}
	}
	if c.Empty {
		r.Fault(proof.Unsupported)
	}
	c.check(&r, keys, at)
	switch {
	case at.Before(c.NotBefore):
		r.Fault(proof.Early)
	case !c.Expires.IsZero() && at.After(c.Expires):
		r.Fault(proof.Expired)
	}
	if c.RID != "" {
		r.Hashes = append(r.Hashes, proof.NewHash(proof.HashRID, []byte(c.RID)))
		standing := proof.NoList
		if revoked != nil {
			standing = revoked.Standing(proof.RevocationQuery{Format: proof.SHC, KeyID: r.KeyID, Issuer: c.Issuer,
				Hashes: r.Hashes, RID: c.RID, IssuedAt: c.NotBefore, At: at})
		}
		standing.Judge(&r)
	}
	if r.Genuine() {
		c.Claims.Assurance = proof.Signed
	}
	return r
}

// check looks for a trusted key that made the signature.
func (c *Card) check(r *proof.Result, keys proof.Keys, at time.Time) {
	var ks []proof.Key
	age := proof.Absent
	if keys != nil {
		ks, age = keys.Keys(proof.Query{Format: proof.SHC, KeyID: r.KeyID, Issuer: c.Issuer, At: at})
	}
	switch age {
	case proof.Absent:
		r.Fault(proof.ListMissing)
		return
	case proof.TooOld:
		r.Fault(proof.ListTooOld)
		return
	case proof.Stale:
		r.Note(proof.ListStale)
	}
	tried := false
	for i := range ks {
		k := &ks[i]
		// A key stands at its issuer's address. With another's it signs nothing, even
		// where the signature is right.
		if k.Issuer != "" && k.Issuer != c.Issuer {
			continue
		}
		pub, ok := k.Public.(*ecdsa.PublicKey)
		if !ok || pub.Curve != elliptic.P256() {
			r.Fault(proof.Algorithm)
			continue
		}
		tried = true
		if !c.signedBy(pub) {
			continue
		}
		used := *k // the list's own is not to be held on to
		r.Checked, r.Key = true, &used
		if k.Issuer == "" {
			r.Note(proof.KeyUnbound)
		}
		r.Faults = without(r.Faults, proof.Algorithm)
		if f := k.Validity(at); f != "" {
			r.Fault(f)
		}
		for j := range c.Claims.Events {
			if !k.Usage.Allows(c.Claims.Events[j].Kind) {
				r.Fault(proof.KeyUsage)
			}
		}
		return
	}
	switch {
	case tried:
		r.Fault(proof.Forged)
	case len(r.Faults) == 0 || r.Faults[len(r.Faults)-1] != proof.Algorithm:
		r.Fault(proof.KeyUnknown)
	}
}

func without(fs []proof.Fault, f proof.Fault) []proof.Fault {
	out := fs[:0]
	for _, g := range fs {
		if g != f {
			out = append(out, g)
		}
	}
	return out
}

// ParsePayload reads a payload as it is before it is packed and signed, for whoever tests
// an issuer. The card has no key and no signature.
func ParsePayload(b []byte) (*Card, error) {
	c := new(Card)
	if len(b) > MaxPayload {
		return c, ErrSize
	}
	return c, c.payload(new(jcs.Doc), b)
}

// ParseBundle reads a FHIR bundle alone, for whoever tests an issuer.
func ParseBundle(b []byte) (*Card, error) {
	c := new(Card)
	d, err := jcs.Parse(b, payloadLimits)
	if err != nil {
		return c, jsonFault(err)
	}
	c.around(b)
	c.Claims.Format = proof.SHC
	return c, c.bundle(d.Root())
}

func jsonFault(err error) error {
	if errors.Is(err, jcs.ErrLimit) {
		return fmt.Errorf("%w: %w", ErrSize, err)
	}
	return fmt.Errorf("%w: %w", ErrForm, err)
}
