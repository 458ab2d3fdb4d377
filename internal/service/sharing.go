// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package service

import (
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/cose"
	"darwaza.dev/internal/fact"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/record"
)

// Sharing is who may read which fields of which kind of fact, as an edition's clauses of
// sharing say. A kind that none names is its side's alone.
type Sharing map[string]*record.Share

// NewSharing reads the clauses of an edition for the facts that a codec knows. A clause
// that names no field of any fact that it covers is a problem of kind invalid: a field that
// was misspelt would stay untold. Kinds of which this build knows nothing are passed over.
func NewSharing(e *agreement.Edition, codec *fact.Codec) (Sharing, error) {
	s := Sharing{}
	for _, id := range slices.Sorted(maps.Keys(e.Shares)) {
		c := e.Shares[id]
		var to record.Reader
		for _, w := range c.With {
			switch w {
			case agreement.WithOther:
				to |= record.OtherSide
			case agreement.WithAuditor:
				to |= record.Auditors
			}
		}
		known, found := false, map[string]bool{}
		for _, kind := range codec.Kinds() {
			if !c.Covers(kind) {
				continue
			}
			known = true
			share := s[kind]
			if share == nil {
				share = &record.Share{}
				s[kind] = share
			}
			if len(c.Fields) == 0 {
				give(share, to)
				continue
			}
			f, _ := codec.Zero(kind)
			for _, name := range c.Fields {
				found[name] = name != "" && giveField(share, reflect.TypeOf(f).Elem(), strings.Split(name, "."), to) || found[name]
			}
		}
		for _, name := range c.Fields {
			if known && !found[name] {
				return nil, problem.Newf(problem.Invalid, "sharing.field", "%s: clause %s: none of %s has a field %s", c.File, id, strings.Join(c.Facts, ", "), name)
			}
		}
	}
	return s, nil
}

// give adds readers of something and of all that is in it.
func give(s *record.Share, to record.Reader) {
	s.To |= to
	for _, f := range s.Fields {
		give(f, to)
	}
}

// giveField adds readers of the field that a path names, and reports whether there is one.
func giveField(s *record.Share, t reflect.Type, path []string, to record.Reader) bool {
	name, list := strings.CutSuffix(path[0], "[]")
	t = inner(t)
	if t.Kind() != reflect.Struct {
		return false
	}
	if whole, ok := t.FieldByName("_"); ok && strings.Contains(whole.Tag.Get("cbor"), "toarray") {
		return false // it is told as a whole
	}
	f, ok := t.FieldByName(name)
	if !ok || !f.IsExported() || f.Anonymous || len(f.Index) > 1 {
		return false
	}
	key, ok := cborKey(f)
	if kind := f.Type.Kind(); !ok || list != (kind == reflect.Slice && f.Type.Elem().Kind() != reflect.Uint8) {
		return false
	}
	if s.Fields == nil {
		s.Fields = map[string]*record.Share{}
	}
	field := s.Fields[string(key)]
	if field == nil {
		field = &record.Share{To: s.To}
	}
	if len(path) == 1 {
		give(field, to)
	} else if !giveField(field, f.Type, path[1:], to) {
		return false
	}
	s.Fields[string(key)] = field
	return true
}

// inner is the type of the elements of lists and pointers.
func inner(t reflect.Type) reflect.Type {
	for t.Kind() == reflect.Slice || t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t
}

// cborKey returns the encoded key of a field, and false where it has none of its own.
func cborKey(f reflect.StructField) ([]byte, bool) {
	tag, options, _ := strings.Cut(f.Tag.Get("cbor"), ",")
	if strings.Contains(options, "keyasint") {
		n, err := strconv.ParseInt(tag, 10, 64)
		return cose.AppendInt(nil, n), err == nil
	}
	if tag == "" {
		tag = f.Name
	}
	return cose.AppendText(nil, tag), tag != "-"
}

// SharingAt returns how a law shares facts at a time: by its sharing clauses in force then.
// Without any nothing is shared.
type SharingAt func(now time.Time) Sharing

// SharingOf compiles the sharing clauses of every edition of one agreement.
func SharingOf(law *Law, id string, codec *fact.Codec) (SharingAt, error) {
	by := map[agreement.Hash]Sharing{}
	for _, e := range law.Editions() {
		if e.ID != id {
			continue
		}
		s, err := NewSharing(e, codec)
		if err != nil {
			return nil, err
		}
		by[e.Hash] = s
	}
	return func(now time.Time) Sharing {
		e, ok := law.EditionOf(id, now)
		if !ok {
			return nil
		}
		return by[e.Hash]
	}, nil
}
