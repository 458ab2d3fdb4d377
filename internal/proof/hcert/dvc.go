// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package hcert

import (
	"strings"

	"darwaza.dev/internal/cose"
	"darwaza.dev/internal/proof"
)

// The WHO's payload (SMART ICVP, logical models DVCPayload and ICVPMin), both of whose
// forms are read. In the short one the product says the disease:
//
//	{ "n": name, "dob", "s": sex, "ntl", "nid": document, "ndt", "gn": guardian,
//	  "v": { dn, tg, vp, mp, ma, mid, dt, bo, vls, vle, is, cn }     or an array of them
//	       { vp: product of the catalogue, dt, bo, vls, vle, is, cn } }
func (p *parser) dvc() {
	c := p.doc.Claims
	p.each(func(k key) {
		switch k.text {
		case "n": // one text, in the order in which the holder writes it
			c.Holder.Family = p.text()
		case "dob":
			c.Holder.Birth = p.birth()
		case "s":
			c.Holder.Sex = sex(p.text())
		case "nid":
			c.Holder.Document = p.text()
		case "v":
			p.each1(p.dvcDose)
		default:
			p.skip()
		}
	})
}

func sex(s string) string {
	switch strings.ToLower(s) {
	case "male", "m":
		return "M"
	case "female", "f":
		return "F"
	case "other", "x":
		return "X"
	}
	return ""
}

// doseNumbers are the ways in which the ordinal of a dose is written. A booster, a dose
// at birth, a supplementary one and a whole series have none.
var doseNumbers = map[string]int{
	"1": 1, "2": 2, "3": 3, "4": 4, "5": 5,
	"firstdose": 1, "seconddose": 2, "thirddose": 3, "fourthdose": 4, "fifthdose": 5,
}

func (p *parser) dvcDose() {
	if p.tags(); p.r.Major() != cose.MajorMap {
		p.skip()
		return
	}
	e := p.add(proof.Vaccination)
	if e == nil {
		return
	}
	target, product, clinician := "", "", ""
	p.each(func(k key) {
		switch k.text {
		case "dn":
			if p.tags(); p.r.Major() == cose.MajorText {
				e.Dose = doseNumbers[strings.ToLower(p.string())]
			} else {
				e.Dose = p.number()
			}
		case "tg":
			target = p.text()
		case "vp":
			product = p.text()
		case "mp":
			if v := p.text(); v != "" {
				e.Product = proof.Code{System: proof.Text, Value: v}
			}
		case "ma":
			e.Manufacturer.Text = p.text()
		case "mid":
			e.Manufacturer.Value = p.text()
		case "dt":
			e.On = p.date()
		case "bo":
			e.Lot = p.text()
		case "vls":
			e.From = p.date()
		case "vle":
			e.Until = p.date()
		case "is":
			e.Issuer = p.text()
		case "cn":
			clinician = p.text()
		default:
			p.skip()
		}
	})
	if e.Issuer == "" {
		e.Issuer = clinician
	}
	vaccine, _, catalogued := strings.Cut(product, "Product")
	if catalogued {
		e.Product = proof.Code{System: proof.PQ, Value: product}
	} else if product != "" {
		e.Type = kindOfVaccine(product)
	}
	if target != "" {
		p.disease(e, systemOf(target), target)
		return
	}
	covers := diseasesOf(vaccine)
	if !catalogued || covers == nil {
		p.note(proof.UnknownDisease)
		return
	}
	e.Disease = covers[0]
	first := *e // adding an event may move those before it
	for _, d := range covers[1:] {
		e := p.add(proof.Vaccination)
		if e == nil {
			return
		}
		*e = first
		e.Disease = d
	}
}

// systemOf tells by its form in which system a disease is written.
func systemOf(target string) proof.System {
	if isDigits(target) {
		return proof.SNOMED
	}
	if _, ok := proof.DiseaseOf(proof.ICD11, target); !ok {
		if _, ok := proof.DiseaseOf(proof.ICD10, target); ok {
			return proof.ICD10
		}
	}
	return proof.ICD11
}

// vaccines are the kinds of vaccines of the WHO's catalogue of prequalified products, as
// its numbers begin ("YellowFeverProductd2c75…"), with what they protect against. The
// longer beginning stands before the shorter.
var vaccines = [...]struct {
	begins string
	covers []proof.Disease
}{
	{"YellowFever", []proof.Disease{proof.YellowFever}},
	{"Polio", []proof.Disease{proof.Polio}},
	{"Cholera", []proof.Disease{proof.Cholera}},
	{"Ebola", []proof.Disease{proof.Ebola}},
	{"Covid", []proof.Disease{proof.COVID19}},
	{"MeaslesMumps", []proof.Disease{proof.Measles, proof.Mumps, proof.Rubella}},
	{"MeaslesandRubella", []proof.Disease{proof.Measles, proof.Rubella}},
	{"MeaslesRubella", []proof.Disease{proof.Measles, proof.Rubella}},
	{"Measles", []proof.Disease{proof.Measles}},
	{"Meningococcal", []proof.Disease{proof.Meningococcal}},
	{"Typhoid", []proof.Disease{proof.Typhoid}},
	{"Rabies", []proof.Disease{proof.Rabies}},
	{"Rubella", []proof.Disease{proof.Rubella}},
	{"Varicella", []proof.Disease{proof.Varicella}},
	{"HepatitisA", []proof.Disease{proof.HepatitisA}},
	{"HepatitisB", []proof.Disease{proof.HepatitisB}},
	{"Influenza", []proof.Disease{proof.Influenza}},
	{"Malaria", []proof.Disease{proof.Malaria}},
	{"BCG", []proof.Disease{proof.Tuberculosis}},
}

func diseasesOf(vaccine string) []proof.Disease {
	for _, v := range vaccines {
		if len(vaccine) >= len(v.begins) && strings.EqualFold(vaccine[:len(v.begins)], v.begins) {
			return v.covers
		}
	}
	return nil
}
