// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package booking

import (
	"darwaza.dev/internal/fact"
	"darwaza.dev/internal/problem"
)

// What the two sides tell each other of claims, so that a person has one active booking
// at a site on a day and not one on each side (docs/decisions/0010). The roster of a day
// is the numbered list of who booked; a claim that ends, or is used, is a numbered change.

// ChangeKind is what became of a claim.
type ChangeKind uint8

// The changes of a claim.
const (
	ClaimReleased ChangeKind = iota + 1 // those made at positions of the roster below Pos are over
	ClaimUsed                           // the person has entered with the booking
	ClaimUnused                         // that entry was a mistake
)

// ClaimChange is an entry of this side's list of changes.
type ClaimChange struct {
	Serial uint64     `cbor:"1,keyasint"`
	Kind   ChangeKind `cbor:"2,keyasint"`
	Tag    [16]byte   `cbor:"3,keyasint"`
	Site   uint16     `cbor:"4,keyasint"`
	Day    uint16     `cbor:"5,keyasint"`
	Pos    uint32     `cbor:"6,keyasint,omitempty"` // the next position of the day's roster, when it happened
}

// TheirClaim is a claim of the other side, as far as it was heard.
type TheirClaim struct {
	Pos  uint32 `cbor:"1,keyasint,omitempty"` // in the other side's roster of the day
	Used bool   `cbor:"2,keyasint,omitempty"` // the person has entered with the booking
	List uint64 `cbor:"3,keyasint,omitempty"` // the list that it was last heard in
}

// ClaimCursor says how far the other side's roster of a day was read.
type ClaimCursor struct {
	List uint64 `cbor:"1,keyasint,omitempty"`
	Upto uint32 `cbor:"2,keyasint,omitempty"` // the next position to ask for
}

// HeardClaim is one claim in the other side's roster of a day.
type HeardClaim struct {
	_   struct{} `cbor:",toarray"`
	Pos uint32
	Tag [16]byte
}

// DayClaims are the claims of a day at the positions from what was read last up to Upto.
type DayClaims struct {
	Site   uint16       `cbor:"1,keyasint"`
	Day    uint16       `cbor:"2,keyasint"`
	Upto   uint32       `cbor:"3,keyasint"`
	Claims []HeardClaim `cbor:"4,keyasint,omitempty"`
}

// ClaimsHeard says what this side has read of the other side's claims: Changes are those
// up to the serial Upto.
type ClaimsHeard struct {
	List    uint64        `cbor:"1,keyasint,omitempty"`
	Days    []DayClaims   `cbor:"2,keyasint,omitempty"`
	Upto    uint64        `cbor:"3,keyasint,omitempty"`
	Changes []ClaimChange `cbor:"4,keyasint,omitempty"`
	// Whole says that with this everything is read that the other side had when it answered.
	Whole bool `cbor:"5,keyasint,omitempty"`
}

// FactKind names the fact.
func (ClaimsHeard) FactKind() string { return "booking.claims_heard" }

// MaxClaims is the greatest number of claims and changes in one page.
const MaxClaims = 1000

// claim returns the key of a member's claim.
func (b *Booking) claim(m Member) ClaimKey {
	return ClaimKey{Tag: m.Tag, Site: b.Slot.Site(), Day: b.Slot.Day()}
}

// change lists a change of a claim for the other side.
func (st State) change(k ClaimKey, kind ChangeKind) {
	n, _ := st.Rosters.Get(RosterKey{Site: k.Site, Day: k.Day})
	a, _ := st.Acks.Get(0)
	a.Changes++
	st.Acks.Put(0, a)
	st.Changes.Put(a.Changes, ClaimChange{Serial: a.Changes, Kind: kind, Tag: k.Tag, Site: k.Site, Day: k.Day, Pos: n})
}

// used lists for the other side that a booking was used, or was not after all: of persons
// who are known to have a booking there too, as everybody else is none of its business.
func (st State) used(b *Booking, kind ChangeKind) {
	for _, m := range b.Members {
		k := b.claim(m)
		if _, both := st.TheirClaims.Get(k); both {
			st.change(k, kind)
		}
	}
}

// theirs reports whether the other side is known to have a booking of a person. A claim
// that was heard in a list before, and that the present one does not confirm although it is
// read to its end, was lost there with a restore: it counts only where the person has come
// in with it.
func (st State) theirs(k ClaimKey) bool {
	t, ok := st.TheirClaims.Get(k)
	a, _ := st.Acks.Get(0)
	return ok && (t.Used || t.List == a.ClaimsList || a.ClaimsWhole != a.ClaimsList)
}

func (st State) claimsHeard(f *ClaimsHeard) {
	a, _ := st.Acks.Get(0)
	if a.ClaimsList != f.List {
		a.ClaimsList, a.ClaimsUpto = f.List, 0
	}
	a.ClaimsUpto = max(a.ClaimsUpto, f.Upto)
	if f.Whole {
		a.ClaimsWhole = f.List
	}
	st.Acks.Put(0, a)
	for _, d := range f.Days {
		for _, c := range d.Claims {
			k := ClaimKey{Tag: c.Tag, Site: d.Site, Day: d.Day}
			old, had := st.TheirClaims.Get(k)
			st.TheirClaims.Put(k, TheirClaim{Pos: c.Pos, Used: old.Used, List: f.List})
			if ref, own := st.Claims.Get(k); own && !had {
				if b, _ := st.Bookings.Get(ref); b.Status == Used {
					st.change(k, ClaimUsed) // it could not know
				}
			}
		}
		st.Cursors.Put(RosterKey{Site: d.Site, Day: d.Day}, ClaimCursor{List: f.List, Upto: d.Upto})
	}
	for _, c := range f.Changes {
		k := ClaimKey{Tag: c.Tag, Site: c.Site, Day: c.Day}
		t, ok := st.TheirClaims.Get(k)
		switch {
		case c.Kind == ClaimReleased && ok && t.Pos < c.Pos:
			st.TheirClaims.Delete(k)
		case c.Kind == ClaimUsed:
			if t.Used = true; !ok {
				t.List = f.List
			}
			st.TheirClaims.Put(k, t)
		case c.Kind == ClaimUnused && ok:
			t.Used = false
			st.TheirClaims.Put(k, t)
		}
	}
}

// ClaimsRead says how far the other side's claims of a day, and its changes, were read.
func (st State) ClaimsRead(site, day uint16) (list uint64, pos uint32, changes uint64) {
	a, _ := st.Acks.Get(0)
	c, _ := st.Cursors.Get(RosterKey{Site: site, Day: day})
	if c.List == a.ClaimsList {
		pos = c.Upto
	}
	return a.ClaimsList, pos, a.ClaimsUpto
}

// ClaimsAfter returns this side's claims of a day at positions from pos on, at most limit,
// and the position to go on from. Claims that are over are left out.
func (st State) ClaimsAfter(site, day uint16, pos uint32, limit int) DayClaims {
	d := DayClaims{Site: site, Day: day, Upto: pos}
	k := RosterKey{Site: site, Day: day}
	n, _ := st.Rosters.Get(k)
	for ; d.Upto < n && len(d.Claims)+MaxMembers <= limit; d.Upto++ {
		k.Pos = d.Upto
		ref, _ := st.Roster.Get(k)
		b, ok := st.Bookings.Get(ref)
		if !ok || b.Slot.Site() != site || b.Slot.Day() != day {
			continue
		}
		for _, m := range b.Members {
			if owner, _ := st.Claims.Get(b.claim(m)); owner == ref {
				d.Claims = append(d.Claims, HeardClaim{Pos: d.Upto, Tag: m.Tag})
			}
		}
	}
	return d
}

// ChangesAfter returns this side's changes of claims with serials above after, at most
// limit, and the newest serial that there is.
func (st State) ChangesAfter(after uint64, limit int) (list []ClaimChange, last uint64) {
	a, _ := st.Acks.Get(0)
	for n := after + 1; n > after && n <= a.Changes && len(list) < limit; n++ {
		if c, ok := st.Changes.Get(n); ok {
			list = append(list, c)
		}
	}
	return list, a.Changes
}

// DecideClaims takes note of a page of the other side's claims: of the list that was last
// read from, or of another one from its beginning.
func (d Desk) DecideClaims(f ClaimsHeard) ([]fact.Fact, error) {
	a, _ := d.Acks.Get(0)
	n := len(f.Changes)
	for _, day := range f.Days {
		n += len(day.Claims)
	}
	if n > 2*MaxClaims || len(f.Days) > MaxClaims {
		return nil, problem.New(problem.Limit, "booking.claims.size")
	}
	read := a.ClaimsUpto
	if f.List != a.ClaimsList {
		read = 0
	}
	for i, c := range f.Changes {
		if c.Serial == 0 || c.Serial != f.Upto-uint64(len(f.Changes)-1-i) {
			return nil, problem.Field("changes", "booking.claims.order")
		}
	}
	if from := f.Upto - uint64(len(f.Changes)); from != read {
		return nil, problem.New(problem.Conflict, "booking.claims.other") // somebody else has read on
	}
	news := f.List != a.ClaimsList || len(f.Changes) > 0 || f.Whole && f.List != a.ClaimsWhole
	for _, day := range f.Days {
		c, _ := d.Cursors.Get(RosterKey{Site: day.Site, Day: day.Day})
		pos := c.Upto
		if c.List != f.List {
			pos = 0
		}
		if day.Upto < pos {
			return nil, problem.Field("days", "booking.claims.order")
		}
		for _, h := range day.Claims {
			if h.Pos < pos || h.Pos >= day.Upto {
				return nil, problem.Field("days", "booking.claims.order")
			}
		}
		news = news || day.Upto > pos
	}
	if !news {
		return nil, nil
	}
	return []fact.Fact{&f}, nil
}
