// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"sync"
	"time"

	"darwaza.dev/internal/service"
)

// gateServices remembers what this side's gates were measured to do: once a day, in UTC, and
// under one law. The zero value is empty.
type gateServices struct {
	mu  sync.Mutex
	law *service.Law
	day int64
	can map[uint16]service.GateService
}

// gateService returns what this side's gate at a site can do; false where nobody knows.
func (s *server) gateService(st service.State, law *service.Law, site uint16, now time.Time) (service.GateService, bool) {
	day := now.Unix() / 86400
	g := &s.gates
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.can == nil || g.law != law || g.day != day {
		g.law, g.day, g.can = law, day, map[uint16]service.GateService{}
	}
	if c, ok := g.can[site]; ok {
		return c, true
	}
	c, ok := service.GateServiceOf(st, law, s.deps.Side, site, now)
	if c.Measured {
		g.can[site] = c
	}
	return c, ok
}
