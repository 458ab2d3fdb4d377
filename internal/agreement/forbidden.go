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

// forbiddenStems are beginnings of words, folded; forbiddenWords are whole words,
// where a beginning would catch harmless ones.
func forbiddenStems() []string {
	return []string{
		"religio", "relegio", "ethnic", "ethnie", "ethno", "racial", "denominat", "muslim", "moslem", "christian", "hindu", "shia", "shiit", "sunni",
		"jewish", "zoroastr", "bahai", "ahmadi", "sikh", "atheis", "baloch", "baluch", "pashtun", "pathan", "hazara", "persianethn",
		"politic", "ideolog", "mazhab", "madhhab", "qaumiyat", "ghowmiat", "nezhad",
		"مذهب", "دیانت", "عقید", "نژاد", "قومیت", "قومی", "نسلی", "سیاس", "شیعه", "سنی", "مسلم", "مسیحی", "هندو", "بلوچ", "پشتون", "هزاره",
	}
}

func forbiddenWords() []string {
	return []string{
		"race", "races", "faith", "creed", "sect", "tribe", "tribal", "caste", "clan", "din", "deen", "qaum", "zaat", "party_political", "opinion", "belief", "beliefs",
		"دین", "دینی", "قوم", "نسل", "ذات", "فرقه", "قبیله", "طایفه", "ایمان",
	}
}

// forbiddenIn returns the first forbidden word of a text, as it stands there.
func forbiddenIn(text string) (string, bool) {
	for _, w := range strings.FieldsFunc(text, func(c rune) bool { return !unicode.IsLetter(c) && !unicode.IsMark(c) && c != '\u200c' }) {
		f := strings.Join(strings.Fields(lang.Fold(w)), "")
		if slices.Contains(forbiddenWords(), f) {
			return w, true
		}
		for _, s := range forbiddenStems() {
			if strings.HasPrefix(f, strings.Join(strings.Fields(lang.Fold(s)), "")) {
				return w, true
			}
		}
	}
	return "", false
}

// forbidden faults attributes by which nobody may be judged, at their declaration and
// at each clause that reads one, and conditions that name such a thing in a text.
func (r *reader) forbidden() {
	e := r.e
	const mend = "take it out: no clause may read religion, ethnicity, race or political opinion"
	bad := map[string]string{}
	for _, id := range slices.Sorted(maps.Keys(e.Attributes)) {
		a := e.Attributes[id]
		texts := []string{splitCamel(id)}
		for _, tag := range slices.Sorted(maps.Keys(a.Name)) {
			texts = append(texts, a.Name[tag])
		}
		for _, t := range texts {
			if w, is := forbiddenIn(t); is {
				bad[id] = w
				r.file, r.owner = a.File, id
				r.fault(a.Line, fmt.Sprintf("attribute %s is about %q, by which nobody may be judged", id, w), mend)
				break
			}
		}
	}
	for _, c := range e.Clauses {
		r.file, r.owner = c.File, c.ID
		reads := c.When + " " + c.Require + " " + strings.Join(c.Of, " ") + " " + strings.Join(c.Fields, " ")
		if w, is := forbiddenIn(splitCamel(reads)); is {
			r.fault(c.Line, fmt.Sprintf("reads %q, by which nobody may be judged", w), mend)
			continue
		}
		for _, id := range slices.Sorted(maps.Keys(bad)) {
			if strings.Contains(" "+strings.NewReplacer("(", " ", ")", " ", "!", " ", ",", " ").Replace(reads)+" ", " "+id+" ") {
				r.fault(c.Line, fmt.Sprintf("reads %s, which is about %q", id, bad[id]), mend)
			}
		}
	}
}

// splitCamel parts "personReligion" into words.
func splitCamel(s string) string {
	var b strings.Builder
	for i, c := range s {
		if i > 0 && unicode.IsUpper(c) {
			b.WriteByte(' ')
		}
		b.WriteRune(c)
	}
	return b.String()
}
