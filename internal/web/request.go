// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"net/http"
	"time"

	"darwaza.dev/internal/appeal"
	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/people"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/reason"
	"darwaza.dev/internal/rules"
	"darwaza.dev/internal/service"
)

// A request for places that the law leaves to a person is decided here, by an officer
// whose role the clause names. It is found by its number, which is the reference that the
// traveller was given, or in the list of the requests that wait.

// deciderOf returns the role that decides on a request with these reasons: the one that
// the clauses name, a clerk where they name none, a supervisor where they name several.
func (s *server) deciderOf(rs []reason.Reason, at time.Time) people.Role {
	var role people.Role
	for _, r := range rs {
		if !r.Outcome.NeedsOfficer() {
			continue
		}
		want := people.Clerk
		if who := s.deps.Law().Decider(r, at); who != "" {
			want = people.Role(who)
		}
		if role != "" && role != want || want != people.Clerk && want != people.Manager {
			return people.Supervisor
		}
		role = want
	}
	return role
}

// requestView is one request, as the officer sees it who may decide on it.
type requestView struct {
	Path    string
	Ref     string
	Slot    slotLine
	Places  int
	Outcome reason.Outcome
	Reasons []reasonLine
	Edition string // the first digits of its hash
	At      time.Time
	By      string // of the clerk who asked, empty where the traveller did
	People  []passView
	Phone   string
	Open    bool
	May     bool        // the reader may decide
	Role    people.Role // who decides
	Grounds []string
	Decided people.OfficerID
	Admit   bool
	Why     string
	When    time.Time // of the decision
	// Failed is why a party that was to be let in got no places, nil where that is not so.
	Failed []reasonLine
	Errors errorsIn
}

// requestLine is one request in a list.
type requestLine struct {
	Path   string
	Ref    string
	Slot   slotLine
	Places int
	Role   people.Role
	May    bool
}

// requestsView is the requests at a site that wait for an officer.
type requestsView struct {
	Place  place
	Lines  []requestLine
	Errors errorsIn
}

func (s *server) requestPath(r *request, ref booking.Ref) string {
	token, err := s.links.seal(s.deps.Rand, link{Ref: ref}, r.Now.Add(linkLength))
	if err != nil {
		panic(err) // no random bytes
	}
	return "/requests/" + token
}

func (s *server) requestsPage(w http.ResponseWriter, r *request) error {
	v, err := s.requestsView(r, r.URL.Query().Get("site"))
	if err != nil {
		return err
	}
	return s.render(w, r, page{Name: "requests", View: v, Wide: true})
}

func (s *server) requestsView(r *request, site string) (requestsView, error) {
	p, err := s.siteOf(r, site)
	if err != nil {
		return requestsView{}, err
	}
	v := requestsView{Place: p}
	var open []booking.Refusal
	if err := s.view(r.Context(), func(st service.State) error {
		for d := range s.ahead(p.Site, r.Now) {
			open = append(open, service.OpenRequests(st, p.Site.Number, p.Day+uint16(d))...)
		}
		return nil
	}); err != nil {
		return v, err
	}
	for _, q := range open {
		l := requestLine{Path: s.requestPath(r, q.Ref), Ref: formatRef(q.Ref), Places: int(q.Places), Role: s.deciderOf(q.Reasons, r.Now)}
		l.Slot, _ = s.slotLine(p.Edition, q.Slot)
		l.May = mayRule(r.Officer, l.Role)
		if !l.Slot.Span.Until.IsZero() && r.Now.Before(l.Slot.Span.Until) {
			v.Lines = append(v.Lines, l)
		}
	}
	return v, nil
}

func mayRule(o people.Officer, role people.Role) bool { return o.Has(people.Supervisor) || o.Has(role) }

// requestFind opens a request by its number. Every request that gave no booking is found,
// whether or not it waits for somebody.
func (s *server) requestFind(w http.ResponseWriter, r *request) error {
	f, err := r.form()
	if err != nil {
		return err
	}
	ref := parseRef(f.get("reference"))
	q, ok, err := s.refusal(r, ref)
	if err != nil {
		return err
	}
	if !ok || s.mayActOn(r, q.Slot) != nil {
		v, err := s.requestsView(r, f.get("site"))
		if err != nil {
			return err
		}
		v.Errors.add("reference", "requests.unknown")
		return s.render(w, r, page{Name: "requests", View: v, Wide: true, Status: http.StatusUnprocessableEntity})
	}
	return s.redirect(w, r, s.requestPath(r, ref))
}

func (s *server) refusal(r *request, ref booking.Ref) (q booking.Refusal, ok bool, err error) {
	err = s.view(r.Context(), func(st service.State) error {
		q, ok = service.RefusalOf(st, ref)
		return nil
	})
	return q, ok, err
}

// requestOf is the request that a link in the address stands for.
func (s *server) requestOf(r *request) (requestView, booking.Refusal, error) {
	l, ok := s.links.open(r.PathValue("link"), r.Now)
	if !ok {
		return requestView{}, booking.Refusal{}, problem.New(problem.NotFound, "link")
	}
	var (
		q      booking.Refusal
		sealed []byte
		by     people.Officer
	)
	if err := s.view(r.Context(), func(st service.State) error {
		if q, ok = service.RefusalOf(st, l.Ref); ok && q.Sealed != "" {
			sealed, _ = st.Sealed.Get(q.Sealed)
		}
		by, _ = service.OfficerOf(st, people.OfficerID(q.By))
		return nil
	}); err != nil {
		return requestView{}, q, err
	}
	if !ok {
		return requestView{}, q, problem.New(problem.NotFound, "link")
	}
	if err := s.mayActOn(r, q.Slot); err != nil {
		return requestView{}, q, err
	}
	e, err := s.editionFor(q.Slot.Site(), q.At)
	if err != nil {
		return requestView{}, q, err
	}
	v := requestView{
		Path: "/requests/" + r.PathValue("link"), Ref: formatRef(q.Ref), Places: int(q.Places), Outcome: q.Outcome,
		Reasons: s.reasonLines(r.Lang, rules.Verdict{At: q.At, Reasons: q.Reasons}), Edition: q.Edition[:min(len(q.Edition), 16)],
		By: by.Login, Open: q.Open(), Role: s.deciderOf(q.Reasons, q.At), Decided: people.OfficerID(q.Decided), Admit: q.Admitted, Why: q.Why, Grounds: booking.Grounds[:],
	}
	v.Slot, _ = s.slotLine(e, q.Slot)
	zone := s.deps.Law().Zone(v.Slot.Site.ID)
	v.At, v.When = q.At.In(zone), q.DecidedAt.In(zone)
	v.May = v.Open && mayRule(r.Officer, v.Role)
	party, err := s.party(r.Context(), booking.Booking{Sealed: q.Sealed}, sealed)
	if err != nil {
		return v, q, err
	}
	v.Phone = party.Phone
	for i, m := range q.Members {
		p := passView{N: i + 1, Kind: m.Document, Country: m.Country, Children: int(m.Children)}
		if i < len(party.People) {
			p.Name = party.People[i].Name
		}
		v.People = append(v.People, p)
	}
	return v, q, nil
}

func (s *server) requestPage(w http.ResponseWriter, r *request) error {
	v, _, err := s.requestOf(r)
	if linkGone(err) {
		return s.redirect(w, r, "/requests")
	}
	if err != nil {
		return err
	}
	return s.render(w, r, page{Name: "request", View: v, Styles: []string{"officer.css"}})
}

// requestDecide records the officer's decision.
func (s *server) requestDecide(w http.ResponseWriter, r *request) error {
	f, err := r.form()
	if err != nil {
		return err
	}
	v, q, err := s.requestOf(r)
	if linkGone(err) {
		return s.redirect(w, r, "/requests")
	}
	if err != nil {
		return err
	}
	if v.Why = f.get("why"); v.Why == "" {
		v.Errors.add("why", "requests.why.empty")
		return s.render(w, r, page{Name: "request", View: v, Status: http.StatusUnprocessableEntity, Styles: []string{"officer.css"}})
	}
	a, _, err := s.decideRequest(r, q, service.DecideBooking{Ref: q.Ref, Admit: f.get("admit") == "yes", Why: v.Why, Officer: r.Officer.ID})
	if err != nil {
		return err
	}
	if a.Refusal.Open() {
		v.Failed = s.reasonLines(r.Lang, a.Verdict)
		return s.render(w, r, page{Name: "request", View: v, Styles: []string{"officer.css"}})
	}
	if a.Refusal.Admitted && (r.Officer.Has(people.Clerk) || r.Officer.Has(people.Supervisor)) {
		return s.redirect(w, r, s.bookingPath(r, clerkBase, link{Ref: q.Ref})+"?note=admitted")
	}
	return s.redirect(w, r, s.requestPath(r, q.Ref)+"?note=decided")
}

// decideRequest runs a decision. Where nobody is let in, nothing that names anybody is
// kept any longer.
func (s *server) decideRequest(r *request, q booking.Refusal, c service.DecideBooking) (service.BookingAnswer, service.Done, error) {
	a, d, err := do[service.BookingAnswer](s, r, c)
	if err == nil && q.Sealed != "" && a.Refusal.Decided != "" && !a.Refusal.Admitted {
		if err := s.deps.Sealer.Destroy(r.Context(), q.Sealed); err != nil {
			s.deps.Log.WarnContext(r.Context(), "a key of no use was not destroyed", "problem", problem.KindOf(err).String(), "id", r.ID)
		}
	}
	return a, d, err
}

// askedView is a request as the traveller sees it: why there is no booking, and who
// decides or has decided.
type askedView struct {
	Slot    slotLine
	Ref     string
	Verdict verdictView
	Open    bool
	Role    people.Role // who decides, empty where nobody does
	Decided bool
	Why     string
}

// asked makes a traveller's view of a request.
func (s *server) asked(r *request, q booking.Refusal) (askedView, error) {
	e, err := s.editionFor(q.Slot.Site(), q.At)
	if err != nil {
		return askedView{}, err
	}
	v := askedView{Ref: formatRef(q.Ref), Open: q.Open(), Role: s.deciderOf(q.Reasons, q.At), Decided: q.Decided != "", Why: q.Why}
	v.Slot, _ = s.slotLine(e, q.Slot)
	v.Verdict = s.keptVerdict(r, rules.Verdict{Outcome: q.Outcome, Reasons: q.Reasons, At: q.At, Edition: q.Edition}, v.Ref)
	v.Verdict.Contest = s.contestPath(r, contestBase, contested{Subject: appeal.Subject(q.Ref)})
	return v, nil
}

// showAsked shows the request that a traveller's link stands for; done is false where it
// stands for none.
func (s *server) showAsked(w http.ResponseWriter, r *request, base string) (done bool, err error) {
	l, ok := s.links.open(r.PathValue("link"), r.Now)
	if !ok {
		return false, nil
	}
	q, ok, err := s.refusal(r, l.Ref)
	if err != nil || !ok {
		return err != nil, err
	}
	if base == clerkBase {
		return true, s.redirect(w, r, s.requestPath(r, q.Ref))
	}
	v, err := s.asked(r, q)
	if err != nil {
		return true, err
	}
	return true, s.render(w, r, page{Name: "asked", View: v})
}

// requestOut is a request in a document.
type requestOut struct {
	Request   string         `json:"request"` // its number
	Status    string         `json:"status"`
	Slot      slotOut        `json:"slot"`
	Places    uint32         `json:"places"`
	Outcome   reason.Outcome `json:"outcome"`
	Reasons   []groundOut    `json:"reasons"`
	Says      []string       `json:"says"`
	Edition   string         `json:"edition,omitempty"`
	AskedAt   time.Time      `json:"asked_at"`
	Decides   people.Role    `json:"decides,omitempty"` // while it is open
	DecidedBy string         `json:"decided_by,omitempty"`
	Why       string         `json:"why,omitempty"`
	DecidedAt *time.Time     `json:"decided_at,omitempty"`
}

// groundOut is a reason as it is kept.
type groundOut struct {
	Code    reason.Code    `json:"code"`
	Outcome reason.Outcome `json:"outcome"`
	Clause  string         `json:"clause,omitempty"`
	// Agreement is whose clause it is, where the post runs under several.
	Agreement string `json:"agreement,omitempty"`
}

func (s *server) requestDocument(r *request, q booking.Refusal) *requestOut {
	out := &requestOut{Request: string(q.Ref), Status: "refused", Slot: s.slotOut(q.Slot, r.Now), Places: q.Places, Outcome: q.Outcome, Reasons: []groundOut{},
		Says: []string{}, Edition: q.Edition, AskedAt: q.At.UTC(), DecidedBy: q.Decided, Why: q.Why}
	for _, re := range q.Reasons {
		out.Reasons = append(out.Reasons, groundOut{re.Code, re.Outcome, re.Clause, re.Agreement})
	}
	for _, l := range s.reasonLines(r.Lang, rules.Verdict{At: q.At, Reasons: q.Reasons}) {
		if l.Heading != "" {
			l.Text = l.Heading + ": " + l.Text
		}
		out.Says = append(out.Says, l.Text)
	}
	switch {
	case q.Open():
		out.Status = "open"
		out.Decides = s.deciderOf(q.Reasons, q.At)
	case q.Admitted:
		out.Status = "admitted"
	case q.Decided != "":
		out.Status = "turned_away"
	}
	if q.Decided != "" {
		at := q.DecidedAt.UTC()
		out.DecidedAt = &at
	}
	return out
}

// requestNamed is the request that a call's path names, where the program's officer may
// see it.
func (s *server) requestNamed(r *request) (booking.Refusal, error) {
	q, ok, err := s.refusal(r, referenceOf(r, "request"))
	switch {
	case err != nil:
		return q, err
	case !ok:
		return q, problem.New(problem.NotFound, "request")
	}
	return q, s.mayActOn(r, q.Slot)
}

// apiRequest shows a request.
func (s *server) apiRequest(w http.ResponseWriter, r *request) error {
	q, err := s.requestNamed(r)
	if err != nil {
		return err
	}
	return s.ok(w, s.requestDocument(r, q))
}

type rulingIn struct {
	Admit bool   `json:"admit"`
	Why   string `json:"why"`
}

// apiRule records a decision.
func (s *server) apiRule(w http.ResponseWriter, r *request) error {
	in, err := decode[rulingIn](r)
	if err != nil {
		return err
	}
	q, err := s.requestNamed(r)
	if err != nil {
		return err
	}
	a, d, err := s.decideRequest(r, q, service.DecideBooking{Ref: q.Ref, Admit: in.Admit, Why: in.Why, Officer: r.Officer.ID})
	if err != nil {
		return err
	}
	return s.answerBooking(w, r, a, d)
}

// lookUp returns the address of what stands under a reference, for an officer: the
// request that gave no booking, or the booking; empty where there is neither.
func (s *server) lookUp(r *request, text string) (string, error) {
	ref := parseRef(text)
	path := ""
	err := s.view(r.Context(), func(st service.State) error {
		if b, ok := service.BookingOf(st, ref); ok && r.Officer.Has(people.Supervisor) && s.mayActOn(r, b.Slot) == nil {
			path = s.bookingPath(r, clerkBase, link{Ref: ref})
		} else if q, ok := service.RefusalOf(st, ref); ok && s.mayActOn(r, q.Slot) == nil {
			path = s.requestPath(r, ref)
		}
		return nil
	})
	return path, err
}
