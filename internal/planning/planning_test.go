// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package planning

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/apd/v3"
	"pgregory.net/rapid"

	"darwaza.dev/internal/calendar"
)

// dec reads a number.
func dec(t testing.TB, s string) *apd.Decimal {
	t.Helper()
	d, _, err := apd.NewFromString(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// told wants a figure, to as many places as it is given with.
func told(t testing.TB, name string, got *apd.Decimal, err error, want string) {
	t.Helper()
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	_, after, _ := strings.Cut(want, ".")
	if s := Round(got, int32(len(after))).Text('f'); s != want {
		t.Errorf("%s: %s, want %s", name, s, want)
	}
}

func minutes(t testing.TB, hours *apd.Decimal) *apd.Decimal {
	var c calc
	m := c.mul(hours, Int(60))
	if c.err != nil {
		t.Fatal(c.err)
	}
	return m
}

// The frame of a gate with four teams: published capacities of Petrapole, 2020.
func TestWait(t *testing.T) {
	for _, test := range []struct{ mu, lambda, want string }{
		{"5", "15", "6.1"}, {"5", "18", "23.6"}, {"5", "20", ""}, {"5", "22", ""}, {"5", "24", ""},
		{"6.25", "15", "1.7"}, {"6.25", "18", "3.9"}, {"6.25", "20", "7.2"}, {"6.25", "22", "15.0"}, {"6.25", "24", "54.8"},
	} {
		name := test.lambda + " at " + test.mu
		w, err := Wait(4, dec(t, test.lambda), dec(t, test.mu))
		if test.want == "" {
			if !errors.Is(err, ErrUnstable) {
				t.Errorf("%s: %v, %v", name, w, err)
			}
			continue
		}
		if err != nil {
			t.Fatal(name, err)
		}
		told(t, name, minutes(t, w), nil, test.want)
	}
	for _, test := range []struct{ arrivals, want string }{{"1", "9.3"}, {"0.5", "5.6"}, {"0.2", "3.4"}, {"0.05", "2.2"}} {
		w, err := WaitVaried(4, Int(22), dec(t, "6.25"), dec(t, test.arrivals), dec(t, "0.25"))
		if err != nil {
			t.Fatal(err)
		}
		told(t, "variation "+test.arrivals, minutes(t, w), nil, test.want)
	}
	// One server at random: ρ ÷ (1 − ρ) of a service (Cooper 1981, §3.3).
	w, err := Wait(1, Int(3), Int(4))
	told(t, "M/M/1", w, err, "0.7500")
	if _, err := Wait(0, Int(1), Int(1)); !errors.Is(err, ErrRange) {
		t.Error(err)
	}
	if _, err := Wait(1, Int(-1), Int(1)); !errors.Is(err, ErrRange) {
		t.Error(err)
	}
}

func TestWaitProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 40).Draw(t, "servers")
		mu := rapid.Int64Range(1, 500).Draw(t, "mu")
		lambda := rapid.Int64Range(0, 2*int64(n)*mu).Draw(t, "lambda")
		p, err := Waits(n, Int(lambda), Int(mu))
		if unstable := lambda >= int64(n)*mu; unstable != errors.Is(err, ErrUnstable) || !unstable && err != nil {
			t.Fatalf("%v", err)
		} else if unstable {
			return
		}
		if p.Sign() < 0 || p.Cmp(Int(1)) > 0 {
			t.Fatalf("chance %s", p)
		}
		w, err := Wait(n, Int(lambda), Int(mu))
		if err != nil {
			t.Fatal(err)
		}
		if more, err := Wait(n, Int(lambda+1), Int(mu)); err == nil && more.Cmp(w) <= 0 {
			t.Fatalf("%s with more to serve, %s with less", more, w)
		}
		if more, err := Wait(n+1, Int(lambda), Int(mu)); err != nil || lambda > 0 && more.Cmp(w) >= 0 {
			t.Fatalf("%s with an officer more, %s without; %v", more, w, err)
		}
		even, err := WaitVaried(n, Int(lambda), Int(mu), Int(1), Int(1))
		if err != nil || Round(even, 25).Cmp(Round(w, 25)) != 0 {
			t.Fatalf("at random %s, %s; %v", even, w, err)
		}
	})
}

func TestFluid(t *testing.T) {
	for _, test := range []struct{ name, backlog, capacity, demand, want string }{
		{"Petrapole", "2100", "300", "0", "7.0"},
		{"Petrapole with new ones", "2100", "300", "250", "42.0"},
		{"Mirjaveh, a week as the unit", "600", "150", "0", "4.0"},
		{"Torkham", "4500", "1000", "800", "22.5"},
	} {
		d, err := Clear(dec(t, test.backlog), dec(t, test.capacity), dec(t, test.demand))
		told(t, test.name, d, err, test.want)
	}
	week := func(perDay int64) *apd.Decimal {
		r, err := Ratio(3*perDay, 7)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	for _, test := range []struct {
		name    string
		backlog int64
		perDay  int64
		want    string
	}{{"Mirjaveh", 600, 50, "28.0"}, {"Rimdan", 100, 20, "11.7"}, {"Mirjaveh at ten a day", 600, 10, "140.0"}} {
		d, err := Clear(Int(test.backlog), week(test.perDay), Int(0))
		told(t, test.name, d, err, test.want)
	}
	if d, err := Clear(Int(1), Int(7), Int(7)); !errors.Is(err, ErrUnstable) {
		t.Error(d, err)
	}
	for _, test := range []struct{ name, queue, rate, want string }{
		{"Chernyshevskoye, hours", "90", "5", "18.0"},
		{"Torkham, days", "2500", "450", "5.6"},
		{"Nur Zholy, days", "1500", "725", "2.1"},
		{"Nur Zholy in 2021, days", "10346", "50", "206.9"},
	} {
		w, err := WaitBehind(dec(t, test.queue), dec(t, test.rate))
		told(t, test.name, w, err, test.want)
	}
	if _, err := WaitBehind(Int(1), Int(0)); !errors.Is(err, ErrRange) {
		t.Error(err)
	}
}

func TestRate(t *testing.T) {
	for _, test := range []struct{ count, units, want string }{
		{"360000", "3600", "100"}, {"480000", "3600", "133"}, {"383000000", "10800", "35463"}, {"8000000", "10800", "741"}, {"14500000", "10800", "1343"},
		{"626000", "365", "1715"}, {"151000", "365", "414"}, {"2600000", "1095", "2374"}, {"524589", "1095", "479"}, {"39731603", "808", "49173"},
		{"25000", "638.89", "39"},
	} {
		r, err := Rate(dec(t, test.count), dec(t, test.units))
		told(t, test.count, r, err, test.want)
	}
}

func TestReopen(t *testing.T) {
	date := calendar.MustDate
	three := []time.Weekday{time.Saturday, time.Monday, time.Wednesday}
	for _, test := range []struct {
		name    string
		backlog int64
		stages  []Stage
		want    End
		err     error
	}{
		// 600 stranded, 50 on Saturday, Monday and Wednesday: twelve open days, and 28 days
		// of the flow end on the 28th day or, as here, the open day before it.
		{"Mirjaveh in May 2020", 600, []Stage{{From: date("2020-05-11"), Days: three, Capacity: 50}},
			End{On: date("2020-06-06"), Days: 27, OpenDays: 12, Most: 600}, nil},
		{"the same, daily from 19 June", 900, []Stage{{From: date("2020-05-11"), Days: three, Capacity: 50}, {From: date("2020-06-19"), Capacity: 100}},
			End{On: date("2020-06-19"), Days: 40, OpenDays: 18, Most: 900}, nil},
		{"twenty on three days, then daily, with new ones", 100, []Stage{{From: date("2020-04-25"), Days: three, Capacity: 20, Demand: 5}, {From: date("2020-05-11"), Capacity: 20, Demand: 5}},
			End{On: date("2020-05-13"), Days: 19, OpenDays: 10, Most: 100}, nil},
		{"nothing waits", 0, []Stage{{From: date("2020-05-11")}}, End{On: date("2020-05-11")}, nil},
		{"never", 10, []Stage{{From: date("2020-05-11"), Capacity: 7, Demand: 7}}, End{On: date("2030-05-18"), Days: MaxDays, OpenDays: MaxDays, Left: 10, Most: 10}, ErrUnstable},
		{"stages out of order", 1, []Stage{{From: date("2020-05-11")}, {From: date("2020-05-11")}}, End{}, ErrRange},
		{"no stage", 1, nil, End{}, ErrRange},
	} {
		got, err := Reopen(test.backlog, test.stages)
		if got != test.want || !errors.Is(err, test.err) {
			t.Errorf("%s: %+v, %v", test.name, got, err)
		}
	}
}

// Day by day the end is where the flow has it, within a week of open days.
func TestReopenAndFlow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		capacity := rapid.Int64Range(2, 200).Draw(t, "capacity")
		demand := rapid.Int64Range(0, capacity-1).Draw(t, "demand")
		backlog := rapid.Int64Range(1, 2000).Draw(t, "backlog")
		s := []Stage{{From: calendar.MustDate("2020-05-11"), Capacity: capacity, Demand: demand}}
		e, err := Reopen(backlog, s)
		if err != nil {
			t.Fatal(err)
		}
		if want := (backlog + capacity - demand - 1) / (capacity - demand); int64(e.Days) != want {
			t.Fatalf("%d days, want %d", e.Days, want)
		}
		s[0].Days = []time.Weekday{time.Monday}
		if slow, err := Reopen(backlog, s); err == nil && slow.Days < e.Days {
			t.Fatalf("%d days with fewer open", slow.Days)
		}
	})
}

func TestBookings(t *testing.T) {
	for _, test := range []struct {
		capacity int
		want     [4]int
	}{{10, [4]int{10, 10, 10, 11}}, {20, [4]int{20, 20, 22, 24}}, {25, [4]int{25, 25, 27, 30}}, {50, [4]int{50, 52, 57, 63}}, {100, [4]int{102, 106, 116, 131}}} {
		for i, p := range [...]string{"0.05", "0.10", "0.20", "0.30"} {
			if n, err := Bookings(test.capacity, dec(t, p), dec(t, "0.05")); err != nil || n != test.want[i] {
				t.Errorf("%d with %s absent: %d, %v", test.capacity, p, n, err)
			}
		}
	}
	// Two for one place: both come one time in four, which is not more than that.
	if n, err := Bookings(1, dec(t, "0.5"), dec(t, "0.25")); err != nil || n != 2 {
		t.Error(n, err)
	}
	for _, test := range []struct{ absent, alpha string }{{"1", "0.05"}, {"0.1", "1"}, {"-0.1", "0.05"}, {"NaN", "0.05"}} {
		if n, err := Bookings(10, dec(t, test.absent), dec(t, test.alpha)); !errors.Is(err, ErrRange) {
			t.Errorf("%+v: %d, %v", test, n, err)
		}
	}
	if n, err := Bookings(10_000, dec(t, "0.9"), dec(t, "0.05")); !errors.Is(err, ErrRange) {
		t.Errorf("%d, %v", n, err)
	}
}

func TestBookingsProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		capacity := rapid.IntRange(1, 60).Draw(t, "capacity")
		absent, alpha := apd.New(rapid.Int64Range(0, 60).Draw(t, "absent"), -2), apd.New(rapid.Int64Range(0, 40).Draw(t, "alpha"), -2)
		n, err := Bookings(capacity, absent, alpha)
		if err != nil || n < capacity || (absent.IsZero() || alpha.IsZero()) && n != capacity {
			t.Fatalf("%d, %v", n, err)
		}
		if m, err := Bookings(capacity, apd.New(absent.Coeff.Int64()+5, -2), alpha); err != nil || m < n {
			t.Fatalf("%d with more absent, %d; %v", m, n, err)
		}
		// the definition, by the sum itself, at n and at n+1
		tail := func(n int) *apd.Decimal {
			var c calc
			sum, q := Int(0), c.sub(Int(1), absent)
			for k := capacity + 1; k <= n; k++ {
				choose := Int(1)
				for i := 1; i <= k; i++ {
					choose = c.quo(c.mul(choose, Int(int64(n-k+i))), Int(int64(i)))
				}
				p := Int(1)
				if n > k {
					p = c.pow(absent, int64(n-k))
				}
				sum = c.add(sum, c.mul(choose, c.mul(c.pow(q, int64(k)), p)))
			}
			if c.err != nil {
				t.Fatal(c.err)
			}
			return Round(sum, 25)
		}
		if tail(n).Cmp(alpha) > 0 || tail(n+1).Cmp(alpha) <= 0 {
			t.Fatalf("%d: %s, then %s", n, tail(n), tail(n+1))
		}
	})
}

// A market day of 1,200 buyers of each side and 54 vendors, open from ten to four.
func TestContacts(t *testing.T) {
	for _, test := range []struct {
		name   string
		until  int
		people int64
		stay   int
		peak   string
		hours  string
	}{
		{"all in two hours", 12 * 60, 2400, 90, "1854", "5.26"},
		{"all in three hours", 13 * 60, 2400, 90, "1254", "4.00"},
		{"over four and a half", 14*60 + 30, 2400, 90, "854", "2.96"},
		{"half of them", 14*60 + 30, 1200, 90, "454", "0.85"},
		{"an hour each", 14*60 + 30, 2400, 60, "587", "1.46"},
	} {
		c, err := Crowd{Open: 600, Close: 960, There: 54, Waves: []Wave{{600, test.until, test.people}}, Stay: test.stay}.Contacts()
		if err != nil {
			t.Fatal(err)
		}
		told(t, test.name, c.Peak, nil, test.peak)
		millions, err := WaitBehind(c.Hours, Int(1_000_000))
		told(t, test.name, millions, err, test.hours)
	}
	// 54 who stay six hours: 54·53·6
	c, err := Crowd{Open: 600, Close: 960, There: 54, Stay: 60}.Contacts()
	told(t, "vendors alone", c.Hours, err, "17172.000")
	for _, w := range []Crowd{{Open: 600, Close: 600, Stay: 1}, {Open: 0, Close: 60}, {Close: 60, Stay: 1, Waves: []Wave{{30, 30, 1}}}, {Close: 60, Stay: 1, Waves: []Wave{{30, 61, 1}}}, {Close: 60, Stay: 1, There: -1}} {
		if _, err := w.Contacts(); !errors.Is(err, ErrRange) {
			t.Errorf("%+v: %v", w, err)
		}
	}
}

// The same people over a longer time are never closer, and two waves are as one.
func TestContactsProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		people, stay := rapid.Int64Range(1, 2000).Draw(t, "people"), rapid.IntRange(1, 200).Draw(t, "stay")
		until := rapid.IntRange(1, 239).Draw(t, "until")
		of := func(waves ...Wave) Contacts {
			c, err := Crowd{Close: 600, Waves: waves, Stay: stay}.Contacts()
			if err != nil {
				t.Fatal(err)
			}
			return c
		}
		one := of(Wave{0, until, people})
		if wide := of(Wave{0, until + 1, people}); wide.Hours.Cmp(one.Hours) > 0 || wide.Peak.Cmp(one.Peak) > 0 {
			t.Fatalf("%s contact-hours, %s where they come over a longer time", one.Hours, wide.Hours)
		}
		two := of(Wave{0, until, people / 2}, Wave{0, until, people - people/2})
		if Round(two.Hours, 15).Cmp(Round(one.Hours, 15)) != 0 {
			t.Fatalf("%s as one, %s as two", one.Hours, two.Hours)
		}
	})
}

func TestOverlap(t *testing.T) {
	for _, test := range []struct{ lambda, others, hours string }{{"400", "1200", "900"}, {"533.3", "1600", "1200"}} {
		others, hours, err := Overlap(dec(t, test.lambda), dec(t, "1.5"))
		told(t, test.lambda, others, err, test.others)
		told(t, test.lambda, hours, err, test.hours)
	}
	if _, _, err := Overlap(Int(-1), Int(1)); !errors.Is(err, ErrRange) {
		t.Error(err)
	}
}

// A hall of 300 m³; somebody who breathes 0.54 m³ an hour.
func TestInfection(t *testing.T) {
	for quanta, changes := range map[string]map[string][3]string{
		"0.13": {"1": {"0.00006", "0.00023", "0.00070"}, "4": {"0.00001", "0.00006", "0.00018"}, "10": {"0.00001", "0.00002", "0.00007"}},
		"3.8":  {"1": {"0.00171", "0.00682", "0.02031"}, "4": {"0.00043", "0.00171", "0.00512"}, "10": {"0.00017", "0.00068", "0.00205"}},
	} {
		for change, wants := range changes {
			var c calc
			air := c.mul(Int(300), dec(t, change))
			for i, hours := range [...]string{"0.25", "1", "3"} {
				p, err := Infection(Int(1), dec(t, quanta), dec(t, "0.54"), dec(t, hours), air)
				told(t, fmt.Sprint(quanta, " ", change, " ", hours), p, err, wants[i])
			}
		}
	}
	if _, err := Infection(Int(1), Int(1), Int(1), Int(1), Int(0)); !errors.Is(err, ErrRange) {
		t.Error(err)
	}
	if p, err := Infection(Int(1_000_000), Int(1_000_000), Int(1), Int(1), Int(1)); err != nil || p.Cmp(Int(1)) != 0 {
		t.Error(p, err)
	}
}

func TestLapses(t *testing.T) {
	for _, test := range []struct {
		validity int64
		want     [4]string
	}{
		{48, [4]string{"0.14", "0.37", "0.61", "0.72"}}, {72, [4]string{"0.02", "0.14", "0.37", "0.51"}},
		{168, [4]string{"0.00", "0.00", "0.05", "0.14"}}, {336, [4]string{"0.00", "0.00", "0.00", "0.01"}},
	} {
		for i, mean := range [...]int64{12, 24, 48, 72} {
			p, err := Lapses(Int(test.validity), Int(24), Int(mean))
			told(t, fmt.Sprint(test.validity, " ", mean), p, err, test.want[i])
		}
	}
	for _, test := range []struct {
		validity, age, mean int64
		want                string
	}{{24, 24, 1, "1"}, {24, 24, 0, "1"}, {24, 25, 0, "1"}, {24, 23, 0, "0"}} {
		p, err := Lapses(Int(test.validity), Int(test.age), Int(test.mean))
		told(t, fmt.Sprint(test), p, err, test.want)
	}
	if _, err := Lapses(Int(1), Int(-1), Int(1)); !errors.Is(err, ErrRange) {
		t.Error(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int64Range(0, 1000)
		v, a, w := n.Draw(t, "validity"), n.Draw(t, "age"), n.Draw(t, "mean")
		p, err := Lapses(Int(v), Int(a), Int(w))
		older, err2 := Lapses(Int(v), Int(a+1), Int(w))
		longer, err3 := Lapses(Int(v), Int(a), Int(w+1))
		if err != nil || err2 != nil || err3 != nil || p.Sign() < 0 || p.Cmp(Int(1)) > 0 || older.Cmp(p) < 0 || longer.Cmp(p) < 0 {
			t.Fatal(p, older, longer, err, err2, err3)
		}
	})
}

func TestShares(t *testing.T) {
	round := [][]string{{"operator", "perishable"}, {"perishable"}, {"operator"}, {"ordinary"}, {"ordinary"}, {"ordinary"}, {"ordinary"}, {"ordinary"}}
	got := fmt.Sprint(Shares(round))
	if want := "[{operator 2 1 8} {ordinary 5 5 8} {perishable 2 1 8}]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := Shares([][]string{{"a", "a"}}); got[0] != (Share{"a", 1, 1, 1}) {
		t.Errorf("%+v", got)
	}
}

// The results are the same bytes everywhere: 34 digits of them.
func TestBytes(t *testing.T) {
	w, err := Wait(4, Int(22), dec(t, "6.25"))
	if err != nil {
		t.Fatal(err)
	}
	p, err := Lapses(Int(48), Int(24), Int(72))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := w.String()+" "+p.String(), "0.2492443477993428243921374998233621 0.7165313105737892504256040969253797"; got != want {
		t.Errorf("got %s", got)
	}
}
