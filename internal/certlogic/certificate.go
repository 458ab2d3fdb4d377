// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package certlogic

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// Certificate is what rules are asked of: a decoded certificate, in the form of the EU
// Digital COVID Certificate (payload of claim -260.1), and what stands around it. Whether
// it is genuine is not asked here.
type Certificate struct {
	Payload Value
	Issuer  string    // country that issued it, ISO 3166 alpha-2, empty where not known
	KeyID   string    // kid of the signer, base64, empty where not known
	Issued  time.Time // iat, zero where not known
	Expires time.Time // exp, zero where not known
}

// String keeps what a certificate says out of logs.
func (Certificate) String() string { return "[redacted]" }

// GoString is String.
func (Certificate) GoString() string { return "[redacted]" }

// MarshalJSON keeps what a certificate says out of JSON. AppendJSON writes it.
func (Certificate) MarshalJSON() ([]byte, error) { return []byte("null"), nil }

// ParseCertificate reads a certificate as CertificateOf does, from JSON.
func ParseCertificate(b []byte) (*Certificate, error) {
	v, err := Parse(b)
	if err != nil {
		return nil, err
	}
	return CertificateOf(v)
}

func certificateFields() []string { return []string{"expires", "issued", "issuer", "kid", "payload"} }

// CertificateOf reads a certificate from an object:
//
//	{"payload": {"ver": "1.3.0", "dob": "1964-08-12", "v": [{…}]}, "issuer": "XB", "kid": "…",
//	 "issued": "2021-06-01T00:00:00Z", "expires": "2022-06-01T00:00:00Z"}
//
// The payload must be there and be an object; another field is an error. The errors tell
// nothing of what the certificate says.
func CertificateOf(v Value) (*Certificate, error) {
	if v.kind != Object || v.Member(rootPayload).kind != Object {
		return nil, errors.New("a certificate is an object with payload, an object")
	}
	c := &Certificate{Payload: v.Member(rootPayload)}
	for i, k := range v.x.keys {
		if !slices.Contains(certificateFields(), k) {
			return nil, errors.New("a certificate has payload, issuer, kid, issued and expires alone")
		}
		if k == rootPayload {
			continue
		}
		s, ok := v.x.list[i].Str()
		if !ok || s == "" || len(s) > 256 {
			return nil, fmt.Errorf("%s of a certificate is no text", k)
		}
		switch k {
		case "issuer":
			c.Issuer = s
		case "kid":
			c.KeyID = s
		default:
			t, err := time.Parse(time.RFC3339, s)
			if err != nil {
				return nil, fmt.Errorf("%s of a certificate is no instant", k)
			}
			if k == "issued" {
				c.Issued = t.UTC()
			} else {
				c.Expires = t.UTC()
			}
		}
	}
	return c, nil
}

// AppendJSON appends the certificate as CertificateOf reads it, members sorted, what is not
// known left out.
func (c *Certificate) AppendJSON(b []byte) []byte {
	b = append(b, '{')
	member := func(name, text string) {
		if text != "" {
			b = append(appendText(append(appendText(b, name), ':'), text), ',')
		}
	}
	stamp := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.UTC().Format(time.RFC3339Nano)
	}
	member("expires", stamp(c.Expires))
	member("issued", stamp(c.Issued))
	member("issuer", c.Issuer)
	member("kid", c.KeyID)
	return append(c.Payload.append(append(b, `"payload":`...), maxBytes), '}')
}
