// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package exchange

import (
	"context"
	"io"
	"net/http"
	"slices"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/gate"
	"darwaza.dev/internal/service"
)

// Handler answers the other side's asks. It is mounted at Prefix.
func (x *Exchange) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("POST "+Prefix+topicCertificates, x.serve(topicCertificates, x.giveCertificates))
	mux.Handle("POST "+Prefix+topicWithdrawals, x.serve(topicWithdrawals, x.giveWithdrawals))
	mux.Handle("POST "+Prefix+topicFigures, x.serve(topicFigures, x.giveFigures))
	mux.Handle("POST "+Prefix+topicMovements, x.serve(topicMovements, x.giveMovements))
	mux.Handle("POST "+Prefix+topicClaims, x.serve(topicClaims, x.giveClaims))
	mux.Handle("POST "+Prefix+topicLevels, x.serve(topicLevels, x.giveLevels))
	mux.Handle("POST "+Prefix+topicPlaces, x.serve(topicPlaces, x.givePlaces))
	if x.deps.Record != nil {
		mux.Handle("POST "+Prefix+topicHead, x.serve(topicHead, x.giveHead))
		mux.HandleFunc("GET "+recordPrefix, x.serveRecord)
	}
	mux.Handle("POST "+Prefix+topicClosures, x.serve(topicClosures, x.giveClosures))
	return mux
}

// give fills in the answer to an authentic ask, or returns the word that refuses it.
type give func(ctx context.Context, q ask, a *answer) (refused string)

// serve wraps a topic in what all have in common: bounds, the signature, the clock, replay.
func (x *Exchange) serve(topic string, give give) http.Handler {
	path := Prefix + topic
	// bare is the one answer to whatever is not the other side's: it does not tell a wrong
	// key from a wrong signature, an agreement, or a body that is no message at all.
	bare := func(w http.ResponseWriter, why string) {
		x.refuse(topic, true, why)
		http.Error(w, "forbidden", http.StatusForbidden)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if x.cut.Load() {
			http.Error(w, "unavailable", http.StatusServiceUnavailable)
			return
		}
		// The body is read, and its sender known, before it takes one of the slots: whoever
		// has no key can fill their own connections and no more. A server without deadlines
		// must not be held by a body that never ends; a writer that knows none is a test's.
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(x.serveTime))
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxAsk))
		if err != nil {
			bare(w, "size")
			return
		}
		var q ask
		msg, err := x.open(body, func([]byte) []byte { return externalAsk(path, x.deps.Agreement, x.side.Other()) }, &q)
		if err != nil {
			bare(w, why(err))
			return
		}
		select {
		case x.slots <- struct{}{}:
			defer func() { <-x.slots }()
		default:
			http.Error(w, "unavailable", http.StatusServiceUnavailable)
			return
		}
		now := x.deps.Clock()
		a := answer{Version: Version, At: micro(now)}
		skew := fromMicro(q.At).Sub(now)
		switch {
		case q.Version < 1 || q.Version > Version+1:
			a.Refused = refusedVersion
		case skew > Window || skew < -Window:
			a.Refused = refusedClock
		case !x.seen.take(q.Nonce, now):
			a.Refused = refusedReplay
		default:
			if a.Refused = give(r.Context(), q, &a); a.Refused != "" {
				a = answer{Version: a.Version, At: a.At, Refused: a.Refused}
			}
		}
		if a.Refused != "" {
			x.refuse(topic, true, a.Refused)
		}
		out, _, err := x.seal(a, externalAnswer(path, x.deps.Agreement, x.side, msg))
		if err != nil {
			x.deps.Log.Error("exchange: sign", "topic", topic, "err", err)
			http.Error(w, "internal", http.StatusInternalServerError)
			return
		}
		x.mu.Lock()
		x.status.Served = now
		x.mu.Unlock()
		h := w.Header()
		h.Set("Content-Type", "application/cbor")
		h.Set("Cache-Control", "no-store")
		w.Write(out)
	})
}

func (x *Exchange) giveCertificates(_ context.Context, _ ask, a *answer) string {
	size := 0
	for _, c := range x.deps.Certificates() {
		if size += len(c); size > maxPayload {
			x.deps.Log.Error("exchange: more certificates than an answer holds")
			break
		}
		a.Certificates = append(a.Certificates, c)
	}
	return ""
}

// giveWithdrawals answers with a page of the list, once what the ask says to have heard
// is on stable storage here.
func (x *Exchange) giveWithdrawals(ctx context.Context, q ask, a *answer) string {
	if len(q.Used) > booking.MaxUsed {
		return refusedForm
	}
	var list []service.WithdrawnPass
	var acks booking.Acks
	news := false // of used passes that are not known here
	err := x.deps.Reader.View(ctx, func(st service.State) error {
		acks, _ = st.Booking.Acks.Get(0)
		if q.List != acks.List {
			list, a.Last = service.WithdrawalsAfter(st, 0, PageSize)
			return nil
		}
		list, a.Last = service.WithdrawalsAfter(st, q.After, PageSize)
		for _, u := range q.Used {
			w, ok := st.Booking.Withdrawals.Get(u.Serial)
			news = news || ok && w.Pass == u.Pass && !w.Used
		}
		return nil
	})
	if err != nil {
		x.deps.Log.Error("exchange: withdrawals", "err", err)
		return refusedFault
	}
	a.List = acks.List
	switch {
	case q.List == acks.List:
	case q.Version < 2 && q.After > 0:
		// It knows of no lists, would take what is answered for what follows on what it has
		// read, and never hear of the serials that were given again.
		x.deps.Log.Error("exchange: the other side's server is too old to hear of a list that was begun anew", "heard", q.After, "last", a.Last)
		return refusedAhead
	default:
		// What was heard of another list acknowledges nothing of this one.
		q.After, q.Used = 0, nil
	}
	if q.After > a.Last {
		// To believe this would sell the places of passes that no gate has heard of.
		x.deps.Log.Error("exchange: the other side has heard of withdrawals that this side never made", "heard", q.After, "last", a.Last)
		return refusedAhead
	}
	// One command gives only so many places back; the next ask does the rest.
	a.Acked = acks.Heard
	if q.After > acks.Heard || acks.FreedTo < acks.Heard || news {
		c := service.Acknowledge{Serial: q.After, List: q.List, Used: q.Used}
		if _, err := x.deps.Writer.Do(ctx, service.Idem{Actor: actor}, c); err != nil {
			x.deps.Log.Error("exchange: acknowledge", "err", err)
			return refusedFault
		}
		a.Acked = max(a.Acked, q.After)
	}
	for _, w := range list {
		a.Withdrawals = append(a.Withdrawals, withdrawal{Serial: w.Serial, Pass: w.Pass, Gen: w.Gen, Until: w.Until})
	}
	return ""
}

// giveMovements answers with a page of the list of movements: of the list that is asked
// for, or of this side's from its beginning. To ask for more acknowledges nothing.
func (x *Exchange) giveMovements(ctx context.Context, q ask, a *answer) string {
	err := x.deps.Reader.View(ctx, func(st service.State) error {
		acks, _ := st.Booking.Acks.Get(0)
		if a.List = acks.List; q.List != a.List {
			q.After = 0
		}
		var list []gate.Move
		list, a.Last = st.Gate.MovesAfter(q.After, gate.MaxMoves)
		for _, m := range list {
			a.Movements = append(a.Movements, newMovement(m))
		}
		return nil
	})
	if err != nil {
		x.deps.Log.Error("exchange: movements", "err", err)
		return refusedFault
	}
	if q.After > a.Last {
		x.deps.Log.Error("exchange: the other side has heard of movements that this side never saw", "heard", q.After, "last", a.Last)
		return refusedAhead
	}
	return ""
}

// giveClaims answers with claims of the days that are asked for and with changes of
// claims, all as they stand at one moment.
func (x *Exchange) giveClaims(ctx context.Context, q ask, a *answer) string {
	if len(q.Rosters) > maxRosters {
		return refusedForm
	}
	err := x.deps.Reader.View(ctx, func(st service.State) error {
		acks, _ := st.Booking.Acks.Get(0)
		if a.List = acks.List; q.List != a.List {
			q.After = 0
		}
		a.Changes, a.Last = st.Booking.ChangesAfter(q.After, booking.MaxClaims)
		a.More = q.After+uint64(len(a.Changes)) < a.Last
		left := booking.MaxClaims
		for _, d := range q.Rosters {
			if q.List != a.List {
				d.Pos = 0
			}
			r := st.Booking.ClaimsAfter(d.Site, d.Day, d.Pos, left)
			n, _ := st.Booking.Rosters.Get(booking.RosterKey{Site: d.Site, Day: d.Day})
			a.More = a.More || r.Upto < n
			left -= len(r.Claims)
			if r.Upto > d.Pos {
				a.Rosters = append(a.Rosters, r)
			}
		}
		return nil
	})
	if err != nil {
		x.deps.Log.Error("exchange: claims", "err", err)
		return refusedFault
	}
	if q.After > a.Last {
		x.deps.Log.Error("exchange: the other side has heard of changes of claims that this side never made", "heard", q.After, "last", a.Last)
		return refusedAhead
	}
	return ""
}

// giveLevels answers with what this side has brought in at each site.
func (x *Exchange) giveLevels(ctx context.Context, _ ask, a *answer) string {
	err := x.deps.Reader.View(ctx, func(st service.State) error {
		a.Levels = service.LevelsFor(st, x.deps.Law(), x.deps.Side, x.deps.Clock())
		return nil
	})
	if err != nil {
		x.deps.Log.Error("exchange: levels", "err", err)
		return refusedFault
	}
	return ""
}

// actor is who acts where no person does.
const actor = "exchange"

func (x *Exchange) giveFigures(ctx context.Context, q ask, a *answer) string {
	if len(q.Days) > maxDays {
		return refusedForm
	}
	// As of the answer's own time: a figure of later than that is not believed.
	now, law := fromMicro(a.At), x.deps.Law()
	sites := law.Sites(now)
	if len(sites) == 0 {
		return "" // no edition, no sites, no figures
	}
	size := 0
	err := x.deps.Reader.View(ctx, func(st service.State) error {
		for _, d := range q.Days {
			if !slices.ContainsFunc(sites, func(s agreement.Site) bool { return s.Number == d.Site }) {
				continue
			}
			f := newFigure(d.Site, d.Day, service.FiguresFor(st, law, x.deps.Side, d.Site, d.Day, now))
			if size += f.size(); size > maxPayload {
				a.More = true
				break
			}
			a.Figures = append(a.Figures, f)
		}
		return nil
	})
	if err != nil {
		x.deps.Log.Error("exchange: figures", "err", err)
		return refusedFault
	}
	return ""
}
