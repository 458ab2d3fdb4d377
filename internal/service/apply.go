// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package service

import (
	"time"

	"darwaza.dev/internal/appeal"
	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/closure"
	"darwaza.dev/internal/erasure"
	"darwaza.dev/internal/fact"
	"darwaza.dev/internal/gate"
	"darwaza.dev/internal/intake"
	"darwaza.dev/internal/market"
	"darwaza.dev/internal/people"
	"darwaza.dev/internal/protocol"
	"darwaza.dev/internal/screening"
	"darwaza.dev/internal/stats"
)

// Apply makes what a fact says of the state. It never refuses and consults no edition.
// The figures come last: they count what the others made of the fact.
func Apply(st State, at time.Time, f fact.Fact) {
	booking.Apply(st.Booking, at, f)
	gate.Apply(st.Gate, at, f)
	market.Apply(st.Market, at, f)
	people.Apply(st.People, at, f)
	appeal.Apply(st.Appeal, at, f)
	protocol.Apply(st.Levels, at, f)
	screening.Apply(st.Screening, at, f)
	intake.Apply(st.Intake, at, f)
	closure.Apply(st.Closures, at, f)
	erasure.Apply(st.Erasure, at, f)
	stats.Apply(st.Stats, st.Gate, at, f)
}
