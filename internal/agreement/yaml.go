// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package agreement

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// A package needs little of YAML: mappings, sequences and plain or quoted scalars.
// The rest (anchors and aliases, which blow up; tags, merge keys, several documents
// in one file, which readers disagree on) is refused.

const (
	maxDepth  = 24      // nested collections, far more than a package needs
	maxTokens = 1 << 16 // lines and separators of one file
)

// decodeYAML reads one file into v, a pointer to a struct. Unknown and doubled keys
// are faults.
func decodeYAML(file string, b []byte, v any) (faults Faults) {
	defer func() {
		// The library is written for files of friends, and has panicked on others.
		if r := recover(); r != nil {
			faults = Faults{{File: file, What: fmt.Sprintf("cannot be read as YAML: %v", r), Mend: "write plain YAML"}}
		}
	}()
	if f, bad := shallow(file, b); bad {
		return Faults{f}
	}
	root, err := parser.ParseBytes(b, 0)
	if err != nil {
		return Faults{yamlFault(file, err)}
	}
	var body ast.Node
	for _, d := range root.Docs {
		if d.Body == nil {
			continue
		}
		if body != nil {
			return Faults{{File: file, Line: line(d.Body), What: "a second document in one file", Mend: "put it into a file of its own"}}
		}
		body = d.Body
	}
	if body == nil {
		return Faults{{File: file, What: "empty", Mend: "fill it or take it out"}}
	}
	var p plain
	ast.Walk(&p, body)
	if p.bad != nil {
		return Faults{{File: file, Line: line(p.bad), What: "YAML with " + strings.ToLower(p.bad.Type().String()), Mend: "write the value out"}}
	}
	if err := yaml.NodeToValue(body, v, yaml.Strict()); err != nil {
		return Faults{yamlFault(file, err)}
	}
	return nil
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

// UnmarshalYAML reads the value and keeps its line.
func (a *at[T]) UnmarshalYAML(n ast.Node) error {
	a.line = line(n)
	return yaml.NodeToValue(n, &a.v, yaml.Strict())
}

// scalar is a value as it is written: 0702.0000 stays what it is.
type scalar struct {
	text string
	line int
}

// UnmarshalYAML takes any scalar.
func (s *scalar) UnmarshalYAML(n ast.Node) error {
	s.line = line(n)
	switch x := n.(type) {
	case *ast.StringNode:
		s.text = x.Value
		return nil
	case *ast.LiteralNode:
		s.text = x.Value.Value
		return nil
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		s.text = n.GetToken().Value
		return nil
	case *ast.NullNode:
		return nil
	}
	return fmt.Errorf("line %d: want a single value", s.line)
}

func (s scalar) String() string { return s.text }

// texts is one value or a list of them.
type texts struct {
	scalar
	list []scalar
	many bool // a list is written
}

// UnmarshalYAML takes a scalar or a sequence of scalars.
func (t *texts) UnmarshalYAML(n ast.Node) error {
	t.line = line(n)
	q, ok := n.(*ast.SequenceNode)
	if !ok {
		return t.scalar.UnmarshalYAML(n)
	}
	t.many = true
	for _, v := range q.Values {
		var s scalar
		if err := s.UnmarshalYAML(v); err != nil {
			return err
		}
		t.list = append(t.list, s)
	}
	return nil
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

// UnmarshalYAML takes a mapping with events and where, or what texts takes.
func (c *choice) UnmarshalYAML(n ast.Node) error {
	switch n.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		c.line, c.pick = line(n), &rawSelect{}
		return yaml.NodeToValue(n, c.pick, yaml.Strict())
	}
	return c.texts.UnmarshalYAML(n)
}

// UnmarshalYAML takes a name, or a mapping.
func (i *rawInput) UnmarshalYAML(n ast.Node) error {
	switch n.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		type plainInput rawInput
		return yaml.NodeToValue(n, (*plainInput)(i), yaml.Strict())
	}
	var s scalar
	if err := s.UnmarshalYAML(n); err != nil {
		return err
	}
	i.Name = s.text
	return nil
}
