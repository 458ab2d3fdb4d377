// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package service

import (
	"hash"
	"io"

	"darwaza.dev/internal/fact"
	"darwaza.dev/internal/problem"
)

// Digest names what a command asks for, so that an idempotency key that is used again for
// something else is found out. Where the command holds values that each attempt draws
// anew, they are left out. It is
//
//	HMAC-SHA256(key, kind ‖ "\n" ‖ CBOR of the command or its essence)
//
// under a key that lies outside of the database: a command may hold what is kept nowhere,
// such as a temperature, and few enough values are possible to try them all. mac is the
// HMAC under that key; it is reset first.
func Digest(codec *fact.Codec, mac hash.Hash, c Command) ([32]byte, error) {
	var what any = c
	if e, ok := c.(Essential); ok {
		what = e.Essence()
	}
	body, err := codec.Marshal(what)
	if err != nil {
		return [32]byte{}, problem.Wrap(problem.Internal, "command.form", err)
	}
	mac.Reset()
	io.WriteString(mac, c.CommandKind()+"\n")
	mac.Write(body)
	return [32]byte(mac.Sum(body[:0])), nil
}
