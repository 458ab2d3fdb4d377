// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"slices"
	"time"

	"darwaza.dev/internal/fact"
	"darwaza.dev/internal/pass"
	"darwaza.dev/internal/problem"
)

// ListRead is a page of the other side's list of withdrawals. It is of the list that
// was last read from, or begins with the first entry of another.
type ListRead struct {
	Side    string
	List    uint64
	Upto    uint64
	Entries []ListEntry
	Acked   uint64 // the serial that the other side has recorded as heard here
}

// UsedPass is a pass of the other side that had been let in here before its withdrawal
// was heard.
type UsedPass struct {
	Serial uint64    `cbor:"1,keyasint"` // of the withdrawal
	Pass   pass.ID   `cbor:"2,keyasint"`
	Until  time.Time `cbor:"3,keyasint"` // of the pass: after that nobody need know
	Gen    uint8     `cbor:"4,keyasint,omitempty"`
}

// DecideList takes note of what was read of the other side's list, and of the passes in
// it that were let in here before: from now on no gate of this side lets them in.
func (d Desk) DecideList(r ListRead) ([]fact.Fact, error) {
	if r.Side != string(d.Side.Other()) {
		return nil, problem.Field("side", "gate.list.side")
	}
	h, heard := d.Heard.Get(r.Side)
	// A list that holds nothing new is still heard, but not every few seconds in the
	// record: its age counts in minutes.
	if heard && r.List == h.List && r.Upto <= h.Serial && len(r.Entries) == 0 && d.Now.Sub(h.At) < time.Minute {
		return nil, nil
	}
	const most = 1000
	if len(r.Entries) > most {
		return nil, problem.New(problem.Limit, "gate.list.size")
	}
	f := &ListHeard{Side: r.Side, List: r.List, Upto: r.Upto, Entries: r.Entries, Acked: r.Acked}
	for i, e := range r.Entries {
		if e.Serial == 0 || e.Serial > r.Upto || i > 0 && e.Serial <= r.Entries[i-1].Serial {
			return nil, problem.Field("entries", "gate.list.order")
		}
		if p, ok := d.Presences.Get(e.Pass); ok && p.cameWith(e.Gen) && d.Now.Before(e.Until) {
			f.Used = append(f.Used, UsedPass{Serial: e.Serial, Pass: e.Pass, Until: e.Until, Gen: e.Gen})
		}
	}
	if first := r.Upto - uint64(len(r.Entries)); r.List != h.List && first != 0 {
		return nil, problem.New(problem.Conflict, "gate.list.other")
	}
	return []fact.Fact{f}, nil
}

// cameWith reports whether the pass was let in with a generation up to gen. One before gen
// counts, because a pass that was issued again stands for the same place; one after it
// does not, because it stands for what the booking was moved to.
func (p *Presence) cameWith(gen uint8) bool {
	var n uint32
	for _, s := range p.Scans {
		if s.Counted && s.Direction == In {
			if n++; s.Gen <= gen {
				return true
			}
		}
	}
	return p.Visits > n // by a scan that is kept no more
}

// unused takes back that a pass was used before its withdrawal was heard, where that entry
// was a mistake and the other side may not know of it yet.
func (st State) unused(p *Presence) {
	h, ok := st.Heard.Get(p.Issuer)
	if !ok || !p.Theirs {
		return
	}
	left := slices.DeleteFunc(slices.Clone(h.Used), func(u UsedPass) bool { return u.Pass == p.Pass && !p.cameWith(u.Gen) })
	if len(left) == len(h.Used) {
		return
	}
	if h.Used = left; len(left) == 0 {
		h.Used = nil
	}
	st.Heard.Put(p.Issuer, h)
}

func (st State) listHeard(at time.Time, f *ListHeard) {
	for _, e := range f.Entries {
		old, ok := st.Withdrawn.Get(e.Pass)
		if ok && old.Gen > e.Gen {
			continue
		}
		st.Withdrawn.Put(e.Pass, Withdrawn{Gen: e.Gen, Serial: e.Serial, Until: e.Until})
	}
	h, _ := st.Heard.Get(f.Side)
	var used []UsedPass
	if f.List == h.List {
		h.Serial = max(h.Serial, f.Upto)
		for _, u := range h.Used {
			again := slices.ContainsFunc(f.Used, func(o UsedPass) bool { return o.Serial == u.Serial })
			if u.Serial > f.Acked && at.Before(u.Until) && !again {
				used = append(used, u)
			}
		}
	} else {
		// Another list, read from its beginning. What was heard of the one before stays.
		h.Serial, h.List = f.Upto, f.List
	}
	h.Used = append(used, f.Used...)
	if at.After(h.At) {
		h.At = at
	}
	st.Heard.Put(f.Side, h)
}
