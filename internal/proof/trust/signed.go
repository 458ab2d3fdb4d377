// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package trust

import (
	"bytes"
	"cmp"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"darwaza.dev/internal/cose"
	"darwaza.dev/internal/proof"
)

// A list of two sides is JSON with the list as bytes, and a signature by each side over
// the SHA-256 of those bytes:
//
//	{ "darwaza": "trust-list/1", "list": base64, "signatures": [ base64(COSE_Sign1), … ] }
//
//	list = { "number": 7, "issued": "2026-11-20T00:00:00Z",
//	         "keys":      [ { "kid": base64, "country": "AUT", "certificate": base64 },
//	                        { "country": "AUT", "certificate": base64, "authority": true },
//	                        { "kid": base64, "country": "AUT", "key": base64, "usage": ["t"] } ],
//	         "withdrawn": [ { "kid": base64, "country": "AUT" or "" } ] }
//
// An authority signs nobody's certificate: it vouches for the signers of seals. Its kid is
// there where a list named it otherwise than by its hash. A key
// without a certificate (SubjectPublicKeyInfo) has the usages t, v and r, none for all.
//
// The payload of each COSE_Sign1 is the hash, its external data "darwaza.dev/trust-list/1".
const signedForm = "trust-list/1"

func externalList() []byte { return []byte("darwaza.dev/" + signedForm) }

// ErrSigned is the error of a list of two sides that both have not signed, or that is of
// another form.
var ErrSigned = errors.New("trust: not a list that both sides have signed")

// An Opener returns the payload of a COSE_Sign1 that a side signed, and which: 0 or 1 for
// A or B. external is the data that both ends know.
type Opener func(msg, external []byte) (side int, payload []byte, err error)

// BySides opens messages by one key of each side.
func BySides(a, b *ecdsa.PublicKey) Opener {
	return func(msg, external []byte) (int, []byte, error) {
		m, err := cose.Parse(msg)
		if err != nil {
			return 0, nil, err
		}
		for side, pub := range []*ecdsa.PublicKey{a, b} {
			if err = m.VerifyExternal(pub, external); err == nil {
				return side, m.Payload, nil
			}
		}
		return 0, nil, err
	}
}

type signedList struct {
	Darwaza    string   `json:"darwaza"`
	List       []byte   `json:"list"`
	Signatures [][]byte `json:"signatures"`
}

type listEntry struct {
	Kid         []byte   `json:"kid,omitempty"`
	Country     string   `json:"country"`
	Certificate []byte   `json:"certificate,omitempty"`
	Authority   bool     `json:"authority,omitempty"`
	Key         []byte   `json:"key,omitempty"`
	Usage       []string `json:"usage,omitempty"`
}

type listBody struct {
	Number    uint64      `json:"number"`
	Issued    time.Time   `json:"issued"`
	Keys      []listEntry `json:"keys"`
	Withdrawn []listEntry `json:"withdrawn"`
}

// usages are the letters of Usage in lists, as apps of the EU's states have them.
var usages = [...]struct {
	letter string
	usage  proof.Usage
}{{"t", proof.UsageTest}, {"v", proof.UsageVaccination}, {"r", proof.UsageRecovery}}

// IsSigned reports whether a file looks like a list of two sides.
func IsSigned(b []byte) bool {
	return bytes.Contains(b, []byte(`"darwaza"`)) && bytes.Contains(b, []byte(`"signatures"`))
}

// Compose returns the bytes of a list with a number, which rises from one to the next, for
// both sides to sign. It has the keys, the authorities and the withdrawals of lists, each
// once, with the key ids and countries that those say, in an order of their own: the same
// lists make the same bytes.
func Compose(number uint64, issued time.Time, lists ...*List) ([]byte, error) {
	body := listBody{Number: number, Issued: issued.UTC(), Keys: []listEntry{}, Withdrawn: []listEntry{}}
	for _, l := range lists {
		for _, s := range l.signers {
			kid := s.id
			if kid == nil && !bytes.Equal(s.listed, s.cert.KeyID()) {
				kid = s.listed
			}
			body.Keys = append(body.Keys, listEntry{Kid: kid, Country: s.country, Certificate: s.cert.DER, Authority: s.id == nil})
		}
		for id, ks := range l.signed {
			for _, k := range ks {
				if !k.NotBefore.IsZero() || !k.NotAfter.IsZero() {
					continue // that of a certificate, which is among the signers
				}
				der, err := x509.MarshalPKIXPublicKey(k.Public)
				if err != nil {
					return nil, err
				}
				e := listEntry{Kid: []byte(id), Country: k.Country, Key: der}
				for _, u := range usages {
					if k.Usage&u.usage != 0 {
						e.Usage = append(e.Usage, u.letter)
					}
				}
				body.Keys = append(body.Keys, e)
			}
		}
		for id, countries := range l.withdrawn {
			for _, country := range countries {
				body.Withdrawn = append(body.Withdrawn, listEntry{Kid: []byte(id), Country: country})
			}
		}
	}
	for _, entries := range []*[]listEntry{&body.Keys, &body.Withdrawn} {
		slices.SortFunc(*entries, func(a, b listEntry) int {
			return cmp.Or(cmp.Compare(a.Country, b.Country), bytes.Compare(a.Kid, b.Kid), bytes.Compare(a.Certificate, b.Certificate),
				bytes.Compare(a.Key, b.Key), slices.Compare(a.Usage, b.Usage))
		})
		*entries = slices.CompactFunc(*entries, func(a, b listEntry) bool {
			return a.Country == b.Country && bytes.Equal(a.Kid, b.Kid) && bytes.Equal(a.Certificate, b.Certificate) &&
				bytes.Equal(a.Key, b.Key) && slices.Equal(a.Usage, b.Usage)
		})
	}
	return json.Marshal(body)
}

// Sign returns one side's signature of a list's bytes.
func Sign(priv *ecdsa.PrivateKey, list []byte) ([]byte, error) {
	sum := sha256.Sum256(list)
	return cose.Sign1(priv, cose.Header{Alg: cose.ES256}, sum[:], externalList())
}

// maxSignatures is how many signatures a list has at most.
const maxSignatures = 8

// Bind returns the file of a list with signatures, none of them to begin with.
func Bind(list []byte, signatures ...[]byte) ([]byte, error) {
	return json.Marshal(signedList{signedForm, list, append([][]byte{}, signatures...)})
}

// Unbind takes the file of a list apart, whoever has signed it. Nothing of it is to be
// believed: see Signed.
func Unbind(b []byte) (list []byte, signatures [][]byte, err error) {
	var s signedList
	if len(b) > MaxList || json.Unmarshal(b, &s) != nil || s.Darwaza != signedForm || len(s.Signatures) > maxSignatures {
		return nil, nil, ErrSigned
	}
	return s.List, s.Signatures, nil
}

// Signed reports which sides have signed a list's bytes, A and B.
func Signed(list []byte, signatures [][]byte, open Opener) (signed [2]bool) {
	sum := sha256.Sum256(list)
	for _, sig := range signatures {
		side, payload, err := open(sig, externalList())
		if err == nil && side >= 0 && side < 2 && bytes.Equal(payload, sum[:]) {
			signed[side] = true
		}
	}
	return signed
}

// Open reads a list of two sides and verifies that both have signed these bytes.
func Open(name string, b []byte, open Opener) (*List, error) {
	list, signatures, err := Unbind(b)
	if err != nil {
		return nil, err
	}
	if Signed(list, signatures, open) != [2]bool{true, true} {
		return nil, ErrSigned
	}
	return ReadList(name, list)
}

// ReadList reads the bytes that two sides sign, whoever has signed them.
func ReadList(name string, list []byte) (*List, error) {
	var body listBody
	if json.Unmarshal(list, &body) != nil || body.Issued.IsZero() {
		return nil, ErrSigned
	}
	l := NewList(name, body.Issued.UTC())
	l.Number = body.Number
	for _, e := range body.Keys {
		country := countryOf(e.Country)
		entry := base64.StdEncoding.EncodeToString(e.Kid)
		if e.Certificate == nil {
			k := proof.Key{Public: publicKey(e.Key), Country: country}
			for _, u := range usages {
				if slices.Contains(e.Usage, u.letter) {
					k.Usage |= u.usage
				}
			}
			if k.Public == nil || len(e.Kid) == 0 {
				l.reject(entry, errKey)
				continue
			}
			l.AddKey(e.Kid, k)
			continue
		}
		cert, err := ParseCertificate(e.Certificate)
		switch {
		case err != nil || len(e.Kid) == 0 && !e.Authority:
			l.reject(entry, ErrCertificate)
		case e.Authority:
			l.addAuthority(e.Kid, country, cert)
		default:
			l.AddCertificate(e.Kid, country, cert)
		}
	}
	for _, e := range body.Withdrawn {
		l.Withdraw(e.Kid, countryOf(e.Country))
	}
	return l, nil
}

// countryOf is a country as a list names it, known or not: one that is not known is no
// other country, and never all of them.
func countryOf(s string) string {
	if c, ok := proof.Country(s); ok {
		return c
	}
	return s
}
