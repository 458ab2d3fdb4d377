// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"context"
	"database/sql/driver"
	"fmt"
	"strings"

	"darwaza.dev/internal/store/engine"
)

// Keys are asked for in groups of these sizes, the last group padded by its own last
// key, so that few statements need to be prepared.
var groups = [...]int{64, 8, 1}

// columnsOf returns what to select of a table besides the key.
func columnsOf(table string) string {
	if table == engine.Slots {
		return strings.Join(engine.SlotColumns[:], ", ")
	}
	return "v"
}

// valueOf returns a row's value from the columns after the key.
func valueOf(table string, row []driver.Value) []byte {
	if table != engine.Slots {
		return bytesOf(row[0])
	}
	var c [len(engine.SlotColumns)]int64
	for i := range c {
		c[i] = intOf(row[i])
	}
	return engine.PackSlot(make([]byte, 0, engine.SlotSize), c)
}

func width(table string) int {
	if table == engine.Slots {
		return 1 + len(engine.SlotColumns)
	}
	return 2
}

func (c *conn) fetch(reqs []engine.Request) error {
	for i := range reqs {
		if err := c.fetchOne(&reqs[i]); err != nil {
			return err
		}
	}
	return nil
}

func (c *conn) fetchOne(r *engine.Request) error {
	if !engine.SafeTable(r.Table) {
		return fmt.Errorf("sqlite: table %q", r.Table)
	}
	r.Values = make([][]byte, len(r.Keys))
	at := 0
	for at < len(r.Keys) {
		left := len(r.Keys) - at
		size := 1
		for _, g := range groups {
			if left > g/2 || g == 1 {
				size = g
				break
			}
		}
		n := min(size, left)
		keys := r.Keys[at : at+n]
		values := r.Values[at : at+n]
		args := make([]driver.Value, size)
		for i := range args {
			args[i] = keys[min(i, n-1)]
		}
		place := map[string][]int{}
		if n > 1 {
			for i, k := range keys {
				place[string(k)] = append(place[string(k)], i)
			}
		}
		q := "SELECT k, " + columnsOf(r.Table) + " FROM " + r.Table + " WHERE k IN (?" + strings.Repeat(", ?", size-1) + ")"
		err := c.query(q, args, width(r.Table), func(row []driver.Value) error {
			v := valueOf(r.Table, row[1:])
			if n == 1 {
				values[0] = v
				return nil
			}
			for _, i := range place[string(bytesOf(row[0]))] {
				values[i] = v
			}
			return nil
		})
		if err != nil {
			return err
		}
		at += n
	}
	return nil
}

// Which rows scan reads.
const (
	inOrder = "ORDER BY k"
	within  = "WHERE k >= ? AND k < ? ORDER BY k LIMIT ?"
)

func (c *conn) scan(ctx context.Context, table, which string, args []driver.Value, f func(k, v []byte) error) error {
	if !engine.SafeTable(table) {
		return fmt.Errorf("sqlite: table %q", table)
	}
	return c.query("SELECT k, "+columnsOf(table)+" FROM "+table+" "+which, args, width(table), func(row []driver.Value) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		return f(bytesOf(row[0]), valueOf(table, row[1:]))
	})
}

func (c *conn) keys(ctx context.Context, table string, f func(k []byte) error) error {
	if !engine.SafeTable(table) {
		return fmt.Errorf("sqlite: table %q", table)
	}
	return c.query("SELECT k FROM "+table, nil, 1, func(row []driver.Value) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		return f(bytesOf(row[0]))
	})
}

func (c *conn) head() (h engine.Head, err error) {
	found := false
	err = c.query(engine.SelectHead, nil, 5, func(row []driver.Value) error {
		found = true
		h = engine.Head{Size: uint64(intOf(row[0])), Root: bytesOf(row[1]), Checkpoint: bytesOf(row[2]), Epoch: uint64(intOf(row[3])), LastAt: intOf(row[4])}
		return nil
	})
	if err == nil && !found {
		err = fmt.Errorf("sqlite: no head: %w", engine.ErrNotFound)
	}
	return h, err
}

func (c *conn) entries(from uint64, n int) (list []engine.Entry, err error) {
	err = c.query(engine.SelectEntries, []driver.Value{int64(from), int64(from) + int64(n)}, 2, func(row []driver.Value) error {
		list = append(list, engine.Entry{Envelope: bytesOf(row[0]), Disclosure: bytesOf(row[1])})
		return nil
	})
	return list, err
}

func (c *conn) tile(level int, index int64) (hashes []byte, err error) {
	err = c.query(engine.SelectTile, []driver.Value{int64(level), index}, 1, func(row []driver.Value) error {
		hashes = bytesOf(row[0])
		return nil
	})
	if err == nil && hashes == nil {
		err = engine.ErrNotFound
	}
	return hashes, err
}

// lease reads a lease whose owner lives, as its lock is held.
func (c *conn) lease() (l engine.Lease, err error) {
	err = c.query(engine.SelectLease, nil, 3, func(row []driver.Value) error {
		l = engine.Lease{Owner: textOf(row[0]), Address: textOf(row[1]), Epoch: uint64(intOf(row[2])), Live: true}
		return nil
	})
	return l, err
}

// A snapshot is a read transaction on a connection of the pool.
type snapshot struct {
	e *Engine
	c *conn
}

func (s *snapshot) Fetch(ctx context.Context, reqs []engine.Request) error { return s.c.fetch(reqs) }

func (s *snapshot) Scan(ctx context.Context, table string, f func(k, v []byte) error) error {
	return s.c.scan(ctx, table, inOrder, nil, f)
}

func (s *snapshot) Range(ctx context.Context, table string, from, to []byte, n int, f func(k, v []byte) error) error {
	return s.c.scan(ctx, table, within, []driver.Value{from, to, int64(n)}, f)
}

func (s *snapshot) Keys(ctx context.Context, table string, f func(k []byte) error) error {
	return s.c.keys(ctx, table, f)
}

func (s *snapshot) Head(ctx context.Context) (engine.Head, error) { return s.c.head() }

func (s *snapshot) Entries(ctx context.Context, from uint64, n int) ([]engine.Entry, error) {
	return s.c.entries(from, n)
}

func (s *snapshot) Tile(ctx context.Context, level int, index int64) ([]byte, error) {
	return s.c.tile(level, index)
}

// Close ends the transaction and gives the connection back.
func (s *snapshot) Close() error {
	_, err := s.c.exec("ROLLBACK")
	s.e.give(s.c, err)
	return err
}
