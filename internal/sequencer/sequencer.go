// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

// Package sequencer owns a side's log: it takes commands, runs them one after another,
// and commits what a whole batch of them made, state, facts, tiles and the signed
// checkpoint, in one transaction. Where several servers share one database, one of them
// owns the log under a lease and the others hand their commands to it.
package sequencer

import (
	"context"
	"log/slog"
	"net"
	"time"

	"golang.org/x/mod/sumdb/note"

	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/service"
	"darwaza.dev/internal/store"
)

// Config is what a sequencer needs.
type Config struct {
	Store *store.Store
	// Law returns the editions that decide now; it is asked once for each batch.
	Law func() *service.Law
	// Clock is the time at which commands are decided. The lease does not go by it.
	Clock func() time.Time
	// Signer signs checkpoints; its name is the origin of the log.
	Signer note.Signer
	// HeadFile is a small file outside the database and its backups that remembers the last
	// signed head, so that a restored older copy of the database is not signed over.
	HeadFile string
	// Listener takes commands that other servers forward; nil where the database has one
	// server. Address is how they reach it, the listener's own address where empty.
	Listener net.Listener
	Address  string
	// Queue is how many commands may wait; 4,096 where it is zero. TTL is how long a lease
	// holds without being renewed; 3 seconds where it is zero.
	Queue int
	TTL   time.Duration
	Log   *slog.Logger
}

// Sequencer implements service.Writer. It may be used by many at once.
type Sequencer struct {
}

// New starts a sequencer. It returns when it owns the log or knows who does.
func New(ctx context.Context, c Config) (*Sequencer, error) {
	return nil, problem.New(problem.Internal, "sequencer.unfinished")
}

// Do runs a command durably; see service.Writer.
func (s *Sequencer) Do(ctx context.Context, id service.Idem, c service.Command) (service.Done, error) {
	return service.Done{}, problem.New(problem.Internal, "sequencer.unfinished")
}

// Owner reports whether this server owns the log at the moment.
func (s *Sequencer) Owner() bool { return false }

// Close finishes what was begun, lets the lease go, and stops.
func (s *Sequencer) Close() error { return nil }
