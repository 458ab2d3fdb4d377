// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package exchange

import (
	"bytes"
	"context"
	"testing"

	"darwaza.dev/internal/problem"
)

// TestCompare tells where two files of one log part, and which of them was altered.
func TestCompare(t *testing.T) {
	ctx := context.Background()
	w := newWriting(t, "darwaza.dev/test/A", 1)
	w.open(900)
	older := w.fork(t, 700)
	for name, x := range map[string]struct {
		a, b  Source
		agree bool
		first uint64
	}{
		"the same":  {w, w, true, 0},
		"an older":  {w, older, true, 0},
		"the other": {older, w, true, 0},
		"two stories": {w, func() Source {
			liar := w.fork(t, 555)
			for i := range 345 {
				liar.add(openedFact(1_000_000 + i))
			}
			return liar
		}(), false, 555},
	} {
		c, err := Compare(ctx, x.a, x.b, w.log)
		if err != nil || c.Agree != x.agree || c.First != x.first || !x.agree && bytes.Equal(c.EntryA.Bytes(), c.EntryB.Bytes()) || c.DisclosuresA < 700 || c.DisclosuresB < 700 {
			t.Errorf("%s: %+v, %v", name, c, err)
		}
	}
	for _, path := range []string{"tile/entries/001", "disclosures/001", "checkpoint"} {
		bad := altered{w, func(p string, b []byte) ([]byte, error) {
			if p == path {
				b[len(b)/2] ^= 1
			}
			return b, nil
		}}
		for _, files := range [][2]Source{{bad, w}, {w, bad}} {
			if _, err := Compare(ctx, files[0], files[1], w.log); err == nil || problem.KindOf(err) == problem.Internal {
				t.Errorf("a file with an altered %s: %v", path, err)
			}
		}
	}
}
