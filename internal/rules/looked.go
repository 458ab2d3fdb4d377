// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"cmp"
	"math"
	"strings"

	"cel.dev/cel-go/common/types"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/calendar"
)

// maxLooked is how many events a clause's line of what it looked at tells of.
const maxLooked = 10

// looked says in lines what a clause looked at beside its conditions: the hours of the
// day and the clock, and the days or instants that it compared. Of what is sensitive it
// says nothing.
func (j *judge) looked(k *clause) []string {
	switch k.Kind {
	case agreement.KindProof:
		return j.lookedProof(k)
	case agreement.KindCertificate:
		return j.lookedCertificate(k)
	}
	if j.hidden(k) {
		return nil
	}
	switch k.Kind {
	case agreement.KindSchedule:
		return j.lookedHours()
	case agreement.KindWindow:
		return j.lookedWindow(k)
	case agreement.KindStay:
		return j.lines([][2]string{{"from", k.Start}, {"to", k.End}}, k.Days, k.Nights)
	case agreement.KindValidity:
		var names [][2]string
		if k.Expires != "" {
			names = append(names, [2]string{"good until", k.Expires})
		}
		if k.Issued != "" {
			names = append(names, [2]string{"issued", k.Issued})
		}
		for _, o := range k.Over {
			names = append(names, [2]string{"over", o})
		}
		if len(k.Over) == 0 {
			names = append(names, [2]string{"over", ""})
		}
		return j.lines(names, k.For)
	case agreement.KindResidence:
		var out []string
		if k.Place != "" {
			out = append(out, "place "+cmp.Or(j.a.text(k.Place), "not known")+" ("+k.Place+"), list "+strings.TrimSpace(k.List+" "+k.Region))
		}
		if k.Since != "" {
			out = append(out, j.lines([][2]string{{"since", k.Since}, {"to", ""}}, k.AtLeast)...)
		}
		if k.Distance != "" {
			far := "not known"
			if n, ok := j.a.given(k.Distance).(types.Int); ok {
				far = unitText(int64(n), j.a.c.attrs[j.a.c.names[k.Distance]].unit)
			}
			out = append(append(out, "distance "+far+" ("+k.Distance+")"), j.lines(nil, k.AtMost)...)
		}
		return out
	case agreement.KindDuty:
		if k.Start != "" {
			names := [][2]string{{"start", k.Start}}
			if k.End != "" {
				names = append(names, [2]string{"done", k.End})
			}
			return j.lines(append(names, [2]string{"asked", ""}), k.Within)
		}
	}
	return nil
}

// lookedHours are the hours of the day of the question, by the clock of its site.
func (j *judge) lookedHours() []string {
	a := j.a
	s := a.hours()
	if s == nil {
		return []string{"no hours are given for the site"}
	}
	class, direction := a.text(attrClass), a.text(attrDirection)
	var b strings.Builder
	b.WriteString(a.on.Weekday().String() + " " + a.on.String())
	if class != "" || direction != "" {
		b.WriteString(" for " + strings.Join(strings.Fields(class+" "+direction), ", "))
	}
	spans := s.Spans(class, direction, a.on)
	switch {
	case len(spans) > 0:
		b.WriteString(": open ")
		for n, s := range spans {
			if n > 0 {
				b.WriteString(", ")
			}
			b.WriteString(s.String())
		}
	case s.Held(class, direction, a.on) == calendar.No:
		b.WriteString(": closed all day")
	default:
		b.WriteString(": nobody knows the hours")
	}
	b.WriteString("; asked at " + a.minute.String() + " by the clock of " + a.zone.String())
	return []string{b.String()}
}

func (j *judge) lookedWindow(k *clause) []string {
	second := "before"
	if k.After {
		second = "after"
	}
	if k.Select == nil {
		return j.lines([][2]string{{"event", k.Event}, {second, k.Before}}, k.AtLeast, k.AtMost)
	}
	out := j.lines([][2]string{{second, k.Before}}, k.AtLeast, k.AtMost)
	ps, _, ok := j.picks(k.Select, k.where[0], nil, k.Select.Field)
	if !ok {
		return append(out, k.Select.Events+" not known")
	}
	for n, p := range ps {
		if n == maxLooked {
			out = append(out, "and more")
			break
		}
		e := p.instant
		if k.Select.Field != "" {
			if e, ok = j.a.instantOf(p.val); !ok {
				continue
			}
		}
		out = append(out, k.Select.Events+" "+j.a.said(e))
	}
	if len(ps) == 0 {
		out = append(out, k.Select.Events+" none")
	}
	return out
}

// lines write what is compared: the instants that attributes say, now where a name is
// empty, and the parameters that they are held to.
func (j *judge) lines(names [][2]string, params ...string) (out []string) {
	for _, n := range names {
		what := cmp.Or(n[1], "now")
		if x, ok := j.instant(n[1]); ok {
			out = append(out, n[0]+" "+j.a.said(x)+" ("+what+")")
		} else {
			out = append(out, n[0]+" not known ("+what+")")
		}
	}
	for _, id := range params {
		if id == "" {
			continue
		}
		switch n, _, ok := j.a.param(id); {
		case !ok:
			out = append(out, paramPrefix+id+" not known")
		case n == math.MaxInt64:
			out = append(out, paramPrefix+id+" unlimited")
		default:
			out = append(out, paramPrefix+id+" "+unitText(n, j.a.unit(id)))
		}
	}
	return out
}

// said writes an instant by the clock of the question, the day alone where no more is known.
func (a *activation) said(x instant) string {
	if x.whole {
		return unitText(x.day, unitDate)
	}
	return x.at.In(a.zone).Format("2006-01-02 15:04")
}
