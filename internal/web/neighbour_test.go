// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"testing"
	"time"

	"darwaza.dev/internal/people"
)

// TestNeighbours shows how the two records stand, in every language.
func TestNeighbours(t *testing.T) {
	p := openPost(t)
	var now Neighbour
	p.s.deps.Neighbour = func(context.Context) (Neighbour, error) { return now, nil }
	b := p.signedIn("boss", people.Supervisor)
	b.get("/en/neighbours").wants("The line is down", "not yet", "Nothing was refused").lacks("contradicts")
	now = Neighbour{Heard: p.now.Add(-5 * time.Minute), Up: true, Theirs: 1000, Mirrored: 700, Ours: 50, Cosigned: 48, Halted: true, Skew: -3 * time.Minute,
		Refused: []NeighbourRefusal{{At: p.now.Add(-time.Minute), Topic: "record", Why: "exchange.fork"}}}
	b.get("/en/neighbours").wants("The line is open", "5 minutes ago", "700 entries", "300 entries", "2 entries", "3 minutes apart", "record: exchange.fork", "their answer", "contradicts what it signed", "1 minute ago").lacks("contradicts what we signed")
	now.Cut, now.Halted, now.Accused = true, false, true
	b.get("/en/neighbours").wants("The line is down", "contradicts what we signed").lacks("contradicts what it signed")
	b.get("/fa/neighbours").wants("خط قطع است", "مدرک")
	b.get("/ur/neighbours").wants("رابطہ منقطع ہے", "ثبوت")
}
