// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package booking

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"darwaza.dev/internal/fact"
	"darwaza.dev/internal/pass"
	"darwaza.dev/internal/reason"
	"darwaza.dev/internal/table"
)

func empty() State {
	return State{
		Slots: table.Map[SlotID, Slot]{}, Bookings: table.Map[Ref, Booking]{}, Claims: table.Map[ClaimKey, Ref]{},
		Standby: table.Map[StandbyKey, Ref]{}, Holders: table.Map[pass.ID, Holder]{}, Withdrawals: table.Map[uint64, Withdrawal]{},
		Acks: table.Map[uint16, Acks]{}, Roster: table.Map[RosterKey, Ref]{}, Rosters: table.Map[RosterKey, uint32]{}, Refusals: table.Map[Ref, Refusal]{},
		Changes: table.Map[uint64, ClaimChange]{}, TheirClaims: table.Map[ClaimKey, TheirClaim]{}, Cursors: table.Map[RosterKey, ClaimCursor]{},
	}
}

// TestApplyTotal applies facts in orders that no desk would decide: as from a record
// that lacks its beginning, or from a peer with faults. Nothing panics or wraps round,
// and what is sold above the allotment rises only where an edition takes places away.
func TestApplyTotal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		st := empty()
		now := time.Unix(1756800000, 0).UTC()
		ref := func() Ref { return rapid.SampledFrom([]Ref{"A", "B", "C"}).Draw(t, "ref") }
		slot := func() SlotID { return rapid.SampledFrom([]SlotID{1, 2}).Draw(t, "slot") }
		small := func(name string) uint32 { return rapid.Uint32Range(0, 5).Draw(t, name) }
		members := func() (ms []Member) {
			for i := range 1 + small("members") {
				ms = append(ms, Member{Pass: pass.ID{byte(small("pass")), byte(i)}, Tag: [16]byte{byte(small("tag"))}, Place: small("place"), Children: uint8(small("children"))})
			}
			return ms
		}
		numbers := func() []uint32 {
			return rapid.SliceOfN(rapid.Uint32Range(0, 9), 0, 3).Draw(t, "numbers")
		}
		for range rapid.IntRange(1, 40).Draw(t, "facts") {
			facts := []fact.Fact{
				&Opened{Slot: slot(), Allotment: small("allotment")},
				&Made{Ref: ref(), Slot: slot(), Members: members()},
				&Refused{Ref: ref(), Slot: slot(), Members: members()},
				&Ruled{Ref: ref(), Slot: slot(), Admit: true, Officer: "o"},
				&Queued{Ref: ref(), Slot: slot(), Members: members(), Position: uint64(small("position"))},
				&OfferMade{Ref: ref(), Slot: slot(), Until: now},
				&Granted{Ref: ref(), Slot: slot(), Numbers: numbers()},
				&GivenBack{Ref: ref(), Slot: slot(), First: uint64(small("serial")), Until: now},
				&Moved{Ref: ref(), From: slot(), To: slot(), Numbers: numbers(), First: uint64(small("serial")), Tags: [][16]byte{{9}}},
				&Reissued{Ref: ref(), Member: uint8(small("member")), Serial: uint64(small("serial"))},
				&RanOut{Ref: ref(), Slot: slot()},
				&Acknowledged{Serial: uint64(small("serial"))},
				&Freed{From: uint64(small("from")), To: rapid.SampledFrom([]uint64{0, 1, 5, 1<<64 - 1}).Draw(t, "to")},
				&PassesEnded{Slot: slot()},
				&PassedOver{Ref: ref(), Slot: slot(), Outcome: reason.Outcome(small("outcome"))},
				&ListBegun{List: uint64(small("list"))},
				&UsedElsewhere{Serials: []uint64{uint64(small("serial"))}},
				&ClaimsHeard{List: uint64(small("list")), Days: []DayClaims{{Upto: small("upto"), Claims: []HeardClaim{{Pos: small("pos"), Tag: [16]byte{byte(small("tag"))}}}}},
					Upto: uint64(small("serial")), Changes: []ClaimChange{{Kind: ChangeKind(small("kind")), Tag: [16]byte{byte(small("tag"))}, Pos: small("pos")}}},
				&Entered{Ref: ref()},
				&EntryUndone{Ref: ref()},
				&Missed{Refs: []Ref{ref(), ref()}},
			}
			f := rapid.SampledFrom(facts).Draw(t, "fact")
			before := map[SlotID]Slot{}
			for _, id := range []SlotID{1, 2} {
				before[id], _ = st.Slots.Get(id)
			}
			now = now.Add(time.Second)
			Apply(st, now, f)
			for id, old := range before {
				s, _ := st.Slots.Get(id)
				if _, sized := f.(*Opened); !sized && s.Excess > old.Excess {
					t.Fatalf("%T raised the excess from %d to %d", f, old.Excess, s.Excess)
				}
				if s.Taken > 1<<16 || s.Withheld > 1<<16 || s.Offered > 1<<16 {
					t.Fatalf("%T: %+v", f, s)
				}
				if s.Excess > s.over() {
					t.Fatalf("%T: excess %d where %d is over", f, s.Excess, s.over())
				}
			}
		}
	})
}

// An oversell leaves taken, withheld and offered above allotment and excess, which a
// store refuses: Apply does not paper over it.
func TestOversellShows(t *testing.T) {
	st := empty()
	Apply(st, time.Time{}, &Opened{Slot: 1, Allotment: 1})
	for _, r := range []Ref{"A", "B"} {
		Apply(st, time.Time{}, &Made{Ref: r, Slot: 1, Members: []Member{{Pass: pass.ID{r[0]}}}})
	}
	s, _ := st.Slots.Get(1)
	if s.Taken+s.Withheld+s.Offered <= s.Allotment+s.Excess {
		t.Errorf("%+v", s)
	}
}

func TestSlotID(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		site, class := rapid.Uint16().Draw(t, "site"), rapid.Uint8().Draw(t, "class")
		day, minute := rapid.Uint16().Draw(t, "day"), rapid.Uint16().Draw(t, "minute")
		id := MakeSlotID(site, class, day, minute)
		if id.Site() != site || id.Class() != class || id.Day() != day || id.Minute() != minute || id>>56 != 0 {
			t.Fatalf("%x", uint64(id))
		}
	})
}

func TestRefValid(t *testing.T) {
	for ref, want := range map[Ref]bool{
		"0123456789AB": true, "ZYXWVTSRQPNM": true,
		"": false, "0123456789A": false, "0123456789ABC": false, "0123456789aB": false, "0123456789IB": false, "0123456789 B": false,
	} {
		if got := ref.Valid(); got != want {
			t.Errorf("%q: %v", ref, got)
		}
	}
}
