// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package agreement

import "darwaza.dev/internal/reason"

// points are the points at which clauses can be asked; package rules has them as
// constants, and a test there holds the two together.
func points() []string {
	return []string{"booking", "gate", "goods", "receipt", "exit", "custody", "data", "duty", "signing"}
}

func reasonCode(s string) reason.Code { return reason.Code(s) }

// check looks at the edition as a whole.
func (r *reader) check() {}
