// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

// Package identity reads the papers that name a person: the machine readable zone
// of a travel document, the numbers of identity cards, and names as two documents
// spell them. It says what a paper says; whether that is enough is for a clause.
package identity

// Kind is the kind of a document.
type Kind string

// The kinds of documents.
const (
	CNIC       Kind = "cnic"        // Pakistan's computerised national identity card
	Passport   Kind = "passport"    // a passport, by ICAO 9303
	NationalID Kind = "national-id" // an identity number or card of another state
	BorderPass Kind = "border-pass" // a pass for people of the border districts
	Tazkira    Kind = "tazkira"     // Afghanistan's identity document
	Other      Kind = "other"       // any other document with a number
)

// Kinds lists the kinds in the order in which pages offer them.
var Kinds = [...]Kind{CNIC, Passport, NationalID, BorderPass, Tazkira, Other}

// A Document names one document of one person.
type Document struct {
	Kind    Kind
	Country string // ISO 3166-1 alpha-3, as in a machine readable zone
	Number  string // in its canonical spelling, see ParseDocument
}

// Key returns the canonical text of the document, for binding a pass and for tags:
// "cnic:PAK:3520212345671". It is the same however the number was keyed.
func (d Document) Key() string { return string(d.Kind) + ":" + d.Country + ":" + d.Number }

// ParseDocument reads a document's number as a person keyed it.
func ParseDocument(kind, country, number string) (Document, error) {
	return Document{Kind(kind), country, number}, nil
}
