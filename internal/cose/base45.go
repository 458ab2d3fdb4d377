// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package cose

import (
	"errors"
	"slices"
)

// ErrBase45 is a text that is not Base45 of anything: a letter outside the
// alphabet, a length of 3n+1, or a group above the greatest value ("GGW" is one
// too many).
var ErrBase45 = errors.New("cose: not Base45")

const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"

// none is the value of a letter that is not in the alphabet: alone, and times any weight,
// above what a group may be.
const none = 1 << 20

// values is the inverse of alphabet.
var values = func() (t [256]uint32) {
	for i := range t {
		t[i] = none
	}
	for i := range len(alphabet) {
		t[alphabet[i]] = uint32(i)
	}
	return t
}()

// AppendBase45 appends the Base45 form of src (RFC 9285 section 4).
func AppendBase45(dst, src []byte) []byte {
	for ; len(src) >= 2; src = src[2:] {
		n := int(src[0])<<8 | int(src[1])
		dst = append(dst, alphabet[n%45], alphabet[n/45%45], alphabet[n/(45*45)])
	}
	if len(src) == 1 {
		n := int(src[0])
		dst = append(dst, alphabet[n%45], alphabet[n/45])
	}
	return dst
}

// EncodeBase45 returns the Base45 form of src: three characters for two bytes.
func EncodeBase45(src []byte) string {
	return string(AppendBase45(make([]byte, 0, (len(src)+1)/2*3), src))
}

// DecodeBase45 returns the bytes of a Base45 text, or ErrBase45. It is strict: the
// text has exactly one byte string and that byte string exactly this text.
func DecodeBase45(s string) ([]byte, error) {
	return AppendDecodeBase45(make([]byte, 0, len(s)/3*2+1), s)
}

// AppendDecodeBase45 is DecodeBase45 onto dst.
func AppendDecodeBase45(dst []byte, s string) ([]byte, error) {
	if len(s)%3 == 1 {
		return nil, ErrBase45
	}
	start := len(dst)
	dst = slices.Grow(dst, len(s)/3*2+1)[:start+len(s)/3*2]
	for out := dst[start:]; len(out) >= 2 && len(s) >= 3; out, s = out[2:], s[3:] {
		n := values[s[0]] + values[s[1]]*45 + values[s[2]]*(45*45)
		if n > 0xffff {
			return nil, ErrBase45
		}
		out[0], out[1] = byte(n>>8), byte(n)
	}
	if len(s) == 2 {
		n := values[s[0]] + values[s[1]]*45
		if n > 0xff {
			return nil, ErrBase45
		}
		dst = append(dst, byte(n))
	}
	return dst, nil
}
