// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"net/http"

	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/service"
)

// clerkView is the clerk's first page: book for somebody, or find a booking.
type clerkView struct {
	Place  place
	Query  string // not what was typed when it names a person: only a reference comes back
	Days   []calendar.Date
	Day    calendar.Date
	Errors errorsIn
	Found  []foundLine
	None   bool
}

// foundLine is one booking that fits.
type foundLine struct {
	Path   string
	Ref    string
	Status string
	Slot   slotLine
	People int
}

func (s *server) clerkPage(w http.ResponseWriter, r *request) error {
	v, err := s.clerkView(r, r.URL.Query().Get("site"))
	if err != nil {
		return err
	}
	return s.render(w, r, page{Name: "clerk", View: v, Wide: true})
}

func (s *server) clerkView(r *request, site string) (clerkView, error) {
	p, err := s.siteOf(r, site)
	if err != nil {
		return clerkView{}, err
	}
	v := clerkView{Place: p, Day: p.Date}
	for i := range 8 {
		v.Days = append(v.Days, p.Date.AddDays(i))
	}
	return v, nil
}

// clerkFind finds a booking by its reference, or by the document of somebody on it, as
// typed, scanned from the machine readable zone, or chosen from the passes' own ids.
func (s *server) clerkFind(w http.ResponseWriter, r *request) error {
	f, err := r.form()
	if err != nil {
		return err
	}
	v, err := s.clerkView(r, f.get("site"))
	if err != nil {
		return err
	}
	if d, err := calendar.ParseDate(f.get("day")); err == nil && d.Year >= 2000 && d.Year < 2150 {
		v.Day = d
	}
	q := f.get("q")
	if q == "" {
		v.Errors.add("q", "clerk.error.empty")
		return s.render(w, r, page{Name: "clerk", View: v, Wide: true, Status: http.StatusUnprocessableEntity})
	}
	day := dayNumber(v.Day)
	var found []booking.Booking
	err = s.view(r.Context(), func(st service.State) error {
		if b, ok := service.BookingOf(st, parseRef(q)); ok {
			found = append(found, b)
			return nil
		}
		for _, d := range documents(q, countries(v.Place.Edition, f.get("country"))) {
			if b, ok := service.FindByTag(st, s.deps.Secrets.Tag(day, d.Key()), v.Place.Site.Number, day); ok {
				found = append(found, b)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	seen := map[booking.Ref]bool{}
	for _, b := range found {
		slot, _ := s.slotLine(v.Place.Edition, b.Slot)
		if seen[b.Ref] || mayAct(r.Officer, slot.Site.ID) != nil {
			continue
		}
		seen[b.Ref] = true
		v.Found = append(v.Found, foundLine{
			Path: s.bookingPath(r, clerkBase, link{Ref: b.Ref}), Ref: formatRef(b.Ref), Status: statusWord(b.Status), Slot: slot, People: int(b.Places()),
		})
	}
	if v.None = len(v.Found) == 0; v.None {
		// The number of a request that gave no booking leads to it.
		if q, ok, err := s.refusal(r, parseRef(q)); err != nil {
			return err
		} else if ok && s.mayActOn(r, q.Slot) == nil {
			return s.redirect(w, r, s.requestPath(r, q.Ref))
		}
	}
	if len(v.Found) == 1 {
		return s.redirect(w, r, v.Found[0].Path)
	}
	return s.render(w, r, page{Name: "clerk", View: v, Wide: true})
}

func (s *server) clerkCancel(w http.ResponseWriter, r *request) error {
	return s.acted(w, r, clerkBase, "cancelled", cancelCommand)
}

func (s *server) clerkMove(w http.ResponseWriter, r *request) error {
	return s.acted(w, r, clerkBase, "moved", s.moveCommand)
}

func (s *server) clerkAccept(w http.ResponseWriter, r *request) error {
	return s.acted(w, r, clerkBase, "accepted", acceptCommand)
}

func (s *server) clerkDecline(w http.ResponseWriter, r *request) error {
	return s.acted(w, r, clerkBase, "declined", declineCommand)
}

func (s *server) clerkReissue(w http.ResponseWriter, r *request) error {
	return s.acted(w, r, clerkBase, "reissued", reissueCommand)
}
