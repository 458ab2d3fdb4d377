// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package agreement

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"darwaza.dev/internal/lang"
)

// TestGuide holds the guide against the format: each field, kind, unit and point of
// the files stands in it.
func TestGuide(t *testing.T) {
	b, err := os.ReadFile("../../docs/spec/agreement.md")
	if err != nil {
		t.Fatal(err)
	}
	guide := string(b)
	want := map[string]bool{}
	var fields func(x reflect.Type)
	fields = func(x reflect.Type) {
		switch x.Kind() {
		case reflect.Map, reflect.Slice:
			fields(x.Elem())
		case reflect.Struct:
			if v, ok := x.FieldByName("v"); ok {
				fields(v.Type)
				return
			}
			for i := range x.NumField() {
				if name := x.Field(i).Tag.Get("yaml"); name != "" {
					want["`"+name] = true
					if x.Field(i).Type != reflect.TypeFor[lang.Text]() {
						fields(x.Field(i).Type)
					}
				}
			}
		}
	}
	for _, x := range []any{rawAgreement{}, rawParameters{}, rawList{}, rawClauses{}, rawSchedule{}, rawTests{}, rawKeys{}} {
		fields(reflect.TypeOf(x))
	}
	for _, k := range []Kind{KindRule, KindSchedule, KindOpened, KindCap, KindRate, KindListed, KindTax, KindGuarantee, KindFields, KindDuty, KindBound, KindNote} {
		want["`"+string(k)+"`"] = true
	}
	for _, u := range plainUnits() {
		want["`"+u+"`"] = true
	}
	for _, p := range points() {
		want[p] = true
	}
	if len(want) < 100 {
		t.Fatalf("only %d words to look for", len(want))
	}
	for w := range want {
		if !strings.Contains(guide, w) {
			t.Errorf("the guide does not speak of %s", strings.TrimLeft(w, "`"))
		}
	}
}
