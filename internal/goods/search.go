// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package goods

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"darwaza.dev/internal/lang"
)

// terms are what a line is found by, all of it folded.
type terms struct {
	names []phrase // what the good is called, in any language
	words []phrase // what it is called besides
}

// A phrase is a name cut into words, and as one run of letters: people join and part
// the halves of a word ("سیب زمینی") as their keyboard lets them.
type phrase struct {
	words  []string
	joined string // the words without anything between
}

func newTerms(x Line) terms {
	var t terms
	for _, tag := range lang.Tags {
		t.names = append(t.names, phrases(x.Name[tag])...)
	}
	for _, s := range x.Words {
		t.words = append(t.words, phrases(s)...)
	}
	return t
}

// zwnj parts the halves of a Persian word without a space. Folding joins them.
const zwnj = "\u200c"

func phrases(s string) []phrase {
	var out []phrase
	for _, s := range [...]string{s, strings.ReplaceAll(s, zwnj, " ")} {
		if w := split(s); len(w) > 0 && (len(out) == 0 || !slices.Equal(w, out[0].words)) {
			out = append(out, phrase{w, strings.Join(w, "")})
		}
	}
	return out
}

// split cuts a text into folded words, at everything that is not a letter or a digit.
func split(s string) []string {
	return strings.FieldsFunc(lang.Fold(s), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}

// The weights of a match, from best to worst. Each is more than all worse ones of a
// query together, as a query is read for no more than maxWords words.
const (
	entire = 4 * 16 * 16 * 16 // the query is the whole name
	whole  = 4 * 16 * 16      // the word itself
	prefix = 4 * 16           // its beginning, as somebody types it
	inside = 4                // part of a longer run of letters, or its ending differs
	first  = 2                // added where it is the first word of the name
	named  = 1                // added where it is in the name, not in the words beside it
)

// maxWords is how many words of a query are read.
const maxWords = 8

// short is the fewest letters that are looked for inside words: two letters are inside
// nearly every word.
const short = 3

// Search returns the lines that fit the words, best first, at most limit of them. Words
// may be of any of the languages, in any spelling that lang.Fold makes one, whole or
// only begun; every one of them has to fit the line. Digits are the beginning of a
// code: "0702", "0702.00". No words find nothing.
//
// A line ranks by how its words fit: its whole name first, then whole words before begun
// ones before letters inside, the first word of a name before later ones, names before
// other words; then by code. The order does not depend on anything else.
func (l *List) Search(words string, limit int) []Line {
	if limit <= 0 {
		return nil
	}
	if code, ok := codePrefix(words); ok {
		return l.byCode(code, limit)
	}
	query := split(words)
	if len(query) == 0 {
		return nil
	}
	query = query[:min(len(query), maxWords)]
	type hit struct {
		score int
		line  int
	}
	var hits []hit
	for i := range l.lines {
		if l.hidden(i) {
			continue
		}
		if score := l.terms[i].score(query); score > 0 {
			hits = append(hits, hit{score, i})
		}
	}
	slices.SortFunc(hits, func(a, b hit) int { return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.line, b.line)) })
	var out []Line
	for _, h := range hits[:min(len(hits), limit)] {
		out = append(out, l.lines[h.line])
	}
	return out
}

// hidden reports whether a line is not shown to who looks for a good: it takes codes
// out, or says of the code before it what holds in another case.
func (l *List) hidden(i int) bool {
	return l.lines[i].Exclude || i > 0 && l.lines[i-1].Code == l.lines[i].Code && !l.lines[i-1].Exclude
}

func (l *List) byCode(code string, limit int) []Line {
	i, _ := slices.BinarySearchFunc(l.lines, code, func(x Line, c string) int { return cmp.Compare(x.Code, c) })
	var out []Line
	for ; i < len(l.lines) && len(out) < limit && strings.HasPrefix(l.lines[i].Code, code); i++ {
		if !l.hidden(i) {
			out = append(out, l.lines[i])
		}
	}
	return out
}

// score returns how well the line fits all words of a query, and 0 where a word fits
// nothing. The words may also be parts of one run of letters.
func (t terms) score(query []string) int {
	sum := 0
	for _, q := range query {
		best := t.best(func(p phrase) int { return p.word(q) })
		if best == 0 {
			sum = 0
			break
		}
		sum += best
	}
	joined := strings.Join(query, "")
	return max(sum, t.best(func(p phrase) int {
		if p.joined == joined {
			return entire
		}
		return p.run(joined)
	}))
}

func (t terms) best(score func(phrase) int) int {
	best := 0
	for _, p := range t.names {
		if s := score(p); s > 0 {
			best = max(best, s+named)
		}
	}
	for _, p := range t.words {
		best = max(best, score(p))
	}
	return best
}

// word scores one word of a query.
func (p phrase) word(q string) int {
	best := 0
	for i, w := range p.words {
		s := 0
		switch {
		case w == q:
			s = whole
		case strings.HasPrefix(w, q):
			s = prefix
		case utf8.RuneCountInString(w) > short && strings.HasPrefix(q, w):
			s = inside // "tomatoes" for "tomato"
		default:
			continue
		}
		if i == 0 {
			s += first
		}
		best = max(best, s)
	}
	if best == 0 {
		best = p.run(q)
	}
	return best
}

// run scores letters inside a word, or from the beginning of one into the next.
func (p phrase) run(q string) int {
	if utf8.RuneCountInString(q) < short {
		return 0
	}
	at := 0
	for _, w := range p.words {
		if strings.Contains(w, q) || strings.HasPrefix(p.joined[at:], q) {
			return inside
		}
		at += len(w)
	}
	return 0
}
