// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/calendar"
)

// Wanted is a health certificate that a clause of kind proof would take, in the words of the
// clause. It is made of the agreement and of when the holder crosses, and says nothing of
// what was shown.
type Wanted struct {
	Kind    string   `json:"kind"`
	Disease string   `json:"disease"`
	Tests   []string `json:"tests,omitempty"` // kinds of a test, any where empty; its result is negative
	// Products and Countries are lists of values of the edition, empty where any will do.
	Products  string `json:"products,omitempty"`
	Countries string `json:"countries,omitempty"`
	// Complete says that every dose is wanted; else Dose is the least number of the dose, 0
	// where any will do.
	Complete bool  `json:"complete,omitempty"`
	Dose     int64 `json:"dose,omitempty"`
	// From and Until are the first and the last day, as 2006-01-02, or instant, by RFC 3339,
	// of which it may be. From is empty where it may be ever so old.
	From  string `json:"from,omitempty"`
	Until string `json:"until"`
}

// change is one other question to ask for what would change an answer.
type change struct {
	need Need // without the outcome
	with func(Query) Query
}

// bound is one end of the days or instants of which a certificate may be.
type bound struct {
	set   bool
	whole bool // a day, in day
	day   int64
	at    time.Time
}

func (b bound) text() string {
	switch {
	case !b.set:
		return ""
	case b.whole:
		return calendar.FromDays(int(b.day)).String()
	}
	return b.at.UTC().Format(time.RFC3339)
}

// ages returns the first and the last day or instant of which a certificate may be that is
// to do over a crossing. ok is false where none can.
func (j *judge) ages(x *agreement.Accept, from, to instant) (first, last bound, ok bool) {
	a := j.a
	last = bound{set: true, at: from.at, day: from.day}
	if id := x.AtLeast; id != "" {
		n, _, known := a.param(id)
		if !known || n == math.MaxInt64 {
			return first, last, false
		}
		if d, isShort := short(a.unit(id)); isShort {
			if n > 100_000_000 {
				return first, last, false
			}
			last.at = from.at.Add(-time.Duration(n) * d)
			last.day = a.day(last.at)
		} else if last.whole = true; !nearest(&last.day, from.day, n, a.unit(id), 1) {
			return first, last, false
		}
	}
	if id := x.AtMost; id != "" {
		n, _, known := a.param(id)
		if !known {
			return first, last, false
		}
		if n == math.MaxInt64 {
			return first, last, true
		}
		first.set = true
		if d, isShort := short(a.unit(id)); isShort {
			if n > 100_000_000 {
				return first, last, false
			}
			first.at = to.at.Add(-time.Duration(n) * d)
			first.day = a.day(first.at)
		} else if first.whole = true; !nearest(&first.day, to.day, n, a.unit(id), -1) {
			return first, last, false
		}
	}
	ok = !first.set || !j.start(first).After(j.start(last)) || last.whole && !first.whole && first.day <= last.day
	return first, last, ok
}

// nearest sets day to the last day (toward 1) after which the distance to another is not
// less than n, or to the first (toward -1) after which it is not more: months differ.
func nearest(day *int64, other, n int64, unit string, toward int64) bool {
	d, err := shift(other, -n, unit)
	if err != nil {
		return false
	}
	fits := func(d int64) bool {
		e, err := shift(d, n, unit)
		return err == nil && (toward > 0 && e <= other || toward < 0 && e >= other)
	}
	for range 4 {
		if toward > 0 && fits(d+1) || toward < 0 && !fits(d) {
			d++
		}
	}
	*day = d
	return fits(d)
}

func (j *judge) start(b bound) time.Time {
	if b.whole {
		return calendar.FromDays(int(b.day)).Start(j.a.zone)
	}
	return b.at
}

// member is the first text, by its letters, that is on a list of values at the question's day.
func (j *judge) member(list string) (string, bool) {
	a := j.a
	for _, id := range sortedKeys(a.c.e.Values[list]) {
		if a.c.e.Member(list, id, a.on, a.minute, a.known) == agreement.Yes {
			return id, true
		}
	}
	return "", false
}

// wanted is what an accept of a clause takes, with a proof that would do and the line that
// tells of it. ok is false where no proof can surely do.
func (j *judge) wanted(k *clause, x *agreement.Accept, from, to instant) (w Wanted, e Event, line string, ok bool) {
	a := j.a
	w = Wanted{Kind: x.Kind, Disease: j.disease(k), Tests: x.Tests, Products: x.Products, Countries: x.Countries, Complete: x.Doses == "complete"}
	f := Facts{proofKind: w.Kind, proofDisease: w.Disease}
	if x.Kind == "test" {
		f[proofResult] = "negative"
		if len(x.Tests) > 0 {
			f[proofTest] = x.Tests[0]
		}
	}
	for field, list := range map[string]string{proofProduct: x.Products, proofCountry: x.Countries} {
		if list == "" {
			continue
		}
		id, found := j.member(list)
		if !found {
			return w, e, "", false
		}
		f[field] = id
	}
	switch {
	case w.Complete:
		f[proofDose], f[proofDoses] = int64(1), int64(1)
	case x.Doses != "":
		n, _, known := a.param(x.Doses)
		if !known || n == math.MaxInt64 {
			return w, e, "", false
		}
		w.Dose, f[proofDose] = n, n
	}
	first, last, ok := j.ages(x, from, to)
	if !ok {
		return w, e, "", false
	}
	w.From, w.Until = first.text(), last.text()
	t := j.start(last)
	if s := j.start(first); first.set && t.Before(s) {
		t = s
	}
	f[proofEarliest], f[proofLatest] = t, t
	return w, Event{At: t, Facts: f}, w.line(a.zone), true
}

// line says in English what is wanted.
func (w Wanted) line(zone *time.Location) string {
	var b strings.Builder
	b.WriteString(w.Kind)
	if len(w.Tests) > 0 {
		b.WriteString(" (" + strings.Join(w.Tests, " or ") + ")")
	}
	b.WriteString(" of " + w.Disease)
	if w.Kind == "test" {
		b.WriteString(", negative")
	}
	if w.Complete {
		b.WriteString(", every dose")
	} else if w.Dose > 0 {
		b.WriteString(", dose " + strconv.FormatInt(w.Dose, 10) + " or later")
	}
	if w.Products != "" {
		b.WriteString(", of list " + w.Products)
	}
	if w.Countries != "" {
		b.WriteString(", from a country of list " + w.Countries)
	}
	said := func(s string) string {
		if t, err := time.Parse(time.RFC3339, s); err == nil {
			return t.In(zone).Format("2006-01-02 15:04")
		}
		return s
	}
	if w.From != "" {
		b.WriteString(", not before " + said(w.From))
	}
	b.WriteString(", not after " + said(w.Until))
	return b.String()
}

// proofChanges notes what to ask about a clause of kind proof: one certificate more, of each
// kind that it takes; another value of the one field that keeps one that was shown from
// doing; a test booked before the crossing; and another time of crossing. A field of a
// certificate is named, and its value never said.
func (j *judge) proofChanges(k *clause, t *trial) {
	from, to, ok := j.crossing(k)
	events := j.a.q.Events[agreement.EventProof]
	if !ok || len(events) > maxEvents {
		return
	}
	declared := j.a.c.e.Events[agreement.EventProof].Fields
	booked := set(j.a.given(agreement.AttrTest))
	var turns []time.Time // at which certificates that were shown begin to do, or cease
	for n := range k.Accepts {
		x := &k.Accepts[n]
		wanted, ideal, line, can := j.wanted(k, x, from, to)
		if can {
			t.changes = append(t.changes, change{Need{Input: agreement.EventProof, Value: line, Wanted: &wanted}, func(q Query) Query {
				return q.proofs(append(slices.Clone(q.Events[agreement.EventProof]), ideal))
			}})
		}
		if x.Kind == "test" {
			for _, test := range x.Tests {
				t.text(agreement.AttrTest, strings.Join(append(slices.Clone(booked), j.disease(k)+"/"+test), "\x00"))
			}
		}
		for i := range events {
			w := weigh{j: j, x: x, e: &events[i], from: from, to: to, tell: true}
			w.is(k, j.disease(k))
			for _, at := range [...]time.Time{w.lapses, w.good} {
				if !at.IsZero() && len(w.wrong) == 1 {
					turns = append(turns, at)
				}
			}
			// A certificate of another kind or disease is another one, and wanted already.
			if can && len(w.wrong) == 1 && w.wrong[0] != proofKind && w.wrong[0] != proofDisease && slices.Contains(declared, w.wrong[0]) {
				t.changes = append(t.changes, change{Need{Input: w.wrong[0]}, func(q Query) Query {
					all := slices.Clone(q.Events[agreement.EventProof])
					all[i] = mended(all[i], ideal, w.wrong[0])
					return q.proofs(all)
				}})
			}
		}
	}
	j.crossings(k, cmp.Or(k.Before, agreement.AttrCrossing), from, to, turns, t)
}

// proofs is the question with other certificates.
func (q Query) proofs(all []Event) Query {
	q.Events = maps.Clone(q.Events)
	if q.Events == nil {
		q.Events = map[string][]Event{}
	}
	q.Events[agreement.EventProof] = all
	return q
}

// mended is a certificate with one field as another one has it.
func mended(e, ideal Event, field string) Event {
	e.Facts = maps.Clone(e.Facts)
	switch field {
	case proofEarliest:
		e.At, e.Facts[proofEarliest], e.Facts[proofLatest] = ideal.At, ideal.At, ideal.At
	case proofDose, proofDoses:
		need, whole := e.Facts[proofDoses].(int64)
		if dose, _ := ideal.Facts[proofDose].(int64); !whole || need < dose {
			need = dose
		}
		if field == proofDoses {
			need = 1
		}
		e.Facts[field] = need
	case proofFrom, proofUntil:
		delete(e.Facts, field)
	default:
		e.Facts[field] = ideal.Facts[field]
	}
	return e
}

// crossings notes other times at which the holder would cross. The latest time of crossing
// goes with the earliest. Elsewhere than at booking the time is not said: it would tell of
// the certificate, and what is answered at a gate is kept for a retry.
func (j *judge) crossings(k *clause, name string, from, to instant, turns []time.Time, t *trial) {
	a := j.a
	i, ok := a.c.names[name]
	if !ok || i >= len(a.c.attrs) {
		return
	}
	at := &a.c.attrs[i]
	if at.derived {
		return
	}
	length := to.at.Sub(from.at)
	slices.SortFunc(turns, func(x, y time.Time) int {
		return cmp.Or(cmp.Compare(x.Sub(from.at).Abs(), y.Sub(from.at).Abs()), x.Compare(y))
	})
	for _, turn := range slices.CompactFunc(turns, time.Time.Equal) {
		for _, start := range [...]time.Time{turn, turn.Add(-length), turn.Add(-length - time.Minute)} {
			need := Need{Input: name}
			var x any = start
			if at.typ == "date" {
				d, err := dateOf(a.day(start))
				if err != nil {
					continue
				}
				x = d
			}
			if a.q.Point == Booking {
				need.Value = said(at, x)
			}
			t.changes = append(t.changes, change{need, func(q Query) Query {
				q = q.fact(name, x)
				if _, given := q.Facts[agreement.AttrCrossingLatest]; given && name == agreement.AttrCrossing {
					q.Facts[agreement.AttrCrossingLatest] = start.Add(length)
				}
				return q
			}})
		}
	}
}

// fact is the question with another value of one attribute.
func (q Query) fact(name string, x any) Query {
	q.Facts = maps.Clone(q.Facts)
	if q.Facts == nil {
		q.Facts = Facts{}
	}
	q.Facts[name] = x
	return q
}

// fitting stands for a certificate that meets every published rule that is asked of it.
type fitting struct{}

// days are how far other times of crossing lie that published rules are asked about: what a
// rule turns on stands in no list.
var days = [...]int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 21, 28, 60, 90, 120, 180, 270, 365}

// certificateChanges notes what to ask about a clause of kind certificate: one that meets
// the rules, and another time of crossing. The rules themselves are in the reasons.
func (j *judge) certificateChanges(k *clause, t *trial) {
	a := j.a
	t.changes = append(t.changes, change{Need{Input: k.Certificate, Fits: true}, func(q Query) Query { return q.fact(k.Certificate, fitting{}) }})
	if _, shown := a.given(k.Certificate).(*held); !shown || len(k.Over) == 0 {
		return
	}
	for n := range 2 * len(days) { // nearest first, earlier before later
		d := days[n/2]
		if n%2 == 0 {
			d = -d
		}
		need := Need{Input: k.Over[0]}
		var moved []time.Time
		for _, id := range k.Over {
			x, ok := j.instant(id)
			if !ok {
				return
			}
			moved = append(moved, x.at.AddDate(0, 0, d))
		}
		if i := a.c.names[k.Over[0]]; a.q.Point == Booking && i < len(a.c.attrs) {
			need.Value = said(&a.c.attrs[i], moved[0])
		}
		t.changes = append(t.changes, change{need, func(q Query) Query {
			for n, id := range k.Over {
				q = q.fact(id, moved[n])
			}
			return q
		}})
	}
}

// lookedProof says what a clause of kind proof takes, and what it looked at in each
// certificate that was shown: names of fields, and never what stands in them.
func (j *judge) lookedProof(k *clause) []string {
	var out []string
	line := func(what, name string) {
		if i, ok := j.a.c.names[name]; !ok || i >= len(j.a.c.attrs) || !j.a.c.attrs[i].sensitive {
			out = append(out, j.lines([][2]string{{what, name}})...)
		}
	}
	from, to, ok := j.crossing(k)
	switch _, given := j.a.instantOf(j.a.given(agreement.AttrCrossing)); {
	case k.Before != "":
		line("crossing", k.Before)
	case given:
		line("crossing", agreement.AttrCrossing)
		if to.at.After(from.at) {
			line("latest", agreement.AttrCrossingLatest)
		}
	default:
		line("crossing", "")
	}
	if !ok {
		return out
	}
	for n := range k.Accepts {
		x := &k.Accepts[n]
		_, _, wanted, can := j.wanted(k, x, from, to)
		if !can {
			wanted = x.Kind + " of " + j.disease(k) + ": none can surely do"
		}
		out = append(out, "takes "+wanted)
		params := []string{x.AtLeast, x.AtMost}
		if x.Doses != "complete" {
			params = append(params, x.Doses)
		}
		out = append(out, j.lines(nil, params...)...)
	}
	events, shown := j.a.q.Events[agreement.EventProof]
	switch {
	case !shown:
		return append(out, "proof not known")
	case len(events) == 0:
		return append(out, "proof none")
	}
	for i := range events {
		if i == maxLooked {
			return append(out, "and more")
		}
		var fields, unknown []string
		for n := range k.Accepts {
			w := weigh{j: j, x: &k.Accepts[n], e: &events[i], from: from, to: to, tell: true}
			w.is(k, j.disease(k))
			fields, unknown = append(fields, w.seen...), append(unknown, w.fields...)
		}
		text := "proof " + strconv.Itoa(i+1) + ": looked at " + strings.Join(once(fields), ", ")
		if len(unknown) > 0 {
			text += "; not known " + strings.Join(once(unknown), ", ")
		}
		out = append(out, text)
	}
	return out
}

// once are texts, each at its first place.
func once(all []string) []string {
	var out []string
	for _, s := range all {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// lookedCertificate says at what instants a certificate was held against which rules, and
// how many of them speak of it; those that are not met are the reasons.
func (j *judge) lookedCertificate(k *clause) []string {
	h, ok := j.a.given(k.Certificate).(*held)
	set := j.a.c.e.RuleSets[k.Rules].Rules
	if !ok || h.c == nil {
		return []string{"certificate not known (" + k.Certificate + "), rules of " + k.Rules}
	}
	names := k.Over
	if len(names) == 0 {
		names = []string{""}
	}
	var out []string
	for _, name := range names {
		x, ok := j.instant(name)
		if i, is := j.a.c.names[name]; is && i < len(j.a.c.attrs) && j.a.c.attrs[i].sensitive {
			continue
		}
		line := j.lines([][2]string{{"over", name}})[0]
		if ok {
			line += ": " + strconv.Itoa(len(set.Select(h.c, x.at))) + " rules of " + k.Rules + " speak of it"
		}
		out = append(out, line)
	}
	return out
}
