// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"cmp"
	"encoding/json"
	"html/template"
	"net/http"
	"net/url"
	"sort"
	"strconv"
	"strings"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/gate"
	"darwaza.dev/internal/goods"
	"darwaza.dev/internal/identity"
	"darwaza.dev/internal/lang"
	"darwaza.dev/internal/market"
	"darwaza.dev/internal/money"
	"darwaza.dev/internal/pass"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/reason"
	"darwaza.dev/internal/rules"
	"darwaza.dev/internal/service"
)

// maxFound is how many goods a search shows.
const maxFound = 12

// deskView is the goods desk before a buyer stands there.
type deskView struct {
	Place place
	// Identify asks for the document of a buyer whose pass the other side sold.
	Identify bool
	Text     string // of the pass, carried along
	Name     string
	Reasons  []reasonLine // why the pass is not accepted
	Errors   errorsIn
}

func (s *server) deskPage(w http.ResponseWriter, r *request) error {
	_, p, err := s.atSite(r)
	if err != nil {
		return err
	}
	return s.renderDesk(w, r, deskView{Place: p}, http.StatusOK)
}

func (s *server) renderDesk(w http.ResponseWriter, r *request, v deskView, status int) error {
	return s.render(w, r, page{Name: "desk", View: v, Status: status, Camera: true,
		Styles: []string{"officer.css"}, Scripts: []string{"wedge.js"}})
}

// deskOpen finds the buyer of a pass, or of a document where the pass is not at hand.
func (s *server) deskOpen(w http.ResponseWriter, r *request) error {
	f, p, err := s.atSite(r)
	if err != nil {
		return err
	}
	v := deskView{Place: p, Text: f.get("text"), Name: f.get("name")}
	if v.Text == "" {
		v.Errors.add("text", "desk.scan.empty")
		return s.renderDesk(w, r, v, http.StatusUnprocessableEntity)
	}
	if pass.Recognise(v.Text) != pass.Pass {
		b, ok, err := s.buyerByDocument(r, p, v.Text)
		switch {
		case err != nil:
			return err
		case !ok:
			v.Errors.add("text", "desk.scan.unknown")
			return s.renderDesk(w, r, v, http.StatusUnprocessableEntity)
		}
		return s.toBuyer(w, r, p, b)
	}
	claims, fault := s.deps.Trust().Verify(v.Text, r.Now)
	// A buyer who entered in time may buy on when the pass has run out: the gate's
	// presence says that they are inside, and the market's hours are a clause's.
	if fault == pass.Expired {
		fault = ""
	}
	if fault == "" && claims.Site != p.Site.Number {
		fault = gate.CodeSite
	}
	// The allowance is counted by the day's tag: a pass of another day would bring another.
	if today, _, ok := service.DayAt(s.deps.Law(), p.Site.Number, r.Now); fault == "" && (!ok || booking.SlotID(claims.Slot).Day() != today) {
		fault = gate.CodeDay
	}
	if fault == "" {
		if err := s.view(r.Context(), func(st service.State) error {
			fault = service.PassGone(st, claims.ID, claims.Generation)
			return nil
		}); err != nil {
			return err
		}
	}
	if fault != "" {
		v.Reasons = s.reasonLines(r.Lang, rules.Verdict{At: r.Now, Reasons: []reason.Reason{{Code: fault, Outcome: reason.Refuse}}})
		return s.renderDesk(w, r, v, http.StatusOK)
	}
	own, member, err := s.bookingOfPass(r, claims.ID)
	if err != nil {
		return err
	}
	if own != nil {
		return s.toBuyer(w, r, p, ownBuyer(*own, member))
	}
	document := f.get("document")
	if document == "" {
		v.Identify = true
		return s.renderDesk(w, r, v, http.StatusOK)
	}
	v.Identify = true
	d, name, ok := s.bound(p, claims, document)
	if v.Name == "" {
		v.Name = name
	}
	if !ok {
		v.Errors.add("document", "desk.document.differs")
	}
	if v.Name == "" {
		v.Errors.add("name", "desk.name.empty")
	}
	if len(v.Errors) > 0 {
		return s.renderDesk(w, r, v, http.StatusUnprocessableEntity)
	}
	day := booking.SlotID(claims.Slot).Day()
	return s.toBuyer(w, r, p, buyer{Pass: claims.ID, Gen: claims.Generation, Tag: s.deps.Secrets.Tag(day, d.Key()), Day: day,
		Kind: string(d.Kind), Name: v.Name, Number: d.Number})
}

func ownBuyer(b booking.Booking, member int) buyer {
	m := b.Members[member]
	return buyer{Pass: m.Pass, Gen: m.Gen, Tag: m.Tag, Day: b.Slot.Day(), Kind: m.Document, Ref: b.Ref, Member: member}
}

// bound returns the document that a pass is bound to, with the name where it was read
// from a machine readable zone.
func (s *server) bound(p place, c pass.Claims, text string) (identity.Document, string, bool) {
	for _, d := range documents(text, countries(p.Edition)) {
		if s.deps.Secrets.Bind(c.ID, d.Key()) == c.Binding {
			name := ""
			if m, err := identity.ParseMRZ(text); err == nil {
				name = strings.TrimSpace(m.Given + " " + m.Surname)
			}
			return d, name, true
		}
	}
	return identity.Document{}, "", false
}

func (s *server) buyerByDocument(r *request, p place, text string) (buyer, bool, error) {
	fa, err := s.find(r, p, false, text, "")
	if err != nil {
		return buyer{}, false, err
	}
	for _, party := range fa.Parties {
		if party.Ref == "" {
			continue
		}
		b, member, _, err := s.claimsOf(r, p, party.Key, text)
		if err == nil && b != nil {
			return ownBuyer(*b, member), true, nil
		}
	}
	return buyer{}, false, nil
}

// toBuyer sends the officer on to the buyer's page, which is good until the day is over.
func (s *server) toBuyer(w http.ResponseWriter, r *request, p place, b buyer) error {
	b.Until = p.Date.AddDays(1).Start(p.Zone).Unix()
	token, err := s.tokens.seal(b)
	if err != nil {
		return err
	}
	return s.redirect(w, r, buyerPath(p, token, nil))
}

func buyerPath(p place, token string, q url.Values) string {
	if q == nil {
		q = url.Values{}
	}
	q.Set("site", strconv.Itoa(int(p.Site.Number)))
	return "/desk/buyer/" + token + "?" + q.Encode()
}

// buyerView is the page of one buyer: their day, and what they want to buy.
type buyerView struct {
	Place     place
	Token     string
	Name      string
	Kind      string
	Number    string
	Totals    totals
	Query     string
	Searched  bool
	Found     []goods.Line
	Pictures  []goods.Line
	Good      *goodView
	Quantity  string
	Check     *checkView
	Purchases []purchaseLine
	Replaces  *purchaseLine
	Done      *purchaseLine
	Stale     bool // the good that was asked for is on no list
}

// totals are what a buyer has bought today, against the limits of the agreement.
type totals struct {
	Currency   string
	Day        capLine
	Categories []capLine
	Statutory  int64 // value of lots at statutory rates, which the limits of categories do not count
}

// capLine is one sum against its limit.
type capLine struct {
	Category string
	Name     lang.Text
	Value    int64
	Limit    int64 // 0 where the agreement sets none
	Clause   string
	Anchor   string
}

// goodView is the good that was chosen.
type goodView struct {
	Line     goods.Line
	Category lang.Text
	Value    market.Value
	Shown    bool
}

// checkView is the desk's answer to a quantity.
type checkView struct {
	Outcome    reason.Outcome
	Word, Icon string
	Reasons    []reasonLine
	Currency   string
	Value      int64
	HasValue   bool
	Duty       int64
	HasDuty    bool
	DutyKnown  bool
	DutyClause string
	Left       int64
	HasLeft    bool
	Questions  []agreement.Question
	Needs      []needLine
	Fits       string // the greatest quantity that would be allowed, empty where none would
	FitsText   string
	FitsPath   string
	NeedValue  bool
	Decide     bool
	Grounds    []string
	// What the form carries.
	Token, Code, Quantity, Replaces string
	Site                            uint16
	Wrong                           string // key of what is wrong with the decision
	Turned                          string // number of the answer, where the lot was not let go and it is recorded
}

// purchaseLine is one purchase in a list.
type purchaseLine struct {
	market.Purchase
	Name lang.Text
	Here bool // bought at this site
}

func (s *server) buyerPage(w http.ResponseWriter, r *request) error {
	q := r.URL.Query()
	p, b, err := s.buyerOf(r, q.Get("site"), r.PathValue("buyer"))
	if err != nil {
		return err
	}
	v := buyerView{Place: p, Token: r.PathValue("buyer")}
	in := buyInput{Code: q.Get("code"), Quantity: q.Get("quantity"), Replaces: q.Get("replaces")}
	if err := s.showBuyer(r, &v, b, in, q.Get("q"), q.Get("done"), nil); err != nil {
		return err
	}
	return s.renderBuyer(w, r, v, http.StatusOK)
}

func (s *server) renderBuyer(w http.ResponseWriter, r *request, v buyerView, status int) error {
	return s.render(w, r, page{Name: "buyer", View: v, Status: status, Wide: true,
		Styles: []string{"officer.css"}, Scripts: []string{"desk.js"}})
}

func (s *server) buyerOf(r *request, site, token string) (place, buyer, error) {
	p, err := s.siteOf(r, site)
	if err != nil {
		return p, buyer{}, err
	}
	b, ok := s.tokens.open(token, r.Now)
	if !ok {
		return p, b, problem.New(problem.NotFound, "buyer")
	}
	return p, b, nil
}

// buyInput is what an officer has keyed of a purchase.
type buyInput struct {
	Code, Quantity, Replaces string
	Accept                   bool
	Decided                  string
	Value                    int64
}

// showBuyer makes the buyer's page. given is the answer of a purchase that was just
// asked for and not recorded; nil asks for a dry answer where a quantity is keyed.
func (s *server) showBuyer(r *request, v *buyerView, b buyer, in buyInput, query, done string, given *service.BuyAnswer) error {
	law := s.deps.Law()
	name, number, err := s.buyerName(r, b)
	if err != nil {
		return err
	}
	v.Name, v.Number, v.Kind = name, number, "document."+b.Kind
	v.Query, v.Searched = query, query != ""
	v.Quantity = in.Quantity
	lists := goodsLists(v.Place.Edition)
	seen := map[string]bool{}
	for _, l := range lists {
		for _, line := range l.Search(query, maxFound) {
			if !seen[line.Code] && len(v.Found) < maxFound && query != "" {
				seen[line.Code] = true
				v.Found = append(v.Found, line)
			}
		}
		v.Pictures = append(v.Pictures, l.Pictures()...)
	}
	var line goods.Line
	if in.Code != "" {
		var listID string
		var ok bool
		if listID, line, ok = law.Good(in.Code, r.Now); ok {
			v.Good = &goodView{Line: line, Category: v.Place.Edition.ListInfo[listID].Categories[line.Category]}
		} else {
			v.Stale = true
		}
	}
	quantity, okQuantity := parseThousandths(in.Quantity)
	var dry service.BuyAnswer
	err = s.view(r.Context(), func(st service.State) error {
		ledger := service.LedgerOf(st, b.Tag, b.Day)
		v.Totals = s.totalsOf(r, v.Place, ledger)
		for i := len(ledger.Purchases) - 1; i >= 0; i-- {
			pu := ledger.Purchases[i]
			l := s.purchaseLine(r, v.Place, pu)
			v.Purchases = append(v.Purchases, l)
			if pu.ID == done && done != "" {
				v.Done = &l
			}
			if pu.ID == in.Replaces && in.Replaces != "" && !pu.Void {
				v.Replaces = &l
			}
		}
		if v.Good == nil {
			return nil
		}
		v.Good.Value, v.Good.Shown = service.ValueOf(st, v.Place.Site.Number, line.Code, v.Place.Day)
		if given != nil || !okQuantity || quantity <= 0 {
			return nil
		}
		// A dry purchase reads and records nothing, so it needs no turn in the log.
		c := s.buyCommand(r, v.Place, b, in, line.Code, quantity, name != "" && number != "")
		c.Dry = true
		tx := service.Tx{State: st, Side: s.deps.Side, Law: law}
		tx.Reset(r.Now)
		answer, err := c.Run(&tx)
		if err != nil {
			return err
		}
		dry = answer.(service.BuyAnswer)
		given = &dry
		return nil
	})
	if err != nil {
		return err
	}
	if v.Good != nil && given != nil {
		v.Check = s.checkOf(r, v, in, line, *given)
	}
	return nil
}

func (s *server) buyCommand(r *request, p place, b buyer, in buyInput, code string, quantity int64, named bool) service.Buy {
	return service.Buy{Site: p.Site.Number, Pass: b.Pass, Gen: b.Gen, Tag: b.Tag, Code: code, Quantity: quantity, Officer: r.Officer.ID,
		Document: b.Kind, Named: named, Accept: in.Accept, Decided: in.Decided, Value: in.Value, Replaces: in.Replaces}
}

// goodsLists are the lists by which goods are found: those that have lines.
func goodsLists(e *agreement.Edition) []*goods.List {
	var ls []*goods.List
	seen := map[string]bool{}
	for _, c := range e.Clauses {
		if l := e.Lists[c.List]; c.List != "" && l != nil && !seen[c.List] && len(l.Lines()) > 0 {
			seen[c.List] = true
			ls = append(ls, l)
		}
	}
	return ls
}

func (s *server) purchaseLine(r *request, p place, pu market.Purchase) purchaseLine {
	_, line, _ := s.deps.Law().Good(pu.Code, pu.At)
	pu.At = pu.At.In(p.Zone)
	return purchaseLine{Purchase: pu, Name: line.Name, Here: pu.Site == p.Site.Number}
}

// totalsOf adds a ledger up against the limits that the edition's caps set.
func (s *server) totalsOf(r *request, p place, l market.Ledger) totals {
	e, law := p.Edition, s.deps.Law()
	t := totals{Currency: e.Currency}
	byCategory := map[string]int64{}
	for _, pu := range l.Purchases {
		switch {
		case pu.Void:
		case pu.Regime == "statutory":
			t.Statutory += pu.Value
		default:
			byCategory[pu.Category] += pu.Value
			t.Day.Value += pu.Value
		}
	}
	var perCategory capLine
	for _, c := range e.Clauses {
		if c.Kind != agreement.KindCap {
			continue
		}
		limit, ok := law.Param(c.Limit, p.Site.ID, s.deps.Side, r.Now)
		if !ok {
			continue
		}
		switch c.Per {
		case "day":
			t.Day.Limit, t.Day.Clause, t.Day.Anchor = limit, c.ID, s.anchor(e, c)
		case "category":
			perCategory = capLine{Limit: limit, Clause: c.ID, Anchor: s.anchor(e, c)}
		}
	}
	seen := map[string]bool{}
	for _, list := range goodsLists(e) {
		for _, line := range list.Lines() {
			if seen[line.Category] || line.Category == "" {
				continue
			}
			seen[line.Category] = true
			c := perCategory
			c.Category, c.Value, c.Name = line.Category, byCategory[line.Category], e.ListInfo[list.ID].Categories[line.Category]
			t.Categories = append(t.Categories, c)
		}
	}
	sort.Slice(t.Categories, func(i, j int) bool { return t.Categories[i].Category < t.Categories[j].Category })
	return t
}

// checkOf takes the desk's answer apart for the page.
func (s *server) checkOf(r *request, v *buyerView, in buyInput, line goods.Line, a service.BuyAnswer) *checkView {
	c := &checkView{
		Outcome: a.Verdict.Outcome, Icon: outcomeIcon(a.Verdict.Outcome), Word: "desk.word." + a.Verdict.Outcome.String(),
		Reasons: s.reasonLines(r.Lang, a.Verdict), Currency: v.Place.Edition.Currency,
		Turned: a.Turned, Token: v.Token, Code: line.Code, Quantity: in.Quantity, Replaces: in.Replaces, Site: v.Place.Site.Number,
	}
	if quantity, ok := parseThousandths(in.Quantity); ok {
		switch {
		case in.Value > 0:
			c.Value, c.HasValue = in.Value, true
		case v.Good.Shown:
			if n, err := money.Scale(v.Good.Value.Minor, quantity, 1000, money.HalfUp); err == nil {
				c.Value, c.HasValue = n, true
			}
		}
	}
	if d, ok := a.Verdict.Amount("duty", ""); ok {
		c.Duty, c.HasDuty, c.DutyKnown, c.DutyClause = d.Minor, true, d.Known, d.Clause
	}
	if l, ok := a.Verdict.Amount("allowance.left", ""); ok && l.Known {
		c.Left, c.HasLeft = l.Minor, true
	}
	site := func(n uint16) string { x, _ := v.Place.Edition.SiteNumbered(n); return x.ID }
	c.Needs = s.wouldChange(r.Lang, a.Verdict, rules.Query{Site: v.Place.Site.ID, Side: string(s.deps.Side), Lots: a.Ledger.Lots(site)})
	for _, q := range a.Verdict.Questions {
		e := v.Place.Edition
		if of := cmp.Or(q.Agreement, a.Verdict.Agreement); of != "" {
			e, _ = s.deps.Law().EditionOf(of, r.Now)
		}
		if e == nil {
			continue
		}
		if full, ok := e.Questions[q.ID]; ok && !q.Settled {
			c.Questions = append(c.Questions, full)
		}
	}
	// Scales show hundredths, and nobody buys a sixth of a bicycle.
	if a.Fits -= a.Fits % 10; line.Unit == "piece" || line.Unit == "unit" {
		a.Fits -= a.Fits % 1000
	}
	if a.Verdict.Outcome != reason.Allow && a.Fits > 0 {
		c.Fits = formatThousandths(a.Fits)
		c.FitsText = lang.Digits(r.Lang, c.Fits)
		q := url.Values{"code": {line.Code}, "quantity": {c.Fits}}
		if in.Replaces != "" {
			q.Set("replaces", in.Replaces)
		}
		c.FitsPath = buyerPath(v.Place, v.Token, q)
	}
	c.Decide = a.Verdict.Outcome.NeedsOfficer()
	if c.Decide {
		c.Grounds = market.Grounds[:]
		c.NeedValue = !v.Good.Shown
	}
	return c
}

// buyerName returns what the receipt is made out to.
func (s *server) buyerName(r *request, b buyer) (name, number string, err error) {
	if b.Ref == "" {
		return b.Name, b.Number, nil
	}
	var bk booking.Booking
	if err := s.view(r.Context(), func(st service.State) error {
		bk, _ = service.BookingOf(st, b.Ref)
		return nil
	}); err != nil {
		return "", "", err
	}
	party, err := s.bookingPeople(r, bk)
	if err != nil || b.Member >= len(party.People) {
		return "", "", err
	}
	return party.People[b.Member].Name, party.People[b.Member].Number, nil
}

// deskBuy records a purchase, where it is lawful.
func (s *server) deskBuy(w http.ResponseWriter, r *request) error { return s.deskAnswer(w, r, true) }

// deskTurn records the desk's answer to a lot that is not let go, so that the buyer has a
// number by which to contest it.
func (s *server) deskTurn(w http.ResponseWriter, r *request) error { return s.deskAnswer(w, r, false) }

func (s *server) deskAnswer(w http.ResponseWriter, r *request, buys bool) error {
	f, err := r.form()
	if err != nil {
		return err
	}
	p, b, err := s.buyerOf(r, f.get("site"), f.get("buyer"))
	if err != nil {
		return err
	}
	in := buyInput{Code: f.get("code"), Quantity: f.get("quantity"), Replaces: f.get("replaces"), Accept: buys && f.get("accept") == "yes"}
	if buys {
		in.Decided = f.get("decided")
	}
	_, line, ok := s.deps.Law().Good(in.Code, r.Now)
	quantity, okQuantity := parseThousandths(in.Quantity)
	if !ok || !okQuantity || quantity <= 0 {
		return problem.Field("quantity", "form")
	}
	v := buyerView{Place: p, Token: f.get("buyer")}
	wrong := ""
	if text := f.get("value"); text != "" && in.Decided != "" {
		a, err := money.Parse(amountText(text), p.Edition.Currency)
		if err != nil || a.Minor <= 0 {
			wrong = "desk.value.wrong"
		} else {
			in.Value = a.Minor
		}
	}
	if wrong == "" && f.has("decide") && in.Decided == "" {
		wrong = "desk.ground.empty"
	}
	if wrong != "" {
		if err := s.showBuyer(r, &v, b, in, "", "", nil); err != nil {
			return err
		}
		if v.Check != nil {
			v.Check.Wrong = wrong
		}
		return s.renderBuyer(w, r, v, http.StatusUnprocessableEntity)
	}
	name, number, err := s.buyerName(r, b)
	if err != nil {
		return err
	}
	c := s.buyCommand(r, p, b, in, line.Code, quantity, name != "" && number != "")
	c.ID, c.Turn = service.NewReceipt(s.deps.Rand), !buys
	fresh, err := s.sealBuyer(r, b, &c)
	if err != nil {
		return err
	}
	a, _, err := do[service.BuyAnswer](s, r, c)
	if fresh && (err == nil && a.Purchase.Sealed != c.SealedID || err != nil && problem.KindOf(err) != problem.Offline && problem.KindOf(err) != problem.Internal) {
		// The act had been done before, or came to nothing: nobody needs this key.
		if err := s.deps.Sealer.Destroy(r.Context(), c.SealedID); err != nil {
			s.deps.Log.WarnContext(r.Context(), "a key of no use was not destroyed", "id", r.ID)
		}
	}
	if err != nil {
		return err
	}
	if a.Purchase.ID == "" {
		if err := s.showBuyer(r, &v, b, in, "", "", &a); err != nil {
			return err
		}
		return s.renderBuyer(w, r, v, http.StatusOK)
	}
	return s.redirect(w, r, buyerPath(p, f.get("buyer"), url.Values{"done": {a.Purchase.ID}})+"#done")
}

// sealBuyer seals name and number for the receipt, where no booking of this side holds
// them: once for all purchases of a buyer's day. fresh says that a key was made.
func (s *server) sealBuyer(r *request, b buyer, c *service.Buy) (fresh bool, err error) {
	if b.Ref != "" || b.Name == "" {
		return false, nil
	}
	err = s.view(r.Context(), func(st service.State) error {
		for _, pu := range service.LedgerOf(st, b.Tag, b.Day).Purchases {
			if pu.Sealed != "" {
				c.SealedID = pu.Sealed
			}
		}
		return nil
	})
	if err != nil || c.SealedID != "" {
		return false, err
	}
	plain, err := json.Marshal(sealedParty{People: []sealedPerson{{Name: b.Name, Kind: b.Kind, Number: b.Number}}})
	if err != nil {
		return false, problem.Wrap(problem.Internal, "seal", err)
	}
	c.SealedID, c.Sealed, err = s.deps.Sealer.Seal(r.Context(), plain)
	return err == nil, err
}

// deskVoid takes a purchase back. The receipt stays, and says so.
func (s *server) deskVoid(w http.ResponseWriter, r *request) error {
	f, err := r.form()
	if err != nil {
		return err
	}
	p, _, err := s.buyerOf(r, f.get("site"), f.get("buyer"))
	if err != nil {
		return err
	}
	if _, _, err := do[service.BuyAnswer](s, r, service.Void{ID: f.get("id"), Why: f.get("why"), Officer: r.Officer.ID}); err != nil {
		return err
	}
	return s.redirect(w, r, buyerPath(p, f.get("buyer"), url.Values{"note": {"void"}})+"#bought")
}

// parseThousandths reads a quantity such as "2.5" in any script's digits.
func parseThousandths(s string) (int64, bool) {
	s = strings.NewReplacer("٫", ".", ",", ".", "٬", "").Replace(lang.PlainDigits(strings.TrimSpace(s)))
	whole, frac, _ := strings.Cut(s, ".")
	if len(frac) > 3 || len(whole) > 9 || whole == "" && frac == "" {
		return 0, false
	}
	n, err := strconv.ParseUint("0"+whole+frac+"000"[len(frac):], 10, 63)
	return int64(n), err == nil
}

// formatThousandths writes a quantity without needless zeros.
func formatThousandths(n int64) string {
	s := strconv.FormatInt(n/1000, 10)
	if f := n % 1000; f != 0 {
		s += "." + strings.TrimRight(strconv.FormatInt(1000+f, 10)[1:], "0")
	}
	return s
}

// unit writes the name of a unit, or the unit as the list has it.
func (s *server) unit(tag lang.Tag, u string) string {
	if key := "unit." + u; s.deps.Texts.Has(key) {
		return s.deps.Texts.Say(tag, key, nil)
	}
	return u
}

// goodsIcon draws the picture of a good, where there is one of that name.
func (s *server) goodsIcon(name string) template.HTML {
	if svg, ok := s.icons["icon-"+name]; ok {
		return svg
	}
	return ""
}
