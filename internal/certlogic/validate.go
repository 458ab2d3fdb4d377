// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package certlogic

import (
	"fmt"
	"strings"
)

// Issue is something that makes a JSON value no CertLogic expression, with the part of it
// that is at fault. The words are those of the published validation suite.
type Issue struct {
	Expr    Value
	Message string
}

// maxIssues is how many issues are told.
const maxIssues = 100

// Validate returns what makes a value no CertLogic expression, in the order in which it
// stands; nothing where it is one.
func Validate(v Value) []Issue {
	w := validator{}
	w.expr(v)
	return w.issues
}

type validator struct{ issues []Issue }

func (w *validator) issue(v Value, format string, args ...any) {
	if len(w.issues) < maxIssues {
		w.issues = append(w.issues, Issue{v, fmt.Sprintf(format, args...)})
	}
}

func (w *validator) all(list []Value) {
	for _, v := range list {
		w.expr(v)
	}
}

func (w *validator) expr(v Value) {
	switch v.kind {
	case Null, Time:
		w.issue(v, "invalid CertLogic expression")
	case Number:
		w.issue(v, "%s is a non-integer number", v)
	case Array:
		w.all(v.x.list)
	case Object:
		w.operation(v)
	}
}

func (w *validator) operation(v Value) {
	if n := v.Len(); n != 1 {
		w.issue(v, "expression object must have exactly one key, but it has %d", n)
		return
	}
	op, operands := v.x.keys[0], v.x.list[0]
	if op == "var" {
		if operands.kind != String {
			w.issue(v, `not of the form { "var": "<path>" }`)
		} else if !validPath(operands.s) {
			w.issue(v, "data access path doesn't have a valid format: %s", short(operands.s))
		}
		return
	}
	if operands.kind != Array {
		w.issue(v, `operation not of the form { "<operator>": [ <values...> ] }`)
		return
	}
	list := operands.x.list
	n := len(list)
	first := func(k int) []Value { return list[:min(k, n)] }
	whole := func(what string) {
		if n > 1 && list[1].kind != Int {
			w.issue(v, `"%s" argument (#2) of "%s" must be an integer, but it is: %s`, what, op, list[1])
		}
	}
	switch op {
	case "if", "reduce":
		article := map[string]string{"if": "an", "reduce": "a"}[op]
		if n != 3 {
			w.issue(v, `%s "%s"-operation must have exactly 3 values/operands, but it has %d`, article, op, n)
		}
		w.all(first(3))
	case "and":
		if n < 2 {
			w.issue(v, `an "and" operation must have at least 2 operands, but it has %d`, n)
		}
		w.all(list)
	case "<", ">", "<=", ">=", "after", "before", "not-after", "not-before":
		if n < 2 || n > 3 {
			w.issue(v, `an operation with operator "%s" must have 2 or 3 operands, but it has %d`, op, n)
		}
		w.all(first(3))
	case "===", "in", "+":
		if n != 2 {
			w.issue(v, `an operation with operator "%s" must have 2 operands, but it has %d`, op, n)
		}
		w.all(first(2))
	case "!":
		if n != 1 {
			w.issue(v, "a !-operation (logical not/negation) must have exactly 1 operand, but it has %d", n)
			return
		}
		w.all(list)
	case "plusTime":
		if n != 3 {
			w.issue(v, `a "plusTime"-operation must have exactly 3 values/operands, but it has %d`, n)
		}
		w.all(first(1))
		whole("amount")
		if n > 2 && (list[2].kind != String || !isUnit(list[2].s)) {
			w.issue(v, `"unit" argument (#3) of "plusTime" must be a string equal to one of %s, but it is: %s`, strings.Join(units(), ", "), list[2])
		}
	case "extractFromUVCI":
		if n != 2 {
			w.issue(v, `an "extractFromUVCI"-operation must have exactly 2 values/operands, but it has %d`, n)
		}
		w.all(first(1))
		whole("index")
	case "dccDateOfBirth":
		if n != 1 {
			w.issue(v, `a "dccDateOfBirth"-operation must have exactly 1 value/operand, but it has %d`, n)
		}
		w.all(first(1))
	default:
		w.issue(v, `unrecognised operator: "%s"`, short(op))
	}
}

func units() []string { return []string{unitYear, unitMonth, unitDay, unitHour} }

func isUnit(s string) bool { return s == unitYear || s == unitMonth || s == unitDay || s == unitHour }

// validPath reports whether a path is empty or of fragments between dots, none empty.
func validPath(s string) bool {
	if s == "" {
		return true
	}
	for f := range strings.SplitSeq(s, ".") {
		if f == "" {
			return false
		}
	}
	return true
}
