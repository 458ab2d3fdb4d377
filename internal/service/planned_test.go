// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package service

import (
	"strings"
	"testing"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/planning"
	"darwaza.dev/internal/stats"
)

// asked books for one and returns what the law was asked.
func asked(t *testing.T, w *world, s booking.SlotID, who uint64) string {
	t.Helper()
	before := len(w.mem.facts)
	do[BookingAnswer](w, w.booking(s, who))
	for _, e := range w.mem.facts[before:] {
		if m, ok := e.Fact.(*booking.Made); ok {
			return m.Asked[0].Query
		}
	}
	t.Fatal("not booked")
	return ""
}

// slow lets one officer serve at a gate where two hundred come in an hour.
var slow = []string{"site: mand-pishin, value: 4, source", "site: mand-pishin, value: 1, source"}

func TestCrossingAsked(t *testing.T) {
	for _, test := range []struct {
		name    string
		changes []string
		want    string
	}{
		// Four officers, 200 in an hour: 4 minutes after the end of the slot.
		{"four officers", nil, `"crossing.at":"2025-09-02T04:00:00Z","crossing.latest":"2025-09-02T05:04:00Z"`},
		// One can serve 60: of the 200 from 8:00 on 140 are left at 9:00, and 280 at 10:00, 4
		// hours and 40 minutes of work; 46 minutes are 1.96 times √(200·2 + 140) minutes.
		{"one officer", slow, `"crossing.at":"2025-09-02T04:00:00Z","crossing.latest":"2025-09-02T10:26:00Z"`},
		{"nobody knows", []string{"id: gate.servers", "id: gate.officers"}, `"crossing.at":"2025-09-02T04:00:00Z","crossing.latest":"2025-09-02T05:00:00Z"`},
	} {
		w := newWorld(t, lawWith(t, test.changes...))
		for who := uint64(1); who < 3; who++ { // the second is answered from what is remembered
			if got := asked(t, w, slotAt(9), who); !strings.Contains(got, test.want) {
				t.Errorf("%s: %s, want %s", test.name, got, test.want)
			}
		}
	}
	// Another edition, another day: nothing of the old one is told.
	w := newWorld(t, lawWith(t))
	asked(t, w, slotAt(9), 1)
	w.law = lawWith(t, slow...)
	if got := asked(t, w, slotAt(9), 2); !strings.Contains(got, "T10:26:00Z") {
		t.Errorf("under another law: %s", got)
	}
	// The side is not the other one: it has no queue where it sells nothing.
	if got := asked(t, newWorldOf(t, lawWith(t), agreement.B), slotAt(9), 1); !strings.Contains(got, "T05:04:00Z") {
		t.Errorf("side B: %s", got)
	}
}

// busyDay gives a day of a site slots with places taken and people who came in quarters of
// an hour from nine.
func busyDay(w *world, day uint16, taken uint32, came ...uint32) {
	for _, h := range []uint16{9, 10} {
		id := booking.MakeSlotID(mand, visitor, day, h*60)
		w.mem.plain.Booking.Slots.Put(id, booking.Slot{ID: id, Allotment: 200, Taken: taken})
	}
	row := stats.Day{Site: mand, Day: day, Arrivals: make([]uint32, stats.Buckets)}
	copy(row.Arrivals[9*4:], came)
	w.mem.plain.Stats.Days.Put(stats.Key{Site: mand, Day: day}, row)
}

func TestGateServiceOf(t *testing.T) {
	w := newWorld(t, lawWith(t))
	w.now = at("20:00")
	gate := func() GateService {
		t.Helper()
		g, ok := GateServiceOf(w.mem.plain, w.law, agreement.A, mand, w.now)
		if !ok {
			t.Fatal("nobody knows")
		}
		return g
	}
	byLaw := GateService{planning.Service{Servers: 4, Millis: 60_000, Variation: 100}, false}
	if g := gate(); g != byLaw {
		t.Errorf("%+v", g)
	}
	// 25 people a quarter of an hour while 200 are due in each of two hours: four officers
	// need 2 minutes 24 seconds each.
	came := []uint32{25, 25, 25, 25, 25, 25, 25, 25, 25, 25, 25, 25, 25, 25, 25, 25}
	busyDay(w, marketDay, 200, came...)
	for _, now := range []time.Time{w.now, at("08:00", 1)} { // not over, and over here but perhaps not everywhere
		w.now = now
		if g := gate(); g != byLaw {
			t.Errorf("by a day that is not over: %+v", g)
		}
	}
	busyDay(w, marketDay-3, 200, came...)
	measured := GateService{planning.Service{Servers: 4, Millis: 144_000}, true}
	if g := gate(); g != measured || g.Seconds() != 144 {
		t.Errorf("%+v", g)
	}
	w.now = w.now.AddDate(0, 0, measuredWithin)
	if g := gate(); !g.Measured {
		t.Errorf("%+v, of the last day that counts", g)
	}
	w.now = w.now.AddDate(0, 0, 1)
	if g := gate(); g != byLaw {
		t.Errorf("%+v, of a day long ago", g)
	}
	for _, changes := range [][]string{{"id: gate.servers", "id: gate.officers"}, {"id: gate.minutes", "id: gate.time"}} {
		if g, ok := GateServiceOf(w.mem.plain, lawWith(t, changes...), agreement.A, mand, w.now); ok {
			t.Errorf("%s: %+v", changes[1], g)
		}
	}
}

// What was measured is what the law is told, from the day after on.
func TestCrossingMeasured(t *testing.T) {
	w := newWorld(t, lawWith(t))
	w.now = at("08:00", -3)
	if got := asked(t, w, slotAt(9), 1); !strings.Contains(got, "T05:04:00Z") {
		t.Fatal(got)
	}
	came := []uint32{25, 25, 25, 25, 25, 25, 25, 25, 25, 25, 25, 25, 25, 25, 25, 25}
	busyDay(w, marketDay-7, 200, came...)
	if got := asked(t, w, slotAt(9), 3); !strings.Contains(got, "T05:04:00Z") {
		t.Errorf("on the same day: %s", got)
	}
	w.now = at("08:00", -2)
	if got := asked(t, w, slotAt(9), 2); !strings.Contains(got, `"crossing.latest":"2025-09-02T07:17:00Z"`) {
		t.Errorf("%s", got)
	}
}

func TestWaitsOf(t *testing.T) {
	w := newWorld(t, lawWith(t))
	s := planning.Service{Servers: 4, Millis: 144_000}
	busyDay(w, marketDay, 200, 25, 25, 25, 25, 25, 25, 25, 25, 25, 25, 25, 25, 25, 25, 25, 25)
	find := func(over bool, hour int) WaitView {
		t.Helper()
		for _, v := range WaitsOf(w.mem.plain, w.law, agreement.A, mand, marketDay, s, over) {
			if v.Plan.Class == visitor && v.Plan.Minute == uint16(hour*60) {
				return v
			}
		}
		t.Fatal("no such slot")
		return WaitView{}
	}
	// 200 come and 100 are served: an hour's work is left at the end of the first hour, and
	// two hours' at the end of the second.
	for _, test := range []struct {
		hour    int
		booked  uint32
		planned [2]int64 // from and to: what chance adds is in it
		waited  int64
	}{{9, 200, [2]int64{30, 35}, 30}, {10, 200, [2]int64{90, 95}, 90}} {
		v := find(true, test.hour)
		if v.Booked != test.booked || v.Crossing.Wait < test.planned[0] || v.Crossing.Wait > test.planned[1] || !v.Known || v.Waited < test.waited-8 || v.Waited > test.waited+8 {
			t.Errorf("%d: %+v", test.hour, v)
		}
		if v := find(false, test.hour); v.Known {
			t.Errorf("%d: measured before the day is over", test.hour)
		}
	}
	if v := find(true, 12); v.Known || v.Booked != 0 {
		t.Errorf("nobody had this hour: %+v", v)
	}
	if vs := WaitsOf(w.mem.plain, w.law, agreement.A, 99, marketDay, s, true); len(vs) != 0 {
		t.Errorf("%+v", vs)
	}
}
