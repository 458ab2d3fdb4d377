// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

// Package engine is what the store asks of a database: rows of bytes by key, read as
// they stood at one moment and written in batches of which all or nothing comes to be.
// An engine knows no desk, no fact and no log; what it adds to a key-value store is the
// fence, which refuses the batch of a server that no longer owns the log, and the check
// on slots, which refuses an oversell whatever the program above believes.
package engine

import (
	"context"
	"encoding/binary"
	"errors"
)

// Faults that the caller acts upon. Everything else that an engine returns is a fault of
// the database or of the way to it.
var (
	// ErrFenced says that the log has another owner, or another head, than the batch
	// believes. Nothing was written.
	ErrFenced = errors.New("engine: the log has another owner or head")
	// ErrCheck says that the database refused a row by a check, such as a slot sold above
	// its allotment. Nothing was written.
	ErrCheck = errors.New("engine: refused by a check of the database")
	// ErrNotFound says that there is no such tile, entry or secret.
	ErrNotFound = errors.New("engine: not found")
)

// Slots is the one table whose columns a database can read.
const Slots = "slots"

// SlotColumns are the columns of the table of slots, in the order in which a slot's
// value holds them, each as 8 bytes, most significant first.
var SlotColumns = [...]string{"allotment", "taken", "withheld", "excess", "offered", "next_place", "standby_head", "standby_tail"}

// SlotSize is the length of a slot's value.
const SlotSize = 8 * len(SlotColumns)

// PackSlot appends a slot's value.
func PackSlot(dst []byte, columns [len(SlotColumns)]int64) []byte {
	for _, c := range columns {
		dst = binary.BigEndian.AppendUint64(dst, uint64(c))
	}
	return dst
}

// UnpackSlot reads a slot's value.
func UnpackSlot(v []byte) (columns [len(SlotColumns)]int64, ok bool) {
	if len(v) != SlotSize {
		return columns, false
	}
	for i := range columns {
		columns[i] = int64(binary.BigEndian.Uint64(v[8*i:]))
	}
	return columns, true
}

// Request asks for rows of one table by key, and takes the answer: Values has one value
// for each key, nil where there is no row.
type Request struct {
	Table  string
	Keys   [][]byte
	Values [][]byte
}

// Rows are the changed rows of one table: what to set, and what to remove.
type Rows struct {
	Table  string
	Keys   [][]byte
	Values [][]byte
	Gone   [][]byte
	// Fresh is how many of the keys, from the first, are in no row of the table, as the
	// writer believes. An engine may write those with less ado; where the belief is wrong
	// they are set like the others.
	Fresh int
}

// Head is where the log stands.
type Head struct {
	Size       uint64
	Root       []byte // 32 bytes; of the empty tree where Size is 0
	Checkpoint []byte // the signed note; empty where Size is 0
	Epoch      uint64 // of the lease under which it was written
	LastAt     int64  // time of the last entry, microseconds since 1970
}

// Entry is one entry of the log with what lies behind its digests.
type Entry struct {
	Envelope   []byte
	Disclosure []byte
}

// Tile is one tile of hashes, full or growing: level, index, and 32 bytes for each hash.
type Tile struct {
	Level  int
	Index  int64
	Hashes []byte
}

// Batch is what one commit makes. It is written whole or not at all.
type Batch struct {
	Epoch   uint64 // of the writer's lease
	OldSize uint64 // of the log before the batch
	Head    Head   // after it
	Rows    []Rows
	Entries []Entry // from OldSize
	Tiles   []Tile
}

// Lease says who owns the log.
type Lease struct {
	Owner   string // random, one for each start of a server
	Address string // where the owner takes forwarded commands, empty where it takes none
	Epoch   uint64 // raised each time the log changes hands
	// Live is whether the owner was believed alive when it was read, by the database's
	// clock or by a lock that ends with a process.
	Live bool
}

// Reads is what can be read. A value that is returned belongs to the caller.
type Reads interface {
	// Fetch fills the Values of every request, in as few statements as the engine can.
	Fetch(ctx context.Context, reqs []Request) error
	// Scan calls f with every row of a table in the order of its keys, until f fails.
	Scan(ctx context.Context, table string, f func(k, v []byte) error) error
	// Range calls f with the rows whose keys lie from one key up to before another, in the
	// order of the keys, at most n, until f fails.
	Range(ctx context.Context, table string, from, to []byte, n int, f func(k, v []byte) error) error
	// Keys calls f with every key of a table, in no order, until f fails.
	Keys(ctx context.Context, table string, f func(k []byte) error) error
	// Head returns where the log stands.
	Head(ctx context.Context) (Head, error)
	// Entries returns up to n entries from position from.
	Entries(ctx context.Context, from uint64, n int) ([]Entry, error)
	// Tile returns the hashes of a tile as far as they are there, or ErrNotFound.
	Tile(ctx context.Context, level int, index int64) ([]byte, error)
}

// Snapshot is what the database held at one moment: that of its first read.
type Snapshot interface {
	Reads
	Close() error
}

// Engine is an open database. Its own reads see what was last committed, each call for
// itself. It may be used by many at once, but for Commit.
type Engine interface {
	Reads
	Mirrors
	// Snapshot shows one moment, which is that of the first read.
	Snapshot(ctx context.Context) (Snapshot, error)
	// Prepare makes the tables of this list where they are missing.
	Prepare(ctx context.Context, tables []string) error
	// Commit writes a batch, on stable storage when it returns nil. After ErrFenced and
	// ErrCheck nothing was written; after any other fault that is not known. One call
	// at a time.
	Commit(ctx context.Context, b *Batch) error
	// Acquire takes the lease for ttlMillis where nobody holds it, raises the epoch, and
	// from then on fences everybody else. It returns the lease as it stands afterwards,
	// whosever it is.
	Acquire(ctx context.Context, owner, address string, ttlMillis int64) (Lease, error)
	// Renew extends the lease; ErrFenced where it is no longer held.
	Renew(ctx context.Context, owner string, epoch uint64, ttlMillis int64) error
	// Release lets the lease go at once.
	Release(ctx context.Context, owner string, epoch uint64) error
	// Secret returns the secret of this name, which is fresh where there was none.
	Secret(ctx context.Context, name string, fresh []byte) ([]byte, error)
	// Backup writes a copy of the whole database, as it stands at one moment, to a new file.
	Backup(ctx context.Context, path string) error
	// Name is "sqlite" or "postgres".
	Name() string
	Close() error
}
