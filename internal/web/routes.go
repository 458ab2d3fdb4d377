// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"net/url"
	"strings"
)

// routes is every address of the server, one line each: method and path, who may ask,
// what answers, and for officers' main pages the key of their name in the navigation.
// Pages are asked with the language before the path ("/fa/book") or without it.
func (s *server) routes() []route {
	return []route{
		// Everybody.
		{"GET /asset/", anyone(), s.asset, ""},
		{"GET /healthz", anyone(), s.healthz, ""},

		// Programs.

		// Officers.
	}
}

// isAPI reports whether a path without a route is a program's mistake and not a reader's.
func isAPI(p string) bool { return strings.HasPrefix(p, "/api/") }

func urlQuery(s string) string { return url.QueryEscape(s) }
