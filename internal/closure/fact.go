// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package closure

import (
	"slices"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/fact"
	"darwaza.dev/internal/reason"
)

// Codes of this desk's reasons.
const (
	CodeAct       reason.Code = "closure.act.closed"
	CodeUntil     reason.Code = "closure.act.until"
	CodeDay       reason.Code = "closure.plan.day"
	CodeOrder     reason.Code = "closure.plan.order"
	CodePower     reason.Code = "closure.power.none"
	CodeScope     reason.Code = "closure.power.scope"
	CodeNotice    reason.Code = "closure.notice.short"
	CodeLong      reason.Code = "closure.act.long"
	CodeProlonged reason.Code = "closure.act.prolonged"
	CodeEndless   reason.Code = "closure.plan.endless"
	CodeLate      reason.Code = "closure.plan.late"
)

// Declared returns this desk's reasons with their outcomes.
func Declared() []reason.Decl {
	return []reason.Decl{
		{Code: CodeAct, Outcome: reason.Closed, When: "an act of one side has closed the site, and nobody knows until when; the act and its clause are named"},
		{Code: CodeUntil, Outcome: reason.Closed, When: "an act of one side has closed the site until a time; the act and its clause are named"},
		{Code: CodeDay, Outcome: reason.Closed, When: "the site opens again in stages, by a plan that both sides have signed, and not on this day"},
		{Code: CodeOrder, Outcome: reason.Closed, When: "places up to a day are for those who have waited since the closure, in their order"},
		{Code: CodePower, Outcome: reason.Refuse, When: "no clause in force lets this side close the site in this way"},
		{Code: CodeScope, Outcome: reason.Refuse, When: "the clause does not let this side close for these classes or this direction"},
		{Code: CodeNotice, Outcome: reason.Refuse, When: "a closure would begin before the notice that its clause asks for"},
		{Code: CodeLong, Outcome: reason.Refuse, When: "a closure would last longer than its clause lets it"},
		{Code: CodeProlonged, Outcome: reason.Refuse, When: "a closure that was brought in at once lapses by itself, and is not prolonged by bringing it in again"},
		{Code: CodeEndless, Outcome: reason.Refuse, When: "by the plan those who wait would never all have crossed"},
		{Code: CodeLate, Outcome: reason.Refuse, When: "the first day of the plan is over, or is no day on which the site could open"},
	}
}

// Suspended says that an officer of this side has closed a site.
type Suspended struct {
	Site uint16 `cbor:"1,keyasint"`
	Side string `cbor:"2,keyasint"`
	Act  Act    `cbor:"3,keyasint"`
}

// Lifted says that an officer of this side has ended an act.
type Lifted struct {
	Site    uint16    `cbor:"1,keyasint"`
	Side    string    `cbor:"2,keyasint"`
	Number  uint32    `cbor:"3,keyasint"`
	At      time.Time `cbor:"4,keyasint"`
	Officer string    `cbor:"5,keyasint"`
}

// Proposed says that an officer of this side has signed a plan of reopening.
type Proposed struct {
	Site uint16 `cbor:"1,keyasint"`
	Side string `cbor:"2,keyasint"`
	Plan Plan   `cbor:"3,keyasint"`
}

// Accepted says that an officer of this side has signed a plan of the other one.
type Accepted struct {
	Site    uint16  `cbor:"1,keyasint"`
	Side    string  `cbor:"2,keyasint"`
	Consent Consent `cbor:"3,keyasint"`
}

// Heard says what the other side has done at a site, all of it.
type Heard struct {
	Site     uint16   `cbor:"1,keyasint"`
	Side     string   `cbor:"2,keyasint"`
	Standing Standing `cbor:"3,keyasint"`
}

// FactKind names the fact.
func (Suspended) FactKind() string { return "closure.suspended" }
func (Lifted) FactKind() string    { return "closure.lifted" }
func (Proposed) FactKind() string  { return "closure.proposed" }
func (Accepted) FactKind() string  { return "closure.accepted" }
func (Heard) FactKind() string     { return "closure.heard" }

// Facts returns constructors of every fact of this desk.
func Facts() []func() fact.Fact {
	return []func() fact.Fact{
		func() fact.Fact { return new(Suspended) }, func() fact.Fact { return new(Lifted) }, func() fact.Fact { return new(Proposed) },
		func() fact.Fact { return new(Accepted) }, func() fact.Fact { return new(Heard) },
	}
}

// remembered is how long an act that has ended, and a plan, are kept: for so long it can
// be asked whose place was closed by it.
const remembered = 400 * 24 * time.Hour

// Apply makes what a fact says of the state. It never refuses and passes over facts that
// are not about it.
func Apply(st State, at time.Time, f fact.Fact) {
	change := func(site uint16, side string, with func(*Standing)) {
		k := Key{Site: site, Side: agreement.Side(side)}
		s, _ := st.Standings.Get(k)
		s.Acts = slices.DeleteFunc(slices.Clone(s.Acts), func(a Act) bool { return a.Over(at.Add(-remembered)) })
		s.Plans = slices.DeleteFunc(slices.Clone(s.Plans), func(p Plan) bool { return p.Said.Before(at.Add(-remembered)) })
		s.Consents = slices.DeleteFunc(slices.Clone(s.Consents), func(c Consent) bool { return c.Said.Before(at.Add(-remembered)) })
		with(&s)
		st.Standings.Put(k, s.lean())
	}
	switch f := f.(type) {
	case *Suspended:
		change(f.Site, f.Side, func(s *Standing) { s.Acts = append(s.Acts, f.Act) })
	case *Lifted:
		change(f.Site, f.Side, func(s *Standing) {
			for i, a := range s.Acts {
				if a.Number == f.Number {
					s.Acts[i].Lifted = f.At
				}
			}
		})
	case *Proposed:
		change(f.Site, f.Side, func(s *Standing) { s.Plans = append(s.Plans, f.Plan) })
	case *Accepted:
		change(f.Site, f.Side, func(s *Standing) { s.Consents = append(s.Consents, f.Consent) })
	case *Heard:
		st.Standings.Put(Key{Site: f.Site, Side: agreement.Side(f.Side)}, f.Standing.lean())
	}
}

// lean has no empty lists: a row that was stored and read again is the same row.
func (s Standing) lean() Standing {
	if len(s.Acts) == 0 {
		s.Acts = nil
	}
	if len(s.Plans) == 0 {
		s.Plans = nil
	}
	if len(s.Consents) == 0 {
		s.Consents = nil
	}
	return s
}
