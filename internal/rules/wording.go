// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"cel.dev/cel-go/common"
)

// misread says in plain words what keeps an expression from being read, and how to mend
// it: the compiler speaks of tokens and overloads.
func misread(text string, e *common.Error) (what, mend string) {
	if m := overload.FindStringSubmatch(e.Message); m != nil {
		op, types := strings.Trim(m[1], "_!@[]?:"), strings.Split(m[2], ", ")
		var said []string
		for _, t := range types {
			said = append(said, typeWord(t))
		}
		switch {
		case strings.Contains(m[1], "!_") || m[1] == "!_":
			op = "!"
		case op == "":
			op = m[1]
		}
		return fmt.Sprintf("condition: %s does not work on %s", op, strings.Join(said, " and ")), alike(types)
	}
	if !strings.HasPrefix(e.Message, "Syntax error") {
		return "condition: " + e.Message, "see section 7 of docs/spec/agreement.md"
	}
	column := min(max(e.Location.Column(), 0), len(text))
	near, mend := strings.TrimSpace(text[column:]), "see section 7 of docs/spec/agreement.md for what a condition is made of"
	if f := strings.Fields(near); len(f) > 0 {
		near = f[0]
	}
	for _, x := range slips {
		if x.at.MatchString(text) {
			mend = x.mend
			break
		}
	}
	if near == "" {
		return "condition cannot be read: it breaks off at its end", mend
	}
	return fmt.Sprintf("condition cannot be read from column %d on, at %q", column+1, near), mend
}

var overload = regexp.MustCompile(`found no matching overload for '([^']*)' applied to '\(?([^')]*(?:\([^)]*\))?[^')]*)\)?'`)

// slips are what people write who do not know the language, and what they mean.
var slips = [...]struct {
	at   *regexp.Regexp
	mend string
}{
	{regexp.MustCompile(`\d\s+(days|nights)\b`), "days are whole numbers: write auth.issued + 90, or a parameter of unit days"},
	{regexp.MustCompile(`\d\s+(weeks|months|years|hours|minutes)\b`), "write addmonths(d, n), addyears(d, n), hours(n) or minutes(n)"},
	{regexp.MustCompile(`(^|[\s(])not\s`), "write ! for not: !currency.used"},
	{regexp.MustCompile(`\s(and|or)\s`), "write && for and, || for or"},
	{regexp.MustCompile(`[^=!<>]=([^=]|$)`), "write == for is equal to"},
	{regexp.MustCompile(`\d\s*%(\s|$)`), "write percent(amount, rate), with a parameter of unit percent"},
}

func typeWord(t string) string {
	switch t {
	case "int":
		return "a number or a day"
	case "timestamp", "google.protobuf.Timestamp":
		return "an instant"
	case "duration", "google.protobuf.Duration":
		return "a span of time"
	case "string":
		return "a text"
	case "bool":
		return "true or false"
	case "list(string)":
		return "a set of texts"
	}
	return t
}

// alike says how to make two types one.
func alike(types []string) string {
	has := func(t string) bool { return slices.Contains(types, t) }
	switch {
	case (has("timestamp") || has("google.protobuf.Timestamp")) && has("int"):
		return "compare days with days and instants with instants: today is the day of now, and on(t) the day of an instant"
	case has("string") && has("int"):
		return "write a day as date('2025-10-17'), and a number without quotes"
	case has("string") && has("list(string)"):
		return "write 'a' in set, or all(['a', 'b'], set)"
	case has("bool"):
		return "write true or false without quotes, and compare numbers and texts with something"
	}
	return "compare what is of one type; section 7 of docs/spec/agreement.md has the functions and what they take"
}
