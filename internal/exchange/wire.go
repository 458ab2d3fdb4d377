// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package exchange

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"strings"
	"time"

	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/cose"
	"darwaza.dev/internal/gate"
	"darwaza.dev/internal/intake"
	"darwaza.dev/internal/pass"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/service"
	"darwaza.dev/internal/stats"
)

// The topics, each a path under Prefix.
const (
	topicCertificates = "certificates"
	topicWithdrawals  = "withdrawals"
	topicFigures      = "figures"
	topicMovements    = "movements"
	topicClaims       = "claims"
	topicLevels       = "levels"
	topicRecord       = "record" // read by GET, see recordPrefix
	topicHead         = "head"   // of the log that is asked: cosigned, or forked
)

// Version is the version of the messages that this build writes. It reads one newer:
// a newer message may say more, and what it says here it means as before.
//
// Version 2 names lists, and tells of passes that were used before their withdrawal was
// heard. A server of version 1 leaves those fields out, which is the list 0 and no such pass.
const Version = 2

// ask is the payload of an ask. A field that a topic does not need is left out.
type ask struct {
	Version uint8    `cbor:"1,keyasint"`
	At      int64    `cbor:"2,keyasint"` // microseconds since 1970, the asker's clock
	Nonce   [16]byte `cbor:"3,keyasint"`
	// After is the serial up to which every gate of the asker has heard of withdrawals.
	After uint64 `cbor:"4,keyasint,omitempty"`
	// Days are the sites' days whose figures are asked for.
	Days []siteDay `cbor:"5,keyasint,omitempty"`
	// List is the id of the list that After counts in. Of another list After says nothing.
	List uint64 `cbor:"6,keyasint,omitempty"`
	// Used are passes among the withdrawals up to After that the asker's gates had let in
	// before they heard.
	Used []booking.UsedPass `cbor:"7,keyasint,omitempty"`
	// Rosters are the sites' days whose claims are asked for; After is then of the changes.
	Rosters []rosterAsk `cbor:"8,keyasint,omitempty"`
	// Note is the newest head of the log of the side that is asked, as the asker has cosigned it.
	Note []byte `cbor:"9,keyasint,omitempty"`
	// Fork is evidence that the log of the side that is asked has forked.
	Fork []byte `cbor:"10,keyasint,omitempty"`
}

// rosterAsk asks for the claims of a day at the positions from Pos on.
type rosterAsk struct {
	_    struct{} `cbor:",toarray"`
	Site uint16
	Day  uint16
	Pos  uint32
}

type siteDay struct {
	_    struct{} `cbor:",toarray"`
	Site uint16
	Day  uint16
}

// answer is the payload of an answer.
type answer struct {
	Version uint8 `cbor:"1,keyasint"`
	At      int64 `cbor:"2,keyasint"`
	// Refused is a word that says why nothing is answered; empty where something is.
	Refused      string       `cbor:"3,keyasint,omitempty"`
	Certificates [][]byte     `cbor:"4,keyasint,omitempty"`
	Last         uint64       `cbor:"5,keyasint,omitempty"` // the newest serial of the list
	Withdrawals  []withdrawal `cbor:"6,keyasint,omitempty"`
	Figures      []figure     `cbor:"7,keyasint,omitempty"`
	More         bool         `cbor:"8,keyasint,omitempty"` // not all days fitted: ask for the rest
	// List is the id of the list that is answered from: where it is not the one that was
	// asked for, from its beginning.
	List uint64 `cbor:"9,keyasint,omitempty"`
	// Acked is the serial up to which the asker's word is on stable storage here.
	Acked uint64 `cbor:"10,keyasint,omitempty"`
	// Movements follow on After in the list of movements, and Last is its newest serial.
	Movements []movement `cbor:"11,keyasint,omitempty"`
	// Rosters are claims that follow on what was asked for, and Changes changes that follow
	// on After. More says that there are more of either.
	Rosters []booking.DayClaims   `cbor:"12,keyasint,omitempty"`
	Changes []booking.ClaimChange `cbor:"13,keyasint,omitempty"`
	// Levels are what the side that answers has brought in, by site.
	Levels []service.SiteLevels `cbor:"14,keyasint,omitempty"`
	// Intake is what the side that answers takes in, by site, and Transfers what it gives and
	// asks for, by slot.
	Intake    []intake.Told          `cbor:"15,keyasint,omitempty"`
	Transfers []booking.TransferTold `cbor:"16,keyasint,omitempty"`
	// Closures are what the side that answers has closed and signed, by site.
	Closures []service.SiteClosures `cbor:"17,keyasint,omitempty"`
}

type withdrawal struct {
	_      struct{} `cbor:",toarray"`
	Serial uint64
	Pass   [8]byte
	Gen    uint8
	Until  int64 // seconds since 1970
}

// movement is one pass that went in or out at a gate of the side that answers.
type movement struct {
	Serial uint64  `cbor:"1,keyasint"`
	Pass   [8]byte `cbor:"2,keyasint"`
	Kind   uint8   `cbor:"3,keyasint"` // a gate.MoveKind; one that is not known is as its flags say
	At     int64   `cbor:"4,keyasint"` // microseconds since 1970
	Inside bool    `cbor:"5,keyasint,omitempty"`
	Used   bool    `cbor:"6,keyasint,omitempty"`
}

type figure struct {
	Site    uint16            `cbor:"1,keyasint"`
	Day     uint16            `cbor:"2,keyasint"`
	Inside  uint32            `cbor:"3,keyasint"`
	Peak    uint32            `cbor:"4,keyasint"`
	Entries uint32            `cbor:"5,keyasint"`
	Exits   uint32            `cbor:"6,keyasint"`
	Free    map[uint64]uint32 `cbor:"7,keyasint,omitempty"`
	AsOf    int64             `cbor:"8,keyasint"` // microseconds since 1970
	// Whole is what the side counted of the day: sums by quarter of an hour, outcome, reason
	// with clause, and category, of nobody by themselves. A server that does not know it
	// passes it over, and one that knows it goes without where it is left out.
	Whole *stats.Day `cbor:"9,keyasint,omitempty"`
}

// Words for what an authentic ask or answer was refused for.
const (
	refusedClock   = "clock"   // the clocks are further apart than Window
	refusedReplay  = "replay"  // the ask was taken before
	refusedVersion = "version" // more than one version newer
	refusedForm    = "form"    // not a message of the topic
	refusedAhead   = "ahead"   // the asker has read more of the list than was ever given: one of the two has lost facts
	refusedFault   = "fault"   // a fault of the server that was asked
)

func externalAsk(path, agreement string, side pass.Side) []byte {
	return []byte("darwaza.dev/exchange/1 ask " + path + " " + agreement + " " + side.String())
}

func externalAnswer(path, agreement string, side pass.Side, ask []byte) []byte {
	d := sha256.Sum256(ask)
	return append([]byte("darwaza.dev/exchange/1 answer "+path+" "+agreement+" "+side.String()+" "), d[:]...)
}

// seal signs a payload and puts it into a body, with the certificate of the key.
func (x *Exchange) seal(v any, external []byte) (body, msg []byte, err error) {
	payload, err := x.codec.Marshal(v)
	if err != nil {
		return nil, nil, err
	}
	key := x.deps.Key()
	if msg, err = pass.SignMessage(key, payload, external); err != nil {
		return nil, nil, err
	}
	var cert []byte
	for _, c := range x.deps.Certificates() {
		if parsed, err := pass.ParseCertificate(c); err == nil && parsed.Key == key.ID() {
			cert = c
		}
	}
	body = cose.AppendArray(make([]byte, 0, len(cert)+len(msg)+16), 2)
	body = cose.AppendBytes(body, cert)
	return cose.AppendBytes(body, msg), msg, nil
}

var errBody = errors.New("exchange: not a certificate and a message")

// open verifies a body from the other side and decodes its payload into v. The
// certificate beside the message is looked at only where its key is not known yet.
func (x *Exchange) open(body []byte, external func(msg []byte) []byte, v any) (msg []byte, err error) {
	r := cose.NewStrictReader(body)
	if r.Array() != 2 {
		return nil, errBody
	}
	cert, msg := r.Bytes(), r.Bytes()
	if !r.Done() {
		return nil, errBody
	}
	now, other, trust := x.deps.Clock(), x.side.Other(), x.deps.Trust()
	payload, err := trust.OpenMessage(other, pass.UseExchange, msg, external(msg), now)
	if err != nil && problem.CodeOf(err) == string(pass.KeyUnknown) {
		if trust, err = trust.With(cert); err != nil {
			return nil, err
		}
		payload, err = trust.OpenMessage(other, pass.UseExchange, msg, external(msg), now)
	}
	if err != nil {
		return nil, err
	}
	if err := x.codec.Unmarshal(payload, v); err != nil {
		return nil, problem.New(problem.Invalid, refusedForm)
	}
	return bytes.Clone(msg), nil
}

func micro(t time.Time) int64 { return t.UnixMicro() }

func fromMicro(n int64) time.Time { return time.UnixMicro(n).UTC() }

func (w withdrawal) pass() service.WithdrawnPass {
	return service.WithdrawnPass{Serial: w.Serial, Pass: w.Pass, Gen: w.Gen, Until: w.Until}
}

func newMovement(m gate.Move) movement {
	return movement{Serial: m.Serial, Pass: m.Pass, Kind: uint8(m.Kind), At: micro(m.At), Inside: m.Inside, Used: m.Used}
}

func (m movement) move() gate.Move {
	return gate.Move{Serial: m.Serial, Pass: m.Pass, Kind: gate.MoveKind(m.Kind), At: fromMicro(m.At), Inside: m.Inside, Used: m.Used}
}

func newFigure(site, day uint16, f stats.Other) figure {
	return figure{Site: site, Day: day, Inside: f.Inside, Peak: f.Peak, Entries: f.Entries, Exits: f.Exits, Free: f.Free, AsOf: micro(f.AsOf), Whole: f.Whole}
}

// maxFree bounds the slots of one site's day.
const maxFree = 1000

// other returns the figures as the command takes them. It is false where they are
// not of the day that they claim.
func (f figure) other() (stats.Other, bool) {
	if len(f.Free) > maxFree {
		return stats.Other{}, false
	}
	for id := range f.Free {
		if s := booking.SlotID(id); s.Site() != f.Site || s.Day() != f.Day {
			return stats.Other{}, false
		}
	}
	if f.Whole != nil && !wholeOf(f.Whole) {
		return stats.Other{}, false
	}
	return stats.Other{Inside: f.Inside, Peak: f.Peak, Entries: f.Entries, Exits: f.Exits, Free: f.Free, AsOf: fromMicro(f.AsOf), Whole: f.Whole}, true
}

// The most that a whole day may name.
const (
	maxReasons    = 500
	maxCategories = 100
	maxOutcomes   = 16
)

// size bounds the length of a figure's encoding.
func (f figure) size() int {
	n := 64 + 14*len(f.Free)
	if d := f.Whole; d != nil {
		n += 200 + 5*(len(d.Arrivals)+len(d.Departures)+len(d.Inside)) + 7*len(d.Outcomes)
		for _, r := range d.Reasons {
			n += 16 + len(r.Code) + len(r.Clause)
		}
		for name := range d.Categories {
			n += 48 + len(name)
		}
	}
	return n
}

// wholeOf reports whether a day that the other side told has the form of one. Its texts are
// codes and marks of clauses and categories: there is room in none for a sentence.
func wholeOf(d *stats.Day) bool {
	for _, b := range [][]uint32{d.Arrivals, d.Departures, d.Inside} {
		if len(b) != 0 && len(b) != stats.Buckets {
			return false
		}
	}
	if d.Site != 0 || d.Day != 0 || !d.UpdatedAt.IsZero() || int(d.Quarter) >= stats.Buckets ||
		len(d.Reasons) > maxReasons || len(d.Categories) > maxCategories || len(d.Outcomes) > maxOutcomes {
		return false
	}
	for _, r := range d.Reasons {
		if !r.Code.Valid() || len(r.Code) > 64 || !mark(r.Clause) {
			return false
		}
	}
	for name := range d.Categories {
		if !mark(name) {
			return false
		}
	}
	return true
}

// mark reports whether a text could name a clause or a category.
func mark(s string) bool {
	return len(s) <= 64 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789().,/_-") == ""
}
