// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

// Package table is what a desk knows of storage: state is a handful of tables of
// plain values by key. The desks decide and apply facts on tables; a store gives
// them rows of a database behind the same interface, and tests, rebuilding and
// simulation give them maps. No rule can hide in a store, because there is nowhere
// to put it.
package table

import "sort"

// Table is a set of values by key. Values are copied in and out: a value returned
// by Get belongs to the caller, and a value given to Put is not changed after that
// (slices inside a value are replaced, never written into).
//
// A table that cannot be read returns the zero value and false and remembers the
// fault elsewhere; whatever was decided on it is then thrown away by its owner.
type Table[K comparable, V any] interface {
	Get(k K) (V, bool)
	Put(k K, v V)
	Delete(k K)
}

// Map is a Table in memory.
type Map[K comparable, V any] map[K]V

// Get returns the value of k.
func (m Map[K, V]) Get(k K) (V, bool) { v, ok := m[k]; return v, ok }

// Put sets the value of k.
func (m Map[K, V]) Put(k K, v V) { m[k] = v }

// Delete removes k.
func (m Map[K, V]) Delete(k K) { delete(m, k) }

// SortedKeys returns the map's keys in the order of less, for callers whose result
// must not depend on map order.
func SortedKeys[K comparable, V any](m map[K]V, less func(a, b K) bool) []K {
	ks := make([]K, 0, len(m))
	for k := range m {
		ks = append(ks, k)
	}
	sort.Slice(ks, func(i, j int) bool { return less(ks[i], ks[j]) })
	return ks
}
