// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

// Package storetest is one suite for every engine, and what tests and measurements need
// to have one: a PostgreSQL of their own, and an engine whose writes fail on demand.
package storetest
