// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/goods"
	"darwaza.dev/internal/lang"
	"darwaza.dev/internal/rules"
	"darwaza.dev/internal/service"
)

// "What would happen if": somebody supposes where, when and what, and is told what the law
// would answer. Nothing of it is kept or logged. Where and when stand in the address, so
// that the second page can be linked to; what may say something of a person is posted.

// maxRows is how many past events of a kind, or earlier purchases, can be supposed.
const maxRows = 8

// askView is the page. Until Chosen it asks where and when, then for what the clauses of
// that point may read.
type askView struct {
	Known  bool // there is an edition to ask
	Errors errorsIn
	Chosen bool
	// Where and when.
	Sites   []askOption
	Points  []askOption
	Sides   []askOption
	Day     string
	Time    string
	Where   askWhere
	InForce string // name of the level of protection that is taken, where the person supposed none
	Back    string // address of the first page with the same choices
	// What.
	Fields []askField
	Events []askEvents
	Lots   *askLots
	Codes  []askOption // of goods, to choose from
	Answer *askAnswer
}

// askWhere is what was chosen first, as the second page says it and carries it on.
type askWhere struct {
	Site, Point, Side, Day, Time string // as sent
	SiteName, SideName           lang.Text
	Date                         calendar.Date
	At                           time.Time
}

type askOption struct {
	Value, Text string
	On          bool
}

// askField is one attribute to fill in.
type askField struct {
	ID      string // of the input
	Name    string
	Kind    string // "bool", "choice", "set", "int", "date", "time", "text" or "code"
	Value   string
	Options []askOption
	Other   bool // of a choice: another text can be written
	None    bool // of a set: none of them
	Unit    string
	Health  bool
	Error   *fieldError
}

// askEvents is a kind of past events: not known, none, or some rows.
type askEvents struct {
	ID, Name string
	Answer   string // "", "none" or "some"
	Rows     []askRow
	More     bool // another row may be added
	Site     bool // there are sites to choose from
}

// askRow is one event or purchase. The number counts from 1.
type askRow struct {
	N         int
	Day, Time askField
	Site      askField
	Fields    []askField
}

type askLots struct {
	Rows []askRow
	More bool
}

// askForm reads a page that was sent, with what is wrong in it.
type askForm struct {
	s    *server
	r    *request
	e    *agreement.Edition // in force at the instant, nil where none is
	zone *time.Location
	f    formValues
	v    *askView
	q    rules.Query
}

func (s *server) askPage(w http.ResponseWriter, r *request) error {
	q := r.URL.Query()
	get := func(name string) string {
		if v, ok := cleanText(q.Get(name)); ok && len(v) <= 60 {
			return v
		}
		return ""
	}
	v, a, err := s.askWhere(r, get)
	if err != nil {
		return err
	}
	if v.Known && q.Has("point") && !q.Has("change") && len(v.Errors) == 0 {
		a.fill()
		v.Chosen = true
	} else if !q.Has("day") {
		v.Errors = nil // nothing was sent yet
	}
	status := http.StatusOK
	if len(v.Errors) > 0 {
		status = http.StatusUnprocessableEntity
	}
	return s.render(w, r, page{Name: "ask", View: v, Form: a.form(), Status: status})
}

// askSent answers, or shows the page again with one more row or in another language.
func (s *server) askSent(w http.ResponseWriter, r *request) error {
	f, err := r.form()
	if err != nil {
		return err
	}
	v, a, err := s.askWhere(r, f.get)
	if err != nil {
		return err
	}
	if !v.Known || len(v.Errors) > 0 {
		return s.render(w, r, page{Name: "ask", View: v, Status: http.StatusUnprocessableEntity})
	}
	a.f, v.Chosen = f, true
	a.fill()
	status := http.StatusOK
	switch {
	case switched(f) && !f.has("answered"), f.has("more"):
		v.Errors = nil
	case len(v.Errors) > 0:
		status = http.StatusUnprocessableEntity
	default:
		if err := s.asks(r, askCost(a.q, true)); err != nil {
			return err
		}
		v.Answer = s.answerOf(r, a.e, a.q, s.deps.Law().Explain(a.q))
	}
	return s.render(w, r, page{Name: "ask", View: v, Form: a.form(), Status: status})
}

// form is the id of the form that a change of language sends again.
func (a *askForm) form() string {
	if a.v.Chosen {
		return "ask"
	}
	return ""
}

// askWhere reads where and when. What is not given is the first site, now.
func (s *server) askWhere(r *request, get func(string) string) (*askView, *askForm, error) {
	v := &askView{}
	a := &askForm{s: s, r: r, v: v, f: formValues{}}
	now, err := s.edition(r.Now)
	if err != nil {
		return v, a, nil // the page says that there is no agreement
	}
	v.Known = true
	law := s.deps.Law()
	say := func(key string) string { return s.deps.Texts.Say(r.Lang, key, nil) }
	sites := s.sites(r.Now)
	site, ok := agreement.Site{}, false
	for _, x := range sites {
		if x.ID == get("site") {
			site, ok = x, true
		}
	}
	if !ok && len(sites) > 0 {
		site = sites[0]
		if get("site") != "" {
			v.Errors.add("site", "ask.error.choice", "name", say("ask.site"))
		}
	}
	a.zone = law.Zone(site.ID)
	local := r.Now.In(a.zone)
	w := askWhere{Site: site.ID, Point: get("point"), Side: get("side"), Day: get("day"), Time: get("time"), SiteName: site.Name}
	if w.Day == "" {
		w.Day = calendar.On(r.Now, a.zone).String()
	}
	if w.Time == "" {
		w.Time = local.Format("15:04")
	}
	if !agreement.Side(w.Side).Valid() {
		w.Side = string(s.deps.Side)
	}
	w.SideName = now.Parties[agreement.Side(w.Side)].Name
	date, err := calendar.ParseDate(lang.PlainDigits(w.Day))
	if err != nil || date.Year < 1900 || date.Year > 2150 {
		v.Errors.add("day", "ask.error.date", "name", say("book.fact.day"))
	}
	minute, okTime := parseClock(w.Time)
	if !okTime {
		v.Errors.add("time", "ask.error.time", "name", say("book.fact.time"))
	}
	at := r.Now
	if len(v.Errors) == 0 {
		w.Date, w.Day, w.Time = date, date.String(), minute.String()
		w.At = date.At(minute, a.zone)
		at = w.At
	}
	points := law.Points(at)
	if len(points) == 0 {
		points = law.Points(r.Now)
	}
	if len(points) == 0 {
		points = law.Points(now.From)
	}
	if w.Point == "" && len(points) > 0 {
		w.Point = string(points[0])
	}
	if !slices.Contains(points, rules.Point(w.Point)) {
		v.Errors.add("point", "ask.error.point")
	}
	for _, p := range points {
		v.Points = append(v.Points, askOption{string(p), s.deps.Texts.Say(r.Lang, "ask.point."+string(p), nil), string(p) == w.Point})
	}
	for _, x := range sites {
		v.Sites = append(v.Sites, askOption{x.ID, x.Name.In(r.Lang), x.ID == w.Site})
	}
	for _, side := range []agreement.Side{agreement.A, agreement.B} {
		v.Sides = append(v.Sides, askOption{string(side), now.Parties[side].Name.In(r.Lang), string(side) == w.Side})
	}
	v.Where, v.Day, v.Time = w, w.Day, w.Time
	v.Back = "/ask?change=1&site=" + urlQuery(w.Site) + "&point=" + urlQuery(w.Point) + "&side=" + w.Side + "&day=" + urlQuery(w.Day) + "&time=" + urlQuery(w.Time)
	a.q = rules.Query{Point: rules.Point(w.Point), At: w.At.UTC(), Site: w.Site, Side: w.Side, Facts: rules.Facts{}}
	a.e = together(askedOf(law, rules.Query{Site: w.Site, At: at}))
	return v, a, nil
}

// parseClock reads "08:30", in the digits of any of the languages.
func parseClock(text string) (calendar.Minute, bool) {
	t, err := time.Parse("15:04", lang.PlainDigits(text))
	return calendar.Minute(t.Hour()*60 + t.Minute()), err == nil
}

// fill makes the inputs of what the clauses may read, with what was sent in them, and puts
// the question together.
func (a *askForm) fill() {
	if a.e == nil {
		return
	}
	asks := a.s.deps.Law().Asks(a.q.Point, a.q.Site, agreement.Side(a.q.Side), a.q.At)
	known := wordsKnown(a.e)
	codes := codeAttributes(a.e)
	for _, id := range asks.Attributes {
		at := a.e.Attributes[id]
		if at.Type == agreement.TypeCertificate {
			continue // nobody types one, and none is to stand in an address
		}
		field := a.field("f."+id, at, known[id], slices.Contains(codes, id))
		if x, ok := a.read(&field, at, true); ok {
			a.q.Facts[id] = x
		}
		a.v.Fields = append(a.v.Fields, field)
		if field.Kind == "code" && a.v.Codes == nil {
			a.v.Codes = a.codes()
		}
	}
	a.level(asks.Attributes)
	for _, id := range asks.Events {
		a.events(a.e.Events[id], known)
	}
	if asks.Lots {
		a.lots()
	}
}

// level fills in the level of protection in force at the site and time that are asked
// about, and what it switches on, where the person supposes no other.
func (a *askForm) level(read []string) {
	missing := func(id string) bool { _, given := a.q.Facts[id]; return !given && slices.Contains(read, id) }
	number := uint16(0)
	for _, st := range a.s.deps.Law().Sites(a.q.At) {
		if st.ID == a.q.Site {
			number = st.Number
		}
	}
	h, ok := a.s.deps.Law().Health(number, a.q.At)
	if number == 0 || !ok || !missing(agreement.AttrLevel) && !missing(agreement.AttrProfiles) {
		return
	}
	facts := rules.Facts{}
	supposed, given := a.q.Facts[agreement.AttrLevel].(string)
	if given {
		h.Facts(h.Rank(supposed), nil, facts)
	} else if err := a.s.view(a.r.Context(), func(st service.State) error {
		st.Levels.Facts(a.s.deps.Law(), number, a.q.At, facts)
		return nil
	}); err != nil {
		return
	}
	for _, id := range []string{agreement.AttrLevel, agreement.AttrProfiles} {
		if x, ok := facts[id]; ok && missing(id) {
			a.q.Facts[id] = x
		}
	}
	if x, ok := facts[agreement.AttrLevel].(string); ok && !given {
		a.v.InForce = h.Levels()[h.Rank(x)].Name.In(a.r.Lang)
	}
}

// field makes the input of an attribute.
func (a *askForm) field(id string, at agreement.Attribute, known []string, code bool) askField {
	f := askField{ID: id, Name: at.Name.In(a.r.Lang), Health: at.Sensitive}
	if f.Name == "" {
		f.Name = at.ID
	}
	switch at.Type {
	case "int":
		f.Kind = "int"
		if at.Unit != "" && at.Unit != "count" {
			f.Unit = a.s.unitName(a.r.Lang, at.Unit)
		}
	case "bool", "date", "time":
		f.Kind = at.Type
	default:
		values := at.Values
		f.Kind = "choice"
		if at.Type == "strings" {
			f.Kind = "set"
		}
		if len(values) == 0 {
			values, f.Other = known, at.Type == "string" && at.ID != "direction" && at.ID != "class"
		}
		for _, v := range values {
			f.Options = append(f.Options, askOption{Value: v, Text: a.s.valueName(a.r.Lang, a.e, at, v)})
		}
		if code && at.Type == "string" && len(at.Values) == 0 && len(a.e.Lists) > 0 {
			f.Kind, f.Options = "code", nil
		} else if len(values) == 0 {
			f.Kind = "text"
		}
	}
	return f
}

// read takes what was sent in an input. ok is false where nothing was, or where it is wrong.
func (a *askForm) read(f *askField, at agreement.Attribute, whole bool) (x any, ok bool) {
	sent := a.f[f.ID]
	if f.Kind == "set" {
		return a.readSet(f, at, sent)
	}
	f.Value = a.f.get(f.ID)
	if other := a.f.get(f.ID + ".other"); f.Other && f.Kind == "choice" {
		if other != "" {
			f.Value = other
		}
		found := false
		for i := range f.Options {
			f.Options[i].On = f.Options[i].Value == f.Value
			found = found || f.Options[i].On
		}
		if found {
			defer func() { f.Value = "" }() // it is not shown as another text
		}
	} else {
		for i := range f.Options {
			f.Options[i].On = f.Options[i].Value == f.Value
		}
	}
	if f.Value == "" {
		return nil, false
	}
	text, wrong := f.Value, ""
	switch f.Kind {
	case "bool":
		wrong = "ask.error.choice"
		text = map[string]string{"yes": "true", "no": "false"}[text]
	case "choice":
		if wrong = "ask.error.choice"; f.Other {
			wrong = "ask.error.text"
		}
	case "int":
		wrong = "ask.error.number"
		text = plainNumber(text, at.Unit)
	case "date":
		wrong = "ask.error.date"
		text = lang.PlainDigits(text)
	case "time":
		wrong = "ask.error.moment"
		day, clock, _ := strings.Cut(strings.Replace(lang.PlainDigits(text), " ", "T", 1), "T")
		d, err := calendar.ParseDate(day)
		m, ok := parseClock(clock)
		if err != nil || !ok {
			text = ""
		} else {
			text = d.At(m, a.zone).UTC().Format(time.RFC3339)
		}
	case "code":
		wrong = "ask.error.code"
		text = a.goodsCode(text)
	default:
		wrong = "ask.error.text"
	}
	x, err := agreement.ParseFact(at, []string{text})
	if err != nil || text == "" || len(text) > 200 {
		a.wrong(f, wrong)
		return nil, false
	}
	if d, isDate := x.(calendar.Date); isDate && (d.Year < 1800 || d.Year > 2200) {
		a.wrong(f, wrong)
		return nil, false
	}
	return x, true
}

func (a *askForm) readSet(f *askField, at agreement.Attribute, sent []string) (any, bool) {
	f.None = a.f.has(f.ID + ".none")
	for i := range f.Options {
		f.Options[i].On = slices.Contains(sent, f.Options[i].Value)
	}
	sent = slices.DeleteFunc(slices.Clone(sent), func(t string) bool { return t == "" || len(t) > 200 })
	if len(f.Options) == 0 && len(sent) == 1 {
		f.Value = sent[0]
		sent = strings.FieldsFunc(sent[0], func(c rune) bool { return c == ',' || c == '،' || c == ';' })
		for i := range sent {
			sent[i] = strings.TrimSpace(sent[i])
		}
	}
	if len(sent) == 0 && !f.None {
		return nil, false
	}
	x, err := agreement.ParseFact(at, sent)
	if err != nil || len(sent) > 0 && f.None {
		a.wrong(f, "ask.error.choice")
		return nil, false
	}
	return x, true
}

func (a *askForm) wrong(f *askField, key string) {
	a.v.Errors.add(f.ID, key, "name", f.Name)
	f.Error = a.v.Errors.For(f.ID)
}

// rows is how many rows of a group to show: those that were sent, one more where that was
// asked for, and one at least.
func (a *askForm) rows(group string) int {
	n, err := strconv.Atoi(a.f.get(group + ".n"))
	if err != nil || n < 1 {
		n = 1
	}
	if a.f.get("more") == group {
		n++
	}
	return min(n, maxRows)
}

// events makes the rows of a kind of past events.
func (a *askForm) events(k agreement.EventKind, known map[string][]string) {
	group := "e." + k.ID
	g := askEvents{ID: group, Name: k.Name.In(a.r.Lang), Answer: a.f.get(group), Site: len(a.v.Sites) > 1}
	if g.Name == "" {
		g.Name = k.ID
	}
	var list []rules.Event
	n := a.rows(group)
	for i := 1; i <= n; i++ {
		row, ev, any := a.row(group, i, g.Site)
		for _, id := range k.Fields {
			at := a.e.Attributes[id]
			f := a.field(row.Day.ID+"."+id, at, known[id], false)
			if x, ok := a.read(&f, at, false); ok {
				ev.Facts[id] = x
				any = true
			}
			row.Fields = append(row.Fields, f)
		}
		_, half := ev.Facts["proof.earliest"] // of a proof the day may not be known
		if any && ev.At.IsZero() && row.Day.Error == nil && !(half && k.ID == agreement.EventProof) {
			a.wrong(&row.Day, "ask.error.event")
		}
		if any {
			list = append(list, ev)
			g.Answer = "some"
		}
		g.Rows = append(g.Rows, row)
	}
	g.More = n < maxRows
	if g.Answer == "none" || len(list) > 0 {
		if a.q.Events == nil {
			a.q.Events = map[string][]rules.Event{}
		}
		a.q.Events[k.ID] = list
	} else if g.Answer == "some" && len(list) == 0 && !a.f.has("more") {
		a.wrong(&g.Rows[0].Day, "ask.error.event")
	}
	a.v.Events = append(a.v.Events, g)
}

// row reads the day, the time and the site of an event.
func (a *askForm) row(group string, n int, site bool) (row askRow, ev rules.Event, any bool) {
	id := group + "." + strconv.Itoa(n)
	row = askRow{N: n, Day: askField{ID: id, Kind: "date"}, Time: askField{ID: id + ".time"}, Site: askField{ID: id + ".site"}}
	row.Day.Name = a.s.deps.Texts.Say(a.r.Lang, "ask.event.day", lang.Args{"n": n})
	ev.Facts = rules.Facts{}
	row.Day.Value, row.Time.Value = a.f.get(row.Day.ID), a.f.get(row.Time.ID)
	if row.Time.Value != "" {
		any = true
	}
	minute, ok := parseClock(row.Time.Value)
	if row.Time.Value != "" && !ok {
		row.Time.Name = row.Day.Name
		a.wrong(&row.Time, "ask.error.time")
	}
	if row.Day.Value != "" {
		any = true
		d, err := calendar.ParseDate(lang.PlainDigits(row.Day.Value))
		if err != nil || d.Year < 1800 || d.Year > 2200 {
			a.wrong(&row.Day, "ask.error.date")
		} else {
			ev.At = d.At(minute, a.zone).UTC()
		}
	}
	for _, o := range a.v.Sites {
		o.On = o.Value == a.f.get(row.Site.ID)
		if o.On {
			ev.Site = o.Value
		}
		row.Site.Options = append(row.Site.Options, o)
	}
	if !site && len(a.v.Sites) == 1 {
		ev.Site = a.v.Sites[0].Value
	}
	return row, ev, any
}

// lots makes the rows of earlier purchases of the day.
func (a *askForm) lots() {
	const group = "lot"
	g := &askLots{}
	n := a.rows(group)
	value := agreement.Attribute{ID: "value", Type: "int", Unit: a.e.Currency}
	say := func(key string) string { return a.s.deps.Texts.Say(a.r.Lang, key, nil) }
	for i := 1; i <= n; i++ {
		id := group + "." + strconv.Itoa(i)
		f := askField{ID: id, Kind: "int", Name: say("ask.lot.value"), Unit: a.e.Currency}
		category := askField{ID: id + ".category", Kind: "choice", Name: say("ask.lot.category"), Value: a.f.get(id + ".category")}
		regime := askField{ID: id + ".regime", Kind: "choice", Name: say("ask.lot.regime"), Value: a.f.get(id + ".regime")}
		for _, list := range sortedKeys(a.e.Lists) {
			for _, c := range sortedKeys(a.e.ListInfo[list].Categories) {
				if !slices.ContainsFunc(category.Options, func(o askOption) bool { return o.Value == c }) {
					category.Options = append(category.Options, askOption{c, a.e.ListInfo[list].Categories[c].In(a.r.Lang), c == category.Value})
				}
			}
		}
		for _, x := range []string{"concession", "statutory"} {
			regime.Options = append(regime.Options, askOption{x, say("ask.value." + x), x == regime.Value})
		}
		row := askRow{N: i, Fields: []askField{f}}
		x, ok := a.read(&row.Fields[0], value, false)
		lot := rules.Lot{Regime: "concession", Site: a.q.Site}
		for _, o := range slices.Concat(category.Options, regime.Options) {
			switch {
			case o.On && (o.Value == "concession" || o.Value == "statutory"):
				lot.Regime = o.Value
			case o.On:
				lot.Category = o.Value
			}
		}
		if len(category.Options) > 0 {
			row.Fields = append(row.Fields, category)
		}
		row.Fields = append(row.Fields, regime)
		if ok {
			lot.Value = x.(int64)
			a.q.Lots = append(a.q.Lots, lot)
		} else if (category.Value != "" || regime.Value != "") && row.Fields[0].Error == nil {
			a.wrong(&row.Fields[0], "ask.error.number")
		}
		g.Rows = append(g.Rows, row)
	}
	g.More = n < maxRows
	a.v.Lots = g
}

// plainNumber takes what people write around the digits of a number out of it: grouping,
// and the decimal sign of Persian and Urdu. A temperature is counted in tenths.
func plainNumber(text, unit string) string {
	t := strings.NewReplacer("٫", ".", "٬", "", " ", "").Replace(lang.PlainDigits(text))
	if parts := strings.Split(t, ","); len(parts) > 1 {
		ok := len(parts[0]) >= 1 && len(parts[0]) <= 3
		for i, p := range parts[1:] {
			whole, _, _ := strings.Cut(p, ".")
			ok = ok && len(whole) == 3 && (i == len(parts)-2 || whole == p)
		}
		if ok {
			t = strings.Join(parts, "")
		}
	}
	if unit == "tenths-celsius" {
		whole, tenth, _ := strings.Cut(t, ".")
		if tenth == "" {
			tenth = "0"
		}
		if len(tenth) > 1 {
			return "" // finer than any clause reads
		}
		return whole + tenth
	}
	return t
}

// goodsCode reads the code of a good, or finds it by its name where one good alone has it.
func (a *askForm) goodsCode(text string) string {
	if c, ok := goods.ParsePrefix(text); ok {
		return c
	}
	found := ""
	for _, id := range sortedKeys(a.e.Lists) {
		for _, line := range a.e.Lists[id].Lines() {
			for _, name := range line.Name {
				if lang.Fold(name) == lang.Fold(text) && found != line.Code {
					if found != "" {
						return ""
					}
					found = line.Code
				}
			}
		}
	}
	return found
}

// codes are the lines of the lists at hand, each code once.
func (a *askForm) codes() []askOption {
	var out []askOption
	seen := map[string]bool{}
	for _, id := range sortedKeys(a.e.Lists) {
		for _, line := range a.e.Lists[id].Lines() {
			if !line.Exclude && !seen[line.Code] {
				seen[line.Code] = true
				out = append(out, askOption{Value: goods.FormatCode(line.Code), Text: line.Name.In(a.r.Lang)})
			}
		}
	}
	return out
}
