// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"testing"
	"time"

	"darwaza.dev/internal/calendar"
)

// TestReopen plays the closure of 2020 with its numbers: 35 vehicles on 7 March, three days
// a week from 13 May with 50 a day for 600 who wait, every day from 19 June.
func TestReopen(t *testing.T) {
	r, err := Reopen()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range r.Steps {
		t.Logf("%s %-7s %s", s.On, s.Source, s.What)
	}
	if r.First != 35 || r.Waited != 600 || r.Daily != 45 || r.NoShows != 0 || r.Cancelled != 0 || r.Disordered != 0 || r.Perishable != "rimdan-gabd" {
		t.Errorf("%+v", r)
	}
	// 600 ÷ 50 is 12 open days: 4 weeks of 3, of which the last day is the 27th.
	if len(r.Crossed) != 12 || r.Ends != calendar.MustDate("2020-06-08") || r.Last != r.Ends {
		t.Fatalf("%d open days, published %s, last %s", len(r.Crossed), r.Ends, r.Last)
	}
	for _, c := range r.Crossed {
		if w := c.On.Weekday(); c.N != 50 || w != time.Saturday && w != time.Monday && w != time.Wednesday {
			t.Errorf("%s (%s): %d", c.On, w, c.N)
		}
	}
	if end, first := r.Ends, calendar.MustDate("2020-05-13"); end.DaysSince(first)+1 > 28 {
		t.Errorf("%d days, and the formula says 28", end.DaysSince(first)+1)
	}
}
