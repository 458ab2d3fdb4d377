// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package service

import (
	"time"

	"darwaza.dev/internal/fact"
)

// Apply makes what a fact says of the state. It never refuses and consults no edition.
func Apply(st State, at time.Time, f fact.Fact) {
}
