// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

// Package cose signs and reads COSE_Sign1 messages (RFC 9052 section 4.2) with
// ES256 (RFC 9053 section 2.1), and holds the two codings around them: a strict
// reader and writer for CBOR (RFC 8949), and Base45 (RFC 9285).
//
//	COSE_Sign1 = 18([              tag 18 may be absent; tag 61 (CWT) may stand outside
//	    protected   : bstr,        an encoded map {1: alg, 4: kid}, or empty
//	    unprotected : {…},         tolerated; what stands in protected wins
//	    payload     : bstr,        detached payloads are not accepted
//	    signature   : bstr         r || s, 64 bytes for ES256
//	])
//
// Only what a gate needs is here: one signer, one algorithm to verify, no
// encryption. Other algorithms are parsed, so that a caller can verify them over
// [Message.Digest].
package cose

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
)

// Algorithms by their number in the IANA COSE registry.
const (
	ES256 int64 = -7  // ECDSA with SHA-256; here always on P-256
	PS256 int64 = -37 // RSASSA-PSS with SHA-256; parsed, not verified here
)

// MaxSize is the greatest length in bytes of a message that Parse reads. The
// largest health certificates in use have some 4 kB.
const MaxSize = 1 << 16

// maxHeaders bounds the labels of one header map, because duplicates are looked
// for by comparing each with each.
const maxHeaders = 16

// The faults of a message. ErrSignature alone says that a well-formed message is
// not signed by the key at hand; all others are faults of form.
var (
	ErrForm      = errors.New("cose: not a COSE_Sign1 message")
	ErrSize      = errors.New("cose: message too large")
	ErrHeader    = errors.New("cose: header not acceptable")
	ErrAlgorithm = errors.New("cose: algorithm is not ES256 on P-256")
	ErrSignature = errors.New("cose: signature does not verify")
)

// Header is what a message says about its signature. Alg must be ES256 to sign.
type Header struct {
	Alg   int64
	KeyID []byte // at most 255 bytes; nil leaves the label out
}

// Sign1 returns a COSE_Sign1 message, with tag 18, in core deterministic CBOR. The
// signature is deterministic (RFC 6979), so that the same claims signed twice, after
// a lost answer say, are the same bytes. external is data both ends know
// (RFC 9052 section 4.4), nil for none; it is used here to keep apart the purposes
// of one key.
func Sign1(priv *ecdsa.PrivateKey, protected Header, payload, external []byte) ([]byte, error) {
	if protected.Alg != ES256 || priv == nil || priv.Curve != elliptic.P256() {
		return nil, ErrAlgorithm
	}
	if len(protected.KeyID) > 255 {
		return nil, ErrHeader
	}
	if len(payload) > MaxSize-512 {
		return nil, ErrSize
	}
	var hbuf [320]byte
	h := hbuf[:0]
	if protected.KeyID == nil {
		h = AppendMap(h, 1)
	} else {
		h = AppendMap(h, 2)
	}
	h = AppendInt(AppendUint(h, 1), protected.Alg)
	if protected.KeyID != nil {
		h = AppendBytes(AppendUint(h, 4), protected.KeyID)
	}
	d := digest(h, external, payload)
	der, err := priv.Sign(nil, d[:], crypto.SHA256)
	if err != nil {
		return nil, fmt.Errorf("cose: sign: %w", err)
	}
	out := make([]byte, 0, 1+1+3+len(h)+1+3+len(payload)+2+64)
	out = append(out, 0xd2) // tag 18
	out = AppendArray(out, 4)
	out = AppendBytes(out, h)
	out = AppendMap(out, 0)
	out = AppendBytes(out, payload)
	out = append(out, 0x58, 64)
	return appendRaw(out, der)
}

// Message is a parsed COSE_Sign1. Nothing in it is to be believed before Verify.
// Its slices point into the bytes given to Parse.
type Message struct {
	// Alg is 0 where no algorithm is given, or one that is named by text.
	Alg int64
	// KeyID is nil where there is none.
	KeyID []byte
	// AlgProtected and KeyIDProtected say that the value is under the signature.
	AlgProtected, KeyIDProtected bool
	Protected                    []byte
	Payload                      []byte
	Signature                    []byte
}

// Parse reads one message. It refuses trailing bytes, indefinite lengths, labels
// that occur twice in one map, critical headers (RFC 9052 section 3.1, label 2: this
// package understands none) and detached payloads.
func Parse(b []byte) (Message, error) { return parse(b, false) }

// ParseLoose is Parse for messages of others: it also reads indefinite lengths, and a key
// id that is a text where RFC 9052 section 3.1 wants bytes. Such an id is taken as the
// bytes of which the text is the base64, and as its own where it is none: the id says
// where to look for a key, and what is found there is proven by the signature.
func ParseLoose(b []byte) (Message, error) { return parse(b, true) }

func parse(b []byte, loose bool) (Message, error) {
	if len(b) > MaxSize {
		return Message{}, ErrSize
	}
	r := Reader{b: b, loose: loose}
	if r.Peek() == 0xd8 { // tag 61: CBOR Web Token, RFC 8392 section 6
		if r.Tag() != 61 {
			return Message{}, ErrForm
		}
	}
	if r.Peek() == 0xd2 {
		r.Tag()
	}
	n := r.Array()
	if n != 4 && n != Indefinite {
		return Message{}, ErrForm
	}
	var m Message
	m.Protected = r.Bytes()
	if !r.Ok() {
		return Message{}, ErrForm
	}
	if len(m.Protected) > 0 {
		p := Reader{b: m.Protected, loose: loose}
		if err := m.headers(&p, true); err != nil {
			return Message{}, err
		}
		if !p.Done() {
			return Message{}, ErrForm
		}
	}
	if err := m.headers(&r, false); err != nil {
		return Message{}, err
	}
	m.Payload = r.Bytes()
	m.Signature = r.Bytes()
	if n == Indefinite && r.More(&n) || !r.Done() {
		return Message{}, ErrForm
	}
	return m, nil
}

func (m *Message) headers(r *Reader, protected bool) error {
	n := r.Map()
	if !r.Ok() {
		return ErrForm
	}
	var seen [maxHeaders][]byte
	for i := 0; r.More(&n); i++ {
		if i == maxHeaders {
			return ErrHeader
		}
		label := r.Raw()
		if !r.Ok() {
			return ErrForm
		}
		for _, s := range seen[:i] {
			if bytes.Equal(s, label) {
				return ErrHeader
			}
		}
		seen[i] = label
		switch {
		case len(label) == 1 && label[0] == 1 && !m.AlgProtected:
			m.Alg, m.AlgProtected = 0, protected
			if r.Major() > 1 { // RFC 9052 allows text; nobody registered one
				r.Skip()
				break
			}
			m.Alg = r.Int()
		case len(label) == 1 && label[0] == 2:
			return ErrHeader
		case len(label) == 1 && label[0] == 4 && !m.KeyIDProtected:
			if m.KeyIDProtected = protected; r.loose && r.Major() == MajorText {
				m.KeyID = textKeyID(r.TextBytes())
				break
			}
			m.KeyID = r.Bytes()
		default:
			r.Skip()
		}
	}
	if !r.Ok() {
		return ErrForm
	}
	return nil
}

// textKeyID returns the bytes of which a text is the base64 in any of its four forms
// (RFC 4648 sections 3.2, 4 and 5), and the text's own where it is none.
func textKeyID(text []byte) []byte {
	b := bytes.TrimRight(text, "=")
	for _, e := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		if id, err := e.AppendDecode(nil, b); err == nil && len(id) > 0 {
			return id
		}
	}
	return text
}

// Verify checks an ES256 signature by pub, with no external data.
func (m Message) Verify(pub *ecdsa.PublicKey) error { return m.VerifyExternal(pub, nil) }

// VerifyExternal checks an ES256 signature by pub over the message and external.
func (m Message) VerifyExternal(pub *ecdsa.PublicKey, external []byte) error {
	if m.Alg != ES256 || pub == nil || pub.Curve != elliptic.P256() {
		return ErrAlgorithm
	}
	return m.VerifyDigest(pub, digest(m.Protected, external, m.Payload))
}

// Digest returns the SHA-256 of the message's Sig_structure with no external data,
// for algorithms that this package does not verify itself.
func (m Message) Digest() [32]byte { return digest(m.Protected, nil, m.Payload) }

// DigestAsSent is Digest where the protected headers are an empty map that was sent as
// one. RFC 9052 section 4.4 has its signature made over no bytes instead, which is what
// Digest does, and not every signer knows. ok is false for all other messages, whose
// headers are hashed as they came in any case.
func (m Message) DigestAsSent() (d [32]byte, ok bool) {
	if len(m.Protected) != 1 || m.Protected[0] != 0xa0 {
		return d, false
	}
	b := AppendBytes([]byte("\x84\x6aSignature1"), m.Protected)
	return sha256.Sum256(AppendBytes(AppendBytes(b, nil), m.Payload)), true
}

// VerifyDigest checks an ES256 signature by pub over a digest of the message.
func (m Message) VerifyDigest(pub *ecdsa.PublicKey, d [32]byte) error {
	if m.Alg != ES256 || pub == nil || pub.Curve != elliptic.P256() {
		return ErrAlgorithm
	}
	if len(m.Signature) != 64 {
		return ErrSignature
	}
	// VerifyASN1 is the cheapest door: Verify would make big integers only to
	// write this same encoding.
	var buf [72]byte
	if !ecdsa.VerifyASN1(pub, d[:], der(buf[:0], m.Signature)) {
		return ErrSignature
	}
	return nil
}

// digest hashes the Sig_structure of RFC 9052 section 4.4:
//
//	[ "Signature1", protected : bstr, external_aad : bstr, payload : bstr ]
func digest(protected, external, payload []byte) [32]byte {
	if len(protected) == 1 && protected[0] == 0xa0 {
		protected = nil // an empty map counts as the empty string, RFC 9052 section 3
	}
	const head = "\x84\x6aSignature1"
	// A pass fits on the stack and is hashed in one call; the rest is streamed.
	var buf [512]byte
	if len(head)+9+len(protected)+len(external)+len(payload) <= len(buf) {
		b := append(buf[:0], head...)
		b = AppendBytes(b, protected)
		b = AppendBytes(b, external)
		b = AppendBytes(b, payload)
		return sha256.Sum256(b)
	}
	h := sha256.New()
	b := AppendHead(append(buf[:0], head...), MajorBytes, uint64(len(protected)))
	h.Write(b)
	h.Write(protected)
	h.Write(AppendHead(buf[:0], MajorBytes, uint64(len(external))))
	h.Write(external)
	h.Write(AppendHead(buf[:0], MajorBytes, uint64(len(payload))))
	h.Write(payload)
	var d [32]byte
	h.Sum(d[:0])
	return d
}

// der appends the ASN.1 form of raw, which is r || s of 32 bytes each.
func der(dst, raw []byte) []byte {
	dst = append(dst, 0x30, 0)
	for _, n := range [2][]byte{raw[:32], raw[32:64]} {
		for len(n) > 1 && n[0] == 0 {
			n = n[1:]
		}
		if n[0] >= 0x80 {
			dst = append(dst, 2, byte(len(n)+1), 0)
		} else {
			dst = append(dst, 2, byte(len(n)))
		}
		dst = append(dst, n...)
	}
	dst[1] = byte(len(dst) - 2)
	return dst
}

// appendRaw appends r || s, 32 bytes each, of a DER signature that crypto/ecdsa made.
func appendRaw(dst, sig []byte) ([]byte, error) {
	if len(sig) < 8 || sig[0] != 0x30 || int(sig[1]) != len(sig)-2 {
		return nil, ErrForm
	}
	sig = sig[2:]
	for range 2 {
		if len(sig) < 2 || sig[0] != 2 || len(sig) < 2+int(sig[1]) {
			return nil, ErrForm
		}
		n := sig[2 : 2+int(sig[1])]
		sig = sig[2+len(n):]
		for len(n) > 0 && n[0] == 0 {
			n = n[1:]
		}
		if len(n) > 32 {
			return nil, ErrForm
		}
		var pad [32]byte
		copy(pad[32-len(n):], n)
		dst = append(dst, pad[:]...)
	}
	return dst, nil
}

// AppendDER appends the ASN.1 form of a signature of ECDSA on P-256 (RFC 3279 section
// 2.2.3), which crypto/ecdsa takes at the least cost. raw is r || s of 32 bytes each; 72
// bytes are enough for the answer.
func AppendDER(dst, raw []byte) []byte { return der(dst, raw) }
