// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package exchange

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/gate"
	"darwaza.dev/internal/pass"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/protocol"
	"darwaza.dev/internal/rules"
	"darwaza.dev/internal/service"
	"darwaza.dev/internal/stats"
)

// codeOlder says that the other side's server is one version older and does not know a
// topic yet: it goes without, and the line is none the worse for it.
const codeOlder = "exchange.older"

// later reports whether a server of version 1 does not know a topic.
func later(topic string) bool {
	return topic == topicMovements || topic == topicClaims || topic == topicLevels || topic == topicPlaces || topic == topicClosures || topic == topicRecord || topic == topicHead
}

// why is the word for an error in Status: the code of a problem, else its text.
func why(err error) string {
	var p *problem.Error
	if errors.As(err, &p) {
		return p.Code
	}
	return err.Error()
}

// Pull asks the other side for everything once. It returns the first problem; the
// topics that come after it are asked all the same.
func (x *Exchange) Pull(ctx context.Context) error {
	x.pulling.Lock()
	defer x.pulling.Unlock()
	if x.peer == nil {
		return problem.New(problem.Offline, "exchange.peer")
	}
	x.mu.Lock()
	x.status.Asked = x.deps.Clock()
	x.mu.Unlock()
	var first error
	for i, f := range [...]func(context.Context) error{x.pullCertificates, x.pullWithdrawals, x.pullFigures, x.pullMovements, x.pullClaims, x.pullLevels, x.pullPlaces, x.pullClosures, x.pullRecord} {
		err := f(ctx)
		older := problem.CodeOf(err) == codeOlder
		if older {
			err = nil
		}
		if err != nil && first == nil {
			first = err
		}
		x.mu.Lock()
		t := &x.status.Topics[i]
		before := t.Fault
		switch t.Fault = ""; {
		case err != nil:
			t.Fault = why(err)
		case older:
			t.Fault = codeOlder
		default:
			t.Heard = x.deps.Clock()
		}
		name, after := t.Name, t.Fault
		x.mu.Unlock()
		if before != after {
			x.deps.Log.Info("exchange: the line changed", "topic", name, "fault", after)
		}
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.status.Up = first == nil; x.status.Up {
		x.status.Heard = x.deps.Clock()
	}
	return first
}

// ask sends one ask and returns the authentic answer to it.
func (x *Exchange) ask(ctx context.Context, topic string, q ask) (answer, error) {
	if x.cut.Load() {
		return answer{}, problem.New(problem.Offline, "exchange.cut")
	}
	path := Prefix + topic
	sent := x.deps.Clock()
	q.Version, q.At = Version, micro(sent)
	if _, err := io.ReadFull(x.deps.Rand, q.Nonce[:]); err != nil {
		return answer{}, problem.Wrap(problem.Internal, "exchange.rand", err)
	}
	body, msg, err := x.seal(q, externalAsk(path, x.deps.Agreement, x.side))
	if err != nil {
		return answer{}, problem.Wrap(problem.Internal, "exchange.sign", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, x.peer.String()+path, bytes.NewReader(body))
	if err != nil {
		return answer{}, problem.Wrap(problem.Internal, "exchange.address", err)
	}
	req.Header.Set("Content-Type", "application/cbor")
	resp, err := x.client.Do(req)
	if err != nil {
		return answer{}, problem.Wrap(problem.Offline, "exchange.offline", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		if resp.StatusCode == http.StatusForbidden {
			return answer{}, problem.New(problem.Forbidden, "exchange.forbidden")
		}
		if resp.StatusCode == http.StatusNotFound && later(topic) {
			return answer{}, problem.New(problem.NotFound, codeOlder)
		}
		return answer{}, problem.Newf(problem.Offline, "exchange.offline", "status %d", resp.StatusCode)
	}
	got, err := io.ReadAll(io.LimitReader(resp.Body, MaxBody+1))
	if err != nil {
		return answer{}, problem.Wrap(problem.Offline, "exchange.offline", err)
	}
	if len(got) > MaxBody {
		x.refuse(topic, false, "size")
		return answer{}, problem.New(problem.Untrusted, "exchange.size")
	}
	var a answer
	_, err = x.open(got, func([]byte) []byte { return externalAnswer(path, x.deps.Agreement, x.side.Other(), msg) }, &a)
	if err != nil {
		x.refuse(topic, false, why(err))
		return answer{}, problem.Wrap(problem.Untrusted, "exchange.untrusted", err)
	}
	// Half way between asking and having the answer is the best guess at when it was written.
	took := x.deps.Clock().Sub(sent)
	x.mu.Lock()
	x.status.Skew, x.status.SkewKnown = fromMicro(a.At).Sub(sent.Add(took/2)).Round(time.Millisecond), true
	x.mu.Unlock()
	if a.Version < 1 || a.Version > Version+1 {
		x.refuse(topic, false, refusedVersion)
		return answer{}, problem.New(problem.Untrusted, "exchange.version")
	}
	if a.Refused != "" {
		return answer{}, problem.New(problem.Conflict, "exchange.refused."+refusedWord(a.Refused))
	}
	return a, nil
}

// refusedWord returns a word of ours, so that a peer writes nothing of its own into our log.
func refusedWord(w string) string {
	switch w {
	case refusedClock, refusedReplay, refusedVersion, refusedForm, refusedAhead, refusedFault:
		return w
	}
	return "other"
}

func (x *Exchange) pullCertificates(ctx context.Context) error {
	a, err := x.ask(ctx, topicCertificates, ask{})
	if err != nil {
		return err
	}
	other, trust := x.side.Other(), x.deps.Trust()
	var fresh [][]byte
	for _, c := range a.Certificates {
		if trust.Holds(c) {
			continue
		}
		parsed, err := pass.ParseCertificate(c)
		if err != nil || parsed.Side != other {
			x.refuse(topicCertificates, false, "certificate")
			continue
		}
		if trust, err = trust.With(c); err != nil {
			x.refuse(topicCertificates, false, why(err))
			continue
		}
		if trust.Holds(c) { // else a longer one or a revocation is known already
			fresh = append(fresh, c)
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	return problem.Wrap(problem.Internal, "exchange.learn", x.deps.Learn(fresh))
}

// pullWithdrawals reads the other side's list to its end. What was committed is asked
// for again as read: that is the acknowledgement.
func (x *Exchange) pullWithdrawals(ctx context.Context) error {
	side := x.side.Other().String()
	for range maxPages {
		var heard gate.Heard
		err := x.deps.Reader.View(ctx, func(st service.State) error {
			heard = service.HeardOf(st, x.deps.Side)
			return nil
		})
		if err != nil {
			return err
		}
		q := ask{List: heard.List}
		q.After, q.Used = acknowledged(heard)
		a, err := x.ask(ctx, topicWithdrawals, q)
		if err != nil {
			return err
		}
		c := service.Withdrawn{Side: side, Upto: q.After, List: a.List, Acked: a.Acked}
		if a.List != heard.List {
			// The other side has begun another list, and answers from its beginning.
			c.Upto, heard.At = 0, time.Time{}
		}
		for _, w := range a.Withdrawals {
			if c.Upto++; w.Serial != c.Upto || w.Serial > a.Last {
				x.refuse(topicWithdrawals, false, "gap") // a pass that we would never hear of
				return problem.New(problem.Untrusted, "exchange.gap")
			}
			c.Entries = append(c.Entries, w.pass())
		}
		if a.Last < c.Upto || len(c.Entries) == 0 && a.Last > c.Upto {
			x.refuse(topicWithdrawals, false, "list")
			return problem.New(problem.Untrusted, "exchange.list")
		}
		x.mu.Lock()
		x.status.Lag = a.Last - c.Upto
		x.mu.Unlock()
		idle := len(c.Entries) == 0
		// An unchanged list is worth a fact only so that its age is known.
		if idle && x.deps.Clock().Sub(heard.At) < x.deps.Refresh {
			return nil
		}
		if _, err := x.deps.Writer.Do(ctx, service.Idem{Actor: actor}, c); err != nil {
			return err
		}
		if idle {
			return nil
		}
	}
	return nil // the next round goes on
}

// acknowledged is what an ask says of what was heard: a serial, and which passes up to it
// had been used. Where these are more than an ask holds, it says less, and the next round
// says the rest: to acknowledge a used pass unnamed is to sell its place.
func acknowledged(h gate.Heard) (after uint64, used []booking.UsedPass) {
	list := slices.SortedFunc(slices.Values(h.Used), func(a, b gate.UsedPass) int { return cmp.Compare(a.Serial, b.Serial) })
	after = h.Serial
	if len(list) > booking.MaxUsed {
		after = min(after, list[booking.MaxUsed].Serial-1)
		list = list[:booking.MaxUsed]
	}
	for _, u := range list {
		used = append(used, booking.UsedPass{Serial: u.Serial, Pass: u.Pass})
	}
	return after, used
}

// pullMovements reads the other side's list of movements to its end.
func (x *Exchange) pullMovements(ctx context.Context) error {
	other := x.deps.Side.Other()
	for range maxPages {
		var heard gate.Heard
		err := x.deps.Reader.View(ctx, func(st service.State) error {
			heard = st.Gate.MovesRead(other)
			return nil
		})
		if err != nil {
			return err
		}
		a, err := x.ask(ctx, topicMovements, ask{After: heard.Serial, List: heard.List})
		if err != nil {
			return err
		}
		c := service.Movements{Heard: gate.MovesHeard{Side: string(other), List: a.List, Upto: heard.Serial}}
		if a.List != heard.List {
			c.Heard.Upto = 0
		}
		for _, m := range a.Movements {
			if c.Heard.Upto++; m.Serial != c.Heard.Upto || m.Serial > a.Last {
				x.refuse(topicMovements, false, "gap")
				return problem.New(problem.Untrusted, "exchange.gap")
			}
			if m.At > a.At+Window.Microseconds() {
				x.refuse(topicMovements, false, "movements") // what is yet to come
				return problem.New(problem.Untrusted, "exchange.list")
			}
			c.Heard.Moves = append(c.Heard.Moves, m.move())
		}
		if a.Last < c.Heard.Upto || len(a.Movements) > gate.MaxMoves || len(a.Movements) == 0 && a.Last > c.Heard.Upto {
			x.refuse(topicMovements, false, "list")
			return problem.New(problem.Untrusted, "exchange.list")
		}
		if len(a.Movements) == 0 && a.List == heard.List {
			return nil
		}
		if _, err := x.deps.Writer.Do(ctx, service.Idem{Actor: actor}, c); err != nil {
			return err
		}
		if a.Last == c.Heard.Upto {
			return nil
		}
	}
	return nil // the next round goes on
}

// pullClaims reads the other side's claims and their changes to their end.
func (x *Exchange) pullClaims(ctx context.Context) error {
	days := service.ClaimDays(x.deps.Law(), x.deps.Clock())
	days = days[:min(len(days), maxRosters)]
	for range maxPages {
		q, whole := ask{Rosters: make([]rosterAsk, len(days))}, uint64(0)
		err := x.deps.Reader.View(ctx, func(st service.State) error {
			for i, d := range days {
				q.Rosters[i] = rosterAsk{Site: d.Site, Day: d.Day}
				_, q.Rosters[i].Pos, _ = st.Booking.ClaimsRead(d.Site, d.Day)
			}
			q.List, _, q.After = st.Booking.ClaimsRead(0, 0)
			acks, _ := st.Booking.Acks.Get(0)
			whole = acks.ClaimsWhole
			return nil
		})
		if err != nil {
			return err
		}
		a, err := x.ask(ctx, topicClaims, q)
		if err != nil {
			return err
		}
		h := booking.ClaimsHeard{List: a.List, Upto: q.After + uint64(len(a.Changes)), Days: a.Rosters, Changes: a.Changes, Whole: !a.More}
		if a.List != q.List {
			h.Upto = uint64(len(a.Changes))
		}
		for _, d := range h.Days {
			if !slices.ContainsFunc(days, func(k booking.RosterKey) bool { return k.Site == d.Site && k.Day == d.Day }) {
				x.refuse(topicClaims, false, "claims")
				return problem.New(problem.Untrusted, "exchange.claims")
			}
		}
		if h.Upto > a.Last || a.More && len(a.Changes) == 0 && len(a.Rosters) == 0 {
			x.refuse(topicClaims, false, "list")
			return problem.New(problem.Untrusted, "exchange.list")
		}
		if len(a.Changes) == 0 && len(a.Rosters) == 0 && a.List == q.List && a.List == whole {
			return nil
		}
		if _, err := x.deps.Writer.Do(ctx, service.Idem{Actor: actor}, service.Claims{Heard: h}); err != nil {
			return err
		}
		if !a.More {
			return nil
		}
	}
	return nil // the next round goes on
}

// pullLevels hears which levels of protection the other side has brought in.
func (x *Exchange) pullLevels(ctx context.Context) error {
	a, err := x.ask(ctx, topicLevels, ask{})
	if err != nil {
		return err
	}
	law, now := x.deps.Law(), x.deps.Clock()
	sites := law.Sites(now)
	var news []service.SiteLevels
	err = x.deps.Reader.View(ctx, func(st service.State) error {
		d := protocol.Desk{State: st.Levels, Law: law, Side: x.deps.Side, Now: now}
		for _, s := range a.Levels {
			if !slices.ContainsFunc(sites, func(k agreement.Site) bool { return k.Number == s.Site }) {
				continue // of an edition that is not in force here yet
			}
			facts, err := d.DecideHeard(s.Site, s.Changes)
			if err != nil {
				x.refuse(topicLevels, false, "levels")
				return problem.New(problem.Untrusted, "exchange.levels")
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
	_, err = x.deps.Writer.Do(ctx, service.Idem{Actor: actor}, service.HearLevels{Sites: news})
	return err
}

func (x *Exchange) pullFigures(ctx context.Context) error {
	now, law := x.deps.Clock(), x.deps.Law()
	days, err := x.pastDays(ctx, law, now)
	if err != nil {
		return err
	}
	for ahead := range uint16(daysAhead) {
		for _, s := range law.Sites(now) {
			if today, _, ok := service.DayAt(law, s.Number, now); ok {
				days = append(days, siteDay{Site: s.Number, Day: today + ahead})
			}
		}
	}
	for len(days) > 0 {
		page := days[:min(len(days), maxDays)]
		a, err := x.ask(ctx, topicFigures, ask{Days: page})
		if err != nil {
			return err
		}
		if len(a.Figures) > len(page) {
			x.refuse(topicFigures, false, "figures")
			return problem.New(problem.Untrusted, "exchange.figures")
		}
		if err := x.keepFigures(ctx, page, a); err != nil {
			return err
		}
		if days = days[len(page):]; a.More {
			// What did not fit is asked for again, as long as something did.
			for _, d := range page {
				if len(a.Figures) > 0 && !slices.ContainsFunc(a.Figures, func(f figure) bool { return f.Site == d.Site && f.Day == d.Day }) {
					days = append(days, d)
				}
			}
		}
	}
	return nil
}

// pastDays returns the days of the last week, on which something happened at this side,
// whose figures the other side has not given since they ended: the line was down. An hour
// is left for a day to be settled.
func (x *Exchange) pastDays(ctx context.Context, law *service.Law, now time.Time) (days []siteDay, err error) {
	err = x.deps.Reader.View(ctx, func(st service.State) error {
		for _, s := range law.Sites(now) {
			today, _, ok := service.DayAt(law, s.Number, now)
			for day := today - daysBehind; ok && day < today; day++ {
				had, known := st.Stats.Other.Get(stats.Key{Site: s.Number, Day: day})
				seen, _ := st.Gate.Days.Get(gate.SiteDayKey{Site: s.Number, Day: day})
				sold, _ := st.Booking.Rosters.Get(booking.RosterKey{Site: s.Number, Day: day})
				ended := rules.DayDate(day + 1).Start(law.Zone(s.ID)).Add(time.Hour)
				if (known || seen.Roster > 0 || sold > 0) && had.AsOf.Before(ended) {
					days = append(days, siteDay{Site: s.Number, Day: day})
				}
			}
		}
		return nil
	})
	return days, err
}

// keepFigures records figures that are new, or whose age is.
func (x *Exchange) keepFigures(ctx context.Context, asked []siteDay, a answer) error {
	for _, f := range a.Figures {
		wanted := slices.ContainsFunc(asked, func(d siteDay) bool { return d.Site == f.Site && d.Day == f.Day })
		v, ok := f.other()
		if !ok || !wanted || f.AsOf > a.At {
			x.refuse(topicFigures, false, "figures")
			return problem.New(problem.Untrusted, "exchange.figures")
		}
		var had stats.Other
		var known bool
		err := x.deps.Reader.View(ctx, func(st service.State) error {
			had, known = st.Stats.Other.Get(stats.Key{Site: f.Site, Day: f.Day})
			return nil
		})
		if err != nil {
			return err
		}
		// Boards show how old today's figures are; of a day to come it matters less.
		due, now := x.deps.Refresh, x.deps.Clock()
		if today, _, ok := service.DayAt(x.deps.Law(), f.Site, now); ok && f.Day > today {
			due *= 10
		}
		if known && sameFigures(had, v) && !had.WholeDue(v) && now.Sub(had.HeardAt) < due {
			continue
		}
		if _, err := x.deps.Writer.Do(ctx, service.Idem{Actor: actor}, service.OtherFigures{Site: f.Site, Day: f.Day, Figures: v}); err != nil {
			return err
		}
	}
	return nil
}

func sameFigures(a, b stats.Other) bool {
	return a.Inside == b.Inside && a.Peak == b.Peak && a.Entries == b.Entries && a.Exits == b.Exits && maps.Equal(a.Free, b.Free)
}
