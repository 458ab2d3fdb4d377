// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package screening

import (
	"maps"
	"slices"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/proof"
	"darwaza.dev/internal/rules"
)

// Answers is what was asked and measured. It is read once and kept nowhere but in a case
// file.
type Answers struct {
	Done       bool  `cbor:"1,keyasint,omitempty"`
	TempTenths int16 `cbor:"2,keyasint,omitempty"` // tenths of a degree Celsius, 0 where not measured
	Symptoms   bool  `cbor:"3,keyasint,omitempty"`
	// Answers are those to what else the disease profiles of the edition ask.
	Answers []Answered `cbor:"4,keyasint,omitempty"`
}

// Answered is the answer to a question of a disease profile, or what was measured for it.
type Answered struct {
	Attribute string `cbor:"1,keyasint,omitempty"`
	Yes       bool   `cbor:"2,keyasint,omitempty"`
	Tenths    int16  `cbor:"3,keyasint,omitempty"` // of a degree Celsius, where it is a temperature
}

// maxAnswers is how many questions one screening can have.
const maxAnswers = 32

// A body temperature outside these, in tenths of a degree Celsius, was not measured on a
// living person who stands at a gate: it is a slip of the key or of the thermometer.
const (
	LeastTemp = 300
	MostTemp  = 450
)

// Possible reports whether each temperature, where there is one, can be a person's.
func (s Answers) Possible() bool {
	can := func(t int16) bool { return t == 0 || t >= LeastTemp && t <= MostTemp }
	return can(s.TempTenths) && len(s.Answers) <= maxAnswers && !slices.ContainsFunc(s.Answers, func(a Answered) bool { return !can(a.Tenths) })
}

// Questions returns the attributes that a disease profile of an edition asks and of which
// a verdict says that they are missing, in the order of the profiles, by their ids.
func Questions(e *agreement.Edition, missing []string) []agreement.Attribute {
	var out []agreement.Attribute
	if e == nil {
		return nil
	}
	for _, id := range slices.Sorted(maps.Keys(e.Profiles)) {
		for _, ask := range e.Profiles[id].Asks {
			known := slices.ContainsFunc(out, func(a agreement.Attribute) bool { return a.ID == ask })
			if a, ok := e.Attributes[ask]; ok && !known && slices.Contains(missing, ask) {
				out = append(out, a)
			}
		}
	}
	return out
}

// The attributes of an edition that the answers have fields of their own for.
const (
	AttrTemperature = "screening.temperature"
	AttrSymptoms    = "screening.symptoms"
)

// Fill adds what was asked and measured to the facts of a question. An attribute that no
// profile of the edition asks is passed over: no answer can say what a gate has to see.
func (s Answers) Fill(e *agreement.Edition, f rules.Facts) {
	if !s.Done {
		return
	}
	f[AttrSymptoms] = s.Symptoms
	if s.TempTenths != 0 {
		f[AttrTemperature] = int64(s.TempTenths)
	}
	for _, x := range s.Answers {
		if _, has := f[x.Attribute]; has {
			continue
		}
		for _, a := range Questions(e, []string{x.Attribute}) {
			switch {
			case a.Type == "bool" && x.Tenths == 0:
				f[a.ID] = x.Yes
			case a.Type == "int" && x.Tenths != 0:
				f[a.ID] = int64(x.Tenths)
			}
		}
	}
}

// A Test is one test at the desk. It is kept in the case file alone.
type Test struct {
	Profile string    `cbor:"1,keyasint,omitempty"` // id of the disease profile it is of
	Kind    string    `cbor:"2,keyasint,omitempty"` // one of the profile's tests
	Product string    `cbor:"3,keyasint,omitempty"` // as the packet names it, empty where not known
	Taken   time.Time `cbor:"4,keyasint,omitempty"` // when the sample was taken
	// Result is empty while it is waited for.
	Result proof.TestResult `cbor:"5,keyasint,omitempty"`
	Read   time.Time        `cbor:"6,keyasint,omitempty"` // when the result was read
}

// String returns "[redacted]": it says something of somebody's health.
func (Test) String() string { return "[redacted]" }

// GoString is String, for the verb that would print the fields.
func (Test) GoString() string { return "[redacted]" }

// String returns "[redacted]".
func (Answers) String() string { return "[redacted]" }

// GoString is String.
func (Answers) GoString() string { return "[redacted]" }

// known reports a test that a profile has, with a result that a test can have.
func (t Test) known(ps []agreement.Profile) bool {
	p, ok := profileOf(ps, t.Profile)
	_, has := testOf(p, t.Kind)
	switch t.Result {
	case "", proof.Positive, proof.Negative, proof.Inconclusive:
	default:
		return false
	}
	return ok && has && len(t.Product) <= 200 && !t.Taken.IsZero()
}

func profileOf(ps []agreement.Profile, id string) (agreement.Profile, bool) {
	i := slices.IndexFunc(ps, func(p agreement.Profile) bool { return p.ID == id })
	if i < 0 {
		return agreement.Profile{}, false
	}
	return ps[i], true
}

func testOf(p agreement.Profile, kind string) (agreement.TestKind, bool) {
	i := slices.IndexFunc(p.Tests, func(t agreement.TestKind) bool { return t.ID == kind })
	if i < 0 {
		return agreement.TestKind{}, false
	}
	return p.Tests[i], true
}
