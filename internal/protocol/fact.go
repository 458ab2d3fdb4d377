// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package protocol

import (
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/fact"
	"darwaza.dev/internal/reason"
)

// Codes of this desk's reasons.
const (
	CodeNotice    reason.Code = "level.notice.short"
	CodeEmergency reason.Code = "level.emergency.none"
	CodeProlonged reason.Code = "level.emergency.prolonged"
)

// Declared returns this desk's reasons with their outcomes.
func Declared() []reason.Decl {
	return []reason.Decl{
		{Code: CodeNotice, Outcome: reason.Refuse, When: "a level of protection would begin or end before the notice that the edition asks for"},
		{Code: CodeEmergency, Outcome: reason.Refuse, When: "the edition does not let the level be brought in that way: at once where it is no stricter, or with notice where it has none"},
		{Code: CodeProlonged, Outcome: reason.Refuse, When: "a level that was brought in at once lapses by itself, and is not prolonged by bringing it in again"},
	}
}

// Set says that an officer of this side has brought a level in at a site.
type Set struct {
	Site   uint16 `cbor:"1,keyasint"`
	Side   string `cbor:"2,keyasint"`
	Change Change `cbor:"3,keyasint"`
	// Standing is all that the side has brought in by now, the change among it.
	Standing []Change `cbor:"4,keyasint"`
}

// Heard says what the other side has brought in at a site, all of it.
type Heard struct {
	Site    uint16   `cbor:"1,keyasint"`
	Side    string   `cbor:"2,keyasint"`
	Changes []Change `cbor:"3,keyasint,omitempty"`
}

// FactKind names the fact.
func (Set) FactKind() string   { return "level.set" }
func (Heard) FactKind() string { return "level.heard" }

// Facts returns constructors of every fact of this desk.
func Facts() []func() fact.Fact {
	return []func() fact.Fact{
		func() fact.Fact { return new(Set) },
		func() fact.Fact { return new(Heard) },
	}
}

// Apply makes what a fact says of the state. It never refuses and passes over facts that
// are not about it.
func Apply(st State, _ time.Time, f fact.Fact) {
	switch f := f.(type) {
	case *Set:
		st.Standings.Put(Key{Site: f.Site, Side: agreement.Side(f.Side)}, Standing{Changes: f.Standing})
	case *Heard:
		st.Standings.Put(Key{Site: f.Site, Side: agreement.Side(f.Side)}, Standing{Changes: f.Changes})
	}
}
