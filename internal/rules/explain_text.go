// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Text writes an explanation in plain English for the command line, in lines. With
// every set it tells of the clauses too that did not apply or were not in force.
func (x Explanation) Text(every bool) string {
	var b strings.Builder
	v := x.Verdict
	fmt.Fprintf(&b, "%s at %s, %s\n", v.Outcome, v.Point, v.At.UTC().Format("2006-01-02 15:04 UTC"))
	if len(x.Parts) > 0 {
		x.needs(&b)
		for _, p := range x.Parts {
			b.WriteByte('\n')
			b.WriteString(p.Text(every))
		}
		return b.String()
	}
	if v.Edition != "" {
		fmt.Fprintf(&b, "by %s, edition %.12s\n", v.Agreement, v.Edition)
	}
	if len(v.Reasons) > 0 {
		b.WriteString("\nbecause\n")
		for _, r := range v.Reasons {
			fmt.Fprintf(&b, "  %-8s %s", r.Outcome, r.Code)
			if r.Clause != "" {
				fmt.Fprintf(&b, "  clause %s", r.Clause)
			}
			for _, k := range slices.Sorted(maps.Keys(r.Params)) {
				fmt.Fprintf(&b, "  %s: %s", k, r.Params[k])
			}
			b.WriteByte('\n')
		}
	}
	if len(v.Amounts) > 0 {
		b.WriteString("\namounts\n")
		for _, a := range v.Amounts {
			name := a.Name
			if a.Of != "" {
				name += " (" + a.Of + ")"
			}
			figure := "owed, not known"
			if a.Known {
				figure = a.Figure()
			}
			fmt.Fprintf(&b, "  %s: %s  clause %s\n", name, figure, a.Clause)
			for _, s := range a.Steps {
				fmt.Fprintf(&b, "    %s\n", s)
			}
		}
	}
	if len(x.Definitions) > 0 {
		b.WriteString("\nderived\n")
		for _, d := range x.Definitions {
			value := d.Value
			switch {
			case !d.Known:
				value = "not known"
			case value == "":
				value = "not shown"
			}
			fmt.Fprintf(&b, "  %s: %s", d.Attribute, value)
			if len(d.Clauses) > 0 {
				fmt.Fprintf(&b, "  by %s", strings.Join(d.Clauses, ", "))
			}
			b.WriteByte('\n')
		}
	}
	b.WriteString("\nclauses\n")
	for _, c := range x.Clauses {
		if !every && (c.Did == didDormant || c.Did == didPass && c.Note == noteNot) {
			continue
		}
		fmt.Fprintf(&b, "  %s  %s", c.Clause, c.Did)
		switch {
		case c.Did == didOverride:
			fmt.Fprintf(&b, " by %s", c.Note)
		case c.Note != "":
			fmt.Fprintf(&b, ": %s", c.Note)
		}
		b.WriteByte('\n')
		for _, s := range c.Looked {
			fmt.Fprintf(&b, "    %s\n", s)
		}
		for _, p := range c.Conditions {
			p.write(&b, "    ")
		}
	}
	if len(v.Questions) > 0 {
		b.WriteString("\nrests on\n")
		for _, q := range v.Questions {
			settled := "settled by both sides"
			if !q.Settled {
				settled = "not settled"
			}
			fmt.Fprintf(&b, "  question %s, %s\n", q.ID, settled)
		}
	}
	if len(v.Missing) > 0 {
		fmt.Fprintf(&b, "\nmissing\n  %s\n", strings.Join(v.Missing, ", "))
	}
	x.needs(&b)
	return b.String()
}

// FitsText says in English which certificate a need is of that Fits.
const FitsText = "one that meets the published rules"

func (x Explanation) needs(b *strings.Builder) {
	if len(x.Needs) == 0 {
		return
	}
	b.WriteString("\nwhat would change it\n")
	for _, n := range x.Needs {
		value := " with another value"
		if n.Fits {
			value = ": " + FitsText
		}
		if n.Value != "" {
			value = ": " + n.Value
		}
		fmt.Fprintf(b, "  %s%s → %s\n", n.Input, value, n.Outcome)
	}
}

// Words returns the expression of a part, with its role before it, and what it came to in
// words: a value that is not shown, not known or cannot be worked out is said so.
func (p Part) Words() (text, value string) {
	text, value = p.Text, p.Value
	switch {
	case p.Hidden:
		value = "not shown"
	case p.Unknown:
		value = "not known"
	case p.Failed:
		value = "cannot be worked out"
	}
	if p.Role != "" {
		text = p.Role + " " + text
	}
	return text, value
}

func (p Part) write(b *strings.Builder, indent string) {
	text, value := p.Words()
	fmt.Fprintf(b, "%s%s = %s\n", indent, text, value)
	for _, k := range p.Parts {
		k.write(b, indent+"  ")
	}
}
