// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"cmp"
	"strings"

	"cel.dev/cel-go/common/types"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/reason"
)

// opened asks whether the site has been opened.
func (j *judge) opened(i int, k *clause) {
	a := j.a
	switch {
	case a.site == nil || a.site.From.IsZero():
		j.against(i, k, CodeNoDate, cmp.Or(k.Missing, reason.Refer), nil)
	case a.site.From.Come(a.on, a.minute) == agreement.No:
		j.against(i, k, CodeEarly, k.Else, map[string]string{"from": a.site.From.String()})
	case a.site.From.Come(a.on, a.minute) == agreement.Open:
		j.unsure(i, k, a.c.dates.IDs())
	default:
		j.step(i, didPass, a.site.since)
	}
}

func (j *judge) schedule(i int, k *clause) {
	a := j.a
	s := a.hours()
	if s == nil {
		j.against(i, k, CodeNoHours, cmp.Or(k.Missing, reason.Refer), nil)
		return
	}
	class, direction := a.text(attrClass), a.text(attrDirection)
	is := s.Held(class, direction, a.on)
	if k.Per != perDay {
		is = s.At(class, direction, a.now)
	}
	switch is {
	case agreement.Yes:
		j.step(i, didPass, "")
		return
	case agreement.Open:
		j.against(i, k, CodeNoHours, cmp.Or(k.Missing, reason.Refer), nil)
		return
	}
	var params map[string]string
	if next, ok := s.Next(class, direction, a.now); ok {
		params = map[string]string{"opens": next.In(a.site.zone).Format("2006-01-02 15:04")}
	}
	j.against(i, k, CodeHours, k.Else, params)
}

func (j *judge) listed(i int, k *clause) {
	if j.a.c.e.Lists[k.List] == nil && j.a.c.e.Values[k.List] == nil {
		params := map[string]string{"list": k.List}
		if len(k.Beside) > 0 {
			params["beside"] = strings.Join(k.Beside, " ")
		}
		j.against(i, k, CodeAbsent, cmp.Or(k.Missing, reason.Refer), params)
		return
	}
	name := cmp.Or(k.Code, attrCode)
	code, ok := j.a.given(name).(types.String)
	if !ok {
		j.lack(i, k, name)
		return
	}
	if j.a.c.e.Values[k.List] != nil {
		switch j.a.c.e.Member(k.List, string(code), j.a.on, j.a.minute, j.a.known) {
		case agreement.Yes:
			j.step(i, didApply, string(code))
		case agreement.Open:
			j.against(i, k, CodeGoodOpen, reason.Refer, map[string]string{"list": k.List, "code": string(code)})
		default:
			j.off(i, k)
		}
		return
	}
	f := j.a.match(k.List, string(code))
	line := f.line
	if f.is == agreement.Open || f.open {
		if f.lacks == j.a.c.unknownOf(attrCode) && f.is == agreement.Open {
			j.against(i, k, CodeGoodOpen, reason.Refer, map[string]string{"list": k.List, "code": string(code)})
			return
		}
		j.unsure(i, k, f.lacks.IDs())
		return
	}
	if f.is == agreement.No {
		j.off(i, k)
		return
	}
	note := line.Code
	if line.Category != "" {
		note += ", category " + line.Category
	}
	j.step(i, didApply, note)
}

// off says that something is not on the list that a clause demands.
func (j *judge) off(i int, k *clause) {
	c := CodeUnlisted
	if k.Else != reason.Refer {
		c = unmet(k.Else)
	}
	j.against(i, k, c, k.Else, j.with(k, map[string]string{"list": k.List}))
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
