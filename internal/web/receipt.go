// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/market"
	"darwaza.dev/internal/pass"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/service"
)

func hexHash(h agreement.Hash) string { return hex.EncodeToString(h[:]) }

// receiptText signs the receipt of a purchase for the buyer whose name and document
// number stand on the paper. The same purchase and buyer give the same text, so that a
// receipt that is printed again is the same receipt.
func (s *server) receiptText(p market.Purchase, day uint16, name, number string) (string, error) {
	m := hmac.New(sha256.New, s.deps.SessionKey)
	m.Write([]byte("darwaza.dev/receipt-salt/1\x00" + p.ID))
	salt := [16]byte(m.Sum(nil)[:16])
	side, err := pass.ParseSide(string(s.deps.Side))
	if err != nil {
		return "", problem.Wrap(problem.Internal, "receipt.side", err)
	}
	var prefix [8]byte
	if _, err := hex.Decode(prefix[:], []byte(p.Edition[:min(len(p.Edition), 16)])); err != nil {
		return "", problem.Wrap(problem.Internal, "receipt.edition", err)
	}
	text, err := pass.SignReceipt(s.deps.ReceiptKey(), pass.Receipt{
		Side: side, Edition: prefix, Number: p.ID, Site: p.Site, Day: day, Code: p.Code, Category: p.Category,
		Quantity: p.Quantity, Unit: p.Unit, Value: p.Value, Currency: p.Currency, Regime: p.Regime,
		Duty: p.Duty, DutyKnown: p.DutyKnown, Clause: p.Clause, Officer: p.Officer,
		Salt: salt, Holder: pass.Holder(salt, name, number), IssuedAt: p.At.Truncate(1e9),
	})
	return text, problem.Wrap(problem.Internal, "receipt.sign", err)
}

// receiptFound is what is known of a receipt that somebody shows.
type receiptFound struct {
	// Good is true where the receipt is genuine: its code verifies, or this side's desk
	// has recorded the number. A genuine receipt may have been voided since.
	Good  bool
	Fault pass.Fault // why the code is not genuine
	// Known is true where this side's desk recorded the purchase, so that Purchase says
	// how it stands now; otherwise it says what the code says.
	Known    bool
	Purchase market.Purchase
	Day      uint16
	Side     string // whose desk made it out
}

// checkReceipt looks at the number or the code of a receipt. Guessing at numbers is slowed down.
func (s *server) checkReceipt(r *request, text string) (receiptFound, error) {
	var v receiptFound
	if len(text) > maxField {
		return v, problem.Field("text", "receipt.size")
	}
	number, right := receiptNumber(text), func() {}
	if len(text) > 24 {
		c, fault := s.deps.Trust().VerifyReceipt(text)
		if v.Fault = fault; fault != "" {
			return v, nil
		}
		number = c.Number
		v.Good, v.Day, v.Side = true, c.Day, c.Side.String()
		v.Purchase = market.Purchase{
			ID: c.Number, Site: c.Site, Code: c.Code, Category: c.Category, Quantity: c.Quantity, Unit: c.Unit, Value: c.Value,
			Currency: c.Currency, Regime: c.Regime, Duty: c.Duty, DutyKnown: c.DutyKnown, Clause: c.Clause, Officer: c.Officer, At: c.IssuedAt,
		}
	} else {
		var err error
		if right, err = s.guess(r); err != nil {
			return v, err
		}
	}
	err := s.view(r.Context(), func(st service.State) error {
		if p, l, ok := service.ReceiptOf(st, number); ok && (!v.Good || v.Side == string(s.deps.Side)) {
			v.Good, v.Known, v.Purchase, v.Day, v.Side = true, true, p, l.Key.Day, string(s.deps.Side)
		}
		return nil
	})
	if v.Good {
		right()
	}
	return v, err
}

// receiptNumber brings a typed receipt number to the form in which it is kept.
func receiptNumber(text string) string {
	t := strings.ToUpper(strings.Join(strings.Fields(text), ""))
	t = strings.TrimPrefix(strings.TrimPrefix(t, "R-"), "R")
	return "R-" + string(parseRef(t))
}
