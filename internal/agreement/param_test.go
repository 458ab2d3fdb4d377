// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package agreement

import (
	"testing"

	"darwaza.dev/internal/calendar"
)

// TestParameterAlone: where nothing is known of whom it is asked for, a value that names
// several attributes wants the first of them, whatever the order of a map; with something
// known it wants the first that is not.
func TestParameterAlone(t *testing.T) {
	p := &Parameter{ID: "p", Values: []ParameterValue{{Int: 1, Known: true}, {Int: 2, Known: true, For: map[string]string{"c": "x", "a": "x", "b": "x", "d": "x"}}}}
	on := calendar.Date{Year: 2025, Month: 9, Day: 2}
	for range 50 {
		if v, lacks, ok := p.In(Ask{On: on}); v.Known || lacks != "a" || !ok {
			t.Fatalf("%+v, %q, %v", v, lacks, ok)
		}
		if v, ok := p.At("", "", on); v.Known || !ok {
			t.Fatalf("%+v, %v", v, ok)
		}
		known := func(name string) (string, bool) { return "x", name < "c" }
		if v, lacks, ok := p.In(Ask{On: on, Get: known}); v.Known || lacks != "c" || !ok {
			t.Fatalf("%+v, %q, %v", v, lacks, ok)
		}
	}
}
