// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package planning

import (
	"slices"

	"github.com/cockroachdb/apd/v3"
)

// MaxBookings is the most places that Bookings looks at.
const MaxBookings = 20_000

// Bookings returns the largest number of bookings of a slot for capacity people of which
// more come than that with a chance of alpha at most, where each stays away by itself with a
// chance of absent: the largest n with P(X > capacity) ≤ alpha, X binomial (n, 1 − absent).
// With absent 0 it is capacity. absent and alpha are at least 0 and less than 1; capacity is
// 1 to 10,000. ErrRange where n would pass MaxBookings.
//
// Families stay away together, which makes the true chance greater: the formula is for
// bookings of one.
//
// Source: M. Rothstein, "OR and the airline overbooking problem", 1985, §2 (service-level
// rule). The sum runs by n: P(n+1) = P(n) + (1 − absent)·P(X = capacity of n).
func Bookings(capacity int, absent, alpha *apd.Decimal) (int, error) {
	var c calc
	c.want(capacity > 0 && capacity <= 10_000, "capacity")
	c.finite("chance", absent, alpha)
	c.want(c.err == nil && absent.Cmp(Int(1)) < 0 && alpha.Cmp(Int(1)) < 0, "chance")
	if c.err != nil {
		return 0, c.err
	}
	comes := c.sub(Int(1), absent)
	// step is comes·P(X = capacity of n): comes^(capacity+1) at n = capacity.
	step, tail := c.pow(comes, int64(capacity)+1), Int(0)
	for n := capacity; n < MaxBookings; n++ {
		if tail = c.add(tail, step); c.err != nil || tail.Cmp(alpha) > 0 {
			return n, c.err
		}
		step = c.mul(c.quo(c.mul(step, Int(int64(n)+1)), Int(int64(n)+1-int64(capacity))), absent)
	}
	c.want(false, "bookings without end")
	return 0, c.err
}

// Share is what one class gets of a round of turns.
type Share struct {
	Class string
	Turns int // of the round that take the class
	Alone int // of these, that take no other
	Of    int // turns of the round
}

// Shares returns what each class gets of a weighted round robin: a round of turns, each
// with the classes that it takes, gone through again and again. Where a turn takes several
// classes it counts for each, so that shares may add up to more than one. Sorted by class.
//
// Source: M. Katevenis, S. Sidiropoulos, C. Courcoubetis, "Weighted round-robin cell
// multiplexing in a general-purpose ATM switch chip", 1991, §II.
func Shares(round [][]string) []Share {
	var out []Share
	for _, turn := range round {
		for i, class := range turn {
			if slices.Contains(turn[:i], class) {
				continue
			}
			at := slices.IndexFunc(out, func(s Share) bool { return s.Class == class })
			if at < 0 {
				at, out = len(out), append(out, Share{Class: class, Of: len(round)})
			}
			out[at].Turns++
			if !slices.ContainsFunc(turn, func(o string) bool { return o != class }) {
				out[at].Alone++
			}
		}
	}
	slices.SortFunc(out, func(a, b Share) int {
		if a.Class < b.Class {
			return -1
		}
		return 1
	})
	return out
}
