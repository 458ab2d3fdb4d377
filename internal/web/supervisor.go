// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"html/template"
	"net/http"
	"sort"
	"strconv"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/lang"
	"darwaza.dev/internal/people"
	"darwaza.dev/internal/reason"
	"darwaza.dev/internal/rules"
	"darwaza.dev/internal/service"
	"darwaza.dev/internal/stats"
)

// dayView is the supervisor's day of a site.
type dayView struct {
	Place place
	Date  calendar.Date
	Day   uint16
	Today bool
	// ClosedAt is when the day was settled, by the site's clock; zero where it is not.
	ClosedAt time.Time
	Figure   service.DayView
	Cap      uint32
	Names    [2]lang.Text // this side, the other
	There    *age
	Dwell    time.Duration // mean of finished visits
	// Contact is the contact-hours between people inside.
	Contact   uint64
	Sides     []sideDay // this side's figures, and the other's where it has told them
	Currency  string
	Open      []scanLine
	MayDecide bool
	// Held is true where nothing is sold at the site, up to the day HeldUpto.
	Held     bool
	HeldUpto calendar.Date
	// Looked is a number that was looked up, Found what stands under it.
	Looked string
	Found  *scanLine
	// Duties are this side's, empty where no market is held or it has not begun.
	Duties []dutyRow
	// FoundWhy are the reasons of its answer.
	FoundWhy []reasonLine
	Wrong    bool
	// Waits are planned and measured by slot, empty where nobody knows what the gate can do.
	Waits []waitRow
	Gate  service.GateService
}

// waitRow is a slot with its waits, in minutes.
type waitRow struct {
	Label                     string
	Class                     lang.Text
	Booked                    uint32
	Planned, Latest, Measured int64
	Known                     bool // Measured is
}

// sideDay is what one side has counted of the day.
type sideDay struct {
	Key   string // for ids within the page
	Name  lang.Text
	Stats stats.Day
	// At is how old the figures are; nil for this side's, which are of now.
	At         *age
	Arrivals   figureChart
	Inside     figureChart
	Lateness   []figureRow
	Outcomes   []figureRow
	Reasons    []reasonRow
	Categories []categoryRow
}

// figureChart is a chart with the table of the same figures.
type figureChart struct {
	Drawing template.HTML
	Rows    []figureRow
}

// figureRow is one line of a table of figures.
type figureRow struct {
	Label   string
	Outcome reason.Outcome
	Count   int64
	Most    int64 // the greatest beside it, for its bar
}

// dutyRow is a duty of the authority and how it stands.
type dutyRow struct {
	Clause, Anchor string
	Text           lang.Text
	Outcome        reason.Outcome
	Why            []reasonLine
}

type reasonRow struct {
	Text   string
	Clause string
	Anchor string
	Count  int64
	Most   int64
}

type categoryRow struct {
	Name                    lang.Text
	Key                     string
	Lots, Diverted, Refused uint32
	Value, Duty             int64
	DutyUnknown             uint32
	Most                    int64
}

func (s *server) dayPage(w http.ResponseWriter, r *request) error {
	f, p, err := s.atSite(r)
	if err != nil {
		return err
	}
	v := dayView{Place: p, Date: dateOf(p, f.get("day")), Looked: f.get("number")}
	v.Day, v.Currency = rules.DayNumber(v.Date), p.Edition.Currency
	v.Today = v.Day == p.Day
	v.MayDecide = r.Officer.Has(people.Supervisor)
	v.Names = [2]lang.Text{p.Edition.Parties[s.deps.Side].Name, p.Edition.Parties[s.deps.Side.Other()].Name}
	number, numberErr := strconv.ParseUint(lang.PlainDigits(v.Looked), 10, 64)
	v.Wrong = v.Looked != ""
	err = s.view(r.Context(), func(st service.State) error {
		v.Figure = service.DayFigures(st, p.Site.Number, v.Day)
		if gate, ok := s.gateService(st, s.deps.Law(), p.Site.Number, r.Now); ok {
			v.Gate = gate
			over := v.Figure.Gate.Closed || v.Day < p.Day
			for _, w := range service.WaitsOf(st, s.deps.Law(), s.deps.Side, p.Site.Number, v.Day, gate.Service, over) {
				class, _, _ := s.deps.Law().ClassNumbered(p.Site.Number, w.Plan.Class, w.Plan.From)
				v.Waits = append(v.Waits, waitRow{Label: s.hours(r, p, w), Class: class.Name, Booked: w.Booked, Planned: w.Crossing.Wait,
					Latest: w.Crossing.WaitLatest, Measured: w.Waited, Known: w.Known})
			}
		}
		upto, held := st.Booking.HeldUpto(p.Site.Number)
		v.Held, v.HeldUpto = held, rules.DayDate(upto)
		for _, d := range service.DutiesOf(st, s.deps.Law(), s.deps.Side, p.Site.Number, v.Day, r.Now) {
			v.Duties = append(v.Duties, dutyRow{Clause: d.Clause.ID, Anchor: s.anchorOf(d), Text: d.Clause.Text, Outcome: d.Outcome,
				Why: s.reasonLines(r.Lang, rules.Verdict{At: r.Now, Reasons: d.Reasons})})
		}
		for _, pr := range service.PresencesOf(st, p.Site.Number, v.Day) {
			for _, sc := range pr.Scans {
				if pr.Pending != 0 && sc.Serial == pr.Pending {
					v.Open = append(v.Open, s.scanLine(p, pr, sc))
				}
			}
		}
		if pr, sc, ok := service.ScanOf(st, p.Site.Number, v.Day, number); ok && numberErr == nil {
			l := s.scanLine(p, pr, sc)
			v.Found, v.Wrong = &l, false
			v.FoundWhy = s.reasonLines(r.Lang, rules.Verdict{At: sc.At, Reasons: sc.Reasons})
		}
		return nil
	})
	if err != nil {
		return err
	}
	if v.Wrong { // not a scan's number: a booking's, or that of a request that gave none
		path, err := s.lookUp(r, v.Looked)
		if err != nil {
			return err
		}
		if path != "" {
			return s.redirect(w, r, path)
		}
	}
	if n, ok := s.deps.Law().Param("occupancy.cap", p.Site.ID, s.deps.Side, r.Now); ok {
		v.Cap = uint32(max(n, 0))
	}
	g := v.Figure.Gate
	if !g.ClosedAt.IsZero() {
		v.ClosedAt = g.ClosedAt.In(p.Zone)
	}
	if g.DwellCount > 0 {
		v.Dwell = (g.DwellTotal / time.Duration(g.DwellCount)).Round(time.Minute)
	}
	v.Contact = g.Contact / 3600
	if v.Figure.ThereKnown {
		v.There = ageOf(r.Now, v.Figure.There.AsOf.In(p.Zone))
	}
	here := sideDay{Key: "here", Name: v.Names[0], Stats: v.Figure.Stats}
	s.dayCharts(r, &v, &here)
	v.Sides = append(v.Sides, here)
	if o := v.Figure.There; v.Figure.ThereKnown && o.Whole != nil {
		there := sideDay{Key: "there", Name: v.Names[1], Stats: *o.Whole, At: ageOf(r.Now, o.WholeAt.In(p.Zone))}
		s.dayCharts(r, &v, &there)
		v.Sides = append(v.Sides, there)
	}
	return s.render(w, r, page{Name: "day", View: v, Wide: true, Styles: []string{"officer.css"}})
}

// hours are those of a slot, by the clock of the site.
func (s *server) hours(r *request, p place, w service.WaitView) string {
	at := func(t time.Time) string {
		t = t.In(p.Zone)
		return lang.FormatMinute(r.Lang, calendar.Minute(t.Hour()*60+t.Minute()))
	}
	return at(w.Plan.From) + "–" + at(w.Plan.Until)
}

// dayCharts draws what one side counted of a day.
func (s *server) dayCharts(r *request, v *dayView, side *sideDay) {
	d := side.Stats
	say := func(key string, args lang.Args) string { return s.deps.Texts.Say(r.Lang, key, args) }
	from, to := busy(d)
	last := stats.Buckets - 1 // the last quarter of an hour that has come
	if v.Today {
		now := r.Now.In(v.Place.Zone)
		if side.At != nil {
			now = side.At.At // what the other side has told of
		}
		last = now.Hour()*4 + now.Minute()/15
	}
	side.Arrivals = s.overTime(r, from, to, last, say("day.arrivals", nil), d.Arrivals, false, 0, "")
	side.Inside = s.overTime(r, from, to, last, say("day.inside", nil), d.Inside, true, int64(v.Cap), say("day.cap", lang.Args{"n": int(v.Cap)}))
	var most int64
	for _, n := range d.Lateness {
		most = max(most, int64(n))
	}
	for i, n := range d.Lateness {
		side.Lateness = append(side.Lateness, figureRow{Label: say("day.late."+strconv.Itoa(i), nil), Count: int64(n), Most: most})
	}
	most = 0
	for o := reason.Allow; o <= reason.Closed; o++ {
		if n := int64(d.Outcomes[o]); n > 0 {
			side.Outcomes = append(side.Outcomes, figureRow{Outcome: o, Label: say("outcome."+o.String(), nil), Count: n})
			most = max(most, n)
		}
	}
	for i := range side.Outcomes {
		side.Outcomes[i].Most = most
	}
	side.Reasons = s.reasonRows(r, d.Reasons)
	for key, c := range d.Categories {
		side.Categories = append(side.Categories, categoryRow{Key: key, Name: categoryName(v.Place.Edition, key), Lots: c.Lots, Diverted: c.Diverted,
			Refused: c.Refused, Value: c.Value, Duty: c.Duty, DutyUnknown: c.DutyUnknown})
	}
	sort.Slice(side.Categories, func(i, j int) bool { return side.Categories[i].Key < side.Categories[j].Key })
	most = 0
	for _, c := range side.Categories {
		most = max(most, c.Value)
	}
	for i := range side.Categories {
		side.Categories[i].Most = most
	}
}

func categoryName(e *agreement.Edition, key string) lang.Text {
	for _, l := range goodsLists(e) {
		if name, ok := e.ListInfo[l.ID].Categories[key]; ok {
			return name
		}
	}
	return nil
}

// anchorOf is that of a duty's clause.
func (s *server) anchorOf(d service.DutyView) string {
	if s.deps.Law().Agreements() > 1 {
		return d.Agreement + "." + d.Clause.Anchor
	}
	return d.Clause.Anchor
}

func (s *server) reasonRows(r *request, counts []stats.ReasonCount) []reasonRow {
	rows := make([]reasonRow, 0, len(counts))
	var most int64
	for _, c := range counts {
		row := reasonRow{Count: int64(c.Count), Clause: c.Clause}
		// A count is over many people: the figures of one person's reason have no place in it.
		l := s.reasonLines(r.Lang, rules.Verdict{At: r.Now, Reasons: []reason.Reason{{Code: c.Code, Clause: c.Clause}}})[0]
		row.Text, row.Anchor = l.Text, l.Anchor
		if key := "short." + string(c.Code); s.deps.Texts.Has(key) {
			row.Text = s.deps.Texts.Say(r.Lang, key, nil)
		}
		if row.Text == "" || row.Text == "outcome." {
			row.Text = string(c.Code)
		}
		most = max(most, row.Count)
		rows = append(rows, row)
	}
	sort.SliceStable(rows, func(i, j int) bool { return rows[i].Count > rows[j].Count })
	for i := range rows {
		rows[i].Most = most
	}
	return rows
}

// busy returns the first and the last quarter of an hour in which anything was counted,
// widened to whole hours: an empty night says nothing.
func busy(d stats.Day) (from, to int) {
	from, to = stats.Buckets, 0
	for i := range stats.Buckets {
		for _, f := range [][]uint32{d.Arrivals, d.Departures, d.Inside} {
			if i < len(f) && f[i] > 0 {
				from, to = min(from, i), max(to, i+1)
			}
		}
	}
	if from >= to {
		return 8 * 4, 18 * 4
	}
	return from / 4 * 4, (to + 3) / 4 * 4
}

// overTime draws figures by quarters of an hour, with a table by hours under it: the
// sum of an hour, or for steps the figure at its end. What comes after the quarter last
// has not happened yet.
func (s *server) overTime(r *request, from, to, last int, title string, figures []uint32, steps bool, cap int64, capLabel string) figureChart {
	c := chart{Title: title, RTL: r.Lang.RTL(), Steps: steps, Cap: cap, CapLabel: capLabel,
		Say: func(n int64) string { return lang.FormatInt(r.Lang, n) }}
	at := func(i int) int64 {
		if i < len(figures) {
			return int64(figures[i])
		}
		return 0
	}
	var out figureChart
	for i := from; i < to; i++ {
		col := chartColumn{Value: at(i), Ahead: i > last}
		if i%4 == 0 {
			col.Label = lang.Digits(r.Lang, strconv.Itoa(i/4))
		}
		c.Columns = append(c.Columns, col)
	}
	for h := from / 4; h < to/4; h++ {
		row := figureRow{Label: lang.FormatMinute(r.Lang, calendar.Minute(h*60)) + "–" + lang.FormatMinute(r.Lang, calendar.Minute((h+1)*60))}
		if h*4 > last {
			break
		}
		for i := h * 4; i < h*4+4 && i <= last; i++ {
			if steps {
				row.Count = at(i)
			} else {
				row.Count += at(i)
			}
		}
		out.Rows = append(out.Rows, row)
	}
	out.Drawing = c.SVG()
	return out
}

// daySettle ends a site's day.
func (s *server) daySettle(w http.ResponseWriter, r *request) error {
	f, p, err := s.atSite(r)
	if err != nil {
		return err
	}
	date := dateOf(p, f.get("day"))
	var c service.Settle
	err = s.view(r.Context(), func(st service.State) error {
		c = service.SettleOf(st, p.Site.Number, rules.DayNumber(date), r.Officer.ID)
		return nil
	})
	if err != nil {
		return err
	}
	if _, _, err := do[service.SettleAnswer](s, r, c); err != nil {
		return err
	}
	return s.redirect(w, r, "/day?site="+strconv.Itoa(int(p.Site.Number))+"&day="+date.String()+"&note=settled")
}

// dayOpen lets a site sell places again that were held after a restore.
func (s *server) dayOpen(w http.ResponseWriter, r *request) error {
	f, p, err := s.atSite(r)
	if err != nil {
		return err
	}
	if _, _, err := do[service.OpenSalesAnswer](s, r, service.OpenSales{Site: p.Site.Number, Officer: r.Officer.ID}); err != nil {
		return err
	}
	return s.redirect(w, r, "/day?site="+strconv.Itoa(int(p.Site.Number))+"&day="+dateOf(p, f.get("day")).String()+"&note=opened")
}
