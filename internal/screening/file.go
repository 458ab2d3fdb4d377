// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package screening

// A File is the case file: what was answered, measured and tested, and who the person is.
// It exists sealed under the case's own key, and while a health officer looks at it.
type File struct {
	Answers Answers `cbor:"1,keyasint"`
	Tests   []Test  `cbor:"2,keyasint,omitempty"`
	Doses   []Dose  `cbor:"3,keyasint,omitempty"`
	Person  Holder  `cbor:"4,keyasint"`
	// Crew is the name of somebody without a pass who goes on with the goods.
	Crew string `cbor:"5,keyasint,omitempty"`
	Note string `cbor:"6,keyasint,omitempty"` // the officer's words
}

// Holder is who the person is, as an order and a certificate name them.
type Holder struct {
	Family   string `cbor:"1,keyasint,omitempty"`
	Given    string `cbor:"2,keyasint,omitempty"`
	Birth    string `cbor:"3,keyasint,omitempty"` // as far as known: 1990, 1990-07 or 1990-07-21
	Kind     string `cbor:"4,keyasint,omitempty"` // of the document
	Country  string `cbor:"5,keyasint,omitempty"` // that issued it, ISO 3166-1 alpha-3
	Document string `cbor:"6,keyasint,omitempty"` // its number
}

// Dose is a dose that was given at the desk.
type Dose struct {
	Profile string `cbor:"1,keyasint,omitempty"`
	Product string `cbor:"2,keyasint,omitempty"`
	Number  uint8  `cbor:"3,keyasint,omitempty"` // of the course
	Of      uint8  `cbor:"4,keyasint,omitempty"`
	On      uint16 `cbor:"5,keyasint,omitempty"` // day by the site's calendar
}

// String returns "[redacted]": it is somebody's health.
func (File) String() string { return "[redacted]" }

// GoString is String, for the verb that would print the fields.
func (File) GoString() string { return "[redacted]" }

// String returns "[redacted]".
func (Holder) String() string { return "[redacted]" }

// GoString is String.
func (Holder) GoString() string { return "[redacted]" }

// String returns "[redacted]".
func (Dose) String() string { return "[redacted]" }

// GoString is String.
func (Dose) GoString() string { return "[redacted]" }
