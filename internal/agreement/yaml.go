// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package agreement

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"darwaza.dev/internal/lang"
)

// A package needs little of YAML: mappings, sequences and plain or quoted scalars.
// The rest (anchors and aliases, which blow up; tags, merge keys, several documents
// in one file, which readers disagree on) is refused.

const (
	maxItems  = 2000    // of one list
	maxDepth  = 24      // nested collections, far more than a package needs
	maxTokens = 1 << 16 // lines and separators of one file
)

// decodeYAML reads one file into v, a pointer to a struct. Unknown and doubled keys
// are faults. whole is false where more than a slip of form is wrong, so that what else
// could be said of the file would mislead.
func decodeYAML(file string, b []byte, v any) (faults Faults, whole bool) {
	defer func() {
		// The library is written for files of friends, and has panicked on others.
		if r := recover(); r != nil {
			faults, whole = Faults{{File: file, What: fmt.Sprintf("cannot be read as YAML: %v", r), Mend: "write plain YAML"}}, false
		}
	}()
	if f, bad := shallow(file, b); bad {
		return Faults{f}, false
	}
	root, err := parser.ParseBytes(b, 0)
	if err != nil {
		return Faults{yamlFault(file, err)}, false
	}
	var body ast.Node
	for _, d := range root.Docs {
		if d.Body == nil {
			continue
		}
		if body != nil {
			return Faults{{File: file, Line: line(d.Body), What: "a second document in one file", Mend: "put it into a file of its own"}}, false
		}
		body = d.Body
	}
	if body == nil {
		return Faults{{File: file, What: "empty", Mend: "fill it or take it out"}}, false
	}
	var p plain
	ast.Walk(&p, body)
	if p.bad != nil {
		return Faults{{File: file, Line: line(p.bad), What: "YAML with " + strings.ToLower(p.bad.Type().String()), Mend: "write the value out"}}, false
	}
	d := decoder{file: file}
	d.decode(body, reflect.ValueOf(v).Elem(), "")
	return d.faults, len(d.faults) == d.slips
}

// decoder puts nodes into values. The library's own decoder looks at every field of a
// struct anew for each node, stops at the first fault, and takes any scalar for another.
type decoder struct {
	file   string
	faults Faults
	slips  int                             // faults that leave no doubt about what is meant
	fields map[reflect.Type]map[string]int // by yaml tag
}

func (d *decoder) fault(n ast.Node, what, mend string) {
	if len(d.faults) < maxYAMLFaults {
		d.faults = append(d.faults, Fault{File: d.file, Line: line(n), What: what, Mend: mend})
	}
}

const maxYAMLFaults = 50 // of one file

// noder is a value that takes a node itself.
type noder interface{ node(d *decoder, n ast.Node) }

// decode puts a node into a value; name is the field that it is for.
func (d *decoder) decode(n ast.Node, v reflect.Value, name string) {
	if x, ok := v.Addr().Interface().(noder); ok {
		x.node(d, n)
		return
	}
	if _, null := n.(*ast.NullNode); null {
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		d.decode(n, v.Elem(), name)
	case reflect.String, reflect.Int, reflect.Bool:
		var s scalar
		if !d.scalar(n, &s, name) {
			return
		}
		switch v.Kind() {
		case reflect.String:
			v.SetString(s.text)
		case reflect.Int:
			i, err := strconv.Atoi(s.text)
			if err != nil {
				d.fault(n, fmt.Sprintf("%s: %q is not a whole number", name, s.text), "write it in digits")
			}
			v.SetInt(int64(i))
		case reflect.Bool:
			if s.text != "true" && s.text != "false" {
				d.fault(n, fmt.Sprintf("%s: %q is neither true nor false", name, s.text), "write true or false")
			}
			v.SetBool(s.text == "true")
		}
	case reflect.Slice:
		q, ok := n.(*ast.SequenceNode)
		var s scalar
		if one := (decoder{}); !ok && v.Type().Elem().Kind() == reflect.String && one.scalar(n, &s, name) {
			d.fault(n, name+" is not a list", fmt.Sprintf("write %s: [%s]", name, s.text))
			if len(d.faults) < maxYAMLFaults {
				d.slips++
			}
			v.Set(reflect.Append(v, reflect.ValueOf(s.text).Convert(v.Type().Elem())))
			return
		}
		if !ok {
			d.fault(n, name+" is not a list", "write [a, b], or a line with a dash for each")
			return
		}
		if len(q.Values) > maxItems {
			d.fault(q.Values[maxItems], fmt.Sprintf("more than %d entries in %s", maxItems, name), "split the file")
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), len(q.Values), len(q.Values)))
		for i, x := range q.Values {
			d.decode(x, v.Index(i), name)
		}
	case reflect.Map:
		switch n.(type) {
		case *ast.MappingNode, *ast.MappingValueNode:
		default:
			if v.Type() == reflect.TypeFor[lang.Text]() {
				d.fault(n, cmp.Or(name, "the text")+" is not a text in languages", "write {en: …}, and fa and ur where they are there, each in quotes where it has a comma or a colon")
				return
			}
		}
		v.Set(reflect.MakeMap(v.Type()))
		d.pairs(n, name, func(key string, k, x ast.Node) {
			e := reflect.New(v.Type().Elem()).Elem()
			d.decode(x, e, key)
			v.SetMapIndex(reflect.ValueOf(key).Convert(v.Type().Key()), e)
		})
	case reflect.Struct:
		fields := d.tags(v.Type())
		d.pairs(n, name, func(key string, k, x ast.Node) {
			i, ok := fields[key]
			if !ok {
				all := slices.Sorted(maps.Keys(fields))
				mend := "compare with docs/spec/agreement.md"
				if len(fields) <= 24 {
					mend = "known here are " + strings.Join(all, ", ")
				}
				if near := cmp.Or(meant(key, all), similar(key, all)); near != "" {
					mend = "write " + near + ", if that is meant; or " + mend
				}
				d.fault(k, fmt.Sprintf("unknown field %q", key), mend)
				if len(d.faults) < maxYAMLFaults {
					d.faults[len(d.faults)-1].Clause = d.idOf(n)
					d.slips++ // the rest of the file says what it says
				}
				return
			}
			d.decode(x, v.Field(i), key)
		})
	}
}

// idOf is the id of what a mapping declares, empty where it has none.
func (d *decoder) idOf(n ast.Node) (id string) {
	m, ok := n.(*ast.MappingNode)
	if !ok {
		return ""
	}
	for _, p := range m.Values {
		var key, value scalar
		quiet := decoder{}
		if quiet.scalar(p.Key, &key, "") && key.text == "id" && quiet.scalar(p.Value, &value, "") {
			return value.text
		}
	}
	return ""
}

// pairs calls f for each key of a mapping.
func (d *decoder) pairs(n ast.Node, name string, f func(key string, k, v ast.Node)) {
	var values []*ast.MappingValueNode
	switch m := n.(type) {
	case *ast.MappingNode:
		values = m.Values
	case *ast.MappingValueNode:
		values = []*ast.MappingValueNode{m}
	default:
		d.fault(n, cmp.Or(name, "the file")+" is not a mapping", "write key: value")
		return
	}
	seen := make(map[string]bool, len(values))
	for _, p := range values {
		var s scalar
		if !d.scalar(p.Key, &s, "key") {
			return
		}
		if seen[s.text] {
			d.fault(p.Key, fmt.Sprintf("key %q is already defined", s.text), "keep one of them")
			continue
		}
		seen[s.text] = true
		f(s.text, p.Key, p.Value)
	}
}

// tags returns the fields of a struct by what packages call them.
func (d *decoder) tags(t reflect.Type) map[string]int {
	if d.fields == nil {
		d.fields = map[reflect.Type]map[string]int{}
	}
	if d.fields[t] == nil {
		m := map[string]int{}
		for i := range t.NumField() {
			if tag := t.Field(i).Tag.Get("yaml"); tag != "" {
				m[tag] = i
			}
		}
		d.fields[t] = m
	}
	return d.fields[t]
}

// scalar takes any single value as it is written.
func (d *decoder) scalar(n ast.Node, s *scalar, name string) bool {
	s.line = line(n)
	switch x := n.(type) {
	case *ast.StringNode:
		s.text = x.Value
	case *ast.LiteralNode:
		s.text = x.Value.Value
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		s.text = n.GetToken().Value
	case *ast.NullNode:
	default:
		d.fault(n, cmp.Or(name, "this")+" is not a single value", "write one text, number, true or false")
		return false
	}
	return true
}

// plain finds a node that is not plain YAML.
type plain struct{ bad ast.Node }

func (p *plain) Visit(n ast.Node) ast.Visitor {
	if p.bad != nil {
		return nil
	}
	switch n.(type) {
	case *ast.AnchorNode, *ast.AliasNode, *ast.TagNode, *ast.MergeKeyNode, *ast.DirectiveNode, *ast.InfinityNode, *ast.NanNode:
		p.bad = n
		return nil
	}
	return p
}

// shallow refuses what would be costly to parse: deep nesting, which is counted roughly
// and generously. That the bytes are plain text was seen when the folder was read.
func shallow(file string, b []byte) (Fault, bool) {
	flow, tokens, n := 0, 0, 0
	for l := range bytes.Lines(b) {
		n++
		tokens++
		lead := 0
		for _, c := range l {
			if c != ' ' && c != '-' && c != '?' && c != '\t' {
				break
			}
			lead++
		}
		if lead > 4*maxDepth {
			return Fault{File: file, Line: n, What: "nested too deeply", Mend: "indent by two spaces"}, true
		}
		quote, colons := byte(0), 0
		for i, c := range l {
			switch {
			case quote != 0:
				if c == quote {
					quote = 0
				}
			case (c == '"' || c == '\'') && (i == 0 || strings.IndexByte(" [{,:", l[i-1]) >= 0):
				quote = c
			case c == '#' && i > 0 && l[i-1] == ' ':
				quote = '\n'
			case c == '[' || c == '{':
				flow++
				tokens++
			case c == ']' || c == '}':
				flow = max(0, flow-1)
			case c == ',':
				tokens++
			case c == ':' && i+1 < len(l) && l[i+1] == ' ':
				colons++
			}
			if flow > maxDepth || colons > 256 {
				return Fault{File: file, Line: n, What: "nested too deeply", Mend: "write it in blocks"}, true
			}
		}
		if tokens > maxTokens {
			return Fault{File: file, Line: n, What: "too many lines", Mend: "split the file"}, true
		}
	}
	return Fault{}, false
}

func line(n ast.Node) int {
	if t := n.GetToken(); t != nil && t.Position != nil {
		return t.Position.Line
	}
	return 0
}

// yamlFault says what the library found, without its drawing of the source.
func yamlFault(file string, err error) Fault {
	f := Fault{File: file, What: err.Error(), Mend: "compare with the guide to agreements"}
	if y, ok := err.(yaml.Error); ok {
		f.What = y.GetMessage()
		if t := y.GetToken(); t != nil && t.Position != nil {
			f.Line = t.Position.Line
		}
	}
	return f
}

// at is a value with the line where it stands.
type at[T any] struct {
	line int
	v    T
}

func (a *at[T]) node(d *decoder, n ast.Node) {
	a.line = line(n)
	d.decode(n, reflect.ValueOf(&a.v).Elem(), "entry")
}

// scalar is a value as it is written: 0702.0000 stays what it is.
type scalar struct {
	text string
	line int
}

func (s *scalar) node(d *decoder, n ast.Node) { d.scalar(n, s, "") }

func (s scalar) String() string { return s.text }

// texts is one value or a list of them.
type texts struct {
	scalar
	list []scalar
	many bool // a list is written
}

func (t *texts) node(d *decoder, n ast.Node) {
	t.line = line(n)
	q, ok := n.(*ast.SequenceNode)
	if !ok {
		t.scalar.node(d, n)
		return
	}
	t.many = true
	t.list = make([]scalar, len(q.Values))
	for i, v := range q.Values {
		t.list[i].node(d, v)
	}
}

// strings are the values, one where a single one is written.
func (t texts) strings() []string {
	if !t.many {
		if t.text == "" {
			return nil
		}
		return []string{t.text}
	}
	var out []string
	for _, s := range t.list {
		out = append(out, s.text)
	}
	return out
}

// choice is one value, a list of them, or a selection of events.
type choice struct {
	texts
	pick *rawSelect
}

func (c *choice) node(d *decoder, n ast.Node) {
	switch n.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		c.line, c.pick = line(n), &rawSelect{}
		d.decode(n, reflect.ValueOf(c.pick).Elem(), "selection")
	default:
		c.texts.node(d, n)
	}
}

func (i *rawInput) node(d *decoder, n ast.Node) {
	switch n.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		type plainInput rawInput
		d.decode(n, reflect.ValueOf((*plainInput)(i)).Elem(), "input")
	default:
		var s scalar
		d.scalar(n, &s, "input")
		i.Name = s.text
	}
}
