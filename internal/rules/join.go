// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"cmp"
	"slices"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/reason"
)

// How much an answer has to say. What an agreement does not speak of another may decide:
// silence stands only where no agreement has more to say.
const (
	saysNothing = iota // no edition was in force
	saysNoSite         // it does not know the site
	saysSilent         // it asks nothing of this case
	saysAnswer
)

func (v *Verdict) says() int {
	if len(v.Reasons) != 1 || len(v.Parts) > 0 {
		return saysAnswer
	}
	switch v.Reasons[0].Code {
	case CodeEdition:
		return saysNothing
	case CodeSite:
		return saysNoSite
	case CodeSilent:
		return saysSilent
	}
	return saysAnswer
}

// Join returns one verdict for the answers of several agreements to one question, in
// whatever order they are given. An agreement that is silent on the case, does not know the
// site or is not in force gives way to one that answers; one answer alone is returned as it
// is. Several are joined: the outcome is the strictest, reasons, amounts and questions are
// those of all, each with the id of its agreement, and Parts holds each answer whole. Where
// they give one amount differently, and no clause sets the other aside, that is a conflict.
func Join(answers ...Verdict) Verdict {
	most := saysNothing
	for i := range answers {
		most = max(most, answers[i].says())
	}
	parts := make([]Verdict, 0, len(answers))
	for i := range answers {
		if answers[i].says() == most {
			parts = append(parts, answers[i])
		}
	}
	slices.SortStableFunc(parts, func(a, b Verdict) int { return cmp.Compare(a.Agreement, b.Agreement) })
	if len(parts) == 0 {
		return Verdict{}
	}
	if len(parts) == 1 || most == saysNothing {
		return parts[0]
	}
	v := joined(parts)
	v.disputes()
	return v
}

// disputes finds figures of one name that two agreements give differently, and neither
// sets the other's aside: no text says which holds. Both clauses are named. What is left of
// a limit is none of them: each agreement has limits of its own.
func (v *Verdict) disputes() {
	var add []reason.Reason
	for i, x := range v.Amounts {
		for _, y := range v.Amounts[i+1:] {
			if x.Name != y.Name || x.Of != y.Of || x.Agreement == y.Agreement || x.limit() || x.same(y) {
				continue
			}
			for _, p := range [...][2]Amount{{x, y}, {y, x}} {
				mine, other := p[0], p[1]
				r := reason.Reason{Code: CodeOwed, Outcome: reason.Conflict, Clause: mine.Clause, Agreement: mine.Agreement,
					Params: map[string]string{"amount": mine.Name, "with": abroad(other.Agreement, other.Clause)}}
				if !slices.ContainsFunc(add, func(o reason.Reason) bool {
					return o.Clause == r.Clause && o.Agreement == r.Agreement && o.Params["with"] == r.Params["with"]
				}) {
					add = append(add, r)
				}
			}
		}
	}
	*v = v.With(add...)
}

// abroad names a clause of another agreement, as overrides do.
func abroad(agreement, clause string) string { return agreement + "/" + clause }

// overridden reports whether a figure is set aside by one of another agreement that does
// not give way to it in turn.
func overridden(x Amount, all []Amount) bool {
	return slices.ContainsFunc(all, func(y Amount) bool {
		return slices.Contains(y.Over, abroad(x.Agreement, x.Clause)) && !slices.Contains(x.Over, abroad(y.Agreement, y.Clause))
	})
}

// joined makes one verdict of parts.
func joined(parts []Verdict) Verdict {
	v := Verdict{Point: parts[0].Point, At: parts[0].At, Parts: parts}
	for _, p := range parts {
		v.Outcome = reason.Strictest(v.Outcome, p.Outcome)
		for _, r := range p.Reasons {
			r.Agreement = p.Agreement
			v.Reasons = append(v.Reasons, r)
		}
		for _, a := range p.Amounts {
			a.Agreement = p.Agreement
			v.Amounts = append(v.Amounts, a)
		}
		for _, q := range p.Questions {
			q.Agreement = p.Agreement
			v.Questions = append(v.Questions, q)
		}
		for _, m := range p.Missing {
			if !slices.Contains(v.Missing, m) {
				v.Missing = append(v.Missing, m)
			}
		}
		v.Inputs = append(v.Inputs, p.Inputs...)
	}
	if slices.ContainsFunc(v.Amounts, func(a Amount) bool { return len(a.Over) > 0 }) {
		all := slices.Clone(v.Amounts)
		v.Amounts = slices.DeleteFunc(v.Amounts, func(a Amount) bool { return overridden(a, all) })
	}
	// What is sensitive under one agreement shows no value under any.
	shown := v.Inputs[:0:0]
	for _, in := range v.Inputs {
		if slices.ContainsFunc(v.Inputs, func(x Input) bool { return x.Name == in.Name && x.Value == "" }) {
			in.Value = ""
		}
		if !slices.Contains(shown, in) {
			shown = append(shown, in)
		}
	}
	v.Inputs = shown
	reason.Sort(v.Reasons)
	v.sort()
	return v
}

// Asked reports whether any clause was asked.
func (v Verdict) Asked() bool {
	return len(v.Steps) > 0 || slices.ContainsFunc(v.Parts, Verdict.Asked)
}

// By returns what each agreement said: the parts, or the verdict itself where one
// answered.
func (v Verdict) By() []Verdict {
	if len(v.Parts) == 0 {
		return []Verdict{v}
	}
	return v.Parts
}

// andParts joins two answers of which one has parts, agreement by agreement. Reasons of a
// desk, which stand beside the parts, stay beside them.
func (v Verdict) andParts(w Verdict) Verdict {
	var parts []Verdict
	for _, p := range slices.Concat(v.By(), w.By()) {
		if i := slices.IndexFunc(parts, func(x Verdict) bool { return x.Agreement == p.Agreement }); i >= 0 {
			parts[i] = parts[i].And(p)
			continue
		}
		parts = append(parts, p)
	}
	slices.SortStableFunc(parts, func(a, b Verdict) int { return cmp.Compare(a.Agreement, b.Agreement) })
	out := joined(parts)
	out.Point, out.At = v.Point, v.At
	for _, x := range [...]Verdict{v, w} {
		if len(x.Parts) == 0 {
			continue
		}
		var add []reason.Reason
		for _, r := range x.Reasons {
			if (r.Agreement == "" || r.Code == CodeOwed) && !slices.ContainsFunc(out.Reasons, func(o reason.Reason) bool {
				return o.Agreement == r.Agreement && o.Code == r.Code && o.Outcome == r.Outcome && o.Clause == r.Clause
			}) {
				add = append(add, r)
			}
		}
		out = out.With(add...)
		out.Outcome = reason.Strictest(out.Outcome, x.Outcome)
	}
	return out
}

// Grounds returns the reasons of a verdict as records keep them: without their
// parameters, and with the agreement of each clause where the law is of several. No
// reasons are nil.
func (l *Law) Grounds(v Verdict) []reason.Reason {
	out := l.Named(v)
	for i := range out {
		out[i].Params = nil
	}
	return out
}

// Named returns the reasons of a verdict with the agreement of each clause, where the law
// is of several.
func (l *Law) Named(v Verdict) []reason.Reason {
	out := slices.Clone(v.Reasons)
	for i := range out {
		if l.several && out[i].Clause != "" && out[i].Agreement == "" {
			out[i].Agreement = v.Agreement
		}
	}
	return out
}

// Reads returns the attributes that the clause of a reason reads, in its conditions and in
// the other fields of its kind, as it was compiled, sorted. Where what it reads is worked
// out, what that is made of is among them.
func (l *Law) Reads(r reason.Reason, at time.Time) (ids []string) {
	e, k := l.Clause(r, "", at)
	i := slices.Index(l.editions, e)
	if k == nil || i < 0 {
		return nil
	}
	c := l.compiled[i]
	read := make([]bool, len(c.attrs))
	var take func(k *clause)
	take = func(k *clause) {
		for _, n := range k.reads {
			if read[n] {
				continue
			}
			read[n] = true
			for _, x := range c.e.Clauses {
				if slices.Contains(c.sets(x), n) {
					take(c.clauses[x.ID])
				}
			}
		}
	}
	take(c.clauses[k.ID])
	for n := range c.attrs {
		if read[n] {
			ids = append(ids, c.attrs[n].id)
		}
	}
	return ids
}

// Decider returns the role that a clause names to end what a reason leaves open: the one
// that the reason itself carries, or else that of its clause. It is empty where the reason
// leaves nothing open or nobody is named.
func (l *Law) Decider(r reason.Reason, at time.Time) string {
	if !r.Outcome.NeedsOfficer() {
		return ""
	}
	if who := r.Params[paramDecides]; who != "" {
		return who
	}
	if _, c := l.Clause(r, "", at); c != nil {
		return c.Decides
	}
	return ""
}

// Clause returns the clause that a reason names, with its edition in force at an instant,
// or else the newest one. of is the agreement of the verdict, for a reason that names none;
// where it is empty too, the first agreement that has the clause counts. Both are nil where
// no agreement has it.
func (l *Law) Clause(r reason.Reason, of string, at time.Time) (*agreement.Edition, *agreement.Clause) {
	if r.Clause == "" {
		return nil, nil
	}
	id := cmp.Or(r.Agreement, of)
	for _, c := range l.seen(at, time.Time{}, id) {
		if k := c.e.Clause(r.Clause); k != nil {
			return c.e, k
		}
	}
	for _, e := range l.Newest() {
		if k := e.Clause(r.Clause); k != nil && (id == "" || e.ID == id) {
			return e, k
		}
	}
	return nil, nil
}
