// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

// Package market is the goods desk: displayed values, purchases, caps per person and
// day, duty, receipts.
package market

import (
	"time"

	"darwaza.dev/internal/pass"
	"darwaza.dev/internal/reason"
	"darwaza.dev/internal/rules"
	"darwaza.dev/internal/table"
)

// ValueKey names a displayed customs value.
type ValueKey struct {
	Site uint16
	Code string // eight digits
	Day  uint16 // days since 2000-01-01
}

// Value is the customs value displayed for a good at a site on a day.
type Value struct {
	Minor    int64     `cbor:"1,keyasint,omitempty"` // per unit, minor units of Currency
	Currency string    `cbor:"2,keyasint,omitempty"`
	Unit     string    `cbor:"3,keyasint,omitempty"`
	By       string    `cbor:"4,keyasint,omitempty"` // officer id
	At       time.Time `cbor:"5,keyasint,omitempty"`
}

// LedgerKey names one person's day over all markets of the agreement.
type LedgerKey struct {
	Tag [16]byte `cbor:"1,keyasint,omitempty"`
	Day uint16   `cbor:"2,keyasint,omitempty"`
}

// Purchase is one lot as the desk decided it.
type Purchase struct {
	ID        string         `cbor:"1,keyasint,omitempty"` // receipt number, "R-" and Crockford base32
	Site      uint16         `cbor:"2,keyasint,omitempty"`
	Pass      pass.ID        `cbor:"3,keyasint,omitempty"`
	Code      string         `cbor:"4,keyasint,omitempty"`
	Category  string         `cbor:"5,keyasint,omitempty"`
	Quantity  int64          `cbor:"6,keyasint,omitempty"` // thousandths of Unit
	Unit      string         `cbor:"7,keyasint,omitempty"`
	Value     int64          `cbor:"8,keyasint,omitempty"` // minor units
	Currency  string         `cbor:"9,keyasint,omitempty"`
	Regime    string         `cbor:"10,keyasint,omitempty"` // "concession" or "statutory"
	Duty      int64          `cbor:"11,keyasint,omitempty"` // minor units; meaningful where DutyKnown
	DutyKnown bool           `cbor:"12,keyasint,omitempty"`
	Clause    string         `cbor:"13,keyasint,omitempty"` // clause that set the duty or diverted
	Outcome   reason.Outcome `cbor:"14,keyasint,omitempty"`
	Edition   string         `cbor:"15,keyasint,omitempty"` // hash, hex
	At        time.Time      `cbor:"16,keyasint,omitempty"`
	Officer   string         `cbor:"17,keyasint,omitempty"`
	Decided   string         `cbor:"18,keyasint,omitempty"` // officer whose decision ended a REFER, empty where none
	Void      bool           `cbor:"19,keyasint,omitempty"`
	VoidBy    string         `cbor:"20,keyasint,omitempty"`
	VoidAt    time.Time      `cbor:"21,keyasint,omitempty"`
	Replaces  string         `cbor:"22,keyasint,omitempty"` // the purchase that this one corrects
	// Sealed is the id of the buyer's sealed name and number, where the desk read them;
	// empty where they are with the buyer's booking.
	Sealed     string `cbor:"23,keyasint,omitempty"`
	Document   string `cbor:"24,keyasint,omitempty"` // kind of the buyer's document
	DecidedWhy string `cbor:"25,keyasint,omitempty"` // the ground of the decision, one of Grounds
	// Reasons are those of the answer where it was not ALLOW, without parameters.
	Reasons []reason.Reason `cbor:"27,keyasint,omitempty"`
	VoidWhy string          `cbor:"26,keyasint,omitempty"` // one of Grounds
}

// Ledger is one person's purchases of one day, void ones included.
type Ledger struct {
	Key       LedgerKey  `cbor:"1,keyasint,omitempty"`
	Purchases []Purchase `cbor:"2,keyasint,omitempty"`
}

// Lots returns the purchases that count, as rules see them. site names a site number.
func (l Ledger) Lots(site func(uint16) string) []rules.Lot {
	var lots []rules.Lot
	for _, p := range l.Purchases {
		if !p.Void {
			lots = append(lots, rules.Lot{Category: p.Category, Value: p.Value, Regime: p.Regime, Site: site(p.Site)})
		}
	}
	return lots
}

// Vendor is a vendor's card: a standing permit of one side to sell in the market.
type Vendor struct {
	// Card is the number printed on the card. It is in no fact and in no row of Vendors: it
	// names a person as a document's number does. A view fills it in.
	Card      string    `cbor:"1,keyasint,omitempty"`
	Site      uint16    `cbor:"2,keyasint,omitempty"`
	From      uint16    `cbor:"3,keyasint,omitempty"` // days since 2000-01-01, inclusive
	Until     uint16    `cbor:"4,keyasint,omitempty"` // exclusive
	Suspended bool      `cbor:"5,keyasint,omitempty"`
	By        string    `cbor:"6,keyasint,omitempty"` // officer id
	At        time.Time `cbor:"7,keyasint,omitempty"`
}

// State is what the goods desk knows. Vendors are by the tag of their document for
// the period of the register, not for a day.
type State struct {
	Values  table.Table[ValueKey, Value]
	Ledgers table.Table[LedgerKey, Ledger]
	// Receipts finds the ledger of a receipt number.
	Receipts table.Table[string, LedgerKey]
	Vendors  table.Table[[16]byte, Vendor]
	// Listed are the register tags of all vendors in the order of their first cards, from
	// 0; Counts has their number under "vendors".
	Listed table.Table[uint32, [16]byte]
	Counts table.Table[string, uint32]
	// Turned are the lots that were not let go, by the number that the buyer was told.
	Turned table.Table[string, TurnedLot]
}

// TurnedLot is a lot that was not let go at the concessional rate, as the desk answered.
type TurnedLot struct {
	Site    uint16          `cbor:"1,keyasint,omitempty"`
	Day     uint16          `cbor:"2,keyasint,omitempty"`
	Code    string          `cbor:"3,keyasint,omitempty"`
	Outcome reason.Outcome  `cbor:"4,keyasint,omitempty"`
	Reasons []reason.Reason `cbor:"5,keyasint,omitempty"` // without parameters
	Edition string          `cbor:"6,keyasint,omitempty"` // hash, hex
	At      time.Time       `cbor:"7,keyasint,omitempty"`
	Officer string          `cbor:"8,keyasint,omitempty"` // officer id
}
