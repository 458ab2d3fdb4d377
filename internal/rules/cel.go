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
	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/certlogic"
)

// Expressions are CEL with much of it switched off. What is left terminates in a time
// that its length bounds: there are no macros, hence no iteration, and no regular
// expressions; texts and sets that come in are cut off. There are no doubles, and none
// of the functions that read a time by a zone. What works on texts and sets, whose
// length the expression does not show, has a limit on its cost besides.

const (
	maxCondition = 2000 // bytes
	maxNodes     = 200
	maxNesting   = 24
	maxText      = 256   // bytes of a text attribute that a condition may read
	maxSet       = 64    // texts of a set
	maxEvents    = 5000  // of one kind in a question
	maxCost      = 50000 // of one evaluation that works on texts or sets, as CEL counts
)

// functions are what an expression may call of CEL's own.
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
	nameNow   = "now"   // timestamp: the instant of the question
	nameToday = "today" // date by the site's clock
	nameSite  = "site"  // string
	nameSide  = "side"  // string
	nameBoth  = "signed.both"

	paramPrefix = "param."
	priorPrefix = "prior.param."
	fieldPrefix = "event."
	listPrefix  = "list "
	kindPrefix  = "events "
	nameDates   = "no day" // what is open because a text gives no day; the space keeps it from being an attribute's

	fieldAt   = "event.at"
	fieldOn   = "event.on"
	fieldSite = "event.site"

	kindLot = "lot" // the built-in kind of events: earlier purchases
)

// lotFields are the fields of the built-in kind.
func lotFields(currency string) []agreement.Attribute {
	return []agreement.Attribute{{ID: "category", Type: "string"}, {ID: "regime", Type: "string"}, {ID: "value", Type: "int", Unit: currency}}
}

// fields are those of a kind of events, beside at, on and site.
func fields(e *agreement.Edition, kind string) (out []agreement.Attribute, ok bool) {
	if kind == kindLot {
		return lotFields(e.Currency), true
	}
	k, ok := e.Events[kind]
	for _, id := range k.Fields {
		if a, ok := e.Attributes[id]; ok {
			out = append(out, a)
		}
	}
	return out, ok
}

// language compiles the expressions of an edition. It keeps an environment for each
// kind of events that a where can speak of.
type language struct {
	c     *compiled
	e     *agreement.Edition
	envs  map[string]*cel.Env
	known map[string]*condition // by kind of events and text
}

// environment declares what an expression can name: of the kind of events in a where,
// else of none.
func (l *language) environment(kind string) (*cel.Env, error) {
	if en := l.envs[kind]; en != nil {
		return en, nil
	}
	e := l.e
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
		cel.Variable(nameToday, cel.IntType),
		cel.Variable(nameSite, cel.StringType),
		cel.Variable(nameSide, cel.StringType),
		cel.Variable(nameBoth, cel.BoolType),
	}
	opts = append(opts, l.declarations()...)
	for _, id := range sortedKeys(e.Attributes) {
		t, ok := celType(e.Attributes[id].Type)
		if !ok {
			continue // refused by package agreement
		}
		opts = append(opts, cel.Variable(id, t))
	}
	for _, id := range sortedKeys(e.Parameters) {
		t := cel.IntType
		if e.Parameters[id].Unit == unitWords {
			t = cel.StringType
		}
		opts = append(opts, cel.Variable(paramPrefix+id, t), cel.Variable(priorPrefix+id, t))
	}
	if kind != "" {
		opts = append(opts, cel.Variable(fieldAt, cel.TimestampType), cel.Variable(fieldOn, cel.IntType), cel.Variable(fieldSite, cel.StringType))
		of, _ := fields(e, kind)
		for _, a := range of {
			if t, ok := celType(a.Type); ok {
				opts = append(opts, cel.Variable(fieldPrefix+a.ID, t))
			}
		}
	}
	en, err := cel.NewCustomEnv(opts...)
	if err == nil {
		l.envs[kind] = en
	}
	return en, err
}

func celType(t string) (*cel.Type, bool) {
	switch t {
	case "string":
		return cel.StringType, true
	case "int", "date":
		return cel.IntType, true
	case "bool":
		return cel.BoolType, true
	case "time":
		return cel.TimestampType, true
	case "strings":
		return cel.ListType(cel.StringType), true
	case agreement.TypeCertificate:
		return cel.OpaqueType(agreement.TypeCertificate), true // to ask whether it is known, and no more
	}
	return nil, false
}

// condition is one compiled expression and what it reads. Most are conditions.
type condition struct {
	program cel.Program
	root    exec        // the plan of the program; nil where it is run by the program alone
	tracer  cel.Program // keeps the values of its parts; nil where nobody asked for it yet
	env     *cel.Env
	ast     *cel.Ast
	text    string
	unit    string           // of the value, where it is a number
	units   map[int64]string // of its parts, by the number of the part
	names   []string         // attributes, "param.x", now, site, side, event.x; sorted
	id      int              // from 1 on, the same for the same text; 0 for one in which events speak
}

// condition compiles a text that is true or false.
func (l *language) condition(text string) (c *condition, what, mend string) {
	return l.compile(text, "", agreement.Attribute{Type: "bool"})
}

// compile compiles an expression that has the type and unit of an attribute. what and
// mend say what is wrong with it, as a fault does.
func (l *language) compile(text, kind string, want agreement.Attribute) (c *condition, what, mend string) {
	key := kind + "\x00" + want.Type + "\x00" + want.Unit + "\x00" + text
	if k := l.known[key]; k != nil {
		return k, "", ""
	}
	if len(text) > maxCondition {
		return nil, fmt.Sprintf("condition longer than %d bytes", maxCondition), "split the clause"
	}
	en, err := l.environment(kind)
	if err != nil {
		return nil, "attributes cannot be declared: " + err.Error(), "rename them"
	}
	a, iss := en.Compile(text)
	if err := iss.Err(); err != nil {
		first := iss.Errors()[0]
		what, mend = misread(text, first)
		if name, ok := undeclared(first.Message); ok {
			if name == "param" {
				name = missingParam(text, l.e)
			}
			what = fmt.Sprintf("condition reads %q, which is not declared", name)
			if strings.HasPrefix(name, paramPrefix) {
				mend = "declare it in parameters/"
			} else {
				mend = "declare it under attributes in agreement.yaml"
			}
		}
		return nil, what, mend
	}
	if t, _ := celType(want.Type); t == nil || a.OutputType().String() != t.String() {
		if want.Type == "bool" {
			return nil, fmt.Sprintf("condition is a %s, not true or false", a.OutputType()), "compare it with something"
		}
		return nil, fmt.Sprintf("the value is a %s, and a %s is needed", a.OutputType(), want.Type), "write an expression of that type"
	}
	native := a.NativeRep()
	for _, t := range native.TypeMap() {
		if t.Kind() == types.DoubleKind || t.Kind() == types.UintKind || t.Kind() == types.BytesKind || t.Kind() == types.MapKind {
			return nil, fmt.Sprintf("condition uses a %s", t), "use whole numbers in small units, texts, times or true and false"
		}
	}
	u := measure(native, l.e, kind)
	if u.what != "" {
		return nil, u.what, u.mend
	}
	wanted := want.Unit
	if want.Type == "date" {
		wanted = unitDate
	}
	unit := u.units[native.Expr().ID()]
	if want.Type != "bool" && unit != "" && wanted != "" && unit != wanted || want.Type == "int" && wanted == "" && unit == unitDate {
		return nil, fmt.Sprintf("the value counts %s, and %s is needed", unit, orPlain(wanted)), "convert it, or declare what takes it in that unit"
	}
	if len(u.scales) > 0 {
		if a, what = rescale(en, text, u.scales); what != "" {
			return nil, what, "simplify it"
		}
		native = a.NativeRep()
	}
	p, root, err := l.program(en, a, u.long)
	if err != nil {
		return nil, "condition: " + err.Error(), "simplify it"
	}
	c = &condition{program: p, root: root, env: en, ast: a, text: text, unit: unit, units: u.units}
	for id, r := range native.ReferenceMap() {
		if r.Name != "" && len(r.OverloadIDs) == 0 && id != 0 {
			c.names = append(c.names, r.Name)
		}
	}
	c.names = append(c.names, u.asof...)
	slices.Sort(c.names)
	c.names = slices.Compact(c.names)
	if kind == "" {
		l.c.conditions++
		c.id = l.c.conditions
	}
	l.known[key] = c
	return c, "", ""
}

func orPlain(unit string) string {
	if unit == "" {
		return "a plain number"
	}
	return unit
}

// rescale compiles a text again with what the units of their arguments make of some
// functions: a rate per kg is multiplied with thousandths, for one.
func rescale(en *cel.Env, text string, scales map[int64][2]int64) (*cel.Ast, string) {
	a, iss := en.Parse(text)
	if iss.Err() != nil {
		return nil, iss.Err().Error()
	}
	make := ast.NewExprFactory()
	next := int64(1 << 20)
	ast.PostOrderVisit(a.NativeRep().Expr(), ast.NewExprVisitor(func(x ast.Expr) {
		s, ok := scales[x.ID()]
		if !ok || x.Kind() != ast.CallKind {
			return
		}
		args := slices.Clone(x.AsCall().Args())
		args = append(args, make.NewLiteral(next, types.Int(s[0])), make.NewLiteral(next+1, types.Int(s[1])))
		next += 2
		x.SetKindCase(make.NewCall(x.ID(), "@scale", args...))
	}))
	b, iss := en.Check(a)
	if iss.Err() != nil {
		return nil, iss.Err().Error()
	}
	return b, ""
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

// sortedKeys keeps map order out of everything.
func sortedKeys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// value makes a fact a value of its attribute's type. ok is false where it is none, or
// not one of those that the attribute can have: such a fact counts as not given.
func value(typ string, values []string, v any) (ref.Val, bool) {
	switch x := v.(type) {
	case string:
		return types.String(x), typ == "string" && len(x) <= maxText && (len(values) == 0 || slices.Contains(values, x))
	case int64:
		return types.Int(x), typ == "int"
	case int:
		return types.Int(x), typ == "int"
	case bool:
		return types.Bool(x), typ == "bool"
	case time.Time:
		return types.Timestamp{Time: x.UTC()}, typ == "time" && !x.IsZero()
	case calendar.Date:
		return types.Int(x.Days()), typ == "date" && x.Valid()
	case *certlogic.Certificate:
		return &held{x}, typ == agreement.TypeCertificate && x != nil
	case fitting:
		return &held{}, typ == agreement.TypeCertificate
	case []string:
		if typ != "strings" || len(x) > maxSet {
			return nil, false
		}
		for _, s := range x {
			if len(s) > maxText || len(values) > 0 && !slices.Contains(values, s) {
				return nil, false
			}
		}
		set := slices.Clone(x)
		slices.Sort(set)
		return types.NewStringList(types.DefaultTypeAdapter, slices.Compact(set)), true
	}
	return nil, false
}
