// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package certlogic

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"darwaza.dev/internal/lang"
)

// Type is whose rule it is: of the country of arrival, which says what it accepts, or of
// the issuer, which says which of its certificates hold no more.
type Type string

// The types of rules.
const (
	Acceptance   Type = "Acceptance"
	Invalidation Type = "Invalidation"
)

// The certificates that a rule speaks of.
const (
	General     = "General"
	Vaccination = "Vaccination"
	Test        = "Test"
	Recovery    = "Recovery"
)

// The roots of what a rule reads.
const (
	rootPayload  = "payload"
	rootExternal = "external"
)

// External are the parameters that a rule can read beside the payload. Those that are not
// known are null.
func External() []string {
	return []string{"validationClock", "valueSets", "countryCode", "issuerCountryCode", "region", "exp", "iat", "kid"}
}

const (
	maxRules  = 1000 // of a set
	maxFields = 200  // affected fields of a rule
	maxTexts  = 40   // descriptions of a rule
	maxText   = 4000 // bytes of one
)

// Rule is one business rule, as it was published (schema of the business rules 1.0.0).
type Rule struct {
	ID      string // Identifier, "VR-EU-0001"
	Type    Type
	Country string // ISO 3166 alpha-2, or "EU"
	Region  string // of the country, empty where it is of the whole
	Version string // "1.0.0"
	// CertificateType is the kind of certificates that it is asked of; General is asked of all.
	CertificateType string
	Description     lang.Text
	ValidFrom       time.Time
	ValidTo         time.Time // the last instant at which it holds
	// AffectedFields are the parts of the payload that it speaks of, as its author says.
	AffectedFields []string
	// Logic is its expression. A certificate meets the rule where that is true.
	Logic *Expr

	version [3]int
	json    Value
}

// Same reports whether two rules were published with the same words.
func (r *Rule) Same(o *Rule) bool { return Equal(r.json, o.json) }

// ParseRules reads a JSON file with one rule or an array of rules. It is strict: a field
// that is not known, a rule for another engine and an expression that is not valid are
// errors that name the rule.
func ParseRules(b []byte) ([]*Rule, error) {
	v, err := Parse(b)
	if err != nil {
		return nil, err
	}
	list := []Value{v}
	if v.kind == Array {
		list = v.x.list
	}
	if len(list) > maxRules {
		return nil, fmt.Errorf("more than %d rules", maxRules)
	}
	out := make([]*Rule, 0, len(list))
	for i, x := range list {
		r, err := parseRule(x)
		if err != nil {
			name, _ := x.Member("Identifier").Str()
			if name == "" {
				name = "number " + strconv.Itoa(i+1)
			}
			return nil, fmt.Errorf("rule %s: %w", short(name), err)
		}
		out = append(out, r)
	}
	return out, nil
}

func ruleFields() []string {
	return []string{
		"Identifier", "Type", "Country", "Region", "Version", "SchemaVersion", "Engine", "EngineVersion", "CertificateType",
		"Description", "ValidFrom", "ValidTo", "AffectedFields", "Logic",
	}
}

func parseRule(v Value) (*Rule, error) {
	if v.kind != Object {
		return nil, errors.New("not an object")
	}
	for _, k := range v.x.keys {
		if !slices.Contains(ruleFields(), k) {
			return nil, fmt.Errorf("the field %q is not known", short(k))
		}
	}
	var faults []error
	text := func(name string, must bool) string {
		x := v.Member(name)
		if x.kind == Null && !must {
			return ""
		}
		if x.kind != String || x.s == "" || len(x.s) > maxText {
			faults = append(faults, fmt.Errorf("%s is no text", name))
			return ""
		}
		return x.s
	}
	r := &Rule{
		json: v, ID: text("Identifier", true), Type: Type(text("Type", true)), Country: text("Country", true), Region: text("Region", false),
		Version: text("Version", true), CertificateType: text("CertificateType", true),
	}
	engine := text("Engine", true)
	version, ok := parseVersion(text("EngineVersion", true))
	_, schema := parseVersion(text("SchemaVersion", true))
	instants := [2]time.Time{}
	for i, name := range [...]string{"ValidFrom", "ValidTo"} {
		t, err := time.Parse(time.RFC3339, text(name, true))
		if err != nil {
			faults = append(faults, fmt.Errorf("%s is no instant such as 2021-06-01T00:00:00Z", name))
		}
		instants[i] = t.UTC()
	}
	if len(faults) > 0 {
		return nil, faults[0]
	}
	r.ValidFrom, r.ValidTo = instants[0], instants[1]
	switch {
	case !plainID(r.ID):
		return nil, errors.New("the identifier has other than Latin letters, digits, dash, dot and underscore")
	case engine != "CERTLOGIC":
		return nil, fmt.Errorf("the engine is %q; CERTLOGIC is the one that is known", short(engine))
	case !ok || version[0] > 1:
		return nil, errors.New("the version of the engine is none of 0 or 1, such as 1.0.0")
	case !schema:
		return nil, errors.New("SchemaVersion is no version such as 1.0.0")
	case r.Type != Acceptance && r.Type != Invalidation:
		return nil, fmt.Errorf("the type is %q; known are Acceptance and Invalidation", short(string(r.Type)))
	case !slices.Contains([]string{General, Vaccination, Test, Recovery}, r.CertificateType):
		return nil, fmt.Errorf("the type of certificate is %q; known are General, Vaccination, Test and Recovery", short(r.CertificateType))
	case !IsCountry(r.Country):
		return nil, errors.New("the country is not two capital letters")
	case !r.ValidFrom.Before(r.ValidTo):
		return nil, errors.New("it ends before it begins")
	}
	if r.version, ok = parseVersion(r.Version); !ok {
		return nil, errors.New("member Version is no version such as 1.0.0")
	}
	if err := r.describe(v.Member("Description")); err != nil {
		return nil, err
	}
	fields := v.Member("AffectedFields")
	if fields.kind != Array || fields.Len() > maxFields {
		return nil, errors.New("AffectedFields is no array of paths")
	}
	for _, f := range fields.x.list {
		if f.kind != String || f.s == "" || !validPath(f.s) {
			return nil, errors.New("AffectedFields is no array of paths")
		}
		r.AffectedFields = append(r.AffectedFields, f.s)
	}
	logic, err := Compile(v.Member("Logic"))
	if err != nil {
		return nil, fmt.Errorf("logic: %w", err)
	}
	r.Logic = logic
	for _, p := range logic.paths {
		if err := known(p); err != nil {
			return nil, err
		}
	}
	return r, nil
}

func (r *Rule) describe(v Value) error {
	if v.kind != Array || v.Len() == 0 || v.Len() > maxTexts {
		return errors.New("member Description is no array of texts, each with lang and desc")
	}
	r.Description = lang.Text{}
	for _, d := range v.x.list {
		tag, ok := d.Member("lang").Str()
		desc, ok2 := d.Member("desc").Str()
		if !ok || !ok2 || d.Len() != 2 || len(desc) > maxText || !plainID(tag) || len(tag) < 2 || len(tag) > 8 {
			return errors.New("member Description is no array of texts, each with lang and desc")
		}
		if _, twice := r.Description[lang.Tag(tag)]; twice {
			return fmt.Errorf("the description in %s stands twice", tag)
		}
		r.Description[lang.Tag(tag)] = strings.TrimSpace(desc)
	}
	return nil
}

// Says returns the description in a language, else in English, else in the first language
// by its tag that it was published in.
func (r *Rule) Says(tag lang.Tag) string { return r.Description[r.SaidIn(tag)] }

// SaidIn returns the language in which Says speaks.
func (r *Rule) SaidIn(tag lang.Tag) lang.Tag {
	for _, l := range [...]lang.Tag{tag, lang.EN} {
		if r.Description[l] != "" {
			return l
		}
	}
	first := lang.Tag("")
	for l := range r.Description {
		if first == "" || l < first {
			first = l
		}
	}
	return first
}

// known faults a path that reads what nobody gives.
func known(path string) error {
	root, rest, _ := strings.Cut(path, ".")
	name, _, _ := strings.Cut(rest, ".")
	switch {
	case root == rootPayload:
		return nil
	case root == rootExternal && (rest == "" || slices.Contains(External(), name)):
		return nil
	}
	return fmt.Errorf("it reads %q, which is neither of the payload nor of what is known beside it", short(path))
}

// ValueSets are the ids of the value sets that the rule reads, sorted.
func (r *Rule) ValueSets() (out []string) {
	for _, p := range r.Logic.paths {
		if rest, ok := strings.CutPrefix(p, rootExternal+".valueSets."); ok {
			id, _, _ := strings.Cut(rest, ".")
			if !slices.Contains(out, id) {
				out = append(out, id)
			}
		}
	}
	return out
}

func plainID(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '.' && c != '_' {
			return false
		}
	}
	return s != "" && len(s) <= 100
}

// IsCountry reports whether a text has the form of an alpha-2 code.
func IsCountry(s string) bool {
	return len(s) == 2 && s[0] >= 'A' && s[0] <= 'Z' && s[1] >= 'A' && s[1] <= 'Z'
}

// parseVersion reads three numbers between dots.
func parseVersion(s string) (v [3]int, ok bool) {
	parts := strings.Split(s, ".")
	if len(parts) != 3 {
		return v, false
	}
	for i, p := range parts {
		n, ok := digits(p)
		if !ok || len(p) > 6 {
			return v, false
		}
		v[i] = n
	}
	return v, true
}

// holds reports whether the rule holds at an instant. Both ends are in it.
func (r *Rule) holds(at time.Time) bool { return !at.Before(r.ValidFrom) && !at.After(r.ValidTo) }

// newer orders versions of one rule.
func newer(a, b *Rule) int { return slices.Compare(a.version[:], b.version[:]) }

// Set is rules that are asked together, with what they read beside a certificate. It is
// immutable and may be used by many at once.
type Set struct {
	rules     []*Rule // by identifier, then by version
	arrival   string
	region    string
	valueSets Value
}

// NewSet makes a set of rules for arrival in a country and region. An empty country asks
// the acceptance rules of every country in the set; an empty region those of whole
// countries alone. Two rules of one identifier and version are an error, and so is a rule
// that reads a value set which is not there.
func NewSet(rules []*Rule, arrival, region string, valueSets Value) (*Set, error) {
	if len(rules) == 0 {
		return nil, errors.New("no rules")
	}
	if len(rules) > maxRules {
		return nil, fmt.Errorf("more than %d rules", maxRules)
	}
	if arrival != "" && !IsCountry(arrival) {
		return nil, errors.New("the country of arrival is not two capital letters")
	}
	s := &Set{slices.Clone(rules), arrival, region, valueSets}
	slices.SortStableFunc(s.rules, func(a, b *Rule) int { return cmp.Or(cmp.Compare(a.ID, b.ID), newer(a, b)) })
	for i, r := range s.rules {
		if i > 0 && s.rules[i-1].ID == r.ID && newer(s.rules[i-1], r) == 0 {
			return nil, fmt.Errorf("rule %s stands twice in version %s", r.ID, r.Version)
		}
		for _, id := range r.ValueSets() {
			if valueSets.Member(id).kind != Array {
				return nil, fmt.Errorf("rule %s reads the value set %q, which is not there", r.ID, short(id))
			}
		}
	}
	return s, nil
}

// Rules returns all rules of the set, by identifier and version. The caller must not
// change them.
func (s *Set) Rules() []*Rule { return s.rules }

// Rule returns a rule by its identifier and version.
func (s *Set) Rule(id, version string) (*Rule, bool) {
	for _, r := range s.rules {
		if r.ID == id && r.Version == version {
			return r, true
		}
	}
	return nil, false
}

// types are the kinds of certificate that a payload is.
func (c *Certificate) types() (vaccination, test, recovery bool) {
	return c.Payload.Member("v").Len() > 0, c.Payload.Member("t").Len() > 0, c.Payload.Member("r").Len() > 0
}

// Select returns the rules that are asked of a certificate at an instant, by identifier:
// acceptance rules of the country of arrival and invalidation rules of the issuer, of the
// certificate's kind or general, in force then, and of each identifier the newest version.
func (s *Set) Select(c *Certificate, at time.Time) []*Rule {
	var out []*Rule
	v, t, r := c.types()
	for _, x := range s.rules {
		switch x.CertificateType {
		case Vaccination:
			if !v {
				continue
			}
		case Test:
			if !t {
				continue
			}
		case Recovery:
			if !r {
				continue
			}
		}
		if !x.holds(at) || x.Region != "" && x.Region != s.region {
			continue
		}
		if x.Type == Invalidation && x.Country != c.Issuer || x.Type == Acceptance && s.arrival != "" && x.Country != s.arrival {
			continue
		}
		if n := len(out); n > 0 && out[n-1].ID == x.ID {
			out[n-1] = x // rules come by version
			continue
		}
		out = append(out, x)
	}
	return out
}

// Outcome is what a rule says of a certificate.
type Outcome uint8

// The outcomes. Open is a rule that could not be worked out, or gave neither true nor false.
const (
	Failed Outcome = iota
	Passed
	Open
)

// String returns the outcome in a word.
func (o Outcome) String() string {
	switch o {
	case Failed:
		return "failed"
	case Passed:
		return "passed"
	}
	return "open"
}

// Result is what came of one rule.
type Result struct {
	Rule    *Rule
	Outcome Outcome
	Err     error // of an open rule, where it could not be worked out
}

// Data are what rules read of a certificate at an instant: its payload, and beside it the
// instant as validationClock, in UTC, and the rest of External.
func (s *Set) Data(c *Certificate, at time.Time) Value {
	external := map[string]Value{"validationClock": MakeString(Stamp(at)), "valueSets": s.valueSets}
	for name, text := range map[string]string{"countryCode": s.arrival, "issuerCountryCode": c.Issuer, "region": s.region, "kid": c.KeyID} {
		if text != "" {
			external[name] = MakeString(text)
		}
	}
	if !c.Issued.IsZero() {
		external["iat"] = MakeString(Stamp(c.Issued))
	}
	if !c.Expires.IsZero() {
		external["exp"] = MakeString(Stamp(c.Expires))
	}
	return MakeObject(map[string]Value{rootPayload: c.Payload, rootExternal: MakeObject(external)})
}

// Judge asks every rule that Select returns, and returns what each says. No result means
// that no rule speaks of the certificate at that instant.
func (s *Set) Judge(c *Certificate, at time.Time) []Result {
	rules := s.Select(c, at)
	if len(rules) == 0 {
		return nil
	}
	data := s.Data(c, at)
	out := make([]Result, 0, len(rules))
	for _, r := range rules {
		out = append(out, r.Judge(data))
	}
	return out
}

// Judge asks the rule of some data, which Data of a set makes.
func (r *Rule) Judge(data Value) Result {
	v, err := r.Logic.Eval(data)
	switch {
	case err != nil:
		return Result{r, Open, err}
	case v.IsTrue():
		return Result{r, Passed, nil}
	case v.IsFalse():
		return Result{r, Failed, nil}
	}
	return Result{r, Open, nil}
}

// ParseValueSets reads a JSON file with value sets: in the short form an object of arrays
// of codes by id, or one value set as it is published, with valueSetId and valueSetValues,
// or an array of such.
func ParseValueSets(b []byte) (map[string]Value, error) {
	v, err := Parse(b)
	if err != nil {
		return nil, err
	}
	out := map[string]Value{}
	add := func(id string, codes Value) error {
		if _, twice := out[id]; twice {
			return fmt.Errorf("the value set %q stands twice", short(id))
		}
		if codes.Len() == 0 || slices.ContainsFunc(codes.x.list, func(c Value) bool { return c.kind != String || c.s == "" }) {
			return fmt.Errorf("the value set %q is not an array of codes", short(id))
		}
		out[id] = codes
		return nil
	}
	if v.kind == Object && v.Member("valueSetId").kind == Null {
		for i, id := range v.x.keys {
			if v.x.list[i].kind != Array {
				return nil, fmt.Errorf("the value set %q is not an array of codes", short(id))
			}
			if err := add(id, v.x.list[i]); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	list := []Value{v}
	if v.kind == Array {
		list = v.x.list
	}
	for _, x := range list {
		id, ok := x.Member("valueSetId").Str()
		values := x.Member("valueSetValues")
		if !ok || values.kind != Object {
			return nil, errors.New("a value set has valueSetId and valueSetValues, or stands in an object by its id")
		}
		var codes []Value
		for _, code := range values.x.keys { // withdrawn codes too, as the published short form has them
			codes = append(codes, MakeString(code))
		}
		if err := add(id, MakeArray(codes...)); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// About tells a rule in a line: of whose certificates it speaks, when it holds, and its
// description in English or the next language that it has.
func (r *Rule) About() string {
	s := fmt.Sprintf("%s, %s, %s", strings.ToLower(string(r.Type)), r.Country, strings.ToLower(r.CertificateType))
	if r.Region != "" {
		s += ", region " + r.Region
	}
	return fmt.Sprintf("%s, from %s to %s: %s", s, r.ValidFrom.Format(time.RFC3339), r.ValidTo.Format(time.RFC3339), r.Says(lang.EN))
}
