// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package cose

import (
	"math/bits"
	"unicode/utf8"
)

// Major types of CBOR (RFC 8949 section 3.1) for AppendHead.
const (
	MajorUint  = 0
	MajorNint  = 1
	MajorBytes = 2
	MajorText  = 3
	MajorArray = 4
	MajorMap   = 5
	MajorTag   = 6
)

// maxDepth bounds nesting in what Skip walks over.
const maxDepth = 16

// AppendHead appends the shortest head of a data item (RFC 8949 section 4.2.1).
func AppendHead(dst []byte, major byte, arg uint64) []byte {
	m := major << 5
	switch {
	case arg < 24:
		return append(dst, m|byte(arg))
	case arg < 1<<8:
		return append(dst, m|24, byte(arg))
	case arg < 1<<16:
		return append(dst, m|25, byte(arg>>8), byte(arg))
	case arg < 1<<32:
		return append(dst, m|26, byte(arg>>24), byte(arg>>16), byte(arg>>8), byte(arg))
	default:
		return append(dst, m|27, byte(arg>>56), byte(arg>>48), byte(arg>>40), byte(arg>>32),
			byte(arg>>24), byte(arg>>16), byte(arg>>8), byte(arg))
	}
}

// AppendUint appends an unsigned integer.
func AppendUint(dst []byte, v uint64) []byte { return AppendHead(dst, MajorUint, v) }

// AppendInt appends an integer.
func AppendInt(dst []byte, v int64) []byte {
	if v < 0 {
		return AppendHead(dst, MajorNint, uint64(-1-v))
	}
	return AppendHead(dst, MajorUint, uint64(v))
}

// AppendBytes appends a byte string.
func AppendBytes(dst, v []byte) []byte {
	return append(AppendHead(dst, MajorBytes, uint64(len(v))), v...)
}

// AppendText appends a text string; v must be valid UTF-8.
func AppendText(dst []byte, v string) []byte {
	return append(AppendHead(dst, MajorText, uint64(len(v))), v...)
}

// AppendArray appends the head of an array of n items.
func AppendArray(dst []byte, n int) []byte { return AppendHead(dst, MajorArray, uint64(n)) }

// AppendMap appends the head of a map of n pairs. The caller writes the keys in
// the bytewise order of their encodings (RFC 8949 section 4.2.1).
func AppendMap(dst []byte, n int) []byte { return AppendHead(dst, MajorMap, uint64(n)) }

// Indefinite is what Array and Map return for an item whose end a break marks. Only a
// reader of NewLooseReader returns it.
const Indefinite = -1

// A Reader takes data items off the front of a byte string. The first fault
// sticks: from then on everything is zero and Ok reports false. It copies
// nothing and never allocates by a length that the input claims. Reserved heads
// are faults, and so are indefinite lengths but for a loose reader.
type Reader struct {
	b      []byte
	bad    bool
	strict bool
	loose  bool
}

// NewReader reads CBOR of any definite-length form.
func NewReader(b []byte) Reader { return Reader{b: b} }

// NewStrictReader also refuses heads that are not the shortest, as deterministic
// encoding demands. The order of map keys is left to the caller.
func NewStrictReader(b []byte) Reader { return Reader{b: b, strict: true} }

// NewLooseReader also reads indefinite lengths (RFC 8949 section 3.2), which common
// encoders write: a string in pieces is copied together, arrays and maps are walked with
// More.
func NewLooseReader(b []byte) Reader { return Reader{b: b, loose: true} }

// Left returns how many bytes are left, 0 after a fault.
func (r *Reader) Left() int { return len(r.b) }

// Ok reports that nothing was wrong so far.
func (r *Reader) Ok() bool { return !r.bad }

// Done reports that nothing was wrong and nothing is left.
func (r *Reader) Done() bool { return !r.bad && len(r.b) == 0 }

// Fail makes the reader faulty, for a caller that found a value out of range.
func (r *Reader) Fail() { r.bad, r.b = true, nil }

// Peek returns the next byte, 0xff (never a head here) at the end or after a fault.
func (r *Reader) Peek() byte {
	if len(r.b) == 0 {
		return 0xff
	}
	return r.b[0]
}

// Major returns the next item's major type, 7 at the end or after a fault.
func (r *Reader) Major() byte { return r.Peek() >> 5 }

func (r *Reader) head() (major byte, arg uint64) {
	b := r.b
	if len(b) == 0 {
		r.Fail()
		return 7, 0
	}
	major, ai := b[0]>>5, b[0]&31
	if ai < 24 {
		r.b = b[1:]
		return major, uint64(ai)
	}
	if ai > 27 || len(b) < 1+1<<(ai-24) {
		r.Fail()
		return 7, 0
	}
	n := 1 << (ai - 24)
	for _, c := range b[1 : 1+n] {
		arg = arg<<8 | uint64(c)
	}
	if major == 7 && n == 1 && arg < 32 { // not well formed, RFC 8949 section 3.3
		r.Fail()
		return 7, 0
	}
	if r.strict && major != 7 {
		if n == 1 && arg < 24 || n > 1 && arg>>(4*uint(n)) == 0 {
			r.Fail()
			return 7, 0
		}
	}
	r.b = b[1+n:]
	return major, arg
}

func (r *Reader) want(major byte) uint64 {
	m, arg := r.head()
	if m != major {
		r.Fail()
		return 0
	}
	return arg
}

// open takes the head of an array or a map that has no length, if that is what follows.
func (r *Reader) open(major byte) bool {
	if !r.loose || r.Peek() != major<<5|31 {
		return false
	}
	r.b = r.b[1:]
	return true
}

// More reports whether another item, or pair, of an array or a map follows, of which *n
// is what Array or Map returned and counts down. It is false after a fault.
func (r *Reader) More(n *int) bool {
	switch {
	case r.bad || *n == 0:
		return false
	case *n > 0:
		*n--
		return true
	case r.Peek() == 0xff && len(r.b) > 0:
		r.b = r.b[1:]
		*n = 0
		return false
	case len(r.b) == 0:
		r.Fail()
		return false
	}
	return true
}

// Uint takes an unsigned integer.
func (r *Reader) Uint() uint64 { return r.want(MajorUint) }

// UintMax takes an unsigned integer of at most limit.
func (r *Reader) UintMax(limit uint64) uint64 {
	v := r.want(MajorUint)
	if v > limit {
		r.Fail()
		return 0
	}
	return v
}

// Int takes an integer that fits 64 bits with sign.
func (r *Reader) Int() int64 {
	m, arg := r.head()
	if m > MajorNint || arg > 1<<63-1 {
		r.Fail()
		return 0
	}
	if m == MajorNint {
		return -1 - int64(arg)
	}
	return int64(arg)
}

func (r *Reader) take(n uint64) []byte {
	if r.bad || n > uint64(len(r.b)) {
		r.Fail()
		return nil
	}
	v := r.b[:n:n]
	r.b = r.b[n:]
	return v
}

// Bytes takes a byte string; the result points into the input, save for a string in
// pieces.
func (r *Reader) Bytes() []byte { return r.str(MajorBytes) }

func (r *Reader) str(major byte) []byte {
	if !r.open(major) {
		return r.take(r.want(major))
	}
	var v []byte
	for n := Indefinite; r.More(&n); {
		piece := r.take(r.want(major)) // of a definite length each, RFC 8949 section 3.2.3
		if major == MajorText && !utf8.Valid(piece) {
			r.Fail()
		}
		v = append(v, piece...)
	}
	if r.bad {
		return nil
	}
	return v
}

// BytesN takes a byte string of exactly len(dst) bytes into dst.
func (r *Reader) BytesN(dst []byte) {
	v := r.Bytes()
	if len(v) != len(dst) {
		r.Fail()
		return
	}
	copy(dst, v)
}

// Text takes a text string of valid UTF-8.
func (r *Reader) Text() string { return string(r.TextBytes()) }

// TextBytes is Text without a copy: the result points into the input, as that of Bytes.
func (r *Reader) TextBytes() []byte {
	v := r.str(MajorText)
	if !utf8.Valid(v) {
		r.Fail()
		return nil
	}
	return v
}

// Short is TextBytes of a text of ASCII and at most 23 bytes, of which most are.
// ok is false where something else follows, and nothing is taken then.
func (r *Reader) Short() (v []byte, ok bool) {
	if len(r.b) == 0 {
		return nil, false
	}
	n := int(r.b[0]) - MajorText<<5
	if n < 0 || n > 23 || n >= len(r.b) {
		return nil, false
	}
	v = r.b[1 : 1+n : 1+n]
	for _, c := range v {
		if c >= utf8.RuneSelf {
			return nil, false
		}
	}
	r.b = r.b[1+n:]
	return v, true
}

// Floor takes a number, an integer or a float of any size, and returns the greatest
// integer that is not above it; exact says that it is that integer. What is not finite, or
// does not fit 63 bits with its sign, is a fault. Nothing is calculated in floating point.
func (r *Reader) Floor() (v int64, exact bool) {
	if r.Major() <= MajorNint {
		v = r.Int()
		return v, !r.bad
	}
	ai := r.Peek() & 31
	m, arg := r.head()
	if m != 7 || ai < 25 || ai > 27 {
		r.Fail()
		return 0, false
	}
	// IEEE 754 sections 3.4 and 3.6: sign, biased exponent, trailing significand.
	size := [...]struct{ exponent, trailing uint }{{5, 10}, {8, 23}, {11, 52}}[ai-25]
	negative := arg>>(size.exponent+size.trailing) != 0
	biased := int(arg >> size.trailing & (1<<size.exponent - 1))
	significand := arg & (1<<size.trailing - 1)
	if biased == 1<<size.exponent-1 { // infinite, or not a number
		r.Fail()
		return 0, false
	}
	if biased == 0 {
		biased = 1 // subnormal
	} else {
		significand |= 1 << size.trailing
	}
	// The value is significand × 2^shift.
	shift := biased - (1<<(size.exponent-1) - 1) - int(size.trailing)
	whole, exact := significand, true
	switch {
	case significand == 0:
	case shift >= 0:
		if bits.Len64(significand)+shift > 62 {
			r.Fail()
			return 0, false
		}
		whole <<= uint(shift)
	case -shift > 63:
		whole, exact = 0, false
	default:
		whole = significand >> uint(-shift)
		exact = whole<<uint(-shift) == significand
	}
	if whole >= 1<<62 {
		r.Fail()
		return 0, false
	}
	v = int64(whole)
	if negative {
		v = -v
		if !exact {
			v--
		}
	}
	return v, exact
}

// Null takes null or undefined, and reports whether it did.
func (r *Reader) Null() bool {
	if c := r.Peek(); c != 0xf6 && c != 0xf7 {
		return false
	}
	r.b = r.b[1:]
	return true
}

// Array takes the head of an array and returns its number of items, which is
// never more than the bytes that are left, or Indefinite.
func (r *Reader) Array() int {
	if r.open(MajorArray) {
		return Indefinite
	}
	n := r.want(MajorArray)
	if n > uint64(len(r.b)) {
		r.Fail()
		return 0
	}
	return int(n)
}

// Map takes the head of a map and returns its number of pairs, which is never
// more than half the bytes that are left, or Indefinite.
func (r *Reader) Map() int {
	if r.open(MajorMap) {
		return Indefinite
	}
	n := r.want(MajorMap)
	if n > uint64(len(r.b))/2 {
		r.Fail()
		return 0
	}
	return int(n)
}

// Tag takes a tag's number; the tagged item follows.
func (r *Reader) Tag() uint64 { return r.want(MajorTag) }

// Skip walks over one item of any kind.
func (r *Reader) Skip() { r.skip(0) }

// Raw takes one item of any kind and returns its encoding.
func (r *Reader) Raw() []byte {
	b := r.b
	r.skip(0)
	if r.bad {
		return nil
	}
	n := len(b) - len(r.b)
	return b[:n:n]
}

func (r *Reader) skip(depth int) {
	if depth > maxDepth {
		r.Fail()
		return
	}
	if c := r.Peek(); r.loose && c&31 == 31 && c>>5 >= MajorBytes && c>>5 <= MajorMap {
		r.skipOpen(c>>5, depth)
		return
	}
	m, arg := r.head()
	if r.bad {
		return
	}
	switch m {
	case MajorBytes, MajorText:
		v := r.take(arg)
		if m == MajorText && !utf8.Valid(v) {
			r.Fail()
		}
	case MajorArray, MajorMap:
		if arg > uint64(len(r.b)) {
			r.Fail()
			return
		}
		if m == MajorMap {
			arg *= 2
		}
		for ; arg > 0 && !r.bad; arg-- {
			r.skip(depth + 1)
		}
	case MajorTag:
		r.skip(depth + 1)
	}
}

// skipOpen walks over an item that a break ends.
func (r *Reader) skipOpen(major byte, depth int) {
	if major <= MajorText {
		r.str(major)
		return
	}
	r.open(major)
	for n := Indefinite; r.More(&n); {
		r.skip(depth + 1)
		if major == MajorMap {
			r.skip(depth + 1)
		}
	}
}
