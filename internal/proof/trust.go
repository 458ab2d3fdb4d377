// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package proof

import (
	"crypto"
	"crypto/sha256"
	"time"
)

// Usage is a set of kinds of events that a key may sign. The empty set means all: a
// signer's certificate that names no usage may sign each.
type Usage uint8

// The members of Usage.
const (
	UsageTest Usage = 1 << iota
	UsageVaccination
	UsageRecovery
)

// Allows reports whether a key of this usage may sign an event of the kind. Prophylaxis
// goes with vaccination.
func (u Usage) Allows(k Kind) bool {
	if u == 0 {
		return true
	}
	switch k {
	case Test:
		return u&UsageTest != 0
	case Recovery:
		return u&UsageRecovery != 0
	}
	return u&UsageVaccination != 0
}

// A Key is one that a trusted list names.
type Key struct {
	// Public is an *ecdsa.PublicKey or an *rsa.PublicKey.
	Public crypto.PublicKey
	// Country is the one that vouches for the key, three letters, or empty where the
	// list binds it to none (a card's issuer is an address).
	Country string
	// Issuer is the address of the issuer to which the list binds the key, or empty.
	Issuer string
	// NotBefore and NotAfter bound the key's own certificate, both inclusive; zero where
	// the list gives none.
	NotBefore, NotAfter time.Time
	Usage               Usage
	// Withdrawn says that the list names the key in order to take it back.
	Withdrawn bool
	// List names the list, for people.
	List string
}

// Validity returns KeyRevoked of a key that was withdrawn, KeyEarly or KeyExpired where
// the key's own certificate does not hold at a time, and otherwise "".
func (k *Key) Validity(at time.Time) Fault {
	switch {
	case k.Withdrawn:
		return KeyRevoked
	case !k.NotBefore.IsZero() && at.Before(k.NotBefore):
		return KeyEarly
	case !k.NotAfter.IsZero() && at.After(k.NotAfter):
		return KeyExpired
	}
	return ""
}

// May says why a key that made the signature of claims might not make it at a time: it is
// another country's, it may not sign such events, or it is not in force.
func (k *Key) May(c *Claims, at time.Time) (faults []Fault) {
	if c.Country != "" && k.Country != "" && c.Country != k.Country {
		faults = append(faults, KeyCountry)
	}
	for i := range c.Events {
		if !k.Usage.Allows(c.Events[i].Kind) {
			faults = append(faults, KeyUsage)
			break
		}
	}
	if f := k.Validity(at); f != "" {
		faults = append(faults, f)
	}
	return faults
}

// A Query asks for the keys that may have signed a certificate.
type Query struct {
	Format Format
	// KeyID is as the certificate writes it: eight bytes of a DCC, a thumbprint's text of
	// a card, an authority key identifier of a seal.
	KeyID []byte
	// Issuer is as the certificate writes it: an address of a card, a country otherwise.
	Issuer string
	// Certificate is the signer's certificate (X.509, DER) where the proof carries it, as a
	// seal does. A list answers with its key only where it names the certificate itself or
	// the one that issued it, having verified that signature.
	Certificate []byte
	// At is when: lists age.
	At time.Time
}

// Age is how a list stands to the limits that the agreement gives it.
type Age uint8

// The ages.
const (
	Absent Age = iota // no list of the format is there
	Fresh
	Stale  // to be used, and said
	TooOld // not to be used
)

// Keys are trusted lists.
type Keys interface {
	// Keys returns every key that fits the query: several may lie under one id, and each is
	// to be tried. The age is that of the lists that were asked; no key is returned from
	// one that is TooOld. A country does not narrow the answer: the caller compares the
	// key's with the issuer's, so that it can say KeyCountry. The slice is the lists' own
	// and is not to be changed.
	Keys(Query) ([]Key, Age)
}

// HashKind is of what a revocation's hash is.
type HashKind string

// The kinds of the hashes by which DCCs are revoked, and the identifier of a card's.
const (
	HashSignature  HashKind = "signature"   // the signature; of ECDSA its first half, R
	HashUVCI       HashKind = "uvci"        // the certificate's number
	HashCountryUCI HashKind = "countryuvci" // the country's two letters and the number
	HashRID        HashKind = "rid"         // of a card: the number under which its issuer revokes it
)

// A Hash is one by which an issuer may revoke a certificate: the first 128 bits of
// SHA-256.
type Hash struct {
	Kind HashKind
	Sum  [16]byte
}

// NewHash returns the hash of a value.
func NewHash(kind HashKind, value []byte) Hash {
	sum := sha256.Sum256(value)
	return Hash{kind, [16]byte(sum[:16])}
}

// A RevocationQuery asks whether a certificate is revoked.
type RevocationQuery struct {
	Format Format
	KeyID  []byte
	Issuer string // as in Query
	Hashes []Hash
	// RID is the number under which a card's issuer revokes it, and IssuedAt when it was
	// issued: a card's list may revoke what was issued before a time alone.
	RID      string
	IssuedAt time.Time
	At       time.Time
}

// Standing is what a list of revocations answers.
type Standing uint8

// The standings. Only IsRevoked refuses anybody.
const (
	NoList      Standing = iota // there is nothing to ask
	NotRevoked                  // certain: the filter misses nothing that it was built of
	Unconfirmed                 // the filter has it, which it has of some by chance, and nobody confirmed
	IsRevoked                   // confirmed against the entries themselves
)

// Revocation is what is known of revoked certificates.
type Revocation interface {
	Standing(RevocationQuery) Standing
}

// Judge adds to the result what a standing means.
func (s Standing) Judge(r *Result) {
	switch s {
	case NoList:
		r.Note(RevocationMissing)
	case Unconfirmed:
		r.Note(RevocationMaybe)
	case IsRevoked:
		r.Fault(Revoked)
	}
}
