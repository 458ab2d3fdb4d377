// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"testing"

	"pgregory.net/rapid"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/calendar"
)

// TestSpan: a span holds, has come and has not yet come when its period does, to the minute.
func TestSpan(t *testing.T) {
	texts := []string{"", "unknown", "2024-02", "2024", "2024-02-29", "2024-03-01T00:01", "2024-02-29T12:00", "2024-12-31T23:59", "2024-02-10/2024-03-05"}
	moment := rapid.Custom(func(t *rapid.T) agreement.Moment {
		s := rapid.SampledFrom(texts).Draw(t, "moment")
		if s == "" {
			return agreement.Moment{}
		}
		m, err := agreement.ParseMoment(s)
		if err != nil {
			t.Fatal(s, err)
		}
		return m
	})
	days := []string{"2023-12-31", "2024-01-01", "2024-01-31", "2024-02-01", "2024-02-09", "2024-02-10", "2024-02-29", "2024-03-01", "2024-03-05", "2024-12-31", "2025-01-01"}
	seen := map[agreement.Tri]int{}
	rapid.Check(t, func(t *rapid.T) {
		p := agreement.Period{From: moment.Draw(t, "from"), Until: moment.Draw(t, "until")}
		s := spanOf(p)
		for _, day := range days {
			on, err := calendar.ParseDate(day)
			if err != nil {
				t.Fatal(err)
			}
			for _, minute := range []calendar.Minute{0, 1, 719, 720, 1439} {
				got, want := s.holds(minutes(on, minute)), p.Holds(on, minute)
				if seen[want]++; got != want {
					t.Fatalf("from %q until %q on %s at %d: %v, want %v", p.From, p.Until, on, minute, got, want)
				}
				if got, want := s.from.come(minutes(on, minute)), p.From.Come(on, minute); got != want {
					t.Fatalf("%q on %s at %d has come: %v, want %v", p.From, on, minute, got, want)
				}
			}
		}
	})
	if len(seen) != 3 {
		t.Errorf("only %v were seen", seen)
	}
}
