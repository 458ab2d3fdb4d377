// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package identity

import "darwaza.dev/internal/calendar"

// Format is the size of a machine readable zone.
type Format uint8

// The formats of ICAO 9303 parts 4 to 6.
const (
	TD1 Format = 1 // three lines of 30: cards
	TD2 Format = 2 // two lines of 36
	TD3 Format = 3 // two lines of 44: passports
)

// PartialDate is a date of which parts may be unknown: each unknown part is 0.
type PartialDate struct {
	Year  int
	Month int
	Day   int
}

// Date returns the date, and false where a part is unknown.
func (d PartialDate) Date() (calendar.Date, bool) { return calendar.Date{}, false }

// An MRZ is what a machine readable zone says, with every check digit in order.
type MRZ struct {
	Format      Format
	Code        string // document code, such as "P" or "ID"
	Issuer      string // issuing state, three letters
	Number      string
	Nationality string
	Surname     string // primary identifier, parts separated by single spaces
	Given       string // secondary identifier; empty where there is none
	Truncated   bool   // the name fills its field, so that more may have been cut off
	Sex         string // "M", "F" or "X" (unspecified)
	Optional    string // optional data of the issuer, without fillers
}

// ParseMRZ reads a machine readable zone.
func ParseMRZ(text string) (MRZ, error) { return MRZ{}, nil }

// Birth returns the date of birth, in the latest century in which it is not after now.
func (m MRZ) Birth(now calendar.Date) PartialDate { return PartialDate{} }

// Expiry returns the date of expiry.
func (m MRZ) Expiry(now calendar.Date) (calendar.Date, bool) { return calendar.Date{}, false }

// Document returns the document that the zone names.
func (m MRZ) Document() (Document, error) { return Document{}, nil }
