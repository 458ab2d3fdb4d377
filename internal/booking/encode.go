// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package booking

import (
	"darwaza.dev/internal/fact"
	"darwaza.dev/internal/reason"
	"darwaza.dev/internal/rules"
)

// What every booking writes, it writes itself; see fact.Appender. A field that is added to
// a type goes here too, in the order of the numbers, and a test fails until it does.

// AppendTo writes the row of a booking.
func (b *Booking) AppendTo(e *fact.Encoder) {
	s := e.Struct()
	s.Text(1, string(b.Ref))
	s.Uint(2, uint64(b.Slot))
	s.Uint(3, uint64(b.Status))
	if len(b.Members) > 0 {
		fact.Each(s.Key(4), b.Members, appendMember)
	}
	s.Uint(5, b.Position)
	s.Bool(6, b.Standing)
	s.Key(7).Time(b.OfferUntil)
	s.Text(8, b.By)
	s.Key(9).Time(b.At)
	s.Uint(10, uint64(b.Moves))
	s.Text(11, b.Sealed)
	s.Uint(12, uint64(b.Passed))
	if len(b.PassedWhy) > 0 {
		fact.Each(s.Key(13), b.PassedWhy, AppendReason)
	}
	if len(b.Kept) > 0 {
		fact.Each(s.Key(14), b.Kept, func(e *fact.Encoder, n *uint64) { e.Uint(*n) })
	}
	s.Bool(15, b.GivenBack)
	if b.Test != nil {
		appendTest(s.Key(16), b.Test)
	}
	s.End()
}

func appendTest(e *fact.Encoder, t *Test) {
	s := e.Struct()
	s.Key(1).Uint(uint64(t.Slot))
	fact.Each(s.Key(2), t.Kinds, appendText)
	s.Key(3).Uint(uint64(t.Places))
	s.End()
}

func appendMember(e *fact.Encoder, m *Member) {
	s := e.Struct()
	s.Key(1).Bytes(m.Pass[:])
	s.Uint(2, uint64(m.Gen))
	s.Uint(3, uint64(m.Place))
	s.Uint(4, uint64(m.Children))
	s.Key(5).Bytes(m.Tag[:])
	s.Key(6).Bytes(m.Binding[:])
	s.Text(7, m.Document)
	s.Text(8, m.Country)
	if m.Age != 0 {
		s.Key(9).Int(int64(m.Age))
	}
	s.Key(10).Bytes(m.Register[:])
	s.End()
}

// AppendReason writes a reason.
func AppendReason(e *fact.Encoder, r *reason.Reason) {
	s := e.Struct()
	s.Key(1).Text(string(r.Code))
	s.Key(2).Uint(uint64(r.Outcome))
	s.Text(3, r.Clause)
	if len(r.Params) > 0 {
		s.Key(4).Texts(r.Params)
	}
	s.Text(5, r.Agreement)
	s.End()
}

// AppendTo writes the row of a request that gave no booking.
func (r *Refusal) AppendTo(e *fact.Encoder) {
	s := e.Struct()
	s.Text(1, string(r.Ref))
	s.Uint(2, uint64(r.Slot))
	s.Uint(3, uint64(r.Places))
	s.Uint(4, uint64(r.Outcome))
	if len(r.Reasons) > 0 {
		fact.Each(s.Key(5), r.Reasons, AppendReason)
	}
	s.Text(6, r.Edition)
	s.Key(7).Time(r.At)
	s.Text(8, r.By)
	if len(r.Members) > 0 {
		fact.Each(s.Key(9), r.Members, appendMember)
	}
	s.Text(10, r.Sealed)
	s.Text(11, r.Decided)
	s.Bool(12, r.Admitted)
	s.Text(13, r.Why)
	s.Key(14).Time(r.DecidedAt)
	s.End()
}

// AppendTo writes the row of a pass.
func (h *Holder) AppendTo(e *fact.Encoder) {
	s := e.Struct()
	s.Text(1, string(h.Ref))
	s.Uint(2, uint64(h.Member))
	s.Uint(3, uint64(h.Gen))
	s.Bool(4, h.Gone)
	s.End()
}

// AppendTo writes the fact.
func (f *Made) AppendTo(e *fact.Encoder) {
	s := e.Struct()
	s.Key(1).Text(string(f.Ref))
	s.Key(2).Uint(uint64(f.Slot))
	fact.Each(s.Key(3), f.Members, appendMember)
	s.Text(4, f.By)
	s.Text(5, f.Sealed)
	s.Text(6, f.Decided)
	if len(f.Asked) > 0 {
		fact.Each(s.Key(7), f.Asked, appendAsked)
	}
	if f.Test != nil {
		appendTest(s.Key(8), f.Test)
	}
	s.End()
}

func appendAsked(e *fact.Encoder, a *rules.Asked) {
	s := e.Struct()
	s.Text(1, a.Query)
	if len(a.Withheld) > 0 {
		fact.Each(s.Key(2), a.Withheld, appendText)
	}
	if len(a.Missing) > 0 {
		fact.Each(s.Key(3), a.Missing, appendText)
	}
	s.Uint(4, uint64(a.Outcome))
	if len(a.By) > 0 {
		fact.Each(s.Key(5), a.By, func(e *fact.Encoder, o *rules.AskedOf) {
			s := e.Struct()
			s.Text(1, o.Agreement)
			s.Uint(2, uint64(o.Outcome))
			s.End()
		})
	}
	s.End()
}

func appendText(e *fact.Encoder, t *string) { e.Text(*t) }
