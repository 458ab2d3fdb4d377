// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package post

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/service"
)

// TestListsBeginAnew takes the memory of what was signed away, as a restore that gives
// entries up does: the lists for the other side begin under an id of their own, once.
func TestListsBeginAnew(t *testing.T) {
	keys, dir := makeKeys(t, agreement.A, time.Now())
	root := t.TempDir()
	c := &Config{Side: agreement.A, Keys: dir, Database: filepath.Join(root, "post.db"), Vault: filepath.Join(root, "vault"), Head: filepath.Join(root, "head", "signed")}
	held := false
	open := func() uint64 {
		t.Helper()
		p, err := Open(t.Context(), c, Options{Keys: keys, Unadopted: true})
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		var list uint64
		err = p.Reader().View(context.Background(), func(st service.State) error {
			a, _ := st.Booking.Acks.Get(0)
			list = a.List
			_, held = st.Booking.HeldUpto(1)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Writer().Do(t.Context(), service.Idem{}, service.Acknowledge{Serial: 1}); err != nil {
			t.Fatal(err)
		}
		return list
	}
	if got := open(); got != 0 {
		t.Errorf("a new post begins with list %d", got)
	}
	// Something stands in the record from here on.
	p, err := Open(t.Context(), c, Options{Keys: keys, Unadopted: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Writer().Do(t.Context(), service.Idem{}, service.BeginList{List: 3}); err != nil {
		t.Fatal(err)
	}
	p.Close()
	if got := open(); got != 3 || held {
		t.Errorf("with its head it goes on with list %d, want 3; sales held: %v", got, held)
	}
	if err := os.Rename(c.Head, c.Head+".before"); err != nil {
		t.Fatal(err)
	}
	anew := open()
	if anew == 0 || anew == 3 || !held {
		t.Errorf("without its head it goes on with list %d, sales held: %v", anew, held)
	}
	if got := open(); got != anew {
		t.Errorf("it begins yet another list: %d", got)
	}
}
