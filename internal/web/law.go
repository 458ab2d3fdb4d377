// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"net/http"
	"net/url"
	"sort"
	"strconv"
	"strings"
	"time"

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

// lawView is editions whole: their texts, numbers, lists, tables and questions. What a
// verdict names has an anchor on it.
type lawView struct {
	Missing bool       // there is no such edition
	Laws    []lawWhole // one of each agreement in force, or the one that was asked for
}

// lawWhole is the edition of one agreement.
type lawWhole struct {
	Edition  *agreement.Edition
	Hash     string
	Pre      string // before each anchor on the page; empty where there is one agreement
	Other    bool   // it is not in force today
	Editions []lawEdition
	From     calendar.Date
	Until    calendar.Date // last day, zero where open-ended

	Texts     []lawText
	Numbers   []lawNumber
	Lists     []lawList
	Tables    []*agreement.Table
	RuleSets  []lawRules
	Questions []lawQuestion
	Places    []lawPlace
	Reads     []lawRead
	Events    []lawRead
}

// lawRules is a set of published rules for health certificates.
type lawRules struct {
	*agreement.RuleSet
	Lines []lawRule
}

// lawRule is one of them, in one version.
type lawRule struct {
	ID   string
	Lang lang.Tag // of Text
	Text string
	When string
}

// lawEdition is an edition to choose.
type lawEdition struct {
	Title  lang.Text
	Number int
	From   calendar.Date
	Path   string
	Here   bool
}

// lawText is one instrument with its clauses.
type lawText struct {
	agreement.Instrument
	Clauses []lawClause
}

// lawClause is one clause with the questions that it leaves open, and what a reader may
// want to know of it, in the reader's language.
type lawClause struct {
	*agreement.Clause
	Open      []agreement.Question
	Period    string // when and where it holds, empty where always
	SetsAside []*agreement.Clause
	Decider   string // key of the role, or the role as written
	Program   []lawLineOfCode
}

// lawLineOfCode is a field of a clause as the program reads it: what the field is, as a word
// of ours, and its code.
type lawLineOfCode struct{ Word, Code string }

type lawNumber struct {
	*agreement.Parameter
	Rows []lawNumberRow
}

type lawNumberRow struct{ Value, From, Where, Source string }

type lawList struct {
	agreement.ListInfo
	Lines  []lawLine
	Rates  bool // some line has a rate
	Groups bool // some line has a category
}

type lawLine struct {
	Code, Name, Group, Rate, When string
	Out                           bool
}

type lawQuestion struct {
	agreement.Question
	Readings []lawReading
}

type lawReading struct {
	Since, By, Source string
	Text              lang.Text
}

type lawPlace struct {
	agreement.Site
	Since string
}

type lawRead struct {
	ID, Name        string
	Health, Derived bool
}

// lawPage shows editions whole: those in force, or the one that the address names, as
// the links of verdicts under another one do.
func (s *server) lawPage(w http.ResponseWriter, r *request) error {
	return s.keep(w, r, func() (page, error) { return s.makeLaw(r) })
}

func (s *server) makeLaw(r *request) (page, error) {
	v := lawView{}
	law := s.deps.Law()
	editions := law.EditionsAt("", r.Now)
	q := r.URL.Query()
	if q.Has("edition") || q.Has("agreement") {
		editions = named(law, q, r.Now)
		if len(editions) == 0 {
			return page{Name: "law", View: lawView{Missing: true}, Status: http.StatusNotFound}, nil
		}
	}
	for _, e := range editions {
		l, err := s.lawWhole(r, e)
		if err != nil {
			return page{}, err
		}
		v.Laws = append(v.Laws, l)
	}
	return page{Name: "law", View: v}, nil
}

// named are the editions that an address names: with "agreement" and "edition" that one, with
// "agreement" alone the one in force, or else its newest, and with "edition" alone those of
// that number, one of each agreement that has it.
func named(law *rules.Law, q url.Values, now time.Time) (out []*agreement.Edition) {
	if !q.Has("edition") {
		if e, ok := law.EditionOf(q.Get("agreement"), now); ok && e.ID == q.Get("agreement") {
			return []*agreement.Edition{e}
		}
		for _, e := range law.Newest() {
			if e.ID == q.Get("agreement") {
				out = append(out, e)
			}
		}
		return out
	}
	for _, e := range law.Editions() {
		if q.Get("edition") == strconv.Itoa(e.Number) && (!q.Has("agreement") || q.Get("agreement") == e.ID) {
			out = append(out, e)
		}
	}
	return out
}

func (s *server) lawWhole(r *request, e *agreement.Edition) (lawWhole, error) {
	law := s.deps.Law()
	v := lawWhole{Edition: e, Hash: hexHash(e.Hash), Pre: s.anchorPrefix(e), Other: s.lawPath(e, r.Now) == lawPathOf(e)}
	zone, err := calendar.Zone(e.Zone)
	if err != nil {
		return v, problem.Wrap(problem.Internal, "zone", err)
	}
	v.From = calendar.On(e.From, zone)
	if !e.Until.IsZero() {
		v.Until = calendar.On(e.Until.Add(-1), zone)
	}
	var all []*agreement.Edition
	for _, x := range law.Editions() {
		if x.ID == e.ID {
			all = append(all, x)
		}
	}
	if len(all) > 1 {
		for _, x := range all {
			v.Editions = append(v.Editions, lawEdition{Title: x.Title, Number: x.Number, From: calendar.On(x.From, zone), Path: s.lawPath(x, r.Now), Here: x == e})
		}
	}
	b := lawBook{s: s, e: e, tag: r.Lang}
	v.Texts, v.Numbers, v.Lists, v.Questions = b.texts(), b.numbers(), b.lists(), b.questions()
	for _, id := range sortedKeys(e.Tables) {
		v.Tables = append(v.Tables, e.Tables[id])
	}
	for _, id := range sortedKeys(e.RuleSets) {
		x := lawRules{RuleSet: e.RuleSets[id]}
		for _, p := range x.Rules.Rules() {
			until := p.ValidTo.Add(time.Second)
			x.Lines = append(x.Lines, lawRule{p.ID + " " + p.Version, p.SaidIn(r.Lang), p.Says(r.Lang), b.between(agreement.Day(calendar.On(p.ValidFrom, zone)), agreement.Day(calendar.On(until, zone)))})
		}
		v.RuleSets = append(v.RuleSets, x)
	}
	for _, site := range e.Sites {
		v.Places = append(v.Places, lawPlace{site, b.moment(site.From)})
	}
	for _, id := range sortedKeys(e.Attributes) {
		a := e.Attributes[id]
		v.Reads = append(v.Reads, lawRead{id, inputName(r.Lang, e, id), a.Sensitive, a.Derived})
	}
	for _, id := range sortedKeys(e.Events) {
		v.Events = append(v.Events, lawRead{ID: id, Name: inputName(r.Lang, e, id)})
	}
	return v, nil
}

// lawBook writes the parts of an edition in a language.
type lawBook struct {
	s   *server
	e   *agreement.Edition
	tag lang.Tag
}

func (b lawBook) say(key string, args lang.Args) string { return b.s.deps.Texts.Say(b.tag, key, args) }

func (b lawBook) texts() []lawText {
	by := map[string]*lawText{}
	var all []*agreement.Clause
	for _, id := range b.e.InOrder() {
		all = append(all, b.e.ClausesOf(id)...)
	}
	for _, c := range all {
		t := by[c.Instrument]
		if t == nil {
			t = &lawText{Instrument: b.e.Instruments[c.Instrument]}
			by[c.Instrument] = t
		}
		lc := lawClause{Clause: c, Period: b.periods(c.Holds), Program: programOf(c), Decider: c.Decides}
		if key := "role." + c.Decides; b.s.deps.Texts.Has(key) {
			lc.Decider = b.say(key, nil)
		}
		for _, id := range c.Questions {
			if q, ok := b.e.Questions[id]; ok && !q.SettledNowFor(b.e.SideOf(c)) {
				lc.Open = append(lc.Open, q)
			}
		}
		for _, id := range c.Overrides {
			if o := b.e.Clause(id); o != nil {
				lc.SetsAside = append(lc.SetsAside, o)
			}
		}
		t.Clauses = append(t.Clauses, lc)
	}
	var out []lawText
	for _, id := range b.e.InOrder() {
		if t := by[id]; t != nil {
			out = append(out, *t)
		} else {
			out = append(out, lawText{Instrument: b.e.Instruments[id]})
		}
	}
	// Law before examples, then the text with the most to say.
	sort.SliceStable(out, func(i, j int) bool {
		x, y := out[i], out[j]
		if (x.Status == agreement.StatusLaw) != (y.Status == agreement.StatusLaw) {
			return x.Status == agreement.StatusLaw
		}
		return len(x.Clauses) > len(y.Clauses)
	})
	return out
}

// programOf is what the program reads in a clause, for readers who want to see it.
func programOf(c *agreement.Clause) []lawLineOfCode {
	out := []lawLineOfCode{{"kind", string(c.Kind)}}
	for _, x := range []struct{ word, text string }{
		{"when", c.When}, {"require", c.Require}, {"attribute", c.Attribute}, {"value", c.Value}, {"release", c.Release}, {"limit", c.Limit},
		{"list", c.List}, {"table", c.Table}, {"rate", c.Rate}, {"else", c.Else.String()}, {"then", c.Then.String()}, {"missing", c.Missing.String()},
	} {
		if text := strings.Join(strings.Fields(x.text), " "); text != "" {
			out = append(out, lawLineOfCode{x.word, text})
		}
	}
	return out
}

func (b lawBook) moment(m agreement.Moment) string {
	switch {
	case m.IsZero():
		return ""
	case m.Exact() && m.Minute == 0:
		return lang.FormatDateBoth(b.tag, m.First)
	case m.Exact():
		return lang.FormatDateBoth(b.tag, m.First) + " " + lang.FormatMinute(b.tag, m.Minute)
	case m.Unknown:
		return b.say("law.unknown", nil)
	}
	return lang.Digits(b.tag, m.String())
}

// between says from when until when something holds, empty where always.
func (b lawBook) between(from, until agreement.Moment) string {
	var out []string
	if !from.IsZero() {
		out = append(out, b.say("law.from", lang.Args{"date": b.moment(from)}))
	}
	if !until.IsZero() {
		out = append(out, b.say("law.before", lang.Args{"date": b.moment(until)}))
	}
	return strings.Join(out, b.say("list.comma", nil))
}

func (b lawBook) periods(all []agreement.Period) string {
	var out []string
	for _, p := range all {
		var one []string
		if x := b.between(p.From, p.Until); x != "" {
			one = append(one, x)
		}
		for _, id := range p.Sites {
			if site, ok := b.e.Site(id); ok {
				one = append(one, site.Name.In(b.tag))
			}
		}
		for _, side := range p.Sides {
			one = append(one, b.e.Parties[side].Name.In(b.tag))
		}
		out = append(out, strings.Join(one, b.say("list.comma", nil)))
	}
	return strings.Join(out, "; ")
}

func (b lawBook) numbers() []lawNumber {
	var out []lawNumber
	for _, id := range sortedKeys(b.e.Parameters) {
		n := lawNumber{Parameter: b.e.Parameters[id]}
		for _, x := range n.Values {
			row := lawNumberRow{Value: b.number(n.Unit, x), From: b.between(x.From, x.Until), Source: x.Source}
			var where []string
			if site, ok := b.e.Site(x.Site); ok {
				where = append(where, site.Name.In(b.tag))
			}
			if x.Side != "" {
				where = append(where, b.e.Parties[x.Side].Name.In(b.tag))
			}
			for _, k := range sortedKeys(x.For) {
				where = append(where, inputName(b.tag, b.e, k)+": "+b.s.valueName(b.tag, b.e, b.e.Attributes[k], x.For[k]))
			}
			row.Where = strings.Join(where, b.say("list.comma", nil))
			n.Rows = append(n.Rows, row)
		}
		out = append(out, n)
	}
	return out
}

func (b lawBook) number(unit string, v agreement.ParameterValue) string {
	switch {
	case v.Unlimited:
		return b.say("law.unlimited", nil)
	case !v.Known:
		return b.say("law.unknown", nil)
	case unit == "text":
		return lang.Digits(b.tag, v.Text)
	}
	return b.s.figure(b.tag, v.Int, unit)
}

func (b lawBook) lists() []lawList {
	var out []lawList
	for _, id := range sortedKeys(b.e.ListInfo) {
		l := lawList{ListInfo: b.e.ListInfo[id]}
		if x := b.e.Lists[id]; x != nil {
			for _, line := range x.Lines() {
				n := lawLine{Code: goods.FormatCode(line.Code), Name: line.Name.In(b.tag), Group: line.Category, Out: line.Exclude, When: b.between(line.From, line.Until)}
				for _, k := range sortedKeys(line.For) {
					n.When += " " + inputName(b.tag, b.e, k) + ": " + b.s.valueName(b.tag, b.e, b.e.Attributes[k], line.For[k])
				}
				if line.Rate > 0 {
					n.Rate, l.Rates = lang.FormatPercent(b.tag, line.Rate), true
				}
				l.Groups = l.Groups || line.Category != ""
				l.Lines = append(l.Lines, n)
			}
		}
		if x := b.e.Places[id]; x != nil {
			for _, place := range sortedKeys(x.Up) {
				l.Lines = append(l.Lines, lawLine{Code: place, Name: x.Name[place].In(b.tag), Group: x.Up[place]})
				l.Groups = l.Groups || x.Up[place] != ""
			}
		}
		for _, value := range sortedKeys(b.e.Values[id]) {
			l.Lines = append(l.Lines, lawLine{Code: value, Name: b.e.Values[id][value].In(b.tag)})
		}
		out = append(out, l)
	}
	return out
}

func (b lawBook) questions() []lawQuestion {
	var out []lawQuestion
	for _, id := range sortedKeys(b.e.Questions) {
		q := lawQuestion{Question: b.e.Questions[id]}
		q.Readings = append(q.Readings, lawReading{By: b.by(q.By), Text: q.Reading})
		for _, x := range q.Later {
			q.Readings = append(q.Readings, lawReading{Since: b.say("law.from", lang.Args{"date": lang.FormatDateBoth(b.tag, x.From)}), By: b.by(x.By), Source: x.Source, Text: x.Reading})
		}
		out = append(out, q)
	}
	return out
}

// by is who holds a reading.
func (b lawBook) by(who string) string {
	if side := agreement.Side(who); side.Valid() {
		return b.e.Parties[side].Name.In(b.tag)
	}
	return b.say("law.by."+who, nil)
}

// cellText writes a cell of a table as its author did. A date is counted in days.
func cellText(c agreement.Cell) string {
	switch {
	case c.Any:
		return "-"
	case c.Unknown:
		return "unknown"
	case c.HasMin && c.HasMax && c.Min == c.Max:
		return strconv.FormatInt(c.Min, 10)
	case c.HasMin && c.HasMax:
		return strconv.FormatInt(c.Min, 10) + ".." + strconv.FormatInt(c.Max, 10)
	case c.HasMin:
		return ">=" + strconv.FormatInt(c.Min, 10)
	case c.HasMax:
		return "<=" + strconv.FormatInt(c.Max, 10)
	case c.Not:
		return "!" + strings.Join(c.Texts, "|")
	}
	return strings.Join(c.Texts, "|")
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
