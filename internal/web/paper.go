// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"html/template"
	"net/http"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/lang"
	"darwaza.dev/internal/market"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/qr"
	"darwaza.dev/internal/rules"
	"darwaza.dev/internal/service"
)

// paperView is a receipt as it is printed: every field that the clause on receipts asks
// for, and the code by which anyone can check it.
type paperView struct {
	Purchase market.Purchase
	Good     lang.Text
	Category lang.Text
	Site     lang.Text
	Side     agreement.Party
	Date     calendar.Date
	At       time.Time
	Name     string
	Kind     string // key of the kind of document
	Number   string
	QR       template.HTML
	// Clause is the clause that says what a receipt bears; Lacks are the attributes that
	// it asks for and that this one cannot bear.
	Clause  *agreement.Clause
	Lacks   []lang.Text
	Edition *agreement.Edition
	Narrow  bool // for a roll of 80 mm, else A5
	SiteNo  string
}

func (s *server) receiptPaper(w http.ResponseWriter, r *request) error {
	var (
		pu     market.Purchase
		ledger market.Ledger
		b      booking.Booking
		member int
		own    bool
		sealed []byte
		ok     bool
	)
	err := s.view(r.Context(), func(st service.State) error {
		if pu, ledger, ok = service.ReceiptOf(st, r.PathValue("id")); !ok {
			return errNotFound
		}
		if pu.Sealed != "" {
			sealed, _ = st.Sealed.Get(pu.Sealed)
			return nil
		}
		if b, member, own = service.BookingOfPass(st, pu.Pass); own {
			sealed, _ = st.Sealed.Get(b.Sealed)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if pu.Sealed != "" {
		b, member = booking.Booking{Sealed: pu.Sealed}, 0
	}
	party, err := s.party(r.Context(), b, sealed)
	if err != nil {
		return err
	}
	e, err := s.editionFor(pu.Site, pu.At)
	if err != nil {
		return err
	}
	site, ok := e.SiteNumbered(pu.Site)
	if !ok {
		return errNotFound
	}
	if err := mayAct(r.Officer, site.ID); err != nil {
		return err
	}
	zone, err := calendar.Zone(site.Zone)
	if err != nil {
		return problem.Wrap(problem.Internal, "zone", err)
	}
	pu.VoidAt = pu.VoidAt.In(zone)
	v := paperView{Purchase: pu, Site: site.Name, Side: e.Parties[s.deps.Side], Date: rules.DayDate(ledger.Key.Day),
		At: pu.At.In(zone), Edition: e, Narrow: r.URL.Query().Get("paper") == "80", SiteNo: r.URL.Query().Get("site")}
	if member < len(party.People) {
		who := party.People[member]
		v.Name, v.Number, v.Kind = who.Name, who.Number, "document."+who.Kind
	}
	listID, line, _ := s.deps.Law().Good(pu.Code, pu.At)
	v.Good, v.Category = line.Name, e.ListInfo[listID].Categories[line.Category]
	s.receiptFields(&v)
	text, err := s.receiptText(pu, ledger.Key.Day, v.Name, v.Number)
	if err != nil {
		return err
	}
	code, err := qr.Encode(text)
	if err != nil {
		return problem.Wrap(problem.Internal, "qr", err)
	}
	v.QR = template.HTML(code.SVG(s.deps.Texts.Say(r.Lang, "paper.qr", nil)))
	return s.render(w, r, page{Name: "paper", View: v, Styles: []string{"officer.css"}, Scripts: []string{"desk.js"}})
}

// receiptFields looks up what the clause on receipts asks for.
func (s *server) receiptFields(v *paperView) {
	for _, c := range v.Edition.Clauses {
		if c.Kind != agreement.KindFields {
			continue
		}
		v.Clause = c
		for _, f := range c.Fields {
			lacks := false
			switch f {
			case "receipt.named":
				lacks = v.Name == ""
			case "receipt.number":
				lacks = v.Number == ""
			case "receipt.duty":
				lacks = !v.Purchase.DutyKnown
			}
			if lacks {
				v.Lacks = append(v.Lacks, v.Edition.Attributes[f].Name)
			}
		}
		return
	}
}
