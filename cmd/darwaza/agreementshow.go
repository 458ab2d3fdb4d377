// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/goods"
	"darwaza.dev/internal/lang"
	"darwaza.dev/internal/problem"
)

//go:embed agreement.html
var pageText string

// label returns a heading of the page in a language.
func label(tag lang.Tag, word string) string {
	return map[string]lang.Text{
		"edition":       {lang.EN: "Edition", lang.FA: "ویرایش", lang.UR: "اشاعت"},
		"from":          {lang.EN: "In force from", lang.FA: "برقرار از", lang.UR: "نافذ از"},
		"until":         {lang.EN: "until before", lang.FA: "تا پیش از", lang.UR: "سے پہلے تک"},
		"hash":          {lang.EN: "Hash", lang.FA: "چکیده", lang.UR: "ہیش"},
		"signed":        {lang.EN: "Signed by", lang.FA: "امضای", lang.UR: "دستخط"},
		"unsigned":      {lang.EN: "nobody yet", lang.FA: "هنوز هیچ‌کس", lang.UR: "ابھی کوئی نہیں"},
		"side":          {lang.EN: "side", lang.FA: "طرف", lang.UR: "فریق"},
		"contents":      {lang.EN: "Contents", lang.FA: "فهرست", lang.UR: "فہرست"},
		"source":        {lang.EN: "Source", lang.FA: "منبع", lang.UR: "ماخذ"},
		"told":          {lang.EN: "What you are told", lang.FA: "آنچه به شما گفته می‌شود", lang.UR: "آپ کو کیا بتایا جاتا ہے"},
		"next":          {lang.EN: "What you can do", lang.FA: "چه می‌توانید بکنید", lang.UR: "آپ کیا کر سکتے ہیں"},
		"decides":       {lang.EN: "Who decides", lang.FA: "چه کسی تصمیم می‌گیرد", lang.UR: "فیصلہ کون کرتا ہے"},
		"holds":         {lang.EN: "Holds", lang.FA: "برقرار", lang.UR: "نافذ"},
		"overrides":     {lang.EN: "Sets aside", lang.FA: "کنار می‌گذارد", lang.UR: "ان کی جگہ لیتی ہے"},
		"rests":         {lang.EN: "Rests on", lang.FA: "بر پایهٔ", lang.UR: "ان پر مبنی"},
		"condition":     {lang.EN: "As the program reads it", lang.FA: "آن‌گونه که برنامه می‌خواند", lang.UR: "جیسے پروگرام پڑھتا ہے"},
		"numbers":       {lang.EN: "Numbers", lang.FA: "عددها", lang.UR: "اعداد"},
		"value":         {lang.EN: "Value", lang.FA: "مقدار", lang.UR: "مقدار"},
		"where":         {lang.EN: "Where", lang.FA: "کجا", lang.UR: "کہاں"},
		"unknown":       {lang.EN: "not in the text", lang.FA: "در متن نیست", lang.UR: "متن میں نہیں"},
		"unlimited":     {lang.EN: "unlimited", lang.FA: "نامحدود", lang.UR: "لامحدود"},
		"lists":         {lang.EN: "Lists", lang.FA: "فهرست‌ها", lang.UR: "فہرستیں"},
		"absent":        {lang.EN: "The text names this list and nobody has it at hand.", lang.FA: "متن از این فهرست نام می‌برد و کسی آن را در دست ندارد.", lang.UR: "متن میں اس فہرست کا نام ہے اور یہ کسی کے پاس نہیں۔"},
		"code":          {lang.EN: "Code", lang.FA: "کد", lang.UR: "کوڈ"},
		"good":          {lang.EN: "Good", lang.FA: "کالا", lang.UR: "سامان"},
		"category":      {lang.EN: "Category", lang.FA: "دسته", lang.UR: "زمرہ"},
		"rate":          {lang.EN: "Rate", lang.FA: "نرخ", lang.UR: "شرح"},
		"questions":     {lang.EN: "Questions", lang.FA: "پرسش‌ها", lang.UR: "سوالات"},
		"reading":       {lang.EN: "Reading", lang.FA: "برداشت", lang.UR: "تشریح"},
		"by":            {lang.EN: "Held by", lang.FA: "نظر", lang.UR: "کی رائے"},
		"A":             {lang.EN: "side A", lang.FA: "طرف الف", lang.UR: "فریق الف"},
		"B":             {lang.EN: "side B", lang.FA: "طرف ب", lang.UR: "فریق ب"},
		"both":          {lang.EN: "both sides", lang.FA: "هر دو طرف", lang.UR: "دونوں فریق"},
		"nobody":        {lang.EN: "nobody: it is open", lang.FA: "هیچ‌کس: باز است", lang.UR: "کوئی نہیں: طے نہیں"},
		"sites":         {lang.EN: "Sites and hours", lang.FA: "مکان‌ها و ساعت‌ها", lang.UR: "مقامات اور اوقات"},
		"everybody":     {lang.EN: "everybody", lang.FA: "همه", lang.UR: "سب"},
		"in":            {lang.EN: "coming in", lang.FA: "ورود", lang.UR: "داخلہ"},
		"out":           {lang.EN: "going out", lang.FA: "خروج", lang.UR: "واپسی"},
		"daily":         {lang.EN: "every day", lang.FA: "هر روز", lang.UR: "ہر روز"},
		"closed":        {lang.EN: "closed", lang.FA: "بسته", lang.UR: "بند"},
		"read":          {lang.EN: "What clauses may read", lang.FA: "آنچه بندها می‌توانند بخوانند", lang.UR: "دفعات کیا پڑھ سکتی ہیں"},
		"health":        {lang.EN: "health: never shown", lang.FA: "سلامت: هرگز نشان داده نمی‌شود", lang.UR: "صحت: کبھی نہیں دکھایا جاتا"},
		"law":           {lang.EN: "law", lang.FA: "قانون", lang.UR: "قانون"},
		"example":       {lang.EN: "example, not law", lang.FA: "نمونه، نه قانون", lang.UR: "مثال، قانون نہیں"},
		"framework":     {lang.EN: "framework", lang.FA: "چارچوب", lang.UR: "خاکہ"},
		"emergency":     {lang.EN: "emergency act", lang.FA: "اقدام اضطراری", lang.UR: "ہنگامی حکم"},
		"clarification": {lang.EN: "clarification", lang.FA: "توضیح", lang.UR: "وضاحت"},
		"proposal":      {lang.EN: "proposal, not law", lang.FA: "پیشنهاد، نه قانون", lang.UR: "تجویز، قانون نہیں"},
	}[word].In(tag)
}

// page is what the template shows.
type page struct {
	Tag         lang.Tag
	E           *agreement.Edition
	Title, Note string
	From, Until string
	Hash        string
	Signed      []string
	Instruments []pageInstrument
	Numbers     []pageNumber
	Lists       []pageList
	Questions   []agreement.Question
	Sites       []pageSite
	Attributes  []agreement.Attribute
}

type pageInstrument struct {
	agreement.Instrument
	Clauses []*agreement.Clause
}

type pageNumber struct {
	*agreement.Parameter
	Rows []pageValue
}

type pageValue struct{ Value, From, Where, Source string }

type pageList struct {
	agreement.ListInfo
	Lines []goods.Line
}

type pageSite struct {
	agreement.Site
	Hours []pageHours
}

type pageHours struct{ Who, Days, Open string }

func showPage(w io.Writer, dir string, tag lang.Tag, file string) error {
	e, err := sound(dir)
	if err != nil {
		return err
	}
	b, err := renderPage(e, tag)
	if err != nil {
		return err
	}
	if err := place(file, b); err != nil {
		return err
	}
	fmt.Fprintf(w, "%s shows edition %d of %s\n", file, e.Number, e.ID)
	return nil
}

// renderPage writes an edition as one page in a language: no script, nothing fetched.
func renderPage(e *agreement.Edition, tag lang.Tag) ([]byte, error) {
	t, err := template.New("page").Option("missingkey=error").Funcs(template.FuncMap{
		"label":   func(word string) string { return label(tag, word) },
		"say":     func(t lang.Text) string { return t.In(tag) },
		"moment":  func(m agreement.Moment) string { return moment(tag, m) },
		"digits":  func(n any) string { return lang.Digits(tag, fmt.Sprint(n)) },
		"code":    goods.FormatCode,
		"percent": func(n int64) string { return lang.FormatPercent(tag, n) },
		"clause":  e.Clause,
		"class": func(id string) string {
			if c, ok := e.Class(id); ok {
				return c.Name.In(tag)
			}
			return id
		},
		"holds": func(c *agreement.Clause) string { return holds(e, tag, c) },
		"rules": conditions,
		"lines": func(s string) []string { return strings.Split(strings.TrimSpace(s), "\n") },
	}).Parse(pageText)
	if err != nil {
		return nil, problem.Wrap(problem.Internal, "agreement.page", err)
	}
	clock, err := calendar.Zone(e.Zone)
	if err != nil {
		return nil, problem.Wrap(problem.Internal, "agreement.zone", err)
	}
	p := page{Tag: tag, E: e, Title: e.Title.In(tag), Note: e.Note.In(tag), From: instant(tag, e.From, clock), Until: instant(tag, e.Until, clock), Hash: fmt.Sprintf("%x", e.Hash[:])}
	for _, s := range []agreement.Side{agreement.A, agreement.B} {
		who := strings.Join(e.Persons(s), ", ")
		if who == "" {
			who = label(tag, "unsigned")
		}
		p.Signed = append(p.Signed, fmt.Sprintf("%s (%s): %s", e.Parties[s].Name.In(tag), label(tag, string(s)), who))
	}
	for _, id := range sorted(e.Instruments) {
		i := pageInstrument{Instrument: e.Instruments[id]}
		for _, c := range e.Clauses {
			if c.Instrument == id {
				i.Clauses = append(i.Clauses, c)
			}
		}
		p.Instruments = append(p.Instruments, i)
	}
	for _, id := range sorted(e.Parameters) {
		n := pageNumber{Parameter: e.Parameters[id]}
		for _, v := range n.Values {
			n.Rows = append(n.Rows, pageValue{amount(tag, v, n.Unit), moment(tag, v.From), where(e, tag, v), v.Source})
		}
		p.Numbers = append(p.Numbers, n)
	}
	for _, id := range sorted(e.ListInfo) {
		l := pageList{ListInfo: e.ListInfo[id]}
		if x := e.Lists[id]; x != nil {
			l.Lines = x.Lines()
		}
		p.Lists = append(p.Lists, l)
	}
	for _, id := range sorted(e.Questions) {
		p.Questions = append(p.Questions, e.Questions[id])
	}
	for _, s := range e.Sites {
		x := pageSite{Site: s}
		if h := e.Schedules[s.ID]; h != nil {
			x.Hours = hours(e, tag, h.Hours())
		}
		p.Sites = append(p.Sites, x)
	}
	for _, id := range sorted(e.Attributes) {
		p.Attributes = append(p.Attributes, e.Attributes[id])
	}
	var b bytes.Buffer
	if err := t.Execute(&b, p); err != nil {
		return nil, problem.Wrap(problem.Internal, "agreement.page", err)
	}
	return b.Bytes(), nil
}

func instant(tag lang.Tag, t time.Time, clock *time.Location) string {
	if t.IsZero() {
		return ""
	}
	s := lang.FormatDateBoth(tag, calendar.On(t, clock))
	if at := t.In(clock); at.Hour() != 0 || at.Minute() != 0 {
		s += " " + lang.FormatTime(tag, at)
	}
	return s
}

func moment(tag lang.Tag, m agreement.Moment) string {
	switch {
	case m.Exact() && m.Minute == 0:
		return lang.FormatDateBoth(tag, m.First)
	case m.Exact():
		return lang.FormatDateBoth(tag, m.First) + " " + lang.FormatMinute(tag, m.Minute)
	case m.Unknown:
		return label(tag, "unknown")
	}
	return lang.Digits(tag, m.String())
}

func amount(tag lang.Tag, v agreement.ParameterValue, unit string) string {
	switch {
	case v.Unlimited:
		return label(tag, "unlimited")
	case !v.Known:
		return label(tag, "unknown")
	case unit == "percent":
		return lang.FormatPercent(tag, v.Int)
	case unit == "count":
		return lang.FormatInt(tag, v.Int)
	case unit == "text" || unit == "date":
		return lang.Digits(tag, v.Text)
	}
	return lang.FormatDecimal(tag, v.Int, agreement.Digits(unit)) + " " + unit
}

func where(e *agreement.Edition, tag lang.Tag, v agreement.ParameterValue) string {
	var at []string
	if s, ok := e.Site(v.Site); ok {
		at = append(at, s.Name.In(tag))
	}
	if v.Side != "" {
		at = append(at, label(tag, string(v.Side)))
	}
	for _, k := range sorted(v.For) {
		at = append(at, e.Attributes[k].Name.In(tag)+": "+v.For[k])
	}
	return strings.Join(at, ", ")
}

// holds says when and where a clause holds, nothing where it always does.
func holds(e *agreement.Edition, tag lang.Tag, c *agreement.Clause) string {
	var all []string
	for _, p := range c.Holds {
		var one []string
		if !p.From.IsZero() {
			one = append(one, label(tag, "from")+" "+moment(tag, p.From))
		}
		if !p.Until.IsZero() {
			one = append(one, label(tag, "until")+" "+moment(tag, p.Until))
		}
		for _, id := range p.Sites {
			if s, ok := e.Site(id); ok {
				one = append(one, s.Name.In(tag))
			}
		}
		for _, s := range p.Sides {
			one = append(one, label(tag, string(s)))
		}
		all = append(all, strings.Join(one, ", "))
	}
	return strings.Join(all, "; ")
}

// conditions are what the program evaluates in a clause, for readers who want to see it.
func conditions(c *agreement.Clause) []string {
	out := []string{"kind " + string(c.Kind)}
	for _, x := range []struct{ word, text string }{{"when", c.When}, {"require", c.Require}, {"value", c.Value}, {"release", c.Release}} {
		if x.text != "" {
			out = append(out, x.word+" "+x.text)
		}
	}
	for _, x := range []struct{ word, text string }{{"else", c.Else.String()}, {"then", c.Then.String()}, {"missing", c.Missing.String()}, {"limit", c.Limit}, {"list", c.List}, {"table", c.Table}, {"rate", c.Rate}} {
		if x.text != "" {
			out = append(out, x.word+" "+x.text)
		}
	}
	return out
}

func hours(e *agreement.Edition, tag lang.Tag, h calendar.Hours) []pageHours {
	who := func(class, direction string) string {
		s := label(tag, "everybody")
		if c, ok := e.Class(class); ok {
			s = c.Name.In(tag)
		}
		if direction != "" {
			s += ", " + label(tag, direction)
		}
		return s
	}
	open := func(spans []calendar.Span) string {
		var all []string
		for _, x := range spans {
			all = append(all, lang.FormatMinute(tag, x.From)+"–"+lang.FormatMinute(tag, x.To))
		}
		if len(all) == 0 {
			return label(tag, "closed")
		}
		return strings.Join(all, ", ")
	}
	var out []pageHours
	for _, w := range h.Weekly {
		days := label(tag, "daily")
		if len(w.Days) > 0 {
			var names []string
			for _, d := range w.Days {
				names = append(names, lang.FormatWeekday(tag, d))
			}
			days = strings.Join(names, ", ")
		}
		if !w.From.IsZero() {
			days += ", " + label(tag, "from") + " " + lang.FormatDateBoth(tag, w.From)
		}
		if !w.Until.IsZero() {
			days += ", " + label(tag, "until") + " " + lang.FormatDateBoth(tag, w.Until)
		}
		out = append(out, pageHours{who(w.Class, w.Direction), days, open(w.Spans)})
	}
	exceptions := slices.Clone(h.Exceptions)
	slices.SortStableFunc(exceptions, func(a, b calendar.Exception) int { return a.On.Compare(b.On) })
	for _, x := range exceptions {
		state := open(x.Spans)
		if x.Closed {
			state = label(tag, "closed")
			if len(x.Spans) > 0 {
				state += " " + open(x.Spans)
			}
		}
		out = append(out, pageHours{who(x.Class, x.Direction), lang.FormatDateBoth(tag, x.On), state})
	}
	return out
}
