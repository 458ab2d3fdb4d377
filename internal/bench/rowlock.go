// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/store"
	"darwaza.dev/internal/store/engine"
	"darwaza.dev/internal/store/postgres"
	"darwaza.dev/internal/store/storetest"
)

// lockers is how many transactions fight for the row at once: a usual pool.
const lockers = 64

// bookingRowlock measures durable bookings through the sequencer as a multiple of one
// transaction for each booking that locks the slot's row.
func bookingRowlock(ctx context.Context, say func(string, ...any)) (float64, error) {
	srv, err := storetest.StartServer(true)
	if err != nil {
		return 0, err
	}
	defer srv.Stop()
	var ours, locked []float64
	for round := range 3 {
		const n, few = 8_000, 500
		open := func() (engine.Engine, error) {
			url, err := srv.Database(ctx)
			if err != nil {
				return nil, err
			}
			return postgres.Open(ctx, url)
		}
		took, _, err := book(ctx, n, open, false)
		if err != nil {
			return 0, err
		}
		_, t, err := book(ctx, few, open, true)
		if err != nil {
			return 0, err
		}
		ours = append(ours, n/took.Seconds())
		if took, err = lockRows(ctx, srv, t, few); err != nil {
			return 0, err
		}
		locked = append(locked, few/took.Seconds())
		say("round %d: %.0f bookings a second, by row locks %.0f", round+1, ours[round], locked[round])
	}
	return median(ours) / median(locked), nil
}

// lockRows makes bookings one by one, each in a transaction that locks the slot, looks
// whether there is room, takes a place, and writes the same rows as ours do.
func lockRows(ctx context.Context, srv *storetest.Server, t tape, n int) (time.Duration, error) {
	url, err := srv.Database(ctx)
	if err != nil {
		return 0, err
	}
	st, err := store.Open(ctx, url)
	if err != nil {
		return 0, err
	}
	st.Close()
	pool, err := pgxpool.New(ctx, fmt.Sprintf("%s&pool_max_conns=%d", url, lockers))
	if err != nil {
		return 0, err
	}
	defer pool.Close()
	slot := storetest.Slot(10)
	key := slotKey(slot)
	_, err = pool.Exec(ctx, "INSERT INTO slots (k, allotment, taken, withheld, excess, offered, next_place, standby_head, standby_tail) VALUES ($1, 1000000, 0, 0, 0, 0, 0, 0, 0)", key)
	if err != nil {
		return 0, err
	}
	return inParallel(waiting, n, func(i int) error {
		return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
			var allotment, taken int64
			if err := tx.QueryRow(ctx, "SELECT allotment, taken FROM slots WHERE k = $1 FOR UPDATE", key).Scan(&allotment, &taken); err != nil {
				return err
			}
			if taken >= allotment {
				return errors.New("full")
			}
			var b pgx.Batch
			b.Queue("UPDATE slots SET taken = taken + 1 WHERE k = $1", key)
			for _, r := range t.units[i].rows {
				b.Queue("INSERT INTO "+r.Table+" (k, v) VALUES ($1, $2)", r.Keys[0], r.Values[0])
			}
			for j, e := range t.units[i].entries {
				b.Queue("INSERT INTO entries (idx, envelope, disclosure) VALUES ($1, $2, $3)", int64(i*2+j), e.Envelope, e.Disclosure)
			}
			return tx.SendBatch(ctx, &b).Close()
		})
	})
}

func slotKey(id booking.SlotID) []byte {
	var b strings.Builder
	for shift := 56; shift >= 0; shift -= 8 {
		b.WriteByte(byte(id >> shift))
	}
	return []byte(b.String())
}
