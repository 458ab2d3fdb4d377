// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

// Package lang holds words for readers: texts in each language, plurals, digits,
// dates and amounts, and the folding by which words are searched.
package lang

// Tag names a language, such as "en".
type Tag string

// The languages of the pages.
const (
	EN Tag = "en"
	FA Tag = "fa"
	UR Tag = "ur"
)

// Tags lists the languages in the order in which pages offer them.
var Tags = [...]Tag{EN, FA, UR}

// ParseTag returns the language that s names, and false where pages do not have it.
func ParseTag(s string) (Tag, bool) {
	for _, t := range Tags {
		if string(t) == s {
			return t, true
		}
	}
	return EN, false
}

// index is the language's place in Tags; that of English for a language that is not
// there.
func (t Tag) index() int {
	for i, l := range Tags {
		if l == t {
			return i
		}
	}
	return 0
}

// RTL reports whether the language is written from right to left.
func (t Tag) RTL() bool { return t == FA || t == UR }

// Dir returns the value of HTML's dir attribute: "ltr" or "rtl".
func (t Tag) Dir() string {
	if t.RTL() {
		return "rtl"
	}
	return "ltr"
}

// Text is one text in each language that it was written in.
type Text map[Tag]string

// In returns the text in the language, else in English, else in any.
func (t Text) In(tag Tag) string {
	if s := t[tag]; s != "" {
		return s
	}
	if s := t[EN]; s != "" {
		return s
	}
	for _, l := range Tags {
		if s := t[l]; s != "" {
			return s
		}
	}
	return ""
}
