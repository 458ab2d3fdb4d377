// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package problem

import (
	"errors"
	"fmt"
	"io"
	"testing"
)

// TestKinds pins names and exit statuses: they are promised to scripts and peers.
func TestKinds(t *testing.T) {
	tests := []struct {
		kind Kind
		name string
		exit int
	}{
		{Internal, "internal", 2}, {Invalid, "invalid", 3}, {NotFound, "not-found", 4}, {Conflict, "conflict", 5},
		{Forbidden, "forbidden", 6}, {Limit, "limit", 7}, {Offline, "offline", 8}, {Untrusted, "untrusted", 9},
	}
	if len(tests) != len(names) {
		t.Errorf("%d kinds, want %d", len(names), len(tests))
	}
	for _, x := range tests {
		if x.kind.String() != x.name || x.kind.ExitStatus() != x.exit {
			t.Errorf("kind %d is %q with status %d, want %q with %d", x.kind, x.kind, x.kind.ExitStatus(), x.name, x.exit)
		}
	}
	if got := Kind(99).String(); got != "internal" {
		t.Errorf("a kind that is none is %q", got)
	}
}

func TestErrors(t *testing.T) {
	tests := []struct {
		err   error
		kind  Kind
		code  string
		field string
		text  string
	}{
		{New(NotFound, "booking"), NotFound, "booking", "", "not-found: booking"},
		{Field("number", "document.length"), Invalid, "document.length", "number", "invalid: document.length (number)"},
		{Newf(Limit, "body", "%d bytes", 5), Limit, "body", "", "limit: body: 5 bytes"},
		{Wrap(Offline, "store", io.EOF), Offline, "store", "", "offline: store: EOF"},
		{fmt.Errorf("around: %w", Field("a", "b")), Invalid, "b", "a", "around: invalid: b (a)"},
		// The outermost problem says what it is to the caller.
		{Wrap(Forbidden, "role", Field("a", "b")), Forbidden, "role", "", "forbidden: role: invalid: b (a)"},
		{errors.Join(io.EOF, New(Conflict, "changed")), Conflict, "changed", "", "EOF\nconflict: changed"},
		// What nobody made a problem of is a fault of ours.
		{io.EOF, Internal, "internal", "", "EOF"},
	}
	for _, x := range tests {
		if KindOf(x.err) != x.kind || CodeOf(x.err) != x.code || FieldOf(x.err) != x.field || x.err.Error() != x.text {
			t.Errorf("%v: kind %v, code %q, field %q, want %v, %q, %q, %q", x.err, KindOf(x.err), CodeOf(x.err), FieldOf(x.err), x.kind, x.code, x.field, x.text)
		}
	}
	if KindOf(nil) != Internal || CodeOf(nil) != "internal" || FieldOf(nil) != "" {
		t.Error("no error is a problem")
	}
}

func TestIs(t *testing.T) {
	err := fmt.Errorf("around: %w", Wrap(Conflict, "slot.full", io.EOF))
	if !errors.Is(err, New(Conflict, "slot.full")) || !errors.Is(err, io.EOF) {
		t.Errorf("%v is not what it is", err)
	}
	if errors.Is(err, New(Invalid, "slot.full")) || errors.Is(err, New(Conflict, "slot")) || New(Internal, "internal").Is(io.EOF) {
		t.Errorf("%v is what it is not", err)
	}
	// A nil error of a problem's type would not be nil to the caller.
	if err := Wrap(Offline, "store", nil); err != nil {
		t.Errorf("Wrap of nil is %v", err)
	}
}
