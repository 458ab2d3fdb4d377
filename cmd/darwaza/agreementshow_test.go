// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"html"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/goods"
	"darwaza.dev/internal/lang"
)

func wideEdition(t *testing.T) *agreement.Edition {
	t.Helper()
	e, faults := agreement.Check(os.DirFS(filepath.Join("..", "..", "internal", "agreement", "testdata", "wide")))
	if e == nil || len(faults.Errors()) > 0 {
		t.Fatal(faults)
	}
	return e
}

// said are all texts that an exported field of a value holds, in English where they are
// in several languages.
func said(v reflect.Value, out map[string]bool) {
	if x, ok := v.Interface().(lang.Text); ok {
		out[x.In(lang.EN)] = true
		return
	}
	switch v.Kind() {
	case reflect.String:
		out[v.String()] = true
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			said(v.Elem(), out)
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			said(v.Index(i), out)
		}
	case reflect.Map:
		for _, k := range v.MapKeys() {
			said(k, out)
			said(v.MapIndex(k), out)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			switch f.Name {
			case "File", "Files", "Line", "Anchor", "Tests", "Certificates", "Signatures", "Signers", "Schedules", "Status":
				continue // where it stands, what is told by other words, and what a reader does not sign
			}
			if _, line := v.Interface().(goods.Line); line && (f.Name == "Words" || f.Name == "Icon" || f.Name == "Unit") {
				continue // for finding and showing a good
			}
			if f.IsExported() {
				said(v.Field(i), out)
			}
		}
	}
}

// TestShowTellsAll wants every text of a package that has every kind of thing on the page
// that is to be signed, and in what the command prints.
func TestShowTellsAll(t *testing.T) {
	e := wideEdition(t)
	page, err := renderPage(e, lang.EN)
	if err != nil {
		t.Fatal(err)
	}
	var plain bytes.Buffer
	if err := showEdition(&plain, e, lang.EN); err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{}
	said(reflect.ValueOf(*e), want)
	if len(want) < 300 {
		t.Fatalf("only %d texts in the package", len(want))
	}
	texts := map[string]string{
		"page":  html.UnescapeString(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(string(page), "")),
		"plain": plain.String(),
	}
	for name, text := range texts {
		for s := range want {
			if l := goods.FormatCode(s); !strings.Contains(text, s) && !strings.Contains(text, l) && !strings.Contains(text, strings.TrimRight(s, "0")) {
				t.Errorf("%s does not say %q", name, s)
			}
		}
		for _, s := range []string{"5.25 km", "at least 50.5 kg and at most 1000 kg", "REFER instead"} {
			if !strings.Contains(text, s) {
				t.Errorf("%s does not say %q", name, s)
			}
		}
	}
}

// TestPageTellsClauses wants every field that a clause has at that clause, visible.
func TestPageTellsClauses(t *testing.T) {
	e := wideEdition(t)
	page, err := renderPage(e, lang.EN)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(page), "<details") || strings.Contains(string(page), "display: none") {
		t.Error("something of the page is hidden")
	}
	text := string(page)
	for _, c := range e.Clauses {
		_, own, _ := strings.Cut(text, `<article id="`+c.Anchor+`">`)
		own, _, _ = strings.Cut(own, "</article>")
		own = html.UnescapeString(own)
		for _, r := range e.Reading(c) {
			if !strings.Contains(own, "<b>"+r.Word+"</b> "+r.Value) || !strings.Contains(own, r.Means) {
				t.Errorf("%s does not say %s", c.ID, r)
			}
		}
	}
}
