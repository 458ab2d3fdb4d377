// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package agreement

import (
	"fmt"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"darwaza.dev/internal/lang"
	"darwaza.dev/internal/reason"
)

func read(t testing.TB, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// roots are what the YAML files of each folder hold.
func roots() map[string]reflect.Type {
	return map[string]reflect.Type{
		"agreement": reflect.TypeFor[rawAgreement](), "parameters": reflect.TypeFor[rawParameters](), "list": reflect.TypeFor[rawList](),
		"table": reflect.TypeFor[rawTable](), "clauses": reflect.TypeFor[rawClauses](), "schedule": reflect.TypeFor[rawSchedule](),
		"health": reflect.TypeFor[rawHealth](), "sharing": reflect.TypeFor[rawSharing](), "tests": reflect.TypeFor[rawTests](), "keys": reflect.TypeFor[rawKeys](),
	}
}

// TestSpec holds the specification against the format: each field, kind, type, unit,
// status, point, outcome and limit of the files stands in it.
func TestSpec(t *testing.T) {
	spec := read(t, "../../docs/spec/agreement.md")
	want := map[string]bool{}
	var fields func(x reflect.Type)
	fields = func(x reflect.Type) {
		switch x.Kind() {
		case reflect.Map, reflect.Slice, reflect.Pointer:
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
	for _, x := range roots() {
		fields(x)
	}
	for _, list := range [][]string{plainUnits(), types(), statuses(), spanWords(), reservedNames(), eventFields(), timeUnits()} {
		for _, w := range list {
			want["`"+w+"`"] = true
		}
	}
	for _, l := range []string{ListGoods, ListPlaces, ListValues} {
		want["`"+l+"`"] = true
	}
	for _, p := range points() {
		want[p] = true
	}
	for o := reason.Allow; ; o++ {
		if _, ok := reason.ParseOutcome(o.String()); !ok {
			break
		}
		want[o.String()] = true
	}
	for _, n := range []int{maxFiles, maxPath, maxMembers, maxList, maxItems, maxClauses, maxInputs, maxRows, maxSlotsDay, maxLines, maxColumns, maxExpression, maxFaults, maxDepth, maxTokens} {
		want[thousands(n)] = true
	}
	for _, w := range []string{"a list in it " + thousands(maxItems) + " entries", "a list in one " + thousands(maxList) + " entries", thousands(maxTokens) + " lines and separators"} {
		want[w] = true
	}
	for _, n := range []int{maxYAML >> 10, maxFile >> 20, maxTotal >> 20, maxWords >> 20} {
		want[map[bool]string{true: fmt.Sprintf("%d KiB", n), false: fmt.Sprintf("%d MiB", n)}[n > 100]] = true
	}
	if len(want) < 200 {
		t.Fatalf("only %d words to look for", len(want))
	}
	for w := range want {
		if !strings.Contains(spec, w) {
			t.Errorf("the specification does not speak of %s", strings.TrimLeft(w, "`"))
		}
	}
	// The row of each kind has each field of the kind, and no row is of another kind.
	rows := map[string]string{}
	section := spec[strings.Index(spec, "### 8.1 Kinds"):]
	section = section[:strings.Index(section, "\n## ")]
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z]+)` \\| (.*) \\|$").FindAllStringSubmatch(section, -1) {
		rows[m[1]] = m[2]
		if !slices.Contains(Kinds(), Kind(m[1])) {
			t.Errorf("the specification has a kind %s", m[1])
		}
	}
	for _, k := range Kinds() {
		row, ok := rows[string(k)]
		if !ok {
			t.Errorf("the specification has no row of %s", k)
		}
		for _, f := range kindFields(k) {
			if f == "else" || f == "regime" && !strings.Contains(row, "regime") {
				continue // said of all
			}
			if !strings.Contains(row, "`"+f) && !(k == KindGuarantee && strings.Contains(rows["tax"], "`"+f)) {
				t.Errorf("the row of %s has no %s", k, f)
			}
		}
	}
	for _, f := range commonFields() {
		if !regexp.MustCompile("(?m)^\\| [^|]*`" + f + "`[^|]* \\|").MatchString(spec) {
			t.Errorf("the specification has no row of the common field %s", f)
		}
	}
}

func thousands(n int) string {
	s := strconv.Itoa(n)
	if len(s) > 3 {
		s = s[:len(s)-3] + "," + s[len(s)-3:]
	}
	return s
}

// TestFunctions holds the list of functions in the specification against what package
// rules declares, by its source.
func TestFunctions(t *testing.T) {
	src := read(t, "../rules/library.go")
	spec := read(t, "../../docs/spec/agreement.md")
	section := spec[strings.Index(spec, "## 7 Expressions"):]
	section = section[:strings.Index(section, "\n## 8")]
	told := map[string]bool{}
	for _, row := range strings.Split(section, "\n") {
		if first, _, ok := strings.Cut(strings.TrimPrefix(row, "| "), " | "); ok && strings.HasPrefix(row, "| `") {
			for _, m := range regexp.MustCompile("`([a-z]+)\\(").FindAllStringSubmatch(first, -1) {
				told[m[1]] = true
			}
		}
	}
	declared := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?:cel\.Function|\btwo|\bspan)\("([a-z]+)",`).FindAllStringSubmatch(src, -1) {
		declared[m[1]] = true
	}
	if len(declared) < 15 {
		t.Fatalf("only %d functions found", len(declared))
	}
	for f := range declared {
		if !told[f] {
			t.Errorf("the specification does not speak of the function %s", f)
		}
	}
	for f := range told {
		if !declared[f] {
			t.Errorf("the specification has a function %s, and package rules has not", f)
		}
	}
	for _, m := range regexp.MustCompile(`"(startsWith|endsWith|contains|timestamp|duration)"`).FindAllStringSubmatch(read(t, "../rules/cel.go"), -1) {
		if !strings.Contains(section, "`"+m[1]+"`") {
			t.Errorf("the specification does not speak of %s", m[1])
		}
	}
}

// guide takes the package out of the guide: the blocks that name a file.
func guide(t testing.TB) fstest.MapFS {
	t.Helper()
	out := fstest.MapFS{}
	for _, m := range regexp.MustCompile("(?ms)^```yaml (\\S+)\n(.*?)^```$").FindAllStringSubmatch(read(t, "../../docs/agreements.md"), -1) {
		if out[m[1]] == nil {
			out[m[1]] = &fstest.MapFile{}
		}
		out[m[1]].Data = append(out[m[1]].Data, m[2]...)
	}
	return out
}

// TestGuide loads the package that the guide works from start to finish, and wants it
// ready to be signed but for its translations and schedules.
func TestGuide(t *testing.T) {
	m := guide(t)
	if len(m) != 4 {
		t.Fatalf("the guide has %d files", len(m))
	}
	e, faults := Check(m)
	for _, f := range faults {
		if !f.Warning || !strings.HasPrefix(f.What, "no text is in") && !strings.HasPrefix(f.What, "no schedule") {
			t.Error(f)
		}
	}
	if e == nil || len(e.Clauses) != 5 || len(e.Tests) != 5 {
		t.Fatalf("got %v", e)
	}
	for _, f := range e.Untested() {
		t.Error(f)
	}
	// What the guide says is a kind, a status or a field is one.
	text := read(t, "../../docs/agreements.md")
	for _, k := range Kinds() {
		if k != KindSchedule && k != KindOpened && k != KindListed && k != KindRate && k != KindTax && k != KindFields && !strings.Contains(text, "`"+string(k)+"`") {
			t.Errorf("the guide does not speak of the kind %s", k)
		}
	}
}
