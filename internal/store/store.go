// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

// Package store keeps one side's state and record in a database: a table of rows by key
// for each table of the desks' state, the log's entries and tiles, its head, and the
// answers kept for retries. It reads them back as typed tables; only the sequencer writes.
package store

import (
	"context"
	"strings"
	"sync"

	"darwaza.dev/internal/fact"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/service"
	"darwaza.dev/internal/store/engine"
	"darwaza.dev/internal/store/postgres"
	"darwaza.dev/internal/store/sqlite"
)

// Store is an open database. It may be used by many at once.
type Store struct {
	eng   engine.Engine
	codec *fact.Codec
	views sync.Pool // of *Working that are only read
}

// Open opens the database that url names, and makes its tables where they are missing:
// "postgres://user@host/name", "sqlite:///path/to/file.db", or a plain path, which is SQLite.
func Open(ctx context.Context, url string) (*Store, error) {
	var eng engine.Engine
	var err error
	scheme, rest, ok := strings.Cut(url, "://")
	switch {
	case !ok:
		eng, err = sqlite.Open(ctx, url)
	case scheme == "sqlite":
		eng, err = sqlite.Open(ctx, rest)
	case scheme == "postgres" || scheme == "postgresql":
		eng, err = postgres.Open(ctx, url)
	default:
		return nil, problem.New(problem.Invalid, "store.url")
	}
	if err != nil {
		return nil, problem.Wrap(problem.Offline, "store.open", err)
	}
	s, err := New(ctx, eng)
	if err != nil {
		eng.Close()
	}
	return s, err
}

// New returns a store on an engine that is open, for tests that put faults in between.
func New(ctx context.Context, eng engine.Engine) (*Store, error) {
	s := &Store{eng: eng, codec: service.NewCodec()}
	if err := eng.Prepare(ctx, s.Tables()); err != nil {
		return nil, problem.Wrap(problem.Offline, "store.prepare", err)
	}
	return s, nil
}

// Engine returns the database underneath, for the sequencer.
func (s *Store) Engine() engine.Engine { return s.eng }

// Codec returns the codec of facts, rows and answers.
func (s *Store) Codec() *fact.Codec { return s.codec }

// Tables returns the names of the tables of rows: of state, and of kept answers.
func (s *Store) Tables() []string {
	var names []string
	for _, t := range newWorking(s.codec, nil, false).tables {
		names = append(names, t.tableName())
	}
	return append(names, pagesTable)
}

// Close closes the database.
func (s *Store) Close() error { return s.eng.Close() }

// View calls f with the state as it was committed at one moment; see service.Reader.
func (s *Store) View(ctx context.Context, f func(service.State) error) error {
	snap, err := s.eng.Snapshot(ctx)
	if err != nil {
		return problem.Wrap(problem.Offline, "store.read", err)
	}
	defer snap.Close()
	w, ok := s.views.Get().(*Working)
	if !ok {
		w = newWorking(s.codec, nil, false)
	}
	w.src, w.ctx, w.ended = snap, ctx, false
	err = f(w.State)
	fault := w.Fault()
	w.end()
	s.views.Put(w)
	if fault != nil {
		return fault // whatever f says rests on rows that could not be read
	}
	return err
}

// Backup writes a copy of a SQLite database, as it stands at one moment, to a new file
// while the server runs. PostgreSQL has tools of its own for that: there it is a problem
// of kind invalid.
func (s *Store) Backup(ctx context.Context, path string) error {
	if s.eng.Name() != "sqlite" {
		return problem.Newf(problem.Invalid, "backup.engine", "copy the database with pg_dump or a base backup")
	}
	return problem.Wrap(problem.Internal, "backup", s.eng.Backup(ctx, path))
}
