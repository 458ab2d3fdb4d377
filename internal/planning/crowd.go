// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package planning

import (
	"fmt"
	"slices"

	"github.com/cockroachdb/apd/v3"
)

// A Wave is people who come evenly from one minute of the day to another.
type Wave struct {
	From, Until int // minutes of the day
	People      int64
}

// A Crowd is a day at a place: who is there throughout, who comes, and how long each stays.
type Crowd struct {
	Open, Close int   // minutes of the day; nobody is inside outside of them
	There       int64 // people who are there throughout, such as vendors
	Waves       []Wave
	Stay        int // minutes; the same for all who come
}

// Contacts is how close people come over a day.
type Contacts struct {
	Peak *apd.Decimal // the most people inside at once
	// Hours are contact-hours: the integral over time of N(N−1), the second factorial
	// moment of how many are inside. Each pair counts twice, once for each of the two.
	Hours *apd.Decimal
}

// Contacts works out the peak and the contact-hours of a day. The number inside is taken as
// flowing, so that it is a straight line between the times at which a wave begins, ends,
// and has left; its integral is exact.
//
// Source: Y. Perlman, U. Yechiali, "Reducing risk of infection: the COVID-19 queueing game",
// 2020, §2 (risk grows with the second factorial moment of the number present).
func (w Crowd) Contacts() (Contacts, error) {
	var c calc
	c.want(0 <= w.Open && w.Open < w.Close && w.Close <= 48*60, "opening hours")
	c.want(w.Stay > 0 && w.Stay <= 24*60, "stay")
	c.want(w.There >= 0 && w.There <= 1_000_000 && len(w.Waves) <= 1000, "people")
	times := []int{w.Open, w.Close}
	for i, a := range w.Waves {
		c.want(w.Open <= a.From && a.From < a.Until && a.Until <= w.Close && a.People >= 0 && a.People <= 1_000_000, fmt.Sprintf("wave %d", i+1))
		for _, t := range [...]int{a.From, a.Until, a.From + w.Stay, a.Until + w.Stay} {
			if t < w.Close {
				times = append(times, t)
			}
		}
	}
	if c.err != nil {
		return Contacts{}, c.err
	}
	slices.Sort(times)
	times = slices.Compact(times)
	inside := func(t int) *apd.Decimal {
		n := Int(w.There)
		for _, a := range w.Waves {
			// those who have come by t and had not come by t − stay
			come := a.come(t) - a.come(t-w.Stay)
			n = c.add(n, c.quo(Int(a.People*come), Int(int64(a.Until-a.From))))
		}
		return n
	}
	out := Contacts{Peak: Int(0), Hours: Int(0)}
	for i, t := range times {
		y := inside(t)
		if y.Cmp(out.Peak) > 0 {
			out.Peak = y
		}
		if i == 0 {
			continue
		}
		x := inside(times[i-1])
		// over a piece of length h: h·((x² + xy + y²) ÷ 3 − (x + y) ÷ 2)
		squares := c.quo(c.add(c.add(c.mul(x, x), c.mul(x, y)), c.mul(y, y)), Int(3))
		piece := c.sub(squares, c.quo(c.add(x, y), Int(2)))
		out.Hours = c.add(out.Hours, c.quo(c.mul(piece, Int(int64(t-times[i-1]))), Int(60)))
	}
	if c.err != nil {
		return Contacts{}, c.err
	}
	return out, nil
}

// come returns for how many of its minutes the wave has been coming by t.
func (a Wave) come(t int) int64 { return int64(min(max(t-a.From, 0), a.Until-a.From)) }
