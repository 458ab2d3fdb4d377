// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

// Package store keeps one side's state and record in a database: a table of rows by key
// for each table of the desks' state, the log's entries and tiles, its head, and the
// answers kept for retries. It reads them back as typed tables; only the sequencer writes.
package store

import (
	"context"
	"iter"
	"time"

	"darwaza.dev/internal/fact"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/service"
	"darwaza.dev/internal/store/engine"
)

// Store is an open database. It may be used by many at once.
type Store struct {
	eng engine.Engine
}

// Open opens the database that url names, and makes its tables where they are missing:
// "postgres://user@host/name", "sqlite:///path/to/file.db", or a plain path, which is SQLite.
func Open(ctx context.Context, url string) (*Store, error) {
	return nil, problem.New(problem.Internal, "store.unfinished")
}

// Engine returns the database underneath, for the sequencer.
func (s *Store) Engine() engine.Engine { return s.eng }

// Close closes the database.
func (s *Store) Close() error { return s.eng.Close() }

// View calls f with the state as it was committed at one moment; see service.Reader.
func (s *Store) View(ctx context.Context, f func(service.State) error) error {
	return problem.New(problem.Internal, "store.unfinished")
}

// Size returns how many entries the log has.
func (s *Store) Size(ctx context.Context) (uint64, error) {
	return 0, problem.New(problem.Internal, "store.unfinished")
}

// Checkpoint returns the newest signed checkpoint, a C2SP tlog-checkpoint; a problem of
// kind not found where the log is empty.
func (s *Store) Checkpoint(ctx context.Context) ([]byte, error) {
	return nil, problem.New(problem.Internal, "store.unfinished")
}

// Tile returns what C2SP tlog-tiles serves under a path, such as "tile/0/000.p/17" or
// "tile/entries/x001/234"; a problem of kind not found where there is none.
func (s *Store) Tile(ctx context.Context, path string) ([]byte, error) {
	return nil, problem.New(problem.Internal, "store.unfinished")
}

// Proof returns the C2SP tlog-proof of an entry under the newest checkpoint.
func (s *Store) Proof(ctx context.Context, index uint64) ([]byte, error) {
	return nil, problem.New(problem.Internal, "store.unfinished")
}

// Entry returns an entry's envelope, as it stands in the log, and its disclosure.
func (s *Store) Entry(ctx context.Context, index uint64) (envelope, disclosure []byte, err error) {
	return nil, nil, problem.New(problem.Internal, "store.unfinished")
}

// Recorded is one fact of the log with its place and time.
type Recorded struct {
	Index uint64
	At    time.Time
	Fact  fact.Fact
}

// Facts walks over the facts at positions from up to, but not including, to; to is cut
// to the size of the log. Each disclosure is held against its envelope.
func (s *Store) Facts(ctx context.Context, from, to uint64) iter.Seq2[Recorded, error] {
	return func(yield func(Recorded, error) bool) {}
}

// Backup writes a copy of a SQLite database, as it stands at one moment, to a new file
// while the server runs. PostgreSQL has its own tools: it is a problem of kind invalid there.
func (s *Store) Backup(ctx context.Context, path string) error { return s.eng.Backup(ctx, path) }
