// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

// Package pass is the signed token that proves a booking, and the keys behind it.
// One side signs it, either side's gate checks it, with no call home.
//
// A pass is a CBOR Web Token (RFC 8392) in a COSE_Sign1 (RFC 9052) signed with
// ES256, written in Base45 (RFC 9285) behind the prefix "DW1:", so that a QR code
// holds it in alphanumeric mode. The payload is in core deterministic encoding and
// always has these five claims in this order:
//
//	{
//	    4      : uint            exp, seconds since 1970
//	    5      : uint            nbf
//	    6      : uint            iat
//	    7      : bstr .size 8    cti, the pass id
//	    -65537 : [               private use (RFC 8392 section 9.1)
//	        side       : uint            1 = A, 2 = B: who signed
//	        edition    : bstr .size 8    prefix of the edition's hash
//	        binding    : bstr .size 16   see Bind
//	        site       : uint .le 65535
//	        slot       : uint
//	        class      : uint .le 255
//	        place      : uint .le 4294967295
//	        generation : uint .le 255
//	        gate       : uint .le 65535  0 = any gate of the site
//	        children   : uint .le 255
//	    ]
//	}
//
// That is at most 89 bytes, 174 with the envelope, 265 characters of QR text: the
// bound is 300. There is one pass for each adult; children ride on an adult's.
//
// Whoever reads the text learns where and when, and never who: the binding says
// nothing without the gates' key.
package pass

import (
	"encoding/binary"
	"errors"
	"strings"
	"time"

	"darwaza.dev/internal/cose"
	"darwaza.dev/internal/problem"
)

// Prefix begins the text of every pass; its digit is the version of the format.
const Prefix = "DW1:"

// MaxText is the greatest length in characters of a pass that Sign makes.
const MaxText = 300

// maxRead is the greatest length in bytes of a text that Parse looks at. It is
// larger than MaxText, so that a later release may add claims.
const maxRead = 1024

// claimPrivate is the key of the claims that RFC 8392 has no name for.
const claimPrivate = -65537

// Side is the side of the agreement that signed: SideA or SideB.
type Side byte

// The sides. They are letters, so that a side in a dump is legible.
const (
	SideA Side = 'A'
	SideB Side = 'B'
)

// Valid reports whether s is one of the two sides.
func (s Side) Valid() bool { return s == SideA || s == SideB }

// String returns "A" or "B", and "?" for anything else.
func (s Side) String() string {
	if !s.Valid() {
		return "?"
	}
	return string(rune(s))
}

// Other returns the opposite side.
func (s Side) Other() Side {
	switch s {
	case SideA:
		return SideB
	case SideB:
		return SideA
	}
	return s
}

// MarshalText writes "A" or "B".
func (s Side) MarshalText() ([]byte, error) {
	if !s.Valid() {
		return nil, errSide
	}
	return []byte{byte(s)}, nil
}

// UnmarshalText reads "A" or "B".
func (s *Side) UnmarshalText(b []byte) error {
	v, err := ParseSide(string(b))
	if err != nil {
		return err
	}
	*s = v
	return nil
}

var errSide = errors.New("pass: side is not A or B")

// ParseSide reads "A" or "B".
func ParseSide(s string) (Side, error) {
	if len(s) == 1 && Side(s[0]).Valid() {
		return Side(s[0]), nil
	}
	return 0, errSide
}

func (s Side) wire() uint64 { return uint64(s-SideA) + 1 }

// Claims is what a pass says. Times are whole seconds, from 1970 to 2106.
type Claims struct {
	ID      ID
	Side    Side    // who signed; the key must be this side's
	Edition [8]byte // first bytes of the hash of the edition it was sold under
	Binding [16]byte
	Site    uint16 // number of the site in the edition
	Slot    uint64
	Class   uint8
	Place   uint32 // number of the place within the slot
	// Generation counts the passes issued for one booking: a reissue (lost paper,
	// moved slot) is the same ID with the next generation, and the older is withdrawn.
	Generation uint8
	Gate       uint16 // 0 for any gate of the site
	Children   uint8
	NotBefore  time.Time
	Expires    time.Time // first second at which the pass no longer holds
	IssuedAt   time.Time
}

func seconds(t time.Time) (uint64, bool) {
	s := t.Unix()
	return uint64(s), t.Nanosecond() == 0 && s >= 0 && s <= 1<<32-1
}

func (c *Claims) encode(dst []byte) ([]byte, error) {
	exp, ok1 := seconds(c.Expires)
	nbf, ok2 := seconds(c.NotBefore)
	iat, ok3 := seconds(c.IssuedAt)
	if !ok1 || !ok2 || !ok3 {
		return nil, problem.Field("times", "pass.times")
	}
	if nbf >= exp {
		return nil, problem.Field("expires", "pass.times")
	}
	if !c.Side.Valid() {
		return nil, problem.Field("side", "pass.side")
	}
	dst = cose.AppendMap(dst, 5)
	dst = cose.AppendUint(append(dst, 4), exp)
	dst = cose.AppendUint(append(dst, 5), nbf)
	dst = cose.AppendUint(append(dst, 6), iat)
	dst = cose.AppendBytes(append(dst, 7), c.ID[:])
	dst = cose.AppendInt(dst, claimPrivate)
	dst = cose.AppendArray(dst, 10)
	dst = cose.AppendUint(dst, c.Side.wire())
	dst = cose.AppendBytes(dst, c.Edition[:])
	dst = cose.AppendBytes(dst, c.Binding[:])
	dst = cose.AppendUint(dst, uint64(c.Site))
	dst = cose.AppendUint(dst, c.Slot)
	dst = cose.AppendUint(dst, uint64(c.Class))
	dst = cose.AppendUint(dst, uint64(c.Place))
	dst = cose.AppendUint(dst, uint64(c.Generation))
	dst = cose.AppendUint(dst, uint64(c.Gate))
	return cose.AppendUint(dst, uint64(c.Children)), nil
}

// decode reads exactly the form that encode writes: one meaning, one encoding.
func (c *Claims) decode(b []byte) bool {
	r := cose.NewStrictReader(b)
	instant := func(key uint64) time.Time {
		if r.Uint() != key {
			r.Fail()
		}
		return time.Unix(int64(r.UintMax(1<<32-1)), 0).UTC()
	}
	if r.Map() != 5 {
		return false
	}
	c.Expires = instant(4)
	c.NotBefore = instant(5)
	c.IssuedAt = instant(6)
	if r.Uint() != 7 {
		r.Fail()
	}
	r.BytesN(c.ID[:])
	if r.Int() != claimPrivate || r.Array() != 10 {
		return false
	}
	c.Side = readSide(&r)
	r.BytesN(c.Edition[:])
	r.BytesN(c.Binding[:])
	c.Site = uint16(r.UintMax(1<<16 - 1))
	c.Slot = r.Uint()
	c.Class = uint8(r.UintMax(1<<8 - 1))
	c.Place = uint32(r.UintMax(1<<32 - 1))
	c.Generation = uint8(r.UintMax(1<<8 - 1))
	c.Gate = uint16(r.UintMax(1<<16 - 1))
	c.Children = uint8(r.UintMax(1<<8 - 1))
	return r.Done() && c.NotBefore.Before(c.Expires)
}

// Sign returns the text of a pass: "DW1:" and Base45, at most MaxText characters.
// The same claims under the same key give the same text. A claim that does not fit
// is a problem of kind Invalid.
func Sign(key *Key, c Claims) (string, error) {
	if key == nil || c.Side != key.side {
		return "", problem.Field("side", "pass.side")
	}
	var buf [128]byte
	payload, err := c.encode(buf[:0])
	if err != nil {
		return "", err
	}
	msg, err := key.sign(payload, nil)
	if err != nil {
		return "", err
	}
	var text [MaxText + 16]byte
	return string(cose.AppendBase45(append(text[:0], Prefix...), msg)), nil
}

// Untrusted is a pass that is well formed and that nobody has verified.
type Untrusted struct {
	msg    cose.Message
	claims Claims
}

// Parse reads the text of a pass, as a camera, a hand scanner or a keyboard gives
// it: white space and line ends around it are ignored, and letters may be lower-case.
// The problem is of kind Invalid; Recognise says what else it may have been.
func Parse(text string) (Untrusted, error) {
	u, fault := read(text)
	if fault != "" {
		return Untrusted{}, problem.New(problem.Invalid, string(fault))
	}
	return u, nil
}

// read is Parse with the fault that a gate shows.
func read(text string) (u Untrusted, fault Fault) {
	b, found := decodeText(Prefix, text, maxRead)
	switch found {
	case textForeign:
		return u, Foreign
	case textNewer:
		return u, Newer
	case textDamaged:
		return u, Unreadable
	}
	m, err := cose.Parse(b)
	if err != nil || !signedHere(m) {
		return u, Unreadable
	}
	u.msg = m
	if !u.claims.decode(m.Payload) {
		return Untrusted{}, Unreadable
	}
	return u, ""
}

// The ways in which a text can be other than ours.
const (
	textOurs = iota
	textForeign
	textNewer
	textDamaged
)

// decodeText returns the bytes behind a prefix of two letters, a digit and a colon. A
// text too long to be ours is foreign whatever it begins with.
func decodeText(prefix, text string, limit int) (b []byte, found int) {
	// Base45 never ends in a space, so nothing of ours is trimmed off.
	text = strings.Trim(text, " \t\r\n")
	if len(text) > limit || len(text) < len(prefix) || text[3] != ':' ||
		upper(text[0]) != prefix[0] || upper(text[1]) != prefix[1] || text[2] < '0' || text[2] > '9' {
		return nil, textForeign
	}
	if text[2] > prefix[2] {
		return nil, textNewer
	}
	if text[2] < prefix[2] {
		return nil, textForeign
	}
	body := text[len(prefix):]
	for i := range len(body) {
		if c := body[i]; upper(c) != c {
			up := []byte(body)
			for j := i; j < len(up); j++ {
				up[j] = upper(up[j])
			}
			body = string(up)
			break
		}
	}
	b, err := cose.DecodeBase45(body)
	if err != nil {
		return nil, textDamaged
	}
	return b, textOurs
}

// upper is for ASCII alone: no other letter may turn into one of Base45's.
func upper(c byte) byte {
	if 'a' <= c && c <= 'z' {
		c -= 'a' - 'A'
	}
	return c
}

// KeyID returns the id of the key that the pass says signed it.
func (u Untrusted) KeyID() KeyID {
	var id KeyID
	copy(id[:], u.msg.KeyID)
	return id
}

// ID returns the id the pass claims. It is for finding the booking of a pass that
// does not verify, never for admitting.
func (u Untrusted) ID() ID { return u.claims.ID }

// ID names a pass. It is random, so that it tells nothing and cannot be guessed at;
// it is not a secret, and a pass is never accepted by its ID alone.
type ID [8]byte

// crockford is the alphabet of Crockford's base 32: no I, L, O, U.
const crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// String returns 13 characters of Crockford's base 32; the first is 0 to F.
func (id ID) String() string {
	v := binary.BigEndian.Uint64(id[:])
	var s [13]byte
	for i := len(s) - 1; i >= 0; i-- {
		s[i] = crockford[v&31]
		v >>= 5
	}
	return string(s[:])
}

var errID = errors.New("pass: not a pass id")

// ParseID reads an ID as a person types it: lower case, hyphens and spaces are
// accepted, I and L count as 1, O as 0.
func ParseID(s string) (ID, error) {
	var v uint64
	n := 0
	if len(s) > 40 {
		return ID{}, errID
	}
	for i := range len(s) {
		c := s[i]
		if c >= 'a' && c <= 'z' {
			c -= 'a' - 'A'
		}
		switch c {
		case '-', ' ':
			continue
		case 'I', 'L':
			c = '1'
		case 'O':
			c = '0'
		}
		d := strings.IndexByte(crockford, c)
		if d < 0 || n == 13 || n == 0 && d > 15 {
			return ID{}, errID
		}
		v = v<<5 | uint64(d)
		n++
	}
	if n != 13 {
		return ID{}, errID
	}
	var id ID
	binary.BigEndian.PutUint64(id[:], v)
	return id, nil
}

// MarshalText writes the 13 characters.
func (id ID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText reads what ParseID reads.
func (id *ID) UnmarshalText(b []byte) error {
	v, err := ParseID(string(b))
	if err != nil {
		return err
	}
	*id = v
	return nil
}

// Kind is what a scanned text is, by its look alone.
type Kind uint8

// The kinds. Everything but Pass is foreign to this gate, and it says which.
const (
	Unknown Kind = iota
	Pass
	Paper             // a receipt of the goods desk, "DR1:"
	HealthCertificate // EU DCC and others by its format, "HC1:"
	SmartHealthCard   // "shc:/"
	URL
	MRZ // the machine readable zone of a travel document, ICAO 9303
)

var kinds = [...]string{"unknown", "pass", "receipt", "health_certificate", "smart_health_card", "url", "mrz"}

// String returns the kind's word, which is also the last part of its text key.
func (k Kind) String() string {
	if int(k) < len(kinds) {
		return kinds[k]
	}
	return kinds[Unknown]
}

// Recognise says what a scanned text looks like. It decides nothing.
func Recognise(text string) Kind {
	text = strings.TrimSpace(text)
	has := func(p string) bool { return len(text) >= len(p) && strings.EqualFold(text[:len(p)], p) }
	switch {
	case has("DW") && len(text) > 3 && text[2] >= '0' && text[2] <= '9' && text[3] == ':':
		return Pass
	case has("DR") && len(text) > 3 && text[2] >= '0' && text[2] <= '9' && text[3] == ':':
		return Paper
	case has("HC1:"):
		return HealthCertificate
	case has("shc:/"):
		return SmartHealthCard
	case has("http://"), has("https://"):
		return URL
	case looksMRZ(text):
		return MRZ
	}
	return Unknown
}

// looksMRZ reports two lines of 44 or 36 characters, or three of 30, with or without
// the line ends, of the letters that ICAO 9303 part 3 section 4.3 allows.
func looksMRZ(text string) bool {
	n := 0
	fill := false
	for i := range len(text) {
		switch c := text[i]; {
		case c == '\r' || c == '\n':
		case c == '<':
			fill = true
			n++
		case c >= 'A' && c <= 'Z' || c >= '0' && c <= '9':
			n++
		default:
			return false
		}
	}
	return fill && (n == 88 || n == 72 || n == 90) && strings.IndexByte("PVIAC", text[0]) >= 0
}
