// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package service

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"sync"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/appeal"
	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/closure"
	"darwaza.dev/internal/erasure"
	"darwaza.dev/internal/fact"
	"darwaza.dev/internal/gate"
	"darwaza.dev/internal/intake"
	"darwaza.dev/internal/market"
	"darwaza.dev/internal/pass"
	"darwaza.dev/internal/people"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/protocol"
	"darwaza.dev/internal/screening"
	"darwaza.dev/internal/stats"
	"darwaza.dev/internal/table"
)

// NewState returns an empty state on maps.
func NewState() State {
	return State{
		Booking: booking.State{
			Slots:       table.Map[booking.SlotID, booking.Slot]{},
			Bookings:    table.Map[booking.Ref, booking.Booking]{},
			Claims:      table.Map[booking.ClaimKey, booking.Ref]{},
			Standby:     table.Map[booking.StandbyKey, booking.Ref]{},
			Holders:     table.Map[pass.ID, booking.Holder]{},
			Withdrawals: table.Map[uint64, booking.Withdrawal]{},
			Acks:        table.Map[uint16, booking.Acks]{},
			Roster:      table.Map[booking.RosterKey, booking.Ref]{},
			Rosters:     table.Map[booking.RosterKey, uint32]{},
			Changes:     table.Map[uint64, booking.ClaimChange]{},
			TheirClaims: table.Map[booking.ClaimKey, booking.TheirClaim]{},
			Cursors:     table.Map[booking.RosterKey, booking.ClaimCursor]{},
			Refusals:    table.Map[booking.Ref, booking.Refusal]{},
			Transfers:   table.Map[booking.SlotID, booking.Transfer]{},
			Moving:      table.Map[uint16, booking.Moving]{},
		},
		Gate: gate.State{
			Presences: table.Map[pass.ID, gate.Presence]{},
			Days:      table.Map[gate.SiteDayKey, gate.SiteDay]{},
			Roster:    table.Map[gate.RosterKey, pass.ID]{},
			Strays:    table.Map[gate.RosterKey, gate.Scan]{},
			Serials:   table.Map[string, uint64]{},
			Withdrawn: table.Map[pass.ID, gate.Withdrawn]{},
			Heard:     table.Map[string, gate.Heard]{},
			Moves:     table.Map[uint64, gate.Move]{},
			Elsewhere: table.Map[pass.ID, gate.Elsewhere]{},
			Guests:    table.Map[booking.ClaimKey, pass.ID]{},
		},
		Market: market.State{
			Values:   table.Map[market.ValueKey, market.Value]{},
			Ledgers:  table.Map[market.LedgerKey, market.Ledger]{},
			Receipts: table.Map[string, market.LedgerKey]{},
			Vendors:  table.Map[[16]byte, market.Vendor]{},
			Listed:   table.Map[uint32, [16]byte]{},
			Counts:   table.Map[string, uint32]{},
			Turned:   table.Map[string, market.TurnedLot]{},
		},
		People: people.State{
			Officers: table.Map[people.OfficerID, people.Officer]{},
			Numbers:  table.Map[uint32, people.OfficerID]{},
			Counts:   table.Map[string, uint32]{},
		},
		Stats: stats.State{
			Days:  table.Map[stats.Key, stats.Day]{},
			Other: table.Map[stats.Key, stats.Other]{},
		},
		Erasure: erasure.State{
			Receipts: table.Map[erasure.Key, string]{},
			Counts:   table.Map[erasure.Key, uint32]{},
			Next:     table.Map[uint16, uint16]{},
			Requests: table.Map[uint32, string]{},
			Marks:    table.Map[string, uint32]{},
			Texts:    table.Map[erasure.Key, string]{},
			Said:     table.Map[erasure.Key, uint32]{},
		},
		Appeal: appeal.State{
			Cases:    table.Map[appeal.ID, appeal.Case]{},
			Subjects: table.Map[appeal.Subject, appeal.Numbered]{},
			Roster:   table.Map[appeal.RosterKey, appeal.ID]{},
			Sites:    table.Map[uint16, appeal.SiteCases]{},
			Days:     table.Map[appeal.DayKey, appeal.DayCases]{},
		},
		Levels: protocol.State{Standings: table.Map[protocol.Key, protocol.Standing]{}},
		Screening: screening.State{
			Cases:     table.Map[screening.ID, screening.Case]{},
			Roster:    table.Map[screening.RosterKey, screening.ID]{},
			Sites:     table.Map[uint16, screening.SiteCases]{},
			Passes:    table.Map[pass.ID, screening.ID]{},
			Registers: table.Map[[16]byte, screening.ID]{},
		},
		Intake:   intake.State{Standings: table.Map[intake.Key, intake.Standing]{}},
		Closures: closure.State{Standings: table.Map[closure.Key, closure.Standing]{}},
		Sealed:   table.Map[string, []byte]{},
	}
}

// Mem runs commands on maps, for tests and simulation: a Writer and a Reader that
// forget everything at the end of the process.
type Mem struct {
	side  agreement.Side
	law   func() *Law
	clock func() time.Time
	codec *fact.Codec

	mu    sync.RWMutex
	tx    Tx
	plain State // the maps below tx.State
	undo  *[]func()
	facts []Happened
	kept  map[Idem]kept
}

// Happened is a fact with its time.
type Happened struct {
	At   time.Time
	Fact fact.Fact
}

type kept struct {
	digest [32]byte
	done   Done
}

// Memory returns an empty Mem for one side.
func Memory(side agreement.Side, law func() *Law, clock func() time.Time) *Mem {
	m := &Mem{side: side, law: law, clock: clock, codec: NewCodec(), plain: NewState(), undo: new([]func()), kept: map[Idem]kept{}}
	m.tx = Tx{State: journaled(m.plain, m.undo), Side: side}
	return m
}

// Do runs a command as the sequencer does: a command that returns a problem has
// changed nothing, and an act that was done before is answered again.
func (m *Mem) Do(ctx context.Context, id Idem, c Command) (Done, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var digest [32]byte
	if id.Key != "" {
		var err error
		if digest, err = Digest(m.codec, hmac.New(sha256.New, nil), c); err != nil {
			return Done{}, err
		}
		if k, ok := m.kept[id]; ok {
			if k.digest != digest {
				return Done{}, problem.New(problem.Conflict, "idempotency.reused")
			}
			d := k.done
			d.Again = true
			return d, nil
		}
	}
	m.tx.Law = m.law()
	m.tx.Reset(m.clock())
	*m.undo = (*m.undo)[:0]
	answer, err := c.Run(&m.tx)
	var b []byte
	if err == nil {
		b, err = m.codec.Marshal(answer)
	}
	if err != nil {
		for i := len(*m.undo) - 1; i >= 0; i-- {
			(*m.undo)[i]()
		}
		return Done{}, err
	}
	d := Done{Answer: b, First: uint64(len(m.facts)), Count: uint64(len(m.tx.Facts()))}
	for _, f := range m.tx.Facts() {
		m.facts = append(m.facts, Happened{m.tx.Now, f})
	}
	if id.Key != "" {
		m.kept[id] = kept{digest, d}
	}
	return d, nil
}

// View calls f with the state, which f must only read.
func (m *Mem) View(ctx context.Context, f func(State) error) error {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return f(m.plain)
}

// Facts returns what has happened so far, in order.
func (m *Mem) Facts() []Happened {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.facts[:len(m.facts):len(m.facts)]
}

// Rebuild returns the state that facts make of an empty one: the same as the live
// state but for sealed data, which is in no fact.
func Rebuild(facts []Happened) State {
	st := NewState()
	for _, h := range facts {
		Apply(st, h.At, h.Fact)
	}
	return st
}

// journal is a table that notes how to take back what is done to it.
type journal[K comparable, V any] struct {
	table.Table[K, V]
	undo *[]func()
}

func (j journal[K, V]) note(k K) {
	old, had := j.Table.Get(k)
	*j.undo = append(*j.undo, func() {
		if had {
			j.Table.Put(k, old)
		} else {
			j.Table.Delete(k)
		}
	})
}

func (j journal[K, V]) Put(k K, v V) { j.note(k); j.Table.Put(k, v) }

func (j journal[K, V]) Delete(k K) { j.note(k); j.Table.Delete(k) }

func noted[K comparable, V any](t *table.Table[K, V], undo *[]func()) {
	*t = journal[K, V]{*t, undo}
}

func journaled(st State, undo *[]func()) State {
	b, g, m, p, s := &st.Booking, &st.Gate, &st.Market, &st.People, &st.Stats
	noted(&b.Slots, undo)
	noted(&b.Bookings, undo)
	noted(&b.Claims, undo)
	noted(&b.Standby, undo)
	noted(&b.Holders, undo)
	noted(&b.Withdrawals, undo)
	noted(&b.Acks, undo)
	noted(&b.Roster, undo)
	noted(&b.Rosters, undo)
	noted(&b.Changes, undo)
	noted(&b.TheirClaims, undo)
	noted(&b.Cursors, undo)
	noted(&b.Refusals, undo)
	noted(&b.Transfers, undo)
	noted(&b.Moving, undo)
	noted(&g.Presences, undo)
	noted(&g.Days, undo)
	noted(&g.Roster, undo)
	noted(&g.Strays, undo)
	noted(&g.Serials, undo)
	noted(&g.Withdrawn, undo)
	noted(&g.Heard, undo)
	noted(&g.Moves, undo)
	noted(&g.Elsewhere, undo)
	noted(&g.Guests, undo)
	noted(&m.Values, undo)
	noted(&m.Ledgers, undo)
	noted(&m.Receipts, undo)
	noted(&m.Vendors, undo)
	noted(&m.Listed, undo)
	noted(&m.Counts, undo)
	noted(&m.Turned, undo)
	noted(&p.Officers, undo)
	noted(&p.Numbers, undo)
	noted(&p.Counts, undo)
	noted(&s.Days, undo)
	noted(&s.Other, undo)
	e := &st.Erasure
	noted(&e.Receipts, undo)
	noted(&e.Counts, undo)
	noted(&e.Next, undo)
	noted(&e.Requests, undo)
	noted(&e.Marks, undo)
	noted(&e.Texts, undo)
	noted(&e.Said, undo)
	c := &st.Appeal
	noted(&c.Cases, undo)
	noted(&c.Subjects, undo)
	noted(&c.Roster, undo)
	noted(&c.Sites, undo)
	noted(&c.Days, undo)
	noted(&st.Levels.Standings, undo)
	h := &st.Screening
	noted(&h.Cases, undo)
	noted(&h.Roster, undo)
	noted(&h.Sites, undo)
	noted(&h.Passes, undo)
	noted(&h.Registers, undo)
	noted(&st.Intake.Standings, undo)
	noted(&st.Closures.Standings, undo)
	noted(&st.Sealed, undo)
	return st
}
