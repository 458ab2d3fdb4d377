// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import "context"

func runDemo(ctx context.Context, c console, args []string) error {
	return wrong("not yet")
}
