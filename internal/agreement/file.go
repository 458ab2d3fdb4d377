// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package agreement

// File is one file of a package, as it is signed.
type File struct {
	Path   string // relative, with slashes
	Size   int64
	SHA256 [32]byte
}
