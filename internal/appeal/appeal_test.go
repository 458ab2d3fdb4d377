// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package appeal

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"darwaza.dev/internal/fact"
	"darwaza.dev/internal/table"
)

func empty() State {
	return State{Cases: table.Map[ID, Case]{}, Subjects: table.Map[Subject, Numbered]{}, Roster: table.Map[RosterKey, ID]{},
		Sites: table.Map[uint16, SiteCases]{}, Days: table.Map[DayKey, DayCases]{}}
}

func number(n uint64) ID { return ID(fmt.Sprintf("C-%012d", n)) }

// TestApplyTotal applies facts in orders that no desk would decide. Nothing panics; a
// site's figures are what its cases say; the list of the waiting misses nobody.
func TestApplyTotal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		st := empty()
		small := func(name string) uint64 { return rapid.Uint64Range(0, 5).Draw(t, name) }
		at := time.Unix(1756800000, 0).UTC()
		for range rapid.IntRange(1, 40).Draw(t, "facts") {
			f := rapid.SampledFrom([]fact.Fact{
				&Opened{Case: number(small("case")), Subject: ScanSubject(1, 2, small("serial")), Site: uint16(small("site") % 2), Day: uint16(small("day"))},
				&Answered{Case: number(small("case")), Site: uint16(small("site") % 2), Day: uint16(small("day")), Officer: "o", Changed: rapid.Bool().Draw(t, "changed")},
				&Answered{Case: number(small("case"))}, &Opened{},
			}).Draw(t, "fact")
			at = at.Add(time.Duration(rapid.IntRange(-90, 900).Draw(t, "seconds")) * time.Second)
			Apply(st, at, f)
			for site := range uint16(2) {
				var open, answered, changed uint32
				var oldest []ID
				n, _ := st.Sites.Get(site)
				for pos := range n.End {
					id, _ := st.Roster.Get(RosterKey{Site: site, Pos: pos})
					c, ok := st.Cases.Get(id)
					switch {
					case !ok || c.Site != site:
						t.Fatalf("%T: the list has %q", f, id)
					case c.Open():
						open++
						oldest = append(oldest, id)
					default:
						answered++
						if c.Changed {
							changed++
						}
					}
				}
				if n.Open != open || n.Answered != answered || n.Changed != changed || n.First > n.End {
					t.Fatalf("%T: %+v, in the list %d open, %d answered, %d changed", f, n, open, answered, changed)
				}
				var waiting []ID
				for _, c := range st.Waiting(site, 100) {
					waiting = append(waiting, c.ID)
				}
				if fmt.Sprint(waiting) != fmt.Sprint(oldest) {
					t.Fatalf("waiting %v, want %v", waiting, oldest)
				}
			}
		}
	})
}

// TestSubject reads numbers back, and takes one spelling for one thing.
func TestSubject(t *testing.T) {
	for s, want := range map[Subject]bool{
		"0123456789AB": true, "R-0123456789AB": true, "G-1-9376-17": true, ScanSubject(65535, 65535, 1<<64-1): true,
		"": false, "0123456789A": false, "0123456789AI": false, "C-0123456789AB": false, "G-1-9376": false, "G-01-9376-17": false,
		"G-1-9376-+17": false, "G-1-70000-17": false, "R-0123456789": false, "G-1-9376-17-1": false,
	} {
		if got := s.Valid(); got != want {
			t.Errorf("%q: %v", s, got)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		site, day, serial := rapid.Uint16().Draw(t, "site"), rapid.Uint16().Draw(t, "day"), rapid.Uint64().Draw(t, "serial")
		a, b, c, ok := ScanSubject(site, day, serial).Scan()
		if !ok || a != site || b != day || c != serial {
			t.Fatalf("%d %d %d %v", a, b, c, ok)
		}
	})
}
