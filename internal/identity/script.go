// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package identity

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"darwaza.dev/internal/lang"
)

// clean returns a name with a space for each mark between words and without those inside
// them: apostrophes, marks of vowels, direction, ZWNJ.
func clean(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\'' || r == '’' || r == '‘' || r == 'ʿ' || r == 'ʾ' || r == '`' || r == 'ـ':
			return -1
		case unicode.In(r, unicode.Mn, unicode.Cf):
			return -1
		case unicode.IsLetter(r):
			return unicode.ToUpper(r)
		}
		return ' '
	}, norm.NFC.String(name))
}

// fold is how words of one Arabic script are compared.
func fold(w string) string { return lang.Fold(w) }

// article reports whether a word is the Arabic article by itself, as Latin letters write
// it before different consonants.
func article(w string) bool {
	switch w {
	case "AL", "EL", "UL", "OL", "UD", "UR", "US", "AR", "AS", "AD", "ED", "ER", "ES":
		return true
	}
	return false
}

// expanded are the Latin letters that ICAO 9303 part 3, section 6, table A, writes as
// two, beside those that only lose an accent.
var expanded = strings.NewReplacer("Ä", "AE", "Æ", "AE", "Å", "AA", "Ö", "OE", "Ø", "OE", "Œ", "OE", "Ü", "UE",
	"ß", "SS", "ẞ", "SS", "Þ", "TH", "Ĳ", "IJ", "Ð", "D", "Đ", "D", "Ħ", "H", "ı", "I", "Ł", "L", "Ŧ", "T", "Ŋ", "N")

// latinForms returns a word of Latin letters as the zone writes it, and with its accents
// only dropped: both are seen on documents of one person.
func latinForms(w string) []string {
	zone := expanded.Replace(w)
	var forms []string
	for _, s := range [...]string{zone, strings.NewReplacer("Ä", "A", "Å", "A", "Ö", "O", "Ø", "O", "Ü", "U").Replace(w)} {
		s = expanded.Replace(s)
		s = strings.Map(func(r rune) rune {
			if r < 'A' || r > 'Z' {
				return -1
			}
			return r
		}, norm.NFKD.String(s))
		if len(forms) == 0 || s != forms[0] {
			forms = append(forms, s)
		}
	}
	return forms
}

// letters are the letters of Arabic, Persian and Urdu after lang.Fold, with what ICAO 9303
// part 3, section 6, table C, writes for them in the zone. Folding makes one letter of
// some that the table tells apart; twins has the other spellings.
var letters = map[rune]string{
	'ا': "A", 'ب': "B", 'پ': "P", 'ت': "T", 'ٹ': "XXT", 'ث': "XTH", 'ج': "J", 'چ': "XC", 'ح': "XH", 'خ': "XKH",
	'د': "D", 'ڈ': "XXD", 'ذ': "XDH", 'ر': "R", 'ڑ': "XXR", 'ز': "Z", 'ژ': "XJ", 'س': "S", 'ش': "XSH",
	'ص': "XSS", 'ض': "XDZ", 'ط': "XTT", 'ظ': "XZZ", 'ع': "E", 'غ': "G", 'ف': "F", 'ق': "Q", 'ک': "K", 'گ': "XGG",
	'ل': "L", 'م': "M", 'ن': "N", 'و': "W", 'ه': "H", 'ی': "Y",
}

// twins are the codes of letters that folding makes one, each with the code of the folded
// letter. Hamza by itself is folded away, and so is its code.
var twins = strings.NewReplacer(
	"XAA", "A", "XAE", "A", "XXA", "A", "XKK", "K", "XNN", "N",
	"XYA", "Y", "XAY", "Y", "XYB", "Y", "XBE", "Y", "XXY", "Y", "XI", "Y",
	"XTA", "H", "XAH", "H", "XTG", "H", "XDO", "H", "XXG", "H", "XGE", "H", "XYH", "H", "XE", "",
	// These stand for themselves: naming them keeps the shorter codes out of them.
	"XXT", "XXT", "XXD", "XXD", "XXR", "XXR", "XTH", "XTH", "XDH", "XDH", "XSS", "XSS", "XDZ", "XDZ",
	"XTT", "XTT", "XZZ", "XZZ", "XKH", "XKH", "XSH", "XSH", "XGG", "XGG")

// icao returns a word of Arabic script in the letters of the zone.
func icao(w string) string {
	var b strings.Builder
	for _, r := range fold(w) {
		b.WriteString(letters[r])
	}
	return b.String()
}

// decode returns a word of the zone with the codes that icao gives.
func decode(w string) string { return twins.Replace(w) }

// A sound is a word's consonants, one letter for each, as far as the spellings of both
// scripts keep them apart. Vowels are not there, as Arabic script does not write most of
// them and Latin letters write them in many ways; nor is what is a vowel as often as not
// (و, ی and W, V, Y) after the first letter, nor a last H. These are not plain letters:
//
//	$ ش   C چ   s SH, which may be ش or س and ه   t TH, ث or ت   d DH or ض: a D or a Z
//	h an H after another consonant, which may be a breath alone (بھ)
//	A any vowel, only at the front
func sound(raw string) string {
	raw = strings.TrimRight(raw, "Hh")
	var b strings.Builder
	var last rune
	for _, r := range raw {
		if r != last {
			b.WriteRune(r)
		}
		last = r
	}
	return b.String()
}

// arabicSounds are the sounds of the letters after folding.
var arabicSounds = map[rune]rune{
	'ب': 'B', 'پ': 'P', 'ت': 'T', 'ٹ': 'T', 'ط': 'T', 'ث': 'S', 'س': 'S', 'ص': 'S', 'ج': 'J', 'ژ': 'J', 'چ': 'C',
	'ح': 'H', 'ه': 'H', 'خ': 'K', 'ک': 'K', 'ق': 'K', 'گ': 'G', 'غ': 'G', 'د': 'D', 'ڈ': 'D', 'ذ': 'Z', 'ز': 'Z',
	'ظ': 'Z', 'ض': 'd', 'ر': 'R', 'ڑ': 'R', 'ش': '$', 'ف': 'F', 'ل': 'L', 'م': 'M', 'ن': 'N',
}

func arabicSound(w string) string {
	// Breath is a mark of its own in Urdu, and folding would make it a letter.
	w = strings.ReplaceAll(w, "ھ", "\x00")
	w = fold(w)
	// The article inside a name is heard or not, before many consonants.
	if rest, ok := strings.CutPrefix(w, "عبدال"); ok {
		w = "عبد" + rest
	}
	if rest, ok := strings.CutPrefix(w, "ال"); ok && len([]rune(rest)) > 3 {
		w = rest
	}
	w = strings.Replace(w, "الدین", "دین", 1)
	var b strings.Builder
	first := true
	for _, r := range w {
		switch s, ok := arabicSounds[r]; {
		case ok:
			b.WriteRune(s)
		case r == '\x00':
			b.WriteRune('h')
		case !first:
		case r == 'ی':
			b.WriteRune('Y')
		case r == 'و':
			b.WriteRune('W')
		default:
			b.WriteRune('A')
		}
		first = false
	}
	return sound(b.String())
}

// spelt are the pieces of Latin spellings that stand for one sound, the longer first. The
// first rows are codes of the zone.
var spelt = strings.NewReplacer(
	"XKH", "K", "XSH", "$", "XTH", "S", "XDH", "Z", "XSS", "S", "XDZ", "d", "XTT", "T", "XZZ", "Z", "XXT", "T",
	"XXD", "D", "XXR", "R", "XGG", "G", "XJ", "J", "XC", "C", "XH", "H", "X", "KS",
	"CH", "C", "CI", "S", "CE", "S", "CY", "S", "CK", "K", "C", "K", "Q", "K", "KH", "Kh", "GH", "Gh", "SH", "s",
	"TH", "th", "DH", "dh", "ZH", "J", "PH", "F", "BH", "Bh", "JH", "Jh", "RH", "Rh")

// names are abbreviations of one name that drop its consonants.
var abbreviated = map[string]string{"MD": "MHMD", "MOHD": "MHMD", "MUHD": "MHMD", "MHD": "MHMD", "MOH": "MHMD"}

func latinSound(w string) string {
	if s, ok := abbreviated[w]; ok {
		return s
	}
	for _, abdul := range [...]string{"ABDUL", "ABDOL", "ABDAL", "ABDEL", "ABDUR", "ABDUS"} {
		if rest, ok := strings.CutPrefix(w, abdul); ok {
			w = "ABD" + rest
			if rest != "" && abdul[4] != 'L' && rest[0] != abdul[4] {
				w = abdul + rest
			}
			break
		}
	}
	if rest, ok := strings.CutPrefix(w, "AL"); ok && len(rest) > 4 {
		w = rest
	}
	for _, din := range [...]string{"UDDIN", "UDDEEN", "EDDIN", "ADDIN", "ALDIN"} {
		w = strings.Replace(w, din, "DIN", 1)
	}
	var b strings.Builder
	for i, r := range spelt.Replace(decode(w)) {
		switch {
		case !strings.ContainsRune("AEIOUWVY", r):
			b.WriteRune(r)
		case i > 0:
		case (r == 'W' || r == 'V') && len(w) > 1:
			b.WriteRune('W')
		case r == 'Y' && len(w) > 1:
			b.WriteRune('Y')
		default:
			b.WriteRune('A')
		}
	}
	return sound(b.String())
}

// alike reports whether two sounds can be of one name.
func alike(a, b string) bool {
	if a == "" || b == "" {
		return strings.Trim(a+b, "h") == ""
	}
	x, y := a[0], b[0]
	switch {
	case x == 'h' && y != 'h' && alike(a[1:], b), y == 'h' && x != 'h' && alike(a, b[1:]):
		return true
	case x == y, one(x, y, 't', "TS"), one(x, y, 'd', "DZ"), one(x, y, 's', "$"), one(x, y, 'h', "H"):
		return alike(a[1:], b[1:])
	case x == 's' && (strings.HasPrefix(b, "SH") || b == "S"):
		return alike(a[1:], b[min(2, len(b)):])
	case y == 's' && (strings.HasPrefix(a, "SH") || a == "S"):
		return alike(a[min(2, len(a)):], b[1:])
	}
	return false
}

// one reports whether one of two sounds is the broad one and the other among its kinds.
func one(x, y, broad byte, kinds string) bool {
	return x == broad && strings.IndexByte(kinds, y) >= 0 || y == broad && strings.IndexByte(kinds, x) >= 0
}
