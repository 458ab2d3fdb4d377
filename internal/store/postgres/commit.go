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
func (e *Engine) Commit(ctx context.Context, b *engine.Batch) error {
	err := e.again(ctx, givenUp, func() error {
		q, err := statements(b)
		if err != nil {
			return err
		}
		return e.pool.SendBatch(ctx, q).Close()
	})
	switch code(err) {
	case codeDivision:
		return engine.ErrFenced
	case codeCheck:
		return fmt.Errorf("%w: %w", engine.ErrCheck, err)
	}
	return err
}

func statements(b *engine.Batch) (*pgx.Batch, error) {
	var q pgx.Batch
	q.Queue(advance, int64(b.Head.Size), b.Head.Root, b.Head.Checkpoint, b.Head.LastAt, int64(b.OldSize), int64(b.Epoch))
	for i := range b.Rows {
		r := &b.Rows[i]
		if !engine.SafeTable(r.Table) {
			return nil, fmt.Errorf("postgres: table %q", r.Table)
		}
		if len(r.Gone) > 0 {
			q.Queue("DELETE FROM "+r.Table+" WHERE k = ANY($1)", r.Gone)
		}
		if len(r.Keys) == 0 {
			continue
		}
		switch r.Table {
		case engine.Slots:
			args, err := slotArgs(r)
			if err != nil {
				return nil, err
			}
			q.Queue(upsertSlots, args...)
		case engine.Kept:
			q.Queue("INSERT INTO idempotency (k, v, at) SELECT * FROM unnest($1::bytea[], $2::bytea[], $3::bigint[])"+
				" ON CONFLICT (k) DO UPDATE SET v = excluded.v, at = excluded.at", r.Keys, r.Values, r.At)
		default:
			q.Queue("INSERT INTO "+r.Table+" (k, v) SELECT * FROM unnest($1::bytea[], $2::bytea[])"+
				" ON CONFLICT (k) DO UPDATE SET v = excluded.v", r.Keys, r.Values)
		}
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

// upsertSlots takes the keys and then each column as an array.
var upsertSlots = func() string {
	var cols, arrays, set []string
	for i, c := range engine.SlotColumns {
		cols = append(cols, c)
		arrays = append(arrays, fmt.Sprintf("$%d::bigint[]", i+2))
		set = append(set, c+" = excluded."+c)
	}
	return "INSERT INTO slots (k, " + strings.Join(cols, ", ") + ") SELECT * FROM unnest($1::bytea[], " + strings.Join(arrays, ", ") +
		") ON CONFLICT (k) DO UPDATE SET " + strings.Join(set, ", ")
}()

func slotArgs(r *engine.Rows) ([]any, error) {
	var columns [len(engine.SlotColumns)][]int64
	for _, v := range r.Values {
		c, ok := engine.UnpackSlot(v)
		if !ok {
			return nil, fmt.Errorf("postgres: a slot's value of %d bytes", len(v))
		}
		for i := range columns {
			columns[i] = append(columns[i], c[i])
		}
	}
	args := []any{r.Keys}
	for i := range columns {
		args = append(args, columns[i])
	}
	return args, nil
}
