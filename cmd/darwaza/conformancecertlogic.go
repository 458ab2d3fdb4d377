// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"darwaza.dev/internal/certlogic"
)

// scoreCertLogic runs the suites of CertLogic, laid out as they are published:
//
//	spec/*.json                     assertions on the value of an expression
//	validation/*.json               cases of what is no expression, with the words
//	rules/SET/RULE/rule.json        a rule
//	rules/SET/RULE/tests/*.json     tests of it: payload, external, expected
//
// What the suite itself marks to be skipped is not counted. Files are told apart by what they
// hold, so that one of these folders alone will do.
func scoreCertLogic(dir fs.FS) (*vectorSuite, error) {
	s := &vectorSuite{}
	err := fs.WalkDir(dir, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() || path.Ext(p) != ".json" {
			return nil
		}
		first, _, _ := strings.Cut(p, "/")
		switch {
		case first == "valuesets":
			return nil
		case path.Base(p) == "rule.json":
			return s.certRule(dir, p)
		case path.Base(path.Dir(p)) == "tests":
			return nil // with their rule
		}
		v, err := readVector(dir, p)
		if err != nil {
			s.score("file", p, "JSON", err.Error())
			return nil
		}
		s.certSuite(p, v)
		return nil
	})
	if err == nil && len(s.Checks) == 0 {
		err = errors.New("no vectors of CertLogic in the folder")
	}
	return s, err
}

func readVector(dir fs.FS, p string) (certlogic.Value, error) {
	b, err := fs.ReadFile(dir, p)
	if err != nil {
		return certlogic.Value{}, err
	}
	return certlogic.Parse(b)
}

func skipped(all ...certlogic.Value) bool {
	for _, v := range all {
		if d, _ := v.Member("directive").Str(); d == "skip" {
			return true
		}
	}
	return false
}

// certSuite runs a file of assertions or of cases of validation, by what it holds.
func (s *vectorSuite) certSuite(p string, suite certlogic.Value) {
	cases := suite.Member("cases")
	for i := range cases.Len() {
		c := cases.Item(i)
		name, _ := c.Member("name").Str()
		if name == "" {
			name = fmt.Sprintf("case %d", i+1)
		}
		if c.Member("issues").Kind() == certlogic.Array {
			if skipped(suite, c) {
				continue
			}
			var got []certlogic.Value
			for _, x := range certlogic.Validate(c.Member("certLogicExpression")) {
				got = append(got, certlogic.MakeObject(map[string]certlogic.Value{"expr": x.Expr, "message": certlogic.MakeString(x.Message)}))
			}
			s.compare("validation", p, name, certlogic.MakeArray(got...), c.Member("issues"), nil)
			continue
		}
		for k := range c.Member("assertions").Len() {
			a := c.Member("assertions").Item(k)
			if skipped(suite, c, a) {
				continue
			}
			logic := c.Member("certLogicExpression")
			if own := a.Member("certLogicExpression"); own.Kind() != certlogic.Null {
				logic = own
			}
			var got certlogic.Value
			x, err := certlogic.Compile(logic)
			if err == nil {
				got, err = x.Eval(a.Member("data"))
			}
			s.compare("spec", p, fmt.Sprintf("%s, assertion %d", name, k+1), got, a.Member("expected"), err)
		}
	}
}

// compare counts a check of two values; an error is no value.
func (s *vectorSuite) compare(kind, file, name string, got, want certlogic.Value, err error) {
	switch {
	case err != nil:
		s.score(kind, file+", "+name, told(want), "the error "+err.Error())
	case certlogic.Equal(got, want):
		s.score(kind, file+", "+name, "", "")
	default:
		s.score(kind, file+", "+name, told(want), "another value: "+told(got))
	}
}

// told says what a value is, and of texts, arrays and objects no more than that.
func told(v certlogic.Value) string {
	switch v.Kind() {
	case certlogic.String:
		return "a text"
	case certlogic.Array:
		return "an array"
	case certlogic.Object:
		return "an object"
	}
	return v.String()
}

// certRule runs the tests beside a rule.
func (s *vectorSuite) certRule(dir fs.FS, p string) error {
	tests, err := fs.Glob(dir, path.Join(path.Dir(p), "tests", "*.json"))
	if err != nil {
		return err
	}
	b, err := fs.ReadFile(dir, p)
	if err != nil {
		return err
	}
	rules, err := certlogic.ParseRules(b)
	if err != nil || len(rules) != 1 {
		s.score("rule", p, "one rule", fmt.Sprintf("%d rules, %v", len(rules), err))
		return nil
	}
	s.score("rule", p, "", "")
	for _, t := range tests {
		c, err := readVector(dir, t)
		if err != nil {
			s.score("test", t, "JSON", err.Error())
			continue
		}
		want := certlogic.Open
		switch expected := c.Member("expected"); {
		case expected.IsTrue():
			want = certlogic.Passed
		case expected.IsFalse():
			want = certlogic.Failed
		}
		data := certlogic.MakeObject(map[string]certlogic.Value{"payload": c.Member("payload"), "external": c.Member("external")})
		s.score("test", t, want.String(), rules[0].Judge(data).Outcome.String())
	}
	return nil
}
