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
	"darwaza.dev/internal/certlogic"
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
		"unsigned":      {lang.EN: "nobody yet", lang.FA: "هنوز هیچ\u200cکس", lang.UR: "ابھی کوئی نہیں"},
		"side":          {lang.EN: "side", lang.FA: "طرف", lang.UR: "فریق"},
		"contents":      {lang.EN: "Contents", lang.FA: "فهرست", lang.UR: "فہرست"},
		"source":        {lang.EN: "Source", lang.FA: "منبع", lang.UR: "ماخذ"},
		"told":          {lang.EN: "What you are told", lang.FA: "آنچه به شما گفته می\u200cشود", lang.UR: "آپ کو کیا بتایا جاتا ہے"},
		"next":          {lang.EN: "What you can do", lang.FA: "چه می\u200cتوانید بکنید", lang.UR: "آپ کیا کر سکتے ہیں"},
		"decides":       {lang.EN: "Who decides", lang.FA: "چه کسی تصمیم می\u200cگیرد", lang.UR: "فیصلہ کون کرتا ہے"},
		"holds":         {lang.EN: "Holds", lang.FA: "برقرار", lang.UR: "نافذ"},
		"overrides":     {lang.EN: "Sets aside", lang.FA: "کنار می\u200cگذارد", lang.UR: "ان کی جگہ لیتی ہے"},
		"turns":         {lang.EN: "Turns on, and is referred while it is open", lang.FA: "وابسته به، و تا حل نشود ارجاع می\u200cشود", lang.UR: "اس پر منحصر، اور طے ہونے تک اہلکار کے پاس"},
		"rests":         {lang.EN: "Rests on", lang.FA: "بر پایهٔ", lang.UR: "ان پر مبنی"},
		"condition":     {lang.EN: "As the program reads it", lang.FA: "آن\u200cگونه که برنامه می\u200cخواند", lang.UR: "جیسے پروگرام پڑھتا ہے"},
		"terms":         {lang.EN: "Terms", lang.FA: "شرایط", lang.UR: "شرائط"},
		"tables":        {lang.EN: "Tables", lang.FA: "جدول\u200cها", lang.UR: "جدول"},
		"rulesets":      {lang.EN: "Rules for health certificates", lang.FA: "قواعد گواهی سلامت", lang.UR: "صحت کے سرٹیفکیٹ کے قواعد"},
		"events":        {lang.EN: "What can have happened before", lang.FA: "آنچه ممکن است پیش\u200cتر رخ داده باشد", lang.UR: "جو پہلے ہو چکا ہو سکتا ہے"},
		"ended":         {lang.EN: "end published on", lang.FA: "تاریخ انتشار پایان", lang.UR: "اختتام کا اعلان شائع ہوا"},
		"published":     {lang.EN: "published on", lang.FA: "منتشرشده در", lang.UR: "شائع شدہ"},
		"open":          {lang.EN: "The list is open: others than those named may be on it.", lang.FA: "فهرست باز است: چیزهای دیگری هم ممکن است در آن باشد.", lang.UR: "فہرست کھلی ہے: نام زد چیزوں کے علاوہ بھی اس میں ہو سکتی ہیں۔"},
		"nohours":       {lang.EN: "hours that no text gives", lang.FA: "ساعت\u200cهایی که در هیچ متنی نیست", lang.UR: "اوقات جو کسی متن میں نہیں"},
		"nodays":        {lang.EN: "on days that no text gives", lang.FA: "در روزهایی که در هیچ متنی نیست", lang.UR: "ان دنوں میں جو کسی متن میں نہیں"},
		"yearly":        {lang.EN: "each year", lang.FA: "هر سال", lang.UR: "ہر سال"},
		"noschedule":    {lang.EN: "No text gives days or hours.", lang.FA: "هیچ متنی روز و ساعت ندارد.", lang.UR: "کسی متن میں دن اور اوقات نہیں۔"},
		"settled":       {lang.EN: "What leaves it open", lang.FA: "چه چیز آن را باز می\u200cگذارد", lang.UR: "کس وجہ سے طے نہیں"},
		"numbers":       {lang.EN: "Numbers", lang.FA: "عددها", lang.UR: "اعداد"},
		"value":         {lang.EN: "Value", lang.FA: "مقدار", lang.UR: "مقدار"},
		"where":         {lang.EN: "Where", lang.FA: "کجا", lang.UR: "کہاں"},
		"unknown":       {lang.EN: "not in the text", lang.FA: "در متن نیست", lang.UR: "متن میں نہیں"},
		"unlimited":     {lang.EN: "unlimited", lang.FA: "نامحدود", lang.UR: "لامحدود"},
		"lists":         {lang.EN: "Lists", lang.FA: "فهرست\u200cها", lang.UR: "فہرستیں"},
		"partial":       {lang.EN: "Only a part of this list was read. What it does not name may be on the rest.", lang.FA: "تنها بخشی از این فهرست خوانده شده است. آن\u200cچه در آن نیست شاید در بقیهٔ آن باشد.", lang.UR: "اس فہرست کا صرف ایک حصہ پڑھا گیا۔ جو اس میں نہیں وہ باقی میں ہو سکتا ہے۔"},
		"absent":        {lang.EN: "The text names this list and nobody has it at hand.", lang.FA: "متن از این فهرست نام می\u200cبرد و کسی آن را در دست ندارد.", lang.UR: "متن میں اس فہرست کا نام ہے اور یہ کسی کے پاس نہیں۔"},
		"code":          {lang.EN: "Code", lang.FA: "کد", lang.UR: "کوڈ"},
		"good":          {lang.EN: "Good", lang.FA: "کالا", lang.UR: "سامان"},
		"category":      {lang.EN: "Category", lang.FA: "دسته", lang.UR: "زمرہ"},
		"rate":          {lang.EN: "Rate", lang.FA: "نرخ", lang.UR: "شرح"},
		"questions":     {lang.EN: "Questions", lang.FA: "پرسش\u200cها", lang.UR: "سوالات"},
		"reading":       {lang.EN: "Reading", lang.FA: "برداشت", lang.UR: "تشریح"},
		"by":            {lang.EN: "Held by", lang.FA: "نظر", lang.UR: "کی رائے"},
		"A":             {lang.EN: "side A", lang.FA: "طرف الف", lang.UR: "فریق الف"},
		"B":             {lang.EN: "side B", lang.FA: "طرف ب", lang.UR: "فریق ب"},
		"both":          {lang.EN: "both sides", lang.FA: "هر دو طرف", lang.UR: "دونوں فریق"},
		"nobody":        {lang.EN: "nobody: it is open", lang.FA: "هیچ\u200cکس: باز است", lang.UR: "کوئی نہیں: طے نہیں"},
		"sites":         {lang.EN: "Sites and hours", lang.FA: "مکان\u200cها و ساعت\u200cها", lang.UR: "مقامات اور اوقات"},
		"everybody":     {lang.EN: "everybody", lang.FA: "همه", lang.UR: "سب"},
		"in":            {lang.EN: "coming in", lang.FA: "ورود", lang.UR: "داخلہ"},
		"out":           {lang.EN: "going out", lang.FA: "خروج", lang.UR: "واپسی"},
		"daily":         {lang.EN: "every day", lang.FA: "هر روز", lang.UR: "ہر روز"},
		"closed":        {lang.EN: "closed", lang.FA: "بسته", lang.UR: "بند"},
		"read":          {lang.EN: "What clauses may read", lang.FA: "آنچه بندها می\u200cتوانند بخوانند", lang.UR: "دفعات کیا پڑھ سکتی ہیں"},
		"shares":        {lang.EN: "What the sides tell each other", lang.FA: "آنچه دو طرف به هم می\u200cگویند", lang.UR: "دونوں فریق ایک دوسرے کو کیا بتاتے ہیں"},
		"other":         {lang.EN: "the other side", lang.FA: "طرف دیگر", lang.UR: "دوسرا فریق"},
		"auditor":       {lang.EN: "auditors", lang.FA: "بازرسان", lang.UR: "آڈیٹر"},
		"health":        {lang.EN: "health: never shown", lang.FA: "سلامت: هرگز نشان داده نمی\u200cشود", lang.UR: "صحت: کبھی نہیں دکھایا جاتا"},
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
	Tables      []*agreement.Table
	RuleSets    []*agreement.RuleSet
	Events      []agreement.EventKind
	Shares      []agreement.Share
	Terms       []string
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
	Items []agreement.ListItem // of a list of places or texts
}

type pageSite struct {
	agreement.Site
	Hours []pageHours
	Slots []string
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
		"label":  func(word string) string { return label(tag, word) },
		"say":    func(t lang.Text) string { return t.In(tag) },
		"moment": func(m agreement.Moment) string { return moment(tag, m) },
		"date": func(d calendar.Date) string {
			if d.IsZero() {
				return ""
			}
			return lang.FormatDateBoth(tag, d)
		},
		"says":    func(r *certlogic.Rule) string { return r.Says(tag) },
		"saidIn":  func(r *certlogic.Rule) string { return string(r.SaidIn(tag)) },
		"utc":     func(t time.Time) string { return t.Format("2006-01-02 15:04 UTC") },
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
		"holds":      func(c *agreement.Clause) string { return holds(e, tag, c) },
		"instrument": e.InstrumentText,
		"reading":    e.Reading,
		"about":      func(l goods.Line) string { return lineAbout(tag, l) },
		"attribute":  attributeAbout,
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
	for _, id := range e.InOrder() {
		i := pageInstrument{Instrument: e.Instruments[id], Clauses: e.ClausesOf(id)}
		p.Instruments = append(p.Instruments, i)
	}
	for _, id := range sorted(e.Parameters) {
		n := pageNumber{Parameter: e.Parameters[id]}
		for _, v := range n.Values {
			from := moment(tag, v.From)
			if !v.Until.IsZero() {
				from += ", " + label(tag, "until") + " " + moment(tag, v.Until)
			}
			if !v.Published.IsZero() {
				from += ", " + label(tag, "published") + " " + lang.FormatDateBoth(tag, v.Published)
			}
			if !v.Ended.IsZero() {
				from += ", " + label(tag, "ended") + " " + lang.FormatDateBoth(tag, v.Ended)
			}
			n.Rows = append(n.Rows, pageValue{amount(tag, v, n.Unit), from, where(e, tag, v), v.Source})
		}
		p.Numbers = append(p.Numbers, n)
	}
	for _, id := range sorted(e.ListInfo) {
		l := pageList{ListInfo: e.ListInfo[id]}
		if x := e.Lists[id]; x != nil {
			l.Lines = x.Lines()
		} else {
			l.Items = e.Items(id)
		}
		p.Lists = append(p.Lists, l)
	}
	for _, id := range sorted(e.Questions) {
		p.Questions = append(p.Questions, e.Questions[id])
	}
	for _, s := range e.Sites {
		x := pageSite{Site: s, Slots: e.SlotsText(s.ID)}
		if h := e.Schedules[s.ID]; h != nil {
			x.Hours = hours(e, tag, h.Hours())
		}
		p.Sites = append(p.Sites, x)
	}
	for _, id := range sorted(e.Tables) {
		p.Tables = append(p.Tables, e.Tables[id])
	}
	for _, id := range sorted(e.RuleSets) {
		p.RuleSets = append(p.RuleSets, e.RuleSets[id])
	}
	for _, id := range sorted(e.Shares) {
		p.Shares = append(p.Shares, e.Shares[id])
	}
	for _, id := range sorted(e.Events) {
		p.Events = append(p.Events, e.Events[id])
	}
	p.Terms = terms(e)
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
// terms are what an edition says of itself beside its dates, in English.
func terms(e *agreement.Edition) []string {
	out := []string{"currency of limits: " + e.Currency, "rounding: " + e.Rounding.String(), "time zone data: " + e.ZoneData}
	if e.Notice > 0 {
		out = append(out, fmt.Sprintf("notice: %d hours between the last signature and the first day", e.Notice/time.Hour))
	}
	if e.Amends != (agreement.Hash{}) {
		out = append(out, fmt.Sprintf("amends the edition with the hash %x", e.Amends[:]))
	}
	if len(e.Members) > 0 {
		out = append(out, "holds for the trade of: "+strings.Join(e.Members, ", "))
	}
	for _, s := range [...]agreement.Side{agreement.A, agreement.B} {
		x := e.Parties[s]
		out = append(out, fmt.Sprintf("side %s: %s, %s, clock %s, language %s, currency %s", s, x.Name.In(lang.EN), x.Country, x.Zone, x.Language, x.Currency))
	}
	return out
}

// attributeAbout says what an attribute can be.
func attributeAbout(a agreement.Attribute) string {
	out := a.Type
	if a.Unit != "" {
		out += " in " + a.Unit
	}
	if len(a.Values) > 0 {
		out += ", one of " + strings.Join(a.Values, ", ")
	}
	if a.Derived {
		out += ", worked out by clauses"
	}
	return out
}

// lineAbout says for which case and days a line of a list of goods holds.
func lineAbout(tag lang.Tag, l goods.Line) string {
	var all []string
	if l.Exclude {
		all = append(all, "✗")
	}
	for _, k := range sorted(l.For) {
		all = append(all, k+": "+l.For[k])
	}
	if !l.From.IsZero() {
		all = append(all, label(tag, "from")+" "+moment(tag, l.From))
	}
	if !l.Until.IsZero() {
		all = append(all, label(tag, "until")+" "+moment(tag, l.Until))
	}
	return strings.Join(all, ", ")
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
		if w.DaysUnknown {
			days = label(tag, "nodays")
		}
		if !w.Season.IsZero() {
			days += ", " + label(tag, "yearly") + " " + lang.Digits(tag, fmt.Sprintf("%02d-%02d – %02d-%02d", w.Season.First.Month, w.Season.First.Day, w.Season.Last.Month, w.Season.Last.Day))
		}
		if !w.From.IsZero() {
			days += ", " + label(tag, "from") + " " + lang.FormatDateBoth(tag, w.From)
		}
		if !w.Until.IsZero() {
			days += ", " + label(tag, "until") + " " + lang.FormatDateBoth(tag, w.Until)
		}
		spans := open(w.Spans)
		if w.HoursUnknown {
			spans = label(tag, "nohours")
		}
		out = append(out, pageHours{who(w.Class, w.Direction), days, spans})
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
