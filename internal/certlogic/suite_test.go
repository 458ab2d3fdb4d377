// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package certlogic

import (
	"os"
	"path/filepath"
	"testing"
)

// vectors is the folder of published vectors, beside the checkout.
const vectors = "../../../shared/vectors/certlogic"

func files(t testing.TB, pattern string) []string {
	t.Helper()
	if _, err := os.Stat(vectors); err != nil {
		t.Skip("no published vectors beside the checkout: ", err)
	}
	found, err := filepath.Glob(filepath.Join(vectors, pattern))
	if err != nil || len(found) == 0 {
		t.Fatalf("%s: %d files, %v", pattern, len(found), err)
	}
	return found
}

func read(t testing.TB, path string) Value {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	v, err := Parse(b)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return v
}

func text(v Value) string { s, _ := v.Str(); return s }

func skipped(v Value) bool { return text(v.Member("directive")) == "skip" }

// Every active assertion of the specification's suite.
func TestSpecification(t *testing.T) {
	active, skip := 0, 0
	for _, p := range files(t, "spec/*.json") {
		suite := read(t, p)
		for i := range suite.Member("cases").Len() {
			c := suite.Member("cases").Item(i)
			for k := range c.Member("assertions").Len() {
				a := c.Member("assertions").Item(k)
				if skipped(suite) || skipped(c) || skipped(a) {
					skip++
					continue
				}
				active++
				logic := c.Member("certLogicExpression")
				if own := a.Member("certLogicExpression"); own.Kind() != Null {
					logic = own
				}
				x, err := Compile(logic)
				if err != nil {
					t.Errorf("%s: %s: %v", filepath.Base(p), text(c.Member("name")), err)
					continue
				}
				got, err := x.Eval(a.Member("data"))
				if err != nil || !Equal(got, a.Member("expected")) {
					t.Errorf("%s: %s, data %s: got %s (%v), want %s", filepath.Base(p), text(c.Member("name")), a.Member("data"), got, err, a.Member("expected"))
				}
			}
		}
	}
	if active != 218 || skip != 14 {
		t.Errorf("%d active assertions and %d skipped, want 218 and 14", active, skip)
	}
}

// Every case of the suite for validators, with its words.
func TestValidation(t *testing.T) {
	cases := 0
	for _, p := range files(t, "validation/*.json") {
		suite := read(t, p)
		for i := range suite.Member("cases").Len() {
			c := suite.Member("cases").Item(i)
			cases++
			got, want := Validate(c.Member("certLogicExpression")), c.Member("issues")
			if len(got) != want.Len() {
				t.Errorf("%s: %s: got %v, want %s", filepath.Base(p), c.Member("certLogicExpression"), got, want)
				continue
			}
			for k, g := range got {
				if w := want.Item(k); g.Message != text(w.Member("message")) || !Equal(g.Expr, w.Member("expr")) {
					t.Errorf("%s: %s: got %v, want %s", filepath.Base(p), c.Member("certLogicExpression"), g, w)
				}
			}
		}
	}
	if cases != 23 {
		t.Errorf("%d cases, want 23", cases)
	}
}

// Every test that stands beside a published rule.
func TestRules(t *testing.T) {
	tests := 0
	sets := map[string]bool{}
	for _, p := range files(t, "rules/*/*/rule.json") {
		b, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		rules, err := ParseRules(b)
		if err != nil {
			t.Errorf("%s: %v", p, err)
			continue
		}
		sets[rules[0].Country] = true
		beside, err := filepath.Glob(filepath.Join(filepath.Dir(p), "tests", "*.json"))
		if err != nil || len(beside) == 0 {
			t.Errorf("%s has no tests", p)
		}
		for _, q := range beside {
			tests++
			c := read(t, q)
			data := MakeObject(map[string]Value{"payload": c.Member("payload"), "external": c.Member("external")})
			want := Failed
			if c.Member("expected").IsTrue() {
				want = Passed
			}
			if got := rules[0].Judge(data); got.Outcome != want {
				t.Errorf("%s: got %v (%v), want %v", q, got.Outcome, got.Err, want)
			}
		}
	}
	if tests != 710 || len(sets) != 8 {
		t.Errorf("%d tests of %d rule sets, want 710 of 8", tests, len(sets))
	}
}
