// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"net/http"
	"slices"
	"sort"
	"strconv"
	"strings"

	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/lang"
	"darwaza.dev/internal/money"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/rules"
	"darwaza.dev/internal/service"
)

// lookBack is how many days before are searched for values to copy: markets that work
// one day in two weeks are still found.
const lookBack = 28

// valuesView is the displayed values of a site and day: what customs officers key, and
// what everybody may read.
type valuesView struct {
	Place      place
	Date       calendar.Date
	Day        uint16
	Past       bool // what was displayed stays as it was
	Currency   string
	Categories []valueGroup
	Shown, Of  int
	Before     *calendar.Date // the day whose values can be copied, nil where there is none
	Query      string         // of a search that keeps the list short
	Typed      map[string]string
	Errors     errorsIn
	Changed    int
}

// valueGroup is the goods of one category.
type valueGroup struct {
	Key   string
	Name  lang.Text
	Rate  int64
	Lines []service.ValueView
}

// valuesOf reads the values of a day. before asks for the day to copy from.
func (s *server) valuesOf(r *request, p place, date calendar.Date, before bool) (valuesView, error) {
	v := valuesView{Place: p, Date: date, Day: rules.DayNumber(date), Currency: p.Edition.Currency}
	v.Past = v.Day < p.Day
	law := s.deps.Law()
	var lines []service.ValueView
	err := s.view(r.Context(), func(st service.State) error {
		lines = service.ValuesOf(st, law, p.Site.Number, v.Day)
		for d := v.Day - 1; before && d > 0 && d+lookBack >= v.Day; d-- {
			for _, l := range service.ValuesOf(st, law, p.Site.Number, d) {
				if l.Shown {
					date := rules.DayDate(d)
					v.Before = &date
					return nil
				}
			}
		}
		return nil
	})
	if err != nil {
		return v, err
	}
	at := map[string]int{}
	for _, l := range lines {
		v.Of++
		if l.Shown {
			v.Shown++
		}
		key := l.List + "/" + l.Line.Category
		i, ok := at[key]
		if !ok {
			i = len(v.Categories)
			at[key] = i
			v.Categories = append(v.Categories, valueGroup{Key: l.Line.Category, Rate: l.Line.Rate,
				Name: p.Edition.ListInfo[l.List].Categories[l.Line.Category]})
		}
		v.Categories[i].Lines = append(v.Categories[i].Lines, l)
	}
	sort.SliceStable(v.Categories, func(i, j int) bool { return v.Categories[i].Key < v.Categories[j].Key })
	return v, nil
}

// dateOf reads the day that a page is about, today at the place where none is given.
func dateOf(p place, text string) calendar.Date {
	if d, err := calendar.ParseDate(text); err == nil && d.Year >= 2000 && d.Year < 2100 {
		return d
	}
	return p.Date
}

func (s *server) valuesPage(w http.ResponseWriter, r *request) error {
	f, p, err := s.atSite(r)
	if err != nil {
		return err
	}
	v, err := s.valuesOf(r, p, dateOf(p, f.get("day")), true)
	if err != nil {
		return err
	}
	v.only(f.get("q"))
	return s.renderValues(w, r, v, http.StatusOK)
}

func (s *server) renderValues(w http.ResponseWriter, r *request, v valuesView, status int) error {
	return s.render(w, r, page{Name: "values-edit", View: v, Status: status, Wide: true, Styles: []string{"officer.css"}})
}

// valuesForm reads the day that a form of values is about; what was displayed on a day
// that is over stays as it was.
func (s *server) valuesForm(r *request) (formValues, valuesView, error) {
	f, p, err := s.atSite(r)
	if err != nil {
		return nil, valuesView{}, err
	}
	v, err := s.valuesOf(r, p, dateOf(p, f.get("day")), true)
	if err == nil && v.Past {
		err = problem.New(problem.Conflict, "values.past")
	}
	return f, v, err
}

// publish displays values, where there are any, and goes back to the day's page.
func (s *server) publish(w http.ResponseWriter, r *request, v valuesView, values []service.DisplayValue) error {
	if len(values) > 0 {
		c := service.Display{Site: v.Place.Site.Number, Day: v.Day, Officer: r.Officer.ID, Values: values}
		if _, _, err := do[service.DisplayAnswer](s, r, c); err != nil {
			return err
		}
	}
	return s.redirect(w, r, valuesPath(v.Place, v.Date)+"&note=values")
}

// amountText brings an amount as it was typed, in any script's digits, to the form that
// package money reads.
func amountText(text string) string {
	return strings.NewReplacer("٫", ".", "٬", "").Replace(lang.PlainDigits(text))
}

// valuesSave publishes the values that were changed.
func (s *server) valuesSave(w http.ResponseWriter, r *request) error {
	f, v, err := s.valuesForm(r)
	if err != nil {
		return err
	}
	var changed []service.DisplayValue
	v.Typed = map[string]string{}
	for _, g := range v.Categories {
		for _, l := range g.Lines {
			field := "v." + l.Line.Code
			text := amountText(f.get(field))
			if text == "" {
				continue
			}
			v.Typed[l.Line.Code] = f.get(field)
			a, err := money.Parse(text, v.Currency)
			if err != nil || a.Minor <= 0 {
				v.Errors.add(field, "values.wrong", "good", l.Line.Name.In(r.Lang))
				continue
			}
			if !l.Shown || l.Value.Minor != a.Minor || l.Value.Currency != v.Currency || l.Value.Unit != l.Line.Unit {
				changed = append(changed, service.DisplayValue{Code: l.Line.Code, Minor: a.Minor, Currency: v.Currency, Unit: l.Line.Unit})
			}
		}
	}
	if len(v.Errors) > 0 {
		return s.renderValues(w, r, v, http.StatusUnprocessableEntity)
	}
	return s.publish(w, r, v, changed)
}

// valuesCopy publishes the values of the last day that had any for the goods that have
// none yet.
func (s *server) valuesCopy(w http.ResponseWriter, r *request) error {
	_, v, err := s.valuesForm(r)
	if err != nil {
		return err
	}
	if v.Before == nil {
		return errNotFound
	}
	old, err := s.valuesOf(r, v.Place, *v.Before, false)
	if err != nil {
		return err
	}
	shown := map[string]bool{}
	for _, g := range v.Categories {
		for _, l := range g.Lines {
			shown[l.Line.Code] = l.Shown
		}
	}
	var copied []service.DisplayValue
	for _, g := range old.Categories {
		for _, l := range g.Lines {
			if l.Shown && !shown[l.Line.Code] {
				copied = append(copied, service.DisplayValue{Code: l.Line.Code, Minor: l.Value.Minor, Currency: l.Value.Currency, Unit: l.Value.Unit})
			}
		}
	}
	return s.publish(w, r, v, copied)
}

func valuesPath(p place, d calendar.Date) string {
	return "/desk/values?site=" + strconv.Itoa(int(p.Site.Number)) + "&day=" + d.String()
}

// valuesPublic is the same for everybody: the clause says that values are displayed.
func (s *server) valuesPublic(w http.ResponseWriter, r *request) error {
	q := r.URL.Query()
	// No officer is asked for, so every site is open to look at.
	reader := *r
	reader.Officer.Site = ""
	p, err := s.siteOf(&reader, q.Get("site"))
	if err != nil {
		return err
	}
	v, err := s.valuesOf(r, p, dateOf(p, q.Get("day")), false)
	if err != nil {
		return err
	}
	return s.render(w, r, page{Name: "values", View: v})
}

// only keeps the goods that a search finds.
func (v *valuesView) only(query string) {
	if v.Query = query; query == "" {
		return
	}
	found := map[string]bool{}
	for _, l := range goodsLists(v.Place.Edition) {
		for _, line := range l.Search(query, maxFound*4) {
			found[line.Code] = true
		}
	}
	for i := range v.Categories {
		v.Categories[i].Lines = slices.DeleteFunc(v.Categories[i].Lines, func(l service.ValueView) bool { return !found[l.Line.Code] })
	}
	v.Categories = slices.DeleteFunc(v.Categories, func(g valueGroup) bool { return len(g.Lines) == 0 })
}
