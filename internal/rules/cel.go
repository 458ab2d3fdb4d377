// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/env"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"darwaza.dev/internal/agreement"
)

// Conditions are CEL with much of it switched off. What is left terminates in a time
// that its length bounds: there are no macros, hence no iteration, and no regular
// expressions; texts that come in are cut off at maxText. There are no doubles, and
// none of the functions that read a time by a zone.

const (
	maxCondition = 2000 // bytes
	maxNodes     = 200
	maxNesting   = 24
	maxText      = 256 // bytes of a text attribute that a condition may read
)

// functions are what a condition may call.
func functions() []string {
	return []string{
		operators.LogicalAnd, operators.LogicalOr, operators.LogicalNot, operators.Conditional,
		operators.Equals, operators.NotEquals, operators.Less, operators.LessEquals, operators.Greater, operators.GreaterEquals,
		operators.Add, operators.Subtract, operators.Multiply, operators.Divide, operators.Modulo, operators.Negate, operators.In,
		"startsWith", "endsWith", "contains", "timestamp", "duration",
	}
}

// The names that the engine itself declares beside an edition's attributes.
const (
	nameNow  = "now"  // timestamp: the instant of the question
	nameSite = "site" // string
	nameSide = "side" // string
)

// environment declares the attributes and parameters of an edition for conditions.
func environment(e *agreement.Edition) (*cel.Env, error) {
	subset := &env.LibrarySubset{DisableMacros: true}
	for _, f := range functions() {
		subset.IncludeFunctions = append(subset.IncludeFunctions, env.NewFunction(f))
	}
	opts := []cel.EnvOption{
		cel.StdLib(cel.StdLibSubset(subset)),
		cel.ClearMacros(),
		cel.ParserExpressionSizeLimit(maxCondition),
		cel.ExpressionNodeLimit(maxNodes),
		cel.ExpressionNestingDepthLimit(maxNesting),
		cel.ParserRecursionLimit(4 * maxNesting),
		cel.Variable(nameNow, cel.TimestampType),
		cel.Variable(nameSite, cel.StringType),
		cel.Variable(nameSide, cel.StringType),
		// known(x) is whether the attribute was given. It is the one function that may
		// look at what is not there.
		cel.Function("known", cel.Overload("known_any", []*cel.Type{cel.DynType}, cel.BoolType,
			cel.OverloadIsNonStrict(),
			cel.UnaryBinding(func(v ref.Val) ref.Val {
				if types.IsError(v) {
					return v
				}
				return types.Bool(!types.IsUnknown(v))
			}))),
	}
	for _, id := range sortedKeys(e.Attributes) {
		t, ok := celType(e.Attributes[id].Type)
		if !ok {
			continue // refused by package agreement
		}
		opts = append(opts, cel.Variable(id, t))
	}
	for _, id := range sortedKeys(e.Parameters) {
		opts = append(opts, cel.Variable("param."+id, cel.IntType))
	}
	return cel.NewCustomEnv(opts...)
}

func celType(t string) (*cel.Type, bool) {
	switch t {
	case "string":
		return cel.StringType, true
	case "int":
		return cel.IntType, true
	case "bool":
		return cel.BoolType, true
	case "time":
		return cel.TimestampType, true
	}
	return nil, false
}

// condition is one compiled expression and what it reads.
type condition struct {
	program cel.Program
	names   []string // attributes, "param.x", now, site, side; sorted
	id      int      // from 1 on, the same for the same text; 0 for one that stands alone
}

// compile compiles a condition. what and mend say what is wrong with it, as a fault does.
func compile(en *cel.Env, e *agreement.Edition, text string) (c *condition, what, mend string) {
	if len(text) > maxCondition {
		return nil, fmt.Sprintf("condition longer than %d bytes", maxCondition), "split the clause"
	}
	a, iss := en.Compile(text)
	if err := iss.Err(); err != nil {
		first := iss.Errors()[0]
		what, mend = "condition: "+first.Message, "name attributes of agreement.yaml and parameters as param.id"
		if name, ok := undeclared(first.Message); ok {
			if name == "param" {
				name = missingParam(text, e)
			}
			what = fmt.Sprintf("condition reads %q, which is not declared", name)
			if strings.HasPrefix(name, "param.") {
				mend = "declare it in parameters/"
			} else {
				mend = "declare it under attributes in agreement.yaml"
			}
		}
		return nil, what, mend
	}
	if a.OutputType() != cel.BoolType {
		return nil, fmt.Sprintf("condition is a %s, not true or false", a.OutputType()), "compare it with something"
	}
	native := a.NativeRep()
	for _, t := range native.TypeMap() {
		if t.Kind() == types.DoubleKind || t.Kind() == types.UintKind || t.Kind() == types.BytesKind || t.Kind() == types.MapKind {
			return nil, fmt.Sprintf("condition uses a %s", t), "use whole numbers in small units, texts, times or true and false"
		}
	}
	if what := mixed(native, e); what != "" {
		return nil, what, "compare what is counted in the same unit"
	}
	p, err := en.Program(a, cel.EvalOptions(cel.OptOptimize))
	if err != nil {
		return nil, "condition: " + err.Error(), "simplify it"
	}
	c = &condition{program: p}
	for id, r := range native.ReferenceMap() {
		if r.Name != "" && len(r.OverloadIDs) == 0 && id != 0 {
			c.names = append(c.names, r.Name)
		}
	}
	slices.Sort(c.names)
	c.names = slices.Compact(c.names)
	return c, "", ""
}

// undeclared takes the name out of the message of the type checker.
func undeclared(msg string) (string, bool) {
	_, rest, ok := strings.Cut(msg, "undeclared reference to '")
	name, _, ok2 := strings.Cut(rest, "'")
	return name, ok && ok2
}

// missingParam returns the first parameter that a condition names and the edition does
// not have: the type checker names only the part before the dot.
func missingParam(text string, e *agreement.Edition) string {
	for rest := text; ; {
		_, after, ok := strings.Cut(rest, "param.")
		if !ok {
			return "param"
		}
		end := strings.IndexFunc(after, func(c rune) bool { return c != '.' && c != '_' && (c < 'a' || c > 'z') && (c < '0' || c > '9') })
		if end < 0 {
			end = len(after)
		}
		if id := strings.Trim(after[:end], "."); e.Parameters[id] == nil {
			return "param." + id
		}
		rest = after
	}
}

// mixed finds a comparison, sum or difference of two names that are counted in
// different units, such as minutes and people.
func mixed(a *ast.AST, e *agreement.Edition) string {
	unit := func(x ast.Expr) (name, unit string) {
		r := a.ReferenceMap()[x.ID()]
		if r == nil || r.Name == "" || len(r.OverloadIDs) > 0 {
			return "", ""
		}
		if id, ok := strings.CutPrefix(r.Name, "param."); ok {
			if p := e.Parameters[id]; p != nil {
				return r.Name, p.Unit
			}
		}
		return r.Name, e.Attributes[r.Name].Unit
	}
	var found string
	ast.PostOrderVisit(a.Expr(), ast.NewExprVisitor(func(x ast.Expr) {
		if x.Kind() != ast.CallKind || len(x.AsCall().Args()) != 2 {
			return
		}
		switch x.AsCall().FunctionName() {
		case operators.Equals, operators.NotEquals, operators.Less, operators.LessEquals, operators.Greater, operators.GreaterEquals,
			operators.Add, operators.Subtract:
			n, u := unit(x.AsCall().Args()[0])
			m, v := unit(x.AsCall().Args()[1])
			if u != "" && v != "" && u != v {
				found = fmt.Sprintf("%s counts %s and %s counts %s", n, u, m, v)
			}
		}
	}))
	return found
}

// sortedKeys keeps map order out of everything.
func sortedKeys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// value makes a fact a value of its attribute's type. ok is false where it is none:
// such a fact counts as not given.
func value(typ string, v any) (ref.Val, bool) {
	switch x := v.(type) {
	case string:
		return types.String(x), typ == "string" && len(x) <= maxText
	case int64:
		return types.Int(x), typ == "int"
	case int:
		return types.Int(x), typ == "int"
	case bool:
		return types.Bool(x), typ == "bool"
	case time.Time:
		return types.Timestamp{Time: x.UTC()}, typ == "time" && !x.IsZero()
	}
	return nil, false
}
