// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"math"
	"strconv"
	"time"

	"cel.dev/cel-go/common/types"

	"darwaza.dev/internal/agreement"
)

// stay limits the days and nights of a stay. By the calendar both the day of entry and
// the day of exit count, and nights lie between days; elapsed counts 24 hours from the
// entry on, begun ones as whole.
func (j *judge) stay(i int, k *clause) {
	from, ok := j.instant(k.Start)
	if !ok {
		j.without(i, k, k.Start)
		return
	}
	to, ok := j.instant(k.End)
	if !ok {
		j.without(i, k, k.End)
		return
	}
	if to.at.Before(from.at) && to.day < from.day {
		j.demand(i, k, failed, nil, "", nil)
		return
	}
	days, nights := to.day-from.day+1, to.day-from.day
	if k.Counting == "elapsed" {
		d := to.at.Sub(from.at)
		days = int64((d + 24*time.Hour - 1) / (24 * time.Hour))
		nights = days
	}
	is, note := yes, strconv.FormatInt(days, 10)+" days"
	params := map[string]string{"days": strconv.FormatInt(days, 10), "nights": strconv.FormatInt(nights, 10)}
	if k.Days == "" {
		note = strconv.FormatInt(nights, 10) + " nights"
	}
	for n, id := range [...]string{k.Days, k.Nights} {
		if id == "" {
			continue
		}
		limit, lacks, ok := j.a.param(id)
		if !ok {
			j.unsure(i, k, lacks)
			return
		}
		if have := [...]int64{days, nights}[n]; have > limit {
			is = no
			params["limit"] = strconv.FormatInt(limit, 10)
		}
	}
	if j.hidden(k) {
		note, params = "", nil
	}
	j.demand(i, k, is, nil, note, params)
}

// without says that an attribute is not known; of a derived one, why.
func (j *judge) without(i int, k *clause, name string) {
	if at, ok := j.a.c.names[name]; ok && at < len(j.a.c.attrs) {
		if u, ok := j.a.val(at).(*types.Unknown); ok {
			j.unsure(i, k, u.IDs())
			return
		}
	}
	j.lack(i, k, name)
}

// validity asks whether a document is good over the whole of a stay: up to its last
// day, or for so long from its issue. A document of one year is good to the day before
// the anniversary, where the text does not put that day in.
func (j *judge) validity(i int, k *clause) {
	a := j.a
	names := k.Over
	if len(names) == 0 {
		names = []string{""}
	}
	var first, last instant
	for n, name := range names {
		x, ok := j.instant(name)
		if !ok {
			j.without(i, k, name)
			return
		}
		if n == 0 || x.at.Before(first.at) {
			first = x
		}
		if n == 0 || x.at.After(last.at) {
			last = x
		}
	}
	is, until := yes, ""
	if k.Expires != "" {
		x, ok := j.instant(k.Expires)
		if !ok {
			j.without(i, k, k.Expires)
			return
		}
		until = x.at.In(a.zone).Format("2006-01-02")
		if x.whole || last.whole {
			is = truth(last.day <= x.day)
		} else {
			until = x.at.In(a.zone).Format("2006-01-02 15:04")
			is = truth(last.at.Before(x.at))
		}
	}
	if k.Issued != "" {
		x, ok := j.instant(k.Issued)
		if !ok {
			j.without(i, k, k.Issued)
			return
		}
		n, lacks, ok := a.param(k.For)
		if !ok {
			j.unsure(i, k, lacks)
			return
		}
		switch unit := a.unit(k.For); {
		case n == math.MaxInt64:
		default:
			if d, isShort := short(unit); isShort {
				end := x.at.Add(time.Duration(min(n, 10_000_000)) * d)
				until = end.In(a.zone).Format("2006-01-02 15:04")
				is = min(is, truth(last.at.Before(end) || k.Including && last.at.Equal(end)))
				break
			}
			day, err := shift(x.day, n, unit)
			if err != nil {
				j.demand(i, k, failed, nil, "", nil)
				return
			}
			if !k.Including {
				day--
			}
			until = unitText(day, unitDate)
			is = min(is, truth(last.day <= day))
		}
		if first.day < x.day || !first.whole && !x.whole && first.at.Before(x.at) {
			is = no
		}
	}
	note, params := "good until "+until, map[string]string{"until": until}
	if j.hidden(k) || until == "" {
		note, params = "", nil
	}
	j.demand(i, k, is, nil, note, params)
}

// residence asks where somebody lives: in a place of a list, for long enough, near
// enough; any of the three that it names.
func (j *judge) residence(i int, k *clause) {
	a := j.a
	all, why := yes, map[string]string{}
	var lacks []int64
	ask := func(is tri, lack []int64, word, said string) {
		switch {
		case is == no && all != failed:
			all = no
			why[word] = said
		case is == open && all == yes:
			all, lacks = open, lack
		case is == open && all == open:
			lacks = append(lacks, lack...)
		case is == failed:
			all = failed
		}
	}
	unknownOf := func(name string) []int64 {
		if at, ok := a.c.names[name]; ok {
			if u, ok := a.val(at).(*types.Unknown); ok {
				return u.IDs()
			}
		}
		return nil
	}
	if k.Place != "" {
		place, ok := a.given(k.Place).(types.String)
		is, lack := no, []int64(nil)
		list := a.c.unknownOf(listPrefix + k.List).IDs()
		switch p, v := a.c.e.Places[k.List], a.c.e.Values[k.List]; {
		case p == nil && v == nil:
			is, lack = open, list
		case !ok:
			is, lack = open, unknownOf(k.Place)
		case v != nil:
			switch a.c.e.Member(k.List, string(place), a.on, a.minute, a.known) {
			case agreement.Yes:
				is = yes
			case agreement.Open:
				is, lack = open, list
			}
		case k.Region == "":
			_, in := p.Up[string(place)]
			is = truth(in)
		default:
			switch p.Within(string(place), k.Region) {
			case agreement.Yes:
				is = yes
			case agreement.Open:
				is, lack = open, list
			}
		}
		if a.c.e.Places[k.List] != nil && is == no && a.c.e.ListInfo[k.List].Ends() {
			is, lack = open, list
		}
		ask(is, lack, "list", k.List)
	}
	if k.Since != "" {
		since, ok := j.instant(k.Since)
		n, lack, known := a.param(k.AtLeast)
		switch {
		case !ok:
			ask(open, unknownOf(k.Since), "", "")
		case !known:
			ask(open, lack, "", "")
		default:
			in, ok := inside(since, instant{day: int64(a.on.Days()), at: a.now}, [2]edge{{set: true, n: n, unit: a.unit(k.AtLeast)}})
			is := truth(in)
			if !ok {
				is = failed
			}
			ask(is, nil, "atleast", unitText(n, a.unit(k.AtLeast)))
		}
	}
	if k.Distance != "" {
		far, ok := a.given(k.Distance).(types.Int)
		n, lack, known := a.param(k.AtMost)
		switch {
		case !ok:
			ask(open, unknownOf(k.Distance), "", "")
		case !known:
			ask(open, lack, "", "")
		case far < 0:
			ask(failed, nil, "", "")
		default:
			ask(truth(int64(far) <= n), nil, "atmost", unitText(n, a.unit(k.AtMost)))
		}
	}
	j.demand(i, k, all, lacks, "", why)
}
