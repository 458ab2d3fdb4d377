// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package identity

// Grade is how far two spellings agree. It is advice to an officer, never a refusal.
type Grade uint8

// The grades of a comparison of names.
const (
	Unknown   Grade = iota // there is too little to compare
	Same                   // the same name, perhaps in another script or order
	Close                  // likely the same name, spelt or shortened differently
	Different              // not the same name
)

// Compare compares two names as two documents spell them.
func Compare(a, b string) Grade { return Unknown }
