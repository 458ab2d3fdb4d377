// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"net/http"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/gate"
	"darwaza.dev/internal/pass"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/reason"
	"darwaza.dev/internal/rules"
	"darwaza.dev/internal/service"
)

// scanIn is one arrival or departure.
type scanIn struct {
	Site      string       `json:"site"`
	Gate      uint16       `json:"gate"`
	Direction string       `json:"direction"`
	Pass      string       `json:"pass"`
	Document  *documentIn  `json:"document"`
	Seen      bool         `json:"seen"`
	Screening *screeningIn `json:"screening"`
	Again     uint64       `json:"again"`
	// Proof is a health certificate as its QR code has it, and ProofFits that an officer has
	// compared it with the holder.
	Proof     string `json:"proof"`
	ProofFits bool   `json:"proof_fits"`
}

type screeningIn struct {
	TempTenths int16 `json:"temp_tenths"`
	Symptoms   bool  `json:"symptoms"`
	// Answers are those to what else the disease profiles ask, by attribute.
	Answers []answerIn `json:"answers"`
}

type answerIn struct {
	Attribute  string `json:"attribute"`
	Yes        bool   `json:"yes"`
	TempTenths int16  `json:"temp_tenths"`
}

// scanOut is the gate's answer.
type scanOut struct {
	Verdict  rules.Verdict `json:"verdict"`
	Says     []string      `json:"says,omitempty"`
	Scan     scanDone      `json:"scan"`
	Earlier  *scanDone     `json:"earlier,omitempty"`
	PassID   pass.ID       `json:"pass_id"`
	Fault    string        `json:"fault,omitempty"`
	Class    string        `json:"class,omitempty"`
	Issuer   string        `json:"issuer,omitempty"`
	People   uint32        `json:"people"`
	InsideIs bool          `json:"is_inside"`
	Inside   uint32        `json:"inside"`
	Cap      uint32        `json:"cap"`
	Asks     []string      `json:"asks,omitempty"`
	// Goods is of the goods that leave with the holder, absent where none do.
	Goods     *rules.Verdict `json:"goods,omitempty"`
	GoodsSays []string       `json:"goods_says,omitempty"`
	Record    recordOut      `json:"record"`
}

type scanDone struct {
	Serial    uint64    `json:"serial"`
	Direction string    `json:"direction"`
	Gate      uint16    `json:"gate"`
	At        time.Time `json:"at"`
	Outcome   string    `json:"outcome"`
	Counted   bool      `json:"counted"`
	Void      bool      `json:"void"`
}

func scanWritten(sc gate.Scan) scanDone {
	return scanDone{Serial: sc.Serial, Direction: string(sc.Direction), Gate: sc.Gate, At: sc.At.UTC(), Outcome: sc.Outcome.String(), Counted: sc.Counted, Void: sc.Void}
}

func (s *server) answerScan(w http.ResponseWriter, r *request, a service.ScanAnswer, fault reason.Code, d service.Done) error {
	out := scanOut{
		Verdict: a.Verdict, Says: s.says(r.Lang, a.Verdict), Scan: scanWritten(a.Scan), PassID: a.Presence.Pass, Fault: string(fault),
		Issuer: a.Presence.Issuer, People: a.People, InsideIs: a.Presence.Inside, Inside: a.Inside, Cap: a.Cap, Asks: a.Asks, Record: recorded(d),
	}
	if a.Goods.Point != "" {
		out.Goods, out.GoodsSays = &a.Goods, s.says(r.Lang, a.Goods)
	}
	if a.Earlier != nil {
		e := scanWritten(*a.Earlier)
		out.Earlier = &e
	}
	if c, _, ok := s.deps.Law().ClassNumbered(a.Presence.Site, a.Class, r.Now); ok {
		out.Class = c.ID
	}
	return s.ok(w, out)
}

// gateOfSide finds one of this side's gates at a site.
func (s *server) gateOfSide(r *request, siteID string, number uint16) (agreement.Site, error) {
	site, err := s.siteToAct(r, siteID)
	if err != nil {
		return site, err
	}
	g, ok := site.Gate(number)
	if !ok || g.Side != s.deps.Side {
		return site, problem.Field("gate", "gate.unknown")
	}
	return site, nil
}

// apiScan asks the gate about a pass.
func (s *server) apiScan(w http.ResponseWriter, r *request) error {
	in, err := decode[scanIn](r)
	if err != nil {
		return err
	}
	site, err := s.gateOfSide(r, in.Site, in.Gate)
	if err != nil {
		return err
	}
	c := service.Scan{Site: site.Number, Gate: in.Gate, Direction: gate.Direction(in.Direction), Officer: r.Officer.ID, Again: in.Again, Behind: s.behind(r.Now)}
	if c.Direction != gate.In && c.Direction != gate.Out {
		return problem.Field("direction", "direction")
	}
	if len(in.Pass) > maxField {
		return problem.Field("pass", "pass.size")
	}
	c.Claims, c.Fault = s.deps.Trust().Verify(in.Pass, r.Now)
	switch {
	case in.Document != nil:
		doc, err := in.Document.parse("document")
		if err != nil {
			return err
		}
		if pass.Genuine(c.Fault) {
			c.Match = service.Differs
			if s.deps.Secrets.Bind(c.Claims.ID, doc.Key()) == c.Claims.Binding {
				c.Match = service.Fits
				c.Tag, c.Register = s.deps.Secrets.Tag(booking.SlotID(c.Claims.Slot).Day(), doc.Key()), s.deps.Secrets.Register(doc.Key())
			}
		}
	case in.Seen && pass.Genuine(c.Fault):
		c.Match = service.Seen
	}
	if in.Screening != nil {
		c.Screening = service.Screening{Done: true, TempTenths: in.Screening.TempTenths, Symptoms: in.Screening.Symptoms}
		for _, x := range in.Screening.Answers {
			c.Screening.Answers = append(c.Screening.Answers, gate.Answered{Attribute: x.Attribute, Yes: x.Yes, Tenths: x.TempTenths})
		}
		if !c.Screening.Possible() {
			return problem.Field("screening.temp_tenths", "temperature")
		}
	}
	if in.Proof != "" {
		if len(in.Proof) > maxLong {
			return problem.Field("proof", "proof.size")
		}
		if c.Evidence, err = s.evidenceOf(r, site, c.Claims.ID, in.Proof, in.Document); err != nil {
			return err
		}
		c.Evidence.Compared = in.ProofFits
	}
	a, d, err := do[service.ScanAnswer](s, r, c)
	if err != nil {
		return err
	}
	return s.answerScan(w, r, a, c.Fault, d)
}

// evidenceOf verifies a certificate that a program shows with a pass.
func (s *server) evidenceOf(r *request, site agreement.Site, id pass.ID, text string, doc *documentIn) (gate.Evidence, error) {
	var c carried
	c.readProofs(text, s.trusted(site.ID, r.Now), s.deps.Law().Zone(site.ID), r.Now)
	if len(c.Parts) > 0 { // a program shows a card whole
		c.Why = append(c.Why, gate.CodeProofUnreadable)
	}
	name := ""
	own, member, err := s.bookingOfPass(r, id)
	if err != nil {
		return gate.Evidence{}, err
	}
	if own != nil {
		name = s.memberName(r, *own, member)
	}
	number := ""
	if doc != nil {
		number = doc.Number
	}
	return c.evidence(name, number, r.Now), nil
}

// decideIn is an officer's decision on a REFER or HOLD.
type decideIn struct {
	Site   string  `json:"site"`
	Gate   uint16  `json:"gate"`
	PassID pass.ID `json:"pass_id"`
	Serial uint64  `json:"serial"`
	Admit  bool    `json:"admit"`
	Why    string  `json:"why"`
}

func (s *server) apiDecide(w http.ResponseWriter, r *request) error {
	in, err := decode[decideIn](r)
	if err != nil {
		return err
	}
	if _, err := s.gateOfSide(r, in.Site, in.Gate); err != nil {
		return err
	}
	a, d, err := do[service.ScanAnswer](s, r, service.DecideScan{Pass: in.PassID, Serial: in.Serial, Admit: in.Admit, Why: in.Why, Officer: r.Officer.ID, Gate: in.Gate})
	if err != nil {
		return err
	}
	return s.answerScan(w, r, a, "", d)
}

// undoIn takes a mistaken scan back.
type undoIn struct {
	PassID pass.ID `json:"pass_id"`
	Serial uint64  `json:"serial"`
}

func (s *server) apiUndo(w http.ResponseWriter, r *request) error {
	in, err := decode[undoIn](r)
	if err != nil {
		return err
	}
	a, d, err := do[service.ScanAnswer](s, r, service.UndoScan{Pass: in.PassID, Serial: in.Serial, Officer: r.Officer.ID})
	if err != nil {
		return err
	}
	return s.answerScan(w, r, a, "", d)
}

// settleIn ends a site's day.
type settleIn struct {
	Site string  `json:"site"`
	Day  *string `json:"day"` // today where it is left out
}

type settleOut struct {
	People  uint32    `json:"people"`
	NoShows uint32    `json:"no_shows"`
	Record  recordOut `json:"record"`
}

func (s *server) apiSettle(w http.ResponseWriter, r *request) error {
	in, err := decode[settleIn](r)
	if err != nil {
		return err
	}
	text := ""
	if in.Day != nil {
		if text = *in.Day; text == "" {
			return problem.Field("day", "date")
		}
	}
	site, day, err := s.dayToAct(r, in.Site, text)
	if err != nil {
		return err
	}
	var c service.Settle
	if err := s.view(r.Context(), func(st service.State) error {
		c = service.SettleOf(st, site.Number, day, r.Officer.ID)
		return nil
	}); err != nil {
		return err
	}
	a, d, err := do[service.SettleAnswer](s, r, c)
	if err != nil {
		return err
	}
	return s.ok(w, settleOut{People: a.People, NoShows: a.NoShows, Record: recorded(d)})
}

// salesIn is a site that is to sell again.
type salesIn struct {
	Site string `json:"site"`
}

type salesOut struct {
	Opened bool      `json:"opened"` // false where it sold already
	Record recordOut `json:"record"`
}

// apiOpenSales lets a site sell places again that were held after a restore.
func (s *server) apiOpenSales(w http.ResponseWriter, r *request) error {
	in, err := decode[salesIn](r)
	if err != nil {
		return err
	}
	site, _, err := s.dayToAct(r, in.Site, "")
	if err != nil {
		return err
	}
	a, d, err := do[service.OpenSalesAnswer](s, r, service.OpenSales{Site: site.Number, Officer: r.Officer.ID})
	if err != nil {
		return err
	}
	return s.ok(w, salesOut{Opened: a.Opened, Record: recorded(d)})
}

// checkIn is a pass or receipt to be looked at, with nothing recorded.
type checkIn struct {
	Text string `json:"text"`
}

type passCheckOut struct {
	Good       bool      `json:"good"`
	Fault      string    `json:"fault,omitempty"`
	PassID     pass.ID   `json:"pass_id"`
	Issuer     string    `json:"issuer,omitempty"`
	Slot       *slotOut  `json:"slot,omitempty"`
	Place      uint32    `json:"place"`
	Children   uint8     `json:"children"`
	Generation uint8     `json:"generation"`
	NotBefore  time.Time `json:"not_before"`
	Expires    time.Time `json:"expires"`
}

// apiPassCheck verifies a pass and records nothing. It says nothing of withdrawals: the
// gate does.
func (s *server) apiPassCheck(w http.ResponseWriter, r *request) error {
	in, err := decode[checkIn](r)
	if err != nil {
		return err
	}
	if len(in.Text) > maxField {
		return problem.Field("text", "pass.size")
	}
	c, fault := s.deps.Trust().Verify(in.Text, r.Now)
	out := passCheckOut{Good: fault == "", Fault: string(fault)}
	if pass.Genuine(fault) { // what a forger wrote is not repeated
		slot := s.slotOut(booking.SlotID(c.Slot), r.Now)
		out.PassID, out.Issuer, out.Slot = c.ID, c.Side.String(), &slot
		out.Place, out.Children, out.Generation = c.Place, c.Children, c.Generation
		out.NotBefore, out.Expires = c.NotBefore, c.Expires
	}
	return s.ok(w, out)
}
