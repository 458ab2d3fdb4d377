// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/traits"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/reason"
)

// The fields of a proof that a clause of kind proof looks at.
const (
	proofKind     = "proof.kind"
	proofDisease  = "proof.disease"
	proofProduct  = "proof.product"
	proofDose     = "proof.dose"
	proofDoses    = "proof.doses"
	proofTest     = "proof.test"
	proofResult   = "proof.result"
	proofCountry  = "proof.country"
	proofEarliest = "proof.earliest"
	proofLatest   = "proof.latest"
	proofFrom     = "proof.from"
	proofUntil    = "proof.until"
)

// profile settles whether a clause speaks by whether its profile is switched on. It is
// false where the clause surely says nothing.
func (j *judge) profile(st *state, k *clause) bool {
	v := j.a.val(k.profile - 1)
	if x, ok := v.(*types.Unknown); ok {
		st.when, st.lacks = open, slices.Clone(x.IDs())
		return true
	}
	l, ok := v.(traits.Lister)
	if st.when = no; !ok {
		return false
	}
	n, _ := l.Size().(types.Int)
	for i := types.Int(0); i < n; i++ {
		if s, ok := l.Get(i).(types.String); ok && string(s) == k.Profile {
			st.when = yes
		}
	}
	return st.when == yes
}

// proof demands a certificate that will do from the earliest to the latest time at which
// the holder is expected to cross. At booking one that was not shown is a condition, even
// where one of another disease was, and so is a test that is booked before the crossing: the gate asks again.
func (j *judge) proof(i int, k *clause) {
	a := j.a
	j.spoke = true
	from, to, ok := j.crossing(k)
	if !ok {
		j.lack(i, k, k.Before)
		return
	}
	events, shown := a.q.Events[agreement.EventProof]
	if len(events) > maxEvents {
		j.demand(i, k, failed, nil, "", nil)
		return
	}
	if !shown && a.q.Point != Booking {
		j.unsure(i, k, a.c.unknownOf(kindPrefix+agreement.EventProof).IDs())
		return
	}
	best := no
	var lapses, good time.Time
	var lacks []int64
	dated := true
	disease, bad := j.disease(k), false
	for e := range events {
		f := events[e].Facts
		bad = bad || f[proofDisease] == disease && f[proofKind] == "test" && f[proofResult] != "negative"
		for n := range k.Accepts {
			w := weigh{j: j, x: &k.Accepts[n], e: &events[e], from: from, to: to}
			switch w.is(k, disease); {
			case w.cannot:
				best, dated, lacks = open, false, append(lacks, w.lacks...)
			case w.tri == yes:
				j.met(i, k, "")
				return
			case w.tri == open:
				best, dated = open, dated && w.dated
				for _, f := range w.fields {
					lacks = append(lacks, a.c.unknownOf(fieldPrefix+f).IDs()...)
				}
			}
			if w.lapses.After(lapses) {
				lapses = w.lapses
			}
			if !w.good.IsZero() && (good.IsZero() || w.good.Before(good)) {
				good = w.good
			}
		}
	}
	if a.q.Point == Booking && !bad && j.tested(k) {
		j.against(i, k, CodeTest, reason.Allow, nil)
		return
	}
	if a.q.Point == Booking && shown && len(events) > 0 {
		// Who shows one of another disease has not said that they have none of this one.
		shown = slices.ContainsFunc(events, func(e Event) bool { return e.Facts[proofDisease] == disease })
	}
	if a.q.Point == Booking && !shown {
		j.against(i, k, CodeProof, reason.Allow, nil)
		return
	}
	switch {
	case best == open && dated && len(lacks) == 0:
		j.against(i, k, CodeDate, reason.Refer, nil)
	case best == open:
		j.unsure(i, k, lacks)
	default:
		params := map[string]string{}
		const form = "2006-01-02 15:04"
		switch {
		case a.q.Point != Booking:
			// What is answered at a gate is kept for a retry, and a certificate's day is not to be.
		case !lapses.IsZero():
			params["lapses"] = lapses.In(a.zone).Format(form)
		case !good.IsZero():
			params["good"] = good.In(a.zone).Format(form)
		}
		j.demand(i, k, no, nil, "", params)
	}
}

// crossing is the earliest and the latest time at which the holder is expected to cross.
func (j *judge) crossing(k *clause) (from, to instant, ok bool) {
	if k.Before != "" {
		from, ok = j.instant(k.Before)
		return from, from, ok
	}
	if from, ok = j.a.instantOf(j.a.given(agreement.AttrCrossing)); !ok {
		from, ok = j.instant("")
	}
	if to = from; ok {
		if x, late := j.a.instantOf(j.a.given(agreement.AttrCrossingLatest)); late && x.at.After(from.at) {
			to = x
		}
	}
	return from, to, ok
}

func (j *judge) disease(k *clause) string {
	if k.Profile != "" {
		return j.a.c.e.Profiles[k.Profile].Disease
	}
	return k.Disease
}

// tested reports whether a test that will do is booked before the crossing.
func (j *judge) tested(k *clause) bool {
	booked := set(j.a.given(agreement.AttrTest))
	return slices.ContainsFunc(k.Accepts, func(x agreement.Accept) bool {
		return x.Kind == "test" && slices.ContainsFunc(booked, func(t string) bool {
			of, kind, _ := strings.Cut(t, "/")
			return of == j.disease(k) && (len(x.Tests) == 0 || slices.Contains(x.Tests, kind))
		})
	})
}

// TestFor returns the first test of a disease profile that would do for what a verdict says
// of health certificates: one that a clause accepts which the verdict names. It is false
// where none would.
func (l *Law) TestFor(v Verdict, p agreement.Profile) (agreement.TestKind, bool) {
	var asked []*agreement.Clause
	for _, r := range v.Reasons {
		_, k := l.Clause(r, "", v.At)
		if k == nil || k.Kind != agreement.KindProof {
			continue
		}
		if k.Profile == p.ID || k.Profile == "" && k.Disease == p.Disease {
			asked = append(asked, k)
		}
	}
	for _, t := range p.Tests {
		does := func(x agreement.Accept) bool {
			return x.Kind == "test" && (len(x.Tests) == 0 || slices.Contains(x.Tests, t.ID))
		}
		if slices.ContainsFunc(asked, func(k *agreement.Clause) bool { return slices.ContainsFunc(k.Accepts, does) }) {
			return t, true
		}
	}
	return agreement.TestKind{}, false
}

// Undated returns the verdict without the days that its reasons give of certificates: for
// what is kept.
func (v Verdict) Undated() Verdict {
	v.Reasons = slices.Clone(v.Reasons)
	for i := range v.Reasons {
		p := v.Reasons[i].Params
		if p["lapses"] != "" || p["good"] != "" {
			v.Reasons[i].Params = maps.Clone(p)
			delete(v.Reasons[i].Params, "lapses")
			delete(v.Reasons[i].Params, "good")
			if len(v.Reasons[i].Params) == 0 {
				v.Reasons[i].Params = nil
			}
		}
	}
	v.Parts = slices.Clone(v.Parts)
	for i := range v.Parts {
		v.Parts[i] = v.Parts[i].Undated()
	}
	return v
}

// weigh holds one proof against one kind that will do.
type weigh struct {
	j        *judge
	x        *agreement.Accept
	e        *Event
	from, to instant

	tri
	cannot bool     // a parameter is not known, which lacks names
	lacks  []int64  //
	fields []string // that are not known, where tri is open
	dated  bool     // tri is open for the date of the proof alone
	lapses time.Time
	good   time.Time

	// Where tell is set it is noted which fields were looked at, and which of them keep the
	// proof from being one that will do, or do not say enough.
	tell  bool
	seen  []string
	wrong []string
}

// against notes a field that keeps the proof from being one that will do.
func (w *weigh) against(field string) {
	if w.tell && !slices.Contains(w.wrong, field) {
		w.wrong = append(w.wrong, field)
	}
}

// look notes a field that is looked at.
func (w *weigh) look(field string) {
	if w.tell {
		w.seen = append(w.seen, field)
	}
}

// text looks at a text of the proof; it is one of them, or on a list of the edition.
func (w *weigh) text(field string, is func(string) agreement.Tri) {
	w.look(field)
	s, ok := w.e.Facts[field].(string)
	if !ok || s == "" {
		w.unknown(field)
		return
	}
	switch is(s) {
	case agreement.No:
		w.tri = failed
		w.against(field)
	case agreement.Open:
		w.unknown(field)
	}
}

// unknown notes a field that does not say enough.
func (w *weigh) unknown(field string) {
	w.tri, w.fields = max(w.tri, open), append(w.fields, field)
	w.against(field)
}

func (w *weigh) one(field, want string) {
	w.text(field, func(s string) agreement.Tri { return told(s == want) })
}

func told(is bool) agreement.Tri {
	if is {
		return agreement.Yes
	}
	return agreement.No
}

// is weighs the proof. While it does, failed stands for a proof that is surely another
// one: it becomes no.
func (w *weigh) is(k *clause, disease string) {
	a := w.j.a
	w.tri = yes
	w.one(proofKind, w.x.Kind)
	w.one(proofDisease, disease)
	if w.tri == failed {
		w.tri = no // another certificate, whatever else it says
		return
	}
	if w.x.Kind == "test" {
		w.one(proofResult, "negative")
		if len(w.x.Tests) > 0 {
			w.text(proofTest, func(s string) agreement.Tri { return told(slices.Contains(w.x.Tests, s)) })
		}
	}
	member := func(list string) func(string) agreement.Tri {
		return func(s string) agreement.Tri { return a.c.e.Member(list, s, a.on, a.minute, a.known) }
	}
	if w.x.Products != "" {
		w.text(proofProduct, member(w.x.Products))
	}
	if w.x.Countries != "" {
		w.text(proofCountry, member(w.x.Countries))
	}
	if w.x.Doses != "" {
		w.doses()
	}
	if w.cannot {
		return
	}
	if w.tri == failed {
		if w.tri = no; !w.tell {
			return
		}
		other := *w // its date is looked at all the same, so that a mend by half is not taken for one
		other.age(k)
		w.seen, w.wrong = other.seen, other.wrong
		return
	}
	w.age(k)
}

func (w *weigh) doses() {
	least := int64(0)
	if w.x.Doses == "complete" {
		w.look(proofDoses)
		n, ok := w.e.Facts[proofDoses].(int64)
		if !ok || n < 1 {
			w.unknown(proofDoses)
			return
		}
		least = n
	} else {
		n, lacks, ok := w.j.a.param(w.x.Doses)
		if !ok {
			w.cannot, w.lacks = true, lacks
			return
		}
		least = n
	}
	w.look(proofDose)
	switch n, ok := w.e.Facts[proofDose].(int64); {
	case !ok:
		w.unknown(proofDose)
	case n < least:
		w.tri = failed
		w.against(proofDose)
	}
}

// age holds the day of the proof, and the validity that its issuer gave it, against the
// crossing. A proof of which only the month or the year is known will do where it would
// on any day that it can mean, and will not where it would on none.
func (w *weigh) age(k *clause) {
	a := w.j.a
	var ends [2]edge
	for n, id := range [...]string{w.x.AtLeast, w.x.AtMost} {
		if id == "" {
			continue
		}
		m, lacks, ok := a.param(id)
		if !ok {
			w.cannot, w.lacks = true, lacks
			return
		}
		ends[n] = edge{set: true, n: m, unit: a.unit(id)}
	}
	w.look(proofEarliest)
	first, last, ok := w.span()
	if !ok {
		w.unknown(proofEarliest)
		return
	}
	// The least that may be said of each end, and the most.
	old := func(e instant) bool { in, ok := inside(e, w.from, [2]edge{ends[0]}); return in && ok }
	young := func(e instant) bool {
		in, ok := inside(e, w.to, [2]edge{1: ends[1]})
		return in && ok || w.to.at.Before(e.at)
	}
	past := func(e instant) bool { return !w.from.at.Before(e.at) }
	switch {
	case !old(first) || !young(last) || !past(first):
		w.times(ends, first, last, old(first))
		w.tri = no
		w.against(proofEarliest)
	case !old(last) || !young(first) || !past(last):
		w.dated = w.tri == yes
		w.tri = open
		w.against(proofEarliest)
	}
	if t, ok := w.e.Facts[proofFrom].(time.Time); ok && w.from.at.Before(t) {
		w.tri, w.good = no, t
		w.against(proofFrom)
	}
	if t, ok := w.e.Facts[proofUntil].(time.Time); ok && w.to.at.After(t) {
		w.tri, w.lapses = no, t
		w.against(proofUntil)
	}
	w.look(proofFrom)
	w.look(proofUntil)
}

// times notes when a proof that will not do lapses, or becomes good.
func (w *weigh) times(ends [2]edge, first, last instant, old bool) {
	if ends[1].set && ends[1].n != math.MaxInt64 && old {
		if t, ok := w.after(last, ends[1], 1); ok && !w.from.at.Before(last.at) {
			w.lapses = t
		}
	}
	if ends[0].set && ends[0].n != math.MaxInt64 && !old {
		if t, ok := w.after(first, ends[0], 0); ok {
			w.good = t
		}
	}
}

// after is the instant at which a distance from a proof is over: with days more it is the
// end of such a day.
func (w *weigh) after(e instant, x edge, more int64) (time.Time, bool) {
	if d, isShort := short(x.unit); isShort {
		if x.n > 100_000_000 {
			return time.Time{}, false
		}
		return e.at.Add(time.Duration(x.n) * d), true
	}
	day, err := shift(e.day, x.n, x.unit)
	if err != nil {
		return time.Time{}, false
	}
	date, err := dateOf(day + more)
	return date.Start(w.j.a.zone), err == nil
}

// span returns the first and the last instant that the date of the proof can mean.
func (w *weigh) span() (first, last instant, ok bool) {
	a := w.j.a
	x, ok1 := w.e.Facts[proofEarliest].(time.Time)
	y, ok2 := w.e.Facts[proofLatest].(time.Time)
	if ok1 && ok2 {
		return instant{day: a.day(x), at: x}, instant{day: a.day(y), at: y}, !y.Before(x)
	}
	if w.e.At.IsZero() {
		return first, last, false
	}
	first = instant{day: a.day(w.e.At), at: w.e.At}
	return first, first, true
}
