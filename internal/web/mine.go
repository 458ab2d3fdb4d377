// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/identity"
	"darwaza.dev/internal/people"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/qr"
	"darwaza.dev/internal/reason"
	"darwaza.dev/internal/service"
)

// referenceView asks for a reference.
type referenceView struct {
	Expired bool // a link has run out, so that the reference is asked for again
	Errors  errorsIn
}

func (s *server) minePage(w http.ResponseWriter, r *request) error {
	return s.render(w, r, page{Name: "find-booking", View: referenceView{}})
}

// mineFind looks a reference up. What is no reference, what nobody has and what is
// mistyped are looked up alike and answered alike.
func (s *server) mineFind(w http.ResponseWriter, r *request) error {
	f, err := r.form()
	if err != nil {
		return err
	}
	ref := parseRef(f.get("reference"))
	if err := s.throttle.guess(r.Now, r.Request, string(ref)); err != nil {
		return err
	}
	known := false
	if err := s.view(r.Context(), func(st service.State) error {
		_, known = service.BookingOf(st, ref)
		return nil
	}); err != nil {
		return err
	}
	// A link is made in either case, so that both take the same work.
	path := s.bookingPath(r, bookBase, link{Ref: ref})
	if !known {
		if err := s.throttle.missed(r.Now); err != nil {
			return err
		}
		var v referenceView
		v.Errors.add("reference", "mine.error.unknown")
		return s.render(w, r, page{Name: "find-booking", View: v, Status: http.StatusUnprocessableEntity})
	}
	return s.redirect(w, r, path)
}

// bookingPath is the address of a booking's page for the next two hours.
func (s *server) bookingPath(r *request, base string, l link) string {
	token, err := s.links.seal(s.deps.Rand, l, r.Now.Add(linkLength))
	if err != nil {
		panic(err) // no random bytes
	}
	if base == clerkBase {
		return "/clerk/booking/" + token
	}
	return "/booking/" + token
}

// bookingView is a booking with its passes and what can be done with it.
type bookingView struct {
	Path     string // of this page, and of the acts under it
	Clerk    bool
	Ref      string
	Status   string
	Slot     slotLine
	Passes   []passView
	From     int // of the passes shown, when a group's do not fit one page
	NextFrom int // 0 where there are no more
	Adults   int
	Children int
	Ahead    uint64 // parties before this one in the queue
	Standing bool
	Until    time.Time // of an offer, in the site's zone
	// Early and Late bound when the gate takes the pass, in the site's zone, where the
	// edition says it.
	Early, Late time.Time
	Timed       bool
	Proof       bool
	Active      bool // may be moved and cancelled
	Phone       string
	Entry       string // where the booking stands in the record, empty where that is not known here
}

// passView is one pass.
type passView struct {
	N        int
	Name     string // empty on a traveller's page: whoever has the reference need not learn it
	Kind     string
	Country  string
	Children int
	ID       string
	QR       template.HTML
	Member   uint8
}

// passesAtOnce is how many passes one page shows: four codes stay within the weight of a
// traveller's page.
const passesAtOnce = 4

// opened is the booking that a link in the address stands for.
func (s *server) opened(r *request) (l link, b booking.Booking, ahead uint64, sealed []byte, err error) {
	l, ok := s.links.open(r.PathValue("link"), r.Now)
	if !ok {
		return l, b, 0, nil, problem.New(problem.NotFound, "link")
	}
	err = s.view(r.Context(), func(st service.State) error {
		if b, ok = service.BookingOf(st, l.Ref); !ok {
			return nil
		}
		ahead = aheadOf(st, b)
		if b.Sealed != "" {
			sealed, _ = st.Sealed.Get(b.Sealed)
		}
		return nil
	})
	if err == nil && !ok {
		err = problem.New(problem.NotFound, "link")
	}
	return l, b, ahead, sealed, err
}

// bookingView prepares a booking's page; from is the first pass to show.
func (s *server) bookingView(r *request, base string, from, many int) (bookingView, error) {
	l, b, ahead, sealed, err := s.opened(r)
	if err != nil {
		return bookingView{}, err
	}
	e, err := s.edition(r.Now)
	if err != nil {
		return bookingView{}, err
	}
	v := bookingView{
		Path: strings.TrimSuffix(base, "/book") + "/booking/" + r.PathValue("link"), Clerk: base == clerkBase, Ref: formatRef(b.Ref), Status: statusWord(b.Status),
		Ahead: ahead, Standing: b.Standing, Adults: len(b.Members), From: from,
		Active: b.Status == booking.Booked || b.Status == booking.Waiting || b.Status == booking.Offered,
	}
	v.Slot, _ = s.slotLine(e, b.Slot)
	loc := time.UTC
	if z, err := calendar.Zone(v.Slot.Site.Zone); err == nil {
		loc = z
	}
	v.Until = b.OfferUntil.In(loc)
	law := s.deps.Law()
	early, ok1 := law.Param("grace.early", v.Slot.Site.ID, s.deps.Side, v.Slot.Span.From)
	late, ok2 := law.Param("grace.late", v.Slot.Site.ID, s.deps.Side, v.Slot.Span.From)
	if v.Timed = ok1 && ok2 && !v.Slot.Span.From.IsZero(); v.Timed {
		v.Early = v.Slot.Span.From.Add(-time.Duration(early) * time.Minute)
		v.Late = v.Slot.Span.Until.Add(time.Duration(late) * time.Minute)
	}
	if l.Known {
		v.Entry = string(s.deps.Side) + "-" + strconv.FormatUint(l.Entry, 10)
	}
	v.Proof = s.deps.Record != nil
	var party sealedParty
	if v.Clerk {
		if err := mayAct(r.Officer, v.Slot.Site.ID); err != nil {
			return v, err
		}
		if party, err = s.party(r.Context(), b, sealed); err != nil {
			return v, err
		}
		v.Phone = party.Phone
	}
	for i, m := range b.Members {
		v.Children += int(m.Children)
		if i < from || i >= from+many {
			continue
		}
		p := passView{N: i + 1, Kind: m.Document, Country: m.Country, Children: int(m.Children), ID: m.Pass.String(), Member: uint8(i)}
		if i < len(party.People) {
			p.Name = party.People[i].Name
		}
		text, _, err := s.passText(b, i)
		if err != nil {
			return v, err
		}
		if text == "" {
			continue
		}
		code, err := qr.Encode(text)
		if err != nil {
			return v, problem.Wrap(problem.Internal, "qr", err)
		}
		p.QR = template.HTML(code.SVG(s.deps.Texts.Say(r.Lang, "pass.qr", nil)))
		v.Passes = append(v.Passes, p)
	}
	if from+many < len(b.Members) {
		v.NextFrom = from + many
	}
	return v, nil
}

func (s *server) bookingPage(w http.ResponseWriter, r *request) error {
	return s.showBooking(w, r, bookBase)
}

func (s *server) clerkBookingPage(w http.ResponseWriter, r *request) error {
	return s.showBooking(w, r, clerkBase)
}

func (s *server) showBooking(w http.ResponseWriter, r *request, base string) error {
	from, _ := strconv.Atoi(r.URL.Query().Get("from"))
	v, err := s.bookingView(r, base, max(0, from), passesAtOnce)
	if linkGone(err) {
		return s.askAgain(w, r, base)
	}
	if err != nil {
		return err
	}
	return s.render(w, r, page{Name: "booking", View: v})
}

func linkGone(err error) bool {
	return err != nil && problem.KindOf(err) == problem.NotFound && problem.CodeOf(err) == "link"
}

func (s *server) askAgain(w http.ResponseWriter, r *request, base string) error {
	if base == clerkBase {
		return s.redirect(w, r, "/clerk")
	}
	return s.render(w, r, page{Name: "find-booking", View: referenceView{Expired: true}, Status: http.StatusNotFound})
}

func (s *server) passPage(w http.ResponseWriter, r *request) error { return s.paper(w, r, bookBase) }

func (s *server) clerkPassPage(w http.ResponseWriter, r *request) error {
	return s.paper(w, r, clerkBase)
}

// paper is the passes of a booking for printing, one to a sheet of A6.
func (s *server) paper(w http.ResponseWriter, r *request, base string) error {
	v, err := s.bookingView(r, base, 0, maxParty)
	if linkGone(err) {
		return s.askAgain(w, r, base)
	}
	if err != nil {
		return err
	}
	return s.render(w, r, page{Name: "pass-paper", View: v, Paper: true})
}

func (s *server) cancelPage(w http.ResponseWriter, r *request) error {
	return s.askCancel(w, r, bookBase)
}

func (s *server) clerkCancelPage(w http.ResponseWriter, r *request) error {
	return s.askCancel(w, r, clerkBase)
}

func (s *server) askCancel(w http.ResponseWriter, r *request, base string) error {
	v, err := s.bookingView(r, base, 0, 0)
	if linkGone(err) {
		return s.askAgain(w, r, base)
	}
	if err != nil {
		return err
	}
	return s.render(w, r, page{Name: "cancel", View: v})
}

func (s *server) movePage(w http.ResponseWriter, r *request) error { return s.askMove(w, r, bookBase) }

func (s *server) clerkMovePage(w http.ResponseWriter, r *request) error {
	return s.askMove(w, r, clerkBase)
}

// askMove offers the days, then the hours, of the booking's own site and class.
func (s *server) askMove(w http.ResponseWriter, r *request, base string) error {
	v, err := s.bookingView(r, base, 0, 0)
	if linkGone(err) {
		return s.askAgain(w, r, base)
	}
	if err != nil {
		return err
	}
	e, err := s.edition(r.Now)
	if err != nil {
		return err
	}
	c := chooseView{Base: base, Clerk: base == clerkBase, Site: &v.Slot.Site, Class: &v.Slot.Class, Back: v.Path, Ask: "mine.move.day"}
	date, err := calendar.ParseDate(r.URL.Query().Get("day"))
	if err != nil || date.Year < 2000 || date.Year > 2149 {
		if c.Choices, err = s.daysOf(r, v.Slot.Site, v.Slot.Class); err != nil {
			return err
		}
		for i := range c.Choices {
			c.Choices[i].Href = v.Path + "/move?" + url.Values{"day": {c.Choices[i].Date.String()}}.Encode()
		}
		return s.render(w, r, page{Name: "choose", View: c})
	}
	c.Ask, c.Date, c.Back = "mine.move.slot", &date, v.Path+"/move"
	c.Moving = &movingView{Action: v.Path + "/move", Now: v.Slot.ID}
	if c.Slots, err = s.slotsOf(r, e, v.Slot.Site, v.Slot.Class, date); err != nil {
		return err
	}
	return s.render(w, r, page{Name: "choose", View: c})
}

// acted is an act on a booking from a page: the link says which, the form how.
func (s *server) acted(w http.ResponseWriter, r *request, base, note string, command func(f formValues, ref booking.Ref, by people.OfficerID) (service.Command, error)) error {
	f, err := r.form()
	if err != nil {
		return err
	}
	l, b, _, _, err := s.opened(r)
	if linkGone(err) {
		return s.askAgain(w, r, base)
	}
	if err != nil {
		return err
	}
	var by people.OfficerID
	if base == clerkBase {
		by = r.Officer.ID
		e, err := s.edition(r.Now)
		if err != nil {
			return err
		}
		if site, ok := e.SiteNumbered(b.Slot.Site()); ok {
			if err := mayAct(r.Officer, site.ID); err != nil {
				return err
			}
		}
	}
	c, err := command(f, l.Ref, by)
	if err != nil {
		return err
	}
	a, d, err := do[service.BookingAnswer](s, r, c)
	if err != nil {
		return err
	}
	path := s.bookingPath(r, base, l)
	if a.Verdict.Outcome != reason.Allow {
		v := actView{Back: path, Verdict: s.verdict(r, a.Verdict, s.quote(r, d))}
		for name := range f {
			v.Again = append(v.Again, hiddenField{name, f.get(name)})
		}
		sortFields(v.Again)
		v.Action = r.Path
		return s.render(w, r, page{Name: "act", View: v, Form: "again"})
	}
	return s.redirect(w, r, path+"?note="+note)
}

// actView is the answer to an act that was not allowed. The form in it says the same
// act again, in another language.
type actView struct {
	Back    string
	Verdict verdictView
	Action  string
	Again   []hiddenField
}

func cancelCommand(_ formValues, ref booking.Ref, by people.OfficerID) (service.Command, error) {
	return service.Cancel{Ref: ref, Officer: by}, nil
}

func moveCommand(f formValues, ref booking.Ref, by people.OfficerID) (service.Command, error) {
	to, err := parseSlotID("to", f.get("to"))
	return service.Move{Ref: ref, To: to, Officer: by}, err
}

func acceptCommand(_ formValues, ref booking.Ref, by people.OfficerID) (service.Command, error) {
	return service.Accept{Ref: ref, Officer: by}, nil
}

func declineCommand(_ formValues, ref booking.Ref, by people.OfficerID) (service.Command, error) {
	return service.Decline{Ref: ref, Officer: by}, nil
}

func reissueCommand(f formValues, ref booking.Ref, by people.OfficerID) (service.Command, error) {
	n, err := strconv.ParseUint(f.get("member"), 10, 8)
	if err != nil {
		return nil, problem.Field("member", "member")
	}
	return service.Reissue{Ref: ref, Member: uint8(n), Officer: by}, nil
}

func (s *server) cancelSent(w http.ResponseWriter, r *request) error {
	return s.acted(w, r, bookBase, "cancelled", cancelCommand)
}

func (s *server) moveSent(w http.ResponseWriter, r *request) error {
	return s.acted(w, r, bookBase, "moved", moveCommand)
}

func (s *server) acceptSent(w http.ResponseWriter, r *request) error {
	return s.acted(w, r, bookBase, "accepted", acceptCommand)
}

func (s *server) declineSent(w http.ResponseWriter, r *request) error {
	return s.acted(w, r, bookBase, "declined", declineCommand)
}

// proofFile is the proof that the booking stands in this side's record, for keeping.
func (s *server) proofFile(w http.ResponseWriter, r *request) error {
	l, _, _, _, err := s.opened(r)
	if linkGone(err) {
		return s.askAgain(w, r, bookBase)
	}
	if err != nil {
		return err
	}
	if s.deps.Record == nil {
		return errNotFound
	}
	index := l.Entry
	if !l.Known {
		// Found by reference: the reader says which entry, as the pass and the first page did.
		number, ok := strings.CutPrefix(strings.ToUpper(strings.TrimSpace(r.URL.Query().Get("entry"))), string(s.deps.Side)+"-")
		if index, err = strconv.ParseUint(number, 10, 63); err != nil || !ok {
			return problem.New(problem.NotFound, "record.index")
		}
	}
	b, err := s.ownProof(r.Context(), index, l.Ref)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Disposition", `attachment; filename="booking-`+string(s.deps.Side)+"-"+strconv.FormatUint(index, 10)+`.tlog-proof"`)
	return plain(w, "text/plain; charset=utf-8", b)
}

// zoneName is a holder's name as a machine readable zone has it.
func zoneName(m identity.MRZ) string { return strings.TrimSpace(m.Given + " " + m.Surname) }
