// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package post

import (
	"context"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/protocol"
	"darwaza.dev/internal/service"
)

// SiteLevels is which level of protection holds at a site, and what both sides have
// brought in there.
type SiteLevels struct {
	Now  protocol.Level
	Next protocol.Level // what comes at From, where From is not zero
	From time.Time
	// Changes are those of a side that still count.
	Changes map[agreement.Side][]protocol.Change
}

func (p *Post) siteNumber(site string) (uint16, error) {
	for _, s := range p.law.Sites(p.clock()) {
		if s.ID == site {
			return s.Number, nil
		}
	}
	return 0, problem.Newf(problem.NotFound, "site.unknown", "the agreements in force have no site %q", site)
}

// Levels returns the levels at a site as far as this side has heard. Where the agreement
// has none, the problem is not found.
func (p *Post) Levels(ctx context.Context, site string) (out SiteLevels, err error) {
	number, err := p.siteNumber(site)
	if err != nil {
		return out, err
	}
	now := p.clock()
	err = p.store.View(ctx, func(st service.State) error {
		l, _, _, ok := service.LevelAt(st, p.law, number, now)
		if !ok {
			return problem.Newf(problem.NotFound, "level.none", "the agreement has no levels of protection at %s", site)
		}
		out = SiteLevels{Now: l, Changes: map[agreement.Side][]protocol.Change{}}
		if n, from, ok := service.NextLevel(st, p.law, number, now); ok {
			out.Next, out.From = n, from
		}
		for _, side := range [...]agreement.Side{agreement.A, agreement.B} {
			out.Changes[side] = service.LevelsOf(st, number, side, now)
		}
		return nil
	})
	return out, err
}

// SetLevel brings a level in at a site. by is the login of the officer whose act it is,
// and word their sign-in word; c.Site and c.Officer are filled in. Where the answer has no
// change, its verdict says why, and nothing was recorded.
func (p *Post) SetLevel(ctx context.Context, site, by, word string, c service.SetLevel) (a service.LevelAnswer, err error) {
	if c.Site, err = p.siteNumber(site); err != nil {
		return a, err
	}
	o, err := p.Signed(ctx, by, word)
	if err != nil {
		return a, err
	}
	c.Officer = o.ID
	err = p.do(ctx, c, &a)
	switch problem.CodeOf(err) {
	case "level.role", "officer.role":
		err = problem.Newf(problem.Forbidden, "level.role", "%s may not bring %s in", by, c.Level)
	case "officer.site":
		err = problem.Newf(problem.Forbidden, "officer.site", "%s works at another site", by)
	case "level.unknown":
		err = problem.Newf(problem.Invalid, "level.unknown", "the agreement has no level %q", c.Level)
	case "level.same":
		err = problem.Newf(problem.Conflict, "level.same", "%s has brought nothing new: this level holds already", by)
	}
	return a, err
}
