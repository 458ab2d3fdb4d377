// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package trust

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"darwaza.dev/internal/proof"
	"github.com/FastFilter/xorfilter"
)

// FalsePositives is how many of a million certificates that nobody revoked a Filter has
// for one of their hashes all the same: 2^-16 each, as a binary fuse filter of 16 bits
// has it (Graf and Lemire, "Binary Fuse Filters", 2022).
const FalsePositives = 1_000_000.0 / (1 << 16)

// A Filter is a set of revoked hashes, small enough for a tablet: 18 to 19 bits for each,
// 2.3 MB for a million. It misses none and has others by chance, FalsePositives of a
// million, so that what it has is to be confirmed before anybody is refused. It is made
// anew and not changed.
type Filter struct {
	fuse  *xorfilter.BinaryFuse[uint16]
	count int
}

// hashOf is the key of the filter: the first half of the hash, with its kind, which keeps
// a hash of one kind apart from the same of another.
func hashOf(h proof.Hash) uint64 {
	v := binary.BigEndian.Uint64(h.Sum[:8])
	switch h.Kind {
	case proof.HashSignature:
		return v
	case proof.HashUVCI:
		return v ^ 0x9e3779b97f4a7c15
	case proof.HashCountryUCI:
		return v ^ 0xc2b2ae3d27d4eb4f
	}
	return v ^ 0x165667b19e3779f9
}

// NewFilter returns the filter of hashes.
func NewFilter(hashes []proof.Hash) (*Filter, error) {
	keys := make([]uint64, len(hashes))
	for i, h := range hashes {
		keys[i] = hashOf(h)
	}
	slices.Sort(keys)
	keys = slices.Compact(keys)
	f := &Filter{count: len(keys)}
	if len(keys) == 0 {
		return f, nil
	}
	var err error
	f.fuse, err = xorfilter.NewBinaryFuse[uint16](keys)
	return f, err
}

// Len returns how many hashes the filter was made of.
func (f *Filter) Len() int { return f.count }

// Has reports whether the filter has a hash: certainly not, or perhaps.
func (f *Filter) Has(h proof.Hash) bool { return f.fuse != nil && f.fuse.Contains(hashOf(h)) }

// ErrFilter is the error of bytes that are no filter.
var ErrFilter = errors.New("trust: not a filter of revocations")

const filterMagic = "DWZRF1\x00\x00"

// filterHead is the length of a filter's head in bytes.
const filterHead = 8 + 4*8

// Bytes returns the filter's wire form, big-endian:
//
//	"DWZRF1" 00 00 | count uint64 | seed uint64 | segment length uint64 | segments uint64 | fingerprints uint16 …
func (f *Filter) Bytes() []byte {
	b := append(make([]byte, 0, filterHead), filterMagic...)
	b = binary.BigEndian.AppendUint64(b, uint64(f.count))
	if f.fuse == nil {
		return append(b, make([]byte, 3*8)...)
	}
	b = binary.BigEndian.AppendUint64(b, f.fuse.Seed)
	b = binary.BigEndian.AppendUint64(b, uint64(f.fuse.SegmentLength))
	b = binary.BigEndian.AppendUint64(b, uint64(f.fuse.SegmentCount))
	for _, v := range f.fuse.Fingerprints {
		b = binary.BigEndian.AppendUint16(b, v)
	}
	return b
}

// IsFilter reports whether a file looks like one that ParseFilter reads.
func IsFilter(b []byte) bool { return bytes.HasPrefix(b, []byte(filterMagic)) }

// ParseFilter reads the wire form. The numbers must fit each other and the length, so that
// no question reaches outside.
func ParseFilter(b []byte) (*Filter, error) {
	if len(b) < filterHead || string(b[:8]) != filterMagic {
		return nil, ErrFilter
	}
	count, seed := binary.BigEndian.Uint64(b[8:]), binary.BigEndian.Uint64(b[16:])
	length, segments := binary.BigEndian.Uint64(b[24:]), binary.BigEndian.Uint64(b[32:])
	b = b[filterHead:]
	if count == 0 {
		if seed|length|segments != 0 || len(b) != 0 {
			return nil, ErrFilter
		}
		return &Filter{}, nil
	}
	// The length of a segment is a power of two (the mask is one less).
	if length == 0 || length > 1<<18 || length&(length-1) != 0 || segments == 0 || segments > 1<<24 ||
		(segments+2)*length*2 != uint64(len(b)) || count > uint64(len(b)) {
		return nil, ErrFilter
	}
	f := &xorfilter.BinaryFuse[uint16]{Seed: seed, SegmentLength: uint32(length), SegmentLengthMask: uint32(length - 1),
		SegmentCount: uint32(segments), SegmentCountLength: uint32(segments * length), Fingerprints: make([]uint16, len(b)/2)}
	for i := range f.Fingerprints {
		f.Fingerprints[i] = binary.BigEndian.Uint16(b[2*i:])
	}
	return &Filter{f, int(count)}, nil
}

// Entries are revoked hashes themselves: 16 bytes each, sorted.
type Entries struct {
	sums map[proof.HashKind][][16]byte
}

// NewEntries returns the entries of hashes.
func NewEntries(hashes []proof.Hash) *Entries {
	e := &Entries{sums: map[proof.HashKind][][16]byte{}}
	for _, h := range hashes {
		e.sums[h.Kind] = append(e.sums[h.Kind], h.Sum)
	}
	for _, sums := range e.sums {
		slices.SortFunc(sums, compareSums)
	}
	return e
}

func compareSums(a, b [16]byte) int { return bytes.Compare(a[:], b[:]) }

// Has reports whether a hash is revoked. It is a Confirmer that is never in doubt.
func (e *Entries) Has(h proof.Hash) (revoked, known bool) {
	_, revoked = slices.BinarySearchFunc(e.sums[h.Kind], h.Sum, compareSums)
	return revoked, true
}

// Len returns how many entries there are of each kind.
func (e *Entries) Len() map[proof.HashKind]int {
	n := map[proof.HashKind]int{}
	for kind, sums := range e.sums {
		n[kind] = len(sums)
	}
	return n
}

// Confirm returns who confirms what a filter has: an entry always revokes. That there is
// none clears a certificate where the filter was made of these very entries, so that it has
// the certificate by chance, and is no answer otherwise: the entry may lie elsewhere.
func (e *Entries) Confirm(f *Filter) (Confirmer, error) {
	var hashes []proof.Hash
	for kind, sums := range e.sums {
		for _, sum := range sums {
			hashes = append(hashes, proof.Hash{Kind: kind, Sum: sum})
		}
	}
	own, err := NewFilter(hashes)
	if err != nil {
		return nil, err
	}
	if bytes.Equal(own.Bytes(), f.Bytes()) {
		return e.Has, nil
	}
	return func(h proof.Hash) (revoked, known bool) {
		revoked, _ = e.Has(h)
		return revoked, revoked
	}, nil
}

// A Confirmer says whether a hash that a filter has is truly revoked; known is false where
// it cannot tell, having no way to the entries for one.
type Confirmer func(proof.Hash) (revoked, known bool)

// Revoked answers whether certificates are revoked: by a filter, and by who confirms it.
type Revoked struct {
	filter  *Filter
	confirm Confirmer
	at      time.Time
	limits  Limits
}

// NewRevoked returns revocations of a time under limits of age. confirm may be nil, where
// nobody can confirm; the filter may be nil, and every hash is then asked of confirm.
func NewRevoked(filter *Filter, confirm Confirmer, at time.Time, limits Limits) *Revoked {
	return &Revoked{filter, confirm, at, limits}
}

// Standing implements proof.Revocation. A list that is too old is none: what it says
// still refuses, as nobody takes back a revocation, and what it does not say is no answer.
func (r *Revoked) Standing(q proof.RevocationQuery) proof.Standing {
	s := proof.NotRevoked
	if r.filter == nil && r.confirm == nil || r.limits.Age(r.at, q.At) == proof.TooOld {
		s = proof.NoList
	}
	for _, h := range q.Hashes {
		if r.filter != nil && !r.filter.Has(h) {
			continue
		}
		if r.confirm == nil {
			if r.filter != nil {
				s = max(s, proof.Unconfirmed)
			}
			continue
		}
		switch revoked, known := r.confirm(h); {
		case !known:
			s = max(s, proof.Unconfirmed)
		case revoked:
			return proof.IsRevoked
		}
	}
	return s
}

// ErrBatch is the error of a file that is no batch of revocations.
var ErrBatch = errors.New("trust: not a batch of revoked hashes")

// IsBatch reports whether a file looks like one that ReadBatch reads.
func IsBatch(b []byte) bool { return bytes.Contains(b, []byte(`"hashType"`)) }

// ReadBatch reads batches of revoked hashes as the EU's gateway passes them on, one or an
// array of them: {"hashType": "SIGNATURE"|"UCI"|"COUNTRYCODEUCI", "entries": [{"hash":
// base64 of 16 bytes or more}]}. The hashes come sorted.
func ReadBatch(b []byte) ([]proof.Hash, error) {
	type batch struct {
		HashType string `json:"hashType"`
		Entries  []struct {
			Hash string `json:"hash"`
		} `json:"entries"`
	}
	var many []batch
	if len(b) > MaxList {
		return nil, ErrBatch
	}
	if json.Unmarshal(b, &many) != nil {
		var one batch
		if json.Unmarshal(b, &one) != nil {
			return nil, ErrBatch
		}
		many = []batch{one}
	}
	kinds := map[string]proof.HashKind{"SIGNATURE": proof.HashSignature, "UCI": proof.HashUVCI, "COUNTRYCODEUCI": proof.HashCountryUCI}
	var out []proof.Hash
	for _, x := range many {
		kind, ok := kinds[x.HashType]
		if !ok {
			return nil, ErrBatch
		}
		for _, e := range x.Entries {
			sum, err := base64.StdEncoding.DecodeString(e.Hash)
			if err != nil || len(sum) < 16 {
				return nil, ErrBatch // an entry that is lost here would let somebody in
			}
			out = append(out, proof.Hash{Kind: kind, Sum: [16]byte(sum[:16])})
		}
	}
	slices.SortFunc(out, func(a, b proof.Hash) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), compareSums(a.Sum, b.Sum))
	})
	return out, nil
}
