// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import "context"

// runAgreement checks, tests, hashes, signs and verifies an agreement package.
func runAgreement(ctx context.Context, c console, args []string) error {
	return wrong("not yet")
}
