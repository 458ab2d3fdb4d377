// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"maps"
	"slices"
	"strings"
	"time"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/reason"
)

// Explanation is an answer with everything behind it.
type Explanation struct {
	Verdict Verdict `json:"verdict"`
	// Clauses are all of the point, by id, with what became of each and its conditions.
	Clauses []Explained `json:"clauses,omitempty"`
	// Definitions are the derived attributes that were looked at.
	Definitions []Definition `json:"definitions,omitempty"`
	// Needs are single inputs of which another value would give a milder answer.
	Needs []Need `json:"needs,omitempty"`
	// Parts are the explanations by agreement, where several answered; clauses and
	// definitions stand in them alone.
	Parts []Explanation `json:"parts,omitempty"`
}

// Explained is what became of one clause.
type Explained struct {
	Clause     string         `json:"clause"`
	Instrument string         `json:"instrument"`
	Kind       agreement.Kind `json:"kind"`
	Did        string         `json:"did"` // as Step has it
	Note       string         `json:"note,omitempty"`
	// Looked says in lines what it looked at beside its conditions: the hours of the day,
	// the days and instants that it compared.
	Looked     []string `json:"looked,omitempty"`
	Conditions []Part   `json:"conditions,omitempty"`
}

// Part is an expression or a part of one, with what it came to.
type Part struct {
	Role string `json:"role,omitempty"` // "when", "require", "value" …, of a whole expression
	Text string `json:"text"`
	// Value is written in the unit of the part: "true", "12.50 USD", "2025-09-02". It is
	// empty where Unknown, Failed or Hidden is set.
	Value   string `json:"value,omitempty"`
	Unknown bool   `json:"unknown,omitempty"` // something that it reads is not there
	Failed  bool   `json:"failed,omitempty"`  // it cannot be worked out
	Hidden  bool   `json:"hidden,omitempty"`  // it reads something sensitive
	Parts   []Part `json:"parts,omitempty"`
}

// Definition is a derived attribute and the clauses that gave it its value.
type Definition struct {
	Attribute string   `json:"attribute"`
	Value     string   `json:"value,omitempty"` // empty where it is not known, or sensitive
	Known     bool     `json:"known"`
	Clauses   []string `json:"clauses,omitempty"`
}

// Need is one input that would change the answer.
type Need struct {
	Input string `json:"input"` // attribute, or kind of events
	// Value is what it would have to be, empty where it is sensitive.
	Value   string         `json:"value,omitempty"`
	Outcome reason.Outcome `json:"outcome"` // of the answer then
	// Wanted is the health certificate that would have to be there beside those that were
	// shown, where Input is "proof"; Value says it in English.
	Wanted *Wanted `json:"wanted,omitempty"`
	// Fits says that the input is a health certificate, and one is wanted that meets the
	// published rules.
	Fits bool `json:"fits,omitempty"`
}

// same reports whether two needs are of one thing.
func (n Need) same(o Need) bool {
	return n.Input == o.Input && (n.Wanted == nil && o.Wanted == nil || n.Value == o.Value)
}

// before puts the mildest outcome first, and what can be shown before what can only be otherwise.
func (n Need) before(o Need) int {
	if n.Outcome == o.Outcome && (n.Wanted == nil) != (o.Wanted == nil) {
		if n.Wanted != nil {
			return -1
		}
		return 1
	}
	return int(n.Outcome) - int(o.Outcome)
}

// maxTries is how many other questions are asked to find what would change an answer.
const maxTries = 1000

// Explain answers a question again and says everything that is behind the answer: the
// conditions of each clause with the values of their parts, what was derived, and which
// single inputs would change it. What is sensitive is named and never shown. Where several
// agreements answer, each is explained by itself, and Needs are of the whole.
func (l *Law) Explain(q Query) Explanation {
	all := l.asked(&q)
	if len(all) == 0 {
		return Explanation{Verdict: unruled(&q)}
	}
	parts := make([]Explanation, len(all))
	tries := make([]*trial, len(all))
	answers := make([]Verdict, len(all))
	for i, c := range all {
		tries[i] = newTrial()
		parts[i] = c.explain(q, tries[i])
		answers[i] = parts[i].Verdict
	}
	x := Explanation{Verdict: Join(answers...)}
	for i, c := range all {
		if p := &parts[i]; x.Verdict.Parts == nil && p.Verdict.Agreement == x.Verdict.Agreement {
			x.Clauses, x.Definitions = p.Clauses, p.Definitions
		} else if slices.ContainsFunc(x.Verdict.Parts, func(v Verdict) bool { return v.Agreement == p.Verdict.Agreement }) {
			alone := q
			alone.Agreement = c.e.ID
			if p.Verdict.Outcome > reason.Allow {
				p.Needs = l.needs(c, alone, p.Verdict, tries[i])
			}
			x.Parts = append(x.Parts, *p)
		}
		if x.Verdict.Outcome > reason.Allow {
			for _, n := range l.needs(c, q, x.Verdict, tries[i]) {
				k := slices.IndexFunc(x.Needs, n.same)
				switch {
				case k < 0:
					x.Needs = append(x.Needs, n)
				case n.Outcome < x.Needs[k].Outcome:
					x.Needs[k] = n
				}
			}
		}
	}
	slices.SortStableFunc(x.Needs, Need.before)
	return x
}

// explain is what one edition says of itself.
func (c *compiled) explain(q Query, tries *trial) Explanation {
	var x Explanation
	x.Verdict = c.check(&q, func(j *judge) {
		scratch := *j.v // to look closer must not change what was answered
		j.v = &scratch
		for i, k := range j.clauses {
			e := Explained{Clause: k.ID, Instrument: k.Instrument, Kind: k.Kind, Did: j.v.Steps[i].Did, Note: j.v.Steps[i].Note}
			if st := &j.state[i]; st.asked {
				for _, c := range [...]struct {
					role string
					c    *condition
				}{{"when", k.when}, {"require", k.require}, {"value", k.value}, {"release", k.release}} {
					if c.c != nil && (c.role == "when" || st.by == 0 && st.when != no) {
						e.Conditions = append(e.Conditions, j.explain(c.role, c.c, tries))
					}
				}
				for n, c := range k.inputs {
					if c != nil {
						e.Conditions = append(e.Conditions, j.explain(k.table.Inputs[n].Name, c, tries))
					}
				}
				if st.by == 0 && st.when != no {
					e.Looked = j.looked(k)
				}
				j.candidates(k, tries)
			}
			x.Clauses = append(x.Clauses, e)
		}
		for i, at := range j.a.c.attrs {
			if !at.derived || j.a.vals[i] == nil {
				continue
			}
			d := Definition{Attribute: at.id, Known: !types.IsUnknownOrError(j.a.vals[i])}
			if d.Known && !at.sensitive {
				d.Value = text(j.a.vals[i], at.unit)
			}
			for _, n := range j.point.definers[i] {
				if st := &j.state[n]; st.asked && st.by == 0 && st.when == yes {
					d.Clauses = append(d.Clauses, j.clauses[n].ID)
				}
			}
			x.Definitions = append(x.Definitions, d)
		}
	})
	return x
}

// explain makes the tree of an expression.
func (j *judge) explain(role string, c *condition, tries *trial) Part {
	value, ok := j.a.trace(c)
	if !ok {
		return Part{Role: role, Text: c.text, Failed: true}
	}
	refs := c.ast.NativeRep().ReferenceMap()
	name := func(x ast.Expr) string {
		if r := refs[x.ID()]; r != nil && r.Name != "" && len(r.OverloadIDs) == 0 {
			return r.Name
		}
		return ""
	}
	var walk func(x ast.Expr) (Part, bool)
	walk = func(x ast.Expr) (p Part, sensitive bool) {
		p.Text = show(x)
		if n := name(x); n != "" {
			i, ok := j.a.c.names[n]
			sensitive = ok && i < len(j.a.c.attrs) && j.a.c.attrs[i].sensitive
		} else {
			for _, y := range kids(x) {
				k, s := walk(y)
				sensitive = sensitive || s
				if y.Kind() != ast.LiteralKind {
					p.Parts = append(p.Parts, k)
				}
			}
			j.threshold(x, name, value, tries)
		}
		v, seen := value(x)
		switch {
		case sensitive:
			p.Hidden = true
		case !seen || types.IsUnknown(v):
			p.Unknown = true
		case types.IsError(v):
			p.Failed = true
		default:
			p.Value = text(v, c.units[x.ID()])
		}
		return p, sensitive
	}
	p, _ := walk(c.ast.NativeRep().Expr())
	p.Role = role
	return p
}

// kids are the parts of an expression that are worth showing.
func kids(x ast.Expr) []ast.Expr {
	switch x.Kind() {
	case ast.CallKind:
		c := x.AsCall()
		args := c.Args()
		if c.FunctionName() == "@scale" && len(args) == 4 {
			args = args[:2]
		}
		if c.IsMemberFunction() {
			return append([]ast.Expr{c.Target()}, args...)
		}
		return args
	case ast.ListKind:
		return x.AsList().Elements()
	}
	return nil
}

// trial is which other values are worth asking about, by attribute.
type trial struct {
	numbers map[string]map[int64]bool
	texts   map[string]map[string]bool
	changes []change
}

func newTrial() *trial {
	return &trial{numbers: map[string]map[int64]bool{}, texts: map[string]map[string]bool{}}
}

func (t *trial) number(name string, ns ...int64) {
	if t.numbers[name] == nil {
		t.numbers[name] = map[int64]bool{}
	}
	for _, n := range ns {
		t.numbers[name][n] = true
	}
}

func (t *trial) text(name, s string) {
	if t.texts[name] == nil {
		t.texts[name] = map[string]bool{}
	}
	t.texts[name][s] = true
}

// threshold notes the values at which a comparison turns.
func (j *judge) threshold(x ast.Expr, name func(ast.Expr) string, value func(ast.Expr) (ref.Val, bool), t *trial) {
	if x.Kind() != ast.CallKind {
		return
	}
	c := x.AsCall()
	args := c.Args()
	if len(args) != 2 {
		return
	}
	switch c.FunctionName() {
	case operators.Equals, operators.NotEquals, operators.Less, operators.LessEquals, operators.Greater, operators.GreaterEquals, operators.In:
	default:
		return
	}
	for n, side := range args {
		other := args[1-n]
		at := name(side)
		v, ok := value(other)
		if !ok {
			continue
		}
		if at != "" {
			switch y := v.(type) {
			case types.Int:
				t.number(at, int64(y)-1, int64(y), int64(y)+1)
			case types.String:
				t.text(at, string(y))
			default:
				for _, s := range set(v) {
					t.text(at, s)
				}
			}
		}
		// a + b <= c turns where a is c - b.
		if side.Kind() == ast.CallKind && len(side.AsCall().Args()) == 2 {
			y, isInt := v.(types.Int)
			fn := side.AsCall().FunctionName()
			for m, part := range side.AsCall().Args() {
				rest, ok := value(side.AsCall().Args()[1-m])
				r, isInt2 := rest.(types.Int)
				if at := name(part); at != "" && ok && isInt && isInt2 {
					var z int64
					switch {
					case fn == operators.Add:
						z = int64(y) - int64(r)
					case fn == operators.Subtract && m == 0:
						z = int64(y) + int64(r)
					case fn == operators.Subtract:
						z = int64(r) - int64(y)
					default:
						continue
					}
					t.number(at, z-1, z, z+1)
				}
			}
		}
	}
}

// candidates notes the values at which a clause turns by its kind.
func (j *judge) candidates(k *clause, t *trial) {
	a := j.a
	param := func(id string) (int64, bool) {
		n, _, ok := a.param(id)
		return n, ok && n < 4_000_000 && n > -4_000_000
	}
	near := func(name string, day int64) {
		if name != "" {
			t.number(name, day-1, day, day+1)
		}
	}
	today := int64(a.on.Days())
	for _, r := range k.reads {
		if at := &a.c.attrs[r]; at.typ == "date" {
			near(at.id, today)
		}
	}
	switch k.Kind {
	case agreement.KindWindow:
		if before, ok := j.instant(k.Before); ok {
			for _, id := range [...]string{k.AtLeast, k.AtMost} {
				if n, ok := param(id); ok {
					if d, err := shift(before.day, -n, a.unit(id)); err == nil {
						near(k.Event, d)
					}
				}
			}
		}
		if e, ok := j.instant(k.Event); ok && k.Before != "" {
			for _, id := range [...]string{k.AtLeast, k.AtMost} {
				if n, ok := param(id); ok {
					if d, err := shift(e.day, n, a.unit(id)); err == nil {
						near(k.Before, d)
					}
				}
			}
		}
	case agreement.KindStay:
		if from, ok := j.instant(k.Start); ok {
			if n, ok := param(k.Days); ok {
				near(k.End, from.day+n-1)
			}
			if n, ok := param(k.Nights); ok {
				near(k.End, from.day+n)
			}
		}
	case agreement.KindValidity:
		for _, o := range k.Over {
			if x, ok := j.instant(o); ok {
				near(k.Expires, x.day)
				if n, ok := param(k.For); ok {
					if d, err := shift(x.day, -n, a.unit(k.For)); err == nil {
						near(k.Issued, d)
					}
				}
			}
		}
		if x, ok := j.instant(k.Expires); ok && k.Expires != "" {
			for _, o := range k.Over {
				near(o, x.day)
			}
		}
	case agreement.KindResidence:
		if n, ok := param(k.AtLeast); ok {
			if d, err := shift(today, -n, a.unit(k.AtLeast)); err == nil {
				near(k.Since, d)
			}
		}
		if n, _, ok := a.param(k.AtMost); ok && k.Distance != "" {
			t.number(k.Distance, n)
		}
		if p := a.c.e.Places[k.List]; p != nil {
			for _, id := range sortedKeys(p.Up) {
				if k.Region == "" || p.Within(id, k.Region) == agreement.Yes {
					t.text(k.Place, id)
					break
				}
			}
		}
		for _, id := range sortedKeys(a.c.e.Values[k.List]) {
			t.text(k.Place, id)
			break
		}
	case agreement.KindCap:
		if x, ok := j.v.Amount(amountFits, ""); ok && x.Known {
			t.number(attrValue, x.Minor)
		}
		if n, _, ok := a.limitOf(k); ok && k.Select != nil && k.Adds != "" {
			if ps, _, ok := j.picks(k.Select, k.where[0], k.Span, k.Sum, k.Groups...); ok {
				if _, most, _, ok := totals(ps); ok && most <= n {
					t.number(k.Adds, n-most)
				}
			}
		}
	case agreement.KindProof:
		j.proofChanges(k, t)
	case agreement.KindCertificate:
		j.certificateChanges(k, t)
	case agreement.KindTurn:
		if k.Done != "" {
			var done []string
			for _, o := range k.Order {
				done = append(done, o.Step)
				t.text(k.Done, strings.Join(done, "\x00"))
			}
		}
	}
}

// needs asks the question again with one input of an edition changed at a time.
func (l *Law) needs(c *compiled, q Query, v Verdict, t *trial) []Need {
	if c.points[q.Point] == nil {
		return nil
	}
	reads := make([]bool, len(c.attrs))
	kinds := map[string]bool{}
	for _, k := range c.points[q.Point].clauses {
		for _, r := range k.reads {
			reads[r] = true
		}
		for _, s := range [...]*agreement.Select{k.Select, k.First, k.Second} {
			if s != nil && s.Events != kindLot {
				kinds[s.Events] = true
			}
		}
	}
	left := maxTries
	try := func(q Query) (reason.Outcome, bool) {
		if left == 0 {
			return 0, false
		}
		left--
		o := l.Check(q).Outcome
		return o, o < v.Outcome
	}
	var out []Need
	moved := map[string]bool{} // what the clauses themselves say more exactly
	for _, x := range t.changes {
		moved[x.need.Input] = true
		o, milder := try(x.with(q))
		if !milder {
			continue
		}
		x.need.Outcome = o
		if n := slices.IndexFunc(out, x.need.same); n < 0 {
			out = append(out, x.need)
		} else if o < out[n].Outcome {
			out[n] = x.need
		}
	}
	if moved[agreement.AttrCrossing] {
		moved[agreement.AttrCrossingLatest] = true
	}
	for i := range c.attrs {
		at := &c.attrs[i]
		if !reads[i] || at.derived || moved[at.id] {
			continue
		}
		best := Need{Input: at.id, Outcome: v.Outcome}
		for _, x := range others(at, c, q, t) {
			if o, milder := try(q.fact(at.id, x)); milder && o < best.Outcome {
				best.Outcome, best.Value = o, said(at, x)
			}
		}
		// How far a figure would have to fall, where that is through what is derived from it.
		if v, ok := value(at.typ, nil, q.Facts[at.id]); ok && at.typ == "int" && v.(types.Int) > 0 {
			if o, milder := try(q.fact(at.id, int64(0))); milder && o < best.Outcome {
				low, high := int64(0), int64(v.(types.Int))
				for high-low > 1 && left > 0 {
					mid := low + (high-low)/2
					if got, _ := try(q.fact(at.id, mid)); got <= o {
						low = mid
					} else {
						high = mid
					}
				}
				best.Outcome, best.Value = o, said(at, low)
			}
		}
		if best.Outcome < v.Outcome {
			out = append(out, best)
		}
	}
	for _, kind := range sortedKeys(kinds) {
		if _, given := q.Events[kind]; given {
			continue
		}
		changed := q
		changed.Events = maps.Clone(q.Events)
		if changed.Events == nil {
			changed.Events = map[string][]Event{}
		}
		changed.Events[kind] = nil
		if o, milder := try(changed); milder {
			out = append(out, Need{Input: kind, Value: "none", Outcome: o})
		}
	}
	slices.SortStableFunc(out, Need.before)
	return out
}

// said writes a value that an input would have to have, nothing where it is sensitive.
func said(at *attribute, x any) string {
	if v, ok := value(at.typ, nil, x); ok && !at.sensitive {
		return text(v, at.unit)
	}
	return ""
}

// others are the values that an input could have instead, nearest first where that
// means something.
func others(at *attribute, c *compiled, q Query, t *trial) (out []any) {
	switch at.typ {
	case "bool":
		return []any{true, false}
	case "string":
		texts := at.values
		if len(texts) == 0 {
			texts = sortedKeys(t.texts[at.id])
		}
		for _, s := range texts {
			out = append(out, s)
		}
	case "strings":
		for _, s := range sortedKeys(t.texts[at.id]) {
			out = append(out, strings.Split(s, "\x00"))
		}
		if len(at.values) > 0 {
			out = append(out, slices.Clone(at.values))
		}
	case "int", "date":
		ns := make([]int64, 0, len(t.numbers[at.id]))
		for n := range t.numbers[at.id] {
			ns = append(ns, n)
		}
		var now int64
		if v, ok := value(at.typ, nil, q.Facts[at.id]); ok {
			n, _ := v.(types.Int)
			now = int64(n)
		}
		far := func(n int64) uint64 {
			if n < now {
				return uint64(now) - uint64(n)
			}
			return uint64(n) - uint64(now)
		}
		slices.SortFunc(ns, func(a, b int64) int {
			if x, y := far(a), far(b); x != y {
				if x < y {
					return -1
				}
				return 1
			}
			return int(max(-1, min(1, a-b)))
		})
		for _, n := range ns {
			if at.typ == "int" {
				out = append(out, n)
			} else if d, err := dateOf(n); err == nil {
				out = append(out, d)
			}
		}
	case "time":
		out = append(out, q.At, q.At.Add(-time.Hour), q.At.Add(-24*time.Hour), q.At.Add(-48*time.Hour))
	}
	return out
}
