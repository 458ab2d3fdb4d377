// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package planning

import (
	"errors"
	"testing"
	"time"

	"github.com/cockroachdb/apd/v3"
	"pgregory.net/rapid"
)

var ten = time.Date(2025, 9, 2, 5, 0, 0, 0, time.UTC)

func clock(t time.Time) string { return t.Format("15:04") }

func TestCross(t *testing.T) {
	gate := Service{Servers: 4, Millis: 60_000, Variation: AtRandom}
	for _, test := range []struct {
		name         string
		booked, full Load
		s            Service
		q            Quantile
		want         string // expected and latest
		wait, latest int64
	}{
		{"nobody", Load{}, Load{}, gate, Q95, "05:30 06:00", 0, 0},
		{"half full", Load{People: 100}, Load{People: 200}, gate, Q95, "05:30 06:04", 0, 4},
		// 0.83 of what four can do: a mean of 0.9 and, of those who wait, 1.5 minutes
		{"full", Load{People: 200}, Load{People: 200}, gate, Q95, "05:31 06:04", 1, 4},
		{"full, nearly sure", Load{People: 200}, Load{People: 200}, gate, Q99, "05:31 06:07", 1, 7},
		{"more booked than full", Load{People: 200}, Load{}, gate, Q95, "05:31 06:04", 1, 4},
		// 300 come and 240 can be served: 15 minutes at the end, 7½ on the mean
		{"too many", Load{People: 300}, Load{People: 300}, gate, Q95, "05:41 06:28", 11, 28},
		// 120 wait, 30 minutes; 120 come, so that half an hour's work is left of the hour's
		{"a queue at the start", Load{Waiting: 120}, Load{Waiting: 120, People: 60}, gate, Q80, "05:38 06:01", 8, 1},
		{"by the clock", Load{People: 200}, Load{People: 200}, Service{4, 60_000, 0}, Q95, "05:30 06:02", 0, 2},
	} {
		c, err := Cross(ten, ten.Add(time.Hour), test.booked, test.full, test.s, test.q)
		if got := clock(c.Expected) + " " + clock(c.Latest); err != nil || got != test.want || c.Wait != test.wait || c.WaitLatest != test.latest || !c.Earliest.Equal(ten) {
			t.Errorf("%s: %s, waits %d and %d, %v", test.name, got, c.Wait, c.WaitLatest, err)
		}
	}
	for name, f := range map[string]func() error{
		"no officer": func() error {
			_, err := Cross(ten, ten.Add(time.Hour), Load{}, Load{}, Service{Millis: 1000}, Q95)
			return err
		},
		"no time":     func() error { _, err := Cross(ten, ten, Load{}, Load{}, gate, Q95); return err },
		"no quantile": func() error { _, err := Cross(ten, ten.Add(time.Hour), Load{}, Load{}, gate, 9); return err },
		"less than one": func() error {
			_, err := Cross(ten, ten.Add(time.Hour), Load{}, Load{People: -1}, gate, Q95)
			return err
		},
	} {
		if err := f(); !errors.Is(err, ErrRange) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Whole numbers say what the decimals say: the chance of a wait and the mean to a part in
// a hundred thousand and a millisecond.
func TestCrossAgainstDecimals(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := Service{Servers: rapid.IntRange(1, 30).Draw(t, "servers"), Millis: rapid.Int64Range(1000, 600_000).Draw(t, "millis"), Variation: rapid.Int64Range(0, 400).Draw(t, "variation")}
		const hour = 3_600_000
		most := hour * int64(s.Servers) / s.Millis * 98 / 100
		if most < 1 {
			return
		}
		n := rapid.Int64Range(1, most).Draw(t, "people")
		c, mean, ok := s.stationary(Load{People: n}, hour)
		mu, err := Ratio(hour, s.Millis)
		if err != nil || !ok {
			t.Fatal(ok, err)
		}
		p, err := Waits(s.Servers, Int(n), mu)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Ratio(c, billion)
		var k calc
		if off := k.sub(got, p); err != nil || k.err != nil || off.Abs(off).Cmp(apd.New(1, -5)) > 0 {
			t.Fatalf("chance %d, %s", c, p)
		}
		v, _ := Ratio(s.Variation, 100)
		w, err := WaitVaried(s.Servers, Int(n), mu, Int(1), v)
		if err != nil {
			t.Fatal(err)
		}
		want, err := Round(k.mul(w, Int(hour)), 0).Int64()
		if err != nil {
			t.Fatal(err)
		}
		if got := muldiv(mean, c, billion); got-want > 2+want/1000 || want-got > 2+want/1000 {
			t.Fatalf("mean wait %d ms, want %d", got, want)
		}
	})
}

func TestCrossProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := Service{Servers: rapid.IntRange(1, 12).Draw(t, "servers"), Millis: rapid.Int64Range(1000, 1_200_000).Draw(t, "millis"), Variation: rapid.Int64Range(0, 400).Draw(t, "variation")}
		n := rapid.Int64Range(0, 800)
		booked := Load{n.Draw(t, "booked"), n.Draw(t, "waiting")}
		full := Load{booked.People + n.Draw(t, "more"), booked.Waiting}
		q := Quantile(rapid.IntRange(0, 2).Draw(t, "quantile"))
		span := time.Duration(rapid.IntRange(1, 600).Draw(t, "minutes")) * time.Minute
		cross := func(b, f Load, s Service, q Quantile) Crossing {
			c, err := Cross(ten, ten.Add(span), b, f, s, q)
			if err != nil {
				t.Fatal(err)
			}
			if c.Expected.Before(c.Earliest) || c.Latest.Before(c.Expected) || c.Latest.Before(ten.Add(span)) || c.Wait < 0 || c.Wait > c.WaitLatest && c.Latest.Before(c.Expected) {
				t.Fatalf("%+v", c)
			}
			return c
		}
		c := cross(booked, full, s, q)
		later := func(what string, o Crossing) {
			if o.Wait < c.Wait || o.WaitLatest < c.WaitLatest || o.Expected.Before(c.Expected) || o.Latest.Before(c.Latest) {
				t.Fatalf("%s: %+v, before %+v", what, o, c)
			}
		}
		later("more booked", cross(Load{booked.People + 1, booked.Waiting}, Load{full.People + 1, full.Waiting}, s, q))
		later("more wait", cross(Load{booked.People, booked.Waiting + 1}, Load{full.People, full.Waiting + 1}, s, q))
		later("more to come", cross(booked, Load{full.People + 1, full.Waiting}, s, q))
		later("slower", cross(booked, full, Service{s.Servers, s.Millis + 1000, s.Variation}, q))
		later("less even", cross(booked, full, Service{s.Servers, s.Millis, s.Variation + 50}, q))
		later("surer", cross(booked, full, s, Q99))
		if s.Servers > 1 {
			later("an officer fewer", cross(booked, full, Service{s.Servers - 1, s.Millis, s.Variation}, q))
		}
	})
}

func TestLoadOf(t *testing.T) {
	gate := Service{Servers: 4, Millis: 60_000}
	h := func(n int) time.Time { return ten.Add(time.Duration(n) * time.Hour) }
	for _, test := range []struct {
		name string
		day  []Arrivals
		want Load
	}{
		{"nobody", nil, Load{}},
		{"this slot alone", []Arrivals{{h(0), h(1), 200}, {h(-1), h(0), 200}, {h(1), h(2), 9}}, Load{People: 200}},
		{"two at once, one of two hours", []Arrivals{{h(0), h(1), 200}, {h(0), h(2), 100}}, Load{People: 250}},
		{"too many before", []Arrivals{{h(0), h(1), 200}, {h(-1), h(0), 300}}, Load{People: 200, Waiting: 60}},
		{"too many long before", []Arrivals{{h(0), h(1), 200}, {h(-3), h(-2), 300}, {h(-1), h(0), 100}}, Load{People: 200}},
		{"too many, then too few", []Arrivals{{h(0), h(1), 200}, {h(-2), h(-1), 400}, {h(-1), h(0), 200}}, Load{People: 200, Waiting: 120}},
	} {
		got, err := LoadOf(h(0), h(1), test.day, gate)
		if err != nil || got != test.want {
			t.Errorf("%s: %+v, %v", test.name, got, err)
		}
	}
	if _, err := LoadOf(h(0), h(1), []Arrivals{{h(1), h(1), 1}}, gate); !errors.Is(err, ErrRange) {
		t.Error(err)
	}
}

func TestMeasured(t *testing.T) {
	midnight := ten.Add(-5 * time.Hour)
	day := []Arrivals{{ten, ten.Add(time.Hour), 240}, {ten.Add(time.Hour), ten.Add(2 * time.Hour), 60}}
	due := Due(midnight, 96, day)
	if due[19] != 0 || due[20] != 60 || due[23] != 60 || due[24] != 15 || due[28] != 0 {
		t.Fatal(due[18:30])
	}
	// 40 in a quarter, though 60 were due: four officers, a minute and a half each.
	came := make([]uint32, 96)
	for i, n := range [...]uint32{40, 40, 40, 40, 40, 40, 40, 20} {
		came[20+i] = n
	}
	d := Counted{due, came}
	if s, ok := Measured(4, d); ok {
		t.Errorf("%v of fewer quarters than it needs", s)
	}
	s, ok := Measured(4, d, d)
	if !ok || s != (Service{Servers: 4, Millis: 90_000}) {
		t.Errorf("%v, %v", s, ok)
	}
	// 50, 30, 50, 30, 50, 40 while people wait: a mean of 41⅔ and a variance of 88
	uneven := Counted{due, append([]uint32(nil), came...)}
	for i := range 6 {
		uneven.Came[20+i] = []uint32{30, 50}[i%2]
	}
	uneven.Came[26] = 40
	if s, ok := Measured(4, uneven, uneven); !ok || s != (Service{4, 86_400, 210}) {
		t.Errorf("%v, %v", s, ok)
	}
	// Queues of 20, 40, 60, 80 at the ends of the first hour, then 55, 30, 5, 0.
	for _, test := range []struct {
		first, last int
		want        int64
		ok          bool
	}{{20, 28, 15, true}, {20, 24, 15, true}, {24, 28, 13, true}, {28, 30, 0, false}, {24, 24, 0, false}, {90, 97, 0, false}} {
		if got, ok := d.Waited(test.first, test.last); got != test.want || ok != test.ok {
			t.Errorf("%d to %d: %d, %v", test.first, test.last, got, ok)
		}
	}
	// Half of them stay away: nobody waits, and nobody is counted as waiting.
	few := Counted{due, make([]uint32, 96)}
	for i := range few.Came {
		few.Came[i] = due[i] / 2
	}
	if w, ok := few.Waited(20, 24); !ok || w > 1 {
		t.Errorf("%d, %v", w, ok)
	}
	if _, ok := Measured(4, Counted{due, came[:90]}); ok {
		t.Error("quarters of two lengths")
	}
}
