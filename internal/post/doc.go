// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

// Package post makes and runs one border post: its keys, its configuration, its first
// people, its certificate authority, its backups; and it wires store, vault, law, pages
// and exchange into one server that stops without losing a request.
package post
