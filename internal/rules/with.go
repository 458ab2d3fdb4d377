// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"slices"

	"darwaza.dev/internal/reason"
)

// With returns the verdict joined by a desk's own reasons: what no clause says, such as
// a slot that is full. More reasons never make it milder.
func (v Verdict) With(rs ...reason.Reason) Verdict {
	if len(rs) == 0 {
		return v
	}
	v.Reasons = append(slices.Clip(slices.Clone(v.Reasons)), rs...)
	reason.Sort(v.Reasons)
	v.Outcome = reason.Strictest(v.Outcome, v.Reasons[0].Outcome)
	return v
}

// And returns one verdict for two that were asked of the same party or lot: the
// stricter, with what the other adds to its grounds. Steps are of the stricter. Where
// either has parts, so has the joined one: those of one agreement joined in the same way.
func (v Verdict) And(w Verdict) Verdict {
	if len(v.Parts) > 0 || len(w.Parts) > 0 {
		return v.andParts(w)
	}
	if w.Outcome > v.Outcome {
		v, w = w, v
	}
	var add []reason.Reason
	for _, r := range w.Reasons {
		same := func(o reason.Reason) bool {
			return o.Code == r.Code && o.Clause == r.Clause && o.Outcome == r.Outcome && o.Agreement == r.Agreement
		}
		if !slices.ContainsFunc(v.Reasons, same) && !slices.ContainsFunc(add, same) {
			add = append(add, r)
		}
	}
	v = v.With(add...)
	v.Amounts, v.Missing = slices.Clone(v.Amounts), slices.Clone(v.Missing)
	v.Questions, v.Inputs = slices.Clone(v.Questions), slices.Clone(v.Inputs)
	for _, a := range w.Amounts {
		if _, ok := v.Amount(a.Name, a.Of); !ok {
			v.Amounts = append(v.Amounts, a)
		}
	}
	for _, m := range w.Missing {
		if !slices.Contains(v.Missing, m) {
			v.Missing = append(v.Missing, m)
		}
	}
	for _, q := range w.Questions {
		if !slices.Contains(v.Questions, q) {
			v.Questions = append(v.Questions, q)
		}
	}
	for _, i := range w.Inputs {
		if !slices.Contains(v.Inputs, i) {
			v.Inputs = append(v.Inputs, i)
		}
	}
	v.sort()
	return v
}

// Without returns the verdict without the reasons that drop names, in its parts too: what
// they ask was answered elsewhere, by somebody who may. of is the agreement of the part
// that has the reason. The outcome is that of the reasons that stay, and ALLOW where none
// does. any is false where nothing was dropped.
func (v Verdict) Without(drop func(r reason.Reason, of string) bool) (out Verdict, any bool) {
	v.Parts = slices.Clone(v.Parts)
	for i := range v.Parts {
		p, some := v.Parts[i].Without(drop)
		v.Parts[i], any = p, any || some
	}
	kept := slices.DeleteFunc(slices.Clone(v.Reasons), func(r reason.Reason) bool { return drop(r, v.Agreement) })
	if len(kept) == len(v.Reasons) {
		return v, any
	}
	v.Reasons, v.Outcome = kept, reason.Strictest(reason.Allow, reason.Worst(kept))
	for _, p := range v.Parts {
		v.Outcome = reason.Strictest(v.Outcome, p.Outcome)
	}
	return v, true
}
