// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package fact

import (
	"cmp"
	"encoding/binary"
	"slices"
	"time"
)

// Appender is a value that writes itself, byte for byte as the codec would by looking at
// its type. What every command writes does so, as looking costs more than deciding; tests
// hold each against the codec with every field set and unset.
type Appender interface{ AppendTo(e *Encoder) }

// An Encoder writes data items in the codec's form one after another.
type Encoder struct {
	b   []byte
	bad bool // what cannot be written so is left to the codec, which says why
}

func (e *Encoder) head(major byte, n uint64) {
	m := major << 5
	switch {
	case n < 24:
		e.b = append(e.b, m|byte(n))
	case n < 1<<8:
		e.b = append(e.b, m|24, byte(n))
	case n < 1<<16:
		e.b = append(e.b, m|25, byte(n>>8), byte(n))
	case n < 1<<32:
		e.b = binary.BigEndian.AppendUint32(append(e.b, m|26), uint32(n))
	default:
		e.b = binary.BigEndian.AppendUint64(append(e.b, m|27), n)
	}
}

// Uint writes a number.
func (e *Encoder) Uint(v uint64) { e.head(0, v) }

// Int writes a number.
func (e *Encoder) Int(v int64) {
	if v < 0 {
		e.head(1, uint64(-1-v))
		return
	}
	e.head(0, uint64(v))
}

// Bytes writes a string of bytes.
func (e *Encoder) Bytes(v []byte) {
	e.head(2, uint64(len(v)))
	e.b = append(e.b, v...)
}

// Text writes a text.
func (e *Encoder) Text(v string) {
	e.head(3, uint64(len(v)))
	e.b = append(e.b, v...)
}

// Bool writes a truth value.
func (e *Encoder) Bool(v bool) {
	if v {
		e.b = append(e.b, 0xf5)
		return
	}
	e.b = append(e.b, 0xf4)
}

// Null writes what a nil slice is where it is not left out.
func (e *Encoder) Null() { e.b = append(e.b, 0xf6) }

// Array writes the head of n items.
func (e *Encoder) Array(n int) { e.head(4, uint64(n)) }

// Map writes the head of n pairs.
func (e *Encoder) Map(n int) { e.head(5, uint64(n)) }

// Time writes an instant as text.
func (e *Encoder) Time(t time.Time) {
	if t.IsZero() {
		e.Null()
		return
	}
	t = t.UTC()
	if y := t.Year(); y < 0 || y > 9999 {
		e.bad = true
	}
	e.b = append(e.b, 3<<5|24, 0)
	at := len(e.b)
	e.b = t.AppendFormat(e.b, time.RFC3339Nano)
	n := len(e.b) - at
	if n < 24 { // the shortest head counts
		copy(e.b[at-1:], e.b[at:])
		e.b = e.b[:len(e.b)-1]
		e.b[at-2] = 3<<5 | byte(n)
		return
	}
	e.b[at-1] = byte(n)
}

// A Struct is a map of at most 23 pairs that is being written. Keys come in the order of
// their encodings.
type Struct struct {
	e     *Encoder
	at, n int
}

// Struct begins one.
func (e *Encoder) Struct() Struct {
	e.b = append(e.b, 5<<5)
	return Struct{e: e, at: len(e.b) - 1}
}

// Key writes the key of the next pair, whose value follows.
func (s *Struct) Key(key uint64) *Encoder {
	s.n++
	s.e.head(0, key)
	return s.e
}

// Name is Key for a key that is a text.
func (s *Struct) Name(key string) *Encoder {
	s.n++
	s.e.Text(key)
	return s.e
}

// Uint writes a pair, but for a zero.
func (s *Struct) Uint(key, v uint64) {
	if v != 0 {
		s.Key(key).Uint(v)
	}
}

// Text writes a pair, but for an empty text.
func (s *Struct) Text(key uint64, v string) {
	if v != "" {
		s.Key(key).Text(v)
	}
}

// Bool writes a pair, but for what is false.
func (s *Struct) Bool(key uint64, v bool) {
	if v {
		s.Key(key).Bool(v)
	}
}

// End ends it.
func (s *Struct) End() {
	if s.n > 23 {
		s.e.bad = true
	}
	s.e.b[s.at] = 5<<5 | byte(s.n)
}

// Each writes items one after another with their head, and a nil slice as null.
func Each[T any](e *Encoder, items []T, write func(e *Encoder, v *T)) {
	if items == nil {
		e.Null()
		return
	}
	e.Array(len(items))
	for i := range items {
		write(e, &items[i])
	}
}

// Texts writes a map of texts.
func (e *Encoder) Texts(m map[string]string) {
	e.Map(len(m))
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b)) })
	for _, k := range keys {
		e.Text(k)
		e.Text(m[k])
	}
}
