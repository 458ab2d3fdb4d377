// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
)

// The phases of a minute. Everything of one phase is over before the next begins, so
// that what people do to each other within a minute does not depend on which request
// was the faster.
type phase uint8

const (
	phaseOffice phase = iota // the authorities' own acts
	phaseBook
	phaseChange // cancelling, moving, taking an offer
	phaseLeave
	phaseEnter
	phaseBuy
	phases
)

// act is one thing that somebody does. Acts of one lane are done one after another, in
// the order of their keys; lanes of a phase go on side by side.
type act struct {
	lane string
	key  int
	do   func(ctx context.Context) error
}

// agenda is what is to be done, by minute and phase. Acts may add acts for later.
type agenda struct {
	mu   sync.Mutex
	acts map[int]*[phases][]act
}

func newAgenda() *agenda { return &agenda{acts: map[int]*[phases][]act{}} }

func (a *agenda) add(minute int, p phase, x act) {
	a.mu.Lock()
	defer a.mu.Unlock()
	m := a.acts[minute]
	if m == nil {
		m = new([phases][]act)
		a.acts[minute] = m
	}
	m[p] = append(m[p], x)
}

// take removes and returns the acts of a minute's phase, in order.
func (a *agenda) take(minute int, p phase) []act {
	a.mu.Lock()
	defer a.mu.Unlock()
	m := a.acts[minute]
	if m == nil {
		return nil
	}
	acts := m[p]
	m[p] = nil
	slices.SortStableFunc(acts, func(x, y act) int { return cmp.Or(cmp.Compare(x.lane, y.lane), cmp.Compare(x.key, y.key)) })
	return acts
}

// left counts the acts that are not done yet.
func (a *agenda) left() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	n := 0
	for _, m := range a.acts {
		for _, acts := range m {
			n += len(acts)
		}
	}
	return n
}

// last returns the last minute with something to do.
func (a *agenda) last() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	last := 0
	for m := range a.acts {
		last = max(last, m)
	}
	return last
}

// atOnce is how many lanes go on side by side.
const atOnce = 24

// run does a phase's acts, lane by lane.
func run(ctx context.Context, acts []act, done func()) error {
	var lanes [][]act
	for i, x := range acts {
		if i > 0 && acts[i-1].lane == x.lane {
			lanes[len(lanes)-1] = append(lanes[len(lanes)-1], x)
		} else {
			lanes = append(lanes, []act{x})
		}
	}
	work := func(lane []act) error {
		for _, x := range lane {
			if err := x.do(ctx); err != nil {
				return err
			}
			done()
		}
		return nil
	}
	if len(lanes) == 1 {
		return work(lanes[0])
	}
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex
		errs []error
		room = make(chan struct{}, atOnce)
	)
	for _, lane := range lanes {
		room <- struct{}{}
		wg.Go(func() {
			defer func() { <-room }()
			if err := work(lane); err != nil {
				mu.Lock()
				errs = append(errs, err)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}
