// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import "hash/maphash"

// A keyset knows which keys are surely absent: a Bloom filter in layers, each twice as
// large as the one before, so that it grows with the table. Nearly every booking asks for
// four rows that are not there (its reference, its passes, its persons' claims, its
// idempotency key), and asking the database would cost more than deciding. The zero value
// holds nothing.
//
// With 16 bits and 8 probes for each key, one absent key in 1,700 is taken for a present one
// and looked up in vain.
type keyset struct {
	seed   maphash.Seed
	layers [][]uint64
	room   int // keys that still fit the last layer
}

const (
	bitsPerKey = 16
	probes     = 8
	firstLayer = 1 << 12 // keys
)

func (s *keyset) add(k []byte) {
	if s.room == 0 {
		if len(s.layers) == 0 {
			s.seed = maphash.MakeSeed()
		}
		s.room = firstLayer << len(s.layers)
		s.layers = append(s.layers, make([]uint64, s.room*bitsPerKey/64))
	}
	s.room--
	layer := s.layers[len(s.layers)-1]
	h := maphash.Bytes(s.seed, k)
	for range probes {
		bit := h & uint64(len(layer)*64-1) // a layer's size is a power of two
		layer[bit/64] |= 1 << (bit % 64)
		h = step(h)
	}
}

// has is false only where the key was never added.
func (s *keyset) has(k []byte) bool {
	if len(s.layers) == 0 {
		return false
	}
	first := maphash.Bytes(s.seed, k)
layers:
	for _, layer := range s.layers {
		h := first
		for range probes {
			bit := h & uint64(len(layer)*64-1)
			if layer[bit/64]&(1<<(bit%64)) == 0 {
				continue layers
			}
			h = step(h)
		}
		return true
	}
	return false
}

// step returns the next probe: a multiplication and a shift that spread every bit.
func step(h uint64) uint64 {
	h *= 0x9e3779b97f4a7c15
	return h ^ h>>32
}
