// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package shc

import (
	"strings"

	"darwaza.dev/internal/proof"
)

// The LOINC codes of tests for SARS-CoV-2, by how they look for it (LOINC's list "SARS
// Coronavirus 2"). A code that is missing here is a test of another kind for an unknown
// disease, which no rule takes for a proof.
const (
	nucleic = " 94306-8 94307-6 94308-4 94309-2 94310-0 94314-2 94315-9 94316-7 94500-6 94502-2 94531-1 94532-9 94533-7 94534-5 94559-2 94565-9 " +
		"94639-2 94640-0 94641-8 94642-6 94643-4 94644-2 94645-9 94646-7 94660-8 94745-7 94746-5 94756-4 94757-2 94758-0 94759-8 94760-6 94765-5 94766-3 94767-1 " +
		"94819-0 94822-4 94845-5 95406-5 95409-9 95425-5 95521-1 95522-9 95608-6 95609-4 95824-9 96091-4 96120-1 96121-9 96122-7 96123-5 96448-6 96829-7 96957-6 96958-4 " +
		"97098-8 97104-4 98131-6 98132-4 98493-0 98494-8 99314-7 100156-9 "
	antigens   = " 94558-4 95209-3 96119-3 97097-0 "
	antibodies = " 94503-0 94504-8 94505-5 94506-3 94507-1 94508-9 94547-7 94562-6 94563-4 94564-2 94661-6 94761-4 94762-2 94768-9 94769-7 95125-1 95410-7 95411-5 95416-4 " +
		"95427-1 95428-9 95429-7 95542-7 96118-5 96603-6 "
)

// testOf returns how a test looks for what.
func testOf(code proof.Code) (proof.TestKind, proof.Disease, bool) {
	if code.System != proof.LOINC || strings.Contains(code.Value, " ") {
		return "", "", false
	}
	key := " " + code.Value + " "
	switch {
	case strings.Contains(nucleic, key):
		return proof.NAAT, proof.COVID19, true
	case strings.Contains(antigens, key):
		return proof.Antigen, proof.COVID19, true
	case strings.Contains(antibodies, key):
		return proof.Antibody, proof.COVID19, true
	}
	return "", "", false
}

// resultOf returns what a code or a word means: of SNOMED CT (qualifier values), of LOINC
// (answers), of HL7's interpretations, or in English.
func resultOf(code string) (proof.TestResult, bool) {
	switch code {
	case "260373001", "10828004", "52101004", "LA6576-8", "LA11882-0", "POS", "DET", "positive", "detected", "reactive":
		return proof.Positive, true
	case "260415000", "260385009", "2667000", "LA6577-6", "LA11883-8", "NEG", "ND", "negative", "not detected", "nonreactive", "non-reactive":
		return proof.Negative, true
	case "419984006", "82334004", "455371000124106", "LA9663-1", "LA11884-6", "IND", "inconclusive", "indeterminate", "invalid", "equivocal":
		return proof.Inconclusive, true
	}
	return "", false
}
