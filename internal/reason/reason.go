// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

// Package reason holds the words of a decision: the outcome, and the reasons
// that led to it. A reason is not an error: it says what was decided, not that
// something could not be done (for that see package problem).
package reason

import (
	"fmt"
	"regexp"
	"sort"
)

// Outcome is the answer of a verdict. The zero value is not an outcome, so that
// a verdict that nobody filled in can never be taken for ALLOW.
type Outcome uint8

// The outcomes, from mildest to strictest. Their order is the order in which
// they win when several reasons apply: more reasons never make a verdict milder.
const (
	None     Outcome = iota
	Allow            // go on; may carry conditions
	Breach           // the authority failed a duty of its own
	Divert           // lawful under another regime, for example statutory duty
	Hold             // until a paper, a dose, a guarantee is there
	Refer            // a person decides: discretion, silence of the text, unknown value
	Conflict         // two instruments in force disagree; both are shown
	Refuse           // not lawful under this agreement
	Closed           // the site, class or direction is not open
)

var names = [...]string{"", "ALLOW", "BREACH", "DIVERT", "HOLD", "REFER", "CONFLICT", "REFUSE", "CLOSED"}

// String returns the outcome's word as DESIGN.md and the pages use it.
func (o Outcome) String() string {
	if int(o) < len(names) {
		return names[o]
	}
	return fmt.Sprintf("OUTCOME(%d)", uint8(o))
}

// ParseOutcome returns the outcome named s, and false where there is none.
func ParseOutcome(s string) (Outcome, bool) {
	for i, n := range names {
		if n == s && i > 0 {
			return Outcome(i), true
		}
	}
	return None, false
}

// MarshalText writes the outcome's word.
func (o Outcome) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// UnmarshalText reads an outcome's word; the empty text is None. A word that this
// build does not know is an error: a caller that may hear from a newer peer keeps the text.
func (o *Outcome) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*o = None
		return nil
	}
	v, ok := ParseOutcome(string(b))
	if !ok {
		return fmt.Errorf("reason: unknown outcome %q", b)
	}
	*o = v
	return nil
}

// Strictest returns the stricter of two outcomes.
func Strictest(a, b Outcome) Outcome { return max(a, b) }

// Admits reports whether a gate may let the person or lot pass on this outcome
// without anybody deciding first.
func (o Outcome) Admits() bool { return o == Allow }

// NeedsOfficer reports whether the outcome ends in a named officer's recorded decision.
func (o Outcome) NeedsOfficer() bool { return o == Hold || o == Refer || o == Conflict || o == Breach }

// A Code names a reason in three parts, such as "pass.signature.untrusted". It is
// declared once, by the package that gives it, and never renamed or used again.
type Code string

var codeForm = regexp.MustCompile(`^[a-z][a-z0-9]*(\.[a-z][a-z0-9_]*){2}$`)

// Valid reports whether the code has the three-part form.
func (c Code) Valid() bool { return codeForm.MatchString(string(c)) }

// A Decl declares a code where it is given: the outcome it leads to, and in one
// English line when. The texts for readers are in package lang, by the code.
type Decl struct {
	Code    Code
	Outcome Outcome
	When    string
}

// A Reason is one ground of a verdict.
type Reason struct {
	Code    Code    `json:"code" cbor:"1,keyasint"`
	Outcome Outcome `json:"outcome" cbor:"2,keyasint"`
	// Clause is the id of the clause that says so, empty where no clause does
	// (a pass that is not readable, for example).
	Clause string `json:"clause,omitempty" cbor:"3,keyasint,omitempty"`
	// Params fill the placeholders of the code's text. They hold no personal data.
	Params map[string]string `json:"params,omitempty" cbor:"4,keyasint,omitempty"`
	// Agreement is the id of the agreement of which Clause is one, where several answered:
	// ids of clauses are not apart from one agreement to another. Empty where one answered,
	// and where no clause says so.
	Agreement string `json:"agreement,omitempty" cbor:"5,keyasint,omitempty"`
}

// Worst returns the strictest outcome among the reasons, and Allow where there are none.
func Worst(rs []Reason) Outcome {
	o := Allow
	for _, r := range rs {
		o = Strictest(o, r.Outcome)
	}
	return o
}

// Sort orders reasons strictest first, then by agreement, by clause and by code: the
// order is part of a verdict's bytes.
func Sort(rs []Reason) {
	sort.SliceStable(rs, func(i, j int) bool {
		a, b := rs[i], rs[j]
		if a.Outcome != b.Outcome {
			return a.Outcome > b.Outcome
		}
		if a.Agreement != b.Agreement {
			return a.Agreement < b.Agreement
		}
		if a.Clause != b.Clause {
			return a.Clause < b.Clause
		}
		return a.Code < b.Code
	})
}
