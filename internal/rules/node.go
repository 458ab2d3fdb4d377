// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"math"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/overloads"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	"cel.dev/cel-go/interpreter"
)

// CEL plans an expression as a tree of nodes and lets a program put nodes of its own in
// place of them. Here a name becomes its place among the values of the question, which
// CEL would look up by text, and what most conditions are made of, to compare a name with
// a number or a text, is done on the plain numbers and texts. A node of these keeps the
// one of CEL whose place it took, and leaves to it whatever is not so plain: something
// unknown, an overflow, another type. What an expression comes to, and in what order it
// looks at names, stays CEL's.

// exec is one node. A node of ours holds the one of CEL by this alone: CEL would take it for
// one of its calls otherwise and might plan it anew.
type exec = interpreter.InterpretableV2

// planner makes the nodes of one expression.
type planner struct {
	c    *compiled
	root exec // the node that was made last: CEL plans from the leaves up
}

// decorate puts a node in place of one of CEL's where there is one that fits.
func (p *planner) decorate(n exec) (exec, error) {
	p.root = p.node(n)
	return p.root, nil
}

func (p *planner) node(n exec) exec {
	switch n := n.(type) {
	case interpreter.InterpretableAttribute:
		a, ok := n.Attr().(interpreter.NamespacedAttribute)
		if !ok || len(a.Qualifiers()) > 0 || len(a.CandidateVariableNames()) != 1 {
			return n
		}
		if i, ok := p.c.names[a.CandidateVariableNames()[0]]; ok {
			return &nameNode{n.ID(), i}
		}
	case interpreter.InterpretableCall:
		return p.call(n)
	}
	return n
}

func (p *planner) call(n interpreter.InterpretableCall) exec {
	args := n.Args()
	switch len(args) {
	case 1:
		switch n.Function() {
		case operators.LogicalNot:
			return &notNode{n, args[0]}
		case "known":
			if x, ok := args[0].(*nameNode); ok {
				return &knownNode{n, x.index}
			}
		}
	case 2:
		if n.OverloadID() == overloads.InList {
			return p.among(n, args)
		}
		op, ok := comparison(n.Function())
		if !ok {
			return n
		}
		if x, ok := args[0].(*nameNode); ok && (op == equal || op == unequal) {
			if c, ok := args[1].(interpreter.InterpretableConst); ok {
				if s, ok := c.Value().(types.String); ok {
					return &textNode{n, x.index, string(s), op == equal}
				}
			}
		}
		if x, ok := termOf(args[0]); ok {
			if y, ok := termOf(args[1]); ok {
				return &numberNode{n, x, y, op}
			}
		}
	}
	return n
}

// among is a text that is looked for among texts that are written out.
func (p *planner) among(n interpreter.InterpretableCall, args []exec) exec {
	if c, ok := args[0].(interpreter.InterpretableConst); ok {
		s, isText := c.Value().(types.String)
		if x, ok := args[1].(*nameNode); ok && isText {
			return &holdsNode{n, x.index, s}
		}
	}
	x, ok := args[0].(*nameNode)
	if !ok {
		return n
	}
	c, ok := args[1].(interpreter.InterpretableConst)
	if !ok {
		return n
	}
	list, ok := c.Value().(traits.Lister)
	if !ok {
		return n
	}
	texts := set(list)
	if size, _ := list.Size().(types.Int); int(size) != len(texts) {
		return n
	}
	return &amongNode{n, x.index, texts}
}

// order is how two values are compared.
type order uint8

const (
	equal order = iota
	unequal
	less
	lessEqual
	greater
	greaterEqual
)

func comparison(function string) (order, bool) {
	switch function {
	case operators.Equals:
		return equal, true
	case operators.NotEquals:
		return unequal, true
	case operators.Less:
		return less, true
	case operators.LessEquals:
		return lessEqual, true
	case operators.Greater:
		return greater, true
	case operators.GreaterEquals:
		return greaterEqual, true
	}
	return 0, false
}

func (o order) holds(x, y int64) bool {
	switch o {
	case equal:
		return x == y
	case unequal:
		return x != y
	case less:
		return x < y
	case lessEqual:
		return x <= y
	case greater:
		return x > y
	}
	return x >= y
}

// scope is the question that an expression is evaluated for.
func scope(f *interpreter.ExecutionFrame) *activation { return f.Scope().(*activation) }

// nameNode is a name: an attribute, a parameter, a field of an event.
type nameNode struct {
	id    int64
	index int // in compiled.names
}

func (n *nameNode) ID() int64 { return n.id }

func (n *nameNode) Exec(f *interpreter.ExecutionFrame) ref.Val { return scope(f).val(n.index) }

func (n *nameNode) Eval(vars interpreter.Activation) ref.Val {
	return interpreter.EvalActivation(vars, n.Exec)
}

// notNode is the contrary of what is true or false.
type notNode struct {
	exec
	arg exec
}

func (n *notNode) Exec(f *interpreter.ExecutionFrame) ref.Val {
	switch v := n.arg.Exec(f).(type) {
	case types.Bool:
		return !v
	case *types.Err:
		return v
	case *types.Unknown:
		return v
	}
	return n.exec.Exec(f)
}

// knownNode is whether a name is known.
type knownNode struct {
	exec
	index int
}

func (n *knownNode) Exec(f *interpreter.ExecutionFrame) ref.Val {
	a := scope(f)
	switch v := a.val(n.index).(type) {
	case types.String, types.Bool, types.Int, types.Timestamp:
		return types.True
	case *types.Unknown:
		if v == a.c.unknowns[n.index] && v != a.c.dates {
			return types.False
		}
	}
	return n.exec.Exec(f)
}

// textNode is whether a name is a text that is written out, or is not.
type textNode struct {
	exec
	index int
	text  string
	is    bool
}

func (n *textNode) Exec(f *interpreter.ExecutionFrame) ref.Val {
	if s, ok := scope(f).val(n.index).(types.String); ok {
		return types.Bool((string(s) == n.text) == n.is)
	}
	return n.exec.Exec(f)
}

// amongNode is whether a name is one of some texts.
type amongNode struct {
	exec
	index int
	texts []string
}

func (n *amongNode) Exec(f *interpreter.ExecutionFrame) ref.Val {
	s, ok := scope(f).val(n.index).(types.String)
	if !ok {
		return n.exec.Exec(f)
	}
	for _, t := range n.texts {
		if t == string(s) {
			return types.True
		}
	}
	return types.False
}

// holdsNode is whether a set has a text that is written out.
type holdsNode struct {
	exec
	index int
	text  types.String
}

func (n *holdsNode) Exec(f *interpreter.ExecutionFrame) ref.Val {
	l, ok := scope(f).val(n.index).(traits.Lister)
	if !ok {
		return n.exec.Exec(f)
	}
	size, _ := l.Size().(types.Int)
	for i := types.Int(0); i < size; i++ {
		if s, ok := l.Get(i).(types.String); ok && s == n.text {
			return types.True
		}
	}
	return types.False
}

// numberNode compares two numbers.
type numberNode struct {
	exec
	x, y term
	op   order
}

func (n *numberNode) Exec(f *interpreter.ExecutionFrame) ref.Val {
	a := scope(f)
	if x, ok := n.x.in(a); ok {
		if y, ok := n.y.in(a); ok {
			return types.Bool(n.op.holds(x, y))
		}
	}
	return n.exec.Exec(f)
}

// term is what a comparison compares: a name, a number that is written out, or the sum
// or difference of two of these. It goes no deeper, so that what CEL has to look at once
// more is little.
type term struct {
	index int // of a name, -1 where there is none
	n     int64
	other *term // what is added or taken away
	minus bool
}

func termOf(n exec) (term, bool) {
	if x, ok := leafOf(n); ok {
		return x, true
	}
	c, ok := n.(interpreter.InterpretableCall)
	if !ok || len(c.Args()) != 2 || c.Function() != operators.Add && c.Function() != operators.Subtract {
		return term{}, false
	}
	x, ok := leafOf(c.Args()[0])
	y, ok2 := leafOf(c.Args()[1])
	x.other, x.minus = &y, c.Function() == operators.Subtract
	return x, ok && ok2
}

func leafOf(n exec) (term, bool) {
	switch n := n.(type) {
	case *nameNode:
		return term{index: n.index}, true
	case interpreter.InterpretableConst:
		if i, ok := n.Value().(types.Int); ok {
			return term{index: -1, n: int64(i)}, true
		}
	}
	return term{}, false
}

// in is the number in a question; ok is false where it is none.
func (n *term) in(a *activation) (x int64, ok bool) {
	x = n.n
	if n.index >= 0 {
		i, ok := a.val(n.index).(types.Int)
		if !ok {
			return 0, false
		}
		x = int64(i)
	}
	if n.other == nil {
		return x, true
	}
	y, ok := n.other.in(a)
	switch {
	case !ok:
		return 0, false
	case n.minus && (y <= 0 && x <= math.MaxInt64+y || y > 0 && x >= math.MinInt64+y):
		return x - y, true
	case !n.minus && (y >= 0 && x <= math.MaxInt64-y || y < 0 && x >= math.MinInt64-y):
		return x + y, true
	}
	return 0, false
}

// program plans an expression. root is its plan, to be run on a question's own frame; it
// is nil where CEL has to watch over the run, which is so where it has a limit on cost.
func (l *language) program(en *cel.Env, a *cel.Ast, limited bool) (p cel.Program, root exec, err error) {
	opts := []cel.ProgramOption{cel.EvalOptions(cel.OptOptimize)}
	if limited {
		p, err = en.Program(a, append(opts, cel.CostLimit(maxCost))...)
		return p, nil, err
	}
	own := planner{c: l.c}
	if p, err = en.Program(a, append(opts, cel.CustomDecoratorV2(own.decorate))...); err != nil {
		return nil, nil, err
	}
	if c, ok := own.root.(interpreter.InterpretableCall); ok && c.OverloadID() == overloads.InList {
		return p, nil, nil // CEL has put another node in its place since
	}
	return p, own.root, nil
}
