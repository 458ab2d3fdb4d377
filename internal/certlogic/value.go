// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

// Package certlogic reads and evaluates CertLogic, the language of the European business
// rules for health certificates (specification 1.3.3 of ehn-dcc-development/eu-dcc-business-rules),
// and the rules written in it. It is exact to that specification, which is not the language
// of our own clauses: truthiness, null, and times without a zone are as it has them.
// Nothing here reads a clock, and nothing is counted in floating point.
package certlogic

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// The limits of what is read. What is larger is refused before it is evaluated.
const (
	maxBytes = 1 << 20 // of one JSON text
	maxDepth = 64      // of arrays and objects in each other
	maxItems = 100_000 // values in one JSON text
)

// Kind is what a value is.
type Kind uint8

// The kinds of values. Time is made by plusTime and dccDateOfBirth alone; Number is a
// number that is not whole, or too large for 64 bits.
const (
	Null Kind = iota
	Bool
	Int
	Number
	String
	Time
	Array
	Object
)

// Value is a JSON value or an instant. The zero value is null. It is immutable and may be
// used by many at once.
type Value struct {
	kind Kind
	n    int64  // Bool: 0 or 1; Int; Time: milliseconds since 1970 UTC
	s    string // String; Number: digits, "e", exponent of ten, in one form
	x    *composite
}

// composite is what an array or an object holds. Equality of arrays and objects in
// CertLogic is that of a JavaScript reference, hence that of this pointer.
type composite struct {
	list []Value
	keys []string            // of an object, beside list, sorted
	set  map[string]struct{} // of a longer array that holds texts alone
}

// longArray is from how many texts on membership is looked up and not searched for.
const longArray = 8

// MakeBool returns true or false.
func MakeBool(b bool) Value {
	if b {
		return Value{kind: Bool, n: 1}
	}
	return Value{kind: Bool}
}

// MakeInt returns a whole number.
func MakeInt(n int64) Value { return Value{kind: Int, n: n} }

// MakeString returns a text.
func MakeString(s string) Value { return Value{kind: String, s: s} }

// MakeArray returns an array. It keeps the slice, which must not be changed afterwards.
func MakeArray(list ...Value) Value {
	x := &composite{list: list}
	if len(list) >= longArray && !slices.ContainsFunc(list, func(v Value) bool { return v.kind != String }) {
		x.set = make(map[string]struct{}, len(list))
		for _, v := range list {
			x.set[v.s] = struct{}{}
		}
	}
	return Value{kind: Array, x: x}
}

// MakeObject returns an object with these members.
func MakeObject(members map[string]Value) Value {
	x := &composite{keys: make([]string, 0, len(members)), list: make([]Value, 0, len(members))}
	for k := range members {
		x.keys = append(x.keys, k)
	}
	slices.Sort(x.keys)
	for _, k := range x.keys {
		x.list = append(x.list, members[k])
	}
	return Value{kind: Object, x: x}
}

// instant returns an instant as a value.
func instant(ms int64) Value { return Value{kind: Time, n: ms} }

// Kind returns what the value is.
func (v Value) Kind() Kind { return v.kind }

// IsTrue reports whether the value is true itself, and not only truthy.
func (v Value) IsTrue() bool { return v.kind == Bool && v.n == 1 }

// IsFalse reports whether the value is false itself.
func (v Value) IsFalse() bool { return v.kind == Bool && v.n == 0 }

// Str returns the text of a String.
func (v Value) Str() (string, bool) { return v.s, v.kind == String }

// Len returns how many elements an array or members an object has, and 0 of all else.
func (v Value) Len() int {
	if v.x == nil {
		return 0
	}
	return len(v.x.list)
}

// Member returns a member of an object, and null where there is none.
func (v Value) Member(name string) Value {
	if p := v.member(name); p != nil {
		return *p
	}
	return Value{}
}

// member returns where a member stands, nil where there is none.
func (v *Value) member(name string) *Value {
	if v.kind != Object {
		return nil
	}
	keys := v.x.keys
	if len(keys) > 16 {
		if i, ok := slices.BinarySearch(keys, name); ok {
			return &v.x.list[i]
		}
		return nil
	}
	for i := range keys {
		if keys[i] == name {
			return &v.x.list[i]
		}
	}
	return nil
}

// Item returns an element of an array, and null where there is none.
func (v Value) Item(i int) Value {
	if v.kind != Array || i < 0 || i >= len(v.x.list) {
		return Value{}
	}
	return v.x.list[i]
}

// same is the operator ===, with nothing made of another type first.
func same(a, b Value) bool {
	if a.kind != b.kind {
		return false
	}
	switch a.kind {
	case Null:
		return true
	case Bool, Int:
		return a.n == b.n
	case String, Number:
		return a.s == b.s
	case Array, Object:
		return a.x == b.x
	}
	return false // each instant is a thing of its own
}

// contains is the operator in.
func (x *composite) contains(v Value) bool {
	if x.set != nil {
		if v.kind != String {
			return false
		}
		_, ok := x.set[v.s]
		return ok
	}
	for i := range x.list {
		if same(x.list[i], v) {
			return true
		}
	}
	return false
}

// Equal reports whether two values have the same content.
func Equal(a, b Value) bool {
	budget := maxSteps
	return equal(a, b, &budget)
}

func equal(a, b Value, budget *int) bool {
	if *budget--; *budget < 0 || a.kind != b.kind {
		return false
	}
	switch a.kind {
	case Time:
		return a.n == b.n
	case Array, Object:
		if a.x == b.x {
			return true
		}
		if len(a.x.list) != len(b.x.list) || !slices.Equal(a.x.keys, b.x.keys) {
			return false
		}
		for i := range a.x.list {
			if !equal(a.x.list[i], b.x.list[i], budget) {
				return false
			}
		}
		return true
	}
	return same(a, b)
}

// maxWritten is the most bytes that String writes.
const maxWritten = 4000

// String returns the value as JSON, an instant as a text in UTC; a long one is cut off.
func (v Value) String() string {
	b := v.append(nil, maxWritten)
	if len(b) > maxWritten {
		return string(b[:maxWritten]) + "…"
	}
	return string(b)
}

// append writes no more elements once there are most bytes: an array can hold itself many
// times over.
func (v Value) append(b []byte, most int) []byte {
	if len(b) > most {
		return b
	}
	switch v.kind {
	case Bool:
		return strconv.AppendBool(b, v.n == 1)
	case Int:
		return strconv.AppendInt(b, v.n, 10)
	case Number:
		return append(b, plain(v.s)...)
	case String:
		return appendText(b, v.s)
	case Time:
		return appendText(b, Stamp(time.UnixMilli(v.n).UTC()))
	case Array:
		b = append(b, '[')
		for i, e := range v.x.list {
			if i > 0 {
				b = append(b, ',')
			}
			b = e.append(b, most)
		}
		return append(b, ']')
	case Object:
		b = append(b, '{')
		for i, e := range v.x.list {
			if i > 0 {
				b = append(b, ',')
			}
			b = e.append(append(appendText(b, v.x.keys[i]), ':'), most)
		}
		return append(b, '}')
	}
	return append(b, "null"...)
}

func appendText(b []byte, s string) []byte {
	j, err := json.Marshal(s)
	if err != nil {
		panic("certlogic: a text always encodes: " + err.Error())
	}
	return append(b, j...)
}

// Stamp writes an instant as CertLogic reads one: UTC, to the millisecond.
func Stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// The errors of JSON that is not read.
var (
	errLarge = fmt.Errorf("larger than %d bytes", maxBytes)
	errMany  = fmt.Errorf("more than %d values", maxItems)
	errDeep  = fmt.Errorf("deeper than %d levels", maxDepth)
	errAfter = errors.New("something after the JSON value")
	errUTF8  = errors.New("not UTF-8")
)

// Parse reads one JSON value. A key that stands twice in an object, JSON that is too
// large or too deep, and bytes after the value are errors.
func Parse(b []byte) (Value, error) {
	if len(b) > maxBytes {
		return Value{}, errLarge
	}
	if !utf8.Valid(b) {
		return Value{}, errUTF8
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	p := parser{d, maxItems}
	t, err := d.Token()
	if err != nil {
		return Value{}, badJSON(err)
	}
	v, err := p.value(t, 0)
	if err != nil {
		return Value{}, err
	}
	if _, err := d.Token(); err != io.EOF {
		return Value{}, errAfter
	}
	return v, nil
}

// From makes a value of what a decoder of JSON or CBOR gives: nil, bool, whole numbers,
// float32, float64, json.Number, string, []any, map[string]any and map[any]any with texts as
// keys. What is of another type, too large or too deep is an error.
func From(v any) (Value, error) {
	p := parser{left: maxItems}
	return p.from(v, 0)
}

func (p *parser) from(v any, depth int) (Value, error) {
	if p.left--; p.left < 0 {
		return Value{}, errMany
	}
	if depth > maxDepth {
		return Value{}, errDeep
	}
	switch x := v.(type) {
	case nil:
		return Value{}, nil
	case Value:
		return x, nil
	case bool:
		return MakeBool(x), nil
	case string:
		return MakeString(x), nil
	case int:
		return MakeInt(int64(x)), nil
	case int64:
		return MakeInt(x), nil
	case uint64:
		return number(strconv.FormatUint(x, 10))
	case float32:
		return fraction(float64(x), 32)
	case float64:
		return fraction(x, 64)
	case json.Number:
		return number(string(x))
	case []any:
		list := make([]Value, 0, len(x))
		for _, e := range x {
			item, err := p.from(e, depth+1)
			if err != nil {
				return Value{}, err
			}
			list = append(list, item)
		}
		return MakeArray(list...), nil
	case map[string]any:
		members := make(map[string]Value, len(x))
		for k, e := range x {
			m, err := p.from(e, depth+1)
			if err != nil {
				return Value{}, err
			}
			members[k] = m
		}
		return MakeObject(members), nil
	case map[any]any:
		members := make(map[string]Value, len(x))
		for k, e := range x {
			name, ok := k.(string)
			if !ok {
				return Value{}, errors.New("a key that is no text")
			}
			m, err := p.from(e, depth+1)
			if err != nil {
				return Value{}, err
			}
			members[name] = m
		}
		return MakeObject(members), nil
	}
	return Value{}, fmt.Errorf("a %T, which JSON does not have", v)
}

// fraction reads a number that arrived in floating point, by its shortest digits.
func fraction(x float64, bits int) (Value, error) {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return Value{}, errors.New("a number that is none")
	}
	return number(strconv.FormatFloat(x, 'e', -1, bits))
}

func badJSON(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("not JSON: it ends too early")
	}
	return fmt.Errorf("not JSON: %w", err)
}

type parser struct {
	d    *json.Decoder
	left int
}

func (p *parser) value(t json.Token, depth int) (Value, error) {
	if p.left--; p.left < 0 {
		return Value{}, errMany
	}
	switch x := t.(type) {
	case bool:
		return MakeBool(x), nil
	case string:
		return MakeString(x), nil
	case json.Number:
		return number(string(x))
	case json.Delim:
		if depth++; depth > maxDepth {
			return Value{}, errDeep
		}
		if x == '[' {
			return p.array(depth)
		}
		return p.object(depth)
	}
	return Value{}, nil
}

func (p *parser) array(depth int) (Value, error) {
	var list []Value
	for {
		t, err := p.d.Token()
		if err != nil {
			return Value{}, badJSON(err)
		}
		if t == json.Delim(']') {
			return MakeArray(list...), nil
		}
		v, err := p.value(t, depth)
		if err != nil {
			return Value{}, err
		}
		list = append(list, v)
	}
}

func (p *parser) object(depth int) (Value, error) {
	members := map[string]Value{}
	for {
		t, err := p.d.Token()
		if err != nil {
			return Value{}, badJSON(err)
		}
		if t == json.Delim('}') {
			return MakeObject(members), nil
		}
		key, _ := t.(string)
		if _, twice := members[key]; twice {
			return Value{}, fmt.Errorf("the key %q stands twice", short(key))
		}
		if t, err = p.d.Token(); err != nil {
			return Value{}, badJSON(err)
		}
		v, err := p.value(t, depth)
		if err != nil {
			return Value{}, err
		}
		members[key] = v
	}
}

// short is a text for an error.
func short(s string) string {
	if len(s) > 60 {
		return strings.ToValidUTF8(s[:60], "") + "…"
	}
	return s
}

// maxExponent bounds the exponent of a number that is not whole.
const maxExponent = 10000

// number reads a number of JSON. 2.0 and 2e1 are whole, as they are in JavaScript.
func number(s string) (Value, error) {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return MakeInt(n), nil
	}
	minus := strings.HasPrefix(s, "-")
	digits, exp, e := strings.TrimPrefix(s, "-"), "", 0
	if i := strings.IndexAny(digits, "eE"); i >= 0 {
		digits, exp = digits[:i], digits[i+1:]
		n, err := strconv.Atoi(strings.TrimPrefix(exp, "+"))
		if err != nil || n > maxExponent || n < -maxExponent {
			return Value{}, fmt.Errorf("the number %s is out of bounds", short(s))
		}
		e = n
	}
	whole, part, _ := strings.Cut(digits, ".")
	digits, e = strings.TrimLeft(whole+part, "0"), e-len(part)
	for strings.HasSuffix(digits, "0") {
		digits, e = digits[:len(digits)-1], e+1
	}
	if digits == "" {
		return MakeInt(0), nil
	}
	if minus {
		digits = "-" + digits
	}
	if e >= 0 && e <= 19 {
		if n, err := strconv.ParseInt(digits+strings.Repeat("0", e), 10, 64); err == nil {
			return MakeInt(n), nil
		}
	}
	return Value{kind: Number, s: digits + "e" + strconv.Itoa(e)}, nil
}

// plain writes a Number without an exponent where that is short.
func plain(s string) string {
	digits, exp, _ := strings.Cut(s, "e")
	e, err := strconv.Atoi(exp)
	if err != nil || e > 0 || e < -20 {
		return s
	}
	sign := ""
	if strings.HasPrefix(digits, "-") {
		sign, digits = "-", digits[1:]
	}
	if pad := 1 - e - len(digits); pad > 0 {
		digits = strings.Repeat("0", pad) + digits
	}
	at := len(digits) + e
	return sign + strings.TrimSuffix(digits[:at]+"."+digits[at:], ".")
}
