// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package agreement

import (
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/lang"
	"darwaza.dev/internal/reason"
)

// Read is one field of a clause as the program reads it.
type Read struct {
	Field string // of Clause, such as "AtMost"
	Word  string // as a package has it, such as "atmost"
	Value string // as written
	// Means is what that comes to: the values of a parameter where the clause holds, who
	// holds the reading of a question. Empty where the value says it itself.
	Means string
}

// String returns "atmost: home.most (5.25 km from 2025-01-01)".
func (r Read) String() string {
	s := r.Word + ": " + r.Value
	if r.Means != "" {
		s += " (" + r.Means + ")"
	}
	return s
}

// Reading returns every field of a clause on which an answer can turn, in English and in
// the order of the fields of Clause: all but what is told to readers (Text, Say, Next).
func (e *Edition) Reading(c *Clause) []Read {
	t := teller{e}
	var out []Read
	v := reflect.ValueOf(c).Elem()
	for i := range v.NumField() {
		name, f := v.Type().Field(i).Name, v.Field(i)
		switch name {
		case "ID", "Anchor", "Instrument", "Text", "Say", "Next", "Line", "File":
			continue
		case "Holds":
			out = append(out, Read{name, "holds", cmp.Or(t.told(f), "throughout, everywhere"), ""})
			continue
		}
		if f.IsZero() {
			continue
		}
		r := Read{name, fieldWord(c.Kind, name), "", e.means(c, name)}
		switch x := f.Interface().(type) {
		case *Select:
			r.Value = selectText(x)
		case *Span:
			r.Value = spanText(x)
		case []Accept:
			r.Value = strings.Join(mapped(x, Accept.String), "; or ")
		case []Turn:
			r.Value = strings.Join(mapped(x, func(t Turn) string { return string(t.Side) + " " + t.Step }), ", then ")
		case []string:
			r.Value = strings.Join(x, ", ")
		default:
			if r.Value = t.told(f); name == "Including" {
				r.Value = "in"
			}
		}
		out = append(out, r)
	}
	return out
}

// fieldWord is what a package calls a field of a clause of a kind.
func fieldWord(k Kind, field string) string {
	switch field {
	case "End":
		if k == KindDuty {
			return "done"
		}
	case "First":
		if k == KindRatio {
			return "of"
		}
	case "Second":
		if k == KindRatio {
			return "to"
		}
		return "then"
	case "Select":
		return "events"
	case "Span":
		return "window"
	case "AmountOf":
		return "amount_of"
	case "Groups":
		return "by"
	case "Strict":
		return "open"
	case "Including":
		return "anniversary"
	case "Events":
		return "event"
	}
	return strings.ToLower(field)
}

func selectText(s *Select) string {
	out := s.Events
	if s.Where != "" {
		out += " where " + s.Where
	}
	if s.Field != "" {
		out += ", by its field " + s.Field
	}
	return out
}

func spanText(s *Span) string {
	out := "per " + s.Per
	if s.Rolling != "" {
		out = "rolling " + s.Rolling
	}
	if s.Per != "" && s.Rolling != "" {
		out += ", per " + s.Per
	}
	if s.Here {
		out += ", at the site of the question alone"
	}
	return out
}

// means is what the text of a field comes to in the edition.
func (e *Edition) means(c *Clause, field string) string {
	ids := func(list []string, say func(string) string) string { return strings.Join(mapped(list, say), "; ") }
	switch field {
	case "Else", "Then":
		if n := slices.IndexFunc(c.Turns, func(id string) bool { return !e.Questions[id].SettledNowFor(e.SideOf(c)) }); n >= 0 && c.outcome(field) != reason.None {
			return "REFER instead while question " + c.Turns[n] + " is not settled"
		}
		if len(c.Turns) > 0 && c.outcome(field) != reason.None {
			return "REFER instead until what it turns on is settled"
		}
	case "Turns", "Questions":
		list := c.Turns
		if field == "Questions" {
			list = c.Questions
		}
		return ids(list, func(id string) string { return e.asked(id, c) })
	case "List":
		return e.listed(c.List)
	case "Beside":
		return ids(c.Beside, func(id string) string { return id + ": " + e.listed(id) })
	case "Rules":
		if s := e.RuleSets[c.Rules]; s != nil {
			return s.Title.In(lang.EN) + fmt.Sprintf(", %d rules", len(s.Rules.Rules()))
		}
	case "Table":
		if t := e.Tables[c.Table]; t != nil {
			return fmt.Sprintf("%d rows", len(t.Rows))
		}
	case "Limit", "Rate", "AtLeast", "AtMost", "Days", "Nights", "For", "Times", "Within", "Tolerance":
		id := reflect.ValueOf(c).Elem().FieldByName(field).String()
		if _, given := e.Attributes[id]; given && e.Parameters[id] == nil {
			return "as it is given with the question"
		}
		return e.comes(c, id)
	case "Span":
		return e.comes(c, c.Span.Rolling)
	case "Accepts":
		var all []string
		for _, a := range c.Accepts {
			for _, id := range [...]string{a.Doses, a.AtLeast, a.AtMost} {
				if s := e.comes(c, id); s != "" && !slices.Contains(all, id+" is "+s) {
					all = append(all, id+" is "+s)
				}
			}
		}
		return strings.Join(all, "; ")
	case "When", "Require", "Value", "Release", "Select", "First", "Second":
		text := reflect.ValueOf(c).Elem().FieldByName(field)
		s := ""
		if x, ok := text.Interface().(*Select); ok {
			s = x.Where
		} else {
			s = text.String()
		}
		var all []string
		for _, id := range slices.Sorted(maps.Keys(e.Parameters)) {
			if speaksOf(s, id) {
				all = append(all, id+" is "+e.comes(c, id))
			}
		}
		return strings.Join(all, "; ")
	}
	return ""
}

func (c *Clause) outcome(field string) reason.Outcome {
	if field == "Then" {
		return c.Then
	}
	return c.Else
}

// asked says what a question asks, who holds its reading, and what that makes of a clause.
func (e *Edition) asked(id string, c *Clause) string {
	q, ok := e.Questions[id]
	if !ok {
		return ""
	}
	who := func(by string) string {
		switch by {
		case "both":
			return "settled"
		case "nobody", "":
			return "not settled"
		case string(q.Side):
			if !q.BindsText(by, e.SideOf(c)) {
				return "settled by side " + by + " for its own texts alone"
			}
			return "settled by side " + by + ", whose text it is"
		}
		return "not settled, read by side " + by + " alone"
	}
	s := quoted(q.Asks) + " " + who(q.By)
	for _, x := range q.Later {
		s += ", " + who(x.By) + " from " + x.From.String()
		switch {
		case !q.BindsText(x.By, e.SideOf(c)):
		case slices.Contains(x.Ends, c.ID):
			s += ", and the clause is not asked from then on"
		case slices.Contains(x.Holds, c.ID):
			s += ", and the clause holds"
		}
	}
	return s
}

// listed says what a list is.
func (e *Edition) listed(id string) string {
	info, ok := e.ListInfo[id]
	switch {
	case !ok:
		return ""
	case info.Absent:
		return "nobody has this list at hand"
	}
	n := len(e.Values[id])
	if l := e.Lists[id]; l != nil {
		n = len(l.Lines())
	}
	if p := e.Places[id]; p != nil {
		n = len(p.Up)
	}
	s := fmt.Sprintf("%d %s", n, info.Kind)
	if len(info.Open) > 0 {
		s += ", and open: it does not tell of others"
	}
	if info.Partial {
		s += ", read in part: others may be on the rest"
	}
	return s
}

// comes are the values of a parameter where a clause holds.
func (e *Edition) comes(c *Clause, id string) string {
	p := e.Parameters[id]
	if p == nil {
		return ""
	}
	var all []string
	for _, v := range p.Values {
		if c.covers(v.Site, v.Side) {
			all = append(all, ValueText(v, p.Unit))
		}
	}
	return strings.Join(all, "; ")
}

// ValueText writes a value of a parameter in a unit with the case and the days for which
// it holds: "3 km at north from 2025-01-01".
func ValueText(v ParameterValue, unit string) string {
	s := valueText(v, unit) + scope(v) + since(v.From)
	if !v.Until.IsZero() {
		s += " until before " + v.Until.String()
	}
	return s + told(v.Published, v.Ended)
}

// covers reports whether the clause holds at a site and for a side at any time. Empty
// stands for any of them.
func (c *Clause) covers(site string, side Side) bool {
	return len(c.Holds) == 0 || slices.ContainsFunc(c.Holds, func(p Period) bool {
		return (site == "" || len(p.Sites) == 0 || slices.Contains(p.Sites, site)) && (side == "" || len(p.Sides) == 0 || slices.Contains(p.Sides, side))
	})
}

// Text writes what a cell of an input asks for: "trader", "at least 50.5 kg and at most 1000 kg".
func (c Cell) Text(in TableInput) string {
	number := func(n int64) string {
		if in.Type == "date" {
			return calendar.Date{Year: 1970, Month: 1, Day: 1}.AddDays(int(n)).String()
		}
		return valueText(ParameterValue{Known: true, Int: n}, in.Unit)
	}
	switch {
	case c.Any:
		return "anything"
	case c.Unknown:
		return "not known"
	case len(c.Texts) > 0:
		s := strings.Join(c.Texts, " or ")
		if c.Not {
			s = "not " + s
		}
		return s
	}
	var all []string
	if c.HasMin {
		all = append(all, "at least "+number(c.Min))
	}
	if c.HasMax {
		all = append(all, "at most "+number(c.Max))
	}
	s := strings.Join(all, " and ")
	if c.Not {
		s = "not " + s
	}
	return s
}

// RowText writes a row of a table: what must hold, and what follows.
func (t *Table) RowText(r TableRow) string {
	var all []string
	for i, c := range r.Cells {
		if i < len(t.Inputs) {
			all = append(all, t.Inputs[i].Name+" "+c.Text(t.Inputs[i]))
		}
	}
	var out []string
	for _, id := range t.Outputs {
		out = append(out, id+" "+cmp.Or(r.Out[id], "none"))
	}
	s := strings.Join(all, ", ") + ": " + strings.Join(out, ", ")
	if w := r.Say.In(lang.EN); w != "" {
		s += ", “" + w + "”"
	}
	return s
}

// HoursText writes the hours and the slots of a site in lines.
func (e *Edition) HoursText(site string) []string {
	var out []string
	if s := e.Schedules[site]; s != nil {
		out = append(mapped(s.Hours().Weekly, weeklyText), mapped(s.Hours().Exceptions, exceptionText)...)
	}
	return append(out, e.SlotsText(site)...)
}

// SlotsText writes the slots of a site in lines.
func (e *Edition) SlotsText(site string) []string { return mapped(e.Slots[site], slotText) }

// InstrumentText writes what an instrument is beside its title: its status and source,
// whose it is, where and when it holds.
func (e *Edition) InstrumentText(id string) string { return teller{e}.rest(e.Instruments[id]) }

// ListItem is one item of a list of any kind.
type ListItem struct {
	ID string // the code of a good, the id of a place or a text
	// Name is what it is called; About is the rest, such as the category and the days.
	Name  lang.Text
	About string
}

// Items returns the items of a list by code or id, none where nobody has it at hand.
func (e *Edition) Items(list string) []ListItem {
	var out []ListItem
	if l := e.Lists[list]; l != nil {
		for _, x := range l.Lines() {
			out = append(out, ListItem{x.Code, x.Name, lineAbout(x)})
		}
	}
	if p := e.Places[list]; p != nil {
		for _, id := range slices.Sorted(maps.Keys(p.Up)) {
			out = append(out, ListItem{id, p.Name[id], "in " + cmp.Or(p.Up[id], "no other")})
		}
	}
	for _, id := range slices.Sorted(maps.Keys(e.Values[list])) {
		out = append(out, ListItem{id, e.Values[list][id], cmp.Or(valueDays(e, list, id), "always")})
	}
	return out
}
