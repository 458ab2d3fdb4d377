// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"strconv"
	"strings"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// signs are the operators as they are written, with how strongly they bind.
func sign(fn string) (s string, binds int) {
	switch fn {
	case operators.LogicalOr:
		return "||", 1
	case operators.LogicalAnd:
		return "&&", 2
	case operators.Equals:
		return "==", 3
	case operators.NotEquals:
		return "!=", 3
	case operators.Less:
		return "<", 3
	case operators.LessEquals:
		return "<=", 3
	case operators.Greater:
		return ">", 3
	case operators.GreaterEquals:
		return ">=", 3
	case operators.In:
		return "in", 3
	case operators.Add:
		return "+", 4
	case operators.Subtract:
		return "-", 4
	case operators.Multiply:
		return "*", 5
	case operators.Divide:
		return "/", 5
	case operators.Modulo:
		return "%", 5
	}
	return "", 0
}

// show writes an expression as an author would.
func show(x ast.Expr) string { return showIn(x, 0, nil) }

// showIn writes an expression inside one that binds so strongly. Where leaf is not nil
// it may write a part by itself.
func showIn(x ast.Expr, outer int, leaf func(ast.Expr) (string, bool)) string {
	if leaf != nil {
		if s, ok := leaf(x); ok {
			return s
		}
	}
	inner := func(y ast.Expr, binds int) string { return showIn(y, binds, leaf) }
	switch x.Kind() {
	case ast.LiteralKind:
		return showValue(x.AsLiteral())
	case ast.IdentKind:
		return strings.TrimPrefix(x.AsIdent(), ".")
	case ast.SelectKind:
		return inner(x.AsSelect().Operand(), 9) + "." + x.AsSelect().FieldName()
	case ast.ListKind:
		var parts []string
		for _, y := range x.AsList().Elements() {
			parts = append(parts, inner(y, 0))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case ast.CallKind:
		c := x.AsCall()
		args := c.Args()
		fn := c.FunctionName()
		var s string
		binds := 9
		switch op, b := sign(fn); {
		case op != "" && len(args) == 2:
			binds = b
			s = inner(args[0], b) + " " + op + " " + inner(args[1], b+1)
		case fn == operators.LogicalNot:
			return "!" + inner(args[0], 8)
		case fn == operators.Negate:
			return "-" + inner(args[0], 8)
		case fn == operators.Conditional:
			binds = 0
			s = inner(args[0], 1) + " ? " + inner(args[1], 1) + " : " + inner(args[2], 1)
			if outer > 0 {
				return "(" + s + ")"
			}
			return s
		case fn == operators.Index:
			return inner(args[0], 9) + "[" + inner(args[1], 0) + "]"
		default:
			if fn == "@scale" && len(args) == 4 {
				fn, args = scaled(args), args[:2]
			}
			parts := make([]string, 0, len(args))
			for _, y := range args {
				parts = append(parts, inner(y, 0))
			}
			s = fn + "(" + strings.Join(parts, ", ") + ")"
			if c.IsMemberFunction() {
				s = inner(c.Target(), 9) + "." + s
			}
		}
		if binds < outer {
			return "(" + s + ")"
		}
		return s
	}
	return "?"
}

// scaled is what a call was before its units made it one of @scale: see rescale.
func scaled(args []ast.Expr) string {
	n, _ := args[2].AsLiteral().(types.Int)
	d, _ := args[3].AsLiteral().(types.Int)
	switch {
	case n < 0:
		return "unconvert"
	case n == 1 && d < 1_000_000:
		return "each"
	}
	return "convert"
}

func showValue(v ref.Val) string {
	switch x := v.(type) {
	case types.String:
		return "'" + string(x) + "'"
	case types.Int:
		return strconv.FormatInt(int64(x), 10)
	case types.Bool:
		return strconv.FormatBool(bool(x))
	case types.Timestamp:
		return x.UTC().Format(time.RFC3339)
	case types.Duration:
		return x.Duration.String()
	}
	return "[" + strings.Join(set(v), ", ") + "]"
}

// trace evaluates an expression and keeps the value of each of its parts.
func (a *activation) trace(c *condition) (value func(ast.Expr) (ref.Val, bool), ok bool) {
	p := c.tracer
	if p == nil {
		if p = c.traced(); p == nil {
			return nil, false
		}
	}
	_, det, _ := p.Eval(a)
	state := det.State()
	return func(x ast.Expr) (ref.Val, bool) {
		if x.Kind() == ast.LiteralKind {
			return x.AsLiteral(), true
		}
		return state.Value(x.ID())
	}, true
}

// traced compiles an expression again so that the values of its parts are kept.
func (c *condition) traced() cel.Program {
	p, err := c.env.Program(c.ast, cel.EvalOptions(cel.OptTrackState, cel.OptExhaustiveEval))
	if err != nil {
		return nil
	}
	return p
}

// working writes how a figure is worked out: each function and each sum, with the
// values that it was given.
func (a *activation) working(c *condition, unit string) []Working {
	value, ok := a.trace(c)
	if !ok {
		return nil
	}
	var steps []Working
	said := func(x ast.Expr, whole bool) string {
		v, ok := value(x)
		if !ok || types.IsUnknownOrError(v) {
			return show(x)
		}
		u := c.units[x.ID()]
		if whole && u == "" {
			u = unit
		}
		return text(v, u)
	}
	top := c.ast.NativeRep().Expr()
	var walk func(x ast.Expr)
	walk = func(x ast.Expr) {
		if x.Kind() != ast.CallKind {
			return
		}
		call := x.AsCall()
		if call.FunctionName() == operators.Conditional {
			// The branch that was taken, alone.
			args := call.Args()
			switch v, _ := value(args[0]); v {
			case types.True:
				walk(args[1])
				return
			case types.False:
				walk(args[2])
				return
			}
		}
		for _, y := range kids(x) {
			walk(y)
		}
		op, binds := sign(call.FunctionName())
		if len(steps) >= maxSteps || op != "" && binds < 4 || call.FunctionName() == operators.LogicalNot || call.FunctionName() == "known" || call.FunctionName() == "date" {
			return
		}
		if v, seen := value(x); !seen || types.IsUnknownOrError(v) {
			return
		}
		left := showIn(x, 0, func(y ast.Expr) (string, bool) {
			if y.ID() == x.ID() {
				return "", false
			}
			return said(y, false), true
		})
		steps = append(steps, Working{Code: workSum, Text: left + " = " + said(x, x.ID() == top.ID())})
	}
	walk(top)
	if len(steps) == 0 {
		steps = []Working{{Code: workSum, Text: show(top) + " = " + said(top, true)}}
	}
	return steps
}

const maxSteps = 20
