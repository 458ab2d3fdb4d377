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

// BenchmarkCEL evaluates the conditions that BenchmarkGate and BenchmarkDesk reach, and
// nothing else: what an engine around them cannot be faster than.
func BenchmarkCEL(b *testing.B) {
	_, l := market(b)
	c := l.compiled[0]
	for name, q := range map[string]Query{
		"gate": {Point: Gate, At: tuesday(), Site: "mand-pishin", Side: "A", Facts: gateFacts()},
		"desk": goodsQuery("07020000", 300),
	} {
		b.Run(name, func(b *testing.B) {
			var reached []*condition
			c.check(&q, func(j *judge) {
				for i, k := range j.clauses {
					if st := &j.state[i]; st.asked && st.by == 0 {
						if k.when != nil {
							reached = append(reached, k.when)
						}
						if k.require != nil && st.when != no {
							reached = append(reached, k.require)
						}
					}
				}
			})
			a := newActivation(c)
			a.start(c, &q, c.sites[q.Site])
			b.ReportAllocs()
			for b.Loop() {
				for _, k := range reached {
					if _, _, err := k.program.Eval(a); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(len(reached)), "conditions")
		})
	}
}

// BenchmarkWide answers under a package with a clause of every kind, and BenchmarkTwo at
// a gate under two agreements.
func BenchmarkWide(b *testing.B) {
	l := wideLaw(b, everything, everythingParts()...)
	q := noon("2025-06-02").with("p", true, "q", true, "n", int64(4), "class", "visitor", "good.value", int64(12000), "good.weight", int64(12500)).of("dose").of("import").of("export").of("trip")
	b.ReportAllocs()
	for b.Loop() {
		l.Check(q)
	}
}

func BenchmarkTwo(b *testing.B) {
	_, l := market(b)
	w := wideLaw(b, "  - {id: c, kind: frequency, TEXT, events: trip, window: {per: month}, limit: four, adds: 1, else: REFUSE}\n  - {id: d, kind: validity, TEXT, expires: pass.expires, else: REFUSE}\n")
	q := Query{Point: Gate, At: tuesday(), Site: "mand-pishin", Side: "A", Facts: gateFacts()}
	q = q.with("pass.expires", day("2025-12-31")).of("trip", happenedOn("2025-09-01"))
	r := q
	r.Site = "s"
	b.ReportAllocs()
	for b.Loop() {
		if v := Verdicts([]*Law{l}, q)[0]; v.Outcome != reason.Allow {
			b.Fatal(why(v))
		}
		if v := w.Check(r); v.Outcome != reason.Allow {
			b.Fatal(why(v))
		}
	}
}
