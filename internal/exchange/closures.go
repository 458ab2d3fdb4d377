// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package exchange

import (
	"context"
	"slices"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/closure"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/service"
)

// topicClosures is what a side has closed, and the plans that it has signed.
const topicClosures = "closures"

// giveClosures answers with what this side has closed and signed at each site.
func (x *Exchange) giveClosures(ctx context.Context, _ ask, a *answer) string {
	err := x.deps.Reader.View(ctx, func(st service.State) error {
		a.Closures = service.ClosuresFor(st, x.deps.Law(), x.deps.Side, x.deps.Clock())
		return nil
	})
	if err != nil {
		x.deps.Log.Error("exchange: closures", "err", err)
		return refusedFault
	}
	return ""
}

// pullClosures hears what the other side has closed and signed.
func (x *Exchange) pullClosures(ctx context.Context) error {
	a, err := x.ask(ctx, topicClosures, ask{})
	if err != nil {
		return err
	}
	now, law := x.deps.Clock(), x.deps.Law()
	sites := law.Sites(now)
	var news []service.SiteClosures
	err = x.deps.Reader.View(ctx, func(st service.State) error {
		d := closure.Desk{State: st.Closures, Law: law, Side: x.deps.Side, Now: now}
		for _, s := range a.Closures {
			if !slices.ContainsFunc(sites, func(k agreement.Site) bool { return k.Number == s.Site }) {
				continue // of an edition that is not in force here yet
			}
			facts, err := d.DecideHeard(s.Site, s.Standing)
			if err != nil {
				x.refuse(topicClosures, false, "closures")
				return problem.New(problem.Untrusted, "exchange.closures")
			}
			if len(facts) > 0 {
				news = append(news, s)
			}
		}
		return nil
	})
	if err != nil || len(news) == 0 {
		return err
	}
	_, err = x.deps.Writer.Do(ctx, service.Idem{Actor: actor}, service.HearClosures{Sites: news})
	return err
}
