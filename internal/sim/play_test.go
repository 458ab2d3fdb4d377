// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"
)

// play runs a small day and returns its table without the timings.
func play(t *testing.T, seed uint64, visitors, vendors int) (*Result, string) {
	t.Helper()
	ctx := context.Background()
	d, err := Start(ctx, Config{Dir: t.TempDir(), Seed: seed})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	began := time.Now()
	p, err := NewPlayer(ctx, d, visitors, vendors)
	if err != nil {
		t.Fatal(err)
	}
	for more := true; more; {
		if more, err = p.Step(ctx); err != nil {
			t.Fatal(err)
		}
	}
	r, err := p.Result(ctx)
	if err != nil {
		t.Fatal(err)
	}
	r.Took = time.Since(began)
	var b bytes.Buffer
	r.Table(&b)
	t.Log(b.String())
	table, _, _ := strings.Cut(b.String(), "\nplayed in ")
	return r, table
}

func TestPlay(t *testing.T) {
	r, first := play(t, 1, 150, 8)
	if err := r.Check(); err != nil {
		t.Error(err)
	}
	_, second := play(t, 1, 150, 8)
	if first != second {
		t.Errorf("the same seed gave another table:\n%s\n%s", first, second)
	}
}
