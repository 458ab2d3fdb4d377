// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

// Package service is the thin layer between the desks, which decide, and the shell,
// which stores: for each desk it loads, decides, and hands state and fact to the
// store in one transaction. It holds no rules of its own.
package service

import (
	"context"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/appeal"
	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/closure"
	"darwaza.dev/internal/erasure"
	"darwaza.dev/internal/fact"
	"darwaza.dev/internal/gate"
	"darwaza.dev/internal/intake"
	"darwaza.dev/internal/market"
	"darwaza.dev/internal/pass"
	"darwaza.dev/internal/people"
	"darwaza.dev/internal/protocol"
	"darwaza.dev/internal/rules"
	"darwaza.dev/internal/screening"
	"darwaza.dev/internal/stats"
	"darwaza.dev/internal/table"
)

// Law is the editions of the agreement, compiled.
type Law = rules.Law

// State is the state of one side under one agreement: the tables of every desk.
type State struct {
	Booking booking.State
	Gate    gate.State
	Market  market.State
	People  people.State
	Stats   stats.State
	Erasure erasure.State
	Appeal  appeal.State
	Levels  protocol.State
	// Screening is the health desk.
	Screening screening.State
	Intake    intake.State
	Closures  closure.State
	// Sealed is ciphertext of personal data by id. It is no part of any fact: a command
	// puts it here itself, and it is what rebuilding from facts leaves out.
	Sealed table.Table[string, []byte]
}

// Tx is what a command runs on: state as it will be when this command's turn comes,
// and the place to put facts. Commands run one after another on the goroutine of the
// log's owner, so a command never waits for anything.
type Tx struct {
	State
	// Side is whose server this is: its allotment is sold and its gates are run here.
	Side agreement.Side
	// Now is in UTC, to the microsecond; Reset sees to that.
	Now time.Time
	// Law is the set of editions and what was compiled from them; pure and shared.
	Law *Law

	facts   []fact.Fact
	answers booking.Answers
	gates   gates
}

// Record applies a fact to the state and keeps it for the log. It is the only way in
// which a command changes state.
func (tx *Tx) Record(f fact.Fact) {
	Apply(tx.State, tx.Now, f)
	tx.facts = append(tx.facts, f)
}

// Facts returns what was recorded, in order.
func (tx *Tx) Facts() []fact.Fact { return tx.facts }

// Reset makes the Tx ready for the next command. A time keeps no more than the record
// does, so that a rebuild sees the same one.
func (tx *Tx) Reset(now time.Time) { tx.Now, tx.facts = now.UTC().Truncate(time.Microsecond), nil }

// Keys are the rows that a command is likely to read. They are a hint: the store
// fetches the rows of a whole batch in a few statements; a row that was not named
// is read one by one.
type Keys struct {
	Slots     []booking.SlotID
	Bookings  []booking.Ref
	Claims    []booking.ClaimKey
	Holders   []pass.ID
	Presences []pass.ID
	Days      []gate.SiteDayKey
	Values    []market.ValueKey
	Ledgers   []market.LedgerKey
	Vendors   [][16]byte
	Acks      []uint16
	Levels    []protocol.Key
	Intake    []intake.Key
	Closures  []closure.Key
}

// Clear forgets the keys and keeps their room.
func (k *Keys) Clear() {
	*k = Keys{
		Slots: k.Slots[:0], Bookings: k.Bookings[:0], Claims: k.Claims[:0], Holders: k.Holders[:0], Presences: k.Presences[:0],
		Days: k.Days[:0], Values: k.Values[:0], Ledgers: k.Ledgers[:0], Vendors: k.Vendors[:0], Acks: k.Acks[:0],
		Levels: k.Levels[:0], Intake: k.Intake[:0],
	}
}

// Command is one write, as plain data: it can be kept in a queue, forwarded to the
// owner of the log on another machine, and asked again. Its fields carry cbor
// keyasint tags.
type Command interface {
	// CommandKind is the stable name, such as "booking.book".
	CommandKind() string
	// Keys names the rows it is likely to read.
	Keys(k *Keys)
	// Run decides and records. What it returns is encoded, kept under the idempotency
	// key, and given again to a retry. An error (a problem) undoes what the command
	// recorded and is not kept, so that a retry may succeed.
	Run(tx *Tx) (answer any, err error)
}

// Idem identifies one act of one actor, so that a retry is answered and not done again.
type Idem struct {
	// Key is chosen by the client: 16 to 64 bytes; empty only for acts of the server itself.
	Key string
	// Actor scopes the key: an officer id, an API client, or "public".
	Actor string
}

// Done is what the store says of a command that is durable.
type Done struct {
	Answer []byte // CBOR of what Run returned; decode into the command's answer type
	// First and Count are the positions of its facts in this side's log.
	First, Count uint64
	// Again is true where the act had been done before and Answer is the kept one.
	Again bool
}

// Writer runs commands durably: state, fact and log tile in one transaction. The
// sequencer implements it; a test may run commands on maps.
type Writer interface {
	// Do returns when the command's facts are on stable storage, or with a problem and
	// nothing changed. kind offline means that the answer was lost: ask again with the same Idem.
	Do(ctx context.Context, id Idem, c Command) (Done, error)
}

// Reader shows the state as it was committed at one moment. It never blocks a writer.
type Reader interface {
	// View calls f with a state that is only read; Put and Delete on its tables panic.
	// A fault of the store is returned after f has returned, and what f made is then
	// to be thrown away.
	View(ctx context.Context, f func(State) error) error
}

// Sealer keeps personal data under a key per person that lies outside the database.
type Sealer interface {
	// Seal encrypts data under a new key of its own and returns the id, once the key
	// is on stable storage, with the ciphertext, which the caller stores.
	Seal(ctx context.Context, data []byte) (id string, ciphertext []byte, err error)
	// SealUnder encrypts data under the key of something sealed before, in its place.
	SealUnder(ctx context.Context, id string, data []byte) (ciphertext []byte, err error)
	// Open decrypts; a destroyed key is a problem of kind not found.
	Open(ctx context.Context, id string, ciphertext []byte) ([]byte, error)
	// Destroy forgets the key for good.
	Destroy(ctx context.Context, id string) error
}
