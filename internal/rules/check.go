// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/reason"
)

// The words of Step.Did.
const (
	didApply    = "applied"
	didPass     = "passed"
	didOverride = "overridden"
	didDormant  = "dormant"
	didOpen     = "open"
)

// Check answers a question. It asks every clause of the point that is in force at
// the site, each by itself, so that their order cannot matter, and the strictest
// outcome wins. It is ALLOW only where some clause had something to say, all that
// they read was known or could not have changed the answer, and none was against it.
func (l *Law) Check(q Query) Verdict {
	v := Verdict{Point: q.Point, Outcome: reason.Refer, At: q.At.UTC()}
	c := l.at(q.At)
	if c == nil {
		v.Reasons = []reason.Reason{{Code: CodeEdition, Outcome: reason.Refer}}
		return v
	}
	v.Agreement, v.Edition = c.e.ID, c.hash
	s := c.sites[q.Site]
	if s == nil && q.Site != "" {
		v.Reasons = []reason.Reason{{Code: CodeSite, Outcome: reason.Refer, Params: map[string]string{"site": q.Site}}}
		return v
	}
	a := c.pool.Get().(*activation)
	a.start(c, &q, s)
	j := judge{a: a, v: &v, clauses: c.points[q.Point]}
	j.ask()
	a.done()
	c.pool.Put(a)
	return v
}

// judge is one question while it is being answered.
type judge struct {
	a       *activation
	v       *Verdict
	clauses []*clause
	state   []state
	late    []int // caps and rates, which look at what others say of the lot
	defer_  []deferred
	spoke   bool
	lot     lot
}

// state is what became of a clause.
type state struct {
	asked bool    // in force here
	when  tri     // whether it applies
	lacks []int64 // what that turns on, where when is open
	by    int     // 1 + position of the clause that set it aside
	maybe int     // 1 + position of the exception that may set it aside
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
	deepest := 0
	for i, k := range j.clauses {
		j.v.Steps[i] = Step{Clause: k.ID, Did: didDormant}
		j.state[i].asked = j.inForce(k)
		deepest = max(deepest, k.order)
	}
	for depth := 0; depth <= deepest; depth++ {
		for i, k := range j.clauses {
			if k.order == depth && j.state[i].asked {
				j.apply(i, k)
			}
		}
	}
	for i, k := range j.clauses {
		if st := &j.state[i]; !st.asked || st.by != 0 || st.when == no {
			continue
		}
		switch k.Kind {
		case agreement.KindCap, agreement.KindRate:
			j.late = append(j.late, i)
		default:
			j.judge(i, k)
		}
	}
	if len(j.late) > 0 {
		j.judgeLot()
	}
	j.finish()
}

// inForce reports whether a clause holds on the day, at the site, and for the side.
func (j *judge) inForce(k *clause) bool {
	a := j.a
	return k.inForce(a.q.Site, agreement.Side(a.q.Side), a.on, a.minute) != agreement.No
}

// apply finds whether a clause applies and which others it sets aside.
func (j *judge) apply(i int, k *clause) {
	st := &j.state[i]
	if st.by != 0 {
		j.v.Steps[i] = Step{k.ID, didOverride, j.clauses[st.by-1].ID}
		return
	}
	st.when, st.lacks = j.a.eval(k.when)
	for _, r := range k.reads {
		if j.a.at(r) != nil {
			j.a.used[r] = true
		}
	}
	if st.when == no {
		j.v.Steps[i] = Step{k.ID, didPass, "does not apply"}
		return
	}
	if st.when == yes {
		j.spoke = true
	}
	for _, t := range k.over {
		if !j.state[t].asked {
			continue
		}
		switch {
		case st.when == yes && st.maybe == 0:
			j.state[t].by = i + 1
		default:
			// Whether the exception holds is not known, or is itself in doubt.
			j.state[t].maybe = i + 1
		}
	}
}

// judge asks one clause that applies, or may apply.
func (j *judge) judge(i int, k *clause) {
	a := j.a
	switch k.Kind {
	case agreement.KindRule, agreement.KindDuty:
		j.require(i, k)
	case agreement.KindSchedule:
		j.schedule(i, k)
	case agreement.KindOpened:
		switch {
		case a.site == nil || a.site.From.IsZero():
			j.against(i, k, CodeNoDate, cmp.Or(k.Missing, reason.Refer), nil)
		case a.site.From.Come(a.on, a.minute) == agreement.No:
			j.against(i, k, CodeEarly, k.Else, map[string]string{"from": a.site.From.String()})
		default:
			j.step(i, didPass, a.site.since)
		}
	case agreement.KindListed:
		j.listed(i, k)
	case agreement.KindFields:
		j.fields(i, k)
	case agreement.KindTax:
		j.tax(i, k)
	case agreement.KindGuarantee:
		j.guarantee(i, k)
	default:
		j.step(i, didPass, "")
	}
}

// require asks a clause that demands a condition.
func (j *judge) require(i int, k *clause) {
	st := j.state[i]
	if k.require == nil {
		j.step(i, didApply, "")
		return
	}
	r, lacks := j.a.eval(k.require)
	switch {
	case r == yes:
		j.step(i, didPass, "")
	case r == failed || st.when == failed:
		j.against(i, k, CodeFailed, reason.Refer, nil)
	case r == no && st.when == yes:
		j.against(i, k, unmet(k.Else), k.Else, j.regime(k))
	default:
		if st.when == open {
			lacks = append(slices.Clone(lacks), st.lacks...)
		}
		j.open(i, k, lacks)
	}
}

func (j *judge) regime(k *clause) map[string]string {
	if k.Regime == "" {
		return nil
	}
	return map[string]string{"regime": k.Regime}
}

func (j *judge) schedule(i int, k *clause) {
	a := j.a
	if a.site == nil || a.site.schedule == nil {
		j.against(i, k, CodeNoHours, cmp.Or(k.Missing, reason.Refer), nil)
		return
	}
	class, direction := a.text(attrClass), a.text(attrDirection)
	s := a.site.schedule
	if k.Per == perDay {
		if len(s.Spans(class, direction, a.on)) > 0 {
			j.step(i, didPass, "")
			return
		}
	} else if s.OpenAt(class, direction, a.now) {
		j.step(i, didPass, "")
		return
	}
	var params map[string]string
	if next, ok := s.Next(class, direction, a.now); ok {
		params = map[string]string{"opens": next.In(a.site.zone).Format("2006-01-02 15:04")}
	}
	j.against(i, k, CodeHours, k.Else, params)
}

func (j *judge) listed(i int, k *clause) {
	if k.list == nil {
		params := map[string]string{"list": k.List}
		if len(k.Beside) > 0 {
			params["beside"] = strings.Join(k.Beside, " ")
		}
		j.against(i, k, CodeAbsent, cmp.Or(k.Missing, reason.Refer), params)
		return
	}
	code, ok := j.a.given(attrCode).(types.String)
	if !ok {
		j.lack(i, k, attrCode)
		return
	}
	line, ok := k.list.Find(string(code))
	if !ok {
		c := CodeUnlisted
		if k.Else != reason.Refer {
			c = unmet(k.Else)
		}
		j.against(i, k, c, k.Else, map[string]string{"list": k.List})
		return
	}
	note := line.Code
	if line.Category != "" {
		note += ", category " + line.Category
	}
	j.step(i, didApply, note)
}

func (j *judge) fields(i int, k *clause) {
	var lacks []string
	for n, at := range k.of {
		v := j.a.at(at)
		if v == nil || v == types.False || v == types.String("") {
			lacks = append(lacks, k.Fields[n])
		}
	}
	if len(lacks) == 0 {
		j.step(i, didPass, "")
		return
	}
	c := CodeFields
	if k.Else != reason.Refuse {
		c = unmet(k.Else)
	}
	j.against(i, k, c, k.Else, map[string]string{"fields": strings.Join(lacks, " ")})
	for _, n := range lacks {
		j.missing(n)
	}
}

// base makes the amount that is a rate of the highest of some attributes. ok is
// false where one of them is not known.
func (j *judge) base(i int, k *clause, name string) (minor int64, ok bool) {
	currency := cmp.Or(k.Currency, j.a.c.e.Currency)
	minor = math.MinInt64
	var steps []string
	for n, at := range k.of {
		x, given := j.a.at(at).(types.Int)
		if !given {
			j.lack(i, k, k.Of[n])
			return 0, false
		}
		minor = max(minor, int64(x))
		steps = append(steps, k.Of[n]+" "+amountText(int64(x), currency))
	}
	if len(k.of) == 0 {
		return 0, false
	}
	if len(steps) > 1 {
		steps = append(steps, "the highest is "+amountText(minor, currency)+" "+currency)
	}
	j.amount(Amount{Name: name + ".base", Minor: minor, Currency: currency, Known: true, Clause: k.ID, Steps: steps})
	j.share(k, name, "", minor, k.Rate, currency)
	return minor, true
}

// share makes the amount that is a parameter's percentage of minor.
func (j *judge) share(k *clause, name, of string, minor int64, rate, currency string) {
	x := Amount{Name: name, Of: of, Currency: currency, Clause: k.ID}
	if r, ok := j.a.param(rate); ok {
		j.percent(&x, minor, r)
	} else {
		x.Steps = []string{"the text gives no " + rate}
	}
	j.amount(x)
}

// guarantee asks for a security that equals an amount: where the amount is not known,
// nobody but a person can say that what was given is enough.
func (j *judge) guarantee(i int, k *clause) {
	j.require(i, k)
	if !j.certain(i) {
		return
	}
	if _, ok := j.base(i, k, k.Amount); !ok {
		return
	}
	_, known := j.a.param(k.Rate)
	if given, _ := j.a.eval(k.require); !known && given == yes {
		j.step(i, didOpen, "")
		j.reason(k, CodeParameter, reason.Refer, map[string]string{"parameter": k.Rate})
	}
}

// certain reports whether a clause applies beyond doubt. Figures are given only then.
func (j *judge) certain(i int) bool { return j.state[i].when == yes && j.state[i].maybe == 0 }

func (j *judge) tax(i int, k *clause) {
	if !j.certain(i) {
		j.against(i, k, CodeException, reason.Refer, nil)
		return
	}
	minor, ok := j.base(i, k, k.Amount)
	if !ok {
		return
	}
	if k.Else == reason.None {
		j.step(i, didApply, "")
		return
	}
	c := CodeTax
	if k.Else != reason.Divert {
		c = unmet(k.Else)
	}
	currency := cmp.Or(k.Currency, j.a.c.e.Currency)
	params := map[string]string{"base": amountText(minor, currency) + " " + currency}
	if k.Regime != "" {
		params["regime"] = k.Regime
	}
	j.against(i, k, c, k.Else, params)
}

// against gives a reason, softened to REFER where it is not sure that the clause
// applies at all.
func (j *judge) against(i int, k *clause, code reason.Code, o reason.Outcome, params map[string]string) {
	st := j.state[i]
	if o == reason.None {
		o = reason.Refer
	}
	switch {
	case st.when == failed:
		code, o, params = CodeFailed, reason.Refer, nil
	case st.when == open && o != reason.Allow:
		j.open(i, k, st.lacks)
		return
	case st.maybe != 0 && o != reason.Allow:
		x := j.clauses[st.maybe-1]
		code, o, params = CodeException, reason.Refer, map[string]string{"exception": x.ID}
		for _, id := range j.state[st.maybe-1].lacks {
			if name, param := j.a.c.nameOf(id); !param {
				j.missing(name)
			}
		}
	}
	j.step(i, didApply, "")
	j.reason(k, code, o, params)
	j.rests(k.Questions...)
}

func (j *judge) reason(k *clause, code reason.Code, o reason.Outcome, params map[string]string) {
	j.v.Reasons = append(j.v.Reasons, reason.Reason{Code: code, Outcome: o, Clause: k.ID, Params: params})
}

// open says that the answer of a clause turns on what is not known.
func (j *judge) open(i int, k *clause, lacks []int64) {
	j.step(i, didOpen, "")
	for _, id := range lacks {
		name, param := j.a.c.nameOf(id)
		if param {
			j.reason(k, CodeParameter, reason.Refer, map[string]string{"parameter": name})
		} else {
			j.lackOf(k, name)
		}
	}
	if len(lacks) == 0 {
		j.reason(k, CodeFailed, reason.Refer, nil)
	}
}

// lack says that a clause could not be asked for want of an attribute.
func (j *judge) lack(i int, k *clause, name string) {
	j.step(i, didOpen, "")
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
	j.rests(k.Questions...)
}

func (j *judge) missing(name string) {
	if !slices.Contains(j.v.Missing, name) {
		j.v.Missing = append(j.v.Missing, name)
	}
}

// rests notes the questions that an answer rests on.
func (j *judge) rests(ids ...string) {
	for _, id := range ids {
		q := Question{ID: id, Settled: j.a.c.e.Questions[id].Settled(j.a.on, calendar.Date{})}
		if !slices.Contains(j.v.Questions, q) {
			j.v.Questions = append(j.v.Questions, q)
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
		if y.Name == x.Name && y.Of == x.Of && y.Clause != x.Clause && (y.Minor != x.Minor || y.Known != x.Known || y.Currency != x.Currency) {
			for _, id := range [...]string{x.Clause, y.Clause} {
				j.v.Reasons = append(j.v.Reasons, reason.Reason{Code: CodeDispute, Outcome: reason.Conflict, Clause: id, Params: map[string]string{"amount": x.Name}})
			}
		}
	}
	j.v.Amounts = append(j.v.Amounts, x)
}

// finish puts everything into the order that the bytes of a verdict have.
func (j *judge) finish() {
	v := j.v
	for _, d := range j.defer_ {
		asked := slices.ContainsFunc(v.Reasons, func(r reason.Reason) bool { return r.Params["attribute"] == d.name })
		if !asked {
			j.reason(d.clause, CodeUnknown, reason.Refer, map[string]string{"attribute": d.name})
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
	for i := range j.a.c.attrs {
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
	return ""
}
