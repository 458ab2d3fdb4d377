// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package proof

import "strings"

// Disease is a disease in a word of ours, so that a rule is written once for every
// system of codes. Agreements use these words.
type Disease string

// The diseases that certificates for travel are about.
const (
	UnknownCode   Disease = ""
	COVID19       Disease = "covid19"
	Ebola         Disease = "ebola"
	Polio         Disease = "polio"
	Cholera       Disease = "cholera"
	Measles       Disease = "measles"
	Mumps         Disease = "mumps"
	Rubella       Disease = "rubella"
	YellowFever   Disease = "yellowfever"
	Mpox          Disease = "mpox"
	Meningococcal Disease = "meningococcal"
	Typhoid       Disease = "typhoid"
	Malaria       Disease = "malaria"
	Influenza     Disease = "influenza"
	Diphtheria    Disease = "diphtheria"
	Tetanus       Disease = "tetanus"
	Pertussis     Disease = "pertussis"
	HepatitisA    Disease = "hepatitisa"
	HepatitisB    Disease = "hepatitisb"
	Rabies        Disease = "rabies"
	Tuberculosis  Disease = "tuberculosis"
	Varicella     Disease = "varicella"
)

// A diseaseRow holds the codes of one disease. A code of ICD ends in "*" where the
// subdivisions below it are meant too.
type diseaseRow struct {
	disease               Disease
	snomed, icd10s, icd11 string
}

// diseases is by SNOMED CT (international edition), ICD-10 (2019) and ICD-11 MMS. The
// first SNOMED code of a row is the disease; the others are kinds of it.
var diseases = [...]diseaseRow{
	{COVID19, "840539006", "U07.1 U07.2", "RA01*"},
	{Ebola, "37109004", "A98.4", "1D60*"},
	{Polio, "398102009", "A80*", "1C81*"},
	{Cholera, "63650001", "A00*", "1A00*"},
	{Measles, "14189004", "B05*", "1F03*"},
	{Mumps, "36989005", "B26*", "1D80*"},
	{Rubella, "36653000", "B06*", "1F02*"},
	{YellowFever, "16541001", "A95*", "1D47*"},
	{Mpox, "359814004", "B04*", "1E71*"},
	{Meningococcal, "23511006", "A39*", "1C1C*"},
	{Typhoid, "4834000", "A01.0", "1A07*"},
	{Malaria, "61462000", "B50* B51* B52* B53* B54*", "1F40* 1F41* 1F42* 1F43* 1F44* 1F45*"},
	{Influenza, "6142004", "J09* J10* J11*", "1E30* 1E31* 1E32*"},
	{Diphtheria, "397428000", "A36*", "1C17*"},
	{Tetanus, "76902006", "A33* A34* A35*", "1C13* 1C14* 1C15*"},
	{Pertussis, "27836007", "A37*", "1C12*"},
	{HepatitisA, "40468003", "B15*", "1E50.0"},
	{HepatitisB, "66071002", "B16*", "1E50.1"},
	{Rabies, "14168008", "A82*", "1C82*"},
	{Tuberculosis, "56717001", "A15* A16* A17* A18* A19*", "1B10* 1B11* 1B12* 1B13* 1B14*"},
	{Varicella, "38907003", "B01*", "1E90*"},
}

// Diseases lists the diseases in the order of this build's table.
func Diseases() []Disease {
	var ds []Disease
	for i := range diseases {
		ds = append(ds, diseases[i].disease)
	}
	return ds
}

// DiseaseOf returns the disease that a code of SNOMED, ICD10 or ICD11 names, and false
// where this build knows none. A postcoordinated code of ICD-11 ("1C81&XN9S3") is known
// by its stem.
func DiseaseOf(system System, code string) (Disease, bool) {
	code = strings.TrimSpace(code)
	if system == ICD11 {
		if i := strings.IndexAny(code, "&/"); i > 0 {
			code = code[:i]
		}
	}
	if code == "" {
		return UnknownCode, false
	}
	for i := range diseases {
		row := &diseases[i]
		var list string
		switch system {
		case SNOMED:
			list = row.snomed
		case ICD10:
			list = row.icd10s
		case ICD11:
			list = row.icd11
		default:
			return UnknownCode, false
		}
		for list != "" {
			var c string
			c, list, _ = strings.Cut(list, " ")
			stem, below := strings.CutSuffix(c, "*")
			if code == stem || below && strings.HasPrefix(code, stem) && code[len(stem)] == '.' {
				return row.disease, true
			}
		}
	}
	return UnknownCode, false
}

// Code returns the code of a disease in SNOMED CT, the first that DiseaseOf knows for it,
// and "" for a disease that is none of Diseases.
func (d Disease) Code() string {
	for i := range diseases {
		if diseases[i].disease == d {
			code, _, _ := strings.Cut(diseases[i].snomed, " ")
			return code
		}
	}
	return ""
}
