// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/gate"
	"darwaza.dev/internal/pass"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/service"
)

// lostView is the page that asks for the document of somebody whose pass is lost.
type lostView struct {
	Place   place
	Out     bool
	Country string
	Errors  errorsIn
}

func (s *server) gateFindPage(w http.ResponseWriter, r *request) error {
	f, p, err := s.atGate(r)
	if err != nil {
		return err
	}
	return s.renderFind(w, r, lostView{Place: p, Out: f.get("direction") == string(gate.Out)}, http.StatusOK)
}

func (s *server) renderFind(w http.ResponseWriter, r *request, v lostView, status int) error {
	return s.render(w, r, page{Name: "find", View: v, Status: status, Wide: true,
		Styles: []string{"officer.css"}, Scripts: []string{"wedge.js"}})
}

// gateFind looks up a document. It changes nothing, and is posted so that a document's
// number stands in no address.
func (s *server) gateFind(w http.ResponseWriter, r *request) error {
	f, p, err := s.atGate(r)
	if err != nil {
		return err
	}
	out := f.get("direction") == string(gate.Out)
	text, country := f.get("document"), strings.ToUpper(f.get("country"))
	v := lostView{Place: p, Out: out, Country: country}
	if len(documents(text, countries(p.Edition, country))) == 0 {
		v.Errors.add("document", "find.document.wrong")
		return s.renderFind(w, r, v, http.StatusUnprocessableEntity)
	}
	found, err := s.find(r, p, out, text, country)
	if err != nil {
		return err
	}
	return s.renderGate(w, r, gateView{Place: p, Out: out, Find: found}, http.StatusOK)
}

// find returns the booking of today at the place that fits a document, and whoever is
// inside by a pass of the other side whose document was read at the gate.
func (s *server) find(r *request, p place, out bool, text, country string) (*findAnswer, error) {
	fa := &findAnswer{Document: text, Out: out, Place: p}
	var tags [][16]byte
	for _, d := range documents(text, countries(p.Edition, country)) {
		tags = append(tags, s.deps.Secrets.Tag(p.Day, d.Key()))
	}
	law := s.deps.Law()
	party := func(key string, ref booking.Ref, slot booking.SlotID, people uint32, inside bool) {
		fp := foundParty{Key: key, Ref: ref, People: people, Inside: inside}
		fp.Class, _ = service.ClassName(law, slot.Site(), slot.Class(), r.Now)
		if plan, ok := law.Slot(slot.Site(), slot.Class(), slot.Day(), slot.Minute()); ok {
			fp.From, fp.Until = plan.From.In(p.Zone), plan.Until.In(p.Zone)
		}
		fa.Parties = append(fa.Parties, fp)
	}
	err := s.view(r.Context(), func(st service.State) error {
		for _, tag := range tags {
			b, ok := service.FindByTag(st, tag, p.Site.Number, p.Day)
			if !ok {
				continue
			}
			for i, m := range b.Members {
				if m.Tag == tag {
					pr, _ := service.PresenceOf(st, m.Pass)
					party(string(b.Ref)+"/"+strconv.Itoa(i), b.Ref, b.Slot, m.Places(), pr.Inside)
				}
			}
		}
		if len(fa.Parties) > 0 {
			return nil
		}
		for _, pr := range service.PresencesOf(st, p.Site.Number, p.Day) {
			if pr.Tag != [16]byte{} && slices.Contains(tags, pr.Tag) {
				party("pass/"+pr.Pass.String(), "", booking.SlotID(pr.Slot), pr.People, pr.Inside)
			}
		}
		return nil
	})
	return fa, err
}

// claimsOf makes the claims of a pass that is lost: of this side's booking, or of what
// the gate has seen of a pass of the other side. The document must be the one that the
// party was found by.
func (s *server) claimsOf(r *request, p place, found, document string) (*booking.Booking, int, pass.Claims, error) {
	none := problem.New(problem.NotFound, "party")
	kind, rest, ok := strings.Cut(found, "/")
	if !ok {
		return nil, 0, pass.Claims{}, none
	}
	fits := func(tag [16]byte) bool {
		for _, d := range documents(document, countries(p.Edition)) {
			if s.deps.Secrets.Tag(p.Day, d.Key()) == tag {
				return true
			}
		}
		return false
	}
	var (
		b  booking.Booking
		pr gate.Presence
	)
	err := s.view(r.Context(), func(st service.State) error {
		if kind != "pass" {
			b, ok = service.BookingOf(st, booking.Ref(kind))
			return nil
		}
		id, err := pass.ParseID(rest)
		if err != nil {
			ok = false
			return nil
		}
		pr, ok = service.PresenceOf(st, id)
		return nil
	})
	switch {
	case err != nil:
		return nil, 0, pass.Claims{}, err
	case !ok:
		return nil, 0, pass.Claims{}, none
	case kind == "pass":
		if !fits(pr.Tag) {
			return nil, 0, pass.Claims{}, none
		}
		side, err := pass.ParseSide(pr.Issuer)
		if err != nil {
			return nil, 0, pass.Claims{}, none
		}
		return nil, 0, pass.Claims{ID: pr.Pass, Side: side, Site: pr.Site, Slot: pr.Slot, Class: pr.Class,
			Generation: pr.Gen, Children: uint8(max(pr.People, 1) - 1)}, nil
	}
	m, err := strconv.Atoi(rest)
	if err != nil || m < 0 || m >= len(b.Members) || !fits(b.Members[m].Tag) {
		return nil, 0, pass.Claims{}, none
	}
	c, ok := service.PassClaims(s.deps.Law(), s.deps.Side, b, m)
	if !ok {
		return nil, 0, pass.Claims{}, none
	}
	return &b, m, c, nil
}

// memberName returns the name of one member of a booking, empty where none was given
// or its key was destroyed.
func (s *server) memberName(r *request, b booking.Booking, member int) string {
	p, err := s.bookingPeople(r, b)
	if err != nil || member >= len(p.People) {
		return ""
	}
	return p.People[member].Name
}

// bookingPeople opens the personal data of a booking.
func (s *server) bookingPeople(r *request, b booking.Booking) (sealedParty, error) {
	var ciphertext []byte
	err := s.view(r.Context(), func(st service.State) error {
		ciphertext, _ = st.Sealed.Get(b.Sealed)
		return nil
	})
	if err != nil {
		return sealedParty{}, err
	}
	return s.party(r.Context(), b, ciphertext)
}
