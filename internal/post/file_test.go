// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package post_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"

	"darwaza.dev/internal/people"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/screening"
	"darwaza.dev/internal/service"
)

// TestCaseFile seals a case file anew under its key, erases it at an officer's word and
// sees that nothing opens any of its states, and that none of its words lies on the disk.
func TestCaseFile(t *testing.T) {
	p := newSealedPost(t)
	ctx := context.Background()
	officers, _, err := p.Officers(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var by people.OfficerID
	for _, o := range officers {
		if o.Login == "gate" {
			by = o.ID
		}
	}
	do := func(c service.Command) {
		t.Helper()
		if _, err := p.Writer().Do(ctx, service.Idem{}, c); err != nil {
			t.Fatalf("%s: %v", c.CommandKind(), err)
		}
	}
	const words = "CANARY-of-the-case-file"
	open := service.OpenHealth{ID: "H-ABCDEFGHJKMN", Site: 1, Register: [16]byte{7}, Officer: by}
	if open.SealedID, open.Sealed, err = p.Sealer().Seal(ctx, []byte(words+" 1")); err != nil {
		t.Fatal(err)
	}
	do(open)
	second, err := p.Sealer().SealUnder(ctx, open.SealedID, []byte(words+" 2"))
	if err != nil {
		t.Fatal(err)
	}
	do(service.SeeHealth{Case: open.ID, Act: screening.Asked, Answers: screening.Answers{Done: true, TempTenths: 366}, Officer: by, Sealed: second})
	do(service.CloseHealth{Case: open.ID, Officer: by})
	var kept []byte
	stand := func() (c screening.Case) {
		t.Helper()
		if err := p.Reader().View(ctx, func(st service.State) error {
			c, _ = service.HealthCase(st, open.ID)
			kept, _ = st.Sealed.Get(open.SealedID)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		return c
	}
	if stand(); !bytes.Equal(kept, second) {
		t.Fatal("the file is not the one that was sealed last")
	}
	if plain, err := p.Sealer().Open(ctx, open.SealedID, kept); err != nil || string(plain) != words+" 2" {
		t.Fatalf("%q, %v", plain, err)
	}
	if err := p.Erase(ctx); err != nil {
		t.Fatal(err)
	}
	if stand().Sealed == "" {
		t.Error("erased before its time")
	}
	do(service.EraseHealth{Cases: []screening.ID{open.ID}, Officer: by})
	if err := p.Erase(ctx); err != nil {
		t.Fatal(err)
	}
	if stand().Sealed != "" || kept != nil {
		t.Error("the case still leads to its file")
	}
	for n, c := range [][]byte{open.Sealed, second} {
		if _, err := p.Sealer().Open(ctx, open.SealedID, c); err == nil || problem.KindOf(err) != problem.NotFound {
			t.Errorf("state %d of the file: %v", n+1, err)
		}
	}
	if _, err := p.Sealer().SealUnder(ctx, open.SealedID, []byte(words)); problem.KindOf(err) != problem.NotFound {
		t.Errorf("sealed under a key that is gone: %v", err)
	}
	if err := filepath.WalkDir(p.dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if b, err := os.ReadFile(path); err == nil && bytes.Contains(b, []byte(words)) {
			t.Errorf("%s holds words of the case file", path)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}
