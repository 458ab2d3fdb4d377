// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/gate"
	"darwaza.dev/internal/market"
	"darwaza.dev/internal/pass"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/rules"
	"darwaza.dev/internal/service"
	"darwaza.dev/internal/stats"
)

// valuesOut are the customs values displayed at a site on a day.
type valuesOut struct {
	AsOf   time.Time  `json:"as_of"`
	Site   string     `json:"site"`
	Day    string     `json:"day"`
	Values []valueOut `json:"values"`
}

type valueOut struct {
	Good     string `json:"good"`
	Category string `json:"category"`
	Rate     int64  `json:"rate"` // hundredths of a percent
	Unit     string `json:"unit"`
	Minor    *int64 `json:"minor,omitempty"` // per unit; absent where no value is displayed
	Currency string `json:"currency,omitempty"`
}

// apiValues lists the goods with the values displayed for a day.
func (s *server) apiValues(w http.ResponseWriter, r *request) error {
	q := r.URL.Query()
	site, _, err := s.siteNamed(r, "site", q.Get("site"))
	if err != nil {
		return err
	}
	day, err := dayNamed(r, "day", q.Get("day"), site)
	if err != nil {
		return err
	}
	out := valuesOut{AsOf: r.Now.UTC(), Site: site.ID, Day: rules.DayDate(day).String(), Values: []valueOut{}}
	err = s.view(r.Context(), func(st service.State) error {
		for _, v := range service.ValuesOf(st, s.deps.Law(), site.Number, day) {
			o := valueOut{Good: v.Line.Code, Category: v.Line.Category, Rate: v.Line.Rate, Unit: v.Line.Unit}
			if v.Shown {
				o.Minor, o.Currency, o.Unit = &v.Value.Minor, v.Value.Currency, v.Value.Unit
			}
			out.Values = append(out.Values, o)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return s.ok(w, out)
}

// displayIn publishes values for a day.
type displayIn struct {
	Site   string           `json:"site"`
	Day    string           `json:"day"`
	Values []displayValueIn `json:"values"`
}

type displayValueIn struct {
	Good     string `json:"good"`
	Minor    int64  `json:"minor"`
	Currency string `json:"currency"`
	Unit     string `json:"unit"`
}

type displayOut struct {
	Changed uint32    `json:"changed"`
	Record  recordOut `json:"record"`
}

func (s *server) apiDisplay(w http.ResponseWriter, r *request) error {
	in, err := decode[displayIn](r)
	if err != nil {
		return err
	}
	site, day, err := s.dayToAct(r, in.Site, in.Day)
	if err != nil {
		return err
	}
	if len(in.Values) == 0 || len(in.Values) > 500 {
		return problem.Field("values", "values.count")
	}
	c := service.Display{Site: site.Number, Day: day, Officer: r.Officer.ID}
	for i, v := range in.Values {
		if v.Minor < 0 || v.Minor > 1e12 || len(v.Good) > 12 || len(v.Currency) > 3 || len(v.Unit) > 12 {
			return problem.Field("values."+strconv.Itoa(i), "value")
		}
		c.Values = append(c.Values, service.DisplayValue{Code: v.Good, Minor: v.Minor, Currency: v.Currency, Unit: v.Unit})
	}
	a, d, err := do[service.DisplayAnswer](s, r, c)
	if err != nil {
		return err
	}
	return s.ok(w, displayOut{Changed: a.Changed, Record: recorded(d)})
}

// buyIn is one purchase. The buyer is found by the pass, or by the document's tag.
type buyIn struct {
	Site     string   `json:"site"`
	Pass     string   `json:"pass"`
	PassID   *pass.ID `json:"pass_id"`
	Buyer    *buyerIn `json:"buyer"`
	Good     string   `json:"good"`
	Quantity int64    `json:"quantity"` // thousandths of the unit
	Accept   bool     `json:"accept"`
	Dry      bool     `json:"dry"`
	Decided  string   `json:"decided"`
	Value    int64    `json:"value"`
	Replaces string   `json:"replaces"`
}

type buyerIn struct {
	Name     string     `json:"name"`
	Document documentIn `json:"document"`
}

// buyOut is the goods desk's answer.
type buyOut struct {
	Verdict  rules.Verdict `json:"verdict"`
	Says     []string      `json:"says,omitempty"`
	Purchase *purchaseOut  `json:"purchase,omitempty"`
	// Bought is what the person has bought today at the concessional rate and in all.
	Bought []boughtOut `json:"bought"`
	Fits   int64       `json:"fits"` // thousandths of the unit
	// Receipt is the signed text of the receipt, absent where it cannot bear name and number.
	Receipt string `json:"receipt,omitempty"`
	// Turned is the number of the answer where the lot was not let go: it can be contested by it.
	Turned string    `json:"turned,omitempty"`
	Record recordOut `json:"record"`
}

type boughtOut struct {
	Category string `json:"category"`
	Regime   string `json:"regime"`
	Value    int64  `json:"value"`
}

type purchaseOut struct {
	Number   string    `json:"number"`
	Site     string    `json:"site"`
	Good     string    `json:"good"`
	Category string    `json:"category"`
	Quantity int64     `json:"quantity"`
	Unit     string    `json:"unit"`
	Value    int64     `json:"value"`
	Currency string    `json:"currency"`
	Regime   string    `json:"regime"`
	Duty     *int64    `json:"duty,omitempty"` // absent where it is owed and not known
	Clause   string    `json:"clause"`
	Outcome  string    `json:"outcome"`
	At       time.Time `json:"at"`
	Void     bool      `json:"void"`
	Replaces string    `json:"replaces,omitempty"`
}

func (s *server) purchaseOut(r *request, p market.Purchase) *purchaseOut {
	o := &purchaseOut{
		Number: p.ID, Good: p.Code, Category: p.Category, Quantity: p.Quantity, Unit: p.Unit, Value: p.Value, Currency: p.Currency,
		Regime: p.Regime, Clause: p.Clause, Outcome: p.Outcome.String(), At: p.At.UTC(), Void: p.Void, Replaces: p.Replaces,
	}
	if p.DutyKnown {
		o.Duty = &p.Duty
	}
	if e, err := s.editionFor(p.Site, r.Now); err == nil {
		if site, ok := e.SiteNumbered(p.Site); ok {
			o.Site = site.ID
		}
	}
	return o
}

// bought sums a ledger by category and regime, in the order in which they first stand in it.
func bought(l market.Ledger) []boughtOut {
	out := []boughtOut{}
next:
	for _, p := range l.Purchases {
		if p.Void {
			continue
		}
		for i := range out {
			if out[i].Category == p.Category && out[i].Regime == p.Regime {
				out[i].Value += p.Value
				continue next
			}
		}
		out = append(out, boughtOut{Category: p.Category, Regime: p.Regime, Value: p.Value})
	}
	return out
}

// apiBuy asks the goods desk about a lot, and records it where it is lawful.
func (s *server) apiBuy(w http.ResponseWriter, r *request) error {
	in, err := decode[buyIn](r)
	if err != nil {
		return err
	}
	site, day, err := s.dayToAct(r, in.Site, "")
	if err != nil {
		return err
	}
	c := service.Buy{
		ID: service.NewReceipt(s.deps.Rand), Site: site.Number, Code: in.Good, Quantity: in.Quantity, Officer: r.Officer.ID,
		Accept: in.Accept, Dry: in.Dry, Decided: in.Decided, Value: in.Value, Replaces: in.Replaces,
	}
	var shown *pass.Claims
	switch {
	case len(in.Good) > 12:
		return problem.Field("good", "good")
	case in.Quantity <= 0 || in.Quantity > 1e12:
		return problem.Field("quantity", "quantity")
	case in.Value < 0 || in.Value > 1e15:
		return problem.Field("value", "value")
	case len(in.Pass) > maxField || len(in.Replaces) > 24 || len(in.Decided) > 40:
		return problem.Field("pass", "pass.size")
	case in.PassID != nil:
		c.Pass, c.Bare = *in.PassID, true
	default:
		claims, fault := s.deps.Trust().Verify(in.Pass, r.Now)
		// A pass that has expired at the gate still names who is in the market.
		if !pass.Genuine(fault) {
			return problem.Field("pass", string(fault))
		}
		c.Pass, c.Gen, shown = claims.ID, claims.Generation, &claims
	}
	var name, number string
	if in.Buyer != nil {
		doc, err := in.Buyer.Document.parse("buyer.document")
		if err != nil {
			return err
		}
		if name, err = plainText("buyer.name", in.Buyer.Name, 120); err != nil {
			return err
		}
		if shown != nil && s.deps.Secrets.Bind(shown.ID, doc.Key()) != shown.Binding {
			return problem.Field("buyer.document", "desk.document.differs")
		}
		number = doc.Number
		c.Document, c.Tag, c.Named = string(doc.Kind), s.deps.Secrets.Tag(day, doc.Key()), name != ""
	}
	if err := s.view(r.Context(), func(st service.State) error {
		s.fillBuyer(st, &c)
		return nil
	}); err != nil {
		return err
	}
	if c.Named && !c.Dry {
		plain, err := json.Marshal(sealedParty{People: []sealedPerson{{Name: name, Kind: c.Document, Country: in.Buyer.Document.Country, Number: number}}})
		if err != nil {
			return err
		}
		if c.SealedID, c.Sealed, err = s.deps.Sealer.Seal(r.Context(), plain); err != nil {
			return err
		}
	}
	a, d, err := do[service.BuyAnswer](s, r, c)
	if c.SealedID != "" && err == nil && a.Purchase.Sealed != c.SealedID {
		_ = s.deps.Sealer.Destroy(r.Context(), c.SealedID) // nothing refers to it; a key left over opens nothing
	}
	if err != nil {
		return err
	}
	out := buyOut{Verdict: a.Verdict, Says: s.says(r.Lang, a.Verdict), Bought: bought(a.Ledger), Fits: a.Fits, Turned: a.Turned, Record: recorded(d)}
	if a.Purchase.ID != "" {
		out.Purchase = s.purchaseOut(r, a.Purchase)
		if c.Named {
			if out.Receipt, err = s.receiptText(a.Purchase, a.Ledger.Key.Day, name, number); err != nil {
				return err
			}
		}
	}
	return s.ok(w, out)
}

// fillBuyer adds what this side knows of the buyer by the pass: from its own booking,
// else from what its gates have seen.
func (s *server) fillBuyer(st service.State, c *service.Buy) {
	if b, m, ok := service.BookingOfPass(st, c.Pass); ok {
		if c.Document == "" {
			c.Document = b.Members[m].Document
		}
		if c.Tag == ([16]byte{}) {
			c.Tag = b.Members[m].Tag
		}
		return
	}
	if p, ok := service.PresenceOf(st, c.Pass); ok && c.Tag == ([16]byte{}) {
		c.Tag = p.Tag
	}
}

type voidIn struct {
	Why string `json:"why"`
}

// apiVoid takes a purchase back.
func (s *server) apiVoid(w http.ResponseWriter, r *request) error {
	in, err := decode[voidIn](r)
	if err != nil {
		return err
	}
	number := r.PathValue("number")
	if len(number) > 24 || len(in.Why) > 40 {
		return problem.New(problem.NotFound, "receipt")
	}
	a, d, err := do[service.BuyAnswer](s, r, service.Void{ID: number, Why: in.Why, Officer: r.Officer.ID})
	if err != nil {
		return err
	}
	out := buyOut{Verdict: a.Verdict, Says: s.says(r.Lang, a.Verdict), Bought: bought(a.Ledger), Record: recorded(d)}
	if a.Purchase.ID != "" {
		out.Purchase = s.purchaseOut(r, a.Purchase)
	}
	return s.ok(w, out)
}

// enrolIn gives, changes or suspends a vendor's card.
type enrolIn struct {
	Document  documentIn `json:"document"`
	Card      string     `json:"card"`
	Site      string     `json:"site"`
	From      string     `json:"from"`
	Until     string     `json:"until"`
	Suspended bool       `json:"suspended"`
}

type enrolOut struct {
	Card      string    `json:"card"`
	From      string    `json:"from"`
	Until     string    `json:"until"`
	Suspended bool      `json:"suspended"`
	Record    recordOut `json:"record"`
}

func (s *server) apiEnrol(w http.ResponseWriter, r *request) error {
	in, err := decode[enrolIn](r)
	if err != nil {
		return err
	}
	doc, err := in.Document.parse("document")
	if err != nil {
		return err
	}
	site, err := s.siteToAct(r, in.Site)
	if err != nil {
		return err
	}
	v := market.Vendor{Site: site.Number, Suspended: in.Suspended}
	if v.Card, err = plainText("card", in.Card, 24); err != nil || v.Card == "" {
		return problem.Field("card", "text")
	}
	if in.From == "" || in.Until == "" {
		return problem.Field("until", "date")
	}
	if v.From, err = dayNamed(r, "from", in.From, site); err != nil {
		return err
	}
	if v.Until, err = dayNamed(r, "until", in.Until, site); err != nil {
		return err
	}
	if v.Until <= v.From {
		return problem.Field("until", "date.order")
	}
	a, d, err := do[service.EnrolAnswer](s, r, service.Enrol{Register: s.deps.Secrets.Register(doc.Key()), Vendor: v, Officer: r.Officer.ID})
	if err != nil {
		return err
	}
	return s.ok(w, enrolOut{Card: v.Card, From: rules.DayDate(a.Vendor.From).String(), Until: rules.DayDate(a.Vendor.Until).String(),
		Suspended: a.Vendor.Suspended, Record: recorded(d)})
}

// dayOut is a site's day in figures.
type dayOut struct {
	AsOf  time.Time `json:"as_of"`
	Site  string    `json:"site"`
	Day   string    `json:"day"`
	Here  hereOut   `json:"here"`
	There *thereOut `json:"there,omitempty"`
	figuresOut
	NotBooked uint32      `json:"not_booked"` // requests for places that got none
	Cases     dayCasesOut `json:"cases"`
	// HeldUpto is the last day of which nothing is sold until a supervisor opens the sales.
	HeldUpto string `json:"sales_held_upto,omitempty"`
}

// figuresOut is what a side counted of a day.
type figuresOut struct {
	Booked     uint32            `json:"booked"`
	Cancelled  uint32            `json:"cancelled"`
	Standby    uint32            `json:"standby"`
	NoShow     uint32            `json:"no_show"`
	Arrivals   []uint32          `json:"arrivals"`
	Departures []uint32          `json:"departures"`
	Lateness   [5]uint32         `json:"lateness"`
	Outcomes   map[string]uint32 `json:"outcomes"`
	Reasons    []reasonOut       `json:"reasons"`
	Admitted   uint32            `json:"admitted"`
	TurnedBack uint32            `json:"turned_back"`
	Purchases  uint32            `json:"purchases"`
	Voided     uint32            `json:"voided"`
	Categories []categoryOut     `json:"categories"`
}

// dayCasesOut are contested answers: at the site in all, and on the day.
type dayCasesOut struct {
	Open          uint32 `json:"open"`
	Answered      uint32 `json:"answered"`
	Changed       uint32 `json:"changed"`
	OpenedToday   uint32 `json:"opened_on_day"`
	AnsweredToday uint32 `json:"answered_on_day"`
}

type hereOut struct {
	Inside       uint32     `json:"inside"`
	Peak         uint32     `json:"peak"`
	PeakAt       *time.Time `json:"peak_at,omitempty"`
	Entries      uint32     `json:"entries"`
	Exits        uint32     `json:"exits"`
	Settled      uint32     `json:"settled"`
	Refused      uint32     `json:"refused"`
	Referred     uint32     `json:"referred"`
	Doubles      uint32     `json:"doubles"`
	DwellSeconds int64      `json:"dwell_seconds"`
	DwellCount   uint32     `json:"dwell_count"`
	// Contact is the sum over time of N(N−1), N being the people inside, in seconds.
	ContactSeconds uint64 `json:"contact_seconds"`
	Closed         bool   `json:"closed"`
	// Goods at the way out that were left to an officer: those that wait, and what became
	// of the others.
	GoodsWaiting uint32 `json:"goods_waiting"`
	GoodsLetGo   uint32 `json:"goods_let_go"`
	GoodsKept    uint32 `json:"goods_kept"`
	GoodsLapsed  uint32 `json:"goods_lapsed"`
}

type thereOut struct {
	Inside  uint32    `json:"inside"`
	Peak    uint32    `json:"peak"`
	Entries uint32    `json:"entries"`
	Exits   uint32    `json:"exits"`
	AsOf    time.Time `json:"as_of"`
	HeardAt time.Time `json:"heard_at"`
	// Day is what the other side counted of its whole day, where it has told that.
	Day *thereDayOut `json:"day,omitempty"`
}

// thereDayOut are the other side's figures of a day, as it had them at an instant.
type thereDayOut struct {
	AsOf time.Time `json:"as_of"`
	figuresOut
}

type reasonOut struct {
	Code   string `json:"code"`
	Clause string `json:"clause,omitempty"`
	Count  uint32 `json:"count"`
}

type categoryOut struct {
	Category    string `json:"category"`
	Lots        uint32 `json:"lots"`
	Diverted    uint32 `json:"diverted"`
	Refused     uint32 `json:"refused"`
	Value       int64  `json:"value"`
	Duty        int64  `json:"duty"`
	DutyUnknown uint32 `json:"duty_unknown"`
}

// apiDay gives a site's day in figures.
func (s *server) apiDay(w http.ResponseWriter, r *request) error {
	site, day, err := s.dayToAct(r, r.PathValue("site"), r.PathValue("day"))
	if err != nil {
		return err
	}
	var v service.DayView
	var upto uint16
	held := false
	if err := s.view(r.Context(), func(st service.State) error {
		v = service.DayFigures(st, site.Number, day)
		upto, held = st.Booking.HeldUpto(site.Number)
		return nil
	}); err != nil {
		return err
	}
	out := dayDocument(v, site.ID, rules.DayDate(day), r.Now)
	if held {
		out.HeldUpto = rules.DayDate(upto).String()
	}
	return s.ok(w, out)
}

func dayDocument(v service.DayView, site string, day calendar.Date, now time.Time) dayOut {
	g, t := v.Gate, v.Stats
	out := dayOut{
		AsOf: now.UTC(), Site: site, Day: day.String(), Here: here(g, v.GoodsOpen),
		figuresOut: figures(t), NotBooked: t.NotBooked,
		Cases: dayCasesOut{v.Cases.Open, v.Cases.Answered, v.Cases.Changed, v.CasesOn.Opened, v.CasesOn.Answered},
	}
	if v.ThereKnown {
		f := v.There
		out.There = &thereOut{Inside: f.Inside, Peak: f.Peak, Entries: f.Entries, Exits: f.Exits, AsOf: f.AsOf.UTC(), HeardAt: f.HeardAt.UTC()}
		if f.Whole != nil {
			out.There.Day = &thereDayOut{f.WholeAt.UTC(), figures(*f.Whole)}
		}
	}
	return out
}

// figures writes what a side counted of a day.
func figures(t stats.Day) figuresOut {
	out := figuresOut{
		Booked: t.Booked, Cancelled: t.Cancelled, Standby: t.Standby, NoShow: t.NoShow,
		Arrivals: orEmpty(t.Arrivals), Departures: orEmpty(t.Departures), Lateness: t.Lateness, Outcomes: map[string]uint32{}, Reasons: []reasonOut{},
		Admitted: t.Admitted, TurnedBack: t.TurnedBack, Purchases: t.Purchases, Voided: t.Voided, Categories: []categoryOut{},
	}
	for o, n := range t.Outcomes {
		out.Outcomes[o.String()] = n
	}
	for _, rc := range t.Reasons {
		out.Reasons = append(out.Reasons, reasonOut{Code: string(rc.Code), Clause: rc.Clause, Count: rc.Count})
	}
	for _, id := range sortedKeys(t.Categories) {
		c := t.Categories[id]
		out.Categories = append(out.Categories, categoryOut{Category: id, Lots: c.Lots, Diverted: c.Diverted, Refused: c.Refused, Value: c.Value, Duty: c.Duty, DutyUnknown: c.DutyUnknown})
	}
	return out
}

func here(g gate.SiteDay, goodsOpen uint32) hereOut {
	out := hereOut{
		Inside: g.Inside, Peak: g.Peak, Entries: g.Entries, Exits: g.Exits, Settled: g.Settled, Refused: g.Refused, Referred: g.Referred, Doubles: g.Doubles,
		DwellSeconds: int64(g.DwellTotal / time.Second), DwellCount: g.DwellCount, ContactSeconds: g.Contact, Closed: g.Closed,
		GoodsWaiting: goodsOpen, GoodsLetGo: g.GoodsLet, GoodsKept: g.GoodsKept, GoodsLapsed: g.GoodsLapsed,
	}
	if !g.PeakAt.IsZero() {
		t := g.PeakAt.UTC()
		out.PeakAt = &t
	}
	return out
}

func orEmpty(s []uint32) []uint32 {
	if s == nil {
		return []uint32{}
	}
	return s
}

// receiptCheckOut says what a receipt is worth.
type receiptCheckOut struct {
	Good     bool         `json:"good"`
	Fault    string       `json:"fault,omitempty"`
	Known    bool         `json:"known"` // this side's desk recorded it
	Purchase *purchaseOut `json:"purchase,omitempty"`
}

// apiReceiptCheck verifies a receipt by its number or by the text of its code.
func (s *server) apiReceiptCheck(w http.ResponseWriter, r *request) error {
	in, err := decode[checkIn](r)
	if err != nil {
		return err
	}
	v, err := s.checkReceipt(r, in.Text)
	if err != nil {
		return err
	}
	out := receiptCheckOut{Good: v.Good, Fault: string(v.Fault), Known: v.Known}
	if v.Good {
		out.Purchase = s.purchaseOut(r, v.Purchase)
	}
	return s.ok(w, out)
}
