// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package money

import "strings"

// The currencies of ISO 4217 in use, by the number of digits that the standard puts
// after the point, in order and each with a space after it. Display tables such as
// CLDR's give some of them fewer (none for PKR, IRR and AFN): those say what prices
// look like, this says what is counted. Codes without a minor unit (gold, funds, test
// codes) are not here: no amount can be counted in them.
var minorUnits = [...]string{
	0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF ",
	2: "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD " +
		"CAD CDF CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP " +
		"GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT " +
		"LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN " +
		"NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD " +
		"SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS " +
		"VED VES WST XAD XCD XCG YER ZAR ZMW ZWG ",
	3: "BHD IQD JOD KWD LYD OMR TND ",
	4: "CLF UYW ",
}

// Digits returns how many digits of the currency stand after the point, by ISO 4217,
// and false for a code that is not of a currency in use.
func Digits(currency string) (int, bool) {
	if len(currency) != 3 {
		return 0, false
	}
	for n, list := range minorUnits {
		i, j := 0, len(list)/4
		for i < j { // the codes are in order
			m := (i + j) / 2
			switch code := list[4*m : 4*m+3]; {
			case code == currency:
				return n, true
			case code < currency:
				i = m + 1
			default:
				j = m
			}
		}
	}
	return 0, false
}

// Currencies returns the codes of the currencies in use, by number of digits, then in
// order.
func Currencies() []string {
	var out []string
	for _, list := range minorUnits {
		out = append(out, strings.Fields(list)...)
	}
	return out
}
