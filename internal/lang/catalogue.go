// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package lang

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
)

// A file of texts is YAML, a mapping of keys to one text per language. A text with
// plurals has one form per CLDR category of its language:
//
//	booking.slot.full:
//	  en: This hour is full.
//	  fa: …
//	people.count:
//	  en: {one: "{n} person", other: "{n} people"}
//
// A name in braces is a placeholder. There is no way to write a brace that is not
// one, as no text has needed it.
//
//go:embed texts/*.yaml
var texts embed.FS

// ErrText is the error of texts that are not in order.
var ErrText = errors.New("lang: texts")

// Args are the values of a text's placeholders, by name.
type Args map[string]any

// A Catalogue holds texts in every language by key. It is immutable and may be used
// by many at once.
type Catalogue struct {
	entries map[string]*entry
}

// An entry is one key with its text in each language that has one.
type entry struct {
	texts [len(Tags)]*text
	where string // file:line, for errors
}

// A text is one text in one language.
type text struct {
	forms [plural.Many + 1][]piece // by CLDR category; Other is always there
	// picks is the placeholder whose number picks the form, empty without plurals.
	picks string
}

// A piece is a run of letters, or a placeholder.
type piece struct {
	plain string
	name  string
}

var categories = map[string]plural.Form{
	"zero": plural.Zero, "one": plural.One, "two": plural.Two,
	"few": plural.Few, "many": plural.Many, "other": plural.Other,
}

// cldr are the languages as the plural rules know them, in the order of Tags.
var cldr = [len(Tags)]language.Tag{language.English, language.Persian, language.Urdu}

// Load reads the texts of this build. A fault in any file is an error that names
// the file and the line.
func Load() (*Catalogue, error) {
	sub, err := fs.Sub(texts, "texts")
	if err != nil {
		return nil, err
	}
	return LoadFS(sub)
}

// LoadFS reads every *.yaml file at the root of fsys. A key may stand in one place
// of one file; its text has the same placeholders in every language.
func LoadFS(fsys fs.FS) (*Catalogue, error) {
	names, err := fs.Glob(fsys, "*.yaml")
	if err != nil {
		return nil, err
	}
	c := &Catalogue{entries: map[string]*entry{}}
	for _, name := range names {
		b, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, err
		}
		if err := c.read(name, b); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// Has reports whether there is a text for the key.
func (c *Catalogue) Has(key string) bool { return c.entries[key] != nil }

// Keys returns every key, sorted.
func (c *Catalogue) Keys() []string { return slices.Sorted(maps.Keys(c.entries)) }

// Missing returns the languages in which the key has no text: all of them for a key
// that there is not.
func (c *Catalogue) Missing(key string) []Tag {
	e := c.entries[key]
	var out []Tag
	for i, tag := range Tags {
		if e == nil || e.texts[i] == nil {
			out = append(out, tag)
		}
	}
	return out
}

// Placeholders returns the names of the placeholders of a key's text, sorted.
func (c *Catalogue) Placeholders(key string) []string {
	if e := c.entries[key]; e != nil {
		for _, t := range e.texts {
			if t != nil {
				return t.placeholders()
			}
		}
	}
	return nil
}

// Say returns the text of a key in a language, with the placeholders filled in. A
// text that the language lacks is given in English; a key that there is not is shown
// itself, and so is a placeholder without a value, so that the fault can be seen and
// named by whoever reads the page.
//
// A number of type int is a count: it picks the plural form, and is written in the
// language's digits and in groups of three. Dates, times of day, texts and amounts are
// formatted as well. A number that is no count, such as a card's, is given as a string.
//
// A string whose letters or digits run the other way is put between isolates, see
// isolate.
func (c *Catalogue) Say(tag Tag, key string, args Args) string {
	e := c.entries[key]
	if e == nil {
		return key
	}
	i := tag.index()
	t := e.texts[i]
	if t == nil {
		if i, t = 0, e.texts[0]; t == nil {
			return key
		}
		tag = EN
	}
	form := t.forms[plural.Other]
	if t.picks != "" {
		if n, ok := integer(args[t.picks]); ok {
			if f := t.forms[category(i, n)]; f != nil {
				form = f
			}
		}
	}
	if len(form) == 1 && form[0].name == "" {
		return form[0].plain
	}
	var b strings.Builder
	for _, p := range form {
		if p.name == "" {
			b.WriteString(p.plain)
			continue
		}
		v, ok := args[p.name]
		if !ok {
			b.WriteString("{" + p.name + "}")
			continue
		}
		b.WriteString(value(tag, v))
	}
	return b.String()
}

// category returns the CLDR category of a whole number in a language.
func category(language int, n int64) plural.Form {
	u := uint64(n)
	if n < 0 {
		u = -u
	}
	// No rule looks at more than six digits, and the library takes no number that
	// does not fit an int.
	if u >= 1_000_000 {
		u = 1_000_000 + u%1_000_000
	}
	return plural.Cardinal.MatchPlural(cldr[language], int(u), 0, 0, 0, 0)
}

// hasCategory reports whether some whole number is of the category in the language.
// The rules look no further than 200.
func hasCategory(language int, f plural.Form) bool {
	for n := range int64(200) {
		if category(language, n) == f {
			return true
		}
	}
	return false
}

// placeholders returns the names in all forms of the text, sorted.
func (t *text) placeholders() []string {
	var names []string
	for _, form := range t.forms {
		for _, p := range form {
			if p.name != "" {
				names = append(names, p.name)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

var (
	keyForm  = regexp.MustCompile(`^[a-z][a-z0-9-]*(\.[A-Za-z0-9][A-Za-z0-9_-]*)*$`)
	nameForm = regexp.MustCompile(`^[a-z][a-z0-9_.]*$`)
)

// pieces cuts a text at its placeholders.
func pieces(s string) ([]piece, error) {
	if strings.TrimSpace(s) == "" {
		return nil, errors.New("empty text")
	}
	var out []piece
	for s != "" {
		i := strings.IndexAny(s, "{}")
		if i < 0 {
			out = append(out, piece{plain: s})
			break
		}
		if i > 0 {
			out = append(out, piece{plain: s[:i]})
		}
		name, rest, ok := strings.Cut(s[i+1:], "}")
		if s[i] == '}' || !ok || !nameForm.MatchString(name) {
			return nil, fmt.Errorf("a brace in %q does not belong to a placeholder", s)
		}
		out = append(out, piece{name: name})
		s = rest
	}
	return out, nil
}

// setPlural makes t a text with plurals and finds the placeholder that picks the form:
// "n" where there is one, else the only one.
func (t *text) setPlural() error {
	if t.forms[plural.Other] == nil {
		return errors.New("no category other")
	}
	names := t.placeholders()
	switch {
	case slices.Contains(names, "n"):
		t.picks = "n"
	case len(names) == 1:
		t.picks = names[0]
	default:
		return errors.New("no placeholder n to pick the plural")
	}
	for _, n := range names {
		if !slices.ContainsFunc(t.forms[plural.Other], func(p piece) bool { return p.name == n }) {
			return fmt.Errorf("category other lacks {%s}", n)
		}
	}
	return nil
}

// agree holds the placeholders of the languages against each other.
func (e *entry) agree(key string) error {
	first := -1
	for i, t := range e.texts {
		switch {
		case t == nil:
		case first < 0:
			first = i
		case !slices.Equal(t.placeholders(), e.texts[first].placeholders()):
			return fmt.Errorf("%w: %s: %s has placeholders %v in %s and %v in %s", ErrText, e.where, key,
				e.texts[first].placeholders(), Tags[first], t.placeholders(), Tags[i])
		}
	}
	return nil
}
