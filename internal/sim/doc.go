// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

// Package sim shows a market day of its own making: two posts, one for each side, each
// with its own database, keys, vault and address, on a clock that begins on a market
// day, with invented people. The two share HTTP and the keys in the agreement, and
// nothing else, although they run in one process.
package sim
