// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

// Package sqlite is the embedded engine: one file, one writing process, and a
// write-ahead log that is flushed at every commit.
package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"

	"darwaza.dev/internal/store/engine"
)

//go:embed migrations/*.sql
var migrations embed.FS

// synchronous=FULL flushes the log at every commit. NORMAL loses commits at a power cut
// that were acknowledged; so FULL is asked back when a connection is opened.
var pragmas = []string{"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)"}

// Codes of SQLite: the primary code of a constraint, and the extended one of a CHECK.
const (
	codeConstraint = 19
	codeCheck      = 275
)

// maxReaders is how many snapshots may be read at once; more wait. Each connection has
// a page cache of its own, and there are seldom more cores than this.
const maxReaders = 8

// Engine is an open database file.
type Engine struct {
	path string

	// writing holds the one writing connection, and direct the one on which the engine's
	// own reads go, so that the log's owner does not queue behind readers of snapshots.
	// Whoever takes a connection out may use it.
	writing, direct chan *conn
	// readers has room for every snapshot that may be open.
	readers chan struct{}

	mu     sync.Mutex
	idle   []*conn
	closed bool
	lock   *os.File // held by the process that owns the log, see Acquire
}

// Open opens a database file, making it and its tables where they are missing.
func Open(ctx context.Context, path string) (*Engine, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	if err := migrate(ctx, path); err != nil {
		return nil, err
	}
	e := &Engine{path: path, writing: make(chan *conn, 1), direct: make(chan *conn, 1), readers: make(chan struct{}, maxReaders)}
	w, err := open(dsn(path, append([]string{"cache_size(-16384)", "wal_autocheckpoint(4000)", "temp_store(2)"}, pragmas...)...))
	if err != nil {
		return nil, err
	}
	if err := assertDurable(w); err != nil {
		w.close()
		return nil, err
	}
	d, err := e.reader()
	if err != nil {
		w.close()
		return nil, err
	}
	e.writing <- w
	e.direct <- d
	return e, nil
}

func migrate(ctx context.Context, path string) error {
	db, err := sql.Open("sqlite", dsn(path, pragmas...))
	if err != nil {
		return err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	fsys, err := engine.Migrations(migrations)
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, fsys, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("sqlite: %s: migrate: %w", path, err)
	}
	// The file's name is as secret as its content is: the owner's alone.
	return os.Chmod(path, 0o600)
}

func assertDurable(c *conn) error {
	for _, want := range []struct{ pragma, value string }{{"journal_mode", "wal"}, {"synchronous", "2"}, {"foreign_keys", "1"}} {
		got := ""
		err := c.query("PRAGMA "+want.pragma, nil, 1, func(row []driver.Value) error {
			got = strings.ToLower(fmt.Sprint(row[0]))
			return nil
		})
		if err != nil {
			return err
		}
		if got != want.value {
			return fmt.Errorf("sqlite: %s is %q, must be %q", want.pragma, got, want.value)
		}
	}
	return nil
}

// Name is "sqlite".
func (e *Engine) Name() string { return "sqlite" }

func (e *Engine) reader() (*conn, error) {
	return open(dsn(e.path, append([]string{"query_only(1)"}, pragmas...)...))
}

// take returns a connection for a snapshot.
func (e *Engine) take(ctx context.Context) (*conn, error) {
	select {
	case e.readers <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		<-e.readers
		return nil, os.ErrClosed
	}
	if n := len(e.idle); n > 0 {
		c := e.idle[n-1]
		e.idle = e.idle[:n-1]
		e.mu.Unlock()
		return c, nil
	}
	e.mu.Unlock()
	c, err := e.reader()
	if err != nil {
		<-e.readers
	}
	return c, err
}

// give takes a connection back; one that had a fault is closed.
func (e *Engine) give(c *conn, fault error) {
	e.mu.Lock()
	if fault == nil && !e.closed {
		e.idle, c = append(e.idle, c), nil
	}
	e.mu.Unlock()
	if c != nil {
		c.close()
	}
	<-e.readers
}

// with calls f with the connection that a channel of one holds.
func with(ctx context.Context, conns chan *conn, f func(c *conn) error) error {
	select {
	case c, ok := <-conns:
		if !ok {
			return os.ErrClosed
		}
		defer func() { conns <- c }()
		return f(c)
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (e *Engine) reading(ctx context.Context, f func(c *conn) error) error {
	return with(ctx, e.direct, f)
}

func (e *Engine) writer(ctx context.Context, f func(c *conn) error) error {
	return with(ctx, e.writing, f)
}

// transaction calls f inside a transaction that is rolled back where f fails.
func transaction(c *conn, f func() error) error {
	if _, err := c.exec("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	err := f()
	if err == nil {
		_, err = c.exec("COMMIT")
	}
	if err != nil {
		c.exec("ROLLBACK") // fails where the database has rolled back by itself
	}
	var se *sqlite.Error
	if errors.As(err, &se) && (se.Code() == codeCheck || se.Code() == codeConstraint) {
		return fmt.Errorf("%w: %w", engine.ErrCheck, err)
	}
	return err
}

// Fetch reads rows as last committed.
func (e *Engine) Fetch(ctx context.Context, reqs []engine.Request) error {
	return e.reading(ctx, func(c *conn) error { return c.fetch(reqs) })
}

// Scan reads a table as last committed.
func (e *Engine) Scan(ctx context.Context, table string, f func(k, v []byte) error) error {
	return e.reading(ctx, func(c *conn) error { return c.scan(ctx, table, inOrder, nil, f) })
}

// Range reads a part of a table in the order of its keys.
func (e *Engine) Range(ctx context.Context, table string, from, to []byte, n int, f func(k, v []byte) error) error {
	return e.reading(ctx, func(c *conn) error {
		return c.scan(ctx, table, within, []driver.Value{from, to, int64(n)}, f)
	})
}

// Keys reads a table's keys as last committed.
func (e *Engine) Keys(ctx context.Context, table string, f func(k []byte) error) error {
	return e.reading(ctx, func(c *conn) error { return c.keys(ctx, table, f) })
}

// Head reads the head as last committed.
func (e *Engine) Head(ctx context.Context) (h engine.Head, err error) {
	err = e.reading(ctx, func(c *conn) error { h, err = c.head(); return err })
	return h, err
}

// Entries reads entries as last committed.
func (e *Engine) Entries(ctx context.Context, from uint64, n int) (list []engine.Entry, err error) {
	err = e.reading(ctx, func(c *conn) error { list, err = c.entries(from, n); return err })
	return list, err
}

// Tile reads a tile as last committed.
func (e *Engine) Tile(ctx context.Context, level int, index int64) (hashes []byte, err error) {
	err = e.reading(ctx, func(c *conn) error { hashes, err = c.tile(level, index); return err })
	return hashes, err
}

// Snapshot begins a read transaction.
func (e *Engine) Snapshot(ctx context.Context) (engine.Snapshot, error) {
	c, err := e.take(ctx)
	if err != nil {
		return nil, err
	}
	if _, err = c.exec("BEGIN"); err != nil {
		e.give(c, err)
		return nil, err
	}
	return &snapshot{e: e, c: c}, nil
}

// Prepare makes the tables of state where they are missing.
func (e *Engine) Prepare(ctx context.Context, tables []string) error {
	return e.writer(ctx, func(c *conn) error {
		return transaction(c, func() error {
			for _, t := range tables {
				if !engine.SafeTable(t) {
					return fmt.Errorf("sqlite: table %q", t)
				}
				if t == engine.Slots {
					continue
				}
				if _, err := c.exec("CREATE TABLE IF NOT EXISTS " + t + " (k BLOB NOT NULL PRIMARY KEY, v BLOB NOT NULL)"); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

// Acquire takes the lease. On SQLite it does not go by time: the owner of the log holds a
// lock on a file beside the database, which the system drops when the process ends. So
// whoever gets that lock takes over at once, and while a process lives that holds it,
// nobody else becomes the owner, however slow it is.
func (e *Engine) Acquire(ctx context.Context, owner, address string, ttlMillis int64) (engine.Lease, error) {
	e.mu.Lock()
	if e.lock == nil && !e.closed {
		f, err := lockFile(e.path + ".lock")
		if err != nil && !errors.Is(err, errHeld) {
			e.mu.Unlock()
			return engine.Lease{}, err
		}
		e.lock = f
	}
	held := e.lock != nil
	e.mu.Unlock()
	var l engine.Lease
	if !held {
		err := e.reading(ctx, func(c *conn) (err error) { l, err = c.lease(); return err })
		return l, err
	}
	err := e.writer(ctx, func(c *conn) error {
		return transaction(c, func() error {
			now := time.Now().UnixMilli()
			err := c.query(engine.TakeLease, []driver.Value{owner, address, now, now + ttlMillis, int64(1)}, 1, func(row []driver.Value) error {
				l = engine.Lease{Owner: owner, Address: address, Epoch: uint64(intOf(row[0])), Live: true}
				return nil
			})
			if err != nil {
				return err
			}
			_, err = c.exec(engine.Fence, int64(l.Epoch))
			return err
		})
	})
	return l, err
}

// Renew has nothing to write, as the lock needs no renewal.
func (e *Engine) Renew(ctx context.Context, owner string, epoch uint64, ttlMillis int64) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.lock == nil {
		return engine.ErrFenced
	}
	return nil
}

// Release lets the lease and the lock go.
func (e *Engine) Release(ctx context.Context, owner string, epoch uint64) error {
	err := e.writer(ctx, func(c *conn) error {
		n, err := c.exec(engine.RenewLease, owner, int64(epoch), int64(0))
		if err == nil && n == 0 {
			err = engine.ErrFenced
		}
		return err
	})
	e.unlock()
	return err
}

func (e *Engine) unlock() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.lock != nil {
		e.lock.Close()
		e.lock = nil
	}
}

// Secret returns the secret of a name, which is fresh where there was none.
func (e *Engine) Secret(ctx context.Context, name string, fresh []byte) (value []byte, err error) {
	err = e.writer(ctx, func(c *conn) error {
		if _, err := c.exec(engine.InsertSecret, name, fresh); err != nil {
			return err
		}
		return c.query(engine.SelectSecret, []driver.Value{name}, 1, func(row []driver.Value) error {
			value = bytesOf(row[0])
			return nil
		})
	})
	return value, err
}

// Backup copies the database while it is in use. The copy is whole, without a log of its own.
func (e *Engine) Backup(ctx context.Context, path string) error {
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("sqlite: %s: %w", path, os.ErrExist)
	}
	c, err := open(dsn(e.path, pragmas...))
	if err != nil {
		return err
	}
	defer c.close()
	if _, err := c.exec("VACUUM INTO ?", path); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	return errors.Join(f.Chmod(0o600), f.Sync())
}

// Close closes the database, once what is being written or read directly is done.
func (e *Engine) Close() error {
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return nil
	}
	e.closed = true
	idle := e.idle
	e.idle = nil
	e.mu.Unlock()
	for _, c := range idle {
		c.close()
	}
	var err error
	for _, conns := range []chan *conn{e.direct, e.writing} {
		c := <-conns
		close(conns)
		err = errors.Join(err, c.close())
	}
	e.unlock()
	return err
}
