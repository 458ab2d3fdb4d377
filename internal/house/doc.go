// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

// Package house holds no code of the product, only the tests that guard the tree
// itself: the layers of ARCHITECTURE.md, the purity of the layers that decide,
// the list of dependencies, licence lines, doc comments and the changelog.
package house
