// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package lang

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Fold returns s as search compares it: one spelling for what people do not tell
// apart, or cannot type on the keyboard at hand. It is for comparing and never shown.
//
//   - Arabic, Persian and Urdu forms of one letter are the Persian one: ي ى ے as ی,
//     ك as ک, ہ ھ ة ۃ ۀ as ه, أ إ آ ٱ as ا, ؤ as و, ئ as ی, ں as ن.
//   - Marks are dropped: harakat, tashdid, hamza above, accents of Latin letters, tatweel.
//   - Characters without a width are dropped: ZWNJ, ZWJ, marks of direction.
//   - Digits are 0 to 9, Latin letters are small, forms of presentation and of width are
//     plain ones.
//   - A run of spaces is one space, and none stands at either end.
//
// Letters that are different words to a reader stay apart: ٹ and ت, ڑ and ر, گ and ک.
// Folding twice changes nothing.
func Fold(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	space := false
	for _, r := range norm.NFKD.String(s) {
		if unicode.IsSpace(r) {
			space = b.Len() > 0
			continue
		}
		if r = foldRune(r); r < 0 {
			continue
		}
		if space {
			b.WriteByte(' ')
			space = false
		}
		b.WriteRune(r)
	}
	return b.String()
}

// foldRune returns the folded form of a decomposed rune, and -1 where it is dropped.
func foldRune(r rune) rune {
	switch r {
	case 'ي', 'ى', 'ے', 'ې', 'ۍ', 'ێ':
		return 'ی'
	case 'ك', 'ڪ':
		return 'ک'
	case 'ہ', 'ھ', 'ة', 'ۃ', 'ە', 'ۿ':
		return 'ه'
	case 'ٱ', 'ٲ', 'ٳ':
		return 'ا'
	case 'ں':
		return 'ن'
	case 'ء', 'ـ':
		return -1
	}
	if d, ok := digit(r); ok {
		return d
	}
	if unicode.In(r, unicode.Mn, unicode.Cf) {
		return -1
	}
	return unicode.ToLower(r)
}

// digit returns the plain form of an Arabic-Indic digit (U+0660) or of an extended
// one (U+06F0), which Persian and Urdu share.
func digit(r rune) (rune, bool) {
	switch {
	case r >= '٠' && r <= '٩':
		return r - '٠' + '0', true
	case r >= '۰' && r <= '۹':
		return r - '۰' + '0', true
	}
	return r, false
}

// PlainDigits returns s with Arabic-Indic and extended digits as 0 to 9, and nothing
// else changed.
func PlainDigits(s string) string {
	return strings.Map(func(r rune) rune {
		r, _ = digit(r)
		return r
	}, s)
}
