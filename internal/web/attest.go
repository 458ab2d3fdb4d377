// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/identity"
	"darwaza.dev/internal/lang"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/proof"
	"darwaza.dev/internal/proof/hcert"
	"darwaza.dev/internal/proof/paper"
	"darwaza.dev/internal/rules"
)

// A paper has no code to scan: an officer keys one line of a yellow card, or the result on a
// laboratory's slip, and attests by name what they saw. It is then carried like a certificate
// that was scanned, and kept no more than one.

// attestView is the form of a paper.
type attestView struct {
	Action string // address that it is sent to
	Back   string
	Hidden []hiddenField // what is taken along
	Slip   bool
	Form   map[string]string // as it was keyed; only for the officer who keyed it
	// Diseases are those that the agreement has profiles for.
	Diseases []diseaseChoice
	Errors   errorsIn
}

type diseaseChoice struct {
	ID   proof.Disease
	Name lang.Text
}

// attestFields are the fields of the form that hold text.
var attestFields = [...]string{"family", "given", "birth", "number", "id", "disease", "on", "product", "batch", "dose", "of", "until", "test", "result", "reported", "centre", "country", "signed", "stamped", "altered"}

// attestForm prepares the form with what was keyed.
func attestForm(e *agreement.Edition, f formValues, action, back string, hidden ...hiddenField) attestView {
	v := attestView{Action: action, Back: back, Hidden: hidden, Slip: f.get("kind") == string(paper.Slip), Form: map[string]string{}}
	for _, name := range attestFields {
		v.Form[name] = f.get(name)
	}
	for _, id := range slices.Sorted(maps.Keys(e.Profiles)) {
		p := e.Profiles[id]
		if !slices.ContainsFunc(v.Diseases, func(d diseaseChoice) bool { return string(d.ID) == p.Disease }) {
			v.Diseases = append(v.Diseases, diseaseChoice{proof.Disease(p.Disease), p.Name})
		}
	}
	return v
}

// attested reads a paper that was keyed. What has to be mended goes into the view's errors.
func (v *attestView) attested(f formValues, officer string, zone *time.Location, now time.Time) (*proof.Result, error) {
	day := func(name string) string { return strings.ReplaceAll(lang.PlainDigits(f.get(name)), "/", "-") }
	number := func(name string) int {
		if f.get(name) == "" {
			return 0
		}
		n, err := strconv.Atoi(lang.PlainDigits(f.get(name)))
		if err != nil || n == 0 {
			return -1 // not a number of a dose, and the form says so
		}
		return n
	}
	x := paper.Entry{Disease: proof.Disease(f.get("disease")), On: day("on"), Centre: f.get("centre"), Country: f.get("country"),
		Signed: f.has("signed"), Stamped: f.has("stamped"), Altered: f.has("altered")}
	form := paper.Form{Kind: paper.Booklet, Family: f.get("family"), Given: f.get("given"), Number: f.get("number"), ID: f.get("id")}
	if v.Slip {
		form.Kind, x.Kind = paper.Slip, proof.Test
		x.TestKind, x.Result, x.ReportedOn = proof.TestKind(f.get("test")), proof.TestResult(f.get("result")), day("reported")
	} else {
		x.Kind, x.Product, x.Batch, x.Dose, x.Of, x.Until = proof.Vaccination, f.get("product"), f.get("batch"), number("dose"), number("of"), day("until")
	}
	form.Entries = []paper.Entry{x}
	if text := day("birth"); text != "" {
		d, err := proof.ParseDate(text)
		if err != nil || d.Precision > proof.Day {
			v.Errors.add("birth", "problem.paper.date")
			return nil, nil
		}
		form.Birth = identity.PartialDate{Year: d.Year, Month: int(d.Month), Day: d.Day}
	}
	a, err := form.Attest(officer, now, zone)
	if err != nil {
		code := problem.CodeOf(err)
		field := problem.FieldOf(err)
		field = field[strings.LastIndexByte(field, '.')+1:]
		if !slices.Contains(attestFields[:], field) {
			return nil, err
		}
		v.Errors.add(field, "problem."+code)
		return nil, nil
	}
	return &a.Result, nil
}

// attestInput is one field of text of the form.
type attestInput struct {
	Name, Hint, Value string
	Error             *fieldError
}

// Kinds are the tests that a slip can be of.
func (v attestView) Kinds() []proof.TestKind {
	return []proof.TestKind{proof.Antigen, proof.NAAT, proof.Antibody}
}

// Results are what a slip can say.
func (v attestView) Results() []proof.TestResult {
	return []proof.TestResult{proof.Negative, proof.Positive, proof.Inconclusive}
}

// Input is a field of the form for its template.
func (v attestView) Input(name, hint string) attestInput {
	return attestInput{name, hint, v.Form[name], v.Errors.For(name)}
}

// take adds what a certificate or a paper says to what is carried.
func (c *carried) take(r *proof.Result, payload []byte, zone *time.Location) {
	c.Shown.Proofs = append(c.Shown.Proofs, rules.Proofs(r, zone)...)
	c.Shown.Proofs = c.Shown.Proofs[max(0, len(c.Shown.Proofs)-rules.MaxProofs):]
	if payload != nil {
		if b, err := rules.CertificateJSON(r, payload); err == nil {
			c.Shown.Certificate = b
		}
	}
	h := r.Claims.Holder
	held := proofHolder{Name: h.Name(), ICAO: strings.ReplaceAll(h.NameICAO(), "<", " "), Birth: h.Birth, Document: h.Document}
	if !slices.Contains(c.Holders, held) && len(c.Holders) < 8 {
		c.Holders = append(c.Holders, held)
	}
}

// payloadOf is the JSON of a certificate that published rules read, nil of another form.
func payloadOf(text string) []byte {
	payload, fault := hcert.PayloadJSON(strings.TrimSpace(text))
	if fault != "" {
		return nil
	}
	return payload
}

// gatePaper shows the form of a paper, or takes what was keyed to the gate's answer.
func (s *server) gatePaper(w http.ResponseWriter, r *request) error {
	f, p, err := s.atGate(r)
	if err != nil {
		return err
	}
	back := fmt.Sprintf("/gate?site=%d&gate=%d", p.Site.Number, p.Gate.Number)
	v := attestForm(p.Edition, f, "/gate/paper", back, hiddenField{"site", strconv.Itoa(int(p.Site.Number))}, hiddenField{"gate", strconv.Itoa(int(p.Gate.Number))},
		hiddenField{"direction", "in"}, hiddenField{"kind", cmp.Or(f.get("kind"), string(paper.Booklet))}, hiddenField{"carry", f.get("carry")})
	if !f.has("keyed") || switched(f) {
		return s.render(w, r, page{Name: "attest", View: v, Form: "attest"})
	}
	result, err := v.attested(f, r.Officer.Login, p.Zone, r.Now)
	if err != nil {
		return err
	}
	if len(v.Errors) > 0 {
		return s.render(w, r, page{Name: "attest", View: v, Form: "attest", Status: http.StatusUnprocessableEntity})
	}
	return s.scanned(w, r, f, p, result)
}

// clerkPaper is the same at the clerk's window, for the crossing that is to be booked.
func (s *server) clerkPaper(w http.ResponseWriter, r *request) error {
	f, err := r.form()
	if err != nil {
		return err
	}
	slot := f.get("slot")
	people, err := s.peopleView(r, clerkBase, slot)
	if err != nil {
		return err
	}
	e, err := s.editionFor(people.Slot.ID.Site(), r.Now)
	if err != nil {
		return err
	}
	v := attestForm(e, f, clerkBase+"/paper", clerkBase+"/certificate?slot="+slot, hiddenField{"slot", slot}, hiddenField{"kind", cmp.Or(f.get("kind"), string(paper.Booklet))})
	if !f.has("keyed") || switched(f) {
		return s.render(w, r, page{Name: "attest", View: v, Form: "attest"})
	}
	zone := s.deps.Law().Zone(people.Slot.Site.ID)
	result, err := v.attested(f, r.Officer.Login, zone, r.Now)
	if err != nil {
		return err
	}
	if len(v.Errors) > 0 {
		return s.render(w, r, page{Name: "attest", View: v, Form: "attest", Status: http.StatusUnprocessableEntity})
	}
	c := carried{}
	c.seen(result, nil, zone)
	out := certificateView{Base: clerkBase, Clerk: true, Country: s.country(r.Now), Slot: people.Slot, Back: clerkBase + "/people?slot=" + slot}
	if out.Answer, err = s.lookAtShown(r, people.Slot.ID, &c); err != nil {
		return err
	}
	return s.render(w, r, page{Name: "certificate", View: out})
}
