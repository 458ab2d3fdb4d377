// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"mime"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/rules"
)

// apiVerdict answers a question to the law with the verdict's canonical bytes or, where
// the address has ?explain, with all that is behind it. Nothing is kept of either.
func (s *server) apiVerdict(w http.ResponseWriter, r *request) error {
	explain, err := pressed(r, "explain")
	if err != nil {
		return err
	}
	if t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || t != "application/json" {
		return problem.New(problem.Invalid, "content-type")
	}
	b, err := io.ReadAll(r.Body)
	if err != nil {
		if big := (*http.MaxBytesError)(nil); errors.As(err, &big) {
			return problem.New(problem.Limit, "body")
		}
		return problem.New(problem.Invalid, "body.broken")
	}
	law := s.deps.Law()
	q, err := s.question(law, b)
	if err != nil {
		return err
	}
	if err := s.asks(r, askCost(q, explain)); err != nil {
		return err
	}
	var out []byte
	if explain {
		x := law.Explain(q)
		if out, err = json.Marshal(x); err != nil {
			return err
		}
	} else {
		out = law.Check(q).Bytes()
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(out)))
	_, _ = w.Write(out)
	return nil
}

// pressed reads an address parameter that is there or not: "?explain", "?explain=true".
func pressed(r *request, name string) (bool, error) {
	q := r.URL.Query()
	if !q.Has(name) {
		return false, nil
	}
	switch q.Get(name) {
	case "", "true", "1":
		return true, nil
	case "false", "0":
		return false, nil
	}
	return false, problem.Field(name, "flag")
}

// question reads a question as rules.ParseQuery does. What a server is asked by a stranger
// is held to more: an attribute that the edition in force does not declare, and a text
// that is none of the closed set of its attribute, are problems and not passed over. A
// problem names a field only where its name is the agreement's or ours.
func (s *server) question(law *rules.Law, b []byte) (rules.Query, error) {
	var all map[string]json.RawMessage
	d := json.NewDecoder(bytes.NewReader(b))
	if err := d.Decode(&all); err != nil || all == nil || d.More() {
		return rules.Query{}, problem.New(problem.Invalid, "json")
	}
	id := ""
	if raw, ok := all["agreement"]; ok {
		if err := json.Unmarshal(raw, &id); err != nil {
			return rules.Query{}, problem.Field("agreement", "agreement.unknown")
		}
		delete(all, "agreement")
		var err error
		if b, err = json.Marshal(all); err != nil {
			return rules.Query{}, problem.New(problem.Invalid, "json")
		}
	}
	q, err := law.ParseQuery(b)
	q.Agreement = id
	editions := askedOf(law, q)
	if err != nil {
		if problem.KindOf(err) != problem.Invalid {
			return q, problem.New(problem.Limit, "body")
		}
		field := ours(editions, problem.FieldOf(err))
		if field == "" {
			return q, problem.New(problem.Invalid, "json")
		}
		root, _, _ := strings.Cut(field, ".")
		return q, problem.Field(field, "query."+root)
	}
	if id != "" && !slices.ContainsFunc(law.Editions(), func(e *agreement.Edition) bool { return e.ID == id }) {
		return q, problem.Field("agreement", "agreement.unknown")
	}
	if len(editions) == 0 {
		return q, nil // the verdict says that nothing is in force
	}
	declared := func(f rules.Facts, where string) error {
		for _, name := range sortedKeys(f) {
			a, ok := attributeOf(editions, name)
			if !ok {
				return problem.Field(strings.TrimSuffix(where, "."), "query.undeclared")
			}
			var texts []string
			switch x := f[name].(type) {
			case string:
				texts = []string{x}
			case []string:
				texts = x
			}
			if len(a.Values) > 0 && slices.ContainsFunc(texts, func(t string) bool { return !slices.Contains(a.Values, t) }) {
				return problem.Field(where+name, "query.value")
			}
		}
		return nil
	}
	if err := declared(q.Facts, "facts."); err != nil {
		return q, err
	}
	for _, kind := range sortedKeys(q.Events) {
		if !slices.ContainsFunc(editions, func(e *agreement.Edition) bool { return e.Events[kind].ID != "" }) {
			return q, problem.Field("events", "query.undeclared")
		}
		for i, x := range q.Events[kind] {
			if err := declared(x.Facts, "events."+kind+"."+strconv.Itoa(i+1)+"."); err != nil {
				return q, err
			}
		}
	}
	return q, nil
}

var plainField = regexp.MustCompile(`^(point|at|known|site|side)$`)

// askedOf are the editions that answer a question: those in force that know its site, and all
// in force where none does, or that of the agreement that it names.
func askedOf(law *rules.Law, q rules.Query) []*agreement.Edition {
	if q.Agreement != "" {
		if e, ok := law.EditionOf(q.Agreement, q.At); ok {
			return []*agreement.Edition{e}
		}
		return nil
	}
	if out := law.EditionsAt(q.Site, q.At); len(out) > 0 {
		return out
	}
	return law.EditionsAt("", q.At)
}

// attributeOf is an attribute as editions declare it. A text may be any that one of them
// knows.
func attributeOf(editions []*agreement.Edition, name string) (a agreement.Attribute, ok bool) {
	for _, e := range editions {
		x, has := e.Attributes[name]
		switch {
		case !has:
			continue
		case !ok:
			a, ok = x, true
			continue
		case len(a.Values) == 0 || len(x.Values) == 0:
			a.Values = nil
		default:
			a.Values = slices.Concat(a.Values, x.Values)
			slices.Sort(a.Values)
			a.Values = slices.Compact(a.Values)
		}
		a.Sensitive = a.Sensitive || x.Sensitive
		a.Derived = a.Derived && x.Derived
	}
	return a, ok
}

// together is what editions name, as one: attributes, events, lists, places and classes.
// Clauses are asked for at their own edition.
func together(editions []*agreement.Edition) *agreement.Edition {
	if len(editions) == 0 {
		return nil
	}
	if len(editions) == 1 {
		return editions[0]
	}
	out := *editions[0]
	out.Attributes = map[string]agreement.Attribute{}
	out.Clauses = nil
	for _, e := range editions {
		for id := range e.Attributes {
			out.Attributes[id], _ = attributeOf(editions, id)
		}
		out.Clauses = append(out.Clauses, e.Clauses...)
		out.Events = union(out.Events, e.Events)
		out.Parameters = union(out.Parameters, e.Parameters)
		out.Lists = union(out.Lists, e.Lists)
		out.ListInfo = union(out.ListInfo, e.ListInfo)
		out.Places = union(out.Places, e.Places)
		out.Values = union(out.Values, e.Values)
		out.Profiles = union(out.Profiles, e.Profiles)
		for _, c := range e.Classes {
			if _, ok := out.Class(c.ID); !ok {
				out.Classes = append(slices.Clip(out.Classes), c)
			}
		}
		for _, x := range e.Sites {
			if _, ok := out.Site(x.ID); !ok {
				out.Sites = append(slices.Clip(out.Sites), x)
			}
		}
		if len(out.Levels) == 0 {
			out.Levels = e.Levels
		}
	}
	return &out
}

// union holds what either map holds; what both hold is the first one's.
func union[V any](a, b map[string]V) map[string]V {
	out := make(map[string]V, len(a)+len(b))
	maps.Copy(out, b)
	maps.Copy(out, a)
	return out
}

// ours cuts the name of a field at fault down to what is the agreement's own or ours:
// what a stranger wrote as a name is not repeated.
func ours(editions []*agreement.Edition, field string) string {
	if plainField.MatchString(field) {
		return field
	}
	attribute := func(name string) bool {
		_, ok := attributeOf(editions, name)
		return ok
	}
	if name, ok := strings.CutPrefix(field, "facts."); ok {
		if attribute(name) {
			return field
		}
		return "facts"
	}
	if rest, ok := strings.CutPrefix(field, "events."); ok {
		for _, e := range editions {
			for _, kind := range sortedKeys(e.Events) {
				row, ok := strings.CutPrefix(rest, kind+".")
				if !ok {
					continue
				}
				n, name, _ := strings.Cut(row, ".")
				if name == "at" || attribute(name) {
					return field
				}
				return "events." + kind + "." + n
			}
		}
		return "events"
	}
	return ""
}

// askCost is how much a question to the law weighs: an explanation asks it many times.
func askCost(q rules.Query, explain bool) int {
	n := len(q.Lots)
	for _, l := range q.Events {
		n += len(l)
	}
	cost := 1 + n/50
	if explain {
		cost *= 5
	}
	return min(cost, askOneBurst)
}
