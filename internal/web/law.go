// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"net/http"
	"sort"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/goods"
	"darwaza.dev/internal/lang"
	"darwaza.dev/internal/market"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/reason"
	"darwaza.dev/internal/rules"
	"darwaza.dev/internal/service"
)

// lawView is the clauses in force, by the text that they stand in.
type lawView struct {
	Laws []lawEdition // one of each agreement
}

// lawEdition is the edition of one agreement in force.
type lawEdition struct {
	Edition *agreement.Edition
	Hash    string
	Texts   []lawText
	From    calendar.Date
	Until   calendar.Date // last day, zero where open-ended
}

// lawText is one instrument with its clauses.
type lawText struct {
	agreement.Instrument
	Clauses []lawClause
}

// lawClause is one clause with the questions that it leaves open.
type lawClause struct {
	*agreement.Clause
	At   string // its anchor on the page
	Open []agreement.Question
}

// lawPage lists the clauses in force, law before examples. Verdicts link to its anchors.
func (s *server) lawPage(w http.ResponseWriter, r *request) error {
	return s.keep(w, r, func() (page, error) { return s.makeLaw(r) })
}

func (s *server) makeLaw(r *request) (page, error) {
	v := lawView{}
	for _, e := range s.deps.Law().EditionsAt("", r.Now) {
		l, err := s.lawEdition(e)
		if err != nil {
			return page{}, err
		}
		v.Laws = append(v.Laws, l)
	}
	return page{Name: "law", View: v}, nil
}

func (s *server) lawEdition(e *agreement.Edition) (lawEdition, error) {
	v := lawEdition{Edition: e, Hash: hexHash(e.Hash)}
	zone, err := calendar.Zone(e.Zone)
	if err != nil {
		return v, problem.Wrap(problem.Internal, "zone", err)
	}
	v.From = calendar.On(e.From, zone)
	if !e.Until.IsZero() {
		v.Until = calendar.On(e.Until.Add(-1), zone)
	}
	by := map[string]*lawText{}
	for _, c := range e.Clauses {
		t := by[c.Instrument]
		if t == nil {
			t = &lawText{Instrument: e.Instruments[c.Instrument]}
			by[c.Instrument] = t
		}
		lc := lawClause{Clause: c, At: s.anchor(e, c)}
		for _, id := range c.Questions {
			if q, ok := e.Questions[id]; ok && !q.SettledNow() {
				lc.Open = append(lc.Open, q)
			}
		}
		t.Clauses = append(t.Clauses, lc)
	}
	for _, id := range sortedKeys(by) {
		v.Texts = append(v.Texts, *by[id])
	}
	// Law before examples, then the text with the most to say.
	sort.SliceStable(v.Texts, func(i, j int) bool {
		a, b := v.Texts[i], v.Texts[j]
		if (a.Status == "law") != (b.Status == "law") {
			return a.Status == "law"
		}
		return len(a.Clauses) > len(b.Clauses)
	})
	return v, nil
}

// goodsView is the list of goods with their rates and the values displayed today.
type goodsView struct {
	Site       agreement.Site
	Sites      []agreement.Site
	Date       calendar.Date
	Query      string
	Categories []goodsCategory
	Known      bool
}

type goodsCategory struct {
	ID    string
	Rate  int64
	Lines []goodsLine
}

type goodsLine struct {
	Code  string
	Name  lang.Text
	Unit  string
	Shown bool
	Value market.Value
}

// goodsPage lists the goods of the agreement: which category, which rate, and the
// customs value that is displayed for the day, as the law asks.
func (s *server) goodsPage(w http.ResponseWriter, r *request) error {
	var v goodsView
	law := s.deps.Law()
	if v.Sites = law.Sites(r.Now); len(v.Sites) == 0 {
		return s.render(w, r, page{Name: "goods", View: v})
	}
	v.Known, v.Site = true, v.Sites[0]
	for _, site := range v.Sites {
		if site.ID == r.URL.Query().Get("site") {
			v.Site = site
		}
	}
	e, ok := law.EditionFor(v.Site.Number, r.Now)
	if !ok {
		return s.render(w, r, page{Name: "goods", View: v})
	}
	day, _, ok := service.DayAt(s.deps.Law(), v.Site.Number, r.Now)
	if !ok {
		return s.render(w, r, page{Name: "goods", View: v})
	}
	v.Date = rules.DayDate(day)
	// A search narrows the list; it stands in the address, as it names nobody.
	v.Query = r.URL.Query().Get("q")
	if len(v.Query) > 60 {
		v.Query = ""
	}
	var wanted map[string]bool
	if v.Query != "" {
		wanted = map[string]bool{}
		for _, l := range e.Lists {
			for _, line := range l.Search(v.Query, 30) {
				wanted[line.Code] = true
			}
			if line, ok := l.Find(v.Query); ok {
				wanted[line.Code] = true
			}
		}
	}
	byCategory := map[string]*goodsCategory{}
	err := s.view(r.Context(), func(st service.State) error {
		for _, x := range service.ValuesOf(st, s.deps.Law(), v.Site.Number, day) {
			if wanted != nil && !wanted[x.Line.Code] {
				continue
			}
			c := byCategory[x.Line.Category]
			if c == nil {
				c = &goodsCategory{ID: x.Line.Category, Rate: x.Line.Rate}
				byCategory[c.ID] = c
			}
			c.Lines = append(c.Lines, goodsLine{Code: goods.FormatCode(x.Line.Code), Name: x.Line.Name, Unit: x.Line.Unit, Shown: x.Shown, Value: x.Value})
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, id := range sortedKeys(byCategory) {
		v.Categories = append(v.Categories, *byCategory[id])
	}
	return s.render(w, r, page{Name: "goods", View: v})
}

// beforeView is what to know before coming: what the clauses ask at booking and gate.
type beforeView struct {
	Known  bool
	Early  int64 // minutes before the hour in which a pass is good
	Late   int64
	Dwell  int64
	Times  bool // Early and Late are known
	Stay   bool // Dwell is known
	Groups []beforeGroup
}

type beforeGroup struct {
	Key     string
	Title   lang.Text // of the agreement, where there are several
	Clauses []beforeClause
}

type beforeClause struct {
	*agreement.Clause
	Instrument agreement.Instrument
	At         string // its anchor on the page of the law
}

func (s *server) beforePage(w http.ResponseWriter, r *request) error {
	return s.keep(w, r, func() (page, error) { return s.makeBefore(r) })
}

func (s *server) makeBefore(r *request) (page, error) {
	var v beforeView
	law := s.deps.Law()
	all := law.EditionsAt("", r.Now)
	if len(all) == 0 {
		return page{Name: "before", View: v}, nil
	}
	v.Known = true
	site := ""
	if sites := law.Sites(r.Now); len(sites) > 0 {
		site = sites[0].ID
	}
	var early, late bool
	v.Early, early = law.Param("grace.early", site, s.deps.Side, r.Now)
	v.Late, late = law.Param("grace.late", site, s.deps.Side, r.Now)
	v.Dwell, v.Stay = law.Param("dwell.limit", site, s.deps.Side, r.Now)
	v.Times = early && late
	for _, g := range []struct {
		key    string
		points []rules.Point
	}{{"before.booking", []rules.Point{rules.Booking}}, {"before.gate", []rules.Point{rules.Gate}}, {"before.goods", []rules.Point{rules.Goods, rules.Receipt, rules.Exit}}} {
		for _, e := range all {
			group := beforeGroup{Key: g.key}
			if len(all) > 1 {
				group.Title = e.Title
			}
			for _, c := range e.Clauses {
				if c.Kind == agreement.KindBound || !asked(c, g.points) || said(v.Groups, c) {
					continue
				}
				group.Clauses = append(group.Clauses, beforeClause{Clause: c, Instrument: e.Instruments[c.Instrument], At: s.anchor(e, c)})
			}
			if len(group.Clauses) > 0 {
				v.Groups = append(v.Groups, group)
			}
		}
	}
	return page{Name: "before", View: v}, nil
}

func asked(c *agreement.Clause, points []rules.Point) bool {
	for _, at := range c.At {
		for _, p := range points {
			if at == string(p) {
				return true
			}
		}
	}
	return false
}

// said reports whether a clause stands in an earlier group: it is told once.
func said(groups []beforeGroup, c *agreement.Clause) bool {
	for _, g := range groups {
		for _, x := range g.Clauses {
			if x.Clause == c {
				return true
			}
		}
	}
	return false
}

// receiptView is the page on which anybody checks a receipt.
type receiptView struct {
	Errors errorsIn
	Asked  bool
	receiptFound
	Site     agreement.Site
	Line     goods.Line // what was bought
	Listed   bool       // and it is on a list of the edition in force
	Date     calendar.Date
	Reason   reasonView // why the code is not genuine
	TextSent string     // to send the same again in another language: a number or a code, which names nobody
}

func (s *server) receiptPage(w http.ResponseWriter, r *request) error {
	return s.render(w, r, page{Name: "receipt", View: receiptView{}})
}

func (s *server) receiptSent(w http.ResponseWriter, r *request) error {
	f, err := r.form()
	if err != nil {
		return err
	}
	v := receiptView{TextSent: f.get("receipt")}
	if v.TextSent == "" {
		v.Errors.add("receipt", "receipt.error.empty")
		return s.render(w, r, page{Name: "receipt", View: v, Form: "receipt-form", Status: http.StatusUnprocessableEntity})
	}
	v.Asked = true
	if v.receiptFound, err = s.checkReceipt(r, v.TextSent); err != nil {
		return err
	}
	if v.Fault != "" {
		v.Reason = s.reason(reason.Reason{Code: v.Fault, Outcome: reason.Refuse}, "", r.Now)
	}
	if v.Good {
		v.Date = dayDate(v.Day)
		if e, err := s.editionFor(v.Purchase.Site, r.Now); err == nil {
			v.Site, _ = e.SiteNumbered(v.Purchase.Site)
			for _, l := range e.Lists {
				if line, ok := l.Find(v.Purchase.Code); ok {
					v.Line, v.Listed = line, true
				}
			}
		}
	}
	return s.render(w, r, page{Name: "receipt", View: v, Form: "receipt-form"})
}
