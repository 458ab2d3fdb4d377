// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package agreement

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"darwaza.dev/internal/reason"
)

// commonFields are those that a clause of any kind may have.
func commonFields() []string {
	return []string{
		"id", "kind", "at", "text", "say", "next", "from", "until", "sites", "sides", "holds", "published", "ended", "when", "missing",
		"overrides", "questions", "turns", "decides", "matter",
	}
}

// kindFields are the fields of a clause that its kind gives a meaning to, beside the
// common ones.
func kindFields(k Kind) []string {
	switch k {
	case KindRule:
		return []string{"require", "else", "then", "regime"}
	case KindCondition, KindNote:
		return nil
	case KindDefine:
		return []string{"attribute", "value", "events", "where", "window", "measure"}
	case KindAmount:
		return []string{"amount", "of", "currency", "value", "regime"}
	case KindChoice:
		return []string{"amounts", "take", "amount"}
	case KindSchedule:
		return []string{"else", "regime", "per", "limit"}
	case KindOpened:
		return []string{"else", "regime"}
	case KindSuspend:
		return []string{"classes", "direction", "weekdays", "then", "voids", "issued"}
	case KindListed:
		return []string{"list", "else", "regime", "code", "beside"}
	case KindRate:
		return []string{"amount", "list", "rate", "code"}
	case KindCap:
		return []string{"limit", "else", "regime", "per", "diverted", "earlier", "list", "code", "events", "where", "window", "sum", "count", "adds", "by"}
	case KindFrequency:
		return []string{"limit", "else", "regime", "events", "where", "window", "adds"}
	case KindWindow:
		return []string{"event", "events", "where", "field", "atleast", "atmost", "before", "after", "open", "else", "regime"}
	case KindProof:
		return []string{"profile", "disease", "accepts", "before", "else", "regime"}
	case KindStay:
		return []string{"start", "end", "days", "nights", "counting", "else", "regime"}
	case KindValidity:
		return []string{"expires", "issued", "for", "anniversary", "over", "else", "regime"}
	case KindResidence:
		return []string{"place", "list", "region", "since", "atleast", "distance", "atmost", "else", "regime"}
	case KindRatio:
		return []string{"of", "to", "sum", "count", "times", "window", "adds", "else", "regime"}
	case KindLedger:
		return []string{"first", "then", "sum", "count", "within", "start", "either", "running", "tolerance", "adds", "amount_of", "else", "regime"}
	case KindTax:
		return []string{"amount", "of", "rate", "currency", "else", "regime"}
	case KindGuarantee:
		return []string{"amount", "of", "rate", "currency", "require", "else", "regime", "release"}
	case KindFields:
		return []string{"fields", "else", "regime"}
	case KindTurn:
		return []string{"order", "step", "done", "else", "regime"}
	case KindDuty:
		return []string{"by", "require", "else", "start", "within", "done"}
	case KindShare:
		return []string{"to", "event", "fields", "never", "else", "regime"}
	case KindCertificate:
		return []string{"certificate", "rules", "over", "else", "regime"}
	case KindTable:
		return []string{"table", "regime"}
	case KindPower:
		return []string{"by", "classes", "direction", "within", "atleast"}
	case KindBound:
		return []string{"require", "limit"}
	}
	return nil
}

// maxList is how many entries a list in a clause has at most.
const maxList = 100

// strayFields faults fields that the kind of a clause does nothing with: who writes one
// means something that would not happen.
func (r *reader) strayFields(line int, x *rawClause) {
	v := reflect.ValueOf(x).Elem()
	for i := range v.NumField() {
		if f := v.Field(i); f.Kind() == reflect.Slice && f.Len() > maxList {
			r.fault(line, fmt.Sprintf("more than %d entries in %s", maxList, v.Type().Field(i).Tag.Get("yaml")), "split the clause")
			f.Set(f.Slice(0, maxList))
		}
	}
	if !slices.Contains(Kinds(), x.Kind) {
		return // faulted with the kind
	}
	own := append(commonFields(), kindFields(x.Kind)...)
	for i := range v.NumField() {
		if name := v.Type().Field(i).Tag.Get("yaml"); !v.Field(i).IsZero() && !slices.Contains(own, name) {
			r.fault(line, fmt.Sprintf("a %s does nothing with %s", x.Kind, name), "take it out; a "+string(x.Kind)+" has "+strings.Join(append(kindFields(x.Kind), "and what every clause has"), ", "))
		}
	}
}

// form faults what a kind needs and lacks, what it names and the package does not
// have, and units and types that do not fit.
func (r *reader) form(c *Clause) {
	f := former{r, c}
	if len(c.At) == 0 && c.Kind != KindNote && c.Kind != KindBound && c.Kind != KindDefine && c.Kind != KindPower {
		f.need(false, "at: the points at which it is asked")
	}
	against := c.Else != reason.None || c.Then != reason.None && c.Then != reason.Allow
	if (against || c.Kind == KindCondition) && c.Say.In("en") == "" {
		r.fault(c.Line, "decides against people and has no words for them", "write say: what they are told")
	} else if against || c.Kind == KindCondition {
		r.text(c.Line, "say", c.Say)
		if len(c.Next) > 0 {
			r.text(c.Line, "next", c.Next)
		}
	}
	if c.Missing != reason.None && c.Missing != reason.Hold && c.Missing != reason.Refer {
		r.fault(c.Line, fmt.Sprintf("missing is %s", c.Missing), "write HOLD where it will still come, REFER where a person decides")
	}
	if slices.ContainsFunc([]reason.Outcome{c.Missing, c.Else, c.Then}, func(o reason.Outcome) bool { return o == reason.Hold || o == reason.Refer }) && c.Decides == "" && c.Kind != KindDuty {
		r.warn(c.Line, "ends in HOLD or REFER and names nobody who decides", "write decides: the role")
	}
	if c.Else == reason.Allow {
		r.fault(c.Line, "else is ALLOW", "write the outcome where the clause is not met, or no else")
	}
	if (c.Else == reason.Divert || c.Then == reason.Divert) && c.Regime == "" && c.Kind != KindCap {
		r.warn(c.Line, "diverts and names no regime", "write regime: what it goes to")
	}
	if !slices.Contains(Kinds(), c.Kind) {
		names := make([]string, 0, len(Kinds()))
		for _, k := range Kinds() {
			names = append(names, string(k))
		}
		r.fault(c.Line, fmt.Sprintf("kind %q is not known", c.Kind), "write "+strings.Join(names, ", "))
		return
	}
	f.kind()
}

// former looks at the form of one clause.
type former struct {
	*reader
	c *Clause
}

func (f former) need(ok bool, field string) {
	if !ok {
		f.fault(f.c.Line, fmt.Sprintf("a %s needs %s", f.c.Kind, field), "add it")
	}
}

// word faults a field that is none of some words, or empty where that is allowed too.
func (f former) word(field, got string, words ...string) {
	if !slices.Contains(words, got) {
		f.fault(f.c.Line, fmt.Sprintf("%s %q", field, got), "write "+strings.Trim(strings.Join(words, ", "), ", "))
	}
}

// param faults a parameter that is not there, or counts in none of the units.
func (f former) param(field, id string, units ...string) {
	if id == "" {
		return
	}
	p := f.e.Parameters[id]
	if p == nil && f.lost["parameters"] {
		return
	}
	if p == nil {
		f.fault(f.c.Line, fmt.Sprintf("parameter %q is not known", id), "declare it in parameters/")
		return
	}
	if len(units) > 0 && !slices.Contains(units, p.Unit) {
		f.fault(f.c.Line, fmt.Sprintf("%s is in %s, and %s is needed here for %s", id, p.Unit, strings.Join(units, " or "), field), "use a parameter of that unit")
	}
}

// attribute faults an attribute that is not there, or is of none of the types.
func (f former) attribute(field, id string, types ...string) (a Attribute, ok bool) {
	if id == "" {
		return Attribute{}, false
	}
	a, ok = f.e.Attributes[id]
	if !ok {
		f.fault(f.c.Line, fmt.Sprintf("attribute %q is not known", id), "declare it in agreement.yaml")
		return a, false
	}
	if len(types) > 0 && !slices.Contains(types, a.Type) {
		f.fault(f.c.Line, fmt.Sprintf("%s is a %s, and a %s is needed here for %s", id, a.Type, strings.Join(types, " or "), field), "use an attribute of that type")
		return a, false
	}
	return a, true
}

// fields returns the fields that an event of a kind has, with their units.
func (f former) fields(kind string) (fields []Attribute, ok bool) {
	if kind == "lot" {
		return []Attribute{
			{ID: "category", Type: "string"}, {ID: "value", Type: "int", Unit: f.e.Currency}, {ID: "regime", Type: "string"},
		}, true
	}
	k, ok := f.e.Events[kind]
	for _, id := range k.Fields {
		if a, ok := f.e.Attributes[id]; ok {
			fields = append(fields, a)
		}
	}
	return fields, ok
}

// field faults a field that an event does not have, or that is of none of the types.
func (f former) field(field, kind, id string, types ...string) (a Attribute, ok bool) {
	fields, ok := f.fields(kind)
	if id == "" || !ok {
		return Attribute{}, false
	}
	if id == "at" || id == "on" {
		a = Attribute{ID: id, Type: map[string]string{"at": "time", "on": "date"}[id]}
	} else if i := slices.IndexFunc(fields, func(a Attribute) bool { return a.ID == id }); i >= 0 {
		a = fields[i]
	} else {
		f.fault(f.c.Line, fmt.Sprintf("event %s has no field %q", kind, id), "name a field of the event, or add it in agreement.yaml")
		return a, false
	}
	if !slices.Contains(types, a.Type) {
		f.fault(f.c.Line, fmt.Sprintf("%s is a %s, and a %s is needed here for %s", id, a.Type, strings.Join(types, " or "), field), "use a field of that type")
		return a, false
	}
	return a, true
}

// pick faults a selection without a kind of events, or with one that is not declared.
func (f former) pick(field string, s *Select) bool {
	if s == nil || s.Events == "" {
		f.need(false, field+": the kind of events")
		return false
	}
	if _, ok := f.fields(s.Events); !ok {
		f.fault(f.c.Line, fmt.Sprintf("event %q is not declared", s.Events), "declare it under events in agreement.yaml")
		return false
	}
	return true
}

func timeUnits() []string { return []string{"minutes", "hours", "days", "weeks", "months", "years"} }

// spanWords are what a window can be per.
func spanWords() []string { return []string{"day", "week", "month", "quarter", "year", "ever"} }

func (f former) span(must bool) {
	s := f.c.Span
	if s == nil {
		f.need(!must, "window: with per or rolling")
		return
	}
	f.need((s.Per == "") != (s.Rolling == ""), "either per or rolling in its window")
	if s.Per != "" {
		f.word("per", s.Per, spanWords()...)
	}
	f.param("rolling", s.Rolling, timeUnits()...)
}

// adds faults what a question adds to a sum of a unit.
func (f former) adds(unit string) {
	switch f.c.Adds {
	case "", "0", "1":
		return
	}
	if a, ok := f.attribute("adds", f.c.Adds, "int"); ok && a.Unit != unit {
		f.fault(f.c.Line, fmt.Sprintf("%s is in %q, and what it is added to in %q", a.ID, a.Unit, unit), "use an attribute of that unit")
	}
}

// counted returns the unit of what is summed: that of a field, count where nothing is.
func (f former) counted(events ...*Select) string {
	unit := "count"
	for i, s := range events {
		if f.c.Sum == "" || s == nil {
			continue
		}
		if a, ok := f.field("sum", s.Events, f.c.Sum, "int"); ok {
			if i > 0 && unit != a.Unit {
				f.fault(f.c.Line, fmt.Sprintf("%s and %s are in different units", events[0].Events, s.Events), "sum what is counted alike")
			}
			unit = a.Unit
		}
	}
	return unit
}

func (f former) tax() {
	c, e := f.c, f.e
	f.need(c.Amount != "" && len(c.Of) > 0 && c.Rate != "", "amount, of and rate")
	f.param("rate", c.Rate, "percent")
	currency := f.currency()
	for _, id := range c.Of {
		if a, ok := e.Attributes[id]; !ok {
			f.fault(c.Line, fmt.Sprintf("attribute %q is not known", id), "declare it in agreement.yaml")
		} else if a.Type != "int" || a.Unit != currency {
			f.fault(c.Line, fmt.Sprintf("%s is not an amount in %s", id, currency), "give the attribute that unit, or the clause its currency")
		}
	}
}

func (f former) currency() string {
	if f.c.Currency == "" {
		return f.e.Currency
	}
	if !isCurrency(f.c.Currency) {
		f.fault(f.c.Line, fmt.Sprintf("currency %q is not known", f.c.Currency), "write three letters of ISO 4217")
	}
	return f.c.Currency
}

func (f former) list(id string, kinds ...string) {
	if id == "" {
		return
	}
	l, ok := f.e.ListInfo[id]
	if !ok && f.lost["lists"] {
		return
	}
	if !ok {
		f.fault(f.c.Line, fmt.Sprintf("list %q is not known", id), "declare it in lists/")
	} else if !slices.Contains(kinds, l.Kind) {
		f.fault(f.c.Line, fmt.Sprintf("%s is a list of %s", id, l.Kind), "name a list of "+strings.Join(kinds, " or "))
	}
}

// kind looks at the fields of the clause's own kind.
func (f former) kind() {
	c, e := f.c, f.e
	against := c.Else != reason.None
	switch c.Kind {
	case KindRule:
		f.need((c.Require == "") == !against, "require and else together, or neither")
		f.need(c.Then == reason.None || c.Require == "", "either then, or require and else")
	case KindCondition, KindOpened, KindNote:
		f.need(c.Kind != KindOpened || against, "else")
		f.need(c.Kind != KindNote || len(c.At) == 0, "no at: nothing is asked of it")
	case KindDefine:
		f.define()
	case KindAmount:
		f.need(c.Amount != "" && c.Value != "", "amount and value")
		f.need(len(c.Of) < 2, "one text in of at most")
		f.currency()
	case KindChoice:
		f.need(len(c.Amounts) > 1 && c.Amount != "", "amount, and two amounts or more")
		f.word("take", c.Take, "least", "most")
		for _, a := range c.Amounts {
			made := slices.ContainsFunc(e.Clauses, func(o *Clause) bool { return o != c && o.Amount == a && a != "" })
			if !made {
				f.fault(c.Line, fmt.Sprintf("no clause makes the amount %q", a), "name amounts of other clauses")
			}
		}
	case KindSchedule:
		f.need(against, "else")
		if c.Per != "" && c.Per != "day" {
			f.fault(c.Line, fmt.Sprintf("per %q of a schedule", c.Per), "write day where any hour of the day will do, or leave it out")
		}
		f.param("limit", c.Limit, "count")
	case KindSuspend:
		f.need(c.Then != reason.Allow && c.Then != reason.Divert, "an outcome that closes in then")
		f.scope()
		f.need(c.Voids == (c.Issued != ""), "voids: true and issued together")
		f.attribute("issued", c.Issued, "time", "date")
	case KindListed:
		f.need(c.List != "" && against, "list and else")
		f.list(c.List, ListGoods, ListValues)
		f.attribute("code", c.Code, "string")
	case KindRate:
		f.need(c.Amount != "", "amount")
		f.need((c.List == "") != (c.Rate == ""), "either list or rate")
		f.need(!e.ListInfo[c.List].Absent, "a list that is at hand")
		f.list(c.List, ListGoods)
		f.attribute("code", c.Code, "string")
		f.param("rate", c.Rate, "percent")
	case KindCap:
		f.cap()
	case KindFrequency:
		f.need(against && c.Limit != "", "limit and else")
		f.pick("events", c.Select)
		f.span(true)
		f.limit(c.Limit, "count")
		f.word("adds", c.Adds, "", "0", "1")
	case KindWindow:
		f.window()
	case KindProof:
		f.proof()
	case KindStay:
		f.need(against && c.Start != "" && (c.Days != "" || c.Nights != ""), "start, else, and days or nights")
		f.attribute("start", c.Start, "time", "date")
		f.attribute("end", c.End, "time", "date")
		f.param("days", c.Days, "days", "count")
		f.param("nights", c.Nights, "days", "count")
		f.word("counting", c.Counting, "", "calendar", "elapsed")
	case KindValidity:
		f.need(against && (c.Expires == "") != (c.Issued == ""), "else, and either expires or issued")
		f.need((c.Issued == "") == (c.For == ""), "issued and for together")
		f.attribute("expires", c.Expires, "time", "date")
		f.attribute("issued", c.Issued, "time", "date")
		f.param("for", c.For, "days", "weeks", "months", "years", "hours")
		f.need(len(c.Over) <= 2, "one or two attributes in over")
		for _, id := range c.Over {
			f.attribute("over", id, "time", "date")
		}
	case KindResidence:
		f.residence()
	case KindRatio:
		f.need(against && c.Times != "", "times and else")
		ok := f.pick("of", c.First)
		ok = f.pick("to", c.Second) && ok
		f.param("times", c.Times, "percent")
		f.span(true)
		if ok {
			f.adds(f.counted(c.First, c.Second))
		}
	case KindLedger:
		f.ledger()
	case KindTax:
		f.tax()
	case KindGuarantee:
		f.tax()
		f.need((c.Require == "") == !against, "require and else together")
	case KindFields:
		f.need(len(c.Fields) > 0 && against, "fields and else")
		for _, id := range c.Fields {
			f.attribute("fields", id)
		}
	case KindTurn:
		f.turn()
	case KindDuty:
		f.need(against && (c.By.Valid() || c.By == Both), "else, and by: A, B or both")
		clock := c.Start != "" || c.Within != "" || c.End != ""
		f.need(clock != (c.Require != ""), "either require, or a clock of start, within and done")
		if clock {
			f.need(c.Start != "" && c.Within != "" && c.End != "", "start, within and done for its clock")
			f.attribute("start", c.Start, "time")
			f.attribute("done", c.End, "time")
			f.param("within", c.Within, timeUnits()...)
		}
	case KindShare:
		f.need(against && len(c.To) > 0 && len(c.Fields)+len(c.Never) > 0, "to, else, and fields or never")
		f.attribute("event", "data.event", "string")
		f.attribute("to", "data.recipient", "string")
		f.attribute("fields", "data.fields", "strings")
		f.oneOf("to", "data.recipient", c.To)
		f.oneOf("event", "data.event", c.Events)
		f.oneOf("fields", "data.fields", c.Fields)
		f.oneOf("never", "data.fields", c.Never)
		for _, n := range c.Never {
			if slices.Contains(c.Fields, n) {
				f.fault(c.Line, fmt.Sprintf("field %q goes and never goes", n), "keep it in fields or in never")
			}
		}
	case KindCertificate:
		f.need(against && c.Certificate != "" && c.Rules != "", "certificate, rules and else")
		f.attribute("certificate", c.Certificate, TypeCertificate)
		if _, ok := e.RuleSets[c.Rules]; !ok && c.Rules != "" && !f.lost["health"] {
			f.fault(c.Line, fmt.Sprintf("rule set %q is not known", c.Rules), "declare it in health/")
		}
		f.need(len(c.Over) <= 2, "one or two attributes in over")
		for _, id := range c.Over {
			f.attribute("over", id, "time")
		}
	case KindTable:
		f.table()
	case KindPower:
		f.need(len(c.At) == 0 && c.When == "", "no at and no when: an officer names it in an act")
		f.need(c.By.Valid() || c.By == Both, "by: A, B or both")
		f.need(c.Decides != "", "decides: the role that may close")
		f.need(c.Within != "" || c.AtLeast != "", "within, how long an act lasts at most, or atleast, its notice")
		f.param("within", c.Within, timeUnits()...)
		f.param("atleast", c.AtLeast, timeUnits()...)
		f.scope()
	case KindBound:
		f.need(c.Require != "" && len(c.At) == 0, "require, and no at")
		f.param("limit", c.Limit)
	}
}

// scope faults classes and a direction that the package does not have.
func (f former) scope() {
	for _, id := range f.c.Classes {
		if _, ok := f.e.Class(id); !ok {
			f.fault(f.c.Line, fmt.Sprintf("class %q is not known", id), "name a class of agreement.yaml")
		}
	}
	f.direction(f.c.Line, f.c.Direction)
}

// oneOf faults texts that a closed attribute can never be.
func (f former) oneOf(field, id string, texts []string) {
	a := f.e.Attributes[id]
	for _, s := range texts {
		if len(a.Values) > 0 && !slices.Contains(a.Values, s) {
			f.fault(f.c.Line, fmt.Sprintf("%s: %q is not a value of %s", field, s, id), "write one of "+strings.Join(a.Values, ", "))
		}
	}
}

func (f former) define() {
	c := f.c
	f.need(c.Attribute != "", "attribute")
	a, ok := f.attribute("attribute", c.Attribute)
	if ok && !a.Derived {
		f.fault(c.Line, fmt.Sprintf("%s is not derived", a.ID), "declare it with derived: true, so that nobody gives it")
	}
	if c.Select == nil {
		f.need(c.Value != "" && c.Measure == "" && c.Span == nil, "either value, or events and measure")
		return
	}
	f.need(c.Value == "", "either value, or events and measure")
	if !f.pick("events", c.Select) {
		return
	}
	f.span(false)
	what, field, _ := strings.Cut(c.Measure, ":")
	want := "int"
	switch what {
	case "count":
		f.need(field == "", "a measure of count alone")
	case "sum", "max", "min":
		f.need(field != "", "a field in its measure, such as sum:value")
		if x, ok2 := f.field("measure", c.Select.Events, field, "int"); ok2 && ok && x.Unit != a.Unit {
			f.fault(c.Line, fmt.Sprintf("%s is in %q, and %s in %q", a.ID, a.Unit, x.ID, x.Unit), "give the attribute the unit of the field")
		}
	case "latest", "earliest":
		want = "date"
		if field != "" {
			f.field("measure", c.Select.Events, field, "time", "date")
		}
	default:
		f.fault(c.Line, fmt.Sprintf("measure %q", c.Measure), "write count, sum:FIELD, max:FIELD, min:FIELD, latest or earliest")
		return
	}
	if ok && a.Type != want && !(want == "date" && a.Type == "time") {
		f.fault(c.Line, fmt.Sprintf("%s is a %s, and %s gives a %s", a.ID, a.Type, c.Measure, want), "declare it so")
	}
}

func (f former) cap() {
	c, e := f.c, f.e
	f.need(c.Else != reason.None, "else")
	f.need(c.Limit != "", "limit")
	f.need(c.Else != reason.Divert || c.Regime != "", "regime, where the excess goes elsewhere")
	if c.Select == nil {
		f.need(c.Per != "", "per: day or category")
		if c.Per != "" && c.Per != "day" && c.Per != "category" {
			f.fault(c.Line, fmt.Sprintf("per %q of a cap of lots", c.Per), "write day or category; for another time write events: lot, sum: value and window: {per: "+strings.Join(spanWords(), ", ")+"} in place of per")
		}
		f.need(c.Diverted == "" || c.Diverted == "count" || c.Diverted == "ignore" || strings.HasPrefix(c.Diverted, "question:"), "diverted to be count, ignore or question:id")
		f.need(c.Span == nil && c.Sum == "" && c.Adds == "" && len(c.Groups) == 0, "events, where it has window, sum, adds or by")
		f.limit(c.Limit, e.Currency)
		f.list(c.List, ListGoods)
		f.attribute("code", c.Code, "string")
		return
	}
	f.need(c.Per == "" && c.Diverted == "" && c.Earlier == "", "no per, diverted or earlier, where it is of events: write window")
	f.span(true)
	if !f.pick("events", c.Select) {
		return
	}
	unit := f.counted(c.Select)
	f.limit(c.Limit, unit)
	f.adds(unit)
	for _, id := range c.Groups {
		f.attribute("by", id)
		f.field("by", c.Select.Events, id, "string", "date", "int", "bool")
	}
}

func (f former) window() {
	c := f.c
	f.need(c.Else != reason.None && c.AtLeast+c.AtMost != "", "else, and atleast or atmost")
	f.need((c.Event == "") != (c.Select == nil), "either event or events")
	f.attribute("event", c.Event, "time", "date")
	f.attribute("before", c.Before, "time", "date")
	if c.Select != nil && f.pick("events", c.Select) {
		f.field("field", c.Select.Events, c.Select.Field, "time", "date")
	}
	f.param("atleast", c.AtLeast, timeUnits()...)
	f.param("atmost", c.AtMost, timeUnits()...)
	for _, s := range c.Strict {
		f.word("open", s, "atleast", "atmost")
	}
}

func (f former) residence() {
	c, e := f.c, f.e
	f.need(c.Else != reason.None && c.Place+c.Since+c.Distance != "", "else, and place, since or distance")
	f.need((c.Place == "") == (c.List == ""), "place and list together")
	f.need((c.Since == "") == (c.AtLeast == ""), "since and atleast together")
	f.need((c.Distance == "") == (c.AtMost == ""), "distance and atmost together")
	f.attribute("place", c.Place, "string")
	f.list(c.List, ListPlaces, ListValues)
	if p := e.Places[c.List]; c.Region != "" && p == nil {
		f.need(e.ListInfo[c.List].Absent, "a list of places for its region")
	} else if c.Region != "" {
		if _, ok := p.Up[c.Region]; !ok {
			f.fault(c.Line, fmt.Sprintf("region %q is not on %s", c.Region, c.List), "name a place of the list")
		}
	}
	f.attribute("since", c.Since, "time", "date")
	f.param("atleast", c.AtLeast, timeUnits()...)
	if a, ok := f.attribute("distance", c.Distance, "int"); ok {
		f.param("atmost", c.AtMost, a.Unit)
	}
}

// limit faults the limit of a cap: a parameter, or an attribute that is given with the
// question, such as what a permit is for.
func (f former) limit(id, unit string) {
	a, given := f.e.Attributes[id]
	switch p := f.e.Parameters[id]; {
	case p == nil && given && a.Sensitive:
		f.fault(f.c.Line, fmt.Sprintf("limit %s is sensitive, and a limit is shown", id), "use a parameter, or an attribute that may be shown")
	case p == nil && given:
		if a, ok := f.attribute("limit", id, "int"); ok && a.Unit != unit {
			f.fault(f.c.Line, fmt.Sprintf("%s is in %q, and what is held against it in %q", id, a.Unit, unit), "use an attribute of that unit")
		}
	case p != nil && given:
		f.fault(f.c.Line, fmt.Sprintf("limit %s is a parameter, and an attribute too", id), "call one of them something else")
	default:
		f.param("limit", id, unit)
	}
}

func (f former) ledger() {
	c := f.c
	f.attribute("start", c.Start, "time", "date")
	f.need(c.Else != reason.None && c.Within != "", "within and else")
	ok := f.pick("first", c.First)
	ok = f.pick("then", c.Second) && ok
	f.param("within", c.Within, "days", "weeks", "months", "years", "hours")
	f.param("tolerance", c.Tolerance, "percent")
	f.word("running", c.Running, "", "fixed", "follows")
	f.word("adds", c.Adds, "", "first", "then", "none")
	f.need(c.Sum == "" || (c.Adds == "first" || c.Adds == "then") == (c.AmountOf != ""), "amount_of where the question adds a leg, and only there")
	if ok {
		unit := f.counted(c.First, c.Second)
		if a, ok := f.attribute("amount_of", c.AmountOf, "int"); ok && a.Unit != unit {
			f.fault(c.Line, fmt.Sprintf("%s is in %q, and what it is added to in %q", a.ID, a.Unit, unit), "use an attribute of that unit")
		}
	}
}

func (f former) turn() {
	c := f.c
	f.need(c.Else != reason.None && len(c.Order) > 1 && c.Step != "" && c.Done != "", "else, step, done and an order of two steps or more")
	step, _ := f.attribute("step", c.Step, "string")
	f.attribute("done", c.Done, "strings")
	seen := map[string]bool{}
	for _, t := range c.Order {
		if !t.Side.Valid() || t.Step == "" || seen[t.Step] {
			f.fault(c.Line, fmt.Sprintf("step %q of side %q", t.Step, t.Side), "give each step a side, A or B, and name each once")
		}
		seen[t.Step] = true
		f.oneOf("order", step.ID, []string{t.Step})
	}
}

func (f former) table() {
	c := f.c
	t := f.e.Tables[c.Table]
	if t == nil {
		f.fault(c.Line, fmt.Sprintf("table %q is not known", c.Table), "write tables/"+c.Table+".yaml")
		return
	}
	if !slices.Contains(t.Outputs, "outcome") {
		return
	}
	for _, row := range t.Rows {
		o, _ := reason.ParseOutcome(row.Out["outcome"])
		if o != reason.Allow && row.Say.In("en") == "" && c.Say.In("en") == "" {
			f.fault(c.Line, fmt.Sprintf("line %d of the table decides against people and has no words for them", row.Line), "write say, or columns en, fa and ur of the table")
		}
		f.need(o != reason.Divert || c.Regime != "", "regime, where a row diverts")
	}
}
