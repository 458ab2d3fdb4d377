// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"

	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/identity"
	"darwaza.dev/internal/market"
	"darwaza.dev/internal/pass"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/rules"
	"darwaza.dev/internal/service"
)

// A vendor's card is kept under the register's tag of the vendor's document, and
// nothing else of the vendor is: so cards are found by document, and there is no list
// of people to leak.

// vendorsView finds a vendor's card.
type vendorsView struct {
	Place   place
	Kinds   []identity.Kind
	Kind    string
	Country string
	Errors  errorsIn
}

func (s *server) vendorsPage(w http.ResponseWriter, r *request) error {
	p, err := s.siteOf(r, r.URL.Query().Get("site"))
	if err != nil {
		return err
	}
	return s.renderVendors(w, r, vendorsView{Place: p, Kind: string(identity.CNIC), Country: p.Edition.Parties[s.deps.Side].Country}, http.StatusOK)
}

func (s *server) renderVendors(w http.ResponseWriter, r *request, v vendorsView, status int) error {
	v.Kinds = identity.Kinds[:]
	return s.render(w, r, page{Name: "vendors", View: v, Status: status, Styles: []string{"officer.css"}, Scripts: []string{"wedge.js"}})
}

// vendorFind looks a document up. It changes nothing; it is posted so that the number
// stands in no address.
func (s *server) vendorFind(w http.ResponseWriter, r *request) error {
	f, err := r.form()
	if err != nil {
		return err
	}
	p, err := s.siteOf(r, f.get("site"))
	if err != nil {
		return err
	}
	v := vendorsView{Place: p, Kind: f.get("kind"), Country: strings.ToUpper(f.get("country"))}
	text := f.get("document")
	d, err := identity.ParseDocument(v.Kind, v.Country, text)
	if pass.Recognise(text) == pass.MRZ || looksLikeZone(text) {
		var m identity.MRZ
		if m, err = identity.ParseMRZ(text); err == nil {
			d, err = m.Document()
		}
	}
	if err != nil {
		v.Errors.add("document", "find.document.wrong")
		return s.renderVendors(w, r, v, http.StatusUnprocessableEntity)
	}
	tag := s.deps.Secrets.Register(d.Key())
	return s.redirect(w, r, vendorPath(tag, p))
}

func vendorPath(tag [16]byte, p place) string {
	return "/vendors/card/" + hex.EncodeToString(tag[:]) + "?site=" + strconv.Itoa(int(p.Site.Number))
}

// vendorView is one vendor's card.
type vendorView struct {
	Place       place
	Tag         string
	Known       bool
	Vendor      market.Vendor
	SiteName    string
	From, Until calendar.Date // Until is the last day, inclusive
	Good        bool          // the card lets its holder in today
	Card        string        // typed, or proposed for a new one
	Errors      errorsIn
}

func (s *server) vendorOf(r *request, site string) (vendorView, [16]byte, error) {
	var v vendorView
	var tag [16]byte
	v.Tag = r.PathValue("tag")
	raw, err := hex.DecodeString(v.Tag)
	if err != nil || len(raw) != len(tag) {
		return v, tag, errNotFound
	}
	copy(tag[:], raw)
	if v.Place, err = s.siteOf(r, site); err != nil {
		return v, tag, err
	}
	err = s.view(r.Context(), func(st service.State) error {
		v.Vendor, v.Known = service.VendorOf(st, tag)
		return nil
	})
	if err != nil {
		return v, tag, err
	}
	today := v.Place.Day
	if v.Known {
		v.Card, v.From, v.Until = v.Vendor.Card, rules.DayDate(v.Vendor.From), rules.DayDate(max(v.Vendor.Until, 1)-1)
		v.Good = !v.Vendor.Suspended && v.Vendor.From <= today && today < v.Vendor.Until
		if site, ok := v.Place.Edition.SiteNumbered(v.Vendor.Site); ok {
			v.SiteName = site.Name.In(r.Lang)
		}
	} else {
		v.Card = "V-" + strings.TrimPrefix(service.NewReceipt(s.deps.Rand), "R-")[:6]
		v.From, v.Until = v.Place.Date, v.Place.Date.AddDays(364)
	}
	return v, tag, nil
}

func (s *server) vendorPage(w http.ResponseWriter, r *request) error {
	v, _, err := s.vendorOf(r, r.URL.Query().Get("site"))
	if err != nil {
		return err
	}
	return s.renderVendor(w, r, v, http.StatusOK)
}

func (s *server) renderVendor(w http.ResponseWriter, r *request, v vendorView, status int) error {
	return s.render(w, r, page{Name: "vendor", View: v, Status: status, Styles: []string{"officer.css"}, Scripts: []string{"desk.js"}})
}

// vendorEnrol gives a card, changes it, suspends it or lifts that.
func (s *server) vendorEnrol(w http.ResponseWriter, r *request) error {
	f, err := r.form()
	if err != nil {
		return err
	}
	v, tag, err := s.vendorOf(r, f.get("site"))
	if err != nil {
		return err
	}
	vendor := v.Vendor
	switch f.get("act") {
	case "suspend", "lift":
		if !v.Known {
			return errNotFound
		}
		vendor.Suspended = f.get("act") == "suspend"
	default:
		v.Card = strings.ToUpper(f.get("card"))
		from, err1 := calendar.ParseDate(f.get("from"))
		until, err2 := calendar.ParseDate(f.get("until"))
		if v.Card == "" || len(v.Card) > 24 {
			v.Errors.add("card", "vendors.card.empty")
		}
		if err1 != nil || from.Year < 2000 || from.Year > 2100 {
			v.Errors.add("from", "vendors.date.wrong")
		} else {
			v.From = from
		}
		switch {
		case err2 != nil || until.Year < 2000 || until.Year > 2100:
			v.Errors.add("until", "vendors.date.wrong")
		case err1 == nil && until.Before(from):
			v.Until = until
			v.Errors.add("until", "vendors.date.order")
		default:
			v.Until = until
		}
		if len(v.Errors) > 0 {
			return s.renderVendor(w, r, v, http.StatusUnprocessableEntity)
		}
		vendor.Card, vendor.Site = v.Card, v.Place.Site.Number
		vendor.From, vendor.Until = rules.DayNumber(from), rules.DayNumber(until.AddDays(1))
	}
	vendor.By = string(r.Officer.ID)
	if _, _, err := do[service.EnrolAnswer](s, r, service.Enrol{Register: tag, Vendor: vendor, Officer: r.Officer.ID}); err != nil {
		if problem.KindOf(err) == problem.Conflict || problem.KindOf(err) == problem.Invalid {
			v.Errors.add("card", "vendors.card.taken")
			return s.renderVendor(w, r, v, http.StatusUnprocessableEntity)
		}
		return err
	}
	return s.redirect(w, r, vendorPath(tag, v.Place)+"&note=vendor")
}
