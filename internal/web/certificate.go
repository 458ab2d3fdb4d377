// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/lang"
	"darwaza.dev/internal/picture"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/reason"
	"darwaza.dev/internal/rules"
	"darwaza.dev/internal/service"
)

// A certificate is looked at for an hour that somebody thinks of booking, before they do.
// It is judged as it will stand at the crossing and is kept nowhere: what comes of it is on
// the page alone, and the gate asks for the certificate again.

const (
	// maxPicture is the largest body with a picture, in bytes: a telephone's photograph.
	maxPicture = 8 << 20
	// atOnce is how many pictures are looked at at the same time.
	atOnce = 2
)

// uploads reports whether a route takes a picture, and so a larger body.
func (rt *route) uploads() bool { return strings.HasSuffix(rt.pattern, "/book/certificate") }

// certificateView is the page on which a certificate is looked at.
type certificateView struct {
	Base    string
	Clerk   bool
	Country string // of this side's own documents
	Slot    slotLine
	Back    string
	Text    string // never what was sent: a page does not repeat a certificate
	Errors  errorsIn
	Answer  *certificateAnswer
}

// certificateAnswer is what the law makes of a certificate at a crossing.
type certificateAnswer struct {
	Asked   bool         // a certificate is asked for at that hour
	Good    bool         // it will do
	Faults  []reasonLine // why it is not believed, or what is to be said of it
	Why     []reasonLine // the clauses that it does not meet
	Lapses  time.Time    // when it lapses before the crossing is over, zero where it does not
	From    time.Time    // when it becomes good, where it is too new
	Tests   []testLine   // that the health desk does before the gate
	Offers  []testChoice // slots of the health desk before the crossing
	Shown   string       // what is carried to the booking, sealed
	Outcome reason.Outcome
}

// testLine is a test that the health desk does.
type testLine struct {
	ID      string
	Name    lang.Text
	Minutes int64 // from the swab to the result, 0 where the text does not say
}

func (s *server) certificatePage(w http.ResponseWriter, r *request) error {
	return s.certificateAsked(w, r, bookBase)
}

func (s *server) clerkCertificatePage(w http.ResponseWriter, r *request) error {
	return s.certificateAsked(w, r, clerkBase)
}

func (s *server) certificateAsked(w http.ResponseWriter, r *request, base string) error {
	v, err := s.certificateView(r, base)
	if err != nil {
		return err
	}
	return s.render(w, r, page{Name: "certificate", View: v})
}

func (s *server) certificateView(r *request, base string) (certificateView, error) {
	slot := r.URL.Query().Get("slot")
	p, err := s.peopleView(r, base, slot)
	if err != nil {
		return certificateView{}, err
	}
	return certificateView{Base: base, Clerk: p.Clerk, Country: s.country(r.Now), Slot: p.Slot, Back: base + "/people?" + url.Values{"slot": {slot}}.Encode()}, nil
}

func (s *server) certificateSent(w http.ResponseWriter, r *request) error {
	return s.certificateLooked(w, r, bookBase)
}

func (s *server) clerkCertificateSent(w http.ResponseWriter, r *request) error {
	return s.certificateLooked(w, r, clerkBase)
}

func (s *server) certificateLooked(w http.ResponseWriter, r *request, base string) error {
	v, err := s.certificateView(r, base)
	if err != nil {
		return err
	}
	text, pic, err := uploaded(r)
	if err != nil {
		return err
	}
	if pic != nil {
		if text, err = s.readPicture(r.Context(), pic); err != nil {
			if r.Context().Err() != nil {
				return err
			}
			v.Errors.add("picture", "certificate.error.picture")
		}
	}
	switch {
	case len(v.Errors) > 0:
	case text == "":
		v.Errors.add("certificate", "certificate.error.empty")
	case !isProof(text):
		v.Errors.add(map[bool]string{true: "picture", false: "certificate"}[pic != nil], "certificate.error.unknown")
	}
	status := http.StatusOK
	if len(v.Errors) > 0 {
		status = http.StatusUnprocessableEntity
	} else if v.Answer, err = s.lookAt(r, v.Slot.ID, text); err != nil {
		return err
	}
	return s.render(w, r, page{Name: "certificate", View: v, Status: status})
}

// uploaded reads the form without writing any of it to a disk: the certificate as pasted,
// and the picture if one was chosen.
func uploaded(r *request) (text string, pic []byte, err error) {
	parts, err := r.MultipartReader()
	if err != nil {
		return "", nil, problem.New(problem.Invalid, "form")
	}
	for n := 0; n < 8; n++ {
		p, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return text, pic, nil
		}
		if err != nil {
			return "", nil, tooBig(err)
		}
		most := int64(maxLong)
		if p.FormName() == "picture" {
			most = maxPicture
		}
		b, err := io.ReadAll(io.LimitReader(p, most+1))
		if err != nil {
			return "", nil, tooBig(err)
		}
		if int64(len(b)) > most {
			return "", nil, problem.New(problem.Limit, "form.field")
		}
		switch p.FormName() {
		case "certificate":
			c, ok := cleanText(string(b))
			if !ok {
				return "", nil, problem.New(problem.Invalid, "form.text")
			}
			text = strings.TrimSpace(c)
		case "picture":
			if len(b) > 0 {
				pic = b
			}
		}
	}
	return "", nil, problem.New(problem.Limit, "form.fields")
}

func tooBig(err error) error {
	if big := (*http.MaxBytesError)(nil); errors.As(err, &big) {
		return problem.New(problem.Limit, "body")
	}
	return problem.New(problem.Invalid, "form")
}

// readPicture reads the code in a picture, a few at a time: whoever comes when all are busy
// waits.
func (s *server) readPicture(ctx context.Context, b []byte) (string, error) {
	select {
	case s.pictures <- struct{}{}:
		defer func() { <-s.pictures }()
	case <-ctx.Done():
		return "", problem.Wrap(problem.Limit, "picture", ctx.Err())
	}
	if !picture.Is(b) {
		return "", problem.New(problem.Invalid, "picture")
	}
	return picture.Text(b, picture.Photograph)
}

// lookAt verifies a certificate now and judges it at the crossing of a slot. Nothing of it
// is kept.
func (s *server) lookAt(r *request, id booking.SlotID, text string) (*certificateAnswer, error) {
	law := s.deps.Law()
	e, err := s.editionFor(id.Site(), r.Now)
	if err != nil {
		return nil, errNotFound
	}
	site, ok := e.SiteNumbered(id.Site())
	if !ok {
		return nil, errNotFound
	}
	var c carried
	c.readProofs(text, s.trusted(site.ID, r.Now), law.Zone(site.ID), r.Now)
	return s.lookAtShown(r, id, &c)
}

// lookAtShown judges what was shown at the crossing of a slot.
func (s *server) lookAtShown(r *request, id booking.SlotID, c *carried) (*certificateAnswer, error) {
	law := s.deps.Law()
	plan, ok := law.Slot(id.Site(), id.Class(), id.Day(), id.Minute())
	e, err := s.editionFor(id.Site(), plan.From)
	if err != nil || !ok {
		return nil, errNotFound
	}
	site, ok := e.SiteNumbered(id.Site())
	if !ok {
		return nil, errNotFound
	}
	zone := law.Zone(site.ID)
	query, tests, err := s.crossing(r, e, site, id, plan)
	if err != nil {
		return nil, err
	}
	before := law.Check(query)
	a := &certificateAnswer{Asked: slices.ContainsFunc(before.Reasons, func(re reason.Reason) bool { return s.asksProof(re, before.At) })}
	a.Faults = s.proofSeen(r, c).Reasons
	if len(c.Parts) > 0 {
		a.Faults = append(a.Faults, reasonLine{Text: s.deps.Texts.Say(r.Lang, "certificate.parts", nil)})
	}
	a.Outcome = reason.Allow
	offers := func() error {
		a.Tests = tests
		return s.view(r.Context(), func(st service.State) (err error) {
			a.Offers, err = s.testsFor(r, st, id, nil, []rules.Shown{c.Shown})
			return err
		})
	}
	if !c.Shown.Any() {
		return a, offers()
	}
	if a.Shown, err = s.tokens.sealShown(c.Shown, id, r.Now); err != nil {
		return nil, err
	}
	c.Shown.Into(law, &query)
	after := law.Check(query)
	against := rules.Verdict{At: after.At, Agreement: after.Agreement, Edition: after.Edition, Point: after.Point}
	for _, re := range after.Reasons {
		if !s.asksProof(re, after.At) {
			continue
		}
		against.Reasons = append(against.Reasons, re)
		a.Outcome = reason.Strictest(a.Outcome, re.Outcome)
		const form = "2006-01-02 15:04"
		if t, err := time.ParseInLocation(form, re.Params["lapses"], zone); err == nil && (a.Lapses.IsZero() || t.Before(a.Lapses)) {
			a.Lapses = t
		}
		if t, err := time.ParseInLocation(form, re.Params["good"], zone); err == nil && t.After(a.From) {
			a.From = t
		}
	}
	a.Why = s.reasonLines(r.Lang, against)
	if a.Good = len(against.Reasons) == 0; !a.Good {
		return a, offers()
	}
	return a, nil
}

// asksProof reports whether a reason is a clause's that asks for a health certificate.
func (s *server) asksProof(re reason.Reason, at time.Time) bool {
	_, c := s.deps.Law().Clause(re, "", at)
	return c != nil && (c.Kind == agreement.KindProof || c.Kind == agreement.KindCertificate)
}

// crossing is the question that booking a slot asks of the law, as far as certificates go:
// the crossing is from the slot's beginning to the latest that is to be reckoned with, as a
// booking is judged. tests are those of the profiles that are switched on then.
func (s *server) crossing(r *request, e *agreement.Edition, site agreement.Site, id booking.SlotID, plan rules.SlotPlan) (q rules.Query, tests []testLine, err error) {
	law := s.deps.Law()
	facts := rules.Facts{"direction": "in", "slot.from": plan.From}
	if c, _, ok := law.ClassNumbered(id.Site(), id.Class(), plan.From); ok {
		facts["class"] = c.ID
	}
	err = s.view(r.Context(), func(st service.State) error {
		c, err := service.CrossingOf(st, law, s.deps.Side, id, r.Now)
		if err != nil {
			return err
		}
		facts[agreement.AttrCrossing], facts[agreement.AttrCrossingLatest] = c.Earliest, c.Latest
		st.Levels.Facts(law, id.Site(), plan.From, facts)
		if h, ok := law.Health(id.Site(), plan.From); ok {
			l := st.Levels.At(h, id.Site(), plan.From)
			for _, p := range h.Profiles(l.Rank, l.Profiles) {
				for _, t := range p.Tests {
					n, _ := h.Number(t.Minutes, s.deps.Side)
					tests = append(tests, testLine{ID: t.ID, Name: t.Name, Minutes: n})
				}
			}
		}
		return nil
	})
	return rules.Query{Point: rules.Booking, At: plan.From, Site: site.ID, Side: string(s.deps.Side), Facts: facts}, tests, err
}

// asksCertificate reports whether a certificate is asked for at the crossing of a slot.
func (s *server) asksCertificate(r *request, id booking.SlotID) bool {
	law := s.deps.Law()
	plan, ok := law.Slot(id.Site(), id.Class(), id.Day(), id.Minute())
	e, err := s.editionFor(id.Site(), plan.From)
	if !ok || err != nil {
		return false
	}
	site, ok := e.SiteNumbered(id.Site())
	if !ok {
		return false
	}
	q, _, err := s.crossing(r, e, site, id, plan)
	if err != nil {
		return false
	}
	v := law.Check(q)
	return slices.ContainsFunc(v.Reasons, func(re reason.Reason) bool { return s.asksProof(re, v.At) })
}

// certificateIn is a certificate that a program shows for a slot.
type certificateIn struct {
	Slot        string `json:"slot"`
	Certificate string `json:"certificate"`
}

// certificateOut is what comes of it. Times are in UTC, left out where there is none.
type certificateOut struct {
	Asked  bool       `json:"asked"`
	Good   bool       `json:"good"`
	Says   []string   `json:"says,omitempty"`
	Lapses *time.Time `json:"lapses,omitempty"`
	From   *time.Time `json:"from,omitempty"`
	Tests  []string   `json:"tests,omitempty"`
	Offers []testOut  `json:"offers,omitempty"` // slots of the health desk before the crossing
}

// apiCertificate judges a certificate at the crossing of a slot and keeps nothing of it.
func (s *server) apiCertificate(w http.ResponseWriter, r *request) error {
	in, err := decode[certificateIn](r)
	if err != nil {
		return err
	}
	id, err := parseSlotID("slot", in.Slot)
	if err != nil {
		return err
	}
	switch {
	case len(in.Certificate) > maxLong:
		return problem.Field("certificate", "proof.size")
	case !isProof(in.Certificate):
		return problem.Field("certificate", "proof.form")
	}
	a, err := s.lookAt(r, id, in.Certificate)
	if err != nil {
		return err
	}
	out := certificateOut{Asked: a.Asked, Good: a.Good}
	for _, l := range slices.Concat(a.Faults, a.Why) {
		out.Says = append(out.Says, l.Text)
	}
	at := func(t time.Time) *time.Time {
		if t.IsZero() {
			return nil
		}
		t = t.UTC()
		return &t
	}
	out.Lapses, out.From = at(a.Lapses), at(a.From)
	for _, t := range a.Tests {
		out.Tests = append(out.Tests, t.ID)
	}
	for _, o := range a.Offers {
		out.Offers = append(out.Offers, testOut{ID: slotIDText(o.ID), From: o.Span.From.UTC(), Until: o.Span.Until.UTC(), Results: o.Result.UTC(), Free: o.Free, Kinds: o.Names})
	}
	return s.ok(w, out)
}
