// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

// Package proof holds what a health certificate says, in words that no format owns.
//
// A certificate comes as a European health certificate, a card of FHIR resources, a seal
// of a travel document or a yellow booklet; a package per format below this one turns its
// bytes into [Claims] and says by a [Result] whether it is genuine. Rules read claims and
// never a format.
//
// The outside world is two small interfaces: [Keys], which of the trusted lists answers,
// and [Revocation]. Neither is asked over a network: lists are fetched long before.
//
// Everything that names a person or says something of their health prints as
// "[redacted]", and is left out of JSON unless a caller takes it out by hand.
package proof

import (
	"time"

	"darwaza.dev/internal/identity"
)

// Format is the form in which a certificate came. Rules do not ask for it.
type Format string

// The formats.
const (
	DCC   Format = "dcc"   // HCERT (a CWT in COSE, "HC1:") with the EU's payload, claim -260, sub-claim 1
	DVC   Format = "dvc"   // HCERT with the WHO's digital vaccination certificate, claim -260, sub-claim -6
	SHC   Format = "shc"   // SMART Health Card: a JWS over FHIR resources, "shc:/"
	VDSNC Format = "vdsnc" // ICAO visible digital seal for non-constrained environments
	Paper Format = "paper" // a booklet or a slip that an officer read and attests
)

// Kind is what an event was.
type Kind string

// The kinds of events.
const (
	Vaccination Kind = "vaccination"
	Test        Kind = "test"
	Recovery    Kind = "recovery"
	Prophylaxis Kind = "prophylaxis" // a medicine that prevents, where no vaccine does
)

// Kinds lists the kinds in the order in which pages offer them.
func Kinds() []Kind { return []Kind{Vaccination, Test, Recovery, Prophylaxis} }

// Assurance is what stands behind the claims.
type Assurance string

// The assurances, the strongest first.
const (
	Signed   Assurance = "signed"   // the issuer's signature, by a key that a trusted list names
	Attested Assurance = "attested" // an officer who saw the paper
	Claimed  Assurance = "claimed"  // nobody but the certificate itself: not genuine, or not checked
)

// System is a system of codes.
type System string

// The systems of codes that certificates use.
const (
	SNOMED System = "snomed" // SNOMED CT, http://snomed.info/sct
	ICD10  System = "icd10"  // ICD-10
	ICD11  System = "icd11"  // ICD-11 MMS, stem and extension codes
	CVX    System = "cvx"    // vaccines administered, http://hl7.org/fhir/sid/cvx
	LOINC  System = "loinc"  // kinds of tests, http://loinc.org
	ATC    System = "atc"    // classes of medicines
	EUReg  System = "eu"     // medicinal products, authorized by the EU: "EU/1/20/1528"
	EUOrg  System = "euorg"  // organizations, by the EU's register: "ORG-100030215"
	JRC    System = "jrc"    // devices of antigen tests, by the EU's list
	PQ     System = "pq"     // vaccines that the WHO has prequalified
	Text   System = "text"   // no code, words as printed
)

// A Code is a code with its system, and the words that came with it if any.
type Code struct {
	System System `json:"system,omitempty"`
	Value  string `json:"code,omitempty"`
	Text   string `json:"text,omitempty"`
}

// IsZero reports whether the certificate gave none.
func (c Code) IsZero() bool { return c == Code{} }

// TestKind is how a test looks for a disease.
type TestKind string

// The kinds of tests.
const (
	NAAT      TestKind = "naat"     // nucleic acid, such as RT-PCR
	Antigen   TestKind = "antigen"  // rapid or in a laboratory
	Antibody  TestKind = "antibody" // says something of the past alone
	OtherTest TestKind = "other"    // a kind that this build does not know: see Event.TestCode
)

// TestResult is what a test found.
type TestResult string

// The results. An unknown one is never taken for Negative.
const (
	Positive     TestResult = "positive"
	Negative     TestResult = "negative"
	Inconclusive TestResult = "inconclusive"
	OtherResult  TestResult = "other"
)

// An Event is one thing that happened to the holder: one dose against one disease, one
// test, one recovery. A vaccine against three diseases is three events.
type Event struct {
	Kind Kind
	// Disease is Unknown for a code that DiseaseOf does not know; DiseaseCode says which.
	Disease     Disease
	DiseaseCode Code

	// On is when: the day of the dose, the taking of the sample, the first positive test.
	On Date

	// Of a vaccination or prophylaxis. Dose and Of are 0 where not said; Dose may be
	// above Of, which is a booster.
	Product      Code // the product as authorized
	Type         Code // the kind of vaccine or medicine
	Manufacturer Code
	Lot          string
	Dose, Of     int
	NextOn       Date // when the next dose is due

	// Of a test.
	TestKind   TestKind
	TestCode   Code
	TestDevice Code
	Result     TestResult
	Place      string // the centre that tested or gave the dose
	ReportedOn Date   // when the result was known, if apart from On

	// From and Until bound the validity of this event as the issuer sees it; of a
	// recovery they are its df and du. Either may be absent.
	From, Until Date

	// Country is where it happened, three letters of ISO 3166-1 or of ICAO 9303 part 3;
	// empty where the certificate gives none that is known.
	Country string
	// Issuer is who stands behind this event, as printed.
	Issuer string
	// ID is the certificate's own number (UVCI) or that of the entry.
	ID string
}

// String returns "[redacted]": an event is somebody's health.
func (Event) String() string { return "[redacted]" }

// GoString is String, for the verb that would print the fields.
func (Event) GoString() string { return "[redacted]" }

// MarshalJSON writes null: whoever shows an event takes its fields by hand.
func (Event) MarshalJSON() ([]byte, error) { return []byte("null"), nil }

// A Holder is whom the certificate names. Each field may be empty: fourteen in a
// thousand have no given name.
type Holder struct {
	// Family and Given are as the certificate spells them, in whatever script.
	Family, Given string
	// FamilyICAO and GivenICAO are the transliteration into the letters of a travel
	// document's zone (ICAO 9303 part 3, section 6), with "<" for spaces, as given.
	FamilyICAO, GivenICAO string
	// Birth may lack parts, as it may on a passport.
	Birth identity.PartialDate
	// Document is the number of a travel document, where the certificate is bound to one.
	Document string
	// Sex is "M", "F", "X" or empty.
	Sex string
}

// Name returns the spelling to compare by: as printed, family name first, with the
// transliteration where nothing is printed. Package identity compares it.
func (h Holder) Name() string { return name(h.Family, h.Given, h.FamilyICAO, h.GivenICAO) }

// NameICAO returns the transliteration, and as printed where there is none.
func (h Holder) NameICAO() string { return name(h.FamilyICAO, h.GivenICAO, h.Family, h.Given) }

func name(family, given, family2, given2 string) string {
	if family == "" {
		family = family2
	}
	if given == "" {
		given = given2
	}
	switch {
	case given == "":
		return family
	case family == "":
		return given
	}
	return family + ", " + given
}

// String returns "[redacted]".
func (Holder) String() string { return "[redacted]" }

// GoString is String, for the verb that would print the fields.
func (Holder) GoString() string { return "[redacted]" }

// MarshalJSON writes null: whoever shows a holder takes its fields by hand.
func (Holder) MarshalJSON() ([]byte, error) { return []byte("null"), nil }

// Claims are what a certificate says, whoever believes it.
type Claims struct {
	Format  Format
	Version string // of the payload's schema, as written; nothing is decided by it

	Holder Holder
	Events []Event // in the order of the certificate; of a DCC exactly one

	// Issuer is as the certificate names it: two letters, an address, words.
	Issuer string
	// Country is the issuer's, three letters as in Event.Country, or empty where what is
	// written is not a country's code.
	Country string
	// ID is the certificate's own number (UVCI), or empty.
	ID string

	// IssuedAt, From and Until are the certificate's own validity, as instants in UTC; zero
	// where it does not say. From is inclusive, Until is the last second.
	IssuedAt, From, Until time.Time

	Assurance Assurance
}

// String returns "[redacted]".
func (Claims) String() string { return "[redacted]" }

// GoString is String, for the verb that would print the fields.
func (Claims) GoString() string { return "[redacted]" }

// MarshalJSON writes null: whoever shows claims takes their fields by hand.
func (Claims) MarshalJSON() ([]byte, error) { return []byte("null"), nil }
