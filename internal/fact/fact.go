// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

// Package fact is the form of what happened. A desk decides facts; state is what
// applying them makes; the record keeps them. The encoding is deterministic CBOR
// (RFC 8949 section 4.2.1), so that a fact has one spelling and one digest.
package fact

import (
	"bytes"
	"fmt"
	"sort"
	"sync"

	"github.com/fxamacker/cbor/v2"
)

// MaxSize is the largest encoded fact, in bytes: with its envelope it must fit an
// entry of a C2SP tiled log (65,535 bytes).
const MaxSize = 60_000

// Fact is one thing that happened. Its type is a plain struct with cbor keyasint
// tags; a field number is never used again for something else.
type Fact interface {
	// FactKind is the stable name, such as "booking.booked".
	FactKind() string
}

// A Codec encodes and decodes the facts it was made with. It may be used by many at once.
type Codec struct {
	enc  cbor.EncMode
	dec  cbor.DecMode
	news map[string]func() Fact
	room sync.Pool // of *Encoder
}

// NewCodec returns a codec for the given constructors, each returning a pointer to a
// new zero fact. Two facts of one kind are a fault of the program and panic.
func NewCodec(news ...func() Fact) *Codec {
	opts := cbor.CoreDetEncOptions()
	// As text, which is exact: a number of seconds would be a float, and a time that was
	// stored and read again would differ from itself by some nanoseconds.
	opts.Time = cbor.TimeRFC3339NanoUTC
	opts.TimeTag = cbor.EncTagNone
	enc, err := opts.EncMode()
	if err != nil {
		panic(err)
	}
	dec, err := cbor.DecOptions{
		DupMapKey:         cbor.DupMapKeyEnforcedAPF,
		IndefLength:       cbor.IndefLengthForbidden,
		MaxArrayElements:  4096,
		MaxMapPairs:       4096,
		MaxNestedLevels:   16,
		ExtraReturnErrors: cbor.ExtraDecErrorNone, // a newer peer may say more
		TimeTag:           cbor.DecTagIgnored,
	}.DecMode()
	if err != nil {
		panic(err)
	}
	c := &Codec{enc: enc, dec: dec, news: map[string]func() Fact{}}
	for _, n := range news {
		k := n().FactKind()
		if _, twice := c.news[k]; twice {
			panic("fact: two facts of kind " + k)
		}
		c.news[k] = n
	}
	return c
}

// Kinds returns the kinds that the codec knows, sorted.
func (c *Codec) Kinds() []string {
	ks := make([]string, 0, len(c.news))
	for k := range c.news {
		ks = append(ks, k)
	}
	sort.Strings(ks)
	return ks
}

// Zero returns a new fact of a kind with nothing set, as a pointer; false where this build
// does not know the kind.
func (c *Codec) Zero(kind string) (Fact, bool) {
	n, ok := c.news[kind]
	if !ok {
		return nil, false
	}
	return n(), true
}

// Encode returns the fact's body.
func (c *Codec) Encode(f Fact) ([]byte, error) { return c.EncodeTo(nil, f) }

// EncodeTo appends the fact's body to dst.
func (c *Codec) EncodeTo(dst []byte, f Fact) ([]byte, error) {
	b, err := c.Append(dst, f)
	if err != nil {
		return nil, fmt.Errorf("fact %s: %w", f.FactKind(), err)
	}
	if n := len(b) - len(dst); n > MaxSize {
		return nil, fmt.Errorf("fact %s: %d bytes, more than %d", f.FactKind(), n, MaxSize)
	}
	return b, nil
}

// Decode returns the fact of a kind from its body, as a pointer. A kind that this
// build does not know is an error that names it. Fields that it does not know are
// passed over. A byte string in the place of an array is cut or filled up with zeros
// where it is of another length: whoever needs all of it checks the digest.
func (c *Codec) Decode(kind string, body []byte) (Fact, error) {
	n, ok := c.news[kind]
	if !ok {
		return nil, fmt.Errorf("fact: unknown kind %q", kind)
	}
	if len(body) > MaxSize {
		return nil, fmt.Errorf("fact %s: %d bytes, more than %d", kind, len(body), MaxSize)
	}
	f := n()
	if err := c.dec.Unmarshal(body, f); err != nil {
		return nil, fmt.Errorf("fact %s: %w", kind, err)
	}
	return f, nil
}

// Marshal encodes any plain value in the same deterministic form: entity rows,
// commands and answers use it too.
func (c *Codec) Marshal(v any) ([]byte, error) {
	if a, ok := v.(Appender); ok {
		e := c.write(a)
		defer c.room.Put(e)
		if !e.bad {
			return bytes.Clone(e.b), nil
		}
	}
	return c.enc.Marshal(v)
}

// Append appends what Marshal returns to dst.
func (c *Codec) Append(dst []byte, v any) ([]byte, error) {
	if a, ok := v.(Appender); ok {
		e := c.write(a)
		defer c.room.Put(e)
		if !e.bad {
			return append(dst, e.b...), nil
		}
	}
	b, err := c.enc.Marshal(v)
	return append(dst, b...), err
}

// write has a value write itself; whoever calls gives the encoder back.
func (c *Codec) write(a Appender) *Encoder {
	e, ok := c.room.Get().(*Encoder)
	if !ok {
		e = new(Encoder)
	}
	e.b, e.bad = e.b[:0], false
	a.AppendTo(e)
	return e
}

// Unmarshal decodes what Marshal wrote.
func (c *Codec) Unmarshal(b []byte, v any) error { return c.dec.Unmarshal(b, v) }
