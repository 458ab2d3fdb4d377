// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package postgres

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"darwaza.dev/internal/store/engine"
)

// advance moves the head, and divides by zero where it did not move: the statements of
// a batch are all sent before the first answer is read, and one that fails is what makes
// the database undo them all.
const advance = `WITH moved AS (` + engine.Advance + ` RETURNING 1) SELECT 1 / count(*) FROM moved`

// Commit writes a batch in one round trip. Statements that are sent together with no
// BEGIN are one transaction that commits at their end (PostgreSQL's manual, 55.2.4).
//
// Rows that are believed new are inserted and no more: looking for the row first, as an
// upsert does, writes each twice to the write-ahead log. Where the belief is wrong the
// database undoes the whole, and all is written by upserts.
func (e *Engine) Commit(ctx context.Context, b *engine.Batch) error {
	err := e.commit(ctx, b, true)
	if code(err) == codeUnique {
		err = e.commit(ctx, b, false)
	}
	switch code(err) {
	case codeDivision:
		return engine.ErrFenced
	case codeCheck:
		return fmt.Errorf("%w: %w", engine.ErrCheck, err)
	}
	return err
}

func (e *Engine) commit(ctx context.Context, b *engine.Batch, trusting bool) error {
	return e.again(ctx, givenUp, func() error {
		q, err := statements(b, trusting)
		if err != nil {
			return err
		}
		return e.pool.SendBatch(ctx, q).Close()
	})
}

func statements(b *engine.Batch, trusting bool) (*pgx.Batch, error) {
	var q pgx.Batch
	q.Queue(advance, int64(b.Head.Size), b.Head.Root, b.Head.Checkpoint, b.Head.LastAt, int64(b.OldSize), int64(b.Epoch))
	if err := queueRows(&q, b.Rows, trusting); err != nil {
		return nil, err
	}
	if len(b.Entries) > 0 {
		envelopes, disclosures := make([][]byte, len(b.Entries)), make([][]byte, len(b.Entries))
		for i, e := range b.Entries {
			envelopes[i], disclosures[i] = e.Envelope, e.Disclosure
		}
		q.Queue("INSERT INTO entries (idx, envelope, disclosure) SELECT $1::bigint + n - 1, e, d"+
			" FROM unnest($2::bytea[], $3::bytea[]) WITH ORDINALITY AS t (e, d, n)", int64(b.OldSize), envelopes, disclosures)
	}
	if len(b.Tiles) > 0 {
		var levels, indexes []int64
		var hashes [][]byte
		for _, t := range b.Tiles {
			levels, indexes, hashes = append(levels, int64(t.Level)), append(indexes, t.Index), append(hashes, t.Hashes)
		}
		q.Queue("INSERT INTO tiles (level, idx, hashes) SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bytea[])"+
			" ON CONFLICT (level, idx) DO UPDATE SET hashes = excluded.hashes", levels, indexes, hashes)
	}
	return &q, nil
}

// queueRows queues the statements that change rows.
func queueRows(q *pgx.Batch, rows []engine.Rows, trusting bool) error {
	for i := range rows {
		r := &rows[i]
		if !engine.SafeTable(r.Table) {
			return fmt.Errorf("postgres: table %q", r.Table)
		}
		if len(r.Gone) > 0 {
			q.Queue("DELETE FROM "+r.Table+" WHERE k = ANY($1)", r.Gone)
		}
		fresh := 0
		if trusting {
			fresh = r.Fresh
		}
		for _, part := range [...]struct {
			from, to int
			insert   bool
		}{{0, fresh, true}, {fresh, len(r.Keys), false}} {
			if part.from == part.to {
				continue
			}
			keys, values := r.Keys[part.from:part.to], r.Values[part.from:part.to]
			query, set, args := "INSERT INTO "+r.Table+" (k, v) SELECT * FROM unnest($1::bytea[], $2::bytea[])",
				"v = excluded.v", []any{keys, values}
			if r.Table == engine.Slots {
				var err error
				if args, err = slotArgs(keys, values); err != nil {
					return err
				}
				query, set = insertSlots, setSlots
			}
			if !part.insert {
				query += " ON CONFLICT (k) DO UPDATE SET " + set
			}
			q.Queue(query, args...)
		}
	}
	return nil
}

// insertSlots takes the keys and then each column as an array.
var insertSlots, setSlots = func() (insert, set string) {
	var arrays, sets []string
	for i, c := range engine.SlotColumns {
		arrays = append(arrays, fmt.Sprintf("$%d::bigint[]", i+2))
		sets = append(sets, c+" = excluded."+c)
	}
	return "INSERT INTO slots (k, " + strings.Join(engine.SlotColumns[:], ", ") + ") SELECT * FROM unnest($1::bytea[], " + strings.Join(arrays, ", ") + ")",
		strings.Join(sets, ", ")
}()

func slotArgs(keys, values [][]byte) ([]any, error) {
	var columns [len(engine.SlotColumns)][]int64
	for _, v := range values {
		c, ok := engine.UnpackSlot(v)
		if !ok {
			return nil, fmt.Errorf("postgres: a slot's value of %d bytes", len(v))
		}
		for i := range columns {
			columns[i] = append(columns[i], c[i])
		}
	}
	args := []any{keys}
	for i := range columns {
		args = append(args, columns[i])
	}
	return args, nil
}
