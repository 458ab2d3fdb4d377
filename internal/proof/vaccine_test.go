// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package proof

import (
	"slices"
	"strings"
	"testing"
)

func TestVaccineDiseases(t *testing.T) {
	for _, c := range []struct {
		system System
		code   string
		want   []Disease
	}{
		{CVX, "207", []Disease{COVID19}},
		{CVX, "510", []Disease{COVID19}},
		{CVX, "522", nil},
		{CVX, "50", []Disease{Diphtheria, Tetanus, Pertussis}},
		{CVX, "03", []Disease{Measles, Mumps, Rubella}},
		{CVX, "10", []Disease{Polio}},
		{CVX, "37", []Disease{YellowFever}},
		{ICD11, "XM68M6", []Disease{COVID19}},
		{ICD11, "XM0N50", []Disease{Polio}},
		{SNOMED, "836383009", []Disease{Cholera}},
		{SNOMED, "840539006", nil}, // the disease, not a vaccine
		{ATC, "J07BX03", []Disease{COVID19}},
		{ATC, "J07BF02", []Disease{Polio}},
		{ATC, "J07CA09", []Disease{Diphtheria, Tetanus, Pertussis, Polio, HepatitisB}},
		{CVX, "", nil},
		{LOINC, "207", nil},
	} {
		if got := VaccineDiseases(c.system, c.code); !slices.Equal(got, c.want) {
			t.Errorf("%s %q: got %v, want %v", c.system, c.code, got, c.want)
		}
	}
}

// No code stands for two rows, and every word is a disease.
func TestVaccinesTable(t *testing.T) {
	seen := map[string]bool{}
	for _, row := range vaccines {
		for _, w := range strings.Fields(row.diseases) {
			if !slices.Contains(Diseases(), Disease(w)) {
				t.Errorf("%q is no disease", w)
			}
		}
		for system, list := range map[System]string{CVX: row.cvx, SNOMED: row.snomed, ICD11: row.icd11, ATC: row.atc} {
			for _, c := range strings.Fields(list) {
				key := string(system) + " " + c
				if seen[key] {
					t.Errorf("%s stands twice", key)
				}
				seen[key] = true
			}
		}
	}
}
