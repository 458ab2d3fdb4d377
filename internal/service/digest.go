// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package service

import (
	"crypto/hmac"
	"crypto/sha256"
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
// such as a temperature, and few enough values are possible to try them all.
func Digest(codec *fact.Codec, key []byte, c Command) ([32]byte, error) {
	var what any = c
	if e, ok := c.(Essential); ok {
		what = e.Essence()
	}
	body, err := codec.Marshal(what)
	if err != nil {
		return [32]byte{}, problem.Wrap(problem.Internal, "command.form", err)
	}
	h := hmac.New(sha256.New, key)
	io.WriteString(h, c.CommandKind()+"\n")
	h.Write(body)
	return [32]byte(h.Sum(nil)), nil
}
