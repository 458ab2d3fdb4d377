// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"maps"
	"slices"
	"strings"
	"time"

	"cel.dev/cel-go/common/types"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/reason"
)

// rule asks a clause that demands something, says what follows, or permits.
func (j *judge) rule(i int, k *clause) {
	switch {
	case k.Then > reason.Allow:
		j.against(i, k, unmet(k.Then), k.Then, j.regime(k))
	case k.require == nil:
		j.permit(i, k)
	default:
		j.require(i, k)
	}
}

// permit notes that a clause permits. Where it is not known whether it applies nothing
// is permitted by it, and it turns on what is missing only where nothing else speaks.
func (j *judge) permit(i int, k *clause) {
	st := &j.state[i]
	switch {
	case st.when == open:
		j.step(i, didOpen, "")
		j.silent = append(j.silent, i)
	case st.dated || st.turn != "" || st.when == failed:
		j.against(i, k, CodeCondition, reason.Allow, nil)
	default:
		st.stance = max(st.stance, reason.Allow)
		j.step(i, didApply, "")
		j.rests(k, k.Questions...)
	}
}

// require asks a clause that demands a condition.
func (j *judge) require(i int, k *clause) {
	st := &j.state[i]
	if k.require == nil {
		j.step(i, didApply, "")
		return
	}
	r, lacks := j.a.eval(k.require)
	switch {
	case r == yes:
		j.met(i, k, "")
	case r == failed || st.when == failed:
		j.against(i, k, CodeFailed, reason.Refer, nil)
	case r == no && st.when == yes:
		j.against(i, k, unmet(k.Else), k.Else, j.regime(k))
	case r == no:
		j.open(i, k, st.lacks)
	default:
		j.unsure(i, k, lacks)
	}
}

// unsure says that what a clause asks is not known. Where it is not known either
// whether it applies, both are named; where a day or a question leaves that open, or an
// exception may hold, that is said instead.
func (j *judge) unsure(i int, k *clause, lacks []int64) {
	st := &j.state[i]
	switch {
	case st.when == open:
		j.open(i, k, append(slices.Clone(lacks), st.lacks...))
	case st.dated || st.turn != "":
		j.against(i, k, CodeDate, reason.Refer, nil)
	default:
		j.open(i, k, lacks)
	}
}

// demand settles a clause by what is known of its demand.
func (j *judge) demand(i int, k *clause, is tri, lacks []int64, note string, params map[string]string) {
	switch is {
	case yes:
		j.met(i, k, note)
	case no:
		if j.state[i].when == open {
			j.open(i, k, j.state[i].lacks)
			return
		}
		j.against(i, k, unmet(k.Else), k.Else, j.with(k, params))
		j.v.Steps[i].Note = note
	case open:
		j.unsure(i, k, lacks)
	default:
		j.against(i, k, CodeFailed, reason.Refer, nil)
	}
}

func (j *judge) regime(k *clause) map[string]string {
	if k.Regime == "" {
		return nil
	}
	return map[string]string{"regime": k.Regime}
}

// with adds the regime of a clause to what a reason says.
func (j *judge) with(k *clause, params map[string]string) map[string]string {
	if k.Regime == "" {
		return params
	}
	out := maps.Clone(params)
	if out == nil {
		out = map[string]string{}
	}
	out["regime"] = k.Regime
	return out
}

// duty asks whether an authority did what it has to do, in time where there is a clock.
func (j *judge) duty(i int, k *clause) {
	if k.Start == "" {
		j.require(i, k)
		return
	}
	start, ok := j.instant(k.Start)
	if !ok {
		j.lack(i, k, k.Start)
		return
	}
	n, lacks, ok := j.a.param(k.Within)
	if !ok {
		j.unsure(i, k, lacks)
		return
	}
	due, ok := j.later(start, n, j.a.unit(k.Within))
	if !ok {
		j.demand(i, k, failed, nil, "", nil)
		return
	}
	done, known := j.instant(k.End)
	at := j.a.now
	if known {
		at = done.at
	}
	note := "due by " + due.In(j.a.zone).Format("2006-01-02 15:04")
	is := yes
	if at.After(due) {
		is = no
	}
	j.demand(i, k, is, nil, note, map[string]string{"due": due.In(j.a.zone).Format("2006-01-02 15:04")})
}

// later is an instant so many units after another: whole days and longer by the
// calendar of the question, at the same time of day.
func (j *judge) later(t instant, n int64, unit string) (time.Time, bool) {
	if d, ok := short(unit); ok {
		if n > 100_000_000 {
			return time.Time{}, false
		}
		return t.at.Add(time.Duration(n) * d), true
	}
	day, err := shift(t.day, n, unit)
	if err != nil {
		return time.Time{}, false
	}
	date, _ := dateOf(day)
	_, m := clock(t.at, j.a.zone)
	return date.At(m, j.a.zone), true
}

// suspend closes for classes, a direction and weekdays while it holds. Passes that were issued
// before it began are void even after its end, where it says so.
func (j *judge) suspend(i int, k *clause) {
	a := j.a
	direction, toward := a.given(attrDirection).(types.String)
	if k.Direction != "" && toward && string(direction) != k.Direction {
		j.step(i, didPass, noteNot)
		return
	}
	class, of := a.given(attrClass).(types.String)
	if len(k.Classes) > 0 && of && !slices.Contains(k.Classes, string(class)) {
		j.step(i, didPass, noteNot)
		return
	}
	if len(k.Weekdays) > 0 && !slices.Contains(k.weekdays, a.on.Weekday()) {
		j.step(i, didPass, noteNot)
		return
	}
	over, p := j.over(k)
	void := no
	if k.voids {
		if issued, ok := j.instant(k.Issued); !ok {
			void = open
		} else if day, minute := clock(issued.at, a.zone); p.From.Come(day, minute) != agreement.Yes {
			void = yes
		}
	}
	switch {
	case over && void == no:
		j.step(i, didPass, "over, and issued since")
	case k.Direction != "" && !toward:
		j.lack(i, k, attrDirection)
	case len(k.Classes) > 0 && !of:
		j.lack(i, k, attrClass)
	case over && void == open:
		j.lack(i, k, k.Issued)
	case over:
		j.spoke = true
		j.against(i, k, CodeRefuse, reason.Refuse, map[string]string{"void": p.From.String()})
	default:
		j.spoke = true
		o := k.Then
		if o == reason.None {
			o = reason.Closed
		}
		params := map[string]string{}
		if p.Until.Exact() {
			params["resumes"] = p.Until.String()
		}
		if void == yes {
			params["void"] = p.From.String()
		}
		j.against(i, k, unmet(o), o, params)
	}
}

// over reports whether a suspension is over, and the period that holds or held last.
func (j *judge) over(k *clause) (bool, agreement.Period) {
	a := j.a
	holds := k.holds
	if len(holds) == 0 {
		holds = []agreement.Period{k.text}
	}
	best, over := agreement.Period{}, true
	for _, p := range holds {
		if len(p.Sites) > 0 && !slices.Contains(p.Sites, a.q.Site) || len(p.Sides) > 0 && !slices.Contains(p.Sides, agreement.Side(a.q.Side)) || p.From.Come(a.on, a.minute) == agreement.No {
			continue
		}
		p, seen := p.Seen(a.known)
		if !seen {
			continue
		}
		if p.Holds(a.on, a.minute) != agreement.No {
			if p.Until.IsZero() {
				text, _ := k.text.Seen(a.known)
				p.Until = text.Until
			}
			return false, p
		}
		if best.From.Compare(p.From) <= 0 {
			best = p
		}
	}
	return over, best
}

// turn asks whose turn it is.
func (j *judge) turn(i int, k *clause) {
	a := j.a
	step, ok := a.given(k.Step).(types.String)
	if !ok {
		j.lack(i, k, k.Step)
		return
	}
	at := slices.IndexFunc(k.Order, func(t agreement.Turn) bool { return t.Step == string(step) })
	if at < 0 {
		j.met(i, k, "not a step of the order")
		return
	}
	v := a.given(k.Done)
	if v == nil {
		j.lack(i, k, k.Done)
		return
	}
	done := set(v)
	if t := k.Order[at]; string(t.Side) != a.q.Side {
		j.demand(i, k, no, nil, "", map[string]string{"step": t.Step, "side": string(t.Side)})
		return
	}
	for _, t := range k.Order[:at] {
		if !slices.Contains(done, t.Step) {
			j.demand(i, k, no, nil, "", map[string]string{"step": string(step), "after": t.Step})
			return
		}
	}
	j.met(i, k, "")
}

// share asks which fields go to whom.
func (j *judge) share(i int, k *clause) {
	a := j.a
	j.shares++
	event, ok := a.given(attrEvent).(types.String)
	to, ok2 := a.given(attrRecipient).(types.String)
	names := func(all []string, s types.String) bool { return len(all) == 0 || slices.Contains(all, string(s)) }
	switch {
	case ok && !names(k.Clause.Events, event), ok2 && !names(k.To, to):
		j.step(i, didPass, noteNot)
		return
	case !ok:
		j.named = true
		j.lack(i, k, attrEvent)
		return
	case !ok2:
		j.named = true
		j.lack(i, k, attrRecipient)
		return
	}
	j.named = true
	v := a.given(attrFields)
	if v == nil {
		j.lack(i, k, attrFields)
		return
	}
	var beyond []string
	for _, f := range set(v) {
		if slices.Contains(k.Never, f) || len(k.Clause.Fields) > 0 && !slices.Contains(k.Clause.Fields, f) {
			beyond = append(beyond, f)
		}
	}
	if j.certain(i) {
		j.spoke = true
	}
	if len(beyond) > 0 {
		j.demand(i, k, no, nil, "", map[string]string{"fields": strings.Join(beyond, " "), "recipient": string(to)})
		return
	}
	if j.state[i].when == open {
		j.open(i, k, j.state[i].lacks)
		return
	}
	j.permit(i, k)
}

// unshared says that nothing in force names the recipient.
func (j *judge) unshared() {
	j.v.Reasons = append(j.v.Reasons, reason.Reason{Code: CodeUnshared, Outcome: reason.Refer, Params: map[string]string{"recipient": j.a.text(attrRecipient)}})
}
