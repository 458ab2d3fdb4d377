// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/gate"
	"darwaza.dev/internal/identity"
	"darwaza.dev/internal/lang"
	"darwaza.dev/internal/pass"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/proof"
	"darwaza.dev/internal/reason"
	"darwaza.dev/internal/rules"
	"darwaza.dev/internal/screening"
	"darwaza.dev/internal/service"
)

// mostCases is how many open cases the health desk's page shows.
const mostCases = 100

// healthView is the health desk: who is sent, who is there, who is apart.
type healthView struct {
	Place place
	Sent  []sentLine
	Cases []healthLine
	// Kind and Country are of the document that is keyed, Kinds those there are.
	Kind, Country string
	Kinds         []identity.Kind
	Errors        errorsIn
}

// sentLine is a holder whom the gate sends to the desk.
type sentLine struct {
	Pass string // in hex, as the form sends it back
	At   time.Time
}

// healthLine is an open case in the list.
type healthLine struct {
	Path, ID, State string
	At              time.Time
	Until           calendar.Date
}

// healthState is what is next of a case, as a word: "ask", "waits", "against", "decide",
// "close", "isolated", "due", "closed".
func healthState(c screening.Case, today uint16) string {
	switch {
	case !c.Open():
		return "closed"
	case c.Due(today):
		return "due"
	case c.Isolated():
		return "isolated"
	case c.At.IsZero():
		return "ask"
	case !c.Waits.IsZero():
		return "waits"
	case c.Outcome.NeedsOfficer():
		return "decide"
	case !c.Outcome.Admits():
		return "against"
	}
	return "close"
}

// healthPath is the address of a case for the next hours. Its number is sealed in it.
func (s *server) healthPath(r *request, c screening.Case) string {
	token, err := s.links.seal(s.deps.Rand, link{Ref: booking.Ref(c.ID)}, r.Now.Add(linkLength))
	if err != nil {
		panic(err) // no random bytes
	}
	return "/health/" + token
}

func (s *server) healthPage(w http.ResponseWriter, r *request) error {
	p, err := s.siteOf(r, r.URL.Query().Get("site"))
	if err != nil {
		return err
	}
	return s.renderHealth(w, r, healthView{Place: p}, http.StatusOK)
}

func (s *server) renderHealth(w http.ResponseWriter, r *request, v healthView, status int) error {
	zone := s.deps.Law().Zone(v.Place.Site.ID)
	v.Kinds = identity.Kinds[:]
	err := s.view(r.Context(), func(st service.State) error {
		for _, p := range service.HealthSent(st, s.deps.Law(), v.Place.Site.Number, v.Place.Day, mostCases) {
			l := sentLine{Pass: p.Pass.String()}
			for _, sc := range p.Scans {
				if sc.Serial == p.Pending {
					l.At = sc.At.In(zone)
				}
			}
			v.Sent = append(v.Sent, l)
		}
		for _, c := range service.HealthWaiting(st, v.Place.Site.Number, mostCases) {
			v.Cases = append(v.Cases, healthLine{Path: s.healthPath(r, c), ID: string(c.ID), State: healthState(c, v.Place.Day), At: c.OpenedAt.In(zone), Until: rules.DayDate(c.Order.Until)})
		}
		return nil
	})
	if err != nil {
		return err
	}
	return s.render(w, r, page{Name: "health", View: v, Status: status, Styles: []string{"officer.css"}})
}

// healthOpen opens a case for the holder of a pass or of a document.
func (s *server) healthOpen(w http.ResponseWriter, r *request) error {
	f, p, err := s.atSite(r)
	if err != nil {
		return err
	}
	c := service.OpenHealth{ID: screening.ID("H-" + strings.TrimPrefix(service.NewReceipt(s.deps.Rand), "R-")), Site: p.Site.Number, Officer: r.Officer.ID}
	var file screening.File
	text := f.get("who")
	if id, err := pass.ParseID(f.get("pass")); err == nil && id != (pass.ID{}) {
		c.Pass = id
	} else if claims, fault := s.deps.Trust().Verify(text, r.Now); pass.Genuine(fault) && claims.ID != (pass.ID{}) {
		c.Pass = claims.ID
	} else if d, err := documentOf(f.get("kind"), f.get("country"), text); err == nil {
		c.Register = s.deps.Secrets.Register(d.Key())
		file.Person = screening.Holder{Kind: string(d.Kind), Country: d.Country, Document: d.Number}
	} else {
		v := healthView{Place: p, Kind: f.get("kind"), Country: strings.ToUpper(f.get("country"))}
		v.Errors.add("who", "health.who.wrong")
		return s.renderHealth(w, r, v, http.StatusUnprocessableEntity)
	}
	plain, err := s.codec.Marshal(file)
	if err != nil {
		return problem.New(problem.Internal, "seal")
	}
	if c.SealedID, c.Sealed, err = s.deps.Sealer.Seal(r.Context(), plain); err != nil {
		return err
	}
	a, _, err := do[service.HealthAnswer](s, r, c)
	s.dropWords(r, c.SealedID, a.Case.Sealed, err)
	if err != nil {
		return err
	}
	note := ""
	if a.Verdict.Outcome == reason.Refer {
		note = "?note=health_file"
	}
	return s.redirect(w, r, s.healthPath(r, a.Case)+note)
}

// documentOf reads a document that was keyed with its kind and country, or the zone of one
// that was scanned.
func documentOf(kind, country, text string) (identity.Document, error) {
	if pass.Recognise(text) == pass.MRZ || looksLikeZone(text) {
		m, err := identity.ParseMRZ(text)
		if err != nil {
			return identity.Document{}, err
		}
		return m.Document()
	}
	return identity.ParseDocument(kind, strings.ToUpper(country), text)
}

// healthCaseView is one case.
type healthCaseView struct {
	Place     place
	Path, ID  string
	State     string
	HasPass   bool
	PassText  string
	CrewPass  string
	Case      screening.Case
	File      screening.File
	FileGone  bool
	Questions []question
	Offers    []offerRow
	Tests     []testDone
	Verdict   verdictView
	Seen      bool
	Orders    []orderRow
	Order     *orderRow // in force, or ended
	CrewName  string
	CrewKind  string // "pass", "party", "paper"
	Fit       []string
	Unfit     []string
	Reliefs   []string
	Until     *moment // of a finding
	FileEnds  calendar.Date
	Officer   string
	Errors    errorsIn
}

type offerRow struct {
	Key     string
	Disease lang.Text
	Test    lang.Text
	Minutes int64
}

type testDone struct {
	Index         int
	Disease, Test lang.Text
	Product       string
	Result        string
	At            time.Time
}

type orderRow struct {
	Clause      string
	Anchor      string
	Text        lang.Text
	Disease     lang.Text
	From, Until calendar.Date
	Days        int64
	Officer     string
	How, Why    string
	TestFrees   bool
}

// healthOf reads the case that an address names, with its file.
func (s *server) healthOf(r *request) (v healthCaseView, err error) {
	l, ok := s.links.open(r.PathValue("link"), r.Now)
	id := screening.ID(l.Ref)
	if !ok || !id.Valid() {
		return v, problem.New(problem.NotFound, "link")
	}
	var sealed []byte
	var logins map[string]string
	err = s.view(r.Context(), func(st service.State) error {
		if v.Case, ok = service.HealthCase(st, id); !ok {
			return errNotFound
		}
		sealed, _ = st.Sealed.Get(v.Case.Sealed)
		logins = map[string]string{}
		for _, o := range service.OfficersOf(st) {
			logins[string(o.ID)] = o.Login
		}
		desk := service.ScreeningDesk(st, s.deps.Law(), s.deps.Side, r.Now)
		who, _, _ := service.PersonAtDesk(st, s.deps.Side, v.Case.Pass)
		for _, a := range desk.Questions(v.Case.Site, who) {
			v.Questions = append(v.Questions, question{ID: a.ID, Field: questionPrefix + a.ID, Name: a.Name, Temperature: a.Type == "int"})
		}
		for _, o := range desk.Offers(v.Case.Site) {
			v.Offers = append(v.Offers, offerRow{Key: o.Profile.ID + "/" + o.Test.ID, Disease: o.Profile.Name, Test: o.Test.Name, Minutes: o.Minutes})
		}
		return nil
	})
	if err != nil {
		return v, err
	}
	if o := r.Officer; o.Site != "" {
		if e, found := s.deps.Law().EditionFor(v.Case.Site, r.Now); found {
			if site, known := e.SiteNumbered(v.Case.Site); known && site.ID != o.Site {
				return v, problem.New(problem.Forbidden, "officer.site")
			}
		}
	}
	if v.Place, err = s.siteOf(r, strconv.Itoa(int(v.Case.Site))); err != nil {
		return v, err
	}
	if v.File, v.FileGone, err = s.openFile(r.Context(), v.Case, sealed); err != nil {
		return v, err
	}
	c := v.Case
	v.HasPass, v.PassText, v.CrewPass = c.Pass != (pass.ID{}), c.Pass.String(), c.Crew.Pass.String()
	v.Path, v.ID, v.State, v.Seen = "/health/"+r.PathValue("link"), string(c.ID), healthState(c, v.Place.Day), !c.At.IsZero()
	v.Verdict = s.verdict(r, rules.Verdict{Point: rules.Gate, Outcome: c.Outcome, Reasons: c.Reasons, At: c.At}, "")
	e, zone := v.Place.Edition, s.deps.Law().Zone(v.Place.Site.ID)
	v.Case.Waits, v.Case.ClosedAt, v.Case.Until = c.Waits.In(zone), c.ClosedAt.In(zone), c.Until.In(zone)
	for i, t := range v.File.Tests {
		d := testDone{Index: i, Product: t.Product, Result: string(t.Result), At: t.Taken.In(zone)}
		p := e.Profiles[t.Profile]
		d.Disease = p.Name
		for _, k := range p.Tests {
			if k.ID == t.Kind {
				d.Test = k.Name
			}
		}
		v.Tests = append(v.Tests, d)
	}
	for _, g := range c.May {
		if row, ok := s.orderRowOf(e, v.Place, g.Clause, r.Now); ok && c.Order.Clause == "" {
			v.Orders = append(v.Orders, row)
		}
	}
	if c.Order.Clause != "" {
		row, _ := s.orderRowOf(e, v.Place, c.Order.Clause, r.Now)
		row.Clause, row.From, row.Until, row.Officer = c.Order.Clause, rules.DayDate(c.Order.From), rules.DayDate(c.Order.Until), logins[c.Order.Officer]
		row.How, row.Why = string(c.Order.How), c.Order.Why
		v.Order = &row
	}
	switch {
	case c.Crew.Party:
		v.CrewKind = "party"
	case c.Crew.Paper:
		v.CrewKind, v.CrewName = "paper", v.File.Crew
	case c.Crew.Known():
		v.CrewKind = "pass"
	}
	v.Fit, v.Unfit, v.Reliefs = screening.Fit[:], screening.Unfit[:], screening.Reliefs[:]
	if !c.Until.IsZero() {
		v.Until = momentOf(e, v.Place.Site, c.Until)
	}
	v.FileEnds, v.Officer = rules.DayDate(c.Ends()), logins[c.Officer]
	return v, nil
}

// orderRowOf is the clause by which isolation is ordered, with its days.
func (s *server) orderRowOf(e *agreement.Edition, p place, clause string, now time.Time) (row orderRow, ok bool) {
	k := e.Clause(clause)
	if k == nil {
		return row, false
	}
	row = orderRow{Clause: k.ID, Anchor: k.Anchor, Text: k.Text}
	for _, x := range e.Profiles {
		if x.Order == clause && (row.Disease == nil || ok) {
			row.Disease, row.TestFrees = x.Name, len(x.Release) > 0
			row.Days, _ = s.deps.Law().Param(x.Isolate, p.Site.ID, s.deps.Side, now)
		}
	}
	return row, true
}

// openFile opens a case file; gone says that it is there no more.
func (s *server) openFile(ctx context.Context, c screening.Case, sealed []byte) (f screening.File, gone bool, err error) {
	if c.Sealed == "" || len(sealed) == 0 {
		return f, true, nil
	}
	plain, err := s.deps.Sealer.Open(ctx, c.Sealed, sealed)
	if err != nil && problem.KindOf(err) == problem.NotFound {
		return f, true, nil
	}
	if err != nil {
		return f, false, err
	}
	if err := s.codec.Unmarshal(plain, &f); err != nil {
		return screening.File{}, false, problem.New(problem.Internal, "seal.form") // the error may quote what was sealed
	}
	return f, false, nil
}

func (s *server) healthCasePage(w http.ResponseWriter, r *request) error {
	v, err := s.healthOf(r)
	if linkGone(err) {
		return s.redirect(w, r, "/health")
	}
	if err != nil {
		return err
	}
	return s.renderHealthCase(w, r, v, http.StatusOK)
}

func (s *server) renderHealthCase(w http.ResponseWriter, r *request, v healthCaseView, status int) error {
	return s.render(w, r, page{Name: "health-case", View: v, Status: status, Styles: []string{"officer.css"}})
}

// healthPaper is the isolation order on paper.
func (s *server) healthPaper(w http.ResponseWriter, r *request) error {
	v, err := s.healthOf(r)
	if linkGone(err) || err == nil && v.Order == nil {
		return s.redirect(w, r, "/health")
	}
	if err != nil {
		return err
	}
	return s.render(w, r, page{Name: "health-order", View: v, Paper: true, Styles: []string{"officer.css"}})
}

// healthAct is an act on a case, by the field "act".
func (s *server) healthAct(w http.ResponseWriter, r *request) error {
	f, err := r.form()
	if err != nil {
		return err
	}
	v, err := s.healthOf(r)
	if linkGone(err) {
		return s.redirect(w, r, "/health")
	}
	if err != nil {
		return err
	}
	c := s.healthCommand(r, f, &v)
	if len(v.Errors) > 0 || c == nil {
		return s.renderHealthCase(w, r, v, http.StatusUnprocessableEntity)
	}
	if c, err = s.withFile(r, c, v); err != nil {
		return err
	}
	if c, ok := c.(service.EraseHealth); ok {
		if _, _, err := do[service.EraseHealthAnswer](s, r, c); err != nil {
			return err
		}
		return s.redirect(w, r, v.Path)
	}
	a, _, err := do[service.HealthAnswer](s, r, c)
	switch {
	case problem.CodeOf(err) == "screening.crew.unknown", problem.CodeOf(err) == "screening.crew", problem.CodeOf(err) == "screening.crew.desk":
		v.Errors.add("crew", "health.crew.wrong")
		return s.renderHealthCase(w, r, v, http.StatusUnprocessableEntity)
	case err != nil:
		return err
	case !a.Done: // the law or the desk is against it, and says why
		v.Verdict, v.Seen = s.verdict(r, a.Verdict, ""), true
		v.Errors.add("act", "health.not_done")
		return s.renderHealthCase(w, r, v, http.StatusUnprocessableEntity)
	}
	return s.redirect(w, r, v.Path)
}

// healthCommand reads what is to be done; what cannot be right is added to the errors. It
// changes the file of v as the act does.
func (s *server) healthCommand(r *request, f formValues, v *healthCaseView) service.Command {
	id, o := v.Case.ID, r.Officer.ID
	see := func(act screening.Act) service.Command {
		return service.SeeHealth{Case: id, Act: act, Answers: v.File.Answers, Tests: v.File.Tests, Officer: o, Document: v.File.Person.Kind, Country: v.File.Person.Country}
	}
	switch f.get("act") {
	case "ask":
		v.File.Answers = healthAnswers(f, v.Questions, &v.Errors)
		return see(screening.Asked)
	case "sample":
		profile, kind, ok := strings.Cut(f.get("test"), "/")
		if !ok {
			v.Errors.add("test", "health.test.empty")
			return nil
		}
		v.File.Tests = append(v.File.Tests, screening.Test{Profile: profile, Kind: kind, Product: f.get("product"), Taken: r.Now})
		return see(screening.Sampled)
	case "result":
		n, err := strconv.Atoi(f.get("index"))
		result := proof.TestResult(f.get("result"))
		if result != proof.Positive && result != proof.Negative && result != proof.Inconclusive || err != nil || n < 0 || n >= len(v.File.Tests) || v.File.Tests[n].Result != "" {
			v.Errors.add("result", "health.result.empty")
			return nil
		}
		v.File.Tests[n].Result, v.File.Tests[n].Read = result, r.Now
		return see(screening.Tested)
	case "isolate":
		return service.IsolateHealth{Case: id, Clause: f.get("clause"), Officer: o}
	case "hand":
		c := service.HandHealth{Case: id, Officer: o}
		text := f.get("crew")
		if claims, fault := s.deps.Trust().Verify(text, r.Now); pass.Genuine(fault) && claims.ID != (pass.ID{}) {
			c.Pass = claims.ID
			return c
		}
		if text == "" || len(text) > 200 || pass.Recognise(text) != pass.Unknown {
			v.Errors.add("crew", "health.crew.wrong")
			return nil
		}
		v.File.Crew = text
		return c
	case "close":
		why := f.get("why")
		return service.CloseHealth{Case: id, Fit: why != "" && contains(screening.Fit[:], why), Why: why, Officer: o}
	case "release":
		how, why, _ := strings.Cut(f.get("how"), "/")
		if how == "" {
			v.Errors.add("how", "health.how.empty")
			return nil
		}
		return service.ReleaseHealth{Case: id, How: screening.How(how), Why: why, Tests: v.File.Tests, Officer: o}
	case "erase":
		return service.EraseHealth{Cases: []screening.ID{id}, Officer: o}
	}
	return nil
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// withFile puts the case file, sealed anew under its key, into a command that keeps it.
func (s *server) withFile(r *request, c service.Command, v healthCaseView) (service.Command, error) {
	seal := func() ([]byte, error) {
		plain, err := s.codec.Marshal(v.File)
		if err != nil {
			return nil, problem.New(problem.Internal, "seal")
		}
		return s.deps.Sealer.SealUnder(r.Context(), v.Case.Sealed, plain)
	}
	var err error
	switch x := c.(type) {
	case service.SeeHealth:
		x.Sealed, err = seal()
		return x, err
	case service.HandHealth:
		if x.Pass == (pass.ID{}) {
			x.Sealed, err = seal()
		}
		return x, err
	}
	return c, nil
}

// healthAnswers reads the answers to the desk's questions: every one is answered.
func healthAnswers(f formValues, qs []question, wrong *errorsIn) (out screening.Answers) {
	out.Done = true
	for _, q := range qs {
		text := f.get(q.Field)
		a := gate.Answered{Attribute: q.ID}
		switch {
		case q.Temperature:
			t, ok := parseTenths(text)
			a.Tenths = int16(min(t, gate.MostTemp+1))
			if x := (screening.Answers{Answers: []screening.Answered{a}}); !ok || t == 0 || !x.Possible() {
				wrong.add(q.Field, "gate.temperature.wrong")
			}
		case text == "yes" || text == "no":
			a.Yes = text == "yes"
		default:
			wrong.add(q.Field, "gate.question.empty")
		}
		switch q.ID {
		case screening.AttrTemperature:
			out.TempTenths = a.Tenths
		case screening.AttrSymptoms:
			out.Symptoms = a.Yes
		default:
			out.Answers = append(out.Answers, a)
		}
	}
	return out
}
