// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/appeal"
	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/identity"
	"darwaza.dev/internal/lang"
	"darwaza.dev/internal/pass"
	"darwaza.dev/internal/people"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/reason"
	"darwaza.dev/internal/rules"
	"darwaza.dev/internal/service"
)

// A traveller books in steps, one question to a page: which market, as what, which day,
// which hour, who, and are these answers right. Market, day and hour stand in the
// address; what names a person is only ever in a form. A clerk takes the same steps
// under /clerk/book, with a field for a document's machine readable zone.

const (
	bookBase  = "/book"
	clerkBase = "/clerk/book"
	// daysAhead is how many days are offered where the law does not say how far ahead one may book.
	daysAhead = 14
)

// chooseView is one question with its answers as links.
type chooseView struct {
	Base    string
	Clerk   bool
	Ask     string // key of the question
	Hint    string // key, empty for none
	Site    *agreement.Site
	Class   *agreement.Class
	Date    *calendar.Date
	Back    string
	Choices []choice
	Slots   []slotLine
	Moving  *movingView
	// Why is why nothing can be chosen, by class, where the law says it.
	Why []classLine
	// Level is of protection at the site, nil where the mildest holds and no other is known
	// to come.
	Level *levelLine
}

// movingView is set where the hours are offered to a booking that exists.
type movingView struct {
	Action string
	Now    booking.SlotID
}

// choice is one answer.
type choice struct {
	Href string
	Text lang.Text
	Of   lang.Text // title of the agreement whose it is, empty where all are of one
	Date *calendar.Date
	Free uint32
	Full bool
}

func (s *server) bookPage(w http.ResponseWriter, r *request) error { return s.choose(w, r, bookBase) }

func (s *server) clerkBookPage(w http.ResponseWriter, r *request) error {
	return s.choose(w, r, clerkBase)
}

// choose asks for what is not known yet of site, class, day and hour.
func (s *server) choose(w http.ResponseWriter, r *request, base string) error {
	law := s.deps.Law()
	if _, ok := law.Edition(r.Now); !ok {
		return s.render(w, r, page{Name: "board", View: boardView{Line: s.line(r)}})
	}
	q := r.URL.Query()
	v := chooseView{Base: base, Clerk: base == clerkBase, Back: "/"}
	if v.Clerk {
		v.Back = "/clerk"
	}
	here := func(pairs ...string) string {
		u := url.Values{}
		for i := 0; i < len(pairs); i += 2 {
			u.Set(pairs[i], pairs[i+1])
		}
		return base + "?" + u.Encode()
	}

	sites := law.Sites(r.Now)
	var site agreement.Site
	ok := false
	for _, x := range sites {
		if x.ID == q.Get("site") || len(sites) == 1 {
			site, ok = x, true
		}
	}
	if !ok {
		v.Ask = "book.site"
		for _, c := range sites {
			if v.Clerk && mayAct(r.Officer, c.ID) != nil {
				continue
			}
			v.Choices = append(v.Choices, choice{Href: here("site", c.ID), Text: c.Name})
		}
		return s.render(w, r, page{Name: "choose", View: v})
	}
	v.Site = &site
	e, _ := law.EditionFor(site.Number, r.Now) // one is in force, and it knows the site
	show := func() error {
		if err := s.view(r.Context(), func(st service.State) error {
			if v.Level = s.levelLine(st, e, site, r.Now); len(v.Choices) == 0 && len(v.Slots) == 0 {
				v.Why = s.classLines(e, site, service.BoardOf(st, s.deps.Law(), s.deps.Side, site.Number, r.Now))
			}
			return nil
		}); err != nil {
			return err
		}
		return s.render(w, r, page{Name: "choose", View: v})
	}

	classes := s.bookable(site, r.Now)
	var class agreement.Class
	n := slices.IndexFunc(classes, func(c agreement.Class) bool { return c.ID == q.Get("class") })
	if ok = n >= 0; ok {
		class = classes[n]
	}
	if !ok && len(classes) == 1 {
		class, ok = classes[0], true
	}
	if !ok {
		v.Ask, v.Back = "book.class", base
		several := slices.ContainsFunc(classes, func(c agreement.Class) bool {
			_, of, ok := s.deps.Law().ClassNumbered(site.Number, c.Number, r.Now)
			return ok && of.ID != e.ID
		})
		for _, c := range classes {
			// Where not all are of one agreement, it is said of each whose it is.
			one := choice{Href: here("site", site.ID, "class", c.ID), Text: c.Name}
			if _, of, ok := s.deps.Law().ClassNumbered(site.Number, c.Number, r.Now); ok && several {
				one.Of = of.Title
			}
			v.Choices = append(v.Choices, one)
		}
		return show()
	}
	v.Class = &class

	date, err := calendar.ParseDate(q.Get("day"))
	if err != nil {
		v.Ask, v.Back = "book.day", base
		if len(classes) > 1 {
			v.Back = here("site", site.ID)
		}
		days, err := s.daysOf(r, site, class)
		if err != nil {
			return err
		}
		for _, d := range days {
			d.Href = here("site", site.ID, "class", class.ID, "day", d.Date.String())
			v.Choices = append(v.Choices, d)
		}
		return show()
	}
	v.Ask, v.Hint, v.Back, v.Date = "book.slot", "book.slot.hint", here("site", site.ID, "class", class.ID), &date
	if date.Year >= 2000 && date.Year < 2150 {
		if v.Slots, err = s.slotsOf(r, e, site, class, date); err != nil {
			return err
		}
	}
	return show()
}

// ahead is how many days from today may be booked, today included.
func (s *server) ahead(site agreement.Site, now time.Time) int {
	if n, ok := s.deps.Law().Param("booking.ahead", site.ID, s.deps.Side, now); ok && n >= 0 && n <= 60 {
		return int(n) + 1
	}
	return daysAhead
}

// bookable lists the classes that some slot is planned for in the days that may be booked.
func (s *server) bookable(site agreement.Site, now time.Time) []agreement.Class {
	law := s.deps.Law()
	day, _, ok := service.DayAt(law, site.Number, now)
	if !ok {
		return nil
	}
	var out []agreement.Class
	for _, c := range law.Classes(site.Number, now) {
		for d := range s.ahead(site, now) {
			if len(law.Slots(site.Number, day+uint16(d), c.Number)) > 0 {
				out = append(out, c)
				break
			}
		}
	}
	return out
}

// daysOf lists the days on which the class has slots, with what is free.
func (s *server) daysOf(r *request, site agreement.Site, class agreement.Class) ([]choice, error) {
	law := s.deps.Law()
	today, _, ok := service.DayAt(law, site.Number, r.Now)
	if !ok {
		return nil, nil
	}
	var out []choice
	err := s.view(r.Context(), func(st service.State) error {
		for d := range s.ahead(site, r.Now) {
			day := today + uint16(d)
			date := dayDate(day)
			c := choice{Date: &date}
			left := false
			for _, v := range service.DayOf(st, law, s.deps.Side, site.Number, class.Number, day, r.Now) {
				if !v.Past {
					left = true
					c.Free += v.Free
				}
			}
			if left {
				c.Full = c.Free == 0
				out = append(out, c)
			}
		}
		return nil
	})
	return out, err
}

func (s *server) slotsOf(r *request, e *agreement.Edition, site agreement.Site, class agreement.Class, date calendar.Date) ([]slotLine, error) {
	var out []slotLine
	err := s.view(r.Context(), func(st service.State) error {
		law, day := s.deps.Law(), rules.DayNumber(date)
		waits := map[booking.SlotID]int64{}
		if gate, ok := s.gateService(st, law, site.Number, r.Now); ok {
			for _, w := range service.WaitsOf(st, law, s.deps.Side, site.Number, day, gate.Service, false) {
				waits[booking.MakeSlotID(w.Plan.Site, w.Plan.Class, w.Plan.Day, w.Plan.Minute)] = w.Crossing.Wait
			}
		}
		for _, v := range service.DayOf(st, law, s.deps.Side, site.Number, class.Number, day, r.Now) {
			if v.Past {
				continue
			}
			l := s.slotLineOf(e, v)
			l.Wait, l.Waits = waits[v.ID]
			out = append(out, l)
		}
		return nil
	})
	return out, err
}

// peopleView asks who comes.
type peopleView struct {
	Base     string
	Clerk    bool
	Slot     slotLine
	Back     string
	People   []personForm
	More     bool // another adult may be added
	Phone    string
	Waits    bool
	Standing bool
	Kinds    []string
	Errors   errorsIn
	Proof    bool // a health certificate is asked for at the crossing
	// Tests are the slots of the health desk before it, Test the one that was chosen.
	Tests []testChoice
	Test  booking.SlotID
	// Shown is what is carried of the first adult's health certificate, sealed.
	Shown string
	shown rules.Shown
	// Idem is the key of the act that the check page's form asks for. It is made with that
	// page and not carried back: other answers are another act.
	Idem string
}

// personForm is one adult as it was typed.
type personForm struct {
	N                                     int
	Name, Kind, Country, Number, Children string
	Zone                                  string // a machine readable zone, on the clerk's page
	Errors                                *errorsIn
}

// Full reports whether the slot has no room, so that there is only the queue.
func (v peopleView) Full() bool { return v.Slot.Free == 0 }

func (s *server) peoplePage(w http.ResponseWriter, r *request) error {
	return s.askPeople(w, r, bookBase)
}

func (s *server) clerkPeoplePage(w http.ResponseWriter, r *request) error {
	return s.askPeople(w, r, clerkBase)
}

func (s *server) askPeople(w http.ResponseWriter, r *request, base string) error {
	v, err := s.peopleView(r, base, r.URL.Query().Get("slot"))
	if err != nil {
		return err
	}
	v.People = []personForm{{N: 1, Children: "0", Country: s.country(r.Now)}}
	if id, err := parseTest("test", r.URL.Query().Get("test")); err == nil {
		v.chooseTest(id)
	}
	return s.render(w, r, page{Name: "people", View: v, Form: "party"})
}

// country is that of this side's own documents.
func (s *server) country(now time.Time) string {
	if e, err := s.edition(now); err == nil {
		return e.Parties[s.deps.Side].Country
	}
	return ""
}

func (s *server) peopleView(r *request, base, slot string) (peopleView, error) {
	v := peopleView{Base: base, Clerk: base == clerkBase}
	for _, k := range identity.Kinds {
		v.Kinds = append(v.Kinds, string(k))
	}
	id, err := parseSlotID("slot", slot)
	if err != nil {
		return v, errNotFound
	}
	e, err := s.editionFor(id.Site(), r.Now)
	if err != nil {
		return v, err
	}
	if err := s.view(r.Context(), func(st service.State) error {
		if sv, ok := service.SlotOf(st, s.deps.Law(), s.deps.Side, id, r.Now); ok {
			v.Slot = s.slotLineOf(e, sv)
			v.Tests, err = s.testsFor(r, st, id, nil, nil)
		}
		return err
	}); err != nil {
		return v, err
	}
	if v.Slot.ID == 0 {
		return v, errNotFound
	}
	if v.Clerk {
		if err := mayAct(r.Officer, v.Slot.Site.ID); err != nil {
			return v, err
		}
	}
	v.Proof = s.asksCertificate(r, v.Slot.ID)
	v.Back = base + "?" + url.Values{"site": {v.Slot.Site.ID}, "class": {v.Slot.Class.ID}, "day": {v.Slot.Span.Date.String()}}.Encode()
	return v, nil
}

func (s *server) peopleSent(w http.ResponseWriter, r *request) error {
	return s.readPeople(w, r, bookBase)
}

func (s *server) clerkPeopleSent(w http.ResponseWriter, r *request) error {
	return s.readPeople(w, r, clerkBase)
}

// readPeople takes the form of people and shows what comes next: the form again with
// one adult more or fewer, in another language or with errors, or the answers to check.
func (s *server) readPeople(w http.ResponseWriter, r *request, base string) error {
	f, v, err := s.partyForm(r, base)
	if err != nil {
		return err
	}
	if f.get("stage") == "check" && switched(f) {
		v.Idem = f.get("idem") // the same answers in another language are the same act
	}
	switch {
	case f.has("add") && len(v.People) < maxParty:
		v.People = append(v.People, personForm{N: len(v.People) + 1, Children: "0", Country: s.country(r.Now)})
		return s.render(w, r, page{Name: "people", View: v, Form: "party"})
	case f.has("remove"):
		if n, err := strconv.Atoi(f.get("remove")); err == nil && n > 1 && n <= len(v.People) {
			v.People = append(v.People[:n-1], v.People[n:]...)
			for i := range v.People {
				v.People[i].N = i + 1
			}
		}
		return s.render(w, r, page{Name: "people", View: v, Form: "party"})
	case f.has("change"), switched(f) && f.get("stage") != "check":
		return s.render(w, r, page{Name: "people", View: v, Form: "party"})
	}
	o := s.orderOf(&v, base)
	if len(v.Errors) > 0 {
		return s.render(w, r, page{Name: "people", View: v, Form: "party", Status: http.StatusUnprocessableEntity})
	}
	v.People = canonical(v.People, o)
	if v.Idem == "" {
		v.Idem = s.newIdem()
	}
	return s.render(w, r, page{Name: "check", View: v, Form: "check"})
}

// partyForm reads an order as it was typed.
func (s *server) partyForm(r *request, base string) (formValues, peopleView, error) {
	f, err := r.form()
	if err != nil {
		return nil, peopleView{}, err
	}
	v, err := s.peopleView(r, base, f.get("slot"))
	v.People = peopleIn(f)
	v.Phone, v.Waits, v.Standing = f.get("phone"), f.has("waits"), f.has("standing")
	if err != nil {
		return f, v, err
	}
	if v.shown = s.tokens.openShown(f.get("shown"), v.Slot.ID, r.Now); v.shown.Any() {
		v.Shown = f.get("shown")
	}
	v.Test, err = parseTest("test", f.get("test"))
	return f, v, err
}

// peopleIn reads the adults of a form. There is always one.
func peopleIn(f formValues) []personForm {
	n, err := strconv.Atoi(f.get("n"))
	if err != nil || n < 1 {
		n = 1
	}
	n = min(n, maxParty)
	out := make([]personForm, n)
	for i := range out {
		k := "-" + strconv.Itoa(i+1)
		out[i] = personForm{N: i + 1, Name: f.get("name" + k), Kind: f.get("kind" + k), Country: f.get("country" + k),
			Number: f.get("number" + k), Children: f.get("children" + k), Zone: f.get("zone" + k)}
	}
	return out
}

// orderOf checks what was typed. What is wrong goes into v.Errors, in the order of the page.
func (s *server) orderOf(v *peopleView, base string) order {
	o := order{Slot: v.Slot.ID, Phone: v.Phone, Waits: v.Waits, Standing: v.Standing, Test: v.Test}
	if v.Full() && !v.Waits {
		v.Errors.add("waits", "book.error.waits")
	}
	keys := map[string]bool{}
	for i := range v.People {
		p := &v.People[i]
		k := "-" + strconv.Itoa(p.N)
		if base == clerkBase && p.Zone != "" {
			readZone(p, &v.Errors)
		}
		if len([]rune(p.Name)) > 80 {
			v.Errors.add("name"+k, "book.error.name")
		}
		doc, err := identity.ParseDocument(p.Kind, p.Country, p.Number)
		switch {
		case p.Kind == "":
			v.Errors.add("kind"+k, "book.error.kind")
		case p.Number == "":
			v.Errors.add("number"+k, "book.error.number_empty")
		case err != nil && problem.FieldOf(err) == "country":
			v.Errors.add("country"+k, "book.error.country")
		case err != nil:
			v.Errors.add("number"+k, s.documentError(p.Kind, err))
		case keys[doc.Key()]:
			v.Errors.add("number"+k, "book.error.twice")
		}
		keys[doc.Key()] = err == nil
		children, err := strconv.Atoi(lang.PlainDigits(p.Children))
		if p.Children == "" {
			children, err = 0, nil
		}
		if err != nil || children < 0 || children > 20 {
			v.Errors.add("children"+k, "book.error.children")
			children = 0
		}
		o.People = append(o.People, person{Name: p.Name, Document: doc, Age: -1, Children: uint8(children)})
	}
	o.People[0].Shown = v.shown
	if phone := lang.PlainDigits(v.Phone); len(phone) > 24 || !isPhone(phone) {
		v.Errors.add("phone", "book.error.phone")
	}
	return o
}

// documentError is the key of what is said about a number: by the kind of document
// where its rule is known.
func (s *server) documentError(kind string, err error) string {
	if key := "book.error." + problem.CodeOf(err); s.deps.Texts.Has(key) {
		return key
	}
	if key := "book.error.number." + kind; s.deps.Texts.Has(key) {
		return key
	}
	return "book.error.number"
}

func isPhone(s string) bool {
	digits := 0
	for _, c := range s {
		switch {
		case c >= '0' && c <= '9':
			digits++
		case c == '+' || c == ' ' || c == '-' || c == '(' || c == ')':
		default:
			return false
		}
	}
	return s == "" || digits >= 5
}

// readZone fills a person's fields from a machine readable zone that the clerk scanned.
func readZone(p *personForm, errs *errorsIn) {
	field := "zone-" + strconv.Itoa(p.N)
	if pass.Recognise(p.Zone) != pass.MRZ && !looksLikeZone(p.Zone) {
		errs.add(field, "book.error.zone")
		return
	}
	m, err := identity.ParseMRZ(p.Zone)
	if err != nil {
		errs.add(field, "book.error.zone")
		return
	}
	doc, err := m.Document()
	if err != nil {
		errs.add(field, "book.error.zone")
		return
	}
	p.Kind, p.Country, p.Number, p.Zone = string(doc.Kind), doc.Country, doc.Number, ""
	if p.Name == "" {
		p.Name = zoneName(m)
	}
}

// canonical shows numbers as they were understood, for the reader to check.
func canonical(in []personForm, o order) []personForm {
	for i, p := range o.People {
		in[i].Country, in[i].Number = p.Document.Country, p.Document.Number
		in[i].Children = strconv.Itoa(int(p.Children))
	}
	return in
}

// answerView is the answer to an order that gave no booking.
type answerView struct {
	peopleView
	Verdict verdictView
	// CanWait is true where joining the queue would help: the hour is full and nothing else stands against it.
	CanWait bool
	Open    bool        // an officer may still let the party in
	Role    people.Role // who decides then
	Decide  string      // address of the decision, for the officer who has the role
}

func (s *server) confirm(w http.ResponseWriter, r *request) error { return s.confirmed(w, r, bookBase) }

func (s *server) clerkConfirm(w http.ResponseWriter, r *request) error {
	return s.confirmed(w, r, clerkBase)
}

// confirmed books. A change of language sends the same form again: it is the same act
// by its key, and is answered again in the other language.
func (s *server) confirmed(w http.ResponseWriter, r *request, base string) error {
	f, v, err := s.partyForm(r, base)
	if err != nil {
		return err
	}
	v.Idem = f.get("idem")
	full := v.Slot.Free
	v.Slot.Free = 1 // whether there is room is for the booking to say
	o := s.orderOf(&v, base)
	v.Slot.Free = full
	if len(v.Errors) > 0 {
		return s.render(w, r, page{Name: "people", View: v, Form: "party", Status: http.StatusUnprocessableEntity})
	}
	booked := func() {}
	if base == clerkBase {
		o.Officer = r.Officer.ID
	} else if booked, err = s.booking(r); err != nil {
		return err
	}
	a, d, err := s.book(r, o)
	if kind := problem.KindOf(err); a.Booking.Ref != "" || err != nil && (kind == problem.Internal || kind == problem.Offline) {
		booked()
	}
	if err != nil {
		return err
	}
	if a.Booking.Ref == "" {
		v.People = canonical(v.People, o)
		out := answerView{peopleView: v, Verdict: s.verdict(r, a.Verdict, formatRef(a.Refusal.Ref))}
		out.Verdict.Contest = s.contestPath(r, map[bool]string{true: casesBase, false: contestBase}[base == clerkBase], contested{Subject: appeal.Subject(a.Refusal.Ref)})
		out.Verdict.Needs = s.wouldChange(r.Lang, a.Verdict, rules.Query{Site: v.Slot.Site.ID, Side: string(s.deps.Side)})
		out.CanWait = a.Verdict.Outcome == reason.Refuse && !o.Waits && onlyFull(a.Verdict)
		if out.Open = a.Refusal.Open(); out.Open {
			out.Role = s.deciderOf(a.Refusal.Reasons, a.Refusal.At)
			if base == clerkBase && mayRule(r.Officer, out.Role) {
				out.Decide = s.requestPath(r, a.Refusal.Ref)
			}
		}
		return s.render(w, r, page{Name: "refused", View: out, Form: "again"})
	}
	l := link{Ref: a.Booking.Ref}
	if l.Known = d.Count > 0; l.Known {
		l.Entry = d.First + d.Count - 1 // what opens a slot comes before what books in it
	}
	return s.redirect(w, r, s.bookingPath(r, base, l)+"?note=booked")
}

// onlyFull reports whether a full hour is all that stands against an order.
func onlyFull(v rules.Verdict) bool {
	for _, re := range v.Reasons {
		if re.Outcome != reason.Allow && re.Code != booking.CodeFull {
			return false
		}
	}
	return true
}
