// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

// Package jcs reads JSON (RFC 8259) from strangers within stated bounds, and writes it
// in the canonical form over which signatures are made (RFC 8785, JSON
// Canonicalization Scheme).
//
// It is stricter than most readers, as I-JSON is (RFC 7493 section 2), because two
// readers that disagree on a signed text are two different certificates: a name that
// occurs twice in one object, text that is not UTF-8, half of a surrogate pair, a byte
// order mark and anything after the value are all errors. There is no floating point
// in it: numbers stay the text that they are, and are compared as decimals.
//
// A text is read once into a flat list of nodes; strings and numbers stay where they
// are in the text and are decoded when they are asked for.
package jcs

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"unicode/utf8"
)

// The faults of a text. ErrLimit says that it is larger than the reader allows, all
// others that it is not the JSON that this package reads.
var (
	ErrLimit     = errors.New("jcs: larger than allowed")
	ErrSyntax    = errors.New("jcs: not JSON")
	ErrDuplicate = errors.New("jcs: a name occurs twice in one object")
	ErrText      = errors.New("jcs: text is not Unicode")
	ErrNumber    = errors.New("jcs: number cannot be written exactly")
)

// Limits bound what one text may cost. The zero value allows nothing.
type Limits struct {
	Size    int // bytes of text, at most 1<<30
	Values  int // values of any kind, the outermost included; 28 bytes are spent on each
	Depth   int // arrays and objects within each other; 1 allows [] and {}
	Members int // members of one object; looking for duplicates costs the square of it
}

// MaxNumber is the greatest length of a number's text, in bytes.
const MaxNumber = 64

// Kind is what a value is.
type Kind uint8

// The kinds of values. None is that of a value that is not there.
const (
	None Kind = iota
	Null
	Bool
	Number
	String
	Array
	Object
)

// A node is one value. For a string, off and end are between the quotes; next is the
// index of the next value in the same array or object, 0 where there is none; first
// is the index of the first value inside, 0 where there is none: the outermost value
// is the only one with the index 0, and it is in nothing.
type node struct {
	off, end    uint32
	key, keyEnd uint32 // the member's name between its quotes, in an object only
	next        uint32
	n           uint32 // values inside
	kind        Kind
	escaped     bool // the string has an escape
	keyEscaped  bool
}

// Doc is a text that was read. It keeps the bytes that it was given.
type Doc struct {
	text  []byte
	nodes []node
}

// Value is one value of a text. The zero Value is of kind None, and so is whatever
// is asked of it, so that a path into a text needs one check at its end.
type Value struct {
	d *Doc
	i uint32
}

// Parse reads one JSON text that fills b but for white space around it. It keeps b.
// The errors are those of this package, wrapped with the place of the fault and never
// with what stands there.
func Parse(b []byte, l Limits) (*Doc, error) {
	d := new(Doc)
	if err := d.Parse(b, l); err != nil {
		return nil, err
	}
	return d, nil
}

// Parse is the function Parse, into a Doc that may have held another text before: its
// memory is used again, and every Value of that text is void.
func (d *Doc) Parse(b []byte, l Limits) error {
	d.text, d.nodes = nil, d.nodes[:0]
	if len(b) > l.Size || len(b) >= 1<<30 {
		return ErrLimit
	}
	// Each value but the first follows a comma or an opening bracket.
	most := 1
	for _, c := range b {
		if c == ',' || c == '[' || c == '{' {
			most++
		}
	}
	most = min(most, l.Values)
	if cap(d.nodes) < most {
		d.nodes = make([]node, 0, most)
	}
	p := parser{text: b, limits: l, nodes: d.nodes}
	p.space()
	if err := p.value(0); err != nil {
		return fmt.Errorf("%w (at byte %d)", err, p.pos)
	}
	p.space()
	if p.pos != len(b) {
		return fmt.Errorf("%w (at byte %d)", ErrSyntax, p.pos)
	}
	d.text, d.nodes = b, p.nodes
	return nil
}

// Root returns the outermost value.
func (d *Doc) Root() Value { return Value{d: d} }

type parser struct {
	text   []byte
	pos    int
	nodes  []node
	limits Limits
}

func (p *parser) space() {
	for p.pos < len(p.text) {
		switch p.text[p.pos] {
		case ' ', '\t', '\n', '\r':
			p.pos++
		default:
			return
		}
	}
}

func (p *parser) peek() byte {
	if p.pos < len(p.text) {
		return p.text[p.pos]
	}
	return 0
}

// value reads one value and appends its node and those inside it. depth counts the
// arrays and objects around it.
func (p *parser) value(depth int) error {
	if len(p.nodes) >= p.limits.Values {
		return ErrLimit
	}
	i := len(p.nodes)
	p.nodes = append(p.nodes, node{off: uint32(p.pos)})
	var err error
	switch c := p.peek(); c {
	case '{', '[':
		if depth >= p.limits.Depth {
			return ErrLimit
		}
		p.nodes[i].kind = Array
		if c == '{' {
			p.nodes[i].kind = Object
		}
		err = p.inside(i, depth+1)
	case '"':
		n := &p.nodes[i]
		n.kind = String
		n.off, n.end, n.escaped, err = p.quoted()
		return err
	case 't':
		p.nodes[i].kind, err = Bool, p.word("true")
	case 'f':
		p.nodes[i].kind, err = Bool, p.word("false")
	case 'n':
		p.nodes[i].kind, err = Null, p.word("null")
	default:
		p.nodes[i].kind, err = Number, p.number()
	}
	p.nodes[i].end = uint32(p.pos)
	return err
}

// inside reads what stands between the brackets of the array or object i.
func (p *parser) inside(i, depth int) error {
	object := p.nodes[i].kind == Object
	closing := byte(']')
	if object {
		closing = '}'
	}
	p.pos++
	p.space()
	if p.peek() == closing {
		p.pos++
		return nil
	}
	last := 0
	for {
		var key, keyEnd uint32
		var escaped bool
		if object {
			if int(p.nodes[i].n) >= p.limits.Members {
				return ErrLimit
			}
			if p.peek() != '"' {
				return ErrSyntax
			}
			var err error
			if key, keyEnd, escaped, err = p.quoted(); err != nil {
				return err
			}
			if p.known(i, key, keyEnd, escaped) {
				return ErrDuplicate
			}
			p.space()
			if p.peek() != ':' {
				return ErrSyntax
			}
			p.pos++
			p.space()
		}
		at := len(p.nodes)
		if err := p.value(depth); err != nil {
			return err
		}
		n := &p.nodes[at]
		n.key, n.keyEnd, n.keyEscaped = key, keyEnd, escaped
		p.nodes[i].n++
		if last != 0 {
			p.nodes[last].next = uint32(at)
		}
		last = at
		p.space()
		switch p.peek() {
		case ',':
			p.pos++
			p.space()
		case closing:
			p.pos++
			return nil
		default:
			return ErrSyntax
		}
	}
}

// known reports whether the object i has a member of this name already.
func (p *parser) known(i int, key, keyEnd uint32, escaped bool) bool {
	if p.nodes[i].n == 0 {
		return false
	}
	raw := p.text[key:keyEnd]
	for j := i + 1; ; {
		n := &p.nodes[j]
		if sameText(p.text[n.key:n.keyEnd], n.keyEscaped, raw, escaped) {
			return true
		}
		if n.next == 0 {
			return false
		}
		j = int(n.next)
	}
}

// sameText compares two texts that stood between quotes.
func sameText(a []byte, aEscaped bool, b []byte, bEscaped bool) bool {
	if !aEscaped && !bEscaped {
		return bytes.Equal(a, b)
	}
	var abuf, bbuf [64]byte
	return bytes.Equal(unquote(abuf[:0], a), unquote(bbuf[:0], b))
}

func (p *parser) word(w string) error {
	if !bytes.HasPrefix(p.text[p.pos:], []byte(w)) {
		return ErrSyntax
	}
	p.pos += len(w)
	return nil
}

// number reads a number by the grammar of RFC 8259 section 6.
func (p *parser) number() error {
	start := p.pos
	if p.peek() == '-' {
		p.pos++
	}
	switch c := p.peek(); {
	case c == '0':
		p.pos++
	case '1' <= c && c <= '9':
		p.digits()
	default:
		return ErrSyntax
	}
	if p.peek() == '.' {
		p.pos++
		if !p.digits() {
			return ErrSyntax
		}
	}
	if c := p.peek(); c == 'e' || c == 'E' {
		p.pos++
		if c := p.peek(); c == '+' || c == '-' {
			p.pos++
		}
		if !p.digits() {
			return ErrSyntax
		}
	}
	if p.pos-start > MaxNumber {
		return ErrLimit
	}
	return nil
}

func (p *parser) digits() bool {
	start := p.pos
	for c := p.peek(); '0' <= c && c <= '9'; c = p.peek() {
		p.pos++
	}
	return p.pos > start
}

// quoted reads a string and checks all of it: control characters, escapes, UTF-8 and
// surrogates. It returns where the text between the quotes stands.
func (p *parser) quoted() (off, end uint32, escaped bool, err error) {
	p.pos++
	off = uint32(p.pos)
	for p.pos < len(p.text) {
		switch c := p.text[p.pos]; {
		case c == '"':
			end = uint32(p.pos)
			p.pos++
			return off, end, escaped, nil
		case c < 0x20:
			return 0, 0, false, ErrSyntax
		case c == '\\':
			escaped = true
			if err := p.escape(); err != nil {
				return 0, 0, false, err
			}
		case c < utf8.RuneSelf:
			p.pos++
		default:
			r, n := utf8.DecodeRune(p.text[p.pos:])
			if r == utf8.RuneError && n <= 1 {
				return 0, 0, false, ErrText
			}
			p.pos += n
		}
	}
	return 0, 0, false, ErrSyntax
}

func (p *parser) escape() error {
	p.pos++
	switch p.peek() {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		p.pos++
		return nil
	case 'u':
		u, ok := hex4(p.text[p.pos+1:])
		if !ok {
			return ErrSyntax
		}
		p.pos += 5
		if u < 0xd800 || u > 0xdfff {
			return nil
		}
		if u >= 0xdc00 || p.pos+6 > len(p.text) || p.text[p.pos] != '\\' || p.text[p.pos+1] != 'u' {
			return ErrText
		}
		low, ok := hex4(p.text[p.pos+2:])
		if !ok || low < 0xdc00 || low > 0xdfff {
			return ErrText
		}
		p.pos += 6
		return nil
	}
	return ErrSyntax
}

func hex4(b []byte) (u rune, ok bool) {
	if len(b) < 4 {
		return 0, false
	}
	for _, c := range b[:4] {
		switch {
		case '0' <= c && c <= '9':
			u = u<<4 | rune(c-'0')
		case 'a' <= c && c <= 'f':
			u = u<<4 | rune(c-'a'+10)
		case 'A' <= c && c <= 'F':
			u = u<<4 | rune(c-'A'+10)
		default:
			return 0, false
		}
	}
	return u, true
}

// unquote appends the text of a string that quoted has accepted.
func unquote(dst, raw []byte) []byte {
	for i := 0; i < len(raw); i++ {
		if raw[i] != '\\' {
			dst = append(dst, raw[i])
			continue
		}
		i++
		switch raw[i] {
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case 'n':
			dst = append(dst, '\n')
		case 'r':
			dst = append(dst, '\r')
		case 't':
			dst = append(dst, '\t')
		case 'u':
			u, _ := hex4(raw[i+1:])
			i += 4
			if 0xd800 <= u && u <= 0xdbff {
				low, _ := hex4(raw[i+3:])
				i += 6
				u = (u-0xd800)<<10 | (low - 0xdc00) + 0x10000
			}
			dst = utf8.AppendRune(dst, u)
		default:
			dst = append(dst, raw[i])
		}
	}
	return dst
}

func (v Value) node() *node {
	if v.d == nil || int(v.i) >= len(v.d.nodes) {
		return nil
	}
	return &v.d.nodes[v.i]
}

// Kind returns what the value is, None where it is not there.
func (v Value) Kind() Kind {
	if n := v.node(); n != nil {
		return n.kind
	}
	return None
}

// Is reports whether the value is of a kind.
func (v Value) Is(k Kind) bool { return v.Kind() == k }

// Len returns how many values an array or object holds, 0 for everything else.
func (v Value) Len() int {
	if n := v.node(); n != nil {
		return int(n.n)
	}
	return 0
}

// Get returns the member of an object, the zero Value where v is none or has no such member.
func (v Value) Get(name string) Value {
	if v.Kind() != Object {
		return Value{}
	}
	for m := range v.All() {
		n := m.node()
		key := v.d.text[n.key:n.keyEnd]
		if !n.keyEscaped && string(key) == name {
			return m
		}
		if n.keyEscaped && m.Name() == name {
			return m
		}
	}
	return Value{}
}

// At returns the value along a path of member names.
func (v Value) At(names ...string) Value {
	for _, n := range names {
		v = v.Get(n)
	}
	return v
}

// All goes over the values of an array or the members of an object, as they stand.
func (v Value) All() iter.Seq[Value] {
	return func(yield func(Value) bool) {
		n := v.node()
		if n == nil || n.n == 0 {
			return
		}
		for i := v.i + 1; i != 0; i = v.d.nodes[i].next {
			if !yield(Value{v.d, i}) {
				return
			}
		}
	}
}

// Name returns the name of a member of an object, and the empty text for other values.
func (v Value) Name() string {
	n := v.node()
	if n == nil {
		return ""
	}
	raw := v.d.text[n.key:n.keyEnd]
	if !n.keyEscaped {
		return string(raw)
	}
	return string(unquote(nil, raw))
}

// RawName is Name as it stands in the text between its quotes, with its escapes. It is
// part of the text given to Parse.
func (v Value) RawName() []byte {
	n := v.node()
	if n == nil {
		return nil
	}
	return v.d.text[n.key:n.keyEnd:n.keyEnd]
}

// Text returns the text of a string, and false for other values.
func (v Value) Text() (string, bool) {
	n := v.node()
	if n == nil || n.kind != String {
		return "", false
	}
	raw := v.d.text[n.off:n.end]
	if !n.escaped {
		return string(raw), true
	}
	return string(unquote(nil, raw)), true
}

// Equal reports whether the value is the string s.
func (v Value) Equal(s string) bool {
	n := v.node()
	if n == nil || n.kind != String {
		return false
	}
	if !n.escaped {
		return string(v.d.text[n.off:n.end]) == s
	}
	return string(unquote(nil, v.d.text[n.off:n.end])) == s
}

// Raw returns the value as it stands in the text, for a string between its quotes.
// It is part of the text given to Parse.
func (v Value) Raw() []byte {
	n := v.node()
	if n == nil {
		return nil
	}
	return v.d.text[n.off:n.end:n.end]
}

// Escaped reports whether a string has an escape, so that Raw is not its text.
func (v Value) Escaped() bool {
	n := v.node()
	return n != nil && n.escaped
}
