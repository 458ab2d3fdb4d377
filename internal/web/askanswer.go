// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/goods"
	"darwaza.dev/internal/identity"
	"darwaza.dev/internal/lang"
	"darwaza.dev/internal/money"
	"darwaza.dev/internal/reason"
	"darwaza.dev/internal/rules"
)

// needLine is one thing that would change an answer, as a page says it.
type needLine struct {
	Name string // of the input, in the reader's language
	// Value is what it would have to be, in the reader's language; empty where it is
	// sensitive, and is not said.
	Value   string
	Events  bool           // the input is a kind of past events, of which none would have to be
	Wanted  string         // which health certificate would have to be shown besides
	Fits    bool           // a health certificate that meets the published rules
	Outcome reason.Outcome // of the answer then
}

// mostNeeds is how many things that would change an answer are said.
const mostNeeds = 5

// needLines writes what would change an answer.
func (s *server) needLines(tag lang.Tag, e *agreement.Edition, site string, needs []rules.Need) []needLine {
	var out []needLine
	for _, n := range needs {
		if len(out) == mostNeeds {
			break
		}
		l := needLine{Name: inputName(tag, e, n.Input), Fits: n.Fits, Outcome: n.Outcome}
		if n.Wanted != nil {
			l.Wanted = s.wantedText(tag, e, site, *n.Wanted)
		} else if a, ok := e.Attributes[n.Input]; ok {
			if !a.Sensitive && n.Value != "" {
				l.Value = s.factText(tag, e, site, a, n.Value)
			}
		} else {
			l.Events = true
		}
		out = append(out, l)
	}
	return out
}

// wantedText says which health certificate would do.
func (s *server) wantedText(tag lang.Tag, e *agreement.Edition, site string, w rules.Wanted) string {
	value := func(attribute, v string) string { return s.valueName(tag, e, agreement.Attribute{ID: attribute}, v) }
	say := func(key string, args lang.Args) string { return s.deps.Texts.Say(tag, key, args) }
	parts := []string{say("wanted.kind", lang.Args{"kind": value("proof.kind", w.Kind), "disease": value("proof.disease", w.Disease)})}
	if len(w.Tests) > 0 {
		var tests []string
		for _, t := range w.Tests {
			tests = append(tests, value("proof.test", t))
		}
		text := tests[0]
		if len(tests) > 1 {
			text = say("wanted.tests", lang.Args{"tests": strings.Join(tests, say("list.comma", nil))})
		}
		parts = append(parts, text)
	}
	if w.Kind == "test" {
		parts = append(parts, value("proof.result", "negative"))
	}
	if w.Complete {
		parts = append(parts, say("wanted.complete", nil))
	} else if w.Dose > 0 {
		parts = append(parts, say("wanted.dose", lang.Args{"dose": lang.FormatInt(tag, w.Dose)}))
	}
	for _, id := range []string{w.Products, w.Countries} {
		if id != "" {
			parts = append(parts, say("wanted.list", lang.Args{"list": inputName(tag, e, id)}))
		}
	}
	when := func(text string) string {
		typ := "date"
		if strings.Contains(text, "T") {
			typ = "time"
		}
		return s.factText(tag, e, site, agreement.Attribute{Type: typ}, text)
	}
	if w.From != "" {
		parts = append(parts, say("wanted.from", lang.Args{"day": when(w.From)}))
	}
	parts = append(parts, say("wanted.until", lang.Args{"day": when(w.Until)}))
	return strings.Join(parts, say("list.comma", nil))
}

// wouldChange asks the law again about an answer that it gave and says what single inputs
// would have given a milder one. ask holds what the verdict does not: the site, the side,
// earlier purchases, and facts that a verdict never shows. Where the same question cannot
// be put together again, or something else than the law stands against it, nothing is said.
func (s *server) wouldChange(tag lang.Tag, v rules.Verdict, ask rules.Query) []needLine {
	law := s.deps.Law()
	ask.Point, ask.At = v.Point, v.At
	e := together(askedOf(law, ask))
	if e == nil || v.Outcome <= reason.Allow || v.Point == "" {
		return nil
	}
	for _, re := range v.Reasons {
		if re.Outcome >= v.Outcome && !strings.HasPrefix(string(re.Code), "law.") {
			return nil
		}
	}
	facts := rules.Facts{}
	for _, in := range v.Inputs {
		a, ok := e.Attributes[in.Name]
		if !ok || a.Derived {
			continue
		}
		if x, given := ask.Facts[in.Name]; given {
			facts[in.Name] = x
			continue
		}
		x, ok := factOf(a, in.Value)
		if had, twice := facts[in.Name]; !ok || twice && had != x {
			return nil // sensitive, or of several persons
		}
		facts[in.Name] = x
	}
	ask.Facts = facts
	x := law.Explain(ask)
	if x.Verdict.Outcome != v.Outcome || !sameGrounds(x.Verdict, v) {
		return nil
	}
	return s.needLines(tag, e, ask.Site, x.Needs)
}

// sameGrounds reports whether what decides two answers is the same: else another question
// was put together than the one that was answered.
func sameGrounds(a, b rules.Verdict) bool {
	grounds := func(v rules.Verdict) []string {
		var out []string
		for _, re := range v.Reasons {
			if re.Outcome >= v.Outcome {
				out = append(out, string(re.Code)+" "+re.Agreement+" "+re.Clause)
			}
		}
		slices.Sort(out)
		return slices.Compact(out)
	}
	return slices.Equal(grounds(a), grounds(b))
}

// factOf reads the value of an input as a verdict writes it.
func factOf(a agreement.Attribute, text string) (any, bool) {
	texts := []string{text}
	switch {
	case a.Type == "strings":
		texts = nil
		if text != "" {
			texts = strings.Split(text, ", ")
		}
	case text == "" && a.Type != "string":
		return nil, false
	case a.Type == "int" && a.Unit == "tenths-celsius":
		texts[0] = strings.Replace(strings.TrimSuffix(text, " °C"), ".", "", 1)
	case a.Type == "int":
		texts[0], _, _ = strings.Cut(text, " ")
	}
	x, err := agreement.ParseFact(a, texts)
	return x, err == nil
}

// inputName is what an input is called in the reader's language: an attribute, a kind of
// events, a number of the agreement or a list.
func inputName(tag lang.Tag, e *agreement.Edition, id string) string {
	name := ""
	if a, ok := e.Attributes[id]; ok {
		name = a.Name.In(tag)
	} else if k, ok := e.Events[id]; ok {
		name = k.Name.In(tag)
	} else if p := e.Parameters[strings.TrimPrefix(id, "param.")]; p != nil {
		name = p.Text.In(tag)
	} else if l, ok := e.ListInfo[id]; ok {
		name = l.Title.In(tag)
	}
	return cmp.Or(name, id)
}

// factText writes a value, as a verdict has it, in the reader's language.
func (s *server) factText(tag lang.Tag, e *agreement.Edition, site string, a agreement.Attribute, text string) string {
	switch a.Type {
	case "bool":
		return s.yesNo(tag, text == "true")
	case "date":
		if d, err := calendar.ParseDate(text); err == nil {
			return lang.FormatDateBoth(tag, d)
		}
	case "time":
		if t, err := time.Parse(time.RFC3339, text); err == nil {
			t = t.In(s.deps.Law().Zone(site))
			return lang.FormatDateBoth(tag, calendar.On(t, t.Location())) + " " + lang.FormatTime(tag, t)
		}
	case "string":
		return s.valueName(tag, e, a, text)
	case "strings":
		if text == "" {
			return s.deps.Texts.Say(tag, "ask.none", nil)
		}
		var all []string
		for x := range strings.SplitSeq(text, ", ") {
			all = append(all, s.valueName(tag, e, a, x))
		}
		return strings.Join(all, s.deps.Texts.Say(tag, "list.comma", nil))
	case "int":
		if n, ok := factOf(a, text); ok {
			return s.figure(tag, n.(int64), a.Unit)
		}
	}
	return text
}

func (s *server) yesNo(tag lang.Tag, yes bool) string {
	if yes {
		return s.deps.Texts.Say(tag, "ask.yes", nil)
	}
	return s.deps.Texts.Say(tag, "ask.no", nil)
}

// figure writes a number of a unit, as packages count it.
func (s *server) figure(tag lang.Tag, n int64, unit string) string {
	switch unit {
	case "", "count":
		return lang.FormatInt(tag, n)
	case "percent":
		return lang.FormatPercent(tag, n)
	case "date":
		return lang.FormatDateBoth(tag, calendar.FromDays(int(n)))
	}
	if _, ok := money.Digits(unit); ok && len(unit) == 3 {
		return lang.FormatMoney(tag, n, unit)
	}
	digits := agreement.Digits(unit)
	if unit == "tenths-celsius" {
		digits = 1
	}
	return lang.FormatDecimal(tag, n, digits) + " " + s.unitName(tag, unit)
}

// unitName is what a unit is called; a currency and a rate by their own signs.
func (s *server) unitName(tag lang.Tag, unit string) string {
	if key := "ask.unit." + unit; s.deps.Texts.Has(key) {
		return s.deps.Texts.Say(tag, key, nil)
	}
	return s.unit(tag, unit)
}

// valueName is what a text that an attribute can have is called in the reader's language:
// by the agreement's own lists, sites and classes, else by our words for what our servers
// give, else as it stands.
func (s *server) valueName(tag lang.Tag, e *agreement.Edition, a agreement.Attribute, v string) string {
	for _, id := range sortedKeys(e.Places) {
		if n := e.Places[id].Name[v].In(tag); n != "" {
			return n
		}
	}
	for _, id := range sortedKeys(e.Values) {
		if n := e.Values[id][v].In(tag); n != "" {
			return n
		}
	}
	if l, _, ok := e.Level(v); ok && a.ID == agreement.AttrLevel {
		return l.Name.In(tag)
	}
	for _, id := range sortedKeys(e.Profiles) {
		p := e.Profiles[id]
		if a.ID == agreement.AttrProfiles && id == v || a.ID == "proof.disease" && p.Disease == v {
			return p.Name.In(tag)
		}
		for _, t := range p.Tests {
			switch {
			case t.ID == v && a.ID == "proof.test":
				return t.Name.In(tag)
			case p.Disease+"/"+t.ID == v && a.ID == agreement.AttrTest:
				return p.Name.In(tag) + ": " + t.Name.In(tag)
			}
		}
	}
	if c, ok := e.Class(v); ok && c.Name.In(tag) != "" {
		return c.Name.In(tag)
	}
	if st, ok := e.Site(v); ok && st.Name.In(tag) != "" {
		return st.Name.In(tag)
	}
	if slices.Contains(codeAttributes(e), a.ID) {
		for _, id := range sortedKeys(e.Lists) {
			if line, ok := e.Lists[id].Find(v); ok {
				return goods.FormatCode(v) + " " + line.Name.In(tag)
			}
		}
	}
	if strings.Contains(a.ID, "document") && slices.Contains(identity.Kinds[:], identity.Kind(v)) {
		return s.deps.Texts.Say(tag, "document."+v, nil)
	}
	if key := "ask.value." + v; s.deps.Texts.Has(key) {
		return s.deps.Texts.Say(tag, key, nil)
	}
	return v
}

// codeAttributes are those that hold the code of a good for some clause.
func codeAttributes(e *agreement.Edition) []string {
	var out []string
	for _, c := range e.Clauses {
		switch c.Kind {
		case agreement.KindRate, agreement.KindListed, agreement.KindCap:
			if id := cmp.Or(c.Code, "good.code"); !slices.Contains(out, id) {
				out = append(out, id)
			}
		}
	}
	return out
}

// askAnswer is the law's answer to what somebody supposed.
type askAnswer struct {
	verdictView
	Missing []askMissing
	Amounts []askAmount
	Steps   []askStep
}

type askMissing struct {
	Name  string
	Field string // id of the input on the page, empty where there is none
}

type askAmount struct {
	Name, Of, Figure string
	Clause           *agreement.Clause
	Law, Anchor      string // where the clause stands
	Working          []string
}

type askStep struct {
	Clause      *agreement.Clause
	Law, Anchor string // where the clause stands
	Did         string // key
	By          *agreement.Clause
}

// answerOf takes an explanation apart for the page.
func (s *server) answerOf(r *request, e *agreement.Edition, q rules.Query, x rules.Explanation) *askAnswer {
	v := x.Verdict
	a := &askAnswer{verdictView: s.verdict(r, v, "")}
	if e == nil {
		return a
	}
	a.Needs = s.needLines(r.Lang, e, q.Site, x.Needs)
	for _, id := range v.Missing {
		a.Missing = append(a.Missing, askMissing{Name: inputName(r.Lang, e, id)})
		switch at, isAttribute := e.Attributes[id]; {
		case isAttribute && !at.Derived:
			a.Missing[len(a.Missing)-1].Field = "f." + id
		case e.Events[id].ID != "":
			a.Missing[len(a.Missing)-1].Field = "e." + id
		}
	}
	for _, m := range v.Amounts {
		line := askAmount{Name: s.amountName(r.Lang, e, m.Name)}
		of, ok := s.deps.Law().EditionOf(cmp.Or(m.Agreement, v.Agreement), v.At)
		if !ok {
			of = e
		}
		if line.Clause = of.Clause(m.Clause); line.Clause != nil {
			line.Law, line.Anchor = s.lawPath(of, r.Now), s.anchor(of, line.Clause)
		}
		if m.Of != "" && of.Clause(m.Of) == nil {
			line.Of = m.Of
			for _, id := range sortedKeys(e.ListInfo) {
				if n := e.ListInfo[id].Categories[m.Of].In(r.Lang); n != "" {
					line.Of = n
				}
			}
		}
		line.Figure = s.deps.Texts.Say(r.Lang, "ask.owed", nil)
		if m.Known {
			line.Figure = s.figure(r.Lang, m.Minor, cmp.Or(m.Unit, m.Currency))
		}
		for _, w := range m.Steps {
			line.Working = append(line.Working, s.working(r.Lang, of, w))
		}
		a.Amounts = append(a.Amounts, line)
	}
	for _, part := range v.By() {
		of, ok := s.deps.Law().EditionOf(part.Agreement, v.At)
		if !ok {
			continue
		}
		for _, st := range part.Steps {
			if c := of.Clause(st.Clause); c != nil {
				a.Steps = append(a.Steps, askStep{Clause: c, Law: s.lawPath(of, r.Now), Anchor: s.anchor(of, c), Did: "ask.did." + st.Did, By: of.Clause(st.Note)})
			}
		}
	}
	return a
}

// working is a line of how an amount is worked out, in words. What is a sum in it, a figure
// or an id stays as the program has it.
func (s *server) working(tag lang.Tag, e *agreement.Edition, w rules.Working) string {
	args := lang.Args{"name": w.Name, "text": w.Text, "of": w.Of}
	if p := e.Parameters[w.Name]; p != nil && p.Text.In(tag) != "" {
		args["name"] = p.Text
	} else if name := s.amountName(tag, e, w.Name); name != w.Name {
		args["name"] = name
	}
	if d, err := calendar.ParseDate(w.Text); err == nil {
		args["text"] = lang.FormatDateBoth(tag, d)
	}
	return s.deps.Texts.Say(tag, "ask.working."+w.Code, args)
}

// amountName is what a figure of a verdict is called: as an attribute of the same name,
// or by our words for those that the engine makes, else as the agreement writes it.
func (s *server) amountName(tag lang.Tag, e *agreement.Edition, name string) string {
	if a, ok := e.Attributes[name]; ok && a.Name.In(tag) != "" {
		return a.Name.In(tag)
	}
	if key := "ask.amount." + name; s.deps.Texts.Has(key) {
		return s.deps.Texts.Say(tag, key, nil)
	}
	if base, ok := strings.CutSuffix(name, ".base"); ok {
		return s.deps.Texts.Say(tag, "ask.amount.base", lang.Args{"of": s.amountName(tag, e, base)})
	}
	return name
}

// lawPath is the page of an edition's text: without more where the edition is in force now.
func (s *server) lawPath(e *agreement.Edition, now time.Time) string {
	if e == nil {
		return "/law"
	}
	if cur, ok := s.deps.Law().EditionOf(e.ID, now); ok && cur.Number == e.Number {
		return "/law"
	}
	return lawPathOf(e)
}

// lawPathOf is the page of an edition alone.
func lawPathOf(e *agreement.Edition) string {
	return "/law?agreement=" + urlQuery(e.ID) + "&edition=" + strconv.Itoa(e.Number)
}
