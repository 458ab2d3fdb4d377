// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package agreement

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Fault is one thing that is wrong with a package, where it stands, and the mend.
type Fault struct {
	File   string // path in the package
	Line   int    // from 1; 0 where the fault is of the whole file
	Clause string // id of the clause, parameter or test, where there is one
	What   string
	Mend   string
	// Warning marks what does not keep the package from being signed.
	Warning bool
}

// String returns "clauses/law.yaml:12: P8(iv): what is wrong; mend: what to do".
func (f Fault) String() string {
	var b strings.Builder
	b.WriteString(f.File)
	if f.Line > 0 {
		fmt.Fprintf(&b, ":%d", f.Line)
	}
	b.WriteString(": ")
	if f.Warning {
		b.WriteString("warning: ")
	}
	if f.Clause != "" {
		b.WriteString(f.Clause + ": ")
	}
	b.WriteString(f.What)
	if f.Mend != "" {
		b.WriteString("; mend: " + f.Mend)
	}
	return b.String()
}

// Faults are what is wrong with a package, in the order of file and line. As an
// error it names each.
type Faults []Fault

func (fs Faults) Error() string {
	lines := make([]string, len(fs))
	for i, f := range fs {
		lines[i] = f.String()
	}
	return "agreement: " + strings.Join(lines, "\n")
}

// Errors returns the faults that keep the package from being used: all but the warnings.
func (fs Faults) Errors() Faults {
	var out Faults
	for _, f := range fs {
		if !f.Warning {
			out = append(out, f)
		}
	}
	return out
}

// Sort puts the faults into the order in which they are shown.
func (fs Faults) Sort() {
	slices.SortStableFunc(fs, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Clause, b.Clause), cmp.Compare(a.What, b.What))
	})
}
