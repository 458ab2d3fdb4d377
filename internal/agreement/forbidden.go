// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package agreement

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"darwaza.dev/internal/lang"
)

// What nobody may be judged by: religion, ethnicity, race, political opinion. The
// check is on words, in the languages of the pages, so it can be outwitted by somebody
// who means to; it is there so that nobody does it without noticing, and the names of
// attributes stand in every published package for all to read.

// forbiddenParts are found anywhere in a word, folded, so that "usersreligion" is;
// forbiddenStems are beginnings of words, and forbiddenWords whole words, where less
// would catch harmless ones.
func forbiddenParts() []string {
	return []string{"religi", "religo", "ethnic", "ethinic", "racial", "politic", "politcal", "muslim", "mazhab", "madhhab", "مذهب", "نژاد", "قومیت"}
}

func forbiddenStems() []string {
	return []string{
		"relegio", "ethnie", "ethno", "denominat", "moslem", "christian", "hindu", "shia", "shiit", "sunni",
		"jewish", "zoroastr", "bahai", "ahmadi", "sikh", "atheis", "baloch", "baluch", "pashtun", "pathan", "hazara", "persianethn",
		"partisan", "ideolog", "qaumiyat", "ghowmiat", "nezhad",
		"دیانت", "عقید", "قومی", "نسلی", "سیاس", "شیعه", "سنی", "مسلم", "مسیحی", "هندو", "بلوچ", "پشتون", "هزاره",
	}
}

func forbiddenWords() []string {
	return []string{
		"race", "races", "faith", "creed", "sect", "tribe", "tribal", "caste", "clan", "castes", "tribes", "faiths", "church", "worship", "din", "deen", "qaum", "zaat", "party_political", "opinion", "belief", "beliefs",
		"دین", "دینی", "قوم", "نسل", "ذات", "فرقه", "قبیله", "طایفه", "ایمان",
	}
}

// guard finds forbidden words. Its lists are folded once.
type guard struct {
	words, stems, parts []string
	seen                map[string]bool // words that were looked at
}

func newGuard() *guard {
	g := &guard{seen: map[string]bool{}}
	fold := func(list []string) []string {
		out := make([]string, len(list))
		for i, s := range list {
			out[i] = strings.Join(strings.Fields(lang.Fold(s)), "")
		}
		return out
	}
	g.words, g.stems, g.parts = fold(forbiddenWords()), fold(forbiddenStems()), fold(forbiddenParts())
	return g
}

// in returns the first forbidden word of a text, as it stands there.
func (g *guard) in(text string) (string, bool) {
	for _, w := range strings.FieldsFunc(text, func(c rune) bool { return !unicode.IsLetter(c) && !unicode.IsMark(c) && c != '\u200c' }) {
		bad, looked := g.seen[w]
		if !looked {
			bad = g.word(strings.Join(strings.Fields(lang.Fold(w)), ""))
			if len(g.seen) < maxSeen {
				g.seen[w] = bad
			}
		}
		if bad {
			return w, true
		}
	}
	return "", false
}

const maxSeen = 1 << 14 // words that are remembered

func (g *guard) word(f string) bool {
	return slices.Contains(g.words, f) ||
		slices.ContainsFunc(g.stems, func(s string) bool { return strings.HasPrefix(f, s) }) ||
		slices.ContainsFunc(g.parts, func(s string) bool { return strings.Contains(f, s) })
}

// forbidden faults attributes by which nobody may be judged, at their declaration and
// at each clause that reads one, and conditions that name such a thing in a text.
func (r *reader) forbidden() {
	e := r.e
	const mend = "take it out: no clause may read religion, ethnicity, race or political opinion"
	bad, g := map[string]string{}, newGuard()
	for _, id := range slices.Sorted(maps.Keys(e.Attributes)) {
		a := e.Attributes[id]
		texts := []string{splitCamel(id)}
		for _, v := range a.Values {
			texts = append(texts, splitCamel(v))
		}
		for _, tag := range slices.Sorted(maps.Keys(a.Name)) {
			texts = append(texts, a.Name[tag])
		}
		for _, t := range texts {
			if w, is := g.in(t); is {
				bad[id] = w
				r.file, r.owner = a.File, id
				r.fault(a.Line, fmt.Sprintf("attribute %s is about %q, by which nobody may be judged", id, w), mend)
				break
			}
		}
	}
	for _, c := range e.Clauses {
		r.file, r.owner = c.File, c.ID
		reads := slices.Concat(c.expressions(), c.Of, c.Fields, c.Groups, c.Never, []string{c.Sum, c.Measure, c.Attribute, c.Amount})
		if t := e.Tables[c.Table]; t != nil {
			for _, in := range t.Inputs {
				reads = append(reads, in.Name, in.Of)
			}
		}
		if w, is := g.in(splitCamel(strings.Join(reads, " "))); is {
			r.fault(c.Line, fmt.Sprintf("reads %q, by which nobody may be judged", w), mend)
			continue
		}
		for _, id := range e.ReadBy(c) {
			if bad[id] != "" {
				r.fault(c.Line, fmt.Sprintf("reads %s, which is about %q", id, bad[id]), mend)
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(e.RuleSets)) {
		s := e.RuleSets[id]
		r.file, r.owner = s.File, id
		for _, x := range s.Rules.Rules() {
			if w, is := g.in(splitCamel(strings.Join(x.Logic.Paths(), " "))); is {
				r.fault(s.Line, fmt.Sprintf("rule %s reads %q, by which nobody may be judged", x.ID, w), mend)
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(e.Values)) {
		r.file, r.owner = e.lineFile[id], id
		for _, v := range slices.Sorted(maps.Keys(e.Values[id])) {
			if w, is := g.in(splitCamel(v)); is {
				r.fault(1, fmt.Sprintf("lists %q, by which nobody may be judged", w), mend)
				break
			}
		}
	}
}

// splitCamel parts "personRace" into words, and leaves "RACE" whole.
func splitCamel(s string) string {
	var b strings.Builder
	var last rune
	for _, c := range s {
		if unicode.IsUpper(c) && unicode.IsLower(last) {
			b.WriteByte(' ')
		}
		b.WriteRune(c)
		last = c
	}
	return b.String()
}
