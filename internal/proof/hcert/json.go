// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package hcert

import (
	"encoding/json"
	"strconv"

	"darwaza.dev/internal/cose"
	"darwaza.dev/internal/proof"
)

// PayloadJSON returns the EU's payload of a certificate (claim -260, sub-claim 1) as JSON,
// for rules that are written against it. Texts, integers, truths and nulls come as they
// stand; a number that is none of the integers is left out, and so is a string of bytes.
// The fault is as of Parse, and Unsupported of a certificate without that payload. It says
// nothing of whether the certificate is genuine.
func PayloadJSON(text string) ([]byte, proof.Fault) {
	d, fault := Parse(text)
	if fault != "" {
		return nil, fault
	}
	r := cose.NewLooseReader(d.Message.Payload)
	for r.Major() == 6 {
		r.Tag()
	}
	b, ok := member(&r, claimHealth, func() ([]byte, bool) {
		return member(&r, subDCC, func() ([]byte, bool) {
			b, some := appendJSON(nil, &r, 0)
			return b, some && len(b) > 0 && b[0] == '{'
		})
	})
	if !ok || !r.Ok() {
		return nil, proof.Unsupported
	}
	return b, ""
}

// member walks a map to the value of a number among its keys.
func member(r *cose.Reader, key int64, read func() ([]byte, bool)) (out []byte, ok bool) {
	if r.Major() != 5 {
		return nil, false
	}
	n := r.Map()
	for r.More(&n) {
		if m := r.Major(); m <= 1 && r.Int() == key && !ok {
			out, ok = read()
			continue
		} else if m > 1 {
			r.Skip()
		}
		r.Skip()
	}
	return out, ok
}

// appendJSON appends one item, and reports false of one that JSON has no like of here.
func appendJSON(b []byte, r *cose.Reader, depth int) ([]byte, bool) {
	if depth > maxDepth {
		r.Fail()
		return b, false
	}
	for r.Major() == 6 { // a date may be tagged
		r.Tag()
	}
	switch r.Major() {
	case 0, 1:
		return strconv.AppendInt(b, r.Int(), 10), true
	case 3:
		s, err := json.Marshal(r.Text())
		return append(b, s...), err == nil
	case 4:
		b = append(b, '[')
		n, first := r.Array(), true
		for r.More(&n) {
			mark := len(b)
			if !first {
				b = append(b, ',')
			}
			var ok bool
			if b, ok = appendJSON(b, r, depth+1); ok {
				first = false
			} else {
				b = b[:mark]
			}
		}
		return append(b, ']'), true
	case 5:
		b = append(b, '{')
		n, first := r.Map(), true
		for r.More(&n) {
			if r.Major() != 3 {
				r.Skip()
				r.Skip()
				continue
			}
			mark := len(b)
			if !first {
				b = append(b, ',')
			}
			key, _ := json.Marshal(r.Text())
			b = append(append(b, key...), ':')
			var ok bool
			if b, ok = appendJSON(b, r, depth+1); ok {
				first = false
			} else {
				b = b[:mark]
			}
		}
		return append(b, '}'), true
	case 7:
		switch {
		case r.Null():
			return append(b, "null"...), true
		case r.Peek() == 0xf4 || r.Peek() == 0xf5:
			yes := r.Peek() == 0xf5
			r.Skip()
			return strconv.AppendBool(b, yes), true
		}
		if v, exact := r.Floor(); exact {
			return strconv.AppendInt(b, v, 10), true
		}
		return b, false
	}
	r.Skip()
	return b, false
}
