// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"encoding/binary"
	"testing"
)

// TestKeyset never misses a key that was added, and seldom claims one that was not.
func TestKeyset(t *testing.T) {
	var s keyset
	key := func(i uint64) []byte { return binary.BigEndian.AppendUint64([]byte("k"), i) }
	if s.has(key(1)) {
		t.Error("the empty set holds a key")
	}
	const n = 100_000
	for i := range uint64(n) {
		s.add(key(i))
	}
	for i := range uint64(n) {
		if !s.has(key(i)) {
			t.Fatalf("key %d is missing", i)
		}
	}
	wrong := 0
	for i := range uint64(n) {
		if s.has(key(n + i)) {
			wrong++
		}
	}
	if wrong > n/50 {
		t.Errorf("%d of %d absent keys are taken for present ones", wrong, n)
	}
	bytes := 0
	for _, l := range s.layers {
		bytes += 8 * len(l)
	}
	if bytes > n*8 {
		t.Errorf("%d bytes for %d keys", bytes, n)
	}
}
