// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

// Package trust holds the lists of keys by which health certificates are believed, and
// the lists of those that were revoked.
//
// Lists come in the forms in which they are published; Read tells them apart:
//
//   - a DID document of the WHO's trust network (GDHCN), version 1 or 2;
//   - a list of the EU's gateway, an array of certificates with their country and key id,
//     bare or below a line with a signature, and the shorter forms that national apps read;
//   - one certificate, PEM or DER, whose file is called by the key id: a folder of them is
//     a list;
//   - a list that the two sides of an agreement have signed, see Sign.
//
// One entry that cannot be read loses itself and never its list. What a list says of a key
// (its country, its id) wins over what the key's certificate says. The signature under
// a WHO document is over canonical RDF and is not looked at here: whoever hands a list to
// this package vouches for it, and the two sides do so by signing theirs.
package trust

import (
	"bytes"
	"crypto"
	"encoding/base64"
	"iter"
	"maps"
	"slices"
	"time"

	"darwaza.dev/internal/proof"
)

// Limits are how old a list may be, from the agreement. Zero is no limit.
type Limits struct {
	Stale  time.Duration // above it the list is used, and its age is said
	TooOld time.Duration // above it the list is not used
}

// Age returns how a list of a time stands to the limits. A list from a time to come is as good as new:
// the clock here may be behind, and what that means is for the caller to say.
func (l Limits) Age(at, now time.Time) proof.Age {
	age := now.Sub(at)
	switch {
	case at.IsZero():
		return proof.Fresh
	case l.TooOld > 0 && age > l.TooOld:
		return proof.TooOld
	case l.Stale > 0 && age > l.Stale:
		return proof.Stale
	}
	return proof.Fresh
}

// A Rejected is an entry of a list that could not be used.
type Rejected struct {
	Entry string // the key id or the file, as the list has it
	Err   error
}

// A List is one list of keys.
type List struct {
	Name string
	// At is when the list was made, or fetched, as far as anybody said; a list of no time
	// has no age.
	At time.Time
	// Number is that of a list of two sides, which rises from one to the next; 0 of others.
	Number   uint64
	Rejected []Rejected

	signed    map[string][]proof.Key // of HCERTs, by key id
	signers   []signer               // certificates as they are, of seals
	withdrawn map[string][]string    // key ids that are taken back, and for which countries
}

// A signer is a certificate that a list names, with the country that it gives it.
type signer struct {
	cert    *Certificate
	country string
	id      []byte // by which HCERTs name it; nil of an authority, which signs none
	listed  []byte // the id that the list gives an authority, nil where it gives none
}

// NewList returns an empty list.
func NewList(name string, at time.Time) *List {
	return &List{Name: name, At: at, signed: map[string][]proof.Key{}, withdrawn: map[string][]string{}}
}

// Len returns how many keys the list has.
func (l *List) Len() int {
	n := 0
	for _, ks := range l.signed {
		n += len(ks)
	}
	return n
}

func (l *List) reject(entry string, err error) {
	l.Rejected = append(l.Rejected, Rejected{entry, err})
}

// AddKey adds a key under an id, once, for a list that holds no certificate of it.
func (l *List) AddKey(id []byte, k proof.Key) {
	k.List = l.Name
	for _, other := range l.signed[string(id)] {
		if same(other, k) {
			return
		}
	}
	l.signed[string(id)] = append(l.signed[string(id)], k)
}

func same(a, b proof.Key) bool {
	pub, ok := a.Public.(interface{ Equal(crypto.PublicKey) bool })
	return ok && pub.Equal(b.Public) && a.Country == b.Country && a.Issuer == b.Issuer && a.Usage == b.Usage &&
		a.NotBefore.Equal(b.NotBefore) && a.NotAfter.Equal(b.NotAfter)
}

// AddCertificate adds a certificate under a key id, or its own where id is nil, vouched
// for by a country, or by that of its subject where country is empty.
func (l *List) AddCertificate(id []byte, country string, cert *Certificate) {
	if id == nil {
		id = cert.KeyID()
	}
	if country == "" {
		country = cert.Country
	}
	l.AddKey(id, proof.Key{Public: cert.Public, Country: country, NotBefore: cert.NotBefore, NotAfter: cert.NotAfter, Usage: cert.Usage})
	l.signers = append(l.signers, signer{cert: cert, country: country, id: id})
}

// addAuthority adds the certificate of an authority, which vouches for signers of seals and
// signs no certificate of a person. id is by which the list names it, nil where it does not.
func (l *List) addAuthority(id []byte, country string, cert *Certificate) {
	if country == "" {
		country = cert.Country
	}
	cert.Authority = true
	l.signers = append(l.signers, signer{cert: cert, country: country, listed: id})
}

// Authorities returns how many authorities the list has beside its keys.
func (l *List) Authorities() int {
	n := 0
	for _, s := range l.signers {
		if s.id == nil {
			n++
		}
	}
	return n
}

// Countries returns how many keys and authorities the list has of each country, by its
// three letters; "" is of those that are bound to none.
func (l *List) Countries() map[string]int {
	n := map[string]int{}
	for _, ks := range l.signed {
		for _, k := range ks {
			n[k.Country]++
		}
	}
	for _, s := range l.signers {
		if s.id == nil {
			n[s.country]++
		}
	}
	return n
}

// Withdrawn returns the key ids that the list takes back, sorted, each with its countries;
// "" is all of them.
func (l *List) Withdrawn() iter.Seq2[[]byte, []string] {
	return func(yield func([]byte, []string) bool) {
		for _, id := range slices.Sorted(maps.Keys(l.withdrawn)) {
			if !yield([]byte(id), l.withdrawn[id]) {
				return
			}
		}
	}
}

// Withdraw says that keys of an id are taken back: of one country, or of all where it is
// empty. The id is that by which HCERTs and cards name the key, or by which a list has it;
// of a certificate it may be its own too (KeyID), or the key identifier in it, and that of
// an authority takes back what the authority issued.
func (l *List) Withdraw(id []byte, country string) {
	l.withdrawn[string(id)] = append(l.withdrawn[string(id)], country)
}

// A Store answers from several lists. It is not to be changed once it is asked.
type Store struct {
	limits Limits
	lists  []*List
	gone   []proof.Key // those of the lists that a list takes back by their id
}

// NewStore returns a store of lists under limits.
func NewStore(limits Limits, lists ...*List) *Store {
	s := &Store{limits: limits, lists: lists}
	for _, by := range lists {
		for id, countries := range by.withdrawn {
			for _, country := range countries {
				s.gone = append(s.gone, s.meant([]byte(id), country)...)
			}
		}
	}
	return s
}

// meant returns the keys that are taken back with an id, by which a list has them or which
// is of the certificate itself. An id that a certificate of health writes may stand under no
// signature, so that whoever has one can write another id under which the same key lies.
func (s *Store) meant(id []byte, country string) (keys []proof.Key) {
	for _, l := range s.lists {
		for _, k := range l.signed[string(id)] {
			if country == "" || k.Country == "" || k.Country == country {
				keys = append(keys, k)
			}
		}
		for _, x := range l.signers {
			if x.id != nil && bytes.Equal(x.cert.KeyID(), id) && (country == "" || x.country == "" || x.country == country) {
				keys = append(keys, proof.Key{Public: x.cert.Public, Country: x.country})
			}
		}
	}
	return keys
}

// Lists returns the lists in the order in which they are asked.
func (s *Store) Lists() []*List { return s.lists }

// Age returns how old the youngest list is, and Absent where there is none.
func (s *Store) Age(now time.Time) proof.Age {
	best := proof.Absent
	for _, l := range s.lists {
		best = better(best, s.limits.Age(l.At, now))
	}
	return best
}

// better returns the age that is of more use.
func better(a, b proof.Age) proof.Age {
	if a == proof.Absent || b != proof.Absent && b < a {
		return b
	}
	return a
}

// Keys implements proof.Keys.
func (s *Store) Keys(q proof.Query) ([]proof.Key, proof.Age) {
	var found []proof.Key
	own := false // found is this call's, and not a list's
	age, foundAge := proof.Absent, proof.Absent
	for _, l := range s.lists {
		if !l.covers(q.Format) {
			continue
		}
		a := s.limits.Age(l.At, q.At)
		age = better(age, a)
		if a == proof.TooOld {
			continue
		}
		ks := l.keys(q)
		if len(ks) == 0 {
			continue
		}
		foundAge = better(foundAge, a)
		if found == nil {
			found = ks
			continue
		}
		if !own {
			found, own = append(make([]proof.Key, 0, len(found)+len(ks)), found...), true
		}
		found = append(found, ks...)
	}
	if found == nil {
		return nil, age
	}
	return s.mark(q, found, own), foundAge
}

// Withdraw returns keys that were found elsewhere, those marked that any list takes back,
// however old it is. The slice that it is given is not changed.
func (s *Store) Withdraw(q proof.Query, found []proof.Key) []proof.Key {
	return s.mark(q, found, false)
}

// mark marks the keys that any list takes back, under whatever id they were found. A key
// that is bound to no country is any country's: what takes the id back for one takes it
// back.
func (s *Store) mark(q proof.Query, found []proof.Key, own bool) []proof.Key {
	for i := range found {
		if !s.isGone(found[i]) {
			continue
		}
		if !own {
			found, own = append([]proof.Key(nil), found...), true
		}
		found[i].Withdrawn = true
	}
	for _, id := range s.names(q) {
		if len(id) == 0 {
			continue // that nobody named a key names none
		}
		for _, l := range s.lists {
			for _, country := range l.withdrawn[string(id)] {
				for i := range found {
					if country != "" && found[i].Country != "" && country != found[i].Country {
						continue
					}
					if !own {
						found, own = append([]proof.Key(nil), found...), true
					}
					found[i].Withdrawn = true
				}
			}
		}
	}
	return found
}

// isGone reports whether a key is one that was taken back under another id.
func (s *Store) isGone(k proof.Key) bool {
	for _, g := range s.gone {
		pub, ok := g.Public.(interface{ Equal(crypto.PublicKey) bool })
		if ok && pub.Equal(k.Public) && (g.Country == "" || k.Country == "" || g.Country == k.Country) {
			return true
		}
	}
	return false
}

// names returns the ids by which a list may take back what a query asks for, nil where no
// list takes anything back.
func (s *Store) names(q proof.Query) [][]byte {
	if !slices.ContainsFunc(s.lists, func(l *List) bool { return len(l.withdrawn) > 0 }) {
		return nil
	}
	ids := [][]byte{q.KeyID}
	switch q.Format {
	case proof.SHC:
		// A card writes the thumbprint as text; whoever takes it back may decode that.
		if sum, err := base64.RawURLEncoding.DecodeString(string(q.KeyID)); err == nil {
			ids = append(ids, sum)
		}
	case proof.VDSNC:
		if cert, err := ParseCertificate(q.Certificate); err == nil {
			ids = s.sealNames(ids, cert)
		}
	}
	return ids
}

// sealNames appends the ids of a certificate that a seal carries and of the authority that
// issued it: their own, those under which any list has them, and the key identifiers in
// them. The KeyID of a seal, which is its authority's identifier, may not be there at all.
func (s *Store) sealNames(ids [][]byte, cert *Certificate) [][]byte {
	ids = append(ids, cert.KeyID(), cert.SubjectKey)
	public, _ := cert.Public.(interface{ Equal(crypto.PublicKey) bool })
	for _, l := range s.lists {
		for _, x := range l.signers {
			switch {
			case public != nil && public.Equal(x.cert.Public):
			case x.cert.Authority && cert.IssuedBy(x.cert):
				ids = append(ids, cert.keyIDs(x.cert)...)
			default:
				continue
			}
			ids = append(ids, x.id, x.listed, x.cert.KeyID(), x.cert.SubjectKey)
		}
	}
	return ids
}

func (l *List) covers(f proof.Format) bool {
	switch f {
	case proof.DCC, proof.DVC:
		return len(l.signed) > 0
	case proof.VDSNC:
		return len(l.signers) > 0
	}
	return false
}

func (l *List) keys(q proof.Query) []proof.Key {
	switch q.Format {
	case proof.DCC, proof.DVC:
		return l.signed[string(q.KeyID)]
	case proof.VDSNC:
		return l.sealers(q.Certificate)
	}
	return nil
}

// sealers returns the key of a certificate that a seal carries, once for each signer of
// the list that is it or issued it. A key that an authority issued is good no longer than
// the authority itself.
func (l *List) sealers(der []byte) (found []proof.Key) {
	if len(der) == 0 {
		return nil
	}
	cert, err := ParseCertificate(der)
	if err != nil {
		return nil
	}
	for _, s := range l.signers {
		k := proof.Key{Public: cert.Public, Country: s.country, NotBefore: cert.NotBefore, NotAfter: cert.NotAfter, Usage: cert.Usage, List: l.Name}
		if bytes.Equal(s.cert.DER, der) {
			found = append(found, k)
			continue
		}
		if !s.cert.Authority || !cert.IssuedBy(s.cert) {
			continue
		}
		if k.NotBefore.Before(s.cert.NotBefore) {
			k.NotBefore = s.cert.NotBefore
		}
		if k.NotAfter.After(s.cert.NotAfter) {
			k.NotAfter = s.cert.NotAfter
		}
		found = append(found, k)
	}
	return found
}
