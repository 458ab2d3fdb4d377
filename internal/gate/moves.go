// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"slices"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/fact"
	"darwaza.dev/internal/pass"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/reason"
)

// MoveKind is what happened at a gate, as the other side is told of it.
type MoveKind uint8

// The kinds of movements.
const (
	CameIn    MoveKind = iota + 1 // entered
	CameAgain                     // entered, and an officer took the entry at the other side's gate as ended
	WentOut                       // left, having entered here
	WentOver                      // left, and was not seen to enter here: it ends an entry at the other side's gate
	LeftOpen                      // was never scanned out, and is counted as having left
	InUndone                      // an entry was a mistake
	OutUndone                     // an exit was a mistake
)

// Move is one movement at this side's gates, in the numbered list that the other side
// reads: of passes that it sold, and of others that have been at its gates.
type Move struct {
	Serial uint64    `cbor:"1,keyasint"`
	Pass   pass.ID   `cbor:"2,keyasint"`
	Kind   MoveKind  `cbor:"3,keyasint"`
	At     time.Time `cbor:"4,keyasint"`
	Inside bool      `cbor:"5,keyasint,omitempty"` // entered by this side's gates, and has not left since
	Used   bool      `cbor:"6,keyasint,omitempty"` // has entered by this side's gates
}

// Elsewhere is what the other side's gates have seen of a pass, as far as it was heard.
type Elsewhere struct {
	Inside bool      `cbor:"1,keyasint,omitempty"` // entered there, and not known to have left by either side's gates
	Used   bool      `cbor:"2,keyasint,omitempty"` // has entered there
	At     time.Time `cbor:"3,keyasint,omitempty"` // of the last movement heard, by the other side's clock
	List   uint64    `cbor:"4,keyasint,omitempty"` // the list that it was heard in
}

// MovesHeard says what this side has read of the other side's list of movements.
type MovesHeard struct {
	Side  string `cbor:"1,keyasint"`
	List  uint64 `cbor:"2,keyasint,omitempty"`
	Upto  uint64 `cbor:"3,keyasint"`
	Moves []Move `cbor:"4,keyasint,omitempty"`
}

// FactKind names the fact.
func (MovesHeard) FactKind() string { return "gate.moves_heard" }

// moveKey is where the last serial of this side's own list is kept.
const moveKey = "move"

// movesOf is where it is kept how far a side's list of movements was read.
func movesOf(side string) string { return "moves/" + side }

// MovesRead says how far the other side's list of movements was read.
func (st State) MovesRead(other agreement.Side) Heard {
	h, _ := st.Heard.Get(movesOf(string(other)))
	return h
}

// MovesAfter returns this side's movements with serials above after, at most limit, and
// the newest serial that there is.
func (st State) MovesAfter(after uint64, limit int) (list []Move, last uint64) {
	last, _ = st.Serials.Get(moveKey)
	for n := after + 1; n > after && n <= last && len(list) < limit; n++ {
		if m, ok := st.Moves.Get(n); ok {
			list = append(list, m)
		}
	}
	return list, last
}

// MaxMoves is the greatest number of movements in a page of the list.
const MaxMoves = 1000

// DecideMoves takes note of a page of the other side's list of movements: of the list
// that was last read from, or of another one from its beginning.
func (d Desk) DecideMoves(f MovesHeard) ([]fact.Fact, error) {
	if f.Side != string(d.Side.Other()) {
		return nil, problem.Field("side", "gate.list.side")
	}
	if len(f.Moves) > MaxMoves {
		return nil, problem.New(problem.Limit, "gate.list.size")
	}
	for i, m := range f.Moves {
		if m.Serial == 0 || m.Serial != f.Upto-uint64(len(f.Moves)-1-i) {
			return nil, problem.Field("moves", "gate.list.order")
		}
	}
	h := d.MovesRead(d.Side.Other())
	from := f.Upto - uint64(len(f.Moves))
	switch {
	case f.List != h.List && from != 0, f.List == h.List && from > h.Serial:
		return nil, problem.New(problem.Conflict, "gate.list.other")
	case f.List == h.List && f.Upto <= h.Serial:
		return nil, nil // heard already
	}
	f.Moves = slices.DeleteFunc(slices.Clone(f.Moves), func(m Move) bool { return f.List == h.List && m.Serial <= h.Serial })
	return []fact.Fact{&f}, nil
}

// DecideUsed says what a movement at the other side's gate, once it is noted, means for the
// booking that its pass belongs to: used, or used by nobody after all.
func (d Desk) DecideUsed(m Move) []fact.Fact {
	h, ok := d.Booking.Holders.Get(m.Pass)
	if !ok {
		return nil
	}
	if e, _ := d.Elsewhere.Get(m.Pass); e.Used {
		return d.Booking.DecideEntered(h.Ref)
	}
	b, _ := d.Booking.Bookings.Get(h.Ref)
	if m.Kind != InUndone || b.Status != booking.Used {
		return nil
	}
	if d.enteredOtherwise(h.Ref, pass.ID{}, 0) {
		return d.Booking.DecideUndoneOne(h.Ref, m.Pass)
	}
	facts := d.Booking.DecideUndone(h.Ref)
	site, day := b.Slot.Site(), b.Slot.Day()
	if d.day(site, day).Closed && !b.GivenBack { // and nothing settles the day again
		facts = append(facts, &booking.Missed{Site: site, Day: day, Refs: []booking.Ref{h.Ref}, Places: b.Places()})
	}
	return facts
}

// tell writes a movement into the list for the other side, where it concerns it, and
// takes note that an entry there is over.
func (st State) tell(p *Presence, kind MoveKind, at time.Time) {
	e, known := st.Elsewhere.Get(p.Pass)
	if !p.Theirs && !known && kind != WentOver {
		return
	}
	if e.Inside && (kind == CameIn || kind == WentOver) {
		if kind == CameIn {
			kind = CameAgain // an officer has seen that it is inside already
		}
		e.Inside = false
		st.Elsewhere.Put(p.Pass, e)
	}
	n, _ := st.Serials.Get(moveKey)
	n++
	st.Serials.Put(moveKey, n)
	st.Moves.Put(n, Move{Serial: n, Pass: p.Pass, Kind: kind, At: at, Inside: p.Inside, Used: p.Visits > 0})
}

// guest is the key of a person who came with a pass of the other side.
func (p *Presence) guest() booking.ClaimKey {
	return booking.ClaimKey{Tag: p.Tag, Site: p.Site, Day: p.Day}
}

// undoneTold tells of a scan that was a mistake.
func (st State) undoneTold(p *Presence, s *Scan, at time.Time) {
	if s.Direction == Out {
		st.tell(p, OutUndone, at)
		return
	}
	if id, ok := st.Guests.Get(p.guest()); ok && id == p.Pass && p.Visits == 0 {
		st.Guests.Delete(p.guest())
	}
	st.unused(p)
	st.tell(p, InUndone, at)
}

// PersonTwice says that a person who entered here has entered with a booking of the other
// side too, which neither side's gate could know.
type PersonTwice struct {
	Site uint16  `cbor:"1,keyasint"`
	Day  uint16  `cbor:"2,keyasint"`
	Pass pass.ID `cbor:"3,keyasint"` // of the booking here
}

// FactKind names the fact.
func (PersonTwice) FactKind() string { return "gate.person_twice" }

func (st State) personTwice(f *PersonTwice) {
	d := st.day(f.Site, f.Day)
	d.Doubles++
	st.putDay(d)
	if p, ok := st.Presences.Get(f.Pass); ok {
		p.Twice = true
		st.Presences.Put(f.Pass, p)
	}
}

// DecidePersonTwice says of a claim of the other side that was used whether its person has
// used a booking of this side as well.
func (d Desk) DecidePersonTwice(k booking.ClaimKey) []fact.Fact {
	ref, own := d.Booking.Claims.Get(k)
	b, _ := d.Booking.Bookings.Get(ref)
	if !own || b.Status != booking.Used {
		return nil
	}
	for _, m := range b.Members {
		if m.Tag == k.Tag {
			return []fact.Fact{&PersonTwice{Site: k.Site, Day: k.Day, Pass: m.Pass}}
		}
	}
	return nil
}

// counted tells of a scan that moved people.
func (st State) counted(p *Presence, s *Scan, at time.Time) {
	kind := CameIn
	switch {
	case s.Direction == In:
		p.Over = time.Time{}
		if p.Theirs && p.Tag != ([16]byte{}) {
			st.Guests.Put(p.guest(), p.Pass)
		}
	case s.Unmatched:
		kind = WentOver
	default:
		kind = WentOut
	}
	st.tell(p, kind, at)
}

func (st State) movesHeard(at time.Time, f *MovesHeard) {
	for _, m := range f.Moves {
		e, known := st.Elsewhere.Get(m.Pass)
		if known && e.List != f.List && !m.At.After(e.At) {
			continue // heard in the list before
		}
		e = Elsewhere{Inside: m.Inside, Used: m.Used || e.Used && m.Kind != InUndone, At: m.At, List: f.List}
		st.Elsewhere.Put(m.Pass, e)
		if p, ok := st.Presences.Get(m.Pass); ok {
			st.seenElsewhere(at, &p, m)
		}
	}
	h, _ := st.Heard.Get(movesOf(f.Side))
	if h.List != f.List {
		h = Heard{List: f.List, Serial: f.Upto}
	}
	h.Serial = max(h.Serial, f.Upto)
	h.At = at
	st.Heard.Put(movesOf(f.Side), h)
}

// seenElsewhere does to a pass that was seen here what was seen of it at the other
// side's gate. Clocks differ by what the exchange lets them, so an exit that seems to be
// from before the entry ends nothing: the day's end will.
func (st State) seenElsewhere(at time.Time, p *Presence, m Move) {
	switch {
	case m.Kind == CameIn && p.Inside:
		// Two entries by one pass, of which neither gate knew: both count until each is ended.
		d := st.day(p.Site, p.Day)
		d.Doubles++
		p.Twice = true
		st.putDay(d)
	case (m.Kind == WentOver || m.Kind == CameAgain) && p.Inside && !p.Since.After(m.At):
		d := st.day(p.Site, p.Day)
		d.depart(at, p.People)
		d.Over += p.People
		stay := m.At.Sub(p.Since)
		p.Dwell += stay
		d.DwellTotal += stay
		d.DwellCount++
		p.Inside, p.Since, p.Over = false, time.Time{}, m.At
		st.putDay(d)
	case m.Kind == OutUndone && !p.Over.IsZero() && !p.Inside && !m.Inside:
		// The exit that ended the entry here was a mistake.
		d := st.day(p.Site, p.Day)
		if d.Closed {
			return
		}
		p.Inside, p.Since = true, p.entry()
		stay := max(p.Over.Sub(p.Since), 0)
		p.Over = time.Time{}
		d.arrive(at, p.People)
		less(&d.Over, p.People)
		p.Dwell -= min(p.Dwell, stay)
		d.DwellTotal -= min(d.DwellTotal, stay)
		less(&d.DwellCount, 1)
		st.putDay(d)
	default:
		return
	}
	st.Presences.Put(p.Pass, *p)
}

// inElsewhere reports whether the pass is known to have entered by the other side's gate
// and not to have left.
func (q *inquiry) inElsewhere() bool {
	e, _ := q.Elsewhere.Get(q.c.ID)
	return e.Inside
}

// elsewhere says where an entry is a second one, as far as the other side's gates have
// been heard.
func (q *inquiry) elsewhere() {
	if q.inElsewhere() {
		q.say(because(CodeElsewhere, reason.Refer))
	}
	// Where both sides have sold a place to one person, as they can while the line is
	// down, both bookings stand until one is used.
	k := booking.ClaimKey{Tag: q.a.Tag, Site: q.a.Site, Day: q.at.day}
	if q.member != nil {
		k.Tag = q.member.Tag
	}
	if k.Tag == ([16]byte{}) {
		return
	}
	theirs, _ := q.Booking.TheirClaims.Get(k)
	guest, entered := q.Guests.Get(k)
	twice := entered && guest != q.c.ID || q.member != nil && theirs.Used
	if ref, own := q.Booking.Claims.Get(k); own && q.member == nil {
		b, _ := q.Booking.Bookings.Get(ref)
		twice = twice || b.Status == booking.Used
	}
	if twice {
		q.say(because(CodePerson, reason.Refer))
	}
}
