// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"context"
	"errors"
	"time"

	"darwaza.dev/internal/problem"
)

// The size of the day that is played, and of the one that a demonstration has under way.
const (
	PlayVisitors = 2400
	PlayVendors  = 54
	demoVisitors = 640
	demoVendors  = 18
	// demoOpens is the minute of the day at which people are let into a demonstration.
	demoOpens = 8*60 + 36
)

// Progress is told how far a day is.
type Progress func(done, total int, at time.Time)

// Play plays a whole day at both sides of a new demonstration, and returns what happened
// after checking that it adds up.
func Play(ctx context.Context, c Config, visitors, vendors int, tell Progress) (_ *Result, err error) {
	began := time.Now()
	d, err := Start(ctx, c)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	p, err := NewPlayer(ctx, d, visitors, vendors)
	if err != nil {
		return nil, err
	}
	for more := true; more; {
		if more, err = p.Step(ctx); err != nil {
			return nil, err
		}
		if tell != nil {
			tell(p.Progress())
		}
	}
	r, err := p.Result(ctx)
	if err != nil {
		return nil, err
	}
	r.Took = time.Since(began)
	return r, r.Check()
}

// Open plays the morning of a small day, up to the time at which people are let into the
// demonstration, and then lets the clock run, speed times as fast as the machine's, with
// the rest of the day going on by itself until ctx ends.
func (d *Demo) Open(ctx context.Context, speed int, tell Progress) error {
	p, err := NewPlayer(ctx, d, demoVisitors, demoVendors)
	if err != nil {
		return err
	}
	for p.minute <= demoOpens {
		if _, err := p.Step(ctx); err != nil {
			return err
		}
		if tell != nil {
			tell(p.Progress())
		}
	}
	if err := p.bookGuests(ctx); err != nil {
		return err
	}
	if err := p.Tick(ctx); err != nil {
		return err
	}
	d.Clock.Run(speed)
	ctx, cancel := context.WithCancel(ctx)
	stop := d.stop
	d.stop = func() { cancel(); stop() }
	for _, side := range sides {
		d.done.Go(func() { d.Of(side).Post.Run(ctx) })
	}
	d.done.Go(func() { p.live(ctx) })
	return nil
}

// live plays the rest of the day as the clock goes.
func (p *Player) live(ctx context.Context) {
	t := time.NewTicker(time.Second)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		for now := p.demo.Clock.Now(); !p.day.Add(time.Duration(p.minute) * time.Minute).After(now); {
			more, err := p.Step(ctx)
			switch {
			case ctx.Err() != nil || !more:
				return
			case err != nil:
				// People of flesh and blood work on the same day: what a simulated visitor
				// wanted may have been done already. The day goes on.
				p.demo.log.Warn("a simulated visitor gave up", "problem", problem.CodeOf(err))
				p.minute++
			}
		}
	}
}
