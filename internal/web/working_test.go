// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"darwaza.dev/internal/lang"
	"darwaza.dev/internal/rules"
)

// TestWorkingInWords writes every line of working, of every amount of every scenario and one
// of each code, in each language: the figures stand in it, and in Persian and Urdu no Latin
// letter besides.
func TestWorkingInWords(t *testing.T) {
	p := newTestPost(t)
	texts := p.server.deps.Texts
	seen := map[string]int{}
	for _, name := range worked(t) {
		e, law := lawOf(t, name)
		lines := []rules.Working{}
		for _, code := range rules.Workings {
			lines = append(lines, rules.Working{Code: code, Name: "12", Text: "3.45", Of: "67"})
		}
		for _, r := range law.Test(e) {
			for _, v := range r.Verdicts {
				for _, a := range v.Amounts {
					lines = append(lines, a.Steps...)
				}
			}
		}
		for _, w := range lines {
			seen[w.Code]++
			for _, tag := range lang.Tags {
				got := isolates.Replace(p.server.working(tag, e, w))
				rest := got
				for _, x := range []string{w.Text, w.Of, w.Name} {
					switch {
					case x == "" || !strings.Contains(w.String(), x): // the code does not say it
					case strings.Contains(rest, x):
						rest = strings.Replace(rest, x, "", 1)
					case x != w.Name && w.Code != "due":
						t.Errorf("%s %+v in %s: %q", name, w, tag, got)
					}
				}
				if tag != lang.EN && strings.ContainsFunc(rest, func(r rune) bool { return unicode.Is(unicode.Latin, r) }) {
					t.Errorf("%s %+v in %s is told in English: %q", name, w, tag, got)
				}
			}
		}
	}
	if len(seen) != len(rules.Workings) {
		t.Errorf("%d codes of %d", len(seen), len(rules.Workings))
	}
	for _, code := range rules.Workings {
		if key := "ask.working." + code; !texts.Has(key) || len(texts.Missing(key)) > 0 {
			t.Errorf("%s has no words in %v", code, texts.Missing(key))
		}
		if seen[code] < len(worked(t)) {
			t.Errorf("%s was not written", code)
		}
	}
	// The document for programs has the codes too.
	document, err := apiFiles.ReadFile("openapi.yaml")
	p.must(err)
	m := regexp.MustCompile(`code: \{type: string, enum: \[(sum, [^\]]*)\]\}`).FindStringSubmatch(string(document))
	if m == nil || !slices.Equal(strings.Split(m[1], ", "), rules.Workings[:]) {
		t.Errorf("the document has %q, want %q", m, rules.Workings)
	}
}

// TestConditionsAreLabelled: on the page of the law each condition is named in the reader's
// language and stands from left to right, and no word of the program is left outside it.
func TestConditionsAreLabelled(t *testing.T) {
	p := newTestPost(t)
	item := regexp.MustCompile(`(?s)<ul class="plain program">(.*?)</ul>`)
	code := regexp.MustCompile(`(?s)<code class="code" dir="ltr" translate="no">.*?</code>`)
	for _, name := range worked(t) {
		_, p.law = lawOf(t, name)
		e := p.law.Editions()[0]
		for _, tag := range lang.Tags {
			p.now = p.now.Add(time.Second)
			body := p.get("/"+string(tag)+"/law?agreement="+e.ID+"&edition="+itoa(e.Number), "").body
			all := item.FindAllStringSubmatch(body, -1)
			if len(all) != len(e.Clauses) {
				t.Errorf("%s in %s: %d clauses of %d", name, tag, len(all), len(e.Clauses))
			}
			for _, m := range all {
				rest := text(code.ReplaceAllString(m[1], ""))
				if len(code.FindAllString(m[1], -1)) != strings.Count(m[1], "<li>") || tag != lang.EN && strings.ContainsFunc(rest, func(r rune) bool { return unicode.Is(unicode.Latin, r) }) {
					t.Fatalf("%s in %s: %s", name, tag, m[0])
				}
			}
		}
	}
}

// isolates takes away the marks that keep directions apart.
var isolates = strings.NewReplacer("\u2068", "", "\u2069", "")
