// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"net/http"
	"net/url"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/gate"
	"darwaza.dev/internal/lang"
	"darwaza.dev/internal/pass"
	"darwaza.dev/internal/people"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/proof"
	"darwaza.dev/internal/reason"
	"darwaza.dev/internal/rules"
	"darwaza.dev/internal/service"
)

// lastScans is how many scans the gate's page lists, allScans how many the page of all.
const (
	lastScans = 5
	allScans  = 200
)

// gateView is the gate's page.
type gateView struct {
	Place  place
	Out    bool
	Answer *gateAnswer // nil before the first scan
	Find   *findAnswer // what was found by document
	Proof  *proofView  // what was found of a certificate whose pass is still to be scanned
	Carry  string      // what is taken along to the next scan, sealed
	Empty  bool        // nothing was scanned
	Inside uint32
	Cap    uint32 // 0 where there is none
	Full   bool
	Heard  *age // of the other side's list of withdrawn passes; nil where it was never read
	Late   bool // the list is older than the edition lets it be
	Behind bool // the clock shows a time that has been
	Last   []scanLine
	Level  *levelLine // of protection, nil where the mildest holds and no other is known to come
}

// gateAnswer is the one big answer.
type gateAnswer struct {
	Outcome reason.Outcome
	Word    string // key of the word that fills the screen
	Icon    string
	Out     bool
	Reasons []reasonLine
	Wanted  []reasonLine   // the clauses that ask for what the form asks for
	Goods   reason.Outcome // of the goods that leave, none where none do
	// GoodsWhy are its reasons, GoodsDecider the key of the role that ends what they leave open.
	GoodsWhy     []reasonLine
	GoodsDecider string
	GoodsEnd     goodsOut   // what became of them
	GoodsForm    *goodsForm // for the decision on them, where the officer may take it
	Class        lang.Text
	From         time.Time // of the slot, zero where it is not known
	Until        time.Time
	People       uint32
	Adults       uint32
	// Children ride on an adult's pass.
	Children uint32
	Number   uint64 // serial of the scan, as the traveller is told it; 0 where it was not kept
	Pass     pass.ID
	Place    place
	// Earlier is the scan that this one contradicts, This is this one beside it.
	Earlier, This *scanLine
	// What would complete the answer.
	AskDocument, AskScreening, AskDecision bool
	Questions                              []question // of the screening, beside temperature and symptoms
	AskProof                               bool
	AskHolder                              bool     // whether the certificate is the holder's
	Carry                                  string   // what is taken along to the next scan, sealed
	Holders                                []string // whom the certificates name, where that is asked
	Name                                   string   // of the holder, where this side sold the pass and a document is asked for
	Text                                   string   // of the pass, carried to the scan that completes this one
	Found                                  string   // or the booking that was found, with the document
	Document                               string
	Seen                                   bool
	NoLook                                 bool // the document has to be read: that an officer has seen it is not enough
	// Mistyped asks for the document again, because the one that was keyed does not fit.
	// Where a document alone is asked for, Screened is what was measured before, sealed.
	Mistyped bool
	Screened string
	Errors   errorsIn // what to mend in the form
	Grounds  []string
	Decider  string     // key of the role that must decide, where the officer does not hold it
	Needs    []needLine // what would change the answer
	CanUndo  bool
	Note     string // key of what was just done
	NotDone  string // key of why what was asked for was not done
	Decided  bool
}

// scanLine is one scan in a list.
type scanLine struct {
	Pass    pass.ID
	Number  uint64
	At      time.Time
	Out     bool
	Gate    lang.Text
	Officer string
	Outcome reason.Outcome
	Counted bool
	Void    bool
	Settled bool
	Pending bool
	Lapsed  bool
	// Corrected is the number of the scan that put this one right, 0 where none has.
	Corrected uint64
	People    uint32 // 0 where the scan belongs to no pass
}

// findAnswer is what a lost pass's document leads to.
type findAnswer struct {
	Document string
	Parties  []foundParty
	Out      bool
	Place    place
}

// foundParty is a booking, or a person inside, that fits a document.
type foundParty struct {
	Key         string // of the form field that names it
	Ref         booking.Ref
	Class       lang.Text
	From, Until time.Time
	People      uint32
	Inside      bool
}

// age is how old a figure is.
type age struct {
	At      time.Time
	Minutes int64
	Seconds int64
}

// Hours and Days are the age in whole hours and whole days.
func (a age) Hours() int64 { return a.Minutes / 60 }
func (a age) Days() int64  { return a.Hours() / 24 }

func ageOf(now, at time.Time) *age {
	if at.IsZero() {
		return nil
	}
	d := max(now.Sub(at), 0)
	return &age{At: at, Minutes: int64(d / time.Minute), Seconds: int64(d / time.Second)}
}

// gateWord is the key of the word that fills the screen, and its sign.
func gateWord(o reason.Outcome, out bool) (word, icon string) {
	switch o {
	case reason.Allow:
		if out {
			return "gate.word.out", "check"
		}
		return "gate.word.in", "check"
	case reason.Hold:
		return "gate.word.hold", "pause"
	case reason.Refer, reason.Conflict, reason.Breach, reason.Divert:
		return "gate.word.refer", "ask"
	case reason.Closed:
		return "gate.word.closed", "closed"
	}
	return "gate.word.refuse", "cross"
}

func (s *server) gatePage(w http.ResponseWriter, r *request) error {
	f, p, err := s.atGate(r)
	if err != nil {
		return err
	}
	return s.renderGate(w, r, gateView{Place: p, Out: f.get("direction") == string(gate.Out)}, http.StatusOK)
}

// behind reports whether the clock here is known to be wrong.
func (s *server) behind(now time.Time) bool { return s.deps.Behind != nil && s.deps.Behind(now) }

// renderGate fills in what the gate's page always shows, and answers with it.
func (s *server) renderGate(w http.ResponseWriter, r *request, v gateView, status int) error {
	law := s.deps.Law()
	err := s.view(r.Context(), func(st service.State) error {
		day, _ := st.Gate.Days.Get(gate.SiteDayKey{Site: v.Place.Site.Number, Day: v.Place.Day})
		v.Inside = day.Inside
		heard := service.HeardOf(st, s.deps.Side)
		v.Heard = ageOf(r.Now, heard.At)
		v.Level = s.levelLine(st, v.Place.Edition, v.Place.Site, r.Now)
		v.Last = s.scanLines(st, v.Place, day.Roster, 4*lastScans, lastScans, true)
		return nil
	})
	if err != nil {
		return err
	}
	if n, ok := law.Param("occupancy.cap", v.Place.Site.ID, s.deps.Side, r.Now); ok {
		v.Cap = uint32(max(n, 0))
		v.Full = v.Inside >= v.Cap
	}
	v.Behind = s.behind(r.Now)
	if limit, ok := law.Param("heard.age", v.Place.Site.ID, s.deps.Side, r.Now); ok {
		v.Late = v.Heard == nil || v.Heard.Minutes >= limit
	}
	return s.render(w, r, page{Name: "gate", View: v, Status: status, Wide: true, Camera: true,
		Styles: []string{"officer.css"}, Scripts: []string{"wedge.js", "gate.js"}})
}

// scanLines returns the newest scans of a place, newest first. It walks the newest
// rows of the day's roster: a pass that was first seen long ago and is scanned again
// stands on the page of all scans, which walks the whole of it. mine keeps to the
// place's gate.
func (s *server) scanLines(st service.State, p place, roster uint32, passes uint32, limit int, mine bool) []scanLine {
	var lines []scanLine
	for pos := roster; pos > 0 && roster-pos < passes; pos-- {
		id, ok := st.Gate.Roster.Get(gate.RosterKey{Site: p.Site.Number, Day: p.Day, Pos: pos - 1})
		if !ok {
			continue
		}
		pr, ok := st.Gate.Presences.Get(id)
		if !ok {
			continue
		}
		for _, sc := range pr.Scans {
			// A scan that another one completed says nothing by itself.
			half := sc.Outcome.NeedsOfficer() && !sc.Counted && sc.Decided == "" && sc.Serial != pr.Pending
			if mine && (sc.Gate != p.Gate.Number || half || sc.Corrected != 0) {
				continue
			}
			lines = append(lines, s.scanLine(p, pr, sc))
		}
	}
	for _, sc := range service.StraysOf(st, p.Site.Number, p.Day, limit) {
		if !mine || sc.Gate == p.Gate.Number {
			lines = append(lines, s.scanLine(p, gate.Presence{}, sc))
		}
	}
	sort.Slice(lines, func(i, j int) bool { return lines[i].Number > lines[j].Number })
	return lines[:min(len(lines), limit)]
}

func (s *server) scanLine(p place, pr gate.Presence, sc gate.Scan) scanLine {
	g, _ := p.Site.Gate(sc.Gate)
	return scanLine{
		Pass: pr.Pass, Number: sc.Serial, At: sc.At.In(p.Zone), Out: sc.Direction == gate.Out, Gate: g.Name,
		Officer: sc.Officer, Outcome: sc.Outcome, Counted: sc.Counted, Void: sc.Void, Settled: sc.Settled,
		Pending: pr.Pending == sc.Serial, Lapsed: sc.Lapsed, Corrected: sc.Corrected, People: pr.People,
	}
}

// gateScan answers a scan. It is the one form of ours that is answered without a
// redirect: reading the page again sends the same act again, which is done once.
func (s *server) gateScan(w http.ResponseWriter, r *request) error {
	f, p, err := s.atGate(r)
	if err != nil {
		return err
	}
	return s.scanned(w, r, f, p, nil)
}

// scanned answers a scan, or a paper that the officer attests in place of one.
func (s *server) scanned(w http.ResponseWriter, r *request, f formValues, p place, attested *proof.Result) error {
	var err error
	out := f.get("direction") == string(gate.Out)
	v := gateView{Place: p, Out: out}
	text, document := f.get("text"), f.get("document")
	found := f.get("found")
	carry := s.tokens.openCarried(f.get("carry"), r.Officer.ID, p.Site.Number, r.Now)
	again, seen, shown := f.get("again"), f.get("seen") == "yes", false
	switch {
	case attested != nil, isProof(text):
		if attested != nil {
			carry.seen(attested, nil, p.Zone)
		} else {
			carry.readProofs(text, s.trusted(p.Site.ID, r.Now), p.Zone, r.Now)
		}
		if len(carry.Parts) > 0 || carry.Pass == "" && carry.Found == "" || carry.Out != out {
			v.Proof = s.proofSeen(r, &carry)
			if v.Carry, err = s.tokens.sealCarried(carry, r.Officer.ID, p.Site.Number, r.Now); err != nil {
				return err
			}
			return s.renderGate(w, r, v, http.StatusOK)
		}
		// The certificate of the pass that waits for it.
		text, found, document, seen, shown = carry.Pass, carry.Found, carry.Document, carry.Seen, true
		again = strconv.FormatUint(carry.Again, 10)
	case carry.Pass != "" && carry.Pass != text || carry.Found != "" && carry.Found != found:
		carry = carried{} // the next traveller's
	}
	if f.get("owner") == "yes" && carry.Shown.Any() {
		carry.Compared = true
	}
	if text == "" && found == "" {
		v.Empty = true
		return s.renderGate(w, r, v, http.StatusUnprocessableEntity)
	}
	c := service.Scan{Site: p.Site.Number, Gate: p.Gate.Number, Direction: gate.In, Officer: r.Officer.ID, Behind: s.behind(r.Now)}
	if out {
		c.Direction = gate.Out
	}
	var own *booking.Booking // where this side sold the pass
	var member int
	kind := pass.Recognise(text)
	c.Looks = kind
	switch {
	case found != "":
		b, m, claims, err := s.claimsOf(r, p, found, document)
		if err != nil {
			return err
		}
		own, member, c.Claims, c.Found, c.Match = b, m, claims, true, service.Fits
	case kind == pass.Pass:
		c.Claims, c.Fault = s.deps.Trust().Verify(text, r.Now)
		if pass.Genuine(c.Fault) {
			if own, member, err = s.bookingOfPass(r, c.Claims.ID); err != nil {
				return err
			}
		}
	case len(documents(text, countries(p.Edition))) > 0:
		// A document in the scanner's field: whose pass is lost, or who comes without one.
		fa, err := s.find(r, p, out, text, "")
		if err != nil {
			return err
		}
		v.Find = fa
		return s.renderGate(w, r, v, http.StatusOK)
	default:
		c.Claims, c.Fault = s.deps.Trust().Verify(text, r.Now)
	}

	a := &gateAnswer{Place: p, Out: out, Text: text, Found: found, Document: document}
	var readable bool
	if found == "" && pass.Genuine(c.Fault) {
		switch {
		case document != "":
			if c.Match, c.Tag, c.Register, readable = s.compare(p, c.Claims, own, member, document); !readable {
				a.Errors.add("document", "find.document.wrong")
			}
		case seen:
			c.Match = service.Seen
		}
		a.Seen = c.Match == service.Seen
	}
	if n, err := strconv.ParseUint(again, 10, 64); err == nil {
		c.Again = n
	}
	if carry.Shown.Any() || len(carry.Why) > 0 {
		name := ""
		if own != nil {
			name = s.memberName(r, *own, member)
		}
		c.Evidence = carry.evidence(name, document, r.Now)
	}
	a.Mistyped = f.get("mistyped") != ""
	if sealed := f.get("screened"); sealed != "" {
		if c.Screening, readable = s.tokens.openScreening(sealed, c.Claims.ID, r.Now); readable {
			a.Screened = sealed
		}
	} else {
		if !shown {
			c.Screening = gateAnswers(f, &a.Errors)
		}
		if !c.Screening.Done && len(a.Errors) == 0 {
			c.Screening = carry.Screening
		}
	}
	if len(a.Errors) > 0 {
		if a.Carry, err = s.tokens.sealCarried(carry, r.Officer.ID, p.Site.Number, r.Now); err != nil {
			return err
		}
		// Nothing is asked of the gate, and nothing recorded, until the officer has mended it.
		v.Answer = a
		a.Outcome, a.Number, a.Pass = reason.Hold, c.Again, c.Claims.ID
		a.AskScreening = f.has("temperature") || f.has("symptoms")
		a.Questions = questions(p.Edition, f[askedField])
		a.NoLook = own == nil
		a.AskDocument = f.has("document") && c.Match != service.Fits && c.Match != service.Seen
		if a.AskDocument && own != nil {
			a.Name = s.memberName(r, *own, member)
		}
		a.Word, a.Icon = gateWord(reason.Hold, out)
		return s.renderGate(w, r, v, http.StatusUnprocessableEntity)
	}
	ans, _, err := do[service.ScanAnswer](s, r, c)
	if err != nil {
		return err
	}
	if err := s.fillAnswer(r, a, ans); err != nil {
		return err
	}
	a.Mistyped = a.AskDocument && ans.Verdict.Outcome == reason.Refuse
	if ans.Verdict.Outcome.NeedsOfficer() && !out {
		// What waits takes along all that was shown; what has ended forgets it.
		carry.Pass, carry.Found, carry.Document, carry.Seen, carry.Out = text, found, document, c.Match == service.Seen, out
		carry.Again, carry.Screening = ans.Scan.Serial, c.Screening
		if found != "" {
			carry.Pass = ""
		}
		if a.Carry, err = s.tokens.sealCarried(carry, r.Officer.ID, p.Site.Number, r.Now); err != nil {
			return err
		}
	}
	if a.AskHolder {
		for _, h := range carry.Holders {
			a.Holders = append(a.Holders, h.said())
		}
	}
	if a.Screened = ""; a.AskDocument && !a.AskScreening && c.Screening.Done {
		if a.Screened, err = s.tokens.sealScreening(c.Screening, c.Claims.ID, r.Now); err != nil {
			return err
		}
	}
	if len(a.Reasons) > 0 {
		ask := rules.Query{Site: p.Site.ID, Side: string(s.deps.Side), At: ans.Verdict.At, Facts: measured(c.Screening)}
		c.Evidence.Shown.Into(s.deps.Law(), &ask)
		a.Needs = s.wouldChange(r.Lang, ans.Verdict, ask)
	}
	if (a.AskDocument || a.AskHolder) && own != nil {
		a.Name = s.memberName(r, *own, member)
	}
	v.Answer = a
	return s.renderGate(w, r, v, http.StatusOK)
}

// fillAnswer takes the gate's answer apart for the page.
func (s *server) fillAnswer(r *request, a *gateAnswer, ans service.ScanAnswer) error {
	law := s.deps.Law()
	a.Outcome = ans.Verdict.Outcome
	a.Word, a.Icon = gateWord(a.Outcome, a.Out)
	for _, l := range s.reasonLines(r.Lang, ans.Verdict) {
		// What is only still to be shown or measured is asked for by the form below; the
		// clauses that ask for it are named there.
		if l.Code == rules.CodeWanted && len(ans.Asks) > 1 {
			a.Wanted = append(a.Wanted, l)
		} else {
			a.Reasons = append(a.Reasons, l)
		}
	}
	if ans.Goods.Point != "" {
		a.Goods, a.GoodsWhy = ans.Goods.Outcome, s.reasonLines(r.Lang, ans.Goods)
		a.GoodsDecider = s.decider(r, ans.Goods.Reasons)
	}
	a.Pass, a.Number = ans.Presence.Pass, ans.Scan.Serial
	a.People = ans.People
	if ans.People > 0 {
		a.Adults, a.Children = 1, ans.People-1
	}
	a.Class, _ = service.ClassName(law, a.Place.Site.Number, ans.Class, r.Now)
	if slot := booking.SlotID(ans.Presence.Slot); slot != 0 {
		if plan, ok := law.Slot(slot.Site(), slot.Class(), slot.Day(), slot.Minute()); ok {
			a.From, a.Until = plan.From.In(a.Place.Zone), plan.Until.In(a.Place.Zone)
		}
	}
	if ans.Earlier != nil {
		e, t := s.scanLine(a.Place, ans.Presence, *ans.Earlier), s.scanLine(a.Place, ans.Presence, ans.Scan)
		a.Earlier, a.This = &e, &t
	}
	for _, ask := range ans.Asks {
		switch ask {
		case "document":
			a.AskDocument = true
		case "screening":
			a.AskScreening = true
			a.Questions = questions(a.Place.Edition, ans.Verdict.Missing)
		case "proof":
			a.AskProof = true
		case "holder":
			a.AskHolder = true
		case "decision":
			a.AskDecision = true
		}
	}
	if a.AskDecision {
		a.Grounds = gate.Grounds[:]
		open := ans.Presence.ToDecide(ans.Scan)
		a.Decider = s.decider(r, open)
		a.NoLook = slices.ContainsFunc(open, func(r reason.Reason) bool { return gate.Supervised(r.Code) })
	}
	a.CanUndo = ans.Scan.Serial != 0 && ans.Scan.Counted && !ans.Scan.Void
	a.Decided = ans.Scan.Decided != ""
	if sc := ans.Scan; ans.Goods.Point != "" {
		a.GoodsEnd = goodsOut{Go: sc.GoodsGo, Ground: sc.GoodsGround, Lapsed: sc.GoodsLapsed}
		kept := sc.GoodsBy != "" && !sc.GoodsGo && !sc.GoodsLapsed
		if a.GoodsDecider == "" && (kept || ans.Presence.GoodsOpen(sc)) && slices.ContainsFunc(mayRelease(), r.Officer.Has) {
			form := goodsFormOf(a.Place, ans.Presence.Pass, sc, "gate")
			a.GoodsForm = &form
		}
		if sc.GoodsBy != "" {
			return s.view(r.Context(), func(st service.State) error {
				a.GoodsEnd.By = s.login(st, sc.GoodsBy)
				return nil
			})
		}
	}
	return nil
}

// decider returns the key of the role that a clause names, or the gate itself, to end what
// is left open, where the officer does not hold it: they may still turn somebody back.
func (s *server) decider(r *request, rs []reason.Reason) string {
	for _, re := range rs {
		if gate.Supervised(re.Code) {
			if !r.Officer.Has(people.Supervisor) {
				return "role." + string(people.Supervisor)
			}
			continue
		}
		if who := s.deps.Law().Decider(re, r.Now); who != "" && !r.Officer.Has(people.Role(who)) && !r.Officer.Has(people.Supervisor) {
			return "role." + who
		}
	}
	return ""
}

// compare says whether a document is the one that a pass is bound to, and the day tag
// of the one that is, with its tag without a period. A text that is no document's is not readable, and says nothing of
// the holder.
func (s *server) compare(p place, c pass.Claims, own *booking.Booking, member int, text string) (m service.Match, tag, register [16]byte, readable bool) {
	var more []string
	if own != nil {
		more = append(more, own.Members[member].Country)
	}
	ds := documents(text, countries(p.Edition, more...))
	for _, d := range ds {
		if s.deps.Secrets.Bind(c.ID, d.Key()) == c.Binding {
			return service.Fits, s.deps.Secrets.Tag(booking.SlotID(c.Slot).Day(), d.Key()), s.deps.Secrets.Register(d.Key()), true
		}
	}
	if len(ds) == 0 {
		return service.NotCompared, [16]byte{}, [16]byte{}, false
	}
	return service.Differs, [16]byte{}, [16]byte{}, true
}

// gateAnswers reads what the gate's health questions were answered with, and adds what
// cannot be right.
func gateAnswers(f formValues, wrong *errorsIn) (sc service.Screening) {
	temp, symptoms := f.get("temperature"), f.get("symptoms")
	if temp == "" && symptoms == "" && !f.has(askedField) {
		return sc
	}
	if temp != "" {
		t, ok := parseTenths(temp)
		if sc.TempTenths = int16(min(t, gate.MostTemp+1)); !ok || t == 0 || !sc.Possible() {
			wrong.add("temperature", "gate.temperature.wrong")
		}
	}
	if symptoms != "yes" && symptoms != "no" {
		wrong.add("symptoms", "gate.symptoms.empty")
	}
	sc.Done, sc.Symptoms = true, symptoms == "yes"
	sc.Answers = answers(f, wrong)
	return sc
}

// parseTenths reads "36.7", "36,7", "36٫7" or "36" in any script's digits as tenths.
func parseTenths(s string) (int64, bool) {
	s = strings.NewReplacer(",", ".", "٫", ".", "°", "", "C", "").Replace(lang.PlainDigits(s))
	whole, frac, _ := strings.Cut(strings.TrimSpace(s), ".")
	if len(frac) > 1 {
		frac = frac[:1]
	}
	if frac == "" {
		frac = "0"
	}
	n, err := strconv.ParseUint(whole+frac, 10, 16)
	return int64(n), err == nil && whole != ""
}

// bookingOfPass returns this side's booking of a pass, nil where the other side sold it.
func (s *server) bookingOfPass(r *request, id pass.ID) (*booking.Booking, int, error) {
	var (
		b      booking.Booking
		member int
		ok     bool
	)
	err := s.view(r.Context(), func(st service.State) error {
		b, member, ok = service.BookingOfPass(st, id)
		return nil
	})
	if err != nil || !ok {
		return nil, 0, err
	}
	return &b, member, nil
}

// gateDecide records an officer's decision on a scan that was referred or held.
func (s *server) gateDecide(w http.ResponseWriter, r *request) error {
	f, p, id, serial, err := s.atScan(r)
	if err != nil {
		return err
	}
	act := f.get("act")
	if act != "admit" && act != "back" {
		return problem.Field("act", "form")
	}
	c := service.DecideScan{Pass: id, Serial: serial, Admit: act == "admit", Why: f.get("why"), Officer: r.Officer.ID, Gate: p.Gate.Number}
	if _, _, err := do[service.ScanAnswer](s, r, c); err != nil {
		return err
	}
	return s.redirect(w, r, scanPath(p, id, serial, act))
}

// gateUndo takes a mistaken scan back.
func (s *server) gateUndo(w http.ResponseWriter, r *request) error {
	_, p, id, serial, err := s.atScan(r)
	if err != nil {
		return err
	}
	if _, _, err := do[service.ScanAnswer](s, r, service.UndoScan{Pass: id, Serial: serial, Officer: r.Officer.ID}); err != nil {
		return err
	}
	return s.redirect(w, r, scanPath(p, id, serial, "undone"))
}

// atScan is atGate for an act on a scan.
func (s *server) atScan(r *request) (f formValues, p place, id pass.ID, serial uint64, err error) {
	if f, p, err = s.atGate(r); err == nil {
		id, serial, err = scanKey(f.get("pass"), f.get("serial"))
	}
	return f, p, id, serial, err
}

func scanKey(id, serial string) (pass.ID, uint64, error) {
	p, err1 := pass.ParseID(id)
	n, err2 := strconv.ParseUint(serial, 10, 64)
	if err1 != nil || err2 != nil {
		return pass.ID{}, 0, problem.Field("pass", "form")
	}
	return p, n, nil
}

func scanPath(p place, id pass.ID, serial uint64, did string) string {
	q := url.Values{}
	q.Set("site", strconv.Itoa(int(p.Site.Number)))
	q.Set("gate", strconv.Itoa(int(p.Gate.Number)))
	q.Set("did", did)
	return "/gate/scan/" + id.String() + "/" + strconv.FormatUint(serial, 10) + "?" + q.Encode()
}

// gateScanPage shows one scan as it stands now: after a decision, or from a list. The
// reasons of its answer were shown then and are not kept with it.
func (s *server) gateScanPage(w http.ResponseWriter, r *request) error {
	f, p, err := s.atGate(r)
	if err != nil {
		return err
	}
	id, serial, err := scanKey(r.PathValue("pass"), r.PathValue("serial"))
	if err != nil {
		return errNotFound
	}
	var pr gate.Presence
	err = s.view(r.Context(), func(st service.State) error {
		pr, _ = service.PresenceOf(st, id)
		return nil
	})
	if err != nil {
		return err
	}
	for _, sc := range pr.Scans {
		if sc.Serial != serial || pr.Site != p.Site.Number {
			continue
		}
		a := &gateAnswer{Place: p, Out: sc.Direction == gate.Out}
		if !sc.Outcome.NeedsOfficer() {
			// Where a scan that waited was refused in the end, what it waited for is no more to be supplied.
			sc.Reasons = slices.DeleteFunc(slices.Clone(sc.Reasons), func(r reason.Reason) bool { return r.Outcome.NeedsOfficer() })
		}
		if err := s.fillAnswer(r, a, service.ScanAnswer{Scan: sc, Presence: pr, Class: pr.Class, People: pr.People, Goods: service.GoodsVerdict(sc),
			Verdict: rules.Verdict{Point: rules.Gate, Outcome: sc.Outcome, Reasons: sc.Reasons, At: sc.At}}); err != nil {
			return err
		}
		if a.Decided {
			a.Outcome, a.Note = reason.Refuse, "gate.did.back"
			if sc.Admitted {
				a.Outcome, a.Note = reason.Allow, "gate.did.admit"
			}
		}
		a.Word, a.Icon = gateWord(a.Outcome, a.Out)
		switch {
		case sc.Lapsed:
			a.Word, a.Icon, a.Outcome = "gate.word.lapsed", "clock", reason.None
			a.Reasons = s.reasonLines(r.Lang, rules.Verdict{At: sc.At, Reasons: []reason.Reason{{Code: gate.CodePast, Outcome: reason.Refuse}}})
		case sc.Void:
			a.Word, a.Icon, a.Note, a.Outcome = "gate.word.undone", "info", "gate.did.undone", reason.None
		case pr.Pending == serial:
			a.AskDecision, a.Grounds = true, gate.Grounds[:]
			a.Decider = s.decider(r, pr.ToDecide(sc))
		}
		switch did := f.get("did"); {
		case a.GoodsEnd.By != "" && (did == "go" && sc.GoodsGo || did == "keep" && !sc.GoodsGo):
			a.Note = "leaving.did." + did
		case sc.GoodsLapsed && (did == "go" || did == "keep"):
			a.NotDone = "gate.did.lapsed"
		}
		if did := f.get("did"); !a.Decided && (did == "admit" || did == "back") {
			a.NotDone = "gate.did.changed"
			if sc.Lapsed {
				a.NotDone = "gate.did.lapsed"
			}
		}
		return s.renderGate(w, r, gateView{Place: p, Out: a.Out, Answer: a}, http.StatusOK)
	}
	return errNotFound
}

// scansView is the page of all scans of a place.
type scansView struct {
	Place place
	Lines []scanLine
	All   bool // of every gate of the site
	Most  int  // where there may be more than are shown, how many are; else 0
}

func (s *server) gateScans(w http.ResponseWriter, r *request) error {
	f, p, err := s.atGate(r)
	if err != nil {
		return err
	}
	v := scansView{Place: p, All: f.get("all") != ""}
	err = s.view(r.Context(), func(st service.State) error {
		day, _ := st.Gate.Days.Get(gate.SiteDayKey{Site: p.Site.Number, Day: p.Day})
		v.Lines = s.scanLines(st, p, day.Roster, day.Roster, allScans, !v.All)
		return nil
	})
	if err != nil {
		return err
	}
	if len(v.Lines) == allScans {
		v.Most = allScans
	}
	return s.render(w, r, page{Name: "scans", View: v, Wide: true, Styles: []string{"officer.css"}})
}

// measured are the facts of a screening, which a verdict never shows.
func measured(x service.Screening) rules.Facts {
	if !x.Done {
		return nil
	}
	f := rules.Facts{"screening.symptoms": x.Symptoms}
	if x.TempTenths != 0 {
		f["screening.temperature"] = int64(x.TempTenths)
	}
	for _, a := range x.Answers {
		if a.Tenths != 0 {
			f[a.Attribute] = int64(a.Tenths)
		} else {
			f[a.Attribute] = a.Yes
		}
	}
	return f
}
