// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package market

import (
	"slices"
	"time"

	"darwaza.dev/internal/fact"
	"darwaza.dev/internal/reason"
)

// Apply makes what a fact says of the state. It never refuses, consults no edition and
// passes over facts of other desks.
func Apply(st State, at time.Time, f fact.Fact) {
	switch f := f.(type) {
	case *Displayed:
		for _, v := range f.Values {
			st.Values.Put(ValueKey{Site: f.Site, Code: v.Code, Day: f.Day},
				Value{Minor: v.Minor, Currency: v.Currency, Unit: v.Unit, By: f.Officer, At: at})
		}
	case *Bought:
		l, _ := st.Ledgers.Get(f.Key)
		l.Key = f.Key
		p := f.Purchase
		p.At = at
		if p.Outcome != reason.Allow {
			p.Reasons = f.Reasons
		}
		l.Purchases = append(slices.Clip(l.Purchases), p)
		st.Ledgers.Put(f.Key, l)
		st.Receipts.Put(p.ID, f.Key)
	case *Turned:
		if f.ID != "" {
			st.Turned.Put(f.ID, TurnedLot{Site: f.Site, Day: f.Day, Code: f.Code, Outcome: f.Outcome, Reasons: f.Reasons, Edition: f.Edition, At: at, Officer: f.Officer})
		}
	case *TakenBack:
		l, ok := st.Ledgers.Get(f.Key)
		if !ok {
			return
		}
		l.Purchases = slices.Clone(l.Purchases)
		for i := range l.Purchases {
			if p := &l.Purchases[i]; p.ID == f.ID && !p.Void {
				p.Void, p.VoidBy, p.VoidAt, p.VoidWhy = true, f.Officer, at, f.Why
			}
		}
		st.Ledgers.Put(f.Key, l)
	case *Enrolled:
		v := f.Vendor
		v.At = at
		if _, known := st.Vendors.Get(f.Register); !known {
			n, _ := st.Counts.Get("vendors")
			st.Listed.Put(n, f.Register)
			st.Counts.Put("vendors", n+1)
		}
		st.Vendors.Put(f.Register, v)
	}
}
