// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package booking

import (
	"slices"

	"darwaza.dev/internal/fact"
	"darwaza.dev/internal/pass"
)

// Ack is what the other side says of this side's list of withdrawals: every gate of
// its own knows those up to Serial, and Used are the passes among them that had been
// let in before. It is said of one list, and of another it says nothing. The zero Ack
// of a list only goes on with what is left.
type Ack struct {
	List   uint64
	Serial uint64
	Used   []UsedPass
}

// UsedPass is a withdrawn pass that had been let in, by its serial in the list.
type UsedPass struct {
	_      struct{} `cbor:",toarray"`
	Serial uint64
	Pass   pass.ID
}

// MaxUsed is the greatest number of used passes that one Ack may name.
const MaxUsed = 2000

// ListBegun says that this server's lists were begun anew under an id, because serials
// that were given under the last one may be lost: what the other side has heard counts
// from the beginning.
type ListBegun struct {
	List uint64 `cbor:"1,keyasint"`
}

// UsedElsewhere says of withdrawn passes that the other side's gate had let them in
// before it heard. Their places stay taken, and their bookings are used.
type UsedElsewhere struct {
	Serials []uint64 `cbor:"1,keyasint"` // of the withdrawals
}

// FactKind names the fact.
func (ListBegun) FactKind() string     { return "booking.list_begun" }
func (UsedElsewhere) FactKind() string { return "booking.used_elsewhere" }

// sideFacts are the constructors of the facts about what the two sides tell each other.
func sideFacts() []func() fact.Fact {
	return []func() fact.Fact{
		func() fact.Fact { return new(ListBegun) },
		func() fact.Fact { return new(UsedElsewhere) },
		func() fact.Fact { return new(ClaimsHeard) },
		func() fact.Fact { return new(PassedOver) },
		func() fact.Fact { return new(SalesHeld) },
		func() fact.Fact { return new(SalesOpened) },
	}
}

// applySides makes what such a fact says of the state.
func (st State) applySides(f fact.Fact) {
	switch f := f.(type) {
	case *ListBegun:
		a, _ := st.Acks.Get(0)
		a.List, a.Heard, a.FreedTo = f.List, 0, 0
		st.Acks.Put(0, a)
	case *UsedElsewhere:
		for _, n := range f.Serials {
			st.usedElsewhere(n)
		}
	case *ClaimsHeard:
		st.claimsHeard(f)
	case *SalesHeld:
		st.hold(f.Site, f.Upto, true)
	case *SalesOpened:
		st.hold(f.Site, 0, false)
	}
}

// usedElsewhere keeps the place of a withdrawn pass that has let its holder in. Where
// nothing is withheld for it any more, as after its end, no place is made up.
func (st State) usedElsewhere(n uint64) {
	w, ok := st.Withdrawals.Get(n)
	if !ok || w.Used {
		return
	}
	var kept uint32
	if w.Places > 0 && !w.Freed {
		s := st.slot(w.Slot)
		kept = min(w.Places, s.Withheld)
		s.Withheld -= kept
		s.Taken += kept
		st.put(s)
		w.Places = kept
	}
	w.Used, w.Freed = true, true
	st.Withdrawals.Put(n, w)
	h, ok := st.Holders.Get(w.Pass)
	if !ok {
		return
	}
	b, ok := st.Bookings.Get(h.Ref)
	if !ok || b.Status != Booked && b.Status != Cancelled && b.Status != NoShow && b.Status != Used {
		return
	}
	if kept > 0 {
		b.Kept = append(slices.Clip(b.Kept), n)
	}
	if b.Status == Cancelled {
		b.GivenBack = true
	}
	if b.GivenBack {
		// The person has used a booking of this day, so that another would be a second one;
		// where there is another already, both stand.
		for _, m := range b.Members {
			k := b.claim(m)
			if _, claimed := st.Claims.Get(k); m.Pass == w.Pass && !claimed {
				st.Claims.Put(k, b.Ref)
				st.change(k, ClaimUsed)
			}
		}
	}
	was := b.Status
	b.Status = Used
	st.Bookings.Put(b.Ref, b)
	if was == Booked || was == NoShow {
		st.used(&b, ClaimUsed)
	}
}

// DecideUndone says that the only entry of a booking was a mistake, where it counts as
// used.
func (st State) DecideUndone(ref Ref) []fact.Fact {
	b, ok := st.Bookings.Get(ref)
	if !ok || b.Status != Used {
		return nil
	}
	f := &EntryUndone{Ref: ref}
	if len(b.Kept) > 0 {
		a, _ := st.Acks.Get(0)
		f.First = a.Last + 1
	}
	return []fact.Fact{f}
}

// DecideUndoneOne says that what one pass of a used booking did was a mistake, where others
// have come in and a place was kept for it beside the booking's own.
func (st State) DecideUndoneOne(ref Ref, id pass.ID) []fact.Fact {
	b, ok := st.Bookings.Get(ref)
	if !ok || b.Status != Used {
		return nil
	}
	for _, n := range b.Kept {
		if w, ok := st.Withdrawals.Get(n); ok && w.Pass == id {
			a, _ := st.Acks.Get(0)
			return []fact.Fact{&EntryUndone{Ref: ref, First: a.Last + 1, Pass: id}}
		}
	}
	return nil
}

// DecideList begins the lists of this server anew under an id that was never used, as
// after it was restored from a copy.
func (d Desk) DecideList(list uint64) []fact.Fact {
	if a, _ := d.Acks.Get(0); list == 0 || list == a.List {
		return nil
	}
	return []fact.Fact{&ListBegun{List: list}}
}

// usedOf returns the fact that says which withdrawn passes had been used, nil where
// nothing new is said, and the serials.
func (d Desk) usedOf(ack Ack) (*UsedElsewhere, map[uint64]bool) {
	used := map[uint64]bool{}
	f := &UsedElsewhere{}
	for _, u := range ack.Used[:min(len(ack.Used), MaxUsed)] {
		if w, ok := d.Withdrawals.Get(u.Serial); ok && w.Pass == u.Pass && !w.Used && !used[u.Serial] {
			used[u.Serial] = true
			f.Serials = append(f.Serials, u.Serial)
		}
	}
	if len(f.Serials) == 0 {
		return nil, nil
	}
	return f, used
}
