// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package calendar

import (
	_ "embed"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

//go:generate go run zonegen/main.go

// The table of zones holds facts of the IANA time zone database in a form of our
// own, one line per set of zones that have been the same since 2000:
//
//	version 2025c
//	Asia/Tehran Iran|<+0330>-3:30|+0330,12600,0;+0430,16200,1|A-1mwz4cB…
//	names           |POSIX rule  |clocks: letters, seconds  |first clock, then
//	                |after the   |east of UTC, 1 = summer   |seconds since the
//	                |last change |                          |last, in base 36,
//	                |            |                          |and the new clock
//
// The first change is at 2000-01-01 00:00 UTC. What is shown before it means nothing:
// Darwaza decides nothing about those years.
//
//go:embed zones.txt
var zoneTable string

// ErrZone is the error of a name that is not that of a time zone.
var ErrZone = errors.New("calendar: no such time zone")

// zoneStart is 2000-01-01 00:00 UTC, where the table begins.
const zoneStart = 946684800

// Zone returns the time zone of an IANA name such as "Asia/Karachi", from the
// embedded table and from nowhere else. It is right from 2000 on. "UTC" is
// time.UTC; "Local" and "" are not zones. Each call makes a location anew: ask once
// and keep it.
func Zone(name string) (*time.Location, error) {
	if name == "UTC" {
		return time.UTC, nil
	}
	line, ok := zoneLine(name)
	if !ok {
		return nil, fmt.Errorf("%w: %q", ErrZone, name)
	}
	data, err := tzif(line)
	if err != nil {
		return nil, fmt.Errorf("calendar: embedded zone %s: %w", name, err)
	}
	loc, err := time.LoadLocationFromTZData(name, data)
	if err != nil {
		return nil, fmt.Errorf("calendar: embedded zone %s: %w", name, err)
	}
	return loc, nil
}

// MustZone is Zone for names written in the program and in tests; it panics where
// there is no such zone.
func MustZone(name string) *time.Location {
	loc, err := Zone(name)
	if err != nil {
		panic(err)
	}
	return loc
}

// ZoneNames returns the names that Zone knows, in order.
func ZoneNames() []string {
	var names []string
	for line := range strings.Lines(zoneTable) {
		if head, _, ok := strings.Cut(line, "|"); ok {
			names = append(names, strings.Fields(head)...)
		}
	}
	slices.Sort(names)
	return names
}

// zoneLine returns the part of the line of name that follows the names. It parses
// nothing else, so that a program that needs two zones pays for two.
func zoneLine(name string) (string, bool) {
	if name == "" || len(name) > 64 || strings.ContainsAny(name, " |\n") {
		return "", false
	}
	for line := range strings.Lines(zoneTable) {
		head, rest, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "|")
		for ok && head != "" {
			var one string
			one, head, _ = strings.Cut(head, " ")
			if one == name {
				return rest, true
			}
		}
	}
	return "", false
}

// tzif writes a line of the table as a TZif file of version 2 (RFC 9636), the one
// form that package time reads.
func tzif(line string) ([]byte, error) {
	part := strings.Split(line, "|")
	if len(part) != 3 || len(part[2]) == 0 {
		return nil, errors.New("want three parts")
	}
	var letters []byte
	var clocks []byte
	kinds := strings.Split(part[1], ";")
	for _, k := range kinds {
		f := strings.Split(k, ",")
		if len(f) != 3 {
			return nil, errors.New("want letters, seconds, summer")
		}
		east, err := strconv.ParseInt(f[1], 10, 32)
		if err != nil {
			return nil, err
		}
		clocks = binary.BigEndian.AppendUint32(clocks, uint32(int32(east)))
		clocks = append(clocks, f[2][0]-'0', byte(len(letters)))
		letters = append(append(letters, f[0]...), 0)
	}
	if len(letters) > 255 {
		return nil, errors.New("too many letters")
	}

	at := int64(zoneStart)
	times := binary.BigEndian.AppendUint64(nil, uint64(at))
	which := []byte{part[2][0] - 'A'}
	for rest := part[2][1:]; rest != ""; {
		i := strings.IndexFunc(rest, func(r rune) bool { return r >= 'A' && r <= 'Z' })
		if i < 0 {
			return nil, errors.New("change without a clock")
		}
		d, err := strconv.ParseInt(rest[:i], 36, 64)
		if err != nil {
			return nil, err
		}
		at += d
		times = binary.BigEndian.AppendUint64(times, uint64(at))
		which = append(which, rest[i]-'A')
		rest = rest[i+1:]
	}
	for _, w := range which {
		if int(w) >= len(kinds) {
			return nil, errors.New("no such clock")
		}
	}

	head := func(b []byte, ntime, ntype, nchar int) []byte {
		b = append(b, "TZif2"...)
		b = append(b, make([]byte, 15)...)
		for _, n := range [...]int{0, 0, 0, ntime, ntype, nchar} {
			b = binary.BigEndian.AppendUint32(b, uint32(n))
		}
		return b
	}
	b := head(nil, 0, 0, 0) // the block of version 1 is there and empty
	b = head(b, len(which), len(kinds), len(letters))
	b = append(b, times...)
	b = append(b, which...)
	b = append(b, clocks...)
	b = append(b, letters...)
	b = append(b, '\n')
	b = append(b, part[0]...)
	return append(b, '\n'), nil
}
