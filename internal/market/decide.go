// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package market

import (
	"encoding/hex"
	"math/bits"
	"slices"
	"strconv"
	"strings"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/fact"
	"darwaza.dev/internal/gate"
	"darwaza.dev/internal/pass"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/reason"
	"darwaza.dev/internal/rules"
)

// The regimes under which a lot goes.
const (
	Concession = "concession"
	Statutory  = "statutory"
)

// Bounds within which sums of a day cannot overflow: a unit value or a lot of ten
// thousand million units of currency, a quantity of a thousand million units.
const (
	MaxValue    = 1_000_000_000_000
	MaxQuantity = 1_000_000_000_000
)

// maxLots is how many purchases, void ones included, one person's day can hold.
const maxLots = 500

// maxAhead is how many days ahead a value can be displayed.
const maxAhead = 31

// Desk is what a decision looks at: the market's ledgers, who is at the market as far as
// this side's gates have seen, the law, and the time.
type Desk struct {
	State
	Gate gate.State
	Law  *rules.Law
	Side agreement.Side
	Now  time.Time
}

// ValueFor returns the value of a quantity in thousandths at a value per unit, rounded
// half up. It is false where that is no value within MaxValue.
func ValueFor(unit, quantity int64) (int64, bool) {
	if unit < 0 || quantity < 0 {
		return 0, false
	}
	hi, lo := bits.Mul64(uint64(unit), uint64(quantity))
	lo, carry := bits.Add64(lo, 500, 0)
	hi += carry
	if hi >= 1000 {
		return 0, false
	}
	v, _ := bits.Div64(hi, lo, 1000)
	return int64(v), v <= MaxValue
}

// QuantityFor returns the greatest quantity, in thousandths, whose value by ValueFor is
// at most value.
func QuantityFor(unit, value int64) int64 {
	if unit <= 0 || value <= 0 || value > MaxValue {
		return 0
	}
	// round(unit·q/1000) ≤ value ⇔ unit·q + 500 < 1000·(value+1)
	return min((1000*(value+1)-501)/unit, MaxQuantity)
}

// PlainCode returns the eight digits of a code, written with or without the dot; it is
// false where s is no code.
func PlainCode(s string) (string, bool) {
	if len(s) == 9 && s[4] == '.' {
		s = s[:4] + s[5:]
	}
	if len(s) != 8 || strings.Trim(s, "0123456789") != "" {
		return "", false
	}
	return s, true
}

// spot is a market and a moment by its clock.
type spot struct {
	edition *agreement.Edition
	site    agreement.Site
	day     uint16
}

func (d Desk) spot(site uint16) (spot, error) {
	e, ok := d.Law.EditionFor(site, d.Now)
	if !ok {
		return spot{day: rules.DayNumber(calendar.On(d.Now, time.UTC))}, nil // the law says so itself when it is asked
	}
	s, ok := e.SiteNumbered(site)
	if !ok {
		return spot{}, problem.New(problem.NotFound, "market.site")
	}
	return spot{e, s, rules.DayNumber(calendar.On(d.Now, d.Law.Zone(s.ID)))}, nil
}

// DecideDisplay publishes customs values. Values that are displayed already as they are
// given say nothing new.
func (d Desk) DecideDisplay(site, day uint16, values []CodeValue, officer string) ([]fact.Fact, error) {
	at, err := d.spot(site)
	if err != nil {
		return nil, err
	}
	switch {
	case at.edition == nil:
		return nil, problem.New(problem.Conflict, "market.edition")
	case day < at.day:
		return nil, problem.Field("day", "market.day.past")
	case day > at.day+maxAhead:
		return nil, problem.Field("day", "market.day.ahead")
	case len(values) > 1000:
		return nil, problem.New(problem.Limit, "market.values")
	}
	f := &Displayed{Site: site, Day: day, Officer: officer}
	for _, v := range values {
		code, ok := PlainCode(v.Code)
		if !ok {
			return nil, problem.Field("code", "market.code")
		}
		_, line, ok := d.Law.Good(code, d.Now)
		if !ok {
			return nil, problem.Field("code", "market.code.unlisted")
		}
		if v.Unit == "" {
			v.Unit = line.Unit
		}
		switch {
		case v.Unit != line.Unit:
			return nil, problem.Field("unit", "market.unit")
		case v.Currency != at.edition.Currency:
			return nil, problem.Field("currency", "market.currency")
		case v.Minor <= 0 || v.Minor > MaxValue:
			return nil, problem.Field("value", "market.value")
		}
		v.Code = code
		if old, ok := d.Values.Get(ValueKey{Site: site, Code: code, Day: day}); ok && old.Minor == v.Minor && old.Currency == v.Currency && old.Unit == v.Unit {
			continue
		}
		f.Values = append(f.Values, v)
	}
	if len(f.Values) == 0 {
		return nil, nil
	}
	return []fact.Fact{f}, nil
}

// Lot is one lot that somebody wants to buy.
type Lot struct {
	ID    string
	Site  uint16
	Pass  pass.ID // zero where the buyer has none at hand
	Tag   [16]byte
	Class uint8 // of the buyer's booking, 0 where not known
	// Own is true where the pass is one that this side sold, and Day is then its slot's.
	Own bool
	Day uint16
	// Holder is the tag of the person for whom this side sold the pass.
	Holder   [16]byte
	Gone     reason.Code // why the pass is no longer good, empty where it is
	Code     string
	Quantity int64
	Officer  string
	Document string
	Named    bool
	Accept   bool
	Dry      bool
	Decided  string
	Value    int64
	Replaces string
	Sealed   string
}

func (l *Lot) check() error {
	code, ok := PlainCode(l.Code)
	switch {
	case !ok:
		return problem.Field("code", "market.code")
	case l.Quantity <= 0 || l.Quantity > MaxQuantity:
		return problem.Field("quantity", "market.quantity")
	case l.Tag == ([16]byte{}):
		// Without the tag there is nothing to count the day's allowance by.
		return problem.Field("tag", "market.tag")
	case !l.Dry && !validReceipt(l.ID):
		return problem.Field("id", "market.receipt")
	case l.Value < 0 || l.Value > MaxValue:
		return problem.Field("value", "market.value")
	case l.Decided != "" && !slices.Contains(Grounds[:], l.Decided):
		return problem.Field("decided", "market.ground")
	case l.Value != 0 && l.Decided == "":
		return problem.Field("decided", "market.ground")
	}
	l.Code = code
	return nil
}

// validReceipt reports the form "R-" and 12 characters of Crockford's base 32.
func validReceipt(id string) bool {
	return len(id) == 14 && id[:2] == "R-" && strings.Trim(id[2:], "0123456789ABCDEFGHJKMNPQRSTVWXYZ") == ""
}

// Answer is what the goods desk says to a lot.
type Answer struct {
	Verdict  rules.Verdict
	Purchase Purchase // as it was or would be recorded
	Bought   bool
	Fits     int64 // greatest quantity that the concessional rate still allows
}

// DecideBuy asks the law about a lot, and records it where it may go.
//
// The buyer need not have been seen by a gate of this side: whoever came in by the
// other side's gate has no presence here, and the desk must still serve them. What is
// needed is the tag, by which the day's allowance is counted at every market. Where
// this side's gates did see the pass today, they must not have seen it leave.
func (d Desk) DecideBuy(l Lot) ([]fact.Fact, Answer, error) {
	if err := l.check(); err != nil {
		return nil, Answer{}, err
	}
	at, err := d.spot(l.Site)
	if err != nil {
		return nil, Answer{}, err
	}
	_, taken := d.Receipts.Get(l.ID)
	if _, turned := d.Turned.Get(l.ID); (taken || turned) && !l.Dry {
		return nil, Answer{}, problem.New(problem.Conflict, "market.receipt")
	}
	key := LedgerKey{Tag: l.Tag, Day: at.day}
	ledger, _ := d.Ledgers.Get(key)
	if len(ledger.Purchases) >= maxLots && !l.Dry {
		return nil, Answer{}, problem.New(problem.Limit, "market.ledger")
	}
	var void *TakenBack
	if l.Replaces != "" {
		if void, err = d.takeBack(l.Replaces, "keyed", l.Officer); err != nil {
			return nil, Answer{}, err
		}
		if void.Key != key || void.Site != l.Site {
			return nil, Answer{}, problem.Field("replaces", "market.replaces")
		}
		ledger.Purchases = slices.DeleteFunc(slices.Clone(ledger.Purchases), func(p Purchase) bool { return p.ID == l.Replaces })
	}
	why, class, err := d.buyer(l, at)
	if err != nil {
		return nil, Answer{}, err
	}
	_, line, listed := d.Law.Good(l.Code, d.Now)
	p := Purchase{ID: l.ID, Site: l.Site, Pass: l.Pass, Code: l.Code, Category: line.Category, Quantity: l.Quantity, Unit: line.Unit,
		Officer: l.Officer, Replaces: l.Replaces, Sealed: l.Sealed, Document: l.Document}
	if at.edition != nil {
		p.Currency, p.Edition = at.edition.Currency, hex.EncodeToString(at.edition.Hash[:])
	}
	shown, displayed := d.Values.Get(ValueKey{Site: l.Site, Code: l.Code, Day: at.day})
	valued := displayed
	if displayed {
		ok := false
		if p.Value, ok = ValueFor(shown.Minor, l.Quantity); !ok {
			return nil, Answer{}, problem.Field("quantity", "market.quantity")
		}
		p.Unit, p.Currency = shown.Unit, shown.Currency
	} else if l.Value > 0 {
		p.Value, valued = l.Value, true
		why = append(why, reason.Reason{Code: CodeStated, Outcome: reason.Refer})
	}
	v, lot := d.ask(l, at, class, p, valued, ledger)
	asked := []rules.Asked{lot}
	// Where the agreement works the value out, what it came to is kept: the limits of the
	// day were asked of that value and count it from now on.
	counted, worked := v.Counted()
	if worked {
		if counted > MaxValue {
			return nil, Answer{}, problem.Field("quantity", "market.quantity")
		}
		p.Value, p.Currency, valued = counted, at.edition.Currency, true
	}
	if !listed && v.Outcome == reason.Allow {
		why = append(why, reason.Reason{Code: rules.CodeUnlisted, Outcome: reason.Refer})
	}
	duty, hasDuty := v.Amount("duty", "")
	p.Duty, p.DutyKnown, p.Clause = duty.Minor, hasDuty && duty.Known, duty.Clause
	p.Regime = Concession
	diverted := ""
	for _, r := range v.Reasons {
		if r.Outcome == reason.Divert {
			p.Regime, diverted = Statutory, r.Clause
			break
		}
	}
	if p.Regime == Statutory {
		p.Clause = diverted
	} else if !listed {
		p.Regime = Statutory
	}
	v = v.With(why...)
	// A lot that goes to the statutory tariff is cleared by a declaration, and the paper
	// that it gets here is no receipt in the sense of the clause.
	if v.Outcome < reason.Refuse && diverted == "" {
		paper, receipt := d.receipt(l, at, class, p)
		v, asked = v.And(paper), append(asked, receipt)
	}
	p.Outcome = v.Outcome
	ans := Answer{Verdict: v, Purchase: p}
	if fits, ok := v.Amount("fits", ""); ok && fits.Known && displayed && !worked {
		ans.Fits = QuantityFor(shown.Minor, fits.Minor)
	}
	if l.Dry {
		return nil, ans, nil
	}
	switch {
	case v.Outcome == reason.Allow || v.Outcome == reason.Breach:
		ans.Bought = true
	case v.Outcome == reason.Divert:
		ans.Bought = l.Accept
	case v.Outcome.NeedsOfficer():
		ans.Bought = l.Decided != "" && valued && (diverted == "" || l.Accept)
		ans.Purchase.Decided, ans.Purchase.DecidedWhy = l.Officer, l.Decided
	}
	bare := d.Law.Grounds(v)
	if !ans.Bought {
		ans.Purchase.Decided, ans.Purchase.DecidedWhy = "", ""
		return []fact.Fact{&Turned{Site: l.Site, Day: at.day, Code: l.Code, Category: p.Category, Outcome: v.Outcome, Reasons: bare, Officer: l.Officer, ID: l.ID, Edition: p.Edition, Asked: asked}}, ans, nil
	}
	var facts []fact.Fact
	if void != nil {
		facts = append(facts, void)
	}
	return append(facts, &Bought{Key: key, Purchase: ans.Purchase, Reasons: bare, Asked: asked}), ans, nil
}

// buyer says what the gates have seen of the buyer.
func (d Desk) buyer(l Lot, at spot) (why []reason.Reason, class uint8, err error) {
	class = l.Class
	if l.Pass == (pass.ID{}) {
		return nil, class, nil
	}
	if l.Gone != "" {
		return []reason.Reason{{Code: l.Gone, Outcome: reason.Refuse}}, class, nil
	}
	if l.Own && l.Day != at.day {
		return []reason.Reason{{Code: gate.CodeDay, Outcome: reason.Refuse}}, class, nil
	}
	// One pass is one person's: another document would open another person's ledger.
	if l.Own && l.Holder != l.Tag {
		return nil, 0, problem.Field("tag", "market.tag")
	}
	p, ok := d.Gate.Presences.Get(l.Pass)
	if !ok {
		return nil, class, nil
	}
	if p.Day != at.day {
		// The tag of another day would open a second ledger beside today's.
		return []reason.Reason{{Code: gate.CodeDay, Outcome: reason.Refuse}}, p.Class, nil
	}
	if p.Tag != ([16]byte{}) && p.Tag != l.Tag {
		return nil, 0, problem.Field("tag", "market.tag")
	}
	class = p.Class
	switch {
	case p.Site != l.Site:
		why = append(why, reason.Reason{Code: CodeAway, Outcome: reason.Refer})
	case !p.Inside && p.Visits > 0:
		why = append(why, reason.Reason{Code: CodeAbsent, Outcome: reason.Refer})
	}
	return why, class, nil
}

// facts are the attributes that this desk knows of a lot and its buyer.
func (d Desk) facts(l Lot, at spot, class uint8) rules.Facts {
	f := rules.Facts{
		"good.code":     l.Code,
		"good.quantity": l.Quantity,
		"receipt.named": l.Named,
	}
	if c, _, ok := d.Law.ClassNumbered(at.site.Number, class, d.Now); ok {
		f["class"] = c.ID
	}
	if l.Document != "" {
		f["person.document"] = l.Document
	}
	return f
}

func (d Desk) ask(l Lot, at spot, class uint8, p Purchase, valued bool, ledger Ledger) (rules.Verdict, rules.Asked) {
	f := d.facts(l, at, class)
	if valued {
		f["good.value"] = p.Value
	}
	q := rules.Query{Point: rules.Goods, At: d.Now, Site: at.site.ID, Side: string(d.Side), Facts: f,
		Lots: ledger.Lots(func(n uint16) string { return siteID(at.edition, n) })}
	v := d.Law.Check(q)
	return v, d.Law.Keep(q, v)
}

// receipt asks whether the receipt could bear what it must.
func (d Desk) receipt(l Lot, at spot, class uint8, p Purchase) (rules.Verdict, rules.Asked) {
	f := d.facts(l, at, class)
	if l.Named && l.Document != "" {
		f["receipt.number"] = l.Document
	}
	if p.DutyKnown {
		f["receipt.duty"] = p.Duty
	}
	q := rules.Query{Point: rules.Receipt, At: d.Now, Site: at.site.ID, Side: string(d.Side), Facts: f}
	v := d.Law.Check(q)
	asked := d.Law.Keep(q, v)
	if v.Outcome <= reason.Refer {
		return v, asked
	}
	if len(v.Parts) > 0 {
		parts := slices.Clone(v.Parts)
		for i := range parts {
			parts[i] = soft(parts[i])
		}
		return rules.Join(parts...), asked
	}
	return soft(v), asked
}

// soft is what the law says of a receipt, as the desk takes it.
func soft(v rules.Verdict) rules.Verdict {
	if v.Outcome <= reason.Refer {
		return v
	}
	// The clause says that such a receipt is not valid, not that the lot must not be
	// bought: what to do about it is for an officer.
	rs := v.Reasons
	v.Outcome, v.Reasons = reason.Allow, nil
	for _, r := range rs {
		if r.Outcome > reason.Refer {
			r = reason.Reason{Code: CodeReceipt, Outcome: reason.Refer, Clause: r.Clause}
		}
		v = v.With(r)
	}
	return v
}

func siteID(e *agreement.Edition, n uint16) string {
	if e != nil {
		if s, ok := e.SiteNumbered(n); ok {
			return s.ID
		}
	}
	return strconv.Itoa(int(n))
}

// takeBack returns the fact that makes a purchase void.
func (d Desk) takeBack(id, why, officer string) (*TakenBack, error) {
	key, ok := d.Receipts.Get(id)
	if !ok {
		return nil, problem.New(problem.NotFound, "market.receipt")
	}
	l, _ := d.Ledgers.Get(key)
	for _, p := range l.Purchases {
		if p.ID != id {
			continue
		}
		if p.Void {
			return nil, problem.New(problem.Conflict, "market.receipt.void")
		}
		return &TakenBack{Key: key, ID: id, Why: why, Officer: officer, Site: p.Site, Category: p.Category, Value: p.Value,
			Duty: p.Duty, DutyKnown: p.DutyKnown, Diverted: p.Regime == Statutory}, nil
	}
	return nil, problem.New(problem.NotFound, "market.receipt")
}

// DecideVoid takes a purchase back.
func (d Desk) DecideVoid(id, why, officer string) ([]fact.Fact, LedgerKey, error) {
	if !slices.Contains(Grounds[:], why) {
		return nil, LedgerKey{}, problem.Field("why", "market.ground")
	}
	f, err := d.takeBack(id, why, officer)
	if err != nil {
		return nil, LedgerKey{}, err
	}
	return []fact.Fact{f}, f.Key, nil
}

// Enrolled reports whether a register tag has a vendor's card that is good at a site on
// a day.
func (st State) Enrolled(register [16]byte, site, day uint16) bool {
	if register == ([16]byte{}) {
		return false
	}
	v, ok := st.Vendors.Get(register)
	return ok && !v.Suspended && v.Site == site && v.From <= day && day < v.Until
}

// DecideEnrol gives, changes or suspends a vendor's card.
func (d Desk) DecideEnrol(register [16]byte, v Vendor, officer string) ([]fact.Fact, error) {
	if _, err := d.spot(v.Site); err != nil {
		return nil, err
	}
	card := strings.Trim(v.Card, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-/")
	switch {
	case register == ([16]byte{}):
		return nil, problem.Field("register", "market.register")
	case v.Card == "" || len(v.Card) > 32 || card != "":
		return nil, problem.Field("card", "market.card")
	case v.From >= v.Until:
		return nil, problem.Field("until", "market.card.dates")
	}
	v.By, v.At, v.Card = officer, time.Time{}, ""
	return []fact.Fact{&Enrolled{Register: register, Vendor: v}}, nil
}
