// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package trust

import (
	"bytes"
	"crypto"
	"crypto/elliptic"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"maps"
	"math/big"
	"path"
	"slices"
	"strings"
	"time"

	"darwaza.dev/internal/proof"
)

// MaxList is the greatest length of a list in bytes. The EU's had 4 MB at its largest.
const MaxList = 64 << 20

// ErrForm is the error of a file that is no list of a form that is known.
var ErrForm = errors.New("trust: not a list of keys of a form that is known")

// errKey is of an entry.
var errKey = errors.New("trust: no key that can be used")

// Read reads a file as a list of whatever form. name is the file's, by which a lone
// certificate gets its key id; at is when it was fetched, zero where nobody knows. A list
// that is signed by the two sides is not read here: see Open.
func Read(name string, b []byte, at time.Time) (*List, error) {
	if len(b) > MaxList {
		return nil, ErrForm
	}
	l := NewList(name, at)
	t := bytes.TrimSpace(bytes.TrimPrefix(b, []byte("\ufeff")))
	if len(t) == 0 {
		return nil, ErrForm
	}
	// A list of the gateway as apps fetch it: the signature on a line, and then the list.
	if line, rest, ok := bytes.Cut(t, []byte("\n")); ok && t[0] != '{' && t[0] != '[' && t[0] != '-' {
		if rest = bytes.TrimSpace(rest); isBase64(line) && len(rest) > 0 && (rest[0] == '{' || rest[0] == '[') {
			t = rest
		}
	}
	switch {
	case t[0] == '[':
		return l, l.readGateway(t)
	case t[0] == '{':
		return l, l.readObject(t)
	}
	return l, l.AddFile(name, b)
}

func isBase64(b []byte) bool {
	_, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(b)))
	return err == nil && len(b) > 16
}

// AddFile adds the certificates of a file, PEM (any number) or DER (one). Its name without
// the ending is the key id, in base64 as it stands or percent-encoded; a name that is no
// key id leaves the certificate's own.
func (l *List) AddFile(name string, b []byte) error {
	id := fileKeyID(name)
	n := 0
	add := func(der []byte) {
		n++
		if cert, err := ParseCertificate(der); err != nil {
			l.reject(name, err)
		} else {
			l.AddCertificate(id, "", cert)
		}
	}
	rest := b
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		switch block.Type {
		case "CERTIFICATE":
			add(block.Bytes)
		case "PUBLIC KEY":
			n++
			if k := publicKey(block.Bytes); k == nil {
				l.reject(name, errKey)
			} else if id == nil {
				l.reject(name, errors.New("trust: a key without a key id"))
			} else {
				l.AddKey(id, proof.Key{Public: k})
			}
		}
	}
	if n == 0 && len(b) > 0 && b[0] == 0x30 {
		add(b)
	}
	if n == 0 {
		return ErrForm
	}
	return nil
}

// fileKeyID returns the eight bytes that a file's name says, nil where it says none.
func fileKeyID(name string) []byte {
	base := path.Base(strings.ReplaceAll(name, "\\", "/"))
	for _, ending := range []string{".pem", ".cer", ".crt", ".der"} {
		if len(base) > len(ending) && strings.EqualFold(base[len(base)-len(ending):], ending) {
			base = base[:len(base)-len(ending)]
			break
		}
	}
	base = strings.NewReplacer("%2B", "+", "%2b", "+", "%2F", "/", "%2f", "/", "%3D", "=", "%3d", "=").Replace(base)
	if id, ok := keyID(base); ok && len(id) == 8 {
		return id
	}
	return nil
}

// keyID reads a key id of a list: base64 in any of its forms.
func keyID(s string) ([]byte, bool) {
	s = strings.TrimRight(strings.TrimSpace(s), "=")
	s = strings.NewReplacer("-", "+", "_", "/").Replace(s)
	id, err := base64.RawStdEncoding.DecodeString(s)
	return id, err == nil && len(id) > 0
}

// unbase64 reads the base64 of a certificate or a number, with or without line ends.
func unbase64(s string) ([]byte, bool) {
	s = strings.NewReplacer("-", "+", "_", "/", "\r", "", "\n", "", " ", "").Replace(s)
	b, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(s, "="))
	return b, err == nil && len(b) > 0
}

// A jwk is a key of RFC 7517.
type jwk struct {
	Kty string   `json:"kty"`
	Kid string   `json:"kid"`
	Crv string   `json:"crv"`
	X   string   `json:"x"`
	Y   string   `json:"y"`
	N   string   `json:"n"`
	E   string   `json:"e"`
	X5C []string `json:"x5c"`
}

// public returns the key that the numbers say, nil for none.
func (j *jwk) public() crypto.PublicKey {
	switch j.Kty {
	case "EC":
		curves := map[string]elliptic.Curve{"P-256": elliptic.P256(), "P-384": elliptic.P384(), "P-521": elliptic.P521()}
		curve := curves[j.Crv]
		x, ok1 := unbase64(j.X)
		y, ok2 := unbase64(j.Y)
		if curve == nil || !ok1 || !ok2 {
			return nil
		}
		// Some lists drop leading zeros, others write the sign's.
		size := (curve.Params().BitSize + 7) / 8
		x, y = bytes.TrimLeft(x, "\x00"), bytes.TrimLeft(y, "\x00")
		if len(x) > size || len(y) > size {
			return nil
		}
		point := make([]byte, 1+2*size)
		point[0] = 4
		copy(point[1+size-len(x):], x)
		copy(point[1+2*size-len(y):], y)
		return PointKey(curve, point)
	case "RSA":
		n, ok1 := unbase64(j.N)
		e, ok2 := unbase64(j.E)
		if !ok1 || !ok2 || len(e) > 4 {
			return nil
		}
		return RSAKey(new(big.Int).SetBytes(n), int(new(big.Int).SetBytes(e).Int64()))
	}
	return nil
}

// certificate returns the first of the certificates that come with the key, which is the
// key's own, where it can be read.
func (j *jwk) certificate() *Certificate {
	if len(j.X5C) == 0 {
		return nil
	}
	der, ok := unbase64(j.X5C[0])
	if !ok {
		return nil
	}
	cert, err := ParseCertificate(der)
	if err != nil {
		return nil
	}
	return cert
}

// object is every list that is a JSON object, by the member that tells which it is.
type object struct {
	VerificationMethod []json.RawMessage          `json:"verificationMethod"`
	Certificates       []json.RawMessage          `json:"certificates"`
	EUKeys             map[string]json.RawMessage `json:"eu_keys"`
	Proof              struct {
		Created time.Time `json:"created"`
	} `json:"proof"`
}

func (l *List) readObject(b []byte) error {
	var o object
	if err := json.Unmarshal(b, &o); err != nil {
		// A member that is another thing elsewhere does not tell against the map of ids.
		var m map[string]json.RawMessage
		if json.Unmarshal(b, &m) != nil {
			return ErrForm
		}
		return l.readMap(m)
	}
	switch {
	case o.VerificationMethod != nil:
		if !o.Proof.Created.IsZero() {
			l.At = o.Proof.Created.UTC()
		}
		for _, m := range o.VerificationMethod {
			l.readMethod(m)
		}
		return nil
	case o.Certificates != nil:
		l.readEntries(o.Certificates)
		return nil
	case o.EUKeys != nil:
		return l.readMap(o.EUKeys)
	}
	var m map[string]json.RawMessage
	if json.Unmarshal(b, &m) != nil {
		return ErrForm
	}
	return l.readMap(m)
}

// readMethod reads one verification method of a DID document of the trust network. Its id
// says who vouches for it, and in version 2 for what:
//
//	did:web:HOST:trustlist:CCC#KID                          version 1
//	did:web:HOST:v2:trustlist:DOMAIN:CCC:USAGE#KID          version 2; USAGE is DSC, SCA, DECA or DESC
//
// A text in place of a method points to another document and holds no key. Authorities
// (SCA) do not sign certificates of persons; they vouch for the signers of seals.
func (l *List) readMethod(raw json.RawMessage) {
	var m struct {
		ID  string `json:"id"`
		JWK jwk    `json:"publicKeyJwk"`
	}
	if len(raw) > 0 && raw[0] == '"' {
		return
	}
	if json.Unmarshal(raw, &m) != nil {
		l.reject("verificationMethod", errKey)
		return
	}
	who, kid, ok := strings.Cut(m.ID, "#")
	_, who, ok2 := strings.Cut(who, ":trustlist")
	if kid == "" {
		kid = m.JWK.Kid
	}
	id, ok3 := keyID(kid)
	if !ok || !ok2 || !ok3 {
		l.reject(m.ID, errKey)
		return
	}
	parts := strings.Split(strings.TrimPrefix(who, ":"), ":")
	participant, usage := parts[0], "DSC"
	if len(parts) == 3 {
		participant, usage = parts[1], parts[2]
	}
	country, known := proof.Country(participant)
	if !known && !strings.EqualFold(participant, "null") {
		country = strings.ToUpper(participant)
	}
	cert, public := m.JWK.certificate(), m.JWK.public()
	if cert != nil && public != nil && !cert.Public.(interface{ Equal(crypto.PublicKey) bool }).Equal(public) {
		l.reject(m.ID, errors.New("trust: the certificate is of another key"))
		return
	}
	switch {
	case usage == "SCA" && cert != nil:
		l.addAuthority(id, country, cert)
	case usage == "SCA" || usage == "DECA" || usage == "DESC":
		// Without a certificate an authority has no name to issue by; the other two sign
		// decision rules and value sets.
	case cert != nil:
		l.AddCertificate(id, country, cert)
	case public != nil:
		l.AddKey(id, proof.Key{Public: public, Country: country})
	default:
		l.reject(m.ID, errKey)
	}
}

// readGateway reads a list of the EU's gateway (dgc-gateway, trust list): an array of
// certificates with their type, country and key id.
func (l *List) readGateway(b []byte) error {
	var entries []json.RawMessage
	if json.Unmarshal(b, &entries) != nil {
		return ErrForm
	}
	l.readEntries(entries)
	return nil
}

func (l *List) readEntries(entries []json.RawMessage) {
	for _, raw := range entries {
		var e struct {
			Kid             string `json:"kid"`
			Country         string `json:"country"`
			CertificateType string `json:"certificateType"`
			RawData         string `json:"rawData"`
		}
		if json.Unmarshal(raw, &e) != nil {
			l.reject("certificates", errKey)
			continue
		}
		der, ok := unbase64(e.RawData)
		if !ok {
			l.reject(e.Kid, errKey)
			continue
		}
		cert, err := ParseCertificate(der)
		if err != nil {
			l.reject(e.Kid, err)
			continue
		}
		id, ok := keyID(e.Kid)
		if !ok {
			id = nil
		}
		country := e.Country
		if c, ok := proof.Country(country); ok {
			country = c
		}
		switch e.CertificateType {
		case "", "DSC":
			l.AddCertificate(id, country, cert)
		case "CSCA":
			l.addAuthority(id, country, cert)
		default: // UPLOAD and AUTHENTICATION are keys of the gateway's own traffic
		}
	}
}

// readMap reads an object of key ids: to a certificate in base64, to an array of them, or
// to an array of {subjectPk, keyUsage, ian}, a key with what it may sign and its country.
func (l *List) readMap(m map[string]json.RawMessage) error {
	n := 0
	for _, kid := range slices.Sorted(maps.Keys(m)) {
		raw := m[kid]
		id, ok := keyID(kid)
		var one string
		var many []string
		var keys []struct {
			SubjectPK string   `json:"subjectPk"`
			KeyUsage  []string `json:"keyUsage"`
			IAN       string   `json:"ian"`
		}
		switch {
		case !ok:
			continue
		case json.Unmarshal(raw, &one) == nil:
			many = []string{one}
		case json.Unmarshal(raw, &many) == nil:
		case json.Unmarshal(raw, &keys) == nil:
		default:
			continue
		}
		for _, s := range many {
			der, ok := unbase64(s)
			if !ok {
				continue
			}
			n++
			if cert, err := ParseCertificate(der); err == nil {
				l.AddCertificate(id, "", cert)
			} else if k := publicKey(der); k != nil {
				l.AddKey(id, proof.Key{Public: k})
			} else {
				l.reject(kid, err)
			}
		}
		for _, e := range keys {
			n++
			der, _ := unbase64(e.SubjectPK)
			k := proof.Key{Public: publicKey(der)}
			if k.Public == nil {
				l.reject(kid, errKey)
				continue
			}
			if k.Country, ok = proof.Country(e.IAN); !ok {
				k.Country = strings.ToUpper(e.IAN)
			}
			for _, u := range usages {
				if slices.Contains(e.KeyUsage, u.letter) {
					k.Usage |= u.usage
				}
			}
			l.AddKey(id, k)
		}
	}
	if n == 0 {
		return ErrForm
	}
	return nil
}

// publicKey reads a SubjectPublicKeyInfo, nil for none that can be used.
func publicKey(der []byte) crypto.PublicKey {
	in := spki(der)
	if in == nil {
		return nil
	}
	return readKey(in)
}
