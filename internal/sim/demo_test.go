// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"context"
	"io"
	"net/http"
	"testing"
)

func TestStart(t *testing.T) {
	d, err := Start(context.Background(), Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	for _, s := range []*Side{d.A, d.B} {
		res, err := http.Get(s.Address + "/healthz")
		if err != nil {
			t.Fatal(err)
		}
		b, _ := io.ReadAll(res.Body)
		res.Body.Close()
		t.Log(s.Address, res.Status, string(b))
		if err := s.Post.Exchange().Pull(context.Background()); err != nil {
			t.Error(err)
		}
		t.Logf("%+v", s.Post.Exchange().Status())
	}
}
