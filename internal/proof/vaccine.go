// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package proof

import "strings"

// A vaccineRow holds the codes of vaccines against the same diseases.
type vaccineRow struct {
	diseases string // words of Disease
	cvx      string // "500-521" is all between, both included
	snomed   string
	icd11    string
	atc      string // "J07BX03*" is everything that begins with it
}

// vaccines is by CVX (CDC, vaccines administered), the vaccine products of SNOMED CT that
// the International Patient Summary uses, the extension codes of ICD-11 and ATC. A vaccine
// that is missing here is an event of no known disease, never a dose against another.
var vaccines = [...]vaccineRow{
	{"covid19", "207 208 210 211 212 213 217 218 219 221 225 226 227 228 229 230 300 301 302 308-313 500-521",
		"1119305005 1119349007 1157024006 28531000087107 29061000087103",
		"XM68M6 XM1NL1 XM5DF6 XM9QW8 XM0CX4 XM5JC5 XM1J92 XM6AT1 XM0GQ8 XM7HT3 XM8866 XM9TQ1 XM1G90 XM85P5 XM9FQ7 XM97N6 XM2YG8 XM3U61 " +
			"XM4YL8 XM97T2 XM6QV1 XM1AG7 XM5ZJ4 XM5QM6 XM8NQ0 XM3DT5 XM6SZ8", "J07BX03 J07BN*"},
	{"polio", "2 02 10 89 178 179 182", "1031000221108 871739009 871740006 1051000221104", "XM0N50 XM5V19 XM79H3 XM0VX8 XM0KZ1 XM2KH7 XM4KG4 XM1Y59 XM01H1", "J07BF* J07CA04"},
	{"cholera", "26 172 173 174", "836383009 991000221105 1001000221103 1011000221100", "XM29K4 XM3Z26 XM72A0", "J07AE01 J07AE02 J07AE"},
	{"cholera typhoid", "", "", "XM1FT6", "J07AE51"},
	{"measles", "5 05", "836382004", "XM28X5 XM8L15", "J07BD01"},
	{"measles rubella", "4 04", "", "", "J07BD53"},
	{"measles mumps", "", "", "", "J07BD51"},
	{"measles mumps rubella", "3 03", "871831003", "", "J07BD52"},
	{"measles mumps rubella varicella", "94", "", "", "J07BD54"},
	{"mumps", "7 07", "", "XM1131 XM2340", "J07BE01"},
	{"rubella", "6 06", "836388000", "XM7PP1 XM9PS9", "J07BJ01"},
	{"rubella mumps", "38", "", "", "J07BJ51"},
	{"varicella", "21", "", "", "J07BK01"},
	{"yellowfever", "37 183 184", "836385002", "XM0N24", "J07BL01"},
	{"ebola", "204 214", "", "", "J07BX02"},
	{"mpox", "206", "", "", ""},
	{"meningococcal", "32 103 108 114 136 147 148 162 163 164 191 192 203", "836401009", "XM2WV4 XM18Y8 XM2280", "J07AH*"},
	{"typhoid", "25 41 53 91 101 190", "836390004", "XM8BU8", "J07AP*"},
	{"influenza", "15 16 88 111 135 140 141 144 149 150 151 153 155 158 161 166 168 171 185 186 194 197 200 201 202 205", "836377006",
		"XM1LR5 XM8858 XM5V65 XM8MP3 XM9E17", "J07BB*"},
	{"rabies", "18 40 90 175", "836393002", "XM6T09", "J07BG01"},
	{"tuberculosis", "19", "836402002", "XM8142", "J07AN01"},
	{"hepatitisa", "31 52 83 84 85", "836375003", "XM2A14", "J07BC02"},
	{"hepatitisb", "8 08 42 43 44 45 51 189 220", "836374004", "XM9V38", "J07BC01"},
	{"hepatitisa hepatitisb", "104 193", "871803007", "", "J07BC20"},
	{"diphtheria", "", "", "XM86V7 XM8AW3", "J07AF01"},
	{"tetanus", "35 112", "863911006", "XM5L44 XM29H5", "J07AM01"},
	{"pertussis", "", "", "XM43M9", "J07AJ01 J07AJ02"},
	{"diphtheria tetanus", "9 09 28 113 138 139 196", "", "XM1G86 XM32Q5 XM4039", "J07AM51"},
	{"diphtheria tetanus pertussis", "1 01 20 22 50 106 107 115", "", "XM31Q8 XM1PB8 XM9ZL9 XM9YH9", "J07AJ51 J07AJ52"},
	{"diphtheria tetanus polio", "195", "", "XM8AW1", "J07CA01"},
	{"diphtheria tetanus pertussis polio", "120 130 170", "871878002", "XM1LX9 XM09Q7 XM21E6 XM9JP8 XM44M4", "J07CA02 J07CA06"},
	{"diphtheria tetanus pertussis hepatitisb", "102 198", "", "", "J07CA05 J07CA11"},
	{"diphtheria tetanus pertussis polio hepatitisb", "110 132 146", "871895005", "XM0LT9 XM84S1", "J07CA09 J07CA12"},
}

// VaccineDiseases returns the diseases against which a vaccine is given, by its code in
// CVX, SNOMED, ICD11 or ATC, and none where this build does not know the code. The order
// is that of the table, the same each time.
func VaccineDiseases(system System, code string) []Disease {
	code = strings.TrimSpace(code)
	if code == "" {
		return nil
	}
	for i := range vaccines {
		row := &vaccines[i]
		var list string
		switch system {
		case CVX:
			list = row.cvx
		case SNOMED:
			list = row.snomed
		case ICD11:
			list = row.icd11
		case ATC:
			list = row.atc
		default:
			return nil
		}
		for list != "" {
			var c string
			c, list, _ = strings.Cut(list, " ")
			if !covers(c, code) {
				continue
			}
			words := strings.Fields(row.diseases)
			ds := make([]Disease, len(words))
			for j, w := range words {
				ds[j] = Disease(w)
			}
			return ds
		}
	}
	return nil
}

// covers reports whether an entry of a list means a code.
func covers(entry, code string) bool {
	if entry == code {
		return true
	}
	if stem, ok := strings.CutSuffix(entry, "*"); ok {
		return strings.HasPrefix(code, stem)
	}
	// A range is of three digits each, so that the order of texts is that of numbers.
	first, last, ok := strings.Cut(entry, "-")
	return ok && len(code) == 3 && first <= code && code <= last
}
