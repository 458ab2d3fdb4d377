// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package proof

import (
	"slices"

	"darwaza.dev/internal/reason"
)

// Fault is why a certificate is not genuine, or what is to be said of one that is.
type Fault = reason.Code

// The faults that make a certificate not genuine.
const (
	NotProof    Fault = "proof.form.unknown"     // it is no health certificate of a format that is known
	Unreadable  Fault = "proof.form.unreadable"  // it begins like one, and the rest is damaged or not well formed
	TooLarge    Fault = "proof.form.too_large"   // it is larger than any certificate, or unfolds to more
	Incomplete  Fault = "proof.form.incomplete"  // it is one part of several, and the others are not there
	Unsupported Fault = "proof.form.unsupported" // it is well formed and holds nothing that this build can read
	Content     Fault = "proof.form.content"     // what it says is not a certificate: no event, no end of its validity, a dose of a half

	Algorithm   Fault = "proof.key.algorithm" // signed by an algorithm that is not accepted, or that does not fit the key
	KeyUnknown  Fault = "proof.key.unknown"   // no trusted list names the key
	KeyCountry  Fault = "proof.key.country"   // the key is another country's than the issuer's
	KeyUsage    Fault = "proof.key.usage"     // the key may not sign this kind of certificate
	KeyEarly    Fault = "proof.key.early"     // the key's own certificate is not valid yet
	KeyExpired  Fault = "proof.key.expired"   // the key's own certificate has run out
	KeyRevoked  Fault = "proof.key.revoked"   // the list withdraws the key
	Forged      Fault = "proof.signature.untrusted"
	ListTooOld  Fault = "proof.list.too_old" // the trusted list is older than the agreement allows
	ListMissing Fault = "proof.list.missing" // there is no trusted list at all for the format

	Early   Fault = "proof.time.early"   // its own validity has not begun
	Expired Fault = "proof.time.expired" // its own validity is over

	Revoked Fault = "proof.revocation.revoked" // its issuer has revoked it
)

// What is said of a certificate without making it less genuine.
const (
	ListStale         Fault = "proof.list.stale"             // the list is old and still within what the agreement allows
	RevocationMissing Fault = "proof.revocation.missing"     // there is no list of revocations to ask
	RevocationMaybe   Fault = "proof.revocation.unconfirmed" // a filter has it and nobody could confirm: a person decides
	UnknownDisease    Fault = "proof.content.disease"        // an event's disease is a code that this build does not know
	DateUnclear       Fault = "proof.content.date"           // a date is written in a way that is none: it is left out
	CountryUnknown    Fault = "proof.content.country"        // the issuer is not written as a country's code; the key's country stands for it
	KeyUnbound        Fault = "proof.key.unbound"            // the list binds the key to no country: the issuer's own word is all there is
	Irregular         Fault = "proof.form.irregular"         // it can be read without doubt, and is not quite as its specification wants it
)

// Faults lists those that make a certificate not genuine.
func Faults() []Fault {
	return []Fault{NotProof, Unreadable, TooLarge, Incomplete, Unsupported, Content, Algorithm, KeyUnknown, KeyCountry, KeyUsage,
		KeyEarly, KeyExpired, KeyRevoked, Forged, ListTooOld, ListMissing, Early, Expired, Revoked}
}

// Notes lists what does not.
func Notes() []Fault {
	return []Fault{ListStale, RevocationMissing, RevocationMaybe, UnknownDisease, DateUnclear, CountryUnknown, KeyUnbound, Irregular}
}

// A Result is what was found of one certificate.
type Result struct {
	// Format is what it is, or looks like; empty where it is nothing known.
	Format Format
	// Faults say why it is not genuine, in the order in which they were found, each once.
	// A certificate is genuine where there are none and Checked is true.
	Faults []Fault
	// Notes are to be shown beside a genuine one.
	Notes []Fault
	// Checked is set once the signature was verified with a trusted key, or, of a paper,
	// once a named officer attested it. What failed before is never genuine, whatever else
	// was not looked at.
	Checked bool

	// Claims are what it says, as far as it could be read; nil where nothing could. Of one
	// that is not genuine they are for showing alone.
	Claims *Claims

	KeyID []byte // the key's id as in the certificate, nil where it has none
	// Key is the one that verified the signature, nil where none did.
	Key *Key
	// Hashes are those by which its issuer might have revoked it.
	Hashes []Hash
}

// Genuine reports whether the certificate may be believed at the time at which it was
// looked at: signed by a trusted key that might sign it, neither revoked nor out of its
// validity. Rules about how old a test may be are not its matter.
func (r *Result) Genuine() bool { return r.Checked && len(r.Faults) == 0 && r.Claims != nil }

// Fault adds a fault, once.
func (r *Result) Fault(f Fault) {
	if !slices.Contains(r.Faults, f) {
		r.Faults = append(r.Faults, f)
	}
}

// Note adds a note, once.
func (r *Result) Note(f Fault) {
	if !slices.Contains(r.Notes, f) {
		r.Notes = append(r.Notes, f)
	}
}
