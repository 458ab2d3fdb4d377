// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package certlogic

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

const (
	// maxNodes is the most parts that an expression has.
	maxNodes = 10_000
	// maxSteps bounds the work of one evaluation: parts evaluated, and elements of an array
	// that are looked at one by one.
	maxSteps = 200_000
)

// Expr is a compiled expression. It is immutable and may be used by many at once.
type Expr struct {
	root  node
	paths []string // that it reads of the data, sorted
}

type op uint8

const (
	opLiteral op = iota
	opArray
	opVar
	opIf
	opAnd
	opNot
	opSame
	opIn
	opPlus
	opLess
	opLessEqual
	opGreater
	opGreaterEqual
	opBefore
	opNotAfter
	opAfter
	opNotBefore
	opPlusTime
	opReduce
	opExtract
	opBirth
)

// node is one part of an expression.
type node struct {
	op    op
	args  []node
	value Value  // literal
	path  []step // var
	n     int64  // plusTime: amount; extractFromUVCI: index
	unit  string // plusTime
}

// step is one fragment of a path.
type step struct {
	name  string
	index int // -1 where it is no number
}

// Compile makes an expression ready to evaluate. What is no valid expression is an error
// that names the first issue.
func Compile(v Value) (*Expr, error) {
	if issues := Validate(v); len(issues) > 0 {
		return nil, fmt.Errorf("%s, in %s", issues[0].Message, short(issues[0].Expr.String()))
	}
	c := compiler{left: maxNodes}
	root := c.node(v, false)
	if c.left < 0 {
		return nil, fmt.Errorf("more than %d parts", maxNodes)
	}
	slices.Sort(c.paths)
	return &Expr{root, slices.Compact(c.paths)}, nil
}

// Paths returns what the expression reads of its data, sorted: "external.validationClock",
// "payload.v.0.dt". The data that the lambda of a reduce is given are not among them.
func (x *Expr) Paths() []string { return slices.Clone(x.paths) }

type compiler struct {
	left  int
	paths []string
}

// node compiles a part of a valid expression; within the lambda of a reduce its data are
// not those of the whole.
func (c *compiler) node(v Value, lambda bool) node {
	if c.left--; c.left < 0 {
		return node{}
	}
	switch v.kind {
	case Array:
		n := node{op: opArray, args: c.nodes(v.x.list, lambda)}
		if slices.ContainsFunc(n.args, func(a node) bool { return a.op != opLiteral }) {
			return n
		}
		list := make([]Value, 0, len(n.args))
		for _, a := range n.args {
			list = append(list, a.value)
		}
		return node{value: MakeArray(list...)}
	case Object:
		return c.operation(v.x.keys[0], v.x.list[0], lambda)
	}
	return node{value: v}
}

func (c *compiler) nodes(list []Value, lambda bool) []node {
	out := make([]node, 0, len(list))
	for _, v := range list {
		out = append(out, c.node(v, lambda))
	}
	return out
}

func (c *compiler) operation(name string, operands Value, lambda bool) node {
	if name == "var" {
		if !lambda {
			c.paths = append(c.paths, operands.s)
		}
		return node{op: opVar, path: steps(operands.s)}
	}
	list := operands.x.list
	switch name {
	case "plusTime":
		return node{op: opPlusTime, args: c.nodes(list[:1], lambda), n: list[1].n, unit: list[2].s}
	case "extractFromUVCI":
		return node{op: opExtract, args: c.nodes(list[:1], lambda), n: list[1].n}
	case "reduce":
		return node{op: opReduce, args: []node{c.node(list[0], lambda), c.node(list[1], true), c.node(list[2], lambda)}}
	}
	return node{op: operator(name), args: c.nodes(list, lambda)}
}

func operator(name string) op {
	switch name {
	case "if":
		return opIf
	case "and":
		return opAnd
	case "!":
		return opNot
	case "===":
		return opSame
	case "in":
		return opIn
	case "+":
		return opPlus
	case "<":
		return opLess
	case "<=":
		return opLessEqual
	case ">":
		return opGreater
	case ">=":
		return opGreaterEqual
	case "before":
		return opBefore
	case "not-after":
		return opNotAfter
	case "after":
		return opAfter
	case "not-before":
		return opNotBefore
	}
	return opBirth // dccDateOfBirth, the last that Validate lets through
}

// steps are the fragments of a path; none is the data themselves.
func steps(path string) []step {
	if path == "" {
		return nil
	}
	var out []step
	for f := range strings.SplitSeq(path, ".") {
		s := step{f, -1}
		if n, err := strconv.Atoi(f); err == nil {
			s.index, s.name = n, strconv.Itoa(n)
		}
		out = append(out, s)
	}
	return out
}

// scope is what var reads: the data, or in the lambda of a reduce the element and what has
// been made of those before it.
type scope struct {
	data        Value
	lambda      bool
	current, so Value
}

func (s *scope) access(path []step) Value {
	v := &s.data
	if s.lambda {
		if len(path) == 0 {
			return MakeObject(map[string]Value{"accumulator": s.so, "current": s.current})
		}
		switch path[0].name {
		case "accumulator":
			v = &s.so
		case "current":
			v = &s.current
		default:
			return Value{}
		}
		path = path[1:]
	}
	for i := range path {
		f := &path[i]
		switch v.kind {
		case Array:
			if f.index < 0 || f.index >= len(v.x.list) {
				return Value{}
			}
			v = &v.x.list[f.index]
		case Object:
			if v = v.member(f.name); v == nil {
				return Value{}
			}
		default:
			return Value{}
		}
	}
	return *v
}

// The errors of an evaluation. Which it is tells nothing of the data.
var (
	ErrSteps  = errors.New("certlogic: takes too long to evaluate")
	errTruth  = errors.New("certlogic: a value that is neither truthy nor falsy decides")
	errIn     = errors.New("certlogic: right-hand side of in is no array")
	errInt    = errors.New("certlogic: an operand is no whole number")
	errTime   = errors.New("certlogic: an operand is no date-time")
	errString = errors.New("certlogic: an operand is no text")
	errReduce = errors.New("certlogic: reduce over what is no array")
	errSum    = errors.New("certlogic: a sum that is too large")
)

// Eval evaluates the expression on some data. An error is what the specification calls
// one; the expression then has no value.
func (x *Expr) Eval(data Value) (Value, error) {
	e := evaluator{left: maxSteps}
	s := scope{data: data}
	return e.eval(&x.root, &s)
}

type evaluator struct{ left int }

func (e *evaluator) spend(n int) error {
	if e.left -= n; e.left < 0 {
		return ErrSteps
	}
	return nil
}

// truth tells truthy from falsy. What is neither is an error.
func truth(v Value) (bool, error) {
	switch v.kind {
	case Null:
		return false, nil
	case Bool, Int:
		return v.n != 0, nil
	case String:
		return v.s != "", nil
	case Array, Object:
		return len(v.x.list) > 0, nil
	}
	return false, errTruth
}

func (e *evaluator) eval(n *node, s *scope) (Value, error) {
	if n.op == opLiteral {
		return n.value, nil
	}
	if e.left--; e.left < 0 {
		return Value{}, ErrSteps
	}
	switch n.op {
	case opVar:
		return s.access(n.path), nil
	case opIf:
		guard, err := e.eval(&n.args[0], s)
		if err != nil {
			return Value{}, err
		}
		t, err := truth(guard)
		if err != nil {
			return Value{}, err
		}
		if t {
			return e.eval(&n.args[1], s)
		}
		return e.eval(&n.args[2], s)
	case opAnd:
		return e.and(n, s)
	case opNot:
		v, err := e.eval(&n.args[0], s)
		if err != nil {
			return Value{}, err
		}
		t, err := truth(v)
		return MakeBool(!t), err
	case opSame, opIn, opPlus:
		return e.two(n, s)
	case opPlusTime, opBirth:
		v, err := e.eval(&n.args[0], s)
		if err != nil {
			return Value{}, err
		}
		return e.time(n, v)
	case opReduce:
		return e.reduce(n, s)
	case opExtract:
		v, err := e.eval(&n.args[0], s)
		if err != nil {
			return Value{}, err
		}
		return extract(v, n.n)
	case opArray:
		list := make([]Value, 0, len(n.args))
		for i := range n.args {
			v, err := e.eval(&n.args[i], s)
			if err != nil {
				return Value{}, err
			}
			list = append(list, v)
		}
		return MakeArray(list...), nil
	}
	return e.compare(n, s)
}

// and evaluates one operand after another until one is falsy, and gives that, or else the
// last.
func (e *evaluator) and(n *node, s *scope) (v Value, err error) {
	for i := range n.args {
		if v, err = e.eval(&n.args[i], s); err != nil || i == len(n.args)-1 {
			return v, err
		}
		if t, err := truth(v); err != nil || !t {
			return v, err
		}
	}
	return v, nil
}

func (e *evaluator) two(n *node, s *scope) (Value, error) {
	a, err := e.eval(&n.args[0], s)
	if err != nil {
		return Value{}, err
	}
	b, err := e.eval(&n.args[1], s)
	if err != nil {
		return Value{}, err
	}
	switch n.op {
	case opSame:
		return MakeBool(same(a, b)), nil
	case opIn:
		if b.kind != Array {
			return Value{}, errIn
		}
		if b.x.set == nil {
			if err := e.spend(len(b.x.list)); err != nil {
				return Value{}, err
			}
		}
		return MakeBool(b.x.contains(a)), nil
	}
	if a.kind != Int || b.kind != Int {
		return Value{}, errInt
	}
	sum := a.n + b.n
	if (sum > a.n) != (b.n > 0) {
		return Value{}, errSum
	}
	return MakeInt(sum), nil
}

// compare evaluates all operands of a comparison, and only then compares the first with
// the second, and the second with the third where there is one.
func (e *evaluator) compare(n *node, s *scope) (Value, error) {
	var at [3]int64
	kind, wrong := Int, errInt
	if n.op >= opBefore {
		kind, wrong = Time, errTime
	}
	fits := true
	for i := range n.args {
		v, err := e.eval(&n.args[i], s)
		if err != nil {
			return Value{}, err
		}
		fits = fits && v.kind == kind
		at[i] = v.n
	}
	if !fits {
		return Value{}, wrong
	}
	for i := 1; i < len(n.args); i++ {
		if !holds(n.op, at[i-1], at[i]) {
			return MakeBool(false), nil
		}
	}
	return MakeBool(true), nil
}

func holds(o op, a, b int64) bool {
	switch o {
	case opLess, opBefore:
		return a < b
	case opLessEqual, opNotAfter:
		return a <= b
	case opGreater, opAfter:
		return a > b
	}
	return a >= b
}

func (e *evaluator) time(n *node, v Value) (Value, error) {
	if v.kind != String {
		return Value{}, errString
	}
	if n.op == opBirth {
		ms, err := birthDate(v.s)
		return instant(ms), err
	}
	ms, err := parseTime(v.s)
	if err == nil {
		ms, err = plusTime(ms, n.n, n.unit)
	}
	if err != nil {
		return Value{}, err
	}
	return instant(ms), nil
}

func (e *evaluator) reduce(n *node, s *scope) (Value, error) {
	over, err := e.eval(&n.args[0], s)
	if err != nil {
		return Value{}, err
	}
	if over.kind != Null && over.kind != Array {
		return Value{}, errReduce
	}
	so, err := e.eval(&n.args[2], s)
	if err != nil || over.kind == Null {
		return so, err
	}
	inner := scope{lambda: true, so: so}
	for _, v := range over.x.list {
		inner.current = v
		if inner.so, err = e.eval(&n.args[1], &inner); err != nil {
			return Value{}, err
		}
		if err := e.spend(1); err != nil {
			return Value{}, err
		}
	}
	return inner.so, nil
}

// prefixUVCI stands before a certificate's identifier, or does not.
const prefixUVCI = "URN:UVCI:"

// extract is the operation extractFromUVCI: the fragment of that number between the
// separators, null where there is none.
func extract(v Value, index int64) (Value, error) {
	if v.kind == Null {
		return Value{}, nil
	}
	if v.kind != String {
		return Value{}, errString
	}
	rest := strings.TrimPrefix(v.s, prefixUVCI)
	for ; index >= 0; index-- {
		at := strings.IndexAny(rest, "/#:")
		if index == 0 {
			if at >= 0 {
				rest = rest[:at]
			}
			return MakeString(rest), nil
		}
		if at < 0 {
			break
		}
		rest = rest[at+1:]
	}
	return Value{}, nil
}
