// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package engine

import "io/fs"

// Migrations returns an engine's numbered migrations as goose reads them.
func Migrations(embedded fs.FS) (fs.FS, error) { return fs.Sub(embedded, "migrations") }
