// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"darwaza.dev/internal/store/engine"
)

// A queryer is a pool or a transaction.
type queryer interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
	SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults
}

// reads are the reads of a pool or a transaction.
type reads struct{ q queryer }

func columnsOf(table string) string {
	if table == engine.Slots {
		return strings.Join(engine.SlotColumns[:], ", ")
	}
	return "v"
}

// scanValue reads a key and a value.
func scanValue(table string, rows pgx.Rows) (k, v []byte, err error) {
	if table != engine.Slots {
		err = rows.Scan(&k, &v)
		return k, v, err
	}
	var c [len(engine.SlotColumns)]int64
	dest := []any{&k}
	for i := range c {
		dest = append(dest, &c[i])
	}
	err = rows.Scan(dest...)
	return k, engine.PackSlot(make([]byte, 0, engine.SlotSize), c), err
}

// Fetch reads rows, all tables in one round trip.
func (r reads) Fetch(ctx context.Context, reqs []engine.Request) error {
	var b pgx.Batch
	for i := range reqs {
		req := &reqs[i]
		if !engine.SafeTable(req.Table) {
			return fmt.Errorf("postgres: table %q", req.Table)
		}
		req.Values = make([][]byte, len(req.Keys))
		if len(req.Keys) == 0 {
			continue
		}
		place := make(map[string][]int, len(req.Keys))
		for j, k := range req.Keys {
			place[string(k)] = append(place[string(k)], j)
		}
		b.Queue("SELECT k, "+columnsOf(req.Table)+" FROM "+req.Table+" WHERE k = ANY($1)", req.Keys).Query(func(rows pgx.Rows) error {
			defer rows.Close()
			for rows.Next() {
				k, v, err := scanValue(req.Table, rows)
				if err != nil {
					return err
				}
				for _, j := range place[string(k)] {
					req.Values[j] = v
				}
			}
			return rows.Err()
		})
	}
	if b.Len() == 0 {
		return nil
	}
	return r.q.SendBatch(ctx, &b).Close()
}

// Scan reads a table in the order of its keys.
func (r reads) Scan(ctx context.Context, table string, f func(k, v []byte) error) error {
	return r.rows(ctx, table, "ORDER BY k", f)
}

// Range reads a part of a table in the order of its keys.
func (r reads) Range(ctx context.Context, table string, from, to []byte, n int, f func(k, v []byte) error) error {
	return r.rows(ctx, table, "WHERE k >= $1 AND k < $2 ORDER BY k LIMIT $3", f, from, to, n)
}

func (r reads) rows(ctx context.Context, table, which string, f func(k, v []byte) error, args ...any) error {
	if !engine.SafeTable(table) {
		return fmt.Errorf("postgres: table %q", table)
	}
	rows, err := r.q.Query(ctx, "SELECT k, "+columnsOf(table)+" FROM "+table+" "+which, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		k, v, err := scanValue(table, rows)
		if err != nil {
			return err
		}
		if err := f(k, v); err != nil {
			return err
		}
	}
	return rows.Err()
}

// Keys reads a table's keys.
func (r reads) Keys(ctx context.Context, table string, f func(k []byte) error) error {
	if !engine.SafeTable(table) {
		return fmt.Errorf("postgres: table %q", table)
	}
	rows, err := r.q.Query(ctx, "SELECT k FROM "+table)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var k []byte
		if err := rows.Scan(&k); err != nil {
			return err
		}
		if err := f(k); err != nil {
			return err
		}
	}
	return rows.Err()
}

// Head reads the head.
func (r reads) Head(ctx context.Context) (engine.Head, error) {
	var h engine.Head
	var size, epoch int64
	err := r.q.QueryRow(ctx, engine.SelectHead).Scan(&size, &h.Root, &h.Checkpoint, &epoch, &h.LastAt)
	h.Size, h.Epoch = uint64(size), uint64(epoch)
	return h, err
}

// Entries reads up to n entries.
func (r reads) Entries(ctx context.Context, from uint64, n int) ([]engine.Entry, error) {
	rows, err := r.q.Query(ctx, engine.SelectEntries, int64(from), int64(from)+int64(n))
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (e engine.Entry, err error) {
		err = row.Scan(&e.Envelope, &e.Disclosure)
		return e, err
	})
}

// Tile reads a tile.
func (r reads) Tile(ctx context.Context, level int, index int64) ([]byte, error) {
	var hashes []byte
	err := r.q.QueryRow(ctx, engine.SelectTile, level, index).Scan(&hashes)
	if errors.Is(err, pgx.ErrNoRows) {
		err = engine.ErrNotFound
	}
	return hashes, err
}

// A snapshot is a transaction that sees the database as it stood at its first read.
type snapshot struct {
	tx pgx.Tx
	reads
}

// Snapshot shows one moment, which is that of the first read.
func (e *Engine) Snapshot(ctx context.Context) (engine.Snapshot, error) {
	tx, err := e.readers.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return nil, err
	}
	return &snapshot{tx, reads{tx}}, nil
}

// Close ends the transaction.
func (s *snapshot) Close() error { return s.tx.Rollback(context.Background()) }
