// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

// Package problem says that something could not be done, by a closed list of
// kinds. It is the error half of the pair reason and problem: a refusal is a
// decision and is never a problem.
package problem

import (
	"errors"
	"fmt"
)

// Kind is why something could not be done. Every edge (HTTP status, exit
// status, public text) goes by the kind alone.
type Kind uint8

const (
	Internal  Kind = iota // a fault of ours; nothing is said about it in public
	Invalid               // the input is not of the right form
	NotFound              // there is no such thing, or you may not know that there is
	Conflict              // the thing has changed since you looked
	Forbidden             // you may not
	Limit                 // too much, too large, too often
	Offline               // something this needs cannot be reached
	Untrusted             // a signature, key or certificate does not hold
)

var names = [...]string{"internal", "invalid", "not-found", "conflict", "forbidden", "limit", "offline", "untrusted"}

// String returns the kind's name, as used in problem documents and text keys.
func (k Kind) String() string {
	if int(k) < len(names) {
		return names[k]
	}
	return names[Internal]
}

// ExitStatus is the process exit status for the kind: 2 for internal, then up.
func (k Kind) ExitStatus() int { return 2 + int(k) }

// An Error is a problem. Code is a stable word for programs ("slot.closed"); Field
// names the input at fault, never its value. Err is for operators only.
type Error struct {
	Kind  Kind
	Code  string
	Field string
	Err   error
}

// New returns a problem of a kind. code is a short stable word, also the key of the
// public text "problem.<code>" where there is one.
func New(k Kind, code string) *Error { return &Error{Kind: k, Code: code} }

// Field returns an Invalid problem about one named input.
func Field(field, code string) *Error { return &Error{Kind: Invalid, Code: code, Field: field} }

// Wrap gives err a kind and a code. It returns nil for a nil err.
func Wrap(k Kind, code string, err error) error {
	if err == nil {
		return nil
	}
	return &Error{Kind: k, Code: code, Err: err}
}

// Newf is New with an operator's detail.
func Newf(k Kind, code, format string, args ...any) *Error {
	return &Error{Kind: k, Code: code, Err: fmt.Errorf(format, args...)}
}

func (e *Error) Error() string {
	s := e.Kind.String() + ": " + e.Code
	if e.Field != "" {
		s += " (" + e.Field + ")"
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

func (e *Error) Unwrap() error { return e.Err }

// Is makes errors.Is match on kind and code.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Kind == e.Kind && t.Code == e.Code
}

// KindOf returns the kind of the outermost problem in err's chain, Internal where there is none.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Internal
}

// CodeOf returns the code of the outermost problem in err's chain, or "internal".
func CodeOf(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return "internal"
}

// FieldOf returns the input that the outermost problem names, or "".
func FieldOf(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Field
	}
	return ""
}
