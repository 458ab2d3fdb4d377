// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

// Package identity reads the papers that name a person: the machine readable zone
// of a travel document, the numbers of identity cards, and names as two documents
// spell them. It says what a paper says; whether that is enough is for a clause.
//
// A problem that it returns names the field and the fault, and never the value: it
// may end up in a log or on somebody else's screen.
package identity

import (
	"strings"
	"unicode"

	"darwaza.dev/internal/lang"
	"darwaza.dev/internal/problem"
)

// Kind is the kind of a document.
type Kind string

// The kinds of documents.
const (
	CNIC       Kind = "cnic"        // Pakistan's computerised national identity card
	Passport   Kind = "passport"    // a passport
	NationalID Kind = "national-id" // an identity number or card of another state
	BorderPass Kind = "border-pass" // a pass for people of the border districts
	Tazkira    Kind = "tazkira"     // Afghanistan's identity document
	Other      Kind = "other"       // any other document with a number
)

// Kinds lists the kinds in the order in which pages offer them.
var Kinds = [...]Kind{CNIC, Passport, NationalID, BorderPass, Tazkira, Other}

// ParseKind returns the kind that s names, and false where there is none.
func ParseKind(s string) (Kind, bool) {
	for _, k := range Kinds {
		if string(k) == s {
			return k, true
		}
	}
	return "", false
}

// A Document names one document of one person.
type Document struct {
	Kind    Kind
	Country string // the issuer, see ParseCountry
	Number  string // in its canonical spelling, see ParseDocument
}

// Key returns the canonical text of the document, for binding a pass to it and for
// tags: "cnic:PAK:3520212345671". It is the same however the number was keyed or read,
// and is personal data.
func (d Document) Key() string { return string(d.Kind) + ":" + d.Country + ":" + d.Number }

// String returns "[redacted]", so that a document that strays into a log says nothing.
func (d Document) String() string { return "[redacted]" }

// GoString is String, for the verb that would print the fields.
func (d Document) GoString() string { return "[redacted]" }

// maxNumber is the most letters and digits of a document's number. The longest that a
// machine readable zone of a card can hold is 22.
const maxNumber = 24

// ParseDocument reads a document's number as a person keyed it: spaces, dashes and
// points are passed over, small letters are capitals, and digits are those of any of
// the languages. It checks what is published about the number:
//
//   - A CNIC is 13 digits, see ParseCNIC. Its country is PAK, which may be left out.
//   - A national identity number of Iran (IRN) is 10 digits with a check digit, see
//     ParseNationalNumber.
//   - Passports and other national numbers are Latin letters and digits.
//   - Border passes, tazkiras and others may hold letters of any script, folded as by
//     lang.Fold.
func ParseDocument(kind, country, number string) (Document, error) {
	k, ok := ParseKind(kind)
	if !ok {
		return Document{}, problem.Field("document", "document.kind")
	}
	if country == "" && k == CNIC {
		country = "PAK"
	}
	c, ok := ParseCountry(country)
	if !ok || k == CNIC && c != "PAK" {
		return Document{}, problem.Field("country", "document.country")
	}
	n := compact(number)
	if n == "" {
		return Document{}, problem.Field("number", "document.missing")
	}
	if len([]rune(n)) > maxNumber {
		return Document{}, problem.Field("number", "document.length")
	}
	var err error
	switch {
	case k == CNIC:
		n, err = ParseCNIC(n)
	case k == NationalID && c == "IRN":
		n, err = ParseNationalNumber(n)
	case k == Passport || k == NationalID:
		if strings.Trim(n, latin) != "" {
			err = problem.Field("number", "document.letters")
		}
	default:
		if strings.ContainsFunc(n, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
			err = problem.Field("number", "document.letters")
		}
	}
	if err != nil {
		return Document{}, err
	}
	return Document{k, c, n}, nil
}

const latin = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

// compact returns a number without what people put between its digits.
func compact(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.Is(unicode.Pd, r) || strings.ContainsRune("./_<−", r) {
			return -1
		}
		return unicode.ToUpper(r)
	}, lang.Fold(s))
}

// ParseCNIC returns the 13 digits of the number of a Pakistani identity card, keyed
// with its dashes ("35202-1234567-1") or without. The first digit is the region of
// registration, 1 to 7. No check digit is published for the number, so that a wrong
// digit cannot be told from a right one: only reading the card does.
func ParseCNIC(s string) (string, error) {
	n := compact(s)
	switch {
	case strings.Trim(n, "0123456789") != "":
		return "", problem.Field("number", "document.digits")
	case len(n) != 13:
		return "", problem.Field("number", "document.cnic.length")
	case n[0] < '1' || n[0] > '7':
		return "", problem.Field("number", "document.cnic.region")
	}
	return n, nil
}

// FormatCNIC writes a CNIC with its dashes: "35202-1234567-1".
func FormatCNIC(n string) string {
	if len(n) != 13 {
		return n
	}
	return n[:5] + "-" + n[5:12] + "-" + n[12:]
}

// CNICSex returns "M" or "F" by the last digit of a CNIC, which is odd for men and even
// for women, and the empty text for what is not one.
func CNICSex(n string) string {
	switch {
	case len(n) != 13:
		return ""
	case (n[12]-'0')%2 == 0:
		return "F"
	}
	return "M"
}

// ParseNationalNumber returns the ten digits of an Iranian national number (kod-e
// melli), whose last is a check digit: the other nine, times 10 down to 2, added up,
// modulo 11; a remainder below 2 stands itself, any other is taken from 11. Ten equal
// digits pass that sum and are nobody's number, so they are refused. Zeros that a
// spreadsheet took from the front are to be keyed.
func ParseNationalNumber(s string) (string, error) {
	n := compact(s)
	switch {
	case strings.Trim(n, "0123456789") != "":
		return "", problem.Field("number", "document.digits")
	case len(n) != 10:
		return "", problem.Field("number", "document.national.length")
	case strings.Count(n, n[:1]) == 10:
		return "", problem.Field("number", "document.national.check")
	}
	sum := 0
	for i := range 9 {
		sum += int(n[i]-'0') * (10 - i)
	}
	check := sum % 11
	if check >= 2 {
		check = 11 - check
	}
	if int(n[9]-'0') != check {
		return "", problem.Field("number", "document.national.check")
	}
	return n, nil
}
