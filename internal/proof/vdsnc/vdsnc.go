// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

// Package vdsnc reads and verifies visible digital seals for non-constrained environments
// (ICAO Doc 9303 part 13, and the technical report VDS-NC, version 1.4): JSON in a code,
// with the certificate of its signer.
//
//	{"data": {"hdr": {"t": "icao.vacc" | "icao.test", "v": 1, "is": "AUS"},
//	          "msg": {…}},
//	 "sig":  {"alg": "ES256" | "ES384" | "ES512",
//	          "cer":   base64url(X.509),
//	          "sigvl": base64url(r || s)}}
//
// The signature is over data in the canonical form of RFC 8785, which package jcs writes;
// how the text was laid out does not matter, and a name that occurs twice is refused.
//
// The certificate that comes with a seal proves nothing by itself: whoever made the seal
// put it there. A trusted list names it, or the authority (CSCA) that issued it.
package vdsnc

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"darwaza.dev/internal/identity"
	"darwaza.dev/internal/jcs"
	"darwaza.dev/internal/proof"
)

// Bounds of a seal. The largest QR code holds 4,296 characters.
const (
	MaxText        = 1 << 14 // bytes of the text
	MaxCertificate = 1 << 13 // bytes of the certificate
	maxEvents      = 64
	maxWords       = 1000 // bytes of one name, place or number
)

var limits = jcs.Limits{Size: MaxText, Values: 2048, Depth: 16, Members: 64}

// Errors of form. [proof.FaultOf] gives the reason for each.
var (
	ErrNotSeal     error = &proof.FormError{Fault: proof.NotProof, Text: "vdsnc: not a seal"}
	ErrForm        error = &proof.FormError{Fault: proof.Unreadable, Text: "vdsnc: not well formed"}
	ErrSize        error = &proof.FormError{Fault: proof.TooLarge, Text: "vdsnc: too large"}
	ErrUnsupported error = &proof.FormError{Fault: proof.Unsupported, Text: "vdsnc: nothing that can be read"}
	ErrAlgorithm   error = &proof.FormError{Fault: proof.Algorithm, Text: "vdsnc: algorithm or key is not accepted"}
	ErrContent     error = &proof.FormError{Fault: proof.Content, Text: "vdsnc: content is not acceptable"}
)

// The kinds of seals that are read (VDS-NC sections 4 and 5).
const (
	typeVaccination = "icao.vacc"
	typeTest        = "icao.test"
)

// Seal is one seal, read and not yet believed.
type Seal struct {
	Type   string // "icao.vacc" or "icao.test"
	Claims proof.Claims
	// Irregular says that something is missing or written otherwise than it should be,
	// about which nothing is in doubt.
	Irregular bool
	// Certificate is the signer's, as it came.
	Certificate *x509.Certificate

	algorithm *algorithm
	digest    []byte
	signature []byte
}

// An algorithm of RFC 7518 section 3.4.
type algorithm struct {
	name  string
	curve elliptic.Curve
	half  int // bytes of r and of s
	hash  func([]byte) []byte
}

func algorithmOf(name string) *algorithm {
	switch name {
	case "ES256":
		return &algorithm{name, elliptic.P256(), 32, func(b []byte) []byte { d := sha256.Sum256(b); return d[:] }}
	case "ES384":
		return &algorithm{name, elliptic.P384(), 48, func(b []byte) []byte { d := sha512.Sum384(b); return d[:] }}
	case "ES512":
		return &algorithm{name, elliptic.P521(), 66, func(b []byte) []byte { d := sha512.Sum512(b); return d[:] }}
	}
	return nil
}

// Known reports whether a text looks like a seal, before any of it is read.
func Known(text []byte) bool {
	text = bytes.TrimSpace(text)
	return len(text) > 0 && text[0] == '{' && bytes.Contains(text, []byte(`"sigvl"`)) && bytes.Contains(text, []byte(`"hdr"`))
}

// Parse reads a seal. Nothing that it says is to be believed before Verify. The seal that
// comes with an error is as far as the reading came, nil where it did not come to what
// the seal says.
func Parse(text []byte) (*Seal, error) {
	text = bytes.TrimSpace(text)
	if len(text) > MaxText {
		return nil, ErrSize
	}
	if len(text) == 0 || text[0] != '{' {
		return nil, ErrNotSeal
	}
	d, err := jcs.Parse(text, limits)
	switch {
	case errors.Is(err, jcs.ErrLimit):
		return nil, fmt.Errorf("%w: %w", ErrSize, err)
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrForm, err)
	}
	data, sig := d.Root().Get("data"), d.Root().Get("sig")
	if !data.Is(jcs.Object) || !sig.Is(jcs.Object) {
		return nil, ErrNotSeal
	}
	s := new(Seal)
	if err := s.signed(data, sig); err != nil {
		return nil, err
	}
	return s, s.data(data)
}

// signed reads the signature zone and hashes what is under the signature.
func (s *Seal) signed(data, sig jcs.Value) error {
	name, _ := sig.Get("alg").Text()
	if s.algorithm = algorithmOf(name); s.algorithm == nil {
		return ErrAlgorithm
	}
	cer, ok1 := sig.Get("cer").Text()
	value, ok2 := sig.Get("sigvl").Text()
	if !ok1 || !ok2 {
		return fmt.Errorf("%w: no certificate or no signature", ErrForm)
	}
	der, err := decode(cer)
	if err != nil || len(der) > MaxCertificate {
		return fmt.Errorf("%w: certificate", ErrForm)
	}
	if s.signature, err = decode(value); err != nil || len(s.signature) != 2*s.algorithm.half {
		return fmt.Errorf("%w: signature", ErrForm)
	}
	if s.Certificate, err = x509.ParseCertificate(der); err != nil {
		return fmt.Errorf("%w: certificate", ErrForm)
	}
	canonical, err := data.AppendCanonical(nil)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrForm, err)
	}
	s.digest = s.algorithm.hash(canonical)
	return nil
}

// decode reads base64url (RFC 4648 section 5) with all of its padding or none. Bits that
// are left over are refused, so that no two texts are one seal.
func decode(text string) ([]byte, error) {
	bare := strings.TrimRight(text, "=")
	if pad := len(text) - len(bare); pad > 0 && (pad > 2 || len(text)%4 != 0) || len(bare) == 0 || strings.ContainsAny(bare, "\r\n") {
		return nil, ErrForm
	}
	return base64.RawURLEncoding.Strict().DecodeString(bare)
}

// data reads header and message.
func (s *Seal) data(data jcs.Value) error {
	hdr, msg := data.Get("hdr"), data.Get("msg")
	c := &s.Claims
	c.Format = proof.VDSNC
	s.Type, _ = hdr.Get("t").Text()
	version, ok := hdr.Get("v").Int()
	if !ok || version != 1 {
		return fmt.Errorf("%w: version", ErrUnsupported)
	}
	c.Version = strconv.FormatInt(version, 10)
	if c.Issuer, ok = s.words(hdr.Get("is")); !ok {
		return fmt.Errorf("%w: no issuer", ErrContent)
	}
	c.Country = country(c.Issuer)
	if !msg.Is(jcs.Object) {
		return fmt.Errorf("%w: no message", ErrContent)
	}
	switch s.Type {
	case typeVaccination:
		return s.vaccination(msg)
	case typeTest:
		return s.test(msg)
	}
	return fmt.Errorf("%w: kind of seal", ErrUnsupported)
}

// country returns the three letters of a country, and none for Utopia: that is the state
// of specimens (ICAO Doc 9303 part 3 section 5), whose seals some country's key signs.
func country(s string) string {
	c, ok := proof.Country(s)
	if !ok || c == "UTO" {
		return ""
	}
	return c
}

// words returns a text without the space around it, false where there is none.
func (s *Seal) words(v jcs.Value) (string, bool) {
	text, ok := v.Text()
	text = strings.TrimSpace(text)
	return text, ok && text != "" && len(text) <= maxWords
}

// want is words, of what should be there.
func (s *Seal) want(v jcs.Value) string {
	text, ok := s.words(v)
	if !ok {
		s.Irregular = true
	}
	return text
}

// holder reads whom the seal is about. Two spaces part the primary identifier from the
// secondary, as "<<" does in a travel document; a name without them is kept whole.
func (s *Seal) holder(pid jcs.Value, document string) error {
	h := &s.Claims.Holder
	name, ok := s.words(pid.Get("n"))
	if !ok {
		return fmt.Errorf("%w: no name", ErrContent)
	}
	family, given, _ := strings.Cut(name, "  ")
	h.Family, h.Given = family, strings.TrimSpace(given)
	if v := pid.Get("dob"); v.Kind() != jcs.None {
		text, _ := v.Text()
		d, err := proof.ParseDate(text)
		if err != nil || d.Precision > proof.Day {
			return fmt.Errorf("%w: date of birth", ErrContent)
		}
		h.Birth = identity.PartialDate{Year: d.Year, Month: int(d.Month), Day: d.Day}
	}
	h.Document, _ = s.words(pid.Get(document))
	if h.Document == "" && h.Birth.Year == 0 {
		// One of the two is mandatory: a name alone is too many people's.
		return fmt.Errorf("%w: neither a birth nor a document", ErrContent)
	}
	switch sex, _ := s.words(pid.Get("sex")); sex {
	case "M", "F", "X":
		h.Sex = sex
	case "":
	default:
		s.Irregular = true
	}
	return nil
}

// vaccination reads the message of "icao.vacc".
func (s *Seal) vaccination(msg jcs.Value) error {
	c := &s.Claims
	c.ID = s.want(msg.Get("uvci"))
	if err := s.holder(msg.Get("pid"), "i"); err != nil {
		return err
	}
	for ve := range msg.Get("ve").All() {
		e := proof.Event{Kind: proof.Vaccination, ID: c.ID, Issuer: c.Issuer}
		e.Type = proof.Code{System: proof.ICD11, Value: s.want(ve.Get("des"))}
		e.Product = proof.Code{System: proof.Text, Text: s.want(ve.Get("nam"))}
		e.DiseaseCode = proof.Code{System: proof.ICD11, Value: s.want(ve.Get("dis"))}
		diseases := proof.VaccineDiseases(proof.ICD11, e.Type.Value)
		if d, ok := proof.DiseaseOf(proof.ICD11, e.DiseaseCode.Value); ok {
			diseases = []proof.Disease{d}
		} else if e.DiseaseCode.Value != "" {
			diseases = nil // a disease that is named and not known is not another
		}
		if len(diseases) == 0 {
			diseases = []proof.Disease{proof.UnknownCode}
		}
		if ve.Get("vd").Len() == 0 {
			return fmt.Errorf("%w: a vaccine and no dose", ErrContent)
		}
		for vd := range ve.Get("vd").All() {
			on, ok := date(vd.Get("dvc"), proof.Day)
			if !ok {
				return fmt.Errorf("%w: day of a dose", ErrContent)
			}
			e.On = on
			if e.Dose, ok = number(vd.Get("seq")); !ok {
				s.Irregular = true
			}
			where := s.want(vd.Get("ctr"))
			e.Country = country(where)
			e.Place = s.want(vd.Get("adm"))
			e.Lot = s.want(vd.Get("lot"))
			e.NextOn = proof.Date{}
			if v := vd.Get("dvn"); v.Kind() != jcs.None {
				if e.NextOn, ok = date(v, proof.Day); !ok {
					s.Irregular = true
				}
			}
			for _, d := range diseases {
				if len(c.Events) >= maxEvents {
					return fmt.Errorf("%w: more than %d events", ErrSize, maxEvents)
				}
				e.Disease = d
				c.Events = append(c.Events, e)
			}
		}
	}
	if len(c.Events) == 0 {
		return fmt.Errorf("%w: no dose", ErrContent)
	}
	return nil
}

// number reads a whole number from 1 to 999, which some issuers write as a text.
func number(v jcs.Value) (int, bool) {
	n, ok := v.Int()
	if text, is := v.Text(); is {
		m, err := strconv.ParseUint(text, 10, 16)
		n, ok = int64(m), err == nil
	}
	if !ok || n < 1 || n > 999 {
		return 0, false
	}
	return int(n), true
}

// date reads a date that is at most so exact.
func date(v jcs.Value, most proof.Precision) (proof.Date, bool) {
	text, _ := v.Text()
	d, err := proof.ParseDate(text)
	if err != nil || d.Precision > most {
		return proof.Date{}, false
	}
	return d, true
}

// test reads the message of "icao.test". It names no disease: the seal was made for tests
// for SARS-CoV-2 alone (VDS-NC section 5).
func (s *Seal) test(msg jcs.Value) error {
	c := &s.Claims
	c.ID = s.want(msg.Get("utci"))
	if err := s.holder(msg.Get("pid"), "dn"); err != nil {
		return err
	}
	sp, tr := msg.Get("sp"), msg.Get("tr")
	on, ok := date(msg.At("dat", "sc"), proof.Second)
	if !ok {
		return fmt.Errorf("%w: time of the sample", ErrContent)
	}
	e := proof.Event{Kind: proof.Test, Disease: proof.COVID19, On: on, ID: c.ID, Issuer: c.Issuer}
	if e.ReportedOn, ok = date(msg.At("dat", "ri"), proof.Second); !ok {
		s.Irregular = true
	}
	e.Place = s.want(sp.Get("spn"))
	e.Country = country(s.want(sp.Get("ctr")))
	kind := s.want(tr.Get("tc"))
	e.TestCode = proof.Code{System: proof.Text, Text: kind}
	switch k := strings.ToLower(kind); {
	case strings.HasPrefix(k, "molecular"):
		e.TestKind = proof.NAAT
	case k == "antigen":
		e.TestKind = proof.Antigen
	case k == "antibody":
		e.TestKind = proof.Antibody
	default:
		e.TestKind = proof.OtherTest
	}
	result, ok := s.words(tr.Get("r"))
	if !ok {
		return fmt.Errorf("%w: no result", ErrContent)
	}
	switch strings.ToLower(result) {
	case "positive":
		e.Result = proof.Positive
	case "negative":
		e.Result = proof.Negative
	case "inconclusive":
		e.Result = proof.Inconclusive
	default: // "normal" and "abnormal" are said of antibodies
		e.Result = proof.OtherResult
	}
	c.Events = append(c.Events, e)
	return nil
}

// signedBy reports whether the seal's signature is by a key. ok is false for a key that
// does not fit the algorithm.
func (s *Seal) signedBy(key crypto.PublicKey) (signed, ok bool) {
	pub, is := key.(*ecdsa.PublicKey)
	if !is || pub.Curve != s.algorithm.curve {
		return false, false
	}
	half := s.algorithm.half
	r := new(big.Int).SetBytes(s.signature[:half])
	t := new(big.Int).SetBytes(s.signature[half:])
	return ecdsa.Verify(pub, s.digest, r, t), true
}

// SelfConsistent reports whether the signature is by the certificate that came with the
// seal. That is no reason to believe it: it says that nothing was altered since.
func (s *Seal) SelfConsistent() bool {
	signed, _ := s.signedBy(s.Certificate.PublicKey)
	return signed
}

// The identifiers that a signer's certificate is asked about: the usage of seals, any
// usage, and the list of kinds of documents (ICAO Doc 9303 part 12 sections 7.1.1.3 and
// 7.1.1.6, part 13, and VDS-NC section 6). They are functions so that nobody changes them.
func oidSeal() asn1.ObjectIdentifier      { return asn1.ObjectIdentifier{2, 23, 136, 1, 1, 14, 2} }
func oidDocuments() asn1.ObjectIdentifier { return asn1.ObjectIdentifier{2, 23, 136, 1, 1, 6, 2} }

// MaySign reports whether a certificate may sign a seal of a kind: its key usage, where it
// names one, has digital signature; its extended key usage, where it has one, is that of
// seals; its list of documents, where it has one, has NV for vaccinations or NT for tests.
// A certificate that names none of these may sign each, as those of the first specimens.
func MaySign(cert *x509.Certificate, kind string) bool {
	if cert.KeyUsage != 0 && cert.KeyUsage&x509.KeyUsageDigitalSignature == 0 {
		return false
	}
	if len(cert.ExtKeyUsage) > 0 || len(cert.UnknownExtKeyUsage) > 0 {
		if !slices.Contains(cert.ExtKeyUsage, x509.ExtKeyUsageAny) && !slices.ContainsFunc(cert.UnknownExtKeyUsage, oidSeal().Equal) {
			return false
		}
	}
	for _, e := range cert.Extensions {
		if !e.Id.Equal(oidDocuments()) {
			continue
		}
		// DocumentTypeListSyntax ::= SEQUENCE { version INTEGER, docTypeList SET OF PrintableString }
		var list struct {
			Version int
			Types   []string `asn1:"set"`
		}
		rest, err := asn1.Unmarshal(e.Value, &list)
		want := "NV"
		if kind == typeTest {
			want = "NT"
		}
		if err != nil || len(rest) > 0 || !slices.Contains(list.Types, want) {
			return false
		}
	}
	return true
}

// Verify reads a seal and says whether it is genuine at a time: signed by a certificate
// that a trusted list names or of which it names the authority, of the country that the
// seal says, in use and for this kind of seal. keys and revoked may be nil, which is as
// good as empty.
func Verify(text []byte, keys proof.Keys, revoked proof.Revocation, at time.Time) proof.Result {
	s, err := Parse(text)
	if err == nil {
		return s.Verify(keys, revoked, at)
	}
	r := proof.Result{Format: proof.VDSNC}
	if proof.FaultOf(err) == proof.NotProof {
		r.Format = ""
	}
	r.Fault(proof.FaultOf(err))
	if s != nil {
		s.Claims.Assurance = proof.Claimed
		r.Claims, r.KeyID = &s.Claims, s.Certificate.AuthorityKeyId
	}
	return r
}

// Verify is the function Verify, of a seal that was read without an error.
func (s *Seal) Verify(keys proof.Keys, revoked proof.Revocation, at time.Time) proof.Result {
	c := &s.Claims
	c.Assurance = proof.Claimed
	r := proof.Result{Format: proof.VDSNC, Claims: c, KeyID: s.Certificate.AuthorityKeyId}
	if s.Irregular {
		r.Note(proof.Irregular)
	}
	for i := range c.Events {
		if c.Events[i].Disease == proof.UnknownCode {
			r.Note(proof.UnknownDisease)
		}
	}
	key, faults := s.key(&r, keys, at)
	for _, f := range faults {
		r.Fault(f)
	}
	if key != nil {
		used := *key // the list's own is not to be held on to
		r.Checked, r.Key = true, &used
		if key.Country == "" {
			r.Note(proof.KeyUnbound)
		}
		if c.Country == "" && key.Country != "" {
			c.Country = key.Country
			r.Note(proof.CountryUnknown)
		}
		if !MaySign(s.Certificate, s.Type) {
			r.Fault(proof.KeyUsage)
		}
	}
	// The format has no revocation of its own but that of the signer's certificate. Sides
	// that revoke by number are heard; that nobody does is nothing to be said of a seal.
	if c.ID != "" && revoked != nil {
		r.Hashes = append(r.Hashes, proof.NewHash(proof.HashUVCI, []byte(c.ID)))
		standing := revoked.Standing(proof.RevocationQuery{Format: proof.VDSNC, KeyID: r.KeyID, Issuer: c.Issuer, Hashes: r.Hashes, At: at})
		if standing != proof.NoList {
			standing.Judge(&r)
		}
	}
	if r.Genuine() {
		c.Assurance = proof.Signed
	}
	return r
}

// key returns the key that signed the seal, and why it might not have. Of several that
// lists vouch for, one that might is taken before others.
func (s *Seal) key(r *proof.Result, keys proof.Keys, at time.Time) (*proof.Key, []proof.Fault) {
	var ks []proof.Key
	age := proof.Absent
	if keys != nil {
		ks, age = keys.Keys(proof.Query{Format: proof.VDSNC, KeyID: r.KeyID, Issuer: s.Claims.Issuer, Certificate: s.Certificate.Raw, At: at})
	}
	switch age {
	case proof.Absent:
		return nil, []proof.Fault{proof.ListMissing}
	case proof.TooOld:
		return nil, []proof.Fault{proof.ListTooOld}
	case proof.Stale:
		r.Note(proof.ListStale)
	}
	if len(ks) == 0 {
		return nil, []proof.Fault{proof.KeyUnknown}
	}
	fault := proof.Algorithm
	var best *proof.Key
	var why []proof.Fault
	for i := range ks {
		k := &ks[i]
		signed, ok := s.signedBy(k.Public)
		if ok {
			fault = proof.Forged
		}
		if !signed {
			continue
		}
		faults := k.May(&s.Claims, at)
		if best == nil || len(faults) < len(why) {
			best, why = k, faults
		}
	}
	if best == nil {
		return nil, []proof.Fault{fault}
	}
	return best, why
}
