// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package planning

import (
	"github.com/cockroachdb/apd/v3"
)

// MaxServers is the most officers, lanes or teams that a queue can have.
const MaxServers = 256

// Waits returns the chance, 0 to 1, that somebody has to wait at all at servers officers
// who each serve mu an hour, where lambda an hour come at random: Erlang's second formula.
// Any unit of time will do, the same for both. ErrUnstable where lambda is servers × mu or
// more.
//
// Source: A. K. Erlang, "Solution of some problems in the theory of probabilities of
// significance in automatic telephone exchanges", 1917, section on waiting; by the recursion
// of the loss formula, R. B. Cooper, "Introduction to Queueing Theory", 2nd ed. 1981, §3.3–3.5.
func Waits(servers int, lambda, mu *apd.Decimal) (*apd.Decimal, error) {
	var c calc
	p, _ := c.waits(servers, lambda, mu)
	return c.result(p)
}

// waits returns the chance of a wait and what is left of the servers, servers × mu − lambda.
func (c *calc) waits(servers int, lambda, mu *apd.Decimal) (p, left *apd.Decimal) {
	c.want(servers > 0 && servers <= MaxServers, "servers")
	c.finite("rate", lambda, mu)
	if c.err != nil {
		return nil, nil
	}
	n := Int(int64(servers))
	left = c.sub(c.mul(n, mu), lambda)
	if c.err == nil && (left.Sign() <= 0 || mu.IsZero()) {
		c.err = ErrUnstable
	}
	if c.err != nil {
		return nil, nil
	}
	a := c.quo(lambda, mu)
	b := Int(1) // Erlang's loss formula with no server
	for k := 1; k <= servers; k++ {
		ab := c.mul(a, b)
		b = c.quo(ab, c.add(Int(int64(k)), ab))
	}
	// C = n·B ÷ (n − a·(1 − B))
	p = c.quo(c.mul(n, b), c.sub(n, c.mul(a, c.sub(Int(1), b))))
	return p, left
}

// Wait returns the mean wait of M/M/c, in the unit of time of which lambda and mu are rates:
// Waits ÷ (servers × mu − lambda). ErrUnstable where lambda is servers × mu or more.
//
// Source: Cooper 1981, §3.5 (Erlang delay system).
func Wait(servers int, lambda, mu *apd.Decimal) (*apd.Decimal, error) {
	var c calc
	p, left := c.waits(servers, lambda, mu)
	if c.err != nil {
		return nil, c.err
	}
	return c.result(c.quo(p, left))
}

// WaitVaried returns the mean wait where arrivals and service vary otherwise than at random:
// Wait × (arrivals + service) ÷ 2. Both are squared coefficients of variation, variance ÷
// mean²: 0 for a clock, 1 at random. It is an approximation, exact for M/M/c and for M/G/1.
//
// Source: A. O. Allen, "Probability, Statistics, and Queueing Theory", 2nd ed. 1990, §5.4
// (the Allen–Cunneen approximation of G/G/c).
func WaitVaried(servers int, lambda, mu, arrivals, service *apd.Decimal) (*apd.Decimal, error) {
	var c calc
	c.finite("variation", arrivals, service)
	p, left := c.waits(servers, lambda, mu)
	if c.err != nil {
		return nil, c.err
	}
	w := c.quo(p, left)
	return c.result(c.quo(c.mul(w, c.add(arrivals, service)), Int(2)))
}

// WaitBehind returns how long somebody waits behind so many who are served at a rate
// together: queue ÷ rate, in the unit of time of the rate.
//
// Source: G. F. Newell, "Applications of Queueing Theory", 2nd ed. 1982, ch. 2 (fluid
// approximation).
func WaitBehind(queue, rate *apd.Decimal) (*apd.Decimal, error) {
	var c calc
	c.finite("queue", queue, rate)
	c.want(rate.Sign() > 0, "rate")
	return c.result(c.quo(queue, rate))
}

// Rate returns count over a number of units of time, such as people a second.
func Rate(count, units *apd.Decimal) (*apd.Decimal, error) { return WaitBehind(count, units) }

// Overlap returns, for people who come at random, lambda an hour, and stay mu⁻¹ = stay
// hours on average with no limit of room (M/M/∞), how many others each is inside with at
// some time, 2·lambda·stay, and for how many person-hours in all, lambda·stay². The second
// is also E[N(N−1)] ÷ lambda.
//
// Source: K. Kang, S. Doroudi, M. Delasay, A. Wickeham, "A queueing-theoretic framework for
// evaluating transmission risks in service facilities during a pandemic", 2021; S. Palomo,
// J. Pender, "Overlap times in the infinite server queue", 2021.
func Overlap(lambda, stay *apd.Decimal) (others, hours *apd.Decimal, err error) {
	var c calc
	c.finite("rate", lambda, stay)
	if c.err != nil {
		return nil, nil, c.err
	}
	ls := c.mul(lambda, stay)
	others, hours = c.mul(Int(2), ls), c.mul(ls, stay)
	if c.err != nil {
		return nil, nil, c.err
	}
	return others, hours, nil
}

// Infection returns the chance, 0 to 1, that somebody in a hall catches an infection by the
// air: 1 − exp(−infectors·quanta·breathing·hours ÷ air). Quanta are an hour and infector,
// breathing and air (fresh air let in) m³ an hour. It is of one mixed room at rest and says
// nothing of infections by touch.
//
// Source: E. C. Riley, G. Murphy, R. L. Riley, "Airborne spread of measles in a suburban
// elementary school", 1978, after W. F. Wells 1955; quanta by A. Aganovic et al. 2022.
func Infection(infectors, quanta, breathing, hours, air *apd.Decimal) (*apd.Decimal, error) {
	var c calc
	c.finite("exposure", infectors, quanta, breathing, hours, air)
	c.want(c.err == nil && air.Sign() > 0, "air")
	if c.err != nil {
		return nil, c.err
	}
	dose := c.quo(c.mul(c.mul(infectors, quanta), c.mul(breathing, hours)), air)
	return c.result(c.sub(Int(1), c.exp(new(apd.Decimal).Neg(dose))))
}

// Lapses returns the chance, 0 to 1, that a certificate lapses before its holder has
// crossed: that a wait, exponential about its mean, is longer than what is left of the
// validity when the holder joins the queue at that age. All three are in one unit of time.
//
// Source: the tail of the exponential wait, exp(−(validity − age) ÷ mean); that waits of a
// busy queue are exponential: J. F. C. Kingman, "On queues in heavy traffic", 1962.
func Lapses(validity, age, mean *apd.Decimal) (*apd.Decimal, error) {
	var c calc
	c.finite("time", validity, age, mean)
	left := c.sub(validity, age)
	switch {
	case c.err != nil:
		return nil, c.err
	case left.Sign() <= 0:
		return Int(1), nil
	case mean.IsZero():
		return Int(0), nil
	}
	return c.result(c.exp(new(apd.Decimal).Neg(c.quo(left, mean))))
}
