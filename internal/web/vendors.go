// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/identity"
	"darwaza.dev/internal/lang"
	"darwaza.dev/internal/market"
	"darwaza.dev/internal/pass"
	"darwaza.dev/internal/people"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/rules"
	"darwaza.dev/internal/service"
)

// A vendor's card is kept under the register's tag of the vendor's document, and nothing
// else of the vendor is: a card is found by document or in the list of cards, and neither
// says who the vendor is. The tag is a mark of the person, so it stands in no address.

// vendorsView finds a vendor's card.
type vendorsView struct {
	Place   place
	Kinds   []identity.Kind
	Kind    string
	Country string
	Cards   []cardLine
	Errors  errorsIn
}

// cardLine is one card in the list.
type cardLine struct {
	Path  string
	Site  lang.Text
	Card  string
	Until calendar.Date // the last day
	State string        // suspended, good or notnow
	By    string        // login of the officer who changed it last
}

// cardState is how a card stands on a day.
func cardState(v market.Vendor, today uint16) string {
	switch {
	case v.Suspended:
		return "suspended"
	case v.From <= today && today < v.Until:
		return "good"
	}
	return "notnow"
}

// cards lists the cards of the sites at which the officer may act, by site and number.
func (s *server) cards(r *request, p place) ([]cardLine, error) {
	var (
		all []service.Card
		by  = map[people.OfficerID]string{}
	)
	if err := s.view(r.Context(), func(st service.State) error {
		all = service.CardsOf(st)
		for _, c := range all {
			id := people.OfficerID(c.Vendor.By)
			if _, known := by[id]; !known {
				o, _ := service.OfficerOf(st, id)
				by[id] = o.Login
			}
		}
		return nil
	}); err != nil {
		return nil, err
	}
	slices.SortStableFunc(all, func(a, b service.Card) int {
		return cmp.Or(cmp.Compare(a.Vendor.Site, b.Vendor.Site), cmp.Compare(a.Vendor.Card, b.Vendor.Card))
	})
	var lines []cardLine
	for _, c := range all {
		site, ok := p.Edition.SiteNumbered(c.Vendor.Site)
		if mayAct(r.Officer, site.ID) != nil || !ok {
			continue
		}
		lines = append(lines, cardLine{Path: s.vendorPath(r, c.Register, p), Site: site.Name, Card: c.Vendor.Card,
			Until: rules.DayDate(max(c.Vendor.Until, 1) - 1), State: cardState(c.Vendor, p.Day), By: by[people.OfficerID(c.Vendor.By)]})
	}
	return lines, nil
}

func (s *server) vendorsPage(w http.ResponseWriter, r *request) error {
	return s.showVendors(w, r, r.URL.Query().Get("site"), http.StatusOK)
}

// vendorsAgain answers an address of a card that has run out or never was one.
func (s *server) vendorsAgain(w http.ResponseWriter, r *request) error {
	return s.showVendors(w, r, "", http.StatusNotFound)
}

func (s *server) showVendors(w http.ResponseWriter, r *request, site string, status int) error {
	p, err := s.siteOf(r, site)
	if err != nil {
		return err
	}
	return s.renderVendors(w, r, vendorsView{Place: p, Kind: string(identity.CNIC), Country: p.Edition.Parties[s.deps.Side].Country}, status)
}

func (s *server) renderVendors(w http.ResponseWriter, r *request, v vendorsView, status int) error {
	v.Kinds = identity.Kinds[:]
	var err error
	if v.Cards, err = s.cards(r, v.Place); err != nil {
		return err
	}
	return s.render(w, r, page{Name: "vendors", View: v, Status: status, Styles: []string{"officer.css"}, Scripts: []string{"wedge.js"}})
}

// vendorFind looks a document up. It changes nothing; it is posted so that the number
// stands in no address.
func (s *server) vendorFind(w http.ResponseWriter, r *request) error {
	f, p, err := s.atSite(r)
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
	return s.redirect(w, r, s.vendorPath(r, tag, p))
}

// vendorPath is the address of a vendor's card for the next two hours. The tag is sealed
// in it as a booking's reference is in a link.
func (s *server) vendorPath(r *request, tag [16]byte, p place) string {
	token, err := s.links.seal(s.deps.Rand, link{Ref: booking.Ref(tag[:])}, r.Now.Add(linkLength))
	if err != nil {
		panic(err) // no random bytes
	}
	return "/vendors/card/" + token + "?site=" + strconv.Itoa(int(p.Site.Number))
}

// vendorView is one vendor's card.
type vendorView struct {
	Place       place
	Path        string // of the page
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
	l, ok := s.links.open(r.PathValue("link"), r.Now)
	if !ok || len(l.Ref) != len(tag) { // a booking's link is shorter
		return v, tag, problem.New(problem.NotFound, "link")
	}
	v.Path = "/vendors/card/" + r.PathValue("link")
	copy(tag[:], l.Ref)
	var err error
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
		v.Good = cardState(v.Vendor, today) == "good"
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
	if linkGone(err) {
		return s.vendorsAgain(w, r)
	}
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
	if linkGone(err) {
		return s.vendorsAgain(w, r)
	}
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
	return s.redirect(w, r, v.Path+"?site="+strconv.Itoa(int(v.Place.Site.Number))+"&note=vendor")
}
