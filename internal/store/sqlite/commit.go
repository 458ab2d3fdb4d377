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

// rowsPerStatement is how many rows a statement writes at most. What is left over is
// written by smaller statements.
var rowsPerStatement = [...]int{1}

// Commit writes a batch.
func (e *Engine) Commit(ctx context.Context, b *engine.Batch) error {
	return e.writer(ctx, func(c *conn) error {
		return transaction(c, func() error { return c.write(b) })
	})
}

func (c *conn) write(b *engine.Batch) error {
	n, err := c.exec(engine.Advance, int64(b.Head.Size), b.Head.Root, b.Head.Checkpoint, b.Head.LastAt, int64(b.OldSize), int64(b.Epoch))
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
	err = c.insert("INSERT INTO entries (idx, envelope, disclosure) VALUES ", "", 3, len(b.Entries), func(i int, args []driver.Value) {
		args[0], args[1], args[2] = int64(b.OldSize)+int64(i), b.Entries[i].Envelope, b.Entries[i].Disclosure
	})
	if err != nil {
		return err
	}
	return c.insert("INSERT INTO tiles (level, idx, hashes) VALUES ", " ON CONFLICT (level, idx) DO UPDATE SET hashes = excluded.hashes", 3, len(b.Tiles),
		func(i int, args []driver.Value) {
			args[0], args[1], args[2] = int64(b.Tiles[i].Level), b.Tiles[i].Index, b.Tiles[i].Hashes
		})
}

func (c *conn) writeRows(r *engine.Rows) error {
	if !engine.SafeTable(r.Table) {
		return fmt.Errorf("sqlite: table %q", r.Table)
	}
	for _, k := range r.Gone {
		if _, err := c.exec("DELETE FROM "+r.Table+" WHERE k = ?", k); err != nil {
			return err
		}
	}
	if r.Table == engine.Slots {
		var set []string
		for _, col := range engine.SlotColumns {
			set = append(set, col+" = excluded."+col)
		}
		var fault error
		err := c.insert("INSERT INTO slots (k, "+strings.Join(engine.SlotColumns[:], ", ")+") VALUES ",
			" ON CONFLICT (k) DO UPDATE SET "+strings.Join(set, ", "), 1+len(engine.SlotColumns), len(r.Keys), func(i int, args []driver.Value) {
				args[0] = r.Keys[i]
				cols, ok := engine.UnpackSlot(r.Values[i])
				if !ok {
					fault = fmt.Errorf("sqlite: a slot's value of %d bytes", len(r.Values[i]))
				}
				for j, v := range cols {
					args[1+j] = v
				}
			})
		if fault != nil {
			return fault
		}
		return err
	}
	return c.insert("INSERT INTO "+r.Table+" (k, v) VALUES ", " ON CONFLICT (k) DO UPDATE SET v = excluded.v", 2, len(r.Keys), func(i int, args []driver.Value) {
		args[0], args[1] = r.Keys[i], r.Values[i]
	})
}

// insert writes n rows of so many columns, many in one statement.
func (c *conn) insert(before, after string, columns, n int, row func(i int, args []driver.Value)) error {
	tuple := "(?" + strings.Repeat(", ?", columns-1) + ")"
	args := make([]driver.Value, columns*rowsPerStatement[0])
	at := 0
	for _, size := range rowsPerStatement {
		if n-at < size {
			continue
		}
		q := before + tuple + strings.Repeat(", "+tuple, size-1) + after
		for ; n-at >= size; at += size {
			for i := range size {
				row(at+i, args[i*columns:(i+1)*columns])
			}
			if _, err := c.exec(q, args[:size*columns]...); err != nil {
				return err
			}
		}
	}
	return nil
}
