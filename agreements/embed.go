// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

// Package agreements holds the agreement packages that come with the program, one
// folder each, as files and nothing more.
package agreements

import "embed"

// FS holds the folders. Take one with fs.Sub(FS, "pk-ir-border-markets").
//
//go:embed all:comesa-str all:eac-str all:eac-truck-drivers all:pk-ir-border-markets all:thailand-laos-passes all:who-polio
var FS embed.FS
