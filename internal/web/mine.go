// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"html/template"
	"net/http"
	"net/url"
	"slices"
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
	"darwaza.dev/internal/rules"
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
	right, err := s.guess(r)
	if err != nil {
		return err
	}
	known := false
	if err := s.view(r.Context(), func(st service.State) error {
		_, booked := service.BookingOf(st, ref)
		_, asked := service.RefusalOf(st, ref)
		known = booked || asked
		return nil
	}); err != nil {
		return err
	}
	// A link is made in either case, so that both take the same work.
	path := s.bookingPath(r, bookBase, link{Ref: ref})
	if !known {
		var v referenceView
		v.Errors.add("reference", "mine.error.unknown")
		return s.render(w, r, page{Name: "find-booking", View: v, Status: http.StatusUnprocessableEntity})
	}
	right()
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
	Active      bool         // may be moved and cancelled
	Closed      *closedPlace // nil where no closure has touched it
	Phone       string
	Test        *testBooked  // at the health desk, nil where it has none
	Tests       []testChoice // slots of the health desk that may be booked
	Entry       string       // where the booking stands in the record, empty where that is not known here
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
	e, err := s.editionFor(b.Slot.Site(), r.Now)
	if err != nil {
		return bookingView{}, err
	}
	v := bookingView{
		Path: strings.TrimSuffix(base, "/book") + "/booking/" + r.PathValue("link"), Clerk: base == clerkBase, Ref: formatRef(b.Ref), Status: statusWord(b.Status),
		Ahead: ahead, Standing: b.Standing, Adults: len(b.Members), From: from,
		Active: b.Status == booking.Booked || b.Status == booking.Waiting || b.Status == booking.Offered,
	}
	if err := s.view(r.Context(), func(st service.State) error { v.Closed = s.closedPlaceOf(st, e, b, r.Now); return nil }); err != nil {
		return v, err
	}
	v.Slot, _ = s.slotLine(e, b.Slot)
	v.Test = s.testOf(r, b)
	if b.Status == booking.Booked {
		if err := s.view(r.Context(), func(st service.State) (err error) {
			v.Tests, err = s.testsFor(r, st, b.Slot, b.Members, nil)
			return err
		}); err != nil {
			return v, err
		}
	}
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
		if done, err := s.showAsked(w, r, base); done {
			return err
		}
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
	_, b, _, sealed, err := s.opened(r)
	if err != nil {
		return err
	}
	e, err := s.editionFor(b.Slot.Site(), r.Now)
	if err != nil {
		return err
	}
	c := chooseView{Base: base, Clerk: base == clerkBase, Site: &v.Slot.Site, Class: &v.Slot.Class, Back: v.Path, Ask: "mine.move.day"}
	own := dayDate(b.Slot.Day())
	stays := false
	if _, err := s.tagsOn(r, theirs{Booking: b, Sealed: sealed}, b.Slot.Day()); err != nil {
		if stays = err == errDayStays; !stays {
			return err
		}
		c.Hint = "mine.move.same_day"
	}
	if v.Test != nil && c.Hint == "" {
		c.Hint = "test.move"
	}
	date, err := calendar.ParseDate(r.URL.Query().Get("day"))
	if err != nil || date.Year < 2000 || date.Year > 2149 || stays && date != own {
		if c.Choices, err = s.daysOf(r, v.Slot.Site, v.Slot.Class); err != nil {
			return err
		}
		if stays {
			c.Choices = slices.DeleteFunc(c.Choices, func(d choice) bool { return *d.Date != own })
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

// theirs is a booking that an act is asked for: with its sealed party, and the officer
// who asks, empty where the traveller does.
type theirs struct {
	Booking booking.Booking
	Sealed  []byte
	By      people.OfficerID
}

// bookingCommand makes the command of an act from what a form says; f is nil for a
// program's call that says nothing more.
type bookingCommand func(r *request, f formValues, on theirs) (service.Command, error)

// acted is an act on a booking from a page: the link says which, the form how.
func (s *server) acted(w http.ResponseWriter, r *request, base, note string, command bookingCommand) error {
	f, err := r.form()
	if err != nil {
		return err
	}
	l, b, _, sealed, err := s.opened(r)
	if linkGone(err) {
		return s.askAgain(w, r, base)
	}
	if err != nil {
		return err
	}
	on := theirs{Booking: b, Sealed: sealed}
	if base == clerkBase {
		on.By = r.Officer.ID
		if err := s.mayActOn(r, b.Slot); err != nil {
			return err
		}
	}
	c, err := command(r, f, on)
	if err != nil {
		return err
	}
	a, _, err := do[service.BookingAnswer](s, r, c)
	if err != nil {
		return err
	}
	path := s.bookingPath(r, base, l)
	if a.Verdict.Outcome != reason.Allow {
		v := actView{Back: path, Verdict: s.verdict(r, a.Verdict, formatRef(b.Ref))}
		v.Verdict.Contest = s.contestPath(r, map[bool]string{true: casesBase, false: contestBase}[base == clerkBase], refusedAct(b.Ref, a.Verdict))
		if a.Booking.Ref != "" {
			v.Verdict.Needs = s.wouldChange(r.Lang, a.Verdict, rules.Query{Site: s.siteIDOf(r, a.Booking.Slot), Side: string(s.deps.Side)})
		}
		for name := range f {
			v.Again = append(v.Again, hiddenField{name, f.get(name)})
		}
		sortFields(v.Again)
		v.Action = r.Path
		return s.render(w, r, page{Name: "act", View: v, Form: "again"})
	}
	return s.redirect(w, r, path+"?note="+note)
}

// mayActOn reports whether the officer may see and change what is booked or asked for in a
// slot: one who works at a single site has to do with that site's alone.
func (s *server) mayActOn(r *request, slot booking.SlotID) error {
	e, err := s.editionFor(slot.Site(), r.Now)
	if err != nil {
		return err
	}
	site, _ := e.SiteNumbered(slot.Site()) // a site that the edition no longer has is nobody's own
	return mayAct(r.Officer, site.ID)
}

// actView is the answer to an act that was not allowed. The form in it says the same
// act again, in another language.
type actView struct {
	Back    string
	Verdict verdictView
	Action  string
	Again   []hiddenField
}

func cancelCommand(_ *request, _ formValues, on theirs) (service.Command, error) {
	return service.Cancel{Ref: on.Booking.Ref, Officer: on.By}, nil
}

func (s *server) moveCommand(r *request, f formValues, on theirs) (service.Command, error) {
	to, err := parseSlotID("to", f.get("to"))
	if err != nil {
		return nil, err
	}
	return s.moveTo(r, on, to, 0)
}

// moveTo makes the command that moves a booking, with the members' tags of the other day;
// test is a slot of the health desk, 0 for the one that the booking's desk finds.
func (s *server) moveTo(r *request, on theirs, to, test booking.SlotID) (service.Command, error) {
	c := service.Move{Ref: on.Booking.Ref, To: to, Officer: on.By, Test: test}
	if to.Day() == on.Booking.Slot.Day() {
		return c, nil
	}
	var err error
	c.Tags, err = s.tagsOn(r, on, to.Day())
	return c, err
}

// errDayStays says that a booking cannot change its day.
var errDayStays = problem.New(problem.Conflict, "booking.day_stays")

// tagsOn returns the tags of a booking's members for another day. A tag is of one day and
// is made of the document alone: where the party's key was destroyed nobody can make it,
// and the booking keeps its day.
func (s *server) tagsOn(r *request, on theirs, day uint16) ([][16]byte, error) {
	party, err := s.party(r.Context(), on.Booking, on.Sealed)
	if err != nil {
		return nil, err
	}
	if len(party.People) != len(on.Booking.Members) {
		return nil, errDayStays
	}
	tags := make([][16]byte, len(party.People))
	for i, p := range party.People {
		doc, err := identity.ParseDocument(p.Kind, p.Country, p.Number)
		if err != nil || s.deps.Secrets.Tag(on.Booking.Slot.Day(), doc.Key()) != on.Booking.Members[i].Tag {
			return nil, errDayStays // what is sealed is not what was booked with
		}
		tags[i] = s.deps.Secrets.Tag(day, doc.Key())
	}
	return tags, nil
}

func acceptCommand(_ *request, _ formValues, on theirs) (service.Command, error) {
	return service.Accept{Ref: on.Booking.Ref, Officer: on.By}, nil
}

func declineCommand(_ *request, _ formValues, on theirs) (service.Command, error) {
	return service.Decline{Ref: on.Booking.Ref, Officer: on.By}, nil
}

func reissueCommand(_ *request, f formValues, on theirs) (service.Command, error) {
	n, err := strconv.ParseUint(f.get("member"), 10, 8)
	if err != nil {
		return nil, problem.Field("member", "member")
	}
	return service.Reissue{Ref: on.Booking.Ref, Member: uint8(n), Officer: on.By}, nil
}

func (s *server) cancelSent(w http.ResponseWriter, r *request) error {
	return s.acted(w, r, bookBase, "cancelled", cancelCommand)
}

func (s *server) moveSent(w http.ResponseWriter, r *request) error {
	return s.acted(w, r, bookBase, "moved", s.moveCommand)
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

// siteIDOf is the id of a slot's site, empty where the edition in force does not know it.
func (s *server) siteIDOf(r *request, slot booking.SlotID) string {
	if e, err := s.editionFor(slot.Site(), r.Now); err == nil {
		if site, ok := e.SiteNumbered(slot.Site()); ok {
			return site.ID
		}
	}
	return ""
}
