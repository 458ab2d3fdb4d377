// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package rules

// Working is one line of how a figure is worked out: what is said, as a code, and what it
// is said of. A page puts it into the reader's words under "working.<code>".
type Working struct {
	Code string `json:"code"`
	// Name is what the line is about: an attribute, a parameter, an amount, a category or a
	// regime, by the id that the agreement gives it.
	Name string `json:"name,omitempty"`
	// Text is a figure ("6.25 USD", "2025-09-02") or a sum as the program works it
	// ("max(4.00 USD, 6.25 USD) = 6.25 USD"): signs and ids, and no words but of units.
	Text string `json:"text,omitempty"`
	// Of is the limit that a sum is held against, or the clause that gave a value.
	Of string `json:"of,omitempty"`
}

// What a line of working says.
const (
	workSum       = "sum"       // Text is a sum
	workDerived   = "derived"   // Text is the sum that gave the attribute Name its value
	workDefined   = "defined"   // clause Of gives the attribute Name the value Text
	workFigure    = "figure"    // Name is Text
	workHighest   = "highest"   // of the figures above the highest is Text
	workLeast     = "least"     // of the figures above the least is Name's
	workMost      = "most"      // of the figures above the most is Name's
	workLimit     = "limit"     // Text is the sum that the limit Of is held against
	workRoom      = "room"      // the least that a limit leaves is Text
	workStill     = "still"     // Text is still open in a ledger
	workDue       = "due"       // by the day Text
	workCategory  = "category"  // the good is in category Name
	workRegime    = "regime"    // by regime Name
	workElsewhere = "elsewhere" // the lot goes to regime Name, whose rates are not at hand
	workTurns     = "turns"     // the rate turns on what is not known
	workSilent    = "silent"    // the text gives no parameter Name
	workAbsent    = "absent"    // the amount Name is not given
	workMixed     = "mixed"     // the amount Name is not known in one currency
	workLarge     = "large"     // too large to work out
)

// Workings are all codes of lines of working, for whoever has words for them.
var Workings = [...]string{workSum, workDerived, workDefined, workFigure, workHighest, workLeast, workMost, workLimit, workRoom, workStill, workDue,
	workCategory, workRegime, workElsewhere, workTurns, workSilent, workAbsent, workMixed, workLarge}

// String writes a line in plain English, for the command line.
func (w Working) String() string {
	switch w.Code {
	case workDerived:
		return w.Name + ": " + w.Text
	case workDefined:
		return w.Name + ": " + w.Text + ", clause " + w.Of
	case workFigure:
		return w.Name + " " + w.Text
	case workHighest:
		return "the highest is " + w.Text
	case workLeast, workMost:
		return "the " + w.Code + " is " + w.Name
	case workLimit:
		return w.Text + amid + w.Of
	case workRoom:
		return "the least that a limit leaves is " + w.Text
	case workStill:
		return "open " + w.Text
	case workDue:
		return "due " + w.Text
	case workCategory, workRegime:
		return w.Code + " " + w.Name
	case workElsewhere:
		return "the lot goes to the regime " + w.Name + ", whose rates are not at hand"
	case workTurns:
		return "the rate turns on what is not known"
	case workSilent:
		return "the text gives no " + w.Name
	case workAbsent:
		return w.Name + " is not given"
	case workMixed:
		return w.Name + " is not known in one currency"
	case workLarge:
		return "too large to work out"
	}
	return w.Text
}

// amid stands between a sum and the limit that it is held against, in a note of both.
const amid = " of "

// heldAgainst is the line of such a note, of which the sum has n bytes.
func heldAgainst(note string, n int) Working {
	return Working{Code: workLimit, Text: note[:n], Of: note[n+len(amid):]}
}
