// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/reason"
)

// The words of Step.Did.
const (
	didApply    = "applied"
	didPass     = "passed"
	didOverride = "overridden"
	didDormant  = "dormant"
	didOpen     = "open"

	noteNot = "does not apply"
)

// Check answers a question. It asks every clause of the point that is in force at
// the site, each by itself, so that their order cannot matter, and the strictest
// outcome wins. It is ALLOW only where some clause had something to say, all that
// they read was known or could not have changed the answer, and none was against it.
// Where the law is of several agreements, each that is in force and knows the site
// answers by itself, and Join makes one answer of theirs.
func (l *Law) Check(q Query) Verdict {
	all := l.asked(&q)
	switch len(all) {
	case 0:
		return unruled(&q)
	case 1:
		return all[0].check(&q, nil)
	}
	answers := make([]Verdict, 0, len(all))
	for _, c := range all {
		answers = append(answers, c.check(&q, nil))
	}
	return Join(answers...)
}

// unruled is the answer where no edition is in force.
func unruled(q *Query) Verdict {
	return Verdict{Point: q.Point, Outcome: reason.Refer, At: q.At.UTC(), Reasons: []reason.Reason{{Code: CodeEdition, Outcome: reason.Refer}}}
}

// check answers a question under one edition. Where look is not nil it sees the clauses
// as they were judged, before everything is let go of.
func (c *compiled) check(q *Query, look func(*judge)) Verdict {
	v := Verdict{Point: q.Point, Outcome: reason.Refer, At: q.At.UTC(), Agreement: c.e.ID, Edition: c.hash}
	s := c.sites[q.Site]
	if s == nil && q.Site != "" {
		v.Reasons = []reason.Reason{{Code: CodeSite, Outcome: reason.Refer, Params: map[string]string{"site": q.Site}}}
		return v
	}
	a := c.pool.Get().(*activation)
	a.start(c, q, s)
	j := c.judge(a, &v)
	j.ask()
	if look != nil {
		look(j)
	}
	a.done()
	c.pool.Put(a)
	return v
}

// judge returns who answers the question that an activation has taken in.
func (c *compiled) judge(a *activation, v *Verdict) *judge {
	j := &a.own
	j.a, j.v = a, v
	if p := c.points[a.q.Point]; p != nil {
		j.point, j.clauses = p, p.clauses
	}
	a.judge = j
	return j
}

// Verdicts answers one question under several agreements, each with its own answer, in
// their order: a traveller may be under a treaty of the region and one of the border.
func Verdicts(laws []*Law, q Query) []Verdict {
	out := make([]Verdict, 0, len(laws))
	for _, l := range laws {
		out = append(out, l.Check(q))
	}
	return out
}

// judge is one question while it is being answered.
type judge struct {
	a       *activation
	v       *Verdict
	point   *point
	clauses []*clause
	state   []state
	late    []int // caps of lots and rates, which look at what others say of the lot
	last    []int // choices, which look at all figures
	silent  []int // permissions of which it is not known whether they apply
	shares  int   // share clauses that were asked
	named   bool  // one of them names the recipient and the event
	defer_  []deferred
	trouble map[int][]reason.Reason // by attribute: why it cannot be derived
	spoke   bool
	lot     lot
}

// state is what became of a clause.
type state struct {
	asked   bool    // in force here, or perhaps
	dated   bool    // perhaps: the text gives no day
	applied bool    // it is found out whether it applies
	busy    bool    // that is being found out
	when    tri     // whether it applies
	lacks   []int64 // what that turns on, where when is open
	by      int     // 1 + position of the clause that set it aside
	maybe   int     // 1 + position of the exception that may set it aside
	turn    string  // the question on which its effect turns, where it is not settled
	// stance is ALLOW where it permits beyond doubt, the outcome where it is against.
	stance reason.Outcome
}

// deferred is an input that a clause lacks and leaves to others to ask for.
type deferred struct {
	clause *clause
	name   string
}

func (j *judge) ask() {
	n := len(j.clauses)
	j.a.state = slices.Grow(j.a.state[:0], n)[:n]
	clear(j.a.state)
	j.state = j.a.state
	j.v.Steps = make([]Step, n)
	a := j.a
	for i, k := range j.clauses {
		in, why := k.inForce(a.q.Site, agreement.Side(a.q.Side), a.clock, a.known)
		for n := range k.settled {
			if q := &k.settled[n]; q.Ended(k.ID, k.side, a.on, a.known) {
				in, why = agreement.No, "question "+q.ID+" is settled otherwise"
			}
		}
		j.v.Steps[i] = Step{Clause: k.ID, Did: didDormant, Note: why}
		st := &j.state[i]
		st.asked, st.dated = in != agreement.No, in == agreement.Open
		for _, id := range k.Turns {
			if st.turn == "" && !a.c.e.Questions[id].SettledFor(k.side, a.on, a.known) {
				st.turn = id
			}
		}
	}
	for i := range j.clauses {
		j.apply(i)
	}
	for i, k := range j.clauses {
		if st := &j.state[i]; !st.asked || st.by != 0 || st.when == no {
			continue
		}
		switch {
		case k.Kind == agreement.KindRate, k.Kind == agreement.KindCap && k.Select == nil:
			j.late = append(j.late, i)
		case k.Kind == agreement.KindChoice:
			j.last = append(j.last, i)
		default:
			j.judge(i, k)
		}
	}
	if len(j.late) > 0 {
		j.judgeLot()
	}
	j.choices()
	j.matters()
	j.finish()
}

// apply finds whether a clause applies and which others it sets aside. Those that may
// set it aside come first, and what its condition reads is derived on the way: the
// order in which clauses stand does not matter.
func (j *judge) apply(i int) {
	k, st := j.clauses[i], &j.state[i]
	if st.applied || st.busy || !st.asked {
		return
	}
	st.busy = true
	for _, o := range k.by {
		j.apply(o)
	}
	st.applied, st.busy = true, false
	if st.by != 0 {
		j.v.Steps[i] = Step{k.ID, didOverride, j.clauses[st.by-1].ID}
		return
	}
	if k.profile == 0 || j.profile(st, k) {
		is, lacks := j.a.eval(k.when)
		switch {
		case is == no || st.when != open:
			st.when, st.lacks = is, lacks
		case is == open:
			st.lacks = append(st.lacks, lacks...)
		}
	}
	for _, r := range k.reads {
		if !j.a.c.attrs[r].derived && !types.IsUnknown(j.a.vals[r]) {
			j.a.used[r] = true
		}
	}
	if st.when == no {
		j.v.Steps[i] = Step{k.ID, didPass, noteNot}
		return
	}
	if st.when == yes && !st.dated {
		switch k.Kind {
		case agreement.KindDefine, agreement.KindChoice, agreement.KindSuspend, agreement.KindProof, agreement.KindShare, agreement.KindTable, agreement.KindPower, agreement.KindNote, agreement.KindBound:
		default:
			j.spoke = true
		}
	}
	for _, t := range k.over {
		o := &j.state[t]
		if !o.asked {
			continue
		}
		// Where whether the exception holds is not known, or is itself in doubt, so is what
		// becomes of the rule. Of several the first by id is named.
		at := &o.maybe
		if j.certain(i) {
			at = &o.by
		}
		if *at == 0 || i+1 < *at {
			*at = i + 1
		}
	}
}

// judge asks one clause that applies, or may apply.
func (j *judge) judge(i int, k *clause) {
	switch k.Kind {
	case agreement.KindRule:
		j.rule(i, k)
	case agreement.KindCondition:
		j.against(i, k, CodeCondition, reason.Allow, nil)
	case agreement.KindDefine:
		j.defined(i)
	case agreement.KindAmount:
		j.formula(i, k)
	case agreement.KindSchedule:
		j.schedule(i, k)
	case agreement.KindOpened:
		j.opened(i, k)
	case agreement.KindSuspend:
		j.suspend(i, k)
	case agreement.KindListed:
		j.listed(i, k)
	case agreement.KindFields:
		j.fields(i, k)
	case agreement.KindTax:
		j.tax(i, k)
	case agreement.KindGuarantee:
		j.guarantee(i, k)
	case agreement.KindCap, agreement.KindFrequency:
		j.limit(i, k)
	case agreement.KindWindow:
		j.window(i, k)
	case agreement.KindProof:
		j.proof(i, k)
	case agreement.KindStay:
		j.stay(i, k)
	case agreement.KindValidity:
		j.validity(i, k)
	case agreement.KindResidence:
		j.residence(i, k)
	case agreement.KindRatio:
		j.ratio(i, k)
	case agreement.KindLedger:
		j.ledger(i, k)
	case agreement.KindTurn:
		j.turn(i, k)
	case agreement.KindDuty:
		j.duty(i, k)
	case agreement.KindShare:
		j.share(i, k)
	case agreement.KindCertificate:
		j.certificate(i, k)
	case agreement.KindTable:
		j.table(i, k)
	default:
		j.step(i, didPass, "")
	}
}

// certain reports whether a clause applies beyond doubt. Figures are given only then.
func (j *judge) certain(i int) bool {
	st := &j.state[i]
	return st.when == yes && st.maybe == 0 && !st.dated && st.turn == ""
}

// met says that a clause asked for something that is there.
func (j *judge) met(i int, k *clause, note string) {
	j.step(i, didPass, note)
	j.rests(k, k.Questions...)
}

// against gives a reason, softened to REFER where it is not sure that the clause
// applies at all.
func (j *judge) against(i int, k *clause, code reason.Code, o reason.Outcome, params map[string]string) {
	st := &j.state[i]
	if o == reason.None {
		o = reason.Refer
	}
	switch {
	case st.when == failed:
		code, o, params = CodeFailed, reason.Refer, nil
	case st.when == open:
		j.open(i, k, st.lacks)
		return
	case st.dated:
		code, o, params = CodeDate, reason.Refer, nil
	case st.turn != "":
		code, o, params = CodeQuestion, reason.Refer, map[string]string{"question": st.turn}
		j.rests(k, st.turn)
	case st.maybe != 0 && o != reason.Allow:
		x := j.clauses[st.maybe-1]
		code, o, params = CodeException, reason.Refer, map[string]string{"exception": x.ID}
		j.doubt(st.maybe - 1)
	default:
		st.stance = max(st.stance, o)
	}
	j.step(i, didApply, "")
	j.reason(k, code, o, params)
	j.rests(k, k.Questions...)
}

// doubt names what it turns on whether an exception holds.
func (j *judge) doubt(i int) {
	x := &j.state[i]
	for _, id := range x.lacks {
		if l := j.a.c.nameOf(id); l.kind == isAttr || l.kind == isEvents {
			j.missing(plainName(l))
		}
	}
	if x.turn != "" {
		j.rests(j.clauses[i], x.turn)
	}
}

// plainName is what a reader calls what is missing.
func plainName(l label) string {
	return strings.TrimPrefix(strings.TrimPrefix(l.name, kindPrefix), fieldPrefix)
}

// matters finds clauses of two instruments that say different things of one matter:
// one permits what the other is against, or they are against it with different
// outcomes. Neither can be followed then; both are shown, and what each says by itself
// stays below.
func (j *judge) matters() {
	var with map[int][]string
	for i, k := range j.clauses {
		a := j.state[i].stance
		if k.Matter == "" || a == reason.None || !j.certain(i) {
			continue
		}
		for t, o := range j.clauses {
			if b := j.state[t].stance; o.Matter == k.Matter && o.Instrument != k.Instrument && b != reason.None && b != a && j.certain(t) {
				if with == nil {
					with = map[int][]string{}
				}
				with[i] = append(with[i], o.ID)
			}
		}
	}
	if with == nil {
		return
	}
	for i, k := range j.clauses {
		if with[i] == nil {
			continue
		}
		for n := range j.v.Reasons {
			if r := &j.v.Reasons[n]; r.Clause == k.ID && r.Outcome > reason.Conflict {
				r.Outcome = reason.Refer
			}
		}
		j.reason(k, CodeMatter, reason.Conflict, map[string]string{"matter": k.Matter, "with": strings.Join(with[i], " ")})
	}
}

func (j *judge) reason(k *clause, code reason.Code, o reason.Outcome, params map[string]string) {
	j.v.Reasons = append(j.v.Reasons, reason.Reason{Code: code, Outcome: o, Clause: k.ID, Params: decided(k, code, o, params)})
}

// decided adds who decides to what a reason says, where a clause leaves something open
// and names somebody.
func decided(k *clause, code reason.Code, o reason.Outcome, params map[string]string) map[string]string {
	if k.Decides == "" || !o.NeedsOfficer() || !Unsettled(code) || params[paramDecides] != "" {
		return params
	}
	out := maps.Clone(params)
	if out == nil {
		out = map[string]string{}
	}
	out[paramDecides] = k.Decides
	return out
}

// paramDecides is the parameter of a reason that names who decides.
const paramDecides = "decides"

// open says that the answer of a clause turns on what is not known.
func (j *judge) open(i int, k *clause, lacks []int64) {
	j.step(i, didOpen, "")
	j.rests(k, k.Questions...)
	for _, id := range lacks {
		n := int(id) - 1
		switch l := j.a.c.nameOf(id); l.kind {
		case isParam:
			j.reason(k, CodeParameter, reason.Refer, map[string]string{"parameter": strings.TrimPrefix(l.name, paramPrefix)})
		case isDates:
			j.reason(k, CodeDate, reason.Refer, nil)
		case isList:
			j.unlisted(k, strings.TrimPrefix(l.name, listPrefix))
		case isAttr:
			if why := j.trouble[n]; len(why) > 0 {
				for _, r := range why {
					r.Params = decided(k, r.Code, r.Outcome, r.Params)
					j.v.Reasons = append(j.v.Reasons, r)
					if id := r.Params["question"]; id != "" {
						j.rests(k, id)
					}
				}
				continue
			}
			j.lackOf(k, l.name)
		case isEvents, isField:
			j.lackOf(k, plainName(l))
		default:
			j.reason(k, CodeFailed, reason.Refer, nil)
		}
	}
	if len(lacks) == 0 {
		j.reason(k, CodeFailed, reason.Refer, nil)
	}
}

// unlisted says that a list cannot tell: it is not at hand, or ends in open words, or
// does not know the place.
func (j *judge) unlisted(k *clause, id string) {
	info := j.a.c.e.ListInfo[id]
	code := CodeGoodOpen
	if info.Absent || j.a.c.e.Lists[id] == nil && j.a.c.e.Places[id] == nil && j.a.c.e.Values[id] == nil {
		code = CodeAbsent
	}
	j.reason(k, code, reason.Refer, map[string]string{"list": id})
}

// lack says that a clause could not be asked for want of an attribute.
func (j *judge) lack(i int, k *clause, name string) {
	j.step(i, didOpen, "")
	j.rests(k, k.Questions...)
	j.lackOf(k, name)
}

func (j *judge) lackOf(k *clause, name string) {
	j.missing(name)
	if k.Missing == reason.None {
		j.defer_ = append(j.defer_, deferred{k, name})
		return
	}
	code := CodeUnknown
	if k.Missing == reason.Hold {
		code = CodeWanted
	}
	j.reason(k, code, k.Missing, map[string]string{"attribute": name})
}

func (j *judge) missing(name string) {
	if !slices.Contains(j.v.Missing, name) {
		j.v.Missing = append(j.v.Missing, name)
	}
}

// rests notes the questions that the answer of a clause rests on. One that is settled for
// the clauses of one side's texts alone is open where another clause rests on it.
func (j *judge) rests(k *clause, ids ...string) {
	for _, id := range ids {
		settled := j.a.c.e.Questions[id].SettledFor(k.side, j.a.on, j.a.known)
		n := slices.IndexFunc(j.v.Questions, func(q Question) bool { return q.ID == id })
		if n < 0 {
			j.v.Questions = append(j.v.Questions, Question{ID: id, Settled: settled})
		} else if !settled {
			j.v.Questions[n].Settled = false
		}
	}
}

func (j *judge) step(i int, did, note string) {
	j.v.Steps[i].Did, j.v.Steps[i].Note = did, note
}

// amount adds a figure. Two clauses that give the same figure differently, neither
// setting the other aside, are a conflict of the texts, and both are named.
func (j *judge) amount(x Amount) {
	for _, y := range j.v.Amounts {
		if y.Name == x.Name && y.Of == x.Of && y.Clause != x.Clause && (y.Minor != x.Minor || y.Known != x.Known || y.Currency != x.Currency || y.Unit != x.Unit) {
			for _, id := range [...]string{x.Clause, y.Clause} {
				j.v.Reasons = append(j.v.Reasons, reason.Reason{Code: CodeDispute, Outcome: reason.Conflict, Clause: id, Params: map[string]string{"amount": x.Name}})
			}
		}
	}
	if j.v.Amounts == nil {
		j.v.Amounts = make([]Amount, 0, 4)
	}
	j.v.Amounts = append(j.v.Amounts, x)
}

// finish puts everything into the order that the bytes of a verdict have.
func (j *judge) finish() {
	v := j.v
	j.counted()
	if j.a.c.abroad != nil {
		for i := range v.Amounts {
			v.Amounts[i].Over = j.a.c.abroad[v.Amounts[i].Clause]
		}
	}
	for _, d := range j.defer_ {
		asked := slices.ContainsFunc(v.Reasons, func(r reason.Reason) bool { return r.Params["attribute"] == d.name })
		if !asked {
			j.reason(d.clause, CodeUnknown, reason.Refer, map[string]string{"attribute": d.name})
		}
	}
	if j.shares > 0 && !j.named && len(v.Reasons) == 0 {
		j.unshared()
	}
	if !j.spoke && len(v.Reasons) == 0 {
		// What may permit it turns on what is not known.
		for _, i := range j.silent {
			j.open(i, j.clauses[i], j.state[i].lacks)
		}
		for _, d := range j.defer_ {
			if !slices.ContainsFunc(v.Reasons, func(r reason.Reason) bool { return r.Params["attribute"] == d.name }) {
				j.reason(d.clause, CodeUnknown, reason.Refer, map[string]string{"attribute": d.name})
			}
		}
	}
	if !j.spoke && len(v.Reasons) == 0 {
		v.Reasons = append(v.Reasons, reason.Reason{Code: CodeSilent, Outcome: reason.Refer})
	}
	reason.Sort(v.Reasons)
	v.Reasons = slices.CompactFunc(v.Reasons, func(a, b reason.Reason) bool {
		return a.Code == b.Code && a.Clause == b.Clause && a.Outcome == b.Outcome && sameParams(a.Params, b.Params)
	})
	v.Outcome = reason.Worst(v.Reasons)
	v.sort()
	n := 0
	for i, at := range j.a.c.attrs {
		if at.derived && j.a.vals[i] != nil && !types.IsUnknownOrError(j.a.vals[i]) {
			j.a.used[i] = true
		}
		if j.a.used[i] {
			n++
		}
	}
	if n > 0 {
		v.Inputs = make([]Input, 0, n)
		for i, at := range j.a.c.attrs {
			if j.a.used[i] {
				in := Input{Name: at.id}
				if !at.sensitive {
					in.Value = text(j.a.vals[i], at.unit)
				}
				v.Inputs = append(v.Inputs, in)
			}
		}
	}
}

func sameParams(a, b map[string]string) bool {
	if len(a) != len(b) {
		return false
	}
	for k, x := range a {
		if y, ok := b[k]; !ok || x != y {
			return false
		}
	}
	return true
}

// text writes an input's value.
func text(v ref.Val, unit string) string {
	switch x := v.(type) {
	case types.String:
		return string(x)
	case types.Bool:
		return strconv.FormatBool(bool(x))
	case types.Int:
		return unitText(int64(x), unit)
	case types.Timestamp:
		return x.UTC().Format(time.RFC3339)
	}
	return strings.Join(set(v), ", ")
}
