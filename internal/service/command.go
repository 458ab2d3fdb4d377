// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package service

import (
	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/gate"
	"darwaza.dev/internal/market"
	"darwaza.dev/internal/pass"
	"darwaza.dev/internal/people"
	"darwaza.dev/internal/reason"
	"darwaza.dev/internal/rules"
	"darwaza.dev/internal/stats"
)

// NewMember is one adult of a booking that is asked for.
type NewMember struct {
	Pass     pass.ID  `cbor:"1,keyasint,omitempty"` // random, chosen by the caller
	Tag      [16]byte `cbor:"2,keyasint,omitempty"` // joint tag of the document for the slot's day
	Binding  [16]byte `cbor:"3,keyasint,omitempty"` // of the pass and the document
	Register [16]byte `cbor:"4,keyasint,omitempty"` // joint tag of the document for the vendors' register
	Document string   `cbor:"5,keyasint,omitempty"` // kind of document
	Country  string   `cbor:"6,keyasint,omitempty"` // issuing country, ISO 3166 alpha-3
	Age      int16    `cbor:"7,keyasint,omitempty"` // years on the day, -1 where not known
	Children uint8    `cbor:"8,keyasint,omitempty"`
	// Shown is what was shown of the person's health certificate, in the words that clauses
	// read. It is read once and kept nowhere: what comes of it is the verdict.
	Shown rules.Shown `cbor:"9,keyasint,omitempty"`
}

// Book takes places in a slot for a person, a family or a group.
type Book struct {
	Ref      booking.Ref      `cbor:"1,keyasint,omitempty"` // random, chosen by the caller
	Slot     booking.SlotID   `cbor:"2,keyasint,omitempty"`
	Members  []NewMember      `cbor:"3,keyasint,omitempty"`
	Waits    bool             `cbor:"4,keyasint,omitempty"` // join the standby queue where the slot is full
	Standing bool             `cbor:"5,keyasint,omitempty"` // on standby: take a returned place without being asked
	Officer  people.OfficerID `cbor:"6,keyasint,omitempty"` // the clerk, empty where the traveller or a program books
	SealedID string           `cbor:"7,keyasint,omitempty"` // id of the sealed personal data
	Sealed   []byte           `cbor:"8,keyasint,omitempty"` // its ciphertext
	// Test is a slot of the health desk in which the party is tested before it crosses, 0 for
	// none: both are booked, or neither.
	Test booking.SlotID `cbor:"9,keyasint,omitempty"`
}

// DecideBooking ends a request for places that was left to an officer. Admitted, it is
// booked as far as there are places.
type DecideBooking struct {
	Ref     booking.Ref      `cbor:"1,keyasint,omitempty"`
	Admit   bool             `cbor:"2,keyasint,omitempty"`
	Why     string           `cbor:"3,keyasint,omitempty"` // one of booking.Grounds
	Officer people.OfficerID `cbor:"4,keyasint,omitempty"`
}

// Cancel gives a booking, or a place in the queue, back.
type Cancel struct {
	Ref     booking.Ref      `cbor:"1,keyasint,omitempty"`
	Officer people.OfficerID `cbor:"2,keyasint,omitempty"`
}

// Move takes a booking to another slot, keeping it where the other has no room. The
// passes get a new generation.
type Move struct {
	Ref     booking.Ref      `cbor:"1,keyasint,omitempty"`
	To      booking.SlotID   `cbor:"2,keyasint,omitempty"`
	Officer people.OfficerID `cbor:"3,keyasint,omitempty"`
	// Tags are the members' tags for the other slot's day, in their order; they may be
	// left out where the day stays the same.
	Tags [][16]byte `cbor:"4,keyasint,omitempty"`
	// Test is the slot of the health desk for the other crossing; with 0 a booking that has a
	// test keeps it where it fits, and else gets the latest that has room.
	Test booking.SlotID `cbor:"5,keyasint,omitempty"`
}

// BookTest books a test for a booking that has its place already, in place of one that it
// has; with Slot 0 it gives the test back and leaves the booking.
type BookTest struct {
	Ref     booking.Ref      `cbor:"1,keyasint,omitempty"`
	Slot    booking.SlotID   `cbor:"2,keyasint,omitempty"` // of the health desk
	Officer people.OfficerID `cbor:"3,keyasint,omitempty"`
}

// Accept takes the place that is offered to a booking on standby.
type Accept struct {
	Ref     booking.Ref      `cbor:"1,keyasint"`
	Officer people.OfficerID `cbor:"2,keyasint,omitempty"`
}

// Decline lets the offered place go to the next in the queue; the booking is cancelled.
type Decline struct {
	Ref     booking.Ref      `cbor:"1,keyasint"`
	Officer people.OfficerID `cbor:"2,keyasint,omitempty"`
}

// Reissue makes a new generation of one member's pass and withdraws the old one: for a
// lost or photographed paper.
type Reissue struct {
	Ref     booking.Ref      `cbor:"1,keyasint,omitempty"`
	Member  uint8            `cbor:"2,keyasint,omitempty"`
	Officer people.OfficerID `cbor:"3,keyasint,omitempty"`
}

// BookingAnswer is the answer to Book, BookTest, DecideBooking, Cancel, Move, Accept, Decline
// and Reissue.
type BookingAnswer struct {
	Verdict rules.Verdict `cbor:"1,keyasint,omitempty"`
	// Booking is as it stands after the command; its Ref is empty where there is none.
	Booking booking.Booking `cbor:"2,keyasint,omitempty"`
	// Refusal is the request that gave no booking, or that an officer has decided on; its
	// Ref is empty where there is none.
	Refusal booking.Refusal `cbor:"3,keyasint,omitempty"`
}

// Sweep does what time alone brings: offers that nobody took lapse, places whose
// withdrawn passes have ended are free, standby of slots that are over lapses.
// The server sends it by itself every few seconds.
type Sweep struct {
	// Slots are the slots to look at: those with a queue or withheld places.
	Slots []booking.SlotID `cbor:"1,keyasint,omitempty"`
}

// Withdrawn records what this side has read of the other side's list of withdrawals.
type Withdrawn struct {
	Side    string          `cbor:"1,keyasint,omitempty"` // whose list
	Upto    uint64          `cbor:"2,keyasint,omitempty"`
	Entries []WithdrawnPass `cbor:"3,keyasint,omitempty"`
	List    uint64          `cbor:"4,keyasint,omitempty"` // the list's id
	Acked   uint64          `cbor:"5,keyasint,omitempty"` // the serial that the other side has recorded as heard here
}

// WithdrawnPass is one entry of a numbered list of withdrawals.
type WithdrawnPass struct {
	Serial uint64  `cbor:"1,keyasint,omitempty"`
	Pass   pass.ID `cbor:"2,keyasint,omitempty"`
	Gen    uint8   `cbor:"3,keyasint,omitempty"`
	Until  int64   `cbor:"4,keyasint,omitempty"` // seconds since 1970: the pass has ended by itself then
}

// Match is what comparing the holder's document with the pass has shown.
type Match = gate.Match

// The results of a comparison.
const (
	NotCompared = gate.NotCompared
	Fits        = gate.Fits    // the document that was read is the one the pass is bound to
	Differs     = gate.Differs // it is another one
	Seen        = gate.Seen    // the officer looked and says that it fits
)

// Screening is what the gate's example protocol asks. It is read once and kept nowhere.
type Screening = gate.Screening

// Scan asks the gate about a pass.
type Scan struct {
	Site      uint16           `cbor:"1,keyasint,omitempty"`
	Gate      uint16           `cbor:"2,keyasint,omitempty"`
	Direction gate.Direction   `cbor:"3,keyasint,omitempty"`
	Officer   people.OfficerID `cbor:"4,keyasint,omitempty"`
	// Claims are the verified pass; where Fault says why it was not accepted they are
	// empty, or as far as they could be read.
	Claims pass.Claims `cbor:"5,keyasint,omitempty"`
	Fault  reason.Code `cbor:"6,keyasint,omitempty"`
	Match  Match       `cbor:"7,keyasint,omitempty"`
	// Found is true where the pass was lost and the booking found by document.
	Found     bool      `cbor:"8,keyasint,omitempty"`
	Screening Screening `cbor:"9,keyasint,omitempty"`
	// Again is the serial of the scan that this one completes (a screening or a document
	// that was asked for), 0 for a new arrival.
	Again uint64 `cbor:"10,keyasint,omitempty"`
	// Tag is the joint tag, for the slot's day, of the document that was read and fits;
	// zero where none was read. A side needs it of a pass that the other side sold: it is
	// how a purchase, or an exit without the pass, finds the person.
	Tag [16]byte `cbor:"11,keyasint,omitempty"`
	// Looks is what a text that is no pass looks like.
	Looks pass.Kind `cbor:"12,keyasint,omitempty"`
	// Evidence is what was shown of health certificates.
	Evidence gate.Evidence `cbor:"13,keyasint,omitempty"`
	// Register is the tag, without a period, of the document that was read: an isolation
	// order is found by it.
	Register [16]byte `cbor:"14,keyasint,omitempty"`
	// Behind says that the clock by which the pass and the certificates were verified shows a
	// time that has been.
	Behind bool `cbor:"15,keyasint,omitempty"`
}

// ScanAnswer is the gate's answer.
type ScanAnswer struct {
	Verdict  rules.Verdict `cbor:"1,keyasint,omitempty"`
	Scan     gate.Scan     `cbor:"2,keyasint,omitempty"`
	Presence gate.Presence `cbor:"3,keyasint,omitempty"` // as it stands after the scan; its scans show a double use
	Earlier  *gate.Scan    `cbor:"4,keyasint,omitempty"` // the scan that this one contradicts, where it does
	Ref      booking.Ref   `cbor:"5,keyasint,omitempty"` // where the pass is one of this side's own
	Class    uint8         `cbor:"6,keyasint,omitempty"`
	People   uint32        `cbor:"7,keyasint,omitempty"`
	Inside   uint32        `cbor:"8,keyasint,omitempty"` // people inside at this side after the scan
	Cap      uint32        `cbor:"9,keyasint,omitempty"` // this side's share of the occupancy cap, 0 where there is none
	// Asks are the inputs that the officer can supply to get further: "document",
	// "screening", "proof", "holder" (whether a certificate is the holder's), "decision".
	Asks []string `cbor:"10,keyasint,omitempty"`
	// Goods is what the law says of the goods that leave with the holder; its point is
	// empty where none do, or where the agreement asks nothing of them.
	Goods rules.Verdict `cbor:"11,keyasint,omitempty"`
}

// DecideScan ends a REFER or HOLD at the gate by a named officer's decision.
type DecideScan struct {
	Pass    pass.ID          `cbor:"1,keyasint,omitempty"`
	Serial  uint64           `cbor:"2,keyasint,omitempty"`
	Admit   bool             `cbor:"3,keyasint,omitempty"`
	Why     string           `cbor:"4,keyasint,omitempty"` // one of gate.Grounds
	Officer people.OfficerID `cbor:"5,keyasint,omitempty"`
	Gate    uint16           `cbor:"6,keyasint,omitempty"`
}

// UndoScan takes a mistaken scan back.
type UndoScan struct {
	Pass    pass.ID          `cbor:"1,keyasint,omitempty"`
	Serial  uint64           `cbor:"2,keyasint,omitempty"`
	Officer people.OfficerID `cbor:"3,keyasint,omitempty"`
}

// Settle ends a site's day: whoever was never scanned out is counted as having left,
// marked as assumed; bookings that nobody used become no-shows.
type Settle struct {
	Site    uint16           `cbor:"1,keyasint,omitempty"`
	Day     uint16           `cbor:"2,keyasint,omitempty"`
	Officer people.OfficerID `cbor:"3,keyasint,omitempty"`
	// Bookings are those of the day that this side sold, to be settled.
	Bookings []booking.Ref `cbor:"4,keyasint,omitempty"`
}

// SettleAnswer says what was settled.
type SettleAnswer struct {
	People  uint32       `cbor:"1,keyasint,omitempty"`
	NoShows uint32       `cbor:"2,keyasint,omitempty"`
	Day     gate.SiteDay `cbor:"3,keyasint,omitempty"`
}

// Display publishes customs values for a site and day.
type Display struct {
	Site    uint16           `cbor:"1,keyasint,omitempty"`
	Day     uint16           `cbor:"2,keyasint,omitempty"`
	Values  []DisplayValue   `cbor:"3,keyasint,omitempty"`
	Officer people.OfficerID `cbor:"4,keyasint,omitempty"`
}

// DisplayValue is one displayed value, per unit in minor units of Currency.
type DisplayValue struct {
	Code     string `cbor:"1,keyasint,omitempty"`
	Minor    int64  `cbor:"2,keyasint,omitempty"`
	Currency string `cbor:"3,keyasint,omitempty"`
	Unit     string `cbor:"4,keyasint,omitempty"`
}

// Buy asks for, and where lawful records, one purchase at the goods desk.
type Buy struct {
	ID       string           `cbor:"1,keyasint,omitempty"` // receipt number, random, chosen by the caller
	Site     uint16           `cbor:"2,keyasint,omitempty"`
	Pass     pass.ID          `cbor:"3,keyasint,omitempty"`
	Tag      [16]byte         `cbor:"4,keyasint,omitempty"` // of the buyer's document, as the pass's presence or booking has it
	Code     string           `cbor:"5,keyasint,omitempty"`
	Quantity int64            `cbor:"6,keyasint,omitempty"` // thousandths of the unit
	Officer  people.OfficerID `cbor:"7,keyasint,omitempty"`
	// Document is the kind of the buyer's document; Named is true where the receipt can
	// bear name and number.
	Document string `cbor:"8,keyasint,omitempty"`
	Named    bool   `cbor:"9,keyasint,omitempty"`
	// Accept is true where the buyer takes a lot that is diverted to the statutory regime.
	Accept bool `cbor:"10,keyasint,omitempty"`
	// Dry asks and records nothing.
	Dry bool `cbor:"11,keyasint,omitempty"`
	// Decided is why the officer lets a referred lot go, one of market.Grounds; empty
	// where no decision is made.
	Decided string `cbor:"12,keyasint,omitempty"`
	// Value is set where the officer states a value because none is displayed: minor units
	// of the whole lot; it needs Decided.
	Value int64 `cbor:"13,keyasint,omitempty"`
	// Replaces is the receipt that this one corrects; it is voided in the same act.
	Replaces string `cbor:"14,keyasint,omitempty"`
	// SealedID and Sealed are the buyer's name and number for the receipt, where the desk
	// read them from the document because the other side holds the booking.
	SealedID string `cbor:"15,keyasint,omitempty"`
	Sealed   []byte `cbor:"16,keyasint,omitempty"`
	// Gen is the generation of the pass that was shown. Bare is true where only the id was
	// given: then it is the one that this side's gates or bookings have.
	Gen  uint8 `cbor:"17,keyasint,omitempty"`
	Bare bool  `cbor:"18,keyasint,omitempty"`
	// Turn asks for the desk's answer to be recorded and nothing to be bought, where the lot is
	// not simply let go; where it is, that is a problem of kind conflict.
	Turn bool `cbor:"19,keyasint,omitempty"`
}

// BuyAnswer is the goods desk's answer.
type BuyAnswer struct {
	Verdict  rules.Verdict   `cbor:"1,keyasint,omitempty"`
	Purchase market.Purchase `cbor:"2,keyasint,omitempty"` // ID is empty where nothing was recorded
	Ledger   market.Ledger   `cbor:"3,keyasint,omitempty"` // as it stands after the command
	// Fits is the greatest quantity, in thousandths, that would still be allowed at the
	// concessional rate.
	Fits int64 `cbor:"4,keyasint,omitempty"`
	// Turned is the number of a lot that was not let go and stands so in the record.
	Turned string `cbor:"5,keyasint,omitempty"`
}

// Void takes a purchase back; the receipt stays and says so.
type Void struct {
	ID      string           `cbor:"1,keyasint,omitempty"`
	Why     string           `cbor:"2,keyasint,omitempty"` // one of market.Grounds
	Officer people.OfficerID `cbor:"3,keyasint,omitempty"`
}

// Enrol gives, changes or suspends a vendor's card.
type Enrol struct {
	Register [16]byte         `cbor:"1,keyasint,omitempty"`
	Vendor   market.Vendor    `cbor:"2,keyasint,omitempty"`
	Officer  people.OfficerID `cbor:"3,keyasint,omitempty"`
}

// Appoint makes or changes an officer. A new one has a login that nobody else has.
type Appoint struct {
	Officer people.Officer `cbor:"1,keyasint,omitempty"`
	// By is who does it. The first person of all is appointed by themselves; it is empty
	// where the keeper of the machine did it.
	By       people.OfficerID `cbor:"2,keyasint,omitempty"`
	SealedID string           `cbor:"3,keyasint,omitempty"` // of the name
	Sealed   []byte           `cbor:"4,keyasint,omitempty"`
	// Word is the verifier of the sign-in word (Argon2id, PHC string form), kept beside the
	// sealed data and in no fact; empty to leave it.
	Word string `cbor:"5,keyasint,omitempty"`
	// Given is true where somebody else made the word: all that it opens is the choice of
	// one's own.
	Given bool `cbor:"6,keyasint,omitempty"`
}

// OtherFigures records the other side's figures of a site and day, as its server gave them.
type OtherFigures struct {
	Site    uint16      `cbor:"1,keyasint,omitempty"`
	Day     uint16      `cbor:"2,keyasint,omitempty"`
	Figures stats.Other `cbor:"3,keyasint"` // HeardAt is set by the command
}

// SweepAnswer says what a Sweep did. More is true where there was more than one command
// should do: ask again.
type SweepAnswer struct {
	Offered uint32 `cbor:"1,keyasint,omitempty"` // parties that were offered or given a place
	Lapsed  uint32 `cbor:"2,keyasint,omitempty"` // parties whose offer or wait ended
	Freed   uint32 `cbor:"3,keyasint,omitempty"` // places no longer withheld
	More    bool   `cbor:"4,keyasint,omitempty"`
}

// AcknowledgeAnswer says how far the other side has heard, and up to which serial places
// were given back.
type AcknowledgeAnswer struct {
	Heard   uint64 `cbor:"1,keyasint,omitempty"`
	FreedTo uint64 `cbor:"2,keyasint,omitempty"`
}

// WithdrawnAnswer says up to which serial this side has read the other side's list.
type WithdrawnAnswer struct {
	Serial uint64 `cbor:"1,keyasint,omitempty"`
}

// OtherFiguresAnswer is the answer to OtherFigures: Kept is false where newer figures were there.
type OtherFiguresAnswer struct {
	Kept bool `cbor:"1,keyasint,omitempty"`
}

// DisplayAnswer says how many values changed.
type DisplayAnswer struct {
	Changed uint32 `cbor:"1,keyasint,omitempty"`
}

// EnrolAnswer is the vendor's card as it stands.
type EnrolAnswer struct {
	Vendor market.Vendor `cbor:"1,keyasint"`
}

// AppointAnswer is the officer as they stand.
type AppointAnswer struct {
	Officer people.Officer `cbor:"1,keyasint"`
}

// CommandKind names the command in logs and in forwarding.
func (Book) CommandKind() string          { return "booking.book" }
func (DecideBooking) CommandKind() string { return "booking.decide" }
func (Cancel) CommandKind() string        { return "booking.cancel" }
func (Move) CommandKind() string          { return "booking.move" }
func (BookTest) CommandKind() string      { return "booking.test" }
func (Accept) CommandKind() string        { return "booking.accept" }
func (Decline) CommandKind() string       { return "booking.decline" }
func (Reissue) CommandKind() string       { return "booking.reissue" }
func (Sweep) CommandKind() string         { return "booking.sweep" }
func (Acknowledge) CommandKind() string   { return "booking.acknowledge" }
func (Withdrawn) CommandKind() string     { return "gate.withdrawn" }
func (OtherFigures) CommandKind() string  { return "stats.other" }
func (Scan) CommandKind() string          { return "gate.scan" }
func (DecideScan) CommandKind() string    { return "gate.decide" }
func (UndoScan) CommandKind() string      { return "gate.undo" }
func (Settle) CommandKind() string        { return "gate.settle" }
func (Display) CommandKind() string       { return "market.display" }
func (Buy) CommandKind() string           { return "market.buy" }
func (Void) CommandKind() string          { return "market.void" }
func (Enrol) CommandKind() string         { return "market.enrol" }
func (Appoint) CommandKind() string       { return "people.appoint" }
