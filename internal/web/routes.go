// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"net/url"
	"strings"

	"darwaza.dev/internal/people"
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
		{"GET /sign-in", anyone(), s.signInPage, ""},
		{"POST /sign-in", anyone(), s.signIn, ""},
		{"POST /sign-out", anyone(), s.signOut, ""},
		{"GET /word", officers(), s.wordPage, ""},
		{"POST /word", officers(), s.changeWord, ""},
		{"GET /gate", officers(people.GateOfficer), s.gatePage, "nav.gate"},
		{"POST /gate", officers(people.GateOfficer), s.gateScan, ""},
		{"POST /gate/decide", officers(people.GateOfficer), s.gateDecide, ""},
		{"POST /gate/undo", officers(people.GateOfficer), s.gateUndo, ""},
		{"GET /gate/scan/{pass}/{serial}", officers(people.GateOfficer), s.gateScanPage, ""},
		{"GET /gate/scans", officers(people.GateOfficer), s.gateScans, ""},
		{"GET /gate/find", officers(people.GateOfficer), s.gateFindPage, ""},
		{"POST /gate/find", officers(people.GateOfficer), s.gateFind, ""},
	}
}

// isAPI reports whether a path without a route is a program's mistake and not a reader's.
func isAPI(p string) bool { return strings.HasPrefix(p, "/api/") }

func urlQuery(s string) string { return url.QueryEscape(s) }
