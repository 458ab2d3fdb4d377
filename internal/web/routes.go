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
		{"GET /{$}", anyone(), s.board, ""},
		{"GET /before", anyone(), s.beforePage, ""},
		{"GET /law", anyone(), s.lawPage, ""},
		{"GET /goods", anyone(), s.goodsPage, ""},
		{"GET /receipt", anyone(), s.receiptPage, ""},
		{"POST /receipt", anyone(), s.receiptSent, ""},
		{"GET /ask", anyone(), s.askPage, ""},
		{"POST /ask", anyone(), s.askSent, ""},
		{"GET /book", anyone(), s.bookPage, ""},
		{"GET /book/people", anyone(), s.peoplePage, ""},
		{"POST /book/people", anyone(), s.peopleSent, ""},
		{"POST /book/confirm", anyone(), s.confirm, ""},
		{"GET /booking", anyone(), s.minePage, ""},
		{"POST /booking", anyone(), s.mineFind, ""},
		{"GET /booking/{link}", anyone(), s.bookingPage, ""},
		{"GET /booking/{link}/pass", anyone(), s.passPage, ""},
		{"GET /booking/{link}/proof", anyone(), s.proofFile, ""},
		{"GET /booking/{link}/cancel", anyone(), s.cancelPage, ""},
		{"POST /booking/{link}/cancel", anyone(), s.cancelSent, ""},
		{"GET /booking/{link}/move", anyone(), s.movePage, ""},
		{"POST /booking/{link}/move", anyone(), s.moveSent, ""},
		{"POST /booking/{link}/accept", anyone(), s.acceptSent, ""},
		{"POST /booking/{link}/decline", anyone(), s.declineSent, ""},

		// Programs.
		{"GET /api/v1/openapi.yaml", programs(), s.apiDocument, ""},
		{"GET /api/v1/agreement", programs(), s.apiAgreement, ""},
		{"GET /api/v1/slots", programs(), s.apiSlots, ""},
		{"GET /api/v1/values", programs(), s.apiValues, ""},
		{"POST /api/v1/receipts/check", programs(), s.apiReceiptCheck, ""},
		{"POST /api/v1/verdict", programs(), s.apiVerdict, ""},
		{"POST /api/v1/bookings", programs(people.Clerk, people.Supervisor), s.apiBook, ""},
		{"GET /api/v1/bookings/{ref}", programs(people.Clerk, people.Supervisor), s.apiBooking, ""},
		{"POST /api/v1/bookings/{ref}/cancel", programs(people.Clerk, people.Supervisor), s.apiCancel, ""},
		{"POST /api/v1/bookings/{ref}/move", programs(people.Clerk, people.Supervisor), s.apiMove, ""},
		{"POST /api/v1/bookings/{ref}/accept", programs(people.Clerk, people.Supervisor), s.apiAccept, ""},
		{"POST /api/v1/bookings/{ref}/decline", programs(people.Clerk, people.Supervisor), s.apiDecline, ""},
		{"GET /api/v1/requests/{request}", programs(people.Clerk, people.Manager, people.Supervisor), s.apiRequest, ""},
		{"POST /api/v1/requests/{request}/decision", programs(people.Clerk, people.Manager, people.Supervisor), s.apiRule, ""},
		{"POST /api/v1/bookings/{ref}/reissue", programs(people.Clerk, people.Supervisor), s.apiReissue, ""},
		{"POST /api/v1/passes/check", programs(people.Clerk, people.GateOfficer, people.Health, people.Customs, people.Supervisor), s.apiPassCheck, ""},
		{"POST /api/v1/gate/scans", programs(people.GateOfficer, people.Health, people.Supervisor), s.apiScan, ""},
		{"POST /api/v1/gate/decisions", programs(people.GateOfficer, people.Health, people.Supervisor), s.apiDecide, ""},
		{"POST /api/v1/gate/undo", programs(people.GateOfficer, people.Health, people.Supervisor), s.apiUndo, ""},
		{"POST /api/v1/gate/settle", programs(people.Supervisor), s.apiSettle, ""},
		{"POST /api/v1/values", programs(people.Customs, people.Supervisor), s.apiDisplay, ""},
		{"POST /api/v1/desk/purchases", programs(people.Customs), s.apiBuy, ""},
		{"POST /api/v1/desk/purchases/{number}/void", programs(people.Customs, people.Supervisor), s.apiVoid, ""},
		{"POST /api/v1/vendors", programs(people.Manager), s.apiEnrol, ""},
		{"GET /api/v1/days/{site}/{day}", programs(people.Supervisor, people.Manager), s.apiDay, ""},
		{"GET /api/v1/record/proofs/{index}", programs(people.Auditor, people.Clerk, people.Supervisor), s.recordProof, ""},
		{"GET /record/checkpoint", programs(people.Auditor), s.recordCheckpoint, ""},
		{"GET /record/tile/{path...}", programs(people.Auditor), s.recordTile, ""},

		// Officers.
		{"GET /sign-in", anyone(), s.signInPage, ""},
		{"POST /sign-in", anyone(), s.signIn, ""},
		{"POST /sign-out", anyone(), s.signOut, ""},
		{"GET /word", officers(), s.wordPage, ""},
		{"POST /word", officers(), s.changeWord, ""},
		{"GET /clerk", officers(people.Clerk, people.Supervisor), s.clerkPage, "nav.clerk"},
		{"POST /clerk/find", officers(people.Clerk, people.Supervisor), s.clerkFind, ""},
		{"GET /clerk/book", officers(people.Clerk, people.Supervisor), s.clerkBookPage, ""},
		{"GET /clerk/book/people", officers(people.Clerk, people.Supervisor), s.clerkPeoplePage, ""},
		{"POST /clerk/book/people", officers(people.Clerk, people.Supervisor), s.clerkPeopleSent, ""},
		{"POST /clerk/book/confirm", officers(people.Clerk, people.Supervisor), s.clerkConfirm, ""},
		{"GET /clerk/booking/{link}", officers(people.Clerk, people.Supervisor), s.clerkBookingPage, ""},
		{"GET /clerk/booking/{link}/pass", officers(people.Clerk, people.Supervisor), s.clerkPassPage, ""},
		{"GET /clerk/booking/{link}/cancel", officers(people.Clerk, people.Supervisor), s.clerkCancelPage, ""},
		{"POST /clerk/booking/{link}/cancel", officers(people.Clerk, people.Supervisor), s.clerkCancel, ""},
		{"GET /clerk/booking/{link}/move", officers(people.Clerk, people.Supervisor), s.clerkMovePage, ""},
		{"POST /clerk/booking/{link}/move", officers(people.Clerk, people.Supervisor), s.clerkMove, ""},
		{"POST /clerk/booking/{link}/accept", officers(people.Clerk, people.Supervisor), s.clerkAccept, ""},
		{"POST /clerk/booking/{link}/decline", officers(people.Clerk, people.Supervisor), s.clerkDecline, ""},
		{"POST /clerk/booking/{link}/reissue", officers(people.Clerk, people.Supervisor), s.clerkReissue, ""},
		{"GET /requests", officers(people.Clerk, people.Manager, people.Supervisor), s.requestsPage, "nav.requests"},
		{"POST /requests", officers(people.Clerk, people.Manager, people.Supervisor), s.requestFind, ""},
		{"GET /requests/{link}", officers(people.Clerk, people.Manager, people.Supervisor), s.requestPage, ""},
		{"POST /requests/{link}", officers(people.Clerk, people.Manager, people.Supervisor), s.requestDecide, ""},
		{"GET /gate", officers(people.GateOfficer, people.Health, people.Supervisor), s.gatePage, "nav.gate"},
		{"POST /gate", officers(people.GateOfficer, people.Health, people.Supervisor), s.gateScan, ""},
		{"POST /gate/decide", officers(people.GateOfficer, people.Health, people.Supervisor), s.gateDecide, ""},
		{"POST /gate/undo", officers(people.GateOfficer, people.Health, people.Supervisor), s.gateUndo, ""},
		{"GET /gate/scan/{pass}/{serial}", officers(people.GateOfficer, people.Health, people.Supervisor), s.gateScanPage, ""},
		{"GET /gate/scans", officers(people.GateOfficer, people.Health, people.Supervisor), s.gateScans, ""},
		{"GET /gate/find", officers(people.GateOfficer, people.Health, people.Supervisor), s.gateFindPage, ""},
		{"POST /gate/find", officers(people.GateOfficer, people.Health, people.Supervisor), s.gateFind, ""},
		{"GET /desk", officers(people.Customs), s.deskPage, "nav.desk"},
		{"POST /desk", officers(people.Customs), s.deskOpen, ""},
		{"GET /desk/buyer/{buyer}", officers(people.Customs), s.buyerPage, ""},
		{"POST /desk/buy", officers(people.Customs), s.deskBuy, ""},
		{"POST /desk/void", officers(people.Customs), s.deskVoid, ""},
		{"GET /desk/receipt/{id}", officers(people.Customs, people.Supervisor), s.receiptPaper, ""},
		{"GET /desk/values", officers(people.Customs, people.Supervisor), s.valuesPage, "nav.values"},
		{"POST /desk/values", officers(people.Customs, people.Supervisor), s.valuesSave, ""},
		{"POST /desk/values/copy", officers(people.Customs, people.Supervisor), s.valuesCopy, ""},
		{"GET /values", anyone(), s.valuesPublic, ""},
		{"GET /vendors", officers(people.Manager), s.vendorsPage, "nav.vendors"},
		{"POST /vendors", officers(people.Manager), s.vendorFind, ""},
		{"GET /vendors/card/{link}", officers(people.Manager), s.vendorPage, ""},
		{"POST /vendors/card/{link}", officers(people.Manager), s.vendorEnrol, ""},
		{"GET /day", officers(people.Supervisor, people.Manager), s.dayPage, "nav.day"},
		{"POST /day/settle", officers(people.Supervisor), s.daySettle, ""},
		{"GET /officers", officers(people.Admin), s.officersPage, "nav.officers"},
		{"GET /officers/new", officers(people.Admin), s.officerNew, ""},
		{"POST /officers/new", officers(people.Admin), s.officerSave, ""},
		{"GET /officers/{id}", officers(people.Admin), s.officerPage, ""},
		{"POST /officers/{id}", officers(people.Admin), s.officerSave, ""},
		{"POST /officers/{id}/word", officers(people.Admin), s.officerWord, ""},
		{"POST /officers/{id}/end", officers(people.Admin), s.officerEnd, ""},
	}
}

// isAPI reports whether a path without a route is a program's mistake and not a reader's.
func isAPI(p string) bool { return strings.HasPrefix(p, "/api/") }

func urlQuery(s string) string { return url.QueryEscape(s) }
