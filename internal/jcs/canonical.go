// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package jcs

import (
	"bytes"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"
)

// AppendCanonical appends the value as RFC 8785 writes it: no white space, members by
// the UTF-16 code units of their names (section 3.2.3), strings with no escape that
// they can do without (3.2.2.2), numbers as ECMAScript does (3.2.2.3).
//
// A number has at most 15 significant digits, or is a whole number of at most 2^53−1:
// for those the shortest text that a double is read back from is the decimal itself,
// so that no double is needed. Any other number is ErrNumber: nobody signs a health
// certificate over one.
func (v Value) AppendCanonical(dst []byte) ([]byte, error) {
	n := v.node()
	if n == nil {
		return dst, ErrSyntax
	}
	switch n.kind {
	case String:
		return appendQuoted(dst, v.d.text[n.off:n.end]), nil
	case Number:
		dec, ok := parseDecimal(v.d.text[n.off:n.end])
		if !ok {
			return dst, ErrNumber
		}
		return dec.appendECMA(dst)
	case Array:
		dst = append(dst, '[')
		first := true
		for e := range v.All() {
			if !first {
				dst = append(dst, ',')
			}
			first = false
			var err error
			if dst, err = e.AppendCanonical(dst); err != nil {
				return dst, err
			}
		}
		return append(dst, ']'), nil
	case Object:
		members := make([]Value, 0, n.n)
		for m := range v.All() {
			members = append(members, m)
		}
		slices.SortFunc(members, func(a, b Value) int { return compareUTF16(a.nameBytes(), b.nameBytes()) })
		dst = append(dst, '{')
		for i, m := range members {
			if i > 0 {
				dst = append(dst, ',')
			}
			mn := m.node()
			dst = appendQuoted(dst, v.d.text[mn.key:mn.keyEnd])
			dst = append(dst, ':')
			var err error
			if dst, err = m.AppendCanonical(dst); err != nil {
				return dst, err
			}
		}
		return append(dst, '}'), nil
	}
	return append(dst, v.d.text[n.off:n.end]...), nil // true, false, null
}

// nameBytes is Name without a copy where the name has no escape.
func (v Value) nameBytes() []byte {
	n := v.node()
	raw := v.d.text[n.key:n.keyEnd]
	if n.keyEscaped {
		return unquote(nil, raw)
	}
	return raw
}

// compareUTF16 orders two texts by their UTF-16 code units. That is the order of
// their bytes, but that the surrogates of a character above U+FFFF come before the
// characters from U+E000 on.
func compareUTF16(a, b []byte) int {
	for len(a) > 0 && len(b) > 0 {
		ra, na := utf8.DecodeRune(a)
		rb, nb := utf8.DecodeRune(b)
		if ra != rb {
			if (ra > 0xffff) != (rb > 0xffff) {
				if ra > 0xffff {
					return order(0xd800, rb)
				}
				return order(ra, 0xd800)
			}
			return order(ra, rb)
		}
		a, b = a[na:], b[nb:]
	}
	return len(a) - len(b)
}

// order compares two characters of which none is a surrogate but those put in for one:
// a character below U+E000 is below U+D800 too.
func order(a, b rune) int {
	if a < b {
		return -1
	}
	return 1
}

func appendQuoted(dst, raw []byte) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	text := raw
	if bytes.IndexByte(raw, '\\') >= 0 {
		text = unquote(nil, raw)
	}
	for _, c := range text {
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\b':
			dst = append(dst, '\\', 'b')
		case '\f':
			dst = append(dst, '\\', 'f')
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			if c < 0x20 {
				dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
				break
			}
			dst = append(dst, c)
		}
	}
	return append(dst, '"')
}

// A decimal is ±0.d1d2…dn × 10^exp, with d1 and dn not 0; n is 0 for zero.
type decimal struct {
	neg    bool
	n      int
	digits [MaxNumber]byte
	exp    int
}

// maxExponent bounds the written exponent: beyond it a double is 0 or infinite.
const maxExponent = 999

// parseDecimal reads a number that the grammar has accepted, false where its exponent
// is out of bounds.
func parseDecimal(b []byte) (d decimal, ok bool) {
	if len(b) > MaxNumber || len(b) == 0 {
		return d, false
	}
	if b[0] == '-' {
		d.neg, b = true, b[1:]
	}
	point := false
	for len(b) > 0 && b[0] != 'e' && b[0] != 'E' {
		c := b[0]
		b = b[1:]
		if c == '.' {
			point = true
			continue
		}
		if d.n == 0 && c == '0' { // leading zeros have no digit
			if point {
				d.exp--
			}
			continue
		}
		d.digits[d.n] = c
		d.n++
		if !point {
			d.exp++
		}
	}
	for d.n > 0 && d.digits[d.n-1] == '0' {
		d.n--
	}
	if len(b) > 0 {
		e, err := strconv.Atoi(string(b[1:]))
		if err != nil || e > maxExponent || e < -maxExponent {
			return d, false
		}
		d.exp += e
	}
	if d.n == 0 {
		d = decimal{}
	}
	return d, true
}

// whole returns the value of a whole number of at most 2^53−1 either way.
func (d *decimal) whole() (v int64, ok bool) {
	if d.n == 0 {
		return 0, true
	}
	if d.exp < d.n || d.exp > 16 {
		return 0, false
	}
	for i := range d.exp {
		v *= 10
		if i < d.n {
			v += int64(d.digits[i] - '0')
		}
	}
	if v > 1<<53-1 {
		return 0, false
	}
	if d.neg {
		v = -v
	}
	return v, true
}

// appendECMA writes the number as ECMA-262 section 6.1.6.1.20 does.
func (d *decimal) appendECMA(dst []byte) ([]byte, error) {
	if v, ok := d.whole(); ok {
		return strconv.AppendInt(dst, v, 10), nil
	}
	// Between these exponents a double keeps every decimal of 15 digits apart.
	if d.n > 15 || d.exp > 300 || d.exp < -290 {
		return dst, ErrNumber
	}
	if d.neg {
		dst = append(dst, '-')
	}
	digits := d.digits[:d.n]
	switch {
	case d.n <= d.exp && d.exp <= 21:
		dst = append(dst, digits...)
		return append(dst, bytes.Repeat([]byte{'0'}, d.exp-d.n)...), nil
	case 0 < d.exp && d.exp <= 21:
		dst = append(dst, digits[:d.exp]...)
		dst = append(dst, '.')
		return append(dst, digits[d.exp:]...), nil
	case -6 < d.exp && d.exp <= 0:
		dst = append(dst, '0', '.')
		dst = append(dst, bytes.Repeat([]byte{'0'}, -d.exp)...)
		return append(dst, digits...), nil
	}
	dst = append(dst, digits[0])
	if d.n > 1 {
		dst = append(dst, '.')
		dst = append(dst, digits[1:]...)
	}
	dst = append(dst, 'e')
	if d.exp > 0 {
		dst = append(dst, '+')
	}
	return strconv.AppendInt(dst, int64(d.exp-1), 10), nil
}

// Int returns a number that is whole, however it is written ("1", "1.0", "10e-1"), of
// at most 2^53−1 either way; false for every other value.
func (v Value) Int() (int64, bool) {
	n := v.node()
	if n == nil || n.kind != Number {
		return 0, false
	}
	d, ok := parseDecimal(v.d.text[n.off:n.end])
	if !ok {
		return 0, false
	}
	return d.whole()
}

// The bounds of Seconds: the first instant of the year 1 and the last second of 9999,
// beyond which no text has a form for an instant.
const (
	minSeconds = -62135596800
	maxSeconds = 253402300799
)

// Seconds returns the instant that a number means as seconds since 1970-01-01 in UTC
// (NumericDate, RFC 7519 section 2), with its fraction down to the nanosecond, in UTC.
// A number beyond the years 1 to 9999 is the first or last second of them. False for
// what is not a number.
func (v Value) Seconds() (time.Time, bool) {
	n := v.node()
	if n == nil || n.kind != Number {
		return time.Time{}, false
	}
	d, ok := parseDecimal(v.d.text[n.off:n.end])
	if !ok {
		return time.Time{}, false
	}
	var sec, nanos int64
	if d.exp > 13 {
		sec = maxSeconds + 1
	} else {
		for i := range max(d.exp, 0) {
			sec *= 10
			if i < d.n {
				sec += int64(d.digits[i] - '0')
			}
		}
		for i := range 9 {
			nanos *= 10
			if at := d.exp + i; at >= 0 && at < d.n {
				nanos += int64(d.digits[at] - '0')
			}
		}
	}
	if d.neg {
		sec, nanos = -sec, -nanos
	}
	switch {
	case sec > maxSeconds:
		sec, nanos = maxSeconds, 0
	case sec <= minSeconds:
		sec, nanos = minSeconds, 0
	}
	return time.Unix(sec, nanos).UTC(), true
}
