// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"encoding/binary"
	"fmt"
	"math"

	"darwaza.dev/internal/appeal"
	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/closure"
	"darwaza.dev/internal/cose"
	"darwaza.dev/internal/erasure"
	"darwaza.dev/internal/gate"
	"darwaza.dev/internal/intake"
	"darwaza.dev/internal/market"
	"darwaza.dev/internal/pass"
	"darwaza.dev/internal/people"
	"darwaza.dev/internal/protocol"
	"darwaza.dev/internal/screening"
	"darwaza.dev/internal/service"
	"darwaza.dev/internal/stats"
	"darwaza.dev/internal/store/engine"
	"darwaza.dev/internal/table"
)

// sealedTable is the one table that rebuilding from facts leaves out.
const sealedTable = "sealed"

// build makes the state's tables. A new table is a new line here: its rows are a key and
// a value and nothing else, so that an engine makes it where it is missing. Whatever
// needs columns of its own, as slots do, needs a numbered migration in both engines.
// A name is never used again for something else.
func (w *Working) build() {
	w.slots = slots(w)
	w.kept = keptRows(w)
	w.State = service.State{
		Booking: booking.State{
			Slots:       w.slots,
			Bookings:    learning[booking.Ref, booking.Booking](w, "bookings", textKey),
			Claims:      quick(learning[booking.ClaimKey, booking.Ref](w, "claims", claimKey), refText),
			Standby:     add[booking.StandbyKey, booking.Ref](w, "standby", standbyKey),
			Holders:     learning[pass.ID, booking.Holder](w, "holders", passKey),
			Withdrawals: add[uint64, booking.Withdrawal](w, "withdrawals", key64),
			Acks:        add[uint16, booking.Acks](w, "acks", key16),
			Roster:      quick(add[booking.RosterKey, booking.Ref](w, "booking_roster", bookingRosterKey), refText),
			Rosters:     add[booking.RosterKey, uint32](w, "booking_rosters", bookingRosterKey),
			Changes:     add[uint64, booking.ClaimChange](w, "claim_changes", key64),
			TheirClaims: learning[booking.ClaimKey, booking.TheirClaim](w, "their_claims", claimKey),
			Cursors:     add[booking.RosterKey, booking.ClaimCursor](w, "claim_cursors", bookingRosterKey),
			Refusals:    learning[booking.Ref, booking.Refusal](w, "refusals", textKey),
			Transfers:   add[booking.SlotID, booking.Transfer](w, "transfers", slotKey),
			Moving:      add[uint16, booking.Moving](w, "moving", key16),
		},
		Gate: gate.State{
			Presences: learning[pass.ID, gate.Presence](w, "presences", passKey),
			Days:      add[gate.SiteDayKey, gate.SiteDay](w, "gate_days", siteDayKey),
			Roster:    add[gate.RosterKey, pass.ID](w, "gate_roster", gateRosterKey),
			Strays:    add[gate.RosterKey, gate.Scan](w, "gate_strays", gateRosterKey),
			Serials:   add[string, uint64](w, "serials", textKey),
			Withdrawn: learning[pass.ID, gate.Withdrawn](w, "withdrawn", passKey),
			Heard:     add[string, gate.Heard](w, "heard", textKey),
			Moves:     add[uint64, gate.Move](w, "moves", key64),
			Elsewhere: learning[pass.ID, gate.Elsewhere](w, "elsewhere", passKey),
			Guests:    learning[booking.ClaimKey, pass.ID](w, "guests", claimKey),
		},
		Market: market.State{
			Values:   add[market.ValueKey, market.Value](w, "displayed", valueKey),
			Ledgers:  learning[market.LedgerKey, market.Ledger](w, "ledgers", ledgerKey),
			Receipts: add[string, market.LedgerKey](w, "receipts", textKey),
			Vendors:  learning[[16]byte, market.Vendor](w, "vendors", tagKey),
			Listed:   add[uint32, [16]byte](w, "vendors_listed", key32),
			Counts:   add[string, uint32](w, "market_counts", textKey),
			Turned:   add[string, market.TurnedLot](w, "turned", textKey),
		},
		People: people.State{
			Officers: add[people.OfficerID, people.Officer](w, "officers", textKey),
			Numbers:  add[uint32, people.OfficerID](w, "officer_numbers", key32),
			Counts:   add[string, uint32](w, "counts", textKey),
		},
		Stats: stats.State{
			Days:  add[stats.Key, stats.Day](w, "stats_days", statsKey),
			Other: add[stats.Key, stats.Other](w, "stats_other", statsKey),
		},
		Erasure: erasure.State{
			Receipts: add[erasure.Key, string](w, "erase_receipts", eraseKey),
			Counts:   add[erasure.Key, uint32](w, "erase_counts", eraseKey),
			Next:     add[uint16, uint16](w, "erase_next", key16),
			Requests: add[uint32, string](w, "erase_requests", key32),
			Marks:    add[string, uint32](w, "erase_marks", textKey),
			Texts:    add[erasure.Key, string](w, "erase_texts", eraseKey),
			Said:     add[erasure.Key, uint32](w, "erase_said", eraseKey),
		},
		Appeal: appeal.State{
			Cases:    add[appeal.ID, appeal.Case](w, "cases", textKey),
			Subjects: add[appeal.Subject, appeal.Numbered](w, "case_subjects", textKey),
			Roster:   add[appeal.RosterKey, appeal.ID](w, "case_roster", caseRosterKey),
			Sites:    add[uint16, appeal.SiteCases](w, "case_sites", key16),
			Days:     add[appeal.DayKey, appeal.DayCases](w, "case_days", caseDayKey),
		},
		Levels: protocol.State{Standings: add[protocol.Key, protocol.Standing](w, "levels", levelKey)},
		Screening: screening.State{
			Cases:     add[screening.ID, screening.Case](w, "health_cases", textKey),
			Roster:    add[screening.RosterKey, screening.ID](w, "health_roster", healthRosterKey),
			Sites:     add[uint16, screening.SiteCases](w, "health_sites", key16),
			Passes:    learning[pass.ID, screening.ID](w, "health_passes", passKey),
			Registers: learning[[16]byte, screening.ID](w, "health_registers", tagKey),
		},
		Intake:   intake.State{Standings: add[intake.Key, intake.Standing](w, "intake", intakeKey)},
		Closures: closure.State{Standings: add[closure.Key, closure.Standing](w, "closures", closureKey)},
		Sealed:   bytesTable(w, sealedTable),
	}
}

// add makes a table whose values are CBOR in deterministic form.
func add[K comparable, V any](w *Working, name string, key func([]byte, K) []byte) table.Table[K, V] {
	r := &rows[K, V]{
		w: w, name: w.prefix + name, key: key,
		enc: func(dst []byte, v *V) ([]byte, error) { return w.codec.Append(dst, v) },
		dec: func(_ K, b []byte, v *V) error { return w.codec.Unmarshal(b, v) },
	}
	w.tables = append(w.tables, r)
	return r
}

// learning makes a table as add does, for keys that are new more often than not.
func learning[K comparable, V any](w *Working, name string, key func([]byte, K) []byte) table.Table[K, V] {
	t := add[K, V](w, name, key)
	t.(*rows[K, V]).learns = w.write && w.src != nil
	return t
}

// bytesTable makes a table whose values are bytes as they are.
func bytesTable(w *Working, name string) table.Table[string, []byte] {
	r := &rows[string, []byte]{
		w: w, name: w.prefix + name, key: textKey[string],
		enc: func(dst []byte, v *[]byte) ([]byte, error) { return append(dst, *v...), nil },
		dec: func(_ string, b []byte, v *[]byte) error { *v = b; return nil },
	}
	w.tables = append(w.tables, r)
	return r
}

// slots makes the table of slots, whose columns the database can read. A slot's id is its
// key and stands in no column.
func slots(w *Working) *rows[booking.SlotID, booking.Slot] {
	r := &rows[booking.SlotID, booking.Slot]{
		w: w, name: w.prefix + engine.Slots, key: func(dst []byte, k booking.SlotID) []byte { return key64(dst, uint64(k)) },
		enc: encodeSlot, dec: decodeSlot,
	}
	w.tables = append(w.tables, r)
	return r
}

// quick gives a table whose rows are written in every command an encoder of its own. It
// must write what the codec does, byte for byte; a test holds it to that.
func quick[K comparable, V any](t table.Table[K, V], enc func(dst []byte, v *V) []byte) table.Table[K, V] {
	t.(*rows[K, V]).enc = func(dst []byte, v *V) ([]byte, error) { return enc(dst, v), nil }
	return t
}

func refText(dst []byte, r *booking.Ref) []byte {
	return cose.AppendText(dst, string(*r))
}

func encodeSlot(dst []byte, s *booking.Slot) ([]byte, error) {
	if s.StandbyHead > math.MaxInt64 || s.StandbyTail > math.MaxInt64 {
		return dst, fmt.Errorf("store: slot %d: the queue's positions are out of range", s.ID)
	}
	return engine.PackSlot(dst, [...]int64{
		int64(s.Allotment), int64(s.Taken), int64(s.Withheld), int64(s.Excess), int64(s.Offered), int64(s.NextPlace),
		int64(s.StandbyHead), int64(s.StandbyTail),
	}), nil
}

func decodeSlot(id booking.SlotID, b []byte, s *booking.Slot) error {
	c, ok := engine.UnpackSlot(b)
	if !ok {
		return fmt.Errorf("store: a slot of %d bytes", len(b))
	}
	*s = booking.Slot{
		ID: id, Allotment: uint32(c[0]), Taken: uint32(c[1]), Withheld: uint32(c[2]), Excess: uint32(c[3]), Offered: uint32(c[4]), NextPlace: uint32(c[5]),
		StandbyHead: uint64(c[6]), StandbyTail: uint64(c[7]),
	}
	return nil
}

// Keys are made so that their bytes sort as their parts do.

func textKey[K ~string](dst []byte, k K) []byte { return append(dst, k...) }

func key16(dst []byte, k uint16) []byte { return binary.BigEndian.AppendUint16(dst, k) }

func key32(dst []byte, k uint32) []byte { return binary.BigEndian.AppendUint32(dst, k) }

func key64(dst []byte, k uint64) []byte { return binary.BigEndian.AppendUint64(dst, k) }

func tagKey(dst []byte, k [16]byte) []byte { return append(dst, k[:]...) }

func passKey(dst []byte, k pass.ID) []byte { return append(dst, k[:]...) }

func claimKey(dst []byte, k booking.ClaimKey) []byte {
	return key16(key16(tagKey(dst, k.Tag), k.Site), k.Day)
}

func standbyKey(dst []byte, k booking.StandbyKey) []byte {
	return key64(key64(dst, uint64(k.Slot)), k.Pos)
}

func bookingRosterKey(dst []byte, k booking.RosterKey) []byte {
	return key32(key16(key16(dst, k.Site), k.Day), k.Pos)
}

func gateRosterKey(dst []byte, k gate.RosterKey) []byte {
	return key32(key16(key16(dst, k.Site), k.Day), k.Pos)
}

func siteDayKey(dst []byte, k gate.SiteDayKey) []byte { return key16(key16(dst, k.Site), k.Day) }

func statsKey(dst []byte, k stats.Key) []byte { return key16(key16(dst, k.Site), k.Day) }

func eraseKey(dst []byte, k erasure.Key) []byte {
	return key32(key16(key16(dst, k.Site), k.Day), k.Pos)
}

func caseRosterKey(dst []byte, k appeal.RosterKey) []byte { return key32(key16(dst, k.Site), k.Pos) }

func healthRosterKey(dst []byte, k screening.RosterKey) []byte {
	return key32(key16(dst, k.Site), k.Pos)
}

func levelKey(dst []byte, k protocol.Key) []byte { return append(key16(dst, k.Site), k.Side...) }

func intakeKey(dst []byte, k intake.Key) []byte { return append(key16(dst, k.Site), k.Side...) }

func slotKey(dst []byte, k booking.SlotID) []byte { return key64(dst, uint64(k)) }

func closureKey(dst []byte, k closure.Key) []byte { return append(key16(dst, k.Site), k.Side...) }

func caseDayKey(dst []byte, k appeal.DayKey) []byte { return key16(key16(dst, k.Site), k.Day) }

func valueKey(dst []byte, k market.ValueKey) []byte {
	return append(key16(key16(dst, k.Site), k.Day), k.Code...)
}

func ledgerKey(dst []byte, k market.LedgerKey) []byte { return key16(tagKey(dst, k.Tag), k.Day) }
