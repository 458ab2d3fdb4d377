// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

// Package verify takes whatever text a scanner or a file gives, tells which format of
// health certificate it is, and says whether it is genuine by the lists at hand.
package verify

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"time"

	"darwaza.dev/internal/proof"
	"darwaza.dev/internal/proof/hcert"
	"darwaza.dev/internal/proof/shc"
	"darwaza.dev/internal/proof/trust"
	"darwaza.dev/internal/proof/vdsnc"
)

// MaxText is the longest text that is looked at, in bytes: several cards in one file.
const MaxText = 1 << 18

// maxLines is how many certificates of one text are verified.
const maxLines = 32

// Text returns what is found of each certificate in a text: one, or several lines of
// them, or the parts of one card. A text that is none of these has one result that says
// so. keys must not be nil; revocation may be.
func Text(text []byte, keys proof.Keys, revocation proof.Revocation, at time.Time) []proof.Result {
	if len(text) > MaxText {
		return []proof.Result{{Faults: []proof.Fault{proof.TooLarge}}}
	}
	text = bytes.TrimSpace(bytes.TrimPrefix(text, []byte("\ufeff")))
	switch {
	case hcert.IsPrefixed(string(text[:min(len(text), len(hcert.Prefix))])):
		var rs []proof.Result
		for line := range bytes.Lines(text) {
			line = bytes.TrimSpace(line) // Base45 of anything neither begins nor ends in a space
			if len(line) == 0 {
				continue
			}
			if len(rs) == maxLines {
				rs = append(rs, proof.Result{Faults: []proof.Fault{proof.TooLarge}})
				break
			}
			rs = append(rs, hcert.Verify(string(line), at, keys, revocation))
		}
		return rs
	case shc.Known(text):
		return shc.Read(text, keys, revocation, at)
	case vdsnc.Known(text):
		return []proof.Result{vdsnc.Verify(text, keys, revocation, at)}
	}
	return []proof.Result{{Faults: []proof.Fault{proof.NotProof}}}
}

// Lists are trusted lists of every form with the limits of their age, and lists of
// revocations. They are not to be changed once they are asked.
type Lists struct {
	limits  trust.Limits
	lists   []*trust.List
	store   *trust.Store
	loose   *trust.List // certificates that came one by one
	cards   []shc.IssuerKey
	cardAt  time.Time // of the oldest file of cards' keys
	card    *shc.Keys
	cardOut []shc.Revoked
	revoked []proof.Revocation
	hashes  []proof.Hash    // of batches of revocations
	filters []*trust.Filter // for those who cannot hold the batches
	outAt   time.Time       // of the newest of either

	// What Ready makes of the above.
	outCards   shc.Revocations
	confirmers []confirmer
	ready      bool
}

// NewLists returns no lists yet, under limits of age.
func NewLists(limits trust.Limits) *Lists { return &Lists{limits: limits} }

// ErrSides is the error of a list that two sides signed, where nobody said whose keys the
// sides' are.
var ErrSides = errors.New("verify: a list of two sides needs the sides' keys")

// Add adds a file of keys or of revocations, in any form that trust.Read, shc.ReadKeys or
// shc.ReadRevoked reads. at is when it was fetched, zero where nobody knows. sides opens a
// list that is signed by two sides; it may be nil where there is none.
func (l *Lists) Add(name string, b []byte, at time.Time, sides trust.Opener) error {
	l.store, l.card, l.ready = nil, nil, false
	if trust.IsSigned(b) {
		if sides == nil {
			return ErrSides
		}
		list, err := trust.Open(name, b, sides)
		if err != nil {
			return err
		}
		l.lists = append(l.lists, list)
		return nil
	}
	if shc.LooksLikeRevoked(b) {
		if r, err := shc.ReadRevoked(b); err == nil {
			l.cardOut = append(l.cardOut, r)
			return nil
		}
	}
	if shc.LooksLikeKeys(b) {
		if f, err := shc.ReadKeys(b, ""); err == nil && len(f.Keys) > 0 {
			l.cards, l.cardOut = append(l.cards, f.Keys...), append(l.cardOut, f.Revoked...)
			if l.cardAt.IsZero() || !at.IsZero() && at.Before(l.cardAt) {
				l.cardAt = at
			}
			return nil
		}
	}
	list, err := trust.Read(name, b, at)
	if err == nil {
		l.lists = append(l.lists, list)
	}
	return err
}

// AddCertificate adds a file of a folder of certificates, whose name is its key id.
func (l *Lists) AddCertificate(name string, b []byte, at time.Time) error {
	l.store = nil
	if l.loose == nil {
		l.loose = trust.NewList("certificates", at)
		l.lists = append(l.lists, l.loose)
	}
	if at.Before(l.loose.At) {
		l.loose.At = at
	}
	return l.loose.AddFile(name, b)
}

// AddRevocation adds what is known of revoked HCERTs and seals.
func (l *Lists) AddRevocation(r proof.Revocation) { l.revoked = append(l.revoked, r) }

// AddFile adds a file as a folder of lists holds it: certificates, told by the ending of the
// name or their first bytes, a batch of revoked hashes, or whatever Add reads. It is
// trust.ErrForm of a file that is none of these. Hashes may come as a batch or in a filter,
// which whoever made it of batches passes on to machines that cannot hold them.
func (l *Lists) AddFile(name string, b []byte, at time.Time, sides trust.Opener) error {
	switch {
	case trust.IsFilter(b):
		f, err := trust.ParseFilter(b)
		if err != nil {
			return err
		}
		l.filters = append(l.filters, f)
		l.newest(at)
		return nil
	case trust.IsBatch(b):
		hs, err := trust.ReadBatch(b)
		if err != nil {
			return err
		}
		l.hashes = append(l.hashes, hs...)
		l.newest(at)
		return nil
	case isCertificate(name, b):
		return l.AddCertificate(name, b, at)
	}
	return l.Add(name, b, at, sides)
}

// newest notes the time of a file of revocations. They come one after the other, and the
// last says how far they reach.
func (l *Lists) newest(at time.Time) {
	l.ready = false
	if at.After(l.outAt) {
		l.outAt = at
	}
}

// isCertificate reports whether a file holds certificates and not a list of them.
func isCertificate(name string, b []byte) bool {
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		switch strings.ToLower(name[i:]) {
		case ".pem", ".cer", ".crt", ".der":
			return true
		}
	}
	return len(b) > 0 && (b[0] == 0x30 || bytes.HasPrefix(b, []byte("-----BEGIN ")))
}

// With returns the same lists and one more that is read already.
func (l *Lists) With(list *trust.List) *Lists {
	c := *l
	c.lists, c.store = append(slices.Clip(l.lists), list), nil
	return &c
}

// Limited returns the same lists under other limits of age, ready to be asked about a time.
// It may be asked by several callers at once.
func (l *Lists) Limited(limits trust.Limits, now time.Time) *Lists {
	c := *l
	c.limits = limits
	c.Ready(now)
	return &c
}

// Hashes returns those of the batches of revocations, and the filters.
func (l *Lists) Hashes() ([]proof.Hash, []*trust.Filter) { return l.hashes, l.filters }

// Trusted returns the lists of keys of HCERTs and seals.
func (l *Lists) Trusted() []*trust.List { return l.lists }

// Cards returns the keys of issuers of cards, with their lists of revocations.
func (l *Lists) Cards() shc.KeysFile { return shc.KeysFile{Keys: l.cards, Revoked: l.cardOut} }

// Len returns how many keys there are.
func (l *Lists) Len() int {
	n := len(l.cards)
	for _, list := range l.lists {
		n += list.Len()
	}
	return n
}

// Rejected returns the entries that could not be read.
func (l *Lists) Rejected() (out []trust.Rejected) {
	for _, list := range l.lists {
		out = append(out, list.Rejected...)
	}
	return out
}

// Ready makes the lists ready to be asked. Keys does it where it was not done, which is
// not safe for several callers at once.
func (l *Lists) Ready(now time.Time) {
	l.store = trust.NewStore(l.limits, l.lists...)
	age := proof.Absent
	if len(l.cards) > 0 {
		age = l.limits.Age(l.cardAt, now)
	}
	l.card = shc.NewKeys(l.cards, age)
	if l.ready {
		return
	}
	l.ready = true
	l.outCards = shc.NewRevocations(l.cardOut)
	l.confirmers = nil
	entries := trust.NewEntries(l.hashes)
	if l.hashes != nil {
		l.confirmers = append(l.confirmers, confirmer{nil, entries.Has})
	}
	for _, f := range l.filters {
		confirm, err := entries.Confirm(f)
		if err != nil {
			confirm = nil // nobody can: what the filter has is for a person
		}
		l.confirmers = append(l.confirmers, confirmer{f, confirm})
	}
}

// A confirmer is a filter with who confirms what it has.
type confirmer struct {
	filter  *trust.Filter
	confirm trust.Confirmer
}

// Keys implements proof.Keys. What a trusted list takes back is taken back of cards' keys
// as well, which stand in files of their own.
func (l *Lists) Keys(q proof.Query) ([]proof.Key, proof.Age) {
	if l.store == nil || l.card == nil {
		l.Ready(q.At)
	}
	if q.Format == proof.SHC {
		ks, age := l.card.Keys(q)
		return l.store.Withdraw(q, ks), age
	}
	return l.store.Keys(q)
}

// Standing implements proof.Revocation: what any list says that is surest.
func (l *Lists) Standing(q proof.RevocationQuery) proof.Standing {
	if !l.ready {
		l.Ready(q.At)
	}
	s := l.outCards.Standing(q)
	for _, c := range l.confirmers {
		s = max(s, trust.NewRevoked(c.filter, c.confirm, l.outAt, l.limits).Standing(q))
	}
	for _, r := range l.revoked {
		s = max(s, r.Standing(q))
	}
	return s
}
