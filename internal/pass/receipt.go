// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package pass

import (
	"crypto/sha256"
	"encoding/binary"
	"strings"
	"time"
	"unicode"

	"darwaza.dev/internal/cose"
	"darwaza.dev/internal/problem"
)

// ReceiptPrefix begins the text of every receipt; its digit is the version of the format.
const ReceiptPrefix = "DR1:"

// MaxReceiptText is the greatest length in characters of a receipt that SignReceipt makes.
const MaxReceiptText = 700

const (
	claimReceipt   = -65540
	maxReadReceipt = 2048
)

func externalReceipt() []byte { return []byte("darwaza.dev/receipt/1") }

// Receipt is the paper for one purchase, signed so that it can be checked wherever it
// is shown and however long after. It is a CBOR Web Token in a COSE_Sign1 with the
// external data "darwaza.dev/receipt/1", in Base45 behind "DR1:", in core
// deterministic encoding:
//
//	{
//	    6      : uint             iat, seconds since 1970
//	    -65540 : [
//	        side     : uint             1 = A, 2 = B: whose goods desk
//	        edition  : bstr .size 8     prefix of the edition's hash
//	        number   : tstr 1..24
//	        site     : uint .le 65535
//	        day      : uint .le 65535   days since 2000-01-01, the market day
//	        code     : tstr 1..12       of the good
//	        category : tstr 0..24
//	        quantity : uint             thousandths of the unit
//	        unit     : tstr 0..12
//	        value    : uint             minor units of the currency
//	        currency : tstr 3
//	        regime   : tstr 1..16
//	        duty     : uint / null      null: owed, and not known
//	        clause   : tstr 0..24       that set the duty or diverted
//	        officer  : tstr 1..24       id, never a name
//	        salt     : bstr .size 16
//	        holder   : bstr .size 32    see Holder
//	    ]
//	}
//
// Name and number of the holder stand on the paper and not in the code; whoever has
// the paper can check that they are the ones it was made out to.
type Receipt struct {
	Side     Side
	Edition  [8]byte
	Number   string
	Site     uint16
	Day      uint16
	Code     string
	Category string
	Quantity int64
	Unit     string
	Value    int64
	Currency string
	Regime   string
	Duty     int64
	// DutyKnown is false where duty is owed and the texts at hand do not say how much.
	DutyKnown bool
	Clause    string
	Officer   string
	Salt      [16]byte
	Holder    [32]byte
	IssuedAt  time.Time
}

// Holder returns the salted digest of a holder's name and document number, as they
// are printed. White space, case, and which script's digits a number is in make no difference.
func Holder(salt [16]byte, fullName, number string) [32]byte {
	b := append([]byte("darwaza.dev/holder/1\x00"), salt[:]...)
	for _, s := range [...]string{canonicalName(fullName), canonicalNumber(number)} {
		b = binary.BigEndian.AppendUint32(b, uint32(len(s)))
		b = append(b, s...)
	}
	return sha256.Sum256(b)
}

func canonicalName(s string) string {
	return strings.ToUpper(strings.Join(strings.Fields(s), " "))
}

func canonicalNumber(s string) string {
	return strings.Map(func(c rune) rune {
		switch {
		case '٠' <= c && c <= '٩':
			return c - '٠' + '0'
		case '۰' <= c && c <= '۹':
			return c - '۰' + '0'
		case unicode.IsLetter(c), unicode.IsDigit(c):
			return unicode.ToUpper(c)
		}
		return -1
	}, s)
}

// MadeOutTo reports whether the receipt is made out to this name and document number.
func (r Receipt) MadeOutTo(fullName, number string) bool {
	return r.Holder == Holder(r.Salt, fullName, number)
}

// texts lists the text fields in their order with the lengths that they may have.
func (r *Receipt) texts() [8]receiptText {
	return [...]receiptText{
		{"number", &r.Number, 1, 24}, {"code", &r.Code, 1, 12}, {"category", &r.Category, 0, 24}, {"unit", &r.Unit, 0, 12},
		{"currency", &r.Currency, 3, 3}, {"regime", &r.Regime, 1, 16}, {"clause", &r.Clause, 0, 24}, {"officer", &r.Officer, 1, 24},
	}
}

type receiptText struct {
	name     string
	text     *string
	min, max int
}

func (f receiptText) ok() bool {
	for _, c := range *f.text {
		if !unicode.IsPrint(c) || c == unicode.ReplacementChar {
			return false
		}
	}
	return f.min <= len(*f.text) && len(*f.text) <= f.max
}

func (r *Receipt) encode(dst []byte) ([]byte, error) {
	iat, ok := seconds(r.IssuedAt)
	if !ok {
		return nil, problem.Field("issued_at", "receipt.times")
	}
	if !r.Side.Valid() {
		return nil, problem.Field("side", "receipt.side")
	}
	texts := r.texts()
	for _, f := range texts {
		if !f.ok() {
			return nil, problem.Field(f.name, "receipt.text")
		}
	}
	if r.Quantity < 0 || r.Value < 0 || r.Duty < 0 || !r.DutyKnown && r.Duty != 0 {
		return nil, problem.Field("amount", "receipt.amount")
	}
	text := func(i int) { dst = cose.AppendText(dst, *texts[i].text) }
	dst = cose.AppendMap(dst, 2)
	dst = cose.AppendUint(append(dst, 6), iat)
	dst = cose.AppendArray(cose.AppendInt(dst, claimReceipt), 17)
	dst = cose.AppendUint(dst, r.Side.wire())
	dst = cose.AppendBytes(dst, r.Edition[:])
	text(0)
	dst = cose.AppendUint(dst, uint64(r.Site))
	dst = cose.AppendUint(dst, uint64(r.Day))
	text(1)
	text(2)
	dst = cose.AppendUint(dst, uint64(r.Quantity))
	text(3)
	dst = cose.AppendUint(dst, uint64(r.Value))
	text(4)
	text(5)
	if r.DutyKnown {
		dst = cose.AppendUint(dst, uint64(r.Duty))
	} else {
		dst = append(dst, cborNull)
	}
	text(6)
	text(7)
	dst = cose.AppendBytes(dst, r.Salt[:])
	return cose.AppendBytes(dst, r.Holder[:]), nil
}

const cborNull = 0xf6

// decode reads exactly the form that encode writes.
func (r *Receipt) decode(b []byte) bool {
	c := cose.NewStrictReader(b)
	texts := r.texts()
	text := func(i int) {
		*texts[i].text = c.Text()
		if !texts[i].ok() {
			c.Fail()
		}
	}
	amount := func() int64 { return int64(c.UintMax(1<<63 - 1)) }
	if c.Map() != 2 || c.Uint() != 6 {
		return false
	}
	r.IssuedAt = time.Unix(int64(c.UintMax(1<<32-1)), 0).UTC()
	if c.Int() != claimReceipt || c.Array() != 17 {
		return false
	}
	r.Side = readSide(&c)
	c.BytesN(r.Edition[:])
	text(0)
	r.Site = uint16(c.UintMax(1<<16 - 1))
	r.Day = uint16(c.UintMax(1<<16 - 1))
	text(1)
	text(2)
	r.Quantity = amount()
	text(3)
	r.Value = amount()
	text(4)
	text(5)
	if c.Peek() == cborNull {
		c.Skip()
	} else {
		r.Duty, r.DutyKnown = amount(), true
	}
	text(6)
	text(7)
	c.BytesN(r.Salt[:])
	c.BytesN(r.Holder[:])
	return c.Done()
}

// SignReceipt returns the text of a receipt: "DR1:" and Base45, at most
// MaxReceiptText characters. A field that does not fit is a problem of kind Invalid.
func SignReceipt(key *Key, r Receipt) (string, error) {
	if key == nil || r.Side != key.side {
		return "", problem.Field("side", "receipt.side")
	}
	payload, err := r.encode(nil)
	if err != nil {
		return "", err
	}
	msg, err := key.sign(payload, externalReceipt())
	if err != nil {
		return "", err
	}
	return ReceiptPrefix + cose.EncodeBase45(msg), nil
}

// ParseReceipt reads the text of a receipt and believes nothing in it. The problem is
// of kind Invalid.
func ParseReceipt(text string) (Receipt, error) {
	r, _, fault := readReceipt(text)
	if fault != "" {
		return Receipt{}, problem.New(problem.Invalid, string(fault))
	}
	return r, nil
}

func readReceipt(text string) (Receipt, cose.Message, Fault) {
	b, found := decodeText(ReceiptPrefix, text, maxReadReceipt)
	switch found {
	case textForeign:
		return Receipt{}, cose.Message{}, ReceiptForeign
	case textNewer:
		return Receipt{}, cose.Message{}, ReceiptNewer
	case textDamaged:
		return Receipt{}, cose.Message{}, ReceiptUnreadable
	}
	m, err := cose.Parse(b)
	var r Receipt
	if err != nil || !signedHere(m) || !r.decode(m.Payload) {
		return Receipt{}, cose.Message{}, ReceiptUnreadable
	}
	return r, m, ""
}

// VerifyReceipt reads a receipt and says whether it is genuine. Its key must have
// been good when the receipt was issued, not now: receipts outlive keys. A revoked
// key could have been made to sign any date, so nothing of it is believed. The
// receipt is filled in as far as it could be read.
//
// Whether the purchase was taken back since is for the goods desk to say, by the number.
func (t *Trust) VerifyReceipt(text string) (Receipt, Fault) {
	r, m, fault := readReceipt(text)
	if fault != "" {
		return r, fault
	}
	c, fault := t.find(r.Side, KeyID(m.KeyID), UseReceipt)
	switch {
	case fault == KeyUnknown:
		return r, ReceiptKeyUnknown
	case fault == KeyRevoked:
		return r, ReceiptKeyRevoked
	case fault != "", r.IssuedAt.Before(c.From), !r.IssuedAt.Before(c.Until), m.VerifyExternal(c.Public, externalReceipt()) != nil:
		return r, ReceiptUntrusted
	}
	return r, ""
}
