// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package table

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

var _ Table[string, int] = Map[string, int]{}

func TestMap(t *testing.T) {
	m := Map[string, int]{}
	if v, ok := m.Get("a"); ok || v != 0 {
		t.Errorf("Get of nothing = %d, %v", v, ok)
	}
	m.Put("a", 1)
	m.Put("a", 2)
	if v, ok := m.Get("a"); !ok || v != 2 {
		t.Errorf("Get = %d, %v", v, ok)
	}
	m.Put("zero", 0)
	if _, ok := m.Get("zero"); !ok {
		t.Error("a zero value is not there")
	}
	m.Delete("a")
	m.Delete("never there")
	if _, ok := m.Get("a"); ok || len(m) != 1 {
		t.Errorf("%v after Delete", m)
	}
}

func TestSortedKeys(t *testing.T) {
	less := func(a, b int) bool { return a < b }
	rapid.Check(t, func(t *rapid.T) {
		m := rapid.MapOf(rapid.Int(), rapid.Bool()).Draw(t, "m")
		got := SortedKeys(m, less)
		if !slices.IsSorted(got) || len(got) != len(m) {
			t.Fatalf("%v of %v", got, m)
		}
		for _, k := range got {
			if _, ok := m[k]; !ok {
				t.Fatalf("%d is not a key of %v", k, m)
			}
		}
	})
	if got := SortedKeys(Map[int, string]{2: "b", 1: "a"}, less); !slices.Equal(got, []int{1, 2}) {
		t.Errorf("got %v", got)
	}
}
