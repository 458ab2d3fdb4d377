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
	Minor    int64 // per unit, minor units of Currency
	Currency string
	Unit     string
	By       string // officer id
	At       time.Time
}

// LedgerKey names one person's day over all markets of the agreement.
type LedgerKey struct {
	Tag [16]byte
	Day uint16
}

// Purchase is one lot as the desk decided it.
type Purchase struct {
	ID        string // receipt number, "R-" and Crockford base32
	Site      uint16
	Pass      pass.ID
	Code      string
	Category  string
	Quantity  int64 // thousandths of Unit
	Unit      string
	Value     int64 // minor units
	Currency  string
	Regime    string // "concession" or "statutory"
	Duty      int64  // minor units; meaningful where DutyKnown
	DutyKnown bool
	Clause    string // clause that set the duty or diverted
	Outcome   reason.Outcome
	Edition   string // hash, hex
	At        time.Time
	Officer   string
	Decided   string // officer whose decision ended a REFER, empty where none
	Void      bool
	VoidBy    string
	VoidAt    time.Time
	Replaces  string // the purchase that this one corrects
}

// Ledger is one person's purchases of one day, void ones included.
type Ledger struct {
	Key       LedgerKey
	Purchases []Purchase
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
	Card      string // number printed on the card
	Site      uint16
	From      uint16 // days since 2000-01-01, inclusive
	Until     uint16 // exclusive
	Suspended bool
	By        string // officer id
	At        time.Time
}

// State is what the goods desk knows. Vendors are by the tag of their document for
// the period of the register, not for a day.
type State struct {
	Values  table.Table[ValueKey, Value]
	Ledgers table.Table[LedgerKey, Ledger]
	// Receipts finds the ledger of a receipt number.
	Receipts table.Table[string, LedgerKey]
	Vendors  table.Table[[16]byte, Vendor]
}
