// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

// Package postgres is the engine beyond one machine: any number of servers on one
// PostgreSQL. It uses no advisory lock, no notification and no sequence, and runs a
// transaction again that the database gave up for another's sake, so that other
// databases that speak PostgreSQL's language may stand in for it.
package postgres

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"darwaza.dev/internal/store/engine"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Codes of PostgreSQL (appendix A of its manual).
const (
	codeSerialization = "40001"
	codeDeadlock      = "40P01"
	codeUnique        = "23505"
	codeCheck         = "23514"
	codeDivision      = "22012"
)

// attempts is how often a transaction is begun that the database gives up.
const attempts = 8

// owners is how many connections the log's owner has to itself, so that it does not queue
// behind readers of snapshots.
const owners = 4

// Engine is an open database.
type Engine struct {
	pool    *pgxpool.Pool // for everything but snapshots
	readers *pgxpool.Pool
	reads
}

// Open connects to the database that a URL names, and makes its tables where they are
// missing.
func Open(ctx context.Context, url string) (*Engine, error) {
	c, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	if !strings.Contains(url, "pool_max_conns") {
		c.MaxConns = 12
	}
	// A commit counts when the log is flushed, whatever the server's default is.
	c.ConnConfig.RuntimeParams["synchronous_commit"] = "on"
	// Rows are looked up by key. A planner that knows nothing yet of a young table would
	// read the whole of it instead.
	c.ConnConfig.RuntimeParams["enable_seqscan"] = "off"
	readers, err := pgxpool.NewWithConfig(ctx, c)
	if err != nil {
		return nil, err
	}
	c = c.Copy()
	c.MaxConns, c.MinConns = owners, 0
	pool, err := pgxpool.NewWithConfig(ctx, c)
	if err != nil {
		readers.Close()
		return nil, err
	}
	e := &Engine{pool: pool, readers: readers, reads: reads{pool}}
	if err := e.migrate(ctx); err != nil {
		e.Close()
		return nil, fmt.Errorf("postgres: migrate: %w", err)
	}
	return e, nil
}

// migrate brings the tables up to date. Several servers may start at once: all but one
// then fail to make a table that is there already, and find the work done when they look again.
func (e *Engine) migrate(ctx context.Context) error {
	fsys, err := engine.Migrations(migrations)
	if err != nil {
		return err
	}
	db := stdlib.OpenDBFromPool(e.pool)
	defer db.Close()
	return e.again(ctx, func(error) bool { return true }, func() error {
		p, err := goose.NewProvider(goose.DialectPostgres, db, fsys, goose.WithDisableGlobalRegistry(true))
		if err != nil {
			return err
		}
		_, err = p.Up(ctx)
		return err
	})
}

// again runs f until it succeeds, fails for good, or was begun often enough.
func (e *Engine) again(ctx context.Context, worthwhile func(error) bool, f func() error) error {
	for n := 1; ; n++ {
		err := f()
		if err == nil || n == attempts || !worthwhile(err) {
			return err
		}
		select {
		case <-time.After(time.Duration(n*n) * 5 * time.Millisecond):
		case <-ctx.Done():
			return err
		}
	}
}

// givenUp reports that the database undid a transaction and asks for it once more.
func givenUp(err error) bool {
	c := code(err)
	return c == codeSerialization || c == codeDeadlock
}

func code(err error) string {
	var pe *pgconn.PgError
	if errors.As(err, &pe) {
		return pe.Code
	}
	return ""
}

// Name is "postgres".
func (e *Engine) Name() string { return "postgres" }

// Close closes the connections.
func (e *Engine) Close() error {
	e.pool.Close()
	e.readers.Close()
	return nil
}

// Prepare makes the tables of state where they are missing.
func (e *Engine) Prepare(ctx context.Context, tables []string) error {
	return e.again(ctx, func(error) bool { return true }, func() error {
		for _, t := range tables {
			if !engine.SafeTable(t) {
				return fmt.Errorf("postgres: table %q", t)
			}
			if t == engine.Slots {
				continue
			}
			if _, err := e.pool.Exec(ctx, "CREATE TABLE IF NOT EXISTS "+t+" (k BYTEA NOT NULL PRIMARY KEY, v BYTEA NOT NULL)"); err != nil {
				return err
			}
		}
		return nil
	})
}

// now is the database's clock in milliseconds: the servers' own clocks may differ.
const now = `(EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint`

// Acquire takes the lease where nobody holds it.
func (e *Engine) Acquire(ctx context.Context, owner, address string, ttlMillis int64) (engine.Lease, error) {
	var l engine.Lease
	err := e.again(ctx, givenUp, func() error {
		l = engine.Lease{}
		err := pgx.BeginFunc(ctx, e.pool, func(tx pgx.Tx) error {
			var at int64
			if err := tx.QueryRow(ctx, "SELECT "+now).Scan(&at); err != nil {
				return err
			}
			var epoch int64
			if err := tx.QueryRow(ctx, engine.TakeLease, owner, address, at, at+ttlMillis, 0).Scan(&epoch); err != nil {
				return err
			}
			l = engine.Lease{Owner: owner, Address: address, Epoch: uint64(epoch), Live: true}
			_, err := tx.Exec(ctx, engine.Fence, epoch)
			return err
		})
		if errors.Is(err, pgx.ErrNoRows) {
			l, err = e.lease(ctx)
		}
		return err
	})
	return l, err
}

// Renew extends the lease.
func (e *Engine) Renew(ctx context.Context, owner string, epoch uint64, ttlMillis int64) error {
	return e.again(ctx, givenUp, func() error {
		var at int64
		if err := e.pool.QueryRow(ctx, "SELECT "+now).Scan(&at); err != nil {
			return err
		}
		return e.extend(ctx, owner, epoch, at+ttlMillis)
	})
}

// Release lets the lease go.
func (e *Engine) Release(ctx context.Context, owner string, epoch uint64) error {
	return e.again(ctx, givenUp, func() error { return e.extend(ctx, owner, epoch, 0) })
}

func (e *Engine) extend(ctx context.Context, owner string, epoch uint64, expiry int64) error {
	tag, err := e.pool.Exec(ctx, engine.RenewLease, owner, int64(epoch), expiry)
	if err == nil && tag.RowsAffected() == 0 {
		err = engine.ErrFenced
	}
	return err
}

func (e *Engine) lease(ctx context.Context) (engine.Lease, error) {
	var l engine.Lease
	var epoch, expiry, at int64
	row := e.pool.QueryRow(ctx, "SELECT owner, address, epoch, expiry, "+now+" FROM lease WHERE id = 1")
	if err := row.Scan(&l.Owner, &l.Address, &epoch, &expiry, &at); err != nil {
		return l, err
	}
	l.Epoch, l.Live = uint64(epoch), expiry > at
	return l, nil
}

// Secret returns the secret of a name, which is fresh where there was none.
func (e *Engine) Secret(ctx context.Context, name string, fresh []byte) ([]byte, error) {
	var value []byte
	err := e.again(ctx, givenUp, func() error {
		if _, err := e.pool.Exec(ctx, engine.InsertSecret, name, fresh); err != nil {
			return err
		}
		return e.pool.QueryRow(ctx, engine.SelectSecret, name).Scan(&value)
	})
	return value, err
}

// Backup is for PostgreSQL's own tools.
func (e *Engine) Backup(ctx context.Context, path string) error {
	return errors.New("postgres: copy the database with pg_dump or a base backup")
}
