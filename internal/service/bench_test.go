// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package service

import (
	"encoding/binary"
	"testing"

	"darwaza.dev/internal/reason"
)

// BenchmarkBook is one booking with the law's verdict, on maps: what is left of a
// booking when nothing is stored.
func BenchmarkBook(b *testing.B) {
	law := lawWith(b, "site: mand-pishin, value: 400", "site: mand-pishin, value: 1000000000")
	w := newWorld(b, law)
	tx := Tx{State: w.mem.plain, Side: "A", Law: law}
	c := w.booking(slotAt(9), 1)
	b.ReportAllocs()
	for i := uint64(1); b.Loop(); i++ {
		c.Ref = ref(i)
		c.Members[0].Tag = id('t', i)
		binary.BigEndian.PutUint64(c.Members[0].Pass[:], i)
		tx.Reset(w.now)
		a, err := c.Run(&tx)
		if err != nil || a.(BookingAnswer).Verdict.Outcome != reason.Allow {
			b.Fatal(a, err)
		}
	}
}

// BenchmarkScan is one entry and one exit.
func BenchmarkScan(b *testing.B) {
	w := newWorld(b, lawWith(b))
	c := w.claims(w.book(slotAt(9), 1).Booking, 0)
	w.now = at("09:10")
	tx := Tx{State: w.mem.plain, Side: "A", Law: w.law}
	in, out := w.scan(c), w.out(c)
	b.ReportAllocs()
	for b.Loop() {
		tx.Reset(w.now)
		if a, err := in.Run(&tx); err != nil || a.(ScanAnswer).Verdict.Outcome != reason.Allow {
			b.Fatal(a, err)
		}
		if _, err := out.Run(&tx); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkBoard is the public board of a site, with nothing booked.
func BenchmarkBoard(b *testing.B) {
	w := newWorld(b, lawWith(b))
	b.ReportAllocs()
	for b.Loop() {
		if v := BoardOf(w.mem.plain, w.law, "A", mand, w.now); len(v.Next) == 0 {
			b.Fatal("no slots")
		}
	}
}

// BenchmarkSweepSlots is the look around that the server takes every few seconds.
func BenchmarkSweepSlots(b *testing.B) {
	w := newWorld(b, lawWith(b))
	b.ReportAllocs()
	for b.Loop() {
		SweepSlots(w.mem.plain, w.law, "A", w.now)
	}
}
