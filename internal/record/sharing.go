// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"bytes"
	"encoding/binary"
	"slices"

	"darwaza.dev/internal/cose"
	"darwaza.dev/internal/problem"
)

// Reader is who may read disclosures besides the side whose log it is.
type Reader uint8

// The readers. A set of them is their sum.
const (
	OtherSide Reader = 1 << iota
	Auditors
)

// Names of groups. A group is a set of readers, so that whoever serves disclosures needs
// no edition to know what may go to whom, and a log tells openly who could read how much.
const (
	groupAll      = "all"     // the other side and auditors
	groupAuditors = "auditor" // auditors
	groupOther    = "other"   // the other side
	groupOwn      = "own"     // nobody else
)

// groupNames are the groups by their sets of readers.
var groupNames = [...]string{0: groupOwn, OtherSide: groupOther, Auditors: groupAuditors, OtherSide | Auditors: groupAll}

// Allowed reports whether a reader may have the disclosure of a group. A group that this
// build does not know is for nobody else.
func Allowed(group string, to Reader) bool {
	for set, name := range groupNames {
		if name == group {
			return Reader(set)&to == to && to != 0
		}
	}
	return false
}

// Share says who may read which fields of a fact: To has what no field of Fields names.
// A field is named by its key in the fact's CBOR map, encoded; the elements of an array
// share what is said of the array, and map values by unknown keys what is said of the map.
type Share struct {
	To     Reader
	Fields map[string]*Share
}

// Part is what one group may read of a fact.
type Part struct {
	Group string
	Body  []byte
}

// Split cuts a fact's body, which is deterministic CBOR, into the parts of its groups, in
// ascending order of their names. Join puts them together again to the same bytes. A nil
// share gives nothing to anybody. What is no CBOR is not cut: nobody else has it.
func Split(body []byte, s *Share) []Part {
	if s == nil {
		s = &Share{}
	}
	if s.Fields == nil {
		return []Part{{groupNames[s.To], body}}
	}
	var parts []Part
	for set, name := range groupNames {
		r := cose.NewReader(body)
		if b, ok := project(nil, &r, s, Reader(set)); ok && r.Done() {
			parts = append(parts, Part{name, b})
		} else if !r.Ok() {
			return []Part{{groupOwn, body}}
		}
	}
	slices.SortFunc(parts, func(a, b Part) int { return bytes.Compare([]byte(a.Group), []byte(b.Group)) })
	return parts
}

// project appends what exactly one set of readers has of the next item. It is false where
// that is nothing, and then a placeholder may stand in its place.
func project(dst []byte, r *cose.Reader, s *Share, to Reader) ([]byte, bool) {
	switch major := r.Major(); {
	case s.Fields == nil, major != cose.MajorMap && major != cose.MajorArray:
		raw := r.Raw()
		if s.To != to {
			return dst, false
		}
		return append(dst, raw...), true
	case major == cose.MajorMap:
		n, kept, some := r.Map(), 0, false
		if n == 0 && s.To == to {
			return cose.AppendMap(dst, 0), true
		}
		var pairs []byte
		for range n {
			if !r.Ok() {
				return dst, false
			}
			key := r.Raw()
			field := s.Fields[string(key)]
			if field == nil {
				field = &Share{To: s.To}
			}
			at := len(pairs)
			pairs = append(pairs, key...)
			var ok bool
			if pairs, ok = project(pairs, r, field, to); !ok {
				pairs = pairs[:at]
				continue
			}
			kept, some = kept+1, true
		}
		if !some {
			return dst, false
		}
		return append(cose.AppendMap(dst, kept), pairs...), true
	default:
		n, some := r.Array(), false
		if n == 0 && s.To == to {
			return cose.AppendArray(dst, 0), true
		}
		items := cose.AppendArray(nil, n)
		for range n {
			if !r.Ok() {
				return dst, false
			}
			var ok bool
			if items, ok = project(items, r, s, to); !ok {
				items = append(items, absent)
			}
			some = some || ok
		}
		if !some {
			return dst, false
		}
		return append(dst, items...), true
	}
}

// absent stands for an element of an array of which a group has nothing: CBOR's
// undefined, which no fact holds. To decode it leaves the element as it was.
const absent = 0xf7

// Join puts parts of one fact together. Of a fact of which not all parts are there it makes
// the fact without what they hold; an element of an array that is wholly missing is null.
// Parts that contradict each other are a problem of kind Invalid.
func Join(parts ...[]byte) ([]byte, error) {
	bad := problem.New(problem.Invalid, "record.parts")
	if len(parts) == 0 {
		return cose.AppendMap(nil, 0), nil
	}
	whole := parts[0]
	for _, p := range parts[1:] {
		a, b := cose.NewReader(whole), cose.NewReader(p)
		joined, ok := join(nil, &a, &b, 0)
		if !ok || !a.Done() || !b.Done() {
			return nil, bad
		}
		whole = joined
	}
	r := cose.NewReader(whole)
	out, ok := fill(nil, &r, 0)
	if !ok || !r.Done() {
		return nil, bad
	}
	return out, nil
}

// deepest is how deep a fact may nest.
const deepest = 16

func join(dst []byte, a, b *cose.Reader, depth int) ([]byte, bool) {
	major := a.Major()
	switch {
	case depth > deepest || !a.Ok() || !b.Ok():
		return dst, false
	case a.Peek() == absent:
		a.Raw()
		return append(dst, b.Raw()...), b.Ok()
	case b.Peek() == absent:
		b.Raw()
		return append(dst, a.Raw()...), a.Ok()
	case major != b.Major():
		return dst, false
	case major == cose.MajorArray:
		n := a.Array()
		if n != b.Array() {
			return dst, false
		}
		dst = cose.AppendArray(dst, n)
		for range n {
			var ok bool
			if dst, ok = join(dst, a, b, depth+1); !ok {
				return dst, false
			}
		}
		return dst, true
	case major == cose.MajorMap:
		return joinMaps(dst, a, b, depth)
	default:
		return dst, false // two values for one field
	}
}

func joinMaps(dst []byte, a, b *cose.Reader, depth int) ([]byte, bool) {
	n, m, pairs := a.Map(), b.Map(), 0
	var out, ka, kb []byte
	next := func(r *cose.Reader, left *int, k *[]byte) {
		if *k == nil && *left > 0 {
			*k = r.Raw()
			*left--
		}
	}
	for {
		next(a, &n, &ka)
		next(b, &m, &kb)
		if !a.Ok() || !b.Ok() {
			return dst, false
		}
		if ka == nil && kb == nil {
			return append(cose.AppendMap(dst, pairs), out...), true
		}
		pairs++
		order := bytes.Compare(ka, kb)
		switch {
		case kb == nil || ka != nil && order < 0:
			out = append(append(out, ka...), a.Raw()...)
			ka = nil
		case ka == nil || order > 0:
			out = append(append(out, kb...), b.Raw()...)
			kb = nil
		default:
			out = append(out, ka...)
			var ok bool
			if out, ok = join(out, a, b, depth+1); !ok {
				return dst, false
			}
			ka, kb = nil, nil
		}
	}
}

// fill copies an item with null for what is absent.
func fill(dst []byte, r *cose.Reader, depth int) ([]byte, bool) {
	if depth > deepest || !r.Ok() || r.Left() == 0 {
		return dst, false
	}
	var ok bool
	switch r.Major() {
	case cose.MajorArray:
		n := r.Array()
		dst = cose.AppendArray(dst, n)
		for range n {
			if dst, ok = fill(dst, r, depth+1); !ok {
				return dst, false
			}
		}
		return dst, r.Ok()
	case cose.MajorMap:
		n := r.Map()
		dst = cose.AppendMap(dst, n)
		for range n {
			dst = append(dst, r.Raw()...)
			if dst, ok = fill(dst, r, depth+1); !ok {
				return dst, false
			}
		}
		return dst, r.Ok()
	}
	if r.Peek() == absent {
		r.Raw()
		return append(dst, 0xf6), true
	}
	return append(dst, r.Raw()...), r.Ok()
}

// ParseDisclosures reads disclosures one after another (a CBOR sequence, RFC 8742), as an
// entry is stored and sent. Their groups ascend. None is well.
func ParseDisclosures(b []byte) ([]Disclosure, error) {
	var ds []Disclosure
	for len(b) > 0 {
		r := cose.NewStrictReader(b)
		raw := r.Raw()
		d, err := ParseDisclosure(raw)
		if err != nil || !r.Ok() || len(ds) >= MaxGroups || len(ds) > 0 && d.Group <= ds[len(ds)-1].Group {
			return nil, problem.New(problem.Invalid, "record.disclosure")
		}
		ds = append(ds, d)
		b = b[len(raw):]
	}
	return ds, nil
}

// Filter returns those of stored disclosures that a reader may have.
func Filter(stored []byte, to Reader) ([]byte, error) {
	ds, err := ParseDisclosures(stored)
	if err != nil {
		return nil, err
	}
	var out []byte
	for _, d := range ds {
		if Allowed(d.Group, to) {
			out = append(out, d.Bytes()...)
		}
	}
	return out, nil
}

// Open returns the body of a fact, as far as its disclosures tell it, once each of them is
// what stands behind its digest. whole says that no group is missing.
func (e Entry) Open(disclosures []byte) (body []byte, whole bool, err error) {
	ds, err := ParseDisclosures(disclosures)
	if err != nil {
		return nil, false, err
	}
	var room [4][]byte
	parts := room[:0]
	for _, d := range ds {
		if !e.Verify(d) {
			return nil, false, problem.New(problem.Untrusted, "record.disclosure")
		}
		parts = append(parts, d.Body)
	}
	if len(parts) == 1 && len(e.Groups) == 1 {
		return parts[0], true, nil
	}
	body, err = Join(parts...)
	return body, len(parts) == len(e.Groups), err
}

// AppendDisclosed appends to a bundle of disclosures what a reader may have of an entry's:
// its length in 32 bits, big-endian, and the disclosures.
func AppendDisclosed(dst, stored []byte, to Reader) ([]byte, error) {
	sent, err := Filter(stored, to)
	if err != nil {
		return dst, err
	}
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(sent)))
	return append(dst, sent...), nil
}

// ParseDisclosed cuts a bundle of disclosures into those of each entry, as many as there
// are entries. They point into b.
func ParseDisclosed(b []byte, width int) ([][]byte, error) {
	bad := problem.New(problem.Invalid, "record.disclosure")
	out := make([][]byte, 0, width)
	for range width {
		if len(b) < 4 {
			return nil, bad
		}
		n := uint64(binary.BigEndian.Uint32(b))
		if uint64(len(b)-4) < n {
			return nil, bad
		}
		out = append(out, b[4:4+n:4+n])
		b = b[4+n:]
	}
	if len(b) > 0 {
		return nil, bad
	}
	return out, nil
}

// Told checks that disclosures are what a reader is to have of an entry: of every group
// that is for it one, which is what stands behind its digest, and no other.
func (e Entry) Told(disclosures []byte, to Reader) error {
	ds, err := ParseDisclosures(disclosures)
	if err != nil {
		return err
	}
	for _, g := range e.Groups {
		if !Allowed(g.Name, to) {
			continue
		}
		if len(ds) == 0 || ds[0].Group != g.Name || ds[0].Digest() != g.Digest {
			return problem.New(problem.Untrusted, "record.disclosure")
		}
		ds = ds[1:]
	}
	if len(ds) > 0 {
		return problem.New(problem.Untrusted, "record.disclosure")
	}
	return nil
}
