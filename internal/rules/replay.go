// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/reason"
)

// Asked is a question as it stands in the record with what was answered, so that it can
// be asked again under another edition. It holds what the law read and no more, and of
// what is sensitive (health) only that it was read.
type Asked struct {
	// Query is the question as AppendQuery writes it.
	Query string `cbor:"1,keyasint,omitempty"`
	// Withheld are sensitive attributes that the law read, sorted. Their values are gone.
	Withheld []string `cbor:"2,keyasint,omitempty"`
	// Missing are attributes that the law wanted and nobody gave, sorted.
	Missing []string       `cbor:"3,keyasint,omitempty"`
	Outcome reason.Outcome `cbor:"4,keyasint,omitempty"` // of the law alone
	// By is what each agreement answered, where the law is of several.
	By []AskedOf `cbor:"5,keyasint,omitempty"`
}

// AskedOf is what one agreement answered.
type AskedOf struct {
	Agreement string         `cbor:"1,keyasint,omitempty" json:"agreement"`
	Outcome   reason.Outcome `cbor:"2,keyasint,omitempty" json:"outcome"`
}

// maxAskedLots is how many earlier purchases a kept question has at most. One with more
// is kept without any and says so.
const maxAskedLots = 100

// withheldLots stands among the withheld where the earlier purchases are left out.
const withheldLots = "lots"

// Keep returns a question and its answer as the record keeps them: facts that no clause
// read are left out, and so is what is sensitive. It is asked for every decision, by
// whoever owns the log, so the question is written as it is gone through.
func (l *Law) Keep(q Query, v Verdict) Asked {
	a := Asked{Missing: slices.Clone(v.Missing), Outcome: v.Outcome}
	editions := l.asked(&q)
	if l.several {
		for _, p := range v.By() {
			if p.Agreement != "" {
				a.By = append(a.By, AskedOf{p.Agreement, p.Outcome})
			}
		}
	}
	var space [1024]byte // a question of usual length is written here, and copied once
	b := appendWhere(space[:0], &q)
	var kinds []string
	if len(editions) > 0 {
		b = keepFacts(b, editions, q.Facts, v.Inputs, &a)
		for _, kind := range sortedKeys(q.Events) {
			if sensitiveKind(editions, kind) {
				a.Withheld = append(a.Withheld, "events."+kind)
				continue
			}
			kinds = append(kinds, kind)
		}
	}
	if len(kinds) > 0 {
		b = appendEvents(b, q.Events, kinds)
	}
	if len(q.Lots) > maxAskedLots {
		a.Withheld = append(a.Withheld, withheldLots)
	} else {
		b = appendLots(b, q.Lots)
	}
	slices.Sort(a.Withheld)
	a.Query = string(appendOf(b, &q))
	return a
}

// keepFacts appends the facts that were read, and notes in a which of them are withheld.
func keepFacts(b []byte, editions []*compiled, f Facts, read []Input, a *Asked) []byte {
	byName := func(x, y Input) int { return strings.Compare(x.Name, y.Name) }
	if !slices.IsSortedFunc(read, byName) {
		read = slices.Clone(read)
		slices.SortFunc(read, byName)
	}
	begun := false
	for i := range read {
		name := read[i].Name
		x, given := f[name]
		switch {
		case !given:
		case sensitive(editions, name):
			a.Withheld = append(a.Withheld, name)
		case i > 0 && read[i-1].Name == name: // under another agreement, with another value
		default:
			if !begun {
				b, begun = append(b, `,"facts":{`...), true
			}
			b = appendFact(b, name, x)
		}
	}
	if begun {
		b = append(b, '}')
	}
	return b
}

// sensitive reports whether any of the editions declares an attribute as sensitive.
func sensitive(editions []*compiled, name string) bool {
	for _, c := range editions {
		if _, ok := slices.BinarySearch(c.sensitive, name); ok {
			return true
		}
	}
	return false
}

// sensitiveKind reports whether events of a kind have something sensitive in them.
func sensitiveKind(editions []*compiled, kind string) bool {
	for _, c := range editions {
		for _, f := range c.e.Events[kind].Fields {
			if sensitive(editions, f) {
				return true
			}
		}
	}
	return false
}

// Recorded is a decision as a line of an export: what was asked, what was answered and
// why.
//
//	{"seq": 17, "query": {…}, "withheld": ["screening.temperature"], "missing": [], "outcome": "ALLOW",
//	 "reasons": [{"code": "law.cap.exceeded", "outcome": "REFUSE", "clause": "P8(i)-b"}]}
type Recorded struct {
	Seq      uint64          `json:"seq"` // position in the record, or number of the line
	Query    json.RawMessage `json:"query"`
	Withheld []string        `json:"withheld,omitempty"`
	Missing  []string        `json:"missing,omitempty"`
	Outcome  reason.Outcome  `json:"outcome"`
	Reasons  []reason.Reason `json:"reasons,omitempty"`
	// By is what each agreement answered, where several were asked.
	By []AskedOf `json:"by,omitempty"`
}

// ParseRecorded reads a line of an export.
func ParseRecorded(b []byte) (Recorded, error) {
	var r Recorded
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	err := d.Decode(&r)
	if err == nil && (len(r.Query) == 0 || r.Outcome == reason.None) {
		err = fmt.Errorf("no query, or no outcome")
	}
	return r, problem.Wrap(problem.Invalid, "impact.line", err)
}

// Replayed is what became of a recorded decision under another law.
type Replayed struct {
	Point    Point
	At       time.Time // of the question, before it was moved
	Tried    time.Time // when it was asked again, once it was moved
	Old, New reason.Outcome
	// Clauses are those of the reasons that came or went, sorted; of the strictest reasons
	// where it was not recorded why.
	Clauses []string
	// Lacks says on what the new answer turns that the record does not hold, sorted. Where
	// there is any, New is no answer.
	Lacks []string
	// Silent says that no edition of the law is in force then.
	Silent bool
}

// Flips reports whether the decision would be another one.
func (r Replayed) Flips() bool { return len(r.Lacks) == 0 && !r.Silent && r.Old != r.New }

// A Replay asks recorded decisions again. It may be used by many at once.
type Replay struct {
	law   *Law
	from  time.Time // decisions before it are moved into the week that begins then
	whole bool      // all others too
	// looked are, by attribute, whether a condition looks at its being known.
	looked map[string]bool
}

// NewReplay returns a replay under a law of one edition. Where at is zero, a decision of
// before the edition's term is moved to its first week, and others stay where they are;
// where it is not, every decision is moved to the week that begins at it. A decision is
// moved by whole weeks with all its times and dates, so that the weekday and the clock
// stay.
func NewReplay(l *Law, at time.Time) (*Replay, error) {
	if len(l.editions) != 1 {
		return nil, problem.Newf(problem.Invalid, "impact.editions", "want one edition")
	}
	e := l.editions[0]
	r := &Replay{law: l, from: e.From, looked: looked(e)}
	if !at.IsZero() {
		r.from, r.whole = at, true
	}
	return r, nil
}

// looked finds the attributes of which a condition asks whether they are known, and
// those from which such ones derive: to leave out their values would change an answer
// without a word.
func looked(e *agreement.Edition) map[string]bool {
	out := map[string]bool{}
	for _, c := range e.Clauses {
		for _, text := range [...]string{c.When, c.Require, c.Value, c.Release} {
			for rest := strings.ReplaceAll(text, " ", ""); ; {
				_, after, ok := strings.Cut(rest, "known(")
				if !ok {
					break
				}
				name, _, _ := strings.Cut(after, ")")
				out[name], rest = true, after
			}
		}
	}
	for _, t := range e.Tables {
		for i, in := range t.Inputs {
			if slices.ContainsFunc(t.Rows, func(r agreement.TableRow) bool { return i < len(r.Cells) && r.Cells[i].Unknown }) {
				out[in.Name] = true
			}
		}
	}
	for grown := true; grown; {
		grown = false
		for _, c := range e.Clauses {
			made := []string{c.Attribute}
			var from []string
			if t := e.Tables[c.Table]; t != nil {
				made = append(made, t.Outputs...)
				for _, in := range t.Inputs {
					from = append(from, in.Name, in.Of)
				}
			}
			if !slices.ContainsFunc(made, func(m string) bool { return m != "" && out[m] }) {
				continue
			}
			from = append(from, c.When, c.Require, c.Value)
			for id := range e.Attributes {
				if !out[id] && slices.ContainsFunc(from, func(s string) bool { return strings.Contains(s, id) }) {
					out[id], grown = true, true
				}
			}
		}
	}
	return out
}

// others returns the strictest of what other agreements answered, which stays as it was.
func (r *Replay) others(d Recorded) reason.Outcome {
	out := reason.None
	for _, o := range d.By {
		if o.Agreement != r.law.editions[0].ID {
			out = reason.Strictest(out, o.Outcome)
		}
	}
	return out
}

// Ask asks a recorded decision again. Where other agreements answered too, their answers
// stay, and the new one is joined to them.
func (r *Replay) Ask(d Recorded) (Replayed, error) {
	q, err := parseQuery(d.Query, func(*Query) []*compiled { return r.law.compiled }, true)
	if err != nil {
		return Replayed{}, err
	}
	out := Replayed{Point: q.Point, At: q.At, Old: d.Outcome}
	q = r.move(q)
	q.Agreement, out.Tried = "", q.At
	if _, ok := r.law.Edition(q.At); !ok {
		out.Silent = true
		return out, nil
	}
	v := r.law.Check(q)
	out.New = v.Outcome
	if others := r.others(d); others != reason.None {
		out.New = reason.Strictest(out.New, others)
		if v.says() < saysAnswer {
			out.New = others
		}
		// What the others' figures were is not recorded: whether they still are apart turns
		// on them.
		if out.New < reason.Conflict && slices.ContainsFunc(d.Reasons, func(x reason.Reason) bool { return x.Code == CodeOwed }) {
			out.Lacks = append(out.Lacks, "amounts")
		}
		d.Reasons = slices.DeleteFunc(slices.Clone(d.Reasons), func(x reason.Reason) bool { return x.Agreement != "" && x.Agreement != r.law.editions[0].ID })
	}
	for _, w := range d.Withheld {
		if slices.Contains(v.Missing, w) || r.looked[w] || w == withheldLots || strings.HasPrefix(w, "events.") {
			out.Lacks = append(out.Lacks, w)
		}
	}
	for _, m := range v.Missing {
		if !slices.Contains(d.Missing, m) && !slices.Contains(out.Lacks, m) {
			out.Lacks = append(out.Lacks, m)
		}
	}
	slices.Sort(out.Lacks)
	if out.Flips() {
		out.Clauses = turned(d.Reasons, v.Reasons, d.Outcome, v.Outcome)
	}
	return out, nil
}

// turned names the clauses of the reasons that are in one answer and not in the other.
func turned(old, new []reason.Reason, was, is reason.Outcome) []string {
	var out []string
	add := func(rs, other []reason.Reason, o reason.Outcome) {
		for _, r := range rs {
			if r.Outcome == o && r.Clause != "" && !slices.Contains(out, r.Clause) &&
				!slices.ContainsFunc(other, func(x reason.Reason) bool { return x.Clause == r.Clause && x.Outcome == r.Outcome }) {
				out = append(out, r.Clause)
			}
		}
	}
	add(new, old, is)
	add(old, new, was)
	slices.Sort(out)
	return out
}

// move moves a question by whole weeks.
func (r *Replay) move(q Query) Query {
	if !r.whole && !q.At.Before(r.from) {
		return q
	}
	zone := r.law.Zone(q.Site)
	shift := func(t time.Time, days int) time.Time {
		if t.IsZero() || days == 0 {
			return t
		}
		on := calendar.On(t, zone)
		local := t.In(zone)
		minute := calendar.Minute(local.Hour()*60 + local.Minute())
		return on.AddDays(days).At(minute, zone).Add(t.Sub(on.At(minute, zone))).UTC()
	}
	// The number of weeks is found by the calendar, and mended where the hour counts.
	week := 7
	gap := calendar.On(r.from, zone).Days() - calendar.On(q.At, zone).Days()
	days := gap - ((gap%week)+week)%week
	for shift(q.At, days).Before(r.from) {
		days += week
	}
	if days == 0 {
		return q
	}
	move := func(f Facts) Facts {
		out := make(Facts, len(f))
		for k, v := range f {
			switch x := v.(type) {
			case time.Time:
				v = shift(x, days)
			case calendar.Date:
				v = x.AddDays(days)
			}
			out[k] = v
		}
		return out
	}
	q.At, q.Known, q.Facts = shift(q.At, days), shift(q.Known, days), move(q.Facts)
	if q.Events != nil {
		events := make(map[string][]Event, len(q.Events))
		for kind, list := range q.Events {
			for _, e := range list {
				events[kind] = append(events[kind], Event{shift(e.At, days), e.Site, move(e.Facts)})
			}
			if events[kind] == nil {
				events[kind] = []Event{}
			}
		}
		q.Events = events
	}
	return q
}
