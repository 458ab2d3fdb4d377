// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package service

import (
	"bytes"
	"io/fs"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"darwaza.dev/agreements"
	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/fact"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/record"
)

// told returns the fields that a reader gets of a fact, by the paths of testdata/facts.txt,
// as far as they are set.
func told(t *testing.T, codec *fact.Codec, kind string, parts []record.Part, to record.Reader) map[string]bool {
	t.Helper()
	var bodies [][]byte
	for _, p := range parts {
		if to == 0 || record.Allowed(p.Group, to) {
			bodies = append(bodies, p.Body)
		}
	}
	body, err := record.Join(bodies...)
	if err != nil {
		t.Fatal(kind, err)
	}
	f, err := codec.Decode(kind, body)
	if err != nil {
		t.Fatal(kind, err)
	}
	set := map[string]bool{}
	leaves(reflect.ValueOf(f).Elem(), kind, func(path string, v reflect.Value) {
		if !v.IsZero() {
			set[path] = true
		}
	})
	return set
}

// full returns a fact of a kind with every field set, and its body.
func full(t *testing.T, codec *fact.Codec, kind string) []byte {
	t.Helper()
	f, ok := codec.Zero(kind)
	if !ok {
		t.Fatal(kind)
	}
	fillIn(reflect.ValueOf(f).Elem(), 1)
	body, err := codec.Encode(f)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// TestSharingTellsEachFieldAlone walks every kind of fact and every field of it: where a
// clause shares the one field, the other side gets that field and no other, and auditors
// get nothing at all.
func TestSharingTellsEachFieldAlone(t *testing.T) {
	codec := NewCodec()
	kinds := map[string][]string{}
	for path := range declaredFacts(t) {
		desk, rest, _ := strings.Cut(path, ".")
		name, field, _ := strings.Cut(rest, ".")
		kinds[desk+"."+name] = append(kinds[desk+"."+name], field)
	}
	walked := 0
	for _, kind := range codec.Kinds() {
		body := full(t, codec, kind)
		all := told(t, codec, kind, record.Split(body, nil), 0)
		for _, field := range kinds[kind] {
			// What is told as a whole: the entries of a map, the key that several fields make, a row.
			name, _, _ := strings.Cut(field, "{")
			name, _, _ = strings.Cut(name, ".ReasonKey")
			edition := &agreement.Edition{Shares: map[string]agreement.Share{"s": {Facts: []string{kind}, Fields: []string{name}, With: []string{agreement.WithOther}}}}
			sharing, err := NewSharing(edition, codec)
			for err != nil && strings.Contains(name, ".") {
				name = name[:strings.LastIndex(name, ".")]
				edition.Shares["s"] = agreement.Share{Facts: []string{kind}, Fields: []string{name}, With: []string{agreement.WithOther}}
				sharing, err = NewSharing(edition, codec)
			}
			if err != nil {
				t.Errorf("%s.%s: %v", kind, field, err)
				continue
			}
			parts := record.Split(body, sharing[kind])
			under := func(path string) bool {
				rest, ok := strings.CutPrefix(path, kind+"."+name)
				return ok && (rest == "" || strings.HasPrefix(rest, ".") || strings.HasPrefix(rest, "{"))
			}
			other := told(t, codec, kind, parts, record.OtherSide)
			for path := range all {
				if other[path] != under(path) {
					t.Errorf("%s is shared, and the other side gets %s: %v", name, path, other[path])
				}
			}
			if got := told(t, codec, kind, parts, record.Auditors); len(got) > 0 {
				t.Errorf("%s.%s is shared with the other side, and auditors get %v", kind, name, got)
			}
			if got := told(t, codec, kind, parts, 0); !maps.Equal(got, all) {
				t.Errorf("%s.%s: the side itself loses a field", kind, name)
			}
			walked++
		}
	}
	if walked < 400 {
		t.Errorf("only %d fields were walked", walked)
	}
}

// TestSharingOfThePackages holds the clauses of the packages that come with the program:
// they name fields that there are, and nothing by which a person or an officer could be
// found leaves a side.
func TestSharingOfThePackages(t *testing.T) {
	codec := NewCodec()
	classes := declaredFacts(t)
	dirs, err := fs.ReadDir(agreements.FS, ".")
	if err != nil {
		t.Fatal(err)
	}
	given := map[string]bool{}
	for _, d := range dirs {
		sub, err := fs.Sub(agreements.FS, d.Name())
		if err != nil {
			t.Fatal(err)
		}
		e, err := agreement.Load(sub)
		if err != nil {
			t.Fatal(err)
		}
		sharing, err := NewSharing(e, codec)
		if err != nil {
			t.Fatal(err)
		}
		for kind, share := range sharing {
			parts := record.Split(full(t, codec, kind), share)
			for _, to := range []record.Reader{record.OtherSide, record.Auditors} {
				for path := range told(t, codec, kind, parts, to) {
					given[kind] = true
					if slices.Contains([]string{"officer", "ref", "receipt", "sealed", "tag", "document", "country", "age", "question", "login"}, classes[path]) {
						t.Errorf("%s: %s (%s) leaves the side", d.Name(), path, classes[path])
					}
				}
			}
		}
	}
	if len(given) < 20 {
		t.Errorf("only %d kinds of facts are shared by any package", len(given))
	}
}

// TestSharingRefuses refuses a clause that names no field, and passes over kinds of later.
func TestSharingRefuses(t *testing.T) {
	codec := NewCodec()
	share := func(s agreement.Share) (Sharing, error) {
		s.With = []string{agreement.WithAuditor}
		return NewSharing(&agreement.Edition{Shares: map[string]agreement.Share{"s": s}}, codec)
	}
	for _, s := range []agreement.Share{
		{Facts: []string{"booking.booked"}, Fields: []string{"Slott"}},
		{Facts: []string{"booking.booked"}, Fields: []string{"Members.Pass"}},
		{Facts: []string{"booking.booked"}, Fields: []string{"Slot[]"}},
		{Facts: []string{"booking.booked"}, Fields: []string{"Slot.Site"}},
		{Facts: []string{"booking.*"}, Fields: []string{"Slot", "Values[]"}},
	} {
		if _, err := share(s); problem.CodeOf(err) != "sharing.field" {
			t.Errorf("%v of %v: %v", s.Fields, s.Facts, err)
		}
	}
	if s, err := share(agreement.Share{Facts: []string{"later.kind"}, Fields: []string{"New"}}); err != nil || len(s) != 0 {
		t.Errorf("a kind of later: %v, %v", s, err)
	}
	s, err := share(agreement.Share{Facts: []string{"booking.*"}})
	if err != nil {
		t.Fatal(err)
	}
	body := full(t, codec, "booking.booked")
	if parts := record.Split(body, s["booking.booked"]); len(parts) != 1 || parts[0].Group != "auditor" || !bytes.Equal(parts[0].Body, body) {
		t.Errorf("a whole desk shared with auditors: %v", parts)
	}
	if parts := record.Split(body, s["gate.scanned"]); len(parts) != 1 || parts[0].Group != "own" {
		t.Errorf("a desk that is not shared: %v", parts)
	}
}
