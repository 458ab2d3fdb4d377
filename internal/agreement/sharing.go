// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package agreement

import (
	"fmt"
	"slices"
	"strings"

	"darwaza.dev/internal/lang"
)

// Readers of what a side records, besides itself.
const (
	WithOther   = "other"   // the other side
	WithAuditor = "auditor" // auditors, of either side
)

func withWords() []string { return []string{WithOther, WithAuditor} }

// Share is a clause of sharing/: which fields of which facts go to whom. What no clause
// gives stays with the side that recorded it.
type Share struct {
	ID     string
	Text   lang.Text
	Facts  []string // kinds, such as "booking.cancelled", or "booking.*"
	Fields []string // such as "Slot" or "Members[].Pass"; all where there is none
	With   []string // WithOther, WithAuditor
	Source string
	Line   int
	File   string
}

// Covers reports whether the clause speaks of a kind of fact.
func (s Share) Covers(kind string) bool {
	for _, f := range s.Facts {
		if group, all := strings.CutSuffix(f, ".*"); f == kind || all && strings.HasPrefix(kind, group+".") {
			return true
		}
	}
	return false
}

// Told returns the fields that the clause gives, "all" where it names none.
func (s Share) Told() []string {
	if len(s.Fields) == 0 {
		return []string{"all"}
	}
	return s.Fields
}

func (r *reader) share(line int, x rawShare) {
	r.owner = x.ID
	r.id(line, "sharing", x.ID)
	r.declare("sharing", x.ID, line)
	r.text(line, "text", trim(x.Text))
	if strings.TrimSpace(x.Source) == "" {
		r.fault(line, "source is missing", "name where the sides have agreed to tell each other so")
	}
	for _, list := range []struct {
		what string
		of   []string
		ok   func(string) bool
		mend string
	}{
		{"facts", x.Facts, factName, `name kinds of facts, such as booking.cancelled, or booking.* for all of a desk`},
		{"fields", x.Fields, fieldName, `name fields of the facts, such as Slot or Members[].Pass`},
		{"with", x.With, func(s string) bool { return slices.Contains(withWords(), s) }, "write other, auditor or both"},
	} {
		if len(list.of) == 0 && list.what != "fields" || len(list.of) > maxItems {
			r.fault(line, fmt.Sprintf("%s: %d of them", list.what, len(list.of)), list.mend)
			return
		}
		for i, s := range list.of {
			if !list.ok(s) || slices.Contains(list.of[:i], s) {
				r.fault(line, fmt.Sprintf("%s %q", list.what, s), list.mend)
			}
		}
	}
	r.e.Shares[x.ID] = Share{ID: x.ID, Text: trim(x.Text), Facts: x.Facts, Fields: x.Fields, With: x.With, Source: strings.TrimSpace(x.Source), Line: line, File: r.file}
}

// factName reports whether a text could be a kind of fact: two words with a dot between,
// the second of which may be a star.
func factName(s string) bool {
	desk, kind, ok := strings.Cut(s, ".")
	return ok && len(s) <= 64 && word(desk, "abcdefghijklmnopqrstuvwxyz_") && (kind == "*" || word(kind, "abcdefghijklmnopqrstuvwxyz_"))
}

// fieldName reports whether a text could be a field: names with dots between, each with
// [] behind it where it is of every element.
func fieldName(s string) bool {
	for part := range strings.SplitSeq(s, ".") {
		if !word(strings.TrimSuffix(part, "[]"), "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") {
			return false
		}
	}
	return len(s) <= 100
}

func word(s, letters string) bool { return s != "" && strings.Trim(s, letters) == "" }
