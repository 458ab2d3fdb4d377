// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package shc

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"darwaza.dev/internal/identity"
	"darwaza.dev/internal/jcs"
	"darwaza.dev/internal/proof"
)

// healthCard is the type that every card has (section "Health Cards are encoded as
// Compact Serialization JSON Web Signatures").
const healthCard = "https://smarthealth.cards#health-card"

// The types that 1.4 has taken back. A card that has some of them and not the one that
// fits is of an issuer of before, and not right by the rules of before either.
const (
	immunizationType = "https://smarthealth.cards#immunization"
	laboratoryType   = "https://smarthealth.cards#laboratory"
	covidType        = "https://smarthealth.cards#covid19"
)

// maxEvents is the most events that one card has: a vaccine against five diseases is five.
const maxEvents = 160

// maxWords is the length in bytes of the longest name, place or number that is taken.
const maxWords = 1000

func (c *Card) find(g Grade, rule, path string) {
	if len(c.Findings) < maxFindings {
		c.Findings = append(c.Findings, Finding{g, rule, path})
		return
	}
	// What weighs most is never lost behind trifles.
	if g == Content {
		c.Findings[maxFindings-1] = Finding{g, rule, path}
	}
}

// around notes white space outside the outermost value.
func (c *Card) around(b []byte) {
	if len(bytes.TrimSpace(b)) != len(b) {
		c.find(Minor, "json.space", "")
	}
}

// payload reads the claims of the token.
func (c *Card) payload(d *jcs.Doc, b []byte) error {
	c.Claims.Format = proof.SHC
	if err := d.Parse(b, payloadLimits); err != nil {
		return jsonFault(err)
	}
	c.around(b)
	p := d.Root()
	iss, ok := p.Get("iss").Text()
	if !ok || len(iss) > maxWords {
		return fmt.Errorf("%w: no issuer", ErrContent)
	}
	c.Issuer, c.Claims.Issuer = iss, iss
	if !strings.HasPrefix(iss, "https://") || len(iss) == len("https://") || strings.HasSuffix(iss, "/") {
		return fmt.Errorf("%w: issuer is not https without a slash at the end", ErrContent)
	}
	if c.NotBefore, ok = p.Get("nbf").Seconds(); !ok {
		return fmt.Errorf("%w: no time of issue", ErrContent)
	}
	if c.NotBefore.Year() >= 5000 {
		c.find(Content, "nbf.milliseconds", "nbf")
	}
	if exp := p.Get("exp"); exp.Kind() != jcs.None {
		if c.Expires, ok = exp.Seconds(); !ok {
			return fmt.Errorf("%w: no time of expiry", ErrContent)
		}
		if c.Expires.Year() >= 5000 {
			c.find(Minor, "exp.milliseconds", "exp")
		}
		if c.Expires.Before(c.NotBefore) {
			c.find(Content, "exp.before", "exp")
		}
	}
	c.Claims.IssuedAt, c.Claims.From, c.Claims.Until = c.NotBefore, c.NotBefore, c.Expires

	vc := p.Get("vc")
	if vc.Get("@context").Kind() != jcs.None {
		c.find(Minor, "vc.context", "vc")
	}
	if rid := vc.Get("rid"); rid.Kind() != jcs.None {
		c.RID, ok = rid.Text()
		if !ok || !isRID(c.RID) {
			return fmt.Errorf("%w: number of revocation", ErrContent)
		}
	}
	if err := c.types(vc.Get("type")); err != nil {
		return err
	}
	subject := vc.Get("credentialSubject")
	if c.Claims.Version, ok = subject.Get("fhirVersion").Text(); !ok || len(c.Claims.Version) > 32 {
		c.Claims.Version = ""
		c.find(Schema, "fhirVersion", "vc.credentialSubject")
	} else if !strings.HasPrefix(c.Claims.Version, "4.") {
		return fmt.Errorf("%w: FHIR of another version than 4", ErrUnsupported)
	}
	if err := c.bundle(subject.Get("fhirBundle")); err != nil {
		return err
	}
	c.oldTypes()
	return nil
}

func (c *Card) types(list jcs.Value) error {
	if !list.Is(jcs.Array) {
		return fmt.Errorf("%w: no type", ErrContent)
	}
	is := false
	for v := range list.All() {
		s, ok := v.Text()
		if !ok || len(s) > maxWords || len(c.Types) >= 32 {
			return fmt.Errorf("%w: type", ErrContent)
		}
		c.Types = append(c.Types, s)
		switch s {
		case healthCard:
			is = true
		case immunizationType, laboratoryType, covidType:
		default:
			c.find(Minor, "vc.type", "vc.type")
		}
	}
	if !is {
		return fmt.Errorf("%w: type is not that of a health card", ErrContent)
	}
	return nil
}

// oldTypes holds a card that uses the types of before 1.4 against the rules of before.
func (c *Card) oldTypes() {
	var vaccine, test, covid, saysVaccine, saysTest, saysCovid bool
	for i := range c.Claims.Events {
		e := &c.Claims.Events[i]
		vaccine = vaccine || e.Kind == proof.Vaccination
		test = test || e.Kind == proof.Test
		covid = covid || e.Disease == proof.COVID19
	}
	for _, t := range c.Types {
		saysVaccine = saysVaccine || t == immunizationType
		saysTest = saysTest || t == laboratoryType
		saysCovid = saysCovid || t == covidType
	}
	if !saysVaccine && !saysTest && !saysCovid {
		return
	}
	if vaccine && !saysVaccine || test && !saysTest || covid && !saysCovid {
		c.find(Minor, "vc.type.missing", "vc.type")
	}
}

// isRID reports whether s may be a number of revocation: at most 24 letters of base64url
// (section "Revocation").
func isRID(s string) bool {
	if len(s) == 0 || len(s) > 24 {
		return false
	}
	for i := range len(s) {
		if !isBase64URL(s[i]) {
			return false
		}
	}
	return true
}

func isBase64URL(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '-' || c == '_'
}

// bundle reads a FHIR Bundle (R4, http://hl7.org/fhir/R4/bundle.html) of any type.
func (c *Card) bundle(b jcs.Value) error {
	if !b.Is(jcs.Object) || !b.Get("resourceType").Equal("Bundle") {
		return fmt.Errorf("%w: no bundle", ErrContent)
	}
	if t, ok := b.Get("type").Text(); !ok || t == "" {
		c.find(Schema, "type", "Bundle")
	}
	entries := b.Get("entry")
	if !entries.Is(jcs.Array) || entries.Len() == 0 {
		return fmt.Errorf("%w: empty bundle", ErrContent)
	}
	var patient jcs.Value // its entry
	patients, i := 0, -1
	for e := range entries.All() {
		i++
		if i == 0 {
			if id := b.Get("id"); id.Kind() != jcs.None {
				c.find(Minor, "id", "Bundle")
			}
		}
		kind, ok := e.At("resource", "resourceType").Text()
		if !ok {
			c.find(Content, "resource", entryPath(i, ""))
			continue
		}
		if kind == "Patient" {
			if patients++; patients == 1 {
				patient = e
			}
		}
	}
	// The events are one person's: with two in the bundle nobody can say whose. Without any
	// no dose and no test can be anybody's either, which is found at each.
	if patients > 1 {
		return fmt.Errorf("%w: %d patients", ErrContent, patients)
	}
	if patients == 1 {
		c.patient(patient.Get("resource"))
	}
	c.Claims.Events = make([]proof.Event, 0, min(entries.Len(), maxEvents))
	i = -1
	for e := range entries.All() {
		i++
		r := e.Get("resource")
		c.look(e, r, i)
		switch {
		case r.Get("resourceType").Equal("Immunization"):
			c.immunization(r, patient, i)
		case r.Get("resourceType").Equal("Observation"):
			c.observation(r, patient, i)
		}
	}
	if c.tooMany {
		return fmt.Errorf("%w: more than %d events", ErrSize, maxEvents)
	}
	// A card of an allergy, say, or of doses that were not given, is a card all the same, and
	// may be genuine as one.
	c.Empty = len(c.Claims.Events) == 0 && c.graveness() < Content
	return nil
}

func (c *Card) graveness() (g Grade) {
	for _, f := range c.Findings {
		g = max(g, f.Grade)
	}
	return g
}

func entryPath(i int, rest string) string {
	s := "entry[" + strconv.Itoa(i) + "]"
	if rest != "" {
		s += "." + rest
	}
	return s
}

// words returns a text without the space around it, and false where there is none. A text
// that is longer than any name is none, and not passed over: half a card is not read.
func (c *Card) words(v jcs.Value) (string, bool) {
	if len(v.Raw()) > maxWords && v.Is(jcs.String) {
		c.find(Content, "length", "")
		return "", false
	}
	s, ok := v.Text()
	s = strings.TrimSpace(s)
	return s, ok && s != ""
}

// patient reads whom the card is about (http://hl7.org/fhir/R4/patient.html).
func (c *Card) patient(p jcs.Value) {
	h := &c.Claims.Holder
	best := 0
	for n := range p.Get("name").All() {
		family, okFamily := c.words(n.Get("family"))
		var given []string
		for g := range n.Get("given").All() {
			if s, ok := c.words(g); ok && len(given) < 16 {
				given = append(given, s)
			}
		}
		if !okFamily && len(given) == 0 {
			family, okFamily = c.words(n.Get("text"))
		}
		if !okFamily && len(given) == 0 {
			continue
		}
		// The official name before one of no stated use, and any before one that is past.
		rank := 2
		use := n.Get("use")
		switch {
		case use.Equal("official"):
			rank = 3
		case use.Equal("old") || use.Equal("maiden"):
			rank = 1
		}
		if rank > best {
			best = rank
			h.Family, h.Given = family, strings.Join(given, " ")
		}
	}
	if best == 0 {
		c.find(Content, "Patient.name", "Patient")
	}
	if v := p.Get("birthDate"); v.Kind() != jcs.None {
		s, ok := v.Text()
		d, err := proof.ParseDate(s)
		if !ok || err != nil || d.Precision > proof.Day {
			c.find(Content, "Patient.birthDate", "Patient")
		} else {
			h.Birth = identity.PartialDate{Year: d.Year, Month: int(d.Month), Day: d.Day}
		}
	}
	switch v := p.Get("gender"); {
	case v.Equal("male"):
		h.Sex = "M"
	case v.Equal("female"):
		h.Sex = "F"
	case v.Equal("other"):
		h.Sex = "X"
	case v.Kind() != jcs.None && !v.Equal("unknown"):
		c.find(Schema, "Patient.gender", "Patient")
	}
	for id := range p.Get("identifier").All() {
		for t := range id.At("type", "coding").All() {
			if s, ok := c.words(id.Get("value")); ok && t.Get("code").Equal("PPN") && h.Document == "" {
				h.Document = s // passport number, HL7 v2-0203
			}
		}
	}
}

// refersTo reports whether a reference is to the resource of an entry: by the entry's
// address, or by the end of it.
func refersTo(ref, entry jcs.Value) bool {
	r, ok := ref.Get("reference").Text()
	if !ok || r == "" {
		return false
	}
	full, _ := entry.Get("fullUrl").Text()
	if full == r || strings.HasSuffix(full, "/"+r) {
		return true
	}
	id, ok := entry.At("resource", "id").Text()
	return ok && id != "" && r == "Patient/"+id
}

// codes reads a CodeableConcept. ok is false where it has no coding that is one.
func (c *Card) codes(v jcs.Value) (list []proof.Code, ok bool) {
	ok = v.Is(jcs.Object) && v.Get("coding").Len() > 0
	for coding := range v.Get("coding").All() {
		code, ok1 := c.words(coding.Get("code"))
		system, ok2 := c.words(coding.Get("system"))
		if !ok1 || !ok2 || len(list) >= 16 {
			ok = false
			continue
		}
		list = append(list, proof.Code{System: systemOf(system), Value: code})
	}
	return list, ok && len(list) > 0
}

func systemOf(uri string) proof.System {
	switch uri {
	case "http://hl7.org/fhir/sid/cvx":
		return proof.CVX
	case "http://snomed.info/sct":
		return proof.SNOMED
	case "http://id.who.int/icd/release/11/mms", "http://id.who.int/icd11/mms":
		return proof.ICD11
	case "http://hl7.org/fhir/sid/icd-10", "http://hl7.org/fhir/sid/icd-10-cm":
		return proof.ICD10
	case "http://loinc.org":
		return proof.LOINC
	case "http://www.whocc.no/atc":
		return proof.ATC
	case "https://ec.europa.eu/health/documents/community-register/html/":
		return proof.EUReg
	}
	return ""
}

// performer returns who gave the dose or made the test, as printed.
func (c *Card) performer(list jcs.Value) string {
	for p := range list.All() {
		for _, v := range []jcs.Value{p.At("actor", "display"), p.Get("display")} {
			if s, ok := c.words(v); ok {
				return s
			}
		}
	}
	return ""
}

// immunization reads one (http://hl7.org/fhir/R4/immunization.html).
func (c *Card) immunization(r, patient jcs.Value, i int) {
	bad := func(rule string) { c.find(Content, rule, entryPath(i, "Immunization")) }
	if !refersTo(r.Get("patient"), patient) {
		bad("patient")
		return
	}
	status := r.Get("status")
	switch {
	case status.Equal("completed"):
	case status.Equal("not-done"), status.Equal("entered-in-error"):
		return
	default:
		bad("status")
		return
	}
	vaccine, ok := c.codes(r.Get("vaccineCode"))
	if !ok {
		bad("vaccineCode")
		return
	}
	at, text := r.Get("occurrenceDateTime"), r.Get("occurrenceString")
	if (at.Kind() == jcs.None) == (text.Kind() == jcs.None) {
		bad("occurrence")
		return
	}
	e := proof.Event{Kind: proof.Vaccination, Type: vaccine[0]}
	if at.Kind() != jcs.None {
		s, _ := at.Text()
		d, err := proof.ParseDate(s)
		if err != nil {
			bad("occurrence")
			return
		}
		e.On = d
	}
	if r.Get("isSubpotent").Is(jcs.Bool) && string(r.Get("isSubpotent").Raw()) == "true" {
		return // the dose does not count, says whoever gave it
	}
	e.Lot, _ = c.words(r.Get("lotNumber"))
	e.Place = c.performer(r.Get("performer"))
	e.Issuer = c.Issuer
	if s, ok := c.words(r.At("manufacturer", "display")); ok {
		e.Manufacturer = proof.Code{System: proof.Text, Text: s}
	}

	// What the issuer says that it is against comes before what the vaccine is for.
	var against []proof.Disease
	var named []proof.Code
	for p := range r.Get("protocolApplied").All() {
		if n, ok := p.Get("doseNumberPositiveInt").Int(); ok && 0 < n && n < 1000 && e.Dose == 0 {
			e.Dose = int(n)
		}
		if n, ok := p.Get("seriesDosesPositiveInt").Int(); ok && 0 < n && n < 1000 && e.Of == 0 {
			e.Of = int(n)
		}
		for t := range p.Get("targetDisease").All() {
			list, _ := c.codes(t)
			named = append(named, list...)
		}
	}
	for _, code := range named {
		if d, ok := proof.DiseaseOf(code.System, code.Value); ok {
			against = appendNew(against, d)
		}
	}
	if len(against) == 0 {
		for _, code := range vaccine {
			if ds := proof.VaccineDiseases(code.System, code.Value); len(ds) > 0 {
				against, e.Type = ds, code
				break
			}
		}
	}
	if len(against) == 0 {
		e.DiseaseCode = e.Type
		if len(named) > 0 {
			e.DiseaseCode = named[0]
		}
		c.event(e)
		return
	}
	for _, d := range against {
		e.Disease = d
		c.event(e)
	}
}

func (c *Card) event(e proof.Event) {
	if len(c.Claims.Events) >= maxEvents {
		c.tooMany = true
		return
	}
	c.Claims.Events = append(c.Claims.Events, e)
}

func appendNew(ds []proof.Disease, d proof.Disease) []proof.Disease {
	for _, known := range ds {
		if known == d {
			return ds
		}
	}
	return append(ds, d)
}

// observation reads a laboratory's result (http://hl7.org/fhir/R4/observation.html).
// Other observations, such as a weight, are passed over.
func (c *Card) observation(r, patient jcs.Value, i int) {
	list, ok := c.codes(r.Get("code"))
	e := proof.Event{Kind: proof.Test, TestKind: proof.OtherTest, Issuer: c.Issuer}
	known := false
	for _, code := range list {
		if kind, d, ok := testOf(code); ok {
			e.TestKind, e.Disease, e.TestCode, known = kind, d, code, true
			break
		}
	}
	if !known {
		laboratory := false
		for cat := range r.Get("category").All() {
			for coding := range cat.Get("coding").All() {
				laboratory = laboratory || coding.Get("code").Equal("laboratory")
			}
		}
		if !laboratory {
			return
		}
		if len(list) > 0 {
			e.TestCode, e.DiseaseCode = list[0], list[0]
		}
	}
	bad := func(rule string) { c.find(Content, rule, entryPath(i, "Observation")) }
	if !ok {
		bad("code")
		return
	}
	if !refersTo(r.Get("subject"), patient) {
		bad("subject")
		return
	}
	status, _ := r.Get("status").Text()
	switch status {
	case "final", "amended", "corrected":
	case "registered", "preliminary", "cancelled", "entered-in-error", "unknown":
		return
	default:
		bad("status")
		return
	}
	at := r.Get("effectiveDateTime")
	if at.Kind() == jcs.None {
		at = r.At("effectivePeriod", "start")
	}
	if at.Kind() == jcs.None {
		at = r.Get("effectiveInstant")
	}
	s, _ := at.Text()
	d, err := proof.ParseDate(s)
	if err != nil {
		bad("effective") // a test of an unknown day proves nothing
		return
	}
	e.On = d
	if s, ok := r.Get("issued").Text(); ok {
		if d, err := proof.ParseDate(s); err == nil {
			e.ReportedOn = d
		}
	}
	e.Place = c.performer(r.Get("performer"))
	e.Result = c.result(r)
	c.event(e)
}

// result reads value[x]. Where several codings disagree the result is none of them.
func (c *Card) result(r jcs.Value) proof.TestResult {
	var found proof.TestResult
	take := func(t proof.TestResult) {
		if found == "" || found == t {
			found = t
		} else {
			found = proof.OtherResult
		}
	}
	for coding := range r.At("valueCodeableConcept", "coding").All() {
		code, _ := c.words(coding.Get("code"))
		if t, ok := resultOf(code); ok {
			take(t)
		}
	}
	if s, ok := c.words(r.Get("valueString")); ok {
		if t, ok := resultOf(strings.ToLower(s)); ok {
			take(t)
		}
	}
	if found == "" {
		return proof.OtherResult
	}
	return found
}

// look notes what the specification asks issuers to leave out (section "Health Cards are
// Compact") and what FHIR's JSON forbids anywhere (http://hl7.org/fhir/R4/json.html).
func (c *Card) look(entry, r jcs.Value, i int) {
	path := func(rest string) string { return entryPath(i, rest) }
	if full := entry.Get("fullUrl"); !isShort(full, "resource:") {
		c.find(Minor, "fullUrl", path(""))
	}
	if r.Get("id").Kind() != jcs.None {
		c.find(Minor, "id", path(""))
	}
	if r.Get("text").Kind() != jcs.None {
		c.find(Minor, "text", path(""))
	}
	if meta := r.Get("meta"); meta.Kind() != jcs.None {
		security := meta.Get("security")
		if !security.Is(jcs.Array) || meta.Len() != 1 {
			c.find(Minor, "meta", path("meta"))
		}
		for s := range security.All() {
			if code, ok := s.Get("code").Text(); !ok || code == "" {
				c.find(Schema, "meta.security", path("meta"))
			}
		}
	}
	c.walk(r, i, nil)
}

// walk goes through all that an entry holds; name is the member that v is or is in.
func (c *Card) walk(v jcs.Value, i int, name []byte) {
	switch v.Kind() {
	case jcs.Null:
		c.find(Schema, "null", entryPath(i, string(name)))
	case jcs.String:
		if len(v.Raw()) == 0 {
			c.find(Schema, "empty", entryPath(i, string(name)))
		}
	case jcs.Array:
		if v.Len() == 0 {
			c.find(Schema, "empty", entryPath(i, string(name)))
		}
		for e := range v.All() {
			if string(name) == "coding" && e.Get("display").Kind() != jcs.None {
				c.find(Minor, "coding.display", entryPath(i, string(name)))
			}
			c.walk(e, i, name)
		}
	case jcs.Object:
		if v.Len() == 0 {
			c.find(Schema, "empty", entryPath(i, string(name)))
		}
		if v.Get("text").Is(jcs.String) && (v.Get("coding").Kind() != jcs.None || concepts(name)) {
			c.find(Minor, "concept.text", entryPath(i, string(name)))
		}
		if ref := v.Get("reference"); ref.Is(jcs.String) && !isShort(ref, "") {
			c.find(Minor, "reference", entryPath(i, string(name)))
		}
		for m := range v.All() {
			c.walk(m, i, m.RawName())
		}
	}
}

// concepts reports whether a member of the resources that we read is a CodeableConcept
// that may stand without a coding.
func concepts(name []byte) bool {
	switch string(name) {
	case "type", "vaccineCode", "code", "category", "site", "route", "statusReason", "reasonCode", "targetDisease", "valueCodeableConcept", "method", "interpretation":
		return true
	}
	return false
}

// isShort reports whether a value is an address of the scheme "resource": some letters
// where the scheme is not said, a colon, digits.
func isShort(v jcs.Value, scheme string) bool {
	b := v.Raw()
	if v.Kind() != jcs.String {
		return false
	}
	i := bytes.IndexByte(b, ':')
	if i < 1 || i == len(b)-1 || scheme != "" && !bytes.HasPrefix(b, []byte(scheme)) {
		return false
	}
	for _, c := range b[i+1:] {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}
