// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

// Package erasure says when people's sealed data are to go, and keeps what was erased on
// record. What is erased is the key of the data, which the shell destroys; verdicts,
// tags and amounts stay, because the record is made of them.
package erasure

import (
	"math"
	"time"

	"darwaza.dev/internal/appeal"
	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/fact"
	"darwaza.dev/internal/market"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/screening"
	"darwaza.dev/internal/table"
)

// Parameter is the parameter of an edition that says how many days after a slot's day the
// key of personal data is destroyed. Where an edition has none, the configuration says it.
const Parameter = "erase.after"

// Key names a place in the list of receipts with sealed data of a site's day; with Pos 0
// it names the list itself.
type Key struct {
	Site uint16
	Day  uint16 // days since 2000-01-01
	Pos  uint32
}

// The keys of Marks: how many requests there are, and how many of them, from the first
// on, were carried out.
const (
	asked = "asked"
	done  = "done"
)

// State is what erasure knows. Bookings of a day are listed by the booking desk; what is
// kept here are the receipts with sealed data of their own, requests, and how far the
// clock has come.
type State struct {
	Receipts table.Table[Key, string]    // receipt numbers, from Pos 0
	Counts   table.Table[Key, uint32]    // how many, under Pos 0
	Next     table.Table[uint16, uint16] // by site: the first day that is not erased yet
	Requests table.Table[uint32, string] // ids of sealed data whose key is to be destroyed, from 0
	Marks    table.Table[string, uint32]
	// Texts are the ids of the sealed words of a day's contests and answers, from Pos 0, and
	// Said, under Pos 0, how many there are.
	Texts table.Table[Key, string]
	Said  table.Table[Key, uint32]
}

// Asked says that the sealed data of a booking, a receipt or a case are to be erased at once.
type Asked struct {
	Sealed  string      `cbor:"1,keyasint"`
	Ref     booking.Ref `cbor:"2,keyasint,omitempty"`
	Receipt string      `cbor:"3,keyasint,omitempty"`
	By      string      `cbor:"4,keyasint"` // officer id
	Case    appeal.ID   `cbor:"5,keyasint,omitempty"`
}

// Done says that the keys of the requests before Upto, counted from 0, are destroyed.
type Done struct {
	Upto uint32 `cbor:"1,keyasint"`
}

// DayErased says that the keys of a site's day are destroyed, because its time has come:
// no person did it. Whole is false where there is more of the day to come.
type DayErased struct {
	Site     uint16 `cbor:"1,keyasint"`
	Day      uint16 `cbor:"2,keyasint"`
	After    uint16 `cbor:"3,keyasint"` // days for which the data were kept
	Bookings uint32 `cbor:"4,keyasint,omitempty"`
	Receipts uint32 `cbor:"5,keyasint,omitempty"`
	Whole    bool   `cbor:"6,keyasint,omitempty"`
	Texts    uint32 `cbor:"7,keyasint,omitempty"` // words of contests and of answers to them
}

// FactKind names the fact.
func (Asked) FactKind() string     { return "erasure.asked" }
func (Done) FactKind() string      { return "erasure.done" }
func (DayErased) FactKind() string { return "erasure.day" }

// Facts returns constructors of every fact of this desk.
func Facts() []func() fact.Fact {
	return []func() fact.Fact{
		func() fact.Fact { return new(Asked) },
		func() fact.Fact { return new(Done) },
		func() fact.Fact { return new(DayErased) },
	}
}

// Apply makes what a fact says of the state. It never refuses and passes over facts that
// are not about it.
func Apply(st State, at time.Time, f fact.Fact) {
	switch f := f.(type) {
	case *market.Bought:
		if f.Purchase.Sealed == "" {
			return
		}
		k := Key{Site: f.Purchase.Site, Day: f.Key.Day}
		n, _ := st.Counts.Get(k)
		if n == math.MaxUint32 {
			return
		}
		st.Counts.Put(k, n+1)
		k.Pos = n
		st.Receipts.Put(k, f.Purchase.ID)
	case *appeal.Opened:
		st.said(f.Site, f.Day, f.Sealed)
	case *appeal.Answered:
		st.said(f.Site, f.Day, f.Sealed)
	case *Asked:
		st.request(f.Sealed)
	case *screening.FileErased:
		st.request(f.Sealed)
	case *Done:
		n, _ := st.Marks.Get(done)
		all, _ := st.Marks.Get(asked)
		upto := min(f.Upto, all)
		if upto <= n {
			return
		}
		for ; n < upto; n++ {
			st.Requests.Delete(n)
		}
		st.Marks.Put(done, upto)
	case *DayErased:
		if next, _ := st.Next.Get(f.Site); f.Whole && f.Day >= next && f.Day < math.MaxUint16 {
			st.Next.Put(f.Site, f.Day+1)
		}
	}
}

// request notes that the key of sealed data is to be destroyed.
func (st State) request(sealed string) {
	n, _ := st.Marks.Get(asked)
	if n == math.MaxUint32 {
		return
	}
	st.Requests.Put(n, sealed)
	st.Marks.Put(asked, n+1)
}

// said lists sealed words under the day on which they were given.
func (st State) said(site, day uint16, sealed string) {
	k := Key{Site: site, Day: day}
	n, _ := st.Said.Get(k)
	if n == math.MaxUint32 || sealed == "" {
		return
	}
	st.Said.Put(k, n+1)
	k.Pos = n
	st.Texts.Put(k, sealed)
}

// Words returns the ids of the sealed words of a site's day.
func (st State) Words(site, day uint16) (list []string) {
	k := Key{Site: site, Day: day}
	n, _ := st.Said.Get(k)
	for k.Pos = range n {
		if id, ok := st.Texts.Get(k); ok {
			list = append(list, id)
		}
	}
	return list
}

// Waiting returns the ids of the requests that are not carried out yet, and the number up
// to which Done answers them.
func (st State) Waiting() (ids []string, upto uint32) {
	n, _ := st.Marks.Get(done)
	upto, _ = st.Marks.Get(asked)
	for ; n < upto; n++ {
		if id, ok := st.Requests.Get(n); ok {
			ids = append(ids, id)
		}
	}
	return ids, upto
}

// List returns the numbers of the receipts with sealed data of a site's day.
func (st State) List(site, day uint16) []string {
	k := Key{Site: site, Day: day}
	n, _ := st.Counts.Get(k)
	var list []string
	for k.Pos = range n {
		if id, ok := st.Receipts.Get(k); ok {
			list = append(list, id)
		}
	}
	return list
}

// DecideDay says that a site's day is erased. It is an act of the clock: before the days
// are over it is a problem.
func (st State) DecideDay(f DayErased, today uint16) ([]fact.Fact, error) {
	if f.After == 0 || int(f.Day)+int(f.After) > int(today) {
		return nil, problem.New(problem.Conflict, "erasure.early")
	}
	if f.Bookings == 0 && f.Receipts == 0 && f.Texts == 0 {
		return nil, nil // another server has said so already
	}
	return []fact.Fact{&f}, nil
}

// DecideDone says that requests were carried out.
func (st State) DecideDone(upto uint32) ([]fact.Fact, error) {
	n, _ := st.Marks.Get(done)
	all, _ := st.Marks.Get(asked)
	switch {
	case upto > all:
		return nil, problem.New(problem.Conflict, "erasure.unasked")
	case upto <= n:
		return nil, nil
	}
	return []fact.Fact{&Done{Upto: upto}}, nil
}
