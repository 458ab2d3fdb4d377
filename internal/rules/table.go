// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"cmp"
	"slices"
	"strconv"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/reason"
)

// table decides by the row that holds.
func (j *judge) table(i int, k *clause) {
	if k.table == nil || !slices.Contains(k.table.Outputs, "outcome") {
		j.defined(i)
		return
	}
	row, lacks, is := j.row(k)
	switch is {
	case open:
		j.unsure(i, k, lacks)
	case failed:
		j.against(i, k, CodeFailed, reason.Refer, nil)
	case no:
		j.against(i, k, CodeTable, cmp.Or(k.Missing, reason.Refer), map[string]string{"table": k.Table})
	default:
		if j.certain(i) {
			j.spoke = true
		}
		r := k.table.Rows[row]
		o, _ := reason.ParseOutcome(r.Out["outcome"])
		line := "line " + strconv.Itoa(r.Line)
		if o == reason.Allow {
			j.permit(i, k)
		} else {
			j.against(i, k, unmet(o), o, j.with(k, map[string]string{"table": k.Table, "line": strconv.Itoa(r.Line)}))
		}
		if j.v.Steps[i].Did != didOpen {
			j.v.Steps[i].Note = line
		}
	}
}

// row finds the row of a clause's table that holds: no where none does, open where that
// turns on what is not known.
func (j *judge) row(k *clause) (row int, lacks []int64, is tri) {
	a := j.a
	vals := make([]ref.Val, len(k.table.Inputs))
	for n, in := range k.table.Inputs {
		if p := k.inputs[n]; p != nil {
			if vals[n] = a.work(p); vals[n] == nil {
				return 0, nil, failed
			}
		} else if at, ok := a.c.names[in.Name]; ok {
			vals[n] = a.val(at)
		} else {
			return 0, nil, failed
		}
	}
	found := no
	for r := range k.table.Rows {
		holds := yes
		var want []int64
		for n, cell := range k.table.Rows[r].Cells {
			switch u, isUnknown := vals[n].(*types.Unknown); {
			case cell.Any:
			case cell.Unknown:
				if !isUnknown {
					holds = no
				}
			case isUnknown:
				if holds == yes {
					holds = open
				}
				want = append(want, u.IDs()...)
			case !matches(&cell, vals[n]):
				holds = no
			}
			if holds == no {
				break
			}
		}
		switch holds {
		case yes:
			return r, nil, yes
		case open:
			found, lacks = open, append(lacks, want...)
		}
	}
	slices.Sort(lacks)
	return 0, slices.Compact(lacks), found
}

// matches reports whether a value is what a cell says.
func matches(c *agreement.Cell, v ref.Val) bool {
	switch x := v.(type) {
	case types.Int:
		if len(c.Texts) > 0 { // no number is a text
			return c.Not
		}
		in := (!c.HasMin || int64(x) >= c.Min) && (!c.HasMax || int64(x) <= c.Max)
		return in != c.Not
	case types.Bool:
		return slices.Contains(c.Texts, strconv.FormatBool(bool(x))) != c.Not
	case types.String:
		return slices.Contains(c.Texts, string(x)) != c.Not
	}
	for _, s := range set(v) { // a set holds one of the texts
		if slices.Contains(c.Texts, s) {
			return !c.Not
		}
	}
	return c.Not
}
