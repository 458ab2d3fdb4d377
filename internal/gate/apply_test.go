// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/fact"
	"darwaza.dev/internal/pass"
	"darwaza.dev/internal/reason"
	"darwaza.dev/internal/table"
)

func empty() State {
	return State{
		Presences: table.Map[pass.ID, Presence]{}, Days: table.Map[SiteDayKey, SiteDay]{}, Roster: table.Map[RosterKey, pass.ID]{}, Strays: table.Map[RosterKey, Scan]{},
		Serials: table.Map[string, uint64]{}, Withdrawn: table.Map[pass.ID, Withdrawn]{}, Heard: table.Map[string, Heard]{},
		Moves: table.Map[uint64, Move]{}, Elsewhere: table.Map[pass.ID, Elsewhere]{}, Guests: table.Map[booking.ClaimKey, pass.ID]{},
	}
}

// TestApplyTotal applies facts in orders that no desk would decide, with clocks that
// run backwards. Nothing panics, and no count wraps round below none.
func TestApplyTotal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		st := empty()
		start := time.Unix(1756800000, 0).UTC()
		now := start
		small := func(name string) uint64 { return rapid.Uint64Range(0, 6).Draw(t, name) }
		id := func() pass.ID { return pass.ID{7: byte(small("pass"))} }
		way := func() Direction { return rapid.SampledFrom([]Direction{In, Out}).Draw(t, "way") }
		for range rapid.IntRange(1, 60).Draw(t, "facts") {
			f := rapid.SampledFrom([]fact.Fact{
				&Scanned{Serial: small("serial"), Pass: id(), Site: 1, Day: uint16(small("day")), Direction: way(), People: uint32(small("people")),
					Corrects: []Correction{{Serial: small("corrects"), Reasons: []reason.Reason{{Code: CodeTwiceIn}}}},
					Theirs:   rapid.Bool().Draw(t, "theirs"),
					Outcome:  reason.Outcome(1 + small("outcome")), Reasons: []reason.Reason{{Code: CodeTwiceIn}}},
				&Decided{Pass: id(), Serial: small("serial"), Admit: rapid.Bool().Draw(t, "admit"), Officer: "o", Site: 1, Day: uint16(small("day"))},
				&Changed{Pass: id(), Serial: small("serial"), Site: 1, Day: uint16(small("day")), Outcome: reason.Outcome(1 + small("outcome")), Reasons: []reason.Reason{{Code: CodeDay}}},
				&Lapsed{Site: 1, Day: uint16(small("day")), Passes: []pass.ID{id(), id()}, Serials: []uint64{small("serial")}},
				&GoodsDecided{Pass: id(), Serial: small("serial"), Go: rapid.Bool().Draw(t, "go"), Kept: rapid.Bool().Draw(t, "kept"), Officer: "o", Site: 1, Day: uint16(small("day"))},
				&GoodsLapsed{Site: 1, Day: uint16(small("day")), Passes: []pass.ID{id(), id()}, Serials: []uint64{small("serial")}},
				&Undone{Pass: id(), Serial: small("serial"), Site: 1, Day: uint16(small("day"))},
				&Settled{Site: 1, Day: uint16(small("day")), First: small("serial"), Passes: []pass.ID{id(), id()}},
				&PersonTwice{Site: 1, Day: uint16(small("day")), Pass: id()},
				&DayClosed{Site: 1, Day: uint16(small("day"))},
				&MovesHeard{Side: "B", List: small("list") % 2, Upto: small("upto"), Moves: []Move{{Serial: small("serial"), Pass: id(), Kind: MoveKind(small("kind") + 1),
					At: now.Add(time.Duration(small("lag")) * time.Minute), Inside: rapid.Bool().Draw(t, "inside"), Used: rapid.Bool().Draw(t, "used")}}},
				&ListHeard{Side: "B", Upto: small("upto"), Entries: []ListEntry{{Serial: small("serial"), Pass: id(), Gen: uint8(small("gen"))}}},
			}).Draw(t, "fact")
			now = now.Add(time.Duration(rapid.IntRange(-90, 900).Draw(t, "seconds")) * time.Second)
			Apply(st, now, f)
			for day := range uint16(7) {
				d := st.day(1, day)
				for _, n := range []uint32{d.Inside, d.Peak, d.Entries, d.Exits, d.Settled, d.Unmatched, d.DwellCount, d.Over, d.Refused, d.Doubles, d.GoodsKept} {
					if n > 1<<16 {
						t.Fatalf("%T: %+v", f, d)
					}
				}
				if d.DwellTotal < 0 || d.Contact > 1<<40 {
					t.Fatalf("%T: %+v", f, d)
				}
			}
			for i := range byte(7) {
				if p, ok := st.Presences.Get(pass.ID{7: i}); ok && (p.Dwell < 0 || len(p.Scans) > maxScans || p.Visits > 1<<16) {
					t.Fatalf("%T: %+v", f, p)
				}
			}
		}
	})
}

// A hand scanner that hangs repeats itself; entries and exits outlive its noise.
func TestScansKept(t *testing.T) {
	st := empty()
	at := time.Unix(1756800000, 0).UTC()
	id := pass.ID{1}
	Apply(st, at, &Scanned{Serial: 1, Pass: id, Direction: In, People: 2, Outcome: reason.Allow})
	for n := uint64(2); n < 500; n++ {
		Apply(st, at, &Scanned{Serial: n, Pass: id, Direction: In, People: 2, Outcome: reason.Refer})
	}
	p, _ := st.Presences.Get(id)
	if len(p.Scans) != maxScans || p.Scans[0].Serial != 1 || p.Scans[len(p.Scans)-1].Serial != 499 || p.Pending != 499 {
		t.Errorf("%d scans, first %d, last %d, pending %d", len(p.Scans), p.Scans[0].Serial, p.Scans[len(p.Scans)-1].Serial, p.Pending)
	}
}

// Scans without a pass are kept up to a bound, and all of them counted.
func TestStraysKept(t *testing.T) {
	st := empty()
	for n := uint64(1); n <= maxStrays+3; n++ {
		Apply(st, time.Unix(1756800000, 0), &Scanned{Serial: n, Site: 1, Day: 5, Direction: In, Outcome: reason.Refuse})
	}
	d, _ := st.Days.Get(SiteDayKey{Site: 1, Day: 5})
	if n := len(st.Strays.(table.Map[RosterKey, Scan])); n != maxStrays || d.Strays != maxStrays+3 || d.Refused != maxStrays+3 {
		t.Errorf("%d are kept, %+v", n, d)
	}
}

// Rows that were handed out are not written into.
func TestScansNotShared(t *testing.T) {
	st := empty()
	at := time.Unix(1756800000, 0).UTC()
	id := pass.ID{1}
	Apply(st, at, &Scanned{Serial: 1, Pass: id, Direction: In, People: 1, Outcome: reason.Refer})
	before, _ := st.Presences.Get(id)
	Apply(st, at, &Changed{Pass: id, Serial: 1, Outcome: reason.Hold, Reasons: []reason.Reason{{Code: CodeLate}}})
	Apply(st, at, &Decided{Pass: id, Serial: 1, Admit: true, Officer: "o"})
	Apply(st, at, &Undone{Pass: id, Serial: 1})
	Apply(st, at, &Scanned{Serial: 2, Pass: id, Direction: In, People: 1, Outcome: reason.Refer})
	Apply(st, at, &Lapsed{Passes: []pass.ID{id}, Serials: []uint64{2}})
	if s := before.Scans[0]; s.Decided != "" || s.Counted || s.Void || len(s.Reasons) != 0 || len(before.Scans) != 1 {
		t.Errorf("a row that was read before changed: %+v", s)
	}
}
