// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package calendar

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// distribution returns the time zone data of the Go distribution that runs the tests, by
// name. It is not what the product uses: it is what the table was made from. Data of
// another version cannot be compared.
func distribution(t *testing.T) map[string]*time.Location {
	t.Helper()
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Skip("no Go distribution at hand: ", err)
	}
	dir := filepath.Join(strings.TrimSpace(string(root)), "lib", "time")
	script, err := os.ReadFile(filepath.Join(dir, "update.bash"))
	if err != nil {
		t.Skip("the Go distribution has no zone data: ", err)
	}
	m := regexp.MustCompile(`(?m)^DATA=(\S+)$`).FindSubmatch(script)
	if m == nil || string(m[1]) != ZoneVersion {
		t.Skipf("the Go distribution has zone data %s, the table is %s: run go generate in this package to follow", m, ZoneVersion)
	}
	z, err := zip.OpenReader(filepath.Join(dir, "zoneinfo.zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	zones := map[string]*time.Location{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.HasPrefix(data, []byte("TZif")) {
			continue
		}
		if zones[f.Name], err = time.LoadLocationFromTZData(f.Name, data); err != nil {
			t.Fatal(err)
		}
	}
	return zones
}

// TestZonesAgree compares every zone of the table with the Go distribution: the clock at
// each change from 2000 to 2037, on both sides of it.
func TestZonesAgree(t *testing.T) {
	zones := distribution(t)
	var names []string
	for name := range zones {
		names = append(names, name)
	}
	slices.Sort(names)
	if got := ZoneNames(); !slices.Equal(got, names) {
		t.Errorf("the table has %d names, the distribution %d", len(got), len(names))
	}
	from := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	last := time.Date(2038, 1, 1, 0, 0, 0, 0, time.UTC)
	changes := 0
	for _, name := range names {
		ours, err := Zone(name)
		if err != nil {
			t.Error(err)
			continue
		}
		if ours.String() != name {
			t.Errorf("%s calls itself %s", name, ours)
		}
		same := func(at time.Time) bool {
			a, b := at.In(ours), at.In(zones[name])
			n1, o1 := a.Zone()
			n2, o2 := b.Zone()
			if n1 != n2 || o1 != o2 || a.IsDST() != b.IsDST() {
				t.Errorf("%s at %s: %s %d %v, want %s %d %v", name, at, n1, o1, a.IsDST(), n2, o2, b.IsDST())
				return false
			}
			return true
		}
		// Each goes from change to change by its own data, so that one which has a
		// change too many or too few is found.
		for _, loc := range []*time.Location{ours, zones[name]} {
			for at := from; at.Before(last); {
				if !same(at) || at.After(from) && !same(at.Add(-time.Second)) {
					break
				}
				end := until(at.In(loc))
				if end.IsZero() {
					break
				}
				at = end
				changes++
			}
		}
	}
	if changes < 10_000 {
		t.Errorf("only %d changes were looked at", changes)
	}
}

// TestClocks holds what is known of the zones of this border and its neighbours.
func TestClocks(t *testing.T) {
	tests := []struct{ zone, at, want string }{
		{"Asia/Karachi", "2020-03-16T00:00:00Z", "05:00"},
		{"Asia/Karachi", "2008-07-01T00:00:00Z", "06:00"}, // summer time of 2008
		{"Asia/Karachi", "2009-07-01T00:00:00Z", "06:00"}, // and of 2009
		{"Asia/Karachi", "2010-07-01T00:00:00Z", "05:00"},
		{"Asia/Tehran", "2020-03-16T00:00:00Z", "03:30"},
		// Iran's last summer time began at the turn to 22 March 2022 and ended on 21 September.
		{"Asia/Tehran", "2022-03-21T20:29:59Z", "23:59"},
		{"Asia/Tehran", "2022-03-21T20:30:00Z", "01:00"},
		{"Asia/Tehran", "2022-09-21T19:29:59Z", "23:59"},
		{"Asia/Tehran", "2022-09-21T19:30:00Z", "23:00"},
		{"Asia/Tehran", "2023-07-01T00:00:00Z", "03:30"},
		{"Asia/Tehran", "2025-07-01T00:00:00Z", "03:30"},
		{"Asia/Tehran", "2037-07-01T00:00:00Z", "03:30"},
		{"Asia/Kabul", "2025-07-01T00:00:00Z", "04:30"},
		{"Europe/Berlin", "2025-07-01T00:00:00Z", "02:00"},
		{"UTC", "2025-07-01T00:00:00Z", "00:00"},
	}
	for _, x := range tests {
		at, err := time.Parse(time.RFC3339, x.at)
		if err != nil {
			t.Fatal(err)
		}
		if got := at.In(MustZone(x.zone)).Format("15:04"); got != x.want {
			t.Errorf("%s at %s: %s, want %s", x.zone, x.at, got, x.want)
		}
	}
}

func TestZoneRefused(t *testing.T) {
	for _, name := range []string{"", "Local", "Asia/Quetta", "asia/karachi", "Asia/Karachi ", " Asia/Karachi", "Asia/Karachi\n", "Asia", "../etc/localtime", "version", "|", "Asia/Karachi Asia/Tehran", strings.Repeat("A", 1000)} {
		if loc, err := Zone(name); !errors.Is(err, ErrZone) {
			t.Errorf("Zone(%q) = %v, %v", name, loc, err)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("MustZone takes anything")
		}
	}()
	MustZone("Asia/Quetta")
}

// TestZoneLines sees a line of the table that is not in order refused.
func TestZoneLines(t *testing.T) {
	good := "<+05>-5|PKT,18000,0;PKST,21600,1|A1z4B10A"
	if _, err := tzif(good); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"", "x", "a|b", "a|b|", "a|PKT,18000|A", "a|PKT,x,0|A", "a|PKT,18000,0|B", "a|PKT,18000,0|A1", "a|PKT,18000,0|A1z4C",
		"a|PKT,18000,0|A!A", "a|PKT,99999999999,0|A", "a|" + strings.Repeat("P", 300) + ",0,0|A",
	} {
		if _, err := tzif(line); err == nil {
			t.Errorf("%q is taken", line)
		}
	}
}

func FuzzZone(f *testing.F) {
	for _, s := range []string{"Asia/Karachi", "Asia/Tehran", "UTC", "", "A|B", "Etc/GMT+0"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		loc, err := Zone(name)
		if (err == nil) != (loc != nil) || err == nil && name != "UTC" && !slices.Contains(ZoneNames(), name) {
			t.Errorf("Zone(%q) = %v, %v", name, loc, err)
		}
	})
}
