// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

// Package record is the append-only log of one writer: what stands in it, how it is
// cut into tiles, and how its head is signed and proved. The formats are those of
// C2SP (tlog-tiles, tlog-checkpoint, signed-note, tlog-cosignature, tlog-proof), so
// that any such tool can read the record. The package is pure: rows and files are
// its callers' business.
//
// An entry is a public envelope: the kind of fact, when, and one salted digest for
// each group of readers. What a group may read is the disclosure behind its digest,
// kept and sent beside the tiles. Without the disclosure the digest says nothing:
// the salt is random and the body cannot be guessed at.
package record

import (
	"crypto/sha256"
	"crypto/subtle"
	"time"
	"unicode/utf8"

	"darwaza.dev/internal/cose"
	"darwaza.dev/internal/problem"
)

// Limits of an entry. MaxEntry is that of tlog-tiles, whose bundles have a length of
// 16 bits; an envelope stays far below it.
const (
	MaxEntry  = 1<<16 - 1
	MaxKind   = 64 // bytes
	MaxGroup  = 32 // bytes
	MaxGroups = 16
	MaxBody   = 1 << 16 // bytes of a disclosure's body
)

// Version is the version of the envelope that this build writes.
const Version = 1

// Entry is the public envelope of one fact, in core deterministic CBOR:
//
//	[
//	    version : uint            1
//	    kind    : tstr 1..64      such as "booking.booked"
//	    time    : uint            microseconds since 1970
//	    groups  : [ + [ group  : tstr 1..32      in ascending order, none twice
//	                    digest : bstr .size 32 ] ]
//	]
//
// An entry one version newer may have further items at its end.
type Entry struct {
	Version uint8
	Kind    string
	At      time.Time // UTC, whole microseconds
	Groups  []Group
}

// Group is one group of readers with the digest of what it may read.
type Group struct {
	Name   string
	Digest [32]byte
}

// Disclosure is what a group may read of a fact. Salt is random and is told only to
// who may read the body.
type Disclosure struct {
	Group string
	Salt  [16]byte
	Body  []byte
}

// Digest returns SHA-256(salt ‖ body). The salt has a fixed length, so that there is
// one way to read it.
func (d Disclosure) Digest() [32]byte {
	var buf [1024]byte
	b := append(append(buf[:0], d.Salt[:]...), d.Body...)
	return sha256.Sum256(b)
}

// NewEntry makes the envelope of a fact from its disclosures, whose groups come in
// ascending order.
func NewEntry(kind string, at time.Time, ds ...Disclosure) (Entry, error) {
	e := Entry{Version: Version, Kind: kind, At: at.UTC().Truncate(time.Microsecond)}
	for _, d := range ds {
		if len(d.Body) > MaxBody {
			return Entry{}, problem.New(problem.Limit, "record.body")
		}
		e.Groups = append(e.Groups, Group{d.Group, d.Digest()})
	}
	return e, e.check()
}

func (e Entry) check() error {
	if !shortText(e.Kind, MaxKind) || e.At.UnixMicro() < 0 || len(e.Groups) < 1 || len(e.Groups) > MaxGroups {
		return problem.New(problem.Invalid, "record.entry")
	}
	for i, g := range e.Groups {
		if !shortText(g.Name, MaxGroup) || i > 0 && g.Name <= e.Groups[i-1].Name {
			return problem.New(problem.Invalid, "record.group")
		}
	}
	return nil
}

func shortText(s string, limit int) bool {
	return 0 < len(s) && len(s) <= limit && utf8.ValidString(s)
}

// Append appends the envelope's bytes to dst.
func (e Entry) Append(dst []byte) []byte {
	dst = cose.AppendArray(dst, 4)
	dst = cose.AppendUint(dst, uint64(e.Version))
	dst = cose.AppendText(dst, e.Kind)
	dst = cose.AppendUint(dst, uint64(e.At.UnixMicro()))
	dst = cose.AppendArray(dst, len(e.Groups))
	for i := range e.Groups {
		dst = cose.AppendArray(dst, 2)
		dst = cose.AppendText(dst, e.Groups[i].Name)
		dst = cose.AppendBytes(dst, e.Groups[i].Digest[:])
	}
	return dst
}

// Bytes returns the envelope's bytes.
func (e Entry) Bytes() []byte { return e.Append(nil) }

// ParseEntry reads an envelope of this version, in its one encoding, or of the next.
// The problem is of kind Invalid.
func ParseEntry(b []byte) (Entry, error) {
	bad := problem.New(problem.Invalid, "record.entry")
	if len(b) > MaxEntry {
		return Entry{}, bad
	}
	r := cose.NewStrictReader(b)
	n := r.Array()
	e := Entry{Version: uint8(r.UintMax(Version + 1))}
	if n < 4 || n > 64 || n > 4 && e.Version == Version || e.Version == 0 {
		return Entry{}, bad
	}
	e.Kind = r.Text()
	e.At = time.UnixMicro(int64(r.UintMax(1<<63 - 1))).UTC()
	groups := r.Array()
	if groups > MaxGroups {
		return Entry{}, bad
	}
	for range groups {
		if r.Array() != 2 {
			return Entry{}, bad
		}
		var g Group
		g.Name = r.Text()
		r.BytesN(g.Digest[:])
		e.Groups = append(e.Groups, g)
	}
	for range n - 4 {
		r.Skip()
	}
	if !r.Done() {
		return Entry{}, bad
	}
	return e, e.check()
}

// Verify reports whether a disclosure is what stands behind its group's digest.
func (e Entry) Verify(d Disclosure) bool {
	for _, g := range e.Groups {
		if g.Name == d.Group {
			got := d.Digest()
			return subtle.ConstantTimeCompare(got[:], g.Digest[:]) == 1
		}
	}
	return false
}

// Bytes returns the disclosure as it travels: the CBOR array [group, salt, body].
func (d Disclosure) Bytes() []byte {
	b := cose.AppendArray(make([]byte, 0, 32+len(d.Group)+len(d.Body)), 3)
	b = cose.AppendText(b, d.Group)
	b = cose.AppendBytes(b, d.Salt[:])
	return cose.AppendBytes(b, d.Body)
}

// ParseDisclosure reads what Bytes writes; the body points into b. Verify says
// whether it belongs to an entry.
func ParseDisclosure(b []byte) (Disclosure, error) {
	r := cose.NewStrictReader(b)
	var d Disclosure
	if r.Array() != 3 {
		r.Fail()
	}
	d.Group = r.Text()
	r.BytesN(d.Salt[:])
	d.Body = r.Bytes()
	if !r.Done() || !shortText(d.Group, MaxGroup) || len(d.Body) > MaxBody {
		return Disclosure{}, problem.New(problem.Invalid, "record.disclosure")
	}
	return d, nil
}
