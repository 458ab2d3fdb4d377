// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package planning

import (
	"fmt"
	"slices"
	"time"
)

func sortTimes(ts []time.Time) { slices.SortFunc(ts, time.Time.Compare) }

// Quarter is the span in which a gate counts: 15 minutes.
const Quarter = 15 * time.Minute

// Counted is what a gate counted of a day that is over, by quarters of an hour from
// midnight, both of one length.
type Counted struct {
	Due  []uint32 // people whose slots lie in the quarter; see Due
	Came []uint32 // people who were let in during it
}

// Due returns how many people have their slots in each of n quarters of an hour from
// midnight, a slot's people evenly over its time.
func Due(midnight time.Time, n int, day []Arrivals) []uint32 {
	out := make([]uint32, n)
	var sum, told int64 // rounding carries over, so that nobody is lost
	for i := range out {
		at := midnight.Add(time.Duration(i) * Quarter)
		sum += between(at, at.Add(Quarter), day)
		out[i] = uint32((sum+500)/1000 - told)
		told += int64(out[i])
	}
	return out
}

// queues returns the people who wait at the end of each quarter: those who were due by then
// and had not come. Those who stay away are taken out of all slots alike, and who comes
// before the time waits for nobody.
func (d Counted) queues() ([]int64, bool) {
	var due, came int64
	if len(d.Due) != len(d.Came) {
		return nil, false
	}
	for i := range d.Due {
		due, came = due+int64(d.Due[i]), came+int64(d.Came[i])
	}
	if due == 0 || came == 0 || due > maxPeople || came > maxPeople {
		return nil, false
	}
	out := make([]int64, len(d.Due))
	var x, y int64
	for i := range out {
		x, y = x+int64(d.Due[i]), y+int64(d.Came[i])
		out[i] = max(muldiv(x, came, due)-y, 0)
	}
	return out, true
}

// MinQuarters is how many busy quarters of an hour Measured needs.
const MinQuarters = 8

// Measured returns what a gate with so many officers can do, from days that are over. It
// looks at the busy quarters of an hour: those at whose beginning and end at least as many
// people waited as there are officers, so that none of these was idle. There the people let
// in are what the gate can do, and the variance of that number ÷ its mean tends to the
// squared coefficient of variation of the time for one person (D. R. Cox, "Renewal Theory",
// 1962, §4.5). It is false where there are fewer than MinQuarters of them: the gate has
// shown less than it can do.
//
// Who waited is read from how many should have come by then and how many had, as in a
// cumulative diagram (Newell 1982, ch. 1). People who are late for their slots look like
// people who wait, so that the time for one person comes out too long rather than too short.
func Measured(servers int, days ...Counted) (Service, bool) {
	if servers < 1 || servers > MaxServers {
		return Service{}, false
	}
	var counts []int64
	var sum int64
	for _, d := range days {
		q, ok := d.queues()
		if !ok {
			continue
		}
		for i := 1; i < len(q); i++ {
			if q[i-1] >= int64(servers) && q[i] >= int64(servers) {
				counts = append(counts, int64(d.Came[i]))
				sum += int64(d.Came[i])
			}
		}
	}
	n := int64(len(counts))
	if n < MinQuarters || sum == 0 {
		return Service{}, false
	}
	var squares int64 // Σ (n·x − sum)²
	for _, x := range counts {
		squares += min((n*x-sum)*(n*x-sum), 1<<50)
	}
	s := Service{Servers: servers, Millis: Quarter.Milliseconds() * int64(servers) * n / sum}
	// variance ÷ mean = Σ(n·x − sum)² ÷ (n²·(n−1)) ÷ (sum ÷ n)
	s.Variation = min(muldiv(squares, 100, n*(n-1)*sum), 100_00)
	if s.check() != nil {
		return Service{}, false
	}
	return s, true
}

// Waited returns the mean wait, in minutes rounded half up, of the people who were due
// between two quarters of an hour of a day that is over, from the first to before the last:
// the person-hours that they waited ÷ their number (J. D. C. Little, "A proof for the queuing
// formula L = λW", 1961). It is false where nobody was due, or nobody came all day.
func (d Counted) Waited(first, last int) (int64, bool) {
	q, ok := d.queues()
	if !ok || first < 0 || last > len(q) || first >= last {
		return 0, false
	}
	var due, came, here int64
	for i := range q {
		due, came = due+int64(d.Due[i]), came+int64(d.Came[i])
		if first <= i && i < last {
			here += int64(d.Due[i])
		}
	}
	n := muldiv(here, came, due)
	if n == 0 {
		return 0, false
	}
	// Of the queue at an end of a quarter, those who were due last stand behind: a person is
	// counted with the slot that they had.
	var waits int64
	for i := range q {
		behind := q[i]
		for j := i; j >= 0 && behind > 0; j-- {
			mine := min(muldiv(int64(d.Due[j]), came, due), behind)
			if j == 0 {
				mine = behind
			}
			behind -= mine
			if first <= j && j < last {
				waits += mine
			}
		}
	}
	return (waits*int64(Quarter/time.Minute)*2 + n) / (2 * n), true
}

// String returns "4 × 60s (1.00)".
func (s Service) String() string {
	return fmt.Sprintf("%d × %s (%d.%02d)", s.Servers, time.Duration(s.Millis)*time.Millisecond, s.Variation/100, s.Variation%100)
}
