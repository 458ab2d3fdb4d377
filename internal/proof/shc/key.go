// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package shc

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"

	"darwaza.dev/internal/jcs"
	"darwaza.dev/internal/proof"
)

// ErrKeySet is the error of a key set that cannot be read at all. A key that cannot be
// used loses itself alone.
var ErrKeySet = errors.New("shc: not a set of keys")

// ErrRevoked is the error of a list of revocations that cannot be used.
var ErrRevoked = errors.New("shc: not a list of revocations")

// An IssuerKey is one key of an issuer, by the id under which cards name it.
type IssuerKey struct {
	ID  string
	Key proof.Key
	// CRLVersion is the counter of the list of revocations that belongs to the key, 0
	// where the issuer has none.
	CRLVersion int64
}

// A Refused key of a set, and why in a word of this package: "kty", "use", "alg", "crv",
// "private", "point", "kid", "x5c".
type Refused struct {
	ID  string
	Why string
}

// maxKeySet bounds the file; the largest directory that is published has some 4 MB.
const maxKeySet = 1 << 25

var listLimits = jcs.Limits{Size: maxKeySet, Values: 1 << 21, Depth: 16, Members: 64}

// KeysFile is what a file of keys holds.
type KeysFile struct {
	Keys    []IssuerKey
	Refused []Refused
	// Revoked are the lists that stand in the same file, as in a directory.
	Revoked []Revoked
}

// ReadKeys reads the keys that issuers publish (section "Determining keys associated with
// an issuer"): one issuer's set, {"keys":[…]}, one key alone, or a directory of many,
// {"issuerInfo":[{"issuer":{"iss":…},"keys":[…],"crls":[…]}]}, as the VCI coalition has it.
//
// A set does not say whose it is, since it is fetched from the issuer's address. So issuer
// is that address, and where it is empty a member "issuer" of the set, and then the
// address in the certificate of any of its keys, for a set is one issuer's. Keys of a set
// that is nobody's are bound to no issuer.
func ReadKeys(b []byte, issuer string) (KeysFile, error) {
	var f KeysFile
	d, err := jcs.Parse(b, listLimits)
	if err != nil {
		return f, fmt.Errorf("%w: %w", ErrKeySet, err)
	}
	root := d.Root()
	if infos := root.Get("issuerInfo"); infos.Is(jcs.Array) {
		for info := range infos.All() {
			iss, _ := info.At("issuer", "iss").Text()
			if iss == "" {
				continue // nobody's keys in a directory of issuers
			}
			f.set(info.Get("keys").All(), iss)
			for list := range info.Get("crls").All() {
				if r, err := readRevoked(list); err == nil {
					f.Revoked = append(f.Revoked, r)
				}
			}
		}
		return f, nil
	}
	if issuer == "" {
		issuer, _ = root.Get("issuer").Text()
	}
	switch {
	case root.Get("keys").Is(jcs.Array):
		f.set(root.Get("keys").All(), issuer)
	case root.Get("kty").Is(jcs.String):
		f.set(func(yield func(jcs.Value) bool) { yield(root) }, issuer)
	default:
		return f, ErrKeySet
	}
	return f, nil
}

func (f *KeysFile) set(keys iter.Seq[jcs.Value], issuer string) {
	first := len(f.Keys)
	for k := range keys {
		key, address, why := readKey(k)
		if why != "" {
			f.Refused = append(f.Refused, Refused{key.ID, why})
			continue
		}
		if issuer == "" {
			issuer = address
		}
		f.Keys = append(f.Keys, key)
	}
	for i := range f.Keys[first:] {
		f.Keys[first+i].Key.Issuer = issuer
		f.Keys[first+i].Key.List = issuer
	}
}

// readKey reads one JWK (RFC 7517, RFC 7518 section 6.2) and returns the address in its
// certificate, if it has one, or why it is not taken.
func readKey(k jcs.Value) (key IssuerKey, address, why string) {
	key.ID, _ = k.Get("kid").Text()
	if len(key.ID) > 128 {
		key.ID = ""
	}
	switch {
	case !k.Get("kty").Equal("EC"):
		return key, "", "kty"
	case !k.Get("use").Equal("sig"):
		return key, "", "use"
	case !k.Get("alg").Equal("ES256"):
		return key, "", "alg"
	case !k.Get("crv").Equal("P-256"):
		return key, "", "crv"
	case k.Get("d").Kind() != jcs.None:
		return key, "", "private" // whoever read the set can sign with it
	}
	var point [65]byte
	point[0] = 4
	for i, name := range []string{"x", "y"} {
		text, ok := k.Get(name).Text()
		b, err := strict.DecodeString(text)
		if !ok || err != nil || len(b) != 32 {
			return key, "", "point"
		}
		copy(point[1+32*i:], b)
	}
	pub, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point[:])
	if err != nil {
		return key, "", "point"
	}
	if key.ID != thumbprint(point) {
		return key, "", "kid"
	}
	key.Key.Public = pub
	key.CRLVersion, _ = k.Get("crlVersion").Int()
	if chain := k.Get("x5c"); chain.Kind() != jcs.None {
		if address, ok := leafOf(chain, pub); ok {
			return key, address, ""
		}
		return key, "", "x5c"
	}
	return key, "", ""
}

// thumbprint is the SHA-256 thumbprint of a P-256 key (RFC 7638 section 3).
func thumbprint(point [65]byte) string {
	text := `{"crv":"P-256","kty":"EC","x":"` + base64.RawURLEncoding.EncodeToString(point[1:33]) +
		`","y":"` + base64.RawURLEncoding.EncodeToString(point[33:]) + `"}`
	sum := sha256.Sum256([]byte(text))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// leafOf checks that the first certificate of a chain is the key's own, and returns the
// address that it names. The chain itself is not what the key is trusted for: that is the
// list that it stands in. So neither its end nor its age matters here.
func leafOf(chain jcs.Value, pub *ecdsa.PublicKey) (address string, ok bool) {
	for first := range chain.All() {
		text, _ := first.Text()
		der, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return "", false
		}
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			return "", false
		}
		certified, isEC := cert.PublicKey.(*ecdsa.PublicKey)
		if !isEC || !certified.Equal(pub) {
			return "", false
		}
		if len(cert.URIs) == 1 {
			address = cert.URIs[0].String()
		}
		return address, true
	}
	return "", false
}

// Keys are the keys of issuers by their id, as a trusted list for one format.
type Keys struct {
	byID map[string][]proof.Key
	age  proof.Age
}

// NewKeys returns the keys as a list of the age given.
func NewKeys(keys []IssuerKey, age proof.Age) *Keys {
	l := &Keys{byID: make(map[string][]proof.Key, len(keys)), age: age}
	for _, k := range keys {
		l.byID[k.ID] = append(l.byID[k.ID], k.Key)
	}
	return l
}

// Keys answers as proof.Keys asks.
func (l *Keys) Keys(q proof.Query) ([]proof.Key, proof.Age) {
	if q.Format != proof.SHC || l.age == proof.Absent {
		return nil, proof.Absent
	}
	if l.age == proof.TooOld {
		return nil, l.age
	}
	return l.byID[string(q.KeyID)], l.age
}

// Revoked is an issuer's list of the cards that it has revoked, for one of its keys
// (section "Revocation").
type Revoked struct {
	KeyID   string
	Counter int64 // how often the list was changed, from 1
	// Entries is how many the list has, and Refused how many of them are none. Where Len
	// and Refused are fewer together, a number stands in it more than once.
	Entries, Refused int
	// before says for a number the instant before which the cards that have it are
	// revoked, as seconds since 1970; always for all of them.
	before map[string]int64
}

// always is later than any card: the entry has no time.
const always = int64(1) << 62

// ReadRevoked reads a list of revocations, {"kid":…,"method":"rid","ctr":…,"rids":[…]}. An
// entry that is none is counted and loses itself alone.
func ReadRevoked(b []byte) (Revoked, error) {
	d, err := jcs.Parse(b, listLimits)
	if err != nil {
		return Revoked{}, fmt.Errorf("%w: %w", ErrRevoked, err)
	}
	return readRevoked(d.Root())
}

func readRevoked(v jcs.Value) (Revoked, error) {
	var r Revoked
	var ok bool
	if r.KeyID, ok = v.Get("kid").Text(); !ok || r.KeyID == "" {
		return r, fmt.Errorf("%w: no key id", ErrRevoked)
	}
	if !v.Get("method").Equal("rid") {
		return r, fmt.Errorf("%w: method is not rid", ErrRevoked)
	}
	if r.Counter, ok = v.Get("ctr").Int(); !ok || r.Counter < 1 {
		return r, fmt.Errorf("%w: no counter", ErrRevoked)
	}
	list := v.Get("rids")
	if !list.Is(jcs.Array) {
		return r, fmt.Errorf("%w: no entries", ErrRevoked)
	}
	r.before = make(map[string]int64, list.Len())
	r.Entries = list.Len()
	for e := range list.All() {
		text, _ := e.Text()
		rid, stamp, timed := strings.Cut(text, ".")
		until := always
		if timed {
			n, err := strconv.ParseInt(stamp, 10, 64)
			if err != nil || n < 0 {
				r.Refused++
				continue
			}
			until = min(n, always-1)
		}
		if !isRID(rid) {
			r.Refused++
			continue
		}
		// Of two entries for one number, the one that revokes more.
		r.before[rid] = max(r.before[rid], until)
	}
	return r, nil
}

// Len returns how many numbers the list has.
func (r *Revoked) Len() int { return len(r.before) }

// Has reports whether a card of a number, issued at a time, is revoked. A time in the list
// is whole seconds, and a card of just that second was not issued before it.
func (r *Revoked) Has(rid string, issued time.Time) bool {
	until, ok := r.before[rid]
	return ok && (until == always || issued.Before(time.Unix(until, 0).UTC()))
}

// Revocations are lists by the key that they are of: the newest where there are several.
type Revocations map[string]Revoked

// NewRevocations returns the lists by their keys.
func NewRevocations(lists []Revoked) Revocations {
	rs := make(Revocations, len(lists))
	for _, l := range lists {
		if known, ok := rs[l.KeyID]; !ok || known.Counter < l.Counter {
			rs[l.KeyID] = l
		}
	}
	return rs
}

// Standing answers as proof.Revocation asks. The entries themselves are asked, so the
// answer is never in doubt.
func (rs Revocations) Standing(q proof.RevocationQuery) proof.Standing {
	l, ok := rs[string(q.KeyID)]
	switch {
	case q.Format != proof.SHC || !ok:
		return proof.NoList
	case l.Has(q.RID, q.IssuedAt):
		return proof.IsRevoked
	}
	return proof.NotRevoked
}

// LooksLikeKeys reports whether a file looks like one that ReadKeys reads.
func LooksLikeKeys(b []byte) bool {
	return bytes.Contains(b, []byte(`"kty"`)) && bytes.Contains(b, []byte(`"kid"`)) || bytes.Contains(b, []byte(`"issuerInfo"`))
}

// LooksLikeRevoked reports whether a file looks like one that ReadRevoked reads.
func LooksLikeRevoked(b []byte) bool {
	return bytes.Contains(b, []byte(`"rids"`)) && bytes.Contains(b, []byte(`"method"`))
}
