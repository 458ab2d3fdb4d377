// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package lang

import (
	"errors"
	"fmt"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// read adds the texts of one file. It walks the syntax tree rather than decoding into
// maps, as every fault is to be named with its line.
func (c *Catalogue) read(name string, b []byte) error {
	at := func(t *token.Token) string {
		if t == nil || t.Position == nil {
			return name
		}
		return fmt.Sprintf("%s:%d", name, t.Position.Line)
	}
	fault := func(n ast.Node, format string, args ...any) error {
		return fmt.Errorf("%w: %s: %s", ErrText, at(n.GetToken()), fmt.Sprintf(format, args...))
	}
	f, err := parser.ParseBytes(b, 0)
	if err != nil {
		var y yaml.Error
		if errors.As(err, &y) {
			return fmt.Errorf("%w: %s: %s", ErrText, at(y.GetToken()), y.GetMessage())
		}
		return fmt.Errorf("%w: %s: %w", ErrText, name, err)
	}
	if len(f.Docs) > 1 {
		return fmt.Errorf("%w: %s: more than one document", ErrText, name)
	}
	if len(f.Docs) == 0 || f.Docs[0].Body == nil {
		return nil // a file of comments
	}
	rows, ok := mapping(f.Docs[0].Body)
	if !ok {
		return fault(f.Docs[0].Body, "want keys with texts")
	}
	for _, row := range rows {
		key, ok := scalar(row.Key)
		if !ok || !keyForm.MatchString(key) {
			return fault(row.Key, "%q is not a key", key)
		}
		if e := c.entries[key]; e != nil {
			return fault(row.Key, "%s stands at %s already", key, e.where)
		}
		languages, ok := mapping(row.Value)
		if !ok {
			return fault(row.Key, "%s: want a text per language", key)
		}
		e := &entry{where: at(row.Key.GetToken())}
		for _, l := range languages {
			word, _ := scalar(l.Key)
			tag, ok := ParseTag(word)
			if !ok {
				return fault(l.Key, "%s: no language %q", key, word)
			}
			i := tag.index()
			if e.texts[i] != nil {
				return fault(l.Key, "%s: %s stands twice", key, tag)
			}
			t, err := readText(i, l.Value)
			if err != nil {
				return fault(l.Key, "%s: %s: %v", key, tag, err)
			}
			e.texts[i] = t
		}
		if err := e.agree(key); err != nil {
			return err
		}
		c.entries[key] = e
	}
	return nil
}

func readText(language int, n ast.Node) (*text, error) {
	t := &text{}
	if s, ok := scalar(n); ok {
		var err error
		t.forms[0], err = pieces(s)
		return t, err
	}
	forms, ok := mapping(n)
	if !ok {
		return nil, errors.New("want a text or its plural forms, quoted where YAML could read them otherwise")
	}
	for _, row := range forms {
		word, _ := scalar(row.Key)
		cat, ok := categories[word]
		if !ok || !hasCategory(language, cat) {
			return nil, fmt.Errorf("the language has no category %q", word)
		}
		if t.forms[cat] != nil {
			return nil, fmt.Errorf("category %s stands twice", word)
		}
		s, ok := scalar(row.Value)
		if !ok {
			return nil, fmt.Errorf("category %s is not a text", word)
		}
		var err error
		if t.forms[cat], err = pieces(s); err != nil {
			return nil, err
		}
	}
	return t, t.setPlural()
}

// mapping returns the rows of a YAML mapping.
func mapping(n ast.Node) ([]*ast.MappingValueNode, bool) {
	switch n := n.(type) {
	case *ast.MappingNode:
		return n.Values, true
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}, true
	}
	return nil, false
}

// scalar returns a YAML string. A number or a truth value is none: "no" and 5 are to
// be quoted where they are meant as words.
func scalar(n ast.Node) (string, bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	}
	return "", false
}
