// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package service

import (
	"io"

	"darwaza.dev/internal/appeal"
	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/pass"
	"darwaza.dev/internal/people"
)

// crockford is the alphabet of Crockford's base 32: no I, L, O, U.
const crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// NewRef returns a reference of 60 random bits. It panics where there is no randomness:
// a server that can be guessed at must not go on.
func NewRef(rand io.Reader) booking.Ref { return booking.Ref(crockfords(rand, 12)) }

// NewReceipt returns a receipt number of 60 random bits, "R-" and twelve characters.
func NewReceipt(rand io.Reader) string { return "R-" + crockfords(rand, 12) }

// NewCase returns a case's number of 60 random bits, "C-" and twelve characters.
func NewCase(rand io.Reader) appeal.ID { return appeal.ID("C-" + crockfords(rand, 12)) }

// NewOfficerID returns an officer's id of 50 random bits, "o-" and ten characters.
func NewOfficerID(rand io.Reader) people.OfficerID {
	return people.OfficerID("o-" + crockfords(rand, 10))
}

// NewPassID returns a pass id of 64 random bits.
func NewPassID(rand io.Reader) pass.ID {
	var id pass.ID
	fill(rand, id[:])
	return id
}

func crockfords(rand io.Reader, n int) string {
	b := make([]byte, n)
	fill(rand, b)
	for i := range b {
		b[i] = crockford[b[i]&31]
	}
	return string(b)
}

func fill(rand io.Reader, b []byte) {
	if _, err := io.ReadFull(rand, b); err != nil {
		panic("service: no randomness: " + err.Error())
	}
}
