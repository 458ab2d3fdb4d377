// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package service

import (
	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/fact"
	"darwaza.dev/internal/rules"
)

// What every booking is answered, it writes itself; see fact.Appender. A field that is
// added to a type goes here too, in the order of its encoded key, and a test fails until
// it does.

// AppendTo writes the answer as it is kept.
func (a BookingAnswer) AppendTo(e *fact.Encoder) {
	s := e.Struct()
	appendVerdict(s.Key(1), &a.Verdict)
	a.Booking.AppendTo(s.Key(2))
	a.Refusal.AppendTo(s.Key(3))
	s.End()
}

func appendVerdict(e *fact.Encoder, v *rules.Verdict) {
	s := e.Struct()
	s.Name("at").Time(v.At)
	if len(v.Parts) > 0 {
		fact.Each(s.Name("parts"), v.Parts, appendVerdict)
	}
	s.Name("point").Text(string(v.Point))
	if len(v.Steps) > 0 {
		fact.Each(s.Name("steps"), v.Steps, func(e *fact.Encoder, x *rules.Step) {
			s := e.Struct()
			s.Name("did").Text(x.Did)
			if x.Note != "" {
				s.Name("note").Text(x.Note)
			}
			s.Name("clause").Text(x.Clause)
			s.End()
		})
	}
	if len(v.Inputs) > 0 {
		fact.Each(s.Name("inputs"), v.Inputs, func(e *fact.Encoder, x *rules.Input) {
			s := e.Struct()
			s.Name("name").Text(x.Name)
			if x.Value != "" {
				s.Name("value").Text(x.Value)
			}
			s.End()
		})
	}
	if len(v.Amounts) > 0 {
		fact.Each(s.Name("amounts"), v.Amounts, appendAmount)
	}
	if v.Edition != "" {
		s.Name("edition").Text(v.Edition)
	}
	if len(v.Missing) > 0 {
		fact.Each(s.Name("missing"), v.Missing, appendText)
	}
	s.Name("outcome").Uint(uint64(v.Outcome))
	if len(v.Reasons) > 0 {
		fact.Each(s.Name("reasons"), v.Reasons, booking.AppendReason)
	}
	if v.Agreement != "" {
		s.Name("agreement").Text(v.Agreement)
	}
	if len(v.Questions) > 0 {
		fact.Each(s.Name("questions"), v.Questions, func(e *fact.Encoder, x *rules.Question) {
			s := e.Struct()
			s.Name("id").Text(x.ID)
			s.Name("settled").Bool(x.Settled)
			if x.Agreement != "" {
				s.Name("agreement").Text(x.Agreement)
			}
			s.End()
		})
	}
	s.End()
}

func appendAmount(e *fact.Encoder, x *rules.Amount) {
	s := e.Struct()
	if x.Of != "" {
		s.Name("of").Text(x.Of)
	}
	s.Name("name").Text(x.Name)
	if len(x.Over) > 0 {
		fact.Each(s.Name("over"), x.Over, appendText)
	}
	if x.Unit != "" {
		s.Name("unit").Text(x.Unit)
	}
	s.Name("known").Bool(x.Known)
	s.Name("minor").Int(x.Minor)
	if len(x.Steps) > 0 {
		fact.Each(s.Name("steps"), x.Steps, appendWorking)
	}
	s.Name("clause").Text(x.Clause)
	s.Name("currency").Text(x.Currency)
	if x.Agreement != "" {
		s.Name("agreement").Text(x.Agreement)
	}
	s.End()
}

func appendWorking(e *fact.Encoder, w *rules.Working) {
	s := e.Struct()
	if w.Of != "" {
		s.Name("of").Text(w.Of)
	}
	s.Name("code").Text(w.Code)
	if w.Name != "" {
		s.Name("name").Text(w.Name)
	}
	if w.Text != "" {
		s.Name("text").Text(w.Text)
	}
	s.End()
}

func appendText(e *fact.Encoder, t *string) { e.Text(*t) }

// AppendTo writes the essence under the names of its fields.
func (b bookEssence) AppendTo(e *fact.Encoder) {
	s := e.Struct()
	s.Name("Slot").Uint(uint64(b.Slot))
	s.Name("Test").Uint(uint64(b.Test))
	s.Name("Waits").Bool(b.Waits)
	fact.Each(s.Name("Members"), b.Members, func(e *fact.Encoder, m *NewMember) {
		s := e.Struct()
		s.Key(1).Bytes(m.Pass[:])
		s.Key(2).Bytes(m.Tag[:])
		s.Key(3).Bytes(m.Binding[:])
		s.Key(4).Bytes(m.Register[:])
		s.Text(5, m.Document)
		s.Text(6, m.Country)
		if m.Age != 0 {
			s.Key(7).Int(int64(m.Age))
		}
		s.Uint(8, uint64(m.Children))
		if m.Shown.Any() {
			appendShown(s.Key(9), &m.Shown)
		}
		s.End()
	})
	s.Name("Officer").Text(string(b.Officer))
	s.Name("Standing").Bool(b.Standing)
	s.End()
}

func appendShown(e *fact.Encoder, x *rules.Shown) {
	s := e.Struct()
	if len(x.Proofs) > 0 {
		fact.Each(s.Key(1), x.Proofs, func(e *fact.Encoder, p *rules.Proof) {
			s := e.Struct()
			s.Text(1, p.Kind)
			s.Text(2, p.Disease)
			s.Text(3, p.Product)
			for n, v := range [...]int64{4: p.Dose, 5: p.Doses} {
				if v != 0 {
					s.Key(uint64(n)).Int(v)
				}
			}
			s.Text(6, p.Test)
			s.Text(7, p.Result)
			s.Text(8, p.Country)
			s.Text(9, p.Issuer)
			s.Text(10, p.Format)
			s.Text(11, p.Assurance)
			for n, v := range [...]int64{12: p.Earliest, 13: p.Latest, 14: p.From, 15: p.Until} {
				if v != 0 {
					s.Key(uint64(n)).Int(v)
				}
			}
			s.End()
		})
	}
	if len(x.Certificate) > 0 {
		s.Key(2).Bytes(x.Certificate)
	}
	s.End()
}
