// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

// Package goods holds lists of goods by tariff code: the lines of a list, their
// categories and rates, and how a person finds one by code, by words or by picture.
package goods

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/lang"
)

// ErrList is the error of a list that is not in order.
var ErrList = errors.New("goods: list")

// A Line is one line of a list.
type Line struct {
	// Code is two to eight digits, without the dots that statutes write. It stands for
	// every code that begins with it and for which no longer one is on the list.
	Code     string
	Category string
	// Rate is in hundredths of a percent: 500 is 5 %.
	Rate int64
	Name lang.Text
	// Words are other names by which people ask for the good, in any language.
	Words []string
	// Unit is the unit in which it is sold, such as "kg" or "piece".
	Unit string
	// Icon names a picture of the short picture list, empty where it is not on it.
	Icon string
	// From and Until are when the line holds, zero where always: Until itself is no longer in it.
	From, Until calendar.Moment
	// Published and Ended are the days on which the line and its end became known, zero
	// where always.
	Published, Ended calendar.Date
	// For are attributes and the values for which it holds, such as a direction or a state.
	For map[string]string
	// Exclude takes the codes out of what a shorter code puts on the list.
	Exclude bool
	Row     int // line of the file that it was read from, 0 where there is none
}

// LineError is what is wrong with a line of a list.
type LineError struct {
	List string
	Line Line
	What string
	Mend string
}

// Error returns "goods: list market: 07020000 has no name".
func (e *LineError) Error() string {
	return fmt.Sprintf("%v %s: %s %s", ErrList, e.List, e.Line.Code, e.What)
}

// Unwrap returns ErrList.
func (e *LineError) Unwrap() error { return ErrList }

// A List is a list of goods. It is immutable once made and may be used by many at once.
type List struct {
	ID       string
	Title    lang.Text
	lines    []Line
	terms    []terms // of the line at the same place
	pictures []Line
	lengths  uint16 // bit n is set where a code has n digits
}

// NewList checks lines and makes them ready to be searched. It refuses a code that is
// none, two lines of one code that can hold in one case, a line without a name, and a
// rate below zero. Codes may be written with their dots; the list keeps them without.
func NewList(id string, title lang.Text, lines []Line) (*List, error) {
	l := &List{ID: id, Title: title, lines: slices.Clone(lines)}
	bad := func(x Line, what, mend string) (*List, error) { return nil, &LineError{id, x, what, mend} }
	for i := range l.lines {
		x := &l.lines[i]
		code, ok := ParsePrefix(x.Code)
		switch {
		case !ok:
			return bad(*x, "is not a code of two to eight digits", "write it as 0702.0000, or shorter where the text names a heading or chapter")
		case x.Name.In(lang.EN) == "":
			return bad(*x, "has no name", "name the good")
		case x.Rate < 0:
			return bad(*x, "has a rate below zero", "write the rate as it stands in the text")
		}
		x.Code = code
	}
	slices.SortStableFunc(l.lines, func(a, b Line) int { return cmp.Compare(a.Code, b.Code) })
	for i, x := range l.lines {
		j := i
		for j > 0 && l.lines[j-1].Code == x.Code {
			j--
		}
		if i-j >= maxSame {
			return bad(x, fmt.Sprintf("stands on more than %d lines", maxSame), "split the list")
		}
		for _, y := range l.lines[j:i] {
			if both(y, x) {
				return bad(x, "stands twice for one case", "keep one line of it, or tell them apart by dates, site, side or an attribute")
			}
		}
		l.lengths |= 1 << len(x.Code)
		l.terms = append(l.terms, newTerms(x))
		if x.Icon != "" && !x.Exclude && i == j {
			l.pictures = append(l.pictures, x)
		}
	}
	return l, nil
}

// maxSame is how many lines may have one code, each for another case.
const maxSame = 64

// both reports whether two lines of one code can hold in one case, neither being the
// more particular one.
func both(x, y Line) bool {
	if len(x.For) != len(y.For) || ends(x, y) || ends(y, x) {
		return false
	}
	for k, v := range x.For {
		if w, ok := y.For[k]; ok && w != v {
			return false
		}
	}
	return true
}

// ends reports whether x surely ends before y begins.
func ends(x, y Line) bool {
	return !x.Until.IsZero() && !y.From.IsZero() && !x.Until.Unknown && !y.From.Unknown &&
		(x.Until.Last.Before(y.From.First) || x.Until.Last == y.From.First && (x.Until.Minute <= y.From.Minute || !x.Until.Exact()))
}

// Lines returns the lines in the order of their codes. The caller must not change them.
func (l *List) Lines() []Line { return l.lines }

// Pictures returns the lines of the short picture list, those with an icon, in the
// order of their codes. The caller must not change them.
func (l *List) Pictures() []Line { return l.pictures }

// Find returns the line of a code, written "07020000" or "0702.0000" and in the digits
// of any of the languages: the one with the longest code that the code begins with,
// whatever else that line holds for. An excluded code is not found. See Match.
func (l *List) Find(code string) (Line, bool) {
	c, ok := ParsePrefix(code)
	if !ok {
		return Line{}, false
	}
	for n := len(c); n >= shortest; n-- {
		for _, x := range l.of(c[:n]) {
			if !x.Exclude {
				return x, true
			}
		}
		if len(l.of(c[:n])) > 0 {
			return Line{}, false
		}
	}
	return Line{}, false
}

// of returns the lines of exactly this code.
func (l *List) of(code string) []Line {
	if l.lengths&(1<<len(code)) == 0 {
		return nil
	}
	i, ok := slices.BinarySearchFunc(l.lines, code, func(x Line, c string) int { return cmp.Compare(x.Code, c) })
	if !ok {
		return nil
	}
	j := i + 1
	for j < len(l.lines) && l.lines[j].Code == code {
		j++
	}
	return l.lines[i:j]
}

// Ask is what a list is asked.
type Ask struct {
	Code   string // of the good, two to eight digits
	On     calendar.Date
	Minute calendar.Minute
	// Known is the last day whose publications are seen; zero sees all.
	Known calendar.Date
	// Get returns the text of an attribute; known is false where it is not known. It may be nil.
	Get func(attribute string) (text string, known bool)
}

// LacksCode is what Found.Lacks says where the code is too short to tell.
const LacksCode = "code"

// Found is what a list answers.
type Found struct {
	Line Line // where Is is Yes
	// Is says whether the good is on the list. It is Open where that turns on something
	// that is not known: Lacks names the attribute, is LacksCode, or is empty where it
	// is a date.
	Is    calendar.Tri
	Lacks string
}

// Match finds the line that holds for a good: the longest code that the good's code
// begins with, and among lines of one code the one that names most attributes.
func (l *List) Match(q Ask) Found {
	c, ok := ParsePrefix(q.Code)
	if !ok {
		return Found{Is: calendar.No}
	}
	if len(c) < longest && l.longer(c) {
		return Found{Is: calendar.Open, Lacks: LacksCode}
	}
	for n := len(c); n >= shortest; n-- {
		best, open, lacks := -1, -1, ""
		lines := l.of(c[:n])
		for i := range lines {
			holds, lack := lines[i].holds(q)
			switch {
			case holds == calendar.No:
			case holds == calendar.Open:
				if open < 0 || len(lines[i].For) > len(lines[open].For) {
					open, lacks = i, lack
				}
			case best < 0 || len(lines[i].For) > len(lines[best].For):
				best = i
			}
		}
		if open >= 0 && (best < 0 || len(lines[open].For) > len(lines[best].For)) {
			return Found{Is: calendar.Open, Lacks: lacks}
		}
		if best >= 0 && lines[best].Exclude {
			return Found{Is: calendar.No}
		}
		if best >= 0 {
			return Found{Line: lines[best], Is: calendar.Yes}
		}
	}
	return Found{Is: calendar.No}
}

// longer reports whether the list has a longer code that begins with c.
func (l *List) longer(c string) bool {
	i, _ := slices.BinarySearchFunc(l.lines, c, func(x Line, c string) int { return cmp.Compare(x.Code, c) })
	for i < len(l.lines) && l.lines[i].Code == c {
		i++
	}
	return i < len(l.lines) && strings.HasPrefix(l.lines[i].Code, c)
}

// holds reports whether the line holds for what is asked, and what it lacks where that
// is not known.
func (x *Line) holds(q Ask) (is calendar.Tri, lacks string) {
	if len(x.For) == 0 && x.From.IsZero() && x.Until.IsZero() && x.Published.IsZero() {
		return calendar.Yes, ""
	}
	if !q.Known.IsZero() && x.Published.After(q.Known) {
		return calendar.No, ""
	}
	is = x.From.Come(q.On, q.Minute)
	if is != calendar.No && !x.Until.IsZero() && (q.Known.IsZero() || !x.Ended.After(q.Known)) {
		switch x.Until.Come(q.On, q.Minute) {
		case calendar.Yes:
			is = calendar.No
		case calendar.Open:
			is = calendar.Open
		}
	}
	if is == calendar.No || len(x.For) == 0 {
		return is, ""
	}
	for _, k := range slices.Sorted(maps.Keys(x.For)) {
		text, known := "", false
		if q.Get != nil {
			text, known = q.Get(k)
		}
		switch {
		case !known && lacks == "":
			is, lacks = calendar.Open, k
		case known && text != x.For[k]:
			return calendar.No, ""
		}
	}
	return is, lacks
}

// The lengths of codes: chapters have two digits, national lines eight.
const (
	shortest = 2
	longest  = 8
)

// ParsePrefix returns the digits of a code of two to eight, with dots or spaces in it or
// not, and false for anything else.
func ParsePrefix(s string) (string, bool) {
	if plain(s) {
		return s, true
	}
	c, ok := codePrefix(s)
	return c, ok && len(c) >= shortest
}

// ParseCode returns the eight digits of a code written whole, with dots or spaces in it
// or not, and false for anything else.
func ParseCode(s string) (string, bool) {
	if plain(s) {
		return s, true // as lists and desks have it, without folding digits
	}
	c, ok := codePrefix(s)
	return c, ok && len(c) == 8
}

// codePrefix returns the digits of the beginning of a code.
func codePrefix(s string) (string, bool) {
	c := strings.NewReplacer(".", "", " ", "").Replace(lang.PlainDigits(strings.TrimSpace(s)))
	if c == "" || len(c) > 8 || strings.Trim(c, "0123456789") != "" {
		return "", false
	}
	return c, true
}

// FormatCode writes a code as statutes do: "0702.0000", "0702.00", "07". What is not a
// code stays as it is.
func FormatCode(code string) string {
	c, ok := ParsePrefix(code)
	if !ok {
		return code
	}
	if len(c) <= 4 {
		return c
	}
	return c[:4] + "." + c[4:]
}

// plain reports whether s is eight digits and nothing else.
func plain(s string) bool {
	if len(s) != 8 {
		return false
	}
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}
