// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package service

import (
	"slices"
	"testing"

	"darwaza.dev/internal/gate"
	"darwaza.dev/internal/market"
	"darwaza.dev/internal/pass"
	"darwaza.dev/internal/people"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/reason"
	"darwaza.dev/internal/rules"
)

// The goods of the scenarios: Category I at 5 %, II at 10 %, III at 20 %.
const (
	tomato = "07020000" // I
	onion  = "07031000" // I
	kiwi   = "08105000" // III
	ginger = "09101200" // II, ground
)

func atDesk(t testing.TB) *world {
	w := newWorld(t, lawWith(t, small...))
	w.now = at("10:00")
	w.display(tomato, 100) // a dollar a unit
	w.display(kiwi, 100)
	return w
}

func amount(t tester, v rules.Verdict, name, of string) int64 {
	t.Helper()
	a, ok := v.Amount(name, of)
	if !ok || !a.Known {
		t.Fatalf("no amount %s of %q in %v", name, of, v.Amounts)
	}
	return a.Minor
}

func TestBuy(t *testing.T) {
	w := atDesk(t)
	dry := w.buys(1, tomato, 30_000)
	dry.Dry, dry.ID = true, ""
	a := do[BuyAnswer](w, dry)
	w.verdict(a.Verdict, reason.Allow, "")
	if a.Purchase.ID != "" || a.Purchase.Value != 3000 || a.Purchase.Duty != 150 || len(a.Ledger.Purchases) != 0 {
		t.Errorf("%+v", a)
	}
	c := w.buys(1, "0702.0000", 30_000)
	a = do[BuyAnswer](w, c)
	w.verdict(a.Verdict, reason.Allow, "")
	p := a.Purchase
	if p.ID != c.ID || p.Value != 3000 || p.Duty != 150 || !p.DutyKnown || p.Regime != market.Concession || p.Code != tomato || p.Currency != "USD" || p.Category == "" || p.Edition == "" || p.Clause == "" {
		t.Errorf("%+v", p)
	}
	a = do[BuyAnswer](w, w.buys(1, kiwi, 40_000))
	w.verdict(a.Verdict, reason.Allow, "")
	if a.Purchase.Duty != 800 || amount(t, a.Verdict, "allowance.left", "") != 3000 || len(a.Ledger.Purchases) != 2 {
		t.Errorf("%+v", a)
	}
	// Above the day's allowance: what would still fit is said.
	a = do[BuyAnswer](w, w.buys(1, kiwi, 31_000))
	if a.Verdict.Outcome < reason.Divert || a.Purchase.ID != "" {
		t.Errorf("%+v", a.Verdict)
	}
	if len(a.Ledger.Purchases) != 2 {
		t.Errorf("%+v", a.Ledger)
	}
	w.rebuilt()
}

func TestBuyDiverted(t *testing.T) {
	w := atDesk(t)
	c := w.buys(1, tomato, 50_010)
	a := do[BuyAnswer](w, c)
	w.verdict(a.Verdict, reason.Divert, "")
	if a.Purchase.ID != "" || a.Fits != 50_000+4 { // 50.004 units round to fifty dollars
		t.Errorf("%+v", a)
	}
	c.Accept, c.ID = true, w.number()
	a = do[BuyAnswer](w, c)
	if a.Purchase.ID != c.ID || a.Purchase.Regime != market.Statutory || a.Purchase.DutyKnown || a.Purchase.Clause == "" {
		t.Errorf("%+v", a.Purchase)
	}
	st := DayFigures(w.mem.plain, mand, marketDay).Stats
	if cat := st.Categories[a.Purchase.Category]; cat.Lots != 1 || cat.Diverted != 1 || cat.DutyUnknown != 1 || cat.Value != 5001 {
		t.Errorf("%+v", st)
	}
	w.rebuilt()
}

func TestBuyOverAllowance(t *testing.T) {
	w := atDesk(t)
	w.verdict(do[BuyAnswer](w, w.buys(1, tomato, 50_000)).Verdict, reason.Allow, "")
	w.verdict(do[BuyAnswer](w, w.buys(1, kiwi, 30_000)).Verdict, reason.Allow, "")
	// At another market of the same side, the same day.
	do[DisplayAnswer](w, Display{Site: gabd, Day: marketDay, Officer: "customs", Values: []DisplayValue{{Code: ginger, Minor: 100, Currency: "USD"}}})
	c := w.buys(1, ginger, 30_000)
	c.Site = gabd
	a := do[BuyAnswer](w, c)
	w.verdict(a.Verdict, reason.Refuse, "")
	if amount(t, a.Verdict, "fits", "") != 2000 || a.Fits != 20_004 || a.Purchase.ID != "" {
		t.Errorf("fits %d; %v", a.Fits, a.Verdict.Amounts)
	}
	// An officer cannot let a refused lot go.
	c.Decided, c.ID = "order", w.number()
	if a = do[BuyAnswer](w, c); a.Purchase.ID != "" {
		t.Error("a refusal was overruled")
	}
	c.Decided, c.Quantity, c.ID = "", a.Fits, w.number()
	w.verdict(do[BuyAnswer](w, c).Verdict, reason.Allow, "")
	// Another person's allowance is their own.
	w.verdict(do[BuyAnswer](w, w.buys(2, tomato, 50_000)).Verdict, reason.Allow, "")
	st := DayFigures(w.mem.plain, gabd, marketDay).Stats
	if st.Purchases != 1 || len(st.Reasons) == 0 {
		t.Errorf("%+v", st)
	}
	w.rebuilt()
}

func TestBuyReferred(t *testing.T) {
	w := atDesk(t)
	c := w.buys(1, onion, 10_000)
	a := do[BuyAnswer](w, c)
	w.verdict(a.Verdict, reason.Refer, "")
	if a.Purchase.ID != "" {
		t.Error("bought with no value displayed")
	}
	c.Decided, c.ID = "value", w.number()
	if a = do[BuyAnswer](w, c); a.Purchase.ID != "" {
		t.Error("an officer let a lot of no value go")
	}
	c.Decided, c.Value = "", 1000
	w.fails(c, problem.Invalid, "market.ground")
	c.Decided = "hunch"
	w.fails(c, problem.Invalid, "market.ground")
	c.Decided, c.ID = "value", w.number()
	a = do[BuyAnswer](w, c)
	w.verdict(a.Verdict, reason.Refer, market.CodeStated)
	if a.Purchase.ID != c.ID || a.Purchase.Decided != "customs" || a.Purchase.DecidedWhy != "value" || a.Purchase.Value != 1000 || a.Purchase.Duty != 50 {
		t.Errorf("%+v", a.Purchase)
	}
	// Without a CNIC, or a name for the receipt.
	c = w.buys(2, tomato, 10_000)
	c.Document = "passport"
	w.verdict(do[BuyAnswer](w, c).Verdict, reason.Refer, "")
	c.Decided, c.ID = "document", w.number()
	if a = do[BuyAnswer](w, c); a.Purchase.ID == "" || a.Purchase.Duty != 50 {
		t.Errorf("%+v", a.Purchase)
	}
	c = w.buys(3, tomato, 10_000)
	c.Named = false
	w.verdict(do[BuyAnswer](w, c).Verdict, reason.Refer, market.CodeReceipt)
	// Referred and above the category's limit: the buyer must accept as well.
	c = w.buys(5, tomato, 60_000)
	c.Document, c.Decided = "passport", "document"
	if a = do[BuyAnswer](w, c); a.Verdict.Outcome != reason.Refer || a.Purchase.ID != "" {
		t.Errorf("%+v", a)
	}
	c.Accept, c.ID = true, w.number()
	if a = do[BuyAnswer](w, c); a.Purchase.Regime != market.Statutory {
		t.Errorf("%+v", a.Purchase)
	}
	// A good that is in no list.
	c = w.buys(4, "99999999", 1000)
	c.Value, c.Decided = 100, "order"
	a = do[BuyAnswer](w, c)
	w.verdict(a.Verdict, reason.Refer, "")
	if a.Purchase.Regime != market.Statutory {
		t.Errorf("%+v", a.Purchase)
	}
	w.rebuilt()
}

func TestBuyer(t *testing.T) {
	w, b := arrived(t)
	w.display(tomato, 100)
	claims := w.claims(b, 0)
	// Another person's tag with this pass, before anybody has seen its holder and after.
	c := w.buys(2, tomato, 1000)
	c.Pass = claims.ID
	w.fails(c, problem.Invalid, "market.tag")
	do[ScanAnswer](w, w.scan(claims))
	c = w.buys(1, tomato, 1000)
	c.Pass = claims.ID
	w.verdict(do[BuyAnswer](w, c).Verdict, reason.Allow, "")
	c = w.buys(2, tomato, 1000)
	c.Pass = claims.ID
	w.fails(c, problem.Invalid, "market.tag")
	// The number of a pass that this side neither sold nor saw, without the pass.
	c = w.buys(3, tomato, 1000)
	c.Pass, c.Bare = pass.ID{9, 9}, true
	w.fails(c, problem.Invalid, "market.pass")
	c = w.buys(1, tomato, 1000)
	c.Pass, c.Site = claims.ID, gabd
	do[DisplayAnswer](w, Display{Site: gabd, Day: marketDay, Officer: "customs", Values: []DisplayValue{{Code: tomato, Minor: 100, Currency: "USD"}}})
	w.verdict(do[BuyAnswer](w, c).Verdict, reason.Refer, market.CodeAway)
	do[ScanAnswer](w, w.out(claims))
	c.Site, c.ID = mand, w.number()
	w.verdict(do[BuyAnswer](w, c).Verdict, reason.Refer, market.CodeAbsent)
	// Somebody who came in by the other side's gate.
	c = w.buys(7, tomato, 1000)
	c.Pass = pass.ID{9, 9}
	w.verdict(do[BuyAnswer](w, c).Verdict, reason.Allow, "")
	w.rebuilt()
}

// TestBuyWithdrawn has the other side's pass at the desk after that side took it back.
func TestBuyWithdrawn(t *testing.T) {
	w := atDesk(t)
	c := w.buys(1, tomato, 1000)
	c.Pass = pass.ID{9, 9}
	w.verdict(do[BuyAnswer](w, c).Verdict, reason.Allow, "")
	do[WithdrawnAnswer](w, Withdrawn{Side: "B", Upto: 1, Entries: []WithdrawnPass{{Serial: 1, Pass: c.Pass, Gen: 1, Until: w.now.Unix() + 3600}}})
	for gen, want := range map[uint8]reason.Outcome{0: reason.Refuse, 1: reason.Refuse, 2: reason.Allow} {
		c := w.buys(1, tomato, 1000)
		c.Pass, c.Gen = pass.ID{9, 9}, gen
		code := gate.CodeWithdrawn
		if want == reason.Allow {
			code = ""
		}
		w.verdict(do[BuyAnswer](w, c).Verdict, want, code)
	}
	c = w.buys(1, tomato, 1000)
	c.Pass, c.Bare = pass.ID{9, 9}, true
	w.verdict(do[BuyAnswer](w, c).Verdict, reason.Refuse, gate.CodeWithdrawn)
	w.rebuilt()
}

func TestVoidAndCorrect(t *testing.T) {
	w := atDesk(t)
	c := w.buys(1, tomato, 50_000)
	do[BuyAnswer](w, c)
	w.verdict(do[BuyAnswer](w, w.buys(1, tomato, 1000)).Verdict, reason.Divert, "")
	// Thirty were meant and fifty keyed: one act, and the old receipt stays.
	fix := w.buys(1, tomato, 30_000)
	fix.Replaces = c.ID
	a := do[BuyAnswer](w, fix)
	w.verdict(a.Verdict, reason.Allow, "")
	if len(a.Ledger.Purchases) != 2 || !a.Ledger.Purchases[0].Void || a.Ledger.Purchases[0].VoidBy != "customs" || a.Purchase.Replaces != c.ID {
		t.Errorf("%+v", a.Ledger)
	}
	w.fails(fix, problem.Conflict, "market.receipt")
	again := w.buys(1, tomato, 10_000)
	again.Replaces = c.ID
	w.fails(again, problem.Conflict, "market.receipt.void")
	again.Replaces = receipt(7777)
	w.fails(again, problem.NotFound, "market.receipt")
	other := w.buys(2, tomato, 10_000)
	other.Replaces = fix.ID
	w.fails(other, problem.Invalid, "market.replaces")
	// A correction that is not lawful leaves the old receipt as it is.
	high := w.buys(1, tomato, 60_000)
	high.Replaces = fix.ID
	w.verdict(do[BuyAnswer](w, high).Verdict, reason.Divert, "")
	if p, _, _ := ReceiptOf(w.mem.plain, fix.ID); p.Void {
		t.Error("voided by a correction that was not made")
	}
	w.fails(Void{ID: fix.ID, Why: "whim", Officer: "customs"}, problem.Invalid, "market.ground")
	w.fails(Void{ID: fix.ID, Why: "returned", Officer: "gate"}, problem.Forbidden, "officer.role")
	v := do[BuyAnswer](w, Void{ID: fix.ID, Why: "returned", Officer: "supervisor"})
	if !v.Purchase.Void || v.Purchase.VoidWhy != "returned" || !v.Purchase.VoidAt.Equal(w.now) {
		t.Errorf("%+v", v.Purchase)
	}
	w.fails(Void{ID: fix.ID, Why: "returned", Officer: "customs"}, problem.Conflict, "market.receipt.void")
	st := DayFigures(w.mem.plain, mand, marketDay).Stats
	if cat := st.Categories[v.Purchase.Category]; cat.Lots != 0 || cat.Value != 0 || cat.Duty != 0 || st.Voided != 2 || st.Purchases != 2 {
		t.Errorf("%+v", st)
	}
	w.rebuilt()
}

func TestBuyProblems(t *testing.T) {
	w := atDesk(t)
	change := func(f func(*Buy)) Buy {
		c := w.buys(1, tomato, 1000)
		f(&c)
		return c
	}
	w.fails(change(func(c *Buy) { c.Code = "tomato" }), problem.Invalid, "market.code")
	w.fails(change(func(c *Buy) { c.Quantity = 0 }), problem.Invalid, "market.quantity")
	w.fails(change(func(c *Buy) { c.Quantity = market.MaxQuantity + 1 }), problem.Invalid, "market.quantity")
	w.fails(change(func(c *Buy) { c.Tag = [16]byte{} }), problem.Invalid, "market.tag")
	w.fails(change(func(c *Buy) { c.ID = "R-1" }), problem.Invalid, "market.receipt")
	w.fails(change(func(c *Buy) { c.Site = 9 }), problem.NotFound, "market.site")
	w.fails(change(func(c *Buy) { c.Officer = "gate" }), problem.Forbidden, "officer.role")
	w.display(onion, market.MaxValue)
	w.fails(change(func(c *Buy) { c.Code, c.Quantity = onion, 2000 }), problem.Invalid, "market.quantity")
}

func TestDisplay(t *testing.T) {
	w := atDesk(t)
	change := func(f func(*Display)) Display {
		c := Display{Site: mand, Day: marketDay, Officer: "customs", Values: []DisplayValue{{Code: onion, Minor: 50, Currency: "USD"}}}
		f(&c)
		return c
	}
	w.fails(change(func(c *Display) { c.Values[0].Code = "1" }), problem.Invalid, "market.code")
	w.fails(change(func(c *Display) { c.Values[0].Code = "99999999" }), problem.Invalid, "market.code.unlisted")
	w.fails(change(func(c *Display) { c.Values[0].Minor = 0 }), problem.Invalid, "market.value")
	w.fails(change(func(c *Display) { c.Values[0].Currency = "PKR" }), problem.Invalid, "market.currency")
	w.fails(change(func(c *Display) { c.Values[0].Unit = "barrel" }), problem.Invalid, "market.unit")
	w.fails(change(func(c *Display) { c.Day-- }), problem.Invalid, "market.day.past")
	w.fails(change(func(c *Display) { c.Day += 40 }), problem.Invalid, "market.day.ahead")
	w.fails(change(func(c *Display) { c.Officer = "clerk" }), problem.Forbidden, "officer.role")
	if a := do[DisplayAnswer](w, change(func(c *Display) {})); a.Changed != 1 {
		t.Errorf("%+v", a)
	}
	if a := do[DisplayAnswer](w, change(func(c *Display) {})); a.Changed != 0 {
		t.Errorf("the same again: %+v", a)
	}
	v, ok := ValueOf(w.mem.plain, mand, onion, marketDay)
	if !ok || v.Minor != 50 || v.By != "customs" || v.Unit == "" {
		t.Errorf("%+v", v)
	}
	// A correction is a new fact; what was bought before keeps its value.
	c := w.buys(1, onion, 1000)
	do[BuyAnswer](w, c)
	do[DisplayAnswer](w, change(func(c *Display) { c.Values[0].Minor = 70 }))
	if p, _, _ := ReceiptOf(w.mem.plain, c.ID); p.Value != 50 {
		t.Errorf("%+v", p)
	}
	n, shown := 0, 0
	for _, v := range ValuesOf(w.mem.plain, w.law, mand, marketDay) {
		n++
		if v.Shown {
			shown++
		}
	}
	if n != 122 || shown != 3 {
		t.Errorf("%d lines, %d shown", n, shown)
	}
	w.rebuilt()
}

func TestVendor(t *testing.T) {
	w := newWorld(t, lawWith(t, small...))
	card := market.Vendor{Card: "MP-17", Site: mand, From: marketDay, Until: marketDay + 10}
	c := Enrol{Register: id('r', 1), Vendor: card, Officer: "manager"}
	bad := c
	bad.Officer = "customs"
	w.fails(bad, problem.Forbidden, "officer.role")
	bad = c
	bad.Vendor.Card = "card of Ali, stall 3"
	w.fails(bad, problem.Invalid, "market.card")
	bad = c
	bad.Vendor.Until = marketDay
	w.fails(bad, problem.Invalid, "market.card.dates")
	do[EnrolAnswer](w, c)
	for _, test := range []struct {
		site, day uint16
		want      bool
	}{{mand, marketDay - 1, false}, {mand, marketDay, true}, {mand, marketDay + 9, true}, {mand, marketDay + 10, false}, {gabd, marketDay, false}} {
		if got := w.mem.plain.Market.Enrolled(id('r', 1), test.site, test.day); got != test.want {
			t.Errorf("site %d, day %d: %v", test.site, test.day-marketDay, got)
		}
	}
	b := w.booking(slotAt(7)+1<<32, 1) // class 2
	b.Members[0].Register = id('r', 1)
	a := do[BookingAnswer](w, b)
	w.verdict(a.Verdict, reason.Allow, "")
	w.now = at("07:10")
	w.verdict(do[ScanAnswer](w, w.scan(w.claims(a.Booking, 0))).Verdict, reason.Allow, "")
	do[ScanAnswer](w, w.out(w.claims(a.Booking, 0)))
	c.Vendor.Suspended = true
	do[EnrolAnswer](w, c)
	w.verdict(do[ScanAnswer](w, w.scan(w.claims(a.Booking, 0))).Verdict, reason.Refuse, "")
	w.rebuilt()
}

// TestCards lists each vendor once, as the card stands now.
func TestCards(t *testing.T) {
	w := newWorld(t, lawWith(t, small...))
	enrol := func(n uint64, card string, suspended bool) {
		do[EnrolAnswer](w, Enrol{Register: id('r', n), Vendor: market.Vendor{Card: card, Site: mand, From: 1, Until: 60000, Suspended: suspended}, Officer: "manager"})
	}
	enrol(1, "V-1", false)
	enrol(2, "V-2", false)
	enrol(1, "V-9", true)
	list := CardsOf(w.mem.plain)
	if len(list) != 2 || list[0].Register != id('r', 1) || list[0].Vendor.Card != "V-9" || !list[0].Vendor.Suspended || list[1].Vendor.Card != "V-2" {
		t.Errorf("%+v", list)
	}
	w.rebuilt()
}

func officer(id, site string, active bool, roles ...people.Role) people.Officer {
	return people.Officer{ID: people.OfficerID(id), Login: id, Site: site, Active: active, Roles: roles}
}

// The duties of a day are asked from its first slot on: displayed values, and purchases
// that were entered. What nobody can know stays open, and the other side's are its own.
func TestDuties(t *testing.T) {
	w := newWorld(t, lawWith(t, small...))
	stand := func() (out []string) {
		for _, d := range DutiesOf(w.mem.plain, w.law, w.mem.side, mand, marketDay, w.now) {
			out = append(out, d.Clause.ID+" "+d.Outcome.String())
		}
		return out
	}
	for _, c := range []struct {
		now  string
		then func()
		want []string
	}{
		{"06:59", func() {}, nil},
		{"07:00", func() {}, []string{"P8(ii)-d BREACH", "P8(v) REFER"}},
		{"08:00", func() { w.display(tomato, 100) }, []string{"P8(ii)-d ALLOW", "P8(v) REFER"}},
		{"09:00", func() { do[BuyAnswer](w, w.buys(1, tomato, 1000)) }, []string{"P8(ii)-d ALLOW", "P8(v) ALLOW"}},
	} {
		w.now = at(c.now)
		c.then()
		if got := stand(); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.now, got, c.want)
		}
	}
	if l := DutiesOf(w.mem.plain, w.law, "A", mand, marketDay+1, at("12:00", 9)); l != nil {
		t.Errorf("a day without a market: %v", l)
	}
	if l := DutiesOf(w.mem.plain, w.law, "B", mand, marketDay, w.now); len(l) != 0 {
		t.Errorf("side B is told of side A's duties: %v", l)
	}
	if l := DutiesOf(w.mem.plain, w.law, "A", mand, marketDay+4, at("12:00", 9)); len(l) != 2 || l[0].Outcome != reason.Breach || len(l[0].Reasons) != 1 {
		t.Errorf("a market day that is past: %+v", l)
	}
}
