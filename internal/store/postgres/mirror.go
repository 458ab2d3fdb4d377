// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"darwaza.dev/internal/store/engine"
)

// Mirrors reads where every mirror stands.
func (e *Engine) Mirrors(ctx context.Context) ([]engine.Mirror, error) {
	rows, err := e.pool.Query(ctx, engine.SelectMirrors)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (m engine.Mirror, err error) {
		var size, applied int64
		err = row.Scan(&m.Log, &m.Origin, &size, &m.Root, &m.Checkpoint, &m.Pending, &applied, &m.Halted)
		m.Size, m.Applied = uint64(size), uint64(applied)
		return m, err
	})
}

// MirrorEntries reads entries of a mirror.
func (e *Engine) MirrorEntries(ctx context.Context, log int64, from uint64, n int) ([]engine.Entry, error) {
	at := engine.MirrorIndex(log, from)
	rows, err := e.pool.Query(ctx, engine.SelectMirrorEntries, at, min(at+int64(n), engine.MirrorIndex(log+1, 0)))
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (x engine.Entry, err error) {
		err = row.Scan(&x.Envelope, &x.Disclosure)
		return x, err
	})
}

// MirrorTile reads a tile of a mirror.
func (e *Engine) MirrorTile(ctx context.Context, log int64, level int, index int64) ([]byte, error) {
	var hashes []byte
	err := e.pool.QueryRow(ctx, engine.SelectMirrorTile, log, level, index).Scan(&hashes)
	if errors.Is(err, pgx.ErrNoRows) {
		err = engine.ErrNotFound
	}
	return hashes, err
}

// CommitMirror writes a batch.
func (e *Engine) CommitMirror(ctx context.Context, b *engine.MirrorBatch) error {
	return e.again(ctx, givenUp, func() error {
		return pgx.BeginFunc(ctx, e.pool, func(tx pgx.Tx) error {
			m := &b.Next
			query, args := engine.InsertMirror, []any{m.Log, m.Origin, int64(m.Size), m.Root, some(m.Checkpoint), some(m.Pending), int64(m.Applied), m.Halted}
			if b.Old.Log != 0 {
				query = engine.AdvanceMirror
				args = []any{int64(m.Size), m.Root, some(m.Checkpoint), some(m.Pending), int64(m.Applied), m.Halted, m.Log, int64(b.Old.Size), int64(b.Old.Applied), b.Old.Halted}
			}
			tag, err := tx.Exec(ctx, query, args...)
			if err == nil && tag.RowsAffected() != 1 {
				err = engine.ErrFenced
			}
			if err != nil {
				return err
			}
			q, err := mirrorStatements(b)
			if err != nil || q.Len() == 0 {
				return err
			}
			return tx.SendBatch(ctx, q).Close()
		})
	})
}

// some is b, and empty where it is nil: no column of ours may be null.
func some(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

func mirrorStatements(b *engine.MirrorBatch) (*pgx.Batch, error) {
	var q pgx.Batch
	if err := queueRows(&q, b.Rows, false); err != nil {
		return nil, err
	}
	if len(b.Entries) > 0 {
		envelopes, disclosures := make([][]byte, len(b.Entries)), make([][]byte, len(b.Entries))
		for i, x := range b.Entries {
			envelopes[i], disclosures[i] = x.Envelope, some(x.Disclosure)
		}
		q.Queue("INSERT INTO mirror_entries (idx, envelope, disclosure) SELECT $1::bigint + n - 1, e, d"+
			" FROM unnest($2::bytea[], $3::bytea[]) WITH ORDINALITY AS t (e, d, n)", engine.MirrorIndex(b.Next.Log, b.Old.Size), envelopes, disclosures)
	}
	if len(b.Tiles) > 0 {
		var levels, indexes []int64
		var hashes [][]byte
		for _, t := range b.Tiles {
			levels, indexes, hashes = append(levels, int64(t.Level)), append(indexes, t.Index), append(hashes, t.Hashes)
		}
		q.Queue("INSERT INTO mirror_tiles (log, level, idx, hashes) SELECT $1::bigint, l, i, h FROM unnest($2::bigint[], $3::bigint[], $4::bytea[]) AS t (l, i, h)"+
			" ON CONFLICT (log, level, idx) DO UPDATE SET hashes = excluded.hashes", b.Next.Log, levels, indexes, hashes)
	}
	return &q, nil
}

// Cosigned reads what others have cosigned.
func (e *Engine) Cosigned(ctx context.Context) ([]engine.Cosigned, error) {
	rows, err := e.pool.Query(ctx, engine.SelectCosigned)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (c engine.Cosigned, err error) {
		var size int64
		err = row.Scan(&c.Cosigner, &size, &c.Checkpoint)
		c.Size = uint64(size)
		return c, err
	})
}

// Cosign keeps a cosigned head.
func (e *Engine) Cosign(ctx context.Context, c engine.Cosigned) error {
	return e.again(ctx, givenUp, func() error {
		_, err := e.pool.Exec(ctx, engine.InsertCosigned, c.Cosigner, int64(c.Size), c.Checkpoint)
		return err
	})
}
