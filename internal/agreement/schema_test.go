// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package agreement

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"darwaza.dev/internal/lang"
	"darwaza.dev/internal/reason"
)

const schemaFile = "../../docs/spec/agreement.schema.json"

// object is a JSON object; its keys are written in order.
type object = map[string]any

// TestSchema holds the JSON Schema for editors against the fields of the files. With
// DARWAZA_WRITE=1 in the environment it writes the file anew.
func TestSchema(t *testing.T) {
	s, err := json.MarshalIndent(schema(read(t, "../../docs/spec/agreement.md")), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	s = append(s, '\n')
	if os.Getenv("DARWAZA_WRITE") == "1" {
		if err := os.WriteFile(schemaFile, s, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got := read(t, schemaFile); got != string(s) {
		t.Errorf("%s is not what the fields make; run the test with DARWAZA_WRITE=1", schemaFile)
	}
}

// schema makes a schema of every YAML file of a package. Descriptions are taken from the
// tables of the specification.
func schema(spec string) object {
	says := map[string]string{} // by struct and field, each from the table that is of it alone
	for of, head := range map[string]string{"rawAgreement": "## 3 agreement.yaml", "rawValue": "| field of a value |", "rawList": "## 5 Lists", "rawClause": "| field of every clause |"} {
		_, table, ok := strings.Cut(spec, head)
		if i := strings.Index(table, "|"); ok && i >= 0 {
			table, _, _ = strings.Cut(table[i:], "\n\n")
		}
		for _, m := range regexp.MustCompile(`(?m)^\| ([^|]*) \| (.*) \|$`).FindAllStringSubmatch(table, -1) {
			for _, w := range regexp.MustCompile("`([a-z_]+)`").FindAllStringSubmatch(m[1], -1) {
				says[of+"."+w[1]] = strings.ReplaceAll(m[2], "`", "")
			}
		}
	}
	kinds := map[string]string{}
	for _, k := range Kinds() {
		i := strings.Index(spec, "\n| `"+string(k)+"` | ")
		row, _, _ := strings.Cut(spec[i+1:], "\n")
		if cells := strings.SplitN(row, " | ", 2); len(cells) == 2 {
			kinds[string(k)] = strings.TrimSuffix(strings.ReplaceAll(cells[1], "`", ""), " |")
		}
	}
	m := maker{defs: object{}, says: says, kinds: kinds}
	m.defs["text"] = object{"type": "object", "properties": object{"en": object{"type": "string"}, "fa": object{"type": "string"}, "ur": object{"type": "string"}}, "additionalProperties": false}
	m.defs["scalar"] = object{"type": []string{"string", "number", "boolean", "null"}}
	m.defs["texts"] = object{"anyOf": []any{ref("scalar"), object{"type": "array", "items": ref("scalar")}}}
	m.defs["condition"] = object{"type": []string{"string", "number", "boolean"}, "description": "CEL; see section 7 of the specification"}
	files := map[string]string{
		"agreement": "agreement.yaml", "parameters": "parameters/*.yaml", "list": "lists/*.yaml", "table": "tables/*.yaml", "clauses": "clauses/*.yaml",
		"schedule": "schedule/*.yaml", "health": "health/*.yaml", "sharing": "sharing/*.yaml", "tests": "tests/*.yaml", "keys": "keys/*.yaml",
	}
	var any []any
	for _, name := range sorted(roots()) {
		m.def("file-"+name, roots()[name])
		d := m.defs["file-"+name].(object)
		d["title"] = files[name]
		any = append(any, ref("file-"+name))
	}
	return object{
		"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "A file of an agreement package",
		"description": "Each kind of file has a definition of its own, file-NAME, to point an editor at.", "anyOf": any, "$defs": m.defs,
	}
}

func ref(name string) object { return object{"$ref": "#/$defs/" + name} }

func sorted[V any](m map[string]V) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

type maker struct {
	defs        object
	says, kinds map[string]string
}

// words are the fields whose words are closed, by struct and field, or by field alone.
func closedWords() map[string][]string {
	var outcomes, kinds []string
	for o := reason.Allow; ; o++ {
		if _, ok := reason.ParseOutcome(o.String()); !ok {
			break
		}
		outcomes = append(outcomes, o.String())
	}
	for _, k := range Kinds() {
		kinds = append(kinds, string(k))
	}
	sides := []string{"A", "B"}
	return map[string][]string{
		"rawClause.kind": kinds, "rawClause.else": slices.Concat([]string{}, outcomes[1:]), "rawClause.missing": {"HOLD", "REFER"}, "rawExpect.outcome": outcomes,
		"rawClause.at": points(), "rawScenario.point": points(), "rawAttribute.type": types(), "rawInput.type": types(), "rawInstrument.status": statuses(),
		"rawList.kind": {ListGoods, ListPlaces, ListValues}, "rawGate.side": sides, "rawTurn.side": sides, "rawWindow.per": spanWords(),
		"rawClause.per": {"day", "category"}, "rawClause.take": {"least", "most"}, "rawClause.counting": {"calendar", "elapsed"}, "rawClause.anniversary": {"in", "out"},
		"rawClause.running": {"fixed", "follows"}, "rawClause.direction": {"in", "out"}, "rawHours.direction": {"in", "out"}, "rawException.direction": {"in", "out"},
		"rawClause.open": {"atleast", "atmost"}, "rawQuestion.by": {"A", "B", "both", "nobody"}, "rawSettlement.by": {"A", "B", "both", "nobody"},
		"rawShare.with": withWords(), "rawClause.sides": sides, "rawPeriod.sides": sides, "rawValue.side": sides, "rawScenario.side": sides, "rawInstrument.side": sides,
		"rawAgreement.rounding": {"half-up", "half-even"},
	}
}

func needed() map[string][]string {
	return map[string][]string{
		"rawAgreement": {"id", "edition", "title", "zone", "zonedata", "currency", "rounding", "from", "parties", "sites", "instruments"},
		"rawClause":    {"id", "kind", "text"}, "rawClauses": {"instrument", "clauses"}, "rawParameter": {"id", "text", "unit", "values"}, "rawValue": {"from", "value", "source"},
		"rawAttribute": {"id", "type", "name"}, "rawEvent": {"id", "name"}, "rawInstrument": {"id", "title", "status", "source"}, "rawSite": {"id", "number", "name", "zone", "source"},
		"rawQuestion": {"id", "asks", "reading", "by", "words"}, "rawList": {"id", "title", "source"}, "rawTable": {"id", "title", "source", "inputs", "outputs"},
		"rawScenario": {"id", "title", "point", "asks"}, "rawSchedule": {"site", "source"}, "rawRuleSet": {"id", "title", "rules"},
	}
}

// def makes the definition of a struct, once.
func (m maker) def(name string, t reflect.Type) {
	if m.defs[name] != nil {
		return
	}
	d := object{"type": "object", "additionalProperties": false}
	m.defs[name] = d
	props := object{}
	for i := range t.NumField() {
		f := t.Field(i)
		tag := f.Tag.Get("yaml")
		if tag == "" {
			continue
		}
		p := m.typ(f.Type)
		if words := closedWords()[t.Name()+"."+tag]; words != nil {
			if p["type"] == "array" {
				p["items"] = object{"enum": words}
			} else {
				p = object{"enum": words}
			}
		}
		if t.Name() == "rawClause" && slices.Contains([]string{"when", "require", "value", "where", "release"}, tag) {
			p = ref("condition")
		}
		if says := m.says[t.Name()+"."+tag]; says != "" {
			p["description"] = says
		}
		props[tag] = p
	}
	d["properties"] = props
	if n := needed()[t.Name()]; n != nil {
		d["required"] = n
	}
	if t.Name() == "rawClause" {
		var all []any
		for _, k := range Kinds() {
			all = append(all, object{
				"if":   object{"properties": object{"kind": object{"const": string(k)}}, "required": []string{"kind"}},
				"then": object{"description": m.kinds[string(k)], "propertyNames": object{"enum": append(commonFields(), kindFields(k)...)}},
			})
		}
		d["allOf"] = all
	}
	if t.Name() == "rawInput" {
		delete(m.defs, name)
		m.defs[name] = object{"anyOf": []any{object{"type": "string"}, d}}
	}
}

// typ makes the schema of a field's type.
func (m maker) typ(t reflect.Type) object {
	switch t {
	case reflect.TypeFor[lang.Text]():
		return ref("text")
	case reflect.TypeFor[scalar]():
		return ref("scalar")
	case reflect.TypeFor[texts]():
		return ref("texts")
	case reflect.TypeFor[choice]():
		m.def("selection", reflect.TypeFor[rawSelect]())
		return object{"anyOf": []any{ref("texts"), ref("selection")}}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return m.typ(t.Elem())
	case reflect.String:
		return object{"type": []string{"string", "number"}}
	case reflect.Int:
		return object{"type": "integer"}
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.Slice:
		return object{"type": "array", "items": m.typ(t.Elem())}
	case reflect.Map:
		return object{"type": "object", "additionalProperties": m.typ(t.Elem())}
	case reflect.Struct:
		if v, ok := t.FieldByName("v"); ok {
			return m.typ(v.Type)
		}
		name := strings.ToLower(strings.TrimPrefix(t.Name(), "raw"))
		m.def(name, t)
		return ref(name)
	}
	panic(t)
}

// TestSchemaFits reads every file of every package that is at hand with the schema, and
// sees it refuse what the program refuses.
func TestSchemaFits(t *testing.T) {
	var s object
	if err := json.Unmarshal([]byte(read(t, schemaFile)), &s); err != nil {
		t.Fatal(err)
	}
	defs := s["$defs"].(object)
	files := map[string][]byte{}
	for _, root := range []string{"testdata", "../../agreements"} {
		err := filepath.WalkDir(root, func(p string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() || filepath.Ext(p) != ".yaml" {
				return err
			}
			b, err := os.ReadFile(p)
			files[filepath.ToSlash(p)] = b
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for p, f := range guide(t) {
		files["guide/"+p] = f.Data
	}
	def := func(p string) string {
		if path.Base(p) == "agreement.yaml" {
			return "file-agreement"
		}
		return "file-" + map[string]string{"parameters": "parameters", "lists": "list", "tables": "table", "clauses": "clauses", "schedule": "schedule", "tests": "tests", "keys": "keys", "health": "health", "sharing": "sharing"}[path.Base(path.Dir(p))]
	}
	check := func(p string, b []byte) []string {
		var v any
		if err := yaml.NewDecoder(bytes.NewReader(b)).Decode(&v); err != nil {
			return []string{err.Error()}
		}
		// As JSON has it, so that numbers and keys are of one type.
		j, err := json.Marshal(v)
		if err != nil {
			return []string{err.Error()}
		}
		if err := json.Unmarshal(j, &v); err != nil {
			return []string{err.Error()}
		}
		return validate(defs, ref(def(p)), v, "")
	}
	for _, p := range sorted(files) {
		for _, wrong := range check(p, files[p]) {
			t.Errorf("%s: %s", p, wrong)
		}
	}
	if len(files) < 20 {
		t.Errorf("only %d files", len(files))
	}
	const treaty = "testdata/wide/clauses/treaty.yaml"
	for _, x := range []struct{ file, old, new, says string }{
		{treaty, "kind: opened,", "kind: open,", "not one of"},
		{treaty, "kind: opened,", "kind: opened, take: most,", `"take" is not one of`},
		{treaty, "kind: opened,", "kind: opened, takes: most,", `unknown "takes"`},
		{treaty, "else: CLOSED", "else: SHUT", "not one of"},
		{treaty, "to: {events: export,", "to: {event: export,", "none of the forms"},
		{treaty, "voids: true", "voids: maybe", "want [boolean]"},
		{"testdata/wide/agreement.yaml", "edition: 2", "edition: two", "want [integer]"},
		{"testdata/wide/agreement.yaml", "edition: 2\n", "", `lacks "edition"`},
		{"testdata/wide/agreement.yaml", "status: law", "status: laws", "not one of"},
		{"testdata/wide/tables/risk.yaml", "of: good.weight", "off: good.weight", "none of the forms"},
	} {
		b := bytes.Replace(files[x.file], []byte(x.old), []byte(x.new), 1)
		if wrong := check(x.file, b); !slices.ContainsFunc(wrong, func(s string) bool { return strings.Contains(s, x.says) }) {
			t.Errorf("%s for %s: got %q, want %q", x.new, x.old, wrong, x.says)
		}
	}
}

// validate holds a value against as much of JSON Schema as the schema uses.
func validate(defs, s object, v any, at string) (wrong []string) {
	bad := func(format string, args ...any) { wrong = append(wrong, at+": "+fmt.Sprintf(format, args...)) }
	if r, ok := s["$ref"].(string); ok {
		wrong = append(wrong, validate(defs, defs[strings.TrimPrefix(r, "#/$defs/")].(object), v, at)...)
	}
	if list, ok := s["anyOf"].([]any); ok {
		if !slices.ContainsFunc(list, func(x any) bool { return len(validate(defs, x.(object), v, at)) == 0 }) {
			bad("none of the forms")
		}
	}
	if list, ok := s["allOf"].([]any); ok {
		for _, x := range list {
			x := x.(object)
			if len(validate(defs, x["if"].(object), v, at)) == 0 {
				wrong = append(wrong, validate(defs, x["then"].(object), v, at)...)
			}
		}
	}
	if c, ok := s["const"]; ok && c != v {
		bad("is not %v", c)
	}
	if list, ok := s["enum"].([]any); ok && !slices.Contains(list, v) {
		bad("%q is not one of %v", v, list)
	}
	var types []any
	switch x := s["type"].(type) {
	case string:
		types = []any{x}
	case []any:
		types = x
	}
	is := "null"
	switch x := v.(type) {
	case string:
		is = "string"
	case float64:
		is = "number"
		if x == float64(int64(x)) && slices.Contains(types, any("integer")) {
			is = "integer"
		}
	case bool:
		is = "boolean"
	case []any:
		is = "array"
		if items, ok := s["items"].(object); ok {
			for i, e := range x {
				wrong = append(wrong, validate(defs, items, e, fmt.Sprintf("%s[%d]", at, i))...)
			}
		}
	case object:
		is = "object"
		props, _ := s["properties"].(object)
		for _, k := range sorted(x) {
			if p, ok := props[k].(object); ok {
				wrong = append(wrong, validate(defs, p, x[k], at+"."+k)...)
			} else if more, ok := s["additionalProperties"].(object); ok {
				wrong = append(wrong, validate(defs, more, x[k], at+"."+k)...)
			} else if s["additionalProperties"] == false {
				bad("unknown %q", k)
			}
			if names, ok := s["propertyNames"].(object); ok {
				wrong = append(wrong, validate(defs, names, k, at)...)
			}
		}
		need, _ := s["required"].([]any)
		for _, k := range need {
			if _, ok := x[k.(string)]; !ok {
				bad("lacks %q", k)
			}
		}
	}
	if types != nil && !slices.Contains(types, any(is)) {
		bad("want %v, got %s", types, is)
	}
	return wrong
}

// TestSchemaSays wants each field described as what it is there: until and id mean one
// thing of an agreement, another of a value and of a clause.
func TestSchemaSays(t *testing.T) {
	var s struct {
		Defs map[string]struct {
			Properties map[string]struct{ Description string }
		} `json:"$defs"`
	}
	if err := json.Unmarshal([]byte(read(t, schemaFile)), &s); err != nil {
		t.Fatal(err)
	}
	for _, x := range [][3]string{
		{"clause", "id", "as the text numbers it"}, {"clause", "when", "condition: the clause says nothing where it is false"}, {"clause", "currency", ""}, {"clause", "days", ""}, {"clause", "classes", ""},
		{"clause", "open", ""}, {"clause", "text", "as the text numbers it"}, {"value", "from", "when it holds"}, {"file-agreement", "until", "the term"}, {"file-list", "open", "the words with which an open-ended list ends"},
		{"file-list", "partial", "only a part"}, {"value", "value", "a plain number"},
	} {
		if got := s.Defs[x[0]].Properties[x[1]].Description; !strings.Contains(got, x[2]) || x[2] == "" && got != "" {
			t.Errorf("%s.%s: got %q, want %q", x[0], x[1], got, x[2])
		}
	}
}
