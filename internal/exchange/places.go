// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package exchange

import (
	"context"

	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/service"
)

// topicPlaces is what a side commits at sites, and what it gives and asks for of slots. Both
// are whole and not what has changed: to hear them late, twice or not at all changes nothing
// but how old they are.
const topicPlaces = "places"

// givePlaces answers with what this side has committed and given.
func (x *Exchange) givePlaces(ctx context.Context, _ ask, a *answer) string {
	err := x.deps.Reader.View(ctx, func(st service.State) error {
		a.Intake, a.Transfers = service.PlacesFor(st, x.deps.Law(), x.deps.Side, x.deps.Clock())
		return nil
	})
	if err != nil {
		x.deps.Log.Error("exchange: places", "err", err)
		return refusedFault
	}
	return ""
}

// pullPlaces hears what the other side has committed and given.
func (x *Exchange) pullPlaces(ctx context.Context) error {
	a, err := x.ask(ctx, topicPlaces, ask{})
	if err != nil {
		return err
	}
	var news service.HearPlaces
	err = x.deps.Reader.View(ctx, func(st service.State) (err error) {
		news, err = service.NewsOf(st, x.deps.Law(), x.deps.Side, x.deps.Clock(), a.Intake, a.Transfers)
		return err
	})
	if problem.KindOf(err) == problem.Invalid || problem.KindOf(err) == problem.Limit {
		x.refuse(topicPlaces, false, "places")
		return problem.New(problem.Untrusted, "exchange.places")
	}
	if err != nil || len(news.Sites)+len(news.Slots) == 0 {
		return err
	}
	_, err = x.deps.Writer.Do(ctx, service.Idem{Actor: actor}, news)
	return err
}
