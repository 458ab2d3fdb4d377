// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"net/http"
	"strconv"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/identity"
	"darwaza.dev/internal/lang"
	"darwaza.dev/internal/pass"
	"darwaza.dev/internal/people"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/rules"
	"darwaza.dev/internal/service"
)

// place is where an officer works: a site, one of this side's gates there, and the
// civil day and clock of the site.
type place struct {
	Edition *agreement.Edition
	Site    agreement.Site
	Gate    agreement.Gate
	Zone    *time.Location
	Day     uint16
	Date    calendar.Date
	// Others are the other places at which the officer may act.
	Others []placeChoice
}

// placeChoice is one of the gates at which an officer may act.
type placeChoice struct {
	Site, Gate         uint16
	SiteName, GateName lang.Text
	Here               bool
}

// edition returns the edition in force, or else the newest one that is known: a desk
// still has sites and gates when the law has run out, and answers REFER.
func (s *server) edition(now time.Time) (*agreement.Edition, error) {
	law := s.deps.Law()
	if e, ok := law.Edition(now); ok {
		return e, nil
	}
	if es := law.Editions(); len(es) > 0 {
		return es[len(es)-1], nil
	}
	return nil, problem.New(problem.Offline, "law")
}

// editionFor returns the edition under which a site is run, by the same rule: that of one
// agreement where several know the site.
func (s *server) editionFor(site uint16, now time.Time) (*agreement.Edition, error) {
	law := s.deps.Law()
	if e, ok := law.EditionFor(site, now); ok {
		return e, nil
	}
	for _, e := range law.Newest() {
		if _, ok := e.SiteNumbered(site); ok {
			return e, nil
		}
	}
	return s.edition(now)
}

// sites returns the sites of all agreements.
func (s *server) sites(now time.Time) []agreement.Site { return service.SitesOf(s.deps.Law(), now) }

// place finds where the officer works, by the numbers of site and gate that a page
// carries, else by the officer's appointment, else the first there is.
func (s *server) place(r *request, siteNumber, gateNumber string) (place, error) {
	if _, err := s.edition(r.Now); err != nil {
		return place{}, err
	}
	site, _ := strconv.ParseUint(siteNumber, 10, 16)
	gate, _ := strconv.ParseUint(gateNumber, 10, 16)
	p := place{}
	found := 0 // how well the place fits what was asked for
	for _, st := range s.sites(r.Now) {
		if mayAct(r.Officer, st.ID) != nil {
			continue
		}
		for _, g := range st.Gates {
			if g.Side != s.deps.Side {
				continue
			}
			p.Others = append(p.Others, placeChoice{Site: st.Number, Gate: g.Number, SiteName: st.Name, GateName: g.Name})
			fit := 1
			if site == 0 && g.Number == r.Officer.Gate && st.ID == r.Officer.Site {
				fit = 2
			}
			if uint16(site) == st.Number && site != 0 {
				fit = 3
				if uint16(gate) == g.Number || gate == 0 && g.Number == r.Officer.Gate {
					fit = 4
				}
			}
			if fit > found {
				found, p.Site, p.Gate = fit, st, g
			}
		}
	}
	switch {
	case found == 0:
		return place{}, problem.New(problem.Forbidden, "site")
	case site != 0 && found < 3:
		return place{}, problem.New(problem.Forbidden, "site")
	}
	for i := range p.Others {
		p.Others[i].Here = p.Others[i].Site == p.Site.Number && p.Others[i].Gate == p.Gate.Number
	}
	var err error
	if p.Edition, err = s.editionFor(p.Site.Number, r.Now); err != nil {
		return place{}, err
	}
	if p.Zone, err = calendar.Zone(p.Site.Zone); err != nil {
		return place{}, problem.Wrap(problem.Internal, "zone", err)
	}
	p.Date = calendar.On(r.Now, p.Zone)
	p.Day = rules.DayNumber(p.Date)
	return p, nil
}

// fields are what a page was asked with: the address of one that is read, the form of one
// that is sent.
func (r *request) fields() (formValues, error) {
	if r.Method != http.MethodPost {
		return formValues(r.URL.Query()), nil
	}
	return r.form()
}

// atGate reads what was sent and finds the gate at which the officer works.
func (s *server) atGate(r *request) (formValues, place, error) {
	f, err := r.fields()
	if err != nil {
		return nil, place{}, err
	}
	p, err := s.place(r, f.get("site"), f.get("gate"))
	return f, p, err
}

// atSite is atGate for pages that ask for no gate.
func (s *server) atSite(r *request) (formValues, place, error) {
	f, err := r.fields()
	if err != nil {
		return nil, place{}, err
	}
	p, err := s.siteOf(r, f.get("site"))
	return f, p, err
}

// siteOf is place for pages that ask for no gate.
func (s *server) siteOf(r *request, siteNumber string) (place, error) {
	p, err := s.place(r, siteNumber, "")
	var sites []placeChoice
	for _, c := range p.Others {
		if len(sites) == 0 || sites[len(sites)-1].Site != c.Site {
			sites = append(sites, placeChoice{Site: c.Site, SiteName: c.SiteName, Here: c.Site == p.Site.Number})
		}
	}
	p.Others = sites
	return p, err
}

// readable are the kinds of documents that a number alone may be of, the likeliest first.
var readable = [...]identity.Kind{identity.CNIC, identity.NationalID, identity.Passport, identity.BorderPass, identity.Tazkira, identity.Other}

// documents returns what a text read from a document may stand for: the one document
// of a machine readable zone, or every kind of document that has such a number in one
// of the countries. The number alone does not say; a tag or a binding does.
func documents(text string, countries []string) []identity.Document {
	if pass.Recognise(text) == pass.MRZ || looksLikeZone(text) {
		m, err := identity.ParseMRZ(text)
		if err != nil {
			return nil
		}
		d, err := m.Document()
		if err != nil {
			return nil
		}
		return []identity.Document{d}
	}
	var ds []identity.Document
	for _, kind := range readable {
		for _, country := range countries {
			if d, err := identity.ParseDocument(string(kind), country, text); err == nil {
				ds = append(ds, d)
			}
		}
	}
	return ds
}

// looksLikeZone reports whether a text is meant as a machine readable zone, even one
// that was read badly.
func looksLikeZone(text string) bool {
	n := 0
	for i := range len(text) {
		if text[i] == '<' {
			n++
		}
	}
	return n >= 2
}

// countries are those whose documents are tried: the two sides' and any that was named.
func countries(e *agreement.Edition, more ...string) []string {
	cs := []string{e.Parties[agreement.A].Country, e.Parties[agreement.B].Country}
	for _, c := range more {
		if len(c) == 3 {
			cs = append(cs, c)
		}
	}
	return cs
}

// roleNames are the keys of the names of an officer's roles.
func roleNames(roles []people.Role) []string {
	keys := make([]string, len(roles))
	for i, r := range roles {
		keys[i] = "role." + string(r)
	}
	return keys
}
