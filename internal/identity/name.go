// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package identity

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Grade is how far two spellings of a name agree. It is advice to an officer who looks
// at two documents and a face, and never a refusal: names are spelt in two scripts by
// five authorities, and a program that knew better would shut people out.
type Grade uint8

// The grades of a comparison of names.
const (
	Unknown   Grade = iota // there is too little to compare
	Same                   // the same name, perhaps in another script or order
	Close                  // likely the same name, spelt or shortened differently
	Different              // not the same name, as far as letters tell
)

// String returns "unknown", "same", "close" or "different".
func (g Grade) String() string {
	return [...]string{"unknown", "same", "close", "different"}[min(int(g), 3)]
}

// Compare compares two names as two documents spell them: in Latin letters or in those of
// Arabic, Persian and Urdu, with the parts in any order.
//
// Same means that the letters agree: after folding in one script (accents as ICAO 9303
// part 3, section 6, or dropped), and by its transliteration of Arabic script between the
// two. Close means that every part of the shorter name is found in the longer one, and
// some only by their consonants ("حسین" and "Hussain"), by a letter ("Rahman", "Rehman"),
// or as an abbreviation or what a zone cut off ("A.", "CHRISTOPH"). One part alone says
// too little about a name of several and is Unknown, and so are initials alone and other
// scripts.
//
// Compare(a, b) is Compare(b, a).
func Compare(a, b string) Grade {
	x, y := parts(a), parts(b)
	if len(x) == 0 || len(y) == 0 {
		return Unknown
	}
	joined := join(x).exact(join(y))
	same := pair(x, y, part.exact)
	if joined || same == len(x) && same == len(y) {
		return Same
	}
	n := min(len(x), len(y))
	close := pair(x, y, part.near)
	full := pair(x, y, func(p, q part) bool { return p.near(q) && p.size > 1 && q.size > 1 })
	switch {
	case join(x).alike(join(y)):
		return Close
	case close == n && (full == 0 || n == 1 && len(x) != len(y)):
		return Unknown
	case close == n:
		return Close
	}
	return Different
}

// maxParts is how many parts of a name are looked at, and maxPart how many letters of a
// part. No document has more.
const maxParts, maxPart = 16, 64

// A part is one word of a name, in the forms in which it is compared.
type part struct {
	arabic bool
	forms  []string // folded spellings in its own script
	icao   string   // in the letters of the zone, see icao
	sound  string   // its consonants, see sound
	size   int      // letters
}

func newPart(w string) part {
	p := part{size: utf8.RuneCountInString(w)}
	if r, _ := utf8.DecodeRuneInString(w); unicode.Is(unicode.Arabic, r) {
		p.arabic = true
		p.forms = []string{fold(w)}
		p.icao = icao(w)
		p.sound = arabicSound(w)
		return p
	}
	p.forms = latinForms(w)
	p.icao = decode(p.forms[0])
	p.sound = latinSound(p.forms[0])
	return p
}

// exact reports whether two parts have the same letters.
func (p part) exact(q part) bool {
	if p.arabic != q.arabic {
		return p.icao == q.icao
	}
	return slices.ContainsFunc(p.forms, func(f string) bool { return slices.Contains(q.forms, f) })
}

// alike reports whether two parts sound alike.
func (p part) alike(q part) bool { return p.sound != "" && alike(p.sound, q.sound) }

// near reports whether two parts may be spellings of one name.
func (p part) near(q part) bool {
	if p.exact(q) || p.alike(q) {
		return true
	}
	if p.arabic != q.arabic {
		return false
	}
	for _, f := range p.forms {
		for _, g := range q.forms {
			if strings.HasPrefix(f, g) || strings.HasPrefix(g, f) || oneLetter(f, g) {
				return true
			}
		}
	}
	return false
}

// parts cuts a name into words. A word that holds a letter of another script makes the
// whole name unreadable: no parts.
func parts(name string) []part {
	var out []part
	for w := range strings.FieldsFuncSeq(clean(name), func(r rune) bool { return r == ' ' }) {
		latin, arabic := false, false
		for _, r := range w {
			switch {
			case unicode.Is(unicode.Latin, r):
				latin = true
			case unicode.Is(unicode.Arabic, r):
				arabic = true
			default:
				return nil
			}
		}
		if latin == arabic {
			return nil
		}
		if article(w) {
			continue
		}
		if r := []rune(w); len(r) > maxPart {
			w = string(r[:maxPart])
		}
		if out = append(out, newPart(w)); len(out) == maxParts {
			break
		}
	}
	return out
}

// join makes one part of several: people write "Abdul Rahman" and "Abdulrahman".
func join(ps []part) part {
	j := part{arabic: ps[0].arabic}
	forms := make([]string, 2)
	for _, p := range ps {
		forms[0] += p.forms[0]
		forms[1] += p.forms[len(p.forms)-1]
		j.icao += p.icao
		j.size += p.size
		if p.arabic != j.arabic {
			return part{} // two scripts in one name
		}
	}
	j.forms = slices.Compact(forms)
	if j.arabic {
		j.sound = arabicSound(j.forms[0])
	} else {
		j.sound = latinSound(j.forms[0])
	}
	return j
}

// pair returns how many parts of x can each have a part of y of its own that fits: the
// largest matching, by augmenting paths.
func pair(x, y []part, fits func(p, q part) bool) int {
	of := make([]int, len(y)) // the part of x that has the part of y, plus one
	n := 0
	for i := range x {
		seen := make([]bool, len(y))
		var find func(i int) bool
		find = func(i int) bool {
			for j := range y {
				if seen[j] || !fits(x[i], y[j]) {
					continue
				}
				seen[j] = true
				if of[j] == 0 || find(of[j]-1) {
					of[j] = i + 1
					return true
				}
			}
			return false
		}
		if find(i) {
			n++
		}
	}
	return n
}

// oneLetter reports whether two words of five letters and more differ by one letter that
// is another, more, or swapped with its neighbour.
func oneLetter(a, b string) bool {
	x, y := []rune(a), []rune(b)
	if len(x) > len(y) {
		x, y = y, x
	}
	if len(x) < 5 || len(y)-len(x) > 1 {
		return false
	}
	i := 0
	for i < len(x) && x[i] == y[i] {
		i++
	}
	if len(x) < len(y) {
		return slices.Equal(x[i:], y[i+1:])
	}
	if i == len(x) || slices.Equal(x[i+1:], y[i+1:]) {
		return true
	}
	return i+1 < len(x) && x[i] == y[i+1] && x[i+1] == y[i] && slices.Equal(x[i+2:], y[i+2:])
}
