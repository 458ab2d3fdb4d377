// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

// Package goods holds lists of goods by tariff code: the lines of a list, their
// categories and rates, and how a person finds one by code, by words or by picture.
package goods

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"darwaza.dev/internal/lang"
)

// ErrList is the error of a list that is not in order.
var ErrList = errors.New("goods: list")

// A Line is one line of a list.
type Line struct {
	// Code is eight digits, without the dot that statutes write after the fourth.
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
}

// A List is a list of goods. It is immutable once made and may be used by many at once.
type List struct {
	ID       string
	Title    lang.Text
	lines    []Line
	terms    []terms // of the line at the same place
	pictures []Line
}

// NewList checks lines and makes them ready to be searched. It refuses a code that is
// none, one that stands twice, a line without a category or a name, and a rate below
// zero. Codes may be written with their dot; the list keeps them without.
func NewList(id string, title lang.Text, lines []Line) (*List, error) {
	l := &List{ID: id, Title: title, lines: slices.Clone(lines)}
	for i := range l.lines {
		x := &l.lines[i]
		code, ok := ParseCode(x.Code)
		switch {
		case !ok:
			return nil, fmt.Errorf("%w %s: %q is not a code of eight digits", ErrList, id, x.Code)
		case x.Category == "":
			return nil, fmt.Errorf("%w %s: %s has no category", ErrList, id, code)
		case x.Name.In(lang.EN) == "":
			return nil, fmt.Errorf("%w %s: %s has no name", ErrList, id, code)
		case x.Rate < 0:
			return nil, fmt.Errorf("%w %s: %s has a rate below zero", ErrList, id, code)
		}
		x.Code = code
	}
	slices.SortFunc(l.lines, func(a, b Line) int { return cmp.Compare(a.Code, b.Code) })
	for i, x := range l.lines {
		if i > 0 && x.Code == l.lines[i-1].Code {
			return nil, fmt.Errorf("%w %s: %s stands twice", ErrList, id, x.Code)
		}
		l.terms = append(l.terms, newTerms(x))
		if x.Icon != "" {
			l.pictures = append(l.pictures, x)
		}
	}
	return l, nil
}

// Lines returns the lines in the order of their codes. The caller must not change them.
func (l *List) Lines() []Line { return l.lines }

// Pictures returns the lines of the short picture list, those with an icon, in the
// order of their codes. The caller must not change them.
func (l *List) Pictures() []Line { return l.pictures }

// Find returns the line of a code, written "07020000" or "0702.0000" and in the digits
// of any of the languages.
func (l *List) Find(code string) (Line, bool) {
	c, ok := ParseCode(code)
	if !ok {
		return Line{}, false
	}
	i, ok := slices.BinarySearchFunc(l.lines, c, func(x Line, c string) int { return cmp.Compare(x.Code, c) })
	if !ok {
		return Line{}, false
	}
	return l.lines[i], true
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

// FormatCode writes a code as statutes do: "0702.0000". What is not a code stays as it is.
func FormatCode(code string) string {
	c, ok := ParseCode(code)
	if !ok {
		return code
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
