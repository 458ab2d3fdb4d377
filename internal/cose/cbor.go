// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package cose

import "unicode/utf8"

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

// A Reader takes data items off the front of a byte string. The first fault
// sticks: from then on everything is zero and Ok reports false. It copies
// nothing and never allocates by a length that the input claims. Indefinite
// lengths and reserved heads are faults.
type Reader struct {
	b      []byte
	bad    bool
	strict bool
}

// NewReader reads CBOR of any definite-length form.
func NewReader(b []byte) Reader { return Reader{b: b} }

// NewStrictReader also refuses heads that are not the shortest, as deterministic
// encoding demands. The order of map keys is left to the caller.
func NewStrictReader(b []byte) Reader { return Reader{b: b, strict: true} }

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

// Bytes takes a byte string; the result points into the input.
func (r *Reader) Bytes() []byte { return r.take(r.want(MajorBytes)) }

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
func (r *Reader) Text() string {
	v := r.take(r.want(MajorText))
	if !utf8.Valid(v) {
		r.Fail()
		return ""
	}
	return string(v)
}

// Array takes the head of an array and returns its number of items, which is
// never more than the bytes that are left.
func (r *Reader) Array() int {
	n := r.want(MajorArray)
	if n > uint64(len(r.b)) {
		r.Fail()
		return 0
	}
	return int(n)
}

// Map takes the head of a map and returns its number of pairs, which is never
// more than half the bytes that are left.
func (r *Reader) Map() int {
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
