// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package proof

import (
	"strings"

	"darwaza.dev/internal/identity"
)

// Country returns the code by which claims and keys name a country, for what a
// certificate or a list writes: the three letters of identity.ParseCountry, from two or
// three in any case. The EU writes EL for Greece and UK for the United Kingdom; XK is
// Kosovo. The codes that ISO 3166-1 leaves to its users (section 8.1.3: XA to XZ, XAA to
// XZZ and their like), under which trust networks list their trials, stay as they are. ok
// is false for all else.
func Country(s string) (code string, ok bool) {
	s = strings.ToUpper(strings.TrimSpace(s))
	switch s {
	case "EL":
		return "GRC", true
	case "UK":
		return "GBR", true
	case "XK", "XKX":
		return "RKS", true
	case "EU":
		return "EUE", true
	}
	if c, ok := identity.ParseCountry(s); ok {
		return c, true
	}
	if len(s) != 2 && len(s) != 3 || strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		return "", false
	}
	if s[0] == 'X' || s[0] == 'Q' && s[1] >= 'M' || s[:2] == "AA" || s[:2] == "ZZ" {
		return s, true
	}
	return "", false
}

// Alpha2 returns the two letters by which a certificate of the EU names a country, for the
// code that Country returns of it; false where there are none.
func Alpha2(code string) (letters string, ok bool) {
	switch code {
	case "RKS":
		return "XK", true
	case "EUE":
		return "EU", true
	}
	if len(code) == 2 {
		return code, true
	}
	return identity.Alpha2(code)
}

// OtherAlpha2 returns the two letters that the EU writes for a country in place of those of
// ISO 3166-1 (Interinstitutional style guide, annex A5), for the code that Country returns
// of it: EL for Greece, and UK as it wrote for the United Kingdom. Certificates have the
// ones and lists of revocations the others.
func OtherAlpha2(code string) (letters string, ok bool) {
	switch code {
	case "GRC":
		return "EL", true
	case "GBR":
		return "UK", true
	}
	return "", false
}
