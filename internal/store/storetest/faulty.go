// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"context"
	"errors"
	"sync"

	"darwaza.dev/internal/store/engine"
)

// Fate is what becomes of a write.
type Fate int

// The fates. A write that is Lost was not made; one that is Mute was made and its answer
// never came.
const (
	Fine Fate = iota
	Lost
	Mute
)

// ErrFault is what a Faulty engine says.
var ErrFault = errors.New("storetest: a fault made on purpose")

// Faulty is an engine between which and its user things go wrong.
type Faulty struct {
	engine.Engine

	mu      sync.Mutex
	commits []Fate
	reads   int
	count   int
}

// NewFaulty puts faults before an engine.
func NewFaulty(e engine.Engine) *Faulty { return &Faulty{Engine: e} }

// Next sets the fates of the commits to come; those after are Fine.
func (f *Faulty) Next(fates ...Fate) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.commits = fates
}

// FailReads makes so many of the reads to come fail.
func (f *Faulty) FailReads(n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.reads = n
}

// Commits returns how many commits were asked for.
func (f *Faulty) Commits() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.count
}

// Commit meets its fate.
func (f *Faulty) Commit(ctx context.Context, b *engine.Batch) error {
	f.mu.Lock()
	f.count++
	fate := Fine
	if len(f.commits) > 0 {
		fate, f.commits = f.commits[0], f.commits[1:]
	}
	f.mu.Unlock()
	switch fate {
	case Lost:
		return ErrFault
	case Mute:
		if err := f.Engine.Commit(ctx, b); err != nil {
			return err
		}
		return ErrFault
	}
	return f.Engine.Commit(ctx, b)
}

// Fetch reads, or fails.
func (f *Faulty) Fetch(ctx context.Context, reqs []engine.Request) error {
	f.mu.Lock()
	fail := f.reads > 0
	if fail {
		f.reads--
	}
	f.mu.Unlock()
	if fail {
		return ErrFault
	}
	return f.Engine.Fetch(ctx, reqs)
}
