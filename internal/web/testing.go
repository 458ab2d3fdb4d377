// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/lang"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/rules"
	"darwaza.dev/internal/service"
)

// testChoice is a slot of the health desk that fits a crossing.
type testChoice struct {
	ID     booking.SlotID
	Span   span
	Result time.Time // in the site's zone
	Free   uint32
	Need   uint32 // places that the party needs
	Kinds  []agreement.TestKind
	Names  []string // disease and kind
}

// Full reports whether there is no room for the party.
func (c testChoice) Full() bool { return c.Free < c.Need }

// testBooked is what a booking has at the health desk.
type testBooked struct {
	ID    booking.SlotID
	Span  span
	Kinds []lang.Text
}

// testsFor lists the slots of the health desk before a crossing, for members of a booking or,
// with none, for one person.
func (s *server) testsFor(r *request, st service.State, id booking.SlotID, ms []booking.Member, shown []rules.Shown) ([]testChoice, error) {
	law := s.deps.Law()
	offers, err := service.TestsOf(st, law, s.deps.Side, id, ms, shown, r.Now)
	if err != nil || len(offers) == 0 {
		return nil, err
	}
	e, err := s.editionFor(id.Site(), r.Now)
	if err != nil {
		return nil, err
	}
	site, _ := e.SiteNumbered(id.Site())
	var out []testChoice
	for _, o := range offers {
		out = append(out, testChoice{ID: o.ID, Span: newSpan(e, site, o.From, o.Until), Result: o.Result.In(law.Zone(site.ID)), Free: o.Free, Need: o.Need, Kinds: o.Kinds, Names: o.Names})
	}
	return out, nil
}

// testOf is what a booking has at the health desk, as a page shows it; nil where it has
// nothing.
func (s *server) testOf(r *request, b booking.Booking) *testBooked {
	if b.Test == nil {
		return nil
	}
	law := s.deps.Law()
	from, until, ok := service.TestPlan(law, s.deps.Side, *b.Test)
	e, err := s.editionFor(b.Slot.Site(), r.Now)
	if !ok || err != nil {
		return nil
	}
	site, _ := e.SiteNumbered(b.Slot.Site())
	t := &testBooked{ID: b.Test.Slot, Span: newSpan(e, site, from, until)}
	for _, of := range b.Test.Kinds {
		if name := e.TestName(of); name != nil {
			t.Kinds = append(t.Kinds, name)
		}
	}
	return t
}

// shownFor is how long a certificate that was looked at is carried to the booking.
const shownFor = time.Hour

// shownAs binds what is carried of a certificate to the slot that it was looked at for.
func shownAs(slot booking.SlotID) []byte {
	return fmt.Appendf(nil, "darwaza.dev/book/shown/1\n%d", slot)
}

// carriedShown is what a form carries of a certificate.
type carriedShown struct {
	Shown rules.Shown `json:"h"`
	Until int64       `json:"x"` // seconds since 1970
}

// maxShown is how long the carried text is at most: a page has 30 kB.
const maxShown = 12 << 10

// sealShown returns what is carried of a certificate from the page on which it was looked at
// to the booking of the same slot: base64url( nonce, 12 bytes ‖ AES-256-GCM of the JSON ), in
// the words that clauses read, which name nobody. It is empty where there is nothing, or more
// than a page carries: then it is not carried at all, and the gate asks again.
func (k *tokens) sealShown(shown rules.Shown, slot booking.SlotID, now time.Time) (string, error) {
	if !shown.Any() {
		return "", nil
	}
	plain, err := json.Marshal(carriedShown{shown, now.Add(shownFor).Unix()})
	if err != nil {
		return "", problem.New(problem.Internal, "shown.form")
	}
	nonce := make([]byte, k.aead.NonceSize())
	if _, err := io.ReadFull(k.rand, nonce); err != nil {
		return "", fmt.Errorf("web: no random bytes: %w", err)
	}
	text := base64.RawURLEncoding.EncodeToString(k.aead.Seal(nonce, nonce, plain, shownAs(slot)))
	if len(text) > maxShown {
		return "", nil
	}
	return text, nil
}

// openShown returns nothing where the text is not one of this side's for the slot, or has ended.
func (k *tokens) openShown(text string, slot booking.SlotID, now time.Time) rules.Shown {
	raw, err := base64.RawURLEncoding.DecodeString(text)
	n := k.aead.NonceSize()
	if err != nil || len(raw) < n || len(text) > maxShown {
		return rules.Shown{}
	}
	var c carriedShown
	plain, err := k.aead.Open(nil, raw[:n], raw[n:], shownAs(slot))
	if err != nil || json.Unmarshal(plain, &c) != nil || now.Unix() >= c.Until {
		return rules.Shown{}
	}
	return c.Shown
}

// testSent books, changes or gives back the test of a booking.
func (s *server) testSent(w http.ResponseWriter, r *request) error {
	return s.acted(w, r, bookBase, "tested", testCommand)
}

func (s *server) clerkTest(w http.ResponseWriter, r *request) error {
	return s.acted(w, r, clerkBase, "tested", testCommand)
}

func testCommand(_ *request, f formValues, on theirs) (service.Command, error) {
	slot, err := parseTest("test", f.get("test"))
	return service.BookTest{Ref: on.Booking.Ref, Slot: slot, Officer: on.By}, err
}

// parseTest reads the slot of the health desk in a field; empty and 0 are none.
func parseTest(field, text string) (booking.SlotID, error) {
	if text == "" || text == "0" {
		return 0, nil
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if id := booking.SlotID(n); err == nil && id.Testing() {
		return id, nil
	}
	return 0, problem.Field(field, "booking.test.slot")
}

// chooseTest keeps what was chosen where it is among what is offered.
func (v *peopleView) chooseTest(id booking.SlotID) {
	if slices.ContainsFunc(v.Tests, func(c testChoice) bool { return c.ID == id }) {
		v.Test = id
	}
}

// Tested is the test that was chosen, nil where none was.
func (v peopleView) Tested() (out *testChoice) {
	for i := range v.Tests {
		if v.Tests[i].ID == v.Test && v.Test != 0 {
			return &v.Tests[i]
		}
	}
	return nil
}

// testOut is a slot of the health desk in a document. Times are in UTC.
type testOut struct {
	ID      string    `json:"id"`
	From    time.Time `json:"from"`
	Until   time.Time `json:"until"`
	Results time.Time `json:"results"` // when the last one is there
	Free    uint32    `json:"free"`
	Kinds   []string  `json:"kinds"` // disease and kind of test
}

// bookedTestOut is what a booking has at the health desk.
type bookedTestOut struct {
	Slot   string    `json:"slot"`
	From   time.Time `json:"from"`
	Until  time.Time `json:"until"`
	Kinds  []string  `json:"kinds"`
	Places uint32    `json:"places"`
}

func (s *server) testDocument(b booking.Booking) *bookedTestOut {
	if b.Test == nil {
		return nil
	}
	out := &bookedTestOut{Slot: slotIDText(b.Test.Slot), Kinds: b.Test.Kinds, Places: b.Test.Places}
	out.From, out.Until, _ = service.TestPlan(s.deps.Law(), s.deps.Side, *b.Test)
	return out
}

// apiTests lists the slots of the health desk before a crossing.
func (s *server) apiTests(w http.ResponseWriter, r *request) error {
	id, err := parseSlotID("slot", r.URL.Query().Get("slot"))
	if err != nil {
		return err
	}
	if _, ok := s.deps.Law().Slot(id.Site(), id.Class(), id.Day(), id.Minute()); !ok {
		return problem.New(problem.NotFound, "slot")
	}
	out := struct {
		Tests []testOut `json:"tests"`
	}{[]testOut{}}
	if err := s.view(r.Context(), func(st service.State) error {
		offers, err := service.TestsOf(st, s.deps.Law(), s.deps.Side, id, nil, nil, r.Now)
		for _, o := range offers {
			out.Tests = append(out.Tests, testOut{ID: slotIDText(o.ID), From: o.From, Until: o.Until, Results: o.Result, Free: o.Free, Kinds: o.Names})
		}
		return err
	}); err != nil {
		return err
	}
	return s.ok(w, out)
}

type testIn struct {
	Test string `json:"test"`
}

// apiTest books, changes or gives back the test of a booking.
func (s *server) apiTest(w http.ResponseWriter, r *request) error {
	in, err := decode[testIn](r)
	if err != nil {
		return err
	}
	slot, err := parseTest("test", in.Test)
	if err != nil {
		return err
	}
	return s.bookingAct(w, r, func(_ *request, _ formValues, on theirs) (service.Command, error) {
		return service.BookTest{Ref: on.Booking.Ref, Slot: slot, Officer: on.By}, nil
	})
}

// shownTo reads a certificate that a program shows with a booking. One that is not genuine
// shows nothing, and the gate asks again.
func (s *server) shownTo(r *request, field string, id booking.SlotID, text string) (rules.Shown, error) {
	switch {
	case len(text) > maxLong:
		return rules.Shown{}, problem.Field(field, "proof.size")
	case !isProof(text):
		return rules.Shown{}, problem.Field(field, "proof.form")
	}
	e, err := s.editionFor(id.Site(), r.Now)
	if err != nil {
		return rules.Shown{}, err
	}
	site, ok := e.SiteNumbered(id.Site())
	if !ok {
		return rules.Shown{}, problem.New(problem.NotFound, "slot")
	}
	var c carried
	c.readProofs(text, s.trusted(site.ID, r.Now), s.deps.Law().Zone(site.ID), r.Now)
	return c.Shown, nil
}
