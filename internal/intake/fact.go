// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package intake

import (
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/fact"
)

// Committed says what a side takes in at a site from now on, all of it.
type Committed struct {
	Site    uint16 `cbor:"1,keyasint"`
	Side    string `cbor:"2,keyasint"`
	Serial  uint64 `cbor:"3,keyasint"`
	Lines   []Line `cbor:"4,keyasint,omitempty"`
	Officer string `cbor:"5,keyasint,omitempty"` // who said so, or who made the rule that was reckoned anew
}

// CommitmentHeard says what the other side has committed at a site, and up to which of this
// side's changes it goes by them.
type CommitmentHeard struct {
	Site   uint16 `cbor:"1,keyasint"`
	Side   string `cbor:"2,keyasint"`
	Serial uint64 `cbor:"3,keyasint,omitempty"`
	Lines  []Line `cbor:"4,keyasint,omitempty"`
	Acked  uint64 `cbor:"5,keyasint,omitempty"`
}

// FactKind names the fact.
func (Committed) FactKind() string       { return "intake.committed" }
func (CommitmentHeard) FactKind() string { return "intake.heard" }

// Facts returns constructors of every fact of this desk.
func Facts() []func() fact.Fact {
	return []func() fact.Fact{
		func() fact.Fact { return new(Committed) },
		func() fact.Fact { return new(CommitmentHeard) },
	}
}

// Apply makes what a fact says of the state. It never refuses and passes over facts that
// are not about it.
func Apply(st State, at time.Time, f fact.Fact) {
	switch f := f.(type) {
	case *Committed:
		k := Key{f.Site, agreement.Side(f.Side)}
		old, _ := st.Standings.Get(k)
		s := Standing{Serial: f.Serial, Lines: f.Lines, Acked: old.Acked, Wide: old.Wide || f.Serial > old.Serial+1, At: at, By: f.Officer}
		s.Before = append(append(s.Before, old.Before...), Past{old.Serial, old.Lines})
		if len(s.Before) > maxBefore {
			s.Before, s.Wide = nil, true
		}
		st.Standings.Put(k, s)
	case *CommitmentHeard:
		k := Key{f.Site, agreement.Side(f.Side)}
		if old, ok := st.Standings.Get(k); !ok || old.Serial < f.Serial {
			st.Standings.Put(k, Standing{Serial: f.Serial, Lines: f.Lines, At: at})
		}
		k.Side = k.Side.Other()
		own, ok := st.Standings.Get(k)
		if !ok || f.Acked <= own.Acked || f.Acked > own.Serial {
			return
		}
		own.Acked = f.Acked
		var left []Past
		for _, p := range own.Before {
			if p.Serial >= f.Acked {
				left = append(left, p)
			}
		}
		own.Before = left
		if f.Acked == own.Serial {
			own.Wide = false
		}
		st.Standings.Put(k, own)
	}
}
