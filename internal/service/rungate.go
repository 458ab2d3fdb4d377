// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package service

import (
	"time"

	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/gate"
	"darwaza.dev/internal/market"
	"darwaza.dev/internal/pass"
	"darwaza.dev/internal/people"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/reason"
	"darwaza.dev/internal/rules"
)

func (tx *Tx) gate() gate.Desk {
	return gate.Desk{State: tx.Gate, Booking: tx.Booking, Levels: tx.Levels, Screening: tx.Screening, Closures: tx.Closures, Law: tx.Law, Side: tx.Side, Now: tx.Now}
}

// Run answers a scan. The scan is recorded whatever the answer is.
func (c Scan) Run(tx *Tx) (any, error) {
	if err := tx.whole(); err != nil {
		return nil, err
	}
	if _, err := tx.acting(c.Officer, c.Site, mayScan); err != nil {
		return nil, err
	}
	a := gate.Arrival{Site: c.Site, Gate: c.Gate, Direction: c.Direction, Officer: string(c.Officer), Claims: c.Claims, Fault: c.Fault,
		Looks: c.Looks, Match: c.Match, Found: c.Found, Screening: c.Screening, Again: c.Again, Tag: c.Tag, Register: c.Register, Evidence: c.Evidence, Behind: c.Behind}
	a.Vendor, a.VendorKnown = tx.vendor(c.Claims.ID, c.Claims.Side.String())
	if c.Direction == gate.Out && pass.Genuine(c.Fault) {
		a.Lots = tx.leaving(c)
	}
	facts, ans, err := tx.gate().DecideScan(a)
	if err != nil {
		return nil, err
	}
	tx.record(facts)
	out := ScanAnswer{Verdict: ans.Verdict, Earlier: ans.Earlier, Ref: ans.Ref, Class: ans.Class, People: ans.People, Asks: ans.Asks, Goods: ans.Goods}
	id := c.Claims.ID
	if !pass.Genuine(c.Fault) {
		id = pass.ID{}
		out.Scan = gate.Scan{Serial: ans.Serial, Direction: c.Direction, Gate: c.Gate, At: tx.Now, Officer: string(c.Officer), Outcome: ans.Verdict.Outcome}
	}
	tx.fill(&out, id, ans.Serial, c.Site, ans.Day)
	return out, nil
}

// leaving returns what the holder of a pass has bought on its day at this side's desks and
// not taken out yet.
func (tx *Tx) leaving(c Scan) (lots []gate.Lot) {
	tag := c.Tag
	if b, member, ok := BookingOfPass(tx.State, c.Claims.ID); ok && c.Claims.Side.String() == string(tx.Side) {
		tag = b.Members[member].Tag
	} else if p, ok := tx.Gate.Presences.Get(c.Claims.ID); ok && tag == ([16]byte{}) {
		tag = p.Tag
	}
	if tag == ([16]byte{}) {
		return nil
	}
	var gone time.Time // what was bought before has left already
	p, _ := tx.Gate.Presences.Get(c.Claims.ID)
	for _, s := range p.Scans {
		if s.Counted && !s.Void && s.Direction == gate.Out && (s.Goods == reason.Allow || s.GoodsGo) {
			gone = s.At
		}
	}
	for _, p := range LedgerOf(tx.State, tag, booking.SlotID(c.Claims.Slot).Day()).Purchases {
		if !p.Void && p.At.After(gone) {
			lots = append(lots, gate.Lot{Code: p.Code, Value: p.Value, Quantity: p.Quantity})
		}
	}
	return lots
}

// vendor says whether the holder of a pass has a vendor's card that is good on its day;
// known is false of a pass that the other side sold.
func (tx *Tx) vendor(id pass.ID, issuer string) (enrolled, known bool) {
	b, member, ok := BookingOfPass(tx.State, id)
	if !ok || issuer != string(tx.Side) {
		return false, false
	}
	return tx.Market.Enrolled(b.Members[member].Register, b.Slot.Site(), b.Slot.Day()), true
}

// fill adds to an answer how pass and site stand now.
func (tx *Tx) fill(out *ScanAnswer, id pass.ID, serial uint64, site, day uint16) {
	if p, ok := tx.Gate.Presences.Get(id); ok {
		out.Presence = p
		for _, s := range p.Scans {
			if s.Serial == serial {
				out.Scan = s
			}
		}
		if p.Inside {
			site, day = p.Site, p.Day
		}
	}
	d, _ := tx.Gate.Days.Get(gate.SiteDayKey{Site: site, Day: day})
	out.Inside = d.Inside
	if name, ok := tx.siteID(site); ok {
		if n, ok := tx.Law.Param("occupancy.cap", name, tx.Side, tx.Now); ok {
			out.Cap = uint32(n)
		}
	}
}

// ruled is the answer after an officer's act on a scan.
func (tx *Tx) ruled(id pass.ID, serial uint64) ScanAnswer {
	p, _ := tx.Gate.Presences.Get(id)
	out := ScanAnswer{Class: p.Class, People: p.People}
	if h, ok := tx.Booking.Holders.Get(id); ok && p.Issuer == string(tx.Side) {
		out.Ref = h.Ref
	}
	tx.fill(&out, id, serial, p.Site, p.Day)
	out.Verdict = rules.Verdict{Point: rules.Gate, Outcome: out.Scan.Outcome, Reasons: out.Scan.Reasons, At: out.Scan.At}
	out.Goods = GoodsVerdict(out.Scan)
	return out
}

// GoodsVerdict is what the law said of the goods that leave with a scan, as it was kept;
// its point is empty where none leave.
func GoodsVerdict(s gate.Scan) rules.Verdict {
	if s.Goods == reason.None {
		return rules.Verdict{}
	}
	return rules.Verdict{Point: rules.Exit, Outcome: s.Goods, Reasons: s.GoodsWhy, At: s.At}
}

// GoodsOut returns the scans of a site and day with which goods leave that the agreement
// leaves to an officer: those that wait, and those that were decided or have lapsed.
func GoodsOut(st State, site, day uint16) (open, ended []gate.GoodsScan) {
	for _, g := range st.Gate.GoodsOf(site, day) {
		if g.Presence.GoodsOpen(g.Scan) {
			open = append(open, g)
		} else {
			ended = append(ended, g)
		}
	}
	return open, ended
}

// DecideGoods ends a REFER or HOLD on goods at the way out by a named officer's decision.
// Goods that were kept may still be let go on the same day.
type DecideGoods struct {
	Pass    pass.ID          `cbor:"1,keyasint,omitempty"`
	Serial  uint64           `cbor:"2,keyasint,omitempty"` // of the scan with which they leave
	Go      bool             `cbor:"3,keyasint,omitempty"` // they may go; else they are kept
	Why     string           `cbor:"4,keyasint,omitempty"` // one of gate.GoodsGrounds
	Officer people.OfficerID `cbor:"5,keyasint,omitempty"`
}

// CommandKind names the command in logs and in forwarding.
func (DecideGoods) CommandKind() string { return "gate.decide_goods" }

// Keys names the pass.
func (c DecideGoods) Keys(k *Keys) { k.Presences = append(k.Presences, c.Pass) }

// Run records the decision. To let goods go and to keep them both take the role that the
// clause names.
func (c DecideGoods) Run(tx *Tx) (any, error) {
	if err := tx.whole(); err != nil {
		return nil, err
	}
	p, s, err := tx.Gate.GoodsOfScan(c.Pass, c.Serial, c.Go)
	site := s.GoodsSite
	if site == 0 {
		site = p.Site
	}
	o, rights := tx.acting(c.Officer, site, mayRelease)
	if rights != nil {
		return nil, rights
	}
	if err != nil {
		return nil, err
	}
	if err := tx.decider(o, people.Customs, s.GoodsWhy); err != nil {
		return nil, err
	}
	facts, against, err := tx.gate().DecideGoods(gate.GoodsRuling{Pass: c.Pass, Serial: c.Serial, Go: c.Go, Why: c.Why, Officer: string(c.Officer)})
	if err != nil {
		return nil, err
	}
	tx.record(facts)
	out := tx.ruled(c.Pass, c.Serial)
	if len(against) > 0 {
		out.Goods = rules.Verdict{Point: rules.Exit, Outcome: reason.Allow, At: tx.Now}.With(against...)
	}
	return out, nil
}

// Run records an officer's decision on a scan that waits for one.
func (c DecideScan) Run(tx *Tx) (any, error) {
	if err := tx.whole(); err != nil {
		return nil, err
	}
	p, s, err := tx.Gate.PendingScan(c.Pass, c.Serial)
	o, rights := tx.acting(c.Officer, p.Site, mayScan)
	if rights != nil {
		return nil, rights
	}
	if err != nil {
		return nil, err
	}
	if c.Admit { // turning somebody back needs no more than being at the gate
		if err := tx.decider(o, people.GateOfficer, p.ToDecide(s)); err != nil {
			return nil, err
		}
	}
	r := gate.Ruling{Pass: c.Pass, Serial: c.Serial, Admit: c.Admit, Why: c.Why, Officer: string(c.Officer), Gate: c.Gate}
	r.Vendor, r.VendorKnown = tx.vendor(c.Pass, p.Issuer)
	facts, against, err := tx.gate().DecideRuling(r)
	if err != nil {
		return nil, err
	}
	tx.record(facts)
	out := tx.ruled(c.Pass, c.Serial)
	if len(against) > 0 {
		// What was kept with the scan, and with the figures what has changed.
		out.Verdict = rules.Verdict{Point: rules.Gate, Outcome: reason.Allow, At: tx.Now}.With(against...)
	}
	return out, nil
}

// Run takes a mistaken scan back.
func (c UndoScan) Run(tx *Tx) (any, error) {
	if err := tx.whole(); err != nil {
		return nil, err
	}
	p, _ := tx.Gate.Presences.Get(c.Pass)
	if _, err := tx.acting(c.Officer, p.Site, mayScan); err != nil {
		return nil, err
	}
	facts, err := tx.gate().DecideUndo(c.Pass, c.Serial, string(c.Officer))
	if err != nil {
		return nil, err
	}
	tx.record(facts)
	return tx.ruled(c.Pass, c.Serial), nil
}

// Run settles a site's day. The server may do so by itself once the day is past; while
// it lasts it takes a supervisor.
func (c Settle) Run(tx *Tx) (any, error) {
	if err := tx.whole(); err != nil {
		return nil, err
	}
	if c.Officer != "" {
		if _, err := tx.acting(c.Officer, c.Site, maySettle); err != nil {
			return nil, err
		}
	} else if today, _, ok := DayAt(tx.Law, c.Site, tx.Now); ok && c.Day >= today {
		return nil, problem.New(problem.Forbidden, "officer.role")
	}
	facts, left, err := tx.gate().DecideSettle(c.Site, c.Day, string(c.Officer))
	if err != nil {
		return nil, err
	}
	missed, err := tx.booking().DecideMissed(c.Site, c.Day, c.Bookings)
	if err != nil {
		return nil, err
	}
	tx.record(facts)
	tx.record(missed)
	a := SettleAnswer{People: left}
	for _, f := range missed {
		if m, ok := f.(*booking.Missed); ok {
			a.NoShows += uint32(len(m.Refs))
		}
	}
	a.Day, _ = tx.Gate.Days.Get(gate.SiteDayKey{Site: c.Site, Day: c.Day})
	return a, nil
}

// Run records what was read of the other side's list of withdrawals.
func (c Withdrawn) Run(tx *Tx) (any, error) {
	if err := tx.whole(); err != nil {
		return nil, err
	}
	entries := make([]gate.ListEntry, len(c.Entries))
	for i, e := range c.Entries {
		entries[i] = gate.ListEntry{Serial: e.Serial, Pass: e.Pass, Gen: e.Gen, Until: time.Unix(e.Until, 0).UTC()}
	}
	facts, err := tx.gate().DecideList(gate.ListRead{Side: c.Side, List: c.List, Upto: c.Upto, Entries: entries, Acked: c.Acked})
	if err != nil {
		return nil, err
	}
	tx.record(facts)
	h, _ := tx.Gate.Heard.Get(c.Side)
	return WithdrawnAnswer{Serial: h.Serial}, nil
}

func (tx *Tx) market() market.Desk {
	return market.Desk{State: tx.Market, Gate: tx.Gate, Law: tx.Law, Side: tx.Side, Now: tx.Now}
}

// Run publishes customs values.
func (c Display) Run(tx *Tx) (any, error) {
	if err := tx.whole(); err != nil {
		return nil, err
	}
	if _, err := tx.acting(c.Officer, c.Site, mayDisplay); err != nil {
		return nil, err
	}
	values := make([]market.CodeValue, len(c.Values))
	for i, v := range c.Values {
		values[i] = market.CodeValue{Code: v.Code, Minor: v.Minor, Currency: v.Currency, Unit: v.Unit}
	}
	facts, err := tx.market().DecideDisplay(c.Site, c.Day, values, string(c.Officer))
	if err != nil {
		return nil, err
	}
	tx.record(facts)
	var a DisplayAnswer
	for _, f := range facts {
		if d, ok := f.(*market.Displayed); ok {
			a.Changed = uint32(len(d.Values))
		}
	}
	return a, nil
}

// Run asks for a purchase, and records it where it may go.
func (c Buy) Run(tx *Tx) (any, error) {
	if err := tx.whole(); err != nil {
		return nil, err
	}
	o, err := tx.acting(c.Officer, c.Site, maySell)
	if err != nil {
		return nil, err
	}
	l := market.Lot{ID: c.ID, Site: c.Site, Pass: c.Pass, Tag: c.Tag, Code: c.Code, Quantity: c.Quantity, Officer: string(c.Officer),
		Document: c.Document, Named: c.Named, Accept: c.Accept, Dry: c.Dry, Decided: c.Decided, Value: c.Value, Replaces: c.Replaces, Sealed: c.SealedID}
	if b, m, ok := BookingOfPass(tx.State, c.Pass); ok {
		l.Class, l.Own, l.Day, l.Holder = b.Slot.Class(), true, b.Slot.Day(), b.Members[m].Tag
	}
	if c.Pass != (pass.ID{}) {
		gen := c.Gen
		if h, ok := tx.Booking.Holders.Get(c.Pass); c.Bare && ok {
			gen = h.Gen
		} else if p, ok := tx.Gate.Presences.Get(c.Pass); c.Bare && ok {
			gen = p.Gen
		}
		l.Gone = PassGone(tx.State, c.Pass, gen)
		// The number of a pass says nothing of its holder. Where this side neither sold it nor
		// saw a document with it, the pass itself has to be shown.
		if p, _ := tx.Gate.Presences.Get(c.Pass); c.Bare && l.Gone == "" && !l.Own && p.Tag == ([16]byte{}) {
			return nil, problem.Field("pass_id", "market.pass")
		}
	}
	facts, ans, err := tx.market().DecideBuy(l)
	if err != nil {
		return nil, err
	}
	if c.Turn && ans.Bought {
		return nil, problem.New(problem.Conflict, "market.allowed")
	}
	if ans.Bought && ans.Purchase.Decided != "" {
		if err := tx.decider(o, people.Customs, ans.Verdict.Reasons); err != nil {
			return nil, err
		}
	}
	tx.record(facts)
	out := BuyAnswer{Verdict: ans.Verdict, Fits: ans.Fits}
	day, _, _ := DayAt(tx.Law, c.Site, tx.Now)
	out.Ledger = LedgerOf(tx.State, c.Tag, day)
	out.Purchase = ans.Purchase
	out.Purchase.ID = ""
	if !ans.Bought && !c.Dry {
		out.Turned = c.ID
	}
	if ans.Bought {
		out.Purchase, _, _ = ReceiptOf(tx.State, c.ID)
		if c.SealedID != "" && len(c.Sealed) > 0 { // without it, an earlier receipt's is meant
			tx.Sealed.Put(c.SealedID, c.Sealed)
		}
	}
	return out, nil
}

// Run takes a purchase back.
func (c Void) Run(tx *Tx) (any, error) {
	if err := tx.whole(); err != nil {
		return nil, err
	}
	p, _, _ := ReceiptOf(tx.State, c.ID)
	if _, err := tx.acting(c.Officer, p.Site, mayVoid); err != nil {
		return nil, err
	}
	facts, _, err := tx.market().DecideVoid(c.ID, c.Why, string(c.Officer))
	if err != nil {
		return nil, err
	}
	tx.record(facts)
	var out BuyAnswer
	out.Purchase, out.Ledger, _ = ReceiptOf(tx.State, c.ID)
	out.Verdict = rules.Verdict{Point: rules.Goods, Outcome: out.Purchase.Outcome, At: tx.Now}
	return out, nil
}

// Run gives, changes or suspends a vendor's card. Its number is in no fact, and not in the
// answer that is kept.
func (c Enrol) Run(tx *Tx) (any, error) {
	if err := tx.whole(); err != nil {
		return nil, err
	}
	if _, err := tx.acting(c.Officer, c.Vendor.Site, mayEnrol); err != nil {
		return nil, err
	}
	if card, ok := tx.Market.Vendors.Get(c.Register); ok && card.Site != c.Vendor.Site {
		// A card is taken over from another site only by somebody who may act there too.
		if _, err := tx.acting(c.Officer, card.Site, mayEnrol); err != nil {
			return nil, err
		}
	}
	facts, err := tx.market().DecideEnrol(c.Register, c.Vendor, string(c.Officer))
	if err != nil {
		return nil, err
	}
	tx.record(facts)
	tx.Sealed.Put(cardKey(c.Register), []byte(c.Vendor.Card))
	v, _ := tx.Market.Vendors.Get(c.Register)
	return EnrolAnswer{Vendor: v}, nil
}
