// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package identity

import (
	"strings"
	"time"
	"unicode"

	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/lang"
	"darwaza.dev/internal/problem"
)

// Format is the size of a machine readable zone.
type Format uint8

// The formats of ICAO 9303.
const (
	TD1 Format = 1 // part 5: cards, three lines of 30
	TD2 Format = 2 // part 6: two lines of 36
	TD3 Format = 3 // part 4: passports, two lines of 44
)

// An MRZ is what a machine readable zone says, once every check digit has been found in
// order. Its dates have two digits of the year: see Birth and Expiry.
type MRZ struct {
	Format      Format
	Code        string // document code, one or two letters, such as "P" or "ID"
	Issuer      string // three letters, see ParseCountry
	Number      string
	Nationality string
	Surname     string // primary identifier, its parts with a space between
	Given       string // secondary identifier; empty where there is none
	Truncated   bool   // the name fills its field, so that more may have been cut off
	Sex         string // "M", "F", or "X" where the document does not say
	Optional    string // optional data of the issuer, fillers as spaces
	birth       string // YYMMDD, fillers where a part is unknown
	expiry      string // YYMMDD, fillers where there is none
}

// The zone, with the places of its fields; c is a check digit over the field before it,
// C one over all of them (ICAO 9303 parts 4 to 6, section 4.2):
//
//	TD1  code..issuer.number...c.optional.......
//	     birth.c sex expiry.c nationality optional... C
//	     name
//	TD2  code issuer name.......................
//	     number...c nationality birth.c sex expiry.c optional C
//	TD3  code issuer name...............................
//	     number...c nationality birth.c sex expiry.c optional......c C
//
// A number of more than nine characters has a filler in the place of its check digit and
// goes on in the optional data, its check digit after it and a filler after that.

// ParseMRZ reads a machine readable zone as a scanner or a person keyed it. Line ends may
// be lost or spaces come in; small letters are capitals; the fillers at the end of a name
// may be missing where the lines are whole. A wrong check digit is a problem that names
// the field: "mrz.check.number", "mrz.check.birth", "mrz.check.expiry",
// "mrz.check.optional" or, where only the last one is wrong, "mrz.check.composite".
func ParseMRZ(text string) (MRZ, error) {
	z, err := lines(text)
	if err != nil {
		return MRZ{}, err
	}
	switch len(z[0]) {
	case 30:
		return parseTD1(z)
	case 36:
		return parseTD2(z)
	}
	return parseTD3(z)
}

// maxText is more than any scanner sends for a zone.
const maxText = 1024

// lines returns the two or three lines of a zone.
func lines(text string) ([]string, error) {
	if len(text) > maxText {
		return nil, mrzProblem("length")
	}
	var got []string
	for line := range strings.FieldsFuncSeq(lang.PlainDigits(text), func(r rune) bool { return r == '\n' || r == '\r' || r == '\u2028' }) {
		line = strings.Map(func(r rune) rune {
			if unicode.IsSpace(r) || r == '\ufeff' {
				return -1
			}
			return unicode.ToUpper(r)
		}, line)
		if line != "" {
			got = append(got, line)
		}
	}
	all := strings.Join(got, "")
	if strings.Trim(all, latin+"<") != "" {
		return nil, mrzProblem("character")
	}
	for width, n := range map[int]int{30: 3, 36: 2, 44: 2} {
		if len(all) == width*n {
			var out []string
			for i := range n {
				out = append(out, all[i*width:(i+1)*width])
			}
			return out, nil
		}
	}
	// Fillers at the end of the name were taken for nothing: the line with the check
	// digits tells the format.
	switch {
	case len(got) == 2 && len(got[1]) == 44 && len(got[0]) < 44:
		return []string{fill(got[0], 44), got[1]}, nil
	case len(got) == 2 && len(got[1]) == 36 && len(got[0]) < 36:
		return []string{fill(got[0], 36), got[1]}, nil
	case len(got) == 3 && len(got[1]) == 30 && len(got[0]) <= 30 && len(got[2]) <= 30:
		return []string{fill(got[0], 30), got[1], fill(got[2], 30)}, nil
	}
	return nil, mrzProblem("length")
}

func fill(s string, n int) string { return s + strings.Repeat("<", n-len(s)) }

func mrzProblem(code string) error { return problem.Field("mrz", "mrz."+code) }

func parseTD1(z []string) (MRZ, error) {
	a, b := z[0], z[1]
	m := MRZ{Format: TD1}
	number, check, optional := longNumber(a[5:14], a[14], a[15:30])
	err := m.read(fields{
		code: a[:2], issuer: a[2:5], number: number, numberCheck: check,
		birth: b[:6], birthCheck: b[6], sex: b[7], expiry: b[8:14], expiryCheck: b[14], nationality: b[15:18],
		name: z[2], optional: optional + "<" + b[18:29],
		composite: a[5:30] + b[:7] + b[8:15] + b[18:29], compositeCheck: b[29],
	})
	return m, err
}

func parseTD2(z []string) (MRZ, error) {
	a, b := z[0], z[1]
	m := MRZ{Format: TD2}
	number, check, optional := longNumber(b[:9], b[9], b[28:35])
	err := m.read(fields{
		code: a[:2], issuer: a[2:5], number: number, numberCheck: check,
		birth: b[13:19], birthCheck: b[19], sex: b[20], expiry: b[21:27], expiryCheck: b[27], nationality: b[10:13],
		name: a[5:], optional: optional,
		composite: b[:10] + b[13:20] + b[21:35], compositeCheck: b[35],
	})
	return m, err
}

func parseTD3(z []string) (MRZ, error) {
	a, b := z[0], z[1]
	if a[0] != 'P' {
		return MRZ{}, mrzProblem("code")
	}
	m := MRZ{Format: TD3}
	err := m.read(fields{
		code: a[:2], issuer: a[2:5], number: b[:9], numberCheck: b[9],
		birth: b[13:19], birthCheck: b[19], sex: b[20], expiry: b[21:27], expiryCheck: b[27], nationality: b[10:13],
		name: a[5:], optional: b[28:42], optionalCheck: b[42],
		composite: b[:10] + b[13:20] + b[21:43], compositeCheck: b[43],
	})
	return m, err
}

// longNumber puts together a number that goes on in the optional data.
func longNumber(number string, check byte, optional string) (string, byte, string) {
	if check != '<' {
		return number, check, optional
	}
	rest, after, _ := strings.Cut(optional, "<")
	if rest == "" {
		return number, check, optional
	}
	last := len(rest) - 1
	return number + rest[:last], rest[last], after
}

// fields are the fields of a zone as they stand in it.
type fields struct {
	code, issuer, nationality       string
	number, birth, expiry, optional string
	name, composite                 string
	numberCheck, birthCheck         byte
	expiryCheck, optionalCheck      byte // optionalCheck is 0 in formats without one
	sex, compositeCheck             byte
}

// read checks the fields and takes them over.
func (m *MRZ) read(f fields) error {
	for _, x := range [...]struct {
		field string
		check byte
		name  string
	}{
		{f.number, f.numberCheck, "number"},
		{f.birth, f.birthCheck, "birth"},
		{f.expiry, f.expiryCheck, "expiry"},
		{f.optional, f.optionalCheck, "optional"},
	} {
		// A field without data may have a filler for its check digit.
		empty := x.check == '<' && strings.Trim(x.field, "<") == ""
		if x.check != 0 && !empty && checkDigit(x.field) != x.check {
			return mrzProblem("check." + x.name)
		}
	}
	if checkDigit(f.composite) != f.compositeCheck {
		return mrzProblem("check.composite")
	}

	m.Code = strings.TrimRight(f.code, "<")
	if m.Code == "" || !strings.Contains("PIAC", m.Code[:1]) {
		return mrzProblem("code")
	}
	var ok1, ok2 bool
	m.Issuer, ok1 = ParseCountry(f.issuer)
	m.Nationality, ok2 = ParseCountry(f.nationality)
	if !ok1 || !ok2 {
		return mrzProblem("country")
	}
	m.Number = strings.ReplaceAll(strings.Trim(f.number, "<"), "<", "")
	if m.Number == "" {
		return mrzProblem("number")
	}
	switch f.sex {
	case 'M', 'F':
		m.Sex = string(f.sex)
	case '<', 'X':
		m.Sex = "X"
	default:
		return mrzProblem("sex")
	}
	if !validBirth(f.birth) {
		return mrzProblem("birth")
	}
	if _, ok := ymd(f.expiry); !ok && f.expiry != "<<<<<<" {
		return mrzProblem("expiry")
	}
	m.birth, m.expiry = f.birth, f.expiry
	m.Optional = words(f.optional)
	primary, secondary, _ := strings.Cut(strings.TrimRight(f.name, "<"), "<<")
	m.Surname, m.Given = words(primary), words(secondary)
	m.Truncated = f.name[len(f.name)-1] != '<'
	if m.Surname == "" || strings.ContainsAny(f.name, "0123456789") {
		return mrzProblem("name")
	}
	return nil
}

// words returns a field with one space for each run of fillers.
func words(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == '<' }), " ")
}

// checkDigit returns the check digit of a field (ICAO 9303 part 3, section 4.9): values 0
// to 9, letters 10 to 35, filler 0, weights 7, 3, 1, modulo 10.
func checkDigit(s string) byte {
	sum := 0
	for i := range len(s) {
		v := 0
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			v = int(c - '0')
		case c >= 'A' && c <= 'Z':
			v = int(c-'A') + 10
		}
		sum += v * [...]int{7, 3, 1}[i%3]
	}
	return byte('0' + sum%10)
}

// Name returns the surname and the given names as the visual zone has them, with a comma
// between: for Compare, and for people.
func (m MRZ) Name() string {
	if m.Given == "" {
		return m.Surname
	}
	return m.Surname + ", " + m.Given
}

// A PartialDate is a date of which parts may be unknown: each unknown part is 0. A zone
// can leave out the day, the month and the day, or all of it.
type PartialDate struct {
	Year  int
	Month int
	Day   int
}

// Date returns the date, and false where a part is unknown.
func (d PartialDate) Date() (calendar.Date, bool) {
	if d.Year == 0 || d.Month == 0 || d.Day == 0 {
		return calendar.Date{}, false
	}
	return calendar.Date{Year: d.Year, Month: time.Month(d.Month), Day: d.Day}, true
}

// Age returns the least and the most whole years that somebody born on the date can have
// on another: they differ by at most one. ok is false where the year is unknown.
func (d PartialDate) Age(on calendar.Date) (least, most int, ok bool) {
	if d.Year == 0 {
		return 0, 0, false
	}
	early := calendar.Date{Year: d.Year, Month: 1, Day: 1}
	late := calendar.Date{Year: d.Year, Month: 12, Day: 31}
	if d.Month != 0 {
		early.Month, late.Month = time.Month(d.Month), time.Month(d.Month)
		late.Day = calendar.DaysIn(d.Year, late.Month)
		if d.Day != 0 {
			early.Day, late.Day = d.Day, d.Day
		}
	}
	return max(0, late.Age(on)), max(0, early.Age(on)), true
}

// Birth returns the date of birth. Of the centuries, it is the latest in which the date,
// as far as it is known, is not after now: a zone cannot tell a person of 100 years and
// more from a child, and one of them is far more common. The officer sees the document.
func (m MRZ) Birth(now calendar.Date) PartialDate {
	yy, ok := two(m.birth[:min(2, len(m.birth))])
	if !ok {
		return PartialDate{}
	}
	d := PartialDate{Year: now.Year/100*100 + yy}
	if len(m.birth) == 6 {
		d.Month, _ = two(m.birth[2:4])
		d.Day, _ = two(m.birth[4:])
	}
	first := calendar.Date{Year: d.Year, Month: max(1, time.Month(d.Month)), Day: max(1, d.Day)}
	if first.After(now) || d.Month == 2 && d.Day == 29 && !first.Valid() {
		d.Year -= 100
	}
	return d
}

// Expiry returns the last day on which the document is valid: of the centuries, the one
// that puts it within 50 years of now. ok is false where the document names none, as on
// cards that are good for life.
func (m MRZ) Expiry(now calendar.Date) (expiry calendar.Date, ok bool) {
	d, ok := ymd(m.expiry)
	if !ok {
		return calendar.Date{}, false
	}
	year := now.Year/100*100 + d.Year
	switch {
	case year-now.Year > 50:
		year -= 100
	case now.Year-year >= 50:
		year += 100
	}
	// 29 February of a year that has none cannot be meant; the last of the month is.
	day := min(d.Day, calendar.DaysIn(year, time.Month(d.Month)))
	return calendar.Date{Year: year, Month: time.Month(d.Month), Day: day}, true
}

// ymd reads six digits as a date with a year of the century.
func ymd(s string) (PartialDate, bool) {
	if len(s) != 6 {
		return PartialDate{}, false
	}
	y, ok1 := two(s[:2])
	m, ok2 := two(s[2:4])
	d, ok3 := two(s[4:])
	// The year 2000 stands for all, as it was a leap year.
	if !ok1 || !ok2 || !ok3 || d < 1 || d > calendar.DaysIn(2000, time.Month(m)) {
		return PartialDate{}, false
	}
	return PartialDate{y, m, d}, true
}

// validBirth reports whether a date of birth is one, with parts unknown from the end.
func validBirth(s string) bool {
	for known := 0; known <= 6; known += 2 {
		if strings.Trim(s[known:], "<") == "" {
			_, ok := ymd(s[:known] + "000101"[known:])
			return ok
		}
	}
	return false
}

// two reads two digits.
func two(s string) (int, bool) {
	if len(s) != 2 || s[0] < '0' || s[0] > '9' || s[1] < '0' || s[1] > '9' {
		return 0, false
	}
	return int(s[0]-'0')*10 + int(s[1]-'0'), true
}

// Document returns the document that the zone names, as it would be keyed by hand. An
// identity card of Pakistan or Iran that carries the holder's CNIC or national number,
// as the number of the document or in the optional data, is that number: it is what the
// holder knows and what other desks key.
func (m MRZ) Document() (Document, error) {
	if m.Format == TD3 || strings.HasPrefix(m.Code, "P") {
		return ParseDocument(string(Passport), m.Issuer, m.Number)
	}
	kind := NationalID
	if m.Issuer == "PAK" {
		kind = CNIC
	}
	if m.Issuer == "PAK" || m.Issuer == "IRN" {
		for _, n := range append([]string{m.Number}, strings.Fields(m.Optional)...) {
			if d, err := ParseDocument(string(kind), m.Issuer, n); err == nil {
				return d, nil
			}
		}
		return ParseDocument(string(Other), m.Issuer, m.Number)
	}
	return ParseDocument(string(kind), m.Issuer, m.Number)
}

// String returns "[redacted]", so that a zone that strays into a log says nothing.
func (m MRZ) String() string { return "[redacted]" }

// GoString is String, for the verb that would print the fields.
func (m MRZ) GoString() string { return "[redacted]" }
