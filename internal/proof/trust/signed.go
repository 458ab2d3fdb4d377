// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package trust

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
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
//	         "keys":      [ { "kid": base64, "country": "AUT", "certificate": base64 } ],
//	         "withdrawn": [ { "kid": base64, "country": "AUT" or "" } ] }
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
	Kid         []byte `json:"kid"`
	Country     string `json:"country"`
	Certificate []byte `json:"certificate,omitempty"`
}

type listBody struct {
	Number    uint64      `json:"number"`
	Issued    time.Time   `json:"issued"`
	Keys      []listEntry `json:"keys"`
	Withdrawn []listEntry `json:"withdrawn"`
}

// IsSigned reports whether a file looks like a list of two sides.
func IsSigned(b []byte) bool {
	return bytes.Contains(b, []byte(`"darwaza"`)) && bytes.Contains(b, []byte(`"signatures"`))
}

// Compose returns the bytes of a list with a number, which rises from one to the next, for
// both sides to sign. Of the certificates each has its own id.
func Compose(number uint64, issued time.Time, certs []*Certificate, withdrawn [][]byte) ([]byte, error) {
	body := listBody{Number: number, Issued: issued.UTC()}
	for _, c := range certs {
		body.Keys = append(body.Keys, listEntry{c.KeyID(), c.Country, c.DER})
	}
	for _, id := range withdrawn {
		body.Withdrawn = append(body.Withdrawn, listEntry{Kid: id})
	}
	return json.Marshal(body)
}

// Sign returns one side's signature of a list's bytes.
func Sign(priv *ecdsa.PrivateKey, list []byte) ([]byte, error) {
	sum := sha256.Sum256(list)
	return cose.Sign1(priv, cose.Header{Alg: cose.ES256}, sum[:], externalList())
}

// Bind returns the file of a list with the signatures of both sides.
func Bind(list []byte, signatures ...[]byte) ([]byte, error) {
	return json.Marshal(signedList{signedForm, list, signatures})
}

// Open reads a list of two sides and verifies that both have signed these bytes.
func Open(name string, b []byte, open Opener) (*List, error) {
	var s signedList
	if len(b) > MaxList || json.Unmarshal(b, &s) != nil || s.Darwaza != signedForm || len(s.Signatures) > 8 {
		return nil, ErrSigned
	}
	sum := sha256.Sum256(s.List)
	var signed [2]bool
	for _, sig := range s.Signatures {
		side, payload, err := open(sig, externalList())
		if err == nil && side >= 0 && side < 2 && bytes.Equal(payload, sum[:]) {
			signed[side] = true
		}
	}
	if !signed[0] || !signed[1] {
		return nil, ErrSigned
	}
	var body listBody
	if json.Unmarshal(s.List, &body) != nil || body.Issued.IsZero() {
		return nil, ErrSigned
	}
	l := NewList(name, body.Issued.UTC())
	for _, e := range body.Keys {
		cert, err := ParseCertificate(e.Certificate)
		if err != nil || len(e.Kid) == 0 {
			l.reject(base64.StdEncoding.EncodeToString(e.Kid), ErrCertificate)
			continue
		}
		country, _ := proof.Country(e.Country)
		l.AddCertificate(e.Kid, country, cert)
	}
	for _, e := range body.Withdrawn {
		country, _ := proof.Country(e.Country)
		l.Withdraw(e.Kid, country)
	}
	return l, nil
}
