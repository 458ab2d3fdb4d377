// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package calendar

import "testing"

func TestParseMoment(t *testing.T) {
	for _, s := range []string{"2025-07-01", "2020-04-05T00:01", "2010-05", "2010", "unknown", "2012-05-15/2016-10-13", "2012-05-01/2012-06-30", "2012-05-02/2012-05-31"} {
		m, err := ParseMoment(s)
		if err != nil || m.String() != s {
			t.Errorf("%s: got %s, %v", s, m, err)
		}
	}
	if m, _ := ParseMoment("2010-05-01/2010-05-31"); m.String() != "2010-05" {
		t.Errorf("a whole month is %s", m)
	}
	if m, _ := ParseMoment("2020-04-05T00:00"); m != Day(MustDate("2020-04-05")) {
		t.Errorf("midnight is not the start of the day: %s", m)
	}
	for _, s := range []string{"", "soon", "2020-13", "20", "2020-04-05 00:01", "2020-04-05T24:00", "2020-04-31", "2020-4-1", "۲۰۲۰", "0000-00", "2016-10-13/2012-05-15", "2012-05-15/2012-05-15", "2012-05/2016-10", "2012-05-15/", "2012-05-15-2016-10-13"} {
		if m, err := ParseMoment(s); err == nil {
			t.Errorf("%q: got %s", s, m)
		}
	}
}

func TestMomentCome(t *testing.T) {
	for _, x := range []struct {
		moment, on string
		minute     Minute
		want       Tri
	}{
		{"2020-04-05", "2020-04-04", 1439, No},
		{"2020-04-05", "2020-04-05", 0, Yes},
		{"2020-04-05T08:00", "2020-04-05", 479, No},
		{"2020-04-05T08:00", "2020-04-05", 480, Yes},
		{"2010-05", "2010-04-30", 0, No},
		{"2010-05", "2010-05-01", 0, Open},
		{"2010-05", "2010-05-30", 0, Open},
		{"2010-05", "2010-05-31", 0, Yes},
		{"2010", "2010-12-30", 0, Open},
		{"2010", "2011-01-01", 0, Yes},
		{"2012-05-15/2016-10-13", "2012-05-14", 1439, No},
		{"2012-05-15/2016-10-13", "2012-05-15", 0, Open},
		{"2012-05-15/2016-10-13", "2016-10-12", 1439, Open},
		{"2012-05-15/2016-10-13", "2016-10-13", 0, Yes},
		{"unknown", "2030-01-01", 0, Open},
	} {
		m, err := ParseMoment(x.moment)
		if err != nil {
			t.Fatal(err)
		}
		if got := m.Come(MustDate(x.on), x.minute); got != x.want {
			t.Errorf("%s on %s at %s: got %d, want %d", x.moment, x.on, x.minute, got, x.want)
		}
	}
	if (Moment{}).Come(Date{}, 0) != Yes {
		t.Error("no moment has not come")
	}
}

// TestDatedHours holds entries to their days.
func TestDatedHours(t *testing.T) {
	s := schedule(t, Hours{Zone: "UTC", Weekly: []Weekly{
		{Spans: spansOf("08:00-12:00"), Until: MustDate("2020-06-19")},
		{Spans: spansOf("08:00-16:00"), From: MustDate("2020-06-19"), Until: MustDate("2020-07-01")},
		{Class: "cargo", Spans: spansOf("06:00-20:00"), From: MustDate("2020-06-25")},
	}})
	for _, x := range []struct{ class, on, want string }{
		{"", "2020-01-01", "08:00-12:00"},
		{"", "2020-06-18", "08:00-12:00"},
		{"", "2020-06-19", "08:00-16:00"},
		{"cargo", "2020-06-24", "08:00-16:00"},
		{"cargo", "2020-06-25", "06:00-20:00"},
		{"", "2020-06-30", "08:00-16:00"},
		{"", "2020-07-01", ""},
		{"cargo", "2020-07-01", "06:00-20:00"},
	} {
		got := ""
		for _, p := range s.Spans(x.class, "", MustDate(x.on)) {
			got += p.String()
		}
		if got != x.want {
			t.Errorf("%s on %s: got %q, want %q", x.class, x.on, got, x.want)
		}
	}
	if _, err := NewSchedule(Hours{Zone: "UTC", Weekly: []Weekly{{Spans: spansOf("08:00-12:00"), From: MustDate("2020-06-19"), Until: MustDate("2020-06-19")}}}); err == nil {
		t.Error("hours that never hold are taken")
	}
	if _, err := NewSchedule(Hours{Zone: "UTC", Weekly: []Weekly{
		{Spans: spansOf("08:00-12:00"), Until: MustDate("2020-06-20")}, {Spans: spansOf("11:00-13:00"), From: MustDate("2020-06-19")},
	}}); err == nil {
		t.Error("hours that overlap on one day are taken")
	}
}
