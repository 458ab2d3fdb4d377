// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package market

import (
	"testing"
	"testing/fstest"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/fact"
	"darwaza.dev/internal/gate"
	"darwaza.dev/internal/reason"
	"darwaza.dev/internal/rules"
	"darwaza.dev/internal/table"
)

// priced is an agreement that works the value of a lot out by its quantity: a dollar for
// ten units, fifteen dollars a day.
func priced(t *testing.T) *rules.Law {
	const x = "{en: x, fa: x, ur: x}"
	e, err := agreement.Load(fstest.MapFS{
		"agreement.yaml": {Data: []byte(`id: priced
edition: 1
title: ` + x + `
zone: UTC
zonedata: ` + calendar.ZoneVersion + `
currency: USD
rounding: half-up
from: 2025-01-01
parties:
  A: {name: ` + x + `, country: PAK, zone: UTC, language: en, currency: PKR}
  B: {name: ` + x + `, country: IRN, zone: UTC, language: en, currency: IRR}
sites:
  - {id: s, number: 1, name: ` + x + `, zone: UTC, source: x, gates: [{number: 1, side: A, name: ` + x + `}, {number: 2, side: B, name: ` + x + `}]}
classes:
  - {id: buyer, number: 1, name: ` + x + `}
instruments:
  - {id: i, title: ` + x + `, status: law, source: x}
attributes:
  - {id: good.code, type: string, name: ` + x + `}
  - {id: good.quantity, type: int, name: ` + x + `}
  - {id: good.value, type: int, unit: USD, derived: true, name: ` + x + `}
`)},
		"parameters/p.yaml": {Data: []byte("parameters:\n  - {id: day, text: " + x + ", unit: USD, values: [{from: 2025-01-01, value: 15, source: x}]}\n")},
		"lists/l.yaml":      {Data: []byte("id: l\ntitle: " + x + "\nsource: x\nlines: l.csv\n")},
		"lists/l.csv":       {Data: []byte("code,unit,en,fa,ur\n0702.0000,kg,x,x,x\n")},
		"clauses/c.yaml": {Data: []byte(`instrument: i
clauses:
  - {id: cap, kind: cap, at: [goods], text: ` + x + `, say: ` + x + `, limit: day, per: day, else: REFUSE, missing: HOLD, decides: customs}
  - {id: listed, kind: listed, at: [goods], text: ` + x + `, say: ` + x + `, list: l, else: REFER, decides: customs}
  - {id: worth, kind: define, text: ` + x + `, attribute: good.value, value: good.quantity / 100}
  - {id: paper, kind: rule, at: [receipt], text: ` + x + `}
`)},
	})
	if err != nil {
		t.Fatal(err)
	}
	l, err := rules.Compile(e)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// TestKeepsWhatWasCounted: where an agreement works the value of a lot out, the desk keeps
// that value, and the limit of the day remembers it.
func TestKeepsWhatWasCounted(t *testing.T) {
	st := State{Values: table.Map[ValueKey, Value]{}, Ledgers: table.Map[LedgerKey, Ledger]{}, Receipts: table.Map[string, LedgerKey]{}, Turned: table.Map[string, TurnedLot]{}}
	now := time.Date(2025, time.June, 2, 10, 0, 0, 0, time.UTC)
	desk := Desk{State: st, Gate: gate.State{}, Law: priced(t), Side: agreement.A, Now: now}
	buy := func(id string, quantity, stated int64) (Answer, []fact.Fact) {
		t.Helper()
		l := Lot{ID: id, Site: 1, Tag: [16]byte{1}, Class: 1, Code: "07020000", Quantity: quantity, Officer: "o", Value: stated}
		if stated != 0 {
			l.Decided = Grounds[0]
		}
		facts, a, err := desk.DecideBuy(l)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range facts {
			Apply(st, now, f)
		}
		return a, facts
	}
	a, _ := buy("R-000000000001", 100_000, 0)
	if !a.Bought || a.Purchase.Value != 1000 || a.Purchase.Currency != "USD" || a.Verdict.Outcome != reason.Allow {
		t.Fatalf("%+v", a)
	}
	if lots := st.Ledgers.(table.Map[LedgerKey, Ledger])[LedgerKey{Tag: [16]byte{1}, Day: rules.DayNumber(calendar.On(now, time.UTC))}].Lots(func(uint16) string { return "s" }); len(lots) != 1 || lots[0].Value != 1000 {
		t.Errorf("lots %+v", lots)
	}
	if a, _ = buy("R-000000000002", 50_100, 0); a.Bought || a.Verdict.Outcome != reason.Refuse {
		t.Errorf("the limit forgot the first lot: %+v", a.Verdict)
	}
	// Neither a value that is displayed nor one that an officer states takes its place.
	if a, _ = buy("R-000000000003", 20_000, 1); !a.Bought || a.Purchase.Value != 200 {
		t.Errorf("a stated value: %+v", a.Purchase)
	}
	st.Values.Put(ValueKey{Site: 1, Code: "07020000", Day: rules.DayNumber(calendar.On(now, time.UTC))}, Value{Minor: 1, Currency: "USD", Unit: "kg"})
	if a, _ = buy("R-000000000004", 10_000, 0); !a.Bought || a.Purchase.Value != 100 {
		t.Errorf("a displayed value: %+v", a.Purchase)
	}
	// How much would still fit cannot be told by a displayed value that was not the one.
	if a, _ = buy("R-000000000005", 30_000, 0); a.Bought || a.Fits != 0 {
		t.Errorf("what fits: %+v", a)
	}
}
