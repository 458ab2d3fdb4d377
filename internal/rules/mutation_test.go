// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/goods"
	"darwaza.dev/internal/reason"
)

// Of what is changed in a package, its own scenarios may overlook less than this many
// in a hundred.
const overlooked = 5

// mutant is a package with one thing changed in it.
type mutant struct {
	what string
	e    *agreement.Edition
}

// TestMutation changes one thing at a time in each package, a parameter, an operator of
// a condition, a date, a line of a list, a clause, and asks whether the scenarios that
// lie beside the text notice. What they overlook is listed.
func TestMutation(t *testing.T) {
	for _, w := range worked() {
		t.Run(w.id, func(t *testing.T) {
			e, l := load(t, w.id)
			for _, r := range l.Test(e) {
				if !r.Passed() {
					t.Fatalf("%s fails as it is: %v", r.Scenario.ID, r.Wrong)
				}
			}
			all, n, refused := mutants(e), 0, 0
			var missed []string
			for _, m := range all {
				l, err := Compile(m.e)
				if err != nil {
					refused++ // no package: the check before signing refuses it
					continue
				}
				n++
				if !slices.ContainsFunc(l.Test(m.e), func(r Result) bool { return !r.Passed() }) {
					missed = append(missed, m.what)
				}
			}
			t.Logf("%d changes, %d overlooked; %d more are refused before anything is asked", n, len(missed), refused)
			for _, s := range missed {
				t.Log("overlooked:", s)
			}
			if n == 0 || len(missed)*100 >= overlooked*n {
				t.Errorf("%d of %d changes are overlooked", len(missed), n)
			}
		})
	}
}

// mutants are a package's changes, each of one thing.
func mutants(e *agreement.Edition) []mutant {
	var out []mutant
	add := func(change func(*agreement.Edition), format string, args ...any) {
		c := *e
		change(&c)
		out = append(out, mutant{fmt.Sprintf(format, args...), &c})
	}
	zone, err := calendar.Zone(e.Zone)
	if err != nil {
		panic(err)
	}
	first := calendar.On(e.From, zone)
	late := func(m agreement.Moment) bool { return m.Exact() && m.First.After(first) }

	for _, id := range sortedKeys(e.Parameters) {
		p := e.Parameters[id]
		if slices.ContainsFunc(e.Clauses, func(k *agreement.Clause) bool {
			return k.Kind == agreement.KindPower && (k.Within == id || k.AtLeast == id)
		}) {
			continue // no question can tell
		}
		if !asked(e, id) {
			continue // a number for the desks, such as how far ahead a place can be booked
		}
		value := func(i int, v agreement.ParameterValue, what string) {
			add(func(c *agreement.Edition) {
				q := *p
				q.Values = slices.Clone(p.Values)
				q.Values[i] = v
				c.Parameters = maps.Clone(e.Parameters)
				c.Parameters[id] = &q
			}, "parameter %s, %s", id, what)
		}
		for i, v := range p.Values {
			w := v
			switch {
			case p.Unit == "text":
			case !v.Known:
				w.Known, w.Int = true, 0
				value(i, w, "unknown → 0")
			case v.Unlimited:
				w.Unlimited, w.Int = false, 0
				value(i, w, "unlimited → 0")
			default:
				w.Int = v.Int + 1
				value(i, w, v.Text+" and one more")
				if v.Int > 0 {
					w.Int = v.Int - 1
					value(i, w, v.Text+" less one")
				}
			}
			if late(v.From) {
				w = v
				w.From = later(v.From)
				value(i, w, v.Text+" a day later")
			}
		}
	}

	clause := func(i int, change func(*agreement.Clause), format string, args ...any) {
		add(func(c *agreement.Edition) {
			k := *e.Clauses[i]
			change(&k)
			c.Clauses = slices.Clone(e.Clauses)
			c.Clauses[i] = &k
		}, "%s: %s", e.Clauses[i].ID, fmt.Sprintf(format, args...))
	}
	for i, k := range e.Clauses {
		if k.Kind == agreement.KindNote || k.Kind == agreement.KindBound || k.Kind == agreement.KindPower {
			continue // no question can tell
		}
		add(func(c *agreement.Edition) { c.Clauses = slices.Delete(slices.Clone(e.Clauses), i, i+1) }, "%s: taken out", k.ID)
		if k.Else != reason.None {
			clause(i, func(c *agreement.Clause) { c.Else = another(k.Else) }, "else %s → %s", k.Else, another(k.Else))
		}
		if k.Missing != reason.None {
			clause(i, func(c *agreement.Clause) { c.Missing = another(k.Missing) }, "missing %s → %s", k.Missing, another(k.Missing))
		}
		if k.Then != reason.None {
			clause(i, func(c *agreement.Clause) { c.Then = another(k.Then) }, "then %s → %s", k.Then, another(k.Then))
		}
		for _, s := range turns(k.When) {
			clause(i, func(c *agreement.Clause) { c.When = s }, "when %s", s)
		}
		for _, s := range turns(k.Require) {
			clause(i, func(c *agreement.Clause) { c.Require = s }, "require %s", s)
		}
		for _, s := range turns(k.Value) {
			clause(i, func(c *agreement.Clause) { c.Value = s }, "value %s", s)
		}
		if k.Select != nil {
			for _, s := range turns(k.Select.Where) {
				clause(i, func(c *agreement.Clause) { x := *k.Select; x.Where = s; c.Select = &x }, "where %s", s)
			}
		}
		for j, o := range k.Overrides {
			clause(i, func(c *agreement.Clause) { c.Overrides = slices.Delete(slices.Clone(k.Overrides), j, j+1) }, "does not override %s", o)
		}
		if len(k.Turns) > 0 {
			clause(i, func(c *agreement.Clause) { c.Turns = nil }, "turns on nothing")
		}
		if k.Matter != "" {
			clause(i, func(c *agreement.Clause) { c.Matter = "" }, "about nothing")
		}
		if k.AtLeast != "" {
			clause(i, func(c *agreement.Clause) { c.AtLeast = "" }, "no atleast")
		}
		if k.AtMost != "" {
			clause(i, func(c *agreement.Clause) { c.AtMost = "" }, "no atmost")
		}
		if k.Profile != "" {
			clause(i, func(c *agreement.Clause) { c.Disease, c.Profile = e.Profiles[k.Profile].Disease, "" }, "under no profile")
		}
		for j, w := range k.Weekdays {
			clause(i, func(c *agreement.Clause) { c.Weekdays = slices.Delete(slices.Clone(k.Weekdays), j, j+1) }, "not on %s", w)
		}
		for j, x := range k.Accepts {
			accept := func(y agreement.Accept, what string) {
				clause(i, func(c *agreement.Clause) { c.Accepts = slices.Clone(k.Accepts); c.Accepts[j] = y }, "%s: %s", x, what)
			}
			if len(k.Accepts) > 1 {
				clause(i, func(c *agreement.Clause) { c.Accepts = slices.Delete(slices.Clone(k.Accepts), j, j+1) }, "without %s", x)
			}
			for field, at := range map[string]func(*agreement.Accept) *string{
				"doses": func(y *agreement.Accept) *string { return &y.Doses }, "atleast": func(y *agreement.Accept) *string { return &y.AtLeast }, "atmost": func(y *agreement.Accept) *string { return &y.AtMost },
				"products": func(y *agreement.Accept) *string { return &y.Products }, "countries": func(y *agreement.Accept) *string { return &y.Countries },
			} {
				if y := x; *at(&y) != "" {
					*at(&y) = ""
					accept(y, "no "+field)
				}
			}
			if len(x.Tests) > 0 {
				y := x
				y.Tests = nil
				accept(y, "any test")
			}
		}
		if k.Kind == agreement.KindValidity && k.Issued != "" {
			clause(i, func(c *agreement.Clause) { c.Including = !k.Including }, "the anniversary the other way")
		}
		for j, f := range k.Events {
			clause(i, func(c *agreement.Clause) { c.Events = slices.Delete(slices.Clone(k.Events), j, j+1) }, "not at %s", f)
		}
		if k.Kind == agreement.KindShare {
			for j, f := range k.Fields {
				clause(i, func(c *agreement.Clause) { c.Fields = slices.Delete(slices.Clone(k.Fields), j, j+1) }, "without the field %s", f)
			}
		}
		for j, h := range k.Holds {
			hold := func(p agreement.Period, what string) {
				clause(i, func(c *agreement.Clause) { c.Holds = slices.Clone(k.Holds); c.Holds[j] = p }, "%s", what)
			}
			if late(h.From) {
				p := h
				p.From = later(h.From)
				hold(p, "from "+p.From.String())
			}
			if late(h.Until) {
				p := h
				p.Until = later(h.Until)
				hold(p, "until "+p.Until.String())
			}
			if len(k.Holds)+len(h.Sites) > 2 && len(h.Sites) > 1 {
				for s := range h.Sites {
					p := h
					p.Sites = slices.Delete(slices.Clone(h.Sites), s, s+1)
					hold(p, "not at "+h.Sites[s])
				}
			}
		}
	}

	for _, id := range sortedKeys(e.Instruments) {
		for _, end := range [...]string{"from", "until"} {
			x := e.Instruments[id]
			switch {
			case end == "from" && late(x.From):
				x.From = later(x.From)
			case end == "until" && late(x.Until):
				x.Until = later(x.Until)
			default:
				continue
			}
			add(func(c *agreement.Edition) {
				c.Instruments = maps.Clone(e.Instruments)
				c.Instruments[id] = x
			}, "instrument %s %s a day later", id, end)
		}
	}
	for i, s := range e.Sites {
		if late(s.From) {
			add(func(c *agreement.Edition) {
				c.Sites = slices.Clone(e.Sites)
				c.Sites[i].From = later(s.From)
			}, "site %s opens a day later", s.ID)
		}
	}

	for _, id := range sortedKeys(e.Lists) {
		lines := e.Lists[id].Lines()
		for i := 0; i < len(lines); i += max(1, len(lines)/40) {
			list := func(what string, lines []goods.Line) {
				l, err := goods.NewList(id, e.Lists[id].Title, lines)
				if err != nil {
					return
				}
				add(func(c *agreement.Edition) {
					c.Lists = maps.Clone(e.Lists)
					c.Lists[id] = l
				}, "list %s, %s: %s", id, lines0(lines, i), what)
			}
			list("taken out", slices.Delete(slices.Clone(lines), i, i+1))
			j := slices.IndexFunc(lines, func(x goods.Line) bool { return x.Category != lines[i].Category })
			if j >= 0 {
				x := slices.Clone(lines)
				x[i].Category, x[i].Rate = x[j].Category, x[j].Rate
				list("in another category", x)
			}
		}
	}
	for _, id := range sortedKeys(e.Values) {
		if !asksOf(e, id) {
			continue // its lines are names for readers
		}
		for _, v := range sortedKeys(e.Values[id]) {
			add(func(c *agreement.Edition) {
				c.ValueLines = maps.Clone(e.ValueLines)
				c.ValueLines[id] = slices.DeleteFunc(slices.Clone(e.ValueLines[id]), func(l agreement.ValueLine) bool { return l.ID == v })
			}, "list %s without %s", id, v)
		}
	}
	for _, id := range sortedKeys(e.Questions) {
		question := func(what string, change func(*agreement.Question)) {
			add(func(c *agreement.Edition) {
				q := e.Questions[id]
				change(&q)
				c.Questions = maps.Clone(e.Questions)
				c.Questions[id] = q
			}, "question %s: %s", id, what)
		}
		q := e.Questions[id]
		if !turnsOn(e, id) {
			continue // no answer turns on it
		}
		if q.By == "nobody" {
			question("settled by both", func(q *agreement.Question) { q.By = "both" })
		} else {
			question("settled by nobody", func(q *agreement.Question) { q.By = "nobody" })
		}
		for i, s := range q.Later {
			settlement := func(what string, change func(*agreement.Settlement)) {
				question("settled on "+s.From.String()+", "+what, func(q *agreement.Question) {
					q.Later = slices.Clone(q.Later)
					change(&q.Later[i])
				})
			}
			question("not settled on "+s.From.String(), func(q *agreement.Question) { q.Later = slices.Delete(slices.Clone(q.Later), i, i+1) })
			settlement("a day later", func(s *agreement.Settlement) { s.From = s.From.AddDays(1) })
			settlement("by nobody", func(s *agreement.Settlement) { s.By = "nobody" })
			for _, k := range s.Holds {
				settlement(k+" ends", func(s *agreement.Settlement) {
					s.Holds, s.Ends = slices.DeleteFunc(slices.Clone(s.Holds), func(x string) bool { return x == k }), append(slices.Clone(s.Ends), k)
				})
			}
			for _, k := range s.Ends {
				settlement(k+" holds", func(s *agreement.Settlement) {
					s.Ends, s.Holds = slices.DeleteFunc(slices.Clone(s.Ends), func(x string) bool { return x == k }), append(slices.Clone(s.Holds), k)
				})
			}
		}
	}
	for _, id := range sortedKeys(e.Tables) {
		for i := range e.Tables[id].Rows {
			add(func(c *agreement.Edition) {
				x := *e.Tables[id]
				x.Rows = slices.Delete(slices.Clone(x.Rows), i, i+1)
				c.Tables = maps.Clone(e.Tables)
				c.Tables[id] = &x
			}, "table %s without the row of line %d", id, e.Tables[id].Rows[i].Line)
		}
	}
	return out
}

// asked reports whether a clause or a list reads a parameter.
func asked(e *agreement.Edition, id string) bool {
	for _, k := range e.Clauses {
		fields := []string{k.Limit, k.Rate, k.AtLeast, k.AtMost, k.Days, k.Nights, k.For, k.Times, k.Within, k.Tolerance}
		for _, x := range k.Accepts {
			fields = append(fields, x.Doses, x.AtLeast, x.AtMost)
		}
		text := strings.Join([]string{k.When, k.Require, k.Value, k.Release}, " ")
		if k.Span != nil {
			fields = append(fields, k.Span.Rolling)
		}
		for _, s := range [...]*agreement.Select{k.Select, k.First, k.Second} {
			if s != nil {
				text += " " + s.Where
			}
		}
		if slices.Contains(fields, id) || strings.Contains(text, "param."+id) {
			return true
		}
	}
	for _, l := range e.ListInfo {
		for _, r := range l.Rates {
			if r == id {
				return true
			}
		}
	}
	return false
}

// turnsOn reports whether the effect of a clause turns on a question.
func turnsOn(e *agreement.Edition, question string) bool {
	return slices.ContainsFunc(e.Clauses, func(k *agreement.Clause) bool { return slices.Contains(k.Turns, question) })
}

func lines0(lines []goods.Line, i int) string {
	if i >= len(lines) {
		return "the last line"
	}
	return "line of " + goods.FormatCode(lines[i].Code)
}

// another is an outcome that no clause is likely to have meant.
func another(o reason.Outcome) reason.Outcome {
	if o == reason.Refer {
		return reason.Hold
	}
	return reason.Refer
}

// later is a moment a day later.
func later(m agreement.Moment) agreement.Moment {
	m.First, m.Last = m.First.AddDays(1), m.Last.AddDays(1)
	return m
}

// turns returns an expression once for each of its operators, with that one turned.
func turns(text string) []string {
	turned := [...][2]string{{"<=", "<"}, {">=", ">"}, {"==", "!="}, {"!=", "=="}, {"&&", "||"}, {"||", "&&"}, {"<", "<="}, {">", ">="}, {" + ", " - "}, {" - ", " + "}, {"!", ""}}
	var out []string
	quoted := false
	for i := 0; i < len(text); i++ {
		if text[i] == '\'' {
			quoted = !quoted
		}
		if quoted {
			continue
		}
		for _, o := range turned {
			if strings.HasPrefix(text[i:], o[0]) {
				out = append(out, text[:i]+o[1]+text[i+len(o[0]):])
				i += len(o[0]) - 1
				break
			}
		}
	}
	return out
}

// TestTurns keeps the changes honest: each operator once, none inside a text.
func TestTurns(t *testing.T) {
	got := turns("a <= 'x<y' && !(b == c - 1)")
	want := []string{"a < 'x<y' && !(b == c - 1)", "a <= 'x<y' || !(b == c - 1)", "a <= 'x<y' && (b == c - 1)", "a <= 'x<y' && !(b != c - 1)", "a <= 'x<y' && !(b == c + 1)"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if len(turns("")) != 0 {
		t.Error("an empty condition has operators")
	}
}

// asksOf reports whether a clause looks something up in a list.
func asksOf(e *agreement.Edition, list string) bool {
	return slices.ContainsFunc(e.Clauses, func(c *agreement.Clause) bool {
		where := ""
		for _, x := range [...]*agreement.Select{c.Select, c.First, c.Second} {
			if x != nil {
				where += x.Where
			}
		}
		return c.List == list || strings.Contains(c.When+c.Require+c.Value+c.Release+where, "'"+list+"'")
	})
}

// TestMutationOfQuestions: each settlement is taken out, moved by a day, held by nobody and
// turned, and an answer that turns on it tells each of these.
func TestMutationOfQuestions(t *testing.T) {
	e, faults := wide(t, `instrument: i
questions:
  - {id: k, asks: `+say+`, reading: `+say+`, by: nobody, words: x, settled: [{from: 2025-06-01, by: both, reading: `+say+`, instrument: clear, source: x, holds: [c], ends: [d]}]}
clauses:
  - {id: all, kind: rule, SILENT}
  - {id: c, kind: rule, TEXT, require: p, else: REFUSE, turns: [k]}
  - {id: d, kind: rule, TEXT, require: q, else: CLOSED, turns: [k]}
`, "instruments", "  - {id: i, title: "+say+", status: law, source: x}\n  - {id: clear, title: "+say+", status: clarification, source: x}\n")
	if len(faults.Errors()) > 0 {
		t.Fatal(faults)
	}
	ask := func(e *agreement.Edition) (out string) {
		l, err := Compile(e)
		if err != nil {
			t.Fatal(err)
		}
		for _, on := range []string{"2025-05-31", "2025-06-01"} {
			out += l.Check(noon(on).with("p", false, "q", false)).Outcome.String() + " "
		}
		return out
	}
	before := ask(e)
	var got []string
	for _, m := range mutants(e) {
		if what, ok := strings.CutPrefix(m.what, "question k: "); ok {
			got = append(got, what)
			if ask(m.e) == before {
				t.Errorf("%s changes no answer", what)
			}
		}
	}
	want := []string{"settled by both", "not settled on 2025-06-01", "settled on 2025-06-01, a day later", "settled on 2025-06-01, by nobody", "settled on 2025-06-01, c ends", "settled on 2025-06-01, d holds"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}
