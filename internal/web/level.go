// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"errors"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/lang"
	"darwaza.dev/internal/people"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/protocol"
	"darwaza.dev/internal/rules"
	"darwaza.dev/internal/service"
)

// maySetLevel are the roles that a level of an edition can name; the level says which of
// them may bring it in.
func maySetLevel() []people.Role {
	return []people.Role{people.Health, people.Manager, people.Supervisor}
}

// levelLine is the level of protection at a site, as everybody is told it.
type levelLine struct {
	Name, Say lang.Text
	Strict    bool // it is not the mildest
	Profiles  []lang.Text
	Until     *moment // when it lapses
	// Next is the level that holds from From on, where another one is known to come.
	Next *nextLevel
}

type nextLevel struct {
	Name, Say lang.Text
	From      moment
}

// moment is an instant with its day, by the clock of the site and of both sides.
type moment struct {
	Date calendar.Date
	Span span
}

func momentOf(e *agreement.Edition, site agreement.Site, t time.Time) *moment {
	sp := newSpan(e, site, t, t)
	return &moment{Date: sp.Date, Span: sp}
}

// levelLine is nil where the edition has no levels, or the mildest holds and no other is
// known to come.
func (s *server) levelLine(st service.State, e *agreement.Edition, site agreement.Site, now time.Time) *levelLine {
	l, h, _, ok := service.LevelAt(st, s.deps.Law(), site.Number, now)
	if !ok {
		return nil
	}
	level := h.Levels()[l.Rank]
	out := &levelLine{Name: level.Name, Say: level.Say, Strict: l.Rank > 0 || len(l.Profiles) > 0}
	for _, p := range h.Profiles(l.Rank, l.Profiles) {
		out.Profiles = append(out.Profiles, p.Name)
	}
	if n, from, ok := service.NextLevel(st, s.deps.Law(), site.Number, now); ok {
		hn, _ := s.deps.Law().Health(site.Number, from)
		out.Next = &nextLevel{Name: hn.Levels()[n.Rank].Name, Say: hn.Levels()[n.Rank].Say, From: *momentOf(e, site, from)}
	}
	if !l.Until.IsZero() {
		out.Until = momentOf(e, site, l.Until)
	}
	if !out.Strict && out.Next == nil {
		return nil
	}
	return out
}

// levelsView is the page of a site's levels.
type levelsView struct {
	Place   place
	Now     *levelLine // nil where the mildest holds and no other is known to come
	Holds   lang.Text  // name of the level in force
	Sides   []sideLevels
	Levels  []levelRow
	Clauses []levelClause
	None    bool // the edition has no levels
	Set     bool // the officer may bring in some level
}

// sideLevels is what one side has brought in.
type sideLevels struct {
	Name    lang.Text
	Changes []changeLine
}

// changeLine is one level that a side has brought in.
type changeLine struct {
	Level     lang.Text
	From      moment
	Until     *moment // when it lapses by itself
	Planned   bool
	Profiles  []lang.Text
	By        string // login of this side's officer
	Emergency bool
}

// levelRow is a level and what it changes.
type levelRow struct {
	ID                      string
	Name, Say               lang.Text
	Profiles                []profileRow
	Places                  int64 // share in hundredths of a percent
	PlacesKnown             bool
	Raise, Lower, Emergency int // hours, 0 where there is none
	Days                    int // Emergency in days, where it is whole ones
	Source                  string
	Here                    bool // in force
	May                     bool // the officer may bring it in
}

// profileRow is a disease profile and what the health desk does by it.
type profileRow struct {
	ID      string
	Name    lang.Text
	Asks    []lang.Text
	Tests   []testRow
	Isolate int64 // days, 0 where the text says nothing
	On      bool  // chosen on the form
}

type testRow struct {
	Name    lang.Text
	Minutes int64
	Good    int64 // hours
}

type levelClause struct {
	ID, Anchor, Law string
	Say             lang.Text
	Example         bool
}

// profileRowOf says what a profile asks, tests and isolates for a side.
func profileRowOf(h rules.Health, e *agreement.Edition, p agreement.Profile, side agreement.Side) profileRow {
	row := profileRow{ID: p.ID, Name: p.Name}
	for _, id := range p.Asks {
		row.Asks = append(row.Asks, e.Attributes[id].Name)
	}
	for _, t := range p.Tests {
		minutes, _ := h.Number(t.Minutes, side)
		good, _ := h.Number(t.Good, side)
		row.Tests = append(row.Tests, testRow{Name: t.Name, Minutes: minutes, Good: good})
	}
	if p.Isolate != "" {
		row.Isolate, _ = h.Number(p.Isolate, side)
	}
	return row
}

func hours(d time.Duration) int { return int(d / time.Hour) }

func (s *server) levelRowOf(h rules.Health, e *agreement.Edition, l agreement.Level) levelRow {
	row := levelRow{ID: l.ID, Name: l.Name, Say: l.Say, Raise: hours(l.Raise), Lower: hours(l.Lower), Emergency: hours(l.Emergency), Source: l.Source}
	if row.Emergency%24 == 0 {
		row.Days = row.Emergency / 24
	}
	for _, p := range h.Profiles(h.Rank(l.ID), nil) {
		row.Profiles = append(row.Profiles, profileRowOf(h, e, p, s.deps.Side))
	}
	if l.Capacity != "" {
		row.Places, row.PlacesKnown = h.Number(l.Capacity, s.deps.Side)
	}
	return row
}

// mayBring reports whether one of an officer's roles may bring a level in. The mildest is
// everybody's who may leave a stricter one: the desk looks at the level that is left.
func mayBring(o people.Officer, levels []agreement.Level, n int) bool {
	for i, l := range levels {
		if (i == n || n == 0) && slices.ContainsFunc(o.Roles, func(r people.Role) bool { return slices.Contains(l.By, string(r)) }) {
			return true
		}
	}
	return false
}

func (s *server) levelsPage(w http.ResponseWriter, r *request) error {
	_, p, err := s.atSite(r)
	if err != nil {
		return err
	}
	v := levelsView{Place: p}
	h, ok := s.deps.Law().Health(p.Site.Number, r.Now)
	if !ok {
		v.None = true
		return s.render(w, r, page{Name: "levels", View: v, Styles: []string{"officer.css"}})
	}
	names := map[string]lang.Text{}
	for i, l := range h.Levels() {
		row := s.levelRowOf(h, p.Edition, l)
		row.May = mayBring(r.Officer, h.Levels(), i)
		v.Set = v.Set || row.May
		v.Levels, names[l.ID] = append(v.Levels, row), l.Name
	}
	err = s.view(r.Context(), func(st service.State) error {
		l, _, _, _ := service.LevelAt(st, s.deps.Law(), p.Site.Number, r.Now)
		v.Holds = h.Levels()[l.Rank].Name
		v.Levels[l.Rank].Here = true
		v.Now = s.levelLine(st, p.Edition, p.Site, r.Now)
		for _, side := range [...]agreement.Side{s.deps.Side, s.deps.Side.Other()} {
			x := sideLevels{Name: p.Edition.Parties[side].Name}
			for _, c := range service.LevelsOf(st, p.Site.Number, side, r.Now) {
				line := changeLine{Level: names[c.Level], From: *momentOf(p.Edition, p.Site, c.From), Planned: c.From.After(r.Now), Emergency: c.Emergency()}
				if line.Level == nil { // the other side's edition may have one that ours has not
					line.Level = lang.Text{lang.EN: c.Level}
				}
				if line.Emergency {
					line.Until = momentOf(p.Edition, p.Site, c.Until)
				}
				for _, id := range c.Profiles {
					if q, ok := p.Edition.Profiles[id]; ok {
						line.Profiles = append(line.Profiles, q.Name)
					}
				}
				if o, ok := service.OfficerOf(st, people.OfficerID(c.Officer)); ok {
					line.By = o.Login
				}
				x.Changes = append(x.Changes, line)
			}
			v.Sides = append(v.Sides, x)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, c := range h.Clauses() {
		say := c.Say
		if len(say) == 0 {
			say = c.Text
		}
		v.Clauses = append(v.Clauses, levelClause{ID: c.ID, Anchor: s.anchor(p.Edition, c), Law: s.lawPath(p.Edition, r.Now), Say: say, Example: p.Edition.Instruments[c.Instrument].Status == "example"})
	}
	return s.render(w, r, page{Name: "levels", View: v, Wide: true, Styles: []string{"officer.css"}})
}

// levelView is the page on which one level is brought in.
type levelView struct {
	Place    place
	Level    levelRow
	More     []profileRow // that can be switched on beside those of the level
	Earliest *moment      // the first time at which it can begin, nil where it cannot with notice
	Lapses   *moment      // when it would lapse if it were brought in now, nil where it cannot be
	Notice   []reasonLine // why it cannot begin
	Already  bool         // it holds already
	When     string       // notice, at or now
	From     string       // as the field has it
	Errors   errorsIn
	Why      []reasonLine // why what was sent is not allowed
}

// fieldTime is how a browser writes a day and a clock into a field.
const fieldTime = "2006-01-02T15:04"

// levelOf fills in a level's page.
func (s *server) levelOf(r *request, f formValues, p place) (levelView, rules.Health, error) {
	v := levelView{Place: p, When: f.get("when"), From: f.get("from")}
	h, ok := s.deps.Law().Health(p.Site.Number, r.Now)
	if !ok {
		return v, h, problem.New(problem.NotFound, "level.none")
	}
	n := slices.IndexFunc(h.Levels(), func(l agreement.Level) bool { return l.ID == f.get("level") })
	if n < 0 {
		return v, h, problem.New(problem.NotFound, "level.unknown")
	}
	if !mayBring(r.Officer, h.Levels(), n) {
		return v, h, problem.New(problem.Forbidden, "level.role")
	}
	v.Level = s.levelRowOf(h, p.Edition, h.Levels()[n])
	if n > 0 {
		for _, id := range slices.Sorted(maps.Keys(p.Edition.Profiles)) {
			if !slices.Contains(h.Levels()[n].Profiles, id) {
				row := profileRowOf(h, p.Edition, p.Edition.Profiles[id], s.deps.Side)
				row.On = f.has("profile." + id)
				v.More = append(v.More, row)
			}
		}
	}
	err := s.view(r.Context(), func(st service.State) error {
		c := service.SetLevel{Site: p.Site.Number, Level: v.Level.ID, Officer: r.Officer.ID, Profiles: v.chosen()}
		a, err := service.PlanLevel(st, s.deps.Law(), s.deps.Side, c, r.Officer.Roles, r.Now)
		switch {
		case isCode(err, "level.same"):
			v.Already = true
		case err != nil:
			return err
		case a.Change.Level != "":
			v.Earliest = momentOf(p.Edition, p.Site, a.Change.From)
		default:
			v.Notice = s.reasonLines(r.Lang, a.Verdict)
		}
		c.Emergency = true
		if n > 0 {
			a, err = service.PlanLevel(st, s.deps.Law(), s.deps.Side, c, r.Officer.Roles, r.Now)
			if err == nil && a.Change.Level != "" {
				v.Lapses = momentOf(p.Edition, p.Site, a.Change.Until)
			}
		}
		return nil
	})
	if v.When == "" && v.Earliest != nil {
		v.When = "notice"
	}
	if v.From == "" && v.Earliest != nil {
		v.From = v.Earliest.Span.From.Format(fieldTime)
	}
	return v, h, err
}

// isCode reports whether an error is a problem of that code.
func isCode(err error, code string) bool {
	var p *problem.Error
	return errors.As(err, &p) && p.Code == code
}

// chosen are the ids of the profiles that were ticked.
func (v levelView) chosen() (ids []string) {
	for _, p := range v.More {
		if p.On {
			ids = append(ids, p.ID)
		}
	}
	return ids
}

func (s *server) levelPage(w http.ResponseWriter, r *request) error {
	f, p, err := s.atSite(r)
	if err != nil {
		return err
	}
	v, _, err := s.levelOf(r, f, p)
	if err != nil {
		return err
	}
	return s.renderLevel(w, r, v, http.StatusOK)
}

func (s *server) renderLevel(w http.ResponseWriter, r *request, v levelView, status int) error {
	return s.render(w, r, page{Name: "level", View: v, Status: status, Styles: []string{"officer.css"}})
}

// levelSet brings a level in.
func (s *server) levelSet(w http.ResponseWriter, r *request) error {
	f, p, err := s.atSite(r)
	if err != nil {
		return err
	}
	v, _, err := s.levelOf(r, f, p)
	if err != nil {
		return err
	}
	c := service.SetLevel{Site: p.Site.Number, Level: v.Level.ID, Officer: r.Officer.ID, Profiles: v.chosen()}
	switch f.get("when") {
	case "notice":
	case "now":
		c.Emergency = true
	case "at":
		if c.From, err = time.ParseInLocation(fieldTime, lang.PlainDigits(f.get("from")), p.Zone); err != nil || c.From.Before(r.Now) {
			v.Errors.add("from", "level.from.wrong")
		}
		c.From = c.From.UTC()
	default:
		v.Errors.add("when", "level.when.none")
	}
	if len(v.Errors) > 0 {
		return s.renderLevel(w, r, v, http.StatusUnprocessableEntity)
	}
	a, _, err := do[service.LevelAnswer](s, r, c)
	if isCode(err, "level.same") {
		v.Already = true
		return s.renderLevel(w, r, v, http.StatusConflict)
	}
	if err != nil {
		return err
	}
	if a.Change.Level == "" {
		v.Why = s.reasonLines(r.Lang, a.Verdict)
		return s.renderLevel(w, r, v, http.StatusOK)
	}
	return s.redirect(w, r, "/levels?site="+strconv.Itoa(int(p.Site.Number))+"&note=level")
}

// Programs.

type levelsOut struct {
	Site  string           `json:"site"`
	Level levelNowOut      `json:"level"`
	Next  *levelNextOut    `json:"next,omitempty"`
	Sides []sideLevelsOut  `json:"sides"`
	Of    []levelPlacesOut `json:"levels"`
}

type levelNowOut struct {
	ID       string            `json:"id"`
	Name     map[string]string `json:"name"`
	Say      map[string]string `json:"say,omitempty"`
	Side     string            `json:"side,omitempty"`
	Since    *time.Time        `json:"since,omitempty"`
	Until    *time.Time        `json:"until,omitempty"`
	Profiles []string          `json:"profiles"`
}

type levelNextOut struct {
	ID       string    `json:"id"`
	From     time.Time `json:"from"`
	Profiles []string  `json:"profiles"`
}

type sideLevelsOut struct {
	Side    string      `json:"side"`
	Changes []changeOut `json:"changes"`
}

type changeOut struct {
	Level     string     `json:"level"`
	From      time.Time  `json:"from"`
	Until     *time.Time `json:"until,omitempty"`
	Emergency bool       `json:"emergency"`
	Profiles  []string   `json:"profiles"`
}

type levelPlacesOut struct {
	ID       string            `json:"id"`
	Name     map[string]string `json:"name"`
	Profiles []string          `json:"profiles"`
	Raise    int               `json:"raise_hours"`
	Lower    int               `json:"lower_hours"`
	Longest  int               `json:"emergency_hours"`
	By       []string          `json:"by"`
}

func textOut(t lang.Text) map[string]string {
	out := map[string]string{}
	for tag, text := range t {
		out[string(tag)] = text
	}
	return out
}

func timeOut(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

func profileIDs(h rules.Health, rank int, more []string) []string {
	ids := []string{}
	for _, p := range h.Profiles(rank, more) {
		ids = append(ids, p.ID)
	}
	return ids
}

func changeOutOf(c protocol.Change) changeOut {
	return changeOut{Level: c.Level, From: c.From.UTC(), Until: timeOut(c.Until), Emergency: c.Emergency(), Profiles: append([]string{}, c.Profiles...)}
}

// apiLevels says which level holds at a site, which comes, and what each side has brought in.
func (s *server) apiLevels(w http.ResponseWriter, r *request) error {
	i := slices.IndexFunc(s.sites(r.Now), func(x agreement.Site) bool { return x.ID == r.PathValue("site") })
	if i < 0 {
		return problem.New(problem.NotFound, "site")
	}
	site := s.sites(r.Now)[i]
	out := levelsOut{Site: site.ID}
	err := s.view(r.Context(), func(st service.State) error {
		l, h, _, ok := service.LevelAt(st, s.deps.Law(), site.Number, r.Now)
		if !ok {
			return problem.New(problem.NotFound, "level.none")
		}
		level := h.Levels()[l.Rank]
		out.Level = levelNowOut{ID: l.ID, Name: textOut(level.Name), Side: string(l.Side), Since: timeOut(l.Since), Until: timeOut(l.Until), Profiles: profileIDs(h, l.Rank, l.Profiles)}
		if len(level.Say) > 0 {
			out.Level.Say = textOut(level.Say)
		}
		if n, from, ok := service.NextLevel(st, s.deps.Law(), site.Number, r.Now); ok {
			hn, _ := s.deps.Law().Health(site.Number, from)
			out.Next = &levelNextOut{ID: n.ID, From: from.UTC(), Profiles: profileIDs(hn, n.Rank, n.Profiles)}
		}
		for _, side := range [...]agreement.Side{agreement.A, agreement.B} {
			x := sideLevelsOut{Side: string(side), Changes: []changeOut{}}
			for _, c := range service.LevelsOf(st, site.Number, side, r.Now) {
				x.Changes = append(x.Changes, changeOutOf(c))
			}
			out.Sides = append(out.Sides, x)
		}
		for n, x := range h.Levels() {
			out.Of = append(out.Of, levelPlacesOut{ID: x.ID, Name: textOut(x.Name), Profiles: profileIDs(h, n, nil), Raise: hours(x.Raise), Lower: hours(x.Lower), Longest: hours(x.Emergency), By: append([]string{}, x.By...)})
		}
		return nil
	})
	if err != nil {
		return err
	}
	return s.ok(w, out)
}

type levelIn struct {
	Site      string    `json:"site"`
	Level     string    `json:"level"`
	From      time.Time `json:"from"`
	Emergency bool      `json:"emergency"`
	Profiles  []string  `json:"profiles"`
}

type levelSetOut struct {
	Verdict rules.Verdict `json:"verdict"`
	Says    []string      `json:"says,omitempty"`
	Change  *changeOut    `json:"change,omitempty"`
	Record  recordOut     `json:"record"`
}

// apiLevelSet brings a level in.
func (s *server) apiLevelSet(w http.ResponseWriter, r *request) error {
	in, err := decode[levelIn](r)
	if err != nil {
		return err
	}
	site, err := s.siteToAct(r, in.Site)
	if err != nil {
		return err
	}
	c := service.SetLevel{Site: site.Number, Level: in.Level, From: in.From.UTC(), Emergency: in.Emergency, Profiles: in.Profiles, Officer: r.Officer.ID}
	a, d, err := do[service.LevelAnswer](s, r, c)
	if err != nil {
		return err
	}
	out := levelSetOut{Verdict: a.Verdict, Says: s.says(r.Lang, a.Verdict), Record: recorded(d)}
	if a.Change.Level != "" {
		x := changeOutOf(a.Change)
		out.Change = &x
	}
	return s.ok(w, out)
}
