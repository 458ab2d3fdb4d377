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
		{"GET /api/v1/openapi.yaml", programs(), s.apiDocument, ""},
		{"GET /api/v1/agreement", programs(), s.apiAgreement, ""},
		{"GET /api/v1/slots", programs(), s.apiSlots, ""},
		{"GET /api/v1/values", programs(), s.apiValues, ""},
		{"POST /api/v1/receipts/check", programs(), s.apiReceiptCheck, ""},
		{"POST /api/v1/bookings", programs(people.Clerk), s.apiBook, ""},
		{"GET /api/v1/bookings/{ref}", programs(people.Clerk), s.apiBooking, ""},
		{"POST /api/v1/bookings/{ref}/cancel", programs(people.Clerk), s.apiCancel, ""},
		{"POST /api/v1/bookings/{ref}/move", programs(people.Clerk), s.apiMove, ""},
		{"POST /api/v1/bookings/{ref}/accept", programs(people.Clerk), s.apiAccept, ""},
		{"POST /api/v1/bookings/{ref}/decline", programs(people.Clerk), s.apiDecline, ""},
		{"POST /api/v1/bookings/{ref}/reissue", programs(people.Clerk), s.apiReissue, ""},
		{"POST /api/v1/passes/check", programs(people.Clerk, people.GateOfficer, people.Customs), s.apiPassCheck, ""},
		{"POST /api/v1/gate/scans", programs(people.GateOfficer), s.apiScan, ""},
		{"POST /api/v1/gate/decisions", programs(people.GateOfficer), s.apiDecide, ""},
		{"POST /api/v1/gate/undo", programs(people.GateOfficer), s.apiUndo, ""},
		{"POST /api/v1/gate/settle", programs(people.Supervisor), s.apiSettle, ""},
		{"POST /api/v1/values", programs(people.Customs), s.apiDisplay, ""},
		{"POST /api/v1/desk/purchases", programs(people.Customs), s.apiBuy, ""},
		{"POST /api/v1/desk/purchases/{number}/void", programs(people.Customs), s.apiVoid, ""},
		{"POST /api/v1/vendors", programs(people.Manager), s.apiEnrol, ""},
		{"GET /api/v1/days/{site}/{day}", programs(people.Supervisor, people.Manager), s.apiDay, ""},
		{"GET /api/v1/record/proofs/{index}", programs(people.Auditor, people.Clerk), s.recordProof, ""},
		{"GET /record/checkpoint", programs(people.Auditor), s.recordCheckpoint, ""},
		{"GET /record/tile/{path...}", programs(people.Auditor), s.recordTile, ""},

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
