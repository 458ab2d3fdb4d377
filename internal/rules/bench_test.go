// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"testing"

	"darwaza.dev/internal/reason"
)

func BenchmarkGate(b *testing.B) {
	_, l := market(b)
	q := Query{Point: Gate, At: tuesday(), Site: "mand-pishin", Side: "A", Facts: gateFacts()}
	b.ReportAllocs()
	for b.Loop() {
		if v := l.Check(q); v.Outcome != reason.Allow {
			b.Fatal(why(v))
		}
	}
}

func BenchmarkDesk(b *testing.B) {
	_, l := market(b)
	q := goodsQuery("07020000", 300)
	for range 10 {
		q.Lots = append(q.Lots, Lot{"II", 300, regimeConcession, "mand-pishin"})
	}
	b.ReportAllocs()
	for b.Loop() {
		if v := l.Check(q); v.Outcome != reason.Allow {
			b.Fatal(why(v))
		}
	}
}

func BenchmarkSlot(b *testing.B) {
	_, l := market(b)
	day := DayNumber(l.compiled[0].e.Sites[0].From.First.AddDays(2))
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := l.Slot(1, 1, day, 600); !ok {
			b.Fatal("no slot")
		}
	}
}
