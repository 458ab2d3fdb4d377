// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package pass

import "crypto/ecdsa"

// KeyID names a signing key: the first 8 bytes of the SHA-256 of its public point.
type KeyID [8]byte

// Key is a signing key of one side.
type Key struct {
	side Side
	id   KeyID
	priv *ecdsa.PrivateKey
}
