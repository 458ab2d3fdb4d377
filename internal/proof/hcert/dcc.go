// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package hcert

import (
	"strings"

	"darwaza.dev/internal/cose"
	"darwaza.dev/internal/proof"
)

// The EU's payload (EU DCC schema 1.3.0; earlier and later ones differ in fields that are
// optional), with the fields that are read:
//
//	{ "ver": "1.3.0", "dob": "1990-02",
//	  "nam": { "fn": "…", "fnt": "…", "gn": "…", "gnt": "…" },
//	  "v": [ { tg, vp, mp, ma, dn, sd, dt, co, is, ci } ],    one of the three
//	  "t": [ { tg, tt, nm, ma, sc, dr, tr, tc, co, is, ci } ],
//	  "r": [ { tg, fr, df, du, co, is, ci } ] }
func (p *parser) dcc() {
	c := p.doc.Claims
	p.each(func(k key) {
		switch k.text {
		case "ver":
			c.Version = p.text()
		case "dob":
			c.Holder.Birth = p.birth()
		case "nam":
			p.each(func(k key) {
				h := &c.Holder
				switch k.text {
				case "fn":
					h.Family = p.text()
				case "fnt":
					h.FamilyICAO = p.text()
				case "gn":
					h.Given = p.text()
				case "gnt":
					h.GivenICAO = p.text()
				default:
					p.skip()
				}
			})
		case "v":
			p.entries(proof.Vaccination, p.dose)
		case "t":
			p.entries(proof.Test, p.test)
		case "r":
			p.entries(proof.Recovery, p.recovery)
		default:
			p.skip()
		}
	})
}

// entries reads an array of maps, each an event. Null is an empty one.
func (p *parser) entries(kind proof.Kind, field func(*proof.Event, string) bool) {
	p.each1(func() {
		if p.tags(); p.r.Major() != cose.MajorMap {
			p.skip()
			return
		}
		e := p.add(kind)
		if e == nil {
			return
		}
		p.each(func(k key) {
			switch k.text {
			case "tg":
				p.disease(e, proof.SNOMED, p.text())
			case "co":
				co := p.text()
				if e.Country = p.doc.Claims.Country; co != p.doc.Claims.Issuer {
					e.Country = country(co)
				}
			case "is":
				e.Issuer = p.text()
			case "ci":
				e.ID = p.text()
			default:
				if !field(e, k.text) {
					p.skip()
				}
			}
		})
	})
}

func (p *parser) dose(e *proof.Event, name string) bool {
	switch name {
	case "vp":
		e.Type = kindOfVaccine(p.text())
	case "mp":
		e.Product = code(proof.EUReg, p.text())
	case "ma":
		e.Manufacturer = code(proof.EUOrg, p.text())
	case "dn":
		e.Dose = p.number()
	case "sd":
		e.Of = p.number()
	case "dt":
		e.On = p.date()
	default:
		return false
	}
	return true
}

func (p *parser) test(e *proof.Event, name string) bool {
	switch name {
	case "tt":
		e.TestCode = code(proof.LOINC, p.text())
		switch e.TestCode.Value {
		case "LP6464-4":
			e.TestKind = proof.NAAT
		case "LP217198-3":
			e.TestKind = proof.Antigen
		default:
			e.TestKind = proof.OtherTest
		}
	case "tr":
		switch p.text() {
		case "260373001":
			e.Result = proof.Positive
		case "260415000":
			e.Result = proof.Negative
		case "419984006", "82334004":
			e.Result = proof.Inconclusive
		default:
			e.Result = proof.OtherResult
		}
	case "nm":
		e.TestDevice.Text = p.text()
	case "ma":
		if v := p.text(); v != "" {
			e.TestDevice.System, e.TestDevice.Value = proof.JRC, v
		}
	case "sc":
		e.On = p.date()
	case "dr":
		e.ReportedOn = p.date()
	case "tc":
		e.Place = p.text()
	default:
		return false
	}
	return true
}

func (p *parser) recovery(e *proof.Event, name string) bool {
	switch name {
	case "fr":
		e.On = p.date()
	case "df":
		e.From = p.date()
	case "du":
		e.Until = p.date()
	default:
		return false
	}
	return true
}

func code(system proof.System, value string) proof.Code {
	if value == "" {
		return proof.Code{}
	}
	return proof.Code{System: system, Value: value}
}

// kindOfVaccine tells the three systems apart in which kinds of vaccines are written:
// SNOMED CT has digits alone, extension codes of ICD-11 begin with X, ATC with J07.
func kindOfVaccine(v string) proof.Code {
	switch {
	case isDigits(v):
		return code(proof.SNOMED, v)
	case strings.HasPrefix(v, "X"):
		return code(proof.ICD11, v)
	}
	return code(proof.ATC, v)
}

func isDigits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
