// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"errors"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"

	"darwaza.dev/internal/problem"
)

// Limits of a form: no page of ours has more fields or longer ones.
const (
	maxFields = 200
	maxField  = 2000 // bytes; a scanned receipt is the longest text
	// maxLong is the limit of the fields of long: codes of health certificates, and what is
	// carried of them.
	maxLong = 48 << 10
)

// long are the fields that hold a health certificate, or what was read of several.
func long(name string) bool { return name == "text" || name == "carry" || name == "certificate" }

// form reads the fields of a posted form. Address parameters are no part of it. A
// field must be valid text; line ends and tabs become spaces, other control
// characters are refused.
func (r *request) form() (formValues, error) {
	if err := r.ParseForm(); err != nil {
		if big := (*http.MaxBytesError)(nil); errors.As(err, &big) {
			return nil, problem.New(problem.Limit, "body")
		}
		return nil, problem.New(problem.Invalid, "form")
	}
	n := 0
	out := make(formValues, len(r.PostForm))
	for name, values := range r.PostForm {
		n += len(values)
		if n > maxFields {
			return nil, problem.New(problem.Limit, "form.fields")
		}
		clean := make([]string, len(values))
		for i, v := range values {
			if len(v) > maxField && !(long(name) && len(v) <= maxLong) {
				return nil, problem.New(problem.Limit, "form.field")
			}
			c, ok := cleanText(v)
			if !ok {
				return nil, problem.New(problem.Invalid, "form.text")
			}
			clean[i] = c
		}
		out[name] = clean
	}
	return out, nil
}

// formValues are the fields of a form, trimmed.
type formValues map[string][]string

// get returns the first value of a field, "" where there is none.
func (f formValues) get(name string) string {
	if v := f[name]; len(v) > 0 {
		return v[0]
	}
	return ""
}

// has reports whether the field was sent, as a pressed button's or a ticked box's is.
func (f formValues) has(name string) bool { return len(f[name]) > 0 }

func cleanText(s string) (string, bool) {
	if !utf8.ValidString(s) {
		return "", false
	}
	bad := false
	s = strings.Map(func(c rune) rune {
		switch {
		case c == '\n' || c == '\r' || c == '\t':
			return ' '
		case unicode.IsControl(c):
			bad = true
		}
		return c
	}, s)
	return strings.TrimSpace(s), !bad
}

// switched reports whether the form was sent by a button that only changes the
// language: the page is then shown again with what was entered.
func switched(f formValues) bool { return f.has("switch") }

// idem returns the request's idempotency key: the header of a program's call or the
// hidden field of a form.
func (r *request) idem() (string, error) {
	key := r.Header.Get("Idempotency-Key")
	if r.Client == nil && r.PostForm != nil {
		key = r.PostForm.Get("idem")
	}
	if len(key) < 16 || len(key) > 64 {
		return "", problem.Field("idem", "idem")
	}
	for i := range len(key) {
		c := key[i]
		if c < '!' || c > '~' {
			return "", problem.Field("idem", "idem")
		}
	}
	return key, nil
}

// fieldError is one thing to mend in a form.
type fieldError struct {
	Field string // id and name of the input
	Key   string // of the text
	Args  []any  // pairs, as t takes them
}

// errorsIn are the things to mend in a form, in the order of its fields.
type errorsIn []fieldError

func (e *errorsIn) add(field, key string, args ...any) {
	*e = append(*e, fieldError{Field: field, Key: key, Args: args})
}

// For returns the error of one field, nil where it has none: templates show it by the field.
func (e errorsIn) For(field string) *fieldError {
	for i := range e {
		if e[i].Field == field {
			return &e[i]
		}
	}
	return nil
}
