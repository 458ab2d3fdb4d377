// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"slices"
	"strings"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/reason"
)

// derive gives a derived attribute its value: what the clauses that apply say, where
// they say one thing. It is unknown where none applies, and where it turns on something
// that is not known; trouble notes why it cannot be told otherwise.
func (j *judge) derive(i int) ref.Val {
	none := j.a.c.unknowns[i]
	if j.point == nil {
		return none
	}
	j.a.vals[i] = none // so that a ring ends
	var value ref.Val
	var lacks *types.Unknown
	sure, from := false, -1
	for _, d := range j.point.definers[i] {
		j.apply(d)
		st, k := &j.state[d], j.clauses[d]
		if !st.asked || !st.applied || st.by != 0 || st.when == no {
			continue
		}
		certain := j.certain(d)
		var v ref.Val
		switch {
		case st.when == failed:
			j.troubled(i, reason.Reason{Code: CodeFailed, Outcome: reason.Refer, Clause: k.ID})
			return none
		case st.turn != "":
			j.troubled(i, reason.Reason{Code: CodeQuestion, Outcome: reason.Refer, Clause: k.ID, Params: map[string]string{"question": st.turn}})
			return none
		}
		var refer *reason.Reason
		v, refer = j.sets(k, i)
		if refer != nil {
			j.troubled(i, *refer)
			return none
		}
		if v == nil {
			if refer == nil && k.Kind == agreement.KindTable {
				continue // its row says nothing of this
			}
			j.troubled(i, reason.Reason{Code: CodeFailed, Outcome: reason.Refer, Clause: k.ID})
			return none
		}
		if u, ok := v.(*types.Unknown); ok {
			lacks = merge(lacks, u)
			continue
		}
		if !certain {
			switch {
			case st.when == open:
				for _, id := range st.lacks {
					lacks = merge(lacks, types.NewUnknown(id, nil))
				}
			case st.dated:
				lacks = merge(lacks, j.a.c.dates)
			default:
				x := &j.state[st.maybe-1]
				for _, id := range x.lacks {
					lacks = merge(lacks, types.NewUnknown(id, nil))
				}
				if len(x.lacks) == 0 {
					lacks = merge(lacks, j.a.c.dates)
				}
			}
		}
		switch {
		case value == nil:
			value, sure, from = v, certain, d
		case value.Equal(v) == types.True:
			if certain && !sure {
				sure, from = true, d
			}
		case certain && sure:
			j.twice(i, from, d)
			return none
		default:
			value, sure = v, false // one or the other
			lacks = merge(lacks, j.a.c.dates)
		}
	}
	switch {
	case value != nil && sure && lacks == nil:
		j.rests(j.clauses[from], j.clauses[from].Questions...)
		return value
	case value != nil && sure && !j.other(i, value):
		return value
	case lacks != nil:
		return lacks
	}
	return none
}

// other reports whether any clause that may apply gives another value, or one that is
// not known.
func (j *judge) other(i int, value ref.Val) bool {
	for _, d := range j.point.definers[i] {
		if st := &j.state[d]; !st.asked || st.by != 0 || st.when == no {
			continue
		}
		v, _ := j.sets(j.clauses[d], i)
		if v == nil || types.IsUnknown(v) || v.Equal(value) != types.True {
			return true
		}
	}
	return false
}

func merge(a, b *types.Unknown) *types.Unknown {
	if a == nil {
		return b
	}
	return types.MergeUnknowns(a, b)
}

func (j *judge) troubled(i int, rs ...reason.Reason) {
	if j.trouble == nil {
		j.trouble = map[int][]reason.Reason{}
	}
	j.trouble[i] = append(j.trouble[i], rs...)
}

// twice notes that two clauses give an attribute different values, neither set aside.
func (j *judge) twice(i, a, b int) {
	x, y := j.clauses[a], j.clauses[b]
	code, o := CodeDefineTwice, reason.Refer
	if x.Instrument != y.Instrument {
		code, o = CodeDefineConflict, reason.Conflict
	}
	for _, pair := range [...][2]*clause{{x, y}, {y, x}} {
		j.troubled(i, reason.Reason{Code: code, Outcome: o, Clause: pair[0].ID, Params: map[string]string{"attribute": j.a.c.attrs[i].id, "with": pair[1].ID}})
	}
}

// sets works out what a clause gives an attribute: a value, an unknown, or nil where
// that cannot be worked out. Where a table has no row, that is said.
func (j *judge) sets(k *clause, i int) (ref.Val, *reason.Reason) {
	at := &j.a.c.attrs[i]
	if k.Kind == agreement.KindTable {
		row, lacks, is := j.row(k)
		switch is {
		case yes:
			return k.outs[row][at.id], nil
		case open:
			var u *types.Unknown
			for _, id := range lacks {
				u = merge(u, types.NewUnknown(id, nil))
			}
			return u, nil
		case failed:
			return nil, &reason.Reason{Code: CodeFailed, Outcome: reason.Refer, Clause: k.ID}
		}
		return nil, &reason.Reason{Code: CodeTable, Outcome: reason.Refer, Clause: k.ID, Params: map[string]string{"table": k.Table}}
	}
	if k.Select != nil {
		return j.measure(k, at), nil
	}
	if k.value == nil {
		return nil, nil
	}
	v := j.a.work(k.value)
	if len(at.values) > 0 && v != nil && !types.IsUnknown(v) {
		texts := set(v)
		if s, ok := v.(types.String); ok {
			texts = []string{string(s)}
		}
		for _, s := range texts {
			if !slices.Contains(at.values, s) {
				return nil, nil
			}
		}
	}
	return v, nil
}

// measure counts, sums or finds the ends of what happened.
func (j *judge) measure(k *clause, at *attribute) ref.Val {
	what, field, _ := strings.Cut(k.Measure, ":")
	if what == "latest" || what == "earliest" {
		if field == "" {
			field = "at"
			if at.typ == "date" {
				field = "on"
			}
		}
	}
	ps, lacks, ok := j.picks(k.Select, k.where[0], k.Span, field)
	if !ok {
		return unknownIDs(lacks)
	}
	for _, p := range ps {
		if p.is == open {
			lacks = append(lacks, p.lacks...)
		}
	}
	if len(lacks) > 0 {
		return unknownIDs(lacks)
	}
	switch what {
	case "count":
		return types.Int(len(ps))
	case "sum":
		_, n, _, ok := totals(ps)
		if !ok {
			return nil
		}
		return types.Int(n)
	}
	if len(ps) == 0 {
		// Of nothing there is no greatest and no latest: it is not known.
		return j.a.c.unknownOf(at.id)
	}
	var best ref.Val
	var when instant
	for _, p := range ps {
		x := instant{}
		if what == "latest" || what == "earliest" {
			if x, ok = j.a.instantOf(p.val); !ok {
				return nil
			}
		}
		var better bool
		switch what {
		case "max":
			better = best == nil || p.n > int64(best.(types.Int))
		case "min":
			better = best == nil || p.n < int64(best.(types.Int))
		case "latest":
			better = best == nil || x.at.After(when.at)
		default:
			better = best == nil || x.at.Before(when.at)
		}
		if better {
			best, when = p.val, x
			if what == "max" || what == "min" {
				best = types.Int(p.n)
			}
		}
	}
	if what != "max" && what != "min" {
		if at.typ == "date" {
			return types.Int(when.day)
		}
		return types.Timestamp{Time: when.at.UTC()}
	}
	return best
}

func unknownIDs(ids []int64) ref.Val {
	var u *types.Unknown
	for _, id := range ids {
		u = merge(u, types.NewUnknown(id, nil))
	}
	if u == nil {
		return nil
	}
	return u
}

// defined notes what became of a definition.
func (j *judge) defined(i int) {
	k := j.clauses[i]
	if j.certain(i) {
		j.step(i, didApply, k.Attribute)
		return
	}
	j.step(i, didOpen, k.Attribute)
}
