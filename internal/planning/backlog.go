// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package planning

import (
	"fmt"
	"time"

	"github.com/cockroachdb/apd/v3"

	"darwaza.dev/internal/calendar"
)

// Clear returns how long a backlog takes to clear: backlog ÷ (capacity − demand), in the
// unit of time of the two rates. ErrUnstable where capacity is not more than demand.
//
// Source: Newell 1982, ch. 2 (fluid approximation).
func Clear(backlog, capacity, demand *apd.Decimal) (*apd.Decimal, error) {
	var c calc
	c.finite("backlog", backlog, capacity, demand)
	left := c.sub(capacity, demand)
	switch {
	case c.err != nil:
		return nil, c.err
	case left.Sign() <= 0:
		return nil, ErrUnstable
	}
	return c.result(c.quo(backlog, left))
}

// MaxDays is how far ahead the end of a backlog is looked for.
const MaxDays = 10 * 366

// A Stage is a part of a reopening, from a day until the next stage.
type Stage struct {
	From calendar.Date
	// Days are the weekdays that are open; every day where it is empty.
	Days []time.Weekday
	// Capacity is how many can cross on an open day, Demand how many join on any day, open
	// or not.
	Capacity, Demand int64
}

func (s Stage) open(d calendar.Date) bool {
	for _, w := range s.Days {
		if d.Weekday() == w {
			return true
		}
	}
	return len(s.Days) == 0
}

// End is how a backlog ends.
type End struct {
	On       calendar.Date // the day on which the last of it crosses
	Days     int           // from the first stage's day to On, both counted
	OpenDays int           // of these, those that were open
	Left     int64         // what is left at the end of the last day looked at; 0 where it clears
	Most     int64         // the greatest backlog at the end of a day
}

// Reopen works out when a backlog that stands on the morning of the first stage has
// crossed: each day the day's demand joins, and on an open day up to the day's capacity
// cross. ErrUnstable, with what is left, where that is not so within MaxDays; ErrRange where stages are
// not in order of time or hold negative figures.
//
// Source: Newell 1982, ch. 2, day by day in whole vehicles.
func Reopen(backlog int64, stages []Stage) (End, error) {
	var e End
	const most = 1 << 40
	if len(stages) == 0 || backlog < 0 || backlog > most {
		return e, fmt.Errorf("%w: backlog", ErrRange)
	}
	for i, s := range stages {
		if s.Capacity < 0 || s.Demand < 0 || s.Capacity > most || s.Demand > most || !s.From.Valid() || i > 0 && !stages[i-1].From.Before(s.From) {
			return e, fmt.Errorf("%w: stage %d", ErrRange, i+1)
		}
	}
	e.On, e.Most = stages[0].From, backlog
	if backlog == 0 {
		return e, nil
	}
	at := 0
	for d := stages[0].From; e.Days < MaxDays; d = d.AddDays(1) {
		for at+1 < len(stages) && !d.Before(stages[at+1].From) {
			at++
		}
		s := stages[at]
		e.On, e.Days = d, e.Days+1
		backlog += s.Demand
		if s.open(d) {
			e.OpenDays++
			backlog -= min(backlog, s.Capacity)
		}
		e.Most = max(e.Most, backlog)
		if backlog == 0 {
			return e, nil
		}
	}
	e.Left = backlog
	return e, ErrUnstable
}
