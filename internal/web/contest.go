// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/appeal"
	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/lang"
	"darwaza.dev/internal/pass"
	"darwaza.dev/internal/people"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/reason"
	"darwaza.dev/internal/rules"
	"darwaza.dev/internal/service"
)

// An answer is contested by the person it was given to: whoever has its number, where that
// is one that nobody guesses; at the gate, where numbers are counted up, whoever knows the
// booking's reference or the document too. An officer opens a case for whoever stands at
// the window. Words are sealed before anything is recorded.

const (
	contestBase = "/contest"
	casesBase   = "/cases"
	// maxWords is how many letters a contest or an answer may have: as many as a form's
	// field holds in any script.
	maxWords = 600
	// casesShown is how many open cases a list shows.
	casesShown = 200
	// contestDays is for how many days back the day of an answer at the gate can be chosen.
	contestDays = 31
)

// contested is what a link to a case's page stands for.
type contested struct {
	Subject appeal.Subject
	Pass    pass.ID // of a scan that belongs to one
	// Act are the reasons for which an act on a booking has just been refused: such a
	// refusal stands nowhere, so that the link carries it.
	Act []reason.Reason
}

// ref is the text that is sealed into the link, in place of a booking's reference:
//
//	subject [ "|" pass, 16 hex digits, of zeros for none { "|" code "|" outcome "|" clause "|" agreement } ]
func (c contested) ref() booking.Ref {
	if c.Pass == (pass.ID{}) && len(c.Act) == 0 {
		return booking.Ref(c.Subject)
	}
	parts := []string{string(c.Subject), c.Pass.String()}
	for _, r := range c.Act {
		parts = append(parts, string(r.Code), r.Outcome.String(), r.Clause, r.Agreement)
	}
	return booking.Ref(strings.Join(parts, "|"))
}

func parseContested(ref booking.Ref) (c contested, ok bool) {
	parts := strings.Split(string(ref), "|")
	if c.Subject = appeal.Subject(parts[0]); !c.Subject.Valid() || len(parts) > 1 && len(parts)%4 != 2 {
		return c, false
	}
	if len(parts) == 1 {
		return c, true
	}
	var err error
	if c.Pass, err = pass.ParseID(parts[1]); err != nil {
		return c, false
	}
	for i := 2; i < len(parts); i += 4 {
		o, ok := reason.ParseOutcome(parts[i+1])
		if !ok {
			return c, false
		}
		c.Act = append(c.Act, reason.Reason{Code: reason.Code(parts[i]), Outcome: o, Clause: parts[i+2], Agreement: parts[i+3]})
	}
	return c, true
}

// contestPath is the address of the page of a contested answer, for the next two hours.
func (s *server) contestPath(r *request, base string, c contested) string {
	token, err := s.links.seal(s.deps.Rand, link{Ref: c.ref()}, r.Now.Add(linkLength))
	if err != nil {
		panic(err) // no random bytes
	}
	return base + "/" + token
}

// refusedAct is what a link says of an act on a booking that was refused.
func refusedAct(ref booking.Ref, v rules.Verdict) contested {
	c := contested{Subject: appeal.Subject(ref)}
	for _, r := range v.Reasons {
		if r.Outcome != reason.Allow && len(c.Act) < 4 {
			c.Act = append(c.Act, reason.Reason{Code: r.Code, Outcome: r.Outcome, Clause: r.Clause, Agreement: r.Agreement})
		}
	}
	return c
}

// keptVerdict is a verdict that was kept without the figures of its reasons: a text that
// needs them is left out.
func (s *server) keptVerdict(r *request, v rules.Verdict, quote string) verdictView {
	out := s.verdict(r, v, quote)
	for _, part := range append(slices.Clone(out.Parts), out) {
		for i := range part.Reasons {
			re := &part.Reasons[i]
			if re.Key != "" && s.sayWhole(r.Lang, re.Key, re.Args) == "" {
				re.Key = ""
			}
			if re.Next != "" && s.sayWhole(r.Lang, re.Next, re.Args) == "" {
				re.Next = ""
			}
		}
	}
	return out
}

// contestFindView asks for the number of an answer.
type contestFindView struct {
	Expired bool
	Number  string
	Sites   []agreement.Site
	Site    uint16
	Days    []calendar.Date
	Day     calendar.Date
	Errors  errorsIn
}

func (s *server) contestFindView(r *request, f formValues) (contestFindView, error) {
	if _, err := s.edition(r.Now); err != nil {
		return contestFindView{}, err
	}
	v := contestFindView{Sites: s.sites(r.Now), Number: f.get("number")}
	zone := time.UTC
	for i, site := range v.Sites {
		if n := strconv.Itoa(int(site.Number)); n == f.get("site") || i == 0 {
			v.Site, zone = site.Number, s.deps.Law().Zone(site.ID)
		}
	}
	today := calendar.On(r.Now, zone)
	for i := range contestDays {
		v.Days = append(v.Days, today.AddDays(-i))
	}
	v.Day = today
	if d, err := calendar.ParseDate(f.get("day")); err == nil && slices.Contains(v.Days, d) {
		v.Day = d
	}
	return v, nil
}

func (s *server) contestPage(w http.ResponseWriter, r *request) error {
	v, err := s.contestFindView(r, formValues(r.URL.Query()))
	if err != nil {
		return err
	}
	v.Number = ""
	return s.render(w, r, page{Name: "contest", View: v})
}

// numberOf reads the number of an answer or of a case as a person types it. serial is that
// of a scan, where it looks like one.
func numberOf(text string) (subject appeal.Subject, id appeal.ID, serial uint64) {
	plain := strings.Map(func(c rune) rune {
		switch c {
		case ' ', '-', '–', '\u200c', '\u200e', '\u200f', '\u2066', '\u2067', '\u2068', '\u2069':
			return -1
		}
		return c
	}, lang.PlainDigits(text))
	switch n := utf8.RuneCountInString(plain); {
	case n == 13 && (plain[0] == 'R' || plain[0] == 'r'):
		return appeal.Subject("R-" + parseRef(plain[1:])), "", 0
	case n == 13 && (plain[0] == 'C' || plain[0] == 'c'):
		return "", appeal.ID("C-" + parseRef(plain[1:])), 0
	case n < 12:
		if serial, err := strconv.ParseUint(plain, 10, 64); err == nil {
			return "", "", serial
		}
	}
	return appeal.Subject(parseRef(plain)), "", 0
}

// contestFind looks an answer up. What there is not, what is somebody else's and what is
// mistyped are answered alike.
func (s *server) contestFind(w http.ResponseWriter, r *request) error {
	f, err := r.form()
	if err != nil {
		return err
	}
	v, err := s.contestFindView(r, f)
	if err != nil {
		return err
	}
	subject, id, serial := numberOf(v.Number)
	right, err := s.guess(r)
	if err != nil {
		return err
	}
	e, err := s.editionFor(v.Site, r.Now)
	if err != nil {
		return err
	}
	day, proof := dayNumber(v.Day), f.get("proof")
	// The tags of a document are made in any case, so that all tries take the same work.
	var tags [][16]byte
	for _, d := range documents(proof, countries(e)) {
		tags = append(tags, s.deps.Secrets.Tag(day, d.Key()))
	}
	c, ok := contested{Subject: subject}, false
	if err := s.view(r.Context(), func(st service.State) error {
		switch {
		case id != "":
			k, known := service.CaseOf(st, id)
			c, ok = contested{Subject: k.Subject, Pass: k.Pass}, known
		case serial != 0:
			c, ok = ownScan(st, v.Site, day, serial, parseRef(proof), tags)
		default:
			_, ok = service.MatterOf(st, subject, pass.ID{})
		}
		return nil
	}); err != nil {
		return err
	}
	if !c.Subject.Valid() {
		c.Subject = "------------" // a link is made in any case
	}
	path := s.contestPath(r, contestBase, c)
	if !ok {
		v.Errors.add("number", "case.error.unknown")
		return s.render(w, r, page{Name: "contest", View: v, Status: http.StatusUnprocessableEntity})
	}
	right()
	return s.redirect(w, r, path)
}

// ownScan finds a scan of one of the passes of a booking or of a person.
func ownScan(st service.State, site, day uint16, serial uint64, ref booking.Ref, tags [][16]byte) (contested, bool) {
	var passes []pass.ID
	b, _ := service.BookingOf(st, ref)
	for _, m := range b.Members {
		passes = append(passes, m.Pass)
	}
	for _, tag := range tags {
		passes = append(passes, service.PassesOf(st, tag, site, day)...)
	}
	p, sc, ok := service.ContestedScan(st, passes, serial)
	c := contested{Subject: appeal.ScanSubject(p.Site, p.Day, sc.Serial), Pass: p.Pass}
	if ok = ok && p.Site == site && p.Day == day; ok {
		_, ok = service.MatterOf(st, c.Subject, c.Pass)
	}
	return c, ok
}

// caseView is the page of a contested answer: for the person, and for officers.
type caseView struct {
	Path    string
	Officer bool // an officer reads it
	Number  string
	Kind    appeal.Kind
	Site    agreement.Site
	Party   lang.Text // whose supervisor answers
	At      time.Time // of the contested answer, by the site's clock
	Verdict verdictView
	// ID is the number of the case, empty where there is none.
	ID       appeal.ID
	Status   string
	OpenedAt time.Time
	By       people.OfficerID
	Due      calendar.Date
	Said     string
	Gone     bool // the words are deleted
	Open     bool
	Late     bool
	// The answer.
	Answered   bool
	AnsweredBy people.OfficerID
	AnsweredAt time.Time
	Changed    bool
	Ground     string
	Clause     *agreement.Clause
	Anchor     string // of the clause, on the page of the law
	Instrument agreement.Instrument
	Next       string
	Reply      string
	// A case may be opened, for the first time or again.
	May, Again, Often bool
	Words             string
	Most, Days        int
	// May answer, and what with.
	Answers, Own     bool
	Upheld, Grounds  []string
	Nexts, Clauses   []string
	Result, OnGround string
	ByClause, Do     string
	Errors           errorsIn
}

// sealedWords are what somebody wrote, in the form in which it is sealed, with the salt of
// the digest that stands in the record.
type sealedWords struct {
	Salt  []byte `json:"salt"`
	Words string `json:"words"`
}

// sealWords seals words under a key of their own.
func (s *server) sealWords(ctx context.Context, words string) (id string, sealed []byte, digest [32]byte, err error) {
	salt := make([]byte, 16)
	if _, err := io.ReadFull(s.deps.Rand, salt); err != nil {
		return "", nil, digest, problem.New(problem.Internal, "random")
	}
	plain, err := json.Marshal(sealedWords{salt, words})
	if err != nil {
		return "", nil, digest, problem.New(problem.Internal, "seal")
	}
	id, sealed, err = s.deps.Sealer.Seal(ctx, plain)
	return id, sealed, sha256.Sum256(append(salt, words...)), err
}

// openWords opens sealed words; gone says that they are there no more.
func (s *server) openWords(ctx context.Context, id string, sealed []byte) (words string, gone bool, err error) {
	if id == "" || len(sealed) == 0 {
		return "", id != "", nil
	}
	plain, err := s.deps.Sealer.Open(ctx, id, sealed)
	if err != nil && problem.KindOf(err) == problem.NotFound {
		return "", true, nil
	}
	if err != nil {
		return "", false, err
	}
	var w sealedWords
	if err := json.Unmarshal(plain, &w); err != nil {
		return "", false, problem.New(problem.Internal, "seal.form") // the error may quote what was sealed
	}
	return w.Words, false, nil
}

// dropWords destroys the key of words that came to nothing.
func (s *server) dropWords(r *request, id, kept string, err error) {
	if err == nil && kept == id || err != nil && (problem.KindOf(err) == problem.Offline || problem.KindOf(err) == problem.Internal) {
		return
	}
	if err := s.deps.Sealer.Destroy(r.Context(), id); err != nil {
		s.deps.Log.WarnContext(r.Context(), "a key of no use was not destroyed", "problem", problem.KindOf(err).String(), "id", r.ID)
	}
}

// quoted is how a page writes the number of what is contested.
func quotedNumber(s appeal.Subject) string {
	if _, _, serial, ok := s.Scan(); ok {
		return strconv.FormatUint(serial, 10)
	}
	if s.Lot() {
		return string(s)
	}
	return formatRef(booking.Ref(s))
}

// caseAt is what a link in the address stands for, as it stands now.
func (s *server) caseAt(r *request, base string) (caseView, contested, error) {
	gone := problem.New(problem.NotFound, "link")
	l, ok := s.links.open(r.PathValue("link"), r.Now)
	if !ok {
		return caseView{}, contested{}, gone
	}
	c, ok := parseContested(l.Ref)
	if !ok {
		return caseView{}, c, gone
	}
	v, err := s.caseView(r, base, c)
	v.Path = base + "/" + r.PathValue("link")
	return v, c, err
}

// caseView prepares the page of a contested answer. On an officer's page the words are
// read by whoever answers.
func (s *server) caseView(r *request, base string, c contested) (caseView, error) {
	var (
		m             appeal.Matter
		k             appeal.Case
		there, before bool
		n             int
		said, reply   []byte
	)
	if err := s.view(r.Context(), func(st service.State) error {
		m, there = service.MatterOf(st, c.Subject, c.Pass)
		if k, before = service.CaseAbout(st, c.Subject); before {
			said, _ = st.Sealed.Get(k.Sealed)
			reply, _ = st.Sealed.Get(k.Reply)
			n = len(st.Appeal.About(c.Subject))
		}
		return nil
	}); err != nil {
		return caseView{}, err
	}
	if !there && !before {
		return caseView{}, problem.New(problem.NotFound, "link")
	}
	if before {
		m = appeal.Matter{Subject: k.Subject, Kind: k.Kind, Site: k.Site, At: k.DecidedAt, Outcome: k.Outcome, Reasons: k.Reasons, Edition: k.Edition, Officers: k.Officers}
	} else if len(c.Act) > 0 && m.Kind == appeal.OfBooking {
		m.At, m.Outcome, m.Reasons = r.Now, reason.Worst(c.Act), c.Act
	}
	e, err := s.editionFor(m.Site, m.At)
	if err != nil {
		return caseView{}, err
	}
	site, _ := e.SiteNumbered(m.Site)
	if base == casesBase {
		if err := mayAct(r.Officer, site.ID); err != nil {
			return caseView{}, err
		}
	}
	zone := s.deps.Law().Zone(site.ID)
	v := caseView{Officer: base == casesBase, Number: quotedNumber(m.Subject), Kind: m.Kind, Site: site, Party: e.Parties[s.deps.Side].Name, At: m.At.In(zone), Most: maxWords,
		Days: s.answerDays(), May: there && (!before || !k.Open()) && n < appeal.MaxPerNumber, Again: before, Often: n >= appeal.MaxPerNumber && !k.Open()}
	if days, ok := s.deps.Law().Param(appeal.Parameter, site.ID, s.deps.Side, r.Now); ok && days > 0 {
		v.Days = int(days)
	}
	v.Verdict = s.keptVerdict(r, rules.Verdict{Outcome: m.Outcome, Reasons: m.Reasons, At: m.At, Edition: m.Edition}, v.Number)
	if !before {
		return v, nil
	}
	v.ID, v.OpenedAt, v.By, v.Due, v.Open = k.ID, k.OpenedAt.In(zone), people.OfficerID(k.By), dayDate(k.Due), k.Open()
	v.Late = k.Late(dayNumber(calendar.On(r.Now, zone)))
	v.Status = caseStatus(k, v.Late)
	answers := r.Officer.Has(people.Supervisor)
	if !v.Officer || answers {
		if v.Said, v.Gone, err = s.openWords(r.Context(), k.Sealed, said); err != nil {
			return v, err
		}
	}
	if v.Answered = !k.Open(); v.Answered {
		v.AnsweredBy, v.AnsweredAt, v.Changed, v.Ground, v.Next = people.OfficerID(k.Officer), k.AnsweredAt.In(zone), k.Changed, k.Ground, k.Next
		if v.Reply, _, err = s.openWords(r.Context(), k.Reply, reply); err != nil {
			return v, err
		}
		if ed, cl := s.deps.Law().Clause(reason.Reason{Clause: k.Clause, Agreement: k.Agreement}, "", k.AnsweredAt); cl != nil {
			v.Clause, v.Anchor, v.Instrument = cl, s.anchor(ed, cl), ed.Instruments[cl.Instrument]
		}
		return v, nil
	}
	if v.Officer && answers {
		if v.Own = slices.Contains(k.Officers, string(r.Officer.ID)); !v.Own {
			v.Answers = true
		}
		v.Upheld, v.Grounds, v.Nexts = appeal.Upheld[:], appeal.Changed[:], appeal.NextsFor(k.Kind, true)
		for _, re := range m.Reasons {
			if id := s.clauseNamed(re, m.At); id != "" && !slices.Contains(v.Clauses, id) {
				v.Clauses = append(v.Clauses, id)
			}
		}
		if all := s.deps.Law().EditionsAt(site.ID, m.At); len(all) > 0 {
			for _, one := range all {
				v.Clauses = append(v.Clauses, s.otherClauses(one, v.Clauses)...)
			}
		} else {
			v.Clauses = append(v.Clauses, s.otherClauses(e, v.Clauses)...)
		}
		if len(m.Reasons) > 0 {
			v.ByClause = s.clauseNamed(m.Reasons[0], m.At)
		}
	}
	return v, nil
}

// otherClauses are the clauses of an edition that are not in a list, in order.
func (s *server) otherClauses(e *agreement.Edition, but []string) (ids []string) {
	for _, c := range e.Clauses {
		if id := s.anchorPrefix(e) + c.ID; !slices.Contains(but, id) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// clauseNamed is the clause of a reason as the list to choose from names it: with its
// agreement before it where there are several.
func (s *server) clauseNamed(re reason.Reason, at time.Time) string {
	if e, c := s.deps.Law().Clause(re, "", at); c != nil {
		return s.anchorPrefix(e) + c.ID
	}
	return re.Clause
}

// clauseChosen takes apart what clauseNamed has put together.
func (s *server) clauseChosen(name string) (of, id string) {
	for _, e := range s.deps.Law().Newest() {
		if rest, ok := strings.CutPrefix(name, s.anchorPrefix(e)); ok && rest != name {
			return e.ID, rest
		}
	}
	return "", name
}

func caseStatus(k appeal.Case, late bool) string {
	switch {
	case late:
		return "late"
	case k.Open():
		return "open"
	case k.Changed:
		return "changed"
	}
	return "upheld"
}

// answerDays is the time within which an answer is promised where the agreement says none.
func (s *server) answerDays() int {
	if s.deps.AnswerWithin > 0 {
		return s.deps.AnswerWithin
	}
	return appeal.DefaultDays
}

func (s *server) contestedPage(w http.ResponseWriter, r *request) error {
	v, _, err := s.caseAt(r, contestBase)
	if linkGone(err) {
		return s.contestExpired(w, r)
	}
	if err != nil {
		return err
	}
	return s.renderCase(w, r, v, 0)
}

func (s *server) contestExpired(w http.ResponseWriter, r *request) error {
	v, err := s.contestFindView(r, formValues{})
	if err != nil {
		return err
	}
	v.Expired = true
	return s.render(w, r, page{Name: "contest", View: v, Status: http.StatusNotFound})
}

func (s *server) renderCase(w http.ResponseWriter, r *request, v caseView, status int) error {
	p := page{Name: "case", View: v, Status: status}
	if v.Officer {
		p.Styles = []string{"officer.css"}
	}
	if v.May || v.Answers {
		p.Form = "words-form"
	}
	return s.render(w, r, p)
}

func (s *server) contestSent(w http.ResponseWriter, r *request) error {
	return s.openCase(w, r, contestBase)
}

func (s *server) caseOpened(w http.ResponseWriter, r *request) error {
	return s.openCase(w, r, casesBase)
}

// openCase opens a case by the form on its page.
func (s *server) openCase(w http.ResponseWriter, r *request, base string) error {
	f, err := r.form()
	if err != nil {
		return err
	}
	v, c, err := s.caseAt(r, base)
	if linkGone(err) {
		if base == casesBase {
			return s.redirect(w, r, casesBase)
		}
		return s.contestExpired(w, r)
	}
	if err != nil {
		return err
	}
	v.Words = f.get("words")
	if switched(f) {
		return s.renderCase(w, r, v, 0)
	}
	switch n := utf8.RuneCountInString(v.Words); {
	case n == 0:
		v.Errors.add("words", "case.error.words")
	case n > maxWords:
		v.Errors.add("words", "case.error.long", "n", maxWords)
	}
	if len(v.Errors) > 0 {
		return s.renderCase(w, r, v, http.StatusUnprocessableEntity)
	}
	if base == contestBase {
		if err := s.contested(r); err != nil {
			return err
		}
	}
	if _, _, err := s.contest(r, base, c, v.Words); err != nil {
		return err
	}
	c.Act = nil // the case says it now
	return s.redirect(w, r, s.contestPath(r, base, c)+"?note=contested")
}

// contest opens a case.
func (s *server) contest(r *request, base string, c contested, words string) (a service.CaseAnswer, d service.Done, err error) {
	if _, err := r.idem(); err != nil { // before a key is made
		return a, d, err
	}
	cmd := service.Contest{ID: service.NewCase(s.deps.Rand), Subject: c.Subject, Pass: c.Pass, Act: c.Act, Days: uint16(s.answerDays())}
	if base == casesBase {
		cmd.Officer = r.Officer.ID
	}
	if cmd.SealedID, cmd.Sealed, cmd.Digest, err = s.sealWords(r.Context(), words); err != nil {
		return a, d, err
	}
	a, d, err = do[service.CaseAnswer](s, r, cmd)
	s.dropWords(r, cmd.SealedID, a.Case.Sealed, err)
	return a, d, err
}

// casesView is the list of a site's open cases.
type casesView struct {
	Place  place
	Days   []calendar.Date
	Day    calendar.Date
	Number string
	List   bool // the reader answers, and sees the list
	Lines  []caseLine
	Open   int
	Errors errorsIn
}

// caseLine is one open case in a list.
type caseLine struct {
	Path    string
	ID      appeal.ID
	Kind    appeal.Kind
	Outcome reason.Outcome
	Opened  time.Time
	Due     calendar.Date
	Late    bool
}

func (s *server) casesPage(w http.ResponseWriter, r *request) error {
	v, err := s.casesView(r, formValues(r.URL.Query()))
	if err != nil {
		return err
	}
	return s.render(w, r, page{Name: "cases", View: v, Wide: true, Styles: []string{"officer.css"}})
}

func (s *server) casesView(r *request, f formValues) (casesView, error) {
	p, err := s.siteOf(r, f.get("site"))
	if err != nil {
		return casesView{}, err
	}
	v := casesView{Place: p, Day: p.Date, List: r.Officer.Has(people.Supervisor)}
	for i := range contestDays {
		v.Days = append(v.Days, p.Date.AddDays(-i))
	}
	if d, err := calendar.ParseDate(f.get("day")); err == nil && slices.Contains(v.Days, d) {
		v.Day = d
	}
	if !v.List {
		return v, nil
	}
	var open []appeal.Case
	if err := s.view(r.Context(), func(st service.State) error {
		open = service.CasesWaiting(st, p.Site.Number, casesShown)
		all, _ := service.CaseFigures(st, p.Site.Number, p.Day)
		v.Open = int(all.Open)
		return nil
	}); err != nil {
		return v, err
	}
	for _, k := range open {
		v.Lines = append(v.Lines, caseLine{Path: s.contestPath(r, casesBase, contested{Subject: k.Subject, Pass: k.Pass}), ID: k.ID, Kind: k.Kind, Outcome: k.Outcome,
			Opened: k.OpenedAt.In(p.Zone), Due: dayDate(k.Due), Late: k.Late(p.Day)})
	}
	return v, nil
}

// casesFind opens the page of an answer by its number, for an officer.
func (s *server) casesFind(w http.ResponseWriter, r *request) error {
	f, err := r.form()
	if err != nil {
		return err
	}
	v, err := s.casesView(r, f)
	if err != nil {
		return err
	}
	c, ok, err := s.lookUpAnswer(r, f.get("number"), v.Place.Site.Number, dayNumber(v.Day))
	if err != nil {
		return err
	}
	if ok {
		_, err = s.caseView(r, casesBase, c)
		ok = err == nil
	}
	if !ok {
		v.Errors.add("number", "cases.unknown")
		return s.render(w, r, page{Name: "cases", View: v, Wide: true, Status: http.StatusUnprocessableEntity, Styles: []string{"officer.css"}})
	}
	return s.redirect(w, r, s.contestPath(r, casesBase, c))
}

// lookUpAnswer finds an answer that can be contested, or a case, by its number: for
// officers, who need no more than that.
func (s *server) lookUpAnswer(r *request, text string, site, day uint16) (c contested, ok bool, err error) {
	subject, id, serial := numberOf(text)
	err = s.view(r.Context(), func(st service.State) error {
		switch {
		case id != "":
			k, known := service.CaseOf(st, id)
			c, ok = contested{Subject: k.Subject, Pass: k.Pass}, known
		case serial != 0:
			p, sc, known := service.ScanOf(st, site, day, serial)
			c = contested{Subject: appeal.ScanSubject(site, day, sc.Serial), Pass: p.Pass}
			if known {
				_, ok = service.MatterOf(st, c.Subject, c.Pass)
			}
		default:
			c = contested{Subject: subject}
			_, ok = service.MatterOf(st, subject, pass.ID{})
		}
		return nil
	})
	return c, ok, err
}

func (s *server) casePage(w http.ResponseWriter, r *request) error {
	v, _, err := s.caseAt(r, casesBase)
	if linkGone(err) {
		return s.redirect(w, r, casesBase)
	}
	if err != nil {
		return err
	}
	return s.renderCase(w, r, v, 0)
}

// caseAnswered records a supervisor's answer.
func (s *server) caseAnswered(w http.ResponseWriter, r *request) error {
	f, err := r.form()
	if err != nil {
		return err
	}
	v, c, err := s.caseAt(r, casesBase)
	if linkGone(err) {
		return s.redirect(w, r, casesBase)
	}
	if err != nil {
		return err
	}
	v.Words, v.Result, v.OnGround, v.ByClause, v.Do = f.get("words"), f.get("result"), f.get("ground"), f.get("clause"), f.get("next")
	if switched(f) {
		return s.renderCase(w, r, v, 0)
	}
	in := caseReply{Changed: v.Result == "changed", Ground: v.OnGround, Next: v.Do, Words: v.Words}
	in.Agreement, in.Clause = s.clauseChosen(v.ByClause)
	if !in.Changed && in.Next == "" {
		in.Next = "nothing"
	}
	if v.Result != "changed" && v.Result != "upheld" {
		v.Errors.add("result", "cases.error.result")
	}
	if n := utf8.RuneCountInString(v.Words); n == 0 {
		v.Errors.add("words", "cases.error.words")
	} else if n > maxWords {
		v.Errors.add("words", "case.error.long", "n", maxWords)
	}
	if len(v.Errors) == 0 {
		_, _, err = s.answerCase(r, v.ID, in)
		for code, to := range map[string][2]string{
			"case.ground": {"ground", "cases.error.ground"}, "case.next": {"next", "cases.error.next"},
			"case.clause": {"clause", "cases.error.clause"}, "case.not_corrected": {"next", "cases.error.corrected"},
		} {
			if err != nil && problem.CodeOf(err) == code {
				v.Errors.add(to[0], to[1])
			}
		}
	}
	if len(v.Errors) > 0 {
		return s.renderCase(w, r, v, http.StatusUnprocessableEntity)
	}
	if err != nil {
		return err
	}
	return s.redirect(w, r, s.contestPath(r, casesBase, c)+"?note=answered")
}

// caseReply is what a supervisor answers.
type caseReply struct {
	Changed bool   `json:"changed"`
	Ground  string `json:"ground"`
	Clause  string `json:"clause"`
	Next    string `json:"next"`
	Words   string `json:"words"`
	// Agreement is the one of which Clause is; empty takes that of the contested answer.
	Agreement string `json:"agreement,omitempty"`
}

// answerCase runs an answer.
func (s *server) answerCase(r *request, id appeal.ID, in caseReply) (a service.CaseAnswer, d service.Done, err error) {
	if _, err := r.idem(); err != nil { // before a key is made
		return a, d, err
	}
	c := service.AnswerCase{Case: id, Changed: in.Changed, Ground: in.Ground, Clause: in.Clause, Agreement: in.Agreement, Next: in.Next, Officer: r.Officer.ID}
	if c.SealedID, c.Sealed, c.Digest, err = s.sealWords(r.Context(), in.Words); err != nil {
		return a, d, err
	}
	a, d, err = do[service.CaseAnswer](s, r, c)
	s.dropWords(r, c.SealedID, a.Case.Reply, err)
	return a, d, err
}

// caseOut is a case in a document.
type caseOut struct {
	Case       appeal.ID   `json:"case"`
	Answer     string      `json:"answer"` // the number of the contested one
	Kind       appeal.Kind `json:"kind"`
	Site       string      `json:"site"`
	Status     string      `json:"status"`
	Outcome    string      `json:"outcome,omitempty"`
	Reasons    []groundOut `json:"reasons"`
	Says       []string    `json:"says"`
	Edition    string      `json:"edition,omitempty"`
	DecidedAt  time.Time   `json:"decided_at"`
	OpenedAt   time.Time   `json:"opened_at"`
	OpenedBy   string      `json:"opened_by,omitempty"` // officer who opened it for the person
	Due        string      `json:"due"`
	Digest     string      `json:"digest"`
	Words      string      `json:"words,omitempty"`
	Changed    bool        `json:"changed"`
	Ground     string      `json:"ground,omitempty"`
	Clause     string      `json:"clause,omitempty"`
	Agreement  string      `json:"agreement,omitempty"` // of which the clause is, where there are several
	Next       string      `json:"next,omitempty"`
	AnsweredAt *time.Time  `json:"answered_at,omitempty"`
	AnsweredBy string      `json:"answered_by,omitempty"`
	Reply      string      `json:"reply,omitempty"`
	Record     *recordOut  `json:"record,omitempty"` // where the act stands, in the answer to one
}

// caseDocument writes a case. Its words are for whoever answers.
func (s *server) caseDocument(r *request, k appeal.Case, d *service.Done) (*caseOut, error) {
	e, err := s.editionFor(k.Site, r.Now)
	if err != nil {
		return nil, err
	}
	site, _ := e.SiteNumbered(k.Site)
	if err := mayAct(r.Officer, site.ID); err != nil {
		return nil, err
	}
	late := k.Late(dayNumber(calendar.On(r.Now, s.deps.Law().Zone(site.ID))))
	out := &caseOut{Case: k.ID, Answer: quotedNumber(k.Subject), Kind: k.Kind, Site: site.ID, Status: caseStatus(k, late), Reasons: []groundOut{}, Says: []string{},
		Edition: k.Edition, DecidedAt: k.DecidedAt.UTC(), OpenedAt: k.OpenedAt.UTC(), OpenedBy: k.By, Due: dayDate(k.Due).String(), Digest: hex.EncodeToString(k.Digest[:]),
		Changed: k.Changed, Ground: k.Ground, Clause: k.Clause, Agreement: k.Agreement, Next: k.Next, AnsweredBy: k.Officer}
	if k.Outcome != reason.None {
		out.Outcome = k.Outcome.String()
	}
	for _, re := range k.Reasons {
		out.Reasons = append(out.Reasons, groundOut{re.Code, re.Outcome, re.Clause, re.Agreement})
	}
	for _, l := range s.reasonLines(r.Lang, rules.Verdict{At: k.DecidedAt, Reasons: k.Reasons}) {
		out.Says = append(out.Says, l.Text)
	}
	if !k.Open() {
		at := k.AnsweredAt.UTC()
		out.AnsweredAt = &at
	}
	if d != nil {
		rec := recorded(*d)
		out.Record = &rec
	}
	if !r.Officer.Has(people.Supervisor) {
		return out, nil
	}
	var said, reply []byte
	if err := s.view(r.Context(), func(st service.State) error {
		said, _ = st.Sealed.Get(k.Sealed)
		reply, _ = st.Sealed.Get(k.Reply)
		return nil
	}); err != nil {
		return nil, err
	}
	if out.Words, _, err = s.openWords(r.Context(), k.Sealed, said); err == nil {
		out.Reply, _, err = s.openWords(r.Context(), k.Reply, reply)
	}
	return out, err
}

type contestIn struct {
	Answer string `json:"answer"` // its number
	Site   string `json:"site"`
	Day    string `json:"day"`
	Words  string `json:"words"`
}

// apiContest opens a case for a person.
func (s *server) apiContest(w http.ResponseWriter, r *request) error {
	in, err := decode[contestIn](r)
	if err != nil {
		return err
	}
	site, day, err := s.dayToAct(r, in.Site, in.Day)
	if err != nil {
		return err
	}
	if in.Words, err = s.wordsIn(in.Words); err != nil {
		return err
	}
	if len(in.Answer) > 64 {
		return problem.Field("answer", "case.subject")
	}
	c, ok, err := s.lookUpAnswer(r, in.Answer, site.Number, day)
	if err != nil {
		return err
	}
	if !ok {
		return problem.New(problem.NotFound, "case.subject")
	}
	a, d, err := s.contest(r, casesBase, c, in.Words)
	if err != nil {
		return err
	}
	out, err := s.caseDocument(r, a.Case, &d)
	if err != nil {
		return err
	}
	return s.ok(w, out)
}

func (s *server) wordsIn(text string) (string, error) {
	words, err := plainText("words", text, 4*maxWords)
	if n := utf8.RuneCountInString(words); err == nil && (n == 0 || n > maxWords) {
		err = problem.Field("words", "case.words")
	}
	return words, err
}

// caseNamed is the case that a call's path names, where the program's officer may see it.
func (s *server) caseNamed(r *request) (k appeal.Case, err error) {
	_, id, _ := numberOf(r.PathValue("case"))
	ok := false
	err = s.view(r.Context(), func(st service.State) error {
		k, ok = service.CaseOf(st, id)
		return nil
	})
	if err == nil && !ok {
		err = problem.New(problem.NotFound, "case.unknown")
	}
	return k, err
}

func (s *server) apiCase(w http.ResponseWriter, r *request) error {
	k, err := s.caseNamed(r)
	if err != nil {
		return err
	}
	out, err := s.caseDocument(r, k, nil)
	if err != nil {
		return err
	}
	return s.ok(w, out)
}

type casesOut struct {
	AsOf     time.Time  `json:"as_of"`
	Open     uint32     `json:"open"`
	Answered uint32     `json:"answered"`
	Changed  uint32     `json:"changed"`
	Cases    []*caseOut `json:"cases"`
}

// apiCases lists the open cases of a site, the oldest first.
func (s *server) apiCases(w http.ResponseWriter, r *request) error {
	site, day, err := s.dayToAct(r, r.URL.Query().Get("site"), "")
	if err != nil {
		return err
	}
	out := casesOut{AsOf: r.Now.UTC(), Cases: []*caseOut{}}
	var open []appeal.Case
	if err := s.view(r.Context(), func(st service.State) error {
		open = service.CasesWaiting(st, site.Number, casesShown)
		all, _ := service.CaseFigures(st, site.Number, day)
		out.Open, out.Answered, out.Changed = all.Open, all.Answered, all.Changed
		return nil
	}); err != nil {
		return err
	}
	for _, k := range open {
		one, err := s.caseDocument(r, k, nil)
		if err != nil {
			return err
		}
		out.Cases = append(out.Cases, one)
	}
	return s.ok(w, out)
}

// apiAnswer answers a case.
func (s *server) apiAnswer(w http.ResponseWriter, r *request) error {
	in, err := decode[caseReply](r)
	if err != nil {
		return err
	}
	k, err := s.caseNamed(r)
	if err != nil {
		return err
	}
	if in.Words, err = s.wordsIn(in.Words); err != nil {
		return err
	}
	if len(in.Ground) > 40 || len(in.Next) > 40 || len(in.Clause) > 64 || len(in.Agreement) > 64 {
		return problem.Field("ground", "case.ground")
	}
	a, d, err := s.answerCase(r, k.ID, in)
	if err != nil {
		return err
	}
	out, err := s.caseDocument(r, a.Case, &d)
	if err != nil {
		return err
	}
	return s.ok(w, out)
}
