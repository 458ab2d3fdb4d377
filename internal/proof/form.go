// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package proof

import "errors"

// A FormError says why a text is no certificate of a format, and carries the reason that
// this is to whoever shows it. Those of a format are values to compare with errors.Is.
type FormError struct {
	Fault Fault
	Text  string
}

// Error returns the text.
func (e *FormError) Error() string { return e.Text }

// FaultOf returns the reason that an error carries, and [Unreadable] where it carries none.
func FaultOf(err error) Fault {
	var e *FormError
	if errors.As(err, &e) {
		return e.Fault
	}
	return Unreadable
}
