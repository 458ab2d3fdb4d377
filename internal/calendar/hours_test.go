// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package calendar

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func mustSpan(s string) Span {
	v, err := ParseSpan(s)
	if err != nil {
		panic(err)
	}
	return v
}

func spansOf(list ...string) []Span {
	var out []Span
	for _, s := range list {
		out = append(out, mustSpan(s))
	}
	return out
}

func schedule(t *testing.T, h Hours) *Schedule {
	t.Helper()
	s, err := NewSchedule(h)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestParseMinute(t *testing.T) {
	for s, want := range map[string]Minute{"00:00": 0, "08:30": 510, "23:59": 1439, "24:00": 1440} {
		got, err := ParseMinute(s)
		if err != nil || got != want || got.String() != s {
			t.Errorf("ParseMinute(%q) = %d, %v", s, got, err)
		}
		if b, err := want.MarshalText(); err != nil || string(b) != s {
			t.Errorf("%d is written %q, %v", want, b, err)
		}
		var m Minute
		if err := m.UnmarshalText([]byte(s)); err != nil || m != want {
			t.Errorf("%q is %d, %v", s, m, err)
		}
	}
	for _, s := range []string{"", "8:30", "08:3", "08:60", "24:01", "25:00", "-1:00", "08.30", "08:30 ", "0830", "۰۸:۳۰", "aa:bb"} {
		if m, err := ParseMinute(s); !errors.Is(err, ErrHours) {
			t.Errorf("ParseMinute(%q) = %d, %v", s, m, err)
		}
		var m Minute
		if err := m.UnmarshalText([]byte(s)); !errors.Is(err, ErrHours) {
			t.Errorf("%q is %d, %v", s, m, err)
		}
	}
	for _, m := range []Minute{-1, 1441} {
		if b, err := m.MarshalText(); err == nil {
			t.Errorf("%d is written %q", int(m), b)
		}
	}
}

func TestParseSpan(t *testing.T) {
	for s, want := range map[string]Span{"08:30-17:00": {510, 1020}, "00:00-24:00": {0, 1440}, "08:30 - 17:00": {510, 1020}, "23:59-24:00": {1439, 1440}} {
		got, err := ParseSpan(s)
		if err != nil || got != want || got.String() != strings.ReplaceAll(s, " ", "") {
			t.Errorf("ParseSpan(%q) = %v, %v", s, got, err)
		}
	}
	for _, s := range []string{"", "08:30", "08:30-", "-17:00", "17:00-08:30", "08:30-08:30", "24:00-24:00", "08:30-17:00-18:00", "08:30–17:00"} {
		if x, err := ParseSpan(s); !errors.Is(err, ErrHours) {
			t.Errorf("ParseSpan(%q) = %v, %v", s, x, err)
		}
	}
}

func TestParseWeekday(t *testing.T) {
	for s, want := range map[string]time.Weekday{"sunday": 0, "Sun": 0, "FRI": 5, "Friday": 5, "sat": 6} {
		if got, ok := ParseWeekday(s); !ok || got != want {
			t.Errorf("ParseWeekday(%q) = %v, %v", s, got, ok)
		}
	}
	for _, s := range []string{"", "s", "su", "frid", "fridays", "جمعه", " fri"} {
		if got, ok := ParseWeekday(s); ok {
			t.Errorf("ParseWeekday(%q) = %v", s, got)
		}
	}
}

func TestNewScheduleRefuses(t *testing.T) {
	week := func(w ...Weekly) Hours { return Hours{Zone: "Asia/Karachi", Weekly: w} }
	except := func(x ...Exception) Hours { return Hours{Zone: "Asia/Karachi", Exceptions: x} }
	day := MustDate("2025-09-02")
	tests := []struct {
		name  string
		hours Hours
		want  error
	}{
		{"zone", Hours{Zone: "Asia/Quetta"}, ErrZone},
		{"no zone", Hours{}, ErrZone},
		{"overlap", week(Weekly{Spans: spansOf("08:00-12:00", "11:59-17:00")}), ErrHours},
		{"same twice", week(Weekly{Spans: spansOf("08:00-12:00", "08:00-12:00")}), ErrHours},
		{"one inside the other", week(Weekly{Spans: spansOf("08:00-18:00", "09:00-10:00")}), ErrHours},
		{"overlap of two entries", week(Weekly{Class: "cargo", Spans: spansOf("08:00-12:00")}, Weekly{Class: "cargo", Days: []time.Weekday{5}, Spans: spansOf("11:00-13:00")}), ErrHours},
		{"backwards", week(Weekly{Spans: []Span{{600, 500}}}), ErrHours},
		{"empty", week(Weekly{Spans: []Span{{600, 600}}}), ErrHours},
		{"before the day", week(Weekly{Spans: []Span{{-1, 600}}}), ErrHours},
		{"after the day", week(Weekly{Spans: []Span{{600, 1441}}}), ErrHours},
		{"weekday", week(Weekly{Days: []time.Weekday{7}, Spans: spansOf("08:00-12:00")}), ErrHours},
		{"negative weekday", week(Weekly{Days: []time.Weekday{-1}, Spans: spansOf("08:00-12:00")}), ErrHours},
		{"exception without a date", except(Exception{Closed: true}), ErrHours},
		{"exception on no date", except(Exception{On: Date{2025, 2, 30}, Closed: true}), ErrHours},
		{"exception that does nothing", except(Exception{On: day}), ErrHours},
		{"span of an exception", except(Exception{On: day, Spans: []Span{{600, 500}}}), ErrHours},
	}
	for _, x := range tests {
		if _, err := NewSchedule(x.hours); !errors.Is(err, x.want) {
			t.Errorf("%s: got %v, want %v", x.name, err, x.want)
		}
	}
	// Touching is not overlapping, nor is the same time of two classes, directions or days.
	s := schedule(t, week(
		Weekly{Spans: spansOf("12:00-17:00", "08:00-12:00")},
		Weekly{Class: "cargo", Spans: spansOf("08:00-09:00")},
		Weekly{Class: "cargo", Direction: "in", Days: []time.Weekday{1}, Spans: spansOf("08:00-09:00")},
		Weekly{Class: "cargo", Direction: "in", Days: []time.Weekday{2}, Spans: spansOf("08:00-09:00")},
	))
	if got := s.Spans("visitor", "in", day); !slices.Equal(got, spansOf("08:00-17:00")) {
		t.Errorf("spans that touch are %v", got)
	}
}

// TestHalfOpen: the first minute is in, the last is not, to the second and less.
func TestHalfOpen(t *testing.T) {
	s := schedule(t, Hours{Zone: "Asia/Karachi", Weekly: []Weekly{{Spans: spansOf("08:30-17:00")}}})
	at := func(clock string) time.Time {
		v, err := time.ParseInLocation("2006-01-02 15:04:05.999999999", "2025-09-02 "+clock, s.Location())
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for clock, want := range map[string]bool{
		"08:29:59.999999999": false, "08:30:00": true, "08:30:00.000000001": true, "12:00:00": true,
		"16:59:59.999999999": true, "17:00:00": false, "17:00:00.000000001": false, "00:00:00": false,
	} {
		if got := s.OpenAt("visitor", "in", at(clock)); got != want {
			t.Errorf("%s: %v", clock, got)
		}
		if got := s.OpenAt("visitor", "in", at(clock).UTC()); got != want {
			t.Errorf("%s, named in UTC: %v", clock, got)
		}
	}
}

// TestMostExact: class and direction together, then class, then direction, then the entry
// for all; the one that is found decides alone.
func TestMostExact(t *testing.T) {
	s := schedule(t, Hours{Zone: "Asia/Karachi", Weekly: []Weekly{
		{Spans: spansOf("08:00-12:00")},
		{Direction: "out", Spans: spansOf("08:00-14:00")},
		{Class: "cargo", Spans: spansOf("06:00-20:00")},
		{Class: "cargo", Direction: "out", Days: []time.Weekday{time.Monday}, Spans: spansOf("10:00-11:00")},
		{Class: "tourist"},
	}})
	monday, tuesday := MustDate("2025-09-01"), MustDate("2025-09-02")
	tests := []struct {
		class, direction string
		on               Date
		want             []Span
	}{
		{"visitor", "in", tuesday, spansOf("08:00-12:00")},
		{"visitor", "out", tuesday, spansOf("08:00-14:00")},
		{"cargo", "in", tuesday, spansOf("06:00-20:00")},
		{"cargo", "out", monday, spansOf("10:00-11:00")},
		{"cargo", "out", tuesday, nil},
		{"tourist", "out", tuesday, nil},
		{"", "", tuesday, spansOf("08:00-12:00")},
	}
	for _, x := range tests {
		if got := s.Spans(x.class, x.direction, x.on); !slices.Equal(got, x.want) {
			t.Errorf("%s %s on %s: %v, want %v", x.class, x.direction, x.on, got, x.want)
		}
	}
}

// TestClosingWins, whatever the order and the class.
func TestClosingWins(t *testing.T) {
	day, next := MustDate("2025-09-02"), MustDate("2025-09-03")
	opens := Exception{On: day, Spans: spansOf("06:00-10:00")}
	closes := Exception{On: day, Closed: true, Spans: spansOf("09:00-11:00")}
	cargo := Exception{On: day, Class: "cargo", Closed: true}
	outward := Exception{On: day, Direction: "out", Spans: spansOf("20:00-21:00")}
	all := []Exception{opens, closes, cargo, outward}
	rapid.Check(t, func(t *rapid.T) {
		s, err := NewSchedule(Hours{Zone: "Asia/Karachi", Weekly: []Weekly{{Spans: spansOf("08:00-17:00")}}, Exceptions: rapid.Permutation(all).Draw(t, "order")})
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range []struct {
			class, direction string
			on               Date
			want             []Span
		}{
			{"visitor", "in", day, spansOf("06:00-09:00", "11:00-17:00")},
			{"visitor", "out", day, spansOf("06:00-09:00", "11:00-17:00", "20:00-21:00")},
			{"cargo", "out", day, nil},
			{"cargo", "out", next, spansOf("08:00-17:00")},
		} {
			if got := s.Spans(x.class, x.direction, x.on); !slices.Equal(got, x.want) {
				t.Fatalf("%s %s on %s: %v, want %v", x.class, x.direction, x.on, got, x.want)
			}
		}
	})
}

// TestScheduleKeeps: the schedule does not change with what its maker does later.
func TestScheduleKeeps(t *testing.T) {
	h := Hours{Zone: "UTC", Weekly: []Weekly{{Spans: spansOf("08:00-17:00")}}, Exceptions: []Exception{{On: MustDate("2025-09-02"), Spans: spansOf("18:00-19:00")}}}
	s := schedule(t, h)
	h.Weekly[0].Spans[0] = Span{0, 1}
	h.Exceptions[0].Spans[0] = Span{0, 1}
	want := spansOf("08:00-17:00", "18:00-19:00")
	for range 2 {
		if got := s.Spans("", "", MustDate("2025-09-02")); !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	}
}

// spanList draws spans of a day without overlap.
var spanList = rapid.Custom(func(t *rapid.T) []Span {
	cuts := rapid.SliceOfNDistinct(rapid.OneOf(rapid.IntRange(0, 1440), rapid.SampledFrom([]int{0, 1440, 60, 720})), 0, 6, rapid.ID[int]).Draw(t, "cuts")
	slices.Sort(cuts)
	var out []Span
	for i := 0; i+1 < len(cuts); i += 2 {
		out = append(out, Span{Minute(cuts[i]), Minute(cuts[i+1])})
	}
	return out
})

// hoursAround draws hours with exceptions near a date. Classes and directions are few, so
// that they meet.
func hoursAround(zone string, d Date) *rapid.Generator[Hours] {
	class := rapid.SampledFrom([]string{"", "cargo"})
	direction := rapid.SampledFrom([]string{"", "in"})
	return rapid.Custom(func(t *rapid.T) Hours {
		h := Hours{Zone: zone}
		taken := map[[2]string]bool{}
		for range rapid.IntRange(0, 4).Draw(t, "entries") {
			w := Weekly{Class: class.Draw(t, "class"), Direction: direction.Draw(t, "direction")}
			if taken[[2]string{w.Class, w.Direction}] {
				continue // one entry for each: overlap is another test's
			}
			taken[[2]string{w.Class, w.Direction}] = true
			w.Days = rapid.SliceOfNDistinct(rapid.Map(rapid.IntRange(0, 6), func(n int) time.Weekday { return time.Weekday(n) }), 0, 7, rapid.ID[time.Weekday]).Draw(t, "days")
			w.Spans = spanList.Draw(t, "spans")
			h.Weekly = append(h.Weekly, w)
		}
		for range rapid.IntRange(0, 4).Draw(t, "exceptions") {
			x := Exception{On: d.AddDays(rapid.IntRange(-1, 9).Draw(t, "on")), Class: class.Draw(t, "class"), Direction: direction.Draw(t, "direction"),
				Closed: rapid.Bool().Draw(t, "closed"), Spans: spanList.Draw(t, "spans")}
			if !x.Closed && len(x.Spans) == 0 {
				continue
			}
			h.Exceptions = append(h.Exceptions, x)
		}
		return h
	})
}

// openByHand says whether a minute of a date is open, from the hours as they are written
// and minute by minute: the model that Schedule is held against.
func openByHand(h Hours, class, direction string, on Date, m Minute) bool {
	in := func(spans []Span) bool {
		return slices.ContainsFunc(spans, func(s Span) bool { return s.From <= m && m < s.To })
	}
	open, found := false, false
	for _, exact := range [][2]string{{class, direction}, {class, ""}, {"", direction}, {"", ""}} {
		for _, w := range h.Weekly {
			if found || [2]string{w.Class, w.Direction} != exact {
				continue
			}
			for _, v := range h.Weekly {
				if v.Class == w.Class && v.Direction == w.Direction && (len(v.Days) == 0 || slices.Contains(v.Days, on.Weekday())) {
					open = open || in(v.Spans)
				}
			}
			found = true
		}
	}
	for _, closed := range []bool{false, true} {
		for _, x := range h.Exceptions {
			applies := x.On == on && (x.Class == "" || x.Class == class) && (x.Direction == "" || x.Direction == direction)
			if applies && x.Closed == closed && (in(x.Spans) || closed && len(x.Spans) == 0) {
				open = !closed
			}
		}
	}
	return open
}

// days is how far the model looks.
const days = 12

// walk is whether each minute of some days is open by hand, in a zone whose clock is not
// changed in them.
func walk(h Hours, class, direction string, from Date) []bool {
	var out []bool
	for i := range days {
		for m := range EndOfDay {
			out = append(out, openByHand(h, class, direction, from.AddDays(i), m))
		}
	}
	return out
}

// TestScheduleByHand holds OpenAt, Next, Until and Spans against the model.
func TestScheduleByHand(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := FromDays(rapid.IntRange(MustDate("2023-01-01").Days(), MustDate("2030-12-31").Days()).Draw(t, "day"))
		h := hoursAround(rapid.SampledFrom([]string{"Asia/Karachi", "Asia/Tehran", "UTC"}).Draw(t, "zone"), d).Draw(t, "hours")
		s, err := NewSchedule(h)
		if err != nil {
			t.Fatal(err)
		}
		class := rapid.SampledFrom([]string{"", "cargo", "visitor"}).Draw(t, "class")
		direction := rapid.SampledFrom([]string{"", "in", "out"}).Draw(t, "direction")
		open := walk(h, class, direction, d)
		start := d.Start(s.Location())

		n := rapid.IntRange(0, 3*int(EndOfDay)).Draw(t, "minute")
		at := start.Add(time.Duration(n) * time.Minute).Add(time.Duration(rapid.Int64Range(0, int64(time.Minute)-1).Draw(t, "within")))
		if got := s.OpenAt(class, direction, at); got != open[n] {
			t.Fatalf("open at %s: %v", at, got)
		}

		want, found := at, open[n]
		for i := n + 1; i < len(open) && !found; i++ {
			want, found = start.Add(time.Duration(i)*time.Minute), open[i]
		}
		got, ok := s.Next(class, direction, at)
		switch {
		case found && (!ok || !got.Equal(want)):
			t.Fatalf("next at %s: %s, %v, want %s", at, got, ok, want)
		case !found && ok && got.Before(start.AddDate(0, 0, days)):
			t.Fatalf("next at %s: %s, want none so soon", at, got)
		}

		i := n
		for i < len(open) && open[i] {
			i++
		}
		got, ok = s.Until(class, direction, at)
		switch want := start.Add(time.Duration(i) * time.Minute); {
		case !open[n] && ok:
			t.Fatalf("closed at %s, but open until %s", at, got)
		case open[n] && i < len(open) && (!ok || !got.Equal(want)):
			t.Fatalf("until at %s: %s, %v, want %s", at, got, ok, want)
		case open[n] && i == len(open) && ok && got.Before(want):
			t.Fatalf("until at %s: %s, want later", at, got)
		}

		for _, x := range s.Spans(class, direction, d) {
			if x.check() != nil || x.From > 0 && open[x.From-1] || x.To < EndOfDay && open[x.To] {
				t.Fatalf("%s is not a whole span", x)
			}
		}
	})
}

// TestChangingClocks: where the clock jumps, an instant is open where it lies between the
// two instants of a span, by a walk for each.
func TestChangingClocks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := rapid.SampledFrom(changes).Draw(t, "change")
		d := MustDate(x.on)
		h := hoursAround(x.zone, d).Draw(t, "hours")
		s, err := NewSchedule(h)
		if err != nil {
			t.Fatal(err)
		}
		minutes := rapid.OneOf(rapid.IntRange(-26*60, 50*60), rapid.IntRange(-90, 240))
		at := d.Start(s.Location()).Add(time.Duration(minutes.Draw(t, "minute")) * time.Minute)
		want := false
		for n := -2; n <= 2; n++ {
			on := On(at, s.Location()).AddDays(n)
			for _, span := range s.Spans("cargo", "in", on) {
				from, to := firstShowing(on, span.From, s.Location()), firstShowing(on, span.To, s.Location())
				want = want || !at.Before(from) && at.Before(to)
			}
		}
		if got := s.OpenAt("cargo", "in", at); got != want {
			t.Fatalf("%s in %s: open %v, want %v", at, x.zone, got, want)
		}
		if until, ok := s.Until("cargo", "in", at); ok && (s.OpenAt("cargo", "in", until) || !until.After(at) || !s.OpenAt("cargo", "in", until.Add(-time.Nanosecond))) {
			t.Fatalf("%s in %s: until %s", at, x.zone, until)
		}
		if next, ok := s.Next("cargo", "in", at); ok && (!s.OpenAt("cargo", "in", next) || next.Before(at) || next.After(at) && s.OpenAt("cargo", "in", next.Add(-time.Nanosecond))) {
			t.Fatalf("%s in %s: next %s", at, x.zone, next)
		}
	})
}

// TestIranSummerTime: the same hours are other instants after Iran gave up summer time,
// and shared hours of both sides are an hour apart from what older data says.
func TestIranSummerTime(t *testing.T) {
	weekly := []Weekly{{Spans: spansOf("08:00-17:00")}}
	iran := schedule(t, Hours{Zone: "Asia/Tehran", Weekly: weekly})
	pakistan := schedule(t, Hours{Zone: "Asia/Karachi", Weekly: weekly})
	for on, want := range map[string]string{"2022-07-01": "03:30-12:00", "2023-07-01": "04:30-12:00", "2025-09-02": "04:30-12:00"} {
		d := MustDate(on)
		both := Intersect(iran.Intervals("", "", d), pakistan.Intervals("", "", d))
		if len(both) != 1 {
			t.Fatalf("%s: %v", on, both)
		}
		if got := both[0].From.UTC().Format("15:04") + "-" + both[0].To.UTC().Format("15:04"); got != want {
			t.Errorf("%s: %s, want %s", on, got, want)
		}
	}
}

// TestPutBackAfterMidnight: where a minute after midnight is an hour before it again, the
// hour that the clock shows as the day before belongs to the day that had begun.
func TestPutBackAfterMidnight(t *testing.T) {
	s := schedule(t, Hours{Zone: "America/St_Johns", Exceptions: []Exception{{On: MustDate("2006-10-29"), Spans: spansOf("00:00-01:00")}}})
	again := MustDate("2006-10-29").Start(s.Location()).Add(30 * time.Minute)
	if got := again.Format("2006-01-02 15:04"); got != "2006-10-28 23:30" {
		t.Fatalf("half an hour into the day it is %s", got)
	}
	if !s.OpenAt("", "", again) {
		t.Error("closed in the hour that came twice")
	}
	if got, ok := s.Until("", "", again); !ok || !got.Equal(again.Add(90*time.Minute)) {
		t.Errorf("open until %s, %v", got, ok)
	}
}

func TestHoursOverMidnight(t *testing.T) {
	s := schedule(t, Hours{Zone: "Asia/Karachi", Weekly: []Weekly{{Spans: spansOf("00:00-02:00", "20:00-24:00")}}})
	at := MustDate("2025-09-02").At(22*60, s.Location())
	want := MustDate("2025-09-03").At(2*60, s.Location())
	if got, ok := s.Until("", "", at); !ok || !got.Equal(want) {
		t.Errorf("until %s, %v, want %s", got, ok, want)
	}
	always := schedule(t, Hours{Zone: "Asia/Karachi", Weekly: []Weekly{{Spans: spansOf("00:00-24:00")}}})
	if got, ok := always.Until("", "", at); ok {
		t.Errorf("open for ever, until %s", got)
	}
	never := schedule(t, Hours{Zone: "Asia/Karachi"})
	if got, ok := never.Next("", "", at); ok {
		t.Errorf("never open, next %s", got)
	}
	yearly := schedule(t, Hours{Zone: "Asia/Karachi", Exceptions: []Exception{{On: MustDate("2026-09-02"), Spans: spansOf("08:00-09:00")}}})
	if got, ok := yearly.Next("", "", at); !ok || On(got, yearly.Location()) != MustDate("2026-09-02") {
		t.Errorf("in a year, next %s, %v", got, ok)
	}
}

func TestInterval(t *testing.T) {
	at := func(n int) time.Time { return time.Unix(int64(n), 0) }
	iv := func(a, b int) Interval { return Interval{at(a), at(b)} }
	if x := iv(2, 5); !x.Contains(at(2)) || x.Contains(at(5)) || x.Contains(at(1)) || x.Duration() != 3*time.Second || x.Empty() {
		t.Errorf("%v is wrong", x)
	}
	if x := iv(5, 2); !x.Empty() || x.Duration() != 0 || x.Contains(at(3)) || x.Overlaps(iv(0, 9)) || iv(0, 9).Overlaps(x) {
		t.Errorf("%v is wrong", x)
	}
	if iv(1, 2).Overlaps(iv(2, 3)) || !iv(1, 3).Overlaps(iv(2, 3)) || iv(2, 2).Overlaps(iv(1, 3)) {
		t.Error("Overlaps is wrong")
	}
	lists := rapid.Custom(func(t *rapid.T) []Interval {
		var out []Interval
		for _, s := range spanList.Draw(t, "spans") {
			out = append(out, iv(int(s.From), int(s.To)))
		}
		return out
	})
	contains := func(list []Interval, t time.Time) bool {
		return slices.ContainsFunc(list, func(x Interval) bool { return x.Contains(t) })
	}
	rapid.Check(t, func(t *rapid.T) {
		a, b := lists.Draw(t, "a"), lists.Draw(t, "b")
		both := Intersect(a, b)
		for n := range 1441 {
			if got, want := contains(both, at(n)), contains(a, at(n)) && contains(b, at(n)); got != want {
				t.Fatalf("at %d: %v, want %v", n, got, want)
			}
		}
		for i, x := range both {
			if x.Empty() || i > 0 && x.From.Before(both[i-1].To) {
				t.Fatalf("%v is not in order", both)
			}
		}
	})
}

func FuzzParseSpan(f *testing.F) {
	for _, s := range []string{"08:30-17:00", "00:00-24:00", " 08:30 - 17:00 ", "8-9", "mon"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if x, err := ParseSpan(s); err == nil {
			if y, err := ParseSpan(x.String()); err != nil || x != y || x.check() != nil {
				t.Errorf("%q is %v, then %v, %v", s, x, y, err)
			}
		}
		if m, err := ParseMinute(s); err == nil && m.String() != s {
			t.Errorf("%q is %v", s, m)
		}
		ParseWeekday(s)
	})
}

// TestSeasons holds hours to a part of every year, over the new year and in leap years.
func TestSeasons(t *testing.T) {
	season := func(s string) Season {
		v, err := ParseSeason(s)
		if err != nil || v.String() != s {
			t.Fatalf("%s: got %s, %v", s, v, err)
		}
		return v
	}
	s := schedule(t, Hours{Zone: "UTC", Weekly: []Weekly{
		{Spans: spansOf("09:30-16:30"), Season: season("03-01/09-30"), From: MustDate("2011-07-23")},
		{Spans: spansOf("09:30-15:30"), Season: season("10-01/02-29"), From: MustDate("2011-07-23")},
	}})
	for _, x := range []struct{ on, want string }{
		{"2011-07-22", ""},
		{"2011-07-23", "09:30-16:30"},
		{"2012-02-28", "09:30-15:30"},
		{"2012-02-29", "09:30-15:30"},
		{"2012-03-01", "09:30-16:30"},
		{"2013-02-28", "09:30-15:30"},
		{"2013-03-01", "09:30-16:30"},
		{"2030-09-30", "09:30-16:30"},
		{"2030-10-01", "09:30-15:30"},
		{"2030-12-31", "09:30-15:30"},
		{"2031-01-01", "09:30-15:30"},
	} {
		got := ""
		for _, p := range s.Spans("", "", MustDate(x.on)) {
			got += p.String()
		}
		if got != x.want {
			t.Errorf("on %s: got %q, want %q", x.on, got, x.want)
		}
	}
	if got := season("10-01/02-29").Turns()[1].In(2013); got != MustDate("2013-03-01") {
		t.Errorf("the season ends before %s", got)
	}
	if got := season("03-01/02-28").Turns()[1].In(2013); got != MustDate("2013-03-01") {
		t.Errorf("29 February of 2013 is %s", got)
	}
	for _, wrong := range []string{"", "03-01", "03-01/09-31", "3-1/9-30", "2011-03-01/2011-09-30", "01-01/12-31", "10-01/09-30"} {
		if v, err := ParseSeason(wrong); err == nil {
			t.Errorf("%q: got %s", wrong, v)
		}
	}
	if _, err := NewSchedule(Hours{Zone: "UTC", Weekly: []Weekly{
		{Spans: spansOf("08:00-12:00"), Season: season("03-01/09-30")}, {Spans: spansOf("11:00-13:00"), Season: season("09-30/10-05")},
	}}); err == nil {
		t.Error("hours that overlap on one day of the year are taken")
	}
}

// TestHoursUnknown: nobody knows the hours of a day, or the day.
func TestHoursUnknown(t *testing.T) {
	tuesday := []time.Weekday{time.Tuesday}
	s := schedule(t, Hours{Zone: "UTC", Weekly: []Weekly{
		{Days: tuesday, HoursUnknown: true},
		{Class: "cargo", DaysUnknown: true, Spans: spansOf("08:00-12:00")},
		{Class: "bus", DaysUnknown: true, HoursUnknown: true},
	}, Exceptions: []Exception{
		{On: MustDate("2020-06-09"), Closed: true},
		{On: MustDate("2020-06-16"), Closed: true, Spans: spansOf("12:00-24:00")},
		{On: MustDate("2020-06-23"), Spans: spansOf("10:00-11:00")},
	}})
	for _, x := range []struct {
		class, on string
		minute    Minute
		at, held  Tri
	}{
		{"", "2020-06-01", 600, No, No}, // a Monday
		{"", "2020-06-02", 600, Open, Yes},
		{"", "2020-06-02", 0, Open, Yes},
		{"", "2020-06-09", 600, No, No},
		{"", "2020-06-16", 600, Open, Open},
		{"", "2020-06-16", 780, No, Open},
		{"", "2020-06-23", 600, Yes, Yes},
		{"", "2020-06-23", 720, Open, Yes},
		{"cargo", "2020-06-01", 600, Open, Open},
		{"cargo", "2020-06-01", 780, No, Open},
		{"bus", "2020-06-03", 780, Open, Open},
	} {
		on := MustDate(x.on)
		if at, held := s.At(x.class, "in", on.At(x.minute, time.UTC)), s.Held(x.class, "in", on); at != x.at || held != x.held {
			t.Errorf("%s on %s at %s: got %d %d, want %d %d", x.class, x.on, x.minute, at, held, x.at, x.held)
		}
	}
	if len(s.Spans("", "", MustDate("2020-06-02"))) != 0 || s.Weekdays("", MustDate("2020-06-02")) != 1 || s.Weekdays("cargo", MustDate("2020-06-02")) != 0 {
		t.Error("hours that nobody knows are sure")
	}
	for _, w := range []Weekly{{HoursUnknown: true, Spans: spansOf("08:00-12:00")}, {DaysUnknown: true, Days: tuesday}} {
		if _, err := NewSchedule(Hours{Zone: "UTC", Weekly: []Weekly{w}}); err == nil {
			t.Errorf("%v is taken", w)
		}
	}
}
