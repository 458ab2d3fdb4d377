// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"encoding/hex"
	"net/http"
	"slices"
	"strconv"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/closure"
	"darwaza.dev/internal/lang"
	"darwaza.dev/internal/people"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/rules"
	"darwaza.dev/internal/service"
)

// mayClose are the roles that a clause can name; the clause says which of them may close.
func mayClose() []people.Role {
	return []people.Role{people.Health, people.Manager, people.Supervisor}
}

// closureLine is what is closed at a site, as everybody is told it.
type closureLine struct {
	Acts    []actLine
	Stages  []stageLine    // of the plan that both sides have signed
	Waiting uint32         // people who wait here, 0 where none do or no plan is known
	Ends    *calendar.Date // by when all who wait have crossed
}

// actLine is one act.
type actLine struct {
	Name    string // such as "A1"
	Number  uint32
	Side    lang.Text
	Mine    bool
	Holds   bool
	Classes []lang.Text // all where there is none
	Way     string      // "in", "out" or empty
	From    moment
	Until   *moment // nil where nobody knows
	Cause   string
	Clause  levelClause
	By      string // login of this side's officer
}

// stageLine is a stage of a plan.
type stageLine struct {
	From   calendar.Date
	Days   []calendar.Date // one of each weekday, none where every day is open
	Places uint32
}

// planLine is a plan.
type planLine struct {
	Name    string
	Number  uint32
	Digest  string // hex
	Mine    bool
	Agreed  bool
	Side    lang.Text
	Ends    calendar.Date
	Waiting uint32
	Stages  []stageLine
	Acts    []string
}

// weekday is some day of a weekday, for its name.
func weekday(d uint8) calendar.Date {
	return calendar.MustDate("2023-01-01").AddDays(int(d)) // a Sunday
}

func stageLines(stages []closure.Stage) (out []stageLine) {
	for _, s := range stages {
		l := stageLine{From: s.From, Places: s.Places}
		for _, d := range s.Days {
			l.Days = append(l.Days, weekday(d))
		}
		out = append(out, l)
	}
	return out
}

func (s *server) actLine(st service.State, e *agreement.Edition, site agreement.Site, x service.ActView, now time.Time) actLine {
	l := actLine{Name: x.Name.String(), Number: x.Name.Number, Side: e.Parties[x.Name.Side].Name, Mine: x.Mine, Holds: x.Holds, Way: x.Act.Direction, Cause: x.Act.Cause,
		From: *momentOf(e, site, x.Act.From), Clause: levelClause{ID: x.Act.Clause}}
	for _, id := range x.Act.Classes {
		if c, ok := e.Class(id); ok {
			l.Classes = append(l.Classes, c.Name)
		}
	}
	if end := x.Act.End(); !end.IsZero() {
		l.Until = momentOf(e, site, end)
	}
	if c := e.Clause(x.Act.Clause); c != nil {
		l.Clause = levelClause{ID: c.ID, Anchor: s.anchor(e, c), Law: s.lawPath(e, now), Say: c.Text, Example: e.Instruments[c.Instrument].Status == "example"}
	}
	if o, ok := service.OfficerOf(st, people.OfficerID(x.Act.Officer)); ok {
		l.By = o.Login
	}
	return l
}

// closureLine is nil where nothing is closed and no plan runs.
func (s *server) closureLine(st service.State, e *agreement.Edition, site agreement.Site, now time.Time) *closureLine {
	v := service.ClosureOf(st, s.deps.Law(), s.deps.Side, site.Number, now)
	out := closureLine{}
	for _, a := range v.Acts {
		out.Acts = append(out.Acts, s.actLine(st, e, site, a, now))
	}
	for _, p := range v.Plans {
		if p.Agreed {
			out.Stages = stageLines(p.Plan.Stages)
		}
	}
	if !v.Ends.IsZero() {
		out.Ends, out.Waiting = &v.Ends, v.Waiting
	}
	if len(out.Acts) == 0 && out.Stages == nil {
		return nil
	}
	return &out
}

// closuresView is the page of acts and plans.
type closuresView struct {
	Place   place
	Acts    []actLine
	Plans   []planLine
	Waiting uint32
	Judged  judgedLine
	Powers  []powerRow // that the officer may use
	Classes []agreement.Class
	Days    []calendar.Date
	Causes  []string
	May     bool // the officer may sign plans
	First   calendar.Date
	Daily   calendar.Date
	Errors  errorsIn
	Why     []reasonLine
}

// judgedLine counts bookings that a closure has touched.
type judgedLine struct {
	All, Closed, Again, Over int
	// Asks are those of which the law, asked again for the day of their turn, wants
	// something more, such as a certificate; Against those that it is against.
	Asks, Against int
}

type powerRow struct {
	levelClause
	Notice, Most int // hours, 0 where there is none
}

func (s *server) closuresPage(w http.ResponseWriter, r *request) error {
	_, p, err := s.atSite(r)
	if err != nil {
		return err
	}
	v := closuresView{Place: p}
	return s.renderClosures(w, r, v, http.StatusOK)
}

// renderClosures fills in the page of acts and plans.
func (s *server) renderClosures(w http.ResponseWriter, r *request, v closuresView, status int) error {
	site, law := v.Place.Site, s.deps.Law()
	for d := range uint8(7) {
		v.Days = append(v.Days, weekday(d))
	}
	v.Causes = closure.Causes[:]
	if v.Place.Edition == nil {
		return s.render(w, r, page{Name: "closures", View: v, Status: status, Styles: []string{"officer.css"}})
	}
	e := v.Place.Edition
	v.Classes, v.May = e.Classes, r.Officer.Has(people.Supervisor)
	today := calendar.On(r.Now, v.Place.Zone)
	v.First, v.Daily = today.AddDays(1), today.AddDays(29)
	for _, p := range law.Powers(site.Number, s.deps.Side, r.Now) {
		if r.Officer.Has(people.Role(p.Clause.Decides)) {
			v.Powers = append(v.Powers, powerRow{levelClause{ID: p.Clause.ID, Say: p.Clause.Text}, hours(p.Notice), hours(p.Most)})
		}
	}
	err := s.view(r.Context(), func(st service.State) error {
		c := service.ClosureOf(st, law, s.deps.Side, site.Number, r.Now)
		v.Waiting = c.Waiting
		for _, a := range c.Acts {
			v.Acts = append(v.Acts, s.actLine(st, e, site, a, r.Now))
		}
		for _, p := range c.Plans {
			l := planLine{Name: p.Name.String(), Number: p.Name.Number, Digest: hex.EncodeToString(p.Digest[:]), Mine: p.Mine, Agreed: p.Agreed, Side: e.Parties[p.Name.Side].Name,
				Ends: p.Ends, Waiting: p.Plan.Waiting, Stages: stageLines(p.Plan.Stages)}
			for _, n := range p.Plan.Ends {
				l.Acts = append(l.Acts, n.String())
			}
			v.Plans = append(v.Plans, l)
		}
		for _, j := range service.JudgeClosed(st, law, s.deps.Side, site.Number, r.Now) {
			v.Judged.All++
			switch {
			case j.Shut != nil:
				v.Judged.Closed++
			case j.Over:
				v.Judged.Over++
			default:
				v.Judged.Again++
			}
			switch {
			case j.Outcome.NeedsOfficer():
				v.Judged.Asks++
			case len(j.Reasons) > 0:
				v.Judged.Against++
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return s.render(w, r, page{Name: "closures", View: v, Status: status, Wide: true, Styles: []string{"officer.css"}})
}

// closedBack goes back to the page of acts, or shows why nothing was done.
func (s *server) closedBack(w http.ResponseWriter, r *request, p place, v rules.Verdict, note string) error {
	if len(v.Reasons) > 0 {
		return s.renderClosures(w, r, closuresView{Place: p, Why: s.reasonLines(r.Lang, v)}, http.StatusOK)
	}
	return s.redirect(w, r, "/closures?site="+strconv.Itoa(int(p.Site.Number))+"&note="+note)
}

// closeSent closes a site.
func (s *server) closeSent(w http.ResponseWriter, r *request) error {
	f, p, err := s.atSite(r)
	if err != nil {
		return err
	}
	v := closuresView{Place: p}
	c := service.Suspend{Site: p.Site.Number, Clause: f.get("clause"), Cause: f.get("cause"), Direction: f.get("direction"), Officer: r.Officer.ID}
	for name, to := range map[string]*time.Time{"from": &c.From, "until": &c.Until} {
		if f.get(name) == "" {
			continue
		}
		at, err := time.ParseInLocation(fieldTime, lang.PlainDigits(f.get(name)), p.Zone)
		if err != nil || at.Before(r.Now) {
			v.Errors.add(name, "level.from.wrong")
			continue
		}
		*to = at.UTC()
	}
	if p.Edition != nil {
		for _, k := range p.Edition.Classes {
			if f.has("class." + k.ID) {
				c.Classes = append(c.Classes, k.ID)
			}
		}
	}
	if c.Clause == "" {
		v.Errors.add("clause", "closure.clause.none")
	}
	if !slices.Contains(closure.Causes[:], c.Cause) {
		v.Errors.add("cause", "closure.cause.none")
	}
	if len(v.Errors) > 0 {
		return s.renderClosures(w, r, v, http.StatusUnprocessableEntity)
	}
	a, _, err := do[service.SuspendAnswer](s, r, c)
	if err != nil {
		return err
	}
	return s.closedBack(w, r, p, a.Verdict, "closed")
}

// liftSent ends an act of this side.
func (s *server) liftSent(w http.ResponseWriter, r *request) error {
	f, p, err := s.atSite(r)
	if err != nil {
		return err
	}
	n, err := parseNumber(f.get("act"))
	if err != nil {
		return err
	}
	a, _, err := do[service.LiftAnswer](s, r, service.Lift{Site: p.Site.Number, Number: n, Officer: r.Officer.ID})
	if err != nil {
		return err
	}
	return s.closedBack(w, r, p, a.Verdict, "lifted")
}

func parseNumber(text string) (uint32, error) {
	n, err := strconv.ParseUint(lang.PlainDigits(text), 10, 32)
	if err != nil {
		return 0, problem.Field("number", "form.number")
	}
	return uint32(n), nil
}

// planSent proposes a plan of reopening.
func (s *server) planSent(w http.ResponseWriter, r *request) error {
	f, p, err := s.atSite(r)
	if err != nil {
		return err
	}
	v := closuresView{Place: p}
	c := service.ProposePlan{Site: p.Site.Number, Direction: "in", Officer: r.Officer.ID}
	stage := func(day, places string, days bool) {
		d, err := calendar.ParseDate(lang.PlainDigits(f.get(day)))
		if err != nil {
			v.Errors.add(day, "closure.day.wrong")
		}
		n, err := parseNumber(f.get(places))
		if err != nil || n == 0 {
			v.Errors.add(places, "closure.places.wrong")
		}
		x := closure.Stage{From: d, Places: n}
		for k := range uint8(7) {
			if days && f.has("day."+strconv.Itoa(int(k))) {
				x.Days = append(x.Days, k)
			}
		}
		c.Stages = append(c.Stages, x)
	}
	stage("first", "places", true)
	if f.get("daily") != "" {
		stage("daily", "daily_places", false)
	}
	if c.Waiting, err = parseNumber(f.get("waiting")); err != nil {
		v.Errors.add("waiting", "closure.places.wrong")
	}
	if len(v.Errors) > 0 {
		return s.renderClosures(w, r, v, http.StatusUnprocessableEntity)
	}
	a, _, err := do[service.PlanAnswer](s, r, c)
	if isCode(err, "closure.open") || isCode(err, "closure.stages") {
		v.Errors.add("first", "closure.plan.none")
		return s.renderClosures(w, r, v, http.StatusUnprocessableEntity)
	}
	if err != nil {
		return err
	}
	return s.closedBack(w, r, p, a.Verdict, "planned")
}

// acceptPlanSent signs a plan of the other side.
func (s *server) acceptPlanSent(w http.ResponseWriter, r *request) error {
	f, p, err := s.atSite(r)
	if err != nil {
		return err
	}
	n, err := parseNumber(f.get("plan"))
	if err != nil {
		return err
	}
	c := service.AcceptPlan{Site: p.Site.Number, Number: n, Officer: r.Officer.ID}
	if c.Digest, err = parseDigest(f.get("digest")); err != nil {
		return err
	}
	a, _, err := do[service.AcceptPlanAnswer](s, r, c)
	if err != nil {
		return err
	}
	return s.closedBack(w, r, p, a.Verdict, "plan_signed")
}

func parseDigest(text string) (d [32]byte, err error) {
	b, err := hex.DecodeString(text)
	if err != nil || len(b) != len(d) {
		return d, problem.Field("digest", "closure.plan.digest")
	}
	return [32]byte(b), nil
}

// Programs.

type closuresOut struct {
	Site    string    `json:"site"`
	Acts    []actOut  `json:"acts"`
	Plans   []planOut `json:"plans"`
	Waiting uint32    `json:"waiting"`
	Ends    string    `json:"ends,omitempty"`
}

type actOut struct {
	Name      string     `json:"name"`
	Side      string     `json:"side"`
	Number    uint32     `json:"act"`
	Classes   []string   `json:"classes"`
	Direction string     `json:"direction,omitempty"`
	From      time.Time  `json:"from"`
	Until     *time.Time `json:"until,omitempty"`
	Emergency bool       `json:"emergency"`
	Clause    string     `json:"clause"`
	Agreement string     `json:"agreement"`
	Cause     string     `json:"cause"`
}

type planOut struct {
	Name    string     `json:"name"`
	Side    string     `json:"side"`
	Number  uint32     `json:"plan"`
	Digest  string     `json:"digest"`
	Agreed  bool       `json:"agreed"`
	Acts    []string   `json:"acts"`
	Stages  []stageOut `json:"stages"`
	Waiting uint32     `json:"waiting"`
	Ends    string     `json:"ends"`
}

type stageOut struct {
	From   string `json:"from"`
	Days   []int  `json:"days"` // 0 is Sunday; every day where there is none
	Places uint32 `json:"places"`
}

func actOutOf(n closure.Name, a closure.Act) actOut {
	return actOut{n.String(), string(n.Side), n.Number, append([]string{}, a.Classes...), a.Direction, a.From.UTC(), timeOut(a.End()), a.Emergency(), a.Clause, a.Agreement, a.Cause}
}

func planOutOf(n closure.Name, p closure.Plan, agreed bool) planOut {
	end, _ := p.End()
	d := p.Digest(n.Side)
	out := planOut{Name: n.String(), Side: string(n.Side), Number: n.Number, Digest: hex.EncodeToString(d[:]), Agreed: agreed, Acts: []string{}, Waiting: p.Waiting, Ends: end.On.String()}
	for _, e := range p.Ends {
		out.Acts = append(out.Acts, e.String())
	}
	for _, s := range p.Stages {
		x := stageOut{From: s.From.String(), Days: []int{}, Places: s.Places}
		for _, d := range s.Days {
			x.Days = append(x.Days, int(d))
		}
		out.Stages = append(out.Stages, x)
	}
	return out
}

// apiClosures says what is closed at a site, and by which plans it opens again.
func (s *server) apiClosures(w http.ResponseWriter, r *request) error {
	i := slices.IndexFunc(s.sites(r.Now), func(x agreement.Site) bool { return x.ID == r.PathValue("site") })
	if i < 0 {
		return problem.New(problem.NotFound, "site")
	}
	site := s.sites(r.Now)[i]
	out := closuresOut{Site: site.ID, Acts: []actOut{}, Plans: []planOut{}}
	err := s.view(r.Context(), func(st service.State) error {
		v := service.ClosureOf(st, s.deps.Law(), s.deps.Side, site.Number, r.Now)
		for _, a := range v.Acts {
			out.Acts = append(out.Acts, actOutOf(a.Name, a.Act))
		}
		for _, p := range v.Plans {
			out.Plans = append(out.Plans, planOutOf(p.Name, p.Plan, p.Agreed))
		}
		out.Waiting = v.Waiting
		if !v.Ends.IsZero() {
			out.Ends = v.Ends.String()
		}
		return nil
	})
	if err != nil {
		return err
	}
	return s.ok(w, out)
}

type closeIn struct {
	Site      string    `json:"site"`
	Classes   []string  `json:"classes"`
	Direction string    `json:"direction"`
	From      time.Time `json:"from"`
	Until     time.Time `json:"until"`
	Clause    string    `json:"clause"`
	Cause     string    `json:"cause"`
}

type closedOut struct {
	Verdict rules.Verdict `json:"verdict"`
	Says    []string      `json:"says,omitempty"`
	Act     *actOut       `json:"act,omitempty"`
	Plan    *planOut      `json:"plan,omitempty"`
	Record  recordOut     `json:"record"`
}

// apiClose closes a site.
func (s *server) apiClose(w http.ResponseWriter, r *request) error {
	in, err := decode[closeIn](r)
	if err != nil {
		return err
	}
	site, err := s.siteToAct(r, in.Site)
	if err != nil {
		return err
	}
	a, d, err := do[service.SuspendAnswer](s, r, service.Suspend{Site: site.Number, Classes: in.Classes, Direction: in.Direction, From: in.From.UTC(), Until: in.Until.UTC(),
		Clause: in.Clause, Cause: in.Cause, Officer: r.Officer.ID})
	if err != nil {
		return err
	}
	out := closedOut{Verdict: a.Verdict, Says: s.says(r.Lang, a.Verdict), Record: recorded(d)}
	if a.Act.Number > 0 {
		x := actOutOf(closure.Name{Side: s.deps.Side, Number: a.Act.Number}, a.Act)
		out.Act = &x
	}
	return s.ok(w, out)
}

type liftIn struct {
	Site   string `json:"site"`
	Number uint32 `json:"act"`
}

// apiLift ends an act of this side.
func (s *server) apiLift(w http.ResponseWriter, r *request) error {
	in, err := decode[liftIn](r)
	if err != nil {
		return err
	}
	site, err := s.siteToAct(r, in.Site)
	if err != nil {
		return err
	}
	a, d, err := do[service.LiftAnswer](s, r, service.Lift{Site: site.Number, Number: in.Number, Officer: r.Officer.ID})
	if err != nil {
		return err
	}
	return s.ok(w, closedOut{Verdict: a.Verdict, Says: s.says(r.Lang, a.Verdict), Record: recorded(d)})
}

type planIn struct {
	Site      string    `json:"site"`
	Classes   []string  `json:"classes"`
	Direction string    `json:"direction"`
	Stages    []stageIn `json:"stages"`
	Waiting   uint32    `json:"waiting"`
}

type stageIn struct {
	From    string `json:"from"`
	Weekday []int  `json:"days"`
	Places  uint32 `json:"places"`
	Joining uint32 `json:"joining"`
}

// apiPlan proposes a plan of reopening.
func (s *server) apiPlan(w http.ResponseWriter, r *request) error {
	in, err := decode[planIn](r)
	if err != nil {
		return err
	}
	site, err := s.siteToAct(r, in.Site)
	if err != nil {
		return err
	}
	c := service.ProposePlan{Site: site.Number, Classes: in.Classes, Direction: in.Direction, Waiting: in.Waiting, Officer: r.Officer.ID}
	for _, x := range in.Stages {
		from, err := calendar.ParseDate(x.From)
		if err != nil {
			return problem.Field("from", "closure.stages")
		}
		st := closure.Stage{From: from, Places: x.Places, Joining: x.Joining}
		for _, d := range x.Weekday {
			if d < 0 || d > 6 {
				return problem.Field("days", "closure.stages")
			}
			st.Days = append(st.Days, uint8(d))
		}
		c.Stages = append(c.Stages, st)
	}
	a, d, err := do[service.PlanAnswer](s, r, c)
	if err != nil {
		return err
	}
	out := closedOut{Verdict: a.Verdict, Says: s.says(r.Lang, a.Verdict), Record: recorded(d)}
	if a.Plan.Name.Number > 0 {
		x := planOutOf(a.Plan.Name, a.Plan.Is, false)
		out.Plan = &x
	}
	return s.ok(w, out)
}

type acceptPlanIn struct {
	Site   string `json:"site"`
	Number uint32 `json:"plan"`
	Digest string `json:"digest"`
}

// apiAcceptPlan signs a plan of the other side.
func (s *server) apiAcceptPlan(w http.ResponseWriter, r *request) error {
	in, err := decode[acceptPlanIn](r)
	if err != nil {
		return err
	}
	site, err := s.siteToAct(r, in.Site)
	if err != nil {
		return err
	}
	digest, err := parseDigest(in.Digest)
	if err != nil {
		return err
	}
	a, d, err := do[service.AcceptPlanAnswer](s, r, service.AcceptPlan{Site: site.Number, Number: in.Number, Digest: digest, Officer: r.Officer.ID})
	if err != nil {
		return err
	}
	return s.ok(w, closedOut{Verdict: a.Verdict, Says: s.says(r.Lang, a.Verdict), Record: recorded(d)})
}

// closedPlace is what a page of a booking says of a closure that has touched it.
type closedPlace struct {
	Why    *reasonView
	Turn   *calendar.Date // from which day it can have a place
	Offers []slotLine
	Far    bool // the first of them is at another site
}

// closedPlaceOf is nil where no closure has touched a booking.
func (s *server) closedPlaceOf(st service.State, e *agreement.Edition, b booking.Booking, now time.Time) *closedPlace {
	law := s.deps.Law()
	offers, ok := service.OffersFor(st, law, s.deps.Side, b, now, 6)
	if !ok {
		return nil
	}
	out := &closedPlace{}
	for _, o := range offers {
		out.Offers = append(out.Offers, s.slotLineOf(e, o))
	}
	out.Far = len(offers) > 0 && offers[0].ID.Site() != b.Slot.Site()
	for _, t := range service.TurnsOf(st, law, s.deps.Side, b.Slot.Site(), now) {
		if t.Booking.Ref == b.Ref && t.Day > 0 {
			d := rules.DayDate(t.Day)
			out.Turn = &d
		}
	}
	if v, ok := service.SlotOf(st, law, s.deps.Side, b.Slot, now); ok && v.Shut != nil {
		w := s.reason(*v.Shut, e.ID, now)
		out.Why = &w
	}
	return out
}
