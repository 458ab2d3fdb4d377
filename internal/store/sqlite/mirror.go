// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"context"
	"database/sql/driver"

	"darwaza.dev/internal/store/engine"
)

// Mirrors reads where every mirror stands.
func (e *Engine) Mirrors(ctx context.Context) (list []engine.Mirror, err error) {
	err = e.reading(ctx, func(c *conn) error {
		return c.query(engine.SelectMirrors, nil, 8, func(row []driver.Value) error {
			list = append(list, engine.Mirror{Log: intOf(row[0]), Origin: textOf(row[1]), Size: uint64(intOf(row[2])), Root: bytesOf(row[3]),
				Checkpoint: bytesOf(row[4]), Pending: bytesOf(row[5]), Applied: uint64(intOf(row[6])), Halted: textOf(row[7])})
			return nil
		})
	})
	return list, err
}

// MirrorEntries reads entries of a mirror.
func (e *Engine) MirrorEntries(ctx context.Context, log int64, from uint64, n int) (list []engine.Entry, err error) {
	err = e.reading(ctx, func(c *conn) error {
		at := engine.MirrorIndex(log, from)
		return c.query(engine.SelectMirrorEntries, []driver.Value{at, min(at+int64(n), engine.MirrorIndex(log+1, 0))}, 2, func(row []driver.Value) error {
			list = append(list, engine.Entry{Envelope: bytesOf(row[0]), Disclosure: bytesOf(row[1])})
			return nil
		})
	})
	return list, err
}

// MirrorTile reads a tile of a mirror.
func (e *Engine) MirrorTile(ctx context.Context, log int64, level int, index int64) (hashes []byte, err error) {
	err = e.reading(ctx, func(c *conn) error {
		return c.query(engine.SelectMirrorTile, []driver.Value{log, int64(level), index}, 1, func(row []driver.Value) error {
			hashes = bytesOf(row[0])
			return nil
		})
	})
	if err == nil && hashes == nil {
		err = engine.ErrNotFound
	}
	return hashes, err
}

// CommitMirror writes a batch.
func (e *Engine) CommitMirror(ctx context.Context, b *engine.MirrorBatch) error {
	return e.writer(ctx, func(c *conn) error {
		return transaction(c, func() error { return c.writeMirror(b) })
	})
}

func (c *conn) writeMirror(b *engine.MirrorBatch) error {
	m := &b.Next
	var n int64
	var err error
	if b.Old.Log == 0 {
		n, err = c.exec(engine.InsertMirror, m.Log, m.Origin, int64(m.Size), m.Root, some(m.Checkpoint), some(m.Pending), int64(m.Applied), m.Halted)
	} else {
		n, err = c.exec(engine.AdvanceMirror, int64(m.Size), m.Root, some(m.Checkpoint), some(m.Pending), int64(m.Applied), m.Halted, m.Log, int64(b.Old.Size), int64(b.Old.Applied), b.Old.Halted)
	}
	if err != nil {
		return err
	}
	if n != 1 {
		return engine.ErrFenced
	}
	for i := range b.Rows {
		if err := c.writeRows(&b.Rows[i]); err != nil {
			return err
		}
	}
	err = c.insert("INSERT INTO mirror_entries (idx, envelope, disclosure) VALUES ", "", 3, len(b.Entries), func(i int, args []driver.Value) {
		args[0], args[1], args[2] = engine.MirrorIndex(m.Log, b.Old.Size+uint64(i)), b.Entries[i].Envelope, some(b.Entries[i].Disclosure)
	})
	if err != nil {
		return err
	}
	return c.insert("INSERT INTO mirror_tiles (log, level, idx, hashes) VALUES ", " ON CONFLICT (log, level, idx) DO UPDATE SET hashes = excluded.hashes", 4, len(b.Tiles),
		func(i int, args []driver.Value) {
			args[0], args[1], args[2], args[3] = m.Log, int64(b.Tiles[i].Level), b.Tiles[i].Index, b.Tiles[i].Hashes
		})
}

// Cosigned reads what others have cosigned.
func (e *Engine) Cosigned(ctx context.Context) (list []engine.Cosigned, err error) {
	err = e.reading(ctx, func(c *conn) error {
		return c.query(engine.SelectCosigned, nil, 3, func(row []driver.Value) error {
			list = append(list, engine.Cosigned{Cosigner: textOf(row[0]), Size: uint64(intOf(row[1])), Checkpoint: bytesOf(row[2])})
			return nil
		})
	})
	return list, err
}

// Cosign keeps a cosigned head.
func (e *Engine) Cosign(ctx context.Context, x engine.Cosigned) error {
	return e.writer(ctx, func(c *conn) error {
		_, err := c.exec(engine.InsertCosigned, x.Cosigner, int64(x.Size), x.Checkpoint)
		return err
	})
}

// some is b, and empty where it is nil: no column of ours may be null.
func some(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}
