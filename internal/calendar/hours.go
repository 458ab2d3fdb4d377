// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package calendar

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Minute is a minute of the day by the clock on the wall, 0 (00:00) to 1440
// (24:00, the end of the day).
type Minute int

// EndOfDay is 24:00.
const EndOfDay Minute = 24 * 60

// ErrHours is the error of opening hours that are not in order.
var ErrHours = errors.New("calendar: opening hours")

// ParseMinute reads five characters "08:30", from "00:00" to "24:00".
func ParseMinute(s string) (Minute, error) {
	if len(s) != 5 || s[2] != ':' {
		return 0, fmt.Errorf("%w: want hh:mm", ErrHours)
	}
	h, ok1 := digits(s[:2])
	m, ok2 := digits(s[3:])
	if !ok1 || !ok2 || m > 59 || h*60+m > int(EndOfDay) {
		return 0, fmt.Errorf("%w: want hh:mm", ErrHours)
	}
	return Minute(h*60 + m), nil
}

// String returns "08:30".
func (m Minute) String() string {
	return string([]byte{byte('0' + m/600%10), byte('0' + m/60%10), ':', byte('0' + m%60/10), byte('0' + m%10)})
}

// MarshalText writes "08:30".
func (m Minute) MarshalText() ([]byte, error) {
	if m < 0 || m > EndOfDay {
		return nil, ErrHours
	}
	return []byte(m.String()), nil
}

// UnmarshalText reads "08:30".
func (m *Minute) UnmarshalText(b []byte) error {
	if len(b) != 5 {
		return fmt.Errorf("%w: want hh:mm", ErrHours)
	}
	v, err := ParseMinute(string(b))
	if err != nil {
		return err
	}
	*m = v
	return nil
}

// Span is a part of a day, half-open: From is in it, To is not. Hours that run
// over midnight are two spans, one to 24:00 and one from 00:00 of the next day.
type Span struct {
	From Minute `json:"from"`
	To   Minute `json:"to"`
}

// ParseSpan reads "08:30-17:00".
func ParseSpan(s string) (Span, error) {
	a, b, _ := strings.Cut(s, "-")
	from, err := ParseMinute(strings.TrimSpace(a))
	if err != nil {
		return Span{}, err
	}
	to, err := ParseMinute(strings.TrimSpace(b))
	if err != nil {
		return Span{}, err
	}
	v := Span{from, to}
	return v, v.check()
}

// String returns "08:30-17:00".
func (s Span) String() string { return s.From.String() + "-" + s.To.String() }

func (s Span) check() error {
	if s.From < 0 || s.To > EndOfDay || s.From >= s.To {
		return fmt.Errorf("%w: %d to %d is not a span of one day", ErrHours, s.From, s.To)
	}
	return nil
}

// Interval is the time between two instants, half-open: From is in it, To is not.
type Interval struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// Contains reports whether t lies in the interval.
func (i Interval) Contains(t time.Time) bool { return !t.Before(i.From) && t.Before(i.To) }

// Overlaps reports whether some instant lies in both intervals.
func (i Interval) Overlaps(o Interval) bool {
	return i.From.Before(o.To) && o.From.Before(i.To) && !i.Empty() && !o.Empty()
}

// Empty reports whether no instant lies in the interval.
func (i Interval) Empty() bool { return !i.From.Before(i.To) }

// Duration returns the length of the interval, 0 where it is empty.
func (i Interval) Duration() time.Duration {
	if i.Empty() {
		return 0
	}
	return i.To.Sub(i.From)
}

// Intersect returns the instants that lie in an interval of a and in one of b:
// when both sides are open. Each list is in order and without overlap, as
// Intervals returns it, and so is the result.
func Intersect(a, b []Interval) []Interval {
	var out []Interval
	for i, j := 0, 0; i < len(a) && j < len(b); {
		x := a[i]
		if b[j].From.After(x.From) {
			x.From = b[j].From
		}
		if b[j].To.Before(x.To) {
			x.To = b[j].To
		}
		if !x.Empty() {
			out = append(out, x)
		}
		if a[i].To.Before(b[j].To) {
			i++
		} else {
			j++
		}
	}
	return out
}

var weekdays = [...]string{"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"}

// ParseWeekday reads the English name of a day, whole or its first three letters,
// in any case: the form in which agreement packages write days.
func ParseWeekday(s string) (time.Weekday, bool) {
	l := strings.ToLower(s)
	for i, w := range weekdays {
		if l == w || l == w[:3] {
			return time.Weekday(i), true
		}
	}
	return 0, false
}

// Weekly says when a class is open in a direction, on some days of every week.
// An empty Class or Direction stands for all of them. No spans means closed, and
// says so for this class even where the entry for all classes has spans.
type Weekly struct {
	Class, Direction string
	Days             []time.Weekday // none: every day
	Spans            []Span
	// From and Until bound the days on which the entry holds, the last not included;
	// zero where it always has, or goes on.
	From, Until Date
	// Published and Ended are the days on which the entry and its end became known, zero
	// where always.
	Published, Ended Date
	// Season bounds them within every year; zero where it holds all the year.
	Season Season
	// HoursUnknown says that it is open on the days, and that nobody knows from when to
	// when. It has no Spans then.
	HoursUnknown bool
	// DaysUnknown says that nobody knows on which days of the week it is open. Spans are
	// the hours of those days where they are known.
	DaysUnknown bool
}

func (w Weekly) holds(on Date) bool {
	return !on.Before(w.From) && (w.Until.IsZero() || on.Before(w.Until))
}

// Holds reports whether the entry holds on a date, by its days and its season.
func (w Weekly) Holds(on Date) bool { return w.holds(on) && w.Season.has(yearDay(on)) }

// Season is a part of every year, both days in it. It runs over the new year where its
// last day comes before its first. The last of February is 29 in any year.
type Season struct{ First, Last YearDay }

// YearDay is a day of every year, 02-29 among them.
type YearDay struct {
	Month time.Month
	Day   int
}

func (d YearDay) compare(o YearDay) int {
	return cmp.Or(cmp.Compare(d.Month, o.Month), cmp.Compare(d.Day, o.Day))
}

// In returns the day of a year; 29 February is 1 March in a year that has none.
func (d YearDay) In(year int) Date {
	if d.Day > DaysIn(year, d.Month) {
		return Date{Year: year, Month: d.Month + 1, Day: 1}
	}
	return Date{Year: year, Month: d.Month, Day: d.Day}
}

func (d YearDay) next() YearDay {
	switch {
	case d.Day < DaysIn(2000, d.Month):
		return YearDay{d.Month, d.Day + 1}
	case d.Month < 12:
		return YearDay{d.Month + 1, 1}
	}
	return YearDay{1, 1}
}

func yearDay(d Date) YearDay { return YearDay{d.Month, d.Day} }

// ParseSeason reads "03-01/09-30".
func ParseSeason(s string) (Season, error) {
	var v Season
	a, b, ok := strings.Cut(s, "/")
	for _, x := range [...]struct {
		text string
		to   *YearDay
	}{{a, &v.First}, {b, &v.Last}} {
		d, err := ParseDate("2000-" + x.text)
		if err != nil || !ok {
			return Season{}, fmt.Errorf("%w: %q is not a season of the year", ErrHours, s)
		}
		*x.to = yearDay(d)
	}
	if v.First == v.Last.next() {
		return Season{}, fmt.Errorf("%w: %q is all the year", ErrHours, s)
	}
	return v, nil
}

// IsZero reports whether it is all the year.
func (s Season) IsZero() bool { return s == Season{} }

// Turns returns the day of each year on which the season begins, and the one after its end.
func (s Season) Turns() [2]YearDay { return [2]YearDay{s.First, s.Last.next()} }

// String returns "03-01/09-30", and nothing for all the year.
func (s Season) String() string {
	if s.IsZero() {
		return ""
	}
	return fmt.Sprintf("%02d-%02d/%02d-%02d", s.First.Month, s.First.Day, s.Last.Month, s.Last.Day)
}

func (s Season) has(d YearDay) bool {
	switch after, till := s.First.compare(d) <= 0, d.compare(s.Last) <= 0; {
	case s.IsZero():
		return true
	case s.First.compare(s.Last) <= 0:
		return after && till
	default:
		return after || till
	}
}

// Exception changes a single date: it opens Spans beside the weekly ones, or closes
// them. A closing exception without spans closes the day. Closing wins over
// opening whatever the order and whoever wrote it, so that an emergency act can
// only narrow. An empty Class or Direction stands for all of them.
type Exception struct {
	On               Date
	Class, Direction string
	Closed           bool
	Spans            []Span
	Published        Date // day on which it became known, zero where always
}

// Hours are opening hours as an agreement writes them, in the clock of one zone.
type Hours struct {
	Zone       string // IANA name, see Zone
	Weekly     []Weekly
	Exceptions []Exception
}

// Schedule answers questions about opening hours. It does not change once made and
// may be used by many at once.
//
// For a class and direction the most exact entry decides alone: class and
// direction, then class, then direction, then the entry for all. So "cargo until
// 20:00" replaces the hours for all and does not add to them.
type Schedule struct {
	hours  Hours // as written
	loc    *time.Location
	eras   []era // by day, each until the next begins; at least one, from the zero date
	except map[Date][]Exception
	told   Date // the last day on which something of it became known, zero where all always was
}

// era is a run of days on which the same entries hold, but for their seasons.
type era struct {
	from  Date
	parts []part // of the year, each until the next begins; the first from 1 January
}

type part struct {
	from  YearDay
	weeks map[key]*week
}

type key struct{ class, direction string }

type week [7]daily

// daily is one day of the week.
type daily struct {
	spans []Span // surely open, in order; spans that touch are one
	may   []Span // open perhaps, nobody knows
	held  bool   // surely open at some hours, which nobody knows
}

// NewSchedule checks hours and makes them ready. It refuses an unknown zone, a span
// that is none, and spans of the same class, direction and day that overlap.
func NewSchedule(h Hours) (*Schedule, error) {
	loc, err := Zone(h.Zone)
	if err != nil {
		return nil, err
	}
	s := &Schedule{hours: h, loc: loc, except: map[Date][]Exception{}}
	days := []Date{{}}
	for _, w := range h.Weekly {
		if !w.Until.IsZero() && !w.From.Before(w.Until) {
			return nil, fmt.Errorf("%w: hours that end on %s and do not begin before", ErrHours, w.Until)
		}
		days = append(days, w.From, w.Until)
		s.tell(w.Published)
		s.tell(w.Ended)
	}
	slices.SortFunc(days, Date.Compare)
	for _, d := range slices.Compact(days) {
		e := era{from: d}
		for _, y := range yearDays(h.Weekly, d) {
			weeks, err := weeksOn(h.Weekly, d, y)
			if err != nil {
				return nil, err
			}
			e.parts = append(e.parts, part{y, weeks})
		}
		s.eras = append(s.eras, e)
	}
	for _, x := range h.Exceptions {
		if !x.On.Valid() {
			return nil, fmt.Errorf("%w: exception without a date", ErrHours)
		}
		if !x.Closed && len(x.Spans) == 0 {
			return nil, fmt.Errorf("%w: exception on %s neither opens nor closes", ErrHours, x.On)
		}
		for _, y := range x.Spans {
			if err := y.check(); err != nil {
				return nil, err
			}
		}
		x.Spans = slices.Clone(x.Spans)
		s.except[x.On] = append(s.except[x.On], x)
		s.tell(x.Published)
	}
	return s, nil
}

func (s *Schedule) tell(d Date) {
	if d.After(s.told) {
		s.told = d
	}
}

// Seen returns the schedule as it was known at the end of a day: without entries and
// exceptions that were published later, and with the ends that were published later
// taken out. It is s itself where all was known, and nil where what was known says two
// things of one hour. A zero day sees everything.
func (s *Schedule) Seen(known Date) *Schedule {
	if known.IsZero() || !s.told.After(known) {
		return s
	}
	h := Hours{Zone: s.hours.Zone}
	for _, w := range s.hours.Weekly {
		if w.Ended.After(known) {
			w.Until = Date{}
		}
		if !w.Published.After(known) {
			h.Weekly = append(h.Weekly, w)
		}
	}
	for _, x := range s.hours.Exceptions {
		if !x.Published.After(known) {
			h.Exceptions = append(h.Exceptions, x)
		}
	}
	out, err := NewSchedule(h)
	if err != nil {
		return nil
	}
	return out
}

// yearDays are those on which the seasons of the entries of a day turn, and 1 January.
func yearDays(weekly []Weekly, on Date) []YearDay {
	out := []YearDay{{1, 1}}
	for _, w := range weekly {
		if w.holds(on) && !w.Season.IsZero() {
			turns := w.Season.Turns()
			out = append(out, turns[:]...)
		}
	}
	slices.SortFunc(out, YearDay.compare)
	return slices.Compact(out)
}

// weeksOn makes the entries that hold on a day, in a part of the year, into weeks.
func weeksOn(weekly []Weekly, on Date, y YearDay) (map[key]*week, error) {
	weeks := map[key]*week{}
	for _, w := range weekly {
		if !w.holds(on) || !w.Season.has(y) {
			continue
		}
		if w.HoursUnknown && len(w.Spans) > 0 {
			return nil, fmt.Errorf("%w: hours that are unknown, and yet written", ErrHours)
		}
		if w.DaysUnknown && len(w.Days) > 0 {
			return nil, fmt.Errorf("%w: days that are unknown, and yet written", ErrHours)
		}
		may := w.Spans
		if w.HoursUnknown || w.DaysUnknown && len(may) == 0 {
			may = []Span{{0, EndOfDay}}
		}
		k := key{w.Class, w.Direction}
		if weeks[k] == nil {
			weeks[k] = &week{}
		}
		days := w.Days
		if len(days) == 0 {
			days = []time.Weekday{0, 1, 2, 3, 4, 5, 6}
		}
		for _, d := range days {
			if d < 0 || d > 6 {
				return nil, fmt.Errorf("%w: no weekday %d", ErrHours, d)
			}
			if t := &weeks[k][d]; w.HoursUnknown || w.DaysUnknown {
				t.may, t.held = append(t.may, may...), t.held || !w.DaysUnknown
			} else {
				t.spans = append(t.spans, w.Spans...)
			}
		}
	}
	order := slices.SortedFunc(maps.Keys(weeks), func(a, b key) int {
		return cmp.Or(cmp.Compare(a.class, b.class), cmp.Compare(a.direction, b.direction))
	})
	for _, k := range order {
		for d := range weeks[k] {
			t := &weeks[k][d]
			for _, x := range slices.Concat(t.spans, t.may) {
				if err := x.check(); err != nil {
					return nil, err
				}
			}
			slices.SortFunc(t.spans, func(a, b Span) int { return cmp.Compare(a.From, b.From) })
			for i := 1; i < len(t.spans); i++ {
				if t.spans[i].From < t.spans[i-1].To {
					return nil, fmt.Errorf("%w: %s %s %s: %s and %s overlap", ErrHours,
						k.class, k.direction, weekdays[d], t.spans[i-1], t.spans[i])
				}
			}
			t.spans, t.may = union(t.spans), union(t.may)
		}
	}
	return weeks, nil
}

// union returns the spans with those that touch or overlap made one. It sorts s.
func union(s []Span) []Span {
	slices.SortFunc(s, func(a, b Span) int { return cmp.Compare(a.From, b.From) })
	var out []Span
	for _, x := range s {
		if n := len(out); n > 0 && x.From <= out[n-1].To {
			out[n-1].To = max(out[n-1].To, x.To)
			continue
		}
		out = append(out, x)
	}
	return out
}

// without returns the spans of s less those of cut.
func without(s, cut []Span) []Span {
	for _, c := range cut {
		var out []Span
		for _, x := range s {
			if a := (Span{x.From, min(x.To, c.From)}); a.From < a.To {
				out = append(out, a)
			}
			if b := (Span{max(x.From, c.To), x.To}); b.From < b.To {
				out = append(out, b)
			}
		}
		s = out
	}
	return s
}

// Hours returns the hours as they were written. The caller must not change them.
func (s *Schedule) Hours() Hours { return s.hours }

// Location returns the zone whose clock the hours are read by.
func (s *Schedule) Location() *time.Location { return s.loc }

// Spans returns the opening hours of a date by the clock, in order and without
// overlap: those that are sure. The caller must not change them.
func (s *Schedule) Spans(class, direction string, on Date) []Span {
	return s.on(class, direction, on).spans
}

// Held reports whether it is open on a date at any hour. Open says that nobody knows.
func (s *Schedule) Held(class, direction string, on Date) Tri {
	switch d := s.on(class, direction, on); {
	case len(d.spans) > 0 || d.held:
		return Yes
	case len(d.may) > 0:
		return Open
	}
	return No
}

// Any reports whether anybody may find it open on a date, in any direction.
func (s *Schedule) Any(on Date) bool {
	opened := false
	for _, x := range s.except[on] {
		if x.Closed && x.Class == "" && x.Direction == "" && len(x.Spans) == 0 {
			return false
		}
		opened = opened || !x.Closed
	}
	if opened {
		return true
	}
	for _, w := range s.part(on).weeks {
		if d := w[on.Weekday()]; len(d.spans)+len(d.may) > 0 {
			return true
		}
	}
	return false
}

// Weekdays returns on how many days of the week the class is open in any direction, by
// the entries that hold on a date and without exceptions. Days that nobody knows do not count.
func (s *Schedule) Weekdays(class string, on Date) int {
	n := 0
	for d := range time.Saturday + 1 {
		for _, direction := range [...]string{"in", "out", ""} {
			if x := s.weekly(class, direction, on, d); len(x.spans) > 0 || x.held {
				n++
				break
			}
		}
	}
	return n
}

// part returns the entries that hold on a date.
func (s *Schedule) part(on Date) part {
	n := len(s.eras) - 1
	for n > 0 && on.Before(s.eras[n].from) {
		n--
	}
	parts := s.eras[n].parts
	m := len(parts) - 1
	for m > 0 && yearDay(on).compare(parts[m].from) < 0 {
		m--
	}
	return parts[m]
}

// weekly returns the hours of a day of the week by the entries that hold on a date.
func (s *Schedule) weekly(class, direction string, on Date, day time.Weekday) daily {
	weeks := s.part(on).weeks
	for _, k := range [...]key{{class, direction}, {class, ""}, {"", direction}, {"", ""}} {
		if w := weeks[k]; w != nil {
			return w[day]
		}
	}
	return daily{}
}

// on returns the hours of a date.
func (s *Schedule) on(class, direction string, on Date) daily {
	day := s.weekly(class, direction, on, on.Weekday())
	if len(s.except) == 0 {
		return day
	}
	var opened, closed []Span
	for _, x := range s.except[on] {
		if x.Class != "" && x.Class != class || x.Direction != "" && x.Direction != direction {
			continue
		}
		switch {
		case !x.Closed:
			opened = append(opened, x.Spans...)
		case len(x.Spans) == 0:
			return daily{}
		default:
			closed = append(closed, x.Spans...)
		}
	}
	if opened != nil {
		day.spans = union(append(opened, day.spans...))
	}
	if closed != nil {
		day.spans, day.may = without(day.spans, closed), without(day.may, closed)
		day.held = false // the hours that nobody knows may be those
	}
	return day
}

// Intervals returns the opening hours of a date as instants, in order and without
// overlap. Where the clock jumps, an interval is shorter or longer than its span:
// each minute is the first instant at which the clock shows it or has passed it
// (see Date.At). A span that the clock jumps over whole is left out.
func (s *Schedule) Intervals(class, direction string, on Date) []Interval {
	spans := s.Spans(class, direction, on)
	out := make([]Interval, 0, len(spans))
	for _, x := range spans {
		if i := (Interval{on.At(x.From, s.loc), on.At(x.To, s.loc)}); !i.Empty() {
			out = append(out, i)
		}
	}
	return out
}

// at returns the interval that holds t.
func (s *Schedule) at(class, direction string, t time.Time) (Interval, bool) {
	// The days beside it are looked at too: where clocks are put back just after
	// midnight, the first minutes of a day come before the last hour of the day
	// before.
	today := On(t, s.loc)
	for _, n := range [...]int{0, -1, 1} {
		on := today.AddDays(n)
		for _, x := range s.Spans(class, direction, on) {
			if i := (Interval{on.At(x.From, s.loc), on.At(x.To, s.loc)}); i.Contains(t) {
				return i, true
			}
		}
	}
	return Interval{}, false
}

// OpenAt reports whether the class is open in the direction at the instant t.
func (s *Schedule) OpenAt(class, direction string, t time.Time) bool {
	_, ok := s.at(class, direction, t)
	return ok
}

// At reports whether the class is open in the direction at the instant t. Open says
// that nobody knows.
func (s *Schedule) At(class, direction string, t time.Time) Tri {
	if s.OpenAt(class, direction, t) {
		return Yes
	}
	today := On(t, s.loc)
	for _, n := range [...]int{0, -1, 1} {
		on := today.AddDays(n)
		for _, x := range s.on(class, direction, on).may {
			if (Interval{on.At(x.From, s.loc), on.At(x.To, s.loc)}).Contains(t) {
				return Open
			}
		}
	}
	return No
}

// horizon is how many days Next and Until look ahead: a year and a day, so that a
// yearly opening is found.
const horizon = 367

// Next returns the first instant, t or later, at which the class is open in the
// direction: t itself where it is open then. ok is false where nothing opens
// within a year.
func (s *Schedule) Next(class, direction string, t time.Time) (open time.Time, ok bool) {
	if s.OpenAt(class, direction, t) {
		return t, true
	}
	on := On(t, s.loc).AddDays(-1)
	for range horizon {
		for _, i := range s.Intervals(class, direction, on) {
			if !i.From.Before(t) {
				return i.From, true
			}
		}
		on = on.AddDays(1)
	}
	return time.Time{}, false
}

// Until returns the instant at which the opening that holds t ends: hours that go
// on after midnight are followed. ok is false where it is closed at t, or open for
// a year and more.
func (s *Schedule) Until(class, direction string, t time.Time) (closed time.Time, ok bool) {
	for range horizon {
		i, open := s.at(class, direction, t)
		if !open {
			return closed, ok
		}
		t = i.To
		closed, ok = t, true
	}
	return time.Time{}, false
}
