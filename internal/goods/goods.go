// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

// Package goods holds lists of goods by tariff code: the lines of a list, their
// categories and rates, and how a person finds one by code, by words or by picture.
package goods

import "darwaza.dev/internal/lang"

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

// A List is a list of goods. It is immutable once made.
type List struct {
	ID    string
	Title lang.Text
	lines []Line
}

// Lines returns the lines in the order of their codes. The caller must not change them.
func (l *List) Lines() []Line { return l.lines }

// NewList returns the list of the given lines. It refuses a code that is not eight
// digits or stands twice.
func NewList(id string, title lang.Text, lines []Line) (*List, error) {
	return &List{ID: id, Title: title, lines: lines}, nil
}

// Find returns the line of a code, written "07020000" or "0702.0000".
func (l *List) Find(code string) (Line, bool) { return Line{}, false }

// Search returns the lines that fit the words, best first, at most limit of them.
func (l *List) Search(words string, limit int) []Line { return nil }

// Pictures returns the lines of the short picture list, in the order of their codes.
func (l *List) Pictures() []Line { return nil }

// FormatCode writes a code as statutes do: "0702.0000".
func FormatCode(code string) string { return code }
