// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"cmp"
	"embed"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/identity"
	"darwaza.dev/internal/lang"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/rules"
	"darwaza.dev/internal/service"
)

// The API's answers are decisions: a refusal is 200 with a verdict that says so, and a
// problem is a document that names the field at fault and never its value. The document
// openapi.yaml is the reference; a test holds every answer against it.
//
//go:embed openapi.yaml
var apiFiles embed.FS

func (s *server) apiDocument(w http.ResponseWriter, r *request) error {
	b, err := apiFiles.ReadFile("openapi.yaml")
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "application/yaml; charset=utf-8")
	h.Set("Cache-Control", "public, max-age=300")
	h.Set("Content-Length", strconv.Itoa(len(b)))
	_, _ = w.Write(b)
	return nil
}

// ok answers a program.
func (s *server) ok(w http.ResponseWriter, v any) error {
	s.json(w, http.StatusOK, "application/json", v)
	return nil
}

// decode reads the body of a call. A field that is not known is refused, so that a
// misspelt one is not silently without effect.
func decode[T any](r *request) (v T, err error) {
	if t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || t != "application/json" {
		return v, problem.New(problem.Invalid, "content-type")
	}
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	err = d.Decode(&v)
	if err == nil {
		if _, more := d.Token(); more != io.EOF {
			err = errors.New("more than one value")
			if big := (*http.MaxBytesError)(nil); errors.As(more, &big) {
				err = more
			}
		}
	}
	if err != nil {
		if big := (*http.MaxBytesError)(nil); errors.As(err, &big) {
			return v, problem.New(problem.Limit, "body")
		}
		return v, problem.New(problem.Invalid, "json") // err may quote what was sent
	}
	return v, nil
}

// documentIn names a document in a call.
type documentIn struct {
	Kind    string `json:"kind"`
	Country string `json:"country"`
	Number  string `json:"number"`
}

func (d documentIn) parse(field string) (identity.Document, error) {
	if len(d.Number) > 64 || len(d.Country) > 8 || len(d.Kind) > 32 {
		return identity.Document{}, problem.Field(field, "document")
	}
	doc, err := identity.ParseDocument(d.Kind, d.Country, d.Number)
	if err != nil {
		inner := problem.FieldOf(err)
		if inner != "" {
			field += "." + inner
		}
		return identity.Document{}, problem.Field(field, problem.CodeOf(err))
	}
	return doc, nil
}

// plainText is a name or a telephone number as a program sends it.
func plainText(field, s string, longest int) (string, error) {
	c, ok := cleanText(s)
	if !ok || len(c) > longest {
		return "", problem.Field(field, "text")
	}
	return c, nil
}

// siteNamed finds a site of the edition by its id.
func (s *server) siteNamed(r *request, field, id string) (agreement.Site, *agreement.Edition, error) {
	if _, err := s.edition(r.Now); err != nil {
		return agreement.Site{}, nil, err
	}
	for _, site := range s.sites(r.Now) {
		if site.ID == id {
			e, err := s.editionFor(site.Number, r.Now)
			return site, e, err
		}
	}
	return agreement.Site{}, nil, problem.Field(field, "site.unknown")
}

// siteToAct is siteNamed for an act: the officer whom the program acts for must be able to
// do it there.
func (s *server) siteToAct(r *request, id string) (agreement.Site, error) {
	site, _, err := s.siteNamed(r, "site", id)
	if err == nil {
		err = mayAct(r.Officer, site.ID)
	}
	return site, err
}

// dayToAct is siteToAct with a day at the site, which is today where none is named.
func (s *server) dayToAct(r *request, id, day string) (site agreement.Site, n uint16, err error) {
	if site, err = s.siteToAct(r, id); err == nil {
		n, err = dayNamed(r, "day", day, site)
	}
	return site, n, err
}

// dayNamed reads a civil date as a day number; today at the site where it is empty.
func dayNamed(r *request, field, text string, site agreement.Site) (uint16, error) {
	if text == "" {
		loc, err := calendar.Zone(site.Zone)
		if err != nil {
			return 0, problem.Wrap(problem.Internal, "zone", err)
		}
		return rules.DayNumber(calendar.On(r.Now, loc)), nil
	}
	d, err := calendar.ParseDate(text)
	if err != nil || d.Year < 2000 || d.Year > 2150 {
		return 0, problem.Field(field, "date")
	}
	return rules.DayNumber(d), nil
}

// recordOut says where a decision stands in this side's log.
type recordOut struct {
	First uint64 `json:"first"`
	Count uint64 `json:"count"`
	// Again is true where the act had been done before and this is the kept answer.
	Again bool `json:"again"`
}

func recorded(d service.Done) recordOut {
	return recordOut{First: d.First, Count: d.Count, Again: d.Again}
}

// says are a verdict's reasons in words, in the order of its reasons.
func (s *server) says(tag lang.Tag, v rules.Verdict) []string {
	if len(v.Reasons) == 0 {
		return nil
	}
	out := make([]string, len(v.Reasons))
	for i, re := range v.Reasons {
		rv := s.reason(re, v.Agreement, v.At)
		switch name := s.unknown(tag, s.editionBehind(re, v), re); {
		case name != "":
			out[i] = name
		case rv.Key != "":
			out[i] = s.deps.Texts.Say(tag, rv.Key, rv.Args)
		case rv.Clause != nil && rv.Clause.Say.In(tag) != "":
			out[i] = rv.Clause.Say.In(tag)
		default:
			out[i] = s.deps.Texts.Say(tag, "outcome."+re.Outcome.String(), nil)
		}
	}
	return out
}

// slotID is a slot's id in a document: a decimal number as a string, as it does not fit
// the numbers of every programming language.
func slotIDText(id booking.SlotID) string { return strconv.FormatUint(uint64(id), 10) }

func parseSlotID(field, text string) (booking.SlotID, error) {
	n, err := strconv.ParseUint(text, 10, 56)
	if err != nil || text == "" || text[0] == '+' {
		return 0, problem.Field(field, "slot.id")
	}
	return booking.SlotID(n), nil
}

// slotOut is a slot in a document.
type slotOut struct {
	ID    string    `json:"id"`
	Site  string    `json:"site"`
	Class string    `json:"class"`
	Day   string    `json:"day"`
	From  time.Time `json:"from"`
	Until time.Time `json:"until"`
}

func (s *server) slotOut(id booking.SlotID, now time.Time) slotOut {
	out := slotOut{ID: slotIDText(id), Day: rules.DayDate(id.Day()).String()}
	law := s.deps.Law()
	if p, ok := law.Slot(id.Site(), id.Class(), id.Day(), id.Minute()); ok {
		out.From, out.Until = p.From.UTC(), p.Until.UTC()
	}
	if e, err := s.editionFor(id.Site(), now); err == nil {
		if site, ok := e.SiteNumbered(id.Site()); ok {
			out.Site = site.ID
		}
	}
	if class, _, ok := law.ClassNumbered(id.Site(), id.Class(), now); ok {
		out.Class = class.ID
	}
	return out
}

// freeSlotOut is a slot with its places.
type freeSlotOut struct {
	slotOut
	Capacity  uint32  `json:"capacity"`
	Allotment uint32  `json:"allotment"`
	Free      uint32  `json:"free"`
	Queue     uint64  `json:"queue"`
	OtherFree *uint32 `json:"other_free,omitempty"`
	Past      bool    `json:"past"`
}

type slotsOut struct {
	AsOf  time.Time     `json:"as_of"`
	Slots []freeSlotOut `json:"slots"`
}

// apiSlots lists the slots of a site's day.
func (s *server) apiSlots(w http.ResponseWriter, r *request) error {
	q := r.URL.Query()
	site, _, err := s.siteNamed(r, "site", q.Get("site"))
	if err != nil {
		return err
	}
	day, err := dayNamed(r, "day", q.Get("day"), site)
	if err != nil {
		return err
	}
	classes := s.deps.Law().Classes(site.Number, r.Now)
	if id := q.Get("class"); id != "" {
		n := slices.IndexFunc(classes, func(c agreement.Class) bool { return c.ID == id })
		if n < 0 {
			return problem.Field("class", "class.unknown")
		}
		classes = classes[n : n+1]
	}
	out := slotsOut{AsOf: r.Now.UTC(), Slots: []freeSlotOut{}}
	law := s.deps.Law()
	err = s.view(r.Context(), func(st service.State) error {
		for _, c := range classes {
			for _, v := range service.DayOf(st, law, s.deps.Side, site.Number, c.Number, day, r.Now) {
				so := freeSlotOut{
					slotOut: slotOut{ID: slotIDText(v.ID), Site: site.ID, Class: c.ID, Day: rules.DayDate(day).String(),
						From: v.Plan.From.UTC(), Until: v.Plan.Until.UTC()},
					Capacity: v.Plan.Capacity, Allotment: v.Slot.Allotment, Free: v.Free, Queue: v.Queue, Past: v.Past,
				}
				if v.OtherKnown {
					so.OtherFree = &v.Other
				}
				out.Slots = append(out.Slots, so)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return s.ok(w, out)
}

// agreementOut is what a program needs to know of the edition in force.
type agreementOut struct {
	ID      string     `json:"id"`
	Edition int        `json:"edition"`
	Hash    string     `json:"hash"`
	InForce bool       `json:"in_force"`
	Side    string     `json:"side"`
	Now     time.Time  `json:"now"`
	Sites   []siteOut  `json:"sites"`
	Classes []classOut `json:"classes"`
	// Agreements are all that the post runs under. ID, Edition, Hash and InForce are of the one
	// that was asked for, else of the first.
	Agreements []agreementRef `json:"agreements"`
}

// agreementRef names an agreement with its edition in force, or the newest.
type agreementRef struct {
	ID      string `json:"id"`
	Edition int    `json:"edition"`
	Hash    string `json:"hash"`
	InForce bool   `json:"in_force"`
}

type siteOut struct {
	ID     string    `json:"id"`
	Number uint16    `json:"number"`
	Name   lang.Text `json:"name"`
	Zone   string    `json:"zone"`
	Gates  []gateOut `json:"gates"`
	// Agreements are the ids of those that know the site.
	Agreements []string `json:"agreements"`
}

type gateOut struct {
	Number uint16    `json:"number"`
	Side   string    `json:"side"`
	Name   lang.Text `json:"name"`
}

type classOut struct {
	ID     string    `json:"id"`
	Number uint8     `json:"number"`
	Name   lang.Text `json:"name"`
}

// apiAgreement says what is in force, with the ids that other calls take. Of several
// agreements the address may name one.
func (s *server) apiAgreement(w http.ResponseWriter, r *request) error {
	e, err := s.edition(r.Now)
	if err != nil {
		return err
	}
	if q := r.URL.Query(); q.Has("agreement") || q.Has("edition") {
		q.Set("agreement", cmp.Or(q.Get("agreement"), e.ID))
		all := named(s.deps.Law(), q, r.Now)
		if len(all) == 0 {
			return problem.New(problem.NotFound, "law")
		}
		e = all[0]
	}
	now, ok := s.deps.Law().EditionOf(e.ID, r.Now)
	inForce := ok && now.Number == e.Number
	out := agreementOut{ID: e.ID, Edition: e.Number, Hash: hexHash(e.Hash), InForce: inForce, Side: string(s.deps.Side), Now: r.Now.UTC()}
	classes := func(e *agreement.Edition) {
		for _, c := range e.Classes {
			if x := (classOut{ID: c.ID, Number: c.Number, Name: c.Name}); !slices.ContainsFunc(out.Classes, func(o classOut) bool { return o.ID == x.ID && o.Number == x.Number }) {
				out.Classes = append(out.Classes, x)
			}
		}
	}
	classes(e)
	for _, e := range s.deps.Law().Newest() {
		_, in := s.deps.Law().EditionOf(e.ID, r.Now)
		if now, ok := s.deps.Law().EditionOf(e.ID, r.Now); ok {
			e = now
		}
		classes(e)
		out.Agreements = append(out.Agreements, agreementRef{ID: e.ID, Edition: e.Number, Hash: hexHash(e.Hash), InForce: in})
	}
	for _, site := range s.sites(r.Now) {
		so := siteOut{ID: site.ID, Number: site.Number, Name: site.Name, Zone: site.Zone, Gates: []gateOut{}, Agreements: []string{}}
		for _, e := range s.deps.Law().EditionsAt(site.ID, r.Now) {
			so.Agreements = append(so.Agreements, e.ID)
		}
		for _, g := range site.Gates {
			so.Gates = append(so.Gates, gateOut{Number: g.Number, Side: string(g.Side), Name: g.Name})
		}
		out.Sites = append(out.Sites, so)
	}
	return s.ok(w, out)
}
