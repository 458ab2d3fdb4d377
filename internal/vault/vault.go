// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

// Package vault keeps the keys of people's sealed data: one key per person, in files of
// their own outside the database, its write-ahead log, replicas and backups, so that
// destroying a key destroys the data wherever copies of the ciphertext lie.
package vault

import (
	"context"

	"darwaza.dev/internal/problem"
)

// Vault is an open key store. It implements service.Sealer and may be used by many at once.
type Vault struct {
}

// Open opens the key store in a directory, which is made where it is missing, for its
// owner's eyes only.
func Open(dir string) (*Vault, error) {
	return nil, problem.New(problem.Internal, "vault.unfinished")
}

// Seal encrypts data under a new key of its own; see service.Sealer.
func (v *Vault) Seal(ctx context.Context, data []byte) (id string, ciphertext []byte, err error) {
	return "", nil, problem.New(problem.Internal, "vault.unfinished")
}

// Open decrypts what Seal made; a problem of kind not found where the key was destroyed.
func (v *Vault) Open(ctx context.Context, id string, ciphertext []byte) ([]byte, error) {
	return nil, problem.New(problem.Internal, "vault.unfinished")
}

// Destroy forgets a key for good. Destroying it again is no fault.
func (v *Vault) Destroy(ctx context.Context, id string) error {
	return problem.New(problem.Internal, "vault.unfinished")
}

// Close ends the use of the key store.
func (v *Vault) Close() error { return nil }
