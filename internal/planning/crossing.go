// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package planning

import (
	"fmt"
	"math/bits"
	"time"
)

// Service is what a gate can do: so many officers side by side, and what one of them needs
// for one person.
type Service struct {
	Servers int   // 1 to MaxServers
	Millis  int64 // mean time for one person, in milliseconds: 100 to a day
	// Variation is the squared coefficient of variation of that time (variance ÷ mean²) in
	// hundredths, 0 to 10,000: 0 where all take the same, 100 at random.
	Variation int64
}

// AtRandom is the variation of times of which nothing is known but their mean: those of an
// exponential distribution, in hundredths.
const AtRandom = 100

const (
	day       = 24 * time.Hour
	maxPeople = 1_000_000
	billion   = 1_000_000_000
)

func (s Service) check() error {
	if s.Servers < 1 || s.Servers > MaxServers || s.Millis < 100 || s.Millis > day.Milliseconds() || s.Variation < 0 || s.Variation > 100_00 {
		return fmt.Errorf("%w: service", ErrRange)
	}
	return nil
}

// work returns how long the whole gate needs for n people, in milliseconds.
func (s Service) work(n int64) int64 { return s.Millis * n / int64(s.Servers) }

// Load is who wants to cross in a slot.
type Load struct {
	People  int64 // come evenly between its beginning and its end
	Waiting int64 // stand there already when it begins
}

func (l Load) check() error {
	if l.People < 0 || l.Waiting < 0 || l.People > maxPeople || l.Waiting > maxPeople {
		return fmt.Errorf("%w: people", ErrRange)
	}
	return nil
}

// Quantile is how sure the latest crossing is.
type Quantile uint8

// The quantiles: of 100 who come at the end of the slot, so many cross before the latest.
const (
	Q95 Quantile = iota
	Q80
	Q90
	Q99
)

// of returns the chance that is left over and the quantile of the absolute value of a
// standard normal variable, both times 10⁹ (Abramowitz, Stegun 1964, table 26.5).
func (q Quantile) of() (left, normal int64, ok bool) {
	switch q {
	case Q80:
		return billion / 5, 1_281_551_566, true
	case Q90:
		return billion / 10, 1_644_853_627, true
	case Q95:
		return billion / 20, 1_959_963_985, true
	case Q99:
		return billion / 100, 2_575_829_304, true
	}
	return 0, 0, false
}

// Crossing is when somebody who comes in a slot will cross, in whole minutes.
type Crossing struct {
	Earliest time.Time // the beginning of the slot
	Expected time.Time // of somebody who comes in its middle, with the mean wait
	Latest   time.Time // of somebody who comes at its end, with the wait that the quantile leaves under it
	// Wait is the mean wait in minutes, rounded half up; WaitLatest that of Latest, rounded up.
	Wait, WaitLatest int64
}

// Cross predicts the crossing of somebody in a slot from its beginning to its end, a minute
// to 7 days later. The mean wait follows from booked, who has booked so far; the latest
// crossing from full, who would come if every place that can be sold were: a promise that is
// made to the first must hold when the last has booked. Where full is less than booked,
// booked counts.
//
// A wait has two parts. What follows from more coming than can be served is worked out as a
// flow (Newell 1982, ch. 2), and so also holds where a queue would grow for ever. What chance
// adds is the Allen–Cunneen wait (WaitVaried, arrivals at random), and no more than the queue
// of a gate that is just fully loaded can grow to in the time of the slot: the mean of a
// reflected Brownian motion, √(2/π)·σ·√t, over the slot (J. M. Harrison, "Brownian Motion and
// Stochastic Flow Systems", 1985, §1.9). The spread is the tail of the exponential wait of
// those who wait at all (Kingman 1962), C·exp(−t ÷ mean), within the same bound; where there
// is still a queue from the flow at the end, it is that bound.
//
// It works in whole milliseconds and decides by no decimal fraction. Earliest is not after
// Expected, nor Expected after Latest; none of them falls when a load, a wait or the time for one
// person rises, or the number of officers falls.
func Cross(from, until time.Time, booked, full Load, s Service, q Quantile) (Crossing, error) {
	left, normal, ok := q.of()
	span := until.Sub(from)
	if err := s.check(); err != nil {
		return Crossing{}, err
	}
	if err := booked.check(); err != nil {
		return Crossing{}, err
	}
	if err := full.check(); err != nil {
		return Crossing{}, err
	}
	if !ok || span < time.Minute || span > 7*day {
		return Crossing{}, fmt.Errorf("%w: slot", ErrRange)
	}
	full.People, full.Waiting = max(full.People, booked.People), max(full.Waiting, booked.Waiting)
	t := span.Milliseconds()

	mean, _ := s.flow(booked, t)
	mean += s.chance(booked, t)
	_, last := s.flow(full, t)
	spread := max(s.spread(full, t, left, normal, last > 0), s.chance(full, t))

	const minute = 60_000
	c := Crossing{Earliest: from, Wait: (mean + minute/2) / minute, WaitLatest: (last + spread + minute - 1) / minute}
	c.Expected = from.Add(span / 2).Truncate(time.Minute).Add(time.Duration(c.Wait) * time.Minute)
	c.Latest = until.Add(time.Duration(c.WaitLatest) * time.Minute)
	if c.Expected.After(c.Latest) {
		c.Latest = c.Expected
	}
	if c.Expected.Before(c.Earliest) {
		c.Expected = c.Earliest
	}
	return c, nil
}

// flow returns the mean wait over a slot of t milliseconds and the wait at its end, as far
// as both follow from how many come and how many can be served.
func (s Service) flow(l Load, t int64) (mean, last int64) {
	first, work := s.work(l.Waiting), s.work(l.People)
	last = max(first+work-t, 0)
	switch {
	case last > 0 || work >= t:
		return (first + last) / 2, last
	default: // the queue is gone after first·t ÷ (t − work)
		gone := muldiv(first, t, t-work)
		return muldiv(first, gone, 2*t), 0
	}
}

// chance returns the mean wait over a slot that chance adds.
func (s Service) chance(l Load, t int64) int64 {
	const reflected = 531_923_041 // ⅔·√(2/π) · 10⁹
	most := muldiv(s.sigma(Load{People: l.People}), reflected, billion)
	c, mean, ok := s.stationary(l, t)
	if !ok {
		return most
	}
	return min(muldiv(mean, c, billion), most)
}

// spread returns by how much a wait at the end of a slot passes that of the flow with a
// chance of left.
func (s Service) spread(l Load, t, left, normal int64, queue bool) int64 {
	most := muldiv(s.sigma(l), normal, billion)
	c, mean, ok := s.stationary(l, t)
	switch {
	case !ok || queue:
		return most
	case c <= left:
		return 0
	}
	return min(muldiv(mean, ln(c, left), billion), most)
}

// stationary returns, times 10⁹, the chance of a wait and the mean wait, in milliseconds, of
// those who wait; false where as many come as can be served.
func (s Service) stationary(l Load, t int64) (c, mean int64, ok bool) {
	if l.People == 0 {
		return 0, 0, true
	}
	work := s.work(l.People)
	if work >= t {
		return 0, 0, false
	}
	n := int64(s.Servers)
	a := muldiv(s.Millis, l.People*1_000_000, t) // officers that are busy on average, times 10⁶
	b := int64(billion)                          // Erlang's loss formula, times 10⁹
	for k := int64(1); k <= n; k++ {
		ab := muldiv(a, b, 1_000_000)
		b = muldiv(ab, billion, k*billion+ab)
	}
	// C = n·B ÷ (n − a·(1 − B))
	c = min(muldiv(n*billion, b, max(n*billion-muldiv(a, billion-b, 1_000_000), 1)), billion)
	// Millis ÷ n ÷ (1 − rho) · (arrivals + service) ÷ 2
	mean = muldiv(muldiv(s.Millis, t, n*(t-work)), AtRandom+s.Variation, 200)
	return c, mean, true
}

// sigma returns the standard deviation of the work, in milliseconds, that the people of a
// load bring: √(people·(arrivals + service) + waiting·service) · Millis ÷ Servers.
func (s Service) sigma(l Load) int64 {
	hundredths := l.People*(AtRandom+s.Variation) + l.Waiting*s.Variation
	root := isqrt(uint64(hundredths) * 10_000) // √ of it ÷ 100, times 1,000
	return muldiv(s.Millis, int64(root), int64(s.Servers)*1_000)
}

// muldiv returns a·b ÷ d rounded down, with 128 bits between; none is negative. What does
// not fit is the greatest number.
func muldiv(a, b, d int64) int64 {
	hi, lo := bits.Mul64(uint64(a), uint64(b))
	if d <= 0 || hi >= uint64(d) {
		return 1<<62 - 1
	}
	q, _ := bits.Div64(hi, lo, uint64(d))
	return int64(min(q, 1<<62-1))
}

// isqrt returns the root of n rounded down.
func isqrt(n uint64) uint64 {
	var r uint64
	for bit := uint64(1) << 62; bit > 0; bit >>= 2 {
		if n >= r+bit {
			n -= r + bit
			r = r>>1 + bit
		} else {
			r >>= 1
		}
	}
	return r
}

// ln returns the natural logarithm of a ÷ b, times 10⁹ and rounded down; a > b > 0. It is
// that to the base of 2 by repeated squaring (D. E. Knuth, "The Art of Computer
// Programming", vol. 1, §1.2.2, exercise 25) times ln 2.
func ln(a, b int64) int64 {
	const two = 693_147_181 // ln 2 · 10⁹
	var whole int64
	for a/2 >= b {
		b *= 2
		whole++
	}
	x := muldiv(a, 1<<31, b) // 1 ≤ x < 2, times 2³¹
	var part int64
	for range 30 {
		x = muldiv(x, x, 1<<31)
		part <<= 1
		if x >= 1<<32 {
			x >>= 1
			part |= 1
		}
	}
	return whole*two + muldiv(part, two, 1<<30)
}

// Arrivals are the people of one slot of a day.
type Arrivals struct {
	From, Until time.Time
	People      int64
}

// LoadOf returns who wants to cross between two times of a day at one gate: all who have
// slots then, in the part of their slot that lies between, and who is left waiting, by the
// flow, from those before.
func LoadOf(from, until time.Time, day []Arrivals, s Service) (Load, error) {
	if err := s.check(); err != nil {
		return Load{}, err
	}
	times := []time.Time{from, until}
	for _, a := range day {
		if a.People < 0 || a.People > maxPeople || !a.From.Before(a.Until) || a.Until.Sub(a.From) > 7*24*time.Hour {
			return Load{}, fmt.Errorf("%w: arrivals", ErrRange)
		}
		times = append(times, a.From, a.Until)
	}
	sortTimes(times)
	var people, work int64 // thousandths of a person, and milliseconds of work that wait
	for i := 1; i < len(times) && !times[i].After(from); i++ {
		work = max(work+s.work(between(times[i-1], times[i], day))/1000-times[i].Sub(times[i-1]).Milliseconds(), 0)
	}
	people = between(from, until, day)
	return Load{People: min((people+500)/1000, maxPeople), Waiting: min(work*int64(s.Servers)/s.Millis, maxPeople)}, nil
}

// between returns the thousandths of people who come between two times.
func between(from, until time.Time, day []Arrivals) int64 {
	var n int64
	for _, a := range day {
		x, y := later(from, a.From), until
		if a.Until.Before(y) {
			y = a.Until
		}
		if x.Before(y) {
			n += muldiv(a.People*1000, y.Sub(x).Milliseconds(), a.Until.Sub(a.From).Milliseconds())
		}
	}
	return n
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
