// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package storetest_test

import (
	"path/filepath"
	"testing"
	"time"

	"darwaza.dev/internal/store/engine"
	"darwaza.dev/internal/store/postgres"
	"darwaza.dev/internal/store/sqlite"
	"darwaza.dev/internal/store/storetest"
)

func TestSQLite(t *testing.T) {
	storetest.Engine(t, func(t *testing.T) storetest.Opener {
		path := filepath.Join(t.TempDir(), "a b?#%.db")
		return func() (engine.Engine, error) { return sqlite.Open(t.Context(), path) }
	})
}

func TestPostgres(t *testing.T) {
	storetest.Engine(t, func(t *testing.T) storetest.Opener {
		url := storetest.Postgres(t)
		return func() (engine.Engine, error) { return postgres.Open(t.Context(), url) }
	})
}

// TestFaulty runs the suite with the engine that fails on demand, which does not: it is
// what it stands before.
func TestFaulty(t *testing.T) {
	storetest.Engine(t, func(t *testing.T) storetest.Opener {
		path := filepath.Join(t.TempDir(), "x.db")
		return func() (engine.Engine, error) {
			e, err := sqlite.Open(t.Context(), path)
			if err != nil {
				return nil, err
			}
			return storetest.NewFaulty(e), nil
		}
	})
}

// TestExpiry has a lease run out by the database's clock.
func TestExpiry(t *testing.T) {
	url := storetest.Postgres(t)
	open := func() (engine.Engine, error) { return postgres.Open(t.Context(), url) }
	a, b := storetest.MustOpen(t, open), storetest.MustOpen(t, open)
	l, err := a.Acquire(t.Context(), "a", "", 200)
	if err != nil || l.Owner != "a" {
		t.Fatal(l, err)
	}
	for n := 0; ; n++ {
		got, err := b.Acquire(t.Context(), "b", "", 10_000)
		if err != nil {
			t.Fatal(err)
		}
		if got.Owner == "b" {
			if n == 0 || got.Epoch != l.Epoch+1 {
				t.Errorf("taken at once, or epoch %d after %d", got.Epoch, l.Epoch)
			}
			break
		}
		if n > 1000 {
			t.Fatal("the lease never runs out")
		}
		time.Sleep(10 * time.Millisecond)
	}
	if err := a.Renew(t.Context(), "a", l.Epoch, 10_000); err == nil {
		t.Error("a lease that another holds was renewed")
	}
}

// TestStartTogether opens one empty PostgreSQL database from many servers at once.
func TestStartTogether(t *testing.T) {
	url := storetest.Postgres(t)
	errs := make(chan error)
	const servers = 4
	for range servers {
		go func() {
			e, err := postgres.Open(t.Context(), url)
			if err == nil {
				err = e.Prepare(t.Context(), []string{"one", "two"})
				defer e.Close()
			}
			errs <- err
		}()
	}
	for range servers {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}
