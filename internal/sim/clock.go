// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"sync"
	"time"
)

// Clock is the time of a demonstration. It stands still until it runs, and it never
// goes back. Both sides read it, as two servers read clocks that agree.
type Clock struct {
	mu    sync.Mutex
	at    time.Time // the demonstration's time when the machine's was since
	since time.Time // zero while the clock stands
	speed int
}

// NewClock returns a clock that stands at a time.
func NewClock(at time.Time) *Clock { return &Clock{at: at} }

// Now returns the demonstration's time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now()
}

func (c *Clock) now() time.Time {
	if c.since.IsZero() {
		return c.at
	}
	return c.at.Add(time.Since(c.since) * time.Duration(c.speed))
}

// Set puts a standing clock forward to a time; one that is over is passed over.
func (c *Clock) Set(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.since.IsZero() && at.After(c.at) {
		c.at = at
	}
}

// Run lets the clock run, speed times as fast as the machine's.
func (c *Clock) Run(speed int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at, c.since, c.speed = c.now(), time.Now(), max(speed, 1)
}
