// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package market

import (
	"darwaza.dev/internal/fact"
	"darwaza.dev/internal/reason"
	"darwaza.dev/internal/rules"
)

// Displayed says which customs values are displayed at a site for a day. A value that
// was displayed before is corrected by the newer fact; purchases made before keep theirs.
type Displayed struct {
	Site    uint16      `cbor:"1,keyasint"`
	Day     uint16      `cbor:"2,keyasint"`
	Values  []CodeValue `cbor:"3,keyasint"`
	Officer string      `cbor:"4,keyasint"`
}

// CodeValue is the value of one good, per unit.
type CodeValue struct {
	Code     string `cbor:"1,keyasint"`
	Minor    int64  `cbor:"2,keyasint"`
	Currency string `cbor:"3,keyasint"`
	Unit     string `cbor:"4,keyasint"`
}

// Bought says that a lot was bought.
type Bought struct {
	Key      LedgerKey       `cbor:"1,keyasint"`
	Purchase Purchase        `cbor:"2,keyasint"`
	Reasons  []reason.Reason `cbor:"3,keyasint,omitempty"` // of the verdict, without parameters
	// Asked are the questions to the law: on the lot, and on its receipt.
	Asked []rules.Asked `cbor:"4,keyasint,omitempty"`
}

// Turned says that a lot was not let go at the concessional rate: refused, or diverted
// or referred and then not bought.
type Turned struct {
	Site     uint16          `cbor:"1,keyasint"`
	Day      uint16          `cbor:"2,keyasint"`
	Code     string          `cbor:"3,keyasint"`
	Category string          `cbor:"4,keyasint,omitempty"`
	Outcome  reason.Outcome  `cbor:"5,keyasint"`
	Reasons  []reason.Reason `cbor:"6,keyasint,omitempty"`
	Officer  string          `cbor:"7,keyasint"`
	// ID is the number that the buyer is told, of the form of a receipt's; nobody gets
	// another lot under it.
	ID      string `cbor:"8,keyasint,omitempty"`
	Edition string `cbor:"9,keyasint,omitempty"`
	// Asked are the questions to the law, as in Bought.
	Asked []rules.Asked `cbor:"10,keyasint,omitempty"`
}

// TakenBack says that a purchase is void. The receipt stays and says so.
type TakenBack struct {
	Key     LedgerKey `cbor:"1,keyasint"`
	ID      string    `cbor:"2,keyasint"`
	Why     string    `cbor:"3,keyasint"`
	Officer string    `cbor:"4,keyasint"`
	// What is taken back, for the day's figures.
	Site      uint16 `cbor:"5,keyasint"`
	Category  string `cbor:"6,keyasint,omitempty"`
	Value     int64  `cbor:"7,keyasint"`
	Duty      int64  `cbor:"8,keyasint"`
	DutyKnown bool   `cbor:"9,keyasint,omitempty"`
	Diverted  bool   `cbor:"10,keyasint,omitempty"`
}

// Enrolled says how a vendor's card stands.
type Enrolled struct {
	Register [16]byte `cbor:"1,keyasint"`
	Vendor   Vendor   `cbor:"2,keyasint"`
}

// FactKind names the fact.
func (Displayed) FactKind() string { return "market.displayed" }
func (Bought) FactKind() string    { return "market.bought" }
func (Turned) FactKind() string    { return "market.turned" }
func (TakenBack) FactKind() string { return "market.voided" }
func (Enrolled) FactKind() string  { return "market.enrolled" }

// Facts returns constructors of every fact of this desk.
func Facts() []func() fact.Fact {
	return []func() fact.Fact{
		func() fact.Fact { return new(Displayed) },
		func() fact.Fact { return new(Bought) },
		func() fact.Fact { return new(Turned) },
		func() fact.Fact { return new(TakenBack) },
		func() fact.Fact { return new(Enrolled) },
	}
}
