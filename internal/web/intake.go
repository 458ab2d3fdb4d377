// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/intake"
	"darwaza.dev/internal/lang"
	"darwaza.dev/internal/people"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/rules"
	"darwaza.dev/internal/service"
)

// intakeView is the page on which a supervisor says what this side can take.
type intakeView struct {
	Place     place
	Date      calendar.Date
	Days      []dayChoice // with slots, that can be looked at
	Slots     []intakeSlot
	Sides     []intakeSide
	Resources []string
	Hours     []string
	Whens     []whenChoice
	Typed     map[string]string
	Errors    errorsIn
	Excess    uint32 // of the slots of the day
	Measured  uint32 // people an hour that this side's gate was measured to take, 0 where nobody knows
	Unheard   bool   // the other side is not known to have heard of the last change
	MayCommit bool
}

type dayChoice struct {
	Date calendar.Date
	Here bool
}

// whenChoice is a weekday that a line can be for: its value in the form, and the text.
type whenChoice struct{ Value, Key string }

// intakeSlot is a slot with what is left of it.
type intakeSlot struct {
	Span    span
	Class   lang.Text
	Bound   intake.Bound
	By      lang.Text // whose commitment is the least, nil where it is the agreement's number
	Ours    uint32
	Sold    uint32
	Excess  uint32
	planned time.Time
}

type intakeSide struct {
	Name  lang.Text
	Own   bool
	Lines []intakeLine
	At    *moment // nil where the side has said nothing
	By    string  // login of this side's officer
}

// intakeLine is one line of what a side has committed.
type intakeLine struct {
	intake.Line
	Class    lang.Text
	Date     calendar.Date // where the line is for one day
	WeekText string        // key of the weekday's text
	Span     string
	Key      string // names the line in a form
}

func clockOf(m uint16) string { return fmt.Sprintf("%02d:%02d", m/60, m%60) }

func lineKey(l intake.Line) string {
	return fmt.Sprintf("%s.%d.%d.%d.%d.%d.%t", l.Resource, l.Class, l.Weekday, l.Day, l.From, l.To, l.Percent > 0)
}

// weekText is the key of a weekday's text: 1 for Monday to 7 for Sunday, which texts call 0.
func weekText(day uint8) string { return fmt.Sprint("weekday.", day%7) }

// intakeOf fills in the page of a site and day.
func (s *server) intakeOf(r *request, f formValues, p place) (intakeView, error) {
	v := intakeView{Place: p, Date: dateOf(p, f.get("day")), Resources: intake.Resources[:], Typed: map[string]string{}, MayCommit: r.Officer.Has(people.Supervisor)}
	for _, name := range []string{"resource", "class", "when", "from", "to", "places", "rule"} {
		v.Typed[name] = f.get(name)
	}
	for h := range uint16(24) {
		v.Hours = append(v.Hours, clockOf(h*60))
	}
	for n := uint8(1); n <= 7; n++ {
		v.Whens = append(v.Whens, whenChoice{strconv.Itoa(int(n)), weekText(n)})
	}
	law := s.deps.Law()
	for d := range s.ahead(p.Site, r.Now) + 1 {
		date := p.Date.AddDays(d)
		if date == v.Date || slices.ContainsFunc(p.Edition.Classes, func(c agreement.Class) bool {
			return len(law.Slots(p.Site.Number, rules.DayNumber(date), c.Number)) > 0
		}) {
			v.Days = append(v.Days, dayChoice{date, date == v.Date})
		}
	}
	err := s.view(r.Context(), func(st service.State) error {
		for _, c := range p.Edition.Classes {
			for _, x := range service.DayOf(st, law, s.deps.Side, p.Site.Number, c.Number, rules.DayNumber(v.Date), r.Now) {
				row := intakeSlot{Span: newSpan(p.Edition, p.Site, x.Plan.From, x.Plan.Until), Class: c.Name, Bound: x.Bound,
					Ours: x.Bound.Allotment, Sold: x.Slot.Taken, Excess: x.Slot.Excess, planned: x.Plan.From}
				if x.Bound.Side != "" {
					row.By = p.Edition.Parties[x.Bound.Side].Name
				}
				v.Excess += row.Excess
				v.Unheard = v.Unheard || x.Bound.Unheard
				v.Slots = append(v.Slots, row)
			}
		}
		v.Measured = service.MeasuredPerHour(st, law, s.deps.Side, p.Site.Number, r.Now)
		for _, side := range [...]agreement.Side{s.deps.Side, s.deps.Side.Other()} {
			v.Sides = append(v.Sides, s.intakeSide(st, p, side))
		}
		return nil
	})
	slices.SortStableFunc(v.Slots, func(a, b intakeSlot) int { return a.planned.Compare(b.planned) })
	return v, err
}

func (s *server) intakeSide(st service.State, p place, side agreement.Side) intakeSide {
	c := service.CommittedOf(st, p.Site.Number, side)
	x := intakeSide{Name: p.Edition.Parties[side].Name, Own: side == s.deps.Side}
	if c.Serial > 0 {
		x.At = momentOf(p.Edition, p.Site, c.At)
	}
	if o, ok := service.OfficerOf(st, people.OfficerID(c.By)); ok {
		x.By = o.Login
	}
	for _, l := range c.Lines {
		line := intakeLine{Line: l, Span: clockOf(l.From) + "–" + clockOf(l.To), Key: lineKey(l), WeekText: weekText(l.Weekday), Class: lang.Text{lang.EN: strconv.Itoa(int(l.Class))}}
		if k, ok := p.Edition.ClassNumbered(l.Class); ok {
			line.Class = k.Name
		}
		if l.Day > 0 {
			line.Date = rules.DayDate(l.Day)
		}
		x.Lines = append(x.Lines, line)
	}
	return x
}

func (s *server) intakePage(w http.ResponseWriter, r *request) error {
	f, p, err := s.atSite(r)
	if err != nil {
		return err
	}
	v, err := s.intakeOf(r, f, p)
	if err != nil {
		return err
	}
	return s.renderIntake(w, r, v, http.StatusOK)
}

func (s *server) renderIntake(w http.ResponseWriter, r *request, v intakeView, status int) error {
	return s.render(w, r, page{Name: "intake", View: v, Status: status, Wide: true, Styles: []string{"officer.css"}})
}

// line reads a line from the form.
func (v *intakeView) line() intake.Line {
	l := intake.Line{To: 24 * 60}
	var ok bool
	if l.Resource, ok = intake.ParseResource(v.Typed["resource"]); !ok {
		v.Errors.add("resource", "intake.resource.none")
	}
	c, ok := v.Place.Edition.Class(v.Typed["class"])
	if l.Class = c.Number; !ok {
		v.Errors.add("class", "intake.class.none")
	}
	switch when := v.Typed["when"]; {
	case when == "day":
		if l.Day = rules.DayNumber(v.Date); l.Day < v.Place.Day {
			v.Errors.add("when", "intake.when.past")
		}
	case len(when) == 1 && when[0] >= '0' && when[0] <= '7':
		l.Weekday = when[0] - '0'
	default:
		v.Errors.add("when", "intake.when.none")
	}
	if m, err := calendar.ParseMinute(v.Typed["from"]); err == nil {
		l.From = uint16(m)
	}
	if m, err := calendar.ParseMinute(v.Typed["to"]); err == nil {
		l.To = uint16(m)
	}
	if l.From >= l.To {
		v.Errors.add("from", "intake.span.none")
	}
	n, err := strconv.ParseUint(lang.PlainDigits(v.Typed["places"]), 10, 32)
	switch rule := v.Typed["rule"] == "yes"; {
	case rule && (err != nil || n < 1 || n > intake.MaxPercent || l.Resource != intake.Gate || l.Day > 0):
		v.Errors.add("places", "intake.percent.wrong", "max", strconv.Itoa(intake.MaxPercent))
	case rule:
		l.Percent = uint16(n)
	case err != nil || n > intake.MaxPlaces:
		v.Errors.add("places", "intake.places.none")
	default:
		l.Places = uint32(n)
	}
	return l
}

// intakeSet commits one line more, or another number of one.
func (s *server) intakeSet(w http.ResponseWriter, r *request) error {
	f, p, err := s.atSite(r)
	if err != nil {
		return err
	}
	v, err := s.intakeOf(r, f, p)
	if err != nil {
		return err
	}
	l := v.line()
	if len(v.Errors) > 0 {
		return s.renderIntake(w, r, v, http.StatusUnprocessableEntity)
	}
	return s.intakeSend(w, r, v, service.CommitIntake{Site: p.Site.Number, Set: []intake.Line{l}, Officer: r.Officer.ID})
}

func (s *server) intakeSend(w http.ResponseWriter, r *request, v intakeView, c service.CommitIntake) error {
	if _, _, err := do[service.IntakeAnswer](s, r, c); err != nil {
		return err
	}
	return s.redirect(w, r, "/intake?site="+strconv.Itoa(int(c.Site))+"&day="+v.Date.String()+"&note=intake")
}

// intakeDrop takes a line out.
func (s *server) intakeDrop(w http.ResponseWriter, r *request) error {
	f, p, err := s.atSite(r)
	if err != nil {
		return err
	}
	v, err := s.intakeOf(r, f, p)
	if err != nil {
		return err
	}
	c := service.CommitIntake{Site: p.Site.Number, Officer: r.Officer.ID}
	for _, l := range v.Sides[0].Lines {
		if l.Key == f.get("line") {
			c.Drop = append(c.Drop, l.Line)
		}
	}
	if len(c.Drop) == 0 {
		return problem.New(problem.NotFound, "intake.line")
	}
	return s.intakeSend(w, r, v, c)
}
