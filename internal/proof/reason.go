// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package proof

import "darwaza.dev/internal/reason"

// Declared returns the faults and the notes with their outcomes. A certificate that is not
// genuine counts as one that was not shown: whoever has no other is held until there is
// one, and nobody is refused for a code that could not be read. A note leaves a certificate
// genuine, and one alone is for a person to decide on.
func Declared() []reason.Decl {
	return []reason.Decl{
		{Code: NotProof, Outcome: reason.Hold, When: "it is no health certificate of a format that is known"},
		{Code: Unreadable, Outcome: reason.Hold, When: "it begins like one, and the rest is damaged or not well formed"},
		{Code: TooLarge, Outcome: reason.Hold, When: "it is larger than any certificate, or unfolds to more"},
		{Code: Incomplete, Outcome: reason.Hold, When: "it is one code of several, and the others were not there"},
		{Code: Unsupported, Outcome: reason.Hold, When: "it is well formed and holds nothing that is read here, or is a link to a certificate"},
		{Code: Content, Outcome: reason.Hold, When: "what it says is no certificate: no event, no end of its validity, half a dose; a paper without signature or stamp, or altered"},
		{Code: Algorithm, Outcome: reason.Hold, When: "it is signed by an algorithm that is not accepted, or that does not fit the key"},
		{Code: KeyUnknown, Outcome: reason.Hold, When: "no trusted list names the key, or a list binds it to another issuer of cards"},
		{Code: KeyCountry, Outcome: reason.Hold, When: "the key is another country's than the issuer's"},
		{Code: KeyUsage, Outcome: reason.Hold, When: "the key may not sign this kind of certificate"},
		{Code: KeyEarly, Outcome: reason.Hold, When: "the key's own certificate is not valid yet"},
		{Code: KeyExpired, Outcome: reason.Hold, When: "the key's own certificate has run out"},
		{Code: KeyRevoked, Outcome: reason.Hold, When: "a trusted list withdraws the key"},
		{Code: Forged, Outcome: reason.Hold, When: "the signature is by none of the keys under its id: altered, or made up"},
		{Code: ListTooOld, Outcome: reason.Hold, When: "the trusted list is older than the agreement allows"},
		{Code: ListMissing, Outcome: reason.Hold, When: "there is no trusted list at all for the format"},
		{Code: Early, Outcome: reason.Hold, When: "its own validity has not begun"},
		{Code: Expired, Outcome: reason.Hold, When: "its own validity is over"},
		{Code: Revoked, Outcome: reason.Hold, When: "its issuer has revoked it, and the entry itself was found"},

		{Code: ListStale, Outcome: reason.Allow, When: "the trusted list is old, and within what the agreement allows"},
		{Code: RevocationMissing, Outcome: reason.Allow, When: "there is no list of revocations to ask"},
		{Code: RevocationMaybe, Outcome: reason.Refer, When: "a filter of revocations has it, which it has of some by chance, and nobody could confirm"},
		{Code: UnknownDisease, Outcome: reason.Allow, When: "the disease or the vaccine of an event is a code that is not known here"},
		{Code: DateUnclear, Outcome: reason.Allow, When: "something is written for a date that is none, and is left out"},
		{Code: CountryUnknown, Outcome: reason.Allow, When: "the issuer is not written as a country's code, and the key's country stands for it"},
		{Code: KeyUnbound, Outcome: reason.Allow, When: "the list binds the key to no country, or to no issuer of cards"},
		{Code: Irregular, Outcome: reason.Allow, When: "it can be read without doubt, and is not quite as its specification wants it"},
	}
}
