// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"strings"
	"testing"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/reason"
)

func TestSlots(t *testing.T) {
	_, l := market(t)
	day := func(s string) uint16 { return DayNumber(calendar.MustDate(s)) }
	slots := l.Slots(1, day("2025-09-02"), 1)
	if len(slots) != 8 {
		t.Fatalf("%d slots, want 8", len(slots))
	}
	places := uint32(0)
	for i, s := range slots {
		if want := at("2025-09-02T08:00:00+05:00").Add(time.Duration(i) * time.Hour); !s.From.Equal(want) || !s.Until.Equal(want.Add(time.Hour)) {
			t.Errorf("slot %d is from %s to %s", i, s.From, s.Until)
		}
		if s.Allotment[agreement.A]+s.Allotment[agreement.B] > s.Capacity {
			t.Errorf("allotments %v of %d", s.Allotment, s.Capacity)
		}
		places += s.Capacity
		one, ok := l.Slot(1, 1, s.Day, s.Minute)
		if !ok || one.Minute != s.Minute || !one.From.Equal(s.From) {
			t.Errorf("slot %d is not found by its minute", i)
		}
		v := l.Check(Query{Point: Booking, At: s.From, Site: "mand-pishin", Side: "A", Facts: Facts{
			"class": "visitor", "health.level": "normal", "health.profiles": []string{}, "party.adults": int64(1), "party.children": int64(0), "party.size": int64(1)}})
		if v.Outcome != reason.Allow {
			t.Errorf("slot %d cannot be booked: %s", i, why(v))
		}
	}
	if places < 2400 {
		t.Errorf("%d places in a day, want 2,400 at least", places)
	}
	if got := slots[0].Latest; !got.Equal(at("2025-09-02T13:00:00+05:00")) {
		t.Errorf("the first must leave by %s, want four hours after the slot", got)
	}
	if got := slots[7].Latest; !got.Equal(at("2025-09-02T17:00:00+05:00")) {
		t.Errorf("the last must leave by %s, want closing time", got)
	}
	if v := l.Slots(1, day("2025-09-02"), 2); len(v) != 1 || !v[0].From.Equal(at("2025-09-02T07:00:00+05:00")) || v[0].Allotment["A"] < 54 || v[0].Allotment["B"] < 54 {
		t.Errorf("vendors: %v", v)
	}
	for name, got := range map[string][]SlotPlan{
		"no market day":          l.Slots(1, day("2025-09-03"), 1),
		"before the opening":     l.Slots(1, day("2023-05-16"), 1),
		"after the edition":      l.Slots(1, day("2026-07-04"), 1),
		"unknown site":           l.Slots(9, day("2025-09-02"), 1),
		"unknown class":          l.Slots(1, day("2025-09-02"), 9),
		"another site's weekday": l.Slots(3, day("2025-09-02"), 1),
	} {
		if len(got) != 0 {
			t.Errorf("%s: %d slots", name, len(got))
		}
	}
	if got := l.Slots(3, day("2025-09-03"), 1); len(got) != 8 {
		t.Errorf("Wednesday at the third market: %d slots", len(got))
	}
	if _, ok := l.Slot(1, 1, day("2025-09-02"), 485); ok {
		t.Error("there is a slot at 08:05")
	}
	if got := l.Slots(1, day("2026-06-30"), 1); len(got) != 8 {
		t.Errorf("the last day of the edition: %d slots", len(got))
	}
}

func TestParam(t *testing.T) {
	_, l := market(t)
	for _, x := range []struct {
		id, site string
		side     agreement.Side
		want     int64
		ok       bool
	}{
		{"occupancy.cap", "mand-pishin", "A", 600, true},
		{"occupancy.cap", "gabd-reemdan", "B", 300, true},
		{"occupancy.cap", "", "", 0, false},
		{"day.allowance", "", "", 10000, true},
		{"sales.tax.rate", "mand-pishin", "A", 0, false},
		{"nothing", "mand-pishin", "A", 0, false},
	} {
		if got, ok := l.Param(x.id, x.site, x.side, tuesday()); got != x.want || ok != x.ok {
			t.Errorf("%s %s %s: got %d %t, want %d %t", x.id, x.site, x.side, got, ok, x.want, x.ok)
		}
	}
	if _, ok := l.Param("day.allowance", "", "", at("2026-07-01T00:00:00+05:00")); ok {
		t.Error("a value outlives its edition")
	}
	if list, line, ok := l.Good("0702.0000", tuesday()); !ok || list != "part8" || line.Category != "I" || line.Rate != 500 {
		t.Errorf("tomatoes: %s %v %t", list, line, ok)
	}
	if l.Zone("mand-pishin").String() != "Asia/Karachi" || l.Zone("x") != time.UTC {
		t.Error("zones")
	}
}

// TestNewerEditionWins has two editions whose times overlap.
func TestNewerEditionWins(t *testing.T) {
	e, _ := market(t)
	next := *e
	next.Number, next.From = 2, at("2026-01-01T00:00:00+05:00")
	next.Hash[0] ^= 0xff
	for _, order := range [][]*agreement.Edition{{e, &next}, {&next, e}} {
		l := mustCompile(t, order...)
		if got, _ := l.Edition(at("2025-12-31T23:59:59+05:00")); got != e {
			t.Error("before: not the old edition")
		}
		if got, _ := l.Edition(at("2026-01-01T00:00:00+05:00")); got != &next {
			t.Error("from its date on: not the new edition")
		}
		if got, ok := l.ByPrefix(next.Hash.Prefix()); !ok || got != &next {
			t.Error("not found by prefix")
		}
	}
	if _, err := Compile(e, e); err == nil {
		t.Error("one number twice")
	}
}

// TestClasses: where two agreements mean different classes by one number, it is the one for
// which slots are planned; classes of both are there, those under which the site is run first.
func TestClasses(t *testing.T) {
	e, _ := load(t, "pk-ir-border-markets")
	at := time.Date(2025, 9, 2, 5, 0, 0, 0, time.UTC)
	one, two := *e, *e
	two.ID = "second"
	site := e.Sites[0]
	plan := e.Slots[site.ID]
	one.Slots = map[string][]agreement.SlotRule{site.ID: plan[:1]}
	carrier := plan[0]
	carrier.Class = "carrier"
	two.Classes = []agreement.Class{{ID: "carrier", Number: 2}, {ID: "pilgrim", Number: 9}, {ID: "visitor", Number: 7}}
	for _, c := range []struct {
		slots []agreement.SlotRule
		want  string
	}{{nil, "visitor vendor pilgrim"}, {[]agreement.SlotRule{carrier}, "visitor carrier pilgrim"}} {
		two.Slots = map[string][]agreement.SlotRule{site.ID: c.slots}
		l, err := Compile(&one, &two)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, k := range l.Classes(site.Number, at) {
			got = append(got, k.ID)
			if x, of, ok := l.ClassNumbered(site.Number, k.Number, at); !ok || x.ID != k.ID || (of.ID == "second") != (k.ID == "carrier" || k.ID == "pilgrim") {
				t.Errorf("%s is of %s", x.ID, of.ID)
			}
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
	if k, of, ok := (&Law{}).ClassNumbered(1, 1, at); ok || of != nil || k.ID != "" {
		t.Error("a class of nothing")
	}
}
